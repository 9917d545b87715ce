//! Dropping what no kept epoch needs: replaced records, after a retention.

use crate::store::layout::{Records, Replaced};
use crate::store::{self, Read, StoreError, WriteBatch};

/// Epochs of one pruning batch.
const BATCH: usize = 64;

/// A batch that drops the records that epochs up to and including `keep_from` replaced, so that the
/// maps of `keep_from` and later can still be made; and whether more is left for another call. The
/// caller keeps the published epoch, and as many before it as evidence may be asked for. The leaves
/// can rebuild everything dropped.
///
/// # Errors
/// The store's.
pub fn prune(store: &dyn Read, keep_from: u64) -> Result<(WriteBatch, bool), StoreError> {
    // What epoch e replaced was current in epoch e − 1 and is not in e.
    let entries = store::scan::<Replaced>(store, &0, &keep_from.saturating_add(1), BATCH)?;
    let more = entries.len() == BATCH;
    let mut batch = WriteBatch::new();
    for (epoch, replaced) in entries {
        for (key, version) in &replaced {
            batch.remove::<Records>(&(*version, *key));
        }
        batch.remove::<Replaced>(&epoch);
    }
    Ok((batch, more))
}
