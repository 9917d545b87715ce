//! One key in a file of its own, under a passphrase of its own: to keep apart, or to carry.
//!
//! The file is age with one scrypt recipient; inside is canonical JSON: `created`, `format`
//! (`zhao/v1 key`), `name`, `purpose`, `seed`. Nothing of it is in clear.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use zeroize::Zeroizing;
use zhao_spec::wire::{Fields, Malformed, SecretKey, UnixMillis, binary, json, write};

use super::file::{self, Purpose};
use super::{KeyError, Keyring, MAX_WORK, PublicPart, WorkFactor, seal, secret};

const FORMAT: &str = "zhao/v1 key";

/// What an exported file holds.
struct Carried {
    created: UnixMillis,
    key: SecretKey,
    name: String,
    purpose: Purpose,
}

impl Keyring {
    /// Writes the key `name` to a file that must not be there yet, encrypted with a passphrase.
    ///
    /// # Errors
    /// As [`Keyring::secret`]; an empty passphrase, a file that is there, or the disk.
    pub fn export(
        &mut self,
        name: &str,
        path: &Path,
        passphrase: &Zeroizing<String>,
        work: WorkFactor,
    ) -> Result<PublicPart, KeyError> {
        if passphrase.is_empty() {
            return Err(KeyError::EmptyPassphrase);
        }
        let part = super::public_part(&self.dir, name)?;
        let key = self.secret(name, part.purpose)?;
        let seed = key.to_seed();
        let clear = Zeroizing::new(write::object_bytes(|o| {
            o.time("created", part.created)
                .text("format", FORMAT)
                .text("name", &part.name)
                .text("purpose", part.purpose.as_str())
                .bytes("seed", seed.as_slice());
        }));
        let sealed = seal::to_passphrase(&clear, secret(passphrase), work.0)
            .map_err(|source| KeyError::io(path, source))?;
        file::write_new(path, &sealed, file::SECRET_MODE)?;
        Ok(part)
    }

    /// Takes in an exported key, under its own name or another; it must be for `purpose`.
    ///
    /// # Errors
    /// A link, readable by others, damaged, another passphrase; another purpose; a name that is
    /// none or is taken; a key that is here already under another name.
    pub fn import(
        &mut self,
        path: &Path,
        passphrase: &Zeroizing<String>,
        purpose: Purpose,
        name: Option<&str>,
    ) -> Result<PublicPart, KeyError> {
        let sealed = read_carried(path)?;
        let clear = seal::from_passphrase(path, &sealed, secret(passphrase), MAX_WORK)?;
        let carried = parse(&clear).map_err(|source| KeyError::Malformed {
            path: path.to_owned(),
            source,
        })?;
        if carried.purpose != purpose {
            return Err(KeyError::Purpose {
                name: carried.name,
                expected: purpose,
                actual: carried.purpose,
            });
        }
        // Under two names one administrator would look like two.
        let public = carried.key.public();
        let parts = super::public_parts(&self.dir)?;
        if let Some(part) = parts.into_iter().find(|part| part.key == public) {
            return Err(KeyError::KeyHere { name: part.name });
        }
        let name = name.unwrap_or(&carried.name);
        self.store(name, purpose, carried.key, carried.created)
    }
}

/// The bytes of an exported file: a plain file, and its owner's only.
fn read_carried(path: &Path) -> Result<Vec<u8>, KeyError> {
    let wrap = |source| KeyError::io(path, source);
    let link = fs::symlink_metadata(path).map_err(wrap)?;
    let file = File::open(path).map_err(wrap)?;
    let opened = file.metadata().map_err(wrap)?;
    // A link, or something put in its place since: not the file that was named.
    if !opened.is_file() || (link.dev(), link.ino()) != (opened.dev(), opened.ino()) {
        return Err(KeyError::NotPlain {
            path: path.to_owned(),
        });
    }
    file::read_opened(path, file)
}

fn parse(bytes: &[u8]) -> Result<Carried, Malformed> {
    let value = json::parse(bytes)?;
    let mut fields = Fields::new(&value, "")?;
    fields.literal("format", FORMAT)?;
    let seed = Zeroizing::new(
        binary::decode_base64url_array::<32>(fields.text("seed")?)
            .map_err(|error| Malformed::new("seed", error))?,
    );
    let carried = Carried {
        created: fields.time("created")?,
        key: SecretKey::from_seed(*seed),
        name: fields.text("name")?.to_owned(),
        purpose: Purpose::parse(fields.path_of("purpose"), fields.text("purpose")?)?,
    };
    fields.finish()?;
    Ok(carried)
}
