//! Flags, environment and passphrases that are wrong.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;

use crate::office::{Office, POLICY, Row, UNIT};
use crate::program::{PASSPHRASE, command, finish, is_refusal, javascript, refuses, refuses_with};

#[test]
fn an_office_that_is_not_made_leaves_nothing() {
    let office = Office::new();
    office.write("file", "");
    let long = format!("a{}.example", "a".repeat(300));
    for (flags, said) in [
        (&["--region", "32040"][..], "32040"),
        (&["--region", "３２０４００"], "３２０４００"),
        (&["--origin", "a+b"], "\"a+b\""),
        (&["--origin", &long], "not a key name"),
        (&["--origin", ""], "not a key name"),
        (&["--threshold", "0"], "--threshold <M>: found 0"),
        (&["--threshold", "two"], "found two"),
        (&["--administrators", "17"], "found 17"),
        (&["--administrators", "1"], "2 of 1"),
        (&["--unit-name", "示例局"], "--unit-uscc"),
        (&["--unit-uscc", UNIT], "--unit-name"),
        (&["--unit-name", "a\tb", "--unit-uscc", UNIT], "U+0009"),
        (
            &["--unit-name", "局", "--unit-uscc", "11320400DEM000014X"],
            "computed W",
        ),
        (&["--key-delay", "91d"], "90 days"),
        (&["--key-delay", "soon"], "found soon"),
        (&["--key-delay", "99999999999999999999d"], "too long"),
        (&["--admin-dir", "file"], "file"),
        (&["--admin-dir", "file/admin"], "file/admin"),
        (
            &["--admin-dir", "office-admin"],
            "office-admin is not empty",
        ),
        (&["--admin-dir", "/proc/zhao-admin"], "/proc/zhao-admin"),
        (&["--passphrase-file", "missing"], "missing"),
        (&["--passphrase-file", "office"], "office"),
    ] {
        let line = [&["init", "new"], flags].concat();
        office.refuses(&line, 2, &[said]);
    }
    for dir in ["office", "file", "file/new", "/proc/zhao-new", ".", ".."] {
        office.refuses(&["init", dir], 2, &[dir]);
    }
}

#[test]
fn times_and_durations_are_read_strictly() {
    let office = Office::new();
    let credential = office.issue_one(&Row::food());
    office
        .zhao(&["dossier", "office", &credential, "-o", "d.json"])
        .code(0);
    let verify = ["verify", "d.json", "--policy", POLICY];
    for at in [
        "",
        "now",
        "2026",
        "2026-02-29",
        "2026-13-01",
        "2026-00-10",
        "10000-01-01",
        "1899-12-31",
        "2026-11-22 00:00:00",
        "2026-11-22T24:00:00Z",
        "2026-11-22T23:60:00Z",
        "2026-06-30T23:59:60Z",
        "2026-11-22T00:00:00",
        "2026-11-22T00:00:00+0800",
        "2026-11-22T00:00:00+15:00",
        "2026-11-22T00:00:00.1234Z",
        "1792713600",
        "-1",
        "２０２６-11-22",
    ] {
        let at = format!("--at={at}");
        let line = [&verify[..], &[at.as_str()]].concat();
        refuses(office.root(), &line, 2, &["--at <TIME>: found "]);
        let status = [
            "status",
            "office",
            &credential,
            "hold",
            "--reason",
            "x",
            &at,
        ];
        is_refusal(&at, &office.zhao(&status), 2, &["--at <TIME>: found "]);
    }
    for age in [
        "",
        "1",
        "d",
        "1y",
        "-1d",
        "+1d",
        "1.5h",
        "01d",
        "1 d",
        "١d",
        "9007199254740992ms",
    ] {
        let age = format!("--max-age={age}");
        let line = [&verify[..], &[age.as_str()]].concat();
        refuses(office.root(), &line, 2, &["--max-age <DURATION>: found "]);
    }
    office.size();
}

#[test]
fn what_a_verb_does_not_take_is_refused_before_anything_happens() {
    let office = Office::new();
    let credential = office.issue_one(&Row::food());
    let reason = "a".repeat(1_001);
    for (rest, code, said) in [
        (&["hold", "--reason", "a\u{1}b"][..], 2, "U+0001"),
        (&["hold", "--reason", &reason], 2, "1001 characters"),
        (&["hold", "--reason", "x", "--basis", "a\nb"], 2, "U+000A"),
        (
            &["hold", "--reason", "x", "--code", "Not A Code"],
            2,
            "Not A Code",
        ),
        (&["hold", "--reason", "x", "--code", ""], 2, ""),
        (&["mortgage", "--reason", "x"], 1, "[verb_not_applicable]"),
        (
            &["inspect", "--reason", "x", "--result", "passed"],
            1,
            "[verb_not_applicable]",
        ),
        (&["lift-hold", "--reason", "x"], 1, "[not_suspended]"),
        (
            &["release-pledge", "--reason", "x", "--of", "1"],
            1,
            "[not_open]",
        ),
        (
            &["clear-objection", "--reason", "x", "--result", "upheld"],
            1,
            "0 open ones",
        ),
        (&["reaffirm", "--reason", "x"], 1, "[nothing_to_reaffirm]"),
        (&["issued", "--reason", "x"], 2, "issued"),
        (&["transfer", "--reason", "x"], 2, "transfer"),
        (&["hold"], 2, "--reason"),
    ] {
        let line = [&["status", "office", &credential], rest].concat();
        office.refuses(&line, code, &[said]);
    }
    for (line, code, said) in [
        (
            ["dossier", "office", "missing.json", "-o", "out"],
            2,
            "missing.json",
        ),
        (["dossier", "office", "office", "-o", "out"], 2, "office"),
        (["dossier", "office", POLICY, "-o", "out"], 1, POLICY),
        (
            ["history", "office", "missing.json", "-o", "out"],
            2,
            "missing.json",
        ),
        (
            ["history", "missing", &credential, "-o", "out"],
            2,
            "missing",
        ),
        (
            ["dossier", "office", &credential, "-o", "missing/out"],
            2,
            "missing/out",
        ),
        (
            ["dossier", "office", &credential, "-o", "office"],
            2,
            "office",
        ),
        (
            ["history", "office", &credential, "-o", "/proc/out"],
            2,
            "/proc/out",
        ),
        (
            ["query", "office", "--uscc=91350102DEM0000U11", "-o", "out"],
            2,
            "computed 0",
        ),
    ] {
        office.refuses(&line, code, &[said]);
        assert!(!office.path("out").exists());
    }
}

#[test]
fn bytes_that_are_no_text_are_arguments_all_the_same() {
    let office = Office::new();
    let credential = office.issue_one(&Row::food());
    let odd = OsStr::from_bytes(b"odd-\xff.json");
    // A path may be any bytes: the file is found, read and written.
    let dossier: [&OsStr; 5] = ["dossier", "office", &credential, "-o", ""].map(OsStr::new);
    let mut line = dossier;
    line[4] = odd;
    finish(&mut command(office.root(), &line)).code(0);
    assert!(office.path("x").with_file_name(odd).is_file());
    let verify = [
        OsStr::new("verify"),
        odd,
        OsStr::new("--policy"),
        OsStr::new(POLICY),
    ];
    finish(&mut command(office.root(), &verify)).code(0);
    fs::remove_file(office.path("x").with_file_name(odd)).unwrap();
    refuses_with(odd, 2, &["odd-\u{fffd}.json"], || {
        command(office.root(), &verify)
    });
    // A word may not.
    let bad = OsStr::from_bytes(b"\xff\xfe");
    for line in [
        vec![bad],
        vec![OsStr::new("status"), OsStr::new("office"), odd, bad],
        vec![
            OsStr::new("sample"),
            OsStr::new("--count"),
            bad,
            OsStr::new("-o"),
            odd,
        ],
        vec![
            OsStr::new("query"),
            OsStr::new("office"),
            OsStr::new("--uscc"),
            bad,
        ],
    ] {
        refuses_with(&line, 2, &[], || command(office.root(), &line));
    }
}

#[test]
fn passphrases_that_are_wrong_open_nothing() {
    let office = Office::new();
    let list = ["unit", "office", "list"];
    office.write("long", "a".repeat(1_025));
    office.write("empty", "\n");
    office.write("bytes", b"\xff\n");
    office.write("right", format!("{PASSPHRASE}\r\nsecond line\n"));
    for (set, said) in [
        (Some(&b"wrong"[..]), "wrong passphrase"),
        (
            Some(PASSPHRASE.to_uppercase().as_bytes()),
            "wrong passphrase",
        ),
        (Some(b""), "ZHAO_PASSPHRASE: the passphrase is empty"),
        (
            Some(b"\xff"),
            "ZHAO_PASSPHRASE: the passphrase is not UTF-8",
        ),
        (None, "no passphrase: ZHAO_PASSPHRASE is not set"),
    ] {
        refuses_with(said, 2, &[said], || {
            let mut run = command(office.root(), &list);
            match set {
                Some(bytes) => run.env("ZHAO_PASSPHRASE", OsStr::from_bytes(bytes)),
                None => run.env_remove("ZHAO_PASSPHRASE"),
            };
            run
        });
    }
    for (file, said) in [
        ("missing", "missing"),
        ("office", "office"),
        ("long", "1024"),
        ("empty", "empty"),
        ("bytes", "bytes"),
    ] {
        let line = [&list[..], &["--passphrase-file", file]].concat();
        office.refuses(&line, 2, &[said]);
    }
    let right = ["unit", "office", "list", "--passphrase-file", "right"];
    finish(command(office.root(), &right).env("ZHAO_PASSPHRASE", "wrong")).code(0);
    // What needs no key asks for none.
    let fsck = ["fsck", "office", "--ledger-only"];
    finish(command(office.root(), &fsck).env_remove("ZHAO_PASSPHRASE")).code(0);
}

#[test]
fn an_odd_environment_changes_the_language_at_most() {
    let office = Office::new();
    for (name, value, chinese) in [
        ("LC_ALL", "zh_CN.GB18030", true),
        ("LC_ALL", "zh", true),
        ("LC_ALL", "zh_TW.UTF-8", true),
        ("LC_ALL", "POSIX", false),
        ("LC_ALL", "../../etc/passwd", false),
        ("LC_ALL", "示例", false),
        ("ZHAO_LANG", "zh", false),
        ("ZHAO_DIR", "/nowhere", false),
        ("ZHAO_", "", false),
        ("TERM", "dumb", false),
        ("NO_COLOR", "1", false),
        ("HOME", "/nowhere", false),
        ("TMPDIR", "/nowhere", false),
        ("RUST_LOG", "trace", false),
    ] {
        let ran = office.with_env(name, value, &["fsck", "office"]).code(0);
        assert_eq!(ran.stderr, "", "{name}={value}");
        let clean = if chinese {
            "目录"
        } else {
            "The directory agrees with itself."
        };
        assert!(ran.stdout.contains(clean), "{name}={value}: {}", ran.stdout);
    }
    let bytes = OsStr::from_bytes(b"zh\xff");
    finish(command(office.root(), &["fsck", "office"]).env("LC_ALL", bytes)).code(0);
}

#[test]
fn the_javascript_verifier_refuses_wrong_usage_too() {
    let office = Office::new();
    office.write("d.json", "{}");
    for line in [
        &["d.json"][..],
        &["--policy", POLICY],
        &["d.json", "--policy", "missing"],
        &["missing", "--policy", POLICY],
        &[
            "d.json",
            "--policy",
            POLICY,
            "--at",
            "2026-02-30T00:00:00.000Z",
        ],
        &["d.json", "--policy", POLICY, "--max-age", "1y"],
        &["d.json", "--policy", POLICY, "--colour", "red"],
        &["d.json", "--policy", "d.json"],
    ] {
        let ran = javascript(office.root(), line).code(2);
        assert!(
            ran.stderr.starts_with("error: "),
            "{line:?}: {}",
            ran.stderr
        );
        assert_eq!(ran.stdout, "");
    }
}
