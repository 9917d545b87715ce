//! Judging a COSE receipt: the log says that it has this entry, and nobody says it besides.

use zhao_spec::life::event::Event;
use zhao_spec::life::leaf::Leaf;
use zhao_spec::log::cose::{CoseError, CoseReceipt};
use zhao_spec::wire::{Hash, Malformed, json, limits};

use crate::check::{Check, Stop, ensure, require};
use crate::policy::TrustPolicy;
use crate::reason::{Reason, quoted, words};
use crate::report::FragmentName;
use crate::steps::{Whose, s03_log};
use crate::verdict::{Assurance, Verdict};
use crate::{Progress, receipt};

/// What is asked of a receipt of an event.
const OF_EVENT: &[FragmentName] = &[
    FragmentName::Integrity,
    FragmentName::Standing,
    FragmentName::Witnesses,
    FragmentName::Schema,
];

/// What is asked of a receipt of another leaf, which nobody signed but the log.
const OF_LEAF: &[FragmentName] = &[
    FragmentName::Standing,
    FragmentName::Witnesses,
    FragmentName::Schema,
];

/// The verdict on a receipt and what it is said to be of.
pub(crate) fn judge(cose: &[u8], entry: &[u8], policy: &TrustPolicy) -> Verdict {
    let mut progress = Progress::of(OF_EVENT);
    let outcome = steps(cose, entry, policy, &mut progress);
    progress.concluded(outcome)
}

/// An entry, as far as a receipt is concerned.
struct Entry {
    leaf: Hash,
    /// The log it was made for, where it says.
    origin: Option<String>,
    event: Option<Event>,
}

fn steps(
    cose: &[u8],
    entry: &[u8],
    policy: &TrustPolicy,
    progress: &mut Progress,
) -> Result<(), Stop> {
    let cose = decoded(CoseReceipt::parse(cose))?;
    let entry = decoded(read(entry))?;
    *progress = Progress::of_decoded(match &entry.event {
        Some(_) => OF_EVENT,
        None => OF_LEAF,
    });
    s03_log::origin_known(Whose::File, &cose.origin, policy)?;
    if let Some(expected) = &entry.origin {
        ensure(Check::OriginMismatch, cose.origin == *expected, || {
            Reason::OriginMismatch {
                expected: quoted(expected),
                actual: quoted(&cose.origin),
            }
        })?;
    }
    let placed = cose.root(&entry.leaf);
    ensure(Check::EventNotInLog, placed.is_ok(), || {
        Reason::EventNotInLog {
            problem: placed.err().map_or_else(String::new, |error| words(&error)),
        }
    })?;
    let signed = log_signed(&cose, &entry.leaf, policy);
    ensure(Check::LogSignature, signed.is_ok(), || {
        Reason::LogSignature {
            problem: signed.err().unwrap_or_default(),
        }
    })?;
    progress.facts.size = Some(cose.size);
    progress.assurance = vec![Assurance::NoWitness, Assurance::NoAuditor];
    progress.draft.answered(FragmentName::Standing);
    if let Some(event) = entry.event {
        receipt::event_signed(event)?;
        progress.draft.answered(FragmentName::Integrity);
    }
    // Nobody else's word is in such a receipt: under a policy that asks for any, it proves nothing.
    let (policy, trust) = (&policy.policy, &policy.trust);
    ensure(Check::WitnessQuorum, !policy.requires_witnesses(), || {
        Reason::WitnessQuorum { actual: 0 }
    })?;
    ensure(
        Check::AuditorQuorum,
        trust.required_auditors.is_none(),
        || Reason::AuditorQuorum {
            expected: trust.required_auditors.unwrap_or_default(),
            actual: 0,
        },
    )?;
    progress.draft.answered(FragmentName::Witnesses);
    Ok(())
}

fn decoded<T>(read: Result<T, impl std::fmt::Display>) -> Result<T, Stop> {
    let mut problem = String::new();
    let read = read.map_err(|error| problem = words(&error)).ok();
    require(Check::Malformed, read, || Reason::Malformed { problem })
}

/// An event, or a leaf as the log has it, which may hold one.
fn read(bytes: &[u8]) -> Result<Entry, Malformed> {
    let bytes = json::without_newline(bytes);
    let of_event = |event: Event| Entry {
        leaf: event.leaf_hash(),
        origin: Some(event.origin.clone()),
        event: Some(event),
    };
    let value = json::parse_within(bytes, limits::LEAF_BYTES)?;
    if value.member("leaf").is_none() {
        return Ok(of_event(Event::parse(bytes)?));
    }
    Ok(match Leaf::parse(bytes)? {
        Leaf::Event(event) => of_event(*event),
        Leaf::Genesis(genesis) => Entry {
            leaf: genesis.hash(),
            origin: Some(genesis.origin),
            event: None,
        },
        Leaf::Epoch(epoch) => Entry {
            leaf: epoch.leaf_hash(),
            origin: None,
            event: None,
        },
    })
}

/// A log that changes its key has two lines in the policy with one origin: the receipt says whose
/// it is.
fn log_signed(cose: &CoseReceipt, leaf: &Hash, policy: &TrustPolicy) -> Result<(), String> {
    let logs = policy.policy.logs().iter();
    let mut keys = logs.map(|log| &log.vkey).filter(|key| cose.is_by(key));
    let key = keys.next().ok_or("no key of the log")?;
    match cose.verify(leaf, key) {
        Ok(_) => Ok(()),
        Err(CoseError::BadSignature) => {
            Err("the log did not sign the root that this entry leads to".to_owned())
        }
        Err(error) => Err(words(&error)),
    }
}
