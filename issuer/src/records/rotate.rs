//! A new key for the records: every cell is sealed anew, in batches, while the office works.

use rusqlite::Connection;
use rusqlite::OptionalExtension as _;

use super::{Records, RecordsError, migrate, pack};
use crate::vault::{Place, Secrets, version_of};

/// Clear bytes a batch holds in memory at most, one cell more.
const BATCH_BYTES: usize = 16 << 20;

/// A table with sealed cells. `select` answers row number, what tells the row from others (two
/// parts), and the cell, for rows above ?1 ascending, at most ?2 of them.
struct Sealed {
    table: &'static str,
    column: &'static str,
    select: &'static str,
    update: &'static str,
}

const TABLES: [Sealed; 6] = [
    Sealed {
        table: "credentials",
        column: "credential",
        select: "SELECT credentials.licence, licences.subject, '', credentials.credential
             FROM credentials JOIN licences ON licences.id = credentials.licence
             WHERE credentials.licence > ?1 ORDER BY credentials.licence LIMIT ?2",
        update: "UPDATE credentials SET credential = ?2 WHERE licence = ?1",
    },
    Sealed {
        table: "documents",
        column: "content",
        select: "SELECT id, name, '', content FROM documents WHERE id > ?1 ORDER BY id LIMIT ?2",
        update: "UPDATE documents SET content = ?2 WHERE id = ?1",
    },
    Sealed {
        table: "grounds",
        column: "words",
        select: "SELECT outbox, event_id, '', words FROM grounds WHERE outbox > ?1
             ORDER BY outbox LIMIT ?2",
        update: "UPDATE grounds SET words = ?2 WHERE outbox = ?1",
    },
    Sealed {
        table: "holders",
        column: "person",
        select: "SELECT id, code_index, code_type, person FROM holders WHERE id > ?1
             ORDER BY id LIMIT ?2",
        update: "UPDATE holders SET person = ?2 WHERE id = ?1",
    },
    Sealed {
        table: "licences",
        column: "face",
        select: "SELECT id, subject, '', face FROM licences WHERE id > ?1 ORDER BY id LIMIT ?2",
        update: "UPDATE licences SET face = ?2 WHERE id = ?1",
    },
    Sealed {
        table: "operators",
        column: "name",
        select: "SELECT id, name_index, '', name FROM operators WHERE id > ?1
             ORDER BY id LIMIT ?2",
        update: "UPDATE operators SET name = ?2 WHERE id = ?1",
    },
];

/// How far sealing anew has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// Cells looked at by this call.
    pub cells: u64,
    /// Nothing is left under an older key: their files may go once no backup needs them.
    pub done: bool,
    /// The version in use.
    pub version: u16,
}

impl Records {
    /// Brings the records under the latest of `secrets`, at most `limit` cells at a time: call it
    /// until [`Rotation::done`]. Each call is one transaction, so that after a crash the next goes
    /// on where the last ended; in between everything can be read and written.
    ///
    /// # Errors
    /// A cell that does not open, another process writing, or the database refuses.
    pub fn rotate(&mut self, secrets: &Secrets, limit: usize) -> Result<Rotation, RecordsError> {
        let latest = secrets.latest().unwrap_or_default();
        if latest > self.vault.current() {
            self.advance(secrets, latest)?;
        }
        let version = self.vault.current();
        let mut left = limit.max(1);
        let mut cells = 0;
        let transaction = self.begin()?;
        let mut done = true;
        for sealed in &TABLES {
            let Some(after) = unfinished(&transaction.sql, sealed.table)? else {
                continue;
            };
            if left == 0 {
                done = false;
                break;
            }
            let batch = read(&transaction.sql, sealed, after, left)?;
            // Fewer than asked for, and not for want of memory: these are the last.
            let last = !batch.full;
            let mut reached = after;
            for (id, row, cell) in batch.cells {
                let place = Place {
                    table: sealed.table,
                    column: sealed.column,
                    row: &row,
                };
                if version_of(&cell) != Some(version) {
                    let clear = pack::open(transaction.vault, &place, &cell)?;
                    let cell = transaction.vault.seal(&place, &clear);
                    transaction
                        .sql
                        .prepare_cached(sealed.update)?
                        .execute((id, cell))?;
                }
                reached = id;
                cells += 1;
                left = left.saturating_sub(1);
            }
            transaction.sql.execute(
                "UPDATE rotations SET after = ?2, done = ?3 WHERE table_name = ?1",
                (sealed.table, reached, i64::from(last)),
            )?;
            if !last {
                done = false;
                break;
            }
        }
        if done {
            transaction.sql.execute("DELETE FROM rotations", [])?;
            transaction
                .sql
                .execute("DELETE FROM vault_keys WHERE version < ?1", [version])?;
        }
        transaction.commit()?;
        if done {
            self.vault.forget();
        }
        Ok(Rotation {
            cells,
            done,
            version,
        })
    }

    /// Whether cells are left under an older key.
    ///
    /// # Errors
    /// The database refuses.
    pub fn is_rotating(&self) -> Result<bool, RecordsError> {
        let select = "SELECT EXISTS (SELECT 1 FROM rotations)";
        Ok(self.connection.query_row(select, [], |row| row.get(0))?)
    }

    /// The version of the key in use.
    #[must_use]
    pub fn key_version(&self) -> u16 {
        self.vault.current()
    }

    /// How many cells are sealed: what [`Records::rotate`] goes through in all.
    ///
    /// # Errors
    /// The database refuses.
    pub fn sealed_cells(&self) -> Result<u64, RecordsError> {
        let mut cells = 0_u64;
        for sealed in &TABLES {
            let select = format!("SELECT COUNT(*) FROM {}", sealed.table);
            let count = self.connection.query_row(&select, [], |row| row.get(0))?;
            cells = cells.saturating_add(super::unsigned(count, sealed.table, sealed.column)?);
        }
        Ok(cells)
    }

    /// Takes a new key into use; every table has to be gone through from its beginning.
    fn advance(&mut self, secrets: &Secrets, version: u16) -> Result<(), RecordsError> {
        let vault = self
            .vault
            .advanced(secrets, &self.origin, version)
            .map_err(RecordsError::vault)?;
        let transaction = self.begin()?;
        migrate::put_key(&transaction.sql, &vault.row())?;
        for sealed in &TABLES {
            transaction.sql.execute(
                "INSERT INTO rotations (table_name, after, done) VALUES (?1, 0, 0)
                 ON CONFLICT (table_name) DO UPDATE SET after = 0, done = 0",
                [sealed.table],
            )?;
        }
        transaction.commit()?;
        self.vault = vault;
        Ok(())
    }
}

/// The row after which cells of the table are to be sealed anew; none: all are.
fn unfinished(connection: &Connection, table: &str) -> Result<Option<i64>, RecordsError> {
    Ok(connection
        .prepare_cached("SELECT after FROM rotations WHERE table_name = ?1 AND done = 0")?
        .query_row([table], |row| row.get(0))
        .optional()?)
}

struct Batch {
    /// Row number, what tells the row from others, and the cell.
    cells: Vec<(i64, Vec<u8>, Vec<u8>)>,
    /// More may follow.
    full: bool,
}

fn read(
    connection: &Connection,
    sealed: &Sealed,
    after: i64,
    limit: usize,
) -> Result<Batch, RecordsError> {
    let mut statement = connection.prepare_cached(sealed.select)?;
    let mut rows = statement.query((after, i64::try_from(limit).unwrap_or(i64::MAX)))?;
    let mut cells = Vec::new();
    let mut bytes = 0_usize;
    while let Some(row) = rows.next()? {
        let (first, second): (Vec<u8>, String) = (row.get(1)?, row.get(2)?);
        let cell: Vec<u8> = row.get(3)?;
        bytes = bytes.saturating_add(cell.len());
        cells.push((row.get(0)?, [&first, second.as_bytes()].concat(), cell));
        if bytes > BATCH_BYTES {
            return Ok(Batch { cells, full: true });
        }
    }
    let full = cells.len() >= limit;
    Ok(Batch { cells, full })
}
