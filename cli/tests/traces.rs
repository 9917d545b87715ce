//! `zhao serve --otlp`: what a collector is told, what it is never told, and that the server does
//! not need it.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod support;

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use support::server::{Server, key, serve};
use support::{food, office, zhao};

const HOLDER: &str = "91320400DEM000110X";

/// One request that a collector got: everything before the body, and the body.
type Got = (String, Vec<u8>);

/// A collector that answers every message with this status; ends with the test's process.
fn collector(status: &'static str) -> (String, Receiver<Got>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (tell, told) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let tell = tell.clone();
            thread::spawn(move || {
                while let Some(got) = message(&mut stream) {
                    let _ = tell.send(got);
                    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
                    if stream.write_all(answer.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    (url, told)
}

fn message(stream: &mut TcpStream) -> Option<Got> {
    let mut bytes = Vec::new();
    let mut piece = [0; 16 << 10];
    loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..at].to_vec()).unwrap();
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                let named = name.eq_ignore_ascii_case("content-length");
                named.then(|| value.trim().parse::<usize>().ok())?
            });
            if let Some(body) = bytes.get(at + 4..at + 4 + length.unwrap_or(0)) {
                return Some((head, body.to_vec()));
            }
        }
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => return None,
            Ok(length) => bytes.extend_from_slice(&piece[..length]),
        }
    }
}

/// Everything that a collector was told by a server that has ended.
fn spans(told: &Receiver<Got>) -> (Vec<Span>, Vec<u8>) {
    let (mut spans, mut raw) = (Vec::new(), Vec::new());
    while let Ok((head, body)) = told.try_recv() {
        assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{head}");
        assert!(
            head.to_lowercase()
                .contains("content-type: application/x-protobuf")
        );
        raw.extend_from_slice(head.as_bytes());
        raw.extend_from_slice(&body);
        let request = ExportTraceServiceRequest::decode(&body[..]).unwrap();
        for one in request.resource_spans {
            let names = one.resource.unwrap().attributes;
            assert!(names.iter().any(|one| one.key == "service.name"));
            spans.extend(one.scope_spans.into_iter().flat_map(|scope| scope.spans));
        }
    }
    (spans, raw)
}

fn attribute(span: &Span, name: &str) -> Option<String> {
    let found = span.attributes.iter().find(|one| one.key == name)?;
    match found.value.clone()?.value? {
        Value::StringValue(text) => Some(text),
        Value::IntValue(number) => Some(number.to_string()),
        other => panic!("{name} is {other:?}"),
    }
}

fn with_collector(dir: &Path, url: &str) -> Server {
    serve(dir, &["--otlp", url])
}

#[test]
fn requests_and_the_stages_of_a_commit_are_told_and_nothing_about_anybody() {
    let dir = tempfile::tempdir().unwrap();
    office(dir.path());
    let admin = key(dir.path(), "admin");
    let (url, told) = collector("200 OK");
    let server = with_collector(dir.path(), &url);
    let issued = server
        .post(&admin, "/v1/licences", &food("示例餐馆"))
        .is(201);
    let id = issued.header("x-request-id").unwrap().to_owned();
    let made = issued.json();
    let subject = made["licence"]["subject"].as_str().unwrap().to_owned();
    let number = made["licence"]["number"].as_str().unwrap().to_owned();
    let act = r#"{"verb": "revoke", "reason": "复核"}"#;
    let path = format!("/v1/licences/{subject}/acts");
    server.post(&admin, &path, act).is(200);
    server
        .get(&format!("/v1/public/enterprises/{HOLDER}"))
        .is(200);
    server
        .get_with(&admin, &format!("/v1/licences?holder={HOLDER}"))
        .is(200);
    server
        .get(&format!("/v1/nowhere/{HOLDER}?name={number}"))
        .is(404);
    let forwarded = [
        ("X-Forwarded-For", "203.0.113.77"),
        ("User-Agent", "somebody"),
    ];
    server.ask(HOLDER, "/healthz", &forwarded, b"");
    server.get("/checkpoint").is(200);
    let (code, lines) = server.stop();
    assert_eq!(code, 0);
    // The lines are what they are without a collector.
    let line = format!("INFO answered id={id} method=POST route=/v1/licences status=201");
    assert!(lines.contains(&line), "{lines}");

    let (spans, raw) = spans(&told);
    let names: BTreeSet<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    for name in [
        "POST /v1/licences",
        "POST /v1/licences/{id}/acts",
        "GET /v1/public/enterprises/{uscc}",
        "GET -",
        "work",
        "commit",
        "derive",
        "check",
        "write",
        "sign",
        "cosign",
        "publish",
    ] {
        assert!(names.contains(name), "no {name} in {names:?}");
    }
    // Static files are asked for by the thousand.
    assert!(
        !names.iter().any(|name| name.contains("checkpoint")),
        "{names:?}"
    );
    let one = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
    let request = one("POST /v1/licences");
    assert_eq!(attribute(request, "zhao.request"), Some(id));
    let status = attribute(request, "http.response.status_code");
    assert_eq!(status.as_deref(), Some("201"));
    let work = spans.iter().filter(|span| span.name == "work");
    let mut work = work.filter(|span| span.trace_id == request.trace_id);
    assert!(work.any(|span| span.parent_span_id == request.span_id));
    let commit = one("commit");
    assert_eq!(attribute(commit, "events").as_deref(), Some("1"));
    assert_eq!(commit.parent_span_id, b"");
    let written = spans
        .iter()
        .find(|span| span.parent_span_id == commit.span_id);
    assert_eq!(written.unwrap().trace_id, commit.trace_id);

    for secret in [
        "示例餐馆",
        "示例甲",
        "复核",
        HOLDER,
        admin.as_str(),
        number.as_str(),
        subject.as_str(),
        "203.0.113.77",
        "somebody",
        "127.0.0.1:0",
        "nowhere",
        dir.path().to_str().unwrap(),
    ] {
        let there = raw
            .windows(secret.len())
            .any(|part| part == secret.as_bytes());
        assert!(!there, "the collector was told {secret}");
    }
    // And no attribute that nobody thought of.
    let known = [
        "events",
        "http.request.method",
        "http.response.status_code",
        "http.route",
        "kind",
        "level",
        "zhao.request",
    ];
    for span in &spans {
        assert!(span.events.is_empty(), "{span:?}");
        for one in &span.attributes {
            assert!(known.contains(&one.key.as_str()), "{}: {one:?}", span.name);
        }
    }
}

/// Runs it on a thread; fails when it takes five minutes.
fn soon<T: Send + 'static>(what: &str, run: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, ended) = channel();
    thread::spawn(move || {
        let _ = done.send(run());
    });
    let ended = ended.recv_timeout(Duration::from_secs(300));
    ended.unwrap_or_else(|_| panic!("{what}: not within five minutes"))
}

#[test]
fn a_collector_that_never_answers_neither_slows_nor_keeps_the_server() {
    let dir = tempfile::tempdir().unwrap();
    office(dir.path());
    // One takes connections and is silent, one does not even take them, one is not there.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let full = TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap();
    let addresses = [&silent, &full, &gone].map(|one| one.local_addr().unwrap());
    drop(gone);
    thread::spawn(move || {
        let mut held = Vec::new();
        for stream in silent.incoming() {
            held.push(stream);
        }
    });
    for address in addresses {
        let server = with_collector(dir.path(), &format!("http://{address}"));
        // More than the queue holds: each is a span for the request and one for its work. Were
        // one of them to wait for the collector, five seconds each, this would take hours.
        let server = soon("the requests", move || {
            for _ in 0..2_500 {
                server.get("/v1/checkpoint").is(200);
            }
            server
        });
        let (code, lines) = soon("the end", move || server.stop());
        assert_eq!(code, 0, "{lines}");
        assert!(lines.matches("the collector takes no spans").count() <= 1);
        assert!(
            !lines.contains("ERROR") && !lines.contains("panicked"),
            "{lines}"
        );
    }
    drop(full);
}

#[test]
fn a_collector_that_refuses_is_mentioned_once() {
    let dir = tempfile::tempdir().unwrap();
    office(dir.path());
    let (url, told) = collector("503 Service Unavailable");
    let server = with_collector(dir.path(), &url);
    // Three messages, one after the other: each is waited for.
    for _ in 0..3 {
        server.get("/v1/checkpoint").is(200);
        told.recv_timeout(Duration::from_secs(60)).unwrap();
    }
    let (code, lines) = server.stop();
    assert_eq!(code, 0);
    let said = "WARN the collector takes no spans cause=status 503";
    assert_eq!(lines.matches(said).count(), 1, "{lines}");
}

#[test]
fn a_collector_that_is_no_address_or_holds_a_secret_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    office(dir.path());
    for wrong in [
        "127.0.0.1:4318",
        "http://",
        "http://a:b@127.0.0.1:4318",
        "ftp://a",
    ] {
        let ran = zhao(dir.path(), &["serve", "office", "--otlp", wrong]).code(2);
        assert!(
            ran.error().contains("expected http:// or https://"),
            "{}",
            ran.stderr
        );
    }
    let toml = dir.path().join("office/zhao.toml");
    let text = std::fs::read_to_string(&toml).unwrap();
    let bad = format!("{text}\n[serve]\notlp = \"http://a:b@127.0.0.1:4318\"\n");
    std::fs::write(&toml, bad).unwrap();
    let ran = zhao(dir.path(), &["serve", "office"]).code(2);
    assert!(ran.error().contains("zhao.toml"), "{}", ran.stderr);
    let good = format!("{text}\n[serve]\notlp = \"http://127.0.0.1:1\"\n");
    std::fs::write(&toml, good).unwrap();
    assert_eq!(serve(dir.path(), &[]).stop().0, 0);
}
