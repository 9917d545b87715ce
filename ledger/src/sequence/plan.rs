//! Admission: what a batch of events does, before anything is written.

use std::collections::BTreeMap;

use zhao_spec::life::apply::{ApplyError, Refusal, View, ViewFault, apply};
use zhao_spec::life::event::VerifiedEvent;
use zhao_spec::life::record::Record;
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::{Hash, UnixMillis, limits};

use super::error::CommitError;
use super::stage::{Edge, Segment};
use crate::hot::HotRecords;
use crate::overlay::{Overlay, StoredView};
use crate::store::layout::EventIds;
use crate::store::{self, Read, StoreError};

/// What will become of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Planned {
    Accepted(LeafIndex),
    Duplicate(LeafIndex),
    Refused(Refusal),
}

/// A batch, judged.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) outcomes: Vec<Planned>,
    pub(crate) segment: Segment,
}

/// Judges `events` in order from the state at `edge`, each on what those before it left.
pub(crate) fn admit(
    store: &dyn Read,
    hot: &HotRecords,
    edge: &Edge,
    events: &[VerifiedEvent],
    time: UnixMillis,
) -> Result<Plan, CommitError> {
    let view = StoredView::new(store, &edge.map, hot);
    let mut overlay = Overlay::new(&view);
    let mut plan = Plan::default();
    let mut own: BTreeMap<Hash, LeafIndex> = BTreeMap::new();
    let mut next = edge.size().0;
    let fault = |e: ViewFault| StoreError::Engine(e.0);
    for (position, event) in events.iter().enumerate() {
        // Before seq and prev: an event that is in the log already must get its receipt, not the
        // refusal that its own success would cause.
        let id = event.id();
        let known = match own.get(&id) {
            Some(index) => Some(*index),
            // Every event moves its subject's chain to its own seq: beyond the end of the chain
            // nothing can be in the log already, and most events are there.
            None if is_new(&overlay, event).map_err(fault)? => None,
            None => store::read::<EventIds>(store, &id)?,
        };
        if let Some(index) = known {
            plan.outcomes.push(Planned::Duplicate(index));
            continue;
        }
        let index = LeafIndex(next);
        let writes = match apply(&overlay, event, index, time) {
            Ok(writes) => writes,
            Err(ApplyError::Refused(refusal)) => {
                // It takes no index, and what was built on it is refused in its turn.
                plan.outcomes.push(Planned::Refused(refusal));
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
        plan.segment.index.add(event, index, &writes);
        overlay.take(writes).map_err(fault)?;
        plan.segment.leaves.push(leaf);
        plan.outcomes.push(Planned::Accepted(index));
        own.insert(id, index);
        next = next.saturating_add(1);
    }
    plan.segment.touched = overlay.finish();
    Ok(plan)
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
