//! What can be wrong with a trust file, and on which line.

use thiserror::Error;

use crate::log::note::{KeyKind, VkeyError};

/// A trust file was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct TrustError {
    /// Line, from 1; nothing when the file as a whole is meant.
    pub line: Option<usize>,
    /// What is wrong.
    pub problem: TrustProblem,
}

impl std::fmt::Display for TrustError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "trust file line {line}: {}", self.problem),
            None => write!(f, "trust file: {}", self.problem),
        }
    }
}

impl TrustError {
    pub(super) fn at(line: usize, problem: TrustProblem) -> Self {
        Self {
            line: Some(line),
            problem,
        }
    }

    pub(super) fn file(problem: TrustProblem) -> Self {
        Self {
            line: None,
            problem,
        }
    }

    /// The stable code used in vectors and reports.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.problem.code()
    }
}

/// What is wrong with a trust file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TrustProblem {
    /// A log of the policy has no administrator line.
    #[error("no administrator for log {origin:?}")]
    AdministratorMissing {
        /// Beginning of the origin.
        origin: String,
    },
    /// An auditor has the key of a witness.
    #[error("auditor {name:?} has the key of a witness")]
    AuditorIsWitness {
        /// The auditor's name.
        name: String,
    },
    /// The number of auditors required is 0 or more than are listed.
    #[error("{required} auditors required of {listed}")]
    AuditorsOutOfRange {
        /// Number required.
        required: usize,
        /// Auditors listed.
        listed: usize,
    },
    /// A control character other than tab and newline.
    #[error("control character")]
    ControlCharacter,
    /// Two auditors have one key.
    #[error("the key of auditor {name:?} is listed before")]
    DuplicateKey {
        /// Name on the second line.
        name: String,
    },
    /// A name is listed twice.
    #[error("{name:?} is listed before")]
    DuplicateName {
        /// The name.
        name: String,
    },
    /// A log has two administrator lines.
    #[error("log {origin:?} has an administrator before")]
    DuplicateOrigin {
        /// Beginning of the origin.
        origin: String,
    },
    /// Not a positive integer with `ms`, `s`, `m`, `h` or `d`; only `skew` may be zero.
    #[error("not a duration: {text:?}")]
    Duration {
        /// Beginning of what is written.
        text: String,
    },
    /// The genesis hash is not 32 bytes in standard base64.
    #[error("not a genesis leaf hash")]
    Genesis,
    /// A known keyword with too few or too many items.
    #[error("wrong number of items")]
    Items,
    /// The key is of a type that cannot do this.
    #[error("key is of type {actual}, expected {expected}")]
    KeyType {
        /// Type found.
        actual: KeyKind,
        /// Type the role needs.
        expected: KeyKind,
    },
    /// The line begins with an unknown word.
    #[error("unknown keyword {keyword:?}")]
    Keyword {
        /// Beginning of the word.
        keyword: String,
    },
    /// A setting is not there; none has a default.
    #[error("no {setting} line")]
    Missing {
        /// Its keyword.
        setting: &'static str,
    },
    /// Not `none` or a decimal number.
    #[error("not a number of auditors: {text:?}")]
    Number {
        /// Beginning of what is written.
        text: String,
    },
    /// Not usable as the origin of a log.
    #[error("not an origin: {origin:?}")]
    Origin {
        /// Beginning of what is written.
        origin: String,
    },
    /// More administrators, auditors and local witnesses than 1,024.
    #[error("more than 1024 parties")]
    PartyLimit,
    /// A setting is given twice.
    #[error("second {setting} line")]
    Repeated {
        /// Its keyword.
        setting: &'static str,
    },
    /// The file is too long.
    #[error("file of {length} bytes is longer than 262144")]
    SizeLimit {
        /// Bytes of the file.
        length: usize,
    },
    /// The policy has no witness of this name.
    #[error("the policy has no witness {name:?}")]
    UnknownWitness {
        /// The name.
        name: String,
    },
    /// The key text was refused.
    #[error(transparent)]
    Vkey(VkeyError),
}

impl TrustProblem {
    /// The stable code used in vectors and reports.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::AdministratorMissing { .. } => "administrator_missing",
            Self::AuditorIsWitness { .. } => "auditor_is_witness",
            Self::AuditorsOutOfRange { .. } => "auditors_out_of_range",
            Self::ControlCharacter => "control_character",
            Self::DuplicateKey { .. } => "duplicate_key",
            Self::DuplicateName { .. } => "duplicate_name",
            Self::DuplicateOrigin { .. } => "duplicate_origin",
            Self::Duration { .. } => "duration",
            Self::Genesis => "genesis",
            Self::Items => "items",
            Self::KeyType { .. } => "key_type",
            Self::Keyword { .. } => "keyword",
            Self::Missing { .. } => "missing",
            Self::Number { .. } => "number",
            Self::Origin { .. } => "origin",
            Self::PartyLimit => "party_limit",
            Self::Repeated { .. } => "repeated",
            Self::SizeLimit { .. } => "size_limit",
            Self::UnknownWitness { .. } => "unknown_witness",
            Self::Vkey(_) => "vkey",
        }
    }
}
