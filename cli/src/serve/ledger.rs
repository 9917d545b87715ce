//! The ledger's routes: what is published, with proof, for anyone; and events handed in.

use std::num::NonZeroU32;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use zhao_http::{
    At, DossierQuery, EventAnswer, Events, EventsAnswer, Kind, Scope, Standing, Verbatim, limits,
};
use zhao_issuer::office::Submitted;
use zhao_ledger::read::View;
use zhao_ledger::sequence::Outcome;
use zhao_spec::credential::Licence;
use zhao_spec::life::event::Event;
use zhao_spec::life::record::Record;
use zhao_spec::log::cose;
use zhao_spec::wire::limits::EVENT_BYTES;
use zhao_spec::wire::{Hash, Value, clip, json};

use super::app::{App, Work, settled};
use super::extract::{self, Anyone, Asked, Peer, Segment, answer, must_be, raw, verbatim};
use super::refused::Refused;
use crate::command::codes;
use crate::failure::args;
use crate::values::parse_time;

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(checkpoint))
        .routes(routes!(subject))
        .routes(routes!(history))
        .routes(routes!(receipt))
        .routes(routes!(submit))
        .routes(routes!(dossier))
}

/// The newest published checkpoint with its signatures (C2SP tlog-checkpoint)
#[utoipa::path(get, path = "/v1/checkpoint", tag = "ledger",
    responses((status = 200, description = "A signed note", body = String,
        content_type = "text/plain")))]
async fn checkpoint(State(app): State<App>) -> Result<Response, Refused> {
    let note = app.work(Work::Read, |app| Ok(app.latest()?.note().to_owned()));
    let note = note.await?.into_bytes();
    Ok(verbatim(StatusCode::OK, "text/plain; charset=utf-8", note))
}

/// The record of a subject and the proof that the map has it
#[utoipa::path(get, path = "/v1/subjects/{key}", tag = "ledger",
    params(("key" = String, Path, description = "Subject key: 43 characters of base64url"), At),
    responses((status = 200, description = "Record and proof", body = Standing)))]
async fn subject(
    State(app): State<App>,
    Segment(key): Segment,
    Asked(at): Asked<At>,
) -> Result<Response, Refused> {
    let key = hash(&app, &key)?;
    let standing = with_view(&app, at.at.as_deref(), move |app, view| {
        standing(app, view, &key)
    });
    Ok(answer(&app, StatusCode::OK, &standing.await?))
}

/// Every event of a subject, each proved (a zhao/v1 history)
#[utoipa::path(get, path = "/v1/subjects/{key}/history", tag = "ledger",
    params(("key" = String, Path, description = "Subject key: 43 characters of base64url"), At),
    responses((status = 200, description = "A history", body = Object)))]
async fn history(
    State(app): State<App>,
    Segment(key): Segment,
    Asked(at): Asked<At>,
) -> Result<Response, Refused> {
    let key = hash(&app, &key)?;
    let file = with_view(&app, at.at.as_deref(), move |app, view| {
        let history = view.history(&key).map_err(|error| app.both.read(error))?;
        Ok(history.bytes())
    });
    Ok(verbatim(StatusCode::OK, "application/json", file.await?))
}

/// The log's receipt for an event (a zhao/v1 receipt)
///
/// `Accept: application/cose` gives a COSE receipt (RFC 9942), which no witness vouches for.
#[utoipa::path(get, path = "/v1/receipts/{event}", tag = "ledger",
    params(("event" = String, Path,
        description = "Identity of the event: 43 characters of base64url")),
    responses((status = 200, description = "A receipt, or its COSE form", content(
        (Object = "application/json"), (Vec<u8> = "application/cose")))))]
async fn receipt(
    State(app): State<App>,
    Segment(event): Segment,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let event = hash(&app, &event)?;
    let offered = [
        ("application/json", ReceiptForm::Json),
        ("application/cose", ReceiptForm::Cose),
    ];
    let form = wanted(&app, &headers, "accept-receipt", &offered)?;
    let file = with_view(&app, None, move |app, view| match form {
        ReceiptForm::Json => {
            let receipt = view.receipt(&event).map_err(|error| app.both.read(error))?;
            Ok(receipt.bytes())
        }
        ReceiptForm::Cose => {
            let receipt = app.receipts.receipt(view, &event);
            Ok(receipt.map_err(|error| app.both.receipt(error))?.bytes())
        }
    });
    let kind = match form {
        ReceiptForm::Json => "application/json",
        ReceiptForm::Cose => cose::MEDIA_TYPE,
    };
    Ok(verbatim(StatusCode::OK, kind, file.await?))
}

/// How a receipt is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ReceiptForm {
    Json,
    Cose,
}

/// Hand in one signed event, or an array of them
///
/// Answered when every event is durable, published under its quorum and provable, or refused by the
/// life cycle. The same event again gives the same receipt. An event speaks for itself by its
/// signatures, so no key is needed; without one, each address may hand in so many a minute. Each
/// signer may have so many logged a minute.
#[utoipa::path(post, path = "/v1/events", tag = "ledger", security((), ("key" = [])),
    request_body(content = Events,
        description = "Canonical JSON of an event (spec/event.md), or an array"),
    responses(
        (status = 200, description = "All are settled", body = EventsAnswer),
        (status = 202, body = EventsAnswer,
            description = "Some are not published yet: hand them in again later")))]
async fn submit(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    Anyone(caller): Anyone,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    if let Some(caller) = &caller {
        caller.must(&app, Scope::Change)?;
    }
    must_be(&app, &headers, &["application/json"])?;
    let bytes = extract::read(&app, body, limits::EVENTS_BODY_BYTES).await?;
    let stranger = caller.is_none();
    let answers = app.work(Work::Submission, move |app| {
        hand_in(app, &bytes, peer, stranger)
    });
    let answers = answers.await?;
    let pending = answers.answers.iter().any(|one| one.status == "pending");
    let status = if pending {
        StatusCode::ACCEPTED
    } else {
        StatusCode::OK
    };
    Ok(answer(&app, status, &answers))
}

/// The dossier of a credential: what a verifier needs, offline
///
/// `Accept: application/cbor` gives the QR form.
#[utoipa::path(post, path = "/v1/dossiers", tag = "ledger", params(DossierQuery),
    request_body(content = Object, description = "The credential, byte for byte as it was issued"),
    responses((status = 200, description = "A zhao/v1 dossier, or its QR form", content(
        (Object = "application/json"), (Vec<u8> = "application/cbor")))))]
async fn dossier(
    State(app): State<App>,
    Asked(query): Asked<DossierQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    must_be(&app, &headers, &["application/json", "application/vc"])?;
    let offered = [
        ("application/json", Form::Json),
        ("application/cbor", Form::Cbor),
    ];
    let form = wanted(&app, &headers, "accept", &offered)?;
    let limit = zhao_spec::wire::limits::CREDENTIAL_BYTES + 1;
    let bytes = extract::read(&app, body, limit).await?;
    let whole = query.authorities.unwrap_or(true) && form == Form::Json;
    let made = with_view(&app, query.at.as_deref(), move |app, view| {
        let dossier = licence_dossier(app, view, &bytes, whole)?;
        match form {
            Form::Json => Ok(dossier.bytes()),
            Form::Cbor => codes::cbor(&dossier).map_err(|failure| app.both.unfit(&failure)),
        }
    });
    let kind = match form {
        Form::Json => "application/json",
        Form::Cbor => "application/cbor",
    };
    Ok(verbatim(StatusCode::OK, kind, made.await?))
}

/// How a dossier is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Json,
    Cbor,
}

/// The first form that is accepted; the first offered where nothing is said. `key` is the sentence
/// of the refusal.
fn wanted<T: Copy>(
    app: &App,
    headers: &HeaderMap,
    key: &str,
    offered: &[(&str, T)],
) -> Result<T, Refused> {
    let refused = || app.both.refuse(Kind::NotAcceptable, key, &[]);
    let (_, usual) = *offered.first().ok_or_else(refused)?;
    let mut said = false;
    for value in headers.get_all(header::ACCEPT) {
        for range in value.to_str().unwrap_or_default().split(',') {
            said = true;
            let range = range.split(';').next().unwrap_or_default().trim();
            if let "application/*" | "*/*" = range {
                return Ok(usual);
            }
            if let Some((_, form)) = offered.iter().find(|(kind, _)| *kind == range) {
                return Ok(*form);
            }
        }
    }
    if said { Err(refused()) } else { Ok(usual) }
}

fn licence_dossier(
    app: &App,
    view: &View<'_>,
    bytes: &[u8],
    whole: bool,
) -> Result<zhao_spec::file::Dossier, Refused> {
    let malformed = |cause: &dyn std::fmt::Display| {
        let cause = clip(&cause.to_string());
        app.both
            .refuse(Kind::Malformed, "credential", &args![cause])
    };
    let licence =
        Licence::parse(json::without_newline(bytes)).map_err(|cause| malformed(&cause))?;
    if licence.status.origin != view.origin() {
        return Err(app.both.refuse(Kind::NotFound, "no-subject", &[]));
    }
    licence.check_proof().map_err(|cause| malformed(&cause))?;
    let dossier = view
        .dossier(&licence, whole)
        .map_err(|error| app.both.read(error))?;
    if dossier.placed.record.vc != licence.digest() {
        return Err(app.both.refuse(Kind::Refused, "credential-other", &[]));
    }
    Ok(dossier)
}

/// Does `work` on the view as of `at`: now, or a past head.
pub(crate) async fn with_view<T: Send + 'static>(
    app: &App,
    at: Option<&str>,
    work: impl FnOnce(&App, &View<'_>) -> Result<T, Refused> + Send + 'static,
) -> Result<T, Refused> {
    let Some(at) = at else {
        return app.work(Work::Read, |app| work(app, &app.latest()?)).await;
    };
    let at =
        parse_time(at).map_err(|cause| app.both.refuse(Kind::Malformed, "time", &args![cause]))?;
    if at > app.now()? {
        return Err(app.both.refuse(Kind::Malformed, "future", &[]));
    }
    app.work(Work::Past, move |app| {
        let view = app.reader.as_of(at).map_err(|error| app.both.read(error))?;
        work(app, &view)
    })
    .await
}

/// A subject's record and its proof.
pub(crate) fn standing(app: &App, view: &View<'_>, key: &Hash) -> Result<Standing, Refused> {
    let (path, record) = view.placed(key).map_err(|error| app.both.read(error))?;
    let record = record.ok_or_else(|| app.both.refuse(Kind::NotFound, "no-subject", &[]))?;
    placed(app, view, key, &path, &record)
}

/// The same, found already.
pub(crate) fn placed(
    app: &App,
    view: &View<'_>,
    key: &Hash,
    path: &zhao_spec::map::MapPath,
    record: &Record,
) -> Result<Standing, Refused> {
    let head = view.head().map_err(|error| app.both.read(error))?;
    let mut path_bytes = Vec::new();
    path.write(&mut path_bytes);
    let epoch = raw(app, head.epoch.bytes())?;
    let proof = head.proof.text();
    let head = serde_json::value::to_raw_value(&HeadJson { epoch, proof })
        .map_err(|error| app.both.internal(&error))?;
    Ok(Standing {
        head,
        path: raw(app, path_bytes)?,
        record: raw(app, record.bytes())?,
        subject: key.to_base64url(),
    })
}

/// The member `head` of our files.
#[derive(serde::Serialize)]
struct HeadJson {
    epoch: Verbatim,
    proof: String,
}

/// A subject key or an event's identity.
pub(crate) fn hash(app: &App, text: &str) -> Result<Hash, Refused> {
    Hash::from_base64url(text).map_err(|_| app.both.refuse(Kind::Malformed, "hash", &[]))
}

/// The events of a body: one, or an array.
fn events(app: &App, bytes: &[u8]) -> Result<Vec<Event>, Refused> {
    let malformed = |cause: &dyn std::fmt::Display| {
        let cause = clip(&cause.to_string());
        app.both.refuse(Kind::Malformed, "event", &args![cause])
    };
    let value = json::parse_file_within(bytes, limits::EVENTS_BODY_BYTES)
        .map_err(|cause| malformed(&cause))?;
    let read = |value: &Value, path: &str| {
        let event = Event::from_value(value, path).map_err(|cause| malformed(&cause))?;
        // A longer one would fail its neighbours' commit too.
        let bytes = event.bytes();
        if bytes.len() > EVENT_BYTES {
            return Event::parse(&bytes).map_err(|cause| malformed(&cause));
        }
        Ok(event)
    };
    match &value {
        Value::Array(list) if list.is_empty() => {
            Err(app.both.refuse(Kind::Malformed, "no-event", &[]))
        }
        Value::Array(list) if list.len() > limits::EVENTS => {
            Err(app.both.refuse(Kind::TooLarge, "too-many-events", &[]))
        }
        Value::Array(list) => {
            let pairs = list.iter().enumerate();
            pairs
                .map(|(at, value)| read(value, &at.to_string()))
                .collect()
        }
        one => Ok(vec![read(one, "")?]),
    }
}

/// `stranger`: whoever asks has shown no key.
fn hand_in(app: &App, bytes: &[u8], peer: Peer, stranger: bool) -> Result<EventsAnswer, Refused> {
    let events = events(app, bytes)?;
    // Before any signature is looked at: that is what a flood would cost.
    let count = u32::try_from(events.len()).ok().and_then(NonZeroU32::new);
    if let (true, Some(count)) = (stranger, count) {
        app.submitters.pass_all(app, peer, count)?;
    }
    let counted = peer != Peer::Local;
    if counted {
        app.signers.pass(app, &events)?;
    }
    let own = events.clone();
    let ticket = app
        .pipeline
        .submit(events)
        .map_err(|error| app.both.submit(&error))?;
    let outcomes: Vec<Outcome> = ticket.wait().map_err(|error| {
        if error.is_fatal() {
            app.stop.notify_one();
        }
        app.both.commit(&error)
    })?;
    if counted {
        app.signers.count(own.iter().zip(&outcomes));
    }
    let view = app.latest()?;
    let receipts = view.receipting().map_err(|error| app.both.read(error))?;
    let pairs = own.into_iter().zip(outcomes);
    let answers = pairs.map(|(event, outcome)| {
        let id = event.id();
        let settled = settled(&receipts, event, outcome).map_err(|error| app.both.read(error))?;
        event_answer(app, &id, settled)
    });
    Ok(EventsAnswer {
        answers: answers.collect::<Result<_, Refused>>()?,
    })
}

/// What became of an event, for an answer.
pub(crate) fn event_answer(
    app: &App,
    event: &Hash,
    submitted: Submitted,
) -> Result<EventAnswer, Refused> {
    let mut answer = EventAnswer {
        status: "pending".to_owned(),
        event: event.to_base64url(),
        index: None,
        receipt: None,
        code: None,
        detail: None,
    };
    match submitted {
        Submitted::Pending => {}
        Submitted::Receipted { index, receipt } => {
            "receipted".clone_into(&mut answer.status);
            answer.index = Some(index.0);
            answer.receipt = Some(raw(app, receipt)?);
        }
        Submitted::Refused { code, detail } => {
            "refused".clone_into(&mut answer.status);
            answer.code = Some(code);
            answer.detail = Some(detail);
        }
    }
    Ok(answer)
}
