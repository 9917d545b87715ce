//! What a crash or a lost answer leaves, and that nothing is lost or done twice.

use zhao_spec::life::data::Relation;
use zhao_spec::life::verb::Verb;

use super::ledger::Trouble;
use super::*;
use crate::records::LicenceState;

fn pending(desk: &Desk) -> u64 {
    desk.office.records.pending_count().unwrap()
}

#[test]
fn trouble_leaves_rows_pending_and_the_next_start_settles_them() {
    for trouble in [
        Trouble::BeforeTaking,
        Trouble::AfterTaking,
        Trouble::BelowQuorum,
        Trouble::ShortAnswer,
    ] {
        let mut desk = Desk::new();
        let logged = desk.office.client.lock().log.len();
        desk.office.client.lock().trouble.push_back(trouble);
        let outcomes = desk.issue((1..=3).map(|n| food(n, &[])).collect());
        for (_, outcome) in &outcomes {
            let Outcome::Pending(licence) = outcome else {
                panic!("{trouble:?}: {outcome:?}")
            };
            assert_eq!(licence.state, LicenceState::Issuing);
            assert_eq!(desk.office.issued(&licence.subject).unwrap(), None);
        }
        let mut desk = desk.restart();
        assert_eq!(pending(&desk), 3, "{trouble:?}");
        let sent = desk.office.deliver(NOW).unwrap();
        assert_eq!(
            (sent.receipted, sent.pending, sent.trouble),
            (3, 0, None),
            "{trouble:?}"
        );
        assert_eq!(
            desk.office.client.lock().log.len(),
            logged + 3,
            "{trouble:?}"
        );
        assert_eq!(desk.office.records.licence_counts().unwrap(), [0, 3, 0]);
        for licence in &sent.licences {
            assert!(desk.office.issued(licence).unwrap().is_some());
        }
        assert_eq!(sent.licences.len(), 3);
        // Sending once more finds nothing to send.
        assert_eq!(desk.office.deliver(NOW).unwrap(), Sent::default());
    }
}

#[test]
fn events_that_arrive_twice_are_in_the_log_once() {
    let mut desk = Desk::new();
    let licence = desk.issue_one(food(1, &[])).licence.subject;
    let logged = desk.office.client.lock().log.len();
    let trouble = [Trouble::Twice, Trouble::Twice];
    desk.office.client.lock().trouble.extend(trouble);
    let none = Grounds::default();
    for verb in [Verb::Hold, Verb::ReportLost] {
        let act = Act::Plain(verb);
        let declared = desk
            .office
            .act(&licence, &act, &none, None, NOW, &mut desk.rng)
            .unwrap();
        let done = desk.finish(declared);
        assert!(
            matches!(done.standing, Standing::Receipted { .. }),
            "{done:?}"
        );
    }
    assert_eq!(desk.office.client.lock().log.len(), logged + 2);
}

#[test]
fn a_refused_event_stays_refused_and_frees_what_it_occupied() {
    let mut desk = Desk::new();
    desk.office
        .client
        .lock()
        .trouble
        .push_back(Trouble::BeforeTaking);
    let numbered = [("licenceNumber", "JY32040000000007"), ("reference", "r-1")];
    desk.issue(vec![food(1, &numbered)]);
    // Before it is sent again, the unit's key ends.
    let key = desk.office.records.unit_keys(UNIT).unwrap()[0].public;
    let subject = subject_key(ORIGIN, Kind::Issuer, UNIT);
    let end = desk.office.chain_end(&subject).unwrap().1;
    let action = Action::RetireKey(key);
    let statement = Statement {
        action,
        effective: NOW,
        subject,
    };
    let event = sign(ORIGIN, statement, None, &desk.administrators, end).unwrap();
    desk.office.client.submit(vec![event], NOW).unwrap();
    let mut desk = desk.restart();
    let sent = desk.office.deliver(NOW).unwrap();
    assert_eq!((sent.refused, sent.pending), (1, 0));
    assert_eq!(desk.office.records.licence_counts().unwrap(), [0, 0, 1]);
    assert_eq!(desk.office.deliver(NOW).unwrap(), Sent::default());
    // A new key, and the same row is issued under the same number and case.
    let types: Vec<_> = desk
        .office
        .catalogue
        .entries()
        .map(|e| e.type_code.clone())
        .collect();
    let unit = unit();
    let grant = Grant {
        key_name: "unit-2",
        types: &types,
        unit: &unit,
    };
    desk.office
        .propose_key(grant, &desk.administrators, NOW, &mut desk.rng)
        .unwrap();
    desk.office.deliver(NOW).unwrap();
    let new = desk.office.records.unit_keys(UNIT).unwrap();
    let new = new.iter().find(|key| key.name == "unit-2").unwrap().public;
    let later = UnixMillis(NOW.0 + 1000);
    desk.office
        .confirm_key(&unit, &new, &desk.administrators, later)
        .unwrap();
    desk.office.deliver(NOW).unwrap();
    let issued = desk.issue_one(food(1, &numbered));
    assert_eq!(issued.licence.number, "JY32040000000007");
}

#[test]
fn acts_chain_onto_what_is_still_pending() {
    for trouble in [
        Trouble::BeforeTaking,
        Trouble::AfterTaking,
        Trouble::BelowQuorum,
    ] {
        let mut desk = Desk::new();
        let licence = desk.issue_one(food(1, &[])).licence.subject;
        let none = Grounds::default();
        for (verb, trouble) in [
            (Verb::Withhold, trouble),
            (Verb::Hold, trouble),
            (Verb::Pledge, Trouble::Nothing),
        ] {
            desk.office.client.lock().trouble.push_back(trouble);
            let act = Act::Plain(verb);
            let declared = desk
                .office
                .act(&licence, &act, &none, None, NOW, &mut desk.rng)
                .unwrap();
            let declared = desk.finish(declared);
            match verb {
                // Refused because the licence is suspended by then, and not for its place in the
                // chain: the two before it were sent first.
                Verb::Pledge => {
                    let Standing::Refused { code, .. } = declared.standing else {
                        panic!()
                    };
                    assert_eq!(code, "suspended", "{trouble:?}");
                }
                _ => assert_eq!(declared.standing, Standing::Pending, "{trouble:?}"),
            }
        }
        assert_eq!(pending(&desk), 0);
        let record = desk.office.licence_record(&licence).unwrap();
        assert_eq!(
            (record.seq, record.suspensions.len()),
            (2, 2),
            "{trouble:?}"
        );
    }
}

#[test]
fn a_pending_act_that_was_overtaken_stops_nothing() {
    // Both orders of the two leaf hashes occur among the seeds.
    for seed in 0..4 {
        let mut desk = Desk::new();
        desk.rng = ChaCha20Rng::seed_from_u64(seed);
        let licence = desk.issue_one(food(1, &[])).licence.subject;
        desk.office
            .client
            .lock()
            .trouble
            .push_back(Trouble::BeforeTaking);
        let none = Grounds::default();
        let hold = Act::Plain(Verb::Hold);
        desk.office
            .act(&licence, &hold, &none, None, NOW, &mut desk.rng)
            .unwrap();
        desk.office.deliver(NOW).unwrap();
        // Another desk of the same unit, with the same key, is first.
        let secret = desk.office.keys.secret("unit-1", Purpose::Unit).unwrap();
        let record = desk.office.licence_record(&licence).unwrap();
        let action = Action::Plain(Verb::ReportLost, Note::default());
        let statement = Statement {
            action,
            effective: NOW,
            subject: licence,
        };
        let signer = Some(subject_key(ORIGIN, Kind::Issuer, UNIT));
        let event = sign(
            ORIGIN,
            statement,
            signer,
            &[secret],
            Some((record.seq, record.latest)),
        )
        .unwrap();
        desk.office.client.submit(vec![event], NOW).unwrap();
        let withhold = Act::Plain(Verb::Withhold);
        let done = desk
            .office
            .act(&licence, &withhold, &none, None, NOW, &mut desk.rng)
            .unwrap();
        let done = desk.finish(done);
        assert!(
            matches!(done.standing, Standing::Receipted { .. }),
            "{done:?}"
        );
        assert_eq!(pending(&desk), 0);
        assert_eq!(desk.office.licence_record(&licence).unwrap().seq, 2);
    }
}

#[test]
fn a_new_version_chains_onto_a_pending_act_of_the_old() {
    let mut desk = Desk::new();
    let licence = desk.issue_one(food(1, &[])).licence.subject;
    let none = Grounds::default();
    desk.office
        .client
        .lock()
        .trouble
        .push_back(Trouble::BeforeTaking);
    let mark = Act::Plain(Verb::MarkObjection);
    desk.office
        .act(&licence, &mark, &none, None, NOW, &mut desk.rng)
        .unwrap();
    desk.office.deliver(NOW).unwrap();
    desk.office
        .client
        .lock()
        .trouble
        .push_back(Trouble::AfterTaking);
    let replacement = Replacement {
        changes: vec![(
            "premises".to_owned(),
            Cell::Text("常州市示例路3号".to_owned()),
        )],
        grounds: none.clone(),
        relation: Relation::Corrected,
    };
    let outcome = desk
        .office
        .replace(&licence, &replacement, NOW, &mut desk.rng)
        .unwrap();
    let outcome = desk.finish(outcome);
    assert!(matches!(outcome, Outcome::Pending(_)), "{outcome:?}");
    let mut desk = desk.restart();
    assert_eq!(desk.office.deliver(NOW).unwrap().receipted, 2);
    let record = desk.office.licence_record(&licence).unwrap();
    assert_eq!(record.seq, 2);
    assert!(record.successor.is_some());
    let error = desk
        .office
        .replace(&licence, &replacement, NOW, &mut desk.rng)
        .unwrap();
    let error = desk.finish(error);
    assert!(matches!(error, Outcome::Refused(_)), "{error:?}");
}

#[test]
fn an_unreachable_ledger_stops_nothing_but_the_answers() {
    let mut desk = Desk::new();
    desk.office
        .client
        .lock()
        .trouble
        .push_back(Trouble::BeforeTaking);
    let outcomes = desk.issue((1..=1100).map(|n| food(n, &[])).collect());
    assert!(
        outcomes
            .iter()
            .all(|(_, outcome)| matches!(outcome, Outcome::Pending(_)))
    );
    // One attempt, not one a chunk.
    assert!(desk.office.client.lock().trouble.is_empty());
    assert_eq!(pending(&desk), 1100);
    let sent = desk.office.deliver(NOW).unwrap();
    assert_eq!((sent.receipted, sent.pending), (1100, 0));
}

#[test]
fn trouble_in_the_middle_of_a_backlog_keeps_what_was_answered() {
    let mut desk = Desk::new();
    desk.office
        .client
        .lock()
        .trouble
        .push_back(Trouble::BeforeTaking);
    desk.issue((1..=1100).map(|n| food(n, &[])).collect());
    desk.office
        .client
        .lock()
        .trouble
        .extend([Trouble::Nothing, Trouble::AfterTaking]);
    let sent = desk.office.deliver(NOW).unwrap();
    assert_eq!((sent.receipted, sent.pending), (1000, 100));
    assert!(matches!(sent.trouble, Some(ClientError::Unreachable(_))));
    let mut desk = desk.restart();
    assert_eq!(desk.office.deliver(NOW).unwrap().receipted, 100);
    let twice = desk
        .office
        .client
        .lock()
        .seen
        .values()
        .filter(|times| **times == 2)
        .count();
    assert_eq!(
        twice, 100,
        "only those whose answer was lost were handed in twice"
    );
}

#[test]
fn a_deaf_ledger_is_an_error_before_anything_is_written() {
    let mut desk = Desk::new();
    let licence = desk.issue_one(food(1, &[])).licence.subject;
    desk.office.client.lock().deaf = true;
    let none = Grounds::default();
    let hold = Act::Plain(Verb::Hold);
    let error = desk
        .office
        .act(&licence, &hold, &none, None, NOW, &mut desk.rng)
        .unwrap_err();
    assert!(
        matches!(error, OfficeError::Client(ClientError::Unreachable(_))),
        "{error}"
    );
    assert_eq!(pending(&desk), 0);
}

#[test]
fn refuses_records_of_another_log() {
    let desk = Desk::empty();
    let Office {
        catalogue,
        client,
        keys,
        ..
    } = desk.office;
    let dir = tempfile::tempdir().unwrap();
    let records =
        Records::create(&dir.path().join("r"), "zhao.example/other", b"", &secrets()).unwrap();
    let error = Office::open(records, keys, catalogue, client).unwrap_err();
    assert!(matches!(error, OfficeError::Origin { .. }), "{error}");
}
