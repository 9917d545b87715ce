//! One JSON value as one type; `path` says where it stands.

use super::{Malformed, Problem};
use crate::wire::binary;
use crate::wire::hash::Hash;
use crate::wire::json::Value;
use crate::wire::signature::{PublicKey, Signature};
use crate::wire::time::{Date, UnixMillis};

pub(super) fn wrong_kind(value: &Value, expected: &'static str, path: &str) -> Malformed {
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
