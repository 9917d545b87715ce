//! Lists of licences: found by what is known of them exactly, paged by the last row seen, numbers
//! masked.

use rusqlite::types::Value;
use zhao_spec::id::{HolderCodeType, LicenceIdentifier};
use zhao_spec::wire::Hash;

use super::indexed::{number_index, reference_index, serial_index};
use super::licences::{COLUMNS, Raw};
use super::{LicenceState, Origin, Records, RecordsError, holders};
use crate::vault::Column;

/// By what licences are looked for. Every text is compared whole, in one normal form; nothing is
/// found by a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Search<'a> {
    /// All of them.
    All,
    /// Those of the holder with this code, as a USCC or a citizen's number.
    HolderCode(&'a str),
    /// Those of the holders whose latest name this is.
    HolderName(&'a str),
    /// The one with this licence identifier, and those of it that were refused.
    Identifier(&'a str),
    /// Those with this licence number.
    Number(&'a str),
    /// The one issued by `unit` for this case number.
    Reference {
        /// The unit.
        unit: &'a str,
        /// The office's own case number.
        reference: &'a str,
    },
    /// Those that the ledger has taken, has refused, or has not answered yet.
    State(LicenceState),
}

/// A licence in a list: enough to choose it, too little to copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// The holder's code, masked.
    pub holder_code: String,
    /// The holder's name: an organisation's whole, a person's but for the first character masked.
    pub holder_name: String,
    /// Its row: give the last one seen to go on after it.
    pub id: i64,
    /// Licence identifier, masked.
    pub identifier: String,
    /// Licence number, masked.
    pub number: String,
    /// Where it comes from.
    pub origin: Origin,
    /// Whether the ledger has taken it.
    pub state: LicenceState,
    /// Subject key.
    pub subject: Hash,
    /// Type code.
    pub type_code: String,
    /// The issuing unit.
    pub unit: String,
    /// The identifier's version.
    pub version: u16,
}

/// A number for a list: at most four characters at each end, and never more than half of it.
#[must_use]
pub fn masked(number: &str) -> String {
    let length = number.chars().count();
    let shown = (length / 4).min(4);
    number
        .chars()
        .enumerate()
        .map(|(at, c)| {
            let inner = at >= shown && at < length.saturating_sub(shown);
            if inner { '*' } else { c }
        })
        .collect()
}

fn masked_name(name: &str) -> String {
    let mask = |(at, c)| if at == 0 { c } else { '*' };
    name.chars().enumerate().map(mask).collect()
}

impl Records {
    /// Licences in the order in which they were signed, after the row `after`, at most `limit`.
    ///
    /// # Errors
    /// The database refuses, or a row is damaged.
    pub fn licences(
        &self,
        search: Search<'_>,
        after: i64,
        limit: usize,
    ) -> Result<Vec<Summary>, RecordsError> {
        let vault = &self.vault;
        let blind = |column, parts: &[&str]| Value::Blob(vault.blind(column, parts).to_vec());
        let (condition, mut parameters) = match search {
            Search::All => ("?3 = 0", vec![Value::Integer(0)]),
            Search::HolderCode(code) => (
                "licences.holder IN (SELECT id FROM holders WHERE code_index = ?3)",
                vec![blind(Column::HolderCode, &[code])],
            ),
            // Thousands may have one name: the page is chosen by the index alone, and only then
            // are its rows read.
            Search::HolderName(name) => (
                "licences.id IN (SELECT id FROM licences
                 WHERE holder IN (SELECT id FROM holders WHERE name_index = ?3) AND id > ?1
                 ORDER BY id LIMIT ?2)",
                vec![blind(Column::HolderName, &[name])],
            ),
            Search::Identifier(text) => {
                let Ok(identifier) = LicenceIdentifier::parse(text.trim()) else {
                    return Ok(Vec::new());
                };
                let index = serial_index(
                    vault,
                    identifier.type_code().as_str(),
                    identifier.issuer().as_str(),
                    identifier.serial(),
                );
                let version = i64::from(identifier.version());
                (
                    "licences.id IN (SELECT id FROM licences
                     WHERE serial_index = ?3 AND version = ?4 AND refused = 0 UNION ALL
                     SELECT id FROM licences
                     WHERE serial_index = ?3 AND version = ?4 AND refused = 1)",
                    vec![Value::Blob(index.to_vec()), Value::Integer(version)],
                )
            }
            Search::Number(number) => (
                "licences.number_index = ?3",
                vec![Value::Blob(number_index(vault, number).to_vec())],
            ),
            Search::Reference { unit, reference } => (
                "licences.reference_index = ?3 AND licences.refused = 0",
                vec![Value::Blob(
                    reference_index(vault, unit, reference).to_vec(),
                )],
            ),
            Search::State(state) => {
                let condition = match state {
                    LicenceState::Issued => {
                        "?3 = 0 AND licences.refused = 0 AND NOT EXISTS (SELECT 1
                         FROM outbox_pending WHERE outbox_pending.outbox = licences.id)"
                    }
                    LicenceState::Issuing => {
                        "?3 = 0 AND licences.id IN (SELECT outbox FROM outbox_pending
                         WHERE outbox > ?1)"
                    }
                    LicenceState::Refused => "?3 = 0 AND licences.refused = 1",
                };
                (condition, vec![Value::Integer(0)])
            }
        };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        parameters.splice(0..0, [Value::Integer(after), Value::Integer(limit)]);
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS}, holders.code_index, holders.code_type, holders.person
             FROM licences JOIN holders ON holders.id = licences.holder
             WHERE licences.id > ?1 AND {condition} ORDER BY licences.id LIMIT ?2"
        ))?;
        let rows = statement.query_map(rusqlite::params_from_iter(parameters), |row| {
            Ok((
                Raw::read(row)?,
                row.get::<_, Vec<u8>>(10)?,
                row.get::<_, String>(11)?,
                row.get::<_, Vec<u8>>(12)?,
            ))
        })?;
        rows.map(|row| {
            let (raw, code_index, code_type, person) = row?;
            let licence = raw.open(vault)?;
            let (code, name) = holders::person(vault, &code_index, &code_type, &person)?;
            let organisation =
                HolderCodeType::parse(&code_type).is_ok_and(HolderCodeType::is_organisation);
            Ok(Summary {
                holder_code: masked(&code),
                holder_name: if organisation {
                    name
                } else {
                    masked_name(&name)
                },
                id: licence.outbox,
                identifier: masked(&licence.identifier),
                number: masked(&licence.number),
                origin: licence.origin,
                state: licence.state,
                subject: licence.subject,
                type_code: licence.type_code,
                unit: licence.unit,
                version: licence.version,
            })
        })
        .collect()
    }
}
