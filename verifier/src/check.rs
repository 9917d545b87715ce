//! The table of `spec/verify.md` as data, and the one place where a check is made.
//!
//! Every row of the table is a [`Check`]. [`ensure`] and [`require`] stop at the first that fails,
//! [`Findings::note`] collects. In tests of this crate one check at a time can be switched off, to
//! show that some vector depends on it.

use crate::reason::Reason;
use crate::report::{FragmentName, Outcome};
use crate::verdict::Status;

macro_rules! checks {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $status:ident, $fragment:ident;)*) => {
        /// One row of the table of checks.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Check { $($(#[$doc])* $variant,)* }

        impl Check {
            /// Every check, in the order in which they are made.
            pub const ALL: &'static [Check] = &[$(Check::$variant,)*];

            /// The code of the reason it gives when it fails.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// The part of the report that it belongs to.
            #[must_use]
            pub fn fragment(self) -> FragmentName {
                match self { $(Self::$variant => FragmentName::$fragment,)* }
            }

            /// What failing it makes of the verdict, where that does not depend on the file.
            pub(crate) fn status(self) -> Status {
                match self { $(Self::$variant => Status::$status,)* }
            }
        }
    };
}

checks! {
    /// Step 1: the file decodes.
    Malformed = "malformed", Invalid, Schema;
    /// Step 1: the credential is one of our profile.
    CredentialMalformed = "credential_malformed", Invalid, Schema;
    /// Step 2: the proof names the issuer's key.
    ProofKeyNotIssuer = "proof_key_not_issuer", Invalid, Integrity;
    /// Step 2: the proof's signature.
    ProofSignature = "proof_signature", Invalid, Integrity;
    /// Step 3: the policy knows the log.
    LogUnknown = "log_unknown", Undetermined, Standing;
    /// Step 3: credential and checkpoint name one log.
    OriginMismatch = "origin_mismatch", Invalid, Standing;
    /// Step 4: the record is of this credential.
    RecordDigest = "record_digest", Invalid, Standing;
    /// Step 4: the record's issuer.
    RecordIssuer = "record_issuer", Invalid, Standing;
    /// Step 4: the record's issuing key.
    RecordIssuedBy = "record_issued_by", Invalid, Standing;
    /// Step 4: the record's type or commitment.
    RecordType = "record_type", Invalid, Standing;
    /// Step 5: the record is in the map.
    RecordNotInMap = "record_not_in_map", Invalid, Standing;
    /// Step 5: the epoch leaf is the log's last.
    EpochNotLast = "epoch_not_last", Invalid, Standing;
    /// Step 5: the epoch leaf is in the log.
    EpochNotInLog = "epoch_not_in_log", Invalid, Standing;
    /// Step 6: the log signed.
    LogSignature = "log_signature", Invalid, Standing;
    /// Step 6: no other key had replaced the one that signed.
    LogKeyRetired = "log_key_retired", Undetermined, Standing;
    /// Step 6: no known cosigner's line is false.
    CosignatureInvalid = "cosignature_invalid", Invalid, Witnesses;
    /// Step 6: the witnesses suffice.
    WitnessQuorum = "witness_quorum", Undetermined, Witnesses;
    /// Step 6: the auditors suffice.
    AuditorQuorum = "auditor_quorum", Undetermined, Witnesses;
    /// Step 7: there are authorities.
    IssuerPackMissing = "issuer_pack_missing", Undetermined, Authority;
    /// Step 7: the pack decodes.
    IssuerPackMalformed = "issuer_pack_malformed", Undetermined, Authority;
    /// Step 7: the policy knows the pack's log.
    IssuerPackLogUnknown = "issuer_pack_log_unknown", Undetermined, Authority;
    /// Step 7: the pack is of the same log.
    IssuerPackOriginMismatch = "issuer_pack_origin_mismatch", Undetermined, Authority;
    /// Step 7: the pack's epoch leaf is its log's last.
    IssuerPackEpochNotLast = "issuer_pack_epoch_not_last", Undetermined, Authority;
    /// Step 7: the pack's epoch leaf is in its log.
    IssuerPackEpochNotInLog = "issuer_pack_epoch_not_in_log", Undetermined, Authority;
    /// Step 7: the log signed the pack's checkpoint.
    IssuerPackLogSignature = "issuer_pack_log_signature", Undetermined, Authority;
    /// Step 7: no other key had replaced the one that signed the pack's checkpoint.
    IssuerPackLogKeyRetired = "issuer_pack_log_key_retired", Undetermined, Authority;
    /// Step 7: no known cosigner's line on the pack's checkpoint is false.
    IssuerPackCosignatureInvalid = "issuer_pack_cosignature_invalid", Undetermined, Authority;
    /// Step 7: the pack's witnesses suffice.
    IssuerPackWitnessQuorum = "issuer_pack_witness_quorum", Undetermined, Authority;
    /// Step 7: the pack's auditors suffice.
    IssuerPackAuditorQuorum = "issuer_pack_auditor_quorum", Undetermined, Authority;
    /// Step 7: the pack is recent, and later than the licence.
    IssuerPackTooOld = "issuer_pack_too_old", Undetermined, Authority;
    /// Step 7: genesis is the policy's.
    GenesisMismatch = "genesis_mismatch", Invalid, Authority;
    /// Step 7: the registry's history replays.
    RegistryInvalid = "registry_invalid", Invalid, Authority;
    /// Step 7: the registry's record is in the map.
    RegistryNotInMap = "registry_not_in_map", Invalid, Authority;
    /// Step 7: the unit is among the authorities.
    IssuerMissing = "issuer_missing", Invalid, Authority;
    /// Step 7: the unit's history replays.
    GrantInvalid = "grant_invalid", Invalid, Authority;
    /// Step 7: the unit's record is in the map.
    IssuerNotInMap = "issuer_not_in_map", Invalid, Authority;
    /// Step 7: the licence type is among the authorities.
    TypeMissing = "type_missing", Invalid, Authority;
    /// Step 7: the type's record is in the map.
    TypeNotInMap = "type_not_in_map", Invalid, Authority;
    /// Step 7: clear type or commitment, as the type's openness requires.
    TypeOpenness = "type_openness", Invalid, Authority;
    /// Step 7: the holder's public index, as the type requires.
    EnterpriseMismatch = "enterprise_mismatch", Invalid, Authority;
    /// Step 7: the key was the unit's when it issued.
    KeyNotAuthorised = "key_not_authorised", Invalid, Authority;
    /// Step 7: the key was granted the type when it issued.
    TypeNotGranted = "type_not_granted", Invalid, Authority;
    /// Step 8: the epoch's time fits the witnesses' times.
    EpochTimeImplausible = "epoch_time_implausible", Undetermined, Standing;
    /// Step 8: the head is not from the future.
    AsOfInFuture = "as_of_in_future", Undetermined, Standing;
    /// Step 8: the head is recent enough.
    TooOld = "too_old", Undetermined, Standing;
    /// Step 9: the validity has begun.
    NotYetValid = "not_yet_valid", NotUsable, Validity;
    /// Step 9: the validity has not ended.
    Expired = "expired", Invalid, Validity;
    /// Step 10: 已换发.
    Superseded = "superseded", Invalid, Standing;
    /// Step 10: 已注销.
    Cancelled = "cancelled", Invalid, Standing;
    /// Step 10: 已吊销.
    Revoked = "revoked", Invalid, Standing;
    /// Step 10: 已撤销.
    Annulled = "annulled", Invalid, Standing;
    /// Step 10: 已废止.
    Abolished = "abolished", Invalid, Standing;
    /// Step 10: the issuing key is compromised from before it issued.
    KeyCompromised = "key_compromised", NotUsable, Authority;
    /// Step 10: the latest change was signed by a compromised key.
    ChangedByCompromisedKey = "changed_by_compromised_key", NotUsable, Standing;
    /// Step 10: 挂起.
    OnHold = "on_hold", NotUsable, Standing;
    /// Step 10: 挂失.
    ReportedLost = "reported_lost", NotUsable, Standing;
    /// Step 10: 暂扣.
    Withheld = "withheld", NotUsable, Standing;
    /// Step 10: the latest inspection failed; what that means is the type's to say.
    InspectionFailed = "inspection_failed", NotUsable, Standing;
    /// Step 10: an inspection is overdue; what that means is the type's to say.
    InspectionOverdue = "inspection_overdue", NotUsable, Standing;
    /// Step 10: 抵押.
    Mortgaged = "mortgaged", ValidWithNotice, Standing;
    /// Step 10: 质押.
    Pledged = "pledged", ValidWithNotice, Standing;
    /// Step 10: 异议标注.
    Objection = "objection", ValidWithNotice, Standing;
    /// Step 10: the unit is suspended.
    IssuerSuspended = "issuer_suspended", ValidWithNotice, Authority;
    /// Step 10: the type is retired.
    TypeRetired = "type_retired", ValidWithNotice, Authority;
    /// Receipt, history: the event is in the log.
    EventNotInLog = "event_not_in_log", Invalid, Standing;
    /// Receipt: event and epoch are under one checkpoint.
    ReceiptHeadsDiffer = "receipt_heads_differ", Invalid, Standing;
    /// Receipt: the event's signatures.
    EventSignature = "event_signature", Invalid, Integrity;
    /// Answer: the enterprise's record is in the map, or is not there.
    EnterpriseNotInMap = "enterprise_not_in_map", Invalid, Standing;
    /// Answer: the items are all there are.
    AnswerIncomplete = "answer_incomplete", Invalid, Standing;
    /// Answer: an item's record is in the map.
    ItemNotInMap = "item_not_in_map", Invalid, Standing;
    /// History: the events are all there are.
    HistoryIncomplete = "history_incomplete", Invalid, Standing;
    /// Evidence: the claim holds.
    EvidenceDoesNotHold = "evidence_does_not_hold", Invalid, Standing;
}

impl Check {
    /// What failing it makes of its fragment, where that does not depend on the file.
    fn outcome(self) -> Outcome {
        match self.status() {
            Status::Undetermined => Outcome::Undetermined,
            Status::Valid | Status::ValidWithNotice => Outcome::Pass,
            Status::NotUsable | Status::Invalid => Outcome::Fail,
        }
    }

    /// The same check, made on the head of an issuer pack.
    pub(crate) fn of_pack(self) -> Self {
        match self {
            Self::LogUnknown => Self::IssuerPackLogUnknown,
            Self::EpochNotLast => Self::IssuerPackEpochNotLast,
            Self::EpochNotInLog => Self::IssuerPackEpochNotInLog,
            Self::LogSignature => Self::IssuerPackLogSignature,
            Self::LogKeyRetired => Self::IssuerPackLogKeyRetired,
            Self::CosignatureInvalid => Self::IssuerPackCosignatureInvalid,
            Self::WitnessQuorum => Self::IssuerPackWitnessQuorum,
            Self::AuditorQuorum => Self::IssuerPackAuditorQuorum,
            other => other,
        }
    }
}

/// The first check that failed, and what it makes of the verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stop {
    pub(crate) check: Check,
    /// Fail or undetermined.
    pub(crate) outcome: Outcome,
    pub(crate) reason: Reason,
}

impl Stop {
    /// The same, undetermined: what a pack lacks says nothing about the licence.
    pub(crate) fn undetermined_if(self, from_pack: bool) -> Self {
        if from_pack {
            Self {
                outcome: Outcome::Undetermined,
                ..self
            }
        } else {
            self
        }
    }
}

/// Makes a check.
pub(crate) fn ensure(
    check: Check,
    holds: bool,
    reason: impl FnOnce() -> Reason,
) -> Result<(), Stop> {
    if holds || is_off(check) {
        return Ok(());
    }
    Err(Stop {
        check,
        outcome: check.outcome(),
        reason: reason(),
    })
}

/// Makes a check whose success gives something that later steps need.
pub(crate) fn require<T>(
    check: Check,
    found: Option<T>,
    reason: impl FnOnce() -> Reason,
) -> Result<T, Stop> {
    // There is no going on without the value, so this check cannot be switched off; the test
    // still learns that a vector came here, because the outcome differs.
    let outcome = match check.outcome() {
        own if !is_off(check) => own,
        Outcome::Undetermined => Outcome::Fail,
        _ => Outcome::Undetermined,
    };
    found.ok_or_else(|| Stop {
        check,
        outcome,
        reason: reason(),
    })
}

/// Something steps 9 and 10 found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) check: Check,
    /// Fail, or pass where it is only to be told.
    pub(crate) outcome: Outcome,
    pub(crate) reason: Reason,
}

/// What steps 9 and 10 collect.
#[derive(Debug, Default)]
pub(crate) struct Findings(pub(crate) Vec<Finding>);

impl Findings {
    /// Makes a check that gives `reason` when `applies`.
    pub(crate) fn note(&mut self, check: Check, applies: bool, reason: impl FnOnce() -> Reason) {
        self.note_as(check, check.outcome(), applies, reason);
    }

    /// As [`Findings::note`], where the file says what the finding means.
    pub(crate) fn note_as(
        &mut self,
        check: Check,
        outcome: Outcome,
        applies: bool,
        reason: impl FnOnce() -> Reason,
    ) {
        if applies && !is_off(check) {
            self.0.push(Finding {
                check,
                outcome,
                reason: reason(),
            });
        }
    }
}

#[cfg(not(test))]
fn is_off(_check: Check) -> bool {
    false
}

#[cfg(test)]
fn is_off(check: Check) -> bool {
    off::CHECK.with(|off| off.get() == Some(check))
}

/// Switching one check off, in this crate's tests only.
#[cfg(test)]
pub(crate) mod off {
    use super::Check;
    use std::cell::Cell;

    thread_local! {
        pub(super) static CHECK: Cell<Option<Check>> = const { Cell::new(None) };
    }

    /// What `work` gives with `check` off.
    pub(crate) fn without<T>(check: Check, work: impl FnOnce() -> T) -> T {
        CHECK.with(|off| off.set(Some(check)));
        let result = work();
        CHECK.with(|off| off.set(None));
        result
    }
}

#[cfg(test)]
mod tests;
