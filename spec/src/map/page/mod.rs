//! Pages of the map: what a reader fetches to prove a key's presence or absence by itself.
//!
//! A page opens one subtree: as the subtrees a few bits below, or as its leaves. It is named by its
//! prefix and the hash it recomputes to, so it needs nobody's word. Where a map is cut into pages
//! depends on its keys only. [`Walk`] makes a path of pages. Prose: `spec/map-page.md`.

mod error;
mod naive;
mod prefix;
mod row;
mod walk;

#[cfg(test)]
mod tests;

pub use error::PageError;
pub use naive::naive_pages;
pub use prefix::{PageName, Prefix};
pub use walk::{Found, Walk};

use super::{EMPTY_ROOT, first_difference, leaf_hash};
use crate::wire::hash::Hash;
use crate::wire::limits;

/// Longest prefix, bits: with all but the last byte given there are no more keys than a page has
/// leaves.
pub const PREFIX_BITS: u8 = 248;
/// Bits from a page to the furthest subtree it lists.
pub const STEP: u8 = 8;

/// First byte of a page that lists subtrees.
const BRANCH: u8 = 1;
/// First byte of a page that lists leaves.
const LEAF: u8 = 2;

/// A subtree that a page lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Child {
    /// First bits of its keys: 1 to [`STEP`] more than those of the page.
    pub prefix: Prefix,
    /// Its hash.
    pub hash: Hash,
}

/// A key that a page lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageLeaf {
    /// The key.
    pub key: Hash,
    /// SHA-256 of its record.
    pub record_hash: Hash,
}

/// What a page lists, in key order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Subtrees: of a prefix with more than [`limits::MAP_PAGE_LEAVES`] keys.
    Children(Vec<Child>),
    /// The keys themselves.
    Leaves(Vec<PageLeaf>),
}

/// A page: well-formed, its hash computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    prefix: Prefix,
    content: Content,
    hash: Hash,
}

impl Page {
    /// A page of `prefix` that lists `content`.
    ///
    /// # Errors
    /// `Outside`, `Order`, `Prefix`, `Split`, `TooLong`.
    pub fn new(prefix: Prefix, content: Content) -> Result<Self, PageError> {
        let hash = match &content {
            Content::Children(children) => {
                check_children(&prefix, children)?;
                let (hashes, gaps) = row::of_children(children);
                row::hash(&hashes, &gaps)
            }
            Content::Leaves(leaves) => {
                check_leaves(&prefix, leaves)?;
                let (hashes, gaps) = row::of_leaves(leaves);
                row::hash(&hashes, &gaps)
            }
        };
        Ok(Self {
            prefix,
            content,
            // Only the page of the empty map lists nothing.
            hash: hash.unwrap_or(EMPTY_ROOT),
        })
    }

    /// First bits of all keys below it.
    #[must_use]
    pub fn prefix(&self) -> &Prefix {
        &self.prefix
    }

    /// What it lists.
    #[must_use]
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// Prefix, and the hash of the subtree that it opens.
    #[must_use]
    pub fn name(&self) -> PageName {
        PageName {
            prefix: self.prefix,
            hash: self.hash,
        }
    }

    /// The page's bytes, at most [`limits::MAP_PAGE_BYTES`].
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let length = self.prefix.length();
        let whole = usize::from(length.div_ceil(8));
        let kind = match &self.content {
            Content::Children(_) => BRANCH,
            Content::Leaves(_) => LEAF,
        };
        let mut bytes = vec![kind, length];
        bytes.extend(self.prefix.bits().0.iter().take(whole));
        match &self.content {
            Content::Children(children) => {
                for child in children {
                    let below = child.prefix.length().saturating_sub(length);
                    let step = child.prefix.bits().0.get(usize::from(length / 8));
                    bytes.extend([below, step.copied().unwrap_or(0)]);
                    bytes.extend(child.hash.0);
                }
            }
            Content::Leaves(leaves) => {
                for leaf in leaves {
                    bytes.extend(leaf.key.0);
                    bytes.extend(leaf.record_hash.0);
                }
            }
        }
        bytes
    }

    /// Reads a page as [`Page::encode`] writes it, and nothing else.
    ///
    /// # Errors
    /// `TooLong` before anything is looked at; `Kind`, `Length`, `Prefix`; as [`Page::new`].
    pub fn decode(bytes: &[u8]) -> Result<Self, PageError> {
        if bytes.len() > limits::MAP_PAGE_BYTES {
            return Err(PageError::TooLong { bytes: bytes.len() });
        }
        let short = || PageError::Length { bytes: bytes.len() };
        let (&[kind, length], rest) = bytes.split_first_chunk::<2>().ok_or_else(short)?;
        if kind != BRANCH && kind != LEAF {
            return Err(PageError::Kind { kind });
        }
        if length > PREFIX_BITS || kind == BRANCH && !may_branch(length) {
            return Err(PageError::Prefix { length });
        }
        let whole = usize::from(length.div_ceil(8));
        let (given, entries) = rest.split_at_checked(whole).ok_or_else(short)?;
        let mut bits = Hash([0; 32]);
        for (bit, byte) in bits.0.iter_mut().zip(given) {
            *bit = *byte;
        }
        let prefix = Prefix::of(&bits, length);
        let prefix = prefix.filter(|prefix| *prefix.bits() == bits);
        let prefix = prefix.ok_or(PageError::Prefix { length })?;
        let content = if kind == BRANCH {
            let (entries, []) = entries.as_chunks::<34>() else {
                return Err(short());
            };
            let children = entries.iter().zip(0..);
            let children = children.map(|(entry, at)| child(&prefix, entry, at));
            Content::Children(children.collect::<Result<_, _>>()?)
        } else {
            let (entries, []) = entries.as_chunks::<64>() else {
                return Err(short());
            };
            Content::Leaves(entries.iter().map(leaf).collect())
        };
        Self::new(prefix, content)
    }
}

/// A child: how many bits it is below the page, those bits, its hash.
fn child(page: &Prefix, entry: &[u8; 34], at: usize) -> Result<Child, PageError> {
    let [below, step, hash @ ..] = *entry;
    let outside = || PageError::Outside { at };
    if !(1..=STEP).contains(&below) {
        return Err(outside());
    }
    let mut bits = *page.bits();
    let byte = bits.0.get_mut(usize::from(page.length() / 8));
    *byte.ok_or_else(outside)? = step;
    let prefix = Prefix::of(&bits, page.length().saturating_add(below));
    // Bits after those that count are 0.
    let prefix = prefix.filter(|prefix| *prefix.bits() == bits);
    Ok(Child {
        prefix: prefix.ok_or_else(outside)?,
        hash: Hash(hash),
    })
}

fn leaf(entry: &[u8; 64]) -> PageLeaf {
    let mut leaf = PageLeaf {
        key: Hash([0; 32]),
        record_hash: Hash([0; 32]),
    };
    let (key, record_hash) = entry.split_at(Hash::BYTES);
    leaf.key.0.copy_from_slice(key);
    leaf.record_hash.0.copy_from_slice(record_hash);
    leaf
}

/// Whether a page of so many bits can list subtrees.
fn may_branch(length: u8) -> bool {
    length.is_multiple_of(STEP) && length < PREFIX_BITS
}

fn check_leaves(prefix: &Prefix, leaves: &[PageLeaf]) -> Result<(), PageError> {
    if leaves.len() > limits::MAP_PAGE_LEAVES {
        let bytes = leaves.len().saturating_mul(64);
        return Err(PageError::TooLong { bytes });
    }
    // A subtree has keys; only the whole map may have none.
    if leaves.is_empty() && *prefix != Prefix::TOP {
        return Err(PageError::Split { prefix: *prefix });
    }
    let mut before: Option<&Hash> = None;
    for (at, leaf) in leaves.iter().enumerate() {
        if !prefix.holds(&leaf.key) {
            return Err(PageError::Outside { at });
        }
        if before.is_some_and(|before| *before >= leaf.key) {
            return Err(PageError::Order { at });
        }
        before = Some(&leaf.key);
    }
    Ok(())
}

fn check_children(prefix: &Prefix, children: &[Child]) -> Result<(), PageError> {
    let length = prefix.length();
    if !may_branch(length) {
        return Err(PageError::Prefix { length });
    }
    let longest = length.saturating_add(STEP);
    if children.is_empty() {
        return Err(PageError::Split { prefix: *prefix });
    }
    let mut before: Option<&Prefix> = None;
    for (at, child) in children.iter().enumerate() {
        let below = child.prefix.length() > length && child.prefix.length() <= longest;
        if !below || !prefix.contains(&child.prefix) {
            return Err(PageError::Outside { at });
        }
        let follows = |before: &Prefix| {
            before.bits() < child.prefix.bits() && !before.contains(&child.prefix)
        };
        if !before.is_none_or(follows) {
            return Err(PageError::Order { at });
        }
        before = Some(&child.prefix);
    }
    // Without anybody on the other side of its last bit, a subtree has as many keys as it has one
    // bit up: too many there, too many here, so it must be cut as far down as a page reaches.
    for child in children {
        if child.prefix.length() < longest && is_alone(child, children) {
            let prefix = child.prefix;
            return Err(PageError::Split { prefix });
        }
    }
    Ok(())
}

/// Whether nothing is listed on the other side of a child's last bit.
fn is_alone(child: &Child, children: &[Child]) -> bool {
    let Some(other) = child.prefix.sibling() else {
        return true;
    };
    let from = children.partition_point(|each| each.prefix.bits() < other.bits());
    !children
        .get(from)
        .is_some_and(|first| other.contains(&first.prefix))
}
