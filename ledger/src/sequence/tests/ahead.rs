//! Batches judged before the one they follow is on disk: what holds, and what is judged again.

use zhao_spec::life::verb::Verb;
use zhao_spec::log::tree::LeafIndex;

use crate::fixture::{Site, at};
use crate::sequence::{CommitError, Outcome};
use crate::store::memory::{Fault, How, Operation};

fn accepted(index: u64) -> Outcome {
    let index = LeafIndex(index);
    Outcome::Accepted { index }
}

#[test]
fn what_follows_a_batch_on_its_way_is_judged_by_what_that_wrote() {
    let (_site, mut sequencer, mut office) = Site::founded(1);
    let mut judge = sequencer.judge();
    let hold = office.plain(0, Verb::Hold);
    let first = judge.judge(vec![hold.clone()], at(20));
    // Once more, and what only a held licence may have.
    let lift = office.plain(0, Verb::LiftHold);
    let second = judge.judge(vec![hold, lift], at(21));
    let plan = second.plan.as_ref().unwrap();
    assert_eq!(plan.on, first.plan.as_ref().unwrap().makes);
    assert_eq!(sequencer.commit_judged(first).unwrap(), [accepted(7)]);
    assert_eq!(plan.on, sequencer.tip.mark());
    let duplicate = Outcome::Duplicate {
        index: LeafIndex(7),
    };
    let outcomes = sequencer.commit_judged(second).unwrap();
    assert_eq!(outcomes, [duplicate, accepted(9)]);
}

#[test]
fn a_batch_whose_forerunner_was_not_committed_is_judged_again() {
    let (site, mut sequencer, mut office) = Site::founded(1);
    let mut judge = sequencer.judge();
    let lost = judge.judge(vec![office.plain(0, Verb::Hold)], at(20));
    let second = judge.judge(vec![office.plain(0, Verb::LiftHold)], at(21));
    drop(lost);
    // As it was judged it would be in the log; without its forerunner it cannot be.
    let outcomes = sequencer.commit_judged(second).unwrap();
    assert!(matches!(&outcomes[..], [Outcome::Refused(r)] if r.code() == "seq_mismatch"));
    assert_eq!(sequencer.size().0, 7);
    drop(site);
}

#[test]
fn an_epoch_in_between_moves_what_was_judged() {
    let (_site, mut sequencer, mut office) = Site::founded(1);
    let mut judge = sequencer.judge();
    let judged = judge.judge(vec![office.issue(1)], at(30));
    sequencer.heartbeat(at(20)).unwrap();
    assert_eq!(sequencer.commit_judged(judged).unwrap(), [accepted(8)]);
    // Later than it was judged for: its time is made to fit as well.
    let judged = judge.judge(vec![office.issue(2)], at(40));
    sequencer.heartbeat(at(50)).unwrap();
    assert_eq!(sequencer.commit_judged(judged).unwrap(), [accepted(11)]);
}

#[test]
fn a_batch_refused_as_a_whole_leaves_nothing_to_those_judged_after_it() {
    let (site, mut sequencer, mut office) = Site::founded(1);
    // Nobody cosigns: what is committed waits, until no more may.
    *site.down.lock().unwrap() = true;
    let mut judge = sequencer.judge();
    let mut issued = 0;
    let refused = loop {
        let events = (0..400).map(|n| office.issue(1_000 + issued + n)).collect();
        issued += 400;
        let judged = judge.judge(events, at(20 + issued));
        match sequencer.commit_judged(judged) {
            Ok(outcomes) => assert!(matches!(outcomes[0], Outcome::Pending { .. })),
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, CommitError::Backlog { .. }), "{refused}");
    let size = sequencer.size();
    let judged = judge.judge(vec![office.plain(0, Verb::Hold)], at(9_000));
    let again = sequencer.commit_judged(judged).unwrap_err();
    assert!(matches!(again, CommitError::Backlog { .. }), "{again}");
    assert_eq!(sequencer.size(), size);
    *site.down.lock().unwrap() = false;
    assert!(sequencer.heartbeat(at(9_001)).unwrap());
    let judged = judge.judge(vec![office.issue(9)], at(9_002));
    let next = size.0 + 1;
    assert_eq!(sequencer.commit_judged(judged).unwrap(), [accepted(next)]);
}

#[test]
fn after_a_failed_write_nothing_that_was_judged_is_committed() {
    let (site, mut sequencer, mut office) = Site::founded(1);
    let mut judge = sequencer.judge();
    let first = judge.judge(vec![office.issue(1)], at(20));
    let second = judge.judge(vec![office.issue(2)], at(21));
    site.disk.inject(Some(Fault {
        at: 0,
        of: Operation::Write,
        how: How::Error,
        persisted: false,
    }));
    let error = sequencer.commit_judged(first).unwrap_err();
    assert!(matches!(error, CommitError::Store(_)), "{error}");
    let stopped = sequencer.commit_judged(second).unwrap_err();
    assert_eq!(stopped, CommitError::Stopped(error.to_string()));
}

#[test]
fn what_cannot_be_judged_ahead_is_answered_by_the_sequencer() {
    let (_site, mut sequencer, mut office) = Site::founded(1);
    let mut judge = sequencer.judge();
    let events = vec![office.issue(1); zhao_spec::wire::limits::BATCH_EVENTS + 1];
    let judged = judge.judge(events, at(20));
    let error = sequencer.commit_judged(judged).unwrap_err();
    assert!(
        matches!(error, CommitError::BatchTooLarge { .. }),
        "{error}"
    );
    let judged = judge.judge(vec![office.issue(2)], zhao_spec::wire::UnixMillis(5));
    assert!(judged.plan.is_none());
    let error = sequencer.commit_judged(judged).unwrap_err();
    assert!(matches!(error, CommitError::Clock { .. }), "{error}");
}
