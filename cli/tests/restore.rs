//! A backup made while a server works: elsewhere it answers as the office did, to the byte.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod support;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::Value;
use support::server::{self, Server, key, serve, start};
use support::{food, office, zhao};
use zhao_spec::wire::{Hash, UnixMillis};

fn issue(server: &Server, key: &str, name: &str) -> String {
    let made = server.post(key, "/v1/licences", &food(name)).is(201).json();
    made["licence"]["subject"].as_str().unwrap().to_owned()
}

/// Size and root of the checkpoint that a proof ends in.
fn head(proof: &str) -> (u64, String) {
    let (_, note) = proof.split_once("\n\n").unwrap();
    let mut lines = note.lines().skip(1);
    let size = lines.next().unwrap().parse().unwrap();
    (size, lines.next().unwrap().to_owned())
}

/// A root as a checkpoint writes it; a manifest has base64url.
fn root(restored: &Value) -> String {
    Hash::from_base64url(restored["root"].as_str().unwrap())
        .unwrap()
        .to_base64()
}

#[test]
fn a_backup_made_under_load_answers_elsewhere_as_the_office_did() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    office(dir);
    let admin = key(dir, "admin");
    let server = serve(dir, &[]);
    let (issued, enough) = (Mutex::new(Vec::new()), AtomicBool::new(false));
    let backup = thread::scope(|scope| {
        for worker in 0..2 {
            let (issued, enough, server, admin) = (&issued, &enough, &server, &admin);
            scope.spawn(move || {
                let mut number = 0;
                while !enough.load(Ordering::Relaxed) {
                    let subject = issue(server, admin, &format!("示例餐馆{worker}-{number}"));
                    issued.lock().unwrap().push(subject);
                    number += 1;
                }
            });
        }
        while issued.lock().unwrap().len() < 10 {
            thread::yield_now();
        }
        let backup = zhao(dir, &["backup", "office", "copy", "--json"]);
        // Some come after it.
        let after = issued.lock().unwrap().len() + 4;
        while issued.lock().unwrap().len() < after {
            thread::yield_now();
        }
        enough.store(true, Ordering::Relaxed);
        backup.code(0)
    });
    let backup: Value = serde_json::from_str(&backup.stdout).unwrap();
    let restored = zhao(dir, &["restore", "copy", "elsewhere", "--json"]).code(0);
    let restored: Value = serde_json::from_str(&restored.stdout).unwrap();
    assert_eq!(restored["size"], backup["size"]);
    assert_eq!(restored["root"], backup["root"]);
    // What was declared and on its way to the log is delivered by the copy: look before that.
    let point = UnixMillis(restored["recoveryPoint"].as_u64().unwrap());
    let copy = start(dir, &["serve", "elsewhere", "--listen", "127.0.0.1:0"]);
    let issued = issued.into_inner().unwrap();
    let mut covered = 0;
    for subject in &issued {
        let path = format!("/v1/subjects/{subject}?at={point}");
        let (there, here) = (copy.get(&path), server.get(&path));
        if there.status == 404 {
            // It came later: neither knew it then.
            here.is(404);
            continue;
        }
        let (there, here) = (there.is(200), here.is(200));
        let json = there.json();
        // The office itself says the same as of then: record, path, head, root and signatures.
        let text = |answer: server::Answer| String::from_utf8(answer.body).unwrap();
        assert_eq!(text(there), text(here));
        let proof = json["head"]["proof"].as_str().unwrap();
        assert_eq!(
            head(proof),
            (restored["size"].as_u64().unwrap(), root(&restored))
        );
        covered += 1;
    }
    // Those before the backup are in it, and those after are not.
    assert!(
        covered >= 10 && covered < issued.len(),
        "{covered} of {}",
        issued.len()
    );
    copy.stop();
    server.stop();
    zhao(dir, &["fsck", "elsewhere"]).code(0);
}
