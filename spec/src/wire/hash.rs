//! SHA-256 and its 32-byte value. Prose: `spec/hash.md`.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::binary::{self, BinaryError};

/// A SHA-256 value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// Length of a hash, bytes.
    pub const BYTES: usize = 32;

    /// base64url without padding, 43 characters: the form in our JSON.
    #[must_use]
    pub fn to_base64url(&self) -> String {
        binary::encode_base64url(&self.0)
    }

    /// From the 43 characters of base64url.
    ///
    /// # Errors
    /// Not base64url without padding, or not 32 bytes.
    pub fn from_base64url(text: &str) -> Result<Self, BinaryError> {
        binary::decode_base64url_array(text).map(Self)
    }

    /// Standard base64 with padding, 44 characters: the form in C2SP texts.
    #[must_use]
    pub fn to_base64(&self) -> String {
        binary::encode_base64(&self.0)
    }

    /// From the 44 characters of standard base64.
    ///
    /// # Errors
    /// Not standard base64 with padding, or not 32 bytes.
    pub fn from_base64(text: &str) -> Result<Self, BinaryError> {
        binary::decode_base64_array(text).map(Self)
    }

    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl AsRef<[u8]> for Hash {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_base64url())
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.to_base64url();
        write!(f, "Hash({}…)", text.get(..8).unwrap_or(&text))
    }
}

/// SHA-256 of the parts laid end to end, without separators: the caller makes them unambiguous.
#[must_use]
pub fn sha256(parts: &[&[u8]]) -> Hash {
    let mut state = Sha256::new();
    for part in parts {
        state.update(part);
    }
    Hash(state.finalize().into())
}

#[cfg(test)]
mod tests;
