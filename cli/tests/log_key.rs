//! A log changes its key: as the operator, the administrators, a witness and a reader type it.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::fs;
use std::path::Path;

mod support;

use support::{credentials, office, zhao};

fn checkpoint(dir: &Path) -> String {
    fs::read_to_string(dir.join("office/ledger/checkpoint")).unwrap()
}

fn size(dir: &Path) -> u64 {
    checkpoint(dir).lines().nth(1).unwrap().parse().unwrap()
}

/// How many keys of the log signed the newest head.
fn signatures(dir: &Path) -> usize {
    let note = checkpoint(dir);
    let line = format!("\u{2014} {} ", note.lines().next().unwrap());
    note.lines().filter(|l| l.starts_with(&line)).count()
}

/// A dossier of a new licence.
fn issue(dir: &Path, name: &str) -> String {
    let (rows, out) = (format!("{name}.csv"), format!("{name}-out"));
    let seed = name.len().to_string();
    let sample = [
        "sample",
        "--count",
        "1",
        "--seed",
        &seed,
        "--type",
        "food-operation",
        "-o",
        &rows,
    ];
    zhao(dir, &sample).code(0);
    zhao(dir, &["issue", "office", "--from", &rows, "-o", &out]).code(0);
    let credential = credentials(&dir.join(&out)).remove(0);
    let dossier = format!("{name}.json");
    let credential = credential.to_str().unwrap();
    zhao(dir, &["dossier", "office", credential, "-o", &dossier]).code(0);
    dossier
}

fn logs(dir: &Path) -> Vec<String> {
    let policy = fs::read_to_string(dir.join("office/policy.txt")).unwrap();
    let lines = policy.lines().filter_map(|line| line.strip_prefix("log "));
    lines.map(str::to_owned).collect()
}

/// Signs with two of the administrators' keys and submits.
fn decide(dir: &Path, proposal: &str) -> support::Ran {
    let shown = zhao(dir, &["admin", "show", proposal, "--json"]).code(0);
    let shown: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
    let id = shown["id"].as_str().unwrap().to_owned();
    let mut submit = vec!["admin", "submit", "office"];
    let files = [1, 2].map(|number| {
        let (key, file) = (
            format!("administrator-{number}"),
            format!("{proposal}-{number}"),
        );
        let sign = [
            "admin",
            "sign",
            proposal,
            "--id",
            &id,
            "--admin-dir",
            "office-admin",
            "--key",
            &key,
            "-o",
            &file,
        ];
        zhao(dir, &sign).code(0);
        file
    });
    submit.extend(files.iter().map(String::as_str));
    zhao(dir, &submit)
}

#[test]
fn readers_with_the_old_policy_follow_a_log_that_changes_its_key() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    office(dir);
    // What a bank installed once, and does not touch.
    fs::create_dir(dir.join("bank")).unwrap();
    for name in ["policy.txt", "trust.txt"] {
        fs::copy(dir.join("office").join(name), dir.join("bank").join(name)).unwrap();
    }
    let verify = |dossier: &str| zhao(dir, &["verify", dossier, "--policy", "bank/policy.txt"]);
    let before = issue(dir, "a");
    verify(&before).code(0);

    let from = (size(dir) + 4).to_string();
    let none = zhao(dir, &["admin", "propose", "office", "log-key", "-o", "p"]).code(2);
    assert!(none.stderr.contains("--from"), "{}", none.stderr);
    let propose = [
        "admin", "propose", "office", "log-key", "--from", &from, "-o", "p",
    ];
    let made = zhao(dir, &propose).code(0);
    let [first, second] = <[String; 2]>::try_from(logs(dir)).unwrap();
    assert!(
        made.stdout.contains(&format!("log {second}")),
        "{}",
        made.stdout
    );
    let shown = zhao(dir, &["keys", "office", "show", "log-2", "--form", "vkey"]).code(0);
    assert_eq!(shown.stdout.trim(), second);
    assert_eq!(signatures(dir), 1, "made is not named");
    decide(dir, "p").code(0);

    // While both keys are here both sign, from the size on.
    while size(dir) < from.parse().unwrap() {
        issue(dir, &"b".repeat(usize::try_from(size(dir)).unwrap()));
    }
    assert_eq!(signatures(dir), 2);
    verify(&issue(dir, "cc")).code(0);
    zhao(dir, &["fsck", "office"]).code(0);

    // The old key is given up; the bank's policy still names no other.
    fs::create_dir(dir.join("away")).unwrap();
    for name in ["log.age", "log.pub.json"] {
        fs::rename(
            dir.join("office/keys").join(name),
            dir.join("away").join(name),
        )
        .unwrap();
    }
    let after = issue(dir, "ddd");
    assert_eq!(signatures(dir), 1);
    verify(&after).code(0);
    verify(&before).code(0);
    zhao(dir, &["fsck", "office"]).code(0);
    zhao(dir, &["audit", "office", "--policy", "office/policy.txt"]).code(0);

    // A dossier of before is made new from static files; what changed in the registry, the pack
    // says, and with it who signs heads now.
    let server = support::server::serve(dir, &[]);
    let url = server.url();
    let refresh = [
        "refresh",
        &before,
        &url,
        "-o",
        "new.json",
        "--policy",
        "bank/policy.txt",
    ];
    let unknown = zhao(dir, &refresh).code(2);
    assert!(unknown.stderr.contains("not signed"), "{}", unknown.stderr);
    let pack = ["--pack", "office/issuer-pack.json"];
    let told = [refresh.as_slice(), &pack].concat();
    zhao(dir, &told).code(0);
    server.stop();
    let verify_new = ["verify", "new.json", "--policy", "bank/policy.txt"];
    zhao(dir, &[verify_new.as_slice(), &pack].concat()).code(0);
    let bare = zhao(dir, &verify_new).code(1);
    assert!(bare.stdout.contains("[log_signature]"), "{}", bare.stdout);

    // Without the key that must sign, nothing is signed at all.
    for name in ["log-2.age", "log-2.pub.json"] {
        fs::rename(
            dir.join("office/keys").join(name),
            dir.join("away").join(name),
        )
        .unwrap();
    }
    for name in ["log.age", "log.pub.json"] {
        fs::rename(
            dir.join("away").join(name),
            dir.join("office/keys").join(name),
        )
        .unwrap();
    }
    let newest = checkpoint(dir);
    let refused = zhao(dir, &["cosign", "office"]).code(2);
    assert!(
        refused.stderr.contains("log key of the database"),
        "{}",
        refused.stderr
    );
    assert_eq!(checkpoint(dir), newest);

    a_witness_changes_over(dir, &first, &second);
}

fn a_witness_changes_over(dir: &Path, first: &str, second: &str) {
    let init = [
        "witness",
        "init",
        "w",
        "--name",
        "w.example",
        "--log",
        first,
    ];
    zhao(dir, &init).code(0);
    let twice = zhao(dir, &["witness", "watch", "w", second]).code(2);
    assert!(twice.error().contains("is named twice"), "{}", twice.stderr);
    let last = zhao(dir, &["witness", "watch", "w", "--forget", first]).code(2);
    assert!(last.error().contains("without a key"), "{}", last.stderr);
    zhao(dir, &["witness", "watch", "w", second, "--new-key"]).code(0);
    let again = zhao(dir, &["witness", "watch", "w", second, "--new-key"]).code(2);
    assert!(again.error().contains("is named twice"), "{}", again.stderr);
    zhao(dir, &["witness", "watch", "w", "--forget", first]).code(0);
    let gone = zhao(dir, &["witness", "watch", "w", "--forget", first]).code(2);
    assert!(
        gone.error().contains("no key this witness has"),
        "{}",
        gone.stderr
    );
    let kept = fs::read_to_string(dir.join("w/witness.toml")).unwrap();
    assert!(kept.contains(second) && !kept.contains(first), "{kept}");
}

#[test]
fn one_administrator_does_not_change_the_logs_key() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    office(dir);
    let propose = [
        "admin", "propose", "office", "log-key", "--from", "1", "-o", "p",
    ];
    zhao(dir, &propose).code(0);
    let shown = zhao(dir, &["admin", "show", "p", "--json"]).code(0);
    let shown: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
    let id = shown["id"].as_str().unwrap().to_owned();
    let sign = [
        "admin",
        "sign",
        "p",
        "--id",
        &id,
        "--admin-dir",
        "office-admin",
        "--key",
        "administrator-1",
        "-o",
        "p1",
    ];
    zhao(dir, &sign).code(0);
    let few = zhao(dir, &["admin", "submit", "office", "p1"]).code(1);
    assert_eq!(few.error(), "1 administrators signed, 2 must");
    issue(dir, "a");
    assert_eq!(signatures(dir), 1);
    // In Chinese as well, what is to be signed is said.
    let chinese = zhao(dir, &["--lang", "zh", "admin", "show", "p"]).code(0);
    assert!(chinese.stdout.contains("签名才算数"), "{}", chinese.stdout);
}
