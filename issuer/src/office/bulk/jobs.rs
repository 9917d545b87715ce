//! Jobs: rows without a case number are known by their place in a file.
//!
//! A row is written down with its licence, in one transaction. A row with a case number is known by
//! that, in this file and in any other, and is not written down here. What was refused is not
//! either: the reason may be gone when the file comes again.

use std::collections::BTreeMap;

use zhao_spec::wire::{Hash, UnixMillis};

use super::work::CheckedRow;
use crate::intake::Request;
use crate::office::{Office, OfficeError};
use crate::records::{Job, JobRow, JobState, Licence, LicenceState, Transaction};

/// The outcome in the records of a row whose licence was written.
const WRITTEN: &str = "written";

impl<C> Office<C> {
    /// The job of a file: `source` is its digest, `options` how it is called for. The same file
    /// called for alike is the same job, which goes on where it stopped, unless it is to be done
    /// `again` from its beginning.
    ///
    /// # Errors
    /// The records refuse.
    pub fn begin_job(
        &mut self,
        source: &Hash,
        options: &str,
        again: bool,
        now: UnixMillis,
    ) -> Result<Job, OfficeError> {
        let known = match again {
            true => None,
            false => self.records.job_with(source, options)?,
        };
        let transaction = self.records.begin()?;
        let job = match known {
            Some(job) => {
                transaction.set_job(job.id, JobState::Running, now)?;
                Job {
                    state: JobState::Running,
                    ..job
                }
            }
            None => Job {
                created: now,
                id: transaction.add_job(source, options, now)?,
                options: options.to_owned(),
                source: *source,
                state: JobState::Running,
            },
        };
        transaction.commit()?;
        Ok(job)
    }

    /// Writes down that every row of a job is dealt with.
    pub(super) fn end_job(&mut self, job: i64, now: UnixMillis) -> Result<(), OfficeError> {
        let transaction = self.records.begin()?;
        transaction.set_job(job, JobState::Done, now)?;
        Ok(transaction.commit()?)
    }
}

/// The licences of those rows of a chunk that the job has dealt with. Those that the ledger refused
/// meanwhile are dealt with anew.
pub(super) fn done(
    transaction: &Transaction<'_>,
    job: i64,
    rows: &[(u64, CheckedRow)],
) -> Result<BTreeMap<u64, Licence>, OfficeError> {
    let numbers = || rows.iter().map(|(row, _)| *row);
    let (Some(from), Some(to)) = (numbers().min(), numbers().max()) else {
        return Ok(BTreeMap::new());
    };
    let mut done = BTreeMap::new();
    for (row, licence) in transaction.job_licences(job, from, to)? {
        match transaction.licence_of(licence)? {
            Some(licence) if licence.state != LicenceState::Refused => {
                done.insert(row, licence);
            }
            _ => transaction.forget_job_row(job, row)?,
        }
    }
    Ok(done)
}

/// Writes down that a row's licence was written.
pub(super) fn note(
    transaction: &Transaction<'_>,
    job: i64,
    row: u64,
    request: &Request,
    licence: i64,
) -> Result<(), OfficeError> {
    if request.reference.is_some() {
        return Ok(());
    }
    let row = JobRow {
        licence: Some(licence),
        outcome: WRITTEN.to_owned(),
        row,
    };
    Ok(transaction.put_job_row(job, &row)?)
}
