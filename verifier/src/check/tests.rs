//! Every check is needed: with any one of them off, some vector gets another verdict.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use zhao_spec::wire::UnixMillis;

use super::{Check, off};
use crate::{Status, TrustPolicy, Verdict, verify};

/// One case of a vector file.
struct Case {
    name: String,
    policy: TrustPolicy,
    file: Vec<u8>,
    pack: Option<Vec<u8>>,
    at: UnixMillis,
    max_age: Option<u64>,
    codes: Vec<String>,
    verdict: String,
}

impl Case {
    fn judge(&self) -> Verdict {
        verify(
            &self.file,
            &self.policy,
            self.pack.as_deref(),
            self.at,
            self.max_age,
        )
    }

    fn is_expected(&self, verdict: &Verdict) -> bool {
        let codes = verdict.reasons().iter().map(|reason| reason.code());
        verdict.status().as_str() == self.verdict && codes.eq(self.codes.iter().map(String::as_str))
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn cases() -> Vec<Case> {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/vectors");
    let folders = [
        "answer",
        "dossier",
        "evidence",
        "history",
        "issuer-pack",
        "receipt",
        "verify",
    ];
    let mut cases = Vec::new();
    for folder in folders {
        for entry in fs::read_dir(vectors.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let vector: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            let policy = TrustPolicy::load(&text(&vector["policy"]), &text(&vector["trust"]));
            let policy = policy.unwrap();
            for case in vector["cases"].as_array().unwrap() {
                let codes = case["expect"]["reasons"].as_array().unwrap();
                cases.push(Case {
                    name: format!("{}: {}", path.display(), text(&case["name"])),
                    policy: policy.clone(),
                    file: text(&case["fileText"]).into_bytes(),
                    pack: case.get("pack").map(|pack| text(pack).into_bytes()),
                    at: UnixMillis::parse(&text(case.get("at").unwrap_or(&vector["at"]))).unwrap(),
                    max_age: case.get("maxAge").and_then(Value::as_u64),
                    codes: codes.iter().map(text).collect(),
                    verdict: text(&case["expect"]["verdict"]),
                });
            }
        }
    }
    cases
}

#[test]
fn every_check_decides_some_vector() {
    let cases = cases();
    let mut without_vector = Vec::new();
    for check in Check::ALL {
        // Only a case that names the code can depend on the check.
        let mut own = cases
            .iter()
            .filter(|case| case.codes.iter().any(|code| code == check.code()));
        let decides = |case: &Case| {
            let verdict = off::without(*check, || case.judge());
            !case.is_expected(&verdict)
        };
        if !own.any(decides) {
            without_vector.push(check.code());
        }
    }
    assert!(
        without_vector.is_empty(),
        "no vector depends on {without_vector:?}"
    );
}

/// A refusal that stays a refusal under the next code proves less: most must become usable.
#[test]
fn with_their_check_off_the_forgeries_of_a_dossier_pass() {
    let cases = cases();
    let mut passing = BTreeSet::new();
    for case in &cases {
        let [code] = case.codes.as_slice() else {
            continue;
        };
        for check in Check::ALL.iter().filter(|check| check.code() == code) {
            if off::without(*check, || case.judge()).status().is_usable() {
                passing.insert(check.code());
            }
        }
    }
    // These give a value that later steps need, or are followed by a second look at the same
    // thing, so that no forgery can pass for want of them alone.
    let structural = [
        "malformed",
        "credential_malformed",
        "proof_key_not_issuer",
        "log_unknown",
        "issuer_pack_missing",
        "issuer_pack_malformed",
        "issuer_pack_log_unknown",
        "issuer_missing",
        "type_missing",
    ];
    let blocked: Vec<_> = Check::ALL
        .iter()
        .map(|check| check.code())
        .filter(|code| !passing.contains(code))
        .collect();
    assert_eq!(blocked, structural);
}

#[test]
fn every_case_is_as_expected_with_all_checks_on() {
    for case in cases() {
        let verdict = case.judge();
        assert!(
            case.is_expected(&verdict),
            "{}: {:?}",
            case.name,
            verdict.reasons()
        );
        assert!(
            verdict.licence().is_none() || verdict.status().is_usable(),
            "{}",
            case.name
        );
    }
}

#[test]
fn codes_are_distinct() {
    let codes: BTreeSet<_> = Check::ALL.iter().map(|check| check.code()).collect();
    assert_eq!(codes.len(), Check::ALL.len());
    assert!(
        Check::ALL
            .iter()
            .all(|check| check.status() != Status::Valid)
    );
}
