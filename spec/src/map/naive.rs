//! The definition of the map, word by word: slow, and the measure of everything faster.

use std::collections::BTreeMap;

use super::path::{MapPath, Terminal};
use super::{EMPTY_ROOT, bit, leaf_hash, node_hash};
use crate::wire::hash::Hash;

/// Root of the map that holds exactly `entries` (key to record hash).
///
/// No keys: the empty root. One: its leaf. More: a node on the first bit on which not all agree,
/// over the keys with a zero there and those with a one.
#[must_use]
pub fn naive_root(entries: &BTreeMap<Hash, Hash>) -> Hash {
    match split(entries) {
        Split::None => EMPTY_ROOT,
        Split::One(key, record_hash) => leaf_hash(&key, &record_hash),
        Split::Two(depth, zeros, ones) => node_hash(depth, &naive_root(&zeros), &naive_root(&ones)),
    }
}

/// The path of `key`, of presence or absence, by the same definition.
#[must_use]
pub fn naive_path(entries: &BTreeMap<Hash, Hash>, key: &Hash) -> MapPath {
    let mut path = MapPath::default();
    let mut here = entries.clone();
    loop {
        match split(&here) {
            Split::None => return path,
            Split::One(found, record_hash) => {
                let terminal = Terminal {
                    key: found,
                    record_hash,
                };
                path.terminal = (found != *key).then_some(terminal);
                return path;
            }
            Split::Two(depth, zeros, ones) => {
                let (next, other) = if bit(key, depth) {
                    (ones, zeros)
                } else {
                    (zeros, ones)
                };
                path.depths.push(depth);
                path.hashes.push(naive_root(&other));
                here = next;
            }
        }
    }
}

enum Split {
    None,
    One(Hash, Hash),
    Two(u8, BTreeMap<Hash, Hash>, BTreeMap<Hash, Hash>),
}

fn split(entries: &BTreeMap<Hash, Hash>) -> Split {
    let Some((first, record_hash)) = entries.first_key_value() else {
        return Split::None;
    };
    let differs = |depth: &u8| {
        entries
            .keys()
            .any(|key| bit(key, *depth) != bit(first, *depth))
    };
    let Some(depth) = (0..=u8::MAX).find(differs) else {
        return Split::One(*first, *record_hash);
    };
    let (ones, zeros) = entries.iter().partition(|(key, _)| bit(key, depth));
    Split::Two(depth, zeros, ones)
}
