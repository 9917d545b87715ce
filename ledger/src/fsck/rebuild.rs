//! A new database from the leaves of an old one: for damage in anything that follows from them.
//!
//! Every epoch is replayed, staged and checked by the second path, as the sequencer does it. The
//! intent file stays where it is, so a rebuilt database that is not the old log does not start.

use zhao_spec::life::leaf::{Epoch, Leaf};
use zhao_spec::log::LogKeys;
use zhao_spec::log::tree::{LeafIndex, TreeSize};

use super::END;
use crate::hot::HotRecords;
use crate::overlay::StoredView;
use crate::replay::{Diverged, replay};
use crate::sequence::SecondPathError;
use crate::sequence::recover::{edge_or_empty, genesis_segment, segment_leaves};
use crate::sequence::second;
use crate::sequence::second_log::log_root;
use crate::sequence::stage::{Edge, Segment};
use crate::store::layout::{FORMAT, Family, Heads, Leaves, Meta, MetaKey};
use crate::store::{self, Read, Store, StoreError, WriteBatch, decode};

/// Heads copied at once.
const CHUNK: usize = 256;

/// Why a database cannot be rebuilt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RebuildError {
    /// The leaves themselves are not what an honest log holds.
    #[error("{0}")]
    Diverged(Box<Diverged>),
    /// The epoch leaf at this index is not the one its leaves lead to.
    #[error("the epoch leaf at {at} is not what the leaves before it lead to")]
    Epoch {
        /// Its index.
        at: LeafIndex,
    },
    /// The log does not begin with genesis and epoch 0.
    #[error("the log does not begin with genesis and epoch 0")]
    Genesis,
    /// A published head is not of these leaves.
    #[error("head of size {size}: {problem}")]
    Head {
        /// Its size.
        size: u64,
        /// What is wrong.
        problem: String,
    },
    /// The new database is not empty.
    #[error("the new database is not empty")]
    NotEmpty,
    /// The two paths disagree.
    #[error("{0}")]
    SecondPath(#[from] SecondPathError),
    /// Either database.
    #[error("{0}")]
    Store(#[from] StoreError),
}

/// Replays the leaves of `from` into the empty database `to` and copies the published heads that
/// are of these leaves. Returns the number of leaves.
///
/// # Errors
/// See [`RebuildError`]; `to` is then useless.
pub fn rebuild(from: &dyn Read, to: &dyn Store, log: &LogKeys) -> Result<u64, RebuildError> {
    if to.last(Family::Leaves)?.is_some() || to.last(Family::Meta)?.is_some() {
        return Err(RebuildError::NotEmpty);
    }
    let last = store::last::<Leaves>(from)?.ok_or(RebuildError::Genesis)?;
    let end = TreeSize(last.0.0.saturating_add(1));
    let (mut edge, hot) = (Edge::empty(), HotRecords::default());
    while edge.size() < end {
        let leaves = segment_leaves(from, edge.size(), end)?;
        let (segment, epoch) = judge(to, &hot, &edge, &leaves)?;
        let (staged, opened) = second::stage_and_open(to, &edge, &segment, epoch.time)?;
        if staged.epoch != epoch {
            return Err(RebuildError::Epoch { at: epoch.index });
        }
        second::check(to, None, &edge, opened, &staged)?;
        let mut batch = staged.batch;
        if edge.epoch.is_none() {
            put_meta(&mut batch, log);
        }
        to.write(batch)?;
        edge = staged.edge;
    }
    copy_heads(from, to, log)?;
    // What was written is what is read: the same edge comes back from the new database.
    Ok(edge_or_empty(to)?.size().0)
}

pub(crate) fn judge(
    to: &dyn Read,
    hot: &HotRecords,
    edge: &Edge,
    leaves: &[Vec<u8>],
) -> Result<(Segment, Epoch), RebuildError> {
    let Some(previous) = &edge.epoch else {
        let [first, last] = leaves else {
            return Err(RebuildError::Genesis);
        };
        return match (Leaf::parse(first), Leaf::parse(last)) {
            (Ok(Leaf::Genesis(genesis)), Ok(Leaf::Epoch(epoch))) => {
                Ok((genesis_segment(&genesis), epoch))
            }
            _ => Err(RebuildError::Genesis),
        };
    };
    let view = StoredView::new(to, &edge.map, hot);
    let replayed = replay(&view, previous, leaves).map_err(RebuildError::Diverged)?;
    let events = leaves
        .split_last()
        .map(|(_, events)| events.to_vec())
        .unwrap_or_default();
    let (index, touched) = (replayed.index, replayed.touched);
    Ok((
        Segment {
            leaves: events,
            index,
            touched,
        },
        replayed.epoch,
    ))
}

pub(crate) fn put_meta(batch: &mut WriteBatch, log: &LogKeys) {
    let key = log
        .first()
        .public_key()
        .map(|key| key.to_bytes().to_vec())
        .unwrap_or_default();
    batch.put::<Meta>(&MetaKey::Format, &FORMAT.to_be_bytes().to_vec());
    batch.put::<Meta>(&MetaKey::LogKey, &key);
    batch.put::<Meta>(&MetaKey::Origin, &log.origin().as_bytes().to_vec());
}

fn copy_heads(from: &dyn Read, to: &dyn Store, log: &LogKeys) -> Result<(), RebuildError> {
    let mut next: Vec<u8> = Vec::new();
    loop {
        let entries = from.scan(Family::Heads, &next, &END, CHUNK)?;
        let Some((last, _)) = entries.last() else {
            return Ok(());
        };
        next = [last.as_slice(), &[0]].concat();
        let mut batch = WriteBatch::new();
        for entry in &entries {
            let (size, note) = decode::<Heads>(entry)?;
            let wrong = |problem: String| RebuildError::Head { size, problem };
            let text = std::str::from_utf8(&note).map_err(|error| wrong(error.to_string()))?;
            let opened = log.open(text);
            let (checkpoint, _) = opened.map_err(|error| wrong(error.to_string()))?;
            let root = log_root(to, TreeSize(size), &[])?;
            if checkpoint.size.0 != size || checkpoint.root != root {
                return Err(wrong("not a head of these leaves".to_owned()));
            }
            batch.put::<Heads>(&size, &note);
        }
        to.write(batch)?;
    }
}
