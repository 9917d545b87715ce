//! Batches of a real ledger, cut in every way: whole, torn by refused events, lost before and after
//! they were taken, and sent again. Whatever came of them, each row has the receipt it should have.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;
use rusqlite::Connection;
use zhao_issuer::fsck::{self, Log as _};
use zhao_issuer::office::{Bulk, ClientError, Office, RowOutcome, Tally};
use zhao_issuer::records::LicenceState;
use zhao_spec::life::record::Record;
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::Hash;
use zhao_tests::client::{Around, Client, Published};
use zhao_tests::dice::Dice;
use zhao_tests::machine::ORIGIN;
use zhao_tests::office::{START, UNIT};
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
        job: None,
    };
    let mut rows = (1..=count).map(|number| {
        let reference = format!("{file}-{number}");
        Ok(row(number, &[("reference", &reference)]))
    });
    let mut report = |_, outcome, _: &Tally| {
        if let RowOutcome::Refused(error) = outcome {
            let said = error.to_string();
            assert!(said.contains("signer_missing: nobody signed"), "{said}");
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

/// A log that shows another record than it has for one subject.
struct Forgetful<'a> {
    log: Published<'a>,
    shown: Option<Record>,
    subject: Hash,
}

impl fsck::Log for Forgetful<'_> {
    fn size(&self) -> Result<u64, ClientError> {
        self.log.size()
    }

    fn leaf(&self, index: LeafIndex) -> Result<Vec<u8>, ClientError> {
        self.log.leaf(index)
    }

    fn record(&self, subject: &Hash) -> Result<Option<Record>, ClientError> {
        if *subject == self.subject {
            return Ok(self.shown.clone());
        }
        self.log.record(subject)
    }

    fn published_root(&self, size: u64) -> Result<Option<Hash>, ClientError> {
        self.log.published_root(size)
    }
}

/// The leaves are all there and every receipt holds, but the map says otherwise.
#[test]
fn fsck_finds_a_record_that_is_missing_or_of_another_licence() {
    let root = quick::root(ROOM, env!("CARGO_TARGET_TMPDIR"));
    let temporary = tempfile::tempdir_in(root).unwrap();
    let trouble = Arc::new(AtomicBool::new(false));
    let stages = Stages::quiet();
    let folder = temporary.path().join("office");
    let (log, mut office) = open_with(&folder, &stages, around(9, &trouble));
    let (mut dice, mut rng) = (Dice::new(9), ChaCha20Rng::seed_from_u64(9));
    found(&mut office, &mut rng);
    issue(&mut office, 0, &mut dice, &mut rng);
    let records = office.records();
    let ids = records.row_ids(0, 100).unwrap();
    let licences: Vec<_> = ids
        .iter()
        .filter_map(|id| records.licence_of(*id).unwrap())
        .collect();
    let reader = office.client().reader();
    let view = reader.latest().unwrap();
    let published = || Published {
        store: &*log,
        view: &view,
    };
    let of = |place: usize| published().record(&licences[place].subject).unwrap();
    let unit = subject_key(ORIGIN, Kind::Issuer, UNIT);
    let unit = published().record(&unit).unwrap();
    assert!(of(0).is_some() && unit.is_some());
    for shown in [None, of(1), unit] {
        let forgetful = Forgetful {
            log: published(),
            shown,
            subject: licences[0].subject,
        };
        let report = fsck::check(records, &forgetful).unwrap();
        let finding = fsck::Finding {
            place: format!("outbox row {}", licences[0].outbox),
            problem: fsck::Problem::Record,
            detail: licences[0].credential_id.clone(),
        };
        assert_eq!((report.findings, report.unlisted), (vec![finding], 0));
    }
    // Its own record is no finding.
    let honest = Forgetful {
        log: published(),
        shown: of(0),
        subject: licences[0].subject,
    };
    assert!(fsck::check(records, &honest).unwrap().is_clean());
}

fn refused_rows(folder: &Path) -> u64 {
    let path = folder.join("records.db");
    count(&path, "SELECT COUNT(*) FROM licences WHERE refused = 1")
}
