//! Issuing in bulk: any number of rows, in bounded memory, with every core at work.
//!
//! Rows go in chunks through five stages: *check* against the catalogue and *compose* (sign) on
//! worker threads; *assign* numbers, *write* licences and events, and *settle* the ledger's answers
//! in the one thread that has the records, many chunks' steps in one transaction; *send* on
//! threads of its own. Each stage takes the chunks in their order, so numbers follow the file.
//!
//! A crash leaves what [`Office::issue`] leaves: licences that are written and pending, which are
//! sent at the next start. The same file again issues nothing twice: rows with a case number are
//! known by it, and those of a [`job`](Bulk::job) by their place in it.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::thread;

use rand::{CryptoRng, SeedableRng as _};
use rand_chacha::ChaCha20Rng;
use zhao_spec::life::event::Event;
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::{Hash, UnixMillis};

use super::build::Composed;
use super::issue::{Asked, Remarks};
use super::{Batched, IssueError, LedgerClient, Office, OfficeError, Tally, not_before};
use crate::catalogue::Catalogue;
use crate::intake::{Defaults, Request, Row, RowError};
use crate::records::Licence;

mod counters;
mod jobs;
mod stages;
mod work;

use counters::Counters;
use stages::{Assigning, settle, write};
use work::{
    Answered, Answering, CheckedRow, Come, Made, Rules, Task, Wanted, carry_over, read_chunks,
    send_chunks, work_on_tasks,
};

/// How a batch is issued.
#[derive(Clone, Copy, Debug)]
pub struct Bulk {
    /// Most rows of a chunk: one event batch of the ledger, one transaction of the records. The
    /// larger, the fewer pages of records and map are written once more for the next; a file begins
    /// with smaller ones, so that a short one keeps every core busy too.
    pub chunk: usize,
    /// Chunks between reading and reporting: the bound of memory.
    pub in_flight: usize,
    /// Threads that check and sign.
    pub workers: usize,
    /// Only check: nothing is signed or written.
    pub dry_run: bool,
    /// The job whose rows these are ([`Office::begin_job`]): those it has dealt with are reported
    /// as repeated, whether or not they have a case number.
    pub job: Option<i64>,
}

impl Default for Bulk {
    fn default() -> Self {
        Self {
            chunk: 8_000,
            in_flight: 5,
            workers: 2,
            dry_run: false,
            job: None,
        }
    }
}

/// What became of one row.
#[derive(Debug)]
pub enum RowOutcome {
    /// Issued: hand it out.
    Issued {
        /// The credential's exact bytes.
        credential: Vec<u8>,
        /// Its `id`.
        id: String,
        /// Leaf of the event.
        index: LeafIndex,
        /// Subject key.
        subject: Hash,
    },
    /// Signed and written down, not in the log yet: hand nothing out.
    Pending {
        /// The credential's `id`.
        id: String,
    },
    /// The row would be issued; nothing was, because this is a dry run.
    Possible,
    /// Not issued.
    Refused(Box<IssueError>),
    /// The case number was on an earlier row, or the job has dealt with the row before: this is
    /// its licence.
    Repeated(Box<Licence>),
}

/// A row that is past `assign`.
enum Step {
    Done(RowOutcome),
    /// To be composed, or composed.
    Going(Box<Going>),
    /// The case number stands on an earlier row that is not written yet.
    Twice {
        unit: String,
        reference: String,
    },
}

struct Going {
    request: Request,
    composed: Composed,
}

/// A chunk between two stages.
type Rows = Vec<(u64, Step)>;

/// A chunk that was handed in.
struct SentChunk {
    rows: Rows,
    /// Outbox row of the first event, and the leaf hashes of all, if they are neighbours.
    first: Option<i64>,
    ids: Vec<i64>,
    leaves: Vec<Hash>,
}

impl<C: LedgerClient + Send + Sync> Office<C> {
    /// Issues a licence for each row. `report` is called once a row, in their order.
    ///
    /// If the ledger cannot be asked, what is under way is written down and reported as pending,
    /// and no more rows are read: [`Tally::trouble`].
    ///
    /// # Errors
    /// The records, the keys, or a ledger that cannot say who may issue what.
    pub fn issue_bulk(
        &mut self,
        rows: &mut (dyn Iterator<Item = Result<Row, RowError>> + Send),
        defaults: &Defaults,
        bulk: &Bulk,
        clock: &dyn Fn() -> UnixMillis,
        rng: &mut dyn CryptoRng,
        report: &mut dyn FnMut(u64, RowOutcome, &Tally),
    ) -> Result<Tally, OfficeError> {
        let delivery = Arc::clone(&self.delivery);
        // Nobody else sends meanwhile: what is written here is sent here.
        let _turn = delivery.turn();
        let (tasks, undone) = channel();
        let undone = Arc::new(std::sync::Mutex::new(undone));
        let (to_send, unsent) = channel();
        let unsent = Arc::new(std::sync::Mutex::new(unsent));
        let (come, arrivals) = channel();
        let catalogue = Arc::new(self.catalogue.clone());
        let registers = Arc::clone(&self.registers);
        let client = Arc::clone(&self.client);
        let origin = self.records.origin().to_owned();
        self.records.expect_many(true)?;
        let tally = thread::scope(|scope| {
            for _ in 0..bulk.workers.max(1) {
                let (undone, come) = (Arc::clone(&undone), Answering(come.clone()));
                let (catalogue, origin) = (Arc::clone(&catalogue), origin.clone());
                let registers = Arc::clone(&registers);
                let mut seed = [0; 32];
                rng.fill_bytes(&mut seed);
                let rng = ChaCha20Rng::from_seed(seed);
                scope.spawn(move || {
                    let rules = Rules {
                        catalogue: &catalogue,
                        defaults,
                        registers: &*registers,
                    };
                    work_on_tasks(&undone, &come, rules, &origin, rng);
                });
            }
            // Two: the signatures of one chunk are looked at while the other is committed.
            for _ in 0..2 {
                let (unsent, come) = (Arc::clone(&unsent), Answering(come.clone()));
                let client = Arc::clone(&client);
                scope.spawn(move || send_chunks(&unsent, &come, &*client));
            }
            drop(come);
            let (chunks, read) = sync_channel(1);
            let chunk = bulk.chunk.max(1);
            scope.spawn(move || read_chunks(rows, chunk, &chunks));
            // Ends when the sender is dropped.
            let (_writing, written) = channel();
            let carrier = self.records.carrier()?;
            scope.spawn(move || carry_over(&carrier, &written));
            let clerk = Clerk {
                office: self,
                catalogue: &catalogue,
                bulk,
                tasks,
                to_send,
                arrivals,
                asked: Asked::default(),
                checked: BTreeMap::new(),
                composed: BTreeMap::new(),
                answered: BTreeMap::new(),
                sent: BTreeMap::new(),
                next: Next::default(),
                flying: Flying::default(),
                latest: UnixMillis(0),
                tally: Tally::default(),
                ready: VecDeque::new(),
                remarks: Remarks::new(),
            };
            // Dropped at the end, its channels end the threads.
            let tally = clerk.run(read, clock, report)?;
            if let Some(job) = bulk.job
                && !bulk.dry_run
                && tally.trouble.is_none()
            {
                self.end_job(job, clock())?;
            }
            Ok(tally)
        });
        // Whatever came of it; and licences that were issued are, though their room stays.
        let _ = self.records.expect_many(false);
        tally
    }
}

/// Number of the chunk that each stage takes next.
#[derive(Default)]
struct Next {
    read: u64,
    assign: u64,
    write: u64,
    settle: u64,
}

/// What was assigned and is not written yet, so that nothing is given twice.
#[derive(Default)]
struct Flying {
    /// Unit, type and number → identifier.
    numbers: HashMap<(String, String, String), String>,
    references: HashSet<(String, String)>,
}

/// The thread that has the records.
struct Clerk<'a, C> {
    office: &'a mut Office<C>,
    catalogue: &'a Catalogue,
    bulk: &'a Bulk,
    tasks: Sender<Task>,
    to_send: Sender<(u64, Vec<Event>, UnixMillis)>,
    arrivals: Receiver<Come>,
    asked: Asked,
    checked: BTreeMap<u64, Vec<(u64, CheckedRow)>>,
    composed: BTreeMap<u64, Vec<(u64, Made)>>,
    answered: BTreeMap<u64, Answered>,
    sent: BTreeMap<u64, SentChunk>,
    next: Next,
    flying: Flying,
    /// The time of the latest transaction.
    latest: UnixMillis,
    tally: Tally,
    /// Chunks to be reported, in order.
    ready: VecDeque<Vec<(u64, RowOutcome)>>,
    /// What is to be known of rows not reported yet.
    remarks: Remarks,
}

impl<C: LedgerClient> Clerk<'_, C> {
    fn run(
        mut self,
        rows: Receiver<Vec<Result<Row, RowError>>>,
        clock: &dyn Fn() -> UnixMillis,
        report: &mut dyn FnMut(u64, RowOutcome, &Tally),
    ) -> Result<Tally, OfficeError> {
        let most = u64::try_from(self.bulk.in_flight.max(1)).unwrap_or(u64::MAX);
        let mut more = true;
        loop {
            while more && self.next.read.saturating_sub(self.next.settle) < most {
                if self.tally.trouble.is_some() {
                    more = false;
                    break;
                }
                let chunk = rows.recv();
                more = chunk.is_ok();
                if let Ok(chunk) = chunk {
                    let _ = self.tasks.send(Task::Check(self.next.read, chunk));
                    self.next.read = self.next.read.saturating_add(1);
                }
            }
            if self.next.read == self.next.settle {
                return Ok(self.tally);
            }
            let Ok(first) = self.arrivals.recv() else {
                return Ok(self.tally);
            };
            for come in std::iter::once(first).chain(self.arrivals.try_iter()) {
                match come {
                    // The scope passes the panic on.
                    Come::Dead => return Ok(self.tally),
                    Come::Checked(chunk, rows) => drop(self.checked.insert(chunk, rows)),
                    Come::Composed(chunk, rows) => drop(self.composed.insert(chunk, rows)),
                    Come::Answered(chunk, sent) => drop(self.answered.insert(chunk, sent)),
                }
            }
            self.advance(clock)?;
            while let Some(chunk) = self.ready.pop_front() {
                for (row, outcome) in chunk {
                    match &outcome {
                        RowOutcome::Issued { .. } | RowOutcome::Possible => self.tally.issued += 1,
                        RowOutcome::Pending { .. } => self.tally.pending += 1,
                        RowOutcome::Refused(_) => self.tally.refused += 1,
                        RowOutcome::Repeated(_) => self.tally.repeated += 1,
                    }
                    self.tally.remarks = self.remarks.remove(&row).unwrap_or_default();
                    report(row, outcome, &self.tally);
                    self.tally.remarks.clear();
                }
            }
        }
    }

    /// The time of the next transaction: what was signed in an earlier one, and is not written yet,
    /// takes effect then, and must not be sent as if that were still to come.
    fn time(&mut self, clock: UnixMillis) -> Result<UnixMillis, OfficeError> {
        let now = not_before(self.latest, self.office.time(clock)?);
        if now < self.latest {
            let last = self.latest;
            return Err(OfficeError::Clock { now, last });
        }
        self.latest = now;
        Ok(now)
    }

    /// Everything that can be done now, in one transaction.
    fn advance(&mut self, clock: &dyn Fn() -> UnixMillis) -> Result<(), OfficeError> {
        // What the ledger must be asked for cannot be asked in the middle of a transaction.
        for (_, rows) in self.checked.range(self.next.assign..) {
            for (request, _) in rows.iter().filter_map(|(_, checked)| checked.as_ref().ok()) {
                self.office.ask(request, &mut self.asked)?;
            }
        }
        let now = self.time(clock())?;
        let transaction = self.office.records.begin()?;
        while let Some(answered) = self.answered.remove(&self.next.settle) {
            let sent = self
                .sent
                .remove(&self.next.settle)
                .expect("what is answered was sent");
            if let Err(trouble) = &answered.batched {
                self.tally.trouble.get_or_insert(trouble.clone());
            }
            let rows = settle(&transaction, sent, answered.batched, now)?;
            self.ready.push_back(rows);
            self.next.settle = self.next.settle.saturating_add(1);
        }
        let mut to_send = Vec::new();
        while let Some(rows) = self.composed.remove(&self.next.write) {
            let chunk = self.next.write;
            let (sent, events) = write(&transaction, rows, &mut self.flying, self.bulk.job, now)?;
            to_send.push((chunk, events, now));
            self.sent.insert(chunk, sent);
            self.next.write = self.next.write.saturating_add(1);
        }
        let mut to_compose = Vec::new();
        while let Some(rows) = self.checked.remove(&self.next.assign) {
            let done = match self.bulk.job {
                Some(job) => jobs::done(&transaction, job, &rows)?,
                None => BTreeMap::new(),
            };
            let mut assigning = Assigning {
                transaction: &transaction,
                catalogue: self.catalogue,
                asked: &self.asked,
                flying: &mut self.flying,
                counters: Counters::new(rows.len()),
                dry_run: self.bulk.dry_run,
                now,
            };
            let mut wanted = Vec::with_capacity(rows.len());
            for (row, checked) in rows {
                let request = checked.map(|(request, remarks)| {
                    if !remarks.is_empty() {
                        self.remarks.insert(row, remarks);
                    }
                    request
                });
                wanted.push(match done.get(&row) {
                    Some(licence) => {
                        let outcome = RowOutcome::Repeated(Box::new(licence.clone()));
                        (row, Wanted::Done(outcome))
                    }
                    None => (row, assigning.row(request)?),
                });
            }
            assigning.counters.give_back(&transaction)?;
            to_compose.push((self.next.assign, wanted));
            self.next.assign = self.next.assign.saturating_add(1);
        }
        if self.bulk.dry_run {
            // Not even the counters have moved.
            drop(transaction);
        } else {
            transaction.commit()?;
        }
        for (chunk, rows) in to_compose {
            let task = Task::Compose { chunk, now, rows };
            let _ = self.tasks.send(task);
        }
        for (chunk, events, now) in to_send {
            // A crash before this leaves the rows pending, and the next start sends them.
            if events.is_empty() || self.tally.trouble.is_some() {
                let batched = match &self.tally.trouble {
                    Some(trouble) if !events.is_empty() => Err(trouble.clone()),
                    _ => Ok(Batched::Singly(Vec::new())),
                };
                self.answered.insert(chunk, Answered { batched });
            } else {
                let _ = self.to_send.send((chunk, events, now));
            }
        }
        // What needed no sending is settled at once.
        if self.answered.contains_key(&self.next.settle) {
            return self.advance(clock);
        }
        Ok(())
    }
}
