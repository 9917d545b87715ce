//! A mirror that follows its log, and shows its copy to others as the log shows its own.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use indicatif::ProgressBar;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use zhao_http::limits;
use zhao_ledger::read::Reader;

use super::{EVERY, Mirror, Pass, json};
use crate::args::Mirror as Line;
use crate::failure::{Exit, Failure, args, because};
use crate::serve::net;
use crate::serve::tiles::{self, Shelf};
use crate::session::Session;

/// Follows and serves until it is told to stop.
///
/// # Errors
/// An address that cannot be listened on.
pub(super) fn run(session: &Session, command: &Line, mirror: Mirror) -> Result<Exit, Failure> {
    crate::serve::log();
    let every = Duration::from_millis(command.every.unwrap_or(EVERY).max(100));
    let shelf = Shelf::new(Reader::new(Arc::clone(mirror.auditor.store())));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(tiles::READS + 2)
        .enable_all()
        .build()
        .map_err(because("serve", args![]))?;
    let mirror = Arc::new(Mutex::new(mirror));
    runtime.block_on(async {
        // A pass that was begun ends with its epoch; whoever kills it loses nothing either.
        let following = follow(session, command.json, mirror, every);
        match command.listen {
            Some(listen) => {
                tokio::select! {
                    served = serve(session, listen, shelf) => served,
                    ended = following => ended,
                }
            }
            None => {
                tokio::select! {
                    stopped = stopped(session) => stopped,
                    ended = following => ended,
                }
            }
        }
    })
}

/// Until a signal comes.
pub(crate) async fn stopped(session: &Session) -> Result<Exit, Failure> {
    let wrap = |cause: std::io::Error| Failure::usage("serve", args![cause]);
    let mut term = signal(SignalKind::terminate()).map_err(wrap)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(wrap)?;
    tokio::select! {
        _ = term.recv() => {}
        _ = interrupt.recv() => {}
    }
    session.note("serve.stopping", &args![]);
    Ok(Exit::Fine)
}

async fn serve(session: &Session, listen: SocketAddr, shelf: Shelf) -> Result<Exit, Failure> {
    let wrap = |cause: std::io::Error| Failure::usage("listen", args![listen, cause]);
    let tcp = TcpListener::bind(listen).await.map_err(wrap)?;
    let address = tcp.local_addr().map_err(wrap)?;
    session.say("serve.ready", &args![url = format!("http://{address}/")])?;
    let router = tiles::routes()
        .route("/healthz", get(|| async { StatusCode::NO_CONTENT }))
        .with_state(shelf);
    let doors = net::Doors { tcp, local: None };
    let mut result = Ok(Exit::Fine);
    let stop = async {
        result = stopped(session).await;
    };
    net::serve(
        doors,
        Router::new().merge(router),
        limits::CONNECTIONS,
        stop,
    )
    .await;
    session.note("serve.stopped", &args![]);
    result
}

/// Looks for a newer head again and again. Ends only by a fault of its own.
async fn follow(
    session: &Session,
    as_json: bool,
    mirror: Arc<Mutex<Mirror>>,
    every: Duration,
) -> Result<Exit, Failure> {
    let mut turns = tokio::time::interval(every);
    // The first pass was done before.
    turns.tick().await;
    let mut last = String::new();
    loop {
        turns.tick().await;
        let mirror = Arc::clone(&mirror);
        let pass = tokio::task::spawn_blocking(move || {
            let mut mirror = mirror.lock().unwrap_or_else(PoisonError::into_inner);
            mirror.pass(&ProgressBar::hidden())
        });
        let pass = match pass.await {
            Ok(Ok(pass)) => pass,
            // The log is away: it is asked again.
            Ok(Err(failure)) => {
                tracing::warn!(cause = %failure.cause(), "the log was not read");
                continue;
            }
            Err(_) => return Err(Failure::stopped("serve", args![cause = "a fault"])),
        };
        let text = json(&pass).to_string();
        match &pass {
            Pass::Copied(_, _, 0) => continue,
            Pass::Copied(checkpoint, _, new) => {
                tracing::info!(size = checkpoint.size.0, new, "copied");
            }
            Pass::Cheats(why, _) => tracing::error!(%why, "the log cheats"),
            other => tracing::warn!(state = ?other, "not copied"),
        }
        // The same trouble is printed once.
        if as_json && text != last {
            session.line(&text)?;
        }
        last = text;
    }
}
