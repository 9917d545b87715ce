use serde_json::{Value, json};

use super::*;
use crate::log::tree::{MemoryTree, NodeReader, leaf_hash, peaks};
use crate::log::vectors;
use crate::wire::binary::encode_base64;

fn kind(case: &Value) -> Kind {
    match vectors::text(case, "kind") {
        "entries" => Kind::Entries,
        _ => Kind::Hashes(case["level"].as_u64().unwrap().try_into().unwrap()),
    }
}

fn node(case: &Value) -> Node {
    let level = case["nodeLevel"].as_u64().unwrap().try_into().unwrap();
    Node {
        level,
        index: vectors::number(case, "nodeIndex"),
    }
}

#[test]
fn tile_vectors() {
    vectors::run("tile", |case| match vectors::text(case, "op") {
        "parse" => {
            let path = vectors::text(case, "path");
            let tile = Tile::parse(path).map_err(|e| vectors::error(e.code()))?;
            assert_eq!(tile.path(), path);
            let (index, width) = (tile.index.to_string(), tile.width);
            Ok(match tile.kind {
                Kind::Entries => json!({"kind": "entries", "index": index, "width": width}),
                Kind::Hashes(level) => {
                    json!({"kind": "hashes", "level": level, "index": index, "width": width})
                }
            })
        }
        "in-tree" => {
            let size = TreeSize(vectors::number(case, "size"));
            let tile = Tile::in_tree(kind(case), vectors::number(case, "index"), size);
            Ok(json!(tile.map_or(0, |tile| tile.width)))
        }
        "place" => {
            let place = NodePlace::of(node(case)).ok_or(vectors::error("node_not_in_tile"))?;
            Ok(
                json!({"level": place.level, "index": place.index.to_string(),
                      "first": place.first, "count": place.count}),
            )
        }
        "changed" => {
            let (old, new) = (vectors::number(case, "old"), vectors::number(case, "new"));
            let tiles = changed_tiles(TreeSize(old), TreeSize(new));
            Ok(json!(tiles.map(|tile| tile.path()).collect::<Vec<_>>()))
        }
        "node-hash" => {
            let tile = Tile::parse(vectors::text(case, "path")).unwrap();
            let hash = tile.node_hash(&vectors::bytes(case, "bytes"), node(case));
            hash.map(|h| json!(h.to_base64()))
                .map_err(|e| vectors::error(e.code()))
        }
        "bundle" => {
            let bytes = vectors::bytes(case, "bytes");
            let width = case["width"].as_u64().unwrap().try_into().unwrap();
            let entries = decode_bundle(&bytes, width).map_err(|e| vectors::error(e.code()))?;
            assert_eq!(encode_bundle(&entries).unwrap(), bytes);
            Ok(json!(
                entries
                    .iter()
                    .map(|entry| encode_base64(entry))
                    .collect::<Vec<_>>()
            ))
        }
        other => panic!("unknown op {other}"),
    });
}

#[test]
fn every_tile_agrees_with_the_tree() {
    let mut tree = MemoryTree::new();
    for i in 0..70_000_u32 {
        tree.push(leaf_hash(&i.to_be_bytes())).unwrap();
    }
    // Roots recomputed from nothing but tiles.
    for size in [1, 255, 256, 257, 65_535, 65_536, 65_537, 70_000] {
        let size = TreeSize(size);
        for peak in peaks(size) {
            let place = NodePlace::of(peak).unwrap();
            let tile = Tile::in_tree(Kind::Hashes(place.level), place.index, size).unwrap();
            let mut bytes = Vec::new();
            for slot in 0..tile.width {
                let stored = tree.read(&[tile.node(slot).unwrap()]).unwrap();
                bytes.extend_from_slice(&stored[0].0);
            }
            let hash = tile.node_hash(&bytes, peak).unwrap();
            assert_eq!(tree.read(&[peak]), Ok(vec![hash]));
        }
    }
}

#[test]
fn changed_tiles_grow_to_the_whole_tree() {
    use std::collections::BTreeMap;
    let mut served = BTreeMap::new();
    let mut size = 0;
    for step in [1, 254, 1, 1, 300, 65_000, 443, 7] {
        for tile in changed_tiles(TreeSize(size), TreeSize(size + step)) {
            served.insert((tile.kind, tile.index), tile.width);
        }
        size += step;
    }
    let whole: BTreeMap<_, _> = changed_tiles(TreeSize(0), TreeSize(size))
        .map(|tile| ((tile.kind, tile.index), tile.width))
        .collect();
    assert_eq!(served, whole);
}

#[test]
fn bundles_refuse_what_they_cannot_hold() {
    assert_eq!(encode_bundle(&[vec![0; 65_535]]).unwrap().len(), 65_537);
    let long = BundleError::EntryLimit { length: 65_536 };
    assert_eq!(encode_bundle(&[vec![0; 65_536]]), Err(long));
    let none: [&[u8]; 0] = [];
    assert_eq!(encode_bundle(&none).unwrap_err().code(), "count");
    assert_eq!(encode_bundle(&vec![b""; 257]).unwrap_err().code(), "count");
}
