//! What the other threads of a bulk do: check, sign, and hand in.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rand::CryptoRng;
use zhao_spec::life::data::Note;
use zhao_spec::life::event::Event;
use zhao_spec::wire::UnixMillis;

use super::RowOutcome;
use crate::catalogue::Catalogue;
use crate::intake::{Defaults, Registry, Remark, Request, Row, RowError, check, compare_registers};
use crate::office::build::{Assigned, Composed, Scene, compose};
use crate::office::{Batched, ClientError, LedgerClient, OfficeError, Signer};
use crate::records::Carrier;

/// Rows of the first chunks of a file.
const FIRST_CHUNK: usize = 1_000;
/// How often the records' write-ahead log is carried over: the longer, the more changes of a page
/// are carried over as one.
const CARRY_OVER: Duration = Duration::from_secs(5);

/// A row with what it needs to be signed.
pub(super) enum Wanted {
    Compose {
        assigned: Box<Assigned>,
        request: Box<Request>,
        signer: Arc<Signer>,
    },
    Done(RowOutcome),
    Twice {
        unit: String,
        reference: String,
    },
}

/// A row after signing.
pub(super) enum Made {
    Composed {
        composed: Box<Composed>,
        request: Box<Request>,
    },
    Done(RowOutcome),
    Failed {
        error: OfficeError,
        request: Box<Request>,
    },
    Twice {
        unit: String,
        reference: String,
    },
}

/// Work for any worker.
pub(super) enum Task {
    Check(u64, Vec<Result<Row, RowError>>),
    Compose {
        chunk: u64,
        now: UnixMillis,
        rows: Vec<(u64, Wanted)>,
    },
}

/// The ledger's answer to a chunk.
pub(super) struct Answered {
    pub(super) batched: Result<Batched, ClientError>,
}

/// What comes back to the thread that has the records.
pub(super) enum Come {
    Answered(u64, Answered),
    Checked(u64, Vec<(u64, CheckedRow)>),
    Composed(u64, Vec<(u64, Made)>),
    /// A thread ended by a panic: what it had will never come.
    Dead,
}

/// What a thread answers with. If the thread dies it says so, or the others would wait for ever.
pub(super) struct Answering(pub(super) Sender<Come>);

impl Answering {
    /// False: nobody listens, because the bulk was given up.
    fn send(&self, come: Come) -> bool {
        self.0.send(come).is_ok()
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.send(Come::Dead);
        }
    }
}

/// A row that may be issued, with what is to be known of it; or what is wrong with it.
pub(super) type CheckedRow = Result<(Request, Vec<Remark>), RowError>;

/// What all rows are held against.
#[derive(Clone, Copy)]
pub(super) struct Rules<'a> {
    pub(super) catalogue: &'a Catalogue,
    pub(super) defaults: &'a Defaults,
    pub(super) registers: &'a dyn Registry,
}

impl Rules<'_> {
    fn check(&self, row: &Row) -> CheckedRow {
        let request = check(row, self.catalogue, self.defaults)?;
        // `check` took the type from this catalogue.
        let remarks = match self.catalogue.entry(request.type_code.as_str()) {
            Ok(entry) => compare_registers(&request, entry, self.registers)?,
            Err(_) => Vec::new(),
        };
        Ok((request, remarks))
    }
}

/// The next of a queue that several threads share; none when nothing will come any more.
fn next<T>(queue: &Mutex<Receiver<T>>) -> Option<T> {
    // The holder of the lock waits in it; the others wait for the lock. The queue is whole whatever
    // happens to a thread.
    let queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
    queue.recv().ok()
}

/// A worker: checks rows, signs licences.
pub(super) fn work_on_tasks(
    undone: &Mutex<Receiver<Task>>,
    come: &Answering,
    rules: Rules<'_>,
    origin: &str,
    mut rng: impl CryptoRng,
) {
    let catalogue = rules.catalogue;
    while let Some(task) = next(undone) {
        let done = match task {
            Task::Check(chunk, rows) => {
                let checked =
                    rows.into_iter()
                        .map(|row| match row.and_then(|row| rules.check(&row)) {
                            Ok(checked) => (checked.0.row, Ok(checked)),
                            Err(error) => (error.row, Err(error)),
                        });
                Come::Checked(chunk, checked.collect())
            }
            Task::Compose { chunk, now, rows } => {
                let mut made = Vec::with_capacity(rows.len());
                for (row, wanted) in rows {
                    made.push((row, make(wanted, catalogue, origin, now, &mut rng)));
                }
                Come::Composed(chunk, made)
            }
        };
        if !come.send(done) {
            return;
        }
    }
}

fn make(
    wanted: Wanted,
    catalogue: &Catalogue,
    origin: &str,
    now: UnixMillis,
    rng: &mut dyn CryptoRng,
) -> Made {
    let (assigned, request, signer) = match wanted {
        Wanted::Done(outcome) => return Made::Done(outcome),
        Wanted::Twice { unit, reference } => return Made::Twice { unit, reference },
        Wanted::Compose {
            assigned,
            request,
            signer,
        } => (assigned, request, signer),
    };
    let composed = catalogue
        .entry(request.type_code.as_str())
        .map_err(OfficeError::from)
        .and_then(|entry| {
            let scene = Scene {
                entry,
                now,
                origin,
                signer: &signer,
            };
            compose(&scene, &request, None, *assigned, Note::default(), rng)
        });
    match composed {
        Ok(composed) => Made::Composed {
            composed: Box::new(composed),
            request,
        },
        Err(error) => Made::Failed { error, request },
    }
}

/// A sender: hands chunks to the ledger and waits for its answers.
pub(super) fn send_chunks<C: LedgerClient>(
    unsent: &Mutex<Receiver<(u64, Vec<Event>, UnixMillis)>>,
    come: &Answering,
    client: &C,
) {
    while let Some((chunk, events, now)) = next(unsent) {
        let batched = client.submit_batch(events, now);
        if !come.send(Come::Answered(chunk, Answered { batched })) {
            return;
        }
    }
}

/// The reader: rows in chunks of at most `most`, until there are no more or nobody takes them.
pub(super) fn read_chunks(
    rows: &mut (dyn Iterator<Item = Result<Row, RowError>> + Send),
    most: usize,
    to_clerk: &SyncSender<Vec<Result<Row, RowError>>>,
) {
    let mut read = 0_usize;
    loop {
        let chunk = (read / 8).max(FIRST_CHUNK).min(most);
        let rows: Vec<_> = rows.take(chunk).collect();
        read = read.saturating_add(rows.len());
        if rows.is_empty() || to_clerk.send(rows).is_err() {
            return;
        }
    }
}

/// Carries the records' log over now and then, until nothing is written any more. What fails is
/// left to the commits, which say so.
pub(super) fn carry_over(carrier: &Carrier, writing: &Receiver<()>) {
    while writing.recv_timeout(CARRY_OVER) == Err(RecvTimeoutError::Timeout) {
        let _ = carrier.carry_over();
    }
}
