//! Writes `vectors/cose-receipt/`. Run by hand after a change of the form:
//! `cargo test -p zhao-spec cose::tests::generate -- --ignored`.

mod faults;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use super::super::*;
use super::parts::{ORIGIN, Parts, entry, entry_bytes, kid_item, log, proof, signer, string};
use crate::wire::binary::encode_base64;
use crate::wire::signature::SecretKey;

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/cose-receipt/cose-receipt.json")
}

#[test]
#[ignore = "writes spec/vectors"]
fn regenerate() {
    std::fs::write(path(), text()).unwrap();
}

#[test]
fn committed_vectors_are_what_the_generator_writes() {
    let committed = std::fs::read_to_string(path()).unwrap_or_default();
    assert!(committed == text(), "cose-receipt.json is out of date");
}

fn text() -> String {
    let mut cases = accepted();
    cases.extend(unverified());
    for (name, code, parts) in faults::headers().into_iter().chain(faults::items()) {
        cases.push(unread(name, code, &parts.bytes()));
    }
    cases.extend(faults::bytes());
    let names: BTreeSet<&str> = cases
        .iter()
        .filter_map(|case| case["name"].as_str())
        .collect();
    assert_eq!(names.len(), cases.len(), "a name is given twice");
    let file = json!({
        "cases": cases,
        "description": "`verify`: reading a receipt and checking it for an entry under the log's \
            key. `parse`: reading alone; writing it again gives the same bytes. After the bytes \
            come so many zero bytes.",
        "source": "ours, after RFC 9942 and RFC 9052",
    });
    let mut text = serde_json::to_string_pretty(&file).unwrap();
    text.push('\n');
    text
}

fn case(name: &str, receipt: &[u8], index: u64, vkey: &Vkey, expect: Json) -> Json {
    json!({
        "name": name, "op": "verify", "receipt": encode_base64(receipt),
        "entry": encode_base64(&entry_bytes(index)), "vkey": vkey.format(), "expect": expect,
    })
}

fn unread(name: &str, code: &str, receipt: &[u8]) -> Json {
    let receipt = encode_base64(receipt);
    json!({"name": name, "op": "parse", "receipt": receipt, "expect": {"error": code}})
}

fn accepted() -> Vec<Json> {
    let said = |parts: &Parts, size: u64| {
        let root = parts.root.to_base64();
        json!({"ok": {"root": root, "size": size.to_string()}})
    };
    let mut cases = Vec::new();
    for (name, index, size) in [
        ("entry-7-of-11", 7, 11),
        ("first-of-11", 0, 11),
        ("last-of-11", 10, 11),
        ("first-of-2", 0, 2),
        ("last-of-2", 1, 2),
        ("last-of-9", 8, 9),
        ("last-of-300", 299, 300),
    ] {
        let parts = Parts::of(index, size);
        let expect = said(&parts, size);
        cases.push(case(name, &parts.bytes(), index, signer().vkey(), expect));
    }
    // The tallest tree; nobody has to have it to sign its root.
    let (index, size) = (3, (1 << 62) - 1);
    let hashes: Vec<Hash> = (0..62).map(entry).collect();
    let root = root_from_inclusion(LeafIndex(index), TreeSize(size), &entry(index), &hashes);
    let tall = Parts::with(index, size, &hashes, root.unwrap());
    let expect = said(&tall, size);
    cases.push(case(
        "tallest",
        &tall.bytes(),
        index,
        signer().vkey(),
        expect,
    ));
    let longest = "x".repeat(255);
    let named = NoteSigner::new(&longest, SecretKey::from_seed([1; 32])).unwrap();
    let mut parts = Parts::good();
    parts.protected[1].1 = kid_item(kid(&longest, named.key_id()).as_bytes());
    let expect = said(&parts, 11);
    cases.push(case(
        "longest-name",
        &parts.bytes(),
        7,
        named.vkey(),
        expect,
    ));
    let read = CoseReceipt::parse(&Parts::good().bytes()).unwrap();
    cases.push(json!({
        "name": "read-only", "op": "parse", "receipt": encode_base64(&read.bytes()),
        "expect": {"ok": {
            "hashes": read.hashes.iter().map(Hash::to_base64).collect::<Vec<_>>(),
            "index": "7", "keyId": read.key_id.to_string(), "origin": ORIGIN, "size": "11",
        }},
    }));
    cases
}

/// Receipts that can be read and prove nothing.
fn unverified() -> Vec<Json> {
    let good = Parts::good();
    let (tree, checkpoint) = log(11);
    let hashes = tree.prove_inclusion(LeafIndex(7), TreeSize(11)).unwrap();
    let own = signer();
    let other = NoteSigner::new(ORIGIN, SecretKey::from_seed([2; 32])).unwrap();
    let witness = SecretKey::from_seed([1; 32]).public();
    let witness = Vkey::new(ORIGIN, KeyKind::Cosignature, witness).unwrap();
    let with = |change: &dyn Fn(&mut Parts)| {
        let mut parts = good.clone();
        change(&mut parts);
        parts.bytes()
    };
    let path = |index, hashes: &[Hash]| with(&|parts| parts.proof = proof(index, 11, hashes));
    let sized =
        |index, size, hashes: &[Hash]| Parts::with(index, size, hashes, checkpoint.root).bytes();
    let by = |secret: u8, message: &[u8]| {
        let signature = SecretKey::from_seed([secret; 32]).sign(message);
        with(&|parts| parts.signature = Some(string(&signature.0)))
    };
    let named = |text: String| with(&|parts| parts.protected[1].1 = kid_item(text.as_bytes()));
    let exchanged = [hashes[1], hashes[0], hashes[2], hashes[3]];
    let changed = [entry(1), hashes[1], hashes[2], hashes[3]];
    let longer = [&hashes[..], &[entry(1)]].concat();
    let twelve = {
        // The same path leads to the same root in a tree of 12: only the header's size is signed.
        let mut parts = Parts::with(7, 12, &hashes, checkpoint.root);
        let signature = SecretKey::from_seed([1; 32]).sign(&good.signed("Signature1", &[]));
        parts.signature = Some(string(&signature.0));
        parts.bytes()
    };
    let fork = {
        let mut tree = tree.clone();
        tree.push(entry(0)).unwrap();
        tree.root()
    };
    let body = checkpoint.body().into_bytes();
    let signed = good.signed("Signature1", &[]);
    let root = checkpoint.root.0;
    #[rustfmt::skip]
    let rows: Vec<(&str, &str, Vec<u8>, u64, &Vkey)> = vec![
        ("another-entry", "bad_signature", good.bytes(), 8, own.vkey()),
        ("another-key-of-the-name", "key_mismatch", good.bytes(), 7, other.vkey()),
        ("key-of-a-witness", "key_type", good.bytes(), 7, &witness),
        ("names-another-key", "key_mismatch", named(kid(ORIGIN, other.key_id())), 7, own.vkey()),
        ("names-another-log", "key_mismatch",
         named(kid("zhao.example/wuxi", own.key_id())), 7, own.vkey()),
        ("signed-by-another-key", "bad_signature", by(2, &signed), 7, own.vkey()),
        ("signature-of-the-checkpoint", "bad_signature", by(1, &body), 7, own.vkey()),
        ("signature-of-the-root-alone", "bad_signature", by(1, &root), 7, own.vkey()),
        ("signature-of-another-context", "bad_signature",
         by(1, &good.signed("Signature", &[])), 7, own.vkey()),
        ("signature-with-external-data", "bad_signature",
         by(1, &good.signed("Signature1", b"x")), 7, own.vkey()),
        ("signature-of-zeros", "bad_signature",
         with(&|parts| parts.signature = Some(string(&[0; 64]))), 7, own.vkey()),
        ("another-root", "bad_signature", with(&|parts| parts.root = fork), 7, own.vkey()),
        ("another-index", "bad_signature", path(6, &hashes), 7, own.vkey()),
        ("hash-changed", "bad_signature", path(7, &changed), 7, own.vkey()),
        ("hashes-exchanged", "bad_signature", path(7, &exchanged), 7, own.vkey()),
        ("another-size-in-both-headers", "bad_signature", twelve, 7, own.vkey()),
        ("hash-too-few", "proof_length", path(7, &hashes[..3]), 7, own.vkey()),
        ("hash-too-many", "proof_length", path(7, &longer), 7, own.vkey()),
        ("64-hashes", "proof_length", path(7, &[entry(1); 64]), 7, own.vkey()),
        ("index-is-the-size", "index_out_of_range", path(11, &hashes), 7, own.vkey()),
        ("index-above-the-size", "index_out_of_range", path(u64::MAX, &hashes), 7, own.vkey()),
        ("size-zero", "index_out_of_range", sized(0, 0, &hashes), 7, own.vkey()),
        ("size-2-62", "tree_size_limit", sized(7, 1 << 62, &hashes), 7, own.vkey()),
        ("size-64-bits", "tree_size_limit", sized(7, u64::MAX, &hashes), 7, own.vkey()),
    ];
    rows.into_iter()
        .map(|(name, code, receipt, index, key)| {
            case(name, &receipt, index, key, json!({"error": code}))
        })
        .collect()
}
