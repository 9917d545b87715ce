//! A map of which only some ways are known: enough to compute what a batch does to the root.

use std::collections::BTreeSet;

use super::path::MapPath;
use super::trie::{Branch, Node};
use super::{EMPTY_ROOT, PartialError, bit, check};
use crate::wire::hash::Hash;

/// The known part of a map, built from paths under one root and from nothing else.
///
/// The sequencer computes each new root a second time with it, and whoever judges evidence of a
/// wrong root needs no more than this.
#[derive(Clone, Debug)]
pub struct Partial {
    root: Node,
    covered: BTreeSet<Hash>,
}

impl Partial {
    /// Merges paths under `root`, each with its key and, for presence, its record hash. Each is
    /// checked by itself first. A key may come twice.
    ///
    /// # Errors
    /// `Path` with the key and what is wrong; `Contradiction`.
    pub fn from_paths(
        root: &Hash,
        paths: &[(Hash, Option<Hash>, &MapPath)],
    ) -> Result<Self, PartialError> {
        let start = if *root == EMPTY_ROOT {
            Node::Empty
        } else {
            Node::Stub(*root)
        };
        let mut partial = Self {
            root: start,
            covered: BTreeSet::new(),
        };
        for (key, record_hash, path) in paths {
            check(root, key, record_hash.as_ref(), path)
                .map_err(|error| PartialError::Path { key: *key, error })?;
            partial
                .merge(key, record_hash.as_ref(), path)
                .ok_or(PartialError::Contradiction { key: *key })?;
            partial.covered.insert(*key);
        }
        Ok(partial)
    }

    /// Adds a checked path. Nothing when it does not fit what is known, which takes a collision.
    fn merge(&mut self, key: &Hash, record_hash: Option<&Hash>, path: &MapPath) -> Option<()> {
        let leaf = match (record_hash, &path.terminal) {
            (Some(record_hash), _) => Node::Leaf {
                key: *key,
                record_hash: *record_hash,
            },
            (None, Some(end)) => Node::Leaf {
                key: end.key,
                record_hash: end.record_hash,
            },
            (None, None) => return matches!(self.root, Node::Empty).then_some(()),
        };
        let mut slot = &mut self.root;
        let mut steps = path.depths.iter().zip(&path.hashes);
        loop {
            match slot {
                // From here on nothing is known yet: the rest of the path goes in as it is, and
                // has to have the hash that stood for it.
                Node::Stub(known) => {
                    let known = *known;
                    let rest = steps.rev().fold(leaf, |below, (depth, other)| {
                        let other = Node::Stub(*other);
                        let right = bit(key, *depth);
                        let (left, right) = if right {
                            (other, below)
                        } else {
                            (below, other)
                        };
                        Node::Branch(Box::new(Branch::new(*depth, left, right)))
                    });
                    let fits = rest.hash() == known;
                    *slot = rest;
                    return fits.then_some(());
                }
                Node::Branch(branch) => {
                    let (depth, other) = steps.next()?;
                    if branch.depth != *depth || branch.sides(key).1.hash() != *other {
                        return None;
                    }
                    slot = branch.sides_mut(key).0;
                }
                Node::Leaf { .. } => {
                    let ends = steps.next().is_none() && slot.hash() == leaf.hash();
                    return ends.then_some(());
                }
                Node::Empty => return None,
            }
        }
    }

    /// Root of the map as it is now.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.root.hash()
    }

    /// Sets keys to record hashes, new or replaced, in order, and returns the new root.
    ///
    /// # Errors
    /// `KeyNotCovered`: no path was given for a key. Nothing is then changed.
    pub fn apply(&mut self, changes: &[(Hash, Hash)]) -> Result<Hash, PartialError> {
        if let Some((key, _)) = changes.iter().find(|(key, _)| !self.covered.contains(key)) {
            return Err(PartialError::KeyNotCovered { key: *key });
        }
        for (key, record_hash) in changes {
            // Every branch on a covered key's way is known, so the way never ends at a stub.
            self.root
                .insert(key, record_hash)
                .map_err(|_| PartialError::KeyNotCovered { key: *key })?;
        }
        Ok(self.root())
    }
}
