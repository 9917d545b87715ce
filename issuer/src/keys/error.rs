//! What can be wrong with keys at rest.

use std::path::{Path, PathBuf};

use zhao_spec::wire::{Malformed, PublicKey};

use super::Purpose;

/// Why a key cannot be stored or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The file is not what was written: cut short, or changed.
    #[error("{} is damaged or cut short", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// A passphrase of no characters protects nothing.
    #[error("the passphrase is empty")]
    EmptyPassphrase,
    /// A file with this name is there already.
    #[error("{} exists already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The operating system refuses.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What it says.
        source: std::io::Error,
    },
    /// The key is in this directory already.
    #[error("the key is here already, as {name:?}")]
    KeyHere {
        /// Its name here.
        name: String,
    },
    /// The clear text of a key file is not what this format has.
    #[error("{}: {source}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where and what.
        source: Malformed,
    },
    /// Not `[a-z0-9-]`, 1 to 64 of them, or the name of the identity.
    #[error("{actual:?} is not a key name: 1 to 64 of a-z, 0-9 and -, not \"identity\"")]
    Name {
        /// What was given, clipped.
        actual: String,
    },
    /// There is a key of that name.
    #[error("there is a key named {name:?} already")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// There is no key of that name.
    #[error("there is no key named {name:?} in {}", dir.display())]
    NoSuchKey {
        /// The name.
        name: String,
        /// Where it was looked for.
        dir: PathBuf,
    },
    /// The directory has no identity file: it was never made, or is another directory.
    #[error("{} is not a key directory: it has no identity.age", dir.display())]
    NoIdentity {
        /// The directory.
        dir: PathBuf,
    },
    /// The identity file decrypts to something else.
    #[error("{} does not hold an age identity", path.display())]
    NotAnIdentity {
        /// The file.
        path: PathBuf,
    },
    /// A link or a device: not the file it seems to be.
    #[error("{} is not a plain file", path.display())]
    NotPlain {
        /// The path.
        path: PathBuf,
    },
    /// The key is encrypted to another directory's identity.
    #[error("{} belongs to another key directory", path.display())]
    OtherIdentity {
        /// The file.
        path: PathBuf,
    },
    /// Others than the owner may read or write a secret.
    #[error("{} has mode {mode:04o}, expected 0600: others can reach it", path.display())]
    Permissions {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The secret is not the one of the public part beside it.
    #[error("{} is not the secret of {key}", path.display())]
    PublicPart {
        /// The secret's file.
        path: PathBuf,
        /// The public key that stands beside it.
        key: Box<PublicKey>,
    },
    /// The key was made for something else.
    #[error("key {name:?} is for {actual}, expected {expected}")]
    Purpose {
        /// The name.
        name: String,
        /// What is needed.
        expected: Purpose,
        /// What it was made for.
        actual: Purpose,
    },
    /// The file asks for more scrypt work than is reasonable.
    #[error("scrypt work factor {actual} is not between 1 and {limit}")]
    WorkFactor {
        /// log2 of N.
        actual: u8,
        /// The limit.
        limit: u8,
    },
    /// The passphrase does not open the directory.
    #[error("wrong passphrase for {}", path.display())]
    WrongPassphrase {
        /// The identity file.
        path: PathBuf,
    },
}

impl KeyError {
    pub(super) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            source,
        }
    }
}
