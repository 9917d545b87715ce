//! What several administrators sign apart: made here, signed anywhere, put together here.
//!
//! `spec/proposal.md` has the order of the checks. What a file says of the administrators is never
//! believed: who may sign, and how many must, is asked of the log.

use rand::CryptoRng;
use zhao_spec::file::Proposal;
use zhao_spec::id::{LicenceTypeCode, Uscc};
use zhao_spec::life::data::{Action, Administrators, KeyGrant, LogKey};
use zhao_spec::life::event::Event;
use zhao_spec::life::leaf::{Genesis, Leaf};
use zhao_spec::life::record::Record;
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::log::tree::{LeafIndex, TreeSize};
use zhao_spec::wire::{Hash, PublicKey, SignatureError, Signer, UnixMillis, clip, limits};

use super::super::{Declared, LedgerClient, Office, OfficeError};
use super::{Grant, NAME_CHARS, administrators, sorted};
use crate::keys::{Purpose, public_parts};
use crate::records::{RecordsError, Standing, Unit, UnitKey};
use crate::text;

/// What the administrators are asked to do.
#[derive(Clone, Debug)]
pub enum Measure<'a> {
    /// To make a unit; its first key is made now.
    AddUnit(Grant<'a>),
    /// To replace the administrators.
    ChangeAdministrators {
        /// All of the new ones, in any order.
        keys: Vec<PublicKey>,
        /// How many of them must sign.
        threshold: u64,
    },
    /// To declare a key compromised.
    CompromiseKey(&'a Uscc, PublicKey, LeafIndex),
    /// To put an announced key in force.
    ConfirmKey(&'a Uscc, PublicKey),
    /// To let a key issue more types.
    GrantTypes(&'a Uscc, PublicKey, &'a [LicenceTypeCode]),
    /// To announce a key, which is made now.
    ProposeKey(Grant<'a>),
    /// To put the catalogue's present entry in force.
    PublishType(&'a str),
    /// To let a unit sign again.
    ResumeUnit(&'a Uscc),
    /// To end a key.
    RetireKey(&'a Uscc, PublicKey),
    /// To end a type.
    RetireType(&'a str),
    /// To let another key sign the log's heads; it is made now, under this name.
    RotateLogKey {
        /// Heads of this size or more count only with its signature.
        from: TreeSize,
        /// Its name in the directory of keys.
        key_name: &'a str,
    },
    /// To keep a unit from signing.
    SuspendUnit(&'a Uscc),
    /// To drop an announced key.
    WithdrawProposal(&'a Uscc, PublicKey),
}

/// Why a proposal is not signed, or not handed to the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProposalError {
    /// What the file says of the administrators is not what the log says.
    #[error("the file's administrators are {actual}, the log's are {expected}")]
    Administrators {
        /// In the log's record: how many of how many, and the first key that differs.
        expected: String,
        /// In the file.
        actual: String,
    },
    /// The key has signed this proposal already.
    #[error("{key} has signed this proposal already")]
    AlreadySigned {
        /// The key.
        key: Box<PublicKey>,
    },
    /// The clock here is before the proposal was made: one of the two is wrong.
    #[error("made at {proposed}, which is after {now}")]
    ClockBehind {
        /// When it was made.
        proposed: UnixMillis,
        /// The time here.
        now: UnixMillis,
    },
    /// The log has done it already.
    #[error("the log has it already, at index {index}")]
    Executed {
        /// Where.
        index: u64,
    },
    /// The log would not take it any more.
    #[error("expired at {expires}, it is {now}")]
    Expired {
        /// Until when.
        expires: UnixMillis,
        /// The time here.
        now: UnixMillis,
    },
    /// Somebody signed who is no administrator now.
    #[error("{key} signed and is no administrator")]
    Foreign {
        /// The key.
        key: Box<PublicKey>,
    },
    /// The file is of a log with another beginning.
    #[error("the file is of the log that began with {actual}, expected {expected}")]
    Genesis {
        /// Hash of the genesis leaf of the log here.
        expected: Hash,
        /// In the file.
        actual: Hash,
    },
    /// The secret of the key that would be put in force is not in this office.
    #[error("the secret of {key} is not in the office's key directory")]
    KeyElsewhere {
        /// The key.
        key: Box<PublicKey>,
    },
    /// Two files are of different proposals.
    #[error("file {position} is of proposal {actual}, the first is of {expected}")]
    Mixed {
        /// Which file, from 1.
        position: usize,
        /// Identity of the first one's event.
        expected: Hash,
        /// Identity of this one's.
        actual: Hash,
    },
    /// There is no file.
    #[error("no proposal was given")]
    Nothing,
    /// Its time has not come.
    #[error("it takes effect at {effective}, it is {now}")]
    NotYet {
        /// When.
        effective: UnixMillis,
        /// The time here.
        now: UnixMillis,
    },
    /// The file is of another log.
    #[error("the file is of log {actual:?}, expected {expected:?}")]
    Origin {
        /// The log here.
        expected: String,
        /// In the file, clipped.
        actual: String,
    },
    /// A signature is not one of its key over the statement.
    #[error("the signature of {key} is false: {source}")]
    Signature {
        /// The key.
        key: Box<PublicKey>,
        /// Why.
        source: SignatureError,
    },
    /// Something else happened to its subject in between.
    #[error("made for place {actual} of its subject's events, the next place is {expected}")]
    Stale {
        /// The next sequence number.
        expected: u64,
        /// The proposal's.
        actual: u64,
    },
    /// The file is another one than its signer was shown.
    #[error("this is proposal {actual}, not {expected}")]
    Swapped {
        /// The identity that was named.
        expected: Hash,
        /// The file's.
        actual: Hash,
    },
    /// Fewer administrators signed than must.
    #[error("{actual} administrators signed, {expected} must")]
    TooFew {
        /// The log's threshold.
        expected: u64,
        /// Different keys of present administrators.
        actual: u64,
    },
    /// A unit that is to be made needs its name, which no proposal carries.
    #[error("the name of the new unit is missing")]
    UnitName,
}

/// Adds one administrator's signature; no log is needed.
///
/// `shown` is the identity that the signer was shown, `genesis` that of the log they know.
///
/// # Errors
/// The first check of `spec/proposal.md` that fails, or the signer's. The proposal stays as it was.
pub fn countersign<S: Signer + ?Sized>(
    proposal: &mut Proposal,
    signer: &S,
    shown: &Hash,
    genesis: Option<&Hash>,
    now: UnixMillis,
) -> Result<(), OfficeError> {
    let event = &proposal.event;
    let actual = event.id();
    if actual != *shown {
        let expected = *shown;
        return Err(ProposalError::Swapped { expected, actual }.into());
    }
    same_genesis(proposal, genesis)?;
    if now < proposal.proposed {
        let proposed = proposal.proposed;
        return Err(ProposalError::ClockBehind { proposed, now }.into());
    }
    not_expired(proposal, now)?;
    let key = Box::new(signer.public());
    if !proposal.administrators.keys.contains(&key) {
        return Err(ProposalError::Foreign { key }.into());
    }
    check_signatures(event)?;
    if event.signatures.iter().any(|other| other.key == *key) {
        return Err(ProposalError::AlreadySigned { key }.into());
    }
    Ok(proposal.event.sign_with(signer)?)
}

/// Checks every signature of a proposal strictly; whether the keys may sign is another question.
///
/// # Errors
/// The first that is false.
pub fn check_signatures(event: &Event) -> Result<(), ProposalError> {
    for one in &event.signatures {
        let key = Box::new(one.key);
        event
            .check_signature(one)
            .map_err(|source| ProposalError::Signature { key, source })?;
    }
    Ok(())
}

fn same_genesis(proposal: &Proposal, genesis: Option<&Hash>) -> Result<(), ProposalError> {
    match genesis {
        Some(expected) if proposal.genesis != *expected => Err(ProposalError::Genesis {
            expected: *expected,
            actual: proposal.genesis,
        }),
        _ => Ok(()),
    }
}

fn not_expired(proposal: &Proposal, now: UnixMillis) -> Result<(), ProposalError> {
    let expires = proposal.expires();
    if now > expires {
        return Err(ProposalError::Expired { expires, now });
    }
    Ok(())
}

/// The files of one proposal as one, with every signature that any of them has.
fn merged(proposals: &[Proposal]) -> Result<Proposal, ProposalError> {
    let (first, rest) = proposals.split_first().ok_or(ProposalError::Nothing)?;
    let mut whole = first.clone();
    let expected = first.event.id();
    for (position, other) in (2..).zip(rest) {
        let actual = other.event.id();
        if actual != expected {
            return Err(ProposalError::Mixed {
                position,
                expected,
                actual,
            });
        }
        same_genesis(other, Some(&first.genesis))?;
        // Each file's own signatures: a false one must not hide behind another file's right one.
        check_signatures(&other.event)?;
        for one in &other.event.signatures {
            whole.event.put(one.key, one.signature);
        }
    }
    Ok(whole)
}

/// Whether enough present administrators signed, each counted once, and nobody else.
fn check_signers(event: &Event, present: &Administrators) -> Result<(), ProposalError> {
    check_signatures(event)?;
    let stranger = event
        .signatures
        .iter()
        .find(|one| !present.keys.contains(&one.key));
    if let Some(one) = stranger {
        let key = Box::new(one.key);
        return Err(ProposalError::Foreign { key });
    }
    let mut keys: Vec<_> = event
        .signatures
        .iter()
        .map(|one| one.key.to_bytes())
        .collect();
    keys.sort_unstable();
    keys.dedup();
    let actual = u64::try_from(keys.len()).unwrap_or(u64::MAX);
    let expected = present.threshold;
    if actual < expected {
        return Err(ProposalError::TooFew { expected, actual });
    }
    Ok(())
}

fn check_administrators(file: &Administrators, log: &Administrators) -> Result<(), ProposalError> {
    if file == log {
        return Ok(());
    }
    let say = |own: &Administrators, other: &Administrators| {
        let count = format!("{} of {}", own.threshold, own.keys.len());
        match own.keys.iter().find(|key| !other.keys.contains(key)) {
            Some(key) => format!("{count}, with {key}"),
            None => count,
        }
    };
    Err(ProposalError::Administrators {
        expected: say(log, file),
        actual: say(file, log),
    })
}

impl<C: LedgerClient> Office<C> {
    /// The administrators as the log knows them now.
    ///
    /// # Errors
    /// The ledger.
    pub fn present_administrators(&self) -> Result<Administrators, OfficeError> {
        let origin = self.records.origin();
        match self
            .client
            .record(&subject_key(origin, Kind::Registry, origin))?
        {
            Some(Record::Registry(record)) => Ok(record.administrators),
            _ => Err(super::super::ClientError::Protocol("no registry".to_owned()).into()),
        }
    }

    /// Makes a proposal at the end of its subject's chain, signed by nobody yet. A measure that
    /// needs a new key makes it.
    ///
    /// # Errors
    /// A time that is none for it, values that cannot be, or the records.
    pub fn propose(
        &mut self,
        measure: Measure<'_>,
        effective: UnixMillis,
        now: UnixMillis,
        rng: &mut dyn CryptoRng,
    ) -> Result<Proposal, OfficeError> {
        let ahead = effective.0.checked_sub(now.0);
        if ahead.is_none_or(|millis| millis > limits::PROPOSAL_AHEAD_MILLIS) {
            return Err(OfficeError::Administrators {
                expected: "a time from now to 30 days ahead",
                actual: effective.to_string(),
            });
        }
        let administrators = self.present_administrators()?;
        let (kind, id, action) = self.action(measure, now, rng)?;
        let subject = subject_key(self.records.origin(), kind, &id);
        let (_, end) = self.chain_end(&subject)?;
        let event = Event {
            action,
            effective,
            origin: self.records.origin().to_owned(),
            prev: end.map(|(_, latest)| latest),
            seq: end.map_or(0, |(seq, _)| seq.saturating_add(1)),
            signatures: Vec::new(),
            signer: None,
            subject,
        };
        let genesis = self.genesis()?.hash();
        Ok(Proposal {
            administrators,
            event,
            genesis,
            id,
            proposed: now,
        })
    }

    fn action(
        &mut self,
        measure: Measure<'_>,
        now: UnixMillis,
        rng: &mut dyn CryptoRng,
    ) -> Result<(Kind, String, Action), OfficeError> {
        let unit = |unit: &Uscc, action| Ok((Kind::Issuer, unit.as_str().to_owned(), action));
        match measure {
            Measure::AddUnit(grant) => {
                let code = grant.unit.as_str().to_owned();
                let (_, grant) = self.new_key(grant, now, rng)?;
                let action = Action::AddUnit {
                    grant,
                    unit: code.clone(),
                };
                Ok((Kind::Issuer, code, action))
            }
            Measure::ChangeAdministrators {
                mut keys,
                threshold,
            } => {
                let action = Action::ChangeAdministrators(administrators(&mut keys, threshold)?);
                Ok((Kind::Registry, self.records.origin().to_owned(), action))
            }
            Measure::CompromiseKey(code, key, from) => {
                unit(code, Action::CompromiseKey { from, key })
            }
            Measure::ConfirmKey(code, key) => unit(code, Action::ConfirmKey(key)),
            Measure::GrantTypes(code, key, types) => {
                let types = sorted(types);
                unit(code, Action::GrantTypes(KeyGrant { key, types }))
            }
            Measure::ProposeKey(grant) => {
                let code = grant.unit.as_str().to_owned();
                let (_, grant) = self.new_key(grant, now, rng)?;
                Ok((Kind::Issuer, code, Action::ProposeKey(grant)))
            }
            Measure::PublishType(name) => {
                let entry = self.catalogue.entry(name)?;
                let code = entry.type_code.as_str().to_owned();
                Ok((Kind::LicenceType, code, entry.publish()))
            }
            Measure::RotateLogKey { from, key_name } => {
                let part = self.keys.generate(key_name, Purpose::Log, rng, now)?;
                let secret = self.keys.secret(&part.name, Purpose::Log)?;
                let origin = self.records.origin().to_owned();
                let action = Action::RotateLogKey(LogKey::new(&secret, &origin, from));
                Ok((Kind::Registry, origin, action))
            }
            Measure::ResumeUnit(code) => unit(code, Action::ResumeUnit),
            Measure::RetireKey(code, key) => unit(code, Action::RetireKey(key)),
            Measure::RetireType(name) => {
                let entry = self.catalogue.entry(name)?;
                let code = entry.type_code.as_str().to_owned();
                Ok((Kind::LicenceType, code, Action::RetireType))
            }
            Measure::SuspendUnit(code) => unit(code, Action::SuspendUnit),
            Measure::WithdrawProposal(code, key) => unit(code, Action::WithdrawProposal(key)),
        }
    }

    /// Puts the files of one proposal together and hands it to the log. `unit_name` is needed for
    /// a unit that is to be made: names are not in the log.
    ///
    /// # Errors
    /// The first check of `spec/proposal.md` that fails; nothing is written down then.
    pub fn submit_proposal(
        &mut self,
        proposals: &[Proposal],
        unit_name: Option<&str>,
        now: UnixMillis,
    ) -> Result<Declared, OfficeError> {
        let declared = self.declare_proposal(proposals, unit_name, now)?;
        self.finish(declared, now)
    }

    /// As [`Office::submit_proposal`], and sends nothing yet.
    ///
    /// # Errors
    /// As [`Office::submit_proposal`].
    pub fn declare_proposal(
        &mut self,
        proposals: &[Proposal],
        unit_name: Option<&str>,
        now: UnixMillis,
    ) -> Result<Declared, OfficeError> {
        let whole = merged(proposals)?;
        let event = &whole.event;
        if event.origin != self.records.origin() {
            return Err(ProposalError::Origin {
                expected: self.records.origin().to_owned(),
                actual: clip(&event.origin),
            }
            .into());
        }
        same_genesis(&whole, Some(&self.genesis()?.hash()))?;
        if let Some(said) = self.records.said_as(event)? {
            match said.standing {
                Standing::Receipted { index, .. } => {
                    return Err(ProposalError::Executed { index: index.0 }.into());
                }
                // Handed in before, and the answer was lost: asked for once more.
                Standing::Pending => return Ok(self.said_now(&said.event, said.id)),
                Standing::Refused { .. } => {}
            }
        }
        let present = self.present_administrators()?;
        check_signers(event, &present)?;
        check_administrators(&whole.administrators, &present)?;
        if now < event.effective {
            let effective = event.effective;
            return Err(ProposalError::NotYet { effective, now }.into());
        }
        not_expired(&whole, now)?;
        let (mark, end) = self.chain_end(&event.subject)?;
        let expected = end.map_or(0, |(seq, _)| seq.saturating_add(1));
        if event.seq != expected || event.prev != end.map(|(_, latest)| latest) {
            let actual = event.seq;
            return Err(ProposalError::Stale { expected, actual }.into());
        }
        let unit = self.unit_of(&whole, unit_name)?;
        let key = self.key_of(&whole)?;
        let transaction = self.records.begin()?;
        // Another process's office, on the same records, was first.
        if transaction.chain_mark(&event.subject)? != mark {
            return Err(OfficeError::Conflict {
                subject: event.subject,
            });
        }
        let row = transaction.say(event, &[], now)?;
        if let Some(unit) = &unit {
            transaction.put_unit(unit, now)?;
        }
        if let Some(key) = &key {
            transaction.add_unit_key(&whole.id, key, now)?;
        }
        if let Action::PublishType(data) = &event.action {
            let entry = self.catalogue.entry(&data.type_code)?;
            let slug = entry.slug.clone();
            transaction.add_type(&data.type_code, data.version, &slug, &data.digest, row)?;
        }
        transaction.commit()?;
        Ok(self.said_now(event, row))
    }

    /// What was written down and is to be sent.
    fn said_now(&self, event: &Event, id: i64) -> Declared {
        self.delivery.said();
        Declared {
            event: event.id(),
            id,
            standing: Standing::Pending,
            subject: event.subject,
            trouble: None,
        }
    }

    /// The row of a unit that the proposal makes.
    fn unit_of(
        &self,
        proposal: &Proposal,
        name: Option<&str>,
    ) -> Result<Option<Unit>, OfficeError> {
        if !matches!(proposal.event.action, Action::AddUnit { .. }) {
            return Ok(None);
        }
        let name = name.ok_or(ProposalError::UnitName)?;
        let name = text::required(name, NAME_CHARS).map_err(OfficeError::UnitName)?;
        let uscc = proposal.id.clone();
        Ok(Some(Unit { name, uscc }))
    }

    /// Where the secret of a key that the proposal brings is.
    fn key_of(&self, proposal: &Proposal) -> Result<Option<UnitKey>, OfficeError> {
        let (Action::AddUnit { grant, .. } | Action::ProposeKey(grant)) = &proposal.event.action
        else {
            return Ok(None);
        };
        let public = grant.key;
        let part = public_parts(self.keys.dir())?
            .into_iter()
            .find(|part| part.key == public && part.purpose == Purpose::Unit);
        let Some(part) = part else {
            let key = Box::new(public);
            return Err(ProposalError::KeyElsewhere { key }.into());
        };
        let name = part.name;
        Ok(Some(UnitKey { name, public }))
    }

    /// The genesis leaf of the log.
    fn genesis(&self) -> Result<Genesis, OfficeError> {
        match Leaf::parse(&self.records.genesis()?) {
            Ok(Leaf::Genesis(genesis)) => Ok(genesis),
            _ => Err(RecordsError::Damaged {
                table: "office",
                column: "genesis",
                expected: "a genesis leaf",
            }
            .into()),
        }
    }
}
