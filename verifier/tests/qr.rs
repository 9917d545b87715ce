//! A dossier in its QR form is worth what its JSON is worth, and no change of it says anything new.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use support::at;
use support::vectors::{Vector, folder};
use zhao_spec::file::Dossier;
use zhao_spec::qr;
use zhao_spec::wire::json;
use zhao_verifier::{Status, TrustPolicy, Verdict, verify};

mod support;

/// A dossier without authorities, how it is judged, and with what.
struct Case {
    name: String,
    dossier: Dossier,
    form: Vec<u8>,
    policy: TrustPolicy,
    pack: Option<Vec<u8>>,
    at: String,
    max_age: Option<u64>,
}

impl Case {
    fn judge(&self, file: &[u8], pack: Option<&[u8]>) -> Verdict {
        verify(file, &self.policy, pack, at(&self.at), self.max_age)
    }
}

/// Every dossier of the vectors that the form carries.
///
/// Those with authorities of their own get a pack of them, as of their own head.
fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut paths: Vec<_> = std::fs::read_dir(folder().join("verify"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    for path in paths {
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let vector = Vector::read(&stem, &std::fs::read_to_string(&path).unwrap());
        for case in &vector.cases {
            let Ok(mut dossier) = Dossier::parse(json::without_newline(&case.file)) else {
                continue;
            };
            let own = dossier.authorities.take().map(|authorities| {
                let head = dossier.head.clone();
                zhao_spec::file::IssuerPack { authorities, head }.bytes()
            });
            if let Ok(form) = qr::encode(&dossier) {
                cases.push(Case {
                    name: case.name.clone(),
                    dossier,
                    form,
                    policy: vector.trust_policy(),
                    pack: own.or_else(|| case.pack.clone()),
                    at: case.at.clone().unwrap_or_else(|| vector.at.clone()),
                    max_age: case.max_age,
                });
            }
        }
    }
    cases
}

#[test]
fn form_and_json_get_one_verdict() {
    let mut seen = std::collections::BTreeSet::new();
    for case in cases() {
        let json = case.dossier.bytes();
        for pack in [None, case.pack.as_deref()] {
            let expected = case.judge(&json, pack);
            let actual = case.judge(&case.form, pack);
            assert_eq!(actual.to_json(), expected.to_json(), "{}", case.name);
            seen.insert(expected.status().as_str());
            seen.extend(expected.reasons().iter().map(|reason| reason.code()));
        }
        // Without a pack, somebody unknown says it.
        assert!(!case.judge(&case.form, None).status().is_usable());
    }
    for code in [
        "valid",
        "valid_with_notice",
        "revoked",
        "issuer_pack_missing",
    ] {
        assert!(seen.contains(code), "{code} is not among {seen:?}");
    }
    assert!(seen.len() > 40, "{seen:?}");
}

#[test]
fn every_refused_form_is_malformed() {
    let text = std::fs::read_to_string(folder().join("qr/expand.json")).unwrap();
    let vector: serde_json::Value = serde_json::from_str(&text).unwrap();
    let case = cases().swap_remove(0);
    let mut refused = 0;
    for each in vector["cases"].as_array().unwrap() {
        let form = each["form"].as_str().unwrap();
        let mut form = zhao_spec::wire::binary::decode_base64url(form, 1 << 20).unwrap();
        let zeros = each["zeros"].as_u64().unwrap_or(0);
        form.resize(form.len() + usize::try_from(zeros).unwrap(), 0);
        let malformed = case.judge(&form, case.pack.as_deref());
        let codes: Vec<_> = malformed.reasons().iter().map(|each| each.code()).collect();
        let (refuses, name) = (each["expect"]["error"].is_string(), &each["name"]);
        assert_eq!(codes == ["malformed"], refuses, "{name}: {codes:?}");
        refused += usize::from(refuses);
    }
    assert!(refused > 100);
}

#[test]
fn no_changed_form_says_anything_new() {
    // A generator of no quality is enough here, and repeats itself on every machine.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(below).unwrap()).unwrap()
    };
    let cases: Vec<Case> = cases()
        .into_iter()
        .filter(|case| case.judge(&case.form, case.pack.as_deref()).status() == Status::Valid)
        .collect();
    let (mut usable, mut expanded) = (0, 0);
    for round in 0..8_000 {
        let case = &cases[round % cases.len()];
        let mut changed = case.form.clone();
        for _ in 0..=next(2) {
            let at = next(changed.len());
            match next(4) {
                0 => changed[at] = u8::try_from(next(256)).unwrap(),
                1 => changed[at] ^= 1 << next(8),
                2 => changed.insert(at, u8::try_from(next(256)).unwrap()),
                _ => drop(changed.remove(at)),
            }
        }
        let json = qr::expand(&changed);
        expanded += usize::from(json.is_ok());
        let verdict = case.judge(&changed, case.pack.as_deref());
        if verdict.status().is_usable() {
            // Other bits of the stream may give the same texts.
            usable += 1;
            let json = Dossier::parse(&json.unwrap()).unwrap();
            assert_eq!(json.credential, case.dossier.credential, "{}", case.name);
            assert_eq!(json.placed, case.dossier.placed, "{}", case.name);
            assert_eq!(json.head.epoch, case.dossier.head.epoch, "{}", case.name);
        }
    }
    assert!(expanded > 2_000, "{expanded}");
    assert!(usable < expanded / 2, "{usable} of {expanded}");
}
