//! The cryptosuite eddsa-jcs-2022 (W3C Data Integrity EdDSA Cryptosuites v1.0 §3.3).
//! Prose: `spec/eddsa-jcs.md`.
//!
//! A proof signs SHA-256(JCS(proof without `proofValue`)) ‖ SHA-256(JCS(document without
//! `proof`)), the 64 bytes, with Ed25519.

use super::CredentialError;
use crate::wire::binary;
use crate::wire::foreign::{Foreign, canonicalize, parse_foreign};
use crate::wire::{PublicKey, Signature, SignatureError, Signer, SignerError, clip, sha256};

/// The suite's name.
pub const SUITE: &str = "eddsa-jcs-2022";
/// The type of every Data Integrity proof.
pub const PROOF_TYPE: &str = "DataIntegrityProof";
/// The purpose of a proof by which somebody states something.
pub const PURPOSE: &str = "assertionMethod";

/// The 64 bytes that are signed, from the canonical forms of proof configuration and document.
#[must_use]
pub fn hash_data(config: &[u8], document: &[u8]) -> [u8; 64] {
    hash_parts(&[config], &[document])
}

/// As [`hash_data`], of forms in parts that are laid end to end.
pub(super) fn hash_parts(config: &[&[u8]], document: &[&[u8]]) -> [u8; 64] {
    let mut data = [0; 64];
    let (first, second) = data.split_at_mut(32);
    first.copy_from_slice(&sha256(config).0);
    second.copy_from_slice(&sha256(document).0);
    data
}

/// The `proofValue` of a signature by `key` over the canonical forms.
///
/// # Errors
/// The signer's.
pub fn proof_value<S: Signer + ?Sized>(
    key: &S,
    config: &[u8],
    document: &[u8],
) -> Result<String, SignerError> {
    let signature = key.sign(&hash_data(config, document))?;
    Ok(binary::encode_multibase(&signature.0))
}

/// Checks a `proofValue` over the canonical forms.
///
/// # Errors
/// Not multibase of 64 bytes, or a signature that [`PublicKey::verify`] refuses.
pub fn check_value(
    key: &PublicKey,
    config: &[u8],
    document: &[u8],
    value: &str,
) -> Result<(), SignatureError> {
    check_value_by(config, document, value, |data, signature| {
        key.verify(data, signature)
    })
}

/// As [`check_value`], with whatever checks the signature over the bytes.
///
/// # Errors
/// Not multibase of 64 bytes, or what `check` says.
pub fn check_value_by(
    config: &[u8],
    document: &[u8],
    value: &str,
    check: impl FnOnce(&[u8], &Signature) -> Result<(), SignatureError>,
) -> Result<(), SignatureError> {
    let signature = Signature(binary::decode_multibase_array(value)?);
    check(&hash_data(config, document), &signature)
}

/// The key of a verification method `did:key:z6Mk…#z6Mk…`.
///
/// # Errors
/// Another form, a fragment that is not the key, or a key that is refused.
pub fn method_key(method: &str) -> Result<PublicKey, CredentialError> {
    let (did, fragment) = method
        .split_once('#')
        .ok_or(CredentialError::VerificationMethod)?;
    let text = did
        .strip_prefix("did:key:")
        .ok_or(CredentialError::VerificationMethod)?;
    if text != fragment {
        return Err(CredentialError::VerificationMethod);
    }
    PublicKey::from_multibase(text).map_err(CredentialError::Signature)
}

/// A foreign document whose proof holds, and what was signed.
#[derive(Clone, Debug)]
pub struct ForeignProof {
    /// The key that signed. Whether it is the issuer's is for the caller to decide.
    pub key: PublicKey,
    /// The whole document, `proof` included.
    pub document: Foreign,
    /// The proof: `created`, `expires`, `domain`, `challenge` are for the caller to judge.
    pub proof: Foreign,
    /// Canonical bytes of the proof without `proofValue`.
    pub canonical_config: Vec<u8>,
    /// Canonical bytes of the document without `proof`.
    pub canonical_document: Vec<u8>,
}

/// Checks the one proof of somebody else's document at the level of the suite.
///
/// Not checked, because the suite says nothing about it: whether the key is the issuer's, whether
/// the proof has expired, for whom it was made.
///
/// # Errors
/// In this order: JSON; shape; type, suite, purpose; contexts; verification method; signature.
pub fn verify_foreign(bytes: &[u8]) -> Result<ForeignProof, CredentialError> {
    let document = parse_foreign(bytes)?;
    let Foreign::Object(members) = &document else {
        return Err(CredentialError::Shape { member: "document" });
    };
    let proof = match document.member("proof") {
        Some(proof @ Foreign::Object(_)) => proof,
        _ => return Err(CredentialError::NoProof),
    };
    let actual = text_of(proof, "type")?;
    if actual != PROOF_TYPE {
        return Err(CredentialError::Type {
            actual: clip(actual),
        });
    }
    let actual = text_of(proof, "cryptosuite")?;
    if actual != SUITE {
        return Err(CredentialError::Suite {
            actual: clip(actual),
        });
    }
    let actual = text_of(proof, "proofPurpose")?;
    if actual != PURPOSE {
        return Err(CredentialError::Purpose {
            actual: clip(actual),
        });
    }
    let mut unsecured: Vec<(String, Foreign)> = members
        .iter()
        .filter(|(name, _)| name != "proof")
        .cloned()
        .collect();
    if let Some(contexts) = proof.member("@context") {
        // §3.3.2: the document may have gained contexts at its end; the signed ones are the
        // proof's.
        if !begins_with(document.member("@context"), contexts) {
            return Err(CredentialError::ContextPrefix);
        }
        if let Some((_, own)) = unsecured.iter_mut().find(|(name, _)| name == "@context") {
            *own = contexts.clone();
        }
    }
    let key = method_key(text_of(proof, "verificationMethod")?)?;
    let canonical_config = canonicalize(&without(proof, "proofValue"));
    let canonical_document = canonicalize(&Foreign::Object(unsecured));
    check_value(
        &key,
        &canonical_config,
        &canonical_document,
        text_of(proof, "proofValue")?,
    )
    .map_err(CredentialError::Signature)?;
    let proof = proof.clone();
    Ok(ForeignProof {
        key,
        document,
        proof,
        canonical_config,
        canonical_document,
    })
}

/// Whether the contexts `all` begin with `first`, each taken as a list.
fn begins_with(all: Option<&Foreign>, first: &Foreign) -> bool {
    let Some(all) = all else { return false };
    let list = |value: &Foreign| match value {
        Foreign::Array(items) => items.clone(),
        one => vec![one.clone()],
    };
    list(all).starts_with(&list(first))
}

/// `object` without the member `name`.
fn without(object: &Foreign, name: &str) -> Foreign {
    match object {
        Foreign::Object(members) => Foreign::Object(
            members
                .iter()
                .filter(|(other, _)| other != name)
                .cloned()
                .collect(),
        ),
        other => other.clone(),
    }
}

fn text_of<'a>(proof: &'a Foreign, member: &'static str) -> Result<&'a str, CredentialError> {
    proof
        .member(member)
        .and_then(Foreign::as_text)
        .ok_or(CredentialError::Shape { member })
}
