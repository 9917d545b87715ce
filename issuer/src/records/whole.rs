//! Whether the database is whole in itself, and what else a check of it reads.

use rusqlite::OptionalExtension as _;
use zhao_spec::life::event::Event;
use zhao_spec::wire::Hash;

use super::chains::links;
use super::{Records, RecordsError, signed};

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
        Ok(found)
    }

    /// Identifiers and case numbers that two licences have: column and value.
    ///
    /// # Errors
    /// The database refuses.
    pub fn duplicates(&self) -> Result<Vec<(&'static str, String)>, RecordsError> {
        let mut found = Vec::new();
        for (column, select) in [
            (
                "identifier",
                "SELECT identifier FROM licences WHERE state <> 'refused'
                 GROUP BY identifier HAVING COUNT(*) > 1",
            ),
            (
                "reference",
                "SELECT reference FROM licences WHERE state <> 'refused'
                 AND reference IS NOT NULL GROUP BY unit, reference HAVING COUNT(*) > 1",
            ),
        ] {
            let mut statement = self.connection.prepare(select)?;
            for value in statement.query_map([], |row| row.get::<_, String>(0))? {
                found.push((column, value?));
            }
        }
        Ok(found)
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

    /// The row of the outbox that holds this event, by its identity.
    ///
    /// # Errors
    /// The database refuses.
    pub fn row_of(&self, event_id: &Hash) -> Result<Option<i64>, RecordsError> {
        let select = "SELECT id FROM outbox WHERE event_id = ?1";
        let mut statement = self.connection.prepare_cached(select)?;
        let row = statement.query_row([event_id.as_bytes()], |row| row.get(0));
        Ok(row.optional()?)
    }

    /// Whether the columns beside the event say what it says.
    ///
    /// # Errors
    /// The database refuses.
    pub fn indexed_as(&self, id: i64, event: &Event) -> Result<bool, RecordsError> {
        let select = "SELECT COUNT(*) FROM outbox
             WHERE id = ?1 AND event_id = ?2 AND leaf_hash = ?3 AND verb = ?4";
        let leaf_hash = event.leaf_hash();
        let columns = (
            id,
            event.id().as_bytes().to_vec(),
            leaf_hash.as_bytes().to_vec(),
            event.verb().as_str(),
        );
        let mut statement = self.connection.prepare_cached(select)?;
        let same: i64 = statement.query_row(columns, |row| row.get(0))?;
        if same != 1 {
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
