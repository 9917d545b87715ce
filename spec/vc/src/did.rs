//! Decentralised identifiers: did:key, did:web, and what a resolver answers.
//! Prose: `spec/did.md`.
//!
//! A proof names a verification method by a DID URL. Whoever checks the proof asks a [`Methods`]
//! for the key behind it and for whose it is; nothing is fetched to answer.
//!
//! In scope: did:key, did:web's mapping to a URL, somebody's document read ([`Document`]), a unit's
//! written ([`unit_document`]), and what a resolver answers ([`Resolution`]). Out of scope: asking
//! for a document over a network.

use zhao_spec::wire::{PublicKey, Signature, SignatureError, clip};

mod at_hand;
mod document;
mod known;
mod resolution;
mod unit;
mod web;

pub use at_hand::AtHand;
pub use document::{Document, METHODS};
pub use known::KnownKeys;
pub use resolution::{Accept, Resolution, ResolutionError, key_document, resolve_key};
pub use unit::{UnitMethods, unit_document};
pub use web::{unit_did, web_url};

/// Why there is no key for a verification method.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DidError {
    /// Not a DID URL of a form that is read.
    #[error("{did} is not a DID that is read here")]
    Unknown {
        /// What was asked for, clipped.
        did: String,
    },
    /// A key that the ledger says is compromised, or was not in force when it signed.
    #[error("{url} was not in force there")]
    NotInForce {
        /// The method's URL, clipped.
        url: String,
    },
    /// A method of somebody else, whose own document was not asked.
    #[error("{url} has another controller than its document")]
    Controller {
        /// The method's URL, clipped.
        url: String,
    },
    /// A member of a document is missing or not what it must be.
    #[error("{member} of a DID document is not {expected}")]
    Document {
        /// The member.
        member: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// One identifier twice: two readers could take two keys for it.
    #[error("{url} stands twice in a DID document")]
    Duplicate {
        /// The method's URL, clipped.
        url: String,
    },
    /// A document of another identifier than was asked for.
    #[error("the DID document is {actual}'s")]
    Id {
        /// Its `id`, clipped.
        actual: String,
    },
    /// A key of an algorithm that is not read.
    #[error("{url} is no Ed25519 key")]
    KeyType {
        /// The method's URL, clipped.
        url: String,
    },
    /// A did:key whose key is refused.
    #[error("the key of {did}: {source}")]
    Key {
        /// The identifier, clipped.
        did: String,
        /// What is wrong with it.
        source: SignatureError,
    },
    /// The identifier's document has no such method.
    #[error("{url} is no verification method of its document")]
    NoMethod {
        /// The method's URL, clipped.
        url: String,
    },
    /// The method is there, but not for this purpose.
    #[error("{url} may not be used for {purpose}")]
    Purpose {
        /// The method's URL, clipped.
        url: String,
        /// The purpose that was asked for, clipped.
        purpose: String,
    },
}

impl DidError {
    /// The stable code of this kind of error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Controller { .. } => "did-controller",
            Self::Document { .. } => "did-document",
            Self::Duplicate { .. } => "did-duplicate",
            Self::Id { .. } => "did-id",
            Self::KeyType { .. } => "did-key-type",
            Self::NotInForce { .. } => "did-not-in-force",
            Self::Unknown { .. } => "did-unknown",
            Self::Key { .. } => "did-key",
            Self::NoMethod { .. } => "did-no-method",
            Self::Purpose { .. } => "did-purpose",
        }
    }
}

/// One key that a proof may have been made with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    /// Its DID URL, absolute.
    pub id: String,
    /// The DID whose key it is: what an issuer is compared with.
    pub controller: String,
    /// The key.
    pub key: PublicKey,
}

/// Whoever knows keys by their DID URLs.
pub trait Methods {
    /// The key of `url`, if it may be used for `purpose` (`assertionMethod`, `authentication`).
    ///
    /// # Errors
    /// No such identifier, no such key, or not for this purpose.
    fn method(&self, url: &str, purpose: &str) -> Result<Method, DidError>;

    /// Checks a signature by a key that [`Methods::method`] gave, strictly. Whoever keeps keys
    /// prepared may be faster; the verdict is the same.
    ///
    /// # Errors
    /// As [`PublicKey::verify`].
    fn check(
        &self,
        method: &Method,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), SignatureError> {
        method.key.verify(message, signature)
    }
}

/// did:key of Ed25519 keys: the identifier is the key, and it may be used for everything.
///
/// Source: The did:key Method v0.9 (W3C CCG).
#[derive(Clone, Copy, Debug, Default)]
pub struct DidKey;

impl Methods for DidKey {
    fn method(&self, url: &str, purpose: &str) -> Result<Method, DidError> {
        let (did, fragment) = url
            .split_once('#')
            .ok_or_else(|| DidError::NoMethod { url: clip(url) })?;
        let text = did
            .strip_prefix("did:key:")
            .ok_or_else(|| DidError::Unknown { did: clip(did) })?;
        let key = PublicKey::from_multibase(text).map_err(|source| DidError::Key {
            did: clip(did),
            source,
        })?;
        if fragment != text {
            return Err(DidError::NoMethod { url: clip(url) });
        }
        match purpose {
            "assertionMethod"
            | "authentication"
            | "capabilityInvocation"
            | "capabilityDelegation" => Ok(Method {
                id: url.to_owned(),
                controller: did.to_owned(),
                key,
            }),
            other => Err(DidError::Purpose {
                url: clip(url),
                purpose: clip(other),
            }),
        }
    }
}
