//! fsck: everything in the database, derived again from the raw leaves and compared.
//!
//! The leaves are judged by replay and hashed into tiles by other code than the sequencer's; what
//! must be equal is compared byte by byte, and what must not be there is counted.  It changes
//! nothing.

mod derived;
mod heads;
pub(crate) mod rebuild;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use zhao_spec::life::apply::{View, ViewFault};
use zhao_spec::life::leaf::{Epoch, Leaf};
use zhao_spec::life::record::Record;
use zhao_spec::log::LogKeys;
use zhao_spec::log::tree::{LeafIndex, TreeSize};
use zhao_spec::map::MemoryMap;
use zhao_spec::wire::{Hash, Keys};

use crate::overlay::Touched;
use crate::replay::{Index, PREPARED_KEYS, replay_with};
use crate::sequence::Quorum;
use crate::sequence::recover::genesis_segment;
use crate::store::files::Files;
use crate::store::layout::{Family, Leaves, show};
use crate::store::{Read, StoreError, decode};
use derived::{Counts, TileCheck};
pub use rebuild::{RebuildError, rebuild};

/// Leaves read at once.
const CHUNK: usize = 1_024;
/// Findings listed; more are only counted.
const FINDINGS: usize = 1_000;
/// Past every key: none begins with so many 0xff.
pub(crate) const END: [u8; 96] = [0xff; 96];

/// What to do about a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Advice {
    /// Something that follows from the leaves is wrong: rebuild the database from its leaves.
    Rebuild,
    /// Starting the sequencer repairs it.
    Restart,
    /// Leaves or signatures are wrong: stop, keep the files, restore the newest backup.
    Restore,
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rebuild => "rebuild the database from its leaves",
            Self::Restart => "start the ledger, which repairs it",
            Self::Restore => "do not start; keep the files and restore the newest backup",
        })
    }
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Column family, or name of the file.
    pub place: &'static str,
    /// Key in it.
    pub key: String,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub advice: Advice,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {}: {} ({})",
            self.place, self.key, self.problem, self.advice
        )
    }
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Leaves in the database.
    pub size: u64,
    /// Epochs in it.
    pub epochs: u64,
    /// Keys in its map.
    pub subjects: u64,
    /// Published heads in it.
    pub heads: u64,
    /// The first thousand differences.
    pub findings: Vec<Finding>,
    /// How many more there are.
    pub unlisted: u64,
}

impl Report {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty() && self.unlisted == 0
    }

    /// The gravest advice; nothing when clean.
    #[must_use]
    pub fn advice(&self) -> Option<Advice> {
        self.findings.iter().map(|finding| finding.advice).max()
    }
}

/// Checks a ledger's database and the files beside it. `log` is the log's key. Cosignatures under
/// heads are not judged: see [`check_against`].
///
/// # Errors
/// The store cannot be read at all; a value that cannot be decoded is a finding.
pub fn check(store: &dyn Read, files: &dyn Files, log: &LogKeys) -> Result<Report, StoreError> {
    run(store, files, log, None)
}

/// As [`check`], and every cosignature by a key of `quorum` must verify, the newest head must have
/// its quorum.
///
/// # Errors
/// As [`check`].
pub fn check_against(
    store: &dyn Read,
    files: &dyn Files,
    log: &LogKeys,
    quorum: &Quorum,
) -> Result<Report, StoreError> {
    run(store, files, log, Some(quorum))
}

fn run(
    store: &dyn Read,
    files: &dyn Files,
    log: &LogKeys,
    quorum: Option<&Quorum>,
) -> Result<Report, StoreError> {
    let mut fsck = Fsck::new(store);
    fsck.check_meta(log)?;
    fsck.check_leaves()?;
    fsck.check_derived()?;
    fsck.check_heads(files, log, quorum)?;
    Ok(fsck.report)
}

/// The state replayed so far.
#[derive(Default)]
struct Replica {
    records: BTreeMap<Hash, (Arc<Record>, u64)>,
    map: MemoryMap,
    /// The last good epoch.
    epoch: Option<Epoch>,
    /// Epoch number → its leaf.
    epochs: BTreeMap<u64, LeafIndex>,
}

impl View for Replica {
    fn record(&self, key: &Hash) -> Result<Option<Arc<Record>>, ViewFault> {
        Ok(self.records.get(key).map(|(record, _)| Arc::clone(record)))
    }
}

struct Fsck<'a> {
    store: &'a dyn Read,
    replica: Replica,
    counts: Counts,
    /// Records listed as replaced.
    listed: BTreeSet<(Hash, u64)>,
    report: Report,
    /// False once replay failed: what follows from the leaves is then unknown.
    replayed: bool,
    /// The signers met so far.
    keys: Keys,
}

impl<'a> Fsck<'a> {
    fn new(store: &'a dyn Read) -> Self {
        let (replica, counts, report) = (Replica::default(), Counts::default(), Report::default());
        Self {
            store,
            replica,
            counts,
            listed: BTreeSet::new(),
            report,
            replayed: true,
            keys: Keys::new(PREPARED_KEYS),
        }
    }

    fn find(
        &mut self,
        place: &'static str,
        key: &[u8],
        problem: impl Into<String>,
        advice: Advice,
    ) {
        if self.report.findings.len() >= FINDINGS {
            self.report.unlisted = self.report.unlisted.saturating_add(1);
            return;
        }
        let finding = Finding {
            place,
            key: show(key),
            problem: problem.into(),
            advice,
        };
        self.report.findings.push(finding);
    }

    /// Reads every leaf in order: contiguous, hashed into tiles, replayed epoch by epoch.
    fn check_leaves(&mut self) -> Result<(), StoreError> {
        let mut tiles = TileCheck::default();
        let mut segment: Vec<Vec<u8>> = Vec::new();
        let mut next: u64 = 0;
        let mut from: Vec<u8> = Vec::new();
        loop {
            let entries = self.store.scan(Family::Leaves, &from, &END, CHUNK)?;
            let Some((last, _)) = entries.last() else {
                break;
            };
            from = [last.as_slice(), &[0]].concat();
            for entry in entries {
                let Ok((index, leaf)) = decode::<Leaves>(&entry) else {
                    self.find("leaves", &entry.0, "no leaf index", Advice::Restore);
                    continue;
                };
                if index.0 != next {
                    let problem = format!("leaf {next} is missing before it");
                    self.find("leaves", &entry.0, problem, Advice::Restore);
                    self.replayed = false;
                    next = index.0;
                }
                next = next.saturating_add(1);
                self.tile_leaf(&mut tiles, &leaf)?;
                let closes = matches!(Leaf::parse(&leaf), Ok(Leaf::Epoch(_)));
                segment.push(leaf);
                if closes {
                    self.take(&std::mem::take(&mut segment), next)?;
                }
            }
        }
        if !segment.is_empty() {
            let key = next.saturating_sub(1).to_be_bytes();
            self.find(
                "leaves",
                &key,
                "the last leaf is not an epoch leaf",
                Advice::Restore,
            );
        }
        self.report.size = next;
        self.finish_tiles(tiles)
    }

    /// Replays one epoch whose last leaf is at `end` − 1.
    fn take(&mut self, leaves: &[Vec<u8>], end: u64) -> Result<(), StoreError> {
        if !self.replayed {
            return Ok(());
        }
        let first = end.saturating_sub(u64::try_from(leaves.len()).unwrap_or(0));
        let judged = match self.replica.epoch.clone() {
            None => genesis(leaves),
            Some(previous) => replay_with(&self.replica, &previous, leaves, &mut self.keys)
                .map(|replayed| (replayed.epoch, replayed.index, replayed.touched))
                .map_err(|diverged| (diverged.at, diverged.why.to_string())),
        };
        let (epoch, index, touched) = match judged {
            Ok(judged) => judged,
            Err((at, problem)) => {
                self.replayed = false;
                self.find("leaves", &at.0.to_be_bytes(), problem, Advice::Restore);
                return Ok(());
            }
        };
        self.check_index(&index)?;
        self.check_records(epoch.epoch, &touched)?;
        self.check_epoch(&epoch, LeafIndex(end.saturating_sub(1)), first)?;
        self.replica.epoch = Some(epoch);
        Ok(())
    }

    fn check_epoch(
        &mut self,
        epoch: &Epoch,
        index: LeafIndex,
        first: u64,
    ) -> Result<(), StoreError> {
        let subjects = u64::try_from(self.replica.map.len()).unwrap_or(u64::MAX);
        let root = self.replica.map.root();
        if epoch.map_root != root || epoch.subjects != subjects || epoch.index != index {
            let problem = format!(
                "the epoch over leaves {first} to {} states map root {} and {} subjects, replay \
                 gives {root} and {subjects}",
                index.0, epoch.map_root, epoch.subjects
            );
            self.find("leaves", &index.0.to_be_bytes(), problem, Advice::Restore);
        }
        self.report.epochs = self.report.epochs.saturating_add(1);
        self.report.subjects = subjects;
        self.replica.epochs.insert(epoch.epoch, index);
        self.expect_epoch(epoch.epoch, index)
    }

    /// Size of the log.
    fn size(&self) -> TreeSize {
        TreeSize(self.report.size)
    }
}

type Judged = Result<(Epoch, Index, Touched), (LeafIndex, String)>;

/// The first epoch: genesis and its own leaf.
fn genesis(leaves: &[Vec<u8>]) -> Judged {
    let [first, last] = leaves else {
        return Err((LeafIndex(0), "epoch 0 holds more than genesis".to_owned()));
    };
    match (Leaf::parse(first), Leaf::parse(last)) {
        (Ok(Leaf::Genesis(genesis)), Ok(Leaf::Epoch(epoch))) if epoch.epoch == 0 => {
            let segment = genesis_segment(&genesis);
            Ok((epoch, segment.index, segment.touched))
        }
        _ => Err((
            LeafIndex(0),
            "the log does not begin with genesis and epoch 0".to_owned(),
        )),
    }
}
