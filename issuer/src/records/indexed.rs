//! The blind indexes of a licence: by what it is found, and how records get them that have others.

use rusqlite::OptionalExtension as _;

use super::licences::{COLUMNS, Raw};
use super::{RecordsError, Transaction};
use crate::vault::{Blind, Column, Vault};

/// The index of a licence number.
pub(super) fn number_index(vault: &Vault, number: &str) -> Blind {
    vault.blind(Column::Number, &[number])
}

/// The index of a unit's case number.
pub(super) fn reference_index(vault: &Vault, unit: &str, reference: &str) -> Blind {
    vault.blind(Column::Reference, &[unit, reference])
}

/// The index of type, unit and serial: what all versions of a licence have in common.
pub(super) fn serial_index(vault: &Vault, type_code: &str, unit: &str, serial: &str) -> Blind {
    vault.blind(Column::Serial, &[type_code, unit, serial])
}

/// Version 2 of the records to 3: the indexes of what is counted are such that neighbours lie side
/// by side.
pub(super) fn reindex(transaction: &Transaction<'_>) -> Result<(), RecordsError> {
    let (sql, vault) = (&transaction.sql, transaction.vault);
    // Made again at the end, in order, instead of changed at a million places.
    sql.execute_batch(
        "DROP INDEX licences_number; DROP INDEX licences_serial; DROP INDEX licences_reference;",
    )?;
    let select =
        format!("SELECT {COLUMNS} FROM licences WHERE licences.id > ?1 ORDER BY id LIMIT 1");
    let mut after = 0_i64;
    loop {
        let mut statement = sql.prepare_cached(&select)?;
        let raw = statement.query_row([after], Raw::read).optional()?;
        let Some(licence) = raw.map(|raw| raw.open(vault)).transpose()? else {
            break;
        };
        let unit = &licence.unit;
        let reference = licence.reference.as_deref();
        sql.prepare_cached(
            "UPDATE licences SET number_index = ?2, serial_index = ?3, reference_index = ?4
             WHERE id = ?1",
        )?
        .execute((
            licence.outbox,
            number_index(vault, &licence.number),
            serial_index(vault, &licence.type_code, unit, &licence.serial),
            reference.map(|reference| reference_index(vault, unit, reference)),
        ))?;
        after = licence.outbox;
    }
    Ok(sql.execute_batch(include_str!("schema/v3.sql"))?)
}
