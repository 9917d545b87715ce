//! Batches of a real ledger, cut in every way: whole, torn by refused events, lost before and after
//! they were taken, and sent again. Whatever came of them, each row has the receipt it should have.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;
use rusqlite::Connection;
use zhao_issuer::office::{Bulk, ClientError, Office, RowOutcome, Tally};
use zhao_issuer::records::LicenceState;
use zhao_tests::client::{Around, Client};
use zhao_tests::dice::Dice;
use zhao_tests::office::START;
use zhao_tests::promise::text;
use zhao_tests::quick;

use crate::office::{agree, defaults, found, judge, open_with, row};
use crate::stage::Stages;

/// Files of each run.
const FILES: u64 = 6;
const ROOM: u64 = 256 << 20;

/// A ledger that, while `trouble` is on, loses batches and answers, and gets events that were
/// damaged on the way.
fn around(seed: u64, trouble: &Arc<AtomicBool>) -> Around {
    let (dice, trouble) = (Mutex::new(Dice::new(seed)), Arc::clone(trouble));
    Box::new(move |events, submit| {
        let what = if trouble.load(Ordering::Acquire) {
            dice.lock().unwrap().roll(12)
        } else {
            u64::MAX
        };
        match what {
            0 => return Err(ClientError::Unreachable("before".to_owned())),
            1..=4 => {
                let mut dice = dice.lock().unwrap();
                for _ in 0..=dice.roll(2) {
                    let place = dice.place(events.len());
                    events[place].signatures.clear();
                }
            }
            _ => {}
        }
        submit(events);
        match what {
            1 | 5 => Err(ClientError::Unreachable("after".to_owned())),
            _ => Ok(()),
        }
    })
}

/// Issues one file; what was issued or is pending, by case number.
fn issue(office: &mut Office<Client>, file: u64, dice: &mut Dice, rng: &mut ChaCha20Rng) -> Tally {
    let count = 60 + file * 50;
    let bulk = Bulk {
        chunk: 1 + dice.place(90),
        in_flight: 1 + dice.place(4),
        workers: 2,
        dry_run: false,
    };
    let mut rows = (1..=count).map(|number| {
        let reference = format!("{file}-{number}");
        Ok(row(number, &[("reference", &reference)]))
    });
    let mut report = |_, outcome, _: &Tally| {
        if let RowOutcome::Refused(error) = outcome {
            let said = error.to_string();
            assert!(said.contains("signature"), "{said}");
        }
    };
    let clock = || START;
    let issued = office.issue_bulk(&mut rows, &defaults(), &bulk, &clock, rng, &mut report);
    issued.unwrap()
}

fn count(path: &Path, select: &str) -> u64 {
    let connection = Connection::open(path).unwrap();
    let count: i64 = connection.query_row(select, [], |row| row.get(0)).unwrap();
    u64::try_from(count).unwrap()
}

#[test]
fn receipts_of_batches_hold_however_the_batches_were_cut() {
    let root = quick::root(ROOM, env!("CARGO_TARGET_TMPDIR"));
    for seed in 0..3 {
        let temporary = tempfile::tempdir_in(&root).unwrap();
        let folder = temporary.path().join("office");
        let trouble = Arc::new(AtomicBool::new(false));
        let (mut dice, mut rng) = (Dice::new(seed), ChaCha20Rng::seed_from_u64(seed));
        let stages = Stages::quiet();
        let (log, mut office) = open_with(&folder, &stages, around(seed, &trouble));
        found(&mut office, &mut rng);
        let (mut refused, mut stopped) = (0, 0);
        for file in 0..FILES {
            trouble.store(true, Ordering::Release);
            for _ in 0..3 {
                let tally = issue(&mut office, file, &mut dice, &mut rng);
                refused += tally.refused;
                stopped += u64::from(tally.trouble.is_some());
            }
            // What is left over goes with the delivery, whose batches are cut otherwise.
            trouble.store(false, Ordering::Release);
            office.deliver(START).unwrap();
            let tally = issue(&mut office, file, &mut dice, &mut rng);
            assert_eq!((tally.refused, tally.pending), (0, 0), "seed {seed}");
            assert_eq!(tally.rows(), 60 + file * 50, "seed {seed}");
        }
        assert!(
            refused > 0 && stopped > 0,
            "seed {seed}: {refused} {stopped}"
        );
        // Every receipt, whole or made from its batch's.
        judge(office.records(), 0).unwrap();
        let report = agree(&office, &*log).unwrap();
        let mut cases = BTreeMap::new();
        for id in office.records().row_ids(0, 100_000).unwrap() {
            let licence = text(office.records().licence_of(id)).unwrap();
            if let Some(licence) = licence.filter(|l| l.state == LicenceState::Issued) {
                let before = cases.insert(licence.reference.clone(), licence.number.clone());
                assert_eq!(before, None, "seed {seed}: {:?}", licence.reference);
            }
        }
        let rows: u64 = (0..FILES).map(|file| 60 + file * 50).sum();
        assert_eq!(u64::try_from(cases.len()).unwrap(), rows, "seed {seed}");
        assert_eq!(report.licences, rows + refused_rows(&folder), "seed {seed}");
        let path = folder.join("records.db");
        let together =
            "SELECT COALESCE(SUM(last_outbox - first_outbox + 1), 0) FROM receipt_batches";
        let (together, singly) = (
            count(&path, together),
            count(&path, "SELECT COUNT(*) FROM receipts"),
        );
        assert!(
            together > 100 && singly > 100,
            "seed {seed}: {together} {singly}"
        );
    }
}

fn refused_rows(folder: &Path) -> u64 {
    let path = folder.join("records.db");
    count(&path, "SELECT COUNT(*) FROM licences WHERE refused = 1")
}
