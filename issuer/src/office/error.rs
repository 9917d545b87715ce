//! Why the office does not do what it is asked.

use zhao_spec::credential::CredentialError;
use zhao_spec::id::IdError;
use zhao_spec::wire::{Hash, SignerError, UnixMillis};

use super::{ClientError, FormError, ProposalError, PublishError};
use crate::catalogue::{CatalogueError, PatternError};
use crate::intake::RowError;
use crate::keys::KeyError;
use crate::records::RecordsError;
use crate::text::TextError;

/// Why one licence is not issued. The others of its batch are unharmed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IssueError {
    /// The catalogue here is not the one in force.
    #[error("type {type_code}: version {here} of the entry is not the one published, {published}")]
    CatalogueVersion {
        /// The type.
        type_code: String,
        /// Version here.
        here: u64,
        /// Version in force.
        published: u64,
    },
    /// The credential would not be one.
    #[error("{0}")]
    Credential(#[from] CredentialError),
    /// The case number is on an earlier row of the batch, and that row was not issued.
    #[error("the case number {reference:?} is on an earlier row, which was not issued")]
    FirstNotIssued {
        /// The case number.
        reference: String,
    },
    /// The licence identifier would not be one.
    #[error("{0}")]
    Identifier(#[from] IdError),
    /// The ledger refuses the event.
    #[error("the ledger refuses: {code}: {detail}")]
    Ledger {
        /// Stable code.
        code: String,
        /// In words.
        detail: String,
    },
    /// The number is another licence's.
    #[error("licence number {number:?} is taken by {identifier}")]
    NumberTaken {
        /// The number.
        number: String,
        /// Identifier of the licence that has it.
        identifier: String,
    },
    /// The ledger has been away for too long.
    #[error("outbox full: {waiting} events wait for the ledger, limit {limit}")]
    OutboxFull {
        /// Events waiting.
        waiting: u64,
        /// The limit.
        limit: u64,
    },
    /// No number can be made.
    #[error("{0}")]
    Pattern(#[from] PatternError),
    /// The row is not fit to be issued.
    #[error("{0}")]
    Row(#[from] RowError),
    /// No key of the unit may issue this type.
    #[error("unit {unit} has no key in force that may issue type {type_code}")]
    TypeNotGranted {
        /// The unit.
        unit: String,
        /// The type.
        type_code: String,
    },
    /// The type is not in force in the log (CAT-01).
    #[error("type {type_code} is not published")]
    TypeNotPublished {
        /// The type.
        type_code: String,
    },
    /// The unit cannot sign.
    #[error("{0}")]
    Unit(#[from] UnitError),
}

/// Why a unit cannot sign.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnitError {
    /// None of the unit's keys in force has its secret here.
    #[error("unit {unit} has no key in force whose secret is here")]
    NoKey {
        /// The unit.
        unit: String,
    },
    /// The administrators suspended it.
    #[error("unit {unit} is suspended")]
    Suspended {
        /// The unit.
        unit: String,
    },
    /// The office has no such unit.
    #[error("the office has no unit {unit:?}")]
    Unknown {
        /// What was asked for, clipped.
        unit: String,
    },
    /// The log does not know the unit.
    #[error("unit {unit} is not in the log")]
    Unlogged {
        /// The unit.
        unit: String,
    },
}

/// Why the office does not do what it is asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OfficeError {
    /// Administrators of genesis that cannot be.
    #[error("administrators: {actual}, expected {expected}")]
    Administrators {
        /// What is needed.
        expected: &'static str,
        /// What was given.
        actual: String,
    },
    /// The catalogue.
    #[error("{0}")]
    Catalogue(#[from] CatalogueError),
    /// The ledger could not be asked.
    #[error("{0}")]
    Client(#[from] ClientError),
    /// The clock stepped back.
    #[error("the time {now} cannot follow that of the last event, {last}: check the clock")]
    Clock {
        /// Time given.
        now: UnixMillis,
        /// When the last event was declared.
        last: UnixMillis,
    },
    /// A reason code in clear would tell the type of a licence whose type is not open.
    #[error("a reason code in clear needs an open type")]
    CodeNotAllowed,
    /// Not `[a-z0-9-]{1,32}`.
    #[error("{actual:?} is not a reason code: 1 to 32 of a-z, 0-9 and -")]
    Code {
        /// What was given, clipped.
        actual: String,
    },
    /// Others declare about the same subject all the time; nothing was declared.
    #[error("{subject} changes faster than it can be signed for: ask again")]
    Conflict {
        /// The subject.
        subject: Hash,
    },
    /// The unit that controls the licence is not one of this office.
    #[error("the licence is under the control of {controller}, not a unit of this office")]
    Controller {
        /// Subject key of the controlling unit.
        controller: Hash,
    },
    /// A reason or basis in words that is refused.
    #[error("{what}: {source}")]
    Grounds {
        /// `reason` or `basis`.
        what: &'static str,
        /// Why.
        source: TextError,
    },
    /// One licence is not issued.
    #[error("{0}")]
    Issue(#[from] IssueError),
    /// A key.
    #[error("{0}")]
    Key(#[from] KeyError),
    /// There is no such licence.
    #[error("no licence {actual:?}")]
    NoLicence {
        /// What was asked for, clipped.
        actual: String,
    },
    /// The type's catalogue entry does not name the verb. The log sees this itself only where the
    /// type is open to it.
    #[error("{verb} does not apply to type {type_code}")]
    NotApplicable {
        /// The type.
        type_code: String,
        /// The verb.
        verb: &'static str,
    },
    /// The licence is not in the log yet, or never will be.
    #[error("the licence is not issued: {why}")]
    NotIssued {
        /// `issuing` or `refused`.
        why: &'static str,
    },
    /// The verb says more than its reasons, so it has a function of its own.
    #[error("{verb} is not a verb of this kind")]
    NotPlain {
        /// The verb.
        verb: &'static str,
    },
    /// A proposal of the administrators.
    #[error("{0}")]
    Proposal(#[from] ProposalError),
    /// A version of a type is not published.
    #[error("{0}")]
    Publish(#[from] PublishError),
    /// The records belong to another log.
    #[error("the records are of log {records:?}, the ledger is {ledger:?}")]
    Origin {
        /// Origin in the records.
        records: String,
        /// Origin of the ledger.
        ledger: String,
    },
    /// The ledger has been away for too long; nothing was declared.
    #[error("outbox full: {waiting} events wait for the ledger, limit {limit}")]
    OutboxFull {
        /// Events waiting.
        waiting: u64,
        /// The limit.
        limit: u64,
    },
    /// Another form of a licence.
    #[error("{0}")]
    Form(#[from] FormError),
    /// The records.
    #[error("{0}")]
    Records(#[from] RecordsError),
    /// A signer that gave no signature: nothing was written down.
    #[error("{0}")]
    Signer(#[from] SignerError),
    /// A name that is refused.
    #[error("unit name: {0}")]
    UnitName(TextError),
    /// A unit.
    #[error("{0}")]
    Unit(#[from] UnitError),
}
