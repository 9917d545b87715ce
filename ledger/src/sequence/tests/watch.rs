//! What a watcher is told of cosigners that are slow, wrong, silent and gone, and of commits.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use zhao_spec::log::tree::TreeSize;

use super::cosigners::{Answer, honest, line, name, published};
use super::panel::{LONG, SHORT, far, near, try_create};
use crate::fixture::{at, secret};
use crate::sequence::{CosignError, Failing, Stage, Watch};

/// Keeps what it is told; its stopwatch goes only when somebody turns it.
#[derive(Default)]
struct Kept {
    millis: AtomicU64,
    stands: Mutex<Option<(TreeSize, Vec<String>)>>,
    stages: Mutex<Vec<(Stage, u64)>>,
    answered: Mutex<Vec<(String, u64)>>,
    cosigned: Mutex<Vec<String>>,
    failed: Mutex<Vec<(String, Failing)>>,
}

fn millis(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap()
}

impl Watch for Kept {
    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.millis.load(Ordering::SeqCst))
    }

    fn stands(&self, size: TreeSize, silent: &[(String, String)]) {
        let names = silent.iter().map(|(name, _)| name.clone());
        *self.stands.lock().unwrap() = Some((size, names.collect()));
    }

    fn stage(&self, stage: Stage, took: Duration) {
        self.stages.lock().unwrap().push((stage, millis(took)));
    }

    fn batch(&self, _events: usize) {}

    fn admitted(&self, _took: Duration) {}

    fn unsigned(&self, _code: &'static str) {}

    fn answered(&self, name: &str, took: Duration) {
        let mut all = self.answered.lock().unwrap();
        all.push((name.to_owned(), millis(took)));
    }

    fn cosigned(&self, name: &str) {
        self.cosigned.lock().unwrap().push(name.to_owned());
    }

    fn failed(&self, name: &str, failing: Failing) {
        self.failed.lock().unwrap().push((name.to_owned(), failing));
    }
}

fn answer(
    answer: impl FnMut(&crate::sequence::CosignRequest) -> Result<Vec<String>, CosignError>
    + Send
    + 'static,
) -> Box<Answer> {
    Box::new(answer)
}

#[test]
fn slow_wrong_and_gone_are_told_apart() {
    let kept = Arc::new(Kept::default());
    let clock = Arc::clone(&kept);
    let mut good = honest(1);
    let slow = answer(move |request| {
        clock.millis.fetch_add(300, Ordering::SeqCst);
        good(request)
    });
    let forger = secret("somebody else");
    let wrong = answer(move |r| Ok(vec![line(&forger, 2, &r.checkpoint.body())]));
    let gone = answer(|_| Err(CosignError::Unreachable("down".to_owned())));
    let mut sequencer = try_create(vec![near(1, slow), near(2, wrong), near(3, gone)]).unwrap();
    // What was before the watcher came is not told; where the log stands is, at once.
    sequencer.watched_by(Arc::clone(&kept) as Arc<dyn Watch>);
    assert!(kept.answered.lock().unwrap().is_empty());
    let both = vec![name(2), name(3)];
    assert_eq!(*kept.stands.lock().unwrap(), Some((sequencer.size(), both)));
    assert!(!sequencer.heartbeat(at(1)).unwrap());
    assert_eq!(
        *kept.answered.lock().unwrap(),
        [(name(1), 300), (name(2), 0)]
    );
    assert_eq!(*kept.cosigned.lock().unwrap(), [name(1)]);
    assert_eq!(
        *kept.failed.lock().unwrap(),
        [(name(2), Failing::False), (name(3), Failing::Unreachable)]
    );
    // Nothing was published: that stage was not come to.
    let stages = kept.stages.lock().unwrap();
    let order = [
        (Stage::Derive, 0),
        (Stage::Check, 0),
        (Stage::Write, 0),
        (Stage::Sign, 0),
        (Stage::Cosign, 300),
    ];
    assert_eq!(*stages, order);
}

#[test]
fn whoever_answers_with_nothing_or_with_anothers_line_has_not_cosigned() {
    let others = secret(&name(1));
    let borrowed = answer(move |r| Ok(vec![line(&others, 1, &r.checkpoint.body())]));
    for silent in [answer(|_| Ok(Vec::new())), borrowed] {
        let kept = Arc::new(Kept::default());
        let all = vec![near(1, honest(1)), near(2, silent), near(3, honest(3))];
        let mut sequencer = try_create(all).unwrap();
        sequencer.watched_by(Arc::clone(&kept) as Arc<dyn Watch>);
        assert!(sequencer.heartbeat(at(1)).unwrap());
        assert_eq!(*kept.failed.lock().unwrap(), [(name(2), Failing::Nothing)]);
        assert_eq!(*kept.cosigned.lock().unwrap(), [name(1), name(3)]);
        let why = "gave no line of its own".to_owned();
        assert_eq!(sequencer.silent(), [(name(2), why)]);
        let stages = kept.stages.lock().unwrap();
        assert_eq!(stages.last(), Some(&(Stage::Publish, 0)));
    }
}

#[test]
fn refusals_and_conflicts_have_kinds_of_their_own() {
    for (said, kind) in [
        (CosignError::Refused("no".to_owned()), Failing::Refused),
        (
            CosignError::Conflict { size: TreeSize(0) },
            Failing::Conflict,
        ),
        (
            CosignError::Conflict {
                size: TreeSize(1 << 40),
            },
            Failing::Conflict,
        ),
    ] {
        let kept = Arc::new(Kept::default());
        let odd = answer(move |_| Err(said.clone()));
        let all = vec![near(1, honest(1)), near(2, odd), near(3, honest(3))];
        let mut sequencer = try_create(all).unwrap();
        sequencer.watched_by(Arc::clone(&kept) as Arc<dyn Watch>);
        assert!(sequencer.heartbeat(at(1)).unwrap());
        assert_eq!(*kept.failed.lock().unwrap(), [(name(2), kind)]);
    }
}

#[test]
fn one_that_hangs_is_late_then_busy_and_its_late_answer_has_its_whole_latency() {
    let kept = Arc::new(Kept::default());
    let (go, wait) = channel::<()>();
    let (tell, asked) = channel();
    let own = secret(&name(2));
    let hangs = answer(move |request| {
        let _ = tell.send(());
        let _ = wait.recv();
        Ok(vec![line(&own, 2, &request.checkpoint.body())])
    });
    let all = vec![
        near(1, honest(1)),
        far(2, SHORT, Ok(None), hangs),
        far(3, LONG, Ok(None), honest(3)),
    ];
    // The founding head is cosigned by the two others, and by this one late.
    let mut sequencer = try_create(all).unwrap();
    asked.recv().unwrap();
    go.send(()).unwrap();
    sequencer.watched_by(Arc::clone(&kept) as Arc<dyn Watch>);
    let mut n = 0;
    while kept.failed.lock().unwrap().last() != Some(&(name(2), Failing::Late)) {
        n += 1;
        assert!(sequencer.heartbeat(at(n)).unwrap());
    }
    asked.recv().unwrap();
    assert!(sequencer.heartbeat(at(n + 1)).unwrap());
    assert_eq!(
        kept.failed.lock().unwrap().last(),
        Some(&(name(2), Failing::Busy))
    );
    let of_two = |kept: &Kept| {
        let all = kept.answered.lock().unwrap();
        let own = all.iter().filter(|(one, _)| *one == name(2));
        own.map(|(_, took)| *took).collect::<Vec<_>>()
    };
    assert_eq!(of_two(&kept), Vec::<u64>::new());
    kept.millis.fetch_add(7_000, Ordering::SeqCst);
    drop(go);
    while of_two(&kept).is_empty() {
        std::thread::yield_now();
    }
    assert_eq!(of_two(&kept), [7_000]);
    // Late is not cosigned: no reader's head has that line.
    assert!(!kept.cosigned.lock().unwrap().contains(&name(2)));
    assert!(published(&sequencer));
}
