//! A part of a map, opened from the root down: what a batch looks at, in one piece.
//!
//! Where [`Partial`](super::Partial) joins one path a key, an opening lists each node once, so that
//! thousands of keys cost little more than the nodes they do not share.

use super::trie::{Branch, End, Node};
use crate::wire::hash::Hash;

/// Why an opening is refused, or cannot answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenedError {
    /// The way of a key ends at a subtree that was not opened.
    #[error("the way of the key {key} is closed")]
    Closed {
        /// The key.
        key: Hash,
    },
    /// The parts have another root.
    #[error("map root is {actual}, expected {expected}")]
    Root {
        /// Root handed in.
        expected: Hash,
        /// Root of the parts.
        actual: Hash,
    },
    /// The parts are no tree: too few, too many, or depths that do not increase.
    #[error("the parts are no tree")]
    Shape,
}

/// A node of an opening; nodes come in pre-order, left before right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A node that branches on this bit; its left and right follow.
    Branch(u8),
    /// A subtree that stays closed.
    Closed(Hash),
    /// A key and its record hash.
    Leaf {
        /// The key.
        key: Hash,
        /// SHA-256 of its record.
        record_hash: Hash,
    },
}

/// The opened part of a map.
#[derive(Clone, Debug)]
pub struct Opened {
    root: Node,
}

impl Opened {
    /// The part of the map with `root` that `parts` open; no parts at all open the empty map.
    ///
    /// # Errors
    /// `Shape`: parts that are no tree, or whose depths do not increase. `Root`: another root.
    pub fn new(root: &Hash, parts: &[Part]) -> Result<Self, OpenedError> {
        let mut parts = parts.iter();
        let tree = match parts.next() {
            None => Node::Empty,
            Some(first) => grow(first, &mut parts, None)?,
        };
        if parts.next().is_some() {
            return Err(OpenedError::Shape);
        }
        let actual = tree.hash();
        if actual != *root {
            let expected = *root;
            return Err(OpenedError::Root { expected, actual });
        }
        Ok(Self { root: tree })
    }

    /// The record hash of a key; nothing for a key the map does not have.
    ///
    /// # Errors
    /// `Closed`: the way of the key ends at a closed subtree.
    pub fn find(&self, key: &Hash) -> Result<Option<Hash>, OpenedError> {
        match self.root.follow(key, |_| ()) {
            End::Empty => Ok(None),
            End::Leaf {
                key: found,
                record_hash,
            } => Ok(Some(record_hash).filter(|_| found == *key)),
            End::Stub => Err(OpenedError::Closed { key: *key }),
        }
    }

    /// Sets a key's record hash. Returns the one before.
    ///
    /// # Errors
    /// `Closed`; nothing is then changed.
    pub fn set(&mut self, key: &Hash, record_hash: &Hash) -> Result<Option<Hash>, OpenedError> {
        let set = self.root.insert(key, record_hash);
        set.map_err(|_| OpenedError::Closed { key: *key })
    }

    /// Root of the map as it is now.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.root.hash()
    }
}

/// The subtree that `part` begins. Depths increase, so the recursion is bounded by 256.
fn grow(
    part: &Part,
    rest: &mut std::slice::Iter<'_, Part>,
    above: Option<u8>,
) -> Result<Node, OpenedError> {
    match part {
        Part::Closed(hash) => Ok(Node::Stub(*hash)),
        Part::Leaf { key, record_hash } => Ok(Node::Leaf {
            key: *key,
            record_hash: *record_hash,
        }),
        Part::Branch(depth) => {
            if above.is_some_and(|above| above >= *depth) {
                return Err(OpenedError::Shape);
            }
            let left = rest.next().ok_or(OpenedError::Shape)?;
            let left = grow(left, rest, Some(*depth))?;
            let right = rest.next().ok_or(OpenedError::Shape)?;
            let right = grow(right, rest, Some(*depth))?;
            Ok(Node::Branch(Box::new(Branch::new(*depth, left, right))))
        }
    }
}
