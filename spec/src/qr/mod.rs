//! The QR form: a dossier small enough to print, and its printed codes. Prose: `spec/qr.md`.
//!
//! In scope: making a dossier small ([`encode`]) and giving it back exactly ([`expand`]), the texts
//! of printed codes ([`codes`], [`join`]). Out of scope: judging, which is done to the expansion
//! and nothing else (`zhao-verifier`); drawing the codes (the CLI).

mod base45;
mod error;
mod expand;
mod form;
mod parts;
mod shrink;
mod texts;

pub use base45::{decode_base45, encode_base45};
pub use error::QrError;
pub use parts::{codes, is_code, join};
pub use shrink::with_lines;

use crate::file::Dossier;
use crate::wire::limits;
use form::Form;

/// The version of the form that this code reads and writes.
pub const VERSION: u64 = 1;
/// The number of the dictionary that this code reads and writes.
pub const DICTIONARY: u64 = 1;

/// The QR form of a dossier.
///
/// # Errors
/// `CannotCarry`: the dossier has something that [`expand`] would not give back; `TooLong`.
pub fn encode(dossier: &Dossier) -> Result<Vec<u8>, QrError> {
    let bytes = Form::of(dossier)?.bytes();
    if bytes.len() > limits::QR_BYTES {
        let actual = bytes.len();
        return Err(QrError::TooLong { actual });
    }
    // The members were compared one by one above; this keeps an oversight there from losing any.
    match expand(&bytes) {
        Ok(expanded) if expanded == dossier.bytes() => Ok(bytes),
        _ => Err(QrError::CannotCarry { member: "dossier" }),
    }
}

/// The canonical bytes of the dossier that a QR form stands for, without a newline.
///
/// They say nothing until they are verified, as a file that came as JSON.
///
/// # Errors
/// The first deviation from `spec/qr.md`.
pub fn expand(bytes: &[u8]) -> Result<Vec<u8>, QrError> {
    if bytes.len() > limits::QR_BYTES {
        let actual = bytes.len();
        return Err(QrError::TooLong { actual });
    }
    Form::parse(bytes)?.expand()
}

/// Whether a file begins as a QR form does: a CBOR array. No JSON text begins so.
#[must_use]
pub fn is_form(bytes: &[u8]) -> bool {
    matches!(bytes.first(), Some(0x80..=0x9f))
}

#[cfg(test)]
mod tests;
