//! Replaying: what an auditor cosigns, and what it will not.

use std::sync::{Arc, Mutex};

use zhao_spec::life::leaf::Leaf;
use zhao_spec::life::verb::Verb;
use zhao_spec::log::checkpoint::Checkpoint;
use zhao_spec::log::cosignature::UnixSeconds;
use zhao_spec::log::tree::{LeafIndex, MemoryTree, TreeSize, check_inclusion, leaf_hash};
use zhao_spec::map::check;
use zhao_spec::wire::Hash;

use super::{AuditError, Auditor, LeafSource};
use crate::fixture::{ORIGIN, Office, Site, at, licence_key, secret};
use crate::replay::Divergence;
use crate::store;
use crate::store::layout::Leaves;
use crate::store::memory::{Fault, How, Memory, Operation};

const NOW: UnixSeconds = UnixSeconds(1_800_000_000);

/// Leaves that a test may change.
#[derive(Default)]
struct Shelf(Mutex<Vec<Vec<u8>>>);

impl LeafSource for Shelf {
    fn leaves(&self, from: LeafIndex, limit: u64) -> Result<Vec<Vec<u8>>, String> {
        let all = self.0.lock().unwrap();
        let from = usize::try_from(from.0).unwrap();
        let end = all.len().min(from + usize::try_from(limit).unwrap());
        Ok(all.get(from..end).unwrap_or_default().to_vec())
    }
}

fn auditor(disk: &Memory, shelf: &Arc<Shelf>, genesis: Hash) -> Auditor {
    let store = Arc::new(disk.store().unwrap());
    let log = Site::signer().vkey().clone();
    let source = Arc::clone(shelf) as Arc<dyn LeafSource>;
    Auditor::new(
        "auditor.example",
        secret("auditor"),
        log.into(),
        genesis,
        store,
        source,
    )
    .unwrap()
}

fn leaves_of(site: &Site) -> Vec<Vec<u8>> {
    let store = site.disk.store().unwrap();
    let (from, to) = (LeafIndex(0), LeafIndex(u64::MAX));
    let all = store::scan::<Leaves>(&store, &from, &to, 100_000).unwrap();
    all.into_iter().map(|(_, leaf)| leaf).collect()
}

/// The head an operator with the log's key would sign over these leaves.
fn head_over(leaves: &[Vec<u8>]) -> String {
    let mut tree = MemoryTree::new();
    for leaf in leaves {
        tree.push(leaf_hash(leaf)).unwrap();
    }
    let checkpoint = Checkpoint {
        origin: ORIGIN.to_owned(),
        size: tree.size(),
        root: tree.root(),
    };
    let mut note = checkpoint.to_note().unwrap();
    note.sign(&Site::signer()).unwrap();
    note.format()
}

/// A log of three epochs with events.
fn honest() -> (Vec<Vec<u8>>, Office) {
    let (site, mut sequencer, mut office) = Site::founded(3);
    sequencer
        .commit(vec![office.plain(0, Verb::Hold), office.issue(3)], at(20))
        .unwrap();
    (leaves_of(&site), office)
}

/// Cosigns the first two epochs, then is shown `leaves`.
fn shown(leaves: Vec<Vec<u8>>) -> (Auditor, Result<String, AuditError>) {
    let shelf = Arc::new(Shelf(Mutex::new(leaves.clone())));
    let mut auditor = auditor(&Memory::new(), &shelf, Office::genesis().hash());
    auditor.cosign(&head_over(&leaves[..9]), NOW).unwrap();
    let result = auditor.cosign(&head_over(&leaves), NOW);
    (auditor, result)
}

/// The finding, after checking that everything in it can be proved.
#[track_caller]
fn diverged(leaves: Vec<Vec<u8>>, at_leaf: u64) -> Divergence {
    let (auditor, result) = shown(leaves);
    let Err(AuditError::Diverged(finding)) = result else {
        panic!("{result:?}")
    };
    assert_eq!(finding.diverged.at, LeafIndex(at_leaf));
    let previous = finding.previous.clone().unwrap();
    for (index, leaf) in (previous.index.0 + 1..).zip(&finding.leaves) {
        let index = LeafIndex(index);
        let path = auditor.inclusion(&finding, index).unwrap();
        let checkpoint = &finding.checkpoint;
        check_inclusion(
            index,
            checkpoint.size,
            &leaf_hash(leaf),
            &path,
            &checkpoint.root,
        )
        .unwrap();
    }
    for (key, record) in &finding.diverged.touched.before {
        let (path, placed) = auditor.place(&previous, key).unwrap();
        assert_eq!(placed.as_ref(), record.as_deref());
        let hash = placed.map(|record| record.hash());
        check(&previous.map_root, key, hash.as_ref(), &path).unwrap();
    }
    assert_eq!(auditor.size().unwrap().0, previous.index.0 + 1);
    finding.diverged.why
}

#[test]
fn it_cosigns_what_it_recomputed() {
    let (leaves, _) = honest();
    let (auditor, result) = shown(leaves.clone());
    result.unwrap();
    assert_eq!(auditor.size().unwrap(), TreeSize(leaves.len() as u64));
}

#[test]
fn an_event_that_is_refused() {
    let (mut leaves, mut office) = honest();
    let Leaf::Epoch(mut epoch) = Leaf::parse(leaves.last().unwrap()).unwrap() else {
        panic!()
    };
    // A second hold, squeezed in before the epoch.
    let last = leaves.len() - 1;
    leaves.insert(last, office.plain(0, Verb::Hold).leaf_bytes().to_vec());
    epoch.index.0 += 1;
    *leaves.last_mut().unwrap() = epoch.bytes();
    let why = diverged(leaves, 11);
    assert!(
        matches!(&why, Divergence::Refused(r) if r.code() == "already_suspended"),
        "{why:?}"
    );
}

#[test]
fn a_signature_that_is_false() {
    let (mut leaves, _) = honest();
    let Leaf::Event(mut event) = Leaf::parse(&leaves[9]).unwrap() else {
        panic!()
    };
    event.signatures[0].signature.0[5] ^= 1;
    leaves[9] = event.leaf_bytes();
    let why = diverged(leaves, 9);
    assert!(
        matches!(&why, Divergence::Refused(r) if r.code() == "signature_invalid"),
        "{why:?}"
    );
}

#[test]
fn epochs_that_state_something_else() {
    let (leaves, _) = honest();
    let Leaf::Epoch(epoch) = Leaf::parse(leaves.last().unwrap()).unwrap() else {
        panic!()
    };
    type Change<'a> = (&'a str, &'a dyn Fn(&mut zhao_spec::life::leaf::Epoch));
    let changes: [Change<'_>; 6] = [
        ("map root", &|epoch| epoch.map_root.0[0] ^= 1),
        ("subjects", &|epoch| epoch.subjects += 1),
        ("number", &|epoch| epoch.epoch += 1),
        ("index", &|epoch| epoch.index.0 += 1),
        ("previous", &|epoch| epoch.previous = Some(LeafIndex(1))),
        ("time", &|epoch| epoch.time.0 = at(1).0),
    ];
    for (member, change) in changes {
        let mut leaves = leaves.clone();
        let mut other = epoch.clone();
        change(&mut other);
        *leaves.last_mut().unwrap() = other.bytes();
        let why = diverged(leaves, 11);
        assert!(
            matches!(&why, Divergence::Epoch { member: m, .. } if *m == member),
            "{member}: {why:?}"
        );
    }
}

#[test]
fn leaves_that_have_no_place() {
    let (honest, _) = honest();
    let mut leaves = honest.clone();
    leaves[9] = b"nonsense".to_vec();
    assert!(matches!(diverged(leaves, 9), Divergence::Malformed(_)));
    let mut leaves = honest.clone();
    leaves[9] = Office::genesis().bytes();
    assert_eq!(diverged(leaves, 9), Divergence::Genesis);
    // A head that does not end in an epoch leaf.
    let (_, result) = shown(honest[..11].to_vec());
    let Err(AuditError::Diverged(finding)) = result else {
        panic!("{result:?}")
    };
    assert_eq!(finding.diverged.why, Divergence::EpochPlace);
}

#[test]
fn a_fork_of_what_it_cosigned() {
    let (mut leaves, _) = honest();
    let shelf = Arc::new(Shelf(Mutex::new(leaves.clone())));
    let mut auditor = auditor(&Memory::new(), &shelf, Office::genesis().hash());
    auditor.cosign(&head_over(&leaves), NOW).unwrap();
    leaves[4] = b"x".to_vec();
    let error = auditor.cosign(&head_over(&leaves), NOW).unwrap_err();
    assert!(matches!(error, AuditError::Fork { .. }), "{error:?}");
    // An earlier honest head is still one of this log.
    leaves = shelf.0.lock().unwrap().clone();
    auditor.cosign(&head_over(&leaves[..9]), NOW).unwrap();
    let error = auditor.cosign(&head_over(&leaves[..7]), NOW).unwrap_err();
    assert_eq!(error, AuditError::NotAnEpoch { size: TreeSize(7) });
}

#[test]
fn sources_that_lie_or_run_dry() {
    let (leaves, _) = honest();
    let note = head_over(&leaves);
    let shelf = Arc::new(Shelf(Mutex::new(leaves[..10].to_vec())));
    let disk = Memory::new();
    let mut auditor = auditor(&disk, &shelf, Office::genesis().hash());
    let error = auditor.cosign(&note, NOW).unwrap_err();
    assert!(
        matches!(
            error,
            AuditError::Source {
                from: LeafIndex(10),
                ..
            }
        ),
        "{error:?}"
    );
    let mut other = leaves.clone();
    other[2] = b"x".to_vec();
    *shelf.0.lock().unwrap() = other;
    let error = auditor.cosign(&note, NOW).unwrap_err();
    assert!(matches!(error, AuditError::Fork { .. }), "{error:?}");
    // Nothing of it was believed.
    assert_eq!(auditor.size().unwrap(), TreeSize(0));
    *shelf.0.lock().unwrap() = leaves;
    auditor.cosign(&note, NOW).unwrap();
}

#[test]
fn another_genesis() {
    let (leaves, _) = honest();
    let shelf = Arc::new(Shelf(Mutex::new(leaves.clone())));
    let mut auditor = auditor(&Memory::new(), &shelf, Hash([1; 32]));
    let error = auditor.cosign(&head_over(&leaves), NOW).unwrap_err();
    let (expected, actual) = (Hash([1; 32]), Office::genesis().hash());
    assert_eq!(error, AuditError::Genesis { expected, actual });
}

#[test]
fn it_goes_on_after_a_crash_at_any_write() {
    let (leaves, _) = honest();
    for at_write in 0..4 {
        for persisted in [false, true] {
            let shelf = Arc::new(Shelf(Mutex::new(leaves.clone())));
            let disk = Memory::new();
            let genesis = Office::genesis().hash();
            let mut first = auditor(&disk, &shelf, genesis);
            let fault = Fault {
                at: at_write,
                of: Operation::Write,
                how: How::Kill,
                persisted,
            };
            disk.inject(Some(fault));
            let error = first.cosign(&head_over(&leaves), NOW).unwrap_err();
            assert!(matches!(error, AuditError::Store(_)), "{error:?}");
            disk.restart();
            let mut second = auditor(&disk, &shelf, genesis);
            second.cosign(&head_over(&leaves), NOW).unwrap();
        }
    }
}

#[test]
fn places_of_earlier_epochs_stay_provable() {
    let (leaves, _) = honest();
    let (auditor, result) = shown(leaves.clone());
    result.unwrap();
    let Leaf::Epoch(epoch) = Leaf::parse(&leaves[8]).unwrap() else {
        panic!()
    };
    let (path, record) = auditor.place(&epoch, &licence_key(0)).unwrap();
    let hash = record.map(|record| record.hash());
    check(&epoch.map_root, &licence_key(0), hash.as_ref(), &path).unwrap();
    let (path, record) = auditor.place(&epoch, &licence_key(3)).unwrap();
    assert_eq!(record, None);
    check(&epoch.map_root, &licence_key(3), None, &path).unwrap();
}
