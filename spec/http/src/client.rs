//! A typed client. One connection a request: a command asks a few things and ends.

use std::io::Read;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::mpsc;

use crate::{
    ActAnswer, ActRequest, BatchAnswer, BulkEnd, BulkLine, BulkQuery, FormRequest, Issued,
    LicenceAnswer, LicenceList, OPERATOR, Problem, Standing, TypeList, UnitList, VersionRequest,
    limits,
};

/// What [`escape`] changes: all but the unreserved characters (RFC 3986, section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
/// Until a connection stands.
const CONNECT: Duration = Duration::from_secs(10);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The address is none that this client can use.
    #[error("{actual:?} is not an address: expected http://HOST[:PORT]")]
    Address {
        /// What was given.
        actual: String,
    },
    /// The answer is not what the route promises.
    #[error("the server did not answer as agreed: {0}")]
    Protocol(String),
    /// The server says why not.
    #[error("{0}")]
    Problem(Box<Problem>),
    /// The server cannot be reached, or went away.
    #[error("the server cannot be reached: {0}")]
    Unreachable(String),
}

/// Where the server is.
#[derive(Clone, Debug)]
enum Place {
    Tcp(String),
    Unix(PathBuf),
}

/// Asks one server.
#[derive(Clone)]
pub struct Client {
    place: Place,
    authorization: Option<String>,
    operator: Option<String>,
}

// The key is no text for logs.
impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Client({:?})", self.place)
    }
}

impl Client {
    /// The server at `http://HOST[:PORT]`, with a key.
    ///
    /// # Errors
    /// Another scheme, or no host. TLS ends at a proxy before the server: see `spec/http.md`.
    pub fn tcp(url: &str, key: Option<&str>) -> Result<Self, ClientError> {
        let address = || ClientError::Address {
            actual: url.chars().take(64).collect(),
        };
        let rest = url.strip_prefix("http://").ok_or_else(address)?;
        let authority = rest.trim_end_matches('/');
        let plain = !authority.is_empty()
            && authority
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte));
        if !plain {
            return Err(address());
        }
        let has_port = authority
            .rsplit_once(':')
            .is_some_and(|(_, port)| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()));
        let authority = if has_port {
            authority.to_owned()
        } else {
            format!("{authority}:80")
        };
        Ok(Self {
            place: Place::Tcp(authority),
            authorization: key.map(|key| format!("Bearer {}", key.trim())),
            operator: None,
        })
    }

    /// The server behind a Unix socket, which needs no key.
    #[must_use]
    pub fn unix(path: impl Into<PathBuf>) -> Self {
        Self {
            place: Place::Unix(path.into()),
            authorization: None,
            operator: None,
        }
    }

    /// The same, in the name of a person, whom the server records with every act.
    #[must_use]
    pub fn acting(self, operator: Option<&str>) -> Self {
        Self {
            operator: operator.map(escape),
            ..self
        }
    }

    /// Asks, and gives the answer's bytes.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn ask(&self, question: Question<'_>) -> Result<Vec<u8>, ClientError> {
        let body = Full::new(Bytes::from(question.body.clone()));
        self.open(&question, body).await?.whole().await
    }

    /// Connects and asks.
    async fn open<B>(&self, question: &Question<'_>, body: B) -> Result<Begun, ClientError>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let unreachable = |cause: std::io::Error| ClientError::Unreachable(cause.to_string());
        let late = |_| ClientError::Unreachable("no connection in time".to_owned());
        match &self.place {
            Place::Tcp(authority) => {
                let stream = tokio::time::timeout(CONNECT, TcpStream::connect(authority))
                    .await
                    .map_err(late)?
                    .map_err(unreachable)?;
                self.begin(stream, authority, question, body).await
            }
            Place::Unix(path) => {
                let stream = tokio::time::timeout(CONNECT, UnixStream::connect(path))
                    .await
                    .map_err(late)?
                    .map_err(unreachable)?;
                self.begin(stream, "localhost", question, body).await
            }
        }
    }

    async fn begin<S, B>(
        &self,
        stream: S,
        host: &str,
        question: &Question<'_>,
        body: B,
    ) -> Result<Begun, ClientError>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let gone = |cause: hyper::Error| ClientError::Unreachable(cause.to_string());
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(gone)?;
        // It ends with the sender; what went wrong with it the sender says too.
        let driver = tokio::spawn(connection);
        let mut request = Request::builder()
            .method(question.method.clone())
            .uri(question.path)
            .header(header::HOST, host)
            .header(header::ACCEPT, question.accept);
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        if let Some(operator) = &self.operator {
            request = request.header(OPERATOR, operator);
        }
        if let Some(kind) = question.content_type {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        if let Some(tag) = question.if_match {
            request = request.header(header::IF_MATCH, tag);
        }
        let request = request
            .body(body)
            .map_err(|cause| ClientError::Protocol(cause.to_string()))?;
        let answer = sender.send_request(request).await.map_err(gone)?;
        Ok(Begun {
            answer,
            driver: Driver(driver.abort_handle()),
            _sender: Box::new(sender),
        })
    }

    /// As [`Client::ask`], the answer read as JSON.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn read<T: DeserializeOwned>(
        &self,
        question: Question<'_>,
    ) -> Result<T, ClientError> {
        let bytes = self.ask(question).await?;
        serde_json::from_slice(&bytes).map_err(|cause| ClientError::Protocol(cause.to_string()))
    }

    /// The newest checkpoint with its signatures.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn checkpoint(&self) -> Result<String, ClientError> {
        let bytes = self.ask(Question::get("/v1/checkpoint")).await?;
        String::from_utf8(bytes).map_err(|cause| ClientError::Protocol(cause.to_string()))
    }

    /// A subject's record with its proof.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn standing(&self, subject: &str) -> Result<Standing, ClientError> {
        self.read(Question::get(&format!("/v1/subjects/{}", escape(subject))))
            .await
    }

    /// A subject's history, as a file.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn history(&self, subject: &str) -> Result<Vec<u8>, ClientError> {
        let path = format!("/v1/subjects/{}/history", escape(subject));
        self.ask(Question::get(&path)).await
    }

    /// The receipt of an event, as a file, by the event's identity.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn receipt(&self, event: &str) -> Result<Vec<u8>, ClientError> {
        let path = format!("/v1/receipts/{}", escape(event));
        self.ask(Question::get(&path)).await
    }

    /// The same as a COSE receipt, which carries no cosignatures.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn cose_receipt(&self, event: &str) -> Result<Vec<u8>, ClientError> {
        let path = format!("/v1/receipts/{}", escape(event));
        let question = Question {
            accept: "application/cose, application/problem+json",
            ..Question::get(&path)
        };
        self.ask(question).await
    }

    /// The dossier of a credential, as a file.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn dossier(
        &self,
        credential: Vec<u8>,
        authorities: bool,
    ) -> Result<Vec<u8>, ClientError> {
        let path = format!("/v1/dossiers?authorities={authorities}");
        self.ask(Question::post(&path, credential)).await
    }

    /// The open licences of an enterprise, as a file.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn enterprise(&self, uscc: &str) -> Result<Vec<u8>, ClientError> {
        let path = format!("/v1/public/enterprises/{}", escape(uscc));
        self.ask(Question::get(&path)).await
    }

    /// A fresh issuer pack, as a file.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn issuer_pack(&self) -> Result<Vec<u8>, ClientError> {
        self.ask(Question::get("/v1/public/issuer-pack")).await
    }

    /// A licence of the office, by subject key or credential id.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn licence(&self, id: &str) -> Result<LicenceAnswer, ClientError> {
        self.read(Question::get(&format!("/v1/licences/{}", escape(id))))
            .await
    }

    /// Licences of the office; `query` is what follows `?`, escaped.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn licences(&self, query: &str) -> Result<LicenceList, ClientError> {
        self.read(Question::get(&format!("/v1/licences?{query}")))
            .await
    }

    /// Issues one licence.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn issue(&self, row: Vec<u8>) -> Result<Issued, ClientError> {
        self.read(Question::post("/v1/licences", row)).await
    }

    /// Issues a batch: CSV, a JSON array or JSON lines.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn issue_batch(
        &self,
        batch: Vec<u8>,
        licence_type: Option<&str>,
        unit: Option<&str>,
    ) -> Result<BatchAnswer, ClientError> {
        let mut path = "/v1/licences/batch?".to_owned();
        for (name, value) in [("type", licence_type), ("unit", unit)] {
            if let Some(value) = value {
                path.push_str(&format!("{name}={}&", escape(value)));
            }
        }
        let question = Question {
            content_type: Some("application/octet-stream"),
            ..Question::post(path.trim_end_matches(['&', '?']), batch)
        };
        self.read(question).await
    }

    /// Issues a batch of any length: CSV or JSON lines. `on_row` hears of every row, in their
    /// order, as the server answers; neither batch nor answer is in memory as a whole.
    ///
    /// # Errors
    /// See [`ClientError`]; an answer that breaks off.
    pub async fn issue_bulk<R: Read + Send + 'static>(
        &self,
        batch: R,
        query: &BulkQuery,
        on_row: &mut dyn FnMut(Issued),
    ) -> Result<BulkEnd, ClientError> {
        let mut path = "/v1/licences/bulk?".to_owned();
        let dry_run = query.dry_run.map(|dry| dry.to_string());
        for (name, value) in [
            ("type", &query.licence_type),
            ("unit", &query.unit),
            ("dry_run", &dry_run),
        ] {
            if let Some(value) = value {
                path.push_str(&format!("{name}={}&", escape(value)));
            }
        }
        let question = Question {
            content_type: Some("application/octet-stream"),
            accept: "application/x-ndjson, application/problem+json",
            ..Question::post(path.trim_end_matches(['&', '?']), Vec::new())
        };
        let begun = self.open(&question, feed(batch)).await?;
        if !begun.answer.status().is_success() {
            begun.whole().await?;
            return Err(ClientError::Protocol("no lines".to_owned()));
        }
        let mut lines = begun;
        let (mut rest, mut end) = (Vec::new(), None);
        while let Some(frame) = lines.answer.body_mut().frame().await {
            let frame = frame.map_err(|cause| ClientError::Unreachable(cause.to_string()))?;
            let Ok(piece) = frame.into_data() else {
                continue;
            };
            rest.extend_from_slice(&piece);
            let mut from = 0;
            while let Some(length) = rest
                .get(from..)
                .and_then(|rest| rest.iter().position(|byte| *byte == b'\n'))
            {
                let line = rest.get(from..from + length).unwrap_or_default();
                match serde_json::from_slice(line) {
                    Ok(BulkLine::Row(row)) => on_row(*row),
                    Ok(BulkLine::End(last)) => end = Some(last),
                    Err(cause) => return Err(ClientError::Protocol(cause.to_string())),
                }
                from += length + 1;
            }
            rest.drain(..from);
            if rest.len() > limits::BULK_LINE_BYTES {
                return Err(ClientError::Protocol("a line is too long".to_owned()));
            }
        }
        end.ok_or_else(|| ClientError::Unreachable("the answer broke off".to_owned()))
    }

    /// The licence types of the office.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn types(&self) -> Result<TypeList, ClientError> {
        self.read(Question::get("/v1/catalogue")).await
    }

    /// Says what befell a licence. `if_match` is the licence's state as the caller knows it.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn act(
        &self,
        id: &str,
        act: &ActRequest,
        if_match: Option<&str>,
    ) -> Result<ActAnswer, ClientError> {
        let path = format!("/v1/licences/{}/acts", escape(id));
        let question = Question {
            if_match,
            ..Question::post(&path, body(act)?)
        };
        self.read(question).await
    }

    /// A licence in another form, as the request says.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn form(&self, id: &str, wanted: &FormRequest) -> Result<Vec<u8>, ClientError> {
        let path = format!("/v1/licences/{}/forms", escape(id));
        self.ask(Question::post(&path, body(wanted)?)).await
    }

    /// Issues a new version of a licence.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn version(&self, id: &str, version: &VersionRequest) -> Result<Issued, ClientError> {
        let path = format!("/v1/licences/{}/versions", escape(id));
        self.read(Question::post(&path, body(version)?)).await
    }

    /// The office's units.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn units(&self) -> Result<UnitList, ClientError> {
        self.read(Question::get("/v1/units")).await
    }
}

/// An answer of which the head is there.
struct Begun {
    answer: Response<Incoming>,
    driver: Driver,
    /// The connection lives as long as this.
    _sender: Box<dyn std::any::Any + Send>,
}

/// What moves the bytes; it ends with this.
struct Driver(tokio::task::AbortHandle);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Begun {
    /// The whole body, or the problem it is.
    async fn whole(self) -> Result<Vec<u8>, ClientError> {
        let Self { answer, driver, .. } = self;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), limits::ANSWER_BYTES)
            .collect()
            .await
            .map_err(|cause| ClientError::Unreachable(cause.to_string()))?
            .to_bytes();
        drop(driver);
        if status.is_success() {
            return Ok(body.to_vec());
        }
        Err(problem(status, &body))
    }
}

/// Pieces of a body on their way, and how long each is.
const PIECES: usize = 8;
const PIECE_BYTES: usize = 64 << 10;

/// A body that is read while it is sent, on a thread for blocking work.
fn feed<R: Read + Send + 'static>(mut batch: R) -> Feed {
    let (to_body, pieces) = mpsc::channel(PIECES);
    tokio::task::spawn_blocking(move || {
        let mut buffer = vec![0; PIECE_BYTES];
        loop {
            let piece = match batch.read(&mut buffer) {
                Ok(0) => return,
                Ok(length) => Ok(Bytes::copy_from_slice(
                    buffer.get(..length).unwrap_or_default(),
                )),
                Err(cause) if cause.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(cause) => Err(cause),
            };
            // An error breaks the request off: half a batch is none.
            let last = piece.is_err();
            if to_body.blocking_send(piece).is_err() || last {
                return;
            }
        }
    });
    Feed(pieces)
}

struct Feed(mpsc::Receiver<std::io::Result<Bytes>>);

impl Body for Feed {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<std::io::Result<Frame<Bytes>>>> {
        let piece = self.0.poll_recv(context);
        piece.map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}

/// One request.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    method: Method,
    path: &'a str,
    accept: &'a str,
    content_type: Option<&'a str>,
    if_match: Option<&'a str>,
    body: Vec<u8>,
}

impl<'a> Question<'a> {
    /// Reads `path`.
    #[must_use]
    pub fn get(path: &'a str) -> Self {
        Self {
            method: Method::GET,
            path,
            accept: "application/json, */*;q=0.1",
            content_type: None,
            if_match: None,
            body: Vec::new(),
        }
    }

    /// Posts JSON to `path`.
    #[must_use]
    pub fn post(path: &'a str, body: Vec<u8>) -> Self {
        Self {
            method: Method::POST,
            content_type: Some("application/json"),
            body,
            ..Self::get(path)
        }
    }
}

fn body<T: serde::Serialize>(value: &T) -> Result<Vec<u8>, ClientError> {
    serde_json::to_vec(value).map_err(|cause| ClientError::Protocol(cause.to_string()))
}

fn problem(status: StatusCode, body: &[u8]) -> ClientError {
    match serde_json::from_slice::<Problem>(body) {
        Ok(problem) => ClientError::Problem(Box::new(problem)),
        Err(_) => ClientError::Protocol(format!("status {status} without a problem")),
    }
}

/// A segment of a path, a value of a query or of a header.
#[must_use]
pub fn escape(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

#[cfg(test)]
mod tests;
