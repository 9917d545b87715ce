//! Pieces shared by the line-based texts: strict decimals, strict base64, clipped quotations.

use crate::wire::binary::{decode_base64, encode_base64};
use crate::wire::hash::Hash;

/// Longest piece of foreign text an error message repeats, in bytes.
const CLIP: usize = 64;

/// The beginning of a foreign text, for an error: at most 64 bytes, control characters escaped.
pub(crate) fn clip(text: &str) -> String {
    let mut clipped = String::new();
    for part in text.chars().map(|c| c.escape_debug()) {
        if clipped.len().saturating_add(part.len()) > CLIP {
            break;
        }
        clipped.extend(part);
    }
    clipped
}

/// Parses an ASCII decimal: digits only, no sign, no leading zero except in `0`.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit());
    if !plain || (text.len() > 1 && text.starts_with('0')) { None } else { text.parse().ok() }
}

/// Parses 32 bytes of standard padded base64.
pub(crate) fn hash_from_base64(text: &str) -> Option<Hash> {
    // 32 bytes take exactly 44 characters: longer texts are refused before decoding.
    if text.len() != 44 {
        return None;
    }
    decode_base64(text).ok()?.try_into().ok().map(Hash)
}

/// A hash as these texts write it.
pub(crate) fn base64_hash(hash: &Hash) -> String {
    encode_base64(&hash.0)
}
