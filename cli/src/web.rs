//! Asking other people's servers: witnesses, logs, mirrors. Blocking; bounded in time and in bytes.
//!
//! Plain HTTP, and HTTPS under the certificates that the machine trusts.

use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::ring;
use ureq::Agent;
use ureq::http::Response;
use ureq::tls::{RootCerts, TlsConfig};

/// Redirects that are followed.
const REDIRECTS: u32 = 3;

/// Longest answer of a webhook, bytes.
const HOOK_BYTES: u64 = 64 << 10;

/// An answer, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Status code.
    pub(crate) status: u16,
    /// Its body.
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The body as text, where it is text.
    pub(crate) fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.body).ok()
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WebError {
    /// The address is none.
    #[error("{url:?} is not an address: expected http:// or https://")]
    Address {
        /// Beginning of it.
        url: String,
    },
    /// More bytes than such an answer has.
    #[error("{url} answers with more than {limit} bytes")]
    TooLong {
        /// What was asked.
        url: String,
        /// The limit.
        limit: u64,
    },
    /// No answer.
    #[error("{url}: {problem}")]
    Unreachable {
        /// What was asked.
        url: String,
        /// Why.
        problem: String,
    },
}

/// A client with connections that are kept.
#[derive(Clone, Debug)]
pub(crate) struct Web(Agent);

impl Web {
    /// A client whose every question ends after `patience`.
    pub(crate) fn new(patience: Duration) -> Self {
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::PlatformVerifier)
            .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
            .build();
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(REDIRECTS)
            .timeout_global(Some(patience))
            .tls_config(tls)
            .user_agent(concat!("zhao/", env!("CARGO_PKG_VERSION")))
            .build();
        Self(config.new_agent())
    }

    /// Gets what is at `url`: at most `limit` bytes.
    ///
    /// # Errors
    /// See [`WebError`]; a status is none.
    pub(crate) fn get(&self, url: &str, limit: u64) -> Result<Answer, WebError> {
        self.get_as(url, None, limit)
    }

    /// The same, as whoever has this API key.
    ///
    /// # Errors
    /// As [`Web::get`].
    pub(crate) fn get_as(
        &self,
        url: &str,
        key: Option<&str>,
        limit: u64,
    ) -> Result<Answer, WebError> {
        check(url)?;
        let mut question = self.0.get(url);
        if let Some(key) = key {
            question = question.header("Authorization", format!("Bearer {key}"));
        }
        answer(url, limit, question.call())
    }

    /// Posts text to `url`.
    ///
    /// # Errors
    /// As [`Web::get`].
    pub(crate) fn post(&self, url: &str, body: &str, limit: u64) -> Result<Answer, WebError> {
        check(url)?;
        let asked = self.0.post(url).content_type("text/plain").send(body);
        answer(url, limit, asked)
    }

    /// Posts JSON to `url`; of the answer only the status is of interest.
    ///
    /// # Errors
    /// As [`Web::get`].
    pub(crate) fn post_json(&self, url: &str, body: &str) -> Result<Answer, WebError> {
        self.ask_json(url, body.as_bytes(), HOOK_BYTES)
    }

    /// Posts JSON to `url`, for an answer of at most `limit` bytes.
    ///
    /// # Errors
    /// As [`Web::get`].
    pub(crate) fn ask_json(&self, url: &str, body: &[u8], limit: u64) -> Result<Answer, WebError> {
        check(url)?;
        let asked = self.0.post(url).content_type("application/json").send(body);
        answer(url, limit, asked)
    }

    /// Posts protocol buffers to `url`; of the answer only the status is of interest.
    ///
    /// # Errors
    /// As [`Web::get`].
    pub(crate) fn post_protobuf(&self, url: &str, body: &[u8]) -> Result<Answer, WebError> {
        check(url)?;
        let kind = "application/x-protobuf";
        let asked = self.0.post(url).content_type(kind).send(body);
        answer(url, HOOK_BYTES, asked)
    }
}

fn check(url: &str) -> Result<(), WebError> {
    let rest = url
        .strip_prefix("http://")
        .or_else(|| url.strip_prefix("https://"));
    match rest {
        Some(rest) if !rest.is_empty() && !rest.starts_with('/') => Ok(()),
        _ => Err(WebError::Address {
            url: zhao_spec::wire::clip(url),
        }),
    }
}

fn answer(
    url: &str,
    limit: u64,
    asked: Result<Response<ureq::Body>, ureq::Error>,
) -> Result<Answer, WebError> {
    let unreachable = |error: ureq::Error| WebError::Unreachable {
        url: url.to_owned(),
        problem: error.to_string(),
    };
    let mut answer = asked.map_err(unreachable)?;
    let status = answer.status().as_u16();
    let body = answer.body_mut().with_config().limit(limit).read_to_vec();
    let body = body.map_err(|error| match error {
        ureq::Error::BodyExceedsLimit(_) => WebError::TooLong {
            url: url.to_owned(),
            limit,
        },
        other => unreachable(other),
    })?;
    Ok(Answer { status, body })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    /// A server that answers one question with these bytes, and its address.
    fn one(answer: &'static [u8]) -> (String, std::thread::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/x", listener.local_addr().unwrap());
        let serving = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut bytes = [0; 1024];
            let _ = stream.read(&mut bytes).unwrap();
            stream.write_all(answer).unwrap();
        });
        (url, serving)
    }

    fn web() -> Web {
        Web::new(Duration::from_secs(10))
    }

    #[test]
    fn a_status_is_an_answer() {
        let (url, serving) = one(b"HTTP/1.1 409 Conflict\r\nContent-Length: 3\r\n\r\n12\n");
        let answer = web().post(&url, "old 1\n", 100).unwrap();
        assert_eq!((answer.status, answer.text()), (409, Some("12\n")));
        serving.join().unwrap();
    }

    #[test]
    fn what_is_longer_than_agreed_is_not_read() {
        for head in ["Content-Length: 11", "Transfer-Encoding: chunked"] {
            let body = match head.starts_with('C') {
                true => "12345678901",
                false => "b\r\n12345678901\r\n0\r\n\r\n",
            };
            let text = format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{body}");
            let (url, serving) = one(Vec::leak(text.into_bytes()));
            let error = web().get(&url, 10).unwrap_err();
            assert_eq!(error, WebError::TooLong { url, limit: 10 });
            serving.join().unwrap();
        }
    }

    #[test]
    fn addresses_that_are_none_and_servers_that_are_not_there_are_told_apart() {
        for url in ["", "ftp://a/", "http://", "https:///x", "a.example"] {
            assert!(matches!(
                web().get(url, 1).unwrap_err(),
                WebError::Address { .. }
            ));
        }
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", free.local_addr().unwrap());
        drop(free);
        assert!(matches!(
            web().get(&url, 1).unwrap_err(),
            WebError::Unreachable { .. }
        ));
    }
}
