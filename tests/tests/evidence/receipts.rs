//! `hidden-event`: the log gave a receipt and then showed the subject without the event.

use zhao_ledger::audit::compare::{Known, NotJudged, Seen};
use zhao_spec::file::{Evidence, HiddenEvent, Receipt};
use zhao_spec::life::verb::Verb;
use zhao_spec::log::tree::{LeafIndex, MemoryTree};
use zhao_spec::wire::Hash;

use crate::desk::{Desk, convicts, fails};
use crate::operator::{ORIGIN, OTHER, Operator, State, signer, without_log};

/// A revocation with its receipt, and the log as it would be without it.
fn dropped() -> (Receipt, Operator) {
    let mut honest = Operator::founded(ORIGIN);
    let mut other = honest.clone();
    let index = honest.revoke(1);
    honest.close();
    other.issue(4);
    other.close();
    other.close();
    (honest.receipt(index), other)
}

/// What a reader of the log's tiles and records knows, who did not replay.
fn reader(log: &Operator) -> Known<'static, MemoryTree> {
    let vkey = Box::leak(Box::new(signer(ORIGIN).vkey().clone().into()));
    let epoch = log.epochs.last().unwrap().clone();
    let standing = Box::new(log.state.clone());
    Known::new(vkey, &log.note(), epoch, log.tree.clone(), Some(standing)).unwrap()
}

#[test]
fn a_revocation_dropped_and_signed_over_is_evidence_twice() {
    let (receipt, other) = dropped();
    let desk = Desk::of(&other);
    convicts(
        desk.compare(&receipt.bytes()),
        &["hidden-event", "two-heads"],
    );
}

#[test]
fn an_issuance_dropped_leaves_its_subject_absent() {
    let mut honest = Operator::founded(ORIGIN);
    let mut other = honest.clone();
    let index = honest.issue(4);
    honest.close();
    other.revoke(2);
    other.close();
    let seen = Desk::of(&other).compare(&honest.receipt(index).bytes());
    let found = convicts(seen, &["hidden-event", "two-heads"]);
    let Evidence::HiddenEvent(own) = &found[0] else {
        unreachable!()
    };
    assert_eq!(own.record, None);
}

#[test]
fn a_map_turned_back_is_evidence_without_a_fork() {
    let mut log = Operator::founded(ORIGIN);
    let before = log.state.clone();
    let index = log.revoke(1);
    log.close();
    let receipt = log.receipt(index);
    // The tree only grows; the map forgets. An auditor would not cosign; a reader compares.
    log.state = before;
    log.close();
    let seen = reader(&log).compare(&receipt.bytes()).unwrap();
    let found = convicts(seen, &["hidden-event"]);
    let Evidence::HiddenEvent(own) = &found[0] else {
        unreachable!()
    };
    assert_eq!(
        own.record
            .as_ref()
            .and_then(|record| record.chain_end())
            .unwrap()
            .0,
        0
    );
}

#[test]
fn another_event_in_its_place_is_a_fork() {
    let mut honest = Operator::founded(ORIGIN);
    let mut other = honest.clone();
    let index = honest.revoke(1);
    honest.close();
    // The subject's record has as many events as the receipt says, only not this one.
    other.admit(other.plain(1, Verb::Mortgage));
    other.close();
    let seen = Desk::of(&other).compare(&honest.receipt(index).bytes());
    convicts(seen, &["two-heads"]);
}

#[test]
fn a_receipt_newer_than_the_auditor_still_convicts_by_its_event() {
    let (mut honest, mut other) = (Operator::founded(ORIGIN), Operator::founded(ORIGIN));
    let index = honest.revoke(1);
    (0..4).for_each(|_| honest.close());
    other.issue(4);
    other.close();
    assert!(other.tree.size() < honest.tree.size());
    let seen = Desk::of(&other).compare(&honest.receipt(index).bytes());
    convicts(seen, &["hidden-event"]);
}

#[test]
fn receipts_of_an_honest_log_agree() {
    let mut log = Operator::founded(ORIGIN);
    let mut receipts = Vec::new();
    for n in 1..=3 {
        for verb in [Verb::Hold, Verb::LiftHold, Verb::Revoke] {
            let index = log.admit(log.plain(n, verb));
            log.close();
            receipts.push(log.receipt(index).bytes());
        }
    }
    let desk = Desk::of(&log);
    for receipt in receipts {
        assert_eq!(desk.compare(&receipt), Seen::Agrees);
        assert_eq!(reader(&log).compare(&receipt).unwrap(), Seen::Agrees);
    }
}

#[test]
fn a_receipt_that_is_newer_waits() {
    let mut log = Operator::founded(ORIGIN);
    let desk = Desk::of(&log);
    let ours = log.tree.size();
    let index = log.revoke(1);
    log.close();
    let theirs = log.tree.size();
    let seen = desk.compare(&log.receipt(index).bytes());
    assert_eq!(seen, Seen::NotJudged(NotJudged::Newer { theirs, ours }));
}

#[test]
fn without_a_map_only_heads_are_compared() {
    let (receipt, other) = dropped();
    let vkey = signer(ORIGIN).vkey().clone().into();
    let known = |log: &Operator| {
        let epoch = log.epochs.last().unwrap().clone();
        Known::new(&vkey, &log.note(), epoch, log.tree.clone(), None).unwrap()
    };
    convicts(
        known(&other).compare(&receipt.bytes()).unwrap(),
        &["two-heads"],
    );
    let mut honest = Operator::founded(ORIGIN);
    let index = honest.revoke(1);
    honest.close();
    let seen = known(&honest)
        .compare(&honest.receipt(index).bytes())
        .unwrap();
    assert_eq!(seen, Seen::NotJudged(NotJudged::NoMap));
}

#[test]
fn what_is_no_receipt_of_the_log_is_not_judged() {
    let (good, other) = dropped();
    let desk = Desk::of(&other);
    let mut honest = Operator::founded(ORIGIN);
    let index = honest.revoke(1);
    honest.close();
    let unsound = |change: &dyn Fn(&mut Receipt), expected: &str| {
        let mut receipt = good.clone();
        change(&mut receipt);
        let seen = desk.compare(&receipt.bytes());
        let Seen::NotJudged(NotJudged::Unsound(why)) = seen else {
            panic!("{seen:?}")
        };
        assert!(why.contains(expected), "{why:?} is not about {expected:?}");
    };
    unsound(&|own| own.event.effective.0 -= 1, "root is");
    unsound(&|own| own.event.origin = OTHER.to_owned(), "of another log");
    unsound(&|own| own.head = other.head(), "different checkpoints");
    unsound(&|own| own.head.epoch.index.0 -= 1, "not the last leaf");
    unsound(&|own| own.head.epoch.subjects += 1, "root is");
    unsound(
        &|own| {
            own.proof = honest.proof(LeafIndex(index.0 - 1));
            own.index = own.proof.index();
        },
        "root is",
    );
    unsound(
        &|own| {
            let note = without_log(&honest.note());
            own.proof = honest.proof_under(index, note.clone());
            own.head = honest.head_under(note);
        },
        "not signed by",
    );
}

#[test]
fn altered_hidden_events_do_not_hold() {
    let (receipt, other) = dropped();
    let found = convicts(
        Desk::of(&other).compare(&receipt.bytes()),
        &["hidden-event", "two-heads"],
    );
    let Evidence::HiddenEvent(good) = found.into_iter().next().unwrap() else {
        unreachable!()
    };
    let altered = |change: &dyn Fn(&mut HiddenEvent), expected: &str| {
        let mut own = good.clone();
        change(&mut own);
        fails(&Evidence::HiddenEvent(own), expected);
    };
    let show = |own: &mut HiddenEvent, state: &State, subject: &Hash| {
        let place = state.place(subject);
        (own.path, own.record) = (place.path, place.record);
    };
    // The head shows the event: the record is as far, or further.
    let mut honest = Operator::founded(ORIGIN);
    honest.revoke(1);
    honest.close();
    honest.close();
    let subject = honest.licence(1);
    altered(
        &|own| {
            own.head = honest.head();
            show(own, &honest.state, &subject);
        },
        "the head shows the event",
    );
    let mut equal = other.clone();
    equal.admit(equal.plain(1, Verb::Mortgage));
    equal.close();
    altered(
        &|own| {
            own.head = equal.head();
            show(own, &equal.state, &subject);
        },
        "the head shows the event",
    );
    // Another subject's record, no record, another map.
    altered(&|own| show(own, &other.state, &other.licence(2)), "root is");
    altered(&|own| own.record = None, "terminal");
    altered(&|own| show(own, &honest.state, &subject), "root is");
    // Heads.
    let early = Operator::founded(ORIGIN);
    altered(
        &|own| {
            own.head = early.head();
            show(own, &early.state, &subject);
        },
        "the head is older than the receipt",
    );
    let foreign = Operator::founded(OTHER);
    altered(&|own| own.head = foreign.head(), "different logs");
    altered(
        &|own| own.head = other.head_under(without_log(&other.note())),
        "not signed by the log",
    );
    altered(&|own| own.head.epoch.map_root.0[0] ^= 1, "root is");
    altered(&|own| own.head.epoch = other.epochs[2].clone(), "epoch");
    // The receipt.
    altered(&|own| own.receipt.event.seq += 1, "root is");
    altered(&|own| own.receipt.head = other.head(), "checkpoint");
    altered(
        &|own| {
            let note = without_log(&own.receipt.head.proof.note().format());
            let proof = |proof: &zhao_spec::file::LogProof| {
                let parts = zhao_spec::log::tlog_proof::TlogProof {
                    index: proof.index(),
                    hashes: proof.path().to_vec(),
                    extra: None,
                    checkpoint: note.clone(),
                };
                zhao_spec::file::LogProof::new(parts).unwrap()
            };
            own.receipt.head.proof = proof(&own.receipt.head.proof);
            own.receipt.proof = proof(&own.receipt.proof);
        },
        "not signed by the log",
    );
}
