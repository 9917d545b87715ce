//! Bytes: the column families, what their keys and values are, and how they are written.
//!
//! Integers are big-endian, so key order is numeric order. Format history: 1, the first; 2, the map
//! is made from records at start (no pages on disk), what an epoch replaced is one entry; 3,
//! records lie by epoch, so that they are written once and never moved into another order.
//!
//! Three families stay as they are in every format ([`Family::STABLE`]): leaves, heads, and what
//! the database is of. All else follows from the leaves, so a database of an earlier format becomes
//! one of this by replay, whatever the earlier one had besides ([`crate::migrate`]). Whoever
//! changes one of the three writes a step of its own that reads the old form.

use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::Hash;

/// Format version of the database; raised with any change in this file. [`crate::migrate`] brings
/// an earlier one up to it.
pub const FORMAT: u64 = 3;

/// Bytes of an unsigned 64-bit integer.
const U64: usize = 8;
/// Bytes of a hash.
const HASH: usize = 32;

/// A column family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// Epoch number → index of its leaf.
    Epochs,
    /// Event id → leaf index.
    EventIds,
    /// Size → published checkpoint with its cosignatures.
    Heads,
    /// Enterprise key, position → licence key.
    Holdings,
    /// Leaf index → raw leaf.
    Leaves,
    /// Format version, origin, log key.
    Meta,
    /// Version, subject key → record.
    Records,
    /// Epoch number → the records it replaced.
    Replaced,
    /// Subject key, seq → leaf index.
    Subjects,
    /// Tile level, tile index → hashes.
    Tiles,
}

impl Family {
    /// Every family.
    pub const ALL: [Self; 10] = [
        Self::Epochs,
        Self::EventIds,
        Self::Heads,
        Self::Holdings,
        Self::Leaves,
        Self::Meta,
        Self::Records,
        Self::Replaced,
        Self::Subjects,
        Self::Tiles,
    ];

    /// Those whose names, keys and values are the same in every format, the first to the last: what
    /// a migration reads.
    pub const STABLE: [Self; 3] = [Self::Heads, Self::Leaves, Self::Meta];

    /// Its name in the database.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Epochs => "epochs",
            Self::EventIds => "event_ids",
            Self::Heads => "heads",
            Self::Holdings => "holdings",
            Self::Leaves => "leaves",
            Self::Meta => "meta",
            Self::Records => "records",
            Self::Replaced => "replaced",
            Self::Subjects => "subjects",
            Self::Tiles => "tiles",
        }
    }
}

/// Why stored bytes are not what their family holds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutError {
    /// Another number of bytes.
    #[error("{actual} bytes where {expected} are needed")]
    Length {
        /// What is needed, in words.
        expected: &'static str,
        /// Bytes found.
        actual: usize,
    },
    /// A tag byte that nothing has.
    #[error("unknown tag {tag}")]
    Tag {
        /// The byte.
        tag: u8,
    },
    /// The value is decodable but not possible here.
    #[error("{0}")]
    Value(String),
}

/// One column family with its types.
pub trait Table {
    /// Which family.
    const FAMILY: Family;
    /// Type of the key.
    type Key;
    /// Type of the value.
    type Value;

    /// Bytes of a key.
    fn encode_key(key: &Self::Key) -> Vec<u8>;
    /// Bytes of a value.
    fn encode_value(value: &Self::Value) -> Vec<u8>;
    /// The key of such bytes.
    ///
    /// # Errors
    /// The bytes are no key of this family.
    fn decode_key(bytes: &[u8]) -> Result<Self::Key, LayoutError>;
    /// The value of such bytes.
    ///
    /// # Errors
    /// The bytes are no value of this family.
    fn decode_value(bytes: &[u8]) -> Result<Self::Value, LayoutError>;
}

/// Declares a table whose key and value are [`Part`]s.
macro_rules! table {
    ($(#[$doc:meta])* $name:ident, $family:ident, $key:ty, $value:ty) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub enum $name {}

        impl Table for $name {
            const FAMILY: Family = Family::$family;
            type Key = $key;
            type Value = $value;

            fn encode_key(key: &$key) -> Vec<u8> {
                key.bytes()
            }
            fn encode_value(value: &$value) -> Vec<u8> {
                value.bytes()
            }
            fn decode_key(bytes: &[u8]) -> Result<$key, LayoutError> {
                Part::from_bytes(bytes)
            }
            fn decode_value(bytes: &[u8]) -> Result<$value, LayoutError> {
                Part::from_bytes(bytes)
            }
        }
    };
}

table!(
    /// Epoch number → index of its leaf.
    Epochs, Epochs, u64, LeafIndex);
table!(
    /// Event id → leaf index.
    EventIds, EventIds, Hash, LeafIndex);
table!(
    /// Tree size → checkpoint note.
    Heads, Heads, u64, Vec<u8>);
table!(
    /// (enterprise key, position from 0) → licence key.
    Holdings, Holdings, (Hash, u64), Hash);
table!(
    /// Leaf index → raw leaf.
    Leaves, Leaves, LeafIndex, Vec<u8>);
table!(
    /// [`MetaKey`] → bytes.
    Meta, Meta, MetaKey, Vec<u8>);
table!(
    /// (version, subject key) → canonical record.
    Records, Records, (u64, Hash), Vec<u8>);
table!(
    /// Epoch number → (subject key, version) of each record it replaced, keys ascending.
    Replaced, Replaced, u64, Vec<(Hash, u64)>);
table!(
    /// (subject key, seq) → leaf index.
    Subjects, Subjects, (Hash, u64), LeafIndex);
table!(
    /// (tile level, tile index) → 1 to 256 hashes, end to end.
    Tiles, Tiles, (u8, u64), Vec<u8>);

/// Keys of [`Meta`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetaKey {
    /// [`FORMAT`], 8 bytes.
    Format,
    /// The public key the log began with, 32 bytes.
    LogKey,
    /// The log's origin, UTF-8.
    Origin,
}

/// Something with a byte form of its own.
trait Part: Sized {
    fn bytes(&self) -> Vec<u8>;
    fn from_bytes(bytes: &[u8]) -> Result<Self, LayoutError>;
}

/// Exactly `N` bytes.
fn exactly<const N: usize>(bytes: &[u8], expected: &'static str) -> Result<[u8; N], LayoutError> {
    bytes.try_into().map_err(|_| LayoutError::Length {
        expected,
        actual: bytes.len(),
    })
}

/// The last 8 bytes as an integer, and what is before them.
fn split_u64<'a>(bytes: &'a [u8], expected: &'static str) -> Result<(&'a [u8], u64), LayoutError> {
    let (rest, last) = bytes.split_last_chunk::<U64>().ok_or(LayoutError::Length {
        expected,
        actual: bytes.len(),
    })?;
    Ok((rest, u64::from_be_bytes(*last)))
}

impl Part for u64 {
    fn bytes(&self) -> Vec<u8> {
        self.to_be_bytes().to_vec()
    }
    fn from_bytes(bytes: &[u8]) -> Result<Self, LayoutError> {
        exactly(bytes, "8").map(Self::from_be_bytes)
    }
}

impl Part for LeafIndex {
    fn bytes(&self) -> Vec<u8> {
        self.0.bytes()
    }
    fn from_bytes(bytes: &[u8]) -> Result<Self, LayoutError> {
        u64::from_bytes(bytes).map(Self)
    }
}

impl Part for Hash {
    fn bytes(&self) -> Vec<u8> {
        self.0.to_vec()
    }
    fn from_bytes(bytes: &[u8]) -> Result<Self, LayoutError> {
        exactly(bytes, "32").map(Self)
    }
}

impl Part for Vec<u8> {
    fn bytes(&self) -> Vec<u8> {
        self.clone()
    }
    fn from_bytes(bytes: &[u8]) -> Result<Self, LayoutError> {
        Ok(bytes.to_vec())
    }
}

impl Part for (Hash, u64) {
    fn bytes(&self) -> Vec<u8> {
        [self.0.0.as_slice(), &self.1.to_be_bytes()].concat()
    }
    fn from_bytes(bytes: &[u8]) -> Result<Self, LayoutError> {
        let (hash, n) = split_u64(bytes, "40")?;
        Ok((Hash(exactly(hash, "40")?), n))
    }
}

impl Part for (u64, Hash) {
    fn bytes(&self) -> Vec<u8> {
        [self.0.to_be_bytes().as_slice(), &self.1.0].concat()
    }
    fn from_bytes(bytes: &[u8]) -> Result<Self, LayoutError> {
        let wrong = || LayoutError::Length {
            expected: "40",
            actual: bytes.len(),
        };
        let (n, hash) = bytes.split_first_chunk::<U64>().ok_or_else(wrong)?;
        let hash = hash.try_into().map_err(|_| wrong())?;
        Ok((u64::from_be_bytes(*n), Hash(hash)))
    }
}

impl Part for (u8, u64) {
    fn bytes(&self) -> Vec<u8> {
        [[self.0].as_slice(), &self.1.to_be_bytes()].concat()
    }
    fn from_bytes(bytes: &[u8]) -> Result<Self, LayoutError> {
        let (level, index) = split_u64(bytes, "9")?;
        let [level] = exactly(level, "9")?;
        Ok((level, index))
    }
}

impl Part for Vec<(Hash, u64)> {
    fn bytes(&self) -> Vec<u8> {
        self.iter().flat_map(|old| old.bytes()).collect()
    }
    fn from_bytes(bytes: &[u8]) -> Result<Self, LayoutError> {
        let (entries, rest) = bytes.as_chunks::<{ HASH + U64 }>();
        if !rest.is_empty() || entries.is_empty() {
            return Err(LayoutError::Length {
                expected: "a multiple of 40",
                actual: bytes.len(),
            });
        }
        let old = entries.iter().map(|entry| Part::from_bytes(entry));
        old.collect()
    }
}

impl Part for MetaKey {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Format => b"format".to_vec(),
            Self::LogKey => b"log-key".to_vec(),
            Self::Origin => b"origin".to_vec(),
        }
    }
    fn from_bytes(bytes: &[u8]) -> Result<Self, LayoutError> {
        match bytes {
            b"format" => Ok(Self::Format),
            b"log-key" => Ok(Self::LogKey),
            b"origin" => Ok(Self::Origin),
            _ => Err(LayoutError::Value("no such meta key".to_owned())),
        }
    }
}

/// A key for an error text: hexadecimal, at most 32 bytes of it.
#[must_use]
pub fn show(key: &[u8]) -> String {
    let mut text: String = key
        .iter()
        .take(32)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    if key.len() > 32 {
        text.push('…');
    }
    text
}
