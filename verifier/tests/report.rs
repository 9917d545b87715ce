//! The fragments of a verdict: one refusal for each, with what is told beside it, and on every
//! vector the verdict that its fragments make.
#![allow(clippy::unwrap_used, reason = "this is test code")]

use serde_json::{Value, json};
use support::credential::Paper;
use support::vectors::{AT, Vector, said};
use support::vouch::{Trusting, Vouchers};
use support::{cases, key};
use zhao_spec::file::Dossier;
use zhao_spec::life::verb::Verb;
use zhao_spec::wire::UnixMillis;
use zhao_verifier::{Check, FragmentName, NOT_CHECKED, Outcome, TrustPolicy, verify};

mod support;

fn judge(dossier: &Dossier, trusting: &Trusting, when: &str) -> Value {
    let policy = TrustPolicy::load(&trusting.policy(), &trusting.trust()).unwrap();
    let verdict = verify(&dossier.bytes(), &policy, None, support::at(when), None);
    serde_json::from_slice(&verdict.to_json()).unwrap()
}

/// `name: outcome code…` of all that is not passed without a word.
fn spoken(verdict: &Value) -> Vec<String> {
    let fragments = verdict["fragments"].as_array().unwrap().iter();
    let codes = |own: &Value| -> Vec<String> {
        let codes = own["codes"].as_array().unwrap().iter();
        codes
            .map(|code| code.as_str().unwrap().to_owned())
            .collect()
    };
    fragments
        .filter(|own| own["outcome"] != "pass" || !codes(own).is_empty())
        .map(|own| {
            let (name, outcome) = (
                own["name"].as_str().unwrap(),
                own["outcome"].as_str().unwrap(),
            );
            format!("{name}: {outcome} {}", codes(own).join(" "))
        })
        .collect()
}

fn facts<'a>(verdict: &'a Value, name: &str) -> &'a Value {
    let mut fragments = verdict["fragments"].as_array().unwrap().iter();
    &fragments.find(|own| own["name"] == name).unwrap()["facts"]
}

#[test]
fn a_valid_licence_passes_in_all_six_and_each_tells_its_facts() {
    let (world, trusting, paper, credential) = cases::issued();
    let dossier = world.dossier(&paper, &credential);
    let verdict = judge(&dossier, &trusting, AT);
    assert_eq!(verdict["verdict"], "valid");
    assert_eq!(spoken(&verdict), Vec::<String>::new());
    let names: Vec<_> = FragmentName::ALL.iter().map(|name| name.as_str()).collect();
    let told = verdict["fragments"].as_array().unwrap().iter();
    assert_eq!(told.map(|own| &own["name"]).collect::<Vec<_>>(), names);
    let record = &dossier.placed.record;
    assert_eq!(
        facts(&verdict, "standing"),
        &json!({
            "age": 23 * support::HOUR, "asOf": "2026-12-01T01:00:00.000Z",
            "effective": record.effective.to_string(), "epoch": 1,
            "recorded": record.recorded.to_string(), "size": world.tree.size().0,
            "state": "active", "subject": world.licence_key(&paper).to_string(),
        })
    );
    assert_eq!(
        facts(&verdict, "authority"),
        &json!({
            "issuedBy": key("unit 1 key 1").public().thumbprint().to_string(),
            "issuedIndex": record.issued_index.0,
            "typeCode": paper.licence_type.as_str(), "unit": paper.unit.as_str(),
        })
    );
    assert_eq!(
        facts(&verdict, "witnesses"),
        &json!({
            "auditors": ["a1", "a2"], "quorum": "met",
            "quorumTime": "2026-12-01T01:00:02.000Z", "witnesses": ["w1", "w2", "w3"],
        })
    );
    assert_eq!(
        facts(&verdict, "integrity")["holder"]["code"],
        paper.holder_code
    );
    for name in ["validity", "schema"] {
        assert_eq!(facts(&verdict, name), &json!({}));
    }
    // What the fragments tell is what the facts tell, each once.
    let mut together = serde_json::Map::new();
    for name in names {
        for (fact, value) in facts(&verdict, name).as_object().unwrap() {
            assert_eq!(together.insert(fact.clone(), value.clone()), None, "{fact}");
        }
    }
    assert_eq!(Value::Object(together), verdict["facts"]);
}

#[test]
fn another_key_fails_integrity_and_nothing_after_it_is_checked() {
    let (world, trusting, paper, credential) = cases::issued();
    let mut dossier = world.dossier(&paper, &credential);
    dossier.credential = cases::papers::resigned(&credential, "thief", |_| {});
    let verdict = judge(&dossier, &trusting, AT);
    assert_eq!(verdict["verdict"], "invalid");
    assert_eq!(
        spoken(&verdict),
        [
            "integrity: fail proof_signature",
            "authority: undetermined not_checked",
            "validity: undetermined not_checked",
            "standing: undetermined not_checked",
            "witnesses: undetermined not_checked",
        ]
    );
    assert_eq!(verdict["facts"], json!({}));
}

#[test]
fn an_unknown_unit_fails_authority() {
    let (world, trusting, paper, credential) = cases::issued();
    let mut dossier = world.dossier(&paper, &credential);
    dossier.authorities.as_mut().unwrap().issuers.clear();
    let verdict = judge(&dossier, &trusting, AT);
    assert_eq!(verdict["verdict"], "invalid");
    assert_eq!(
        spoken(&verdict),
        [
            "authority: fail issuer_missing",
            "validity: undetermined not_checked",
            "standing: undetermined not_checked",
        ]
    );
    // Nobody is named as its issuer; who vouched for the log is known.
    assert_eq!(facts(&verdict, "authority"), &json!({}));
    assert_eq!(facts(&verdict, "witnesses")["quorum"], "met");
}

#[test]
fn no_authorities_and_no_pack_leave_authority_undetermined() {
    let (world, trusting, paper, credential) = cases::issued();
    let mut dossier = world.dossier(&paper, &credential);
    dossier.authorities = None;
    let verdict = judge(&dossier, &trusting, AT);
    assert_eq!(verdict["verdict"], "undetermined");
    assert_eq!(
        spoken(&verdict)[0],
        "authority: undetermined issuer_pack_missing"
    );
}

#[test]
fn too_old_leaves_the_standing_undetermined_with_its_age() {
    let (world, trusting, paper, credential) = cases::issued();
    let dossier = world.dossier(&paper, &credential);
    let verdict = judge(&dossier, &trusting, "2027-02-01T01:00:00.000Z");
    assert_eq!(verdict["verdict"], "undetermined");
    assert_eq!(
        spoken(&verdict),
        [
            // Whether the key was lost since, the old head cannot say.
            "authority: undetermined not_checked",
            "validity: undetermined not_checked",
            "standing: undetermined too_old",
        ]
    );
    assert_eq!(facts(&verdict, "standing")["age"], 62 * support::DAY);
    let early = judge(&dossier, &trusting, "2026-11-01T00:00:00.000Z");
    assert_eq!(spoken(&early)[2], "standing: undetermined as_of_in_future");
    assert_eq!(facts(&early, "standing")["age"], 0);
}

#[test]
fn no_quorum_leaves_witnesses_undetermined_and_a_false_line_fails_them() {
    for (vouchers, verdict, fragment) in [
        (
            Vouchers::of(&["w1"], &["a1"]),
            "undetermined",
            "undetermined witness_quorum",
        ),
        (
            Vouchers::of(&["w1", "w2"], &[]),
            "undetermined",
            "undetermined auditor_quorum",
        ),
        (
            Vouchers::all().spoiled("w3"),
            "invalid",
            "fail cosignature_invalid",
        ),
    ] {
        let (mut world, trusting, paper, credential) = cases::issued();
        world.vouchers = vouchers;
        let said = judge(&world.dossier(&paper, &credential), &trusting, AT);
        assert_eq!(said["verdict"], verdict);
        assert_eq!(spoken(&said)[3], format!("witnesses: {fragment}"));
        // What the log says is not said yet, for nobody has seen it say so.
        assert_eq!(spoken(&said)[2], "standing: undetermined not_checked");
    }
}

#[test]
fn a_policy_without_witnesses_says_that_its_quorum_is_none() {
    let (world, trusting, paper, credential) = cases::issued();
    let trusting = trusting.quorum("quorum none").auditors("none");
    let verdict = judge(&world.dossier(&paper, &credential), &trusting, AT);
    assert_eq!(verdict["verdict"], "valid");
    assert_eq!(facts(&verdict, "witnesses")["quorum"], "none");
    assert_eq!(verdict["assurance"], json!(["no_witness", "no_auditor"]));
}

#[test]
fn the_term_is_a_question_of_its_own() {
    let (mut world, trusting) = cases::honest();
    let mut paper = Paper::food(1);
    paper.valid_until = Some(UnixMillis::parse("2026-12-01T16:00:00.000Z").unwrap());
    let credential = world.issue(&paper);
    world.close();
    let verdict = judge(&world.dossier(&paper, &credential), &trusting, AT);
    assert_eq!(verdict["verdict"], "invalid");
    assert_eq!(spoken(&verdict), ["validity: fail expired"]);
}

#[test]
fn a_revoked_licence_fails_in_its_standing_alone() {
    let (mut world, trusting, paper, credential) = cases::issued();
    world.plain(&paper, Verb::Revoke);
    world.close();
    let verdict = judge(&world.dossier(&paper, &credential), &trusting, AT);
    assert_eq!(verdict["verdict"], "invalid");
    assert_eq!(spoken(&verdict), ["standing: fail revoked"]);
    assert_eq!(facts(&verdict, "standing")["state"], "revoked");
}

#[test]
fn what_is_no_file_of_ours_fails_the_schema_and_tells_nothing_else() {
    let (_, trusting) = cases::honest();
    let policy = TrustPolicy::load(&trusting.policy(), &trusting.trust()).unwrap();
    for file in ["", "{}", "[]", "{\"format\":\"zhao/v1 dossier\"}", "ZHAO1:"] {
        let verdict = verify(file.as_bytes(), &policy, None, support::at(AT), None);
        let said: Vec<_> = verdict.report().fragments().iter().map(said).collect();
        assert_eq!(said.len(), 6, "{file}");
        for (name, text) in said {
            let expected = match name.as_str() {
                "schema" => "fail malformed",
                _ => "undetermined not_checked",
            };
            assert_eq!(text, expected, "{file}: {name}");
        }
    }
}

/// On every vector: the verdict is what the fragments make, no reason is lost and none invented.
#[test]
fn every_vectors_verdict_is_made_of_its_fragments() {
    let mut seen = std::collections::BTreeSet::new();
    for vector in cases::all() {
        let policy = vector.trust_policy();
        let read = Vector::read(&vector.path, &vector.text());
        for case in &read.cases {
            let what = format!("{}: {}", vector.path, case.name);
            let verdict = read.judge(&policy, case);
            let report = verdict.report();
            assert_eq!(report.status(), verdict.status(), "{what}");
            let fragments = report.fragments();
            let codes = || fragments.iter().flat_map(|own| own.codes());
            let mut ordered: Vec<_> = codes().filter(|code| *code != NOT_CHECKED).collect();
            ordered.sort_by_key(|code| Check::ALL.iter().position(|own| own.code() == *code));
            let reasons: Vec<_> = verdict.reasons().iter().map(|own| own.code()).collect();
            assert_eq!(ordered, reasons, "{what}");
            let passed = fragments.iter().all(|own| own.outcome() == Outcome::Pass);
            assert_eq!(passed, verdict.status().is_usable(), "{what}");
            let silent = passed && codes().next().is_none();
            assert_eq!(silent, verdict.status().as_str() == "valid", "{what}");
            let fails = fragments.iter().any(|own| own.outcome() == Outcome::Fail);
            let refused = matches!(verdict.status().as_str(), "not_usable" | "invalid");
            assert_eq!(fails, refused, "{what}");
            seen.extend(fragments.iter().map(|own| (own.name(), own.outcome())));
        }
    }
    // Each of the six comes out in each way, but nothing comes before the schema.
    for name in FragmentName::ALL {
        for outcome in [Outcome::Pass, Outcome::Fail, Outcome::Undetermined] {
            let possible = *name != FragmentName::Schema || outcome != Outcome::Undetermined;
            let found = seen.contains(&(*name, outcome));
            assert_eq!(found, possible, "{name:?} {outcome:?}");
        }
    }
}
