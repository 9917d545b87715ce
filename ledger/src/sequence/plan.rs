//! Admission: what a batch of events does, before anything is written.

use std::collections::BTreeMap;
use std::sync::Arc;

use zhao_spec::life::apply::{ApplyError, Refusal, View, ViewFault, apply};
use zhao_spec::life::event::VerifiedEvent;
use zhao_spec::life::record::Record;
use zhao_spec::log::tree::{LeafIndex, TreeSize};
use zhao_spec::wire::{Hash, UnixMillis, limits};

use super::error::CommitError;
use super::stage::Segment;
use crate::overlay::Overlay;
use crate::store::layout::EventIds;
use crate::store::{self, Read, StoreError};

/// What will become of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Accepted(LeafIndex),
    Duplicate(LeafIndex),
    Refused(Refusal),
}

/// A batch, judged.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) outcomes: Vec<Fate>,
    pub(crate) segment: Arc<Segment>,
    /// Its events, by their id.
    pub(crate) ids: Arc<BTreeMap<Hash, LeafIndex>>,
    /// Leaves after it, its epoch leaf included; none if it adds no leaf.
    pub(crate) next: Option<TreeSize>,
}

/// The state a batch is judged on.
pub(crate) struct Scene<'a> {
    /// Where event ids are found.
    pub(crate) store: &'a dyn Read,
    pub(crate) view: &'a dyn View,
    pub(crate) size: TreeSize,
    /// Events on their way to the store.
    pub(crate) flying: Option<&'a BTreeMap<Hash, LeafIndex>>,
}

/// Judges `events` in order, each on what those before it left.
pub(crate) fn admit(
    scene: &Scene<'_>,
    events: &[VerifiedEvent],
    time: UnixMillis,
) -> Result<Plan, CommitError> {
    let mut overlay = Overlay::new(scene.view);
    let mut outcomes = Vec::with_capacity(events.len());
    let mut segment = Segment::default();
    let mut own: BTreeMap<Hash, LeafIndex> = BTreeMap::new();
    let mut next = scene.size.0;
    let fault = |e: ViewFault| StoreError::Engine(e.0);
    for (position, event) in events.iter().enumerate() {
        // Before seq and prev: an event that is in the log already must get its receipt, not the
        // refusal that its own success would cause.
        let id = event.id();
        let flying = || scene.flying.and_then(|flying| flying.get(&id));
        let known = match own.get(&id).or_else(flying) {
            Some(index) => Some(*index),
            // Every event moves its subject's chain to its own seq: beyond the end of the chain
            // nothing can be in the log already, and most events are there.
            None if is_new(&overlay, event).map_err(fault)? => None,
            None => store::read::<EventIds>(scene.store, &id)?,
        };
        if let Some(index) = known {
            outcomes.push(Fate::Duplicate(index));
            continue;
        }
        let index = LeafIndex(next);
        let writes = match apply(&overlay, event, index, time) {
            Ok(writes) => writes,
            Err(ApplyError::Refused(refusal)) => {
                // It takes no index, and what was built on it is refused in its turn.
                outcomes.push(Fate::Refused(refusal));
                continue;
            }
            Err(ApplyError::View(error)) => return Err(fault(error).into()),
        };
        let leaf = event.leaf_bytes().to_vec();
        if leaf.len() > limits::LEAF_BYTES {
            let (limit, actual) = (limits::LEAF_BYTES, leaf.len());
            return Err(CommitError::LeafTooLong {
                position,
                limit,
                actual,
            });
        }
        debug_assert!(moves_its_chain(event, &writes), "{:?}", event.verb());
        segment.index.add(event, index, &writes);
        overlay.take(writes).map_err(fault)?;
        segment.leaves.push(leaf);
        outcomes.push(Fate::Accepted(index));
        own.insert(id, index);
        next = next.saturating_add(1);
    }
    segment.touched = overlay.finish();
    let grown = !segment.leaves.is_empty();
    Ok(Plan {
        outcomes,
        segment: Arc::new(segment),
        ids: Arc::new(own),
        next: grown.then(|| TreeSize(next.saturating_add(1))),
    })
}

/// Whether the event's seq lies beyond the end of its subject's chain.
fn is_new(view: &dyn View, event: &VerifiedEvent) -> Result<bool, ViewFault> {
    Ok(match view.record(&event.subject)? {
        None => true,
        Some(record) => record.chain_end().is_some_and(|(seq, _)| seq < event.seq),
    })
}

fn moves_its_chain(event: &VerifiedEvent, writes: &[(Hash, Record)]) -> bool {
    writes.iter().any(|(key, record)| {
        *key == event.subject && record.chain_end().is_some_and(|(seq, _)| seq == event.seq)
    })
}
