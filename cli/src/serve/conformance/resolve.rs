//! A resolver of did:key and of the instance's own did:web, over HTTP as DID Resolution has it.
//! What it is asked for with a fragment it dereferences.

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use zhao_http::Kind;
use zhao_spec::wire::foreign::Foreign;
use zhao_vc::did::{Accept, Resolution, ResolutionError, resolve_key};

use super::engine::Names;
use super::json::{each, object, respond, set, text};
use super::{Mode, Refusal};

/// How the did:key method lets a resolver be asked.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Wanted {
    /// The form of the keys; only Multikey is made.
    public_key_format: Option<String>,
    /// Whether other forms will do.
    #[serde(default)]
    enable_experimental_public_key_types: bool,
}

/// Why there is no answer: of the resolver, or of what comes after it.
enum Nothing {
    Resolution(ResolutionError),
    /// A word of the method, and whether it is about the DID URL.
    Word(&'static str, bool),
}

/// Resolve a DID, or dereference a DID URL
#[utoipa::path(get, path = "/1.0/identifiers/{did}", tag = "resolver",
    params(("did" = String, Path,
        description = "A did:key or the did:web here, perhaps with a fragment"), Wanted),
    responses((status = 200, description = "The result of the resolution", body = Object)))]
pub(super) async fn resolve(
    State(mode): State<Mode>,
    Path(url): Path<String>,
    wanted: Result<Query<Wanted>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let Query(wanted) = wanted.map_err(|error| {
        let cause = zhao_spec::wire::clip(&error.body_text());
        mode.both
            .refuse(Kind::Malformed, "query", &crate::failure::args![cause])
    })?;
    let given = headers.get(header::ACCEPT);
    let given = given.map_or(Ok("*/*"), |value| value.to_str());
    let Some(accept) = given.ok().and_then(Accept::of) else {
        let error = ResolutionError::RepresentationNotSupported;
        let body = nothing(&Nothing::Resolution(error), Accept::Words);
        return Ok(answer(StatusCode::NOT_ACCEPTABLE, Accept::Words, &body));
    };
    Ok(match find(&url, &wanted, mode.engine.names()) {
        Ok(Found::Document(document)) => {
            let body = Resolution {
                document: Ok(document),
            };
            answer(StatusCode::OK, accept, &body.body(accept))
        }
        Ok(Found::Method(method)) => {
            let mut body = empty();
            set(&mut body, "didDocument", method);
            set(&mut body, "didDereferencingMetadata", object([]));
            answer(StatusCode::OK, Accept::Words, &body)
        }
        Err(why) => {
            let status = StatusCode::BAD_REQUEST;
            answer(status, accept, &nothing(&why, accept))
        }
    })
}

/// What a DID or DID URL leads to.
enum Found {
    Document(Foreign),
    Method(Foreign),
}

fn find(url: &str, wanted: &Wanted, names: &Names) -> Result<Found, Nothing> {
    let end = url.find(['/', '?', '#']).unwrap_or(url.len());
    let (did, rest) = url.split_at(end);
    let dereferenced = !rest.is_empty();
    let own = names.document(did).cloned().map(Ok);
    let document = own.unwrap_or_else(|| resolve_key(did)).map_err(|error| {
        // This resolver knows one method: whatever else is of another is no DID to it.
        Nothing::Resolution(match error {
            ResolutionError::MethodNotSupported => ResolutionError::InvalidDid,
            error => error,
        })
    })?;
    match wanted.public_key_format.as_deref() {
        None | Some("Multikey") => {}
        // A form that is known to the world, and made by nobody who was not asked to experiment.
        Some(
            "Ed25519VerificationKey2018" | "X25519KeyAgreementKey2019" | "JwsVerificationKey2020",
        ) if !wanted.enable_experimental_public_key_types => {
            return Err(Nothing::Word("invalidPublicKeyType", dereferenced));
        }
        Some(_) => return Err(Nothing::Word("unsupportedPublicKeyType", dereferenced)),
    }
    if !dereferenced {
        return Ok(Found::Document(document));
    }
    // Paths and queries mean nothing for a did:key, so a URL with them leads nowhere.
    if !rest.starts_with('#') {
        return Err(Nothing::Word("invalidDidUrl", true));
    }
    let methods = document.member("verificationMethod").map(each);
    let method = methods.unwrap_or_default().iter().find(|method| {
        let id = method.member("id").and_then(Foreign::as_text);
        id == Some(url)
    });
    let method = method.cloned().map(Found::Method);
    method.ok_or(Nothing::Word("notFound", true))
}

/// A result without anything in it. The suites look for members that DID Core leaves empty.
fn empty() -> Foreign {
    object([
        ("@context", text("https://w3id.org/did-resolution/v1")),
        ("didDocument", object([])),
        ("didDocumentMetadata", object([])),
    ])
}

fn nothing(why: &Nothing, accept: Accept) -> Foreign {
    match why {
        Nothing::Resolution(error) => {
            let failed = Resolution {
                document: Err(*error),
            };
            let mut body = failed.body(accept);
            set(&mut body, "didDocument", object([]));
            body
        }
        Nothing::Word(word, dereferencing) => {
            let mut body = empty();
            let metadata = if *dereferencing {
                "didDereferencingMetadata"
            } else {
                "didResolutionMetadata"
            };
            set(&mut body, metadata, object([("error", text(*word))]));
            body
        }
    }
}

fn answer(status: StatusCode, accept: Accept, body: &Foreign) -> Response {
    // A document alone is no answer to what has none.
    let accept = match (status, accept) {
        (StatusCode::OK, accept) => accept,
        (_, Accept::Document) => Accept::Words,
        (_, accept) => accept,
    };
    respond(status, accept.media_type(), body).into_response()
}
