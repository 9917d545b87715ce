//! A database brought to the claim of its log, from the place of publication: what a standby does
//! before it takes over.
//!
//! Nothing there is believed. The leaves are hashed first, down to the root that is claimed; then
//! every epoch is judged, staged and checked by the second path, as the sequencer does it, and only
//! so it is written.

use zhao_spec::life::leaf::Leaf;
use zhao_spec::log::LogKeys;
use zhao_spec::log::tile::{Kind, TILE_WIDTH, Tile, decode_bundle};
use zhao_spec::log::tree::{Frontier, TreeError, TreeSize, leaf_hash};
use zhao_spec::wire::{Keys, limits};

use super::claim::Claim;
use super::place::{Place, PlaceError};
use super::segment::{self, SEGMENT_BYTES, Segment};
use super::{PublishError, check_root, read, upload};
use crate::fsck::rebuild::{RebuildError, judge, put_meta};
use crate::hot::HotRecords;
use crate::replay::PREPARED_KEYS;
use crate::sequence::intent::{self, Intent};
use crate::sequence::recover::edge_or_empty;
use crate::sequence::{CHECKPOINT_FILE, second};
use crate::store::files::Files;
use crate::store::layout::Heads;
use crate::store::{self, Store, StoreError, WriteBatch};

/// Largest bundle, bytes.
const BUNDLE_BYTES: usize = 256 * (limits::LEAF_BYTES + 2);
/// Segments between the last published head and the claim.
const SEGMENTS: usize = 65_536;

/// How far a database was brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaughtUp {
    /// Leaves it had.
    pub from: TreeSize,
    /// Leaves it has.
    pub to: TreeSize,
}

/// Why a database was not brought to the claim.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CatchUpError {
    /// The database and the place together do not lead to the claim.
    #[error(
        "this database's {ours} leaves and those in the place of publication do not lead to the \
         root claimed for size {theirs}: this database has leaves that were never signed, or those \
         in the place were altered; begin with a backup"
    )]
    Beyond {
        /// Leaves here.
        ours: TreeSize,
        /// Size of the claim.
        theirs: TreeSize,
    },
    /// The place.
    #[error("{0}")]
    Publish(#[from] PublishError),
    /// The leaves there are not an honest log's, or the database is damaged.
    #[error("{0}")]
    Rebuild(#[from] RebuildError),
    /// The leaves in the place do not lead to a root that was signed or claimed.
    #[error("the leaves in the place of publication do not lead to the root of size {size}")]
    Root {
        /// Size.
        size: TreeSize,
    },
}

impl From<StoreError> for CatchUpError {
    fn from(error: StoreError) -> Self {
        Self::Publish(error.into())
    }
}

impl From<PlaceError> for CatchUpError {
    fn from(error: PlaceError) -> Self {
        Self::Publish(error.into())
    }
}

/// What is in the place: the claim, the head that was published, and where the leaves between them
/// are.
struct There<'a> {
    place: &'a dyn Place,
    claim: Claim,
    /// Size of the published head; its note.
    head: TreeSize,
    note: Vec<u8>,
    /// Names of the segments after it, in order.
    segments: Vec<String>,
}

/// Brings the database of the log with this key to the claim, and the intent with it. `step` is
/// told how many leaves of how many were read; each is read twice.
///
/// # Errors
/// See [`CatchUpError`]. What was written is part of the log; it may be called again.
pub fn catch_up(
    store: &dyn Store,
    files: &dyn Files,
    place: &dyn Place,
    log: &LogKeys,
    step: &dyn Fn(u64, u64),
) -> Result<CaughtUp, CatchUpError> {
    let mut edge = edge_or_empty(store)?;
    let from = edge.size();
    let there = There::read(place, log, from)?;
    let to = there.claim.size;
    if from >= to {
        check_root(store, to, there.claim.root)?;
        there.keep_head(store, log)?;
        let to = from;
        return Ok(CaughtUp { from, to });
    }
    let total = (to.0 - from.0).saturating_mul(2);
    let mut read = 0_u64;
    let mut count = || {
        read = read.saturating_add(1);
        step(read, total);
    };
    // First what it all leads to. Nothing is written.
    let mut frontier = edge.frontier.clone();
    there.leaves(from, &mut |leaf| {
        count();
        there.push(&mut frontier, &leaf, log)
    })?;
    if frontier.root() != there.claim.root {
        // The leaves are those of the claim, or some here are not.
        let (ours, theirs) = (from, to);
        return Err(CatchUpError::Beyond { ours, theirs });
    }
    // Then epoch by epoch.
    let (hot, mut keys) = (HotRecords::default(), Keys::new(PREPARED_KEYS));
    let mut leaves = Vec::new();
    there.leaves(from, &mut |leaf| {
        count();
        let closes = matches!(Leaf::parse(&leaf), Ok(Leaf::Epoch(_)));
        leaves.push(leaf);
        if !closes {
            return Ok(());
        }
        let (segment, epoch) = judge(store, &hot, &edge, &std::mem::take(&mut leaves), &mut keys)?;
        let staged = second::stage_and_open(store, &edge, &segment, epoch.time);
        let (staged, opened) = staged.map_err(RebuildError::from)?;
        if staged.epoch != epoch {
            return Err(RebuildError::Epoch { at: epoch.index }.into());
        }
        second::check(store, None, &edge, opened, &staged).map_err(RebuildError::from)?;
        let mut batch = staged.batch;
        if edge.epoch.is_none() {
            put_meta(&mut batch, log);
        }
        store.write(batch)?;
        edge = staged.edge.clone();
        Ok(())
    })?;
    let Claim {
        origin, root, size, ..
    } = there.claim.clone();
    if edge.size() != size {
        return Err(CatchUpError::Root { size });
    }
    // What was claimed may have been signed.
    files.replace(intent::FILE, &Intent { origin, root, size }.bytes())?;
    there.keep_head(store, log)?;
    Ok(CaughtUp { from, to })
}

impl<'a> There<'a> {
    fn read(place: &'a dyn Place, log: &LogKeys, from: TreeSize) -> Result<Self, CatchUpError> {
        let (claim, _) = read(place)?.ok_or(PublishError::Lost)?;
        if claim.origin != log.origin() {
            return Err(PublishError::OtherLog(claim.origin).into());
        }
        let found = place.get(CHECKPOINT_FILE, limits::NOTE_BYTES)?;
        let note = found.map(|found| found.bytes).unwrap_or_default();
        let head = match note.as_slice() {
            [] => TreeSize(0),
            note => upload::open(CHECKPOINT_FILE, note, log)?.size,
        };
        let mut this = Self {
            place,
            claim,
            head,
            note,
            segments: Vec::new(),
        };
        let mut at = (this.claim.size, this.claim.root);
        while at.0 > this.head.max(from) {
            let name = segment::name(at.0, &at.1);
            let segment = this.segment(&name)?;
            let fits = (segment.size, segment.root) == at && segment.origin == this.claim.origin;
            if !fits || segment.from >= at.0 || this.segments.len() >= SEGMENTS {
                return Err(this
                    .malformed(&name, "is not the segment of its name")
                    .into());
            }
            at = (segment.from, segment.from_root);
            this.segments.push(name);
        }
        this.segments.reverse();
        Ok(this)
    }

    fn segment(&self, name: &str) -> Result<Segment, PublishError> {
        let found = self.place.get(name, SEGMENT_BYTES)?;
        let found = found.ok_or_else(|| self.malformed(name, "is missing"))?;
        Segment::parse(&found.bytes).map_err(|problem| self.malformed(name, &problem))
    }

    fn malformed(&self, name: &str, problem: &str) -> PublishError {
        PublishError::Malformed {
            name: name.to_owned(),
            problem: problem.to_owned(),
        }
    }

    /// Gives every leaf from `from` to the claim, in order.
    fn leaves(
        &self,
        from: TreeSize,
        take: &mut dyn FnMut(Vec<u8>) -> Result<(), CatchUpError>,
    ) -> Result<(), CatchUpError> {
        let mut at = from.0;
        let width = u64::from(TILE_WIDTH);
        while at < self.head.0 {
            let (index, slot) = (at / width, at % width);
            let tile = Tile::in_tree(Kind::Entries, index, self.head);
            let tile = tile.ok_or(CatchUpError::Root { size: self.head })?;
            let name = tile.path();
            let found = self.place.get(&name, BUNDLE_BYTES)?;
            let found = found.ok_or_else(|| self.malformed(&name, "is missing"))?;
            let entries = decode_bundle(&found.bytes, tile.width);
            let entries = entries.map_err(|e| self.malformed(&name, &e.to_string()))?;
            let skip = usize::try_from(slot).unwrap_or(usize::MAX);
            for entry in entries.into_iter().skip(skip) {
                take(entry.to_vec())?;
                at = at.saturating_add(1);
            }
        }
        for name in &self.segments {
            let segment = self.segment(name)?;
            let known = usize::try_from(at.saturating_sub(segment.from.0)).unwrap_or(usize::MAX);
            for leaf in segment.leaves.into_iter().skip(known) {
                take(leaf)?;
                at = at.saturating_add(1);
            }
        }
        Ok(())
    }

    /// Adds a leaf to what is hashed; at the published head the root must be the signed one.
    fn push(
        &self,
        frontier: &mut Frontier,
        leaf: &[u8],
        log: &LogKeys,
    ) -> Result<(), CatchUpError> {
        let full = |error: TreeError| StoreError::Engine(error.to_string());
        frontier.push(leaf_hash(leaf)).map_err(full)?;
        let size = frontier.size();
        if size == self.head
            && upload::open(CHECKPOINT_FILE, &self.note, log)?.root != frontier.root()
        {
            return Err(CatchUpError::Root { size });
        }
        Ok(())
    }

    /// Keeps the published head: its readers know it, and proofs may be made for it.
    fn keep_head(&self, store: &dyn Store, log: &LogKeys) -> Result<(), CatchUpError> {
        let newest = store::last::<Heads>(store)?.map_or(0, |(size, _)| size);
        if self.head.0 <= newest {
            return Ok(());
        }
        let head = upload::open(CHECKPOINT_FILE, &self.note, log)?;
        check_root(store, head.size, head.root)?;
        let mut batch = WriteBatch::new();
        batch.put::<Heads>(&head.size.0, &self.note);
        store.write(batch)?;
        Ok(())
    }
}
