//! Keys at rest: one directory, one file a key, one passphrase.
//!
//! | file | what it is | mode |
//! |---|---|---|
//! | `identity.age` | an age X25519 identity, encrypted with the passphrase (scrypt) | 0600 |
//! | `<name>.age` | name, purpose and seed of one Ed25519 key, encrypted to that identity | 0600 |
//! | `<name>.pub.json` | public key, purpose, time of creation, in clear | 0644 |
//!
//! So opening costs one scrypt, however many keys there are. Each key is decrypted once per
//! process. `<name>.pub.json` is written last: a key without it was never handed out.
//!
//! Out of scope: hardware tokens. The administrators' keys live in a directory of their own with
//! a passphrase of their own, because whoever runs the office need not be able to make units.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use age::secrecy::{ExposeSecret as _, SecretString};
use rand::CryptoRng;
use zeroize::Zeroizing;
use zhao_spec::wire::{PublicKey, SecretKey, UnixMillis};

mod carry;
mod error;
mod file;
mod form;
mod inspect;
mod seal;
mod signing;

pub use error::KeyError;
pub use file::{PublicPart, Purpose};
pub use form::{jwk, pem, vkey};
pub use inspect::Finding;
pub use signing::{ForeignSigner, SigningKey};

/// scrypt N = 2^18: about a second and 256 MiB, age's own choice for passphrases.
const WORK: u8 = 18;
/// A file that asks for more than this would occupy the machine for a minute and 4 GiB.
const MAX_WORK: u8 = 22;
/// Name of the file that holds the identity.
const IDENTITY: &str = "identity.age";

/// How hard the passphrase is to guess: log2 of scrypt's N.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkFactor(u8);

impl WorkFactor {
    /// 2^`log_n`, from 1 to 22. Below 18 only a test has a reason.
    ///
    /// # Errors
    /// Outside that range.
    pub fn new(log_n: u8) -> Result<Self, KeyError> {
        if (1..=MAX_WORK).contains(&log_n) {
            Ok(Self(log_n))
        } else {
            Err(KeyError::WorkFactor {
                actual: log_n,
                limit: MAX_WORK,
            })
        }
    }
}

impl Default for WorkFactor {
    fn default() -> Self {
        Self(WORK)
    }
}

/// An open directory of keys.
pub struct Keyring {
    dir: PathBuf,
    identity: age::x25519::Identity,
    /// Keys in tokens, by name.
    foreign: BTreeMap<String, (Purpose, ForeignSigner)>,
    /// Keys decrypted so far, by name.
    open: BTreeMap<String, (Purpose, SecretKey)>,
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keyring({})", self.dir.display())
    }
}

impl Keyring {
    /// Makes the directory `dir` (if it is not there) and an identity in it.
    ///
    /// age draws the identity and its nonces from the operating system itself; the keys' seeds
    /// come from the caller's generator.
    ///
    /// # Errors
    /// An identity is there already, the passphrase is empty, or the disk refuses.
    pub fn create(
        dir: &Path,
        passphrase: &Zeroizing<String>,
        work: WorkFactor,
    ) -> Result<Self, KeyError> {
        if passphrase.is_empty() {
            return Err(KeyError::EmptyPassphrase);
        }
        file::make_dir(dir)?;
        let path = dir.join(IDENTITY);
        let identity = age::x25519::Identity::generate();
        let sealed = seal::to_passphrase(
            identity.to_string().expose_secret().as_bytes(),
            secret(passphrase),
            work.0,
        )
        .map_err(|source| KeyError::io(&path, source))?;
        file::write_new(&path, &sealed, file::SECRET_MODE)?;
        Ok(Self {
            dir: dir.to_owned(),
            identity,
            foreign: BTreeMap::new(),
            open: BTreeMap::new(),
        })
    }

    /// Opens the directory `dir` with its passphrase: one scrypt.
    ///
    /// # Errors
    /// No identity, readable by others, damaged, or another passphrase.
    pub fn open(dir: &Path, passphrase: &Zeroizing<String>) -> Result<Self, KeyError> {
        let path = dir.join(IDENTITY);
        let sealed = file::read_secret(&path)?;
        let text = seal::from_passphrase(&path, &sealed, secret(passphrase), MAX_WORK)?;
        let identity = std::str::from_utf8(&text)
            .ok()
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| KeyError::NotAnIdentity { path: path.clone() })?;
        Ok(Self {
            dir: dir.to_owned(),
            identity,
            foreign: BTreeMap::new(),
            open: BTreeMap::new(),
        })
    }

    /// Encrypts the identity with another passphrase. The keys' files stay as they are.
    ///
    /// # Errors
    /// The passphrase is empty, or the disk refuses.
    pub fn change_passphrase(
        &self,
        passphrase: &Zeroizing<String>,
        work: WorkFactor,
    ) -> Result<(), KeyError> {
        if passphrase.is_empty() {
            return Err(KeyError::EmptyPassphrase);
        }
        let path = self.dir.join(IDENTITY);
        let sealed = seal::to_passphrase(
            self.identity.to_string().expose_secret().as_bytes(),
            secret(passphrase),
            work.0,
        )
        .map_err(|source| KeyError::io(&path, source))?;
        file::replace(&path, &sealed, file::SECRET_MODE)
    }

    /// Draws a key, stores it under `name` and answers its public part.
    ///
    /// # Errors
    /// The name is not one or is taken, or the disk refuses.
    pub fn generate(
        &mut self,
        name: &str,
        purpose: Purpose,
        rng: &mut dyn CryptoRng,
        created: UnixMillis,
    ) -> Result<PublicPart, KeyError> {
        let mut seed = Zeroizing::new([0; 32]);
        rng.fill_bytes(seed.as_mut_slice());
        self.store(name, purpose, SecretKey::from_seed(*seed), created)
    }

    /// Stores a key that exists already under `name`.
    ///
    /// # Errors
    /// As [`Keyring::generate`].
    pub fn store(
        &mut self,
        name: &str,
        purpose: Purpose,
        key: SecretKey,
        created: UnixMillis,
    ) -> Result<PublicPart, KeyError> {
        file::check_name(name)?;
        let public_path = file::public_path(&self.dir, name);
        if public_path.exists() {
            return Err(KeyError::NameTaken {
                name: name.to_owned(),
            });
        }
        let path = file::secret_path(&self.dir, name);
        let sealed = seal::to_identity(&file::secret_bytes(name, purpose, &key), &self.identity)
            .map_err(|source| KeyError::io(&path, source))?;
        // A secret without its public part is what a crash between these two lines leaves. Nobody
        // has seen that key, so it may be replaced.
        file::replace(&path, &sealed, file::SECRET_MODE)?;
        let part = PublicPart {
            created,
            key: key.public(),
            name: name.to_owned(),
            purpose,
        };
        file::write_new(&public_path, &part.bytes(), file::PUBLIC_MODE)?;
        self.open.insert(name.to_owned(), (purpose, key));
        Ok(part)
    }

    /// The secret key `name`, which must have been made for `purpose`.
    ///
    /// # Errors
    /// No such key, made for another purpose, readable by others, damaged, or not the key whose
    /// public part stands beside it.
    pub fn secret(&mut self, name: &str, purpose: Purpose) -> Result<SecretKey, KeyError> {
        if !self.open.contains_key(name) {
            let opened = self.decrypt(name)?;
            self.open.insert(name.to_owned(), opened);
        }
        let (actual, key) = self.open.get(name).expect("the key was inserted above");
        if *actual != purpose {
            return Err(KeyError::Purpose {
                name: name.to_owned(),
                expected: purpose,
                actual: *actual,
            });
        }
        Ok(key.clone())
    }

    /// The key `name` to sign with: in a token if one was attached under that name, else here.
    ///
    /// # Errors
    /// As [`Keyring::secret`].
    pub fn signing(&mut self, name: &str, purpose: Purpose) -> Result<SigningKey, KeyError> {
        let Some((actual, signer)) = self.foreign.get(name) else {
            return Ok(self.secret(name, purpose)?.into());
        };
        if *actual != purpose {
            return Err(KeyError::Purpose {
                name: name.to_owned(),
                expected: purpose,
                actual: *actual,
            });
        }
        Ok(SigningKey::Foreign(Arc::clone(signer)))
    }

    /// Lets a token sign as `name`, for as long as this is open. A key of that name here must be
    /// the token's.
    ///
    /// # Errors
    /// The name is not one, or is another key's.
    pub fn attach(
        &mut self,
        name: &str,
        purpose: Purpose,
        signer: ForeignSigner,
    ) -> Result<(), KeyError> {
        match public_part(&self.dir, name) {
            Ok(part) if part.key != signer.public() || part.purpose != purpose => {
                return Err(KeyError::NameTaken {
                    name: name.to_owned(),
                });
            }
            Ok(_) | Err(KeyError::NoSuchKey { .. }) => {}
            Err(error) => return Err(error),
        }
        self.foreign.insert(name.to_owned(), (purpose, signer));
        Ok(())
    }

    /// Every key made for `purpose`, by ascending name.
    ///
    /// # Errors
    /// As [`Keyring::secret`].
    pub fn secrets(&mut self, purpose: Purpose) -> Result<Vec<SecretKey>, KeyError> {
        let names = public_parts(&self.dir)?
            .into_iter()
            .filter(|part| part.purpose == purpose)
            .map(|part| part.name);
        names.map(|name| self.secret(&name, purpose)).collect()
    }

    /// The directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn decrypt(&self, name: &str) -> Result<(Purpose, SecretKey), KeyError> {
        let public = public_part(&self.dir, name)?;
        let path = file::secret_path(&self.dir, name);
        let sealed = file::read_secret(&path)?;
        let bytes = seal::from_identity(&path, &sealed, &self.identity)?;
        let (purpose, key) = file::parse_secret(&path, name, &bytes)?;
        // Whoever can write the directory could put one key's file beside another's public part.
        if key.public() != public.key || purpose != public.purpose {
            return Err(KeyError::PublicPart {
                path,
                key: Box::new(public.key),
            });
        }
        Ok((purpose, key))
    }
}

/// The public part of the key `name` in `dir`; no passphrase is needed.
///
/// # Errors
/// No such key, or a damaged file.
pub fn public_part(dir: &Path, name: &str) -> Result<PublicPart, KeyError> {
    file::check_name(name)?;
    file::read_public(&file::public_path(dir, name), name)
}

/// The public parts of every key in `dir`, by ascending name; no passphrase is needed.
///
/// # Errors
/// The directory cannot be read, or holds a damaged file.
pub fn public_parts(dir: &Path) -> Result<Vec<PublicPart>, KeyError> {
    file::public_names(dir)?
        .iter()
        .map(|name| public_part(dir, name))
        .collect()
}

/// The public key called `name`, for whoever only checks.
///
/// # Errors
/// As [`public_part`]; or it was made for another purpose.
pub fn public_key(dir: &Path, name: &str, purpose: Purpose) -> Result<PublicKey, KeyError> {
    let part = public_part(dir, name)?;
    if part.purpose == purpose {
        Ok(part.key)
    } else {
        Err(KeyError::Purpose {
            name: part.name,
            expected: purpose,
            actual: part.purpose,
        })
    }
}

fn secret(passphrase: &Zeroizing<String>) -> SecretString {
    SecretString::from(passphrase.as_str())
}

#[cfg(test)]
mod tests;
