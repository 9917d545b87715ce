//! The first path: from admitted events to the one batch that commits them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;

use zhao_spec::life::leaf::Epoch;
use zhao_spec::life::record::Record;
use zhao_spec::log::tree::{Frontier, LeafIndex, TreeSize, leaf_hash};
use zhao_spec::wire::{Hash, UnixMillis};

use super::second;
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

    /// When it was; 1970 before genesis.
    pub(crate) fn time(&self) -> UnixMillis {
        self.epoch
            .as_ref()
            .map_or(UnixMillis(0), |epoch| epoch.time)
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
    pub(crate) fresh: Fresh,
}

/// Builds the batch: leaves, indexes, records, map pages, epoch leaf, tiles. Nothing is written.
pub(crate) fn stage(
    store: &dyn Read,
    before: &Edge,
    segment: &Segment,
    time: UnixMillis,
) -> Result<Staged, StoreError> {
    let number = before
        .epoch
        .as_ref()
        .map_or(0, |epoch| epoch.epoch.saturating_add(1));
    let first = before.size().0;
    // Leaves and their indexes do not look at the map, nor the map at them: a large batch makes
    // both at once.
    let ((mut batch, mut hashes), (records, fresh, map)) =
        if segment.leaves.len() < second::SIDE_BY_SIDE {
            (
                stage_leaves(first, segment),
                stage_map(before, number, segment)?,
            )
        } else {
            thread::scope(|scope| {
                let leaves = scope.spawn(|| stage_leaves(first, segment));
                let map = stage_map(before, number, segment)?;
                let gone = |_| StoreError::Engine("a staging thread stopped".to_owned());
                Ok::<_, StoreError>((leaves.join().map_err(gone)?, map))
            })?
        };
    batch.append(records);
    // The epoch leaf comes last: only now is the map root known.
    let count = u64::try_from(segment.leaves.len()).expect("a batch is bounded");
    let epoch = Epoch {
        epoch: number,
        index: LeafIndex(first.saturating_add(count)),
        map_root: map.root(),
        previous: before.epoch.as_ref().map(|epoch| epoch.index),
        subjects: map.count(),
        time,
    };
    let leaf = epoch.bytes();
    hashes.push(leaf_hash(&leaf));
    batch.put::<Leaves>(&epoch.index, &leaf);
    batch.put::<Epochs>(&number, &epoch.index);
    let mut frontier = before.frontier.clone();
    let tiles = tree::append(store, &mut frontier, &hashes)?;
    tree::stage(&mut batch, &tiles);
    let root = frontier.root();
    let edge = Edge {
        epoch: Some(epoch.clone()),
        frontier,
        map,
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

/// Puts the leaves from index `first` on, without the epoch leaf, and what they are found by;
/// returns their hashes besides.
fn stage_leaves(first: u64, segment: &Segment) -> (WriteBatch, Vec<Hash>) {
    let mut batch = WriteBatch::new();
    for (id, index) in &segment.index.event_ids {
        batch.put::<EventIds>(id, index);
    }
    for (key, licence) in &segment.index.holdings {
        batch.put::<Holdings>(key, licence);
    }
    for (key, index) in &segment.index.subjects {
        batch.put::<Subjects>(key, index);
    }
    let mut hashes = Vec::with_capacity(segment.leaves.len().saturating_add(1));
    for (index, leaf) in (first..).zip(&segment.leaves) {
        hashes.push(leaf_hash(leaf));
        batch.put::<Leaves>(&LeafIndex(index), leaf);
    }
    (batch, hashes)
}

/// Records with what the map has for them.
type Fresh = Vec<(MapLeaf, Arc<Record>)>;

/// Puts the records, and returns them with the map after them.
fn stage_map(
    before: &Edge,
    number: u64,
    segment: &Segment,
) -> Result<(WriteBatch, Fresh, StatusMap), StoreError> {
    let mut batch = WriteBatch::new();
    let fresh = stage_records(&mut batch, number, &segment.touched.writes)?;
    let changes: Vec<MapLeaf> = fresh.iter().map(|(leaf, _)| *leaf).collect();
    let updated = before.map.update(&changes);
    if !updated.replaced.is_empty() {
        let old = |leaf: &MapLeaf| (leaf.key, u64::from(leaf.version));
        batch.put::<Replaced>(&number, &updated.replaced.iter().map(old).collect());
    }
    Ok((batch, fresh, updated.map))
}

/// Puts the records of epoch `number` and returns them with their map leaves, keys ascending.
fn stage_records(
    batch: &mut WriteBatch,
    number: u64,
    writes: &BTreeMap<Hash, Arc<Record>>,
) -> Result<Fresh, StoreError> {
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
        batch.put::<Records>(&(number, *key), &bytes);
    }
    Ok(fresh)
}
