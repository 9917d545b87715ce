//! Health, the OpenAPI document, and a page of it for people. Nothing is loaded from elsewhere.

use std::fmt::Write as _;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, ContentBuilder, InfoBuilder, OpenApi, Ref, ResponseBuilder};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use zhao_http::{Health, KINDS, MEDIA_TYPE, Problem, Ready};

use super::app::{App, Work};
use super::extract::{answer, verbatim};
use super::refused::Refused;
use crate::markup::escaped;

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(healthz))
        .routes(routes!(readyz))
        .routes(routes!(document))
        .routes(routes!(page))
}

/// Whether the process answers
#[utoipa::path(get, path = "/healthz", tag = "server",
    responses((status = 200, description = "It does", body = Health)))]
async fn healthz(State(app): State<App>) -> Response {
    let status = "ok".to_owned();
    answer(&app, StatusCode::OK, &Health { status })
}

/// Whether the ledger can be read
#[utoipa::path(get, path = "/readyz", tag = "server",
    responses((status = 200, description = "It can", body = Ready)))]
async fn readyz(State(app): State<App>) -> Result<Response, Refused> {
    let ready = app.work(Work::Read, |app| {
        let view = app.latest()?;
        Ok(Ready {
            status: "ready".to_owned(),
            origin: view.origin().to_owned(),
            size: view.size().0,
            time: view.epoch().time.to_string(),
        })
    });
    Ok(answer(&app, StatusCode::OK, &ready.await?))
}

/// This document
#[utoipa::path(get, path = "/openapi.json", tag = "server",
    responses((status = 200, description = "OpenAPI 3.1", body = Object)))]
async fn document(State(app): State<App>) -> Response {
    let bytes = app.document.get().cloned().unwrap_or_default();
    verbatim(StatusCode::OK, "application/json", bytes.to_vec())
}

/// This document as a page
#[utoipa::path(get, path = "/", tag = "server",
    responses((status = 200, description = "HTML", body = String, content_type = "text/html")))]
async fn page(State(app): State<App>) -> Response {
    let bytes = app.page.get().cloned().unwrap_or_default();
    verbatim(StatusCode::OK, "text/html; charset=utf-8", bytes.to_vec())
}

/// Completes the document: who we are, the key, and the problems that every route may answer.
pub(crate) fn complete(mut api: OpenApi) -> OpenApi {
    api.info = InfoBuilder::new()
        .title("Zhao registry")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "A licence office whose every act can be checked by anyone. Prose: spec/http.md.",
        ))
        .build();
    let components = api.components.get_or_insert_with(Components::default);
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A key of zhao api-key add"))
        .build();
    components.add_security_scheme("key", SecurityScheme::Http(scheme));
    let mut schemas = vec![(
        <Problem as utoipa::ToSchema>::name().into_owned(),
        <Problem as utoipa::PartialSchema>::schema(),
    )];
    <Problem as utoipa::ToSchema>::schemas(&mut schemas);
    components.schemas.extend(schemas);
    for item in api.paths.paths.values_mut() {
        for operation in operations(item) {
            problems(operation);
        }
    }
    api
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post].into_iter().flatten()
}

fn problems(operation: &mut Operation) {
    for kind in KINDS {
        let status = kind.status().to_string();
        let content = ContentBuilder::new()
            .schema(Some(Ref::from_schema_name("Problem")))
            .build();
        let problem = ResponseBuilder::new()
            .description(kind.name())
            .content(MEDIA_TYPE, content)
            .build();
        let responses = &mut operation.responses.responses;
        responses.entry(status).or_insert_with(|| problem.into());
    }
}

/// The document's bytes, and its page's.
pub(crate) fn render(mut api: OpenApi) -> (Bytes, Bytes) {
    let mut html = String::from(
        "<!doctype html><html lang=en><meta charset=utf-8><title>Zhao registry</title>\
         <style>body{font:16px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em}\
         td,th{text-align:left;padding:.2em .8em .2em 0;vertical-align:top}\
         code{white-space:nowrap}</style><h1>Zhao registry 昭</h1>\
         <p>Machine-readable: <a href=/openapi.json>/openapi.json</a>. \
         A lock: with a key, <code>Authorization: Bearer KEY</code>.</p><table>\
         <tr><th>Route<th>What it does<th>Answers",
    );
    for (path, item) in &mut api.paths.paths {
        for (method, operation) in [("GET", &item.get), ("POST", &item.post)] {
            let Some(operation) = operation else { continue };
            let lock = if operation.security.is_some() {
                " &#128274;"
            } else {
                ""
            };
            let summary = operation.summary.as_deref().unwrap_or_default();
            let own = operation.responses.responses.keys();
            let own: Vec<&str> = own
                .map(String::as_str)
                .filter(|s| s.starts_with('2'))
                .collect();
            let _ = write!(
                html,
                "<tr><td><code>{method} {}</code>{lock}<td>{}<td>{}",
                escaped(path),
                escaped(summary),
                own.join(", "),
            );
        }
    }
    html.push_str("</table></html>");
    let document = serde_json::to_vec(&api).unwrap_or_default();
    (document.into(), html.into_bytes().into())
}
