//! What whoever runs a server for years relies on: who is believed about addresses, and with which
//! code a server ends.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod support;

use std::process::Command;

use support::server::{Server, key, serve, start, start_as};
use support::{food, office, zhao};

const ASKED: &str = "/v1/public/enterprises/91320400DEM000110X";

fn ask(server: &Server, forwarded: &[&str]) -> u16 {
    let headers: Vec<(&str, &str)> = forwarded
        .iter()
        .map(|value| ("X-Forwarded-For", *value))
        .collect();
    server.ask("GET", ASKED, &headers, b"").status
}

#[test]
fn whoever_writes_other_addresses_into_a_header_is_one_address() {
    let dir = tempfile::tempdir().unwrap();
    office(dir.path());
    // Nobody is trusted, or somebody else.
    for more in [&[][..], &["--trusted-proxy", "192.0.2.1,2001:db8::/32"]] {
        let arguments = [&["--public-rate", "2"], more].concat();
        let server = serve(dir.path(), &arguments);
        assert_eq!(ask(&server, &["203.0.113.1"]), 200);
        assert_eq!(ask(&server, &["203.0.113.2", "192.0.2.1"]), 200);
        assert_eq!(ask(&server, &["203.0.113.3"]), 429);
        assert_eq!(ask(&server, &[]), 429);
        server.stop();
    }
}

#[test]
fn a_trusted_proxy_says_who_asks_and_its_clients_cannot() {
    let dir = tempfile::tempdir().unwrap();
    office(dir.path());
    let toml = dir.path().join("office/zhao.toml");
    let text = std::fs::read_to_string(&toml).unwrap();
    let trusted = "\n[serve]\ntrusted-proxy = [\"127.0.0.0/8\"]\n";
    std::fs::write(&toml, format!("{text}{trusted}")).unwrap();
    let server = serve(dir.path(), &["--public-rate", "2"]);
    // What the proxy appended is last; a client's own text comes before it, or in another header.
    assert_eq!(ask(&server, &["198.51.100.1, 203.0.113.1"]), 200);
    assert_eq!(ask(&server, &["198.51.100.2", "203.0.113.1"]), 200);
    assert_eq!(ask(&server, &["198.51.100.3, 203.0.113.1"]), 429);
    assert_eq!(ask(&server, &["127.0.0.1, 203.0.113.1, 127.0.0.9"]), 429);
    // Others behind the same proxy are not kept out, and the proxy itself is one more.
    assert_eq!(ask(&server, &["203.0.113.2"]), 200);
    assert_eq!(ask(&server, &["no address"]), 200);
    assert_eq!(ask(&server, &[]), 200);
    assert_eq!(ask(&server, &["unknown"]), 429);
    // The same for events, and what a header says opens no door.
    let json = [
        ("Content-Type", "application/json"),
        ("X-Forwarded-For", "127.0.0.1"),
    ];
    server
        .ask("POST", "/v1/licences", &json, food("示例餐馆").as_bytes())
        .is(401);
    server.stop();
}

#[test]
fn a_proxy_that_is_no_address_or_everybody_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    office(dir.path());
    for (wrong, cause) in [
        ("localhost", "expected an address"),
        ("127.0.0.1/33", "expected an address"),
        ("0.0.0.0/0", "this is everybody"),
        ("127.0.0.1,::/0", "this is everybody"),
    ] {
        let ran = zhao(dir.path(), &["serve", "office", "--trusted-proxy", wrong]).code(2);
        assert!(ran.error().contains(cause), "{}", ran.stderr);
    }
    let toml = dir.path().join("office/zhao.toml");
    let text = std::fs::read_to_string(&toml).unwrap();
    for wrong in ["[\"::/0\"]", "\"127.0.0.1\"", "[1]"] {
        let bad = format!("{text}\n[serve]\ntrusted-proxy = {wrong}\n");
        std::fs::write(&toml, bad).unwrap();
        let ran = zhao(dir.path(), &["serve", "office"]).code(2);
        assert!(ran.error().contains("zhao.toml"), "{}", ran.stderr);
    }
}

#[test]
fn a_ledger_that_stops_ends_the_server_with_a_code_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    office(dir.path());
    let admin = key(dir.path(), "admin");
    // From now on the kernel refuses every write to a file, with an error and not with a signal.
    let ignoring = "trap '' XFSZ; exec \"$@\"";
    let program = env!("CARGO_BIN_EXE_zhao");
    let mut line = vec!["-c", ignoring, "-", program, "serve", "office"];
    line.extend(["--listen", "127.0.0.1:0", "--heartbeat", "1"]);
    let server = start_as(dir.path(), "/bin/sh", &line);
    let pid = server.pid().to_string();
    let mut limit = Command::new("prlimit");
    limit.args(["--fsize=0", "--pid", &pid]);
    assert!(limit.status().unwrap().success());
    // The next heartbeat is a write of the ledger.
    let (code, stderr) = server.end();
    assert_eq!(code, 5, "{stderr}");
    // A line is its event, whatever the span in which it happened.
    assert!(
        stderr.contains(" ERROR the ledger stopped error="),
        "{stderr}"
    );
    // As it is, it starts again; what keeps it from starting has another code.
    let server = serve(dir.path(), &[]);
    server
        .post(&admin, "/v1/licences", &food("示例餐馆"))
        .is(201);
    zhao(dir.path(), &["serve", "office"]).code(2);
    assert_eq!(server.stop().0, 0);
    let intent = dir.path().join("office/ledger/intent");
    std::fs::remove_file(intent).unwrap();
    zhao(dir.path(), &["serve", "office", "--listen", "127.0.0.1:0"]).code(2);
}

#[test]
fn a_mirror_that_starts_while_its_log_is_away_shows_what_it_has() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    office(dir);
    let log = serve(dir, &[]);
    let url = log.url();
    let line = ["mirror", &url, "copy", "--policy", "office/policy.txt"];
    // One that is new has nothing to show.
    let mut away = line;
    away[1] = "http://127.0.0.1:1";
    away[2] = "none";
    let listen = ["--listen", "127.0.0.1:0"];
    zhao(dir, &[&away[..], &listen].concat()).code(2);
    zhao(dir, &line).code(0);
    let head = log.get("/checkpoint").is(200).body;
    log.stop();
    zhao(dir, &line).code(2);
    let mirror = start(dir, &[&line[..], &listen].concat());
    assert_eq!(mirror.get("/checkpoint").is(200).body, head);
    let (code, stderr) = mirror.stop();
    assert_eq!(code, 0);
    assert!(stderr.contains("the log was not read"), "{stderr}");
}
