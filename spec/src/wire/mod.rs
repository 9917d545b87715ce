//! The bytes under every other format: strict JSON, binary text, hashes, signatures, time, limits.
//!
//! In scope: reading and writing our canonical JSON ([`json`], [`fields`], [`mod@write`]), reading
//! other people's JSON ([`foreign`]), binary as text ([`binary`]), CBOR ([`cbor`]), SHA-256
//! ([`hash`]), Ed25519 with one meaning everywhere ([`signature`]), instants and dates ([`time`])
//! and every maximum ([`limits`]). Out of scope: what any member means (the sibling modules).
//!
//! Prose: `spec/json.md`, `binary.md`, `hash.md`, `signature.md`, `time.md`, `limits.md`.
#![cfg_attr(
    not(test),
    deny(
        clippy::as_conversions,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

pub mod binary;
pub mod cbor;
pub mod fields;
pub mod foreign;
pub mod hash;
pub mod json;
pub mod limits;
pub mod signature;
pub mod time;
pub mod write;

#[cfg(test)]
pub(crate) mod vectors;

pub use fields::{Fields, Malformed, Problem};
pub use hash::{Hash, sha256};
pub use json::{JsonError, Value};
pub use signature::{
    Algorithm, Keys, PublicKey, SecretKey, Signature, SignatureError, Signer, SignerError,
};
pub use time::{Date, TimeError, UnixMillis};

/// `text` cut to at most 64 bytes at a character boundary, for error texts.
///
/// Whoever sends us input must not be able to fill a log line or a screen with it. Control
/// characters become `?`, so that a message cannot move a terminal's cursor.
#[must_use]
pub fn clip(text: &str) -> String {
    if text.len() <= limits::CLIP_BYTES && !text.contains(char::is_control) {
        return text.to_owned();
    }
    let mut clipped = String::with_capacity(text.len().min(limits::CLIP_BYTES));
    for c in text.chars() {
        if clipped.len().saturating_add(c.len_utf8()) > limits::CLIP_BYTES {
            break;
        }
        clipped.push(if c.is_control() { '?' } else { c });
    }
    clipped
}
