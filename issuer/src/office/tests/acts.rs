use std::collections::{BTreeMap, BTreeSet};

use zhao_spec::id::LicenceTypeCode;
use zhao_spec::life::data::{InspectionResult, Relation, TypeRef};
use zhao_spec::life::digest::{Words as Tag, type_commitment};
use zhao_spec::life::record::{State, Suspension};
use zhao_spec::life::verb::Verb;
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::sha256;

use super::*;

const DAY: u64 = 86_400_000;

fn act(desk: &mut Desk, licence: Hash, act: &Act) -> Declared {
    let grounds = Grounds::default();
    let declared = desk
        .office
        .act(&licence, act, &grounds, None, NOW, &mut desk.rng)
        .unwrap();
    assert_eq!(
        declared.standing,
        Standing::Pending,
        "declaring sends nothing"
    );
    desk.finish(declared)
}

fn refused(declared: &Declared) -> &str {
    match &declared.standing {
        Standing::Refused { code, .. } => code,
        other => panic!("not refused: {other:?}"),
    }
}

fn receipted(declared: &Declared) -> LeafIndex {
    match &declared.standing {
        Standing::Receipted { index, .. } => *index,
        other => panic!("not receipted: {other:?}"),
    }
}

#[test]
fn passes_on_what_the_life_cycle_refuses() {
    let mut desk = Desk::new();
    let licence = desk.issue_one(food(1, &[])).licence.subject;
    let plain = |verb| Act::Plain(verb);
    let lifted = act(&mut desk, licence, &plain(Verb::LiftHold));
    assert_eq!(refused(&lifted), "not_suspended");
    let released = act(&mut desk, licence, &Act::ReleasePledge(LeafIndex(3)));
    assert_eq!(refused(&released), "not_open");
    receipted(&act(&mut desk, licence, &plain(Verb::Revoke)));
    let again = act(&mut desk, licence, &plain(Verb::Withhold));
    assert_eq!(refused(&again), "terminal");
    let late = Some(UnixMillis(NOW.0 + DAY));
    let grounds = Grounds::default();
    let other = desk.issue_one(food(2, &[])).licence.subject;
    let future = desk
        .office
        .act(
            &other,
            &plain(Verb::Hold),
            &grounds,
            late,
            NOW,
            &mut desk.rng,
        )
        .unwrap();
    let future = desk.finish(future);
    assert_eq!(refused(&future), "effective_in_future");
}

#[test]
fn refuses_before_anything_is_signed() {
    let mut desk = Desk::new();
    let licence = desk.issue_one(food(1, &[])).licence.subject;
    let closed = desk.issue_one(birth(2)).licence.subject;
    let logged = desk.office.client.lock().log.len();
    let code = Grounds {
        code: Some("fire-safety".to_owned()),
        ..Grounds::default()
    };
    let hold = Act::Plain(Verb::Hold);
    let error = desk
        .office
        .act(&closed, &hold, &code, None, NOW, &mut desk.rng)
        .unwrap_err();
    assert!(matches!(error, OfficeError::CodeNotAllowed), "{error}");
    let bad = Grounds {
        code: Some("Fire safety".to_owned()),
        ..Grounds::default()
    };
    let error = desk
        .office
        .act(&licence, &hold, &bad, None, NOW, &mut desk.rng)
        .unwrap_err();
    assert!(matches!(error, OfficeError::Code { .. }), "{error}");
    let bad = Grounds {
        reason: Some("消防\u{202e}".to_owned()),
        ..Grounds::default()
    };
    let error = desk
        .office
        .act(&licence, &hold, &bad, None, NOW, &mut desk.rng)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "reason: invisible or direction-changing character U+202E"
    );
    for verb in [
        Verb::Issued,
        Verb::Transfer,
        Verb::ReleasePledge,
        Verb::RetireType,
    ] {
        let none = Grounds::default();
        let act = Act::Plain(verb);
        let error = desk
            .office
            .act(&licence, &act, &none, None, NOW, &mut desk.rng)
            .unwrap_err();
        assert!(matches!(error, OfficeError::NotPlain { .. }), "{error}");
    }
    let nobody = Hash([9; 32]);
    let none = Grounds::default();
    let error = desk
        .office
        .act(&nobody, &hold, &none, None, NOW, &mut desk.rng)
        .unwrap_err();
    assert!(matches!(error, OfficeError::NoLicence { .. }), "{error}");
    assert_eq!(desk.office.client.lock().log.len(), logged);
    assert_eq!(desk.office.records.pending_count().unwrap(), 0);
}

#[test]
fn refuses_verbs_that_the_catalogue_does_not_name() {
    let mut desk = Desk::new();
    let open = desk.issue_one(food(1, &[])).licence.subject;
    // A closed type: the log has only a commitment to it and could not refuse.
    let closed = desk.issue_one(birth(2)).licence.subject;
    let logged = desk.office.client.lock().log.len();
    let none = Grounds::default();
    let inspect = Act::Inspect {
        due: None,
        result: InspectionResult::Passed,
    };
    for (licence, act, word) in [
        (closed, Act::Plain(Verb::Withhold), "withhold"),
        (closed, Act::Plain(Verb::Mortgage), "mortgage"),
        (closed, inspect.clone(), "inspect"),
        (closed, Act::ReleasePledge(LeafIndex(3)), "release-pledge"),
        (open, Act::Plain(Verb::Mortgage), "mortgage"),
        (open, inspect, "inspect"),
    ] {
        let error = desk
            .office
            .act(&licence, &act, &none, None, NOW, &mut desk.rng)
            .unwrap_err();
        assert!(
            matches!(error, OfficeError::NotApplicable { verb, .. } if verb == word),
            "{word}: {error}"
        );
    }
    assert_eq!(desk.office.client.lock().log.len(), logged);
    assert_eq!(desk.office.records.pending_count().unwrap(), 0);
    // Reaffirmation is between unit and key, whatever the type: the log is asked, and refuses.
    let reaffirmed = act(&mut desk, closed, &Act::Plain(Verb::Reaffirm));
    assert_eq!(refused(&reaffirmed), "nothing_to_reaffirm");
}

#[test]
fn refuses_grounds_and_names_that_say_nothing() {
    let mut desk = Desk::new();
    let licence = desk.issue_one(food(1, &[])).licence.subject;
    let logged = desk.office.client.lock().log.len();
    let text = |text: &str| Some(text.to_owned());
    for (basis, reason, said) in [
        (None, text(""), "reason: the text is empty"),
        (None, text("\u{3000} "), "reason: the text is empty"),
        (text(""), text("消防检查"), "basis: the text is empty"),
        (
            None,
            text("消防检查 "),
            "reason: space at the beginning or end",
        ),
    ] {
        let grounds = Grounds {
            basis,
            code: None,
            reason,
        };
        let hold = Act::Plain(Verb::Hold);
        let error = desk
            .office
            .act(&licence, &hold, &grounds, None, NOW, &mut desk.rng)
            .unwrap_err();
        assert_eq!(error.to_string(), said);
        let replacement = Replacement {
            changes: Vec::new(),
            grounds,
            relation: Relation::Amended,
        };
        let error = desk
            .office
            .replace(&licence, &replacement, NOW, &mut desk.rng)
            .unwrap_err();
        assert_eq!(error.to_string(), said);
    }
    let unit = Uscc::with_checks("11320400", "DEM00777").unwrap();
    let long = "局".repeat(129);
    for (name, said) in [
        ("", "unit name: the text is empty"),
        (" ", "unit name: the text is empty"),
        (
            long.as_str(),
            "unit name: 129 characters exceed the limit of 128",
        ),
    ] {
        let grant = Grant {
            key_name: "unit-empty",
            types: &[],
            unit: &unit,
        };
        let error = desk
            .office
            .add_unit(name, grant, &desk.administrators, NOW, &mut desk.rng)
            .unwrap_err();
        assert_eq!(error.to_string(), said);
    }
    assert_eq!(desk.office.client.lock().log.len(), logged);
}

#[test]
fn keeps_the_words_behind_the_digests() {
    let mut desk = Desk::new();
    let licence = desk.issue_one(food(1, &[])).licence.subject;
    let grounds = Grounds {
        basis: Some("常消罚〔2026〕12号".to_owned()),
        code: Some("fire-safety".to_owned()),
        reason: Some("Cafe\u{301} 未通过消防检查".to_owned()),
    };
    let hold = Act::Plain(Verb::Withhold);
    let done = desk
        .office
        .act(&licence, &hold, &grounds, None, NOW, &mut desk.rng)
        .unwrap();
    let done = desk.finish(done);
    receipted(&done);
    let words = desk.office.records.words(&done.event).unwrap();
    assert_eq!(words.len(), 2);
    assert_eq!(words[1].text, "Café 未通过消防检查");
    let event = desk.office.client.lock().log.last().unwrap().clone();
    let note = event.action.note().unwrap();
    let digest = |tag, at: usize| salted_digest(tag, &words[at].salt, &words[at].text);
    assert_eq!(note.basis, Some(digest(Tag::Basis, 0)));
    assert_eq!(note.reason, Some(digest(Tag::Reason, 1)));
    let text = String::from_utf8(event.leaf_bytes()).unwrap();
    assert!(!text.contains("消防") && text.contains("fire-safety"));
}

/// Whoever has the log and a list of everything that may have been said tries the list in vain: a
/// salt answers for one record, and says nothing about the next.
#[test]
fn log_02_each_record_has_a_salt_of_its_own() {
    let mut desk = Desk::new();
    let reason = "未通过消防检查";
    let grounds = Grounds {
        basis: None,
        code: None,
        reason: Some(reason.to_owned()),
    };
    let (mut types, mut reasons) = (BTreeMap::new(), BTreeMap::new());
    for number in 1..=4 {
        let licence = desk.issue_one(birth(number)).licence;
        let event = desk.office.client.lock().log.last().unwrap().clone();
        let Action::Issued(issued) = &event.action else {
            panic!("{event:?}");
        };
        let TypeRef::Commitment(commitment) = issued.type_ref else {
            panic!("the type of a birth certificate stands in the log");
        };
        let read = zhao_spec::credential::Licence::parse(&licence.credential).unwrap();
        types.insert(read.status.type_salt.unwrap(), commitment);
        let hold = Act::Plain(Verb::Hold);
        let done = desk
            .office
            .act(&licence.subject, &hold, &grounds, None, NOW, &mut desk.rng)
            .unwrap();
        let done = desk.finish(done);
        receipted(&done);
        let event = desk.office.client.lock().log.last().unwrap().clone();
        let words = desk.office.records.words(&done.event).unwrap();
        reasons.insert(words[0].salt, event.action.note().unwrap().reason.unwrap());
    }
    // As many salts and digests as records, though all were said the same.
    let codes: Vec<String> = desk
        .office
        .catalogue
        .entries()
        .map(|entry| entry.type_code.to_string())
        .collect();
    type Say = fn(&[u8; 32], &str) -> Hash;
    let of_reason: Say = |salt, text| salted_digest(Tag::Reason, salt, text);
    let of_type: Say = type_commitment;
    for (salts, say) in [(&types, of_type), (&reasons, of_reason)] {
        let digests: BTreeSet<Hash> = salts.values().copied().collect();
        assert_eq!((salts.len(), digests.len()), (4, 4));
        let dictionary = || codes.iter().map(String::as_str).chain([reason]);
        for (salt, digest) in salts {
            let others = salts.keys().filter(|other| *other != salt);
            for guess in others.chain([&[0; 32]]) {
                assert!(dictionary().all(|text| say(guess, text) != *digest));
            }
            // With its own salt the list has it: the test tries what it should.
            assert_eq!(
                dictionary()
                    .filter(|text| say(salt, text) == *digest)
                    .count(),
                1
            );
        }
        // Nor is it the plain hash of what was said.
        for text in dictionary() {
            assert!(!digests.contains(&sha256(&[text.as_bytes()])));
        }
    }
}

#[test]
fn a_licence_lives_through_its_suspensions_and_flags() {
    let mut desk = Desk::new();
    let licence = desk.issue_one(food(1, &[])).licence.subject;
    for verb in [Verb::Withhold, Verb::Hold, Verb::ReportLost] {
        receipted(&act(&mut desk, licence, &Act::Plain(verb)));
    }
    let record = desk.office.licence_record(&licence).unwrap();
    let all = [
        Suspension::OnHold,
        Suspension::ReportedLost,
        Suspension::Withheld,
    ];
    assert_eq!(record.suspensions, all);
    for verb in [Verb::LiftWithholding, Verb::LiftHold, Verb::WithdrawLoss] {
        receipted(&act(&mut desk, licence, &Act::Plain(verb)));
    }
    let pledge = receipted(&act(&mut desk, licence, &Act::Plain(Verb::Pledge)));
    let cancelled = act(&mut desk, licence, &Act::Plain(Verb::Cancel));
    assert_eq!(refused(&cancelled), "encumbered");
    receipted(&act(&mut desk, licence, &Act::ReleasePledge(pledge)));
    receipted(&act(&mut desk, licence, &Act::Plain(Verb::Cancel)));
    assert_eq!(
        desk.office.licence_record(&licence).unwrap().state,
        State::Cancelled
    );
}

#[test]
fn inspections_move_the_next_one() {
    let mut desk = Desk::new();
    let permit = row(
        1,
        &[
            ("type", "composite-permit"),
            ("holderName", "常州示例食品有限公司"),
            ("holderCode", HOLDER),
            ("industry", "restaurant"),
            ("premises", "常州市示例路1号"),
            ("components", "食品经营许可"),
            ("componentCount", "1"),
        ],
    );
    let licence = desk.issue_one(permit).licence.subject;
    let failed = Act::Inspect {
        due: None,
        result: InspectionResult::Failed,
    };
    receipted(&act(&mut desk, licence, &failed));
    let passed = Act::Inspect {
        due: None,
        result: InspectionResult::Passed,
    };
    receipted(&act(&mut desk, licence, &passed));
    let inspection = desk
        .office
        .licence_record(&licence)
        .unwrap()
        .inspection
        .unwrap();
    assert_eq!(
        inspection.due.unwrap().to_string(),
        "2027-11-22T16:00:00.000Z"
    );
    assert_eq!(inspection.result, Some(InspectionResult::Passed));
}

fn change(relation: Relation, changes: &[(&str, &str)]) -> Replacement {
    let cell = |(name, text): &(&str, &str)| ((*name).to_owned(), Cell::Text((*text).to_owned()));
    let changes = changes.iter().map(cell).collect();
    Replacement {
        changes,
        grounds: Grounds::default(),
        relation,
    }
}

#[test]
fn a_new_version_supersedes_the_old_in_one_event() {
    let mut desk = Desk::new();
    let old = desk.issue_one(food(1, &[])).licence;
    let moved = change(Relation::Amended, &[("premises", "常州市示例路2号")]);
    let logged = desk.office.client.lock().log.len();
    let outcome = desk
        .office
        .replace(&old.subject, &moved, NOW, &mut desk.rng)
        .unwrap();
    let outcome = desk.finish(outcome);
    let Outcome::Issued(new) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(desk.office.client.lock().log.len(), logged + 1);
    assert_eq!(
        (&new.licence.serial, &new.licence.number),
        (&old.serial, &old.number)
    );
    assert!(
        new.licence.identifier.contains(".002."),
        "{}",
        new.licence.identifier
    );
    let record = desk.office.licence_record(&old.subject).unwrap();
    assert_eq!(record.state, State::Superseded);
    assert_eq!(record.successor, Some(new.licence.subject));
    // The old version is not the one to change any more.
    let again = desk
        .office
        .replace(&old.subject, &moved, NOW, &mut desk.rng)
        .unwrap();
    let again = desk.finish(again);
    let Outcome::Refused(error) = again else {
        panic!("{again:?}")
    };
    let IssueError::Ledger { code, .. } = &*error else {
        panic!("{error}")
    };
    assert_eq!(code, "terminal");
    // What the ledger refused occupies neither identifier nor number.
    let lost = change(Relation::Reissued, &[]);
    let outcome = desk
        .office
        .replace(&new.licence.subject, &lost, NOW, &mut desk.rng)
        .unwrap();
    let outcome = desk.finish(outcome);
    let Outcome::Issued(third) = outcome else {
        panic!("{outcome:?}")
    };
    assert!(
        third.licence.identifier.contains(".003."),
        "{}",
        third.licence.identifier
    );
}

#[test]
fn renewal_begins_today_and_lasts_by_the_rule() {
    let mut desk = Desk::new();
    let dates = [("issuedDate", "2021-12-01"), ("validFrom", "2021-12-01")];
    let old = desk.issue_one(food(1, &dates)).licence;
    let renewed = change(Relation::Renewed, &[]);
    let outcome = desk
        .office
        .replace(&old.subject, &renewed, NOW, &mut desk.rng)
        .unwrap();
    let outcome = desk.finish(outcome);
    let Outcome::Issued(new) = outcome else {
        panic!("{outcome:?}")
    };
    let credential = zhao_spec::credential::Licence::parse(&new.licence.credential).unwrap();
    assert_eq!(credential.subject.issued_date.to_string(), "2026-11-22");
    assert_eq!(
        credential.valid_until.unwrap().to_string(),
        "2031-11-21T16:00:00.000Z"
    );
}

#[test]
fn refuses_new_versions_that_break_the_type() {
    let mut desk = Desk::new();
    let old = desk.issue_one(food(1, &[])).licence.subject;
    for (changes, error) in [
        (
            [("businessForm", "street")],
            "row 1: businessForm: \"street\" is not one of retail, catering, canteen",
        ),
        ([("premises", "")], "row 1: premises: missing"),
        (
            [("unheardOf", "x")],
            "row 1: unheardOf: the type has no such field",
        ),
        ([("type", "birth-certificate")], "holders"),
    ] {
        let changed = change(Relation::Amended, &changes);
        let found = desk
            .office
            .replace(&old, &changed, NOW, &mut desk.rng)
            .unwrap_err();
        let text = found.to_string();
        assert!(text == error || error == "holders", "{text}");
        assert!(
            matches!(found, OfficeError::Issue(IssueError::Row(_))),
            "{found}"
        );
    }
    let unknown = change(Relation::Amended, &[]);
    let error = desk
        .office
        .replace(&Hash([1; 32]), &unknown, NOW, &mut desk.rng)
        .unwrap_err();
    assert!(matches!(error, OfficeError::NoLicence { .. }), "{error}");
}

#[test]
fn a_rotated_key_signs_from_then_on() {
    let mut desk = Desk::new();
    let before = desk.office.records.unit_keys(UNIT).unwrap();
    let later = UnixMillis(NOW.0 + 1);
    let done = desk
        .office
        .rotate_key(&unit(), "unit-2", true, later, &mut desk.rng)
        .unwrap();
    let done = desk.finish(done);
    receipted(&done);
    let issued = desk.issue_one(food(1, &[]));
    let record = desk.office.licence_record(&issued.licence.subject).unwrap();
    assert_ne!(record.issued_by, before[0].public.thumbprint());
    let mut desk = desk.restart();
    desk.issue_one(food(2, &[]));
}

#[test]
fn a_compromised_key_signs_no_more() {
    let mut desk = Desk::new();
    let key = desk.office.records.unit_keys(UNIT).unwrap()[0].public;
    let admin = desk.administrators.clone();
    let from = LeafIndex(3);
    let by = By::Administrators(&admin);
    let done = desk
        .office
        .compromise_key(&unit(), &key, from, by, NOW)
        .unwrap();
    receipted(&desk.finish(done));
    let error = desk
        .office
        .rotate_key(&unit(), "unit-2", true, NOW, &mut desk.rng)
        .unwrap_err();
    assert!(
        matches!(error, OfficeError::Unit(UnitError::NoKey { .. })),
        "{error}"
    );
    // The administrators announce a new key, and the log's delay passes.
    let types: Vec<LicenceTypeCode> = desk
        .office
        .catalogue
        .entries()
        .map(|entry| entry.type_code.clone())
        .collect();
    let unit = unit();
    let grant = Grant {
        key_name: "unit-3",
        types: &types,
        unit: &unit,
    };
    let done = desk
        .office
        .propose_key(grant, &admin, NOW, &mut desk.rng)
        .unwrap();
    receipted(&desk.finish(done));
    let new = desk.office.records.unit_keys(UNIT).unwrap();
    let new = new.iter().find(|key| key.name == "unit-3").unwrap().public;
    let early = desk.office.confirm_key(&unit, &new, &admin, NOW).unwrap();
    let early = desk.finish(early);
    assert_eq!(refused(&early), "delay_not_over");
    let later = UnixMillis(NOW.0 + 1000);
    let done = desk.office.confirm_key(&unit, &new, &admin, later).unwrap();
    receipted(&desk.finish(done));
    desk.issue_one(food(1, &[]));
}

#[test]
fn a_transferred_licence_is_changed_by_its_new_unit() {
    let mut desk = Desk::new();
    let other = Uscc::parse("11310115DEM000153P").unwrap();
    let types: Vec<LicenceTypeCode> = desk
        .office
        .catalogue
        .entries()
        .map(|entry| entry.type_code.clone())
        .collect();
    let grant = Grant {
        key_name: "other",
        types: &types,
        unit: &other,
    };
    let admin = desk.administrators.clone();
    let name = "上海市示例区市场监督管理局";
    desk.office
        .add_unit(name, grant, &admin, NOW, &mut desk.rng)
        .unwrap();
    desk.office.deliver(NOW).unwrap();
    let licence = desk.issue_one(food(1, &[])).licence.subject;
    receipted(&act(&mut desk, licence, &Act::Transfer(other.clone())));
    receipted(&act(&mut desk, licence, &Act::Plain(Verb::Hold)));
    let event = desk.office.client.lock().log.last().unwrap().clone();
    assert_eq!(
        event.signer,
        Some(subject_key(ORIGIN, Kind::Issuer, other.as_str()))
    );
    receipted(&act(&mut desk, licence, &Act::Plain(Verb::LiftHold)));
    let amended = change(Relation::Amended, &[("premises", "上海市示例路2号")]);
    let outcome = desk
        .office
        .replace(&licence, &amended, NOW, &mut desk.rng)
        .unwrap();
    let outcome = desk.finish(outcome);
    let Outcome::Issued(new) = outcome else {
        panic!("{outcome:?}")
    };
    assert!(
        new.licence
            .identifier
            .contains("11310115DEM000153P.20260000001.002.")
    );
    let nobody = Uscc::parse("11420600DEM0001107").unwrap();
    let stray = act(&mut desk, new.licence.subject, &Act::Transfer(nobody));
    assert_eq!(refused(&stray), "controller_unknown");
}

#[test]
fn refuses_administrators_that_cannot_be() {
    let key = |n: u8| SecretKey::from_seed([n; 32]).public();
    for (keys, threshold, expected) in [
        (vec![], 1, "1 to 16 keys"),
        ((0..17).map(key).collect(), 1, "1 to 16 keys"),
        (vec![key(1), key(1)], 1, "keys that differ"),
        (vec![key(1)], 0, "a threshold of 1 to the number of keys"),
        (vec![key(1)], 2, "a threshold of 1 to the number of keys"),
    ] {
        let error = genesis(ORIGIN, keys, threshold, 0, NOW).unwrap_err();
        let OfficeError::Administrators {
            expected: actual, ..
        } = error
        else {
            panic!("{error}")
        };
        assert_eq!(actual, expected);
    }
    let error = genesis(ORIGIN, vec![key(1)], 1, 91 * DAY, NOW).unwrap_err();
    assert!(
        matches!(error, OfficeError::Administrators { .. }),
        "{error}"
    );
    let mut desk = Desk::new();
    let one = &desk.administrators[..1];
    let done = desk.office.suspend_unit(&unit(), true, one, NOW).unwrap();
    let done = desk.finish(done);
    assert_eq!(refused(&done), "threshold_not_met");
    let present = desk.administrators.clone();
    let done = desk
        .office
        .change_administrators(vec![key(9)], 1, &present, NOW)
        .unwrap();
    let done = desk.finish(done);
    receipted(&done);
    let done = desk
        .office
        .suspend_unit(&unit(), true, &present, NOW)
        .unwrap();
    let done = desk.finish(done);
    assert!(
        matches!(done.standing, Standing::Refused { .. }),
        "{done:?}"
    );
}
