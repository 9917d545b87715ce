//! Seeded runs of an office whose ledger loses answers, answers twice, is busy, away or below its
//! quorum, refuses, and whose process dies at every step; and the table of faults by stage.

use std::collections::BTreeMap;

use rand::RngExt as _;
use zhao_spec::life::data::Relation;
use zhao_spec::life::verb::Verb;

use super::ledger::Trouble;
use super::*;
use crate::office::round::Round;
use crate::records::LicenceState;

/// Runs, and steps of each.
const SEEDS: u64 = 24;
const STEPS: usize = 50;

pub(super) const TROUBLES: [Trouble; 7] = [
    Trouble::AfterTaking,
    Trouble::BeforeTaking,
    Trouble::BelowQuorum,
    Trouble::Busy,
    Trouble::Nothing,
    Trouble::ShortAnswer,
    Trouble::Twice,
];

/// Some are refused by the life cycle, according to what came before.
const VERBS: [Verb; 6] = [
    Verb::Hold,
    Verb::LiftHold,
    Verb::MarkObjection,
    Verb::Pledge,
    Verb::ReportLost,
    Verb::WithdrawLoss,
];

pub(super) fn pick<T: Copy>(rng: &mut ChaCha20Rng, all: &[T]) -> T {
    all[rng.random_range(0..all.len())]
}

/// What was acknowledged: rows of the outbox, by the event's identity.
pub(super) type Said = BTreeMap<Hash, i64>;

pub(super) fn licences(records: &Records) -> Vec<crate::records::Licence> {
    let ids = records.row_ids(0, 10_000).unwrap().into_iter();
    ids.filter_map(|id| records.licence_of(id).unwrap())
        .collect()
}

fn step(desk: Desk, dice: &mut ChaCha20Rng, said: &mut Said, count: &mut u64) -> Desk {
    let mut desk = desk;
    let licences = licences(&desk.office.records);
    let issued: Vec<_> = licences
        .iter()
        .filter(|licence| licence.state == LicenceState::Issued)
        .map(|licence| licence.subject)
        .collect();
    let none = Grounds::default();
    match dice.random_range(0..9) {
        0 | 1 => {
            let rows = (0..dice.random_range(1..4_u64)).map(|_| {
                *count += 1;
                Ok(food(*count, &[]))
            });
            let defaults = Defaults {
                licence_type: Some("food-operation".to_owned()),
                today: NOW.beijing_date(),
                unit: Some(unit()),
            };
            let declared = desk
                .office
                .declare_batch(rows.collect(), &defaults, NOW, &mut desk.rng)
                .unwrap();
            for (_, outcome) in declared {
                let Outcome::Pending(licence) = outcome else {
                    panic!("{outcome:?}")
                };
                let event = desk.office.records.said(licence.outbox).unwrap().event;
                said.insert(event.id(), licence.outbox);
            }
        }
        2..5 if !issued.is_empty() => {
            let act = Act::Plain(pick(dice, &VERBS));
            let licence = pick(dice, &issued);
            let declared = desk
                .office
                .act(&licence, &act, &none, None, NOW, &mut desk.rng)
                .unwrap();
            said.insert(declared.event, declared.id);
        }
        5 if !issued.is_empty() => {
            let replacement = Replacement {
                changes: Vec::new(),
                grounds: none,
                relation: Relation::Corrected,
            };
            let old = pick(dice, &issued);
            let outcome = desk
                .office
                .replace(&old, &replacement, NOW, &mut desk.rng)
                .unwrap();
            let Outcome::Pending(licence) = outcome else {
                panic!("{outcome:?}")
            };
            let event = desk.office.records.said(licence.outbox).unwrap().event;
            said.insert(event.id(), licence.outbox);
        }
        6 => desk = die(desk, dice),
        _ => {
            let trouble = (0..dice.random_range(0..3)).map(|_| pick(dice, &TROUBLES));
            desk.office.client.lock().trouble = trouble.collect();
            desk.office.deliver(NOW).unwrap();
        }
    }
    desk
}

/// The process dies at one of its steps.
fn die(mut desk: Desk, dice: &mut ChaCha20Rng) -> Desk {
    let limit = dice.random_range(1..4);
    let mut round = Round::new(0, limit);
    match dice.random_range(0..4) {
        // Between rows written and committed.
        0 => {
            let subject = Hash([7; 32]);
            let statement = Statement {
                action: Action::Plain(Verb::Hold, Note::default()),
                effective: NOW,
                subject,
            };
            let event = sign(ORIGIN, statement, None, &desk.administrators, None).unwrap();
            let transaction = desk.office.records.begin().unwrap();
            transaction.say(&event, &[], NOW).unwrap();
            drop(transaction);
        }
        // Before the submission.
        1 => drop(round.next(&mut desk.office, NOW).unwrap()),
        // After it, before the answers are written down: of the first batch, or a later one.
        2 => {
            let mut batches = dice.random_range(1..3);
            while let Some(batch) = round.next(&mut desk.office, NOW).unwrap() {
                let answers = desk.office.client.submit(batch.events(), batch.time(NOW));
                batches -= 1;
                if batches == 0 {
                    break;
                }
                round.settle(&mut desk.office, batch, answers, NOW).unwrap();
            }
        }
        _ => {}
    }
    desk.restart()
}

/// Everything acknowledged is settled; what is receipted is in the log once, at its index, byte by
/// byte; nothing else of the unit is there; each chain is in order; licences agree.
pub(super) fn check(desk: &Desk, said: &Said, seed: u64) {
    let records = &desk.office.records;
    let client = desk.office.client.lock();
    let mut rows = BTreeMap::new();
    for (event, id) in said {
        let entry = records.said(*id).unwrap();
        assert_eq!(entry.event.id(), *event, "seed {seed}");
        rows.insert(*event, entry);
    }
    let mut chains: BTreeMap<Hash, u64> = BTreeMap::new();
    let unit = Some(subject_key(ORIGIN, Kind::Issuer, UNIT));
    let mut logged = BTreeMap::new();
    for (event, index) in client.log.iter().zip(1..) {
        assert!(
            logged.insert(event.id(), index).is_none(),
            "seed {seed}: twice in the log"
        );
        let seq = chains.entry(event.subject).or_insert(0);
        assert_eq!(event.seq, *seq, "seed {seed}: out of order");
        *seq += 1;
        if let Action::Issued(issued) = &event.action
            && let Some(old) = &issued.predecessor
        {
            let seq = chains.get_mut(&old.subject).unwrap();
            assert_eq!(old.seq, *seq, "seed {seed}: out of order");
            *seq += 1;
        }
        if event.signer == unit {
            let row = rows.get(&event.id());
            let row = row.unwrap_or_else(|| panic!("seed {seed}: the records do not know it"));
            assert_eq!(row.event.bytes(), event.bytes());
        }
    }
    for (event, entry) in &rows {
        match &entry.standing {
            Standing::Pending => panic!("seed {seed}: still pending"),
            Standing::Receipted { index, .. } => {
                assert_eq!(logged.get(event), Some(&index.0), "seed {seed}");
            }
            Standing::Refused { code, .. } => {
                assert_eq!(logged.get(event), None, "seed {seed}: refused and logged");
                let codes = [
                    "already_succeeded",
                    "already_suspended",
                    "encumbered",
                    "not_suspended",
                    "predecessor_refused",
                    "suspended",
                    "terminal",
                ];
                assert!(codes.contains(&code.as_str()), "seed {seed}: {code}");
            }
        }
    }
    for licence in licences(records) {
        let standing = records.said(licence.outbox).unwrap().standing;
        let expected = match standing {
            Standing::Pending => LicenceState::Issuing,
            Standing::Receipted { .. } => LicenceState::Issued,
            Standing::Refused { .. } => LicenceState::Refused,
        };
        assert_eq!(licence.state, expected, "seed {seed}");
        assert_eq!(
            expected == LicenceState::Issued,
            chains.contains_key(&licence.subject),
            "seed {seed}"
        );
    }
}

#[test]
fn nothing_is_lost_doubled_or_out_of_order_whatever_fails() {
    let mut refused = 0;
    for seed in 0..SEEDS {
        let mut dice = ChaCha20Rng::seed_from_u64(seed);
        let mut desk = Desk::bare();
        desk.rng = ChaCha20Rng::seed_from_u64(seed ^ 0xf00d);
        let (mut said, mut count) = (Said::new(), 0);
        for _ in 0..STEPS {
            desk = step(desk, &mut dice, &mut said, &mut count);
        }
        desk.office.client.lock().trouble.clear();
        let sent = desk.office.deliver(NOW).unwrap();
        assert_eq!((sent.pending, sent.trouble), (0, None), "seed {seed}");
        check(&desk, &said, seed);
        refused += desk.office.records.licence_counts().unwrap()[2];
    }
    assert!(refused > 0, "no run refused a new version");
}

/// A stage of declaring and delivering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    AskEnd,
    WriteRow,
    ReadRows,
    Submit,
    Answer,
    WriteAnswer,
}

/// What happens there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Error,
    Kill,
}

/// What the records hold afterwards, before anything is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    Nothing,
    Pending,
}

/// Each stage fails or kills the process; what is left is as the table says, and trying again ends
/// with one event in the log, or with none where nothing was acknowledged.
#[test]
fn the_fault_table_of_declaring_and_delivering() {
    let table = [
        (Stage::AskEnd, Fault::Error, Left::Nothing, 0),
        (Stage::AskEnd, Fault::Kill, Left::Nothing, 0),
        (Stage::WriteRow, Fault::Error, Left::Nothing, 0),
        (Stage::WriteRow, Fault::Kill, Left::Nothing, 0),
        (Stage::ReadRows, Fault::Error, Left::Pending, 0),
        (Stage::ReadRows, Fault::Kill, Left::Pending, 0),
        (Stage::Submit, Fault::Error, Left::Pending, 0),
        (Stage::Submit, Fault::Kill, Left::Pending, 0),
        (Stage::Answer, Fault::Error, Left::Pending, 1),
        (Stage::Answer, Fault::Kill, Left::Pending, 1),
        (Stage::WriteAnswer, Fault::Error, Left::Pending, 1),
        (Stage::WriteAnswer, Fault::Kill, Left::Pending, 1),
    ];
    for (stage, fault, left, logged) in table {
        let place = format!("{stage:?}, {fault:?}");
        let mut desk = Desk::bare();
        let licence = desk.issue_one(food(1, &[])).licence.subject;
        let before = desk.office.client.lock().log.len();
        fail(&mut desk, licence, stage, fault, &place);
        if fault == Fault::Kill {
            desk = desk.restart();
        }
        let pending = desk.office.records.pending_count().unwrap();
        assert_eq!(pending, u64::from(left == Left::Pending), "{place}");
        let now = desk.office.client.lock().log.len();
        assert_eq!(now - before, logged, "{place}");
        desk.office.client.lock().trouble.clear();
        let sent = desk.office.deliver(NOW).unwrap();
        assert_eq!((sent.receipted, sent.pending), (pending, 0), "{place}");
        let now = desk.office.client.lock().log.len();
        let expected = usize::from(left == Left::Pending);
        assert_eq!(now - before, expected, "{place}");
        // And the licence goes on from there.
        let none = Grounds::default();
        let act = Act::Plain(Verb::MarkObjection);
        let declared = desk
            .office
            .act(&licence, &act, &none, None, NOW, &mut desk.rng)
            .unwrap();
        let done = desk.finish(declared);
        assert!(
            matches!(done.standing, Standing::Receipted { .. }),
            "{place}"
        );
    }
}

fn fail(desk: &mut Desk, licence: Hash, stage: Stage, fault: Fault, place: &str) {
    let none = Grounds::default();
    let hold = Act::Plain(Verb::Hold);
    if stage == Stage::AskEnd {
        if fault == Fault::Error {
            desk.office.client.lock().deaf = true;
            let declared = desk
                .office
                .act(&licence, &hold, &none, None, NOW, &mut desk.rng);
            let error = declared.unwrap_err();
            assert!(matches!(error, OfficeError::Client(_)), "{place}: {error}");
            desk.office.client.lock().deaf = false;
        }
        return;
    }
    if stage == Stage::WriteRow {
        // A full disk, or a death before the commit: either way the transaction is dropped.
        desk.office.records.refuse_writes(true);
        let declared = desk
            .office
            .act(&licence, &hold, &none, None, NOW, &mut desk.rng);
        let error = declared.unwrap_err();
        assert!(matches!(error, OfficeError::Records(_)), "{place}: {error}");
        desk.office.records.refuse_writes(false);
        return;
    }
    desk.office
        .act(&licence, &hold, &none, None, NOW, &mut desk.rng)
        .unwrap();
    let mut round = Round::new(0, 10);
    match (stage, fault) {
        (Stage::ReadRows, Fault::Kill) => drop(round.next(&mut desk.office, NOW).unwrap()),
        (Stage::ReadRows, Fault::Error) => {
            // The row cannot be read: nothing is sent, nothing is settled.
            desk.office.records.spoil_pending(true);
            let error = desk.office.deliver(NOW).unwrap_err();
            assert!(matches!(error, OfficeError::Records(_)), "{place}: {error}");
            desk.office.records.spoil_pending(false);
        }
        (Stage::Submit, _) => {
            let trouble = Trouble::BeforeTaking;
            desk.office.client.lock().trouble.push_back(trouble);
            let sent = desk.office.deliver(NOW).unwrap();
            assert!(sent.trouble.is_some(), "{place}");
        }
        (Stage::Answer, _) => {
            let trouble = Trouble::AfterTaking;
            desk.office.client.lock().trouble.push_back(trouble);
            let sent = desk.office.deliver(NOW).unwrap();
            assert!(sent.trouble.is_some(), "{place}");
        }
        (Stage::WriteAnswer, Fault::Kill) => {
            let batch = round.next(&mut desk.office, NOW).unwrap().unwrap();
            let answers = desk.office.client.submit(batch.events(), NOW).unwrap();
            drop(answers);
        }
        (Stage::WriteAnswer, Fault::Error) => {
            desk.office.records.refuse_writes(true);
            let error = desk.office.deliver(NOW).unwrap_err();
            assert!(matches!(error, OfficeError::Records(_)), "{place}: {error}");
            desk.office.records.refuse_writes(false);
        }
        (Stage::AskEnd | Stage::WriteRow, _) => unreachable!("before anything is declared"),
    }
}
