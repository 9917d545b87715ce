//! Vectors, and what no list of cases shows: cuts, turned bits, what the key is willing to sign.

mod generate;
mod parts;

use serde_json::json;

use super::*;
use crate::log::tree::TreeError;
use crate::log::vectors;
use crate::wire::signature::SecretKey;
use parts::{ORIGIN, Parts, entry, log, signer};

#[test]
fn cose_receipt_vectors() {
    vectors::run("cose-receipt", |case| {
        let mut bytes = vectors::bytes(case, "receipt");
        let zeros = case["zeros"].as_u64().unwrap_or(0);
        bytes.resize(bytes.len() + usize::try_from(zeros).unwrap(), 0);
        let receipt = CoseReceipt::parse(&bytes).map_err(|e| vectors::error(e.code()))?;
        assert_eq!(receipt.bytes(), bytes);
        match vectors::text(case, "op") {
            "parse" => Ok(json!({
                "origin": receipt.origin,
                "keyId": receipt.key_id.to_string(),
                "size": receipt.size.to_string(),
                "index": receipt.index.to_string(),
                "hashes": receipt.hashes.iter().map(Hash::to_base64).collect::<Vec<_>>(),
            })),
            "verify" => {
                let key = Vkey::parse(vectors::text(case, "vkey")).unwrap();
                let leaf = crate::log::tree::leaf_hash(&vectors::bytes(case, "entry"));
                let said = receipt.verify(&leaf, &key);
                said.map_err(|e| vectors::error(e.code())).map(
                    |said| json!({"size": said.size.to_string(), "root": said.root.to_base64()}),
                )
            }
            other => panic!("unknown op {other}"),
        }
    });
}

#[test]
fn every_entry_of_every_small_log_has_a_receipt() {
    let signer = signer();
    for size in 2..=33 {
        let (tree, checkpoint) = log(size);
        for index in 0..size {
            let (leaf, index) = (entry(index), LeafIndex(index));
            let hashes = tree.prove_inclusion(index, TreeSize(size)).unwrap();
            let receipt = CoseReceipt::sign(&signer, &checkpoint, index, hashes, &leaf).unwrap();
            let read = CoseReceipt::parse(&receipt.bytes()).unwrap();
            assert_eq!(read, receipt);
            assert_eq!(read.verify(&leaf, signer.vkey()), Ok(checkpoint.clone()));
            assert!(is_receipt(&receipt.bytes()));
            let other = entry(index.0 + 1);
            assert_eq!(
                read.verify(&other, signer.vkey()),
                Err(CoseError::BadSignature)
            );
        }
    }
}

#[test]
fn a_receipt_cut_anywhere_is_refused() {
    let bytes = Parts::good().bytes();
    for length in 0..bytes.len() {
        assert!(CoseReceipt::parse(&bytes[..length]).is_err(), "{length}");
    }
}

/// Nothing in a receipt can be said in two ways, signed or not: index and path are fixed by the
/// size, which is signed, and the root.
#[test]
fn a_receipt_with_any_bit_turned_is_refused() {
    let (bytes, key) = (Parts::good().bytes(), signer());
    let leaf = entry(7);
    let verified = |bytes: &[u8]| CoseReceipt::parse(bytes)?.verify(&leaf, key.vkey());
    assert!(verified(&bytes).is_ok());
    for bit in 0..bytes.len() * 8 {
        let mut turned = bytes.clone();
        turned[bit / 8] ^= 1 << (bit % 8);
        assert!(verified(&turned).is_err(), "bit {bit}");
    }
}

#[test]
fn what_is_signed_is_never_the_text_of_a_note() {
    let (tree, checkpoint) = log(11);
    let hashes = tree.prove_inclusion(LeafIndex(7), TreeSize(11)).unwrap();
    let receipt =
        CoseReceipt::sign(&signer(), &checkpoint, LeafIndex(7), hashes, &entry(7)).unwrap();
    let signed = receipt.signed(&checkpoint.root);
    // 0x84 only ever continues a character, so no text begins with it.
    assert_eq!(signed[0], 0x84);
    assert!(std::str::from_utf8(&signed[..1]).is_err());
    let mut note = checkpoint.to_note().unwrap();
    note.add(crate::log::note::NoteSignature {
        name: ORIGIN.to_owned(),
        key_id: receipt.key_id,
        blob: receipt.signature.0.to_vec(),
    })
    .unwrap();
    let refused = note.verify(signer().vkey()).unwrap_err();
    assert_eq!(refused.code(), "bad_signature");
}

#[test]
fn what_the_key_does_not_sign() {
    let signer = signer();
    let (tree, checkpoint) = log(11);
    let (index, leaf) = (LeafIndex(7), entry(7));
    let hashes = tree.prove_inclusion(index, TreeSize(11)).unwrap();
    let sign = |checkpoint: &Checkpoint, index, hashes: &[Hash], leaf: &Hash| {
        let made = CoseReceipt::sign(&signer, checkpoint, index, hashes.to_vec(), leaf);
        made.map_err(|error| error.code())
    };
    assert!(sign(&checkpoint, index, &hashes, &leaf).is_ok());
    let elsewhere = Checkpoint {
        origin: "zhao.example/wuxi".to_owned(),
        ..checkpoint.clone()
    };
    assert_eq!(sign(&elsewhere, index, &hashes, &leaf), Err("key_mismatch"));
    let other = Checkpoint {
        root: entry(0),
        ..checkpoint.clone()
    };
    assert_eq!(sign(&other, index, &hashes, &leaf), Err("root_mismatch"));
    assert_eq!(
        sign(&checkpoint, index, &hashes, &entry(8)),
        Err("root_mismatch")
    );
    assert_eq!(
        sign(&checkpoint, index, &hashes[1..], &leaf),
        Err("proof_length")
    );
    assert_eq!(
        sign(&checkpoint, LeafIndex(11), &hashes, &leaf),
        Err("index_out_of_range")
    );
    let (_, alone) = log(1);
    assert_eq!(
        sign(&alone, LeafIndex(0), &[], &entry(0)),
        Err("path_empty")
    );
}

/// Why the size is signed: without it the same path passes for another size, and another place.
#[test]
fn a_root_alone_does_not_fix_the_size() {
    let (tree, checkpoint) = log(11);
    let leaf = entry(7);
    let hashes = tree.prove_inclusion(LeafIndex(7), TreeSize(11)).unwrap();
    let claim = |size| root_from_inclusion(LeafIndex(7), TreeSize(size), &leaf, &hashes);
    assert_eq!(claim(12), Ok(checkpoint.root));
    assert!(matches!(claim(8), Err(TreeError::ProofLength { .. })));
    let last = tree.prove_inclusion(LeafIndex(10), TreeSize(11)).unwrap();
    let moved = root_from_inclusion(LeafIndex(9), TreeSize(10), &entry(10), &last);
    assert_eq!(moved, Ok(checkpoint.root));
}

#[test]
fn a_key_that_signs_otherwise_is_no_log_key() {
    let receipt = CoseReceipt::parse(&Parts::good().bytes()).unwrap();
    let public = SecretKey::from_seed([1; 32]).public();
    let witness = Vkey::new(ORIGIN, KeyKind::Cosignature, public).unwrap();
    let refused = receipt.verify(&entry(7), &witness).unwrap_err();
    assert_eq!(refused.code(), "key_type");
}
