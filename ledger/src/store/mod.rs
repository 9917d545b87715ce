//! What the ledger keeps, and the promise every store makes.
//!
//! Three layers: bytes ([`layout`]: the column families, their keys and values), engine ([`rocks`],
//! the only file that names RocksDB, and [`memory`], which can fail on purpose), and this trait
//! between them. Small files beside the database are in [`files`]. What the bytes mean together is
//! decided above (`sequence`, `map`, `read`, `fsck`).
//!
//! Invariants of every writer: one [`WriteBatch`] per change of state; whoever changes a byte in
//! [`layout`] raises [`layout::FORMAT`], and leaves its stable families alone.

pub mod files;
pub mod layout;
pub mod memory;
pub mod rocks;

#[cfg(test)]
mod tests;

pub use layout::{Family, LayoutError, Table};

/// A key and its value, as stored.
pub type Entry = (Vec<u8>, Vec<u8>);

/// A typed key and its value.
pub type Row<T> = (<T as Table>::Key, <T as Table>::Value);

/// Why a store could not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A stored value is not what its column family holds.
    #[error("{family} at {key}: {problem}; run fsck, and do what it says")]
    Corrupt {
        /// Column family.
        family: &'static str,
        /// Key, hexadecimal, clipped.
        key: String,
        /// What is wrong.
        problem: LayoutError,
    },
    /// The engine reports an error; the text is the engine's.
    #[error("storage engine: {0}")]
    Engine(String),
    /// The database was written by a version with another layout.
    #[error(
        "database has format version {actual}, this program reads version {expected}: {}",
        if .actual < .expected { "migrate it" } else { "it was made by a newer program" }
    )]
    Format {
        /// [`layout::FORMAT`].
        expected: u64,
        /// Found in the database.
        actual: u64,
    },
    /// A file beside the database could not be read or replaced.
    #[error("file {name}: {problem}")]
    File {
        /// Name of the file.
        name: String,
        /// The operating system's text.
        problem: String,
    },
    /// Another process has the directory open.
    #[error("{path} is in use by another process: stop it first, two writers would fork the log")]
    Locked {
        /// The directory.
        path: String,
    },
    /// A value that must be there is not.
    #[error("{family} has no entry at {key}; run fsck, and do what it says")]
    Missing {
        /// Column family.
        family: &'static str,
        /// Key, hexadecimal, clipped.
        key: String,
    },
    /// There is no database, and opening makes none.
    #[error("{path} holds no database")]
    NoDatabase {
        /// The directory.
        path: String,
    },
    /// A write failed before: what is on disk is unknown, so nothing more is read or written.
    #[error("a write failed earlier, open the store anew: {0}")]
    Poisoned(String),
}

/// Reading. A value returned was written by one whole batch; within one [`Snapshot`] all values
/// are of the same moment.
pub trait Read {
    /// The value at `key`, if there is one.
    ///
    /// # Errors
    /// The engine's, including a checksum that does not match.
    fn get(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Up to `limit` entries with `from` ≤ key < `to`, ascending.
    ///
    /// # Errors
    /// As [`Read::get`].
    fn scan(
        &self,
        family: Family,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError>;

    /// The entry with the greatest key, if the family has any.
    ///
    /// # Errors
    /// As [`Read::get`].
    fn last(&self, family: Family) -> Result<Option<Entry>, StoreError>;
}

/// A frozen view of a store.
pub type Snapshot<'a> = Box<dyn Read + 'a>;

/// A store: reads, and batches that are all there or not there at all.
///
/// **Promise.** When [`Store::write`] returns `Ok`, the whole batch survives the loss of the
/// process and of power, and every later read sees it. When it returns an error, the batch is
/// either whole or absent, nobody knows which, and the store refuses every further call with
/// [`StoreError::Poisoned`]: the way back is to open it anew. Batches are never seen in part.
/// Many threads may read while one writes.
pub trait Store: Read + Send + Sync {
    /// Writes the batch, synced.
    ///
    /// # Errors
    /// The engine's; the store is then poisoned.
    fn write(&self, batch: WriteBatch) -> Result<(), StoreError>;

    /// A view of this moment, unaffected by later writes.
    ///
    /// # Errors
    /// Poisoned.
    fn snapshot(&self) -> Result<Snapshot<'_>, StoreError>;
}

/// One write: put a value, or (`None`) remove a key.
pub type Write = (Family, Vec<u8>, Option<Vec<u8>>);

/// Writes that happen together or not at all, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "a batch does nothing until it is written"]
pub struct WriteBatch {
    writes: Vec<Write>,
}

impl WriteBatch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts one typed value.
    pub fn put<T: Table>(&mut self, key: &T::Key, value: &T::Value) {
        self.writes
            .push((T::FAMILY, T::encode_key(key), Some(T::encode_value(value))));
    }

    /// Removes one typed key.
    pub fn remove<T: Table>(&mut self, key: &T::Key) {
        self.writes.push((T::FAMILY, T::encode_key(key), None));
    }

    /// Adds the writes of another batch after its own.
    pub fn append(&mut self, mut other: Self) {
        self.writes.append(&mut other.writes);
    }

    /// The writes, in order.
    #[must_use]
    pub fn writes(&self) -> &[Write] {
        &self.writes
    }

    /// The writes, in order, for an engine.
    #[must_use]
    pub fn into_writes(self) -> Vec<Write> {
        self.writes
    }

    /// Adds one raw write: for repairs and for tests that damage a store.
    pub fn push_raw(&mut self, write: Write) {
        self.writes.push(write);
    }
}

/// Reads one typed value.
///
/// # Errors
/// The store's; [`StoreError::Corrupt`].
pub fn read<T: Table>(store: &dyn Read, key: &T::Key) -> Result<Option<T::Value>, StoreError> {
    let key = T::encode_key(key);
    match store.get(T::FAMILY, &key)? {
        None => Ok(None),
        Some(bytes) => T::decode_value(&bytes)
            .map(Some)
            .map_err(|e| corrupt::<T>(&key, e)),
    }
}

/// Reads one typed value that must be there.
///
/// # Errors
/// As [`read`]; [`StoreError::Missing`].
pub fn require<T: Table>(store: &dyn Read, key: &T::Key) -> Result<T::Value, StoreError> {
    read::<T>(store, key)?.ok_or_else(|| StoreError::Missing {
        family: T::FAMILY.name(),
        key: layout::show(&T::encode_key(key)),
    })
}

/// Reads the typed entry with the greatest key.
///
/// # Errors
/// As [`read`].
pub fn last<T: Table>(store: &dyn Read) -> Result<Option<Row<T>>, StoreError> {
    store
        .last(T::FAMILY)?
        .map(|entry| decode::<T>(&entry))
        .transpose()
}

/// Reads up to `limit` typed entries with `from` ≤ key < `to`, ascending.
///
/// # Errors
/// As [`read`].
pub fn scan<T: Table>(
    store: &dyn Read,
    from: &T::Key,
    to: &T::Key,
    limit: usize,
) -> Result<Vec<Row<T>>, StoreError> {
    let entries = store.scan(T::FAMILY, &T::encode_key(from), &T::encode_key(to), limit)?;
    entries.iter().map(decode::<T>).collect()
}

/// Decodes a raw entry of the table's family.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn decode<T: Table>((key, value): &Entry) -> Result<Row<T>, StoreError> {
    let typed = T::decode_key(key).map_err(|e| corrupt::<T>(key, e))?;
    Ok((
        typed,
        T::decode_value(value).map_err(|e| corrupt::<T>(key, e))?,
    ))
}

fn corrupt<T: Table>(key: &[u8], problem: LayoutError) -> StoreError {
    StoreError::Corrupt {
        family: T::FAMILY.name(),
        key: layout::show(key),
        problem,
    }
}

/// The format version that a database states; an empty one states none.
///
/// # Errors
/// As [`read`].
pub(crate) fn format_of(store: &dyn Read) -> Result<Option<u64>, StoreError> {
    let key = layout::MetaKey::Format;
    let Some(bytes) = read::<layout::Meta>(store, &key)? else {
        return Ok(None);
    };
    let eight = bytes.as_slice().try_into().map_err(|_| {
        let problem = LayoutError::Length {
            expected: "8",
            actual: bytes.len(),
        };
        corrupt::<layout::Meta>(&layout::Meta::encode_key(&key), problem)
    })?;
    Ok(Some(u64::from_be_bytes(eight)))
}

/// Refuses a database whose layout this program does not know; an empty one passes.
pub(crate) fn check_format(store: &dyn Read) -> Result<(), StoreError> {
    let expected = layout::FORMAT;
    match format_of(store)? {
        Some(actual) if actual != expected => Err(StoreError::Format { expected, actual }),
        _ => Ok(()),
    }
}
