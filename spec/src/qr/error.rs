//! Why a QR form or a printed code was refused.

use thiserror::Error;

use crate::wire::cbor::CborError;

/// Why a QR form or a printed code was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum QrError {
    /// A character outside the alphabet of base45 (RFC 9285 §4.2).
    #[error("character at {offset} is outside the alphabet of base45")]
    Base45Character {
        /// Byte offset in the text after its header.
        offset: usize,
    },
    /// One character more than a multiple of three (RFC 9285 §4).
    #[error("{actual} characters are no whole number of bytes")]
    Base45Length {
        /// Characters found.
        actual: usize,
    },
    /// A group above what its bytes can hold (RFC 9285 §4).
    #[error("base45 group at {offset} is too large")]
    Base45Value {
        /// Byte offset in the text after its header.
        offset: usize,
    },
    /// The dossier has something this form does not give back.
    #[error("the form cannot carry {member}")]
    CannotCarry {
        /// The member.
        member: &'static str,
    },
    /// The input ends inside an item.
    #[error("input ends inside the item at {offset}")]
    CborEnd {
        /// Where the item begins.
        offset: usize,
    },
    /// Not the deterministic form (RFC 8949 §4.2.1).
    #[error("item at {offset} is not in deterministic form")]
    CborForm {
        /// Where the item begins.
        offset: usize,
    },
    /// Something after the array.
    #[error("{actual} bytes follow the form")]
    CborTrailing {
        /// Bytes after it.
        actual: usize,
    },
    /// More characters than a code can have.
    #[error("code of {actual} characters is longer than 4296")]
    CodeTooLong {
        /// Characters found.
        actual: usize,
    },
    /// Another dictionary than the one known here.
    #[error("dictionary {actual} is not known, only 1")]
    Dictionary {
        /// Its number.
        actual: u64,
    },
    /// Not a deflated stream (RFC 1951).
    #[error("texts are not a deflated stream that ends where it should")]
    Inflate,
    /// The parts together do not have the name of their set.
    #[error("parts do not give the content their name stands for")]
    PartContent,
    /// Two parts of one number that differ.
    #[error("two parts have the number {number}")]
    PartConflict {
        /// The number.
        number: usize,
    },
    /// Parts of one set that disagree on how many there are.
    #[error("a part says {actual} parts, the first says {expected}")]
    PartCount {
        /// What the first part says.
        expected: usize,
        /// What this one says.
        actual: usize,
    },
    /// Not `ZHAO1/name/number/count:`.
    #[error("header of a part is malformed")]
    PartHeader,
    /// A part is not there.
    #[error("part {number} of {count} is missing")]
    PartMissing {
        /// The first number that is not there.
        number: usize,
        /// How many there are.
        count: usize,
    },
    /// A whole code among several.
    #[error("a whole code stands among several")]
    PartMixed,
    /// A count or a number that no set has.
    #[error("no part has the number {number} of {count}")]
    PartNumber {
        /// The number.
        number: usize,
        /// The count.
        count: usize,
    },
    /// A part of another set.
    #[error("part belongs to the set {actual}, the first to {expected}")]
    PartSet {
        /// Name of the first part's set.
        expected: String,
        /// Name of this part's set.
        actual: String,
    },
    /// The text is not one of ours.
    #[error("code does not begin with ZHAO1: or ZHAO1/")]
    Prefix,
    /// Another kind or length of item than the place has.
    #[error("{item} is of another kind or length")]
    Shape {
        /// What should stand there.
        item: &'static str,
    },
    /// A text without its end, or too few of them.
    #[error("texts are not those of the form")]
    Texts,
    /// The texts inflate to more than they may.
    #[error("texts inflate to more than 262144 bytes")]
    TextsTooLong,
    /// The form is too long.
    #[error("form of {actual} bytes is longer than 65536")]
    TooLong {
        /// Bytes found.
        actual: usize,
    },
    /// A text that is not UTF-8.
    #[error("a text is not UTF-8")]
    Utf8,
    /// A value that is not allowed there, or said in another way.
    #[error("{item} has a value that is not allowed there")]
    Value {
        /// What should stand there.
        item: &'static str,
    },
    /// Another version of the form.
    #[error("version {actual} of the form is not known, only 1")]
    Version {
        /// Its number.
        actual: u64,
    },
}

impl QrError {
    /// Stable short code, used in vectors.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Base45Character { .. } => "qr-base45-character",
            Self::Base45Length { .. } => "qr-base45-length",
            Self::Base45Value { .. } => "qr-base45-value",
            Self::CannotCarry { .. } => "qr-cannot-carry",
            Self::CborEnd { .. } => "qr-cbor-end",
            Self::CborForm { .. } => "qr-cbor-form",
            Self::CborTrailing { .. } => "qr-cbor-trailing",
            Self::CodeTooLong { .. } => "qr-code-too-long",
            Self::Dictionary { .. } => "qr-dictionary",
            Self::Inflate => "qr-inflate",
            Self::PartContent => "qr-part-content",
            Self::PartConflict { .. } => "qr-part-conflict",
            Self::PartCount { .. } => "qr-part-count",
            Self::PartHeader => "qr-part-header",
            Self::PartMissing { .. } => "qr-part-missing",
            Self::PartMixed => "qr-part-mixed",
            Self::PartNumber { .. } => "qr-part-number",
            Self::PartSet { .. } => "qr-part-set",
            Self::Prefix => "qr-prefix",
            Self::Shape { .. } => "qr-shape",
            Self::Texts => "qr-texts",
            Self::TextsTooLong => "qr-texts-too-long",
            Self::TooLong { .. } => "qr-too-long",
            Self::Utf8 => "qr-utf8",
            Self::Value { .. } => "qr-value",
            Self::Version { .. } => "qr-version",
        }
    }
}

impl From<CborError> for QrError {
    fn from(error: CborError) -> Self {
        match error {
            CborError::End { offset } => Self::CborEnd { offset },
            CborError::Form { offset } => Self::CborForm { offset },
            CborError::Shape { item } => Self::Shape { item },
            CborError::Trailing { actual } => Self::CborTrailing { actual },
            CborError::Value { item } => Self::Value { item },
        }
    }
}
