//! Backups of an office that is being worked in: each is whole, and the work goes on.

use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::Value;

use crate::office::{Office, Row, csv};
use crate::program::command;

/// Rows issued while backups are made.
const ROWS: usize = 4_000;
/// Backups made during the one and during the other work.
const BACKUPS: usize = 4;
/// How long a backup may keep the office from writing, milliseconds: a tenth of how long the
/// office would wait.
const HELD_MILLIS: f64 = 500.0;

fn said(office: &Office, arguments: &[&str]) -> Value {
    let ran = office.zhao(arguments).code(0);
    serde_json::from_str(&ran.stdout).unwrap()
}

/// Makes backup `number`. How long the office was held up.
fn back_up(office: &Office, number: usize) -> f64 {
    let name = format!("b{number}");
    let made = said(office, &["backup", "office", &name, "--json"]);
    let held = made["heldMillis"].as_f64().unwrap();
    assert!(held < HELD_MILLIS, "{made}");
    held
}

/// Restores a backup, and has it go on. The size of its log.
fn restore(office: &Office, number: usize) -> u64 {
    let (backup, again) = (format!("b{number}"), format!("r{number}"));
    let restored = said(office, &["restore", &backup, &again, "--json"]);
    let rows = restored["fsck"]["office"]["rows"].as_u64().unwrap();
    let size = restored["size"].as_u64().unwrap();
    // What was on its way is sent again; then nothing waits, and both still agree. The log may have
    // had some of it already, whose receipt the records had not: it is there once all the same.
    office.zhao(&["cosign", &again]).code(0);
    let found = said(office, &["fsck", &again, "--json"]);
    assert_eq!(found["clean"], true, "{found}");
    assert_eq!(found["office"]["pending"], 0, "{found}");
    assert_eq!(found["office"]["rows"], rows, "{found}");
    let now = found["size"].as_u64().unwrap();
    let epochs = found["epochs"].as_u64().unwrap();
    assert!(now >= size, "{found}");
    // Each act once, a leaf an epoch, and the genesis.
    assert_eq!(now, rows + epochs + 1, "{found}");
    size
}

/// A program that ends with its owner.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn adm_10_backups_of_an_office_at_work_are_whole() {
    let office = Office::new();
    let rows: Vec<Row> = (0..ROWS)
        .map(|n| Row::food().with("reference", &format!("case {n}")))
        .collect();
    office.write("many.csv", csv(&rows.iter().collect::<Vec<_>>()));
    let issue = ["issue", "office", "--from", "many.csv", "-o", "many"];
    let (mut worst, mut count) = (0.0_f64, 0);
    // While another process issues in bulk.
    {
        let mut command = command(office.root(), &issue);
        let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut issuing = Running(child.unwrap());
        let mut during = 0;
        while during < BACKUPS {
            worst = worst.max(back_up(&office, count));
            count += 1;
            if issuing.0.try_wait().unwrap().is_some() {
                break;
            }
            during += 1;
        }
        assert!(during > 0, "nothing was backed up while it was issued");
        let status = issuing.0.wait().unwrap();
        assert!(status.success(), "issuing was disturbed: {status}");
    }
    // While licences are issued and changed by one command after another.
    let done = AtomicBool::new(false);
    let first = count;
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut turn = 0;
            while !done.load(Ordering::Acquire) || turn < 2 {
                let licence = office.issue_one(&Row::road().with("reference", &format!("{turn}")));
                let hold = ["status", "office", &licence, "hold", "--reason", "核查"];
                office.zhao(&hold).code(0);
                turn += 1;
            }
        });
        while count < first + BACKUPS {
            worst = worst.max(back_up(&office, count));
            count += 1;
        }
        done.store(true, Ordering::Release);
    });
    // Everything was issued once, whoever looked on.
    let found = said(&office, &["fsck", "office", "--json"]);
    assert_eq!(found["clean"], true, "{found}");
    let licences = found["office"]["licences"].as_u64().unwrap();
    assert!(licences >= u64::try_from(ROWS).unwrap() + 2, "{found}");
    let sizes: Vec<u64> = (0..count).map(|number| restore(&office, number)).collect();
    assert!(sizes.is_sorted(), "{sizes:?}");
    println!("{count} backups, the office waited {worst:.1} ms at most; sizes {sizes:?}");
}
