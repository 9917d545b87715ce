//! Why a receipt was refused.

use thiserror::Error;

use crate::log::note::NoteError;
use crate::log::tree::{TreeError, TreeSize};
use crate::wire::cbor::CborError;

/// Why a receipt was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CoseError {
    /// Another signature algorithm than EdDSA.
    #[error("algorithm is {actual}, expected -8")]
    Algorithm {
        /// What the receipt says.
        actual: i64,
    },
    /// The log did not sign the root that entry and proof lead to.
    #[error("signature of the root does not verify")]
    BadSignature,
    /// Not deterministic CBOR of this shape.
    #[error(transparent)]
    Cbor(#[from] CborError),
    /// A header lacks a parameter.
    #[error("header parameter {label} is missing")]
    HeaderMissing {
        /// Its label.
        label: i64,
    },
    /// A header has a parameter that does not belong there.
    #[error("header parameter {label} does not belong there")]
    HeaderUnknown {
        /// Its label.
        label: i64,
    },
    /// The key that should verify cannot sign checkpoints.
    #[error(transparent)]
    Key(#[from] NoteError),
    /// The receipt names another key.
    #[error("receipt is by {actual:?}, expected {expected:?}")]
    KeyMismatch {
        /// Name and id of the key at hand.
        expected: String,
        /// Beginning of those in the receipt.
        actual: String,
    },
    /// The key's identifier is not `<name>+<8 hex digits>`.
    #[error("key identifier is malformed")]
    Kid,
    /// The proof has no hashes.
    #[error("proof has no hashes: a receipt cannot say that a leaf is alone")]
    PathEmpty,
    /// The root stands in the receipt, where it must be computed.
    #[error("payload is attached")]
    PayloadAttached,
    /// Not one inclusion proof.
    #[error("{actual} inclusion proofs, expected 1")]
    ProofCount {
        /// How many there are.
        actual: u64,
    },
    /// A proof of another kind.
    #[error("proofs of kind {label}, expected -1")]
    ProofKind {
        /// Its label.
        label: i64,
    },
    /// More hashes than any proof has.
    #[error("more than 64 hashes")]
    ProofLimit,
    /// The proof is for another size than the log signed.
    #[error("proof is for size {actual}, signed is {expected}")]
    SizeDiffers {
        /// In the protected header.
        expected: TreeSize,
        /// In the proof.
        actual: TreeSize,
    },
    /// The receipt is too long.
    #[error("receipt of {length} bytes is longer than 4096")]
    SizeLimit {
        /// Bytes of the receipt.
        length: usize,
    },
    /// Not tagged as a `COSE_Sign1`.
    #[error("not a tagged COSE_Sign1")]
    Tag,
    /// Index, size and number of hashes do not fit each other; when signing: nor the root.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// Another verifiable data structure than `RFC9162_SHA256`.
    #[error("verifiable data structure is {actual}, expected 1")]
    Vds {
        /// What the receipt says.
        actual: i64,
    },
}

impl CoseError {
    /// The stable code used in vectors and reports.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Algorithm { .. } => "algorithm",
            Self::BadSignature => "bad_signature",
            Self::Cbor(error) => error.code(),
            Self::HeaderMissing { .. } => "header_missing",
            Self::HeaderUnknown { .. } => "header_unknown",
            Self::Key(error) => error.code(),
            Self::KeyMismatch { .. } => "key_mismatch",
            Self::Kid => "kid",
            Self::PathEmpty => "path_empty",
            Self::PayloadAttached => "payload_attached",
            Self::ProofCount { .. } => "proof_count",
            Self::ProofKind { .. } => "proof_kind",
            Self::ProofLimit => "proof_limit",
            Self::SizeDiffers { .. } => "size_differs",
            Self::SizeLimit { .. } => "size_limit",
            Self::Tag => "tag",
            Self::Tree(TreeError::SizeLimit { .. }) => "tree_size_limit",
            Self::Tree(error) => error.code(),
            Self::Vds { .. } => "vds",
        }
    }
}
