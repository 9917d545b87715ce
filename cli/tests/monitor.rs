//! `zhao log` and `zhao monitor`: who watches a log sees every event, and every lie.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod support;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use serde_json::Value;
use support::server::{Server, key, serve, start};
use support::{Ran, food, office, zhao};

const POLICY: [&str; 2] = ["--policy", "office/policy.txt"];

fn monitor(dir: &Path, url: &str, more: &[&str]) -> (Ran, Vec<Value>) {
    let mut all = vec!["monitor", url, "--state", "seen", "--once", "--json"];
    all.extend(POLICY);
    all.extend(more);
    let ran = zhao(dir, &all);
    let lines = ran.stdout.lines();
    let lines = lines.map(|line| serde_json::from_str(line).unwrap());
    (ran.clone(), lines.collect())
}

fn issue(server: &Server, key: &str, name: &str) -> Value {
    let made = server.post(key, "/v1/licences", &food(name)).is(201);
    made.json()
}

/// Answers every request by `answer`, and tells what it got; ends with the test's process.
fn answering(answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (tell, told) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut bytes = Vec::new();
            let mut piece = [0; 16 << 10];
            // To the end of the head, and of the body that it announces.
            let asked = loop {
                let length = stream.read(&mut piece).unwrap_or(0);
                bytes.extend_from_slice(&piece[..length]);
                let text = String::from_utf8_lossy(&bytes).into_owned();
                let body = text.split_once("\r\n\r\n").map(|(head, body)| {
                    let length = head.lines().find_map(|line| {
                        let (name, value) = line.split_once(": ")?;
                        name.eq_ignore_ascii_case("content-length")
                            .then(|| value.parse().ok())?
                    });
                    body.len() >= length.unwrap_or(0_usize)
                });
                if length == 0 || body == Some(true) {
                    break text;
                }
            };
            let _ = stream.write_all(&answer(&asked));
            let _ = tell.send(asked);
        }
    });
    (url, told)
}

fn status(line: &str) -> Vec<u8> {
    format!("HTTP/1.1 {line}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").into_bytes()
}

/// The server's answer to a GET, after `change` had its way with the body.
fn forwarded(to: SocketAddr, asked: &str, change: impl Fn(&str, &mut Vec<u8>)) -> Vec<u8> {
    let path = asked.split(' ').nth(1).unwrap_or("/").to_owned();
    let mut stream = TcpStream::connect(to).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let at = bytes
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap()
        + 4;
    let mut body = bytes.split_off(at);
    change(&path, &mut body);
    bytes.extend(body);
    bytes
}

#[test]
fn events_are_shown_and_reported_once() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    office(dir);
    let admin = key(dir, "admin");
    let server = serve(dir, &[]);
    let made = issue(&server, &admin, "示例餐馆");
    let subject = made["licence"]["subject"].as_str().unwrap();
    let url = server.url();

    let shown = zhao(dir, &["log", &url, "--json"]).code(0);
    assert!(shown.stderr.contains("nothing is checked"));
    let last: Value = serde_json::from_str(shown.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(
        (&last["verb"], &last["subject"]),
        (&"issued".into(), &subject.into())
    );
    let table = zhao(
        dir,
        &["log", &url, "--policy", "office/policy.txt", "--from", "0"],
    )
    .code(0);
    assert!(table.stdout.contains(subject) && table.stderr.is_empty());
    let nowhere = [&["log", "http://127.0.0.1:1"][..], &POLICY].concat();
    let nowhere = zhao(dir, &nowhere).code(2);
    assert!(nowhere.error().starts_with("the log: "));

    let (ran, all) = monitor(dir, &url, &[]);
    ran.code(0);
    assert_eq!(all.len(), table.stdout.lines().count());
    assert!(all.iter().all(|line| line["kind"] == "event"));
    let (ran, none) = monitor(dir, &url, &[]);
    ran.code(0);
    assert_eq!(none.len(), 0);

    // Only what befalls the licence, and only once it was delivered.
    issue(&server, &admin, "示例茶馆");
    let act = server.ask(
        "POST",
        &format!("/v1/licences/{subject}/acts"),
        &[
            ("Authorization", &format!("Bearer {admin}")),
            ("Content-Type", "application/json"),
        ],
        r#"{"verb":"withhold","reason":"示例"}"#.as_bytes(),
    );
    act.is(200);
    let (failing, _) = answering(|_| status("500 No"));
    let watch = ["--subject", subject];
    let (ran, _) = monitor(dir, &url, &[&watch[..], &["--webhook", &failing]].concat());
    assert!(ran.code(2).error().contains("status 500"));
    let (taking, told) = answering(|_| status("204 Yes"));
    let (ran, seen) = monitor(dir, &url, &[&watch[..], &["--webhook", &taking]].concat());
    ran.code(0);
    assert_eq!(seen.len(), 1, "{seen:?}");
    let posted = told.recv().unwrap();
    let (_, body) = posted.split_once("\r\n\r\n").unwrap();
    assert_eq!(serde_json::from_str::<Value>(body).unwrap(), seen[0]);
    assert!(told.try_recv().is_err());

    for (wrong, says) in [
        (["--subject", "short"], "no subject key"),
        (["--unit", "91320400DEM0001100"], "91320400DEM0001100"),
        (["--webhook", "nowhere"], "nowhere"),
    ] {
        issue(&server, &admin, "示例面馆");
        let (ran, _) = monitor(dir, &url, &wrong);
        assert!(ran.clone().code(2).error().contains(says), "{}", ran.stderr);
    }
    std::fs::write(dir.join("seen"), "nonsense").unwrap();
    let (ran, _) = monitor(dir, &url, &[]);
    assert!(ran.code(2).error().contains("no head of this log"));
    server.stop();
}

#[test]
fn a_log_that_shows_other_leaves_or_other_heads_is_caught() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    office(dir);
    let admin = key(dir, "admin");
    let server = serve(dir, &[]);
    issue(&server, &admin, "示例餐馆");

    // An entry changed on the way; hashes changed on the way.
    let to = server.address;
    for (kind, says) in [("/tile/entries/", "leaf"), ("/tile/0/", "root")] {
        let (lying, _) = answering(move |asked| {
            forwarded(to, asked, |path, body| {
                if path.starts_with(kind)
                    && let Some(byte) = body.get_mut(40)
                {
                    *byte ^= 1;
                }
            })
        });
        let (ran, lines) = monitor(dir, &lying, &[]);
        assert!(
            ran.clone().code(2).error().contains(says),
            "{kind}: {}",
            ran.stderr
        );
        assert_eq!(lines.len(), 0);
        assert!(!dir.join("seen").exists());
    }
    let (ran, _) = monitor(dir, &server.url(), &[]);
    ran.code(0);
    server.stop();

    // Two histories under one key.
    let copied = std::process::Command::new("cp")
        .args(["-a", "office", "other"])
        .current_dir(dir)
        .status();
    assert!(copied.unwrap().success());
    let here = serve(dir, &[]);
    issue(&here, &admin, "示例茶馆");
    let there = start(dir, &["serve", "other", "--listen", "127.0.0.1:0"]);
    issue(&there, &admin, "示例面馆");
    let (ran, lines) = monitor(dir, &here.url(), &["--gossip", &there.url()]);
    ran.code(1);
    assert_eq!(lines[0]["kind"], "alarm");
    let verify = ["verify", "evidence.json", "--policy", "office/policy.txt"];
    zhao(dir, &verify).code(0);
    // Without gossip the histories look whole; then the other one is shown in place of this.
    std::fs::remove_file(dir.join("evidence.json")).unwrap();
    monitor(dir, &here.url(), &[]).0.code(0);
    issue(&here, &admin, "示例酒馆");
    monitor(dir, &here.url(), &[]).0.code(0);
    // A shorter one cannot be held against what is no longer shown: odd, and no proof.
    let (ran, lines) = monitor(dir, &there.url(), &[]);
    ran.code(3);
    assert_eq!(lines[0]["kind"], "odd");
    issue(&there, &admin, "示例粥馆");
    issue(&there, &admin, "示例饭馆");
    monitor(dir, &there.url(), &[]).0.code(1);
    zhao(dir, &verify).code(0);
    // Others who show nothing are not silently passed over.
    let (ran, lines) = monitor(dir, &here.url(), &["--gossip", "http://127.0.0.1:1"]);
    ran.code(3);
    assert_eq!(lines[0]["kind"], "odd");
    here.stop();
    there.stop();
}

#[test]
fn figures_are_for_those_with_a_key_and_add_up() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    office(dir);
    let (admin, reader) = (key(dir, "admin"), key(dir, "read"));
    let issuer = key(dir, "issue");
    let server = serve(dir, &[]);
    server.get("/metrics").is(401).problem("unauthenticated");
    server
        .get_with(&issuer, "/metrics")
        .is(403)
        .problem("forbidden");
    let figures = || {
        let answer = server.get_with(&reader, "/metrics").is(200);
        let kind = answer.header("content-type").unwrap();
        assert!(kind.starts_with("application/openmetrics-text"), "{kind}");
        String::from_utf8(answer.body).unwrap()
    };
    let of = |text: &str, name: &str| -> f64 {
        let line = text.lines().find(|line| line.starts_with(name));
        let value = line.unwrap_or_else(|| panic!("no {name} in {text}"));
        value.rsplit(' ').next().unwrap().parse().unwrap()
    };
    let before = figures();
    assert!(before.ends_with("# EOF\n"));
    assert!(!before.contains("zhao_http_requests_total{method=\"GET\",route=\"/v1/licences"));
    issue(&server, &admin, "示例餐馆");
    let after = figures();
    let events = "zhao_events_total{outcome=\"accepted\"}";
    assert!(of(&after, events) > of(&before, events));
    assert!(of(&after, "zhao_log_size") > of(&before, "zhao_log_size"));
    assert!((of(&after, "zhao_published_size") - of(&after, "zhao_log_size")).abs() < 0.5);
    assert!(of(&after, "zhao_outbox_pending").abs() < 0.5);
    assert!(of(&after, "zhao_checkpoint_age_seconds") < 600.0);
    let asked = "zhao_http_requests_total{method=\"POST\",route=\"/v1/licences\",status=\"201\"}";
    assert!((of(&after, asked) - 1.0).abs() < 0.5);
    assert!(after.contains("zhao_cosigner_silent{name="));
    // Whatever anybody makes up is one label.
    server.ask("BREW", "/made/up", &[], b"").is(404);
    assert!(figures().contains("zhao_http_requests_total{method=\"other\",route=\"-\""));
    server.stop();
}

#[test]
fn an_event_speaks_for_itself_and_a_flood_is_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    office(dir);
    let (admin, reader) = (key(dir, "admin"), key(dir, "read"));
    let server = serve(dir, &["--event-rate", "3"]);
    let receipt = issue(&server, &admin, "示例餐馆")["receipt"].clone();
    let event = receipt["event"].to_string();
    let json = [("Content-Type", "application/json")];
    let hand_in = |body: &str| server.ask("POST", "/v1/events", &json, body.as_bytes());
    let again = hand_in(&event).is(200).json();
    assert_eq!(again["answers"][0]["receipt"]["index"], receipt["index"]);
    // A signature that is another's: refused, and it counts.
    let (before, after) = event.split_once("\"signatures\"").unwrap();
    let forged = format!("{before}\"signatures\"{}", after.replacen("\"A", "\"B", 1));
    let forged = match forged == event {
        true => event.replacen("issued", "issuee", 1),
        false => forged,
    };
    let answer = hand_in(&forged);
    assert!(answer.status == 400 || answer.json()["answers"][0]["status"] == "refused");
    // More at once than may come in a minute, then more than are left.
    let four = format!("[{event},{event},{event},{event}]");
    hand_in(&four).is(429).problem("busy");
    hand_in(&event).is(200);
    let mut turned_away = false;
    for _ in 0..3 {
        let answer = hand_in(&event);
        if answer.status == 429 {
            assert!(answer.header("retry-after").is_some());
            turned_away = true;
        }
    }
    assert!(turned_away);
    // With a key there is no such limit; a key that may not is not as good as none.
    for _ in 0..5 {
        server.post(&admin, "/v1/events", &four).is(200);
    }
    server
        .post(&reader, "/v1/events", &event)
        .is(403)
        .problem("forbidden");
    server.post("zhao_x_y", "/v1/events", &event).is(401);
    server.stop();
}
