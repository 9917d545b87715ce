//! Receipts that are not even read, and why.

use serde_json::{Value as Json, json};

use super::super::parts::{Parts, hex, kid_item, string};
use super::unread;

/// Name, code, and what is refused with it.
pub(super) type Row = (&'static str, &'static str, Parts);

/// The good receipt with one change; what it then says is signed by the right key.
fn row(name: &'static str, code: &'static str, change: impl FnOnce(&mut Parts)) -> Row {
    let mut parts = Parts::good();
    change(&mut parts);
    (name, code, parts)
}

/// Wrong headers.
pub(super) fn headers() -> Vec<Row> {
    let value = |name, code, at: usize, item: &str| {
        row(name, code, |parts| parts.protected[at].1 = hex(item))
    };
    let without = |name, at: usize| {
        row(name, "header_missing", |parts| {
            parts.protected.remove(at);
        })
    };
    let kid = |name, text: &[u8]| row(name, "kid", |parts| parts.protected[1].1 = kid_item(text));
    let besides = |name, code, at: usize, label: &str, item: &str| {
        row(name, code, |parts| {
            parts.protected.insert(at, (hex(label), hex(item)));
        })
    };
    let open = |name, code, item: &str| {
        row(name, code, |parts| {
            let proof = string(&parts.proof);
            let (before, after) = item.split_once("PROOF").unwrap_or((item, ""));
            let proof = if item.contains("PROOF") {
                proof
            } else {
                Vec::new()
            };
            parts.unprotected = Some([hex(before), proof, hex(after)].concat());
        })
    };
    let long = format!("{}+00000000", "x".repeat(256));
    vec![
        value("algorithm-ed25519", "algorithm", 0, "32"),
        value("algorithm-es256", "algorithm", 0, "26"),
        value("algorithm-none", "algorithm", 0, "00"),
        value("algorithm-as-text", "cbor_shape", 0, "65 4564445341"),
        value("algorithm-in-two-bytes", "cbor_form", 0, "3807"),
        value(
            "algorithm-of-65-bits",
            "cbor_value",
            0,
            "3bffffffffffffffff",
        ),
        value("structure-zero", "vds", 2, "00"),
        value("structure-two", "vds", 2, "02"),
        value("structure-negative", "vds", 2, "20"),
        value("structure-as-text", "cbor_shape", 2, "61 31"),
        value("another-size-signed", "size_differs", 3, "0c"),
        value("size-negative", "cbor_shape", 3, "2a"),
        value("size-in-two-bytes", "cbor_form", 3, "180b"),
        value("size-as-big-integer", "cbor_shape", 3, "c2410b"),
        value("key-as-text", "cbor_shape", 1, "61 78"),
        without("without-algorithm", 0),
        without("without-key", 1),
        without("without-structure", 2),
        without("without-size", 3),
        kid("key-empty", b""),
        kid("key-without-id", b"zhao.example/changzhou"),
        kid("key-without-name", b"+00000000"),
        kid("key-id-in-capitals", b"zhao.example/changzhou+0000000A"),
        kid("key-id-of-seven-digits", b"zhao.example/changzhou+0000000"),
        kid("key-id-of-nine-digits", b"zhao.example/changzhou+000000000"),
        kid("key-as-vkey", b"zhao.example/changzhou+00000000+AAAA"),
        kid("key-with-a-space", b"zhao.example/ changzhou+00000000"),
        kid("key-not-utf-8", b"zhao\xff+00000000"),
        kid("key-name-too-long", long.as_bytes()),
        besides("critical-header", "header_unknown", 1, "02", "81 04"),
        besides("content-type", "header_unknown", 1, "03", "00"),
        besides("type", "header_unknown", 2, "10", "60"),
        besides("claims", "header_unknown", 2, "0f", "a0"),
        besides(
            "proofs-in-the-protected-header",
            "header_unknown",
            3,
            "19018c",
            "a0",
        ),
        besides("label-twice", "cbor_form", 1, "01", "27"),
        besides("label-out-of-order", "cbor_form", 1, "00", "27"),
        besides("label-as-text", "cbor_shape", 4, "61 78", "00"),
        besides("label-in-two-bytes", "cbor_form", 1, "1802", "00"),
        row("protected-header-of-no-bytes", "cbor_end", |parts| {
            parts.header = Some(vec![]);
        }),
        row("protected-header-empty", "header_missing", |parts| {
            parts.header = Some(hex("a0"));
        }),
        row("protected-header-as-array", "cbor_shape", |parts| {
            parts.header = Some(hex("80"));
        }),
        row("protected-header-without-length", "cbor_form", |parts| {
            let header = parts.header();
            parts.header = Some([&[0xbf], &header[1..], &[0xff]].concat());
        }),
        row("protected-header-and-more", "cbor_trailing", |parts| {
            parts.header = Some([parts.header(), vec![0]].concat());
        }),
        open("unprotected-header-empty", "header_missing", "a0"),
        open("unprotected-header-as-bytes", "cbor_shape", "40"),
        open(
            "unprotected-header-without-length",
            "cbor_form",
            "bf 19018c a1 20 81 PROOF ff",
        ),
        open(
            "unprotected-algorithm",
            "header_unknown",
            "a2 01 27 19018c a1 20 81 PROOF",
        ),
        open(
            "unprotected-key",
            "header_unknown",
            "a2 04 40 19018c a1 20 81 PROOF",
        ),
        open(
            "unprotected-structure",
            "header_unknown",
            "a2 19018b 01 19018c a1 20 81 PROOF",
        ),
        open(
            "receipt-in-the-receipt",
            "header_unknown",
            "a2 19018a 80 19018c a1 20 81 PROOF",
        ),
        open(
            "unprotected-of-private-use",
            "header_unknown",
            "a2 19018c a1 20 81 PROOF 3a00010000 0b",
        ),
        open("proofs-as-array", "cbor_shape", "a1 19018c 80"),
        open("no-kind-of-proof", "proof_count", "a1 19018c a0"),
        open(
            "consistency-proof",
            "proof_kind",
            "a1 19018c a1 21 81 PROOF",
        ),
        open(
            "both-kinds-of-proof",
            "proof_kind",
            "a1 19018c a2 20 81 PROOF 21 80",
        ),
        open(
            "kind-of-proof-twice",
            "cbor_form",
            "a1 19018c a2 20 81 PROOF 20 80",
        ),
        open("no-proof", "proof_count", "a1 19018c a1 20 80"),
        open("two-proofs", "proof_count", "a1 19018c a1 20 82 PROOF 40"),
        open(
            "proofs-without-length",
            "cbor_form",
            "a1 19018c a1 20 9f PROOF ff",
        ),
        open(
            "proof-not-in-bytes",
            "cbor_shape",
            "a1 19018c a1 20 81 83 0b 07 80",
        ),
        open(
            "proof-bytes-without-length",
            "cbor_form",
            "a1 19018c a1 20 81 5f ff",
        ),
    ]
}

/// Wrong items beside the headers.
pub(super) fn items() -> Vec<Row> {
    let proof = |name, code, item: &str| row(name, code, |parts| parts.proof = hex(item));
    let head = |name, code, item: &str| row(name, code, |parts| parts.head = hex(item));
    let payload = |name, code, item: &str| row(name, code, |parts| parts.payload = hex(item));
    let signature =
        |name, code, item: &str| row(name, code, |parts| parts.signature = Some(hex(item)));
    vec![
        head("without-tag", "tag", "84"),
        head("tag-of-several-signatures", "tag", "d862 84"),
        head("tag-of-a-mac", "tag", "d1 84"),
        head("tag-twice", "cbor_shape", "d2 d2 84"),
        head("tag-in-two-bytes", "cbor_form", "d812 84"),
        head("three-items", "cbor_shape", "d2 83"),
        head("five-items", "cbor_shape", "d2 85"),
        head("array-without-length", "cbor_form", "d2 9f"),
        head("a-map", "cbor_shape", "d2 a2"),
        proof("proof-of-no-bytes", "cbor_end", ""),
        proof("proof-of-two-items", "cbor_shape", "82 0b 07"),
        proof(
            "proof-of-four-items",
            "cbor_shape",
            "84 0b 07 81 5820 07*32 00",
        ),
        proof(
            "proof-of-another-size",
            "size_differs",
            "83 0c 07 81 5820 07*32",
        ),
        proof(
            "proof-without-length",
            "cbor_form",
            "9f 0b 07 81 5820 07*32 ff",
        ),
        proof(
            "proof-and-more",
            "cbor_trailing",
            "83 0b 07 81 5820 07*32 00",
        ),
        proof("index-negative", "cbor_shape", "83 0b 20 81 5820 07*32"),
        proof(
            "index-in-two-bytes",
            "cbor_form",
            "83 0b 1807 81 5820 07*32",
        ),
        proof("index-as-float", "cbor_shape", "83 0b f94700 81 5820 07*32"),
        proof("no-hashes", "path_empty", "83 0b 07 80"),
        proof("65-hashes", "proof_limit", "83 0b 07 9841"),
        proof(
            "more-hashes-than-bytes",
            "cbor_end",
            "83 0b 07 9840 5820 07*32",
        ),
        proof("2-64-hashes", "proof_limit", "83 0b 07 9bffffffffffffffff"),
        proof(
            "hashes-without-length",
            "cbor_form",
            "83 0b 07 9f 5820 07*32 ff",
        ),
        proof("hash-of-31-bytes", "cbor_shape", "83 0b 07 81 581f 07*31"),
        proof("hash-of-33-bytes", "cbor_shape", "83 0b 07 81 5821 07*33"),
        proof("hash-as-text", "cbor_shape", "83 0b 07 81 7820 07*32"),
        proof(
            "hash-length-in-three-bytes",
            "cbor_form",
            "83 0b 07 81 590020 07*32",
        ),
        row("root-attached", "payload_attached", |parts| {
            parts.payload = string(&parts.root.0);
        }),
        payload("payload-of-no-bytes", "payload_attached", "40"),
        payload("payload-false", "cbor_shape", "f4"),
        payload("payload-undefined", "cbor_shape", "f7"),
        payload("payload-null-in-two-bytes", "cbor_form", "f816"),
        payload("payload-as-text", "cbor_shape", "60"),
        signature("signature-of-63-bytes", "cbor_shape", "583f 07*63"),
        signature("signature-of-65-bytes", "cbor_shape", "5841 07*65"),
        signature("signature-missing", "cbor_end", ""),
        signature("signature-null", "cbor_shape", "f6"),
        signature(
            "signature-length-in-three-bytes",
            "cbor_form",
            "590040 07*64",
        ),
        signature(
            "signature-longer-than-memory",
            "cbor_shape",
            "5bffffffffffffffff",
        ),
        row("one-byte-more", "cbor_trailing", |parts| {
            parts.tail = vec![0];
        }),
        row("twice", "cbor_trailing", |parts| parts.tail = parts.bytes()),
    ]
}

/// Bytes that are no receipt, or none that ends where it should.
pub(super) fn bytes() -> Vec<Json> {
    let good = Parts::good().bytes();
    let mut cases: Vec<Json> = [
        ("nothing", "cbor_end", Vec::new()),
        ("half", "cbor_end", good[..good.len() / 2].to_vec()),
        (
            "without-the-last-byte",
            "cbor_end",
            good[..good.len() - 1].to_vec(),
        ),
        (
            "a-json-text",
            "tag",
            b"{\"format\":\"zhao/v1 receipt\"}".to_vec(),
        ),
        ("tags-without-end", "cbor_shape", vec![0xd2; 4_096]),
    ]
    .iter()
    .map(|(name, code, bytes)| unread(name, code, bytes))
    .collect();
    for (name, code, length) in [
        ("as-long-as-allowed", "cbor_trailing", 4_096),
        ("too-long", "size_limit", 4_097),
    ] {
        let mut case = unread(name, code, &good);
        case["zeros"] = json!(length - good.len());
        cases.push(case);
    }
    cases
}
