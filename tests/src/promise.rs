//! What the ledger promises, as somebody outside can hold it to: heads that extend each other, and
//! the office's events, each where it was answered to be.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use zhao_ledger::read::Reader;
use zhao_ledger::store::layout::Leaves;
use zhao_ledger::store::{self, Store};
use zhao_spec::life::leaf::Leaf;
use zhao_spec::log::checkpoint::{self, Checkpoint};
use zhao_spec::log::tree::{LeafIndex, TreeSize, check_consistency};
use zhao_spec::wire::Hash;

use crate::machine::{quorum, signer};
use crate::plan::Plan;

/// What a check says when it fails.
pub type Checked<T = ()> = Result<T, String>;

/// What is wrong, unless it holds.
///
/// # Errors
/// It does not hold.
pub fn ensure(holds: bool, problem: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(problem()) }
}

/// An error as text, with the place that saw it.
///
/// # Errors
/// The same.
#[track_caller]
pub fn text<T, E: Display>(result: Result<T, E>) -> Checked<T> {
    let place = std::panic::Location::caller();
    result.map_err(|error| format!("{place}: {error}"))
}

/// Heads that somebody outside may hold.
#[derive(Clone, Debug, Default)]
pub struct Heads {
    seen: BTreeMap<TreeSize, Checkpoint>,
    /// Size of the newest with a quorum.
    published: Option<TreeSize>,
}

impl Heads {
    /// A head with the log's signature; one size has one root.
    ///
    /// # Errors
    /// Another signature, or a second root.
    pub fn see(&mut self, note: &str) -> Checked<Checkpoint> {
        let (head, _) = text(checkpoint::open(note, signer().vkey()))?;
        let known = self.seen.entry(head.size).or_insert_with(|| head.clone());
        let root = known.root;
        ensure(root == head.root, || {
            format!("two heads of size {}: {root} and {}", head.size, head.root)
        })?;
        Ok(head)
    }

    /// A head that readers see; the newest is never replaced by an older one.
    ///
    /// # Errors
    /// As [`Heads::see`]; no quorum.
    pub fn publish(&mut self, note: &str) -> Checked {
        let head = self.see(note)?;
        let met = text(quorum().is_met(note))?;
        ensure(met, || {
            format!("published without its quorum: {}", head.size)
        })?;
        self.published = self.published.max(Some(head.size));
        Ok(())
    }

    /// How many heads.
    #[must_use]
    pub fn len(&self) -> usize {
        self.seen.len()
    }

    /// Whether nobody holds any.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    /// Every head ever seen is a beginning of the newest, which is not older than any that was
    /// published.
    ///
    /// # Errors
    /// One is not, or the log cannot be read.
    pub fn check(&self, log: &Arc<dyn Store>) -> Checked {
        let reader = Reader::new(Arc::clone(log));
        let view = text(reader.latest())?;
        let (newest, _) = text(checkpoint::open(view.note(), signer().vkey()))?;
        ensure(self.published <= Some(newest.size), || {
            format!(
                "{:?} was published, the newest is {}",
                self.published, newest.size
            )
        })?;
        for (size, head) in &self.seen {
            let proof = text(view.consistency(*size))?;
            text(check_consistency(
                *size,
                newest.size,
                &head.root,
                &newest.root,
                &proof,
            ))?;
        }
        Ok(())
    }
}

/// The office's plan beside the log's events.
#[derive(Clone)]
pub struct History {
    plan: Plan,
    /// Ids of the batches that are in the log.
    batches: Vec<Vec<Hash>>,
}

impl History {
    /// Before the first batch of the plan of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let (plan, batches) = (Plan::new(seed), Vec::new());
        Self { plan, batches }
    }

    /// The log holds the plan's first batches: each whole, once, in one epoch, in order. Returns
    /// where every event is.
    ///
    /// # Errors
    /// It does not.
    ///
    /// # Panics
    /// Never: there is always a last run.
    pub fn check(&mut self, log: &Arc<dyn Store>) -> Checked<BTreeMap<Hash, LeafIndex>> {
        let mut runs: Vec<Vec<Hash>> = vec![Vec::new()];
        let mut places = BTreeMap::new();
        let end = LeafIndex(u64::MAX);
        let leaves = text(store::scan::<Leaves>(
            &**log,
            &LeafIndex(0),
            &end,
            usize::MAX,
        ))?;
        for (index, leaf) in &leaves {
            match text(Leaf::parse(leaf))? {
                Leaf::Genesis(_) => {}
                Leaf::Epoch(_) => runs.push(Vec::new()),
                Leaf::Event(event) => {
                    let id = event.id();
                    let twice = places.insert(id, *index);
                    ensure(twice.is_none(), || {
                        format!("{id} is at {twice:?} and {index}")
                    })?;
                    runs.last_mut().expect("there is one").push(id);
                }
            }
        }
        runs.retain(|run| !run.is_empty());
        let index_of = |id: &Hash| places.get(id).copied().unwrap_or(end);
        while self.batches.len() < runs.len() {
            let batch = self.plan.next(&index_of);
            self.batches
                .push(batch.iter().map(|event| event.id()).collect());
        }
        let differ = runs
            .iter()
            .zip(&self.batches)
            .position(|(run, batch)| run != batch);
        ensure(differ.is_none() && runs.len() == self.batches.len(), || {
            let (have, want) = (runs.len(), self.batches.len());
            format!("{have} batches in the log, {want} planned; the first to differ: {differ:?}")
        })?;
        Ok(places)
    }
}
