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

proptest! {
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
