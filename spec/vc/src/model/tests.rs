use serde_json::{Value, json};
use zhao_spec::wire::foreign::parse_foreign;

use super::contexts::{TERMS, TERMS_V2};
use super::*;

fn version(version: Version) -> &'static str {
    match version {
        Version::V1 => "1.1",
        Version::V2 => "2.0",
    }
}

/// What a document comes to: what the vector states, or code, path and message.
fn outcome(how: &str, document: &Foreign) -> Result<Value, ModelError> {
    let told = |credential: Credential<'_>| {
        json!({
            "version": version(credential.version),
            "issuer": credential.issuer.id,
            "subjects": credential.subjects.len(),
        })
    };
    match how {
        "credential" => credential(document).map(told),
        "unsecured" => unsecured(document).map(told),
        "presentation" => presentation(document).map(|presentation| {
            json!({
                "version": version(presentation.version),
                "holder": presentation.holder.map(|holder| holder.id.to_owned()),
                "credentials": presentation.credentials.len(),
            })
        }),
        "envelope" => envelope(document).map(|envelope| {
            json!({
                "holds": envelope.holds.type_name(),
                "mediaType": envelope.media_type,
                "base64": envelope.base64,
                "data": envelope.data,
            })
        }),
        other => panic!("no way to read {other}"),
    }
}

fn run(name: &str) -> (usize, usize) {
    let path = format!(
        "{}/../vectors/data-model/{name}",
        env!("CARGO_MANIFEST_DIR")
    );
    let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert!(file["description"].is_string() && file["source"].is_string());
    let (mut accepted, mut refused) = (0, 0);
    let mut names = std::collections::BTreeSet::new();
    for case in file["cases"].as_array().unwrap() {
        let title = case["name"].as_str().unwrap();
        assert!(names.insert(title), "{title} twice");
        let document = parse_foreign(case["document"].to_string().as_bytes()).unwrap();
        let expect = &case["expect"];
        match outcome(case["as"].as_str().unwrap(), &document) {
            Ok(told) => {
                assert_eq!(told, expect["ok"], "{title}");
                accepted += 1;
            }
            Err(error) => {
                assert_eq!(
                    Some(error.code()),
                    expect["error"].as_str(),
                    "{title}: {error}"
                );
                // Every message begins with the path, or says nothing before the verb.
                let path = expect["path"].as_str().unwrap();
                let message = error.to_string();
                assert!(message.starts_with(path), "{title}: {message}");
                let after = message[path.len()..].chars().next();
                assert!(matches!(after, Some(' ' | ':')), "{title}: {message}");
                refused += 1;
            }
        }
    }
    (accepted, refused)
}

#[test]
fn meets_the_suite_of_w3c() {
    let (accepted, refused) = run("w3c.json");
    assert!(accepted > 60 && refused > 60, "{accepted} {refused}");
}

#[test]
fn refuses_by_code_and_path() {
    let (accepted, refused) = run("model.json");
    assert!(accepted > 30 && refused > 150, "{accepted} {refused}");
}

fn parse(value: &Value) -> Foreign {
    parse_foreign(value.to_string().as_bytes()).unwrap()
}

fn sample() -> Value {
    json!({
        "@context": [BASE_V2],
        "type": ["VerifiableCredential"],
        "issuer": "did:example:issuer",
        "credentialSubject": {"id": "did:example:subject"},
    })
}

#[test]
fn knows_every_term_of_the_base_contexts() {
    // Names of JWT claims and SD-JWT members that the context of 2.0 only sets aside.
    const SET_ASIDE: &[&str] = &[
        "...", "_sd", "_sd_alg", "aud", "cnf", "exp", "iat", "iss", "jku", "kid", "nbf", "sub",
        "x5u",
    ];
    // What 1.1 has beside the data model: prefixes, suites, a term without use.
    const BESIDE: &[&str] = &[
        "EcdsaSecp256k1Signature2019",
        "EcdsaSecp256r1Signature2019",
        "Ed25519Signature2018",
        "RsaSignature2018",
        "cred",
        "issued",
        "sec",
        "xsd",
    ];
    let mut seen = std::collections::BTreeSet::new();
    for file in [
        include_str!("../../contexts/credentials-v1.jsonld"),
        include_str!("../../contexts/credentials-v2.jsonld"),
    ] {
        let file: Value = serde_json::from_str(file).unwrap();
        let own = file["@context"].as_object().unwrap();
        let scoped = ["VerifiableCredential", "VerifiablePresentation"]
            .map(|name| own[name]["@context"].as_object().unwrap());
        for term in [own, scoped[0], scoped[1]]
            .into_iter()
            .flat_map(|c| c.keys())
        {
            if !term.starts_with('@') && !SET_ASIDE.contains(&&**term) && !BESIDE.contains(&&**term)
            {
                assert!(
                    TERMS.contains(&&**term) || TERMS_V2.contains(&&**term),
                    "{term}"
                );
                seen.insert(term.clone());
            }
        }
    }
    for term in TERMS.iter().chain(TERMS_V2) {
        assert!(seen.contains(*term), "{term}");
    }
}

#[test]
fn what_comes_out_is_what_went_in() {
    let document = parse(&json!({
        "@context": [BASE_V2, "https://www.w3.org/ns/credentials/examples/v2"],
        "id": "urn:uuid:1",
        "type": ["VerifiableCredential", "Permit"],
        "name": {"@value": "许可证", "@language": "zh", "@direction": "ltr"},
        "issuer": {"id": "did:example:issuer", "name": "局"},
        "validFrom": "1970-01-01T00:00:01Z",
        "validUntil": "1970-01-01T00:00:02.5Z",
        "credentialSubject": [{"id": "did:example:a", "x": 1}, {"x": 2}],
        "credentialStatus": {"type": "BitstringStatusListEntry", "statusListIndex": "5"},
        "relatedResource": [
            {"id": BASE_V2, "digestMultibase": "uWZVc7WaX1h4D8rJVb-vlMIqxaEKEb1tYbX8fet7JJzQ"},
            {"id": "https://example.org/x", "mediaType": "text/html; charset=utf-8",
             "digestMultibase": "uWZVc7WaX1h4D8rJVb-vlMIqxaEKEb1tYbX8fet7JJzQ"},
        ],
        "proof": [{"type": "DataIntegrityProof"}],
    }));
    let credential = credential(&document).unwrap();
    assert_eq!(credential.contexts.len(), 2);
    assert_eq!(credential.id, Some("urn:uuid:1"));
    assert_eq!(credential.types, ["VerifiableCredential", "Permit"]);
    assert_eq!(
        credential.names,
        [Words {
            text: "许可证",
            language: Some("zh"),
            direction: Some(Direction::LeftToRight),
        }]
    );
    assert_eq!(credential.issuer.names[0].text, "局");
    let ids: Vec<_> = credential
        .subjects
        .iter()
        .map(|subject| subject.id)
        .collect();
    assert_eq!(ids, [Some("did:example:a"), None]);
    let index = credential.statuses[0].value.member("statusListIndex");
    assert_eq!(index.and_then(Foreign::as_text), Some("5"));
    let checked: Vec<_> = credential.resources.iter().map(|one| one.checked).collect();
    assert_eq!(checked, [true, false]);
    assert_eq!(
        credential.resources[1].media_type,
        Some("text/html; charset=utf-8")
    );
    assert_eq!(credential.proofs[0].types, ["DataIntegrityProof"]);
    for (now, validity) in [
        (999, Validity::NotYet),
        (1_000, Validity::Valid),
        (2_499, Validity::Valid),
        (2_500, Validity::Ended),
    ] {
        assert_eq!(credential.validity(UnixMillis(now)), validity, "{now}");
    }
}

#[test]
fn what_only_the_presentation_secures_is_the_holders() {
    let presented = |holder: Value, credential: Value| {
        let mut document = json!({
            "@context": [BASE_V2],
            "type": ["VerifiablePresentation"],
            "verifiableCredential": [sample(), credential],
        });
        if !holder.is_null() {
            document["holder"] = holder;
        }
        let document = parse(&document);
        presentation(&document).unwrap().holder_issued()
    };
    let mut secured = sample();
    secured["proof"] = json!({"type": "DataIntegrityProof"});
    secured["issuer"] = json!("did:example:somebody");
    let mut other = sample();
    other["issuer"] = json!("did:example:somebody");
    assert_eq!(
        presented(json!("did:example:issuer"), secured.clone()),
        Ok(())
    );
    assert_eq!(
        presented(json!({"id": "did:example:issuer"}), sample()),
        Ok(())
    );
    for (holder, credential, at) in [
        (Value::Null, secured.clone(), 0),
        (json!("did:example:acme"), secured, 0),
        (json!("did:example:issuer"), other, 1),
    ] {
        let error = presented(holder, credential).unwrap_err();
        assert_eq!(error.code(), "model-holder");
        let path = format!("verifiableCredential[{at}] has");
        assert!(error.to_string().starts_with(&path), "{error}");
    }
}

#[test]
fn bounds_what_is_compared_with_each_other() {
    let many = |count: usize| -> Vec<String> {
        (0..count)
            .map(|at| format!("https://example.org/{at}"))
            .collect()
    };
    for (member, first) in [("type", "VerifiableCredential"), ("@context", BASE_V2)] {
        for (count, ok) in [(255, true), (256, false)] {
            let mut document = sample();
            let mut list = vec![first.to_owned()];
            list.extend(many(count));
            document[member] = json!(list);
            let document = parse(&document);
            let result = credential(&document);
            assert_eq!(result.is_ok(), ok, "{member} {count}");
            if let Err(error) = result {
                assert_eq!(error.code(), "model-too-many");
            }
        }
    }
    let mut document = sample();
    let resources: Vec<Value> = many(257)
        .into_iter()
        .map(|id| json!({"id": id, "digestSRI": "sha256-AAAA"}))
        .collect();
    document["relatedResource"] = json!(resources);
    let error = credential(&parse(&document)).unwrap_err().code();
    assert_eq!(error, "model-too-many");
}

#[test]
fn clips_what_it_repeats() {
    let mut document = sample();
    document["id"] = json!("x".repeat(60_000));
    let message = credential(&parse(&document)).unwrap_err().to_string();
    assert!(message.len() < 150, "{}", message.len());
    let mut document = sample();
    document["credentialSubject"] = json!({"\u{7}".repeat(120): {"@context": null}});
    let message = credential(&parse(&document)).unwrap_err().to_string();
    assert!(
        message.len() < 200 && !message.contains('\u{7}'),
        "{message}"
    );
}

/// A presented credential keeps to its own version, and nothing else that is called so does.
#[test]
fn contexts_are_those_of_the_credential_they_stand_in() {
    let older = |term: &str| {
        json!({
            "@context": [
                "https://www.w3.org/2018/credentials/v1", {term: "https://terms.example/x"},
            ],
            "type": ["VerifiableCredential"],
            "issuer": "https://issuer.example",
            "issuanceDate": "2026-03-01T00:00:00Z",
            "credentialSubject": {"id": "did:example:s"},
            "proof": {"type": "DataIntegrityProof", "proofPurpose": "assertionMethod"},
        })
    };
    let presented = |credential: Value| {
        let document = json!({
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "type": ["VerifiablePresentation"],
            "verifiableCredential": [credential],
        });
        let document = parse_foreign(document.to_string().as_bytes()).unwrap();
        presentation(&document)
            .map(drop)
            .map_err(|error| error.code())
    };
    // A term of version 2.0 is nobody's in 1.1.
    let term = TERMS_V2.first().unwrap();
    assert_eq!(presented(older(term)), Ok(()));
    assert_eq!(presented(older("issuer")), Err("model-redefined"));

    let stated = |inner: Value| {
        let document = json!({
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "type": ["VerifiableCredential"],
            "issuer": "https://issuer.example",
            "credentialSubject": {"verifiableCredential": [inner]},
            "proof": {"type": "DataIntegrityProof", "proofPurpose": "assertionMethod"},
        });
        let document = parse_foreign(document.to_string().as_bytes()).unwrap();
        credential(&document)
            .map(drop)
            .map_err(|error| error.code())
    };
    assert_eq!(stated(json!({"a": 1})), Ok(()));
    let bad = json!({"@context": {"issuer": "https://terms.example/x"}});
    assert_eq!(stated(bad), Err("model-redefined"));
}

#[test]
fn an_error_says_what_stands_there_instead() {
    for (text, kind) in [
        ("null", "null"),
        ("true", "boolean"),
        ("1", "number"),
        ("\"a\"", "text"),
        ("[]", "array"),
        ("{}", "object"),
    ] {
        let value = parse_foreign(text.as_bytes()).unwrap();
        assert_eq!(place::kind(&value), kind);
    }
}
