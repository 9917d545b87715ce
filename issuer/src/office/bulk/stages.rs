//! The stages in the thread that has the records: assign, write, settle.

use std::sync::Arc;

use zhao_spec::life::event::Event;
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::UnixMillis;

use super::counters::Counters;
use super::work::{Made, Wanted};
use super::{Flying, Going, RowOutcome, SentChunk, Step};
use crate::catalogue::Catalogue;
use crate::intake::{Request, RowError};
use crate::office::build::{self, Assigned};
use crate::office::issue::Asked;
use crate::office::{Batched, ClientError, IssueError, OfficeError, Submitted};
use crate::records::{Standing, Transaction};

/// The stage `assign` of one chunk.
pub(super) struct Assigning<'a> {
    pub(super) transaction: &'a Transaction<'a>,
    pub(super) catalogue: &'a Catalogue,
    pub(super) asked: &'a Asked,
    pub(super) flying: &'a mut Flying,
    pub(super) counters: Counters,
    pub(super) dry_run: bool,
    pub(super) now: UnixMillis,
}

impl Assigning<'_> {
    pub(super) fn row(
        &mut self,
        request: Result<Request, RowError>,
    ) -> Result<Wanted, OfficeError> {
        let refused = |error: IssueError| Ok(Wanted::Done(RowOutcome::Refused(Box::new(error))));
        let request = match request {
            Ok(request) => request,
            Err(error) => return refused(error.into()),
        };
        let unit = request.unit.as_str();
        if let Some(reference) = &request.reference {
            let key = (unit.to_owned(), reference.clone());
            if self.flying.references.contains(&key) {
                let (unit, reference) = key;
                return Ok(Wanted::Twice { unit, reference });
            }
            if let Some(earlier) = self.transaction.with_reference(unit, reference)? {
                return Ok(Wanted::Done(RowOutcome::Repeated(Box::new(earlier))));
            }
        }
        let entry = self.catalogue.entry(request.type_code.as_str())?;
        let signer = match self.asked.signer(&request, entry) {
            Ok(signer) => Arc::clone(signer),
            Err(error) => return refused(error),
        };
        let assigned = match self.assign(&request) {
            Ok(assigned) => assigned,
            Err(OfficeError::Issue(error)) => return refused(error),
            Err(fatal) => return Err(fatal),
        };
        if let Some(reference) = &request.reference {
            let key = (request.unit.as_str().to_owned(), reference.clone());
            self.flying.references.insert(key);
        }
        if self.dry_run {
            return Ok(Wanted::Done(RowOutcome::Possible));
        }
        self.flying.numbers.insert(
            number_key(&request, &assigned.number),
            assigned.identifier.to_string(),
        );
        Ok(Wanted::Compose {
            assigned: Box::new(assigned),
            request: Box::new(request),
            signer,
        })
    }

    fn assign(&mut self, request: &Request) -> Result<Assigned, OfficeError> {
        let entry = self.catalogue.entry(request.type_code.as_str())?;
        let (transaction, flying) = (self.transaction, &*self.flying);
        let counters = &mut self.counters;
        let identifier = build::new_identifier(entry, &request.unit, self.now, |year| {
            let (unit, code) = (request.unit.as_str(), entry.type_code.as_str());
            counters.next(transaction, unit, code, "serial", year)
        })?;
        let number = build::new_number(
            entry,
            request,
            |purpose, year| {
                let (unit, code) = (request.unit.as_str(), entry.type_code.as_str());
                counters.next(transaction, unit, code, purpose, year)
            },
            |number| {
                let key = number_key(request, number);
                if let Some(identifier) = flying.numbers.get(&key) {
                    return Ok(Some(identifier.clone()));
                }
                let (unit, code) = (request.unit.as_str(), entry.type_code.as_str());
                let taken = transaction.with_number(unit, code, number)?;
                Ok(taken.map(|licence| licence.identifier))
            },
        )?;
        Ok(Assigned { identifier, number })
    }
}

fn number_key(request: &Request, number: &str) -> (String, String, String) {
    let unit = request.unit.as_str().to_owned();
    (
        unit,
        request.type_code.as_str().to_owned(),
        number.to_owned(),
    )
}

/// The stage `write` of one chunk.
pub(super) fn write(
    transaction: &Transaction<'_>,
    made: Vec<(u64, Made)>,
    flying: &mut Flying,
    job: Option<i64>,
    now: UnixMillis,
) -> Result<(SentChunk, Vec<Event>), OfficeError> {
    let (mut rows, mut events) = (Vec::with_capacity(made.len()), Vec::new());
    let (mut ids, mut leaves) = (Vec::new(), Vec::new());
    for (row, made) in made {
        let step = match made {
            Made::Done(outcome) => Step::Done(outcome),
            Made::Twice { unit, reference } => Step::Twice { unit, reference },
            Made::Failed { request, error } => {
                forget(flying, &request, None);
                match error {
                    OfficeError::Issue(error) => Step::Done(RowOutcome::Refused(Box::new(error))),
                    fatal => return Err(fatal),
                }
            }
            Made::Composed { composed, request } => {
                forget(flying, &request, Some(&composed.assigned.number));
                let id = build::write(transaction, &request, None, &composed, &[], now)?;
                if let Some(job) = job {
                    super::jobs::note(transaction, job, row, &request, id)?;
                }
                ids.push(id);
                leaves.push(composed.event.leaf_hash());
                events.push(composed.event.clone());
                Step::Going(Box::new(Going {
                    request: *request,
                    composed: *composed,
                }))
            }
        };
        rows.push((row, step));
    }
    // What came twice finds its first by now, unless that could not be signed.
    for (_, step) in &mut rows {
        if let Step::Twice { unit, reference } = step
            && let Some(earlier) = transaction.with_reference(unit, reference)?
        {
            *step = Step::Done(RowOutcome::Repeated(Box::new(earlier)));
        }
    }
    let side_by_side = ids
        .windows(2)
        .all(|pair| matches!(pair, [a, b] if a + 1 == *b));
    let sent = SentChunk {
        first: ids.first().copied().filter(|_| side_by_side),
        rows,
        ids,
        leaves,
    };
    Ok((sent, events))
}

fn forget(flying: &mut Flying, request: &Request, number: Option<&str>) {
    if let Some(reference) = &request.reference {
        let key = (request.unit.as_str().to_owned(), reference.clone());
        flying.references.remove(&key);
    }
    if let Some(number) = number {
        flying.numbers.remove(&number_key(request, number));
    }
}

/// The stage `settle` of one chunk.
pub(super) fn settle(
    transaction: &Transaction<'_>,
    sent: SentChunk,
    batched: Result<Batched, ClientError>,
    now: UnixMillis,
) -> Result<Vec<(u64, RowOutcome)>, OfficeError> {
    let mut standings: Vec<Standing> = Vec::with_capacity(sent.ids.len());
    match batched {
        Ok(Batched::Together(receipts)) if receipts.check(&sent.leaves).is_ok() => {
            let first = receipts.first.0;
            let whole = match sent.first {
                Some(row) => transaction.settle_batch(row, &sent.leaves, &receipts, now)?,
                None => false,
            };
            for (at, id) in (first..).zip(&sent.ids) {
                let index = LeafIndex(at);
                let standing = Standing::Receipted {
                    index,
                    receipt: Vec::new(),
                };
                if !whole {
                    // Written singly, each with a receipt of its own.
                    let going = sent.rows.iter().filter_map(|(_, step)| match step {
                        Step::Going(going) => Some(&going.composed.event),
                        _ => None,
                    });
                    let at = usize::try_from(at.saturating_sub(first)).unwrap_or(usize::MAX);
                    if let Some(event) = going.skip(at).take(1).next()
                        && let Ok(receipt) = receipts.receipt(event.clone(), index, &sent.leaves)
                    {
                        let receipt = receipt.bytes();
                        let own = Standing::Receipted { index, receipt };
                        transaction.settle(*id, &own, now)?;
                    }
                }
                standings.push(standing);
            }
        }
        Ok(Batched::Singly(answers)) if answers.len() == sent.ids.len() => {
            for (id, answer) in sent.ids.iter().zip(answers) {
                let standing = match answer {
                    Submitted::Pending => Standing::Pending,
                    Submitted::Receipted { index, receipt } => {
                        Standing::Receipted { index, receipt }
                    }
                    Submitted::Refused { code, detail } => Standing::Refused { code, detail },
                };
                transaction.settle(*id, &standing, now)?;
                standings.push(standing);
            }
        }
        // Trouble, or an answer to something else: all of it is still pending.
        _ => standings.resize(sent.ids.len(), Standing::Pending),
    }
    let mut standings = standings.into_iter();
    let mut outcomes = Vec::with_capacity(sent.rows.len());
    for (row, step) in sent.rows {
        let outcome = match step {
            Step::Done(outcome) => outcome,
            Step::Twice { reference, .. } => {
                RowOutcome::Refused(Box::new(IssueError::FirstNotIssued {
                    reference: zhao_spec::wire::clip(&reference),
                }))
            }
            Step::Going(going) => {
                let Going { composed, request } = *going;
                drop(request);
                let subject = composed.event.subject;
                match standings.next().unwrap_or(Standing::Pending) {
                    Standing::Pending => RowOutcome::Pending { id: composed.id },
                    Standing::Receipted { index, .. } => RowOutcome::Issued {
                        credential: composed.credential,
                        id: composed.id,
                        index,
                        subject,
                    },
                    Standing::Refused { code, detail } => {
                        RowOutcome::Refused(Box::new(IssueError::Ledger { code, detail }))
                    }
                }
            }
        };
        outcomes.push((row, outcome));
    }
    Ok(outcomes)
}
