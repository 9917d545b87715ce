//! An office's ledger in the same process, for tests over a real sequencer.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use zhao_issuer::fsck;
use zhao_issuer::office::{Batched, ClientError, LedgerClient, Submitted};
use zhao_ledger::read::{Reader, View};
use zhao_ledger::sequence::{Outcome, Sequencer};
use zhao_ledger::store::layout::Heads;
use zhao_ledger::store::{self, Store};
use zhao_spec::life::apply::Refusal;
use zhao_spec::life::event::Event;
use zhao_spec::life::record::Record;
use zhao_spec::log::checkpoint::Checkpoint;
use zhao_spec::log::note::SignedNote;
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::{Hash, UnixMillis};

use crate::machine::ORIGIN;

/// What is done around a submission: gets the events and a way to hand them in, changes them, hands
/// them in or not, and loses the answer or not.
pub type Around =
    Box<dyn Fn(&mut Vec<Event>, &mut dyn FnMut(&[Event])) -> Result<(), ClientError> + Send + Sync>;

/// What became of each event, and who signed badly.
type Judged = Vec<Result<Outcome, Refusal>>;

/// A ledger as the office sees it.
pub struct Client {
    around: Around,
    reader: Reader,
    sequencer: Mutex<Sequencer>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

fn unread(error: impl fmt::Display) -> ClientError {
    ClientError::Protocol(error.to_string())
}

impl Client {
    /// The office's end of this sequencer.
    #[must_use]
    pub fn new(sequencer: Sequencer, around: Around) -> Self {
        Self {
            around,
            reader: sequencer.reader(),
            sequencer: Mutex::new(sequencer),
        }
    }

    /// Reads what is published.
    #[must_use]
    pub fn reader(&self) -> Reader {
        self.reader.clone()
    }

    fn commit(&self, mut events: Vec<Event>, now: UnixMillis) -> Result<Judged, ClientError> {
        let mut judged = None;
        (self.around)(&mut events, &mut |events| {
            judged = Some(self.judge(events, now));
        })?;
        judged.unwrap_or_else(|| Err(ClientError::Unreachable("not sent".to_owned())))
    }

    fn judge(&self, events: &[Event], now: UnixMillis) -> Result<Judged, ClientError> {
        let checked: Vec<_> = events
            .iter()
            .map(|event| event.clone().verify_signatures())
            .collect();
        let verified = checked.iter().filter_map(|event| event.as_ref().ok());
        let verified = verified.cloned().collect();
        let sequencer = self.sequencer.lock();
        let mut sequencer = sequencer.unwrap_or_else(PoisonError::into_inner);
        let outcomes = sequencer
            .commit(verified, now)
            .map_err(|error| ClientError::Unreachable(error.to_string()))?;
        let mut outcomes = outcomes.into_iter();
        let outcome = |checked: Result<_, Refusal>| {
            checked.map(|_| outcomes.next().expect("one outcome an event"))
        };
        Ok(checked.into_iter().map(outcome).collect())
    }

    fn answers(&self, ids: &[Hash], judged: Judged) -> Result<Vec<Submitted>, ClientError> {
        let view = self.reader.latest().map_err(unread)?;
        let refused = |refusal: Refusal| Submitted::Refused {
            code: refusal.code().to_owned(),
            detail: refusal.to_string(),
        };
        let answer = |(id, outcome): (&Hash, Result<Outcome, Refusal>)| match outcome {
            Ok(Outcome::Accepted { index } | Outcome::Duplicate { index }) => {
                let receipt = view.receipt(id).map_err(unread)?.bytes();
                Ok(Submitted::Receipted { index, receipt })
            }
            Ok(Outcome::Pending { .. }) => Ok(Submitted::Pending),
            Ok(Outcome::Refused(refusal)) | Err(refusal) => Ok(refused(refusal)),
        };
        ids.iter().zip(judged).map(answer).collect()
    }
}

impl LedgerClient for Client {
    fn origin(&self) -> &str {
        ORIGIN
    }

    fn submit(&self, events: Vec<Event>, now: UnixMillis) -> Result<Vec<Submitted>, ClientError> {
        let ids: Vec<Hash> = events.iter().map(Event::id).collect();
        let outcomes = self.commit(events, now)?;
        self.answers(&ids, outcomes)
    }

    fn submit_batch(&self, events: Vec<Event>, now: UnixMillis) -> Result<Batched, ClientError> {
        let ids: Vec<Hash> = events.iter().map(Event::id).collect();
        let outcomes = self.commit(events, now)?;
        let first = match outcomes.first() {
            Some(Ok(Outcome::Accepted { index })) => Some(*index),
            _ => None,
        };
        if let Some(first) = first
            && outcomes.iter().zip(first.0..).all(|(outcome, at)| {
                let index = LeafIndex(at);
                *outcome == Ok(Outcome::Accepted { index })
            })
        {
            let view = self.reader.latest().map_err(unread)?;
            let count = u64::try_from(ids.len()).unwrap_or(u64::MAX);
            let receipts = view.receipts(first, count).map_err(unread)?;
            return Ok(Batched::Together(Box::new(receipts)));
        }
        self.answers(&ids, outcomes).map(Batched::Singly)
    }

    fn record(&self, subject: &Hash) -> Result<Option<Record>, ClientError> {
        let view = self.reader.latest().map_err(unread)?;
        Ok(view.placed(subject).map_err(unread)?.1)
    }
}

/// The published part of a log, for fsck.
pub struct Published<'a> {
    /// Its database.
    pub store: &'a dyn Store,
    /// Its newest published state.
    pub view: &'a View<'a>,
}

impl fmt::Debug for Published<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Published")
    }
}

impl fsck::Log for Published<'_> {
    fn size(&self) -> Result<u64, ClientError> {
        Ok(self.view.size().0)
    }

    fn leaf(&self, index: LeafIndex) -> Result<Vec<u8>, ClientError> {
        self.view.leaf(index).map_err(unread)
    }

    fn record(&self, subject: &Hash) -> Result<Option<Record>, ClientError> {
        Ok(self.view.placed(subject).map_err(unread)?.1)
    }

    fn published_root(&self, size: u64) -> Result<Option<Hash>, ClientError> {
        let note = store::read::<Heads>(self.store, &size).map_err(unread)?;
        let Some(note) = note else { return Ok(None) };
        let note = std::str::from_utf8(&note).map_err(unread)?;
        let note = SignedNote::parse(note).map_err(unread)?;
        let checkpoint = Checkpoint::parse(note.text()).map_err(unread)?;
        Ok(Some(checkpoint.root))
    }
}
