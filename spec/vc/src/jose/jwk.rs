//! Ed25519 public keys as JSON Web Keys (RFC 8037 §2).

use zhao_spec::wire::binary::{decode_base64url_array, encode_base64url};
use zhao_spec::wire::foreign::Foreign;
use zhao_spec::wire::PublicKey;

use super::JoseError;

/// The key as a JWK: `{"crv":"Ed25519","kty":"OKP","x":"…"}`.
#[must_use]
pub fn to_jwk(key: &PublicKey) -> Foreign {
    let member = |name: &str, value: &str| (name.to_owned(), Foreign::Text(value.to_owned()));
    Foreign::Object(vec![
        member("crv", "Ed25519"),
        member("kty", "OKP"),
        member("x", &encode_base64url(&key.to_bytes())),
    ])
}

/// The key of a JWK. Members beside `kty`, `crv`, `x` and `alg` are not looked at, but `d`, a
/// secret that has become public, is refused.
///
/// # Errors
/// Not an Ed25519 key, or one that is refused.
pub fn from_jwk(jwk: &Foreign) -> Result<PublicKey, JoseError> {
    let wrong = |detail| JoseError::Jwk { detail };
    let text = |name| jwk.member(name).and_then(Foreign::as_text);
    if !matches!(jwk, Foreign::Object(_)) {
        return Err(wrong("not an object"));
    }
    if text("kty") != Some("OKP") {
        return Err(wrong("kty is not OKP"));
    }
    if text("crv") != Some("Ed25519") {
        return Err(wrong("crv is not Ed25519"));
    }
    if jwk.member("d").is_some() {
        return Err(wrong("d, the secret key, is there"));
    }
    if jwk.member("alg").is_some() && !matches!(text("alg"), Some("EdDSA" | "Ed25519")) {
        return Err(wrong("alg is another than the key's"));
    }
    let x = text("x").ok_or(wrong("x is missing"))?;
    let bytes = decode_base64url_array(x)
        .map_err(|source| JoseError::Base64 { part: "x", source })?;
    Ok(PublicKey::from_bytes(&bytes)?)
}
