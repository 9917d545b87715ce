//! Evidence about a whole batch: every leaf between two epochs, replayed on the map before them.

use zhao_spec::file::{Batch, RawLeaf};
use zhao_spec::life::apply::{ApplyError, apply};
use zhao_spec::life::leaf::{Epoch, Leaf};
use zhao_spec::life::record::Record;
use zhao_spec::log::tree::{LeafIndex, check_inclusion, leaf_hash};
use zhao_spec::map::Partial;
use zhao_spec::wire::{Hash, UnixMillis};

use super::{Fails, Shown, demand, own_head};
use crate::Context;
use crate::reason::words;

/// What replaying the entries before the closing epoch leaf gives.
enum Replayed {
    /// All were admitted; the writes in order, and how many subjects are new.
    Admitted {
        writes: Vec<(Hash, Record)>,
        created: u64,
    },
    /// One must not be in the log.
    Refused,
}

/// Some leaf of the batch must not be there.
pub(super) fn inadmissible(own: &Batch, context: &Context<'_>) -> Result<(), Fails> {
    let (previous, leaves) = read(own, context)?;
    if leaves
        .iter()
        .any(|(_, leaf)| matches!(leaf, None | Some(Leaf::Genesis(_))))
    {
        return Ok(());
    }
    match replay(own, &previous, leaves)?.0 {
        Replayed::Refused => Ok(()),
        Replayed::Admitted { .. } => Err("every leaf is admissible".to_owned()),
    }
}

/// Every leaf may be there, and the closing epoch leaf does not say what follows from them.
pub(super) fn wrong_transition(own: &Batch, context: &Context<'_>) -> Result<(), Fails> {
    let (previous, leaves) = read(own, context)?;
    let (replayed, closing) = replay(own, &previous, leaves)?;
    let Replayed::Admitted { writes, created } = replayed else {
        return Err("a leaf is inadmissible, which is another claim".to_owned());
    };
    let hashes: Vec<Option<Hash>> = own
        .subjects
        .iter()
        .map(|place| place.record.as_ref().map(Record::hash))
        .collect();
    let paths: Vec<_> = own
        .subjects
        .iter()
        .zip(&hashes)
        .map(|(place, hash)| (place.subject, *hash, &place.path))
        .collect();
    let mut map = Partial::from_paths(&previous.map_root, &paths).map_err(|error| words(&error))?;
    let changes: Vec<_> = writes
        .iter()
        .map(|(key, record)| (*key, record.hash()))
        .collect();
    let map_root = map.apply(&changes).map_err(|error| words(&error))?;
    let index = own
        .entries
        .last()
        .map_or(previous.index, |entry| entry.index);
    let right = closing.map_root == map_root
        && Some(closing.subjects) == previous.subjects.checked_add(created)
        && Some(closing.epoch) == previous.epoch.checked_add(1)
        && closing.previous == Some(previous.index)
        && closing.index == index
        && closing.time > previous.time;
    demand(!right, "the epoch leaf follows from the leaves before it")
}

/// The leaves of a batch with their indexes; none for bytes that are no leaf.
type Leaves = Vec<(LeafIndex, Option<Leaf>)>;

/// The epoch leaf before the batch, and the batch's leaves. All are in the log, without a gap.
fn read(own: &Batch, context: &Context<'_>) -> Result<(Epoch, Leaves), Fails> {
    own_head(&own.head, context)?;
    included(own, &own.previous)?;
    let Ok(Leaf::Epoch(previous)) = Leaf::parse(&own.previous.leaf) else {
        return Err("previous is no epoch leaf".to_owned());
    };
    // A log that lies about where its epoch leaf stands is caught by the transition to it.
    demand(
        previous.index == own.previous.index,
        "previous states another index than its own",
    )?;
    let mut before = own.previous.index;
    let mut leaves = Leaves::new();
    for entry in &own.entries {
        included(own, entry)?;
        demand(
            before.0.checked_add(1) == Some(entry.index.0),
            "an entry is left out",
        )?;
        before = entry.index;
        leaves.push((entry.index, Leaf::parse(&entry.leaf).ok()));
    }
    Ok((previous, leaves))
}

fn included(own: &Batch, leaf: &RawLeaf) -> Result<(), Fails> {
    let checkpoint = own.head.checkpoint();
    let hash = leaf_hash(&leaf.leaf);
    check_inclusion(
        leaf.index,
        checkpoint.size,
        &hash,
        &leaf.path,
        &checkpoint.root,
    )
    .map_err(|error| format!("entry {}: {error}", leaf.index))
}

/// Applies the events between the two epoch leaves.
fn replay(own: &Batch, previous: &Epoch, mut leaves: Leaves) -> Result<(Replayed, Epoch), Fails> {
    let Some((_, Some(Leaf::Epoch(closing)))) = leaves.pop() else {
        return Err("the last entry is no epoch leaf".to_owned());
    };
    let mut shown = Shown::under(&previous.map_root, &own.subjects)?;
    let mut all = Vec::new();
    let mut created: u64 = 0;
    for (index, leaf) in leaves {
        let Some(Leaf::Event(event)) = leaf else {
            return Err("an entry before the last is no event".to_owned());
        };
        match writes(&shown, *event, index, closing.time)? {
            None => return Ok((Replayed::Refused, closing)),
            Some(writes) => {
                for (key, record) in writes {
                    let before = shown.0.insert(key, Some(record.clone().into()));
                    match before {
                        None => return Err(format!("subject {key} is not shown")),
                        Some(None) => created = created.saturating_add(1),
                        Some(Some(_)) => {}
                    }
                    all.push((key, record));
                }
            }
        }
    }
    Ok((
        Replayed::Admitted {
            writes: all,
            created,
        },
        closing,
    ))
}

/// What one event writes; none when it is refused.
fn writes(
    shown: &Shown,
    event: zhao_spec::life::event::Event,
    index: LeafIndex,
    recorded: UnixMillis,
) -> Result<Option<Vec<(Hash, Record)>>, Fails> {
    let Ok(event) = event.verify_signatures() else {
        return Ok(None);
    };
    match apply(shown, &event, index, recorded) {
        Ok(writes) => Ok(Some(writes)),
        Err(ApplyError::Refused(_)) => Ok(None),
        Err(ApplyError::View(fault)) => Err(words(&fault)),
    }
}
