//! What can be wrong with a policy file, and on which line.

use thiserror::Error;

use crate::log::note::{KeyKind, VkeyError};

/// A policy file was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct PolicyError {
    /// Line, from 1; nothing when the file as a whole is meant.
    pub line: Option<usize>,
    /// What is wrong.
    pub problem: PolicyProblem,
}

impl std::fmt::Display for PolicyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "policy line {line}: {}", self.problem),
            None => write!(f, "policy: {}", self.problem),
        }
    }
}

impl PolicyError {
    pub(super) fn at(line: usize, problem: PolicyProblem) -> Self {
        Self {
            line: Some(line),
            problem,
        }
    }

    pub(super) fn file(problem: PolicyProblem) -> Self {
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

/// What is wrong with a policy.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PolicyProblem {
    /// A control character other than tab and newline.
    #[error("control character")]
    ControlCharacter,
    /// Two logs, or two witnesses, have one public key.
    #[error("the key of {name:?} is listed before")]
    DuplicateKey {
        /// Name on the second line.
        name: String,
    },
    /// A name is defined twice.
    #[error("{name:?} is defined before")]
    DuplicateName {
        /// The name.
        name: String,
    },
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
    /// A name is in two groups, or in one twice.
    #[error("{name:?} is a member before")]
    MemberTwice {
        /// The name.
        name: String,
    },
    /// More logs, witnesses and groups than 1,024.
    #[error("more than 1024 logs, witnesses and groups")]
    PartyLimit,
    /// There is no quorum line.
    #[error("no quorum line")]
    QuorumMissing,
    /// Two sets of witnesses without a common one would both be a quorum.
    #[error("quorum {name:?} is not a majority: two disjoint sets of witnesses meet it")]
    QuorumNotMajority {
        /// Name of the group.
        name: String,
    },
    /// There is a second quorum line.
    #[error("second quorum line")]
    QuorumTwice,
    /// `none` is no name for a witness or a group.
    #[error("the name none is reserved")]
    ReservedName,
    /// The file is too long.
    #[error("file of {length} bytes is longer than 262144")]
    SizeLimit {
        /// Bytes of the file.
        length: usize,
    },
    /// Not `any`, `all` or a number from 1 to the number of members.
    #[error("threshold {threshold:?} of {members} members")]
    Threshold {
        /// Beginning of what is written.
        threshold: String,
        /// Members listed.
        members: usize,
    },
    /// The name is not defined on a line above.
    #[error("{name:?} is not defined above")]
    UnknownName {
        /// The name.
        name: String,
    },
    /// The key text was refused.
    #[error(transparent)]
    Vkey(VkeyError),
}

impl PolicyProblem {
    /// The stable code used in vectors and reports.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::ControlCharacter => "control_character",
            Self::DuplicateKey { .. } => "duplicate_key",
            Self::DuplicateName { .. } => "duplicate_name",
            Self::Items => "items",
            Self::KeyType { .. } => "key_type",
            Self::Keyword { .. } => "keyword",
            Self::MemberTwice { .. } => "member_twice",
            Self::PartyLimit => "party_limit",
            Self::QuorumMissing => "quorum_missing",
            Self::QuorumNotMajority { .. } => "quorum_not_majority",
            Self::QuorumTwice => "quorum_twice",
            Self::ReservedName => "reserved_name",
            Self::SizeLimit { .. } => "size_limit",
            Self::Threshold { .. } => "threshold",
            Self::UnknownName { .. } => "unknown_name",
            Self::Vkey(_) => "vkey",
        }
    }
}
