//! Rust and JavaScript give the same verdict, for the same reasons, on thousands of mutants.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use std::collections::BTreeSet;

use serde_json::{Value, json};
use support::at;
use support::forms::FormNursery;
use support::javascript::{Settings, ask};
use support::mutants::Nursery;
use zhao_spec::qr;
use zhao_spec::wire::binary::encode_base64;
use zhao_verifier::{TrustPolicy, Verdict, verify};

mod support;

/// The first mutants of the mutation test.
const DOSSIERS: u64 = 10_000;
/// Mutants of receipts, histories, answers and issuer packs.
const OTHER_FILES: u64 = 3_000;
/// Mutants of QR forms.
const FORMS: u64 = 2_000;
/// Changed lists of printed codes.
const CODES: u64 = 2_000;

#[test]
fn both_verifiers_judge_every_dossier_alike() {
    compare("dossiers", &Nursery::of_dossiers(), DOSSIERS);
}

#[test]
fn both_verifiers_judge_every_other_file_alike() {
    compare("other-files", &Nursery::of_other_files(), OTHER_FILES);
}

/// Gives the same mutants to one Node process and to `verify`.
fn compare(name: &str, nursery: &Nursery, mutants: u64) {
    let policy = TrustPolicy::load(&nursery.policy, &nursery.trust).unwrap();
    let settings = Settings {
        name,
        policy: &nursery.policy,
        trust: &nursery.trust,
        pack: None,
    };
    let mut differences = Vec::new();
    let request = |number: u64| {
        let mutant = nursery.mutant(number);
        let original = &nursery.originals[mutant.original];
        json!({"bytes": encode_base64(&mutant.bytes), "at": original.at})
    };
    ask(&settings, mutants, request, |number, theirs| {
        let mutant = nursery.mutant(number);
        let original = &nursery.originals[mutant.original];
        let ours = verify(&mutant.bytes, &policy, None, at(&original.at), None);
        let what = format!("mutant {number} of {}", original.name);
        differences.extend(difference(&what, &ours, theirs));
    });
    none(&differences);
}

/// Gives the same changed forms to one Node process, which expands and judges them, and to Rust.
#[test]
fn both_verifiers_expand_and_judge_every_form_alike() {
    let nursery = FormNursery::new();
    let policy = TrustPolicy::load(&nursery.policy, &nursery.trust).unwrap();
    let settings = Settings {
        name: "forms",
        policy: &nursery.policy,
        trust: &nursery.trust,
        pack: Some(&nursery.pack),
    };
    let mut differences = Vec::new();
    let (mut codes, mut reasons) = (BTreeSet::new(), BTreeSet::new());
    let (mut expanded, mut usable) = (0, 0);
    let request = |number: u64| {
        let mutant = nursery.mutant(number / 2);
        let original = &nursery.originals[mutant.original];
        let mut request = json!({"bytes": encode_base64(&mutant.bytes), "at": original.at});
        if number.is_multiple_of(2) {
            request["expand"] = json!(true);
        }
        request
    };
    ask(&settings, 2 * FORMS, request, |number, theirs| {
        let mutant = nursery.mutant(number / 2);
        let original = &nursery.originals[mutant.original];
        let what = format!("mutant {} of {}", number / 2, original.name);
        if number.is_multiple_of(2) {
            let ours = match qr::expand(&mutant.bytes) {
                Ok(json) => {
                    expanded += 1;
                    json!({"dossier": String::from_utf8(json).unwrap()})
                }
                Err(error) => {
                    codes.insert(error.code());
                    json!({"error": error.code()})
                }
            };
            if ours != *theirs {
                differences.push(format!("{what}: ours {ours} theirs {theirs}"));
            }
        } else {
            let pack = Some(nursery.pack.as_slice());
            let ours = verify(&mutant.bytes, &policy, pack, at(&original.at), None);
            usable += usize::from(ours.status().is_usable());
            reasons.extend(ours.reasons().iter().map(|reason| reason.code()));
            differences.extend(difference(&what, &ours, theirs));
        }
    });
    none(&differences);
    // The mutants are worth comparing: refused in every way, and not all of them.
    assert!(codes.len() >= 10, "{codes:?}");
    assert!(reasons.len() >= 6, "{reasons:?}");
    assert!(expanded > 400 && usable > 20, "{expanded}, {usable}");
}

/// The same of changed texts of codes, in any order.
#[test]
fn both_verifiers_join_all_codes_alike() {
    let nursery = FormNursery::new();
    let settings = Settings {
        name: "codes",
        policy: &nursery.policy,
        trust: &nursery.trust,
        pack: None,
    };
    let mut differences = Vec::new();
    let (mut codes, mut joined) = (BTreeSet::new(), 0);
    let request = |number: u64| json!({"codes": nursery.codes(number), "expand": true});
    ask(&settings, CODES, request, |number, theirs| {
        let texts = nursery.codes(number);
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let ours = match qr::join(&texts).and_then(|form| qr::expand(&form)) {
            Ok(json) => {
                joined += 1;
                json!({"dossier": String::from_utf8(json).unwrap()})
            }
            Err(error) => {
                codes.insert(error.code());
                json!({"error": error.code()})
            }
        };
        if ours != *theirs {
            differences.push(format!("{texts:?}: ours {ours} theirs {theirs}"));
        }
    });
    none(&differences);
    assert!(codes.len() >= 12 && joined > 100, "{codes:?}, {joined}");
}

/// Members of two verdicts that differ.
fn difference(what: &str, ours: &Verdict, theirs: &Value) -> Vec<String> {
    let words: Vec<_> = ours.reasons().iter().map(ToString::to_string).collect();
    let ours: Value = serde_json::from_slice(&ours.to_json()).unwrap();
    let differ = |member: &&str| ours[*member] != theirs[*member];
    ["verdict", "reasons", "assurance", "fragments"]
        .into_iter()
        .filter(differ)
        .map(|member| {
            format!(
                "{what}: {member} ours {} theirs {} ({words:?})",
                ours[member], theirs[member],
            )
        })
        .collect()
}

fn none(differences: &[String]) {
    let shown: Vec<_> = differences.iter().take(20).map(String::as_str).collect();
    let count = differences.len();
    assert!(count == 0, "{count} differences:\n{}", shown.join("\n"));
}
