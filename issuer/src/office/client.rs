//! The ledger, as the office sees it.

use std::sync::Arc;

use zhao_spec::file::Receipts;
use zhao_spec::life::event::Event;
use zhao_spec::life::record::Record;
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::{Hash, UnixMillis};

/// What the ledger says to one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Submitted {
    /// Taken and not published yet; asking again later is safe.
    Pending,
    /// In the log, under a published checkpoint.
    Receipted {
        /// Where.
        index: LeafIndex,
        /// The receipt (`zhao/v1 receipt`).
        receipt: Vec<u8>,
    },
    /// Inadmissible, and it will stay so.
    Refused {
        /// Stable code.
        code: String,
        /// In words.
        detail: String,
    },
}

/// What the ledger says to a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Batched {
    /// One answer an event, in their order.
    Singly(Vec<Submitted>),
    /// All are in the log, side by side in this order.
    Together(Box<Receipts>),
}

/// The ledger could not be asked, or did not answer as agreed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// It answered something that is no answer.
    #[error("the ledger did not answer as agreed: {0}")]
    Protocol(String),
    /// It takes no more for now.
    #[error("the ledger is busy: {0}")]
    Busy(String),
    /// It is out of reach.
    #[error("the ledger is out of reach: {0}")]
    Unreachable(String),
}

/// The one way from the office to the ledger.
///
/// After an error from [`LedgerClient::submit`] nobody knows whether the events arrived. The
/// office sends the same events again, and the ledger answers the same statement with the same
/// receipt, so nothing is done twice. Several threads may use one client at once.
pub trait LedgerClient {
    /// The log's origin.
    fn origin(&self) -> &str;

    /// Hands in signed events. The answers are in the order of the events, one each.
    ///
    /// # Errors
    /// The ledger cannot be asked, or does not answer as agreed.
    fn submit(&self, events: Vec<Event>, now: UnixMillis) -> Result<Vec<Submitted>, ClientError>;

    /// As [`LedgerClient::submit`]; the receipts of events that stand side by side may come
    /// together.
    ///
    /// # Errors
    /// As [`LedgerClient::submit`].
    fn submit_batch(&self, events: Vec<Event>, now: UnixMillis) -> Result<Batched, ClientError> {
        self.submit(events, now).map(Batched::Singly)
    }

    /// The record of a subject, none when it has none.
    ///
    /// # Errors
    /// As [`LedgerClient::submit`].
    fn record(&self, subject: &Hash) -> Result<Option<Record>, ClientError>;
}

impl<C: LedgerClient + ?Sized> LedgerClient for Box<C> {
    fn submit_batch(&self, events: Vec<Event>, now: UnixMillis) -> Result<Batched, ClientError> {
        (**self).submit_batch(events, now)
    }

    fn origin(&self) -> &str {
        (**self).origin()
    }

    fn submit(&self, events: Vec<Event>, now: UnixMillis) -> Result<Vec<Submitted>, ClientError> {
        (**self).submit(events, now)
    }

    fn record(&self, subject: &Hash) -> Result<Option<Record>, ClientError> {
        (**self).record(subject)
    }
}

impl<C: LedgerClient + ?Sized> LedgerClient for Arc<C> {
    fn origin(&self) -> &str {
        (**self).origin()
    }

    fn submit_batch(&self, events: Vec<Event>, now: UnixMillis) -> Result<Batched, ClientError> {
        (**self).submit_batch(events, now)
    }

    fn submit(&self, events: Vec<Event>, now: UnixMillis) -> Result<Vec<Submitted>, ClientError> {
        (**self).submit(events, now)
    }

    fn record(&self, subject: &Hash) -> Result<Option<Record>, ClientError> {
        (**self).record(subject)
    }
}
