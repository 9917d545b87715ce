use std::collections::BTreeMap;

use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::{Value as Json, json};

use super::*;
use crate::log::vectors;
use crate::wire::json as wire_json;

type Refused = (String, Option<usize>);

fn hash_of(case: &Json, name: &str) -> Hash {
    Hash::from_base64url(vectors::text(case, name)).unwrap()
}

fn optional_hash(case: &Json, name: &str) -> Option<Hash> {
    case.get(name).map(|_| hash_of(case, name))
}

/// Reads a path through the crate's own JSON reader, and checks that writing gives it back.
fn path_of(text: &str) -> Result<MapPath, Refused> {
    let value = wire_json::parse(text.as_bytes()).unwrap();
    let path = MapPath::from_value(&value, "path").map_err(|e| vectors::error(e.code()))?;
    let mut again = Vec::new();
    path.write(&mut again);
    assert_eq!(again, text.as_bytes());
    Ok(path)
}

fn pairs(case: &Json, name: &str) -> Vec<(Hash, Hash)> {
    let pair = |item: &Json| (hash_of(item, "key"), hash_of(item, "recordHash"));
    case[name].as_array().unwrap().iter().map(pair).collect()
}

#[test]
fn map_vectors() {
    vectors::run("map", |case| match vectors::text(case, "op") {
        "check" => {
            let path = path_of(&case["path"].to_string())?;
            let (root, key) = (hash_of(case, "root"), hash_of(case, "key"));
            let record_hash = optional_hash(case, "recordHash");
            let checked = check(&root, &key, record_hash.as_ref(), &path);
            checked
                .map(|()| json!(true))
                .map_err(|e| vectors::error(e.code()))
        }
        "json" => path_of(vectors::text(case, "json")).map(|_| json!(true)),
        "partial" => {
            let mut paths = Vec::new();
            for item in case["paths"].as_array().unwrap() {
                let path = path_of(&item["path"].to_string())?;
                paths.push((
                    hash_of(item, "key"),
                    optional_hash(item, "recordHash"),
                    path,
                ));
            }
            let paths: Vec<_> = paths.iter().map(|(k, r, p)| (*k, *r, p)).collect();
            let refused = |e: PartialError| vectors::error(e.code());
            let root = hash_of(case, "root");
            let mut partial = Partial::from_paths(&root, &paths).map_err(refused)?;
            assert_eq!(partial.root(), root);
            let new_root = partial.apply(&pairs(case, "changes")).map_err(refused)?;
            Ok(json!(new_root.to_base64url()))
        }
        "root" => {
            let entries = pairs(case, "entries");
            let mut map = MemoryMap::new();
            for (key, record_hash) in entries.iter().rev() {
                map.insert(key, record_hash);
            }
            assert_eq!(map.root(), naive_root(&entries.into_iter().collect()));
            Ok(json!(map.root().to_base64url()))
        }
        other => panic!("unknown op {other}"),
    });
}

#[test]
fn constants_and_bits() {
    assert_eq!(EMPTY_ROOT, sha256(&[EMPTY_LABEL]));
    let mut key = Hash([0; 32]);
    key.0[0] = 0x80;
    key.0[31] = 0x01;
    let ones: Vec<u8> = (0..=255).filter(|depth| bit(&key, *depth)).collect();
    assert_eq!(ones, [0, 255]);
    assert_eq!(first_difference(&key, &Hash([0; 32])), Some(0));
    assert_eq!(first_difference(&key, &key), None);
}

fn random_hash(random: &mut ChaCha20Rng) -> Hash {
    let mut bytes = [0; 32];
    random.fill_bytes(&mut bytes);
    Hash(bytes)
}

/// A key of the set with bits beyond a random one altered, so that keys share up to 255 bits.
fn near(random: &mut ChaCha20Rng, keys: &[Hash]) -> Hash {
    let Some(base) = keys.get(random.next_u32() as usize % keys.len().max(1)) else {
        return random_hash(random);
    };
    let mut key = *base;
    match random.next_u32() % 4 {
        0 => return random_hash(random),
        1 => key.0[31] ^= 1,
        2 => {
            let depth = random.next_u32() as usize % 256;
            key.0[depth / 8] ^= 0x80 >> (depth % 8);
        }
        _ => {
            let from = random.next_u32() as usize % 32;
            random.fill_bytes(&mut key.0[from..]);
        }
    }
    key
}

/// Hundreds of maps grown in batches of close keys: the trie in memory, the definition and the
/// partial trie agree on every root, and every path holds and proves one answer only.
#[test]
fn memory_partial_and_definition_agree() {
    let mut random = ChaCha20Rng::seed_from_u64(256);
    for round in 0..300 {
        let mut map = MemoryMap::new();
        let mut entries = BTreeMap::new();
        let mut keys: Vec<Hash> = Vec::new();
        for _ in 0..4 {
            let root = map.root();
            let count = random.next_u32() % 12;
            let mut changes = Vec::new();
            for _ in 0..count {
                let key = near(&mut random, &keys);
                changes.push((key, random_hash(&mut random)));
                keys.push(key);
            }
            let proofs: Vec<_> = changes
                .iter()
                .map(|(key, _)| (*key, map.prove(key)))
                .collect();
            for (key, (record_hash, path)) in &proofs {
                assert_eq!(*path, naive_path(&entries, key));
                assert_eq!(check(&root, key, record_hash.as_ref(), path), Ok(()));
                let denied = match record_hash {
                    Some(_) => check_absent(&root, key, path),
                    None => check_present(&root, key, &Hash([0; 32]), path),
                };
                assert!(denied.is_err());
            }
            let paths: Vec<_> = proofs.iter().map(|(k, (r, p))| (*k, *r, p)).collect();
            let mut partial = Partial::from_paths(&root, &paths).unwrap();
            assert_eq!(partial.root(), root);
            for (key, record_hash) in &changes {
                assert_eq!(
                    map.insert(key, record_hash),
                    entries.insert(*key, *record_hash)
                );
            }
            let new_root = partial.apply(&changes).unwrap();
            assert_eq!(new_root, naive_root(&entries), "round {round}");
            assert_eq!(map.root(), new_root);
            let stranger = random_hash(&mut random);
            let refused = partial.apply(&[(stranger, stranger)]);
            assert_eq!(refused, Err(PartialError::KeyNotCovered { key: stranger }));
            assert_eq!(partial.root(), new_root, "a refused batch changes nothing");
        }
        assert_eq!(map.to_sorted(), entries);
        assert_eq!(map.len(), entries.len());
        assert_eq!(map.is_empty(), entries.is_empty());
        for key in &keys {
            assert_eq!(map.find(key), entries.get(key).copied());
        }
    }
}

#[test]
fn the_order_of_insertion_does_not_matter() {
    let mut random = ChaCha20Rng::seed_from_u64(1);
    let entries: Vec<_> = (0..200)
        .map(|_| (random_hash(&mut random), random_hash(&mut random)))
        .collect();
    let root = |order: &mut dyn Iterator<Item = &(Hash, Hash)>| {
        let mut map = MemoryMap::new();
        for (key, record_hash) in order {
            map.insert(key, record_hash);
        }
        map.root()
    };
    assert_eq!(root(&mut entries.iter()), root(&mut entries.iter().rev()));
}

#[test]
fn a_large_map_is_fast_enough() {
    let mut random = ChaCha20Rng::seed_from_u64(2);
    let mut map = MemoryMap::new();
    let mut last = Hash([0; 32]);
    for _ in 0..100_000 {
        last = random_hash(&mut random);
        map.insert(&last, &last);
    }
    let (record_hash, path) = map.prove(&last);
    assert_eq!(
        check(&map.root(), &last, record_hash.as_ref(), &path),
        Ok(())
    );
    assert!(path.depths.len() < 64);
}

proptest! {
    #[test]
    fn random_paths_are_refused_and_never_panic(
        root: [u8; 32], key: [u8; 32],
        depths in prop::collection::vec(any::<u8>(), 0..300),
        hashes in prop::collection::vec(any::<[u8; 32]>(), 0..300),
        terminal: Option<([u8; 32], [u8; 32])>,
    ) {
        let path = MapPath {
            depths,
            hashes: hashes.into_iter().map(Hash).collect(),
            terminal: terminal.map(|(k, r)| Terminal { key: Hash(k), record_hash: Hash(r) }),
        };
        let (root, key) = (Hash(root), Hash(key));
        prop_assert!(check_present(&root, &key, &root, &path).is_err());
        prop_assert!(check_absent(&root, &key, &path).is_err());
        prop_assert!(Partial::from_paths(&root, &[(key, None, &path)]).is_err());
    }
}
