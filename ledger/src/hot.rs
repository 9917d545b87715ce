//! Records used lately, parsed: units, types and the registry in every batch, licences for a while.
//!
//! Two generations: when the young one is full, the old one is dropped and the young one becomes
//! old. What is used moves back to the young one. A record is found by the map's leaf, so what is
//! kept for another version of the map is never taken for this one.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use zhao_spec::life::data::Action;
use zhao_spec::life::event::Event;
use zhao_spec::life::record::Record;
use zhao_spec::wire::Hash;

use crate::map::{MapLeaf, Maps};
use crate::overlay::StoredView;
use crate::store::Store;

/// Records of a generation, unless told otherwise; about a kilobyte each.
const RECORDS: usize = 8_192;

/// Keys from which on they are looked up side by side.
const MANY: usize = 64;
/// Threads that look up.
const LOOKERS: usize = 8;

type Generation = HashMap<Hash, (MapLeaf, Arc<Record>)>;

/// A bounded cache of records.
#[derive(Debug)]
pub struct HotRecords {
    /// Held for one look-up or insertion.
    kept: Mutex<Kept>,
    /// Records of a generation.
    limit: usize,
}

/// Fetches the records that events will be judged by, ahead of the judging. What it fetches may be
/// superseded meanwhile; it is then not found by the newer leaf, and read again.
pub(crate) struct Prefetch {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) maps: Arc<Maps>,
    pub(crate) hot: Arc<HotRecords>,
}

impl Prefetch {
    /// Fetches for these events. An error will show again when they are judged.
    pub(crate) fn fetch<'a>(&self, events: impl Iterator<Item = &'a Event>) {
        let Some(map) = self.maps.newest() else {
            return;
        };
        let mut keys: Vec<&Hash> = Vec::new();
        for event in events {
            keys.push(&event.subject);
            if let Action::Issued(issued) = &event.action {
                keys.extend(&issued.enterprise);
                keys.extend(issued.predecessor.as_ref().map(|old| &old.subject));
            }
        }
        let look = |keys: &[&Hash]| {
            let view = StoredView::new(&*self.store, &map, &self.hot);
            for key in keys {
                let _ = view.get(key);
            }
        };
        if keys.len() < MANY {
            return look(&keys);
        }
        // Each may wait for the disk, which answers many at a time.
        let share = keys.len().div_ceil(LOOKERS);
        thread::scope(|scope| {
            for keys in keys.chunks(share) {
                scope.spawn(move || look(keys));
            }
        });
    }
}

#[derive(Debug, Default)]
struct Kept {
    young: Generation,
    old: Generation,
}

impl Default for HotRecords {
    fn default() -> Self {
        Self::new(RECORDS)
    }
}

impl HotRecords {
    /// A cache of at most twice `limit` records.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            kept: Mutex::default(),
            limit,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The record of this leaf, if it is kept.
    #[must_use]
    pub fn get(&self, leaf: &MapLeaf) -> Option<Arc<Record>> {
        let mut kept = self.lock();
        if let Some((known, record)) = kept.young.get(&leaf.key) {
            return (known == leaf).then(|| Arc::clone(record));
        }
        let (known, record) = kept.old.remove(&leaf.key)?;
        let found = (known == *leaf).then(|| Arc::clone(&record));
        kept.insert(known, record, self.limit);
        found
    }

    /// Keeps a record that has the leaf's hash.
    pub fn put(&self, leaf: MapLeaf, record: Arc<Record>) {
        self.lock().insert(leaf, record, self.limit);
    }
}

impl Kept {
    fn insert(&mut self, leaf: MapLeaf, record: Arc<Record>, limit: usize) {
        if self.young.len() >= limit {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(leaf.key, (leaf, record));
    }
}
