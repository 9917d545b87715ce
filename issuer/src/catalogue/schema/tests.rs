use std::io::Cursor;
use std::path::Path;

use proptest::prelude::*;
use zhao_spec::credential::FaceValue;
use zhao_spec::id::Uscc;
use zhao_spec::wire::Date;
use zhao_spec::wire::foreign::parse_foreign;
use zhao_vc::schema::{Schema, SchemaError};

use super::*;
use crate::catalogue::Catalogue;
use crate::intake::{self, Cell, Defaults, Row};
use crate::sample::Sample;

fn rows(catalogue: &Catalogue, entry: &Entry, seed: u64, count: u64) -> Vec<Row> {
    let sample = Sample {
        enterprises: 20,
        seed,
        today: Date::parse("2026-11-22").unwrap(),
        unit: Uscc::parse("11320400DEM0001293").unwrap(),
    };
    let csv = sample.csv(entry, count);
    let batch = intake::open(Cursor::new(csv), catalogue, None).unwrap();
    batch.map(|row| row.unwrap()).collect()
}

/// The face data that the catalogue makes of a row, if it accepts it.
fn face(catalogue: &Catalogue, row: &Row) -> Option<Vec<(String, Foreign)>> {
    let defaults = Defaults {
        licence_type: None,
        today: Date::parse("2026-11-22").unwrap(),
        unit: None,
    };
    let request = intake::check(row, catalogue, &defaults).ok()?;
    let value = |value: &FaceValue| match value {
        FaceValue::Text(text) => super::text(text),
        FaceValue::Int(number) => int(*number),
        FaceValue::Bool(truth) => Foreign::Bool(*truth),
    };
    let face = request.face_data.iter();
    Some(face.map(|(name, of)| (name.clone(), value(of))).collect())
}

/// What the schema sees of a licence.
fn licence(entry: &Entry, face: Vec<(String, Foreign)>) -> Foreign {
    let number = entry.number.make(VALUES, 1).unwrap();
    object([
        ("type", texts(["VerifiableCredential", "LicenceCredential"])),
        (
            "credentialSubject",
            object([
                ("catalogueVersion", int(entry.version)),
                ("faceData", Foreign::Object(face)),
                ("holderCodeType", text(entry.holders[0].as_str())),
                ("licenceNumber", text(&number)),
                ("licenceTypeCode", text(entry.type_code.as_str())),
            ]),
        ),
    ])
}

const VALUES: crate::catalogue::Values<'_> = crate::catalogue::Values {
    holder: "91320402DEM0010172",
    region: "320402",
    year: 2026,
};

/// The path and keyword by which the schema refuses, if it does.
fn refusal(schema: &Schema, document: &Foreign) -> Option<(String, &'static str)> {
    match schema.check(document) {
        Ok(()) => None,
        Err(SchemaError::Mismatch { path, keyword }) => Some((path, keyword)),
        Err(other) => panic!("{other}"),
    }
}

/// `document` with the value at `path` put, or taken away.
fn with(document: &Foreign, path: &[&str], put: Option<Foreign>) -> Foreign {
    let Foreign::Object(members) = document else {
        panic!("no object");
    };
    let [name, rest @ ..] = path else {
        panic!("no path");
    };
    let mut members = members.clone();
    let at = members.iter().position(|(other, _)| other == name);
    match (at, rest.is_empty(), put) {
        (Some(at), false, put) => members[at].1 = with(&members[at].1, rest, put),
        (Some(at), true, Some(put)) => members[at].1 = put,
        (Some(at), true, None) => drop(members.remove(at)),
        (None, true, Some(put)) => members.push(((*name).to_owned(), put)),
        _ => panic!("nothing at {path:?}"),
    }
    Foreign::Object(members)
}

#[test]
fn every_sample_conforms_and_no_mutant() {
    let catalogue = Catalogue::embedded().unwrap();
    let mut mutants = 0;
    for entry in catalogue.entries() {
        let schema = Schema::parse(&entry.schema()).unwrap();
        for row in rows(&catalogue, entry, 7, 40) {
            let good = licence(entry, face(&catalogue, &row).unwrap());
            assert_eq!(refusal(&schema, &good), None, "{}", entry.slug);
            let mut refused = |path: &[&str], put: Option<Foreign>, keyword: &'static str| {
                let mutant = with(&good, path, put);
                let expected = Some((path.join("."), keyword));
                assert_eq!(refusal(&schema, &mutant), expected, "{}", entry.slug);
                mutants += 1;
            };
            let subject = "credentialSubject";
            refused(
                &[subject, "catalogueVersion"],
                Some(int(entry.version + 1)),
                "const",
            );
            refused(&[subject, "licenceTypeCode"], Some(text("x")), "const");
            refused(&[subject, "holderCodeType"], Some(text("x")), "enum");
            refused(&[subject, "licenceNumber"], Some(text("")), "pattern");
            refused(&["type"], Some(texts(["VerifiableCredential"])), "contains");
            for name in [
                "catalogueVersion",
                "faceData",
                "holderCodeType",
                "licenceNumber",
            ] {
                refused(&[subject, name], None, "required");
            }
            for field in &entry.fields {
                if field.sensitivity == Sensitivity::Secret {
                    continue;
                }
                let path = [subject, "faceData", field.name.as_str()];
                if field.required {
                    refused(&path, None, "required");
                }
                let wrong = Some(Foreign::Array(Vec::new()));
                match &field.kind {
                    FieldKind::Boolean => refused(&path, Some(text("true")), "type"),
                    FieldKind::Code(_) => refused(&path, Some(text("no such")), "enum"),
                    FieldKind::Date => {
                        refused(&path, wrong, "type");
                        refused(&path, Some(text("2026-02-30")), "format");
                        refused(&path, Some(text("2026-2-3")), "pattern");
                    }
                    FieldKind::Integer => {
                        refused(&path, wrong, "type");
                        refused(&path, Some(Foreign::Number(-1.0)), "minimum");
                        refused(&path, Some(Foreign::Number(1.5)), "type");
                    }
                    FieldKind::Text {
                        max_length,
                        pattern,
                    } => {
                        refused(&path, wrong, "type");
                        refused(&path, Some(text("")), "minLength");
                        let long = "长".repeat(max_length + 1);
                        refused(&path, Some(text(&long)), "maxLength");
                        if pattern.is_some() {
                            refused(&path, Some(text("中")), "pattern");
                        }
                    }
                }
            }
            if entry
                .fields
                .iter()
                .all(|f| f.sensitivity != Sensitivity::Secret)
            {
                let path = [subject, "faceData", "invented"];
                refused(&path, Some(int(1)), "additionalProperties");
            }
        }
    }
    assert!(mutants > 5_000, "{mutants}");
}

#[test]
fn the_same_bytes_each_time_and_others_for_each_version() {
    let catalogue = Catalogue::embedded().unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for entry in catalogue.entries() {
        let bytes = entry.schema();
        assert_eq!(bytes, entry.schema());
        let read = parse_foreign(&bytes).unwrap();
        assert_eq!(canonicalize(&read), bytes);
        let mut next = entry.clone();
        next.version += 1;
        assert!(seen.insert(bytes) && seen.insert(next.schema()));
    }
}

#[test]
fn names_no_secret_field() {
    let food = include_str!("../../../catalogue/food-operation.json");
    let secret = food.replacen(
        r#""sensitivity": "public""#,
        r#""sensitivity": "secret""#,
        1,
    );
    let open = secret.replacen(r#""openness": "open""#, r#""openness": "closed""#, 1);
    let closed = open
        .replacen(r#""indexed": true"#, r#""indexed": false"#, 1)
        .replacen(
            r#""individualBusinesses": true"#,
            r#""individualBusinesses": false"#,
            1,
        );
    let entry = Entry::parse(Path::new("food-operation.json"), closed.as_bytes()).unwrap();
    let field = &entry.fields[0];
    assert_eq!(field.sensitivity, Sensitivity::Secret);
    let text = String::from_utf8(entry.schema()).unwrap();
    assert!(!text.contains(&field.name) && !text.contains(&field.titles.zh));
    assert!(!text.contains("additionalProperties"));
}

#[test]
fn regex_and_pattern_agree() {
    for pattern in [
        "JY{region}{serial:8}",
        "苏({year})常{region}第{serial:8}号",
        "{upper:2}-{digits:4}.{alnum:3}",
        "a+b*c?|d^e$[f]\\{digits:1}/",
    ] {
        let pattern = crate::catalogue::Pattern::parse(pattern).unwrap();
        let schema = object([
            ("$schema", text(DIALECT)),
            ("pattern", text(&pattern.regex())),
        ]);
        let schema = Schema::parse(&canonicalize(&schema)).unwrap();
        let made = pattern.make(VALUES, 17).unwrap();
        assert_eq!(refusal(&schema, &text(&made)), None, "{made}");
        let letters: Vec<char> = made.chars().collect();
        for at in 0..letters.len() {
            for put in ['0', 'A', 'a', '号', '.', '\\'] {
                let mut other = letters.clone();
                other[at] = put;
                let other: String = other.into_iter().collect();
                let fits = refusal(&schema, &text(&other)).is_none();
                assert_eq!(fits, pattern.fits(&other, VALUES), "{pattern} {other}");
            }
        }
    }
}

fn any_cell() -> impl Strategy<Value = Cell> {
    prop_oneof![
        any::<bool>().prop_map(Cell::Bool),
        (0u64..=limits::INTEGER).prop_map(Cell::Int),
        "\\PC{0,12}".prop_map(Cell::Text),
        "[0-9]{4}-[0-1][0-9]-[0-3][0-9]".prop_map(Cell::Text),
        "[A-Z0-9]{1,20}".prop_map(Cell::Text),
        "示{1,400}".prop_map(Cell::Text),
        prop_oneof![Just("retail"), Just("是"), Just("true"), Just("12")]
            .prop_map(|text| Cell::Text(text.to_owned())),
    ]
}

proptest! {
    /// Whatever stands in a cell: what the catalogue accepts conforms. What conforms as it stands,
    /// the catalogue accepts, but for what a schema cannot say: of texts characters, NFC, outer
    /// spaces; of days that they are of 1900 or later.
    #[test]
    fn accepts_what_the_catalogue_accepts(
        kind in 0usize..8,
        seed in 0u64..1_000,
        field in 0usize..64,
        cell in any_cell(),
    ) {
        let catalogue = Catalogue::embedded().unwrap();
        let entry = catalogue.entries().nth(kind).unwrap();
        let field = &entry.fields[field % entry.fields.len()];
        let schema = Schema::parse(&entry.schema()).unwrap();
        let row = rows(&catalogue, entry, seed, 1).remove(0);
        let original = face(&catalogue, &row).unwrap();
        let mut cells = row.cells.clone();
        cells.insert(field.name.clone(), cell.clone());
        let accepted = face(&catalogue, &Row::new(1, cells));
        if let Some(face) = &accepted {
            let document = licence(entry, face.clone());
            prop_assert_eq!(refusal(&schema, &document), None);
        }
        let value = match &cell {
            Cell::Bool(truth) => Foreign::Bool(*truth),
            Cell::Int(number) => int(*number),
            Cell::Text(text) => super::text(text),
        };
        let as_it_stands = with(
            &licence(entry, original),
            &["credentialSubject", "faceData", &field.name],
            Some(value),
        );
        let free = matches!(&field.kind, FieldKind::Text { pattern: None, .. });
        let early = matches!((&field.kind, &cell),
            (FieldKind::Date, Cell::Text(day)) if day.as_str() < "1900");
        if !free && !early && field.sensitivity != Sensitivity::Secret
            && refusal(&schema, &as_it_stands).is_none()
        {
            prop_assert!(accepted.is_some(), "{:?} {cell:?}", field.kind);
        }
    }
}
