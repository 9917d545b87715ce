//! Somebody who remembers everything the machine ever answered or signed, and holds it to that.

use std::collections::BTreeMap;
use std::sync::Arc;

use zhao_ledger::fsck::{self, Advice};
use zhao_ledger::read::Reader;
use zhao_ledger::sequence::{CHECKPOINT_FILE, CommitError, Outcome, Sequencer};
use zhao_ledger::store::files::Files as _;
use zhao_ledger::store::layout::Leaves;
use zhao_ledger::store::rocks::Rocks;
use zhao_ledger::store::{self, Store};
use zhao_spec::life::event::Event;
use zhao_spec::log::tree::{LeafIndex, TreeSize};
use zhao_spec::wire::Hash;
use zhao_tests::machine::{auditor, log_keys, quorum};
use zhao_tests::office::START;
use zhao_tests::plan::Plan;
use zhao_tests::promise::{Checked, Heads, History, ensure, text};

use crate::machine::{Machine, Signed};

/// Why a batch was not answered.
#[derive(Debug)]
pub(crate) enum Unanswered {
    /// An error.
    Failed(CommitError),
    /// It is in the log, but below the quorum.
    Pending,
}

/// The office's side of one life of a log.
pub(crate) struct Memory {
    plan: Plan,
    /// The batch whose answer is awaited.
    batch: Option<Vec<Event>>,
    /// What was answered.
    pub(crate) answered: BTreeMap<Hash, LeafIndex>,
    /// Batches answered.
    pub(crate) batches: u64,
    pub(crate) heads: Heads,
    pub(crate) signed: Signed,
    history: History,
}

impl Memory {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            plan: Plan::new(seed),
            batch: None,
            answered: BTreeMap::new(),
            batches: 0,
            heads: Heads::default(),
            signed: Signed::default(),
            history: History::new(seed),
        }
    }

    /// Another one who remembers the same, for another copy of the machine.
    pub(crate) fn fork(&self) -> Self {
        Self {
            plan: self.plan.clone(),
            batch: self.batch.clone(),
            answered: self.answered.clone(),
            batches: self.batches,
            heads: self.heads.clone(),
            signed: Signed::default(),
            history: self.history.clone(),
        }
    }

    /// Submits the next batch, or the last one again when it was not answered.
    pub(crate) fn submit(&mut self, sequencer: &mut Sequencer) -> Checked<Result<(), Unanswered>> {
        let answered = &self.answered;
        let index_of = |id: &Hash| *answered.get(id).expect("only answered events are named");
        let plan = &mut self.plan;
        let batch = self.batch.get_or_insert_with(|| plan.next(&index_of));
        let events: Result<Vec<_>, _> = batch
            .iter()
            .cloned()
            .map(Event::verify_signatures)
            .collect();
        let outcomes = match sequencer.commit(text(events)?, START) {
            Ok(outcomes) => outcomes,
            Err(error) => return Ok(Err(Unanswered::Failed(error))),
        };
        let mut places = Vec::new();
        for outcome in &outcomes {
            match outcome {
                Outcome::Accepted { index } | Outcome::Duplicate { index } => places.push(*index),
                Outcome::Pending { .. } => return Ok(Err(Unanswered::Pending)),
                Outcome::Refused(refusal) => return Err(format!("refused: {refusal}")),
            }
        }
        self.heads.publish(&sequencer.published().note)?;
        for (event, index) in batch.iter().zip(places) {
            let id = event.id();
            let before = self.answered.insert(id, index);
            ensure(before.is_none_or(|before| before == index), || {
                format!("{id} was answered with {before:?}, then with {index}")
            })?;
        }
        self.batch = None;
        self.batches += 1;
        Ok(Ok(()))
    }

    /// Takes down the heads that left the sequencer.
    pub(crate) fn hear(&mut self) -> Checked {
        let signed = std::mem::take(&mut *self.signed.lock().expect("nobody panics here"));
        signed
            .iter()
            .try_for_each(|note| self.heads.see(note).map(drop))
    }

    /// What the machine finds when it starts again without faults: as it lies there, and after a
    /// start has repaired it.
    pub(crate) fn check(&mut self, machine: &Machine) -> Checked {
        self.hear()?;
        self.check_left(machine)?;
        {
            let log: Arc<dyn Store> = Arc::new(text(Rocks::create(&machine.database()))?);
            let running = text(machine.open_log(&log, &self.signed))?;
            let well = running.start.unasked.is_empty() && running.sequencer.silent().is_empty();
            ensure(well, || {
                format!("{:?}, {:?}", running.start, running.sequencer.silent())
            })?;
        }
        self.hear()?;
        self.check_open(machine)
    }

    fn check_left(&self, machine: &Machine) -> Checked {
        let log: Arc<dyn Store> = Arc::new(text(Rocks::create(&machine.database()))?);
        if text(store::last::<Leaves>(&*log))?.is_none() {
            return ensure(self.answered.is_empty(), || {
                "the log is empty, and something was answered".to_owned()
            });
        }
        let files = text(machine.files())?;
        let report = text(fsck::check(&*log, &files, &log_keys()))?;
        let worse = report
            .findings
            .iter()
            .find(|found| found.advice != Advice::Restart);
        ensure(worse.is_none(), || format!("left behind: {worse:?}"))?;
        let newest = Reader::new(log).latest().map(|view| view.size());
        let newest = newest.unwrap_or(TreeSize(0));
        let last = self.answered.values().max();
        ensure(last.is_none_or(|last| last.0 < newest.0), || {
            format!("{last:?} was answered, but the newest published head is {newest}")
        })
    }

    /// Everything there was promised, in a log that has just been started without faults.
    pub(crate) fn check_open(&mut self, machine: &Machine) -> Checked {
        let log: Arc<dyn Store> = Arc::new(text(Rocks::create(&machine.database()))?);
        let files = text(machine.files())?;
        let report = text(fsck::check(&*log, &files, &log_keys()))?;
        ensure(report.is_clean(), || {
            format!("after a start: {:?}", report.findings)
        })?;
        let note = text(files.read(CHECKPOINT_FILE))?.ok_or("no checkpoint file")?;
        let note = text(String::from_utf8(note))?;
        ensure(text(quorum().is_met(&note))?, || {
            "published without a quorum".to_owned()
        })?;
        self.heads.publish(&note)?;
        let places = self.history.check(&log)?;
        for (id, index) in &self.answered {
            let place = places.get(id);
            ensure(place == Some(index), || {
                format!("{id} was answered with {index}, is {place:?}")
            })?;
        }
        self.heads.check(&log)?;
        let replica: Arc<dyn Store> = Arc::new(text(Rocks::create(&machine.replica()))?);
        let size = text(auditor(replica, Arc::clone(&log)).size())?;
        ensure(size.0 == report.size, || {
            format!("the auditor has {size} of {} leaves", report.size)
        })
    }
}
