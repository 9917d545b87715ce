//! A page of the status map: the four branch depths below one prefix, in sixteen slots.
//!
//! Page `L` nibbles deep holds what the trie branches on at depths `4·L` to `4·L + 3`. A slot is
//! empty, a single key, or (two keys or more) another page. A page is never changed, only
//! replaced: its stored key ends in the epoch that wrote it, and slots name the versions they mean,
//! so each epoch's map stays readable until it is pruned.

use zhao_spec::map::{leaf_hash, node_hash};
use zhao_spec::wire::Hash;

use crate::store::layout::LayoutError;

/// Slots of a page.
pub const SLOTS: usize = 16;
/// Branch depths of a page, bits.
const BITS: u8 = 4;
/// Nibbles of a key.
const LEVELS: u8 = 64;

/// Which page: the nibbles of the keys below it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PageId {
    /// Nibbles of the prefix, 0 for the root page, at most 63.
    level: u8,
    /// The prefix, zero after it.
    prefix: [u8; 32],
}

impl PageId {
    /// The root page.
    pub const ROOT: Self = Self {
        level: 0,
        prefix: [0; 32],
    };

    /// Nibbles of the prefix.
    #[must_use]
    pub fn level(&self) -> u8 {
        self.level
    }

    /// The nibble of `key` that chooses a slot of this page.
    #[must_use]
    pub fn slot_of(&self, key: &Hash) -> u8 {
        let byte = key.0.get(usize::from(self.level / 2)).copied().unwrap_or(0);
        if self.level.is_multiple_of(2) {
            byte >> 4
        } else {
            byte & 0x0f
        }
    }

    /// The page behind slot `slot`; nothing below the last nibble.
    #[must_use]
    pub fn child(&self, slot: u8) -> Option<Self> {
        let level = self.level.checked_add(1).filter(|level| *level < LEVELS)?;
        let mut prefix = self.prefix;
        let byte = prefix.get_mut(usize::from(self.level / 2))?;
        *byte |= if self.level.is_multiple_of(2) {
            slot << 4
        } else {
            slot & 0x0f
        };
        Some(Self { level, prefix })
    }

    /// Stored form: number of nibbles, then the bytes they fill.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let used = usize::from(self.level).div_ceil(2);
        let mut bytes = vec![self.level];
        bytes.extend(self.prefix.iter().take(used));
        bytes
    }

    /// Of the stored form.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, LayoutError> {
        let length = || LayoutError::Length {
            expected: "a page id",
            actual: bytes.len(),
        };
        let (level, rest) = bytes.split_first().ok_or_else(length)?;
        let mut prefix = [0; 32];
        let used = usize::from(*level).div_ceil(2);
        if *level >= LEVELS || rest.len() != used {
            return Err(length());
        }
        for (to, from) in prefix.iter_mut().zip(rest) {
            *to = *from;
        }
        Ok(Self {
            level: *level,
            prefix,
        })
    }

    /// Depth of the page's first branch, bits.
    fn depth(&self) -> u8 {
        // At most 63 · 4 = 252.
        self.level.saturating_mul(BITS)
    }
}

/// A key in the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MapLeaf {
    /// Subject key.
    pub key: Hash,
    /// SHA-256 of its record.
    pub record: Hash,
    /// The epoch that wrote the record.
    pub version: u64,
}

/// What is below one nibble.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Slot {
    /// No key.
    #[default]
    Empty,
    /// One key.
    Leaf(MapLeaf),
    /// Two keys or more.
    Child {
        /// Hash of the subtree.
        hash: Hash,
        /// Version of the page that holds it.
        version: u64,
    },
}

impl Slot {
    fn hash(&self) -> Option<Hash> {
        match self {
            Self::Empty => None,
            Self::Leaf(leaf) => Some(leaf_hash(&leaf.key, &leaf.record)),
            Self::Child { hash, .. } => Some(*hash),
        }
    }
}

/// One page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// What is below each nibble.
    pub slots: [Slot; SLOTS],
}

/// A sibling on the way down: the depth of the branch, and the hash on the other side.
pub type Sibling = (u8, Hash);

impl Page {
    /// Hash of the subtree this page is the top of; nothing when it has no key.
    #[must_use]
    pub fn hash(&self, id: &PageId) -> Option<Hash> {
        subtree(&self.slots, id.depth())
    }

    /// Follows `key` to a slot, adding the siblings it passes. Where only one side has keys there
    /// is no branch, and the way goes there whatever the key's bit.
    #[must_use]
    pub fn descend(&self, id: &PageId, key: &Hash, siblings: &mut Vec<Sibling>) -> (u8, Slot) {
        let mut slots = self.slots.as_slice();
        let mut first: u8 = 0;
        let mut depth = id.depth();
        let wanted = id.slot_of(key);
        for bit in (0..BITS).rev() {
            let half = slots.len() / 2;
            let (left, right) = slots.split_at(half);
            let right_wanted = wanted >> bit & 1 == 1;
            // After depth 255 comes no branch, so the sum is not looked at.
            let below = depth.saturating_add(1);
            let hashes = (subtree(left, below), subtree(right, below));
            let go_right = match hashes {
                (Some(left), Some(right)) => {
                    siblings.push((depth, if right_wanted { left } else { right }));
                    right_wanted
                }
                (None, Some(_)) => true,
                (Some(_), None) => false,
                (None, None) => right_wanted,
            };
            slots = if go_right { right } else { left };
            first |= u8::from(go_right) << bit;
            depth = below;
        }
        (first, slots.first().copied().unwrap_or_default())
    }

    /// The stored form: a bit for each slot in use, then those slots.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut used: u16 = 0;
        let mut body = Vec::new();
        for (at, slot) in self.slots.iter().enumerate() {
            let (tag, parts, version): (u8, &[&Hash], u64) = match slot {
                Slot::Empty => continue,
                Slot::Leaf(leaf) => (TAG_LEAF, &[&leaf.key, &leaf.record], leaf.version),
                Slot::Child { hash, version } => (TAG_CHILD, &[hash], *version),
            };
            used |= 1 << at;
            body.push(tag);
            for part in parts {
                body.extend_from_slice(&part.0);
            }
            body.extend_from_slice(&version.to_be_bytes());
        }
        [used.to_be_bytes().as_slice(), &body].concat()
    }

    /// Of the stored form.
    pub(crate) fn from_stored(bytes: &[u8]) -> Result<Self, LayoutError> {
        let length = || LayoutError::Length {
            expected: "a page",
            actual: bytes.len(),
        };
        let (used, mut rest) = bytes.split_first_chunk::<2>().ok_or_else(length)?;
        let used = u16::from_be_bytes(*used);
        let mut page = Self::default();
        for (at, slot) in page.slots.iter_mut().enumerate() {
            if used >> at & 1 == 0 {
                continue;
            }
            let (tag, after) = rest.split_first().ok_or_else(length)?;
            let (first, after) = after.split_first_chunk::<32>().ok_or_else(length)?;
            let (second, after) = match *tag {
                TAG_LEAF => {
                    let (record, after) = after.split_first_chunk::<32>().ok_or_else(length)?;
                    (Some(Hash(*record)), after)
                }
                TAG_CHILD => (None, after),
                tag => return Err(LayoutError::Tag { tag }),
            };
            let (version, after) = after.split_first_chunk::<8>().ok_or_else(length)?;
            let version = u64::from_be_bytes(*version);
            *slot = match second {
                Some(record) => Slot::Leaf(MapLeaf {
                    key: Hash(*first),
                    record,
                    version,
                }),
                None => Slot::Child {
                    hash: Hash(*first),
                    version,
                },
            };
            rest = after;
        }
        if rest.is_empty() {
            Ok(page)
        } else {
            Err(length())
        }
    }
}

const TAG_LEAF: u8 = 1;
const TAG_CHILD: u8 = 2;

/// Hash of the keys below `slots`, the first branch at `depth`.
fn subtree(slots: &[Slot], depth: u8) -> Option<Hash> {
    if let [slot] = slots {
        return slot.hash();
    }
    let (left, right) = slots.split_at(slots.len() / 2);
    // Depth 256 is never a branch: two keys differ in one of 256 bits, 0 to 255.
    let below = depth.saturating_add(1);
    match (subtree(left, below), subtree(right, below)) {
        (Some(left), Some(right)) => Some(node_hash(depth, &left, &right)),
        (one, other) => one.or(other),
    }
}
