//! Many submitters, one sequencer: signatures of what comes next are checked, and the next batch is
//! judged, beside the commit of what came before.
//!
//! A submission waits in a bounded queue, is checked by one of a few threads, is judged with its
//! neighbours in the order in which they came, and committed. While a commit runs only a full
//! batch is judged ahead: what is fewer goes on gathering until the committing thread is free. Its
//! [`Ticket`] says what became of each of its events; that it says so only when they are durable
//! under a published head is [`Sequencer::commit`]'s promise. Nothing here is kept on disk: a crash
//! loses what nobody was answered.

use std::collections::VecDeque;
use std::mem;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use zhao_spec::life::apply::Refusal;
use zhao_spec::life::event::{Event, VerifiedEvent};
use zhao_spec::wire::{Keys, UnixMillis, limits};

use crate::hot::Prefetch;
use crate::replay::PREPARED_KEYS;
use crate::sequence::ahead::{Judge, Judged};
use crate::sequence::watch::Watched;
use crate::sequence::{CommitError, Outcome, Sequencer};

mod totals;

use totals::Counters;
pub use totals::Totals;

/// The clock of epochs, handed in.
pub type Clock = Arc<dyn Fn() -> UnixMillis + Send + Sync>;

/// How much waits, and who works.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Threads that check signatures.
    pub checkers: usize,
    /// Events of one commit, if so many wait; a longer submission is a commit of its own.
    pub batch: usize,
    /// Events that may wait before submissions are refused.
    pub queue: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            checkers: 2,
            batch: 1_000,
            queue: 20_000,
        }
    }
}

/// Why a submission was not taken. Nothing became of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SubmitError {
    /// The queue is full.
    #[error("{waiting} events wait, limit {limit}: submit again later")]
    Busy {
        /// Events waiting.
        waiting: usize,
        /// The limit.
        limit: usize,
    },
    /// More events than a commit may have.
    #[error("{actual} events in one submission, limit {limit}")]
    TooLarge {
        /// The limit.
        limit: usize,
        /// Events submitted.
        actual: usize,
    },
    /// The pipeline was told to stop.
    #[error("the ledger is stopping")]
    Stopping,
}

/// What became of a submission, as soon as it is known.
#[derive(Debug)]
pub struct Ticket(Receiver<Answer>);

type Answer = Result<Vec<Outcome>, CommitError>;

impl Ticket {
    /// Waits for the answer.
    ///
    /// # Errors
    /// As [`Sequencer::commit`].
    pub fn wait(self) -> Answer {
        let gone = || CommitError::Stopped("the committing thread is gone".to_owned());
        self.0.recv().unwrap_or_else(|_| Err(gone()))
    }
}

/// An event whose signatures were looked at.
type Checked = Result<VerifiedEvent, Refusal>;

enum Stage {
    Waiting(Vec<Event>),
    Checking,
    Checked(Vec<Checked>),
}

struct Job {
    events: usize,
    stage: Stage,
    asker: Asker,
}

/// Who waits for an answer, and since when.
struct Asker {
    answer: Sender<Answer>,
    since: Option<Duration>,
}

/// A judged batch, and who waits for which part of it.
struct Batch {
    judged: Judged,
    waiters: Vec<Waiter>,
    events: usize,
}

/// Whose submission it was, and for each of its events the refusal that came before judging.
struct Waiter {
    refused: Vec<Option<Refusal>>,
    asker: Asker,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    /// Number of the front job, counted from the first ever.
    first: u64,
    /// Number of the next job to check.
    next: u64,
    /// Events of all jobs.
    waiting: usize,
    /// What the committing thread does next.
    judged: Option<Batch>,
    /// The committing thread waits.
    idle: bool,
    /// Nothing more is taken.
    stopping: bool,
    /// Nothing more is judged.
    ended: bool,
    /// A thread panicked.
    broken: bool,
}

struct Shared {
    queue: Mutex<Queue>,
    /// Something was submitted, or the end has come.
    submitted: Condvar,
    /// Something was checked, the committing thread waits, or the end has come.
    checked: Condvar,
    /// A batch was judged, or the end has come.
    judged: Condvar,
    sequencer: Mutex<Sequencer>,
    prefetch: Prefetch,
    settings: Settings,
    clock: Clock,
    counters: Counters,
    watched: Watched,
}

/// A sequencer at work.
pub struct Pipeline {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl std::fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pipeline")
            .field("waiting", &self.waiting())
            .finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Whoever panicked while holding a lock is a bug; the queue is whole between statements, and
    // the sequencer judges its own state by `stopped`.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pipeline {
    /// Starts the threads.
    ///
    /// # Errors
    /// The operating system gives none.
    pub fn start(
        sequencer: Sequencer,
        clock: Clock,
        settings: Settings,
    ) -> Result<Self, std::io::Error> {
        let judge = sequencer.judge();
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            submitted: Condvar::new(),
            checked: Condvar::new(),
            judged: Condvar::new(),
            prefetch: sequencer.prefetch(),
            watched: sequencer.watched(),
            sequencer: Mutex::new(sequencer),
            settings,
            clock,
            counters: Counters::default(),
        });
        let mut this = Self {
            shared: Arc::clone(&shared),
            threads: Vec::new(),
        };
        for _ in 0..settings.checkers.max(1) {
            let shared = Arc::clone(&shared);
            let checker = thread::Builder::new().name("check".to_owned());
            this.threads.push(checker.spawn(move || shared.check())?);
        }
        let judging = thread::Builder::new().name("judge".to_owned());
        let own = Arc::clone(&shared);
        this.threads.push(judging.spawn(move || own.judge(judge))?);
        let committer = thread::Builder::new().name("commit".to_owned());
        this.threads.push(committer.spawn(move || shared.commit())?);
        Ok(this)
    }

    /// Hands in events, to be judged in this order, after everything handed in before. They have
    /// the size that [`Event::parse`] allows: a longer leaf would fail its neighbours' commit too.
    ///
    /// # Errors
    /// See [`SubmitError`].
    pub fn submit(&self, events: Vec<Event>) -> Result<Ticket, SubmitError> {
        let (answer, ticket) = channel();
        let since = self.shared.watched.begin();
        let count = events.len();
        if count > limits::BATCH_EVENTS {
            let (limit, actual) = (limits::BATCH_EVENTS, count);
            return Err(SubmitError::TooLarge { limit, actual });
        }
        let mut queue = lock(&self.shared.queue);
        if queue.stopping {
            return Err(SubmitError::Stopping);
        }
        let (waiting, limit) = (queue.waiting, self.shared.settings.queue);
        if waiting > 0 && waiting.saturating_add(count) > limit {
            return Err(SubmitError::Busy { waiting, limit });
        }
        queue.waiting = waiting.saturating_add(count);
        queue.jobs.push_back(Job {
            events: count,
            stage: Stage::Waiting(events),
            asker: Asker { answer, since },
        });
        drop(queue);
        self.shared.submitted.notify_one();
        Ok(Ticket(ticket))
    }

    /// Events handed in and not yet answered.
    #[must_use]
    pub fn waiting(&self) -> usize {
        lock(&self.shared.queue).waiting
    }

    /// What was done since the start.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.shared.counters.read()
    }

    /// How much waits, and who works.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.shared.settings
    }

    /// The sequencer, between two commits.
    pub fn sequencer(&self) -> impl std::ops::DerefMut<Target = Sequencer> {
        lock(&self.shared.sequencer)
    }

    /// Answers everything that was taken, takes nothing more, and ends the threads.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        lock(&self.shared.queue).stopping = true;
        self.shared.submitted.notify_all();
        self.shared.checked.notify_all();
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so; its submitters are told by their tickets.
            let _ = thread.join();
        }
    }
}

/// A thread that panics takes the pipeline with it: nobody waits for an answer that cannot come.
struct Guard<'a>(&'a Shared);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if !thread::panicking() {
            return;
        }
        let mut queue = lock(&self.0.queue);
        queue.stopping = true;
        queue.broken = true;
        queue.jobs.clear();
        queue.judged = None;
        drop(queue);
        self.0.submitted.notify_all();
        self.0.checked.notify_all();
        self.0.judged.notify_all();
    }
}

impl Shared {
    /// A checking thread: takes the oldest unchecked submission, until none will come any more.
    fn check(&self) {
        let _guard = Guard(self);
        let mut keys = Keys::new(PREPARED_KEYS);
        while let Some((number, events)) = self.next_unchecked() {
            let checked: Vec<Checked> = VerifiedEvent::check_all(events, &mut keys);
            // Only for whom the signatures speak: nobody else makes the disk work.
            let verified = checked.iter().flatten().map(|event| &**event);
            self.prefetch.fetch(verified);
            let mut queue = lock(&self.queue);
            let at = usize::try_from(number.saturating_sub(queue.first)).unwrap_or(usize::MAX);
            if let Some(job) = queue.jobs.get_mut(at) {
                job.stage = Stage::Checked(checked);
            }
            drop(queue);
            self.checked.notify_one();
        }
    }

    fn next_unchecked(&self) -> Option<(u64, Vec<Event>)> {
        let mut queue = lock(&self.queue);
        loop {
            let number = queue.next;
            let at = usize::try_from(number.saturating_sub(queue.first)).unwrap_or(usize::MAX);
            if let Some(job) = queue.jobs.get_mut(at) {
                let stage = mem::replace(&mut job.stage, Stage::Checking);
                queue.next = number.saturating_add(1);
                if let Stage::Waiting(events) = stage {
                    return Some((number, events));
                }
                continue;
            }
            if queue.stopping {
                return None;
            }
            let woken = self.submitted.wait(queue);
            queue = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The judging thread.
    fn judge(&self, mut judge: Judge) {
        let _guard = Guard(self);
        // Whether what the committing thread has in hand is known to the judge.
        let mut known = true;
        while let Some(group) = self.next_group(known) {
            let batch = judged(&mut judge, group, (self.clock)());
            known = batch.judged.plan.is_some();
            let mut queue = lock(&self.queue);
            if !queue.broken {
                queue.judged = Some(batch);
            }
            drop(queue);
            self.judged.notify_one();
        }
        lock(&self.queue).ended = true;
        self.judged.notify_one();
    }

    /// The oldest submissions that are checked, up to a batch, once it is time to judge them: at
    /// once if the committing thread waits, and if it does not, as soon as they fill a batch. The
    /// judge builds on one batch at most, so the last one must have been taken; and if what became
    /// of that is not `known`, it must have been answered.
    fn next_group(&self, known: bool) -> Option<Vec<(Vec<Checked>, Asker)>> {
        let mut queue = lock(&self.queue);
        loop {
            if queue.broken || (queue.stopping && queue.jobs.is_empty()) {
                return None;
            }
            if queue.judged.is_none() {
                let (jobs, full) = queue.ready(self.settings.batch);
                let ahead = known && (full || queue.stopping);
                if jobs > 0 && (queue.idle || ahead) {
                    return Some(queue.take(jobs));
                }
            }
            let woken = self.checked.wait(queue);
            queue = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The committing thread.
    fn commit(&self) {
        let _guard = Guard(self);
        while let Some(batch) = self.next_batch() {
            let start = (self.clock)();
            self.watched.tell(|watch| watch.batch(batch.events));
            let answered = lock(&self.sequencer).commit_judged(batch.judged);
            let millis = (self.clock)().0.saturating_sub(start.0);
            let early = batch.waiters.iter().flat_map(|waiter| &waiter.refused);
            let mut unsigned = 0_usize;
            for refusal in early.flatten() {
                unsigned = unsigned.saturating_add(1);
                self.watched.tell(|watch| watch.unsigned(refusal.code()));
            }
            self.counters.count(&answered, unsigned, millis);
            answer(batch.waiters, answered, &self.watched);
            let mut queue = lock(&self.queue);
            queue.waiting = queue.waiting.saturating_sub(batch.events);
        }
    }

    fn next_batch(&self) -> Option<Batch> {
        let mut queue = lock(&self.queue);
        loop {
            if let Some(batch) = queue.judged.take() {
                queue.idle = false;
                drop(queue);
                self.checked.notify_all();
                return Some(batch);
            }
            if queue.ended || queue.broken {
                return None;
            }
            if !queue.idle {
                queue.idle = true;
                self.checked.notify_all();
            }
            let woken = self.judged.wait(queue);
            queue = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Queue {
    /// How many of the oldest jobs are checked and fit a batch, and whether no more would fit.
    fn ready(&self, batch: usize) -> (usize, bool) {
        let (mut jobs, mut events) = (0_usize, 0_usize);
        for job in &self.jobs {
            let fits = jobs == 0 || events.saturating_add(job.events) <= batch;
            if !fits {
                return (jobs, true);
            }
            if !matches!(job.stage, Stage::Checked(_)) {
                break;
            }
            events = events.saturating_add(job.events);
            jobs = jobs.saturating_add(1);
        }
        (jobs, events >= batch)
    }

    /// Takes the oldest jobs, which are checked.
    fn take(&mut self, jobs: usize) -> Vec<(Vec<Checked>, Asker)> {
        let mut group = Vec::with_capacity(jobs);
        for job in self.jobs.drain(..jobs.min(self.jobs.len())) {
            self.first = self.first.saturating_add(1);
            if let Stage::Checked(checked) = job.stage {
                group.push((checked, job.asker));
            }
        }
        group
    }
}

fn judged(judge: &mut Judge, group: Vec<(Vec<Checked>, Asker)>, now: UnixMillis) -> Batch {
    let mut events = Vec::new();
    let mut waiters = Vec::with_capacity(group.len());
    let mut count = 0_usize;
    for (checked, asker) in group {
        count = count.saturating_add(checked.len());
        let mut refused = Vec::with_capacity(checked.len());
        for event in checked {
            match event {
                Ok(event) => {
                    refused.push(None);
                    events.push(event);
                }
                Err(refusal) => refused.push(Some(refusal)),
            }
        }
        waiters.push(Waiter { refused, asker });
    }
    Batch {
        judged: judge.judge(events, now),
        waiters,
        events: count,
    }
}

fn answer(waiters: Vec<Waiter>, answered: Answer, watched: &Watched) {
    let mut outcomes = answered.map(Vec::into_iter);
    for Waiter { refused, asker } in waiters {
        let said = match &mut outcomes {
            Err(error) => Err(error.clone()),
            Ok(outcomes) => refused
                .into_iter()
                .map(|refused| match refused {
                    Some(refusal) => Ok(Outcome::Refused(refusal)),
                    None => outcomes.next().ok_or_else(|| {
                        CommitError::Stopped("fewer outcomes than events".to_owned())
                    }),
                })
                .collect(),
        };
        // Before the answer, so that whoever has it finds it counted.
        watched.since(asker.since, |watch, took| watch.admitted(took));
        // Whoever no longer waits can ask for the receipt.
        let _ = asker.answer.send(said);
    }
}

#[cfg(test)]
mod tests;
