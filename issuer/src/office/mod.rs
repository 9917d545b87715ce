//! The office at work: it declares, and keeps what it declared until the ledger has answered.
//!
//! Every act is one signed event. *Declaring* checks and signs it and writes record and outbox row
//! in one transaction; *delivering* sends what waits and writes down the answers. A crash at any
//! moment leaves a pending row, which is sent again. A licence is `issuing` until its receipt is
//! here. How a command and how a server use the two is said in [`delivery`].
//!
//! Out of scope: what the life cycle allows. That is the ledger's to say
//! (`zhao_spec::life::apply`), and the office passes its refusal on unchanged.

use std::sync::Arc;

use rand::CryptoRng;
use zhao_spec::life::data::{Action, Note};
use zhao_spec::life::digest::{self, salted_digest};
use zhao_spec::life::event::Event;
use zhao_spec::life::record::{IssuerKey, Record, UnitState};
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::wire::{self, Hash, SignerError, UnixMillis, clip};

use crate::catalogue::Catalogue;
use crate::intake::{NoRegisters, Registry};
use crate::keys::{Keyring, Purpose, SigningKey};
use crate::records::{ChainMark, Records, Standing, Transaction, Unit, Words};
use crate::text;

mod authority;
mod build;
pub mod bulk;
mod change;
mod client;
pub mod delivery;
mod error;
mod form;
mod issue;
mod lists;
mod publish;
mod replace;
mod round;

pub use authority::{By, Grant, Measure, ProposalError, check_signatures, countersign, genesis};
pub use bulk::{Bulk, RowOutcome};
pub use change::Act;
pub use client::{Batched, ClientError, LedgerClient, Submitted};
pub use delivery::{Delivery, Pace, Sent, Ticket};
pub use error::{IssueError, OfficeError, UnitError};
pub use form::{Form, FormError, FormOptions};
pub use issue::{Issued, Outcome, Tally};
pub use publish::{Edition, PublishError};
pub use replace::Replacement;

/// Events that may wait for the ledger, unless [`Office::limit_outbox`] says otherwise: some GB of
/// records, and hours of a large city's work.
const OUTBOX: u64 = 2_000_000;
/// How far the clock may step back, milliseconds: what the ledger bears.
const CLOCK_BACK_MILLIS: u64 = 3_600_000;
/// How often the end of a chain is looked at anew because another process changed it meanwhile.
const TURNS: usize = 8;
/// A reason or basis in words, characters.
const GROUNDS_CHARS: usize = 1000;

/// An open office.
pub struct Office<C> {
    catalogue: Catalogue,
    client: Arc<C>,
    delivery: Arc<Delivery>,
    keys: Keyring,
    outbox_limit: u64,
    records: Records,
    registers: Arc<dyn Registry>,
    remarks: issue::Remarks,
}

/// Why an act is done. Only salted digests of `basis` and `reason` leave the office.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grounds {
    /// The document it rests on.
    pub basis: Option<String>,
    /// A code in clear, for open types only.
    pub code: Option<String>,
    /// The reason in words.
    pub reason: Option<String>,
}

/// An act that was declared: signed and written down, and not sent by that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// The event's identity.
    pub event: Hash,
    /// Row of the outbox: see [`Office::finish`] and [`Office::ticket`].
    pub id: i64,
    /// What became of it so far.
    pub standing: Standing,
    /// Its subject.
    pub subject: Hash,
    /// Why it is still pending, when the ledger could not be asked. It is sent again later.
    pub trouble: Option<ClientError>,
}

/// Who signs for a unit.
struct Signer {
    secret: SigningKey,
    /// The unit's subject key.
    subject: Hash,
    unit: Unit,
}

/// Everything about an event but its place in a chain and its signatures.
#[derive(Clone)]
struct Statement {
    action: Action,
    effective: UnixMillis,
    subject: Hash,
}

impl<C> std::fmt::Debug for Office<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Office({})", self.records.origin())
    }
}

impl<C: LedgerClient> Office<C> {
    /// Opens an office. Call [`Office::deliver`] next, or run its [`Delivery`]: a crash may have
    /// left something.
    ///
    /// # Errors
    /// The records belong to another log than the ledger's.
    pub fn open(
        records: Records,
        keys: Keyring,
        catalogue: Catalogue,
        client: C,
    ) -> Result<Self, OfficeError> {
        if records.origin() != client.origin() {
            return Err(OfficeError::Origin {
                records: clip(records.origin()),
                ledger: clip(client.origin()),
            });
        }
        Ok(Self {
            catalogue,
            client: Arc::new(client),
            delivery: Arc::new(Delivery::new(Pace::default())),
            keys,
            outbox_limit: OUTBOX,
            records,
            registers: Arc::new(NoRegisters),
            remarks: issue::Remarks::new(),
        })
    }

    /// From now on compares what types' entries name with these registers.
    pub fn use_registers(&mut self, registers: Box<dyn Registry>) {
        self.registers = registers.into();
    }

    /// The office's records, for reading.
    pub fn records(&self) -> &Records {
        &self.records
    }

    /// The office's records, for what does not concern the ledger.
    pub fn records_mut(&mut self) -> &mut Records {
        &mut self.records
    }

    /// Who acts from now on: the name is kept with everything that is declared (STA-05).
    pub fn acting(&mut self, operator: Option<&str>) {
        self.records.acting(operator);
    }

    /// The catalogue.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// The ledger.
    pub fn client(&self) -> &C {
        &self.client
    }

    /// The ledger, for whoever must not hold the office while asking it.
    pub fn shared_client(&self) -> Arc<C> {
        Arc::clone(&self.client)
    }

    /// How many events may wait for the ledger before nothing more is declared.
    pub fn limit_outbox(&mut self, events: u64) {
        self.outbox_limit = events;
    }

    /// The office's keys.
    pub fn keys_mut(&mut self) -> &mut Keyring {
        &mut self.keys
    }

    /// Where the chain of `subject` ends: as the ledger says, or as it will be when everything
    /// pending is admitted. None: the subject does not exist.
    ///
    /// The records are read first: what is settled meanwhile is in the ledger by then.
    fn chain_end(&self, subject: &Hash) -> Result<(ChainMark, Option<(u64, Hash)>), OfficeError> {
        let mark = self.records.chain_mark(subject)?;
        let said = self.records.last_link(subject)?;
        let logged = self
            .client
            .record(subject)?
            .and_then(|record| record.chain_end());
        let Some(said) = said else {
            return Ok((mark, logged));
        };
        let Some((seq, latest)) = logged else {
            return Ok((mark, Some((said.seq, said.leaf_hash))));
        };
        // At the same place the log is right: what is pending there was overtaken, or is the same.
        if said.seq <= seq {
            return Ok((mark, logged));
        }
        // What waits and does not follow from what is in the log will be refused, and all that was
        // built on it.
        let overtaken = match self.records.pending_link(subject, seq)? {
            Some(link) if link.seq == seq => link.leaf_hash != latest,
            Some(link) if Some(link.seq) == seq.checked_add(1) => link.prev != Some(latest),
            _ => false,
        };
        let end = (said.seq, said.leaf_hash);
        Ok((mark, if overtaken { logged } else { Some(end) }))
    }

    /// Signs a statement and writes it down; nothing is sent. `also` writes what belongs to it in
    /// the same transaction.
    fn declare<S: wire::Signer>(
        &mut self,
        statement: Statement,
        signer: Option<Hash>,
        secrets: &[S],
        words: &[Words],
        now: UnixMillis,
        also: impl FnOnce(&Transaction<'_>, i64) -> Result<(), OfficeError>,
    ) -> Result<Declared, OfficeError> {
        self.check_room(1)?;
        let time = self.time(now)?;
        let mut statement = statement;
        if statement.effective == now {
            statement.effective = time;
        }
        let subject = statement.subject;
        for _ in 0..TURNS {
            let (mark, end) = self.chain_end(&subject)?;
            let origin = self.records.origin();
            let event = sign(origin, statement.clone(), signer, secrets, end)?;
            let transaction = self.records.begin()?;
            // Another process's office, on the same records: look again at where the chain ends.
            if transaction.chain_mark(&subject)? != mark {
                continue;
            }
            let id = transaction.say(&event, words, time)?;
            also(&transaction, id)?;
            // A crash before this leaves nothing said; after it, a pending row that is sent later.
            transaction.commit()?;
            self.delivery.said();
            return Ok(Declared {
                event: event.id(),
                id,
                standing: Standing::Pending,
                subject,
                trouble: None,
            });
        }
        Err(OfficeError::Conflict { subject })
    }

    /// Whether `more` events may be written down.
    fn check_room(&self, more: u64) -> Result<(), OfficeError> {
        let limit = self.outbox_limit;
        match self.records.pending_above(limit.saturating_sub(more))? {
            0 => Ok(()),
            waiting => Err(OfficeError::OutboxFull { waiting, limit }),
        }
    }

    /// The time of what is declared: not before what was declared last, if the clock stepped back
    /// by no more than the ledger bears.
    ///
    /// # Errors
    /// A clock that is further back.
    fn time(&self, now: UnixMillis) -> Result<UnixMillis, OfficeError> {
        let Some(last) = self.records.last_said()? else {
            return Ok(now);
        };
        let time = not_before(last, now);
        if time < last {
            return Err(OfficeError::Clock { now, last });
        }
        Ok(time)
    }

    /// The key that signs for the unit now, whatever the type: for statements about what the log
    /// says, which are no acts and stand in no log.
    ///
    /// # Errors
    /// Not one of this office's units, not in the log, suspended, or without a key in force.
    pub fn unit_key(&mut self, unit: &str) -> Result<SigningKey, OfficeError> {
        Ok(self.signer(unit, None)?.secret)
    }

    /// Who signs for the unit now: the newest of its keys that is in force and, if a type is
    /// named, may issue it.
    fn signer(&mut self, unit: &str, type_code: Option<&str>) -> Result<Signer, OfficeError> {
        let unit_row = self
            .records
            .unit(unit)?
            .ok_or_else(|| UnitError::Unknown { unit: clip(unit) })?;
        let subject = subject_key(self.records.origin(), Kind::Issuer, unit);
        let record = match self.client.record(&subject)? {
            Some(Record::Issuer(record)) => record,
            _ => {
                return Err(UnitError::Unlogged {
                    unit: unit.to_owned(),
                }
                .into());
            }
        };
        if record.state == UnitState::Suspended {
            return Err(UnitError::Suspended {
                unit: unit.to_owned(),
            }
            .into());
        }
        let in_force = |key: &IssuerKey| key.until.is_none() && key.compromised_from.is_none();
        let keys: Vec<_> = self
            .records
            .unit_keys(unit)?
            .into_iter()
            .filter_map(|key| {
                let entry = record.key(&key.public).filter(|entry| in_force(entry))?;
                Some((key.name, entry.types.clone()))
            })
            .collect();
        if keys.is_empty() {
            return Err(UnitError::NoKey {
                unit: unit.to_owned(),
            }
            .into());
        }
        let chosen = keys.into_iter().find(|(_, types)| {
            type_code.is_none_or(|code| types.iter().any(|grant| grant.type_code == code))
        });
        let Some((name, _)) = chosen else {
            return Err(IssueError::TypeNotGranted {
                unit: unit.to_owned(),
                type_code: type_code.unwrap_or_default().to_owned(),
            }
            .into());
        };
        let secret = self.keys.signing(&name, Purpose::Unit)?;
        Ok(Signer {
            secret,
            subject,
            unit: unit_row,
        })
    }
}

/// A signed event at the end of its subject's chain.
fn sign<S: wire::Signer>(
    origin: &str,
    statement: Statement,
    signer: Option<Hash>,
    secrets: &[S],
    end: Option<(u64, Hash)>,
) -> Result<Event, SignerError> {
    let mut event = Event {
        action: statement.action,
        effective: statement.effective,
        origin: origin.to_owned(),
        prev: end.map(|(_, latest)| latest),
        seq: end.map_or(0, |(seq, _)| seq.saturating_add(1)),
        signatures: Vec::new(),
        signer,
        subject: statement.subject,
    };
    for secret in secrets {
        event.sign_with(secret)?;
    }
    Ok(event)
}

impl Grounds {
    /// The digests for the event, and the words and salts for the records.
    fn digest(&self, rng: &mut dyn CryptoRng) -> Result<(Note, Vec<Words>), OfficeError> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if let Some(code) = &self.code
            && !((1..=32).contains(&code.len()) && code.bytes().all(plain))
        {
            return Err(OfficeError::Code { actual: clip(code) });
        }
        let mut words = Vec::new();
        let mut salted = |kind, tag, text: &Option<String>| -> Result<_, OfficeError> {
            match text {
                None => Ok(None),
                Some(text) => {
                    let text = text::required(text, GROUNDS_CHARS)
                        .map_err(|source| OfficeError::Grounds { what: kind, source })?;
                    let mut salt = [0; 32];
                    rng.fill_bytes(&mut salt);
                    let digest = salted_digest(tag, &salt, &text);
                    words.push(Words { kind, salt, text });
                    Ok(Some(digest))
                }
            }
        };
        let basis = salted("basis", digest::Words::Basis, &self.basis)?;
        let reason = salted("reason", digest::Words::Reason, &self.reason)?;
        Ok((
            Note {
                basis,
                code: self.code.clone(),
                reason,
            },
            words,
        ))
    }
}

/// The time, unless the clock stepped back behind `last` by no more than the ledger bears.
fn not_before(last: UnixMillis, now: UnixMillis) -> UnixMillis {
    if last.since(now) > CLOCK_BACK_MILLIS {
        return now;
    }
    now.max(last)
}

#[cfg(test)]
mod tests;
