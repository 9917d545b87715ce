//! The compact state needed to append: one hash for each one-bit of the size.

use super::read::join;
use super::{Node, SIZE_LIMIT, TreeError, TreeSize, check_size, empty_root, node_hash, peaks};
use crate::wire::hash::Hash;

/// A perfect subtree that an append completed, and its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Completed {
    /// Which subtree.
    pub node: Node,
    /// Its hash, final from now on.
    pub hash: Hash,
}

/// The right edge of a tree: enough to append and to compute the root, in at most 62 hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// Perfect subtrees, largest first; their sizes are the one-bits of `size`.
    nodes: Vec<Hash>,
}

impl Default for Frontier {
    fn default() -> Self {
        Self::new()
    }
}

impl Frontier {
    /// The frontier of the tree without entries.
    #[must_use]
    pub fn new() -> Self {
        Self {
            size: 0,
            nodes: Vec::new(),
        }
    }

    /// Restores a frontier from the hashes of [`peaks`]`(size)`, in that order.
    ///
    /// # Errors
    /// `SizeLimit`, `NodeCount`.
    pub fn from_nodes(size: TreeSize, nodes: Vec<Hash>) -> Result<Self, TreeError> {
        check_size(size)?;
        let expected = peaks(size).len();
        if nodes.len() != expected {
            return Err(TreeError::NodeCount {
                size,
                expected,
                actual: nodes.len(),
            });
        }
        Ok(Self {
            size: size.0,
            nodes,
        })
    }

    /// Appends an entry by its leaf hash. Returns the subtrees this completes, lowest first: the
    /// leaf itself, then each parent whose right half is now full.
    ///
    /// # Errors
    /// `SizeLimit`: the tree is full.
    pub fn push(&mut self, leaf: Hash) -> Result<Vec<Completed>, TreeError> {
        let size = self.size.saturating_add(1);
        if size >= SIZE_LIMIT {
            return Err(TreeError::SizeLimit {
                size: TreeSize(size),
            });
        }
        let mut node = Node {
            level: 0,
            index: self.size,
        };
        let mut hash = leaf;
        let mut completed = vec![Completed { node, hash }];
        // Each trailing one-bit of the old size is a subtree as large as the one in hand.
        for _ in 0..self.size.trailing_ones() {
            let Some(left) = self.nodes.pop() else { break };
            hash = node_hash(&left, &hash);
            node = Node {
                level: node.level.saturating_add(1),
                index: node.index >> 1,
            };
            completed.push(Completed { node, hash });
        }
        self.nodes.push(hash);
        self.size = size;
        Ok(completed)
    }

    /// Root of the tree as it is now.
    pub fn root(&self) -> Hash {
        join(&self.nodes).unwrap_or_else(empty_root)
    }

    /// Number of entries appended.
    #[must_use]
    pub fn size(&self) -> TreeSize {
        TreeSize(self.size)
    }

    /// Hashes of the perfect subtrees, largest first: what [`Frontier::from_nodes`] takes.
    #[must_use]
    pub fn nodes(&self) -> &[Hash] {
        &self.nodes
    }
}
