//! Why an SD-JWT is not what it should be.

use zhao_spec::wire::binary::BinaryError;
use zhao_spec::wire::foreign::ForeignError;

use crate::jose::{ClaimsError, JoseError};

/// Why an SD-JWT is refused, or not made. Sections are of RFC 9901.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SdJwtError {
    /// A claim that everybody must see is disclosed, or digests stand in it.
    #[error("claim {name} may not be selectively disclosed")]
    AlwaysShown {
        /// Its name.
        name: &'static str,
    },
    /// A disclosure is not base64url.
    #[error("disclosure: {0}")]
    Base64(#[from] BinaryError),
    /// The key binding is of other disclosures or another JWT (§7.3).
    #[error("sd_hash of the key binding is of something else")]
    BindingHash,
    /// Key binding is required, and there is none.
    #[error("key binding is required and missing")]
    BindingMissing,
    /// The key binding was made too long ago.
    #[error("key binding is older than {limit} ms")]
    BindingOld {
        /// The greatest age, milliseconds.
        limit: u64,
    },
    /// `cnf` names no key that binding can be checked with.
    #[error("cnf: {detail}")]
    Cnf {
        /// What is wrong.
        detail: &'static str,
    },
    /// A disclosed name is that of a member already there (§7.1).
    #[error("disclosed claim {name} is already there")]
    Collision {
        /// The name, clipped.
        name: String,
    },
    /// The claims nest too deep.
    #[error("claims nest deeper than {limit}")]
    Depth {
        /// The limit.
        limit: usize,
    },
    /// A digest stands twice (§7.1).
    #[error("digest {digest} stands twice")]
    DigestTwice {
        /// The digest, clipped.
        digest: String,
    },
    /// `_sd` is not an array of texts, or `...` not the only member of an element (§4.2.4).
    #[error("{name} is not as digests stand")]
    Digests {
        /// Which of the two.
        name: &'static str,
    },
    /// A disclosure is not an array of salt, name and value, or of salt and value (§4.2).
    #[error("disclosure {detail}")]
    Disclosure {
        /// What is wrong.
        detail: &'static str,
    },
    /// A disclosure stands twice.
    #[error("disclosure {digest} stands twice")]
    DisclosureTwice {
        /// Its digest.
        digest: String,
    },
    /// `_sd_alg` is not `sha-256`.
    #[error("_sd_alg is not sha-256")]
    HashAlgorithm,
    /// What SD-JWT shares with JOSE: signatures, keys, claims.
    #[error(transparent)]
    Jose(#[from] JoseError),
    /// A disclosure is not JSON that everybody reads alike.
    #[error("disclosure: {0}")]
    Json(#[from] ForeignError),
    /// A disclosure of a member stands for an element, or the other way round (§7.1).
    #[error("disclosure {digest} stands in the wrong place")]
    Kind {
        /// Its digest.
        digest: String,
    },
    /// The licence's own form is not as it must be.
    #[error("licence: {member} {detail}")]
    Licence {
        /// The member.
        member: &'static str,
        /// What is wrong.
        detail: &'static str,
    },
    /// Too many.
    #[error("more than {limit} {what}")]
    Limit {
        /// Of what.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// A place that is none, or cannot be concealed.
    #[error("place {place} {detail}")]
    Place {
        /// The JSON Pointer, clipped.
        place: String,
        /// What is wrong.
        detail: &'static str,
    },
    /// A name that RFC 9901 keeps for itself stands where it may not.
    #[error("name {name} is reserved")]
    Reserved {
        /// The name.
        name: &'static str,
    },
    /// Not the compact form: parts, each followed by `~`.
    #[error("not an SD-JWT: no ~ after the JWT")]
    Serialization,
    /// Too long.
    #[error("{actual} bytes of {what} exceed the limit of {limit}")]
    TooLong {
        /// Of what.
        what: &'static str,
        /// The limit, bytes.
        limit: usize,
        /// How many there are, bytes.
        actual: usize,
    },
    /// A disclosure whose digest stands nowhere (§7.1).
    #[error("disclosure {digest} belongs to nothing here")]
    Unreferenced {
        /// Its digest.
        digest: String,
    },
    /// `vct` is missing, empty, or of another type than expected.
    #[error("vct {actual} is not the type that is expected")]
    Vct {
        /// What it is, clipped.
        actual: String,
    },
}

impl From<ClaimsError> for SdJwtError {
    fn from(error: ClaimsError) -> Self {
        Self::Jose(error.into())
    }
}

impl SdJwtError {
    /// The stable code of this kind of error; of what lies in other pages, theirs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::AlwaysShown { .. } => "sd-jwt-always-shown",
            Self::Base64(error) => error.code(),
            Self::BindingHash => "sd-jwt-binding-hash",
            Self::BindingMissing => "sd-jwt-binding-missing",
            Self::BindingOld { .. } => "sd-jwt-binding-old",
            Self::Cnf { .. } => "sd-jwt-cnf",
            Self::Collision { .. } => "sd-jwt-collision",
            Self::Depth { .. } => "sd-jwt-depth",
            Self::DigestTwice { .. } => "sd-jwt-digest-twice",
            Self::Digests { .. } => "sd-jwt-digests",
            Self::Disclosure { .. } => "sd-jwt-disclosure",
            Self::DisclosureTwice { .. } => "sd-jwt-disclosure-twice",
            Self::HashAlgorithm => "sd-jwt-hash-algorithm",
            Self::Jose(error) => error.code(),
            Self::Json(error) => error.code(),
            Self::Kind { .. } => "sd-jwt-kind",
            Self::Licence { .. } => "sd-jwt-licence",
            Self::Limit { .. } => "sd-jwt-limit",
            Self::Place { .. } => "sd-jwt-place",
            Self::Reserved { .. } => "sd-jwt-reserved",
            Self::Serialization => "sd-jwt-serialization",
            Self::TooLong { .. } => "sd-jwt-too-long",
            Self::Unreferenced { .. } => "sd-jwt-unreferenced",
            Self::Vct { .. } => "sd-jwt-vct",
        }
    }
}
