//! `zhao serve --conformance`: where it is served, and where it is refused.

mod support;

use serde_json::json;
use support::server::{Server, serve};
use support::{food, office, zhao};

/// Asks a mode to issue, and gives what it issued.
fn issue(server: &Server, instance: &str) -> serde_json::Value {
    let issuer = server.get("/readyz").is(200).json()["issuer"].clone();
    let body = json!({ "credential": {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential"],
        "issuer": issuer,
        "credentialSubject": { "id": "did:example:subject" },
    } });
    let path = format!("/{instance}/credentials/issue");
    let made = server.post("", &path, &body.to_string()).is(201).json();
    made["verifiableCredential"].clone()
}

#[test]
fn an_empty_registry_is_served_by_the_same_key_again_and_one_with_a_licence_never() {
    let dir = tempfile::tempdir().expect("a directory can be made");
    office(dir.path());
    let url = ["--conformance", "--public-url", "https://vc.example/x/"];
    let server = serve(dir.path(), &url);
    let first = issue(&server, "rdfc");
    let list = first["credentialStatus"]["statusListCredential"].as_str();
    assert_eq!(list, Some("https://vc.example/x/rdfc/status/revocation"));
    // The office's own routes are not there.
    server.get("/v1/checkpoint").is(404).problem("not-found");
    server.post("", "/v1/licences", &food("示例餐馆")).is(404);
    server.stop();

    let seed = dir.path().join("office/conformance.seed");
    let mode = std::os::unix::fs::PermissionsExt::mode(&seed.metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let server = serve(dir.path(), &["--conformance"]);
    assert_eq!(issue(&server, "jcs")["issuer"], first["issuer"]);
    server.stop();

    // Nothing of what was issued is the office's.
    let rows = dir.path().join("rows.jsonl");
    std::fs::write(&rows, food("示例餐馆")).unwrap();
    let issued = zhao(
        dir.path(),
        &["issue", "office", "--from", "rows.jsonl", "-o", "out"],
    );
    assert_eq!(issued.code, 0, "{}", issued.stderr);
    for (language, word) in [("en", "conformance instance"), ("zh", "一致性测试实例")] {
        let line = ["--lang", language, "serve", "office", "--conformance"];
        let refused = zhao(dir.path(), &line);
        assert_eq!(refused.code, 1, "{}", refused.stderr);
        assert!(refused.stderr.contains(word), "{}", refused.stderr);
    }
}

#[test]
fn a_seed_that_is_none_is_not_used() {
    let dir = tempfile::tempdir().expect("a directory can be made");
    office(dir.path());
    std::fs::write(dir.path().join("office/conformance.seed"), [7; 31]).unwrap();
    let refused = zhao(dir.path(), &["serve", "office", "--conformance"]);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(
        refused.stderr.contains("conformance.seed"),
        "{}",
        refused.stderr
    );
}
