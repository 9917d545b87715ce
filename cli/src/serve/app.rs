//! What every route gets: ledger, office, keys, and the bounds on how much is done at once.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use zhao_http::{Kind, limits};
use zhao_issuer::catalogue::Catalogue;
use zhao_issuer::office::{ClientError, LedgerClient, Office, Submitted};
use zhao_issuer::records::Records;
use zhao_ledger::pipeline::{Pipeline, SubmitError};
use zhao_ledger::read::{ReadError, Reader, Receipting, View};
use zhao_ledger::sequence::{CommitError, Outcome, ReceiptSigner};
use zhao_spec::life::event::Event;
use zhao_spec::life::record::Record;
use zhao_spec::wire::{Hash, UnixMillis};

use super::keys::KeyRing;
use super::map::Atlas;
use super::metrics::Requests;
use super::proxies::Proxies;
use super::public::Turnstile;
use super::refused::{Both, Refused};
use super::settings::PublicUrl;
use super::signers::Signers;
use super::status::Lists;
use super::tiles::{self, Shelf};
use super::watching::Watching;
use crate::host::Host;
use crate::publish::Kept;

/// Reads at once: proofs are processor work, so a few for each core are plenty.
const READS: usize = 16;
/// Submissions that may wait for their answers at once.
const SUBMISSIONS: usize = 256;
/// Acts of the office that may wait for each other.
const ACTS: usize = 64;
/// Views of the past made at once: each makes a map from the records on disk.
const PASTS: usize = 1;

/// Threads for all of these.
pub(crate) const BLOCKING_THREADS: usize =
    READS + tiles::READS + SUBMISSIONS + ACTS + PASTS + limits::BULKS + 8;

/// The ledger in this process, behind its queue, as the office sees it.
pub(crate) struct Served {
    pub(crate) pipeline: Arc<Pipeline>,
    pub(crate) reader: Reader,
    pub(crate) origin: String,
    /// Told when the ledger has stopped for good.
    pub(crate) stop: Arc<Notify>,
}

impl LedgerClient for Served {
    fn origin(&self) -> &str {
        &self.origin
    }

    fn submit(&self, events: Vec<Event>, _now: UnixMillis) -> Result<Vec<Submitted>, ClientError> {
        let own = events.clone();
        let ticket = self.pipeline.submit(events).map_err(|error| match error {
            SubmitError::Busy { .. } => ClientError::Busy(error.to_string()),
            _ => ClientError::Unreachable(error.to_string()),
        })?;
        let outcomes = ticket.wait().map_err(|error| {
            if error.is_fatal() {
                self.stop.notify_one();
            }
            match error {
                CommitError::Backlog { .. } => ClientError::Busy(error.to_string()),
                _ => ClientError::Unreachable(error.to_string()),
            }
        })?;
        let unread = |error: ReadError| ClientError::Protocol(error.to_string());
        let view = self.reader.latest().map_err(unread)?;
        let receipts = view.receipting().map_err(unread)?;
        let pairs = own.into_iter().zip(outcomes);
        pairs
            .map(|(event, outcome)| settled(&receipts, event, outcome).map_err(unread))
            .collect()
    }

    fn record(&self, subject: &Hash) -> Result<Option<Record>, ClientError> {
        let unread = |error: ReadError| ClientError::Protocol(error.to_string());
        let view = self.reader.latest().map_err(unread)?;
        Ok(view.placed(subject).map_err(unread)?.1)
    }
}

/// What became of an event, with its receipt.
pub(crate) fn settled(
    receipts: &Receipting<'_>,
    event: Event,
    outcome: Outcome,
) -> Result<Submitted, ReadError> {
    Ok(match outcome {
        Outcome::Accepted { index } => Submitted::Receipted {
            index,
            receipt: receipts.receipt(index, Some(event))?.bytes(),
        },
        // What was logged before may have other signatures.
        Outcome::Duplicate { index } => Submitted::Receipted {
            index,
            receipt: receipts.receipt(index, None)?.bytes(),
        },
        Outcome::Pending { .. } => Submitted::Pending,
        Outcome::Refused(refusal) => Submitted::Refused {
            code: refusal.code().to_owned(),
            detail: refusal.to_string(),
        },
    })
}

/// The state of the server.
pub(crate) struct Inner {
    /// Sentences of refusals.
    pub(crate) both: Both,
    /// Licence types, for reads; the office has its own.
    pub(crate) catalogue: Catalogue,
    /// API keys.
    pub(crate) keys: KeyRing,
    /// The machine.
    pub(crate) host: Host,
    /// The queue before the sequencer.
    pub(crate) pipeline: Arc<Pipeline>,
    /// Proofs of what is published.
    pub(crate) reader: Reader,
    /// Signs receipts in COSE form, of published heads only.
    pub(crate) receipts: ReceiptSigner,
    /// The office: held while something is declared, never while it is delivered.
    office: Arc<Mutex<Office<Served>>>,
    /// A second connection to the records, so that reads do not wait for acts.
    records: Mutex<Records>,
    reads: Arc<Semaphore>,
    /// What anybody may read as static files.
    pub(crate) shelf: Shelf,
    /// The map, page by page.
    pub(crate) atlas: Atlas,
    submissions: Arc<Semaphore>,
    acts: Arc<Semaphore>,
    pasts: Arc<Semaphore>,
    bulks: Arc<Semaphore>,
    /// Set when the server is to end.
    pub(crate) ending: AtomicBool,
    /// How long an answer waits for the ledger: for all of a batch together.
    pub(crate) patience: Duration,
    /// Where files without a name may be made.
    pub(crate) spool: PathBuf,
    /// Who says who asks.
    pub(crate) proxies: Proxies,
    /// Where the world finds this office, if it does.
    pub(crate) public_url: Option<PublicUrl>,
    /// Status lists made lately.
    pub(crate) lists: Lists,
    /// Who may ask the public query how often.
    pub(crate) turnstile: Turnstile,
    /// How many events each address may hand in without a key.
    pub(crate) submitters: Turnstile,
    /// How many events each key may have logged.
    pub(crate) signers: Signers,
    /// How far the log is published in its place, where it has one.
    pub(crate) kept: Option<Arc<Kept>>,
    /// What was answered, counted.
    pub(crate) requests: Requests,
    /// What the ledger tells while it works.
    pub(crate) watching: Arc<Watching>,
    /// Told when the server is to stop.
    pub(crate) stop: Arc<Notify>,
    /// The OpenAPI document.
    pub(crate) document: std::sync::OnceLock<axum::body::Bytes>,
    /// The same for a person.
    pub(crate) page: std::sync::OnceLock<axum::body::Bytes>,
}

/// One state, many holders.
#[derive(Clone)]
pub(crate) struct App(pub(crate) Arc<Inner>);

impl std::ops::Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// What an [`App`] is made of.
pub(crate) struct Parts {
    pub(crate) catalogue: Catalogue,
    pub(crate) keys: KeyRing,
    pub(crate) host: Host,
    pub(crate) pipeline: Arc<Pipeline>,
    pub(crate) reader: Reader,
    pub(crate) receipts: ReceiptSigner,
    pub(crate) office: Arc<Mutex<Office<Served>>>,
    pub(crate) records: Records,
    pub(crate) patience: Duration,
    pub(crate) edition_every: Duration,
    pub(crate) spool: PathBuf,
    pub(crate) proxies: Proxies,
    pub(crate) public_url: Option<PublicUrl>,
    pub(crate) turnstile: Turnstile,
    pub(crate) submitters: Turnstile,
    pub(crate) signers: Signers,
    pub(crate) kept: Option<Arc<Kept>>,
    pub(crate) watching: Arc<Watching>,
    pub(crate) stop: Arc<Notify>,
}

/// Which bound a piece of work counts against.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Work {
    /// Reads and proofs.
    Read,
    /// Events handed in.
    Submission,
    /// An act of the office.
    Act,
    /// A view of the past.
    Past,
}

impl App {
    /// A server's state.
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(Inner {
            both: Both::new(),
            shelf: Shelf::new(parts.reader.clone()),
            atlas: Atlas::new(parts.edition_every),
            catalogue: parts.catalogue,
            keys: parts.keys,
            host: parts.host,
            pipeline: parts.pipeline,
            reader: parts.reader,
            receipts: parts.receipts,
            office: parts.office,
            records: Mutex::new(parts.records),
            reads: Arc::new(Semaphore::new(READS)),
            submissions: Arc::new(Semaphore::new(SUBMISSIONS)),
            acts: Arc::new(Semaphore::new(ACTS)),
            pasts: Arc::new(Semaphore::new(PASTS)),
            bulks: Arc::new(Semaphore::new(limits::BULKS)),
            ending: AtomicBool::new(false),
            patience: parts.patience,
            spool: parts.spool,
            proxies: parts.proxies,
            public_url: parts.public_url,
            lists: Lists::new(),
            turnstile: parts.turnstile,
            submitters: parts.submitters,
            signers: parts.signers,
            kept: parts.kept,
            requests: Requests::default(),
            watching: parts.watching,
            stop: parts.stop,
            document: std::sync::OnceLock::new(),
            page: std::sync::OnceLock::new(),
        }))
    }

    /// Does blocking work on a thread for it. Reads wait for their turn; everything else is
    /// refused when too much of its kind is under way. What has begun is finished, even when
    /// whoever asked has gone.
    ///
    /// # Errors
    /// What the work says; too much under way; a panic, which is a bug.
    pub(crate) async fn work<T: Send + 'static>(
        &self,
        kind: Work,
        work: impl FnOnce(&Self) -> Result<T, Refused> + Send + 'static,
    ) -> Result<T, Refused> {
        let busy = || self.both.refuse(Kind::Busy, "busy", &[]);
        let permit = match kind {
            Work::Read => {
                let turn = self.reads.clone().acquire_owned().await;
                turn.map_err(|_| busy())?
            }
            Work::Submission => self
                .submissions
                .clone()
                .try_acquire_owned()
                .map_err(|_| busy())?,
            Work::Act => self.acts.clone().try_acquire_owned().map_err(|_| busy())?,
            Work::Past => self.pasts.clone().try_acquire_owned().map_err(|_| busy())?,
        };
        let app = self.clone();
        let span = tracing::info_span!("work", ?kind);
        let done = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            span.in_scope(|| work(&app))
        });
        done.await
            .unwrap_or_else(|error| Err(self.both.internal(&error)))
    }

    /// The office, when it is this caller's turn.
    pub(crate) fn office(&self) -> MutexGuard<'_, Office<Served>> {
        self.office_for(None)
    }

    /// As [`App::office`]; what is declared is said to be this person's act.
    pub(crate) fn office_for(&self, operator: Option<&str>) -> MutexGuard<'_, Office<Served>> {
        // The records are transactions: a panic in one leaves nothing half done.
        let mut office = self.office.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever had it before may have been another.
        office.acting(operator);
        office
    }

    /// A turn for a batch of any length.
    ///
    /// # Errors
    /// Enough of them are under way.
    pub(crate) fn bulk_turn(&self) -> Result<OwnedSemaphorePermit, Refused> {
        let turn = self.bulks.clone().try_acquire_owned();
        turn.map_err(|_| self.both.refuse(Kind::Busy, "busy", &[]))
    }

    /// Whether the server is to end: long work is broken off where it can be.
    pub(crate) fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Relaxed)
    }

    /// The records, for reading.
    pub(crate) fn records(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The newest published head.
    pub(crate) fn latest(&self) -> Result<View<'_>, Refused> {
        self.reader.latest().map_err(|error| self.both.read(error))
    }

    /// The time.
    pub(crate) fn now(&self) -> Result<UnixMillis, Refused> {
        self.host
            .now()
            .map_err(|failure| self.both.failure(Kind::Internal, &failure))
    }
}
