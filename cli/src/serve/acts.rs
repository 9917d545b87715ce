//! The office's acts: issue, change, replace. Each declares with the office in hand, lets go of it,
//! and then waits for the ledger's answer.

use std::io::Cursor;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use zhao_http::{
    ActAnswer, ActRequest, BatchAnswer, Issued, Kind, RowDefaults, Scope, VersionRequest, limits,
};
use zhao_issuer::intake::{self, Cell, Defaults, IntakeError, Row, RowError};
use zhao_issuer::office::{Grounds, Office, OfficeError, Outcome, Replacement, Submitted, Ticket};
use zhao_issuer::records::{Licence, LicenceState, Standing};
use zhao_spec::credential::Licence as Credential;
use zhao_spec::id::Uscc;
use zhao_spec::life::data::Relation;
use zhao_spec::wire::{UnixMillis, clip};

use super::app::{App, Served, Work};
use super::extract::{self, Asked, Caller, Segment, answer, json, must_be, raw};
use super::ledger::{event_answer, standing};
use super::office::{row, tag, view_of};
use super::refused::Refused;
use crate::args::STATUS_VERBS;
use crate::command::status::Wanted;
use crate::failure::args;
use crate::values::parse_time;

/// Rows declared in one transaction, with the office in hand.
const CHUNK: usize = 500;

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(issue))
        .routes(routes!(batch))
        .routes(routes!(act))
        .routes(routes!(version))
}

/// Issue one licence
///
/// The body is a row as `zhao issue` reads it. `Idempotency-Key`, or the row's `reference`, makes a
/// second submission answer with the licence of the first.
#[utoipa::path(post, path = "/v1/licences", tag = "office", security(("key" = [])),
    params(RowDefaults,
        ("Idempotency-Key" = Option<String>, Header, description = "Stands for the row's reference",
            max_length = 64),
        ("Zhao-Operator" = Option<String>, Header,
            description = "Who acts: a name, percent-encoded UTF-8", max_length = 1_200)),
    request_body(content = Object,
        description = "Fields of the licence by name, as its type has them"),
    responses(
        (status = 201, description = "Issued: hand it out", body = Issued),
        (status = 200, description = "Issued before under this reference", body = Issued),
        (status = 202, description = "Signed, and not in the log yet", body = Issued)))]
async fn issue(
    State(app): State<App>,
    caller: Caller,
    Asked(given): Asked<RowDefaults>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    caller.must(&app, Scope::Issue)?;
    must_be(&app, &headers, &["application/json"])?;
    let reference = idempotency(&app, &headers)?;
    let bytes = extract::read(&app, body, limits::BODY_BYTES).await?;
    let issued = app.work(Work::Act, move |app| {
        let mut row = one_row(app, &bytes, given.licence_type.as_deref())?;
        if let Some(reference) = reference {
            let kept = row.cells.entry("reference".to_owned());
            kept.or_insert(Cell::Text(reference));
        }
        let operator = caller.operator.as_deref();
        let mut rows = issue_rows(app, &mut std::iter::once(Ok(row.clone())), &given, operator)?;
        let issued = rows
            .pop()
            .ok_or_else(|| app.both.internal(&"a row without outcome"))?;
        same(app, &row, &given, &issued)?;
        Ok(issued)
    });
    let issued = issued.await?;
    let status = match &*issued.status {
        "issued" => StatusCode::CREATED,
        "repeated" => StatusCode::OK,
        "pending" => StatusCode::ACCEPTED,
        _ => return Err(refused_row(&app, issued)),
    };
    Ok(answer(&app, status, &issued))
}

fn idempotency(app: &App, headers: &HeaderMap) -> Result<Option<String>, Refused> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let text = value
        .to_str()
        .ok()
        .filter(|text| (1..=64).contains(&text.trim().len()));
    text.map(|text| Some(text.trim().to_owned()))
        .ok_or_else(|| app.both.refuse(Kind::Malformed, "idempotency-key", &[]))
}

/// Refuses a row whose reference stands for a licence that is not what the row says.
fn same(app: &App, row: &Row, given: &RowDefaults, issued: &Issued) -> Result<(), Refused> {
    let known = matches!(&*issued.status, "repeated" | "pending");
    let Some(licence) = issued.licence.as_ref().filter(|_| known) else {
        return Ok(());
    };
    let earlier = super::office::row(app, &licence.subject)?;
    let credential =
        Credential::parse(&earlier.credential).map_err(|error| app.both.internal(&error))?;
    let claims = credential.claims();
    let defaults = Defaults {
        // What a row does not say depends on the day on which it came.
        today: claims.subject.issued_date,
        ..defaults(app, given.licence_type.as_deref(), given.unit.as_deref())?
    };
    let same = intake::check(row, &app.catalogue, &defaults).is_ok_and(|request| {
        let subject = &claims.subject;
        let number = request.number.as_ref();
        request.face_data == subject.face_data
            && request.holder_code == subject.holder_code
            && request.holder_code_type == subject.holder_code_type
            && request.holder_name == subject.holder_name
            && request.issued == subject.issued_date
            && request.type_code == subject.licence_type_code
            && request.unit == subject.issuing_authority_code
            && request.valid_from.start_beijing() == claims.valid_from
            && request.valid_until.map(|day| day.end_beijing()) == claims.valid_until
            && number.is_none_or(|number| *number == subject.licence_number)
    });
    if same {
        return Ok(());
    }
    Err(app.both.refuse(Kind::Refused, "reference-other", &[]))
}

fn refused_row(app: &App, issued: Issued) -> Refused {
    let code = issued.faults.first().map(|fault| fault.code.clone());
    let code = code.unwrap_or_default();
    let mut refused = app.both.refuse(Kind::Refused, "row", &args![code]);
    refused.0.code = Some(code);
    refused.0.faults = issued.faults;
    refused
}

/// The one row of a body that is a JSON object.
fn one_row(app: &App, bytes: &[u8], licence_type: Option<&str>) -> Result<Row, Refused> {
    let object = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    if object != Some(&b'{') {
        return Err(app.both.refuse(Kind::Malformed, "row-object", &[]));
    }
    // As the only element of an array it is read by the reader of batches, with its limits.
    let array = [b"[", bytes, b"]"].concat();
    let mut rows = intake::open(Cursor::new(array), &app.catalogue, licence_type)
        .map_err(|error| intake_refused(app, &error))?;
    let row = match (rows.next(), rows.next()) {
        (Some(row), None) => row,
        _ => return Err(app.both.refuse(Kind::Malformed, "row-object", &[])),
    };
    row.map_err(|error| app.both.office(OfficeError::Issue(error.into())))
}

pub(super) fn intake_refused(app: &App, error: &IntakeError) -> Refused {
    let cause = clip(&error.to_string());
    app.both.refuse(Kind::Malformed, "batch", &args![cause])
}

/// Issue many licences
///
/// The body is a batch as `zhao issue` reads it: CSV, a JSON array, or JSON lines. Every row is
/// answered on its own. Give rows a `reference`: the same batch again issues nothing twice.
#[utoipa::path(post, path = "/v1/licences/batch", tag = "office", security(("key" = [])),
    params(RowDefaults,
        ("Zhao-Operator" = Option<String>, Header,
            description = "Who acts: a name, percent-encoded UTF-8", max_length = 1_200)),
    request_body(content(
        (String = "text/csv"), (Vec<serde_json::Value> = "application/json"),
        (serde_json::Value = "application/x-ndjson"),
        (serde_json::Value = "application/octet-stream")),
        description = "The batch: rows are objects, and what is none is refused alone"),
    responses((status = 200, description = "What became of each row", body = BatchAnswer)))]
async fn batch(
    State(app): State<App>,
    caller: Caller,
    Asked(defaults): Asked<RowDefaults>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    const KINDS: [&str; 4] = [
        "text/csv",
        "application/json",
        "application/x-ndjson",
        "application/octet-stream",
    ];
    caller.must(&app, Scope::Issue)?;
    must_be(&app, &headers, &KINDS)?;
    let bytes = extract::read(&app, body, limits::BATCH_BODY_BYTES).await?;
    let json = headers.get(header::CONTENT_TYPE);
    let json = json.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    if says_csv(&headers) {
        must_not_be_json(&app, first)?;
    }
    // JSON lines are another media type: one object is no array of one.
    if json && first != Some(&b'[') {
        return Err(app.both.refuse(Kind::Malformed, "batch-array", &[]));
    }
    let rows = app.work(Work::Act, move |app| {
        let licence_type = defaults.licence_type.as_deref();
        let batch = intake::open(Cursor::new(&bytes[..]), &app.catalogue, licence_type)
            .map_err(|error| intake_refused(app, &error))?;
        let mut rows = batch.collect::<Vec<_>>();
        if rows.len() > limits::BATCH_ROWS {
            let limit = limits::BATCH_ROWS;
            return Err(app.both.refuse(Kind::TooLarge, "batch-rows", &args![limit]));
        }
        let operator = caller.operator.as_deref();
        issue_rows(app, &mut rows.drain(..), &defaults, operator)
    });
    let rows = rows.await?;
    Ok(answer(&app, StatusCode::OK, &BatchAnswer { rows }))
}

/// Whether the caller says that the body is CSV.
pub(super) fn says_csv(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    kind.and_then(|kind| kind.get(..b"text/csv".len()))
        .is_some_and(|kind| kind.eq_ignore_ascii_case(b"text/csv"))
}

/// Refuses what begins as JSON does: rows are not taken for what their sender does not call them.
pub(super) fn must_not_be_json(app: &App, first: Option<&u8>) -> Result<(), Refused> {
    match first {
        Some(b'{' | b'[') => Err(app.both.refuse(Kind::Malformed, "batch-csv", &[])),
        _ => Ok(()),
    }
}

fn issue_rows(
    app: &App,
    rows: &mut dyn Iterator<Item = Result<Row, RowError>>,
    given: &RowDefaults,
    operator: Option<&str>,
) -> Result<Vec<Issued>, Refused> {
    let now = app.now()?;
    let defaults = defaults(app, given.licence_type.as_deref(), given.unit.as_deref())?;
    let mut rng = generator(app)?;
    let mut outcomes = Vec::new();
    loop {
        let chunk: Vec<_> = rows.take(CHUNK).collect();
        if chunk.is_empty() {
            break;
        }
        let mut office = app.office_for(operator);
        let declared = office
            .declare_batch(chunk, &defaults, now, &mut rng)
            .map_err(|error| app.both.office(error))?;
        for (row, outcome) in declared {
            outcomes.push((row, waiting(app, &office, outcome)?));
        }
    }
    let mut patience = app.patience;
    let outcomes = outcomes.into_iter().map(|(row, (outcome, ticket))| {
        let outcome = settled_within(app, outcome, ticket, &mut patience)?;
        Ok((row, outcome))
    });
    let outcomes = outcomes.collect::<Result<Vec<_>, Refused>>()?;
    let rows = outcomes.into_iter();
    rows.map(|(row, outcome)| issued(app, row, outcome))
        .collect()
}

/// What holds for rows that do not say otherwise.
pub(super) fn defaults(
    app: &App,
    licence_type: Option<&str>,
    unit: Option<&str>,
) -> Result<Defaults, Refused> {
    let unit = match unit {
        Some(text) => Some(uscc(app, text)?),
        None => {
            let units = app
                .records()
                .units()
                .map_err(|error| app.both.internal(&error))?;
            units.first().and_then(|unit| Uscc::parse(&unit.uscc).ok())
        }
    };
    Ok(Defaults {
        licence_type: licence_type.map(str::to_owned),
        today: app.now()?.beijing_date(),
        unit,
    })
}

/// An outcome, and what to wait with for the ledger's answer to it.
pub(super) fn waiting(
    app: &App,
    office: &Office<Served>,
    outcome: Outcome,
) -> Result<(Outcome, Option<Ticket>), Refused> {
    let issuing = |licence: &Licence| licence.state == LicenceState::Issuing;
    let ticket = match &outcome {
        Outcome::Pending(licence) => Some(office.ticket(licence.outbox)),
        // The first submission is under way still: the second is answered when it is.
        Outcome::Repeated(licence) if issuing(licence) => Some(office.ticket(licence.outbox)),
        _ => None,
    };
    let ticket = ticket.transpose().map_err(|error| app.both.office(error))?;
    Ok((outcome, ticket))
}

/// The outcome once the ledger has answered, or what it was if it has not.
fn settled(app: &App, outcome: Outcome, ticket: Option<Ticket>) -> Result<Outcome, Refused> {
    settled_within(app, outcome, ticket, &mut { app.patience })
}

/// As [`settled`]; patience that ran out once has run out for all that follow.
pub(super) fn settled_within(
    app: &App,
    outcome: Outcome,
    ticket: Option<Ticket>,
    patience: &mut Duration,
) -> Result<Outcome, Refused> {
    let Some(ticket) = ticket else {
        return Ok(outcome);
    };
    let row = ticket.id();
    if ticket.wait(*patience).is_none() {
        *patience = Duration::ZERO;
        return Ok(match outcome {
            Outcome::Repeated(licence) => Outcome::Pending(licence),
            other => other,
        });
    }
    let now = app
        .office()
        .outcome(row)
        .map_err(|error| app.both.office(error))?;
    Ok(match (outcome, now) {
        (Outcome::Repeated(_), Outcome::Issued(issued)) => {
            Outcome::Repeated(Box::new(issued.licence))
        }
        (_, now) => now,
    })
}

pub(super) fn issued(app: &App, row: u64, outcome: Outcome) -> Result<Issued, Refused> {
    let mut said = Issued {
        row,
        status: String::new(),
        licence: None,
        credential: None,
        receipt: None,
        faults: Vec::new(),
        remarks: Vec::new(),
    };
    match outcome {
        Outcome::Issued(issued) => {
            "issued".clone_into(&mut said.status);
            said.licence = Some(view_of(&issued.licence));
            said.credential = Some(raw(app, issued.licence.credential)?);
            said.receipt = Some(raw(app, issued.receipt)?);
        }
        Outcome::Repeated(licence) => {
            "repeated".clone_into(&mut said.status);
            said.licence = Some(view_of(&licence));
            if licence.state == LicenceState::Issued {
                said.credential = Some(raw(app, licence.credential)?);
            }
        }
        Outcome::Pending(licence) => {
            "pending".clone_into(&mut said.status);
            said.licence = Some(view_of(&licence));
        }
        Outcome::Refused(error) => {
            "refused".clone_into(&mut said.status);
            said.faults = app.both.faults(&error);
        }
    }
    Ok(said)
}

/// Say what befell a licence
///
/// Answered when it is in the log, with the receipt and the standing that shows it. With `If-Match`
/// it is done only if nothing else happened since the caller read the licence.
#[utoipa::path(post, path = "/v1/licences/{id}/acts", tag = "office", security(("key" = [])),
    params(("id" = String, Path, description = "Subject key or credential id"),
        ("If-Match" = Option<String>, Header,
            description = "The ETag of the licence as it was read"),
        ("Zhao-Operator" = Option<String>, Header,
            description = "Who acts: a name, percent-encoded UTF-8", max_length = 1_200)),
    request_body = ActRequest,
    responses((status = 200, description = "In the log", body = ActAnswer),
        (status = 202, description = "Signed, and not in the log yet", body = ActAnswer)))]
async fn act(
    State(app): State<App>,
    caller: Caller,
    Segment(id): Segment,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    caller.must(&app, Scope::Change)?;
    let wanted: ActRequest = json(&app, &headers, body).await?;
    let expected = if_match(&app, &headers)?;
    let done = app.work(Work::Act, move |app| {
        acted(app, &id, &wanted, expected.as_deref(), &caller)
    });
    let done = done.await?;
    let status = if done.standing.is_some() {
        StatusCode::OK
    } else {
        StatusCode::ACCEPTED
    };
    Ok(answer(&app, status, &done))
}

fn if_match(app: &App, headers: &HeaderMap) -> Result<Option<String>, Refused> {
    let value = headers.get(header::IF_MATCH);
    value
        .map(|value| {
            let text = value.to_str().unwrap_or_default();
            let tag = text.len() <= 128 && text.starts_with('"') && text.ends_with('"');
            if !(tag || text == "*") {
                return Err(app.both.refuse(Kind::Malformed, "if-match", &[]));
            }
            Ok(text.to_owned())
        })
        .transpose()
}

fn acted(
    app: &App,
    id: &str,
    wanted: &ActRequest,
    expected: Option<&str>,
    caller: &Caller,
) -> Result<ActAnswer, Refused> {
    let subject = row(app, id)?.subject;
    let verb = STATUS_VERBS
        .into_iter()
        .find(|verb| verb.as_str() == wanted.verb)
        .ok_or_else(|| {
            let expected = STATUS_VERBS.map(|verb| verb.as_str()).join(", ");
            app.both.refuse(Kind::Malformed, "verb", &args![expected])
        })?;
    let flags = Wanted {
        verb,
        of: wanted.of,
        result: wanted.result.as_deref(),
        due: time(app, wanted.due.as_deref())?,
        to: wanted.to.as_deref(),
    };
    flags.check().map_err(|failure| app.both.unfit(&failure))?;
    let effective = time(app, wanted.effective.as_deref())?;
    let grounds = Grounds {
        basis: wanted.basis.clone(),
        code: wanted.code.clone(),
        reason: Some(wanted.reason.clone()),
    };
    let mut rng = generator(app)?;
    let mut office = app.office_for(caller.operator.as_deref());
    let now = app.now()?;
    let record = office
        .licence_record(&subject)
        .map_err(|error| app.both.office(error))?;
    if expected.is_some_and(|expected| expected != "*" && expected != tag(&record)) {
        return Err(app.both.refuse(Kind::Precondition, "if-match-failed", &[]));
    }
    let act = flags
        .act(&record)
        .map_err(|failure| app.both.unfit(&failure))?;
    let declared = office
        .act(&subject, &act, &grounds, effective, now, &mut rng)
        .map_err(|error| app.both.office(error))?;
    let ticket = office
        .ticket(declared.id)
        .map_err(|error| app.both.office(error))?;
    drop(office);
    let submitted = match ticket.wait(app.patience).unwrap_or(Standing::Pending) {
        Standing::Pending => Submitted::Pending,
        Standing::Receipted { index, receipt } => Submitted::Receipted { index, receipt },
        Standing::Refused { code, detail } => return Err(app.both.rule(&code, &detail)),
    };
    let in_log = matches!(submitted, Submitted::Receipted { .. });
    let event = event_answer(app, &declared.event, submitted)?;
    let standing = in_log
        .then(|| standing(app, &app.latest()?, &subject))
        .transpose()?;
    Ok(ActAnswer {
        status: event.status,
        event: event.event,
        index: event.index,
        receipt: event.receipt,
        standing,
    })
}

/// Issue a new version of a licence, in one step with the end of the old
#[utoipa::path(post, path = "/v1/licences/{id}/versions", tag = "office", security(("key" = [])),
    params(("id" = String, Path, description = "Subject key or credential id"),
        ("If-Match" = Option<String>, Header,
            description = "The ETag of the licence as it was read"),
        ("Zhao-Operator" = Option<String>, Header,
            description = "Who acts: a name, percent-encoded UTF-8", max_length = 1_200)),
    request_body = VersionRequest,
    responses((status = 201, description = "Issued: hand it out", body = Issued),
        (status = 202, description = "Signed, and not in the log yet", body = Issued)))]
async fn version(
    State(app): State<App>,
    caller: Caller,
    Segment(id): Segment,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    caller.must(&app, Scope::Issue)?;
    let wanted: VersionRequest = json(&app, &headers, body).await?;
    let expected = if_match(&app, &headers)?;
    let done = app.work(Work::Act, move |app| {
        replaced(app, &id, &wanted, expected.as_deref(), &caller)
    });
    let issued = done.await?;
    let status = match &*issued.status {
        "issued" => StatusCode::CREATED,
        "pending" => StatusCode::ACCEPTED,
        _ => return Err(refused_row(&app, issued)),
    };
    Ok(answer(&app, status, &issued))
}

fn replaced(
    app: &App,
    id: &str,
    wanted: &VersionRequest,
    expected: Option<&str>,
    caller: &Caller,
) -> Result<Issued, Refused> {
    let row = row(app, id)?;
    let relation = Relation::from_word(&wanted.relation).ok_or_else(|| {
        let expected = Relation::ALL.iter().map(|relation| relation.as_str());
        let expected = expected.collect::<Vec<_>>().join(", ");
        app.both
            .refuse(Kind::Malformed, "relation", &args![expected])
    })?;
    let changes = one_row(app, wanted.changes.get().as_bytes(), Some(&row.type_code))?;
    let replacement = Replacement {
        changes: changes.cells.into_iter().collect(),
        grounds: Grounds {
            basis: wanted.basis.clone(),
            code: wanted.code.clone(),
            reason: wanted.reason.clone(),
        },
        relation,
    };
    let mut rng = generator(app)?;
    let mut office = app.office_for(caller.operator.as_deref());
    let now = app.now()?;
    let record = office
        .licence_record(&row.subject)
        .map_err(|error| app.both.office(error))?;
    if expected.is_some_and(|expected| expected != "*" && expected != tag(&record)) {
        return Err(app.both.refuse(Kind::Precondition, "if-match-failed", &[]));
    }
    let outcome = office
        .replace(&row.subject, &replacement, now, &mut rng)
        .map_err(|error| app.both.office(error))?;
    let (outcome, ticket) = waiting(app, &office, outcome)?;
    drop(office);
    let outcome = settled(app, outcome, ticket)?;
    if let Outcome::Refused(error) = outcome {
        return Err(app.both.office(OfficeError::Issue(*error)));
    }
    issued(app, 1, outcome)
}

fn uscc(app: &App, text: &str) -> Result<Uscc, Refused> {
    Uscc::parse(text).map_err(|_| app.both.refuse(Kind::Malformed, "uscc", &[]))
}

fn time(app: &App, text: Option<&str>) -> Result<Option<UnixMillis>, Refused> {
    text.map(parse_time)
        .transpose()
        .map_err(|cause| app.both.refuse(Kind::Malformed, "time", &args![cause]))
}

pub(super) fn generator(app: &App) -> Result<rand_chacha::ChaCha20Rng, Refused> {
    app.host
        .generator()
        .map_err(|failure| app.both.failure(Kind::Internal, &failure))
}
