//! Leaves fetched, compared with the root's tiles, read, and their signatures checked, ahead of the
//! replay: on other threads than the one that keeps the state.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::thread;

use zhao_spec::log::checkpoint::Checkpoint;
use zhao_spec::log::tree::{LeafIndex, Node, NodeReader as _, leaf_hash};
use zhao_spec::wire::{Keys, limits};

use super::{AuditError, LeafSource};
use crate::hot::Prefetch;
use crate::replay::{Checked, Divergence, PREPARED_KEYS, check};
use crate::store::{Read, Store, StoreError};
use crate::tree::{StoredTree, TileMap};

/// Leaves asked for at once.
const FETCH_LEAVES: u64 = 1_024;
/// Chunks that may wait for the replay.
pub(super) const CHUNKS_AHEAD: usize = 4;

/// A leaf, and what can be said of it alone.
type Seen = (Vec<u8>, Result<Checked, Divergence>);

/// What the reading threads need.
pub(super) struct ReadAhead<'a> {
    pub(super) source: Arc<dyn LeafSource>,
    pub(super) store: Arc<dyn Store>,
    /// Tiles of the checkpoint's tree beyond the auditor's own.
    pub(super) tiles: &'a TileMap,
    pub(super) checkpoint: &'a Checkpoint,
    /// Records that the replay will look at.
    pub(super) prefetch: Prefetch,
}

impl ReadAhead<'_> {
    /// Sends every leaf from `from` to the end of the checkpoint, or the first error.
    pub(super) fn run(self, from: u64, send: &SyncSender<Result<Vec<Seen>, AuditError>>) {
        let mut keys = (Keys::new(PREPARED_KEYS), Keys::new(PREPARED_KEYS));
        let mut next = from;
        while next < self.checkpoint.size.0 {
            let chunk = self.chunk(next, &mut keys);
            next = match &chunk {
                Ok(chunk) => next.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX)),
                Err(_) => u64::MAX,
            };
            // Nobody takes it any more once the replay has failed.
            if send.send(chunk).is_err() {
                return;
            }
        }
    }

    fn chunk(&self, from: u64, keys: &mut (Keys, Keys)) -> Result<Vec<Seen>, AuditError> {
        let leaves = fetch(&*self.source, from, self.checkpoint.size.0)?;
        compare(&*self.store, self.tiles, self.checkpoint, from, &leaves)?;
        let (first, second) = leaves.split_at(leaves.len() / 2);
        let (mine, theirs) = (&mut keys.0, &mut keys.1);
        let check = |leaves: &[Vec<u8>], keys: &mut Keys| {
            let checked = check(leaves, keys);
            let events = checked.iter().filter_map(|leaf| match leaf {
                Ok(Checked::Event(event)) => Some(&***event),
                _ => None,
            });
            self.prefetch.fetch(events);
            checked
        };
        let checked = thread::scope(|scope| {
            let other = scope.spawn(|| check(second, theirs));
            let mut checked = check(first, mine);
            // Our own failure must not look like the log's.
            let gone = |_| StoreError::Engine("a checking thread stopped".to_owned());
            checked.extend(other.join().map_err(gone)?);
            Ok::<_, StoreError>(checked)
        })?;
        Ok(leaves.into_iter().zip(checked).collect())
    }
}

/// The second time leaves are fetched they must be those whose hashes the root covers.
pub(super) fn compare(
    store: &dyn Read,
    tiles: &TileMap,
    checkpoint: &Checkpoint,
    from: u64,
    leaves: &[Vec<u8>],
) -> Result<(), AuditError> {
    let tree = StoredTree::with(store, tiles);
    let nodes: Vec<Node> = (from..)
        .zip(leaves)
        .map(|(index, _)| Node { level: 0, index })
        .collect();
    let known = tree.read(&nodes)?;
    for (leaf, expected) in leaves.iter().zip(known) {
        let actual = leaf_hash(leaf);
        if actual != expected {
            let size = checkpoint.size;
            return Err(AuditError::Fork {
                size,
                expected,
                actual,
            });
        }
    }
    Ok(())
}

/// Some leaves from `from` on, at least one, before `end`.
pub(super) fn fetch(
    source: &dyn LeafSource,
    from: u64,
    end: u64,
) -> Result<Vec<Vec<u8>>, AuditError> {
    let from_index = LeafIndex(from);
    let wanted = end.saturating_sub(from).min(FETCH_LEAVES);
    let failed = |problem: String| AuditError::Source {
        from: from_index,
        problem,
    };
    let leaves = source.leaves(from_index, wanted).map_err(failed)?;
    let count = u64::try_from(leaves.len()).unwrap_or(u64::MAX);
    if leaves.is_empty() || count > wanted {
        return Err(failed(format!(
            "{count} leaves where 1 to {wanted} are needed"
        )));
    }
    if let Some(leaf) = leaves.iter().find(|leaf| leaf.len() > limits::LEAF_BYTES) {
        return Err(failed(format!("a leaf of {} bytes", leaf.len())));
    }
    Ok(leaves)
}
