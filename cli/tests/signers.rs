//! `POST /v1/events`: each signer has a budget, and nobody else can use it up.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod support;

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use support::server::{Answer, Server, key, serve};
use support::{food, office, zhao};

const JSON: [(&str, &str); 1] = [("Content-Type", "application/json")];

/// An office, and so many events that its unit signed and its log has not: a copy of it has them.
fn signed(dir: &Path, count: usize) -> (String, Vec<String>) {
    office(dir);
    let admin = key(dir, "admin");
    let twin = dir.join("twin");
    std::fs::create_dir(&twin).unwrap();
    let copied = Command::new("cp")
        .args(["-r", "office", "twin/office"])
        .current_dir(dir)
        .status();
    assert!(copied.unwrap().success());
    let server = serve(&twin, &[]);
    let events = (0..count).map(|number| issue(&server, &admin, number));
    let events = events.collect();
    assert_eq!(server.stop().0, 0);
    (admin, events)
}

/// Issues a licence, and gives its event.
fn issue(server: &Server, key: &str, number: usize) -> String {
    let row = food(&format!("示例餐馆{number}"));
    let made = server.post(key, "/v1/licences", &row).is(201).json();
    made["receipt"]["event"].to_string()
}

fn hand_in(server: &Server, events: &[&String]) -> Answer {
    let events: Vec<&str> = events.iter().map(|event| event.as_str()).collect();
    let body = format!("[{}]", events.join(","));
    server.ask("POST", "/v1/events", &JSON, body.as_bytes())
}

/// What became of each, if the submission was taken.
#[track_caller]
fn fates(answer: Answer) -> Vec<String> {
    let json = answer.is(200).json();
    let answers = json["answers"].as_array().unwrap().iter();
    let fate = |one: &Value| {
        let code = one["code"].as_str().or(one["status"].as_str());
        code.unwrap().to_owned()
    };
    answers.map(fate).collect()
}

/// The event with a signature that is not its key's.
fn forged(event: &str) -> String {
    let mut json: Value = serde_json::from_str(event).unwrap();
    let signature = json["signatures"][0]["signature"].as_str().unwrap();
    // One bit of R, in the middle of the text: the last character has bits that must be 0.
    let (before, after) = signature.split_at(20);
    let other = if after.starts_with('A') { "B" } else { "A" };
    let changed = format!("{before}{other}{}", &after[1..]);
    json["signatures"][0]["signature"] = changed.into();
    json.to_string()
}

#[test]
fn who_names_another_ones_key_uses_up_nothing_of_its_budget() {
    let dir = tempfile::tempdir().unwrap();
    let (_, events) = signed(dir.path(), 3);
    let server = serve(dir.path(), &["--event-rate-signer", "2"]);
    let fake = forged(&events[0]);
    for _ in 0..5 {
        let refused = fates(hand_in(&server, &[&fake, &fake]));
        assert_eq!(refused, ["signature_invalid", "signature_invalid"]);
    }
    // The budget is whole: two go through, and the third does not.
    assert_eq!(fates(hand_in(&server, &[&events[0]])), ["receipted"]);
    assert_eq!(fates(hand_in(&server, &[&events[1]])), ["receipted"]);
    hand_in(&server, &[&events[2]]).is(429).problem("busy");
    server.stop();
}

#[test]
fn who_hands_in_again_what_another_one_signed_uses_up_nothing_of_its_budget() {
    let dir = tempfile::tempdir().unwrap();
    let (admin, events) = signed(dir.path(), 3);
    let server = serve(dir.path(), &["--event-rate-signer", "2"]);
    // What is in the log is anybody's to read, with its signature; the office's own acts do not
    // count either.
    let known: Vec<String> = (7..10)
        .map(|number| issue(&server, &admin, number))
        .collect();
    for _ in 0..5 {
        let all: Vec<&String> = known.iter().collect();
        assert_eq!(fates(hand_in(&server, &all)), ["receipted"; 3]);
    }
    // The same event twice in one submission is one event.
    let twice = [&events[0], &events[0]];
    assert_eq!(fates(hand_in(&server, &twice)), ["receipted"; 2]);
    assert_eq!(fates(hand_in(&server, &[&events[1]])), ["receipted"]);
    hand_in(&server, &[&events[2]]).is(429).problem("busy");
    server.stop();
}

#[test]
fn a_signer_beyond_its_budget_is_told_when_to_come_again_whatever_door_it_takes() {
    let dir = tempfile::tempdir().unwrap();
    let (admin, events) = signed(dir.path(), 4);
    let server = serve(dir.path(), &["--event-rate-signer", "2"]);
    // A submission that was let through is finished.
    let three: Vec<&String> = events[..3].iter().collect();
    assert_eq!(fates(hand_in(&server, &three)), ["receipted"; 3]);
    let size = || {
        let note = String::from_utf8(server.get("/v1/checkpoint").is(200).body).unwrap();
        note.lines().nth(1).unwrap().to_owned()
    };
    let before = size();
    let late = hand_in(&server, &[&events[3]]).is(429).problem("busy");
    // Two a minute, three were logged: one and a half minutes from the first of them, less what
    // this test took.
    let wait: u64 = late.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    let detail = late.json()["detail"].as_str().unwrap().to_owned();
    let signer: Value = serde_json::from_str(&events[3]).unwrap();
    let signer = signer["signatures"][0]["key"].as_str().unwrap();
    assert!(detail.contains(signer), "{detail}");
    // Nothing of a submission is done when one of its signers must wait.
    let fake = forged(&events[3]);
    hand_in(&server, &[&fake, &events[3]]).is(429);
    assert_eq!(size(), before);
    // An API key is a system's, and the budget is the signer's.
    let admitted = server.post(&admin, "/v1/events", &events[3]);
    admitted.is(429).problem("busy");
    // The directory's owner is not counted, nor is what the office itself declares.
    let local = server.ask_locally("POST", "/v1/events", events[3].as_bytes());
    assert_eq!(fates(local), ["receipted"]);
    issue(&server, &admin, 20);
    server.stop();
}

#[test]
fn a_budget_that_is_no_number_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    office(dir.path());
    for wrong in ["0", "-1", "4294967296", "many"] {
        let rate = format!("--event-rate-signer={wrong}");
        let ran = zhao(dir.path(), &["serve", "office", &rate]).code(2);
        assert!(ran.stderr.contains("--event-rate-signer"), "{}", ran.stderr);
    }
    let toml = dir.path().join("office/zhao.toml");
    let text = std::fs::read_to_string(&toml).unwrap();
    std::fs::write(&toml, format!("{text}\n[serve]\nevent-rate-signer = 0\n")).unwrap();
    zhao(dir.path(), &["serve", "office"]).code(2);
}
