//! The office's own database: what it issued, and what it has said to the ledger.
//!
//! The ledger is the authority for every licence's standing; nothing here repeats it. What is
//! here only: the credentials, the words and salts behind digests, and the outbox.
//!
//! Out of scope: encryption of the personal fields. Holder, number and credential stand in clear,
//! so the file needs the protection the operating system gives.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, TransactionBehavior};
use zhao_spec::wire::{Hash, UnixMillis};

mod authorities;
mod chains;
mod licences;
mod outbox;

pub use authorities::{Unit, UnitKey};
pub use chains::{ChainMark, Link, Outgoing};
pub use licences::{Licence, LicenceState, NewLicence};
pub use outbox::{Entry, Standing, Words};

/// The migrations, oldest first: the schema's version is how many have run.
const MIGRATIONS: [&str; 1] = [include_str!("schema.sql")];

/// Why the records cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordsError {
    /// A value in the database is not what was written.
    #[error("the records are damaged: {table}.{column} is not {expected}")]
    Damaged {
        /// Table.
        table: &'static str,
        /// Column.
        column: &'static str,
        /// What should stand there.
        expected: &'static str,
    },
    /// There is a database already.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// The operating system refuses.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What it says.
        source: std::io::Error,
    },
    /// There is no database.
    #[error("{} does not exist: the office has not been set up", .0.display())]
    Missing(PathBuf),
    /// A later program wrote this database.
    #[error("the records have version {actual}, this program knows {known}")]
    Newer {
        /// Version of the file.
        actual: i64,
        /// Version of the program.
        known: i64,
    },
    /// The file is a database, but not an office's.
    #[error("{} does not hold an office's records", .0.display())]
    NotRecords(PathBuf),
    /// The database refuses.
    #[error("the records: {0}")]
    Sql(#[from] rusqlite::Error),
}

/// An open database.
#[derive(Debug)]
pub struct Records {
    connection: Connection,
    origin: String,
}

/// One transaction: kept whole by [`Transaction::commit`], dropped whole otherwise.
#[derive(Debug)]
pub struct Transaction<'a>(rusqlite::Transaction<'a>);

impl Transaction<'_> {
    /// Makes it durable: when this returns, a crash does not undo it.
    ///
    /// # Errors
    /// The database refuses; then nothing was written.
    pub fn commit(self) -> Result<(), RecordsError> {
        Ok(self.0.commit()?)
    }
}

impl Records {
    /// Makes the database of an office of the log `origin`, whose genesis leaf is `genesis`.
    ///
    /// # Errors
    /// The file exists, or the disk refuses.
    pub fn create(path: &Path, origin: &str, genesis: &[u8]) -> Result<Self, RecordsError> {
        // The file holds people's names and numbers: nobody but its owner reads it. SQLite gives
        // its log files the same mode.
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
        let mut connection = Connection::open(path)?;
        configure(&connection)?;
        let transaction = connection.transaction()?;
        transaction.execute_batch("CREATE TABLE schema_version (version INTEGER NOT NULL)")?;
        transaction.execute("INSERT INTO schema_version (version) VALUES (0)", [])?;
        migrate(&transaction, 0)?;
        transaction.execute(
            "INSERT INTO office (id, origin, genesis) VALUES (1, ?1, ?2)",
            (origin, genesis),
        )?;
        transaction.commit()?;
        Ok(Self {
            connection,
            origin: origin.to_owned(),
        })
    }

    /// Opens the database, bringing an older one up to this program's version.
    ///
    /// # Errors
    /// No such file, another program's or a later program's file, or a damaged one.
    pub fn open(path: &Path) -> Result<Self, RecordsError> {
        if !path.exists() {
            return Err(RecordsError::Missing(path.to_owned()));
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags)?;
        configure(&connection).map_err(|error| not_records(path, error))?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let version: i64 = transaction
            .query_row("SELECT version FROM schema_version", [], |row| row.get(0))
            .map_err(|_| RecordsError::NotRecords(path.to_owned()))?;
        migrate(&transaction, version)?;
        let origin = transaction
            .query_row("SELECT origin FROM office WHERE id = 1", [], |row| {
                row.get(0)
            })
            .optional()?
            .ok_or_else(|| RecordsError::NotRecords(path.to_owned()))?;
        transaction.commit()?;
        Ok(Self { connection, origin })
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
    /// The database refuses, as when another process writes.
    pub fn begin(&mut self) -> Result<Transaction<'_>, RecordsError> {
        let behavior = TransactionBehavior::Immediate;
        Ok(Transaction(
            self.connection.transaction_with_behavior(behavior)?,
        ))
    }
}

fn configure(connection: &Connection) -> Result<(), rusqlite::Error> {
    // FULL: the write-ahead log is flushed at each commit, so that what was said is not forgotten.
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;",
    )
}

fn not_records(path: &Path, error: rusqlite::Error) -> RecordsError {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => RecordsError::NotRecords(path.to_owned()),
        _ => RecordsError::Sql(error),
    }
}

fn migrate(connection: &Connection, version: i64) -> Result<(), RecordsError> {
    let known = i64::try_from(MIGRATIONS.len()).expect("there are few migrations");
    if version > known {
        return Err(RecordsError::Newer {
            actual: version,
            known,
        });
    }
    let done = usize::try_from(version).map_err(|_| RecordsError::Damaged {
        table: "schema_version",
        column: "version",
        expected: "a count of migrations",
    })?;
    for migration in MIGRATIONS.iter().skip(done) {
        connection.execute_batch(migration)?;
    }
    connection.execute("UPDATE schema_version SET version = ?1", [known])?;
    Ok(())
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
