//! Bulk issuing beside issuing row by row: the same licences, whatever goes wrong in between.

use zhao_spec::life::verb::Verb;

use super::ledger::Trouble;
use super::*;
use crate::records::LicenceState;

/// Small chunks, so that many are on their way at once.
pub(super) const BULK: Bulk = Bulk {
    chunk: 7,
    in_flight: 3,
    workers: 3,
    dry_run: false,
    job: None,
};

/// What became of a row: the number of an issued licence, or a word.
fn word(desk: &Desk, outcome: &RowOutcome) -> String {
    match outcome {
        RowOutcome::Issued { id, .. } | RowOutcome::Pending { id } => {
            let row = desk.office.records.find_licence(id).unwrap().unwrap();
            let state = match outcome {
                RowOutcome::Issued { .. } => LicenceState::Issued,
                _ => LicenceState::Issuing,
            };
            assert_eq!(row.state, state);
            let known = if state == LicenceState::Issued {
                ""
            } else {
                "pending "
            };
            format!("{known}{}", row.number)
        }
        RowOutcome::Possible => "possible".to_owned(),
        RowOutcome::Refused(error) => format!("{error}"),
        RowOutcome::Repeated(licence) => format!("again {}", licence.number),
    }
}

pub(super) fn try_bulk(
    desk: &mut Desk,
    bulk: &Bulk,
    rows: Vec<Row>,
) -> Result<(Vec<String>, Tally), OfficeError> {
    let defaults = Defaults {
        licence_type: Some("food-operation".to_owned()),
        today: NOW.beijing_date(),
        unit: Some(unit()),
    };
    let mut outcomes = Vec::new();
    let mut rows = rows.into_iter().map(Ok);
    let mut expected = 0;
    let tally = desk.office.issue_bulk(
        &mut rows,
        &defaults,
        bulk,
        &|| NOW,
        &mut desk.rng,
        &mut |row, outcome, tally| {
            expected += 1;
            assert_eq!((row, tally.rows()), (expected, expected), "in their order");
            outcomes.push(outcome);
        },
    )?;
    let words = outcomes.iter().map(|outcome| word(desk, outcome));
    Ok((words.collect(), tally))
}

fn bulk(desk: &mut Desk, rows: Vec<Row>) -> (Vec<String>, Tally) {
    try_bulk(desk, &BULK, rows).unwrap()
}

fn case(n: u64) -> Row {
    food(n, &[("reference", &format!("case {n}"))])
}

#[test]
fn the_same_licences_as_row_by_row() {
    let rows = |_: ()| -> Vec<Row> {
        (1..=60)
            .map(|n| match n % 10 {
                3 => food(n, &[("holderCode", "91320402DEM0010173")]),
                5 => food(n, &[("colour", "red")]),
                8 => birth(n),
                _ => food(n, &[]),
            })
            .collect()
    };
    let mut one = Desk::new();
    let singly: Vec<String> = one
        .issue(rows(()))
        .into_iter()
        .map(|(_, outcome)| match outcome {
            Outcome::Issued(issued) => issued.licence.number,
            Outcome::Refused(error) => error.to_string(),
            other => panic!("{other:?}"),
        })
        .collect();
    let mut other = Desk::new();
    let before = other.office.client.lock().log.len();
    let (together, tally) = bulk(&mut other, rows(()));
    assert_eq!(together, singly);
    assert_eq!((tally.issued, tally.refused), (48, 12));
    assert_eq!(other.office.client.lock().log.len(), before + 48);
    assert_eq!(other.office.records.pending_count().unwrap(), 0);
    // The next licence counts on in both: what bad rows had taken was given back.
    let next = one.issue_one(food(1, &[])).licence.number;
    assert_eq!(other.issue_one(food(1, &[])).licence.number, next);
}

#[test]
fn a_case_number_issues_once_within_a_chunk_across_chunks_and_again() {
    let mut desk = Desk::new();
    let mut rows: Vec<Row> = (1..=30).map(case).collect();
    for (at, like) in [(2, 1), (9, 1), (20, 19), (29, 8)] {
        rows[at] = food(
            u64::try_from(at).unwrap() + 1,
            &[("reference", &format!("case {like}"))],
        );
    }
    let (words, tally) = bulk(&mut desk, rows.clone());
    assert_eq!((tally.issued, tally.repeated), (26, 4));
    for (at, like) in [(2, 1), (9, 1), (20, 19), (29, 8)] {
        assert_eq!(words[at], format!("again {}", words[like - 1]));
    }
    let logged = desk.office.client.lock().log.len();
    let (again, tally) = bulk(&mut desk, rows);
    assert_eq!(tally.repeated, 30);
    assert_eq!(again[0], format!("again {}", words[0]));
    assert_eq!(desk.office.client.lock().log.len(), logged);
}

#[test]
fn a_case_whose_first_row_was_refused_says_so() {
    let mut desk = Desk::new();
    let rows = vec![
        food(
            1,
            &[
                ("reference", "case 1"),
                ("licenceNumber", "JY32040090000001"),
            ],
        ),
        food(
            2,
            &[
                ("reference", "case 2"),
                ("licenceNumber", "JY32040090000001"),
            ],
        ),
        food(
            3,
            &[
                ("reference", "case 2"),
                ("licenceNumber", "JY32040090000002"),
            ],
        ),
    ];
    let (words, tally) = bulk(&mut desk, rows);
    assert_eq!(words[0], "JY32040090000001");
    assert!(words[1].contains("is taken"), "{words:?}");
    // The second row never took the case number.
    assert_eq!(words[2], "JY32040090000002");
    assert_eq!((tally.issued, tally.refused), (2, 1));
}

#[test]
fn a_number_given_twice_is_refused_wherever_the_first_one_is() {
    let mut desk = Desk::new();
    let given = |n: u64, number: &str| food(n, &[("licenceNumber", number)]);
    let mut rows: Vec<Row> = (1..=24)
        .map(|n| given(n, &format!("JY320400{:08}", 91_000_000 + n)))
        .collect();
    rows[3] = given(4, "JY32040091000001");
    rows[20] = given(21, "JY32040091000002");
    let (words, tally) = bulk(&mut desk, rows.clone());
    assert_eq!((tally.issued, tally.refused), (22, 2));
    for at in [3, 20] {
        assert!(words[at].contains("is taken"), "{}", words[at]);
    }
    let (_, tally) = bulk(&mut desk, rows);
    assert_eq!((tally.issued, tally.refused), (0, 24));
}

#[test]
fn a_ledger_out_of_reach_stops_reading_and_loses_nothing() {
    for trouble in [
        Trouble::BeforeTaking,
        Trouble::AfterTaking,
        Trouble::Busy,
        Trouble::ShortAnswer,
        Trouble::BelowQuorum,
    ] {
        let mut desk = Desk::new();
        {
            let mut ledger = desk.office.client.lock();
            ledger.trouble.push_back(Trouble::Nothing);
            ledger.trouble.push_back(trouble);
        }
        let rows: Vec<Row> = (1..=200).map(case).collect();
        let (words, tally) = bulk(&mut desk, rows.clone());
        let stops = matches!(
            trouble,
            Trouble::BeforeTaking | Trouble::AfterTaking | Trouble::Busy
        );
        assert_eq!(tally.trouble.is_some(), stops, "{trouble:?}");
        assert!(tally.pending >= 7, "{trouble:?}: {tally:?}");
        if stops {
            assert!(words.len() < 60, "no more is read: {}", words.len());
        }
        assert!(words.iter().all(|word| !word.contains("refused")));
        // The same file again, after a crash: each is issued once.
        let mut desk = desk.restart();
        desk.office.deliver(NOW).unwrap();
        assert_eq!(desk.office.records.pending_count().unwrap(), 0);
        let (_, tally) = bulk(&mut desk, rows);
        assert_eq!(tally.repeated, u64::try_from(words.len()).unwrap());
        assert_eq!(tally.issued + tally.repeated, 200, "{trouble:?}");
        let ledger = desk.office.client.lock();
        let issued = ledger
            .log
            .iter()
            .filter(|event| event.verb() == Verb::Issued);
        assert_eq!(issued.count(), 200, "{trouble:?}");
    }
}

#[test]
fn a_dry_run_says_what_would_be_and_leaves_nothing() {
    let mut desk = Desk::new();
    let first = desk.issue_one(case(1)).licence.number;
    let rows = vec![
        case(1),
        case(2),
        food(3, &[("holderName", "")]),
        food(4, &[("reference", "case 2")]),
        food(5, &[("licenceNumber", &first)]),
    ];
    let logged = desk.office.client.lock().log.len();
    let counts = desk.office.records.licence_counts().unwrap();
    let dry = Bulk {
        dry_run: true,
        ..BULK
    };
    let (words, tally) = try_bulk(&mut desk, &dry, rows).unwrap();
    assert_eq!(words[0], format!("again {first}"));
    assert_eq!(words[1], "possible");
    assert!(words[2].contains("holderName"), "{}", words[2]);
    assert!(words[3].contains("case 2"), "{}", words[3]);
    assert!(words[4].contains("is taken"), "{}", words[4]);
    assert_eq!((tally.issued, tally.repeated, tally.refused), (1, 1, 3));
    assert_eq!(desk.office.client.lock().log.len(), logged);
    assert_eq!(desk.office.records.licence_counts().unwrap(), counts);
    // Not even a number is used up.
    let next = desk.issue_one(case(9)).licence.number;
    let mut other = Desk::new();
    other.issue_one(case(1));
    assert_eq!(next, other.issue_one(case(9)).licence.number);
}

#[test]
fn what_the_ledger_refuses_is_reported_and_frees_its_number() {
    let mut desk = Desk::new();
    // The unit is suspended between the office's question and the ledger's answer.
    desk.office.client.lock().suspend_next = true;
    let (words, tally) = bulk(&mut desk, (1..=10).map(case).collect());
    assert_eq!((tally.issued, tally.refused), (0, 10), "{words:?}");
    assert!(words[0].contains("signer_suspended"), "{}", words[0]);
    let counts = desk.office.records.licence_counts().unwrap();
    assert_eq!(counts, [0, 0, 10]);
    assert_eq!(desk.office.records.pending_count().unwrap(), 0);
}

#[test]
fn rows_of_a_unit_without_a_key_are_refused_each() {
    let mut desk = Desk::new();
    let other = "11320402DEM000048K";
    let rows = vec![food(1, &[("issuer", other)]), case(2)];
    let (words, tally) = bulk(&mut desk, rows);
    assert_eq!((tally.issued, tally.refused), (1, 1), "{words:?}");
}

#[test]
fn a_ledger_that_cannot_be_asked_who_may_issue_ends_it_before_anything_is_written() {
    let mut desk = Desk::new();
    desk.office.client.lock().deaf = true;
    let error = try_bulk(&mut desk, &BULK, vec![case(1)]).unwrap_err();
    assert!(matches!(error, OfficeError::Client(_)), "{error}");
    assert_eq!(desk.office.records.licence_counts().unwrap(), [0, 0, 0]);
}

#[test]
fn a_thread_that_dies_ends_the_bulk_and_loses_nothing() {
    let mut desk = Desk::new();
    let before = desk.office.client.lock().log.len();
    let rows: Vec<Row> = (1..=60).map(case).collect();
    desk.office.client.lock().trouble.push_back(Trouble::Dies);
    let bulked = std::panic::AssertUnwindSafe(|| bulk(&mut desk, rows.clone()));
    assert!(std::panic::catch_unwind(bulked).is_err(), "it is passed on");
    assert!(desk.office.records.pending_count().unwrap() > 0);
    desk.office.deliver(NOW).unwrap();
    let (_, tally) = bulk(&mut desk, rows);
    assert_eq!(tally.issued + tally.repeated, 60);
    assert_eq!(desk.office.client.lock().log.len(), before + 60);
    assert_eq!(desk.office.records.pending_count().unwrap(), 0);
}
