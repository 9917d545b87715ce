//! What `apply` looks at: records as stored, and over them those a batch has changed so far.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use zhao_spec::life::apply::{View, ViewFault};
use zhao_spec::life::record::Record;
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::log::HeadKey;
use zhao_spec::wire::{Hash, sha256};

use crate::hot::HotRecords;
use crate::map::{MapLeaf, StatusMap};
use crate::store::layout::Records;
use crate::store::{self, LayoutError, Read, StoreError};

/// Records as of one map: from memory, or read and checked against the hash the map has for them.
#[derive(Clone, Copy)]
pub struct StoredView<'a> {
    store: &'a dyn Read,
    map: &'a StatusMap,
    hot: &'a HotRecords,
}

impl std::fmt::Debug for StoredView<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredView")
            .field("root", &self.map.root())
            .finish_non_exhaustive()
    }
}

impl<'a> StoredView<'a> {
    /// The records of `map`.
    #[must_use]
    pub fn new(store: &'a dyn Read, map: &'a StatusMap, hot: &'a HotRecords) -> Self {
        Self { store, map, hot }
    }

    /// The record at a key.
    ///
    /// # Errors
    /// The store's; [`StoreError::Corrupt`] when record and map disagree.
    pub fn get(&self, key: &Hash) -> Result<Option<Arc<Record>>, StoreError> {
        let Some(leaf) = self.map.get(key) else {
            return Ok(None);
        };
        if let Some(record) = self.hot.get(&leaf) {
            return Ok(Some(record));
        }
        let record = Arc::new(record_of(self.store, &leaf)?);
        self.hot.put(leaf, Arc::clone(&record));
        Ok(Some(record))
    }
}

impl StoredView<'_> {
    /// The keys that the administrators of the log `origin` named for its heads.
    ///
    /// # Errors
    /// As [`StoredView::get`].
    pub fn head_keys(&self, origin: &str) -> Result<Vec<HeadKey>, StoreError> {
        let key = subject_key(origin, Kind::Registry, origin);
        Ok(match self.get(&key)?.as_deref() {
            Some(Record::Registry(record)) => record.log_keys.clone(),
            _ => Vec::new(),
        })
    }
}

impl View for StoredView<'_> {
    fn record(&self, key: &Hash) -> Result<Option<Arc<Record>>, ViewFault> {
        self.get(key).map_err(|e| ViewFault(e.to_string()))
    }
}

/// The record a map leaf names, read and checked.
///
/// # Errors
/// The store's; [`StoreError::Corrupt`] when record and map disagree.
pub fn record_of(store: &dyn Read, leaf: &MapLeaf) -> Result<Record, StoreError> {
    let at = (u64::from(leaf.version), leaf.key);
    let bytes = store::require::<Records>(store, &at)?;
    let corrupt = |problem: String| StoreError::Corrupt {
        family: "records",
        key: store::layout::show(&leaf.key.0),
        problem: LayoutError::Value(problem),
    };
    if sha256(&[&bytes]) != leaf.record {
        let problem = "the record has another hash than the map says";
        return Err(corrupt(problem.to_owned()));
    }
    Record::parse(&bytes).map_err(|e| corrupt(e.to_string()))
}

/// The state in the middle of a batch. It remembers every key that was looked at.
pub struct Overlay<'a> {
    base: &'a dyn View,
    /// Changed by the batch so far.
    writes: BTreeMap<Hash, Arc<Record>>,
    /// What the base said, for each key asked; one thread uses an overlay.
    seen: RefCell<BTreeMap<Hash, Option<Arc<Record>>>>,
}

impl std::fmt::Debug for Overlay<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Overlay")
            .field("writes", &self.writes.len())
            .finish_non_exhaustive()
    }
}

/// What a batch did: records it wrote, and what each key it looked at was before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// Key → new record.
    pub writes: BTreeMap<Hash, Arc<Record>>,
    /// Every key read or written → its record before the batch.
    pub before: BTreeMap<Hash, Option<Arc<Record>>>,
}

impl<'a> Overlay<'a> {
    /// Nothing changed yet.
    #[must_use]
    pub fn new(base: &'a dyn View) -> Self {
        Self {
            base,
            writes: BTreeMap::new(),
            seen: RefCell::default(),
        }
    }

    /// Takes what one event wrote.
    ///
    /// # Errors
    /// The base cannot say what a key was before.
    pub fn take(&mut self, writes: Vec<(Hash, Record)>) -> Result<(), ViewFault> {
        for (key, record) in writes {
            self.base_record(&key)?;
            self.writes.insert(key, Arc::new(record));
        }
        Ok(())
    }

    /// What the batch did.
    #[must_use]
    pub fn finish(self) -> Touched {
        Touched {
            writes: self.writes,
            before: self.seen.into_inner(),
        }
    }

    fn base_record(&self, key: &Hash) -> Result<Option<Arc<Record>>, ViewFault> {
        if let Some(known) = self.seen.borrow().get(key) {
            return Ok(known.clone());
        }
        let record = self.base.record(key)?;
        self.seen.borrow_mut().insert(*key, record.clone());
        Ok(record)
    }
}

impl View for Overlay<'_> {
    fn record(&self, key: &Hash) -> Result<Option<Arc<Record>>, ViewFault> {
        match self.writes.get(key) {
            Some(record) => Ok(Some(Arc::clone(record))),
            None => self.base_record(key),
        }
    }
}
