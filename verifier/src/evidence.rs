//! Judging evidence against an operator. Prose: `spec/evidence.md`.
//!
//! Whoever made the evidence chose what to show, so nothing is taken from it but what the log's
//! own signature covers. Cosignatures do not matter: the log's signature condemns it.

use std::collections::BTreeMap;
use std::sync::Arc;

use zhao_spec::file::{Evidence, Head, HiddenEvent, NotIncluded, SubjectPlace, TwoHeads};
use zhao_spec::life::apply::{View, ViewFault, apply};
use zhao_spec::life::record::Record;
use zhao_spec::life::subject::Kind;
use zhao_spec::log::checkpoint::Checkpoint;
use zhao_spec::log::tree::{LeafIndex, TreeSize, check_consistency};
use zhao_spec::map;
use zhao_spec::wire::Hash;

use crate::check::{Check, Stop, ensure};
use crate::reason::{Reason, words};
use crate::report::FragmentName;
use crate::steps::s06_vouch::{self, Unsigned};
use crate::steps::{Whose, s03_log, s05_place};
use crate::verdict::Verdict;
use crate::{Context, Progress, receipt};

mod batch;

/// Why evidence does not hold, in words.
type Fails = String;

/// What is asked of it: whether the log really said so.
const ASKED: &[FragmentName] = &[FragmentName::Standing, FragmentName::Schema];

/// The verdict on a piece of evidence: valid when it holds.
pub(crate) fn judge(evidence: &Evidence, context: &Context<'_>) -> Verdict {
    let mut progress = Progress::of_decoded(ASKED);
    let outcome = steps(evidence, context);
    if outcome.is_ok() {
        progress.draft.answered(FragmentName::Standing);
    }
    progress.concluded(outcome)
}

fn steps(evidence: &Evidence, context: &Context<'_>) -> Result<(), Stop> {
    let (origin, holds) = match evidence {
        Evidence::TwoHeads(own) => {
            let first = Checkpoint::parse(own.first.text());
            let origin = first.map(|first| first.origin).unwrap_or_default();
            (origin, two_heads(own, context))
        }
        Evidence::HiddenEvent(own) => (origin_of(&own.head), hidden_event(own, context)),
        Evidence::InadmissibleLeaf(own) => {
            (origin_of(&own.head), batch::inadmissible(own, context))
        }
        Evidence::NotIncluded(own) => (origin_of(&own.head), not_included(own, context)),
        Evidence::WrongTransition(own) => {
            (origin_of(&own.head), batch::wrong_transition(own, context))
        }
    };
    s03_log::origin_known(Whose::File, &origin, context.policy)?;
    ensure(Check::EvidenceDoesNotHold, holds.is_ok(), || {
        Reason::EvidenceDoesNotHold {
            condition: holds.err().unwrap_or_default(),
        }
    })
}

fn origin_of(head: &Head) -> String {
    head.checkpoint().origin.clone()
}

/// Turns a condition into its failure.
fn demand(holds: bool, otherwise: &str) -> Result<(), Fails> {
    if holds {
        Ok(())
    } else {
        Err(otherwise.to_owned())
    }
}

/// The head is what the log's own key signed: its last leaf is this epoch.
fn own_head(head: &Head, context: &Context<'_>) -> Result<(), Fails> {
    s05_place::epoch(Whose::File, head).map_err(|stop| words(&stop.reason))?;
    s06_vouch::log_signed(Whose::File, head, context).map_err(|stop| words(&stop.reason))
}

/// Two signed states of one log of which neither can have grown into the other.
fn two_heads(own: &TwoHeads, context: &Context<'_>) -> Result<(), Fails> {
    let read = |note: &zhao_spec::log::note::SignedNote| {
        let checkpoint = Checkpoint::parse(note.text()).map_err(|error| words(&error))?;
        let (origin, size) = (&checkpoint.origin, checkpoint.size);
        s06_vouch::note_signed(note, origin, size, context).map_err(Unsigned::words)?;
        Ok::<_, Fails>(checkpoint)
    };
    let (first, second) = (read(&own.first)?, read(&own.second)?);
    demand(
        first.origin == second.origin,
        "the checkpoints are of different logs",
    )?;
    demand(
        first.size <= second.size,
        "the first checkpoint is the larger one",
    )?;
    check_consistency(
        first.size,
        second.size,
        &own.root,
        &second.root,
        &own.consistency,
    )
    .map_err(|error| words(&error))?;
    demand(
        own.root != first.root,
        "the second checkpoint continues the first",
    )
}

/// The log gave a receipt for an event and later showed its subject without it.
fn hidden_event(own: &HiddenEvent, context: &Context<'_>) -> Result<(), Fails> {
    own_head(&own.head, context)?;
    own_head(&own.receipt.head, context)?;
    let reason = |stop: Stop| words(&stop.reason);
    receipt::included(&own.receipt).map_err(reason)?;
    receipt::same_head(&own.receipt).map_err(reason)?;
    let origin = &own.head.checkpoint().origin;
    demand(
        own.receipt.head.checkpoint().origin == *origin,
        "the heads are of different logs",
    )?;
    demand(
        own.receipt.event.origin == *origin,
        "the event is of another log",
    )?;
    let size = own.head.checkpoint().size;
    demand(
        own.receipt.index.0 < size.0,
        "the head is older than the receipt",
    )?;
    let hash = own.record.as_ref().map(Record::hash);
    let key = &own.receipt.event.subject;
    map::check(&own.head.epoch.map_root, key, hash.as_ref(), &own.path)
        .map_err(|error| words(&error))?;
    match &own.record {
        None => Ok(()),
        Some(record) => {
            let shown = record.chain_end().map(|(seq, _)| seq);
            demand(
                shown.is_none_or(|seq| seq < own.receipt.event.seq),
                "the head shows the event",
            )
        }
    }
}

/// An auditor was handed an event, and the log left it out for longer than it may.
fn not_included(own: &NotIncluded, context: &Context<'_>) -> Result<(), Fails> {
    own_head(&own.head, context)?;
    let handed = &own.handed;
    let policy = context.policy;
    let known = policy
        .trust
        .auditors
        .iter()
        .find(|auditor| auditor.name == handed.auditor);
    let auditor = known.ok_or("the trust file has no such auditor")?;
    auditor
        .key
        .verify(&handed.message(), &handed.signature)
        .map_err(|error| words(&error))?;
    let bound = handed.at.0.saturating_add(policy.trust.inclusion_bound);
    demand(
        own.head.epoch.time.0 > bound,
        "the bound is not over at the head",
    )?;
    let head = &own.head;
    demand(
        handed.event.origin == head.checkpoint().origin,
        "the event is of another log",
    )?;
    let view = Shown::under(&head.epoch.map_root, &own.subjects)?;
    let event = handed
        .event
        .clone()
        .verify_signatures()
        .map_err(|refusal| words(&refusal))?;
    let next = LeafIndex(head.checkpoint().size.0);
    // Judged as of the time it was handed in: being late is the log's fault.
    apply(&view, &event, next, handed.at).map_err(|error| words(&error))?;
    view.unchanged_since(handed.size)
}

/// The records that the evidence shows under one map root, and nothing else.
#[derive(Debug)]
struct Shown(BTreeMap<Hash, Option<Arc<Record>>>);

impl Shown {
    /// Checks every path.
    fn under(root: &Hash, subjects: &[SubjectPlace]) -> Result<Self, Fails> {
        let mut shown = BTreeMap::new();
        for place in subjects {
            let hash = place.record.as_ref().map(Record::hash);
            map::check(root, &place.subject, hash.as_ref(), &place.path)
                .map_err(|error| format!("subject {}: {error}", place.subject))?;
            shown.insert(place.subject, place.record.clone().map(Arc::new));
        }
        Ok(Self(shown))
    }
}

impl Shown {
    /// Nothing that decides was written since the log had this size: what is admissible now was
    /// admissible all the time, and no log had a reason to refuse it in between.
    fn unchanged_since(&self, size: TreeSize) -> Result<(), Fails> {
        for (subject, record) in &self.0 {
            let decides = |record: &&Arc<Record>| record.kind() != Kind::Enterprise;
            let changed = record.as_ref().filter(decides).map(|record| record.index());
            demand(
                changed.is_none_or(|index| index.0 < size.0),
                &format!("subject {subject} has changed since it was handed in"),
            )?;
        }
        Ok(())
    }
}

impl View for Shown {
    fn record(&self, key: &Hash) -> Result<Option<Arc<Record>>, ViewFault> {
        match self.0.get(key) {
            Some(record) => Ok(record.clone()),
            None => Err(ViewFault(format!("subject {key} is not shown"))),
        }
    }
}
