//! `zhao auditor`: a mirror with a key, which cosigns a head when it has recomputed its map.
//!
//! The log asks it as it asks a witness (c2sp.org/tlog-witness, `add-checkpoint`), and it fetches
//! the leaves from the log's static files. It says more than a witness: besides *append-only*, that
//! the life cycle was kept and that the map is right.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, TryLockError};

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRef, Path as Segment, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use indicatif::ProgressBar;
use tokio::net::TcpListener;
use zhao_http::limits;
use zhao_issuer::keys::{Keyring, Purpose, WorkFactor};
use zhao_ledger::read::Reader;
use zhao_ledger::witness::{Clock, Request};
use zhao_spec::log::checkpoint::Checkpoint;
use zhao_spec::log::note::{KeyKind, SignedNote, Vkey, check_name};
use zhao_spec::log::tree::TreeSize;
use zhao_spec::wire::clip;

use super::serve::stopped;
use super::{Mirror, Opening, Pass};
use crate::args::{AuditorAct, AuditorCommand, AuditorInit, AuditorServe};
use crate::command::office::keyring;
use crate::failure::{Exit, Failure, args, because};
use crate::host::{PASSPHRASE, Prompts};
use crate::serve::net;
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

/// What the routes share.
#[derive(Clone)]
struct Shared {
    mirror: Arc<Mutex<Mirror>>,
    clock: Clock,
    shelf: Shelf,
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
        policy: None,
        trust: None,
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
    let mut ring = keyring(session, &wanted.dir.join("keys"), &wanted.secret)?;
    let secret = ring
        .secret(KEY, Purpose::Auditor)
        .map_err(because("keys", args![]))?;
    let mirror = Mirror::open(&opening, place, secret, &name)?;
    crate::serve::log();
    let shared = Shared {
        shelf: Shelf::new(Reader::new(Arc::clone(mirror.auditor.store()))),
        mirror: Arc::new(Mutex::new(mirror)),
        clock: session.host.clock.seconds(),
        monitoring,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(tiles::READS + 8)
        .enable_all()
        .build()
        .map_err(because("serve", args![]))?;
    runtime.block_on(listen(session, wanted.listen, shared))
}

async fn listen(session: &Session, listen: SocketAddr, shared: Shared) -> Result<Exit, Failure> {
    let wrap = |cause: std::io::Error| Failure::usage("listen", args![listen, cause]);
    let tcp = TcpListener::bind(listen).await.map_err(wrap)?;
    let address = tcp.local_addr().map_err(wrap)?;
    session.say("serve.ready", &args![url = format!("http://{address}/")])?;
    let router: Router = Router::new()
        .route("/add-checkpoint", post(add_checkpoint))
        .route("/{hash}/checkpoint", get(latest))
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
    let mut mirror = match shared.mirror.try_lock() {
        Ok(mirror) => mirror,
        Err(TryLockError::Poisoned(held)) => held.into_inner(),
        // Catching up takes what it takes; whoever asks meanwhile asks again.
        Err(TryLockError::WouldBlock) => {
            return not(
                StatusCode::SERVICE_UNAVAILABLE,
                &"replaying an earlier head",
            );
        }
    };
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
    match mirror.auditor.cosign(&request.note, (shared.clock)()) {
        Ok(line) => {
            tracing::info!(size = checkpoint.size.0, "cosigned");
            Said::Line(line)
        }
        Err(error) => match mirror.refused(error, &request.note, &checkpoint) {
            Ok(Pass::Cheats(why, written)) => {
                tracing::error!(%why, files = ?written, "the log cheats");
                not(StatusCode::UNPROCESSABLE_ENTITY, &why)
            }
            Ok(Pass::Unfit(why)) => not(StatusCode::UNPROCESSABLE_ENTITY, &why),
            Ok(_) => not(StatusCode::INTERNAL_SERVER_ERROR, &"a fault"),
            Err(failure) => not(StatusCode::INTERNAL_SERVER_ERROR, &failure.cause()),
        },
    }
}

async fn latest(State(shared): State<Shared>, Segment(hash): Segment<String>) -> Response {
    if shared.monitoring != format!("{hash}/checkpoint") {
        return plain(StatusCode::NOT_FOUND, "no such log");
    }
    let read = tokio::task::spawn_blocking(move || {
        let mirror = shared.mirror.lock().unwrap_or_else(PoisonError::into_inner);
        mirror.auditor.latest().map_err(|error| error.to_string())
    });
    match read.await {
        Ok(Ok(Some(note))) => said(StatusCode::OK, "text/plain; charset=utf-8", note),
        Ok(Ok(None)) => plain(StatusCode::NOT_FOUND, "nothing cosigned yet"),
        _ => plain(StatusCode::INTERNAL_SERVER_ERROR, "the copy cannot be read"),
    }
}
