//! A store in memory that fails on purpose: for tests, and for whole logs that need no disk.
//!
//! [`Memory`] is a disk; [`Memory::store`] and [`Memory::files`] are what a process has open on it.
//! [`Memory::restart`] is the next process: it sees exactly what was persisted.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::files::Files;
use super::{Entry, Family, Read, Snapshot, Store, StoreError, WriteBatch, check_format};

/// What happens at the chosen operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which operation, counted from 0 since the fault was set.
    pub at: u64,
    /// Reads or writes.
    pub of: Operation,
    /// Whether the process survives it.
    pub how: How,
    /// Whether a write reached the disk all the same.
    pub persisted: bool,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Reads of the store and of files.
    Read,
    /// Batches and file replacements.
    Write,
}

/// How it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The operation returns an error.
    Error,
    /// The process dies: this and every later operation returns an error until a restart.
    Kill,
}

type Families = BTreeMap<Family, Arc<BTreeMap<Vec<u8>, Vec<u8>>>>;

#[derive(Debug, Default)]
struct Disk {
    families: Families,
    files: BTreeMap<String, Vec<u8>>,
    fault: Option<Fault>,
    reads: u64,
    writes: u64,
    /// The process is dead.
    killed: bool,
    /// Counts processes: what an earlier one has open is dead.
    process: u64,
}

/// A disk in memory. Clones are the same disk.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// Everything; held only for the length of one operation.
    disk: Arc<Mutex<Disk>>,
}

/// Why an operation on the disk fails.
enum Failure {
    Error,
    Killed,
}

impl Failure {
    fn text(&self) -> String {
        match self {
            Self::Error => "injected error".to_owned(),
            Self::Killed => "process was killed".to_owned(),
        }
    }
}

impl Memory {
    /// An empty disk.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens the database on it.
    ///
    /// # Errors
    /// Another format version.
    pub fn store(&self) -> Result<MemoryStore, StoreError> {
        let store = self.any_format();
        check_format(&store)?;
        Ok(store)
    }

    /// As [`Memory::store`], whatever the format: for who migrates it.
    #[must_use]
    pub fn any_format(&self) -> MemoryStore {
        MemoryStore {
            memory: self.clone(),
            process: self.lock().process,
            poison: Mutex::new(None),
        }
    }

    /// The small files on it.
    #[must_use]
    pub fn files(&self) -> MemoryFiles {
        MemoryFiles {
            memory: self.clone(),
            process: self.lock().process,
        }
    }

    /// Sets the fault to come and starts counting anew.
    pub fn inject(&self, fault: Option<Fault>) {
        let mut disk = self.lock();
        disk.fault = fault;
        disk.reads = 0;
        disk.writes = 0;
    }

    /// Operations since the fault was set: (reads, writes).
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        let disk = self.lock();
        (disk.reads, disk.writes)
    }

    /// Ends the process, if it is not dead already: what it had open no longer works.
    pub fn restart(&self) {
        let mut disk = self.lock();
        disk.killed = false;
        disk.fault = None;
        disk.process = disk.process.saturating_add(1);
    }

    /// A copy of the disk as it is: a backup.
    #[must_use]
    pub fn copy(&self) -> Self {
        let disk = self.lock();
        let copy = Disk {
            families: disk.families.clone(),
            files: disk.files.clone(),
            ..Disk::default()
        };
        Self {
            disk: Arc::new(Mutex::new(copy)),
        }
    }

    /// Changes a stored value behind the store's back; `None` removes it.
    pub fn damage(&self, family: Family, key: &[u8], value: Option<Vec<u8>>) {
        apply(
            &mut self.lock().families,
            vec![(family, key.to_vec(), value)],
        );
    }

    /// Changes a file behind everybody's back; `None` removes it.
    pub fn damage_file(&self, name: &str, bytes: Option<Vec<u8>>) {
        let mut disk = self.lock();
        match bytes {
            Some(bytes) => disk.files.insert(name.to_owned(), bytes),
            None => disk.files.remove(name),
        };
    }

    /// All entries of a family as persisted.
    #[must_use]
    pub fn entries(&self, family: Family) -> Vec<Entry> {
        let disk = self.lock();
        let map = disk.families.get(&family);
        map.map(|map| map.iter().map(|(k, v)| (k.clone(), v.clone())).collect())
            .unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Disk> {
        // A panic while holding the lock is a failed test; the data are still whole batches.
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disk {
    /// Counts an operation and says whether it takes effect and how it ends.
    fn step(&mut self, of: Operation, process: u64) -> (bool, Result<(), Failure>) {
        if self.killed || process != self.process {
            return (false, Err(Failure::Killed));
        }
        let count = match of {
            Operation::Read => &mut self.reads,
            Operation::Write => &mut self.writes,
        };
        let here = *count;
        *count = here.saturating_add(1);
        match self.fault {
            Some(fault) if fault.of == of && fault.at == here => {
                self.killed = fault.how == How::Kill;
                let failure = if self.killed {
                    Failure::Killed
                } else {
                    Failure::Error
                };
                (fault.persisted, Err(failure))
            }
            _ => (true, Ok(())),
        }
    }
}

fn apply(families: &mut Families, writes: Vec<super::Write>) {
    for (family, key, value) in writes {
        let map = Arc::make_mut(families.entry(family).or_default());
        match value {
            Some(value) => map.insert(key, value),
            None => map.remove(&key),
        };
    }
}

fn get(families: &Families, family: Family, key: &[u8]) -> Option<Vec<u8>> {
    families.get(&family)?.get(key).cloned()
}

fn scan(families: &Families, family: Family, from: &[u8], to: &[u8], limit: usize) -> Vec<Entry> {
    if from >= to {
        return Vec::new();
    }
    let Some(map) = families.get(&family) else {
        return Vec::new();
    };
    map.range(from.to_vec()..to.to_vec())
        .take(limit)
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

fn last(families: &Families, family: Family) -> Option<Entry> {
    let (key, value) = families.get(&family)?.last_key_value()?;
    Some((key.clone(), value.clone()))
}

/// The database on a [`Memory`] disk, as one process has it open.
#[derive(Debug)]
pub struct MemoryStore {
    memory: Memory,
    process: u64,
    /// Why the store is poisoned; set once, by a failed write.
    poison: Mutex<Option<String>>,
}

impl MemoryStore {
    fn check_poison(&self) -> Result<(), StoreError> {
        match &*self.poison.lock().unwrap_or_else(PoisonError::into_inner) {
            None => Ok(()),
            Some(why) => Err(StoreError::Poisoned(why.clone())),
        }
    }

    fn read<T>(&self, find: impl FnOnce(&Families) -> T) -> Result<T, StoreError> {
        self.check_poison()?;
        let mut disk = self.memory.lock();
        let (_, result) = disk.step(Operation::Read, self.process);
        result.map_err(|failure| StoreError::Engine(failure.text()))?;
        Ok(find(&disk.families))
    }
}

impl Read for MemoryStore {
    fn get(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|families| get(families, family, key))
    }

    fn scan(
        &self,
        family: Family,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        self.read(|families| scan(families, family, from, to, limit))
    }

    fn last(&self, family: Family) -> Result<Option<Entry>, StoreError> {
        self.read(|families| last(families, family))
    }
}

impl Store for MemoryStore {
    fn write(&self, batch: WriteBatch) -> Result<(), StoreError> {
        self.check_poison()?;
        let mut disk = self.memory.lock();
        let (effect, result) = disk.step(Operation::Write, self.process);
        if effect {
            apply(&mut disk.families, batch.into_writes());
        }
        drop(disk);
        result.map_err(|failure| {
            let why = failure.text();
            let mut poison = self.poison.lock().unwrap_or_else(PoisonError::into_inner);
            *poison = Some(why.clone());
            StoreError::Engine(why)
        })
    }

    fn snapshot(&self) -> Result<Snapshot<'_>, StoreError> {
        let families = self.read(Families::clone)?;
        Ok(Box::new(MemorySnapshot {
            store: self,
            families,
        }))
    }
}

struct MemorySnapshot<'a> {
    store: &'a MemoryStore,
    families: Families,
}

impl Read for MemorySnapshot<'_> {
    fn get(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.read(|_| get(&self.families, family, key))
    }

    fn scan(
        &self,
        family: Family,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        self.store
            .read(|_| scan(&self.families, family, from, to, limit))
    }

    fn last(&self, family: Family) -> Result<Option<Entry>, StoreError> {
        self.store.read(|_| last(&self.families, family))
    }
}

/// The small files on a [`Memory`] disk, as one process sees them.
#[derive(Debug)]
pub struct MemoryFiles {
    memory: Memory,
    process: u64,
}

impl Files for MemoryFiles {
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let mut disk = self.memory.lock();
        let (_, result) = disk.step(Operation::Read, self.process);
        result.map_err(|failure| file_error(name, &failure))?;
        Ok(disk.files.get(name).cloned())
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let mut disk = self.memory.lock();
        let (effect, result) = disk.step(Operation::Write, self.process);
        if effect {
            disk.files.insert(name.to_owned(), bytes.to_vec());
        }
        result.map_err(|failure| file_error(name, &failure))
    }
}

fn file_error(name: &str, failure: &Failure) -> StoreError {
    StoreError::File {
        name: name.to_owned(),
        problem: failure.text(),
    }
}
