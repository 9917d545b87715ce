//! The paged map against the one in memory.

use std::collections::BTreeMap;

use zhao_spec::map::{EMPTY_ROOT, MemoryMap, check};
use zhao_spec::wire::{Hash, sha256};

use super::MapView;
use super::update::update;
use crate::store::layout::{Family, Pages, Records};
use crate::store::memory::{Memory, MemoryStore};
use crate::store::{Store, StoreError, Table, WriteBatch};

fn key(n: u64) -> Hash {
    sha256(&[&n.to_be_bytes()])
}

fn record(n: u64, version: u64) -> Vec<u8> {
    format!("record {n} at {version}").into_bytes()
}

/// Writes records at a version, as the sequencer does, and returns the new root page's version.
fn put(
    store: &MemoryStore,
    before: Option<u64>,
    version: u64,
    keys: &[Hash],
) -> (Option<u64>, Hash, u64) {
    let mut batch = WriteBatch::new();
    let mut writes = BTreeMap::new();
    for key in keys {
        let bytes = [&key.0[..4], &version.to_be_bytes()].concat();
        batch.put::<Records>(&(*key, version), &bytes);
        writes.insert(*key, sha256(&[&bytes]));
    }
    let writes: Vec<(Hash, Hash)> = writes.into_iter().collect();
    let updated = update(MapView::new(store, before), version, &writes, &mut batch).unwrap();
    store.write(batch).unwrap();
    (updated.map_version, updated.root, updated.added)
}

#[test]
fn every_version_stays_readable_and_provable() {
    let disk = Memory::new();
    let store = disk.store().unwrap();
    let mut model = MemoryMap::new();
    let mut version = None;
    let mut history = Vec::new();
    for epoch in 0..12_u64 {
        let keys: Vec<Hash> = (0..epoch * 9)
            .filter(|n| (n + epoch) % 3 == 0)
            .map(key)
            .collect();
        let before = model.len();
        let (next, root, added) = put(&store, version, epoch, &keys);
        for key in &keys {
            let bytes = [&key.0[..4], &epoch.to_be_bytes()].concat();
            model.insert(key, &sha256(&[&bytes]));
        }
        assert_eq!(root, model.root());
        assert_eq!(added, (model.len() - before) as u64);
        version = next;
        history.push((next, model.clone()));
    }
    for (version, model) in history {
        let map = MapView::new(&store, version);
        assert_eq!(map.root().unwrap(), model.root());
        for n in 0..150 {
            let found = map.find(&key(n)).unwrap();
            let (expected, path) = model.prove(&key(n));
            assert_eq!(found.of(&key(n)).map(|leaf| leaf.record), expected);
            assert_eq!(found.path(&key(n)), path);
            check(&model.root(), &key(n), expected.as_ref(), &path).unwrap();
            let bytes = map.record(&key(n)).unwrap();
            assert_eq!(bytes.map(|bytes| sha256(&[&bytes])), expected);
        }
    }
}

#[test]
fn keys_that_agree_in_many_nibbles_hang_on_a_chain_of_pages() {
    let disk = Memory::new();
    let store = disk.store().unwrap();
    let mut keys: Vec<Hash> = Vec::new();
    for place in [0, 1, 7, 15, 16, 31] {
        for bits in [0x80_u8, 0x10, 0x08, 0x01] {
            let mut bytes = [0x5a; 32];
            bytes[place] ^= bits;
            keys.push(Hash(bytes));
        }
    }
    keys.push(Hash([0x5a; 32]));
    let mut model = MemoryMap::new();
    let mut version = None;
    for (epoch, key) in (0_u64..).zip(&keys) {
        let (next, root, added) = put(&store, version, epoch, &[*key]);
        let bytes = [&key.0[..4], &epoch.to_be_bytes()].concat();
        model.insert(key, &sha256(&[&bytes]));
        assert_eq!((root, added), (model.root(), 1));
        version = next;
    }
    let map = MapView::new(&store, version);
    for key in &keys {
        assert_eq!(map.find(key).unwrap().path(key), model.prove(key).1);
        let absent = Hash(key.0.map(|byte| byte ^ 0x20));
        assert_eq!(
            map.find(&absent).unwrap().path(&absent),
            model.prove(&absent).1
        );
    }
}

#[test]
fn an_empty_map() {
    let disk = Memory::new();
    let store = disk.store().unwrap();
    let map = MapView::new(&store, None);
    assert_eq!(map.root().unwrap(), EMPTY_ROOT);
    assert_eq!(map.find(&key(1)).unwrap().leaf, None);
    assert_eq!(map.record(&key(1)).unwrap(), None);
    let (version, root, added) = put(&store, None, 4, &[]);
    assert_eq!((version, root, added), (None, EMPTY_ROOT, 0));
}

#[test]
fn a_page_swapped_for_another_is_noticed_on_the_way_down() {
    let disk = Memory::new();
    let store = disk.store().unwrap();
    let keys: Vec<Hash> = (0..200).map(key).collect();
    let (version, ..) = put(&store, None, 0, &keys);
    let pages = disk.entries(Family::Pages);
    let deep: Vec<_> = pages.iter().filter(|(key, _)| key[0] == 1).collect();
    disk.damage(Family::Pages, &deep[0].0, Some(deep[1].1.clone()));
    let map = MapView::new(&store, version);
    let error = keys.iter().find_map(|key| map.find(key).err()).unwrap();
    assert!(
        matches!(
            error,
            StoreError::Corrupt {
                family: "pages",
                ..
            }
        ),
        "{error:?}"
    );
    disk.damage(Family::Pages, &deep[0].0, None);
    let error = keys.iter().find_map(|key| map.find(key).err()).unwrap();
    assert!(
        matches!(
            error,
            StoreError::Missing {
                family: "pages",
                ..
            }
        ),
        "{error:?}"
    );
}

#[test]
fn a_changed_record_is_noticed() {
    let disk = Memory::new();
    let store = disk.store().unwrap();
    let (version, ..) = put(&store, None, 0, &[key(1)]);
    let at = Records::encode_key(&(key(1), 0));
    disk.damage(Family::Records, &at, Some(record(1, 0)));
    let error = MapView::new(&store, version).record(&key(1)).unwrap_err();
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
}

#[test]
fn what_is_replaced_is_listed() {
    let disk = Memory::new();
    let store = disk.store().unwrap();
    let (version, ..) = put(&store, None, 0, &[key(1), key(2)]);
    assert_eq!(disk.entries(Family::Stale), []);
    put(&store, version, 1, &[key(1)]);
    // The record, and every page on its way.
    let pages = disk.entries(Family::Pages).len();
    let stale = disk.entries(Family::Stale).len();
    assert_eq!(stale, 1 + pages / 2);
    assert!(Pages::decode_key(&disk.entries(Family::Pages)[0].0).is_ok());
}

#[test]
fn pruning_keeps_the_epochs_it_is_told_to_keep() {
    let disk = Memory::new();
    let store = disk.store().unwrap();
    let mut version = None;
    let mut roots = Vec::new();
    for epoch in 0..6_u64 {
        let keys: Vec<Hash> = (0..40)
            .filter(|n| epoch == 0 || n % 7 == epoch)
            .map(key)
            .collect();
        let (next, root, _) = put(&store, version, epoch, &keys);
        version = next;
        roots.push((next, root));
    }
    let before = disk.entries(Family::Pages).len();
    loop {
        let (batch, more) = super::prune::prune(&store, 3).unwrap();
        store.write(batch).unwrap();
        if !more {
            break;
        }
    }
    assert!(disk.entries(Family::Pages).len() < before);
    for (epoch, (version, root)) in roots.iter().enumerate() {
        let map = MapView::new(&store, *version);
        if epoch < 3 {
            let error = map.root().unwrap_err();
            assert!(
                matches!(
                    error,
                    StoreError::Missing {
                        family: "pages",
                        ..
                    }
                ),
                "{error:?}"
            );
            continue;
        }
        assert_eq!(map.root().unwrap(), *root);
        for n in 0..40 {
            assert!(map.record(&key(n)).unwrap().is_some());
        }
    }
}
