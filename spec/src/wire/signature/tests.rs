#![allow(clippy::unwrap_used, reason = "a test may panic")]
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::wire::vectors::{self, Outcome, hex, text, unhex};

fn verify(case: &Value) -> Outcome {
    let (key, signature) = (unhex(text(case, "key")), unhex(text(case, "signature")));
    // Another length cannot be said in our types; the texts that carry them refuse it.
    let Ok(signature) = signature.try_into() else {
        return Err("binary-wrong-length");
    };
    let key = PublicKey::from_bytes(&key.try_into().unwrap()).map_err(|e| e.code())?;
    key.verify(&unhex(text(case, "message")), &Signature(signature))
        .map_err(|e| e.code())?;
    Ok(true.into())
}

#[test]
fn vectors_of_signatures() {
    vectors::run(
        "signature",
        &[
            ("key-text.json", |case| {
                let key = PublicKey::from_multibase(text(case, "input")).map_err(|e| e.code())?;
                assert_eq!(key.to_multibase(), text(case, "input"));
                assert_eq!(key.did_key(), format!("did:key:{}", text(case, "input")));
                Ok(hex(&key.to_bytes()).into())
            }),
            ("key.json", |case| {
                let bytes = unhex(text(case, "key")).try_into().unwrap();
                let key = PublicKey::from_bytes(&bytes).map_err(|e| e.code())?;
                Ok(json!({
                    "multibase": key.to_multibase(),
                    "thumbprint": key.thumbprint().to_base64url(),
                }))
            }),
            ("sign.json", |case| {
                let key = SecretKey::from_seed(unhex(text(case, "seed")).try_into().unwrap());
                let signature = key.sign(&unhex(text(case, "message")));
                Ok(json!({ "key": hex(&key.public().to_bytes()), "signature": hex(&signature.0) }))
            }),
            ("verify.json", verify),
            ("wycheproof.json", |case| match verify(case) {
                Ok(ok) => Ok(ok),
                Err(_) => Err("refused"),
            }),
        ],
    );
}

/// The vector file is Wycheproof's whole Ed25519 set, with the outcome Wycheproof states.
#[test]
fn wycheproof_agrees_case_by_case() {
    let set = wycheproof::eddsa::TestSet::load(wycheproof::eddsa::TestName::Ed25519).unwrap();
    let mut cases = Vec::new();
    for group in &set.test_groups {
        for test in &group.tests {
            let expect = match test.result {
                wycheproof::TestResult::Valid => json!({ "ok": true }),
                _ => json!({ "error": "refused" }),
            };
            let case = json!({
                "name": format!("{} {}", test.tc_id, test.comment),
                "key": hex(&group.key.pk),
                "message": hex(&test.msg),
                "signature": hex(&test.sig),
                "expect": expect,
            });
            assert_eq!(
                verify(&case).is_ok(),
                case["expect"]["ok"] == true,
                "{}",
                test.tc_id
            );
            cases.push(case);
        }
    }
    assert!(cases.len() > 100);
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/vectors/signature/wycheproof.json"
    );
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(file["cases"], Value::Array(cases));
}

#[test]
fn secrets_do_not_show() {
    let key = SecretKey::from_seed([7; 32]);
    assert_eq!(
        format!("{key:?}"),
        format!("SecretKey(of {})", key.public())
    );
    assert_eq!(*key.to_seed(), [7; 32]);
}

#[test]
fn keys_are_ordered_by_their_bytes() {
    let mut keys: Vec<PublicKey> = (0..8)
        .map(|n| SecretKey::from_seed([n; 32]).public())
        .collect();
    keys.sort();
    assert!(
        keys.windows(2)
            .all(|pair| pair[0].to_bytes() < pair[1].to_bytes())
    );
}

#[test]
fn a_verification_method_names_the_key_twice() {
    let key = SecretKey::from_seed([1; 32]).public();
    let text = key.to_multibase();
    assert_eq!(key.verification_method(), format!("did:key:{text}#{text}"));
    assert_eq!(text.len(), 48);
    assert!(text.starts_with("z6Mk"));
}

proptest! {
    #[test]
    fn what_is_signed_verifies_and_nothing_near_it(
        seed in any::<[u8; 32]>(),
        message in any::<Vec<u8>>(),
        bit in 0_usize..512,
    ) {
        let key = SecretKey::from_seed(seed);
        let signature = key.sign(&message);
        prop_assert_eq!(key.public().verify(&message, &signature), Ok(()));
        prop_assert_eq!(PublicKey::from_bytes(&key.public().to_bytes()), Ok(key.public()));
        prop_assert_eq!(Signature::from_base64url(&signature.to_base64url()), Ok(signature));
        let mut changed = signature;
        changed.0[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(key.public().verify(&message, &changed).is_err());
        let mut other = message;
        other.push(0);
        prop_assert_eq!(key.public().verify(&other, &signature), Err(SignatureError::Mismatch));
    }

    #[test]
    fn a_key_has_one_encoding(bytes in any::<[u8; 32]>()) {
        if let Ok(key) = PublicKey::from_bytes(&bytes) {
            prop_assert_eq!(key.to_bytes(), bytes);
            prop_assert_eq!(PublicKey::from_multibase(&key.to_multibase()), Ok(key));
        }
    }
}
