//! One way through the outbox: which rows go together, and what the answers settle.

use zhao_spec::life::event::Event;
use zhao_spec::life::verb::Verb;
use zhao_spec::wire::UnixMillis;

use super::delivery::{PREDECESSOR_REFUSED, Sent};
use super::{ClientError, LedgerClient, Office, OfficeError, Submitted};
use crate::records::{Outgoing, Standing, Transaction};

/// Rows that are sent together.
pub(super) struct Batch(Vec<Outgoing>);

impl Batch {
    pub(super) fn events(&self) -> Vec<Event> {
        self.0.iter().map(|row| row.event.clone()).collect()
    }

    /// The time of the submission: not before the rows were written, whatever the clock does. The
    /// ledger would refuse for good what takes effect later than it is recorded.
    pub(super) fn time(&self, now: UnixMillis) -> UnixMillis {
        let newest = self.0.iter().map(|row| row.created).max();
        newest.map_or(now, |newest| super::not_before(newest, now))
    }
}

/// One way through the outbox.
pub(super) struct Round {
    after: i64,
    limit: usize,
    /// Rows that the ledger has, but has not published.
    unpublished: u64,
    sent: Sent,
}

impl Round {
    pub(super) fn new(after: i64, limit: usize) -> Self {
        Self {
            after,
            limit,
            unpublished: 0,
            sent: Sent::default(),
        }
    }

    /// The next rows to send; none at the end, and none after trouble.
    pub(super) fn next<C: LedgerClient>(
        &mut self,
        office: &mut Office<C>,
        now: UnixMillis,
    ) -> Result<Option<Batch>, OfficeError> {
        while self.sent.trouble.is_none() {
            let rows = office.records.outgoing(self.after, self.limit)?;
            let Some(last) = rows.last() else { break };
            self.after = last.id;
            let (mut fit, mut unfit) = (Vec::with_capacity(rows.len()), Vec::new());
            for row in rows {
                match office.records.refused_before(&row.event)? {
                    None => fit.push(row),
                    Some(before) => unfit.push((row, before)),
                }
            }
            self.refuse(office, unfit, now)?;
            if !fit.is_empty() {
                return Ok(Some(Batch(fit)));
            }
        }
        Ok(None)
    }

    /// Settles rows that were built on refused ones, and what was built on them.
    fn refuse<C: LedgerClient>(
        &mut self,
        office: &mut Office<C>,
        unfit: Vec<(Outgoing, (i64, String))>,
        now: UnixMillis,
    ) -> Result<(), OfficeError> {
        if unfit.is_empty() {
            return Ok(());
        }
        let transaction = office.records.begin()?;
        let mut settled = Vec::new();
        for (row, before) in unfit {
            let standing = refused_after(&before);
            transaction.settle(row.id, &standing, now)?;
            settled.push((row, standing));
        }
        cascade(&transaction, &mut settled, now)?;
        transaction.commit()?;
        self.count(office, settled);
        Ok(())
    }

    /// Writes down what the ledger said. A crash before this leaves the rows pending: whether the
    /// ledger saw them or not, it answers the same events alike.
    pub(super) fn settle<C: LedgerClient>(
        &mut self,
        office: &mut Office<C>,
        batch: Batch,
        answers: Result<Vec<Submitted>, ClientError>,
        now: UnixMillis,
    ) -> Result<(), OfficeError> {
        let answers = match answers {
            Ok(answers) if answers.len() == batch.0.len() => answers,
            Ok(answers) => {
                let (actual, expected) = (answers.len(), batch.0.len());
                let text = format!("{actual} answers to {expected} events");
                self.sent.trouble = Some(ClientError::Protocol(text));
                return Ok(());
            }
            Err(trouble) => {
                self.sent.trouble = Some(trouble);
                return Ok(());
            }
        };
        let transaction = office.records.begin()?;
        let mut settled = Vec::with_capacity(answers.len());
        for (row, answer) in batch.0.into_iter().zip(answers) {
            let standing = match answer {
                Submitted::Pending => {
                    self.unpublished += 1;
                    continue;
                }
                Submitted::Receipted { index, receipt } => Standing::Receipted { index, receipt },
                // The ledger can only say that it follows nothing.
                Submitted::Refused { code, detail } => {
                    match transaction.refused_before(&row.event)? {
                        Some(before) => refused_after(&before),
                        None => Standing::Refused {
                            code: clip_detail(&code),
                            detail: clip_detail(&detail),
                        },
                    }
                }
            };
            transaction.settle(row.id, &standing, now)?;
            settled.push((row, standing));
        }
        cascade(&transaction, &mut settled, now)?;
        transaction.commit()?;
        self.count(office, settled);
        Ok(())
    }

    fn count<C>(&mut self, office: &Office<C>, settled: Vec<(Outgoing, Standing)>) {
        for (row, standing) in &settled {
            match standing {
                Standing::Pending => {}
                Standing::Receipted { .. } => {
                    self.sent.receipted += 1;
                    if row.event.verb() == Verb::Issued {
                        self.sent.licences.push(row.event.subject);
                    }
                }
                Standing::Refused { .. } => self.sent.refused += 1,
            }
        }
        let settled = settled.into_iter();
        office
            .delivery
            .publish(settled.map(|(row, standing)| (row.id, standing)).collect());
    }

    pub(super) fn finish<C>(&mut self, office: &Office<C>) -> Result<Sent, OfficeError> {
        let mut sent = std::mem::take(&mut self.sent);
        sent.pending = office.records.pending_count()?;
        Ok(sent)
    }

    pub(super) fn is_stuck(&self, sent: &Sent) -> bool {
        sent.trouble.is_some() || self.unpublished > 0
    }
}

/// Settles as refused what was built on the refused among `settled`, and adds it there.
fn cascade(
    transaction: &Transaction<'_>,
    settled: &mut Vec<(Outgoing, Standing)>,
    now: UnixMillis,
) -> Result<(), OfficeError> {
    let mut at = 0;
    while let Some((row, standing)) = settled.get(at) {
        at += 1;
        let Standing::Refused { code, .. } = standing else {
            continue;
        };
        let before = (row.id, code.clone());
        for next in transaction.pending_after(&row.event)? {
            let standing = refused_after(&before);
            transaction.settle(next.id, &standing, now)?;
            settled.push((next, standing));
        }
    }
    Ok(())
}

fn refused_after((row, code): &(i64, String)) -> Standing {
    Standing::Refused {
        code: PREDECESSOR_REFUSED.to_owned(),
        detail: format!("it was built on the event in row {row}, which was refused: {code}"),
    }
}

/// A refusal's words are the ledger's own; still, they are not let grow without bound.
fn clip_detail(detail: &str) -> String {
    detail
        .chars()
        .filter(|c| !c.is_control())
        .take(512)
        .collect()
}
