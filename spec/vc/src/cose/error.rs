//! Why a COSE_Sign1 is not what it should be.

use zhao_spec::wire::cbor::CborError;

use crate::jose::{ClaimsError, JoseError};

/// Why a COSE message is refused, or not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CoseError {
    /// The algorithm is not one that the policy allows.
    #[error("alg {actual} is not allowed")]
    Algorithm {
        /// What the header says.
        actual: i64,
    },
    /// Not the CBOR that must stand there.
    #[error(transparent)]
    Cbor(#[from] CborError),
    /// The content type is of another content.
    #[error("content type (3) is not {expected}")]
    ContentType {
        /// What it must be.
        expected: &'static str,
    },
    /// `crit` names labels; none is understood here (RFC 9052 §3.1).
    #[error("crit is there, and no critical label is understood")]
    Critical,
    /// The payload is not in the message.
    #[error("payload is detached")]
    Detached,
    /// A label stands twice, in one header or in both (RFC 9052 §3).
    #[error("label {label} stands twice")]
    Duplicate {
        /// The label.
        label: String,
    },
    /// A header parameter that would bring a key along.
    #[error("header parameter {label} is not taken from a message")]
    Forbidden {
        /// Its label.
        label: i64,
    },
    /// What COSE shares with JOSE: keys, claims, what is enveloped.
    #[error(transparent)]
    Jose(#[from] JoseError),
    /// A header parameter is missing where it must be.
    #[error("header parameter {label} is missing from the protected header")]
    Missing {
        /// Its label.
        label: i64,
    },
    /// Not tagged as a COSE_Sign1, 18.
    #[error("not a tagged COSE_Sign1")]
    Tag,
    /// `typ` is of another kind of message.
    #[error("typ (16) is not {expected}")]
    Type {
        /// What it must be.
        expected: &'static str,
    },
    /// A parameter stands where only protected ones count.
    #[error("header parameter {label} is not protected")]
    Unprotected {
        /// Its label.
        label: i64,
    },
}

impl From<ClaimsError> for CoseError {
    fn from(error: ClaimsError) -> Self {
        Self::Jose(error.into())
    }
}

impl CoseError {
    /// The stable code of this kind of error; of what lies in other pages, theirs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Algorithm { .. } => "cose-algorithm",
            Self::Cbor(error) => error.code(),
            Self::ContentType { .. } => "cose-content-type",
            Self::Critical => "cose-critical",
            Self::Detached => "cose-detached",
            Self::Duplicate { .. } => "cose-duplicate",
            Self::Forbidden { .. } => "cose-forbidden",
            Self::Jose(error) => error.code(),
            Self::Missing { .. } => "cose-missing",
            Self::Tag => "cose-tag",
            Self::Type { .. } => "cose-type",
            Self::Unprotected { .. } => "cose-unprotected",
        }
    }
}
