//! Amended, renewed, reissued: one step over the old version and the new. And what the public list
//! of an enterprise says about them.

use serde_json::Value;

use crate::office::{Office, Row, csv};
use crate::program::Judged;

/// Replaces `credential`; the new credential's file.
#[track_caller]
fn replace(office: &Office, how: &str, credential: &str, changes: &str) -> String {
    office.write("changes.json", changes);
    let output = format!("{how}.out");
    let line = [
        how,
        "office",
        credential,
        "--from",
        "changes.json",
        "-o",
        &output,
    ];
    office
        .zhao(&[&line[..], &["--reason", "示例理由"]].concat())
        .code(0);
    let report = office.report(&output);
    let [row] = report.as_slice() else {
        panic!("{report:?}")
    };
    assert_eq!((row.row, row.status.as_str()), (1, "issued"));
    format!("{output}/{}", row.file)
}

/// Both versions, side by side.
#[track_caller]
fn standings(office: &Office, old: &str, new: &str) -> (String, String) {
    (office.standing(old).text(), office.standing(new).text())
}

/// The answer about an enterprise, and the verdict on each of its items.
#[track_caller]
fn query(office: &Office, uscc: &str) -> (Judged, Vec<String>) {
    office
        .zhao(&["query", "office", "--uscc", uscc, "-o", "answer.json"])
        .code(0);
    let judged = office.judge("answer.json", &[]);
    assert_eq!(judged.text(), "valid");
    let items = judged.facts["items"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let line = |item: &Value| match item["verdict"].as_str() {
        Some(verdict) => {
            let mut words = vec![verdict.to_owned()];
            words.extend(crate::program::strings(&item["reasons"]));
            words.join(" ")
        }
        None => "closed".to_owned(),
    };
    let lines = items.iter().map(line).collect();
    (judged, lines)
}

#[test]
fn an_amended_licence_takes_its_open_pledge_along() {
    let office = Office::new();
    let old = office.issue_one(&Row::food());
    office
        .zhao(&["status", "office", &old, "pledge", "--reason", "x"])
        .code(0);
    let new = replace(&office, "amend", &old, r#"{"representative":"李示例明"}"#);
    assert_eq!(
        standings(&office, &old, &new),
        (
            "invalid superseded pledged".into(),
            "valid_with_notice pledged".into()
        )
    );
    let (was, is) = (office.json(&old), office.json(&new));
    let face = |value: &Value, name: &str| value["credentialSubject"]["faceData"][name].clone();
    assert_eq!(face(&is, "representative"), "李示例明");
    assert_eq!(face(&is, "premises"), face(&was, "premises"));
    assert_ne!(is["id"], was["id"]);
    assert_eq!(
        is["credentialSubject"]["licenceNumber"],
        was["credentialSubject"]["licenceNumber"]
    );
    // The old version is an end: nothing follows it twice.
    office.write("again.json", r#"{"representative":"王示例"}"#);
    let again = [
        "amend",
        "office",
        &old,
        "--from",
        "again.json",
        "-o",
        "again.out",
    ];
    let ran = office.zhao(&again).code(1);
    assert!(ran.stderr.contains("[terminal]"), "{}", ran.stderr);
    office
        .zhao(&["history", "office", &old, "-o", "history.json"])
        .code(0);
    assert_eq!(office.judge("history.json", &[]).text(), "valid");
    assert_eq!(
        office.json("history.json")["entries"]
            .as_array()
            .map(Vec::len),
        Some(3)
    );
    office.audit(&["dossier.json", "history.json"]);
}

#[test]
fn a_licence_is_renewed_for_a_new_term() {
    let office = Office::new();
    let first = office.today().add_days(20).unwrap();
    let until = office.today().add_days(10).unwrap();
    let later = office.today().add_days(400).unwrap();
    let old = office.issue_one(&Row::business(&until.to_string()));
    let changes = format!(r#"{{"validUntil":"{later}"}}"#);
    let new = replace(&office, "renew", &old, &changes);
    assert_eq!(
        standings(&office, &old, &new),
        ("invalid superseded".into(), "valid".into())
    );
    // After the old term only the new version is in force; the old one has two reasons by then.
    let more = [
        "--at",
        &first.start_beijing().to_string(),
        "--max-age",
        "60d",
    ];
    assert_eq!(
        office.standing_at(&old, &more).text(),
        "invalid expired superseded"
    );
    assert_eq!(office.standing_at(&new, &more).text(), "valid");
    let (_, items) = query(&office, "91370102DEM000006U");
    assert_eq!(items, ["invalid superseded", "valid"]);
}

#[test]
fn a_lost_licence_is_reissued_and_only_reissued() {
    let office = Office::new();
    let old = office.issue_one(&Row::title());
    office
        .zhao(&["status", "office", &old, "mortgage", "--reason", "x"])
        .code(0);
    office
        .zhao(&["status", "office", &old, "report-lost", "--reason", "x"])
        .code(0);
    for how in ["amend", "renew"] {
        office.write("changes.json", r#"{"use":"商业"}"#);
        let line = [
            how,
            "office",
            &old,
            "--from",
            "changes.json",
            "-o",
            "no.out",
        ];
        let ran = office.zhao(&line).code(1);
        assert!(ran.stderr.contains("[suspended]"), "{how}: {}", ran.stderr);
        let report = office.report("no.out");
        assert_eq!(report[0].status, "refused");
        assert_eq!(report[0].code, "suspended");
        assert_eq!(
            office.standing(&old).text(),
            "not_usable reported_lost mortgaged"
        );
    }
    let new = replace(&office, "reissue", &old, "{}");
    assert_eq!(
        standings(&office, &old, &new),
        (
            "invalid superseded reported_lost mortgaged".into(),
            "valid_with_notice mortgaged".into()
        )
    );
}

#[test]
fn an_enterprise_has_all_its_open_licences_or_proof_that_there_is_none() {
    let office = Office::new();
    let holder = "91350102DEM0000U10";
    let road = Row::road()
        .with("holderCode", holder)
        .with("holderName", "福州示例宏源物流有限公司");
    // The same enterprise owns a house, of a type that is not open.
    let title = Row::title()
        .with("holderCode", holder)
        .with("holderCodeType", "001")
        .with("holderName", "福州示例宏源物流有限公司");
    let batch = csv(&[&Row::food(), &road, &title, &Row::business("长期")]);
    let credentials = office.issue("four.csv", &batch);
    office
        .zhao(&[
            "status",
            "office",
            &credentials[1],
            "withhold",
            "--reason",
            "x",
        ])
        .code(0);

    let (judged, items) = query(&office, holder);
    assert_eq!(
        items,
        ["valid", "not_usable withheld"],
        "the title does not appear"
    );
    let text = office.json("answer.json")["items"].to_string();
    assert!(
        text.contains("11100000DEM0090006001"),
        "the type of the first"
    );
    assert!(!text.contains("11100000MB03271699001") && !text.contains("不动产"));
    let subjects: Vec<&Value> = judged.facts["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["subject"])
        .collect();
    for credential in &credentials[..2] {
        let subject = office.standing(credential).facts["subject"].clone();
        assert!(subjects.contains(&&subject));
    }
    // Nobody of that code; and somebody with a title only.
    let (_, items) = query(&office, "93440305DEM0002T6U");
    assert_eq!(items, Vec::<String>::new());
    let (_, items) = query(&office, "92450103DEM0000N46");
    assert_eq!(items, Vec::<String>::new());

    // What an answer leaves out shows.
    query(&office, holder);
    let mut answer = office.json("answer.json");
    answer["items"].as_array_mut().unwrap().pop();
    office.write("short.json", format!("{}\n", canonical(&answer)));
    assert_eq!(
        office.judge("short.json", &[]).text(),
        "invalid answer_incomplete"
    );
    office.audit(&["answer.json"]);
}

/// Our JSON is canonical; `serde_json` keeps members in order of their names, and ours are ASCII.
fn canonical(value: &Value) -> String {
    value.to_string()
}

#[test]
fn a_title_is_in_no_public_list() {
    let office = Office::new();
    let holder = "91350102DEM0000U10";
    let title = Row::title()
        .with("holderCode", holder)
        .with("holderCodeType", "001");
    office.issue_one(&title);
    let (judged, items) = query(&office, holder);
    assert_eq!(items, Vec::<String>::new());
    assert!(
        judged
            .facts
            .get("items")
            .is_none_or(|items| items == &Value::Array(Vec::new()))
    );
    assert!(office.json("answer.json").get("record").is_none());
}
