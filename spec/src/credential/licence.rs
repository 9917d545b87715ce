//! A licence credential as received: parsed and consistent; its proof is checked on demand.

use std::fmt;
use std::ops::Deref;

use super::{CredentialError, Unsigned, eddsa_jcs, read};
use crate::wire::json::{self, Place, Value};
use crate::wire::signature::{Keys, ReadKey, Signature, SignatureError};
use crate::wire::{
    Fields, Hash, Malformed, Problem, PublicKey, UnixMillis, binary, clip, limits, sha256,
};

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
    /// Where the member `proof` stands in the canonical bytes.
    proof_place: Place,
    /// Where the member `proofValue` stands in the proof.
    value_place: Place,
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
        Self::read(bytes, &mut PublicKey::from_multibase)
    }

    /// As [`Licence::parse`], faster when `keys` has met the issuer's key.
    ///
    /// # Errors
    /// As [`Licence::parse`].
    pub fn parse_with(bytes: &[u8], keys: &mut Keys) -> Result<Self, CredentialError> {
        Self::read(bytes, &mut |text| keys.read(text))
    }

    /// As [`Licence::parse`], with the issuer's key read by `key`.
    pub(super) fn read(bytes: &[u8], key: &mut ReadKey<'_>) -> Result<Self, CredentialError> {
        let value = json::parse_within(bytes, limits::CREDENTIAL_BYTES)?;
        // Only canonical bytes are accepted, so these are what encoding gives.
        Self::of(&value, bytes.to_vec(), key)
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
        Self::of(value, canonical, &mut PublicKey::from_multibase)
    }

    /// The licence of `value`, whose canonical bytes are `canonical`.
    fn of(
        value: &Value,
        canonical: Vec<u8>,
        key: &mut ReadKey<'_>,
    ) -> Result<Self, CredentialError> {
        let mut fields = Fields::new(value, "")?;
        let proof_value = fields.value("proof")?;
        let (claims, issuer_key) = read::unsigned(fields, key)?;
        let proof = read::proof(Fields::new(proof_value, "proof")?)?;
        claims.check()?;
        let missing = |path| Malformed::new(path, Problem::Missing);
        let proof_place = json::place(&canonical, "proof").ok_or_else(|| missing("proof"))?;
        let value_place = canonical
            .get(proof_place.value.clone())
            .and_then(|proof| json::place(proof, "proofValue"))
            .ok_or_else(|| missing("proof.proofValue"))?;
        Ok(Self {
            claims,
            issuer_key,
            proof,
            canonical,
            proof_place,
            value_place,
        })
    }

    /// Checks the proof strictly and returns the issuer's key, which made it.
    ///
    /// Whether that key may issue such a licence is for the log to say.
    ///
    /// # Errors
    /// In this order: type, suite, purpose, verification method, issuer's key, signature.
    pub fn check_proof(&self) -> Result<PublicKey, CredentialError> {
        self.check_proof_by(|key, data, signature| key.verify(data, signature))
    }

    /// As [`Licence::check_proof`], faster when `keys` has met the issuer's key often.
    ///
    /// # Errors
    /// As [`Licence::check_proof`].
    pub fn check_proof_with(&self, keys: &mut Keys) -> Result<PublicKey, CredentialError> {
        self.check_proof_by(|key, data, signature| keys.verify(key, data, signature))
    }

    fn check_proof_by(
        &self,
        check: impl FnOnce(&PublicKey, &[u8], &Signature) -> Result<(), SignatureError>,
    ) -> Result<PublicKey, CredentialError> {
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
        // The text that named the issuer's key names it again, if all is well.
        if !self
            .issuer_key
            .is_verification_method(&proof.verification_method)
        {
            let key = eddsa_jcs::method_key(&proof.verification_method)?;
            if key != self.issuer_key {
                return Err(CredentialError::IssuerKey);
            }
        }
        let signature = binary::decode_multibase_array(&proof.value)
            .map_err(|error| CredentialError::Signature(error.into()))?;
        check(&self.issuer_key, &self.hash_data(), &Signature(signature))
            .map_err(CredentialError::Signature)?;
        Ok(self.issuer_key)
    }

    /// The 64 bytes that the proof signs.
    fn hash_data(&self) -> [u8; 64] {
        let proof = self.canonical.get(self.proof_place.value.clone());
        let config = without(proof.unwrap_or_default(), &self.value_place);
        let document = without(&self.canonical, &self.proof_place);
        eddsa_jcs::hash_parts(&config, &document)
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

/// The parts of `bytes` before and after a member.
fn without<'a>(bytes: &'a [u8], place: &Place) -> [&'a [u8]; 2] {
    let before = bytes.get(..place.member.start);
    let after = bytes.get(place.member.end..);
    [before.unwrap_or_default(), after.unwrap_or_default()]
}
