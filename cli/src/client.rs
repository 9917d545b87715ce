//! The ledger as the office sees it, in the same process.

use zhao_issuer::office::{ClientError, LedgerClient, Submitted};
use zhao_ledger::read::{ReadError, Reader, View};
use zhao_ledger::sequence::{CommitError, Outcome};
use zhao_spec::life::event::Event;
use zhao_spec::life::record::Record;
use zhao_spec::wire::{Hash, UnixMillis};

use crate::engine::Engine;

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
        let outcomes = self
            .sequencer()
            .commit(verified, now)
            .map_err(|error| match error {
                CommitError::Backlog { .. } => ClientError::Busy(error.to_string()),
                _ => ClientError::Unreachable(error.to_string()),
            })?;
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

    fn record(&self, subject: &Hash) -> Result<Option<Record>, ClientError> {
        let reader = self.reader();
        let view = reader.latest().map_err(unread)?;
        Ok(view.placed(subject).map_err(unread)?.1)
    }
}

impl Engine {
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
