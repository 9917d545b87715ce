#![allow(clippy::unwrap_used, reason = "a test may panic")]
//! The vectors of `spec/vectors/cose/` are made here and run here.

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use zhao_spec::wire::binary::{decode_base64url, encode_base64url};

use super::*;
use crate::did::DidKey;
use crate::jose::tests::{
    AT, BOTH, back, credential, foreign, method, path, policy, presentation, rendered, run, secret,
};

const DESCRIPTION: &str = "`credential`, `presentation`: a COSE_Sign1 in base64url verified at \
    1796083200, with 60 seconds of skew, by the keys that did:key names. `aud`, `nonce`: what was \
    asked.";
const SOURCE: &str = "ours, after RFC 9052, RFC 9596, RFC 9597 and VC-JOSE-COSE";

/// A message whose parts can be exchanged one by one.
#[derive(Clone)]
struct Parts {
    tag: u64,
    protected: Vec<(Vec<u8>, Vec<u8>)>,
    unprotected: Vec<(Vec<u8>, Vec<u8>)>,
    payload: Option<Vec<u8>>,
    seed: u8,
    context: &'static str,
}

fn item(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut out = Writer::default();
    write(&mut out);
    out.finish()
}

fn int(value: i64) -> Vec<u8> {
    item(|out| out.integer(value))
}

fn txt(value: &str) -> Vec<u8> {
    item(|out| out.text(value))
}

fn bstr(value: &[u8]) -> Vec<u8> {
    item(|out| out.bytes(value))
}

fn map(entries: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = item(|out| out.map(entries.len()));
    for (key, value) in entries {
        bytes.extend_from_slice(key);
        bytes.extend_from_slice(value);
    }
    bytes
}

impl Parts {
    fn good() -> Self {
        Self {
            tag: 18,
            protected: vec![
                (int(1), int(-8)),
                (int(3), txt("application/vc")),
                (int(4), bstr(method(1).id.as_bytes())),
                (int(16), txt("application/vc+cose")),
            ],
            unprotected: Vec::new(),
            payload: Some(credential(1).to_string().into_bytes()),
            seed: 1,
            context: "Signature1",
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let protected = map(&self.protected);
        let payload = self.payload.clone().unwrap_or_default();
        let signed = item(|out| {
            out.array(4);
            out.text(self.context);
            out.bytes(&protected);
            out.bytes(&[]);
            out.bytes(&payload);
        });
        let mut bytes = item(|out| {
            out.tag(self.tag);
            out.array(4);
            out.bytes(&protected);
        });
        bytes.extend(map(&self.unprotected));
        bytes.extend(item(|out| match &self.payload {
            Some(payload) => out.bytes(payload),
            None => out.null(),
        }));
        bytes.extend(bstr(&secret(self.seed).sign(&signed).0));
        bytes
    }
}

fn case(name: &str, op: &str, message: &[u8], expect: Json) -> Json {
    json!({"name": name, "op": op, "message": encode_base64url(message), "expect": expect})
}

fn cases() -> Vec<Json> {
    let issued = |algorithm| {
        let document = foreign(&credential(1));
        issue_credential(&document, &method(1), algorithm, &secret(1)).unwrap()
    };
    let ok = json!({"ok": {"document": credential(1), "issuer": method(1).controller}});
    let good = issued(Algorithm::EdDsa);
    let mut cases = vec![
        case("eddsa", "credential", &good, ok.clone()),
        case(
            "ed25519",
            "credential",
            &issued(Algorithm::Ed25519),
            ok.clone(),
        ),
    ];
    let edited = |change: &dyn Fn(&mut Parts)| {
        let mut parts = Parts::good();
        change(&mut parts);
        parts.bytes()
    };
    let claim = |entries: &[(i64, Vec<u8>)]| {
        let entries: Vec<_> = entries
            .iter()
            .map(|(key, value)| (int(*key), value.clone()))
            .collect();
        map(&entries)
    };
    let own = txt(&method(1).controller);
    #[rustfmt::skip]
    let accepted: Vec<(&str, Vec<u8>)> = vec![
        ("labels-in-another-order", edited(&|p| p.protected.reverse())),
        ("kid-unprotected", edited(&|p| p.unprotected = vec![p.protected.remove(2)])),
        ("unknown-labels", edited(&|p| {
            p.protected.push((txt("x"), map(&[(txt("a"), vec![0xf9, 0x00, 0x01])])));
            p.unprotected.push((int(-65_537), vec![0x82, 0xf6, 0x61, b'a']));
        })),
        ("short-media-types", edited(&|p| {
            p.protected[1].1 = txt("vc");
            p.protected[3].1 = txt("VC+COSE");
        })),
        ("claims-in-header", edited(&|p| p.protected.push(
            (int(15), claim(&[
                (1, own.clone()), (2, txt("did:example:holder")), (6, int(1_796_083_000)),
            ]))))),
    ];
    cases.extend(
        accepted
            .iter()
            .map(|(name, bytes)| case(name, "credential", bytes, ok.clone())),
    );
    let value = |label: usize, bytes: Vec<u8>| edited(&|p| p.protected[label].1.clone_from(&bytes));
    let without = |label: usize| edited(&|p| drop(p.protected.remove(label)));
    let add =
        |label: i64, bytes: Vec<u8>| edited(&|p| p.protected.push((int(label), bytes.clone())));
    let aside =
        |label: i64, bytes: Vec<u8>| edited(&|p| p.unprotected.push((int(label), bytes.clone())));
    let with = |name: &'static str, value: Json| {
        edited(&|p| {
            let mut document = credential(1);
            document[name] = value.clone();
            p.payload = Some(document.to_string().into_bytes());
        })
    };
    let deep = [vec![0x81; 20], vec![0xf6]].concat();
    let mut trailing = good.clone();
    trailing.push(0);
    let mut wide = good.clone();
    wide.splice(1..2, [0x98, 0x04]);
    let mut turned = good.clone();
    let at = turned.len() - 200;
    turned[at] ^= 1;
    #[rustfmt::skip]
    let refused: Vec<(&str, &str, Vec<u8>)> = vec![
        ("empty", "cbor_end", Vec::new()),
        ("untagged", "cose-tag", good[1..].to_vec()),
        ("tag-of-a-mac", "cose-tag", edited(&|p| p.tag = 17)),
        ("tag-of-many-signers", "cose-tag", edited(&|p| p.tag = 98)),
        ("cut", "cbor_end", good[..good.len() - 1].to_vec()),
        ("trailing", "cbor_trailing", trailing),
        ("length-in-two-bytes", "cbor_form", wide),
        ("indefinite-map", "cbor_form", add(99, vec![0xbf, 0xff])),
        ("alg-es256", "cose-algorithm", value(0, int(-7))),
        ("alg-hmac", "cose-algorithm", value(0, int(5))),
        ("alg-is-a-text", "cbor_shape", value(0, txt("EdDSA"))),
        ("alg-missing", "cose-missing", without(0)),
        ("alg-unprotected", "cose-unprotected",
         edited(&|p| p.unprotected = vec![p.protected.remove(0)])),
        ("alg-in-both", "cose-duplicate", aside(1, int(-8))),
        ("label-twice", "cose-duplicate", add(4, bstr(method(1).id.as_bytes()))),
        ("crit", "cose-critical", add(2, vec![0x81, 0x01])),
        ("crit-unprotected", "cose-critical", aside(2, vec![0x81, 0x01])),
        ("x5chain", "cose-forbidden", aside(33, bstr(b"certificate"))),
        ("x5u", "cose-forbidden", add(35, txt("https://a.example"))),
        ("key-in-header", "cose-forbidden", add(14, map(&[]))),
        ("typ-missing", "cose-missing", without(3)),
        ("typ-of-presentations", "cose-type", value(3, txt("application/vp+cose"))),
        ("typ-of-a-jwt", "cose-type", value(3, txt("application/vc+jwt"))),
        ("typ-is-a-number", "cose-type", value(3, int(18))),
        ("typ-unprotected", "cose-unprotected",
         edited(&|p| p.unprotected = vec![p.protected.remove(3)])),
        ("content-of-presentations", "cose-content-type", value(1, txt("application/vp"))),
        ("content-is-a-number", "cose-content-type", value(1, int(50))),
        ("kid-missing", "cose-missing", without(2)),
        ("kid-is-no-utf-8", "cbor_value", value(2, bstr(&[0xff]))),
        ("kid-is-a-thumbprint", "jose-kid", value(2, bstr(b"96qBnDpvS6x8YSCH"))),
        ("kid-of-another-key", "signature-mismatch", value(2, bstr(method(2).id.as_bytes()))),
        ("header-nests-deep", "cbor_shape", add(99, deep)),
        ("detached", "cose-detached", edited(&|p| p.payload = None)),
        ("payload-changed", "signature-mismatch", turned),
        ("another-key-signed", "signature-mismatch", edited(&|p| p.seed = 2)),
        ("another-context", "signature-mismatch", edited(&|p| p.context = "Signature")),
        ("payload-is-no-object", "jose-object", edited(&|p| p.payload = Some(b"[]".to_vec()))),
        ("payload-is-cbor", "foreign-utf8", edited(&|p| p.payload = Some(map(&[])))),
        ("issuer-of-another-key", "claims-controller", with("issuer", json!(method(2).controller))),
        ("vc-member", "claims-legacy", with("vc", json!({}))),
        ("type-of-presentations", "claims-type", with("type", json!("VerifiablePresentation"))),
        ("expired", "claims-expired", with("exp", json!(1_796_083_140))),
        ("iss-of-header-differs", "claims-differs", add(15, claim(&[(1, txt("did:example:a"))]))),
        ("sub-of-header-differs", "claims-differs", add(15, claim(&[(2, txt("did:example:a"))]))),
        ("expired-by-header", "claims-expired", add(15, claim(&[(4, int(1_796_083_140))]))),
        ("nbf-of-header-to-come", "claims-not-yet", add(15, claim(&[(5, int(1_796_083_300))]))),
        ("claim-twice-in-header", "cose-duplicate", add(15, claim(&[(4, int(1)), (4, int(2))]))),
        ("claims-unprotected", "cose-unprotected", aside(15, claim(&[]))),
        ("claim-after-2106", "cbor_value", add(15, claim(&[(4, int(1 << 40))]))),
        ("header-too-long", "cbor_shape", add(99, bstr(&[0; 8_192]))),
        ("signature-short", "cbor_shape", {
            let mut bytes = good[..good.len() - 66].to_vec();
            bytes.extend(bstr(&[0; 63]));
            bytes
        }),
    ];
    let error = |code: &str| json!({"error": code});
    cases.extend(
        refused
            .iter()
            .map(|(name, code, bytes)| case(name, "credential", bytes, error(code))),
    );
    cases.extend(presentations());
    cases
}

fn presentations() -> Vec<Json> {
    let asked = |mut case: Json, nonce: &str| {
        case["aud"] = json!("https://verifier.example");
        case["nonce"] = json!(nonce);
        case
    };
    let challenge = Challenge {
        audience: "https://verifier.example",
        nonce: "1",
    };
    let issue = |challenge| {
        let document = foreign(&presentation(2));
        issue_presentation(
            &document,
            challenge,
            &method(2),
            Algorithm::EdDsa,
            &secret(2),
        )
        .unwrap()
    };
    let open = {
        let mut parts = Parts::good();
        let mut document = presentation(1);
        document["verifiableCredential"] = json!([credential(1)]);
        parts.payload = Some(document.to_string().into_bytes());
        parts.protected[1].1 = txt("application/vp");
        parts.protected[3].1 = txt("application/vp+cose");
        parts.bytes()
    };
    let ok = json!({"ok": {"enclosed": ["vc+jwt"], "holder": method(2).controller}});
    let (plain, made) = (issue(None), issue(Some(challenge)));
    let of = |name, bytes: &[u8], expect| case(name, "presentation", bytes, expect);
    vec![
        of("presented", &plain, ok.clone()),
        asked(of("presented-when-asked", &made, ok), "1"),
        asked(
            of("played-again", &made, json!({"error": "claims-nonce"})),
            "2",
        ),
        asked(
            of(
                "not-made-for-anybody",
                &plain,
                json!({"error": "claims-audience"}),
            ),
            "1",
        ),
        of(
            "a-credential-that-is-not-secured",
            &open,
            json!({"error": "jose-envelope"}),
        ),
    ]
}

fn outcome(case: &Json) -> Result<Json, &'static str> {
    let bytes = decode_base64url(case["message"].as_str().unwrap(), 1 << 20).unwrap();
    if case["op"] == "presentation" {
        let challenge = case["aud"].as_str().map(|audience| Challenge {
            audience,
            nonce: case["nonce"].as_str().unwrap(),
        });
        let found = verify_presentation(&bytes, challenge, &policy(), &DidKey);
        let found = found.map_err(|e| e.code())?;
        let enclosed = found.enclosed().iter().map(|one| one.media.subtype());
        return Ok(json!({
            "enclosed": enclosed.collect::<Vec<_>>(),
            "holder": found.verified().method().controller,
        }));
    }
    let verified = verify_credential(&bytes, &policy(), &DidKey).map_err(|e| e.code())?;
    Ok(json!({
        "document": back(verified.document()),
        "issuer": verified.method().controller,
    }))
}

#[test]
fn vectors() {
    run("cose/cose.json", outcome);
}

#[test]
#[ignore = "writes spec/vectors"]
fn regenerate() {
    let cases = cases();
    std::fs::write(
        path("cose/cose.json"),
        rendered(DESCRIPTION, SOURCE, &cases),
    )
    .unwrap();
}

#[test]
fn committed_vectors_are_what_is_made_here() {
    let cases = cases();
    let made = rendered(DESCRIPTION, SOURCE, &cases);
    let committed = std::fs::read_to_string(path("cose/cose.json")).unwrap();
    assert!(committed == made, "run `regenerate` of these tests");
}

#[test]
fn only_allowed_algorithms_count() {
    for algorithm in BOTH {
        let document = foreign(&credential(1));
        let bytes = issue_credential(&document, &method(1), *algorithm, &secret(1)).unwrap();
        let other: Vec<Algorithm> = BOTH
            .iter()
            .copied()
            .filter(|one| one != algorithm)
            .collect();
        let strict = Policy {
            algorithms: &other,
            ..policy()
        };
        let refused = verify_credential(&bytes, &strict, &DidKey).unwrap_err();
        let actual = algorithm.cose();
        assert_eq!(refused, CoseError::Algorithm { actual });
    }
    assert_eq!(policy().at, AT);
}

#[test]
fn a_type_is_optional_where_the_policy_says_so() {
    let lenient = Policy {
        untyped: true,
        ..policy()
    };
    let code = |parts: &Parts, policy: &Policy<'_>| {
        let found = verify_credential(&parts.bytes(), policy, &DidKey);
        found.map(|_| ()).map_err(|e| e.code())
    };
    let mut untyped = Parts::good();
    untyped.protected.remove(3);
    assert_eq!(code(&untyped, &lenient), Ok(()));
    assert_eq!(code(&untyped, &policy()), Err("cose-missing"));
    // Another type is one all the same.
    let mut other = Parts::good();
    other.protected[3].1 = txt("application/vp+cose");
    assert_eq!(code(&other, &lenient), Err("cose-type"));
}

#[test]
fn a_claim_in_header_and_payload_is_the_same() {
    let code = |below: Json, above: (i64, i64)| {
        let mut parts = Parts::good();
        let mut document = credential(1);
        document["exp"] = below;
        parts.payload = Some(document.to_string().into_bytes());
        let claims = map(&[(int(above.0), int(above.1))]);
        parts.protected.push((int(15), claims));
        let found = verify_credential(&parts.bytes(), &policy(), &DidKey);
        found.map(|_| ()).map_err(|e| e.code())
    };
    assert_eq!(code(json!(1_799_000_000), (4, 1_799_000_000)), Ok(()));
    for below in [json!(1_799_000_001), json!("1799000000"), json!(null)] {
        assert_eq!(
            code(below.clone(), (4, 1_799_000_000)),
            Err("claims-differs"),
            "{below}"
        );
    }
    // What the header does not say, the payload does.
    let refused = code(json!(1_796_083_140), (6, 1_796_083_000));
    assert_eq!(refused, Err("claims-expired"));
}

#[test]
fn what_is_too_long_is_not_read() {
    let long = vec![0xd2; ENVELOPE_BYTES + 1];
    let refused = verify_credential(&long, &policy(), &DidKey).unwrap_err();
    assert_eq!(refused.code(), "jose-too-long");
    // A length that no input has takes no memory.
    let huge = [&[0xd2, 0x84, 0x5b][..], &[0xff; 8]].concat();
    let refused = verify_credential(&huge, &policy(), &DidKey).unwrap_err();
    assert_eq!(refused.code(), "cbor_shape");
}

proptest! {
    #[test]
    fn no_other_bytes_verify(at in 0_usize..2_000, bit in 0_u32..8) {
        let document = foreign(&credential(1));
        let mut bytes =
            issue_credential(&document, &method(1), Algorithm::EdDsa, &secret(1)).unwrap();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        prop_assert!(verify_credential(&bytes, &policy(), &DidKey).is_err());
    }

    #[test]
    fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let framed = [&[0xd2, 0x84][..], &bytes].concat();
        prop_assert!(verify_credential(&bytes, &policy(), &DidKey).is_err());
        prop_assert!(verify_credential(&framed, &policy(), &DidKey).is_err());
    }
}
