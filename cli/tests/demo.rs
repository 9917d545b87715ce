//! The demo itself: small, in both languages, from any directory.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::fs;
use std::path::Path;

mod support;

use support::{command, finish, zhao};

#[test]
fn every_attempt_is_caught_and_the_files_can_be_opened() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    let ran = zhao(dir, &["demo", "--count", "80", "--keep", "kept"]).code(0);
    assert!(
        ran.stdout.contains("15 of 15 attempts caught"),
        "{}",
        ran.stdout
    );
    leads_on(&ran.stdout);
    for evidence in support::credentials(&dir.join("kept/evidence")) {
        let evidence = evidence.to_str().unwrap();
        zhao(
            dir,
            &["verify", evidence, "--policy", "kept/office/policy.txt"],
        )
        .code(0);
        zhao(dir, &["show", evidence]).code(0);
    }
    all_evidence_is_found_beside_a_bad_leaf(dir);
    let list = ["unit", "kept/office", "list"];
    finish(command(dir, &list).env("ZHAO_PASSPHRASE", "demo")).code(0);
    let again = zhao(dir, &["demo", "--count", "80", "--keep", "kept"]).code(2);
    assert_eq!(again.error(), "kept is not empty");
}

/// The replay stops at the entry that was rewritten; what others hold is compared all the same.
fn all_evidence_is_found_beside_a_bad_leaf(dir: &Path) {
    let printed = dir.join("kept/attempts/rewrites-entry-reprinted");
    fs::copy(dir.join("kept/office/zhao.toml"), printed.join("zhao.toml")).unwrap();
    let dossiers = support::credentials(&dir.join("kept/dossiers"));
    let policy = ["--policy", "kept/office/policy.txt"];
    let mut audit = vec!["audit", printed.to_str().unwrap(), "--json", "--seen"];
    audit.extend(dossiers.iter().map(|path| path.to_str().unwrap()));
    audit.extend(policy);
    fs::write(dir.join("evidence-2.json"), "an older one").unwrap();
    let ran = zhao(dir, &audit).code(1);
    let value: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let evidence = value["evidence"].as_array().unwrap();
    assert_eq!(evidence[0]["claim"], "inadmissible-leaf", "{value}");
    assert!(
        evidence[1..]
            .iter()
            .any(|piece| piece["claim"] == "two-heads"),
        "{value}"
    );
    assert_eq!(evidence[1]["file"], "evidence-3.json");
    for piece in evidence {
        let file = piece["file"].as_str().unwrap();
        zhao(dir, &[&["verify", file][..], &policy].concat()).code(0);
    }
    let older = fs::read_to_string(dir.join("evidence-2.json")).unwrap();
    assert_eq!(older, "an older one");
}

#[test]
fn the_demo_speaks_chinese_and_leaves_nothing() {
    let temporary = tempfile::tempdir().unwrap();
    let mut run = command(temporary.path(), &["demo", "--count", "80"]);
    run.env("LC_ALL", "zh_CN.UTF-8")
        .env("TMPDIR", temporary.path());
    let ran = finish(&mut run).code(0);
    assert!(
        ran.stdout.contains("企图 15 次，抓住 15 次"),
        "{}",
        ran.stdout
    );
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
    leads_on(&ran.stdout);
}

/// The last line tells where to read on, and the page is there.
fn leads_on(stdout: &str) {
    let last = stdout.lines().last().unwrap();
    let page = last.rsplit(['：', ' ']).next().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    assert!(page.contains("handbook"), "{last}");
    assert!(root.join(page).is_file(), "{last}");
}
