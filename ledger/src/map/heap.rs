//! Leaves of the map that wait until all are there, in memory that goes back to the system at once.
//!
//! They are as many bytes as half the map. An allocator would keep them for whoever asks next, and
//! the process would hold them beside the map that was made from them.

use memmap2::MmapMut;
use zhao_spec::wire::Hash;

use super::node::MapLeaf;
use crate::store::StoreError;

/// Bytes of a leaf: key, record, version.
const LEAF: usize = 68;
/// Leaves of a chunk.
const LEAVES: usize = CHUNK / LEAF;
/// Bytes asked of the system at once; what is not written yet takes no memory.
const CHUNK: usize = 1 << 20;
/// Leaves before superseded ones are looked for.
const FIRST_SORT: usize = 1_024;

/// Leaves in the order in which they come.
#[derive(Debug, Default)]
pub(super) struct Heap {
    chunks: Vec<MmapMut>,
    count: usize,
    /// At this many superseded leaves are dropped.
    full: usize,
}

impl Heap {
    /// Takes a leaf.
    ///
    /// # Errors
    /// The system gives no memory.
    pub(super) fn add(&mut self, leaf: &MapLeaf) -> Result<(), StoreError> {
        if self.count >= self.full.max(FIRST_SORT) {
            let leaves = self.take();
            // So that each sort pays for as many leaves as it looks at.
            self.full = leaves.len().saturating_mul(2);
            for leaf in &leaves {
                self.push(leaf)?;
            }
        }
        self.push(leaf)
    }

    fn push(&mut self, leaf: &MapLeaf) -> Result<(), StoreError> {
        let place = self.count.checked_rem(LEAVES).unwrap_or(0);
        if place == 0 {
            let chunk = MmapMut::map_anon(CHUNK)
                .map_err(|error| StoreError::Engine(format!("no memory for the map: {error}")))?;
            self.chunks.push(chunk);
        }
        let chunk = self.chunks.last_mut().map(|chunk| &mut **chunk);
        let room = chunk.and_then(|chunk| chunk.chunks_exact_mut(LEAF).nth(place));
        let room = room.expect("a chunk was just made, or has room");
        let (key, rest) = room.split_at_mut(32);
        let (record, version) = rest.split_at_mut(32);
        key.copy_from_slice(&leaf.key.0);
        record.copy_from_slice(&leaf.record.0);
        version.copy_from_slice(&leaf.version.to_be_bytes());
        self.count = self.count.saturating_add(1);
        Ok(())
    }

    /// The newest leaf of each key, keys ascending. Nothing stays here.
    pub(super) fn take(&mut self) -> Vec<MapLeaf> {
        let chunks = std::mem::take(&mut self.chunks);
        let all = chunks.iter().flat_map(|chunk| chunk.chunks_exact(LEAF));
        let mut leaves = Vec::with_capacity(self.count);
        leaves.extend(all.take(self.count).filter_map(leaf));
        self.count = 0;
        leaves.sort_unstable_by_key(|leaf| (leaf.key, leaf.version));
        leaves.dedup_by(|later, kept| {
            let same = later.key == kept.key;
            if same {
                *kept = *later;
            }
            same
        });
        leaves
    }
}

fn leaf(bytes: &[u8]) -> Option<MapLeaf> {
    let (key, rest) = bytes.split_first_chunk()?;
    let (record, rest) = rest.split_first_chunk()?;
    let version = rest.first_chunk()?;
    Some(MapLeaf {
        key: Hash(*key),
        record: Hash(*record),
        version: u32::from_be_bytes(*version),
    })
}
