//! Licences, their credentials, and the counters their numbers come from.

use rusqlite::{Connection, OptionalExtension as _, Row};
use zhao_spec::id::LicenceIdentifier;
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::wire::{Hash, UnixMillis};

use super::indexed::{number_index, reference_index, serial_index};
use super::pack::{self, Pack, Parts};
use super::{Records, RecordsError, Transaction, hash, signed, time, unsigned};
use crate::intake::Origin;
use crate::vault::{Blind, Place, Vault};

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
    /// Where it comes from.
    pub origin: Origin,
    /// Subject key of the version it takes over from.
    pub predecessor: Option<Hash>,
    /// The office's own case number.
    pub reference: Option<&'a str>,
    /// The identifier's serial.
    pub serial: &'a str,
    /// Subject key.
    pub subject: Hash,
    /// Type code.
    pub type_code: &'a str,
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
    /// The holder's row.
    pub holder: i64,
    /// Licence identifier.
    pub identifier: String,
    /// Licence number.
    pub number: String,
    /// Where it comes from.
    pub origin: Origin,
    /// Row of the event that issues it.
    pub outbox: i64,
    /// The office's own case number.
    pub reference: Option<String>,
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
    /// The identifier's version.
    pub version: u16,
}

// The credential holds a person's name and number.
impl std::fmt::Debug for Licence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Licence({}, {:?})", self.subject, self.state)
    }
}

/// Where a licence's face stands; its subject key tells its row from others.
pub(super) fn face_place(subject: &[u8]) -> Place<'_> {
    Place {
        table: "licences",
        column: "face",
        row: subject,
    }
}

/// Where a licence's credential stands.
pub(super) fn credential_place(subject: &[u8]) -> Place<'_> {
    Place {
        table: "credentials",
        column: "credential",
        row: subject,
    }
}

/// What all reads of a licence's row begin with.
pub(super) const COLUMNS: &str = "licences.id, licences.subject, licences.unit,
     licences.type_code, licences.origin, licences.version, licences.holder, licences.face,
     licences.refused, EXISTS (SELECT 1 FROM receipts WHERE receipts.outbox = licences.id)
     OR licences.id <= (SELECT last_outbox FROM receipt_batches
     WHERE first_outbox <= licences.id ORDER BY first_outbox DESC LIMIT 1)";

/// What a row holds before its values are checked.
pub(super) struct Raw {
    id: i64,
    subject: Vec<u8>,
    unit: String,
    type_code: String,
    origin: String,
    version: u16,
    holder: i64,
    face: Vec<u8>,
    refused: bool,
    receipted: bool,
}

impl Raw {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            subject: row.get(1)?,
            unit: row.get(2)?,
            type_code: row.get(3)?,
            origin: row.get(4)?,
            version: row.get(5)?,
            holder: row.get(6)?,
            face: row.get(7)?,
            refused: row.get(8)?,
            receipted: row.get::<_, Option<bool>>(9)?.unwrap_or(false),
        })
    }

    /// The licence, but for its credential.
    pub(super) fn open(self, vault: &Vault) -> Result<Licence, RecordsError> {
        let subject = hash(&self.subject, "licences", "subject")?;
        let place = face_place(&self.subject);
        let clear = pack::open(vault, &place, &self.face)?;
        let mut parts = Parts::new(&clear, place);
        let (identifier, number) = (parts.text()?, parts.text()?);
        let (credential_id, serial) = (parts.text()?, parts.text()?);
        let reference = parts.optional()?;
        let holder = i64::from_be_bytes(parts.array()?);
        parts.finish()?;
        // Otherwise a licence could be given to another holder by changing one number.
        if holder != self.holder {
            return Err(RecordsError::Damaged {
                table: "licences",
                column: "holder",
                expected: "the holder in its face",
            });
        }
        Ok(Licence {
            credential: Vec::new(),
            credential_id,
            holder,
            identifier,
            number,
            origin: match self.origin.as_str() {
                "legacy" => Origin::Legacy,
                _ => Origin::New,
            },
            outbox: self.id,
            reference,
            serial,
            state: match (self.refused, self.receipted) {
                (true, _) => LicenceState::Refused,
                (false, true) => LicenceState::Issued,
                (false, false) => LicenceState::Issuing,
            },
            subject,
            type_code: self.type_code,
            unit: self.unit,
            version: self.version,
        })
    }
}

/// The first licence of those that `rest` (joins, condition, order) selects.
fn find(
    connection: &Connection,
    vault: &Vault,
    rest: &str,
    parameters: impl rusqlite::Params,
) -> Result<Option<Licence>, RecordsError> {
    let row = connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS}, credentials.credential FROM licences
             JOIN credentials ON credentials.licence = licences.id {rest} LIMIT 1"
        ))?
        .query_row(parameters, |row| {
            Ok((Raw::read(row)?, row.get::<_, Vec<u8>>(10)?))
        })
        .optional()?;
    let Some((raw, cell)) = row else {
        return Ok(None);
    };
    let mut licence = raw.open(vault)?;
    let place = credential_place(licence.subject.as_bytes());
    licence.credential = pack::open(vault, &place, &cell)?.to_vec();
    Ok(Some(licence))
}

fn by_identifier(
    connection: &Connection,
    vault: &Vault,
    text: &str,
) -> Result<Option<Licence>, RecordsError> {
    let Ok(identifier) = LicenceIdentifier::parse(text) else {
        return Ok(None);
    };
    let index = serial_index(
        vault,
        identifier.type_code().as_str(),
        identifier.issuer().as_str(),
        identifier.serial(),
    );
    for refused in ["0", "1"] {
        // As two constants: each is the condition of an index.
        let rest = format!(
            "WHERE licences.serial_index = ?1 AND licences.version = ?2
             AND licences.refused = {refused} ORDER BY licences.id DESC"
        );
        let found = find(connection, vault, &rest, (index, identifier.version()))?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

fn by_subject(
    connection: &Connection,
    vault: &Vault,
    subject: &Hash,
) -> Result<Option<Licence>, RecordsError> {
    let rest = "JOIN outbox_chains ON outbox_chains.outbox = licences.id
         WHERE outbox_chains.subject = ?1 AND licences.subject = ?1";
    find(connection, vault, rest, [subject.as_bytes()])
}

impl Transaction<'_> {
    /// Writes a licence; the ledger's answer to the event in `outbox` decides about it.
    ///
    /// # Errors
    /// The identifier or the reference is taken, there is no such predecessor, or the database
    /// refuses.
    pub fn add_licence(
        &self,
        licence: &NewLicence<'_>,
        outbox: i64,
        now: UnixMillis,
    ) -> Result<(), RecordsError> {
        self.write_licence(licence, outbox, false, now)
    }

    /// As [`Transaction::add_licence`]; the ledger may have refused it already.
    pub(super) fn write_licence(
        &self,
        licence: &NewLicence<'_>,
        outbox: i64,
        refused: bool,
        now: UnixMillis,
    ) -> Result<(), RecordsError> {
        let vault = self.vault;
        let predecessor = match &licence.predecessor {
            Some(subject) => Some(self.licence_row(subject)?),
            None => None,
        };
        let holder = self.put_holder(
            licence.holder_code_type,
            licence.holder_code,
            licence.holder_name,
            now,
        )?;
        let subject = licence.subject.as_bytes();
        let face = Pack::new(256)
            .put(licence.identifier.as_bytes())
            .put(licence.number.as_bytes())
            .put(licence.credential_id.as_bytes())
            .put(licence.serial.as_bytes())
            .put_optional(licence.reference)
            .put(&holder.to_be_bytes())
            .seal(vault, &face_place(subject));
        let reference = licence
            .reference
            .map(|reference| reference_index(vault, licence.unit, reference));
        let serial = serial_index(vault, licence.type_code, licence.unit, licence.serial);
        let written = self
            .sql
            .prepare_cached(
                "INSERT INTO licences (id, subject, unit, type_code, origin, version, holder,
                 predecessor, number_index, serial_index, reference_index, face, refused, created)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
                 ON CONFLICT DO NOTHING",
            )?
            .execute(rusqlite::params![
                outbox,
                subject,
                licence.unit,
                licence.type_code,
                licence.origin.as_str(),
                licence.version,
                holder,
                predecessor,
                number_index(vault, licence.number),
                serial,
                reference,
                face,
                i64::from(refused),
                time(now),
            ])?;
        if written == 0 {
            return Err(self.taken(&serial, licence.version)?);
        }
        self.sql
            .prepare_cached("INSERT INTO credentials (licence, credential) VALUES (?1, ?2)")?
            .execute((
                outbox,
                vault.seal(&credential_place(subject), licence.credential),
            ))?;
        Ok(())
    }

    /// Why a licence was not written.
    fn taken(&self, serial: &Blind, version: u16) -> Result<RecordsError, RecordsError> {
        let select = "SELECT EXISTS (SELECT 1 FROM licences
             WHERE serial_index = ?1 AND version = ?2 AND refused = 0)";
        let identifier = self
            .sql
            .query_row(select, (serial, version), |row| row.get(0))?;
        let what = if identifier {
            "identifier"
        } else {
            "reference"
        };
        Ok(RecordsError::Taken { what })
    }

    /// The row of the licence with this subject key.
    fn licence_row(&self, subject: &Hash) -> Result<i64, RecordsError> {
        let select = "SELECT licences.id FROM licences
             JOIN outbox_chains ON outbox_chains.outbox = licences.id
             WHERE outbox_chains.subject = ?1 AND licences.subject = ?1";
        Ok(self
            .sql
            .prepare_cached(select)?
            .query_row([subject.as_bytes()], |row| row.get(0))?)
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
        self.count_by(unit, type_code, purpose, year, 1)
    }

    /// Takes the next `by` values of a counter; returns the last of them.
    ///
    /// # Errors
    /// The database refuses.
    pub fn count_by(
        &self,
        unit: &str,
        type_code: &str,
        purpose: &str,
        year: u16,
        by: u64,
    ) -> Result<u64, RecordsError> {
        let last: i64 = self
            .sql
            .prepare_cached(
                "INSERT INTO counters (unit, type_code, purpose, year, last)
                 VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (unit, type_code, purpose, year)
                 DO UPDATE SET last = counters.last + ?5 RETURNING last",
            )?
            .query_row((unit, type_code, purpose, year, signed(by)), |row| {
                row.get(0)
            })?;
        unsigned(last, "counters", "last")
    }

    /// Gives back the values after `used` up to `last`, which this transaction took last.
    ///
    /// # Errors
    /// The database refuses.
    pub fn uncount(
        &self,
        unit: &str,
        type_code: &str,
        purpose: &str,
        year: u16,
        last: u64,
        used: u64,
    ) -> Result<(), RecordsError> {
        self.sql
            .prepare_cached(
                "UPDATE counters SET last = ?6 WHERE unit = ?1 AND type_code = ?2
                 AND purpose = ?3 AND year = ?4 AND last = ?5",
            )?
            .execute((unit, type_code, purpose, year, signed(last), signed(used)))?;
        Ok(())
    }

    /// The first version of a licence with this number that the ledger has not refused.
    ///
    /// # Errors
    /// The database refuses, or the row is damaged.
    pub fn with_number(
        &self,
        unit: &str,
        type_code: &str,
        number: &str,
    ) -> Result<Option<Licence>, RecordsError> {
        let rest = "WHERE licences.number_index = ?1 AND licences.unit = ?2
             AND licences.type_code = ?3 AND licences.refused = 0 ORDER BY licences.version";
        let index = number_index(self.vault, number);
        find(&self.sql, self.vault, rest, (index, unit, type_code))
    }

    /// The licence issued for the office's case number, unless the ledger refused it.
    ///
    /// # Errors
    /// The database refuses, or the row is damaged.
    pub fn with_reference(
        &self,
        unit: &str,
        reference: &str,
    ) -> Result<Option<Licence>, RecordsError> {
        with_reference(&self.sql, self.vault, unit, reference)
    }

    /// The licence that the event in this row of the outbox issues.
    ///
    /// # Errors
    /// The database refuses, or the row is damaged.
    pub fn licence_of(&self, outbox: i64) -> Result<Option<Licence>, RecordsError> {
        find(&self.sql, self.vault, "WHERE licences.id = ?1", [outbox])
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
        let index = serial_index(self.vault, type_code, unit, serial);
        Ok(self.sql.query_row(
            "SELECT COALESCE(MAX(version), 0) FROM licences
             WHERE serial_index = ?1 AND refused = 0",
            [index],
            |row| row.get(0),
        )?)
    }
}

fn with_reference(
    connection: &Connection,
    vault: &Vault,
    unit: &str,
    reference: &str,
) -> Result<Option<Licence>, RecordsError> {
    let rest = "WHERE licences.reference_index = ?1 AND licences.refused = 0";
    let index = reference_index(vault, unit, reference);
    find(connection, vault, rest, [index])
}

impl Records {
    /// The licence with this subject key.
    ///
    /// # Errors
    /// The database refuses, or the row is damaged.
    pub fn licence(&self, subject: &Hash) -> Result<Option<Licence>, RecordsError> {
        by_subject(&self.connection, &self.vault, subject)
    }

    /// The licence with this credential `id`, identifier or number. A number can be several
    /// licences'; the latest version of the latest of them is meant.
    ///
    /// # Errors
    /// The database refuses, or the row is damaged.
    pub fn find_licence(&self, text: &str) -> Result<Option<Licence>, RecordsError> {
        let (connection, vault) = (&self.connection, &self.vault);
        let subject = subject_key(self.origin(), Kind::Licence, text);
        if let Some(licence) = by_subject(connection, vault, &subject)? {
            return Ok(Some(licence));
        }
        if let Some(licence) = by_identifier(connection, vault, text)? {
            return Ok(Some(licence));
        }
        let rest = "WHERE licences.number_index = ?1
             ORDER BY licences.refused, licences.version DESC, licences.id DESC";
        find(connection, vault, rest, [number_index(vault, text)])
    }

    /// The licence that the event in this row of the outbox issues.
    ///
    /// # Errors
    /// The database refuses, or the row is damaged.
    pub fn licence_of(&self, outbox: i64) -> Result<Option<Licence>, RecordsError> {
        let rest = "WHERE licences.id = ?1";
        find(&self.connection, &self.vault, rest, [outbox])
    }

    /// The licence issued for the office's case number, unless the ledger refused it.
    ///
    /// # Errors
    /// The database refuses, or the row is damaged.
    pub fn with_reference(
        &self,
        unit: &str,
        reference: &str,
    ) -> Result<Option<Licence>, RecordsError> {
        with_reference(&self.connection, &self.vault, unit, reference)
    }

    /// How many licences are in each state: issuing, issued, refused.
    ///
    /// # Errors
    /// The database refuses.
    pub fn licence_counts(&self) -> Result<[u64; 3], RecordsError> {
        let count = |select: &str| -> Result<u64, RecordsError> {
            let found: i64 = self.connection.query_row(select, [], |row| row.get(0))?;
            unsigned(found, "licences", "id")
        };
        let all = count("SELECT COUNT(*) FROM licences")?;
        let refused = count("SELECT COUNT(*) FROM licences WHERE refused = 1")?;
        let issuing = count(
            "SELECT COUNT(*) FROM outbox_pending
             JOIN licences ON licences.id = outbox_pending.outbox",
        )?;
        let issued = all.saturating_sub(refused).saturating_sub(issuing);
        Ok([issuing, issued, refused])
    }
}
