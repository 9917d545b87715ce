//! Dropping what no kept epoch needs: replaced pages and records, after a retention.

use crate::store::layout::{Old, Pages, Records, Stale};
use crate::store::{self, Read, StoreError, Table as _, WriteBatch};

/// Entries of one pruning batch.
const BATCH: usize = 4_096;

/// A batch that drops what epochs up to and including `keep_from` replaced, so that the maps of
/// `keep_from` and later stay readable; and whether more is left for another call. The caller keeps
/// the published epoch, and as many before it as evidence may be asked for. The leaves can rebuild
/// everything dropped.
///
/// # Errors
/// The store's.
pub fn prune(store: &dyn Read, keep_from: u64) -> Result<(WriteBatch, bool), StoreError> {
    // What epoch e replaced was current in epoch e − 1 and is not in e.
    let to = keep_from.saturating_add(1).to_be_bytes();
    let entries = store.scan(Stale::FAMILY, &[], &to, BATCH)?;
    let more = entries.len() == BATCH;
    let mut batch = WriteBatch::new();
    for entry in entries {
        let (stale, ()) = store::decode::<Stale>(&entry)?;
        match &stale.old {
            Old::Page(id, version) => batch.remove::<Pages>(&(id.clone(), *version)),
            Old::Record(key, version) => batch.remove::<Records>(&(*key, *version)),
        }
        batch.remove::<Stale>(&stale);
    }
    Ok((batch, more))
}
