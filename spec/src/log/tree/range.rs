//! Neighbouring leaves under one root: what a batch needs instead of one proof a leaf.
//!
//! Of a tree, whoever has the leaf hashes of a range needs only the subtrees outside it: at most
//! two a level. From them the root follows, and the inclusion proof of every leaf of the range.

use super::read::{NodeReader, ProveError, Range, read_ranges};
use super::{LeafIndex, PROOF_LIMIT, TreeError, TreeSize, check_size, node_hash};
use crate::wire::hash::Hash;

/// Two subtrees outside a range for each level of a tree.
pub const OUTSIDE_LIMIT: usize = 2 * PROOF_LIMIT;

/// The hashes of all subtrees outside the `count` leaves from `first` on, from the left.
///
/// # Errors
/// `Tree(SizeLimit)`, `Tree(IndexOutOfRange)` for an empty range or one beyond the end; the
/// reader's.
pub fn prove_range<R: NodeReader>(
    first: LeafIndex,
    count: u64,
    size: TreeSize,
    reader: &R,
) -> Result<Vec<Hash>, ProveError<R::Error>> {
    let inside = inside(first, count, size)?;
    let mut outside = Vec::new();
    let mut open = vec![Range {
        start: 0,
        end: size.0,
    }];
    while let Some(here) = open.pop() {
        if here.end <= inside.start || here.start >= inside.end {
            outside.push(here);
            continue;
        }
        // What lies in the range whole is the caller's already.
        let whole = inside.start <= here.start && here.end <= inside.end;
        if let Some((left, right)) = here.halves().filter(|_| !whole) {
            open.push(right);
            open.push(left);
        }
    }
    read_ranges(&outside, reader)
}

fn inside(first: LeafIndex, count: u64, size: TreeSize) -> Result<Range, TreeError> {
    check_size(size)?;
    let start = first.0;
    let end = start.checked_add(count).filter(|end| *end <= size.0);
    match end {
        Some(end) if start < end => Ok(Range { start, end }),
        _ => Err(TreeError::IndexOutOfRange { index: first, size }),
    }
}

/// The leaf hashes of a range, with the subtrees outside it. Nothing is proved until
/// [`LeafRange::root`] is compared with a root one trusts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeafRange<'a> {
    /// Index of the first leaf.
    pub first: LeafIndex,
    /// Hashes of the leaves, in their order.
    pub leaves: &'a [Hash],
    /// Hashes of the subtrees outside, from the left.
    pub outside: &'a [Hash],
    /// Size of the tree.
    pub size: TreeSize,
}

/// What is still to be read while a tree is walked from the left.
struct Walk<'a> {
    inside: Range,
    leaves: std::slice::Iter<'a, Hash>,
    outside: std::slice::Iter<'a, Hash>,
    /// The leaf whose siblings are collected.
    wanted: Option<u64>,
    siblings: Vec<Hash>,
}

impl LeafRange<'_> {
    /// The root of the tree.
    ///
    /// # Errors
    /// `SizeLimit`, `IndexOutOfRange`: no such range; `ProofLength`: too few or too many hashes
    /// outside it.
    pub fn root(&self) -> Result<Hash, TreeError> {
        Ok(self.walk(None)?.0)
    }

    /// The inclusion proof of a leaf of the range, as [`prove_inclusion`](super::prove_inclusion)
    /// would make it.
    ///
    /// # Errors
    /// As [`LeafRange::root`]; `IndexOutOfRange`: the leaf is not in the range.
    pub fn inclusion(&self, index: LeafIndex) -> Result<Vec<Hash>, TreeError> {
        let (_, siblings) = self.walk(Some(index))?;
        Ok(siblings)
    }

    fn walk(&self, wanted: Option<LeafIndex>) -> Result<(Hash, Vec<Hash>), TreeError> {
        let count = u64::try_from(self.leaves.len()).unwrap_or(u64::MAX);
        let inside = inside(self.first, count, self.size)?;
        if let Some(index) = wanted
            && !(inside.start..inside.end).contains(&index.0)
        {
            let size = TreeSize(inside.end);
            return Err(TreeError::IndexOutOfRange { index, size });
        }
        let mut walk = Walk {
            inside,
            leaves: self.leaves.iter(),
            outside: self.outside.iter(),
            wanted: wanted.map(|index| index.0),
            siblings: Vec::new(),
        };
        let whole = Range {
            start: 0,
            end: self.size.0,
        };
        let root = walk.hash(whole);
        let left = walk.outside.len();
        match root {
            Some(root) if left == 0 => Ok((root, walk.siblings)),
            _ => Err(TreeError::ProofLength {
                expected: walk.needed(whole),
                actual: self.outside.len(),
            }),
        }
    }
}

impl Walk<'_> {
    /// Hash of a subtree; nothing when hashes run out. The recursion is as deep as the tree.
    fn hash(&mut self, here: Range) -> Option<Hash> {
        if here.end <= self.inside.start || here.start >= self.inside.end {
            return self.outside.next().copied();
        }
        let Some((left, right)) = here.halves() else {
            return self.leaves.next().copied();
        };
        let middle = right.start;
        let left = self.hash(left)?;
        let right = self.hash(right)?;
        if let Some(wanted) = self.wanted
            && (here.start..here.end).contains(&wanted)
        {
            self.siblings
                .push(if wanted < middle { right } else { left });
        }
        Some(node_hash(&left, &right))
    }

    /// How many subtrees lie outside.
    fn needed(&self, here: Range) -> usize {
        if here.end <= self.inside.start || here.start >= self.inside.end {
            return 1;
        }
        let whole = self.inside.start <= here.start && here.end <= self.inside.end;
        match here.halves() {
            Some((left, right)) if !whole => self.needed(left).saturating_add(self.needed(right)),
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{MemoryTree, check_inclusion, leaf_hash};
    use super::*;

    fn tree(size: u64) -> (MemoryTree, Vec<Hash>) {
        let mut tree = MemoryTree::new();
        let leaves: Vec<Hash> = (0..size).map(|n| leaf_hash(&n.to_be_bytes())).collect();
        for leaf in &leaves {
            tree.push(*leaf).unwrap();
        }
        (tree, leaves)
    }

    #[test]
    fn every_range_of_small_trees_gives_root_and_proofs() {
        for size in 1..=40 {
            let (tree, leaves) = tree(size);
            for first in 0..size {
                for count in 1..=size - first {
                    let outside =
                        prove_range(LeafIndex(first), count, TreeSize(size), &tree).unwrap();
                    let at = |n| usize::try_from(n).unwrap();
                    let (from, to) = (at(first), at(first + count));
                    let range = LeafRange {
                        first: LeafIndex(first),
                        leaves: &leaves[from..to],
                        outside: &outside,
                        size: TreeSize(size),
                    };
                    assert_eq!(range.root().unwrap(), tree.root());
                    for index in first..first + count {
                        let path = range.inclusion(LeafIndex(index)).unwrap();
                        let one = tree
                            .prove_inclusion(LeafIndex(index), TreeSize(size))
                            .unwrap();
                        assert_eq!(path, one, "{index} in {first}+{count} of {size}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_thousand_leaves_of_many_need_few_hashes() {
        let (tree, leaves) = tree(5_000);
        let size = TreeSize(5_000);
        let outside = prove_range(LeafIndex(1_234), 1_000, size, &tree).unwrap();
        assert!(outside.len() <= 26, "{}", outside.len());
        let range = LeafRange {
            first: LeafIndex(1_234),
            leaves: &leaves[1_234..2_234],
            outside: &outside,
            size,
        };
        let path = range.inclusion(LeafIndex(2_000)).unwrap();
        let leaf = &leaves[2_000];
        check_inclusion(LeafIndex(2_000), size, leaf, &path, &tree.root()).unwrap();
    }

    #[test]
    fn refuses_what_is_no_range_of_the_tree() {
        let (tree, leaves) = tree(10);
        let out = |first, size| TreeError::IndexOutOfRange {
            index: LeafIndex(first),
            size: TreeSize(size),
        };
        for (first, count) in [(0, 0), (10, 1), (9, 2), (u64::MAX, 2)] {
            let error = prove_range(LeafIndex(first), count, TreeSize(10), &tree).unwrap_err();
            assert_eq!(error, ProveError::Tree(out(first, 10)));
        }
        let outside = prove_range(LeafIndex(4), 3, TreeSize(10), &tree).unwrap();
        let range = LeafRange {
            first: LeafIndex(4),
            leaves: &leaves[4..7],
            outside: &outside,
            size: TreeSize(10),
        };
        assert_eq!(range.inclusion(LeafIndex(7)), Err(out(7, 7)));
        assert_eq!(range.inclusion(LeafIndex(3)), Err(out(3, 7)));
        let beyond = LeafRange {
            first: LeafIndex(8),
            ..range
        };
        assert_eq!(beyond.root(), Err(out(8, 10)));
        let huge = LeafRange {
            size: TreeSize(1 << 62),
            ..range
        };
        let size = TreeSize(1 << 62);
        assert_eq!(huge.root(), Err(TreeError::SizeLimit { size }));
        for wrong in [
            &outside[1..],
            &[&outside[..], &outside[..1]].concat()[..],
            &[],
        ] {
            let range = LeafRange {
                outside: wrong,
                ..range
            };
            let expected = TreeError::ProofLength {
                expected: outside.len(),
                actual: wrong.len(),
            };
            assert_eq!(range.root(), Err(expected.clone()));
            assert_eq!(range.inclusion(LeafIndex(5)), Err(expected));
        }
    }

    #[test]
    fn an_altered_hash_gives_another_root() {
        let (tree, leaves) = tree(21);
        let size = TreeSize(21);
        let outside = prove_range(LeafIndex(6), 5, size, &tree).unwrap();
        let mine = leaves[6..11].to_vec();
        for at in 0..mine.len() + outside.len() {
            let (mut leaves, mut outside) = (mine.clone(), outside.clone());
            match leaves.get_mut(at) {
                Some(leaf) => leaf.0[3] ^= 1,
                None => outside[at - mine.len()].0[3] ^= 1,
            }
            let range = LeafRange {
                first: LeafIndex(6),
                leaves: &leaves,
                outside: &outside,
                size,
            };
            assert_ne!(range.root().unwrap(), tree.root(), "{at}");
        }
    }
}
