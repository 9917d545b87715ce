//! The router without sockets: what is made, what is refused, and how it is said.

use axum::body::Body;
use axum::http::{Method as Verb, Request as HttpRequest};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::*;

mod chain;
mod more;

const V2: &str = "https://www.w3.org/ns/credentials/v2";
const BASE: &str = "https://vc.example/suites";

/// A mode, and the DID that it issues by.
struct Served {
    router: Router,
    did: String,
}

/// What was answered.
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    #[track_caller]
    fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// The code of the first problem.
    fn code(&self) -> &str {
        let problem = self.body["problemDetails"].get(0).unwrap_or(&self.body);
        problem["code"].as_str().unwrap_or_default()
    }

    #[track_caller]
    fn refused(self, code: &str) {
        let answer = self.is(400);
        assert_eq!(answer.code(), code, "{}", answer.body);
        let problem = answer.body["problemDetails"].get(0).unwrap_or(&answer.body);
        for member in ["type", "title", "title_zh", "detail"] {
            assert!(problem[member].is_string(), "{problem}");
        }
    }
}

impl Served {
    fn new() -> Self {
        let key = SecretKey::from_seed([7; 32]);
        let did = key.public().did_key();
        let router = router(key, BASE.to_owned(), Clock::default());
        Self { router, did }
    }

    async fn ask(&self, method: Verb, path: &str, kind: &str, body: Body) -> Answer {
        let request = HttpRequest::builder()
            .method(method)
            .uri(path)
            .header(header::CONTENT_TYPE, kind)
            .body(body)
            .unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let mark = headers.get(MARK).and_then(|mark| mark.to_str().ok());
        assert_eq!(mark, Some(NOTICE), "{path}");
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answer {
            status,
            headers,
            body,
        }
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        let body = Body::from(body.to_string());
        self.ask(Verb::POST, path, JSON, body).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask(Verb::GET, path, JSON, Body::empty()).await
    }

    fn plain(&self) -> Value {
        json!({
            "@context": [V2],
            "id": "urn:uuid:8f2b1d0e-2b5f-4c1e-9a39-0d7b7a1f4e11",
            "type": ["VerifiableCredential"],
            "issuer": self.did,
            "credentialSubject": { "id": "did:example:subject" },
        })
    }

    async fn issued(&self, instance: &str, credential: &Value) -> Value {
        let body = json!({ "credential": credential });
        let path = format!("/{instance}/credentials/issue");
        let mut answer = self.post(&path, &body).await.is(201);
        answer.body["verifiableCredential"].take()
    }

    async fn verify(&self, instance: &str, credential: &Value, options: Value) -> Answer {
        let body = json!({ "verifiableCredential": credential, "options": options });
        let path = format!("/{instance}/credentials/verify");
        self.post(&path, &body).await
    }
}

#[tokio::test]
async fn every_instance_verifies_what_it_issued_and_not_what_another_did() {
    let served = Served::new();
    for (instance, _) in INSTANCES {
        let issued = served.issued(instance, &served.plain()).await;
        let verdict = served.verify(instance, &issued, json!({})).await.is(200);
        assert_eq!(verdict.body["verified"], true);
        assert_eq!(verdict.body["warnings"], json!([]));
        if instance == "jose" {
            assert_eq!(issued["type"], "EnvelopedVerifiableCredential");
            continue;
        }
        assert_eq!(issued["issuer"], served.did);
        let other = if instance == "jcs" { "rdfc" } else { "jcs" };
        let verdict = served.verify(other, &issued, json!({})).await;
        verdict.refused("proof-suite");
        let verdict = served.verify("jose", &issued, json!({})).await;
        verdict.refused("method-other");
    }
}

#[tokio::test]
async fn the_issuer_is_this_instance_whoever_was_named() {
    let served = Served::new();
    let mut credential = served.plain();
    credential["issuer"] = json!({ "id": "https://university.example/1", "name": "University" });
    let issued = served.issued("rdfc", &credential).await;
    assert_eq!(issued["issuer"]["id"], served.did);
    assert_eq!(issued["issuer"]["name"], "University");
    served.verify("rdfc", &issued, json!({})).await.is(200);
}

#[tokio::test]
async fn changed_credentials_are_refused_by_every_instance() {
    let served = Served::new();
    for (instance, _) in INSTANCES {
        let issued = served.issued(instance, &served.plain()).await;
        let cases: &[(&str, Value)] = if instance == "jose" {
            &[
                ("id", json!("data:application/vc+jwt,a.b.c")),
                ("id", json!("a.b.c")),
                ("type", json!("VerifiableCredential")),
                ("type", Value::Null),
                ("@context", json!([])),
                (
                    "@context",
                    json!("https://www.w3.org/ns/credentials/examples/v2"),
                ),
            ]
        } else {
            &[
                ("credentialSubject", json!({ "id": "did:example:other" })),
                ("issuer", json!("did:example:other")),
                ("name", json!("added")),
                ("proof", Value::Null),
                ("proof", json!([])),
                ("proof", json!("x")),
                ("@context", json!(V2)),
                ("type", json!("x")),
                ("type", json!([["VerifiableCredential"]])),
                ("undefined", json!("x")),
            ]
        };
        for (member, value) in cases {
            let mut changed = issued.clone();
            changed[*member] = value.clone();
            let verdict = served.verify(instance, &changed, json!({})).await.is(400);
            assert_eq!(verdict.body["verified"], false, "{instance} {member}");
        }
    }
}

#[tokio::test]
async fn options_that_are_not_understood_are_refused_and_never_left_out() {
    let served = Served::new();
    let issued = served.issued("rdfc", &served.plain()).await;
    for (options, code) in [
        (json!({ "skip": true }), "option-unknown"),
        (json!([]), "request-object"),
        (json!("proof"), "request-object"),
        (json!({ "checks": "x".repeat(2_000) }), "option-value"),
        (json!({ "checks": [1] }), "option-value"),
        (json!({ "checks": vec!["proof"; 17] }), "option-value"),
        (json!({ "challenge": 1 }), "option-value"),
        (json!({ "challenge": "" }), "option-value"),
        (json!({ "domain": {} }), "option-value"),
        (json!({ "returnCredential": "yes" }), "option-value"),
        (json!({ "challenge": "c" }), "proof-challenge"),
        (json!({ "domain": "a.example" }), "proof-domain"),
        (
            json!({ "domain": ["a.example", "b.example"] }),
            "proof-domain",
        ),
        (
            json!({ "expectedProofPurpose": "authentication" }),
            "proof-purpose",
        ),
    ] {
        let verdict = served.verify("rdfc", &issued, options).await;
        verdict.refused(code);
    }
    for options in [
        json!(null),
        json!({ "checks": [] }),
        json!({ "checks": ["proof"] }),
    ] {
        served.verify("rdfc", &issued, options).await.is(200);
    }
    let returned = served.verify("rdfc", &issued, json!({ "returnCredential": true }));
    assert_eq!(returned.await.is(200).body["verifiableCredential"], issued);
    for (options, code) in [
        (json!({ "cryptosuite": "bbs-2023" }), "option-value"),
        (json!({ "type": "Ed25519Signature2020" }), "option-value"),
        (json!({ "created": "yesterday" }), "option-value"),
        (
            json!({ "credentialStatus": { "statusPurpose": "message" } }),
            "option-value",
        ),
        (json!({ "credentialStatus": [] }), "option-value"),
        (
            json!({ "mandatoryPointers": ["/issuer"] }),
            "option-unknown",
        ),
    ] {
        let body = json!({ "credential": served.plain(), "options": options });
        let refused = served.post("/rdfc/credentials/issue", &body).await;
        refused.refused(code);
    }
}

#[tokio::test]
async fn what_is_no_request_is_refused_without_a_fault() {
    let served = Served::new();
    for path in [
        "/rdfc/credentials/issue",
        "/jcs/credentials/status",
        "/rdfc/credentials/verify",
        "/jcs/presentations/verify",
        "/jose/presentations",
        "/rdfc/presentations/prove",
    ] {
        let ask = async |text: &str| {
            let body = Body::from(text.to_owned());
            served.ask(Verb::POST, path, JSON, body).await
        };
        for broken in [
            "",
            "{",
            "\"\\ud800\"",
            "{\"a\":1,\"a\":1}",
            "\u{feff}{}",
            "nul",
        ] {
            ask(broken).await.refused("json");
        }
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        ask(&deep).await.refused("json");
        for other in ["[]", "7", "null", "\"x\""] {
            ask(other).await.refused("request-object");
        }
        ask("{}").await.refused("request-missing");
        ask("{\"other\":1}").await.refused("request-member");
        let long = Body::from(vec![b' '; BODY_BYTES + 1]);
        served.ask(Verb::POST, path, JSON, long).await.is(413);
        let text = served.ask(Verb::POST, path, "text/plain", Body::from("{}"));
        text.await.is(415);
        let put = served.ask(Verb::PUT, path, JSON, Body::from("{}"));
        put.await.is(405);
    }
    served
        .post("/bbs/credentials/issue", &json!({}))
        .await
        .is(404);
    served.get("/nowhere").await.is(404);
    served.get("/rdfc/status/other").await.is(404);
    served.get("/other/status/revocation").await.is(404);
}

#[tokio::test]
async fn a_status_is_set_shown_heeded_and_taken_back() {
    let served = Served::new();
    for (instance, _) in INSTANCES {
        let credential = served.plain();
        let issued = served.issued(instance, &credential).await;
        let path = format!("/{instance}/credentials/status");
        let entry = json!({ "type": "BitstringStatusListEntry", "statusPurpose": "revocation" });
        let body = json!({ "credentialId": credential["id"], "credentialStatus": entry });
        let set = served.post(&path, &body).await.is(200);
        assert_eq!(set.body["status"], true);
        let verdict = served.verify(instance, &issued, json!({})).await;
        verdict.refused("status-revoked");
        let mut back = body.clone();
        back["status"] = json!(false);
        served.post(&path, &back).await.is(200);
        served.verify(instance, &issued, json!({})).await.is(200);

        for (change, value, status, code) in [
            ("/credentialId", json!("urn:none"), 404, "status-absent"),
            ("/credentialId", json!(7), 400, "option-value"),
            ("/credentialStatus", json!([]), 400, "request-object"),
            ("/credentialStatus/type", json!("Other"), 400, "status-type"),
            (
                "/credentialStatus/statusPurpose",
                json!("message"),
                400,
                "status-purpose",
            ),
            (
                "/credentialStatus/statusPurpose",
                json!("suspension"),
                404,
                "status-absent",
            ),
        ] {
            let mut changed = body.clone();
            *changed.pointer_mut(change).unwrap() = value;
            let refused = served.post(&path, &changed).await.is(status);
            assert_eq!(refused.code(), code, "{change}");
        }
        for (member, value) in [
            ("statusListIndex", "77"),
            ("statusListCredential", "https://x.example"),
        ] {
            let mut changed = body.clone();
            changed["credentialStatus"][member] = json!(value);
            served.post(&path, &changed).await.refused("status-other");
        }
        let mut changed = body.clone();
        changed["status"] = json!("true");
        served.post(&path, &changed).await.refused("option-value");
        let list = served
            .get(&format!("/{instance}/status/revocation"))
            .await
            .is(200);
        served.verify(instance, &list.body, json!({})).await.is(200);
        assert_eq!(list.headers[header::VARY], "accept");
    }
}

#[tokio::test]
async fn a_credential_out_of_its_time_or_with_somebody_elses_list_says_so() {
    let served = Served::new();
    for (member, value, code) in [
        ("validFrom", "2999-01-01T00:00:00Z", "not-yet-valid"),
        ("validUntil", "2001-01-01T00:00:00Z", "expired"),
    ] {
        let mut credential = served.plain();
        credential[member] = json!(value);
        for (instance, _) in INSTANCES {
            let issued = served.issued(instance, &credential).await;
            let verdict = served.verify(instance, &issued, json!({})).await;
            verdict.refused(code);
        }
    }
    let mut credential = served.plain();
    credential["credentialStatus"] = json!({
        "type": "BitstringStatusListEntry", "statusPurpose": "revocation",
        "statusListIndex": "7", "statusListCredential": "https://elsewhere.example/list",
    });
    credential["credentialSchema"] = json!({ "id": "https://a.example/s", "type": "JsonSchema" });
    let issued = served.issued("jcs", &credential).await;
    let verdict = served.verify("jcs", &issued, json!({})).await.is(200);
    let warnings = verdict.body["warnings"].as_array().unwrap();
    let codes: Vec<_> = warnings
        .iter()
        .map(|one| one["code"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["schema-not-here", "status-not-here"]);
    credential["credentialStatus"]["statusListIndex"] = json!(7);
    let body = json!({ "credential": credential });
    served.post("/jcs/credentials/issue", &body).await.is(400);
}

#[tokio::test]
async fn presentations_are_the_holders_and_for_one_occasion() {
    let served = Served::new();
    for (instance, _) in INSTANCES {
        let issued = served.issued(instance, &served.plain()).await;
        let presentation = json!({
            "@context": [V2], "type": ["VerifiablePresentation"],
            "verifiableCredential": [issued],
        });
        let occasion = json!({ "challenge": "c", "domain": "a.example" });
        let path = format!("/{instance}/presentations");
        let body = json!({ "presentation": presentation, "options": occasion });
        let made = served.post(&path, &body).await.is(201);
        let made = made.body["verifiablePresentation"].clone();
        let check = format!("/{instance}/presentations/verify");
        let verify = async |presentation: &Value, options: Value| {
            let body = json!({ "verifiablePresentation": presentation, "options": options });
            served.post(&check, &body).await
        };
        verify(&made, occasion.clone()).await.is(200);
        let returned = json!({ "returnPresentation": true });
        let returned = verify(&made, returned).await.is(200);
        assert_eq!(returned.body["verifiablePresentation"], made);
        for other in [
            json!({ "challenge": "d", "domain": "a.example" }),
            json!({ "challenge": "c", "domain": "b.example" }),
            json!({ "challenge": "d" }),
            json!({ "domain": ["b.example", "c.example"] }),
        ] {
            verify(&made, other).await.is(400);
        }
        // As a credential it is none, and a credential is no presentation.
        served.verify(instance, &made, json!({})).await.is(400);
        verify(&presentation["verifiableCredential"][0], json!({}))
            .await
            .is(400);
        // Without a proof it is nobody's.
        verify(&presentation, json!({})).await.is(400);
        let mut other = presentation.clone();
        other["holder"] = json!("did:example:other");
        let body = json!({ "presentation": other });
        served.post(&path, &body).await.refused("holder-other");
        for bad in [
            json!({}),
            json!({ "@context": [V2] }),
            json!({ "type": ["VerifiablePresentation"] }),
        ] {
            let body = json!({ "presentation": bad });
            served.post(&path, &body).await.is(400);
        }
    }
}

#[tokio::test]
async fn a_presentation_of_too_much_or_of_nothing_anybody_signed_is_refused() {
    let served = Served::new();
    let statement = served.plain();
    let present = async |credentials: Vec<Value>, holder: bool| {
        let mut presentation = json!({
            "@context": [V2], "type": ["VerifiablePresentation"],
            "verifiableCredential": credentials,
        });
        if holder {
            presentation["holder"] = json!(served.did);
        }
        let body = json!({ "presentation": presentation });
        let made = served.post("/jcs/presentations", &body).await.is(201);
        let body = json!({ "verifiablePresentation": made.body["verifiablePresentation"] });
        served.post("/jcs/presentations/verify", &body).await
    };
    // The holder's own statement; the instance names itself as the holder.
    present(vec![statement.clone()], true).await.is(200);
    let mut foreign = statement.clone();
    foreign["issuer"] = json!("did:example:acme");
    present(vec![foreign], true).await.refused("model-holder");
    let many = vec![statement; 65];
    present(many, true).await.refused("too-many-credentials");
}

#[tokio::test]
async fn the_resolver_knows_did_key_and_says_what_is_wrong_with_others() {
    let served = Served::new();
    let key = served.did.trim_start_matches("did:key:");
    let path = |did: &str| format!("/1.0/identifiers/{did}");
    let found = served.get(&path(&served.did)).await.is(200);
    assert_eq!(found.body["didDocument"]["id"], served.did);
    let method = served
        .get(&path(&format!("{}%23{key}", served.did)))
        .await
        .is(200);
    assert_eq!(method.body["didDocument"]["controller"], served.did);
    for (did, part, word) in [
        ("notDid:key:z6Mk", "didResolutionMetadata", "invalidDid"),
        (
            "did:experimental:z6Mk",
            "didResolutionMetadata",
            "invalidDid",
        ),
        ("did:web:a.example", "didResolutionMetadata", "invalidDid"),
        ("did:key:@", "didResolutionMetadata", "invalidDid"),
        ("did:key:-4:z6Mk", "didResolutionMetadata", "invalidDid"),
        (
            &*format!("{}%23other", served.did),
            "didDereferencingMetadata",
            "notFound",
        ),
        (
            &*format!("{}%3Fa=b", served.did),
            "didDereferencingMetadata",
            "invalidDidUrl",
        ),
        (
            &*format!("{}?publicKeyFormat=unknown", served.did),
            "didResolutionMetadata",
            "unsupportedPublicKeyType",
        ),
        (
            &*format!(
                "{}%23{key}?publicKeyFormat=Ed25519VerificationKey2018",
                served.did
            ),
            "didDereferencingMetadata",
            "invalidPublicKeyType",
        ),
    ] {
        let refused = served.get(&path(did)).await.is(400);
        assert_eq!(refused.body[part]["error"], word, "{did}");
        assert_eq!(refused.body["didDocument"], json!({}));
    }
    served
        .get(&path(&format!("{}?other=1", served.did)))
        .await
        .is(400);
}

#[tokio::test]
async fn the_start_says_that_nothing_here_is_worth_anything() {
    let served = Served::new();
    let ready = served.get("/readyz").await.is(200);
    assert_eq!(ready.body["conformance"], NOTICE);
    assert_eq!(ready.body["issuer"], served.did);
    assert_eq!(ready.body["instances"][0], format!("{BASE}/rdfc"));
    served.get("/healthz").await.is(200);
    let document = served.get("/openapi.json").await.is(200);
    assert_eq!(document.body["info"]["description"], NOTICE);
    let request = HttpRequest::get("/").body(Body::empty()).unwrap();
    let page = served.router.clone().oneshot(request).await.unwrap();
    let page = page.into_body().collect().await.unwrap().to_bytes();
    let page = String::from_utf8(page.to_vec()).unwrap();
    assert!(page.contains("worth nothing") && page.contains("无效"));
}
