//! The store on disk: RocksDB, and nowhere else in this crate.
//!
//! Every write is synced to the write-ahead log before it returns. Recovery of the write-ahead log
//! is the strictest that survives a power cut: a torn last record (which was never acknowledged) is
//! dropped, anything else wrong is an error at opening.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rocksdb::{
    BlockBasedIndexType, BlockBasedOptions, Cache, ColumnFamily, ColumnFamilyDescriptor, DB,
    DBCompressionType, DBRecoveryMode, Direction, ErrorKind, IteratorMode, Options, ReadOptions,
    WriteOptions,
};

use super::{Entry, Family, Read, Snapshot, Store, StoreError, WriteBatch, check_format};

/// A RocksDB directory, held by this process alone.
pub struct Rocks {
    db: DB,
    /// Whether each batch is synced: all but in a database that is being built.
    synced: bool,
    /// Why the store is poisoned; set once, by a failed write.
    poison: Mutex<Option<String>>,
}

impl std::fmt::Debug for Rocks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rocks")
            .field("path", &self.db.path())
            .finish_non_exhaustive()
    }
}

impl Rocks {
    /// Opens the database in the directory, making an empty one when there is none. Only for
    /// whoever starts a log: an empty database in the place of a lost one looks like a damaged log.
    ///
    /// # Errors
    /// [`StoreError::Locked`], [`StoreError::Format`], the engine's.
    pub fn create(path: &Path) -> Result<Self, StoreError> {
        Self::with(path, true, |_| {})
    }

    /// Opens the database in the directory. Makes nothing.
    ///
    /// # Errors
    /// [`StoreError::NoDatabase`], [`StoreError::Locked`], [`StoreError::Format`], the engine's.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        // The engine would write its lock and its log before it finds that nothing is there.
        if !Self::exists(path) {
            return Err(StoreError::NoDatabase {
                path: path.to_string_lossy().into_owned(),
            });
        }
        Self::with(path, false, |_| {})
    }

    /// As [`Rocks::create`], on another disk, and with write buffers of that many bytes: small ones
    /// let a short test see what a long run does. For tests.
    ///
    /// # Errors
    /// As [`Rocks::create`].
    #[cfg(feature = "faults")]
    pub fn create_on(
        path: &Path,
        env: &rocksdb::Env,
        write_buffer: usize,
    ) -> Result<Self, StoreError> {
        Self::with(path, true, |options| {
            options.set_env(env);
            options.set_write_buffer_size(write_buffer);
        })
    }

    /// Opens the database as it stands at this moment, while another process may be writing it. It
    /// writes nothing there; `scratch` is a directory for the engine's own log, and may be removed
    /// when this is dropped. For reading only: what is written to it fails.
    ///
    /// # Errors
    /// [`StoreError::NoDatabase`], [`StoreError::Format`], the engine's.
    pub fn frozen(path: &Path, scratch: &Path) -> Result<Self, StoreError> {
        let store = Self::beside(path, scratch, &Family::ALL)?;
        check_format(&store)?;
        Ok(store)
    }

    /// As [`Rocks::frozen`], but whatever the format, and only the families that are the same in
    /// all of them: [`Family::STABLE`]. What is damaged in another one does not matter.
    ///
    /// # Errors
    /// [`StoreError::NoDatabase`], the engine's.
    pub fn stable(path: &Path, scratch: &Path) -> Result<Self, StoreError> {
        Self::beside(path, scratch, &Family::STABLE)
    }

    fn beside(path: &Path, scratch: &Path, families: &[Family]) -> Result<Self, StoreError> {
        if !Self::exists(path) {
            return Err(StoreError::NoDatabase {
                path: path.to_string_lossy().into_owned(),
            });
        }
        let cache = Cache::new_lru_cache(CACHE);
        let mut options = database_options(false);
        // The files of that moment stay open, so that the writer may remove them.
        options.set_max_open_files(-1);
        let db = beside_a_writer(|| {
            let families = families.iter().map(|family| {
                let options = family_options(*family, &cache);
                ColumnFamilyDescriptor::new(family.name(), options)
            });
            DB::open_cf_descriptors_as_secondary(&options, path, scratch, families)
        })
        .map_err(|error| unopened(path, &error))?;
        Ok(Self {
            db,
            synced: true,
            poison: Mutex::new(None),
        })
    }

    /// A new database that is worth nothing before it is whole: its batches are not synced one by
    /// one. [`Rocks::settle`] makes all of them durable.
    ///
    /// # Errors
    /// As [`Rocks::create`], and [`StoreError::Engine`] if there is one already.
    pub fn build(path: &Path) -> Result<Self, StoreError> {
        if Self::exists(path) {
            let place = path.display();
            return Err(StoreError::Engine(format!("{place} holds a database")));
        }
        Ok(Self {
            synced: false,
            ..Self::create(path)?
        })
    }

    /// Makes everything durable that was written, and closes the database.
    ///
    /// # Errors
    /// The engine's.
    pub fn settle(self) -> Result<(), StoreError> {
        self.check_poison()?;
        for family in Family::ALL {
            let handle = self.family(family)?;
            self.db.flush_cf(handle).map_err(|error| engine(&error))?;
        }
        self.db.flush_wal(true).map_err(|error| engine(&error))
    }

    /// Brings a [frozen](Rocks::frozen) database up to this moment. Quick where opening it was
    /// slow: only what was written since is read.
    ///
    /// # Errors
    /// The engine's.
    pub fn catch_up(&self) -> Result<(), StoreError> {
        beside_a_writer(|| self.db.try_catch_up_with_primary()).map_err(|error| engine(&error))
    }

    /// Writes everything in this database into a new one.
    ///
    /// Entry by entry, because there is no quicker way beside another process: the engine makes a
    /// checkpoint (further names of its files) of a database this process writes, and refuses one
    /// of a frozen database. And a backup on other names of the same bytes would be lost with them.
    ///
    /// # Errors
    /// The engine's, and [`StoreError::Engine`] if there is one already.
    pub fn copy_to(&self, path: &Path) -> Result<(), StoreError> {
        if Self::exists(path) {
            let place = path.display();
            return Err(StoreError::Engine(format!("{place} holds a database")));
        }
        let copy = Self::create(path)?;
        for family in Family::ALL {
            let (mut from, mut more) = (Vec::new(), true);
            while more {
                let entries = self.scan(family, &from, &crate::fsck::END, COPY)?;
                more = entries.len() == COPY;
                let mut native = rocksdb::WriteBatch::default();
                let handle = copy.family(family)?;
                for (key, value) in entries {
                    native.put_cf(handle, &key, value);
                    from = key;
                    // The first key after it.
                    from.push(0);
                }
                copy.db.write(native).map_err(|error| engine(&error))?;
            }
            let handle = copy.family(family)?;
            copy.db.flush_cf(handle).map_err(|error| engine(&error))?;
        }
        Ok(())
    }

    /// Whether the directory holds a database, whole or not.
    #[must_use]
    pub fn exists(path: &Path) -> bool {
        // The file by which the engine finds all others; it is written last.
        path.join("CURRENT").is_file()
    }

    /// `adjust` has the last word about the options of the database and of each family.
    fn with(path: &Path, create: bool, adjust: impl Fn(&mut Options)) -> Result<Self, StoreError> {
        let cache = Cache::new_lru_cache(CACHE);
        let families = Family::ALL.iter().map(|family| {
            let mut options = family_options(*family, &cache);
            adjust(&mut options);
            ColumnFamilyDescriptor::new(family.name(), options)
        });
        let mut options = database_options(create);
        adjust(&mut options);
        let db = DB::open_cf_descriptors(&options, path, families)
            .map_err(|error| unopened(path, &error))?;
        let store = Self {
            db,
            synced: true,
            poison: Mutex::new(None),
        };
        check_format(&store)?;
        Ok(store)
    }

    fn family(&self, family: Family) -> Result<&ColumnFamily, StoreError> {
        self.db
            .cf_handle(family.name())
            .ok_or_else(|| StoreError::Engine(format!("no column family {}", family.name())))
    }

    fn check_poison(&self) -> Result<(), StoreError> {
        match &*self.poison.lock().unwrap_or_else(PoisonError::into_inner) {
            None => Ok(()),
            Some(why) => Err(StoreError::Poisoned(why.clone())),
        }
    }

    fn scan_with(
        &self,
        options: ReadOptions,
        family: Family,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        self.check_poison()?;
        let mut options = options;
        options.set_iterate_upper_bound(to.to_vec());
        // Whoever reads a family through must not push out what everybody else reads.
        options.fill_cache(limit < BULK);
        let mode = IteratorMode::From(from, Direction::Forward);
        let mut entries = Vec::new();
        for entry in self
            .db
            .iterator_cf_opt(self.family(family)?, options, mode)
            .take(limit)
        {
            let (key, value) = entry.map_err(|error| engine(&error))?;
            entries.push((key.into_vec(), value.into_vec()));
        }
        Ok(entries)
    }

    fn last_with(&self, options: ReadOptions, family: Family) -> Result<Option<Entry>, StoreError> {
        self.check_poison()?;
        let handle = self.family(family)?;
        let first = self
            .db
            .iterator_cf_opt(handle, options, IteratorMode::End)
            .next();
        let entry = first.transpose().map_err(|error| engine(&error))?;
        Ok(entry.map(|(key, value)| (key.into_vec(), value.into_vec())))
    }
}

impl Read for Rocks {
    fn get(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.check_poison()?;
        self.db
            .get_cf(self.family(family)?, key)
            .map_err(|error| engine(&error))
    }

    fn scan(
        &self,
        family: Family,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        self.scan_with(ReadOptions::default(), family, from, to, limit)
    }

    fn last(&self, family: Family) -> Result<Option<Entry>, StoreError> {
        self.last_with(ReadOptions::default(), family)
    }
}

impl Store for Rocks {
    fn write(&self, batch: WriteBatch) -> Result<(), StoreError> {
        self.check_poison()?;
        let bytes = batch.writes().iter().map(|(_, key, value)| {
            let value = value.as_ref().map_or(0, Vec::len);
            key.len().saturating_add(value).saturating_add(ENTRY)
        });
        // Grown by doubling it would be copied as often again as it is long.
        let mut native = rocksdb::WriteBatch::with_capacity_bytes(bytes.sum());
        for (family, key, value) in batch.into_writes() {
            let handle = self.family(family)?;
            match value {
                Some(value) => native.put_cf(handle, key, value),
                None => native.delete_cf(handle, key),
            }
        }
        let mut options = WriteOptions::default();
        // Synced: "accepted" means it survives a power cut, and no peer could give it back.
        options.set_sync(self.synced);
        self.db.write_opt(native, &options).map_err(|error| {
            let mut poison = self.poison.lock().unwrap_or_else(PoisonError::into_inner);
            *poison = Some(error.to_string());
            engine(&error)
        })
    }

    fn snapshot(&self) -> Result<Snapshot<'_>, StoreError> {
        self.check_poison()?;
        Ok(Box::new(RocksSnapshot {
            store: self,
            snapshot: self.db.snapshot(),
        }))
    }
}

struct RocksSnapshot<'a> {
    store: &'a Rocks,
    snapshot: rocksdb::Snapshot<'a>,
}

impl RocksSnapshot<'_> {
    fn options(&self) -> ReadOptions {
        let mut options = ReadOptions::default();
        options.set_snapshot(&self.snapshot);
        options
    }
}

impl Read for RocksSnapshot<'_> {
    fn get(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.check_poison()?;
        self.snapshot
            .get_cf(self.store.family(family)?, key)
            .map_err(|error| engine(&error))
    }

    fn scan(
        &self,
        family: Family,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        self.store
            .scan_with(self.options(), family, from, to, limit)
    }

    fn last(&self, family: Family) -> Result<Option<Entry>, StoreError> {
        self.store.last_with(self.options(), family)
    }
}

/// How often a database that another process writes is looked at before a file of it counts as
/// lost.
const LOOKS: usize = 20;
/// Bytes of an entry of a batch beyond its key and its value: a tag and three lengths, at most.
const ENTRY: usize = 16;
/// Entries of one batch of a copy.
const COPY: usize = 4_096;
/// Entries asked for at once by whoever reads a whole family.
const BULK: usize = 1_024;
/// Memory for blocks, filters and indexes of all families, bytes.
const CACHE: usize = 192 << 20;
/// Memory for writes not yet in a table, bytes, of all families together.
const WRITE_BUFFERS: usize = 256 << 20;
/// The same of one family.
const WRITE_BUFFER: usize = 48 << 20;
/// Bytes of a part of an index or filter.
const PART: usize = 4 << 10;
/// Bytes of a block of leaves.
const LEAVES_BLOCK: usize = 16 << 10;
/// Bits of a filter for each key: one look-up in a hundred reads a table in vain.
const FILTER_BITS: f64 = 10.0;

fn database_options(create: bool) -> Options {
    let mut options = Options::default();
    options.create_if_missing(create);
    options.create_missing_column_families(create);
    options.set_paranoid_checks(true);
    options.set_wal_recovery_mode(DBRecoveryMode::TolerateCorruptedTailRecords);
    options.set_keep_log_file_num(4);
    options.set_db_write_buffer_size(WRITE_BUFFERS);
    options.set_max_background_jobs(2);
    // One thread writes. Locks for many would cost it a tenth of its time.
    options.set_allow_concurrent_memtable_write(false);
    // Tables go to disk while they are written, not all at the end.
    options.set_bytes_per_sync(1 << 20);
    options
}

/// Whether keys are looked for that are not there, so that a filter saves reading. A leaf and a
/// record are known from elsewhere before they are looked for, and lie in one table.
fn asked_in_vain(family: Family) -> bool {
    !matches!(family, Family::Leaves | Family::Records)
}

fn family_options(family: Family, cache: &Cache) -> Options {
    let mut options = Options::default();
    options.set_write_buffer_size(WRITE_BUFFER);
    options.set_max_write_buffer_number(3);
    // Hashes do not compress; texts do. Their keys ascend, so that a table once written only
    // changes its level: to compress it later would be to write it again.
    options.set_compression_type(DBCompressionType::None);
    if matches!(family, Family::Leaves | Family::Records | Family::Heads) {
        options.set_compression_type(DBCompressionType::Lz4);
    }
    // Random keys are rewritten at each level: fewer and larger ones are cheaper.
    options.set_max_bytes_for_level_base(512 << 20);
    options.set_target_file_size_base(64 << 20);
    let mut table = BlockBasedOptions::default();
    table.set_block_cache(cache);
    table.set_cache_index_and_filter_blocks(true);
    table.set_pin_l0_filter_and_index_blocks_in_cache(true);
    // Indexes and filters in blocks of their own, of which the memory keeps those in use: whole
    // ones are megabytes, and with many tables each would push out the next.
    table.set_index_type(BlockBasedIndexType::TwoLevelIndexSearch);
    table.set_metadata_block_size(PART);
    table.set_pin_top_level_index_and_filter(true);
    if asked_in_vain(family) {
        table.set_bloom_filter(FILTER_BITS, false);
        table.set_partition_filters(true);
    }
    if family == Family::Leaves {
        // Read in their order, or one for a proof: a small index is worth more than a small block.
        table.set_block_size(LEAVES_BLOCK);
    }
    options.set_block_based_table_factory(&table);
    options
}

/// The engine's words, and what the operator can do where there is one thing.
fn engine(error: &rocksdb::Error) -> StoreError {
    let text = error.to_string();
    let advice = match error.kind() {
        ErrorKind::Corruption => {
            ": the database's files are damaged: keep them, restore the newest backup of the \
             database, leave the files beside it as they are"
        }
        ErrorKind::IOError if text.contains("No space left") => {
            ": make room on the disk, then start again"
        }
        _ => "",
    };
    StoreError::Engine(format!("{text}{advice}"))
}

/// Tries again while a file is gone that was listed a moment before: the writer merged it into
/// another between the two looks. It merges less often than we look, so a few looks are enough, and
/// a file that is truly lost is still missing at the last of them.
fn beside_a_writer<T>(look: impl Fn() -> Result<T, rocksdb::Error>) -> Result<T, rocksdb::Error> {
    for _ in 1..LOOKS {
        match look() {
            Err(error) if vanished(&error) => {}
            other => return other,
        }
    }
    look()
}

fn vanished(error: &rocksdb::Error) -> bool {
    error.kind() == ErrorKind::IOError && error.to_string().contains("No such file or directory")
}

/// Why a database was not opened. One of another format may have other families, at which the
/// engine stumbles before anybody reads the format.
fn unopened(path: &Path, error: &rocksdb::Error) -> StoreError {
    let told = open_error(path, error);
    if matches!(told, StoreError::Locked { .. }) {
        return told;
    }
    let meta = [Family::Meta.name()];
    let opened = DB::open_cf_for_read_only(&database_options(false), path, meta, false);
    let stated = opened.ok().map(|db| {
        check_format(&Rocks {
            db,
            synced: true,
            poison: Mutex::new(None),
        })
    });
    match stated {
        Some(Err(other @ StoreError::Format { .. })) => other,
        _ => told,
    }
}

fn open_error(path: &Path, error: &rocksdb::Error) -> StoreError {
    let text = error.to_string();
    // RocksDB has no error kind for its lock file, only these words.
    if text.contains("lock hold by current process") || text.contains("While lock file") {
        return StoreError::Locked {
            path: path.to_string_lossy().into_owned(),
        };
    }
    engine(error)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::fs;

    use super::*;

    #[test]
    fn a_file_that_is_gone_is_looked_for_again_and_a_damaged_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let (path, away) = (dir.path().join("db"), dir.path().join("away"));
        drop(Rocks::create(&path).unwrap());
        fs::rename(&path, &away).unwrap();
        let looks = Cell::new(0);
        let look = |back_at: usize| {
            looks.set(0);
            beside_a_writer(|| {
                looks.set(looks.get() + 1);
                if looks.get() == back_at {
                    fs::rename(&away, &path).unwrap();
                }
                let names = Family::ALL.iter().map(|family| family.name());
                let scratch = dir.path().join("scratch");
                DB::open_cf_as_secondary(&database_options(false), &path, &scratch, names)
            })
        };
        let lost = look(usize::MAX).err().unwrap();
        assert_eq!((looks.get(), vanished(&lost)), (LOOKS, true), "{lost}");
        assert!(look(4).is_ok());
        assert_eq!(looks.get(), 4);
        fs::write(path.join("CURRENT"), "no name of a file\n").unwrap();
        let damaged = look(usize::MAX).err().unwrap();
        assert!(!vanished(&damaged), "{damaged}");
        assert_eq!(looks.get(), 1);
    }

    #[test]
    fn a_database_with_other_families_tells_its_format_and_is_read_where_it_is_stable() {
        let dir = tempfile::tempdir().unwrap();
        let (path, scratch) = (dir.path().join("db"), dir.path().join("scratch"));
        let state = |format: u64| {
            // As format 1 had it: pages on disk, and not all of the later families.
            let families = ["heads", "leaves", "meta", "pages"];
            let db = DB::open_cf(&database_options(true), &path, families).unwrap();
            let put = |family: &str, key: &[u8], value: &[u8]| {
                db.put_cf(db.cf_handle(family).unwrap(), key, value)
                    .unwrap();
            };
            put("leaves", &[0; 8], b"leaf");
            put("pages", b"page", b"bytes");
            put("meta", b"format", &format.to_be_bytes());
        };
        let expected = super::super::layout::FORMAT;
        for actual in [1, expected + 1] {
            state(actual);
            let other = StoreError::Format { expected, actual };
            assert_eq!(Rocks::open(&path).unwrap_err(), other);
            assert_eq!(Rocks::frozen(&path, &scratch).unwrap_err(), other);
        }
        let store = Rocks::stable(&path, &scratch).unwrap();
        assert_eq!(
            store.get(Family::Leaves, &[0; 8]),
            Ok(Some(b"leaf".to_vec()))
        );
        let absent = store.get(Family::Tiles, b"page").unwrap_err();
        assert!(
            absent.to_string().contains("no column family tiles"),
            "{absent}"
        );
        // Of this format it cannot be: the engine's own words, then.
        drop(store);
        state(expected);
        let error = Rocks::open(&path).unwrap_err();
        assert!(matches!(error, StoreError::Engine(_)), "{error:?}");
    }
}
