//! The map of an epoch, made from the records on disk.
//!
//! Records lie in the order in which they were written, so that nothing is ever rewritten to put
//! it into another; here they come together by their keys. One thread reads, another hashes and
//! sorts. What waits for the map goes back to the system while the map grows, so both together are
//! not more than the map; beyond it there is what waits between the threads.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use zhao_spec::wire::{Hash, sha256};

use super::heap::Heap;
use super::node::{MapLeaf, Node};
use super::{StatusMap, node};
use crate::store::layout::{Family, Records, Table as _};
use crate::store::{Entry, Read, StoreError, decode};

/// Records read at once.
const CHUNK: usize = 2_048;
/// Chunks that may wait for the hashing thread.
const WAITING: usize = 8;
/// Heaps of leaves, by the second byte of the key: the first says what kind of subject it is.
const HEAPS: usize = 256;

/// The map whose leaves are the newest records of epochs up to and including `epoch`.
///
/// Nothing is known about the result but that these records are on disk: compare its root.
///
/// # Errors
/// The store's.
pub fn load(store: &dyn Read, epoch: u64) -> Result<StatusMap, StoreError> {
    // Every later one is of another epoch.
    let end = Records::encode_key(&(epoch.saturating_add(1), Hash([0; 32])));
    let (send, receive) = sync_channel::<Vec<Entry>>(WAITING);
    thread::scope(|scope| {
        let build = scope.spawn(move || collect(&receive));
        let mut from: Vec<u8> = Vec::new();
        let read = loop {
            let entries = match store.scan(Family::Records, &from, &end, CHUNK) {
                Ok(entries) => entries,
                Err(error) => break Err(error),
            };
            let Some((last, _)) = entries.last() else {
                break Ok(());
            };
            from = [last.as_slice(), &[0]].concat();
            // It takes no more only when it has failed, and then it says why.
            if send.send(entries).is_err() {
                break Ok(());
            }
        };
        drop(send);
        let built = build
            .join()
            .map_err(|_| StoreError::Engine("the hashing thread stopped".to_owned()))?;
        read.and(built)
    })
}

/// Builds the map of the records that come in, epochs ascending.
fn collect(entries: &Receiver<Vec<Entry>>) -> Result<StatusMap, StoreError> {
    let mut heaps: Vec<Heap> = Vec::new();
    heaps.resize_with(HEAPS, Heap::default);
    for chunk in entries {
        for entry in chunk {
            let ((version, key), bytes) = decode::<Records>(&entry)?;
            let Hash([_, second, ..]) = key;
            if let Some(heap) = heaps.get_mut(usize::from(second)) {
                heap.add(&MapLeaf {
                    key,
                    record: sha256(&[&bytes]),
                    version: short_version(version)?,
                })?;
            }
        }
    }
    let mut building = Building::default();
    for mut heap in heaps {
        building.add(&heap.take());
    }
    Ok(building.finish())
}

/// Runs of leaves that agree in their first two bytes become subtrees.
#[derive(Default)]
struct Building {
    /// Finished: first two bytes, subtree below the first four nibbles.
    done: Vec<([u8; 2], Node, Hash)>,
    count: u64,
}

fn head(key: &Hash) -> [u8; 2] {
    let [a, b, ..] = key.0;
    [a, b]
}

impl Building {
    /// Takes leaves, keys ascending; no other call brings keys with the same first two bytes.
    fn add(&mut self, leaves: &[MapLeaf]) {
        for run in leaves.chunk_by(|a, b| head(&a.key) == head(&b.key)) {
            let Some(first) = run.first() else {
                continue;
            };
            let (node, hash) = Node::build(run, node::RUN_LEVEL);
            let count = u64::try_from(run.len()).unwrap_or(0);
            self.count = self.count.saturating_add(count);
            self.done.push((head(&first.key), node, hash));
        }
    }

    fn finish(mut self) -> StatusMap {
        self.done.sort_unstable_by_key(|(head, ..)| *head);
        if self.count < node::SMALL {
            // Few leaves: the shape that updates would have made.
            let mut leaves = Vec::new();
            for (_, node, _) in &self.done {
                node.each(&mut |leaf| leaves.push(*leaf));
            }
            return StatusMap::of(&leaves);
        }
        StatusMap {
            top: node::join(self.done),
            count: self.count,
        }
    }
}

/// An epoch as the map in memory counts it.
///
/// # Errors
/// Beyond 2^32 − 1.
pub fn short_version(version: u64) -> Result<u32, StoreError> {
    u32::try_from(version).map_err(|_| {
        StoreError::Engine(format!("epoch {version} is beyond what the map can count"))
    })
}
