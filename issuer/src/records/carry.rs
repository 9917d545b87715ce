//! From the write-ahead log into the database: how much may wait there, and who carries it over.
//!
//! Blind indexes of people are entered at random places. Each entry dirties a page, which goes to
//! the write-ahead log with its transaction, and from there into the database: the longer that
//! waits, the more changes of one page are carried over at once. What is dirty is best kept in
//! memory as well, or it is read back for the next entry.

use rusqlite::Connection;

use super::{Records, RecordsError};

/// Bytes of a page.
const PAGE: u32 = 4096;

/// Room for pages that are at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Room {
    /// Pages in memory, MiB.
    memory: u32,
    /// What the write-ahead log may hold before a commit has to carry it over, MiB.
    log: u32,
}

/// Beside everything else an office does in a day.
pub(super) const DAILY: Room = Room {
    memory: 128,
    log: 64,
};

/// For a file of a million rows.
const BULK: Room = Room {
    memory: 256,
    log: 256,
};

/// Gives the connection this room.
pub(super) fn room(connection: &Connection, room: Room) -> Result<(), rusqlite::Error> {
    let (kib, pages) = (room.memory * 1024, room.log * (1 << 20) / PAGE);
    connection.execute_batch(&format!(
        "PRAGMA cache_size = -{kib}; PRAGMA wal_autocheckpoint = {pages};"
    ))
}

/// Carries the write-ahead log over, beside whoever writes: left to the commits, one in thousands
/// does it for all, and everybody waits for that one.
pub struct Carrier {
    connection: Connection,
}

impl std::fmt::Debug for Carrier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Carrier")
    }
}

impl Carrier {
    /// Carries over what was committed, as far as nobody reads it.
    ///
    /// # Errors
    /// The database refuses.
    pub fn carry_over(&self) -> Result<(), RecordsError> {
        let pragma = "PRAGMA wal_checkpoint(PASSIVE)";
        Ok(self.connection.query_row(pragma, [], |_| Ok(()))?)
    }
}

impl Records {
    /// What carries these records' log over, on a thread of its own.
    ///
    /// # Errors
    /// The database refuses.
    pub fn carrier(&self) -> Result<Carrier, RecordsError> {
        let connection = super::file(self.place.path())?;
        super::configure(&connection)?;
        Ok(Carrier { connection })
    }

    /// Makes room for a file of many rows, or takes it back.
    ///
    /// # Errors
    /// The database refuses.
    pub fn expect_many(&self, many: bool) -> Result<(), RecordsError> {
        let wanted = if many { BULK } else { DAILY };
        Ok(room(&self.connection, wanted)?)
    }
}
