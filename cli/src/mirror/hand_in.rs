//! The auditor's two routes for events that a log will not take: hand one in, and ask for it.
//!
//! Whoever hands in needs no key: the event speaks for itself. What an event costs is bounded: each
//! address may hand in so many a minute, and so many are kept.

use std::num::NonZeroU32;
use std::sync::TryLockError;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path as Segment, State as Of};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use zhao_ledger::audit::compare::NotJudged;
use zhao_spec::file::Handed;
use zhao_spec::life::event::Event;
use zhao_spec::wire::{Hash, json, limits};

use super::auditor::{Look, Serving, Shared, look};
use super::handed::{NotTaken, State};
use crate::files;
use crate::serve::extract::Peer;
use crate::witness::serve::{plain, said, whole};

/// Seconds until somebody who was sent away may come back.
const AGAIN: HeaderValue = HeaderValue::from_static("1");

/// What is answered.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Answer {
    /// The event's identity, base64url.
    pub(crate) event: String,
    /// That the log left it out: a zhao/v1 evidence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) evidence: Option<Box<RawValue>>,
    /// The auditor's word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) handed: Option<Box<RawValue>>,
    /// Its leaf.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) index: Option<u64>,
    /// `included`, `overdue`, `unproved` or `waiting`.
    pub(crate) state: String,
    /// When the log is late, by its own epochs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<String>,
    /// Why nothing is proved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<String>,
}

/// Takes an event in: 202 while the log has time, 200 when there is more to say.
pub(super) async fn hand_in(
    Of(shared): Of<Shared>,
    Extension(peer): Extension<Peer>,
    body: Body,
) -> Response {
    // Before the body is read: that is what a flood would cost.
    if !shared.turnstile.admits(peer, NonZeroU32::MIN) {
        return later(StatusCode::TOO_MANY_REQUESTS, "too many from this address");
    }
    // One more for the newline at the end of a file.
    let bytes = match whole(body, limits::EVENT_BYTES + 1).await {
        Ok(bytes) => bytes,
        Err(refused) => return refused,
    };
    let event = match Event::parse(json::without_newline(&bytes)) {
        Ok(event) => event,
        Err(cause) => return plain(StatusCode::BAD_REQUEST, &format!("not an event: {cause}")),
    };
    let Ok(_permit) = shared.hands.clone().try_acquire_owned() else {
        return later(StatusCode::SERVICE_UNAVAILABLE, "busy");
    };
    let taken = tokio::task::spawn_blocking(move || {
        let now = match shared.host.now() {
            Ok(now) => now,
            Err(failure) => return plain(StatusCode::INTERNAL_SERVER_ERROR, &failure.cause()),
        };
        look(&shared, Look::New);
        with(&shared, |serving| {
            let id = event.id();
            let Serving { mirror, handed } = serving;
            match handed.take_in(&mirror.auditor, event, now) {
                Ok(_) => state(serving, &id),
                Err(why) => refused(&why),
            }
        })
    });
    taken.await.unwrap_or_else(|_| fault())
}

/// Says where an event stands.
pub(super) async fn stands(
    Of(shared): Of<Shared>,
    Extension(peer): Extension<Peer>,
    Segment(event): Segment<String>,
) -> Response {
    let Ok(event) = Hash::from_base64url(&event) else {
        return plain(StatusCode::BAD_REQUEST, "not the identity of an event");
    };
    if !shared.turnstile.admits(peer, NonZeroU32::MIN) {
        return later(StatusCode::TOO_MANY_REQUESTS, "too many from this address");
    }
    let Ok(_permit) = shared.hands.clone().try_acquire_owned() else {
        return later(StatusCode::SERVICE_UNAVAILABLE, "busy");
    };
    let read = tokio::task::spawn_blocking(move || with(&shared, |serving| state(serving, &event)));
    read.await.unwrap_or_else(|_| fault())
}

/// Does something when the auditor is not replaying.
fn with(shared: &Shared, work: impl FnOnce(&mut Serving) -> Response) -> Response {
    match shared.serving.try_lock() {
        Ok(mut serving) => work(&mut serving),
        Err(TryLockError::Poisoned(held)) => work(&mut held.into_inner()),
        Err(TryLockError::WouldBlock) => later(
            StatusCode::SERVICE_UNAVAILABLE,
            "replaying: hand it in again",
        ),
    }
}

fn state(serving: &Serving, event: &Hash) -> Response {
    let found = match serving.handed.state(&serving.mirror.auditor, event) {
        Ok(Some(found)) => found,
        Ok(None) => return plain(StatusCode::NOT_FOUND, "no such event was handed in"),
        Err(cause) => return plain(StatusCode::INTERNAL_SERVER_ERROR, &cause.to_string()),
    };
    let (state, handed) = found;
    let mut answer = Answer {
        event: event.to_base64url(),
        evidence: None,
        handed: handed.and_then(|handed| raw(handed.bytes())),
        index: None,
        state: "waiting".to_owned(),
        until: handed.map(|handed: &Handed| serving.handed.until(handed).to_string()),
        why: None,
    };
    let mut status = StatusCode::OK;
    match state {
        State::Waiting => status = StatusCode::ACCEPTED,
        State::Included(index) => {
            "included".clone_into(&mut answer.state);
            answer.index = Some(index.0);
        }
        State::Overdue(path) => {
            "overdue".clone_into(&mut answer.state);
            match files::read(&path, limits::EVIDENCE_BYTES + 1) {
                Ok(bytes) => answer.evidence = raw(json::without_newline(&bytes).to_vec()),
                Err(failure) => {
                    tracing::error!(cause = %failure.cause(), "evidence cannot be read");
                    return plain(StatusCode::INTERNAL_SERVER_ERROR, "evidence cannot be read");
                }
            }
        }
        State::Unproved(why) => {
            "unproved".clone_into(&mut answer.state);
            answer.why = Some(why);
        }
    }
    match serde_json::to_string(&answer) {
        Ok(text) => said(status, "application/json", text),
        Err(_) => fault(),
    }
}

/// Canonical JSON of ours as it is.
fn raw(bytes: Vec<u8>) -> Option<Box<RawValue>> {
    let text = String::from_utf8(bytes).ok()?;
    RawValue::from_string(text).ok()
}

fn refused(why: &NotTaken) -> Response {
    let text = match why {
        NotTaken::Inadmissible(NotJudged::Refused(refusal)) => {
            format!("{}: {refusal}", refusal.code())
        }
        why => why.to_string(),
    };
    match why {
        NotTaken::Full { .. } => later(StatusCode::TOO_MANY_REQUESTS, &text),
        NotTaken::Inadmissible(_) | NotTaken::Unsigned { .. } => {
            plain(StatusCode::UNPROCESSABLE_ENTITY, &text)
        }
        NotTaken::NoHead | NotTaken::Nameless => later(StatusCode::SERVICE_UNAVAILABLE, &text),
        NotTaken::OtherLog(_) => plain(StatusCode::NOT_FOUND, &text),
        NotTaken::Trouble(_) => {
            tracing::error!(cause = %text, "an event was not taken in");
            plain(StatusCode::INTERNAL_SERVER_ERROR, "the event was not kept")
        }
    }
}

fn later(status: StatusCode, why: &str) -> Response {
    let mut answer = plain(status, why);
    answer.headers_mut().insert(header::RETRY_AFTER, AGAIN);
    answer
}

fn fault() -> Response {
    plain(StatusCode::INTERNAL_SERVER_ERROR, "a fault")
}
