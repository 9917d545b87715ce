//! A head: what a checkpoint says about the map.

use crate::life::leaf::Epoch;
use crate::log::checkpoint::Checkpoint;
use crate::log::note::SignedNote;
use crate::log::tlog_proof::TlogProof;
use crate::log::tree::LeafIndex;
use crate::wire::write::ObjectWriter;
use crate::wire::{Fields, Hash, Malformed, limits};

use super::below;

/// A `c2sp.org/tlog-proof@v1` text, its checkpoint read. Nothing is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogProof {
    proof: TlogProof,
    note: SignedNote,
    checkpoint: Checkpoint,
}

impl LogProof {
    /// A proof whose checkpoint can be read.
    ///
    /// # Errors
    /// The checkpoint is no signed note, or its text no checkpoint; extra data, which nothing
    /// here would authenticate.
    pub fn new(proof: TlogProof) -> Result<Self, Malformed> {
        if proof.extra.is_some() {
            return Err(Malformed::value(
                "",
                "a tlog-proof without extra data",
                "extra",
            ));
        }
        let note = SignedNote::parse(&proof.checkpoint)
            .map_err(|error| Malformed::value("", "a signed note", error.code()))?;
        let checkpoint = Checkpoint::parse(note.text())
            .map_err(|error| Malformed::value("", "a checkpoint", error.code()))?;
        Ok(Self {
            proof,
            note,
            checkpoint,
        })
    }

    /// The proof of another leaf under the same checkpoint.
    #[must_use]
    pub fn beside(&self, index: LeafIndex, hashes: Vec<Hash>) -> Self {
        Self {
            proof: TlogProof {
                index,
                hashes,
                extra: None,
                checkpoint: self.proof.checkpoint.clone(),
            },
            note: self.note.clone(),
            checkpoint: self.checkpoint.clone(),
        }
    }

    /// Reads the proof's text.
    ///
    /// # Errors
    /// Not a tlog-proof, or its checkpoint is none.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let proof = TlogProof::parse(text)
            .map_err(|error| Malformed::value("", "a tlog-proof", error.code()))?;
        Self::new(proof)
    }

    /// The text as read.
    #[must_use]
    pub fn text(&self) -> String {
        self.proof.format()
    }

    /// Index of the leaf that is proved.
    #[must_use]
    pub fn index(&self) -> LeafIndex {
        self.proof.index
    }

    /// Siblings from the leaf to the root.
    #[must_use]
    pub fn path(&self) -> &[Hash] {
        &self.proof.hashes
    }

    /// Origin, size and root that the checkpoint states.
    #[must_use]
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The checkpoint with its signatures.
    #[must_use]
    pub fn note(&self) -> &SignedNote {
        &self.note
    }

    /// The checkpoint's text with its signatures, byte for byte.
    pub(super) fn checkpoint_text(&self) -> &str {
        &self.proof.checkpoint
    }

    /// The text member `name` of a file.
    pub(super) fn from_fields(fields: &mut Fields<'_>, name: &str) -> Result<Self, Malformed> {
        let path = fields.path_of(name);
        let text = fields.text_within(name, limits::TEXT_BYTES)?;
        Self::parse(text).map_err(|error| below(&path, error))
    }
}

/// An epoch leaf, and the proof that a log has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The epoch leaf.
    pub epoch: Epoch,
    /// Its inclusion proof, checkpoint and cosignatures verbatim.
    pub proof: LogProof,
}

impl Head {
    /// Origin, size and root that the checkpoint states.
    #[must_use]
    pub fn checkpoint(&self) -> &Checkpoint {
        self.proof.checkpoint()
    }

    /// The member `head` of a file.
    pub(super) fn from_fields(fields: &mut Fields<'_>) -> Result<Self, Malformed> {
        let mut head = fields.object("head")?;
        let epoch = Epoch::from_value(head.value("epoch")?, &head.path_of("epoch"))?;
        let proof = LogProof::from_fields(&mut head, "proof")?;
        head.finish()?;
        Ok(Self { epoch, proof })
    }

    /// Writes the member `head`.
    pub(super) fn write(&self, out: &mut ObjectWriter<'_>) {
        out.object("head", |head| {
            head.raw("epoch", &self.epoch.bytes());
            head.text("proof", &self.proof.text());
        });
    }
}
