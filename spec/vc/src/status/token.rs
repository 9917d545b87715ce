//! IETF Token Status List: a list as a signed JWT, and where a token says it stands in one.
//!
//! Source: draft-ietf-oauth-status-list (Token Status List), §4 lists, §5.1 status list tokens in
//! JWT form, §6.1 and §6.2 referenced tokens, §8.3 validation. Signed with EdDSA only (RFC 8037); a
//! key in the token's own header counts for nothing.

use zhao_spec::wire::binary::{decode_base64url, decode_base64url_array, encode_base64url};
use zhao_spec::wire::foreign::{Foreign, canonicalize, parse_foreign};
use zhao_spec::wire::{Signature, Signer, UnixMillis, clip};

use super::bits::{Order, StatusList};
use super::json::{is_url, number, object, optional_integer, optional_text, owned, shape, text};
use super::pack::{PACKED_BYTES, unzlib, zlib};
use super::{ENTRIES, StatusError};
use crate::did::Methods;

/// `typ` of a status list token (§5.1), and with `application/` before it its media type.
pub const TOKEN_TYPE: &str = "statuslist+jwt";
/// A whole token, bytes: the longest list in base64url twice, and its claims.
pub const TOKEN_BYTES: usize = 96 << 10;
/// The claims of a token, bytes.
const CLAIMS_BYTES: usize = 68 << 10;
/// The header of a token, bytes.
const HEADER_BYTES: usize = 2 << 10;
/// Members of a header by which a token would bring its own key, or ask for rules unknown here.
const REFUSED: [&str; 5] = ["jwk", "jku", "x5c", "x5u", "crit"];

/// Status type VALID (§7.1).
pub const VALID: u8 = 0;
/// Status type INVALID: revoked, annulled, taken back.
pub const INVALID: u8 = 1;
/// Status type SUSPENDED: invalid for the time being.
pub const SUSPENDED: u8 = 2;

/// What goes into a status list token.
#[derive(Clone, Debug)]
pub struct TokenParts<'a> {
    /// The DID URL of the key that signs.
    pub kid: &'a str,
    /// The token's own URL: what referenced tokens name.
    pub sub: &'a str,
    /// When it was made; cut to seconds.
    pub issued: UnixMillis,
    /// Until when it is valid; cut to seconds.
    pub expires: Option<UnixMillis>,
    /// After how long to ask again, seconds.
    pub ttl: Option<u64>,
}

/// The list as a signed token.
///
/// # Errors
/// Fewer than [`ENTRIES`] entries, bits in the other order, a list too long, or the signer's.
pub fn sign<S: Signer + ?Sized>(
    list: &StatusList,
    parts: &TokenParts<'_>,
    key: &S,
) -> Result<String, StatusError> {
    super::credential::long_enough(list)?;
    let member = "lst";
    let packed = zlib(list.bytes()).map_err(|source| StatusError::Pack { member, source })?;
    // The same bytes in the other order are another list; the type knows.
    let list = object([
        ("bits", number(u64::from(list.low_first()?))),
        ("lst", owned(&encode_base64url(&packed))),
    ]);
    let mut claims = vec![
        ("iat".to_owned(), number(parts.issued.0 / 1_000)),
        ("status_list".to_owned(), list),
        ("sub".to_owned(), owned(parts.sub)),
    ];
    if let Some(expires) = parts.expires {
        claims.push(("exp".to_owned(), number(expires.0 / 1_000)));
    }
    if let Some(ttl) = parts.ttl {
        claims.push(("ttl".to_owned(), number(ttl)));
    }
    let header = object([
        ("alg", owned("EdDSA")),
        ("kid", owned(parts.kid)),
        ("typ", owned(TOKEN_TYPE)),
    ]);
    let part = |value: &Foreign| encode_base64url(&canonicalize(value));
    let signed = format!("{}.{}", part(&header), part(&Foreign::Object(claims)));
    let signature = key
        .sign(signed.as_bytes())
        .map_err(|error| StatusError::Signature {
            detail: error.to_string(),
        })?;
    Ok(format!("{signed}.{}", signature.to_base64url()))
}

/// A status list token whose signature holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenList {
    /// The DID whose key signed it.
    pub issuer: String,
    /// Its own URL.
    pub sub: String,
    /// When it was made.
    pub issued: UnixMillis,
    /// Until when it is valid.
    pub expires: Option<UnixMillis>,
    /// After how long to ask again, seconds.
    pub ttl: Option<u64>,
    /// The list.
    pub list: StatusList,
}

/// Verifies a token and reads it.
///
/// # Errors
/// Not a compact JWS within the limits; another `typ` or `alg` (`none` included), a header that
/// brings a key; a key that `methods` does not know for `assertionMethod`; a signature that does
/// not hold; claims that §5.1 does not allow.
pub fn open(token: &str, methods: &dyn Methods) -> Result<TokenList, StatusError> {
    if token.len() > TOKEN_BYTES {
        return Err(StatusError::TooLong { limit: TOKEN_BYTES });
    }
    let mut parts = token.split('.');
    let (Some(head), Some(body), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(shape("token", "three parts with dots between"));
    };
    let header = json(head, "header", HEADER_BYTES)?;
    if text(&header, "typ", "typ")? != TOKEN_TYPE {
        return Err(StatusError::Type {
            member: "typ",
            expected: TOKEN_TYPE,
        });
    }
    if text(&header, "alg", "alg")? != "EdDSA" {
        return Err(StatusError::Type {
            member: "alg",
            expected: "EdDSA",
        });
    }
    if REFUSED.iter().any(|name| header.member(name).is_some()) {
        return Err(shape("header", "without keys and critical members"));
    }
    let method = methods
        .method(text(&header, "kid", "kid")?, "assertionMethod")
        .map_err(|error| refused(&error))?;
    let signature = decode_base64url_array(signature).map_err(|source| StatusError::Base64 {
        member: "signature",
        source,
    })?;
    let signed = head.len().saturating_add(1).saturating_add(body.len());
    let signed = token.get(..signed).unwrap_or_default();
    method
        .key
        .verify(signed.as_bytes(), &Signature(signature))
        .map_err(|error| refused(&error))?;
    let claims = json(body, "claims", CLAIMS_BYTES)?;
    if let Some(iss) = optional_text(&claims, "iss", "iss")?.filter(|iss| *iss != method.controller)
    {
        return Err(StatusError::Issuer { actual: clip(iss) });
    }
    let sub = text(&claims, "sub", "sub")?;
    if !is_url(sub) {
        return Err(shape("sub", "a URL"));
    }
    Ok(TokenList {
        issuer: method.controller,
        sub: sub.to_owned(),
        issued: seconds(&claims, "iat")?.ok_or(shape("iat", "a whole number"))?,
        expires: seconds(&claims, "exp")?,
        ttl: match optional_integer(&claims, "ttl", "ttl")? {
            Some(0) => return Err(shape("ttl", "a whole number above zero")),
            ttl => ttl,
        },
        list: list(&claims)?,
    })
}

/// Where a token says it stands: `status.status_list` (§6.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Which entry.
    pub idx: u64,
    /// Of which list: its URL.
    pub uri: String,
}

impl Reference {
    /// Reads the `status` claim of a token's claims, if it has one that names a list.
    ///
    /// # Errors
    /// A malformed one.
    pub fn read(claims: &Foreign) -> Result<Option<Self>, StatusError> {
        let status = match claims.member("status") {
            None => return Ok(None),
            Some(status @ Foreign::Object(_)) => status,
            Some(_) => return Err(shape("status", "an object")),
        };
        let list = match status.member("status_list") {
            None => return Ok(None),
            Some(list @ Foreign::Object(_)) => list,
            Some(_) => return Err(shape("status.status_list", "an object")),
        };
        let uri = text(list, "uri", "uri")?;
        if !is_url(uri) {
            return Err(shape("uri", "a URL"));
        }
        Ok(Some(Self {
            idx: optional_integer(list, "idx", "idx")?.ok_or(shape("idx", "a whole number"))?,
            uri: uri.to_owned(),
        }))
    }

    /// The `status` claim.
    #[must_use]
    pub fn to_foreign(&self) -> Foreign {
        let list = object([("idx", number(self.idx)), ("uri", owned(&self.uri))]);
        object([("status_list", list)])
    }
}

/// What a list says at a reference, at a time, if it is `issuer`'s (§8.3).
///
/// # Errors
/// Of somebody else, under another name, made later than `at`, expired, too short, or out of range.
pub fn check(
    reference: &Reference,
    token: &TokenList,
    issuer: &str,
    at: UnixMillis,
) -> Result<u8, StatusError> {
    if token.issuer != issuer {
        return Err(StatusError::Issuer {
            actual: clip(&token.issuer),
        });
    }
    if token.sub != reference.uri {
        return Err(StatusError::Id {
            member: "sub",
            actual: clip(&token.sub),
        });
    }
    if token.issued > at {
        return Err(StatusError::NotYet { from: token.issued });
    }
    if let Some(until) = token.expires.filter(|until| *until < at) {
        return Err(StatusError::Expired { until });
    }
    token.list.value(reference.idx)
}

/// A list of [`ENTRIES`] entries of `bits` bits, in the order of this format.
///
/// # Errors
/// [`StatusError::Size`]: not 1, 2, 4 or 8.
pub fn empty(bits: u8) -> Result<StatusList, StatusError> {
    StatusList::new(ENTRIES, bits, Order::LowFirst)
}

fn list(claims: &Foreign) -> Result<StatusList, StatusError> {
    let list = match claims.member("status_list") {
        Some(list @ Foreign::Object(_)) => list,
        _ => return Err(shape("status_list", "an object")),
    };
    let bits = optional_integer(list, "bits", "bits")?.ok_or(shape("bits", "a whole number"))?;
    let width = u8::try_from(bits).map_err(|_| StatusError::Size { actual: bits })?;
    let member = "lst";
    let packed = decode_base64url(text(list, "lst", member)?, PACKED_BYTES)
        .map_err(|source| StatusError::Base64 { member, source })?;
    let bytes = unzlib(&packed).map_err(|source| StatusError::Pack { member, source })?;
    StatusList::of(bytes, width, Order::LowFirst)
}

fn json(part: &str, member: &'static str, limit: usize) -> Result<Foreign, StatusError> {
    let bytes =
        decode_base64url(part, limit).map_err(|source| StatusError::Base64 { member, source })?;
    match parse_foreign(&bytes) {
        Ok(value @ Foreign::Object(_)) => Ok(value),
        _ => Err(shape(member, "a JSON object")),
    }
}

/// A NumericDate without a fraction (RFC 7519 §2).
fn seconds(claims: &Foreign, name: &'static str) -> Result<Option<UnixMillis>, StatusError> {
    match optional_integer(claims, name, name)? {
        None => Ok(None),
        Some(seconds) => UnixMillis(0)
            .checked_add(seconds.saturating_mul(1_000))
            .map(Some)
            .ok_or(shape(name, "a time before the year 10000")),
    }
}

fn refused(error: &dyn std::error::Error) -> StatusError {
    StatusError::Signature {
        detail: error.to_string(),
    }
}

#[cfg(test)]
mod tests;
