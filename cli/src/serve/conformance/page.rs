//! The start page, health, and the OpenAPI document.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::json::{object, respond, set, text};
use super::{INSTANCES, JSON, Mode, NOTICE};
use crate::markup::escaped;
use crate::serve::extract::verbatim;
use zhao_spec::wire::foreign::Foreign;

/// What this is, for a person
#[utoipa::path(get, path = "/", tag = "server",
    responses((status = 200, description = "HTML", body = String, content_type = "text/html")))]
pub(super) async fn start(State(mode): State<Mode>) -> Response {
    let did = escaped(&mode.engine.did());
    let base = escaped(&mode.base);
    let instances: String = INSTANCES
        .iter()
        .map(|(name, _)| format!("<li><code>{base}/{name}</code>"))
        .collect();
    let html = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>Zhao conformance instance</title>\
         <style>body{{font:16px/1.5 sans-serif;max-width:50em;margin:2em auto;padding:0 1em}}\
         .worthless{{border:3px solid #b00;padding:1em}}</style>\
         <h1>Zhao conformance instance</h1>\
         <p class=worthless><strong>What this issues is worth nothing.</strong> It signs any \
         credential for anybody. It is no licence office.</p>\
         <p class=worthless lang=zh><strong>本实例签发的凭证一律无效。</strong>\
         它为任何人签署任何凭证，仅供一致性测试使用，不是发证机关。</p>\
         <p>Issuer: <code>{did}</code><ul>{instances}</ul>\
         <p>VC-API below each; <a href=/openapi.json>/openapi.json</a>; \
         DIDs below <code>{base}/1.0/identifiers/</code>.</html>"
    );
    verbatim(
        StatusCode::OK,
        "text/html; charset=utf-8",
        html.into_bytes(),
    )
}

/// Whether the process answers
#[utoipa::path(get, path = "/healthz", tag = "server",
    responses((status = 200, description = "It does", body = Object)))]
pub(super) async fn healthz() -> Response {
    let body = object([("status", text("ok")), ("conformance", text(NOTICE))]);
    respond(StatusCode::OK, JSON, &body)
}

/// Who issues, and where
#[utoipa::path(get, path = "/readyz", tag = "server",
    responses((status = 200, description = "It is ready", body = Object)))]
pub(super) async fn readyz(State(mode): State<Mode>) -> Response {
    let urls = INSTANCES
        .iter()
        .map(|(name, _)| text(format!("{}/{name}", mode.base)));
    let mut body = object([
        ("status", text("ready")),
        ("conformance", text(NOTICE)),
        ("issuer", text(mode.engine.did())),
        ("instances", Foreign::Array(urls.collect())),
    ]);
    if let Some(did) = mode.engine.names().web() {
        set(&mut body, "alsoKnownAs", Foreign::Array(vec![text(did)]));
    }
    respond(StatusCode::OK, JSON, &body)
}

/// The OpenAPI document
#[utoipa::path(get, path = "/openapi.json", tag = "server",
    responses((status = 200, description = "OpenAPI 3.1", body = Object)))]
pub(super) async fn document(State(mode): State<Mode>) -> Response {
    verbatim(StatusCode::OK, JSON, mode.document.clone())
}
