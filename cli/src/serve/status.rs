//! Status lists derived from the log, the units' DID documents, and a resolver for them.
//!
//! Everything here is a function of the published head and of keys: nothing is kept but answers,
//! one for each list and epoch. Prose: `spec/status-list.md`, `spec/did.md`. Without a public URL
//! the office has no names for its lists and units, and none of these routes has anything.

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use quick_cache::sync::Cache;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use zhao_http::{Kind, Timestamp};
use zhao_ledger::read::View;
use zhao_spec::life::record::{IssuerRecord, Record};
use zhao_spec::life::subject::{Kind as SubjectKind, subject_key};
use zhao_spec::wire::foreign::{Foreign, canonicalize};
use zhao_spec::wire::{Signer as _, UnixMillis, clip, sha256};
use zhao_vc::did::{Accept, Resolution, ResolutionError, resolve_key, unit_did, unit_document};
use zhao_vc::status::derive::{Derived, ListName, Purpose};
use zhao_vc::status::token::{self, TokenParts};
use zhao_vc::status::{Epoch, ListParts, StatusError, build, signed, standing_messages};

use super::app::{App, Work};
use super::extract::{Asked, Peer, Segment, verbatim};
use super::ledger::with_view;
use super::map::has;
use super::refused::Refused;
use super::tiles::for_everyone;
use crate::failure::args;
use crate::lists::{Trouble, derived};

/// After how long to ask again, milliseconds; caches are told the same.
const TTL: u64 = 60_000;
/// How long a list is valid, milliseconds: a server that makes no head for a day says nothing any
/// more, and a reader must not take its silence for good news.
const VALID: u64 = 86_400_000;
/// Lists whose answers are kept; an older epoch's go first.
const KEPT: usize = 256;
/// The media type of a list as a credential.
const CREDENTIAL: &str = "application/vc";
/// The media type of a list as a token.
const TOKEN: &str = "application/statuslist+jwt";

/// Answers made lately, by epoch, list and purpose.
pub(crate) struct Lists(Cache<(u64, String, Purpose), Bytes>);

impl Lists {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self(Cache::new(KEPT))
    }
}

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(document))
        .routes(routes!(resolve))
}

/// A status list, derived from the log and signed by its unit
///
/// `revocation`, `suspension`, `message` and `refresh` are credentials (W3C Bitstring Status List);
/// `standing` is a token (IETF Token Status List).
#[utoipa::path(get, path = "/status/{purpose}/{list}", tag = "status",
    params(
        ("purpose" = String, Path,
            description = "`revocation`, `suspension`, `message`, `refresh` or `standing`"),
        ("list" = String, Path, description = "Unit, bits and part, as in spec/status-list.md"),
        Timestamp),
    responses((status = 200, description = "The list", content(
        (Object = "application/vc"), (String = "application/statuslist+jwt")))))]
async fn list(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    axum::extract::Path((purpose, name)): axum::extract::Path<(String, String)>,
    Asked(then): Asked<Timestamp>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    app.turnstile.pass(&app, peer)?;
    let nothing = || app.both.refuse(Kind::NotFound, "no-list", &[]);
    let purpose = Purpose::from_word(&purpose).ok_or_else(nothing)?;
    let name = ListName::parse(&name).map_err(|_| nothing())?;
    let kind = match purpose {
        Purpose::Standing => TOKEN,
        _ => CREDENTIAL,
    };
    if !accepted(&headers, kind) {
        let refused = app
            .both
            .refuse(Kind::NotAcceptable, "accept-list", &args![kind]);
        return Err(refused);
    }
    let past = then.timestamp.is_some();
    let bytes = with_view(&app, then.timestamp.as_deref(), move |app, view| {
        made(app, view, &name, purpose, past)
    });
    let bytes = bytes.await?;
    let tag = format!("\"{}\"", sha256(&[&bytes]).to_base64url());
    let mut response = match has(&headers, &tag) {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => verbatim(StatusCode::OK, kind, bytes),
    };
    let kept = response.headers_mut();
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        kept.insert(header::ETAG, tag);
    }
    if let Ok(age) = HeaderValue::from_str(&format!("public, max-age={}", TTL / 1_000)) {
        kept.insert(header::CACHE_CONTROL, age);
    }
    for_everyone(&mut response);
    Ok(response)
}

/// Whether a list of this media type is what is asked for.
fn accepted(headers: &HeaderMap, kind: &str) -> bool {
    let mut said = false;
    for value in headers.get_all(header::ACCEPT) {
        for range in value.to_str().unwrap_or_default().split(',') {
            said = true;
            let range = range.split(';').next().unwrap_or_default().trim();
            let plain =
                kind == CREDENTIAL && matches!(range, "application/json" | "application/ld+json");
            if plain || range == kind || matches!(range, "*/*" | "application/*") {
                return true;
            }
        }
    }
    !said
}

/// The bytes of a list under a head: kept ones, or new ones.
fn made(
    app: &App,
    view: &View<'_>,
    name: &ListName,
    purpose: Purpose,
    past: bool,
) -> Result<Bytes, Refused> {
    let (did, _) = unit(app, view, name.unit())?;
    let make = || -> Result<Bytes, Refused> {
        let derived = derived(view, name, purpose).map_err(|error| match error {
            Trouble::Read(error) => app.both.read(error),
            other => app.both.internal(&other),
        })?;
        if !derived.collisions.is_empty() {
            let count = derived.collisions.len();
            tracing::warn!(list = %name, count, "licences share an index");
        }
        written(app, view, name, purpose, &did, &derived)
    };
    if past {
        // Asked for once: not worth the place of what everybody asks for.
        return make();
    }
    // Whoever asks meanwhile waits for this one.
    let key = (view.epoch().epoch, name.to_string(), purpose);
    app.lists.0.get_or_insert_with(&key, make)
}

/// The list as it is sent: signed, and the same bytes each time.
fn written(
    app: &App,
    view: &View<'_>,
    name: &ListName,
    purpose: Purpose,
    did: &str,
    derived: &Derived,
) -> Result<Bytes, Refused> {
    let key = app
        .office()
        .unit_key(name.unit())
        .map_err(|error| app.both.office(error))?;
    let base = base(app)?;
    let id = format!("{base}/status/{}/{name}", purpose.as_str());
    let method = format!("{did}#{}", key.public().to_multibase());
    let epoch = view.epoch();
    let until = epoch.time.checked_add(VALID).unwrap_or(UnixMillis::MAX);
    let internal = |error: StatusError| app.both.internal(&error);
    let list = derived.list(purpose).map_err(internal)?;
    if purpose == Purpose::Standing {
        let parts = TokenParts {
            kid: &method,
            sub: &id,
            issued: epoch.time,
            expires: Some(until),
            ttl: Some(TTL / 1_000),
        };
        return Ok(token::sign(list, &parts, &key).map_err(internal)?.into());
    }
    let messages = match purpose {
        Purpose::Message => standing_messages(),
        _ => Vec::new(),
    };
    let from = Epoch {
        origin: view.origin().to_owned(),
        epoch: epoch.epoch,
        size: view.size().0,
        map_root: epoch.map_root,
    };
    let parts = ListParts {
        id: &id,
        issuer: did,
        purposes: &[purpose.as_str()],
        valid_from: epoch.time,
        valid_until: Some(until),
        ttl: Some(TTL),
        messages: &messages,
        derived_from: Some(&from),
    };
    let unsigned = build(list, &parts).map_err(internal)?;
    let credential = signed::secure(unsigned, &method, epoch.time, &key).map_err(internal)?;
    Ok(canonicalize(&credential).into())
}

/// A unit's document as a did:web
#[utoipa::path(get, path = "/units/{code}/did.json", tag = "status",
    params(("code" = String, Path, description = "The unit's unified social credit code")),
    responses((status = 200, description = "A DID document", body = Object,
        content_type = "application/did+ld+json")))]
async fn document(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    Segment(code): Segment,
) -> Result<Response, Refused> {
    app.turnstile.pass(&app, peer)?;
    let document = app.work(Work::Read, move |app| {
        let (did, record) = unit(app, &app.latest()?, &code)?;
        Ok(unit_document(&did, &record))
    });
    let bytes = canonicalize(&document.await?);
    let mut response = verbatim(StatusCode::OK, Accept::Document.media_type(), bytes);
    for_everyone(&mut response);
    Ok(response)
}

/// Resolve a DID: a did:key, or the did:web of a unit of this registry (DID Resolution)
#[utoipa::path(get, path = "/1.0/identifiers/{did}", tag = "status",
    params(("did" = String, Path, description = "The DID")),
    responses(
        (status = 200, description = "A resolution result, or the document alone", content(
            (Object = "application/ld+json"), (Object = "application/did-resolution"),
            (Object = "application/did+ld+json"))),
        (status = 400, description = "No DID", content(
            (Object = "application/ld+json"), (Object = "application/did-resolution"))),
        (status = 404, description = "No such unit", content(
            (Object = "application/ld+json"), (Object = "application/did-resolution"))),
        (status = 406, description = "No such form of an answer", content(
            (Object = "application/ld+json"), (Object = "application/did-resolution"))),
        (status = 501, description = "Another method", content(
            (Object = "application/ld+json"), (Object = "application/did-resolution")))))]
async fn resolve(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    Segment(did): Segment,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    app.turnstile.pass(&app, peer)?;
    let wanted = headers
        .get(header::ACCEPT)
        .map_or("", |value| value.to_str().unwrap_or("unreadable"));
    let (accept, document) = match Accept::of(wanted) {
        None => (
            Accept::Words,
            Err(ResolutionError::RepresentationNotSupported),
        ),
        Some(accept) => {
            let found = app.work(Work::Read, move |app| Ok(resolved(app, &did)));
            (accept, found.await?)
        }
    };
    let status = match &document {
        Ok(_) => StatusCode::OK,
        Err(error) => StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST),
    };
    // An error is no document.
    let kind = match (&document, accept) {
        (Err(_), Accept::Document) => Accept::Words.media_type(),
        _ => accept.media_type(),
    };
    let body = canonicalize(&Resolution { document }.body(accept));
    let mut response = verbatim(status, kind, body);
    for_everyone(&mut response);
    Ok(response)
}

fn resolved(app: &App, did: &str) -> Result<Foreign, ResolutionError> {
    match resolve_key(did) {
        Err(ResolutionError::MethodNotSupported) if did.starts_with("did:web:") => {}
        answer => return answer,
    }
    // What this office does not serve itself it does not look for elsewhere.
    let (_, code) = did.rsplit_once(':').unwrap_or_default();
    let absent = |_| ResolutionError::NotFound;
    let view = app.latest().map_err(absent)?;
    let (own, record) = unit(app, &view, code).map_err(absent)?;
    match own == did {
        true => Ok(unit_document(&own, &record)),
        false => Err(ResolutionError::NotFound),
    }
}

/// A unit of this office: its did:web and its record under a head.
fn unit(app: &App, view: &View<'_>, code: &str) -> Result<(String, IssuerRecord), Refused> {
    let base = base(app)?;
    let nothing = || {
        app.both
            .refuse(Kind::NotFound, "no-unit", &args![unit = clip(code)])
    };
    // A log may have units of other offices: their documents are theirs to serve.
    let own = app.records().unit(code);
    if own.map_err(|error| app.both.internal(&error))?.is_none() {
        return Err(nothing());
    }
    let did = unit_did(&base, code).map_err(|_| nothing())?;
    let subject = subject_key(view.origin(), SubjectKind::Issuer, code);
    match view
        .placed(&subject)
        .map_err(|error| app.both.read(error))?
    {
        (_, Some(Record::Issuer(record))) => Ok((did, record)),
        _ => Err(nothing()),
    }
}

fn base(app: &App) -> Result<String, Refused> {
    let base = app.public_url.as_ref().map(ToString::to_string);
    base.ok_or_else(|| app.both.refuse(Kind::NotFound, "no-public-url", &[]))
}
