//! Binary as text: base64url, standard base64, multibase base58btc. Prose: `spec/binary.md`.
//!
//! Each byte string has exactly one text in each encoding; every other text is refused.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::limits;

mod base58;

/// Why a text is not the encoding of a byte string.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BinaryError {
    /// A character outside the alphabet (RFC 4648 §3.3).
    #[error("character at {offset} is outside the alphabet")]
    Alphabet {
        /// Byte offset in the text.
        offset: usize,
    },
    /// A text length no byte string has.
    #[error("{actual} characters are no whole number of bytes")]
    Length {
        /// Length of the text, bytes.
        actual: usize,
    },
    /// The multibase prefix is not `z` (base58btc).
    #[error("multibase prefix is not z")]
    Multibase,
    /// Padding missing, superfluous or misplaced (RFC 4648 §3.2).
    #[error("padding is wrong")]
    Padding,
    /// More bytes than the place allows.
    #[error("{actual} bytes exceed the limit of {limit}")]
    TooLong {
        /// The limit, bytes.
        limit: usize,
        /// Bytes (or, for multibase, characters) found.
        actual: usize,
    },
    /// The unused bits of the last character are not zero (RFC 4648 §3.5).
    #[error("unused bits of the last character are not zero")]
    TrailingBits,
    /// Not the number of bytes the place needs.
    #[error("{actual} bytes where {expected} are needed")]
    WrongLength {
        /// Bytes needed.
        expected: usize,
        /// Bytes found.
        actual: usize,
    },
}

impl BinaryError {
    /// Stable short code, used in vectors.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Alphabet { .. } => "binary-alphabet",
            Self::Length { .. } => "binary-length",
            Self::Multibase => "binary-multibase",
            Self::Padding => "binary-padding",
            Self::TooLong { .. } => "binary-too-long",
            Self::TrailingBits => "binary-trailing-bits",
            Self::WrongLength { .. } => "binary-wrong-length",
        }
    }
}

/// base64url without padding (RFC 4648 §5).
#[must_use]
pub fn encode_base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Appends what [`encode_base64url`] gives.
pub(super) fn push_base64url(out: &mut Vec<u8>, bytes: &[u8]) {
    let start = out.len();
    let length = base64::encoded_len(bytes.len(), false).expect("the text fits memory");
    out.resize(start.saturating_add(length), 0);
    let place = out.get_mut(start..).unwrap_or_default();
    URL_SAFE_NO_PAD
        .encode_slice(bytes, place)
        .expect("the text is of the length computed");
}

/// Bytes of a base64url text without padding, at most `max_bytes` of them.
///
/// # Errors
/// Too long, outside the alphabet (`=` included), an impossible length, or trailing bits set.
pub fn decode_base64url(text: &str, max_bytes: usize) -> Result<Vec<u8>, BinaryError> {
    decode(&URL_SAFE_NO_PAD, false, text, max_bytes)
}

/// The `N` bytes of a base64url text.
///
/// # Errors
/// As [`decode_base64url`], or another number of bytes.
pub fn decode_base64url_array<const N: usize>(text: &str) -> Result<[u8; N], BinaryError> {
    let mut bytes = [0; N];
    if URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) == Ok(N) {
        return Ok(bytes);
    }
    // Something is wrong; what it is must be named as everywhere.
    exactly(decode_base64url(text, N)?)
}

/// Standard base64 with padding (RFC 4648 §4), as the C2SP texts use it.
#[must_use]
pub fn encode_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Bytes of a standard base64 text with padding, at most [`limits::NOTE_BYTES`] of them: no text
/// that carries standard base64 is longer than a note.
///
/// # Errors
/// Too long, outside the alphabet, padding missing or misplaced, or trailing bits set.
pub fn decode_base64(text: &str) -> Result<Vec<u8>, BinaryError> {
    decode(&STANDARD, true, text, limits::NOTE_BYTES)
}

/// The `N` bytes of a standard base64 text.
///
/// # Errors
/// As [`decode_base64`], or another number of bytes.
pub fn decode_base64_array<const N: usize>(text: &str) -> Result<[u8; N], BinaryError> {
    exactly(decode_base64(text)?)
}

/// Multibase base58btc: `z` and the base58 digits (W3C Controlled Identifiers §2.4).
#[must_use]
pub fn encode_multibase(bytes: &[u8]) -> String {
    let mut text = String::from("z");
    text.reserve(bytes.len().saturating_mul(3) / 2);
    if !base58::encode(bytes, &mut text) {
        text.push_str(&bs58::encode(bytes).into_string());
    }
    text
}

/// Bytes of a multibase base58btc text of at most [`limits::MULTIBASE_CHARS`] characters.
///
/// # Errors
/// Another base, too long, or a character outside the base58btc alphabet.
pub fn decode_multibase(text: &str) -> Result<Vec<u8>, BinaryError> {
    if text.len() > limits::MULTIBASE_CHARS {
        return Err(BinaryError::TooLong {
            limit: limits::MULTIBASE_CHARS,
            actual: text.len(),
        });
    }
    let digits = text.strip_prefix('z').ok_or(BinaryError::Multibase)?;
    bs58::decode(digits)
        .into_vec()
        .map_err(|error| match error {
            bs58::decode::Error::InvalidCharacter { index, .. }
            | bs58::decode::Error::NonAsciiCharacter { index } => BinaryError::Alphabet {
                offset: index.saturating_add(1),
            },
            _ => BinaryError::Length { actual: text.len() },
        })
}

/// The `N` bytes of a multibase base58btc text.
///
/// # Errors
/// As [`decode_multibase`], or another number of bytes.
pub fn decode_multibase_array<const N: usize>(text: &str) -> Result<[u8; N], BinaryError> {
    if text.len() <= limits::MULTIBASE_CHARS
        && let Some(digits) = text.strip_prefix('z')
        && let Some(bytes) = base58::decode(digits.as_bytes())
    {
        return Ok(bytes);
    }
    exactly(decode_multibase(text)?)
}

fn exactly<const N: usize>(bytes: Vec<u8>) -> Result<[u8; N], BinaryError> {
    let actual = bytes.len();
    bytes.try_into().map_err(|_| BinaryError::WrongLength {
        expected: N,
        actual,
    })
}

fn decode(
    engine: &impl base64::Engine,
    padded: bool,
    text: &str,
    max_bytes: usize,
) -> Result<Vec<u8>, BinaryError> {
    // Four characters hold three bytes; padding and a short last group stay within one group.
    let held = text.len().div_ceil(4).saturating_mul(3);
    if held.saturating_sub(2) > max_bytes {
        return Err(BinaryError::TooLong {
            limit: max_bytes,
            actual: held,
        });
    }
    // Decided here and in this order, so that every implementation can name the same error.
    let digits = if padded {
        text.trim_end_matches('=')
    } else {
        text
    };
    let own = if padded { *b"+/" } else { *b"-_" };
    if let Some(offset) = digits
        .bytes()
        .position(|b| !b.is_ascii_alphanumeric() && !own.contains(&b))
    {
        return Err(BinaryError::Alphabet { offset });
    }
    let needed = match digits.len() % 4 {
        0 => 0,
        1 => return Err(BinaryError::Length { actual: text.len() }),
        2 => 2,
        _ => 1,
    };
    if padded && text.len() != digits.len().saturating_add(needed) {
        return Err(BinaryError::Padding);
    }
    let bytes = engine.decode(text).map_err(|_| BinaryError::TrailingBits)?;
    if bytes.len() > max_bytes {
        return Err(BinaryError::TooLong {
            limit: max_bytes,
            actual: bytes.len(),
        });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
