//! From the root to a key, page by page.

use super::{Content, Page, PageError, PageName, STEP, is_alone, row};
use crate::map::{MapPath, Terminal};
use crate::wire::hash::Hash;

/// What the way of a key came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The key's record hash; nothing for a key that the map does not have.
    pub record_hash: Option<Hash>,
    /// The path that proves this under the root.
    pub path: MapPath,
}

/// The way of one key through the pages of one map. Nothing in it comes from anywhere but pages
/// whose hash was asked for, from the root down.
#[derive(Clone, Debug)]
pub struct Walk {
    key: Hash,
    /// The next page, and what it may list; nothing at the end.
    wanted: Option<(PageName, Lists)>,
    path: MapPath,
    record_hash: Option<Hash>,
}

/// What the page above says about how a map is cut here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lists {
    Either,
    Children,
    Leaves,
}

impl Walk {
    /// The way of `key` in the map with `root`.
    #[must_use]
    pub fn new(root: &Hash, key: &Hash) -> Self {
        Self {
            key: *key,
            wanted: Some((PageName::top(root), Lists::Either)),
            path: MapPath::default(),
            record_hash: None,
        }
    }

    /// The page to fetch next; nothing at the end. There are at most 32.
    #[must_use]
    pub fn wanted(&self) -> Option<&PageName> {
        self.wanted.as_ref().map(|(name, _)| name)
    }

    /// Takes the page that is wanted.
    ///
    /// # Errors
    /// As [`Page::decode`]; `NotWanted`, `Hash`, `Split`; `Unasked` at the end. Nothing is then
    /// changed: another copy of the page may be right.
    pub fn take(&mut self, page: &[u8]) -> Result<(), PageError> {
        let (wanted, lists) = self.wanted.ok_or(PageError::Unasked)?;
        let page = Page::decode(page)?;
        let name = page.name();
        if name.prefix != wanted.prefix {
            return Err(PageError::NotWanted {
                expected: wanted.prefix,
                actual: name.prefix,
            });
        }
        if name.hash != wanted.hash {
            return Err(PageError::Hash {
                expected: wanted.hash,
                actual: name.hash,
            });
        }
        let prefix = name.prefix;
        match (page.content(), lists) {
            (Content::Children(_), Lists::Leaves) | (Content::Leaves(_), Lists::Children) => {
                Err(PageError::Split { prefix })
            }
            (Content::Children(children), _) => {
                let (hashes, gaps) = row::of_children(children);
                let at = row::follow(&hashes, &gaps, &self.key, &mut self.path);
                // A page of children has one at least.
                let child = at.and_then(|at| children.get(at));
                let child = child.ok_or(PageError::Split { prefix })?;
                let below = child.prefix.length().saturating_sub(prefix.length());
                let lists = match below < STEP {
                    true => Lists::Leaves,
                    false if is_alone(child, children) => Lists::Children,
                    false => Lists::Either,
                };
                let (prefix, hash) = (child.prefix, child.hash);
                self.wanted = Some((PageName { prefix, hash }, lists));
                Ok(())
            }
            (Content::Leaves(leaves), _) => {
                let (hashes, gaps) = row::of_leaves(leaves);
                let at = row::follow(&hashes, &gaps, &self.key, &mut self.path);
                if let Some(leaf) = at.and_then(|at| leaves.get(at)) {
                    if leaf.key == self.key {
                        self.record_hash = Some(leaf.record_hash);
                    } else {
                        self.path.terminal = Some(Terminal {
                            key: leaf.key,
                            record_hash: leaf.record_hash,
                        });
                    }
                }
                self.wanted = None;
                Ok(())
            }
        }
    }

    /// What the way came to; nothing while a page is wanted.
    #[must_use]
    pub fn found(self) -> Option<Found> {
        if self.wanted.is_some() {
            return None;
        }
        Some(Found {
            record_hash: self.record_hash,
            path: self.path,
        })
    }
}
