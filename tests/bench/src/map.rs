//! Map updates alone, ours beside the peers: the same keys, the same batches, each batch synced.

use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;
use zhao_ledger::map::{MapLeaf, StatusMap};
use zhao_ledger::store::layout::{Records, Replaced};
use zhao_ledger::store::rocks::Rocks;
use zhao_ledger::store::{Store as _, WriteBatch};
use zhao_spec::map::record_hash;
use zhao_spec::wire::{Hash, sha256};

use crate::figure::Figure;
use crate::peers::maps::{InMemory, Jmt, OwnFiles, UpdateMap};
use crate::progress::{bar, done};
use crate::statistics::{SLICES, float, mean, median, per_second};
use crate::workload::BATCH;

/// Keys of a batch while the map is filled.
const FILL: u64 = 10_000;
/// Keys of a map that is not durable and needs kilobytes of memory a key.
const SMALL: u64 = 100_000;
/// Keys whose proofs are measured.
const PROOFS: u64 = 500;

/// Our map over its own store: records and the list of replaced ones are written, the map is in
/// memory. Log and life cycle are left out.
struct Own {
    store: Rocks,
    map: StatusMap,
    epoch: u32,
}

impl Own {
    fn create(folder: &Path) -> Result<Self> {
        Ok(Self {
            store: Rocks::create(folder)?,
            map: StatusMap::new(),
            epoch: 0,
        })
    }
}

impl UpdateMap for Own {
    fn update(&mut self, writes: &[(Hash, Hash)]) -> Result<()> {
        let (version, number) = (self.epoch, u64::from(self.epoch));
        let mut batch = WriteBatch::new();
        let mut changes = Vec::with_capacity(writes.len());
        for (key, value) in writes {
            let record = record_hash(&value.0);
            changes.push(MapLeaf {
                key: *key,
                record,
                version,
            });
            batch.put::<Records>(&(number, *key), &value.0.to_vec());
        }
        let updated = self.map.update(&changes);
        let old = |leaf: &MapLeaf| (leaf.key, u64::from(leaf.version));
        batch.put::<Replaced>(&number, &updated.replaced.iter().map(old).collect());
        self.store.write(batch)?;
        self.map = updated.map;
        self.epoch += 1;
        Ok(())
    }

    fn proof_bytes(&mut self, key: &Hash) -> Result<usize> {
        let path = self.map.find(key).path(key);
        Ok(path.hashes.len() * 32 + path.depths.len())
    }
}

/// What one map showed.
struct Shown {
    updates: f64,
    proof: f64,
    fill: f64,
}

fn key(n: u64) -> Hash {
    sha256(&[b"bench key", &n.to_be_bytes()])
}

/// Fills a map with `keys` keys and measures updates of keys drawn at random from all.
fn measure(
    map: &mut dyn UpdateMap,
    name: &str,
    keys: u64,
    batches: usize,
    seed: u64,
) -> Result<Shown> {
    let progress = bar(keys, name);
    let start = Instant::now();
    let mut first = 0;
    while first < keys {
        let last = (first + FILL).min(keys);
        let mut writes: Vec<(Hash, Hash)> = (first..last).map(|n| (key(n), key(n))).collect();
        writes.sort_unstable();
        map.update(&writes)?;
        progress.inc(last - first);
        first = last;
    }
    let fill = per_second(usize::try_from(keys)?, start.elapsed());
    done(&progress);
    let mut generator = ChaCha20Rng::seed_from_u64(seed);
    let mut rates = Vec::new();
    for slice in 0..SLICES {
        let prepared: Vec<Vec<(Hash, Hash)>> = (0..batches)
            .map(|batch| {
                let mut keys: Vec<u64> = (0..BATCH)
                    .map(|_| generator.random_range(0..keys))
                    .collect();
                keys.sort_unstable();
                keys.dedup();
                let value = sha256(&[&slice.to_be_bytes(), &batch.to_be_bytes()]);
                let mut writes: Vec<(Hash, Hash)> = keys.iter().map(|n| (key(*n), value)).collect();
                writes.sort_unstable();
                writes
            })
            .collect();
        let count = prepared.iter().map(Vec::len).sum();
        let start = Instant::now();
        for writes in &prepared {
            map.update(writes)?;
        }
        rates.push(per_second(count, start.elapsed()));
    }
    let mut bytes = Vec::new();
    for _ in 0..PROOFS {
        bytes.push(float(
            map.proof_bytes(&key(generator.random_range(0..keys)))?,
        ));
    }
    Ok(Shown {
        updates: median(rates),
        proof: mean(&bytes),
        fill,
    })
}

type Open = fn(&Path) -> Result<Box<dyn UpdateMap>>;

/// One of the peers.
struct Peer {
    name: &'static str,
    how: &'static str,
    durable: bool,
    /// Most keys it is measured with.
    most: u64,
    open: Open,
}

const PEERS: [Peer; 3] = [
    Peer {
        name: "jmt",
        how: "RocksDB, each batch synced",
        durable: true,
        most: u64::MAX,
        open: |folder| Ok(Box::new(Jmt::create(folder)?)),
    },
    Peer {
        name: "nomt",
        how: "own files, each batch synced",
        durable: true,
        most: u64::MAX,
        open: |folder| Ok(Box::new(OwnFiles::create(folder)?)),
    },
    Peer {
        name: "sparse-merkle-tree",
        how: "in memory, not durable, at most 100,000 keys",
        durable: false,
        most: SMALL,
        open: |_| Ok(Box::new(InMemory::default())),
    },
];

/// Measures ours and the peers.
pub(crate) fn figures(folder: &Path, keys: u64, batches: usize, seed: u64) -> Result<Vec<Figure>> {
    let mut own = Own::create(&folder.join("map"))?;
    let ours = measure(&mut own, "our map", keys, batches, seed)?;
    drop(own);
    remove(&folder.join("map"))?;
    let mut figures = Vec::new();
    let mut best = f64::NAN;
    for peer in PEERS {
        let name = peer.name;
        let id = format!("map-updates-{name}");
        let english = format!("map updates, {name}");
        let chinese = format!("状态树更新，{name}");
        let (place, keys) = (folder.join(name), keys.min(peer.most));
        let shown =
            (peer.open)(&place).and_then(|mut map| measure(&mut *map, name, keys, batches, seed));
        match shown {
            Err(error) => {
                let why = format!("{error:#}");
                figures.push(Figure::not_run(&id, &english, &chinese, &why));
            }
            Ok(shown) => {
                if peer.durable {
                    best = best.max(shown.updates);
                }
                let updates = Figure::new(&id, &english, &chinese, shown.updates, "/s");
                figures.push(updates.note(peer.how));
                let id = format!("map-proof-{name}");
                let english = format!("map proof, {name}");
                let chinese = format!("状态树证明，{name}");
                figures.push(Figure::new(&id, &english, &chinese, shown.proof, "B"));
            }
        }
        remove(&place)?;
    }
    let mut all = vec![
        Figure::new(
            "map-updates",
            "map updates, durable, batches of 1,000",
            "状态树更新（落盘，每批 1000）",
            ours.updates,
            "/s",
        )
        .against("the better of jmt and nomt", best)
        .at_least(3.0),
        Figure::new(
            "map-fill",
            "filling the map, batches of 10,000",
            "状态树初建，每批 10000",
            ours.fill,
            "/s",
        ),
        Figure::new(
            "map-proof-alone",
            "map proof of this map, average",
            "该状态树的证明，平均",
            ours.proof,
            "B",
        )
        .at_most(760.0),
    ];
    all.append(&mut figures);
    Ok(all)
}

/// Frees the disk for the next part.
fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_map_takes_updates_and_proves_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let all: [(&str, Open); 2] = [
            ("own", |folder| Ok(Box::new(Own::create(folder)?))),
            ("jmt", |folder| Ok(Box::new(Jmt::create(folder)?))),
        ];
        for (name, open) in all {
            let mut map = open(&folder.path().join(name)).expect("it opens");
            let shown = measure(&mut *map, name, 2_000, 1, 1).expect("it measures");
            assert!(shown.updates > 0.0 && shown.proof > 9.0 * 32.0, "{name}");
            assert!(
                map.proof_bytes(&key(2_001)).is_ok() == (name == "own"),
                "{name}"
            );
        }
    }
}
