//! What the vectors are made of.

use super::*;

pub(super) const DESCRIPTION: &str = "`shown`: an SD-JWT VC of type https://types.example/permit \
    verified at 1796083200, with 60 seconds of skew, by the keys that did:key names; `credential`: \
    a W3C credential as vc+sd-jwt. With `aud` and `nonce` key binding is required, at most 300 \
    seconds old.";
pub(super) const SOURCE: &str = "ours, after RFC 9901 and draft-ietf-oauth-sd-jwt-vc";

fn case(name: &str, message: String, expect: Json) -> Json {
    json!({"name": name, "op": "shown", "message": message, "expect": expect})
}

fn refused(name: &str, code: &str, message: String) -> Json {
    case(name, message, json!({"error": code}))
}

fn asked(mut case: Json) -> Json {
    case["aud"] = json!(ASKED.audience);
    case["nonce"] = json!(ASKED.nonce);
    case
}

pub(super) fn all() -> Vec<Json> {
    let mut cases = accepted();
    cases.extend(structures());
    cases.extend(forms());
    cases.extend(bindings());
    cases.extend(credentials());
    cases
}

fn shown(places: &[&str]) -> SdJwt {
    issued().present(places, BOTH).unwrap()
}

fn accepted() -> Vec<Json> {
    let digest = issued().digest().to_base64url();
    let ok = |claims: Json| json!({"ok": {"claims": claims, "digest": digest}});
    let mut least = claims();
    least.as_object_mut().unwrap().remove("address");
    least.as_object_mut().unwrap().remove("name");
    least["nationalities"] = json!(["B"]);
    let mut some = least.clone();
    some["address"] = json!({"city": "常州", "street": "一路"});
    some["nationalities"] = json!(["B", {"of": "C"}]);
    let mut bound = ok(least.clone());
    bound["ok"]["holder"] = json!(holder().public().to_multibase());
    let binding = shown(&[])
        .bind(ASKED, AT, Algorithm::EdDsa, &holder())
        .unwrap();
    let new = shown(&[])
        .bind(ASKED, AT, Algorithm::Ed25519, &holder())
        .unwrap();
    let other = Challenge {
        audience: "https://other.example",
        ..ASKED
    };
    let other = shown(&[])
        .bind(other, AT, Algorithm::EdDsa, &holder())
        .unwrap();
    vec![
        case("everything", issued().text(), ok(claims())),
        case("nothing", shown(&[]).text(), ok(least.clone())),
        case(
            "some-with-what-they-stand-in",
            shown(&["/address/street", "/nationalities/2"]).text(),
            ok(some),
        ),
        asked(case("bound", binding, bound.clone())),
        asked(case("bound-with-ed25519", new, bound)),
        // Not asked for, a binding proves nothing and is not looked at.
        case("binding-for-another-not-asked", other, ok(least)),
    ]
}

/// Payload and disclosures that do not fit each other.
fn structures() -> Vec<Json> {
    const NAME: &str = r#"["salt","name","示例"]"#;
    const ELEMENT: &str = r#"["salt","示例"]"#;
    let payload = |change: &dyn Fn(&mut Json)| {
        let mut payload = json!({"iss": method(1).controller, "vct": VCT});
        change(&mut payload);
        payload
    };
    let sd = |disclosures: &[&str]| {
        let digests: Vec<String> = disclosures.iter().map(|one| digest(one)).collect();
        made(&payload(&|all| all["_sd"] = json!(digests)), disclosures)
    };
    let at = |value: Json, disclosures: &[&str]| {
        made(&payload(&|all| all["x"] = value.clone()), disclosures)
    };
    let with = |name: &str, value: Json| made(&payload(&|all| all[name] = value.clone()), &[]);
    let dots = |one: &str| json!([{"...": digest(one)}]);
    let inner = format!(r#"["s","x",{{"_sd":["{}"]}}]"#, digest(NAME));
    let twice = format!(r#"["s","y",{{"_sd":["{}"]}}]"#, digest(NAME));
    let nested: Vec<String> = (0..40).fold(Vec::new(), |mut all: Vec<String>, depth| {
        let below = all.last().map_or_else(
            || "1".to_owned(),
            |one| format!(r#"{{"_sd":["{}"]}}"#, digest(one)),
        );
        all.push(format!(r#"["s{depth}","x",{below}]"#));
        all
    });
    let outermost = digest(nested.last().unwrap());
    let nested: Vec<&str> = nested.iter().map(String::as_str).collect();
    let deep = made(&payload(&|all| all["_sd"] = json!([outermost])), &nested);
    let many: Vec<String> = (0..4_097).map(|at| at.to_string()).collect();
    #[rustfmt::skip]
    let mut rows = vec![
        ("unreferenced", "sd-jwt-unreferenced", made(&payload(&|_| ()), &[NAME])),
        ("referenced-by-what-is-not-shown", "sd-jwt-unreferenced",
         made(&payload(&|all| all["_sd"] = json!([digest(&inner)])), &[NAME])),
        ("disclosed-twice", "sd-jwt-disclosure-twice",
         made(&payload(&|all| all["_sd"] = json!([digest(NAME)])), &[NAME, NAME])),
        ("digest-twice", "sd-jwt-digest-twice",
         made(&payload(&|all| all["_sd"] = json!([digest(NAME), digest(NAME)])), &[NAME])),
        ("digest-twice-undisclosed", "sd-jwt-digest-twice",
         made(&payload(&|all| all["_sd"] = json!(["a", "a"])), &[])),
        ("digest-twice-in-two-places", "sd-jwt-digest-twice",
         made(&payload(&|all| {
             all["_sd"] = json!([digest(NAME)]);
             all["x"] = dots(NAME);
         }), &[])),
        ("digest-twice-by-disclosures", "sd-jwt-digest-twice", {
            let all = [inner.as_str(), twice.as_str(), NAME];
            made(&payload(&|p| p["_sd"] = json!([digest(&inner), digest(&twice)])), &all)
        }),
        ("name-sd", "sd-jwt-reserved", sd(&[r#"["s","_sd",1]"#])),
        ("name-dots", "sd-jwt-reserved", sd(&[r#"["s","...",1]"#])),
        ("name-sd-alg", "sd-jwt-reserved", sd(&[r#"["s","_sd_alg","sha-256"]"#])),
        ("sd-alg-below", "sd-jwt-reserved", with("x", json!({"_sd_alg": "sha-256"}))),
        ("name-is-there", "sd-jwt-collision", sd(&[r#"["s","x",1]"#, r#"["t","x",2]"#])),
        ("name-is-there-openly", "sd-jwt-collision", {
            let one = r#"["s","x",1]"#;
            made(&payload(&|all| {
                all["_sd"] = json!([digest(one)]);
                all["x"] = json!(2);
            }), &[one])
        }),
        ("element-as-member", "sd-jwt-kind", sd(&[ELEMENT])),
        ("member-as-element", "sd-jwt-kind", at(dots(NAME), &[NAME])),
        ("sd-is-a-text", "sd-jwt-digests", with("_sd", json!("a"))),
        ("sd-has-a-number", "sd-jwt-digests", with("_sd", json!([1]))),
        ("dots-in-an-object", "sd-jwt-digests", with("...", json!("a"))),
        ("dots-with-others", "sd-jwt-digests", with("x", json!([{"...": "a", "b": 1}]))),
        ("dots-is-a-number", "sd-jwt-digests", with("x", json!([{"...": 1}]))),
        ("sha-512", "sd-jwt-hash-algorithm", with("_sd_alg", json!("sha-512"))),
        ("md5", "sd-jwt-hash-algorithm", with("_sd_alg", json!("md5"))),
        ("sd-alg-is-null", "sd-jwt-hash-algorithm", with("_sd_alg", json!(null))),
        ("digests-in-status", "sd-jwt-always-shown", with("status", json!({"_sd": ["a"]}))),
        ("digests-in-cnf", "sd-jwt-always-shown", with("cnf", json!({"jwk": [{"...": "a"}]}))),
        ("nested-too-deep", "sd-jwt-depth", deep),
        ("too-many-digests", "sd-jwt-limit", with("_sd", json!(many))),
    ];
    for (name, one) in [
        ("cnf-disclosed", r#"["s","cnf",{}]"#),
        ("exp-disclosed", r#"["s","exp",9]"#),
        ("iss-disclosed", r#"["s","iss","did:example:a"]"#),
        ("nbf-disclosed", r#"["s","nbf",9]"#),
        ("status-disclosed", r#"["s","status",{}]"#),
        ("vct-disclosed", r#"["s","vct","a"]"#),
        ("vct-integrity-disclosed", r#"["s","vct#integrity","a"]"#),
    ] {
        rows.push((name, "sd-jwt-always-shown", sd(&[one])));
    }
    for (name, code, one) in [
        (
            "disclosure-is-an-object",
            "sd-jwt-disclosure",
            r#"{"salt":"s"}"#,
        ),
        ("disclosure-of-one", "sd-jwt-disclosure", r#"["s"]"#),
        (
            "disclosure-of-four",
            "sd-jwt-disclosure",
            r#"["s","a",1,2]"#,
        ),
        ("salt-is-a-number", "sd-jwt-disclosure", r#"[1,"a",1]"#),
        ("name-is-a-number", "sd-jwt-disclosure", r#"["s",1,1]"#),
        ("disclosure-is-no-json", "foreign-end", r#"["s","a""#),
        (
            "disclosure-with-a-member-twice",
            "foreign-duplicate",
            r#"["s","x",{"a":1,"a":2}]"#,
        ),
    ] {
        rows.push((name, code, sd(&[one])));
    }
    rows.into_iter()
        .map(|(name, code, message)| refused(name, code, message))
        .collect()
}

/// Other texts, headers and claims.
fn forms() -> Vec<Json> {
    let good = issued().text();
    let jwt = issued().jwt().to_owned();
    let with = |name: &str, value: Json| {
        let mut all = claims();
        all[name] = value;
        made(&all, &[])
    };
    let without = |name: &str| {
        let mut all = claims();
        all.as_object_mut().unwrap().remove(name);
        made(&all, &[])
    };
    let typed = |typ: &str| {
        let header = json!({"alg": "EdDSA", "kid": method(1).id, "typ": typ}).to_string();
        raw(&header, &claims().to_string(), 1) + "~"
    };
    let headed = |name: &str, value: Json| {
        let mut header = json!({"alg": "EdDSA", "kid": method(1).id, "typ": "dc+sd-jwt"});
        header[name] = value;
        let mut payload = claims();
        payload.as_object_mut().unwrap().remove("iss");
        raw(&header.to_string(), &payload.to_string(), 1) + "~"
    };
    let none = {
        let header = encode_base64url(br#"{"alg":"none","typ":"dc+sd-jwt"}"#);
        format!("{header}.{}.~", jwt.split('.').nth(1).unwrap())
    };
    let (before, _) = good.split_once('~').unwrap();
    let first = issued().disclosures()[0].text().to_owned();
    let expired = 1_796_083_140;
    #[rustfmt::skip]
    let rows = vec![
        ("a-jwt-alone", "sd-jwt-serialization", jwt.clone()),
        ("empty", "sd-jwt-serialization", String::new()),
        ("no-jwt", "jose-serialization", "~".to_owned()),
        ("empty-disclosure", "sd-jwt-disclosure", format!("{before}~~")),
        ("disclosure-with-padding", "binary-alphabet", format!("{before}~{first}=~")),
        ("too-many-disclosures", "sd-jwt-limit",
         format!("{before}~{}", "WyJzIiwxXQ~".repeat(1_025))),
        ("payload-changed", "signature-mismatch",
         good.replacen(
             jwt.split('.').nth(1).unwrap(),
             &encode_base64url(claims().to_string().as_bytes()),
             1,
         )),
        ("unsecured", "jose-algorithm", none),
        ("typ-of-jwt", "jose-type", typed("JWT")),
        ("typ-of-w3c", "jose-type", typed("vc+sd-jwt")),
        ("typ-of-a-binding", "jose-type", typed("kb+jwt")),
        ("iss-of-header-of-another-key", "claims-controller",
         headed("iss", json!(method(2).controller))),
        ("typ-is-no-text", "jose-header", headed("typ", json!(1))),
        ("crit", "jose-critical", headed("crit", json!(["x"]))),
        ("key-in-header", "jose-forbidden", headed("jwk", json!({}))),
        ("kid-is-a-thumbprint", "jose-kid", headed("kid", json!("abc"))),
        ("vct-missing", "sd-jwt-vct", without("vct")),
        ("vct-of-another-type", "sd-jwt-vct", with("vct", json!("https://types.example/other"))),
        ("vct-in-other-letters", "sd-jwt-vct", with("vct", json!(VCT.to_uppercase()))),
        ("vct-is-a-number", "sd-jwt-vct", with("vct", json!(1))),
        ("iss-of-another-key", "claims-controller", with("iss", json!(method(2).controller))),
        ("expired", "claims-expired", with("exp", json!(expired))),
        ("not-yet-valid", "claims-not-yet", with("nbf", json!(1_796_083_300))),
        ("exp-is-a-text", "claims-shape", with("exp", json!("1896083200"))),
        ("json-form", "sd-jwt-serialization", json!({"payload": "", "signatures": []}).to_string()),
    ];
    rows.into_iter()
        .map(|(name, code, message)| refused(name, code, message))
        .collect()
}

fn bindings() -> Vec<Json> {
    let base = shown(&["/name"]);
    let text = base.text();
    let good = |at| base.bind(ASKED, at, Algorithm::EdDsa, &holder()).unwrap();
    let bind =
        |challenge, signer: &SecretKey| base.bind(challenge, AT, Algorithm::EdDsa, signer).unwrap();
    let second = AT.0 / 1_000;
    let raw_binding = |typ: &str, alg: &str, change: &dyn Fn(&mut Json)| {
        let mut payload = json!({
            "aud": ASKED.audience, "iat": second, "nonce": ASKED.nonce,
            "sd_hash": sha256(&[text.as_bytes()]).to_base64url(),
        });
        change(&mut payload);
        let header = json!({"alg": alg, "typ": typ}).to_string();
        format!("{text}{}", raw(&header, &payload.to_string(), 3))
    };
    let with =
        |name: &str, value: Json| raw_binding("kb+jwt", "EdDSA", &|all| all[name] = value.clone());
    let without = |name: &str| {
        raw_binding("kb+jwt", "EdDSA", &|all| {
            all.as_object_mut().unwrap().remove(name);
        })
    };
    let moved = {
        let binding = bind(ASKED, &holder());
        let binding = binding.rsplit_once('~').unwrap().1.to_owned();
        format!("{}{binding}", shown(&[]).text())
    };
    let another = Challenge {
        audience: "https://other.example",
        ..ASKED
    };
    let replayed = Challenge {
        nonce: "of yesterday",
        ..ASKED
    };
    let mut unbound = claims();
    unbound.as_object_mut().unwrap().remove("cnf");
    let confirm = |cnf: Json| {
        let mut all = claims();
        all["cnf"] = cnf;
        let text = made(&all, &[]);
        let (parsed, _) = SdJwt::parse(&text).unwrap();
        parsed.bind(ASKED, AT, Algorithm::EdDsa, &holder()).unwrap()
    };
    let jwk = |name: &str, value: Json| {
        let mut jwk = back(&to_jwk(&holder().public()));
        jwk[name] = value;
        confirm(json!({ "jwk": jwk }))
    };
    let unbound = {
        let text = made(&unbound, &[]);
        let (parsed, _) = SdJwt::parse(&text).unwrap();
        parsed.bind(ASKED, AT, Algorithm::EdDsa, &holder()).unwrap()
    };
    #[rustfmt::skip]
    let rows = vec![
        ("binding-missing", "sd-jwt-binding-missing", text.clone()),
        ("binding-by-another-key", "signature-mismatch", bind(ASKED, &secret(4))),
        ("binding-by-the-issuer", "signature-mismatch", bind(ASKED, &secret(1))),
        ("binding-for-another", "claims-audience", bind(another, &holder())),
        ("binding-replayed", "claims-nonce", bind(replayed, &holder())),
        ("binding-too-old", "sd-jwt-binding-old", good(UnixMillis(AT.0 - 361_000))),
        ("binding-of-the-future", "claims-future", good(UnixMillis(AT.0 + 61_000))),
        ("binding-of-other-disclosures", "sd-jwt-binding-hash", moved),
        ("binding-of-another-jwt", "sd-jwt-binding-hash", with("sd_hash", json!(digest("x")))),
        ("binding-without-hash", "claims-missing", without("sd_hash")),
        ("binding-without-time", "claims-missing", without("iat")),
        ("binding-without-nonce", "claims-missing", without("nonce")),
        ("binding-without-audience", "claims-audience", without("aud")),
        ("binding-for-many", "claims-shape", with("aud", json!([ASKED.audience]))),
        ("binding-expired", "claims-expired", raw_binding("kb+jwt", "EdDSA", &|all| {
            all["iat"] = json!(second - 100);
            all["exp"] = json!(second - 60);
        })),
        ("binding-typ-jwt", "jose-type", raw_binding("JWT", "EdDSA", &|_| ())),
        ("binding-alg-none", "jose-algorithm", raw_binding("kb+jwt", "none", &|_| ())),
        ("binding-alg-hs256", "jose-algorithm", raw_binding("kb+jwt", "HS256", &|_| ())),
        ("cnf-missing", "sd-jwt-cnf", unbound),
        ("cnf-is-a-thumbprint", "sd-jwt-cnf", confirm(json!({"jkt": "abc"}))),
        ("cnf-is-a-text", "sd-jwt-cnf", confirm(json!("key"))),
        ("cnf-of-another-curve", "jose-jwk", jwk("crv", json!("P-256"))),
        ("cnf-with-a-secret", "jose-jwk", jwk("d", json!("AA"))),
        ("cnf-of-small-order", "key-small-order", jwk("x", json!(encode_base64url(&[0; 32])))),
    ];
    rows.into_iter()
        .map(|(name, code, message)| asked(refused(name, code, message)))
        .collect()
}

/// W3C credentials as vc+sd-jwt.
fn credentials() -> Vec<Json> {
    let concealed = Concealed {
        claims: &["/credentialSubject/name", "/validUntil"],
        decoys: &[],
    };
    let issued = SdJwt::issue_credential(
        &foreign(&credential(1)),
        concealed,
        &method(1),
        Algorithm::EdDsa,
        &secret(1),
        &mut counting(),
    )
    .unwrap();
    let hidden = issued.present(&["/validUntil"], BOTH).unwrap();
    let mut less = credential(1);
    less["credentialSubject"]
        .as_object_mut()
        .unwrap()
        .remove("name");
    let typed = |typ: &str, change: &dyn Fn(&mut Json)| {
        let mut all = credential(1);
        change(&mut all);
        let header = json!({"alg": "EdDSA", "kid": method(1).id, "typ": typ}).to_string();
        raw(&header, &all.to_string(), 1) + "~"
    };
    let of = |name: &str, message: String, expect: Json| {
        let mut case = case(name, message, expect);
        case["op"] = json!("credential");
        case
    };
    let error = |code: &str| json!({"error": code});
    let w3c = "vc+sd-jwt";
    let other = method(2).controller;
    vec![
        of(
            "w3c-everything",
            issued.text(),
            json!({"ok": {"claims": credential(1)}}),
        ),
        of("w3c-less", hidden.text(), json!({"ok": {"claims": less}})),
        of(
            "w3c-typ-of-ietf",
            typed("dc+sd-jwt", &|_| ()),
            error("jose-type"),
        ),
        of(
            "w3c-typ-without-disclosures",
            typed("vc+jwt", &|_| ()),
            error("jose-type"),
        ),
        of(
            "w3c-cty-of-another",
            raw(
                &json!({"alg": "EdDSA", "cty": "vp", "kid": method(1).id, "typ": w3c}).to_string(),
                &credential(1).to_string(),
                1,
            ) + "~",
            error("jose-content-type"),
        ),
        of(
            "w3c-vc-claim",
            typed(w3c, &|all| all["vc"] = json!({})),
            error("claims-legacy"),
        ),
        of(
            "w3c-issuer-of-another-key",
            typed(w3c, &|all| all["issuer"] = json!(other)),
            error("claims-controller"),
        ),
    ]
}
