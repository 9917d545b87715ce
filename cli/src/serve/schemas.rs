//! The JSON Schemas of licence types, one for each version that came into force here: what
//! `credentialSchema` of a licence in a form for others names. Prose: `spec/interop.md`.

use axum::extract::{Extension, Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use zhao_http::Kind;

use super::app::{App, Work};
use super::extract::{Peer, verbatim};
use super::refused::Refused;
use super::tiles::for_everyone;
use crate::command::catalogue::publish::published;
use crate::home::CATALOGUE;

/// The media type of a JSON Schema.
const SCHEMA: &str = "application/schema+json";

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(schema))
}

/// The JSON Schema of the licences of a type, as a version of its catalogue entry has it
///
/// Secret fields are not named in it.
#[utoipa::path(get, path = "/schemas/{code}/{version}", tag = "public",
    params(("code" = String, Path, description = "The type's code, 21 characters"),
        ("version" = String, Path, description = "The version of its entry, in decimal")),
    responses((status = 200, description = "A JSON Schema (2020-12)", body = Object,
        content_type = "application/schema+json")))]
async fn schema(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    Path((code, version)): Path<(String, String)>,
) -> Result<Response, Refused> {
    app.turnstile.pass(&app, peer)?;
    let found = app.work(Work::Read, move |app| {
        let nothing = || app.both.refuse(Kind::NotFound, "no-schema", &[]);
        let number: u64 = version.parse().map_err(|_| nothing())?;
        // One version has one address, and a slug in its place is none.
        let entry = app.catalogue.entry(&code).ok();
        let entry =
            entry.filter(|entry| entry.type_code.as_str() == code && number.to_string() == version);
        let entry = entry.ok_or_else(nothing)?;
        if number == entry.version {
            return Ok(entry.schema());
        }
        let kept = published(&app.spool.join(CATALOGUE), &entry.slug, number);
        let kept = kept.map_err(|error| app.both.internal(&error))?;
        let kept = kept.filter(|kept| kept.type_code.as_str() == code);
        Ok(kept.ok_or_else(nothing)?.schema())
    });
    let mut response = verbatim(StatusCode::OK, SCHEMA, found.await?);
    // A version never changes; a day, because a mistake of ours must not last for ever.
    let kept = HeaderValue::from_static("public, max-age=86400");
    response.headers_mut().insert(header::CACHE_CONTROL, kept);
    for_everyone(&mut response);
    Ok(response)
}
