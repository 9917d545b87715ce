//! Why an event is refused. One variant per code of `spec/lifecycle.md`.

use crate::wire::hash::Hash;
use crate::wire::time::UnixMillis;

macro_rules! refusals {
    ($($(#[$doc:meta])* $variant:ident $({ $($(#[$fdoc:meta])* $field:ident: $type:ty,)* })?
        = $code:literal, $text:literal;)*) => {
        /// Why an event is refused. Every reader of the log reaches the same refusal.
        #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
        #[non_exhaustive]
        pub enum Refusal {
            $($(#[$doc])* #[error($text)] $variant $({ $($(#[$fdoc])* $field: $type,)* })?,)*
        }

        impl Refusal {
            /// The stable code.
            #[must_use]
            pub fn code(&self) -> &'static str {
                match self { $(Self::$variant { .. } => $code,)* }
            }

            /// Every code.
            pub const CODES: &'static [&'static str] = &[$($code,)*];
        }
    };
}

refusals! {
    /// Section 5: `retire-type` of a retired type.
    AlreadyRetired = "already_retired", "the type is retired already";
    /// Section 3: a terminal predecessor already has a corrected successor.
    AlreadySucceeded = "already_succeeded", "the predecessor has a successor already";
    /// Sections 2 and 5: the suspension is there already.
    AlreadySuspended {
        /// Which.
        by: &'static str,
    } = "already_suspended", "already suspended: {by}";
    /// Section 1: a reason code in clear for a type that is not open.
    CodeNotAllowed = "code_not_allowed", "a reason code in clear needs an open type";
    /// Section 3: a clear type code for a type that is not open.
    CommitmentRequired = "commitment_required", "the type is not open: its code must be committed";
    /// Section 3: `transfer` to no active unit, or to the present one.
    ControllerUnknown = "controller_unknown", "the new controller is no other active unit";
    /// Section 5: `confirm-key` before its time.
    DelayNotOver {
        /// From when it may be confirmed.
        earliest: UnixMillis,
        /// When this would be recorded.
        recorded: UnixMillis,
    } = "delay_not_over", "the key may be confirmed from {earliest}, not at {recorded}";
    /// Section 3: the next inspection would be due before this one.
    DueNotLater = "due_not_later", "the next inspection is not due later than this one";
    /// Section 4.
    EffectiveInFuture {
        /// Claimed.
        effective: UnixMillis,
        /// Recorded.
        recorded: UnixMillis,
    } = "effective_in_future", "effective {effective} is later than recorded {recorded}";
    /// Section 4.
    EffectiveTooEarly {
        /// Claimed.
        effective: UnixMillis,
        /// The earliest allowed.
        earliest: UnixMillis,
    } = "effective_too_early", "effective {effective} is earlier than {earliest}";
    /// Section 3: `cancel` with an open mortgage or pledge.
    Encumbered {
        /// Open mortgages.
        mortgages: usize,
        /// Open pledges.
        pledges: usize,
    } = "encumbered", "{mortgages} mortgages and {pledges} pledges are open";
    /// Section 3.
    EnterpriseNotAllowed = "enterprise_not_allowed", "the type is not indexed";
    /// Section 3.
    EnterpriseRequired = "enterprise_required", "the type is indexed and no enterprise is named";
    /// Section 1: a signature beside those that may sign.
    ForeignSignature {
        /// Whose.
        key: String,
    } = "foreign_signature", "{key} has no place among the signatures";
    /// Section 5.
    FromInFuture {
        /// Claimed index.
        from: u64,
        /// The event's own.
        index: u64,
    } = "from_in_future", "index {from} is beyond this event's own {index}";
    /// Section 5: the key is or was the unit's, or is proposed.
    KeyKnown = "key_known", "the key is known already";
    /// Section 1: not in force, or compromised.
    KeyNotAuthorised {
        /// Which.
        key: String,
        /// At which index.
        index: u64,
    } = "key_not_authorised", "{key} may not sign at index {index}";
    /// Section 5: `rotate-log-key` without a good signature by the new key.
    KeyProofInvalid {
        /// Of the signature.
        problem: String,
    } = "key_proof_invalid", "the log's new key has not signed its announcement: {problem}";
    /// Section 5.
    KeyRetired = "key_retired", "the key is retired";
    /// Section 5.
    KeyUnknown = "key_unknown", "the unit has no such key";
    /// Section 1.8.
    LimitReached {
        /// Of what.
        what: &'static str,
        /// How many.
        limit: usize,
    } = "limit_reached", "at most {limit} {what}";
    /// Section 1: another unit controls it.
    NotController {
        /// Who does.
        controller: Hash,
    } = "not_controller", "unit {controller:?} controls it";
    /// Section 5.
    NotEarlier {
        /// Declared before.
        known: u64,
        /// Declared now.
        from: u64,
    } = "not_earlier", "declared compromised from {known} already, {from} is not earlier";
    /// Section 3.
    NotOpen {
        /// The index named.
        of: u64,
    } = "not_open", "no such open entry: index {of}";
    /// Sections 2 and 5.
    NotSuspended = "not_suspended", "not suspended in this way";
    /// Section 3.
    NothingToReaffirm = "nothing_to_reaffirm", "no compromised key has signed it";
    /// Section 3.
    PredecessorAbsent = "predecessor_absent", "there is no such predecessor";
    /// Section 3.
    PredecessorPrevMismatch {
        /// Leaf hash its chain ends with.
        expected: Hash,
    } = "predecessor_prev_mismatch", "the predecessor's latest event is {expected:?}";
    /// Section 3.
    PredecessorSeqMismatch {
        /// Its next number.
        expected: u64,
        /// Named.
        actual: u64,
    } = "predecessor_seq_mismatch", "the predecessor's next number is {expected}, not {actual}";
    /// Section 1.
    PrevMismatch {
        /// Leaf hash the chain ends with.
        expected: Hash,
    } = "prev_mismatch", "the subject's latest event is {expected:?}";
    /// Section 5.
    ProposalUnknown = "proposal_unknown", "no such key is proposed";
    /// Section 1.
    SeqMismatch {
        /// The next number.
        expected: u64,
        /// Named.
        actual: u64,
    } = "seq_mismatch", "the subject's next number is {expected}, not {actual}";
    /// Section 1.
    SignatureInvalid {
        /// Whose.
        key: String,
    } = "signature_invalid", "the signature of {key} does not verify";
    /// Section 1.
    SignerMissing = "signer_missing", "nobody signed";
    /// Section 1.
    SignerSuspended = "signer_suspended", "the signing unit is suspended";
    /// Section 1.
    SignerUnknown = "signer_unknown", "there is no such unit";
    /// Sections 2, 3 and 5.
    SubjectAbsent = "subject_absent", "the subject does not exist";
    /// Sections 2 and 5.
    SubjectExists = "subject_exists", "the subject exists already";
    /// Sections 2 and 3: not while it is suspended.
    Suspended {
        /// By what.
        by: &'static str,
    } = "suspended", "not while it is {by}";
    /// Sections 2 and 3.
    Terminal {
        /// The state.
        state: &'static str,
    } = "terminal", "{state} cannot be undone";
    /// Section 1.
    ThresholdNotMet {
        /// Needed.
        expected: u64,
        /// Signed.
        actual: u64,
    } = "threshold_not_met", "{actual} administrators signed, {expected} are needed";
    /// Section 1.
    TypeNotGranted {
        /// Which.
        type_code: String,
    } = "type_not_granted", "the key may not issue {type_code}";
    /// Section 1.
    TypeRetired = "type_retired", "the type is retired";
    /// Section 5.
    TypeRules = "type_rules", "indexed needs open, individualBusinesses needs indexed";
    /// Section 1.
    TypeUnknown {
        /// Which.
        type_code: String,
    } = "type_unknown", "type {type_code} is not published";
    /// Section 5.
    TypesKnown = "types_known", "the key has all these types already";
    /// Section 1.
    VerbNotApplicable {
        /// Which.
        verb: &'static str,
    } = "verb_not_applicable", "{verb} does not apply to this type";
    /// Section 5.
    VersionMismatch {
        /// The next version.
        expected: u64,
        /// Named.
        actual: u64,
    } = "version_mismatch", "the next version is {expected}, not {actual}";
    /// Section 1.
    WrongKind {
        /// What the subject is.
        actual: &'static str,
    } = "wrong_kind", "the subject is of kind {actual}";
    /// Section 1.
    WrongOrigin {
        /// What the event names.
        actual: String,
    } = "wrong_origin", "{actual:?} is not this log's origin";
    /// Section 1: administrators where a unit must sign, or the reverse.
    WrongSigner = "wrong_signer", "not the party that signs this verb";
    /// Section 1.
    WrongSubject {
        /// The key of the id the event names.
        expected: Hash,
    } = "wrong_subject", "the id named has key {expected:?}";
}
