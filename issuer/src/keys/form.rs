//! A public key in the forms that other programs read.

use zhao_spec::log::note::{KeyKind, Vkey, VkeyError};
use zhao_spec::wire::{PublicKey, binary, sha256, write};

use super::Purpose;

/// `SubjectPublicKeyInfo` of an Ed25519 key up to the key itself (RFC 8410 §4).
const SPKI: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// A JSON Web Key (RFC 8037), one line; `kid` is its thumbprint (RFC 7638).
#[must_use]
pub fn jwk(key: &PublicKey) -> String {
    let x = binary::encode_base64url(&key.to_bytes());
    let required = write::object_bytes(|o| {
        o.text("crv", "Ed25519").text("kty", "OKP").text("x", &x);
    });
    let kid = sha256(&[&required]).to_base64url();
    let whole = write::object_bytes(|o| {
        o.text("crv", "Ed25519")
            .text("kid", &kid)
            .text("kty", "OKP")
            .text("x", &x);
    });
    String::from_utf8_lossy(&whole).into_owned()
}

/// `SubjectPublicKeyInfo` as PEM, three lines (RFC 7468 §13).
#[must_use]
pub fn pem(key: &PublicKey) -> String {
    let der = [SPKI.as_slice(), &key.to_bytes()].concat();
    let text = binary::encode_base64(&der);
    format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n")
}

/// The key as notes name it, with `name` (`spec/note.md`): a cosigner's for witnesses and
/// auditors, a log's for all others.
///
/// # Errors
/// A name that no key of a note can have.
pub fn vkey(key: &PublicKey, purpose: Purpose, name: &str) -> Result<String, VkeyError> {
    let kind = match purpose {
        Purpose::Auditor | Purpose::Witness => KeyKind::Cosignature,
        _ => KeyKind::Ed25519,
    };
    Vkey::new(name, kind, *key).map(|vkey| vkey.format())
}
