//! Who signs: a key in this process, or one that never leaves a token.

use super::{PublicKey, SecretKey, Signature, SignatureError};

/// How a key signs. A verifier allows by its own rules, never by what a signature says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// Ed25519 of RFC 8032, read strictly (`spec/signature.md`).
    Ed25519,
}

impl Algorithm {
    /// The name in messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ed25519 => "Ed25519",
        }
    }
}

/// Why there is no signature. Nothing was signed, or nobody may use what was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignerError {
    /// Somebody else is using it; later it may sign.
    #[error("the signer of {key} is busy: {detail}")]
    Busy {
        /// The key that was to sign.
        key: Box<PublicKey>,
        /// What it says, clipped.
        detail: String,
    },
    /// It is not there: taken out, switched off, not reached.
    #[error("the signer of {key} is gone: {detail}")]
    Gone {
        /// The key that was to sign.
        key: Box<PublicKey>,
        /// What it says, clipped.
        detail: String,
    },
    /// It does not sign this: locked, not allowed, not confirmed.
    #[error("the signer of {key} refuses: {detail}")]
    Refused {
        /// The key that was to sign.
        key: Box<PublicKey>,
        /// What it says, clipped.
        detail: String,
    },
    /// It answered something that is no signature of this key over these bytes.
    #[error("the signer of {key} answered a wrong signature: {source}")]
    WrongSignature {
        /// The key that was to sign.
        key: Box<PublicKey>,
        /// What is wrong with the answer.
        source: SignatureError,
    },
}

/// Whoever signs with one key.
pub trait Signer {
    /// How it signs.
    fn algorithm(&self) -> Algorithm {
        Algorithm::Ed25519
    }

    /// The key that its signatures are checked with.
    fn public(&self) -> PublicKey;

    /// Signs `message`. What a foreign signer answers counts only after [`check_answer`].
    ///
    /// # Errors
    /// It cannot or does not want to.
    fn sign(&self, message: &[u8]) -> Result<Signature, SignerError>;
}

impl Signer for SecretKey {
    fn public(&self) -> PublicKey {
        SecretKey::public(self)
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignerError> {
        Ok(SecretKey::sign(self, message))
    }
}

/// The signature a foreign signer answered, if it is one of `key` over `message`.
///
/// # Errors
/// [`SignerError::WrongSignature`].
pub fn check_answer(
    key: PublicKey,
    message: &[u8],
    answer: Signature,
) -> Result<Signature, SignerError> {
    match key.verify(message, &answer) {
        Ok(()) => Ok(answer),
        Err(source) => Err(SignerError::WrongSignature {
            key: Box::new(key),
            source,
        }),
    }
}
