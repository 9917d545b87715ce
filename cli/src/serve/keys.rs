//! API keys: `DIR/api-keys.toml` holds hashes of them, their scopes, and until when they hold.
//!
//! A key is `zhao_ID_SECRET`: an id to find it by, and 32 random bytes in base64url. The file has
//! the SHA-256 of the whole key, which is enough for 256 bits of randomness and shows nobody who
//! reads the file what to send. A server reads the file again when it was replaced, so a key that
//! is revoked is refused from the next request on.

use std::fs::File;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use zhao_http::Scope;
use zhao_spec::wire::hash::sha256;
use zhao_spec::wire::{Hash, UnixMillis};

use crate::failure::{Failure, args};
use crate::files;

/// Largest file of keys, bytes.
const FILE_BYTES: usize = 1 << 20;
/// Longest name, characters.
const NAME_CHARS: usize = 64;

/// What the file has about a key.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct ApiKey {
    /// Eight hexadecimal digits.
    pub(crate) id: String,
    /// Whose it is.
    pub(crate) name: String,
    /// What it may be used for.
    pub(crate) scopes: Vec<Scope>,
    /// SHA-256 of the key, base64url.
    hash: String,
    /// When it was made, RFC 3339.
    pub(crate) created: String,
    /// From when on it is refused, RFC 3339.
    pub(crate) expires: String,
    /// When it was revoked, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) revoked: Option<String>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    #[serde(default, rename = "key")]
    keys: Vec<ApiKey>,
}

/// Which version of the file was read: replaced files have another inode or time.
type Version = (u64, u64, i64, i64);

/// The keys of a directory, for a server.
#[derive(Debug)]
pub(crate) struct KeyRing {
    path: PathBuf,
    /// What was read last. One reader at a time, for as long as a small file takes.
    read: Mutex<(Option<Version>, Vec<ApiKey>)>,
}

impl KeyRing {
    /// The keys in the file at `path`, which need not exist.
    pub(crate) fn new(path: PathBuf) -> Self {
        let read = Mutex::new((None, Vec::new()));
        Self { path, read }
    }

    /// What `key` may be used for at `now`; none: it is no key, or one no longer.
    ///
    /// # Errors
    /// The file cannot be read: then nobody is let in.
    pub(crate) fn scopes(&self, key: &str, now: UnixMillis) -> Result<Option<Vec<Scope>>, Failure> {
        let version = match self.path.metadata() {
            Ok(data) => Some((data.ino(), data.size(), data.mtime(), data.mtime_nsec())),
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => None,
            Err(cause) => return Err(Failure::file("read", &self.path, &cause)),
        };
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if read.0 != version {
            *read = (version, list(&self.path)?);
        }
        Ok(holds(&read.1, key, now))
    }
}

fn holds(keys: &[ApiKey], key: &str, now: UnixMillis) -> Option<Vec<Scope>> {
    let hash = sha256(&[key.as_bytes()]);
    let mut found = None;
    // Every key is compared, each in constant time: how long this takes says nothing about them.
    for known in keys {
        let Ok(expected) = Hash::from_base64url(&known.hash) else {
            continue;
        };
        let same: bool = expected.as_bytes().ct_eq(hash.as_bytes()).into();
        if same {
            found = Some(known);
        }
    }
    found
        .filter(|known| known.is_in_force(now))
        .map(|known| known.scopes.clone())
}

impl ApiKey {
    /// Neither revoked nor expired; a time that cannot be read holds nobody's door open.
    pub(crate) fn is_in_force(&self, now: UnixMillis) -> bool {
        let expires = UnixMillis::parse(&self.expires);
        self.revoked.is_none() && expires.is_ok_and(|expires| now < expires)
    }
}

/// Every key of the file, none if there is no file.
///
/// # Errors
/// It cannot be read, or is no file of keys.
pub(crate) fn list(path: &Path) -> Result<Vec<ApiKey>, Failure> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = files::read_text(path, FILE_BYTES)?;
    let file: KeyFile = toml::from_str(&text).map_err(|cause| {
        let cause = cause.message();
        Failure::usage("api-keys", args![path = path.display(), cause])
    })?;
    Ok(file.keys)
}

/// Makes a key; gives it whole, for the only time.
///
/// # Errors
/// A name that is empty or too long; the file cannot be read or written.
pub(crate) fn add(
    path: &Path,
    name: &str,
    scopes: &[Scope],
    now: UnixMillis,
    expires: UnixMillis,
    rng: &mut dyn rand::CryptoRng,
) -> Result<(ApiKey, String), Failure> {
    let fit = !name.trim().is_empty()
        && name.chars().count() <= NAME_CHARS
        && !name.chars().any(char::is_control);
    if !fit {
        return Err(Failure::usage("api-key-name", args![limit = NAME_CHARS]));
    }
    let mut id = [0; 4];
    let mut secret = [0; 32];
    rng.fill_bytes(&mut id);
    rng.fill_bytes(&mut secret);
    let id = format!("{:08x}", u32::from_be_bytes(id));
    let key = format!("zhao_{id}_{}", Hash(secret).to_base64url());
    let mut scopes = scopes.to_vec();
    scopes.sort_unstable();
    scopes.dedup();
    let entry = ApiKey {
        id,
        name: name.to_owned(),
        scopes,
        hash: sha256(&[key.as_bytes()]).to_base64url(),
        created: now.to_string(),
        expires: expires.to_string(),
        revoked: None,
    };
    change(path, |keys| {
        keys.push(entry.clone());
        Ok(())
    })?;
    Ok((entry, key))
}

/// Revokes the key with this id; one that is revoked already stays as it is.
///
/// # Errors
/// There is none; the file cannot be read or written.
pub(crate) fn revoke(path: &Path, id: &str, now: UnixMillis) -> Result<(), Failure> {
    change(path, |keys| {
        let key = keys.iter_mut().find(|key| key.id == id);
        let key = key.ok_or_else(|| {
            let id = zhao_spec::wire::clip(id);
            Failure::refused("no-api-key", args![id])
        })?;
        key.revoked.get_or_insert_with(|| now.to_string());
        Ok(())
    })
}

/// Replaces the file. Two commands at once wait for each other, by a lock beside it.
fn change(
    path: &Path,
    act: impl FnOnce(&mut Vec<ApiKey>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let beside = path.with_extension("lock");
    let wrap = |cause: std::io::Error| Failure::file("write", &beside, &cause);
    let lock = File::options()
        .create(true)
        .append(true)
        .open(&beside)
        .map_err(wrap)?;
    flock(&lock, FlockOperation::LockExclusive).map_err(|cause| wrap(cause.into()))?;
    let mut file = KeyFile { keys: list(path)? };
    act(&mut file.keys)?;
    let text = toml::to_string(&file).expect("keys are plain text");
    files::replace(path, text.as_bytes())?;
    let owner = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(path, owner).map_err(|cause| Failure::file("write", path, &cause))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng as _;

    const NOW: UnixMillis = UnixMillis(1_800_000_000_000);
    const LATER: UnixMillis = UnixMillis(1_800_000_001_000);

    fn made(path: &Path, scopes: &[Scope]) -> (ApiKey, String) {
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(scopes.len() as u64);
        add(path, "窗口", scopes, NOW, LATER, &mut rng).unwrap()
    }

    #[test]
    fn a_key_holds_until_it_expires_or_is_revoked() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("api-keys.toml");
        let ring = KeyRing::new(path.clone());
        let scopes = |key: &str, now| ring.scopes(key, now).unwrap();
        assert_eq!(scopes("anything", NOW), None);
        let (entry, key) = made(&path, &[Scope::Read, Scope::Issue, Scope::Read]);
        let (_, other) = made(&path, &[Scope::Admin]);
        assert_eq!(scopes(&key, NOW), Some(vec![Scope::Read, Scope::Issue]));
        assert_eq!(scopes(&other, NOW), Some(vec![Scope::Admin]));
        assert_eq!(scopes(&key, LATER), None);
        revoke(&path, &entry.id, NOW).unwrap();
        assert_eq!(scopes(&key, NOW), None);
        assert_eq!(scopes(&other, NOW), Some(vec![Scope::Admin]));
        revoke(&path, &entry.id, LATER).unwrap();
        let kept = list(&path).unwrap();
        assert_eq!(kept[0].revoked.as_deref(), Some(&*NOW.to_string()));
    }

    #[test]
    fn what_is_almost_a_key_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("api-keys.toml");
        let (entry, key) = made(&path, &[Scope::Admin]);
        let ring = KeyRing::new(path.clone());
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains(&key), "the file shows the key");
        for wrong in [
            "",
            "zhao",
            &key[..key.len() - 1],
            &format!("{key}A"),
            &key.to_uppercase(),
            &entry.hash,
            &format!("zhao_{}_{}", entry.id, entry.hash),
        ] {
            assert_eq!(ring.scopes(wrong, NOW).unwrap(), None, "{wrong}");
        }
    }

    #[test]
    fn the_file_is_its_owners_and_damage_lets_nobody_in() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("api-keys.toml");
        let (_, key) = made(&path, &[Scope::Admin]);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let ring = KeyRing::new(path.clone());
        std::fs::write(&path, "[[key]]\nid = 1\n").unwrap();
        assert_eq!(ring.scopes(&key, NOW).unwrap_err().key(), "api-keys");
        let text = "[[key]]\nid = \"a\"\nname = \"a\"\nscopes = [\"root\"]\nhash = \"\"\n\
                    created = \"\"\nexpires = \"\"\n";
        std::fs::write(&path, text).unwrap();
        assert_eq!(ring.scopes(&key, NOW).unwrap_err().key(), "api-keys");
    }

    #[test]
    fn names_and_ids_that_are_none_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("api-keys.toml");
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
        for name in ["", "  ", "a\nb", &"长".repeat(65)] {
            let error = add(&path, name, &[Scope::Read], NOW, LATER, &mut rng).unwrap_err();
            assert_eq!(error.key(), "api-key-name", "{name}");
        }
        assert_eq!(
            revoke(&path, "00000000", NOW).unwrap_err().key(),
            "no-api-key"
        );
    }
}
