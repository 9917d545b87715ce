//! The office's own database: what it issued, and what it has said to the ledger.
//!
//! The ledger is the authority for every licence's standing; nothing here repeats it. What is
//! here only: credentials, holders, documents, the words and salts behind digests, the outbox,
//! who acted, and the state of jobs. What names or numbers a person is sealed cell by cell
//! ([`crate::vault`]) and found through blind indexes.
//!
//! The engine is SQLite; the statements are plain enough for PostgreSQL, and no caller sees one.
//! Lists are paged by the last row seen, never by counting rows.
//!
//! Out of scope: what a licence's standing is, who may do what, and the ledger.
//!
//! Prose: `issuer/records.md`.

use std::cell::{Cell, RefCell};
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, TransactionBehavior};
use zhao_spec::wire::{Hash, UnixMillis};

use self::place::Place;
use crate::vault::{KeyRow, Secrets, Vault};

mod acts;
mod api_keys;
mod authorities;
mod batches;
mod carry;
mod chains;
mod copy;
mod documents;
mod error;
mod holders;
mod indexed;
mod jobs;
mod licences;
mod migrate;
mod named;
mod operators;
mod outbox;
mod pack;
mod place;
mod receipts;
mod rotate;
mod search;
mod stock;
mod whole;

pub use acts::Said;
pub use api_keys::ApiKey;
pub use authorities::{Unit, UnitKey};
pub use carry::Carrier;
pub use chains::{ChainMark, Link, Outgoing};
pub use copy::Moment;
pub use documents::{DOCUMENT_BYTES, Document};
pub use error::RecordsError;
pub use holders::Holder;
pub use jobs::{Job, JobRow, JobState};
pub use licences::{Licence, LicenceState, NewLicence};
pub use outbox::{Entry, Standing, Words};
pub use rotate::Rotation;
pub use search::{Search, Summary, masked};
pub use stock::TypeCount;

pub use crate::intake::Origin;

/// An open database.
#[derive(Debug)]
pub struct Records {
    connection: Connection,
    operator: Option<String>,
    origin: String,
    place: Place,
    vault: Vault,
}

/// One transaction: kept whole by [`Transaction::commit`], dropped whole otherwise.
#[derive(Debug)]
pub struct Transaction<'a> {
    operator: Option<&'a str>,
    operator_id: Cell<Option<i64>>,
    /// None while the database is being made.
    place: Option<&'a Place>,
    sql: rusqlite::Transaction<'a>,
    template: RefCell<Option<receipts::Template>>,
    vault: &'a Vault,
}

impl<'a> Transaction<'a> {
    fn new(sql: rusqlite::Transaction<'a>, operator: Option<&'a str>, vault: &'a Vault) -> Self {
        Self {
            operator,
            operator_id: Cell::new(None),
            place: None,
            sql,
            template: RefCell::new(None),
            vault,
        }
    }

    /// Makes it durable: when this returns, a crash does not undo it.
    ///
    /// # Errors
    /// The database refuses, or its file is gone; then nothing was written.
    pub fn commit(self) -> Result<(), RecordsError> {
        if let Some(place) = self.place {
            place.check()?;
        }
        Ok(self.sql.commit()?)
    }
}

impl Records {
    /// Makes the database of an office of the log `origin`, whose genesis leaf is `genesis`,
    /// sealed under the latest of `secrets`.
    ///
    /// # Errors
    /// The file exists, there is no secret, or the disk refuses.
    pub fn create(
        path: &Path,
        origin: &str,
        genesis: &[u8],
        secrets: &Secrets,
    ) -> Result<Self, RecordsError> {
        // Before anything is on the disk.
        Vault::fresh(secrets, origin).map_err(RecordsError::vault)?;
        // The file tells who has licences where: nobody but its owner reads it. SQLite gives its
        // log files the same mode.
        let made = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path);
        made.map_err(|source| match source.kind() {
            std::io::ErrorKind::AlreadyExists => RecordsError::Exists(path.to_owned()),
            _ => RecordsError::Io {
                path: path.to_owned(),
                source,
            },
        })?;
        let mut connection = file(path)?;
        configure(&connection)?;
        let transaction = connection.transaction()?;
        migrate::begin(&transaction, origin, genesis)?;
        migrate::run(transaction, 1, origin, secrets)?;
        Self::with(connection, Place::of(path)?, origin.to_owned(), secrets)
    }

    /// Opens the database, bringing an older one up to this program's version.
    ///
    /// # Errors
    /// No such file, another program's or a later program's file, a damaged one, or one that was
    /// written with a key that is not among `secrets`.
    pub fn open(path: &Path, secrets: &Secrets) -> Result<Self, RecordsError> {
        let (mut connection, version) = connect(path)?;
        let place = Place::of(path)?;
        if version < migrate::KNOWN {
            // What the older version has in clear must not stay behind in freed pages.
            connection.execute_batch("PRAGMA secure_delete = ON")?;
            let behavior = TransactionBehavior::Immediate;
            let transaction = connection.transaction_with_behavior(behavior)?;
            // Another process may have been faster.
            let version = migrate::version(&transaction, path)?;
            let origin = origin(&transaction, path)?;
            migrate::run(transaction, version, &origin, secrets)?;
            connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
        }
        let origin = origin(&connection, path)?;
        Self::with(connection, place, origin, secrets)
    }

    fn with(
        connection: Connection,
        place: Place,
        origin: String,
        secrets: &Secrets,
    ) -> Result<Self, RecordsError> {
        let rows = key_rows(&connection)?;
        let vault = Vault::load(secrets, &origin, &rows).map_err(RecordsError::vault)?;
        Ok(Self {
            connection,
            operator: None,
            origin,
            place,
            vault,
        })
    }

    /// The origin of the log this office submits to.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The bytes of the genesis leaf.
    ///
    /// # Errors
    /// The database refuses.
    pub fn genesis(&self) -> Result<Vec<u8>, RecordsError> {
        let select = "SELECT genesis FROM office WHERE id = 1";
        Ok(self.connection.query_row(select, [], |row| row.get(0))?)
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// Another process writes, or has taken a new key into use; the database refuses.
    pub fn begin(&mut self) -> Result<Transaction<'_>, RecordsError> {
        let behavior = TransactionBehavior::Immediate;
        let sql = self.connection.transaction_with_behavior(behavior)?;
        let (expected, actual) = (self.vault.current(), current_key(&sql)?);
        if actual != i64::from(expected) {
            return Err(RecordsError::KeyChanged { expected, actual });
        }
        let mut transaction = Transaction::new(sql, self.operator.as_deref(), &self.vault);
        transaction.place = Some(&self.place);
        Ok(transaction)
    }
}

/// Whether the records in this file are of a version that has no key yet: the next
/// [`Records::open`] needs one to be made.
///
/// # Errors
/// No such file, or another program's.
pub fn needs_first_key(path: &Path) -> Result<bool, RecordsError> {
    let (_, version) = connect(path)?;
    Ok(version < migrate::SEALED_SINCE)
}

/// Opens the file and says which version it has.
fn connect(path: &Path) -> Result<(Connection, i64), RecordsError> {
    if !path.exists() {
        return Err(RecordsError::Missing(path.to_owned()));
    }
    let connection = file(path)?;
    configure(&connection).map_err(|error| not_records(path, error))?;
    let version = migrate::version(&connection, path)?;
    Ok((connection, version))
}

fn file(path: &Path) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags)
}

fn configure(connection: &Connection) -> Result<(), rusqlite::Error> {
    // FULL: the write-ahead log is flushed at each commit, so that what was said is not forgotten.
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;",
    )?;
    carry::room(connection, carry::DAILY)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

fn origin(connection: &Connection, path: &Path) -> Result<String, RecordsError> {
    connection
        .query_row("SELECT origin FROM office WHERE id = 1", [], |row| {
            row.get(0)
        })
        .optional()?
        .ok_or_else(|| RecordsError::NotRecords(path.to_owned()))
}

fn key_rows(connection: &Connection) -> Result<Vec<KeyRow>, RecordsError> {
    let mut statement = connection.prepare_cached(
        "SELECT version, check_value, index_root FROM vault_keys ORDER BY version",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(KeyRow {
            version: row.get(0)?,
            check: row.get(1)?,
            index_root: row.get(2)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The version of the key that is in use.
fn current_key(connection: &Connection) -> Result<i64, RecordsError> {
    let select = "SELECT COALESCE(MAX(version), 0) FROM vault_keys";
    Ok(connection
        .prepare_cached(select)?
        .query_row([], |row| row.get(0))?)
}

fn not_records(path: &Path, error: rusqlite::Error) -> RecordsError {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => RecordsError::NotRecords(path.to_owned()),
        _ => RecordsError::from(error),
    }
}

/// SQLite keeps signed integers; ours are below 2^53.
fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn unsigned(n: i64, table: &'static str, column: &'static str) -> Result<u64, RecordsError> {
    u64::try_from(n).map_err(|_| RecordsError::Damaged {
        table,
        column,
        expected: "0 or more",
    })
}

fn time(now: UnixMillis) -> i64 {
    signed(now.0)
}

fn hash(bytes: &[u8], table: &'static str, column: &'static str) -> Result<Hash, RecordsError> {
    let expected = "32 bytes";
    bytes
        .try_into()
        .map(Hash)
        .map_err(|_| RecordsError::Damaged {
            table,
            column,
            expected,
        })
}

#[cfg(test)]
mod tests;
