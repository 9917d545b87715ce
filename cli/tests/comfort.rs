//! What makes a day at the program bearable: JSON for programs, tables and colour for people, and
//! nothing of the latter where no person looks.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::fs;
use std::path::Path;
use std::process::Command;

mod support;

use support::server::serve;
use support::{Ran, credentials, finish, food, office, zhao};

fn json(ran: &Ran) -> serde_json::Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.stdout))
}

/// One licence in `dir/issued`; the path of its credential.
fn issued(dir: &Path) -> String {
    fs::write(dir.join("one.json"), format!("[{}]", food("示例面馆"))).unwrap();
    let words = ["issue", "office", "--from", "one.json", "-o", "issued"];
    zhao(dir, &words).code(0);
    let path = credentials(&dir.join("issued")).remove(0);
    path.to_str().unwrap().to_owned()
}

#[test]
fn what_is_done_to_licences_is_told_as_json() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    office(dir);
    let wrong = food("示例面馆").replace("catering", "street");
    fs::write(
        dir.join("two.json"),
        format!("[{},{wrong}]", food("示例茶馆")),
    )
    .unwrap();
    let words = [
        "issue", "office", "--from", "two.json", "-o", "two", "--json",
    ];
    let told = json(&zhao(dir, &words).code(1));
    let expected = serde_json::json!({
        "issued": 1, "pending": 0, "refused": 1, "repeated": 0, "report": "two/report.csv",
    });
    assert_eq!(told, expected);
    let licence = credentials(&dir.join("two")).remove(0);
    let licence = licence.to_str().unwrap();
    fs::write(dir.join("change.json"), r#"{"premises":"示例路9号"}"#).unwrap();
    let words = [
        "amend",
        "office",
        licence,
        "--from",
        "change.json",
        "-o",
        "new",
        "--json",
    ];
    let told = json(&zhao(dir, &words).code(0));
    assert_eq!(told["issued"], 1, "{told}");
    assert_eq!(told["number"], "JY32040000000001", "{told}");
    let licence = credentials(&dir.join("new")).remove(0);
    let licence = licence.to_str().unwrap();
    let act = [
        "status", "office", licence, "revoke", "--reason", "x", "--json",
    ];
    let ran = zhao(dir, &act).code(0);
    let told = json(&ran);
    assert_eq!(told["verb"], "revoke", "{told}");
    assert!(told["index"].as_u64().unwrap() > 20, "{told}");
    assert_eq!(ran.stderr, "");
    // A refusal is never JSON: it is not data.
    let again = zhao(dir, &act).code(1);
    assert_eq!(again.stdout, "");
    assert!(again.error().contains("[terminal]"), "{}", again.stderr);
}

/// Columns that a terminal gives a text: two for a Chinese character or full-width sign.
fn columns(text: &str) -> usize {
    let wide = |c: char| matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{ffef}');
    text.chars().map(|c| if wide(c) { 2 } else { 1 }).sum()
}

#[test]
fn tables_with_chinese_are_aligned() {
    let temporary = tempfile::tempdir().unwrap();
    for language in ["zh", "en"] {
        let words = ["catalogue", "list", "--lang", language];
        let ran = zhao(temporary.path(), &words).code(0);
        let widths: Vec<usize> = ran.stdout.lines().map(columns).collect();
        assert!(widths.len() > 8, "{}", ran.stdout);
        assert!(
            widths.iter().all(|width| *width == widths[0]),
            "{widths:?}\n{}",
            ran.stdout
        );
    }
}

/// Runs `zhao` with a terminal as standard output.
fn on_a_terminal(dir: &Path, line: &str, settings: &[(&str, &str)]) -> String {
    let program = env!("CARGO_BIN_EXE_zhao");
    let mut run = Command::new("script");
    run.args(["-qec", &format!("'{program}' {line}"), "/dev/null"])
        .current_dir(dir)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("LC_ALL", "C.UTF-8")
        .env("TERM", "xterm")
        .env("ZHAO_PASSPHRASE", "correct horse battery staple")
        .envs(settings.iter().copied());
    finish(&mut run).stdout
}

#[test]
fn colour_and_progress_are_for_terminals_that_want_them() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    office(dir);
    let licence = issued(dir);
    zhao(dir, &["dossier", "office", &licence, "-o", "d.json"]).code(0);
    let line = "verify d.json --policy office/policy.txt";
    let coloured = on_a_terminal(dir, line, &[]);
    assert!(coloured.contains("\u{1b}[32;1mVALID"), "{coloured:?}");
    for settings in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let plain = on_a_terminal(dir, line, &[settings]);
        assert!(plain.contains("VALID"), "{plain:?}");
        assert!(!plain.contains('\u{1b}'), "{settings:?}: {plain:?}");
    }
    let words = ["verify", "d.json", "--policy", "office/policy.txt"];
    let piped = zhao(dir, &words).code(0);
    assert!(!piped.stdout.contains('\u{1b}'), "{}", piped.stdout);
    let words = ["issue", "office", "--from", "one.json", "-o", "issued"];
    let ran = zhao(dir, &words).code(0);
    assert!(!ran.stderr.contains(['\u{1b}', '\r']), "{:?}", ran.stderr);
}

/// The flag to the passphrase that is missing is named, not that of another one.
#[test]
fn a_missing_passphrase_is_named() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    for (words, variable, flag) in [
        (
            &["init", "office"][..],
            "ZHAO_PASSPHRASE",
            "--passphrase-file",
        ),
        (
            &["admin", "new", "chen"],
            "ZHAO_NEW_PASSPHRASE",
            "--new-passphrase-file",
        ),
    ] {
        let mut run = support::command(dir, words);
        let ran = finish(run.env_remove("ZHAO_PASSPHRASE")).code(2);
        let expected = format!(
            "no passphrase: {variable} is not set, no {flag} is given, and there is no terminal \
             to ask on"
        );
        assert_eq!(ran.error(), expected);
    }
    assert_eq!(fs::read_dir(dir).unwrap().count(), 0);
}

/// Credential files in a directory that may not be there.
fn credentials_in(dir: &Path) -> Vec<std::path::PathBuf> {
    match dir.is_dir() {
        true => credentials(dir),
        false => Vec::new(),
    }
}

/// Whether a server can only check a batch or refuses to: what was only to be checked is not
/// issued.
#[test]
fn a_dry_run_on_a_served_office_issues_nothing() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    office(dir);
    fs::write(dir.join("one.json"), format!("[{}]", food("示例面馆"))).unwrap();
    let server = serve(dir, &[]);
    let words = [
        "issue",
        "office",
        "--from",
        "one.json",
        "-o",
        "out",
        "--dry-run",
    ];
    zhao(dir, &words);
    assert!(credentials_in(&dir.join("out")).is_empty());
    assert_eq!(server.stop().0, 0);
    let words = ["fsck", "office", "--json"];
    let told = json(&zhao(dir, &words).code(0));
    assert_eq!(told["office"]["licences"], 0, "{told}");
}
