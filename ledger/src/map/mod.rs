//! The status map on disk: pages of a sparse Merkle map over a [`Read`].
//!
//! Reading is here: a key's record, and the path that proves it, as of any epoch whose pages are
//! still kept. Changing is in [`update`], dropping what is
//! old in [`prune`](mod@prune); the bytes of a page in [`page`]. What the hashes mean is
//! `zhao_spec::map`'s.

pub mod page;
pub mod prune;
pub mod update;

#[cfg(test)]
mod tests;

use zhao_spec::map::{MapPath, Terminal};
use zhao_spec::wire::{Hash, sha256};

use crate::store::layout::{LayoutError, Pages, Records};
use crate::store::{self, Read, StoreError};
use page::{MapLeaf, Page, PageId, Sibling, Slot};

/// The map as of one epoch.
#[derive(Clone, Copy)]
pub struct MapView<'a> {
    store: &'a dyn Read,
    /// Version of the root page; nothing for a map that was never written.
    version: Option<u64>,
}

/// Where following a key ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Siblings passed, from the root down.
    pub siblings: Vec<Sibling>,
    /// The key at the end: the one sought, another one (which proves absence), or none at all.
    pub leaf: Option<MapLeaf>,
}

impl Found {
    /// The path that proves what was found for `key`: its record, or that it has none.
    #[must_use]
    pub fn path(&self, key: &Hash) -> MapPath {
        let (depths, hashes) = self.siblings.iter().copied().unzip();
        let other = self.leaf.filter(|leaf| leaf.key != *key);
        let terminal = other.map(|leaf| Terminal {
            key: leaf.key,
            record_hash: leaf.record,
        });
        MapPath {
            depths,
            hashes,
            terminal,
        }
    }

    /// The leaf of `key` itself, if the map has it.
    #[must_use]
    pub fn of(&self, key: &Hash) -> Option<&MapLeaf> {
        self.leaf.as_ref().filter(|leaf| leaf.key == *key)
    }
}

impl<'a> MapView<'a> {
    /// The map whose root page has `version`.
    #[must_use]
    pub fn new(store: &'a dyn Read, version: Option<u64>) -> Self {
        Self { store, version }
    }

    /// Root of the map.
    ///
    /// # Errors
    /// The store's.
    pub fn root(&self) -> Result<Hash, StoreError> {
        let hash = match self.version {
            None => None,
            Some(version) => self.page(&PageId::ROOT, version)?.hash(&PageId::ROOT),
        };
        Ok(hash.unwrap_or(zhao_spec::map::EMPTY_ROOT))
    }

    /// Follows `key` down, checking that every page is the one its parent names.
    ///
    /// # Errors
    /// The store's; [`StoreError::Corrupt`] when a page has another hash than its parent says.
    pub fn find(&self, key: &Hash) -> Result<Found, StoreError> {
        let mut siblings = Vec::new();
        let Some(mut version) = self.version else {
            return Ok(Found {
                siblings,
                leaf: None,
            });
        };
        let mut id = PageId::ROOT;
        let mut named: Option<Hash> = None;
        loop {
            let page = self.page(&id, version)?;
            if named.is_some() && page.hash(&id) != named {
                return Err(bad_page(
                    &id,
                    version,
                    "the page has another hash than its parent says",
                ));
            }
            let (slot, content) = page.descend(&id, key, &mut siblings);
            match content {
                Slot::Empty => {
                    return Ok(Found {
                        siblings,
                        leaf: None,
                    });
                }
                Slot::Leaf(leaf) => {
                    return Ok(Found {
                        siblings,
                        leaf: Some(leaf),
                    });
                }
                Slot::Child {
                    hash,
                    version: child,
                } => {
                    id = id
                        .child(slot)
                        .ok_or_else(|| bad_page(&id, version, "a page below the last nibble"))?;
                    version = child;
                    named = Some(hash);
                }
            }
        }
    }

    /// The bytes of the record at `key`, checked against the hash in the map.
    ///
    /// # Errors
    /// The store's; [`StoreError::Corrupt`] when record and map disagree.
    pub fn record(&self, key: &Hash) -> Result<Option<Vec<u8>>, StoreError> {
        self.find(key)?
            .of(key)
            .map(|leaf| self.record_of(leaf))
            .transpose()
    }

    /// The bytes of the record a map leaf names, checked.
    ///
    /// # Errors
    /// As [`MapView::record`].
    pub fn record_of(&self, leaf: &MapLeaf) -> Result<Vec<u8>, StoreError> {
        let bytes = store::require::<Records>(self.store, &(leaf.key, leaf.version))?;
        if sha256(&[&bytes]) == leaf.record {
            return Ok(bytes);
        }
        Err(StoreError::Corrupt {
            family: "records",
            key: store::layout::show(&leaf.key.0),
            problem: LayoutError::Value("the record has another hash than the map says".to_owned()),
        })
    }

    /// A page at a version.
    ///
    /// # Errors
    /// The store's; missing.
    pub(crate) fn page(&self, id: &PageId, version: u64) -> Result<Page, StoreError> {
        store::require::<Pages>(self.store, &(id.clone(), version))
    }

    /// Version of the root page.
    #[must_use]
    pub fn version(&self) -> Option<u64> {
        self.version
    }
}

impl std::fmt::Debug for MapView<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MapView")
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

pub(crate) fn bad_page(id: &PageId, version: u64, problem: &str) -> StoreError {
    let key = [id.bytes().as_slice(), &version.to_be_bytes()].concat();
    StoreError::Corrupt {
        family: "pages",
        key: store::layout::show(&key),
        problem: LayoutError::Value(problem.to_owned()),
    }
}
