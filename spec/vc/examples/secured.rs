//! Our side of the trials with other people's JOSE, COSE and SD-JWT (`tests/interop/secured.py`).
//!
//! Each line of standard input is a JSON object with an `op`; each line of output is `{"ok":…}` or
//! `{"error":code}`. Keys are seeds, one byte repeated; documents are texts, messages of COSE are
//! base64url.
#![allow(clippy::unwrap_used, reason = "who asks wrongly may see it stop")]

use std::io::{BufRead as _, Write as _};

use serde_json::{Value, json};
use zhao_spec::wire::binary::{decode_base64url, encode_base64url};
use zhao_spec::wire::foreign::{Foreign, canonicalize, parse_foreign};
use zhao_spec::wire::{SecretKey, UnixMillis};
use zhao_vc::did::{DidKey, Method};
use zhao_vc::jose::{self, Algorithm, Challenge, Policy, to_jwk};
use zhao_vc::sdjwt::{self, Binding, Concealed, SdJwt};
use zhao_vc::{cose, did::Methods};

type Answer = Result<Value, &'static str>;

fn text<'a>(ask: &'a Value, name: &str) -> &'a str {
    ask[name].as_str().unwrap()
}

fn texts<'a>(ask: &'a Value, name: &str) -> Vec<&'a str> {
    let items = ask[name].as_array().unwrap();
    items.iter().map(|item| item.as_str().unwrap()).collect()
}

fn foreign(ask: &Value, name: &str) -> Foreign {
    parse_foreign(text(ask, name).as_bytes()).unwrap()
}

fn out(value: &Foreign) -> Value {
    String::from_utf8(canonicalize(value)).unwrap().into()
}

fn secret(ask: &Value, name: &str) -> (SecretKey, Method) {
    let seed = u8::try_from(ask[name].as_u64().unwrap()).unwrap();
    let secret = SecretKey::from_seed([seed; 32]);
    let method = DidKey.method(&secret.public().verification_method(), "assertionMethod");
    (secret, method.unwrap())
}

fn at(ask: &Value) -> UnixMillis {
    UnixMillis(ask["at"].as_u64().unwrap() * 1_000)
}

fn challenge(ask: &Value) -> Option<Challenge<'_>> {
    Some(Challenge {
        audience: ask["aud"].as_str()?,
        nonce: ask["nonce"].as_str()?,
    })
}

fn answer(ask: &Value, salts: &mut u128) -> Answer {
    const ALL: &[Algorithm] = &[Algorithm::EdDsa, Algorithm::Ed25519];
    let algorithm = match ask["alg"].as_str() {
        Some("Ed25519") => Algorithm::Ed25519,
        _ => Algorithm::EdDsa,
    };
    // Counted, for trials only: whoever issues draws them at random.
    let mut salt = || {
        *salts += 1;
        salts.to_be_bytes()
    };
    let policy = || Policy {
        algorithms: ALL,
        at: at(ask),
        skew_millis: 60_000,
        untyped: false,
    };
    match text(ask, "op") {
        "key" => {
            let (_, method) = secret(ask, "key");
            Ok({
                let jwk = out(&to_jwk(&method.key));
                json!({"did": method.controller, "kid": method.id, "jwk": jwk})
            })
        }
        "issue-jose" => {
            let (secret, method) = secret(ask, "key");
            let document = foreign(ask, "document");
            jose::issue_credential(&document, &method, algorithm, &secret)
                .map(Value::from)
                .map_err(|e| e.code())
        }
        "verify-jose" => jose::verify_credential(text(ask, "message"), &policy(), &DidKey)
            .map(|verified| out(verified.document()))
            .map_err(|e| e.code()),
        "issue-cose" => {
            let (secret, method) = secret(ask, "key");
            let document = foreign(ask, "document");
            cose::issue_credential(&document, &method, algorithm, &secret)
                .map(|bytes| encode_base64url(&bytes).into())
                .map_err(|e| e.code())
        }
        "verify-cose" => {
            let bytes = decode_base64url(text(ask, "message"), 1 << 20).unwrap();
            cose::verify_credential(&bytes, &policy(), &DidKey)
                .map(|verified| out(verified.document()))
                .map_err(|e| e.code())
        }
        "issue-sd-jwt" => {
            let (secret, method) = secret(ask, "key");
            let concealed = texts(ask, "conceal");
            let concealed = Concealed {
                claims: &concealed,
                decoys: &[("", 2)],
            };
            let claims = foreign(ask, "claims");
            SdJwt::issue(&claims, concealed, &method, algorithm, &secret, &mut salt)
                .map(|issued| issued.text().into())
                .map_err(|e| e.code())
        }
        "present" => {
            let (holder, _) = secret(ask, "holder");
            let (issued, _) = SdJwt::parse(text(ask, "message")).map_err(|e| e.code())?;
            let shown = issued
                .present(&texts(ask, "show"), ALL)
                .map_err(|e| e.code())?;
            shown
                .bind(challenge(ask).unwrap(), at(ask), algorithm, &holder)
                .map(Value::from)
                .map_err(|e| e.code())
        }
        "verify-sd-jwt" => {
            let binding = match challenge(ask) {
                None => Binding::NotAsked,
                Some(challenge) => Binding::Required {
                    challenge,
                    max_age_millis: 300_000,
                },
            };
            let vct = [text(ask, "vct")];
            sdjwt::verify(text(ask, "message"), &vct, binding, &policy(), &DidKey)
                .map(|shown| out(shown.claims()))
                .map_err(|e| e.code())
        }
        other => panic!("no op {other}"),
    }
}

fn main() {
    let mut salts = 0;
    let mut stdout = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let ask: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let line = match answer(&ask, &mut salts) {
            Ok(value) => json!({ "ok": value }),
            Err(code) => json!({ "error": code }),
        };
        writeln!(stdout, "{line}").unwrap();
        stdout.flush().unwrap();
    }
}
