//! Many submitters at once, bad signatures among good ones, a full queue, a disk that fails.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use zhao_spec::life::apply::Refusal;
use zhao_spec::life::event::Event;
use zhao_spec::life::verb::Verb;
use zhao_spec::log::tree::TreeSize;
use zhao_spec::map::check_present;
use zhao_spec::wire::{Signature, limits};

use super::{Pipeline, Settings, SubmitError};
use crate::fixture::{Office, Site, at, licence_key};
use crate::sequence::{CommitError, Failing, Outcome, Sequencer, Stage as WatchedStage, Watch};
use crate::store::memory::{Fault, How, Operation};

const SETTINGS: Settings = Settings {
    checkers: 2,
    batch: 16,
    queue: 10_000,
};

fn start(sequencer: Sequencer, settings: Settings) -> Pipeline {
    Pipeline::start(sequencer, Arc::new(|| at(50)), settings).unwrap()
}

fn accepted(outcomes: &[Outcome]) -> bool {
    let accepted = |outcome: &Outcome| matches!(outcome, Outcome::Accepted { .. });
    outcomes.iter().all(accepted)
}

fn events(office: &mut Office, first: u64, count: u64) -> Vec<Event> {
    (first..first + count)
        .map(|n| office.issue(n).into_inner())
        .collect()
}

#[test]
fn what_is_handed_in_is_judged_in_that_order() {
    let (_site, sequencer, mut office) = Site::founded(3);
    let pipeline = start(sequencer, SETTINGS);
    // Each follows the one before: any other order would be refused.
    let chain: Vec<Event> = (0..60)
        .map(|n| {
            let verb = [Verb::Hold, Verb::LiftHold][n % 2];
            office.plain(1, verb).into_inner()
        })
        .collect();
    let tickets: Vec<_> = chain
        .into_iter()
        .map(|event| pipeline.submit(vec![event]).unwrap())
        .collect();
    let mut last = 0;
    for ticket in tickets {
        let outcomes = ticket.wait().unwrap();
        let [Outcome::Accepted { index }] = outcomes[..] else {
            panic!("{outcomes:?}");
        };
        assert!(index.0 > last);
        last = index.0;
    }
    assert_eq!(pipeline.sequencer().published().size.0, last + 2);
    pipeline.stop();
}

#[test]
fn a_bad_signature_is_refused_in_its_place_and_hurts_nobody_else() {
    let (_site, sequencer, mut office) = Site::founded(1);
    let pipeline = start(sequencer, SETTINGS);
    let mut mixed = events(&mut office, 10, 5);
    mixed[2].signatures[0].signature = Signature([7; 64]);
    mixed[4].signatures.clear();
    let bad = pipeline.submit(mixed).unwrap();
    let good = pipeline.submit(events(&mut office, 20, 5)).unwrap();
    let outcomes = bad.wait().unwrap();
    assert!(accepted(&[
        outcomes[0].clone(),
        outcomes[1].clone(),
        outcomes[3].clone()
    ]));
    assert!(
        matches!(
            outcomes[2],
            Outcome::Refused(Refusal::SignatureInvalid { .. })
        ),
        "{outcomes:?}"
    );
    assert_eq!(outcomes[4], Outcome::Refused(Refusal::SignerMissing));
    assert!(accepted(&good.wait().unwrap()));
}

#[test]
fn a_full_queue_takes_no_more_and_loses_nothing() {
    let (_site, sequencer, mut office) = Site::founded(1);
    let settings = Settings {
        queue: 8,
        ..SETTINGS
    };
    let pipeline = start(sequencer, settings);
    let held = pipeline.sequencer();
    // Nothing is committed while somebody else has the sequencer.
    let first = pipeline.submit(events(&mut office, 10, 6)).unwrap();
    let more = events(&mut office, 20, 3);
    let busy = pipeline.submit(more.clone()).unwrap_err();
    let (waiting, limit) = (6, 8);
    assert_eq!(busy, SubmitError::Busy { waiting, limit });
    let second = pipeline.submit(events(&mut office, 30, 2)).unwrap();
    drop(held);
    assert!(accepted(&first.wait().unwrap()));
    assert!(accepted(&second.wait().unwrap()));
    let actual = limits::BATCH_EVENTS + 1;
    let limit = limits::BATCH_EVENTS;
    let large = pipeline.submit(vec![more[0].clone(); actual]).unwrap_err();
    assert_eq!(large, SubmitError::TooLarge { limit, actual });
}

#[test]
fn stopping_answers_everything_that_was_taken() {
    let (site, sequencer, mut office) = Site::founded(1);
    let pipeline = start(sequencer, SETTINGS);
    let tickets: Vec<_> = (0..20)
        .map(|n| {
            pipeline
                .submit(events(&mut office, 100 + n * 10, 10))
                .unwrap()
        })
        .collect();
    pipeline.stop();
    for ticket in tickets {
        assert!(accepted(&ticket.wait().unwrap()));
    }
    assert!(site.open(at(60)).is_ok());
}

#[test]
fn after_a_failed_write_everybody_is_told() {
    let (site, sequencer, mut office) = Site::founded(1);
    let pipeline = start(sequencer, SETTINGS);
    site.disk.inject(Some(Fault {
        at: 0,
        of: Operation::Write,
        how: How::Error,
        persisted: false,
    }));
    let first = pipeline.submit(events(&mut office, 10, 3)).unwrap();
    let error = first.wait().unwrap_err();
    assert!(matches!(error, CommitError::Store(_)), "{error:?}");
    for n in 2..5 {
        let later = pipeline.submit(events(&mut office, n * 10, 3)).unwrap();
        let told = later.wait().unwrap_err();
        assert_eq!(told, CommitError::Stopped(error.to_string()));
    }
}

#[test]
fn many_submit_while_readers_prove() {
    let (_site, sequencer, mut office) = Site::founded(40);
    let reader = sequencer.reader();
    let pipeline = start(sequencer, SETTINGS);
    let shares: Vec<Vec<Event>> = (0..4)
        .map(|share| events(&mut office, 1_000 + share * 100, 60))
        .collect();
    let done = AtomicBool::new(false);
    let (pipeline, done) = (&pipeline, &done);
    let proofs = thread::scope(|scope| {
        let proving = scope.spawn(move || {
            let (mut proofs, mut last) = (0_u64, 0);
            while !done.load(Ordering::Relaxed) || proofs < 50 {
                let view = reader.latest().unwrap();
                let key = licence_key(proofs % 40);
                let (path, record) = view.placed(&key).unwrap();
                // Map, record and head are of one moment.
                let hash = record.unwrap().hash();
                check_present(&view.epoch().map_root, &key, &hash, &path).unwrap();
                assert_eq!(view.epoch().index.0 + 1, view.size().0);
                assert!(view.size().0 >= last);
                last = view.size().0;
                proofs += 1;
            }
            proofs
        });
        let submitters: Vec<_> = shares
            .into_iter()
            .map(|share| {
                scope.spawn(move || {
                    for event in share {
                        let ticket = pipeline.submit(vec![event]).unwrap();
                        assert!(accepted(&ticket.wait().unwrap()));
                    }
                })
            })
            .collect();
        for submitter in submitters {
            submitter.join().unwrap();
        }
        done.store(true, Ordering::Relaxed);
        proving.join().unwrap()
    });
    assert!(proofs >= 50);
    assert_eq!(pipeline.waiting(), 0);
}

#[test]
fn a_thread_that_panics_leaves_nobody_waiting() {
    let (_site, sequencer, mut office) = Site::founded(1);
    let clock = Arc::new(|| panic!("the clock is broken"));
    let pipeline = Pipeline::start(sequencer, clock, SETTINGS).unwrap();
    let first = pipeline.submit(events(&mut office, 10, 3)).unwrap();
    assert!(matches!(first.wait(), Err(CommitError::Stopped(_))));
    pipeline.stop();
}

#[test]
fn a_sequencer_that_unwound_answers_nothing_more() {
    let (_site, mut sequencer, mut office) = Site::founded(1);
    let signed = sequencer.published().clone();
    let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        sequencer.guarded::<()>(|_| panic!("in the middle of a commit"))
    }));
    assert!(unwound.is_err());
    let error = sequencer
        .commit(vec![office.issue(10)], at(60))
        .unwrap_err();
    let why = "an operation did not end".to_owned();
    assert_eq!(error, CommitError::Stopped(why));
    assert_eq!(sequencer.published(), &signed);
}

/// Counts what it is told.
#[derive(Default)]
struct Kept {
    batches: Mutex<Vec<usize>>,
    admitted: AtomicUsize,
    unsigned: Mutex<Vec<&'static str>>,
}

impl Watch for Kept {
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
    fn stands(&self, _size: TreeSize, _silent: &[(String, String)]) {}
    fn stage(&self, _stage: WatchedStage, _took: Duration) {}
    fn batch(&self, events: usize) {
        self.batches.lock().unwrap().push(events);
    }
    fn admitted(&self, _took: Duration) {
        self.admitted.fetch_add(1, Ordering::SeqCst);
    }
    fn unsigned(&self, code: &'static str) {
        self.unsigned.lock().unwrap().push(code);
    }
    fn answered(&self, _name: &str, _took: Duration) {}
    fn cosigned(&self, _name: &str) {}
    fn failed(&self, _name: &str, _failing: Failing) {}
}

#[test]
fn a_watcher_knows_of_a_submission_before_whoever_handed_it_in() {
    let (_site, sequencer, mut office) = Site::founded(1);
    let kept = Arc::new(Kept::default());
    sequencer.watched_by(Arc::clone(&kept) as Arc<dyn Watch>);
    let pipeline = start(sequencer, SETTINGS);
    let mut mixed = events(&mut office, 10, 5);
    mixed[1].signatures[0].signature = Signature([7; 64]);
    mixed[2].signatures.clear();
    mixed[4].signatures[0].signature = Signature([8; 64]);
    pipeline.submit(mixed).unwrap().wait().unwrap();
    assert_eq!(kept.admitted.load(Ordering::SeqCst), 1);
    assert_eq!(*kept.batches.lock().unwrap(), [5]);
    let codes = ["signature_invalid", "signer_missing", "signature_invalid"];
    assert_eq!(*kept.unsigned.lock().unwrap(), codes);
    // What the life cycle refuses is no failure of a signature.
    let unborn = office.plain(99, Verb::Hold).into_inner();
    let outcomes = pipeline.submit(vec![unborn]).unwrap().wait().unwrap();
    assert!(matches!(outcomes[0], Outcome::Refused(_)), "{outcomes:?}");
    assert_eq!(kept.unsigned.lock().unwrap().len(), 3);
    assert_eq!(kept.admitted.load(Ordering::SeqCst), 2);
    pipeline.stop();
}
