//! ML-DSA-44 cosignatures (c2sp.org/tlog-cosignature, type 0x06), switched on by configuration.
//!
//! The key is made from the Ed25519 key's seed, by HKDF-SHA-256 under a label of its own: whoever
//! learns an Ed25519 *private scalar* from its public key, which is what a quantum computer would
//! do, learns nothing of the seed it was hashed from. So there is one key file, and one rotation.

use hkdf::Hkdf;
use ml_dsa::{
    EncodedSignature, EncodedVerifyingKey, ExpandedSigningKey, MlDsa44, Seed, Signature,
    VerifyingKey,
};
use zeroize::Zeroizing;
use zhao_spec::log::checkpoint::Checkpoint;
use zhao_spec::log::cosignature::UnixSeconds;
use zhao_spec::log::mldsa::{KEY_BYTES, SIGNATURE_BYTES, line, message, public_key, split, vkey};
use zhao_spec::log::note::{NoteSignature, Vkey, VkeyError};
use zhao_spec::wire::SecretKey;

/// What the key is derived under.
const LABEL: &[u8] = b"zhao/v1 ml-dsa-44";

/// A key that cosigns.
pub struct Signer {
    vkey: Vkey,
    key: ExpandedSigningKey<MlDsa44>,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signer({})", self.vkey.name())
    }
}

impl Signer {
    /// The ML-DSA key that goes with an Ed25519 key, under a name.
    ///
    /// # Errors
    /// The name cannot be a key's.
    pub fn new(name: &str, secret: &SecretKey) -> Result<Self, VkeyError> {
        let mut seed = Zeroizing::new([0; 32]);
        Hkdf::<sha2::Sha256>::new(None, &*secret.to_seed())
            .expand(LABEL, &mut *seed)
            .expect("32 bytes are fewer than 255 hashes");
        Self::from_seed(name, &seed)
    }

    fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, VkeyError> {
        let key = ExpandedSigningKey::from_seed(&Seed::from(*seed));
        let public = key.verifying_key().encode();
        Ok(Self {
            vkey: vkey(name, &public)?,
            key,
        })
    }

    /// The key others verify with.
    #[must_use]
    pub fn vkey(&self) -> &Vkey {
        &self.vkey
    }

    /// Cosigns a checkpoint; none for an origin or a time that the format has no room for.
    #[must_use]
    pub fn cosign(&self, time: UnixSeconds, checkpoint: &Checkpoint) -> Option<NoteSignature> {
        let message = message(self.vkey.name(), time, checkpoint)?;
        // Without a context string; the same head at the same time has one signature.
        let signature = self.key.sign_deterministic(&message, &[]).ok()?;
        let bytes: [u8; SIGNATURE_BYTES] = signature.encode().into();
        Some(line(&self.vkey, time, &bytes))
    }
}

/// Whether a line is by this key, and its signature is right. The time it states.
#[must_use]
pub fn verify(key: &Vkey, given: &NoteSignature, checkpoint: &Checkpoint) -> Option<UnixSeconds> {
    let public: &[u8; KEY_BYTES] = public_key(key)?.try_into().ok()?;
    if !given.is_by(key) {
        return None;
    }
    let (time, bytes) = split(given)?;
    let message = message(key.name(), time, checkpoint)?;
    let public = VerifyingKey::<MlDsa44>::decode(&EncodedVerifyingKey::<MlDsa44>::from(*public));
    let signature = Signature::<MlDsa44>::decode(&EncodedSignature::<MlDsa44>::from(*bytes))?;
    let good = public.verify_with_context(&message, &[], &signature);
    good.then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use zhao_spec::log::tree::TreeSize;
    use zhao_spec::wire::Hash;

    fn checkpoint() -> Checkpoint {
        Checkpoint {
            origin: "zhao.example/changzhou".to_owned(),
            size: TreeSize(11),
            root: Hash([0x5a; 32]),
        }
    }

    /// Made by another program: Python's `cryptography`, from the seed 00 01 … 1f.
    const FOREIGN: &str = include_str!("mldsa/foreign.txt");

    fn seed() -> [u8; 32] {
        std::array::from_fn(|at| u8::try_from(at).unwrap())
    }

    #[test]
    fn keys_are_those_of_other_programs_and_their_signatures_are_taken() {
        let signer = Signer::from_seed("w1.example", &seed()).unwrap();
        let mut lines = FOREIGN.lines();
        assert_eq!(lines.next().unwrap(), signer.vkey().format());
        let foreign = NoteSignature::parse(lines.next().unwrap()).unwrap();
        let time = verify(signer.vkey(), &foreign, &checkpoint());
        assert_eq!(time, Some(UnixSeconds(1_795_327_200)));
    }

    #[test]
    fn whatever_is_changed_is_not_taken() {
        let secret = SecretKey::from_seed([7; 32]);
        let signer = Signer::new("w1.example", &secret).unwrap();
        let other = Signer::new("w1.example", &SecretKey::from_seed([8; 32])).unwrap();
        let good = signer.cosign(UnixSeconds(5), &checkpoint()).unwrap();
        let key = signer.vkey();
        assert_eq!(verify(key, &good, &checkpoint()), Some(UnixSeconds(5)));
        assert_eq!(good.blob.len(), 8 + SIGNATURE_BYTES);
        assert_eq!(verify(other.vkey(), &good, &checkpoint()), None);
        // Another key under the same id: the id is no protection.
        let text = other.vkey().format().replacen(
            &other.vkey().id().to_string(),
            &key.id().to_string(),
            1,
        );
        let borrowed = Vkey::parse(&text).unwrap();
        assert_eq!(verify(&borrowed, &good, &checkpoint()), None);
        for at in [0, 7, 8, 40, 8 + SIGNATURE_BYTES - 1] {
            let mut bad = good.clone();
            bad.blob[at] ^= 1;
            assert_eq!(verify(key, &bad, &checkpoint()), None, "byte {at}");
        }
        for change in [
            |c: &mut Checkpoint| c.size.0 += 1,
            |c: &mut Checkpoint| c.root.0[0] ^= 1,
            |c: &mut Checkpoint| c.origin.push('x'),
        ] {
            let mut changed = checkpoint();
            change(&mut changed);
            assert_eq!(verify(key, &good, &changed), None);
        }
        for length in [0, 8, 8 + SIGNATURE_BYTES - 1, 8 + SIGNATURE_BYTES + 1] {
            let mut bad = good.clone();
            bad.blob.resize(length, 0);
            assert_eq!(verify(key, &bad, &checkpoint()), None, "{length} bytes");
        }
        assert!(signer.cosign(UnixSeconds(1 << 63), &checkpoint()).is_none());
        let long = Checkpoint {
            origin: "o".repeat(256),
            ..checkpoint()
        };
        assert!(signer.cosign(UnixSeconds(5), &long).is_none());
    }

    #[test]
    fn the_key_is_not_the_one_of_the_seed_itself() {
        let secret = SecretKey::from_seed(seed());
        let derived = Signer::new("w1.example", &secret).unwrap();
        let plain = Signer::from_seed("w1.example", &seed()).unwrap();
        assert_ne!(derived.vkey().format(), plain.vkey().format());
    }
}
