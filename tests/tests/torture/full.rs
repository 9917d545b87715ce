//! An office whose disk is full, records and ledger on it alike: nothing is half issued, and with
//! room again everything is issued once.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;
use zhao_issuer::office::{Bulk, Office, OfficeError, RowOutcome, Tally};
use zhao_issuer::records::{LicenceState, RecordsError};
use zhao_tests::client::Client;
use zhao_tests::office::START;
use zhao_tests::quick;
use zhao_tests::small_disk::{self, BALLAST};

use crate::office::{agree, defaults, found, judge, open, row};
use crate::stage::Stages;

/// The variable with the folder of the small disk.
pub(crate) const FOLDER: &str = "ZHAO_SMALL_OFFICE";
/// Size of the disk: ledger, auditor and records, and a start beside what a start leaves.
const DISK: &str = "size=64m";
/// Bytes left free, in the order in which it is filled again and again.
const ROOM: [u64; 7] = [200_000, 0, 40_000, 4_096, 800_000, 12_288, 400_000];
/// Rows of each file.
const ROWS: u64 = 400;
const BULK: Bulk = Bulk {
    chunk: 40,
    in_flight: 3,
    workers: 2,
    dry_run: false,
    job: None,
};

/// Starts this program's test on a small disk.
pub(crate) fn run(test: &str) {
    let root = quick::root(128 << 20, env!("CARGO_TARGET_TMPDIR"));
    let folder = tempfile::tempdir_in(root).unwrap();
    if let Err(why) = small_disk::run(test, FOLDER, folder.path(), DISK) {
        // Loud, so that nobody takes it for a proof.
        let mut err = std::io::stderr().lock();
        writeln!(err, "NOT TESTED: an office on a full disk, because {why}").unwrap();
    }
}

fn issue(
    office: &mut Office<Client>,
    file: u64,
    rng: &mut ChaCha20Rng,
) -> Result<Tally, OfficeError> {
    let mut rows = (1..=ROWS).map(|number| {
        let reference = format!("{file}-{number}");
        Ok(row(number, &[("reference", &reference)]))
    });
    let mut report = |row, outcome, _: &Tally| {
        let refused = matches!(outcome, RowOutcome::Refused(_));
        assert!(!refused, "row {row}: {outcome:?}");
    };
    let clock = || START;
    office.issue_bulk(&mut rows, &defaults(), &BULK, &clock, rng, &mut report)
}

/// Fills the disk of this folder, issues until something is refused, makes room, and looks.
pub(crate) fn fill(folder: &Path) {
    let place = folder.join("office");
    let stages = Stages::quiet();
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    found(&mut open(&place, &stages).1, &mut rng);
    let mut ends = Vec::new();
    for (file, room) in (0..).zip(ROOM) {
        let (log, mut office) = open(&place, &stages);
        small_disk::leave(folder, room).unwrap();
        let ended = match issue(&mut office, file, &mut rng) {
            Err(OfficeError::Records(RecordsError::Full)) => RecordsError::Full.to_string(),
            Ok(Tally {
                trouble: Some(trouble),
                ..
            }) => {
                let said = trouble.to_string();
                // Of two chunks on their way the second is told what became of the first.
                let advice = ["make room", "open the store anew"];
                let precise = said.contains("No space left")
                    && advice.iter().any(|advice| said.contains(advice));
                assert!(precise, "{room} bytes left: {said}");
                said
            }
            // Below the quorum: what is taken is not published, and nobody is told it was.
            Ok(tally) if tally.pending > 0 => format!("{} rows pending", tally.pending),
            other => panic!("{room} bytes left: {other:?}"),
        };
        ends.push(ended);
        // The process ends; there is room; the next one begins.
        drop((log, office));
        fs::remove_file(folder.join(BALLAST)).unwrap();
        let (log, mut office) = open(&place, &stages);
        let sent = office.deliver(START).unwrap();
        assert_eq!((sent.pending, sent.trouble), (0, None), "{room} bytes left");
        let tally = issue(&mut office, file, &mut rng).unwrap();
        assert_eq!(
            (tally.rows(), tally.pending),
            (ROWS, 0),
            "{room} bytes left"
        );
        let report = agree(&office, &*log).unwrap();
        assert_eq!(report.licences, (file + 1) * ROWS, "{room} bytes left");
    }
    let (_, office) = open(&place, &stages);
    judge(office.records(), 0).unwrap();
    let mut names = BTreeSet::new();
    for id in office.records().row_ids(0, 10_000).unwrap() {
        if let Some(licence) = office.records().licence_of(id).unwrap() {
            assert_eq!(licence.state, LicenceState::Issued);
            assert!(names.insert(licence.number) && names.insert(licence.identifier));
        }
    }
    for (room, ended) in ROOM.iter().zip(&ends) {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{room} bytes left: {ended}").unwrap();
    }
}
