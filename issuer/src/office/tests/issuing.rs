use std::io::Cursor;

use zhao_spec::credential::Licence as Credential;
use zhao_spec::life::data::{Action, TypeRef};
use zhao_spec::life::record::State;

use super::*;
use crate::intake::{self, Problem};
use crate::records::LicenceState;
use crate::sample::{Enterprise, Sample};

fn refusal(outcome: &Outcome) -> &IssueError {
    match outcome {
        Outcome::Refused(error) => error,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn bad_rows_leave_the_others_unharmed() {
    let mut desk = Desk::new();
    let outcomes = desk.issue(vec![
        food(1, &[]),
        food(2, &[("holderCode", "91320402DEM0010173")]),
        food(3, &[("premises", "")]),
        food(4, &[("validUntil", "2030-01-01")]),
        food(5, &[]),
    ]);
    assert!(matches!(outcomes[0].1, Outcome::Issued(_)));
    assert!(matches!(outcomes[4].1, Outcome::Issued(_)));
    let texts: Vec<_> = outcomes[1..4]
        .iter()
        .map(|(_, o)| refusal(o).to_string())
        .collect();
    assert_eq!(
        texts,
        [
            "row 2: holderCode: check character of unified social credit code is 3, computed 2",
            "row 3: premises: missing",
            "row 4: validUntil: the last day is 2030-01-01, expected 2031-11-21",
        ]
    );
}

#[test]
fn refuses_types_that_are_not_in_force() {
    let mut desk = Desk::empty();
    let unit = unit();
    let grant = Grant {
        key_name: "u",
        types: &[],
        unit: &unit,
    };
    desk.office
        .add_unit("示例局", grant, &desk.administrators, NOW, &mut desk.rng)
        .unwrap();
    desk.office.deliver(NOW).unwrap();
    let error = desk.issue(vec![food(1, &[])]).remove(0).1;
    assert!(
        matches!(refusal(&error), IssueError::TypeNotPublished { .. }),
        "{error:?}"
    );
    desk.office
        .publish_type("food-operation", &desk.administrators, NOW)
        .unwrap();
    desk.office.deliver(NOW).unwrap();
    let error = desk.issue(vec![food(1, &[])]).remove(0).1;
    assert!(
        matches!(refusal(&error), IssueError::TypeNotGranted { .. }),
        "{error:?}"
    );
    desk.office
        .retire_type("food-operation", &desk.administrators, NOW)
        .unwrap();
    desk.office.deliver(NOW).unwrap();
    let error = desk.issue(vec![food(1, &[])]).remove(0).1;
    assert!(
        matches!(refusal(&error), IssueError::TypeNotPublished { .. }),
        "{error:?}"
    );
}

#[test]
fn refuses_an_entry_that_is_not_the_one_published() {
    let mut desk = Desk::new();
    let dir = tempfile::tempdir().unwrap();
    Catalogue::write_embedded(dir.path()).unwrap();
    let path = dir.path().join("food-operation.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("\"version\": 1", "\"version\": 2")).unwrap();
    desk.office.catalogue = Catalogue::load(dir.path()).unwrap();
    let error = desk.issue(vec![food(1, &[])]).remove(0).1;
    let IssueError::CatalogueVersion {
        here: 2,
        published: 1,
        ..
    } = refusal(&error)
    else {
        panic!("{error:?}");
    };
    desk.office
        .publish_type("food-operation", &desk.administrators, NOW)
        .unwrap();
    desk.office.deliver(NOW).unwrap();
    let issued = desk.issue_one(food(1, &[]));
    let credential = Credential::parse(&issued.licence.credential).unwrap();
    assert_eq!(credential.subject.catalogue_version, 2);
}

#[test]
fn refuses_units_that_cannot_sign() {
    let mut desk = Desk::new();
    let other = food(1, &[("issuer", "11310115DEM000153P")]);
    let error = desk.issue(vec![other]).remove(0).1;
    let unknown = |error: &IssueError| matches!(error, IssueError::Unit(UnitError::Unknown { .. }));
    assert!(unknown(refusal(&error)), "{error:?}");
    desk.office
        .suspend_unit(&unit(), true, &desk.administrators, NOW)
        .unwrap();
    desk.office.deliver(NOW).unwrap();
    let error = desk.issue(vec![food(1, &[])]).remove(0).1;
    let suspended = matches!(
        refusal(&error),
        IssueError::Unit(UnitError::Suspended { .. })
    );
    assert!(suspended, "{error:?}");
    desk.office
        .suspend_unit(&unit(), false, &desk.administrators, NOW)
        .unwrap();
    desk.office.deliver(NOW).unwrap();
    let key = desk.office.records.unit_keys(UNIT).unwrap()[0].public;
    desk.office
        .retire_key(&unit(), &key, By::Administrators(&desk.administrators), NOW)
        .unwrap();
    desk.office.deliver(NOW).unwrap();
    let error = desk.issue(vec![food(1, &[])]).remove(0).1;
    let no_key = matches!(refusal(&error), IssueError::Unit(UnitError::NoKey { .. }));
    assert!(no_key, "{error:?}");
}

#[test]
fn refuses_a_number_that_is_taken() {
    let mut desk = Desk::new();
    let numbered = |row| food(row, &[("licenceNumber", "JY32040000000001")]);
    let outcomes = desk.issue(vec![numbered(1), numbered(2), food(3, &[])]);
    assert!(matches!(outcomes[0].1, Outcome::Issued(_)));
    let IssueError::NumberTaken { number, .. } = refusal(&outcomes[1].1) else {
        panic!()
    };
    assert_eq!(number, "JY32040000000001");
    // The counter begins at the number just given by hand, and counts past it.
    let Outcome::Issued(third) = &outcomes[2].1 else {
        panic!("{:?}", outcomes[2])
    };
    assert_eq!(third.licence.number, "JY32040000000002");
    let error = desk
        .issue(vec![food(1, &[("licenceNumber", "JY1")])])
        .remove(0)
        .1;
    assert_eq!(
        refusal(&error).to_string(),
        "row 1: licenceNumber: \"JY1\" is not of the form JY{region}{serial:8}"
    );
}

#[test]
fn refuses_individual_businesses_where_the_entry_does() {
    let mut desk = Desk::new();
    let approval = row(
        1,
        &[
            ("type", "approval-document"),
            ("holderName", "阳城县示例药店"),
            ("holderCode", "92140522DEM00105X6"),
            ("matterName", "项目备案"),
            ("projectName", "示例项目"),
            ("content", "同意"),
        ],
    );
    let error = desk.issue(vec![approval]).remove(0).1;
    let IssueError::Row(error) = refusal(&error) else {
        panic!("{error:?}")
    };
    assert_eq!(error.faults[0].problem, Problem::IndividualBusiness);
}

#[test]
fn a_reference_issues_once() {
    let mut desk = Desk::new();
    let referenced = |row| food(row, &[("reference", "2026-常食-0001")]);
    let first = desk.issue(vec![referenced(1), referenced(2)]);
    let Outcome::Issued(issued) = &first[0].1 else {
        panic!("{first:?}")
    };
    let again = desk.issue(vec![referenced(1)]);
    for (_, outcome) in first[1..].iter().chain(&again) {
        let Outcome::Repeated(licence) = outcome else {
            panic!("{outcome:?}")
        };
        assert_eq!(licence.credential_id, issued.licence.credential_id);
    }
    assert_eq!(desk.office.records.licence_counts().unwrap(), [0, 1, 0]);
}

#[test]
fn an_open_licence_names_its_type_and_holder_index() {
    let mut desk = Desk::new();
    let issued = desk.issue_one(food(1, &[]));
    assert_eq!(issued.licence.state, LicenceState::Issued);
    assert_eq!(
        issued.licence.identifier.split('.').collect::<Vec<_>>()[5..9],
        ["11100000DEM0090006001", UNIT, "20260000001", "001"]
    );
    let credential = Credential::parse(&issued.licence.credential).unwrap();
    credential.check_proof().unwrap();
    assert_eq!(
        credential.valid_from.to_string(),
        "2026-11-21T16:00:00.000Z"
    );
    assert_eq!(
        credential.valid_until.unwrap().to_string(),
        "2031-11-21T16:00:00.000Z"
    );
    assert_eq!(credential.subject.licence_name, "食品经营许可证");
    assert_eq!(credential.status.type_salt, None);
    let record = desk.office.licence_record(&issued.licence.subject).unwrap();
    assert_eq!(record.vc, credential.digest());
    assert_eq!(record.state, State::Active);
    assert_eq!(
        record.enterprise,
        Some(subject_key(ORIGIN, Kind::Enterprise, HOLDER))
    );
    assert_eq!(
        issued.receipt,
        format!("receipt {}", issued.index.0).into_bytes()
    );
}

#[test]
fn a_closed_licence_leaves_no_trace_of_type_or_person() {
    let mut desk = Desk::new();
    let issued = desk.issue_one(birth(1));
    let credential = Credential::parse(&issued.licence.credential).unwrap();
    let event = desk.office.client.lock().log.last().unwrap().clone();
    let Action::Issued(data) = &event.action else {
        panic!()
    };
    let salt = credential.status.type_salt.unwrap();
    let code = credential.subject.licence_type_code.as_str();
    let commitment = digest::type_commitment(&salt, code);
    assert_eq!(data.type_ref, TypeRef::Commitment(commitment));
    assert_eq!(data.enterprise, None);
    let text = String::from_utf8(event.leaf_bytes()).unwrap();
    for secret in [code, "320402190001010016", "李示例", credential.id.as_str()] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[test]
fn inspections_are_due_by_the_types_cycle() {
    let mut desk = Desk::new();
    let transport = |changes: &[(&str, &str)]| {
        let mut cells = vec![
            ("type", "road-transport-operation"),
            ("holderName", "襄阳示例物流有限公司"),
            ("holderCode", "91420600DEM001041N"),
            ("representative", "张示例"),
            ("address", "襄阳市示例路1号"),
            ("transportScope", "general-freight"),
            ("vehicleCount", "12"),
        ];
        cells.extend_from_slice(changes);
        row(1, &cells)
    };
    let issued = desk.issue_one(transport(&[]));
    let record = desk.office.licence_record(&issued.licence.subject).unwrap();
    let due = record.inspection.unwrap().due.unwrap();
    assert_eq!(due.to_string(), "2027-11-22T16:00:00.000Z");
    let old = [("issuedDate", "2024-03-01"), ("validFrom", "2024-03-01")];
    let error = desk.issue(vec![transport(&old)]).remove(0).1;
    assert_eq!(
        refusal(&error).to_string(),
        "row 1: inspectionDue: needed: by the type's rule the first inspection was due on \
         2025-03-01"
    );
    let said = [old[0], old[1], ("inspectionDue", "2027-03-01")];
    desk.issue_one(transport(&said));
}

#[test]
fn issues_a_batch_larger_than_a_chunk() {
    let mut desk = Desk::new();
    let outcomes = desk.issue((1..=1203).map(|n| food(n, &[])).collect());
    assert!(
        outcomes
            .iter()
            .all(|(_, outcome)| matches!(outcome, Outcome::Issued(_)))
    );
    assert_eq!(desk.office.records.licence_counts().unwrap(), [0, 1203, 0]);
    let submissions = desk
        .office
        .client
        .lock()
        .seen
        .values()
        .all(|times| *times == 1);
    assert!(submissions, "nothing was handed in twice");
}

#[test]
fn sample_batches_of_every_type_are_issued() {
    let mut desk = Desk::new();
    let catalogue = desk.office.catalogue.clone();
    let today = NOW.beijing_date();
    let sample = Sample {
        enterprises: 10,
        seed: 5,
        today,
        unit: unit(),
    };
    for entry in catalogue.entries() {
        let csv = sample.csv(entry, 10);
        let mut rows = intake::open(Cursor::new(csv), &catalogue, None).unwrap();
        let defaults = Defaults {
            licence_type: None,
            today,
            unit: None,
        };
        let mut report = |row, outcome, _: &Tally| {
            let Outcome::Issued(issued) = outcome else {
                panic!("{} row {row}: {outcome:?}", entry.slug);
            };
            let credential = Credential::parse(&issued.licence.credential).unwrap();
            credential.check_proof().unwrap();
            assert_eq!(credential.subject.licence_type_code, entry.type_code);
        };
        let office = &mut desk.office;
        let tally = office
            .issue(&mut rows, &defaults, NOW, &mut desk.rng, &mut report)
            .unwrap();
        assert_eq!(
            tally,
            Tally {
                issued: 10,
                ..Tally::default()
            }
        );
    }
    // Each holder's public index counts exactly its open licences.
    let mut counted = 0;
    for at in 0..11 {
        let code = Enterprise::new(5, at).code;
        let key = subject_key(ORIGIN, Kind::Enterprise, code.as_str());
        if let Some(Record::Enterprise(record)) = desk.office.client.record(&key).unwrap() {
            counted += record.count;
        }
    }
    assert_eq!(counted, 50, "five of the eight types are open");
}
