//! Versions of a type, one after another, through the log.

use std::path::Path;

use super::*;
use crate::catalogue::{Entry, PICTURES, Profile, Register, RegisterRule, Without};
use crate::intake::{LocalRegisters, Problem};
use crate::office::{Edition, PublishError};

const FOOD: &str = include_str!("../../../catalogue/food-operation.json");

fn entry(text: &str) -> Entry {
    Entry::parse(Path::new("food-operation.json"), text.as_bytes()).unwrap()
}

fn next(text: &str) -> String {
    text.replace("\"version\": 1", "\"version\": 2")
}

impl Desk {
    fn publish(&mut self, entry: &Entry, before: Option<&Entry>) -> Result<Declared, OfficeError> {
        let edition = Edition {
            before,
            dir: None,
            entry,
            profile: None,
        };
        self.office
            .publish_entry(edition, &self.administrators, NOW)
    }
}

fn codes(result: Result<Declared, OfficeError>) -> Vec<&'static str> {
    match result {
        Err(OfficeError::Publish(PublishError::Refused(faults))) => {
            faults.0.iter().map(crate::catalogue::Fault::code).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_version_comes_into_force_after_the_one_before_and_after_no_other() {
    let mut desk = Desk::new();
    let first = entry(FOOD);
    let second = entry(&next(FOOD));
    let repeated = desk.publish(&first, Some(&first)).unwrap_err();
    let in_force = OfficeError::Publish(PublishError::InForce { version: 1 });
    assert_eq!(repeated.to_string(), in_force.to_string());
    // Not compared with anything, or with something else than what is in force.
    let other = entry(
        &FOOD
            .replace("示例局", "另局")
            .replace("食品经营许可证", "食品证"),
    );
    for before in [None, Some(&second), Some(&other)] {
        let error = desk.publish(&second, before).unwrap_err();
        let unseen = matches!(
            error,
            OfficeError::Publish(PublishError::Unseen { version: 1 })
        );
        assert!(unseen, "{error}");
    }
    assert_eq!(codes(desk.publish(&other, Some(&first))), ["version-next"]);
    let gone = next(FOOD)
        .replace("\"name\": \"premises\"", "\"name\": \"place\"")
        .replace("\"member\": \"premises\"", "\"member\": \"place\"");
    assert_eq!(
        codes(desk.publish(&entry(&gone), Some(&first))),
        ["field-required"]
    );
    let silent = next(FOOD).replace("  \"stateSecrets\": false,\n", "");
    assert_eq!(
        codes(desk.publish(&entry(&silent), Some(&first))),
        ["needs-declaration"]
    );
    // Nothing of this was declared, so the version that may follow follows.
    let declared = desk.publish(&second, Some(&first)).unwrap();
    assert!(!desk.office.adopt_entry(&second).unwrap());
    let declared = desk.finish(declared);
    assert!(matches!(declared.standing, Standing::Receipted { .. }));
    let record = desk
        .office
        .type_record(second.type_code.as_str())
        .unwrap()
        .unwrap();
    assert_eq!((record.version, record.digest), (2, second.digest));
    assert!(desk.office.adopt_entry(&second).unwrap());
    // It is what the office issues under from now on.
    desk.issue_one(food(1, &[]));
    let third = next(FOOD).replace("\"version\": 2", "\"version\": 3");
    assert!(desk.publish(&entry(&third), Some(&first)).is_err());
    desk.publish(&entry(&third), Some(&second)).unwrap();
}

#[test]
fn cat_02_publishing_under_a_places_profile_is_refused_without_its_fields() {
    let mut desk = Desk::new();
    let first = entry(FOOD);
    let dir = tempfile::tempdir().unwrap();
    Catalogue::write_embedded(dir.path()).unwrap();
    let whole = entry(&next(FOOD));
    let start = FOOD.find("  \"issuingUnits\"").unwrap();
    let end = FOOD.find("  \"grade\"").unwrap();
    let bare = entry(&next(&[&FOOD[..start], &FOOD[end..]].concat()));
    std::fs::remove_file(dir.path().join(PICTURES).join("seal.png")).unwrap();
    for (code, new, dir, expected) in [
        ("changzhou", &bare, None, &["needed"][..]),
        ("fujian", &bare, None, &["needed"]),
        ("shanghai", &bare, None, &["needed"]),
        ("yangcheng", &bare, None, &["needed"]),
        ("yangcheng", &whole, Some(dir.path()), &["picture-file"]),
    ] {
        let profile = Profile::named(code).unwrap();
        let edition = Edition {
            before: Some(&first),
            dir,
            entry: new,
            profile: Some(&profile),
        };
        let result = desk
            .office
            .publish_entry(edition, &desk.administrators, NOW);
        assert_eq!(codes(result), expected, "{code}");
    }
    let profile = Profile::named("changzhou").unwrap();
    let edition = Edition {
        before: Some(&first),
        dir: None,
        entry: &whole,
        profile: Some(&profile),
    };
    desk.office
        .publish_entry(edition, &desk.administrators, NOW)
        .unwrap();
}

#[test]
fn iss_10_nothing_is_issued_to_a_name_that_the_register_does_not_have() {
    let mut desk = Desk::new();
    let row = food(1, &[]);
    let text = |column: &str| match &row.cells[column] {
        Cell::Text(text) => text.clone(),
        other => panic!("{other:?}"),
    };
    let file = |name: &str| {
        let code = text("holderCode");
        let lines = format!("register,code,name\nlegal-entities,{code},{name}\n");
        LocalRegisters::read(lines.as_bytes(), "names.csv").unwrap()
    };
    desk.office.use_registers(Box::new(file("另一家示例公司")));
    let (_, outcome) = desk.issue(vec![row.clone()]).remove(0);
    let Outcome::Refused(error) = outcome else {
        panic!("{outcome:?}")
    };
    let IssueError::Row(error) = *error else {
        panic!("{error}")
    };
    assert_eq!(error.faults[0].column.as_deref(), Some("holderName"));
    let problem = &error.faults[0].problem;
    assert!(
        matches!(problem, Problem::NotAsRegistered { .. }),
        "{problem}"
    );
    desk.office
        .use_registers(Box::new(file(&text("holderName"))));
    desk.issue_one(row);
    // The demo entry notes what it cannot compare; one that needs the answer issues nothing.
    let entry = desk.office.catalogue.entry("food-operation").unwrap();
    let rule = RegisterRule {
        code: "holderCode".to_owned(),
        name: "holderName".to_owned(),
        register: Register::LegalEntities,
        unknown: Without::Note,
        unreachable: Without::Note,
    };
    assert_eq!(entry.registers, [rule]);
}
