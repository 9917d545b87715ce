//! What is wrong with a member, and where it stands.

use crate::wire::binary::BinaryError;
use crate::wire::clip;
use crate::wire::json::JsonError;
use crate::wire::signature::SignatureError;
use crate::wire::time::TimeError;

/// Input that is not what it should be, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{problem}", Prefix(path))]
pub struct Malformed {
    /// Where: member names joined by `.`, array places in brackets; empty for the whole input.
    pub path: String,
    /// What.
    pub problem: Problem,
}

/// `path: `, or nothing for the whole input.
struct Prefix<'a>(&'a str);

impl std::fmt::Display for Prefix<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() {
            Ok(())
        } else {
            write!(f, "{}: ", self.0)
        }
    }
}

/// What is wrong with a member.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The text of binary data is wrong.
    #[error("{0}")]
    Binary(#[from] BinaryError),
    /// The bytes are not canonical JSON.
    #[error("{0}")]
    Json(#[from] JsonError),
    /// The text of a public key is wrong.
    #[error("{0}")]
    Key(#[from] SignatureError),
    /// The member is absent.
    #[error("missing")]
    Missing,
    /// The text of an instant or a date is wrong.
    #[error("{0}")]
    Time(#[from] TimeError),
    /// More than the place allows (bytes of a text, elements of an array).
    #[error("{actual} exceed the limit of {limit}")]
    TooLong {
        /// The limit.
        limit: usize,
        /// How many there are.
        actual: usize,
    },
    /// The format has no such member.
    #[error("unknown member")]
    Unknown,
    /// A value the format does not allow here.
    #[error("{actual:?} is not {expected}")]
    Value {
        /// What is allowed, in words.
        expected: &'static str,
        /// What was found, clipped.
        actual: String,
    },
    /// Another kind of JSON value.
    #[error("{actual} where {expected} is needed")]
    WrongKind {
        /// The kind needed.
        expected: &'static str,
        /// The kind found.
        actual: &'static str,
    },
}

impl Malformed {
    /// `problem` at `path`.
    #[must_use]
    pub fn new(path: impl Into<String>, problem: impl Into<Problem>) -> Self {
        Self {
            path: path.into(),
            problem: problem.into(),
        }
    }

    /// The same, found at a path within what stands at `outer`.
    #[must_use]
    pub(super) fn within(mut self, mut outer: String) -> Self {
        if !self.path.is_empty() && !self.path.starts_with('[') {
            outer.push('.');
        }
        outer.push_str(&self.path);
        self.path = outer;
        self
    }

    /// A value that is not allowed at `path`: `expected` in words, `actual` is clipped.
    #[must_use]
    pub fn value(path: impl Into<String>, expected: &'static str, actual: &str) -> Self {
        Self::new(
            path,
            Problem::Value {
                expected,
                actual: clip(actual),
            },
        )
    }

    /// Stable short code, used in vectors.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match &self.problem {
            Problem::Binary(error) => error.code(),
            Problem::Json(error) => error.code(),
            Problem::Key(error) => error.code(),
            Problem::Missing => "field-missing",
            Problem::Time(error) => error.code(),
            Problem::TooLong { .. } => "field-too-long",
            Problem::Unknown => "field-unknown",
            Problem::Value { .. } => "field-value",
            Problem::WrongKind { .. } => "field-kind",
        }
    }
}

impl From<JsonError> for Malformed {
    fn from(error: JsonError) -> Self {
        Self::new("", error)
    }
}
