//! A new database from the leaves of an old one: for damage in anything that follows from them.
//!
//! Every epoch is replayed, staged and checked by the second path, as the sequencer does it. The
//! intent file stays where it is, so a rebuilt database that is not the old log does not start.

use std::collections::VecDeque;

use zhao_spec::life::leaf::{Epoch, Leaf};
use zhao_spec::log::LogKeys;
use zhao_spec::log::note::Vkey;
use zhao_spec::log::tree::{LeafIndex, TreeSize};
use zhao_spec::wire::{Hash, Keys, clip, limits};

use super::END;
use crate::hot::HotRecords;
use crate::overlay::{StoredView, Touched};
use crate::replay::{Diverged, PREPARED_KEYS, replay_with};
use crate::sequence::SecondPathError;
use crate::sequence::recover::{edge_or_empty, genesis_segment};
use crate::sequence::second;
use crate::sequence::stage::{Edge, Segment};
use crate::store::layout::{FORMAT, Family, Heads, Leaves, Meta, MetaKey, show};
use crate::store::{self, Read, Store, StoreError, WriteBatch, decode};

/// Heads read at once.
const CHUNK: usize = 256;
/// Most leaves of one epoch, its own included.
const EPOCH_LEAVES: usize = limits::BATCH_EVENTS + 1;

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
    /// Nothing closes an epoch, or it is longer than any commit.
    #[error("the epoch from leaf {from} on has no end: {limit} leaves and none closes it")]
    Endless {
        /// Its first leaf.
        from: LeafIndex,
        /// Leaves looked at.
        limit: u64,
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
    /// A leaf is not there, and later ones are.
    #[error("leaf {at} is missing")]
    Missing {
        /// Its index.
        at: LeafIndex,
    },
    /// The new database is not empty.
    #[error("the new database is not empty")]
    NotEmpty,
    /// The database is another log's.
    #[error("{what} of the database is {actual}, expected {expected}")]
    Other {
        /// What differs.
        what: &'static str,
        /// What it must be.
        expected: String,
        /// What it is.
        actual: String,
    },
    /// The two paths disagree.
    #[error("{0}")]
    SecondPath(#[from] SecondPathError),
    /// Either database.
    #[error("{0}")]
    Store(#[from] StoreError),
}

/// Replays the leaves of `from` into the empty database `to`, and copies the published heads and
/// the names of the log. Returns the number of leaves. Of `from` only [`Family::STABLE`] is read.
/// `step` is told after each epoch how many leaves of how many are done.
///
/// Memory is taken for one epoch and for the map, as at every start.
///
/// # Errors
/// See [`RebuildError`]; `to` is then useless.
pub fn rebuild(
    from: &dyn Read,
    to: &dyn Store,
    log: &LogKeys,
    step: &dyn Fn(u64, u64),
) -> Result<u64, RebuildError> {
    if to.last(Family::Leaves)?.is_some() || to.last(Family::Meta)?.is_some() {
        return Err(RebuildError::NotEmpty);
    }
    let first_key = check_names(from, log)?;
    let last = store::last::<Leaves>(from)?.ok_or(RebuildError::Genesis)?;
    let end = TreeSize(last.0.0.saturating_add(1));
    let mut heads = OldHeads::new(from);
    let (mut edge, hot) = (Edge::empty(), HotRecords::default());
    let mut keys = Keys::new(PREPARED_KEYS);
    while edge.size() < end {
        let leaves = epoch_leaves(from, edge.size(), end)?;
        let (segment, epoch) = judge(to, &hot, &edge, &leaves, &mut keys)?;
        let (staged, opened) = second::stage_and_open(to, &edge, &segment, epoch.time)?;
        if staged.epoch != epoch {
            return Err(RebuildError::Epoch { at: epoch.index });
        }
        second::check(to, None, &edge, opened, &staged)?;
        let mut batch = staged.batch;
        if edge.epoch.is_none() {
            put_meta(&mut batch, log);
            batch.put::<Meta>(&MetaKey::LogKey, &first_key);
        }
        // Both paths have this root; now it must be the one that was signed.
        heads.take_until(staged.edge.size(), &staged.root, log, &mut batch)?;
        to.write(batch)?;
        edge = staged.edge;
        step(edge.size().0, end.0);
    }
    heads.finish()?;
    drop(edge);
    // What was written is what is read: the same edge comes back from the new database.
    Ok(edge_or_empty(to)?.size().0)
}

/// The log's origin and the key it began with must be of this log. Gives the key.
fn check_names(from: &dyn Read, log: &LogKeys) -> Result<Vec<u8>, RebuildError> {
    let origin = store::require::<Meta>(from, &MetaKey::Origin)?;
    let other = |what, expected: &str, actual: &[u8]| {
        let (expected, actual) = (expected.to_owned(), clip(&String::from_utf8_lossy(actual)));
        RebuildError::Other {
            what,
            expected,
            actual,
        }
    };
    if origin != log.origin().as_bytes() {
        return Err(other("origin", log.origin(), &origin));
    }
    let key = store::require::<Meta>(from, &MetaKey::LogKey)?;
    let mut known = log.iter().filter_map(Vkey::public_key);
    if known.any(|known| known.to_bytes().as_slice() == key) {
        return Ok(key);
    }
    let actual = show(&key);
    Err(other("log key", "one of the log's", actual.as_bytes()))
}

/// The raw leaves from `from` up to and including the next epoch leaf, before `end`. A leaf that is
/// none is told by its index, before any is judged.
fn epoch_leaves(
    store: &dyn Read,
    from: TreeSize,
    end: TreeSize,
) -> Result<Vec<Vec<u8>>, RebuildError> {
    let mut leaves = Vec::new();
    for at in (from.0..end.0).take(EPOCH_LEAVES).map(LeafIndex) {
        let bytes = store::read::<Leaves>(store, &at)?.ok_or(RebuildError::Missing { at })?;
        let leaf = Leaf::parse(&bytes).map_err(|why| {
            RebuildError::Diverged(Box::new(Diverged {
                at,
                why: why.into(),
                touched: Touched::default(),
            }))
        })?;
        leaves.push(bytes);
        if matches!(leaf, Leaf::Epoch(_)) {
            return Ok(leaves);
        }
    }
    let limit = u64::try_from(leaves.len()).unwrap_or(u64::MAX);
    let from = LeafIndex(from.0);
    Err(RebuildError::Endless { from, limit })
}

pub(crate) fn judge(
    to: &dyn Read,
    hot: &HotRecords,
    edge: &Edge,
    leaves: &[Vec<u8>],
    keys: &mut Keys,
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
    let replayed = replay_with(&view, previous, leaves, keys).map_err(RebuildError::Diverged)?;
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

/// The published heads of the old database, in order.
struct OldHeads<'a> {
    from: &'a dyn Read,
    /// Where to read on.
    next: Vec<u8>,
    read: VecDeque<(u64, Vec<u8>)>,
    /// Size of the last one that was right.
    before: u64,
}

impl<'a> OldHeads<'a> {
    fn new(from: &'a dyn Read) -> Self {
        Self {
            from,
            next: Vec::new(),
            read: VecDeque::new(),
            before: 0,
        }
    }

    fn front(&mut self) -> Result<Option<u64>, RebuildError> {
        if self.read.is_empty() {
            let entries = self.from.scan(Family::Heads, &self.next, &END, CHUNK)?;
            if let Some((last, _)) = entries.last() {
                self.next = [last.as_slice(), &[0]].concat();
            }
            for entry in &entries {
                self.read.push_back(decode::<Heads>(entry)?);
            }
        }
        Ok(self.read.front().map(|(size, _)| *size))
    }

    /// Puts every head up to `size`, where the log has this root.
    fn take_until(
        &mut self,
        size: TreeSize,
        root: &Hash,
        log: &LogKeys,
        batch: &mut WriteBatch,
    ) -> Result<(), RebuildError> {
        while self.front()?.is_some_and(|front| front <= size.0) {
            let Some((stated, note)) = self.read.pop_front() else {
                break;
            };
            let wrong = |problem: String| RebuildError::Head {
                size: stated,
                problem,
            };
            let text = std::str::from_utf8(&note).map_err(|error| wrong(error.to_string()))?;
            let opened = log.open(text);
            let (checkpoint, _) = opened.map_err(|error| wrong(error.to_string()))?;
            if checkpoint.size.0 != stated {
                return Err(wrong("stored under another size".to_owned()));
            }
            if stated != size.0 {
                return Err(wrong("its last leaf is not an epoch leaf".to_owned()));
            }
            if checkpoint.root != *root {
                let before = self.before;
                return Err(wrong(format!(
                    "not a head of these leaves: one from leaf {before} on is not what was signed"
                )));
            }
            batch.put::<Heads>(&stated, &note);
            self.before = stated;
        }
        Ok(())
    }

    /// No head may be left.
    fn finish(mut self) -> Result<(), RebuildError> {
        match self.front()? {
            None => Ok(()),
            Some(size) => Err(RebuildError::Head {
                size,
                problem: "beyond the last leaf".to_owned(),
            }),
        }
    }
}
