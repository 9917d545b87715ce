#![allow(clippy::unwrap_used, reason = "a test may panic")]
use zhao_spec::wire::{Hash, SecretKey};

use super::*;
use crate::did::Document;

const DID: &str = "did:web:a.example:units:11320400DEM0001293";

fn record() -> IssuerRecord {
    let key = |seed, from, until: Option<u64>, compromised: Option<u64>| IssuerKey {
        compromised_from: compromised.map(LeafIndex),
        from: LeafIndex(from),
        key: SecretKey::from_seed([seed; 32]).public(),
        types: Vec::new(),
        until: until.map(LeafIndex),
    };
    IssuerRecord {
        index: LeafIndex(90),
        keys: vec![
            key(1, 10, Some(50), None),
            key(2, 50, Some(80), Some(60)),
            key(3, 80, None, None),
        ],
        latest: Hash([0; 32]),
        proposals: Vec::new(),
        seq: 4,
        state: UnitState::Active,
        unit: "11320400DEM0001293".to_owned(),
    }
}

fn url(seed: u8) -> String {
    format!(
        "{DID}#{}",
        SecretKey::from_seed([seed; 32]).public().to_multibase()
    )
}

/// What a stranger makes of it, with the same strict reader as of any document.
#[test]
fn a_rotated_key_verifies_and_a_compromised_one_does_not() {
    let document = Document::read(&unit_document(DID, &record()), DID).unwrap();
    let code = |seed, purpose| document.method(&url(seed), purpose).map_err(|e| e.code());
    assert!(code(1, "assertionMethod").is_ok());
    assert!(code(3, "assertionMethod").is_ok());
    assert_eq!(code(2, "assertionMethod").unwrap_err(), "did-purpose");
    assert_eq!(code(1, "authentication").unwrap_err(), "did-purpose");
    assert_eq!(code(2, "authentication").unwrap_err(), "did-purpose");
    assert!(code(3, "authentication").is_ok());
    assert_eq!(code(4, "assertionMethod").unwrap_err(), "did-no-method");
}

#[test]
fn the_windows_stand_beside_the_keys() {
    let document = unit_document(DID, &record());
    let Some(Foreign::Array(methods)) = document.member("verificationMethod") else {
        panic!("no methods");
    };
    let window = |at: usize, name: &str| {
        methods[at]
            .member("keyWindow")
            .unwrap()
            .member(name)
            .cloned()
    };
    assert_eq!(window(0, "from"), Some(Foreign::Number(10.0)));
    assert_eq!(window(0, "until"), Some(Foreign::Number(50.0)));
    assert_eq!(window(0, "compromisedFrom"), None);
    assert_eq!(window(1, "compromisedFrom"), Some(Foreign::Number(60.0)));
    assert_eq!(window(2, "until"), None);
}

#[test]
fn who_has_the_log_judges_by_index() {
    let record = record();
    let at = |seed, index: Option<u64>| {
        let methods = UnitMethods {
            did: DID,
            record: &record,
            at: index.map(LeafIndex),
        };
        methods
            .method(&url(seed), "assertionMethod")
            .map_err(|e| e.code())
    };
    for (seed, index, ok) in [
        (1, Some(9), false),
        (1, Some(10), true),
        (1, Some(49), true),
        (1, Some(50), false),
        (1, None, false),
        // Before it was compromised, it signed what stands; from then on nothing.
        (2, Some(59), true),
        (2, Some(60), false),
        (2, None, false),
        (3, Some(79), false),
        (3, Some(80), true),
        (3, None, true),
    ] {
        let expected = if ok { None } else { Some("did-not-in-force") };
        assert_eq!(at(seed, index).err(), expected, "{seed} {index:?}");
    }
    assert_eq!(at(4, Some(50)).unwrap_err(), "did-no-method");
}

#[test]
fn a_suspended_unit_authenticates_nobody() {
    let mut record = record();
    record.state = UnitState::Suspended;
    let document = Document::read(&unit_document(DID, &record), DID).unwrap();
    assert!(document.method(&url(3), "authentication").is_err());
    assert!(document.method(&url(1), "assertionMethod").is_ok());
    let methods = UnitMethods {
        did: DID,
        record: &record,
        at: None,
    };
    for purpose in ["authentication", "assertionMethod"] {
        let error = methods.method(&url(3), purpose).unwrap_err();
        assert_eq!(error.code(), "did-not-in-force");
    }
    let error = methods.method(&url(3), "keyAgreement").unwrap_err();
    assert_eq!(error.code(), "did-purpose");
    let foreign = url(3).replace("a.example", "b.example");
    assert_eq!(
        methods
            .method(&foreign, "assertionMethod")
            .unwrap_err()
            .code(),
        "did-no-method"
    );
}
