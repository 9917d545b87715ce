//! The first path: from admitted events to the one batch that commits them.

use std::collections::BTreeMap;
use std::sync::Arc;

use zhao_spec::life::leaf::Epoch;
use zhao_spec::life::record::Record;
use zhao_spec::log::tree::{Frontier, LeafIndex, TreeSize, leaf_hash};
use zhao_spec::wire::{Hash, UnixMillis};

use crate::map::load::short_version;
use crate::map::{MapLeaf, StatusMap};
use crate::overlay::Touched;
use crate::replay::Index;
use crate::store::layout::{Epochs, EventIds, Holdings, Leaves, Records, Replaced, Subjects};
use crate::store::{Read, StoreError, WriteBatch};
use crate::tree::{self, TileMap};

/// The state a batch starts from: the last committed epoch, signed or not.
#[derive(Clone, Debug)]
pub(crate) struct Edge {
    /// The last leaf; nothing before genesis.
    pub(crate) epoch: Option<Epoch>,
    /// Right edge of the log's tree.
    pub(crate) frontier: Frontier,
    /// The map after it.
    pub(crate) map: StatusMap,
}

impl Edge {
    /// Before genesis.
    pub(crate) fn empty() -> Self {
        Self {
            epoch: None,
            frontier: Frontier::new(),
            map: StatusMap::new(),
        }
    }

    pub(crate) fn size(&self) -> TreeSize {
        self.frontier.size()
    }

    /// Root of the map, and number of its keys, as the last epoch leaf states them.
    pub(crate) fn stated(&self) -> (Hash, u64) {
        match &self.epoch {
            Some(epoch) => (epoch.map_root, epoch.subjects),
            None => (zhao_spec::map::EMPTY_ROOT, 0),
        }
    }
}

/// What an epoch will hold: raw leaves (without the epoch leaf), and what they did.
#[derive(Debug, Default)]
pub(crate) struct Segment {
    pub(crate) leaves: Vec<Vec<u8>>,
    pub(crate) index: Index,
    pub(crate) touched: Touched,
}

/// Everything a commit writes, and the state after it.
#[derive(Debug)]
pub(crate) struct Staged {
    pub(crate) batch: WriteBatch,
    pub(crate) edge: Edge,
    pub(crate) epoch: Epoch,
    pub(crate) root: Hash,
    pub(crate) tiles: TileMap,
    /// The records written, by what the new map has for them.
    pub(crate) fresh: Vec<(MapLeaf, Arc<Record>)>,
}

/// Builds the batch: leaves, indexes, records, map pages, epoch leaf, tiles. Nothing is written.
pub(crate) fn stage(
    store: &dyn Read,
    before: &Edge,
    segment: &Segment,
    time: UnixMillis,
) -> Result<Staged, StoreError> {
    let mut batch = WriteBatch::new();
    let number = before
        .epoch
        .as_ref()
        .map_or(0, |epoch| epoch.epoch.saturating_add(1));
    for (id, index) in &segment.index.event_ids {
        batch.put::<EventIds>(id, index);
    }
    for (key, licence) in &segment.index.holdings {
        batch.put::<Holdings>(key, licence);
    }
    for (key, index) in &segment.index.subjects {
        batch.put::<Subjects>(key, index);
    }
    let fresh = stage_records(&mut batch, number, &segment.touched.writes)?;
    let changes: Vec<MapLeaf> = fresh.iter().map(|(leaf, _)| *leaf).collect();
    let updated = before.map.update(&changes);
    if !updated.replaced.is_empty() {
        let old = |leaf: &MapLeaf| (leaf.key, u64::from(leaf.version));
        batch.put::<Replaced>(&number, &updated.replaced.iter().map(old).collect());
    }
    // The epoch leaf comes last: only now is the map root known.
    let mut leaves = segment.leaves.clone();
    let first = before.size().0;
    let count = |n: usize| u64::try_from(n).expect("a batch is bounded");
    let epoch = Epoch {
        epoch: number,
        index: LeafIndex(first.saturating_add(count(leaves.len()))),
        map_root: updated.map.root(),
        previous: before.epoch.as_ref().map(|epoch| epoch.index),
        subjects: updated.map.count(),
        time,
    };
    leaves.push(epoch.bytes());
    for (index, leaf) in (first..).zip(&leaves) {
        batch.put::<Leaves>(&LeafIndex(index), leaf);
    }
    batch.put::<Epochs>(&number, &epoch.index);
    let hashes: Vec<Hash> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
    let mut frontier = before.frontier.clone();
    let tiles = tree::append(store, &mut frontier, &hashes)?;
    tree::stage(&mut batch, &tiles);
    let root = frontier.root();
    let edge = Edge {
        epoch: Some(epoch.clone()),
        frontier,
        map: updated.map,
    };
    Ok(Staged {
        batch,
        edge,
        epoch,
        root,
        tiles,
        fresh,
    })
}

/// Puts the records of epoch `number` and returns them with their map leaves, keys ascending.
fn stage_records(
    batch: &mut WriteBatch,
    number: u64,
    writes: &BTreeMap<Hash, Arc<Record>>,
) -> Result<Vec<(MapLeaf, Arc<Record>)>, StoreError> {
    let version = short_version(number)?;
    let mut fresh = Vec::with_capacity(writes.len());
    for (key, record) in writes {
        let bytes = record.bytes();
        let leaf = MapLeaf {
            key: *key,
            record: zhao_spec::map::record_hash(&bytes),
            version,
        };
        fresh.push((leaf, Arc::clone(record)));
        batch.put::<Records>(&(*key, number), &bytes);
    }
    Ok(fresh)
}
