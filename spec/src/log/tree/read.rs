//! Roots and proofs from stored nodes: what is needed is computed first, then read in one call.

use thiserror::Error;

use super::{LeafIndex, SIZE_LIMIT, TreeError, TreeSize, check_size, empty_root, node_hash};
use crate::wire::hash::Hash;

/// A perfect subtree: the leaves `index · 2^level` to `(index + 1) · 2^level − 1`.
///
/// Level 0 is the leaves. Such a node never changes once its leaves exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// Height above the leaves.
    pub level: u8,
    /// Position among the nodes of its level, from the left.
    pub index: u64,
}

/// Where node hashes come from: memory, a store, tiles fetched before.
pub trait NodeReader {
    /// What can go wrong when reading.
    type Error;

    /// Returns the hashes of `nodes`, in that order and as many.
    ///
    /// # Errors
    /// Whatever the storage says; a missing node is an error too.
    fn read(&self, nodes: &[Node]) -> Result<Vec<Hash>, Self::Error>;
}

/// Why a root or a proof could not be made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProveError<E> {
    /// The reader failed.
    #[error("tree nodes could not be read: {0}")]
    Read(E),
    /// The reader returned another number of hashes than it was asked for: a bug in the reader.
    #[error("asked for {expected} tree nodes, got {actual}")]
    ShortRead {
        /// Nodes asked for.
        expected: usize,
        /// Hashes returned.
        actual: usize,
    },
    /// The request makes no sense for this tree.
    #[error(transparent)]
    Tree(#[from] TreeError),
}

/// The leaves from `start` up to, not including, `end`; `start` is a multiple of the largest
/// power of two below the length, as every subtree of an RFC 6962 tree is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Range {
    pub(super) start: u64,
    pub(super) end: u64,
}

impl Range {
    /// Its two subtrees; none for a single leaf.
    pub(super) fn halves(self) -> Option<(Self, Self)> {
        let middle = self.middle()?;
        let left = Self {
            end: middle,
            ..self
        };
        let right = Self {
            start: middle,
            ..self
        };
        Some((left, right))
    }

    /// Where the subtree splits: after the largest power of two smaller than its length.
    fn middle(self) -> Option<u64> {
        let longest = self.end.checked_sub(self.start)?.checked_sub(1)?;
        // ilog2 of 0 has no value: a single leaf does not split.
        let half = 1_u64.checked_shl(longest.checked_ilog2()?)?;
        self.start.checked_add(half)
    }

    /// The perfect subtrees that make it up, largest (leftmost) first.
    fn nodes(self) -> Vec<Node> {
        let mut nodes = Vec::new();
        let mut start = self.start;
        while let Some(log) = self.end.checked_sub(start).and_then(u64::checked_ilog2) {
            let level = u8::try_from(log).unwrap_or(u8::MAX);
            nodes.push(Node {
                level,
                index: start >> log,
            });
            start = start.saturating_add(1 << log);
        }
        nodes
    }
}

/// The perfect subtrees of a tree of `size`, largest first: one for each one-bit of the size.
#[must_use]
pub fn peaks(size: TreeSize) -> Vec<Node> {
    Range {
        start: 0,
        end: size.0.min(SIZE_LIMIT),
    }
    .nodes()
}

/// Joins perfect subtrees, largest first, into the root above them; nothing for none.
pub(super) fn join(hashes: &[Hash]) -> Option<Hash> {
    hashes
        .iter()
        .rev()
        .copied()
        .reduce(|right, left| node_hash(&left, &right))
}

/// Reads the hashes of several ranges in one call.
pub(super) fn read_ranges<R: NodeReader>(
    ranges: &[Range],
    reader: &R,
) -> Result<Vec<Hash>, ProveError<R::Error>> {
    let groups: Vec<Vec<Node>> = ranges.iter().map(|range| range.nodes()).collect();
    let wanted: Vec<Node> = groups.iter().flatten().copied().collect();
    let hashes = reader.read(&wanted).map_err(ProveError::Read)?;
    let short = || ProveError::ShortRead {
        expected: wanted.len(),
        actual: hashes.len(),
    };
    if hashes.len() != wanted.len() {
        return Err(short());
    }
    let mut rest = hashes.as_slice();
    let mut joined = Vec::with_capacity(groups.len());
    for group in &groups {
        let (mine, others) = rest.split_at_checked(group.len()).ok_or_else(short)?;
        joined.push(join(mine).ok_or_else(short)?);
        rest = others;
    }
    Ok(joined)
}

/// Root of the tree of `size`.
///
/// # Errors
/// `Tree(SizeLimit)`; the reader's.
pub fn root<R: NodeReader>(size: TreeSize, reader: &R) -> Result<Hash, ProveError<R::Error>> {
    check_size(size)?;
    if size.0 == 0 {
        return Ok(empty_root());
    }
    subtree_hash(0, size.0, reader)
}

/// Hash of the leaves `start..end` as a tree of their own (RFC 6962 MTH). `start` must be a
/// multiple of the smallest power of two not below the length, as subtrees of the log are.
///
/// # Errors
/// `Tree(IndexOutOfRange)` for an empty or misaligned range, `Tree(SizeLimit)`; the reader's.
pub fn subtree_hash<R: NodeReader>(
    start: u64,
    end: u64,
    reader: &R,
) -> Result<Hash, ProveError<R::Error>> {
    check_size(TreeSize(end))?;
    let width = end
        .saturating_sub(start)
        .checked_next_power_of_two()
        .unwrap_or(SIZE_LIMIT);
    if start >= end || start & width.saturating_sub(1) != 0 {
        return Err(TreeError::IndexOutOfRange {
            index: LeafIndex(start),
            size: TreeSize(end),
        }
        .into());
    }
    let hashes = read_ranges(&[Range { start, end }], reader)?;
    hashes.first().copied().ok_or(ProveError::ShortRead {
        expected: 1,
        actual: 0,
    })
}

/// Proof that entry `index` is in the tree of `size`, from the leaf's sibling up to the root's
/// child (RFC 6962 §2.1.1 PATH).
///
/// # Errors
/// `Tree(SizeLimit)`, `Tree(IndexOutOfRange)`; the reader's.
pub fn prove_inclusion<R: NodeReader>(
    index: LeafIndex,
    size: TreeSize,
    reader: &R,
) -> Result<Vec<Hash>, ProveError<R::Error>> {
    check_size(size)?;
    if index.0 >= size.0 {
        return Err(TreeError::IndexOutOfRange { index, size }.into());
    }
    let mut siblings = Vec::new();
    let mut here = Range {
        start: 0,
        end: size.0,
    };
    while let Some((left, right)) = here.halves() {
        let (next, sibling) = if index.0 < right.start {
            (left, right)
        } else {
            (right, left)
        };
        siblings.push(sibling);
        here = next;
    }
    siblings.reverse();
    read_ranges(&siblings, reader)
}

/// Proof that the tree of size `old` is the beginning of the tree of size `new`
/// (RFC 6962 §2.1.2 PROOF). Empty when the sizes are equal.
///
/// # Errors
/// `Tree(SizeLimit)`, `Tree(SizeShrinks)`, `Tree(OldSizeZero)`; the reader's.
pub fn prove_consistency<R: NodeReader>(
    old: TreeSize,
    new: TreeSize,
    reader: &R,
) -> Result<Vec<Hash>, ProveError<R::Error>> {
    check_size(old)?;
    check_size(new)?;
    if new < old {
        return Err(TreeError::SizeShrinks { old, new }.into());
    }
    if old.0 == 0 {
        return Err(TreeError::OldSizeZero.into());
    }
    let mut parts = Vec::new();
    let mut here = Range {
        start: 0,
        end: new.0,
    };
    // `whole`: the old tree's last subtree is the old tree itself, whose root the checker has.
    let mut whole = true;
    while here.end != old.0 {
        let Some((left, right)) = here.halves() else {
            break;
        };
        if old.0 <= right.start {
            parts.push(right);
            here = left;
        } else {
            parts.push(left);
            here = right;
            whole = false;
        }
    }
    if !whole {
        parts.push(here);
    }
    parts.reverse();
    read_ranges(&parts, reader)
}
