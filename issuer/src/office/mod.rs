//! The office at work: it declares, and keeps what it declared until the ledger has answered.
//!
//! Every act is one signed event. Record and outbox row are written in one transaction *before*
//! anything is sent; a crash at any later moment leaves a pending row, which
//! [`Office::send_pending`] sends again. A licence is `issuing` until its receipt is here.
//!
//! Out of scope: what the life cycle allows. That is the ledger's to say
//! (`zhao_spec::life::apply`), and the office passes its refusal on unchanged.

use rand::CryptoRng;
use zhao_spec::life::data::{Action, Note};
use zhao_spec::life::digest::{self, salted_digest};
use zhao_spec::life::event::Event;
use zhao_spec::life::record::{IssuerKey, Record, UnitState};
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::life::verb::Verb;
use zhao_spec::wire::{self, Hash, SignerError, UnixMillis, clip};

use crate::catalogue::Catalogue;
use crate::keys::{Keyring, Purpose, SigningKey};
use crate::records::{Entry, Records, Standing, Transaction, Unit, Words};
use crate::text;

mod authority;
mod build;
mod change;
mod client;
mod error;
mod issue;
mod replace;

pub use authority::{By, Grant, Measure, ProposalError, check_signatures, countersign, genesis};
pub use change::Act;
pub use client::{ClientError, LedgerClient, Submitted};
pub use error::{IssueError, OfficeError, UnitError};
pub use issue::{Issued, Outcome, Tally};
pub use replace::Replacement;

/// Events sent at once: a few seconds' work for the ledger, and little to lose with a connection.
const SEND: usize = 500;
/// A reason or basis in words, characters.
const GROUNDS_CHARS: usize = 1000;

/// An open office.
pub struct Office<C> {
    catalogue: Catalogue,
    client: C,
    keys: Keyring,
    records: Records,
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

/// An act that was declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// The event's identity.
    pub event: Hash,
    /// What became of it so far.
    pub standing: Standing,
    /// Its subject.
    pub subject: Hash,
    /// Why it is still pending, when the ledger could not be asked. It is sent again later.
    pub trouble: Option<ClientError>,
}

/// What sending brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Subjects of the licences that thereby were issued: see [`Office::issued`].
    pub licences: Vec<Hash>,
    /// Still waiting.
    pub pending: u64,
    /// Now in the log.
    pub receipted: u64,
    /// Refused for good.
    pub refused: u64,
    /// Why sending stopped before the end.
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
    /// Opens an office. Call [`Office::send_pending`] next: a crash may have left something.
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
            client,
            keys,
            records,
        })
    }

    /// The office's records, for reading.
    pub fn records(&self) -> &Records {
        &self.records
    }

    /// The catalogue.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// The ledger.
    pub fn client(&self) -> &C {
        &self.client
    }

    /// The ledger, for whoever drives it in the same process.
    pub fn client_mut(&mut self) -> &mut C {
        &mut self.client
    }

    /// The office's keys.
    pub fn keys_mut(&mut self) -> &mut Keyring {
        &mut self.keys
    }

    /// Sends everything whose fate is not known, oldest first. Sending twice is safe.
    ///
    /// # Errors
    /// The records. Trouble with the ledger is no error here: see [`Sent::trouble`].
    pub fn send_pending(&mut self, now: UnixMillis) -> Result<Sent, OfficeError> {
        self.send_after(0, now)
    }

    /// As [`Office::send_pending`], for rows of the outbox after `after`.
    fn send_after(&mut self, mut after: i64, now: UnixMillis) -> Result<Sent, OfficeError> {
        let mut sent = Sent::default();
        loop {
            let batch = self.records.pending(after, SEND)?;
            let Some(last) = batch.last() else { break };
            after = last.id;
            let (ids, events): (Vec<_>, Vec<Event>) = batch
                .into_iter()
                .map(|Entry { event, id, .. }| {
                    let licence = (event.verb() == Verb::Issued).then_some(event.subject);
                    ((id, licence), event)
                })
                .unzip();
            // A crash before this line leaves the rows pending: the ledger never saw them. A crash
            // after it leaves them pending too: the ledger answers the same events alike.
            let answers = match self.client.submit(events, now) {
                Ok(answers) if answers.len() == ids.len() => answers,
                Ok(answers) => {
                    let (actual, expected) = (answers.len(), ids.len());
                    let text = format!("{actual} answers to {expected} events");
                    sent.trouble = Some(ClientError::Protocol(text));
                    break;
                }
                Err(trouble) => {
                    sent.trouble = Some(trouble);
                    break;
                }
            };
            let transaction = self.records.begin()?;
            for ((id, licence), answer) in ids.into_iter().zip(answers) {
                let standing = match answer {
                    Submitted::Pending => Standing::Pending,
                    Submitted::Receipted { index, receipt } => {
                        sent.receipted += 1;
                        sent.licences.extend(licence);
                        Standing::Receipted { index, receipt }
                    }
                    Submitted::Refused { code, detail } => {
                        sent.refused += 1;
                        Standing::Refused {
                            code,
                            detail: clip_detail(&detail),
                        }
                    }
                };
                transaction.settle(id, &standing, now)?;
            }
            transaction.commit()?;
        }
        sent.pending = self.records.pending_count()?;
        Ok(sent)
    }

    /// Where the chain of `subject` ends: as the ledger says, or as it will be when everything
    /// pending is admitted. None: the subject does not exist.
    fn chain_end(&self, subject: &Hash) -> Result<Option<(u64, Hash)>, OfficeError> {
        let logged = self
            .client
            .record(subject)?
            .and_then(|record| record.chain_end());
        let pending = self.records.chain_end(subject)?;
        // At the same place the log is right: what is pending there was overtaken, or is the same.
        let seq = |end: Option<(u64, Hash)>| end.map(|(seq, _)| seq);
        Ok(if seq(pending) > seq(logged) {
            pending
        } else {
            logged
        })
    }

    /// Signs a statement, writes it down and sends it. `also` writes what belongs to it in the
    /// same transaction.
    fn declare<S: wire::Signer>(
        &mut self,
        statement: Statement,
        signer: Option<Hash>,
        secrets: &[S],
        words: &[Words],
        now: UnixMillis,
        also: impl FnOnce(&Transaction<'_>, i64) -> Result<(), OfficeError>,
    ) -> Result<Declared, OfficeError> {
        let end = self.chain_end(&statement.subject)?;
        let event = sign(self.records.origin(), statement, signer, secrets, end)?;
        let transaction = self.records.begin()?;
        let id = transaction.say(&event, words, now)?;
        also(&transaction, id)?;
        transaction.commit()?;
        self.declared(&event, id, now)
    }

    /// Sends what is pending and says what became of `event`.
    fn declared(
        &mut self,
        event: &Event,
        id: i64,
        now: UnixMillis,
    ) -> Result<Declared, OfficeError> {
        let sent = self.send_pending(now)?;
        let standing = self.records.said(id)?.standing;
        let trouble = sent.trouble.filter(|_| standing == Standing::Pending);
        Ok(Declared {
            event: event.id(),
            standing,
            subject: event.subject,
            trouble,
        })
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

/// A refusal's words are the ledger's own; still, they are not let grow without bound.
fn clip_detail(detail: &str) -> String {
    detail
        .chars()
        .filter(|c| !c.is_control())
        .take(512)
        .collect()
}

#[cfg(test)]
mod tests;
