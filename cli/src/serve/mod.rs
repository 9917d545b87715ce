//! `zhao serve`: one process that holds an office's directory and answers over HTTP.
//!
//! Requests and answers: `zhao_http` and `spec/http.md`. Everything that reads or writes a disk is
//! done on threads for blocking work, each kind with a bound of its own ([`app::Work`]).

use std::mem;
use std::net::SocketAddr;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, UnixListener};
use tokio::signal::unix::{SignalKind, signal};
use utoipa_axum::router::OpenApiRouter;
use zhao_http::limits;
use zhao_issuer::catalogue::Catalogue;
use zhao_issuer::office::{Delivery, Office};
use zhao_issuer::records::Carrier;
use zhao_ledger::pipeline::{Pipeline, Settings};
use zhao_ledger::sequence::CommitError;

use crate::args::Serve;
use crate::command::office::{keyring, own_trust, records, write_pack_of, wrong};
use crate::engine::Engine;
use crate::failure::{Exit, Failure, args, because};
use crate::home::Home;
use crate::host::Host;
use crate::place;
use crate::publish::{Keeping, Kept, keep};
use crate::session::Session;
use app::{App, Parts, Served};
use settings::Setup;
use watching::Watching;

/// How often the records' write-ahead log is carried over.
const CARRY_OVER: Duration = Duration::from_millis(500);
/// How soon a head that found no quorum is tried again.
const RETRY: Duration = Duration::from_secs(2);

mod acts;
pub(crate) mod app;
mod bulk;
mod conformance;
pub(crate) mod extract;
mod forms;
mod frame;
pub(crate) mod keys;
mod ledger;
mod map;
mod metrics;
pub(crate) mod net;
mod office;
mod page;
pub(crate) mod proxies;
pub(crate) mod public;
mod refused;
mod schemas;
pub(crate) mod settings;
mod signers;
pub(crate) mod status;
pub(crate) mod tiles;
pub(crate) mod traces;
mod watching;

pub(crate) use traces::log;

/// Runs the command.
///
/// # Errors
/// As for every command that opens an office; an address that cannot be listened on.
pub(crate) fn run(session: &Session, command: &Serve) -> Result<Exit, Failure> {
    let home = Home::open(&command.dir)?;
    let _lock = home.lock()?;
    let settings = Setup::of(command, &home)?;
    if command.conformance {
        return conformance::run(session, command, &settings, &home);
    }
    // Dropped last: what is done until then is told.
    let _exporting = match &settings.otlp {
        Some(collector) => Some(traces::start(collector, &home.config.origin)),
        None => {
            log();
            None
        }
    };
    let Opened {
        app,
        office,
        delivery,
        carried,
        publishing,
    } = open(session, command, &settings, &home)?;
    let pipeline = Arc::clone(&app.pipeline);
    let thread = deliver(session, office, Arc::clone(&delivery))?;
    let (carry, carrying) = channel();
    let carrier = carry_over(carried, carrying)?;
    let publisher = publishing.map(|publishing| publishing(&home)).transpose()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(app::BLOCKING_THREADS)
        .build()
        .map_err(because("serve", args![]))?;
    let served = runtime.block_on(serve(session, &settings, &home, app, &delivery));
    // Waits for work that was begun; then the queue is empty, and its threads end.
    drop(runtime);
    delivery.stop();
    // A thread that panicked has said so.
    let _ = thread.join();
    drop(carry);
    let _ = carrier.join();
    if let Some((until, thread)) = publisher {
        drop(until);
        let _ = thread.join();
    }
    drop(pipeline);
    let _ = std::fs::remove_file(home.socket());
    served
}

/// An office that is about to be served.
struct Opened {
    app: App,
    office: Arc<Mutex<Office<Served>>>,
    delivery: Arc<Delivery>,
    /// The records once more, for [`carry_over`].
    carried: Carrier,
    /// Starts the thread that publishes the log in a place, where it is.
    publishing: Option<Publishing>,
}

/// Starts the thread that publishes; it ends when the sender is dropped.
type Publishing = Box<dyn FnOnce(&Home) -> Result<(Sender<()>, JoinHandle<()>), Failure>>;

/// Opens office and ledger, and finishes what an earlier process left half done.
fn open(
    session: &Session,
    command: &Serve,
    settings: &Setup,
    home: &Home,
) -> Result<Opened, Failure> {
    let mut keyring = keyring(session, &home.keys(), &command.secret)?;
    let trust = own_trust(home)?;
    let load_catalogue = || {
        Catalogue::load(&home.catalogue()).map_err(because(
            "catalogue",
            args![path = home.catalogue().display()],
        ))
    };
    let publication = place::publication(session, home, false)?;
    let there = publication.clone();
    let clock = &session.host.clock;
    let (engine, start) = Engine::open(home, &mut keyring, &trust, clock, publication)?;
    if start.fresh_epoch {
        session.note("office.recovered", &args![leaves = start.unsigned]);
    }
    if let Some(key) = engine.sequencer().mldsa_vkey() {
        session.note("serve.mldsa", &args![key = key.format()]);
    }
    let watching = {
        let sequencer = engine.sequencer();
        let names = sequencer.cosigners();
        let watching = Arc::new(Watching::new(session.host.stopwatch(), names));
        sequencer.watched_by(Arc::clone(&watching) as Arc<_>);
        watching
    };
    let reader = engine.reader();
    let receipts = engine.sequencer().receipt_signer();
    let origin = home.config.origin.clone();
    let clock = session.host.clock.clone();
    let pipeline = Pipeline::start(
        engine.into_sequencer(),
        Arc::new(move || clock.read()),
        Settings::default(),
    )
    .map_err(because("serve", args![]))?;
    let pipeline = Arc::new(pipeline);
    let stop = Arc::new(tokio::sync::Notify::new());
    let served = Served {
        pipeline: Arc::clone(&pipeline),
        reader: reader.clone(),
        origin,
        stop: Arc::clone(&stop),
    };
    let own = records(session, home, &mut keyring)?;
    let carried = own.carrier().map_err(|cause| wrong(cause.into()))?;
    let reading = records(session, home, &mut keyring)?;
    let keys = keys::KeyRing::new(records(session, home, &mut keyring)?);
    let office = Office::open(own, keyring, load_catalogue()?, served).map_err(wrong)?;
    let delivery = office.delivery();
    let office = Arc::new(Mutex::new(office));
    let kept = there.is_some().then(Arc::<Kept>::default);
    let publishing = there.zip(kept.clone()).map(|(there, kept)| -> Publishing {
        let (reader, edition_every) = (reader.clone(), settings.edition_every);
        Box::new(move |home| {
            let (until, end) = channel();
            let keeping = Keeping {
                publication: there,
                reader,
                kept,
                edition_every,
            };
            let thread = keep(home, &trust, keeping, end)?;
            Ok((until, thread))
        })
    });
    let app = App::new(Parts {
        catalogue: load_catalogue()?,
        keys,
        host: Host::new(),
        pipeline,
        reader,
        receipts,
        office: Arc::clone(&office),
        records: reading,
        patience: settings.answer_within,
        edition_every: settings.edition_every,
        spool: home.dir().to_owned(),
        stop,
        turnstile: public::Turnstile::new(settings.public_rate),
        submitters: public::Turnstile::new(settings.event_rate),
        proxies: settings.proxies.clone(),
        public_url: settings.public_url.clone(),
        signers: signers::Signers::new(settings.event_rate_signer, session.host.stopwatch()),
        kept,
        watching,
    });
    Ok(Opened {
        app,
        office,
        delivery,
        carried,
        publishing,
    })
}

/// The thread that hands in what the office declared; what an earlier process left comes first.
fn deliver(
    session: &Session,
    office: Arc<Mutex<Office<Served>>>,
    delivery: Arc<Delivery>,
) -> Result<JoinHandle<()>, Failure> {
    let clock = session.host.clock.clone();
    let work = move || {
        delivery.run(&*office, &|| clock.read(), &mut |round| match round {
            Ok(sent) => {
                if let Some(trouble) = sent.trouble {
                    tracing::warn!(%trouble, pending = sent.pending, "delivery waits");
                }
            }
            Err(error) => tracing::error!(%error, "the records fail"),
        });
    };
    let thread = std::thread::Builder::new().name("deliver".to_owned());
    thread.spawn(work).map_err(because("serve", args![]))
}

/// The thread that carries the records' write-ahead log over, again and again. Left to the commits,
/// one in thousands would do it for all, and everybody would wait for that one. It ends when the
/// other side of `until` is dropped.
fn carry_over(records: Carrier, until: Receiver<()>) -> Result<JoinHandle<()>, Failure> {
    let work = move || {
        while until.recv_timeout(CARRY_OVER) == Err(RecvTimeoutError::Timeout) {
            if let Err(error) = records.carry_over() {
                tracing::warn!(%error, "the records' log was not carried over");
            }
        }
    };
    let thread = std::thread::Builder::new().name("carry".to_owned());
    thread.spawn(work).map_err(because("serve", args![]))
}

/// Every route.
pub(crate) fn router(app: App) -> Router {
    let (router, api) = OpenApiRouter::new()
        .merge(page::routes())
        .merge(ledger::routes())
        .merge(office::routes())
        .merge(acts::routes())
        .merge(bulk::routes())
        .merge(public::routes())
        .merge(metrics::routes())
        .merge(status::routes())
        .merge(schemas::routes())
        .merge(forms::routes())
        .split_for_parts();
    let (document, page) = page::render(page::complete(api));
    let _ = app.document.set(document);
    let _ = app.page.set(page);
    router
        .merge(tiles::routes())
        .merge(map::routes())
        .fallback(frame::nowhere)
        .method_not_allowed_fallback(frame::no_method)
        .layer(axum::middleware::from_fn_with_state(
            app.clone(),
            frame::frame,
        ))
        .with_state(app)
}

async fn serve(
    session: &Session,
    settings: &Setup,
    home: &Home,
    app: App,
    delivery: &Delivery,
) -> Result<Exit, Failure> {
    let listen = settings.listen;
    let wrap = |cause: std::io::Error| Failure::usage("listen", args![listen, cause]);
    let mut term = signal(SignalKind::terminate()).map_err(wrap)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(wrap)?;
    let tcp = TcpListener::bind(listen).await.map_err(wrap)?;
    let address: SocketAddr = tcp.local_addr().map_err(wrap)?;
    let (local, owner) = socket(&home.socket())?;
    if !address.ip().is_loopback() {
        session.note("serve.not-loopback", &args![address]);
    }
    session.say("serve.ready", &args![url = format!("http://{address}/")])?;
    let heart = heartbeat(app.clone(), home.clone(), settings.heartbeat);
    let heart = tokio::spawn(heart);
    let editions = tokio::spawn(map::keep(app.clone()));
    let stopped = app.clone();
    let ending = app.clone();
    let mut broken = false;
    let stop = async {
        tokio::select! {
            _ = term.recv() => {}
            _ = interrupt.recv() => {}
            () = stopped.stop.notified() => {
                // Nothing is answered any more: nobody need wait for it.
                delivery.stop();
                broken = true;
            }
        }
        ending.ending.store(true, Ordering::Relaxed);
        session.note("serve.stopping", &args![]);
    };
    let local = Some((local, owner));
    let doors = net::Doors { tcp, local };
    net::serve(doors, router(app), limits::CONNECTIONS, stop).await;
    heart.abort();
    editions.abort();
    if broken {
        return Err(Failure::stopped("serve-broken", args![]));
    }
    session.note("serve.stopped", &args![]);
    Ok(Exit::Fine)
}

/// The socket in the office's directory. Whoever holds the directory's lock may replace it.
fn socket(path: &Path) -> Result<(UnixListener, u32), Failure> {
    let wrap = |cause: std::io::Error| Failure::file("create", path, &cause);
    match std::fs::remove_file(path) {
        Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => return Err(wrap(cause)),
        _ => {}
    }
    let listener = UnixListener::bind(path).map_err(wrap)?;
    let owner = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(path, owner).map_err(wrap)?;
    let owner = path.metadata().map_err(wrap)?.uid();
    Ok((listener, owner))
}

/// An epoch whenever nothing was published for so long, so that dossiers stay fresh; and beside it
/// a fresh issuer pack, the first one at once.
async fn heartbeat(app: App, home: Home, idle: Duration) {
    // Asked more often than it beats: the last epoch may have been anybody's, and one that found no
    // quorum is tried again.
    let turn = (idle / 4).clamp(Duration::from_secs(1), RETRY);
    let mut turns = tokio::time::interval(turn);
    let mut pack_old = true;
    loop {
        turns.tick().await;
        let (home, old) = (home.clone(), mem::take(&mut pack_old));
        let beaten = app.work(app::Work::Act, move |app| {
            let now = app.now()?;
            let commit = |error: CommitError| {
                if error.is_fatal() {
                    app.stop.notify_one();
                }
                app.both.commit(&error)
            };
            app.pipeline.sequencer().retry(now).map_err(commit)?;
            let last = app.latest()?.epoch().time;
            let idle = u64::try_from(idle.as_millis()).unwrap_or(u64::MAX);
            let due = now.0.saturating_sub(last.0) >= idle;
            if due {
                app.pipeline.sequencer().heartbeat(now).map_err(commit)?;
            }
            if due || old {
                let view = app.latest()?;
                let records = app.records();
                write_pack_of(&home, &records, &app.catalogue, &view)
                    .map_err(|failure| app.both.internal(&failure.cause()))?;
            }
            Ok(())
        });
        // What went wrong is in the log already; the next turn tries again.
        let _ = beaten.await;
    }
}
