//! Changing the map: the pages a batch of records replaces, all at one new version.

use zhao_spec::map::EMPTY_ROOT;
use zhao_spec::wire::Hash;

use super::page::{MapLeaf, Page, PageId, SLOTS, Slot};
use super::{MapView, bad_page};
use crate::store::layout::{Old, Pages, Stale, StaleKey};
use crate::store::{StoreError, WriteBatch};

/// The map after an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Updated {
    /// Its root.
    pub root: Hash,
    /// Version of its root page; nothing while no key was ever written.
    pub map_version: Option<u64>,
    /// Keys that were not there before.
    pub added: u64,
}

/// Puts `writes` (key, record hash; keys ascending, each once) into the map at `version`, adding
/// the new pages and what they replace to `batch`. Records themselves are the caller's.
///
/// # Errors
/// The store's.
pub fn update(
    before: MapView<'_>,
    version: u64,
    writes: &[(Hash, Hash)],
    batch: &mut WriteBatch,
) -> Result<Updated, StoreError> {
    if writes.is_empty() {
        let root = before.root()?;
        return Ok(Updated {
            root,
            map_version: before.version(),
            added: 0,
        });
    }
    let leaves: Vec<MapLeaf> = writes
        .iter()
        .map(|(key, record)| MapLeaf {
            key: *key,
            record: *record,
            version,
        })
        .collect();
    let mut work = Work {
        before,
        version,
        batch,
        added: 0,
    };
    let mut page = match before.version() {
        Some(old) => work.replace(&PageId::ROOT, old)?,
        None => Page::default(),
    };
    work.fill(&PageId::ROOT, &mut page, &leaves)?;
    let root = page.hash(&PageId::ROOT).unwrap_or(EMPTY_ROOT);
    work.batch.put::<Pages>(&(PageId::ROOT, version), &page);
    Ok(Updated {
        root,
        map_version: Some(version),
        added: work.added,
    })
}

struct Work<'a, 'b> {
    before: MapView<'a>,
    version: u64,
    batch: &'b mut WriteBatch,
    added: u64,
}

impl Work<'_, '_> {
    /// Reads a page that is about to be replaced.
    fn replace(&mut self, id: &PageId, old: u64) -> Result<Page, StoreError> {
        let page = self.before.page(id, old)?;
        self.stale(Old::Page(id.clone(), old));
        Ok(page)
    }

    fn stale(&mut self, old: Old) {
        self.batch.put::<Stale>(
            &StaleKey {
                version: self.version,
                old,
            },
            &(),
        );
    }

    /// Puts leaves, ascending, into a page.
    fn fill(&mut self, id: &PageId, page: &mut Page, leaves: &[MapLeaf]) -> Result<(), StoreError> {
        for group in leaves.chunk_by(|a, b| id.slot_of(&a.key) == id.slot_of(&b.key)) {
            let Some(first) = group.first() else { continue };
            let nibble = id.slot_of(&first.key);
            let slot = page
                .slots
                .get_mut(usize::from(nibble))
                .expect("a nibble is below 16");
            let old = std::mem::take(slot);
            let new = self.put(id, nibble, old, group)?;
            if let Some(slot) = page.slots.get_mut(usize::from(nibble)) {
                *slot = new;
            }
        }
        Ok(())
    }

    /// What a slot becomes when it takes `leaves`.
    fn put(
        &mut self,
        parent: &PageId,
        nibble: u8,
        old: Slot,
        leaves: &[MapLeaf],
    ) -> Result<Slot, StoreError> {
        match (old, leaves) {
            (old, []) => return Ok(old),
            (Slot::Empty, [leaf]) => {
                self.added = self.added.saturating_add(1);
                return Ok(Slot::Leaf(*leaf));
            }
            (Slot::Leaf(before), [leaf]) if before.key == leaf.key => {
                self.stale(Old::Record(before.key, before.version));
                return Ok(Slot::Leaf(*leaf));
            }
            _ => {}
        }
        let below = "two keys agree in all nibbles";
        let id = parent
            .child(nibble)
            .ok_or_else(|| bad_page(parent, self.version, below))?;
        let mut page = match old {
            Slot::Empty => Page::default(),
            Slot::Leaf(leaf) => {
                let mut page = Page::default();
                let slot = page.slots.get_mut(usize::from(id.slot_of(&leaf.key)));
                *slot.expect("a nibble is below 16") = Slot::Leaf(leaf);
                page
            }
            Slot::Child { version, .. } => self.replace(&id, version)?,
        };
        self.fill(&id, &mut page, leaves)?;
        let hash = page.hash(&id).expect("the page has at least one key");
        self.batch.put::<Pages>(&(id, self.version), &page);
        Ok(Slot::Child {
            hash,
            version: self.version,
        })
    }
}

/// Every key below the root page at `version`, ascending, with the pages read on the way.
///
/// # Errors
/// The store's.
pub fn walk(
    map: MapView<'_>,
    visit: &mut dyn FnMut(&PageId, u64, &Page) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let Some(version) = map.version() else {
        return Ok(());
    };
    let mut pending = vec![(PageId::ROOT, version)];
    while let Some((id, version)) = pending.pop() {
        let page = map.page(&id, version)?;
        visit(&id, version, &page)?;
        for nibble in (0..SLOTS).rev() {
            if let Some(Slot::Child { version, .. }) = page.slots.get(nibble) {
                let nibble = u8::try_from(nibble).expect("a nibble is below 16");
                let child = id
                    .child(nibble)
                    .ok_or_else(|| bad_page(&id, *version, "a page below the last nibble"))?;
                pending.push((child, *version));
            }
        }
    }
    Ok(())
}
