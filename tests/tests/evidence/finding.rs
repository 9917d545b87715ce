//! What an auditor finds in the leaves: `inadmissible-leaf` and `wrong-transition`.

use zhao_ledger::audit::evidence::{EvidenceError, from_finding};
use zhao_ledger::audit::{AuditError, Finding};
use zhao_ledger::overlay::Touched;
use zhao_ledger::replay::{Diverged, Divergence};
use zhao_ledger::tree::TileMap;
use zhao_spec::file::Evidence;
use zhao_spec::life::apply::apply;
use zhao_spec::life::event::Event;
use zhao_spec::life::leaf::Epoch;
use zhao_spec::life::verb::Verb;
use zhao_spec::log::tree::{LeafIndex, TreeSize};
use zhao_spec::wire::{UnixMillis, limits};

use crate::desk::{Desk, holds};
use crate::operator::{ADMINS, By, DAY, ORIGIN, Operator, genesis, sign, verified};

/// A founded log, and an auditor who has followed it.
fn followed() -> (Operator, Desk) {
    let log = Operator::founded(ORIGIN);
    let desk = Desk::of(&log);
    (log, desk)
}

/// Shows the auditor the log and passes the evidence on.
#[track_caller]
fn convict(desk: &mut Desk, log: &Operator, claim: &str) -> Evidence {
    let finding = desk.finding(log);
    let evidence = from_finding(&desk.auditor, &finding).unwrap();
    holds(&evidence, claim);
    evidence
}

/// A good event, a bad leaf, another good event, and the epoch; then the evidence.
#[track_caller]
fn convict_leaf(bad: impl FnOnce(&mut Operator)) -> Evidence {
    let (mut log, mut desk) = followed();
    log.issue(4);
    bad(&mut log);
    log.issue(5);
    log.close();
    convict(&mut desk, &log, "inadmissible-leaf")
}

/// A revocation and a wrong epoch leaf; then the evidence, also when the log has gone on.
#[track_caller]
fn convict_epoch(change: impl Fn(&mut Epoch)) {
    for later in [0, 1, 5] {
        let (mut log, mut desk) = followed();
        log.revoke(1);
        log.close_with(&change);
        for n in 0..later {
            log.issue(10 + n);
            log.close();
        }
        let evidence = convict(&mut desk, &log, "wrong-transition");
        let Evidence::WrongTransition(batch) = &evidence else {
            unreachable!()
        };
        assert_eq!(batch.entries.len(), 2);
        assert_eq!(batch.head.checkpoint().size, log.tree.size());
    }
}

#[test]
fn a_unit_that_the_administrators_did_not_make_is_evidence() {
    let (subject, action) = {
        let log = Operator::founded(ORIGIN);
        log.add_unit("11320400DEM0009998", "invented key")
    };
    for by in [
        &["admin 1"][..],
        &["nobody"][..],
        &["admin 1", "nobody"][..],
    ] {
        convict_leaf(|log| {
            // The map gets what a real grant would have written.
            let real = verified(log.draft(subject, action.clone(), ADMINS));
            let index = LeafIndex(log.tree.size().0);
            for (key, record) in apply(&log.state, &real, index, log.now).unwrap() {
                log.state.write(key, record);
            }
            let mut invented: Event = real.into_inner();
            invented.signatures.clear();
            sign(&mut invented, By::Admins(by));
            log.push(invented.leaf_bytes());
        });
    }
}

#[test]
fn a_backdated_event_is_evidence() {
    for (verb, days) in [(Verb::Hold, 16), (Verb::Revoke, 61)] {
        convict_leaf(|log| {
            let mut event = log.plain(1, verb);
            event.effective = UnixMillis(log.now.0 - days * DAY);
            event.signatures.clear();
            sign(&mut event, By::Unit);
            log.push(event.leaf_bytes());
        });
    }
}

#[test]
fn an_event_of_tomorrow_is_evidence() {
    convict_leaf(|log| {
        let mut event = log.plain(1, Verb::Hold);
        event.effective = UnixMillis(log.now.0 + 1);
        event.signatures.clear();
        sign(&mut event, By::Unit);
        log.push(event.leaf_bytes());
    });
}

#[test]
fn an_event_nobody_signed_so_is_evidence() {
    convict_leaf(|log| {
        let mut event = log.plain(1, Verb::Hold);
        event.effective.0 -= 1;
        log.push(event.leaf_bytes());
    });
}

#[test]
fn an_event_for_another_log_is_evidence() {
    convict_leaf(|log| {
        let mut event = log.plain(1, Verb::Hold);
        event.origin = "zhao.example/elsewhere".to_owned();
        event.signatures.clear();
        sign(&mut event, By::Unit);
        log.push(event.leaf_bytes());
    });
}

#[test]
fn the_same_event_twice_is_evidence() {
    convict_leaf(|log| {
        let event = log.plain(1, Verb::Hold);
        log.admit(event.clone());
        log.push(event.leaf_bytes());
    });
}

#[test]
fn what_is_no_leaf_is_evidence() {
    for nonsense in [
        &b""[..],
        b"{}",
        b"nonsense",
        &[0xff; 300],
        b"{\"leaf\":\"pardon\"}",
    ] {
        let evidence = convict_leaf(|log| {
            log.push(nonsense.to_vec());
        });
        let Evidence::InadmissibleLeaf(batch) = evidence else {
            unreachable!()
        };
        assert_eq!(batch.entries.len(), 4);
        assert_eq!(batch.entries[1].leaf, nonsense);
    }
}

#[test]
fn a_second_genesis_is_evidence() {
    convict_leaf(|log| {
        log.push(genesis(ORIGIN).bytes());
    });
}

#[test]
fn a_leaf_that_is_bad_under_a_bad_epoch_is_the_leafs_fault() {
    let (mut log, mut desk) = followed();
    log.push(b"nonsense".to_vec());
    log.close_with(|epoch| epoch.subjects += 1);
    convict(&mut desk, &log, "inadmissible-leaf");
}

#[test]
fn a_map_that_ignores_a_logged_revocation_is_evidence() {
    let (mut log, mut desk) = followed();
    log.push(log.plain(1, Verb::Revoke).leaf_bytes());
    log.close();
    let evidence = convict(&mut desk, &log, "wrong-transition");
    let Evidence::WrongTransition(batch) = evidence else {
        unreachable!()
    };
    let shown: Vec<_> = batch.subjects.iter().map(|place| place.subject).collect();
    let mut read = log.read_by_change(1);
    read.sort();
    assert_eq!(shown, read);
}

#[test]
fn a_map_that_changes_without_an_event_is_evidence() {
    let (mut log, mut desk) = followed();
    let record = log.state.records[&log.licence(2)].clone();
    log.state.write(log.licence(1), record);
    log.close();
    let evidence = convict(&mut desk, &log, "wrong-transition");
    let Evidence::WrongTransition(batch) = evidence else {
        unreachable!()
    };
    assert_eq!((batch.entries.len(), batch.subjects.len()), (1, 0));
}

#[test]
fn every_wrong_member_of_an_epoch_leaf_is_evidence() {
    convict_epoch(|epoch| epoch.subjects += 1);
    convict_epoch(|epoch| epoch.subjects -= 1);
    convict_epoch(|epoch| epoch.epoch += 1);
    convict_epoch(|epoch| epoch.epoch -= 1);
    convict_epoch(|epoch| epoch.previous = Some(LeafIndex(0)));
    convict_epoch(|epoch| epoch.map_root.0[31] ^= 1);
}

#[test]
fn an_epoch_that_is_not_later_is_evidence() {
    let (log, _) = followed();
    let before = log.epochs.last().unwrap().time;
    convict_epoch_at(before);
    convict_epoch_at(UnixMillis(before.0 - 1));
}

#[track_caller]
fn convict_epoch_at(time: UnixMillis) {
    let (mut log, mut desk) = followed();
    // Late for the unit to have signed it: the licence type is all that is touched.
    let mut event = log.plain(1, Verb::Revoke);
    event.effective = UnixMillis(time.0 - 1_000);
    event.signatures.clear();
    sign(&mut event, By::Unit);
    log.now = time;
    // Not earlier than the licence itself took effect: apply has no objection but the clock.
    let licence = log.state.records[&log.licence(1)].clone();
    let zhao_spec::life::record::Record::Licence(licence) = licence else {
        panic!()
    };
    assert!(licence.effective <= event.effective);
    log.admit(event);
    log.close();
    convict(&mut desk, &log, "wrong-transition");
}

#[test]
fn a_wrong_index_waits_for_a_later_head() {
    let (mut log, mut desk) = followed();
    log.revoke(1);
    log.close_with(|epoch| epoch.index.0 += 1);
    let finding = desk.finding(&log);
    let refused = from_finding(&desk.auditor, &finding).unwrap_err();
    let EvidenceError::NoHead { size, problem } = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(size, log.tree.size());
    assert_eq!(problem, "its last leaf states another index than its own");
    // No verifier takes such a head. With the next one the log convicts itself.
    log.close();
    convict(&mut desk, &log, "wrong-transition");
}

#[test]
fn a_checkpoint_that_ends_in_no_epoch_leaf_waits_too() {
    let (mut log, mut desk) = followed();
    log.push(b"nonsense".to_vec());
    let finding = desk.finding(&log);
    let from = LeafIndex(log.tree.size().0 - 1);
    let refused = from_finding(&desk.auditor, &finding).unwrap_err();
    assert_eq!(refused, EvidenceError::NotClosed { from });
    log.close();
    convict(&mut desk, &log, "inadmissible-leaf");
}

#[test]
fn a_bad_batch_before_a_checkpoint_that_is_no_head_waits_too() {
    let (mut log, mut desk) = followed();
    log.push(b"nonsense".to_vec());
    log.close();
    log.issue(4);
    let size = log.tree.size();
    let finding = desk.finding(&log);
    let refused = from_finding(&desk.auditor, &finding).unwrap_err();
    let problem = "its last leaf is no epoch leaf".to_owned();
    assert_eq!(refused, EvidenceError::NoHead { size, problem });
}

#[test]
fn the_founding_is_the_policys_to_judge() {
    let mut log = Operator::bare(ORIGIN);
    log.close_with(|epoch| epoch.time = UnixMillis(genesis(ORIGIN).created.0 - 1));
    let mut desk = Desk::new();
    let finding = desk.finding(&log);
    let refused = from_finding(&desk.auditor, &finding).unwrap_err();
    assert_eq!(refused, EvidenceError::Founding { at: LeafIndex(1) });
}

#[test]
fn an_auditor_who_errs_makes_no_evidence() {
    let mut log = Operator::founded(ORIGIN);
    log.revoke(1);
    log.close();
    let desk = Desk::of(&log);
    let previous = log.epochs[2].clone();
    let first = usize::try_from(previous.index.0).unwrap() + 1;
    let at = LeafIndex(previous.index.0 + 2);
    let finding = Finding {
        note: log.note(),
        checkpoint: log.checkpoint(log.tree.size()),
        previous: Some(previous),
        leaves: log.leaves[first..].to_vec(),
        tiles: TileMap::new(),
        diverged: Diverged {
            at,
            why: Divergence::EpochPlace,
            touched: Touched::default(),
        },
    };
    let refused = from_finding(&desk.auditor, &finding).unwrap_err();
    assert_eq!(refused, EvidenceError::NothingWrong { upto: at });
}

#[test]
fn a_batch_that_no_file_can_hold_is_no_evidence() {
    let (mut log, mut desk) = followed();
    for n in 0..800_u64 {
        let mut leaf = n.to_be_bytes().to_vec();
        leaf.resize(limits::LEAF_BYTES, b'x');
        log.push(leaf);
    }
    log.close();
    let finding = desk.finding(&log);
    let refused = from_finding(&desk.auditor, &finding).unwrap_err();
    let EvidenceError::TooLarge {
        what,
        limit,
        actual,
    } = refused
    else {
        panic!("{refused:?}")
    };
    assert_eq!((what, limit), ("bytes", limits::EVIDENCE_BYTES));
    assert!(actual > limit);
}

#[test]
fn a_log_that_changes_what_it_served_is_not_believed() {
    let (mut log, mut desk) = followed();
    log.push(b"nonsense".to_vec());
    log.close();
    log.close();
    let finding = desk.finding(&log);
    let mut served = log.leaves.clone();
    *served.last_mut().unwrap() = b"another leaf".to_vec();
    desk.serve(served);
    let refused = from_finding(&desk.auditor, &finding).unwrap_err();
    let EvidenceError::Audit(AuditError::Fork { size, .. }) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(size, log.tree.size());
}

#[test]
fn an_honest_log_gives_no_finding() {
    let mut log = Operator::founded(ORIGIN);
    let mut desk = Desk::of(&log);
    for (n, verb) in [
        (1, Verb::Hold),
        (2, Verb::Revoke),
        (1, Verb::LiftHold),
        (3, Verb::Pledge),
    ] {
        log.admit(log.plain(n, verb));
        log.close();
        log.close();
        desk.show(&log).unwrap();
        assert_eq!(desk.auditor.size().unwrap(), log.tree.size());
    }
    assert_eq!(desk.auditor.size(), Ok(TreeSize(log.tree.size().0)));
}
