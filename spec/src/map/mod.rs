//! The status map: one root over what every licence, unit and type is now.
//!
//! A binary trie over 256-bit keys with the single-child runs left out: a node says on which bit
//! it branches. Its shape and root depend on the keys and values only, not on the order they
//! came in. A path proves a key's value, or that the key is not there. Keys and records are made
//! in `life`; storing the map is the ledger's work. Prose: `spec/map.md`.
#![cfg_attr(
    not(test),
    deny(
        clippy::as_conversions,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

mod error;
mod memory;
mod naive;
mod opened;
pub mod page;
mod partial;
mod path;
mod trie;

#[cfg(test)]
mod tests;

use crate::wire::hash::{Hash, sha256};

pub use error::{MapError, PartialError};
pub use memory::MemoryMap;
pub use naive::{naive_path, naive_root};
pub use opened::{Opened, OpenedError, Part};
pub use partial::Partial;
pub use path::{MapPath, MapPath as Path, Terminal};

/// What is hashed for the root of a map without keys.
pub const EMPTY_LABEL: &[u8] = b"zhao/v1 empty map";

/// Root of the map without keys: SHA-256 of [`EMPTY_LABEL`].
pub const EMPTY_ROOT: Hash = Hash([
    0xe1, 0xc9, 0x95, 0xfc, 0x0b, 0xcd, 0x05, 0x26, 0x23, 0x62, 0x69, 0x1c, 0xf8, 0x06, 0x43, 0x08,
    0x2f, 0x60, 0xa9, 0xbe, 0xe9, 0x24, 0x89, 0xad, 0xf5, 0x39, 0x8a, 0xc0, 0x9b, 0x7a, 0x12, 0x65,
]);

/// Hash of a record's canonical bytes: what a leaf commits to.
#[must_use]
pub fn record_hash(record: &[u8]) -> Hash {
    sha256(&[record])
}

/// Hash of a leaf: SHA-256(0x02 ‖ key ‖ record hash).
#[must_use]
pub fn leaf_hash(key: &Hash, record_hash: &Hash) -> Hash {
    sha256(&[&[0x02], &key.0, &record_hash.0])
}

/// Hash of a node: SHA-256(0x03 ‖ depth ‖ left ‖ right), where depth is the bit it branches on.
#[must_use]
pub fn node_hash(depth: u8, left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[0x03], &[depth], &left.0, &right.0])
}

/// Bit `depth` of a key, the most significant bit of the first byte being 0. One means right.
#[must_use]
pub fn bit(key: &Hash, depth: u8) -> bool {
    let byte = key.0.get(usize::from(depth / 8)).copied().unwrap_or(0);
    (byte << (depth % 8)) & 0x80 != 0
}

/// The first bit on which two keys differ; nothing for equal keys.
#[must_use]
pub fn first_difference(a: &Hash, b: &Hash) -> Option<u8> {
    let differs = |(a, b): (&u8, &u8)| Some(a ^ b).filter(|bits| *bits != 0);
    let mut depth: u8 = 0;
    for pair in a.0.iter().zip(&b.0) {
        if let Some(bits) = differs(pair) {
            let zeros = u8::try_from(bits.leading_zeros()).unwrap_or(u8::MAX);
            return Some(depth.saturating_add(zeros));
        }
        // 8 bits a byte; after the last of 32 nothing is returned.
        depth = depth.wrapping_add(8);
    }
    None
}

/// Computes the root that `path` claims for `record_hash` at `key`.
///
/// The result means nothing until it is compared with a root one trusts.
///
/// # Errors
/// `LengthMismatch`, `DepthsNotIncreasing`, `TerminalUnexpected`.
pub fn root_from_path(key: &Hash, record_hash: &Hash, path: &MapPath) -> Result<Hash, MapError> {
    path.check_shape()?;
    if path.terminal.is_some() {
        return Err(MapError::TerminalUnexpected);
    }
    Ok(path.climb(key, leaf_hash(key, record_hash)))
}

/// Checks that the map with `root` holds `record_hash` at `key`.
///
/// # Errors
/// `LengthMismatch`, `DepthsNotIncreasing`, `TerminalUnexpected`, `RootMismatch`.
pub fn check_present(
    root: &Hash,
    key: &Hash,
    record_hash: &Hash,
    path: &MapPath,
) -> Result<(), MapError> {
    expect_root(root, root_from_path(key, record_hash, path)?)
}

/// Checks that the map with `root` holds nothing at `key`: the way the key's bits lead ends at a
/// leaf with another key, or the map is empty.
///
/// # Errors
/// `LengthMismatch`, `DepthsNotIncreasing`, `TerminalMissing`, `TerminalIsKey`,
/// `TerminalDisagrees`, `RootMismatch`.
pub fn check_absent(root: &Hash, key: &Hash, path: &MapPath) -> Result<(), MapError> {
    path.check_shape()?;
    let Some(terminal) = &path.terminal else {
        if path.depths.is_empty() {
            return expect_root(root, EMPTY_ROOT);
        }
        return Err(MapError::TerminalMissing);
    };
    if terminal.key == *key {
        return Err(MapError::TerminalIsKey);
    }
    // Else the leaf would hang on a way that this key does not take.
    if let Some(depth) = path
        .depths
        .iter()
        .find(|d| bit(key, **d) != bit(&terminal.key, **d))
    {
        return Err(MapError::TerminalDisagrees { depth: *depth });
    }
    expect_root(
        root,
        path.climb(key, leaf_hash(&terminal.key, &terminal.record_hash)),
    )
}

/// [`check_present`] or [`check_absent`], as there is a record hash or not.
///
/// # Errors
/// As those.
pub fn check(
    root: &Hash,
    key: &Hash,
    record_hash: Option<&Hash>,
    path: &MapPath,
) -> Result<(), MapError> {
    match record_hash {
        Some(record_hash) => check_present(root, key, record_hash, path),
        None => check_absent(root, key, path),
    }
}

fn expect_root(expected: &Hash, actual: Hash) -> Result<(), MapError> {
    if *expected == actual {
        Ok(())
    } else {
        Err(MapError::RootMismatch {
            expected: *expected,
            actual,
        })
    }
}
