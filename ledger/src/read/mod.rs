//! Proofs: everything a reader can ask for, as of the newest published head.
//!
//! A [`View`] is one snapshot of the store, so that leaf, record, path and checkpoint are of one
//! moment whatever the sequencer does meanwhile. What is below the published head is not shown.

mod authority;
mod subject;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use zhao_spec::file::{Head, LogProof, Receipt, Receipts};
use zhao_spec::life::event::Event;
use zhao_spec::life::leaf::{Epoch, Leaf};
use zhao_spec::life::record::Record;
use zhao_spec::log::checkpoint::{Checkpoint, CheckpointError};
use zhao_spec::log::note::SignedNote;
use zhao_spec::log::tile::{Kind, Tile, encode_bundle};
use zhao_spec::log::tlog_proof::TlogProof;
use zhao_spec::log::tree::{LeafIndex, TreeSize, prove_consistency, prove_inclusion, prove_range};
use zhao_spec::map::MapPath;
use zhao_spec::wire::{Hash, Malformed, UnixMillis};

use crate::map::edition::Edition;
use crate::map::{Maps, StatusMap};
use crate::overlay::record_of;
use crate::sequence::recover::{committed_size, epoch_at, stated_map};
use crate::store::layout::{Epochs, EventIds, Heads, Leaves, Meta, MetaKey, Tiles};
use crate::store::{self, Read, Snapshot, Store, StoreError};
use crate::tree::{KeptTree, StoredTree, bad_tile, flatten};

/// Why something cannot be shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// No published head covers it (or it was never logged).
    #[error("no {what} under the published head")]
    Absent {
        /// What was asked for.
        what: &'static str,
    },
    /// The stored head cannot be read.
    #[error("stored head: {0}")]
    Head(#[from] CheckpointError),
    /// A stored leaf or record cannot be read.
    #[error("stored {what}: {error}")]
    Malformed {
        /// What.
        what: &'static str,
        /// What is wrong.
        error: Malformed,
    },
    /// Nothing was published yet.
    #[error("nothing is published yet")]
    NothingPublished,
    /// The database.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// More than one file may hold.
    #[error("more than {limit} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// The record at a key is not of the kind it must be.
    #[error("the record is of kind {actual}, not {expected}")]
    WrongKind {
        /// Kind needed.
        expected: &'static str,
        /// Kind found.
        actual: &'static str,
    },
}

/// Reads a log's database; many readers may share it with the one sequencer.
#[derive(Clone)]
pub struct Reader {
    store: Arc<dyn Store>,
    maps: Arc<Maps>,
    /// Whether a sequencer keeps the maps. Else this reader makes them, and keeps the newest.
    beside: bool,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("beside", &self.beside)
            .finish_non_exhaustive()
    }
}

/// How often a head is looked at anew because a newer one replaced it meanwhile.
const TURNS: usize = 64;

impl Reader {
    /// A reader of this database. It makes the map from the records: long work for a large log, so
    /// in the sequencer's process take [`Sequencer::reader`](crate::sequence::Sequencer::reader).
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            maps: Arc::new(Maps::new()),
            beside: false,
        }
    }

    /// A reader that shares the sequencer's maps.
    pub(crate) fn beside(store: Arc<dyn Store>, maps: Arc<Maps>) -> Self {
        Self {
            store,
            maps,
            beside: true,
        }
    }

    /// The newest published head, and a view as of it.
    ///
    /// # Errors
    /// Nothing published; the store's; records that are not those of the head's map.
    pub fn latest(&self) -> Result<View<'_>, ReadError> {
        for _ in 0..TURNS {
            let view = View::newest(self.store.snapshot()?)?;
            let epoch = view.epoch.epoch;
            if let Some(map) = self.maps.get(epoch) {
                return Ok(View { map, ..view });
            }
            // The sequencer keeps a map before it publishes its head, and until a newer head is
            // published: look at that one.
            if self.maps.any_after(epoch) && self.beside {
                continue;
            }
            return self.load(view);
        }
        self.load(View::newest(self.store.snapshot()?)?)
    }

    /// The newest published head and the log under it, without the map: what a reader of static
    /// files asks for. Nothing is made from the records.
    ///
    /// # Errors
    /// Nothing published; the store's.
    pub fn published(&self) -> Result<Published<'_>, ReadError> {
        Ok(Published(View::newest(self.store.snapshot()?)?))
    }

    /// A number that grows when a newer head is published, for whoever keeps what was read; nothing
    /// where no sequencer is beside this reader to count.
    #[must_use]
    pub fn turn(&self) -> Option<u64> {
        self.beside.then(|| self.maps.published())
    }

    /// The published head that stood at `at`, and a view as of it: the newest one whose epoch was
    /// recorded at `at` or before. Its map is made from the records on disk, so this is long work
    /// for a large log.
    ///
    /// # Errors
    /// No head is that old, or the records of its time are no longer kept; the store's.
    pub fn as_of(&self, at: UnixMillis) -> Result<View<'_>, ReadError> {
        let newest = View::newest(self.store.snapshot()?)?;
        let absent = ReadError::Absent { what: "head" };
        if newest.epoch.time <= at {
            return self.latest();
        }
        // Epoch times never fall: halve the range of numbers, for the first epoch after `at`.
        let (mut low, mut high) = (0, newest.epoch.epoch);
        while low < high {
            let middle = low.midpoint(high);
            if newest.epoch_numbered(middle)?.time > at {
                high = middle;
            } else {
                low = middle.saturating_add(1);
            }
        }
        // An epoch that found no quorum has no head of its own; the one before it stood then.
        for number in (0..low).rev().take(TURNS) {
            let epoch = newest.epoch_numbered(number)?;
            let size = epoch.index.0.saturating_add(1);
            let Some(note) = store::read::<Heads>(newest.store(), &size)? else {
                continue;
            };
            let map = stated_map(newest.store(), &epoch).map_err(|_| absent.clone())?;
            return View::at(newest.snapshot, size, &note, map);
        }
        Err(absent)
    }

    fn load<'a>(&self, view: View<'a>) -> Result<View<'a>, ReadError> {
        let epoch = &view.epoch;
        let map = stated_map(view.store(), epoch)
            .map_err(|error| StoreError::Engine(error.to_string()))?;
        self.maps.put(epoch.epoch, map.clone());
        if !self.beside {
            self.maps.drop_before(epoch.epoch);
        }
        Ok(View { map, ..view })
    }
}

/// The log as of one published head, without its map.
#[derive(Debug)]
pub struct Published<'a>(View<'a>);

impl Published<'_> {
    /// As [`View::note`].
    #[must_use]
    pub fn note(&self) -> &str {
        self.0.note()
    }

    /// As [`View::size`].
    #[must_use]
    pub fn size(&self) -> TreeSize {
        self.0.size()
    }

    /// As [`View::epoch`].
    #[must_use]
    pub fn epoch(&self) -> &Epoch {
        self.0.epoch()
    }

    pub(crate) fn store(&self) -> &dyn Read {
        self.0.store()
    }

    /// As [`View::tile`], of everything committed: an auditor must be able to replay a head before
    /// its own cosignature makes it publishable. Nothing that was committed is ever cut off.
    ///
    /// # Errors
    /// The store's.
    pub fn tile(&self, tile: &Tile) -> Result<Option<Vec<u8>>, ReadError> {
        self.0.tile_within(tile, committed_size(self.0.store())?)
    }
}

/// Makes receipts under one head.
pub struct Receipting<'a> {
    view: &'a View<'a>,
    head: Head,
    tree: KeptTree<'a>,
}

impl std::fmt::Debug for Receipting<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Receipting")
            .field("view", self.view)
            .finish_non_exhaustive()
    }
}

impl Receipting<'_> {
    /// The receipt of the event at an index; `event` is what is there, where the caller knows it.
    ///
    /// # Errors
    /// As [`View::receipt`].
    pub fn receipt(&self, index: LeafIndex, event: Option<Event>) -> Result<Receipt, ReadError> {
        let size = self.view.size();
        if index.0 >= size.0 {
            return Err(ReadError::Absent { what: "leaf" });
        }
        let event = match event {
            Some(event) => event,
            None => self.view.event(index)?,
        };
        let hashes = prove_inclusion(index, size, &self.tree).map_err(flatten)?;
        Ok(Receipt {
            event,
            proof: self.head.proof.beside(index, hashes),
            head: self.head.clone(),
            index,
        })
    }
}

/// Everything as of one published head.
pub struct View<'a> {
    snapshot: Snapshot<'a>,
    origin: String,
    checkpoint: Checkpoint,
    note: String,
    epoch: Epoch,
    map: StatusMap,
}

impl std::fmt::Debug for View<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("View")
            .field("checkpoint", &self.checkpoint)
            .finish_non_exhaustive()
    }
}

impl<'a> View<'a> {
    /// The newest published head, with an empty map in place of its own.
    fn newest(snapshot: Snapshot<'a>) -> Result<Self, ReadError> {
        let head = store::last::<Heads>(&*snapshot)?;
        let (size, note) = head.ok_or(ReadError::NothingPublished)?;
        Self::at(snapshot, size, &note, StatusMap::new())
    }

    /// The view under the head `note` of `size` leaves, whose map is `map`.
    fn at(
        snapshot: Snapshot<'a>,
        size: u64,
        note: &[u8],
        map: StatusMap,
    ) -> Result<Self, ReadError> {
        let note = String::from_utf8_lossy(note).into_owned();
        let signed = SignedNote::parse(&note).map_err(CheckpointError::from)?;
        let checkpoint = Checkpoint::parse(signed.text())?;
        let last = size.checked_sub(1).ok_or(ReadError::NothingPublished)?;
        let epoch = epoch_at(&*snapshot, LeafIndex(last))?;
        let origin = store::require::<Meta>(&*snapshot, &MetaKey::Origin)?;
        let origin = String::from_utf8_lossy(&origin).into_owned();
        Ok(Self {
            snapshot,
            origin,
            checkpoint,
            note,
            epoch,
            map,
        })
    }

    /// The epoch with this number.
    fn epoch_numbered(&self, number: u64) -> Result<Epoch, ReadError> {
        let place = store::require::<Epochs>(self.store(), &number)?;
        Ok(epoch_at(self.store(), place)?)
    }

    /// The checkpoint and its map, for those who fetch the map page by page.
    #[must_use]
    pub fn edition(&self) -> Edition {
        Edition {
            map: self.map.clone(),
            note: self.note.clone(),
            size: self.size(),
        }
    }

    /// The log's name.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The checkpoint with its cosignatures.
    #[must_use]
    pub fn note(&self) -> &str {
        &self.note
    }

    /// Size of the published tree.
    #[must_use]
    pub fn size(&self) -> TreeSize {
        self.checkpoint.size
    }

    /// The closing epoch leaf.
    #[must_use]
    pub fn epoch(&self) -> &Epoch {
        &self.epoch
    }

    fn store(&self) -> &dyn Read {
        &*self.snapshot
    }

    /// Inclusion proof of a leaf, from the leaf's sibling to the root's child.
    ///
    /// # Errors
    /// Not under this head; the store's.
    pub fn inclusion(&self, index: LeafIndex) -> Result<Vec<Hash>, ReadError> {
        if index.0 >= self.size().0 {
            return Err(ReadError::Absent { what: "leaf" });
        }
        let tree = StoredTree::new(self.store());
        Ok(prove_inclusion(index, self.size(), &tree).map_err(flatten)?)
    }

    /// Consistency proof from an earlier size to this head's.
    ///
    /// # Errors
    /// No such earlier size; the store's.
    pub fn consistency(&self, from: TreeSize) -> Result<Vec<Hash>, ReadError> {
        if from.0 == 0 || from > self.size() {
            return Err(ReadError::Absent {
                what: "earlier size",
            });
        }
        let tree = StoredTree::new(self.store());
        Ok(prove_consistency(from, self.size(), &tree).map_err(flatten)?)
    }

    fn log_proof(&self, index: LeafIndex) -> Result<LogProof, ReadError> {
        let hashes = self.inclusion(index)?;
        let proof = TlogProof {
            index,
            hashes,
            extra: None,
            checkpoint: self.note.clone(),
        };
        LogProof::new(proof).map_err(|error| ReadError::Malformed {
            what: "head",
            error,
        })
    }

    /// The head: epoch leaf, inclusion proof, checkpoint.
    ///
    /// # Errors
    /// The store's.
    pub fn head(&self) -> Result<Head, ReadError> {
        let proof = self.log_proof(self.epoch.index)?;
        Ok(Head {
            epoch: self.epoch.clone(),
            proof,
        })
    }

    /// A subject's record, if it has one, and the path that proves it or its absence.
    ///
    /// # Errors
    /// The store's.
    pub fn placed(&self, key: &Hash) -> Result<(MapPath, Option<Record>), ReadError> {
        let found = self.map.find(key);
        let leaf = found.of(key);
        let record = leaf.map(|leaf| record_of(self.store(), leaf)).transpose()?;
        Ok((found.path(key), record))
    }

    /// The raw leaf at an index.
    ///
    /// # Errors
    /// Not under this head; the store's.
    pub fn leaf(&self, index: LeafIndex) -> Result<Vec<u8>, ReadError> {
        if index.0 >= self.size().0 {
            return Err(ReadError::Absent { what: "leaf" });
        }
        Ok(store::require::<Leaves>(self.store(), &index)?)
    }

    /// The event at an index.
    ///
    /// # Errors
    /// Not under this head, or no event; the store's.
    pub fn event(&self, index: LeafIndex) -> Result<Event, ReadError> {
        let bytes = self.leaf(index)?;
        match Leaf::parse(&bytes) {
            Ok(Leaf::Event(event)) => Ok(*event),
            Ok(_) => Err(ReadError::Absent { what: "event" }),
            Err(error) => Err(ReadError::Malformed {
                what: "leaf",
                error,
            }),
        }
    }

    /// The receipt of an event, by its identity.
    ///
    /// # Errors
    /// Not under this head; the store's.
    pub fn receipt(&self, id: &Hash) -> Result<Receipt, ReadError> {
        let absent = ReadError::Absent { what: "event" };
        let index = store::read::<EventIds>(self.store(), id)?.ok_or(absent)?;
        let event = self.event(index)?;
        Ok(Receipt {
            event,
            head: self.head()?,
            index,
            proof: self.log_proof(index)?,
        })
    }

    /// Receipts of many events under this head: what they have in common is read once.
    ///
    /// # Errors
    /// The store's.
    pub fn receipting(&self) -> Result<Receipting<'_>, ReadError> {
        Ok(Receipting {
            view: self,
            head: self.head()?,
            tree: KeptTree::new(self.store()),
        })
    }

    /// What the receipts of `count` leaves from `first` on have in common.
    ///
    /// # Errors
    /// Not under this head; the store's.
    pub fn receipts(&self, first: LeafIndex, count: u64) -> Result<Receipts, ReadError> {
        let size = self.size();
        let end = first.0.checked_add(count).filter(|end| *end <= size.0);
        if count == 0 || end.is_none() {
            return Err(ReadError::Absent { what: "leaf" });
        }
        let tree = StoredTree::new(self.store());
        let outside = prove_range(first, count, size, &tree).map_err(flatten)?;
        Ok(Receipts {
            count,
            first,
            head: self.head()?,
            outside,
        })
    }

    /// The first epoch leaf after a leaf.
    fn epoch_after(&self, index: LeafIndex) -> Result<Epoch, ReadError> {
        // Epoch indexes grow with epoch numbers: halve the range of numbers.
        let (mut low, mut high) = (0, self.epoch.epoch);
        while low < high {
            let middle = low.midpoint(high);
            let place = store::require::<Epochs>(self.store(), &middle)?;
            if place > index {
                high = middle;
            } else {
                low = middle.saturating_add(1);
            }
        }
        let place = store::require::<Epochs>(self.store(), &low)?;
        Ok(epoch_at(self.store(), place)?)
    }

    /// The bytes of a tile or entry bundle of the published tree, in any width it ever had; nothing
    /// when the tree has no such tile.
    ///
    /// # Errors
    /// The store's.
    pub fn tile(&self, tile: &Tile) -> Result<Option<Vec<u8>>, ReadError> {
        self.tile_within(tile, self.size())
    }

    fn tile_within(&self, tile: &Tile, size: TreeSize) -> Result<Option<Vec<u8>>, ReadError> {
        let there = Tile::in_tree(tile.kind, tile.index, size);
        if there.is_none_or(|there| there.width < tile.width) {
            return Ok(None);
        }
        let Kind::Hashes(level) = tile.kind else {
            return self.bundle(tile).map(Some);
        };
        let at = (level, tile.index);
        let mut bytes = store::require::<Tiles>(self.store(), &at)?;
        if bytes.len() < tile.byte_length() {
            return Err(bad_tile(at, format!("{} bytes are too few", bytes.len())).into());
        }
        bytes.truncate(tile.byte_length());
        Ok(Some(bytes))
    }

    fn bundle(&self, tile: &Tile) -> Result<Vec<u8>, ReadError> {
        let first = tile.index.saturating_mul(256);
        let last = first.saturating_add(tile.width.into());
        let limit = usize::from(tile.width);
        let (from, to) = (LeafIndex(first), LeafIndex(last));
        let entries = store::scan::<Leaves>(self.store(), &from, &to, limit)?;
        if entries.len() != limit {
            let problem = format!("{} leaves where {limit} are needed", entries.len());
            return Err(StoreError::Engine(problem).into());
        }
        let leaves: Vec<Vec<u8>> = entries.into_iter().map(|(_, leaf)| leaf).collect();
        encode_bundle(&leaves).map_err(|e| StoreError::Engine(e.to_string()).into())
    }
}
