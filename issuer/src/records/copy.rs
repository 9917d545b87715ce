//! A copy of the database as of one moment, while others write.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::{RecordsError, not_records};

/// How long to wait for a moment in which nobody writes. Whoever writes without a pause leaves only
/// short ones.
const PATIENCE: Duration = Duration::from_secs(60);

/// A moment of the database. Until [`Moment::release`] nobody can write it, so that whoever copies
/// something else too, copies it as of the same moment.
#[derive(Debug)]
pub struct Moment {
    /// Holds the right to write.
    writer: Option<Connection>,
    /// Sees the database as of the moment.
    snapshot: Connection,
}

impl Moment {
    /// Waits for the transaction under way, and holds everybody up.
    ///
    /// # Errors
    /// No such database, or one that is written without end.
    pub fn hold(path: &Path) -> Result<Self, RecordsError> {
        if !path.exists() {
            return Err(RecordsError::Missing(path.to_owned()));
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let writer = Connection::open_with_flags(path, flags)?;
        writer.busy_timeout(PATIENCE)?;
        let begun = writer.execute_batch("BEGIN IMMEDIATE");
        begun.map_err(|error| not_records(path, error))?;
        let snapshot = Connection::open_with_flags(path, flags)?;
        // The snapshot begins with the first read, not with BEGIN.
        snapshot.execute_batch("BEGIN; SELECT COUNT(*) FROM office;")?;
        Ok(Self {
            writer: Some(writer),
            snapshot,
        })
    }

    /// Lets the others write again. The moment stays as it was.
    pub fn release(&mut self) {
        self.writer = None;
    }

    /// Writes the database of the moment into a new file.
    ///
    /// # Errors
    /// There is such a file, or the disk refuses.
    pub fn write(&self, path: &Path) -> Result<(), RecordsError> {
        let made = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path);
        made.map_err(|source| RecordsError::Io {
            path: path.to_owned(),
            source,
        })?;
        let mut copy = Connection::open(path)?;
        let backup = Backup::new(&self.snapshot, &mut copy)?;
        // All pages in one step: nothing that others write meanwhile is seen.
        while backup.step(-1)? != StepResult::Done {}
        drop(backup);
        // One file, without a write-ahead log beside it.
        copy.execute_batch("PRAGMA journal_mode = DELETE; PRAGMA journal_mode = WAL;")?;
        copy.close().map_err(|(_, error)| error)?;
        Ok(())
    }
}
