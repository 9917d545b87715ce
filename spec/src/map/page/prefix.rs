//! The first bits of keys, and the names of pages.

use std::fmt::{self, Write as _};

use super::{PREFIX_BITS, PageError};
use crate::map::{bit, first_difference};
use crate::wire::clip;
use crate::wire::hash::Hash;

/// The word for no bits at all.
const TOP: &str = "top";
/// What a page's path begins with.
const FOLDER: &str = "map/";
/// Characters of the longest path: folder, prefix, slash, hash.
const PATH_LIMIT: usize = 4 + 248 + 1 + 64;

/// The first bits of keys: those of [`bits`](Self::bits) that are counted by
/// [`length`](Self::length), 0 to [`PREFIX_BITS`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    /// Bits that are not counted are 0.
    bits: Hash,
    length: u8,
}

impl Prefix {
    /// No bits: every key begins so.
    pub const TOP: Self = Self {
        bits: Hash([0; 32]),
        length: 0,
    };

    /// The first `length` bits of a key; nothing for more than [`PREFIX_BITS`].
    #[must_use]
    pub fn of(key: &Hash, length: u8) -> Option<Self> {
        (length <= PREFIX_BITS).then(|| Self {
            bits: first(key, length),
            length,
        })
    }

    /// The bits, and 0 after them.
    #[must_use]
    pub fn bits(&self) -> &Hash {
        &self.bits
    }

    /// How many bits.
    #[must_use]
    pub fn length(&self) -> u8 {
        self.length
    }

    /// Whether a key begins so.
    #[must_use]
    pub fn holds(&self, key: &Hash) -> bool {
        first_difference(&self.bits, key).is_none_or(|bit| bit >= self.length)
    }

    /// Whether all keys that begin like the other one begin so.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        other.length >= self.length && self.holds(&other.bits)
    }

    /// The same without its last bit; nothing for no bits.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let length = self.length.checked_sub(1)?;
        Self::of(&self.bits, length)
    }

    /// The same with its last bit the other way; nothing for no bits.
    #[must_use]
    pub fn sibling(&self) -> Option<Self> {
        let last = self.length.checked_sub(1)?;
        let mut bits = self.bits;
        let byte = bits.0.get_mut(usize::from(last / 8))?;
        *byte ^= 0x80 >> (last % 8);
        let length = self.length;
        Some(Self { bits, length })
    }

    /// One bit more; nothing beyond [`PREFIX_BITS`].
    #[must_use]
    pub fn child(&self, one: bool) -> Option<Self> {
        let length = self.length.checked_add(1)?;
        let zero = Self::of(&self.bits, length)?;
        if one { zero.sibling() } else { Some(zero) }
    }

    /// Reads what [`Display`](fmt::Display) writes.
    fn parse(text: &str) -> Option<Self> {
        if text == TOP {
            return Some(Self::TOP);
        }
        if text.is_empty() {
            return None;
        }
        text.bytes().try_fold(Self::TOP, |prefix, digit| {
            let one = match digit {
                b'0' => false,
                b'1' => true,
                _ => return None,
            };
            prefix.child(one)
        })
    }
}

/// `top`, or a digit a bit: `00000001`.
impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.length == 0 {
            return f.write_str(TOP);
        }
        for depth in 0..self.length {
            f.write_char(if bit(&self.bits, depth) { '1' } else { '0' })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prefix({self})")
    }
}

/// The first `length` bits of a key, and 0 after them.
fn first(key: &Hash, length: u8) -> Hash {
    let mut bits = *key;
    for (byte, at) in bits.0.iter_mut().zip((0_u16..).step_by(8)) {
        let kept = u32::from(u16::from(length).saturating_sub(at).min(8));
        let [_, mask] = 0xff00_u16.checked_shr(kept).unwrap_or(0).to_be_bytes();
        *byte &= mask;
    }
    bits
}

/// Which page: its prefix, and the hash of the subtree it opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PageName {
    /// First bits of the keys below it.
    pub prefix: Prefix,
    /// What the page must hash to.
    pub hash: Hash,
}

impl PageName {
    /// The topmost page of the map with this root.
    #[must_use]
    pub fn top(root: &Hash) -> Self {
        Self {
            prefix: Prefix::TOP,
            hash: *root,
        }
    }

    /// Path below the log's prefix: `map/top/<hash>`, `map/0000000101/<hash>`; the hash as 64
    /// lower-case hexadecimal digits.
    #[must_use]
    pub fn path(&self) -> String {
        let mut path = format!("{FOLDER}{}/", self.prefix);
        for byte in self.hash.0 {
            let _ = write!(path, "{byte:02x}");
        }
        path
    }

    /// Reads a path as [`PageName::path`] writes it, and no other spelling.
    ///
    /// # Errors
    /// `Path`.
    pub fn parse(path: &str) -> Result<Self, PageError> {
        let malformed = || PageError::Path { path: clip(path) };
        if path.len() > PATH_LIMIT {
            return Err(malformed());
        }
        let rest = path.strip_prefix(FOLDER).ok_or_else(malformed)?;
        let (prefix, hash) = rest.split_once('/').ok_or_else(malformed)?;
        let prefix = Prefix::parse(prefix).ok_or_else(malformed)?;
        let hash = from_hex(hash).ok_or_else(malformed)?;
        Ok(Self { prefix, hash })
    }
}

/// 64 lower-case hexadecimal digits.
fn from_hex(text: &str) -> Option<Hash> {
    let digit = |digit: u8| match digit {
        b'0'..=b'9' => digit.checked_sub(b'0'),
        b'a'..=b'f' => digit.checked_sub(b'a' - 10),
        _ => None,
    };
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return None;
    };
    if pairs.len() != Hash::BYTES {
        return None;
    }
    let mut hash = Hash([0; 32]);
    for (byte, [high, low]) in hash.0.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(hash)
}
