//! Presentations.

use super::*;

pub(super) fn all() -> Vec<Json> {
    const ASKED: Option<Challenge<'static>> = Some(Challenge {
        audience: "https://verifier.example",
        nonce: "n-0S6_WzA2Mj",
    });
    let asked = |mut case: Json| {
        case["aud"] = json!("https://verifier.example");
        case["nonce"] = json!("n-0S6_WzA2Mj");
        case
    };
    let issue = |challenge| {
        let document = foreign(&presentation(2));
        issue_presentation(
            &document,
            challenge,
            &method(2),
            Algorithm::EdDsa,
            &secret(2),
        )
        .unwrap()
    };
    let ok = json!({"ok": {"enclosed": ["vc+jwt"], "holder": method(2).controller}});
    let of = |name, code: &str, change: Change| {
        let body = edited(presentation(2), &*change).to_string();
        let message = raw(&header(2, "vp+jwt").to_string(), &body, 2);
        case(name, "presentation", message, json!({"error": code}))
    };
    let mut other = presentation(2);
    other.as_object_mut().unwrap().remove("holder");
    other
        .as_object_mut()
        .unwrap()
        .remove("verifiableCredential");
    let anonymous = raw(&header(2, "vp+jwt").to_string(), &other.to_string(), 2);
    let challenged = |name, code: &str, change: Change| {
        let mut body = presentation(2);
        body["aud"] = json!("https://verifier.example");
        body["nonce"] = json!("n-0S6_WzA2Mj");
        let body = edited(body, &*change).to_string();
        let message = raw(&header(2, "vp+jwt").to_string(), &body, 2);
        asked(case(name, "presentation", message, json!({"error": code})))
    };
    let id = presentation(2)["verifiableCredential"][0]["id"].clone();
    let many: Vec<Json> = (0..65)
        .map(|_| presentation(2)["verifiableCredential"][0].clone())
        .collect();
    vec![
        case("presented", "presentation", issue(None), ok.clone()),
        asked(case(
            "presented-when-asked",
            "presentation",
            issue(ASKED),
            ok,
        )),
        case(
            "presented-without-holder",
            "presentation",
            anonymous,
            json!({"ok": {"enclosed": [], "holder": method(2).controller}}),
        ),
        asked(case(
            "not-made-for-anybody",
            "presentation",
            issue(None),
            json!({"error": "claims-audience"}),
        )),
        challenged(
            "another-audience",
            "claims-audience",
            set("aud", json!("https://other.example")),
        ),
        challenged(
            "another-nonce",
            "claims-nonce",
            set("nonce", json!("played again")),
        ),
        challenged("nonce-missing", "claims-missing", unset("nonce")),
        challenged("nonce-is-a-number", "claims-shape", set("nonce", json!(1))),
        of(
            "holder-of-another-key",
            "claims-controller",
            set("holder", json!(method(1).controller)),
        ),
        of(
            "holder-is-an-array",
            "claims-shape",
            set("holder", json!([])),
        ),
        of(
            "iss-is-not-the-holder",
            "claims-differs",
            set("iss", json!(method(1).controller)),
        ),
        of(
            "vp-claim-in-a-presentation",
            "claims-legacy",
            set("vp", json!({})),
        ),
        of(
            "a-credential-that-is-not-secured",
            "jose-envelope",
            set("verifiableCredential", json!([credential(1)])),
        ),
        of(
            "an-enveloped-credential-of-another-type",
            "jose-envelope",
            set(
                "verifiableCredential",
                json!([{"id": id, "type": "VerifiableCredential"}]),
            ),
        ),
        of(
            "a-credential-that-is-a-text",
            "jose-envelope",
            set("verifiableCredential", id.clone()),
        ),
        of(
            "more-credentials-than-are-read",
            "jose-envelope",
            set("verifiableCredential", json!(many)),
        ),
        case(
            "a-credential-as-presentation",
            "presentation",
            raw(
                &header(1, "vp+jwt").to_string(),
                &credential(1).to_string(),
                1,
            ),
            json!({"error": "claims-type"}),
        ),
    ]
}
