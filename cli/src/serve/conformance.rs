//! `zhao serve --conformance`: a VC-API for other people's suites. Prose: `spec/vc-api.md`.
//!
//! What this issues is worth nothing: any credential of the data model, under a did:key that
//! stands for nobody. No office, no ledger, no record is opened beyond the question whether the
//! registry has licences; with one, the mode is refused.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{MatchedPath, Request as HttpRequest, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use utoipa::openapi::InfoBuilder;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use zhao_http::{Kind, limits as http_limits};
use zhao_spec::wire::{SecretKey, UnixMillis, limits};
use zhao_vc::proof::Suite;

use super::refused::{Both, Refused};
use super::settings::Setup;
use super::{frame, net, traces};
use crate::args::Serve;
use crate::command::office::{keyring, records};
use crate::failure::{Exit, Failure, args, because};
use crate::files;
use crate::home::Home;
use crate::host::Clock;
use crate::mirror::stopped;
use crate::session::Session;
use engine::Engine;
use kept::{Challenges, Documents};
use lists::Lists;
use request::{Request, must_be_json, whole};
use schemas::Shelf;
use trouble::Trouble;

mod acts;
mod engine;
mod issue;
mod json;
mod keeping;
mod kept;
mod lists;
mod page;
mod request;
mod resolve;
mod schemas;
#[cfg(test)]
mod tests;
mod trouble;
mod verify;

/// What every answer says, in its head and where it has a body of ours.
const NOTICE: &str = "a conformance instance: what it issues is worth nothing";
/// The header that says it.
const MARK: HeaderName = HeaderName::from_static("zhao-conformance");
/// Requests worked on at once; others wait.
const WORK: usize = 8;
/// The longest body, bytes: what the reader of other people's JSON takes.
const BODY_BYTES: usize = limits::JSON_BYTES;
/// The file of the signing key's seed in the directory.
const SEED: &str = "conformance.seed";
const JSON: &str = "application/json";

/// How an instance secures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    /// By a proof of this suite.
    Proof(Suite),
    /// In an envelope of JOSE.
    Jose,
}

/// The instances: a word of their URL, and how they secure.
const INSTANCES: [(&str, Method); 3] = [
    ("rdfc", Method::Proof(Suite::EddsaRdfc2022)),
    ("jcs", Method::Proof(Suite::EddsaJcs2022)),
    ("jose", Method::Jose),
];

/// One instance: issuer, holder and verifier by one method.
struct Instance {
    method: Method,
    engine: Arc<Engine>,
    lists: Lists,
    schemas: Arc<Shelf>,
    credentials: Documents,
    presentations: Documents,
    challenges: Challenges,
}

/// The state of the mode.
#[derive(Clone)]
struct Mode(Arc<Inner>);

struct Inner {
    both: Both,
    clock: Clock,
    engine: Arc<Engine>,
    schemas: Arc<Shelf>,
    instances: Vec<(&'static str, Instance)>,
    /// Where others reach it, without a slash at the end.
    base: String,
    work: Semaphore,
    document: Bytes,
}

impl std::ops::Deref for Mode {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// Runs the mode.
///
/// # Errors
/// A registry with licences; as for every command that opens an office; an address that cannot be
/// listened on.
pub(super) fn run(
    session: &Session,
    command: &Serve,
    settings: &Setup,
    home: &Home,
) -> Result<Exit, Failure> {
    traces::log();
    let mut keyring = keyring(session, &home.keys(), &command.secret)?;
    let counts = records(session, home, &mut keyring)?.licence_counts();
    let counts = counts.map_err(because("serve", args![]))?;
    let count: u64 = counts.into_iter().sum();
    if count > 0 {
        let path = home.dir().display();
        return Err(Failure::refused("conformance-licences", args![path, count]));
    }
    let key = seed(session, home)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(WORK)
        .build()
        .map_err(because("serve", args![]))?;
    runtime.block_on(async {
        let listen = settings.listen;
        let wrap = |cause: std::io::Error| Failure::usage("listen", args![listen, cause]);
        let tcp = TcpListener::bind(listen).await.map_err(wrap)?;
        let address = tcp.local_addr().map_err(wrap)?;
        let base = settings.public_url.as_ref().map_or_else(
            || format!("http://{address}"),
            |url| url.as_str().trim_end_matches('/').to_owned(),
        );
        if !address.ip().is_loopback() {
            session.note("serve.not-loopback", &args![address]);
        }
        let did = key.public().did_key();
        session.note("serve.conformance", &args![did, base]);
        session.say("serve.ready", &args![url = format!("http://{address}/")])?;
        let router = router(key, base, session.host.clock.clone());
        let mut result = Ok(Exit::Fine);
        let stop = async { result = stopped(session).await };
        let doors = net::Doors { tcp, local: None };
        net::serve(doors, router, http_limits::CONNECTIONS, stop).await;
        session.note("serve.stopped", &args![]);
        result
    })
}

/// The key of this directory's conformance mode: made at the first start, and for nothing else.
fn seed(session: &Session, home: &Home) -> Result<SecretKey, Failure> {
    let path = home.dir().join(SEED);
    if !path.exists() {
        use rand::Rng as _;
        let mut seed = zeroize::Zeroizing::new([0; 32]);
        session.host.generator()?.fill_bytes(seed.as_mut());
        // Nobody else may read it, though nothing it signs is worth anything.
        let made = File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        made.and_then(|mut file| file.write_all(seed.as_ref()).and_then(|()| file.sync_all()))
            .map_err(|cause| Failure::file("write", &path, &cause))?;
    }
    let bytes = zeroize::Zeroizing::new(files::read(&path, 32)?);
    let seed = <[u8; 32]>::try_from(bytes.as_slice());
    let seed =
        seed.map_err(|_| Failure::usage("conformance-seed", args![path = path.display()]))?;
    Ok(SecretKey::from_seed(seed))
}

/// Every route.
fn router(key: SecretKey, base: String, clock: Clock) -> Router {
    let engine = Arc::new(Engine::new(key, &base));
    let schemas = Arc::new(Shelf::new(&base));
    let instances = INSTANCES
        .into_iter()
        .map(|(name, method)| {
            let instance = Instance {
                method,
                engine: Arc::clone(&engine),
                lists: Lists::new(format!("{base}/{name}")),
                schemas: Arc::clone(&schemas),
                credentials: Documents::default(),
                presentations: Documents::default(),
                challenges: Challenges::default(),
            };
            (name, instance)
        })
        .collect();
    let (router, mut api) = OpenApiRouter::new()
        .routes(routes!(page::start))
        .routes(routes!(page::healthz))
        .routes(routes!(page::readyz))
        .routes(routes!(page::document))
        .routes(routes!(acts::issue_credential))
        .routes(routes!(acts::update_status))
        .routes(routes!(acts::verify_credential))
        .routes(routes!(acts::verify_presentation))
        .routes(routes!(acts::create_presentation, keeping::presentations))
        .routes(routes!(acts::prove_presentation))
        .routes(routes!(acts::status_list))
        .routes(routes!(acts::publish_list))
        .routes(routes!(keeping::credentials))
        .routes(routes!(keeping::credential, keeping::delete_credential))
        .routes(routes!(keeping::presentation, keeping::delete_presentation))
        .routes(routes!(keeping::challenge))
        .routes(routes!(keeping::schema))
        .routes(routes!(keeping::did_document))
        .routes(routes!(keeping::well_known))
        .routes(routes!(resolve::resolve))
        .split_for_parts();
    api.info = InfoBuilder::new()
        .title("Zhao conformance instance")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(NOTICE))
        .build();
    let mode = Mode(Arc::new(Inner {
        both: Both::new(),
        clock,
        engine,
        schemas,
        instances,
        base,
        work: Semaphore::new(WORK),
        document: serde_json::to_vec(&api).unwrap_or_default().into(),
    }));
    router
        .fallback(async |State(mode): State<Mode>| {
            mode.both.refuse(Kind::NotFound, "no-route", &[])
        })
        .method_not_allowed_fallback(async |State(mode): State<Mode>| {
            mode.both.refuse(Kind::Method, "no-method", &[])
        })
        .layer(axum::middleware::from_fn(marked))
        .with_state(mode)
}

/// Gives every answer its mark, its request's name, and the headers that all of ours have.
async fn marked(request: HttpRequest, next: Next) -> Response {
    let id = frame::fresh_id();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or_else(|| "-".to_owned(), |path| path.as_str().to_owned());
    let mut response = next.run(request).await;
    let status = response.status().as_u16();
    tracing::info!(%id, %method, %route, status, "answered");
    frame::tell(&mut response, &id, &method);
    let headers = response.headers_mut();
    headers.insert(MARK, HeaderValue::from_static(NOTICE));
    frame::secure(headers);
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// A refusal, of the route or of what came.
enum Refusal {
    Route(Refused),
    Trouble(Trouble),
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        Self::Route(refused)
    }
}

impl From<Trouble> for Refusal {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Route(refused) => refused.into_response(),
            Self::Trouble(trouble) => trouble.refusal(),
        }
    }
}

impl Mode {
    fn instance(&self, name: &str) -> Result<&Instance, Refused> {
        let found = self.instances.iter().find(|(other, _)| *other == name);
        found
            .map(|(_, instance)| instance)
            .ok_or_else(|| self.both.refuse(Kind::NotFound, "no-route", &[]))
    }

    /// Reads a request and does what it asks on a thread for it, when it is its turn.
    async fn work<T: Send + 'static>(
        &self,
        name: &str,
        headers: &HeaderMap,
        body: Body,
        known: &'static [&'static str],
        work: impl FnOnce(&Instance, &Request, UnixMillis) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.instance(name)?;
        must_be_json(&self.both, headers)?;
        let bytes = whole(&self.both, body).await?;
        let name = name.to_owned();
        self.turn(move |mode| {
            let request = Request::read(&bytes, known)?;
            Ok(work(mode.instance(&name)?, &request, mode.clock.read())?)
        })
        .await
    }

    /// Does work on a thread for it, when it is its turn.
    async fn turn<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, Refusal> + Send + 'static,
    ) -> Result<T, Refusal> {
        let _turn = self.work.acquire().await;
        let mode = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&mode)).await;
        done.unwrap_or_else(|error| Err(self.both.internal(&error).into()))
    }
}
