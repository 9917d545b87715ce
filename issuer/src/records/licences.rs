//! Licences, their credentials, and the counters their numbers come from.

use rusqlite::{Connection, OptionalExtension as _, Row};
use zhao_spec::wire::{Hash, UnixMillis};

use super::{Records, RecordsError, Transaction, hash, signed, time, unsigned};

/// Whether the ledger has taken a licence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LicenceState {
    /// In the log: the licence exists.
    Issued,
    /// Signed here, not yet in the log: nobody may be given it.
    Issuing,
    /// The ledger refused it.
    Refused,
}

/// A licence to be written.
#[derive(Clone, Copy, Debug)]
pub struct NewLicence<'a> {
    /// The credential's exact bytes.
    pub credential: &'a [u8],
    /// Its `id`.
    pub credential_id: &'a str,
    /// The holder's code.
    pub holder_code: &'a str,
    /// What kind of code.
    pub holder_code_type: &'a str,
    /// The holder's name.
    pub holder_name: &'a str,
    /// Licence identifier.
    pub identifier: &'a str,
    /// Licence number.
    pub number: &'a str,
    /// The version it takes over from.
    pub predecessor: Option<&'a str>,
    /// The office's own case number.
    pub reference: Option<&'a str>,
    /// The identifier's serial.
    pub serial: &'a str,
    /// Subject key.
    pub subject: Hash,
    /// Type code.
    pub type_code: &'a str,
    /// The salt of the type's commitment.
    pub type_salt: Option<[u8; 32]>,
    /// The issuing unit.
    pub unit: &'a str,
    /// The identifier's version.
    pub version: u16,
}

/// A licence as recorded.
#[derive(Clone, PartialEq, Eq)]
pub struct Licence {
    /// The credential's exact bytes.
    pub credential: Vec<u8>,
    /// Its `id`.
    pub credential_id: String,
    /// Licence identifier.
    pub identifier: String,
    /// Licence number.
    pub number: String,
    /// Row of the event that issues it.
    pub outbox: i64,
    /// The identifier's serial.
    pub serial: String,
    /// Whether the ledger has taken it.
    pub state: LicenceState,
    /// Subject key.
    pub subject: Hash,
    /// Type code.
    pub type_code: String,
    /// The issuing unit.
    pub unit: String,
}

// The credential holds a person's name and number.
impl std::fmt::Debug for Licence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Licence({}, {:?})", self.subject, self.state)
    }
}

const COLUMNS: &str = "credential, credential_id, identifier, licence_number, outbox, serial,
     state, subject, type_code, unit";

/// What a row holds before its values are checked: the licence without state and subject.
type Raw = (Licence, String, Vec<u8>);

fn raw(row: &Row<'_>) -> rusqlite::Result<Raw> {
    let licence = Licence {
        credential: row.get(0)?,
        credential_id: row.get(1)?,
        identifier: row.get(2)?,
        number: row.get(3)?,
        outbox: row.get(4)?,
        serial: row.get(5)?,
        state: LicenceState::Issuing,
        subject: Hash([0; 32]),
        type_code: row.get(8)?,
        unit: row.get(9)?,
    };
    Ok((licence, row.get(6)?, row.get(7)?))
}

fn checked((mut licence, state, subject): Raw) -> Result<Licence, RecordsError> {
    licence.state = match state.as_str() {
        "issued" => LicenceState::Issued,
        "issuing" => LicenceState::Issuing,
        "refused" => LicenceState::Refused,
        _ => {
            let expected = "issued, issuing or refused";
            return Err(RecordsError::Damaged {
                table: "licences",
                column: "state",
                expected,
            });
        }
    };
    licence.subject = hash(&subject, "licences", "subject")?;
    Ok(licence)
}

fn find(
    connection: &Connection,
    condition: &str,
    parameters: impl rusqlite::Params,
) -> Result<Option<Licence>, RecordsError> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM licences WHERE {condition}"))?
        .query_row(parameters, raw)
        .optional()?
        .map(checked)
        .transpose()
}

impl Transaction<'_> {
    /// Writes a licence; the ledger's answer to the event in `outbox` decides about it.
    ///
    /// # Errors
    /// The database refuses, as it does an identifier or reference that is taken.
    pub fn add_licence(
        &self,
        licence: &NewLicence<'_>,
        outbox: i64,
        now: UnixMillis,
    ) -> Result<(), RecordsError> {
        self.0
            .prepare_cached(
                "INSERT INTO licences (credential_id, subject, unit, type_code, licence_number,
                 identifier, serial, version, holder_code, holder_code_type, holder_name,
                 reference, predecessor, type_salt, credential, state, outbox, created)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15,
                 'issuing', ?16, ?17)",
            )?
            .execute(rusqlite::params![
                licence.credential_id,
                licence.subject.as_bytes(),
                licence.unit,
                licence.type_code,
                licence.number,
                licence.identifier,
                licence.serial,
                licence.version,
                licence.holder_code,
                licence.holder_code_type,
                licence.holder_name,
                licence.reference,
                licence.predecessor,
                licence.type_salt,
                licence.credential,
                outbox,
                time(now),
            ])?;
        Ok(())
    }

    /// The next value of a counter, from 1.
    ///
    /// # Errors
    /// The database refuses.
    pub fn count(
        &self,
        unit: &str,
        type_code: &str,
        purpose: &str,
        year: u16,
    ) -> Result<u64, RecordsError> {
        let last: i64 = self
            .0
            .prepare_cached(
                "INSERT INTO counters (unit, type_code, purpose, year, last)
                 VALUES (?1, ?2, ?3, ?4, 1)
                 ON CONFLICT (unit, type_code, purpose, year)
                 DO UPDATE SET last = counters.last + 1 RETURNING last",
            )?
            .query_row((unit, type_code, purpose, year), |row| row.get(0))?;
        unsigned(last, "counters", "last")
    }

    /// The first version of a licence with this number that the ledger has not refused.
    ///
    /// # Errors
    /// The database refuses.
    pub fn with_number(
        &self,
        unit: &str,
        type_code: &str,
        number: &str,
    ) -> Result<Option<Licence>, RecordsError> {
        let condition = "unit = ?1 AND type_code = ?2 AND licence_number = ?3
             AND state <> 'refused' ORDER BY version LIMIT 1";
        find(&self.0, condition, (unit, type_code, number))
    }

    /// The licence issued for the office's case number, unless the ledger refused it.
    ///
    /// # Errors
    /// The database refuses.
    pub fn with_reference(
        &self,
        unit: &str,
        reference: &str,
    ) -> Result<Option<Licence>, RecordsError> {
        let condition = "unit = ?1 AND reference = ?2 AND state <> 'refused'";
        find(&self.0, condition, (unit, reference))
    }

    /// The highest version of a serial that the ledger has not refused; 0: none.
    ///
    /// # Errors
    /// The database refuses.
    pub fn last_version(
        &self,
        unit: &str,
        type_code: &str,
        serial: &str,
    ) -> Result<u16, RecordsError> {
        Ok(self.0.query_row(
            "SELECT COALESCE(MAX(version), 0) FROM licences
             WHERE unit = ?1 AND type_code = ?2 AND serial = ?3 AND state <> 'refused'",
            (unit, type_code, serial),
            |row| row.get(0),
        )?)
    }
}

impl Records {
    /// The licence with this subject key.
    ///
    /// # Errors
    /// The database refuses, or the row is damaged.
    pub fn licence(&self, subject: &Hash) -> Result<Option<Licence>, RecordsError> {
        find(&self.connection, "subject = ?1", [subject.as_bytes()])
    }

    /// The licence with this credential `id`, identifier or number. A number can be several
    /// licences'; the latest version of the latest of them is meant.
    ///
    /// # Errors
    /// The database refuses, or the row is damaged.
    pub fn find_licence(&self, text: &str) -> Result<Option<Licence>, RecordsError> {
        let condition = "(credential_id = ?1 OR identifier = ?1 OR licence_number = ?1)
             ORDER BY state = 'refused', version DESC, created DESC LIMIT 1";
        find(&self.connection, condition, [text])
    }

    /// The licence that the event in this row of the outbox issues.
    ///
    /// # Errors
    /// The database refuses, or the row is damaged.
    pub fn licence_of(&self, outbox: i64) -> Result<Option<Licence>, RecordsError> {
        find(&self.connection, "outbox = ?1", [outbox])
    }

    /// Licences by the time they were signed, at most `limit` after the first `skip`.
    ///
    /// # Errors
    /// The database refuses, or a row is damaged.
    pub fn licences(&self, skip: u64, limit: u64) -> Result<Vec<Licence>, RecordsError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM licences ORDER BY outbox LIMIT ?1 OFFSET ?2"
        ))?;
        let rows = statement.query_map((signed(limit), signed(skip)), raw)?;
        rows.map(|row| checked(row?)).collect()
    }

    /// How many licences are in each state: issuing, issued, refused.
    ///
    /// # Errors
    /// The database refuses.
    pub fn licence_counts(&self) -> Result<[u64; 3], RecordsError> {
        let mut counts = [0; 3];
        for (count, state) in counts.iter_mut().zip(["issuing", "issued", "refused"]) {
            let select = "SELECT COUNT(*) FROM licences WHERE state = ?1";
            let found: i64 = self
                .connection
                .query_row(select, [state], |row| row.get(0))?;
            *count = unsigned(found, "licences", "state")?;
        }
        Ok(counts)
    }
}
