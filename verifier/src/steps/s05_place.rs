//! Step 5: the record is in the map, and the map is the one of the log's last leaf.

use zhao_spec::file::Head;
use zhao_spec::log::tree::check_inclusion;
use zhao_spec::map::{MapPath, check_present};
use zhao_spec::wire::Hash;

use super::Whose;
use crate::check::{Check, Stop, ensure};
use crate::reason::{Reason, words};

/// A record is at its key in the head's map.
pub(crate) fn record(
    check: Check,
    head: &Head,
    key: &Hash,
    record_hash: &Hash,
    path: &MapPath,
    reason: impl FnOnce(String) -> Reason,
) -> Result<(), Stop> {
    let placed = check_present(&head.epoch.map_root, key, record_hash, path);
    ensure(check, placed.is_ok(), || {
        reason(placed.err().map_or_else(String::new, |error| words(&error)))
    })
}

/// The epoch leaf is the last leaf of its checkpoint's tree, so no stale map goes with a fresh
/// checkpoint.
pub(crate) fn epoch(whose: Whose, head: &Head) -> Result<(), Stop> {
    let size = head.checkpoint().size;
    let (epoch, proof) = (head.epoch.index, head.proof.index());
    let last = epoch == proof && size.0.checked_sub(1) == Some(epoch.0);
    whose.ensure(Check::EpochNotLast, last, || Reason::EpochNotLast {
        epoch,
        proof,
        size,
    })?;
    let root = &head.checkpoint().root;
    let included = check_inclusion(
        epoch,
        size,
        &head.epoch.leaf_hash(),
        head.proof.path(),
        root,
    );
    whose.ensure(Check::EpochNotInLog, included.is_ok(), || {
        Reason::EpochNotInLog {
            problem: included
                .err()
                .map_or_else(String::new, |error| words(&error)),
        }
    })
}
