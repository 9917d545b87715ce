//! Editions of the map in a place: their pages, each once, and then the checkpoint that names them.
//!
//! A page is put when every page below it is there. So whoever finds a page in the place finds
//! all of its subtree, and a run that knows nothing of earlier ones looks no further down than
//! where something is new. What a crash leaves is pages that no checkpoint names yet.

use std::collections::BTreeMap;

use zhao_spec::map::page::{Content, PageError, PageName};
use zhao_spec::wire::limits;

use super::upload::{UploadError, Uploaded, Uploader};
use crate::map::edition::Edition;
use crate::read::{ReadError, Reader};
use crate::store::StoreError;

/// Name of the newest edition's checkpoint.
const MAP_CHECKPOINT: &str = "map/checkpoint";

/// Pages to put, by how many must be there before: those of the last number first.
type Levels = BTreeMap<u8, Vec<PageName>>;

impl Uploader {
    /// Brings the map in the place to an edition, whose log is there already: see
    /// [`Uploader::upload`]. `step` is told how many pages of how many are there.
    ///
    /// # Errors
    /// As [`Uploader::upload`].
    pub fn upload_edition(
        &mut self,
        reader: &Reader,
        edition: &Edition,
        step: &(dyn Fn(u64, u64) + Sync),
    ) -> Result<Uploaded, UploadError> {
        let published = reader.published()?;
        let head = self.head(MAP_CHECKPOINT)?;
        let size = edition.size;
        if let Some((there, root, _)) = &head {
            self.check_head(&published, *there, *root)?;
            // By another process, or by this one.
            if *there >= size {
                let (size, objects) = (*there, 0);
                return Ok(Uploaded { size, objects });
            }
        }
        let levels = self.missing(edition)?;
        let total = levels.values().map(Vec::len).sum::<usize>();
        let total = u64::try_from(total).unwrap_or(u64::MAX);
        let mut objects = 0_u64;
        for names in levels.values().rev() {
            let count = u64::try_from(names.len()).unwrap_or(u64::MAX);
            let before = objects;
            let step = |done: u64, _| step(before.saturating_add(done), total);
            let mut made = names.iter().map(|name| {
                let page = edition.page(name).map_err(unmade)?.ok_or_else(gone)?;
                Ok((name.path(), page.encode()))
            });
            objects = objects.saturating_add(self.put_all(count, &step, &mut made)?);
        }
        let tag = head.map(|(_, _, tag)| tag);
        self.put_checkpoint(MAP_CHECKPOINT, &published, (size, &edition.note), tag)?;
        // Not before: what this process has not put to its end it looks for again.
        self.map = Some(edition.map.clone());
        Ok(Uploaded { size, objects })
    }

    /// Pages of an edition that the place has not, from the top down.
    fn missing(&self, edition: &Edition) -> Result<Levels, UploadError> {
        let mut levels = Levels::new();
        let mut open = vec![(0_u8, PageName::top(&edition.map.root()))];
        while let Some((above, name)) = open.pop() {
            if self.is_there(&name)? {
                continue;
            }
            let page = edition.page(&name).map_err(unmade)?.ok_or_else(gone)?;
            if let Content::Children(children) = page.content() {
                let below = above.saturating_add(1);
                open.extend(children.iter().map(|child| {
                    let (prefix, hash) = (child.prefix, child.hash);
                    (below, PageName { prefix, hash })
                }));
            }
            levels.entry(above).or_default().push(name);
        }
        Ok(levels)
    }

    fn is_there(&self, name: &PageName) -> Result<bool, UploadError> {
        match &self.map {
            Some(map) => Ok(map.has(name)),
            // The first edition of this process: what an earlier one put is in the place only.
            None => {
                let found = self.place.get(&name.path(), limits::MAP_PAGE_BYTES)?;
                Ok(found.is_some())
            }
        }
    }
}

/// What a map holds makes pages: a bug if not.
fn unmade(error: PageError) -> UploadError {
    ReadError::Store(StoreError::Engine(error.to_string())).into()
}

fn gone() -> UploadError {
    ReadError::Absent { what: "page" }.into()
}
