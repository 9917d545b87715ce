//! Cosignatures (c2sp.org/tlog-cosignature, type 0x04): a third party's dated Ed25519 signature.
//!
//! A witness so says that it saw this checkpoint at that time and nothing inconsistent before.
//! An auditor, with a key of its own, says besides that it recomputed the map. The signed bytes
//! hold time and checkpoint but not the name, so one key stands for one cosigner, whatever names
//! it is given. Prose: `spec/cosignature.md`.

#[cfg(test)]
mod tests;

use super::note::{KeyKind, NoteError, NoteSignature, SignedNote, Vkey, signature_from};
use crate::wire::clip;
use crate::wire::signature::SecretKey;

/// Latest time a cosignature may state: 2^63 − 1 seconds (tlog-cosignature, "Format").
pub const TIME_LIMIT: u64 = (1 << 63) - 1;

/// Seconds since 1970-01-01T00:00:00Z, leap seconds not counted (POSIX). Cosignatures count in
/// seconds; everything else of Zhao in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixSeconds(pub u64);

impl std::fmt::Display for UnixSeconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// The bytes a cosignature signs: `cosignature/v1`, the time, and the checkpoint's text.
#[must_use]
pub fn message(time: UnixSeconds, body: &str) -> Vec<u8> {
    format!("cosignature/v1\ntime {time}\n{body}").into_bytes()
}

/// Cosigns a checkpoint's text, which includes its last newline.
///
/// # Errors
/// `MalformedSignature` for a time after [`TIME_LIMIT`] or a name that no key may have.
pub fn cosign(
    secret: &SecretKey,
    name: &str,
    time: UnixSeconds,
    body: &str,
) -> Result<NoteSignature, NoteError> {
    let malformed = NoteError::MalformedSignature { line: 1 };
    if time.0 > TIME_LIMIT {
        return Err(malformed);
    }
    let Ok(vkey) = Vkey::new(name, KeyKind::Cosignature, secret.public()) else {
        return Err(malformed);
    };
    let mut blob = time.0.to_be_bytes().to_vec();
    blob.extend_from_slice(&secret.sign(&message(time, body)).0);
    Ok(NoteSignature {
        name: name.to_owned(),
        key_id: vkey.id(),
        blob,
    })
}

/// Verifies one cosignature line by `key` and returns the time it states.
///
/// # Errors
/// `KeyType`; `NotSigned` when the line is by another key; `BadSignature`, also for a blob that is
/// not 8 + 64 bytes or a time after [`TIME_LIMIT`].
pub fn verify(key: &Vkey, line: &NoteSignature, body: &str) -> Result<UnixSeconds, NoteError> {
    let public = key.expect(KeyKind::Cosignature)?;
    let name = || clip(key.name());
    if !line.is_by(key) {
        return Err(NoteError::NotSigned { name: name() });
    }
    let bad = || NoteError::BadSignature { name: name() };
    let (time, signature) = line.blob.split_first_chunk::<8>().ok_or_else(bad)?;
    let time = UnixSeconds(u64::from_be_bytes(*time));
    let signature = signature_from(signature).ok_or_else(bad)?;
    if time.0 > TIME_LIMIT {
        return Err(bad());
    }
    public
        .verify(&message(time, body), &signature)
        .map_err(|_| bad())?;
    Ok(time)
}

/// Verifies every cosignature by `key` on a note. Returns the newest time, or nothing when the
/// key has not cosigned.
///
/// # Errors
/// `KeyType`, `BadSignature`: one false line by a known key spoils the note.
pub fn newest(key: &Vkey, note: &SignedNote) -> Result<Option<UnixSeconds>, NoteError> {
    key.expect(KeyKind::Cosignature)?;
    let mut newest = None;
    for line in note.by(key) {
        newest = newest.max(Some(verify(key, line, note.text())?));
    }
    Ok(newest)
}
