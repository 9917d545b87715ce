//! A licence in the forms that others read, and what is said of somebody's credential.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use support::server::{key, serve};
use support::{credentials, food, office, zhao};

const FORMS: [&str; 3] = ["eddsa-rdfc-2022", "vc+jwt", "vc+cose"];
const BASE: &str = "https://licences.example";
const BANK: &str = "https://bank.example";

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
        let ran = zhao(dir, &out).code(1);
        assert!(ran.error().contains("not usable now"), "{}", ran.error());
        assert!(!dir.join("o").exists(), "{verb}");
    }
}

#[test]
fn what_is_no_credential_is_said_to_be_none() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    for (text, fragment, code) in [
        ("{}", "integrity", "proof-missing"),
        (r#"{"a":1,"a":2}"#, "integrity", "foreign-duplicate"),
        ("not.a.jws", "integrity", "binary-trailing-bits"),
        ("a~", "integrity", "jose-serialization"),
    ] {
        fs::write(dir.join("x"), text).unwrap();
        let said = told(&examine(dir, "x", &[], 1));
        assert_eq!(said[fragment], json!(["fail", [code]]), "{text}");
        assert_eq!(said["standing"], json!(["undetermined", ["not-checked"]]));
    }
    fs::write(dir.join("x"), "{}").unwrap();
    for (more, error) in [
        (["--context", "https://a.example/c"], "is not URL=FILE"),
        (["--context", "https://a.example/c=x"], "no JSON-LD context"),
        (["--schema", "https://a.example/s=x"], "no JSON Schema"),
        (["--status-list", "x"], "x is no status list: no id"),
        (["--did-document", "x"], "x is no DID document"),
    ] {
        let ran = zhao(dir, &[&["examine", "x"][..], &more].concat()).code(2);
        assert!(ran.error().contains(error), "{}", ran.error());
    }
}

/// Every URL in a text that begins with the site's.
fn named(text: &str) -> Vec<String> {
    let mut urls: Vec<String> = text
        .match_indices(BASE)
        .map(|(at, _)| text[at..].split('"').next().unwrap().to_owned())
        .filter(|url| url.len() > BASE.len())
        .collect();
    urls.sort();
    urls.dedup();
    urls
}

/// Fetches what a credential names from a server of the office, each into a file; the arguments
/// that hand them to `zhao examine`.
fn fetched(dir: &Path, urls: &[String], unit: &str) -> Vec<String> {
    let server = serve(dir, &["--public-url", BASE]);
    let get = |file: &str, url: &str| {
        let answer = server.get(url.strip_prefix(BASE).unwrap()).is(200);
        fs::write(dir.join(file), &answer.body).unwrap();
    };
    get("did.json", &format!("{BASE}/units/{unit}/did.json"));
    let mut more = vec!["--did-document".to_owned(), "did.json".to_owned()];
    for (number, url) in urls.iter().enumerate() {
        let file = format!("fetched-{number}");
        get(&file, url);
        more.extend(match url.contains("/schemas/") {
            true => ["--schema".to_owned(), format!("{url}={file}")],
            false => ["--status-list".to_owned(), file],
        });
    }
    assert_eq!(server.stop().0, 0);
    more
}

/// Who has the licence, the unit's served document, its schema and its lists needs no log.
#[test]
fn a_licence_under_the_name_of_a_site_is_judged_by_what_the_site_serves() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    let licence = licences(dir).remove(0);
    let original: Value = serde_json::from_slice(&fs::read(&licence).unwrap()).unwrap();
    let unit = original["issuer"]["unit"].as_str().unwrap().to_owned();
    let did = format!("did:web:licences.example:units:{unit}");
    let path = licence.to_str().unwrap();
    let forms = [&FORMS[..], &["dc+sd-jwt"]].concat();
    for form in &forms {
        let out = [
            "secure",
            "office",
            path,
            "--form",
            form,
            "--public-url",
            BASE,
            "-o",
            form,
        ];
        zhao(dir, &out).code(0);
    }
    let made: Value = serde_json::from_slice(&fs::read(dir.join(FORMS[0])).unwrap()).unwrap();
    assert_eq!(made["issuer"]["id"], did);
    assert_eq!(made["id"], original["id"]);
    assert_eq!(made["evidence"], original["credentialStatus"]);
    let urls = named(&made.to_string());
    assert_eq!(urls.len(), 5, "a schema and four lists: {urls:?}");
    let token = format!("{BASE}/status/standing/{unit}-0-0");
    let urls = [&urls[..], &[token]].concat();
    let more = fetched(dir, &urls, &unit);
    let more: Vec<&str> = more.iter().map(String::as_str).collect();
    let trusting = [&more[..], &["--issuer", &did]].concat();
    for form in &forms {
        let said = examine(dir, form, &trusting, 0);
        assert_eq!(said["outcome"], "pass", "{form}: {said}");
        for (name, answer) in told(&said).as_object().unwrap() {
            assert_eq!(answer, &json!(["pass", []]), "{form} {name}");
        }
        // Without what the site serves, nobody says whose key it is, and the trust goes nowhere.
        let alone = told(&examine(dir, form, &["--issuer", &did], 1));
        assert_eq!(
            alone["integrity"],
            json!(["fail", ["did-unknown"]]),
            "{form}"
        );
        // The other lists and no schema: what is missing is missed.
        let document = ["--did-document", "did.json", "--issuer", &did];
        let bare = told(&examine(dir, form, &document, 3));
        let missing = &bare["standing"][1][0];
        assert_eq!(missing, "status-list-missing", "{form}");
    }

    zhao(dir, &["status", "office", path, "revoke", "--reason", "x"]).code(0);
    let more = fetched(dir, &urls, &unit);
    let more: Vec<&str> = more.iter().map(String::as_str).collect();
    let trusting = [&more[..], &["--issuer", &did]].concat();
    for form in &forms {
        let said = told(&examine(dir, form, &trusting, 1));
        assert_eq!(said["standing"], json!(["fail", ["status-set"]]), "{form}");
        assert_eq!(said["integrity"], json!(["pass", []]), "{form}");
    }
}

#[test]
fn an_office_that_is_served_secures_by_request() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    let all = licences(dir);
    let (first, second) = (all[0].to_str().unwrap(), all[1].to_str().unwrap());
    zhao(dir, &["status", "office", second, "hold", "--reason", "x"]).code(0);
    let admin = key(dir, "issue");
    let reader = key(dir, "read");
    let server = serve(dir, &["--public-url", BASE]);
    let secure = |more: &[&str]| {
        let out = ["secure", "office", "-o", "o", "--form", "vc+jwt"];
        let _ = fs::remove_file(dir.join("o"));
        zhao(dir, &[&out[..], more].concat())
    };
    secure(&[first, "--public-url", BASE]).code(0);
    let text = fs::read_to_string(dir.join("o")).unwrap();
    assert_eq!(text.matches('.').count(), 2);
    for (more, error) in [
        (
            &[first, "--public-url", "https://b.example"][..],
            "not served under that URL",
        ),
        (
            &[first, "--holder", "did:key:z6Mk"],
            "not the key of a holder",
        ),
        (&[second], "not usable now: on_hold"),
    ] {
        let ran = secure(more);
        assert_ne!(ran.code, 0);
        assert!(ran.error().contains(error), "{}", ran.error());
        assert!(!dir.join("o").exists(), "{error}");
    }
    // Any licence of the office by its subject key; and only by who may issue.
    let list = server.get_with(&reader, "/v1/licences").is(200).json();
    let of = list["licences"].as_array().unwrap();
    assert_eq!(of.len(), 2);
    let mut made = 0;
    for licence in of {
        let path = format!(
            "/v1/licences/{}/forms",
            licence["subject"].as_str().unwrap()
        );
        let body = json!({"form": "dc+sd-jwt"}).to_string();
        server.post(&reader, &path, &body).is(403);
        let answer = server.post(&admin, &path, &body);
        if answer.status == 200 {
            assert_eq!(answer.header("content-type"), Some("application/dc+sd-jwt"));
            made += 1;
        } else {
            answer.is(422).problem("refused");
        }
        let wrong = json!({"form": "jpeg"}).to_string();
        server
            .post(&admin, &path, &wrong)
            .is(400)
            .problem("malformed");
    }
    assert_eq!(made, 1);
    let nobody = json!({"form": "vc+jwt"}).to_string();
    let path = format!("/v1/licences/{}/forms", "A".repeat(43));
    server
        .post(&admin, &path, &nobody)
        .is(404)
        .problem("not-found");
}

#[test]
fn the_unit_states_under_its_site_what_an_earlier_key_issued() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    let licence = licences(dir).remove(0);
    let original: Value = serde_json::from_slice(&fs::read(&licence).unwrap()).unwrap();
    let unit = original["issuer"]["unit"].as_str().unwrap();
    zhao(dir, &["keys", "office", "rotate", unit]).code(0);
    let path = licence.to_str().unwrap();
    let out = ["secure", "office", path, "--form", "vc+jwt", "-o", "o"];
    let ran = zhao(dir, &out).code(1);
    assert!(ran.error().contains("another key now"), "{}", ran.error());
    zhao(dir, &[&out[..], &["--public-url", BASE]].concat()).code(0);
    for wrong in ["http://licences.example", "https://a/../b"] {
        let ran = zhao(dir, &[&out[..], &["--public-url", wrong]].concat()).code(1);
        assert!(ran.error().contains("must be https"), "{}", ran.error());
    }
}

/// HOL-11: of a licence a holder shows what somebody needs, and nobody else shows it.
#[test]
fn hol_11_a_holder_shows_only_what_is_asked_for() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    let licence = licences(dir).remove(0);
    let path = licence.to_str().unwrap();
    let did = zhao(dir, &["holder", "init", "mine"]).code(0).stdout;
    let did = did.trim();
    zhao(dir, &["holder", "init", "thief"]).code(0);
    let out = [
        "secure",
        "office",
        path,
        "--form",
        "dc+sd-jwt",
        "--holder",
        did,
        "-o",
        "whole",
    ];
    zhao(dir, &out).code(0);
    let listed = zhao(dir, &["present", "whole", "--json"]).code(0);
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    let whole: Value = serde_json::from_slice(&fs::read(&licence).unwrap()).unwrap();
    let name = &whole["credentialSubject"]["holderName"];
    assert_eq!(&listed["holderName"], name);
    assert!(listed["faceData/businessForm"].is_string(), "{listed}");

    let for_bank = ["--audience", BANK, "--nonce", "n-1"];
    let show = [
        "present",
        "whole",
        "--show",
        "holderName",
        "--output",
        "shown",
    ];
    let mine = [&show[..], &["--holder", "mine"], &for_bank].concat();
    zhao(dir, &mine).code(0);
    let said = examine(dir, "shown", &for_bank, 3);
    let told = told(&said);
    assert_eq!(told["integrity"], json!(["pass", []]), "{said}");
    assert_eq!(told["standing"], json!(["undetermined", ["status-other"]]));
    assert_eq!(&said["claims"]["holderName"], name);
    for kept in ["holderCode", "licenceNumber", "licenceIdentifier"] {
        assert!(said["claims"].get(kept).is_none(), "{kept}");
    }
    assert_eq!(said["claims"]["faceData"], json!({}));
    let text = fs::read_to_string(dir.join("shown")).unwrap();
    assert_eq!(text.matches('~').count(), 2, "one disclosure");
    // People see it as well.
    let seen = zhao(dir, &[&["examine", "shown"][..], &for_bank].concat()).code(3);
    let name = name.as_str().unwrap();
    assert!(seen.stdout.contains(name), "{}", seen.stdout);

    // Shown again, to somebody else or by somebody else, it is worth nothing.
    let other = ["--audience", BANK, "--nonce", "n-2"];
    let elsewhere = ["--audience", "https://other.example", "--nonce", "n-1"];
    let thief = [&show[..5], &["stolen", "--holder", "thief"], &for_bank].concat();
    zhao(dir, &thief).code(0);
    zhao(dir, &[&show[..5], &["bare"]].concat()).code(0);
    for (file, asked, code) in [
        ("shown", other, "claims-nonce"),
        ("shown", elsewhere, "claims-audience"),
        ("stolen", for_bank, "signature-mismatch"),
        ("bare", for_bank, "sd-jwt-binding-missing"),
    ] {
        let said = examine(dir, file, &asked, 1);
        assert_eq!(
            self::told(&said)["integrity"],
            json!(["fail", [code]]),
            "{file}"
        );
        assert!(said.get("claims").is_none(), "{file}");
    }
}

#[test]
fn what_cannot_be_shown_is_said_to_be() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    let licence = licences(dir).remove(0);
    let path = licence.to_str().unwrap();
    let secure = ["secure", "office", path, "--output", "whole", "--form"];
    let key = zhao(dir, &["holder", "init", "mine"]).code(0).stdout;
    let key = key.trim();
    let ran = zhao(dir, &[&secure[..], &["vc+jwt", "--holder", key]].concat()).code(1);
    assert!(ran.error().contains("only an SD-JWT"), "{}", ran.error());
    let ran = zhao(
        dir,
        &[&secure[..], &["dc+sd-jwt", "--holder", "did:web:a"]].concat(),
    )
    .code(2);
    assert!(
        ran.error().contains("not the key of a holder"),
        "{}",
        ran.error()
    );
    let ran = zhao(dir, &["holder", "init", "mine"]).code(2);
    assert!(ran.error().contains("mine"), "{}", ran.error());

    zhao(dir, &[&secure[..], &["dc+sd-jwt"]].concat()).code(0);
    let bound = ["--holder", "mine", "--audience", BANK, "--nonce", "n"];
    for (more, code, error) in [
        (&["--show", "vct", "-o", "o"][..], 2, "no claim vct"),
        (
            &["--show", "faceData/none", "-o", "o"],
            2,
            "no claim faceData/none",
        ),
        (
            &[&["-o", "o"][..], &bound].concat(),
            2,
            "no holder's key is named",
        ),
    ] {
        let ran = zhao(dir, &[&["present", "whole"][..], more].concat()).code(code);
        assert!(ran.error().contains(error), "{}", ran.error());
        assert!(!dir.join("o").exists());
    }
    fs::write(dir.join("x"), "no sd-jwt").unwrap();
    assert!(
        zhao(dir, &["present", "x"])
            .code(1)
            .error()
            .contains("x is no licence in SD-JWT form")
    );

    zhao(
        dir,
        &[&secure[..], &["dc+sd-jwt", "--holder", key]].concat(),
    )
    .code(0);
    let long = "n".repeat(257);
    let asked = ["--holder", "mine", "--audience", BANK, "--nonce", &long];
    let ran = zhao(
        dir,
        &[&["present", "whole", "-o", "o"][..], &asked].concat(),
    )
    .code(2);
    assert!(ran.error().contains("256 bytes"), "{}", ran.error());
    zhao(
        dir,
        &[&["present", "whole", "-o", "o"][..], &bound].concat(),
    )
    .code(0);
    let ran = zhao(dir, &["present", "o", "-o", "again"]).code(2);
    assert!(
        ran.error().contains("shown to somebody already"),
        "{}",
        ran.error()
    );
}

#[test]
fn a_type_has_a_schema_for_each_version_that_was_published() {
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    let licence = licences(dir).remove(0);
    let licence: Value = serde_json::from_slice(&fs::read(&licence).unwrap()).unwrap();
    let subject = &licence["credentialSubject"];
    let code = subject["licenceTypeCode"].as_str().unwrap();
    let of = ["catalogue", "schema", code, "--dir", "office"];
    let printed = zhao(dir, &of).code(0).stdout;
    let schema: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    assert!(printed.contains("businessForm"), "{printed}");
    let version = &schema["properties"]["credentialSubject"]["properties"]["catalogueVersion"];
    assert_eq!(version["const"], subject["catalogueVersion"]);
    let ran = zhao(dir, &[&of[..], &["--catalogue-version", "77"]].concat()).code(2);
    assert!(ran.error().contains("no version 77"), "{}", ran.error());
    let ran = zhao(dir, &["catalogue", "schema", "none"]).code(2);
    assert!(ran.error().contains("none"), "{}", ran.error());

    let server = serve(dir, &["--public-url", BASE]);
    let own = subject["catalogueVersion"].to_string();
    let served = server.get(&format!("/schemas/{code}/{own}")).is(200);
    assert_eq!(
        served.header("content-type"),
        Some("application/schema+json")
    );
    assert_eq!(
        String::from_utf8(served.body).unwrap().trim_end(),
        printed.trim_end()
    );
    for wrong in [
        format!("/schemas/{code}/77"),
        format!("/schemas/{code}/0{own}"),
        format!("/schemas/{code}/x"),
        format!("/schemas/food-operation/{own}"),
        format!("/schemas/%2e%2e/{own}"),
    ] {
        server.get(&wrong).is(404).problem("not-found");
    }
}
