//! A licence in the forms that others read, and what is said of somebody's credential.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use support::{credentials, food, office, zhao};

const FORMS: [&str; 3] = ["eddsa-rdfc-2022", "vc+jwt", "vc+cose"];

/// Outcome and codes of each fragment, by its name.
fn told(said: &Value) -> Value {
    let fragments = said["fragments"].as_array().unwrap().iter();
    let rows = fragments.map(|fragment| {
        let codes = fragment["reasons"].as_array().unwrap().iter();
        let codes: Vec<_> = codes.map(|reason| reason["code"].clone()).collect();
        let name = fragment["name"].as_str().unwrap().to_owned();
        assert!(fragment["means"].as_str().unwrap().len() > 10);
        (name, json!([fragment["outcome"], codes]))
    });
    Value::Object(rows.collect())
}

/// An office with two licences; their files.
fn licences(dir: &Path) -> Vec<PathBuf> {
    office(dir);
    let rows = format!("[{},{}]", food("示例甲公司"), food("示例乙公司"));
    fs::write(dir.join("rows.json"), rows).unwrap();
    zhao(
        dir,
        &["issue", "office", "--from", "rows.json", "-o", "issued"],
    )
    .code(0);
    credentials(&dir.join("issued"))
}

fn examine(dir: &Path, file: &str, more: &[&str], code: i32) -> Value {
    let ran = zhao(dir, &[&["examine", file, "--json"], more].concat()).code(code);
    serde_json::from_str(&ran.stdout).unwrap()
}

#[test]
fn a_licence_is_read_in_every_form_and_no_forgery_is() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    let licence = licences(dir).remove(0);
    let original: Value = serde_json::from_slice(&fs::read(&licence).unwrap()).unwrap();
    let issuer = original["issuer"]["id"].as_str().unwrap().to_owned();
    let path = licence.to_str().unwrap();
    for form in FORMS {
        let out = ["secure", "office", path, "--form", form, "--output", form];
        zhao(dir, &out).code(0);
        // The licence's standing is in its log, which these readers do not ask.
        let said = examine(dir, form, &["--issuer", &issuer], 3);
        let told = told(&said);
        assert_eq!(told["integrity"], json!(["pass", []]), "{form}: {said}");
        assert_eq!(told["authority"], json!(["pass", []]), "{form}");
        assert_eq!(told["validity"], json!(["pass", []]), "{form}");
        assert_eq!(told["schema"], json!(["pass", []]), "{form}");
        assert_eq!(told["standing"], json!(["undetermined", ["status-other"]]));
        // Nobody said that the issuer is trusted.
        let alone = self::told(&examine(dir, form, &[], 3));
        assert_eq!(
            alone["authority"],
            json!(["undetermined", ["issuer-unknown"]])
        );
        let past = ["--at", "2020-01-01T00:00:00Z", "--issuer", &issuer];
        let early = self::told(&examine(dir, form, &past, 1));
        assert_eq!(early["validity"], json!(["fail", ["not-yet-valid"]]));

        let mut bytes = fs::read(dir.join(form)).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] = if bytes[middle] == b'A' { b'B' } else { b'A' };
        fs::write(dir.join("forged"), bytes).unwrap();
        examine(dir, "forged", &["--issuer", &issuer], 1);
    }
    // The licence itself as well; and people get it in words.
    let said = examine(dir, path, &["--issuer", &issuer], 3);
    assert_eq!(told(&said)["integrity"], json!(["pass", []]));
    let ran = zhao(dir, &["examine", path, "--issuer", &issuer]).code(3);
    assert!(ran.stdout.contains("[status-other]"), "{}", ran.stdout);
}

#[test]
fn nobody_gets_a_fresh_signature_under_a_licence_that_may_not_be_used() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    let all = licences(dir);
    for (licence, verb) in all.iter().zip(["hold", "revoke"]) {
        let path = licence.to_str().unwrap();
        zhao(dir, &["status", "office", path, verb, "--reason", "x"]).code(0);
        let out = [
            "secure", "office", path, "--form", "vc+jwt", "--output", "o",
        ];
        assert_eq!(zhao(dir, &out).code(1).error(), "form");
        assert!(!dir.join("o").exists(), "{verb}");
    }
}

#[test]
fn what_is_no_credential_is_said_to_be_none() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    for (text, code) in [
        ("{}", "proof-missing"),
        ("{\"a\":1,\"a\":2}", "json-duplicate"),
        ("not.a.jws", "jose-base64"),
    ] {
        fs::write(dir.join("x"), text).unwrap();
        let said = examine(dir, "x", &[], 1);
        let codes = &told(&said)["integrity"];
        assert_eq!(codes[0], "fail", "{text}");
        assert!(
            codes[1][0].is_string(),
            "{text}: {code} or another: {codes}"
        );
    }
    fs::write(dir.join("x"), "{}").unwrap();
    for (more, error) in [
        (["--context", "https://a.example/c"], "url-file"),
        (["--context", "https://a.example/c=x"], "context-wrong"),
        (["--schema", "https://a.example/s=x"], "schema-wrong"),
        (["--status-list", "x"], "list-wrong"),
    ] {
        let ran = zhao(dir, &[&["examine", "x"][..], &more].concat()).code(2);
        assert_eq!(ran.error(), error);
    }
}
