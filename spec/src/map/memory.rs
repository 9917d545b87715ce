//! A whole map in memory: for auditors and tests.

use std::collections::BTreeMap;

use super::path::{MapPath, Terminal};
use super::trie::{End, Node};
use crate::wire::hash::Hash;

/// A map held in memory. Setting a key is cheap; hashes are computed when the root or a path is
/// asked for, once each.
#[derive(Clone, Debug, Default)]
pub struct MemoryMap {
    root: Node,
    count: usize,
}

impl MemoryMap {
    /// A map without keys.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a key's record hash and returns the one before.
    pub fn insert(&mut self, key: &Hash, record_hash: &Hash) -> Option<Hash> {
        let before = self
            .root
            .insert(key, record_hash)
            .expect("a whole map has no stubs");
        if before.is_none() {
            self.count = self.count.saturating_add(1);
        }
        before
    }

    /// A key's record hash.
    #[must_use]
    pub fn find(&self, key: &Hash) -> Option<Hash> {
        match self.root.follow(key, |_| ()) {
            End::Leaf {
                key: found,
                record_hash,
            } if found == *key => Some(record_hash),
            _ => None,
        }
    }

    /// Number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Root of the map.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.root.hash()
    }

    /// A key's record hash, if it has one, and the path that proves this answer.
    #[must_use]
    pub fn prove(&self, key: &Hash) -> (Option<Hash>, MapPath) {
        let mut path = MapPath::default();
        let end = self.root.follow(key, |branch| {
            path.depths.push(branch.depth);
            path.hashes.push(branch.sides(key).1.hash());
        });
        match end {
            End::Leaf {
                key: found,
                record_hash,
            } if found == *key => (Some(record_hash), path),
            End::Leaf { key, record_hash } => {
                path.terminal = Some(Terminal { key, record_hash });
                (None, path)
            }
            End::Empty | End::Stub => (None, path),
        }
    }

    /// Every key and record hash, in key order.
    #[must_use]
    pub fn to_sorted(&self) -> BTreeMap<Hash, Hash> {
        let mut all = BTreeMap::new();
        self.root.leaves(&mut all);
        all
    }
}
