//! What can be wrong with a proof.

use zhao_spec::wire::{SignatureError, SignerError};

use crate::did::DidError;
use crate::rdf::RdfError;

/// Why a proof is not made, or does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// A member that is missing or of another kind.
    #[error("{member} is missing or not of its kind")]
    Shape {
        /// The member.
        member: &'static str,
    },
    /// The document has no proof.
    #[error("there is no proof")]
    Missing,
    /// More proofs than are read.
    #[error("more proofs than are read")]
    TooMany,
    /// Two proofs of one identifier, so that a third could mean either.
    #[error("two proofs are called {id}")]
    Duplicate {
        /// The identifier, clipped.
        id: String,
    },
    /// Another type than `DataIntegrityProof`.
    #[error("proof type {actual} is not DataIntegrityProof")]
    Type {
        /// What is there, clipped.
        actual: String,
    },
    /// A cryptosuite that is unknown, or not accepted here.
    #[error("cryptosuite {actual} is not accepted")]
    Suite {
        /// What is there, clipped.
        actual: String,
    },
    /// Made for something else.
    #[error("proof purpose {actual} is not {expected}")]
    Purpose {
        /// What is there, clipped.
        actual: String,
        /// What is demanded, clipped.
        expected: String,
    },
    /// A time that is no XML Schema `dateTimeStamp`.
    #[error("{member} {actual} is no dateTimeStamp")]
    Time {
        /// The member.
        member: &'static str,
        /// What is there, clipped.
        actual: String,
    },
    /// It no longer holds.
    #[error("the proof expired")]
    Expired,
    /// Made for somebody else, or for nobody in particular.
    #[error("the proof was not made for {expected}")]
    Domain {
        /// For whom it should be, clipped.
        expected: String,
    },
    /// It answers something else, or nothing: a proof made for another occasion.
    #[error("the proof does not answer this challenge")]
    Challenge,
    /// The proof's contexts are not the first of the document's.
    #[error("the contexts of the document do not begin with the proof's")]
    ContextPrefix,
    /// It is made upon a proof that the document does not have.
    #[error("the document has no proof {id} that this one is made upon")]
    Previous {
        /// The identifier, clipped.
        id: String,
    },
    /// No key for its verification method.
    #[error("verification method: {0}")]
    Method(DidError),
    /// Somebody else's key.
    #[error("the key is of {actual}, not of {expected}")]
    Controller {
        /// Whose it should be, clipped.
        expected: String,
        /// Whose it is, clipped.
        actual: String,
    },
    /// The document or the proof has no canonical RDF.
    #[error("{0}")]
    Rdf(RdfError),
    /// The signature does not hold, or is none.
    #[error("proofValue: {0}")]
    Signature(SignatureError),
    /// Nobody signed.
    #[error("{0}")]
    Signer(SignerError),
}

impl ProofError {
    /// The stable code of this kind of error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Shape { .. } => "proof-shape",
            Self::Missing => "proof-missing",
            Self::TooMany => "proof-too-many",
            Self::Duplicate { .. } => "proof-duplicate",
            Self::Type { .. } => "proof-type",
            Self::Suite { .. } => "proof-suite",
            Self::Purpose { .. } => "proof-purpose",
            Self::Time { .. } => "proof-time",
            Self::Expired => "proof-expired",
            Self::Domain { .. } => "proof-domain",
            Self::Challenge => "proof-challenge",
            Self::ContextPrefix => "proof-context",
            Self::Previous { .. } => "proof-previous",
            Self::Method(error) => error.code(),
            Self::Controller { .. } => "proof-controller",
            Self::Rdf(error) => error.code(),
            Self::Signature(error) => error.code(),
            Self::Signer(_) => "signer",
        }
    }
}
