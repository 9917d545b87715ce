//! Step 6: the log signed, the witnesses are enough, the auditors are enough.

use zhao_spec::file::Head;
use zhao_spec::log::cosignature::{self, UnixSeconds};
use zhao_spec::log::note::{NoteError, SignedNote};
use zhao_spec::log::policy::QuorumTime;
use zhao_spec::log::tree::TreeSize;
use zhao_spec::wire::PublicKey;

use super::Whose;
use crate::Context;
use crate::check::{Check, Stop};
use crate::policy::TrustPolicy;
use crate::reason::{Reason, words};
use crate::verdict::Assurance;

/// Who vouches for a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Vouched {
    pub(crate) assurance: Vec<Assurance>,
    pub(crate) auditors: Vec<String>,
    /// T; none when the quorum needs no witness.
    pub(crate) quorum_time: Option<UnixSeconds>,
    pub(crate) witnesses: Vec<String>,
}

/// The checkpoint carries a valid signature by the key the log had at its size, and no false one.
pub(crate) fn log_signed(whose: Whose, head: &Head, context: &Context<'_>) -> Result<(), Stop> {
    let checkpoint = head.checkpoint();
    let (origin, size) = (&checkpoint.origin, checkpoint.size);
    let signed = note_signed(head.proof.note(), origin, size, context);
    let retired = matches!(signed, Err(Unsigned::Retired));
    whose.ensure(Check::LogSignature, signed.is_ok() || retired, || {
        Reason::LogSignature {
            problem: signed.map_or_else(Unsigned::words, |()| String::new()),
        }
    })?;
    whose.ensure(Check::LogKeyRetired, !retired, || Reason::LogKeyRetired {
        size,
    })
}

/// Why a note counts for nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unsigned {
    /// Signed by a key that another had replaced at this size, and not by that one.
    Retired,
    /// Not signed by the log, or falsely.
    Wrong(String),
}

impl Unsigned {
    pub(crate) fn words(self) -> String {
        match self {
            Self::Retired => "signed by a key that another had replaced".to_owned(),
            Self::Wrong(problem) => problem,
        }
    }
}

/// As [`log_signed`], on the note. A log may have several lines in the policy with one origin: one
/// signature is enough, a false one too much. From the size on at which its administrators named
/// another key, only that one is enough.
pub(crate) fn note_signed(
    note: &SignedNote,
    origin: &str,
    size: TreeSize,
    context: &Context<'_>,
) -> Result<(), Unsigned> {
    let logs = context.policy.policy.logs().iter();
    let (mut known, mut signed) = (false, false);
    for log in logs.filter(|log| log.vkey.name() == origin) {
        known = true;
        match note.verify(&log.vkey) {
            Ok(()) => signed = true,
            Err(NoteError::NotSigned { .. }) => {}
            Err(error) => return Err(Unsigned::Wrong(words(&error))),
        }
    }
    let Some(named) = context.log_keys.at(origin, size) else {
        let problem = if known {
            "not signed by the log"
        } else {
            "no key of the log"
        };
        return signed
            .then_some(())
            .ok_or_else(|| Unsigned::Wrong(problem.to_owned()));
    };
    match note.verify(&named) {
        Ok(()) => Ok(()),
        Err(NoteError::NotSigned { .. }) if signed => Err(Unsigned::Retired),
        Err(error) => Err(Unsigned::Wrong(words(&error))),
    }
}

/// Counts witnesses and auditors.
pub(crate) fn cosigned(whose: Whose, head: &Head, policy: &TrustPolicy) -> Result<Vouched, Stop> {
    let (policy, trust) = (&policy.policy, &policy.trust);
    let note = head.proof.note();
    let false_line = |name: &str| {
        whose.ensure(Check::CosignatureInvalid, false, || {
            Reason::CosignatureInvalid {
                name: name.to_owned(),
            }
        })
    };
    let mut witnesses: Vec<(&str, PublicKey, UnixSeconds)> = Vec::new();
    for witness in policy.witnesses() {
        match cosignature::newest(&witness.vkey, note) {
            Ok(Some(time)) => witnesses.push((&witness.name, witness.key, time)),
            Ok(None) => {}
            Err(_) => false_line(&witness.name)?,
        }
    }
    let mut auditors = Vec::new();
    for auditor in &trust.auditors {
        match cosignature::newest(&auditor.vkey, note) {
            Ok(Some(_)) => auditors.push(auditor),
            Ok(None) => {}
            Err(_) => false_line(&auditor.name)?,
        }
    }

    let times: Vec<_> = witnesses
        .iter()
        .map(|(_, key, time)| (*key, *time))
        .collect();
    let quorum_time = policy.quorum_timestamp(&times);
    whose.ensure(
        Check::WitnessQuorum,
        quorum_time != QuorumTime::NotReached,
        || Reason::WitnessQuorum {
            actual: witnesses.len(),
        },
    )?;
    let keys: Vec<PublicKey> = auditors.iter().map(|auditor| auditor.key).collect();
    whose.ensure(Check::AuditorQuorum, trust.auditors_met(&keys), || {
        Reason::AuditorQuorum {
            expected: trust.required_auditors.unwrap_or_default(),
            actual: auditors.len(),
        }
    })?;

    let mut assurance = Vec::new();
    let independent: Vec<_> = witnesses
        .iter()
        .filter(|(name, ..)| !trust.is_local_witness(name))
        .map(|(_, key, time)| (*key, *time))
        .collect();
    if !policy.requires_witnesses() {
        assurance.push(Assurance::NoWitness);
    } else if !policy.quorum_met(&independent) {
        assurance.push(Assurance::WitnessesLocal);
    }
    let own: Vec<PublicKey> = auditors
        .iter()
        .filter(|auditor| !auditor.local)
        .map(|auditor| auditor.key)
        .collect();
    if trust.required_auditors.is_none() {
        assurance.push(Assurance::NoAuditor);
    } else if !trust.auditors_met(&own) {
        assurance.push(Assurance::AuditorsLocal);
    }
    Ok(Vouched {
        assurance,
        auditors: auditors
            .iter()
            .map(|auditor| auditor.name.clone())
            .collect(),
        quorum_time: match quorum_time {
            QuorumTime::Reached(time) => Some(time),
            QuorumTime::NotRequired | QuorumTime::NotReached => None,
        },
        witnesses: witnesses
            .iter()
            .map(|(name, ..)| (*name).to_owned())
            .collect(),
    })
}
