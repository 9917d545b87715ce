//! The newest maps, shared by the one writer and its readers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::StatusMap;

/// Maps by epoch: from the published one to the newest. A reader that holds a map keeps it whole
/// whatever is committed meanwhile.
#[derive(Debug, Default)]
pub struct Maps {
    /// Held to look up, insert or drop, never while a map is read or made.
    maps: Mutex<BTreeMap<u64, StatusMap>>,
    /// Counts the heads that were published: whoever kept one looks whether it is the newest.
    published: AtomicU64,
}

impl Maps {
    /// No map yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, StatusMap>> {
        self.maps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The map of an epoch, if it is kept.
    #[must_use]
    pub fn get(&self, epoch: u64) -> Option<StatusMap> {
        self.lock().get(&epoch).cloned()
    }

    /// The newest map.
    #[must_use]
    pub fn newest(&self) -> Option<StatusMap> {
        self.lock().last_key_value().map(|(_, map)| map.clone())
    }

    /// Whether a map of a later epoch is kept.
    #[must_use]
    pub fn any_after(&self, epoch: u64) -> bool {
        let last = self.lock().last_key_value().map(|(last, _)| *last);
        last.is_some_and(|last| last > epoch)
    }

    /// A head was published; the database has it.
    pub fn count_published(&self) {
        self.published.fetch_add(1, Ordering::Release);
    }

    /// How many heads were published since the start.
    #[must_use]
    pub fn published(&self) -> u64 {
        self.published.load(Ordering::Acquire)
    }

    /// Keeps a map.
    pub fn put(&self, epoch: u64, map: StatusMap) {
        self.lock().insert(epoch, map);
    }

    /// Drops every map.
    pub fn clear(&self) {
        let dropped = std::mem::take(&mut *self.lock());
        drop(dropped);
    }

    /// Drops the maps of epochs before `epoch`.
    pub fn drop_before(&self, epoch: u64) {
        let dropped = {
            let mut maps = self.lock();
            let kept = maps.split_off(&epoch);
            std::mem::replace(&mut *maps, kept)
        };
        // Many nodes may go with the last one who holds them: not under the lock.
        drop(dropped);
    }
}
