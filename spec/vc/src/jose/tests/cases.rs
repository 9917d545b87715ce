//! What the vectors are made of: a good message, and one fault each.

mod presented;

use super::*;

pub(super) const DESCRIPTION: &str = "`credential`, `presentation`: a compact JWS verified at `at` \
    (seconds), with 60 seconds of skew, by the keys that did:key names. `algorithms`: those \
    allowed, else both; `untyped`: a missing typ is allowed; `aud`, `nonce`: what was asked.";
pub(super) const SOURCE: &str = "ours, after RFC 7515, RFC 7519 and VC-JOSE-COSE";

/// An Ed25519 key has this header.
fn header(seed: u8, typ: &str) -> Json {
    json!({"alg": "EdDSA", "kid": method(seed).id, "typ": typ})
}

fn case(name: &str, op: &str, message: String, expect: Json) -> Json {
    let at = AT.0 / 1_000;
    json!({"name": name, "op": op, "message": message, "at": at, "expect": expect})
}

fn edited(mut value: Json, change: &dyn Fn(&mut Json)) -> Json {
    change(&mut value);
    value
}

type Change = Box<dyn Fn(&mut Json)>;

fn set(name: &'static str, value: Json) -> Change {
    Box::new(move |all| all[name] = value.clone())
}

fn unset(name: &'static str) -> Change {
    Box::new(move |all| {
        all.as_object_mut().unwrap().remove(name);
    })
}

pub(super) fn all() -> Vec<Json> {
    let mut cases = accepted();
    cases.extend(headers());
    cases.extend(payloads());
    cases.extend(forms());
    cases.extend(presented::all());
    cases
}

fn accepted() -> Vec<Json> {
    let issued = |algorithm| {
        issue_credential(&foreign(&credential(1)), &method(1), algorithm, &secret(1)).unwrap()
    };
    let ok = json!({"ok": {"document": credential(1), "issuer": method(1).controller}});
    let mut cases = vec![
        case("eddsa", "credential", issued(Algorithm::EdDsa), ok.clone()),
        case(
            "ed25519",
            "credential",
            issued(Algorithm::Ed25519),
            ok.clone(),
        ),
    ];
    let second = 1_796_083_200;
    let rows: Vec<(&str, Change, Change)> = vec![
        (
            "full-media-type",
            set("typ", json!("application/VC+JWT")),
            set("iss", json!(method(1).controller)),
        ),
        (
            "unknown-header",
            set("x", json!([1])),
            set("sub", json!("did:example:holder")),
        ),
        (
            "content-type",
            set("cty", json!("vc")),
            set("jti", credential(1)["id"].clone()),
        ),
        (
            "header-repeats-iss",
            set("iss", json!(method(1).controller)),
            set("exp", json!(second + 1)),
        ),
        (
            "kid-is-a-fragment",
            set(
                "kid",
                json!(format!("#{}", secret(1).public().to_multibase())),
            ),
            set("iss", json!(method(1).controller)),
        ),
        ("made-now", unset("cty"), set("iat", json!(second))),
        (
            "iat-repeats-valid-from",
            unset("cty"),
            set("iat", credential(1)["validFrom"].clone()),
        ),
        (
            "fraction-of-a-second",
            unset("cty"),
            set("nbf", json!(1_796_083_199.75)),
        ),
        (
            "within-the-skew",
            unset("cty"),
            set("exp", json!(second - 59)),
        ),
    ];
    for (name, head, body) in rows {
        let message = raw(
            &edited(header(1, "vc+jwt"), &*head).to_string(),
            &edited(credential(1), &*body).to_string(),
            1,
        );
        cases.push(case(name, "credential", message, ok.clone()));
    }
    let untyped = raw(
        &edited(header(1, "x"), &*unset("typ")).to_string(),
        &credential(1).to_string(),
        1,
    );
    let mut untyped = case("untyped", "credential", untyped, ok);
    untyped["untyped"] = json!(true);
    cases.push(untyped);
    cases
}

fn headers() -> Vec<Json> {
    let jwk = back(&to_jwk(&secret(2).public()));
    let rows: Vec<(&str, &str, Change)> = vec![
        ("alg-none", "jose-algorithm", set("alg", json!("none"))),
        (
            "alg-none-in-capitals",
            "jose-algorithm",
            set("alg", json!("NONE")),
        ),
        ("alg-hs256", "jose-algorithm", set("alg", json!("HS256"))),
        ("alg-es256", "jose-algorithm", set("alg", json!("ES256"))),
        ("alg-ed448", "jose-algorithm", set("alg", json!("Ed448"))),
        (
            "alg-in-small-letters",
            "jose-algorithm",
            set("alg", json!("eddsa")),
        ),
        ("alg-is-a-number", "jose-header", set("alg", json!(-8))),
        ("alg-missing", "jose-missing", unset("alg")),
        ("jwk-in-header", "jose-forbidden", set("jwk", jwk)),
        (
            "jku-in-header",
            "jose-forbidden",
            set("jku", json!("https://a.example/keys")),
        ),
        (
            "x5c-in-header",
            "jose-forbidden",
            set("x5c", json!(["MIIB"])),
        ),
        (
            "x5u-in-header",
            "jose-forbidden",
            set("x5u", json!("https://a.example/key")),
        ),
        (
            "unencoded-payload",
            "jose-forbidden",
            set("b64", json!(false)),
        ),
        ("crit", "jose-critical", set("crit", json!(["exp"]))),
        ("crit-is-empty", "jose-critical", set("crit", json!([]))),
        ("typ-missing", "jose-missing", unset("typ")),
        ("typ-jwt", "jose-type", set("typ", json!("JWT"))),
        (
            "typ-of-presentations",
            "jose-type",
            set("typ", json!("vp+jwt")),
        ),
        ("typ-of-sd-jwt", "jose-type", set("typ", json!("dc+sd-jwt"))),
        (
            "typ-of-a-draft",
            "jose-type",
            set("typ", json!("vc-ld+jwt")),
        ),
        (
            "typ-is-no-text",
            "jose-header",
            set("typ", json!(["vc+jwt"])),
        ),
        (
            "cty-of-presentations",
            "jose-content-type",
            set("cty", json!("vp")),
        ),
        (
            "cty-of-another",
            "jose-content-type",
            set("cty", json!("application/json")),
        ),
        ("kid-missing", "jose-missing", unset("kid")),
        ("kid-is-a-number", "jose-header", set("kid", json!(1))),
        (
            "kid-is-a-thumbprint",
            "jose-kid",
            set("kid", json!("2aOHaQxsWVT4mLsUkdtlCnUV")),
        ),
        (
            "kid-is-a-fragment-alone",
            "jose-kid",
            set("kid", json!("#key-1")),
        ),
        (
            "kid-of-another-fragment",
            "did-no-method",
            set("kid", json!(format!("{}#key-1", method(1).controller))),
        ),
        (
            "kid-of-an-unknown-method",
            "did-unknown",
            set("kid", json!("did:web:a.example#key")),
        ),
        (
            "kid-of-another-key",
            "signature-mismatch",
            set("kid", json!(method(2).id)),
        ),
        (
            "iss-of-header-differs",
            "claims-differs",
            set("iss", json!(method(2).controller)),
        ),
    ];
    let rows = rows.into_iter().map(|(name, code, change)| {
        let header = edited(header(1, "vc+jwt"), &*change).to_string();
        let message = raw(&header, &credential(1).to_string(), 1);
        case(name, "credential", message, json!({"error": code}))
    });
    let mut cases: Vec<Json> = rows.collect();
    let own = header(1, "vc+jwt").to_string();
    let twice = own.replacen('{', "{\"alg\":\"none\",", 1);
    let other = credential(1).to_string();
    for (name, code, message) in [
        ("alg-twice", "foreign-duplicate", raw(&twice, &other, 1)),
        ("header-is-an-array", "jose-object", raw("[]", &other, 1)),
        ("header-is-no-json", "foreign-end", raw("{", &other, 1)),
    ] {
        cases.push(case(name, "credential", message, json!({"error": code})));
    }
    let mut narrow = case(
        "ed25519-not-allowed",
        "credential",
        raw(
            &edited(header(1, "vc+jwt"), &*set("alg", json!("Ed25519"))).to_string(),
            &other,
            1,
        ),
        json!({"error": "jose-algorithm"}),
    );
    narrow["algorithms"] = json!(["EdDSA"]);
    cases.push(narrow);
    cases
}

fn payloads() -> Vec<Json> {
    let second = 1_796_083_200;
    let other = method(2).controller;
    let rows: Vec<(&str, &str, Change)> = vec![
        ("vc-claim", "claims-legacy", set("vc", json!({}))),
        ("vp-claim", "claims-legacy", set("vp", json!(null))),
        ("context-missing", "claims-missing", unset("@context")),
        ("type-missing", "claims-type", unset("type")),
        (
            "type-of-presentations",
            "claims-type",
            set("type", json!(["VerifiablePresentation"])),
        ),
        ("issuer-missing", "claims-missing", unset("issuer")),
        (
            "issuer-without-id",
            "claims-shape",
            set("issuer", json!({"name": "x"})),
        ),
        (
            "issuer-is-an-array",
            "claims-shape",
            set("issuer", json!([method(1).controller])),
        ),
        ("issuer-is-null", "claims-shape", set("issuer", json!(null))),
        (
            "issuer-of-another-key",
            "claims-controller",
            set("issuer", json!(other)),
        ),
        (
            "issuer-object-of-another-key",
            "claims-controller",
            set("issuer", json!({"id": other})),
        ),
        (
            "issuer-begins-alike",
            "claims-controller",
            set("issuer", json!(format!("{}x", method(1).controller))),
        ),
        ("iss-differs", "claims-differs", set("iss", json!(other))),
        (
            "iss-is-an-object",
            "claims-shape",
            set("iss", json!({"id": method(1).controller})),
        ),
        (
            "jti-differs",
            "claims-differs",
            set("jti", json!("urn:uuid:other")),
        ),
        (
            "sub-differs",
            "claims-differs",
            set("sub", json!("did:example:another")),
        ),
        ("sub-is-a-number", "claims-shape", set("sub", json!(1))),
        ("aud-is-an-object", "claims-shape", set("aud", json!({}))),
        ("expired", "claims-expired", set("exp", json!(second - 60))),
        (
            "not-yet-valid",
            "claims-not-yet",
            set("nbf", json!(second + 61)),
        ),
        (
            "made-in-the-future",
            "claims-future",
            set("iat", json!(second + 61)),
        ),
        (
            "exp-is-a-text",
            "claims-shape",
            set("exp", json!("2030-01-01T00:00:00Z")),
        ),
        ("exp-is-negative", "claims-shape", set("exp", json!(-1))),
        (
            "exp-after-all-time",
            "claims-shape",
            set("exp", json!(1e300)),
        ),
        (
            "iat-is-another-text",
            "claims-shape",
            set("iat", json!("2026-03-02T00:00:00Z")),
        ),
        (
            "exp-before-valid-from",
            "claims-times",
            set("exp", json!(1_772_380_800)),
        ),
        (
            "nbf-after-valid-until",
            "claims-times",
            set("nbf", json!(1_930_147_200)),
        ),
        (
            "exp-before-iat",
            "claims-times",
            Box::new(move |all| {
                all["iat"] = json!(second - 10);
                all["exp"] = json!(second - 20);
            }),
        ),
        (
            "exp-before-nbf",
            "claims-times",
            Box::new(move |all| {
                all["nbf"] = json!(second);
                all["exp"] = json!(second);
            }),
        ),
    ];
    let header = header(1, "vc+jwt").to_string();
    let rows = rows.into_iter().map(|(name, code, change)| {
        let message = raw(&header, &edited(credential(1), &*change).to_string(), 1);
        case(name, "credential", message, json!({"error": code}))
    });
    let mut cases: Vec<Json> = rows.collect();
    for (name, code, payload) in [
        ("payload-is-a-text", "jose-object", "\"x\"".to_owned()),
        ("payload-is-empty", "foreign-end", String::new()),
        (
            "member-twice",
            "foreign-duplicate",
            credential(1)
                .to_string()
                .replacen('{', "{\"issuer\":\"did:example:a\",", 1),
        ),
        (
            "lone-surrogate",
            "foreign-surrogate",
            credential(1)
                .to_string()
                .replacen('{', "{\"name\":\"\\ud800\",", 1),
        ),
    ] {
        cases.push(case(
            name,
            "credential",
            raw(&header, &payload, 1),
            json!({"error": code}),
        ));
    }
    cases
}

/// Texts that are no compact serialisation, or not of these bytes.
fn forms() -> Vec<Json> {
    let good = issue_credential(
        &foreign(&credential(1)),
        &method(1),
        Algorithm::EdDsa,
        &secret(1),
    )
    .unwrap();
    let parts: Vec<&str> = good.split('.').collect();
    let (head, body, signature) = (parts[0], parts[1], parts[2]);
    let none = encode_base64url(br#"{"alg":"none","typ":"vc+jwt"}"#);
    let tampered = encode_base64url(credential(1).to_string().replace("常州", "无锡").as_bytes());
    let flattened = json!({"payload": body, "protected": head, "signature": signature});
    let rows = [
        ("empty", "jose-serialization", String::new()),
        ("two-parts", "jose-serialization", format!("{head}.{body}")),
        (
            "four-parts",
            "jose-serialization",
            format!("{good}.{signature}"),
        ),
        ("five-parts", "jose-serialization", format!("{good}.a.b")),
        (
            "json-serialisation",
            "jose-serialization",
            flattened.to_string(),
        ),
        ("unsecured", "jose-algorithm", format!("{none}.{body}.")),
        (
            "signature-missing",
            "binary-wrong-length",
            format!("{head}.{body}."),
        ),
        (
            "signature-short",
            "binary-wrong-length",
            format!("{head}.{body}.AAAA"),
        ),
        (
            "padding",
            "binary-alphabet",
            format!("{head}.{body}.{signature}=="),
        ),
        ("white-space-after", "binary-alphabet", format!("{good}\n")),
        ("white-space-before", "binary-alphabet", format!(" {good}")),
        (
            "standard-alphabet",
            "binary-alphabet",
            format!("{head}.{body}+.{signature}"),
        ),
        (
            "payload-changed",
            "signature-mismatch",
            format!("{head}.{tampered}.{signature}"),
        ),
        (
            "another-key-signed",
            "signature-mismatch",
            raw(
                &header(1, "vc+jwt").to_string(),
                &credential(1).to_string(),
                2,
            ),
        ),
        (
            "header-too-long",
            "jose-too-long",
            format!("{}.{body}.{signature}", "a".repeat(8_193)),
        ),
    ];
    rows.into_iter()
        .map(|(name, code, message)| case(name, "credential", message, json!({"error": code})))
        .collect()
}
