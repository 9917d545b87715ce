//! COSE receipts: the one thing beside heads that the log's key signs.
//!
//! A receipt is the log's statement of a head in another encoding, and carries no cosignature. So
//! it is made for a head only after that head was published under its quorum: whatever this key
//! says here, it has said in a checkpoint that the witnesses have seen.
//! Prose: `spec/cose-receipt.md`.

use std::sync::Arc;

use zhao_spec::log::LogKeys;
use zhao_spec::log::checkpoint::CheckpointError;
use zhao_spec::log::cose::{CoseError, CoseReceipt};
use zhao_spec::log::policy::OpenError;
use zhao_spec::wire::Hash;

use super::{LogSigner, Quorum};
use crate::read::{ReadError, View};

/// Why there is no COSE receipt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// The stored head is not this log's.
    #[error("stored head: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// The stored head does not have the event where its leaf is said to be.
    #[error("stored head: {0}")]
    Cose(#[from] CoseError),
    /// The stored head has a false signature.
    #[error("stored head: {0}")]
    Open(#[from] OpenError),
    /// The event is not under the head, or cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The key that signed the stored head is not here any more; the next head has another.
    #[error("the key that signed the head is not here")]
    WithoutKey,
    /// The stored head has not the cosignatures that the quorum asks for.
    #[error("the head has no quorum")]
    WithoutQuorum,
}

/// Signs COSE receipts with the log's key, beside the sequencer, which need not be waited for.
pub struct ReceiptSigner {
    signer: Arc<LogSigner>,
    keys: LogKeys,
    quorum: Quorum,
}

impl std::fmt::Debug for ReceiptSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReceiptSigner")
            .field("origin", &self.signer.origin())
            .finish_non_exhaustive()
    }
}

impl ReceiptSigner {
    pub(super) fn new(signer: Arc<LogSigner>, keys: LogKeys, quorum: Quorum) -> Self {
        Self {
            signer,
            keys,
            quorum,
        }
    }

    /// The receipt of an event under the view's head, by the event's identity.
    ///
    /// A view is only ever of a published head. All the same its note is judged again here, by
    /// log key and quorum: what stands in the database is not what decides what the key signs.
    ///
    /// # Errors
    /// See [`ReceiptError`].
    pub fn receipt(&self, view: &View<'_>, event: &Hash) -> Result<CoseReceipt, ReceiptError> {
        let (checkpoint, note) = self.keys.open(view.note())?;
        if !self.quorum.is_met(view.note())? {
            return Err(ReceiptError::WithoutQuorum);
        }
        // With a key that signed this head: of several the newest, which those follow who know it.
        let signer = self.signer.of(&note).ok_or(ReceiptError::WithoutKey)?;
        let found = view.receipt(event)?;
        let hashes = found.proof.path().to_vec();
        let leaf = found.event.leaf_hash();
        Ok(CoseReceipt::sign(
            signer,
            &checkpoint,
            found.index,
            hashes,
            &leaf,
        )?)
    }
}
