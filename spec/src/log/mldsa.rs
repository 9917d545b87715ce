//! Cosignatures of type 0x06 (c2sp.org/tlog-cosignature): ML-DSA-44 (FIPS 204) over a checkpoint.
//!
//! They stand beside the Ed25519 ones, for the day on which those can be forged. Nothing on the
//! verifying path needs them: here is what is signed and how the line is laid out; the lattice is
//! the ledger's. Prose: `spec/cosignature.md`.

use super::checkpoint::Checkpoint;
use super::cosignature::{TIME_LIMIT, UnixSeconds};
use super::note::{KeyKind, NAME_LIMIT, NoteSignature, Vkey, VkeyError, check_name, key_id};
use crate::wire::binary::encode_base64;

/// The signature type.
pub const KIND: KeyKind = KeyKind::Unknown(0x06);
/// Bytes of a public key (FIPS 204, table 2).
pub const KEY_BYTES: usize = 1_312;
/// Bytes of a signature.
pub const SIGNATURE_BYTES: usize = 2_420;

/// What the signed bytes begin with.
const LABEL: &[u8; 12] = b"subtree/v1\n\0";

/// The verifier key of an encoded public key.
///
/// # Errors
/// `Name`; `Key` for another number of bytes.
pub fn vkey(name: &str, key: &[u8]) -> Result<Vkey, VkeyError> {
    check_name(name)?;
    if key.len() != KEY_BYTES {
        return Err(VkeyError::Key);
    }
    let id = key_id(name, KIND, key);
    let typed = [&[KIND.byte()], key].concat();
    Vkey::parse(&format!("{name}+{id}+{}", encode_base64(&typed)))
}

/// The public key in a verifier key of this type, if its id is the one that name and key give.
#[must_use]
pub fn public_key(vkey: &Vkey) -> Option<&[u8]> {
    let key = vkey.key_bytes();
    let own = vkey.kind() == KIND && key.len() == KEY_BYTES;
    (own && key_id(vkey.name(), KIND, key) == vkey.id()).then_some(key)
}

/// The bytes that `name` signs: the whole tree of the checkpoint, from 0 to its size. None for a
/// name or an origin that the format has no room for, or a time after [`TIME_LIMIT`].
#[must_use]
pub fn message(name: &str, time: UnixSeconds, checkpoint: &Checkpoint) -> Option<Vec<u8>> {
    let field = |text: &str| -> Option<u8> {
        let fits = (1..=NAME_LIMIT).contains(&text.len());
        u8::try_from(text.len()).ok().filter(|_| fits)
    };
    if time.0 > TIME_LIMIT {
        return None;
    }
    let mut bytes = LABEL.to_vec();
    bytes.push(field(name)?);
    bytes.extend_from_slice(name.as_bytes());
    bytes.extend_from_slice(&time.0.to_be_bytes());
    bytes.push(field(&checkpoint.origin)?);
    bytes.extend_from_slice(checkpoint.origin.as_bytes());
    bytes.extend_from_slice(&0_u64.to_be_bytes());
    bytes.extend_from_slice(&checkpoint.size.0.to_be_bytes());
    bytes.extend_from_slice(checkpoint.root.as_bytes());
    Some(bytes)
}

/// The signature line: after the key id the time in seconds, most significant byte first, and the
/// signature.
#[must_use]
pub fn line(vkey: &Vkey, time: UnixSeconds, signature: &[u8; SIGNATURE_BYTES]) -> NoteSignature {
    let mut blob = time.0.to_be_bytes().to_vec();
    blob.extend_from_slice(signature);
    NoteSignature {
        name: vkey.name().to_owned(),
        key_id: vkey.id(),
        blob,
    }
}

/// Time and signature of a line; none where it is laid out in another way.
#[must_use]
pub fn split(line: &NoteSignature) -> Option<(UnixSeconds, &[u8; SIGNATURE_BYTES])> {
    let (time, signature) = line.blob.split_first_chunk::<8>()?;
    let time = UnixSeconds(u64::from_be_bytes(*time));
    let signature = signature.try_into().ok()?;
    (time.0 <= TIME_LIMIT).then_some((time, signature))
}
