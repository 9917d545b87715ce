//! A segment: leaves that a claim covers and no published tile holds yet. Its name has the root it
//! leads to, so it is made once and never changed.
//!
//! ```text
//! {"format":"zhao/v1 segment","from":5,"from_root":"…","origin":"…","root":"…","size":8}\n
//! entries, each as in a bundle (c2sp.org/tlog-tiles): length as two bytes, then the leaf
//! ```

use std::fmt::Write as _;

use zhao_spec::log::tile::append_entry;
use zhao_spec::log::tree::TreeSize;
use zhao_spec::wire::write::object_bytes;
use zhao_spec::wire::{Fields, Hash, json, limits};

/// Leaves of one segment: what is read into memory at once stays small.
pub const SEGMENT_LEAVES: u64 = 1_024;
/// Largest segment read, bytes: every leaf of the longest kind, and the first line.
pub(crate) const SEGMENT_BYTES: usize = 1_024 * (limits::LEAF_BYTES + 2) + HEAD_BYTES;
const HEAD_BYTES: usize = 2_048;
const FORMAT: &str = "zhao/v1 segment";

/// Leaves `from..size` of a log, and the roots before and after them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Size before it.
    pub from: TreeSize,
    /// Root before it.
    pub from_root: Hash,
    /// The log's name.
    pub origin: String,
    /// Root after it.
    pub root: Hash,
    /// Size after it.
    pub size: TreeSize,
    /// The raw leaves.
    pub leaves: Vec<Vec<u8>>,
}

/// Name of the segment that leads to this root.
#[must_use]
pub fn name(size: TreeSize, root: &Hash) -> String {
    let mut name = format!("segment/{size}-");
    for byte in root.0 {
        let _ = write!(name, "{byte:02x}");
    }
    name
}

impl Segment {
    /// The object's name.
    #[must_use]
    pub fn name(&self) -> String {
        name(self.size, &self.root)
    }

    /// The object's bytes.
    ///
    /// # Errors
    /// A leaf longer than an entry can be.
    pub fn bytes(&self) -> Result<Vec<u8>, String> {
        let mut bytes = object_bytes(|o| {
            o.text("format", FORMAT)
                .int("from", self.from.0)
                .hash("from_root", &self.from_root)
                .text("origin", &self.origin)
                .hash("root", &self.root)
                .int("size", self.size.0);
        });
        bytes.push(b'\n');
        for leaf in &self.leaves {
            append_entry(&mut bytes, leaf).map_err(|error| error.to_string())?;
        }
        Ok(bytes)
    }

    /// Reads the object's bytes.
    ///
    /// # Errors
    /// In words: what is wrong with them.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let end = bytes
            .iter()
            .take(HEAD_BYTES)
            .position(|byte| *byte == b'\n');
        let (head, rest) = bytes.split_at(end.ok_or("has no first line")?);
        let words = |error: &dyn std::fmt::Display| format!("first line: {error}");
        let value = json::parse(head).map_err(|error| words(&error))?;
        let mut fields = Fields::new(&value, "").map_err(|error| words(&error))?;
        let read = |fields: &mut Fields<'_>| {
            fields.literal("format", FORMAT)?;
            Ok(Self {
                from: TreeSize(fields.int("from")?),
                from_root: fields.hash("from_root")?,
                origin: fields
                    .text_within("origin", limits::ORIGIN_BYTES)?
                    .to_owned(),
                root: fields.hash("root")?,
                size: TreeSize(fields.int("size")?),
                leaves: Vec::new(),
            })
        };
        let read: Result<Self, zhao_spec::wire::Malformed> = read(&mut fields);
        let mut segment = read.map_err(|error| words(&error))?;
        fields.finish().map_err(|error| words(&error))?;
        let count = segment.size.0.checked_sub(segment.from.0);
        let count = count.filter(|count| (1..=SEGMENT_LEAVES).contains(count));
        let count = count.ok_or("goes from no size to another")?;
        let mut rest = rest.get(1..).unwrap_or_default();
        while let Some((length, after)) = rest.split_first_chunk::<2>() {
            let length = usize::from(u16::from_be_bytes(*length));
            let cut = || format!("leaf {} is cut off", segment.leaves.len());
            let (leaf, after) = after.split_at_checked(length).ok_or_else(cut)?;
            segment.leaves.push(leaf.to_vec());
            rest = after;
        }
        if !rest.is_empty() {
            return Err("ends in half a length".to_owned());
        }
        if u64::try_from(segment.leaves.len()) != Ok(count) {
            let actual = segment.leaves.len();
            return Err(format!("has {actual} leaves, its first line says {count}"));
        }
        Ok(segment)
    }
}
