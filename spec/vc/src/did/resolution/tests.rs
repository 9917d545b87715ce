#![allow(clippy::unwrap_used, reason = "a test may panic")]
use super::*;
use crate::did::{DidKey, Document, Methods};

/// The identifier that the public did:key suite asks for.
const GOOD: &str = "did:key:z6MktKwz7Ge1Yxzr4JHavN33wiwa8y81QdcMRLXQsrH9T53b";

#[test]
fn the_document_is_read_as_any_other() {
    let document = resolve_key(GOOD).unwrap();
    let document = Document::read(&document, GOOD).unwrap();
    let url = format!("{GOOD}#{}", &GOOD[8..]);
    for purpose in [
        "assertionMethod",
        "authentication",
        "capabilityInvocation",
        "capabilityDelegation",
    ] {
        assert_eq!(document.method(&url, purpose), DidKey.method(&url, purpose));
    }
    assert!(document.method(&url, "keyAgreement").is_err());
}

#[test]
fn every_refusal_has_its_word() {
    use ResolutionError as E;
    let multibase = |bytes: &[u8]| {
        format!(
            "did:key:{}",
            zhao_spec::wire::binary::encode_multibase(bytes)
        )
    };
    let small = [[0xed, 1, 1].as_slice(), &[0; 31]].concat();
    for (did, error) in [
        (GOOD.replacen("did:", "", 1), E::InvalidDid),
        (GOOD.replacen("key:", "", 1), E::InvalidDid),
        (GOOD.replacen("key", "Key", 1), E::InvalidDid),
        (GOOD.replacen("key", "example", 1), E::MethodNotSupported),
        (GOOD.replacen("key:z", "key:-v4:z", 1), E::InvalidDid),
        (GOOD.replacen(":z", ":", 1), E::InvalidDid),
        (GOOD.replacen(":z", ":u", 1), E::InvalidDid),
        (GOOD.replacen("z6Mk", "z0OIl", 1), E::InvalidDid),
        (format!("{GOOD}#x"), E::InvalidDid),
        (format!("{GOOD}?x=1"), E::InvalidDid),
        (format!("{GOOD}/x"), E::InvalidDid),
        (format!("{GOOD}%"), E::InvalidDid),
        (format!("{GOOD} "), E::InvalidDid),
        (format!("did:key:z{}", "1".repeat(5_000)), E::InvalidDid),
        (String::new(), E::InvalidDid),
        ("did:key:".to_owned(), E::InvalidDid),
        ("did:key:z".to_owned(), E::UnsupportedPublicKeyType),
        (multibase(&[0xed, 1, 7]), E::InvalidPublicKeyLength),
        (
            multibase(&[[0xed, 1].as_slice(), &[7; 33]].concat()),
            E::InvalidPublicKeyLength,
        ),
        (
            multibase(&[[0x80, 0x24].as_slice(), &[2; 33]].concat()),
            E::UnsupportedPublicKeyType,
        ),
        (multibase(&small), E::InvalidPublicKey),
    ] {
        assert_eq!(resolve_key(&did), Err(error), "{did:.80}");
        assert!(matches!(error.status(), 400 | 501), "{did:.80}");
    }
}

#[test]
fn an_error_in_both_forms() {
    let of = |accept| {
        let error = ResolutionError::InvalidDid;
        let body = Resolution {
            document: Err(error),
        }
        .body(accept);
        assert_eq!(body.member("didDocument"), Some(&Foreign::Null));
        assert!(body.member("didDocumentMetadata").is_some());
        assert!(body.member("@context").is_some());
        body.member("didResolutionMetadata")
            .unwrap()
            .member("error")
            .unwrap()
            .clone()
    };
    for accept in [Accept::Words, Accept::Document] {
        assert_eq!(of(accept).as_text(), Some("invalidDid"));
    }
    let problem = of(Accept::Problems);
    let kind = problem.member("type").and_then(Foreign::as_text);
    assert_eq!(kind, Some("https://www.w3.org/ns/did#INVALID_DID"));
}

#[test]
fn a_document_alone_or_in_a_result() {
    let document = resolve_key(GOOD).unwrap();
    let resolution = Resolution {
        document: Ok(document.clone()),
    };
    assert_eq!(resolution.body(Accept::Document), document);
    for accept in [Accept::Words, Accept::Problems] {
        let body = resolution.body(accept);
        assert_eq!(body.member("didDocument"), Some(&document));
        let metadata = body.member("didResolutionMetadata").unwrap();
        assert_eq!(metadata.member("error"), None);
        assert!(metadata.member("contentType").is_some());
    }
}

#[test]
fn what_is_asked_for() {
    for (header, accept) in [
        ("application/did-resolution", Some(Accept::Problems)),
        (
            r#"application/ld+json;profile="https://w3id.org/did-resolution""#,
            Some(Accept::Words),
        ),
        ("application/did+json", Some(Accept::Document)),
        ("text/html, application/did", Some(Accept::Document)),
        ("Application/DID+LD+JSON; q=0.5", Some(Accept::Document)),
        ("application/did", Some(Accept::Document)),
        ("application/json", Some(Accept::Words)),
        ("application/ld+json", Some(Accept::Words)),
        ("application/*", Some(Accept::Words)),
        ("*/*", Some(Accept::Words)),
        ("", Some(Accept::Words)),
        ("text/html", None),
        ("application/did+cbor", None),
    ] {
        assert_eq!(Accept::of(header), accept, "{header}");
    }
}

#[test]
fn an_answer_says_what_it_is() {
    for accept in [Accept::Document, Accept::Words, Accept::Problems] {
        assert_eq!(Accept::of(accept.media_type()), Some(accept), "{accept:?}");
    }
}

#[test]
fn a_did_in_its_parts() {
    for (did, read) in [
        (
            "did:web:a.example%3A80:b_c:d-e",
            ("web", "a.example%3A80:b_c:d-e"),
        ),
        ("did:x25:A1", ("x25", "A1")),
        ("did:web::b", ("web", ":b")),
    ] {
        assert_eq!(parts(did), Ok(read), "{did}");
    }
    for did in [
        "did::x",
        "did:web",
        "did:web:",
        "did:web:a:",
        "did:wEb:a",
        "did:w-b:a",
        "did:web:a%3",
        "did:web:a%",
        "did:web:a%g0",
        "did:web:a%0g",
        "did:web:a b",
        "did:web:\u{e4}",
        "DID:web:a",
    ] {
        assert_eq!(parts(did), Err(ResolutionError::InvalidDid), "{did}");
    }
    let long = |bytes: usize| parts(&format!("did:web:{}", "a".repeat(bytes - 8))).map(|_| ());
    assert_eq!(long(DID_BYTES), Ok(()));
    assert_eq!(long(DID_BYTES + 1), Err(ResolutionError::InvalidDid));
}
