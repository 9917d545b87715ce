//! Issuing in bulk, so that a job that was interrupted is taken up where it stopped.
//!
//! Rows are written in the transaction that writes their licences. A row has the number it has in
//! its file, and the file its digest: another file is another job. That no case is issued twice,
//! whatever the file, is the reference's to see to ([`super::Transaction::with_reference`]).

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension as _, Row};
use zhao_spec::wire::{Hash, UnixMillis};

use super::{Records, RecordsError, Transaction, hash, signed, time, unsigned};

/// Where a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    /// Given up.
    Abandoned,
    /// Every row is dealt with.
    Done,
    /// Rows are left.
    Running,
}

impl JobState {
    /// The word in the records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Abandoned => "abandoned",
            Self::Done => "done",
            Self::Running => "running",
        }
    }
}

/// A job of issuing in bulk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// When it began.
    pub created: UnixMillis,
    /// Its number.
    pub id: i64,
    /// How it was called for, as canonical JSON; nothing personal.
    pub options: String,
    /// Digest of the file.
    pub source: Hash,
    /// Where it is.
    pub state: JobState,
}

/// What became of one row of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRow {
    /// The licence's row, if one was issued or found.
    pub licence: Option<i64>,
    /// The stable code of the outcome.
    pub outcome: String,
    /// Number in the file.
    pub row: u64,
}

impl Transaction<'_> {
    /// Begins a job and answers its number.
    ///
    /// # Errors
    /// The database refuses.
    pub fn add_job(
        &self,
        source: &Hash,
        options: &str,
        now: UnixMillis,
    ) -> Result<i64, RecordsError> {
        Ok(self.sql.query_row(
            "INSERT INTO jobs (source, options, state, created, changed)
             VALUES (?1, ?2, 'running', ?3, ?3) RETURNING id",
            (source.as_bytes(), options, time(now)),
            |row| row.get(0),
        )?)
    }

    /// Writes down what became of a row; what was written before stays.
    ///
    /// # Errors
    /// No such job or licence, or the database refuses.
    pub fn put_job_row(&self, job: i64, row: &JobRow) -> Result<(), RecordsError> {
        self.sql
            .prepare_cached(
                "INSERT INTO job_rows (job, row_number, outcome, licence) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (job, row_number) DO NOTHING",
            )?
            .execute((job, signed(row.row), &row.outcome, row.licence))?;
        Ok(())
    }

    /// The licences of the rows `from` to `to` of a job, by row.
    ///
    /// # Errors
    /// The database refuses, or a row is damaged.
    pub fn job_licences(
        &self,
        job: i64,
        from: u64,
        to: u64,
    ) -> Result<BTreeMap<u64, i64>, RecordsError> {
        let mut statement = self.sql.prepare_cached(
            "SELECT row_number, licence FROM job_rows
             WHERE job = ?1 AND row_number BETWEEN ?2 AND ?3 AND licence IS NOT NULL",
        )?;
        let rows = statement.query_map((job, signed(from), signed(to)), |row| {
            Ok((row.get::<_, i64>(0)?, row.get(1)?))
        })?;
        rows.map(|row| {
            let (row, licence) = row?;
            Ok((unsigned(row, "job_rows", "row_number")?, licence))
        })
        .collect()
    }

    /// Forgets a row of a job, so that it is dealt with anew.
    ///
    /// # Errors
    /// The database refuses.
    pub fn forget_job_row(&self, job: i64, row: u64) -> Result<(), RecordsError> {
        self.sql
            .prepare_cached("DELETE FROM job_rows WHERE job = ?1 AND row_number = ?2")?
            .execute((job, signed(row)))?;
        Ok(())
    }

    /// Writes down where a job is. Answers whether there is such a job.
    ///
    /// # Errors
    /// The database refuses.
    pub fn set_job(
        &self,
        job: i64,
        state: JobState,
        now: UnixMillis,
    ) -> Result<bool, RecordsError> {
        let update = "UPDATE jobs SET state = ?2, changed = ?3 WHERE id = ?1";
        let changed = self.sql.execute(update, (job, state.as_str(), time(now)))?;
        Ok(changed == 1)
    }
}

/// A job before its values are checked.
type Raw = (i64, Vec<u8>, String, String, i64);

fn raw(row: &Row<'_>) -> rusqlite::Result<Raw> {
    Ok((
        row.get(0)?,
        row.get(1)?,
        row.get(2)?,
        row.get(3)?,
        row.get(4)?,
    ))
}

fn checked((id, source, options, state, created): Raw) -> Result<Job, RecordsError> {
    Ok(Job {
        created: UnixMillis(unsigned(created, "jobs", "created")?),
        id,
        options,
        source: hash(&source, "jobs", "source")?,
        state: match state.as_str() {
            "abandoned" => JobState::Abandoned,
            "done" => JobState::Done,
            _ => JobState::Running,
        },
    })
}

impl Records {
    /// The job of this number.
    ///
    /// # Errors
    /// The database refuses, or the row is damaged.
    pub fn job(&self, id: i64) -> Result<Option<Job>, RecordsError> {
        let select = "SELECT id, source, options, state, created FROM jobs WHERE id = ?1";
        let row = self.connection.query_row(select, [id], raw).optional()?;
        row.map(checked).transpose()
    }

    /// The latest job of a file with this digest.
    ///
    /// # Errors
    /// The database refuses, or the row is damaged.
    pub fn job_of(&self, source: &Hash) -> Result<Option<Job>, RecordsError> {
        let select = "SELECT id, source, options, state, created FROM jobs
             WHERE source = ?1 ORDER BY id DESC LIMIT 1";
        let row = self
            .connection
            .query_row(select, [source.as_bytes()], raw)
            .optional()?;
        row.map(checked).transpose()
    }

    /// The latest job of a file with this digest that was called for like this and was not given
    /// up.
    ///
    /// # Errors
    /// The database refuses, or the row is damaged.
    pub fn job_with(&self, source: &Hash, options: &str) -> Result<Option<Job>, RecordsError> {
        let select = "SELECT id, source, options, state, created FROM jobs
             WHERE source = ?1 AND options = ?2 AND state <> 'abandoned'
             ORDER BY id DESC LIMIT 1";
        let row = self
            .connection
            .query_row(select, (source.as_bytes(), options), raw)
            .optional()?;
        row.map(checked).transpose()
    }

    /// What became of the rows of a job after row `after`, at most `limit`.
    ///
    /// # Errors
    /// The database refuses, or a row is damaged.
    pub fn job_rows(
        &self,
        job: i64,
        after: u64,
        limit: usize,
    ) -> Result<Vec<JobRow>, RecordsError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut statement = self.connection.prepare_cached(
            "SELECT row_number, outcome, licence FROM job_rows
             WHERE job = ?1 AND row_number > ?2 ORDER BY row_number LIMIT ?3",
        )?;
        let rows = statement.query_map((job, signed(after), limit), |row| {
            Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?))
        })?;
        rows.map(|row| {
            let (row, outcome, licence) = row?;
            Ok(JobRow {
                licence,
                outcome,
                row: unsigned(row, "job_rows", "row_number")?,
            })
        })
        .collect()
    }

    /// The last row of a job that is dealt with; 0: none.
    ///
    /// # Errors
    /// The database refuses.
    pub fn job_reached(&self, job: i64) -> Result<u64, RecordsError> {
        let select = "SELECT COALESCE(MAX(row_number), 0) FROM job_rows WHERE job = ?1";
        let row = self.connection.query_row(select, [job], |row| row.get(0))?;
        unsigned(row, "job_rows", "row_number")
    }

    /// How many rows of a job are written down.
    ///
    /// # Errors
    /// The database refuses.
    pub fn job_size(&self, job: i64) -> Result<u64, RecordsError> {
        let select = "SELECT COUNT(*) FROM job_rows WHERE job = ?1";
        let count = self.connection.query_row(select, [job], |row| row.get(0))?;
        unsigned(count, "job_rows", "row_number")
    }

    /// How many rows of a job came to each outcome, by outcome.
    ///
    /// # Errors
    /// The database refuses.
    pub fn job_outcomes(&self, job: i64) -> Result<Vec<(String, u64)>, RecordsError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT outcome, COUNT(*) FROM job_rows WHERE job = ?1 GROUP BY outcome
             ORDER BY outcome",
        )?;
        let rows = statement.query_map([job], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)))?;
        rows.map(|row| {
            let (outcome, count) = row?;
            Ok((outcome, unsigned(count, "job_rows", "outcome")?))
        })
        .collect()
    }
}
