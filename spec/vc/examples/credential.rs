//! Signs and verifies other people's credentials, a line of JSON in and a line out: what programs
//! that are not ours drive it with.
//!
//! In, one object a line, either
//! `{"sign": DOCUMENT, "suite": "…", "seed": "64 hex digits", "created": "…", "purpose": "…"}` with
//! `challenge`, `domain`, `id`, `previousProof` where wanted, or
//! `{"verify": DOCUMENT, "at": "…", "purpose": "…"}` with `challenge`, `domain`, `controller`.
//! Out, one object a line: `{"ok": …}` or `{"error": CODE, "detail": …}`.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program for tests, that ends where something is not as it must be"
)]

use std::io::{BufRead as _, Write as _, stdin, stdout};

use zhao_spec::wire::SecretKey;
use zhao_spec::wire::foreign::{Foreign, canonicalize, parse_foreign};
use zhao_vc::context::Contexts;
use zhao_vc::did::DidKey;
use zhao_vc::proof::{Expect, Options, Suite, add, verify};
use zhao_vc::time::date_time_stamp;

fn main() {
    let contexts = Contexts::standard();
    for line in stdin().lock().lines() {
        let answer = match parse_foreign(line.unwrap().as_bytes()) {
            Ok(request) => answer(&request, &contexts),
            Err(error) => Err((error.code(), error.to_string())),
        };
        let answer = match answer {
            Ok(value) => vec![("ok".to_owned(), value)],
            Err((code, detail)) => vec![
                ("error".to_owned(), Foreign::Text(code.to_owned())),
                ("detail".to_owned(), Foreign::Text(detail)),
            ],
        };
        let line = canonicalize(&Foreign::Object(answer));
        let mut out = stdout().lock();
        out.write_all(&line).unwrap();
        out.write_all(b"\n").unwrap();
        out.flush().unwrap();
    }
}

fn answer(request: &Foreign, contexts: &Contexts) -> Result<Foreign, (&'static str, String)> {
    let text = |name: &str| request.member(name).and_then(Foreign::as_text);
    let purpose = text("purpose").unwrap_or("assertionMethod");
    if let Some(document) = request.member("sign") {
        let key = key(text("seed").unwrap_or_default());
        let method = key.public().verification_method();
        let suites = Suite::ALL.iter().copied();
        let suite = suites
            .into_iter()
            .find(|suite| Some(suite.as_str()) == text("suite"))
            .unwrap();
        let previous: Vec<&str> = text("previousProof").into_iter().collect();
        let options = Options {
            suite,
            verification_method: &method,
            purpose,
            created: text("created"),
            domain: text("domain"),
            challenge: text("challenge"),
            id: text("id"),
            previous_proof: &previous,
            ..Options::default()
        };
        add(document, &options, &key, contexts).map_err(|error| (error.code(), error.to_string()))
    } else {
        let expect = Expect {
            purpose,
            domain: text("domain"),
            challenge: text("challenge"),
            controller: text("controller"),
            at: date_time_stamp(text("at").unwrap()).unwrap(),
            suites: Suite::ALL,
        };
        let document = request.member("verify").unwrap();
        verify(document, &expect, &DidKey, contexts)
            .map(|proofs| {
                let suites = proofs.iter().map(|proof| proof.suite.as_str().to_owned());
                Foreign::Array(suites.map(Foreign::Text).collect())
            })
            .map_err(|error| (error.code(), error.to_string()))
    }
}

fn key(hex: &str) -> SecretKey {
    let mut seed = [0; 32];
    for (at, byte) in seed.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap();
    }
    SecretKey::from_seed(seed)
}
