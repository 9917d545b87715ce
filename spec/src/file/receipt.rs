//! A receipt: the log has taken this event.

use crate::life::event::Event;
use crate::log::tree::LeafIndex;
use crate::wire::write::object_bytes;
use crate::wire::{Fields, Malformed, Value, limits};

use super::authorities::write_event;
use super::document;
use super::head::{Head, LogProof};

pub(super) const FORMAT: &str = "zhao/v1 receipt";

/// An event, and the proofs that a log has it and an epoch that covers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The signed event.
    pub event: Event,
    /// The epoch that covers it.
    pub head: Head,
    /// Its leaf index.
    pub index: LeafIndex,
    /// Inclusion proof of its leaf, under the head's checkpoint.
    pub proof: LogProof,
}

impl Receipt {
    /// Reads a receipt.
    ///
    /// # Errors
    /// Not canonical, over a limit, a member missing, unknown or of the wrong shape; an index
    /// that is not its proof's.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        Self::from_value(&document(bytes, limits::DOSSIER_BYTES)?, "")
    }

    pub(super) fn from_value(value: &Value, path: &str) -> Result<Self, Malformed> {
        let mut fields = Fields::new(value, path)?;
        fields.literal("format", FORMAT)?;
        let event = Event::from_value(fields.value("event")?, &fields.path_of("event"))?;
        let head = Head::from_fields(&mut fields)?;
        let index = LeafIndex(fields.int("index")?);
        let proof = LogProof::from_fields(&mut fields, "proof")?;
        if proof.index() != index {
            let found = index.0.to_string();
            return Err(Malformed::value(
                fields.path_of("index"),
                "the proof's index",
                &found,
            ));
        }
        fields.finish()?;
        Ok(Self {
            event,
            head,
            index,
            proof,
        })
    }

    /// The canonical bytes, without a newline.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        object_bytes(|out| {
            write_event(out, &self.event);
            out.text("format", FORMAT);
            self.head.write(out);
            out.int("index", self.index.0);
            out.text("proof", &self.proof.text());
        })
    }
}
