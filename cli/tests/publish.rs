//! A log that is published in a folder besides, the machine that is lost, and the one that goes on.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod support;

use std::fs;
use std::path::Path;

use serde_json::Value;
use support::server::{Server, key, serve, start};
use support::{Ran, food, office, zhao};

fn issue(server: &Server, key: &str, name: &str) -> String {
    let made = server.post(key, "/v1/licences", &food(name)).is(201).json();
    made["licence"]["subject"].as_str().unwrap().to_owned()
}

/// Lines of the checkpoint in the place.
fn published(dir: &Path) -> Vec<String> {
    let note = fs::read_to_string(dir.join("place/checkpoint")).unwrap();
    note.lines().map(str::to_owned).collect()
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap()
}

/// Names of what is in a folder of the place.
fn names(dir: &Path, folder: &str) -> Vec<String> {
    let all = fs::read_dir(dir.join("place").join(folder));
    let all = all.into_iter().flatten().flatten();
    all.map(|entry| entry.file_name().into_string().unwrap())
        .collect()
}

#[test]
fn what_was_answered_outlives_the_machine_and_nobody_else_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    office(dir);
    let admin = key(dir, "admin");
    fs::create_dir(dir.join("place")).unwrap();
    let first = zhao(dir, &["publish", "office", "place", "--json"]).code(0);
    let first = json(&first);
    assert_eq!(published(dir)[1], first["size"].to_string());
    assert!(first["objects"].as_u64().unwrap() >= 2, "{first}");
    assert_eq!(first["caughtUp"], Value::Null);
    // It is remembered; a second time there is nothing to put.
    let again = zhao(dir, &["publish", "office", "--json"]).code(0);
    assert_eq!(json(&again)["objects"], 0);
    let shown = zhao(dir, &["publish", "office", "--lang", "zh"]).code(0);
    assert!(shown.stdout.contains("发布处"), "{}", shown.stdout);

    // A server puts what it publishes, the last of it when it ends.
    let server = serve(dir, &[]);
    issue(&server, &admin, "示例餐馆");
    let served = server.get("/checkpoint").is(200);
    let figures = server.get_with(&admin, "/metrics").is(200);
    let figures = String::from_utf8(figures.body).unwrap();
    assert!(figures.contains("zhao_publication_failing 0"), "{figures}");
    server.stop();
    assert_eq!(
        published(dir).join("\n") + "\n",
        String::from_utf8(served.body).unwrap()
    );
    assert!(names(dir, "segment").is_empty());
    zhao(dir, &["backup", "office", "backup"]).code(0);

    // The machine is lost after an answer, with all it had.
    let server = serve(dir, &[]);
    let subject = issue(&server, &admin, "另一餐馆");
    let size = server.get("/checkpoint").is(200);
    let size = String::from_utf8(size.body).unwrap();
    let size: u64 = size.lines().nth(1).unwrap().parse().unwrap();
    drop(server);
    fs::rename(dir.join("office"), dir.join("lost")).unwrap();

    // The backup alone does not go on: it is older than what was answered.
    zhao(dir, &["restore", "backup", "office"]).code(0);
    let refused = zhao(dir, &["serve", "office", "--listen", "127.0.0.1:0"]).code(2);
    assert!(
        refused.error().contains("took this log over"),
        "{}",
        refused.stderr
    );
    assert!(refused.stderr.contains("--take-over"), "{}", refused.stderr);
    let taken = zhao(dir, &["publish", "office", "--take-over", "--json"]).code(0);
    let taken = json(&taken);
    assert!(taken["caughtUp"].as_u64().unwrap() >= 2, "{taken}");
    assert!(taken["size"].as_u64().unwrap() > size, "{taken}");
    let server = start(dir, &["serve", "office", "--listen", "127.0.0.1:0"]);
    let proof = server
        .get(&format!("/v1/subjects/{subject}"))
        .is(200)
        .json();
    assert_eq!(proof["record"]["state"], "active", "{proof}");
    issue(&server, &admin, "第三餐馆");
    server.stop();
    zhao(dir, &["audit", "office", "--policy", "office/policy.txt"]).code(0);
    // The office does not know the licence that the lost machine issued; it is told so.
    let fsck = zhao(dir, &["fsck", "office"]).code(1);
    assert_eq!(fsck.stdout.matches("the records do not know it").count(), 1);

    // If the lost one comes back, it finds that it was followed, and signs nothing.
    let back = zhao(dir, &["serve", "lost", "--listen", "127.0.0.1:0"]).code(2);
    assert!(
        back.error().contains("took this log over"),
        "{}",
        back.stderr
    );
    let back = zhao(dir, &["cosign", "lost"]).code(2);
    assert!(
        back.error().contains("took this log over"),
        "{}",
        back.stderr
    );
}

#[test]
fn places_that_are_none_and_those_of_others_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    office(dir);
    let error = |arguments: &[&str]| {
        let all: Vec<&str> = ["publish"].iter().chain(arguments).copied().collect();
        zhao(dir, &all).code(2).error().to_owned()
    };
    fs::write(dir.join("file"), "").unwrap();
    assert_eq!(error(&["office"]), "office is published nowhere besides");
    for (place, expected) in [
        ("nowhere", "No such file"),
        ("file", "ot a directory"),
        ("ftp://host/x", "neither s3://BUCKET/PREFIX nor a folder"),
        ("s3://", "names no bucket"),
        ("", "No such file"),
    ] {
        let said = error(&["office", place]);
        assert!(said.contains("is no place to publish to"), "{said}");
        assert!(said.contains(expected), "{said}");
    }
    // None of them is remembered.
    zhao(dir, &["cosign", "office"]).code(0);
    for place in ["place", "other"] {
        fs::create_dir(dir.join(place)).unwrap();
    }
    zhao(dir, &["publish", "office", "place"]).code(0);
    let said = error(&["office", "other"]);
    assert!(said.contains("is published in"), "{said}");
    let server = serve(dir, &[]);
    let said = error(&["office"]);
    assert!(said.contains("server"), "{said}");
    server.stop();

    // Another office's place.
    let init = ["init", "second", "--origin", "zhao.example/second"];
    zhao(dir, &init).code(0);
    let said = error(&["second", "place"]);
    assert!(said.contains("of the log zhao.example"), "{said}");
    let said = error(&["second", "place", "--take-over"]);
    assert!(said.contains("of the log zhao.example"), "{said}");
    zhao(dir, &["cosign", "second"]).code(0);
    assert!(names(dir, "probe").is_empty());

    // What is altered there stops the upload, and stays as it is.
    let claim = fs::read(dir.join("place/claim")).unwrap();
    fs::write(dir.join("place/claim"), "{}").unwrap();
    let said = error(&["office"]);
    assert!(said.contains("claim in the place of publication"), "{said}");
    assert_eq!(fs::read(dir.join("place/claim")).unwrap(), b"{}");
    fs::remove_file(dir.join("place/claim")).unwrap();
    let said = error(&["office"]);
    assert!(said.contains("has lost the claim"), "{said}");
    // Whatever would sign without it does not.
    let cosign = zhao(dir, &["cosign", "office"]).code(2);
    assert!(
        cosign.error().contains("has lost the claim"),
        "{}",
        cosign.stderr
    );
    fs::write(dir.join("place/claim"), claim).unwrap();
    zhao(dir, &["cosign", "office"]).code(0);
    let note = fs::read_to_string(dir.join("place/checkpoint")).unwrap();
    let altered = note.replacen("\u{2014} zhao", "\u{2014} zhaa", 1);
    fs::write(dir.join("place/checkpoint"), &altered).unwrap();
    let said = error(&["office"]);
    assert!(
        said.contains("checkpoint in the place of publication"),
        "{said}"
    );
    let there = fs::read_to_string(dir.join("place/checkpoint")).unwrap();
    assert_eq!(there, altered);
}
