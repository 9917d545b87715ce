//! A tree held in memory: for tests, auditors and other small uses.

use super::{
    Frontier, LeafIndex, Node, NodeReader, ProveError, TreeError, TreeSize, prove_consistency,
    prove_inclusion, root,
};
use crate::wire::hash::Hash;

/// Every perfect subtree's hash, by level and index.
#[derive(Clone, Debug, Default)]
pub struct MemoryTree {
    frontier: Frontier,
    levels: Vec<Vec<Hash>>,
}

/// The tree does not have this node (yet).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("tree has no node {} at level {}", .0.index, .0.level)]
pub struct MissingNode(
    /// The node asked for.
    pub Node,
);

impl MemoryTree {
    /// A tree without entries.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends an entry by its leaf hash and returns its index.
    ///
    /// # Errors
    /// `SizeLimit`.
    pub fn push(&mut self, leaf: Hash) -> Result<LeafIndex, TreeError> {
        let index = LeafIndex(self.frontier.size().0);
        for completed in self.frontier.push(leaf)? {
            let level = usize::from(completed.node.level);
            if self.levels.len() <= level {
                self.levels.resize_with(level.saturating_add(1), Vec::new);
            }
            // A level's nodes are completed from left to right, so pushing keeps index order.
            if let Some(nodes) = self.levels.get_mut(level) {
                nodes.push(completed.hash);
            }
        }
        Ok(index)
    }

    /// Number of entries.
    #[must_use]
    pub fn size(&self) -> TreeSize {
        self.frontier.size()
    }

    /// Root over all entries.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.frontier.root()
    }

    /// Root as it was when the tree had `size` entries.
    ///
    /// # Errors
    /// `Read` when the tree never had that size.
    pub fn root_at(&self, size: TreeSize) -> Result<Hash, ProveError<MissingNode>> {
        root(size, self)
    }

    /// Inclusion proof of `index` in the tree when it had `size` entries.
    ///
    /// # Errors
    /// As [`prove_inclusion`].
    pub fn prove_inclusion(
        &self,
        index: LeafIndex,
        size: TreeSize,
    ) -> Result<Vec<Hash>, ProveError<MissingNode>> {
        prove_inclusion(index, size, self)
    }

    /// Consistency proof between two sizes the tree has had.
    ///
    /// # Errors
    /// As [`prove_consistency`].
    pub fn prove_consistency(
        &self,
        old: TreeSize,
        new: TreeSize,
    ) -> Result<Vec<Hash>, ProveError<MissingNode>> {
        prove_consistency(old, new, self)
    }
}

impl NodeReader for MemoryTree {
    type Error = MissingNode;

    fn read(&self, nodes: &[Node]) -> Result<Vec<Hash>, MissingNode> {
        let find = |node: &Node| {
            let index = usize::try_from(node.index).ok()?;
            self.levels
                .get(usize::from(node.level))?
                .get(index)
                .copied()
        };
        nodes
            .iter()
            .map(|node| find(node).ok_or(MissingNode(*node)))
            .collect()
    }
}
