//! The witness's two routes (c2sp.org/tlog-witness): `add-checkpoint`, and the last head of a log.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use zhao_http::limits;
use zhao_ledger::witness::{Clock, REQUEST_BYTES, Request, Witness, WitnessError};

use super::Home;
use super::remote::monitoring_path;
use crate::args::WitnessServe;
use crate::failure::{Exit, Failure, args, because};
use crate::serve::net;
use crate::session::Session;

/// Requests looked at at once; the witness itself takes one after the other.
const THREADS: usize = 8;

/// What the routes share.
#[derive(Clone)]
struct Shared {
    witness: Arc<Mutex<Witness>>,
    clock: Clock,
    /// Monitoring path → origin.
    origins: Arc<BTreeMap<String, String>>,
}

/// Runs the command.
///
/// # Errors
/// As for every command on a witness; an address that cannot be listened on.
pub(super) fn run(session: &Session, command: &WitnessServe) -> Result<Exit, Failure> {
    let home = Home::open(&command.dir)?;
    let _lock = home.lock()?;
    let witness = home.witness(session, &command.secret)?;
    crate::serve::log();
    let origins = home.logs.iter().map(|log| {
        let origin = log.name().to_owned();
        (monitoring_path(&origin), origin)
    });
    let shared = Shared {
        witness: Arc::new(Mutex::new(witness)),
        clock: session.host.clock.seconds(),
        origins: Arc::new(origins.collect()),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(THREADS)
        .enable_all()
        .build()
        .map_err(because("serve", args![]))?;
    runtime.block_on(serve(session, command.listen, shared))
}

async fn serve(session: &Session, listen: SocketAddr, shared: Shared) -> Result<Exit, Failure> {
    let wrap = |cause: std::io::Error| Failure::usage("listen", args![listen, cause]);
    let mut term = signal(SignalKind::terminate()).map_err(wrap)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(wrap)?;
    let tcp = TcpListener::bind(listen).await.map_err(wrap)?;
    let address = tcp.local_addr().map_err(wrap)?;
    session.say("serve.ready", &args![url = format!("http://{address}/")])?;
    let stop = async {
        tokio::select! {
            _ = term.recv() => {}
            _ = interrupt.recv() => {}
        }
        session.note("serve.stopping", &args![]);
    };
    let doors = net::Doors { tcp, local: None };
    net::serve(doors, router(shared), limits::CONNECTIONS, stop).await;
    session.note("serve.stopped", &args![]);
    Ok(Exit::Fine)
}

fn router(shared: Shared) -> Router {
    Router::new()
        .route("/add-checkpoint", post(add_checkpoint))
        .route("/{hash}/checkpoint", get(latest))
        .route("/healthz", get(|| async { StatusCode::NO_CONTENT }))
        .with_state(shared)
}

/// Plain text of a status.
pub(crate) fn said(status: StatusCode, kind: &'static str, text: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
    ];
    (status, headers, text).into_response()
}

pub(crate) fn plain(status: StatusCode, text: &str) -> Response {
    said(status, "text/plain; charset=utf-8", format!("{text}\n"))
}

/// A body of at most so many bytes, or what to answer to it.
pub(crate) async fn whole(body: Body, limit: usize) -> Result<Bytes, Response> {
    let time = std::time::Duration::from_secs(limits::BODY_SECONDS);
    let collected = tokio::time::timeout(time, Limited::new(body, limit).collect());
    let (status, why) = match collected.await {
        Err(_) => (StatusCode::REQUEST_TIMEOUT, "the body takes too long"),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            (StatusCode::PAYLOAD_TOO_LARGE, "the body is too long")
        }
        Ok(Err(_)) => (StatusCode::BAD_REQUEST, "the body is broken off"),
        Ok(Ok(bytes)) => return Ok(bytes.to_bytes()),
    };
    Err(plain(status, why))
}

/// The request in a body, or what to answer to that body.
pub(crate) async fn request(body: Body) -> Result<Request, Response> {
    let bytes = whole(body, REQUEST_BYTES).await?;
    let malformed = |why: &str| plain(StatusCode::BAD_REQUEST, why);
    let text = std::str::from_utf8(&bytes).map_err(|_| malformed("the body is not UTF-8"))?;
    Request::parse(text).map_err(|why| malformed(&why.to_string()))
}

async fn add_checkpoint(State(shared): State<Shared>, body: Body) -> Response {
    let request = match request(body).await {
        Ok(request) => request,
        Err(refused) => return refused,
    };
    let judged = tokio::task::spawn_blocking(move || {
        // A panic leaves the state as it was on the disk, which is read anew each time.
        let mut witness = shared
            .witness
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // Within the lock, so that times do not fall from one head to the next.
        witness.add_checkpoint(&request, (shared.clock)())
    });
    let status = match judged.await {
        Ok(Ok(line)) => {
            tracing::info!("cosigned");
            return said(StatusCode::OK, "text/plain; charset=utf-8", line);
        }
        Ok(Err(error)) => {
            tracing::info!(%error, "not cosigned");
            match error {
                WitnessError::Conflict { size, .. } => {
                    let kind = "text/x.tlog.size";
                    return said(StatusCode::CONFLICT, kind, format!("{size}\n"));
                }
                other => (status(&other), other.to_string()),
            }
        }
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, "a fault".to_owned()),
    };
    plain(status.0, &status.1)
}

/// The status that tlog-witness gives each refusal.
fn status(error: &WitnessError) -> StatusCode {
    match error {
        WitnessError::Malformed(_) | WitnessError::OldAboveSize { .. } => StatusCode::BAD_REQUEST,
        WitnessError::UnknownLog { .. } => StatusCode::NOT_FOUND,
        WitnessError::Unsigned(_) => StatusCode::FORBIDDEN,
        WitnessError::Conflict { .. } => StatusCode::CONFLICT,
        WitnessError::Inconsistent(_) | WitnessError::UselessProof { .. } => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

async fn latest(State(shared): State<Shared>, Path(hash): Path<String>) -> Response {
    let Some(origin) = shared.origins.get(&format!("{hash}/checkpoint")).cloned() else {
        return plain(StatusCode::NOT_FOUND, "no such log");
    };
    let read = tokio::task::spawn_blocking(move || {
        let witness = shared
            .witness
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        witness.latest(&origin)
    });
    match read.await {
        Ok(Ok(Some(note))) => said(StatusCode::OK, "text/plain; charset=utf-8", note),
        Ok(Ok(None)) => plain(StatusCode::NOT_FOUND, "nothing cosigned yet"),
        Ok(Err(error)) => {
            tracing::error!(%error, "the state cannot be read");
            plain(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the state cannot be read",
            )
        }
        Err(_) => plain(StatusCode::INTERNAL_SERVER_ERROR, "a fault"),
    }
}
