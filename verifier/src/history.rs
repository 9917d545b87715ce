//! Judging a history: every event of one subject, and none left out.

use zhao_spec::file::{History, HistoryEntry};
use zhao_spec::life::data::Action;
use zhao_spec::life::record::Record;
use zhao_spec::log::tree::check_inclusion;
use zhao_spec::wire::Hash;

use crate::check::{Check, Stop, ensure};
use crate::reason::{Reason, words};
use crate::report::FragmentName;
use crate::steps::{Whose, s03_log, s05_place, s08_times};
use crate::verdict::Verdict;
use crate::{Context, Progress};

/// What is asked of it.
const ASKED: &[FragmentName] = &[
    FragmentName::Standing,
    FragmentName::Witnesses,
    FragmentName::Schema,
];

/// The verdict on a history.
pub(crate) fn judge(history: &History, context: &Context<'_>) -> Verdict {
    let mut progress = Progress::of_decoded(ASKED);
    let outcome = steps(history, context, &mut progress);
    progress.concluded(outcome)
}

fn steps(history: &History, context: &Context<'_>, progress: &mut Progress) -> Result<(), Stop> {
    let head = &history.head;
    s03_log::known(Whose::File, head, context.policy)?;
    s05_place::epoch(Whose::File, head)?;
    let quorum_time = progress.vouch(head, context)?;
    s08_times::check(head, quorum_time, context)?;
    let placed = &history.placed;
    s05_place::record(
        Check::RecordNotInMap,
        head,
        &history.subject,
        &placed.record_hash(),
        &placed.path,
        |problem| Reason::RecordNotInMap { problem },
    )?;
    progress.facts.subject = Some(history.subject);
    for entry in &history.entries {
        included(history, entry)?;
    }
    let problem = gap(history);
    ensure(Check::HistoryIncomplete, problem.is_none(), || {
        Reason::HistoryIncomplete {
            problem: problem.unwrap_or_default(),
        }
    })?;
    progress.draft.answered(FragmentName::Standing);
    Ok(())
}

/// The event, and the first epoch after it, are in the head's log.
fn included(history: &History, entry: &HistoryEntry) -> Result<(), Stop> {
    let checkpoint = history.head.checkpoint();
    let (size, root) = (checkpoint.size, &checkpoint.root);
    let leaf = entry.event.leaf_hash();
    let event = check_inclusion(entry.index, size, &leaf, &entry.path, root);
    ensure(Check::EventNotInLog, event.is_ok(), || {
        Reason::EventNotInLog {
            problem: event.err().map_or_else(String::new, |error| words(&error)),
        }
    })?;
    let epoch = &entry.epoch;
    let covers = entry.index < epoch.index && epoch.previous.is_none_or(|p| p < entry.index);
    let leaf = epoch.leaf_hash();
    let proved = check_inclusion(epoch.index, size, &leaf, &entry.epoch_path, root);
    ensure(Check::EpochNotInLog, covers && proved.is_ok(), || {
        Reason::EpochNotInLog {
            problem: match proved.err() {
                Some(error) => words(&error),
                None => "not the first epoch after the event".to_owned(),
            },
        }
    })
}

/// What is missing between the subject's first event and its record.
fn gap(history: &History) -> Option<&'static str> {
    let record = &history.placed.record;
    let Some((last_seq, latest)) = record.chain_end() else {
        return Some("such a subject has no events of its own");
    };
    // The registry's chain starts from genesis, which is no event.
    let (mut next_seq, mut end) = match record {
        Record::Registry(registry) => (1, Some(registry.genesis)),
        _ => (0, None),
    };
    for entry in &history.entries {
        let Some((seq, prev)) = link(entry, &history.subject) else {
            return Some("an event of another subject");
        };
        if seq != next_seq {
            return Some("a sequence number is left out");
        }
        if prev != end {
            return Some("an event does not follow the one before");
        }
        end = Some(entry.event.leaf_hash());
        next_seq = next_seq.saturating_add(1);
    }
    if next_seq.checked_sub(1) != Some(last_seq) || end != Some(latest) {
        return Some("it does not end at the record");
    }
    None
}

/// Sequence number and previous leaf hash of an event in the chain of `subject`. A new version's
/// `issued` also stands in the chain of the version it takes over from.
fn link(entry: &HistoryEntry, subject: &Hash) -> Option<(u64, Option<Hash>)> {
    if entry.event.subject == *subject {
        return Some((entry.event.seq, entry.event.prev));
    }
    match &entry.event.action {
        Action::Issued(issued) => issued
            .predecessor
            .as_ref()
            .filter(|predecessor| predecessor.subject == *subject)
            .map(|predecessor| (predecessor.seq, Some(predecessor.prev))),
        _ => None,
    }
}
