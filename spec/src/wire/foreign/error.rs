//! What can be wrong with other people's JSON.

/// Why bytes are not JSON that everybody reads alike; `offset` counts bytes from 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ForeignError {
    /// An unescaped control character in a text (RFC 8259 §7).
    #[error("unescaped control character at {offset}")]
    Control {
        /// Where it is.
        offset: usize,
    },
    /// More than 32 levels of arrays and objects.
    #[error("nesting too deep at {offset}")]
    Depth {
        /// The bracket over the limit.
        offset: usize,
    },
    /// A member name that the object has already (RFC 7493 §2.3).
    #[error("duplicate member name in the object ending at {offset}")]
    Duplicate {
        /// Where the object ends.
        offset: usize,
    },
    /// The text ends before the value does.
    #[error("unexpected end at {offset}")]
    End {
        /// Length of the input.
        offset: usize,
    },
    /// An escape JSON does not have.
    #[error("invalid escape at {offset}")]
    Escape {
        /// The backslash.
        offset: usize,
    },
    /// An integer, written as one, beyond ±2^53: readers would round it (RFC 7493 §2.2).
    #[error("integer at {offset} loses precision")]
    Precision {
        /// Where the number begins.
        offset: usize,
    },
    /// A number beyond the range of a double.
    #[error("number at {offset} is out of range")]
    Range {
        /// Where the number begins.
        offset: usize,
    },
    /// A surrogate without its other half (RFC 7493 §2.1).
    #[error("lone surrogate at {offset}")]
    Surrogate {
        /// The backslash.
        offset: usize,
    },
    /// More bytes, elements or members than allowed.
    #[error("{actual} exceed the limit of {limit}")]
    TooLong {
        /// The limit.
        limit: usize,
        /// How many there are, as far as counted.
        actual: usize,
    },
    /// Something after the value.
    #[error("trailing data at {offset}")]
    Trailing {
        /// Where it begins.
        offset: usize,
    },
    /// A byte that cannot stand here.
    #[error("unexpected byte at {offset}")]
    Unexpected {
        /// Where it is.
        offset: usize,
    },
    /// Bytes that are not UTF-8.
    #[error("invalid utf-8 at {offset}")]
    Utf8 {
        /// The first invalid byte.
        offset: usize,
    },
}

impl ForeignError {
    /// Stable short code, used in vectors.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Control { .. } => "foreign-control",
            Self::Depth { .. } => "foreign-depth",
            Self::Duplicate { .. } => "foreign-duplicate",
            Self::End { .. } => "foreign-end",
            Self::Escape { .. } => "foreign-escape",
            Self::Precision { .. } => "foreign-precision",
            Self::Range { .. } => "foreign-range",
            Self::Surrogate { .. } => "foreign-surrogate",
            Self::TooLong { .. } => "foreign-too-long",
            Self::Trailing { .. } => "foreign-trailing",
            Self::Unexpected { .. } => "foreign-unexpected",
            Self::Utf8 { .. } => "foreign-utf8",
        }
    }
}
