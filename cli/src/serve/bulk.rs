//! Batches of any length: rows come in as a stream, what became of each goes out as a stream.
//!
//! The body is first written to a file without a name in the office's directory, so that a batch
//! that breaks off on its way issues nothing, and its encoding can be found out. Then rows are
//! declared a chunk at a time; the office is held for one chunk and let go of. A few chunks are
//! under way at once, which is the bound of memory.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fs::File;
use std::io::{BufReader, Seek as _, Write as _};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use http_body_util::BodyExt as _;
use hyper::body::Frame;
use tokio::sync::{mpsc, oneshot};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use zhao_http::{BulkEnd, BulkLine, BulkQuery, Issued, Kind, Scope, limits};
use zhao_issuer::intake::{self, Defaults, Remark, Row, RowError};
use zhao_issuer::office::{Outcome, RowOutcome, Ticket};

use super::acts::{
    defaults, generator, intake_refused, issued, must_not_be_json, says_csv, settled_within,
    waiting,
};
use super::app::App;
use super::extract::{Asked, Caller, must_be};
use super::office::view_of;
use super::refused::Refused;
use crate::failure::args;

/// Rows declared in one transaction, with the office in hand.
const CHUNK: usize = 250;
/// Chunks between declaring and reporting.
const WINDOW: usize = 4;
/// Pieces of a body or an answer on their way.
const PIECES: usize = 16;
/// Lines of the answer are sent when there are so many bytes of them.
const PIECE_BYTES: usize = 64 << 10;
/// A row with what to wait with for the ledger's answer to it.
type Declared = (u64, Outcome, Option<Ticket>, Vec<Remark>);

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(bulk))
}

/// Issue any number of licences
///
/// The body is a batch as `zhao issue` reads it: CSV or JSON lines. Nothing is issued before it is
/// there as a whole. The answer has a line of JSON for each row, in their order, and ends with a
/// line that says how the batch ended. Give rows a `reference`: the same batch again issues
/// nothing twice. Whoever stops reading the answer stops the batch.
#[utoipa::path(post, path = "/v1/licences/bulk", tag = "office", security(("key" = [])),
    params(BulkQuery,
        ("Zhao-Operator" = Option<String>, Header,
            description = "Who acts: a name, percent-encoded UTF-8", max_length = 1_200)),
    request_body(content(
        (String = "text/csv"), (serde_json::Value = "application/x-ndjson"),
        (serde_json::Value = "application/octet-stream")),
        description = "The batch: rows are objects, and what is none is refused alone"),
    responses((status = 200, description = "Lines, each a BulkLine", body = String,
        content_type = "application/x-ndjson")))]
async fn bulk(
    State(app): State<App>,
    caller: Caller,
    Asked(query): Asked<BulkQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refused> {
    const KINDS: [&str; 3] = [
        "text/csv",
        "application/x-ndjson",
        "application/octet-stream",
    ];
    caller.must(&app, Scope::Issue)?;
    must_be(&app, &headers, &KINDS)?;
    let csv = says_csv(&headers);
    let turn = app.bulk_turn()?;
    let (to_file, pieces) = mpsc::channel(PIECES);
    let (to_caller, lines) = mpsc::channel(PIECES);
    let (opened, open) = oneshot::channel();
    let worker = app.clone();
    // Finished even if whoever asked has gone: as far as rows were declared.
    tokio::task::spawn_blocking(move || {
        let _turn = turn;
        let mut answer = Lines::new(to_caller);
        match spool(&worker, pieces, csv) {
            Err(refused) => drop(opened.send(Err(refused))),
            Ok(file) => {
                let operator = caller.operator.as_deref();
                run(&worker, file, &query, operator, opened, &mut answer);
            }
        }
    });
    feed(&app, body, to_file).await?;
    match open.await {
        Ok(Ok(())) => {}
        Ok(Err(refused)) => return Err(refused),
        Err(_) => return Err(app.both.internal(&"a batch without answer")),
    }
    let kind = HeaderValue::from_static("application/x-ndjson");
    let body = Body::new(Answer(lines));
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, kind)], body).into_response())
}

/// Passes the body on, piece by piece, each in time.
async fn feed(
    app: &App,
    mut body: Body,
    to_file: mpsc::Sender<Option<Bytes>>,
) -> Result<(), Refused> {
    let time = Duration::from_secs(limits::BODY_SECONDS);
    let mut left = limits::BULK_BODY_BYTES;
    loop {
        let next = tokio::time::timeout(time, body.frame()).await;
        let next = next.map_err(|_| app.both.refuse(Kind::Timeout, "slow-body", &[]))?;
        let frame = match next {
            None => break,
            Some(Ok(frame)) => frame,
            Some(Err(_)) => return Err(app.both.refuse(Kind::Malformed, "body-broken", &[])),
        };
        let Ok(piece) = frame.into_data() else {
            continue;
        };
        let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        left = left.checked_sub(length).ok_or_else(|| {
            let limit = limits::BULK_BODY_BYTES;
            app.both.refuse(Kind::TooLarge, "body-long", &args![limit])
        })?;
        // Nobody takes it: the disk refused, which is said in the end.
        if to_file.send(Some(piece)).await.is_err() {
            return Ok(());
        }
    }
    // The whole of it: without this the file is thrown away.
    let _ = to_file.send(None).await;
    Ok(())
}

/// The body in a file that has no name, and is gone when it is closed.
fn spool(app: &App, mut pieces: mpsc::Receiver<Option<Bytes>>, csv: bool) -> Result<File, Refused> {
    let wrap = |error: std::io::Error| app.both.internal(&error);
    let mut file = tempfile::tempfile_in(&app.spool).map_err(wrap)?;
    let mut first = None;
    loop {
        match pieces.blocking_recv() {
            Some(Some(piece)) => {
                let begin = || piece.iter().find(|byte| !byte.is_ascii_whitespace());
                first = first.or_else(|| begin().copied());
                file.write_all(&piece).map_err(wrap)?;
            }
            Some(None) => break,
            None => return Err(app.both.refuse(Kind::Malformed, "body-broken", &[])),
        }
    }
    if csv {
        must_not_be_json(app, first.as_ref())?;
    }
    file.rewind().map_err(wrap)?;
    Ok(file)
}

fn run(
    app: &App,
    file: File,
    query: &BulkQuery,
    operator: Option<&str>,
    opened: oneshot::Sender<Result<(), Refused>>,
    answer: &mut Lines,
) {
    let licence_type = query.licence_type.as_deref();
    let batch = defaults(app, licence_type, query.unit.as_deref()).and_then(|defaults| {
        let batch = intake::open(BufReader::new(file), &app.catalogue, licence_type)
            .map_err(|error| intake_refused(app, &error))?;
        Ok((defaults, batch))
    });
    let (defaults, batch) = match batch {
        Ok(both) => both,
        Err(refused) => return drop(opened.send(Err(refused))),
    };
    if opened.send(Ok(())).is_err() {
        return;
    }
    let mut rows = intake::distinct(batch);
    let mut end = BulkEnd::default();
    let result = if query.dry_run == Some(true) {
        judge(app, &mut rows, &defaults, answer, &mut end)
    } else {
        issue(app, &mut rows, (&defaults, operator), answer, &mut end)
    };
    end.problem = result.err().map(|refused| refused.0);
    answer.put(&BulkLine::End(end));
    answer.flush();
}

/// Issues rows until there are no more, the caller has gone, or the ledger does not answer.
fn issue(
    app: &App,
    rows: &mut dyn Iterator<Item = Result<Row, RowError>>,
    (defaults, operator): (&Defaults, Option<&str>),
    answer: &mut Lines,
    end: &mut BulkEnd,
) -> Result<(), Refused> {
    let mut rng = generator(app)?;
    let mut flying: VecDeque<Vec<Declared>> = VecDeque::new();
    let (mut trouble, mut tired) = (None, false);
    loop {
        let stop = trouble.is_some() || answer.gone;
        if !stop && app.is_ending() {
            trouble = Some(app.both.refuse(Kind::Unavailable, "stopping", &[]));
            continue;
        }
        let chunk: Vec<_> = match stop {
            true => Vec::new(),
            false => rows.take(CHUNK).collect(),
        };
        let more = !chunk.is_empty();
        if more {
            match declare(app, chunk, defaults, operator, &mut rng) {
                Ok(declared) => flying.push_back(declared),
                Err(refused) => trouble = Some(refused),
            }
        }
        if flying.len() < WINDOW && more {
            continue;
        }
        let Some(chunk) = flying.pop_front() else {
            if more {
                continue;
            }
            return trouble.map_or(Ok(()), Err);
        };
        // Once the ledger let one wait too long, nobody waits for it any more.
        let mut patience = if tired { Duration::ZERO } else { app.patience };
        for (row, outcome, ticket, remarks) in chunk {
            let outcome = settled_within(app, outcome, ticket, &mut patience)?;
            let mut line = issued(app, row, outcome)?;
            line.receipt = None;
            line.remarks = app.both.remarks(&remarks);
            count(end, &line.status);
            answer.put(&BulkLine::Row(Box::new(line)));
        }
        if patience.is_zero() {
            tired = true;
            trouble.get_or_insert_with(|| app.both.refuse(Kind::Unavailable, "no-quorum", &[]));
        }
    }
}

fn declare(
    app: &App,
    chunk: Vec<Result<Row, RowError>>,
    defaults: &Defaults,
    operator: Option<&str>,
    rng: &mut rand_chacha::ChaCha20Rng,
) -> Result<Vec<Declared>, Refused> {
    let now = app.now()?;
    let mut office = app.office_for(operator);
    let declared = office
        .declare_batch(chunk, defaults, now, rng)
        .map_err(|error| app.both.office(error))?;
    let mut remarks = office.take_remarks();
    let rows = declared.into_iter().map(|(row, outcome)| {
        let (outcome, ticket) = waiting(app, &office, outcome)?;
        Ok((
            row,
            outcome,
            ticket,
            remarks.remove(&row).unwrap_or_default(),
        ))
    });
    rows.collect()
}

/// Says what would become of rows; nothing is written.
fn judge(
    app: &App,
    rows: &mut dyn Iterator<Item = Result<Row, RowError>>,
    defaults: &Defaults,
    answer: &mut Lines,
    end: &mut BulkEnd,
) -> Result<(), Refused> {
    let mut rng = generator(app)?;
    while !answer.gone {
        if app.is_ending() {
            return Err(app.both.refuse(Kind::Unavailable, "stopping", &[]));
        }
        let chunk: Vec<_> = rows.take(CHUNK).collect();
        if chunk.is_empty() {
            break;
        }
        let now = app.now()?;
        let (judged, mut remarks) = {
            let mut office = app.office();
            let judged = office
                .judge_batch(chunk, defaults, now, &mut rng)
                .map_err(|error| app.both.office(error))?;
            (judged, office.take_remarks())
        };
        for (row, outcome) in judged {
            let mut line = Issued {
                row,
                status: "possible".to_owned(),
                licence: None,
                credential: None,
                receipt: None,
                faults: Vec::new(),
                remarks: app.both.remarks(&remarks.remove(&row).unwrap_or_default()),
            };
            match outcome {
                RowOutcome::Refused(error) => {
                    "refused".clone_into(&mut line.status);
                    line.faults = app.both.faults(&error);
                }
                RowOutcome::Repeated(licence) => {
                    "repeated".clone_into(&mut line.status);
                    line.licence = Some(view_of(&licence));
                }
                _ => {}
            }
            count(end, &line.status);
            answer.put(&BulkLine::Row(Box::new(line)));
        }
    }
    Ok(())
}

fn count(end: &mut BulkEnd, status: &str) {
    let count = match status {
        "issued" | "possible" => &mut end.issued,
        "repeated" => &mut end.repeated,
        "pending" => &mut end.pending,
        _ => &mut end.refused,
    };
    *count = count.saturating_add(1);
}

/// Lines on their way to the caller.
struct Lines {
    to_caller: mpsc::Sender<Bytes>,
    buffer: Vec<u8>,
    /// Whether the caller takes no more.
    gone: bool,
}

impl Lines {
    fn new(to_caller: mpsc::Sender<Bytes>) -> Self {
        Self {
            to_caller,
            buffer: Vec::new(),
            gone: false,
        }
    }

    fn put(&mut self, line: &BulkLine) {
        match serde_json::to_vec(line) {
            Ok(bytes) => self.buffer.extend_from_slice(&bytes),
            // The answer lacks its end then, and is broken off for the caller.
            Err(error) => {
                tracing::error!(%error, "a line of an answer");
                self.gone = true;
            }
        }
        self.buffer.push(b'\n');
        if self.buffer.len() >= PIECE_BYTES {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let piece = Bytes::from(std::mem::take(&mut self.buffer));
        self.gone = self.gone || self.to_caller.blocking_send(piece).is_err();
    }
}

/// The body of the answer.
struct Answer(mpsc::Receiver<Bytes>);

impl hyper::body::Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.0.poll_recv(context);
        piece.map(|piece| piece.map(|bytes| Ok(Frame::data(bytes))))
    }
}
