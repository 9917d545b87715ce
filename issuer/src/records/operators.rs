//! Who acts for the office: STA-05 asks for the person behind every act.

use rusqlite::{Connection, OptionalExtension as _};
use zhao_spec::wire::UnixMillis;

use super::{Records, RecordsError, Transaction, pack, time};
use crate::vault::{Blind, Column, Place};

fn place(index: &Blind) -> Place<'_> {
    Place {
        table: "operators",
        column: "name",
        row: index,
    }
}

impl Transaction<'_> {
    /// The row of who acts in this transaction; none: nobody was named.
    pub(super) fn operator(&self, now: UnixMillis) -> Result<Option<i64>, RecordsError> {
        let Some(name) = self.operator else {
            return Ok(None);
        };
        if let Some(id) = self.operator_id.get() {
            return Ok(Some(id));
        }
        let index = self.vault.blind(Column::Operator, &[name]);
        let cell = self.vault.seal(&place(&index), name.as_bytes());
        self.sql.execute(
            "INSERT INTO operators (name_index, name, created) VALUES (?1, ?2, ?3)
             ON CONFLICT (name_index) DO NOTHING",
            (index, cell, time(now)),
        )?;
        let select = "SELECT id FROM operators WHERE name_index = ?1";
        let id = self.sql.query_row(select, [index], |row| row.get(0))?;
        self.operator_id.set(Some(id));
        Ok(Some(id))
    }
}

impl Records {
    /// Who acts from now on: the name goes with everything that is said, until another is given.
    pub fn acting(&mut self, operator: Option<&str>) {
        self.operator = operator.map(str::to_owned);
    }

    /// Who said what is in this row of the outbox; none: nobody was named.
    ///
    /// # Errors
    /// The database refuses, or the row is damaged.
    pub fn operator_of(&self, outbox: i64) -> Result<Option<String>, RecordsError> {
        let row = row(&self.connection, outbox)?;
        let Some((index, cell)) = row else {
            return Ok(None);
        };
        let damaged = RecordsError::Damaged {
            table: "operators",
            column: "name_index",
            expected: "16 bytes",
        };
        let index: Blind = index.as_slice().try_into().map_err(|_| damaged)?;
        let place = place(&index);
        let name = pack::open(&self.vault, &place, &cell)?;
        let name = std::str::from_utf8(&name).map_err(|_| RecordsError::Damaged {
            table: place.table,
            column: place.column,
            expected: "a text",
        })?;
        Ok(Some(name.to_owned()))
    }
}

fn row(connection: &Connection, outbox: i64) -> rusqlite::Result<Option<(Vec<u8>, Vec<u8>)>> {
    connection
        .query_row(
            "SELECT operators.name_index, operators.name FROM outbox
             JOIN operators ON operators.id = outbox.operator WHERE outbox.id = ?1",
            [outbox],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()
}
