//! What comparing gives: agreement, no judgement, or evidence.

use zhao_spec::file::Evidence;
use zhao_spec::life::apply::{Refusal, ViewFault};
use zhao_spec::log::checkpoint::CheckpointError;
use zhao_spec::log::tree::{LeafIndex, TreeSize};
use zhao_spec::wire::{Hash, Malformed, UnixMillis};

use crate::store::StoreError;

/// What laying one thing beside the log gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// The log says the same.
    Agrees,
    /// No judgement either way.
    NotJudged(NotJudged),
    /// The log cheated: never empty.
    Evidence(Vec<Evidence>),
}

/// Why something could not be judged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotJudged {
    /// The bound for including the event is not over at the newest head.
    #[error("the log has until {until}, the newest head is of {now}")]
    BoundNotOver {
        /// The end of the bound.
        until: UnixMillis,
        /// Time of the newest head.
        now: UnixMillis,
    },
    /// A record that decides about the event was changed after it was handed in. The log may have
    /// refused it rightly in between: hand it in again.
    #[error("record {subject} has changed since {since}")]
    Changed {
        /// The record's key.
        subject: Hash,
        /// When the event was handed in.
        since: UnixMillis,
    },
    /// It is of the log neither in form nor by signature.
    #[error("{0}")]
    Head(CheckpointError),
    /// The bytes are no note and no file.
    #[error("not a file: {0}")]
    Malformed(Malformed),
    /// It is newer than the newest head here. Replay first, then ask again.
    #[error("is of size {theirs}, known here is {ours}")]
    Newer {
        /// Its size.
        theirs: TreeSize,
        /// Size known here.
        ours: TreeSize,
    },
    /// The statement that the event was handed in is not this auditor's.
    #[error("not signed by the auditor that it names")]
    NotHanded,
    /// Only heads can be compared, because no map is known here.
    #[error("no map to look the subject up in")]
    NoMap,
    /// The event handed in is not, or is no longer, the admissible next one.
    #[error("{0}")]
    Refused(Refusal),
    /// The receipt is not one that the log gave.
    #[error("receipt: {0}")]
    Unsound(String),
}

/// Why nothing can be compared: trouble of the one who compares.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CompareError {
    /// The epoch leaf given is not the last leaf of the newest head.
    #[error("epoch leaf {index} is not the last of the log of size {size}")]
    Epoch {
        /// Size of the newest head.
        size: TreeSize,
        /// Index that the epoch leaf states.
        index: LeafIndex,
    },
    /// The newest head is not one of the log.
    #[error("newest head: {0}")]
    Head(#[from] CheckpointError),
    /// The head cannot be written.
    #[error("newest head: {0}")]
    Proof(#[from] Malformed),
    /// Tree and head do not belong together, so that nothing would prove anything.
    #[error("the tree has root {actual} at size {size}, the newest head says {expected}")]
    Root {
        /// Size of the newest head.
        size: TreeSize,
        /// Its root.
        expected: Hash,
        /// Root of the tree.
        actual: Hash,
    },
    /// The store.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The tree cannot be read.
    #[error("{0}")]
    Tree(String),
    /// The records cannot be read.
    #[error("{0}")]
    View(#[from] ViewFault),
}

impl Seen {
    /// All evidence, each piece once; else the first thing not judged; else agreement.
    pub(in crate::audit) fn worst(all: Vec<Self>) -> Self {
        let mut evidence = Vec::new();
        let mut open = None;
        for seen in all {
            match seen {
                Self::Agrees => {}
                Self::NotJudged(why) => open = open.or(Some(why)),
                Self::Evidence(found) => {
                    for piece in found {
                        if !evidence.contains(&piece) {
                            evidence.push(piece);
                        }
                    }
                }
            }
        }
        match (evidence.is_empty(), open) {
            (false, _) => Self::Evidence(evidence),
            (true, Some(why)) => Self::NotJudged(why),
            (true, None) => Self::Agrees,
        }
    }
}
