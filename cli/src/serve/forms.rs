//! A licence once more, as other people's software reads it: `zhao secure` by request. Prose:
//! `spec/interop.md`.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use zhao_http::{FormRequest, Kind, Scope};
use zhao_issuer::office::{Form, FormOptions};
use zhao_spec::credential::Licence as Credential;

use super::acts::generator;
use super::app::{App, Work};
use super::extract::{Caller, Segment, json, verbatim};
use super::office::row;
use super::refused::Refused;
use super::settings::PublicUrl;
use crate::command::holder_key;
use crate::failure::args;

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(form))
}

/// Secure a licence once more, as other people's software reads it
///
/// Signed by its unit, and only while the licence may be used. The log learns nothing of it.
#[utoipa::path(post, path = "/v1/licences/{id}/forms", tag = "office", security(("key" = [])),
    params(("id" = String, Path, description = "Subject key or credential id")),
    request_body = FormRequest,
    responses((status = 200, description = "The licence in that form", content(
        (Object = "application/vc"), (String = "application/vc+jwt"),
        (String = "application/vc+cose"), (String = "application/dc+sd-jwt")))))]
async fn form(
    State(app): State<App>,
    caller: Caller,
    Segment(id): Segment,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    caller.must(&app, Scope::Issue)?;
    let wanted: FormRequest = json(&app, &headers, body).await?;
    let expected = || Form::ALL.map(Form::as_str).join(", ");
    let form = Form::from_word(&wanted.form).ok_or_else(|| {
        app.both
            .refuse(Kind::Malformed, "form", &args![expected = expected()])
    })?;
    let made = app.work(Work::Act, move |app| made(app, &id, form, &wanted, &caller));
    Ok(verbatim(StatusCode::OK, form.media_type(), made.await?))
}

fn made(
    app: &App,
    id: &str,
    form: Form,
    wanted: &FormRequest,
    caller: &Caller,
) -> Result<Vec<u8>, Refused> {
    // What a form names must be served: no other site than this one is promised.
    let own = app.public_url.as_ref().map(PublicUrl::as_str);
    let site = wanted.public_url.as_deref();
    if site.is_some_and(|site| own != Some(site.trim_end_matches('/'))) {
        return Err(app.both.refuse(Kind::Refused, "other-site", &[]));
    }
    let holder = wanted.holder.as_deref().map(holder_key).transpose();
    let options = FormOptions {
        site,
        holder: holder.map_err(|failure| app.both.unfit(&failure))?,
    };
    let credential = row(app, id)?.credential;
    let licence = Credential::parse(&credential).map_err(|error| app.both.internal(&error))?;
    let (mut rng, now) = (generator(app)?, app.now()?);
    let mut office = app.office_for(caller.operator.as_deref());
    office
        .form(&licence, form, options, now, &mut rng)
        .map_err(|error| app.both.office(error))
}
