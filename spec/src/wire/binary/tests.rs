#![allow(clippy::unwrap_used, reason = "a test may panic")]
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::wire::vectors::{self, hex, text};

fn max(case: &Value) -> usize {
    usize::try_from(case["maxBytes"].as_u64().unwrap()).unwrap()
}

#[test]
fn vectors_of_binary_text() {
    vectors::run(
        "binary",
        &[
            ("base64url.json", |case| {
                let bytes =
                    decode_base64url(text(case, "input"), max(case)).map_err(|e| e.code())?;
                assert_eq!(encode_base64url(&bytes), text(case, "input"));
                Ok(hex(&bytes).into())
            }),
            ("base64.json", |case| {
                let bytes = decode_base64(text(case, "input")).map_err(|e| e.code())?;
                assert_eq!(encode_base64(&bytes), text(case, "input"));
                Ok(hex(&bytes).into())
            }),
            ("multibase.json", |case| {
                let bytes = decode_multibase(text(case, "input")).map_err(|e| e.code())?;
                assert_eq!(encode_multibase(&bytes), text(case, "input"));
                Ok(hex(&bytes).into())
            }),
        ],
    );
}

#[test]
fn arrays_have_one_length() {
    assert_eq!(decode_base64url_array::<2>("AAE"), Ok([0, 1]));
    let wrong = |actual| BinaryError::WrongLength {
        expected: 2,
        actual,
    };
    assert_eq!(decode_base64url_array::<2>("AA"), Err(wrong(1)));
    assert_eq!(decode_base64_array::<2>("AAAA"), Err(wrong(3)));
    assert_eq!(decode_multibase_array::<2>("z1"), Err(wrong(1)));
}

#[test]
fn a_note_bounds_standard_base64() {
    let text = "A".repeat(limits::NOTE_BYTES / 3 * 4 + 8);
    assert_eq!(decode_base64(&text).unwrap_err().code(), "binary-too-long");
}

/// Lengths around those computed here, zeros at either end, and wrong texts: as the library says.
fn as_the_library<const N: usize>(bytes: &[u8], change: Option<(usize, u8)>) {
    let mut text = encode_multibase(bytes).into_bytes();
    assert_eq!(&text[1..], bs58::encode(bytes).into_vec());
    if let Some((at, byte)) = change {
        let at = at % text.len();
        text[at] = byte;
    }
    let Ok(text) = String::from_utf8(text) else {
        return;
    };
    let library = decode_multibase(&text).and_then(exactly::<N>);
    assert_eq!(decode_multibase_array::<N>(&text), library, "{text}");
}

#[test]
fn base58_at_its_edges_is_that_of_the_library() {
    for length in 0..=66 {
        for byte in [0, 1, 57, 58, 0xff] {
            let mut bytes = vec![byte; length];
            as_the_library::<34>(&bytes, None);
            as_the_library::<64>(&bytes, None);
            as_the_library::<65>(&bytes, None);
            bytes.iter_mut().take(3).for_each(|byte| *byte = 0);
            as_the_library::<34>(&bytes, None);
            as_the_library::<64>(&bytes, None);
        }
    }
    // The first number above 64 bytes, which has no word to stand in.
    let mut above = vec![0; 65];
    above[0] = 1;
    as_the_library::<64>(&above, None);
}

proptest! {
    #[test]
    fn base58_is_that_of_the_library(
        bytes in proptest::collection::vec(any::<u8>(), 30..70),
        change in proptest::option::of((0_usize..100, any::<u8>())),
    ) {
        as_the_library::<34>(&bytes, change);
        as_the_library::<64>(&bytes, change);
        as_the_library::<34>(&bytes[..30], change);
        as_the_library::<64>(&bytes[bytes.len() - 30..].repeat(3)[..64], change);
    }

    #[test]
    fn base58_of_keys_is_that_of_the_library(
        bytes in any::<[u8; 34]>(),
        change in proptest::option::of((0_usize..100, any::<u8>())),
    ) {
        as_the_library::<34>(&bytes, change);
    }

    #[test]
    fn texts_and_bytes_are_one_to_one(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        prop_assert_eq!(decode_base64url(&encode_base64url(&bytes), 80), Ok(bytes.clone()));
        prop_assert_eq!(decode_base64(&encode_base64(&bytes)), Ok(bytes.clone()));
        prop_assert_eq!(decode_multibase(&encode_multibase(&bytes)), Ok(bytes));
    }

    #[test]
    fn whatever_decodes_encodes_back(text in "[A-Za-z0-9+/=_-]{0,12}") {
        if let Ok(bytes) = decode_base64url(&text, 9) {
            prop_assert_eq!(encode_base64url(&bytes), text.clone());
        }
        if let Ok(bytes) = decode_base64(&text) {
            prop_assert_eq!(encode_base64(&bytes), text.clone());
        }
        if let Ok(bytes) = decode_multibase(&text) {
            prop_assert_eq!(encode_multibase(&bytes), text);
        }
    }
}
