//! Salted digests: what an event says of words and types that must not be guessed from the log.
//! Prose: `spec/event.md`.

use crate::wire::hash::{Hash, sha256};

/// Which words a salted digest stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Words {
    /// The document an act rests on.
    Basis,
    /// The reason given.
    Reason,
}

/// Digest of `text` (NFC) under a 32-byte salt that the office keeps. Erasing the salt erases the
/// text from the log, because short texts could otherwise be guessed.
#[must_use]
pub fn salted_digest(words: Words, salt: &[u8; 32], text: &str) -> Hash {
    let tag: &[u8] = match words {
        Words::Basis => b"zhao/v1 basis\0",
        Words::Reason => b"zhao/v1 reason\0",
    };
    sha256(&[tag, salt, text.as_bytes()])
}

/// What a log carries instead of the type of a licence whose type is not open.
///
/// The salt stands only in the credential, so whoever lacks it cannot try the few types there are.
#[must_use]
pub fn type_commitment(salt: &[u8; 32], type_code: &str) -> Hash {
    sha256(&[b"zhao/v1 type commitment\0", salt, type_code.as_bytes()])
}
