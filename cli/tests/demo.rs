//! The demo itself: small, in both languages, from any directory.

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
    for evidence in support::credentials(&dir.join("kept/evidence")) {
        let evidence = evidence.to_str().unwrap();
        zhao(
            dir,
            &["verify", evidence, "--policy", "kept/office/policy.txt"],
        )
        .code(0);
        zhao(dir, &["show", evidence]).code(0);
    }
    let list = ["unit", "kept/office", "list"];
    finish(command(dir, &list).env("ZHAO_PASSPHRASE", "demo")).code(0);
    let again = zhao(dir, &["demo", "--count", "80", "--keep", "kept"]).code(2);
    assert_eq!(again.error(), "kept is not empty");
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
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0);
}
