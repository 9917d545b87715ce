//! Proofs of the W3C hold, and of every change to one something notices.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::*;
use serde_json::{Value, json};
use zhao_spec::wire::SecretKey;
use zhao_spec::wire::foreign::parse_foreign;

use super::*;
use crate::did::DidKey;

const NOON: &str = "2026-03-02T12:00:00Z";

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed([seed; 32])
}

fn foreign(value: &Value) -> Foreign {
    parse_foreign(value.to_string().as_bytes()).unwrap()
}

fn json_of(value: &Foreign) -> Value {
    serde_json::from_slice(&canonicalize(value)).unwrap()
}

fn expect() -> Expect<'static> {
    Expect {
        purpose: "assertionMethod",
        domain: None,
        challenge: None,
        controller: None,
        at: date_time_stamp(NOON).unwrap(),
        suites: Suite::ALL,
    }
}

fn judge(document: &Value, expect: &Expect<'_>) -> Result<Vec<Verified>, &'static str> {
    verify(&foreign(document), expect, &DidKey, &Contexts::standard()).map_err(|e| e.code())
}

fn credential() -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/credentials/v2",
                     "https://www.w3.org/ns/credentials/examples/v2"],
        "id": "urn:uuid:0b8e5a3c-6d1f-4f2a-9c47-2f6b1d3e8a90",
        "type": ["VerifiableCredential", "ExampleCredential"],
        "issuer": key(1).public().did_key(),
        "name": {"@value": "执照", "@language": "zh-CN"},
        "credentialSubject": {"id": "did:example:s", "score": 1.5, "passed": true},
    })
}

/// A credential with one proof more.
fn signed(document: &Value, suite: Suite, seed: u8, more: Options<'_>) -> Value {
    let method = key(seed).public().verification_method();
    let purpose = if more.purpose.is_empty() {
        "assertionMethod"
    } else {
        more.purpose
    };
    let options = Options {
        suite,
        verification_method: &method,
        purpose,
        created: Some(NOON),
        ..more
    };
    let contexts = Contexts::standard();
    json_of(&add(&foreign(document), &options, &key(seed), &contexts).unwrap())
}

fn one_of(suite: Suite) -> Value {
    signed(&credential(), suite, 1, Options::default())
}

#[test]
fn proofs_sets_and_chains_of_the_w3c_hold() {
    let file: Value =
        serde_json::from_str(include_str!("../../../vectors/data-integrity/w3c.json")).unwrap();
    for case in file["cases"].as_array().unwrap() {
        let document: Value = serde_json::from_str(case["input"].as_str().unwrap()).unwrap();
        let suites: Vec<&str> = judge(&document, &expect())
            .unwrap_or_else(|code| panic!("{}: {code}", case["name"]))
            .iter()
            .map(|verified| verified.suite.as_str())
            .collect();
        assert_eq!(json!(suites), case["expect"]["ok"], "{}", case["name"]);
        // One claim changed, and no proof of it holds.
        let mut forged = document;
        forged["name"] = json!("forged");
        assert_eq!(judge(&forged, &expect()), Err("signature-mismatch"));
    }
}

#[test]
fn what_we_sign_we_verify() {
    for suite in Suite::ALL.iter().copied() {
        let [verified] = &judge(&one_of(suite), &expect()).unwrap()[..] else {
            panic!("one proof");
        };
        assert_eq!(verified.suite, suite);
        assert_eq!(verified.controller, key(1).public().did_key());
        assert_eq!(verified.created, date_time_stamp(NOON));
    }
}

#[test]
fn every_claim_and_every_word_of_the_proof_is_signed() {
    for suite in Suite::ALL.iter().copied() {
        let document = one_of(suite);
        for (pointer, value, code) in [
            ("/id", json!("urn:uuid:x"), "signature-mismatch"),
            ("/name/@value", json!("照"), "signature-mismatch"),
            ("/name/@language", json!("en"), "signature-mismatch"),
            ("/type/1", json!("Other"), "signature-mismatch"),
            (
                "/credentialSubject/score",
                json!(1.25),
                "signature-mismatch",
            ),
            (
                "/credentialSubject/passed",
                json!(false),
                "signature-mismatch",
            ),
            (
                "/proof/created",
                json!("2026-03-02T12:00:01Z"),
                "signature-mismatch",
            ),
            ("/proof/nonce", json!("n"), "signature-mismatch"),
            ("/proof/domain", json!("d"), "signature-mismatch"),
            ("/proof/challenge", json!("c"), "signature-mismatch"),
            ("/proof/id", json!("urn:uuid:p"), "signature-mismatch"),
            (
                "/proof/expires",
                json!("2030-01-01T00:00:00Z"),
                "signature-mismatch",
            ),
            ("/proof/type", json!("Ed25519Signature2020"), "proof-type"),
            ("/proof/type", json!(["DataIntegrityProof"]), "proof-shape"),
            ("/proof/cryptosuite", json!("ecdsa-jcs-2019"), "proof-suite"),
            (
                "/proof/proofPurpose",
                json!("authentication"),
                "proof-purpose",
            ),
            ("/proof/created", json!("yesterday"), "proof-time"),
            ("/proof/created", json!("2026-03-02T12:00:00"), "proof-time"),
            ("/proof/expires", json!(NOON), "proof-expired"),
            ("/proof/expires", json!("soon"), "proof-time"),
            (
                "/proof/previousProof",
                json!("urn:uuid:none"),
                "proof-previous",
            ),
            ("/proof/previousProof", json!(7), "proof-shape"),
            ("/proof/domain", json!({"a": 1}), "proof-shape"),
            ("/proof/proofValue", json!(""), "proof-shape"),
            ("/proof/proofValue", json!("z1"), "binary-wrong-length"),
            ("/proof/proofValue", json!("u1234"), "binary-multibase"),
            (
                "/proof/verificationMethod",
                json!("did:key:z6MkX#z6MkX"),
                "did-key",
            ),
            (
                "/proof/verificationMethod",
                json!("did:example:x#y"),
                "did-unknown",
            ),
        ] {
            let mut forged = document.clone();
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            let place = forged.pointer_mut(parent).unwrap();
            match place {
                Value::Array(items) => items[1] = value,
                other => other[name] = value,
            }
            assert_eq!(judge(&forged, &expect()), Err(code), "{suite:?} {pointer}");
        }
        for (member, code) in [
            ("cryptosuite", "proof-shape"),
            ("verificationMethod", "proof-shape"),
            ("proofPurpose", "proof-shape"),
            ("proofValue", "proof-shape"),
            ("type", "proof-shape"),
            ("created", "signature-mismatch"),
        ] {
            let mut forged = document.clone();
            forged["proof"].as_object_mut().unwrap().remove(member);
            assert_eq!(judge(&forged, &expect()), Err(code), "{suite:?} {member}");
        }
    }
}

#[test]
fn a_claim_that_is_added_is_noticed() {
    let mut json = one_of(Suite::EddsaJcs2022);
    json["credentialSubject"]["more"] = json!("x");
    assert_eq!(judge(&json, &expect()), Err("signature-mismatch"));
    // Under RDF a claim could hide where no statement is made of it.
    let rdf = one_of(Suite::EddsaRdfc2022);
    for (member, value, code) in [
        ("more", json!("x"), "signature-mismatch"),
        ("more", Value::Null, "rdf-null"),
        ("@index", json!("x"), "rdf-keyword"),
        ("@more", json!("x"), "rdf-keyword"),
    ] {
        let mut forged = rdf.clone();
        forged["credentialSubject"][member] = value;
        assert_eq!(judge(&forged, &expect()), Err(code), "{member}");
    }
    let mut forged = rdf.clone();
    forged["@context"]
        .as_array_mut()
        .unwrap()
        .push(json!({"more": null}));
    forged["credentialSubject"]["more"] = json!("x");
    assert_eq!(judge(&forged, &expect()), Err("rdf-context-inline"));
    let mut fewer = rdf;
    fewer["@context"].as_array_mut().unwrap().pop();
    assert_eq!(judge(&fewer, &expect()), Err("rdf-undefined"));
}

#[test]
fn contexts_of_the_json_suite_are_signed() {
    let document = one_of(Suite::EddsaJcs2022);
    let mut more = document.clone();
    more["@context"]
        .as_array_mut()
        .unwrap()
        .push(json!("https://example.org/more"));
    // §3.3.2: contexts may be added behind those that were signed.
    assert!(judge(&more, &expect()).is_ok());
    for contexts in [
        json!([
            "https://www.w3.org/ns/credentials/examples/v2",
            "https://www.w3.org/ns/credentials/v2"
        ]),
        json!(["https://www.w3.org/ns/credentials/v2"]),
        json!("https://www.w3.org/ns/credentials/v2"),
        json!([]),
    ] {
        let mut forged = document.clone();
        forged["@context"] = contexts.clone();
        assert_eq!(
            judge(&forged, &expect()),
            Err("proof-context"),
            "{contexts}"
        );
    }
    let mut without = document.clone();
    without.as_object_mut().unwrap().remove("@context");
    assert_eq!(judge(&without, &expect()), Err("proof-context"));
    let mut unsigned = document;
    unsigned["proof"]
        .as_object_mut()
        .unwrap()
        .remove("@context");
    assert_eq!(judge(&unsigned, &expect()), Err("signature-mismatch"));
}

#[test]
fn a_suite_is_chosen_by_who_verifies() {
    for (made, accepted) in [
        (Suite::EddsaJcs2022, Suite::EddsaRdfc2022),
        (Suite::EddsaRdfc2022, Suite::EddsaJcs2022),
    ] {
        let expect = Expect {
            suites: &[accepted],
            ..expect()
        };
        assert_eq!(judge(&one_of(made), &expect), Err("proof-suite"));
        // Nor does it help to call one the other.
        let mut renamed = one_of(made);
        renamed["proof"]["cryptosuite"] = json!(accepted.as_str());
        assert_eq!(judge(&renamed, &expect), Err("signature-mismatch"));
    }
}

#[test]
fn a_proof_for_somebody_else_or_another_occasion_is_refused() {
    for suite in Suite::ALL.iter().copied() {
        let document = signed(
            &credential(),
            suite,
            1,
            Options {
                purpose: "authentication",
                domain: Some("bank.example"),
                challenge: Some("c-1"),
                expires: Some("2026-03-02T12:05:00Z"),
                ..Options::default()
            },
        );
        let right = Expect {
            purpose: "authentication",
            domain: Some("bank.example"),
            challenge: Some("c-1"),
            ..expect()
        };
        assert!(judge(&document, &right).is_ok());
        let late = date_time_stamp("2026-03-02T12:05:00Z").unwrap();
        for (expect, code) in [
            (
                Expect {
                    domain: Some("other.example"),
                    ..right
                },
                "proof-domain",
            ),
            (
                Expect {
                    challenge: Some("c-2"),
                    ..right
                },
                "proof-challenge",
            ),
            (
                Expect {
                    purpose: "assertionMethod",
                    ..right
                },
                "proof-purpose",
            ),
            (Expect { at: late, ..right }, "proof-expired"),
            (
                Expect {
                    controller: Some("did:key:z6MkOther"),
                    ..right
                },
                "proof-controller",
            ),
        ] {
            assert_eq!(judge(&document, &expect), Err(code));
        }
        // A proof that answers nothing answers no challenge.
        let bare = signed(
            &credential(),
            suite,
            1,
            Options {
                purpose: "authentication",
                ..Options::default()
            },
        );
        let asked = Expect {
            domain: None,
            ..right
        };
        assert_eq!(judge(&bare, &asked), Err("proof-challenge"));
        let named = Expect {
            challenge: None,
            ..right
        };
        assert_eq!(judge(&bare, &named), Err("proof-domain"));
    }
}

#[test]
fn a_key_of_somebody_else_signs_nothing_of_the_issuer() {
    let did = key(1).public().did_key();
    let expect = Expect {
        controller: Some(&did),
        ..expect()
    };
    for suite in Suite::ALL.iter().copied() {
        assert!(judge(&one_of(suite), &expect).is_ok());
        let other = signed(&credential(), suite, 2, Options::default());
        assert_eq!(judge(&other, &expect), Err("proof-controller"));
    }
}

#[test]
fn all_proofs_of_a_set_must_hold() {
    for (first, second) in [
        (Suite::EddsaJcs2022, Suite::EddsaRdfc2022),
        (Suite::EddsaRdfc2022, Suite::EddsaJcs2022),
    ] {
        let set = signed(&one_of(first), second, 2, Options::default());
        assert_eq!(judge(&set, &expect()).unwrap().len(), 2);
        for at in [0, 1] {
            let mut forged = set.clone();
            forged["proof"][at]["created"] = json!("2026-03-02T12:00:01Z");
            assert_eq!(judge(&forged, &expect()), Err("signature-mismatch"), "{at}");
            let mut alien = set.clone();
            alien["proof"][at] = json!("no object");
            assert_eq!(judge(&alien, &expect()), Err("proof-shape"));
        }
        // One taken away leaves the other as good as before: a set is no chain.
        let mut fewer = set;
        fewer["proof"].as_array_mut().unwrap().remove(0);
        assert!(judge(&fewer, &expect()).is_ok());
    }
}

#[test]
fn a_proof_upon_another_holds_only_with_it() {
    for suite in Suite::ALL.iter().copied() {
        let options = |id, previous| Options {
            id: Some(id),
            previous_proof: previous,
            ..Options::default()
        };
        let one = signed(&credential(), suite, 1, options("urn:uuid:a", &[]));
        let two = signed(&one, suite, 2, options("urn:uuid:b", &["urn:uuid:a"]));
        assert_eq!(judge(&two, &expect()).unwrap().len(), 2);

        let mut alone = two.clone();
        alone["proof"].as_array_mut().unwrap().remove(0);
        assert_eq!(judge(&alone, &expect()), Err("proof-previous"));

        // The first replaced by another that holds as well, of the same name.
        let other = signed(&credential(), suite, 3, options("urn:uuid:a", &[]));
        let mut swapped = two.clone();
        swapped["proof"][0] = other["proof"].clone();
        assert_eq!(judge(&swapped, &expect()), Err("signature-mismatch"));

        let mut twice = two.clone();
        let again = twice["proof"][0].clone();
        twice["proof"].as_array_mut().unwrap().push(again);
        assert_eq!(judge(&twice, &expect()), Err("proof-duplicate"));

        let mut loose = two;
        loose["proof"][1]
            .as_object_mut()
            .unwrap()
            .remove("previousProof");
        assert_eq!(judge(&loose, &expect()), Err("signature-mismatch"));
    }
}

#[test]
fn no_proof_is_made_upon_one_that_is_not_there_or_at_no_time() {
    let document = foreign(&credential());
    let method = key(1).public().verification_method();
    let right = Options {
        verification_method: &method,
        purpose: "assertionMethod",
        ..Options::default()
    };
    let refused = |document: &Foreign, options: &Options<'_>| {
        let contexts = Contexts::standard();
        add(document, options, &key(1), &contexts)
            .unwrap_err()
            .code()
    };
    for (options, code) in [
        (
            Options {
                previous_proof: &["urn:uuid:a"],
                ..right.clone()
            },
            "proof-previous",
        ),
        (
            Options {
                created: Some("now"),
                ..right.clone()
            },
            "proof-time",
        ),
        (
            Options {
                expires: Some("2026-03-02"),
                ..right.clone()
            },
            "proof-time",
        ),
        (
            Options {
                verification_method: "",
                ..right.clone()
            },
            "proof-shape",
        ),
        (
            Options {
                purpose: "",
                ..right.clone()
            },
            "proof-shape",
        ),
        (
            Options {
                domain: Some(""),
                ..right.clone()
            },
            "proof-shape",
        ),
    ] {
        assert_eq!(refused(&document, &options), code);
    }
    assert_eq!(refused(&Foreign::Array(vec![]), &right), "proof-shape");
    let mut full = credential();
    full["proof"] = json!(vec![json!({}); PROOFS]);
    assert_eq!(refused(&foreign(&full), &right), "proof-too-many");
    // As many as there may be are looked at.
    assert_eq!(judge(&full, &expect()), Err("proof-shape"));
    full["proof"] = json!(vec![json!({}); PROOFS + 1]);
    assert_eq!(judge(&full, &expect()), Err("proof-too-many"));
    let mut undefined = credential();
    undefined["@context"].as_array_mut().unwrap().pop();
    let rdf = Options {
        suite: Suite::EddsaRdfc2022,
        ..right
    };
    assert_eq!(refused(&foreign(&undefined), &rdf), "rdf-undefined");
}

#[test]
fn a_document_without_proof_proves_nothing() {
    assert_eq!(judge(&credential(), &expect()), Err("proof-missing"));
    for (proof, code) in [
        (json!([]), "proof-missing"),
        (json!({}), "proof-shape"),
        (json!("z"), "proof-shape"),
        (json!([[]]), "proof-shape"),
        (Value::Null, "proof-shape"),
    ] {
        let mut document = credential();
        document["proof"] = proof.clone();
        assert_eq!(judge(&document, &expect()), Err(code), "{proof}");
    }
    assert_eq!(judge(&json!([]), &expect()), Err("proof-shape"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_is_signed_as_it_is(name in "\\PC{0,40}", score in any::<i32>()) {
        let mut document = credential();
        document["name"] = json!(name);
        document["credentialSubject"]["score"] = json!(score);
        for suite in Suite::ALL.iter().copied() {
            let signed = signed(&document, suite, 1, Options::default());
            prop_assert!(judge(&signed, &expect()).is_ok());
        }
    }
}
