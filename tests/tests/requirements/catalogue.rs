//! The catalogue of licence types, and what may be collected under it.

use std::io::Cursor;
use std::path::Path;

use zhao_issuer::catalogue::{Catalogue, Entry, StandardLevel};
use zhao_issuer::intake::{self, IntakeError};
use zhao_issuer::records::{NewLicence, Origin, Records, RecordsError, Unit};
use zhao_issuer::vault::Secrets;
use zhao_spec::credential::Licence;
use zhao_spec::id::LicenceIdentifier;
use zhao_spec::life::data::{Action, KeyGrant, Note, Relation};
use zhao_spec::life::subject::Kind;
use zhao_spec::life::verb::Verb;
use zhao_spec::wire::UnixMillis;

use crate::town::{FOOD, ORIGIN, Paper, TRADE, Town, UNIT, key_of, secret};

const FOOD_ENTRY: &str = include_str!("../../../issuer/catalogue/food-operation.json");

fn refused(old: &str, new: &str) -> String {
    assert!(FOOD_ENTRY.contains(old), "{old}");
    let changed = FOOD_ENTRY.replacen(old, new, 1);
    let entry = Entry::parse(Path::new("food-operation.json"), changed.as_bytes());
    entry.unwrap_err().to_string()
}

#[test]
fn cat_01_nothing_is_issued_under_a_type_that_is_not_published() {
    let mut town = Town::new();
    // Granted to the unit, and never published.
    let unknown = "11100000DEM000110U009";
    let grant = KeyGrant {
        key: secret("unit key").public(),
        types: vec![unknown.to_owned()],
    };
    town.administer(key_of(Kind::Issuer, UNIT), Action::GrantTypes(grant))
        .unwrap();
    let paper = Paper {
        code: unknown,
        ..Paper::trade(1)
    };
    assert_eq!(town.issue(&paper).unwrap_err().code(), "type_unknown");
    // Published, then withdrawn.
    town.issue(&Paper::trade(2)).unwrap();
    town.administer(key_of(Kind::LicenceType, TRADE), Action::RetireType)
        .unwrap();
    assert_eq!(
        town.issue(&Paper::trade(3)).unwrap_err().code(),
        "type_retired"
    );
    town.issue(&Paper::food(4)).unwrap();
    assert_eq!(
        town.standing(&Paper::trade(2)),
        ("valid_with_notice", vec!["type_retired"])
    );
}

#[test]
fn cat_10_a_type_states_a_code_that_checks_its_level_and_its_standard() {
    for entry in Catalogue::embedded().unwrap().entries() {
        let code = entry.type_code.as_str();
        assert_eq!(code.len(), 21, "{code}");
        assert_eq!(entry.type_code.definer().as_str(), &code[..18]);
        if entry.standard_level == StandardLevel::National {
            assert!(entry.standard_ref.is_some(), "{code}");
        }
    }
    let code = "11100000DEM0090006001";
    for (bad, said) in [
        ("11100000DEM0090007001", "check character"),
        ("11100000DEM009000600", "is not"),
        ("11100000DEM00900060A1", "is not"),
    ] {
        let error = refused(
            &format!("\"typeCode\": \"{code}\""),
            &format!("\"typeCode\": \"{bad}\""),
        );
        assert!(
            error.contains("typeCode") && error.contains(said),
            "{error}"
        );
    }
    let level = refused("\"municipal\"", "\"provincial\"");
    assert!(level.contains("standardLevel: \"provincial\" is not district, municipal or national"));
    let national = refused("\"municipal\"", "\"national\"");
    assert!(national.contains("standardRef: missing"), "{national}");
}

#[test]
fn iss_02_only_fields_of_the_type_are_collected_and_each_has_a_purpose() {
    let catalogue = Catalogue::embedded().unwrap();
    for entry in catalogue.entries() {
        assert!(!entry.fields.is_empty(), "{}", entry.slug);
        for field in &entry.fields {
            assert!(!field.purpose.is_empty(), "{} {}", entry.slug, field.name);
        }
    }
    let purpose = "\"purpose\": \"names who answers for the holder\"";
    let none = refused(&format!("{purpose},"), "");
    assert!(none.contains("fields[0].purpose: missing"), "{none}");
    let empty = refused(purpose, "\"purpose\": \"\"");
    assert!(empty.contains("fields[0].purpose"), "{empty}");

    let open = |text: &str| {
        intake::open(
            Cursor::new(text.to_owned()),
            &catalogue,
            Some("food-operation"),
        )
        .map(drop)
    };
    let known = "holderName,holderCode,premises\n";
    open(known).unwrap();
    // A field of another type, and one that no type has.
    for column in ["weightGrams", "religion"] {
        let error = open(&format!("{column},{known}")).unwrap_err();
        assert!(
            matches!(error, IntakeError::UnknownColumn { column: 1, .. }),
            "{error}"
        );
    }
    let row = format!("{{\"religion\":\"x\",\"licenceType\":\"{FOOD}\"}}\n");
    let mut batch = intake::open(Cursor::new(row), &catalogue, Some("food-operation")).unwrap();
    let error = batch.next().unwrap().unwrap_err().to_string();
    assert!(error.contains("religion"), "{error}");
}

#[test]
fn iss_23_a_new_version_keeps_the_serial_and_no_identifier_stands_twice() {
    let mut town = Town::new();
    let old = Paper::food(1);
    town.issue(&old).unwrap();
    let new = town.replacement(&old, Relation::Reissued);
    town.issue(&new).unwrap();
    let identifier = |paper: &Paper| {
        let licence = Licence::parse(&paper.sign()).unwrap();
        licence.claims().subject.licence_identifier.clone()
    };
    let (first, second) = (identifier(&old), identifier(&new));
    assert_eq!(first.serial(), second.serial());
    assert_eq!((first.version(), second.version()), (1, 2));
    // One wrong character in it is noticed.
    let text = first.to_string();
    for at in 0..text.len() {
        for other in ["0", "5", "A", "Z", "."] {
            let mut wrong = text.clone();
            wrong.replace_range(at..=at, other);
            assert!(
                wrong == text || LicenceIdentifier::parse(&wrong).is_err(),
                "{wrong}"
            );
        }
    }

    // The office's records take the second version, and neither of the two again.
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("iss-23.sqlite");
    for end in ["", "-wal", "-shm"] {
        let mut file = path.clone().into_os_string();
        file.push(end);
        drop(std::fs::remove_file(file));
    }
    let mut secrets = Secrets::default();
    secrets.add(1, [1; 32]);
    let mut records = Records::create(&path, ORIGIN, b"genesis", &secrets).unwrap();
    let mut add = |paper: &Paper, id: &str, identifier: &LicenceIdentifier| {
        let transaction = records.begin().unwrap();
        let unit = Unit {
            name: "示例局".to_owned(),
            uscc: UNIT.to_owned(),
        };
        transaction.put_unit(&unit, UnixMillis(1)).unwrap();
        let action = Action::Plain(Verb::Hold, Note::default());
        let event = town.draft(key_of(Kind::Licence, id), action, Some(UNIT));
        let row = transaction.say(&event, &[], UnixMillis(1)).unwrap();
        let licence = NewLicence {
            credential: &paper.sign(),
            credential_id: id,
            holder_code: &paper.holder.1,
            holder_code_type: "001",
            holder_name: "示例持证主体",
            identifier: &identifier.to_string(),
            number: "JY1",
            origin: Origin::New,
            predecessor: None,
            reference: None,
            serial: identifier.serial(),
            subject: key_of(Kind::Licence, id),
            type_code: FOOD,
            unit: UNIT,
            version: identifier.version(),
        };
        transaction.add_licence(&licence, row, UnixMillis(1))?;
        transaction.commit()
    };
    add(&old, "a", &first).unwrap();
    add(&new, "b", &second).unwrap();
    for (id, identifier) in [("c", &first), ("d", &second)] {
        let error = add(&old, id, identifier).unwrap_err();
        let taken = RecordsError::Taken { what: "identifier" };
        assert_eq!(error.to_string(), taken.to_string());
    }
}
