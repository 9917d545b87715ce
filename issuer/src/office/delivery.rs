//! Delivering: what was declared goes to the ledger, in order, until it has answered.
//!
//! Declaring only writes. Whoever declares in a command of its own then calls
//! [`Office::finish`], which delivers there and then. A server keeps the office in a mutex and one
//! thread in [`Delivery::run`]; its requests hold the mutex for as long as declaring takes, take a
//! [`Ticket`], let go of the mutex, and wait for the ticket:
//!
//! ```text
//! let ticket = {
//!     let mut office = lock(&office);
//!     let declared = office.act(…)?;
//!     office.ticket(declared.id)?
//! };                                      // never wait with the office in hand
//! match ticket.wait(patience) {
//!     Some(standing) => …                 // receipted or refused
//!     None => …                           // still pending: it is kept, and will be delivered
//! }
//! ```
//!
//! Order: rows are sent oldest first by one sender at a time, so an event is never handed in before
//! the one it was built on. After trouble nothing later is sent either. Once: a row whose answer
//! was lost is sent again, and the ledger answers the same event alike. An event that was built on
//! a refused one is settled as refused too, with the code [`PREDECESSOR_REFUSED`].

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use zhao_spec::wire::{Hash, UnixMillis};

use super::round::Round;
use super::{ClientError, Declared, LedgerClient, Office, OfficeError};
use crate::records::Standing;

/// Refusal code of an event that was built on a refused one. It is the office's own: the ledger
/// never saw the event, or could only say that it follows nothing.
pub const PREDECESSOR_REFUSED: &str = "predecessor_refused";

/// How much is sent at once, and how long nothing is sent after trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Events of one submission.
    pub batch: usize,
    /// Pause after the first trouble; it doubles with each further one. Milliseconds.
    pub first_pause: u64,
    /// Longest pause, milliseconds.
    pub longest_pause: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            // A few seconds' work for the ledger, and little to lose with a connection.
            batch: BATCH,
            first_pause: 250,
            longest_pause: 30_000,
        }
    }
}

/// Most events of one submission.
const BATCH: usize = 1_000;

/// What sending brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Subjects of the licences that thereby were issued: see [`Office::issued`].
    pub licences: Vec<Hash>,
    /// Still waiting.
    pub pending: u64,
    /// Now in the log.
    pub receipted: u64,
    /// Refused for good.
    pub refused: u64,
    /// Why sending stopped before the end.
    pub trouble: Option<ClientError>,
}

/// Who delivers, when, and who waits for it. Shared by the office and its delivering thread.
pub struct Delivery {
    pace: Pace,
    /// Held while a round is under way: one sender at a time keeps the order.
    turn: Mutex<()>,
    state: Mutex<State>,
    /// Something to do: a row was said, somebody asked to try, or the end has come.
    work: Condvar,
}

#[derive(Default)]
struct State {
    /// Tickets by row of the outbox.
    tickets: BTreeMap<i64, Vec<Arc<Slot>>>,
    /// Whether there may be something to send.
    work: bool,
    pause: Pause,
    stopping: bool,
}

/// How long nothing is sent, after how many failures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Pause {
    failures: u32,
    from: UnixMillis,
}

/// Where a ticket's answer is put.
#[derive(Default)]
struct Slot {
    answer: Mutex<Answer>,
    arrived: Condvar,
}

#[derive(Default)]
enum Answer {
    #[default]
    Awaited,
    Closed,
    Settled(Standing),
}

/// A place in the queue: waits until one row of the outbox is settled.
pub struct Ticket {
    delivery: Arc<Delivery>,
    id: i64,
    slot: Arc<Slot>,
}

impl std::fmt::Debug for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = lock(&self.state);
        f.debug_struct("Delivery")
            .field("pace", &self.pace)
            .field("pause", &state.pause)
            .field("waiting", &state.tickets.len())
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ticket({})", self.id)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What these mutexes guard is whole between statements, and the database drops a transaction
    // that was not committed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ticket {
    /// Row of the outbox.
    #[must_use]
    pub fn id(&self) -> i64 {
        self.id
    }

    /// Waits until the row is settled: receipted or refused. None: it still waits after `patience`,
    /// or nobody delivers any more. It is kept then, and delivered later.
    #[must_use]
    pub fn wait(self, patience: Duration) -> Option<Standing> {
        let answer = lock(&self.slot.answer);
        let awaited = |answer: &mut Answer| matches!(answer, Answer::Awaited);
        let waited = self
            .slot
            .arrived
            .wait_timeout_while(answer, patience, awaited);
        let (mut answer, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match std::mem::take(&mut *answer) {
            Answer::Settled(standing) => Some(standing),
            Answer::Awaited | Answer::Closed => None,
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut state = lock(&self.delivery.state);
        if let Some(slots) = state.tickets.get_mut(&self.id) {
            slots.retain(|slot| !Arc::ptr_eq(slot, &self.slot));
            if slots.is_empty() {
                state.tickets.remove(&self.id);
            }
        }
    }
}

impl Slot {
    fn put(&self, answer: Answer) {
        *lock(&self.answer) = answer;
        self.arrived.notify_all();
    }
}

impl Pause {
    /// Milliseconds until something may be sent again. The clock is the caller's; when it steps
    /// back behind the failure, nothing is known about the time since, and the pause is over.
    fn left(self, pace: &Pace, now: UnixMillis) -> u64 {
        if self.failures == 0 || now < self.from {
            return 0;
        }
        let doubled = self.failures.saturating_sub(1).min(32);
        let pause = pace.first_pause.saturating_mul(1 << doubled);
        let until = self.from.0.saturating_add(pause.min(pace.longest_pause));
        until.saturating_sub(now.0)
    }
}

impl Delivery {
    /// Nobody delivers yet, and nothing is known of what waits.
    pub(super) fn new(pace: Pace) -> Self {
        let batch = pace.batch.clamp(1, BATCH);
        Self {
            pace: Pace { batch, ..pace },
            turn: Mutex::default(),
            state: Mutex::new(State {
                // What an earlier process left.
                work: true,
                ..State::default()
            }),
            work: Condvar::new(),
        }
    }

    /// Ends [`Delivery::run`] after the submission under way; nobody waits any longer.
    pub fn stop(&self) {
        lock(&self.state).stopping = true;
        self.close();
    }

    /// Tries again now, without waiting for the pause after trouble to end.
    pub fn wake(&self) {
        let mut state = lock(&self.state);
        state.pause.failures = 0;
        state.work = true;
        drop(state);
        self.work.notify_all();
    }

    /// Milliseconds until the next attempt may be made: 0 unless there was trouble lately.
    #[must_use]
    pub fn pause(&self, now: UnixMillis) -> u64 {
        lock(&self.state).pause.left(&self.pace, now)
    }

    /// Something was written down.
    pub(super) fn said(&self) {
        lock(&self.state).work = true;
        self.work.notify_all();
    }

    /// The right to send, until it is dropped.
    pub(super) fn turn(&self) -> MutexGuard<'_, ()> {
        lock(&self.turn)
    }

    fn close(&self) {
        let mut state = lock(&self.state);
        let tickets = std::mem::take(&mut state.tickets);
        drop(state);
        for slot in tickets.into_values().flatten() {
            slot.put(Answer::Closed);
        }
        self.work.notify_all();
    }

    /// Tells whoever waits.
    pub(super) fn publish(&self, settled: Vec<(i64, Standing)>) {
        let mut state = lock(&self.state);
        for (id, standing) in settled {
            for slot in state.tickets.remove(&id).into_iter().flatten() {
                slot.put(Answer::Settled(standing.clone()));
            }
        }
    }

    /// Takes down how a round ended.
    fn ended(&self, stuck: bool, now: UnixMillis) {
        let mut state = lock(&self.state);
        if stuck {
            state.pause.failures = state.pause.failures.saturating_add(1);
            state.pause.from = now;
            state.work = true;
        } else {
            state.pause.failures = 0;
        }
    }

    /// Delivers until [`Delivery::stop`]: on a thread of its own, one for an office. `report` hears
    /// of every round: what it brought, or why the records could not be read or written, which is
    /// tried again after the same pause as trouble with the ledger.
    pub fn run<C: LedgerClient, D: AsMut<Office<C>>>(
        &self,
        desk: &Mutex<D>,
        clock: &dyn Fn() -> UnixMillis,
        report: &mut dyn FnMut(Result<Sent, OfficeError>),
    ) {
        // A thread that panics leaves nobody waiting for what cannot come.
        let _closing = Closing(self);
        while self.wait_for_work(clock) {
            report(self.round(desk, clock));
        }
    }

    fn wait_for_work(&self, clock: &dyn Fn() -> UnixMillis) -> bool {
        let mut state = lock(&self.state);
        loop {
            if state.stopping {
                return false;
            }
            let left = state.pause.left(&self.pace, clock());
            if state.work && left == 0 {
                state.work = false;
                return true;
            }
            state = if state.work {
                let waited = self.work.wait_timeout(state, Duration::from_millis(left));
                waited.unwrap_or_else(PoisonError::into_inner).0
            } else {
                let waited = self.work.wait(state);
                waited.unwrap_or_else(PoisonError::into_inner)
            };
        }
    }

    /// Sends everything that waits, once. The office is held while rows are read and settled, not
    /// while the ledger works.
    ///
    /// # Errors
    /// The records. Trouble with the ledger is no error here: see [`Sent::trouble`].
    pub fn round<C: LedgerClient, D: AsMut<Office<C>>>(
        &self,
        desk: &Mutex<D>,
        clock: &dyn Fn() -> UnixMillis,
    ) -> Result<Sent, OfficeError> {
        let _turn = lock(&self.turn);
        let client = lock(desk).as_mut().shared_client();
        let mut round = Round::new(0, self.pace.batch);
        let result = loop {
            let next = round.next(lock(desk).as_mut(), clock());
            let batch = match next {
                Ok(Some(batch)) => batch,
                Ok(None) => break round.finish(lock(desk).as_mut()),
                Err(error) => break Err(error),
            };
            let answers = client.submit(batch.events(), batch.time(clock()));
            let settled = round.settle(lock(desk).as_mut(), batch, answers, clock());
            if let Err(error) = settled {
                break Err(error);
            }
        };
        let stuck = result.as_ref().map_or(true, |sent| round.is_stuck(sent));
        self.ended(stuck, clock());
        result
    }
}

struct Closing<'a>(&'a Delivery);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl<C> AsMut<Office<C>> for Office<C> {
    fn as_mut(&mut self) -> &mut Office<C> {
        self
    }
}

impl<C: LedgerClient> Office<C> {
    /// Sends everything whose fate is not known, oldest first. Sending twice is safe.
    ///
    /// # Errors
    /// The records. Trouble with the ledger is no error here: see [`Sent::trouble`].
    pub fn deliver(&mut self, now: UnixMillis) -> Result<Sent, OfficeError> {
        self.deliver_after(0, now)
    }

    /// As [`Office::deliver`], for rows of the outbox after `after`.
    pub(super) fn deliver_after(
        &mut self,
        after: i64,
        now: UnixMillis,
    ) -> Result<Sent, OfficeError> {
        let delivery = Arc::clone(&self.delivery);
        let _turn = lock(&delivery.turn);
        let mut round = Round::new(after, delivery.pace.batch);
        while let Some(batch) = round.next(self, now)? {
            let answers = self.client.submit(batch.events(), batch.time(now));
            round.settle(self, batch, answers, now)?;
        }
        let sent = round.finish(self)?;
        delivery.ended(round.is_stuck(&sent), now);
        Ok(sent)
    }

    /// Delivers what waits, and says what became of what was declared.
    ///
    /// # Errors
    /// The records. Trouble with the ledger leaves it pending: [`Declared::trouble`].
    pub fn finish(&mut self, declared: Declared, now: UnixMillis) -> Result<Declared, OfficeError> {
        let sent = self.deliver(now)?;
        let standing = self.records.said(declared.id)?.standing;
        let trouble = sent.trouble.filter(|_| standing == Standing::Pending);
        Ok(Declared {
            standing,
            trouble,
            ..declared
        })
    }

    /// A ticket for a row of the outbox. Take it before letting go of the office, so that the row
    /// cannot be settled in between unnoticed; wait for it after.
    ///
    /// # Errors
    /// No such row, or the records.
    pub fn ticket(&self, id: i64) -> Result<Ticket, OfficeError> {
        let slot = Arc::new(Slot::default());
        match self.records.said(id)?.standing {
            Standing::Pending => {
                let mut state = lock(&self.delivery.state);
                if state.stopping {
                    slot.put(Answer::Closed);
                } else {
                    state.tickets.entry(id).or_default().push(Arc::clone(&slot));
                }
            }
            settled => slot.put(Answer::Settled(settled)),
        }
        Ok(Ticket {
            delivery: Arc::clone(&self.delivery),
            id,
            slot,
        })
    }

    /// What delivers for this office, to be run on a thread of its own.
    pub fn delivery(&self) -> Arc<Delivery> {
        Arc::clone(&self.delivery)
    }
}
