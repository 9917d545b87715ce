//! age, narrowed to the two ways it is used here, with errors that say what happened.

use std::io::{self, Read as _, Write as _};
use std::path::Path;

use age::secrecy::SecretString;
use age::{DecryptError, Decryptor, Encryptor};
use zeroize::Zeroizing;

use super::KeyError;

/// Clear bytes a key file may hold: an identity is 74, a key under 256.
const CLEAR_BYTES: u64 = 4096;

/// `bytes` encrypted with a passphrase, scrypt N = 2^`work`.
pub(super) fn to_passphrase(
    bytes: &[u8],
    passphrase: SecretString,
    work: u8,
) -> io::Result<Vec<u8>> {
    let mut recipient = age::scrypt::Recipient::new(passphrase);
    recipient.set_work_factor(work);
    encrypt(bytes, &recipient)
}

/// `bytes` encrypted to the holder of `identity`.
pub(super) fn to_identity(bytes: &[u8], identity: &age::x25519::Identity) -> io::Result<Vec<u8>> {
    encrypt(bytes, &identity.to_public())
}

/// The clear bytes of a file encrypted with a passphrase.
pub(super) fn from_passphrase(
    path: &Path,
    sealed: &[u8],
    passphrase: SecretString,
    max_work: u8,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let mut identity = age::scrypt::Identity::new(passphrase);
    identity.set_max_work_factor(max_work);
    decrypt(path, sealed, &identity, || KeyError::WrongPassphrase {
        path: path.to_owned(),
    })
}

/// The clear bytes of a file encrypted to `identity`.
pub(super) fn from_identity(
    path: &Path,
    sealed: &[u8],
    identity: &age::x25519::Identity,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    decrypt(path, sealed, identity, || KeyError::OtherIdentity {
        path: path.to_owned(),
    })
}

fn encrypt(bytes: &[u8], recipient: &dyn age::Recipient) -> io::Result<Vec<u8>> {
    let encryptor = Encryptor::with_recipients(std::iter::once(recipient))
        .map_err(|error| io::Error::other(error.to_string()))?;
    let mut sealed = Vec::new();
    let mut writer = encryptor.wrap_output(&mut sealed)?;
    writer.write_all(bytes)?;
    writer.finish()?;
    Ok(sealed)
}

fn decrypt(
    path: &Path,
    sealed: &[u8],
    identity: &dyn age::Identity,
    not_ours: impl Fn() -> KeyError,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let judge = |error: DecryptError| match error {
        // With a wrong passphrase the file key does not decrypt; with another identity no stanza
        // is addressed to us. Both are reported before any content is looked at.
        DecryptError::DecryptionFailed
        | DecryptError::KeyDecryptionFailed
        | DecryptError::NoMatchingKeys => not_ours(),
        DecryptError::ExcessiveWork { required, .. } => KeyError::WorkFactor {
            actual: required,
            limit: super::MAX_WORK,
        },
        _ => KeyError::Damaged {
            path: path.to_owned(),
        },
    };
    let decryptor = Decryptor::new_buffered(sealed).map_err(judge)?;
    let reader = decryptor
        .decrypt(std::iter::once(identity))
        .map_err(judge)?;
    let mut clear = Zeroizing::new(Vec::new());
    reader
        .take(CLEAR_BYTES)
        .read_to_end(&mut clear)
        .map_err(|_| KeyError::Damaged {
            path: path.to_owned(),
        })?;
    Ok(clear)
}
