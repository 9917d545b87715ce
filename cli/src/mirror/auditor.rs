//! `zhao auditor`: a mirror with a key, which cosigns a head when it has recomputed its map.
//!
//! The log asks it as it asks a witness (c2sp.org/tlog-witness, `add-checkpoint`), and it fetches
//! the leaves from the log's static files. It says more than a witness: besides *append-only*, that
//! the life cycle was kept and that the map is right.
//!
//! Events that the log will not take can be handed to it ([`hand_in`]). It gives its word for them,
//! and a head that leaves one out for longer than the bound is not cosigned: there is evidence.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRef, Path as Segment, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use indicatif::ProgressBar;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use zhao_http::limits;
use zhao_issuer::keys::{Keyring, Purpose, WorkFactor};
use zhao_ledger::audit::AuditError;
use zhao_ledger::read::Reader;
use zhao_ledger::witness::{Clock, Request};
use zhao_spec::log::checkpoint::Checkpoint;
use zhao_spec::log::note::{KeyKind, SignedNote, Vkey, check_name};
use zhao_spec::log::tree::TreeSize;
use zhao_spec::wire::clip;

use super::hand_in;
use super::handed::{HandedIn, Swept};
use super::serve::stopped;
use super::{Mirror, Opening, Pass};
use crate::args::{AuditorAct, AuditorCommand, AuditorInit, AuditorServe};
use crate::command::office::keyring;
use crate::distant::Distant;
use crate::failure::{Exit, Failure, args, because};
use crate::host::{Host, PASSPHRASE, Prompts, Stopwatch};
use crate::serve::net;
use crate::serve::public::Turnstile;
use crate::serve::tiles::{self, Shelf};
use crate::session::Session;
use crate::witness::remote::monitoring_path;
use crate::witness::serve::{plain, request, said};

/// Name of the key in DIR/keys.
const KEY: &str = "auditor";

/// Runs the command.
///
/// # Errors
/// Values that are wrong, a directory that is none, no passphrase, the log, or the disk.
pub(crate) fn run(session: &Session, command: &AuditorCommand) -> Result<Exit, Failure> {
    match &command.act {
        AuditorAct::Init(wanted) => init(session, wanted),
        AuditorAct::Serve(wanted) => serve(session, wanted),
    }
}

fn init(session: &Session, wanted: &AuditorInit) -> Result<Exit, Failure> {
    let name = &wanted.name;
    check_name(name).map_err(because("witness-name", args![value = clip(name)]))?;
    let opening = Opening {
        dir: &wanted.dir,
        url: Some(&wanted.url),
        policy: Some(&wanted.policy),
        trust: wanted.trust.as_deref(),
        progress: ProgressBar::hidden(),
    };
    let mut place = opening.place()?;
    if place.known {
        let path = wanted.dir.display();
        return Err(Failure::usage("dir-not-empty", args![path]));
    }
    let prompts = Prompts {
        first: session.messages.text("prompt.new"),
        again: session.messages.text("prompt.again"),
    };
    let file = wanted.secret.passphrase_file.as_deref();
    let passphrase = session.host.passphrase(file, &PASSPHRASE, &prompts, true)?;
    let keys = |cause: zhao_issuer::keys::KeyError| Failure::usage("keys", args![cause]);
    crate::files::make_dir(&wanted.dir)?;
    let dir = wanted.dir.join("keys");
    let mut ring = Keyring::create(&dir, &passphrase, WorkFactor::default()).map_err(keys)?;
    let (mut rng, now) = (session.host.generator()?, session.host.now()?);
    let part = ring.generate(KEY, Purpose::Auditor, &mut rng, now);
    let vkey = Vkey::new(name, KeyKind::Cosignature, part.map_err(keys)?.key)
        .map_err(because("witness-name", args![value = clip(name)]))?;
    let secret = ring.secret(KEY, Purpose::Auditor).map_err(keys)?;
    place.config.auditor = Some(name.clone());
    Mirror::open(&opening, place, secret, name)?;
    session.line(&vkey.format())?;
    session.note("auditor.made", &args![name, dir = wanted.dir.display()]);
    Ok(Exit::Fine)
}

/// Events that are looked at at once; the auditor itself takes one after the other.
const HANDS: usize = 8;
/// For how long a look at the log is good for further events.
const LOOKED: Duration = Duration::from_secs(1);

/// The copy, and what was handed in. Held for one request.
pub(super) struct Serving {
    pub(super) mirror: Mirror,
    pub(super) handed: HandedIn,
}

/// What the routes share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) serving: Arc<Mutex<Serving>>,
    pub(super) host: Arc<Host>,
    /// Who may hand in how often.
    pub(super) turnstile: Arc<Turnstile>,
    pub(super) hands: Arc<Semaphore>,
    clock: Clock,
    shelf: Shelf,
    /// Where the log's files are.
    log: Arc<Distant>,
    stopwatch: Stopwatch,
    /// When it was last looked at for somebody.
    looked: Arc<Mutex<Option<Duration>>>,
    /// Monitoring path of its log.
    monitoring: String,
}

impl FromRef<Shared> for Shelf {
    fn from_ref(shared: &Shared) -> Self {
        shared.shelf.clone()
    }
}

fn serve(session: &Session, wanted: &AuditorServe) -> Result<Exit, Failure> {
    let opening = Opening {
        dir: &wanted.dir,
        url: wanted.log_url.as_deref(),
        policy: wanted.policy.as_deref(),
        trust: wanted.trust.as_deref(),
        progress: ProgressBar::hidden(),
    };
    let missing = |path: &Path| {
        let path = path.display();
        Failure::usage("auditor-home-missing", args![path])
    };
    if !wanted.dir.join("mirror.toml").is_file() {
        return Err(missing(&wanted.dir));
    }
    let place = opening.place()?;
    let name = place.config.auditor.clone();
    let name = name.ok_or_else(|| missing(&wanted.dir))?;
    let monitoring = monitoring_path(&place.config.origin);
    let log = Arc::new(Distant::new(&place.config.url));
    let mut ring = keyring(session, &wanted.dir.join("keys"), &wanted.secret)?;
    let secret = ring
        .secret(KEY, Purpose::Auditor)
        .map_err(because("keys", args![]))?;
    let mirror = Mirror::open(&opening, place, secret, &name)?;
    let handed = HandedIn::open(&wanted.dir, &mirror.trust, &mirror.auditor)?;
    crate::serve::log();
    let mut serving = Serving { mirror, handed };
    // An earlier process may have replayed a head and not looked.
    serving.sweep()?;
    let shared = Shared {
        shelf: Shelf::new(Reader::new(Arc::clone(serving.mirror.auditor.store()))),
        serving: Arc::new(Mutex::new(serving)),
        host: Arc::new(Host::new()),
        turnstile: Arc::new(Turnstile::new(wanted.event_rate)),
        hands: Arc::new(Semaphore::new(HANDS)),
        log,
        stopwatch: session.host.stopwatch(),
        looked: Arc::default(),
        clock: session.host.clock.seconds(),
        monitoring,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(tiles::READS + HANDS + 8)
        .enable_all()
        .build()
        .map_err(because("serve", args![]))?;
    let every = Duration::from_millis(wanted.every.max(100));
    runtime.block_on(async {
        tokio::select! {
            served = listen(session, wanted.listen, shared.clone()) => served,
            never = follow(&shared, every) => match never {},
        }
    })
}

async fn listen(session: &Session, listen: SocketAddr, shared: Shared) -> Result<Exit, Failure> {
    let wrap = |cause: std::io::Error| Failure::usage("listen", args![listen, cause]);
    let tcp = TcpListener::bind(listen).await.map_err(wrap)?;
    let address = tcp.local_addr().map_err(wrap)?;
    session.say("serve.ready", &args![url = format!("http://{address}/")])?;
    let router: Router = Router::new()
        .route("/add-checkpoint", post(add_checkpoint))
        .route("/{hash}/checkpoint", get(latest))
        .route("/v1/events", post(hand_in::hand_in))
        .route("/v1/events/{event}", get(hand_in::stands))
        .route("/healthz", get(|| async { StatusCode::NO_CONTENT }))
        .merge(tiles::routes())
        .with_state(shared);
    let doors = net::Doors { tcp, local: None };
    let mut result = Ok(Exit::Fine);
    let stop = async {
        result = stopped(session).await;
    };
    net::serve(doors, router, limits::CONNECTIONS, stop).await;
    session.note("serve.stopped", &args![]);
    result
}

/// What it says to a head.
enum Said {
    Line(String),
    /// It has cosigned more.
    Ahead(TreeSize),
    Not(StatusCode, String),
}

async fn add_checkpoint(State(shared): State<Shared>, body: Body) -> Response {
    let request = match request(body).await {
        Ok(request) => request,
        Err(refused) => return refused,
    };
    let judged = tokio::task::spawn_blocking(move || judge(&shared, &request));
    match judged.await {
        Ok(Said::Line(line)) => said(StatusCode::OK, "text/plain; charset=utf-8", line),
        Ok(Said::Ahead(size)) => {
            let text = format!("{size}\n");
            said(StatusCode::CONFLICT, "text/x.tlog.size", text)
        }
        Ok(Said::Not(status, why)) => {
            tracing::warn!(%why, "not cosigned");
            plain(status, &why)
        }
        Err(_) => plain(StatusCode::INTERNAL_SERVER_ERROR, "a fault"),
    }
}

fn judge(shared: &Shared, request: &Request) -> Said {
    let not = |status, why: &dyn std::fmt::Display| Said::Not(status, why.to_string());
    let mut serving = match shared.serving.try_lock() {
        Ok(serving) => serving,
        Err(TryLockError::Poisoned(held)) => held.into_inner(),
        // Catching up takes what it takes; whoever asks meanwhile asks again.
        Err(TryLockError::WouldBlock) => {
            return not(
                StatusCode::SERVICE_UNAVAILABLE,
                &"replaying an earlier head",
            );
        }
    };
    let mirror = &mut serving.mirror;
    let checkpoint = match mirror.log.open(&request.note) {
        Ok((checkpoint, _)) => checkpoint,
        Err(cause) => return not(StatusCode::FORBIDDEN, &cause),
    };
    // Nobody gets an old head with a new date.
    let cosigned = mirror.auditor.latest().map(|note| {
        let note = note?;
        let own = SignedNote::parse(&note).ok()?;
        Some(Checkpoint::parse(own.text()).ok()?.size)
    });
    match cosigned {
        Ok(Some(size)) if size > checkpoint.size => return Said::Ahead(size),
        Ok(_) => {}
        Err(cause) => return not(StatusCode::INTERNAL_SERVER_ERROR, &cause),
    }
    if let Err(cause) = mirror.spool.begin(checkpoint.size) {
        return not(StatusCode::INTERNAL_SERVER_ERROR, &cause);
    }
    // Replayed before it is signed: it may be the head that still leaves out what was handed in.
    if !serving.handed.is_empty() {
        if let Err(error) = serving.mirror.auditor.follow(&request.note) {
            return serving.mirror.says(error, &request.note, &checkpoint);
        }
        if let Err(failure) = serving.sweep() {
            return not(StatusCode::INTERNAL_SERVER_ERROR, &failure.cause());
        }
        if let Some(event) = serving.handed.overdue() {
            let event = event.to_base64url();
            let why = format!("event {event} was handed in and is left out: there is evidence");
            return Said::Not(StatusCode::UNPROCESSABLE_ENTITY, why);
        }
    }
    let mirror = &mut serving.mirror;
    match mirror.auditor.cosign(&request.note, (shared.clock)()) {
        Ok(line) => {
            tracing::info!(size = checkpoint.size.0, "cosigned");
            Said::Line(line)
        }
        Err(error) => mirror.says(error, &request.note, &checkpoint),
    }
}

impl Mirror {
    /// What is answered to a head that is not taken.
    fn says(&self, error: AuditError, note: &str, checkpoint: &Checkpoint) -> Said {
        let not = |status, why: &dyn std::fmt::Display| Said::Not(status, why.to_string());
        match self.refused(error, note, checkpoint) {
            Ok(Pass::Cheats(why, written)) => {
                tracing::error!(%why, files = ?written, "the log cheats");
                not(StatusCode::UNPROCESSABLE_ENTITY, &why)
            }
            Ok(Pass::Unfit(why)) => not(StatusCode::UNPROCESSABLE_ENTITY, &why),
            Ok(_) => not(StatusCode::INTERNAL_SERVER_ERROR, &"a fault"),
            Err(failure) => not(StatusCode::INTERNAL_SERVER_ERROR, &failure.cause()),
        }
    }
}

impl Serving {
    /// Lays what was handed in beside the newest head, and raises the alarm.
    fn sweep(&mut self) -> Result<(), Failure> {
        let Swept { overdue, unproved } = self.handed.sweep(&self.mirror.auditor)?;
        for (event, file) in overdue {
            let event = event.to_base64url();
            let why = format!("event {event} was handed in and left out for longer than the bound");
            tracing::error!(%why, files = ?[file], "the log cheats");
        }
        for (event, why) in unproved {
            let event = event.to_base64url();
            tracing::warn!(%event, %why, "handed in and left out, and nothing is proved");
        }
        Ok(())
    }
}

impl Shared {
    /// Whether it is time to look at the log for somebody: many at once are served by one look.
    fn looks_again(&self) -> bool {
        let now = self.stopwatch.read();
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let again = looked.is_none_or(|before| now.saturating_sub(before) >= LOOKED);
        if again {
            *looked = Some(now);
        }
        again
    }
}

/// Looks at the log by itself while something was handed in: a log that leaves an event out may as
/// well stop asking whoever waits for it.
async fn follow(shared: &Shared, every: Duration) -> std::convert::Infallible {
    let mut turns = tokio::time::interval(every);
    turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        turns.tick().await;
        let shared = shared.clone();
        // What went wrong is said; the next turn tries again.
        let _ = tokio::task::spawn_blocking(move || look(&shared, Look::Waiting)).await;
    }
}

/// Why the log is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// An event is handed in, and must be judged as of now.
    New,
    /// Events may wait.
    Waiting,
}

/// Replays the log's newest head, unless the log has nothing new.
pub(super) fn look(shared: &Shared, why: Look) {
    if why == Look::New && !shared.looks_again() {
        return;
    }
    // A head that is being replayed meanwhile is as good.
    let free = || match shared.serving.try_lock() {
        Ok(serving) => Some(serving),
        Err(TryLockError::Poisoned(held)) => Some(held.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    };
    let needed = |serving: &Serving| why == Look::New || !serving.handed.is_empty();
    let ours = match free() {
        Some(serving) if needed(&serving) => serving.mirror.auditor.size(),
        _ => return,
    };
    let ours = ours.map_or(0, |size| size.0);
    // Nobody waits for the auditor while it asks whether there is anything to do.
    match shared.log.checkpoint() {
        Ok(note) => {
            let size = note.lines().nth(1).and_then(|size| size.parse().ok());
            if size.is_some_and(|theirs: u64| theirs <= ours) {
                return;
            }
        }
        Err(cause) => {
            tracing::warn!(%cause, "the log was not read");
            return;
        }
    }
    let Some(mut serving) = free() else { return };
    match serving.mirror.pass(&ProgressBar::hidden()) {
        Ok(Pass::Copied(..)) => {}
        Ok(Pass::Cheats(why, written)) => {
            tracing::error!(%why, files = ?written, "the log cheats");
        }
        Ok(other) => tracing::warn!(state = ?other, "not followed"),
        Err(failure) => tracing::warn!(cause = %failure.cause(), "the log was not read"),
    }
    if let Err(failure) = serving.sweep() {
        tracing::error!(cause = %failure.cause(), "what was handed in was not judged");
    }
}

async fn latest(State(shared): State<Shared>, Segment(hash): Segment<String>) -> Response {
    if shared.monitoring != format!("{hash}/checkpoint") {
        return plain(StatusCode::NOT_FOUND, "no such log");
    }
    let read = tokio::task::spawn_blocking(move || {
        let serving = shared
            .serving
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let latest = serving.mirror.auditor.latest();
        latest.map_err(|error| error.to_string())
    });
    match read.await {
        Ok(Ok(Some(note))) => said(StatusCode::OK, "text/plain; charset=utf-8", note),
        Ok(Ok(None)) => plain(StatusCode::NOT_FOUND, "nothing cosigned yet"),
        _ => plain(StatusCode::INTERNAL_SERVER_ERROR, "the copy cannot be read"),
    }
}
