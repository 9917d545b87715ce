//! A served registry at work, watched: its figures while cosigners are slow, wrong and gone, and
//! `zhao top` on a pipe and on a terminal.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod support;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use support::server::{Server, key, serve, start};
use support::{food, office, zhao};

fn issue(server: &Server, key: &str, name: &str) {
    server.post(key, "/v1/licences", &food(name)).is(201);
}

/// The second item of the office's `log` line.
fn log_key(dir: &Path) -> String {
    let text = std::fs::read_to_string(dir.join("office/policy.txt")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("log "));
    line.unwrap().split(' ').next().unwrap().to_owned()
}

/// A new witness of the office's log; its key.
fn witness(dir: &Path, name: &str) -> String {
    let (log, full) = (log_key(dir), format!("{name}.example"));
    let all = ["witness", "init", name, "--name", &full, "--log", &log];
    zhao(dir, &all).code(0).stdout.trim().to_owned()
}

/// Answers every request with the same line, which nobody's key made.
fn liar() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    // It ends with the test's process.
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut bytes = [0; 64 << 10];
            let length = stream.read(&mut bytes).unwrap_or(0);
            let body = format!("\u{2014} wrong.example {}\n", "A".repeat(100));
            let text = match bytes[..length].starts_with(b"GET") {
                true => "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned(),
                false => format!(
                    "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                ),
            };
            let _ = stream.write_all(text.as_bytes());
        }
    });
    url
}

/// Passes on to `to` what it gets, each piece after this long.
fn slow(to: SocketAddr, by: Duration) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (Ok(mut here), Ok(mut there)) = (stream, TcpStream::connect(to)) else {
                return;
            };
            let (mut back, mut answers) = (here.try_clone().unwrap(), there.try_clone().unwrap());
            thread::spawn(move || std::io::copy(&mut answers, &mut back));
            thread::spawn(move || {
                let (_keep, nothing) = channel::<()>();
                let mut bytes = [0; 64 << 10];
                while let Ok(length) = here.read(&mut bytes)
                    && length > 0
                {
                    let _ = nothing.recv_timeout(by);
                    if there.write_all(&bytes[..length]).is_err() {
                        return;
                    }
                }
            });
        }
    });
    url
}

/// The figure of this name and labels, whatever their order.
fn figure(text: &str, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let fits = |line: &&str| {
        let own = line
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with(['{', ' ']));
        let wanted = labels
            .iter()
            .map(|(label, value)| format!("{label}=\"{value}\""));
        own && wanted.into_iter().all(|label| line.contains(&label))
    };
    let line = text.lines().find(fits)?;
    line.rsplit(' ').next().unwrap().parse().ok()
}

#[test]
fn cosigners_that_are_slow_wrong_and_gone_are_seen_in_the_figures() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    office(dir);
    let (admin, reader) = (key(dir, "admin"), key(dir, "read"));
    let keys = ["good", "second", "wrong", "gone"].map(|name| witness(dir, name));
    let runs = |name: &str| {
        let all = ["witness", "serve", name, "--listen", "127.0.0.1:0"];
        start(dir, &all)
    };
    let (good, second) = (runs("good"), runs("second"));
    let gone = TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    let late = slow(good.address, Duration::from_millis(60));
    let urls = [late, second.url(), liar(), nobody];
    // With the office's own witness three of five are enough, and all who can must.
    let path = dir.join("office/policy.txt");
    let known = std::fs::read_to_string(&path).unwrap();
    let own = |line: &&str| line.starts_with("log ") || line.starts_with("witness ");
    let mut policy = String::new();
    let mut members = String::new();
    for line in known.lines().filter(own) {
        policy.push_str(&format!("{line}\n"));
        if let Some(rest) = line.strip_prefix("witness ") {
            members.push_str(&format!(" {}", rest.split(' ').next().unwrap()));
        }
    }
    for (n, (key, url)) in keys.iter().zip(&urls).enumerate() {
        policy.push_str(&format!("witness x{n} {key} {url}\n"));
        members.push_str(&format!(" x{n}"));
    }
    policy.push_str(&format!("group g 3{members}\nquorum g\n"));
    std::fs::write(&path, policy).unwrap();
    let server = serve(dir, &[]);
    for name in ["示例餐馆", "示例茶馆", "示例面馆"] {
        issue(&server, &admin, name);
    }
    let answer = server.get_with(&reader, "/metrics").is(200);
    let text = String::from_utf8(answer.body).unwrap();
    let of = |name: &str, labels: &[(&str, &str)]| {
        figure(&text, name, labels).unwrap_or_else(|| panic!("no {name} {labels:?} in {text}"))
    };
    let good_one = [("name", "good.example")];
    assert!(of("zhao_cosigner_cosignatures_total", &good_one) >= 3.0);
    assert!(of("zhao_cosigner_last_latency_seconds", &good_one) >= 0.06);
    assert!(of("zhao_cosigner_cosignature_age_seconds", &good_one) < 600.0);
    assert!(of("zhao_cosigner_latency_seconds_count", &good_one) >= 3.0);
    let quick = [("name", "good.example"), ("le", "0.05")];
    assert!(of("zhao_cosigner_latency_seconds_bucket", &quick) < 0.5);
    assert!(of("zhao_cosigner_silent", &good_one) < 0.5);
    let lies = [("name", "wrong.example"), ("kind", "false")];
    assert!(of("zhao_cosigner_failures_total", &lies) >= 3.0);
    assert!(of("zhao_cosigner_silent", &[("name", "wrong.example")]) > 0.5);
    assert!(
        of(
            "zhao_cosigner_last_latency_seconds",
            &[("name", "wrong.example")]
        ) < 5.0
    );
    let away = [("name", "gone.example"), ("kind", "unreachable")];
    assert!(of("zhao_cosigner_failures_total", &away) >= 3.0);
    let nobody = [("name", "gone.example")];
    assert!(of("zhao_cosigner_latency_seconds_count", &nobody) < 0.5);
    for name in [
        "zhao_cosigner_last_latency_seconds",
        "zhao_cosigner_cosignature_age_seconds",
    ] {
        assert_eq!(figure(&text, name, &nobody), None);
    }
    // Nothing but what the policy names is a label.
    for line in text
        .lines()
        .filter(|line| line.starts_with("zhao_cosigner_"))
    {
        let known = ["good.", "second.", "wrong.", "gone.", "local-"];
        assert!(known.iter().any(|name| line.contains(name)), "{line}");
    }
    assert!(of("zhao_commit_stage_seconds_count", &[("stage", "write")]) >= 3.0);
    assert!(of("zhao_commit_stage_seconds_sum", &[("stage", "cosign")]) >= 0.18);
    assert!(of("zhao_admission_seconds_count", &[]) >= 3.0);
    assert!(of("zhao_batch_events_count", &[]) >= 3.0);
    server.stop();
    second.stop();
    good.stop();
}

#[test]
fn signatures_that_fail_are_counted_by_their_reason() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    office(dir);
    let (admin, reader) = (key(dir, "admin"), key(dir, "read"));
    let server = serve(dir, &[]);
    let made = server
        .post(&admin, "/v1/licences", &food("示例餐馆"))
        .is(201)
        .json();
    let mut event = made["receipt"]["event"].clone();
    let json = [("Content-Type", "application/json")];
    let own = event["signatures"][0]["signature"].as_str().unwrap();
    let other = match own.strip_prefix('A') {
        Some(rest) => format!("B{rest}"),
        None => format!("A{}", &own[1..]),
    };
    event["signatures"][0]["signature"] = other.into();
    let false_one = event.to_string();
    for _ in 0..2 {
        let answer = server.ask("POST", "/v1/events", &json, false_one.as_bytes());
        assert_eq!(
            answer.is(200).json()["answers"][0]["code"],
            "signature_invalid"
        );
    }
    let answer = server.get_with(&reader, "/metrics").is(200);
    let text = String::from_utf8(answer.body).unwrap();
    let of = |code: &str| figure(&text, "zhao_signature_failures_total", &[("code", code)]);
    assert_eq!(
        (of("signature_invalid"), of("signer_missing")),
        (Some(2.0), Some(0.0))
    );
    server.stop();
}

/// A registry under a little load, until the test ends.
fn busy(dir: &Path) -> (Server, String) {
    office(dir);
    let (admin, reader) = (key(dir, "admin"), key(dir, "read"));
    std::fs::write(dir.join("key.txt"), format!("{reader}\n")).unwrap();
    (serve(dir, &[]), admin)
}

#[test]
fn a_pipe_gets_one_table_and_json_one_object() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (server, admin) = busy(dir);
    let url = server.url();
    let top = |more: &[&str]| {
        let all = ["top", &url, "--every", "100ms", "--key-file", "key.txt"];
        zhao(dir, &[&all[..], more].concat())
    };
    let (end, ended) = channel::<()>();
    thread::scope(|scope| {
        scope.spawn(|| {
            let ended = ended;
            let mut n = 0;
            while ended.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
                n += 1;
                issue(&server, &admin, &format!("示例餐馆{n}"));
            }
        });
        let shown = loop {
            let ran = top(&["--json"]).code(0);
            assert_eq!(ran.stdout.lines().count(), 1, "{}", ran.stdout);
            let shown: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
            // What began in one interval may end in the next: until one has everything.
            let stages = shown["stages"].as_array().unwrap();
            let written = stages.iter().any(|stage| stage["stage"] == "write");
            let whole = shown["admission"]["p99"].is_number() && shown["batch"].is_number();
            if whole && written && shown["growth"].as_f64() > Some(0.0) {
                break shown;
            }
        };
        assert!(shown["events"].as_f64().unwrap() > 0.0, "{shown}");
        assert!(shown["size"].as_u64().unwrap() > 2 && shown["shrank"] == false);
        assert!(shown["batch"].as_f64().unwrap() >= 1.0);
        assert_eq!(shown["publication"], serde_json::Value::Null);
        let witnesses = shown["witnesses"].as_array().unwrap();
        assert_eq!(
            witnesses.len(),
            2,
            "the local witness and the local auditor"
        );
        assert!(
            witnesses
                .iter()
                .all(|one| one["silent"] == false && one["failures"] == 0.0)
        );
        let plain = top(&[]).code(0).stdout;
        assert!(
            plain.contains("leaves") && plain.contains("cosigns"),
            "{plain}"
        );
        assert!(!plain.contains('\u{1b}'), "{plain}");
        let chinese = top(&["--once", "--lang", "zh"]).code(0).stdout;
        assert!(
            chinese.contains("条目") && chinese.contains("联署"),
            "{chinese}"
        );
        drop(end);
    });
    server.stop();
}

#[test]
fn whoever_has_no_key_or_no_server_is_told_so() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (server, _) = busy(dir);
    let url = server.url();
    let ran = zhao(dir, &["top", &url, "--once"]).code(2);
    assert!(ran.error().contains("401"), "{}", ran.error());
    assert!(ran.stderr.contains("--key-file"), "{}", ran.stderr);
    let nowhere = format!("{url}/nowhere");
    let ran = zhao(dir, &["top", &nowhere, "--once", "--key-file", "key.txt"]).code(2);
    assert!(ran.error().contains("is not there"), "{}", ran.error());
    server.stop();
    let ran = zhao(dir, &["top", &url, "--once"]).code(2);
    assert!(
        ran.error().starts_with("the server's figures: "),
        "{}",
        ran.error()
    );
    let ran = zhao(dir, &["top", "nonsense", "--json"]).code(2);
    assert!(ran.error().contains("is not an address"), "{}", ran.error());
    zhao(dir, &["top", &url, "--every", "soon"]).code(2);
}

/// Runs `zhao top` on a terminal of 80 by 24 that util-linux's script makes; gives what came out.
fn on_a_terminal(dir: &Path, url: &str, leave: &dyn Fn(&mut std::process::Child)) -> String {
    let program = env!("CARGO_BIN_EXE_zhao");
    let line =
        format!("stty rows 24 cols 80; exec {program} top {url} --every 100ms --key-file key.txt");
    let mut child = Command::new("script")
        .args(["-q", "-e", "-f", "-c", &line, "screen.txt"])
        .current_dir(dir)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("LC_ALL", "C.UTF-8")
        .env("TERM", "xterm-256color")
        .env("SHELL", "/bin/sh")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("script runs");
    let shown = || std::fs::read(dir.join("screen.txt")).unwrap_or_default();
    let text = || String::from_utf8_lossy(&shown()).into_owned();
    // Until a whole screen is there.
    while !text().contains("leaves") {
        assert!(child.try_wait().unwrap().is_none(), "{}", text());
        thread::yield_now();
    }
    leave(&mut child);
    let status = child.wait().unwrap();
    let text = text();
    assert!(status.success(), "{status} {text}");
    text
}

/// The alternate page was left and the cursor shown, in this order, after it was entered.
#[track_caller]
fn given_back(text: &str) {
    let entered = text
        .find("\u{1b}[?1049h")
        .expect("the other page is entered");
    let left = text.rfind("\u{1b}[?1049l").expect("the other page is left");
    assert!(entered < left, "{text:?}");
    let after = &text[left..];
    assert!(
        !after.contains("leaves"),
        "nothing is drawn after it: {after:?}"
    );
    assert!(
        text.rfind("\u{1b}[?25h") > text.rfind("\u{1b}[?25l"),
        "the cursor is shown"
    );
}

#[test]
fn a_terminal_is_given_back_on_q_and_control_c_and_when_told_to_end() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let (server, admin) = busy(dir);
    issue(&server, &admin, "示例餐馆");
    let url = server.url();
    for keys in [&b"q"[..], b"\x03", b"\x1b"] {
        let text = on_a_terminal(dir, &url, &|child| {
            child.stdin.as_mut().unwrap().write_all(keys).unwrap();
        });
        given_back(&text);
        std::fs::remove_file(dir.join("screen.txt")).unwrap();
    }
    // The process itself is told, as when its session ends.
    let text = on_a_terminal(dir, &url, &|child| {
        let pid = child.id().to_string();
        let children = format!("/proc/{pid}/task/{pid}/children");
        let own = std::fs::read_to_string(children).unwrap();
        let sent = Command::new("kill").args(["-TERM", own.trim()]).status();
        assert!(sent.unwrap().success());
    });
    given_back(&text);
    std::fs::remove_file(dir.join("screen.txt")).unwrap();
    // The server goes: the screen stays, and says since when.
    let gone = std::cell::Cell::new(Some(server));
    let text = on_a_terminal(dir, &url, &|child| {
        if let Some(server) = gone.take() {
            server.stop();
        }
        let shown = || std::fs::read(dir.join("screen.txt")).unwrap_or_default();
        while !String::from_utf8_lossy(&shown()).contains("answer since") {
            thread::yield_now();
        }
        child.stdin.as_mut().unwrap().write_all(b"q").unwrap();
    });
    given_back(&text);
}
