//! A log read over the network, as static files (c2sp.org/tlog-tiles), and nothing of it believed:
//! whoever reads compares every leaf with a signed root.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::ProgressBar;
use zhao_ledger::audit::LeafSource;
use zhao_spec::log::tile::{Kind, NodePlace, TILE_BYTES, Tile, decode_bundle, encode_bundle};
use zhao_spec::log::tree::{LeafIndex, Node, NodeReader, TreeSize};
use zhao_spec::map::page::PageName;
use zhao_spec::wire::{Hash, limits};

use crate::web::{Web, WebError};

/// How long one file may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Entries of a full bundle.
const BUNDLE: u64 = 256;
/// Longest bundle, bytes.
const BUNDLE_BYTES: u64 = BUNDLE * (2 + limits::LEAF_BYTES as u64);

/// Why something of a log cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DistantError {
    /// The server gives another status than 200.
    #[error("{url} answers with status {status}")]
    Status {
        /// What was asked.
        url: String,
        /// The status.
        status: u16,
    },
    /// What it gives is not what was asked for.
    #[error("{url}: {problem}")]
    Content {
        /// What was asked.
        url: String,
        /// What is wrong.
        problem: String,
    },
    /// No answer.
    #[error("{0}")]
    Web(#[from] WebError),
}

/// A log at a URL.
#[derive(Debug)]
pub(crate) struct Distant {
    web: Web,
    /// Its prefix, without a slash at its end.
    url: String,
}

impl Distant {
    /// The log whose files are below `url`.
    pub(crate) fn new(url: &str) -> Self {
        Self {
            web: Web::new(PATIENCE),
            url: url.trim_end_matches('/').to_owned(),
        }
    }

    /// Its newest checkpoint, as it shows it.
    ///
    /// # Errors
    /// See [`DistantError`].
    pub(crate) fn checkpoint(&self) -> Result<String, DistantError> {
        self.note("checkpoint")
    }

    fn note(&self, path: &str) -> Result<String, DistantError> {
        let (url, bytes) = self.get(path, limits::NOTE_BYTES as u64)?;
        String::from_utf8(bytes).map_err(|_| DistantError::Content {
            url,
            problem: "the checkpoint is not UTF-8".to_owned(),
        })
    }

    /// The checkpoint of the newest edition of its map, as it shows it.
    ///
    /// # Errors
    /// See [`DistantError`].
    pub(crate) fn map_checkpoint(&self) -> Result<String, DistantError> {
        self.note("map/checkpoint")
    }

    /// A page of its map, as it shows it. 404: of no edition that is kept.
    ///
    /// # Errors
    /// See [`DistantError`].
    pub(crate) fn map_page(&self, name: &PageName) -> Result<Vec<u8>, DistantError> {
        let (_, bytes) = self.get(&name.path(), limits::MAP_PAGE_BYTES as u64)?;
        Ok(bytes)
    }

    /// One leaf of a log of this size.
    ///
    /// # Errors
    /// See [`DistantError`].
    pub(crate) fn leaf(&self, at: LeafIndex, size: TreeSize) -> Result<Vec<u8>, DistantError> {
        let (first, leaves) = self.bundle(at, size)?;
        let place = usize::try_from(at.0.saturating_sub(first)).unwrap_or(usize::MAX);
        let leaf = leaves.into_iter().nth(place);
        leaf.ok_or_else(|| DistantError::Content {
            url: self.url.clone(),
            problem: format!("no leaf {} in its bundle", at.0),
        })
    }

    fn get(&self, path: &str, limit: u64) -> Result<(String, Vec<u8>), DistantError> {
        let url = format!("{}/{path}", self.url);
        let answer = self.web.get(&url, limit)?;
        match answer.status {
            200 => Ok((url, answer.body)),
            status => Err(DistantError::Status { url, status }),
        }
    }

    /// The bundle that holds the leaf `from` of a log of `size`: its leaves, the first one's index.
    ///
    /// # Errors
    /// See [`DistantError`].
    pub(crate) fn bundle(
        &self,
        from: LeafIndex,
        size: TreeSize,
    ) -> Result<(u64, Vec<Vec<u8>>), DistantError> {
        let index = from.0 / BUNDLE;
        let Some(tile) = Tile::in_tree(Kind::Entries, index, size) else {
            return Err(DistantError::Content {
                url: self.url.clone(),
                problem: format!("a log of {size} has no leaf {}", from.0),
            });
        };
        let (found, (url, bytes)) = match self.get(&tile.path(), BUNDLE_BYTES) {
            // A partial one may be gone once the full one is there.
            Err(DistantError::Status { status: 404, .. }) if tile != tile.full() => {
                let full = tile.full();
                (full, self.get(&full.path(), BUNDLE_BYTES)?)
            }
            other => (tile, other?),
        };
        let entries =
            decode_bundle(&bytes, found.width).map_err(|cause| DistantError::Content {
                url,
                problem: cause.to_string(),
            })?;
        let entries = entries.into_iter().take(usize::from(tile.width));
        let first = index.saturating_mul(BUNDLE);
        Ok((first, entries.map(<[u8]>::to_vec).collect()))
    }
}

/// The leaves of a distant log up to one checkpoint, each fetched once: an auditor reads them a
/// second time, after their root was found right, and then they come from a file without a name.
pub(crate) struct Spool {
    distant: Distant,
    size: Mutex<TreeSize>,
    kept: Mutex<Kept>,
    progress: ProgressBar,
}

/// Bundles in the file, one behind the other.
struct Kept {
    file: File,
    /// Where each bundle is, by its first leaf.
    places: Vec<Place>,
    end: u64,
}

#[derive(Clone, Copy)]
struct Place {
    first: u64,
    /// Leaves in it.
    width: u16,
    at: u64,
    length: u64,
}

impl std::fmt::Debug for Spool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Spool({})", self.distant.url)
    }
}

impl Spool {
    /// Leaves of `distant`, kept in a file in `dir`.
    ///
    /// # Errors
    /// The disk refuses.
    pub(crate) fn new(
        distant: Distant,
        dir: &Path,
        progress: ProgressBar,
    ) -> std::io::Result<Self> {
        let kept = Kept {
            file: tempfile::tempfile_in(dir)?,
            places: Vec::new(),
            end: 0,
        };
        Ok(Self {
            distant,
            size: Mutex::new(TreeSize(0)),
            kept: Mutex::new(kept),
            progress,
        })
    }

    /// The log itself.
    pub(crate) fn distant(&self) -> &Distant {
        &self.distant
    }

    /// From now on leaves are those of a log of this size. What was kept for an earlier one is
    /// forgotten.
    ///
    /// # Errors
    /// The disk refuses.
    pub(crate) fn begin(&self, size: TreeSize) -> std::io::Result<()> {
        *self.size.lock().unwrap_or_else(PoisonError::into_inner) = size;
        let mut kept = self.kept();
        kept.places.clear();
        kept.end = 0;
        kept.file.set_len(0)?;
        kept.file.seek(SeekFrom::Start(0)).map(|_| ())
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fetch(&self, from: LeafIndex) -> Result<(u64, Vec<Vec<u8>>), String> {
        let size = *self.size.lock().unwrap_or_else(PoisonError::into_inner);
        let fetched = self.distant.bundle(from, size);
        let (first, leaves) = fetched.map_err(|error| error.to_string())?;

        let kept = self.kept().keep(first, &leaves);
        kept.map_err(|error| format!("the spool: {error}"))?;
        Ok((first, leaves))
    }
}

impl Kept {
    fn keep(&mut self, first: u64, leaves: &[Vec<u8>]) -> std::io::Result<()> {
        // In order of first leaves, so that one is found by halving.
        if self.places.last().is_some_and(|last| last.first >= first) {
            return Ok(());
        }
        let bytes = encode_bundle(leaves);
        let bytes = bytes.map_err(std::io::Error::other)?;
        self.file.write_all(&bytes)?;
        let length = bytes.len() as u64;
        self.places.push(Place {
            first,
            width: u16::try_from(leaves.len()).unwrap_or(u16::MAX),
            at: self.end,
            length,
        });
        self.end = self.end.saturating_add(length);
        Ok(())
    }

    fn read(&self, from: u64) -> std::io::Result<Option<(u64, Vec<Vec<u8>>)>> {
        let after = self.places.partition_point(|place| place.first <= from);
        let place = after.checked_sub(1).and_then(|at| self.places.get(at));
        let Some(place) = place.filter(|place| from - place.first < u64::from(place.width)) else {
            return Ok(None);
        };
        let length = usize::try_from(place.length).map_err(std::io::Error::other)?;
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, place.at)?;
        let leaves = decode_bundle(&bytes, place.width).map_err(std::io::Error::other)?;
        let leaves = leaves.into_iter().map(<[u8]>::to_vec).collect();
        Ok(Some((place.first, leaves)))
    }
}

impl LeafSource for Spool {
    fn leaves(&self, from: LeafIndex, limit: u64) -> Result<Vec<Vec<u8>>, String> {
        let kept = self.kept().read(from.0);
        let kept = kept.map_err(|error| format!("the spool: {error}"))?;
        let (first, leaves) = match kept {
            Some(found) => found,
            None => self.fetch(from)?,
        };
        let skip = usize::try_from(from.0.saturating_sub(first)).unwrap_or(usize::MAX);
        let take = usize::try_from(limit).unwrap_or(usize::MAX);
        let leaves: Vec<Vec<u8>> = leaves.into_iter().skip(skip).take(take).collect();
        // Twice over the log: to find its root, and to replay it.
        self.progress.inc(leaves.len() as u64);
        Ok(leaves)
    }
}

/// The distant log's tree, as its tiles say: only what a proof needs is fetched.
pub(crate) struct DistantTree<'a> {
    distant: &'a Distant,
    size: TreeSize,
    /// Tiles by level and index: neighbouring leaves need the same ones.
    seen: RefCell<BTreeMap<(u8, u64), SeenTile>>,
}

type SeenTile = (Tile, Vec<u8>);

/// Tiles kept, of 8 KiB each.
const TILES: usize = 1_024;

impl<'a> DistantTree<'a> {
    /// The tree of this size.
    pub(crate) fn new(distant: &'a Distant, size: TreeSize) -> Self {
        Self {
            distant,
            size,
            seen: RefCell::default(),
        }
    }

    fn tile(&self, place: NodePlace) -> Result<(Tile, Vec<u8>), DistantError> {
        let kind = Kind::Hashes(place.level);
        let Some(tile) = Tile::in_tree(kind, place.index, self.size) else {
            return Err(DistantError::Content {
                url: self.distant.url.clone(),
                problem: format!("a log of {} has no such tile", self.size),
            });
        };
        let limit = TILE_BYTES as u64;
        let (url, mut bytes) = match self.distant.get(&tile.path(), limit) {
            Err(DistantError::Status { status: 404, .. }) if tile != tile.full() => {
                self.distant.get(&tile.full().path(), limit)?
            }
            other => other?,
        };
        if bytes.len() < tile.byte_length() {
            let problem = format!("{} bytes are too few", bytes.len());
            return Err(DistantError::Content { url, problem });
        }
        bytes.truncate(tile.byte_length());
        Ok((tile, bytes))
    }
}

impl NodeReader for DistantTree<'_> {
    type Error = DistantError;

    fn read(&self, nodes: &[Node]) -> Result<Vec<Hash>, DistantError> {
        let mut seen = self.seen.borrow_mut();
        if seen.len() > TILES {
            seen.clear();
        }
        let wrong = |problem: String| DistantError::Content {
            url: self.distant.url.clone(),
            problem,
        };
        let mut hashes = Vec::with_capacity(nodes.len());
        for node in nodes {
            let place = NodePlace::of(*node);
            let place = place.ok_or_else(|| wrong(format!("no tree has node {node:?}")))?;
            let (tile, bytes) = match seen.entry((place.level, place.index)) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(free) => free.insert(self.tile(place)?),
            };
            let hash = tile.node_hash(bytes, *node);
            hashes.push(hash.map_err(|cause| wrong(cause.to_string()))?);
        }
        Ok(hashes)
    }
}
