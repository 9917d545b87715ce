//! What every request goes through, whatever its route: an id, a log line, security headers, and an
//! answer in our own words where the router has none.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tracing::Instrument as _;
use zhao_http::Kind;

use super::app::App;
use super::extract::Peer;
use super::refused::Told;
use super::{map, tiles};

/// Headers of every answer. There is nothing to run and nothing to load in any of them.
const HEADERS: [(HeaderName, &str); 4] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    ),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
];

/// Numbers requests within this process.
static COUNT: AtomicU64 = AtomicU64::new(1);

/// The frame around every route.
pub(crate) async fn frame(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let id = fresh_id();
    let method = request.method().clone();
    // The route, never the path: paths and queries hold codes and names.
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "-".to_owned(), |path| path.as_str().to_owned());
    if let Some(Peer::Tcp(from)) = request.extensions().get().copied() {
        let client = app.proxies.client(from, request.headers());
        request.extensions_mut().insert(Peer::Tcp(client));
    }
    let watch = app.host.stopwatch();
    // Static files are asked for by the thousand.
    let span = if tiles::is_static(&route) {
        tracing::Span::none()
    } else {
        let method = known(&method);
        tracing::info_span!(
            "request",
            otel.name = format!("{method} {route}"),
            otel.kind = "server",
            otel.status_code = tracing::field::Empty,
            http.request.method = method,
            http.route = route,
            http.response.status_code = tracing::field::Empty,
            zhao.request = id,
        )
    };
    let mut response = next.run(request).instrument(span.clone()).await;
    tell(&mut response, &id, &method);
    let headers = response.headers_mut();
    secure(headers);
    headers
        .entry(HeaderName::from_static("cross-origin-resource-policy"))
        .or_insert(HeaderValue::from_static("same-origin"));
    // What is answered here is as of now and, but for the public part, for its asker only.
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    let status = response.status().as_u16();
    let took = watch.read();
    tracing::record_all!(span, http.response.status_code = status);
    if status >= 500 {
        tracing::record_all!(span, otel.status_code = "ERROR");
    }
    app.requests.count(known(&method), &route, status, took);
    let micros = took.as_micros();
    // The static files are asked for by the thousand; that they were is counted above.
    if (tiles::is_static(&route) || map::is_static(&route)) && status < 400 {
        tracing::debug!(%id, %method, %route, status, micros, "answered");
    } else {
        tracing::info!(%id, %method, %route, status, micros, "answered");
    }
    response
}

/// A name for a request, for its answer and for the log.
pub(super) fn fresh_id() -> String {
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{:x}-{number:x}", std::process::id())
}

/// Gives an answer its request's name, and the problem in it, where it is one.
pub(super) fn tell(response: &mut Response, id: &str, method: &Method) {
    if let Some(Told(mut problem)) = response.extensions_mut().remove::<Told>() {
        problem.instance = Some(format!("urn:request:{id}"));
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        response.headers_mut().remove(header::CONTENT_LENGTH);
        *response.body_mut() = if *method == Method::HEAD {
            axum::body::Body::empty()
        } else {
            body.into()
        };
    }
    if let Ok(value) = HeaderValue::from_str(id) {
        let headers = response.headers_mut();
        headers.insert(HeaderName::from_static("x-request-id"), value);
    }
}

/// The headers of every answer.
pub(super) fn secure(headers: &mut HeaderMap) {
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// The method, where it is one that we answer: anybody can make others up, as many as they like.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// No such route.
pub(crate) async fn nowhere(State(app): State<App>) -> Response {
    app.both
        .refuse(Kind::NotFound, "no-route", &[])
        .into_response()
}

/// The route has not this method. The router adds `Allow`.
pub(crate) async fn no_method(State(app): State<App>) -> Response {
    let refused = app.both.refuse(Kind::Method, "no-method", &[]);
    debug_assert_eq!(refused.0.status, StatusCode::METHOD_NOT_ALLOWED.as_u16());
    refused.into_response()
}
