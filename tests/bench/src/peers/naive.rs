//! The naive floor of eddsa-jcs-2022: a generic JSON value, canonicalised by a library.

use anyhow::{Context as _, Result};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use zhao_spec::wire::SecretKey;

/// A library that canonicalises a [`Value`] (RFC 8785).
#[derive(Clone, Copy, Debug)]
pub(crate) enum Canonicaliser {
    JsonCanon,
    SerdeJcs,
    SerdeJsonCanonicalizer,
}

impl Canonicaliser {
    /// Each with its name.
    pub(crate) const ALL: &'static [(&'static str, Self)] = &[
        ("json-canon", Self::JsonCanon),
        ("serde_jcs", Self::SerdeJcs),
        ("serde_json_canonicalizer", Self::SerdeJsonCanonicalizer),
    ];

    fn run(self, value: &Value) -> Result<Vec<u8>> {
        Ok(match self {
            Self::JsonCanon => json_canon::to_vec(value)?,
            Self::SerdeJcs => serde_jcs::to_vec(value)?,
            Self::SerdeJsonCanonicalizer => serde_json_canonicalizer::to_vec(value)?,
        })
    }
}

/// One document, issued and verified the naive way.
pub(crate) struct Naive {
    canonicaliser: Canonicaliser,
    document: Value,
    config: Value,
    signing: SigningKey,
}

impl Naive {
    /// The statements of a signed credential, to be signed again by the same key.
    pub(crate) fn new(
        signed: &[u8],
        key: &SecretKey,
        canonicaliser: Canonicaliser,
    ) -> Result<Self> {
        let mut document: Value = serde_json::from_slice(signed)?;
        let members = document.as_object_mut().context("an object")?;
        let mut config = members.remove("proof").context("a proof")?;
        config
            .as_object_mut()
            .context("an object")?
            .remove("proofValue");
        Ok(Self {
            canonicaliser,
            document,
            config,
            signing: SigningKey::from_bytes(&key.to_seed()),
        })
    }

    fn data(&self, config: &Value, document: &Value) -> Result<[u8; 64]> {
        let mut data = [0; 64];
        let (first, second) = data.split_at_mut(32);
        first.copy_from_slice(&Sha256::digest(self.canonicaliser.run(config)?));
        second.copy_from_slice(&Sha256::digest(self.canonicaliser.run(document)?));
        Ok(data)
    }

    /// Signs; gives the whole credential as text.
    pub(crate) fn issue(&self) -> Result<Vec<u8>> {
        let (mut document, mut config) = (self.document.clone(), self.config.clone());
        let signature = self.signing.sign(&self.data(&config, &document)?);
        let text = bs58::encode(signature.to_bytes()).into_string();
        config["proofValue"] = format!("z{text}").into();
        document["proof"] = config;
        Ok(serde_json::to_vec(&document)?)
    }

    /// Whether the proof of a text holds, by the key that its verification method names.
    pub(crate) fn verify(&self, bytes: &[u8]) -> Result<bool> {
        let mut document: Value = serde_json::from_slice(bytes)?;
        let members = document.as_object_mut().context("an object")?;
        let mut proof = members.remove("proof").context("a proof")?;
        let value = proof
            .as_object_mut()
            .and_then(|proof| proof.remove("proofValue"))
            .context("a value")?;
        let value = value.as_str().context("a text")?;
        let bytes: [u8; 64] = multibase(value)?;
        let data = self.data(&proof, &document)?;
        let method = proof["verificationMethod"].as_str().context("a text")?;
        let (_, text) = method.split_once('#').context("a fragment")?;
        let multikey: [u8; 34] = multibase(text)?;
        let key: [u8; 32] = multikey[2..].try_into()?;
        let good =
            VerifyingKey::from_bytes(&key)?.verify_strict(&data, &Signature::from_bytes(&bytes));
        Ok(good.is_ok())
    }
}

fn multibase<const N: usize>(text: &str) -> Result<[u8; N]> {
    let text = text.strip_prefix('z').context("base58")?;
    let bytes = bs58::decode(text).into_vec()?;
    bytes.try_into().ok().context("another length")
}
