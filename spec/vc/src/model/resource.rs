//! Resources by URL and digest (data model §5.3). Nothing is fetched: the digests of the contexts
//! that are built in are checked, the others are told to the caller.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use zhao_spec::wire::binary::decode_multibase;
use zhao_spec::wire::clip;
use zhao_spec::wire::foreign::Foreign;

use super::ModelError;
use super::contexts::{BASE_V2, plain_names};
use super::place::{Place, many, required, text};
use super::url::url;

/// Longest digest as text: SHA-512 in base64 with its prefix has 95 characters.
const DIGEST_CHARS: usize = 128;

/// The resources that are here byte for byte. The base context of 1.1 is not: what is built in has
/// the same terms in other bytes, so nothing can be said of its digest.
const BUILT_IN: [(&str, &[u8]); 5] = [
    (
        BASE_V2,
        include_bytes!("../../contexts/credentials-v2.jsonld"),
    ),
    (
        "https://www.w3.org/ns/credentials/examples/v2",
        include_bytes!("../../contexts/examples-v2.jsonld"),
    ),
    (
        "https://w3id.org/security/data-integrity/v2",
        include_bytes!("../../contexts/data-integrity-v2.jsonld"),
    ),
    (
        "https://w3id.org/security/multikey/v1",
        include_bytes!("../../contexts/multikey-v1.jsonld"),
    ),
    (
        "https://www.w3.org/ns/did/v1",
        include_bytes!("../../contexts/did-v1.jsonld"),
    ),
];

/// `https://www.w3.org/ns/credentials/v2` was another file until the Recommendation of 2025-05.
/// Credentials were issued that give its digests, and they said the truth when they did. To accept
/// these two gives nobody anything: what the terms mean comes from the file that is built in, and
/// a digest only ever makes a document be refused.
const FORMER_V2_SHA256: [u8; 32] = [
    0x24, 0xa1, 0x8c, 0x90, 0xe9, 0x85, 0x6d, 0x52, 0x61, 0x11, 0xf2, 0x93, 0x76, 0xe3, 0x02, 0xd9,
    0x70, 0xb2, 0xbd, 0x10, 0x18, 0x2e, 0x33, 0x95, 0x99, 0x95, 0xb0, 0x20, 0x7d, 0x70, 0x43, 0xb9,
];
/// SHA-384 of the same file.
const FORMER_V2_SHA384: &str = "NSOcNpmdIVUxIJGvGUoe22FjTWrXiaXlsZ8q6912LdnR3KraQO2n75Ica4wK4Qeg";

/// One related resource.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resource<'a> {
    /// Its URL.
    pub id: &'a str,
    /// Its media type, if it says.
    pub media_type: Option<&'a str>,
    /// Whether the resource is built in, and its digests were found right. What is not here was
    /// checked by its form alone.
    pub checked: bool,
    /// The object.
    pub value: &'a Foreign,
}

/// One element of `relatedResource`.
pub(super) fn resource<'a>(
    value: &'a Foreign,
    place: &Place<'_>,
) -> Result<Resource<'a>, ModelError> {
    plain_names(value, place)?;
    let id = url(required(value, place, "id")?, &place.name("id"))?;
    let media_type = match value.member("mediaType") {
        None => None,
        Some(media) => Some(media_type(media, &place.name("mediaType"))?),
    };
    if digests(value, place, Some(id))? == 0 {
        return Err(ModelError::NoDigest { path: place.path() });
    }
    Ok(Resource {
        id,
        media_type,
        checked: built_in(id).is_some(),
        value,
    })
}

/// How many of `digestSRI` and `digestMultibase` an object has. Each is a digest by its form, and
/// the digest of the resource `id` if that is built in.
pub(super) fn digests(
    value: &Foreign,
    place: &Place<'_>,
    id: Option<&str>,
) -> Result<usize, ModelError> {
    match id.and_then(built_in) {
        None => digests_of(value, place, id, None),
        Some((url, bytes)) => {
            let known = |function, hash: &[u8]| {
                is_former(url, function, hash) || is_digest(bytes, function, hash)
            };
            digests_of(value, place, id, Some(&known))
        }
    }
}

/// As [`digests`], of a resource that may be at hand.
pub(crate) fn digests_of(
    value: &Foreign,
    place: &Place<'_>,
    id: Option<&str>,
    known: Known<'_>,
) -> Result<usize, ModelError> {
    let mut count = 0usize;
    let checks: [(&str, Check); 2] = [("digestSRI", sri), ("digestMultibase", multibase)];
    for (name, check) in checks {
        let Some(digest) = value.member(name) else {
            continue;
        };
        count = count.saturating_add(1);
        many(digest, &place.name(name), |one, place| {
            match check(text(one, place)?, known) {
                Checked::NoDigest => Err(ModelError::Digest { path: place.path() }),
                Checked::Other => Err(ModelError::WrongDigest {
                    path: place.path(),
                    resource: clip(id.unwrap_or_default()),
                }),
                Checked::Fits => Ok(()),
            }
        })?;
    }
    Ok(count)
}

/// Whether a hash is that of the resource at hand; none: it is not at hand.
type Known<'k> = Option<&'k dyn Fn(Function, &[u8]) -> bool>;
type Check = fn(&str, Known<'_>) -> Checked;

enum Checked {
    /// Not one by its form.
    NoDigest,
    /// Of something else.
    Other,
    /// Of the resource, or nobody here can tell.
    Fits,
}

/// A hash function.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Function {
    Sha256,
    Sha384,
    Sha512,
}

/// Subresource Integrity §3.5: hashes with white space between; those of the strongest function
/// count, and one of them must fit. The form says nothing of how long a hash is.
fn sri(text: &str, known: Known<'_>) -> Checked {
    let mut hashes = Vec::new();
    for hash in text.split_ascii_whitespace() {
        let hash = hash.split('?').next().unwrap_or_default();
        let (function, digits) = match hash.split_once('-') {
            Some(("sha256", digits)) => (Function::Sha256, digits),
            Some(("sha384", digits)) => (Function::Sha384, digits),
            Some(("sha512", digits)) => (Function::Sha512, digits),
            _ => return Checked::NoDigest,
        };
        let bare = digits.trim_end_matches('=');
        let base64 = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'-' | b'_');
        let padded = digits.len().saturating_sub(bare.len()) > 2;
        if bare.is_empty() || padded || hash.len() > DIGEST_CHARS || !bare.bytes().all(base64) {
            return Checked::NoDigest;
        }
        hashes.push((function, digits));
    }
    let Some(strongest) = hashes.iter().map(|(function, _)| *function).max() else {
        return Checked::NoDigest;
    };
    let Some(known) = known else {
        return Checked::Fits;
    };
    let fits = hashes
        .into_iter()
        .filter(|(function, _)| *function == strongest)
        .filter_map(|(function, digits)| STANDARD.decode(digits).ok().map(|hash| (function, hash)))
        .any(|(function, hash)| known(function, &hash));
    if fits { Checked::Fits } else { Checked::Other }
}

/// A multibase text (base64url or base58btc) of a multihash, or of a bare hash whose length says
/// which function: both are in use.
fn multibase(text: &str, known: Known<'_>) -> Checked {
    if text.len() > DIGEST_CHARS {
        return Checked::NoDigest;
    }
    let decoded = match text.strip_prefix('u') {
        Some(digits) => URL_SAFE_NO_PAD.decode(digits).ok(),
        None => decode_multibase(text).ok(),
    };
    let Some(decoded) = decoded else {
        return Checked::NoDigest;
    };
    let (function, hash) = match decoded.as_slice() {
        [0x12, 32, hash @ ..] if hash.len() == 32 => (Function::Sha256, hash),
        [0x20, 48, hash @ ..] if hash.len() == 48 => (Function::Sha384, hash),
        [0x13, 64, hash @ ..] if hash.len() == 64 => (Function::Sha512, hash),
        hash => match hash.len() {
            32 => (Function::Sha256, hash),
            48 => (Function::Sha384, hash),
            64 => (Function::Sha512, hash),
            _ => return Checked::NoDigest,
        },
    };
    match known {
        Some(known) if !known(function, hash) => Checked::Other,
        _ => Checked::Fits,
    }
}

fn built_in(id: &str) -> Option<(&'static str, &'static [u8])> {
    BUILT_IN.into_iter().find(|(url, _)| *url == id)
}

fn is_former(url: &str, function: Function, hash: &[u8]) -> bool {
    url == BASE_V2
        && match function {
            Function::Sha256 => hash == FORMER_V2_SHA256,
            Function::Sha384 => STANDARD.encode(hash) == FORMER_V2_SHA384,
            Function::Sha512 => false,
        }
}

/// Whether `hash` is the hash of `bytes`.
pub(crate) fn is_digest(bytes: &[u8], function: Function, hash: &[u8]) -> bool {
    match function {
        Function::Sha256 => Sha256::digest(bytes).as_slice() == hash,
        Function::Sha384 => Sha384::digest(bytes).as_slice() == hash,
        Function::Sha512 => Sha512::digest(bytes).as_slice() == hash,
    }
}

/// `type/subtype`, and parameters if any (RFC 6838 §4.2).
fn media_type<'a>(value: &'a Foreign, place: &Place<'_>) -> Result<&'a str, ModelError> {
    let media = text(value, place)?;
    let name = |part: &str| {
        let mut bytes = part.bytes();
        bytes.next().is_some_and(|b| b.is_ascii_alphanumeric())
            && bytes.all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
    };
    let (essence, parameters) = media.split_once(';').unwrap_or((media, ""));
    let well = essence
        .trim_end()
        .split_once('/')
        .is_some_and(|(kind, subtype)| name(kind) && name(subtype));
    if well && parameters.chars().all(|c| c.is_ascii_graphic() || c == ' ') {
        return Ok(media);
    }
    Err(ModelError::MediaType {
        path: place.path(),
        actual: clip(media),
    })
}

#[cfg(test)]
mod tests;
