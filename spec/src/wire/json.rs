//! Our JSON: the reader that accepts canonical bytes only. Prose: `spec/json.md`.
//!
//! [`parse`] accepts exactly the texts that [`encode`] writes: RFC 8785 form, restricted to text,
//! booleans, arrays, objects and integers from 0 to 2^53 − 1, with printable ASCII member names.
//! So equal values are equal bytes, and a hash of the bytes is a hash of the value.

use super::{limits, write};

mod error;
mod place;
mod reader;

pub use error::JsonError;
pub use place::{Place, place};

/// A value of our JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `true` or `false`.
    Bool(bool),
    /// 0 to 2^53 − 1.
    Int(u64),
    /// Text, unescaped.
    Text(String),
    /// Elements in order.
    Array(Vec<Value>),
    /// Members, names strictly ascending.
    Object(Vec<(String, Value)>),
}

impl Value {
    /// What kind of value this is, for error texts.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Bool(_) => "boolean",
            Self::Int(_) => "integer",
            Self::Text(_) => "text",
            Self::Array(_) => "array",
            Self::Object(_) => "object",
        }
    }

    /// The member `name`, if this is an object that has it.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Value> {
        match self {
            Self::Object(members) => members
                .binary_search_by(|(other, _)| other.as_str().cmp(name))
                .ok()
                .and_then(|at| members.get(at))
                .map(|(_, value)| value),
            _ => None,
        }
    }
}

/// The value of canonical bytes, at most [`limits::JSON_BYTES`] of them.
///
/// # Errors
/// The first deviation from canonical form, with its byte offset.
pub fn parse(bytes: &[u8]) -> Result<Value, JsonError> {
    parse_within(bytes, limits::JSON_BYTES)
}

/// As [`parse`], with the byte limit of a narrower or wider kind of input.
///
/// # Errors
/// As [`parse`].
pub fn parse_within(bytes: &[u8], max_bytes: usize) -> Result<Value, JsonError> {
    if bytes.len() > max_bytes {
        return Err(JsonError::TooLong {
            offset: max_bytes,
            actual: bytes.len(),
        });
    }
    reader::read(bytes)
}

/// As [`parse`], for a file: one `\n` at the very end is allowed, as editors and `git` like it.
///
/// # Errors
/// As [`parse`]; a second newline is trailing data.
pub fn parse_file(bytes: &[u8]) -> Result<Value, JsonError> {
    parse(without_newline(bytes))
}

/// As [`parse_file`], with the byte limit of a narrower or wider kind of input.
///
/// # Errors
/// As [`parse`].
pub fn parse_file_within(bytes: &[u8], max_bytes: usize) -> Result<Value, JsonError> {
    parse_within(without_newline(bytes), max_bytes)
}

/// `bytes` without the one `\n` a file may end in.
#[must_use]
pub fn without_newline(bytes: &[u8]) -> &[u8] {
    bytes.strip_suffix(b"\n").unwrap_or(bytes)
}

/// The canonical bytes of `value`.
///
/// # Panics
/// If `value` was not parsed but built by hand with names out of order, names outside printable
/// ASCII, or an integer above 2^53 − 1: that is our bug, and must not be signed.
#[must_use]
pub fn encode(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    write::value(&mut out, value);
    out
}

/// Whether `name` can be a member name: 1 to 128 of `!` to `~` except `"` and `\`.
#[must_use]
pub fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= limits::NAME_BYTES && name.bytes().all(is_name_byte)
}

fn is_name_byte(byte: u8) -> bool {
    matches!(byte, 0x21..=0x7e) && byte != b'"' && byte != b'\\'
}

#[cfg(test)]
mod tests;
