//! Seeded runs of one file issued in bulk again and again, until it is through: by an office whose
//! ledger loses answers, whose database refuses in the middle of a transaction or has no room, and
//! whose clock steps back.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;

use rand::RngExt as _;
use rusqlite::Connection;
use zhao_spec::life::verb::Verb;

use super::ledger::Trouble;
use super::simulation::{Said, TROUBLES, check, licences, pick};
use super::*;
use crate::records::{LicenceState, RecordsError};

const SEEDS: u64 = 24;
/// Rows of the file, chunks small enough that several are on their way.
const ROWS: u64 = 90;
const BULK: Bulk = Bulk {
    chunk: 7,
    in_flight: 4,
    workers: 2,
    dry_run: false,
    job: None,
};
const MINUTE: u64 = 60_000;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Tables that are written in another stage each.
const TABLES: [&str; 5] = [
    "INSERT ON outbox",
    "INSERT ON licences",
    "INSERT ON credentials",
    "INSERT ON receipts",
    "DELETE ON outbox_pending",
];

/// What ends one life of the office.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Nothing,
    /// The clock is back by a day, from this reading on.
    Clock(u64),
    /// The database refuses at this table, from this reading of the clock on.
    Database(&'static str, u64),
    /// There is room for so many pages more.
    Full(i64),
    /// The file is taken away at this reading of the clock.
    Gone(u64),
}

fn fault(dice: &mut ChaCha20Rng) -> Fault {
    match dice.random_range(0..6) {
        0 => Fault::Nothing,
        1 => Fault::Clock(dice.random_range(1..30)),
        2 | 3 => Fault::Database(pick(dice, &TABLES), dice.random_range(1..20)),
        4 => Fault::Full(dice.random_range(0..12)),
        _ => Fault::Gone(dice.random_range(1..20)),
    }
}

fn row(n: u64) -> Row {
    let reference = format!("case {n}");
    match n % 15 {
        4 => food(n, &[("reference", &format!("case {}", n - 1))]),
        9 => food(
            n,
            &[
                ("reference", &reference),
                ("holderCode", "91320402DEM0010173"),
            ],
        ),
        _ => food(n, &[("reference", &reference)]),
    }
}

/// Case number of a row → the credential's `id`, as it was reported.
type Told = BTreeMap<u64, String>;

/// Issues the file once; true when it came to its end.
fn live(desk: &mut Desk, fault: Fault, dice: &mut ChaCha20Rng, told: &mut Told) -> bool {
    let path = desk.dir.path().join("office.sqlite");
    let aside = desk.dir.path().join("aside");
    let other = Connection::open(&path).unwrap();
    if let Fault::Full(more) = fault {
        desk.office.records.limit_pages(more);
    }
    let steps = RefCell::new((0_u64, ChaCha20Rng::seed_from_u64(dice.random())));
    let clock = || {
        let (count, dice) = &mut *steps.borrow_mut();
        *count += 1;
        match fault {
            Fault::Clock(from) if *count >= from => return UnixMillis(NOW.0 - DAY),
            Fault::Database(table, at) if *count == at => {
                let trigger = format!(
                    "CREATE TRIGGER gone BEFORE {table} BEGIN SELECT RAISE(ABORT, 'gone'); END"
                );
                other.execute_batch(&trigger).unwrap();
            }
            Fault::Gone(at) if *count == at => fs::rename(&path, &aside).unwrap(),
            _ => {}
        }
        // Steps back by up to an hour are borne.
        UnixMillis(NOW.0 + HOUR - dice.random_range(0..=HOUR))
    };
    let defaults = Defaults {
        licence_type: Some("food-operation".to_owned()),
        today: NOW.beijing_date(),
        unit: Some(unit()),
    };
    let mut rows = (1..=ROWS).map(|n| Ok(row(n)));
    let done = desk.office.issue_bulk(
        &mut rows,
        &defaults,
        &BULK,
        &clock,
        &mut desk.rng,
        &mut |row, outcome, _| {
            let id = match outcome {
                RowOutcome::Issued { id, .. } | RowOutcome::Pending { id } => id,
                RowOutcome::Repeated(licence) => licence.credential_id.clone(),
                RowOutcome::Refused(_) if row % 15 == 9 => return,
                other => panic!("row {row}: {other:?}"),
            };
            let before = told.insert(row, id.clone());
            assert!(before.is_none_or(|before| before == id), "row {row}");
        },
    );
    let ended = match done {
        Ok(tally) => tally.trouble.is_none(),
        Err(error) => {
            match (fault, &error) {
                (Fault::Clock(_), OfficeError::Clock { now, .. }) => {
                    assert_eq!(now.0, NOW.0 - DAY);
                    assert!(error.to_string().ends_with("check the clock"), "{error}");
                }
                (Fault::Database(..), OfficeError::Records(RecordsError::Sql(error))) => {
                    assert!(error.to_string().contains("gone"), "{error}");
                }
                (Fault::Full(_), OfficeError::Records(RecordsError::Full)) => {}
                (Fault::Gone(_), OfficeError::Records(RecordsError::Gone(gone))) => {
                    assert_eq!(*gone, path);
                }
                _ => panic!("{fault:?}: {error}"),
            }
            false
        }
    };
    if aside.exists() {
        fs::rename(&aside, &path).unwrap();
    }
    other.execute_batch("DROP TRIGGER IF EXISTS gone").unwrap();
    ended
}

#[test]
fn a_file_is_issued_once_whatever_fails_and_however_often_it_is_given() {
    let mut ended = HashSet::new();
    for seed in 0..SEEDS {
        let mut dice = ChaCha20Rng::seed_from_u64(seed);
        let mut desk = Desk::bare();
        desk.rng = ChaCha20Rng::seed_from_u64(seed ^ 0xb01d);
        let mut told = Told::new();
        for _ in 0..6 {
            let fault = fault(&mut dice);
            let trouble = (0..dice.random_range(0..4)).map(|_| pick(&mut dice, &TROUBLES));
            let trouble: Vec<Trouble> = trouble.collect();
            desk.office.client.lock().trouble = trouble.into();
            if !live(&mut desk, fault, &mut dice, &mut told) {
                ended.insert(std::mem::discriminant(&fault));
            }
            desk = desk.restart();
            if dice.random() {
                desk.office.deliver(NOW).unwrap();
            }
        }
        desk.office.client.lock().trouble.clear();
        desk.office.deliver(NOW).unwrap();
        assert!(live(&mut desk, Fault::Nothing, &mut dice, &mut told));
        whole(&desk, &told, seed);
    }
    assert_eq!(ended.len(), 5, "each fault ended a life");
}

/// Every good row is issued once, as it was reported, under a number and an identifier of its own;
/// records and log agree.
fn whole(desk: &Desk, told: &Told, seed: u64) {
    let records = &desk.office.records;
    assert_eq!(records.pending_count().unwrap(), 0, "seed {seed}");
    let mut said = Said::new();
    for id in records.row_ids(0, 10_000).unwrap() {
        said.insert(records.said(id).unwrap().event.id(), id);
    }
    check(desk, &said, seed);
    let (mut cases, mut numbers) = (BTreeMap::new(), BTreeSet::new());
    for licence in licences(records) {
        if licence.state == LicenceState::Refused {
            continue;
        }
        assert!(numbers.insert(licence.number.clone()), "seed {seed}");
        assert!(numbers.insert(licence.identifier.clone()), "seed {seed}");
        let case = licence.reference.clone().unwrap();
        let before = cases.insert(case, licence.credential_id.clone());
        assert_eq!(before, None, "seed {seed}: twice");
    }
    for n in (1..=ROWS).filter(|n| n % 15 != 9) {
        let case = if n % 15 == 4 { n - 1 } else { n };
        assert_eq!(
            told.get(&n),
            cases.get(&format!("case {case}")),
            "seed {seed}, row {n}"
        );
    }
    let good = (1..=ROWS).filter(|n| n % 15 != 9 && n % 15 != 4).count();
    assert_eq!(cases.len(), good, "seed {seed}");
}

#[test]
fn records_that_are_taken_away_or_replaced_promise_nothing() {
    let mut desk = Desk::bare();
    let licence = desk.issue_one(food(1, &[])).licence.subject;
    let path = desk.dir.path().join("office.sqlite");
    let aside = desk.dir.path().join("aside");
    let none = Grounds::default();
    for replaced in [false, true] {
        fs::rename(&path, &aside).unwrap();
        if replaced {
            fs::copy(&aside, &path).unwrap();
        }
        let logged = desk.office.client.lock().log.len();
        let hold = Act::Plain(Verb::Hold);
        let acted = desk
            .office
            .act(&licence, &hold, &none, None, NOW, &mut desk.rng);
        let error = acted.unwrap_err();
        let gone =
            matches!(&error, OfficeError::Records(RecordsError::Gone(gone)) if *gone == path);
        assert!(gone, "{error}");
        assert!(error.to_string().contains("nothing was written"), "{error}");
        assert_eq!(desk.office.client.lock().log.len(), logged);
        assert_eq!(desk.office.records.pending_count().unwrap(), 0);
        fs::rename(&aside, &path).unwrap();
    }
    // Back in its place, it is the same file, and work goes on.
    let hold = Act::Plain(Verb::Hold);
    let acted = desk
        .office
        .act(&licence, &hold, &none, None, NOW, &mut desk.rng);
    let done = acted.unwrap();
    let done = desk.finish(done);
    assert!(
        matches!(done.standing, Standing::Receipted { .. }),
        "{done:?}"
    );
}
