//! Evidence about a batch, with one thing changed: it must fail, and for that reason.

use zhao_ledger::audit::evidence::from_finding;
use zhao_spec::file::{Batch, Evidence, RawLeaf};
use zhao_spec::life::verb::Verb;
use zhao_spec::log::tree::LeafIndex;

use crate::desk::{Desk, fails, holds};
use crate::operator::{ORIGIN, OTHER, Operator, without_log};

const WELL: &str = "the epoch leaf follows from the leaves before it";

/// The evidence that comes of a log which the auditor followed until it was founded.
fn evidence(cheat: impl FnOnce(&mut Operator)) -> (Operator, Batch) {
    let mut log = Operator::founded(ORIGIN);
    let mut desk = Desk::of(&log);
    cheat(&mut log);
    let finding = desk.finding(&log);
    match from_finding(&desk.auditor, &finding).unwrap() {
        Evidence::InadmissibleLeaf(batch) | Evidence::WrongTransition(batch) => (log, batch),
        other => panic!("{}", other.claim()),
    }
}

/// Three events, the second of which lifts what is not suspended.
fn bad_leaf() -> (Operator, Batch) {
    let (log, batch) = evidence(|log| {
        log.admit(log.plain(1, Verb::Hold));
        log.push(log.plain(2, Verb::LiftHold).leaf_bytes());
        log.admit(log.plain(3, Verb::Mortgage));
        log.close();
        log.close();
    });
    holds(
        &Evidence::InadmissibleLeaf(batch.clone()),
        "inadmissible-leaf",
    );
    (log, batch)
}

/// Three events, the second of which the map ignores.
fn bad_map() -> (Operator, Batch) {
    let (log, batch) = evidence(|log| {
        log.admit(log.plain(1, Verb::Hold));
        log.push(log.plain(2, Verb::Revoke).leaf_bytes());
        log.admit(log.plain(3, Verb::Mortgage));
        log.close();
        log.close();
    });
    holds(
        &Evidence::WrongTransition(batch.clone()),
        "wrong-transition",
    );
    (log, batch)
}

/// What a batch is said to be.
type Claim = fn(Batch) -> Evidence;

/// Both kinds of claim about a batch.
fn both() -> [(Operator, Batch, Claim); 2] {
    let ((leaf, bad_leaf), (map, bad_map)) = (bad_leaf(), bad_map());
    [
        (leaf, bad_leaf, Evidence::InadmissibleLeaf),
        (map, bad_map, Evidence::WrongTransition),
    ]
}

/// Changes the batch of each claim, which must then fail as expected.
#[track_caller]
fn altered(change: impl Fn(&Operator, &mut Batch), expected: &str) {
    for (log, mut batch, claim) in both() {
        change(&log, &mut batch);
        fails(&claim(batch), expected);
    }
}

#[test]
fn an_entry_left_out_is_noticed() {
    for at in 0..3 {
        altered(
            |_, batch| drop(batch.entries.remove(at)),
            "an entry is left out",
        );
    }
    altered(
        |_, batch| drop(batch.entries.pop()),
        "the last entry is no epoch leaf",
    );
    altered(
        |_, batch| batch.entries.clear(),
        "the last entry is no epoch leaf",
    );
}

#[test]
fn an_entry_too_many_is_noticed() {
    altered(
        |_, batch| {
            let last = batch.entries.last().unwrap().clone();
            batch.entries.push(last);
        },
        "an entry is left out",
    );
    // Two epochs in one: no epoch leaf may stand between events.
    for (log, mut batch, claim) in both() {
        let index = LeafIndex(batch.entries.last().unwrap().index.0 + 1);
        let leaf = log.leaves[usize::try_from(index.0).unwrap()].clone();
        let path = log.proof(index).path().to_vec();
        batch.entries.push(RawLeaf { index, leaf, path });
        match claim(batch) {
            // Refused before it comes to the second epoch leaf, and rightly.
            evidence @ Evidence::InadmissibleLeaf(_) => holds(&evidence, "inadmissible-leaf"),
            evidence => fails(&evidence, "an entry before the last is no event"),
        }
    }
}

#[test]
fn entries_out_of_order_are_noticed() {
    altered(|_, batch| batch.entries.swap(0, 1), "an entry is left out");
}

#[test]
fn an_altered_entry_is_noticed() {
    for at in 0..4 {
        altered(|_, batch| batch.entries[at].leaf.push(b' '), "root is");
        altered(|_, batch| batch.entries[at].path[0].0[0] ^= 1, "root is");
        altered(|_, batch| batch.entries[at].path.truncate(1), "proof has");
    }
    altered(
        |_, batch| {
            let path = batch.entries[1].path.clone();
            batch.entries[1].path = std::mem::replace(&mut batch.entries[0].path, path);
        },
        "root is",
    );
    altered(
        |_, batch| batch.entries[0].index.0 += 1_000,
        "not in a tree of size",
    );
    altered(
        |_, batch| {
            let leaf = batch.entries[2].leaf.clone();
            batch.entries[1].leaf = leaf;
        },
        "root is",
    );
}

#[test]
fn a_missing_subject_is_noticed() {
    for (_, batch, claim) in both() {
        let mut needed = 0;
        for at in 0..batch.subjects.len() {
            let mut without = batch.clone();
            without.subjects.remove(at);
            fails(&claim(without), "is not shown");
            needed += 1;
        }
        assert!(needed >= 5, "{needed}");
        let mut none = batch;
        none.subjects.clear();
        fails(&claim(none), "is not shown");
    }
}

#[test]
fn an_altered_subject_is_noticed() {
    altered(
        |_, batch| batch.subjects[0].path.hashes[0].0[0] ^= 1,
        "root is",
    );
    altered(
        |_, batch| {
            let path = batch.subjects[1].path.clone();
            batch.subjects[1].path = std::mem::replace(&mut batch.subjects[0].path, path);
        },
        "subject ",
    );
    altered(
        |_, batch| {
            let record = batch.subjects[1].record.clone();
            batch.subjects[1].record = std::mem::replace(&mut batch.subjects[0].record, record);
        },
        "root is",
    );
    altered(|_, batch| batch.subjects[0].record = None, "terminal");
    // As they were under another epoch.
    altered(
        |log, batch| {
            for place in &mut batch.subjects {
                *place = log.states[1].place(&place.subject);
            }
        },
        "root is",
    );
}

#[test]
fn another_subject_may_be_shown() {
    for (log, mut batch, claim) in both() {
        let more = log.states[2].place(&log.licence(77));
        batch.subjects.push(more);
        batch.subjects.sort_by_key(|place| place.subject);
        let evidence = claim(batch);
        holds(&evidence, evidence.claim());
    }
}

#[test]
fn another_head_is_noticed() {
    let foreign = Operator::founded(OTHER);
    altered(|_, batch| batch.head = foreign.head(), "entry ");
    let mut told = Operator::founded(ORIGIN);
    told.revoke(1);
    told.close();
    (0..4).for_each(|_| told.close());
    altered(|_, batch| batch.head = told.head(), "entry ");
    // An older head of the same log does not have the entries.
    let early = Operator::founded(ORIGIN);
    altered(|_, batch| batch.head = early.head(), "entry ");
}

#[test]
fn an_altered_head_is_noticed() {
    altered(
        |log, batch| batch.head = log.head_under(without_log(&log.note())),
        "not signed by the log",
    );
    altered(|_, batch| batch.head.epoch.subjects += 1, "root is");
    altered(
        |_, batch| batch.head.epoch.index.0 += 1,
        "epoch index 14 and proof index 13",
    );
    altered(
        |log, batch| batch.head.epoch = log.epochs[3].clone(),
        "epoch",
    );
}

#[test]
fn another_previous_is_noticed() {
    altered(|_, batch| batch.previous.leaf.push(b' '), "root is");
    altered(|_, batch| batch.previous.path.reverse(), "root is");
    altered(
        |_, batch| batch.previous = batch.entries[0].clone(),
        "previous is no epoch leaf",
    );
    altered(
        |log, batch| {
            let index = log.epochs[1].index;
            let leaf = log.epochs[1].bytes();
            let path = log.proof(index).path().to_vec();
            batch.previous = RawLeaf { index, leaf, path };
        },
        "an entry is left out",
    );
}

#[test]
fn a_previous_that_lies_about_its_place_is_noticed() {
    let mut log = Operator::founded(ORIGIN);
    log.close_with(|epoch| epoch.index.0 += 1);
    log.admit(log.plain(1, Verb::Hold));
    log.close();
    let batch = log.batch(2, &[]);
    holds(&Evidence::WrongTransition(batch), "wrong-transition");
    let index = log.ends[3];
    let raw = |index: LeafIndex| RawLeaf {
        index,
        leaf: log.leaves[usize::try_from(index.0).unwrap()].clone(),
        path: log.proof(index).path().to_vec(),
    };
    let batch = Batch {
        entries: vec![raw(LeafIndex(index.0 + 1)), raw(LeafIndex(index.0 + 2))],
        head: log.head(),
        previous: raw(index),
        subjects: Vec::new(),
    };
    fails(
        &Evidence::WrongTransition(batch),
        "previous states another index than its own",
    );
}

#[test]
fn one_claim_is_not_the_other() {
    let (_, leaf) = bad_leaf();
    fails(
        &Evidence::WrongTransition(leaf),
        "a leaf is inadmissible, which is another claim",
    );
    let (_, map) = bad_map();
    fails(&Evidence::InadmissibleLeaf(map), "every leaf is admissible");
}

#[test]
fn nonsense_in_the_log_is_not_a_wrong_transition() {
    let (_, batch) = evidence(|log| {
        log.push(b"nonsense".to_vec());
        log.close();
    });
    holds(
        &Evidence::InadmissibleLeaf(batch.clone()),
        "inadmissible-leaf",
    );
    fails(
        &Evidence::WrongTransition(batch),
        "an entry before the last is no event",
    );
}

#[test]
fn an_honest_batch_is_no_evidence() {
    let mut log = Operator::founded(ORIGIN);
    log.admit(log.plain(1, Verb::Hold));
    log.close();
    log.close();
    let events = log.batch(2, &log.read_by_change(1));
    fails(
        &Evidence::InadmissibleLeaf(events.clone()),
        "every leaf is admissible",
    );
    fails(&Evidence::WrongTransition(events), WELL);
    let heartbeat = log.batch(3, &[]);
    fails(
        &Evidence::InadmissibleLeaf(heartbeat.clone()),
        "every leaf is admissible",
    );
    fails(&Evidence::WrongTransition(heartbeat), WELL);
}
