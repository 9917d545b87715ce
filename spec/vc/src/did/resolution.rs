//! What a resolver answers: DID Core v1.0 §7.1, DID Resolution v1.0 §4 and §10.

use zhao_spec::wire::PublicKey;
use zhao_spec::wire::foreign::Foreign;

/// The contexts of a document whose methods are Multikeys.
pub(super) const CONTEXTS: [&str; 2] = [
    "https://www.w3.org/ns/did/v1",
    "https://w3id.org/security/multikey/v1",
];
/// The context of a resolution result.
const RESULT_CONTEXT: &str = "https://w3id.org/did-resolution/v1";
/// The longest DID that is looked at, bytes.
const DID_BYTES: usize = 1_024;

/// Why a DID is not resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResolutionError {
    /// Not a DID, or not one of its method.
    #[error("the text is no DID")]
    InvalidDid,
    /// A did:key whose bytes are no Ed25519 key in canonical form, of an order worth having.
    #[error("the DID names no usable public key")]
    InvalidPublicKey,
    /// A did:key whose key has another length than its algorithm's.
    #[error("the public key has another length than its algorithm's")]
    InvalidPublicKeyLength,
    /// A DID of a method that is not resolved here.
    #[error("the method of the DID is not supported")]
    MethodNotSupported,
    /// There is no such identifier.
    #[error("there is no such DID")]
    NotFound,
    /// A representation that is not made.
    #[error("the representation asked for is not supported")]
    RepresentationNotSupported,
    /// A did:key of another algorithm than Ed25519.
    #[error("the algorithm of the public key is not supported")]
    UnsupportedPublicKeyType,
}

impl ResolutionError {
    /// The word of DID Core §7.1.2 and of the did:key method.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidDid => "invalidDid",
            Self::InvalidPublicKey => "invalidPublicKey",
            Self::InvalidPublicKeyLength => "invalidPublicKeyLength",
            Self::MethodNotSupported => "methodNotSupported",
            Self::NotFound => "notFound",
            Self::RepresentationNotSupported => "representationNotSupported",
            Self::UnsupportedPublicKeyType => "unsupportedPublicKeyType",
        }
    }

    /// The problem type of DID Resolution v1.0 §9.
    #[must_use]
    pub fn problem(&self) -> &'static str {
        match self {
            Self::InvalidDid => "https://www.w3.org/ns/did#INVALID_DID",
            Self::InvalidPublicKey => "https://w3id.org/security#INVALID_PUBLIC_KEY",
            Self::InvalidPublicKeyLength => "https://w3id.org/security#INVALID_PUBLIC_KEY_LENGTH",
            Self::MethodNotSupported => "https://www.w3.org/ns/did#METHOD_NOT_SUPPORTED",
            Self::NotFound => "https://www.w3.org/ns/did#NOT_FOUND",
            Self::RepresentationNotSupported => {
                "https://www.w3.org/ns/did#REPRESENTATION_NOT_SUPPORTED"
            }
            Self::UnsupportedPublicKeyType => {
                "https://w3id.org/security#UNSUPPORTED_PUBLIC_KEY_TYPE"
            }
        }
    }

    /// The HTTP status of the binding (DID Resolution v1.0 §10.1).
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::InvalidDid | Self::InvalidPublicKey | Self::InvalidPublicKeyLength => 400,
            Self::NotFound => 404,
            Self::RepresentationNotSupported => 406,
            Self::MethodNotSupported | Self::UnsupportedPublicKeyType => 501,
        }
    }
}

/// In which form an answer is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accept {
    /// The document alone.
    Document,
    /// A result as DID Core and the resolvers built on it have it: errors are words.
    Words,
    /// A result of DID Resolution v1.0: errors are problem objects.
    Problems,
}

impl Accept {
    /// From an `Accept` header; none for nothing that is made here.
    #[must_use]
    pub fn of(header: &str) -> Option<Self> {
        header.split(',').find_map(|range| {
            // A profile or a weight beside it makes no difference to what is answered.
            let kind = range.split(';').next().unwrap_or_default();
            let kind = kind.trim().to_ascii_lowercase();
            match kind.as_str() {
                "application/did-resolution" => Some(Self::Problems),
                "application/did+json" | "application/did" | "application/did+ld+json" => {
                    Some(Self::Document)
                }
                "" | "*/*" | "application/*" | "application/json" | "application/ld+json" => {
                    Some(Self::Words)
                }
                _ => None,
            }
        })
    }

    /// The media type of an answer in this form.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Document => "application/did+ld+json",
            Self::Words => "application/ld+json;profile=\"https://w3id.org/did-resolution\"",
            Self::Problems => "application/did-resolution",
        }
    }
}

/// What became of one resolution.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolution {
    /// The document, or why there is none.
    pub document: Result<Foreign, ResolutionError>,
}

impl Resolution {
    /// The body of the answer. An error has a result in every form, for it has no document.
    #[must_use]
    pub fn body(&self, accept: Accept) -> Foreign {
        let text = |text: &str| Foreign::Text(text.to_owned());
        let (document, metadata) = match &self.document {
            Ok(document) if accept == Accept::Document => return document.clone(),
            Ok(document) => (
                document.clone(),
                object([("contentType", text("application/did+ld+json"))]),
            ),
            Err(error) => {
                let error = match accept {
                    Accept::Problems => object([
                        ("type", text(error.problem())),
                        ("title", text(error.code())),
                        ("detail", text(&error.to_string())),
                    ]),
                    _ => text(error.code()),
                };
                (Foreign::Null, object([("error", error)]))
            }
        };
        object([
            ("@context", text(RESULT_CONTEXT)),
            ("didDocument", document),
            ("didDocumentMetadata", Foreign::Object(Vec::new())),
            ("didResolutionMetadata", metadata),
        ])
    }
}

/// Method and method-specific identifier of a DID (DID Core §3.1).
///
/// # Errors
/// [`ResolutionError::InvalidDid`]: also a DID URL with a path, query or fragment.
pub(super) fn parts(did: &str) -> Result<(&str, &str), ResolutionError> {
    let read = || {
        let (method, id) = did.strip_prefix("did:")?.split_once(':')?;
        let named = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        if did.len() > DID_BYTES || method.is_empty() || !method.bytes().all(named) {
            return None;
        }
        let mut rest = id.bytes();
        while let Some(byte) = rest.next() {
            match byte {
                b'%' => {
                    let hex = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_hexdigit());
                    if !hex(rest.next()) || !hex(rest.next()) {
                        return None;
                    }
                }
                b':' | b'.' | b'-' | b'_' => {}
                other if other.is_ascii_alphanumeric() => {}
                _ => return None,
            }
        }
        (!id.is_empty() && !id.ends_with(':')).then_some((method, id))
    };
    read().ok_or(ResolutionError::InvalidDid)
}

/// Resolves a did:key; whatever is not one is left to the caller's own methods by
/// [`ResolutionError::MethodNotSupported`].
///
/// # Errors
/// Not a DID, another method, or a key that is refused.
pub fn resolve_key(did: &str) -> Result<Foreign, ResolutionError> {
    let (method, id) = parts(did)?;
    if method != "key" {
        return Err(ResolutionError::MethodNotSupported);
    }
    // base58btc only; a version before the key (`did:key:1.1:z…`) was never in use.
    let digits = id.strip_prefix('z').ok_or(ResolutionError::InvalidDid)?;
    if !digits.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(ResolutionError::InvalidDid);
    }
    let bytes =
        zhao_spec::wire::binary::decode_multibase(id).map_err(|_| ResolutionError::InvalidDid)?;
    match bytes.as_slice() {
        [0xed, 0x01, key @ ..] if key.len() == PublicKey::BYTES => {
            let key =
                PublicKey::from_multibase(id).map_err(|_| ResolutionError::InvalidPublicKey)?;
            Ok(key_document(&key))
        }
        [0xed, 0x01, ..] => Err(ResolutionError::InvalidPublicKeyLength),
        _ => Err(ResolutionError::UnsupportedPublicKeyType),
    }
}

/// The document of a did:key: the key as a Multikey, for everything that signs.
#[must_use]
pub fn key_document(key: &PublicKey) -> Foreign {
    let text = |text: &str| Foreign::Text(text.to_owned());
    let (did, url) = (key.did_key(), key.verification_method());
    let method = object([
        ("id", text(&url)),
        ("type", text("Multikey")),
        ("controller", text(&did)),
        ("publicKeyMultibase", text(&key.to_multibase())),
    ]);
    let used = || Foreign::Array(vec![text(&url)]);
    object([
        ("@context", Foreign::Array(CONTEXTS.map(text).to_vec())),
        ("id", text(&did)),
        ("verificationMethod", Foreign::Array(vec![method])),
        ("authentication", used()),
        ("assertionMethod", used()),
        ("capabilityInvocation", used()),
        ("capabilityDelegation", used()),
    ])
}

fn object<const N: usize>(members: [(&str, Foreign); N]) -> Foreign {
    Foreign::Object(
        members
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
}

#[cfg(test)]
mod tests;
