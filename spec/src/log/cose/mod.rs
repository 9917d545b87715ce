//! COSE receipts (RFC 9942): an inclusion proof, and the log's signature of the root it leads to.
//!
//! A receipt is a `COSE_Sign1` (RFC 9052) whose payload, the root, is left out: whoever verifies
//! computes it from the entry. No witness has a part in it, so it proves only what the log said.
//! Prose: `spec/cose-receipt.md`.

mod error;
mod read;

#[cfg(test)]
mod tests;

use super::checkpoint::Checkpoint;
use super::note::{KeyId, KeyKind, NoteSigner, Vkey};
use super::tree::{LeafIndex, TreeSize, check_inclusion, root_from_inclusion};
use crate::wire::cbor::Writer;
use crate::wire::clip;
use crate::wire::hash::Hash;
use crate::wire::signature::Signature;

pub use error::CoseError;

/// The media type of a receipt (RFC 9052, where `application/cose` is registered).
pub const MEDIA_TYPE: &str = "application/cose; cose-type=\"cose-sign1\"";

/// The tag of a `COSE_Sign1` (RFC 9052 §2).
const SIGN1: u64 = 18;
/// The context of its signature (RFC 9052 §4.4).
const CONTEXT: &str = "Signature1";
/// Labels of the protected header: RFC 9052 §3.1, RFC 9942 §2; the last is of private use.
const ALG: i64 = 1;
const KID: i64 = 4;
const VDS: i64 = 395;
const SIZE: i64 = -65_537;
/// The only label of the unprotected header (RFC 9942 §2).
const VDP: i64 = 396;
/// Inclusion proofs among the proofs (RFC 9942 §5.2).
const INCLUSION: i64 = -1;
/// `EdDSA` (RFC 9053 §2.2); the key says that it is Ed25519.
const EDDSA: i64 = -8;
/// `RFC9162_SHA256` (RFC 9942 §5.1).
const RFC9162_SHA256: i64 = 1;

/// A receipt in its parts, not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoseReceipt {
    /// Name of the key that signed: the log's origin. Signed.
    pub origin: String,
    /// Which key of that name. Signed.
    pub key_id: KeyId,
    /// Size of the tree. Signed.
    pub size: TreeSize,
    /// Position of the entry.
    pub index: LeafIndex,
    /// Inclusion proof, from the leaf's sibling to the root's child.
    pub hashes: Vec<Hash>,
    /// The log's signature.
    pub signature: Signature,
}

impl CoseReceipt {
    /// Makes the receipt of the entry hashed to `leaf`.
    ///
    /// It is as good as a second signature of the checkpoint: whoever has the key makes it for a
    /// head that was published under its quorum, and for no other.
    ///
    /// # Errors
    /// `KeyMismatch`, `PathEmpty`; `Tree`: the proof does not lead from the leaf to the
    /// checkpoint's root.
    pub fn sign(
        signer: &NoteSigner,
        checkpoint: &Checkpoint,
        index: LeafIndex,
        hashes: Vec<Hash>,
        leaf: &Hash,
    ) -> Result<Self, CoseError> {
        if checkpoint.origin != signer.name() {
            return Err(CoseError::KeyMismatch {
                expected: clip(signer.name()),
                actual: clip(&checkpoint.origin),
            });
        }
        if hashes.is_empty() {
            return Err(CoseError::PathEmpty);
        }
        let (size, root) = (checkpoint.size, checkpoint.root);
        check_inclusion(index, size, leaf, &hashes, &root)?;
        let mut receipt = Self {
            origin: checkpoint.origin.clone(),
            key_id: signer.key_id(),
            size,
            index,
            hashes,
            signature: Signature([0; 64]),
        };
        receipt.signature = signer.sign_bytes(&receipt.signed(&root));
        Ok(receipt)
    }

    /// The receipt's bytes: what [`CoseReceipt::parse`] reads.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut proof = Writer::default();
        proof.array(3);
        proof.unsigned(self.size.0);
        proof.unsigned(self.index.0);
        proof.array(self.hashes.len());
        for hash in &self.hashes {
            proof.bytes(&hash.0);
        }
        let mut out = Writer::default();
        out.tag(SIGN1);
        out.array(4);
        out.bytes(&self.protected());
        out.map(1);
        out.integer(VDP);
        out.map(1);
        out.integer(INCLUSION);
        out.array(1);
        out.bytes(&proof.finish());
        out.null();
        out.bytes(&self.signature.0);
        out.finish()
    }

    /// The root that the proof claims for the entry hashed to `leaf`. Nothing is verified.
    ///
    /// # Errors
    /// `Tree`.
    pub fn root(&self, leaf: &Hash) -> Result<Hash, CoseError> {
        Ok(root_from_inclusion(
            self.index,
            self.size,
            leaf,
            &self.hashes,
        )?)
    }

    /// Checks that the log with this key said that the entry hashed to `leaf` is in its tree, at
    /// the receipt's index. Gives what it said: origin, size and root, as a checkpoint does.
    ///
    /// No witness need have seen that tree.
    ///
    /// # Errors
    /// `Key`, `KeyMismatch`, `Tree`, `BadSignature`.
    pub fn verify(&self, leaf: &Hash, key: &Vkey) -> Result<Checkpoint, CoseError> {
        let public = key.expect(KeyKind::Ed25519)?;
        if !self.is_by(key) {
            return Err(CoseError::KeyMismatch {
                expected: clip(&kid(key.name(), key.id())),
                actual: clip(&kid(&self.origin, self.key_id)),
            });
        }
        let root = self.root(leaf)?;
        public
            .verify(&self.signed(&root), &self.signature)
            .map_err(|_| CoseError::BadSignature)?;
        Ok(Checkpoint {
            origin: self.origin.clone(),
            size: self.size,
            root,
        })
    }

    /// Whether the receipt claims to be by this key.
    #[must_use]
    pub fn is_by(&self, key: &Vkey) -> bool {
        self.origin == key.name() && self.key_id == key.id()
    }

    /// What is signed: the `Sig_structure` (RFC 9052 §4.4) of the protected header and the root.
    fn signed(&self, root: &Hash) -> Vec<u8> {
        let mut out = Writer::default();
        out.array(4);
        out.text(CONTEXT);
        out.bytes(&self.protected());
        out.bytes(&[]);
        out.bytes(&root.0);
        out.finish()
    }

    fn protected(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.map(4);
        out.integer(ALG);
        out.integer(EDDSA);
        out.integer(KID);
        out.bytes(kid(&self.origin, self.key_id).as_bytes());
        out.integer(VDS);
        out.integer(RFC9162_SHA256);
        out.integer(SIZE);
        out.unsigned(self.size.0);
        out.finish()
    }
}

/// Whether a file begins as a receipt does: tag 18 and an array of four. No JSON text and no QR
/// form begins so.
#[must_use]
pub fn is_receipt(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0xd2, 0x84])
}

/// How a receipt names a key: as a verifier key's text begins.
fn kid(name: &str, id: KeyId) -> String {
    format!("{name}+{id}")
}
