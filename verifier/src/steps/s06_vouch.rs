//! Step 6: the log signed, the witnesses are enough, the auditors are enough.

use zhao_spec::file::Head;
use zhao_spec::log::cosignature::{self, UnixSeconds};
use zhao_spec::log::note::{NoteError, SignedNote};
use zhao_spec::log::policy::QuorumTime;
use zhao_spec::wire::PublicKey;

use super::Whose;
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

/// The checkpoint carries a valid signature by the policy's log key, and no false one.
pub(crate) fn log_signed(whose: Whose, head: &Head, policy: &TrustPolicy) -> Result<(), Stop> {
    let signed = note_signed(head.proof.note(), &head.checkpoint().origin, policy);
    whose.ensure(Check::LogSignature, signed.is_ok(), || {
        Reason::LogSignature {
            problem: signed.err().unwrap_or_default(),
        }
    })
}

/// As [`log_signed`], on the note. A log that changes its key has two lines in the policy with
/// one origin: one signature is enough, a false one too much.
pub(crate) fn note_signed(
    note: &SignedNote,
    origin: &str,
    policy: &TrustPolicy,
) -> Result<(), String> {
    let mut problem = Some("no key of the log".to_owned());
    for log in policy
        .policy
        .logs()
        .iter()
        .filter(|log| log.vkey.name() == origin)
    {
        match note.verify(&log.vkey) {
            Ok(()) => problem = None,
            Err(NoteError::NotSigned { .. }) => {
                problem = problem.map(|_| "not signed by the log".to_owned());
            }
            Err(error) => return Err(words(&error)),
        }
    }
    problem.map_or(Ok(()), Err)
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
