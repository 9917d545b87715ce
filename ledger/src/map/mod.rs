//! The status map: what every subject is now, in memory, from the records on disk.
//!
//! A [`StatusMap`] is one epoch's map and never changes; the next epoch's shares with it whatever
//! stayed. Only records are on disk, each under the epoch that wrote it: [`load`](mod@load) makes
//! the map of any epoch that is not pruned, and whoever loads compares its root with the epoch
//! leaf. [`Maps`] hands the newest ones to readers. What the hashes mean is `zhao_spec::map`'s.
//!
//! Memory: a subject takes at most 150 bytes, see the test of that name.

pub mod edition;
mod heap;
pub mod load;
mod node;
mod page;
pub mod prune;
mod row;
mod shared;

#[cfg(test)]
mod tests;

use zhao_spec::map::{EMPTY_ROOT, MapPath, Part, Terminal};
use zhao_spec::wire::Hash;

pub use node::MapLeaf;
use node::Node;
pub use shared::Maps;

/// A sibling on the way down: the depth of the branch, and the hash on the other side.
pub type Sibling = (u8, Hash);

/// The map of one epoch. Clones are the same map.
#[derive(Clone, Debug, Default)]
pub struct StatusMap {
    top: Option<(Node, Hash)>,
    count: u64,
}

/// Where following a key ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Siblings passed, from the root down.
    pub siblings: Vec<Sibling>,
    /// The key at the end: the one sought, another one (which proves absence), or none at all.
    pub leaf: Option<MapLeaf>,
}

impl Found {
    /// The path that proves what was found for `key`: its record, or that it has none.
    #[must_use]
    pub fn path(&self, key: &Hash) -> MapPath {
        let (depths, hashes) = self.siblings.iter().copied().unzip();
        let other = self.leaf.filter(|leaf| leaf.key != *key);
        let terminal = other.map(|leaf| Terminal {
            key: leaf.key,
            record_hash: leaf.record,
        });
        MapPath {
            depths,
            hashes,
            terminal,
        }
    }

    /// The leaf of `key` itself, if the map has it.
    #[must_use]
    pub fn of(&self, key: &Hash) -> Option<&MapLeaf> {
        self.leaf.as_ref().filter(|leaf| leaf.key == *key)
    }
}

/// A map after an update.
#[derive(Clone, Debug)]
pub struct Updated {
    /// The new map.
    pub map: StatusMap,
    /// Leaves that were replaced.
    pub replaced: Vec<MapLeaf>,
}

impl StatusMap {
    /// A map without keys.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The map of these leaves, keys ascending, each once.
    #[must_use]
    pub fn of(leaves: &[MapLeaf]) -> Self {
        let top = (!leaves.is_empty()).then(|| Node::build(leaves, 0));
        let count = u64::try_from(leaves.len()).unwrap_or(u64::MAX);
        Self { top, count }
    }

    /// Its root.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.top.as_ref().map_or(EMPTY_ROOT, |(_, hash)| *hash)
    }

    /// Number of keys.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The leaf of a key.
    #[must_use]
    pub fn get(&self, key: &Hash) -> Option<MapLeaf> {
        self.top.as_ref()?.0.get(key)
    }

    /// Follows a key down.
    #[must_use]
    pub fn find(&self, key: &Hash) -> Found {
        let mut siblings = Vec::new();
        let top = self.top.as_ref();
        let leaf = top.and_then(|(node, _)| node.follow(key, &mut siblings));
        Found { siblings, leaf }
    }

    /// The map opened for `keys`: what they are, or that they are absent, under this root. `keys`
    /// are reordered.
    #[must_use]
    pub fn open(&self, keys: &mut [Hash]) -> Vec<Part> {
        let mut parts = Vec::new();
        if let Some((node, _)) = &self.top {
            node.open(keys, &mut parts);
        }
        parts
    }

    /// The map with `changes`, keys ascending, each once.
    #[must_use]
    pub fn update(&self, changes: &[MapLeaf]) -> Updated {
        let mut found = node::Found::default();
        let top = match &self.top {
            _ if changes.is_empty() => self.top.clone(),
            None => {
                found.added = u64::try_from(changes.len()).unwrap_or(u64::MAX);
                Some(Node::build(changes, 0))
            }
            Some((node, _)) => Some(node.update(0, changes, &mut found)),
        };
        let count = self.count.saturating_add(found.added);
        Updated {
            map: Self { top, count },
            replaced: found.replaced,
        }
    }

    /// Shows every leaf, keys ascending.
    pub fn each(&self, visit: &mut dyn FnMut(&MapLeaf)) {
        if let Some((node, _)) = &self.top {
            node.each(visit);
        }
    }
}
