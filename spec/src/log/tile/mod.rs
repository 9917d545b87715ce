//! Tiles and entry bundles (c2sp.org/tlog-tiles): where a node is served, and under which path.
//!
//! A tile holds 256 nodes of one tree level, the levels being multiples of 8; the nodes between
//! are recomputed from it. Entries are served in bundles of 256. The last tile of a level may be
//! partial. Fetching, caching and pruning are the ledger's. Prose: `spec/tile.md`.

mod bundle;

#[cfg(test)]
mod tests;

use thiserror::Error;

use super::text::decimal;
use super::tree::{Node, SIZE_LIMIT, TreeSize, node_hash};
use crate::wire::clip;
use crate::wire::hash::Hash;

pub use bundle::{BundleError, ENTRY_LIMIT, append_entry, decode_bundle, encode_bundle};

/// Nodes in a full tile, entries in a full bundle.
pub const TILE_WIDTH: u16 = 256;

/// Bytes of a full tile: 256 hashes of 32 bytes.
pub const TILE_BYTES: usize = 8192;

/// Tree levels a tile spans.
const TILE_HEIGHT: u8 = 8;

/// Highest tile level that has nodes in a tree of fewer than 2^62 leaves.
pub const LEVEL_LIMIT: u8 = 7;

/// Longest path text looked at; the longest valid one is shorter.
const PATH_LIMIT: usize = 64;

/// What a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A bundle of entries: `tile/entries/…`.
    Entries,
    /// Hashes of a level: `tile/<L>/…`; node `i` is the tree node of level `8·L`.
    Hashes(
        /// Tile level `L`, at most [`LEVEL_LIMIT`].
        u8,
    ),
}

/// A tile or an entry bundle, full or partial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    /// Hashes of which level, or entries.
    pub kind: Kind,
    /// Position from the left; covers nodes or entries `256·index` and on.
    pub index: u64,
    /// Nodes or entries in it: 1 to 256, and 256 is a full one.
    pub width: u16,
}

/// Why a tile was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TileError {
    /// The index would cover entries from 2^62 on.
    #[error("tile index {index} is beyond the largest tree")]
    IndexLimit {
        /// Index of the tile.
        index: u64,
    },
    /// The tile has another number of bytes than its width asks for.
    #[error("tile has {actual} bytes, expected {expected}")]
    Length {
        /// Bytes the width asks for.
        expected: usize,
        /// Bytes handed in.
        actual: usize,
    },
    /// No tree has tiles of this level.
    #[error("tile level {level} is above 7")]
    Level {
        /// Level of the tile.
        level: u64,
    },
    /// The node is not in this tile, or not in the part that exists.
    #[error("node {} at level {} is not in this tile", .node.index, .node.level)]
    NodeNotInTile {
        /// The node asked for.
        node: Node,
    },
    /// The text is not a tile path.
    #[error("not a tile path: {path:?}")]
    Path {
        /// Beginning of the text.
        path: String,
    },
    /// The width is not 1 to 256, or a path writes 256 as a partial width.
    #[error("tile width {width} is out of range")]
    Width {
        /// Width given.
        width: u64,
    },
}

impl TileError {
    /// The stable code used in vectors and reports.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::IndexLimit { .. } => "index_limit",
            Self::Length { .. } => "length",
            Self::Level { .. } => "level",
            Self::NodeNotInTile { .. } => "node_not_in_tile",
            Self::Path { .. } => "path",
            Self::Width { .. } => "width",
        }
    }
}

impl Tile {
    /// Path below the log's prefix: `tile/0/x001/x234/067`, or `…/067.p/44` for a partial one.
    #[must_use]
    pub fn path(&self) -> String {
        let kind = match self.kind {
            Kind::Entries => "entries".to_owned(),
            Kind::Hashes(level) => level.to_string(),
        };
        let partial = match self.width {
            TILE_WIDTH => String::new(),
            width => format!(".p/{width}"),
        };
        format!("tile/{kind}/{}{partial}", group_digits(self.index))
    }

    /// Reads a path as [`Tile::path`] writes it, and no other spelling.
    ///
    /// # Errors
    /// `Path`, `Level`, `Width`, `IndexLimit`.
    pub fn parse(path: &str) -> Result<Self, TileError> {
        let malformed = || TileError::Path { path: clip(path) };
        if path.len() > PATH_LIMIT {
            return Err(malformed());
        }
        let rest = path.strip_prefix("tile/").ok_or_else(malformed)?;
        let (kind, rest) = rest.split_once('/').ok_or_else(malformed)?;
        let kind = match kind {
            "entries" => Kind::Entries,
            _ => {
                let level = decimal(kind).ok_or_else(malformed)?;
                let known = u8::try_from(level)
                    .ok()
                    .filter(|level| *level <= LEVEL_LIMIT);
                Kind::Hashes(known.ok_or(TileError::Level { level })?)
            }
        };
        let (groups, width) = match rest.split_once(".p/") {
            None => (rest, TILE_WIDTH),
            Some((groups, width)) => {
                let width = decimal(width).ok_or_else(malformed)?;
                let known = u16::try_from(width)
                    .ok()
                    .filter(|w| (1..TILE_WIDTH).contains(w));
                (groups, known.ok_or(TileError::Width { width })?)
            }
        };
        let index = ungroup_digits(groups).ok_or_else(malformed)?;
        let tile = Self { kind, index, width };
        // Also refuses spellings with superfluous groups, such as x000/001.
        if tile.path() != path {
            return Err(malformed());
        }
        tile.check()?;
        Ok(tile)
    }

    /// Refuses widths, levels and indexes that no tree of fewer than 2^62 leaves has.
    fn check(&self) -> Result<(), TileError> {
        if !(1..=TILE_WIDTH).contains(&self.width) {
            return Err(TileError::Width {
                width: self.width.into(),
            });
        }
        if let Kind::Hashes(level) = self.kind
            && level > LEVEL_LIMIT
        {
            return Err(TileError::Level {
                level: level.into(),
            });
        }
        let items = node_count(SIZE_LIMIT, self.kind);
        if self
            .index
            .checked_mul(u64::from(TILE_WIDTH))
            .is_none_or(|first| first >= items)
        {
            return Err(TileError::IndexLimit { index: self.index });
        }
        Ok(())
    }

    /// The tile as it is in a tree of `size`: full, partial, or not there at all.
    #[must_use]
    pub fn in_tree(kind: Kind, index: u64, size: TreeSize) -> Option<Self> {
        let first = index.checked_mul(u64::from(TILE_WIDTH))?;
        let there = node_count(size.0, kind)
            .checked_sub(first)?
            .min(u64::from(TILE_WIDTH));
        let width = u16::try_from(there).ok().filter(|width| *width > 0)?;
        Some(Self { kind, index, width })
    }

    /// The full tile of the same place, which clients fall back to when a partial one is gone.
    #[must_use]
    pub fn full(self) -> Self {
        Self {
            width: TILE_WIDTH,
            ..self
        }
    }

    /// Bytes of a tile of hashes of this width.
    #[must_use]
    pub fn byte_length(&self) -> usize {
        usize::from(self.width).saturating_mul(32)
    }

    /// The tree node stored in slot `slot`, for a tile of hashes.
    #[must_use]
    pub fn node(&self, slot: u16) -> Option<Node> {
        let Kind::Hashes(level) = self.kind else {
            return None;
        };
        let first = self.index.checked_mul(u64::from(TILE_WIDTH))?;
        let index = first.checked_add(slot.into())?;
        let level = level.checked_mul(TILE_HEIGHT)?;
        (slot < self.width).then_some(Node { level, index })
    }

    /// Computes a node's hash from the bytes of this tile.
    ///
    /// # Errors
    /// `Length` when `bytes` are not what the width asks for; `NodeNotInTile`.
    pub fn node_hash(&self, bytes: &[u8], node: Node) -> Result<Hash, TileError> {
        let expected = self.byte_length();
        if bytes.len() != expected {
            return Err(TileError::Length {
                expected,
                actual: bytes.len(),
            });
        }
        let missing = || TileError::NodeNotInTile { node };
        let place = NodePlace::of(node).ok_or_else(missing)?;
        if self.kind != Kind::Hashes(place.level) || self.index != place.index {
            return Err(missing());
        }
        let (rows, _) = bytes.as_chunks::<32>();
        let first = usize::from(place.first);
        let end = first.saturating_add(usize::from(place.count));
        let mut row: Vec<Hash> = rows
            .get(first..end)
            .ok_or_else(missing)?
            .iter()
            .map(|row| Hash(*row))
            .collect();
        // The count is a power of two, so every round pairs all of them.
        while row.len() > 1 {
            let (pairs, _) = row.as_chunks::<2>();
            row = pairs
                .iter()
                .map(|[left, right]| node_hash(left, right))
                .collect();
        }
        row.first().copied().ok_or_else(missing)
    }
}

/// Where a tree node is: `count` consecutive slots of one tile, of which it is the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodePlace {
    /// Tile level.
    pub level: u8,
    /// Tile index.
    pub index: u64,
    /// First slot.
    pub first: u16,
    /// Slots, a power of two from 1 (the node itself is stored) to 128.
    pub count: u16,
}

impl NodePlace {
    /// Finds the tile of a node; nothing for nodes no tree of fewer than 2^62 leaves has.
    #[must_use]
    pub fn of(node: Node) -> Option<Self> {
        let leaves = 1_u64.checked_shl(node.level.into())?;
        let end = node.index.checked_add(1)?.checked_mul(leaves)?;
        if end >= SIZE_LIMIT {
            return None;
        }
        let count = 1_u16.checked_shl(u32::from(node.level % TILE_HEIGHT))?;
        let slot = node.index.checked_mul(count.into())?;
        Some(Self {
            level: node.level / TILE_HEIGHT,
            index: slot >> 8,
            first: u16::try_from(slot & 0xff).ok()?,
            count,
        })
    }
}

/// Every tile of hashes and every bundle that a tree of `new` has and a tree of `old` has not in
/// that form: what to write, or to fetch, when the log grows. Lowest level first, bundles last.
///
/// The caller bounds `new − old`: there is about one tile for each 128 entries.
pub fn changed_tiles(old: TreeSize, new: TreeSize) -> impl Iterator<Item = Tile> {
    let kinds = (0..=LEVEL_LIMIT).map(Kind::Hashes).chain([Kind::Entries]);
    kinds.flat_map(move |kind| {
        let width = u64::from(TILE_WIDTH);
        let (from, to) = (node_count(old.0, kind), node_count(new.0, kind));
        let first = if from < to {
            from >> 8
        } else {
            to.div_ceil(width)
        };
        (first..to.div_ceil(width)).filter_map(move |index| Tile::in_tree(kind, index, new))
    })
}

/// Nodes of a tile level, or entries, that a tree of `size` has: floor(size / 256^L).
fn node_count(size: u64, kind: Kind) -> u64 {
    let shift = match kind {
        Kind::Entries => 0,
        Kind::Hashes(level) => u32::from(level).saturating_mul(u32::from(TILE_HEIGHT)),
    };
    size.checked_shr(shift).unwrap_or(0)
}

/// Writes an index in three-digit groups, all but the last marked: 1234067 is x001/x234/067.
fn group_digits(index: u64) -> String {
    let mut text = format!("{:03}", index % 1000);
    let mut rest = index / 1000;
    while rest > 0 {
        text = format!("x{:03}/{text}", rest % 1000);
        rest /= 1000;
    }
    text
}

/// Reads what [`group_digits`] writes; the caller compares the spelling.
fn ungroup_digits(text: &str) -> Option<u64> {
    let mut groups = text.split('/').rev();
    let last = groups.next()?;
    let mut index = three_digits(last)?;
    let mut unit = 1000_u64;
    for group in groups {
        let value = three_digits(group.strip_prefix('x')?)?;
        index = index.checked_add(value.checked_mul(unit)?)?;
        unit = unit.checked_mul(1000)?;
    }
    Some(index)
}

/// Exactly three ASCII digits.
fn three_digits(text: &str) -> Option<u64> {
    let plain = text.len() == 3 && text.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}
