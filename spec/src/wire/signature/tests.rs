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
    let message = unhex(text(case, "message"));
    let verdict = key.verify(&message, &Signature(signature));
    assert_eq!(
        verdict.is_ok(),
        other_verdict(&key.to_bytes(), &message, &signature),
        "{case}"
    );
    let prepared = PreparedKey::new(key).verify(&message, &Signature(signature));
    assert_eq!(prepared, verdict, "{case}");
    verdict.map_err(|e| e.code())?;
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

/// Every encoding of every point of small order, canonical or not, and those whose y is at least p.
fn odd_points() -> Vec<[u8; 32]> {
    let mut points = Vec::new();
    for torsion in curve25519_dalek::constants::EIGHT_TORSION {
        points.push(torsion.compress().0);
    }
    for low in 0xec..=0xff_u8 {
        let mut y = [0xff; 32];
        (y[0], y[31]) = (low, 0x7f);
        points.push(y);
    }
    for low in [0, 1, 2] {
        let mut y = [0; 32];
        y[0] = low;
        points.push(y);
    }
    let signed: Vec<[u8; 32]> = points
        .iter()
        .map(|point| {
            let mut point = *point;
            point[31] |= 0x80;
            point
        })
        .collect();
    points.extend(signed);
    points
}

/// What encoding the decoded point again says.
fn again(bytes: &[u8; 32]) -> Option<bool> {
    let point = CompressedEdwardsY(*bytes).decompress()?;
    Some(point.compress().as_bytes() == bytes)
}

/// The verdict of another implementation of the same rules.
fn other_verdict(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    ed25519_dalek::VerifyingKey::from_bytes(key).is_ok_and(|key| {
        key.verify_strict(message, &ed25519_dalek::Signature::from_bytes(signature))
            .is_ok()
    })
}

#[test]
fn canonical_is_what_encoding_again_gives() {
    for bytes in odd_points() {
        if let Some(same) = again(&bytes) {
            assert_eq!(is_canonical(&bytes), same, "{}", hex(&bytes));
        }
    }
}

/// Signatures whose R, s or A is odd: whatever the equation says, both verdicts are one, and our
/// error names R when R is at fault.
#[test]
fn odd_points_and_scalars_have_one_verdict() {
    let secret = SecretKey::from_seed([3; 32]);
    let (key, message) = (secret.public(), b"message");
    let signature = secret.sign(message);
    let (_, s) = signature.halves();
    let scalars = [[0; 32], s, (-Scalar::ONE).to_bytes(), [0xff; 32]];
    for point in odd_points() {
        for s in scalars {
            let odd: [u8; 64] = [point, s].concat().try_into().unwrap();
            assert!(!other_verdict(&key.to_bytes(), message, &odd));
            let error = key.verify(message, &Signature(odd)).unwrap_err();
            let expected = if s == [0xff; 32] {
                SignatureError::ScalarNotReduced
            } else {
                match again(&point) {
                    None => SignatureError::PointNotPoint,
                    Some(false) => SignatureError::PointNotCanonical,
                    Some(true) if is_small(&point) => SignatureError::PointSmallOrder,
                    Some(true) => SignatureError::Mismatch,
                }
            };
            assert_eq!(error, expected, "{}", hex(&odd));
        }
        let signed: [u8; 64] = signature.0;
        assert!(
            !other_verdict(&point, message, &signed),
            "{} has signed",
            hex(&point)
        );
        if let Ok(key) = PublicKey::from_bytes(&point) {
            assert_eq!(
                key.verify(message, &signature),
                Err(SignatureError::Mismatch)
            );
        }
    }
}

fn is_small(bytes: &[u8; 32]) -> bool {
    let point = CompressedEdwardsY(*bytes).decompress().unwrap();
    point.is_small_order()
}

/// A signer that takes r so that R is of small order and the equation holds: only the check of R's
/// order refuses it.
#[test]
fn an_equation_that_holds_with_r_of_small_order_is_refused() {
    let (a, message) = (Scalar::from(12_345_u64), b"anything");
    let key = PublicKey::from_bytes(&EdwardsPoint::mul_base(&a).compress().0).unwrap();
    let r = [
        1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0,
    ];
    let hash = Sha512::new()
        .chain_update(r)
        .chain_update(key.to_bytes())
        .chain_update(message);
    let k = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
    let signature: [u8; 64] = [r, (k * a).to_bytes()].concat().try_into().unwrap();
    assert!(!other_verdict(&key.to_bytes(), message, &signature));
    assert_eq!(
        key.verify(message, &Signature(signature)),
        Err(SignatureError::PointSmallOrder)
    );
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
    fn the_verdict_is_that_of_verify_strict(
        seed in any::<[u8; 32]>(),
        message in any::<Vec<u8>>(),
        flips in proptest::collection::vec(0_usize..768, 0..3),
    ) {
        let key = SecretKey::from_seed(seed);
        let mut bytes = key.public().to_bytes().to_vec();
        bytes.extend_from_slice(&key.sign(&message).0);
        for flip in flips {
            bytes[flip / 8] ^= 1 << (flip % 8);
        }
        let (key, signature) = bytes.split_at(32);
        let key: [u8; 32] = key.try_into().unwrap();
        let signature: [u8; 64] = signature.try_into().unwrap();
        let ours = PublicKey::from_bytes(&key)
            .is_ok_and(|key| key.verify(&message, &Signature(signature)).is_ok());
        prop_assert_eq!(ours, other_verdict(&key, &message, &signature));
    }

    #[test]
    fn canonical_agrees_on_random_bytes(bytes in any::<[u8; 32]>()) {
        if let Some(same) = again(&bytes) {
            prop_assert_eq!(is_canonical(&bytes), same);
        }
    }

    #[test]
    fn a_key_has_one_encoding(bytes in any::<[u8; 32]>()) {
        if let Ok(key) = PublicKey::from_bytes(&bytes) {
            prop_assert_eq!(key.to_bytes(), bytes);
            prop_assert_eq!(PublicKey::from_multibase(&key.to_multibase()), Ok(key));
        }
    }
}
