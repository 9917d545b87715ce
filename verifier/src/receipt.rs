//! Judging a receipt: the log has taken this event.

use zhao_spec::file::Receipt;
use zhao_spec::life::event::Event;
use zhao_spec::log::tree::check_inclusion;

use crate::check::{Check, Stop, ensure};
use crate::reason::{Reason, words};
use crate::report::FragmentName;
use crate::steps::{Whose, s03_log, s05_place};
use crate::verdict::Verdict;
use crate::{Context, Progress};

/// What is asked of it.
const ASKED: &[FragmentName] = &[
    FragmentName::Integrity,
    FragmentName::Standing,
    FragmentName::Witnesses,
    FragmentName::Schema,
];

/// The verdict on a receipt.
pub(crate) fn judge(receipt: &Receipt, context: &Context<'_>) -> Verdict {
    let mut progress = Progress::of_decoded(ASKED);
    let outcome = steps(receipt, context, &mut progress);
    progress.concluded(outcome)
}

fn steps(receipt: &Receipt, context: &Context<'_>, progress: &mut Progress) -> Result<(), Stop> {
    let head = &receipt.head;
    s03_log::known(Whose::File, head, context.policy)?;
    s03_log::origin(Whose::File, head, &receipt.event.origin)?;
    included(receipt)?;
    s05_place::epoch(Whose::File, head)?;
    progress.vouch(head, context)?;
    same_head(receipt)?;
    progress.draft.answered(FragmentName::Standing);
    signed(receipt)?;
    progress.draft.answered(FragmentName::Integrity);
    Ok(())
}

/// The event's leaf is in the tree of its own proof's checkpoint.
pub(crate) fn included(receipt: &Receipt) -> Result<(), Stop> {
    let checkpoint = receipt.proof.checkpoint();
    let included = check_inclusion(
        receipt.index,
        checkpoint.size,
        &receipt.event.leaf_hash(),
        receipt.proof.path(),
        &checkpoint.root,
    );
    ensure(Check::EventNotInLog, included.is_ok(), || {
        Reason::EventNotInLog {
            problem: included
                .err()
                .map_or_else(String::new, |error| words(&error)),
        }
    })
}

/// That checkpoint is the head's, signatures included, and the epoch covers the event.
pub(crate) fn same_head(receipt: &Receipt) -> Result<(), Stop> {
    let head = &receipt.head;
    let same = receipt.proof.note() == head.proof.note();
    ensure(Check::ReceiptHeadsDiffer, same, || {
        Reason::ReceiptHeadsDiffer
    })?;
    ensure(
        Check::EventNotInLog,
        receipt.index < head.epoch.index,
        || Reason::EventNotInLog {
            problem: "not below the epoch's index".to_owned(),
        },
    )
}

/// Every signature of the event verifies.
pub(crate) fn signed(receipt: &Receipt) -> Result<(), Stop> {
    event_signed(receipt.event.clone())
}

/// As [`signed`], of an event without its receipt.
pub(crate) fn event_signed(event: Event) -> Result<(), Stop> {
    let signed = event.verify_signatures();
    ensure(Check::EventSignature, signed.is_ok(), || {
        Reason::EventSignature {
            problem: signed.err().map_or_else(String::new, |error| words(&error)),
        }
    })
}
