//! `zhao serve`: batches of any length, keys that end while they are used, who is told to wait, and
//! what the commands of the directory's owner do meanwhile.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod support;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;

use serde_json::{Value, json};
use support::server::{self, Answer, Server, key, serve};
use support::{food, office, zhao};
use zhao_spec::wire::UnixMillis;

const HOLDER: &str = "91320400DEM000110X";

fn started() -> (tempfile::TempDir, Server, String) {
    let dir = tempfile::tempdir().unwrap();
    office(dir.path());
    let admin = key(dir.path(), "admin");
    let server = serve(dir.path(), &[]);
    (dir, server, admin)
}

/// Rows with references, each its own premises; every hundredth has no holder.
fn rows(count: usize) -> String {
    let mut text = String::new();
    for row in 1..=count {
        let mut value: Value = serde_json::from_str(&food("示例餐馆")).unwrap();
        value["reference"] = json!(format!("case-{row}"));
        value["premises"] = json!(format!("示例路{row}号"));
        if row % 100 == 0 {
            value["holderName"] = json!("");
        }
        text.push_str(&value.to_string());
        text.push('\n');
    }
    text
}

fn headers<'a>(bearer: &'a str, kind: &'a str) -> [(&'a str, &'a str); 2] {
    [("Authorization", bearer), ("Content-Type", kind)]
}

const LINES: &str = "application/x-ndjson";

fn bulk(server: &Server, key: &str, query: &str, body: &str) -> Answer {
    let bearer = format!("Bearer {key}");
    let path = format!("/v1/licences/bulk{query}");
    server.ask("POST", &path, &headers(&bearer, LINES), body.as_bytes())
}

/// The lines of an answer in chunks of HTTP/1.1.
fn lines(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.header("transfer-encoding"), Some("chunked"));
    let (mut rest, mut whole) = (&answer.body[..], Vec::new());
    loop {
        let at = rest.windows(2).position(|two| two == b"\r\n").unwrap();
        let length = std::str::from_utf8(&rest[..at]).unwrap();
        let length = usize::from_str_radix(length, 16).unwrap();
        if length == 0 {
            break;
        }
        whole.extend_from_slice(&rest[at + 2..at + 2 + length]);
        rest = &rest[at + 2 + length + 2..];
    }
    let text = String::from_utf8(whole).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn count(server: &Server, key: &str) -> usize {
    let (mut count, mut after) = (0, 0);
    loop {
        let page = server.get_with(key, &format!("/v1/licences?after={after}"));
        let page = page.is(200).json();
        count += page["licences"].as_array().unwrap().len();
        match page["next"].as_u64() {
            Some(next) => after = next,
            None => return count,
        }
    }
}

#[test]
fn a_long_batch_is_answered_row_by_row_and_issues_nothing_twice() {
    let (dir, server, admin) = started();
    let body = rows(1_300);
    let dry = lines(&bulk(&server, &admin, "?dry_run=true", &body).is(200));
    let end = json!({"issued": 1287, "pending": 0, "refused": 13, "repeated": 0});
    assert_eq!(dry.last().unwrap()["end"], end);
    assert_eq!(dry[0]["row"]["status"], "possible");
    assert_eq!(count(&server, &admin), 0);

    let made = lines(&bulk(&server, &admin, "", &body).is(200));
    assert_eq!(made.len(), 1_301);
    assert_eq!(made.last().unwrap()["end"], end);
    for (at, line) in made[..1_300].iter().enumerate() {
        let row = &line["row"];
        assert_eq!(row["row"], at + 1);
        let expected = if (at + 1) % 100 == 0 {
            "refused"
        } else {
            "issued"
        };
        assert_eq!(row["status"], expected, "{row}");
        assert_eq!(row["faults"].is_array(), expected == "refused");
        assert_eq!(row["credential"].is_object(), expected == "issued");
    }
    assert_eq!(count(&server, &admin), 1_287);

    let again = lines(&bulk(&server, &admin, "", &body).is(200));
    let end = json!({"issued": 0, "pending": 0, "refused": 13, "repeated": 1287});
    assert_eq!(again.last().unwrap()["end"], end);
    assert_eq!(again[0]["row"]["credential"], made[0]["row"]["credential"]);
    assert_eq!(count(&server, &admin), 1_287);
    // A row twice in one batch is one licence.
    let twice = format!("{0}\n{0}\n", food("又一店"));
    let twice = lines(&bulk(&server, &admin, "", &twice).is(200));
    assert_eq!(twice[0]["row"]["status"], "issued");
    assert_eq!(twice[1]["row"]["status"], "refused");
    let (code, stderr) = server.stop();
    assert_eq!(code, 0, "{stderr}");
    drop(dir);
}

#[test]
fn a_batch_that_cannot_be_read_or_breaks_off_issues_nothing() {
    let (_dir, server, admin) = started();
    let bearer = format!("Bearer {admin}");
    bulk(&server, &admin, "", "").is(400).problem("malformed");
    bulk(&server, &admin, "?colour=red", "{}")
        .is(400)
        .problem("malformed");
    bulk(&server, &admin, "?unit=1", "{}")
        .is(400)
        .problem("malformed");
    bulk(&server, &admin, "?type=fishing", "{}")
        .is(400)
        .problem("malformed");
    bulk(&server, "none", "", &food("甲店"))
        .is(401)
        .problem("unauthenticated");
    let json = headers(&bearer, "application/json");
    let refused = server.ask("POST", "/v1/licences/bulk", &json, b"[]");
    refused.is(415).problem("media-type");
    // An object is no array of rows, whatever it says.
    let object = server.ask("POST", "/v1/licences/batch", &json, food("甲店").as_bytes());
    object.is(400).problem("malformed");

    // Half of what was promised.
    let body = rows(50);
    let all = headers(&bearer, LINES);
    let bytes = server::request("POST", "/v1/licences/bulk", &all, body.as_bytes());
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.write_all(&bytes[..bytes.len() - 20]).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    assert!(!rest.starts_with(b"HTTP/1.1 200"));
    assert_eq!(count(&server, &admin), 0);
}

#[test]
fn who_brings_too_many_batches_at_once_is_told_to_wait() {
    let (_dir, server, admin) = started();
    let bearer = format!("Bearer {admin}");
    let row = food("甲店");
    let all = [
        ("Authorization", &*bearer),
        ("Content-Type", LINES),
        ("Expect", "100-continue"),
    ];
    // Each says that more is to come, and the server waits for it.
    let mut held = Vec::new();
    for _ in 0..2 {
        let bytes = server::request("POST", "/v1/licences/bulk", &all, row.as_bytes());
        let head = bytes.len() - row.len();
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.write_all(&bytes[..head]).unwrap();
        let mut go = [0; 25];
        stream.read_exact(&mut go).unwrap();
        assert!(go.starts_with(b"HTTP/1.1 100 Continue"));
        held.push((stream, bytes[head..].to_vec()));
    }
    let refused = bulk(&server, &admin, "", &row).is(429).problem("busy");
    assert_eq!(refused.header("retry-after"), Some("2"));
    // Others are not kept waiting by them.
    server.post(&admin, "/v1/licences", &food("乙店")).is(201);
    for (mut stream, body) in held {
        stream.write_all(&body).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        assert_eq!(
            lines(&server::parse(&bytes).is(200))[0]["row"]["status"],
            "issued"
        );
    }
    bulk(&server, &admin, "", &food("丙店")).is(200);
}

#[test]
fn the_same_reference_with_another_row_is_refused() {
    let (_dir, server, admin) = started();
    let bearer = format!("Bearer {admin}");
    let ask = |body: &str| {
        let mut all = headers(&bearer, "application/json").to_vec();
        all.push(("Idempotency-Key", "case-1"));
        server.ask("POST", "/v1/licences", &all, body.as_bytes())
    };
    let row = food("甲店");
    let first = ask(&row).is(201).json();
    assert_eq!(ask(&row).is(200).json()["licence"], first["licence"]);
    for (from, to) in [
        ("甲店", "乙店"),
        ("示例路1号", "示例路2号"),
        (HOLDER, "91320402DEM0010172"),
        ("热食类", "冷食类"),
    ] {
        let other = row.replace(from, to);
        assert_ne!(other, row);
        ask(&other).is(422).problem("refused");
    }
    let dated = row.replacen('{', "{\"validFrom\":\"2020-01-01\",", 1);
    ask(&dated).is(422).problem("refused");
    assert_eq!(count(&server, &admin), 1);
}

#[test]
fn a_key_that_expires_while_it_is_used_is_refused_from_then_on() {
    let (dir, server, _) = started();
    let made = zhao(
        dir.path(),
        &[
            "api-key",
            "office",
            "add",
            "--name",
            "brief",
            "--scopes",
            "read",
            "--expires",
            "4s",
        ],
    );
    let brief = made.code(0).stdout.trim().to_owned();
    let mut used = 0;
    loop {
        let answer = server.get_with(&brief, "/v1/licences");
        if answer.status == 200 {
            used += 1;
            continue;
        }
        answer.is(401).problem("unauthenticated");
        break;
    }
    assert!(used > 0, "it held before");
    server.get_with(&brief, "/v1/licences").is(401);
    // The same name is not given again, so nobody mistakes one key for another.
    let again = [
        "api-key", "office", "add", "--name", "brief", "--scopes", "read",
    ];
    zhao(dir.path(), &again).code(1);
    let odd = [
        "api-key",
        "office",
        "add",
        "--name",
        "Two Words",
        "--scopes",
        "read",
    ];
    zhao(dir.path(), &odd).code(2);
}

#[test]
fn the_document_is_the_one_that_was_reviewed() {
    let (_dir, server, _) = started();
    let document = server.get("/openapi.json").is(200).json();
    let mut text = serde_json::to_string_pretty(&document).unwrap();
    text.push('\n');
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/http/openapi.json");
    let actual = Path::new(env!("CARGO_TARGET_TMPDIR")).join("openapi.json");
    std::fs::write(&actual, &text).unwrap();
    let committed = std::fs::read_to_string(&path).unwrap();
    let differ = committed.lines().zip(text.lines()).find(|(a, b)| a != b);
    assert!(
        committed == text,
        "the interface changed: {differ:?}; if it was meant, put {} in its place and read \
         what git says",
        actual.display(),
    );
}

#[test]
fn cat_11_conditions_go_with_a_licence_and_secrets_are_in_no_public_answer() {
    let (dir, server, admin) = started();
    let sample = [
        "sample",
        "--count",
        "1",
        "--type",
        "birth-certificate",
        "-o",
        "births.csv",
    ];
    zhao(dir.path(), &sample).code(0);
    let births = std::fs::read(dir.path().join("births.csv")).unwrap();
    let bearer = format!("Bearer {admin}");
    let all = headers(&bearer, "text/csv");
    let made = server
        .ask("POST", "/v1/licences/batch", &all, &births)
        .is(200)
        .json();
    let row = &made["rows"][0];
    assert_eq!(row["status"], "issued", "{made}");
    let secret = row["credential"]["credentialSubject"]["faceData"]["motherCode"].as_str();
    let secret = secret.expect("the issuer has it").to_owned();

    // Whoever may retrieve the licence is told what it may be used for.
    let subject = row["licence"]["subject"].as_str().unwrap();
    let shown = server.get_with(&admin, &format!("/v1/licences/{subject}"));
    let shown = shown.is(200).json();
    assert_eq!(shown["conditions"]["consent"], "holder");
    assert_eq!(shown["conditions"]["keepDays"], 30);
    assert!(shown["conditions"]["purposes"].as_array().unwrap().len() == 2);
    let open = server
        .post(&admin, "/v1/licences", &food("甲店"))
        .is(201)
        .json();
    let open = open["licence"]["subject"].as_str().unwrap();
    let open = server
        .get_with(&admin, &format!("/v1/licences/{open}"))
        .is(200)
        .json();
    assert_eq!(open["conditions"], Value::Null, "an open type has none");

    // The catalogue names the type, its conditions, and no secret field.
    let types = server.get("/v1/catalogue").is(200).json();
    let types = types["types"].as_array().unwrap();
    let births = types
        .iter()
        .find(|entry| entry["slug"] == "birth-certificate");
    let births = births.expect("the type is listed");
    assert_eq!(births["useConditions"]["keepDays"], 30);
    assert!(births.to_string().contains("motherName"));
    for entry in types {
        assert!(!entry.to_string().contains("motherCode"), "{entry}");
        let fields = entry["fields"].as_array().unwrap();
        assert!(fields.iter().all(|field| field["sensitivity"] != "secret"));
    }
    // Nobody without a key gets at it.
    let key = subject.to_owned();
    for path in [
        format!("/v1/subjects/{key}"),
        format!("/v1/subjects/{key}/history"),
        "/v1/catalogue".to_owned(),
        "/v1/public/issuer-pack".to_owned(),
        format!("/v1/public/enterprises/{HOLDER}"),
        "/openapi.json".to_owned(),
    ] {
        let body = server.get(&path).is(200).body;
        assert!(!String::from_utf8_lossy(&body).contains(&secret), "{path}");
    }
    let path = format!("/v1/licences/{subject}");
    server.get(&path).is(401).problem("unauthenticated");
}

#[test]
fn sta_02_who_asks_sees_a_change_within_the_bound() {
    let dir = tempfile::tempdir().unwrap();
    office(dir.path());
    let admin = key(dir.path(), "admin");
    let bound = ["--answer-within", "10", "--heartbeat", "1"];
    let server = serve(dir.path(), &bound);
    let made = server
        .post(&admin, "/v1/licences", &food("甲店"))
        .is(201)
        .json();
    let subject = made["licence"]["subject"].as_str().unwrap();
    let act = json!({"verb": "revoke", "reason": "撤销许可"}).to_string();
    let path = format!("/v1/subjects/{subject}");
    // 200 says that it is published; then everybody is shown it.
    server
        .post(&admin, &format!("/v1/licences/{subject}/acts"), &act)
        .is(200);
    let seen = server.get(&path).is(200).json();
    assert_eq!(seen["record"]["state"], "revoked");
    let millis = |value: &Value| UnixMillis::parse(value.as_str().unwrap()).unwrap();
    let history = server.get(&format!("{path}/history")).is(200).json();
    let said = millis(&history["entries"][1]["event"]["effective"]);
    let shown = millis(&seen["head"]["epoch"]["time"]);
    assert!(shown.since(said) < 10_000, "{said} {shown}");
    // And without a change the head that a verifier is shown does not grow older than the other
    // bound says, for long.
    let time = |ready: Value| ready["time"].as_str().unwrap().to_owned();
    let first = time(server.get("/readyz").is(200).json());
    while time(server.get("/readyz").is(200).json()) == first {
        std::thread::yield_now();
    }
    for wrong in ["0", "601", "x"] {
        let all = ["serve", "office", "--answer-within", wrong];
        zhao(dir.path(), &all).code(2);
    }
}

#[test]
fn a_batch_from_the_command_line_goes_through_the_server() {
    let (dir, server, admin) = started();
    let here = dir.path();
    std::fs::write(here.join("rows.jsonl"), rows(300)).unwrap();
    let issue = |more: &[&str]| {
        let mut all = vec!["issue", "office", "--from", "rows.jsonl"];
        all.extend(more);
        zhao(here, &all)
    };
    issue(&["-o", "dry", "--dry-run"]).code(1);
    assert_eq!(count(&server, &admin), 0);
    let report = std::fs::read_to_string(here.join("dry/report.csv")).unwrap();
    assert_eq!(report.lines().count(), 301);
    assert_eq!(report.matches(",possible,").count(), 297, "{report}");
    issue(&["-o", "out", "--lines"]).code(1);
    let lines = std::fs::read_to_string(here.join("out/credentials.jsonl")).unwrap();
    assert_eq!(lines.lines().count(), 297);
    assert_eq!(count(&server, &admin), 297);
    let again = issue(&["-o", "again", "--lines"]).code(1);
    assert!(again.stdout.contains("297"), "{}", again.stdout);
    assert_eq!(count(&server, &admin), 297);
    // What it cannot do is refused before anything is done.
    std::fs::write(here.join("empty.csv"), "").unwrap();
    zhao(
        here,
        &["issue", "office", "--from", "empty.csv", "-o", "none"],
    )
    .code(2);
    assert!(!here.join("none").exists());
    let register = issue(&["-o", "none", "--register", "rows.jsonl"]).code(2);
    assert!(register.error().contains("server"), "{}", register.stderr);
}

#[test]
fn what_needs_the_directory_to_itself_says_to_stop_the_server() {
    let (dir, server, _) = started();
    let here = dir.path();
    std::fs::write(here.join("new.txt"), "a new passphrase for the keys").unwrap();
    for command in [
        &["serve", "office", "--listen", "127.0.0.1:0"][..],
        &["fsck", "office"],
        &["audit", "office", "--policy", "office/policy.txt"],
        &["unit", "office", "suspend", HOLDER],
        &["admin", "list", "office"],
        &[
            "keys",
            "office",
            "passphrase",
            "--new-passphrase-file",
            "new.txt",
        ],
        &["catalogue", "publish", "office", "food-operation"],
        &["cosign", "office"],
    ] {
        let ran = zhao(here, command).code(2);
        let (error, rest) = (ran.error(), &ran.stderr);
        assert!(error.ends_with("a server holds it"), "{command:?}: {rest}");
        assert!(rest.contains("stop the server, run the command"), "{rest}");
    }
    // What only reads files does not mind.
    zhao(here, &["keys", "office", "list"]).code(0);
    zhao(here, &["catalogue", "list", "office"]).code(0);
    // A backup is made while the server works, and says what it copied.
    server.get("/readyz").is(200);
    let backup = zhao(here, &["backup", "office", "copy", "--json"]).code(0);
    let backup: Value = serde_json::from_str(&backup.stdout).unwrap();
    let ready = server.get("/readyz").is(200).json();
    assert!(backup["size"].as_u64() <= ready["size"].as_u64());
    assert!(here.join("copy/manifest.json").is_file());
    zhao(here, &["outbox", "office"]).code(0);
}
