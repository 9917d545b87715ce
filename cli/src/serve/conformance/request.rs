//! What a request says: its members and its options, each checked before anything is done.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
use http_body_util::BodyExt as _;
use zhao_http::{Kind, limits};
use zhao_spec::wire::clip;
use zhao_spec::wire::foreign::{Foreign, parse_foreign};

use super::BODY_BYTES;
use super::json::each;
use super::trouble::{Trouble, What};
use crate::failure::args;
use crate::serve::refused::{Both, Refused};

/// Longest challenge, domain or name in a request, bytes.
const OPTION_BYTES: usize = 1_024;
/// Domains of one request, or checks.
const OPTION_ITEMS: usize = 16;

/// Of a body that is too long, what is passed over before it is refused, bytes.
const PASSED_OVER: usize = 64 << 20;

/// What one request wants done.
#[derive(Debug)]
pub(super) struct Request {
    members: Vec<(String, Foreign)>,
}

/// Refuses a body that is not JSON by its own word.
pub(super) fn must_be_json(both: &Both, headers: &HeaderMap) -> Result<(), Refused> {
    let given = headers.get(header::CONTENT_TYPE);
    let given = given.and_then(|value| value.to_str().ok()).unwrap_or("");
    let kind = given.split(';').next().unwrap_or_default().trim();
    let kind = kind.to_ascii_lowercase();
    if kind == "application/json" || kind == "application/ld+json" {
        return Ok(());
    }
    let expected = "application/json";
    Err(both.refuse(Kind::MediaType, "media-type", &args![expected]))
}

/// The body of a request, at most [`BODY_BYTES`] of it.
///
/// What is longer is passed over for a while before it is refused: who still sends when the
/// connection ends would see a broken connection, and no answer.
///
/// # Errors
/// Too long, too slow, or the connection broke.
pub(super) async fn whole(both: &Both, mut body: Body) -> Result<Bytes, Refused> {
    let mut kept = Vec::new();
    let mut over = 0_usize;
    let read = async {
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame?.into_data() else {
                continue;
            };
            if over > 0 || data.len() > BODY_BYTES - kept.len() {
                kept = Vec::new();
                over = over.saturating_add(data.len());
                if over > PASSED_OVER {
                    break;
                }
            } else {
                kept.extend_from_slice(&data);
            }
        }
        Ok::<_, axum::Error>(())
    };
    let read = tokio::time::timeout(Duration::from_secs(limits::BODY_SECONDS), read).await;
    match read {
        _ if over > 0 => Err(both.refuse(Kind::TooLarge, "body-long", &args![limit = BODY_BYTES])),
        Ok(Ok(())) => Ok(kept.into()),
        Ok(Err(_)) => Err(both.refuse(Kind::Malformed, "body-broken", &[])),
        Err(_) => Err(both.refuse(Kind::Timeout, "slow-body", &[])),
    }
}

impl Request {
    /// The request of a body that has these members at most.
    ///
    /// # Errors
    /// No JSON, no object, or a member that the route does not know.
    pub(super) fn read(bytes: &[u8], known: &[&str]) -> Result<Self, Trouble> {
        let value = parse_foreign(bytes)
            .map_err(|error| Trouble::new(What::Parsing, "json", format!("the body: {error}")))?;
        let Foreign::Object(members) = value else {
            let detail = "the body is no JSON object";
            return Err(Trouble::new(What::Malformed, "request-object", detail));
        };
        if let Some((name, _)) = members
            .iter()
            .find(|(name, _)| !known.contains(&name.as_str()))
        {
            let detail = format!("{} is no member of this request", clip(name));
            return Err(Trouble::new(What::Malformed, "request-member", detail));
        }
        Ok(Self { members })
    }

    /// A member, where there is one.
    pub(super) fn member(&self, name: &str) -> Option<&Foreign> {
        let mut members = self.members.iter();
        members
            .find(|(other, _)| other == name)
            .map(|(_, value)| value)
    }

    /// The member, which must be there.
    pub(super) fn must(&self, name: &'static str) -> Result<&Foreign, Trouble> {
        self.member(name).ok_or_else(|| {
            let detail = format!("the request has no {name}");
            Trouble::new(What::Malformed, "request-missing", detail)
        })
    }

    /// The member, which must be there and be an object.
    pub(super) fn object(&self, name: &'static str) -> Result<&Foreign, Trouble> {
        match self.must(name)? {
            object @ Foreign::Object(_) => Ok(object),
            _ => {
                let detail = format!("{name} is no object");
                Err(Trouble::new(What::Malformed, "request-object", detail))
            }
        }
    }

    /// The text of a member, where there is one.
    pub(super) fn text(&self, name: &'static str) -> Result<Option<&str>, Trouble> {
        self.member(name)
            .map(|value| short(name, value))
            .transpose()
    }

    /// The member as a truth value, where there is one.
    pub(super) fn flag(&self, name: &'static str) -> Result<Option<bool>, Trouble> {
        self.member(name)
            .map(|value| truth(name, value))
            .transpose()
    }

    /// The options, all of them among `known`.
    ///
    /// # Errors
    /// No object, or an option that is not known: what somebody asked for is never left out
    /// without a word.
    pub(super) fn options(&self, known: &[&str]) -> Result<Options<'_>, Trouble> {
        let members = match self.member("options") {
            None | Some(Foreign::Null) => &[][..],
            Some(Foreign::Object(members)) => members.as_slice(),
            Some(_) => {
                let detail = "options is no object";
                return Err(Trouble::new(What::Malformed, "request-object", detail));
            }
        };
        if let Some((name, _)) = members
            .iter()
            .find(|(name, _)| !known.contains(&name.as_str()))
        {
            let detail = format!("options.{} is not known here", clip(name));
            return Err(Trouble::new(What::Malformed, "option-unknown", detail));
        }
        Ok(Options { members })
    }
}

/// The options of a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options<'a> {
    members: &'a [(String, Foreign)],
}

impl<'a> Options<'a> {
    /// An option's value; `null` is none.
    pub(super) fn value(&self, name: &str) -> Option<&'a Foreign> {
        let mut members = self.members.iter();
        members
            .find(|(other, _)| other == name)
            .map(|(_, value)| value)
            .filter(|value| **value != Foreign::Null)
    }

    /// An option that is a text.
    pub(super) fn text(&self, name: &'static str) -> Result<Option<&'a str>, Trouble> {
        self.value(name).map(|value| short(name, value)).transpose()
    }

    /// An option that is a text or several.
    pub(super) fn texts(&self, name: &'static str) -> Result<Vec<&'a str>, Trouble> {
        let values = self.value(name).map(each).unwrap_or_default();
        if values.len() > OPTION_ITEMS {
            let detail = format!("options.{name} has more than {OPTION_ITEMS} values");
            return Err(Trouble::new(What::Malformed, "option-value", detail));
        }
        values.iter().map(|value| short(name, value)).collect()
    }

    /// An option that is yes or no, and no where it is not given.
    pub(super) fn flag(&self, name: &'static str) -> Result<bool, Trouble> {
        let flag = self
            .value(name)
            .map(|value| truth(name, value))
            .transpose()?;
        Ok(flag.unwrap_or_default())
    }
}

fn short<'a>(name: &str, value: &'a Foreign) -> Result<&'a str, Trouble> {
    let text = value.as_text().filter(|text| text.len() <= OPTION_BYTES);
    text.filter(|text| !text.is_empty()).ok_or_else(|| {
        let detail = format!("{name} is no text of 1 to {OPTION_BYTES} bytes");
        Trouble::new(What::Malformed, "option-value", detail)
    })
}

fn truth(name: &str, value: &Foreign) -> Result<bool, Trouble> {
    match value {
        Foreign::Bool(value) => Ok(*value),
        _ => {
            let detail = format!("{name} is neither true nor false");
            Err(Trouble::new(What::Malformed, "option-value", detail))
        }
    }
}
