//! A row: neighbours in key order, and the branches between them.
//!
//! The trie over sorted neighbours needs no pointers. Between two of them stands a gap: the bit on
//! which they first differ, and the hash of the node that branches there. The topmost branch of a
//! stretch is its least depth, which occurs once: all keys of a stretch agree before it.

use zhao_spec::map::{Part, bit, node_hash};
use zhao_spec::wire::Hash;

use super::Sibling;

/// What stands in a row.
pub(super) trait Item {
    /// Hash of the subtree it is.
    fn hash(&self) -> Hash;
}

/// The branch between a cell and the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gap {
    /// The bit it branches on.
    pub(super) depth: u8,
    /// Hash of the node.
    pub(super) hash: Hash,
}

/// An item and the gap after it, which the last cell of a row does not use.
#[derive(Clone, Debug)]
pub(super) struct Cell<T> {
    pub(super) item: T,
    pub(super) gap: Gap,
}

/// A gap whose hash is yet to be computed.
pub(super) const fn fresh(depth: u8) -> Gap {
    Gap {
        depth,
        hash: Hash([0; 32]),
    }
}

/// Splits two or more cells at their topmost branch.
fn split<T>(row: &[Cell<T>]) -> (&[Cell<T>], &[Cell<T>], Gap) {
    let at = top(row);
    let (left, right) = row.split_at(at.saturating_add(1));
    let gap = left.last().map_or(fresh(0), |cell| cell.gap);
    (left, right, gap)
}

/// Place of the topmost branch of two or more cells.
fn top<T>(row: &[Cell<T>]) -> usize {
    let gaps = row.len().saturating_sub(1);
    let depths = row.iter().take(gaps).map(|cell| cell.gap.depth);
    depths
        .enumerate()
        .min_by_key(|(_, depth)| *depth)
        .map_or(0, |(at, _)| at)
}

/// Hash of a row, which is not empty.
pub(super) fn hash<T: Item>(row: &[Cell<T>]) -> Hash {
    match row {
        [one] => one.item.hash(),
        _ => row
            .get(top(row))
            .map_or(zhao_spec::map::EMPTY_ROOT, |cell| cell.gap.hash),
    }
}

/// Follows a key to an item, showing what it passes. The row is not empty.
pub(super) fn follow<'a, T: Item>(
    row: &'a [Cell<T>],
    key: &Hash,
    siblings: &mut Vec<Sibling>,
) -> Option<&'a T> {
    let mut row = row;
    while row.len() > 1 {
        let (left, right, gap) = split(row);
        let (taken, other) = if bit(key, gap.depth) {
            (right, left)
        } else {
            (left, right)
        };
        siblings.push((gap.depth, hash(other)));
        row = taken;
    }
    row.first().map(|cell| &cell.item)
}

/// Opens a row for keys whose way comes through it. `item` opens what stands at the end.
pub(super) fn open<T: Item>(
    row: &[Cell<T>],
    keys: &mut [Hash],
    parts: &mut Vec<Part>,
    item: &mut impl FnMut(&T, &mut [Hash], &mut Vec<Part>),
) {
    if keys.is_empty() {
        parts.push(Part::Closed(hash(row)));
        return;
    }
    if let [one] = row {
        item(&one.item, keys, parts);
        return;
    }
    let (left, right, gap) = split(row);
    parts.push(Part::Branch(gap.depth));
    // Keys the map does not have need not agree with it before this bit, so they are not in order.
    let (low, high) = partition(keys, |key| bit(key, gap.depth));
    open(left, low, parts, item);
    open(right, high, parts, item);
}

/// Reorders so that those of which `right` is false come first.
fn partition(keys: &mut [Hash], right: impl Fn(&Hash) -> bool) -> (&mut [Hash], &mut [Hash]) {
    let mut count = 0;
    for at in 0..keys.len() {
        if !keys.get(at).is_some_and(&right) {
            keys.swap(at, count);
            count += 1;
        }
    }
    keys.split_at_mut(count)
}

/// Computes anew the gaps above the items at `dirty` (ascending, counted from `first`, the place
/// of the row's first cell), and returns the row's hash.
pub(super) fn refresh<T: Item>(row: &mut [Cell<T>], first: usize, dirty: &[usize]) -> Hash {
    if dirty.is_empty() || row.len() < 2 {
        return hash(row);
    }
    let at = top(row);
    let middle = first + at;
    let (low, high) = dirty.split_at(dirty.partition_point(|place| *place <= middle));
    let (left, right) = row.split_at_mut(at + 1);
    let below = (refresh(left, first, low), refresh(right, middle + 1, high));
    let Some(cell) = left.last_mut() else {
        return below.1;
    };
    cell.gap.hash = node_hash(cell.gap.depth, &below.0, &below.1);
    cell.gap.hash
}
