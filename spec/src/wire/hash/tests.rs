#![allow(clippy::unwrap_used, reason = "a test may panic")]
use super::*;
use crate::wire::vectors;

#[test]
fn vectors_of_sha256() {
    vectors::run(
        "hash",
        &[("sha256.json", |case| {
            let parts: Vec<Vec<u8>> = case["parts"]
                .as_array()
                .unwrap()
                .iter()
                .map(|p| vectors::unhex(p.as_str().unwrap()))
                .collect();
            let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
            let hash = sha256(&parts);
            assert_eq!(Hash::from_base64url(&hash.to_base64url()), Ok(hash));
            assert_eq!(Hash::from_base64(&hash.to_base64()), Ok(hash));
            Ok(serde_json::json!({
                "hex": vectors::hex(&hash.0), "base64url": hash.to_base64url(),
            }))
        })],
    );
}

#[test]
fn other_lengths_are_no_hashes() {
    let wrong = |actual| {
        Err(BinaryError::WrongLength {
            expected: 32,
            actual,
        })
    };
    assert_eq!(
        Hash::from_base64url(&binary::encode_base64url(&[0; 31])),
        wrong(31)
    );
    assert_eq!(
        Hash::from_base64(&binary::encode_base64(&[0; 31])),
        wrong(31)
    );
    assert_eq!(
        Hash::from_base64url(&"A".repeat(44)).unwrap_err().code(),
        "binary-too-long"
    );
    assert_eq!(
        Hash::from_base64url(&format!("{}B", "A".repeat(42))),
        Err(BinaryError::TrailingBits)
    );
}

#[test]
fn a_hash_shows_itself_short_in_debug_and_whole_in_text() {
    let hash = Hash([0; 32]);
    assert_eq!(format!("{hash:?}"), "Hash(AAAAAAAA…)");
    assert_eq!(hash.to_string(), "A".repeat(43));
}
