#![allow(clippy::unwrap_used, reason = "a test may panic")]
use zhao_spec::wire::foreign::parse_foreign;
use zhao_spec::wire::{SecretKey, binary::encode_base64url};

use super::*;

const DID: &str = "did:web:a.example";

fn key(seed: u8) -> PublicKey {
    SecretKey::from_seed([seed; 32]).public()
}

fn multikey(id: &str, seed: u8) -> String {
    format!(
        r#"{{"id":"{id}","type":"Multikey","controller":"{DID}","publicKeyMultibase":"{}"}}"#,
        key(seed).to_multibase()
    )
}

fn web_key(members: &str) -> String {
    format!(
        r#"{{"id":"{DID}#j","type":"JsonWebKey","controller":"{DID}",
             "publicKeyJwk":{{{members}}}}}"#
    )
}

fn read(methods: &str, rest: &str) -> Result<Document, DidError> {
    let text = format!(r#"{{"id":"{DID}","verificationMethod":[{methods}]{rest}}}"#);
    Document::read(&parse_foreign(text.as_bytes()).unwrap(), DID)
}

const ASSERT: &str = r##","assertionMethod":["did:web:a.example#a"]"##;

#[test]
fn referenced_relative_and_embedded_methods() {
    let methods = format!(
        "{},{}",
        multikey("#a", 1),
        multikey("did:web:a.example#b", 2)
    );
    let embedded = multikey("#c", 3);
    let rest =
        format!(r##","assertionMethod":["#a",{embedded}],"authentication":["{DID}#b","#c"]"##);
    let document = read(&methods, &rest).unwrap();
    assert_eq!(document.id(), DID);
    let found =
        |fragment: &str, purpose: &str| document.method(&format!("{DID}#{fragment}"), purpose);
    let a = found("a", "assertionMethod").unwrap();
    assert_eq!((a.key, a.controller.as_str()), (key(1), DID));
    assert_eq!(found("c", "assertionMethod").unwrap().key, key(3));
    assert_eq!(found("b", "authentication").unwrap().key, key(2));
    for (fragment, purpose) in [
        ("b", "assertionMethod"),
        ("a", "authentication"),
        // Embedded for one purpose, a method is for no other.
        ("c", "authentication"),
        ("a", "verificationMethod"),
        ("c", ""),
    ] {
        assert_eq!(found(fragment, purpose).unwrap_err().code(), "did-purpose");
    }
    for url in [
        "did:web:a.example#x",
        "#a",
        "did:web:a.example",
        "did:web:b.example#a",
    ] {
        let error = document.method(url, "assertionMethod").unwrap_err();
        assert_eq!(error.code(), "did-no-method", "{url}");
    }
}

#[test]
fn a_web_key_is_read() {
    let x = encode_base64url(&key(4).to_bytes());
    let used = format!(r#","assertionMethod":["{DID}#j"]"#);
    for more in [
        "",
        r#","alg":"EdDSA","use":"sig""#,
        r#","alg":"Ed25519","kid":"x""#,
    ] {
        let jwk = web_key(&format!(r#""kty":"OKP","crv":"Ed25519","x":"{x}"{more}"#));
        let method = read(&jwk, &used)
            .unwrap()
            .method(&format!("{DID}#j"), "assertionMethod");
        assert_eq!(method.unwrap().key, key(4), "{more}");
    }
    for members in [
        format!(r#""kty":"OKP","crv":"X25519","x":"{x}""#),
        format!(r#""kty":"EC","crv":"Ed25519","x":"{x}""#),
        format!(r#""kty":"OKP","crv":"Ed25519","x":"{x}","alg":"ES256""#),
        format!(r#""kty":"OKP","crv":"Ed25519","x":"{x}","use":"enc""#),
        format!(r#""crv":"Ed25519","x":"{x}""#),
    ] {
        let document = read(&web_key(&members), &used).unwrap();
        let error = document
            .method(&format!("{DID}#j"), "assertionMethod")
            .unwrap_err();
        assert_eq!(error.code(), "did-key-type", "{members}");
    }
    for (members, code) in [
        (
            r#""kty":"OKP","crv":"Ed25519","x":"AAAA""#.to_owned(),
            "did-key",
        ),
        (
            format!(r#""kty":"OKP","crv":"Ed25519","x":"{x}=""#),
            "did-key",
        ),
        (
            format!(r#""kty":"OKP","crv":"Ed25519","x":"{x}","d":"{x}""#),
            "did-document",
        ),
        // y = 1: a point of small order, whose signatures fit everything.
        (
            format!(r#""kty":"OKP","crv":"Ed25519","x":"AQ{}""#, "A".repeat(41)),
            "did-key",
        ),
    ] {
        assert_eq!(
            read(&web_key(&members), "").unwrap_err().code(),
            code,
            "{members}"
        );
    }
}

#[test]
fn a_document_of_another_is_refused() {
    let text = format!(
        r#"{{"id":"did:web:b.example","verificationMethod":[{}]}}"#,
        multikey("#a", 1)
    );
    let document = parse_foreign(text.as_bytes()).unwrap();
    let error = Document::read(&document, DID).unwrap_err();
    assert_eq!(
        error,
        DidError::Id {
            actual: "did:web:b.example".to_owned()
        }
    );
    for text in [
        "{}",
        "[]",
        r#"{"id":7}"#,
        r#"{"id":"did:web:A.example"}"#,
        r#"{"id":["did:web:a.example"]}"#,
    ] {
        let document = parse_foreign(text.as_bytes()).unwrap();
        assert_eq!(
            Document::read(&document, DID).unwrap_err().code(),
            "did-id",
            "{text}"
        );
    }
}

#[test]
fn a_key_of_another_controller_is_not_this_ones() {
    let foreign =
        multikey("#a", 1).replace(r#""controller":"did:web:a"#, r#""controller":"did:web:b"#);
    let document = read(&foreign, ASSERT).unwrap();
    let error = document
        .method("did:web:a.example#a", "assertionMethod")
        .unwrap_err();
    assert_eq!(error.code(), "did-controller");
}

#[test]
fn nothing_stands_twice() {
    let a = multikey("#a", 1);
    let other = multikey("did:web:a.example#a", 2);
    for (methods, rest) in [
        (format!("{a},{other}"), String::new()),
        (format!("{a},{a}"), String::new()),
        (a.clone(), format!(r#","assertionMethod":[{other}]"#)),
        (a.clone(), format!(r#","authentication":[{other}]"#)),
        (
            String::new(),
            format!(r#","assertionMethod":[{a}],"authentication":[{other}]"#),
        ),
        (
            a.clone(),
            r##","assertionMethod":["#a","did:web:a.example#a"]"##.to_owned(),
        ),
    ] {
        assert_eq!(
            read(&methods, &rest).unwrap_err().code(),
            "did-duplicate",
            "{rest}"
        );
    }
}

#[test]
fn other_shapes_are_refused() {
    let a = multikey("#a", 1);
    for (methods, rest, code) in [
        (a.clone(), r##","assertionMethod":"#a""##, "did-document"),
        (
            a.clone(),
            r##","assertionMethod":{"id":"#a"}"##,
            "did-document",
        ),
        (a.clone(), r#","assertionMethod":[7]"#, "did-document"),
        (a.replace("#a", "a"), "", "did-document"),
        (a.replace("#a", "https://a.example/#a"), "", "did-document"),
        (a.replace(r#""type":"Multikey","#, ""), "", "did-document"),
        (a.replace(r#""id":"#, r#""name":"#), "", "did-document"),
        (
            a.replace(r#""controller":"did:web:a.example","#, ""),
            "",
            "did-document",
        ),
        (
            a.replace(
                r#""controller":"did:web:a.example""#,
                r#""controller":["did:web:a.example"]"#,
            ),
            "",
            "did-document",
        ),
        (
            a.replace("publicKeyMultibase", "publicKeyBase58"),
            "",
            "did-document",
        ),
        (
            a.replace(
                "publicKeyMultibase",
                r#"publicKeyJwk":{},"publicKeyMultibase"#,
            ),
            "",
            "did-document",
        ),
        (a.replace("z6Mk", "z6Mk1"), "", "did-key"),
        (
            a.replace("Multikey", "Ed25519VerificationKey2020")
                .replace("z6Mk", "z6Mj"),
            "",
            "did-key",
        ),
        ("7".to_owned(), "", "did-document"),
    ] {
        assert_eq!(
            read(&methods, rest).unwrap_err().code(),
            code,
            "{methods} {rest}"
        );
    }
    let many = |count: usize| {
        let all: Vec<String> = (0..count)
            .map(|at| multikey(&format!("#{at}"), 1))
            .collect();
        read(&all.join(","), "").map(|_| ()).map_err(|e| e.code())
    };
    assert_eq!(many(METHODS), Ok(()));
    assert_eq!(many(METHODS + 1), Err("did-document"));
    let named = |count: usize| {
        let all: Vec<String> = (0..count).map(|at| format!("\"did:x:y#{at}\"")).collect();
        let rest = format!(r#","authentication":[{}]"#, all.join(","));
        read("", &rest).map(|_| ()).map_err(|e| e.code())
    };
    assert_eq!(named(METHODS), Ok(()));
    assert_eq!(named(METHODS + 1), Err("did-document"));
}

#[test]
fn keys_of_other_algorithms_are_let_be() {
    let p256 = r#"{"id":"did:web:a.example#p","type":"Multikey","controller":"did:web:a.example",
        "publicKeyMultibase":"zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169"}"#;
    let odd = r#"{"id":"did:web:a.example#o","type":"Other2030","controller":"did:web:a.example"}"#;
    let rest = r##","assertionMethod":["#p","#o","did:web:b.example#x"]"##;
    let document = read(&format!("{p256},{odd},{}", multikey("#a", 1)), rest).unwrap();
    for fragment in ["p", "o"] {
        let error = document
            .method(&format!("{DID}#{fragment}"), "assertionMethod")
            .unwrap_err();
        assert_eq!(error.code(), "did-key-type");
    }
}
