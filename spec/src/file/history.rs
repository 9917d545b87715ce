//! A history: every event of one subject, each proved to be in the log.

use crate::life::event::Event;
use crate::life::leaf::Epoch;
use crate::life::record::Record;
use crate::log::tree::LeafIndex;
use crate::wire::write::object_bytes;
use crate::wire::{Fields, Hash, Malformed, Value, limits};

use super::authorities::write_event;
use super::head::Head;
use super::placed::Placed;
use super::{document, hashes};

pub(super) const FORMAT: &str = "zhao/v1 history";

/// One event with the epoch that recorded it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryEntry {
    /// The first epoch leaf after the event.
    pub epoch: Epoch,
    /// Inclusion proof of the epoch leaf under the head's checkpoint.
    pub epoch_path: Vec<Hash>,
    /// The signed event.
    pub event: Event,
    /// Its leaf index.
    pub index: LeafIndex,
    /// Inclusion proof of its leaf under the head's checkpoint.
    pub path: Vec<Hash>,
}

/// Every event of one subject up to its record at one head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// The events, in order.
    pub entries: Vec<HistoryEntry>,
    /// As of when.
    pub head: Head,
    /// The record they led to, and its place in the map.
    pub placed: Placed<Record>,
    /// Whose history.
    pub subject: Hash,
}

impl History {
    /// Reads a history.
    ///
    /// # Errors
    /// Not canonical, over a limit, a member missing, unknown or of the wrong shape.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        Self::from_value(&document(bytes, limits::PACK_BYTES)?, "")
    }

    pub(super) fn from_value(value: &Value, path: &str) -> Result<Self, Malformed> {
        let mut fields = Fields::new(value, path)?;
        fields.literal("format", FORMAT)?;
        let entries = fields.items("entries", limits::BATCH_EVENTS, entry_of)?;
        let head = Head::from_fields(&mut fields)?;
        let placed = Placed::from_fields(&mut fields)?;
        let subject = fields.hash("subject")?;
        fields.finish()?;
        Ok(Self {
            entries,
            head,
            placed,
            subject,
        })
    }

    /// The canonical bytes, without a newline.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        object_bytes(|out| {
            out.array("entries", |list| {
                for entry in &self.entries {
                    list.object(|one| {
                        one.raw("epoch", &entry.epoch.bytes());
                        one.array("epochPath", |path| {
                            for hash in &entry.epoch_path {
                                path.hash(hash);
                            }
                        });
                        write_event(one, &entry.event);
                        one.int("index", entry.index.0);
                        one.array("path", |path| {
                            for hash in &entry.path {
                                path.hash(hash);
                            }
                        });
                    });
                }
            });
            out.text("format", FORMAT);
            self.head.write(out);
            self.placed.write(out);
            out.hash("subject", &self.subject);
        })
    }
}

fn entry_of(value: &Value, path: &str) -> Result<HistoryEntry, Malformed> {
    let mut fields = Fields::new(value, path)?;
    let epoch = Epoch::from_value(fields.value("epoch")?, &fields.path_of("epoch"))?;
    let epoch_path = hashes(&mut fields, "epochPath")?;
    let event = Event::from_value(fields.value("event")?, &fields.path_of("event"))?;
    let index = LeafIndex(fields.int("index")?);
    let path = hashes(&mut fields, "path")?;
    fields.finish()?;
    Ok(HistoryEntry {
        epoch,
        epoch_path,
        event,
        index,
        path,
    })
}
