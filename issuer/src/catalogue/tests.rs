use zhao_spec::life::data::Action;
use zhao_spec::wire::foreign::{self, canonicalize};
use zhao_spec::wire::sha256;

use super::*;

mod rules;

const FOOD: &str = include_str!("../../catalogue/food-operation.json");

fn parse(text: &str) -> Result<Entry, CatalogueError> {
    Entry::parse(Path::new("food-operation.json"), text.as_bytes())
}

/// The message for the food entry with one text replaced.
fn refusal(old: &str, new: &str) -> String {
    assert!(FOOD.contains(old), "{old}");
    parse(&FOOD.replacen(old, new, 1)).unwrap_err().to_string()
}

#[test]
fn refuses_entries_that_break_a_rule() {
    for (old, new, error) in [
        (
            r#""slug""#,
            r#""colour": 1, "slug""#,
            "colour: unknown member",
        ),
        (r#""slug": "food-operation","#, "", "slug: missing"),
        (
            r#""slug": "food-operation""#,
            r#""slug": "Food""#,
            r#"slug: "Food" is not 1 to 64 of a-z, 0-9 and -"#,
        ),
        (
            r#""version": 1"#,
            r#""version": 0"#,
            r#"version: "0" is not 1 or more"#,
        ),
        (
            r#""version": 1"#,
            r#""version": "1""#,
            "version: text where integer is needed",
        ),
        (
            r#""version": 1"#,
            r#""version": 1.5"#,
            "number with fraction or exponent at ",
        ),
        (
            "11100000DEM0090006001",
            "11100000DEM0090007001",
            r#"typeCode: "11100000DEM0090007001" is not a number whose check character is right"#,
        ),
        (
            r#""code": "11100000DEM0090006""#,
            r#""code": "11320400DEM0001293""#,
            r#"definer.code: "11320400DEM0001293" is not the first 18 characters of typeCode"#,
        ),
        (
            r#""001""#,
            r#""001", "001""#,
            r#"holders: "" is not one or more, strictly ascending"#,
        ),
        (
            r#""001""#,
            r#""002""#,
            r#"holders[0]: "002" is not a holder code type of GB/T 36903"#,
        ),
        (
            r#""001""#,
            r#""001", "099""#,
            r#"holders: "" is not 001 alone, because the type is indexed"#,
        ),
        (
            r#""openness": "open""#,
            r#""openness": "closed""#,
            r#"indexed: "true" is not false, because the type is not open"#,
        ),
        (
            r#""openness": "open""#,
            r#""openness": "public""#,
            r#"openness: "public" is not one of open restricted closed"#,
        ),
        (
            r#""indexed": true"#,
            r#""indexed": false"#,
            r#"individualBusinesses: "true" is not false, because the type is not indexed"#,
        ),
        (
            r#""rule": "years""#,
            r#""rule": "weeks""#,
            r#"validity[0].rule: "weeks" is not days, indefinite, months, to-date or years"#,
        ),
        (
            r#""length": 5"#,
            r#""length": 0"#,
            r#"validity[0].length: "0" is not 1 or more, at most 200 years"#,
        ),
        (
            r#""length": 5"#,
            r#""length": 201"#,
            r#"validity[0].length: "201" is not 1 or more, at most 200 years"#,
        ),
        (
            r#""length": 5"#,
            r#""length": 5, "to": 1"#,
            "validity[0].to: unknown member",
        ),
        (
            r#""rule": "none""#,
            r#""rule": "notice""#,
            "inspection.cycleMonths: missing",
        ),
        (
            r#""rule": "none""#,
            r#""rule": "notice", "cycleMonths": 12"#,
            r#"verbs: "" is not inspect exactly when there is an inspection rule"#,
        ),
        (r#""issued","#, "", r#"verbs: "" is not a list with issued"#),
        (
            r#""issued","#,
            r#""issued", "grant-types","#,
            r#"verbs[6]: "grant-types" is not a verb of a licence"#,
        ),
        (
            r#""abolish","#,
            r#""annul", "abolish","#,
            r#"verbs: "" is not strictly ascending words"#,
        ),
        (
            "JY{region}",
            "JY{county}",
            r#"number: "JY{county}{serial:8}" is not a pattern of literals and {parts}"#,
        ),
        (
            "JY{region}",
            "JY{digits:6}",
            concat!(
                r#"number: "JY{digits:6}{serial:8}" is not a pattern of literals, "#,
                "{holder}, {region}, {serial:n} and {year}"
            ),
        ),
        (r#""municipal""#, r#""national""#, "standardRef: missing"),
        (
            r#""municipal""#,
            r#""provincial""#,
            r#"standardLevel: "provincial" is not district, municipal or national"#,
        ),
        (
            r#""name": "premises""#,
            r#""name": "Premises""#,
            r#"fields[1].name: "Premises" is not [a-z][A-Za-z0-9]*, at most 64 characters"#,
        ),
        (
            r#""name": "premises""#,
            r#""name": "holderCode""#,
            r#"fields[1].name: "holderCode" is not a name that no metadata has (GB/T 36903)"#,
        ),
        (
            r#""name": "premises""#,
            r#""name": "representative""#,
            r#"fields[1].name: "representative" is not a name not used before"#,
        ),
        (
            r#""maxLength": 64"#,
            r#""maxLength": 1025"#,
            r#"fields[0].maxLength: "1025" is not 1 to 1024"#,
        ),
        (
            r#""maxLength": 64"#,
            r#""maxLength": 64, "pattern": "{year}""#,
            r#"fields[0].pattern: "{year}" is not literals, {alnum:n}, {digits:n} and {upper:n}"#,
        ),
        (
            r#""code": "catering""#,
            r#""code": "retail""#,
            r#"fields[2].codes: "retail" is not codes that differ"#,
        ),
        (
            r#""kind": "boolean""#,
            r#""kind": "float""#,
            r#"fields[5].kind: "float" is not boolean, code, date, integer or text"#,
        ),
        (
            r#""sensitivity": "public""#,
            r#""sensitivity": "hidden""#,
            r#"fields[0].sensitivity: "hidden" is not personal, public or secret"#,
        ),
        (
            "names who answers for the holder",
            "",
            r#"fields[0].purpose: "" is not text, not empty"#,
        ),
        (
            "食品经营许可证",
            "食品经营许可证 ",
            concat!(
                r#"names.zh: "食品经营许可证 " is not printable text in NFC, "#,
                "without outer spaces, within its length"
            ),
        ),
    ] {
        let actual = refusal(old, new);
        let expected = format!("food-operation.json: {error}");
        assert!(
            actual.starts_with(&expected),
            "{actual}\nexpected {expected}"
        );
    }
}

#[test]
fn refuses_what_is_not_json_alike() {
    for text in [
        "",
        "[]",
        "{",
        r#"{"a":1,"a":1}"#,
        "\u{feff}{}",
        "{\"a\":\"\\ud800\"}",
    ] {
        let error = parse(text).unwrap_err();
        let expected = if text == "[]" {
            "object"
        } else {
            "food-operation.json: "
        };
        assert!(error.to_string().contains(expected), "{text:?}: {error}");
    }
    let deep = "[".repeat(10_000);
    assert!(matches!(
        parse(&deep).unwrap_err(),
        CatalogueError::Json { .. }
    ));
    let long = format!("{}{}", FOOD, " ".repeat(ENTRY_BYTES));
    assert!(matches!(
        parse(&long).unwrap_err(),
        CatalogueError::Malformed { .. }
    ));
}

#[test]
fn refuses_directories_that_contradict_themselves() {
    let dir = tempfile::tempdir().unwrap();
    Catalogue::write_embedded(dir.path()).unwrap();
    let food = dir.path().join("food-operation.json");
    let copy = dir.path().join("food-two.json");
    fs::write(&copy, FOOD).unwrap();
    let error = Catalogue::load(dir.path()).unwrap_err();
    assert!(matches!(error, CatalogueError::Slug { .. }), "{error}");
    fs::write(&copy, FOOD.replace("\"food-operation\"", "\"food-two\"")).unwrap();
    let error = Catalogue::load(dir.path()).unwrap_err();
    assert!(
        matches!(
            error,
            CatalogueError::Duplicate {
                what: "type code",
                ..
            }
        ),
        "{error}"
    );
    fs::remove_file(&copy).unwrap();
    let absent = dir.path().join("absent");
    assert!(matches!(
        Catalogue::load(&absent).unwrap_err(),
        CatalogueError::Io { .. }
    ));
    // What is there is the office's own and stays.
    fs::write(&food, FOOD.replace("\"version\": 1", "\"version\": 7")).unwrap();
    Catalogue::write_embedded(dir.path()).unwrap();
    let catalogue = Catalogue::load(dir.path()).unwrap();
    assert_eq!(catalogue.entry("food-operation").unwrap().version, 7);
}

#[test]
fn knows_only_its_own_types() {
    let catalogue = Catalogue::embedded().unwrap();
    for unknown in ["", "food", "11100000000013127D001"] {
        let error = catalogue.entry(unknown).unwrap_err();
        assert!(matches!(error, CatalogueError::Unknown { .. }), "{error}");
    }
    let by_code = catalogue.entry("11100000MB0143028R001").unwrap();
    assert_eq!(by_code, catalogue.entry("business-licence").unwrap());
}

#[test]
fn the_public_list_has_open_types_only() {
    let catalogue = Catalogue::embedded().unwrap();
    let mut slugs: Vec<_> = catalogue
        .public()
        .map(|entry| entry.slug.as_str())
        .collect();
    slugs.sort_unstable();
    assert_eq!(
        slugs,
        [
            "approval-document",
            "business-licence",
            "composite-permit",
            "food-operation",
            "road-transport-operation"
        ]
    );
    assert_eq!(catalogue.entries().count(), 8);
}

#[test]
fn the_digest_is_of_the_canonical_form() {
    let entry = parse(FOOD).unwrap();
    let canonical = canonicalize(&foreign::parse_foreign(FOOD.as_bytes()).unwrap());
    assert_eq!(entry.digest, sha256(&[&canonical]));
    let compact = parse(std::str::from_utf8(&canonical).unwrap()).unwrap();
    assert_eq!(compact, entry);
    let other = parse(&FOOD.replace("\"version\": 1", "\"version\": 2")).unwrap();
    assert_ne!(other.digest, entry.digest);
    let Action::PublishType(published) = entry.publish() else {
        panic!()
    };
    assert_eq!((published.digest, published.version), (entry.digest, 1));
    assert!(published.indexed && published.individual_businesses);
}
