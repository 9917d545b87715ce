//! Editions: maps of published heads that stay for a while, so that whoever fetches a map page by
//! page finds all pages of one.
//!
//! Memory: an edition shares with the newest map what has not changed since. At worst, when every
//! part of the map has changed, it is a map of its own: 150 bytes a subject, and so many editions
//! of that as are kept.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zhao_spec::log::tree::TreeSize;
use zhao_spec::map::page::{Page, PageError, PageName};

use super::StatusMap;

/// A published head and its map.
#[derive(Clone, Debug)]
pub struct Edition {
    /// The map.
    pub map: StatusMap,
    /// The checkpoint with its cosignatures.
    pub note: String,
    /// Its size.
    pub size: TreeSize,
}

/// The newest editions.
#[derive(Debug)]
pub struct Editions {
    /// Oldest first, sizes ascending. Held to look up, add or drop, never while a page is made.
    kept: Mutex<VecDeque<Arc<Edition>>>,
    most: usize,
}

impl Editions {
    /// No edition yet; `most` will be kept, at least one.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self {
            kept: Mutex::default(),
            most: most.max(1),
        }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Arc<Edition>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an edition and drops the oldest one beyond what is kept. A head as old as the newest
    /// edition, or older, adds nothing.
    pub fn add(&self, edition: Edition) {
        let mut dropped = Vec::new();
        {
            let mut kept = self.lock();
            if kept.back().is_some_and(|last| last.size >= edition.size) {
                return;
            }
            kept.push_back(Arc::new(edition));
            while kept.len() > self.most {
                dropped.extend(kept.pop_front());
            }
        }
        // Many nodes may go with it: not under the lock.
        drop(dropped);
    }

    /// The newest edition.
    #[must_use]
    pub fn newest(&self) -> Option<Arc<Edition>> {
        self.lock().back().cloned()
    }

    /// A kept edition that has something of this name.
    #[must_use]
    pub fn with(&self, name: &PageName) -> Option<Arc<Edition>> {
        let kept: Vec<Arc<Edition>> = self.lock().iter().rev().cloned().collect();
        kept.into_iter().find(|edition| edition.map.has(name))
    }
}

impl Edition {
    /// The page of this name; nothing where the map is not cut, or has another hash.
    ///
    /// # Errors
    /// None: what a map holds makes well-formed pages.
    pub fn page(&self, name: &PageName) -> Result<Option<Page>, PageError> {
        let page = self.map.page(&name.prefix)?;
        Ok(page.filter(|page| page.name() == *name))
    }
}
