//! The trie in memory, whole or with parts known by their hash only.

use std::collections::BTreeMap;
use std::mem;
use std::sync::OnceLock;

use super::{EMPTY_ROOT, bit, first_difference, leaf_hash, node_hash};
use crate::wire::hash::Hash;

/// A subtree.
#[derive(Clone, Debug, Default)]
pub(super) enum Node {
    /// Nothing: only ever the whole map, or a place being rebuilt.
    #[default]
    Empty,
    /// One key.
    Leaf { key: Hash, record_hash: Hash },
    /// Two subtrees.
    Branch(Box<Branch>),
    /// A subtree of which only the hash is known. Whole maps have none.
    Stub(Hash),
}

/// Two subtrees whose keys agree below bit `depth` and differ there.
#[derive(Clone, Debug)]
pub(super) struct Branch {
    pub(super) depth: u8,
    pub(super) left: Node,
    pub(super) right: Node,
    /// Filled when asked for, emptied when something below changes.
    hash: OnceLock<Hash>,
}

impl Branch {
    pub(super) fn new(depth: u8, left: Node, right: Node) -> Self {
        Self {
            depth,
            left,
            right,
            hash: OnceLock::new(),
        }
    }

    /// The subtree on the key's way, then the other one.
    pub(super) fn sides(&self, key: &Hash) -> (&Node, &Node) {
        if bit(key, self.depth) {
            (&self.right, &self.left)
        } else {
            (&self.left, &self.right)
        }
    }

    /// As [`Branch::sides`]; the hash is forgotten.
    pub(super) fn sides_mut(&mut self, key: &Hash) -> (&mut Node, &mut Node) {
        self.hash.take();
        if bit(key, self.depth) {
            (&mut self.right, &mut self.left)
        } else {
            (&mut self.left, &mut self.right)
        }
    }
}

/// Where the way of a key ends.
pub(super) enum End {
    Empty,
    Leaf { key: Hash, record_hash: Hash },
    Stub,
}

impl Node {
    /// Hash of the subtree. Recursion is bounded by 256 branches.
    pub(super) fn hash(&self) -> Hash {
        match self {
            Self::Empty => EMPTY_ROOT,
            Self::Leaf { key, record_hash } => leaf_hash(key, record_hash),
            Self::Branch(branch) => *branch
                .hash
                .get_or_init(|| node_hash(branch.depth, &branch.left.hash(), &branch.right.hash())),
            Self::Stub(hash) => *hash,
        }
    }

    /// Follows the key's bits to the end, showing each branch on the way.
    pub(super) fn follow(&self, key: &Hash, mut visit: impl FnMut(&Branch)) -> End {
        let mut node = self;
        loop {
            match node {
                Self::Empty => return End::Empty,
                Self::Leaf { key, record_hash } => {
                    return End::Leaf {
                        key: *key,
                        record_hash: *record_hash,
                    };
                }
                Self::Branch(branch) => {
                    visit(branch);
                    node = branch.sides(key).0;
                }
                Self::Stub(_) => return End::Stub,
            }
        }
    }

    /// Sets a key's record hash. Returns the one before; an error when the way ends at a stub.
    pub(super) fn insert(&mut self, key: &Hash, record_hash: &Hash) -> Result<Option<Hash>, Stub> {
        let leaf = Self::Leaf {
            key: *key,
            record_hash: *record_hash,
        };
        let (split, before) = match self.follow(key, |_| ()) {
            End::Stub => return Err(Stub),
            End::Empty => {
                *self = leaf;
                return Ok(None);
            }
            // Keys that do not differ are one: its leaf is replaced and nothing moves.
            End::Leaf {
                key: found,
                record_hash,
            } => match first_difference(key, &found) {
                Some(depth) => (Some(depth), None),
                None => (None, Some(record_hash)),
            },
        };
        // The new branch goes above the first node that branches on a later bit: all its keys
        // agree with the found one up to there, and so differ from this key at `split`.
        let mut slot = self;
        while slot.branches_before(split) {
            let Self::Branch(branch) = slot else { break };
            slot = branch.sides_mut(key).0;
        }
        let below = mem::take(slot);
        *slot = match split {
            None => leaf,
            Some(depth) => {
                let (left, right) = if bit(key, depth) {
                    (below, leaf)
                } else {
                    (leaf, below)
                };
                Self::Branch(Box::new(Branch::new(depth, left, right)))
            }
        };
        Ok(before)
    }

    /// Whether this is a branch, and on an earlier bit than `split` if there is one.
    fn branches_before(&self, split: Option<u8>) -> bool {
        match self {
            Self::Branch(branch) => split.is_none_or(|split| branch.depth < split),
            _ => false,
        }
    }

    /// Collects every leaf, in key order.
    pub(super) fn leaves(&self, into: &mut BTreeMap<Hash, Hash>) {
        match self {
            Self::Empty | Self::Stub(_) => {}
            Self::Leaf { key, record_hash } => {
                into.insert(*key, *record_hash);
            }
            Self::Branch(branch) => {
                branch.left.leaves(into);
                branch.right.leaves(into);
            }
        }
    }
}

/// The way of a key ended where nothing is known.
#[derive(Debug)]
pub(super) struct Stub;
