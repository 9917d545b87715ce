//! What the office has: licences found and shown, units. For callers with a key.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use zhao_http::{
    Find, Kind, LicenceAnswer, LicenceList, LicenceSummary, LicenceView, Scope, TypeList, UnitList,
    UnitView, Verbatim, limits,
};
use zhao_issuer::records::{Licence, LicenceState, RecordsError, Search, Summary};
use zhao_spec::life::record::{LicenceRecord, Record};
use zhao_spec::life::subject::{Kind as SubjectKind, subject_key};
use zhao_spec::wire::{Hash, json};

use super::app::{App, Work};
use super::extract::{Asked, Caller, Segment, answer, raw};
use super::ledger::placed;
use super::refused::Refused;
use crate::failure::args;

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(units))
        .routes(routes!(types))
}

/// Find licences exactly, or list them
#[utoipa::path(get, path = "/v1/licences", tag = "office", params(Find), security(("key" = [])),
    responses((status = 200, description = "A page of licences", body = LicenceList)))]
async fn list(
    State(app): State<App>,
    caller: Caller,
    Asked(find): Asked<Find>,
) -> Result<Response, Refused> {
    caller.must(&app, Scope::Read)?;
    let found = app.work(Work::Read, move |app| found(app, &find)).await?;
    Ok(answer(&app, StatusCode::OK, &found))
}

fn found(app: &App, find: &Find) -> Result<LicenceList, Refused> {
    let given = [&find.number, &find.identifier, &find.holder, &find.name];
    if given.iter().filter(|text| text.is_some()).count() > 1 {
        return Err(app.both.refuse(Kind::Malformed, "find-one", &[]));
    }
    if given
        .iter()
        .any(|text| text.as_deref().is_some_and(|text| !fit(text)))
    {
        return Err(app.both.refuse(Kind::Malformed, "find-text", &[]));
    }
    let after = find.after.unwrap_or(0);
    if after < 0 {
        return Err(app.both.refuse(Kind::Malformed, "after", &[]));
    }
    let limit = find.limit.unwrap_or(limits::PAGE);
    if !(1..=limits::PAGE).contains(&limit) {
        let limit = limits::PAGE;
        return Err(app.both.refuse(Kind::Malformed, "page", &args![limit]));
    }
    let search = match (&find.number, &find.identifier, &find.holder, &find.name) {
        (Some(number), ..) => Search::Number(number),
        (_, Some(identifier), ..) => Search::Identifier(identifier),
        (_, _, Some(holder), _) => Search::HolderCode(holder),
        (_, _, _, Some(name)) => Search::HolderName(name),
        _ => Search::All,
    };
    // One more than asked for tells whether there is more.
    let page = app
        .records()
        .licences(search, after, limit.saturating_add(1));
    let mut page = page.map_err(|error| app.both.internal(&error))?;
    let more = page.len() > limit;
    page.truncate(limit);
    let next = page.last().filter(|_| more).map(|last| last.id);
    Ok(LicenceList {
        licences: page.into_iter().map(summary).collect(),
        next,
    })
}

fn summary(row: Summary) -> LicenceSummary {
    LicenceSummary {
        holder_code: row.holder_code,
        holder_name: row.holder_name,
        identifier: row.identifier,
        number: row.number,
        state: state(row.state).to_owned(),
        subject: row.subject.to_base64url(),
        type_code: row.type_code,
        unit: row.unit,
        version: row.version,
    }
}

fn fit(text: &str) -> bool {
    let count = text.chars().count();
    (1..=limits::FIND_CHARS).contains(&count) && !text.chars().any(char::is_control)
}

fn state(state: LicenceState) -> &'static str {
    match state {
        LicenceState::Issued => "issued",
        LicenceState::Issuing => "issuing",
        LicenceState::Refused => "refused",
    }
}

pub(crate) fn view_of(licence: &Licence) -> LicenceView {
    LicenceView {
        id: licence.credential_id.clone(),
        identifier: licence.identifier.clone(),
        number: licence.number.clone(),
        state: state(licence.state).to_owned(),
        subject: licence.subject.to_base64url(),
        type_code: licence.type_code.clone(),
        unit: licence.unit.clone(),
    }
}

/// A licence with its credential, its standing and the version that took over
#[utoipa::path(get, path = "/v1/licences/{id}", tag = "office", security(("key" = [])),
    params(("id" = String, Path, description = "Subject key or credential id")),
    responses((status = 200, description = "The licence", body = LicenceAnswer,
        headers(("ETag" = String, description = "The licence's state, for If-Match")))))]
async fn show(
    State(app): State<App>,
    caller: Caller,
    Segment(id): Segment,
) -> Result<Response, Refused> {
    caller.must(&app, Scope::Read)?;
    let (shown, tag) = app.work(Work::Read, move |app| shown(app, &id)).await?;
    let mut response = answer(&app, StatusCode::OK, &shown);
    if let Some(tag) = tag.and_then(|tag| HeaderValue::from_str(&tag).ok()) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

/// The state of a licence as a tag: the last link of its chain.
pub(crate) fn tag(record: &LicenceRecord) -> String {
    format!("\"{}-{}\"", record.seq, record.latest)
}

fn shown(app: &App, id: &str) -> Result<(LicenceAnswer, Option<String>), Refused> {
    let row = row(app, id)?;
    let view = app.latest()?;
    let (path, record) = view
        .placed(&row.subject)
        .map_err(|error| app.both.read(error))?;
    let mut shown = LicenceAnswer {
        conditions: conditions(app, &row.type_code)?,
        credential: None,
        licence: view_of(&row),
        standing: None,
        successor: None,
    };
    let mut state = None;
    if let Some(record) = &record {
        shown.standing = Some(placed(app, &view, &row.subject, &path, record)?);
        if let Record::Licence(record) = record {
            state = Some(tag(record));
            if let Some(successor) = &record.successor {
                let next = app.records().licence(successor);
                let next = next.map_err(|error| app.both.internal(&error))?;
                shown.successor = next.as_ref().map(view_of);
            }
        }
    }
    if row.state == LicenceState::Issued {
        shown.credential = Some(raw(app, row.credential)?);
    }
    Ok((shown, state))
}

/// What whoever gets a licence of this type must keep to, as its entry says.
fn conditions(app: &App, type_code: &str) -> Result<Option<Verbatim>, Refused> {
    let Ok(entry) = app.catalogue.entry(type_code) else {
        return Ok(None);
    };
    let said = entry.value.member("useConditions");
    said.map(|value| raw(app, json::encode(value))).transpose()
}

/// The licence types, without their secret fields
#[utoipa::path(get, path = "/v1/catalogue", tag = "public",
    responses((status = 200, description = "Entries of the catalogue", body = TypeList)))]
async fn types(State(app): State<App>) -> Result<Response, Refused> {
    let types = app.work(Work::Read, |app| {
        let entries = app.catalogue.entries();
        let types = entries.map(|entry| raw(app, json::encode(&entry.listing())));
        let types = types.collect::<Result<_, Refused>>()?;
        Ok(TypeList { types })
    });
    Ok(answer(&app, StatusCode::OK, &types.await?))
}

/// The licence with this subject key or credential id.
pub(crate) fn row(app: &App, id: &str) -> Result<Licence, Refused> {
    let found: Result<Option<Licence>, RecordsError> = match Hash::from_base64url(id) {
        Ok(subject) => app.records().licence(&subject),
        Err(_) if fit(id) => {
            let id = match id.strip_prefix("urn:uuid:") {
                Some(_) => id.to_owned(),
                None => format!("urn:uuid:{id}"),
            };
            let found = app.records().find_licence(&id);
            found.map(|row| row.filter(|row| row.credential_id == id))
        }
        Err(_) => Ok(None),
    };
    found
        .map_err(|error| app.both.internal(&error))?
        .ok_or_else(|| app.both.refuse(Kind::NotFound, "no-licence", &[]))
}

/// The office's units, with their records in the log
#[utoipa::path(get, path = "/v1/units", tag = "office", security(("key" = [])),
    responses((status = 200, description = "The units", body = UnitList)))]
async fn units(State(app): State<App>, caller: Caller) -> Result<Response, Refused> {
    caller.must(&app, Scope::Read)?;
    let units = app.work(Work::Read, |app| {
        let view = app.latest()?;
        let rows = app
            .records()
            .units()
            .map_err(|error| app.both.internal(&error))?;
        let unit = |row: zhao_issuer::records::Unit| {
            let subject = subject_key(view.origin(), SubjectKind::Issuer, &row.uscc);
            let (_, record) = view
                .placed(&subject)
                .map_err(|error| app.both.read(error))?;
            Ok(UnitView {
                name: row.name,
                subject: subject.to_base64url(),
                uscc: row.uscc,
                record: record.map(|record| raw(app, record.bytes())).transpose()?,
            })
        };
        let units = rows.into_iter().map(unit).collect::<Result<_, Refused>>()?;
        Ok(UnitList { units })
    });
    Ok(answer(&app, StatusCode::OK, &units.await?))
}
