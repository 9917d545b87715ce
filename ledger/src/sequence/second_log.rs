//! The log root a second time, by other code: stored leaves and tiles read again, and the tree of
//! the `rs_merkle` crate.

use rs_merkle::{Hasher, MerkleTree};
use zhao_spec::log::tree::{LeafIndex, TreeSize, empty_root};
use zhao_spec::wire::{Hash, sha256};

use crate::store::layout::{Leaves, Tiles};
use crate::store::{self, Read, StoreError};
use crate::tree::bad_tile;

/// Slots of a tile.
const WIDTH: u64 = 256;

/// RFC 6962 hashing for `rs_merkle`; a node without a right neighbour rises unchanged.
#[derive(Clone, Debug)]
pub(crate) enum Rfc6962 {}

impl Hasher for Rfc6962 {
    type Hash = [u8; 32];

    fn hash(data: &[u8]) -> [u8; 32] {
        sha256(&[&[0], data]).0
    }

    fn concat_and_hash(left: &[u8; 32], right: Option<&[u8; 32]>) -> [u8; 32] {
        match right {
            Some(right) => sha256(&[&[1], left, right]).0,
            None => *left,
        }
    }
}

/// Root over up to a tile of hashes; the last may be that of a subtree that is not full.
pub(crate) fn small_root(hashes: &[[u8; 32]]) -> Option<[u8; 32]> {
    MerkleTree::<Rfc6962>::from_leaves(hashes).root()
}

/// Root of the tree of the first `size` stored leaves followed by `more` (raw leaves). Of the
/// stored part it reads the leaves of the last unfinished tile and the tiles above them.
///
/// # Errors
/// The store's; missing leaves or tiles.
pub(crate) fn log_root(
    store: &dyn Read,
    size: TreeSize,
    more: &[&[u8]],
) -> Result<Hash, StoreError> {
    let mut base = size.0 - size.0 % WIDTH;
    let mut row = Vec::new();
    for index in base..size.0 {
        let leaf = store::require::<Leaves>(store, &LeafIndex(index))?;
        row.push(Rfc6962::hash(&leaf));
    }
    row.extend(more.iter().map(|leaf| Rfc6962::hash(leaf)));
    let mut tail: Option<[u8; 32]> = None;
    let mut level: u8 = 0;
    let tile = usize::try_from(WIDTH).expect("256 fits");
    loop {
        if base == 0 && row.len() + usize::from(tail.is_some()) <= tile {
            row.extend(tail);
            return Ok(small_root(&row).map_or_else(empty_root, Hash));
        }
        // Full tiles become one hash each of the level above; what is left over, with the tail
        // from below, is the tree's unfinished right edge.
        let (full, rest) = row.split_at(row.len() - row.len() % tile);
        let parents: Vec<[u8; 32]> = full.chunks(tile).filter_map(small_root).collect();
        let mut edge = rest.to_vec();
        edge.extend(tail);
        tail = small_root(&edge);
        level += 1;
        let first = base / WIDTH;
        let before = first % WIDTH;
        row = if before == 0 {
            Vec::new()
        } else {
            prefix(store, level, first / WIDTH, before)?
        };
        row.extend(parents);
        base = first - before;
    }
}

/// The first `count` hashes of a stored tile.
fn prefix(
    store: &dyn Read,
    level: u8,
    index: u64,
    count: u64,
) -> Result<Vec<[u8; 32]>, StoreError> {
    let bytes = store::require::<Tiles>(store, &(level, index))?;
    let (hashes, rest) = bytes.as_chunks::<32>();
    let count = usize::try_from(count).expect("below 256");
    match hashes.get(..count) {
        Some(hashes) if rest.is_empty() => Ok(hashes.to_vec()),
        _ => Err(bad_tile(
            (level, index),
            format!("{} bytes hold no {count} hashes", bytes.len()),
        )),
    }
}
