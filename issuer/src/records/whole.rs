//! Whether the database is whole in itself, and what else a check of it reads.

use zhao_spec::life::event::Event;
use zhao_spec::wire::Hash;

use super::chains::links;
use super::outbox::same;
use super::{Records, RecordsError, hash, signed};

impl Records {
    /// What the database says is wrong with itself: pages, indexes, constraints, references.
    ///
    /// # Errors
    /// The database refuses.
    pub fn integrity(&self) -> Result<Vec<String>, RecordsError> {
        let mut found = Vec::new();
        let mut statement = self.connection.prepare("PRAGMA integrity_check(100)")?;
        for line in statement.query_map([], |row| row.get::<_, String>(0))? {
            found.push(line?);
        }
        found.retain(|line| line != "ok");
        let mut statement = self.connection.prepare("PRAGMA foreign_key_check")?;
        let references = statement.query_map([], |row| {
            let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
            Ok(format!("a row of {table} refers to none of {parent}"))
        })?;
        for line in references {
            found.push(line?);
        }
        // A row in two batches would have two receipts; the look-up finds the later one only.
        let mut statement = self.connection.prepare(
            "SELECT first_outbox FROM (SELECT first_outbox,
             LAG(last_outbox) OVER (ORDER BY first_outbox) AS before FROM receipt_batches)
             WHERE before >= first_outbox ORDER BY first_outbox LIMIT 100",
        )?;
        for first in statement.query_map([], |row| row.get::<_, i64>(0))? {
            found.push(format!(
                "outbox row {} is in two batches of receipts",
                first?
            ));
        }
        Ok(found)
    }

    /// Licences that share an identifier or a case number with another: rows, and which.
    ///
    /// # Errors
    /// The database refuses.
    pub fn duplicates(&self) -> Result<Vec<(&'static str, String)>, RecordsError> {
        let mut found = Vec::new();
        for (column, select) in [
            (
                "identifier",
                "SELECT MIN(id), MAX(id) FROM licences WHERE refused = 0
                 GROUP BY serial_index, version HAVING COUNT(*) > 1",
            ),
            (
                "reference",
                "SELECT MIN(id), MAX(id) FROM licences WHERE refused = 0
                 AND reference_index IS NOT NULL GROUP BY reference_index HAVING COUNT(*) > 1",
            ),
        ] {
            let mut statement = self.connection.prepare(select)?;
            let rows = statement.query_map([], |row| {
                let (first, last): (i64, i64) = (row.get(0)?, row.get(1)?);
                Ok(format!("rows {first} and {last}"))
            })?;
            for rows in rows {
                found.push((column, rows?));
            }
        }
        Ok(found)
    }

    /// Shows `see` the subject key of every licence of a unit that the ledger did not refuse.
    ///
    /// # Errors
    /// The database refuses, or a row is damaged.
    pub fn each_licence_key(
        &self,
        unit: &str,
        mut see: impl FnMut(&Hash),
    ) -> Result<(), RecordsError> {
        let select = "SELECT subject FROM licences WHERE unit = ?1 AND refused = 0";
        let mut statement = self.connection.prepare_cached(select)?;
        let mut rows = statement.query([unit])?;
        while let Some(row) = rows.next()? {
            let subject: Vec<u8> = row.get(0)?;
            see(&hash(&subject, "licences", "subject")?);
        }
        Ok(())
    }

    /// Rows of the outbox after `after`, ascending, at most `limit`.
    ///
    /// # Errors
    /// The database refuses.
    pub fn row_ids(&self, after: i64, limit: u64) -> Result<Vec<i64>, RecordsError> {
        let select = "SELECT id FROM outbox WHERE id > ?1 ORDER BY id LIMIT ?2";
        let mut statement = self.connection.prepare_cached(select)?;
        let rows = statement.query_map((after, signed(limit)), |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The row of the outbox that holds this event.
    ///
    /// # Errors
    /// The database refuses, or a row is damaged.
    pub fn row_of(&self, event: &Event) -> Result<Option<i64>, RecordsError> {
        same(&self.connection, event)
    }

    /// Whether the columns beside the event say what it says, and the row is in one of the three
    /// places: pending, refused, or receipts (its own, or its batch's).
    ///
    /// # Errors
    /// The database refuses.
    pub fn indexed_as(&self, id: i64, event: &Event) -> Result<bool, RecordsError> {
        let select = "SELECT (SELECT COUNT(*) FROM outbox WHERE id = ?1 AND verb = ?2),
             (SELECT COUNT(*) FROM outbox_pending WHERE outbox = ?1)
             + (SELECT COUNT(*) FROM outbox_refused WHERE outbox = ?1)
             + (SELECT COUNT(*) FROM receipts WHERE outbox = ?1)
             + (SELECT COUNT(*) FROM (SELECT last_outbox FROM receipt_batches
                WHERE first_outbox <= ?1 ORDER BY first_outbox DESC LIMIT 1)
                WHERE last_outbox >= ?1)";
        let mut statement = self.connection.prepare_cached(select)?;
        let counts: (i64, i64) = statement.query_row((id, event.verb().as_str()), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        if counts != (1, 1) {
            return Ok(false);
        }
        let select = "SELECT COUNT(*) FROM outbox_chains
             WHERE outbox = ?1 AND subject = ?2 AND seq = ?3";
        for (subject, seq, _) in links(event) {
            let mut statement = self.connection.prepare_cached(select)?;
            let key = (id, subject.as_bytes(), signed(seq));
            let found: i64 = statement.query_row(key, |row| row.get(0))?;
            if found != 1 {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
