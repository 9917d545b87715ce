//! Judging the next batch beside the commit of the last.
//!
//! A [`Judge`] looks at the state on disk and, over it, at what the batch now being committed
//! wrote. What it says holds only if that batch is committed and nothing else is: each state has a
//! [`Mark`] of its own, a judgement names the mark it builds on, and the sequencer judges again
//! whatever was built on another. So nothing here can put a wrong event into the log; at worst it
//! was work for nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zhao_spec::life::apply::{View, ViewFault};
use zhao_spec::life::event::VerifiedEvent;
use zhao_spec::life::record::Record;
use zhao_spec::log::tree::{LeafIndex, TreeSize};
use zhao_spec::wire::{Hash, UnixMillis};

use super::epoch_time;
use super::error::CommitError;
use super::plan::{self, Plan, Scene};
use super::stage::{Edge, Segment};
use crate::hot::HotRecords;
use crate::overlay::StoredView;
use crate::store::Store;

/// Names one state of one sequencer; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark(u64);

/// The state on disk, for those who judge beside the sequencer.
#[derive(Debug)]
pub(crate) struct Tip(Mutex<Known>);

#[derive(Debug)]
struct Known {
    edge: Edge,
    mark: Mark,
    /// The last mark given out.
    last: Mark,
}

impl Tip {
    /// Nothing is known of any state.
    pub(crate) fn new() -> Self {
        let (edge, mark, last) = (Edge::empty(), Mark(0), Mark(0));
        Self(Mutex::new(Known { edge, mark, last }))
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A mark that no state has had.
    pub(crate) fn fresh(&self) -> Mark {
        let mut known = self.lock();
        known.last = Mark(known.last.0.saturating_add(1));
        known.last
    }

    /// The mark of the state on disk.
    pub(crate) fn mark(&self) -> Mark {
        self.lock().mark
    }

    /// A commit has made this the state on disk.
    pub(crate) fn move_to(&self, edge: Edge, mark: Mark) {
        let mut known = self.lock();
        known.edge = edge;
        known.mark = mark;
    }
}

/// A batch, with what a judge said of it.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) events: Vec<VerifiedEvent>,
    /// When it was handed in to be judged.
    pub(crate) now: UnixMillis,
    /// None: it is still to be judged.
    pub(crate) plan: Option<Planned>,
}

/// A plan, and for which state it holds.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) plan: Plan,
    /// Time of the epoch.
    pub(crate) time: UnixMillis,
    /// The state it builds on.
    pub(crate) on: Mark,
    /// The state its commit makes.
    pub(crate) makes: Mark,
}

impl Judged {
    /// A batch that nobody has judged.
    pub(crate) fn not_yet(events: Vec<VerifiedEvent>, now: UnixMillis) -> Self {
        Self {
            events,
            now,
            plan: None,
        }
    }
}

/// Judges batch after batch, each on the state the one before it will make.
pub(crate) struct Judge {
    pub(super) store: Arc<dyn Store>,
    pub(super) hot: Arc<HotRecords>,
    pub(super) tip: Arc<Tip>,
    pub(super) last: Option<Flying>,
}

impl std::fmt::Debug for Judge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mark = self.tip.mark();
        f.debug_struct("Judge")
            .field("on", &mark)
            .finish_non_exhaustive()
    }
}

/// A batch that was judged and perhaps is not on disk yet.
pub(super) struct Flying {
    on: Mark,
    makes: Mark,
    segment: Arc<Segment>,
    /// Events of it, by their id.
    ids: Arc<BTreeMap<Hash, LeafIndex>>,
    /// Leaves after it, its epoch leaf included.
    size: TreeSize,
    time: UnixMillis,
}

impl Judge {
    /// Judges a batch. Whatever goes wrong is left for the sequencer to meet again and to answer:
    /// then there is no plan, what the batch will do is not known here, and nothing after it can
    /// be judged ahead until the sequencer has answered it.
    pub(crate) fn judge(&mut self, events: Vec<VerifiedEvent>, now: UnixMillis) -> Judged {
        let plan = self.plan(&events, now).ok().flatten();
        Judged { events, now, plan }
    }

    pub(super) fn plan(
        &mut self,
        events: &[VerifiedEvent],
        now: UnixMillis,
    ) -> Result<Option<Planned>, CommitError> {
        let (edge, on) = {
            let known = self.tip.lock();
            (known.edge.clone(), known.mark)
        };
        // The batch judged before is on disk, or it is the next to be; else something came between,
        // and the sequencer will judge that batch again.
        let flying = match self.last.take() {
            Some(last) if last.on == on => Some(last),
            Some(last) if last.makes != on => return Ok(None),
            _ => None,
        };
        let view = Over {
            writes: flying.as_ref().map(|last| &last.segment.touched.writes),
            stored: StoredView::new(&*self.store, &edge.map, &self.hot),
        };
        let last = flying
            .as_ref()
            .map_or_else(|| edge.time(), |last| last.time);
        let time = epoch_time(last, now)?;
        let scene = Scene {
            store: &*self.store,
            view: &view,
            size: flying
                .as_ref()
                .map_or_else(|| edge.size(), |last| last.size),
            flying: flying.as_ref().map(|last| &*last.ids),
        };
        let plan = plan::admit(&scene, events, time)?;
        let planned = Planned {
            on: flying.as_ref().map_or(on, |last| last.makes),
            makes: self.tip.fresh(),
            time,
            plan,
        };
        // A batch without a leaf makes no state: what it built on is still what is to come.
        self.last = match planned.plan.next {
            None => flying,
            Some(size) => Some(Flying {
                on: planned.on,
                makes: planned.makes,
                segment: Arc::clone(&planned.plan.segment),
                ids: Arc::clone(&planned.plan.ids),
                size,
                time,
            }),
        };
        Ok(Some(planned))
    }
}

/// Records on disk, and over them what a batch on its way there wrote.
struct Over<'a> {
    writes: Option<&'a BTreeMap<Hash, Arc<Record>>>,
    stored: StoredView<'a>,
}

impl View for Over<'_> {
    fn record(&self, key: &Hash) -> Result<Option<Arc<Record>>, ViewFault> {
        match self.writes.and_then(|writes| writes.get(key)) {
            Some(record) => Ok(Some(Arc::clone(record))),
            None => self.stored.record(key),
        }
    }
}
