//! Our own licences in this form.

use std::path::Path;

use zhao_spec::credential::Licence;
use zhao_spec::life::subject::{Kind as Subject, subject_key};
use zhao_spec::wire::foreign::parse_foreign;
use zhao_spec::wire::limits;

use super::*;
use crate::did::Document;
use crate::sdjwt::licence::{self, ShownLicence, Terms};
use crate::status::token::Reference;

/// The first of the vectors of licences, signed by the key of seed 1.
fn sample() -> Licence {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/credential/licence.json");
    let all: Json = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    Licence::parse(all["cases"][0]["input"].as_str().unwrap().as_bytes()).unwrap()
}

fn signer(licence: &Licence) -> SecretKey {
    let mut keys = (0..=255).map(secret);
    keys.find(|key| key.public() == *licence.issuer_key())
        .unwrap()
}

fn issued(holder: Option<&PublicKey>) -> SdJwt {
    let licence = sample();
    let signer = signer(&licence);
    let mut terms = Terms::of(&licence);
    terms.holder = holder.copied();
    licence::issue(&licence, &terms, Algorithm::EdDsa, &signer, &mut counting()).unwrap()
}

fn verify_licence(
    text: &str,
    binding: Binding<'_>,
    policy: &Policy<'_>,
) -> Result<ShownLicence, SdJwtError> {
    licence::verify_licence(text, binding, policy, &DidKey)
}

#[test]
fn a_holder_shows_one_item_of_a_licence() {
    let key = holder().public();
    let text = issued(Some(&key))
        .present(&["/faceData/businessScope"], BOTH)
        .unwrap()
        .bind(ASKED, AT, Algorithm::EdDsa, &holder())
        .unwrap();
    let found = verify_licence(&text, REQUIRED, &policy()).unwrap();
    let licence = sample();
    let stated = licence.claims();
    assert_eq!(found.origin, stated.status.origin);
    assert_eq!(
        found.subject,
        subject_key(&stated.status.origin, Subject::Licence, &stated.id)
    );
    assert_eq!(found.unit, stated.issuer.unit);
    assert_eq!(found.licence_type_code, stated.subject.licence_type_code);
    assert_eq!(found.type_salt, None);
    assert_eq!(found.shown.holder(), Some(key));
    assert_eq!(&found.shown.method().key, licence.issuer_key());
    let claims = back(found.shown.claims());
    assert_eq!(
        claims["faceData"],
        json!({"businessScope": "预包装食品销售"})
    );
    assert_eq!(claims["nbf"], 1_772_380_800);
    assert_eq!(claims["exp"], 1_930_147_200);
    for name in [
        "holderName",
        "holderCode",
        "licenceNumber",
        "licenceIdentifier",
        "id",
    ] {
        assert!(claims.get(name).is_none(), "{name}");
    }
    assert!(!text.contains(&encode_base64url("示例食品".as_bytes())));
}

#[test]
fn everything_can_be_shown() {
    let found = verify_licence(&issued(None).text(), Binding::NotAsked, &policy()).unwrap();
    let claims = back(found.shown.claims());
    let licence: Json = serde_json::from_slice(sample().canonical()).unwrap();
    for (name, value) in licence["credentialSubject"].as_object().unwrap() {
        if name != "type" {
            assert_eq!(claims[name], *value, "{name}");
        }
    }
}

#[test]
fn a_licence_that_was_stolen_is_not_shown() {
    let code = |text: &str| {
        verify_licence(text, REQUIRED, &policy())
            .unwrap_err()
            .code()
    };
    let bound = issued(Some(&holder().public()));
    assert_eq!(code(&bound.text()), "sd-jwt-binding-missing");
    let thief = bound.bind(ASKED, AT, Algorithm::EdDsa, &secret(9)).unwrap();
    assert_eq!(code(&thief), "signature-mismatch");
    let unbound = issued(None)
        .bind(ASKED, AT, Algorithm::EdDsa, &holder())
        .unwrap();
    assert_eq!(code(&unbound), "sd-jwt-cnf");
}

#[test]
fn only_the_units_key_issues_it() {
    let licence = sample();
    let made = licence::issue(
        &licence,
        &Terms::of(&licence),
        Algorithm::EdDsa,
        &secret(9),
        &mut counting(),
    );
    assert_eq!(made.unwrap_err().code(), "jose-signer-key");
}

#[test]
fn what_is_not_of_this_form_is_refused() {
    let licence = sample();
    let seed = (0..=255)
        .find(|seed| secret(*seed).public() == *licence.issuer_key())
        .unwrap();
    let (good, _) = issued(None).open(BOTH).unwrap();
    let code = |change: &dyn Fn(&mut Json)| {
        let mut claims = back(&good);
        change(&mut claims);
        let header =
            json!({"alg": "EdDSA", "kid": method(seed).id, "typ": "dc+sd-jwt"}).to_string();
        let text = raw(&header, &claims.to_string(), seed) + "~";
        let found = verify_licence(&text, Binding::NotAsked, &policy());
        found.map(|_| ()).map_err(|e| e.to_string())
    };
    assert_eq!(code(&|_| ()), Ok(()));
    let entry = |name: &'static str, value: Json| {
        code(&move |all| all["status"]["zhaoLedgerEntry"][name] = value.clone()).unwrap_err()
    };
    assert_eq!(
        entry("origin", json!("a b")),
        "licence: origin is not a log's origin"
    );
    assert_eq!(
        entry("origin", json!("")),
        "licence: origin is not a log's origin"
    );
    let longest = "x".repeat(limits::ORIGIN_BYTES);
    for origin in ["a+b", "a\u{7}b", "a\tb", &format!("{longest}x")] {
        assert_eq!(
            entry("origin", json!(origin)),
            "licence: origin is not a log's origin"
        );
    }
    let with = |all: &mut Json| all["status"]["zhaoLedgerEntry"]["origin"] = json!(longest);
    assert_eq!(code(&with), Ok(()));
    assert_eq!(
        entry("subject", json!("AAAA")),
        "licence: subject is not a licence's key"
    );
    let unit = subject_key("a", Subject::Issuer, "b").to_base64url();
    assert_eq!(
        entry("subject", json!(unit)),
        "licence: subject is not a licence's key"
    );
    assert_eq!(
        entry("typeSalt", json!("AAAA")),
        "licence: typeSalt is not 32 bytes"
    );
    assert_eq!(
        entry("typeSalt", json!(1)),
        "licence: typeSalt is missing, or not a text"
    );
    let set =
        |name: &'static str, value: Json| code(&move |all| all[name] = value.clone()).unwrap_err();
    assert_eq!(
        set("status", json!({})),
        "licence: status has no zhaoLedgerEntry"
    );
    assert_eq!(
        set("issuingAuthorityCode", json!("1")),
        "licence: issuingAuthorityCode is not a unit's code"
    );
    assert_eq!(
        set("licenceTypeCode", json!("1")),
        "licence: licenceTypeCode is not a type's code"
    );
    let without = code(&|all| drop(all.as_object_mut().unwrap().remove("iss")));
    assert_eq!(without.unwrap_err(), "licence: iss is missing");
    assert!(set("vct", json!("https://types.example/permit")).contains("vct"));
}

/// The unit under the name of its site, with a key it has by now, and a place in a list.
#[test]
fn it_is_stated_under_another_name_of_the_unit() {
    let licence = sample();
    let did = "did:web:licences.example:units:11320400DEM0001293";
    let key = secret(9);
    let method = Method {
        id: format!("{did}#{}", key.public().to_multibase()),
        controller: did.to_owned(),
        key: key.public(),
    };
    let reference = Reference {
        idx: 7,
        uri: "https://licences.example/status/standing/11320400DEM0001293-0-0".to_owned(),
    };
    let terms = Terms {
        method: method.clone(),
        holder: None,
        issued: AT,
        status: Some(reference.clone()),
    };
    let salts = &mut counting();
    let text = licence::issue(&licence, &terms, Algorithm::EdDsa, &key, salts)
        .unwrap()
        .text();
    // Who has no document of the site does not read it.
    let error = verify_licence(&text, Binding::NotAsked, &policy()).unwrap_err();
    assert_eq!(error.code(), "did-unknown");
    let document = json!({
        "id": did,
        "verificationMethod": [{
            "id": method.id, "type": "Multikey", "controller": did,
            "publicKeyMultibase": key.public().to_multibase(),
        }],
        "assertionMethod": [method.id],
    });
    let document = parse_foreign(document.to_string().as_bytes()).unwrap();
    let document = Document::read(&document, did).unwrap();
    let policy = policy();
    let found = licence::verify_licence(&text, Binding::NotAsked, &policy, &document).unwrap();
    assert_eq!(found.shown.method(), &method);
    let claims = found.shown.claims();
    assert_eq!(Reference::read(claims), Ok(Some(reference)));
    assert_eq!(back(claims)["iss"], did);
    assert_eq!(back(claims)["iat"], AT.0 / 1_000);
}
