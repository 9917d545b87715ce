//! A resolver of did:key, over HTTP as DID Resolution has it.

use axum::extract::{Path, State};
use axum::response::Response;

use super::json::{object, respond, text};
use super::{JSON, Mode};
use axum::http::StatusCode;

/// Resolve a DID, or dereference a DID URL
#[utoipa::path(get, path = "/1.0/identifiers/{did}", tag = "resolver",
    params(("did" = String, Path, description = "A did:key")),
    responses((status = 200, description = "The document", body = Object)))]
pub(super) async fn resolve(State(_mode): State<Mode>, Path(did): Path<String>) -> Response {
    let body = object([("id", text(did))]);
    respond(StatusCode::NOT_IMPLEMENTED, JSON, &body)
}
