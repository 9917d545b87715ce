#![allow(clippy::unwrap_used, reason = "a test may panic")]
use zhao_spec::wire::SecretKey;

use super::*;
use crate::did::DidKey;

const SUB: &str = "https://a.example/status/standing/1";
const AT: UnixMillis = UnixMillis(1_700_000_100_000);

fn key() -> SecretKey {
    SecretKey::from_seed([7; 32])
}

fn kid() -> String {
    key().public().verification_method()
}

fn token() -> String {
    let mut list = empty(2).unwrap();
    list.add(5, INVALID).unwrap();
    list.add(6, SUSPENDED).unwrap();
    let parts = TokenParts {
        kid: &kid(),
        sub: SUB,
        issued: UnixMillis(1_700_000_000_999),
        expires: Some(UnixMillis(1_700_000_600_999)),
        ttl: Some(60),
    };
    sign(&list, &parts, &key()).unwrap()
}

/// A token with other texts as header and claims, signed rightly.
fn made(header: &str, claims: &str) -> Result<TokenList, StatusError> {
    let part = |text: &str| encode_base64url(text.as_bytes());
    let signed = format!("{}.{}", part(header), part(claims));
    let signature = key().sign(signed.as_bytes()).to_base64url();
    open(&format!("{signed}.{signature}"), &DidKey)
}

fn header() -> String {
    format!(
        r#"{{"alg":"EdDSA","kid":"{}","typ":"statuslist+jwt"}}"#,
        kid()
    )
}

const CLAIMS: &str = concat!(
    r#"{"iat":1700000000,"sub":"https://a.example/status/standing/1","#,
    r#""status_list":{"bits":1,"lst":"eNrbuRgAAhcBXQ"}}"#
);

#[test]
fn a_token_is_signed_and_opened() {
    let open = open(&token(), &DidKey).unwrap();
    assert_eq!(open.issuer, key().public().did_key());
    assert_eq!(open.issued, UnixMillis(1_700_000_000_000));
    assert_eq!(open.expires, Some(UnixMillis(1_700_000_600_000)));
    assert_eq!(open.ttl, Some(60));
    let at = |idx| {
        let reference = Reference {
            idx,
            uri: SUB.to_owned(),
        };
        check(&reference, &open, &open.issuer, AT)
    };
    assert_eq!(
        (at(4), at(5), at(6)),
        (Ok(VALID), Ok(INVALID), Ok(SUSPENDED))
    );
    assert_eq!(at(131_072).unwrap_err().code(), "status-range");
}

/// The draft's appendix C.1: which of 2^20 single bits are set, by another writer.
#[test]
fn the_lists_of_the_draft() {
    let lst = "eNrt3AENwCAMAEGogklACtKQPg9LugC9k_ACvreiogEAAKkeCQAAAAAAAAAAAAAAAAAAAIBylgQAAAAA\
               AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAXG9IAAAAAAAAAPwsJAAAAAAAAAAAAAAA\
               vhsSAAAAAAAAAAAA7KpLAAAAAAAAAAAAAAAAAAAAAJsLCQAAAAAAAAAAADjelAAAAAAAAAAAKjDMAQAA\
               AACAZC8L2AEb";
    let claims = CLAIMS.replace("eNrbuRgAAhcBXQ", lst);
    let list = made(&header(), &claims).unwrap().list;
    assert_eq!(list.entries(), 1 << 20);
    let expected = [
        0, 1_993, 25_460, 159_495, 495_669, 554_353, 645_645, 723_232, 854_545, 934_534, 1_000_345,
    ];
    let set: Vec<u64> = list.set().map(|(index, _)| index).collect();
    assert_eq!(set, expected);
    let list = made(&header(), CLAIMS).unwrap().list;
    assert_eq!(list.bytes(), [0xb9, 0xa3]);
    let two = CLAIMS.replace(
        r#""bits":1,"lst":"eNrbuRgAAhcBXQ""#,
        r#""bits":2,"lst":"eNo76fITAAPfAgc""#,
    );
    let list = made(&header(), &two).unwrap().list;
    assert_eq!(list.bytes(), [0xc9, 0x44, 0xf9]);
}

#[test]
fn another_header_is_refused() {
    let good = header();
    for (from, to, code) in [
        ("EdDSA", "none", "status-type"),
        ("EdDSA", "ES256", "status-type"),
        (r#""alg":"EdDSA","#, "", "status-shape"),
        (r#""EdDSA""#, r#"["EdDSA"]"#, "status-shape"),
        ("statuslist+jwt", "JWT", "status-type"),
        (
            "statuslist+jwt",
            "application/statuslist+jwt",
            "status-type",
        ),
        (r#"{"alg""#, r#"{"jwk":{},"alg""#, "status-shape"),
        (
            r#"{"alg""#,
            r#"{"jku":"https://b.example","alg""#,
            "status-shape",
        ),
        (r#"{"alg""#, r#"{"x5c":[],"alg""#, "status-shape"),
        (r#"{"alg""#, r#"{"x5u":"","alg""#, "status-shape"),
        (r#"{"alg""#, r#"{"crit":["exp"],"alg""#, "status-shape"),
        (r#"{"alg""#, r#"{"alg":"none","alg""#, "status-shape"),
        (r#""kid":"#, r#""id":"#, "status-shape"),
        ("did:key:", "did:web:", "status-signature"),
    ] {
        let error = made(&good.replace(from, to), CLAIMS).unwrap_err();
        assert_eq!(error.code(), code, "{from} {to}");
    }
    assert_eq!(made("[]", CLAIMS).unwrap_err().code(), "status-shape");
    assert_eq!(made(&good[1..], CLAIMS).unwrap_err().code(), "status-shape");
}

#[test]
fn another_signature_is_refused() {
    let token = token();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let other = SecretKey::from_seed([8; 32])
        .sign(signed.as_bytes())
        .to_base64url();
    for (text, code) in [
        (format!("{signed}.{other}"), "status-signature"),
        (format!("{signed}."), "status-base64"),
        (format!("{signed}.{signature}="), "status-base64"),
        (format!("{token}.{signature}"), "status-shape"),
        (signed.to_owned(), "status-shape"),
        (String::new(), "status-shape"),
        (
            format!("{}.{signature}", signed.replacen('.', ".e30", 1)),
            "status-signature",
        ),
        ("a".repeat(TOKEN_BYTES), "status-shape"),
        ("a".repeat(TOKEN_BYTES + 1), "status-too-long"),
    ] {
        assert_eq!(open(&text, &DidKey).unwrap_err().code(), code, "{text:.60}");
    }
}

#[test]
fn other_claims_are_refused() {
    let many = format!(r#"{{"x":"{}","iat""#, "a".repeat(60_000));
    let long = format!(
        r#"{{"x":"{}","y":"{}","iat""#,
        "a".repeat(60_000),
        "a".repeat(11_000)
    );
    assert!(made(&header(), &CLAIMS.replace(r#"{"iat""#, &many)).is_ok());
    for (from, to, code) in [
        (r#"{"iat""#, long.as_str(), "status-base64"),
        (r#""iat":1700000000,"#, "", "status-shape"),
        ("1700000000", "1700000000.5", "status-shape"),
        ("1700000000", "9000000000000000", "status-shape"),
        ("1700000000", r#"1700000000,"exp":"never""#, "status-shape"),
        ("1700000000", r#"1700000000,"ttl":0"#, "status-shape"),
        (
            "1700000000",
            r#"1700000000,"iss":"did:web:b.example""#,
            "status-issuer",
        ),
        (
            "1700000000",
            r#"1700000000,"iat":1700000000"#,
            "status-shape",
        ),
        (
            r#""sub":"https://a.example/status/standing/1""#,
            r#""sub":"1""#,
            "status-shape",
        ),
        (r#""sub""#, r#""subject""#, "status-shape"),
        (r#""status_list""#, r#""list""#, "status-shape"),
        (r#""bits":1"#, r#""bits":3"#, "status-size"),
        (r#""bits":1"#, r#""bits":0"#, "status-size"),
        (r#""bits":1"#, r#""bits":256"#, "status-size"),
        (r#""bits":1,"#, "", "status-shape"),
        ("eNrbuRgAAhcBXQ", "eNrbuRgAAhcBXR", "status-base64"),
        ("eNrbuRgAAhcBXQ", "eNrbuRgAAhcBXQA", "pack-trailing"),
        ("eNrbuRgAAhcBXQ", "eNrbuRgAAhcB", "pack-data"),
        ("eNrbuRgAAhcBXQ", "H4sIAAAAAAAA", "pack-header"),
    ] {
        let error = made(&header(), &CLAIMS.replace(from, to)).unwrap_err();
        assert_eq!(error.code(), code, "{to:.60}");
    }
}

#[test]
fn whose_it_is_and_when() {
    let opened = open(&token(), &DidKey).unwrap();
    let reference = Reference {
        idx: 5,
        uri: SUB.to_owned(),
    };
    let code = |error: Result<u8, StatusError>| error.unwrap_err().code();
    let issuer = opened.issuer.clone();
    assert_eq!(
        code(check(&reference, &opened, "did:web:b.example", AT)),
        "status-issuer"
    );
    let elsewhere = Reference {
        uri: "https://b.example/1".to_owned(),
        ..reference.clone()
    };
    assert_eq!(code(check(&elsewhere, &opened, &issuer, AT)), "status-id");
    let at = |millis| check(&reference, &opened, &issuer, UnixMillis(millis));
    assert_eq!(code(at(1_699_999_999_999)), "status-not-yet");
    assert_eq!(code(at(1_700_000_600_001)), "status-expired");
    assert_eq!(at(1_700_000_000_000), Ok(INVALID));
    assert_eq!(at(1_700_000_600_000), Ok(INVALID));
}

#[test]
fn a_short_list_is_not_signed() {
    let parts = TokenParts {
        kid: &kid(),
        sub: SUB,
        issued: AT,
        expires: None,
        ttl: None,
    };
    let short = StatusList::new(1_000, 1, Order::LowFirst).unwrap();
    assert_eq!(
        sign(&short, &parts, &key()).unwrap_err().code(),
        "status-length"
    );
    let other = StatusList::new(ENTRIES, 1, Order::HighFirst).unwrap();
    assert_eq!(
        sign(&other, &parts, &key()).unwrap_err().code(),
        "status-size"
    );
}

#[test]
fn where_a_token_says_it_stands() {
    let of = |text: &str| Reference::read(&parse_foreign(text.as_bytes()).unwrap());
    let reference = of(r#"{"status":{"status_list":{"idx":5,"uri":"https://a.example/1"}}}"#);
    let reference = reference.unwrap().unwrap();
    assert_eq!(
        (reference.idx, reference.uri.as_str()),
        (5, "https://a.example/1")
    );
    let claims = object([("status", reference.to_foreign())]);
    assert_eq!(Reference::read(&claims), Ok(Some(reference)));
    assert_eq!(of("{}"), Ok(None));
    assert_eq!(of(r#"{"status":{"status_attestation":{}}}"#), Ok(None));
    for text in [
        r#"{"status":7}"#,
        r#"{"status":{"status_list":[]}}"#,
        r#"{"status":{"status_list":{"idx":"5","uri":"https://a.example/1"}}}"#,
        r#"{"status":{"status_list":{"idx":-5,"uri":"https://a.example/1"}}}"#,
        r#"{"status":{"status_list":{"uri":"https://a.example/1"}}}"#,
        r#"{"status":{"status_list":{"idx":5}}}"#,
        r#"{"status":{"status_list":{"idx":5,"uri":"1"}}}"#,
    ] {
        assert_eq!(of(text).unwrap_err().code(), "status-shape", "{text}");
    }
}
