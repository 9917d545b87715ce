//! What a batch is answered.

use zhao_spec::life::subject::Kind;
use zhao_spec::life::verb::Verb;
use zhao_spec::log::tree::{LeafIndex, TreeSize};

use crate::fixture::{DAY, Office, Site, UNIT, at, key_of, secret};
use crate::sequence::{CommitError, Outcome};
use crate::store::layout::Family;
use zhao_spec::life::data::Action;
use zhao_spec::wire::{UnixMillis, limits};

fn accepted(index: u64) -> Outcome {
    Outcome::Accepted {
        index: LeafIndex(index),
    }
}

#[track_caller]
fn refused(outcome: &Outcome, code: &str) {
    match outcome {
        Outcome::Refused(refusal) => assert_eq!(refusal.code(), code),
        other => panic!("{other:?} is not refused"),
    }
}

#[test]
fn founding_is_accepted_in_order() {
    let (_, sequencer, _) = Site::founded(2);
    // Genesis, epoch 0, two types, a unit, two licences, epoch 1.
    assert_eq!(sequencer.size(), TreeSize(8));
    assert_eq!(sequencer.published().size, TreeSize(8));
    assert_eq!(sequencer.silent(), []);
}

#[test]
fn two_events_of_one_subject_in_one_batch() {
    let (_, mut sequencer, mut office) = Site::founded(0);
    let batch = vec![
        office.issue(1),
        office.plain(1, Verb::Hold),
        office.plain(1, Verb::LiftHold),
    ];
    let outcomes = sequencer.commit(batch, at(20)).unwrap();
    assert_eq!(outcomes, [accepted(6), accepted(7), accepted(8)]);
}

#[test]
fn a_key_rotated_in_the_batch_signs_the_next_event_of_it() {
    let (_, mut sequencer, mut office) = Site::founded(0);
    let batch = vec![office.rotate("second key"), office.issue(1)];
    assert_eq!(
        sequencer.commit(batch, at(20)).unwrap(),
        [accepted(6), accepted(7)]
    );
    // The old key is out of force from the same batch on.
    office.signing = "unit key".to_owned();
    let outcomes = sequencer.commit(vec![office.issue(2)], at(30)).unwrap();
    refused(&outcomes[0], "key_not_authorised");
}

#[test]
fn what_depends_on_a_refused_event_is_refused_and_takes_no_index() {
    let (_, mut sequencer, mut office) = Site::founded(1);
    let lift = office.plain(0, Verb::LiftHold);
    let hold = office.plain(0, Verb::Hold);
    let other = office.issue(1);
    let outcomes = sequencer.commit(vec![lift, hold, other], at(20)).unwrap();
    refused(&outcomes[0], "not_suspended");
    refused(&outcomes[1], "seq_mismatch");
    assert_eq!(outcomes[2], accepted(7));
}

#[test]
fn a_batch_of_refusals_writes_nothing() {
    let (site, mut sequencer, mut office) = Site::founded(1);
    let before = sequencer.size();
    site.disk.inject(None);
    let outcomes = sequencer
        .commit(vec![office.plain(0, Verb::LiftHold)], at(20))
        .unwrap();
    refused(&outcomes[0], "not_suspended");
    assert_eq!(site.disk.counts().1, 0);
    assert_eq!(sequencer.size(), before);
}

#[test]
fn the_same_event_again_is_a_duplicate_before_anything_else() {
    let (_, mut sequencer, mut office) = Site::founded(0);
    let issue = office.issue(1);
    let twice = sequencer
        .commit(vec![issue.clone(), issue.clone()], at(20))
        .unwrap();
    let duplicate = Outcome::Duplicate {
        index: LeafIndex(6),
    };
    assert_eq!(twice, [accepted(6), duplicate.clone()]);
    // Its seq and prev no longer fit, and that is not what is said.
    assert_eq!(sequencer.commit(vec![issue], at(30)).unwrap(), [duplicate]);
}

#[test]
fn the_same_statement_signed_by_other_administrators_is_a_duplicate() {
    let (_, mut sequencer, office) = Site::founded(0);
    let unit = key_of(Kind::Issuer, UNIT);
    let mut first = office.draft(unit, Action::SuspendUnit, false);
    let mut second = first.clone();
    for (event, names) in [
        (&mut first, ["admin 1", "admin 2"]),
        (&mut second, ["admin 1", "admin 3"]),
    ] {
        names.iter().for_each(|name| event.sign(&secret(name)));
    }
    let [first, second] = [first, second].map(|event| event.verify_signatures().unwrap());
    let outcomes = sequencer.commit(vec![first, second], at(20)).unwrap();
    assert_eq!(
        outcomes,
        [
            accepted(6),
            Outcome::Duplicate {
                index: LeafIndex(6)
            }
        ]
    );
}

#[test]
fn below_the_quorum_events_are_pending_until_a_later_head() {
    let (site, mut sequencer, mut office) = Site::founded(0);
    let published = sequencer.published().clone();
    *site.down.lock().unwrap() = true;
    let issue = office.issue(1);
    let pending = |again| {
        let index = LeafIndex(6);
        Outcome::Pending { index, again }
    };
    let twice = vec![issue.clone(), issue.clone()];
    let first = sequencer.commit(twice, at(20)).unwrap();
    assert_eq!(first, [pending(false), pending(true)]);
    assert_eq!(
        sequencer.commit(vec![issue.clone()], at(21)).unwrap(),
        [pending(true)]
    );
    assert_eq!(sequencer.published(), &published);
    assert_eq!(sequencer.silent().len(), 2);
    assert!(!sequencer.heartbeat(at(22)).unwrap());
    *site.down.lock().unwrap() = false;
    assert!(sequencer.heartbeat(at(23)).unwrap());
    let duplicate = Outcome::Duplicate {
        index: LeafIndex(6),
    };
    assert_eq!(sequencer.commit(vec![issue], at(24)).unwrap(), [duplicate]);
}

#[test]
fn too_much_waiting_for_a_quorum_refuses_batches_and_a_heartbeat_is_the_way_out() {
    let (site, mut sequencer, mut office) = Site::founded(0);
    sequencer.max_unpublished = 1;
    *site.down.lock().unwrap() = true;
    sequencer.commit(vec![office.issue(1)], at(20)).unwrap();
    let error = sequencer.commit(vec![office.issue(2)], at(21)).unwrap_err();
    assert_eq!(
        error,
        CommitError::Backlog {
            waiting: 2,
            limit: 1
        }
    );
    assert!(!error.is_fatal());
    *site.down.lock().unwrap() = false;
    assert!(sequencer.heartbeat(at(22)).unwrap());
}

#[test]
fn epoch_times_increase_whatever_the_clock_does() {
    let (_, mut sequencer, mut office) = Site::founded(0);
    let time = |sequencer: &crate::sequence::Sequencer| sequencer.edge.epoch.clone().unwrap().time;
    let before = time(&sequencer);
    sequencer.commit(vec![office.issue(1)], at(0)).unwrap();
    assert_eq!(time(&sequencer).0, before.0 + 1);
    let last = time(&sequencer);
    let now = UnixMillis(last.0 - 3_600_001);
    let error = sequencer.heartbeat(now).unwrap_err();
    assert_eq!(error, CommitError::Clock { now, last });
    let now = UnixMillis(u64::MAX);
    assert_eq!(
        sequencer.heartbeat(now).unwrap_err(),
        CommitError::Clock { now, last }
    );
    assert!(sequencer.heartbeat(UnixMillis(last.0 - 3_600_000)).unwrap());
}

#[test]
fn effective_times_are_judged_by_the_epoch_to_come() {
    let (_, mut sequencer, mut office) = Site::founded(0);
    office.effective = UnixMillis(at(20).0 + 1);
    let outcomes = sequencer.commit(vec![office.issue(1)], at(20)).unwrap();
    refused(&outcomes[0], "effective_in_future");
    let mut office = Office::new();
    office.founding();
    let late = UnixMillis(at(0).0 + 31 * DAY);
    let outcomes = sequencer.commit(vec![office.issue(1)], late).unwrap();
    refused(&outcomes[0], "effective_too_early");
}

#[test]
fn a_batch_over_the_limit_is_refused_unread() {
    let (_, mut sequencer, mut office) = Site::founded(0);
    let event = office.issue(1);
    let actual = limits::BATCH_EVENTS + 1;
    let error = sequencer.commit(vec![event; actual], at(20)).unwrap_err();
    assert_eq!(
        error,
        CommitError::BatchTooLarge {
            limit: limits::BATCH_EVENTS,
            actual
        }
    );
    assert!(sequencer.stopped().is_none());
}

#[test]
fn pruning_leaves_a_whole_log() {
    let (site, mut sequencer, mut office) = Site::founded(50);
    for n in 0..8 {
        let verb = if n % 2 == 0 {
            Verb::Hold
        } else {
            Verb::LiftHold
        };
        sequencer
            .commit(
                vec![office.plain(3, verb), office.issue(100 + n)],
                at(20 + n),
            )
            .unwrap();
    }
    let records = site.disk.entries(Family::Records).len();
    sequencer.prune(2).unwrap();
    assert!(site.disk.entries(Family::Records).len() < records);
    assert_eq!(
        site.disk
            .entries(Family::Replaced)
            .iter()
            .map(|(key, _)| key[7])
            .min(),
        Some(8)
    );
    let outcomes = sequencer
        .commit(vec![office.plain(3, Verb::Hold)], at(40))
        .unwrap();
    assert!(matches!(outcomes[..], [Outcome::Accepted { .. }]));
    drop(sequencer);
    let (sequencer, start) = site.open(at(50)).unwrap();
    assert!(!start.fresh_epoch);
    super::faults::check_site(&site, &sequencer, &std::collections::BTreeMap::new());
}
