//! What can be wrong with a credential.

use crate::id::IdError;
use crate::wire::foreign::ForeignError;
use crate::wire::{JsonError, Malformed, SignatureError, SignerError};

/// Why a credential is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// The document's contexts do not begin with those of its proof (eddsa-jcs-2022 §3.3.2).
    #[error("contexts of the document do not begin with those of the proof")]
    ContextPrefix,
    /// A face data member whose name or value the profile does not allow.
    #[error("face data member {name:?}: {expected}")]
    FaceData {
        /// The member, clipped.
        name: String,
        /// What is allowed.
        expected: &'static str,
    },
    /// Not JSON that everybody reads alike.
    #[error("{0}")]
    Foreign(#[from] ForeignError),
    /// The holder code's check characters, by its type.
    #[error("holder code: {0}")]
    HolderCode(IdError),
    /// The identifier names another issuer than the claims.
    #[error("licence identifier names another issuer than issuingAuthorityCode")]
    IdentifierIssuer,
    /// The identifier names another type than the claims.
    #[error("licence identifier names another type than licenceTypeCode")]
    IdentifierType,
    /// `issuer.id` is not the key that the proof names.
    #[error("issuer is not the key of the proof")]
    IssuerKey,
    /// `issuer.unit` is not `issuingAuthorityCode`.
    #[error("issuer unit is not issuingAuthorityCode")]
    IssuerUnit,
    /// Not of the closed shape.
    #[error("{0}")]
    Malformed(#[from] Malformed),
    /// A number that fails its standard.
    #[error("{member}: {error}")]
    Number {
        /// The member.
        member: &'static str,
        /// What its standard says.
        error: IdError,
    },
    /// The document has no proof that is one object.
    #[error("document has no single proof")]
    NoProof,
    /// The proof's purpose is not `assertionMethod`.
    #[error("proof purpose is {actual:?}, not assertionMethod")]
    Purpose {
        /// The purpose, clipped.
        actual: String,
    },
    /// The signature, strictly.
    #[error("proof: {0}")]
    Signature(SignatureError),
    /// There is no signature: the signer did not give one.
    #[error("{0}")]
    Signer(#[from] SignerError),
    /// Another cryptosuite.
    #[error("cryptosuite is {actual:?}, not eddsa-jcs-2022")]
    Suite {
        /// The suite, clipped.
        actual: String,
    },
    /// The proof's type is not `DataIntegrityProof`.
    #[error("proof type is {actual:?}, not DataIntegrityProof")]
    Type {
        /// The type, clipped.
        actual: String,
    },
    /// The document is not an object with contexts, or the proof lacks a member.
    #[error("{member} is missing or of the wrong kind")]
    Shape {
        /// The member.
        member: &'static str,
    },
    /// `validFrom` is not before `validUntil`.
    #[error("validFrom is not before validUntil")]
    Validity,
    /// The verification method is not `did:key:<key>#<key>`.
    #[error("verification method is not did:key with its own key as fragment")]
    VerificationMethod,
}

impl CredentialError {
    /// Stable short code, used in vectors.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::ContextPrefix => "proof-context",
            Self::FaceData { .. } => "face-data",
            Self::Foreign(error) => error.code(),
            Self::HolderCode(error) | Self::Number { error, .. } => error.code(),
            Self::IdentifierIssuer => "identifier-issuer",
            Self::IdentifierType => "identifier-type",
            Self::IssuerKey => "issuer-key",
            Self::IssuerUnit => "issuer-unit",
            Self::Malformed(error) => error.code(),
            Self::NoProof => "proof-missing",
            Self::Purpose { .. } => "proof-purpose",
            Self::Signature(error) => error.code(),
            Self::Signer(_) => "signer",
            Self::Suite { .. } => "proof-suite",
            Self::Type { .. } => "proof-type",
            Self::Shape { .. } => "proof-shape",
            Self::Validity => "validity",
            Self::VerificationMethod => "verification-method",
        }
    }
}

impl From<JsonError> for CredentialError {
    fn from(error: JsonError) -> Self {
        Self::Malformed(error.into())
    }
}
