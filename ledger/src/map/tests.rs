//! The map of pages and buckets against the trie of the spec.

use std::collections::BTreeMap;

use zhao_spec::map::{EMPTY_ROOT, MemoryMap, Opened, OpenedError, Part, check};
use zhao_spec::wire::{Hash, sha256};

use super::load::{load, short_version};
use super::prune::prune;
use super::{MapLeaf, Maps, StatusMap};
use crate::store::layout::{Family, Records, Replaced};
use crate::store::memory::{Memory, MemoryStore};
use crate::store::{Store, StoreError, WriteBatch};

fn key(n: u64) -> Hash {
    sha256(&[&n.to_be_bytes()])
}

fn leaf(key: Hash, version: u32) -> MapLeaf {
    let record = sha256(&[b"record", &key.0, &version.to_be_bytes()]);
    MapLeaf {
        key,
        record,
        version,
    }
}

fn changes(keys: &[Hash], version: u32) -> Vec<MapLeaf> {
    let leaves: BTreeMap<Hash, MapLeaf> =
        keys.iter().map(|key| (*key, leaf(*key, version))).collect();
    leaves.into_values().collect()
}

/// Keys that agree with each other in up to 255 bits.
fn close_keys() -> Vec<Hash> {
    let mut keys = vec![Hash([0x5a; 32])];
    for place in [0, 1, 7, 15, 16, 31] {
        for bits in 1..=255_u8 {
            let mut bytes = [0x5a; 32];
            bytes[place] ^= bits;
            keys.push(Hash(bytes));
        }
    }
    keys
}

/// Puts keys in batches into map and model, and compares after each.
fn grow(batches: &[Vec<Hash>]) -> (Vec<(StatusMap, MemoryMap)>, MemoryMap) {
    let (mut map, mut model) = (StatusMap::new(), MemoryMap::new());
    let mut history = Vec::new();
    for (version, keys) in (0_u32..).zip(batches) {
        let changes = changes(keys, version);
        let known: Vec<MapLeaf> = changes.iter().filter_map(|new| map.get(&new.key)).collect();
        let updated = map.update(&changes);
        assert_eq!(updated.replaced, known);
        for change in &changes {
            model.insert(&change.key, &change.record);
        }
        map = updated.map;
        assert_eq!(map.root(), model.root());
        assert_eq!(map.count(), model.len() as u64);
        history.push((map.clone(), model.clone()));
    }
    (history, model)
}

fn assert_proves(map: &StatusMap, model: &MemoryMap, key: &Hash) {
    let found = map.find(key);
    let (expected, path) = model.prove(key);
    assert_eq!(found.of(key).map(|leaf| leaf.record), expected);
    assert_eq!(map.get(key).map(|leaf| leaf.record), expected);
    assert_eq!(found.path(key), path);
    check(&map.root(), key, expected.as_ref(), &path).unwrap();
}

#[test]
fn every_epoch_stays_as_it_was() {
    let batches: Vec<Vec<Hash>> = (0..24_u64)
        .map(|epoch| {
            (0..epoch * 90)
                .filter(|n| (n + epoch) % 3 == 0)
                .map(key)
                .collect()
        })
        .collect();
    let (history, _) = grow(&batches);
    for (map, model) in history {
        assert_eq!(map.root(), model.root());
        for n in 0..400 {
            assert_proves(&map, &model, &key(n));
        }
    }
}

#[test]
fn keys_that_agree_in_many_bits() {
    let keys = close_keys();
    let batches: Vec<Vec<Hash>> = keys.chunks(7).map(<[Hash]>::to_vec).collect();
    let (history, _) = grow(&batches);
    let (map, model) = history.last().unwrap();
    for key in &keys {
        assert_proves(map, model, key);
        let absent = Hash(key.0.map(|byte| byte ^ 0x20));
        assert_proves(map, model, &absent);
    }
}

#[test]
fn the_shape_does_not_depend_on_the_order() {
    let keys: Vec<Hash> = (0..3_000).map(key).collect();
    let all = StatusMap::of(&changes(&keys, 0));
    let mut one_by_one = StatusMap::new();
    for key in keys.iter().rev() {
        one_by_one = one_by_one.update(&changes(&[*key], 0)).map;
    }
    assert_eq!(one_by_one.root(), all.root());
    let mut leaves = Vec::new();
    one_by_one.each(&mut |leaf| leaves.push(*leaf));
    assert_eq!(leaves, changes(&keys, 0));
}

#[test]
fn an_empty_map() {
    let map = StatusMap::new();
    assert_eq!((map.root(), map.count()), (EMPTY_ROOT, 0));
    assert_eq!(map.find(&key(1)).leaf, None);
    assert_eq!(map.get(&key(1)), None);
    assert_eq!(map.open(&mut [key(1)]), []);
    assert_eq!(map.update(&[]).map.root(), EMPTY_ROOT);
    assert_eq!(StatusMap::of(&[]).root(), EMPTY_ROOT);
}

#[test]
fn an_opening_knows_its_keys_and_no_others() {
    let mut keys = close_keys();
    keys.extend((0..2_000).map(key));
    let map = StatusMap::of(&changes(&keys, 0));
    let absent: Vec<Hash> = (5_000..5_040).map(key).collect();
    let wanted: Vec<Hash> = keys.iter().step_by(41).chain(&absent).copied().collect();
    let parts = map.open(&mut wanted.clone());
    let mut opened = Opened::new(&map.root(), &parts).unwrap();
    for key in &wanted {
        let known = map.get(key).map(|leaf| leaf.record);
        assert_eq!(opened.find(key), Ok(known));
    }
    let closed = keys.iter().filter(|key| opened.find(key).is_err()).count();
    assert!(closed > keys.len() / 2, "{closed}");
    // Changed, it has the root that the whole map has.
    let changed = changes(&wanted, 1);
    for change in &changed {
        opened.set(&change.key, &change.record).unwrap();
    }
    assert_eq!(opened.root(), map.update(&changed).map.root());
    let stranger = *keys.iter().find(|key| opened.find(key).is_err()).unwrap();
    let error = OpenedError::Closed { key: stranger };
    assert_eq!(opened.set(&stranger, &stranger), Err(error));
}

#[test]
fn a_wrong_opening_is_refused() {
    let keys: Vec<Hash> = (0..300).map(key).collect();
    let map = StatusMap::of(&changes(&keys, 0));
    let root = map.root();
    let parts = map.open(&mut [key(5), key(7)]);
    assert!(Opened::new(&root, &parts).is_ok());
    for at in 0..parts.len() {
        let mut other = parts.clone();
        other.remove(at);
        assert!(Opened::new(&root, &other).is_err(), "without {at}");
        let mut other = parts.clone();
        other[at] = match other[at] {
            Part::Branch(depth) => Part::Branch(depth ^ 1),
            Part::Closed(hash) => Part::Closed(sha256(&[&hash.0])),
            Part::Leaf { key, record_hash } => Part::Leaf {
                key: record_hash,
                record_hash: key,
            },
        };
        assert!(Opened::new(&root, &other).is_err(), "with another {at}");
    }
    let more = [parts.as_slice(), &[Part::Branch(255)]].concat();
    assert_eq!(Opened::new(&root, &more).unwrap_err(), OpenedError::Shape);
    let chain = [Part::Branch(3); 1_000];
    assert_eq!(Opened::new(&root, &chain).unwrap_err(), OpenedError::Shape);
    assert!(matches!(
        Opened::new(&key(1), &parts),
        Err(OpenedError::Root { .. })
    ));
}

/// Writes records of an epoch, as the sequencer does.
fn put(store: &MemoryStore, map: &StatusMap, epoch: u64, keys: &[Hash]) -> StatusMap {
    let mut batch = WriteBatch::new();
    let mut leaves = BTreeMap::new();
    for key in keys {
        let bytes = [key.0.as_slice(), &epoch.to_be_bytes()].concat();
        let record = sha256(&[&bytes]);
        let version = short_version(epoch).unwrap();
        batch.put::<Records>(&(epoch, *key), &bytes);
        leaves.insert(
            *key,
            MapLeaf {
                key: *key,
                record,
                version,
            },
        );
    }
    let leaves: Vec<MapLeaf> = leaves.into_values().collect();
    let updated = map.update(&leaves);
    if !updated.replaced.is_empty() {
        let old = |leaf: &MapLeaf| (leaf.key, u64::from(leaf.version));
        batch.put::<Replaced>(&epoch, &updated.replaced.iter().map(old).collect());
    }
    store.write(batch).unwrap();
    updated.map
}

#[test]
fn every_epoch_that_is_not_pruned_can_be_loaded() {
    let disk = Memory::new();
    let store = disk.store().unwrap();
    let mut map = StatusMap::new();
    let mut roots = Vec::new();
    for epoch in 0..6_u64 {
        let keys: Vec<Hash> = (0..4_000)
            .filter(|n| epoch == 0 || n % 7 == epoch)
            .map(key)
            .collect();
        map = put(&store, &map, epoch, &keys);
        roots.push((epoch, map.root(), map.count()));
    }
    for (epoch, root, count) in &roots {
        let loaded = load(&store, *epoch).unwrap();
        assert_eq!((loaded.root(), loaded.count()), (*root, *count));
    }
    let before = disk.entries(Family::Records).len();
    loop {
        let (batch, more) = prune(&store, 3).unwrap();
        store.write(batch).unwrap();
        if !more {
            break;
        }
    }
    assert!(disk.entries(Family::Records).len() < before);
    assert_eq!(disk.entries(Family::Replaced).len(), 2);
    for (epoch, root, _) in &roots {
        // What a pruned epoch had is gone, and nobody takes what is left for it.
        assert_eq!(load(&store, *epoch).unwrap().root() == *root, *epoch >= 3);
    }
}

#[test]
fn a_large_map_is_loaded_in_runs() {
    let disk = Memory::new();
    let store = disk.store().unwrap();
    // All of one kind, as in a log: the first byte is the same.
    let keys: Vec<Hash> = (0..120_000)
        .map(|n| {
            let mut key = key(n);
            key.0[0] = 1;
            key
        })
        .collect();
    let map = put(&store, &StatusMap::new(), 0, &keys);
    let loaded = load(&store, 0).unwrap();
    assert_eq!((loaded.root(), loaded.count()), (map.root(), 120_000));
    let changes = changes(&keys[5..500], 1);
    assert_eq!(
        loaded.update(&changes).map.root(),
        map.update(&changes).map.root()
    );
}

#[test]
fn of_many_versions_the_newest_up_to_the_epoch_is_loaded() {
    let disk = Memory::new();
    let store = disk.store().unwrap();
    // Side by side in the map, so that superseded versions are dropped while more come in.
    let keys: Vec<Hash> = (0..300)
        .map(|n| {
            let mut key = key(n);
            key.0[..2].copy_from_slice(&[1, 9]);
            key
        })
        .collect();
    let mut map = StatusMap::new();
    let mut roots = Vec::new();
    for epoch in 0..40_u64 {
        let some: Vec<Hash> = (0..)
            .zip(&keys)
            .filter(|(n, _)| epoch == 0 || n % 5 != epoch % 5)
            .map(|(_, key)| *key)
            .collect();
        map = put(&store, &map, epoch, &some);
        roots.push(map.root());
    }
    assert!(disk.entries(Family::Records).len() > 9_000);
    for epoch in [0, 1, 20, 38, 39] {
        let loaded = load(&store, epoch).unwrap();
        let at = usize::try_from(epoch).unwrap();
        assert_eq!((loaded.root(), loaded.count()), (roots[at], 300));
    }
}

#[test]
fn a_record_key_that_is_none_stops_the_loading() {
    let disk = Memory::new();
    let store = disk.store().unwrap();
    put(&store, &StatusMap::new(), 0, &[key(1)]);
    // Among the records of the epoch; beyond them nothing is looked at, but by fsck.
    disk.damage(Family::Records, &[0; 5], Some(Vec::new()));
    let error = load(&store, 0).unwrap_err();
    assert!(
        matches!(
            error,
            StoreError::Corrupt {
                family: "records",
                ..
            }
        ),
        "{error:?}"
    );
    assert!(short_version(u64::from(u32::MAX)).is_ok());
    assert!(matches!(
        short_version(u64::from(u32::MAX) + 1),
        Err(StoreError::Engine(_))
    ));
}

#[test]
fn maps_are_kept_from_the_published_one_on() {
    let maps = Maps::new();
    assert!(!maps.any_after(0));
    for epoch in 3..6 {
        maps.put(epoch, StatusMap::of(&[leaf(key(epoch), 0)]));
    }
    assert!(maps.any_after(4) && !maps.any_after(5));
    let held = maps.get(3).unwrap();
    maps.drop_before(5);
    assert!(maps.get(3).is_none() && maps.get(4).is_none() && maps.get(5).is_some());
    assert_eq!(held.get(&key(3)), Some(leaf(key(3), 0)));
    maps.clear();
    assert!(maps.get(5).is_none());
}

/// However many there are: buckets are fullest just before they split.
#[test]
fn a_subject_takes_at_most_150_bytes() {
    let mut map = StatusMap::new();
    let mut count = 0_u64;
    let mut most = 0;
    while count < 150_000 {
        let next = count + count / 12 + 50;
        let keys: Vec<Hash> = (count..next)
            .map(|n| {
                // A holder's index for every third licence.
                let mut key = key(n);
                key.0[0] = if n % 4 == 0 { 4 } else { 1 };
                key
            })
            .collect();
        map = map.update(&changes(&keys, 0)).map;
        count = next;
        let memory = map.top.as_ref().unwrap().0.memory();
        if count >= 1_000 {
            most = most.max(memory / usize::try_from(count).unwrap());
        }
    }
    assert!((100..=150).contains(&most), "{most} bytes");
}
