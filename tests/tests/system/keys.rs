//! Units and their keys: rotated, retired, suspended, compromised, reaffirmed.

use serde_json::Value;
use zhao_spec::id::Uscc;

use crate::office::{Office, POLICY, Row, UNIT, csv};
use crate::program::judge;

/// A second unit, whose code no registry gives out.
fn second_unit() -> String {
    Uscc::with_checks("11320400", "DEM00002")
        .unwrap()
        .to_string()
}

fn units(office: &Office) -> Value {
    let ran = office.zhao(&["unit", "office", "list", "--json"]).code(0);
    serde_json::from_str(&ran.stdout).unwrap()
}

/// The keys of the first unit: text, and whether it is in force.
fn keys(office: &Office) -> Vec<(String, bool)> {
    let units = units(office);
    let keys = units[0]["keys"].as_array().unwrap().clone();
    keys.iter()
        .map(|key| (key["key"].as_str().unwrap().into(), key["until"].is_null()))
        .collect()
}

fn unit(office: &Office, arguments: &[&str]) {
    office
        .zhao(&[&["unit", "office"], arguments].concat())
        .code(0);
}

#[test]
fn licences_outlive_the_key_that_signed_them() {
    let office = Office::new();
    let before = office.issue_one(&Row::food());
    unit(&office, &["rotate-key", UNIT]);
    let after = office.issue_one(&Row::road());
    let keys = keys(&office);
    assert_eq!(
        keys.iter().map(|key| key.1).collect::<Vec<_>>(),
        [false, true]
    );
    for (credential, key) in [(&before, &keys[0].0), (&after, &keys[1].0)] {
        assert_eq!(
            office.json(credential)["issuer"]["id"],
            format!("did:key:{key}")
        );
        assert_eq!(office.standing(credential).text(), "valid");
    }
    // What the old key signed is changed with the new one.
    office
        .zhao(&["status", "office", &before, "hold", "--reason", "x"])
        .code(0);
    assert_eq!(office.standing(&before).text(), "not_usable on_hold");
    office.audit(&["dossier.json"]);
}

#[test]
fn a_suspended_unit_signs_nothing_and_its_licences_carry_a_notice() {
    let office = Office::new();
    let credential = office.issue_one(&Row::food());
    unit(&office, &["suspend", UNIT]);
    assert_eq!(
        office.standing(&credential).text(),
        "valid_with_notice issuer_suspended"
    );
    let hold = ["status", "office", &credential, "hold", "--reason", "x"];
    office.refuses(&hold, 1, &["[suspended]", UNIT]);
    let rotate = ["unit", "office", "rotate-key", UNIT];
    let ran = office.zhao(&rotate).code(1);
    assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
    office.refuses(
        &["unit", "office", "suspend", UNIT],
        1,
        &["[already_suspended]"],
    );

    office.write("more.csv", csv(&[&Row::road()]));
    office
        .zhao(&["issue", "office", "--from", "more.csv", "-o", "more.out"])
        .code(1);
    let report = office.report("more.out");
    assert_eq!(
        (report[0].status.as_str(), report[0].code.as_str()),
        ("refused", "suspended")
    );

    unit(&office, &["resume", UNIT]);
    assert_eq!(office.standing(&credential).text(), "valid");
    office.zhao(&hold).code(0);
    assert_eq!(office.standing(&credential).text(), "not_usable on_hold");
}

#[test]
fn what_a_compromised_key_signed_counts_again_when_it_is_reaffirmed() {
    let office = Office::new();
    let early = office.issue_one(&Row::food());
    let from = office.size();
    let late = office.issue_one(&Row::road());
    let touched = office.issue_one(&Row::permit());
    unit(&office, &["rotate-key", UNIT]);
    let old = keys(&office)[0].0.clone();
    let from = from.to_string();
    unit(
        &office,
        &["compromised", UNIT, "--key", &old, "--from", &from],
    );
    assert_eq!(office.standing(&early).text(), "valid", "signed before");
    for credential in [&late, &touched] {
        assert_eq!(
            office.standing(credential).text(),
            "not_usable key_compromised"
        );
    }
    let nothing = ["status", "office", &early, "reaffirm", "--reason", "x"];
    office.refuses(&nothing, 1, &["[nothing_to_reaffirm]"]);
    office
        .zhao(&[
            "status",
            "office",
            &late,
            "reaffirm",
            "--reason",
            "核对无误",
        ])
        .code(0);
    assert_eq!(office.standing(&late).text(), "valid");
    office
        .zhao(&[
            "status",
            "office",
            &touched,
            "annul",
            "--reason",
            "非本单位签发",
        ])
        .code(0);
    assert_eq!(
        office.standing(&touched).text(),
        "invalid annulled key_compromised"
    );
    // A second declaration may only reach further back.
    let again = [
        "unit",
        "office",
        "compromised",
        UNIT,
        "--key",
        &old,
        "--from",
        &from,
    ];
    office.refuses(&again, 1, &["[not_earlier]"]);
    unit(
        &office,
        &["compromised", UNIT, "--key", &old, "--from", "1"],
    );
    assert_eq!(office.standing(&early).text(), "not_usable key_compromised");
    office.audit(&["dossier.json"]);
}

#[test]
fn an_event_signed_by_a_compromised_key_spoils_an_older_licence() {
    let office = Office::new();
    let credential = office.issue_one(&Row::food());
    let from = office.size().to_string();
    office
        .zhao(&["status", "office", &credential, "pledge", "--reason", "x"])
        .code(0);
    unit(&office, &["rotate-key", UNIT]);
    let old = keys(&office)[0].0.clone();
    unit(
        &office,
        &["compromised", UNIT, "--key", &old, "--from", &from],
    );
    assert_eq!(
        office.standing(&credential).text(),
        "not_usable changed_by_compromised_key pledged"
    );
    office
        .zhao(&["status", "office", &credential, "reaffirm", "--reason", "x"])
        .code(0);
    assert_eq!(
        office.standing(&credential).text(),
        "valid_with_notice pledged"
    );
}

#[test]
fn a_second_unit_issues_its_types_and_no_others() {
    let office = Office::new();
    let other = second_unit();
    let other = other.as_str();
    unit(
        &office,
        &[
            "add",
            other,
            "--name",
            "示例二局（虚构）",
            "--types",
            "food-operation",
        ],
    );
    let credential = office.issue_one(&Row::food().with("issuer", other));
    let judged = office.standing(&credential);
    assert_eq!(
        (judged.text().as_str(), &judged.facts["unit"]),
        ("valid", &Value::from(other))
    );

    office.write("road.csv", csv(&[&Row::road()]));
    let issue = [
        "issue", "office", "--from", "road.csv", "--unit", other, "-o", "road.out",
    ];
    office.zhao(&issue).code(1);
    let report = office.report("road.out");
    assert_eq!(report[0].code, "type-not-granted", "{report:?}");
    unit(
        &office,
        &["grant-types", other, "--types", "road-transport-operation"],
    );
    office.zhao(&issue).code(0);

    for (arguments, code, said) in [
        (&["add", other, "--name", "x"][..], 1, "[subject_exists]"),
        (
            &["grant-types", other, "--types", "food-operation"],
            1,
            "[types_known]",
        ),
        (
            &["grant-types", other, "--types", "nonsense"],
            2,
            "nonsense",
        ),
        (&["suspend", "11320400DEM0000224"], 2, "11320400DEM0000224"),
        (
            &["compromised", other, "--from", "999999"],
            1,
            "[from_in_future]",
        ),
        (&["retire-key", other, "--key", "z6Mkx"], 2, "z6Mkx"),
    ] {
        let line = [&["unit", "office"][..], arguments].concat();
        let ran = office.zhao(&line);
        crate::program::is_refusal(&format!("{line:?}"), &ran, code, &[said]);
    }
}

#[test]
fn a_dossier_without_authorities_needs_a_pack_that_knows_its_issuer() {
    let office = Office::new();
    let credential = office.issue_one(&Row::food());
    let line = [
        "dossier",
        "office",
        &credential,
        "--without-authorities",
        "-o",
        "small.json",
    ];
    office.zhao(&line).code(0);
    assert_eq!(office.judge("small.json", &[]).text(), "valid");

    // Where the policy has no pack beside it.
    std::fs::create_dir(office.path("alone")).unwrap();
    for name in ["policy.txt", "trust.txt"] {
        let text = office.text(&format!("office/{name}"));
        office.write(&format!("alone/{name}"), text);
    }
    let alone = |more: &[&str]| judge(office.root(), "small.json", "alone/policy.txt", more).text();
    assert_eq!(alone(&[]), "undetermined issuer_pack_missing");
    assert_eq!(alone(&["--pack", "office/issuer-pack.json"]), "valid");
    assert_eq!(
        alone(&["--pack", "small.json"]),
        "undetermined issuer_pack_malformed"
    );
    let pack = office.text("office/issuer-pack.json");
    office.write("cut.json", &pack[..pack.len() / 2]);
    assert_eq!(
        alone(&["--pack", "cut.json"]),
        "undetermined issuer_pack_malformed"
    );

    // A pack from before the licence was issued proves nothing about its issuer then.
    office.write("old-pack.json", &pack);
    let later = office.issue_one(&Row::road());
    let line = [
        "dossier",
        "office",
        &later,
        "--without-authorities",
        "-o",
        "small.json",
    ];
    office.zhao(&line).code(0);
    let old = ["--pack", "old-pack.json"];
    assert_eq!(alone(&old), "undetermined issuer_pack_too_old");
    assert_eq!(
        judge(office.root(), "small.json", POLICY, &[]).text(),
        "valid"
    );
}
