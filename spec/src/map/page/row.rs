//! Neighbours in key order: the trie above them is given by the bits on which they differ.

use super::{Child, PageLeaf, first_difference, leaf_hash};
use crate::map::{MapPath, bit, node_hash};
use crate::wire::hash::Hash;

/// Hashes of subtrees, and between each two of them the first bit on which they differ.
pub(super) fn of_children(children: &[Child]) -> (Vec<Hash>, Vec<u8>) {
    let hashes = children.iter().map(|child| child.hash).collect();
    (
        hashes,
        gaps(children.iter().map(|child| child.prefix.bits())),
    )
}

/// The same of leaves.
pub(super) fn of_leaves(leaves: &[PageLeaf]) -> (Vec<Hash>, Vec<u8>) {
    let hash = |leaf: &PageLeaf| leaf_hash(&leaf.key, &leaf.record_hash);
    let hashes = leaves.iter().map(hash).collect();
    (hashes, gaps(leaves.iter().map(|leaf| &leaf.key)))
}

/// Neighbours differ: equal ones were refused.
fn gaps<'a>(keys: impl Iterator<Item = &'a Hash> + Clone) -> Vec<u8> {
    let pairs = keys.clone().zip(keys.skip(1));
    pairs
        .map(|(a, b)| first_difference(a, b).unwrap_or(u8::MAX))
        .collect()
}

/// Hash of the subtree over `hashes`; nothing over none.
pub(super) fn hash(hashes: &[Hash], gaps: &[u8]) -> Option<Hash> {
    // Subtrees whose right side is yet to come, with the depth of the branch that waits for it. Of
    // two neighbours the deeper branch is below, so depths ascend from the bottom of the stack.
    let mut open: Vec<(Hash, u8)> = Vec::new();
    let ends = gaps.iter().copied().map(Some).chain([None]);
    for (hash, gap) in hashes.iter().zip(ends) {
        let mut hash = *hash;
        while let Some((left, depth)) = open.pop_if(|(_, depth)| gap.is_none_or(|gap| *depth > gap))
        {
            hash = node_hash(depth, &left, &hash);
        }
        let Some(gap) = gap else {
            return Some(hash);
        };
        open.push((hash, gap));
    }
    None
}

/// Follows a key to one of the neighbours, adds what it passes to `path`, and returns its place.
pub(super) fn follow(
    mut hashes: &[Hash],
    mut gaps: &[u8],
    key: &Hash,
    path: &mut MapPath,
) -> Option<usize> {
    let mut first = 0_usize;
    // The topmost branch has the least depth, which occurs once: all below agree before it.
    while let Some((at, depth)) = gaps.iter().copied().enumerate().min_by_key(|(_, gap)| *gap) {
        let middle = at.saturating_add(1);
        let (left, right) = hashes.split_at_checked(middle)?;
        let (low, high) = (gaps.get(..at)?, gaps.get(middle..)?);
        let other = if bit(key, depth) {
            first = first.saturating_add(middle);
            (hashes, gaps) = (right, high);
            hash(left, low)?
        } else {
            (hashes, gaps) = (left, low);
            hash(right, high)?
        };
        path.depths.push(depth);
        path.hashes.push(other);
    }
    hashes.first().map(|_| first)
}
