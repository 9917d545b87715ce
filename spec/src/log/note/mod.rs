//! Signed notes (c2sp.org/signed-note): a text, and who signed it.
//!
//! A note is a UTF-8 text ending in a newline, an empty line, and signature lines
//! `— <name> <base64>`; the base64 is a four-byte key id and the signature. The text may contain
//! empty lines itself: the signatures begin after the last one. Signatures by keys one does not
//! know are kept and ignored; one by a key one knows must verify, or the note is refused.
//! Prose: `spec/note.md`.

mod key;

#[cfg(test)]
mod tests;

use thiserror::Error;

use crate::wire::binary::{decode_base64, encode_base64};
use crate::wire::signature::Signature;
use crate::wire::{clip, limits};

pub(in crate::log) use key::id_from_hex;
pub use key::{KeyId, KeyKind, NAME_LIMIT, NoteSigner, Vkey, VkeyError, check_name, key_id};

/// Signatures a note may carry; C2SP asks for at least 16.
pub const SIGNATURE_LIMIT: usize = limits::NOTE_SIGNATURES;

/// Bytes a note may have: 16 ML-DSA-44 cosignatures of 3.3 kB in base64 fit, and a text.
pub const NOTE_LIMIT: usize = limits::NOTE_BYTES;

/// Em dash and space: how a signature line begins.
const PREFIX: &str = "\u{2014} ";

/// Why a note was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NoteError {
    /// A signature by a known key does not verify.
    #[error("signature by {name:?} does not verify")]
    BadSignature {
        /// Name of the key.
        name: String,
    },
    /// A control character other than a newline.
    #[error("note contains the control character {character:?}")]
    ControlCharacter {
        /// The character.
        character: char,
    },
    /// The key cannot sign or verify this kind of note.
    #[error("key {name:?} is of type {kind}, expected {expected}")]
    KeyType {
        /// Name of the key.
        name: String,
        /// Type it has.
        kind: KeyKind,
        /// Type needed here.
        expected: KeyKind,
    },
    /// A signature line is not `— <name> <base64>`.
    #[error("signature line {line} is malformed")]
    MalformedSignature {
        /// Which signature line, from 1.
        line: usize,
    },
    /// No signature lines after the last empty line, or the last of them is not ended.
    #[error("note has no signatures")]
    NoSignatures,
    /// No signature is by the key asked for.
    #[error("note is not signed by {name:?}")]
    NotSigned {
        /// Name of the key.
        name: String,
    },
    /// The note is too long.
    #[error("note of {length} bytes is longer than 65536")]
    SizeLimit {
        /// Bytes of the note.
        length: usize,
    },
    /// The note has too many signatures.
    #[error("note has more than 64 signatures")]
    SignatureLimit,
    /// The text is empty or does not end in a newline.
    #[error("note text does not end in a newline")]
    TextNotEnded,
}

impl NoteError {
    /// The stable code used in vectors and reports.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::BadSignature { .. } => "bad_signature",
            Self::ControlCharacter { .. } => "control_character",
            Self::KeyType { .. } => "key_type",
            Self::MalformedSignature { .. } => "malformed_signature",
            Self::NoSignatures => "no_signatures",
            Self::NotSigned { .. } => "not_signed",
            Self::SizeLimit { .. } => "size_limit",
            Self::SignatureLimit => "signature_limit",
            Self::TextNotEnded => "text_not_ended",
        }
    }
}

/// One signature line, not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    /// Name of the key.
    pub name: String,
    /// Key id: with the name it says which key, and of which type.
    pub key_id: KeyId,
    /// What follows the key id; its form depends on the key's type. Never empty.
    pub blob: Vec<u8>,
}

impl NoteSignature {
    /// The line as it stands in a note, with its newline.
    #[must_use]
    pub fn line(&self) -> String {
        let mut bytes = self.key_id.0.to_vec();
        bytes.extend_from_slice(&self.blob);
        format!("{PREFIX}{} {}\n", self.name, encode_base64(&bytes))
    }

    /// Reads a signature line without its newline, as witnesses return them.
    ///
    /// # Errors
    /// `MalformedSignature`, which counts the line as the first.
    pub fn parse(line: &str) -> Result<Self, NoteError> {
        Self::parse_numbered(line, 1)
    }

    fn parse_numbered(line: &str, number: usize) -> Result<Self, NoteError> {
        let malformed = || NoteError::MalformedSignature { line: number };
        let rest = line.strip_prefix(PREFIX).ok_or_else(malformed)?;
        let (name, base64) = rest.split_once(' ').ok_or_else(malformed)?;
        check_name(name).map_err(|_| malformed())?;
        let bytes = decode_base64(base64).map_err(|_| malformed())?;
        let (id, blob) = bytes.split_first_chunk::<4>().ok_or_else(malformed)?;
        if blob.is_empty() {
            return Err(malformed());
        }
        Ok(Self {
            name: name.to_owned(),
            key_id: KeyId(*id),
            blob: blob.to_vec(),
        })
    }

    /// Whether the line claims to be by this key.
    #[must_use]
    pub fn is_by(&self, key: &Vkey) -> bool {
        self.name == key.name() && self.key_id == key.id()
    }
}

/// A note in its parts, not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedNote {
    text: String,
    signatures: Vec<NoteSignature>,
}

impl SignedNote {
    /// A note without signatures yet, to be signed.
    ///
    /// # Errors
    /// `TextNotEnded`, `ControlCharacter`, `SizeLimit`.
    pub fn new(text: &str) -> Result<Self, NoteError> {
        check_characters(text)?;
        if !text.ends_with('\n') {
            return Err(NoteError::TextNotEnded);
        }
        Ok(Self {
            text: text.to_owned(),
            signatures: Vec::new(),
        })
    }

    /// Splits a note. Nothing is verified.
    ///
    /// # Errors
    /// `SizeLimit`, `ControlCharacter`, `NoSignatures`, `SignatureLimit`, `MalformedSignature`.
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        check_characters(note)?;
        // The last empty line, whatever follows it: a note ending in one has no signatures.
        let (text, lines) = note.rsplit_once("\n\n").ok_or(NoteError::NoSignatures)?;
        let lines = lines.strip_suffix('\n').ok_or(NoteError::NoSignatures)?;
        if lines.split('\n').count() > SIGNATURE_LIMIT {
            return Err(NoteError::SignatureLimit);
        }
        let signatures = lines
            .split('\n')
            .zip(1..)
            .map(|(line, number)| NoteSignature::parse_numbered(line, number))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            text: format!("{text}\n"),
            signatures,
        })
    }

    /// The note as text: what [`SignedNote::parse`] reads, byte for byte.
    pub fn format(&self) -> String {
        let lines: String = self.signatures.iter().map(NoteSignature::line).collect();
        format!("{}\n{lines}", self.text)
    }

    /// The signed text, with its last newline.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines, in order, duplicates included.
    #[must_use]
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Adds a signature line. The same line twice is kept once.
    ///
    /// # Errors
    /// `SignatureLimit`.
    pub fn add(&mut self, signature: NoteSignature) -> Result<(), NoteError> {
        if self.signatures.contains(&signature) {
            return Ok(());
        }
        if self.signatures.len() >= SIGNATURE_LIMIT {
            return Err(NoteError::SignatureLimit);
        }
        self.signatures.push(signature);
        Ok(())
    }

    /// Signs the text with an Ed25519 note key and adds the line.
    ///
    /// # Errors
    /// `SignatureLimit`.
    pub fn sign(&mut self, signer: &NoteSigner) -> Result<(), NoteError> {
        self.add(signer.sign(&self.text))
    }

    /// The signatures that claim to be by `key`.
    pub fn by<'a>(&'a self, key: &'a Vkey) -> impl Iterator<Item = &'a NoteSignature> {
        self.signatures
            .iter()
            .filter(|signature| signature.is_by(key))
    }

    /// Verifies the signatures by an Ed25519 note key (type 0x01): at least one, and every one,
    /// for a note may repeat a signature but not carry a false one.
    ///
    /// # Errors
    /// `KeyType`, `NotSigned`, `BadSignature`.
    pub fn verify(&self, key: &Vkey) -> Result<(), NoteError> {
        let public = key.expect(KeyKind::Ed25519)?;
        let name = || clip(key.name());
        let mut signed = false;
        for signature in self.by(key) {
            let bad = || NoteError::BadSignature { name: name() };
            let parsed = signature_from(&signature.blob).ok_or_else(bad)?;
            public
                .verify(self.text.as_bytes(), &parsed)
                .map_err(|_| bad())?;
            signed = true;
        }
        if signed {
            Ok(())
        } else {
            Err(NoteError::NotSigned { name: name() })
        }
    }
}

/// An Ed25519 signature is exactly 64 bytes.
pub(super) fn signature_from(blob: &[u8]) -> Option<Signature> {
    <[u8; 64]>::try_from(blob).ok().map(Signature)
}

/// Length first, then the characters a note must not contain (signed-note, "Format").
fn check_characters(text: &str) -> Result<(), NoteError> {
    if text.len() > NOTE_LIMIT {
        return Err(NoteError::SizeLimit { length: text.len() });
    }
    match text.chars().find(|c| *c < ' ' && *c != '\n') {
        Some(character) => Err(NoteError::ControlCharacter { character }),
        None => Ok(()),
    }
}
