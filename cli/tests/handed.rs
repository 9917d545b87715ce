//! Events handed to an auditor over HTTP: an honest log includes them, a log that leaves one out is
//! convicted, and whoever hands in nonsense gets nothing.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod support;

use std::path::{Path, PathBuf};
use std::thread;

use support::server::{self, Server, key, serve, start};
use support::{Ran, credentials, food, office, zhao};

/// An office with one licence, whose log has so long to include an event; an auditor of it in
/// `dir/outside`, which the office's trust file names.
struct Town<'a> {
    dir: &'a Path,
    credential: String,
}

const HAND_IN: &str = "/v1/events";

impl<'a> Town<'a> {
    fn new(dir: &'a Path, bound: &str) -> Self {
        office(dir);
        let sample = [
            "sample",
            "--count",
            "1",
            "--type",
            "food-operation",
            "-o",
            "in.csv",
        ];
        zhao(dir, &sample).code(0);
        zhao(dir, &["issue", "office", "--from", "in.csv", "-o", "out"]).code(0);
        let credential = credentials(&dir.join("out")).remove(0);
        let path = dir.join("office/trust.txt");
        let trust = std::fs::read_to_string(&path).unwrap();
        let bounded = trust
            .lines()
            .map(|line| match line.starts_with("inclusion-bound ") {
                true => format!("inclusion-bound {bound}\n"),
                false => format!("{line}\n"),
            });
        std::fs::write(&path, bounded.collect::<String>()).unwrap();
        let server = serve(dir, &[]);
        let url = server.url();
        let mut all = vec!["auditor", "init", &url, "outside"];
        all.extend(["--name", "audit.example", "--policy", "office/policy.txt"]);
        let vkey = zhao(dir, &all).code(0).stdout.trim().to_owned();
        server.stop();
        let trust = std::fs::read_to_string(&path).unwrap();
        let both = format!("auditor outside {vkey}\nauditors 1\n");
        std::fs::write(&path, trust.replace("auditors 1\n", &both)).unwrap();
        Self {
            dir,
            credential: format!("out/{}", credential.file_name().unwrap().to_str().unwrap()),
        }
    }

    /// The auditor at work, with the office's trust file; it looks at the log often.
    fn audit(&self, log: &Server) -> Server {
        let often = ["--every", "100ms", "--event-rate", "1000000"];
        let own = ["--policy", "office/policy.txt"];
        self.audit_with(log, &[&own[..], &often].concat())
    }

    fn audit_with(&self, log: &Server, more: &[&str]) -> Server {
        let url = log.url();
        let mut all = vec!["auditor", "serve", "outside", "--listen", "127.0.0.1:0"];
        all.extend(["--log-url", &url]);
        all.extend(more);
        start(self.dir, &all)
    }

    /// A signed event that this office's log has never seen: made where nobody sends it on. While
    /// the office is not served.
    fn event(&self, verb: &str) -> String {
        let _ = std::fs::remove_dir_all(self.dir.join("aside"));
        let copied = std::process::Command::new("cp")
            .args(["-a", "office", "aside"])
            .current_dir(self.dir)
            .status();
        assert!(copied.unwrap().success());
        let made = [
            "status",
            "aside",
            &self.credential,
            verb,
            "--reason",
            "示例",
        ];
        zhao(
            self.dir,
            &[&made[..], &["--receipt", "aside.json"]].concat(),
        )
        .code(0);
        let receipt = std::fs::read(self.dir.join("aside.json")).unwrap();
        let receipt: serde_json::Value = serde_json::from_slice(&receipt).unwrap();
        let event = receipt["event"].to_string();
        std::fs::write(self.dir.join("event.json"), format!("{event}\n")).unwrap();
        event
    }

    fn hand_in(&self, auditor: &Server) -> Ran {
        let url = auditor.url();
        let all = [
            "hand-in",
            "event.json",
            &url,
            "--policy",
            "office/policy.txt",
        ];
        zhao(self.dir, &[&all[..], &["--json"]].concat())
    }

    fn evidence(&self) -> Vec<PathBuf> {
        let all = std::fs::read_dir(self.dir.join("outside")).unwrap();
        let all = all.map(|entry| entry.unwrap().path());
        let named = |path: &PathBuf| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.starts_with("evidence-")
        };
        all.filter(named).collect()
    }
}

fn state(ran: &Ran) -> serde_json::Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:?}"))
}

/// An auditor that is replaying is asked again.
fn again(ask: impl Fn() -> server::Answer) -> server::Answer {
    loop {
        let answer = ask();
        if answer.status != 503 {
            return answer;
        }
        thread::yield_now();
    }
}

fn hand_once(server: &Server, event: &str) -> server::Answer {
    let json = [("Content-Type", "application/json")];
    server.ask("POST", HAND_IN, &json, event.as_bytes())
}

fn hand(server: &Server, event: &str) -> server::Answer {
    again(|| hand_once(server, event))
}

fn shown(auditor: &Server, path: &str) -> server::Answer {
    again(|| auditor.get(path))
}

fn issue(server: &Server, key: &str, name: &str) {
    server.post(key, "/v1/licences", &food(name)).is(201);
}

#[test]
fn an_honest_log_includes_what_was_handed_in_and_nobody_is_accused() {
    let dir = tempfile::tempdir().unwrap();
    let town = Town::new(dir.path(), "7d");
    let event = town.event("withhold");
    let log = serve(dir.path(), &[]);
    let auditor = town.audit(&log);
    let first = hand(&auditor, &event).is(202).json();
    assert_eq!(first["state"], "waiting");
    assert_eq!(first["handed"]["auditor"], "outside");
    let id = first["event"].as_str().unwrap().to_owned();
    // The same again, and asked for, is the same word; after a death too.
    assert_eq!(hand(&auditor, &event).is(202).json(), first);
    drop(auditor);
    let auditor = town.audit(&log);
    let path = format!("{HAND_IN}/{id}");
    assert_eq!(shown(&auditor, &path).is(202).json(), first);
    assert_eq!(hand(&auditor, &event).is(202).json(), first);
    let ran = town.hand_in(&auditor).code(0);
    assert_eq!(state(&ran)["state"], "waiting");
    // The log takes it; the auditor looks by itself, though this log never asks it.
    let answer = hand(&log, &event).is(200).json();
    let index = answer["answers"][0]["index"].as_u64().unwrap();
    let included = loop {
        let now = shown(&auditor, &path).json();
        if now["state"] != "waiting" {
            break now;
        }
        thread::yield_now();
    };
    let expected = serde_json::json!({ "event": id, "index": index, "state": "included" });
    assert_eq!(included, expected);
    assert_eq!(hand(&auditor, &event).is(200).json(), expected);
    let ran = town.hand_in(&auditor).code(0);
    assert_eq!(state(&ran)["index"], index);
    assert_eq!(town.evidence(), Vec::<PathBuf>::new());
    let kept = std::fs::read_dir(dir.path().join("outside/handed")).unwrap();
    assert_eq!(kept.count(), 0, "nothing is kept that the log has");
    let (code, said) = auditor.stop();
    assert_eq!(code, 0);
    assert!(!said.contains("cheats"), "{said}");
    log.stop();
}

#[test]
fn a_log_that_leaves_an_event_out_is_convicted_by_anybody() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let town = Town::new(dir, "1ms");
    let event = town.event("withhold");
    let admin = key(dir, "admin");
    let log = serve(dir, &[]);
    let auditor = town.audit_with(&log, &["--policy", "office/policy.txt", "--every", "1h"]);
    let first = hand(&auditor, &event).is(202).json();
    let id = first["event"].as_str().unwrap().to_owned();
    // Killed between handing in and the bound; meanwhile the log goes on without the event.
    drop(auditor);
    issue(&log, &admin, "示例餐馆");
    let auditor = town.audit(&log);
    let path = format!("{HAND_IN}/{id}");
    let overdue = loop {
        let now = shown(&auditor, &path).json();
        if now["state"] != "waiting" {
            break now;
        }
        thread::yield_now();
    };
    assert_eq!(overdue["state"], "overdue");
    assert_eq!(overdue["handed"], first["handed"]);
    let evidence = town.evidence();
    assert_eq!(evidence.len(), 1);
    // Whoever handed it in gets the evidence, and a third person judges it.
    let ran = town.hand_in(&auditor).code(1);
    assert_eq!(state(&ran)["state"], "overdue");
    let verify = ["verify", "evidence.json", "--policy", "office/policy.txt"];
    let verdict = zhao(dir, &verify).code(0);
    assert!(verdict.stdout.contains("left out"), "{}", verdict.stdout);
    assert_eq!(
        std::fs::read(dir.join("evidence.json")).unwrap(),
        std::fs::read(&evidence[0]).unwrap()
    );
    // No head that still leaves it out is cosigned.
    let cosign = |auditor: &Server| {
        let note = String::from_utf8(log.get("/checkpoint").is(200).body).unwrap();
        let body = format!("old 0\n\n{note}");
        again(|| auditor.ask("POST", "/add-checkpoint", &[], body.as_bytes()))
    };
    let refused = cosign(&auditor).is(422);
    let why = String::from_utf8(refused.body).unwrap();
    assert!(why.contains(&id), "{why}");
    let (_, said) = auditor.stop();
    assert_eq!(said.matches("the log cheats").count(), 1, "{said}");
    // A restart forgets nothing, and rings no alarm twice.
    let auditor = town.audit(&log);
    assert_eq!(shown(&auditor, &path).is(200).json(), overdue);
    cosign(&auditor).is(422);
    // Late is better than never: then it is cosigned again, and the evidence stays.
    hand(&log, &event).is(200);
    cosign(&auditor).is(200);
    assert_eq!(shown(&auditor, &path).is(200).json()["state"], "included");
    assert_eq!(town.evidence().len(), 1);
    let (_, said) = auditor.stop();
    assert!(!said.contains("cheats"), "{said}");
    log.stop();
}

#[test]
fn what_the_log_may_have_refused_rightly_convicts_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let town = Town::new(dir, "1ms");
    let event = town.event("withhold");
    let log = serve(dir, &[]);
    let auditor = town.audit(&log);
    hand(&auditor, &event).is(202);
    log.stop();
    // Something else befalls the licence first: then the event is no longer the next one.
    let mortgage = [
        "status",
        "office",
        &town.credential,
        "report-lost",
        "--reason",
        "示例",
    ];
    zhao(dir, &mortgage).code(0);
    auditor.stop();
    let log = serve(dir, &[]);
    let auditor = town.audit(&log);
    let refused = loop {
        let ran = town.hand_in(&auditor);
        if ran.code != 0 {
            break ran;
        }
    };
    // It is not taken in anew either.
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.error().contains("422"), "{}", refused.error());
    assert_eq!(town.evidence(), Vec::<PathBuf>::new());
    let (_, said) = auditor.stop();
    assert!(
        !said.contains("cheats") && said.contains("nothing is proved"),
        "{said}"
    );
    log.stop();
}

#[test]
fn nonsense_is_refused_precisely_and_kept_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let town = Town::new(dir, "7d");
    let event = town.event("withhold");
    let log = serve(dir, &[]);
    let auditor = town.audit(&log);
    let says = |answer: server::Answer, status: u16, words: &str| {
        let text = String::from_utf8(answer.is(status).body).unwrap();
        assert!(text.contains(words), "{text}");
    };
    for junk in [
        "",
        "{}",
        "not JSON",
        "[]",
        "{\"event\":1}",
        &format!(" {event}"),
    ] {
        says(hand(&auditor, junk), 400, "not an event");
    }
    says(hand(&auditor, &format!("[{event}]")), 400, "not an event");
    let long = "x".repeat(20_000);
    says(hand(&auditor, &long), 413, "too long");
    // Another's signature, no signature, another log's event.
    let mut value: serde_json::Value = serde_json::from_str(&event).unwrap();
    let signature = value["signatures"][0]["signature"]
        .as_str()
        .unwrap()
        .to_owned();
    let other = match signature.strip_prefix('A') {
        Some(rest) => format!("B{rest}"),
        None => format!("A{}", &signature[1..]),
    };
    value["signatures"][0]["signature"] = other.into();
    says(hand(&auditor, &value.to_string()), 422, "signature_invalid");
    value["signatures"] = serde_json::json!([]);
    says(
        hand(&auditor, &value.to_string()),
        400,
        "not 1 to 16 signatures",
    );
    let foreign = event.replace("zhao.example/", "zhao.elsewhere/");
    assert_ne!(foreign, event);
    says(hand(&auditor, &foreign), 404, "another log");
    // What the log has to refuse, nobody need wait for.
    town_next(&town, &auditor);
    // Identities.
    says(auditor.get(&format!("{HAND_IN}/x")), 400, "identity");
    let unknown = format!("{HAND_IN}/{}", "A".repeat(43));
    says(auditor.get(&unknown), 404, "no such event");
    auditor.get(HAND_IN).is(405);
    let kept = std::fs::read_dir(dir.join("outside/handed")).unwrap();
    assert_eq!(kept.count(), 0);
    auditor.stop();
    log.stop();
}

/// An event beyond the next one.
fn town_next(town: &Town<'_>, auditor: &Server) {
    let made = [
        "status",
        "aside",
        &town.credential,
        "lift-withholding",
        "--reason",
        "示例",
    ];
    zhao(town.dir, &[&made[..], &["--receipt", "next.json"]].concat()).code(0);
    let receipt = std::fs::read(town.dir.join("next.json")).unwrap();
    let receipt: serde_json::Value = serde_json::from_slice(&receipt).unwrap();
    let answer = hand(auditor, &receipt["event"].to_string()).is(422);
    let text = String::from_utf8(answer.body).unwrap();
    assert!(text.contains("_mismatch"), "{text}");
}

#[test]
fn a_flood_is_stopped_and_what_was_taken_stays() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let town = Town::new(dir, "7d");
    let event = town.event("withhold");
    let log = serve(dir, &[]);
    let few = ["--policy", "office/policy.txt", "--event-rate", "3"];
    let auditor = town.audit_with(&log, &few);
    let first = hand(&auditor, &event).is(202).json();
    let mut turned_away = false;
    for _ in 0..5 {
        let answer = hand(&auditor, "junk");
        if answer.status == 429 {
            assert!(answer.header("retry-after").is_some());
            turned_away = true;
        }
    }
    assert!(turned_away);
    auditor.stop();
    let auditor = town.audit_with(&log, &few);
    let path = format!("{HAND_IN}/{}", first["event"].as_str().unwrap());
    assert_eq!(shown(&auditor, &path).is(202).json(), first);
    auditor.stop();
    // A word that was changed on disk is not taken for one.
    let entry = std::fs::read_dir(dir.join("outside/handed"))
        .unwrap()
        .next();
    let path = entry.unwrap().unwrap().path();
    let word = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, word.replacen("\"at\":\"2", "\"at\":\"1", 1)).unwrap();
    let mut all = vec!["auditor", "serve", "outside", "--listen", "127.0.0.1:0"];
    let url = log.url();
    all.extend(["--log-url", &url]);
    let refused = zhao(dir, &all).code(2);
    assert!(
        refused.error().contains("is damaged"),
        "{}",
        refused.error()
    );
    log.stop();
}

#[test]
fn an_auditor_without_a_name_gives_no_word_and_a_stranger_is_not_believed() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let town = Town::new(dir, "7d");
    let event = town.event("withhold");
    let log = serve(dir, &[]);
    // Its own trust file is of before it had a key.
    let auditor = town.audit_with(&log, &[]);
    let answer = hand_once(&auditor, &event).is(503);
    assert!(answer.header("retry-after").is_some());
    let text = String::from_utf8(answer.body).unwrap();
    assert!(text.contains("--policy"), "{text}");
    auditor.stop();
    let auditor = town.audit(&log);
    hand(&auditor, &event).is(202);
    // Somebody whose trust file names another auditor does not take its word.
    std::fs::create_dir(dir.join("strict")).unwrap();
    std::fs::copy(dir.join("office/policy.txt"), dir.join("strict/policy.txt")).unwrap();
    let trust = std::fs::read_to_string(dir.join("office/trust.txt")).unwrap();
    let without = trust
        .lines()
        .filter(|line| !line.starts_with("auditor outside"));
    let without: String = without.map(|line| format!("{line}\n")).collect();
    std::fs::write(dir.join("strict/trust.txt"), without).unwrap();
    let url = auditor.url();
    let strict = [
        "hand-in",
        "event.json",
        &url,
        "--policy",
        "strict/policy.txt",
    ];
    let ran = zhao(dir, &strict).code(2);
    assert!(
        ran.error().contains("no auditor of the trust file"),
        "{}",
        ran.error()
    );
    // A file that is no event goes nowhere; a URL where no auditor is says so.
    let ran = zhao(dir, &["hand-in", "in.csv", &url]).code(1);
    assert!(ran.error().contains("in.csv"), "{}", ran.error());
    let log_url = format!("{}/nowhere", log.url());
    zhao(dir, &["hand-in", "event.json", &log_url]).code(1);
    auditor.stop();
    log.stop();
}

#[test]
fn what_waits_in_the_outbox_can_be_handed_in() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let _town = Town::new(dir, "7d");
    // Two auditors from now on, one of them away: what is declared stays in the outbox.
    let path = dir.join("office/trust.txt");
    let trust = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, trust.replace("auditors 1\n", "auditors 2\n")).unwrap();
    let admin = key(dir, "admin");
    let log = serve(dir, &["--answer-within", "1"]);
    log.post(&admin, "/v1/licences", &food("示例茶馆")).is(202);
    log.stop();
    let listed = zhao(dir, &["outbox", "office", "--json", "--output", "waiting"]);
    assert_eq!(listed.code, 3, "{}", listed.stderr);
    let row: serde_json::Value = serde_json::from_str(listed.stdout.trim()).unwrap();
    let name = format!("waiting/{}.json", row["event"].as_str().unwrap());
    let bytes = std::fs::read(dir.join(&name)).unwrap();
    let event: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(event["verb"], row["verb"]);
    assert!(!event["signatures"].as_array().unwrap().is_empty());
}
