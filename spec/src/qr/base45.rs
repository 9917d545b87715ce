//! Base45 (RFC 9285): bytes in the alphanumeric alphabet of QR codes, two in three characters.

use super::QrError;

const ALPHABET: &[u8; 45] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

/// The text of bytes.
#[must_use]
pub fn encode_base45(bytes: &[u8]) -> String {
    let mut text = String::new();
    for group in bytes.chunks(2) {
        let mut rest = group
            .iter()
            .fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte));
        for _ in 0..=group.len() {
            let digit = ALPHABET.get(rest % 45).copied().unwrap_or(b'0');
            text.push(char::from(digit));
            rest /= 45;
        }
    }
    text
}

/// The bytes of a text, of which there is no other spelling.
///
/// # Errors
/// `Base45Character`, `Base45Length`, `Base45Value`, in this order.
pub fn decode_base45(text: &str) -> Result<Vec<u8>, QrError> {
    let digit = |byte: u8| ALPHABET.iter().position(|other| *other == byte);
    if let Some(offset) = text.bytes().position(|byte| digit(byte).is_none()) {
        return Err(QrError::Base45Character { offset });
    }
    if text.len() % 3 == 1 {
        return Err(QrError::Base45Length { actual: text.len() });
    }
    let mut bytes = Vec::with_capacity(text.len());
    for (group, at) in text.as_bytes().chunks(3).zip(0_usize..) {
        let value = group.iter().rev().fold(0_usize, |sum, byte| {
            sum.saturating_mul(45)
                .saturating_add(digit(*byte).unwrap_or(0))
        });
        let offset = at.saturating_mul(3);
        let large = |_| QrError::Base45Value { offset };
        if group.len() == 3 {
            bytes.extend(u16::try_from(value).map_err(large)?.to_be_bytes());
        } else {
            bytes.push(u8::try_from(value).map_err(large)?);
        }
    }
    Ok(bytes)
}
