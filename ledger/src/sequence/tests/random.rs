//! Random batches beside a naive model: one map, one tree, one list of events, in plain memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use zhao_spec::life::apply::{ApplyError, View, ViewFault, apply, genesis_records};
use zhao_spec::life::event::VerifiedEvent;
use zhao_spec::life::record::Record;
use zhao_spec::life::verb::Verb;
use zhao_spec::log::tree::{LeafIndex, MemoryTree, leaf_hash};
use zhao_spec::map::naive_root;
use zhao_spec::wire::{Hash, UnixMillis};

use crate::fixture::{Office, Site, at};
use crate::sequence::ahead::Judged;
use crate::sequence::{Outcome, Sequencer};
use crate::store;
use crate::store::layout::Leaves;

/// xorshift64*: the seed is the test's, so a failure repeats.
struct Dice(u64);

impl Dice {
    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[usize::try_from(self.roll(of.len().try_into().unwrap())).unwrap()]
    }

    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % sides
    }
}

#[derive(Default)]
struct Model {
    records: BTreeMap<Hash, Arc<Record>>,
    known: BTreeMap<Hash, u64>,
    size: u64,
}

impl View for Model {
    fn record(&self, key: &Hash) -> Result<Option<Arc<Record>>, ViewFault> {
        Ok(self.records.get(key).cloned())
    }
}

impl Model {
    fn commit(&mut self, events: &[VerifiedEvent], time: UnixMillis) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        let before = self.size;
        for event in events {
            if let Some(index) = self.known.get(&event.id()) {
                outcomes.push(Outcome::Duplicate {
                    index: LeafIndex(*index),
                });
                continue;
            }
            let index = LeafIndex(self.size);
            match apply(self, event, index, time) {
                Ok(writes) => {
                    self.records
                        .extend(writes.into_iter().map(|(k, r)| (k, Arc::new(r))));
                    self.known.insert(event.id(), self.size);
                    self.size += 1;
                    outcomes.push(Outcome::Accepted { index });
                }
                Err(ApplyError::Refused(refusal)) => outcomes.push(Outcome::Refused(refusal)),
                Err(ApplyError::View(fault)) => panic!("{fault:?}"),
            }
        }
        if self.size > before {
            self.size += 1;
        }
        outcomes
    }

    fn root(&self) -> Hash {
        let all: BTreeMap<Hash, Hash> = self.records.iter().map(|(k, r)| (*k, r.hash())).collect();
        naive_root(&all)
    }
}

fn random_event(dice: &mut Dice, office: &mut Office, issued: &mut u64) -> VerifiedEvent {
    let verbs = [
        Verb::Hold,
        Verb::LiftHold,
        Verb::ReportLost,
        Verb::WithdrawLoss,
        Verb::Withhold,
        Verb::LiftWithholding,
        Verb::Mortgage,
        Verb::MarkObjection,
        Verb::Cancel,
    ];
    match dice.roll(10) {
        0..=4 => {
            *issued += 1;
            let holders = ["91320402DEM0010172", "91320402DEM0020215"];
            let holder: &&str = dice.pick(&holders);
            office.issue_to(*issued, holder)
        }
        5 if dice.roll(8) == 0 => office.rotate(&format!("key {}", dice.roll(1 << 30))),
        _ => {
            let verb = *dice.pick(&verbs);
            // The office signs on as if all were accepted; put it right by drafting from a copy.
            let n = 1 + dice.roll(*issued + 1);
            office.plain(n, verb)
        }
    }
}

/// How batches reach the sequencer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// One after another.
    Plain,
    /// Judged while the one before waits for its commit, with an empty epoch in between at times.
    Ahead,
}

/// A judged batch, and what it must be answered.
type Waiting = Option<(Judged, Vec<Outcome>)>;

/// Commits what waits; returns whether the judgement was of use.
fn settle(sequencer: &mut Sequencer, waiting: &mut Waiting, context: &str) -> bool {
    let Some((judged, expected)) = waiting.take() else {
        return false;
    };
    let plan = judged.plan.as_ref();
    let used = plan.is_some_and(|plan| plan.on == sequencer.tip.mark());
    assert_eq!(
        sequencer.commit_judged(judged).unwrap(),
        expected,
        "{context}"
    );
    used
}

fn run(seed: u64, batches: u64, way: Way) {
    let mut dice = Dice(seed);
    let (site, mut sequencer, mut office) = Site::founded(0);
    let mut model = Model {
        size: 2,
        ..Model::default()
    };
    for (key, record) in genesis_records(&Office::genesis()) {
        model.records.insert(key, Arc::new(record));
    }
    let founding = Office::new().founding();
    model.commit(&founding, at(10));
    let mut issued = 0;
    let mut earlier: Vec<VerifiedEvent> = founding;
    let mut judge = sequencer.judge();
    let (mut waiting, mut used): (Waiting, u64) = (None, 0);
    for batch in 0..batches {
        let context = format!("seed {seed} batch {batch}");
        let between = way == Way::Ahead && waiting.is_some() && dice.roll(5) == 0;
        if between {
            model.size += 1;
        }
        let mut events = Vec::new();
        for _ in 0..dice.roll(40) {
            let kept = office.clone();
            let event = random_event(&mut dice, &mut office, &mut issued);
            // Half of what will be refused goes in with its dependents, half is taken back.
            let mut probe = Model {
                records: model.records.clone(),
                ..Model::default()
            };
            probe.size = model.size;
            let refused = matches!(
                probe.commit(std::slice::from_ref(&event), at(20 + batch))[..],
                [Outcome::Refused(_)]
            );
            if refused && dice.roll(2) == 0 {
                office = kept;
            }
            events.push(event);
            if dice.roll(12) == 0 {
                events.push(dice.pick(&earlier).clone());
            }
        }
        earlier.extend(events.iter().cloned());
        let expected = model.commit(&events, at(20 + batch));
        if way == Way::Ahead {
            let judged = judge.judge(events, at(20 + batch));
            used += u64::from(settle(&mut sequencer, &mut waiting, &context));
            if between {
                let earlier = UnixMillis(at(20 + batch).0 - 500);
                sequencer.heartbeat(earlier).unwrap();
            }
            let lost = judged.plan.is_none();
            waiting = Some((judged, expected));
            if lost {
                settle(&mut sequencer, &mut waiting, &context);
            }
            continue;
        }
        let outcomes = sequencer.commit(events, at(20 + batch)).unwrap();
        assert_eq!(outcomes, expected, "{context}");
        assert_eq!(sequencer.size().0, model.size);
        let epoch = sequencer.edge.epoch.clone().unwrap();
        assert_eq!(epoch.map_root, model.root(), "seed {seed} batch {batch}");
        assert_eq!(epoch.subjects, u64::try_from(model.records.len()).unwrap());
    }
    if way == Way::Ahead {
        used += u64::from(settle(&mut sequencer, &mut waiting, "the last"));
        // After an empty epoch two judgements in a row are for nothing; the rest are of use, or of
        // batches that add nothing.
        assert!(used >= batches / 3, "{used} of {batches}");
        assert!(used < batches, "{used} of {batches}");
    }
    assert_eq!(sequencer.size().0, model.size);
    let epoch = sequencer.edge.epoch.clone().unwrap();
    assert_eq!(epoch.map_root, model.root());
    let stored = site.disk.store().unwrap();
    let mut tree = MemoryTree::new();
    for index in 0..sequencer.size().0 {
        let leaf = store::require::<Leaves>(&stored, &LeafIndex(index)).unwrap();
        tree.push(leaf_hash(&leaf)).unwrap();
    }
    assert_eq!(sequencer.edge.frontier.root(), tree.root());
    super::faults::check_site(&site, &sequencer, &BTreeMap::new());
}

#[test]
fn random_batches_agree_with_the_model() {
    for seed in 1..=6 {
        run(seed * 0x9e37_79b9, 14, Way::Plain);
    }
}

#[test]
fn batches_judged_ahead_agree_with_the_model() {
    for seed in 1..=6 {
        run(seed * 0x85eb_ca6b, 30, Way::Ahead);
    }
}
