#![allow(clippy::unwrap_used, reason = "a test may panic")]
//! The vectors of `spec/vectors/jose/` are made here and run here; other implementations read them.

mod cases;

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use zhao_spec::wire::binary::encode_base64url;
use zhao_spec::wire::foreign::parse_foreign;
use zhao_spec::wire::{PublicKey, SecretKey, Signature, SignerError};

use super::*;
use crate::did::{DidError, DidKey};

pub(crate) const AT: UnixMillis = UnixMillis(1_796_083_200_000);
pub(crate) const BOTH: &[Algorithm] = &[Algorithm::EdDsa, Algorithm::Ed25519];

pub(crate) fn secret(seed: u8) -> SecretKey {
    SecretKey::from_seed([seed; 32])
}

pub(crate) fn method(seed: u8) -> Method {
    let key = secret(seed).public();
    DidKey
        .method(&key.verification_method(), "assertionMethod")
        .unwrap()
}

pub(crate) fn foreign(value: &Json) -> Foreign {
    parse_foreign(value.to_string().as_bytes()).unwrap()
}

pub(crate) fn back(value: &Foreign) -> Json {
    serde_json::from_slice(&canonicalize(value)).unwrap()
}

pub(crate) fn policy() -> Policy<'static> {
    Policy {
        algorithms: BOTH,
        at: AT,
        skew_millis: 60_000,
        untyped: false,
    }
}

/// A credential of the key of `seed`.
pub(crate) fn credential(seed: u8) -> Json {
    json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "credentialSubject": {"id": "did:example:holder", "name": "常州示例食品有限公司"},
        "id": "urn:uuid:0b8e5a3c-6d1f-4f2a-9c47-2f6b1d3e8a90",
        "issuer": method(seed).controller,
        "type": ["VerifiableCredential"],
        "validFrom": "2026-03-02T00:00:00+08:00",
        "validUntil": "2031-03-02T00:00:00+08:00",
    })
}

/// A presentation of a credential of seed 1 by the key of `seed`.
pub(crate) fn presentation(seed: u8) -> Json {
    let inner = issue_credential(
        &foreign(&credential(1)),
        &method(1),
        Algorithm::EdDsa,
        &secret(1),
    );
    let inner = wrapped(&Enveloped {
        media: MediaType::VcJwt,
        message: Wrapped::Text(inner.unwrap()),
    });
    json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "holder": {"id": method(seed).controller},
        "type": "VerifiablePresentation",
        "verifiableCredential": [back(&inner.unwrap())],
    })
}

/// A JWS with any header and payload, signed by the key of `seed`.
pub(crate) fn raw(header: &str, payload: &str, seed: u8) -> String {
    let message = format!(
        "{}.{}",
        encode_base64url(header.as_bytes()),
        encode_base64url(payload.as_bytes())
    );
    let signature = secret(seed).sign(message.as_bytes()).to_base64url();
    format!("{message}.{signature}")
}

/// The keys of the vectors: did:key, and the key of the W3C's fixtures under its thumbprint.
pub(crate) struct Known;

impl Methods for Known {
    fn method(&self, url: &str, purpose: &str) -> Result<Method, DidError> {
        const W3C: &str = "2aOHaQxsWVT4mLsUkdtlCnUV-au0BBR-5yPYaPaCc5k";
        if url == W3C {
            let jwk = json!({
                "alg": "EdDSA", "crv": "Ed25519", "kid": W3C, "kty": "OKP",
                "x": "NvUhsjZe7Mdv8Esoc60o3ma1U5j2tFUTDsOQd39xMnI",
            });
            return Ok(Method {
                id: url.to_owned(),
                controller: "https://example.issuer/vc-jose-cose".to_owned(),
                key: from_jwk(&foreign(&jwk)).unwrap(),
            });
        }
        DidKey.method(url, purpose)
    }
}

pub(crate) fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../vectors")
        .join(file)
}

/// The text of a file of vectors.
pub(crate) fn rendered(description: &str, source: &str, cases: &[Json]) -> String {
    let mut names: Vec<&str> = cases
        .iter()
        .map(|case| case["name"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    assert!(
        names.windows(2).all(|pair| pair[0] != pair[1]),
        "a name twice"
    );
    let all = json!({"cases": cases, "description": description, "source": source});
    let mut text = serde_json::to_string_pretty(&all).unwrap();
    text.push('\n');
    text
}

/// Runs every case of a file of vectors.
pub(crate) fn run(file: &str, runner: fn(&Json) -> Result<Json, &'static str>) {
    let bytes = std::fs::read(path(file)).unwrap();
    let all: Json = serde_json::from_slice(&bytes).unwrap();
    let cases = all["cases"].as_array().unwrap();
    assert!(!cases.is_empty(), "{file}");
    for case in cases {
        let expected = match case["expect"]["error"].as_str() {
            Some(code) => Err(code),
            None => Ok(case["expect"]["ok"].clone()),
        };
        assert_eq!(runner(case), expected, "{file}: {}", case["name"]);
    }
}

fn outcome(case: &Json) -> Result<Json, &'static str> {
    let algorithms: Vec<Algorithm> = match case["algorithms"].as_array() {
        None => BOTH.to_vec(),
        Some(names) => BOTH
            .iter()
            .copied()
            .filter(|one| names.iter().any(|name| name == one.as_str()))
            .collect(),
    };
    let policy = Policy {
        algorithms: &algorithms,
        at: UnixMillis(case["at"].as_u64().unwrap() * 1_000),
        skew_millis: 60_000,
        untyped: case["untyped"] == true,
    };
    let message = case["message"].as_str().unwrap();
    let verified = match case["op"].as_str().unwrap() {
        "credential" => verify_credential(message, &policy, &Known).map_err(|e| e.code())?,
        "presentation" => {
            let challenge = case["aud"].as_str().map(|audience| Challenge {
                audience,
                nonce: case["nonce"].as_str().unwrap(),
            });
            let found = verify_presentation(message, challenge, &policy, &Known);
            let found = found.map_err(|e| e.code())?;
            let enclosed = found.enclosed().iter().map(|one| one.media.subtype());
            return Ok(json!({
                "enclosed": enclosed.collect::<Vec<_>>(),
                "holder": found.verified().method().controller,
            }));
        }
        other => panic!("no op {other}"),
    };
    Ok(json!({
        "document": back(verified.document()),
        "issuer": verified.method().controller,
    }))
}

#[test]
fn vectors() {
    run("jose/jose.json", outcome);
    run("jose/w3c.json", outcome);
}

#[test]
#[ignore = "writes spec/vectors"]
fn regenerate() {
    let cases = cases::all();
    std::fs::write(
        path("jose/jose.json"),
        rendered(cases::DESCRIPTION, cases::SOURCE, &cases),
    )
    .unwrap();
}

#[test]
fn committed_vectors_are_what_is_made_here() {
    let cases = cases::all();
    let made = rendered(cases::DESCRIPTION, cases::SOURCE, &cases);
    let committed = std::fs::read_to_string(path("jose/jose.json")).unwrap();
    assert!(committed == made, "run `regenerate` of these tests");
}

#[test]
fn what_is_issued_is_verified() {
    for algorithm in BOTH {
        let document = foreign(&credential(1));
        let text = issue_credential(&document, &method(1), *algorithm, &secret(1)).unwrap();
        let verified = verify_credential(&text, &policy(), &DidKey).unwrap();
        assert_eq!(canonicalize(verified.document()), canonicalize(&document));
        assert_eq!(verified.method(), &method(1));
        assert_eq!(verified.algorithm(), *algorithm);
        assert_eq!(back(verified.claims()), json!({}));
        let other: Vec<Algorithm> = BOTH
            .iter()
            .copied()
            .filter(|one| one != algorithm)
            .collect();
        let strict = Policy {
            algorithms: &other,
            ..policy()
        };
        let refused = verify_credential(&text, &strict, &DidKey).unwrap_err();
        assert_eq!(refused.code(), "jose-algorithm");
        assert!(refused.to_string().contains(algorithm.as_str()));
    }
}

#[test]
fn what_nobody_would_accept_is_not_issued() {
    let issue = |document: Json, of: u8, by: u8| {
        issue_credential(
            &foreign(&document),
            &method(of),
            Algorithm::EdDsa,
            &secret(by),
        )
        .map_err(|e| e.code())
    };
    let with = |name: &str, value: Json| {
        let mut document = credential(1);
        document[name] = value;
        document
    };
    assert!(issue(credential(1), 1, 1).is_ok());
    assert_eq!(issue(credential(1), 1, 2), Err("jose-signer-key"));
    assert_eq!(issue(credential(1), 2, 2), Err("claims-controller"));
    assert_eq!(issue(with("vc", json!({})), 1, 1), Err("claims-legacy"));
    assert_eq!(
        issue(with("type", json!("Other")), 1, 1),
        Err("claims-type")
    );
    assert_eq!(
        issue(with("issuer", json!(["a"])), 1, 1),
        Err("claims-shape")
    );
    let long: Vec<String> = (0..20).map(|_| "x".repeat(60_000)).collect();
    assert_eq!(issue(with("name", json!(long)), 1, 1), Err("jose-too-long"));
    let mut open = presentation(2);
    open["verifiableCredential"] = json!([credential(1)]);
    let made = issue_presentation(
        &foreign(&open),
        None,
        &method(2),
        Algorithm::EdDsa,
        &secret(2),
    );
    assert_eq!(made.unwrap_err().code(), "jose-envelope");
}

/// Signs something else than it was asked to.
struct Liar;

impl Signer for Liar {
    fn public(&self) -> PublicKey {
        secret(1).public()
    }

    fn sign(&self, _: &[u8]) -> Result<Signature, SignerError> {
        Ok(secret(1).sign(b"something else"))
    }
}

#[test]
fn a_signer_that_signs_something_else_makes_nothing() {
    let made = issue_credential(
        &foreign(&credential(1)),
        &method(1),
        Algorithm::EdDsa,
        &Liar,
    );
    assert_eq!(made.unwrap_err().code(), "jose-signer");
}

#[test]
fn enveloped_documents_come_out_as_they_went_in() {
    let text = Wrapped::Text("a.b.c~d~".to_owned());
    let bytes = Wrapped::Bytes(vec![0xd2, 0x84, 0xff]);
    for (media, message) in [
        (MediaType::VcJwt, &text),
        (MediaType::VpJwt, &text),
        (MediaType::DcSdJwt, &text),
        (MediaType::VcCose, &bytes),
        (MediaType::VpCose, &bytes),
    ] {
        let message = message.clone();
        let one = Enveloped { media, message };
        assert_eq!(enveloped(&wrapped(&one).unwrap()).unwrap(), one);
        let wrong = Enveloped {
            message: if one.message == text {
                bytes.clone()
            } else {
                text.clone()
            },
            ..one
        };
        assert_eq!(wrapped(&wrong).unwrap_err().code(), "jose-envelope");
    }
    let injected = Enveloped {
        media: MediaType::VcJwt,
        message: Wrapped::Text("a,b#c".to_owned()),
    };
    assert_eq!(wrapped(&injected).unwrap_err().code(), "jose-envelope");
}

#[test]
fn what_is_not_enveloped_rightly_is_refused() {
    let of = |kind: &str, id: Json| {
        enveloped(&foreign(&json!({"id": id, "type": kind}))).map_err(|e| e.to_string())
    };
    const VC: &str = "EnvelopedVerifiableCredential";
    for (kind, id, detail) in [
        (VC, json!("https://a.example/vc"), "id: not a data: URL"),
        (VC, json!(7), "id: missing, or not a text"),
        (
            VC,
            json!("data:application/vc+jwt"),
            "id: a data: URL without data",
        ),
        (
            VC,
            json!("data:text/html,a.b.c"),
            "id: not a media type of secured documents",
        ),
        (
            VC,
            json!("data:application/vc+jwt,a b"),
            "id: not a JWS or SD-JWT",
        ),
        (
            VC,
            json!("data:application/vc+jwt,"),
            "id: not a JWS or SD-JWT",
        ),
        (
            VC,
            json!("data:application/vc+jwt;base64,YQ=="),
            "id: a text in base64",
        ),
        (
            VC,
            json!("data:application/vc+cose,YQ=="),
            "id: COSE that is not in base64",
        ),
        (
            VC,
            json!("data:application/vc+cose;base64,YR=="),
            "id: not base64",
        ),
        (
            VC,
            json!("data:application/vp+jwt,a.b.c"),
            "type: does not fit what is enveloped",
        ),
        (
            "Enveloped",
            json!("data:application/vc+jwt,a.b.c"),
            "type: does not fit what is enveloped",
        ),
    ] {
        assert_eq!(of(kind, id), Err(detail.to_owned()));
    }
}

#[test]
fn a_presentation_encloses_as_many_as_it_may() {
    let one = presentation(1)["verifiableCredential"][0].clone();
    let of = |items: Json| {
        let document = json!({"verifiableCredential": items});
        let found = enclosed(&foreign(&document));
        found.map(|all| all.len()).map_err(|e| e.to_string())
    };
    assert_eq!(of(one.clone()), Ok(1));
    assert_eq!(of(json!([])), Ok(0));
    assert_eq!(of(json!(vec![one.clone(); ENCLOSED])), Ok(ENCLOSED));
    let refused = of(json!(vec![one.clone(); ENCLOSED + 1]));
    assert_eq!(
        refused,
        Err("verifiableCredential: more than 64 documents".to_owned())
    );
    // A presentation is no credential, though it is enveloped as rightly.
    let inner = json!({
        "id": "data:application/vp+jwt,a.b.c", "type": "EnvelopedVerifiablePresentation",
    });
    assert!(enveloped(&foreign(&inner)).is_ok());
    for other in [inner, json!("data:application/vc+jwt,a.b.c"), credential(1)] {
        let refused = of(json!([one.clone(), other]));
        let detail = "verifiableCredential: a credential that is not enveloped";
        assert_eq!(refused, Err(detail.to_owned()));
    }
}

#[test]
fn keys_of_other_kinds_are_no_jwk_here() {
    let good = back(&to_jwk(&secret(1).public()));
    assert_eq!(from_jwk(&foreign(&good)), Ok(secret(1).public()));
    for (name, value, code) in [
        ("kty", json!("EC"), "jose-jwk"),
        ("crv", json!("X25519"), "jose-jwk"),
        ("d", json!("AA"), "jose-jwk"),
        ("alg", json!("ES256"), "jose-jwk"),
        ("alg", json!(null), "jose-jwk"),
        ("x", json!(null), "jose-jwk"),
        ("x", json!("AA"), "binary-wrong-length"),
        ("x", json!(encode_base64url(&[0; 32])), "key-small-order"),
    ] {
        let mut jwk = good.clone();
        jwk[name] = value;
        assert_eq!(from_jwk(&foreign(&jwk)).unwrap_err().code(), code, "{jwk}");
    }
    assert_eq!(from_jwk(&Foreign::Null).unwrap_err().code(), "jose-jwk");
}

proptest! {
    #[test]
    fn no_other_text_verifies(at in 0_usize..2_000, byte in any::<u8>()) {
        let text = issue_credential(
            &foreign(&credential(1)), &method(1), Algorithm::EdDsa, &secret(1)).unwrap();
        let mut bytes = text.clone().into_bytes();
        let at = at % bytes.len();
        bytes[at] = byte;
        if let Ok(changed) = String::from_utf8(bytes)
            && changed != text
        {
            prop_assert!(verify_credential(&changed, &policy(), &DidKey).is_err());
        }
    }

    #[test]
    fn nothing_panics(text in "\\PC{0,200}") {
        prop_assert!(verify_credential(&text, &policy(), &DidKey).is_err());
        prop_assert!(verify_presentation(&text, None, &policy(), &DidKey).is_err());
    }
}
