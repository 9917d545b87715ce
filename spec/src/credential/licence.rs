//! A licence credential as received: parsed and consistent; its proof is checked on demand.

use std::fmt;
use std::ops::Deref;

use super::{CredentialError, Unsigned, eddsa_jcs, read};
use crate::wire::json::{self, Value};
use crate::wire::{Fields, Hash, PublicKey, UnixMillis, clip, limits, sha256};

/// A licence credential of the profile in `spec/credential.md`.
///
/// It reads like the [`Unsigned`] statements it holds. Nothing is known about its truth before
/// [`Licence::check_proof`], and nothing about its standing before a verifier has judged it.
#[derive(Clone, PartialEq, Eq)]
pub struct Licence {
    claims: Unsigned,
    issuer_key: PublicKey,
    proof: Proof,
    canonical: Vec<u8>,
    canonical_config: Vec<u8>,
    canonical_document: Vec<u8>,
}

/// The proof of a licence credential, as it stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// When the unit says it signed.
    pub created: UnixMillis,
    /// `eddsa-jcs-2022`, if the proof is to hold.
    pub cryptosuite: String,
    /// `assertionMethod`, if the proof is to hold.
    pub purpose: String,
    /// Multibase of the signature.
    pub value: String,
    /// `DataIntegrityProof`, if the proof is to hold.
    pub proof_type: String,
    /// `did:key:z6Mk…#z6Mk…`, if the proof is to hold.
    pub verification_method: String,
}

impl Licence {
    /// The licence of canonical bytes, at most [`limits::CREDENTIAL_BYTES`] of them.
    ///
    /// # Errors
    /// Bytes that are not canonical, members that are missing, unknown or of the wrong kind,
    /// numbers that fail their standard, statements that contradict each other.
    pub fn parse(bytes: &[u8]) -> Result<Self, CredentialError> {
        Self::from_value(&json::parse_within(bytes, limits::CREDENTIAL_BYTES)?)
    }

    /// The licence of a value, as when a credential stands inside a dossier.
    ///
    /// # Errors
    /// As [`Licence::parse`].
    pub fn from_value(value: &Value) -> Result<Self, CredentialError> {
        let canonical = json::encode(value);
        if canonical.len() > limits::CREDENTIAL_BYTES {
            let offset = limits::CREDENTIAL_BYTES;
            return Err(json::JsonError::TooLong {
                offset,
                actual: canonical.len(),
            }
            .into());
        }
        let mut fields = Fields::new(value, "")?;
        let proof_value = fields.value("proof")?;
        let (claims, issuer_key) = read::unsigned(fields)?;
        let proof = read::proof(Fields::new(proof_value, "proof")?)?;
        claims.check()?;
        Ok(Self {
            claims,
            issuer_key,
            proof,
            canonical,
            canonical_config: json::encode(&without(proof_value, "proofValue")),
            canonical_document: json::encode(&without(value, "proof")),
        })
    }

    /// Checks the proof strictly and returns the issuer's key, which made it.
    ///
    /// Whether that key may issue such a licence is for the log to say.
    ///
    /// # Errors
    /// In this order: type, suite, purpose, verification method, issuer's key, signature.
    pub fn check_proof(&self) -> Result<PublicKey, CredentialError> {
        let proof = &self.proof;
        if proof.proof_type != eddsa_jcs::PROOF_TYPE {
            return Err(CredentialError::Type {
                actual: clip(&proof.proof_type),
            });
        }
        if proof.cryptosuite != eddsa_jcs::SUITE {
            return Err(CredentialError::Suite {
                actual: clip(&proof.cryptosuite),
            });
        }
        if proof.purpose != eddsa_jcs::PURPOSE {
            return Err(CredentialError::Purpose {
                actual: clip(&proof.purpose),
            });
        }
        let key = eddsa_jcs::method_key(&proof.verification_method)?;
        if key != self.issuer_key {
            return Err(CredentialError::IssuerKey);
        }
        eddsa_jcs::check_value(
            &key,
            &self.canonical_config,
            &self.canonical_document,
            &proof.value,
        )
        .map_err(CredentialError::Signature)?;
        Ok(key)
    }

    /// SHA-256 of the canonical bytes, proof included: how the log names this credential.
    #[must_use]
    pub fn digest(&self) -> Hash {
        sha256(&[&self.canonical])
    }

    /// The canonical bytes, proof included.
    #[must_use]
    pub fn canonical(&self) -> &[u8] {
        &self.canonical
    }

    /// The key `issuer.id` names; whether it signed is for [`Licence::check_proof`].
    #[must_use]
    pub fn issuer_key(&self) -> &PublicKey {
        &self.issuer_key
    }

    /// The proof as it stands there.
    #[must_use]
    pub fn proof(&self) -> &Proof {
        &self.proof
    }

    /// The statements.
    #[must_use]
    pub fn claims(&self) -> &Unsigned {
        &self.claims
    }
}

impl Deref for Licence {
    type Target = Unsigned;

    fn deref(&self) -> &Unsigned {
        &self.claims
    }
}

impl fmt::Debug for Licence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Licence")
            .field("digest", &self.digest())
            .field("issuer_key", &self.issuer_key)
            .field("subject", &self.claims.subject)
            .finish_non_exhaustive()
    }
}

/// `object` without the member `name`.
fn without(object: &Value, name: &str) -> Value {
    match object {
        Value::Object(members) => Value::Object(
            members
                .iter()
                .filter(|(other, _)| other != name)
                .cloned()
                .collect(),
        ),
        other => other.clone(),
    }
}
