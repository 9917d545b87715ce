//! `zhao migrate`: a directory whose databases are of an earlier format, or damaged in what follows
//! from the leaves, goes on as if nothing had been.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use support::server::serve;
use support::{Ran, credentials, finish, office, zhao};
use zhao_ledger::store::layout::{FORMAT, Family};
use zhao_ledger::store::rocks::Rocks;
use zhao_ledger::store::{Entry, Read as _, Store as _, Write, WriteBatch};

/// Past every key.
const END: [u8; 96] = [0xff; 96];
const DATABASES: [&str; 2] = ["ledger/db", "auditor/db"];

fn write(database: &Path, writes: Vec<Write>) {
    let store = Rocks::open(database).unwrap();
    let mut batch = WriteBatch::new();
    for write in writes {
        batch.push_raw(write);
    }
    store.write(batch).unwrap();
}

fn entries(database: &Path, family: Family) -> Vec<Entry> {
    let scratch = tempfile::tempdir().unwrap();
    let store = Rocks::stable(database, scratch.path()).unwrap();
    store.scan(family, &[], &END, 100_000).unwrap()
}

fn stated(format: u64) -> Write {
    let value = format.to_be_bytes().to_vec();
    (Family::Meta, b"format".to_vec(), Some(value))
}

/// Makes a database what an earlier program left: its format, and in every family that follows
/// from the leaves nothing this program can use.
fn age(database: &Path, format: u64) {
    let mut writes = vec![stated(format)];
    {
        let store = Rocks::open(database).unwrap();
        for family in Family::ALL {
            if Family::STABLE.contains(&family) {
                continue;
            }
            for (n, (key, _)) in store
                .scan(family, &[], &END, 100_000)
                .unwrap()
                .iter()
                .enumerate()
            {
                let garbled = (n % 2 == 0).then(|| b"another form".to_vec());
                writes.push((family, key.clone(), garbled));
            }
        }
    }
    write(database, writes);
}

fn issue(dir: &Path, count: &str, seed: &str) -> Vec<PathBuf> {
    let (csv, out) = (format!("in-{seed}.csv"), format!("out-{seed}"));
    let food = ["--type", "food-operation", "-o", &csv];
    let sample = ["sample", "--count", count, "--seed", seed];
    zhao(dir, &[&sample[..], &food].concat()).code(0);
    zhao(dir, &["issue", "office", "--from", &csv, "-o", &out]).code(0);
    credentials(&dir.join(out))
}

fn verified(dir: &Path, credential: &Path) {
    let credential = credential.to_str().unwrap();
    zhao(
        dir,
        &["dossier", "office", credential, "-o", "dossier.json"],
    )
    .code(0);
    let policy = ["--policy", "office/policy.txt"];
    let ran = zhao(dir, &[&["verify", "dossier.json"][..], &policy].concat()).code(0);
    assert!(ran.stdout.contains("VALID"), "{}", ran.stdout);
}

/// An office with five licences.
fn lived_in(dir: &Path) -> Vec<PathBuf> {
    office(dir);
    issue(dir, "5", "1")
}

fn names(dir: PathBuf) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn hint(ran: &Ran) -> &str {
    ran.stderr.lines().nth(1).unwrap_or_default()
}

#[test]
fn an_office_of_an_earlier_format_goes_on_after_it() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let issued = lived_in(dir);
    let stable =
        |at: &str| Family::STABLE.map(|family| entries(&dir.join("office").join(at), family));
    let before = DATABASES.map(stable);
    let beside = |name: &str| fs::read(dir.join("office/ledger").join(name)).unwrap();
    let (intent, checkpoint) = (beside("intent"), beside("checkpoint"));
    for database in DATABASES {
        age(&dir.join("office").join(database), 2);
    }
    let credential = issued[0].to_str().unwrap();
    for line in [
        &["serve", "office", "--listen", "127.0.0.1:0"][..],
        &["fsck", "office"],
        &["fsck", "office", "--ledger-only"],
        &["cosign", "office"],
        &["issue", "office", "--from", "in-1.csv", "-o", "again"],
        &["dossier", "office", credential, "-o", "none.json"],
        &["backup", "office", "none"],
    ] {
        let ran = zhao(dir, line).code(2);
        let said = format!("format version 2, this program reads version {FORMAT}");
        assert!(ran.error().contains(&said), "{line:?}: {}", ran.stderr);
        assert!(
            hint(&ran).contains("run zhao migrate office"),
            "{line:?}: {}",
            ran.stderr
        );
    }
    let ran = zhao(dir, &["fsck", "office", "--lang", "zh"]).code(2);
    assert!(
        hint(&ran).contains("请运行 zhao migrate office"),
        "{}",
        ran.stderr
    );

    let ran = zhao(dir, &["migrate", "office"]).code(0);
    let leaves = before[0][1].len();
    for database in DATABASES {
        let line = format!(
            "office/{database}: {leaves} leaves replayed into a database of format {FORMAT}. The \
             old one, of format 2, is in office/{database}.format-2 until you delete it.\n"
        );
        assert!(ran.stdout.contains(&line), "{}", ran.stdout);
    }
    assert_eq!(
        (beside("intent"), beside("checkpoint")),
        (intent, checkpoint)
    );
    zhao(dir, &["fsck", "office"]).code(0);
    assert_eq!(
        DATABASES.map(stable),
        before,
        "leaves, heads and names are the same"
    );
    verified(dir, &issued[0]);
    verified(dir, &issue(dir, "3", "2")[2]);
    zhao(dir, &["fsck", "office"]).code(0);

    let ran = zhao(dir, &["migrate", "office"]).code(0);
    let present =
        format!("office/ledger/db: format {FORMAT} already, so there is nothing to do.\n");
    assert!(ran.stdout.starts_with(&present), "{}", ran.stdout);
    let ran = zhao(dir, &["migrate", "office", "--lang", "zh", "--json"]).code(0);
    let said: Value = serde_json::from_str(&ran.stdout).unwrap();
    let nothing = DATABASES.map(|at| json!({ "done": "nothing", "path": format!("office/{at}") }));
    assert_eq!(said, json!({ "databases": nothing, "format": FORMAT }));
    // What is kept is in nobody's way, nor in a backup.
    zhao(dir, &["backup", "office", "copy"]).code(0);
    assert_eq!(
        names(dir.join("copy/ledger")),
        ["checkpoint", "db", "intent"]
    );
    for database in DATABASES {
        fs::remove_dir_all(dir.join(format!("office/{database}.format-2"))).unwrap();
    }
    zhao(dir, &["cosign", "office"]).code(0);
}

#[test]
fn what_follows_from_the_leaves_is_made_anew_where_it_is_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let issued = lived_in(dir);
    for database in DATABASES {
        age(&dir.join("office").join(database), FORMAT);
    }
    let ran = zhao(dir, &["fsck", "office", "--ledger-only"]).code(1);
    assert!(
        ran.stdout.contains("rebuild the database"),
        "{}",
        ran.stdout
    );
    zhao(dir, &["migrate", "office"]).code(0);
    zhao(dir, &["fsck", "office", "--ledger-only"]).code(1);
    let ran = zhao(dir, &["migrate", "office", "--rebuild", "--json"]).code(0);
    let said: Value = serde_json::from_str(&ran.stdout).unwrap();
    let kept = format!("office/ledger/db.format-{FORMAT}");
    assert_eq!(said["databases"][0]["kept"], kept);
    assert_eq!(said["databases"][1]["from"], FORMAT);
    zhao(dir, &["fsck", "office"]).code(0);
    verified(dir, &issued[4]);
    issue(dir, "1", "2");
}

#[test]
fn what_cannot_be_migrated_stays_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let issued = lived_in(dir);
    let database = dir.join("office/ledger/db");
    let untouched = || {
        assert_eq!(
            names(dir.join("office/ledger")),
            ["checkpoint", "db", "intent"]
        );
    };

    let server = serve(dir, &[]);
    let ran = zhao(dir, &["migrate", "office", "--rebuild"]).code(2);
    assert!(ran.error().contains("office"), "{}", ran.stderr);
    server.stop();
    untouched();

    // A disk that takes no more: a limit on files is one that a test may set.
    let limited = format!(
        "trap '' XFSZ; ulimit -f 24; exec {} migrate office --rebuild",
        env!("CARGO_BIN_EXE_zhao")
    );
    let mut bash = Command::new("bash");
    bash.args(["-c", &limited])
        .current_dir(dir)
        .env_clear()
        .env("LC_ALL", "C.UTF-8");
    let ran = finish(&mut bash).code(2);
    assert!(
        ran.error()
            .starts_with("office/ledger/db was not migrated: "),
        "{}",
        ran.stderr
    );
    assert!(ran.error().contains("File too large"), "{}", ran.stderr);
    assert!(
        hint(&ran).contains("the old database is as it was"),
        "{}",
        ran.stderr
    );
    untouched();
    zhao(dir, &["fsck", "office"]).code(0);

    // A leaf that was cut short.
    let (key, mut value) = entries(&database, Family::Leaves)[9].clone();
    value.truncate(30);
    let whole = entries(&database, Family::Leaves)[9].clone();
    write(
        &database,
        vec![(Family::Leaves, key, Some(value)), stated(2)],
    );
    for (language, said) in [
        ("en", "cannot be made anew: leaf 9: "),
        ("zh", "无法重新生成：leaf 9: "),
    ] {
        let ran = zhao(dir, &["migrate", "office", "--lang", language]).code(1);
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
        untouched();
    }
    // The old one is what it was: with the leaf mended it is migrated.
    let aside = dir.join("aside");
    fs::rename(&database, &aside).unwrap();
    let ran = zhao(dir, &["migrate", "office"]).code(2);
    assert!(
        ran.error().ends_with("office/ledger/db is not there"),
        "{}",
        ran.stderr
    );
    fs::rename(&aside, &database).unwrap();
    mended(&database, whole);
    zhao(dir, &["migrate", "office"]).code(0);
    zhao(dir, &["fsck", "office"]).code(0);
    verified(dir, &issued[0]);

    write(&database, vec![stated(FORMAT + 1)]);
    let ran = zhao(dir, &["migrate", "office", "--rebuild"]).code(2);
    let said = format!(
        "format version {}, this program reads version {FORMAT}",
        FORMAT + 1
    );
    assert!(ran.error().contains(&said), "{}", ran.stderr);
    assert!(
        hint(&ran).contains("written by a newer program"),
        "{}",
        ran.stderr
    );
    zhao(dir, &["migrate", "nowhere"]).code(2);
}

/// Puts a leaf back into a database of another format, by way of one of this.
fn mended(database: &Path, (key, value): Entry) {
    let place = database.with_file_name("mended");
    let scratch = tempfile::tempdir().unwrap();
    let mut writes = Vec::new();
    let old = Rocks::stable(database, scratch.path()).unwrap();
    for family in Family::STABLE {
        for (key, value) in old.scan(family, &[], &END, 100_000).unwrap() {
            writes.push((family, key, Some(value)));
        }
    }
    writes.push((Family::Leaves, key, Some(value)));
    drop(old);
    drop(Rocks::create(&place).unwrap());
    write(&place, writes);
    fs::remove_dir_all(database).unwrap();
    fs::rename(place, database).unwrap();
}

#[test]
fn killed_at_any_moment_the_next_run_finishes() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let issued = lived_in(dir);
    let kept = format!("db.format-{FORMAT}");
    let mut moments = Vec::new();
    for at in ["ledger", "auditor"] {
        for name in ["db.migrating", "db.migrating/CURRENT", "db.migrated", &kept] {
            // Some looks later: a little, and longer.
            moments.extend([0, 40, 400].map(|looks| (format!("office/{at}/{name}"), looks)));
        }
    }
    let mut unfinished = 0;
    for (name, looks) in moments {
        let mut child = support::command(dir, &["migrate", "office", "--rebuild"]);
        let mut child = child.stdout(Stdio::null()).spawn().unwrap();
        let seen = dir.join(name);
        while !seen.exists() && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        for _ in 0..looks {
            let _ = fs::read_dir(dir.join("office/ledger")).unwrap().count();
            std::thread::yield_now();
        }
        let _ = child.kill();
        unfinished += u32::from(!child.wait().unwrap().success());
        // Either there is a database, and it is whole; or it says what to do.
        let ran = zhao(dir, &["fsck", "office", "--ledger-only"]);
        if ran.code != 0 {
            assert!(
                ran.error().ends_with("a migration was interrupted"),
                "{}",
                ran.stderr
            );
            assert!(
                hint(&ran).contains("run zhao migrate office"),
                "{}",
                ran.stderr
            );
        }
        zhao(dir, &["migrate", "office"]).code(0);
        for at in ["office/ledger", "office/auditor"] {
            for name in names(dir.join(at)) {
                assert!(!name.starts_with("db.migrat"), "{at}: {name}");
                if name.starts_with(&kept) {
                    fs::remove_dir_all(dir.join(at).join(name)).unwrap();
                }
            }
        }
        zhao(dir, &["fsck", "office"]).code(0);
    }
    assert!(
        unfinished > 4,
        "only {unfinished} were killed in their work"
    );
    verified(dir, &issued[0]);
    issue(dir, "1", "2");
}

#[test]
fn between_the_two_renamings_every_command_says_how_to_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let issued = lived_in(dir);
    let ledger = dir.join("office/ledger");
    zhao(dir, &["migrate", "office", "--rebuild"]).code(0);
    fs::rename(ledger.join("db"), ledger.join("db.migrated")).unwrap();
    for line in [
        &["serve", "office", "--listen", "127.0.0.1:0"][..],
        &["fsck", "office"],
        &["cosign", "office"],
    ] {
        let ran = zhao(dir, line).code(2);
        let said = "office/ledger/db is not there: a migration was interrupted";
        assert_eq!(ran.error(), said, "{line:?}");
        assert!(
            hint(&ran).contains("run zhao migrate office"),
            "{line:?}: {}",
            ran.stderr
        );
    }
    let ran = zhao(dir, &["migrate", "office"]).code(0);
    let said = "A migration that was interrupted is finished.";
    assert!(ran.stdout.contains(said), "{}", ran.stdout);
    zhao(dir, &["fsck", "office"]).code(0);
    verified(dir, &issued[1]);
}

#[test]
fn a_mirror_is_migrated_as_well() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    lived_in(dir);
    let server = serve(dir, &[]);
    let url = server.url();
    let mirror = ["mirror", &url, "copy", "--policy", "office/policy.txt"];
    zhao(dir, &mirror).code(0);
    age(&dir.join("copy/db"), 1);
    let ran = zhao(dir, &mirror).code(2);
    assert!(
        hint(&ran).contains("run zhao migrate copy"),
        "{}",
        ran.stderr
    );
    let ran = zhao(dir, &["migrate", "copy"]).code(0);
    assert!(ran.stdout.contains("copy/db.format-1"), "{}", ran.stdout);
    zhao(dir, &mirror).code(0);
    server.stop();
}

#[test]
fn a_backup_of_an_earlier_program_is_restored_in_this_ones_format() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let issued = lived_in(dir);
    zhao(dir, &["backup", "office", "copy"]).code(0);
    for database in DATABASES {
        age(&dir.join("copy").join(database), 2);
    }
    restated(&dir.join("copy"));
    fs::remove_dir_all(dir.join("office")).unwrap();
    zhao(dir, &["restore", "copy", "office"]).code(0);
    for at in ["office/ledger", "office/auditor"] {
        let left = names(dir.join(at));
        assert!(!left.iter().any(|name| name.starts_with("db.")), "{left:?}");
    }
    zhao(dir, &["fsck", "office"]).code(0);
    verified(dir, &issued[0]);
    issue(dir, "1", "2");
}

/// The manifest of a backup whose files were changed.
fn restated(backup: &Path) {
    fn walk(dir: &Path, out: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, out);
            } else {
                out.push(path);
            }
        }
    }
    let path = backup.join("manifest.json");
    let mut manifest: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    fs::remove_file(&path).unwrap();
    let mut files = Vec::new();
    walk(backup, &mut files);
    files.sort();
    let listed = files.iter().map(|file| {
        let bytes = fs::read(file).unwrap();
        json!({
            "blake3": blake3::hash(&bytes).to_hex().as_str(),
            "bytes": bytes.len(),
            "path": file.strip_prefix(backup).unwrap(),
        })
    });
    manifest["files"] = listed.collect();
    fs::write(path, manifest.to_string()).unwrap();
}
