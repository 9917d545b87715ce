//! Nodes of the status map in memory: buckets of keys, and pages of four branch depths above them.
//!
//! Nodes are never changed: an update makes new ones on the way of each key and shares the rest, so
//! whoever holds an earlier map keeps it whole at the price of what has changed since.

use std::sync::Arc;

use zhao_spec::map::{Part, first_difference, leaf_hash};
use zhao_spec::wire::Hash;

use super::Sibling;
use super::row::{self, Cell, Item, fresh};

/// Keys of a bucket. More become a page of up to sixteen buckets.
const BUCKET: usize = 64;
/// Branch depths of a page, bits.
const BITS: u8 = 4;
/// Nibbles of a key.
const LEVELS: u8 = 64;

/// A key in the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MapLeaf {
    /// Subject key.
    pub key: Hash,
    /// SHA-256 of its record.
    pub record: Hash,
    /// The epoch that wrote the record; 2^32 of them are more than a century of one a second.
    pub version: u32,
}

impl Item for MapLeaf {
    fn hash(&self) -> Hash {
        leaf_hash(&self.key, &self.record)
    }
}

/// What a page has under one nibble.
#[derive(Clone, Debug)]
pub(super) struct Child {
    pub(super) nibble: u8,
    pub(super) hash: Hash,
    pub(super) node: Node,
}

impl Item for Child {
    fn hash(&self) -> Hash {
        self.hash
    }
}

/// A subtree.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Bucket(Arc<[Cell<MapLeaf>]>),
    Page(Arc<[Cell<Child>]>),
}

/// What an update found on its way.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Keys that were not there.
    pub(super) added: u64,
    /// Leaves that were replaced.
    pub(super) replaced: Vec<MapLeaf>,
}

/// The nibble of a key that a page `level` nibbles deep chooses by.
pub(super) fn nibble(key: &Hash, level: u8) -> u8 {
    let byte = key.0.get(usize::from(level / 2)).copied().unwrap_or(0);
    if level.is_multiple_of(2) {
        byte >> 4
    } else {
        byte & 0x0f
    }
}

impl Node {
    /// The subtree of these leaves, keys ascending, at least one; with its hash.
    pub(super) fn build(leaves: &[MapLeaf], level: u8) -> (Self, Hash) {
        if leaves.len() <= BUCKET || level >= LEVELS {
            let mut row: Vec<Cell<MapLeaf>> = leaves.iter().copied().map(cell).collect();
            set_depths(&mut row);
            let dirty: Vec<usize> = (0..row.len()).collect();
            let hash = row::refresh(&mut row, 0, &dirty);
            return (Self::Bucket(row.into()), hash);
        }
        let children = leaves
            .chunk_by(|a, b| nibble(&a.key, level) == nibble(&b.key, level))
            .filter_map(|group| {
                let nibble = nibble(&group.first()?.key, level);
                let (node, hash) = Self::build(group, level.saturating_add(1));
                Some(Child { nibble, hash, node })
            })
            .collect();
        Self::page(children, level)
    }

    /// A page of these children, nibbles ascending, at least one; with its hash.
    pub(super) fn page(children: Vec<Child>, level: u8) -> (Self, Hash) {
        let dirty: Vec<usize> = (0..children.len()).collect();
        Self::page_with(children.into_iter().map(cell).collect(), level, &dirty)
    }

    fn page_with(mut row: Vec<Cell<Child>>, level: u8, dirty: &[usize]) -> (Self, Hash) {
        let next: Vec<u8> = row.iter().skip(1).map(|cell| cell.item.nibble).collect();
        for (cell, next) in row.iter_mut().zip(next) {
            // Two nibbles differ in one of the low four bits of a byte.
            let zeros = (cell.item.nibble ^ next).leading_zeros();
            let within = u8::try_from(zeros).unwrap_or(0).saturating_sub(8 - BITS);
            cell.gap.depth = level.saturating_mul(BITS).saturating_add(within);
        }
        let hash = row::refresh(&mut row, 0, dirty);
        (Self::Page(row.into()), hash)
    }

    /// Follows a key to a leaf, showing what it passes.
    pub(super) fn follow(&self, key: &Hash, siblings: &mut Vec<Sibling>) -> Option<MapLeaf> {
        let mut node = self;
        loop {
            match node {
                Self::Bucket(row) => return row::follow(row, key, siblings).copied(),
                Self::Page(row) => node = &row::follow(row, key, siblings)?.node,
            }
        }
    }

    /// The leaf of a key, without its path.
    pub(super) fn get(&self, key: &Hash) -> Option<MapLeaf> {
        let (mut node, mut level) = (self, 0);
        loop {
            match node {
                Self::Bucket(row) => {
                    let at = row.binary_search_by(|cell| cell.item.key.cmp(key)).ok()?;
                    return row.get(at).map(|cell| cell.item);
                }
                Self::Page(row) => {
                    let wanted = nibble(key, level);
                    let at = row.binary_search_by_key(&wanted, |cell| cell.item.nibble);
                    node = &row.get(at.ok()?)?.item.node;
                    level = level.saturating_add(1);
                }
            }
        }
    }

    /// Opens the ways of `keys`, which are reordered.
    pub(super) fn open(&self, keys: &mut [Hash], parts: &mut Vec<Part>) {
        match self {
            Self::Bucket(row) => row::open(row, keys, parts, &mut |leaf: &MapLeaf, _, parts| {
                parts.push(Part::Leaf {
                    key: leaf.key,
                    record_hash: leaf.record,
                });
            }),
            Self::Page(row) => row::open(row, keys, parts, &mut |child: &Child, keys, parts| {
                child.node.open(keys, parts);
            }),
        }
    }

    /// Bytes it has from the allocator, each block with 8 bytes of its own and rounded up to 16.
    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        let block = |bytes: usize| (bytes + 2 * size_of::<usize>() + 8).next_multiple_of(16);
        match self {
            Self::Bucket(row) => block(size_of_val::<[_]>(row)),
            Self::Page(row) => {
                let below = row.iter().map(|cell| cell.item.node.memory());
                block(size_of_val::<[_]>(row)) + below.sum::<usize>()
            }
        }
    }

    /// Shows every leaf, keys ascending.
    pub(super) fn each(&self, visit: &mut dyn FnMut(&MapLeaf)) {
        match self {
            Self::Bucket(row) => row.iter().for_each(|cell| visit(&cell.item)),
            Self::Page(row) => row.iter().for_each(|cell| cell.item.node.each(visit)),
        }
    }

    /// The subtree after `changes`, keys ascending, at least one; with its hash.
    pub(super) fn update(&self, level: u8, changes: &[MapLeaf], found: &mut Found) -> (Self, Hash) {
        match self {
            Self::Bucket(row) => update_bucket(row, level, changes, found),
            Self::Page(row) => update_page(row, level, changes, found),
        }
    }
}

fn cell<T>(item: T) -> Cell<T> {
    Cell {
        item,
        gap: fresh(0),
    }
}

/// Sets the depth of each gap from the keys beside it.
fn set_depths(row: &mut [Cell<MapLeaf>]) {
    for at in 1..row.len() {
        let Some([a, b]) = row.get_mut(at - 1..=at) else {
            continue;
        };
        a.gap.depth = first_difference(&a.item.key, &b.item.key).unwrap_or(u8::MAX);
    }
}

fn update_bucket(
    old: &[Cell<MapLeaf>],
    level: u8,
    changes: &[MapLeaf],
    found: &mut Found,
) -> (Node, Hash) {
    let mut row: Vec<Cell<MapLeaf>> = Vec::with_capacity(old.len() + changes.len());
    let mut dirty = Vec::with_capacity(changes.len());
    let mut kept = old.iter().peekable();
    for change in changes {
        while let Some(before) = kept.next_if(|cell| cell.item.key < change.key) {
            row.push(before.clone());
        }
        dirty.push(row.len());
        match kept.next_if(|cell| cell.item.key == change.key) {
            Some(before) => {
                found.replaced.push(before.item);
                row.push(Cell {
                    item: *change,
                    gap: before.gap,
                });
            }
            None => {
                found.added = found.added.saturating_add(1);
                row.push(cell(*change));
            }
        }
    }
    row.extend(kept.cloned());
    if row.len() > BUCKET && level < LEVELS {
        let leaves: Vec<MapLeaf> = row.iter().map(|cell| cell.item).collect();
        return Node::build(&leaves, level);
    }
    // A gap's hash stays right unless a dirty leaf is below it, and then it is computed anew.
    set_depths(&mut row);
    let hash = row::refresh(&mut row, 0, &dirty);
    (Node::Bucket(row.into()), hash)
}

fn update_page(
    old: &[Cell<Child>],
    level: u8,
    changes: &[MapLeaf],
    found: &mut Found,
) -> (Node, Hash) {
    let below = level.saturating_add(1);
    let mut row: Vec<Cell<Child>> = Vec::with_capacity(16);
    let mut dirty = Vec::with_capacity(16);
    let mut kept = old.iter().peekable();
    for group in changes.chunk_by(|a, b| nibble(&a.key, level) == nibble(&b.key, level)) {
        let Some(nibble) = group.first().map(|leaf| nibble(&leaf.key, level)) else {
            continue;
        };
        while let Some(before) = kept.next_if(|cell| cell.item.nibble < nibble) {
            row.push(before.clone());
        }
        dirty.push(row.len());
        let before = kept.next_if(|cell| cell.item.nibble == nibble);
        let (node, hash) = match before {
            Some(before) => before.item.node.update(below, group, found),
            None => {
                found.added = found
                    .added
                    .saturating_add(u64::try_from(group.len()).unwrap_or(0));
                Node::build(group, below)
            }
        };
        row.push(Cell {
            item: Child { nibble, hash, node },
            gap: before.map_or(fresh(0), |cell| cell.gap),
        });
    }
    row.extend(kept.cloned());
    Node::page_with(row, level, &dirty)
}

/// Nibbles that the leaves of one run share when a map is loaded.
pub(super) const RUN_LEVEL: u8 = 4;
/// Below so many leaves a map is built in one piece.
pub(super) const SMALL: u64 = 100_000;

/// The tree over subtrees that are `RUN_LEVEL` nibbles deep, ascending by their first two bytes.
pub(super) fn join(runs: Vec<([u8; 2], Node, Hash)>) -> Option<(Node, Hash)> {
    let mut row: Vec<(u16, Node, Hash)> = runs
        .into_iter()
        .map(|(head, node, hash)| (u16::from_be_bytes(head), node, hash))
        .collect();
    for level in (0..RUN_LEVEL).rev() {
        let mut above: Vec<(u16, Vec<Child>)> = Vec::new();
        for (prefix, node, hash) in row {
            let nibble = u8::try_from(prefix & 0x0f).unwrap_or(0);
            let child = Child { nibble, hash, node };
            match above.last_mut() {
                Some((last, children)) if *last == prefix >> 4 => children.push(child),
                _ => above.push((prefix >> 4, vec![child])),
            }
        }
        row = above
            .into_iter()
            .map(|(prefix, children)| {
                let (node, hash) = Node::page(children, level);
                (prefix, node, hash)
            })
            .collect();
    }
    row.pop().map(|(_, node, hash)| (node, hash))
}
