//! Bytes: the column families, what their keys and values are, and how they are written.
//!
//! Integers are big-endian, so key order is numeric order. Format history: 1, the first.

use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::Hash;

use crate::map::page::{Page, PageId};

/// Format version of the database; raised with any change in this file.
pub const FORMAT: u64 = 1;

/// Bytes of an unsigned 64-bit integer.
const U64: usize = 8;

/// A column family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// Epoch number → where its leaf is, and which root page its map has.
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
    /// Page of the status map, version → slots.
    Pages,
    /// Subject key, version → record.
    Records,
    /// Version, table, key → a page or record that this version replaced.
    Stale,
    /// Subject key, seq → leaf index.
    Subjects,
    /// Tile level, tile index → hashes.
    Tiles,
}

impl Family {
    /// Every family.
    pub const ALL: [Self; 11] = [
        Self::Epochs,
        Self::EventIds,
        Self::Heads,
        Self::Holdings,
        Self::Leaves,
        Self::Meta,
        Self::Pages,
        Self::Records,
        Self::Stale,
        Self::Subjects,
        Self::Tiles,
    ];

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
            Self::Pages => "pages",
            Self::Records => "records",
            Self::Stale => "stale",
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
    /// Epoch number → [`EpochPlace`].
    Epochs, Epochs, u64, EpochPlace);
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
    /// (page, version) → slots.
    Pages, Pages, (PageId, u64), Page);
table!(
    /// (subject key, version) → canonical record.
    Records, Records, (Hash, u64), Vec<u8>);
table!(
    /// What a version replaced → nothing.
    Stale, Stale, StaleKey, ());
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
    /// The log's public key, 32 bytes.
    LogKey,
    /// The log's origin, UTF-8.
    Origin,
}

/// Where an epoch's leaf is and where its map begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochPlace {
    /// Index of the epoch leaf.
    pub index: LeafIndex,
    /// Version of the root page: the last epoch that changed the map.
    pub map_version: u64,
}

/// A page or record that was current until `version`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaleKey {
    /// The epoch that replaced it.
    pub version: u64,
    /// What it is.
    pub old: Old,
}

/// What was replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Old {
    /// A page at a version.
    Page(PageId, u64),
    /// A record at a version.
    Record(Hash, u64),
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

impl Part for () {
    fn bytes(&self) -> Vec<u8> {
        Vec::new()
    }
    fn from_bytes(bytes: &[u8]) -> Result<Self, LayoutError> {
        exactly::<0>(bytes, "0").map(|_| ())
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

impl Part for (PageId, u64) {
    fn bytes(&self) -> Vec<u8> {
        [self.0.bytes().as_slice(), &self.1.to_be_bytes()].concat()
    }
    fn from_bytes(bytes: &[u8]) -> Result<Self, LayoutError> {
        let (id, version) = split_u64(bytes, "a page id and 8")?;
        Ok((PageId::from_bytes(id)?, version))
    }
}

impl Part for Page {
    fn bytes(&self) -> Vec<u8> {
        self.to_bytes()
    }
    fn from_bytes(bytes: &[u8]) -> Result<Self, LayoutError> {
        Self::from_stored(bytes)
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

impl Part for EpochPlace {
    fn bytes(&self) -> Vec<u8> {
        [self.index.0.to_be_bytes(), self.map_version.to_be_bytes()].concat()
    }
    fn from_bytes(bytes: &[u8]) -> Result<Self, LayoutError> {
        let (index, map_version) = split_u64(bytes, "16")?;
        let index = exactly(index, "16").map(u64::from_be_bytes)?;
        Ok(Self {
            index: LeafIndex(index),
            map_version,
        })
    }
}

const TAG_PAGE: u8 = b'p';
const TAG_RECORD: u8 = b'r';

impl Part for StaleKey {
    fn bytes(&self) -> Vec<u8> {
        let (tag, rest) = match &self.old {
            Old::Page(id, version) => (TAG_PAGE, (id.clone(), *version).bytes()),
            Old::Record(key, version) => (TAG_RECORD, (*key, *version).bytes()),
        };
        [self.version.to_be_bytes().as_slice(), &[tag], &rest].concat()
    }
    fn from_bytes(bytes: &[u8]) -> Result<Self, LayoutError> {
        let short = || LayoutError::Length {
            expected: "9 or more",
            actual: bytes.len(),
        };
        let (version, rest) = bytes.split_first_chunk::<U64>().ok_or_else(short)?;
        let (tag, rest) = rest.split_first().ok_or_else(short)?;
        let old = match *tag {
            TAG_PAGE => Part::from_bytes(rest).map(|(id, version)| Old::Page(id, version))?,
            TAG_RECORD => Part::from_bytes(rest).map(|(key, v)| Old::Record(key, v))?,
            tag => return Err(LayoutError::Tag { tag }),
        };
        Ok(Self {
            version: u64::from_be_bytes(*version),
            old,
        })
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
