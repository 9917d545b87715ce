//! Each answer, and who is believed.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;

use serde_json::{Value, json};
use zhao_spec::wire::foreign::parse_foreign;
use zhao_spec::wire::{SecretKey, UnixMillis};

use super::*;
use crate::context::Contexts;
use crate::did::{DidKey, Method};
use crate::jose::{Algorithm, Challenge};
use crate::proof::Suite;
use crate::report::FragmentName;
use crate::schema::Schema;
use crate::sdjwt::{Concealed, SdJwt};
use crate::status::token::{TokenParts, empty, sign};

const AT: UnixMillis = UnixMillis(1_772_452_800_000);
const VCT: &str = "https://types.example/permit";
const LIST: &str = "https://office.example/status/standing/1";

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed([seed; 32])
}

fn issued(more: &Value) -> String {
    let public = key(1).public();
    let mut claims = json!({"vct": VCT, "iss": public.did_key(), "name": "示例"});
    for (name, value) in more.as_object().unwrap() {
        claims[name] = value.clone();
    }
    let claims = parse_foreign(claims.to_string().as_bytes()).unwrap();
    let method = Method {
        id: public.verification_method(),
        controller: public.did_key(),
        key: public,
    };
    let concealed = Concealed {
        claims: &["/name"],
        decoys: &[],
    };
    let mut salt = || [7; 16];
    SdJwt::issue(
        &claims,
        concealed,
        &method,
        Algorithm::EdDsa,
        &key(1),
        &mut salt,
    )
    .unwrap()
    .text()
}

fn listed(index: u64) -> Value {
    json!({"status": {"status_list": {"uri": LIST, "idx": index}}})
}

/// A token by the key of `signer` in which entry 5 is `value`.
fn token(value: u8, signer: u8, until: u64) -> BTreeMap<String, String> {
    let mut list = empty(2).unwrap();
    list.add(5, value).unwrap();
    let kid = key(signer).public().verification_method();
    let parts = TokenParts {
        kid: &kid,
        sub: LIST,
        issued: UnixMillis(AT.0 - 60_000),
        expires: Some(UnixMillis(until)),
        ttl: None,
    };
    let text = sign(&list, &parts, &key(signer)).unwrap();
    BTreeMap::from([(LIST.to_owned(), text)])
}

/// Outcomes and codes in order, and whether anything was shown.
fn judged(text: &str, binding: Binding<'_>, tokens: &BTreeMap<String, String>) -> (Value, bool) {
    let issuer = key(1).public().did_key();
    let schemas: BTreeMap<String, Schema> = BTreeMap::new();
    let known = Known {
        contexts: &Contexts::standard(),
        methods: &DidKey,
        schemas: &schemas,
        lists: &BTreeMap::new(),
        issuers: &[&issuer],
        suites: Suite::ALL,
    };
    let policy = Policy {
        algorithms: &[Algorithm::EdDsa],
        at: AT,
        skew_millis: 0,
        untyped: false,
    };
    let (report, found) = shown(text, &[VCT], binding, &policy, &known, tokens);
    let row = FragmentName::ALL.map(|name| {
        let fragments = report.fragments().iter();
        let outcome = fragments
            .filter(|one| one.name == name)
            .map(|one| one.outcome.as_str());
        json!([outcome.collect::<Vec<_>>(), report.codes(name)])
    });
    (json!(row), found.is_some())
}

/// The standing of a good one, with everything else passing.
fn standing(more: &Value, tokens: &BTreeMap<String, String>) -> Value {
    let (row, shown) = judged(&issued(more), Binding::NotAsked, tokens);
    assert!(shown);
    for fragment in [0, 1, 2, 4] {
        assert_eq!(row[fragment], json!([["pass"], []]));
    }
    row[3].clone()
}

#[test]
fn the_token_of_its_issuer_says_how_it_stands() {
    let none = BTreeMap::new();
    assert_eq!(
        standing(&json!({}), &none),
        json!([["pass"], ["status-none"]])
    );
    let other = json!({"status": {"other": 1}});
    assert_eq!(
        standing(&other, &none),
        json!([["undetermined"], ["status-other"]])
    );
    assert_eq!(
        standing(&listed(5), &none),
        json!([["undetermined"], ["status-list-missing"]])
    );
    let late = AT.0 + 1_000;
    for (value, answer) in [
        (0, json!([["pass"], []])),
        (1, json!([["fail"], ["status-set"]])),
        (2, json!([["fail"], ["status-set"]])),
        (3, json!([["undetermined"], ["status-other"]])),
    ] {
        assert_eq!(
            standing(&listed(5), &token(value, 1, late)),
            answer,
            "{value}"
        );
        assert_eq!(
            standing(&listed(4), &token(value, 1, late)),
            json!([["pass"], []])
        );
    }
}

#[test]
fn a_list_that_nobody_stands_for_decides_nothing() {
    let late = AT.0 + 1_000;
    for (tokens, index, code) in [
        (token(0, 2, late), 5, "status-issuer"),
        (token(0, 1, AT.0 - 1_000), 5, "status-expired"),
        (token(0, 1, late), 1 << 40, "status-range"),
        (
            BTreeMap::from([(LIST.to_owned(), "x".to_owned())]),
            5,
            "status-shape",
        ),
    ] {
        let said = standing(&listed(index), &tokens);
        assert_eq!(said, json!([["undetermined"], [code]]));
    }
    let broken = json!({"status": {"status_list": {"uri": LIST, "idx": "5"}}});
    assert_eq!(
        standing(&broken, &BTreeMap::new()),
        json!([["fail"], ["status-shape"]])
    );
}

#[test]
fn what_does_not_open_shows_nothing() {
    let none = BTreeMap::new();
    let unseen = json!([["undetermined"], ["not-checked"]]);
    let good = issued(&json!({}));
    let challenge = Challenge {
        audience: "https://bank.example",
        nonce: "n",
    };
    let required = Binding::Required {
        challenge,
        max_age_millis: 60_000,
    };
    let forged = good.replacen('.', ".A", 1);
    for (text, binding, code) in [
        (good.as_str(), required, "sd-jwt-binding-missing"),
        (forged.as_str(), Binding::NotAsked, "json"),
        ("a.b.c", Binding::NotAsked, "sd-jwt-serialization"),
    ] {
        let (row, shown) = judged(text, binding, &none);
        assert!(!shown, "{code}");
        assert_eq!(row[0][0], json!(["fail"]), "{code}");
        if code != "json" {
            assert_eq!(row[0][1], json!([code]));
        }
        for fragment in 1..5 {
            assert_eq!(row[fragment], unseen, "{code}");
        }
    }
    // Out of its time it is not said to be forged.
    for (more, code) in [
        (json!({"exp": AT.0 / 1_000 - 1}), "claims-expired"),
        (json!({"nbf": AT.0 / 1_000 + 1}), "claims-not-yet"),
    ] {
        let (row, shown) = judged(&issued(&more), Binding::NotAsked, &none);
        assert!(!shown, "{code}");
        assert_eq!(row[0], unseen);
        assert_eq!(row[2], json!([["fail"], [code]]));
    }
}
