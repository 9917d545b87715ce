#![allow(clippy::unwrap_used, reason = "a test may panic")]
use zhao_spec::wire::foreign::{canonicalize, parse_foreign};

use super::*;

const ID: &str = "https://a.example/status/3";

fn empty() -> StatusList {
    StatusList::new(ENTRIES, 1, Order::HighFirst).unwrap()
}

fn parts<'a>() -> ListParts<'a> {
    ListParts {
        id: ID,
        issuer: "did:web:a.example",
        purposes: &["revocation"],
        valid_from: UnixMillis(1_700_000_000_000),
        valid_until: Some(UnixMillis(1_700_000_600_000)),
        ttl: Some(60_000),
        messages: &[],
        derived_from: None,
    }
}

/// The text of a built credential with one piece of it replaced, read.
fn changed(from: &str, to: &str) -> Result<ListCredential, StatusError> {
    let text = String::from_utf8(canonicalize(&build(&empty(), &parts()).unwrap())).unwrap();
    assert!(text.contains(from), "{from} not in {text}");
    ListCredential::read(&parse_foreign(text.replace(from, to).as_bytes()).unwrap())
}

#[test]
fn a_list_is_built_and_read() {
    let epoch = Epoch {
        origin: "log.example".to_owned(),
        epoch: 7,
        size: 1_000,
        map_root: Hash([7; 32]),
    };
    let mut list = empty();
    list.add(94_567, 1).unwrap();
    let built = build(
        &list,
        &ListParts {
            derived_from: Some(&epoch),
            ..parts()
        },
    )
    .unwrap();
    let read = ListCredential::read(&parse_foreign(&canonicalize(&built)).unwrap()).unwrap();
    assert_eq!(read.id.as_deref(), Some(ID));
    assert_eq!(read.purposes, ["revocation"]);
    assert_eq!(read.derived_from, Some(epoch));
    assert_eq!((read.ttl, read.size), (Some(60_000), None));
    assert!(read.encoded.starts_with("uH4sI"));
    assert_eq!(decode(&read.encoded, 1), Ok(list));
}

/// The list of the Recommendation's example 3: 16 KiB of zeros, by another writer.
#[test]
fn the_list_of_the_recommendation() {
    let list = decode(
        "uH4sIAAAAAAAAA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA",
        1,
    )
    .unwrap();
    assert_eq!(list, empty());
}

#[test]
fn messages_of_ours_name_every_value() {
    let messages = standing_messages();
    assert_eq!(messages.len(), 16);
    assert_eq!(messages[0].message, "none");
    assert_eq!(
        messages[0b1101].message,
        "mortgage objection inspection_failed"
    );
    let list = StatusList::new(ENTRIES, 4, Order::HighFirst).unwrap();
    let with = |messages| ListParts {
        purposes: &["message"],
        messages,
        ..parts()
    };
    let built = build(&list, &with(&messages)).unwrap();
    let read = ListCredential::read(&built).unwrap();
    assert_eq!((read.size, read.messages), (Some(4), messages.clone()));
    let wrong = Err(StatusError::Messages { expected: 16 });
    assert_eq!(build(&list, &with(&messages[1..])), wrong);
    assert_eq!(build(&list, &with(&[])), wrong);
}

#[test]
fn a_list_of_single_bits_may_say_what_they_mean() {
    let words = |count: u8| -> Vec<Message> {
        (0..count)
            .map(|status| Message {
                status,
                message: format!("m{status}"),
            })
            .collect()
    };
    let of = |messages: &[Message]| {
        let built = build(
            &empty(),
            &ListParts {
                messages,
                ..parts()
            },
        );
        built.map(|built| ListCredential::read(&built).unwrap())
    };
    let read = of(&words(2)).unwrap();
    assert_eq!((read.size, read.messages), (Some(1), words(2)));
    for count in [1, 3] {
        assert_eq!(
            of(&words(count)),
            Err(StatusError::Messages { expected: 2 })
        );
    }
}

#[test]
fn a_list_has_as_many_purposes_as_it_may() {
    let of = |count: usize| {
        let purposes = vec![r#""revocation""#; count].join(",");
        let purposes = format!(r#""statusPurpose":[{purposes}]"#);
        changed(r#""statusPurpose":"revocation""#, &purposes).map(|read| read.purposes.len())
    };
    assert_eq!(of(PURPOSES), Ok(PURPOSES));
    assert_eq!(of(PURPOSES + 1).unwrap_err().code(), "status-shape");
}

#[test]
fn a_short_list_is_not_built() {
    let list = StatusList::new(ENTRIES - 8, 1, Order::HighFirst).unwrap();
    let length = StatusError::Length {
        actual: 131_064,
        least: 131_072,
    };
    assert_eq!(build(&list, &parts()), Err(length));
    // Wide entries count as entries, not as bits.
    let list = StatusList::new(ENTRIES / 2, 2, Order::HighFirst).unwrap();
    assert_eq!(build(&list, &parts()).unwrap_err().code(), "status-length");
    let list = StatusList::new(ENTRIES, 1, Order::LowFirst).unwrap();
    assert_eq!(build(&list, &parts()).unwrap_err().code(), "status-size");
}

#[test]
fn another_shape_is_refused() {
    for (from, to, code) in [
        (r#","BitstringStatusListCredential""#, "", "status-type"),
        (
            "BitstringStatusListCredential",
            "StatusList2021Credential",
            "status-type",
        ),
        (r#""type":["Ver"#, r#""kind":["Ver"#, "status-type"),
        (
            r#""type":"BitstringStatusList""#,
            r#""type":"StatusList2021""#,
            "status-type",
        ),
        (
            r#""type":"BitstringStatusList""#,
            r#""type":["BitstringStatusList"]"#,
            "status-type",
        ),
        (
            r#""issuer":"did:web:a.example""#,
            r#""issuer":["did:web:a.example"]"#,
            "status-shape",
        ),
        (
            r#""issuer":"did:web:a.example""#,
            r#""issuer":{"name":"a"}"#,
            "status-shape",
        ),
        (r#""issuer":"did:web:a.example","#, "", "status-shape"),
        (
            r#""credentialSubject":{"#,
            r#""credentialSubject":[{}],"x":{"#,
            "status-shape",
        ),
        (r#""encodedList":""#, r#""encoded":""#, "status-shape"),
        (
            r#""encodedList":""#,
            r#""encodedList":7,"x":""#,
            "status-shape",
        ),
        (
            r#""statusPurpose":"revocation""#,
            r#""statusPurpose":[]"#,
            "status-shape",
        ),
        (
            r#""statusPurpose":"revocation""#,
            r#""statusPurpose":[7]"#,
            "status-shape",
        ),
        (r#""statusPurpose":"revocation","#, "", "status-shape"),
        (
            r#""statusPurpose":"revocation""#,
            r#""statusPurpose":"message""#,
            "status-shape",
        ),
        (r#""ttl":60000"#, r#""ttl":"60000""#, "status-shape"),
        (r#""ttl":60000"#, r#""ttl":-1"#, "status-shape"),
        (r#""ttl":60000"#, r#""statusSize":0"#, "status-shape"),
        (r#""ttl":60000"#, r#""statusSize":64"#, "status-size"),
        ("2023-11-14T22:13:20.000Z", "yesterday", "status-shape"),
        (
            r#""validUntil":"2023-11-14T22:23:20.000Z""#,
            r#""validUntil":7"#,
            "status-shape",
        ),
        (
            r#""validFrom""#,
            r#""derivedFrom":{},"validFrom""#,
            "status-type",
        ),
        (
            r#""validFrom""#,
            r#""derivedFrom":{"type":"ZhaoLedgerEpoch","origin":"a","epoch":1},"validFrom""#,
            "status-shape",
        ),
    ] {
        assert_eq!(changed(from, to).unwrap_err().code(), code, "{from} {to}");
    }
    let many = changed(
        r#""statusPurpose":"revocation""#,
        r#""statusPurpose":["revocation","suspension"]"#,
    );
    assert_eq!(many.unwrap().purposes, ["revocation", "suspension"]);
    let object = changed(
        r#""issuer":"did:web:a.example""#,
        r#""issuer":{"id":"did:web:a.example"}"#,
    );
    assert_eq!(object.unwrap().issuer, "did:web:a.example");
}

#[test]
fn another_encoding_is_refused() {
    let good = encode(&empty()).unwrap();
    let zlib = encode_base64url(&crate::status::pack::zlib(empty().bytes()).unwrap());
    let long = "A".repeat(70_000);
    let packed = gzip(empty().bytes()).unwrap();
    let cut = format!("u{}", encode_base64url(&packed[..packed.len() - 9]));
    let more = format!("u{}", encode_base64url(&[packed, vec![0]].concat()));
    for (text, code) in [
        (String::new(), "status-shape"),
        (good[1..].to_owned(), "status-shape"),
        (format!("m{}", &good[1..]), "status-shape"),
        (format!("{good}="), "status-base64"),
        (good.replace('I', "+"), "status-base64"),
        (format!("u{long}"), "status-base64"),
        (format!("u{zlib}"), "pack-header"),
        ("uAAAA".to_owned(), "pack-header"),
        (cut, "pack-data"),
        (more, "pack-trailing"),
    ] {
        let error = decode(&text, 1).unwrap_err();
        assert_eq!(error.code(), code, "{text:.80}");
        assert!(error.problem().ends_with("#MALFORMED_VALUE_ERROR"));
    }
}

/// What the W3C context leaves undefined, ours defines: nothing of a list is lost to RDF.
#[test]
fn the_contexts_define_every_member() {
    let file = |path: &str| {
        let path = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read(path).unwrap();
        serde_json::from_slice::<serde_json::Value>(&text).unwrap()["@context"].clone()
    };
    let (w3c, own) = (
        file("contexts/credentials-v2.jsonld"),
        file("../contexts/licence-v1.jsonld"),
    );
    let epoch = Epoch {
        origin: "log.example".to_owned(),
        epoch: 7,
        size: 1_000,
        map_root: Hash([7; 32]),
    };
    let list = StatusList::new(ENTRIES, 4, Order::HighFirst).unwrap();
    let messages = standing_messages();
    let built = build(
        &list,
        &ListParts {
            purposes: &["message"],
            messages: &messages,
            derived_from: Some(&epoch),
            ..parts()
        },
    );
    let built = canonicalize(&built.unwrap());
    let built: serde_json::Value = serde_json::from_slice(&built).unwrap();
    let credential = &w3c["VerifiableCredential"]["@context"];
    let subject = &w3c["BitstringStatusList"]["@context"];
    let places = [
        (&built, credential),
        (&built["credentialSubject"], subject),
        (&built["derivedFrom"], &own["ZhaoLedgerEpoch"]["@context"]),
        (
            &built["credentialSubject"]["statusMessage"][0],
            &own["statusMessage"]["@context"],
        ),
    ];
    for (object, scope) in places {
        for name in object.as_object().unwrap().keys() {
            let known = [scope, &own, &w3c]
                .iter()
                .any(|terms| !terms[name].is_null());
            assert!(known || name == "@context", "{name}");
        }
    }
    for term in ["statusMessage", "statusSize"] {
        let entry = &w3c["BitstringStatusListEntry"]["@context"];
        assert_eq!(own[term]["@id"], entry[term]["@id"]);
        // An entry's own definition, which is protected, may take its place.
        assert_eq!(own[term]["@protected"], false);
    }
}
