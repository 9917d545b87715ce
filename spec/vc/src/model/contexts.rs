//! `@context`: which come first, and what one written into the document may not do.
//!
//! A reader of plain JSON takes `issuer` for the issuer. A context written into the document could
//! make it mean something else, or make another member mean it, and a reader of JSON-LD would see
//! another credential. Neither is read here, whoever signed it.

use zhao_spec::wire::clip;
use zhao_spec::wire::foreign::Foreign;

use super::place::{Place, members, wrong};
use super::url::url;
use super::{ModelError, Version};

/// The base context of version 2.0.
pub const BASE_V2: &str = "https://www.w3.org/ns/credentials/v2";
/// The base context of version 1.1.
pub const BASE_V1: &str = "https://www.w3.org/2018/credentials/v1";
/// What the names of the data model's own properties begin with.
const VOCABULARY: &str = "https://www.w3.org/2018/credentials#";

/// Terms of the base contexts of both versions: their own, and those of a credential and of a
/// presentation in them.
pub(super) const TERMS: &[&str] = &[
    "BitstringStatusList",
    "BitstringStatusListCredential",
    "BitstringStatusListEntry",
    "DataIntegrityProof",
    "EnvelopedVerifiableCredential",
    "EnvelopedVerifiablePresentation",
    "JsonSchema",
    "JsonSchemaCredential",
    "VerifiableCredential",
    "VerifiablePresentation",
    "confidenceMethod",
    "credentialSchema",
    "credentialStatus",
    "credentialSubject",
    "evidence",
    "expirationDate",
    "holder",
    "id",
    "issuanceDate",
    "issuer",
    "proof",
    "refreshService",
    "relatedResource",
    "renderMethod",
    "termsOfUse",
    "type",
    "validFrom",
    "validUntil",
    "verifiableCredential",
];
/// Terms that only the base context of version 2.0 has.
pub(super) const TERMS_V2: &[&str] = &[
    "description",
    "digestMultibase",
    "digestSRI",
    "mediaType",
    "name",
];

/// The contexts of a credential or presentation, and the version that the first one says (data
/// model §4.3).
pub(super) fn contexts<'a>(
    document: &'a Foreign,
    root: &Place<'_>,
) -> Result<(Version, Vec<&'a Foreign>), ModelError> {
    let place = root.name("@context");
    let value = super::place::required(document, root, "@context")?;
    let Foreign::Array(items) = value else {
        return Err(wrong(value, &place, "array"));
    };
    let version = match items.first().and_then(Foreign::as_text) {
        Some(BASE_V2) => Version::V2,
        Some(BASE_V1) => Version::V1,
        _ => return Err(ModelError::BaseContext { path: place.path() }),
    };
    for (at, item) in items.iter().enumerate() {
        let place = place.at(at);
        if at >= super::SET {
            return Err(ModelError::TooMany {
                path: place.path(),
                limit: super::SET,
            });
        }
        if let Some(text) = item.as_text() {
            let earlier = items.iter().take(at);
            if earlier.filter_map(Foreign::as_text).any(|one| one == text) {
                return Err(ModelError::Twice {
                    path: place.path(),
                    actual: clip(text),
                });
            }
        }
    }
    elsewhere(document, root, version, true)?;
    Ok((version, items.iter().collect()))
}

/// Every context of the document, wherever it stands; a presented credential reads its own.
fn elsewhere(
    value: &Foreign,
    place: &Place<'_>,
    version: Version,
    outermost: bool,
) -> Result<(), ModelError> {
    match value {
        Foreign::Array(items) => items
            .iter()
            .enumerate()
            .try_for_each(|(at, item)| elsewhere(item, &place.at(at), version, false)),
        Foreign::Object(members) => members.iter().try_for_each(|(name, member)| {
            let place = place.name(name);
            match name.as_str() {
                "@context" => scoped(member, &place, version),
                "verifiableCredential" if outermost => Ok(()),
                _ => elsewhere(member, &place, version, false),
            }
        }),
        _ => Ok(()),
    }
}

/// One context or an array of them.
fn scoped(value: &Foreign, place: &Place<'_>, version: Version) -> Result<(), ModelError> {
    match value {
        Foreign::Array(items) => items
            .iter()
            .enumerate()
            .try_for_each(|(at, item)| context(item, &place.at(at), version)),
        one => context(one, place, version),
    }
}

/// A URL, or a context as an object.
fn context(value: &Foreign, place: &Place<'_>, version: Version) -> Result<(), ModelError> {
    match value {
        Foreign::Text(_) => url(value, place).map(drop),
        Foreign::Object(_) => members(value, place)?
            .iter()
            .try_for_each(|(term, meaning)| define(term, meaning, &place.name(term), version)),
        Foreign::Null => Err(ModelError::NullContext { path: place.path() }),
        other => Err(wrong(other, place, "URL or object")),
    }
}

fn define(
    term: &str,
    meaning: &Foreign,
    place: &Place<'_>,
    version: Version,
) -> Result<(), ModelError> {
    if term.starts_with('@') {
        return match term {
            "@vocab" | "@base" => target(meaning, place),
            "@version" | "@protected" | "@propagate" | "@language" | "@direction" => Ok(()),
            _ => Err(ModelError::ContextKeyword { path: place.path() }),
        };
    }
    let id = match meaning {
        Foreign::Object(_) => meaning.member("@id").and_then(Foreign::as_text),
        other => other.as_text(),
    };
    if TERMS.contains(&term) || (version == Version::V2 && TERMS_V2.contains(&term)) {
        // JSON-LD 1.1 §4.1.11: a protected term may be said again, in the same words.
        let again = matches!(meaning, Foreign::Text(_))
            && matches!((term, id), ("id", Some("@id")) | ("type", Some("@type")));
        return match again {
            true => Ok(()),
            false => Err(ModelError::Redefined { path: place.path() }),
        };
    }
    match meaning {
        Foreign::Null => Ok(()),
        Foreign::Text(_) => target(meaning, place),
        Foreign::Object(parts) => parts.iter().try_for_each(|(name, part)| {
            let place = place.name(name);
            match name.as_str() {
                "@id" | "@reverse" => target(part, &place),
                "@context" => scoped(part, &place, version),
                _ => Ok(()),
            }
        }),
        other => Err(wrong(other, place, "text, object or null")),
    }
}

/// What a term means: no keyword, nothing of the data model, and no beginning of either, from
/// which a compact name could go on.
fn target(meaning: &Foreign, place: &Place<'_>) -> Result<(), ModelError> {
    let text = match meaning {
        Foreign::Null => return Ok(()),
        Foreign::Text(text) => text,
        other => return Err(wrong(other, place, "text or null")),
    };
    let begins = text.contains(':') && VOCABULARY.starts_with(text.as_str());
    match text.starts_with('@') || text.starts_with(VOCABULARY) || begins {
        true => Err(ModelError::Alias { path: place.path() }),
        false => Ok(()),
    }
}

/// That no member of an object whose members are read is another name of one: a JSON-LD keyword,
/// or a URL of the data model's vocabulary.
pub(super) fn plain_names(node: &Foreign, place: &Place<'_>) -> Result<(), ModelError> {
    for (name, _) in members(node, place)? {
        if (name.starts_with('@') && name != "@context") || name.starts_with(VOCABULARY) {
            return Err(ModelError::Name {
                path: place.path(),
                actual: clip(name),
            });
        }
    }
    Ok(())
}
