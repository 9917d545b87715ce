//! The map as static files: the checkpoint of the newest edition, and pages named by their hash.
//!
//! Whoever fetches them proves presence or absence of a subject by itself, and no request names
//! the subject: `spec/map-page.md`. The routes are no part of the API, as those of the tiles are
//! not, and have no place in the `OpenAPI` document.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tokio::time::MissedTickBehavior;
use zhao_http::Kind;
use zhao_ledger::map::edition::{Edition, Editions};
use zhao_spec::map::page::PageName;

use super::app::{App, Work};
use super::extract::verbatim;
use super::refused::Refused;
use super::tiles::{FOR_EVER, for_everyone};
use crate::failure::args;

const CHECKPOINT: &str = "/map/checkpoint";
const PAGE: &str = "/map/{*path}";

/// Editions that are kept: a walk that begins with the newest has at least twice the time between
/// two of them.
const KEPT: usize = 3;

/// Memory for pages that are asked for often, bytes, and how many there are about.
const PAGES_BYTES: u64 = 16 << 20;
const PAGES: usize = 2_048;

/// What the routes show.
pub(crate) struct Atlas {
    editions: Editions,
    /// Time between two editions.
    every: Duration,
    /// Pages asked for lately.
    pages: Cache<PageName, Bytes, ByLength>,
}

/// What a page takes in memory.
#[derive(Clone, Debug)]
struct ByLength;

impl Weighter<PageName, Bytes> for ByLength {
    fn weight(&self, _: &PageName, bytes: &Bytes) -> u64 {
        let own = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        own.saturating_add(256)
    }
}

impl Atlas {
    /// No edition yet.
    pub(crate) fn new(every: Duration) -> Self {
        Self {
            editions: Editions::new(KEPT),
            every,
            pages: Cache::with_weighter(PAGES, PAGES_BYTES, ByLength),
        }
    }
}

/// The routes.
pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route(CHECKPOINT, get(checkpoint))
        .route(PAGE, get(page))
}

/// Whether a route of the router is one of these.
pub(crate) fn is_static(route: &str) -> bool {
    route == CHECKPOINT || route == PAGE
}

/// Makes an edition again and again. Also when nobody asks: what an edition holds grows with every
/// commit after it, and only a newer one lets it go.
pub(crate) async fn keep(app: App) {
    let mut turns = tokio::time::interval(app.atlas.every);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        turns.tick().await;
        // What went wrong is in the log already; the next turn tries again.
        let _ = app.work(Work::Read, renew).await;
    }
}

/// An edition of the newest published head.
fn renew(app: &App) -> Result<Arc<Edition>, Refused> {
    app.atlas.editions.add(app.latest()?.edition());
    let newest = app.atlas.editions.newest();
    newest.ok_or_else(|| app.both.internal(&"an edition was added and is gone"))
}

async fn checkpoint(State(app): State<App>) -> Response {
    let newest = match app.atlas.editions.newest() {
        Some(edition) => Ok(edition),
        // Before the first turn.
        None => app.work(Work::Read, renew).await,
    };
    let mut response = match newest {
        Ok(edition) => {
            let note = Bytes::from(edition.note.clone());
            let mut response = verbatim(StatusCode::OK, "text/plain; charset=utf-8", note);
            // So that who is handed an old one still finds every page of it for as long again.
            let age = format!("public, max-age={}", app.atlas.every.as_secs().min(60));
            if let Ok(age) = HeaderValue::from_str(&age) {
                response.headers_mut().insert(header::CACHE_CONTROL, age);
            }
            response
        }
        Err(refused) => refused.into_response(),
    };
    for_everyone(&mut response);
    response
}

async fn page(State(app): State<App>, Path(path): Path<String>, headers: HeaderMap) -> Response {
    let mut response = found(&app, &path, &headers)
        .await
        .unwrap_or_else(Refused::into_response);
    for_everyone(&mut response);
    response
}

async fn found(app: &App, path: &str, headers: &HeaderMap) -> Result<Response, Refused> {
    let name = PageName::parse(&format!("map/{path}"))
        .map_err(|cause| app.both.refuse(Kind::Malformed, "map-page", &args![cause]))?;
    let gone = || app.both.refuse(Kind::EditionGone, "edition-gone", &[]);
    let edition = app.atlas.editions.with(&name).ok_or_else(gone)?;
    let (_, hash) = path.rsplit_once('/').unwrap_or_default();
    let tag = format!("\"{hash}\"");
    if has(headers, &tag) {
        return Ok(described(StatusCode::NOT_MODIFIED.into_response(), &tag));
    }
    let bytes = match app.atlas.pages.get(&name) {
        Some(bytes) => bytes,
        None => {
            let made = app.work(Work::Read, move |app| {
                let page = edition.page(&name);
                page.map_err(|error| app.both.internal(&error))
            });
            // The subtree is there, and no page begins at it.
            let page = made.await?.ok_or_else(gone)?;
            let bytes = Bytes::from(page.encode());
            app.atlas.pages.insert(name, bytes.clone());
            bytes
        }
    };
    // Hashes do not grow shorter, so pages are never packed.
    let response = verbatim(StatusCode::OK, "application/octet-stream", bytes);
    Ok(described(response, &tag))
}

/// A page's headers: its name says what it is, for ever.
fn described(mut response: Response, tag: &str) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(FOR_EVER));
    if let Ok(tag) = HeaderValue::from_str(tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}

/// Whether `If-None-Match` (RFC 9110, section 13.1.2) names this content.
pub(crate) fn has(headers: &HeaderMap, tag: &str) -> bool {
    headers.get_all(header::IF_NONE_MATCH).iter().any(|value| {
        let tags = value.to_str().unwrap_or_default().split(',');
        let mut tags = tags.map(|given| given.trim().trim_start_matches("W/"));
        tags.any(|given| given == "*" || given == tag)
    })
}
