//! Numbers and codes that China's standards define, checked to the last digit.
//!
//! In scope: unified social credit codes (GB 32100), citizen identity numbers (GB 11643), region
//! codes (GB/T 2260), holder code types (GB/T 36903), licence type codes and licence identifiers
//! (GB/T 36904). Out of scope: whether a number has been given to anybody.
//!
//! Prose: `spec/uscc.md`, `citizen-id.md`, `region.md`, `licence-identifier.md`.
#![cfg_attr(
    not(test),
    deny(
        clippy::as_conversions,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod citizen_id;
mod error;
mod holder;
mod licence_identifier;
mod region;
mod uscc;

pub use citizen_id::CitizenId;
pub use error::{CheckOf, IdError, NumberKind};
pub use holder::HolderCodeType;
pub(crate) use licence_identifier::check_character;
pub use licence_identifier::{IDENTIFIER_ROOT, IssuerPart, LicenceIdentifier, LicenceTypeCode};
pub use region::RegionCode;
pub use uscc::Uscc;

/// The value of a character in `alphabet`.
fn value_in(alphabet: &[u8], character: u8) -> Option<u32> {
    let at = alphabet.iter().position(|c| *c == character)?;
    u32::try_from(at).ok()
}

/// The character of a value in `alphabet`.
fn character_in(alphabet: &[u8], value: u32) -> char {
    let at = usize::try_from(value).expect("a check value is small");
    char::from(
        *alphabet
            .get(at)
            .expect("a check value is below the alphabet's length"),
    )
}

/// Values of `text` in `alphabet`, or the offset of the first character outside it.
fn values(alphabet: &[u8], text: &str) -> Result<Vec<u32>, usize> {
    let mut values = Vec::with_capacity(text.len());
    for (offset, character) in text.bytes().enumerate() {
        values.push(value_in(alphabet, character).ok_or(offset)?);
    }
    Ok(values)
}

/// Σ value × weight, modulo `modulus`.
fn weighted(values: &[u32], weights: &[u32], modulus: u32) -> u32 {
    values.iter().zip(weights).fold(0, |sum, (value, weight)| {
        sum.wrapping_add(value.wrapping_mul(*weight))
            .checked_rem(modulus)
            .unwrap_or(0)
    })
}

#[cfg(test)]
mod tests;
