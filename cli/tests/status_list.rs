//! Status lists, DID documents and the resolver of a served registry, as a stranger reads them; and
//! the audit of a list that was published.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod support;

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use support::server::{Server, key, serve};
use support::{food, office, zhao};
use zeroize::Zeroizing;
use zhao_issuer::keys::{Keyring, Purpose};
use zhao_spec::wire::foreign::{Foreign, canonicalize, parse_foreign};
use zhao_spec::wire::{Hash, UnixMillis};
use zhao_vc::did::{Document, Methods as _, web_url};
use zhao_vc::status::derive::ListName;
use zhao_vc::status::token::{self, INVALID, Reference, SUSPENDED, VALID};
use zhao_vc::status::{
    Entry, ListCredential, Order, Outcome, StatusError, StatusList, Wanted, check, encode, signed,
};

const BASE: &str = "https://licences.example";
/// That of every command here (`support::command_as`).
const PASSPHRASE: &str = "correct horse battery staple";

/// An office in the world, a server on it, a key for everything, and its unit's code.
fn started() -> (tempfile::TempDir, Server, String, String) {
    let dir = tempfile::tempdir().unwrap();
    office(dir.path());
    let admin = key(dir.path(), "admin");
    let server = serve(dir.path(), &["--public-url", BASE]);
    let units = server.get_with(&admin, "/v1/units").is(200).json();
    let unit = units["units"][0]["uscc"].as_str().unwrap().to_owned();
    (dir, server, admin, unit)
}

/// Issues a licence and does so to it; its subject key.
fn licence(server: &Server, admin: &str, name: &str, verbs: &[&str]) -> Hash {
    let made = server.post(admin, "/v1/licences", &food(name)).is(201);
    let subject = made.json()["licence"]["subject"]
        .as_str()
        .unwrap()
        .to_owned();
    for verb in verbs {
        let act = json!({"verb": verb, "reason": "复核"}).to_string();
        let path = format!("/v1/licences/{subject}/acts");
        server.post(admin, &path, &act).is(200);
    }
    Hash::from_base64url(&subject).unwrap()
}

fn foreign(bytes: &[u8]) -> Foreign {
    parse_foreign(bytes).unwrap()
}

/// A unit's document, got from the URL that its did:web names.
fn unit_document(server: &Server, did: &str) -> Document {
    let url = web_url(did).unwrap();
    let answer = server.get(url.strip_prefix(BASE).unwrap()).is(200);
    assert_eq!(
        answer.header("content-type"),
        Some("application/did+ld+json")
    );
    Document::read(&foreign(&answer.body), did).unwrap()
}

fn did(unit: &str) -> String {
    format!("did:web:licences.example:units:{unit}")
}

/// What a stranger finds out about a licence from a list: fetched, its proof checked, judged.
fn judged(server: &Server, unit: &str, purpose: &str, key: &Hash) -> Result<Outcome, StatusError> {
    let name = ListName::of(unit, 0, key).unwrap();
    let path = format!("/status/{purpose}/{name}");
    let answer = server.get(&path).is(200);
    assert_eq!(answer.header("content-type"), Some("application/vc"));
    let credential = foreign(&answer.body);
    let did = did(unit);
    let issuer = signed::open(&credential, &unit_document(server, &did)).unwrap();
    assert_eq!(issuer, did);
    let list = ListCredential::read(&credential).unwrap();
    let entry = Entry {
        id: None,
        purpose: purpose.to_owned(),
        index: name.index(key),
        list: format!("{BASE}{path}"),
        size: list.size.unwrap_or(1),
        messages: Vec::new(),
        references: Vec::new(),
    };
    let wanted = Wanted {
        issuer: &did,
        at: UnixMillis(list.valid_from.unwrap().0 + 1_000),
        fetched: None,
        least_size: Some(list.derived_from.as_ref().unwrap().size),
    };
    check(&entry, &list, &wanted)
}

#[test]
fn what_befalls_a_licence_stands_in_its_lists() {
    let (_dir, server, admin, unit) = started();
    let good = licence(&server, &admin, "甲店", &[]);
    let revoked = licence(&server, &admin, "乙店", &["revoke"]);
    let held = licence(&server, &admin, "丙店", &["hold"]);
    let pledged = licence(&server, &admin, "丁店", &["pledge"]);
    let valid = |purpose, key| judged(&server, &unit, purpose, key).unwrap().valid;
    for (key, expected) in [
        (&good, [true, true, true, true]),
        (&revoked, [false, true, true, true]),
        (&held, [true, false, true, true]),
        (&pledged, [true, true, false, true]),
    ] {
        let found = ["revocation", "suspension", "message", "refresh"].map(|p| valid(p, key));
        assert_eq!(found, expected);
    }
    let said = judged(&server, &unit, "message", &pledged).unwrap();
    assert_eq!((said.status, said.message.as_deref()), (2, Some("pledge")));
    // A suspension that is lifted is gone from the next epoch on.
    let act = json!({"verb": "lift-hold", "reason": "复核"}).to_string();
    let path = format!("/v1/licences/{}/acts", held.to_base64url());
    server.post(&admin, &path, &act).is(200);
    assert!(valid("suspension", &held));

    // The same as a token.
    let name = ListName::of(&unit, 0, &good).unwrap();
    let path = format!("/status/standing/{name}");
    let answer = server.get(&path).is(200);
    assert_eq!(
        answer.header("content-type"),
        Some("application/statuslist+jwt")
    );
    let text = String::from_utf8(answer.body).unwrap();
    let list = token::open(&text, &unit_document(&server, &did(&unit))).unwrap();
    let at = |key: &Hash| {
        let reference = Reference {
            idx: name.index(key),
            uri: format!("{BASE}{path}"),
        };
        let now = UnixMillis(list.issued.0 + 1_000);
        token::check(&reference, &list, &did(&unit), now).unwrap()
    };
    assert_eq!(
        [at(&good), at(&revoked), at(&held)],
        [VALID, INVALID, VALID]
    );
    licence(&server, &admin, "戊店", &["report-lost"]);
    let again = String::from_utf8(server.get(&path).is(200).body).unwrap();
    let list = token::open(&again, &unit_document(&server, &did(&unit))).unwrap();
    assert!(list.list.set().any(|(_, value)| value == SUSPENDED));
}

#[test]
fn a_list_is_kept_by_caches_for_as_long_as_it_says() {
    let (_dir, server, admin, unit) = started();
    let key = licence(&server, &admin, "甲店", &[]);
    let path = format!("/status/revocation/{unit}-0-0");
    let first = server.get(&path).is(200);
    let tag = first.header("etag").unwrap().to_owned();
    assert_eq!(first.header("cache-control"), Some("public, max-age=60"));
    assert_eq!(first.header("access-control-allow-origin"), Some("*"));
    // An epoch has one list, byte for byte.
    assert_eq!(server.get(&path).is(200).body, first.body);
    let ask = |headers: &[(&str, &str)]| server.ask("GET", &path, headers, b"");
    let kept = ask(&[("If-None-Match", &tag)]).is(304);
    assert!(kept.body.is_empty());
    let act = json!({"verb": "revoke", "reason": "复核"}).to_string();
    let acts = format!("/v1/licences/{}/acts", key.to_base64url());
    server.post(&admin, &acts, &act).is(200);
    let newer = ask(&[("If-None-Match", &tag)]).is(200);
    assert_ne!(newer.body, first.body);
    // As it stood at the time of the first one.
    let then = first.json()["validFrom"].as_str().unwrap().to_owned();
    let old = server.get(&format!("{path}?timestamp={then}")).is(200);
    let subject = |body: &[u8]| -> Value {
        serde_json::from_slice::<Value>(body).unwrap()["credentialSubject"].clone()
    };
    assert_eq!(subject(&old.body), subject(&first.body));
    for query in [
        "timestamp=yesterday",
        "timestamp=2999-01-01T00:00:00Z",
        "at=1",
        "x",
    ] {
        server
            .get(&format!("{path}?{query}"))
            .is(400)
            .problem("malformed");
    }
    ask(&[("Accept", "application/vc+jwt")])
        .is(406)
        .problem("not-acceptable");
    ask(&[("Accept", "text/html, application/ld+json")]).is(200);
    let standing = format!("/status/standing/{unit}-0-0");
    let json = [("Accept", "application/vc")];
    server
        .ask("GET", &standing, &json, b"")
        .is(406)
        .problem("not-acceptable");
}

#[test]
fn what_is_no_list_is_not_there() {
    let (_dir, server, _, unit) = started();
    for path in [
        format!("/status/revocation/{unit}"),
        format!("/status/revocation/{unit}-0-1"),
        format!("/status/revocation/{unit}-13-0"),
        format!("/status/revocation/{unit}-00-0"),
        format!("/status/Revocation/{unit}-0-0"),
        format!("/status/other/{unit}-0-0"),
        "/status/revocation/11320400DEM0009999-0-0".to_owned(),
        "/units/11320400DEM0009999/did.json".to_owned(),
        "/units/..%2f/did.json".to_owned(),
    ] {
        server.get(&path).is(404).problem("not-found");
    }
    server
        .get(&format!("/status/revocation/{unit}-12-4095"))
        .is(200);
}

#[test]
fn an_office_without_a_public_url_names_nothing() {
    let dir = tempfile::tempdir().unwrap();
    office(dir.path());
    let admin = key(dir.path(), "admin");
    let server = serve(dir.path(), &[]);
    let units = server.get_with(&admin, "/v1/units").is(200).json();
    let unit = units["units"][0]["uscc"].as_str().unwrap().to_owned();
    for path in [
        format!("/status/revocation/{unit}-0-0"),
        format!("/units/{unit}/did.json"),
    ] {
        let answer = server.get(&path).is(404).problem("not-found");
        assert!(
            answer.json()["detail"]
                .as_str()
                .unwrap()
                .contains("public URL")
        );
    }
    let other = format!("/1.0/identifiers/{}", did(&unit));
    assert_eq!(
        server.get(&other).is(404).json()["didResolutionMetadata"]["error"],
        "notFound"
    );
    assert_eq!(server.stop().0, 0);
    for wrong in [
        "http://a.example",
        "https://",
        "https://a/../b",
        "a.example",
    ] {
        let url = format!("--public-url={wrong}");
        let ran = zhao(dir.path(), &["serve", "office", &url]).code(2);
        assert!(ran.stderr.contains("public-url"), "{}", ran.stderr);
    }
}

#[test]
fn the_resolver_answers_what_it_knows() {
    let (_dir, server, _, unit) = started();
    let ask = |did: &str, accept: &str| {
        let path = format!("/1.0/identifiers/{did}");
        server.ask("GET", &path, &[("Accept", accept)], b"")
    };
    let profile = r#"application/ld+json;profile="https://w3id.org/did-resolution""#;
    let key = "did:key:z6MktKwz7Ge1Yxzr4JHavN33wiwa8y81QdcMRLXQsrH9T53b";
    for name in [key, &did(&unit)] {
        let answer = ask(name, profile).is(200);
        assert_eq!(answer.header("content-type"), Some(profile));
        let result = answer.json();
        assert_eq!(result["didDocument"]["id"], name);
        assert!(result["didResolutionMetadata"]["error"].is_null());
        let alone = ask(name, "application/did+json").is(200);
        let document = Document::read(&foreign(&alone.body), name).unwrap();
        let method = result["didDocument"]["assertionMethod"][0]
            .as_str()
            .unwrap();
        assert_eq!(
            document
                .method(method, "assertionMethod")
                .unwrap()
                .controller,
            name
        );
    }
    // As a browser's encodeURIComponent writes it.
    let encoded = key.replace(':', "%3A");
    assert_eq!(
        ask(&encoded, profile).is(200).json()["didDocument"]["id"],
        key
    );
    let absent = did("11320400DEM0009999");
    let elsewhere = did(&unit).replace("licences.example", "b.example");
    for (name, accept, status, word) in [
        ("key:z6MktKwz", profile, 400, "invalidDid"),
        ("did:z6MktKwz7Ge1Y", profile, 400, "invalidDid"),
        ("did:key:-v4:z6MktKwz", profile, 400, "invalidDid"),
        ("did:key:6MktKwz", profile, 400, "invalidDid"),
        ("did:example:1", profile, 501, "methodNotSupported"),
        (&absent, profile, 404, "notFound"),
        (&elsewhere, profile, 404, "notFound"),
        (key, "text/html", 406, "representationNotSupported"),
    ] {
        let answer = ask(name, accept).is(status).json();
        assert_eq!(answer["didResolutionMetadata"]["error"], word, "{name}");
        assert!(answer["didDocument"].is_null());
        assert!(answer["didDocumentMetadata"].is_object());
    }
    let problem = ask("did:example:1", "application/did-resolution")
        .is(501)
        .json();
    assert_eq!(
        problem["didResolutionMetadata"]["error"]["type"],
        "https://www.w3.org/ns/did#METHOD_NOT_SUPPORTED"
    );
}

/// A list without any bit, signed by the office's own key.
fn forged(dir: &Path, unit: &str, list: &Foreign) -> Vec<u8> {
    let keys = dir.join("office/keys");
    let passphrase = Zeroizing::new(PASSPHRASE.to_owned());
    let mut keyring = Keyring::open(&keys, &passphrase).unwrap();
    let mut secrets = keyring.secrets(Purpose::Unit).unwrap();
    let secret = secrets.pop().unwrap();
    let empty = StatusList::new(131_072, 1, Order::HighFirst).unwrap();
    let encoded = Foreign::Text(encode(&empty).unwrap());
    let Foreign::Object(members) = list else {
        panic!("a list is an object");
    };
    let changed = members
        .iter()
        .filter(|(name, _)| name != "proof")
        .map(|(name, value)| {
            let mut value = value.clone();
            if let (true, Foreign::Object(subject)) = (name == "credentialSubject", &mut value) {
                for (name, value) in subject.iter_mut().filter(|(name, _)| name == "encodedList") {
                    assert_eq!(name, "encodedList");
                    *value = encoded.clone();
                }
            }
            (name.clone(), value)
        });
    let changed = Foreign::Object(changed.collect());
    let method = format!("{}#{}", did(unit), secret.public().to_multibase());
    canonicalize(&signed::secure(changed, &method, UnixMillis(1), &secret).unwrap())
}

fn audited(dir: &Path, file: &str) -> support::Ran {
    let mut words = vec!["audit", "office", "--policy", "office/policy.txt", "--json"];
    words.extend(["--status-list", file]);
    zhao(dir, &words)
}

#[test]
fn an_auditor_derives_a_published_list_again() {
    let (temporary, server, admin, unit) = started();
    let dir = temporary.path();
    licence(&server, &admin, "甲店", &[]);
    let key = licence(&server, &admin, "乙店", &["revoke"]);
    let path = format!("/status/revocation/{unit}-0-0");
    let list = server.get(&path).is(200).body;
    fs::write(dir.join("list.json"), &list).unwrap();
    let message = server
        .get(&format!("/status/message/{unit}-4-2"))
        .is(200)
        .body;
    fs::write(dir.join("message.json"), &message).unwrap();
    // Later epochs do not matter to what an earlier one was.
    licence(&server, &admin, "丙店", &["revoke"]);
    server.terminate();
    assert_eq!(server.end().0, 0);
    for file in ["list.json", "message.json"] {
        let ran = audited(dir, file).code(0);
        let found: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(found["agree"], json!([file]));
    }

    // An office that hides a revocation, with a signature that holds.
    let index = ListName::of(&unit, 0, &key).unwrap().index(&key);
    let hidden = forged(dir, &unit, &foreign(&list));
    fs::write(dir.join("hidden.json"), hidden).unwrap();
    let ran = audited(dir, "hidden.json").code(1);
    let found: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(found["disagree"][0]["code"], "status-disagrees");
    let why = format!("index {index} is 0 in the list and 1 by the ledger");
    assert_eq!(found["disagree"][0]["why"], why);

    // Or without one.
    let credential = foreign(&list);
    let text = String::from_utf8(canonicalize(&credential)).unwrap();
    for (file, from, to, code) in [
        (
            "a.json",
            "\"ttl\":60000",
            "\"ttl\":60001",
            "status-signature",
        ),
        ("b.json", "\"epoch\":", "\"epoch\":9", "status-epoch"),
        ("c.json", "\"derivedFrom\"", "\"derived\"", "status-shape"),
        (
            "d.json",
            "/status/revocation/",
            "/status/suspension/",
            "status-purpose",
        ),
        ("e.json", "{\"@context\"", "[{\"@context\"", "foreign-end"),
        (
            "f.json",
            "BitstringStatusListCredential",
            "OtherCredential",
            "status-type",
        ),
    ] {
        assert!(text.contains(from), "{from}");
        let times = if file == "e.json" { 1 } else { usize::MAX };
        fs::write(dir.join(file), text.replacen(from, to, times)).unwrap();
        let ran = audited(dir, file).code(1);
        let found: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(found["disagree"][0]["code"], code, "{found}");
        assert_eq!(found["disagree"][0]["file"], file);
    }
    let words = [
        "audit",
        "office",
        "--policy",
        "office/policy.txt",
        "--status-list",
        "a.json",
    ];
    let ran = zhao(dir, &words).code(1);
    assert!(
        ran.stdout.contains("not what the log says"),
        "{}",
        ran.stdout
    );
    assert!(!dir.join("evidence.json").exists());
}
