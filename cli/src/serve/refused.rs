//! Every reason not to do what was asked, as a problem in both languages.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use zhao_http::{Fault, Kind, MEDIA_TYPE, Problem};
use zhao_issuer::intake::Remark;
use zhao_issuer::office::{IssueError, OfficeError};
use zhao_ledger::pipeline::SubmitError;
use zhao_ledger::read::ReadError;
use zhao_ledger::sequence::{CommitError, ReceiptError};

use crate::failure::{Exit, Failure};
use crate::messages::{Argument, Language, Messages};
use crate::said::{self, Said};

/// Seconds after which a busy server is worth asking again.
const RETRY_SECONDS: u64 = 2;

/// The refusal of a request, and where it is known when to come again: after so many seconds.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) Box<Problem>, Option<u64>);

impl Refused {
    /// The same; whoever comes again after this time is let through.
    pub(crate) fn until(mut self, wait: Duration) -> Self {
        let begun = u64::from(wait.subsec_nanos() > 0);
        self.1 = Some(wait.as_secs().saturating_add(begun));
        self
    }
}

/// The sentences of both languages.
#[derive(Debug)]
pub(crate) struct Both {
    en: Messages,
    zh: Messages,
}

impl Both {
    /// English and Chinese.
    pub(crate) fn new() -> Self {
        Self {
            en: Messages::new(Language::En),
            zh: Messages::new(Language::Zh),
        }
    }

    /// A problem whose detail is the sentence `http.KEY`.
    pub(crate) fn refuse(&self, kind: Kind, key: &str, arguments: &[Argument]) -> Refused {
        let key = format!("http.{key}");
        let [en, zh] = [&self.en, &self.zh].map(|texts| texts.fill(&key, arguments));
        Refused(Box::new(Problem::new(kind, en, zh)), None)
    }

    /// What a command would say, as a problem.
    pub(crate) fn failure(&self, kind: Kind, failure: &Failure) -> Refused {
        let (en, _) = failure.lines(&self.en);
        let (zh, _) = failure.lines(&self.zh);
        let problem = Problem::new(kind, en, zh).with_code(failure.code());
        Refused(Box::new(problem), None)
    }

    /// A wrong value, or a rule against it.
    pub(crate) fn unfit(&self, failure: &Failure) -> Refused {
        let kind = match failure.exit() {
            Exit::Refused => Kind::Refused,
            _ => Kind::Malformed,
        };
        self.failure(kind, failure)
    }

    /// What is wrong with a row.
    pub(crate) fn faults(&self, error: &IssueError) -> Vec<Fault> {
        let said = said::issue(error);
        said.iter().map(|said| self.fault(said)).collect()
    }

    /// What is to be known of a row that was not refused for it.
    pub(crate) fn remarks(&self, remarks: &[Remark]) -> Vec<Fault> {
        let said = remarks.iter().map(said::remark);
        said.map(|said| self.fault(&said)).collect()
    }

    fn fault(&self, said: &Said) -> Fault {
        Fault {
            code: said.code().to_owned(),
            text: said.text(&self.en),
            text_zh: said.text(&self.zh),
        }
    }

    /// The office's refusal.
    pub(crate) fn office(&self, error: OfficeError) -> Refused {
        let kind = match &error {
            OfficeError::NoLicence { .. } => Kind::NotFound,
            OfficeError::NotIssued { .. } | OfficeError::Conflict { .. } => Kind::Conflict,
            OfficeError::OutboxFull { .. } => Kind::Busy,
            OfficeError::Client(_) => Kind::Unavailable,
            OfficeError::Issue(IssueError::Ledger { code, .. }) => rule(code),
            OfficeError::Issue(_)
            | OfficeError::Unit(_)
            | OfficeError::CodeNotAllowed
            | OfficeError::Controller { .. }
            | OfficeError::Form(_)
            | OfficeError::NotApplicable { .. }
            | OfficeError::Grounds { .. }
            | OfficeError::Code { .. } => Kind::Refused,
            OfficeError::NotPlain { .. } => Kind::Malformed,
            _ => return self.internal(&error),
        };
        let faults = match &error {
            OfficeError::Issue(error) => self.faults(error),
            _ => Vec::new(),
        };
        let mut refused = self.failure(kind, &said::office(error));
        refused.0.faults = faults;
        refused
    }

    /// The life cycle's refusal.
    pub(crate) fn rule(&self, code: &str, detail: &str) -> Refused {
        let failure = Failure::said(vec![Said::refusal(code, detail)]);
        self.failure(rule(code), &failure)
    }

    /// The queue's refusal.
    pub(crate) fn submit(&self, error: &SubmitError) -> Refused {
        match error {
            SubmitError::Busy { .. } => self.refuse(Kind::Busy, "queue-full", &[]),
            SubmitError::TooLarge { .. } => self.refuse(Kind::TooLarge, "too-many-events", &[]),
            _ => self.refuse(Kind::Unavailable, "stopping", &[]),
        }
    }

    /// The sequencer's refusal.
    pub(crate) fn commit(&self, error: &CommitError) -> Refused {
        match error {
            CommitError::Backlog { .. } | CommitError::Unconfirmed { .. } => {
                tracing::warn!(%error, "the ledger takes nothing now");
                self.refuse(Kind::Unavailable, "no-quorum", &[])
            }
            CommitError::BatchTooLarge { .. } | CommitError::LeafTooLong { .. } => {
                self.refuse(Kind::TooLarge, "too-many-events", &[])
            }
            _ => {
                tracing::error!(%error, "the ledger stopped");
                self.refuse(Kind::Unavailable, "ledger-stopped", &[])
            }
        }
    }

    /// The reader's refusal.
    pub(crate) fn read(&self, error: ReadError) -> Refused {
        match error {
            ReadError::Absent { .. } => self.refuse(Kind::NotFound, "no-subject", &[]),
            error => self.internal(&error),
        }
    }

    /// The refusal of a receipt in COSE form.
    pub(crate) fn receipt(&self, error: ReceiptError) -> Refused {
        match error {
            ReceiptError::Read(error) => self.read(error),
            // The quorum is another than when the head was published; the next one has it.
            ReceiptError::WithoutQuorum => self.refuse(Kind::Unavailable, "no-quorum", &[]),
            error => self.internal(&error),
        }
    }

    /// A fault of ours. The log says which; the asker has no use for it.
    pub(crate) fn internal(&self, cause: &dyn std::fmt::Display) -> Refused {
        tracing::error!(%cause, "a request failed");
        self.refuse(Kind::Internal, "internal", &[])
    }
}

/// Whether the life cycle refuses because somebody else was faster.
fn rule(code: &str) -> Kind {
    match code {
        "seq_mismatch"
        | "prev_mismatch"
        | "predecessor_seq_mismatch"
        | "predecessor_prev_mismatch"
        | "already_succeeded" => Kind::Conflict,
        _ => Kind::Refused,
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or_default();
        let body = serde_json::to_vec(&self.0).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        match status {
            StatusCode::UNAUTHORIZED => {
                let scheme = HeaderValue::from_static("Bearer realm=\"zhao\"");
                headers.insert(header::WWW_AUTHENTICATE, scheme);
            }
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                let seconds = self.1.unwrap_or(RETRY_SECONDS);
                headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            _ => {}
        }
        response.extensions_mut().insert(Told(self.0));
        response
    }
}

/// The problem of a response, so that the frame can add the request's id.
#[derive(Clone, Debug)]
pub(crate) struct Told(pub(crate) Box<Problem>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_told_how_long_to_wait_is_not_told_too_little() {
        let both = Both::new();
        for (millis, seconds) in [(1, "1"), (1_000, "1"), (1_001, "2"), (59_999, "60")] {
            let refused = both.refuse(Kind::Busy, "busy", &[]);
            let refused = refused.until(Duration::from_millis(millis));
            let response = refused.into_response();
            assert_eq!(response.headers()[header::RETRY_AFTER], seconds);
        }
    }

    #[test]
    fn full_queues_say_when_to_come_again() {
        let both = Both::new();
        let waiting = 20_000;
        let full = SubmitError::Busy {
            waiting,
            limit: waiting,
        };
        let office = OfficeError::OutboxFull {
            waiting: 7,
            limit: 7,
        };
        for refused in [both.submit(&full), both.office(office)] {
            let response = refused.into_response();
            assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
            assert_eq!(response.headers()[header::RETRY_AFTER], "2");
        }
        let stopping = both.submit(&SubmitError::Stopping).into_response();
        assert_eq!(stopping.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(stopping.headers()[header::RETRY_AFTER], "2");
    }
}
