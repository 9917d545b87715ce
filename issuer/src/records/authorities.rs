//! Units, their keys, and what was published of the catalogue.

use rusqlite::OptionalExtension as _;
use zhao_spec::wire::{Hash, PublicKey, UnixMillis};

use super::{Records, RecordsError, Transaction, signed, time};

/// A unit of record of this office.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Its name, as its licences say.
    pub name: String,
    /// Its code.
    pub uscc: String,
}

/// A key of a unit, and where its secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitKey {
    /// Its name in the key directory.
    pub name: String,
    /// The public key.
    pub public: PublicKey,
}

impl Transaction<'_> {
    /// Writes a unit, or its new name.
    ///
    /// # Errors
    /// The database refuses.
    pub fn put_unit(&self, unit: &Unit, now: UnixMillis) -> Result<(), RecordsError> {
        self.sql.execute(
            "INSERT INTO units (uscc, name, created) VALUES (?1, ?2, ?3)
             ON CONFLICT (uscc) DO UPDATE SET name = excluded.name",
            (&unit.uscc, &unit.name, time(now)),
        )?;
        Ok(())
    }

    /// Writes where the secret of a unit's key is. Whether the key is in force, the ledger knows.
    ///
    /// # Errors
    /// The database refuses.
    pub fn add_unit_key(
        &self,
        unit: &str,
        key: &UnitKey,
        now: UnixMillis,
    ) -> Result<(), RecordsError> {
        self.sql.execute(
            "INSERT INTO unit_keys (public_key, unit, key_name, created) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (public_key) DO NOTHING",
            (key.public.to_multibase(), unit, &key.name, time(now)),
        )?;
        Ok(())
    }

    /// Writes down a published version of a catalogue entry.
    ///
    /// # Errors
    /// The database refuses.
    pub fn add_type(
        &self,
        type_code: &str,
        version: u64,
        slug: &str,
        digest: &Hash,
        outbox: i64,
    ) -> Result<(), RecordsError> {
        self.sql.execute(
            "INSERT INTO licence_types (type_code, version, slug, digest, outbox)
             VALUES (?1, ?2, ?3, ?4, ?5)",
            (type_code, signed(version), slug, digest.as_bytes(), outbox),
        )?;
        Ok(())
    }
}

impl Records {
    /// The unit with this code.
    ///
    /// # Errors
    /// The database refuses.
    pub fn unit(&self, uscc: &str) -> Result<Option<Unit>, RecordsError> {
        let select = "SELECT name FROM units WHERE uscc = ?1";
        let name = self
            .connection
            .query_row(select, [uscc], |row| row.get(0))
            .optional()?;
        Ok(name.map(|name| Unit {
            name,
            uscc: uscc.to_owned(),
        }))
    }

    /// Every unit, by ascending code.
    ///
    /// # Errors
    /// The database refuses.
    pub fn units(&self) -> Result<Vec<Unit>, RecordsError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT uscc, name FROM units ORDER BY uscc")?;
        let rows = statement.query_map([], |row| {
            Ok(Unit {
                uscc: row.get(0)?,
                name: row.get(1)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The keys of a unit whose secrets are here, newest first.
    ///
    /// # Errors
    /// The database refuses, or a row is damaged.
    pub fn unit_keys(&self, unit: &str) -> Result<Vec<UnitKey>, RecordsError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT key_name, public_key FROM unit_keys WHERE unit = ?1
             ORDER BY created DESC, key_name DESC",
        )?;
        let rows = statement.query_map([unit], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })?;
        rows.map(|row| {
            let (name, public) = row?;
            let public = PublicKey::from_multibase(&public).map_err(|_| RecordsError::Damaged {
                table: "unit_keys",
                column: "public_key",
                expected: "a public key",
            })?;
            Ok(UnitKey { name, public })
        })
        .collect()
    }
}
