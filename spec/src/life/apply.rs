//! What may follow what: one pure function for the ledger that admits, the auditor that replays and
//! the verifier that reads a history. Prose and tables: `spec/lifecycle.md`.

mod cells;
mod issuer;
mod licence;
mod refusal;
mod registry;
mod signer;
#[cfg(test)]
mod tests;

pub use cells::{Cell, Column, cell, relation_cell};
pub use refusal::Refusal;

use std::sync::Arc;

use super::event::VerifiedEvent;
use super::leaf::Genesis;
use super::record::{Record, RegistryRecord};
use super::subject::{Kind, subject_key};
use super::verb::On;
use crate::log::tree::LeafIndex;
use crate::wire::hash::Hash;
use crate::wire::time::UnixMillis;

/// Milliseconds of a day.
const DAY: u64 = 24 * 3_600_000;

/// The records as they stand before an event.
pub trait View {
    /// The record of a subject, none when it has none.
    ///
    /// # Errors
    /// Trouble of the one who keeps the records; never a judgement on the event.
    fn record(&self, key: &Hash) -> Result<Option<Arc<Record>>, ViewFault>;
}

/// The keeper of the records could not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("records are out of reach: {0}")]
pub struct ViewFault(pub String);

/// Why an event was not applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// It must not be: a judgement everybody reaches.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// It could not be judged.
    #[error("{0}")]
    View(#[from] ViewFault),
}

/// What every part of `apply` looks at.
struct Scene<'a> {
    event: &'a VerifiedEvent,
    index: LeafIndex,
    leaf_hash: Hash,
    recorded: UnixMillis,
    registry: RegistryRecord,
    view: &'a dyn View,
}

/// Judges `event` on the state `view` and returns the records it writes, each key once.
///
/// `index` is the leaf index it would take, `recorded` the time of the epoch that will cover it,
/// fixed before any event of that epoch is judged.
///
/// # Errors
/// [`ApplyError::Refused`] with the first reason of `spec/lifecycle.md` section 1 that applies.
pub fn apply(
    view: &dyn View,
    event: &VerifiedEvent,
    index: LeafIndex,
    recorded: UnixMillis,
) -> Result<Vec<(Hash, Record)>, ApplyError> {
    let registry_key = subject_key(&event.origin, Kind::Registry, &event.origin);
    let registry = match view.record(&registry_key)?.as_deref() {
        Some(Record::Registry(registry)) => registry.clone(),
        _ => {
            return Err(Refusal::WrongOrigin {
                actual: crate::wire::clip(&event.origin),
            }
            .into());
        }
    };
    let scene = Scene {
        event,
        index,
        leaf_hash: event.leaf_hash(),
        recorded,
        registry,
        view,
    };
    match event.verb().on() {
        On::Issuer => issuer::apply(&scene),
        On::Licence => licence::apply(&scene),
        On::LicenceType => registry::apply_type(&scene),
        On::Registry => registry::apply_registry(&scene, registry_key),
    }
}

/// The records that genesis itself writes: the registry's.
#[must_use]
pub fn genesis_records(genesis: &Genesis) -> Vec<(Hash, Record)> {
    let hash = genesis.hash();
    let record = RegistryRecord {
        administrators: genesis.administrators.clone(),
        genesis: hash,
        index: LeafIndex(0),
        key_delay: genesis.key_delay,
        latest: hash,
        log_keys: Vec::new(),
        seq: 0,
    };
    let key = subject_key(&genesis.origin, Kind::Registry, &genesis.origin);
    vec![(key, Record::Registry(record))]
}

impl Scene<'_> {
    fn record(&self, key: &Hash) -> Result<Option<Arc<Record>>, ViewFault> {
        self.view.record(key)
    }

    /// `seq` and `prev` against where the subject's chain ends.
    fn check_chain(&self, end: (u64, Hash)) -> Result<(), Refusal> {
        let (seq, latest) = end;
        if self.event.seq != seq.saturating_add(1) {
            return Err(Refusal::SeqMismatch {
                expected: seq.saturating_add(1),
                actual: self.event.seq,
            });
        }
        match self.event.prev {
            Some(prev) if prev == latest => Ok(()),
            _ => Err(Refusal::PrevMismatch { expected: latest }),
        }
    }

    /// The first event of a subject.
    fn check_first(&self) -> Result<(), Refusal> {
        if self.event.seq == 0 {
            Ok(())
        } else {
            Err(Refusal::SeqMismatch {
                expected: 0,
                actual: self.event.seq,
            })
        }
    }

    /// The bounds of `spec/lifecycle.md` section 4 against the recorded time.
    fn check_effective(&self) -> Result<(), Refusal> {
        let effective = self.event.effective;
        if effective > self.recorded {
            return Err(Refusal::EffectiveInFuture {
                effective,
                recorded: self.recorded,
            });
        }
        let Some(days) = self.event.verb().reaches_back_days() else {
            return Ok(());
        };
        self.check_not_before(self.recorded.saturating_sub(days.saturating_mul(DAY)))
    }

    fn check_not_before(&self, earliest: UnixMillis) -> Result<(), Refusal> {
        if self.event.effective < earliest {
            Err(Refusal::EffectiveTooEarly {
                effective: self.event.effective,
                earliest,
            })
        } else {
            Ok(())
        }
    }
}
