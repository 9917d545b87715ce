//! Digests in both forms, and media types.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::*;

const BYTES: &[u8] = b"a resource";

fn hash(function: Function, bytes: &[u8]) -> Vec<u8> {
    match function {
        Function::Sha256 => Sha256::digest(bytes).to_vec(),
        Function::Sha384 => Sha384::digest(bytes).to_vec(),
        Function::Sha512 => Sha512::digest(bytes).to_vec(),
    }
}

/// Word, function, code of the multihash.
const FUNCTIONS: [(&str, Function, u8); 3] = [
    ("sha256", Function::Sha256, 0x12),
    ("sha384", Function::Sha384, 0x20),
    ("sha512", Function::Sha512, 0x13),
];

fn told(checked: &Checked) -> &'static str {
    match checked {
        Checked::NoDigest => "none",
        Checked::Other => "other",
        Checked::Fits => "fits",
    }
}

/// What is said where the resource is at hand, and where it is not.
fn both(check: Check, text: &str) -> [&'static str; 2] {
    let known = |function, hash: &[u8]| is_digest(BYTES, function, hash);
    [told(&check(text, Some(&known))), told(&check(text, None))]
}

#[test]
fn the_strongest_hash_of_an_integrity_text_counts() {
    let of = |place: usize, bytes: &[u8]| {
        let (word, function, _) = FUNCTIONS[place];
        format!("{word}-{}", STANDARD.encode(hash(function, bytes)))
    };
    for place in 0..3 {
        assert_eq!(both(sri, &of(place, BYTES)), ["fits", "fits"], "{place}");
        assert_eq!(
            both(sri, &of(place, b"another")),
            ["other", "fits"],
            "{place}"
        );
    }
    for weaker in 0..2 {
        for stronger in weaker + 1..3 {
            let right = format!("{} {}", of(weaker, b"another"), of(stronger, BYTES));
            assert_eq!(both(sri, &right), ["fits", "fits"]);
            let wrong = format!("{} {}", of(weaker, BYTES), of(stronger, b"another"));
            assert_eq!(both(sri, &wrong), ["other", "fits"]);
        }
    }
    let same = format!("{} {}?opt", of(0, b"another"), of(0, BYTES));
    assert_eq!(both(sri, &same), ["fits", "fits"], "one of them");
}

#[test]
fn what_is_no_integrity_text_is_told_apart() {
    let long = |characters: usize| format!("sha256-{}", "A".repeat(characters - 7));
    for (text, said) in [
        (long(DIGEST_CHARS), "fits"),
        (long(DIGEST_CHARS + 1), "none"),
        ("sha256-AA==".to_owned(), "fits"),
        ("sha256-AA===".to_owned(), "none"),
        ("sha256-AA====".to_owned(), "none"),
        ("sha256-".to_owned(), "none"),
        ("sha256-A*".to_owned(), "none"),
        ("sha1-AAAA".to_owned(), "none"),
        (String::new(), "none"),
    ] {
        assert_eq!(both(sri, &text)[1], said, "{text}");
    }
}

#[test]
fn a_multibase_text_holds_a_multihash_or_a_bare_hash() {
    for (_, function, code) in FUNCTIONS {
        let (right, wrong) = (hash(function, BYTES), hash(function, b"another"));
        let length = u8::try_from(right.len()).unwrap();
        let tagged = |hash: &[u8]| [&[code, length], hash].concat();
        for (bytes, said) in [
            (right.clone(), "fits"),
            (wrong.clone(), "other"),
            (tagged(&right), "fits"),
            (tagged(&wrong), "other"),
        ] {
            let text = format!("u{}", URL_SAFE_NO_PAD.encode(&bytes));
            assert_eq!(both(multibase, &text), [said, "fits"]);
        }
        // A tag is one only before a hash of its length.
        for short in [tagged(&right[1..]), tagged(&[&right[..], b"x"].concat())] {
            let text = format!("u{}", URL_SAFE_NO_PAD.encode(&short));
            assert_eq!(both(multibase, &text), ["none", "none"], "{code}");
        }
    }
    for text in ["", "u", "z", "u*", "x00", &"u".repeat(DIGEST_CHARS + 1)] {
        assert_eq!(both(multibase, text), ["none", "none"], "{text}");
    }
}

#[test]
fn a_media_type_has_two_names() {
    let read = |text: &str| {
        let value = Foreign::Text(text.to_owned());
        media_type(&value, &Place::ROOT).map(drop)
    };
    for good in [
        "text/plain",
        "application/vc+jwt",
        "a/b; c=d",
        "text/plain ;x=\"y\"",
    ] {
        assert!(read(good).is_ok(), "{good}");
    }
    for bad in [
        "text",
        "text/",
        "/plain",
        "-ext/plain",
        "te xt/plain",
        "text/+plain",
        "text/pl*in",
        "text/plain/x",
        "text/plain; a=\u{e9}",
        "text/plain; a=\u{7f}",
        "te*t/plain; a=b",
    ] {
        let error = read(bad).unwrap_err();
        assert_eq!(error.code(), "model-media-type", "{bad}");
    }
}
