//! What can be wrong with the bytes of our JSON.

/// The first deviation from canonical form; `offset` counts bytes from 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonError {
    /// More than 65,536 elements in one array.
    #[error("too many elements in the array at {offset}")]
    ArrayTooLong {
        /// Where the element over the limit begins.
        offset: usize,
    },
    /// A control character, unescaped, in a text.
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
    /// A member name that the object has already.
    #[error("duplicate member name at {offset}")]
    Duplicate {
        /// Where the second name begins.
        offset: usize,
    },
    /// The text ends before the value does.
    #[error("unexpected end at {offset}")]
    End {
        /// Length of the input.
        offset: usize,
    },
    /// An escape that is not the one RFC 8785 §3.2.2.2 writes for that character.
    #[error("escape at {offset} is not the canonical one")]
    Escape {
        /// The backslash.
        offset: usize,
    },
    /// A fraction or an exponent.
    #[error("number with fraction or exponent at {offset}")]
    Fraction {
        /// The `.`, `e` or `E`.
        offset: usize,
    },
    /// An integer above 2^53 − 1.
    #[error("integer above 9007199254740991 at {offset}")]
    IntegerTooLarge {
        /// Where the number begins.
        offset: usize,
    },
    /// A number beginning with 0.
    #[error("leading zero at {offset}")]
    LeadingZero {
        /// Where the number begins.
        offset: usize,
    },
    /// A member name that is empty, too long or not printable ASCII without `"` and `\`.
    #[error("member name outside printable ascii, empty or too long at {offset}")]
    Name {
        /// The offending byte of the name.
        offset: usize,
    },
    /// A member name that should stand before its predecessor.
    #[error("member name out of order at {offset}")]
    NameOrder {
        /// Where the name begins.
        offset: usize,
    },
    /// A negative number, `-0` included.
    #[error("negative number at {offset}")]
    Negative {
        /// The sign.
        offset: usize,
    },
    /// `null`: an absent member is left out.
    #[error("null at {offset}")]
    Null {
        /// Where it begins.
        offset: usize,
    },
    /// More than 1,024 members in one object.
    #[error("too many members in the object at {offset}")]
    ObjectTooLarge {
        /// Where the member over the limit begins.
        offset: usize,
    },
    /// A text of more than 65,536 bytes.
    #[error("text too long at {offset}")]
    TextTooLong {
        /// The opening quote.
        offset: usize,
    },
    /// More bytes than this kind of input may have.
    #[error("{actual} bytes exceed the limit of {offset}")]
    TooLong {
        /// The limit.
        offset: usize,
        /// Length of the input.
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
    /// Bytes that are not UTF-8 (an encoded surrogate included).
    #[error("invalid utf-8 at {offset}")]
    Utf8 {
        /// The first invalid byte.
        offset: usize,
    },
    /// White space between tokens.
    #[error("white space at {offset}")]
    Whitespace {
        /// Where it is.
        offset: usize,
    },
}

impl JsonError {
    /// Stable short code, used in vectors.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::ArrayTooLong { .. } => "json-array-too-long",
            Self::Control { .. } => "json-control",
            Self::Depth { .. } => "json-depth",
            Self::Duplicate { .. } => "json-duplicate",
            Self::End { .. } => "json-end",
            Self::Escape { .. } => "json-escape",
            Self::Fraction { .. } => "json-fraction",
            Self::IntegerTooLarge { .. } => "json-integer-too-large",
            Self::LeadingZero { .. } => "json-leading-zero",
            Self::Name { .. } => "json-name",
            Self::NameOrder { .. } => "json-name-order",
            Self::Negative { .. } => "json-negative",
            Self::Null { .. } => "json-null",
            Self::ObjectTooLarge { .. } => "json-object-too-large",
            Self::TextTooLong { .. } => "json-text-too-long",
            Self::TooLong { .. } => "json-too-long",
            Self::Trailing { .. } => "json-trailing",
            Self::Unexpected { .. } => "json-unexpected",
            Self::Utf8 { .. } => "json-utf8",
            Self::Whitespace { .. } => "json-whitespace",
        }
    }

    /// Byte offset of the deviation.
    #[must_use]
    pub fn offset(&self) -> usize {
        match self {
            Self::ArrayTooLong { offset }
            | Self::Control { offset }
            | Self::Depth { offset }
            | Self::Duplicate { offset }
            | Self::End { offset }
            | Self::Escape { offset }
            | Self::Fraction { offset }
            | Self::IntegerTooLarge { offset }
            | Self::LeadingZero { offset }
            | Self::Name { offset }
            | Self::NameOrder { offset }
            | Self::Negative { offset }
            | Self::Null { offset }
            | Self::ObjectTooLarge { offset }
            | Self::TextTooLong { offset }
            | Self::TooLong { offset, .. }
            | Self::Trailing { offset }
            | Self::Unexpected { offset }
            | Self::Utf8 { offset }
            | Self::Whitespace { offset } => *offset,
        }
    }
}
