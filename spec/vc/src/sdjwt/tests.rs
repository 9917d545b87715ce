#![allow(clippy::unwrap_used, reason = "a test may panic")]
//! The vectors of `spec/vectors/sd-jwt/` are made here and run here.

mod cases;
mod issuing;
mod licences;
mod limits;

use serde_json::{Value as Json, json};
use zhao_spec::wire::SecretKey;
use zhao_spec::wire::binary::encode_base64url;

use super::*;
use crate::did::DidKey;
use crate::jose::tests::{
    AT, BOTH, back, credential, foreign, method, path, policy, raw, rendered, run, secret,
};
use crate::jose::to_jwk;

const VCT: &str = "https://types.example/permit";
const ASKED: Challenge<'static> = Challenge {
    audience: "https://verifier.example",
    nonce: "n-0S6_WzA2Mj",
};
const REQUIRED: Binding<'static> = Binding::Required {
    challenge: ASKED,
    max_age_millis: 300_000,
};

/// Salts that count: tests and vectors come out the same each time.
fn counting() -> impl FnMut() -> [u8; 16] {
    let mut next = 0_u128;
    move || {
        next += 1;
        next.to_be_bytes()
    }
}

fn holder() -> SecretKey {
    secret(3)
}

/// Claims of the key of seed 1, bound to the holder's.
fn claims() -> Json {
    json!({
        "address": {"city": "常州", "street": "一路"},
        "cnf": {"jwk": back(&to_jwk(&holder().public()))},
        "exp": 1_896_083_200,
        "iss": method(1).controller,
        "name": "示例",
        "nationalities": ["A", "B", {"of": "C", "since": 2020}],
        "status": {"status_list": {"idx": 7, "uri": "https://a.example/list"}},
        "vct": VCT,
    })
}

const CONCEAL: &[&str] = &[
    "/address",
    "/address/street",
    "/name",
    "/nationalities/0",
    "/nationalities/2",
    "/nationalities/2/since",
];

fn issued() -> SdJwt {
    issue(&claims(), CONCEAL, &[("", 2), ("/nationalities", 1)]).unwrap()
}

fn issue(claims: &Json, places: &[&str], decoys: &[(&str, usize)]) -> Result<SdJwt, SdJwtError> {
    let concealed = Concealed {
        claims: places,
        decoys,
    };
    SdJwt::issue(
        &foreign(claims),
        concealed,
        &method(1),
        Algorithm::EdDsa,
        &secret(1),
        &mut counting(),
    )
}

/// An SD-JWT over any payload, with these disclosures given as JSON.
fn made(payload: &Json, disclosures: &[&str]) -> String {
    let header = json!({"alg": "EdDSA", "kid": method(1).id, "typ": "dc+sd-jwt"}).to_string();
    let mut text = raw(&header, &payload.to_string(), 1);
    for one in disclosures {
        text = format!("{text}~{}", encode_base64url(one.as_bytes()));
    }
    text + "~"
}

/// The digest of a disclosure given as JSON.
fn digest(disclosure: &str) -> String {
    sha256(&[encode_base64url(disclosure.as_bytes()).as_bytes()]).to_base64url()
}

fn outcome(case: &Json) -> Result<Json, &'static str> {
    let text = case["message"].as_str().unwrap();
    let binding = match case["aud"].as_str() {
        None => Binding::NotAsked,
        Some(audience) => Binding::Required {
            challenge: Challenge {
                audience,
                nonce: case["nonce"].as_str().unwrap(),
            },
            max_age_millis: 300_000,
        },
    };
    if case["op"] == "credential" {
        let found = verify_credential(text, binding, &policy(), &DidKey);
        let (verified, _) = found.map_err(|e| e.code())?;
        return Ok(json!({ "claims": back(verified.document()) }));
    }
    let found = verify(text, &[VCT], binding, &policy(), &DidKey).map_err(|e| e.code())?;
    let mut ok = json!({
        "claims": back(found.claims()),
        "digest": found.digest().to_base64url(),
    });
    if let Some(key) = found.holder() {
        ok["holder"] = json!(key.to_multibase());
    }
    Ok(ok)
}

#[test]
fn vectors() {
    run("sd-jwt/sd-jwt.json", outcome);
}

#[test]
#[ignore = "writes spec/vectors"]
fn regenerate() {
    let cases = cases::all();
    std::fs::write(
        path("sd-jwt/sd-jwt.json"),
        rendered(cases::DESCRIPTION, cases::SOURCE, &cases),
    )
    .unwrap();
}

#[test]
fn committed_vectors_are_what_is_made_here() {
    let cases = cases::all();
    let made = rendered(cases::DESCRIPTION, cases::SOURCE, &cases);
    let committed = std::fs::read_to_string(path("sd-jwt/sd-jwt.json")).unwrap();
    assert!(committed == made, "run `regenerate` of these tests");
}
