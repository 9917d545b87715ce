//! Why a JWS is not what it should be.

use zhao_spec::wire::binary::BinaryError;
use zhao_spec::wire::foreign::ForeignError;
use zhao_spec::wire::{SignatureError, SignerError};

use super::ClaimsError;
use crate::did::DidError;

/// Why a JWS is refused, or not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JoseError {
    /// `alg` is not one that the policy allows; `none` and every MAC among them.
    #[error("alg {actual} is not allowed")]
    Algorithm {
        /// What the header says, clipped.
        actual: String,
    },
    /// A part is not base64url without padding (RFC 7515 §2).
    #[error("{part}: {source}")]
    Base64 {
        /// Which part.
        part: &'static str,
        /// What is wrong with it.
        source: BinaryError,
    },
    /// What the document and the claims say does not fit.
    #[error(transparent)]
    Claims(#[from] ClaimsError),
    /// `cty` is of another content (VC-JOSE-COSE §3.1).
    #[error("cty is {actual} where {expected} is expected")]
    ContentType {
        /// What it must be.
        expected: &'static str,
        /// What it is, clipped.
        actual: String,
    },
    /// `crit` names extensions; none is understood here (RFC 7515 §4.1.11).
    #[error("crit is there, and no critical extension is understood")]
    Critical,
    /// A document is not enveloped as it must be (VCDM 2.0 §4.13.1).
    #[error("{place}: {detail}")]
    Envelope {
        /// Where.
        place: &'static str,
        /// What is wrong.
        detail: &'static str,
    },
    /// A header parameter that would bring a key along or change what is signed.
    #[error("header parameter {name} is not taken from a message")]
    Forbidden {
        /// Its name.
        name: &'static str,
    },
    /// A header parameter of another type than it must have.
    #[error("header parameter {name} is not a text")]
    Header {
        /// Its name.
        name: &'static str,
    },
    /// A part is not JSON that everybody reads alike.
    #[error("{part}: {source}")]
    Json {
        /// Which part.
        part: &'static str,
        /// What is wrong with it.
        source: ForeignError,
    },
    /// A JWK is not the public Ed25519 key it must be (RFC 8037 §2).
    #[error("jwk: {detail}")]
    Jwk {
        /// What is wrong.
        detail: &'static str,
    },
    /// `kid` names no key by itself: it is not absolute, and there is no `iss` (§4.1.1).
    #[error("kid {kid} is not absolute")]
    Kid {
        /// What it is, clipped.
        kid: String,
    },
    /// There is no such key, or not for this purpose.
    #[error(transparent)]
    Method(#[from] DidError),
    /// A header parameter is missing.
    #[error("header parameter {name} is missing")]
    Missing {
        /// Its name.
        name: &'static str,
    },
    /// A part is not an object.
    #[error("{part} is not an object")]
    Object {
        /// Which part.
        part: &'static str,
    },
    /// Not the compact serialisation: three parts (RFC 7515 §7.1).
    #[error("not three parts with dots between them")]
    Serialization,
    /// The signature is not one of that key over these bytes.
    #[error("signature: {0}")]
    Signature(#[from] SignatureError),
    /// There is no signature.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The signer's key is not the one that the method names.
    #[error("the signer has another key than {method}")]
    SignerKey {
        /// The method, clipped.
        method: String,
    },
    /// Too long.
    #[error("{actual} bytes of {part} exceed the limit of {limit}")]
    TooLong {
        /// Of what.
        part: &'static str,
        /// The limit, bytes.
        limit: usize,
        /// How many there are, bytes.
        actual: usize,
    },
    /// `typ` is of another kind of message (RFC 8725 §3.11).
    #[error("typ is {actual} where {expected} is expected")]
    Type {
        /// What it must be.
        expected: &'static str,
        /// What it is, clipped.
        actual: String,
    },
}

impl JoseError {
    /// The stable code of this kind of error; of what lies in other pages, theirs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Algorithm { .. } => "jose-algorithm",
            Self::Base64 { source, .. } => source.code(),
            Self::Claims(error) => error.code(),
            Self::ContentType { .. } => "jose-content-type",
            Self::Critical => "jose-critical",
            Self::Envelope { .. } => "jose-envelope",
            Self::Forbidden { .. } => "jose-forbidden",
            Self::Header { .. } => "jose-header",
            Self::Json { source, .. } => source.code(),
            Self::Jwk { .. } => "jose-jwk",
            Self::Kid { .. } => "jose-kid",
            Self::Method(error) => error.code(),
            Self::Missing { .. } => "jose-missing",
            Self::Object { .. } => "jose-object",
            Self::Serialization => "jose-serialization",
            Self::Signature(error) => error.code(),
            Self::Signer(_) => "jose-signer",
            Self::SignerKey { .. } => "jose-signer-key",
            Self::TooLong { .. } => "jose-too-long",
            Self::Type { .. } => "jose-type",
        }
    }
}
