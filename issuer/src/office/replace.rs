//! 变更, 延续, 补换发, correction: a new version of a licence, in one step with the end of the old.

use rand::CryptoRng;
use zhao_spec::credential::{FaceValue, Licence as Credential};
use zhao_spec::life::data::{Predecessor, Relation, TypeRef};
use zhao_spec::life::record::{LicenceRecord, Record};
use zhao_spec::wire::{Hash, UnixMillis, clip};

use super::build::{Old, Scene, build};
use super::issue::check_published;
use super::{Grounds, IssueError, LedgerClient, Office, OfficeError, Outcome, TURNS};
use crate::intake::{Cell, Defaults, Row, check, compare_registers};
use crate::records::{Licence, LicenceState};

/// What a new version says differently.
#[derive(Clone, Debug)]
pub struct Replacement {
    /// Cells that differ, by column; an empty text takes an optional cell away.
    pub changes: Vec<(String, Cell)>,
    /// Why.
    pub grounds: Grounds,
    /// How the new version relates to the old.
    pub relation: Relation,
}

impl<C: LedgerClient> Office<C> {
    /// Declares a new version of a licence: [`Outcome::Pending`] until it is delivered, see
    /// [`Office::finish_issue`]. What `replacement` does not change is taken over; the
    /// identifier keeps its serial and raises its version.
    ///
    /// The new version is issued today. A renewed one begins today and lasts by the type's rule;
    /// every other keeps the old one's validity. Both can be said otherwise.
    ///
    /// # Errors
    /// No such licence, one that is not issued or not under control of this office, a change that
    /// the catalogue refuses, the records, the keys or the ledger.
    pub fn replace(
        &mut self,
        licence: &Hash,
        replacement: &Replacement,
        now: UnixMillis,
        rng: &mut dyn CryptoRng,
    ) -> Result<Outcome, OfficeError> {
        let now = self.time(now)?;
        let row = self.issued_row(licence)?;
        let credential = Credential::parse(&row.credential).map_err(IssueError::from)?;
        let record = self.licence_record(licence)?;
        let committed = matches!(record.type_ref, TypeRef::Commitment(_));
        if committed && replacement.grounds.code.is_some() {
            return Err(OfficeError::CodeNotAllowed);
        }
        let unit = self.controlling_unit(&record)?;
        let today = now.beijing_date();
        let mut cells = cells(&credential, replacement.relation, today);
        cells.insert("issuer".to_owned(), Cell::Text(unit));
        cells.extend(replacement.changes.iter().cloned());
        let defaults = Defaults {
            licence_type: None,
            today,
            unit: None,
        };
        let request =
            check(&Row::new(1, cells), &self.catalogue, &defaults).map_err(IssueError::from)?;
        let code = request.type_code.as_str();
        let entry = self.catalogue.entry(code)?.clone();
        check_published(self.published(code)?, &entry)?;
        compare_registers(&request, &entry, &*self.registers).map_err(IssueError::from)?;
        let signer = self.signer(request.unit.as_str(), Some(code))?;
        self.check_room(1)?;
        let origin = self.records.origin().to_owned();
        let scene = Scene {
            entry: &entry,
            now,
            origin: &origin,
            signer: &signer,
        };
        for _ in 0..TURNS {
            let (mark, end) = self.chain_end(licence)?;
            let (seq, prev) = end.ok_or_else(|| OfficeError::NoLicence {
                actual: licence.to_string(),
            })?;
            let old = Old {
                predecessor: Predecessor {
                    prev,
                    relation: replacement.relation,
                    seq: seq.saturating_add(1),
                    subject: *licence,
                },
                serial: row.serial.clone(),
                version: credential.subject.licence_identifier.version(),
            };
            let words = replacement.grounds.digest(rng)?;
            let transaction = self.records.begin()?;
            // As in `declare`: another process's office may have been first.
            if transaction.chain_mark(licence)? != mark {
                continue;
            }
            let (_, id) = build(&transaction, &scene, &request, Some(&old), words, rng)?;
            transaction.commit()?;
            self.delivery.said();
            return self.outcome(id);
        }
        Err(OfficeError::Conflict { subject: *licence })
    }

    /// The licence, if the ledger has taken it.
    fn issued_row(&self, subject: &Hash) -> Result<Licence, OfficeError> {
        let row = self
            .records
            .licence(subject)?
            .ok_or_else(|| OfficeError::NoLicence {
                actual: subject.to_string(),
            })?;
        match row.state {
            LicenceState::Issued => Ok(row),
            LicenceState::Issuing => Err(OfficeError::NotIssued { why: "issuing" }),
            LicenceState::Refused => Err(OfficeError::NotIssued { why: "refused" }),
        }
    }

    /// The licence's standing as the ledger has it.
    ///
    /// # Errors
    /// A licence that is still issuing or was refused, a ledger that cannot be asked, or that has
    /// no such licence.
    pub fn licence_record(&self, subject: &Hash) -> Result<LicenceRecord, OfficeError> {
        // A licence exists once its receipt is here, whatever the ledger has by now.
        match self.records.licence(subject)?.map(|row| row.state) {
            Some(LicenceState::Issuing) => return Err(OfficeError::NotIssued { why: "issuing" }),
            Some(LicenceState::Refused) => return Err(OfficeError::NotIssued { why: "refused" }),
            Some(LicenceState::Issued) | None => {}
        }
        match self.client.record(subject)? {
            Some(Record::Licence(record)) => Ok(*record),
            _ => Err(OfficeError::NoLicence {
                actual: clip(&subject.to_string()),
            }),
        }
    }
}

/// The old credential as a row, with the dates a new version has.
fn cells(
    credential: &Credential,
    relation: Relation,
    today: zhao_spec::wire::Date,
) -> std::collections::BTreeMap<String, Cell> {
    let subject = &credential.subject;
    let text = |name: &str, text: &str| (name.to_owned(), Cell::Text(text.to_owned()));
    let mut cells: std::collections::BTreeMap<String, Cell> = subject
        .face_data
        .iter()
        .map(|(name, value)| {
            let cell = match value {
                FaceValue::Bool(b) => Cell::Bool(*b),
                FaceValue::Int(n) => Cell::Int(*n),
                FaceValue::Text(text) => Cell::Text(text.clone()),
            };
            (name.clone(), cell)
        })
        .collect();
    cells.extend([
        text("holderCode", &subject.holder_code),
        text("holderCodeType", subject.holder_code_type.as_str()),
        text("holderName", &subject.holder_name),
        text("issuedDate", &today.to_string()),
        text("licenceNumber", &subject.licence_number),
        text("type", subject.licence_type_code.as_str()),
    ]);
    if relation == Relation::Renewed {
        cells.extend([text("validFrom", &today.to_string())]);
        if credential.valid_until.is_none() {
            cells.extend([text("validUntil", "indefinite")]);
        }
    } else {
        // validUntil is the first instant after the last day.
        let last = credential
            .valid_until
            .map(|until| until.saturating_sub(1).beijing_date());
        let last = last.map_or_else(|| "indefinite".to_owned(), |day| day.to_string());
        let first = credential.valid_from.beijing_date().to_string();
        cells.extend([text("validFrom", &first), text("validUntil", &last)]);
    }
    cells
}
