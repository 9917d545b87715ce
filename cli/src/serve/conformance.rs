//! `zhao serve --conformance`: a VC-API for other people's suites. Prose: `spec/vc-api.md`.
//!
//! What this issues is worth nothing: any credential of the data model, under a did:key that
//! stands for nobody. No office, no ledger, no record is opened beyond the question whether the
//! registry has licences; with one, the mode is refused.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Request as HttpRequest, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use utoipa::openapi::InfoBuilder;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use zhao_http::{Kind, limits as http_limits};
use zhao_spec::wire::foreign::Foreign;
use zhao_spec::wire::{SecretKey, UnixMillis, limits};
use zhao_vc::proof::Suite;

use super::refused::{Both, Refused};
use super::settings::Setup;
use super::{extract, frame, net, traces};
use crate::args::Serve;
use crate::command::office::{keyring, records};
use crate::failure::{Exit, Failure, args, because};
use crate::files;
use crate::home::Home;
use crate::host::Clock;
use crate::mirror::stopped;
use crate::session::Session;
use engine::Engine;
use json::{object, respond, text};
use lists::{Lists, Purpose};
use request::{Request, must_be_json};
use trouble::Trouble;
use verify::Outcome;

mod engine;
mod issue;
mod json;
mod lists;
mod page;
mod request;
mod resolve;
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
}

/// The state of the mode.
#[derive(Clone)]
struct Mode(Arc<Inner>);

struct Inner {
    both: Both,
    clock: Clock,
    engine: Arc<Engine>,
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
    let engine = Arc::new(Engine::new(key));
    let instances = INSTANCES
        .into_iter()
        .map(|(name, method)| {
            let instance = Instance {
                method,
                engine: Arc::clone(&engine),
                lists: Lists::new(format!("{base}/{name}")),
            };
            (name, instance)
        })
        .collect();
    let (router, mut api) = OpenApiRouter::new()
        .routes(routes!(page::start))
        .routes(routes!(page::healthz))
        .routes(routes!(page::readyz))
        .routes(routes!(page::document))
        .routes(routes!(issue_credential))
        .routes(routes!(update_status))
        .routes(routes!(verify_credential))
        .routes(routes!(verify_presentation))
        .routes(routes!(create_presentation))
        .routes(routes!(prove_presentation))
        .routes(routes!(status_list))
        .routes(routes!(publish_list))
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

/// Gives every answer its mark and the headers that all of ours have.
async fn marked(request: HttpRequest, next: Next) -> Response {
    let (method, uri) = (request.method().clone(), request.uri().path().to_owned());
    let mut response = next.run(request).await;
    let status = response.status().as_u16();
    // The path is the instance and the act here, never a name.
    tracing::info!(%method, path = zhao_spec::wire::clip(&uri), status, "answered");
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

impl axum::response::IntoResponse for Refusal {
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
        let time = Duration::from_secs(http_limits::BODY_SECONDS);
        let bytes = extract::within(&self.both, body, BODY_BYTES, time).await?;
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

const JSON: &str = "application/json";

/// Issue a credential
///
/// Any credential of the data model; its issuer becomes this instance's DID.
#[utoipa::path(post, path = "/{instance}/credentials/issue", tag = "issuer",
    params(("instance" = String, Path, description = "rdfc, jcs or jose")),
    request_body(content = Object, description = "credential, options"),
    responses((status = 201, description = "verifiableCredential", body = Object)))]
async fn issue_credential(
    State(mode): State<Mode>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let known = &["credential", "options"];
    let issued = mode.work(&name, &headers, body, known, |instance, request, now| {
        instance.issue(request, now)
    });
    let body = object([
        ("verifiableCredential", issued.await?),
        ("conformance", text(NOTICE)),
    ]);
    Ok(respond(StatusCode::CREATED, JSON, &body))
}

/// Set the status of a credential
#[utoipa::path(post, path = "/{instance}/credentials/status", tag = "issuer",
    params(("instance" = String, Path, description = "rdfc, jcs or jose")),
    request_body(content = Object, description = "credentialId, credentialStatus, status"),
    responses((status = 200, description = "What it is now", body = Object)))]
async fn update_status(
    State(mode): State<Mode>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let known = &[
        "credentialId",
        "credentialStatus",
        "status",
        "indexAllocator",
    ];
    let updated = mode.work(&name, &headers, body, known, |instance, request, _| {
        instance.update(request)
    });
    let (purpose, index, status) = updated.await?;
    let body = object([
        ("statusPurpose", text(purpose.as_str())),
        ("statusListIndex", text(index.to_string())),
        ("status", Foreign::Bool(status)),
        ("conformance", text(NOTICE)),
    ]);
    Ok(respond(StatusCode::OK, JSON, &body))
}

/// The answer to a verification: 200 where everything holds, else 400.
fn verdict(outcome: &Outcome) -> Response {
    let status = if outcome.verified {
        StatusCode::OK
    } else {
        StatusCode::BAD_REQUEST
    };
    respond(status, JSON, &outcome.body)
}

/// Verify a credential
#[utoipa::path(post, path = "/{instance}/credentials/verify", tag = "verifier",
    params(("instance" = String, Path, description = "rdfc, jcs or jose")),
    request_body(content = Object, description = "verifiableCredential, options"),
    responses((status = 200, description = "It verifies", body = Object)))]
async fn verify_credential(
    State(mode): State<Mode>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let known = &["verifiableCredential", "options"];
    let outcome = mode.work(&name, &headers, body, known, |instance, request, now| {
        instance.verify_credential(request, now)
    });
    Ok(verdict(&outcome.await?))
}

/// Verify a presentation and every credential in it
#[utoipa::path(post, path = "/{instance}/presentations/verify", tag = "verifier",
    params(("instance" = String, Path, description = "rdfc, jcs or jose")),
    request_body(content = Object, description = "verifiablePresentation, options"),
    responses((status = 200, description = "It verifies", body = Object)))]
async fn verify_presentation(
    State(mode): State<Mode>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let known = &["verifiablePresentation", "options"];
    let outcome = mode.work(&name, &headers, body, known, |instance, request, now| {
        instance.verify_presentation(request, now)
    });
    Ok(verdict(&outcome.await?))
}

/// Make a presentation of this instance's DID
#[utoipa::path(post, path = "/{instance}/presentations", tag = "holder",
    params(("instance" = String, Path, description = "rdfc, jcs or jose")),
    request_body(content = Object, description = "presentation, options"),
    responses((status = 201, description = "verifiablePresentation", body = Object)))]
async fn create_presentation(
    State(mode): State<Mode>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    presented(&mode, &name, &headers, body).await
}

/// The same, by its earlier name
#[utoipa::path(post, path = "/{instance}/presentations/prove", tag = "holder",
    params(("instance" = String, Path, description = "rdfc, jcs or jose")),
    request_body(content = Object, description = "presentation, options"),
    responses((status = 201, description = "verifiablePresentation", body = Object)))]
async fn prove_presentation(
    State(mode): State<Mode>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    presented(&mode, &name, &headers, body).await
}

async fn presented(
    mode: &Mode,
    name: &str,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let known = &["presentation", "options"];
    let made = mode.work(name, headers, body, known, |instance, request, now| {
        instance.present(request, now)
    });
    let body = object([
        ("verifiablePresentation", made.await?),
        ("conformance", text(NOTICE)),
    ]);
    Ok(respond(StatusCode::CREATED, JSON, &body))
}

/// A status list's credential, as it is now
#[utoipa::path(get, path = "/{instance}/status/{purpose}", tag = "status",
    params(("instance" = String, Path, description = "rdfc, jcs or jose"),
        ("purpose" = String, Path, description = "revocation or suspension")),
    responses((status = 200, description = "BitstringStatusListCredential", body = Object)))]
async fn status_list(
    State(mode): State<Mode>,
    Path((name, purpose)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let no_route = |mode: &Mode| mode.both.refuse(Kind::NotFound, "no-route", &[]);
    let purpose = Purpose::of(&purpose).ok_or_else(|| no_route(&mode))?;
    let list = mode.turn(move |mode| {
        let now = mode.clock.read();
        Ok(mode.instance(&name)?.list(purpose, now)?)
    });
    // Many clients take a body for JSON only where its type says so.
    let accept = headers.get(header::ACCEPT);
    let accept = accept.and_then(|value| value.to_str().ok()).unwrap_or("");
    let mut types = accept
        .split(',')
        .map(|one| one.split(';').next().unwrap_or_default());
    let vc = types.any(|one| one.trim() == "application/vc");
    let kind = if vc { "application/vc" } else { JSON };
    let mut response = respond(StatusCode::OK, kind, &list.await?);
    let vary = HeaderValue::from_static("accept");
    response.headers_mut().insert(header::VARY, vary);
    Ok(response)
}

/// What earlier drafts ask for: lists are always published
#[utoipa::path(post, path = "/{instance}/status/{purpose}/publish", tag = "status",
    params(("instance" = String, Path, description = "rdfc, jcs or jose"),
        ("purpose" = String, Path, description = "revocation or suspension")),
    responses((status = 204, description = "It is published")))]
async fn publish_list(
    State(mode): State<Mode>,
    Path((name, purpose)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    mode.instance(&name)?;
    if Purpose::of(&purpose).is_none() {
        return Err(mode.both.refuse(Kind::NotFound, "no-route", &[]).into());
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}
