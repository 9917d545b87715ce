//! Directories that are not whole, not ours to read, or in use.

use std::fs::{self, File};
use std::io::Write as _;
use std::process::{Command, Stdio};

use zhao_ledger::store::layout::{FORMAT, Family};
use zhao_ledger::store::rocks::Rocks;
use zhao_ledger::store::{Read as _, Store as _, WriteBatch};

use crate::office::{Office, POLICY, Row, copy_dir, csv};
use crate::program::{command, finish, is_refusal, listing, refuses, same, zhao};

/// Runs what needs a whole directory on a damaged one; each is refused and changes nothing.
#[track_caller]
fn all_refuse(office: &Office, credential: &str, said: &[&str]) {
    office.write("more.csv", csv(&[&Row::road()]));
    let before = listing(office.root());
    refuses(office.root(), &["unit", "office", "list"], 2, said);
    for line in [
        &["status", "office", credential, "hold", "--reason", "x"][..],
        &["issue", "office", "--from", "more.csv", "-o", "out"],
        &["cosign", "office"],
    ] {
        is_refusal(&format!("{line:?}"), &office.zhao(line), 2, said);
    }
    same("refused commands", &before, &listing(office.root()));
}

/// An office with a licence, and a copy to put things back from.
fn lived_in() -> (Office, String) {
    let office = Office::new();
    let credential = office.issue_one(&Row::food());
    (office, credential)
}

#[test]
fn an_office_without_one_of_its_files_does_nothing() {
    let (office, credential) = lived_in();
    copy_dir(&office.path("office"), &office.path("whole"));
    for (file, said) in [
        ("ledger/intent", "the intent file is missing"),
        ("records.db", "office/records.db"),
        ("policy.txt", "office/policy.txt"),
        ("trust.txt", "office/trust.txt"),
        ("keys/log.age", "log"),
        ("keys/log.pub.json", "log"),
        ("keys/local-witness.age", "local-witness"),
        ("keys/identity.age", "identity.age"),
        ("zhao.toml", "office"),
    ] {
        fs::remove_file(office.path("office").join(file)).unwrap();
        all_refuse(&office, &credential, &[said]);
        fs::copy(
            office.path("whole").join(file),
            office.path("office").join(file),
        )
        .unwrap();
    }
    for (folder, said) in [("keys", "office/keys"), ("catalogue", "office/catalogue")] {
        fs::rename(office.path("office").join(folder), office.path("away")).unwrap();
        all_refuse(&office, &credential, &[said]);
        fs::rename(office.path("away"), office.path("office").join(folder)).unwrap();
    }
    // Everything is back, and nothing was lost.
    assert_eq!(office.standing(&credential).text(), "valid");
    office.zhao(&["cosign", "office"]).code(0);
    office.size();
}

#[test]
fn an_office_with_a_damaged_file_does_nothing() {
    let (office, credential) = lived_in();
    for (file, content, said) in [
        ("ledger/intent", &b"junk\n"[..], "intent file"),
        ("ledger/intent", b"", "intent file"),
        ("records.db", b"junk", "office/records.db"),
        ("policy.txt", b"log x\n", "line 1"),
        ("policy.txt", b"\xff\n", "office/policy.txt"),
        ("trust.txt", b"auditors none\n", "office/"),
        ("catalogue/food-operation.json", b"{", "food-operation.json"),
        (
            "catalogue/food-operation.json",
            b"{}\n",
            "food-operation.json",
        ),
        ("catalogue/odd.json", b"\xff", "odd.json"),
        ("keys/log.age", b"junk", "log.age"),
        ("keys/log.pub.json", b"{}", "log.pub.json"),
        (
            "keys/identity.age",
            b"age-encryption.org/v1\n",
            "identity.age",
        ),
        ("zhao.toml", b"format = 1\n", "office/zhao.toml"),
        (
            "zhao.toml",
            b"format = 2\norigin = 7\n",
            "format version 2, this program reads 1",
        ),
        ("zhao.toml", b"\x00", "office/zhao.toml"),
    ] {
        let path = office.path("office").join(file);
        let kept = fs::read(&path).ok();
        fs::write(&path, content).unwrap();
        all_refuse(&office, &credential, &[said]);
        match kept {
            Some(bytes) => fs::write(&path, bytes).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
    }
    office.zhao(&["cosign", "office"]).code(0);
    office.size();
}

#[test]
fn a_database_of_a_newer_format_is_left_as_it_is() {
    let (office, credential) = lived_in();
    {
        let store = Rocks::open(&office.path("office/ledger/db")).unwrap();
        let entries = store.scan(Family::Meta, &[], &[0xff; 64], 64).unwrap();
        let (key, mut value) = entries
            .into_iter()
            .find(|(key, _)| key == b"format")
            .expect("a format version");
        *value.last_mut().unwrap() += 1;
        let mut batch = WriteBatch::new();
        batch.push_raw((Family::Meta, key, Some(value)));
        store.write(batch).unwrap();
    }
    all_refuse(
        &office,
        &credential,
        &[&format!(
            "format version {}, this program reads version {FORMAT}",
            FORMAT + 1
        )],
    );
    for line in [
        &["dossier", "office", &credential, "-o", "out"][..],
        &["audit", "office", "--policy", POLICY],
    ] {
        let ran = office.zhao(line);
        assert!(
            ran.code == 2 || !office.path("out").exists(),
            "{line:?}: {ran:?}"
        );
    }
}

#[test]
fn what_a_killed_init_left_is_no_office() {
    let office = Office::new();
    fs::remove_file(office.path("office/zhao.toml")).unwrap();
    let before = listing(office.root());
    for line in [
        &["fsck", "office"][..],
        &["unit", "office", "list"],
        &["cosign", "office"],
        &["audit", "office", "--policy", POLICY],
    ] {
        refuses(
            office.root(),
            line,
            2,
            &["office is no office of ours: it has no zhao.toml"],
        );
    }
    refuses(office.root(), &["init", "office"], 2, &["office"]);
    same("refused commands", &before, &listing(office.root()));
    for place in ["missing", "office/policy.txt", "office/keys", "/proc"] {
        refuses(office.root(), &["fsck", place], 2, &[place]);
    }
}

#[test]
fn a_second_process_waits_for_nobody_and_changes_nothing() {
    let (office, credential) = lived_in();
    // A passphrase that does not come: the first process has the directory and reads on.
    let pipe = office.path("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let first = ["status", "office", &credential, "hold", "--reason", "x"];
    let mut child = command(
        office.root(),
        &[&first[..], &["--passphrase-file", "pipe"]].concat(),
    )
    .stdout(Stdio::piped())
    .stderr(Stdio::piped())
    .spawn()
    .unwrap();
    // Opening for writing returns when the other side has opened for reading.
    let mut writer = File::options().write(true).open(&pipe).unwrap();
    let process = format!("(process {})", child.id());
    let before = listing(office.root());
    for line in [
        &["status", "office", &credential, "revoke", "--reason", "x"][..],
        &["dossier", "office", &credential, "-o", "out"],
        &["history", "office", &credential, "-o", "out"],
        &["fsck", "office"],
        &["unit", "office", "list"],
    ] {
        refuses(
            office.root(),
            line,
            2,
            &["another zhao process is using office", &process],
        );
    }
    same("refused commands", &before, &listing(office.root()));
    writeln!(writer, "{}", crate::program::PASSPHRASE).unwrap();
    drop(writer);
    assert!(child.wait().unwrap().success());
    fs::remove_file(&pipe).unwrap();
    assert_eq!(office.standing(&credential).text(), "not_usable on_hold");
    office.size();
}

#[test]
fn an_older_copy_of_the_database_is_not_signed_on() {
    let (office, credential) = lived_in();
    copy_dir(&office.path("office/ledger/db"), &office.path("yesterday"));
    office
        .zhao(&["status", "office", &credential, "revoke", "--reason", "x"])
        .code(0);
    office
        .zhao(&["dossier", "office", &credential, "-o", "dossier.json"])
        .code(0);
    fs::remove_dir_all(office.path("office/ledger/db")).unwrap();
    copy_dir(&office.path("yesterday"), &office.path("office/ledger/db"));
    all_refuse(&office, &credential, &["the log does not start"]);
    zhao(office.root(), &["fsck", "office"]).code(1);
    // Who holds the newer dossier says so; that is no proof of cheating, and no agreement.
    let audit = [
        "audit",
        "office",
        "--policy",
        POLICY,
        "--seen",
        "dossier.json",
        "--json",
    ];
    let ran = finish(&mut command(office.root(), &audit)).code(3);
    assert!(
        ran.stdout
            .contains("\"notJudged\":[{\"file\":\"dossier.json\""),
        "{}",
        ran.stdout
    );
    assert!(!office.path("evidence.json").exists());
}
