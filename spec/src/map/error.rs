//! Why a map proof, or a set of them, was refused.

use thiserror::Error;

use crate::wire::hash::Hash;

/// Why a path was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MapError {
    /// Depths must grow from the root to the leaf.
    #[error("depth {depth} does not follow {previous}")]
    DepthsNotIncreasing {
        /// The depth before.
        previous: u8,
        /// The depth that is not larger.
        depth: u8,
    },
    /// There are not as many hashes as depths.
    #[error("path has {depths} depths and {hashes} hashes")]
    LengthMismatch {
        /// Number of depths.
        depths: usize,
        /// Number of hashes.
        hashes: usize,
    },
    /// The computed root is another.
    #[error("map root is {actual}, expected {expected}")]
    RootMismatch {
        /// Root handed in.
        expected: Hash,
        /// Root the path leads to.
        actual: Hash,
    },
    /// The terminal's key takes another way than the key at a listed depth.
    #[error("terminal is on another side at depth {depth}")]
    TerminalDisagrees {
        /// First such depth.
        depth: u8,
    },
    /// The terminal has the very key that is said to be absent.
    #[error("terminal has the key that is said to be absent")]
    TerminalIsKey,
    /// A path of absence in a map with keys needs the leaf it ends at.
    #[error("path of absence has no terminal")]
    TerminalMissing,
    /// A path of presence ends at the key's own leaf and carries no other.
    #[error("path of presence has a terminal")]
    TerminalUnexpected,
}

impl MapError {
    /// The stable code used in vectors and reports.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::DepthsNotIncreasing { .. } => "depths_not_increasing",
            Self::LengthMismatch { .. } => "length_mismatch",
            Self::RootMismatch { .. } => "root_mismatch",
            Self::TerminalDisagrees { .. } => "terminal_disagrees",
            Self::TerminalIsKey => "terminal_is_key",
            Self::TerminalMissing => "terminal_missing",
            Self::TerminalUnexpected => "terminal_unexpected",
        }
    }
}

/// Why a partial map could not be made or changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PartialError {
    /// Two paths are each right under the root and say different things: a hash collision.
    #[error("paths contradict each other at the key {key}")]
    Contradiction {
        /// Key of the later path.
        key: Hash,
    },
    /// No path was given for this key, so where it belongs is not known.
    #[error("no path covers the key {key}")]
    KeyNotCovered {
        /// The key.
        key: Hash,
    },
    /// A path was refused by itself.
    #[error("path of the key {key}: {error}")]
    Path {
        /// Key of the path.
        key: Hash,
        /// What is wrong with it.
        error: MapError,
    },
}

impl PartialError {
    /// The stable code used in vectors and reports.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Contradiction { .. } => "contradiction",
            Self::KeyNotCovered { .. } => "key_not_covered",
            Self::Path { error, .. } => error.code(),
        }
    }
}
