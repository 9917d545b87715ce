//! What a pipeline has done, counted for whoever watches it.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::sequence::{CommitError, Outcome};

/// What was done since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totals {
    /// Commits that succeeded.
    pub batches: u64,
    /// Milliseconds spent in commits, from judged to published, by the clock of epochs.
    pub commit_millis: u64,
    /// Events logged, under a published head.
    pub accepted: u64,
    /// Events that were in the log already.
    pub duplicate: u64,
    /// Events logged that found no quorum at once.
    pub pending: u64,
    /// Events that the life cycle refused.
    pub refused: u64,
    /// Events whose signatures do not verify.
    pub unsigned: u64,
    /// Commits that failed.
    pub failed: u64,
}

/// The same, while it grows. Each number is exact; two of them may be of different moments.
#[derive(Debug, Default)]
pub(super) struct Counters {
    batches: AtomicU64,
    commit_millis: AtomicU64,
    accepted: AtomicU64,
    duplicate: AtomicU64,
    pending: AtomicU64,
    refused: AtomicU64,
    unsigned: AtomicU64,
    failed: AtomicU64,
}

fn add(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}

impl Counters {
    /// Counts a commit: what became of the events that were judged, how many were not because of
    /// their signatures, and how long it took.
    pub(super) fn count(
        &self,
        answered: &Result<Vec<Outcome>, CommitError>,
        unsigned: usize,
        millis: u64,
    ) {
        add(&self.unsigned, u64::try_from(unsigned).unwrap_or(u64::MAX));
        add(&self.commit_millis, millis);
        let Ok(outcomes) = answered else {
            add(&self.failed, 1);
            return;
        };
        add(&self.batches, 1);
        for outcome in outcomes {
            let counter = match outcome {
                Outcome::Accepted { .. } => &self.accepted,
                Outcome::Duplicate { .. } => &self.duplicate,
                Outcome::Pending { .. } => &self.pending,
                Outcome::Refused(_) => &self.refused,
            };
            add(counter, 1);
        }
    }

    /// The numbers now.
    pub(super) fn read(&self) -> Totals {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Totals {
            batches: read(&self.batches),
            commit_millis: read(&self.commit_millis),
            accepted: read(&self.accepted),
            duplicate: read(&self.duplicate),
            pending: read(&self.pending),
            refused: read(&self.refused),
            unsigned: read(&self.unsigned),
            failed: read(&self.failed),
        }
    }
}
