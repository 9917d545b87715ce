//! The log's Merkle tree (RFC 6962 §2.1): hashes, and the two checks a verifier makes.
//!
//! A tree of `n` leaves splits at the largest power of two smaller than `n`. Entries are hashed
//! under the prefix 0x00, inner nodes under 0x01, so no leaf can be passed off as a node.
//! Making proofs is in [`read`](self::prove_inclusion); growing a tree is [`Frontier`].
//! Prose: `spec/tree.md`.

mod frontier;
mod memory;
mod range;
mod read;

#[cfg(test)]
mod tests;

use thiserror::Error;

use crate::wire::hash::{Hash, sha256};
use crate::wire::limits;

pub use frontier::{Completed, Frontier};
pub use memory::{MemoryTree, MissingNode};
pub use range::{LeafRange, OUTSIDE_LIMIT, prove_range};
pub use read::{
    Node, NodeReader, ProveError, peaks, prove_consistency, prove_inclusion, root, subtree_hash,
};

/// Sizes stay below 2^62: every index, size and sum of two sizes then fits a signed 64-bit
/// number, which the C2SP texts allow at most.
pub const SIZE_LIMIT: u64 = 1 << 62;

/// No proof over fewer than 2^62 leaves is longer than 63 hashes; one is spare.
pub const PROOF_LIMIT: usize = limits::PROOF_HASHES;

/// Position of an entry in the log, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeafIndex(pub u64);

/// Number of entries in the log, or in an earlier state of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreeSize(pub u64);

impl std::fmt::Display for LeafIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::fmt::Display for TreeSize {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a proof or a tree operation was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TreeError {
    /// The index is not in a tree of this size.
    #[error("index {index} is not in a tree of size {size}")]
    IndexOutOfRange {
        /// Index asked for.
        index: LeafIndex,
        /// Size of the tree.
        size: TreeSize,
    },
    /// A frontier of this size has another number of perfect subtrees.
    #[error("a tree of size {size} has {expected} perfect subtrees, not {actual}")]
    NodeCount {
        /// Size of the tree.
        size: TreeSize,
        /// Subtrees such a tree has.
        expected: usize,
        /// Hashes handed in.
        actual: usize,
    },
    /// A consistency proof must start from a tree that has entries (RFC 6962 §2.1.2: 0 < m).
    #[error("nothing can be proved consistent with an empty tree")]
    OldSizeZero,
    /// The root computed for the old tree is another.
    #[error("old root is {actual}, expected {expected}")]
    OldRootMismatch {
        /// Old root handed in.
        expected: Hash,
        /// Root the proof leads to.
        actual: Hash,
    },
    /// The number of hashes is fixed by index and sizes, and this is not it.
    #[error("proof has {actual} hashes, expected {expected}")]
    ProofLength {
        /// Hashes a proof for these numbers has.
        expected: usize,
        /// Hashes handed in.
        actual: usize,
    },
    /// The computed root (for consistency: of the new tree) is another.
    #[error("root is {actual}, expected {expected}")]
    RootMismatch {
        /// Root handed in.
        expected: Hash,
        /// Root the proof leads to.
        actual: Hash,
    },
    /// The size is 2^62 or more.
    #[error("tree size {size} is not below 2^62")]
    SizeLimit {
        /// Size handed in.
        size: TreeSize,
    },
    /// The new tree is smaller than the old one.
    #[error("new size {new} is smaller than old size {old}")]
    SizeShrinks {
        /// Old size.
        old: TreeSize,
        /// New size.
        new: TreeSize,
    },
}

impl TreeError {
    /// The stable code used in vectors and reports.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::IndexOutOfRange { .. } => "index_out_of_range",
            Self::NodeCount { .. } => "node_count",
            Self::OldSizeZero => "old_size_zero",
            Self::OldRootMismatch { .. } => "old_root_mismatch",
            Self::ProofLength { .. } => "proof_length",
            Self::RootMismatch { .. } => "root_mismatch",
            Self::SizeLimit { .. } => "size_limit",
            Self::SizeShrinks { .. } => "size_shrinks",
        }
    }
}

/// Hash of an entry: SHA-256(0x00 ‖ entry) (RFC 6962 §2.1).
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Hash {
    sha256(&[&[0x00], entry])
}

/// Hash of an inner node: SHA-256(0x01 ‖ left ‖ right) (RFC 6962 §2.1).
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[0x01], &left.0, &right.0])
}

/// Root of the tree without entries: SHA-256 of nothing (RFC 6962 §2.1).
#[must_use]
pub fn empty_root() -> Hash {
    sha256(&[])
}

/// Refuses sizes from 2^62 on.
///
/// # Errors
/// [`TreeError::SizeLimit`].
pub(crate) fn check_size(size: TreeSize) -> Result<(), TreeError> {
    if size.0 < SIZE_LIMIT {
        Ok(())
    } else {
        Err(TreeError::SizeLimit { size })
    }
}

/// Computes the root that `proof` claims for the leaf `leaf` at `index` in a tree of `size`.
///
/// The result means nothing until it is compared with a root one trusts.
///
/// # Errors
/// `SizeLimit`, `IndexOutOfRange`, `ProofLength`.
pub fn root_from_inclusion(
    index: LeafIndex,
    size: TreeSize,
    leaf: &Hash,
    proof: &[Hash],
) -> Result<Hash, TreeError> {
    check_size(size)?;
    if index.0 >= size.0 {
        return Err(TreeError::IndexOutOfRange { index, size });
    }
    let shape = Shape::of(index.0, size.0);
    let (inner, border) = shape.split(proof, 0)?;
    let seed = climb(leaf, inner, index.0);
    Ok(climb_border(&seed, border))
}

/// Checks that the entry hashed to `leaf` is at `index` in the tree of `size` with `root`.
///
/// # Errors
/// `SizeLimit`, `IndexOutOfRange`, `ProofLength`, `RootMismatch`.
pub fn check_inclusion(
    index: LeafIndex,
    size: TreeSize,
    leaf: &Hash,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), TreeError> {
    let actual = root_from_inclusion(index, size, leaf, proof)?;
    if actual == *root {
        Ok(())
    } else {
        Err(TreeError::RootMismatch {
            expected: *root,
            actual,
        })
    }
}

/// Checks that the tree of size `new` with `new_root` begins with the tree of size `old` with
/// `old_root`: nothing in the old tree was altered, removed or reordered.
///
/// # Errors
/// `SizeLimit`, `SizeShrinks`, `OldSizeZero` (an empty tree proves nothing: compare its root with
/// [`empty_root`]), `ProofLength`, `OldRootMismatch`, `RootMismatch`.
pub fn check_consistency(
    old: TreeSize,
    new: TreeSize,
    old_root: &Hash,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), TreeError> {
    check_size(old)?;
    check_size(new)?;
    if new < old {
        return Err(TreeError::SizeShrinks { old, new });
    }
    // Not reached with a wrapped value: 0 has no predecessor and is refused here.
    let Some(last) = old.0.checked_sub(1) else {
        return Err(TreeError::OldSizeZero);
    };
    if old == new {
        return match proof.len() {
            0 if old_root == new_root => Ok(()),
            0 => Err(TreeError::RootMismatch {
                expected: *new_root,
                actual: *old_root,
            }),
            actual => Err(TreeError::ProofLength {
                expected: 0,
                actual,
            }),
        };
    }
    // The proof is an inclusion proof of the old tree's last perfect subtree, which is 2^shift
    // leaves wide, preceded by that subtree's hash unless it is the whole old tree.
    let shift = old.0.trailing_zeros();
    let position = last >> shift;
    let mut shape = Shape::of(last, new.0);
    shape.inner = shape.inner.saturating_sub(shift);
    let whole = old.0.is_power_of_two();
    let (inner, border) = shape.split(proof, usize::from(!whole))?;
    let seed = match proof.first() {
        Some(first) if !whole => *first,
        _ => *old_root,
    };
    let actual = climb_border(&climb_left(&seed, inner, position), border);
    if actual != *old_root {
        return Err(TreeError::OldRootMismatch {
            expected: *old_root,
            actual,
        });
    }
    let actual = climb_border(&climb(&seed, inner, position), border);
    if actual != *new_root {
        return Err(TreeError::RootMismatch {
            expected: *new_root,
            actual,
        });
    }
    Ok(())
}

/// How many hashes the path of a leaf has: `inner` below the point where it leaves the tree's
/// right edge, `border` on the edge, where every sibling is to the left.
struct Shape {
    inner: u32,
    border: u32,
}

impl Shape {
    /// The paths of `index` and of the last leaf differ up to their highest differing bit; above
    /// it the path has a sibling only where the index has a one.
    fn of(index: u64, size: u64) -> Self {
        let differing = index ^ size.saturating_sub(1);
        let inner = differing
            .checked_ilog2()
            .map_or(0, |highest| highest.saturating_add(1));
        let border = index.checked_shr(inner).unwrap_or(0).count_ones();
        Self { inner, border }
    }

    /// Cuts the proof in two after skipping `lead` hashes, if its length is the right one.
    fn split<'a>(
        &self,
        proof: &'a [Hash],
        lead: usize,
    ) -> Result<(&'a [Hash], &'a [Hash]), TreeError> {
        let inner = usize::try_from(self.inner).unwrap_or(PROOF_LIMIT);
        let border = usize::try_from(self.border).unwrap_or(PROOF_LIMIT);
        let expected = lead.saturating_add(inner).saturating_add(border);
        let wrong = || TreeError::ProofLength {
            expected,
            actual: proof.len(),
        };
        if proof.len() != expected {
            return Err(wrong());
        }
        proof
            .get(lead..)
            .and_then(|rest| rest.split_at_checked(inner))
            .ok_or_else(wrong)
    }
}

/// Climbs with siblings on the side the bits of `index` tell, lowest bit first.
fn climb(seed: &Hash, siblings: &[Hash], index: u64) -> Hash {
    let mut bits = index;
    siblings.iter().fold(*seed, |hash, sibling| {
        let right = bits & 1 == 1;
        bits >>= 1;
        if right {
            node_hash(sibling, &hash)
        } else {
            node_hash(&hash, sibling)
        }
    })
}

/// As [`climb`], with left siblings only: the old tree has none on the right.
fn climb_left(seed: &Hash, siblings: &[Hash], index: u64) -> Hash {
    let mut bits = index;
    siblings.iter().fold(*seed, |hash, sibling| {
        let right = bits & 1 == 1;
        bits >>= 1;
        if right {
            node_hash(sibling, &hash)
        } else {
            hash
        }
    })
}

/// Climbs the right edge, where every sibling is on the left.
fn climb_border(seed: &Hash, siblings: &[Hash]) -> Hash {
    siblings
        .iter()
        .fold(*seed, |hash, sibling| node_hash(sibling, &hash))
}
