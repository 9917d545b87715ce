//! The routes of an instance: what is read from a request, the one act it asks for, the answer.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use zhao_http::Kind;
use zhao_spec::wire::foreign::Foreign;

use super::json::{object, respond, text};
use super::lists::Purpose;
use super::verify::Outcome;
use super::{JSON, Mode, NOTICE, Refusal};

/// Issue a credential
///
/// Any credential of the data model; its issuer becomes this instance's DID.
#[utoipa::path(post, path = "/{instance}/credentials/issue", tag = "issuer",
    params(("instance" = String, Path, description = "rdfc, jcs or jose")),
    request_body(content = Object, description = "credential, options"),
    responses((status = 201, description = "verifiableCredential", body = Object)))]
pub(super) async fn issue_credential(
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
pub(super) async fn update_status(
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
pub(super) async fn verify_credential(
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
    request_body(content = Object,
        description = "verifiablePresentation, or presentation without a proof; options"),
    responses((status = 200, description = "It verifies", body = Object)))]
pub(super) async fn verify_presentation(
    State(mode): State<Mode>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let known = &["verifiablePresentation", "presentation", "options"];
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
pub(super) async fn create_presentation(
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
pub(super) async fn prove_presentation(
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
pub(super) async fn status_list(
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
pub(super) async fn publish_list(
    State(mode): State<Mode>,
    Path((name, purpose)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    mode.instance(&name)?;
    if Purpose::of(&purpose).is_none() {
        return Err(mode.both.refuse(Kind::NotFound, "no-route", &[]).into());
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}
