use std::collections::BTreeMap;

use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::{Value as Json, json};

use super::*;
use crate::log::vectors;
use crate::map::{MemoryMap, bit, check, naive_path, naive_root};
use crate::wire::binary::decode_base64;
use crate::wire::sha256;

type Entries = BTreeMap<Hash, Hash>;
type Pages = BTreeMap<PageName, Vec<u8>>;

fn pages_of(entries: &Entries) -> Pages {
    let pages = naive_pages(entries).unwrap();
    let pages = pages.iter().map(|page| (page.name(), page.encode()));
    pages.collect()
}

/// Walks with pages of this map; counts them.
fn walk(pages: &Pages, root: &Hash, key: &Hash) -> (Found, usize) {
    let mut walk = Walk::new(root, key);
    let mut count = 0;
    while let Some(name) = walk.wanted() {
        walk.take(&pages[name]).unwrap();
        count += 1;
    }
    (walk.found().unwrap(), count)
}

fn hash(text: &str) -> Hash {
    sha256(&[text.as_bytes()])
}

/// Key n of the maps of the vectors, and its record hash.
fn entry(n: u64) -> (Hash, Hash) {
    (hash(&format!("key {n}")), hash(&format!("record {n}")))
}

fn entries(count: u64) -> Entries {
    (0..count).map(entry).collect()
}

fn prefix(digits: &str) -> Prefix {
    let name = format!("map/{digits}/{}", "0".repeat(64));
    PageName::parse(&name).unwrap().prefix
}

fn leaf(key: Hash) -> PageLeaf {
    let record_hash = sha256(&[&key.0]);
    PageLeaf { key, record_hash }
}

fn first_byte(byte: u8) -> Hash {
    let mut key = Hash([0; 32]);
    key.0[0] = byte;
    key
}

#[test]
fn page_vectors() {
    vectors::run("map-page", |case| {
        let refused = |error: PageError| vectors::error(error.code());
        let base64 = |value: &Json| decode_base64(value.as_str().unwrap()).unwrap();
        match vectors::text(case, "op") {
            "path" => {
                let path = vectors::text(case, "path");
                let name = PageName::parse(path).map_err(refused)?;
                assert_eq!(name.path(), path);
                Ok(json!({"bits": name.prefix.length(), "hash": name.hash.to_base64url()}))
            }
            "decode" => {
                let bytes = base64(&case["page"]);
                let page = Page::decode(&bytes).map_err(refused)?;
                assert_eq!(page.encode(), bytes);
                Ok(json!(page.name().path()))
            }
            "cut" => {
                let count = vectors::number(case, "count");
                let pages = pages_of(&entries(count));
                Ok(json!(pages.keys().map(PageName::path).collect::<Vec<_>>()))
            }
            "walk" => {
                let of = |name| Hash::from_base64url(vectors::text(case, name)).unwrap();
                let mut walk = Walk::new(&of("root"), &of("key"));
                for page in case["pages"].as_array().unwrap() {
                    walk.take(&base64(page)).map_err(refused)?;
                }
                let Some(found) = walk.clone().found() else {
                    return Ok(json!({"wanted": walk.wanted().unwrap().path()}));
                };
                let mut path = Vec::new();
                found.path.write(&mut path);
                let path: Json = serde_json::from_slice(&path).unwrap();
                let record_hash = found.record_hash.map(|hash| hash.to_base64url());
                Ok(json!({"path": path, "recordHash": record_hash}))
            }
            other => panic!("unknown op {other}"),
        }
    });
}

/// A key that agrees with another one in a random number of bits.
fn near(random: &mut ChaCha20Rng, keys: &[Hash]) -> Hash {
    let mut key = Hash([0; 32]);
    random.fill_bytes(&mut key.0);
    if let Some(base) = keys.get(random.next_u32() as usize % (keys.len() + 1)) {
        let kept = random.next_u32() as usize % 33;
        key.0[..kept].copy_from_slice(&base.0[..kept]);
    }
    key
}

/// Maps of all sizes around the limits, of far and of close keys: what pages prove is what the
/// definition says, for keys that are there and for others.
#[test]
fn pages_prove_what_the_definition_says() {
    let mut random = ChaCha20Rng::seed_from_u64(16);
    for size in [0, 1, 2, 3, 50, 255, 256, 257, 258, 600, 1_500] {
        for close in [false, true] {
            let mut keys: Vec<Hash> = Vec::new();
            while keys.len() < size {
                let known = if close { &keys[..] } else { &[] };
                let key = near(&mut random, known);
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
            let record = |key: &Hash| sha256(&[b"record", &key.0]);
            let all: Entries = keys.iter().map(|key| (*key, record(key))).collect();
            let map = all.iter().fold(MemoryMap::new(), |mut map, (key, record)| {
                map.insert(key, record);
                map
            });
            let (root, pages) = (map.root(), pages_of(&all));
            assert!(pages.contains_key(&PageName::top(&root)));
            for bytes in pages.values() {
                assert!(bytes.len() <= limits::MAP_PAGE_BYTES);
                assert_eq!(Page::decode(bytes).unwrap().encode(), *bytes);
            }
            let absent: Vec<Hash> = (0..40).map(|_| near(&mut random, &keys)).collect();
            for key in keys.iter().step_by(1 + size / 60).chain(&absent) {
                let (found, count) = walk(&pages, &root, key);
                let (record, path) = map.prove(key);
                assert_eq!((found.record_hash, &found.path), (record, &path));
                check(&root, key, record.as_ref(), &found.path).unwrap();
                assert!(count <= 32, "{count} pages");
                assert!(size > 256 || count == 1);
            }
        }
    }
}

#[test]
fn random_keys_are_many_to_a_page_and_few_pages_deep() {
    let all = entries(20_000);
    let pages = naive_pages(&all).unwrap();
    let leaves = pages.iter().filter_map(|page| match page.content() {
        Content::Leaves(leaves) => Some(leaves.len()),
        Content::Children(_) => None,
    });
    let (least, most) = (leaves.clone().min().unwrap(), leaves.max().unwrap());
    assert!(least > 80 && most <= 256, "{least} to {most}");
    let map = pages.iter().map(|page| (page.name(), page.encode()));
    let map: Pages = map.collect();
    let (key, record) = entry(7);
    let root = pages.last().unwrap().name().hash;
    let (found, count) = walk(&map, &root, &key);
    assert_eq!((found.record_hash, count), (Some(record), 2));
    assert_eq!(found.path, naive_path(&all, &key));
}

/// 257 keys that agree in all but the last bits are pages one below the other, and the last one
/// still holds no more than a page may.
#[test]
fn keys_that_differ_in_the_last_bits_only() {
    let mut all = Entries::new();
    for last in 0..=255_u8 {
        let mut key = Hash([0x5a; 32]);
        key.0[31] = last;
        all.insert(key, hash("record"));
    }
    all.insert(Hash([0x5b; 32]), hash("record"));
    let pages = pages_of(&all);
    let root = naive_pages(&all).unwrap().last().unwrap().name().hash;
    for key in all.keys() {
        let (found, count) = walk(&pages, &root, key);
        assert_eq!(found.record_hash, Some(hash("record")));
        assert_eq!(found.path, naive_path(&all, key));
        assert_eq!(count, 2);
    }
    // 300 keys that agree in 30 bytes: 31 pages and the last.
    let mut all = Entries::new();
    for n in 0..300_u16 {
        let mut key = Hash([0x5a; 32]);
        key.0[30..].copy_from_slice(&n.to_be_bytes());
        all.insert(key, hash("record"));
    }
    let pages = pages_of(&all);
    let root = naive_pages(&all).unwrap().last().unwrap().name().hash;
    let key = *all.keys().last().unwrap();
    let (found, count) = walk(&pages, &root, &key);
    assert_eq!((found.path, count), (naive_path(&all, &key), 32));
}

/// A map of 600 keys, the root, a key of it, and the pages on its way.
fn way() -> (Pages, Hash, Hash, Vec<PageName>) {
    let all = entries(600);
    let pages = pages_of(&all);
    let root = naive_pages(&all).unwrap().last().unwrap().name().hash;
    let (key, _) = entry(3);
    let mut walk = Walk::new(&root, &key);
    let mut names = Vec::new();
    while let Some(name) = walk.wanted().copied() {
        walk.take(&pages[&name]).unwrap();
        names.push(name);
    }
    assert_eq!(names.len(), 2);
    (pages, root, key, names)
}

#[track_caller]
fn refuses(walk: &Walk, page: &[u8], code: &str) {
    let (mut walk, before) = (walk.clone(), walk.wanted().copied());
    let refused = walk.take(page).map_err(|error| error.code());
    assert_eq!(refused, Err(code));
    assert_eq!(walk.wanted().copied(), before, "nothing is changed");
    assert!(walk.found().is_none());
}

#[test]
fn another_page_than_the_one_asked_for_is_refused() {
    let (pages, root, key, names) = way();
    let start = Walk::new(&root, &key);
    let mut below = start.clone();
    below.take(&pages[&names[0]]).unwrap();
    // Swapped: the page of another prefix, above, below and beside.
    refuses(&start, &pages[&names[1]], "page_not_wanted");
    refuses(&below, &pages[&names[0]], "page_not_wanted");
    for name in pages.keys().filter(|name| !names.contains(name)) {
        refuses(&below, &pages[name], "page_not_wanted");
    }
    // The same prefix in another edition.
    let mut later = entries(600);
    later.insert(key, hash("another record"));
    let later = pages_of(&later);
    for (name, bytes) in &later {
        let walk = if name.prefix == names[0].prefix {
            &start
        } else if name.prefix == names[1].prefix {
            &below
        } else {
            continue;
        };
        refuses(walk, bytes, "page_hash");
    }
    // The same subtree under another name: the top of a map whose keys all begin alike has the hash
    // of its one child.
    let mut alike = Entries::new();
    for n in 0..300_u16 {
        let mut key = hash(&format!("key {n}"));
        key.0[0] = 1;
        alike.insert(key, hash("record"));
    }
    let pages = naive_pages(&alike).unwrap();
    let top = pages.last().unwrap();
    let child = pages.iter().find(|page| page.prefix().length() == 8);
    let child = child.unwrap();
    assert_eq!(top.name().hash, child.name().hash);
    let walk = Walk::new(&top.name().hash, &key);
    refuses(&walk, &child.encode(), "page_not_wanted");
}

#[test]
fn an_altered_page_is_refused() {
    let (pages, root, key, names) = way();
    let start = Walk::new(&root, &key);
    let mut below = start.clone();
    below.take(&pages[&names[0]]).unwrap();
    for (walk, name) in [(&start, &names[0]), (&below, &names[1])] {
        let bytes = &pages[name];
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 1;
            assert!(walk.clone().take(&altered).is_err(), "byte {at}");
        }
        // Truncated anywhere: in an entry, or behind one.
        for length in 0..bytes.len() {
            let refused = walk.clone().take(&bytes[..length]).unwrap_err();
            let codes = ["page_length", "page_hash", "page_split", "page_not_wanted"];
            assert!(codes.contains(&refused.code()), "{length}: {refused}");
        }
        refuses(walk, &[bytes.as_slice(), &[0]].concat(), "page_length");
    }
    // Without the child of the way, and with another in its place.
    let Content::Children(children) = Page::decode(&pages[&names[0]]).unwrap().content else {
        panic!("the topmost page of 600 keys lists subtrees");
    };
    let at = children
        .iter()
        .position(|child| child.prefix == names[1].prefix);
    let at = at.unwrap();
    let mut missing = children.clone();
    missing.remove(at);
    // Its neighbour has nobody beside it any more, and should not have been cut off.
    let split = Page::new(Prefix::TOP, Content::Children(missing));
    assert_eq!(split.unwrap_err().code(), "page_split");
    let mut forged = children;
    forged[at].hash = hash("another");
    let forged = Page::new(Prefix::TOP, Content::Children(forged)).unwrap();
    refuses(&start, &forged.encode(), "page_hash");
    // A leaf left out.
    let Content::Leaves(mut leaves) = Page::decode(&pages[&names[1]]).unwrap().content else {
        panic!("below there are leaves");
    };
    leaves.retain(|leaf| leaf.key != key);
    let without = Page::new(names[1].prefix, Content::Leaves(leaves)).unwrap();
    refuses(&below, &without.encode(), "page_hash");
}

#[test]
fn a_way_ends_once() {
    let (pages, root, key, names) = way();
    let mut walk = Walk::new(&root, &key);
    assert_eq!(walk.clone().found(), None);
    for name in &names {
        walk.take(&pages[name]).unwrap();
    }
    let refused = walk.take(&pages[&names[1]]);
    assert_eq!(refused, Err(PageError::Unasked));
    assert_eq!(walk.found().unwrap().record_hash, Some(entry(3).1));
}

fn code(prefix: Prefix, content: Content) -> &'static str {
    Page::new(prefix, content).unwrap_err().code()
}

#[test]
fn malformed_leaves_are_refused() {
    let leaves = |bytes: &[u8]| {
        let leaves = bytes.iter().map(|byte| leaf(first_byte(*byte)));
        Content::Leaves(leaves.collect())
    };
    assert!(Page::new(prefix("0"), leaves(&[0, 1, 0x7f])).is_ok());
    assert_eq!(code(prefix("0"), leaves(&[1, 0])), "page_order");
    assert_eq!(code(prefix("0"), leaves(&[0, 1, 1])), "page_order");
    assert_eq!(code(prefix("0"), leaves(&[0, 0x80])), "page_outside");
    assert_eq!(code(prefix("0000"), leaves(&[0x10])), "page_outside");
    assert_eq!(code(prefix("0"), leaves(&[])), "page_split");
    let mut many: Vec<PageLeaf> = (0..257).map(|n| leaf(entry(n).0)).collect();
    many.sort_by_key(|leaf| leaf.key);
    let content = Content::Leaves(many.clone());
    assert_eq!(code(Prefix::TOP, content), "page_too_long");
    many.pop();
    assert!(Page::new(Prefix::TOP, Content::Leaves(many)).is_ok());
    let empty = Page::new(Prefix::TOP, Content::Leaves(Vec::new())).unwrap();
    assert_eq!(empty.name().hash, EMPTY_ROOT);
    assert_eq!(empty.encode(), [LEAF, 0]);
}

#[test]
fn malformed_children_are_refused() {
    let children = |all: &[&str]| {
        let children = all.iter().map(|digits| Child {
            prefix: prefix(digits),
            hash: hash(digits),
        });
        Content::Children(children.collect())
    };
    let top = Prefix::TOP;
    for good in [
        &["0", "1"][..],
        &["00", "01", "1"],
        &["0", "10", "110", "111"],
        // Cut as far down as a page reaches, so more than 256 keys may be there.
        &["00000001"],
        &["00000001", "00000010"],
        &["0000000", "00000010"],
    ] {
        assert!(Page::new(top, children(good)).is_ok(), "{good:?}");
    }
    for (bad, code) in [
        (&[][..], "page_split"),
        // Nobody beside it: it should have been left whole, one bit up or more.
        (&["0"], "page_split"),
        (&["00", "1"], "page_split"),
        (&["00", "10"], "page_split"),
        (&["0000000"], "page_split"),
        (&["0", "100", "11"], "page_split"),
        (&["1", "0"], "page_order"),
        (&["0", "0"], "page_order"),
        (&["0", "01", "1"], "page_order"),
        (&["00", "0", "1"], "page_order"),
        (&["top"], "page_outside"),
        (&["000000010"], "page_outside"),
    ] {
        assert_eq!(self::code(top, children(bad)), code, "{bad:?}");
    }
    let below = ["000000010", "000000011"];
    assert!(Page::new(prefix("00000001"), children(&below)).is_ok());
    assert_eq!(code(prefix("00000010"), children(&below)), "page_outside");
    // Subtrees hang on whole bytes only, and there is an end to it.
    assert_eq!(code(prefix("0000000"), children(&below)), "page_prefix");
    let last = Prefix::of(&Hash([0; 32]), PREFIX_BITS).unwrap();
    assert_eq!(code(last, children(&below)), "page_prefix");
    assert_eq!(Prefix::of(&Hash([0; 32]), PREFIX_BITS + 1), None);
    assert_eq!(last.child(true), None);
}

#[test]
fn malformed_bytes_are_refused() {
    let entry = |first: &[u8]| [first, &[7; 32]].concat();
    let (zero, one) = (entry(&[1, 0]), entry(&[1, 0x80]));
    let page = |head: &[u8], entries: &[&[u8]]| [head, &entries.concat()].concat();
    assert!(Page::decode(&page(&[1, 0], &[&zero, &one])).is_ok());
    for (bytes, code) in [
        (vec![], "page_length"),
        (vec![2], "page_length"),
        (vec![0, 0], "page_kind"),
        (vec![3, 0], "page_kind"),
        (vec![2, 8], "page_length"),
        (vec![2, 8, 1], "page_split"),
        (vec![2, 249], "page_prefix"),
        (vec![2, 255], "page_prefix"),
        // Bits after the prefix.
        (vec![2, 7, 1], "page_prefix"),
        (page(&[1, 7, 0], &[&zero, &one]), "page_prefix"),
        (page(&[1, 0], &[&zero, &one, &[0]]), "page_length"),
        (page(&[1, 0], &[&entry(&[0, 0]), &one]), "page_outside"),
        (page(&[1, 0], &[&entry(&[9, 0]), &one]), "page_outside"),
        (page(&[1, 0], &[&entry(&[1, 0x40]), &one]), "page_outside"),
        (page(&[1, 0], &[&one, &zero]), "page_order"),
        (vec![2; limits::MAP_PAGE_BYTES + 1], "page_too_long"),
    ] {
        let refused = Page::decode(&bytes).unwrap_err();
        assert_eq!(refused.code(), code, "{:?}", &bytes[..bytes.len().min(8)]);
    }
}

/// What a page says about the pages below it holds: too early or too late a cut that shows is
/// refused, though every hash is right.
#[test]
fn a_map_cut_in_the_wrong_place_is_refused() {
    // Two keys under one byte, cut off from a third that is elsewhere: the map of three keys.
    let keys = [first_byte(0x10), first_byte(0x11), first_byte(0x90)];
    let leaves = |keys: &[Hash]| Content::Leaves(keys.iter().copied().map(leaf).collect());
    let below = Page::new(prefix("00010000"), leaves(&keys[..1])).unwrap();
    let beside = Page::new(prefix("00010001"), leaves(&keys[1..2])).unwrap();
    let alone = Page::new(prefix("10010000"), leaves(&keys[2..])).unwrap();
    let child = |page: &Page| Child {
        prefix: *page.prefix(),
        hash: page.name().hash,
    };
    let children = vec![child(&below), child(&beside), child(&alone)];
    let top = Page::new(Prefix::TOP, Content::Children(children)).unwrap();
    let map: Entries = keys
        .iter()
        .map(|key| (*key, leaf(*key).record_hash))
        .collect();
    let root = naive_root(&map);
    assert_eq!(top.name().hash, root, "every hash is right");
    // A subtree with nobody on the other side is cut off at eight bits only when it has more than
    // 256 keys; here it has one.
    let mut walk = Walk::new(&root, &keys[2]);
    walk.take(&top.encode()).unwrap();
    refuses(&walk, &alone.encode(), "page_split");
    // A subtree cut off before eight bits has at most 256 keys, so its page lists them.
    let many = entries(2_000);
    let half = |one: bool| -> Entries {
        let side = many.iter().filter(|(key, _)| bit(key, 0) == one);
        side.map(|(key, record)| (*key, *record)).collect()
    };
    let halves = [false, true].map(|one| Child {
        prefix: Prefix::TOP.child(one).unwrap(),
        hash: naive_root(&half(one)),
    });
    let late = Page::new(Prefix::TOP, Content::Children(halves.to_vec())).unwrap();
    assert_eq!(late.name().hash, naive_root(&many));
    let mut walk = Walk::new(&late.name().hash, &entry(1).0);
    walk.take(&late.encode()).unwrap();
    // No page of one bit lists subtrees: they hang on whole bytes.
    let name = *walk.wanted().unwrap();
    assert_eq!(name.prefix.length(), 1);
    let first = name.prefix.bits().0[0];
    let forged = [&[1, 1, first][..], &late.encode()[2..]].concat();
    refuses(&walk, &forged, "page_prefix");
}

#[test]
fn a_name_has_one_spelling() {
    let (_, _, _, names) = way();
    for name in names {
        assert_eq!(PageName::parse(&name.path()), Ok(name));
    }
    let zeros = "0".repeat(64);
    let long = "0".repeat(249);
    for bad in [
        String::new(),
        "map".to_owned(),
        "map/".to_owned(),
        "map/top".to_owned(),
        format!("map//{zeros}"),
        format!("/map/top/{zeros}"),
        format!("map/top/{zeros}/"),
        format!("map/top/{zeros}0"),
        format!("map/top/{}", &zeros[1..]),
        format!("map/Top/{zeros}"),
        format!("map/0x01/{zeros}"),
        format!("map/012/{zeros}"),
        format!("map/01 /{zeros}"),
        format!("map/+1/{zeros}"),
        format!("map/.%2e/{zeros}"),
        format!("map/{long}/{zeros}"),
        format!("map/top/{}", "A".repeat(64)),
        format!("map/top/{}", "g".repeat(64)),
        format!("map/top/{}é", &zeros[2..]),
        format!("tile/top/{zeros}"),
        "0".repeat(100_000),
    ] {
        let refused = PageName::parse(&bad).unwrap_err();
        assert_eq!(refused.code(), "page_path", "{bad}");
        assert!(refused.to_string().len() < 128);
    }
    let most = format!("map/{}/{zeros}", &long[1..]);
    assert_eq!(PageName::parse(&most).unwrap().path(), most);
}

proptest! {
    #[test]
    fn random_bytes_never_panic(
        root: [u8; 32], key: [u8; 32],
        kind in 1..=2_u8, length in 0..=255_u8,
        rest in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        let bytes = [&[kind, length][..], &rest].concat();
        if let Ok(page) = Page::decode(&bytes) {
            prop_assert_eq!(page.encode(), bytes.clone());
        }
        let mut walk = Walk::new(&Hash(root), &Hash(key));
        prop_assert!(walk.take(&bytes).is_err());
    }

    #[test]
    fn prefixes_agree_with_bits(key: [u8; 32], other: [u8; 32], length in 0..=248_u8) {
        let (key, other) = (Hash(key), Hash(other));
        let prefix = Prefix::of(&key, length).unwrap();
        let bits = |key: &Hash| -> Vec<bool> { (0..length).map(|at| bit(key, at)).collect() };
        let agrees = bits(&key) == bits(&other);
        prop_assert!(prefix.holds(&key));
        prop_assert_eq!(prefix.holds(&other), agrees);
        if let Some(parent) = prefix.parent() {
            let sibling = prefix.sibling().unwrap();
            prop_assert!(parent.contains(&prefix) && parent.contains(&sibling));
            prop_assert!(!prefix.contains(&sibling) && !prefix.contains(&parent));
            prop_assert_eq!(sibling.sibling(), Some(prefix));
        }
    }
}
