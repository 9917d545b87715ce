//! What an issuer makes and a holder chooses.

use proptest::prelude::*;

use super::*;

#[test]
fn digests_are_those_of_the_rfc() {
    // RFC 9901 §4.2.1, §4.2.2 with the digests of §4.2.3, §4.2.4.
    for (text, name, digest) in [
        (
            "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0",
            Some("family_name"),
            "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0",
        ),
        (
            "WyJsa2x4RjVqTVlsR1RQVW92TU5JdkNBIiwgIkZSIl0",
            None,
            "w0I8EKcdCtUPkGCNUrfwVp2xEgNjtoIDlOxc9-PlOhs",
        ),
    ] {
        let disclosure = Disclosure::parse(text).unwrap();
        assert_eq!(disclosure.name(), name);
        assert_eq!(disclosure.digest(), digest);
    }
}

#[test]
fn concealed_claims_are_not_in_the_jwt() {
    let issued = issued();
    let payload = Jws::parse(issued.jwt(), BOTH).unwrap().object().unwrap();
    let payload = back(&payload).to_string();
    for word in ["常州", "一路", "示例", "since", "\"A\"", "\"C\"", "address"] {
        assert!(!payload.contains(word), "{word}");
    }
    assert!(payload.contains("\"B\""));
    assert_eq!(issued.disclosures().len(), CONCEAL.len());
    // Two members and two decoys, in an order that tells nothing.
    let payload: Json = serde_json::from_str(&payload).unwrap();
    let digests: Vec<&str> = payload["_sd"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one.as_str().unwrap())
        .collect();
    assert_eq!(digests.len(), 4);
    assert!(digests.windows(2).all(|pair| pair[0] < pair[1]));
    assert_eq!(payload["nationalities"].as_array().unwrap().len(), 4);
    assert_eq!(payload["_sd_alg"], "sha-256");
}

/// Every `_sd` in a value.
fn digests(value: &Json, found: &mut Vec<Vec<String>>) {
    match value {
        Json::Object(members) => {
            for (name, value) in members {
                if name == "_sd" {
                    found.push(serde_json::from_value(value.clone()).unwrap());
                }
                digests(value, found);
            }
        }
        Json::Array(items) => items.iter().for_each(|item| digests(item, found)),
        _ => {}
    }
}

/// In an element of an array, in a member, and in what is itself concealed.
#[test]
fn no_position_tells_which_member_was_concealed() {
    let six = json!({"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6});
    let mut claims = claims();
    claims["open"] = six.clone();
    claims["list"] = json!([six]);
    claims["closed"] = json!({"in": [six]});
    let mut places = Vec::new();
    for within in ["/open", "/list/0", "/closed/in/0"] {
        places.extend(["a", "b", "c", "d", "e", "f"].map(|name| format!("{within}/{name}")));
    }
    places.extend(["/closed/in/0", "/closed"].map(str::to_owned));
    let places: Vec<&str> = places.iter().map(String::as_str).collect();
    let concealed = Concealed {
        claims: &places,
        decoys: &[],
    };
    let (payload, disclosures) =
        conceal::conceal(&foreign(&claims), concealed, &mut counting()).unwrap();
    let mut found = Vec::new();
    digests(&back(&payload), &mut found);
    for disclosure in &disclosures {
        digests(&back(disclosure.value()), &mut found);
    }
    let sixes: Vec<_> = found.iter().filter(|digests| digests.len() == 6).collect();
    assert_eq!(sixes.len(), 3);
    for digests in found {
        assert!(digests.is_sorted(), "{digests:?}");
    }
}

#[test]
fn a_holder_sees_what_it_can_show() {
    let (all, places) = issued().open(BOTH).unwrap();
    assert_eq!(back(&all), claims());
    let mut places: Vec<&str> = places.iter().map(String::as_str).collect();
    places.sort_unstable();
    assert_eq!(places, CONCEAL);
    let shown = issued().present(&["/address/street"], BOTH).unwrap();
    assert_eq!(shown.disclosures().len(), 2);
    assert_eq!(shown.digest(), issued().digest());
    for place in [
        "/vct",
        "/address/city",
        "/nationalities/1",
        "",
        "name",
        "/name/x",
    ] {
        let refused = issued().present(&[place], BOTH).unwrap_err();
        assert_eq!(refused.code(), "sd-jwt-place", "{place}");
    }
    let (again, binding) = SdJwt::parse(&issued().text())
        .map(|(a, b)| (a, b.is_some()))
        .unwrap();
    assert_eq!((again, binding), (issued(), false));
}

#[test]
fn places_that_cannot_be_concealed() {
    let code = |places: &[&str]| issue(&claims(), places, &[]).unwrap_err().code();
    for place in [
        "/cnf",
        "/exp",
        "/iss",
        "/nbf",
        "/status",
        "/vct",
        "/vct#integrity",
        "/cnf/jwk",
        "/status/status_list/idx",
    ] {
        assert_eq!(code(&[place]), "sd-jwt-always-shown", "{place}");
    }
    for places in [
        &[""][..],
        &["name"],
        &["/nothing"],
        &["/name/x"],
        &["/name", "/name"],
        &["/nationalities/3"],
        &["/nationalities/00"],
        &["/nationalities/x"],
        &["/nationalities/0", "/nationalities/0"],
        &["/nationalities/-1"],
    ] {
        assert_eq!(code(places), "sd-jwt-place", "{places:?}");
    }
    let deep = "/a".repeat(40);
    assert_eq!(code(&[&deep]), "sd-jwt-depth");
    let decoys = |decoys| issue(&claims(), &[], decoys).unwrap_err().code();
    assert_eq!(decoys(&[("/name", 1)]), "sd-jwt-place");
    assert_eq!(decoys(&[("/cnf", 1)]), "sd-jwt-always-shown");
    assert_eq!(decoys(&[("", 4_097)]), "sd-jwt-limit");
    assert_eq!(
        decoys(&[("", usize::MAX), ("", usize::MAX)]),
        "sd-jwt-limit"
    );
}

#[test]
fn claims_that_cannot_be_issued() {
    let code = |name: &str, value: Json| {
        let mut all = claims();
        all[name] = value;
        issue(&all, &[], &[]).unwrap_err().code()
    };
    assert_eq!(code("_sd", json!([])), "sd-jwt-reserved");
    assert_eq!(code("x", json!([{"...": "a"}])), "sd-jwt-reserved");
    assert_eq!(code("x", json!({"_sd_alg": "sha-256"})), "sd-jwt-reserved");
    assert_eq!(code("vct", json!("")), "sd-jwt-vct");
    assert_eq!(
        code("iss", json!(method(2).controller)),
        "claims-controller"
    );
    assert_eq!(code("cnf", json!({})), "sd-jwt-cnf");
    assert_eq!(code("exp", json!("x")), "claims-shape");
    let mut long = claims();
    long["name"] = json!(["x".repeat(40_000), "x".repeat(40_000)]);
    assert_eq!(
        issue(&long, &["/name"], &[]).unwrap_err().code(),
        "sd-jwt-too-long"
    );
}

#[test]
fn a_type_in_the_header_is_never_optional() {
    let header = json!({"alg": "EdDSA", "kid": method(1).id}).to_string();
    let lenient = Policy {
        untyped: true,
        ..policy()
    };
    let text = raw(&header, &claims().to_string(), 1) + "~";
    let refused = verify(&text, &[VCT], Binding::NotAsked, &lenient, &DidKey).unwrap_err();
    assert_eq!(refused.code(), "jose-missing");
    // VC-JOSE-COSE says SHOULD.
    let text = raw(&header, &credential(1).to_string(), 1) + "~";
    let read = |policy| verify_credential(&text, Binding::NotAsked, policy, &DidKey);
    assert!(read(&lenient).is_ok());
    assert_eq!(read(&policy()).unwrap_err().code(), "jose-missing");
}

#[test]
fn a_salt_given_twice_is_noticed() {
    let claims = foreign(&json!({"list": ["a", "a"], "vct": VCT}));
    let concealed = Concealed {
        claims: &["/list/0", "/list/1"],
        decoys: &[],
    };
    let issue = |salt: Salt<'_>| {
        SdJwt::issue(
            &claims,
            concealed,
            &method(1),
            Algorithm::EdDsa,
            &secret(1),
            salt,
        )
    };
    assert!(issue(&mut counting()).is_ok());
    let refused = issue(&mut || [7; 16]).unwrap_err();
    assert_eq!(refused.code(), "sd-jwt-disclosure-twice");
}

#[test]
fn what_may_be_held_back_is_not_in_debug() {
    assert!(!format!("{:?}", issued()).contains("eyJ"));
    let shown = verify(
        &issued().text(),
        &[VCT],
        Binding::NotAsked,
        &policy(),
        &DidKey,
    )
    .unwrap();
    assert!(!format!("{shown:?}").contains("示例"));
}

#[test]
fn a_changed_disclosure_is_never_taken() {
    let good = issued().text();
    let (jwt, rest) = good.split_once('~').unwrap();
    for at in 0..rest.len() {
        let mut bytes = rest.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let text = format!("{jwt}~{}", String::from_utf8(bytes).unwrap());
        let found = verify(&text, &[VCT], Binding::NotAsked, &policy(), &DidKey);
        // The last ~ gone, what follows is taken for a key binding, which nobody asked for: the
        // disclosure is then not shown at all.
        match found {
            Err(_) => {}
            Ok(shown) => {
                let claims = back(shown.claims());
                for (name, value) in claims.as_object().unwrap() {
                    if name != "address" && name != "nationalities" {
                        assert_eq!(*value, super::claims()[name], "{at}");
                    }
                }
                assert!(at + 1 == rest.len(), "{at}");
            }
        }
    }
}

proptest! {
    #[test]
    fn any_choice_shows_just_that(mask in 0_usize..64) {
        let chosen: Vec<&str> =
            CONCEAL.iter().enumerate()
                .filter(|(at, _)| mask >> at & 1 == 1)
                .map(|(_, one)| *one)
                .collect();
        let text = issued().present(&chosen, BOTH).unwrap()
            .bind(ASKED, AT, Algorithm::EdDsa, &holder()).unwrap();
        let shown = verify(&text, &[VCT], REQUIRED, &policy(), &DidKey).unwrap();
        prop_assert_eq!(shown.holder(), Some(holder().public()));
        let claims = back(shown.claims());
        let has = |place: &str| chosen.iter().any(|one| one.starts_with(place));
        prop_assert_eq!(claims.get("name").is_some(), has("/name"));
        prop_assert_eq!(claims.get("address").is_some(), has("/address"));
        prop_assert_eq!(claims["address"].get("street").is_some(), has("/address/street"));
        let list = claims["nationalities"].as_array().unwrap();
        prop_assert_eq!(list.contains(&json!("A")), has("/nationalities/0"));
        prop_assert_eq!(list.iter().any(|one| one["of"] == "C"), has("/nationalities/2"));
        prop_assert_eq!(list.iter().any(|one| one["since"] == 2020), has("/nationalities/2/since"));
        for trace in ["_sd", "..."] {
            prop_assert!(!claims.to_string().contains(trace));
        }
    }

    #[test]
    fn nothing_panics(text in "[a-zA-Z0-9_.~-]{0,200}") {
        prop_assert!(verify(&text, &[VCT], REQUIRED, &policy(), &DidKey).is_err());
        let _ = Disclosure::parse(&text);
    }
}
