//! Bulks without case numbers, killed and taken up again.

use zhao_spec::life::verb::Verb;

use super::bulk::{BULK, try_bulk};
use super::ledger::Trouble;
use super::*;
use crate::records::{JobState, RecordsError};

const ROWS: u64 = 40;
const FILE: Hash = Hash([5; 32]);

fn rows() -> Vec<Row> {
    (1..=ROWS).map(|n| food(n, &[])).collect()
}

fn begin(desk: &mut Desk, file: &Hash, again: bool) -> i64 {
    desk.office.begin_job(file, "{}", again, NOW).unwrap().id
}

/// Runs the rows as those of the job.
fn run(desk: &mut Desk, job: i64, rows: Vec<Row>) -> (Vec<String>, Tally) {
    let bulk = Bulk {
        job: Some(job),
        ..BULK
    };
    try_bulk(desk, &bulk, rows).unwrap()
}

fn state(desk: &Desk, job: i64) -> JobState {
    desk.office.records.job(job).unwrap().unwrap().state
}

/// How many licences the log has.
fn logged(desk: &Desk) -> u64 {
    let ledger = desk.office.client.lock();
    let verbs = ledger.log.iter().map(Event::verb);
    u64::try_from(verbs.filter(|verb| *verb == Verb::Issued).count()).unwrap()
}

#[test]
fn killed_after_any_chunk_a_job_goes_on_where_it_stopped() {
    for stop in (0..=6).map(|chunks| 7 * chunks) {
        let mut desk = Desk::bare();
        let job = begin(&mut desk, &FILE, false);
        let (first, _) = run(&mut desk, job, rows().into_iter().take(stop).collect());
        let mut desk = desk.restart();
        assert_eq!(begin(&mut desk, &FILE, false), job);
        assert_eq!(state(&desk, job), JobState::Running);
        let (words, tally) = run(&mut desk, job, rows());
        let known = u64::try_from(first.len()).unwrap();
        assert_eq!(
            (tally.repeated, tally.issued, tally.pending),
            (known, ROWS - known, 0)
        );
        for (word, first) in words.iter().zip(&first) {
            assert_eq!(*word, format!("again {first}"));
        }
        assert_eq!(logged(&desk), ROWS, "stopped after {stop}");
        assert_eq!(state(&desk, job), JobState::Done);
        // And once more: everything is known, nothing is done.
        assert_eq!(begin(&mut desk, &FILE, false), job);
        let (_, tally) = run(&mut desk, job, rows());
        assert_eq!((tally.repeated, tally.issued), (ROWS, 0));
        assert_eq!(logged(&desk), ROWS);
    }
}

#[test]
fn whatever_the_ledger_does_to_any_chunk_each_row_is_issued_once() {
    let troubles = [
        Trouble::BeforeTaking,
        Trouble::AfterTaking,
        Trouble::Busy,
        Trouble::ShortAnswer,
        Trouble::BelowQuorum,
    ];
    for (chunk, trouble) in (0..6).flat_map(|chunk| troubles.map(|trouble| (chunk, trouble))) {
        let mut desk = Desk::bare();
        {
            let mut ledger = desk.office.client.lock();
            ledger.trouble.extend(vec![Trouble::Nothing; chunk]);
            ledger.trouble.push_back(trouble);
        }
        let job = begin(&mut desk, &FILE, false);
        let (words, tally) = run(&mut desk, job, rows());
        assert!(tally.pending > 0, "{chunk} {trouble:?}: {tally:?}");
        let state = state(&desk, job);
        assert_eq!(state == JobState::Running, tally.trouble.is_some());
        let mut desk = desk.restart();
        desk.office.deliver(NOW).unwrap();
        let job = begin(&mut desk, &FILE, false);
        let (_, tally) = run(&mut desk, job, rows());
        let known = u64::try_from(words.len()).unwrap();
        assert_eq!(
            (tally.repeated, tally.issued, tally.refused),
            (known, ROWS - known, 0),
            "{chunk} {trouble:?}"
        );
        assert_eq!(logged(&desk), ROWS, "{chunk} {trouble:?}");
        assert_eq!(desk.office.records.pending_count().unwrap(), 0);
    }
}

#[test]
fn another_file_and_the_same_again_on_purpose_are_other_jobs() {
    let mut desk = Desk::bare();
    // Every fourth row has a case number: that is issued once whatever the job.
    let rows = || -> Vec<Row> {
        let case = |n: u64| match n % 4 {
            0 => food(n, &[("reference", &format!("case {n}"))]),
            _ => food(n, &[]),
        };
        (1..=ROWS).map(case).collect()
    };
    let first = begin(&mut desk, &FILE, false);
    run(&mut desk, first, rows());
    assert_eq!(logged(&desk), 40);
    let second = begin(&mut desk, &Hash([6; 32]), false);
    assert_ne!(first, second);
    let (_, tally) = run(&mut desk, second, rows());
    assert_eq!((tally.issued, tally.repeated), (30, 10));
    let third = begin(&mut desk, &FILE, true);
    assert!(third != first && third != second);
    let (_, tally) = run(&mut desk, third, rows());
    assert_eq!((tally.issued, tally.repeated), (30, 10));
    // Without being told, the latest job of the file goes on.
    assert_eq!(begin(&mut desk, &FILE, false), third);
    let (_, tally) = run(&mut desk, third, rows());
    assert_eq!((tally.issued, tally.repeated), (0, 40));
    assert_eq!(logged(&desk), 100);
    // Called for in another way, it is another job.
    let other = desk.office.begin_job(&FILE, "{\"unit\":1}", false, NOW);
    assert!(other.unwrap().id > third);
}

#[test]
fn what_was_refused_is_tried_again() {
    let mut desk = Desk::bare();
    let mut bad = rows();
    bad.truncate(7);
    bad[2] = food(3, &[("holderName", "")]);
    desk.office
        .client
        .lock()
        .trouble
        .push_back(Trouble::BeforeTaking);
    let job = begin(&mut desk, &FILE, false);
    let (_, tally) = run(&mut desk, job, bad.clone());
    assert_eq!((tally.pending, tally.refused), (6, 1));
    // As when the ledger refuses them at the next start.
    let waiting = desk.office.records.outgoing(0, 10).unwrap();
    let transaction = desk.office.records.begin().unwrap();
    for row in &waiting {
        let refused = Standing::Refused {
            code: "signer_suspended".to_owned(),
            detail: String::new(),
        };
        transaction.settle(row.id, &refused, NOW).unwrap();
    }
    transaction.commit().unwrap();
    let (_, tally) = run(&mut desk, job, bad.clone());
    assert_eq!((tally.issued, tally.repeated, tally.refused), (6, 0, 1));
    bad[2] = food(3, &[]);
    let (_, tally) = run(&mut desk, job, bad);
    assert_eq!((tally.issued, tally.repeated, tally.refused), (1, 6, 0));
}

#[test]
fn a_number_of_the_files_own_is_repeated_and_not_taken() {
    let mut desk = Desk::bare();
    let rows = || -> Vec<Row> {
        let given = |n: u64| {
            let number = format!("JY320400{:08}", 92_000_000 + n);
            food(n, &[("licenceNumber", &number)])
        };
        (1..=9).map(given).collect()
    };
    let job = begin(&mut desk, &FILE, false);
    run(&mut desk, job, rows().into_iter().take(7).collect());
    let (_, tally) = run(&mut desk, job, rows());
    assert_eq!((tally.issued, tally.repeated, tally.refused), (2, 7, 0));
    // In another file the number is taken.
    let job = begin(&mut desk, &Hash([6; 32]), false);
    let (words, tally) = run(&mut desk, job, rows());
    assert_eq!(tally.refused, 9);
    assert!(words[0].contains("is taken"), "{}", words[0]);
}

#[test]
fn a_dry_run_of_a_job_knows_its_rows_and_leaves_nothing() {
    let mut desk = Desk::bare();
    let job = begin(&mut desk, &FILE, false);
    run(&mut desk, job, rows().into_iter().take(7).collect());
    let dry = Bulk {
        dry_run: true,
        job: Some(job),
        ..BULK
    };
    let (words, tally) = try_bulk(&mut desk, &dry, rows()).unwrap();
    assert_eq!((tally.repeated, tally.issued), (7, 33));
    assert_eq!(words[7], "possible");
    assert_eq!(desk.office.records.job_reached(job).unwrap(), 7);
    assert_eq!(logged(&desk), 7);
}

#[test]
fn rows_of_a_job_that_is_not_there_leave_nothing() {
    let mut desk = Desk::bare();
    let bulk = Bulk {
        job: Some(99),
        ..BULK
    };
    let error = try_bulk(&mut desk, &bulk, rows()).unwrap_err();
    let expected = matches!(error, OfficeError::Records(RecordsError::Sql(_)));
    assert!(expected, "{error:?}");
    assert_eq!(desk.office.records.licence_counts().unwrap(), [0, 0, 0]);
    assert_eq!(logged(&desk), 0);
}
