//! The routes of what an instance keeps and gives: credentials, presentations, challenges, schemas,
//! and the document of its did:web.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use zhao_http::Kind;

use super::json::{object, respond, text};
use super::kept::Documents;
use super::request::{Request, whole};
use super::{Instance, JSON, Mode, NOTICE, Refusal};
use crate::serve::extract::verbatim;

/// What is kept of an instance's credentials or presentations.
type Of = fn(&Instance) -> &Documents;

fn list(mode: &Mode, name: &str, of: Of) -> Result<Response, Refusal> {
    let all = of(mode.instance(name)?).all();
    Ok(verbatim(StatusCode::OK, JSON, all))
}

fn read(mode: &Mode, name: &str, id: &str, of: Of) -> Result<Response, Refusal> {
    let bytes = of(mode.instance(name)?).get(id)?;
    Ok(verbatim(StatusCode::OK, JSON, bytes))
}

fn delete(mode: &Mode, name: &str, id: &str, of: Of) -> Result<Response, Refusal> {
    of(mode.instance(name)?).delete(id)?;
    let body = object([("deleted", text(id)), ("conformance", text(NOTICE))]);
    Ok(respond(StatusCode::ACCEPTED, JSON, &body))
}

/// The credentials that were issued and are still kept
#[utoipa::path(get, path = "/{instance}/credentials", tag = "holder",
    params(("instance" = String, Path, description = "rdfc, jcs or jose")),
    responses((status = 200, description = "An array of them", body = Object)))]
pub(super) async fn credentials(
    State(mode): State<Mode>,
    Path(name): Path<String>,
) -> Result<Response, Refusal> {
    list(&mode, &name, |instance| &instance.credentials)
}

/// A credential that was issued
#[utoipa::path(get, path = "/{instance}/credentials/{id}", tag = "holder",
    params(("instance" = String, Path, description = "rdfc, jcs or jose"),
        ("id" = String, Path, description = "Its id, or the credentialId that it was issued with")),
    responses((status = 200, description = "The credential", body = Object)))]
pub(super) async fn credential(
    State(mode): State<Mode>,
    Path((name, id)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    read(&mode, &name, &id, |instance| &instance.credentials)
}

/// Forget a credential
#[utoipa::path(delete, path = "/{instance}/credentials/{id}", tag = "holder",
    params(("instance" = String, Path, description = "rdfc, jcs or jose"),
        ("id" = String, Path, description = "Its id, or the credentialId that it was issued with")),
    responses((status = 202, description = "It is forgotten", body = Object)))]
pub(super) async fn delete_credential(
    State(mode): State<Mode>,
    Path((name, id)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    delete(&mode, &name, &id, |instance| &instance.credentials)
}

/// The presentations that were made and are still kept
#[utoipa::path(get, path = "/{instance}/presentations", tag = "holder",
    params(("instance" = String, Path, description = "rdfc, jcs or jose")),
    responses((status = 200, description = "An array of them", body = Object)))]
pub(super) async fn presentations(
    State(mode): State<Mode>,
    Path(name): Path<String>,
) -> Result<Response, Refusal> {
    list(&mode, &name, |instance| &instance.presentations)
}

/// A presentation that was made
#[utoipa::path(get, path = "/{instance}/presentations/{id}", tag = "holder",
    params(("instance" = String, Path, description = "rdfc, jcs or jose"),
        ("id" = String, Path, description = "Its id")),
    responses((status = 200, description = "The presentation", body = Object)))]
pub(super) async fn presentation(
    State(mode): State<Mode>,
    Path((name, id)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    read(&mode, &name, &id, |instance| &instance.presentations)
}

/// Forget a presentation
#[utoipa::path(delete, path = "/{instance}/presentations/{id}", tag = "holder",
    params(("instance" = String, Path, description = "rdfc, jcs or jose"),
        ("id" = String, Path, description = "Its id")),
    responses((status = 202, description = "It is forgotten", body = Object)))]
pub(super) async fn delete_presentation(
    State(mode): State<Mode>,
    Path((name, id)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    delete(&mode, &name, &id, |instance| &instance.presentations)
}

/// A challenge for one verification of a presentation
#[utoipa::path(post, path = "/{instance}/challenges", tag = "verifier",
    params(("instance" = String, Path, description = "rdfc, jcs or jose")),
    responses((status = 200, description = "challenge", body = Object)))]
pub(super) async fn challenge(
    State(mode): State<Mode>,
    Path(name): Path<String>,
    body: Body,
) -> Result<Response, Refusal> {
    let instance = mode.instance(&name)?;
    let bytes = whole(&mode.both, body).await?;
    // The body is empty, or an object without members.
    if !bytes.is_empty() {
        Request::read(&bytes, &[])?;
    }
    let challenge = mode.engine.challenge(mode.clock.read());
    instance.challenges.give(&challenge);
    let body = object([
        ("challenge", text(challenge)),
        ("conformance", text(NOTICE)),
    ]);
    Ok(respond(StatusCode::OK, JSON, &body))
}

/// The schema of a licence type that comes with the program
#[utoipa::path(get, path = "/schemas/{type}", tag = "server",
    params(("type" = String, Path, description = "As food-operation")),
    responses((status = 200, description = "JSON Schema 2020-12", body = Object)))]
pub(super) async fn schema(
    State(mode): State<Mode>,
    Path(slug): Path<String>,
) -> Result<Response, Refusal> {
    let none = || mode.both.refuse(Kind::NotFound, "no-route", &[]);
    let bytes = mode.schemas.of(&slug).ok_or_else(none)?.to_vec();
    Ok(verbatim(StatusCode::OK, "application/schema+json", bytes))
}

/// The document of the instance's did:web
#[utoipa::path(get, path = "/did.json", tag = "resolver",
    responses((status = 200, description = "A DID document", body = Object)))]
pub(super) async fn did_document(State(mode): State<Mode>) -> Response {
    let names = mode.engine.names();
    let document = names.web().and_then(|did| names.document(did));
    match document {
        Some(document) => respond(StatusCode::OK, "application/did+json", document),
        None => {
            let refused = mode.both.refuse(Kind::NotFound, "no-route", &[]);
            refused.into_response()
        }
    }
}

/// The same, where a did:web without a path has it
#[utoipa::path(get, path = "/.well-known/did.json", tag = "resolver",
    responses((status = 200, description = "A DID document", body = Object)))]
pub(super) async fn well_known(state: State<Mode>) -> Response {
    did_document(state).await
}
