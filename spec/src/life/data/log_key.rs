//! Data of `rotate-log-key`: another key signs the log's heads from a size on.

use crate::log::tree::TreeSize;
use crate::wire::fields::{Fields, Malformed};
use crate::wire::signature::{PublicKey, SecretKey, Signature, SignatureError};
use crate::wire::write::ObjectWriter;

/// The key that signs heads of a size or more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogKey {
    /// Heads of this size or more count only with the key's signature.
    pub from: TreeSize,
    /// The log's new key.
    pub key: PublicKey,
    /// That key's signature over its own announcement: whoever brings it holds it. A mistyped key,
    /// or a witness's, would leave the log without anyone who can sign.
    pub proof: Signature,
}

impl LogKey {
    /// A key that its holder brings.
    #[must_use]
    pub fn new(secret: &SecretKey, origin: &str, from: TreeSize) -> Self {
        Self {
            from,
            key: secret.public(),
            proof: secret.sign(&announcement(origin)),
        }
    }

    /// Whether the key's holder brought it, for the log `origin`.
    ///
    /// # Errors
    /// What is wrong with the signature.
    pub fn check_proof(&self, origin: &str) -> Result<(), SignatureError> {
        self.key.verify(&announcement(origin), &self.proof)
    }

    pub(super) fn read(data: &mut Fields<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            from: TreeSize(data.int("from")?),
            key: data.key("key")?,
            proof: data.signature("proof")?,
        })
    }

    pub(super) fn write(&self, o: &mut ObjectWriter<'_>) {
        o.int("from", self.from.0)
            .key("key", &self.key)
            .bytes("proof", &self.proof.0);
    }
}

/// What the new key signs: `"zhao/v1 log key\n"` and the origin.
fn announcement(origin: &str) -> Vec<u8> {
    [b"zhao/v1 log key\n".as_slice(), origin.as_bytes()].concat()
}
