//! The map of an epoch, made from the records on disk.
//!
//! One thread reads, another hashes. Memory beyond the map's own is one run of keys that share
//! their first two bytes, and what waits between the threads.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use zhao_spec::wire::{Hash, sha256};

use super::node::{MapLeaf, Node};
use super::{StatusMap, node};
use crate::store::layout::{Family, Records};
use crate::store::{Entry, Read, StoreError, decode};

/// Records read at once.
const CHUNK: usize = 2_048;
/// Chunks that may wait for the hashing thread.
const WAITING: usize = 8;
/// Past every key.
const END: [u8; 41] = [0xff; 41];

/// The map whose leaves are the newest records of epochs up to and including `epoch`.
///
/// Nothing is known about the result but that these records are on disk: compare its root.
///
/// # Errors
/// The store's.
pub fn load(store: &dyn Read, epoch: u64) -> Result<StatusMap, StoreError> {
    let (send, receive) = sync_channel::<Vec<Entry>>(WAITING);
    thread::scope(|scope| {
        let build = scope.spawn(move || collect(&receive, epoch));
        let mut from: Vec<u8> = Vec::new();
        let read = loop {
            let entries = match store.scan(Family::Records, &from, &END, CHUNK) {
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

/// Builds the map while records come in, keys ascending and versions of a key ascending.
fn collect(entries: &Receiver<Vec<Entry>>, epoch: u64) -> Result<StatusMap, StoreError> {
    let mut building = Building::default();
    for chunk in entries {
        for entry in chunk {
            let ((key, version), bytes) = decode::<Records>(&entry)?;
            if version <= epoch {
                building.add(key, version, &bytes)?;
            }
        }
    }
    Ok(building.finish())
}

/// Runs of leaves that agree in their first two bytes become subtrees as soon as they end.
#[derive(Default)]
struct Building {
    run: Vec<MapLeaf>,
    /// Finished: first two bytes, subtree below the first four nibbles.
    done: Vec<([u8; 2], Node, Hash)>,
    /// All leaves, while there are few.
    count: u64,
}

fn head(key: &Hash) -> [u8; 2] {
    let [a, b, ..] = key.0;
    [a, b]
}

impl Building {
    fn add(&mut self, key: Hash, version: u64, bytes: &[u8]) -> Result<(), StoreError> {
        let leaf = MapLeaf {
            key,
            record: sha256(&[bytes]),
            version: short_version(version)?,
        };
        match self.run.last_mut() {
            // A later version of the same key.
            Some(last) if last.key == key => *last = leaf,
            Some(last) if head(&last.key) != head(&key) => {
                self.end_run();
                self.run.push(leaf);
            }
            _ => self.run.push(leaf),
        }
        Ok(())
    }

    fn end_run(&mut self) {
        let Some(first) = self.run.first() else {
            return;
        };
        let (node, hash) = Node::build(&self.run, node::RUN_LEVEL);
        self.count = self
            .count
            .saturating_add(u64::try_from(self.run.len()).unwrap_or(0));
        self.done.push((head(&first.key), node, hash));
        self.run.clear();
    }

    fn finish(mut self) -> StatusMap {
        if self.done.is_empty() || self.count < node::SMALL {
            // Few leaves: the shape that updates would have made.
            let mut leaves = Vec::new();
            for (_, node, _) in &self.done {
                node.each(&mut |leaf| leaves.push(*leaf));
            }
            leaves.append(&mut self.run);
            return StatusMap::of(&leaves);
        }
        self.end_run();
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
