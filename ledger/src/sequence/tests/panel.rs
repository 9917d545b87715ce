//! Cosigners elsewhere: asked side by side, and never waited for longer than they deserve.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use zhao_spec::log::checkpoint::Checkpoint;
use zhao_spec::log::tree::TreeSize;
use zhao_spec::wire::Hash;

use super::cosigners::{Answer, Scripted, honest, line, name, policy, published, vkey};
use crate::fixture::{ORIGIN, Office, START, Site, at, secret};
use crate::sequence::{
    CommitError, Config, CosignError, CosignRequest, Cosigner, Quorum, Sequencer, StartError,
};
use crate::store::memory::Memory;

/// Long enough for whoever answers, on a machine that has much else to do.
pub(super) const LONG: Duration = Duration::from_secs(60);
/// For those who never do.
pub(super) const SHORT: Duration = Duration::from_millis(500);

type Latest = Result<Option<String>, CosignError>;

/// One in this process.
pub(super) fn near(n: u8, answer: Box<Answer>) -> Box<dyn Cosigner> {
    Box::new(Scripted {
        vkey: vkey(n),
        latest: Arc::new(Mutex::new(Ok(None))),
        answer,
        patience: None,
    })
}

pub(super) fn far(
    n: u8,
    patience: Duration,
    latest: Latest,
    answer: Box<Answer>,
) -> Box<dyn Cosigner> {
    Box::new(Scripted {
        vkey: vkey(n),
        latest: Arc::new(Mutex::new(latest)),
        answer,
        patience: Some(patience),
    })
}

pub(super) fn try_create(cosigners: Vec<Box<dyn Cosigner>>) -> Result<Sequencer, StartError> {
    let disk = Memory::new();
    let config = Config {
        signer: Site::signer().into(),
        quorum: Quorum {
            policy: policy(),
            trust: None,
            others: Vec::new(),
        },
        cosigners,
        max_unpublished: 100,
        mldsa: None,
        publication: None,
    };
    let (store, files) = (Arc::new(disk.store().unwrap()), Arc::new(disk.files()));
    Sequencer::create(store, files, config, &Office::genesis(), START)
}

/// Answers when the test says so; tells what it was asked.
fn held(n: u8) -> (Box<Answer>, Sender<()>, Receiver<CosignRequest>) {
    let (go, wait) = channel();
    let (tell, asked) = channel();
    let secret = secret(&name(n));
    let answer: Box<Answer> = Box::new(move |request| {
        let _ = tell.send(request.clone());
        let _ = wait.recv();
        Ok(vec![line(&secret, n, &request.checkpoint.body())])
    });
    (answer, go, asked)
}

#[test]
fn all_are_asked_and_a_quorum_of_them_is_enough() {
    let all = (1..=3).map(|n| far(n, LONG, Ok(None), honest(n)));
    let mut sequencer = try_create(all.collect()).unwrap();
    assert!(published(&sequencer));
    assert!(sequencer.heartbeat(at(1)).unwrap());
}

#[test]
fn one_that_hangs_is_not_waited_for_twice_and_its_late_answer_counts() {
    let (answer, go, asked) = held(2);
    let mut sequencer = try_create(vec![
        far(1, LONG, Ok(None), honest(1)),
        far(2, SHORT, Ok(None), answer),
        far(3, LONG, Ok(None), honest(3)),
    ])
    .unwrap();
    assert!(published(&sequencer));
    let first = asked.recv().unwrap();
    assert_eq!(
        (first.old, first.checkpoint.size),
        (TreeSize(0), TreeSize(2))
    );
    let late = "did not answer in time".to_owned();
    assert_eq!(sequencer.silent(), [(name(2), late)]);
    assert!(sequencer.heartbeat(at(1)).unwrap());
    let busy = "has not answered an earlier question yet".to_owned();
    assert_eq!(sequencer.silent(), [(name(2), busy)]);
    // It cosigns the first head now; whatever it is asked next starts from there.
    go.send(()).unwrap();
    drop(go);
    let next = loop {
        assert!(sequencer.heartbeat(at(2)).unwrap());
        match asked.try_recv() {
            Ok(next) => break next,
            Err(_) => std::thread::yield_now(),
        }
    };
    assert_eq!(next.old, TreeSize(2));
}

#[test]
fn without_a_quorum_nothing_is_published_and_a_later_try_needs_no_new_epoch() {
    let (answer, go, asked) = held(2);
    let down: Box<Answer> = Box::new(|_| Err(CosignError::Unreachable("down".to_owned())));
    let mut sequencer = try_create(vec![
        far(1, LONG, Ok(None), honest(1)),
        far(2, SHORT, Ok(None), answer),
        far(3, LONG, Ok(None), down),
    ])
    .unwrap();
    assert!(!published(&sequencer));
    let size = sequencer.size();
    assert_eq!(asked.recv().unwrap().old, TreeSize(0));
    drop(go);
    while !sequencer.retry(at(1)).unwrap() {
        std::thread::yield_now();
    }
    assert_eq!(sequencer.size(), size);
    assert_eq!(sequencer.published().size, size);
    // Nothing waits: nothing is done.
    assert!(sequencer.retry(at(3_600_000)).unwrap());
    assert_eq!(sequencer.size(), size);
}

#[test]
fn an_epoch_of_long_ago_is_not_cosigned_after_all() {
    let fail = Arc::new(Mutex::new(true));
    let failing = Arc::clone(&fail);
    let mut good = honest(2);
    let answer: Box<Answer> = Box::new(move |request| match *failing.lock().unwrap() {
        true => Err(CosignError::Unreachable("down".to_owned())),
        false => good(request),
    });
    let mut sequencer = try_create(vec![
        far(1, LONG, Ok(None), honest(1)),
        far(2, LONG, Ok(None), answer),
        far(
            3,
            LONG,
            Ok(None),
            Box::new(|_| Err(CosignError::Refused("no".to_owned()))),
        ),
    ])
    .unwrap();
    let size = sequencer.size();
    assert!(!sequencer.retry(at(1)).unwrap());
    *fail.lock().unwrap() = false;
    assert!(sequencer.retry(at(60_000)).unwrap());
    assert_eq!(sequencer.size().0, size.0 + 1);
}

#[test]
fn one_whose_thread_dies_is_as_good_as_gone() {
    let (alive, died) = channel::<()>();
    let dies: Box<Answer> = Box::new(move |_| {
        let _held = &alive;
        panic!("a fault in the cosigner")
    });
    let mut sequencer = try_create(vec![
        far(1, LONG, Ok(None), honest(1)),
        far(2, LONG, Ok(None), dies),
        far(3, LONG, Ok(None), honest(3)),
    ])
    .unwrap();
    // What its thread owned goes last: by then its end has been told.
    let end = died.recv_timeout(LONG);
    assert_eq!(end, Err(RecvTimeoutError::Disconnected));
    assert!(sequencer.heartbeat(at(1)).unwrap());
    let gone = "unreachable: its thread has ended".to_owned();
    assert_eq!(sequencer.silent(), [(name(2), gone)]);
}

#[test]
fn one_that_has_seen_more_of_our_log_stops_everything_from_afar_too() {
    let longer = Checkpoint {
        origin: ORIGIN.to_owned(),
        size: TreeSize(99),
        root: Hash([1; 32]),
    };
    let mut note = longer.to_note().unwrap();
    note.sign(&Site::signer()).unwrap();
    let error = try_create(vec![
        far(1, LONG, Ok(None), honest(1)),
        far(2, LONG, Ok(Some(note.format())), honest(2)),
        far(3, LONG, Ok(None), honest(3)),
    ])
    .unwrap_err();
    assert!(
        matches!(
            error,
            StartError::Commit(CommitError::WitnessAhead {
                theirs: TreeSize(99),
                ..
            })
        ),
        "{error:?}"
    );
}

#[test]
fn false_lines_and_false_sizes_from_afar_are_not_believed() {
    let forger = secret("somebody else");
    let false_line: Box<Answer> =
        Box::new(move |r| Ok(vec![line(&forger, 2, &r.checkpoint.body())]));
    let false_size: Box<Answer> = Box::new(|_| {
        Err(CosignError::Conflict {
            size: TreeSize(1 << 40),
        })
    });
    for answer in [false_line, false_size] {
        let mut sequencer = try_create(vec![
            far(1, LONG, Ok(None), honest(1)),
            far(2, LONG, Ok(None), answer),
            far(
                3,
                LONG,
                Ok(None),
                Box::new(|_| Err(CosignError::Refused("no".to_owned()))),
            ),
        ])
        .unwrap();
        assert!(!published(&sequencer));
        assert!(!sequencer.heartbeat(at(1)).unwrap());
        let note = &sequencer.published().note;
        assert!(note.is_empty(), "{note}");
    }
}

#[test]
fn one_without_a_page_confirms_by_cosigning_again_and_one_that_has_moved_on_does_not() {
    let disk = Memory::new();
    let policy = policy();
    let config = |cosigners| Config {
        signer: Site::signer().into(),
        quorum: Quorum {
            policy: policy.clone(),
            trust: None,
            others: Vec::new(),
        },
        cosigners,
        max_unpublished: 100,
        mldsa: None,
        publication: None,
    };
    let parts = || (Arc::new(disk.store().unwrap()), Arc::new(disk.files()));
    let all = || (1..=3).map(|n| far(n, LONG, Ok(None), honest(n)));
    let (store, files) = parts();
    let genesis = Office::genesis();
    let made = Sequencer::create(store, files, config(all().collect()), &genesis, START);
    assert!(published(&made.unwrap()));
    let (store, files) = parts();
    let (again, _) = Sequencer::open(store, files, config(all().collect()), at(1)).unwrap();
    assert!(again.is_confirmed());
    drop(again);
    // Two of three have seen more, or say so, or sign something else: that is no confirmation.
    let ahead = |n| -> Box<dyn Cosigner> {
        let conflict = CosignError::Conflict { size: TreeSize(9) };
        far(n, LONG, Ok(None), Box::new(move |_| Err(conflict.clone())))
    };
    let forger = |n| -> Box<dyn Cosigner> {
        let forger = secret("somebody else");
        let answer: Box<Answer> =
            Box::new(move |r| Ok(vec![line(&forger, n, &r.checkpoint.body())]));
        far(n, LONG, Ok(None), answer)
    };
    for cosigners in [
        vec![far(1, LONG, Ok(None), honest(1)), ahead(2), ahead(3)],
        vec![far(1, LONG, Ok(None), honest(1)), forger(2), forger(3)],
    ] {
        let (store, files) = parts();
        let (held, start) = Sequencer::open(store, files, config(cosigners), at(2)).unwrap();
        assert!(!held.is_confirmed(), "{start:?}");
    }
}
