//! Every operation of every stage fails once, in each way; then the ledger comes back by the normal
//! steps, and nothing answered is lost and no two heads disagree.

use std::collections::BTreeMap;

use zhao_spec::life::event::VerifiedEvent;
use zhao_spec::life::verb::Verb;
use zhao_spec::log::checkpoint;
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::Hash;

use crate::fixture::{Office, Site, at};
use crate::fsck;
use crate::sequence::second_log::log_root;
use crate::sequence::{CHECKPOINT_FILE, CommitError, Outcome, Sequencer, StartError};
use crate::store::layout::{Family, Heads};
use crate::store::memory::{Fault, How, Memory, Operation};
use crate::store::{Read, decode};

/// Event id → index it was answered with.
type Answered = BTreeMap<Hash, LeafIndex>;

/// All ways in which one operation can fail.
fn faults(of: Operation, at: u64) -> Vec<Fault> {
    let mut all = Vec::new();
    for how in [How::Error, How::Kill] {
        for persisted in [false, true] {
            if of == Operation::Write || !persisted {
                all.push(Fault {
                    at,
                    of,
                    how,
                    persisted,
                });
            }
        }
    }
    all
}

fn note_answers(answered: &mut Answered, events: &[VerifiedEvent], outcomes: &[Outcome]) {
    assert_eq!(events.len(), outcomes.len());
    for (event, outcome) in events.iter().zip(outcomes) {
        match outcome {
            Outcome::Accepted { index } | Outcome::Duplicate { index } => {
                let before = answered.insert(event.id(), *index);
                assert!(
                    before.is_none_or(|before| before == *index),
                    "one event, two places"
                );
            }
            Outcome::Pending { .. } | Outcome::Refused(_) => {}
        }
    }
}

/// What must hold after everything: fsck is clean, every head ever signed is of this one log, every
/// answered event is where it was said to be and under the published head.
#[track_caller]
pub(super) fn check_site(site: &Site, sequencer: &Sequencer, answered: &Answered) {
    let signer = Site::signer();
    let log = signer.vkey();
    site.disk.inject(None);
    let store = site.disk.store().unwrap();
    let report = fsck::check(&store, &site.disk.files(), &Site::keys()).unwrap();
    assert!(report.is_clean(), "{:#?}", report.findings);
    let mut notes = site.seen.lock().unwrap().clone();
    for entry in site.disk.entries(Family::Heads) {
        notes.push(String::from_utf8(decode::<Heads>(&entry).unwrap().1).unwrap());
    }
    for disk in [&site.witness, &site.auditor] {
        assert!(disk.entries(Family::Leaves).len() as u64 <= sequencer.size().0);
    }
    assert!(!notes.is_empty());
    for note in notes {
        let (checkpoint, _) = checkpoint::open(&note, log).unwrap();
        let root = log_root(&store, checkpoint.size, &[]).unwrap();
        assert_eq!(
            root, checkpoint.root,
            "two inconsistent heads at size {}",
            checkpoint.size
        );
    }
    let published = sequencer.published();
    assert_eq!(published.size, sequencer.size());
    for (id, index) in answered {
        let stored = store
            .get(Family::EventIds, &id.0)
            .unwrap()
            .expect("an answered event is lost");
        assert_eq!(stored, index.0.to_be_bytes());
        assert!(index.0 < published.size.0);
    }
    assert_eq!(
        site.complaints.lock().unwrap().clone(),
        Vec::<String>::new()
    );
}

fn restart(site: &Site) {
    for disk in [&site.disk, &site.witness, &site.auditor] {
        disk.restart();
    }
}

fn batch(office: &mut Office) -> Vec<VerifiedEvent> {
    vec![
        office.issue(1),
        office.plain(0, Verb::Hold),
        office.rotate("second key"),
        office.issue(2),
    ]
}

fn disks(site: &Site) -> [(&'static str, Memory); 3] {
    [
        ("log", site.disk.clone()),
        ("witness", site.witness.clone()),
        ("auditor", site.auditor.clone()),
    ]
}

/// Commits a batch with one fault on one disk, comes back, submits again, and checks.
fn one_fault(which: usize, fault: Fault) {
    let (site, mut sequencer, mut office) = Site::founded(1);
    let mut answered = Answered::new();
    let events = batch(&mut office);
    disks(&site)[which].1.inject(Some(fault));
    let first = sequencer.commit(events.clone(), at(20));
    match &first {
        Ok(outcomes) => note_answers(&mut answered, &events, outcomes),
        Err(error) => {
            assert!(error.is_fatal(), "{error}");
            // It says no more until it is opened again.
            let again = sequencer.heartbeat(at(21)).unwrap_err();
            assert_eq!(again, CommitError::Stopped(error.to_string()));
        }
    }
    drop(sequencer);
    restart(&site);
    let (mut sequencer, _) = site
        .open(at(30))
        .unwrap_or_else(|e| panic!("{which} {fault:?}: {e}"));
    let outcomes = sequencer.commit(events.clone(), at(40)).unwrap();
    note_answers(&mut answered, &events, &outcomes);
    assert_eq!(
        answered.len(),
        events.len(),
        "{which} {fault:?}: {outcomes:?}"
    );
    check_site(&site, &sequencer, &answered);
}

/// How many operations a batch takes on each disk: (reads, writes).
fn operations() -> Vec<(u64, u64)> {
    let (site, mut sequencer, mut office) = Site::founded(1);
    let all = disks(&site);
    all.iter().for_each(|(_, disk)| disk.inject(None));
    sequencer.commit(batch(&mut office), at(20)).unwrap();
    all.iter().map(|(_, disk)| disk.counts()).collect()
}

#[test]
fn a_commit_writes_four_times() {
    // Batch, intent, head, checkpoint file. More would need more rows in the argument of `commit`.
    assert_eq!(operations()[0].1, 4);
    assert_eq!(operations()[1].1, 1);
    assert_eq!(operations()[2].1, 2);
}

#[test]
fn every_write_of_a_commit_may_fail() {
    for (which, (_, writes)) in operations().into_iter().enumerate() {
        for at in 0..writes {
            faults(Operation::Write, at)
                .into_iter()
                .for_each(|fault| one_fault(which, fault));
        }
    }
}

#[test]
fn every_read_of_a_commit_may_fail() {
    for (which, (reads, _)) in operations().into_iter().enumerate() {
        for at in (0..reads).step_by(3) {
            faults(Operation::Read, at)
                .into_iter()
                .for_each(|fault| one_fault(which, fault));
        }
    }
}

#[test]
fn every_write_of_creation_may_fail() {
    for at_write in 0..5 {
        for fault in faults(Operation::Write, at_write) {
            let site = Site::new();
            site.disk.inject(Some(fault));
            let created = site.create();
            assert_eq!(created.is_ok(), at_write == 4 + 1, "{fault:?}");
            drop(created);
            restart(&site);
            let mut sequencer = match site.create() {
                Ok(sequencer) => sequencer,
                Err(StartError::AlreadyCreated { .. }) => site.open(at(5)).unwrap().0,
                Err(error) => panic!("{fault:?}: {error}"),
            };
            let mut office = Office::new();
            let events = office.founding();
            let outcomes = sequencer.commit(events.clone(), at(10)).unwrap();
            let mut answered = Answered::new();
            note_answers(&mut answered, &events, &outcomes);
            assert_eq!(answered.len(), 3);
            check_site(&site, &sequencer, &answered);
        }
    }
}

#[test]
fn every_write_of_a_recovery_may_fail() {
    // A batch that was written and never intended, then a start that fails at each of its writes.
    for at_write in 0..4 {
        for fault in faults(Operation::Write, at_write) {
            let (site, mut sequencer, mut office) = Site::founded(1);
            let events = batch(&mut office);
            let lost = Fault {
                at: 1,
                of: Operation::Write,
                how: How::Kill,
                persisted: false,
            };
            site.disk.inject(Some(lost));
            sequencer.commit(events.clone(), at(20)).unwrap_err();
            restart(&site);
            site.disk.inject(Some(fault));
            let error = site.open(at(25)).unwrap_err();
            assert!(
                matches!(error, StartError::Commit(CommitError::Store(_))),
                "{error:?}"
            );
            restart(&site);
            let (mut sequencer, _) = site.open(at(30)).unwrap();
            let outcomes = sequencer.commit(events.clone(), at(40)).unwrap();
            let mut answered = Answered::new();
            note_answers(&mut answered, &events, &outcomes);
            assert_eq!(answered.len(), events.len());
            check_site(&site, &sequencer, &answered);
        }
    }
}

#[test]
fn a_batch_without_intent_is_judged_again_and_covered_by_a_fresh_epoch() {
    let (site, mut sequencer, mut office) = Site::founded(1);
    let size = sequencer.size().0;
    let lost = Fault {
        at: 1,
        of: Operation::Write,
        how: How::Kill,
        persisted: false,
    };
    site.disk.inject(Some(lost));
    sequencer.commit(batch(&mut office), at(20)).unwrap_err();
    restart(&site);
    let (sequencer, start) = site.open(at(30)).unwrap();
    assert_eq!((start.unsigned, start.fresh_epoch), (5, true));
    assert_eq!(start.unasked, []);
    assert_eq!(sequencer.size().0, size + 6);
    // The epoch that nobody signed stays where it is.
    let heads: Vec<u64> = site
        .disk
        .entries(Family::Heads)
        .iter()
        .map(|entry| decode::<Heads>(entry).unwrap().0)
        .collect();
    assert_eq!(heads, [2, size, size + 6]);
}

#[test]
fn a_clean_stop_needs_nothing_at_the_next_start() {
    let (site, sequencer, _) = Site::founded(1);
    drop(sequencer);
    restart(&site);
    site.disk.inject(None);
    let (_, start) = site.open(at(30)).unwrap();
    assert_eq!(start, crate::sequence::Start::default());
    assert_eq!(site.disk.counts().1, 0);
}

#[test]
fn a_checkpoint_file_left_behind_is_written_at_the_next_start() {
    let (site, mut sequencer, mut office) = Site::founded(1);
    let fault = Fault {
        at: 3,
        of: Operation::Write,
        how: How::Kill,
        persisted: false,
    };
    site.disk.inject(Some(fault));
    sequencer.commit(batch(&mut office), at(20)).unwrap_err();
    restart(&site);
    let (sequencer, start) = site.open(at(30)).unwrap();
    assert!(!start.fresh_epoch);
    use crate::store::files::Files as _;
    let file = site.disk.files().read(CHECKPOINT_FILE).unwrap();
    assert_eq!(file.as_deref(), Some(sequencer.published().note.as_bytes()));
}
