//! The ledger as the office sees it, in the same process.

use std::cell::RefCell;

use zhao_issuer::office::{Batched, ClientError, LedgerClient, Submitted};
use zhao_ledger::read::{ReadError, Reader, View};
use zhao_ledger::replay::PREPARED_KEYS;
use zhao_ledger::sequence::{CommitError, Outcome};
use zhao_spec::life::apply::Refusal;
use zhao_spec::life::event::{Event, VerifiedEvent};
use zhao_spec::life::record::Record;
use zhao_spec::log::cose::CoseReceipt;
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::{Hash, Keys, UnixMillis};

use crate::engine::Engine;
use crate::failure::{Failure, args, because};

impl LedgerClient for Engine {
    fn origin(&self) -> &str {
        &self.origin
    }

    fn submit(&self, events: Vec<Event>, now: UnixMillis) -> Result<Vec<Submitted>, ClientError> {
        let mut answers: Vec<Option<Submitted>> = Vec::with_capacity(events.len());
        let mut verified = Vec::with_capacity(events.len());
        let mut ids = Vec::with_capacity(events.len());
        for event in events {
            let id = event.id();
            match event.verify_signatures() {
                Ok(event) => {
                    verified.push(event);
                    ids.push(id);
                    answers.push(None);
                }
                Err(refusal) => answers.push(Some(Submitted::Refused {
                    code: refusal.code().to_owned(),
                    detail: refusal.to_string(),
                })),
            }
        }
        let outcomes = self.commit(verified, now)?;
        let reader = self.reader();
        let view = reader.latest().map_err(unread)?;
        let mut outcomes = ids.iter().zip(outcomes);
        answers
            .into_iter()
            .map(|answer| match answer {
                Some(refused) => Ok(refused),
                None => {
                    let (id, outcome) = outcomes.next().expect("one outcome an event");
                    submitted(&view, id, outcome)
                }
            })
            .collect()
    }

    fn submit_batch(&self, events: Vec<Event>, now: UnixMillis) -> Result<Batched, ClientError> {
        let count = events.len();
        let checked = self.check(events.clone());
        let verified: Vec<VerifiedEvent> = checked.into_iter().flatten().collect();
        if verified.len() != count || count == 0 {
            // Whoever signed badly gets an answer of his own.
            return self.submit(events, now).map(Batched::Singly);
        }
        let outcomes = self.commit(verified, now)?;
        let first = match outcomes.first() {
            Some(Outcome::Accepted { index }) => *index,
            _ => return self.submit(events, now).map(Batched::Singly),
        };
        let together = outcomes.iter().zip(first.0..).all(|(outcome, at)| {
            let index = LeafIndex(at);
            *outcome == Outcome::Accepted { index }
        });
        if !together {
            // Now each is known: asked again, each is answered by itself.
            return self.submit(events, now).map(Batched::Singly);
        }
        let reader = self.reader();
        let view = reader.latest().map_err(unread)?;
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        let receipts = view.receipts(first, count).map_err(unread)?;
        Ok(Batched::Together(Box::new(receipts)))
    }

    fn record(&self, subject: &Hash) -> Result<Option<Record>, ClientError> {
        let reader = self.reader();
        let view = reader.latest().map_err(unread)?;
        Ok(view.placed(subject).map_err(unread)?.1)
    }
}

impl Engine {
    /// Looks at signatures. Keys met once are kept prepared by the thread that met them.
    fn check(&self, events: Vec<Event>) -> Vec<Result<VerifiedEvent, Refusal>> {
        thread_local! {
            static KEYS: RefCell<Keys> = RefCell::new(Keys::new(PREPARED_KEYS));
        }
        KEYS.with_borrow_mut(|keys| VerifiedEvent::check_all(events, keys))
    }

    fn commit(
        &self,
        events: Vec<VerifiedEvent>,
        now: UnixMillis,
    ) -> Result<Vec<Outcome>, ClientError> {
        self.sequencer()
            .commit(events, now)
            .map_err(|error| match error {
                CommitError::Backlog { .. } => ClientError::Busy(error.to_string()),
                _ => ClientError::Unreachable(error.to_string()),
            })
    }

    /// The COSE receipt of an event, under the published head.
    ///
    /// # Errors
    /// The event is not under it, or it cannot be read.
    pub(crate) fn cose_receipt(&self, event: &Hash) -> Result<CoseReceipt, Failure> {
        let reader = self.reader();
        let view = reader.latest().map_err(because("ledger", args![]))?;
        let signer = self.sequencer().receipt_signer();
        let made = signer.receipt(&view, event);
        made.map_err(because("ledger", args![]))
    }

    /// Reads and proves what is published.
    pub(crate) fn reader(&self) -> Reader {
        self.reader.clone()
    }
}

fn unread(error: ReadError) -> ClientError {
    ClientError::Protocol(error.to_string())
}

fn submitted(view: &View<'_>, id: &Hash, outcome: Outcome) -> Result<Submitted, ClientError> {
    match outcome {
        Outcome::Accepted { index } | Outcome::Duplicate { index } => {
            let receipt = view.receipt(id).map_err(unread)?;
            Ok(Submitted::Receipted {
                index,
                receipt: receipt.bytes(),
            })
        }
        Outcome::Pending { .. } => Ok(Submitted::Pending),
        Outcome::Refused(refusal) => Ok(Submitted::Refused {
            code: refusal.code().to_owned(),
            detail: refusal.to_string(),
        }),
    }
}
