//! Backup, restore, and what fsck finds between records and log.

use std::fs;
use std::path::Path;
use std::process::Command;

use rusqlite::Connection;
use serde_json::Value;
use zhao_ledger::store::rocks::Rocks;

use crate::office::{Office, Row, copy_dir, csv};
use crate::program::{PASSPHRASE, binary, finish, listing, refuses, same};

/// An office with two licences, one of them held, and the path of the first.
fn lived_in() -> (Office, String) {
    let office = Office::new();
    let credentials = office.issue("two.csv", &csv(&[&Row::food(), &Row::road()]));
    let held = &credentials[0];
    let hold = ["status", "office", held, "hold", "--reason", "核查"];
    office.zhao(&hold).code(0);
    let first = held.clone();
    (office, first)
}

fn fsck(office: &Office, dir: &str, code: i32) -> Value {
    let ran = office.zhao(&["fsck", dir, "--json"]).code(code);
    serde_json::from_str(&ran.stdout).unwrap()
}

#[test]
fn adm_10_a_restored_office_has_the_same_root_and_the_same_answers() {
    let (office, credential) = lived_in();
    let before = listing(&office.path("office"));
    let ran = office.zhao(&["backup", "office", "b", "--json"]).code(0);
    same("the backup", &before, &listing(&office.path("office")));
    let made: Value = serde_json::from_str(&ran.stdout).unwrap();
    let (root, hash) = (&made["root"], made["manifest"].as_str().unwrap());
    let ran = office
        .zhao(&["restore", "b", "again", "--manifest", hash, "--json"])
        .code(0);
    let restored: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(restored["root"], *root);
    assert_eq!(restored["size"], made["size"]);
    assert!(restored["seconds"].as_f64().unwrap() > 0.0);
    // What happened after the newest head is not in it: the recovery point is that head's time.
    let point = restored["recoveryPoint"].as_u64().unwrap();
    assert!(point <= restored["made"].as_u64().unwrap());
    assert_eq!(fsck(&office, "office", 0), fsck(&office, "again", 0));
    // The same bytes to the same question.
    for (dir, output) in [("office", "one.json"), ("again", "two.json")] {
        office
            .zhao(&["dossier", dir, &credential, "-o", output])
            .code(0);
    }
    assert_eq!(office.text("one.json"), office.text("two.json"));
    // And it goes on.
    let lift = [
        "status",
        "again",
        &credential,
        "lift-hold",
        "--reason",
        "已核查",
    ];
    office.zhao(&lift).code(0);
    assert_eq!(fsck(&office, "again", 0)["clean"], true);
    // For people, in both languages.
    let ran = office.zhao(&["restore", "b", "third"]).code(0);
    for text in ["Recovery point", "Recovery time", root.as_str().unwrap()] {
        assert!(ran.stdout.contains(text), "{}", ran.stdout);
    }
    let chinese = ["backup", "office", "b2", "--lang", "zh"];
    let ran = office.zhao(&chinese).code(0);
    assert!(ran.stdout.contains("已备份"), "{}", ran.stdout);
}

#[test]
fn adm_10_the_drill_shows_that_what_is_restored_is_the_same() {
    let (office, credential) = lived_in();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../cli/drill.sh");
    let drill = |arguments: &[&str]| {
        let mut bash = Command::new("bash");
        bash.arg(script).args(arguments).current_dir(office.root());
        bash.env("ZHAO", binary())
            .env("ZHAO_PASSPHRASE", PASSPHRASE);
        finish(&mut bash)
    };
    let before = listing(&office.path("office"));
    let ran = drill(&["office", "drill", &credential]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    same("the drill", &before, &listing(&office.path("office")));
    let line = |name: &str| {
        let line = ran.stdout.lines().find(|line| line.starts_with(name));
        line.unwrap_or_else(|| panic!("no {name}: {}", ran.stdout))
    };
    let shown = fsck(&office, "office", 0);
    assert!(
        line("size").ends_with(&shown["size"].to_string()),
        "{}",
        ran.stdout
    );
    assert!(line("answers compared").ends_with(" 1"), "{}", ran.stdout);
    let refusal = "has other bytes than when it was made";
    assert!(line("changed backup").contains(refusal), "{}", ran.stdout);
    assert!(line("recovery point (RPO)").ends_with(" ms before the backup"));
    assert!(line("recovery time (RTO)").ends_with(" s"));
    // The backup is as it was made.
    office.zhao(&["restore", "drill/backup", "again"]).code(0);
    // What does not hold is said.
    for (arguments, said) in [
        (&["office"][..], "usage"),
        (&["office", "drill"], "drill: not made"),
        (&["absent", "other"], "no backup was made"),
        (&["office", "third", "absent.json"], "no answer from office"),
    ] {
        let ran = drill(arguments);
        assert_eq!(ran.code, 1, "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(said), "{arguments:?}: {}", ran.stderr);
    }
}

#[test]
fn adm_10_a_backup_is_made_while_others_have_the_office() {
    let (office, _) = lived_in();
    // As a server has it: log and records open, and the records in the middle of a reading.
    let log = Rocks::open(&office.path("office/ledger/db")).unwrap();
    let memory = Rocks::open(&office.path("office/auditor/db")).unwrap();
    let reading = Connection::open(office.path("office/records.db")).unwrap();
    reading
        .execute_batch("BEGIN; SELECT COUNT(*) FROM outbox;")
        .unwrap();
    office.zhao(&["backup", "office", "b"]).code(0);
    drop((log, memory, reading));
    office.zhao(&["restore", "b", "again"]).code(0);
    assert_eq!(fsck(&office, "office", 0), fsck(&office, "again", 0));
}

/// Every file of the backup is one class: its bytes, its length, its being there.
#[test]
fn adm_10_every_change_of_a_backup_is_found() {
    let (office, _) = lived_in();
    let ran = office.zhao(&["backup", "office", "b", "--json"]).code(0);
    let made: Value = serde_json::from_str(&ran.stdout).unwrap();
    let manifest: Value = office.json("b/manifest.json");
    let files = manifest["files"].as_array().unwrap();
    assert!(files.len() > 20, "{}", files.len());
    let restore = |said: &[&str]| {
        let line = ["restore", "b", "again"];
        refuses(office.root(), &line, 1, said);
        for left in ["again", "again.restoring"] {
            assert!(!office.path(left).exists(), "{left}");
        }
    };
    for file in files {
        let name = file["path"].as_str().unwrap();
        let path = office.path("b").join(name);
        let whole = fs::read(&path).unwrap();
        if let Some(middle) = whole.len().checked_sub(1).map(|last| last / 2) {
            let mut bytes = whole.clone();
            bytes[middle] ^= 1;
            fs::write(&path, bytes).unwrap();
            let said = format!("{name} has other bytes than when it was made");
            restore(&[&said]);
        }
        fs::write(&path, &whole).unwrap();
    }
    let name = "records.db";
    let path = office.path("b").join(name);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    restore(&["records.db has", "bytes, not"]);
    fs::remove_file(&path).unwrap();
    restore(&["records.db is missing"]);
    fs::write(&path, &whole).unwrap();
    fs::write(office.path("b/more"), "x").unwrap();
    restore(&["more is not in the manifest"]);
    fs::remove_file(office.path("b/more")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", office.path("b/link")).unwrap();
    restore(&["link is no plain file"]);
    fs::remove_file(office.path("b/link")).unwrap();
    // A manifest that was made to fit is found by its hash.
    let text = office.text("b/manifest.json");
    fs::write(office.path("b/manifest.json"), text.replace(':', ": ")).unwrap();
    let hash = made["manifest"].as_str().unwrap();
    let line = ["restore", "b", "again", "--manifest", hash];
    refuses(office.root(), &line, 1, &["manifest ", hash]);
    fs::write(office.path("b/manifest.json"), "{}").unwrap();
    restore(&["missing field"]);
    fs::remove_file(office.path("b/manifest.json")).unwrap();
    refuses(
        office.root(),
        &["restore", "b", "again"],
        2,
        &["manifest.json"],
    );
    fs::write(office.path("b/manifest.json"), text).unwrap();
    // A place where something is.
    refuses(office.root(), &["restore", "b", "office"], 2, &["office"]);
    refuses(office.root(), &["backup", "office", "b"], 2, &["b"]);
    office.zhao(&["restore", "b", "again"]).code(0);
}

/// The engine reads a database with a lost file as it was before that file, family by family and
/// without a word: a backup of it would lack leaves, and call itself whole.
#[test]
fn adm_10_a_log_that_lost_a_file_is_not_backed_up_as_whole() {
    let (office, _) = lived_in();
    let path = |name: &Path| office.path("office/ledger/db").join(name);
    let files = fs::read_dir(office.path("office/ledger/db")).unwrap();
    let tables: Vec<_> = files
        .map(|file| std::path::PathBuf::from(file.unwrap().file_name()))
        .filter(|name| name.extension().is_some_and(|end| end == "sst"))
        .collect();
    let mut refused = 0;
    for (number, table) in tables.iter().enumerate() {
        let bytes = fs::read(path(table)).unwrap();
        fs::remove_file(path(table)).unwrap();
        let backup = format!("b{number}");
        let ran = office.zhao(&["backup", "office", &backup]);
        if ran.code == 0 {
            // A table that held nothing needed; or old heads, which only the receipts of the
            // records name, and those are read with a passphrase, when it is restored.
            let restored = office.zhao(&["restore", &backup, "again"]);
            if restored.code == 0 {
                assert_eq!(fsck(&office, "again", 0)["clean"], true);
                fs::remove_dir_all(office.path("again")).unwrap();
            } else {
                assert!(
                    restored.stderr.contains("published no such head"),
                    "{restored:?}"
                );
                assert!(!office.path("again").exists());
            }
        } else {
            refused += 1;
            let said = ["the log's database", "fsck", "the backup:"];
            assert!(said.iter().any(|said| ran.stderr.contains(said)), "{ran:?}");
            assert!(!office.path(&backup).join("manifest.json").exists());
        }
        fs::write(path(table), bytes).unwrap();
    }
    assert!(refused > 2, "{refused} of {}", tables.len());
    office.zhao(&["backup", "office", "whole"]).code(0);
}

/// Writes the manifest anew, as somebody would who changes a backup and knows how it is made.
fn forge(office: &Office) {
    let mut manifest = office.json("b/manifest.json");
    for file in manifest["files"].as_array_mut().unwrap() {
        let bytes = fs::read(office.path("b").join(file["path"].as_str().unwrap())).unwrap();
        file["bytes"] = bytes.len().into();
        file["blake3"] = blake3::hash(&bytes).to_hex().as_str().into();
    }
    office.write("b/manifest.json", manifest.to_string());
}

/// As if the licence had never been issued.
const FORGET: &str = "DELETE FROM outbox_chains WHERE outbox = NEW;
     DELETE FROM credentials WHERE licence = NEW; DELETE FROM job_rows WHERE licence = NEW;
     DELETE FROM licences WHERE id = NEW; DELETE FROM outbox WHERE id = NEW;";

/// Runs statements in which NEW and OLD are the rows of two licences, whose receipts came together,
/// and HELD that of the act after them, which has a receipt of its own.
fn alter(records: &Path, statements: &str) {
    let connection = Connection::open(records).unwrap();
    let row = |what: &str| -> String {
        let select = format!("SELECT {what}");
        let id: i64 = connection.query_row(&select, [], |row| row.get(0)).unwrap();
        id.to_string()
    };
    let statements = statements
        .replace("NEW", &row("MAX(id) FROM licences"))
        .replace("OLD", &row("MIN(id) FROM licences"))
        .replace("HELD", &row("MAX(id) FROM outbox"));
    let all = format!("PRAGMA foreign_keys = OFF; {statements} PRAGMA wal_checkpoint(TRUNCATE);");
    connection.execute_batch(&all).unwrap();
}

#[test]
fn adm_10_a_forged_backup_contradicts_the_log() {
    let (office, _) = lived_in();
    office.zhao(&["backup", "office", "b"]).code(0);
    copy_dir(&office.path("b"), &office.path("whole"));
    let restore = |said: &[&str]| {
        forge(&office);
        refuses(office.root(), &["restore", "b", "again"], 1, said);
        fs::remove_dir_all(office.path("b")).unwrap();
        copy_dir(&office.path("whole"), &office.path("b"));
    };
    let records = office.path("b/records.db");
    alter(&records, "UPDATE licences SET refused = 1 WHERE id = NEW;");
    restore(&["another state than its event"]);
    alter(&records, FORGET);
    restore(&["the records do not know it"]);
    // The memory of a witness that has seen more.
    office.zhao(&["cosign", "office"]).code(0);
    office.zhao(&["backup", "office", "newer"]).code(0);
    fs::remove_dir_all(office.path("b/witness")).unwrap();
    copy_dir(&office.path("newer/witness"), &office.path("b/witness"));
    restore(&["its local witness has seen"]);
    // A head somebody has is newer than the backup.
    let head = ["cosign", "office", "-o", "head"];
    office.zhao(&head).code(0);
    let line = ["restore", "b", "again", "--head", "head"];
    refuses(office.root(), &line, 1, &["the backup ends at size"]);
    office.write("junk", "junk");
    let line = ["restore", "b", "again", "--head", "junk"];
    refuses(office.root(), &line, 1, &["is no head of this log"]);
    office.zhao(&["restore", "b", "again"]).code(0);
    // Beside a witness that has seen more, it does not start: as any older copy.
    fs::remove_dir_all(office.path("again/witness")).unwrap();
    copy_dir(
        &office.path("office/witness"),
        &office.path("again/witness"),
    );
    refuses(
        office.root(),
        &["cosign", "again"],
        2,
        &["older than what was published"],
    );
}

#[test]
fn fsck_names_each_difference_between_records_and_log() {
    let (office, _) = lived_in();
    copy_dir(&office.path("office"), &office.path("whole"));
    assert_eq!(fsck(&office, "office", 0)["office"]["licences"], 2);
    for (statement, codes) in [
        (
            "UPDATE receipts SET leaf_index = leaf_index - 1 WHERE outbox = HELD;",
            &["leaf-differs"][..],
        ),
        (
            "UPDATE receipts SET leaf_index = 100000 WHERE outbox = HELD;",
            &["not-in-log"],
        ),
        (
            "UPDATE receipts SET middle = x'7b7d', head_bytes = 0, tail_bytes = 0
             WHERE outbox = HELD;",
            &["receipt"],
        ),
        (
            "UPDATE receipt_batches SET leaves = zeroblob(length(leaves));",
            &["unreadable"],
        ),
        (
            "UPDATE receipt_batches SET receipts = x'7b7d';",
            &["unreadable"],
        ),
        ("DELETE FROM receipt_batches;", &["unreadable"]),
        (
            "INSERT INTO receipt_batches SELECT NEW, NEW, receipts, leaves, settled
             FROM receipt_batches WHERE first_outbox = OLD;",
            &["database"],
        ),
        ("INSERT INTO outbox_pending VALUES (NEW);", &["unreadable"]),
        (
            "DELETE FROM receipts WHERE outbox = HELD;
             INSERT INTO outbox_refused VALUES (HELD, 'terminal', '', 1);",
            &["refused-in-log"],
        ),
        (FORGET, &["unknown"]),
        (
            "DELETE FROM credentials WHERE licence = NEW; DELETE FROM licences WHERE id = NEW;",
            &["no-licence"],
        ),
        (
            "UPDATE licences SET refused = 1 WHERE id = NEW;",
            &["state"],
        ),
        (
            "UPDATE licences SET subject = zeroblob(32) WHERE id = NEW;",
            &["credential", "unreadable"],
        ),
        (
            "UPDATE credentials SET credential =
             (SELECT credential FROM credentials WHERE licence = OLD) WHERE licence = NEW;",
            &["credential", "unreadable"],
        ),
        (
            "UPDATE outbox SET event = x'7b7d' WHERE id = NEW;",
            &["unreadable"],
        ),
        (
            "UPDATE outbox SET verb = 'hold' WHERE id = NEW;",
            &["unreadable"],
        ),
        (
            "DELETE FROM outbox_chains WHERE outbox = NEW;",
            &["unreadable"],
        ),
        (
            "DROP INDEX licences_serial; UPDATE licences SET version = 1, serial_index =
             (SELECT serial_index FROM licences WHERE id = OLD);",
            &["duplicate"],
        ),
        ("DELETE FROM outbox WHERE id = NEW;", &["database"]),
    ] {
        alter(&office.path("office/records.db"), statement);
        let found = fsck(&office, "office", 1);
        let findings = found["office"]["findings"].as_array().unwrap();
        let named = findings
            .iter()
            .find(|finding| codes.iter().any(|code| finding["problem"] == *code));
        let named = named.unwrap_or_else(|| panic!("{statement}: {found}"));
        assert!(!named["advice"].as_str().unwrap().is_empty(), "{named}");
        // The same for people, who are told what to do.
        let ran = office.zhao(&["fsck", "office", "--lang", "zh"]).code(1);
        assert!(ran.stdout.contains("目录自身不一致"), "{}", ran.stdout);
        fs::remove_dir_all(office.path("office")).unwrap();
        copy_dir(&office.path("whole"), &office.path("office"));
    }
}

#[test]
fn sta_03_what_the_ledger_has_not_acknowledged_is_listed() {
    let (office, _) = lived_in();
    let ran = office.zhao(&["outbox", "office"]).code(0);
    assert!(ran.stdout.contains("0 events wait"), "{}", ran.stdout);
    assert_eq!(
        office.zhao(&["outbox", "office", "--json"]).code(0).stdout,
        ""
    );
    // As if the answers to both licences and to the act after them had been lost.
    alter(
        &office.path("office/records.db"),
        "INSERT INTO outbox_pending SELECT id FROM outbox WHERE id >= OLD;
         DELETE FROM receipts WHERE outbox >= OLD; DELETE FROM receipt_batches;",
    );
    let ran = office.zhao(&["outbox", "office", "--json"]).code(3);
    let rows: Vec<Value> = ran
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let verbs: Vec<_> = rows
        .iter()
        .map(|row| row["verb"].as_str().unwrap())
        .collect();
    assert_eq!(verbs, ["issued", "issued", "hold"]);
    let found = fsck(&office, "office", 0);
    assert_eq!(found["office"]["pending"], 3, "waiting is no damage");
    // The next command that opens the office sends them; the ledger knows them.
    office.zhao(&["cosign", "office"]).code(0);
    office.zhao(&["outbox", "office"]).code(0);
    assert_eq!(fsck(&office, "office", 0)["office"]["pending"], 0);
}
