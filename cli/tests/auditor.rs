//! An auditor in a process of its own: nothing is published without it, and what it does not
//! believe it proves.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod support;

use std::path::Path;
use std::thread;

use support::server::{self, Server, key, serve, start};
use support::{food, office, zhao};

fn issue(server: &Server, key: &str, name: &str) -> server::Answer {
    server.post(key, "/v1/licences", &food(name))
}

fn size(note: &[u8]) -> u64 {
    let note = String::from_utf8_lossy(note);
    note.lines().nth(1).unwrap().parse().unwrap()
}

/// An auditor of the office in `dir/outside`; its key.
fn auditor(dir: &Path, server: &Server) -> String {
    let url = server.url();
    let mut all = vec!["auditor", "init", &url, "outside"];
    all.extend(["--name", "audit.example", "--policy", "office/policy.txt"]);
    zhao(dir, &all).code(0).stdout.trim().to_owned()
}

fn audit(dir: &Path, listen: &str) -> Server {
    start(dir, &["auditor", "serve", "outside", "--listen", listen])
}

/// The office publishes only what this auditor, too, has cosigned.
fn must_agree(dir: &Path, vkey: &str) {
    let path = dir.join("office/trust.txt");
    let trust = std::fs::read_to_string(&path).unwrap();
    let both = format!("auditor outside {vkey}\nauditors 2\n");
    std::fs::write(&path, trust.replace("auditors 1\n", &both)).unwrap();
}

#[test]
fn sta_03_changes_reach_the_upper_node_and_what_it_has_not_acknowledged_is_listed() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    office(dir);
    let admin = key(dir, "admin");
    let server = serve(dir, &[]);
    let address = server.address.to_string();
    let made = issue(&server, &admin, "示例餐馆").is(201).json();
    let subject = made["licence"]["subject"].as_str().unwrap();
    // The city's platform has a copy of its own, and acknowledges by its cosignature.
    let vkey = auditor(dir, &server);
    server.stop();
    let city = audit(dir, "127.0.0.1:0");
    let listens = city.address.to_string();
    must_agree(dir, &vkey);
    let path = dir.join("office/zhao.toml");
    let known = std::fs::read_to_string(&path).unwrap();
    let with = format!("{known}\n[auditors]\noutside = \"{}\"\n", city.url());
    std::fs::write(&path, with).unwrap();
    let again = [
        "serve",
        "office",
        "--listen",
        &address,
        "--answer-within",
        "1",
    ];
    let server = start(dir, &again);
    let act = |verb: &str| {
        let body = format!(r#"{{"verb":"{verb}","reason":"示例"}}"#);
        let path = format!("/v1/licences/{subject}/acts");
        server.post(&admin, &path, &body)
    };
    let seen = |city: &Server| {
        let shown = zhao(dir, &["log", &city.url(), "--json", "--from", "0"]).code(0);
        let lines = shown.stdout.lines();
        let lines = lines.map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let own = lines.filter(|event| event["subject"] == subject);
        let verbs = own.map(|event| event["verb"].as_str().unwrap().to_owned());
        verbs.collect::<Vec<_>>()
    };
    // The list says by its exit code whether anything is open.
    let listed = || {
        let listed = zhao(dir, &["outbox", "office", "--json"]);
        let count = listed.stdout.matches("\"verb\"").count();
        listed.code(if count == 0 { 0 } else { 3 });
        count
    };
    // There: delivered, acknowledged, nothing is open.
    let receipt = act("withhold").is(200).json()["receipt"].to_string();
    assert!(receipt.contains("audit.example"), "{receipt}");
    assert_eq!(seen(&city), ["issued", "withhold"]);
    assert_eq!(listed(), 0);
    // Away: declared, not acknowledged, listed.
    city.stop();
    act("lift-withholding").is(202);
    assert_eq!(listed(), 1);
    // Back: it gets what it missed, and nothing is open any more.
    let city = audit(dir, &listens);
    while listed() > 0 {
        thread::yield_now();
    }
    assert_eq!(seen(&city), ["issued", "withhold", "lift-withholding"]);
    server.stop();
    city.stop();
}

#[test]
fn an_auditor_elsewhere_must_agree_before_anything_is_published() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    office(dir);
    let admin = key(dir, "admin");
    let server = serve(dir, &[]);
    let address = server.address.to_string();
    issue(&server, &admin, "示例餐馆").is(201);
    let vkey = auditor(dir, &server);
    server.stop();
    let auditor = audit(dir, "127.0.0.1:0");
    let listens = auditor.address.to_string();

    // Two auditors from now on, one of them not the operator's.
    must_agree(dir, &vkey);
    let path = dir.join("office/zhao.toml");
    let known = std::fs::read_to_string(&path).unwrap();
    let with = |name: &str| format!("{known}\n[auditors]\n{name} = \"{}\"\n", auditor.url());
    std::fs::write(&path, with("nobody")).unwrap();
    let again = [
        "serve",
        "office",
        "--listen",
        &address,
        "--answer-within",
        "1",
    ];
    let refused = zhao(dir, &again).code(2);
    assert!(refused.error().contains("nobody"), "{}", refused.error());
    std::fs::write(&path, with("outside")).unwrap();
    let server = start(dir, &again);
    let made = issue(&server, &admin, "示例茶馆").is(201).json();
    std::fs::write(dir.join("receipt.json"), made["receipt"].to_string()).unwrap();
    let verify = ["verify", "receipt.json", "--policy", "office/policy.txt"];
    zhao(dir, &verify).code(0);

    // Without it nothing is published; when it is back it replays what it missed, and it is.
    assert_eq!(auditor.stop().0, 0);
    let waiting = issue(&server, &admin, "示例面馆").is(202).json();
    let path = format!(
        "/v1/licences/{}",
        waiting["licence"]["subject"].as_str().unwrap()
    );
    let auditor = audit(dir, &listens);
    loop {
        let shown = server.get_with(&admin, &path).is(200).json();
        if shown["licence"]["state"] == "issued" {
            break;
        }
        thread::yield_now();
    }
    // Its copy is for everyone, and it does not go back.
    let note = auditor.get("/checkpoint").is(200).body;
    auditor
        .get(&format!("/tile/entries/000.p/{}", size(&note)))
        .is(200);
    let older = zhao(
        dir,
        &[
            "mirror",
            &auditor.url(),
            "m",
            "--policy",
            "office/policy.txt",
        ],
    );
    assert_eq!(
        older.code, 3,
        "no witness has signed what the auditor shows: {}",
        older.stdout
    );
    let add = |body: &str| auditor.ask("POST", "/add-checkpoint", &[], body.as_bytes());
    let receipt: serde_json::Value = made["receipt"].clone();
    let proof = receipt["head"]["proof"].as_str().unwrap();
    let (_, first) = proof.split_once("\n\n").unwrap();
    let ahead = add(&format!("old 0\n\n{first}")).is(409);
    assert_eq!(ahead.body, format!("{}\n", size(&note)).as_bytes());
    let forged = String::from_utf8(note.clone()).unwrap();
    let forged = forged.replacen(&format!("\n{}\n", size(&note)), "\n999\n", 1);
    add(&format!("old 0\n\n{forged}")).is(403);
    add("old 0\n").is(400);

    // The operator makes a second history, and asks the auditor to cosign that one.
    server.stop();
    auditor.stop();
    let copied = std::process::Command::new("cp")
        .args(["-a", "office", "other"])
        .current_dir(dir)
        .status();
    assert!(copied.unwrap().success());
    for office in ["office", "other"] {
        let trust = dir.join(office).join("trust.txt");
        let text = std::fs::read_to_string(&trust).unwrap();
        std::fs::write(&trust, text.replace("auditors 2", "auditors 1")).unwrap();
        std::fs::write(dir.join(office).join("zhao.toml"), &known).unwrap();
    }
    let there = start(dir, &["serve", "office", "--listen", &address]);
    issue(&there, &admin, "示例酒馆").is(201);
    let auditor = audit(dir, &listens);
    let ask = |server: &Server| {
        let note = server.get("/checkpoint").is(200).body;
        let body = format!("old 0\n\n{}", String::from_utf8(note).unwrap());
        auditor.ask("POST", "/add-checkpoint", &[], body.as_bytes())
    };
    ask(&there).is(200);
    there.stop();
    let here = start(dir, &["serve", "other", "--listen", &address]);
    issue(&here, &admin, "示例饭馆").is(201);
    issue(&here, &admin, "示例粥馆").is(201);
    ask(&here).is(422);
    let evidence = std::fs::read_dir(dir.join("outside")).unwrap();
    let evidence = evidence
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .find(|name| name.starts_with("evidence-"));
    let file = format!("outside/{}", evidence.expect("the auditor writes evidence"));
    let verify = ["verify", &file, "--policy", "office/policy.txt"];
    zhao(dir, &verify).code(0);
    here.stop();
    auditor.stop();
}
