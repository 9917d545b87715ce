#![allow(clippy::unwrap_used, reason = "a test may panic")]
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::wire::vectors::{self, text};

#[test]
fn vectors_of_credit_codes() {
    vectors::run(
        "uscc",
        &[
            ("uscc.json", |case| {
                let code = Uscc::parse(text(case, "input")).map_err(|e| e.code())?;
                assert_eq!(code.to_string(), text(case, "input"));
                let (head, organisation) = (&code.as_str()[..8], &code.as_str()[8..16]);
                assert_eq!(Uscc::with_checks(head, organisation), Ok(code.clone()));
                Ok(json!({ "region": code.region(), "kind": code.department_and_category() }))
            }),
            ("region.json", |case| {
                let code = RegionCode::parse(text(case, "input")).map_err(|e| e.code())?;
                Ok(code.province_name().into())
            }),
        ],
    );
}

#[test]
fn vectors_of_citizen_numbers() {
    vectors::run(
        "citizen-id",
        &[
            ("citizen-id.json", |case| {
                let id = CitizenId::parse(text(case, "input")).map_err(|e| e.code())?;
                assert_eq!(id.as_str(), text(case, "input"));
                Ok(json!({ "masked": id.masked(), "birthDate": id.birth_date().to_string() }))
            }),
            ("holder-code.json", |case| {
                let kind = HolderCodeType::parse(text(case, "type")).map_err(|e| e.code())?;
                kind.check(text(case, "input")).map_err(|e| e.code())?;
                Ok(kind.is_organisation().into())
            }),
        ],
    );
}

#[test]
fn vectors_of_licence_identifiers() {
    vectors::run(
        "licence-identifier",
        &[
            ("licence-identifier.json", |case| {
                let id = LicenceIdentifier::parse(text(case, "input")).map_err(|e| e.code())?;
                assert_eq!(id.to_string(), text(case, "input"));
                if let IssuerPart::Uscc(issuer) = id.issuer() {
                    let built = LicenceIdentifier::new(
                        id.type_code().clone(),
                        issuer.clone(),
                        id.serial(),
                        id.version(),
                    );
                    assert_eq!(built, Ok(id.clone()));
                }
                Ok(json!({
                    "type": id.type_code().as_str(),
                    "issuer": id.issuer().as_str(),
                    "serial": id.serial(),
                    "version": id.version(),
                }))
            }),
            ("licence-type.json", |case| {
                let code = LicenceTypeCode::parse(text(case, "input")).map_err(|e| e.code())?;
                Ok(code.definer().as_str().into())
            }),
        ],
    );
}

#[test]
fn errors_say_what_was_computed() {
    let error = Uscc::parse("11100000000013338X").unwrap_err();
    assert_eq!(
        error,
        IdError::Check {
            of: CheckOf::Uscc,
            expected: 'W',
            actual: 'X'
        }
    );
    assert_eq!(
        error.to_string(),
        "check character of unified social credit code is X, computed W"
    );
    let error = CitizenId::parse("110105194912310021").unwrap_err();
    assert_eq!(
        error,
        IdError::Check {
            of: CheckOf::CitizenId,
            expected: 'X',
            actual: '1'
        }
    );
}

#[test]
fn parts_out_of_bounds_are_not_built() {
    let type_code = LicenceTypeCode::parse("11100000MB0143028R001").unwrap();
    let issuer = Uscc::parse("11320400DEM0001293").unwrap();
    let build = |serial: &str, version| {
        LicenceIdentifier::new(type_code.clone(), issuer.clone(), serial, version)
            .map(drop)
            .map_err(|e| e.code())
    };
    assert_eq!(build(&"A".repeat(64), 999), Ok(()));
    assert_eq!(build(&"A".repeat(65), 1), Err("licence-identifier-length"));
    assert_eq!(build("", 1), Err("licence-identifier-length"));
    assert_eq!(build("a", 1), Err("licence-identifier-character"));
    assert_eq!(build("A", 0), Err("licence-identifier-version"));
    assert_eq!(build("A", 1000), Err("licence-identifier-length"));
    assert_eq!(
        Uscc::with_checks("1132040", "DEM00012").unwrap_err().code(),
        "uscc-length"
    );
    assert_eq!(
        CitizenId::with_check("1").unwrap_err().code(),
        "citizen-id-length"
    );
}

#[test]
fn citizen_numbers_do_not_show() {
    let id = CitizenId::parse("11010519491231002X").unwrap();
    assert_eq!(id.to_string(), "110105********002X");
    assert_eq!(format!("{id:?}"), "CitizenId(110105********002X)");
}

#[test]
fn regions_contain_their_parts() {
    let region = |text| RegionCode::parse(text).unwrap();
    assert!(region("320000").contains(&region("320402")));
    assert!(region("320400").contains(&region("320402")));
    assert!(!region("320400").contains(&region("320500")));
    assert!(!region("320402").contains(&region("320400")));
    assert!(!region("310000").contains(&region("320400")));
}

#[test]
fn holder_code_types_have_names() {
    assert_eq!(HolderCodeType::USCC.name(), "统一社会信用代码");
    assert_eq!(
        HolderCodeType::parse("111").unwrap(),
        HolderCodeType::CITIZEN_ID
    );
}

proptest! {
    /// Every single wrong character is caught: both check schemes are built for that.
    #[test]
    fn one_wrong_character_is_caught(
        organisation in "[0-9A-HJ-NP-RTUWXY]{8}",
        at in 8_usize..18,
        wrong in "[0-9A-HJ-NP-RTUWXY]",
    ) {
        let code = Uscc::with_checks("91320402", &organisation).unwrap();
        prop_assert_eq!(Uscc::parse(code.as_str()), Ok(code.clone()));
        let mut changed = code.as_str().to_owned();
        changed.replace_range(at..=at, &wrong);
        prop_assert_eq!(Uscc::parse(&changed).is_ok(), changed == code.as_str());
    }

    #[test]
    fn one_wrong_digit_is_caught(sequence in "[0-9]{3}", at in 0_usize..17, wrong in "[0-9]") {
        let id = CitizenId::with_check(&format!("11010519491231{sequence}")).unwrap();
        let mut changed = id.as_str().to_owned();
        changed.replace_range(at..=at, &wrong);
        prop_assert_eq!(CitizenId::parse(&changed).is_ok(), changed == id.as_str());
    }

    #[test]
    fn identifiers_parse_to_themselves(
        serial in "[0-9A-Z]{1,64}",
        version in 1_u16..1000,
        at in any::<prop::sample::Index>(),
        wrong in "[0-9A-Z]",
    ) {
        let type_code = LicenceTypeCode::parse("11100000MB0143028R001").unwrap();
        let issuer = Uscc::parse("11320400DEM0001293").unwrap();
        let id = LicenceIdentifier::new(type_code, issuer, &serial, version).unwrap();
        let text = id.to_string();
        prop_assert_eq!(LicenceIdentifier::parse(&text), Ok(id));
        let mut changed = text.clone();
        let at = at.index(text.len());
        changed.replace_range(at..=at, &wrong);
        prop_assert_eq!(LicenceIdentifier::parse(&changed).is_ok(), changed == text);
    }

    #[test]
    fn any_text_is_refused_or_itself(text in "\\PC{0,40}") {
        if let Ok(code) = Uscc::parse(&text) { prop_assert_eq!(code.as_str(), &text); }
        if let Ok(id) = CitizenId::parse(&text) { prop_assert_eq!(id.as_str(), &text); }
        if let Ok(id) = LicenceIdentifier::parse(&text) { prop_assert_eq!(id.to_string(), text); }
    }
}
