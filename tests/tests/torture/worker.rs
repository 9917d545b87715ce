//! The process that is killed: opens the log, commits batches as fast as it can, and says what was
//! answered only after it was.

use std::fmt::{self, Display};
use std::path::PathBuf;
use std::str::FromStr;

use zhao_ledger::sequence::Outcome;
use zhao_ledger::store;
use zhao_ledger::store::layout::EventIds;
use zhao_spec::life::event::VerifiedEvent;
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::Hash;
use zhao_tests::office::START;
use zhao_tests::plan::Plan;

use crate::site::Site;
use crate::stage::{Abort, Stages, one_line};

/// What a worker is told, in one environment variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) seed: u64,
    /// The first batch whose answer nobody has seen in full.
    pub(crate) from: usize,
    pub(crate) abort: Option<Abort>,
    pub(crate) folder: PathBuf,
}

impl Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let abort = self.abort.map_or("-".to_owned(), |abort| abort.to_string());
        let folder = self.folder.display();
        write!(f, "{} {} {abort} {folder}", self.seed, self.from)
    }
}

impl FromStr for Job {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("no job: {text}");
        let parts: Vec<&str> = text.splitn(4, ' ').collect();
        let [seed, from, abort, folder] = parts[..] else {
            return Err(wrong());
        };
        Ok(Self {
            seed: seed.parse().map_err(|_| wrong())?,
            from: from.parse().map_err(|_| wrong())?,
            abort: (abort != "-").then(|| abort.parse()).transpose()?,
            folder: folder.into(),
        })
    }
}

/// Works until the process is ended from outside, or by the abort in the job.
pub(crate) fn work(job: &Job) {
    let stages = Stages::loud(job.abort);
    // Whatever the test harness has begun to say, ends here.
    stages.say("");
    let site = Site::at(&job.folder);
    let log = site.log().unwrap();
    let (mut sequencer, start) = site.open(&log, &stages).unwrap();
    assert_eq!(start.unasked, [], "both cosigners are in this process");
    stages.say(&format!("open {} {}", start.unsigned, start.fresh_epoch));
    let index_of = |id: &Hash| store::require::<EventIds>(&*log, id).unwrap();
    let mut plan = Plan::new(job.seed);
    for number in 0.. {
        let batch = plan.next(&index_of);
        if number < job.from {
            continue;
        }
        let ids: Vec<Hash> = batch.iter().map(|event| event.id()).collect();
        let verify = |event: zhao_spec::life::event::Event| event.verify_signatures().unwrap();
        let events: Vec<VerifiedEvent> = batch.into_iter().map(verify).collect();
        let outcomes = sequencer.commit(events, START).unwrap();
        let indexes = indexes(&outcomes, sequencer.silent());
        let note = one_line(&sequencer.published().note);
        stages.say(&format!("published {note}"));
        for (id, index) in ids.iter().zip(indexes) {
            stages.say(&format!("answered {} {index}", id.to_base64()));
        }
        stages.say(&format!("batch {number}"));
    }
}

/// A batch is in the log whole or not at all: submitted again, all of it is known or nothing is.
fn indexes(outcomes: &[Outcome], silent: &[(String, String)]) -> Vec<LeafIndex> {
    let accepted = outcomes.iter().filter_map(|outcome| match outcome {
        Outcome::Accepted { index } => Some(*index),
        _ => None,
    });
    let duplicate = outcomes.iter().filter_map(|outcome| match outcome {
        Outcome::Duplicate { index } => Some(*index),
        _ => None,
    });
    let (accepted, duplicate): (Vec<_>, Vec<_>) = (accepted.collect(), duplicate.collect());
    for all in [accepted, duplicate] {
        if all.len() == outcomes.len() {
            return all;
        }
    }
    panic!("neither all accepted nor all known: {outcomes:?}; silent: {silent:?}");
}
