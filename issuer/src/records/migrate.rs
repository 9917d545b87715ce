//! From an empty file to this program's version, one version after the other, in one transaction.

use std::path::Path;

use rusqlite::{Connection, Row};
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::{Hash, UnixMillis};

use super::indexed::reindex;
use super::outbox::{pack_words, parse, words_place};
use super::{NewLicence, Origin, RecordsError, Transaction, Words, hash, key_rows, unsigned};
use crate::vault::{KeyRow, Secrets, Vault};

/// The version this program writes.
pub(super) const KNOWN: i64 = 3;
/// The first version that has a key.
pub(super) const SEALED_SINCE: i64 = 2;

/// The version of the records in an open file.
pub(super) fn version(connection: &Connection, path: &Path) -> Result<i64, RecordsError> {
    connection
        .query_row("SELECT version FROM schema_version", [], |row| row.get(0))
        .map_err(|error| match RecordsError::from(error) {
            RecordsError::Sql(_) => RecordsError::NotRecords(path.to_owned()),
            other => other,
        })
        .and_then(|version| match version {
            ..1 => Err(RecordsError::Damaged {
                table: "schema_version",
                column: "version",
                expected: "a count of migrations",
            }),
            1..=KNOWN => Ok(version),
            actual => Err(RecordsError::Newer {
                actual,
                known: KNOWN,
            }),
        })
}

/// Version 1 of an office of this name, empty.
pub(super) fn begin(
    connection: &Connection,
    origin: &str,
    genesis: &[u8],
) -> Result<(), RecordsError> {
    connection.execute_batch("CREATE TABLE schema_version (version INTEGER NOT NULL)")?;
    connection.execute("INSERT INTO schema_version (version) VALUES (1)", [])?;
    connection.execute_batch(include_str!("schema/v1.sql"))?;
    connection.execute(
        "INSERT INTO office (id, origin, genesis) VALUES (1, ?1, ?2)",
        (origin, genesis),
    )?;
    Ok(())
}

/// Brings records of `version` up to [`KNOWN`] and commits.
pub(super) fn run(
    sql: rusqlite::Transaction<'_>,
    version: i64,
    origin: &str,
    secrets: &Secrets,
) -> Result<(), RecordsError> {
    if version >= KNOWN {
        return Ok(());
    }
    let vault = if version < SEALED_SINCE {
        Vault::fresh(secrets, origin)
    } else {
        Vault::load(secrets, origin, &key_rows(&sql)?)
    };
    let vault = vault.map_err(RecordsError::vault)?;
    let transaction = Transaction::new(sql, None, &vault);
    if version < SEALED_SINCE {
        // What it writes has the indexes of today.
        seal(&transaction)?;
    } else {
        reindex(&transaction)?;
    }
    transaction
        .sql
        .execute("UPDATE schema_version SET version = ?1", [KNOWN])?;
    transaction.commit()
}

/// Version 1 to 2: personal fields are sealed, holders get rows of their own, what is settled
/// leaves the outbox's row.
fn seal(transaction: &Transaction<'_>) -> Result<(), RecordsError> {
    let sql = &transaction.sql;
    // An index keeps its name when its table gets another.
    sql.execute_batch(
        "DROP INDEX outbox_pending; DROP INDEX licences_outbox; DROP INDEX licences_holder;
         DROP INDEX licences_number; DROP INDEX licences_serial; DROP INDEX licences_identifier;
         DROP INDEX licences_reference;
         ALTER TABLE licences RENAME TO v1_licences;
         ALTER TABLE licence_types RENAME TO v1_licence_types;
         ALTER TABLE salts RENAME TO v1_salts;
         ALTER TABLE outbox_chains RENAME TO v1_outbox_chains;
         ALTER TABLE outbox RENAME TO v1_outbox;",
    )?;
    sql.execute_batch(include_str!("schema/v2.sql"))?;
    put_key(sql, &transaction.vault.row())?;
    copy_outbox(transaction)?;
    copy_words(transaction)?;
    sql.execute_batch(
        "INSERT INTO outbox_chains (outbox, subject, seq)
         SELECT outbox, subject, seq FROM v1_outbox_chains;
         INSERT INTO licence_types (type_code, version, slug, digest, outbox)
         SELECT type_code, version, slug, digest, outbox FROM v1_licence_types;",
    )?;
    copy_licences(transaction)?;
    sql.execute_batch(
        "DROP TABLE v1_licences; DROP TABLE v1_licence_types; DROP TABLE v1_salts;
         DROP TABLE v1_outbox_chains; DROP TABLE v1_outbox;",
    )?;
    Ok(())
}

/// Writes down a version of the key.
pub(super) fn put_key(connection: &Connection, key: &KeyRow) -> Result<(), RecordsError> {
    connection.execute(
        "INSERT INTO vault_keys (version, check_value, index_root) VALUES (?1, ?2, ?3)",
        (key.version, &key.check, &key.index_root),
    )?;
    Ok(())
}

fn copy_outbox(transaction: &Transaction<'_>) -> Result<(), RecordsError> {
    let sql = &transaction.sql;
    let mut statement = sql.prepare(
        "SELECT id, event, verb, created, state, leaf_index, receipt, refusal_code,
         refusal_detail, COALESCE(settled, created) FROM v1_outbox ORDER BY id",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let event: Vec<u8> = row.get(1)?;
        let settled = UnixMillis(unsigned(row.get(9)?, "outbox", "settled")?);
        sql.prepare_cached(
            "INSERT INTO outbox (id, event, verb, created) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute((id, &event, row.get::<_, String>(2)?, row.get::<_, i64>(3)?))?;
        let index: Option<i64> = row.get(5)?;
        let receipt: Option<Vec<u8>> = row.get(6)?;
        match (row.get::<_, String>(4)?.as_str(), index, receipt) {
            ("receipted", Some(index), Some(receipt)) => {
                let index = LeafIndex(unsigned(index, "outbox", "leaf_index")?);
                transaction.add_receipt(id, &event, index, &receipt, settled)?;
            }
            ("refused", _, _) => {
                sql.prepare_cached(
                    "INSERT INTO outbox_refused (outbox, code, detail, settled)
                     VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute((
                    id,
                    row.get::<_, Option<String>>(7)?.unwrap_or_default(),
                    row.get::<_, Option<String>>(8)?.unwrap_or_default(),
                    row.get::<_, i64>(9)?,
                ))?;
            }
            _ => {
                sql.prepare_cached("INSERT INTO outbox_pending (outbox) VALUES (?1)")?
                    .execute([id])?;
            }
        }
    }
    Ok(())
}

fn copy_words(transaction: &Transaction<'_>) -> Result<(), RecordsError> {
    let sql = &transaction.sql;
    let mut events = sql.prepare(
        "SELECT id, event FROM outbox WHERE id IN (SELECT outbox FROM v1_salts) ORDER BY id",
    )?;
    let mut rows = events.query([])?;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let event_id = parse(&row.get::<_, Vec<u8>>(1)?)?.id();
        let mut salts = sql.prepare_cached(
            "SELECT words, salt, text FROM v1_salts WHERE outbox = ?1 ORDER BY words",
        )?;
        let words = salts.query_map([id], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, Vec<u8>>(1)?,
                row.get::<_, String>(2)?,
            ))
        })?;
        let words = words.map(|word| {
            let (kind, salt, text) = word?;
            Ok(Words {
                kind: if kind == "basis" { "basis" } else { "reason" },
                salt: hash(&salt, "salts", "salt")?.0,
                text,
            })
        });
        let words: Vec<Words> = words.collect::<Result<_, RecordsError>>()?;
        let place = words_place(event_id.as_bytes());
        sql.prepare_cached("INSERT INTO grounds (outbox, event_id, words) VALUES (?1, ?2, ?3)")?
            .execute((
                id,
                event_id.as_bytes(),
                pack_words(&words).seal(transaction.vault, &place),
            ))?;
    }
    Ok(())
}

/// A licence as version 1 has it.
struct Old {
    texts: [String; 9],
    subject: Vec<u8>,
    predecessor: Option<Vec<u8>>,
    reference: Option<String>,
    credential: Vec<u8>,
    version: u16,
    refused: bool,
    outbox: i64,
    created: i64,
}

impl Old {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let mut texts = <[String; 9]>::default();
        for (at, text) in texts.iter_mut().enumerate() {
            *text = row.get(at)?;
        }
        Ok(Self {
            texts,
            subject: row.get(9)?,
            predecessor: row.get(10)?,
            reference: row.get(11)?,
            credential: row.get(12)?,
            version: row.get(13)?,
            refused: row.get(14)?,
            outbox: row.get(15)?,
            created: row.get(16)?,
        })
    }
}

fn copy_licences(transaction: &Transaction<'_>) -> Result<(), RecordsError> {
    // In the order in which they were written: a predecessor comes before its successor.
    let mut statement = transaction.sql.prepare(
        "SELECT credential_id, holder_code, holder_code_type, holder_name, identifier,
         licence_number, serial, type_code, unit, subject,
         (SELECT old.subject FROM v1_licences AS old
          WHERE old.credential_id = v1_licences.predecessor),
         reference, credential, version, state = 'refused', outbox, created
         FROM v1_licences ORDER BY outbox",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let old = Old::read(row)?;
        let [
            credential_id,
            holder_code,
            holder_code_type,
            holder_name,
            identifier,
            number,
            serial,
            type_code,
            unit,
        ] = &old.texts;
        let of =
            |bytes: &[u8]| -> Result<Hash, RecordsError> { hash(bytes, "licences", "subject") };
        let licence = NewLicence {
            credential: &old.credential,
            credential_id,
            holder_code,
            holder_code_type,
            holder_name,
            identifier,
            number,
            origin: Origin::New,
            predecessor: old.predecessor.as_deref().map(of).transpose()?,
            reference: old.reference.as_deref(),
            serial,
            subject: of(&old.subject)?,
            type_code,
            unit,
            version: old.version,
        };
        let created = UnixMillis(unsigned(old.created, "licences", "created")?);
        transaction.write_licence(&licence, old.outbox, old.refused, created)?;
    }
    Ok(())
}
