//! `two-heads`: the log signed what cannot both be true.

use zhao_ledger::audit::AuditError;
use zhao_ledger::audit::compare::{CompareError, Known, NotJudged, Seen};
use zhao_ledger::audit::evidence::ForkError;
use zhao_spec::file::Evidence;
use zhao_spec::life::verb::Verb;
use zhao_spec::log::checkpoint::CheckpointError;
use zhao_spec::log::note::NoteError;
use zhao_spec::log::tree::TreeSize;

use crate::desk::{Desk, convicts, fails, holds};
use crate::operator::{ORIGIN, OTHER, Operator, signer, without_log};

/// Two stories of one log: licence 1 revoked, or not; then `more` epochs of the second.
fn stories(more: u64) -> (Operator, Operator) {
    let mut told = Operator::founded(ORIGIN);
    let mut other = told.clone();
    told.revoke(1);
    told.close();
    other.admit(other.plain(1, Verb::Mortgage));
    other.close();
    for n in 0..more {
        other.issue(20 + n);
        other.close();
    }
    (told, other)
}

#[test]
fn two_heads_of_one_size_are_evidence_both_ways() {
    let (told, other) = stories(0);
    assert_eq!(told.tree.size(), other.tree.size());
    for (known, seen) in [(&told, &other), (&other, &told)] {
        let found = convicts(
            Desk::of(known).compare(seen.note().as_bytes()),
            &["two-heads"],
        );
        let Evidence::TwoHeads(own) = &found[0] else {
            unreachable!()
        };
        assert!(own.consistency.is_empty());
        assert_eq!(own.first.format(), seen.note());
    }
}

#[test]
fn an_old_checkpoint_of_a_rewritten_log_is_evidence() {
    for more in 1..20 {
        let (told, other) = stories(more);
        let desk = Desk::of(&other);
        let found = convicts(desk.compare(told.note().as_bytes()), &["two-heads"]);
        // From the auditor's own past the same comes out.
        let again = desk.auditor.fork(&told.note()).unwrap();
        assert_eq!(again.as_ref(), found.first());
    }
}

#[test]
fn a_log_rewritten_under_the_auditor_is_evidence() {
    for more in 0..20 {
        let (told, other) = stories(more);
        let mut desk = Desk::of(&told);
        let refused = desk.show(&other).unwrap_err();
        assert!(matches!(refused, AuditError::Fork { .. }), "{refused:?}");
        let evidence = desk.auditor.fork(&other.note()).unwrap().expect("a fork");
        holds(&evidence, "two-heads");
    }
}

#[test]
fn one_rewritten_entry_long_ago_is_evidence() {
    let build = |digest: u64| {
        let mut log = Operator::bare(ORIGIN);
        log.close();
        let founded = Operator::founded(ORIGIN);
        for leaf in &founded.leaves[2..] {
            log.push(leaf.clone());
        }
        log.push(format!("entry {digest}").into_bytes());
        for n in 0..300_u64 {
            log.push(n.to_be_bytes().to_vec());
        }
        log.state = founded.state;
        log.epochs = founded.epochs;
        log.ends = founded.ends;
        log.close();
        log
    };
    let (told, rewritten) = (build(1), build(2));
    let size = told.tree.size();
    let vkey = signer(ORIGIN).vkey().clone().into();
    let epoch = rewritten.epochs.last().unwrap().clone();
    // Nobody could replay such a log; a reader of its tiles can still compare.
    let known = Known::new(
        &vkey,
        &rewritten.note(),
        epoch,
        rewritten.tree.clone(),
        None,
    )
    .unwrap();
    convicts(
        known.compare(told.note().as_bytes()).unwrap(),
        &["two-heads"],
    );
    for early in 1..=size.0 {
        let note = told.note_at(TreeSize(early));
        let seen = known.compare(note.as_bytes()).unwrap();
        match early {
            ..=9 => assert_eq!(seen, Seen::Agrees, "{early}"),
            _ => drop(convicts(seen, &["two-heads"])),
        }
    }
}

#[test]
fn files_convict_by_their_heads() {
    let (told, other) = stories(2);
    let desk = Desk::of(&other);
    convicts(desk.compare(&told.dossier(2).bytes()), &["two-heads"]);
    let evidence = desk.auditor.fork(&told.note()).unwrap().unwrap();
    // Evidence names the log's own heads, one of which contradicts the other.
    convicts(desk.compare(&evidence.bytes()), &["two-heads"]);
    assert_eq!(desk.compare(&other.dossier(2).bytes()), Seen::Agrees);
}

#[test]
fn every_old_head_of_an_honest_log_agrees() {
    let mut log = Operator::founded(ORIGIN);
    let mut seen = vec![log.note()];
    for n in 1..=3 {
        log.revoke(n);
        log.close();
        seen.push(log.note());
        seen.push(String::from_utf8(log.dossier(n).bytes()).unwrap());
    }
    let desk = Desk::of(&log);
    for one in seen {
        assert_eq!(desk.compare(one.as_bytes()), Seen::Agrees);
    }
    for size in 0..=log.tree.size().0 {
        assert_eq!(desk.auditor.fork(&log.note_at(TreeSize(size))), Ok(None));
        assert_eq!(
            desk.compare(log.note_at(TreeSize(size)).as_bytes()),
            Seen::Agrees
        );
    }
}

#[test]
fn a_newer_head_of_an_honest_log_is_no_fork() {
    let mut log = Operator::founded(ORIGIN);
    let desk = Desk::of(&log);
    let ours = log.tree.size();
    for n in 1..=3 {
        log.revoke(n);
        log.close();
        desk.serve(log.leaves.clone());
        assert_eq!(desk.auditor.fork(&log.note()), Ok(None));
        let theirs = log.tree.size();
        let newer = Seen::NotJudged(NotJudged::Newer { theirs, ours });
        assert_eq!(desk.compare(log.note().as_bytes()), newer);
        assert_eq!(desk.compare(&log.dossier(n).bytes()), newer);
    }
}

#[test]
fn a_source_that_lies_is_no_fork() {
    let (told, other) = stories(3);
    let desk = Desk::of(&told);
    let mut served = other.leaves.clone();
    served[3] = b"not the leaf that was signed".to_vec();
    desk.serve(served);
    let refused = desk.auditor.fork(&other.note()).unwrap_err();
    let ForkError::Source {
        size,
        expected,
        actual,
    } = refused
    else {
        panic!("{refused:?}")
    };
    assert_eq!((size, expected), (other.tree.size(), other.tree.root()));
    assert_ne!(actual, expected);
    desk.serve(told.leaves);
    let refused = desk.auditor.fork(&other.note()).unwrap_err();
    assert!(
        matches!(refused, ForkError::Audit(AuditError::Source { .. })),
        "{refused:?}"
    );
}

#[test]
fn what_no_log_signed_is_not_judged() {
    let log = Operator::founded(ORIGIN);
    let desk = Desk::of(&log);
    let foreign = Operator::founded(OTHER);
    let name = ORIGIN.to_owned();
    let unsigned = NotJudged::Head(CheckpointError::Note(NoteError::NotSigned { name }));
    assert_eq!(
        desk.compare(without_log(&log.note()).as_bytes()),
        Seen::NotJudged(unsigned.clone())
    );
    assert_eq!(
        desk.compare(foreign.note().as_bytes()),
        Seen::NotJudged(unsigned.clone())
    );
    assert_eq!(
        desk.compare(&foreign.dossier(1).bytes()),
        Seen::NotJudged(unsigned)
    );
    for nonsense in [&b"{\"format\":\"zhao/v1 dossier\"}"[..], b"{", b"\xff\xfe"] {
        let seen = desk.compare(nonsense);
        assert!(
            matches!(seen, Seen::NotJudged(NotJudged::Malformed(_))),
            "{seen:?}"
        );
    }
    let seen = desk.compare(b"nothing");
    assert_eq!(
        seen,
        Seen::NotJudged(NotJudged::Head(NoteError::NoSignatures.into()))
    );
    let refused = Desk::new().auditor.fork(&log.note());
    assert_eq!(refused, Err(ForkError::NoHead));
    assert!(Desk::new().auditor.known().unwrap().is_none());
}

#[test]
fn a_tree_that_is_not_the_heads_proves_nothing() {
    let (told, other) = stories(0);
    let vkey = signer(ORIGIN).vkey().clone().into();
    let epoch = other.epochs.last().unwrap().clone();
    let refused = Known::new(&vkey, &other.note(), epoch, told.tree.clone(), None).unwrap_err();
    let (expected, actual) = (other.tree.root(), told.tree.root());
    assert_eq!(
        refused,
        CompareError::Root {
            size: told.tree.size(),
            expected,
            actual
        }
    );
}

#[test]
fn an_epoch_that_is_not_the_heads_proves_nothing() {
    let (told, other) = stories(0);
    let vkey = signer(ORIGIN).vkey().clone().into();
    let size = told.tree.size();
    let [.., before, last] = told.epochs.as_slice() else {
        panic!()
    };
    let mut beyond = last.clone();
    beyond.index.0 += 1;
    for epoch in [before, &other.epochs[3], &beyond] {
        let index = epoch.index;
        let tree = told.tree.clone();
        let refused = Known::new(&vkey, &told.note(), epoch.clone(), tree, None).unwrap_err();
        assert_eq!(refused, CompareError::Epoch { size, index });
    }
}

#[test]
fn altered_heads_do_not_hold() {
    let (told, other) = stories(2);
    let found = convicts(
        Desk::of(&other).compare(told.note().as_bytes()),
        &["two-heads"],
    );
    let Evidence::TwoHeads(good) = found.into_iter().next().unwrap() else {
        unreachable!()
    };
    let parse = |text: &str| zhao_spec::log::note::SignedNote::parse(text).unwrap();
    let altered = |change: &dyn Fn(&mut zhao_spec::file::TwoHeads), expected: &str| {
        let mut own = good.clone();
        change(&mut own);
        fails(&Evidence::TwoHeads(own), expected);
    };
    altered(
        &|own| own.first = parse(&without_log(&told.note())),
        "not signed by the log",
    );
    altered(
        &|own| own.second = parse(&without_log(&other.note())),
        "not signed by the log",
    );
    altered(
        &|own| std::mem::swap(&mut own.first, &mut own.second),
        "the larger one",
    );
    altered(&|own| own.first = own.second.clone(), "proof has");
    altered(&|own| own.consistency.truncate(1), "proof has");
    altered(&|own| own.consistency[0].0[0] ^= 1, "root is");
    altered(&|own| own.root = told.tree.root(), "root is");
    altered(&|own| own.second = parse(&told.note()), "proof has");
    let foreign = Operator::founded(OTHER);
    altered(&|own| own.first = parse(&foreign.note()), "different logs");
    // An older head of the same story, with the proof that belongs to it.
    altered(
        &|own| {
            let size = TreeSize(3);
            own.first = parse(&other.note_at(size));
            own.root = other.tree.root_at(size).unwrap();
            own.consistency = other
                .tree
                .prove_consistency(size, other.tree.size())
                .unwrap();
        },
        "the second checkpoint continues the first",
    );
    altered(
        &|own| {
            own.first = parse(&other.note());
            own.root = other.tree.root();
            own.consistency.clear();
        },
        "the second checkpoint continues the first",
    );
}
