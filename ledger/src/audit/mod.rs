//! An auditor: replays every leaf from genesis and cosigns only heads whose map it recomputed.
//!
//! It has a key and a store of its own, in the layout of a ledger, so that what it keeps can be
//! served as a mirror. It takes nothing from the log but raw leaves and signed checkpoints, and
//! believes a leaf only after the checkpoint's root covers it.

mod ahead;
pub mod compare;
#[cfg(test)]
mod core_tests;
pub mod evidence;
pub mod handed;
mod keys;
mod local;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread;

use zhao_spec::life::leaf::{Epoch, Genesis, Leaf};
use zhao_spec::life::record::Record;
use zhao_spec::log::LogKeys;
use zhao_spec::log::checkpoint::{Checkpoint, CheckpointError};
use zhao_spec::log::cosignature::{self, UnixSeconds};
use zhao_spec::log::note::{KeyKind, NoteError, Vkey, VkeyError};
use zhao_spec::log::tree::{LeafIndex, ProveError, TreeSize, leaf_hash, prove_inclusion};
use zhao_spec::map::MapPath;
use zhao_spec::wire::{Hash, SecretKey, limits};

use crate::hot::{HotRecords, Prefetch};
use crate::map::{Maps, StatusMap};
use crate::overlay::{StoredView, Touched, record_of};
use crate::replay::{Checked, Diverged, Divergence, expect, replay_checked};
use crate::sequence::recover::{committed_size, edge_or_empty, genesis_segment, stated_map};
use crate::sequence::second_log::log_root;
use crate::sequence::stage::{Edge, Segment};
use crate::sequence::{SecondPathError, second};
use crate::store::layout::{FORMAT, Heads, Leaves, Meta, MetaKey};
use crate::store::{self, Store, StoreError, WriteBatch};
use crate::tree::{StoredTree, TileMap, append, flatten};
use ahead::{CHUNKS_AHEAD, ReadAhead, fetch};
pub use local::{LocalAuditor, Report};

/// Where raw leaves come from: the log's store in the same process, or its bundles over HTTP.
pub trait LeafSource: Send + Sync {
    /// The raw leaves from `from` on: at least one, at most `limit`.
    ///
    /// # Errors
    /// They cannot be had; the text says why.
    fn leaves(&self, from: LeafIndex, limit: u64) -> Result<Vec<Vec<u8>>, String>;
}

/// What an auditor holds against a log: enough to make evidence from. Everything under the
/// checkpoint is proved by [`Auditor::inclusion`], everything before it by [`Auditor::place`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The checkpoint that covers it, as signed.
    pub note: String,
    /// What it states.
    pub checkpoint: Checkpoint,
    /// The last good epoch leaf; nothing when genesis itself is bad.
    pub previous: Option<Epoch>,
    /// Every leaf after it up to and including the next epoch leaf.
    pub leaves: Vec<Vec<u8>>,
    /// Tiles of the checkpoint's tree beyond the auditor's own.
    pub tiles: TileMap,
    /// Which leaf, why, and every record it was judged by.
    pub diverged: Diverged,
}

/// Why an auditor does not cosign.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The log holds what no honest log holds.
    #[error("{}", .0.diverged)]
    Diverged(Box<Finding>),
    /// The leaves handed out do not have the checkpoint's root. Either the source lies, or the log
    /// signed two histories: then the last cosigned head and this one are evidence.
    #[error("leaves up to {size} have root {actual}, the checkpoint says {expected}")]
    Fork {
        /// Size of the checkpoint.
        size: TreeSize,
        /// Root in the checkpoint.
        expected: Hash,
        /// Root of the leaves.
        actual: Hash,
    },
    /// The first leaf is not the genesis this auditor was set up for.
    #[error("genesis is {actual}, expected {expected}")]
    Genesis {
        /// Leaf hash expected.
        expected: Hash,
        /// Leaf hash found.
        actual: Hash,
    },
    /// The checkpoint is malformed or not signed by the log.
    #[error("{0}")]
    Checkpoint(#[from] CheckpointError),
    /// The checkpoint does not end in an epoch leaf.
    #[error("the last leaf of the checkpoint of size {size} is not an epoch leaf")]
    NotAnEpoch {
        /// Its size.
        size: TreeSize,
    },
    /// Leaves could not be had.
    #[error("leaves from {from}: {problem}")]
    Source {
        /// First one asked for.
        from: LeafIndex,
        /// The source's text.
        problem: String,
    },
    /// The auditor's own two computations disagree: its database is damaged, or a bug.
    #[error("own check: {0}")]
    Own(#[from] SecondPathError),
    /// The auditor's own store.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The cosignature could not be made.
    #[error("{0}")]
    Sign(#[from] NoteError),
}

/// An auditor of one log.
pub struct Auditor {
    name: String,
    secret: SecretKey,
    vkey: Vkey,
    log: LogKeys,
    genesis: Hash,
    store: Arc<dyn Store>,
    source: Arc<dyn LeafSource>,
    /// The state after the last epoch taken; nothing until it is first needed.
    edge: Option<Edge>,
    hot: Arc<HotRecords>,
    /// The map after the last epoch taken, for those who read ahead.
    newest: Arc<Maps>,
    /// The map of the epoch last asked about, if it is not the newest.
    earlier: Maps,
}

impl std::fmt::Debug for Auditor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Auditor")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Auditor {
    /// An auditor of the log `log`, whose first leaf has the hash `genesis`.
    ///
    /// # Errors
    /// The name cannot be a key's.
    pub fn new(
        name: &str,
        secret: SecretKey,
        log: LogKeys,
        genesis: Hash,
        store: Arc<dyn Store>,
        source: Arc<dyn LeafSource>,
    ) -> Result<Self, VkeyError> {
        let vkey = Vkey::new(name, KeyKind::Cosignature, secret.public())?;
        Ok(Self {
            name: name.to_owned(),
            secret,
            vkey,
            log,
            genesis,
            store,
            source,
            edge: None,
            hot: Arc::new(HotRecords::default()),
            newest: Arc::new(Maps::new()),
            earlier: Maps::new(),
        })
    }

    /// The state to go on from: made from the store once, then kept.
    fn edge(&mut self) -> Result<&Edge, StoreError> {
        let edge = match self.edge.take() {
            Some(edge) => edge,
            None => edge_or_empty(&*self.store)?,
        };
        Ok(self.edge.insert(edge))
    }

    /// The key others verify with.
    #[must_use]
    pub fn vkey(&self) -> &Vkey {
        &self.vkey
    }

    /// The name of the log it audits.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.log.origin()
    }

    /// Leaves replayed so far.
    ///
    /// # Errors
    /// The auditor's store.
    pub fn size(&self) -> Result<TreeSize, StoreError> {
        match &self.edge {
            Some(edge) => Ok(edge.size()),
            None => committed_size(&*self.store),
        }
    }

    /// The last head cosigned, as a note; nothing for none.
    ///
    /// # Errors
    /// The auditor's store.
    pub fn latest(&self) -> Result<Option<String>, StoreError> {
        let last = store::last::<Heads>(&*self.store)?;
        Ok(last.map(|(_, note)| String::from_utf8_lossy(&note).into_owned()))
    }

    /// Replays up to a signed checkpoint and cosigns it. Returns the signature line.
    ///
    /// # Errors
    /// See [`AuditError`]; nothing is then cosigned, and what was replayed well stays.
    pub fn cosign(&mut self, note: &str, now: UnixSeconds) -> Result<String, AuditError> {
        let (checkpoint, signed) = self.keys_now()?.open(note)?;
        self.advance(&checkpoint, note)?;
        let signature = cosignature::cosign(&self.secret, &self.name, now, signed.text())?;
        let line = signature.line();
        let mut kept = checkpoint.to_note()?;
        for own in self.keys_now()?.lines(&signed) {
            kept.add(own.clone())?;
        }
        kept.add(signature)?;
        let mut batch = WriteBatch::new();
        batch.put::<Heads>(&checkpoint.size.0, &kept.format().into_bytes());
        // Durable before anyone has the line.
        self.store.write(batch)?;
        Ok(line)
    }

    /// Replays up to a signed checkpoint, and keeps it as it is, with the cosignatures that came
    /// with it: a mirror shows it to others. Whether they make a quorum is the caller's question.
    ///
    /// # Errors
    /// See [`AuditError`]; what was replayed well stays.
    pub fn follow(&mut self, note: &str) -> Result<Checkpoint, AuditError> {
        let (checkpoint, _) = self.keys_now()?.open(note)?;
        self.advance(&checkpoint, note)?;
        let mut batch = WriteBatch::new();
        batch.put::<Heads>(&checkpoint.size.0, &note.as_bytes().to_vec());
        self.store.write(batch)?;
        Ok(checkpoint)
    }

    /// Replays until the auditor's log is at least as long as the checkpoint, whose root and last
    /// epoch must be its own.
    fn advance(&mut self, checkpoint: &Checkpoint, note: &str) -> Result<(), AuditError> {
        let size = checkpoint.size;
        let from = self.size()?;
        if from < size {
            let tiles = self.check_root(from, checkpoint)?;
            self.replay_until(checkpoint, note, &tiles)?;
        }
        let actual = log_root(&*self.store, size, &[])?;
        if actual != checkpoint.root {
            return Err(AuditError::Fork {
                size,
                expected: checkpoint.root,
                actual,
            });
        }
        let not_an_epoch = AuditError::NotAnEpoch { size };
        let Some(last) = size.0.checked_sub(1) else {
            return Err(not_an_epoch);
        };
        let leaf = store::require::<Leaves>(&*self.store, &LeafIndex(last))?;
        if !matches!(Leaf::parse(&leaf), Ok(Leaf::Epoch(_))) {
            return Err(not_an_epoch);
        }
        // Once more, with what these leaves say of the log's keys: a head that only a replaced key
        // signed is not cosigned, whoever made it.
        self.keys_now()?.open(note)?;
        Ok(())
    }

    /// Hashes all new leaves before any is believed; returns the tiles they fill.
    fn check_root(
        &mut self,
        from: TreeSize,
        checkpoint: &Checkpoint,
    ) -> Result<TileMap, AuditError> {
        let mut frontier = self.edge()?.frontier.clone();
        let mut hashes = Vec::new();
        let mut next = from.0;
        while next < checkpoint.size.0 {
            let leaves = fetch(&*self.source, next, checkpoint.size.0)?;
            next = next.saturating_add(count(&leaves));
            hashes.extend(leaves.iter().map(|leaf| leaf_hash(leaf)));
        }
        let tiles = append(&*self.store, &mut frontier, &hashes)?;
        let (size, expected, actual) = (checkpoint.size, checkpoint.root, frontier.root());
        if actual == expected {
            Ok(tiles)
        } else {
            Err(AuditError::Fork {
                size,
                expected,
                actual,
            })
        }
    }

    fn replay_until(
        &mut self,
        checkpoint: &Checkpoint,
        note: &str,
        tiles: &TileMap,
    ) -> Result<(), AuditError> {
        let from = self.size()?.0;
        let ahead = ReadAhead {
            source: Arc::clone(&self.source),
            store: Arc::clone(&self.store),
            tiles,
            checkpoint,
            prefetch: Prefetch {
                store: Arc::clone(&self.store),
                maps: Arc::clone(&self.newest),
                hot: Arc::clone(&self.hot),
            },
        };
        thread::scope(|scope| {
            let (send, chunks) = sync_channel(CHUNKS_AHEAD);
            scope.spawn(move || ahead.run(from, &send));
            let mut next = from;
            let mut pending = Pending::default();
            for chunk in chunks {
                for (leaf, checked) in chunk? {
                    next = next.saturating_add(1);
                    let closes = matches!(checked, Ok(Checked::Epoch(_)));
                    pending.leaves.push(leaf);
                    pending.checked.push(checked);
                    let too_long = pending.leaves.len() > limits::BATCH_EVENTS;
                    if !(closes || too_long || next == checkpoint.size.0) {
                        continue;
                    }
                    let Pending { leaves, checked } = std::mem::take(&mut pending);
                    self.take(&leaves, checked).map_err(|taken| match taken {
                        Taken::Diverged(previous, diverged) => {
                            AuditError::Diverged(Box::new(Finding {
                                note: note.to_owned(),
                                checkpoint: checkpoint.clone(),
                                previous,
                                leaves,
                                tiles: tiles.clone(),
                                diverged: *diverged,
                            }))
                        }
                        Taken::Error(error) => error,
                    })?;
                }
            }
            Ok(())
        })
    }

    /// Replays one epoch's leaves on the auditor's own state and writes them to its own store.
    fn take(
        &mut self,
        leaves: &[Vec<u8>],
        checked: Vec<Result<Checked, Divergence>>,
    ) -> Result<(), Taken> {
        let edge = self.edge()?.clone();
        let before = edge.epoch.clone();
        let first = edge.size();
        let (segment, epoch, meta) = match &before {
            None => self.take_genesis(leaves)?,
            Some(previous) => {
                let view = StoredView::new(&*self.store, &edge.map, &self.hot);
                let replayed = replay_checked(&view, previous, checked)
                    .map_err(|diverged| Taken::judged(before.clone(), diverged))?;
                let (_, events) = leaves.split_last().ok_or_else(Taken::empty)?;
                let (index, touched) = (replayed.index, replayed.touched);
                let segment = Segment {
                    leaves: events.to_vec(),
                    index,
                    touched,
                };
                (segment, replayed.epoch, WriteBatch::new())
            }
        };
        let (staged, opened) = second::stage_and_open(&*self.store, &edge, &segment, epoch.time)?;
        // Same leaves, same records: number, index, map root and number of keys must come out.
        if let Err(why) = same_epoch(&staged.epoch, &epoch) {
            let at = LeafIndex(first.0.saturating_add(count(leaves)).saturating_sub(1));
            let touched = segment.touched;
            return Err(Taken::Diverged(
                before,
                Box::new(Diverged { at, why, touched }),
            ));
        }
        second::check(&*self.store, None, &edge, opened, &staged)?;
        let mut batch = staged.batch;
        for write in meta.into_writes() {
            batch.push_raw(write);
        }
        // Only what is on disk is gone on from; after an error it is read anew.
        self.edge = None;
        self.store.write(batch)?;
        self.newest.clear();
        self.newest.put(staged.epoch.epoch, staged.edge.map.clone());
        self.edge = Some(staged.edge);
        for (leaf, record) in staged.fresh {
            self.hot.put(leaf, record);
        }
        Ok(())
    }

    fn take_genesis(&self, leaves: &[Vec<u8>]) -> Result<(Segment, Epoch, WriteBatch), Taken> {
        let diverged = |at: u64, why: Divergence| {
            let touched = Touched::default();
            Taken::Diverged(
                None,
                Box::new(Diverged {
                    at: LeafIndex(at),
                    why,
                    touched,
                }),
            )
        };
        let [first, last] = leaves else {
            return Err(diverged(0, Divergence::EpochPlace));
        };
        let actual = leaf_hash(first);
        if actual != self.genesis {
            return Err(AuditError::Genesis {
                expected: self.genesis,
                actual,
            }
            .into());
        }
        let genesis: Genesis = match Leaf::parse(first) {
            Ok(Leaf::Genesis(genesis)) => genesis,
            Ok(_) => return Err(diverged(0, Divergence::Genesis)),
            Err(error) => return Err(diverged(0, error.into())),
        };
        let epoch = match Leaf::parse(last) {
            Ok(Leaf::Epoch(epoch)) => epoch,
            Ok(_) => return Err(diverged(1, Divergence::EpochPlace)),
            Err(error) => return Err(diverged(1, error.into())),
        };
        if epoch.time < genesis.created {
            let why = Divergence::Epoch {
                member: "time",
                expected: format!("not before {}", genesis.created),
                actual: epoch.time.to_string(),
            };
            return Err(diverged(1, why));
        }
        let mut meta = WriteBatch::new();
        meta.put::<Meta>(&MetaKey::Format, &FORMAT.to_be_bytes().to_vec());
        meta.put::<Meta>(&MetaKey::Origin, &genesis.origin.as_bytes().to_vec());
        let key = self
            .log
            .first()
            .public_key()
            .map(|key| key.to_bytes().to_vec())
            .unwrap_or_default();
        meta.put::<Meta>(&MetaKey::LogKey, &key);
        Ok((genesis_segment(&genesis), epoch, meta))
    }

    /// Inclusion proof of a leaf under a finding's checkpoint.
    ///
    /// # Errors
    /// The auditor's store; no such leaf.
    pub fn inclusion(&self, finding: &Finding, index: LeafIndex) -> Result<Vec<Hash>, StoreError> {
        let tree = StoredTree::with(&*self.store, &finding.tiles);
        prove_inclusion(index, finding.checkpoint.size, &tree)
            .map_err(|error: ProveError<StoreError>| flatten(error))
    }

    /// A subject's record as of an epoch the auditor replayed, with the path that proves it (or
    /// that it had none).
    ///
    /// # Errors
    /// The auditor's store.
    pub fn place(
        &self,
        epoch: &Epoch,
        key: &Hash,
    ) -> Result<(MapPath, Option<Record>), StoreError> {
        let map = match &self.edge {
            Some(edge) if edge.epoch.as_ref() == Some(epoch) => edge.map.clone(),
            _ => self.map_at(epoch)?,
        };
        let found = map.find(key);
        let leaf = found.of(key);
        let record = leaf.map(|leaf| record_of(&*self.store, leaf)).transpose()?;
        Ok((found.path(key), record))
    }

    fn map_at(&self, epoch: &Epoch) -> Result<StatusMap, StoreError> {
        if let Some(map) = self.earlier.get(epoch.epoch) {
            return Ok(map);
        }
        // A map of other records would make evidence that nobody believes.
        let map = stated_map(&*self.store, epoch)
            .map_err(|error| StoreError::Engine(error.to_string()))?;
        self.earlier.clear();
        self.earlier.put(epoch.epoch, map.clone());
        Ok(map)
    }

    /// The auditor's own copy of the log, for a mirror.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }
}

/// Leaves of the epoch whose end has not come yet.
#[derive(Default)]
struct Pending {
    leaves: Vec<Vec<u8>>,
    checked: Vec<Result<Checked, Divergence>>,
}

/// How taking one epoch can fail.
enum Taken {
    Diverged(Option<Epoch>, Box<Diverged>),
    Error(AuditError),
}

impl Taken {
    /// Records of our own that cannot be read say nothing about the log.
    fn judged(previous: Option<Epoch>, diverged: Box<Diverged>) -> Self {
        match diverged.why {
            Divergence::View(fault) => Self::Error(StoreError::Engine(fault.0).into()),
            _ => Self::Diverged(previous, diverged),
        }
    }

    fn empty() -> Self {
        Self::Error(AuditError::NotAnEpoch { size: TreeSize(0) })
    }
}

impl<E: Into<AuditError>> From<E> for Taken {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// The epoch leaf in the log must be the one that follows from its leaves.
fn same_epoch(own: &Epoch, logged: &Epoch) -> Result<(), Divergence> {
    expect("number", own.epoch, logged.epoch)?;
    expect("index", own.index.0, logged.index.0)?;
    expect("map root", own.map_root, logged.map_root)?;
    expect("subjects", own.subjects, logged.subjects)?;
    if own == logged {
        Ok(())
    } else {
        Err(Divergence::EpochPlace)
    }
}

fn count(leaves: &[Vec<u8>]) -> u64 {
    u64::try_from(leaves.len()).unwrap_or(u64::MAX)
}

/// The leaves of a store in the same process.
#[derive(Clone)]
pub struct StoreLeaves(pub Arc<dyn Store>);

impl LeafSource for StoreLeaves {
    fn leaves(&self, from: LeafIndex, limit: u64) -> Result<Vec<Vec<u8>>, String> {
        let to = LeafIndex(from.0.saturating_add(limit));
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let entries = store::scan::<Leaves>(&*self.0, &from, &to, limit);
        Ok(entries
            .map_err(|error| error.to_string())?
            .into_iter()
            .map(|(_, leaf)| leaf)
            .collect())
    }
}
