//! A key to sign with: in this process, or in a token that never gives it away.

use std::fmt;
use std::sync::Arc;

use zhao_spec::wire::signature::check_answer;
use zhao_spec::wire::{Algorithm, PublicKey, SecretKey, Signature, Signer, SignerError};

/// A signer outside this process. It may be gone, refuse, or answer anything.
pub type ForeignSigner = Arc<dyn Signer + Send + Sync>;

/// A key to sign with. Its own costs nothing over [`SecretKey`]; what a foreign one answers is
/// verified before anybody uses it.
#[derive(Clone)]
pub enum SigningKey {
    /// In a token.
    Foreign(ForeignSigner),
    /// In this process.
    Own(Box<SecretKey>),
}

impl Signer for SigningKey {
    fn algorithm(&self) -> Algorithm {
        match self {
            Self::Foreign(signer) => signer.algorithm(),
            Self::Own(secret) => Signer::algorithm(&**secret),
        }
    }

    fn public(&self) -> PublicKey {
        match self {
            Self::Foreign(signer) => signer.public(),
            Self::Own(secret) => secret.public(),
        }
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignerError> {
        match self {
            // The key is asked for once: what it says next may be another one.
            Self::Foreign(signer) => check_answer(signer.public(), message, signer.sign(message)?),
            Self::Own(secret) => Ok(secret.sign(message)),
        }
    }
}

impl From<SecretKey> for SigningKey {
    fn from(secret: SecretKey) -> Self {
        Self::Own(Box::new(secret))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::Foreign(_) => "Foreign",
            Self::Own(_) => "Own",
        };
        write!(f, "{kind}({})", self.public())
    }
}
