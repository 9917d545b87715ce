//! Appending to the log alone, beside the frontier floor and the peers.

use std::collections::HashMap;
use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use zhao_ledger::store::rocks::Rocks;
use zhao_ledger::store::{Entry, Family, Read, Store as _, StoreError, WriteBatch};
use zhao_ledger::tree::{append, stage};
use zhao_spec::log::tree::{Frontier, leaf_hash};
use zhao_spec::wire::Hash;

use crate::figure::Figure;
use crate::machine::LEAF_BYTES;
use crate::peers::logs::{AppendLog, CtMerkle, RsMerkle, Tiles};
use crate::progress::{bar, done};
use crate::statistics::{SLICES, median, per_second};
use crate::workload::BATCH;

/// rs_merkle computes every layer anew at each root: more leaves would take hours.
const SMALL: usize = 20_000;

/// The least that must be done: one push a leaf, one root a batch.
struct Floor(Frontier);

impl AppendLog for Floor {
    fn append(&mut self, leaves: &[Vec<u8>]) -> Result<[u8; 32]> {
        for leaf in leaves {
            self.0.push(leaf_hash(leaf))?;
        }
        Ok(self.0.root().0)
    }
}

/// Tiles in memory, as a store that is only read.
#[derive(Default)]
struct InMemory(HashMap<Vec<u8>, Vec<u8>>);

impl Read for InMemory {
    fn get(&self, _: Family, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.get(key).cloned())
    }

    fn scan(&self, _: Family, _: &[u8], _: &[u8], _: usize) -> Result<Vec<Entry>, StoreError> {
        Err(StoreError::Engine("appending scans nothing".to_owned()))
    }

    fn last(&self, _: Family) -> Result<Option<Entry>, StoreError> {
        Err(StoreError::Engine("appending looks for no end".to_owned()))
    }
}

/// Our log: frontier, and tiles from which every earlier size stays provable.
#[derive(Default)]
struct Own {
    frontier: Frontier,
    tiles: InMemory,
}

impl AppendLog for Own {
    fn append(&mut self, leaves: &[Vec<u8>]) -> Result<[u8; 32]> {
        let batch = staged(&self.tiles, &mut self.frontier, leaves)?;
        for (_, key, value) in batch.into_writes() {
            self.tiles.0.insert(key, value.unwrap_or_default());
        }
        Ok(self.frontier.root().0)
    }
}

/// The same with each batch synced to RocksDB.
struct Synced {
    frontier: Frontier,
    store: Rocks,
}

impl AppendLog for Synced {
    fn append(&mut self, leaves: &[Vec<u8>]) -> Result<[u8; 32]> {
        let batch = staged(&self.store, &mut self.frontier, leaves)?;
        self.store.write(batch)?;
        Ok(self.frontier.root().0)
    }
}

fn staged(store: &dyn Read, frontier: &mut Frontier, leaves: &[Vec<u8>]) -> Result<WriteBatch> {
    let hashes: Vec<Hash> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
    let tiles = append(store, frontier, &hashes)?;
    let mut batch = WriteBatch::new();
    stage(&mut batch, &tiles);
    Ok(batch)
}

/// Leaves a second while `count` leaves are appended in batches, the median of five parts; and the
/// root after them.
fn measure(log: &mut dyn AppendLog, name: &str, count: usize) -> Result<(f64, [u8; 32])> {
    let progress = bar(u64::try_from(count)?, name);
    let mut leaves = vec![vec![0; LEAF_BYTES]; BATCH];
    let (mut rates, mut root) = (Vec::new(), [0; 32]);
    let batches = count.div_ceil(BATCH);
    let part = batches.div_ceil(SLICES);
    let mut batch = 0;
    while batch < batches {
        let last = (batch + part).min(batches);
        let (mut start, first) = (Instant::now(), batch);
        let mut outside = std::time::Duration::ZERO;
        while batch < last {
            // Making leaves is not appending them.
            let making = Instant::now();
            for (at, leaf) in leaves.iter_mut().enumerate() {
                let n = (batch * BATCH + at).to_be_bytes();
                leaf[..n.len()].copy_from_slice(&n);
            }
            outside += making.elapsed();
            root = log.append(&leaves)?;
            batch += 1;
        }
        start += outside;
        rates.push(per_second((last - first) * BATCH, start.elapsed()));
        progress.inc(u64::try_from((last - first) * BATCH)?);
    }
    done(&progress);
    Ok((median(rates), root))
}

/// Measures floor, ours and the peers over `count` leaves.
pub(crate) fn figures(folder: &Path, count: usize) -> Result<Vec<Figure>> {
    let (floor, root) = measure(&mut Floor(Frontier::new()), "frontier", count)?;
    let (own, ours) = measure(&mut Own::default(), "our log", count)?;
    anyhow::ensure!(root == ours, "our log has another root than the frontier");
    let mut synced = Synced {
        frontier: Frontier::new(),
        store: Rocks::create(&folder.join("tiles"))?,
    };
    let (durable, _) = measure(&mut synced, "our log, synced", count)?;
    let mut figures = vec![
        Figure::new(
            "log-append",
            "log append with tiles, root per 1,000",
            "日志追加（含分块，每千条取根）",
            own,
            "/s",
        )
        .against("the frontier floor", floor)
        .at_least(0.5),
        Figure::new(
            "log-append-synced",
            "the same, each 1,000 synced to RocksDB",
            "同上，每千条同步落盘",
            durable,
            "/s",
        ),
        Figure::new(
            "log-floor",
            "frontier floor: push per leaf, root per 1,000",
            "前沿下限",
            floor,
            "/s",
        ),
    ];
    let mut peer = |log: &mut dyn AppendLog, name: &str, count, note: &str| -> Result<[u8; 32]> {
        let (rate, root) = measure(log, name, count)?;
        let id = format!("log-append-{name}");
        let (english, chinese) = (format!("log append, {name}"), format!("日志追加，{name}"));
        figures.push(Figure::new(&id, &english, &chinese, rate, "/s").note(note));
        Ok(root)
    };
    let same = "in memory";
    let theirs = peer(&mut Tiles::default(), "tlog_tiles", count, same)?;
    anyhow::ensure!(root == theirs, "tlog_tiles has another root");
    let theirs = peer(&mut CtMerkle::default(), "ct-merkle", count, same)?;
    anyhow::ensure!(root == theirs, "ct-merkle has another root");
    let small = "in memory, at 20,000 leaves only: quadratic";
    peer(
        &mut RsMerkle::default(),
        "rs_merkle",
        count.min(SMALL),
        small,
    )?;
    Ok(figures)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_logs_have_one_root() {
        let folder = tempfile::tempdir().expect("a folder");
        let figures = figures(folder.path(), 3_000).expect("the roots agree");
        assert_eq!(figures.len(), 6);
        assert!(figures.iter().all(|figure| figure.value.is_some()));
    }
}
