//! What `apply` looks at: records as stored, and over them those a batch has changed so far.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use zhao_spec::life::apply::{View, ViewFault};
use zhao_spec::life::record::Record;
use zhao_spec::wire::Hash;

use crate::map::MapView;

/// Records as of one stored map, each checked against the hash the map has for it.
#[derive(Clone, Copy, Debug)]
pub struct StoredView<'a> {
    map: MapView<'a>,
}

impl<'a> StoredView<'a> {
    /// The records of `map`.
    #[must_use]
    pub fn new(map: MapView<'a>) -> Self {
        Self { map }
    }
}

impl View for StoredView<'_> {
    fn record(&self, key: &Hash) -> Result<Option<Arc<Record>>, ViewFault> {
        let bytes = self.map.record(key).map_err(|e| ViewFault(e.to_string()))?;
        let parsed = bytes.map(|bytes| Record::parse(&bytes)).transpose();
        let record = parsed.map_err(|e| ViewFault(format!("record at {key}: {e}")))?;
        Ok(record.map(Arc::new))
    }
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
