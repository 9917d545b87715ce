//! What can be wrong with the records.

use std::path::PathBuf;

use rusqlite::ErrorCode;
use zhao_spec::wire::Hash;

use crate::vault::VaultError;

/// Why the records cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordsError {
    /// Another process is writing.
    #[error("another process is writing the records")]
    Busy,
    /// The file is cut short or overwritten.
    #[error("the records' file is damaged: {0}")]
    Corrupt(String),
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
    /// The disk, or the room given to the database, is full.
    #[error("no room left for the records")]
    Full,
    /// The file was removed, or another was put in its place, while it was open.
    #[error(
        "{} was removed or replaced while it was open: nothing was written; put it back and start \
         again",
        .0.display()
    )]
    Gone(PathBuf),
    /// The operating system refuses.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What it says.
        source: std::io::Error,
    },
    /// Another process has taken a new key into use since the records were opened.
    #[error("the records are written with key {actual} now, this process has key {expected}")]
    KeyChanged {
        /// The version this process has.
        expected: u16,
        /// The version in use.
        actual: i64,
    },
    /// The key directory has no such key.
    #[error("the key records-{version} is missing: the records cannot be read without it")]
    KeyMissing {
        /// Its version.
        version: u16,
    },
    /// The key is not the one the records were written with.
    #[error("the key records-{version} is not the one these records were written with")]
    KeyWrong {
        /// Its version.
        version: u16,
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
    /// The name is the name of other bytes.
    #[error("{name} is not the name of this document")]
    OtherDocument {
        /// The name.
        name: Hash,
    },
    /// A sealed value does not open: it was changed, cut short, or stood elsewhere.
    #[error("{table}.{column} does not open: changed, cut short or moved")]
    Sealed {
        /// Table.
        table: &'static str,
        /// Column.
        column: &'static str,
    },
    /// The database refuses.
    #[error("the records: {0}")]
    Sql(rusqlite::Error),
    /// Another licence has it.
    #[error("the {what} is taken by another licence")]
    Taken {
        /// `identifier` or `reference`.
        what: &'static str,
    },
    /// More than a place allows.
    #[error("{what} of {actual} bytes exceeds the limit of {limit}")]
    TooLarge {
        /// What it is.
        what: &'static str,
        /// The limit, bytes.
        limit: usize,
        /// Bytes there are.
        actual: usize,
    },
}

impl From<rusqlite::Error> for RecordsError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Corrupt(error.to_string())
            }
            Some(ErrorCode::DiskFull) => Self::Full,
            _ => Self::Sql(error),
        }
    }
}

impl RecordsError {
    /// What a vault says when it is opened.
    pub(super) fn vault(error: VaultError) -> Self {
        match error {
            VaultError::Missing(version) => Self::KeyMissing { version },
            VaultError::Wrong(version) => Self::KeyWrong { version },
            VaultError::Sealed => Self::Sealed {
                table: "vault_keys",
                column: "index_root",
            },
        }
    }
}
