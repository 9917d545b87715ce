//! Batches: rows in, licences out, each row on its own.

use std::collections::{BTreeMap, btree_map};
use std::sync::Arc;

use rand::CryptoRng;
use zhao_spec::life::data::Note;
use zhao_spec::life::record::{Record, TypeState};
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::{Hash, UnixMillis};

use super::build::{Scene, build};
use super::{ClientError, IssueError, LedgerClient, Office, OfficeError, RowOutcome, Signer};
use crate::catalogue::Entry;
use crate::intake::{Defaults, Remark, Request, Row, RowError, check, compare_registers};
use crate::records::{Licence, Standing};

/// Rows signed and written down in one transaction.
const CHUNK: usize = 500;

/// A licence, with the ledger's receipt for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// Leaf index of its `issued` event.
    pub index: LeafIndex,
    /// The licence as recorded: credential, number, identifier.
    pub licence: Licence,
    /// The receipt.
    pub receipt: Vec<u8>,
}

/// What became of one row.
#[derive(Debug)]
pub enum Outcome {
    /// Issued: hand it out.
    Issued(Box<Issued>),
    /// Signed and sent, not in the log yet: hand nothing out.
    Pending(Box<Licence>),
    /// Not issued.
    Refused(Box<IssueError>),
    /// The office's case number was on an earlier row: this is that row's licence.
    Repeated(Box<Licence>),
}

/// How many rows came to what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Issued.
    pub issued: u64,
    /// Not in the log yet.
    pub pending: u64,
    /// Refused.
    pub refused: u64,
    /// Issued before under the same case number.
    pub repeated: u64,
    /// What is to be known of the row that is reported now, though it was not refused for it.
    pub remarks: Vec<Remark>,
    /// Why the ledger could not be asked, if so.
    pub trouble: Option<ClientError>,
}

impl Tally {
    /// Rows dealt with so far.
    #[must_use]
    pub fn rows(&self) -> u64 {
        let dealt = self.issued.saturating_add(self.pending);
        dealt
            .saturating_add(self.refused)
            .saturating_add(self.repeated)
    }
}

/// A row between signing and the ledger's answer.
enum Waiting {
    /// Row of the outbox.
    Said(i64),
    Done(Outcome),
}

/// Remarks on the rows of one batch, by row.
pub(super) type Remarks = BTreeMap<u64, Vec<Remark>>;

/// Signers and types as the ledger has them, asked once a batch.
#[derive(Default)]
pub(super) struct Asked {
    signers: BTreeMap<(String, String), Result<Arc<Signer>, IssueError>>,
    types: BTreeMap<String, Option<(u64, bool)>>,
}

impl<C: LedgerClient> Office<C> {
    /// Issues a licence for each row. `report` is called once a row, in their order, with the
    /// row's number, what became of it, and the tally so far.
    ///
    /// A row that is refused leaves the others unharmed. If the process dies in between, rows not
    /// reported may or may not have been issued: give rows a `reference`, and the same batch again
    /// issues nothing twice.
    ///
    /// # Errors
    /// The records or the keys. Trouble with the ledger leaves rows pending: [`Tally::trouble`].
    pub fn issue(
        &mut self,
        rows: &mut dyn Iterator<Item = Result<Row, RowError>>,
        defaults: &Defaults,
        now: UnixMillis,
        rng: &mut dyn CryptoRng,
        report: &mut dyn FnMut(u64, Outcome, &Tally),
    ) -> Result<Tally, OfficeError> {
        let mut tally = Tally::default();
        let mut asked = Asked::default();
        loop {
            let chunk: Vec<_> = rows.take(CHUNK).collect();
            if chunk.is_empty() {
                break;
            }
            let waiting = self.sign_chunk(chunk, defaults, &mut asked, now, rng, true)?;
            let mut remarks = self.take_remarks();
            let first = waiting.iter().find_map(|(_, waiting)| match waiting {
                Waiting::Said(id) => Some(*id),
                Waiting::Done(_) => None,
            });
            // Once the ledger is out of reach the rest is only written down, to be sent later.
            if let Some(first) = first
                && tally.trouble.is_none()
            {
                tally.trouble = self.deliver_after(first.saturating_sub(1), now)?.trouble;
            }
            for (row, waiting) in waiting {
                let outcome = match waiting {
                    Waiting::Done(outcome) => outcome,
                    Waiting::Said(id) => self.outcome(id)?,
                };
                match &outcome {
                    Outcome::Issued(_) => tally.issued += 1,
                    Outcome::Pending(_) => tally.pending += 1,
                    Outcome::Refused(_) => tally.refused += 1,
                    Outcome::Repeated(_) => tally.repeated += 1,
                }
                tally.remarks = remarks.remove(&row).unwrap_or_default();
                report(row, outcome, &tally);
                tally.remarks.clear();
            }
        }
        Ok(tally)
    }

    /// Checks and signs rows and writes them down in one transaction; nothing is sent. Each row's
    /// number and what became of it: [`Outcome::Pending`] until the ledger answers, for which
    /// [`Office::ticket`] waits by [`Licence::outbox`] and [`Office::outcome`] asks.
    ///
    /// # Errors
    /// The records, the keys, or the ledger's records of units and types.
    pub fn declare_batch(
        &mut self,
        rows: Vec<Result<Row, RowError>>,
        defaults: &Defaults,
        now: UnixMillis,
        rng: &mut dyn CryptoRng,
    ) -> Result<Vec<(u64, Outcome)>, OfficeError> {
        let asked = &mut Asked::default();
        let waiting = self.sign_chunk(rows, defaults, asked, now, rng, true)?;
        let declared = waiting.into_iter().map(|(row, waiting)| {
            let outcome = match waiting {
                Waiting::Done(outcome) => outcome,
                Waiting::Said(id) => self.outcome(id)?,
            };
            Ok((row, outcome))
        });
        declared.collect()
    }

    /// As [`Office::declare_batch`], and nothing is written: what would become of each row.
    ///
    /// # Errors
    /// As [`Office::declare_batch`].
    pub fn judge_batch(
        &mut self,
        rows: Vec<Result<Row, RowError>>,
        defaults: &Defaults,
        now: UnixMillis,
        rng: &mut dyn CryptoRng,
    ) -> Result<Vec<(u64, RowOutcome)>, OfficeError> {
        let asked = &mut Asked::default();
        let waiting = self.sign_chunk(rows, defaults, asked, now, rng, false)?;
        let judged = waiting.into_iter().map(|(row, waiting)| {
            let outcome = match waiting {
                Waiting::Done(Outcome::Refused(error)) => RowOutcome::Refused(error),
                Waiting::Done(Outcome::Repeated(licence)) => RowOutcome::Repeated(licence),
                Waiting::Done(_) | Waiting::Said(_) => RowOutcome::Possible,
            };
            (row, outcome)
        });
        Ok(judged.collect())
    }

    /// What is to be known of rows of the last batch that were not refused for it, by row: names
    /// that were not compared with a register. The office forgets them.
    pub fn take_remarks(&mut self) -> BTreeMap<u64, Vec<Remark>> {
        std::mem::take(&mut self.remarks)
    }

    /// What became of the licence whose event is in this row of the outbox.
    ///
    /// # Errors
    /// The records, or no licence in that row.
    pub fn outcome(&self, outbox: i64) -> Result<Outcome, OfficeError> {
        let licence = self
            .records
            .licence_of(outbox)?
            .ok_or_else(|| OfficeError::NoLicence {
                actual: format!("of outbox row {outbox}"),
            })?;
        Ok(match self.records.said(outbox)?.standing {
            Standing::Pending => Outcome::Pending(Box::new(licence)),
            Standing::Receipted { index, receipt } => Outcome::Issued(Box::new(Issued {
                index,
                licence,
                receipt,
            })),
            Standing::Refused { code, detail } => {
                Outcome::Refused(Box::new(IssueError::Ledger { code, detail }))
            }
        })
    }

    /// Delivers what waits, and says what became of a licence that was pending.
    ///
    /// # Errors
    /// The records. Trouble with the ledger leaves it pending.
    pub fn finish_issue(
        &mut self,
        outcome: Outcome,
        now: UnixMillis,
    ) -> Result<Outcome, OfficeError> {
        let Outcome::Pending(licence) = outcome else {
            return Ok(outcome);
        };
        self.deliver(now)?;
        self.outcome(licence.outbox)
    }

    /// The licence with its receipt, once the ledger has taken it.
    ///
    /// # Errors
    /// The records, or no such licence in them.
    pub fn issued(&self, subject: &Hash) -> Result<Option<Issued>, OfficeError> {
        let licence = self
            .records
            .licence(subject)?
            .ok_or_else(|| OfficeError::NoLicence {
                actual: subject.to_string(),
            })?;
        match self.outcome(licence.outbox)? {
            Outcome::Issued(issued) => Ok(Some(*issued)),
            _ => Ok(None),
        }
    }

    /// Checks and signs the rows and writes them down in one transaction, which is kept or not.
    fn sign_chunk(
        &mut self,
        chunk: Vec<Result<Row, RowError>>,
        defaults: &Defaults,
        asked: &mut Asked,
        now: UnixMillis,
        rng: &mut dyn CryptoRng,
        keep: bool,
    ) -> Result<Vec<(u64, Waiting)>, OfficeError> {
        let now = self.time(now)?;
        let limit = self.outbox_limit;
        let count = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
        let mut room = match limit.checked_sub(count) {
            Some(most) if self.records.pending_above(most)? == 0 => count,
            _ => limit.saturating_sub(self.records.pending_count()?),
        };
        self.remarks.clear();
        let mut requests = Vec::new();
        for row in chunk {
            let request = row
                .and_then(|row| check(&row, &self.catalogue, defaults))
                .and_then(|request| self.compared(request));
            match request {
                Ok(request) => {
                    self.ask(&request, asked)?;
                    requests.push((request.row, Ok(request)));
                }
                Err(error) => requests.push((error.row, Err(error))),
            }
        }
        let Self {
            catalogue, records, ..
        } = self;
        let origin = records.origin().to_owned();
        let transaction = records.begin()?;
        let mut waiting = Vec::new();
        for (row, request) in requests {
            let refused = |error: IssueError| Waiting::Done(Outcome::Refused(Box::new(error)));
            let request = match request {
                Ok(request) => request,
                Err(error) => {
                    waiting.push((row, refused(error.into())));
                    continue;
                }
            };
            let unit = request.unit.as_str();
            if let Some(reference) = &request.reference
                && let Some(earlier) = transaction.with_reference(unit, reference)?
            {
                waiting.push((row, Waiting::Done(Outcome::Repeated(Box::new(earlier)))));
                continue;
            }
            if room == 0 {
                let error = IssueError::OutboxFull {
                    waiting: limit,
                    limit,
                };
                waiting.push((row, refused(error)));
                continue;
            }
            let entry = catalogue.entry(request.type_code.as_str())?;
            let signer = match asked.signer(&request, entry) {
                Ok(signer) => signer,
                Err(error) => {
                    waiting.push((row, refused(error)));
                    continue;
                }
            };
            let scene = Scene {
                entry,
                now,
                origin: &origin,
                signer,
            };
            let words = (Note::default(), Vec::new());
            match build(&transaction, &scene, &request, None, words, rng) {
                Ok((_, id)) => {
                    room -= 1;
                    waiting.push((row, Waiting::Said(id)));
                }
                Err(OfficeError::Issue(error)) => waiting.push((row, refused(error))),
                Err(fatal) => return Err(fatal),
            }
        }
        if keep {
            transaction.commit()?;
            self.delivery.said();
        }
        Ok(waiting)
    }

    /// The request, if the registers do not know otherwise.
    fn compared(&mut self, request: Request) -> Result<Request, RowError> {
        // `check` took the type from this catalogue.
        if let Ok(entry) = self.catalogue.entry(request.type_code.as_str()) {
            let said = compare_registers(&request, entry, &*self.registers)?;
            if !said.is_empty() {
                self.remarks.insert(request.row, said);
            }
        }
        Ok(request)
    }

    /// Asks the ledger about the request's unit and type, once each.
    pub(super) fn ask(&mut self, request: &Request, asked: &mut Asked) -> Result<(), OfficeError> {
        let code = request.type_code.as_str();
        if !asked.types.contains_key(code) {
            let published = self.published(code)?;
            asked.types.insert(code.to_owned(), published);
        }
        let key = (request.unit.as_str().to_owned(), code.to_owned());
        if let btree_map::Entry::Vacant(vacant) = asked.signers.entry(key) {
            vacant.insert(match self.signer(request.unit.as_str(), Some(code)) {
                Ok(signer) => Ok(Arc::new(signer)),
                Err(OfficeError::Issue(error)) => Err(error),
                Err(OfficeError::Unit(error)) => Err(error.into()),
                Err(fatal) => return Err(fatal),
            });
        }
        Ok(())
    }

    /// The version of a type in force, and whether the entry here is that version.
    pub(super) fn published(&self, code: &str) -> Result<Option<(u64, bool)>, OfficeError> {
        let subject = subject_key(self.records.origin(), Kind::LicenceType, code);
        let digest = self.catalogue.entry(code)?.digest;
        Ok(match self.client.record(&subject)? {
            Some(Record::LicenceType(record)) if record.state == TypeState::Published => {
                Some((record.version, record.digest == digest))
            }
            _ => None,
        })
    }
}

impl Asked {
    /// Who signs for the request.
    pub(super) fn signer(
        &self,
        request: &Request,
        entry: &Entry,
    ) -> Result<&Arc<Signer>, IssueError> {
        let code = request.type_code.as_str();
        check_published(self.types.get(code).copied().flatten(), entry)?;
        let key = (request.unit.as_str().to_owned(), code.to_owned());
        match self
            .signers
            .get(&key)
            .expect("asked before the transaction began")
        {
            Ok(signer) => Ok(signer),
            Err(IssueError::Unit(error)) => Err(error.clone().into()),
            Err(_) => Err(IssueError::TypeNotGranted {
                unit: key.0,
                type_code: key.1,
            }),
        }
    }
}

/// CAT-01: nothing is issued under a type, or a version of it, that is not in force.
pub(super) fn check_published(
    published: Option<(u64, bool)>,
    entry: &Entry,
) -> Result<(), IssueError> {
    let type_code = entry.type_code.as_str().to_owned();
    match published {
        None => Err(IssueError::TypeNotPublished { type_code }),
        Some((_, true)) => Ok(()),
        Some((published, false)) => Err(IssueError::CatalogueVersion {
            type_code,
            here: entry.version,
            published,
        }),
    }
}
