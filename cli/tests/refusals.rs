//! What is refused before anything is done: outputs that cannot be written, places that do not fit.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::fs;
use std::path::Path;

mod support;

use support::{command, credentials, finish, food, office, zhao};

/// An office with one licence; gives the name of its credential file.
fn issued(dir: &Path) -> String {
    office(dir);
    fs::write(dir.join("batch.json"), food("示例小吃店")).unwrap();
    let issue = ["issue", "office", "--from", "batch.json", "-o", "out"];
    zhao(dir, &issue).code(0);
    credentials(&dir.join("out"))[0]
        .to_str()
        .unwrap()
        .to_owned()
}

fn log_size(dir: &Path) -> serde_json::Value {
    let ran = zhao(dir, &["fsck", "office", "--json"]).code(0);
    let value: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert!(value["size"].is_u64(), "{value}");
    value["size"].clone()
}

#[test]
fn an_output_that_cannot_be_written_is_refused_before_anything_is_done() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    let credential = issued(dir);
    let credential = credential.as_str();
    let size = log_size(dir);
    fs::write(dir.join("change.json"), r#"{"premises":"示例路2号"}"#).unwrap();
    for place in ["/proc/r", "absent/r", "batch.json/r", "out"] {
        for arguments in [
            &[
                "status",
                "office",
                credential,
                "hold",
                "--reason",
                "r",
                "--receipt",
                place,
            ][..],
            &["cosign", "office", "-o", place],
            &[
                "query",
                "office",
                "--uscc",
                "91320400DEM000110X",
                "-o",
                place,
            ],
            &["dossier", "office", credential, "-o", place],
            &["history", "office", credential, "-o", place],
            &["sample", "--count", "1", "-o", place],
        ] {
            let ran = zhao(dir, arguments).code(2);
            let expected = format!("cannot write {place}: ");
            assert!(ran.error().starts_with(&expected), "{}", ran.stderr);
            assert_eq!(ran.stdout, "");
            assert_eq!(ran.stderr.lines().count(), 2, "{}", ran.stderr);
            assert!(!ran.stderr.contains(".zhao-"), "{}", ran.stderr);
        }
    }
    for place in ["/proc/r", "batch.json", "batch.json/r"] {
        for arguments in [
            &["issue", "office", "--from", "batch.json", "-o", place][..],
            &[
                "amend",
                "office",
                credential,
                "--from",
                "change.json",
                "-o",
                place,
            ],
        ] {
            let ran = zhao(dir, arguments).code(2);
            assert!(ran.error().starts_with("cannot "), "{}", ran.stderr);
            assert!(ran.error().contains(place), "{}", ran.stderr);
        }
    }
    let audit = [
        "audit",
        "office",
        "--policy",
        "office/policy.txt",
        "-o",
        "/proc/e",
    ];
    let ran = zhao(dir, &audit).code(2);
    assert!(
        ran.error().starts_with("cannot write /proc/e: "),
        "{}",
        ran.stderr
    );
    assert_eq!(log_size(dir), size, "nothing may be recorded");
    zhao(dir, &["cosign", "office", "-o", "/dev/null"]).code(0);
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
}

#[test]
fn a_new_version_that_is_refused_leaves_no_directory() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    let credential = issued(dir);
    fs::create_dir(dir.join("batches")).unwrap();
    for (name, text, code, said) in [
        (
            "cell.json",
            "{\"businessForm\":\"nonsense\"}",
            1,
            "businessForm: nonsense is not",
        ),
        ("column.json", "{\"colour\":\"red\"}", 1, "colour: "),
        (
            "cut.json",
            "[{\"premises\":\"",
            2,
            "cut.json: the batch: unexpected end",
        ),
        (
            "empty.csv",
            "",
            2,
            "empty.csv has no row, expected exactly one",
        ),
        (
            "header.csv",
            "premises\n",
            2,
            "header.csv has no row, expected exactly one",
        ),
        (
            "none.json",
            "[]",
            2,
            "none.json has no row, expected exactly one",
        ),
        (
            "two.json",
            "[{\"premises\":\"a\"},{\"premises\":\"b\"}]",
            2,
            "two.json has more than one",
        ),
        ("batches", "", 2, "batches is a directory, not a file"),
    ] {
        if name != "batches" {
            fs::write(dir.join(name), text).unwrap();
        }
        // The three are one command.
        let verbs = if name == "cell.json" { 3 } else { 1 };
        for verb in ["amend", "renew", "reissue"].into_iter().take(verbs) {
            let run = [
                verb,
                "office",
                &credential,
                "--from",
                name,
                "-o",
                "deep/new",
            ];
            let ran = zhao(dir, &run).code(code);
            assert!(ran.error().starts_with(said), "{verb}: {}", ran.stderr);
            assert!(!dir.join("deep").exists(), "{verb} {name}");
        }
    }
}

#[test]
fn a_credential_that_was_edited_gets_no_dossier() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    let credential = issued(dir);
    let text = fs::read_to_string(dir.join(&credential)).unwrap();
    let edited = text.replace("示例路1号", "示例路9号");
    assert_ne!(text, edited);
    fs::write(dir.join("edited.json"), edited).unwrap();
    let ran = zhao(dir, &["dossier", "office", "edited.json", "-o", "d.json"]).code(1);
    let expected = "edited.json: the credential was changed after it was signed: ";
    assert!(ran.error().starts_with(expected), "{}", ran.stderr);
    assert!(!dir.join("d.json").exists());
}

#[test]
fn administrators_keys_lie_apart_from_the_office() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    fs::create_dir(dir.join("real")).unwrap();
    std::os::unix::fs::symlink("real", dir.join("link")).unwrap();
    for (own, admin) in [
        ("new", "new"),
        ("new", "./new/"),
        ("new", "new/admin"),
        ("new", "other/../new/admin"),
        ("real", "link"),
        ("real", "link/admin"),
        ("link/office", "real/office/keys"),
        ("new/office", "new"),
    ] {
        let ran = zhao(dir, &["init", own, "--admin-dir", admin]).code(2);
        let expected = format!("the administrators' keys cannot be in {admin}: ");
        assert!(ran.error().starts_with(&expected), "{}", ran.stderr);
        assert!(!dir.join("new").exists(), "{own} {admin}");
    }
    assert_eq!(fs::read_dir(dir.join("real")).unwrap().count(), 0);
    zhao(
        dir,
        &["init", "real/office", "--admin-dir", "link/office-keys"],
    )
    .code(0);
}

#[test]
fn keys_that_are_gone_are_told_apart() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    office(dir);
    let suspend = ["unit", "office", "suspend", "11320400DEM000014W"];
    fs::rename(dir.join("office-admin"), dir.join("moved")).unwrap();
    let ran = zhao(dir, &suspend).code(2);
    assert_eq!(ran.error(), "office-admin is not there");
    assert!(ran.stderr.contains("--admin-dir"), "{}", ran.stderr);
    fs::rename(dir.join("office/keys"), dir.join("keys")).unwrap();
    let ran = zhao(dir, &suspend).code(2);
    assert_eq!(ran.error(), "office/keys is not there");
    assert!(!ran.stderr.contains("--admin-dir"), "{}", ran.stderr);
}

#[test]
fn a_licence_is_handed_over_to_a_named_unit() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    let credential = issued(dir);
    let other = zhao_spec::id::Uscc::with_checks("11320400", "DEM00020").unwrap();
    let other = other.to_string();
    let transfer = [
        "status",
        "office",
        &credential,
        "transfer",
        "--reason",
        "机构改革",
    ];
    let to = |unit: &'static str| [&transfer[..], &["--to", unit]].concat();
    let ran = zhao(dir, &transfer).code(2);
    assert_eq!(ran.error(), "transfer needs --to: USCC");
    let ran = zhao(dir, &to("123")).code(2);
    assert!(
        ran.error().starts_with("\"123\" is no unified"),
        "{}",
        ran.stderr
    );
    let hold = [
        "status",
        "office",
        &credential,
        "hold",
        "--reason",
        "r",
        "--to",
        &other,
    ];
    assert_eq!(
        zhao(dir, &hold).code(2).error(),
        "--to does not go with hold"
    );
    let over = [&transfer[..], &["--to", &other]].concat();
    let ran = zhao(dir, &over).code(1);
    assert!(
        ran.error().ends_with("[controller_unknown]"),
        "{}",
        ran.stderr
    );
    zhao(
        dir,
        &["unit", "office", "add", &other, "--name", "示例二单位"],
    )
    .code(0);
    let ran = zhao(dir, &over).code(0);
    assert!(ran.stderr.contains(": transferred, "), "{}", ran.stderr);
    zhao(dir, &["dossier", "office", &credential, "-o", "d.json"]).code(0);
    zhao(dir, &["verify", "d.json", "--policy", "office/policy.txt"]).code(0);
}

#[test]
fn only_chinese_is_chinese() {
    let temporary = tempfile::tempdir().unwrap();
    for (locale, chinese) in [
        ("zh", true),
        ("zh_TW", true),
        ("zhx", false),
        ("zhx_CN", false),
    ] {
        let mut run = command(temporary.path(), &["issu"]);
        let ran = finish(run.env("LC_ALL", locale)).code(2);
        assert_eq!(ran.error().contains("不认识的命令"), chinese, "{locale}");
    }
}
