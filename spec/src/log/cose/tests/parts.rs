//! Receipts made by hand, item by item, so that each may be wrong.

use super::super::*;
use crate::log::tree::{MemoryTree, leaf_hash};
use crate::wire::signature::SecretKey;

pub(super) const ORIGIN: &str = "zhao.example/changzhou";

pub(super) fn signer() -> NoteSigner {
    NoteSigner::new(ORIGIN, SecretKey::from_seed([1; 32])).unwrap()
}

/// The entry at an index, as bytes.
pub(super) fn entry_bytes(index: u64) -> Vec<u8> {
    format!("leaf {index}").into_bytes()
}

/// Its hash.
pub(super) fn entry(index: u64) -> Hash {
    leaf_hash(&entry_bytes(index))
}

/// A log of `size` entries.
pub(super) fn log(size: u64) -> (MemoryTree, Checkpoint) {
    let mut tree = MemoryTree::new();
    for index in 0..size {
        tree.push(entry(index)).unwrap();
    }
    let checkpoint = Checkpoint {
        origin: ORIGIN.to_owned(),
        size: TreeSize(size),
        root: tree.root(),
    };
    (tree, checkpoint)
}

/// Bytes of `row` in hexadecimal, where `07*3` is `070707`.
pub(super) fn hex(row: &str) -> Vec<u8> {
    let byte = |at: usize, token: &str| u8::from_str_radix(&token[at..at + 2], 16).unwrap();
    row.split_whitespace()
        .flat_map(|token| {
            let (digits, times) = token.split_once('*').unwrap_or((token, "1"));
            let bytes: Vec<u8> = (0..digits.len())
                .step_by(2)
                .map(|at| byte(at, digits))
                .collect();
            bytes.repeat(times.parse().unwrap())
        })
        .collect()
}

/// A byte string.
pub(super) fn string(bytes: &[u8]) -> Vec<u8> {
    let mut out = Writer::default();
    out.bytes(bytes);
    out.finish()
}

/// A key's identifier as an item.
pub(super) fn kid_item(text: &[u8]) -> Vec<u8> {
    string(text)
}

/// The items of a receipt. What is signed is signed last, over the header as it then is.
#[derive(Clone)]
pub(super) struct Parts {
    /// Tag and head of the array.
    pub(super) head: Vec<u8>,
    /// Labels and values of the protected header.
    pub(super) protected: Vec<(Vec<u8>, Vec<u8>)>,
    /// The protected header instead, whatever it is.
    pub(super) header: Option<Vec<u8>>,
    /// The unprotected header instead.
    pub(super) unprotected: Option<Vec<u8>>,
    /// The content of the inclusion proof.
    pub(super) proof: Vec<u8>,
    pub(super) payload: Vec<u8>,
    pub(super) root: Hash,
    /// The signature instead, as an item.
    pub(super) signature: Option<Vec<u8>>,
    pub(super) tail: Vec<u8>,
}

impl Parts {
    /// The receipt of entry 7 of 11.
    pub(super) fn good() -> Self {
        Self::of(7, 11)
    }

    pub(super) fn of(index: u64, size: u64) -> Self {
        let (tree, checkpoint) = log(size);
        let hashes = tree
            .prove_inclusion(LeafIndex(index), TreeSize(size))
            .unwrap();
        Self::with(index, size, &hashes, checkpoint.root)
    }

    pub(super) fn with(index: u64, size: u64, hashes: &[Hash], root: Hash) -> Self {
        let key = kid(ORIGIN, signer().key_id());
        let mut number = Writer::default();
        number.unsigned(size);
        Self {
            head: hex("d2 84"),
            protected: vec![
                (hex("01"), hex("27")),
                (hex("04"), kid_item(key.as_bytes())),
                (hex("19018b"), hex("01")),
                (hex("3a00010000"), number.finish()),
            ],
            header: None,
            unprotected: None,
            proof: proof(index, size, hashes),
            payload: hex("f6"),
            root,
            signature: None,
            tail: Vec::new(),
        }
    }

    /// The content of the protected header.
    pub(super) fn header(&self) -> Vec<u8> {
        self.header.clone().unwrap_or_else(|| {
            let mut out = Writer::default();
            out.map(self.protected.len());
            let mut bytes = out.finish();
            for (label, value) in &self.protected {
                bytes.extend_from_slice(label);
                bytes.extend_from_slice(value);
            }
            bytes
        })
    }

    /// The `Sig_structure`, its context and external data as given.
    pub(super) fn signed(&self, context: &str, external: &[u8]) -> Vec<u8> {
        let mut out = Writer::default();
        out.array(4);
        out.text(context);
        out.bytes(&self.header());
        out.bytes(external);
        out.bytes(&self.root.0);
        out.finish()
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let unprotected = || [hex("a1 19018c a1 20 81"), string(&self.proof)].concat();
        let secret = SecretKey::from_seed([1; 32]);
        let sign = || string(&secret.sign(&self.signed("Signature1", &[])).0);
        [
            self.head.clone(),
            string(&self.header()),
            self.unprotected.clone().unwrap_or_else(unprotected),
            self.payload.clone(),
            self.signature.clone().unwrap_or_else(sign),
            self.tail.clone(),
        ]
        .concat()
    }
}

/// The content of an inclusion proof.
pub(super) fn proof(index: u64, size: u64, hashes: &[Hash]) -> Vec<u8> {
    let mut out = Writer::default();
    out.array(3);
    out.unsigned(size);
    out.unsigned(index);
    out.array(hashes.len());
    for hash in hashes {
        out.bytes(&hash.0);
    }
    out.finish()
}
