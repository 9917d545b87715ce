//! A part of a map, opened from the root down: what a batch looks at, in one piece.
//!
//! Where [`Partial`](super::Partial) joins one path a key, an opening lists each node once, so that
//! thousands of keys cost little more than the nodes they do not share.

use super::{EMPTY_ROOT, bit, first_difference, leaf_hash, node_hash};
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
///
/// Written apart from the trie of [`MemoryMap`](super::MemoryMap), and with another layout: nodes
/// stand in one list and name each other by their place.
#[derive(Clone, Debug)]
pub struct Opened {
    nodes: Vec<Node>,
    /// Place of the topmost node; nothing for the empty map.
    top: Option<usize>,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    kind: Kind,
    hash: Hash,
    /// Something below was set since the hash was computed.
    stale: bool,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Branch {
        depth: u8,
        left: usize,
        right: usize,
    },
    Closed,
    Leaf {
        key: Hash,
        record_hash: Hash,
    },
}

impl Opened {
    /// The part of the map with `root` that `parts` open; no parts at all open the empty map.
    ///
    /// # Errors
    /// `Shape`: parts that are no tree, or whose depths do not increase. `Root`: another root.
    pub fn new(root: &Hash, parts: &[Part]) -> Result<Self, OpenedError> {
        let mut opened = Self {
            nodes: Vec::with_capacity(parts.len()),
            top: None,
        };
        let mut rest = parts.iter();
        if let Some(first) = rest.next() {
            opened.top = Some(opened.grow(first, &mut rest, None)?);
        }
        if rest.next().is_some() {
            return Err(OpenedError::Shape);
        }
        let actual = opened.hash_at(opened.top);
        if actual != *root {
            let expected = *root;
            return Err(OpenedError::Root { expected, actual });
        }
        Ok(opened)
    }

    /// Adds the subtree that `part` begins and returns its place. Depths increase, so the recursion
    /// is bounded by 256.
    fn grow(
        &mut self,
        part: &Part,
        rest: &mut std::slice::Iter<'_, Part>,
        above: Option<u8>,
    ) -> Result<usize, OpenedError> {
        let (kind, hash) = match part {
            Part::Closed(hash) => (Kind::Closed, *hash),
            Part::Leaf { key, record_hash } => (
                Kind::Leaf {
                    key: *key,
                    record_hash: *record_hash,
                },
                leaf_hash(key, record_hash),
            ),
            Part::Branch(depth) => {
                if above.is_some_and(|above| above >= *depth) {
                    return Err(OpenedError::Shape);
                }
                let part = rest.next().ok_or(OpenedError::Shape)?;
                let left = self.grow(part, rest, Some(*depth))?;
                let part = rest.next().ok_or(OpenedError::Shape)?;
                let right = self.grow(part, rest, Some(*depth))?;
                let hash = node_hash(
                    *depth,
                    &self.hash_at(Some(left)),
                    &self.hash_at(Some(right)),
                );
                let depth = *depth;
                (Kind::Branch { depth, left, right }, hash)
            }
        };
        Ok(self.push(kind, hash, false))
    }

    fn push(&mut self, kind: Kind, hash: Hash, stale: bool) -> usize {
        self.nodes.push(Node { kind, hash, stale });
        self.nodes.len().saturating_sub(1)
    }

    fn hash_at(&self, at: Option<usize>) -> Hash {
        let node = at.and_then(|at| self.nodes.get(at));
        node.map_or(EMPTY_ROOT, |node| node.hash)
    }

    /// Follows a key as long as it meets a branch that `goes_on` with its depth. Returns the link
    /// it stopped at (the branch above, and whether it went right) and the node there.
    fn follow(
        &self,
        key: &Hash,
        goes_on: impl Fn(u8) -> bool,
        mut pass: impl FnMut(usize),
    ) -> (Option<(usize, bool)>, Option<usize>) {
        let (mut link, mut place) = (None, self.top);
        while let Some(at) = place {
            let Some(Kind::Branch { depth, left, right }) = self.nodes.get(at).map(|n| n.kind)
            else {
                break;
            };
            if !goes_on(depth) {
                break;
            }
            pass(at);
            let goes_right = bit(key, depth);
            link = Some((at, goes_right));
            place = Some(if goes_right { right } else { left });
        }
        (link, place)
    }

    /// The record hash of a key; nothing for a key the map does not have.
    ///
    /// # Errors
    /// `Closed`: the way of the key ends at a closed subtree.
    pub fn find(&self, key: &Hash) -> Result<Option<Hash>, OpenedError> {
        let (_, end) = self.follow(key, |_| true, |_| ());
        match end.and_then(|at| self.nodes.get(at)).map(|node| node.kind) {
            None => Ok(None),
            Some(Kind::Leaf {
                key: found,
                record_hash,
            }) => Ok(Some(record_hash).filter(|_| found == *key)),
            Some(_) => Err(OpenedError::Closed { key: *key }),
        }
    }

    /// Sets a key's record hash. Returns the one before.
    ///
    /// # Errors
    /// `Closed`; nothing is then changed.
    pub fn set(&mut self, key: &Hash, record_hash: &Hash) -> Result<Option<Hash>, OpenedError> {
        let leaf = Kind::Leaf {
            key: *key,
            record_hash: *record_hash,
        };
        let hash = leaf_hash(key, record_hash);
        let (_, end) = self.follow(key, |_| true, |_| ());
        let Some((end, node)) = end.and_then(|at| Some((at, *self.nodes.get(at)?))) else {
            self.top = Some(self.push(leaf, hash, false));
            return Ok(None);
        };
        let Kind::Leaf {
            key: found,
            record_hash: before,
        } = node.kind
        else {
            return Err(OpenedError::Closed { key: *key });
        };
        // Keys that do not differ are one: its leaf is replaced and nothing moves.
        let Some(split) = first_difference(key, &found) else {
            if let Some(node) = self.nodes.get_mut(end) {
                *node = Node {
                    kind: leaf,
                    hash,
                    stale: false,
                };
            }
            self.touch(key, |_| true);
            return Ok(Some(before));
        };
        // The new branch goes above the first node that branches on a later bit, or above the leaf.
        let (link, below) = self.follow(key, |depth| depth < split, |_| ());
        let below = below.unwrap_or(end);
        self.touch(key, |depth| depth < split);
        let own = self.push(leaf, hash, false);
        let (left, right) = if bit(key, split) {
            (below, own)
        } else {
            (own, below)
        };
        let kind = Kind::Branch {
            depth: split,
            left,
            right,
        };
        let branch = self.push(kind, hash, true);
        match link {
            None => self.top = Some(branch),
            Some((above, to_right)) => {
                if let Some(Kind::Branch { left, right, .. }) =
                    self.nodes.get_mut(above).map(|node| &mut node.kind)
                {
                    *(if to_right { right } else { left }) = branch;
                }
            }
        }
        Ok(None)
    }

    /// Marks the branches on a key's way.
    fn touch(&mut self, key: &Hash, goes_on: impl Fn(u8) -> bool) {
        let mut passed = [0_usize; 256];
        let mut places = passed.iter_mut();
        self.follow(key, goes_on, |at| {
            if let Some(place) = places.next() {
                *place = at;
            }
        });
        let count = places.len();
        for at in passed.iter().take(256_usize.saturating_sub(count)) {
            if let Some(node) = self.nodes.get_mut(*at) {
                node.stale = true;
            }
        }
    }

    /// Root of the map as it is now.
    pub fn root(&mut self) -> Hash {
        match self.top {
            None => EMPTY_ROOT,
            Some(top) => self.refresh(top),
        }
    }

    /// Computes what is stale below a node. Depths increase, so the recursion is bounded by 256.
    fn refresh(&mut self, at: usize) -> Hash {
        let Some(node) = self.nodes.get(at).copied() else {
            return EMPTY_ROOT;
        };
        let Kind::Branch { depth, left, right } = node.kind else {
            return node.hash;
        };
        if !node.stale {
            return node.hash;
        }
        let hash = node_hash(depth, &self.refresh(left), &self.refresh(right));
        if let Some(node) = self.nodes.get_mut(at) {
            (node.hash, node.stale) = (hash, false);
        }
        hash
    }
}
