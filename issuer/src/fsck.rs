//! fsck of the office: its records against the log, row by row and leaf by leaf. It changes
//! nothing.
//!
//! Three ways through: every row of the outbox with the licence it issues, every leaf of the log
//! that a unit of this office signed, and the database's own constraints. A pending row is no
//! finding: whether the log has it or not, it is sent again.
//!
//! Out of scope: whether the log is whole in itself. That is the ledger's fsck.

use std::collections::{BTreeMap, BTreeSet};

use zhao_spec::file::Receipt;
use zhao_spec::life::data::Action;
use zhao_spec::life::event::Event;
use zhao_spec::life::leaf::Leaf;
use zhao_spec::life::record::Record;
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::log::tree::{LeafIndex, check_inclusion};
use zhao_spec::wire::{Hash, sha256};

use crate::office::ClientError;
use crate::records::{Entry, LicenceState, Records, RecordsError, Standing};

/// Rows and leaves read at once.
const CHUNK: u64 = 1_000;
/// Findings listed; more are only counted.
const FINDINGS: usize = 1_000;

/// The log, as this check reads it.
pub trait Log {
    /// Leaves under the published head.
    ///
    /// # Errors
    /// The log cannot be read.
    fn size(&self) -> Result<u64, ClientError>;

    /// The leaf at an index below [`Log::size`].
    ///
    /// # Errors
    /// As [`Log::size`].
    fn leaf(&self, index: LeafIndex) -> Result<Vec<u8>, ClientError>;

    /// The record of a subject.
    ///
    /// # Errors
    /// As [`Log::size`].
    fn record(&self, subject: &Hash) -> Result<Option<Record>, ClientError>;

    /// The root that the log published for this size, if it did.
    ///
    /// # Errors
    /// As [`Log::size`].
    fn published_root(&self, size: u64) -> Result<Option<Hash>, ClientError>;
}

/// What is wrong. The name of each says what to do: see `zhao fsck`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Problem {
    /// The database's own constraints do not hold.
    Database,
    /// A row of the outbox cannot be read.
    Unreadable,
    /// The log does not reach to where the receipt says the event is.
    NotInLog,
    /// The log has other bytes there.
    LeafDiffers,
    /// The receipt does not prove it.
    Receipt,
    /// The records say that the ledger refused it, and the log has it.
    RefusedInLog,
    /// The log has an event that a unit of this office signed, and the records do not.
    Unknown,
    /// An event issues a licence that the records do not have.
    NoLicence,
    /// A licence is in another state than its event.
    State,
    /// A licence's credential is not the one its event is about.
    Credential,
    /// The log's record of a licence is missing, or about another credential.
    Record,
    /// Two licences have the same identifier or the same case number.
    Duplicate,
}

impl Problem {
    /// A stable name.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Unreadable => "unreadable",
            Self::NotInLog => "not-in-log",
            Self::LeafDiffers => "leaf-differs",
            Self::Receipt => "receipt",
            Self::RefusedInLog => "refused-in-log",
            Self::Unknown => "unknown",
            Self::NoLicence => "no-licence",
            Self::State => "state",
            Self::Credential => "credential",
            Self::Record => "record",
            Self::Duplicate => "duplicate",
        }
    }
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where: a row of the outbox, a leaf, a table.
    pub place: String,
    /// What is wrong.
    pub problem: Problem,
    /// What exactly.
    pub detail: String,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Rows of the outbox.
    pub rows: u64,
    /// Of them, waiting for the ledger.
    pub pending: u64,
    /// Licences.
    pub licences: u64,
    /// Leaves looked at.
    pub leaves: u64,
    /// The first thousand differences.
    pub findings: Vec<Finding>,
    /// How many more there are.
    pub unlisted: u64,
}

impl Report {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty() && self.unlisted == 0
    }

    fn find(&mut self, problem: Problem, place: String, detail: impl Into<String>) {
        if self.findings.len() < FINDINGS {
            let detail = detail.into();
            self.findings.push(Finding {
                place,
                problem,
                detail,
            });
        } else {
            self.unlisted = self.unlisted.saturating_add(1);
        }
    }
}

/// Why the check came to no end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FsckError {
    /// The log cannot be read.
    #[error("{0}")]
    Log(#[from] ClientError),
    /// The records cannot be read at all.
    #[error("{0}")]
    Records(#[from] RecordsError),
}

/// Compares records with the log.
///
/// # Errors
/// One of them cannot be read at all; a row that cannot be read is a finding.
pub fn check(records: &Records, log: &dyn Log) -> Result<Report, FsckError> {
    let mut fsck = Fsck {
        log,
        records,
        report: Report::default(),
        roots: BTreeMap::new(),
        size: log.size()?,
    };
    fsck.database()?;
    fsck.rows()?;
    fsck.leaves()?;
    Ok(fsck.report)
}

struct Fsck<'a> {
    log: &'a dyn Log,
    records: &'a Records,
    report: Report,
    /// Published roots by size, for receipts, which share heads.
    roots: BTreeMap<u64, Option<Hash>>,
    size: u64,
}

fn row_place(id: i64) -> String {
    format!("outbox row {id}")
}

impl Fsck<'_> {
    fn database(&mut self) -> Result<(), FsckError> {
        for detail in self.records.integrity()? {
            self.report
                .find(Problem::Database, "records".to_owned(), detail);
        }
        for (what, value) in self.records.duplicates()? {
            self.report
                .find(Problem::Duplicate, format!("licences.{what}"), value);
        }
        Ok(())
    }

    fn rows(&mut self) -> Result<(), FsckError> {
        let mut after = 0;
        loop {
            let ids = self.records.row_ids(after, CHUNK)?;
            let Some(last) = ids.last() else {
                return Ok(());
            };
            after = *last;
            for id in ids {
                self.report.rows += 1;
                match self.records.said(id) {
                    Ok(entry) => self.row(&entry)?,
                    Err(RecordsError::Sql(error)) => return Err(RecordsError::Sql(error).into()),
                    Err(error) => {
                        let detail = error.to_string();
                        self.report.find(Problem::Unreadable, row_place(id), detail);
                    }
                }
            }
        }
    }

    fn row(&mut self, entry: &Entry) -> Result<(), FsckError> {
        let place = row_place(entry.id);
        let event = &entry.event;
        if !self.records.indexed_as(entry.id, event)? {
            let detail = "its identity, hash or chains are not those of its event";
            self.report.find(Problem::Unreadable, place.clone(), detail);
        }
        match &entry.standing {
            Standing::Pending => self.report.pending += 1,
            Standing::Refused { .. } => {}
            Standing::Receipted { index, receipt } => {
                self.receipted(&place, event, *index, receipt)?;
            }
        }
        self.licence(&place, entry)
    }

    fn receipted(
        &mut self,
        place: &str,
        event: &Event,
        index: LeafIndex,
        receipt: &[u8],
    ) -> Result<(), FsckError> {
        if index.0 >= self.size {
            let detail = format!("leaf {index}, the log has {} leaves", self.size);
            self.report
                .find(Problem::NotInLog, place.to_owned(), detail);
            return Ok(());
        }
        if self.log.leaf(index)? != event.leaf_bytes() {
            self.report.find(
                Problem::LeafDiffers,
                place.to_owned(),
                format!("leaf {index}"),
            );
            return Ok(());
        }
        if let Err(detail) = self.prove(event, index, receipt)? {
            self.report.find(Problem::Receipt, place.to_owned(), detail);
        }
        Ok(())
    }

    /// Whether the receipt proves that the event is there, under a head that this log published.
    /// The signatures under that head are the ledger's fsck's to check.
    fn prove(
        &mut self,
        event: &Event,
        index: LeafIndex,
        receipt: &[u8],
    ) -> Result<Result<(), String>, FsckError> {
        let receipt = match Receipt::parse(receipt) {
            Ok(receipt) => receipt,
            Err(error) => return Ok(Err(error.to_string())),
        };
        if receipt.event.bytes() != event.bytes() || receipt.index != index {
            return Ok(Err("it is of another event, or another index".to_owned()));
        }
        let checkpoint = receipt.proof.checkpoint();
        let included = check_inclusion(
            index,
            checkpoint.size,
            &event.leaf_hash(),
            receipt.proof.path(),
            &checkpoint.root,
        );
        if let Err(error) = included {
            return Ok(Err(error.to_string()));
        }
        let size = checkpoint.size.0;
        let published = match self.roots.get(&size) {
            Some(root) => *root,
            None => {
                let root = self.log.published_root(size)?;
                self.roots.insert(size, root);
                root
            }
        };
        Ok(match published {
            Some(root) if root == checkpoint.root => Ok(()),
            _ => Err(format!("this log published no such head of size {size}")),
        })
    }

    fn licence(&mut self, place: &str, entry: &Entry) -> Result<(), FsckError> {
        let Action::Issued(issued) = &entry.event.action else {
            return Ok(());
        };
        let licence = match self.records.licence_of(entry.id) {
            Err(RecordsError::Sql(error)) => return Err(RecordsError::Sql(error).into()),
            Err(error) => {
                let detail = error.to_string();
                self.report
                    .find(Problem::Unreadable, place.to_owned(), detail);
                return Ok(());
            }
            Ok(licence) => licence,
        };
        let Some(licence) = licence else {
            let detail = format!("subject {}", entry.event.subject);
            self.report
                .find(Problem::NoLicence, place.to_owned(), detail);
            return Ok(());
        };
        self.report.licences += 1;
        let (expected, word) = match entry.standing {
            Standing::Pending => (LicenceState::Issuing, "issuing"),
            Standing::Receipted { .. } => (LicenceState::Issued, "issued"),
            Standing::Refused { .. } => (LicenceState::Refused, "refused"),
        };
        if licence.state != expected {
            let detail = format!("{}: not {word}", licence.credential_id);
            self.report.find(Problem::State, place.to_owned(), detail);
        }
        if licence.subject != entry.event.subject || sha256(&[&licence.credential]) != issued.vc {
            let detail = licence.credential_id.clone();
            self.report
                .find(Problem::Credential, place.to_owned(), detail);
        }
        if expected != LicenceState::Issued {
            return Ok(());
        }
        let agrees = match self.log.record(&entry.event.subject)? {
            Some(Record::Licence(record)) => record.vc == issued.vc,
            _ => false,
        };
        if !agrees {
            let detail = licence.credential_id;
            self.report.find(Problem::Record, place.to_owned(), detail);
        }
        Ok(())
    }

    /// Every leaf that a unit of this office signed is in the records, and not as refused.
    fn leaves(&mut self) -> Result<(), FsckError> {
        let origin = self.records.origin();
        let units = self.records.units()?.into_iter();
        let units: BTreeSet<Hash> = units
            .map(|unit| subject_key(origin, Kind::Issuer, &unit.uscc))
            .collect();
        for index in 0..self.size {
            let bytes = self.log.leaf(LeafIndex(index))?;
            self.report.leaves += 1;
            let Ok(Leaf::Event(event)) = Leaf::parse(&bytes) else {
                continue;
            };
            let ours = event.signer.is_some_and(|signer| units.contains(&signer));
            let place = format!("leaf {index}");
            let row = match self.records.row_of(&event) {
                Err(RecordsError::Sql(error)) => return Err(RecordsError::Sql(error).into()),
                // A row of the same place that cannot be read: it was found above.
                Err(_) => continue,
                Ok(row) => row,
            };
            match row {
                Some(id) => {
                    let standing = self.records.said(id).map(|entry| entry.standing);
                    if let Ok(Standing::Refused { code, .. }) = standing {
                        let detail = format!("{}: {code}", row_place(id));
                        self.report.find(Problem::RefusedInLog, place, detail);
                    }
                }
                None if ours => {
                    let detail = format!("{} of {}", event.verb().as_str(), event.subject);
                    self.report.find(Problem::Unknown, place, detail);
                }
                None => {}
            }
        }
        Ok(())
    }
}
