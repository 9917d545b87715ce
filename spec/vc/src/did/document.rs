//! Somebody's DID document, read strictly: Controlled Identifiers v1.0 §2, DID Core v1.0 §5.

use zhao_spec::wire::binary::decode_base64url_array;
use zhao_spec::wire::foreign::Foreign;
use zhao_spec::wire::{PublicKey, clip};

use super::{DidError, Method, Methods};

/// The most verification methods of one document: each key costs work to check.
pub const METHODS: usize = 256;

/// The relationships by which a key may be used for something.
const RELATIONSHIPS: [&str; 5] = [
    "assertionMethod",
    "authentication",
    "capabilityDelegation",
    "capabilityInvocation",
    "keyAgreement",
];

/// A verification method as it stands in a document.
#[derive(Clone, Debug)]
struct Entry {
    id: String,
    controller: String,
    /// None for a key of another algorithm.
    key: Option<PublicKey>,
    /// The relationships it stands in.
    purposes: Vec<&'static str>,
}

/// A DID document: whose it is, and its Ed25519 keys.
#[derive(Clone, Debug)]
pub struct Document {
    id: String,
    entries: Vec<Entry>,
}

impl Document {
    /// Reads the document that was found for `did`.
    ///
    /// Keys of other algorithms are let be: they are named when they are asked for. What is wrong
    /// with an Ed25519 key is an error of the whole document.
    ///
    /// # Errors
    /// A document of another identifier; one identifier with two keys; a member of another kind; an
    /// Ed25519 key that is refused, or that comes with its secret.
    pub fn read(document: &Foreign, did: &str) -> Result<Self, DidError> {
        match document.member("id").and_then(Foreign::as_text) {
            Some(id) if id == did => {}
            other => {
                return Err(DidError::Id {
                    actual: clip(other.unwrap_or_default()),
                });
            }
        }
        let mut read = Self {
            id: did.to_owned(),
            entries: Vec::new(),
        };
        for item in list(document, "verificationMethod")? {
            read.push(item, Vec::new())?;
        }
        for name in RELATIONSHIPS {
            let mut named: Vec<String> = Vec::new();
            for item in list(document, name)? {
                let url = match item {
                    Foreign::Text(url) => absolute(url, did),
                    _ => read.push(item, vec![name])?,
                };
                if named.contains(&url) {
                    return Err(DidError::Duplicate { url: clip(&url) });
                }
                if let (Foreign::Text(_), Some(entry)) = (item, read.find(&url)) {
                    // An embedded method is for the relationship it is embedded in, and no other
                    // (DID Core §5.3).
                    if entry
                        .purposes
                        .first()
                        .is_none_or(|first| *first != EMBEDDED)
                    {
                        entry.purposes.push(name);
                    }
                }
                named.push(url);
                if named.len() > METHODS {
                    return Err(too_many());
                }
            }
        }
        Ok(read)
    }

    /// The identifier whose document it is.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    fn find(&mut self, url: &str) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.id == url)
    }

    /// Takes up one method; `embedded` is the relationship it stands in, if it does.
    fn push(&mut self, item: &Foreign, embedded: Vec<&'static str>) -> Result<String, DidError> {
        let text = |member: &'static str| {
            item.member(member)
                .and_then(Foreign::as_text)
                .ok_or(DidError::Document {
                    member,
                    expected: "a text in each verification method",
                })
        };
        let id = absolute(text("id")?, &self.id);
        let kind = text("type")?;
        let controller = text("controller")?.to_owned();
        if !id.contains('#') || !id.starts_with("did:") {
            return Err(DidError::Document {
                member: "verificationMethod.id",
                expected: "a DID URL with a fragment",
            });
        }
        if self.find(&id).is_some() {
            return Err(DidError::Duplicate { url: clip(&id) });
        }
        if self.entries.len() >= METHODS {
            return Err(too_many());
        }
        let key = key(item, kind, &id)?;
        let purposes = match embedded.is_empty() {
            true => embedded,
            false => [vec![EMBEDDED], embedded].concat(),
        };
        self.entries.push(Entry {
            id: id.clone(),
            controller,
            key,
            purposes,
        });
        Ok(id)
    }
}

/// Stands first among the purposes of a method that is embedded in a relationship.
const EMBEDDED: &str = "";

impl Methods for Document {
    fn method(&self, url: &str, purpose: &str) -> Result<Method, DidError> {
        let entry = self
            .entries
            .iter()
            .find(|entry| entry.id == url)
            .ok_or_else(|| DidError::NoMethod { url: clip(url) })?;
        if purpose.is_empty() || !entry.purposes.contains(&purpose) {
            return Err(DidError::Purpose {
                url: clip(url),
                purpose: clip(purpose),
            });
        }
        // Only the controller's own document says what its keys are for (Controlled Identifiers
        // §3.3); this one is the document of `id`.
        if entry.controller != self.id {
            return Err(DidError::Controller { url: clip(url) });
        }
        let key = entry
            .key
            .ok_or_else(|| DidError::KeyType { url: clip(url) })?;
        Ok(Method {
            id: entry.id.clone(),
            controller: entry.controller.clone(),
            key,
        })
    }
}

fn too_many() -> DidError {
    DidError::Document {
        member: "verificationMethod",
        expected: "at most 256 methods",
    }
}

/// A DID URL that may be written relative to its document (DID Core §3.2.2).
fn absolute(url: &str, did: &str) -> String {
    match url.starts_with('#') {
        true => format!("{did}{url}"),
        false => url.to_owned(),
    }
}

fn list<'a>(document: &'a Foreign, member: &'static str) -> Result<&'a [Foreign], DidError> {
    match document.member(member) {
        None => Ok(&[]),
        Some(Foreign::Array(items)) => Ok(items),
        Some(_) => Err(DidError::Document {
            member,
            expected: "an array",
        }),
    }
}

/// The Ed25519 key of a method; none for another algorithm.
fn key(item: &Foreign, kind: &str, id: &str) -> Result<Option<PublicKey>, DidError> {
    let multibase = item.member("publicKeyMultibase");
    let jwk = item.member("publicKeyJwk");
    if multibase.is_some() && jwk.is_some() {
        return Err(DidError::Document {
            member: "verificationMethod",
            expected: "with one key each",
        });
    }
    let refused = |source| DidError::Key {
        did: clip(id),
        source,
    };
    match kind {
        "Multikey" | "Ed25519VerificationKey2020" => {
            let text = multibase.and_then(Foreign::as_text);
            let text = text.ok_or(DidError::Document {
                member: "publicKeyMultibase",
                expected: "a text in each Multikey",
            })?;
            // Every Multikey of an Ed25519 key begins so: 0xed 0x01 and 32 bytes in base58btc.
            if !text.starts_with("z6Mk") {
                return match kind {
                    "Multikey" => Ok(None),
                    _ => PublicKey::from_multibase(text).map(Some).map_err(refused),
                };
            }
            PublicKey::from_multibase(text).map(Some).map_err(refused)
        }
        "JsonWebKey" | "JsonWebKey2020" => {
            let jwk = match jwk {
                Some(jwk @ Foreign::Object(_)) => jwk,
                _ => {
                    return Err(DidError::Document {
                        member: "publicKeyJwk",
                        expected: "an object in each JsonWebKey",
                    });
                }
            };
            // Controlled Identifiers §2.2.3: a document never carries a secret.
            if jwk.member("d").is_some() {
                return Err(DidError::Document {
                    member: "publicKeyJwk",
                    expected: "without the secret key",
                });
            }
            web_key(jwk).map_or(Ok(None), |x| {
                let bytes = decode_base64url_array(x).map_err(|error| refused(error.into()))?;
                PublicKey::from_bytes(&bytes).map(Some).map_err(refused)
            })
        }
        _ => Ok(None),
    }
}

/// `x` of a JWK of an Ed25519 key (RFC 8037 §2) that may verify signatures.
fn web_key(jwk: &Foreign) -> Option<&str> {
    let text = |name| jwk.member(name).and_then(Foreign::as_text);
    let algorithm = jwk
        .member("alg")
        .is_none_or(|alg| matches!(alg.as_text(), Some("EdDSA" | "Ed25519")));
    let signing = jwk
        .member("use")
        .is_none_or(|word| word.as_text() == Some("sig"));
    match (text("kty"), text("crv")) {
        (Some("OKP"), Some("Ed25519")) if algorithm && signing => text("x"),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
