//! The events of a distant log, one after the other.

use zhao_spec::life::event::Event;
use zhao_spec::life::leaf::Leaf;
use zhao_spec::log::checkpoint::Checkpoint;
use zhao_spec::log::tree::{LeafIndex, check_inclusion, leaf_hash, prove_inclusion};
use zhao_spec::wire::UnixMillis;

use crate::distant::{Distant, DistantError, DistantTree};

/// An event with its place.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Its leaf.
    pub(super) index: u64,
    /// When it was recorded: the time of the epoch that closes after it.
    pub(super) recorded: UnixMillis,
    /// What it says.
    pub(super) event: Event,
}

/// Why entries cannot be shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum EntriesError {
    /// They cannot be had.
    #[error("{0}")]
    Distant(#[from] DistantError),
    /// A leaf is not the one that the head covers.
    #[error("leaf {index} is not the one under the head: {problem}")]
    NotIncluded {
        /// Which.
        index: u64,
        /// Why not.
        problem: String,
    },
    /// A leaf is none of ours.
    #[error("leaf {index}: {problem}")]
    Leaf {
        /// Which.
        index: u64,
        /// What is wrong with it.
        problem: String,
    },
}

/// Every event from leaf `from` on under `checkpoint`, in order. With `proved`, each leaf must be
/// included under the checkpoint's root.
///
/// # Errors
/// See [`EntriesError`]; events before the trouble were handed out.
pub(super) fn each(
    distant: &Distant,
    checkpoint: &Checkpoint,
    from: u64,
    proved: bool,
    take: &mut dyn FnMut(Entry) -> bool,
) -> Result<(), EntriesError> {
    let (size, root) = (checkpoint.size, checkpoint.root);
    let tree = DistantTree::new(distant, size);
    let mut waiting: Vec<(u64, Event)> = Vec::new();
    let mut next = from;
    while next < size.0 {
        let (first, leaves) = distant.bundle(LeafIndex(next), size)?;
        let skip = usize::try_from(next.saturating_sub(first)).unwrap_or(usize::MAX);
        let before = next;
        for leaf in leaves.into_iter().skip(skip) {
            let index = next;
            if proved {
                let at = LeafIndex(index);
                let path = prove_inclusion(at, size, &tree);
                let problem = match path {
                    Ok(path) => check_inclusion(at, size, &leaf_hash(&leaf), &path, &root)
                        .err()
                        .map(|error| error.to_string()),
                    Err(error) => Some(error.to_string()),
                };
                if let Some(problem) = problem {
                    return Err(EntriesError::NotIncluded { index, problem });
                }
            }
            match Leaf::parse(&leaf) {
                Ok(Leaf::Event(event)) => waiting.push((index, *event)),
                Ok(Leaf::Epoch(epoch)) => {
                    for (index, event) in waiting.drain(..) {
                        let recorded = epoch.time;
                        let entry = Entry {
                            index,
                            recorded,
                            event,
                        };
                        if !take(entry) {
                            return Ok(());
                        }
                    }
                }
                Ok(Leaf::Genesis(_)) => {}
                Err(error) => {
                    let problem = error.to_string();
                    return Err(EntriesError::Leaf { index, problem });
                }
            }
            next = next.saturating_add(1);
        }
        if next == before {
            let problem = "its bundle is empty".to_owned();
            return Err(EntriesError::Leaf {
                index: next,
                problem,
            });
        }
    }
    Ok(())
}
