#![allow(clippy::unwrap_used, reason = "a test may panic")]
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::wire::sha256;
use crate::wire::vectors::{self, hex, input, text, unhex};
use crate::wire::{PublicKey, SecretKey, UnixMillis, binary, json as our_json};

#[test]
fn vectors_of_licences() {
    vectors::run(
        "credential",
        &[
            ("licence.json", |case| {
                let licence = Licence::parse(&input(case)).map_err(|e| e.code())?;
                let key = licence.check_proof().map_err(|e| e.code())?;
                assert_eq!(&key, licence.issuer_key());
                assert_eq!(licence.canonical(), input(case));
                // The same bytes are good to a reader who knows only the suite.
                let foreign = eddsa_jcs::verify_foreign(&input(case)).unwrap();
                assert_eq!(foreign.key, key);
                Ok(json!({
                    "digest": licence.digest().to_base64url(),
                    "key": key.to_multibase(),
                    "configHash": hex(&sha256(&[&foreign.canonical_config]).0),
                    "documentHash": hex(&sha256(&[&foreign.canonical_document]).0),
                }))
            }),
            ("type-commitment.json", |case| {
                let salt = binary::decode_base64url_array(text(case, "salt")).unwrap();
                Ok(type_commitment(&salt, text(case, "type"))
                    .to_base64url()
                    .into())
            }),
        ],
    );
}

#[test]
fn vectors_of_the_suite() {
    vectors::run(
        "eddsa-jcs",
        &[
            ("w3c.json", |case| {
                let proof = eddsa_jcs::verify_foreign(&input(case)).map_err(|e| e.code())?;
                let value = proof.proof.member("proofValue").unwrap().as_text().unwrap();
                Ok(json!({
                    "canonicalDocument":
                        String::from_utf8(proof.canonical_document.clone()).unwrap(),
                    "canonicalConfig": String::from_utf8(proof.canonical_config.clone()).unwrap(),
                    "documentHash": hex(&sha256(&[&proof.canonical_document]).0),
                    "configHash": hex(&sha256(&[&proof.canonical_config]).0),
                    "signature": hex(&binary::decode_multibase(value).unwrap()),
                    "key": proof.key.to_multibase(),
                }))
            }),
            ("documents.json", |case| {
                let proof = eddsa_jcs::verify_foreign(&input(case)).map_err(|e| e.code())?;
                Ok(proof.key.to_multibase().into())
            }),
        ],
    );
}

/// The first case of the vectors: a business licence by the key of seed 01….
fn sample() -> Licence {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/vectors/credential/licence.json"
    );
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    Licence::parse(&input(&file["cases"][0])).unwrap()
}

fn key() -> SecretKey {
    SecretKey::from_seed([1; 32])
}

#[test]
fn signing_the_same_statements_gives_the_same_bytes() {
    let licence = sample();
    let bytes = licence
        .claims()
        .sign(&key(), licence.proof().created)
        .unwrap();
    assert_eq!(
        String::from_utf8(bytes).unwrap().as_bytes(),
        licence.canonical()
    );
}

#[test]
fn what_is_read_is_what_stands_there() {
    let licence = sample();
    assert_eq!(licence.id, "urn:uuid:0b8e5a3c-6d1f-4f2a-9c47-2f6b1d3e8a90");
    assert_eq!(licence.issuer.unit.as_str(), "11320400DEM0001293");
    assert_eq!(licence.status.origin, "log.zhao.example/2026");
    assert_eq!(licence.status.type_salt, None);
    assert_eq!(
        licence.subject.face_data["registeredCapital"],
        FaceValue::Int(5_000_000)
    );
    assert_eq!(
        licence.subject.face_data["smallBusiness"],
        FaceValue::Bool(true)
    );
    assert_eq!(licence.subject.issued_date.to_string(), "2026-03-02");
    assert_eq!(
        licence.valid_from,
        licence.subject.issued_date.start_beijing()
    );
    assert_eq!(
        licence.valid_until.unwrap().to_string(),
        "2031-03-01T16:00:00.000Z"
    );
    let value = our_json::parse(licence.canonical()).unwrap();
    assert_eq!(Licence::from_value(&value), Ok(licence));
}

#[test]
fn nothing_inconsistent_is_signed() {
    let refused = |change: &dyn Fn(&mut Unsigned)| {
        let mut claims = sample().claims().clone();
        change(&mut claims);
        claims.sign(&key(), UnixMillis(0)).unwrap_err().code()
    };
    assert_eq!(refused(&|c| c.id = "urn:uuid:1".into()), "field-value");
    assert_eq!(refused(&|c| c.issuer.name.clear()), "field-value");
    assert_eq!(refused(&|c| c.status.origin = "a b".into()), "field-value");
    assert_eq!(refused(&|c| c.valid_until = Some(c.valid_from)), "validity");
    assert_eq!(
        refused(&|c| c.subject.holder_code = "91320402DEM0010173".into()),
        "uscc-check"
    );
    assert_eq!(
        refused(&|c| c.subject.holder_name = "x".repeat(1025)),
        "field-too-long"
    );
    let other = crate::id::Uscc::parse("11420600DEM0001107").unwrap();
    assert_eq!(refused(&|c| c.issuer.unit = other.clone()), "issuer-unit");
    assert_eq!(
        refused(&|c| c.subject.issuing_authority_code = other.clone()),
        "identifier-issuer"
    );
    let face = |name: &str, value: FaceValue| {
        refused(&|c| drop(c.subject.face_data.insert(name.into(), value.clone())))
    };
    assert_eq!(face("Capital", FaceValue::Bool(true)), "face-data");
    assert_eq!(face("", FaceValue::Bool(true)), "face-data");
    assert_eq!(face("名", FaceValue::Bool(true)), "face-data");
    assert_eq!(face("a", FaceValue::Int(u64::MAX)), "face-data");
    assert_eq!(face("a", FaceValue::Text("x".repeat(4097))), "face-data");
    assert_eq!(face(&"a".repeat(129), FaceValue::Bool(true)), "face-data");
}

#[test]
fn a_credential_too_large_is_not_signed() {
    let mut claims = sample().claims().clone();
    for n in 0..70 {
        claims
            .subject
            .face_data
            .insert(format!("a{n}"), FaceValue::Text("x".repeat(4096)));
    }
    let error = claims.sign(&key(), UnixMillis(0)).unwrap_err();
    assert_eq!(error.code(), "json-too-long");
}

#[test]
fn people_do_not_show_in_debug() {
    let licence = sample();
    let shown = format!("{licence:?} {:?}", licence.claims());
    assert!(!shown.contains(&licence.subject.holder_name));
    assert!(!shown.contains(&licence.subject.holder_code));
    let mut status = licence.status.clone();
    status.type_salt = Some([7; 32]);
    assert!(!format!("{status:?}").contains('7'));
}

/// The context defines what a credential says, and nothing falls to a default vocabulary.
#[test]
fn the_context_defines_every_member() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/contexts/licence-v1.jsonld");
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let context = &file["@context"];
    assert_eq!(context["@protected"], true);
    assert!(!std::fs::read_to_string(path).unwrap().contains("@vocab"));
    let document: Value = serde_json::from_slice(sample().canonical()).unwrap();
    for (scope, object) in [
        (SUBJECT_TYPE, &document["credentialSubject"]),
        (
            STATUS_TYPE,
            &json!({ "origin": "", "type": "", "typeSalt": "" }),
        ),
    ] {
        let scoped = &context[scope]["@context"];
        assert_eq!(scoped["@protected"], true);
        let named = |term: &str| !scoped[term].is_null();
        for member in object.as_object().unwrap().keys() {
            assert!(named(member), "{scope}.{member}");
        }
    }
    assert!(!context["unit"].is_null() && !context[TYPES[1]].is_null());
    assert_eq!(context["Licence"]["@context"]["faceData"]["@type"], "@json");
}

proptest! {
    /// No byte of a credential can change without an error.
    #[test]
    fn a_changed_byte_is_refused(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let licence = sample();
        let mut bytes = licence.canonical().to_vec();
        let at = at.index(bytes.len());
        prop_assume!(bytes[at] != byte);
        bytes[at] = byte;
        let outcome = Licence::parse(&bytes).and_then(|changed| changed.check_proof());
        prop_assert!(outcome.is_err(), "{at} {byte}");
    }

    #[test]
    fn any_statements_survive_signing(
        holder in "\\PC{1,40}",
        face in proptest::collection::btree_map("[a-z][A-Za-z0-9]{0,8}", "\\PC{0,40}", 0..6),
        salt in any::<Option<[u8; 32]>>(),
        seed in any::<[u8; 32]>(),
    ) {
        let mut claims = sample().claims().clone();
        claims.subject.holder_name = holder;
        claims.subject.face_data =
            face.into_iter().map(|(name, text)| (name, FaceValue::Text(text))).collect();
        claims.status.type_salt = salt;
        let key = SecretKey::from_seed(seed);
        let bytes = claims.sign(&key, UnixMillis(1)).unwrap();
        let licence = Licence::parse(&bytes).unwrap();
        prop_assert_eq!(licence.claims(), &claims);
        prop_assert_eq!(licence.check_proof(), Ok(key.public()));
        prop_assert_eq!(eddsa_jcs::verify_foreign(&bytes).unwrap().key, key.public());
    }
}

#[test]
fn the_w3c_key_pair_signs_as_published() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/vectors/eddsa-jcs/w3c.json");
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let expected = &file["cases"][0]["expect"]["ok"];
    // keyPair.json, privateKeyMultibase: multicodec 0x1300 and the seed.
    let secret =
        binary::decode_multibase("z3u2en7t5LR2WtQH5PfFqMqwVHBeXouLzo6haApm8XHqvjxq").unwrap();
    assert_eq!(secret[..2], [0x80, 0x26]);
    let key = SecretKey::from_seed(secret[2..].try_into().unwrap());
    assert_eq!(
        key.public(),
        PublicKey::from_multibase(text(expected, "key")).unwrap()
    );
    let value = eddsa_jcs::proof_value(
        &key,
        text(expected, "canonicalConfig").as_bytes(),
        text(expected, "canonicalDocument").as_bytes(),
    );
    assert_eq!(
        binary::decode_multibase(&value.unwrap()).unwrap(),
        unhex(text(expected, "signature"))
    );
}
