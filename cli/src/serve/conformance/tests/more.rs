//! What an instance keeps, gives and finds at hand; what it reads besides its own.

use axum::body::Body;
use serde_json::{Value, json};
use zhao_spec::wire::SecretKey;
use zhao_spec::wire::foreign::parse_foreign;
use zhao_vc::did::Method;
use zhao_vc::jose::{Algorithm, Challenge};
use zhao_vc::sdjwt::{Concealed, SdJwt};

use super::super::{Clock, INSTANCES, JSON, NOTICE, SEED, router};
use super::{BASE, Served, V2, Verb};

const WEB: &str = "did:web:vc.example:suites";

impl Served {
    async fn delete(&self, path: &str) -> super::Answer {
        self.ask(Verb::DELETE, path, JSON, Body::empty()).await
    }

    async fn presented(&self, instance: &str, presentation: &Value) -> Value {
        let body = json!({ "presentation": presentation });
        let path = format!("/{instance}/presentations");
        let mut made = self.post(&path, &body).await.is(201);
        made.body["verifiablePresentation"].take()
    }

    async fn presentation_verifies(&self, instance: &str, presentation: &Value) {
        let body = json!({ "verifiablePresentation": presentation });
        let path = format!("/{instance}/presentations/verify");
        self.post(&path, &body).await.is(200);
    }
}

#[tokio::test]
async fn what_is_made_is_kept_by_its_name_until_it_is_deleted() {
    let served = Served::new();
    for (instance, _) in INSTANCES {
        let list = format!("/{instance}/credentials");
        assert_eq!(served.get(&list).await.is(200).body, json!([]));
        let credential = served.plain();
        let issued = served.issued(instance, &credential).await;
        let path = format!("{list}/{}", credential["id"].as_str().unwrap());
        assert_eq!(served.get(&path).await.is(200).body, issued);
        // By the name that it was issued with, where it has none itself.
        let mut nameless = served.plain();
        nameless.as_object_mut().unwrap().remove("id");
        let name = "https://a.example/credentials/7";
        let body = json!({ "credential": nameless, "options": { "credentialId": name } });
        let made = served.post(&format!("{list}/issue"), &body).await.is(201);
        let named = format!("{list}/https:%2F%2Fa.example%2Fcredentials%2F7");
        let kept = served.get(&named).await.is(200).body;
        assert_eq!(kept, made.body["verifiableCredential"]);
        assert_eq!(served.get(&list).await.body, json!([issued, kept]));

        let deleted = served.delete(&path).await.is(202);
        assert_eq!(deleted.body["conformance"], NOTICE);
        assert_eq!(served.delete(&path).await.is(404).code(), "not-kept");
        assert_eq!(served.get(&path).await.is(404).code(), "not-kept");
        assert_eq!(served.get(&list).await.body, json!([kept]));
        // What is forgotten is as good as before.
        served.verify(instance, &issued, json!({})).await.is(200);

        let list = format!("/{instance}/presentations");
        assert_eq!(served.get(&list).await.is(200).body, json!([]));
        let presentation = json!({
            "@context": [V2], "type": ["VerifiablePresentation"], "id": "urn:uuid:p",
        });
        let body = json!({ "presentation": presentation });
        let made = served.post(&list, &body).await.is(201);
        let path = format!("{list}/urn:uuid:p");
        let kept = served.get(&path).await.is(200).body;
        assert_eq!(kept, made.body["verifiablePresentation"]);
        assert_eq!(served.get(&list).await.body, json!([kept]));
        served.delete(&path).await.is(202);
        assert_eq!(served.delete(&path).await.is(404).code(), "not-kept");
    }
    for path in [
        "/bbs/credentials",
        "/bbs/presentations/x",
        "/bbs/credentials/x",
    ] {
        served.get(path).await.is(404);
    }
    served.delete("/bbs/credentials/x").await.is(404);
    served.delete("/rdfc/credentials").await.is(405);
    served.get("/rdfc/credentials/%FF").await.is(400);
}

#[tokio::test]
async fn a_challenge_is_given_once_and_good_once() {
    let served = Served::new();
    let path = "/rdfc/challenges";
    let mut given = Vec::new();
    for body in [Body::empty(), Body::from("{}"), Body::empty()] {
        let answer = served.ask(Verb::POST, path, JSON, body).await.is(200);
        given.push(answer.body["challenge"].as_str().unwrap().to_owned());
    }
    assert!(given[0] != given[1] && given[1] != given[2], "{given:?}");
    let odd = served.ask(Verb::POST, path, JSON, Body::from("{\"a\":1}"));
    odd.await.refused("request-member");
    let odd = served.ask(Verb::POST, path, JSON, Body::from("{"));
    odd.await.refused("json");
    served.get(path).await.is(405);

    let presentation = json!({ "@context": [V2], "type": ["VerifiablePresentation"] });
    let made = async |challenge: &str| {
        let options = json!({ "challenge": challenge, "domain": "a.example" });
        let body = json!({ "presentation": presentation, "options": options });
        let made = served.post("/rdfc/presentations", &body).await.is(201);
        json!({ "verifiablePresentation": made.body["verifiablePresentation"],
                "options": options })
    };
    let verify = "/rdfc/presentations/verify";
    let shown = made(&given[0]).await;
    // Who fails does not use it up.
    let mut broken = shown.clone();
    broken["verifiablePresentation"]["holder"] = json!("did:example:other");
    served.post(verify, &broken).await.is(400);
    served.post(verify, &shown).await.is(200);
    served.post(verify, &shown).await.refused("challenge-used");
    // Another instance gave none, and a verifier's own may be asked for as often as it likes.
    let own = made("mine").await;
    served.post(verify, &own).await.is(200);
    served.post(verify, &own).await.is(200);
}

#[tokio::test]
async fn a_did_web_of_this_address_issues_and_is_resolved_here_and_no_other_is() {
    let served = Served::new();
    let document = served.get("/did.json").await.is(200).body;
    assert_eq!(document["id"], WEB);
    assert_eq!(served.get("/.well-known/did.json").await.body, document);
    let resolved = served.get(&format!("/1.0/identifiers/{WEB}")).await.is(200);
    assert_eq!(resolved.body["didDocument"], document);
    let key = served.did.trim_start_matches("did:key:");
    let method = format!("/1.0/identifiers/{WEB}%23{key}");
    let method = served.get(&method).await.is(200);
    assert_eq!(method.body["didDocument"]["controller"], WEB);
    let ready = served.get("/readyz").await;
    assert_eq!(ready.body["alsoKnownAs"], json!([WEB]));

    let mut credential = served.plain();
    credential["issuer"] = json!({ "id": WEB, "name": "Somebody" });
    for (instance, _) in INSTANCES {
        let issued = served.issued(instance, &credential).await;
        let verdict = served.verify(instance, &issued, json!({})).await.is(200);
        assert_eq!(verdict.body["warnings"], json!([]));
        let presentation = json!({
            "@context": [V2], "type": ["VerifiablePresentation"], "holder": WEB,
            "verifiableCredential": [issued],
        });
        let made = served.presented(instance, &presentation).await;
        served.presentation_verifies(instance, &made).await;
        if instance == "jose" {
            continue;
        }
        assert_eq!(issued["issuer"]["id"], WEB);
        assert_eq!(
            issued["proof"]["verificationMethod"],
            format!("{WEB}#{key}")
        );
        assert_eq!(made["proof"]["verificationMethod"], format!("{WEB}#{key}"));
        for (member, value, code) in [
            (
                "verificationMethod",
                format!("did:web:other.example#{key}"),
                "did-unknown",
            ),
            (
                "verificationMethod",
                format!("{WEB}#other"),
                "did-no-method",
            ),
            // The same key by its other name: not the issuer's, who is the did:web.
            ("verificationMethod", format!("{}#{key}", served.did), ""),
        ] {
            let mut changed = issued.clone();
            changed["proof"][member] = json!(value);
            let refused = served.verify(instance, &changed, json!({})).await.is(400);
            assert!(
                code.is_empty() || refused.code() == code,
                "{}",
                refused.body
            );
        }
    }
    // Where the address has no did:web there is no document, and whoever is named is the did:key.
    let key = SecretKey::from_seed([7; 32]);
    let router = router(key, "http://127.0.0.1:8090".to_owned(), Clock::default());
    let plain = Served {
        router,
        did: served.did.clone(),
    };
    plain.get("/did.json").await.is(404);
    plain.get("/.well-known/did.json").await.is(404);
    assert_eq!(
        plain.issued("jcs", &credential).await["issuer"]["id"],
        plain.did
    );
    let unknown = plain.get(&format!("/1.0/identifiers/{WEB}")).await.is(400);
    assert_eq!(unknown.body["didResolutionMetadata"]["error"], "invalidDid");
    assert!(SEED.ends_with(".seed"));
}

#[tokio::test]
async fn a_schema_that_is_at_hand_is_checked_and_another_is_a_warning() {
    let served = Served::new();
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": { "credentialSubject": {
            "type": "object", "required": ["name"],
            "properties": { "name": { "type": "string", "maxLength": 8 } },
        } },
    });
    let escaped = |value: &Value| {
        let text = value.to_string();
        let bytes = text.bytes().map(|byte| format!("%{byte:02X}"));
        format!("data:application/schema+json,{}", bytes.collect::<String>())
    };
    let base64 = |media: &str, value: &Value| {
        let data = zhao_spec::wire::binary::encode_base64(value.to_string().as_bytes());
        format!("data:{media};base64,{data}")
    };
    let with = |ids: &[String], subject: Value| {
        let mut credential = served.plain();
        let schemas = ids
            .iter()
            .map(|id| json!({ "id": id, "type": "JsonSchema" }));
        credential["credentialSchema"] = schemas.collect();
        credential["credentialSubject"] = subject;
        credential
    };
    let fits = json!({ "id": "did:example:s", "name": "short" });
    let long = json!({ "id": "did:example:s", "name": "much too long" });
    for (instance, _) in INSTANCES {
        for id in [escaped(&schema), base64("application/json", &schema)] {
            let good = served
                .issued(instance, &with(std::slice::from_ref(&id), fits.clone()))
                .await;
            let verdict = served.verify(instance, &good, json!({})).await.is(200);
            assert_eq!(verdict.body["warnings"], json!([]));
            let bad = served.issued(instance, &with(&[id], long.clone())).await;
            served
                .verify(instance, &bad, json!({}))
                .await
                .refused("schema-mismatch");
        }
    }
    for (id, code) in [
        (
            "https://elsewhere.example/schema".to_owned(),
            "schema-not-here",
        ),
        (format!("{BASE}/schemas/other"), "schema-not-here"),
        ("data:application/json".to_owned(), "schema-data"),
        ("data:text/plain,%7B%7D".to_owned(), "schema-data"),
        ("data:application/json;base64,@".to_owned(), "schema-data"),
        ("data:application/json,%7B".to_owned(), "schema-json"),
        (escaped(&json!({ "type": "object" })), "schema-dialect"),
        (
            escaped(&json!({
                "$schema": "https://json-schema.org/draft/2020-12/schema", "if": true,
            })),
            "schema-keyword",
        ),
    ] {
        let issued = served
            .issued("jcs", &with(std::slice::from_ref(&id), fits.clone()))
            .await;
        let verdict = served.verify("jcs", &issued, json!({})).await.is(200);
        let warnings = verdict.body["warnings"].as_array().unwrap();
        assert_eq!(warnings.len(), 1, "{id}");
        assert_eq!(warnings[0]["code"], code, "{id}");
        // One that cannot be told does not hide one that does not fit.
        let both = with(&[id, escaped(&schema)], long.clone());
        let issued = served.issued("jcs", &both).await;
        served
            .verify("jcs", &issued, json!({}))
            .await
            .refused("schema-mismatch");
    }

    // Checking takes its time, so that of those at hand only so many are checked.
    let many = |count| with(&vec![escaped(&schema); count], fits.clone());
    let some = served.issued("jcs", &many(16)).await;
    served.verify("jcs", &some, json!({})).await.is(200);
    let too_many = served.issued("jcs", &many(17)).await;
    let verdict = served.verify("jcs", &too_many, json!({})).await;
    verdict.refused("too-many-schemas");
    let presentation = json!({
        "@context": [V2], "type": ["VerifiablePresentation"],
        "verifiableCredential": [some, some],
    });
    let body = json!({ "presentation": presentation });
    let verdict = served.post("/jcs/presentations/verify", &body).await;
    verdict.refused("too-many-schemas");
    let elsewhere = vec!["https://elsewhere.example/s".to_owned(); 17];
    let elsewhere = served.issued("jcs", &with(&elsewhere, fits.clone())).await;
    served.verify("jcs", &elsewhere, json!({})).await.is(200);

    // The licence types of the program are at hand by their addresses here.
    let url = format!("{BASE}/schemas/food-operation");
    let served_schema = served.get("/schemas/food-operation").await.is(200);
    assert!(served_schema.body["properties"]["credentialSubject"].is_object());
    served.get("/schemas/other").await.is(404);
    let issued = served.issued("rdfc", &with(&[url], fits)).await;
    served
        .verify("rdfc", &issued, json!({}))
        .await
        .refused("schema-mismatch");
}

#[tokio::test]
async fn an_sd_jwt_is_read_as_far_as_it_is_shown() {
    let served = Served::new();
    let key = SecretKey::from_seed([9; 32]);
    let holder = SecretKey::from_seed([10; 32]);
    let method = Method {
        id: key.public().verification_method(),
        controller: key.public().did_key(),
        key: key.public(),
    };
    let jwk = json!({
        "kty": "OKP", "crv": "Ed25519",
        "x": zhao_spec::wire::binary::encode_base64url(&holder.public().to_bytes()),
    });
    let issue = |change: (&str, Value)| {
        let mut credential = served.plain();
        credential["issuer"] = json!(method.controller);
        credential["credentialSubject"] = json!({ "id": "did:example:s", "name": "n",
            "description": "d" });
        credential["cnf"] = json!({ "jwk": jwk });
        credential[change.0] = change.1;
        let credential = parse_foreign(credential.to_string().as_bytes()).unwrap();
        let claims = ["/credentialSubject/name", "/credentialSubject/description"];
        let concealed = Concealed {
            claims: &claims,
            decoys: &[],
        };
        let mut salt = 0_u8;
        let mut next = || {
            salt += 1;
            [salt; 16]
        };
        let by = Algorithm::EdDsa;
        SdJwt::issue_credential(&credential, concealed, &method, by, &key, &mut next).unwrap()
    };
    let envelope = |text: &str| {
        json!({ "@context": V2, "type": "EnvelopedVerifiableCredential",
                "id": format!("data:application/vc+sd-jwt,{text}") })
    };
    let issued = issue(("name", json!("n")));
    let only = &[Algorithm::EdDsa];
    let shown = issued.present(&["/credentialSubject/name"], only).unwrap();
    for (instance, _) in INSTANCES {
        for text in [issued.text(), shown.text(), format!("{}~", issued.jwt())] {
            let verdict = served.verify(instance, &envelope(&text), json!({})).await;
            verdict.is(200);
        }
        // Within a presentation as well.
        let presentation = json!({
            "@context": [V2], "type": ["VerifiablePresentation"],
            "verifiableCredential": [envelope(&shown.text())],
        });
        let made = served.presented(instance, &presentation).await;
        served.presentation_verifies(instance, &made).await;
    }

    let verify =
        async |text: &str, options: Value| served.verify("jose", &envelope(text), options).await;
    let text = shown.text();
    let sealed = issued.jwt().rsplit('.').next().unwrap();
    let otherwise = issue(("name", json!("m")));
    let sealed_otherwise = otherwise.jwt().rsplit('.').next().unwrap();
    for (changed, code) in [
        (
            format!("{text}{}~", shown.disclosures()[0].text()),
            "sd-jwt-disclosure-twice",
        ),
        (format!("{text}WyJhIiwibiIsIm0iXQ~"), "sd-jwt-unreferenced"),
        (format!("{text}WyJhIl0~"), "sd-jwt-disclosure"),
        (text.replace('~', ""), "sd-jwt-serialization"),
        (
            text.replacen(sealed, sealed_otherwise, 1),
            "signature-mismatch",
        ),
    ] {
        verify(&changed, json!({})).await.refused(code);
    }
    let over = issue(("validUntil", json!("2001-01-01T00:00:00Z")));
    verify(&over.text(), json!({})).await.refused("expired");
    let other = issue(("undefinedTerm", json!("x")));
    verify(&other.text(), json!({}))
        .await
        .refused("rdf-undefined");

    // A key binding answers for domain and challenge, and nothing else does.
    let now = Clock::default().read();
    let challenge = Challenge {
        audience: "a.example",
        nonce: "c",
    };
    let by = Algorithm::EdDsa;
    let bound = shown.bind(challenge, now, by, &holder).unwrap();
    let occasion = json!({ "domain": ["b.example", "a.example"], "challenge": "c" });
    verify(&bound, occasion.clone()).await.is(200);
    verify(&bound, json!({})).await.is(200);
    for (text, options) in [
        (&text, occasion.clone()),
        (&bound, json!({ "domain": "b.example", "challenge": "c" })),
        (&bound, json!({ "domain": "a.example", "challenge": "d" })),
        (&bound, json!({ "domain": "a.example" })),
        (&bound, json!({ "challenge": "c" })),
        (&shown.bind(challenge, now, by, &key).unwrap(), occasion),
    ] {
        verify(text, options).await.is(400);
    }
    // An SD-JWT VC of the IETF is no credential of the data model.
    let mut ietf = envelope(&text);
    ietf["id"] = json!(format!("data:application/dc+sd-jwt,{text}"));
    served.verify("jose", &ietf, json!({})).await.is(400);
}

#[tokio::test]
async fn a_presentation_without_a_proof_is_as_good_as_what_it_presents() {
    let served = Served::new();
    let statement = served.plain();
    for (instance, _) in INSTANCES {
        let issued = served.issued(instance, &statement).await;
        let path = format!("/{instance}/presentations/verify");
        let ask = async |credentials: Value, holder: Value, options: Value| {
            let presentation = json!({
                "@context": [V2], "type": ["VerifiablePresentation"], "holder": holder,
                "verifiableCredential": credentials,
            });
            let body = json!({ "presentation": presentation, "options": options });
            served.post(&path, &body).await
        };
        let shown = ask(json!([issued]), json!("did:example:h"), json!({})).await;
        let shown = shown.is(200);
        assert_eq!(shown.body["warnings"][0]["code"], "holder-not-proven");
        let mut forged = issued.clone();
        forged["id"] = json!("data:application/vc+jwt,a.b.c");
        for credentials in [
            json!([forged]),
            json!([statement]),
            json!(["x"]),
            json!(vec![&issued; 65]),
        ] {
            let refused = ask(credentials, json!(served.did), json!({})).await.is(400);
            assert_eq!(refused.body["verified"], false, "{}", refused.body);
        }
        for options in [
            json!({ "challenge": "c" }),
            json!({ "domain": "a.example" }),
            json!({ "expectedProofPurpose": "authentication" }),
        ] {
            let refused = ask(json!([]), json!(served.did), options).await;
            refused.refused("option-value");
        }
        let both = json!({ "presentation": {}, "verifiablePresentation": {} });
        served.post(&path, &both).await.refused("request-member");
        let none = json!({ "presentation": { "@context": [V2] } });
        served.post(&path, &none).await.refused("model-missing");
        let proven = json!({ "presentation": {
            "@context": [V2], "type": "VerifiablePresentation", "proof": { "type": "x:y" },
        } });
        assert_eq!(
            served.post(&path, &proven).await.is(400).body["verified"],
            false
        );
    }
}

#[tokio::test]
async fn copies_of_a_credential_are_presented_and_verified() {
    let served = Served::new();
    let mut bare = served.plain();
    bare.as_object_mut().unwrap().remove("id");
    for instance in ["rdfc", "jcs"] {
        for credential in [served.plain(), bare.clone()] {
            let one = served.issued(instance, &credential).await;
            let other = served.issued(instance, &credential).await;
            for credentials in [
                vec![&one; 2],
                vec![&one, &other],
                vec![&one, &other, &one, &other, &one],
            ] {
                let presentation = json!({
                    "@context": [V2], "type": ["VerifiablePresentation"],
                    "verifiableCredential": credentials,
                });
                let made = served.presented(instance, &presentation).await;
                served.presentation_verifies(instance, &made).await;
            }
        }
    }
}

#[tokio::test]
async fn the_credential_of_the_issuers_suite_is_issued() {
    let served = Served::new();
    let credential = json!({
        "@context": ["https://www.w3.org/2018/credentials/v1",
                     "https://www.w3.org/2018/credentials/examples/v1"],
        "id": "urn:uuid:1", "type": ["VerifiableCredential", "UniversityDegreeCredential"],
        "issuer": served.did, "issuanceDate": "2020-03-16T22:37:26Z",
        "expirationDate": "2099-01-01T00:00:00Z",
        "credentialSubject": {
            "id": "did:key:z6MktKwz7Ge1Yxzr4JHavN33wiwa8y81QdcMRLXQsrH9T53b",
            "degree": { "degreeType": "BachelorDegree", "name": "Bachelor of Science and Arts" },
        },
    });
    for instance in ["rdfc", "jcs"] {
        let issued = served.issued(instance, &credential).await;
        served.verify(instance, &issued, json!({})).await.is(200);
        let mut undefined = credential.clone();
        undefined["credentialSubject"]["permission"] = json!("x");
        let body = json!({ "credential": undefined });
        let path = format!("/{instance}/credentials/issue");
        served.post(&path, &body).await.refused("rdf-undefined");
    }
}
