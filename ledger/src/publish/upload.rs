//! The static files of a log, kept in a place: what is new, and nothing twice.
//!
//! Tiles and bundles first, then the checkpoint that names them; so whoever reads the place finds
//! everything its checkpoint covers. What is there already must be the same, byte for byte.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use zhao_spec::log::LogKeys;
use zhao_spec::log::checkpoint::Checkpoint;
use zhao_spec::log::tile::{Kind, LEVEL_LIMIT, TILE_WIDTH, Tile, changed_tiles};
use zhao_spec::log::tree::TreeSize;
use zhao_spec::wire::{Hash, limits};

use super::place::{Place, PlaceError, Put, Tag};
use super::segment::{self, SEGMENT_BYTES, Segment};
use super::{PublishError, Segments, TRIES, check_root, put_once, read};
use crate::map::StatusMap;
use crate::read::{Published, ReadError, Reader};
use crate::sequence::CHECKPOINT_FILE;
use crate::store;
use crate::store::layout::Epochs;

/// Puts at once: an object store answers slowly, and many at a time.
const SIDE_BY_SIDE: usize = 8;
/// Segments looked at behind a claim, at most: more wait only where nothing was uploaded for hours.
const SEGMENTS: usize = 65_536;

/// Objects to put: name and bytes.
type Objects = Arc<Mutex<Receiver<(String, Vec<u8>)>>>;

/// Keeps a place as new as the published head.
pub struct Uploader {
    pub(super) place: Arc<dyn Place>,
    log: LogKeys,
    /// The map whose pages are all in the place, as this process put them.
    pub(super) map: Option<StatusMap>,
    /// Whether segments of earlier runs were looked for.
    swept: bool,
    segments: Segments,
}

impl std::fmt::Debug for Uploader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Uploader")
            .field("log", &self.log.origin())
            .finish_non_exhaustive()
    }
}

/// What an upload did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uploaded {
    /// Size of the head in the place.
    pub size: TreeSize,
    /// Objects it took.
    pub objects: u64,
}

/// Why an upload did not end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UploadError {
    /// The place.
    #[error("{0}")]
    Publish(#[from] PublishError),
    /// The database.
    #[error("{0}")]
    Read(#[from] ReadError),
}

impl From<PlaceError> for UploadError {
    fn from(error: PlaceError) -> Self {
        Self::Publish(error.into())
    }
}

impl Uploader {
    /// For the log with this key. `segments` are those of the one who claims in this process.
    #[must_use]
    pub fn new(place: Arc<dyn Place>, log: LogKeys, segments: Segments) -> Self {
        Self {
            place,
            log,
            map: None,
            swept: false,
            segments,
        }
    }

    /// Brings the place to the published head of `reader`. `step` is told how many objects of how
    /// many are there.
    ///
    /// # Errors
    /// See [`UploadError`]. After [`PublishError::Away`] try again later: what was put stays.
    pub fn upload(
        &mut self,
        reader: &Reader,
        step: &(dyn Fn(u64, u64) + Sync),
    ) -> Result<Uploaded, UploadError> {
        let published = reader.published()?;
        let head = self.head(CHECKPOINT_FILE)?;
        let there = match &head {
            Some((size, root, _)) => {
                self.check_head(&published, *size, *root)?;
                *size
            }
            None => TreeSize(0),
        };
        let size = published.size();
        let mut objects = 0;
        if there < size {
            objects = self.put_tiles(&published, there, step)?;
            let tag = head.map(|(_, _, tag)| tag);
            self.put_checkpoint(CHECKPOINT_FILE, &published, (size, published.note()), tag)?;
        }
        self.sweep(size)?;
        Ok(Uploaded { size, objects })
    }

    /// Size, root and tag of the checkpoint that is in the place under this name.
    pub(super) fn head(&self, name: &str) -> Result<Option<(TreeSize, Hash, Tag)>, PublishError> {
        let Some(found) = self.place.get(name, limits::NOTE_BYTES)? else {
            return Ok(None);
        };
        let head = open(name, &found.bytes, &self.log)?;
        Ok(Some((head.size, head.root, found.tag)))
    }

    /// What the place shows must be a head of this log, and not beyond what is published here.
    pub(super) fn check_head(
        &self,
        published: &Published<'_>,
        size: TreeSize,
        root: Hash,
    ) -> Result<(), PublishError> {
        let ours = published.size();
        if size > ours {
            return Err(PublishError::Ahead { theirs: size, ours });
        }
        check_root(published.store(), size, root)
    }

    fn put_tiles(
        &self,
        published: &Published<'_>,
        from: TreeSize,
        step: &(dyn Fn(u64, u64) + Sync),
    ) -> Result<u64, UploadError> {
        let to = published.size();
        let partial = partial(published, from)?;
        let tiles = || changed_tiles(from, to).chain(partial.iter().copied());
        let total = u64::try_from(tiles().count()).unwrap_or(u64::MAX);
        let absent = || ReadError::Absent { what: "tile" };
        self.put_all(
            total,
            step,
            &mut tiles().map(|tile| {
                let bytes = published.tile(&tile)?.ok_or_else(absent)?;
                Ok((tile.path(), bytes))
            }),
        )
    }

    /// Puts objects that are made once, many at a time; `objects` makes them one by one.
    pub(super) fn put_all(
        &self,
        total: u64,
        step: &(dyn Fn(u64, u64) + Sync),
        made: &mut dyn Iterator<Item = Result<(String, Vec<u8>), UploadError>>,
    ) -> Result<u64, UploadError> {
        let threads = usize::try_from(total).map_or(SIDE_BY_SIDE, |n| n.min(SIDE_BY_SIDE));
        let (send, objects) = sync_channel::<(String, Vec<u8>)>(SIDE_BY_SIDE);
        // The threads alone have it: when the last one ends, nobody waits to hand over more.
        let objects = Arc::new(Mutex::new(objects));
        let (done, failed) = (AtomicU64::new(0), AtomicBool::new(false));
        let put = |objects: Objects| -> Result<(), PublishError> {
            let mut trouble = None;
            loop {
                let object = objects
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .recv();
                let Ok((name, bytes)) = object else {
                    return trouble.map_or(Ok(()), Err);
                };
                // After a failure the rest is only taken, so that nobody waits to hand it over.
                if failed.load(Ordering::Relaxed) {
                    continue;
                }
                if let Err(error) = put_once(&*self.place, &name, &bytes) {
                    failed.store(true, Ordering::Relaxed);
                    // The others end by themselves; what they were handed is not put any more.
                    trouble = Some(error);
                    continue;
                }
                let done = done.fetch_add(1, Ordering::Relaxed).saturating_add(1);
                step(done, total);
            }
        };
        thread::scope(|scope| {
            let put = &put;
            let begin = |_| {
                let objects = Arc::clone(&objects);
                scope.spawn(move || put(objects))
            };
            let all: Vec<_> = (0..threads).map(begin).collect();
            drop(objects);
            let mut read: Result<(), UploadError> = Ok(());
            for object in made {
                match object {
                    Ok(object) if !failed.load(Ordering::Relaxed) => {
                        if send.send(object).is_err() {
                            break;
                        }
                    }
                    Ok(_) => break,
                    Err(error) => {
                        read = Err(error);
                        break;
                    }
                }
            }
            drop(send);
            let gone = |_| PlaceError::new("files", "a thread that uploads has stopped");
            for thread in all {
                thread.join().map_err(gone)??;
            }
            read
        })?;
        Ok(total)
    }

    /// Replaces the checkpoint under this name, which was read with `tag`, by a head of this size.
    pub(super) fn put_checkpoint(
        &self,
        name: &str,
        published: &Published<'_>,
        (size, note): (TreeSize, &str),
        mut tag: Option<Tag>,
    ) -> Result<(), PublishError> {
        let note = note.as_bytes();
        let mut trouble = None;
        for _ in 0..TRIES {
            let answer = match &tag {
                None => self.place.create(name, note),
                Some(tag) => self.place.swap(name, note, tag),
            };
            if let Ok(Put::Done(_)) = answer {
                return Ok(());
            }
            trouble = answer.err().or(trouble);
            let Some((found, root, there)) = self.head(name)? else {
                continue;
            };
            self.check_head(published, found, root)?;
            if found >= size {
                return Ok(());
            }
            tag = Some(there);
        }
        let stale = || PlaceError::new(name, "is never as it was just read");
        Err(trouble.unwrap_or_else(stale).into())
    }

    /// Removes the segments that published tiles cover. Nothing is lost when that fails.
    fn sweep(&mut self, size: TreeSize) -> Result<(), PublishError> {
        if !self.swept {
            self.find_segments()?;
            self.swept = true;
        }
        let covered = |(end, _): &mut (TreeSize, String)| *end <= size;
        let covered: Vec<_> = self.segments.list().extract_if(.., covered).collect();
        for (at, (_, name)) in covered.iter().enumerate() {
            if let Err(error) = self.place.delete(name) {
                let left = covered.get(at..).unwrap_or_default();
                self.segments.list().extend_from_slice(left);
                return Err(error.into());
            }
        }
        Ok(())
    }

    /// Follows the segments back from the claim: what an earlier run left.
    fn find_segments(&mut self) -> Result<(), PublishError> {
        let Some((claim, _)) = read(&*self.place)? else {
            return Ok(());
        };
        let mut at = (claim.size, claim.root);
        let mut found = Vec::new();
        while found.len() < SEGMENTS {
            let name = segment::name(at.0, &at.1);
            let Some(object) = self.place.get(&name, SEGMENT_BYTES)? else {
                break;
            };
            let problem = |problem| PublishError::Malformed {
                name: name.clone(),
                problem,
            };
            let segment = Segment::parse(&object.bytes).map_err(problem)?;
            found.push((at.0, name));
            at = (segment.from, segment.from_root);
        }
        let mut list = self.segments.list();
        found.retain(|segment| !list.contains(segment));
        list.extend(found);
        Ok(())
    }
}

/// Tiles in the widths they had at sizes between, as far as they are not full since: whoever keeps
/// an older head proves by them what it covered. Of what is full, the full tile serves.
fn partial(published: &Published<'_>, from: TreeSize) -> Result<Vec<Tile>, ReadError> {
    let to = published.size();
    let mut tiles = BTreeMap::new();
    let mut add = |size: u64| {
        for tile in right_edge(TreeSize(size)) {
            let now = Tile::in_tree(tile.kind, tile.index, to);
            if now.is_some_and(|now| now.width > tile.width && now.width < TILE_WIDTH) {
                tiles.insert(tile.path(), tile);
            }
        }
    };
    let width = u64::from(TILE_WIDTH);
    // Two levels change with single leaves and bundles: there by the sizes that epochs ended at.
    let low = to.0.saturating_sub(to.0 % (width * width)).max(from.0);
    let mut number = published.epoch().epoch;
    while let Some(before) = number.checked_sub(1) {
        number = before;
        let end = store::require::<Epochs>(published.store(), &number)?.0;
        if end < low {
            break;
        }
        add(end.saturating_add(1));
    }
    // Above them by every width there can have been.
    let step = width * width;
    let above = (from.0 / step + 1)..=(to.0 / step);
    above
        .rev()
        .take(usize::from(TILE_WIDTH))
        .for_each(|n| add(n * step));
    Ok(tiles.into_values().collect())
}

/// The last tile of each level, and the last bundle, of a tree of this size.
fn right_edge(size: TreeSize) -> impl Iterator<Item = Tile> {
    let kinds = (0..=LEVEL_LIMIT).map(Kind::Hashes).chain([Kind::Entries]);
    kinds.filter_map(move |kind| {
        let level = match kind {
            Kind::Hashes(level) => u32::from(level),
            Kind::Entries => 0,
        };
        let last = size.0.checked_shr(level * 8)?.checked_sub(1)?;
        Tile::in_tree(kind, last / u64::from(TILE_WIDTH), size)
    })
}

/// A head in the place: signed by the log's key.
pub(crate) fn open(name: &str, note: &[u8], log: &LogKeys) -> Result<Checkpoint, PublishError> {
    let wrong = |problem: String| PublishError::Malformed {
        name: name.to_owned(),
        problem,
    };
    let text = std::str::from_utf8(note).map_err(|error| wrong(error.to_string()))?;
    let opened = log.open(text).map_err(|error| wrong(error.to_string()))?;
    Ok(opened.0)
}
