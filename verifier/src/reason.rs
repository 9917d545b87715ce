//! Why a verdict is what it is: one variant for each code of `spec/verify.md`.

use zhao_spec::life::record::State;
use zhao_spec::log::tree::{LeafIndex, TreeSize};
use zhao_spec::wire::{Hash, UnixMillis, clip};

/// One reason, with what was expected and what was found where that helps.
///
/// Texts taken from the file are clipped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// 废止.
    #[error("abolished")]
    Abolished,
    /// 撤销.
    #[error("annulled")]
    Annulled,
    /// Items and record of the enterprise disagree.
    #[error("enterprise has {expected} licences, the answer shows {actual}, or others")]
    AnswerIncomplete {
        /// Licences the record counts.
        expected: u64,
        /// Items shown.
        actual: usize,
    },
    /// The head is later than `at` allows.
    #[error("as of {as_of}, later than {at} plus the allowed skew")]
    AsOfInFuture {
        /// The epoch's time.
        as_of: UnixMillis,
        /// The time of judging.
        at: UnixMillis,
    },
    /// Fewer auditors than the trust file requires.
    #[error("{actual} auditors cosigned, {expected} are required")]
    AuditorQuorum {
        /// Required.
        expected: usize,
        /// Counted.
        actual: usize,
    },
    /// 注销.
    #[error("cancelled")]
    Cancelled,
    /// The latest change was signed by a key that was compromised before.
    #[error("latest change at index {index} is by a key compromised from index {compromised}")]
    ChangedByCompromisedKey {
        /// Index of the change.
        index: LeafIndex,
        /// From where the key counts for nothing.
        compromised: LeafIndex,
    },
    /// A line by a known witness or auditor is false.
    #[error("cosignature by {name:?} does not verify")]
    CosignatureInvalid {
        /// Name of the witness or auditor, from the policy.
        name: String,
    },
    /// Not a licence credential of our profile.
    #[error("credential: {problem}")]
    CredentialMalformed {
        /// What is wrong.
        problem: String,
    },
    /// The holder's public index is not as the type requires.
    #[error("public index: {problem}")]
    EnterpriseMismatch {
        /// What is wrong.
        problem: &'static str,
    },
    /// The enterprise's record, or its absence, is not proved.
    #[error("enterprise not proved: {problem}")]
    EnterpriseNotInMap {
        /// What is wrong with the path.
        problem: String,
    },
    /// The epoch leaf is not proved to be in the log.
    #[error("epoch leaf not proved: {problem}")]
    EpochNotInLog {
        /// What is wrong with the proof.
        problem: String,
    },
    /// The epoch leaf is not the last of its checkpoint.
    #[error("epoch index {epoch} and proof index {proof} in a log of size {size}")]
    EpochNotLast {
        /// Index the epoch states.
        epoch: LeafIndex,
        /// Index the proof states.
        proof: LeafIndex,
        /// Size the checkpoint states.
        size: TreeSize,
    },
    /// The epoch's time does not fit the witnesses' times.
    #[error("epoch time {epoch} does not fit the quorum's time of {quorum} seconds")]
    EpochTimeImplausible {
        /// The epoch's time.
        epoch: UnixMillis,
        /// T, seconds since 1970.
        quorum: u64,
    },
    /// The event is not proved to be in the log.
    #[error("event not proved: {problem}")]
    EventNotInLog {
        /// What is wrong with the proof.
        problem: String,
    },
    /// A signature of the event is false.
    #[error("event: {problem}")]
    EventSignature {
        /// Which.
        problem: String,
    },
    /// The evidence does not show what it claims.
    #[error("evidence does not hold: {condition}")]
    EvidenceDoesNotHold {
        /// The condition that failed.
        condition: String,
    },
    /// The validity has ended.
    #[error("expired at {until}")]
    Expired {
        /// The end, 24:00 of the last day in China.
        until: UnixMillis,
    },
    /// The genesis leaf is not the one the trust file names, or of another log.
    #[error("genesis leaf is {actual}, expected {expected}")]
    GenesisMismatch {
        /// Of the trust file.
        expected: Hash,
        /// In the file.
        actual: Hash,
    },
    /// The unit's history does not lead to its record.
    #[error("unit: {problem}")]
    GrantInvalid {
        /// Where replaying stopped.
        problem: String,
    },
    /// The history shown is not whole.
    #[error("history is not whole: {problem}")]
    HistoryIncomplete {
        /// What is missing.
        problem: &'static str,
    },
    /// The latest inspection failed.
    #[error("inspection failed")]
    InspectionFailed,
    /// An inspection is overdue.
    #[error("inspection was due at {due}")]
    InspectionOverdue {
        /// When.
        due: UnixMillis,
    },
    /// The authorities do not have the unit.
    #[error("authorities do not have the unit {unit:?}")]
    IssuerMissing {
        /// The unit's code.
        unit: String,
    },
    /// The unit's record is not proved.
    #[error("unit not proved: {problem}")]
    IssuerNotInMap {
        /// What is wrong with the path.
        problem: String,
    },
    /// The head of the issuer pack fails a check of steps 3, 5 or 6.
    #[error("issuer pack: {0}")]
    IssuerPackHead(Box<Reason>),
    /// The issuer pack does not decode.
    #[error("issuer pack: {problem}")]
    IssuerPackMalformed {
        /// What is wrong.
        problem: String,
    },
    /// The file has no authorities and no pack is given.
    #[error("no authorities in the file and no issuer pack")]
    IssuerPackMissing,
    /// The issuer pack is too old, or older than the licence.
    #[error("issuer pack is as of {as_of}, size {size}; licence issued at index {issued}")]
    IssuerPackTooOld {
        /// The pack's epoch time.
        as_of: UnixMillis,
        /// The pack's checkpoint size.
        size: TreeSize,
        /// Index of `issued`.
        issued: LeafIndex,
    },
    /// The unit is suspended.
    #[error("issuing unit is suspended")]
    IssuerSuspended,
    /// An item's record is not proved.
    #[error("item {item} not proved: {problem}")]
    ItemNotInMap {
        /// Which item, from 0.
        item: usize,
        /// What is wrong with the path.
        problem: String,
    },
    /// The issuing key was compromised when it issued, and the unit has not reaffirmed.
    #[error("issued at index {issued} by a key compromised from index {compromised}")]
    KeyCompromised {
        /// Index of `issued`.
        issued: LeafIndex,
        /// From where the key counts for nothing.
        compromised: LeafIndex,
    },
    /// The key was not the unit's at that index.
    #[error("key {key} was not a key of the unit at index {issued}")]
    KeyNotAuthorised {
        /// Thumbprint of the key.
        key: Hash,
        /// Index of `issued`.
        issued: LeafIndex,
    },
    /// The checkpoint is signed by a key that another had replaced at its size.
    #[error("at size {size} another key had replaced the one that signed")]
    LogKeyRetired {
        /// Of the tree.
        size: TreeSize,
    },
    /// The checkpoint is not signed by the log.
    #[error("log signature: {problem}")]
    LogSignature {
        /// What is wrong.
        problem: String,
    },
    /// The policy does not accept this log.
    #[error("the policy has no log {origin:?}")]
    LogUnknown {
        /// Beginning of the checkpoint's origin.
        origin: String,
    },
    /// The file does not decode.
    #[error("{problem}")]
    Malformed {
        /// What is wrong, and where.
        problem: String,
    },
    /// 抵押.
    #[error("mortgaged: {count} open")]
    Mortgaged {
        /// Open mortgages.
        count: usize,
    },
    /// The validity has not begun.
    #[error("valid from {from}")]
    NotYetValid {
        /// The beginning.
        from: UnixMillis,
    },
    /// 异议标注.
    #[error("objections: {count} open")]
    Objection {
        /// Open objections.
        count: usize,
    },
    /// 挂起.
    #[error("on hold")]
    OnHold,
    /// File and checkpoint name different logs.
    #[error("checkpoint is of {actual:?}, expected {expected:?}")]
    OriginMismatch {
        /// Beginning of the origin the credential, event or file names.
        expected: String,
        /// Beginning of the checkpoint's.
        actual: String,
    },
    /// 质押.
    #[error("pledged: {count} open")]
    Pledged {
        /// Open pledges.
        count: usize,
    },
    /// The proof is by another key than the issuer's.
    #[error("proof is by {actual:?}, expected {expected:?}")]
    ProofKeyNotIssuer {
        /// The issuer's verification method.
        expected: String,
        /// Beginning of the proof's.
        actual: String,
    },
    /// The credential's signature is false.
    #[error("credential: {problem}")]
    ProofSignature {
        /// What is wrong.
        problem: String,
    },
    /// The two proofs of a receipt are under different checkpoints.
    #[error("event and epoch are proved under different checkpoints")]
    ReceiptHeadsDiffer,
    /// The record is of another credential.
    #[error("record is of the credential {actual}, expected {expected}")]
    RecordDigest {
        /// The credential's digest.
        expected: Hash,
        /// The record's.
        actual: Hash,
    },
    /// The record names another issuing key.
    #[error("record names the key {actual}, expected {expected}")]
    RecordIssuedBy {
        /// Thumbprint of the proof's key.
        expected: Hash,
        /// The record's.
        actual: Hash,
    },
    /// The record names another unit.
    #[error("record names the unit {actual}, expected {expected}")]
    RecordIssuer {
        /// Subject key of the credential's unit.
        expected: Hash,
        /// The record's.
        actual: Hash,
    },
    /// The record is not proved to be in the map.
    #[error("record not proved: {problem}")]
    RecordNotInMap {
        /// What is wrong with the path.
        problem: String,
    },
    /// The record names another type, or the commitment does not open.
    #[error("record is of another licence type than {expected:?}")]
    RecordType {
        /// The credential's type code.
        expected: String,
    },
    /// The registry's history does not lead to its record.
    #[error("registry: {problem}")]
    RegistryInvalid {
        /// Where replaying stopped.
        problem: String,
    },
    /// The registry's record is not proved.
    #[error("registry not proved: {problem}")]
    RegistryNotInMap {
        /// What is wrong with the path.
        problem: String,
    },
    /// 挂失.
    #[error("reported lost")]
    ReportedLost,
    /// 吊销.
    #[error("revoked")]
    Revoked,
    /// Another version took its place.
    #[error("superseded")]
    Superseded,
    /// The head is older than allowed.
    #[error("as of {as_of}, more than {max_age} ms before {at}")]
    TooOld {
        /// The epoch's time.
        as_of: UnixMillis,
        /// The time of judging.
        at: UnixMillis,
        /// Allowed age, milliseconds.
        max_age: u64,
    },
    /// The authorities do not have the licence type.
    #[error("authorities do not have the licence type {code:?}")]
    TypeMissing {
        /// The type code.
        code: String,
    },
    /// The key was not granted the type at that index.
    #[error("key was not granted the type {code:?} at index {issued}")]
    TypeNotGranted {
        /// The type code.
        code: String,
        /// Index of `issued`.
        issued: LeafIndex,
    },
    /// The type's record is not proved.
    #[error("licence type not proved: {problem}")]
    TypeNotInMap {
        /// What is wrong with the path.
        problem: String,
    },
    /// The type is in clear, or committed, against its openness.
    #[error("type: {problem}")]
    TypeOpenness {
        /// What is wrong.
        problem: &'static str,
    },
    /// The type is retired.
    #[error("licence type is retired")]
    TypeRetired,
    /// 暂扣.
    #[error("withheld")]
    Withheld,
    /// The witnesses do not meet the quorum.
    #[error("{actual} witnesses cosigned, which is no quorum")]
    WitnessQuorum {
        /// Counted.
        actual: usize,
    },
}

impl Reason {
    /// The code of `spec/verify.md`: stable, for machines and vectors.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Abolished => "abolished",
            Self::Annulled => "annulled",
            Self::AnswerIncomplete { .. } => "answer_incomplete",
            Self::AsOfInFuture { .. } => "as_of_in_future",
            Self::AuditorQuorum { .. } => "auditor_quorum",
            Self::Cancelled => "cancelled",
            Self::ChangedByCompromisedKey { .. } => "changed_by_compromised_key",
            Self::CosignatureInvalid { .. } => "cosignature_invalid",
            Self::CredentialMalformed { .. } => "credential_malformed",
            Self::EnterpriseMismatch { .. } => "enterprise_mismatch",
            Self::EnterpriseNotInMap { .. } => "enterprise_not_in_map",
            Self::EpochNotInLog { .. } => "epoch_not_in_log",
            Self::EpochNotLast { .. } => "epoch_not_last",
            Self::EpochTimeImplausible { .. } => "epoch_time_implausible",
            Self::EventNotInLog { .. } => "event_not_in_log",
            Self::EventSignature { .. } => "event_signature",
            Self::EvidenceDoesNotHold { .. } => "evidence_does_not_hold",
            Self::Expired { .. } => "expired",
            Self::GenesisMismatch { .. } => "genesis_mismatch",
            Self::GrantInvalid { .. } => "grant_invalid",
            Self::HistoryIncomplete { .. } => "history_incomplete",
            Self::InspectionFailed => "inspection_failed",
            Self::InspectionOverdue { .. } => "inspection_overdue",
            Self::IssuerMissing { .. } => "issuer_missing",
            Self::IssuerNotInMap { .. } => "issuer_not_in_map",
            Self::IssuerPackHead(reason) => pack_code(reason),
            Self::IssuerPackMalformed { .. } => "issuer_pack_malformed",
            Self::IssuerPackMissing => "issuer_pack_missing",
            Self::IssuerPackTooOld { .. } => "issuer_pack_too_old",
            Self::IssuerSuspended => "issuer_suspended",
            Self::ItemNotInMap { .. } => "item_not_in_map",
            Self::KeyCompromised { .. } => "key_compromised",
            Self::KeyNotAuthorised { .. } => "key_not_authorised",
            Self::LogKeyRetired { .. } => "log_key_retired",
            Self::LogSignature { .. } => "log_signature",
            Self::LogUnknown { .. } => "log_unknown",
            Self::Malformed { .. } => "malformed",
            Self::Mortgaged { .. } => "mortgaged",
            Self::NotYetValid { .. } => "not_yet_valid",
            Self::Objection { .. } => "objection",
            Self::OnHold => "on_hold",
            Self::OriginMismatch { .. } => "origin_mismatch",
            Self::Pledged { .. } => "pledged",
            Self::ProofKeyNotIssuer { .. } => "proof_key_not_issuer",
            Self::ProofSignature { .. } => "proof_signature",
            Self::ReceiptHeadsDiffer => "receipt_heads_differ",
            Self::RecordDigest { .. } => "record_digest",
            Self::RecordIssuedBy { .. } => "record_issued_by",
            Self::RecordIssuer { .. } => "record_issuer",
            Self::RecordNotInMap { .. } => "record_not_in_map",
            Self::RecordType { .. } => "record_type",
            Self::RegistryInvalid { .. } => "registry_invalid",
            Self::RegistryNotInMap { .. } => "registry_not_in_map",
            Self::ReportedLost => "reported_lost",
            Self::Revoked => "revoked",
            Self::Superseded => "superseded",
            Self::TooOld { .. } => "too_old",
            Self::TypeMissing { .. } => "type_missing",
            Self::TypeNotGranted { .. } => "type_not_granted",
            Self::TypeNotInMap { .. } => "type_not_in_map",
            Self::TypeOpenness { .. } => "type_openness",
            Self::TypeRetired => "type_retired",
            Self::Withheld => "withheld",
            Self::WitnessQuorum { .. } => "witness_quorum",
        }
    }

    /// The reason of a terminal state.
    pub(crate) fn of_state(state: State) -> Option<Self> {
        match state {
            State::Active => None,
            State::Superseded => Some(Self::Superseded),
            State::Cancelled => Some(Self::Cancelled),
            State::Revoked => Some(Self::Revoked),
            State::Annulled => Some(Self::Annulled),
            State::Abolished => Some(Self::Abolished),
        }
    }
}

/// `issuer_pack_` and the code of the check that failed on the pack's head.
fn pack_code(reason: &Reason) -> &'static str {
    match reason {
        Reason::LogUnknown { .. } => "issuer_pack_log_unknown",
        Reason::OriginMismatch { .. } => "issuer_pack_origin_mismatch",
        Reason::EpochNotLast { .. } => "issuer_pack_epoch_not_last",
        Reason::EpochNotInLog { .. } => "issuer_pack_epoch_not_in_log",
        Reason::LogKeyRetired { .. } => "issuer_pack_log_key_retired",
        Reason::LogSignature { .. } => "issuer_pack_log_signature",
        Reason::CosignatureInvalid { .. } => "issuer_pack_cosignature_invalid",
        Reason::WitnessQuorum { .. } => "issuer_pack_witness_quorum",
        Reason::AuditorQuorum { .. } => "issuer_pack_auditor_quorum",
        _ => "issuer_pack_malformed",
    }
}

/// An error's own words, clipped where they are built and again here.
pub(crate) fn words(error: &impl std::fmt::Display) -> String {
    error.to_string()
}

/// Text from the file.
pub(crate) fn quoted(text: &str) -> String {
    clip(text)
}
