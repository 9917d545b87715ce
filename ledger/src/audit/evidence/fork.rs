//! Two heads of one log of which neither can have grown into the other.

use std::collections::BTreeMap;

use zhao_spec::file::{Evidence, TwoHeads};
use zhao_spec::log::LogKeys;
use zhao_spec::log::checkpoint::{Checkpoint, CheckpointError};
use zhao_spec::log::note::SignedNote;
use zhao_spec::log::tree::{
    Frontier, Node, NodeReader, ProveError, TreeSize, leaf_hash, prove_consistency, root,
};
use zhao_spec::wire::Hash;

use super::super::ahead::fetch;
use super::super::{AuditError, Auditor};
use crate::store::StoreError;
use crate::tree::{StoredTree, flatten};

/// A checkpoint that the log's own key signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedHead {
    /// What it states.
    pub checkpoint: Checkpoint,
    /// With all signatures, as seen.
    pub note: SignedNote,
}

impl SignedHead {
    /// Reads a note and checks the log's signature.
    ///
    /// # Errors
    /// Not a checkpoint, or not of this log.
    pub fn open(note: &str, log: &LogKeys) -> Result<Self, CheckpointError> {
        let (checkpoint, note) = log.open(note)?;
        Ok(Self { checkpoint, note })
    }
}

/// `two-heads` when `second`, whose tree is `tree`, did not grow from `first`, which is not larger.
///
/// # Errors
/// The tree's reader; `first` is the larger one.
pub fn two_heads<R: NodeReader>(
    first: &SignedHead,
    second: &SignedHead,
    tree: &R,
) -> Result<Option<Evidence>, ProveError<R::Error>> {
    let (old, new) = (first.checkpoint.size, second.checkpoint.size);
    if old.0 == 0 {
        // There is one empty log, and everything grows from it.
        return Ok(None);
    }
    let consistency = prove_consistency(old, new, tree)?;
    let implied = root(old, tree)?;
    if implied == first.checkpoint.root {
        return Ok(None);
    }
    Ok(Some(Evidence::TwoHeads(TwoHeads {
        consistency,
        first: first.note.clone(),
        root: implied,
        second: second.note.clone(),
    })))
}

/// Why a fork could not be looked into.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ForkError {
    /// A leaf could not be fetched.
    #[error("{0}")]
    Audit(#[from] AuditError),
    /// The auditor has cosigned nothing, so there is nothing to contradict.
    #[error("no head was cosigned before")]
    NoHead,
    /// The leaves handed out are not those of the checkpoint: the source lies, or mixes two logs.
    #[error("the leaves up to {size} have root {actual}, the checkpoint says {expected}")]
    Source {
        /// Size of the checkpoint.
        size: TreeSize,
        /// Its root.
        expected: Hash,
        /// Root of the leaves.
        actual: Hash,
    },
    /// The auditor's own store.
    #[error("{0}")]
    Store(#[from] StoreError),
}

impl From<CheckpointError> for ForkError {
    fn from(error: CheckpointError) -> Self {
        Self::Audit(AuditError::Checkpoint(error))
    }
}

impl Auditor {
    /// Compares a signed checkpoint, smaller or larger, with the head this auditor cosigned last:
    /// what to ask after [`AuditError::Fork`]. Nothing when one grew from the other.
    ///
    /// For a larger checkpoint the source's leaves are hashed from the first on, twice, since those
    /// of the auditor's own log are not the ones that were signed.
    ///
    /// # Errors
    /// See [`ForkError`].
    pub fn fork(&self, note: &str) -> Result<Option<Evidence>, ForkError> {
        let seen = SignedHead::open(note, &self.log)?;
        let own = self.latest()?.ok_or(ForkError::NoHead)?;
        let own = SignedHead::open(&own, &self.log)?;
        if seen.checkpoint.size <= own.checkpoint.size {
            let tree = StoredTree::new(&*self.store);
            return Ok(two_heads(&seen, &own, &tree).map_err(flatten)?);
        }
        let tree = SourceTree {
            auditor: self,
            size: seen.checkpoint.size,
        };
        let (size, expected) = (tree.size, seen.checkpoint.root);
        let actual = tree.root()?;
        if actual != expected {
            return Err(ForkError::Source {
                size,
                expected,
                actual,
            });
        }
        two_heads(&own, &seen, &tree).map_err(|error| match error {
            ProveError::Read(error) => ForkError::Audit(error),
            other => ForkError::Store(StoreError::Engine(other.to_string())),
        })
    }
}

/// The tree of the leaves that the source hands out. Only the nodes asked for are kept.
struct SourceTree<'a> {
    auditor: &'a Auditor,
    size: TreeSize,
}

impl SourceTree<'_> {
    /// Hashes every leaf in order, telling each completed node.
    fn walk(&self, mut each: impl FnMut(Node, Hash)) -> Result<Frontier, AuditError> {
        let mut frontier = Frontier::new();
        while frontier.size() < self.size {
            for leaf in fetch(&*self.auditor.source, frontier.size().0, self.size.0)? {
                let completed = frontier
                    .push(leaf_hash(&leaf))
                    .map_err(|error| StoreError::Engine(error.to_string()))?;
                for done in completed {
                    each(done.node, done.hash);
                }
            }
        }
        Ok(frontier)
    }

    fn root(&self) -> Result<Hash, AuditError> {
        Ok(self.walk(|_, _| ())?.root())
    }
}

impl NodeReader for SourceTree<'_> {
    type Error = AuditError;

    fn read(&self, nodes: &[Node]) -> Result<Vec<Hash>, AuditError> {
        let mut found: BTreeMap<Node, Option<Hash>> =
            nodes.iter().map(|node| (*node, None)).collect();
        self.walk(|node, hash| {
            if let Some(slot) = found.get_mut(&node) {
                *slot = Some(hash);
            }
        })?;
        let missing = |node: &Node| StoreError::Engine(format!("no tree has node {node:?}"));
        nodes
            .iter()
            .map(|node| {
                let hash = found.get(node).copied().flatten();
                hash.ok_or_else(|| missing(node).into())
            })
            .collect()
    }
}
