//! What requests carry: who asks, path, query and body, each refused in our own words.

use std::net::IpAddr;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use zhao_http::{Kind, OPERATOR, Scope, Verbatim, limits};
use zhao_issuer::text;

use super::app::App;
use super::refused::{Both, Refused};
use crate::failure::args;
use crate::session::OPERATOR_CHARS;

/// Where a request came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    /// Over the network.
    Tcp(IpAddr),
    /// Through the socket in the office's directory, which only its owner can open.
    Local,
}

/// Who asks.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    scopes: Vec<Scope>,
    /// The person who acts, as the caller says; it is the caller who knows its people.
    pub(crate) operator: Option<String>,
}

impl Caller {
    /// Whether it may.
    ///
    /// # Errors
    /// Another scope is needed.
    pub(crate) fn must(&self, app: &App, scope: Scope) -> Result<(), Refused> {
        if self.scopes.contains(&scope) || self.scopes.contains(&Scope::Admin) {
            return Ok(());
        }
        let scope = scope.as_str();
        Err(app.both.refuse(Kind::Forbidden, "scope", &args![scope]))
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refused> {
        if parts.extensions.get::<Peer>() == Some(&Peer::Local) {
            let scopes = vec![Scope::Admin];
            let operator = operator(&app.both, &parts.headers)?;
            return Ok(Self { scopes, operator });
        }
        let unknown = || app.both.refuse(Kind::Unauthenticated, "no-key", &[]);
        let mut given = parts.headers.get_all(header::AUTHORIZATION).iter();
        let (Some(value), None) = (given.next(), given.next()) else {
            return Err(unknown());
        };
        let value = value.to_str().map_err(|_| unknown())?;
        let (scheme, key) = value.split_once(' ').ok_or_else(unknown)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(unknown());
        }
        let now = app.now()?;
        let scopes = app
            .keys
            .scopes(key.trim(), now)
            .map_err(|error| app.both.internal(&error))?
            .ok_or_else(unknown)?;
        let operator = operator(&app.both, &parts.headers)?;
        Ok(Self { scopes, operator })
    }
}

/// Who asks, where nobody need be known: whoever shows a key must show a good one.
#[derive(Debug)]
pub(crate) struct Anyone(pub(crate) Option<Caller>);

impl FromRequestParts<App> for Anyone {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refused> {
        let local = parts.extensions.get::<Peer>() == Some(&Peer::Local);
        if !local && !parts.headers.contains_key(header::AUTHORIZATION) {
            return Ok(Self(None));
        }
        let caller = Caller::from_request_parts(parts, app).await?;
        Ok(Self(Some(caller)))
    }
}

/// The name in [`OPERATOR`], in clear.
fn operator(both: &Both, headers: &HeaderMap) -> Result<Option<String>, Refused> {
    let wrong = || both.refuse(Kind::Malformed, "operator", &args![limit = OPERATOR_CHARS]);
    let mut given = headers.get_all(OPERATOR).iter();
    let Some(value) = given.next() else {
        return Ok(None);
    };
    if given.next().is_some() {
        return Err(wrong());
    }
    let name = value.to_str().map_err(|_| wrong())?;
    let name = percent_decode_str(name).decode_utf8();
    let name = name.map_err(|_| wrong())?;
    let clean = text::required(&name, OPERATOR_CHARS).map_err(|_| wrong())?;
    Ok(Some(clean))
}

/// A segment of the path.
#[derive(Debug)]
pub(crate) struct Segment(pub(crate) String);

impl FromRequestParts<App> for Segment {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refused> {
        let path = Path::<String>::from_request_parts(parts, app).await;
        path.map(|Path(text)| Self(text))
            .map_err(|_| app.both.refuse(Kind::Malformed, "path", &[]))
    }
}

/// The query, every name known.
#[derive(Debug)]
pub(crate) struct Asked<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<App> for Asked<T> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refused> {
        Query::<T>::try_from_uri(&parts.uri)
            .map(|Query(query)| Self(query))
            .map_err(|error| {
                let cause = zhao_spec::wire::clip(&error.body_text());
                app.both.refuse(Kind::Malformed, "query", &args![cause])
            })
    }
}

/// Refuses a body of another kind.
///
/// # Errors
/// None of `kinds` is its media type.
pub(crate) fn must_be(app: &App, headers: &HeaderMap, kinds: &[&str]) -> Result<(), Refused> {
    let given = headers.get(header::CONTENT_TYPE);
    let given = given
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let kind = given.split(';').next().unwrap_or_default().trim();
    if kinds.iter().any(|known| known.eq_ignore_ascii_case(kind)) {
        return Ok(());
    }
    let expected = kinds.join(", ");
    Err(app
        .both
        .refuse(Kind::MediaType, "media-type", &args![expected]))
}

/// The whole body, if it is short enough and comes in time.
///
/// # Errors
/// Too long, too slow, or broken off.
pub(crate) async fn read(app: &App, body: Body, limit: usize) -> Result<Bytes, Refused> {
    let time = Duration::from_secs(limits::BODY_SECONDS);
    within(&app.both, body, limit, time).await
}

/// The same with limits of the caller's.
///
/// # Errors
/// As [`read`].
pub(super) async fn within(
    both: &Both,
    body: Body,
    limit: usize,
    time: Duration,
) -> Result<Bytes, Refused> {
    let collected = tokio::time::timeout(time, Limited::new(body, limit).collect());
    match collected.await {
        Err(_) => Err(both.refuse(Kind::Timeout, "slow-body", &[])),
        Ok(Ok(bytes)) => Ok(bytes.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(both.refuse(Kind::TooLarge, "body-long", &args![limit]))
        }
        Ok(Err(_)) => Err(both.refuse(Kind::Malformed, "body-broken", &[])),
    }
}

/// A JSON body of at most [`limits::BODY_BYTES`].
///
/// # Errors
/// As [`must_be`] and [`read`]; not the JSON of a `T`.
pub(crate) async fn json<T: DeserializeOwned>(
    app: &App,
    headers: &HeaderMap,
    body: Body,
) -> Result<T, Refused> {
    must_be(app, headers, &["application/json"])?;
    let bytes = read(app, body, limits::BODY_BYTES).await?;
    serde_json::from_slice(&bytes).map_err(|error| {
        let cause = zhao_spec::wire::clip(&error.to_string());
        app.both.refuse(Kind::Malformed, "json", &args![cause])
    })
}

/// An answer in JSON.
pub(crate) fn answer<T: Serialize>(app: &App, status: StatusCode, value: &T) -> Response {
    match serde_json::to_vec(value) {
        Ok(bytes) => verbatim(status, "application/json", bytes),
        Err(error) => app.both.internal(&error).into_response(),
    }
}

/// An answer that is bytes.
pub(crate) fn verbatim(
    status: StatusCode,
    kind: &'static str,
    bytes: impl Into<Bytes>,
) -> Response {
    let kind = HeaderValue::from_static(kind);
    (status, [(header::CONTENT_TYPE, kind)], bytes.into()).into_response()
}

/// Canonical JSON of ours within an answer.
///
/// # Errors
/// It is no JSON, which is a bug.
pub(crate) fn raw(app: &App, bytes: Vec<u8>) -> Result<Verbatim, Refused> {
    let text = String::from_utf8(bytes).map_err(|error| app.both.internal(&error))?;
    RawValue::from_string(text).map_err(|error| app.both.internal(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    /// Sends its pieces, and then nothing more, without an end.
    struct Slow(Vec<Bytes>);

    impl hyper::body::Body for Slow {
        type Data = Bytes;
        type Error = std::io::Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<std::io::Result<hyper::body::Frame<Bytes>>>> {
            match self.0.pop() {
                Some(piece) if piece.is_empty() => {
                    Poll::Ready(Some(Err(std::io::Error::other("gone"))))
                }
                Some(piece) => Poll::Ready(Some(Ok(hyper::body::Frame::data(piece)))),
                None => Poll::Pending,
            }
        }
    }

    #[test]
    fn a_persons_name_is_read_as_it_was_meant_or_refused() {
        let both = Both::new();
        let ask = |values: &[&[u8]]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(OPERATOR, HeaderValue::from_bytes(value).unwrap());
            }
            operator(&both, &headers).map_err(|refused| refused.0.status)
        };
        assert_eq!(ask(&[]), Ok(None));
        assert_eq!(ask(&[b"Li Wei"]), Ok(Some("Li Wei".to_owned())));
        assert_eq!(ask(&[b"%E6%9D%8E%E4%BC%9F"]), Ok(Some("李伟".to_owned())));
        let long = "a".repeat(OPERATOR_CHARS + 1);
        for bad in [
            &[&b""[..]][..],
            &[b"%20"],
            &[b"a", b"a"],
            &[b"%FF"],
            &[b"\xe6\x9d\x8e"],
            &[b"a%0Ab"],
            &[b"a%E2%80%8Bb"],
            &[long.as_bytes()],
        ] {
            assert_eq!(ask(bad), Err(400), "{bad:?}");
        }
    }

    #[tokio::test]
    async fn bodies_that_are_slow_long_or_broken_are_refused() {
        let both = Both::new();
        let ask = async |pieces: &[&'static str], limit| {
            let pieces = pieces
                .iter()
                .rev()
                .map(|text| Bytes::from_static(text.as_bytes()));
            let body = Body::new(Slow(pieces.collect()));
            let read = within(&both, body, limit, Duration::from_millis(5)).await;
            read.unwrap_err().0.status
        };
        assert_eq!(ask(&[], 9).await, 408);
        assert_eq!(ask(&["{"], 9).await, 408);
        // Too long is said at once, broken too.
        assert_eq!(ask(&["12345", "67890"], 9).await, 413);
        assert_eq!(ask(&["1", ""], 9).await, 400);
        let whole = within(&both, Body::from("123"), 3, Duration::from_millis(5)).await;
        assert_eq!(&whole.unwrap()[..], b"123");
    }
}
