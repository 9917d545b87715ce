//! Other people's JSON, and its canonical form. Prose: `spec/json.md`.
//!
//! White space, fractions and `null` are welcome here; what two readers could understand
//! differently is not: duplicate names, lone surrogates, integers that a double cannot hold.

use super::{limits, write};

mod error;
mod reader;

pub use error::ForeignError;

/// A value of other people's JSON.
#[derive(Clone, Debug, PartialEq)]
pub enum Foreign {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A finite number.
    Number(f64),
    /// Text, unescaped.
    Text(String),
    /// Elements in order.
    Array(Vec<Foreign>),
    /// Members in the order they came, no name twice.
    Object(Vec<(String, Foreign)>),
}

impl Foreign {
    /// The member `name`, if this is an object that has it.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Foreign> {
        match self {
            Self::Object(members) => members
                .iter()
                .find(|(other, _)| other == name)
                .map(|(_, value)| value),
            _ => None,
        }
    }

    /// The text, if this is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// The value of JSON bytes, at most [`limits::JSON_BYTES`] of them (RFC 8259, I-JSON RFC 7493).
///
/// # Errors
/// Not JSON, or JSON that two readers could understand differently, or over a limit.
pub fn parse_foreign(bytes: &[u8]) -> Result<Foreign, ForeignError> {
    if bytes.len() > limits::JSON_BYTES {
        return Err(ForeignError::TooLong {
            limit: limits::JSON_BYTES,
            actual: bytes.len(),
        });
    }
    reader::read(bytes)
}

/// The bytes of RFC 8785 for `value`.
///
/// # Panics
/// If `value` was not parsed but built by hand with a number that is not finite: our bug.
#[must_use]
pub fn canonicalize(value: &Foreign) -> Vec<u8> {
    let mut out = Vec::new();
    write_canonical(&mut out, value);
    out
}

fn write_canonical(out: &mut Vec<u8>, value: &Foreign) {
    match value {
        Foreign::Null => out.extend_from_slice(b"null"),
        Foreign::Bool(true) => out.extend_from_slice(b"true"),
        Foreign::Bool(false) => out.extend_from_slice(b"false"),
        Foreign::Number(number) => {
            assert!(number.is_finite(), "json has no number {number}");
            // RFC 8785 §3.2.2.3: the text of ECMAScript's Number::toString.
            out.extend_from_slice(ryu_js::Buffer::new().format_finite(*number).as_bytes());
        }
        Foreign::Text(text) => write::string(out, text),
        Foreign::Array(items) => {
            out.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write_canonical(out, item);
            }
            out.push(b']');
        }
        Foreign::Object(members) => {
            // RFC 8785 §3.2.3: by UTF-16 code units, which is not the order of UTF-8 bytes.
            let mut sorted: Vec<&(String, Foreign)> = members.iter().collect();
            sorted.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
            out.push(b'{');
            for (at, (name, value)) in sorted.into_iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write::string(out, name);
                out.push(b':');
                write_canonical(out, value);
            }
            out.push(b'}');
        }
    }
}

#[cfg(test)]
mod tests;
