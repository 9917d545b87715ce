//! One disclosure: salt, name and value of a member, or salt and value of an element.

use zhao_spec::wire::binary::{decode_base64url, encode_base64url};
use zhao_spec::wire::foreign::{Foreign, canonicalize, parse_foreign};
use zhao_spec::wire::hash::sha256;

use super::{DISCLOSURE_BYTES, SdJwtError};

/// A disclosure (RFC 9901 §4.2), with the text that its digest is of.
#[derive(Clone, PartialEq)]
pub struct Disclosure {
    text: String,
    name: Option<String>,
    value: Foreign,
}

impl Eq for Disclosure {}

// What a holder may hold back stays out of logs and panic messages.
impl std::fmt::Debug for Disclosure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Disclosure").finish_non_exhaustive()
    }
}

impl Disclosure {
    /// A disclosure of `value`, of the member `name` or of an element.
    pub(super) fn make(
        name: Option<&str>,
        value: Foreign,
        salt: [u8; 16],
    ) -> Result<Self, SdJwtError> {
        let mut parts = vec![Foreign::Text(encode_base64url(&salt))];
        parts.extend(name.map(|name| Foreign::Text(name.to_owned())));
        parts.push(value);
        let json = canonicalize(&Foreign::Array(parts));
        if json.len() > DISCLOSURE_BYTES {
            return Err(too_long(json.len()));
        }
        Self::parse(&encode_base64url(&json))
    }

    /// Reads the text of a disclosure.
    pub(super) fn parse(text: &str) -> Result<Self, SdJwtError> {
        let malformed = |detail| SdJwtError::Disclosure { detail };
        if text.is_empty() {
            return Err(malformed("is empty"));
        }
        if text.len() / 4 > DISCLOSURE_BYTES / 3 {
            return Err(too_long(text.len()));
        }
        let json = decode_base64url(text, DISCLOSURE_BYTES)?;
        let Foreign::Array(parts) = parse_foreign(&json)? else {
            return Err(malformed("is not an array"));
        };
        let mut parts = parts.into_iter();
        let (salt, second, third) = match (parts.next(), parts.next(), parts.next(), parts.next())
        {
            (Some(salt), Some(second), third, None) => (salt, second, third),
            _ => return Err(malformed("is not an array of two or three")),
        };
        if salt.as_text().is_none() {
            return Err(malformed("has a salt that is not a text"));
        }
        let (name, value) = match (second, third) {
            (value, None) => (None, value),
            (Foreign::Text(name), Some(value)) => (Some(name), value),
            _ => return Err(malformed("has a name that is not a text")),
        };
        Ok(Self {
            text: text.to_owned(),
            name,
            value,
        })
    }

    /// The text, base64url, as it stands between two `~`.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The member's name; none of an element.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The value, in which others may be concealed.
    #[must_use]
    pub fn value(&self) -> &Foreign {
        &self.value
    }

    /// base64url of the SHA-256 of the text: what stands in place of the claim.
    #[must_use]
    pub fn digest(&self) -> String {
        sha256(&[self.text.as_bytes()]).to_base64url()
    }
}

fn too_long(actual: usize) -> SdJwtError {
    SdJwtError::TooLong {
        what: "disclosure",
        limit: DISCLOSURE_BYTES,
        actual,
    }
}
