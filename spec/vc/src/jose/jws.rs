//! The compact serialisation (RFC 7515 §7.1), read strictly.

use zhao_spec::wire::binary::{decode_base64url, decode_base64url_array, encode_base64url};
use zhao_spec::wire::foreign::{Foreign, canonicalize, parse_foreign};
use zhao_spec::wire::{PublicKey, Signature, Signer, clip};

use super::{Algorithm, ENVELOPE_BYTES, HEADER_BYTES, JoseError, signature};
use crate::did::{Method, Methods};

#[cfg(test)]
mod tests;

/// Parameters that bring a key with them (RFC 7515 §4.1.2–6), or leave the payload unencoded
/// (RFC 7797 §7): a message that has one is refused, whatever it says.
const FORBIDDEN: [&str; 5] = ["b64", "jku", "jwk", "x5c", "x5u"];

/// A JWS whose header was looked at; its signature was not.
pub(crate) struct Jws<'a> {
    algorithm: Algorithm,
    header: Foreign,
    payload: Vec<u8>,
    signed: &'a str,
    signature: Signature,
}

impl<'a> Jws<'a> {
    /// Reads a JWS by an algorithm that is allowed.
    pub(crate) fn parse(text: &'a str, algorithms: &[Algorithm]) -> Result<Self, JoseError> {
        within("message", text.len(), ENVELOPE_BYTES)?;
        let (signed, signature) = text.rsplit_once('.').ok_or(JoseError::Serialization)?;
        let (header, payload) = signed.split_once('.').ok_or(JoseError::Serialization)?;
        if payload.contains('.') {
            return Err(JoseError::Serialization);
        }
        within("header", header.len(), HEADER_BYTES)?;
        let header = object("header", &decode("header", header)?)?;
        let algorithm = check_header(&header, algorithms)?;
        let payload = decode("payload", payload)?;
        let signature = decode_base64url_array(signature)
            .map(Signature)
            .map_err(|source| JoseError::Base64 {
                part: "signature",
                source,
            })?;
        Ok(Self {
            algorithm,
            header,
            payload,
            signed,
            signature,
        })
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(crate) fn header(&self) -> &Foreign {
        &self.header
    }

    /// The payload, which is an object.
    pub(crate) fn object(&self) -> Result<Foreign, JoseError> {
        object("payload", &self.payload)
    }

    /// Requires `typ` to be one of `expected`, or missing where that is allowed.
    pub(crate) fn check_type(
        &self,
        expected: &[&'static str],
        untyped: bool,
    ) -> Result<(), JoseError> {
        match text(&self.header, "typ")? {
            None if untyped => Ok(()),
            None => Err(JoseError::Missing { name: "typ" }),
            Some(actual) if expected.iter().any(|one| is_media_type(actual, one)) => Ok(()),
            Some(actual) => Err(JoseError::Type {
                expected: expected.first().copied().unwrap_or_default(),
                actual: clip(actual),
            }),
        }
    }

    /// Requires `cty`, if it is there, to be `expected`.
    pub(crate) fn check_content(&self, expected: &'static str) -> Result<(), JoseError> {
        match text(&self.header, "cty")? {
            Some(actual) if !is_media_type(actual, expected) => Err(JoseError::ContentType {
                expected,
                actual: clip(actual),
            }),
            _ => Ok(()),
        }
    }

    pub(crate) fn verify(&self, key: &PublicKey) -> Result<(), JoseError> {
        Ok(key.verify(self.signed.as_bytes(), &self.signature)?)
    }
}

/// The key that `kid` names. One that is only a fragment is of the `iss` of header or payload
/// (VC-JOSE-COSE §4.1); one that is not absolute otherwise needs an `iss` beside it.
pub(crate) fn find(
    jws: &Jws<'_>,
    payload: &Foreign,
    purpose: &str,
    methods: &dyn Methods,
) -> Result<Method, JoseError> {
    let kid = text(&jws.header, "kid")?.ok_or(JoseError::Missing { name: "kid" })?;
    let iss =
        text(&jws.header, "iss")?.or_else(|| payload.member("iss").and_then(Foreign::as_text));
    Ok(methods.method(&absolute(kid, iss)?, purpose)?)
}

/// `kid` as it is asked for.
pub(crate) fn absolute(kid: &str, iss: Option<&str>) -> Result<String, JoseError> {
    match iss {
        Some(iss) if kid.starts_with('#') => Ok(format!("{iss}{kid}")),
        None if !has_scheme(kid) => Err(JoseError::Kid { kid: clip(kid) }),
        _ => Ok(kid.to_owned()),
    }
}

/// Whether a URL begins with a scheme (RFC 3986 §3.1).
fn has_scheme(url: &str) -> bool {
    url.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
    })
}

/// Signs `payload` under `header`.
pub(crate) fn sign_with(
    header: Foreign,
    payload: &[u8],
    method: &Method,
    signer: &dyn Signer,
) -> Result<String, JoseError> {
    let header = encode_base64url(&canonicalize(&header));
    let message = format!("{header}.{}", encode_base64url(payload));
    let signature = signature(message.as_bytes(), method, signer)?;
    let text = format!("{message}.{}", signature.to_base64url());
    within("message", text.len(), ENVELOPE_BYTES)?;
    Ok(text)
}

/// Whether a media type is `application/` and the subtype; the first part may be left out
/// (RFC 7515 §4.1.9), and case does not matter (RFC 2045 §5.1).
pub(crate) fn is_media_type(actual: &str, subtype: &str) -> bool {
    const APPLICATION: &str = "application/";
    let rest = match actual.get(..APPLICATION.len()) {
        Some(first) if first.eq_ignore_ascii_case(APPLICATION) => {
            actual.get(APPLICATION.len()..).unwrap_or_default()
        }
        _ => actual,
    };
    rest.eq_ignore_ascii_case(subtype)
}

fn check_header(header: &Foreign, algorithms: &[Algorithm]) -> Result<Algorithm, JoseError> {
    let alg = text(header, "alg")?.ok_or(JoseError::Missing { name: "alg" })?;
    let algorithm = Algorithm::allowed(alg, algorithms)
        .ok_or_else(|| JoseError::Algorithm { actual: clip(alg) })?;
    if header.member("crit").is_some() {
        return Err(JoseError::Critical);
    }
    match FORBIDDEN
        .into_iter()
        .find(|name| header.member(name).is_some())
    {
        Some(name) => Err(JoseError::Forbidden { name }),
        None => Ok(algorithm),
    }
}

fn text<'h>(header: &'h Foreign, name: &'static str) -> Result<Option<&'h str>, JoseError> {
    match header.member(name) {
        None => Ok(None),
        Some(value) => value.as_text().map(Some).ok_or(JoseError::Header { name }),
    }
}

pub(crate) fn within(part: &'static str, actual: usize, limit: usize) -> Result<(), JoseError> {
    if actual <= limit {
        return Ok(());
    }
    Err(JoseError::TooLong {
        part,
        limit,
        actual,
    })
}

fn decode(part: &'static str, text: &str) -> Result<Vec<u8>, JoseError> {
    decode_base64url(text, ENVELOPE_BYTES).map_err(|source| JoseError::Base64 { part, source })
}

pub(crate) fn object(part: &'static str, bytes: &[u8]) -> Result<Foreign, JoseError> {
    let value = parse_foreign(bytes).map_err(|source| JoseError::Json { part, source })?;
    match value {
        Foreign::Object(_) => Ok(value),
        _ => Err(JoseError::Object { part }),
    }
}
