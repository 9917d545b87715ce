//! The rules of tlog-witness, one by one.

use std::sync::Arc;

use zhao_spec::log::checkpoint::{Checkpoint, CheckpointError};
use zhao_spec::log::cosignature::UnixSeconds;
use zhao_spec::log::note::{NoteError, NoteSignature, NoteSigner};
use zhao_spec::log::tree::{MemoryTree, TreeError, TreeSize, leaf_hash};
use zhao_spec::wire::Hash;

use super::{Request, RequestError, Witness, WitnessError};
use crate::fixture::{ORIGIN, Site, secret, witness_over};
use crate::store::StoreError;
use crate::store::files::Files as _;
use crate::store::memory::{Fault, How, Memory, Operation};

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

fn tree(size: u64) -> MemoryTree {
    let mut tree = MemoryTree::new();
    (0..size).for_each(|n| drop(tree.push(leaf_hash(&n.to_be_bytes()))));
    tree
}

fn note(size: u64, root: Hash) -> String {
    let checkpoint = Checkpoint {
        origin: ORIGIN.to_owned(),
        size: TreeSize(size),
        root,
    };
    let mut note = checkpoint.to_note().unwrap();
    note.sign(&Site::signer()).unwrap();
    note.format()
}

/// An honest request for the tree of `size` leaves.
fn honest(old: u64, size: u64) -> Request {
    let tree = tree(size);
    let proof = match old {
        0 => Vec::new(),
        _ => tree
            .prove_consistency(TreeSize(old), TreeSize(size))
            .unwrap(),
    };
    Request {
        old: TreeSize(old),
        proof,
        note: note(size, tree.root()),
    }
}

fn witness() -> (Memory, Witness) {
    let disk = Memory::new();
    let witness = witness_over(&disk);
    (disk, witness)
}

#[test]
fn it_follows_a_log() {
    let (disk, mut witness) = witness();
    for (old, size) in [(0, 3), (3, 3), (3, 8), (8, 300)] {
        let request = honest(old, size);
        let line = witness.add_checkpoint(&request, NOW).unwrap();
        let signature = NoteSignature::parse(line.strip_suffix('\n').unwrap()).unwrap();
        assert!(signature.is_by(witness.vkey()));
        let mut note = zhao_spec::log::note::SignedNote::parse(&request.note).unwrap();
        note.add(signature).unwrap();
        assert_eq!(witness.latest(ORIGIN).unwrap(), Some(note.format()));
        // Another process goes on from the same state.
        witness = witness_over(&disk);
    }
    assert_eq!(witness.latest("other.example").unwrap(), None);
}

#[test]
fn old_must_be_what_it_cosigned_last() {
    let (_, mut witness) = witness();
    let error = witness.add_checkpoint(&honest(2, 3), NOW).unwrap_err();
    assert_eq!(
        error,
        WitnessError::Conflict {
            size: TreeSize(0),
            old: TreeSize(2)
        }
    );
    witness.add_checkpoint(&honest(0, 5), NOW).unwrap();
    for (old, size) in [(0, 9), (4, 9), (3, 4), (6, 9)] {
        let error = witness.add_checkpoint(&honest(old, size), NOW).unwrap_err();
        assert_eq!(
            error,
            WitnessError::Conflict {
                size: TreeSize(5),
                old: TreeSize(old)
            }
        );
    }
    let mut request = honest(5, 9);
    request.old = TreeSize(10);
    let error = witness.add_checkpoint(&request, NOW).unwrap_err();
    assert_eq!(
        error,
        WitnessError::OldAboveSize {
            old: TreeSize(10),
            size: TreeSize(9)
        }
    );
}

#[test]
fn a_fork_is_refused() {
    let (_, mut witness) = witness();
    witness.add_checkpoint(&honest(0, 5), NOW).unwrap();
    let mut request = honest(5, 9);
    request.note = note(9, Hash([9; 32]));
    let error = witness.add_checkpoint(&request, NOW).unwrap_err();
    assert!(
        matches!(
            error,
            WitnessError::Inconsistent(TreeError::RootMismatch { .. })
        ),
        "{error:?}"
    );
    // The same size under another root.
    let request = Request {
        proof: Vec::new(),
        note: note(5, Hash([9; 32])),
        old: TreeSize(5),
    };
    let error = witness.add_checkpoint(&request, NOW).unwrap_err();
    assert!(
        matches!(
            error,
            WitnessError::Inconsistent(TreeError::RootMismatch { .. })
        ),
        "{error:?}"
    );
    let mut request = honest(5, 9);
    request.proof.pop();
    let error = witness.add_checkpoint(&request, NOW).unwrap_err();
    assert!(matches!(
        error,
        WitnessError::Inconsistent(TreeError::ProofLength { .. })
    ));
    witness.add_checkpoint(&honest(5, 9), NOW).unwrap();
}

#[test]
fn a_proof_from_nothing_is_refused() {
    let (_, mut witness) = witness();
    let mut request = honest(0, 5);
    request.proof.push(Hash([1; 32]));
    let error = witness.add_checkpoint(&request, NOW).unwrap_err();
    assert_eq!(error, WitnessError::UselessProof { hashes: 1 });
}

#[test]
fn only_the_logs_own_key_counts() {
    let (_, mut witness) = witness();
    let checkpoint = Checkpoint {
        origin: ORIGIN.to_owned(),
        size: TreeSize(5),
        root: tree(5).root(),
    };
    let mut forged = checkpoint.to_note().unwrap();
    forged
        .sign(&NoteSigner::new(ORIGIN, secret("another log")).unwrap())
        .unwrap();
    let request = Request {
        note: forged.format(),
        ..honest(0, 5)
    };
    let error = witness.add_checkpoint(&request, NOW).unwrap_err();
    assert!(
        matches!(
            error,
            WitnessError::Unsigned(CheckpointError::Note(NoteError::NotSigned { .. }))
        ),
        "{error:?}"
    );
    let mut other = Checkpoint {
        origin: "other.example".to_owned(),
        ..checkpoint
    }
    .to_note()
    .unwrap();
    other.sign(&Site::signer()).unwrap();
    let request = Request {
        note: other.format(),
        ..honest(0, 5)
    };
    let error = witness.add_checkpoint(&request, NOW).unwrap_err();
    assert_eq!(
        error,
        WitnessError::UnknownLog {
            origin: "other.example".to_owned()
        }
    );
}

#[test]
fn what_is_no_checkpoint_is_malformed() {
    let (_, mut witness) = witness();
    for note in ["", "x\n", "x\n1\nAAAA\n\n\u{2014} x AAAAAAA=\n"] {
        let request = Request {
            note: note.to_owned(),
            ..honest(0, 5)
        };
        let error = witness.add_checkpoint(&request, NOW).unwrap_err();
        assert!(
            matches!(error, WitnessError::Malformed(RequestError::Checkpoint(_))),
            "{error:?}"
        );
    }
}

#[test]
fn state_is_durable_before_the_line_leaves() {
    for persisted in [false, true] {
        let (disk, mut witness) = witness();
        disk.inject(Some(Fault {
            at: 0,
            of: Operation::Write,
            how: How::Kill,
            persisted,
        }));
        let error = witness.add_checkpoint(&honest(0, 5), NOW).unwrap_err();
        assert!(matches!(error, WitnessError::State(_)), "{error:?}");
        disk.restart();
        let mut witness = witness_over(&disk);
        let again = witness.add_checkpoint(&honest(0, 5), NOW);
        assert_eq!(again.is_ok(), !persisted);
    }
}

#[test]
fn damaged_state_is_not_overwritten() {
    let (disk, mut witness) = witness();
    witness.add_checkpoint(&honest(0, 5), NOW).unwrap();
    let name = super::state_file(ORIGIN);
    let bytes = disk.files().read(&name).unwrap().unwrap();
    for other in [b"".to_vec(), vec![0xff], bytes[..bytes.len() / 2].to_vec()] {
        disk.damage_file(&name, Some(other));
        let error = witness.add_checkpoint(&honest(5, 6), NOW).unwrap_err();
        assert!(
            matches!(error, WitnessError::State(StoreError::File { .. })),
            "{error:?}"
        );
    }
}

#[test]
fn bodies_are_read_strictly() {
    let request = honest(3, 8);
    let hashes: String = request
        .proof
        .iter()
        .map(|hash| hash.to_base64() + "\n")
        .collect();
    let body = format!("old 3\n{hashes}\n{}", request.note);
    assert_eq!(Request::parse(&body).unwrap(), request);
    let cases: [(&str, RequestError); 9] = [
        ("", RequestError::Old),
        ("old 3", RequestError::Old),
        ("old 03\n\nx", RequestError::Old),
        ("old +3\n\nx", RequestError::Old),
        ("old 18446744073709551616\n\nx", RequestError::Old),
        ("new 3\n\nx", RequestError::Old),
        ("old 3\nAAAA\n\nx", RequestError::Hash { line: 1 }),
        ("old 3\n", RequestError::Ended),
        ("old 3\nx", RequestError::Ended),
    ];
    for (body, error) in cases {
        assert_eq!(Request::parse(body).unwrap_err(), error, "{body:?}");
    }
    let many = format!(
        "old 3\n{}\nx",
        (Hash([1; 32]).to_base64() + "\n").repeat(64)
    );
    assert_eq!(Request::parse(&many).unwrap_err(), RequestError::ProofLimit);
    let limit = super::REQUEST_BYTES;
    let long = "x".repeat(limit + 1);
    let error = RequestError::TooLong {
        limit,
        actual: limit + 1,
    };
    assert_eq!(Request::parse(&long).unwrap_err(), error);
}

#[test]
fn a_name_must_be_a_keys() {
    let files = Arc::new(Memory::new().files());
    assert!(Witness::new("no spaces", secret("w"), Vec::new(), files).is_err());
}
