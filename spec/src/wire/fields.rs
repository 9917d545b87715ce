//! Typed decoding of our JSON: every member is asked for once, and none may be left over.
//!
//! ```
//! use zhao_spec::wire::{Fields, json};
//! let value = json::parse(br#"{"name":"a","size":3}"#).unwrap();
//! let mut fields = Fields::new(&value, "").unwrap();
//! assert_eq!(fields.text("name").unwrap(), "a");
//! assert_eq!(fields.int("size").unwrap(), 3);
//! fields.finish().unwrap();
//! ```

use super::binary::{self, BinaryError};
use super::clip;
use super::hash::Hash;
use super::json::{JsonError, Value};
use super::signature::{PublicKey, Signature, SignatureError};
use super::time::{Date, TimeError, UnixMillis};

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

/// The members of one object, and which of them have been asked for.
#[derive(Debug)]
pub struct Fields<'a> {
    members: &'a [(String, Value)],
    asked: Vec<bool>,
    path: String,
}

impl<'a> Fields<'a> {
    /// The members of `value`; `path` says where it stands, empty for the whole input.
    ///
    /// # Errors
    /// Not an object.
    pub fn new(value: &'a Value, path: impl Into<String>) -> Result<Self, Malformed> {
        let path = path.into();
        match value {
            Value::Object(members) => Ok(Self {
                members,
                asked: vec![false; members.len()],
                path,
            }),
            other => Err(wrong_kind(other, "object", &path)),
        }
    }

    /// Where this object stands.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Where the member `name` stands.
    #[must_use]
    pub fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() {
            clip(name)
        } else {
            format!("{}.{}", self.path, clip(name))
        }
    }

    /// Whether the member is there, without asking for it.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.members.iter().any(|(other, _)| other == name)
    }

    /// Any member.
    ///
    /// # Errors
    /// Missing.
    pub fn value(&mut self, name: &str) -> Result<&'a Value, Malformed> {
        self.optional_value(name)
            .ok_or_else(|| Malformed::new(self.path_of(name), Problem::Missing))
    }

    /// Any member, if it is there.
    pub fn optional_value(&mut self, name: &str) -> Option<&'a Value> {
        let at = self
            .members
            .binary_search_by(|(other, _)| other.as_str().cmp(name))
            .ok()?;
        if let Some(asked) = self.asked.get_mut(at) {
            *asked = true;
        }
        self.members.get(at).map(|(_, value)| value)
    }

    /// Refuses members nobody asked for.
    ///
    /// # Errors
    /// The first unknown member.
    pub fn finish(self) -> Result<(), Malformed> {
        let left = self
            .members
            .iter()
            .zip(&self.asked)
            .find(|(_, asked)| !**asked);
        match left {
            None => Ok(()),
            Some(((name, _), _)) => Err(Malformed::new(self.path_of(name), Problem::Unknown)),
        }
    }

    /// An object member.
    ///
    /// # Errors
    /// Missing, or another kind.
    pub fn object(&mut self, name: &str) -> Result<Fields<'a>, Malformed> {
        let path = self.path_of(name);
        Fields::new(self.value(name)?, path)
    }

    /// An object member, if it is there.
    ///
    /// # Errors
    /// Another kind.
    pub fn optional_object(&mut self, name: &str) -> Result<Option<Fields<'a>>, Malformed> {
        let path = self.path_of(name);
        self.optional_value(name)
            .map(|value| Fields::new(value, path))
            .transpose()
    }

    /// An array member of objects, at most `max` of them.
    ///
    /// # Errors
    /// Missing, another kind, too long, or an element of another kind.
    pub fn objects(&mut self, name: &str, max: usize) -> Result<Vec<Fields<'a>>, Malformed> {
        self.items(name, max, |value, path| Fields::new(value, path))
    }

    /// An array member, at most `max` elements, each read by `read` (value, path).
    ///
    /// # Errors
    /// Missing, another kind, too long, or what `read` finds.
    pub fn items<T>(
        &mut self,
        name: &str,
        max: usize,
        read: impl Fn(&'a Value, &str) -> Result<T, Malformed>,
    ) -> Result<Vec<T>, Malformed> {
        let items = self.array(name)?;
        let path = self.path_of(name);
        if items.len() > max {
            let problem = Problem::TooLong {
                limit: max,
                actual: items.len(),
            };
            return Err(Malformed::new(path, problem));
        }
        items
            .iter()
            .enumerate()
            .map(|(at, value)| read(value, &format!("{path}[{at}]")))
            .collect()
    }

    /// A text member of at most `max` bytes.
    ///
    /// # Errors
    /// Missing, another kind, too long.
    pub fn text_within(&mut self, name: &str, max: usize) -> Result<&'a str, Malformed> {
        let text = self.text(name)?;
        if text.len() > max {
            let problem = Problem::TooLong {
                limit: max,
                actual: text.len(),
            };
            return Err(Malformed::new(self.path_of(name), problem));
        }
        Ok(text)
    }

    /// Requires the text member `name` to be exactly `expected`.
    ///
    /// # Errors
    /// Missing, another kind, another text.
    pub fn literal(&mut self, name: &str, expected: &'static str) -> Result<(), Malformed> {
        let actual = self.text(name)?;
        if actual != expected {
            return Err(Malformed::value(self.path_of(name), expected, actual));
        }
        Ok(())
    }

    /// Bytes of a base64url member, at most `max` of them.
    ///
    /// # Errors
    /// Missing, another kind, not base64url, too long.
    pub fn bytes(&mut self, name: &str, max: usize) -> Result<Vec<u8>, Malformed> {
        let path = self.path_of(name);
        bytes_of(self.value(name)?, &path, max)
    }

    /// Bytes of a base64url member, if it is there.
    ///
    /// # Errors
    /// Another kind, not base64url, too long.
    pub fn optional_bytes(&mut self, name: &str, max: usize) -> Result<Option<Vec<u8>>, Malformed> {
        let path = self.path_of(name);
        self.optional_value(name)
            .map(|value| bytes_of(value, &path, max))
            .transpose()
    }
}

/// The member of one kind, required and optional.
macro_rules! member {
    ($name:ident, $optional:ident, $of:ident, $type:ty, $what:literal, $errors:literal) => {
        #[doc = concat!($what, " member.")]
        ///
        /// # Errors
        #[doc = concat!("Missing, ", $errors)]
        pub fn $name(&mut self, name: &str) -> Result<$type, Malformed> {
            let path = self.path_of(name);
            $of(self.value(name)?, &path)
        }

        #[doc = concat!($what, " member, if it is there.")]
        ///
        /// # Errors
        #[doc = concat!("If it is there: ", $errors)]
        pub fn $optional(&mut self, name: &str) -> Result<Option<$type>, Malformed> {
            let path = self.path_of(name);
            self.optional_value(name)
                .map(|value| $of(value, &path))
                .transpose()
        }
    };
}

impl<'a> Fields<'a> {
    member!(
        text,
        optional_text,
        text_of,
        &'a str,
        "A text",
        "another kind."
    );
    member!(
        int,
        optional_int,
        int_of,
        u64,
        "An integer",
        "another kind."
    );
    member!(
        bool,
        optional_bool,
        bool_of,
        bool,
        "A boolean",
        "another kind."
    );
    member!(
        array,
        optional_array,
        array_of,
        &'a [Value],
        "An array",
        "another kind."
    );
    member!(
        hash,
        optional_hash,
        hash_of,
        Hash,
        "A hash",
        "another kind, not base64url of 32 bytes."
    );
    member!(
        time,
        optional_time,
        time_of,
        UnixMillis,
        "An instant",
        "another kind, no instant."
    );
    member!(
        date,
        optional_date,
        date_of,
        Date,
        "A date",
        "another kind, no date."
    );
    member!(
        key,
        optional_key,
        key_of,
        PublicKey,
        "A public key",
        "another kind, no strict key."
    );
    member!(
        signature,
        optional_signature,
        signature_of,
        Signature,
        "A signature",
        "another kind, not base64url of 64 bytes."
    );
}

fn wrong_kind(value: &Value, expected: &'static str, path: &str) -> Malformed {
    Malformed::new(
        path,
        Problem::WrongKind {
            expected,
            actual: value.kind(),
        },
    )
}

/// The text of a value standing at `path`.
///
/// # Errors
/// Another kind.
pub fn text_of<'a>(value: &'a Value, path: &str) -> Result<&'a str, Malformed> {
    match value {
        Value::Text(text) => Ok(text),
        other => Err(wrong_kind(other, "text", path)),
    }
}

/// The integer of a value standing at `path`.
///
/// # Errors
/// Another kind.
pub fn int_of(value: &Value, path: &str) -> Result<u64, Malformed> {
    match value {
        Value::Int(n) => Ok(*n),
        other => Err(wrong_kind(other, "integer", path)),
    }
}

/// The boolean of a value standing at `path`.
///
/// # Errors
/// Another kind.
pub fn bool_of(value: &Value, path: &str) -> Result<bool, Malformed> {
    match value {
        Value::Bool(b) => Ok(*b),
        other => Err(wrong_kind(other, "boolean", path)),
    }
}

/// The elements of a value standing at `path`.
///
/// # Errors
/// Another kind.
pub fn array_of<'a>(value: &'a Value, path: &str) -> Result<&'a [Value], Malformed> {
    match value {
        Value::Array(items) => Ok(items),
        other => Err(wrong_kind(other, "array", path)),
    }
}

/// The bytes of a base64url text standing at `path`, at most `max` of them.
///
/// # Errors
/// Another kind, not base64url, too long.
pub fn bytes_of(value: &Value, path: &str, max: usize) -> Result<Vec<u8>, Malformed> {
    binary::decode_base64url(text_of(value, path)?, max).map_err(|e| Malformed::new(path, e))
}

/// The hash of a base64url text standing at `path`.
///
/// # Errors
/// Another kind, not base64url of 32 bytes.
pub fn hash_of(value: &Value, path: &str) -> Result<Hash, Malformed> {
    Hash::from_base64url(text_of(value, path)?).map_err(|e| Malformed::new(path, e))
}

/// The instant of a text standing at `path`.
///
/// # Errors
/// Another kind, no instant.
pub fn time_of(value: &Value, path: &str) -> Result<UnixMillis, Malformed> {
    UnixMillis::parse(text_of(value, path)?).map_err(|e| Malformed::new(path, e))
}

/// The date of a text standing at `path`.
///
/// # Errors
/// Another kind, no date.
pub fn date_of(value: &Value, path: &str) -> Result<Date, Malformed> {
    Date::parse(text_of(value, path)?).map_err(|e| Malformed::new(path, e))
}

/// The public key of a multibase text standing at `path`.
///
/// # Errors
/// Another kind, no strict key.
pub fn key_of(value: &Value, path: &str) -> Result<PublicKey, Malformed> {
    PublicKey::from_multibase(text_of(value, path)?).map_err(|e| Malformed::new(path, e))
}

/// The signature of a base64url text standing at `path`.
///
/// # Errors
/// Another kind, not base64url of 64 bytes.
pub fn signature_of(value: &Value, path: &str) -> Result<Signature, Malformed> {
    Signature::from_base64url(text_of(value, path)?).map_err(|e| Malformed::new(path, e))
}

#[cfg(test)]
mod tests;
