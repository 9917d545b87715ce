//! Receipts of a batch: the log has taken these events, which stand side by side in it.
//!
//! A thousand receipts share a head and most of their proofs. This keeps what they share; each of
//! them follows from it, the leaf hashes of the batch and its event, without asking the log again.

use crate::life::event::Event;
use crate::log::tlog_proof::TlogProof;
use crate::log::tree::{LeafIndex, LeafRange, OUTSIDE_LIMIT, TreeError};
use crate::wire::fields::hash_of;
use crate::wire::write::object_bytes;
use crate::wire::{Fields, Hash, Malformed, limits};

use super::document;
use super::head::{Head, LogProof};
use super::receipt::Receipt;

pub(super) const FORMAT: &str = "zhao/v1 receipts";

/// What the receipts of neighbouring leaves have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipts {
    /// How many leaves.
    pub count: u64,
    /// Index of the first.
    pub first: LeafIndex,
    /// An epoch that covers them.
    pub head: Head,
    /// Hashes of the subtrees outside the range in the tree of the head's checkpoint, from the
    /// left.
    pub outside: Vec<Hash>,
}

/// Why there is no receipt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiptsError {
    /// The number of leaf hashes is not the batch's.
    #[error("{actual} leaf hashes for a batch of {expected}")]
    Count {
        /// Leaves of the batch.
        expected: u64,
        /// Hashes handed in.
        actual: usize,
    },
    /// The event is not the leaf at this index.
    #[error("leaf {index} is another event")]
    Event {
        /// Where the event should be.
        index: LeafIndex,
    },
    /// The leaves and the checkpoint do not fit each other.
    #[error(transparent)]
    Tree(#[from] TreeError),
}

impl Receipts {
    /// Checks that `leaves`, in this order, are what the checkpoint commits to. That the checkpoint
    /// is signed by whom it must be is not looked at.
    ///
    /// # Errors
    /// See [`ReceiptsError`].
    pub fn check(&self, leaves: &[Hash]) -> Result<(), ReceiptsError> {
        let actual = self.range(leaves)?.root()?;
        let expected = self.head.checkpoint().root;
        if actual == expected {
            Ok(())
        } else {
            Err(TreeError::RootMismatch { expected, actual }.into())
        }
    }

    /// The receipt of the event at `index`, as the log would give it. `leaves` are those that
    /// [`Receipts::check`] has passed.
    ///
    /// # Errors
    /// See [`ReceiptsError`].
    pub fn receipt(
        &self,
        event: Event,
        index: LeafIndex,
        leaves: &[Hash],
    ) -> Result<Receipt, ReceiptsError> {
        let hashes = self.range(leaves)?.inclusion(index)?;
        let place = index.0.checked_sub(self.first.0);
        let leaf = place
            .and_then(|place| usize::try_from(place).ok())
            .and_then(|place| leaves.get(place));
        if leaf != Some(&event.leaf_hash()) {
            return Err(ReceiptsError::Event { index });
        }
        let text = TlogProof {
            index,
            hashes,
            extra: None,
            checkpoint: self.head.proof.checkpoint_text().to_owned(),
        };
        let proof = LogProof::new(text).expect("the head's checkpoint has been read");
        Ok(Receipt {
            event,
            head: self.head.clone(),
            index,
            proof,
        })
    }

    fn range<'a>(&'a self, leaves: &'a [Hash]) -> Result<LeafRange<'a>, ReceiptsError> {
        if u64::try_from(leaves.len()) != Ok(self.count) {
            let (expected, actual) = (self.count, leaves.len());
            return Err(ReceiptsError::Count { expected, actual });
        }
        Ok(LeafRange {
            first: self.first,
            leaves,
            outside: &self.outside,
            size: self.head.checkpoint().size,
        })
    }

    /// Reads what [`Receipts::bytes`] writes.
    ///
    /// # Errors
    /// Not canonical, over a limit, a member missing, unknown or of the wrong shape; more leaves
    /// than a batch has.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let value = document(bytes, limits::DOSSIER_BYTES)?;
        let mut fields = Fields::new(&value, "")?;
        fields.literal("format", FORMAT)?;
        let count = fields.int("count")?;
        let first = LeafIndex(fields.int("first")?);
        let head = Head::from_fields(&mut fields)?;
        let outside = fields.items("outside", OUTSIDE_LIMIT, hash_of)?;
        fields.finish()?;
        if !usize::try_from(count).is_ok_and(|count| (1..=limits::BATCH_EVENTS).contains(&count)) {
            let expected = "as many leaves as a batch may have";
            return Err(Malformed::value("count", expected, &count.to_string()));
        }
        Ok(Self {
            count,
            first,
            head,
            outside,
        })
    }

    /// The canonical bytes, without a newline.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        object_bytes(|out| {
            out.int("count", self.count);
            out.int("first", self.first.0);
            out.text("format", FORMAT);
            self.head.write(out);
            out.array("outside", |out| {
                for hash in &self.outside {
                    out.hash(hash);
                }
            });
        })
    }
}
