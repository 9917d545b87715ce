//! Pages of the map in memory against the definition, and editions.

use std::collections::BTreeMap;

use zhao_spec::log::tree::TreeSize;
use zhao_spec::map::page::{Found, Page, PageName, Prefix, Walk, naive_pages};
use zhao_spec::map::{EMPTY_ROOT, check};
use zhao_spec::wire::{Hash, sha256};

use super::super::edition::{Edition, Editions};
use super::super::{MapLeaf, StatusMap};

fn key(n: u64) -> Hash {
    let mut key = sha256(&[&n.to_be_bytes()]);
    // As subjects have them: most are licences.
    key.0[0] = if n.is_multiple_of(9) { 4 } else { 1 };
    key
}

fn leaf(key: Hash, version: u32) -> MapLeaf {
    let record = sha256(&[b"record", &key.0, &version.to_be_bytes()]);
    MapLeaf {
        key,
        record,
        version,
    }
}

fn leaves(keys: impl IntoIterator<Item = Hash>, version: u32) -> Vec<MapLeaf> {
    let all: BTreeMap<Hash, MapLeaf> = keys
        .into_iter()
        .map(|key| (key, leaf(key, version)))
        .collect();
    all.into_values().collect()
}

/// Every page of a map, by following what pages name.
fn pages(map: &StatusMap) -> BTreeMap<PageName, Vec<u8>> {
    let mut pages = BTreeMap::new();
    let mut open = vec![PageName::top(&map.root())];
    while let Some(name) = open.pop() {
        assert!(map.has(&name), "{name:?}");
        let page = map.page(&name.prefix).unwrap().expect("a page it names");
        assert_eq!(page.name(), name);
        if let zhao_spec::map::page::Content::Children(children) = page.content() {
            open.extend(children.iter().map(|child| PageName {
                prefix: child.prefix,
                hash: child.hash,
            }));
        }
        pages.insert(name, page.encode());
    }
    pages
}

fn walk(pages: &BTreeMap<PageName, Vec<u8>>, root: &Hash, key: &Hash) -> Found {
    let mut walk = Walk::new(root, key);
    while let Some(name) = walk.wanted() {
        walk.take(&pages[name]).unwrap();
    }
    walk.found().unwrap()
}

/// The pages are those of the definition, and what they prove is what the map itself proves.
fn compare(map: &StatusMap, strangers: &[Hash]) {
    let mut entries = BTreeMap::new();
    map.each(&mut |leaf| {
        entries.insert(leaf.key, leaf.record);
    });
    let own = pages(map);
    let expected = naive_pages(&entries).unwrap();
    assert_eq!(own.len(), expected.len());
    for page in &expected {
        assert_eq!(own.get(&page.name()), Some(&page.encode()));
    }
    for key in entries.keys().chain(strangers) {
        let found = map.find(key);
        let walked = walk(&own, &map.root(), key);
        let record = found.of(key).map(|leaf| leaf.record);
        assert_eq!(walked.path, found.path(key));
        assert_eq!(walked.record_hash, record);
        check(&map.root(), key, record.as_ref(), &walked.path).unwrap();
    }
}

#[test]
fn pages_of_maps_of_every_size() {
    let strangers: Vec<Hash> = (90_000..90_050).map(key).collect();
    for size in [0, 1, 2, 63, 64, 65, 255, 256, 257, 300, 700, 2_500] {
        compare(&StatusMap::of(&leaves((0..size).map(key), 0)), &strangers);
        // The shape that updates make differs from the shape that is built at once.
        let mut map = StatusMap::new();
        for chunk in (0..size).collect::<Vec<_>>().chunks(90) {
            let chunk = chunk.iter().copied().map(key);
            map = map.update(&leaves(chunk, 1)).map;
        }
        compare(&map, &strangers);
    }
}

#[test]
fn pages_of_keys_that_agree_in_many_bits() {
    let mut keys = vec![Hash([0x5a; 32])];
    for place in [0, 1, 7, 15, 16, 31] {
        for bits in 1..=255_u8 {
            let mut bytes = [0x5a; 32];
            bytes[place] ^= bits;
            keys.push(Hash(bytes));
        }
    }
    let strangers: Vec<Hash> = keys
        .iter()
        .step_by(17)
        .map(|key| Hash(key.0.map(|byte| byte ^ 0x21)))
        .collect();
    compare(&StatusMap::of(&leaves(keys, 0)), &strangers);
    // Two keys that differ in the last bit only.
    let mut other = Hash([0x5a; 32]);
    other.0[31] ^= 1;
    compare(
        &StatusMap::of(&leaves([Hash([0x5a; 32]), other], 0)),
        &strangers,
    );
}

/// A map as large as a town's: 400 keys are followed through its pages.
#[test]
fn pages_of_a_large_map() {
    let map = StatusMap::of(&leaves((0..120_000).map(key), 0));
    let root = map.root();
    for n in (0..240_000).step_by(600) {
        let key = key(n);
        let mut walk = Walk::new(&root, &key);
        let mut fetched = Vec::new();
        while let Some(name) = walk.wanted().copied() {
            let page = map.page(&name.prefix).unwrap().unwrap();
            fetched.push(page.encode().len());
            walk.take(&page.encode()).unwrap();
        }
        let found = walk.found().unwrap();
        assert_eq!(found.path, map.find(&key).path(&key));
        assert_eq!(found.record_hash, map.get(&key).map(|leaf| leaf.record));
        // The kinds, 256 of the licences, and leaves: the second page may be cut once more.
        assert!((3..=4).contains(&fetched.len()), "{fetched:?}");
        assert!(fetched.iter().sum::<usize>() < 40_000, "{fetched:?}");
    }
}

#[test]
fn there_is_no_page_where_the_map_is_not_cut() {
    let map = StatusMap::of(&leaves((0..3_000).map(key), 0));
    let all = pages(&map);
    let (mut no, mut deep) = (0, 0);
    for name in all.keys() {
        let leaf = all[name][0] == 2;
        for one in [false, true] {
            // One bit below a page of leaves.
            let below = name.prefix.child(one).unwrap();
            let known = all.keys().any(|known| known.prefix == below);
            let page = map.page(&below).unwrap();
            assert_eq!(page.is_some(), known, "{below}");
            no += usize::from(!known);
            deep += usize::from(leaf);
        }
    }
    assert!(no > 20 && deep > 20, "{no} {deep}");
    for absurd in ["11111111", "0000010", "000000010000000000000000"] {
        let name = format!("map/{absurd}/{}", "0".repeat(64));
        let name = PageName::parse(&name).unwrap();
        assert!(!map.has(&name), "{absurd}");
        assert_eq!(map.page(&name.prefix).unwrap(), None, "{absurd}");
    }
    let longest = Prefix::of(&key(1), 248).unwrap();
    assert_eq!(map.page(&longest).unwrap(), None);
    let empty = StatusMap::new();
    assert_eq!(empty.page(&longest).unwrap(), None);
    assert!(empty.has(&PageName::top(&EMPTY_ROOT)));
    assert!(!empty.has(&PageName::top(&map.root())));
    assert!(!map.has(&PageName::top(&EMPTY_ROOT)));
}

fn edition(map: &StatusMap, size: u64) -> Edition {
    Edition {
        map: map.clone(),
        note: format!("note {size}"),
        size: TreeSize(size),
    }
}

#[test]
fn editions_are_kept_and_dropped_in_order() {
    let editions = Editions::new(3);
    assert!(editions.newest().is_none());
    let mut map = StatusMap::of(&leaves((0..1_000).map(key), 0));
    let mut history: Vec<StatusMap> = Vec::new();
    for turn in 0..6_u64 {
        let version = u32::try_from(turn).unwrap();
        map = map
            .update(&leaves([key(turn), key(5_000 + turn)], version + 1))
            .map;
        editions.add(edition(&map, 10 + turn));
        history.push(map.clone());
        let newest = editions.newest().unwrap();
        assert_eq!((newest.size.0, newest.map.root()), (10 + turn, map.root()));
        for (at, old) in (0..).zip(&history) {
            let kept = at + 3 > turn;
            let name = PageName::top(&old.root());
            let found = editions.with(&name);
            assert_eq!(found.is_some(), kept, "edition {at} at {turn}");
            let page = found.and_then(|found| found.page(&name).unwrap());
            assert_eq!(page.is_some(), kept);
        }
    }
    // An older head, or the same once more, is no new edition.
    for size in [1, 15] {
        editions.add(edition(&StatusMap::new(), size));
        assert_eq!(editions.newest().unwrap().map.root(), map.root());
    }
    // What did not change is found, whichever edition has it.
    let shared = pages(&map);
    let first = pages(&history[3]);
    let both = shared.keys().filter(|name| first.contains_key(name));
    assert!(both.clone().count() > 0);
    for name in both {
        let found = editions.with(name).unwrap();
        assert_eq!(found.size.0, 15);
        assert_eq!(
            found.page(name).unwrap().map(|page| page.encode()),
            Some(shared[name].clone())
        );
    }
}

/// While an edition is walked, commits go on: every page of it is still there.
#[test]
fn an_edition_is_walked_while_commits_go_on() {
    let editions = Editions::new(3);
    let mut map = StatusMap::of(&leaves((0..2_000).map(key), 0));
    editions.add(edition(&map, 1));
    let held = editions.newest().unwrap();
    let root = held.map.root();
    let wanted = key(77);
    let mut walk = Walk::new(&root, &wanted);
    let mut turn = 1;
    while let Some(name) = walk.wanted().copied() {
        for _ in 0..50 {
            turn += 1;
            map = map.update(&leaves((70..80).map(key), turn)).map;
        }
        assert_ne!(map.root(), root);
        let page: Option<Page> = editions.with(&name).and_then(|it| it.page(&name).unwrap());
        walk.take(&page.unwrap().encode()).unwrap();
        // Two newer ones come while it is walked; the third would let it go.
        editions.add(edition(&map, turn.into()));
    }
    let found = walk.found().unwrap();
    assert_eq!(found.path, held.map.find(&wanted).path(&wanted));
    assert_eq!(found.record_hash, Some(leaf(wanted, 0).record));
}
