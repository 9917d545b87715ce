//! The second path: both roots again, from the bytes about to be written, by other code.
//!
//! It believes the signed head, the last epoch's map root and nothing else. The map in memory is
//! only asked to open itself under that root, and each record the events were judged by must have
//! the hash found there; leaves and tiles are read again. So a flipped bit in the map, in a cached
//! record, in a leaf or in a tile stops here, before the key signs what it led to.

use std::thread;

use zhao_spec::life::leaf::{Epoch, Leaf};
use zhao_spec::log::tree::{LeafIndex, TreeSize, check_consistency, prove_consistency};
use zhao_spec::map::Opened;
use zhao_spec::wire::{Hash, UnixMillis, sha256};

use super::error::SecondPathError;
use super::second_log::log_root;
use super::stage::{Edge, Segment, Staged, stage};
use crate::map::StatusMap;
use crate::overlay::Touched;
use crate::store::layout::{Family, Leaves, Records, Table as _, show};
use crate::store::{Read, StoreError};
use crate::tree::{StoredTree, flatten};

/// Keys or leaves from which on a second thread is worth its start.
pub(super) const SIDE_BY_SIDE: usize = 128;

/// A head the log's key has signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signed {
    pub(crate) size: TreeSize,
    pub(crate) root: Hash,
}

/// The part of the map that a batch looks at, opened under the root the last epoch states. It needs
/// nothing of what is staged, and so can be made beside it.
///
/// # Errors
/// The map in memory has another root, or the events were judged by another record than it has.
pub(crate) fn open(before: &Edge, touched: &Touched) -> Result<Opened, SecondPathError> {
    opened(&before.map, &before.stated().0, touched)
}

/// Stages a segment and opens the map for its second path; a large one side by side.
///
/// # Errors
/// Those of both.
pub(crate) fn stage_and_open(
    store: &(dyn Read + Sync),
    before: &Edge,
    segment: &Segment,
    time: UnixMillis,
) -> Result<(Staged, Opened), SecondPathError> {
    let touched = &segment.touched;
    if touched.before.len() < SIDE_BY_SIDE {
        return Ok((stage(store, before, segment, time)?, open(before, touched)?));
    }
    thread::scope(|scope| {
        let opening = scope.spawn(|| open(before, touched));
        let staged = stage(store, before, segment, time);
        let opened = opening.join();
        let gone = |_| StoreError::Engine("the second path's thread stopped".to_owned());
        Ok((staged?, opened.map_err(gone)??))
    })
}

/// Checks what is staged on `before`, log and map side by side if there is much of it. `signed` is
/// the newest signed head, if there is one.
pub(crate) fn check(
    store: &(dyn Read + Sync),
    signed: Option<&Signed>,
    before: &Edge,
    opened: Opened,
    staged: &Staged,
) -> Result<(), SecondPathError> {
    if staged.fresh.len() < SIDE_BY_SIDE {
        check_log(store, signed, before, staged)?;
        return check_map(before, opened, staged);
    }
    thread::scope(|scope| {
        let map = scope.spawn(|| check_map(before, opened, staged));
        let log = check_log(store, signed, before, staged);
        let map = map.join();
        let gone = |_| StoreError::Engine("the second path's thread stopped".to_owned());
        log?;
        map.map_err(gone)?
    })
}

/// The log root of the leaves about to be written, and that it extends the signed head.
fn check_log(
    store: &dyn Read,
    signed: Option<&Signed>,
    before: &Edge,
    staged: &Staged,
) -> Result<(), SecondPathError> {
    let from = before.size();
    let to = TreeSize(staged.epoch.index.0.saturating_add(1));
    let leaves = staged_leaves(staged, from, to)?;
    let second = log_root(store, from, &leaves)?;
    if second != staged.root {
        return Err(SecondPathError::LogRoot {
            first: staged.root,
            second,
        });
    }
    if let Some(signed) = signed {
        let reader = StoredTree::with(store, &staged.tiles);
        let proof = prove_consistency(signed.size, to, &reader).map_err(flatten)?;
        check_consistency(signed.size, to, &signed.root, &second, &proof).map_err(|error| {
            SecondPathError::Consistency {
                size: signed.size,
                error,
            }
        })?;
    }
    match leaves.last().map(|leaf| Leaf::parse(leaf)) {
        Some(Ok(Leaf::Epoch(epoch))) if epoch == staged.epoch => Ok(()),
        _ => Err(SecondPathError::Epoch),
    }
}

/// The map root of the records about to be written.
fn check_map(before: &Edge, opened: Opened, staged: &Staged) -> Result<(), SecondPathError> {
    let changes = staged_records(staged)?;
    let (root, subjects) = changed(opened, before.stated().1, &changes)?;
    compare_map(&staged.epoch, root, subjects)
}

/// The map root and number of keys an epoch must state.
pub(crate) fn compare_map(epoch: &Epoch, root: Hash, subjects: u64) -> Result<(), SecondPathError> {
    if root != epoch.map_root {
        return Err(SecondPathError::MapRoot {
            first: epoch.map_root,
            second: root,
        });
    }
    if subjects != epoch.subjects {
        return Err(SecondPathError::Subjects {
            first: epoch.subjects,
            second: subjects,
        });
    }
    Ok(())
}

/// Root and number of keys after `changes` to the part of the map that `touched` covers, opened
/// under the root that `before` states.
pub(crate) fn map_root(
    map: &StatusMap,
    before: (Hash, u64),
    touched: &Touched,
    changes: &[(Hash, Hash)],
) -> Result<(Hash, u64), SecondPathError> {
    changed(opened(map, &before.0, touched)?, before.1, changes)
}

fn opened(map: &StatusMap, root: &Hash, touched: &Touched) -> Result<Opened, SecondPathError> {
    let mut keys: Vec<Hash> = touched.before.keys().copied().collect();
    let opened = Opened::new(root, &map.open(&mut keys))?;
    for (key, judged) in &touched.before {
        // What the map commits and what the events were judged by must be one record.
        let committed = opened.find(key)?;
        if committed != judged.as_ref().map(|record| record.hash()) {
            return Err(SecondPathError::Record { key: *key });
        }
    }
    Ok(opened)
}

fn changed(
    mut opened: Opened,
    mut subjects: u64,
    changes: &[(Hash, Hash)],
) -> Result<(Hash, u64), SecondPathError> {
    for (key, record) in changes {
        if opened.set(key, record)?.is_none() {
            subjects = subjects.saturating_add(1);
        }
    }
    Ok((opened.root(), subjects))
}

/// The raw leaves in the batch: exactly those from `from` up to `to`.
fn staged_leaves(
    staged: &Staged,
    from: TreeSize,
    to: TreeSize,
) -> Result<Vec<&[u8]>, SecondPathError> {
    let wrong = || SecondPathError::Leaves {
        from: from.0,
        to: to.0,
    };
    let mut leaves = Vec::new();
    let mut next = from.0;
    for (key, leaf) in staged_values(staged, Family::Leaves) {
        if *key != Leaves::encode_key(&LeafIndex(next)) {
            return Err(wrong());
        }
        next = next.saturating_add(1);
        leaves.push(leaf);
    }
    if next == to.0 {
        Ok(leaves)
    } else {
        Err(wrong())
    }
}

/// Key and record hash of every record in the batch.
fn staged_records(staged: &Staged) -> Result<Vec<(Hash, Hash)>, SecondPathError> {
    let mut records = Vec::new();
    for (key, bytes) in staged_values(staged, Family::Records) {
        let decoded = Records::decode_key(key);
        let (_, subject) = decoded.map_err(|problem| StoreError::Corrupt {
            family: "records",
            key: show(key),
            problem,
        })?;
        records.push((subject, sha256(&[bytes])));
    }
    Ok(records)
}

/// What the batch puts into a family.
fn staged_values(staged: &Staged, family: Family) -> impl Iterator<Item = (&Vec<u8>, &[u8])> {
    let writes = staged.batch.writes().iter();
    writes.filter_map(move |(at, key, value)| match value {
        Some(value) if *at == family => Some((key, value.as_slice())),
        _ => None,
    })
}
