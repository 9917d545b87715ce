//! Vectors of other people's: proofs upon proofs, and a proof by the older suite.

use serde_json::{Value, json};

use super::{Served, V2};

/// A chain of two proofs by keys of neither of which the issuer's document can be asked.
/// Source: w3c-ccg/data-integrity-test-suite-assertion, `2.0-previousProofStringOk-SimpleSigned2`.
fn chain(issuer: &str) -> Value {
    let method = |key: &str| format!("did:key:{key}#{key}");
    let first = "urn:uuid:26329423-bec9-4b2e-88cb-a7c7d9dc4544";
    json!({
        "@context": [V2, { "@context": {
            "AlumniCredential": "https://www.example.org/AlumniCredential",
            "alumniOf": "https://www.example.org/alumniOf",
        } }],
        "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
        "type": ["VerifiableCredential", "AlumniCredential"],
        "name": "Alumni Credential",
        "description": "A minimum viable example of a VC 2.0 Alumni Credential.",
        "issuer": issuer,
        "validFrom": "2023-01-01T00:00:00Z",
        "credentialSubject": {
            "id": "did:example:abcdefgh", "alumniOf": "The School of Examples",
        },
        "proof": [{
            "type": "DataIntegrityProof", "id": first, "cryptosuite": "eddsa-rdfc-2022",
            "created": "2023-02-26T22:06:38Z", "proofPurpose": "assertionMethod",
            "verificationMethod": method("z6MktgKTsu1QhX6QPbyqG6geXdw6FQCZBPq7uQpieWbiQiG7"),
            "proofValue": "z3MPPHM5VFhWw2teqGvjXDzsrqPcJoruJryZKCfhjpfpMjqgJq2D3whcG23BKnonAyT8c45\
                           VK4SfiQfkShFWPGmsi",
        }, {
            "type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022",
            "created": "2023-02-26T22:16:38Z", "proofPurpose": "assertionMethod",
            "verificationMethod": method("z6MkhWqdDBPojHA7cprTGTt5yHv5yUi1B8cnXn8ReLumkw6E"),
            "previousProof": first,
            "proofValue": "z4eFuUYchGeBhRgAqupyQko8GB7JDF6Ws5Sfnrqx799ERJgDLxoJC2NyjEmfTqcpRukbdEG\
                           ZX7wnhkya9sQzNF7rp",
        }],
    })
}

#[tokio::test]
async fn a_chain_of_proofs_holds_as_a_whole_or_not_at_all() {
    let served = Served::new();
    let chained = chain("https://vc.example/issuers/5678");
    let verdict = served.verify("rdfc", &chained, json!({})).await.is(200);
    assert_eq!(verdict.body["warnings"][0]["code"], "key-not-known");
    // What is signed as JSON is not unwrapped.
    let verdict = served.verify("jcs", &chained, json!({})).await;
    verdict.refused("model-context-keyword");
    for (pointer, value) in [
        ("/proof/1/previousProof", json!("urn:uuid:none")),
        ("/proof/1/previousProof", json!([])),
        ("/proof/1/previousProof", json!(7)),
        ("/proof/0/id", json!("urn:uuid:other")),
        ("/proof/0/created", json!("2023-02-26T22:06:39Z")),
        ("/proof/0", json!(null)),
        ("/issuer", json!("did:example:other")),
        (
            "/@context/1/@context/alumniOf",
            json!("https://www.example.org/other"),
        ),
    ] {
        let mut changed = chained.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        let verdict = served.verify("rdfc", &changed, json!({})).await;
        assert_eq!(verdict.is(400).body["verified"], false, "{pointer}");
    }
}

/// Source: w3c-ccg/vc-api-verifier-test-suite, `tests/vectors.js`.
fn older() -> Value {
    let key = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2";
    json!({
        "@context": [
            V2, "https://www.w3.org/ns/credentials/examples/v2",
            "https://w3id.org/security/suites/ed25519-2020/v1",
        ],
        "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
        "type": ["VerifiableCredential", "AlumniCredential"],
        "name": "Alumni Credential",
        "description": "A minimum viable example of an Alumni Credential.",
        "issuer": "https://vc.example/issuers/5678",
        "validFrom": "2023-01-01T00:00:00Z",
        "credentialSubject": {
            "id": "did:example:abcdefgh", "alumniOf": "The School of Examples",
        },
        "proof": {
            "type": "Ed25519Signature2020", "created": "2023-02-24T23:36:38Z",
            "verificationMethod": format!("did:key:{key}#{key}"),
            "proofPurpose": "assertionMethod",
            "proofValue": "z57Mm1vboMtZiCyJ4aReZsv8co4Re64Y8GEjL1ZARzMbXZgkARFLqFs1P345NpPGG2hgCrS4\
                           nNdvJhpwnrNyG3kEF",
        },
    })
}

#[tokio::test]
async fn the_older_suite_is_read_as_strictly_as_the_newer() {
    let served = Served::new();
    let old = older();
    let verdict = served.verify("rdfc", &old, json!({})).await.is(200);
    assert_eq!(verdict.body["warnings"][0]["code"], "key-not-known");
    served.verify("jcs", &old, json!({})).await.is(400);
    for (pointer, value) in [
        ("/proof/type", json!("Ed25519Signature2018")),
        ("/proof/created", json!("2023-02-24T23:36:39Z")),
        ("/proof/created", json!("today")),
        ("/proof/created", json!(7)),
        ("/proof/proofPurpose", json!("authentication")),
        ("/proof/verificationMethod", json!("did:key:z6Mk")),
        ("/proof/proofValue", json!("z57Mm1")),
        ("/proof/proofValue", json!(null)),
        ("/name", json!("Another")),
        ("/issuer", json!("did:example:other")),
    ] {
        let mut changed = old.clone();
        *changed.pointer_mut(pointer).unwrap() = value;
        let verdict = served.verify("rdfc", &changed, json!({})).await.is(400);
        assert_eq!(verdict.body["verified"], false, "{pointer}");
    }
    for options in [
        json!({ "challenge": "c" }),
        json!({ "domain": "a.example" }),
        json!({ "expectedProofPurpose": "authentication" }),
    ] {
        served.verify("rdfc", &old, options).await.is(400);
    }
}
