//! The files of a key directory: names, permissions, bytes, and writing them whole or not at all.

use std::fmt;
use std::fs::{self, File, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;
use zhao_spec::wire::{
    Fields, Malformed, PublicKey, SecretKey, UnixMillis, binary, clip, json, write,
};

use super::KeyError;

/// Only the owner reads a secret.
pub(super) const SECRET_MODE: u32 = 0o600;
/// Anybody may read a public part.
pub(super) const PUBLIC_MODE: u32 = 0o644;
/// Any file of a key directory, bytes: ours are under 1 KiB.
const FILE_BYTES: u64 = 16 << 10;
const NAME_CHARS: usize = 64;
/// How the name of a file begins that is being written.
pub(super) const NEW_PREFIX: &str = ".new-";
/// How the names of public parts end.
pub(super) const PUBLIC_SUFFIX: &str = ".pub.json";

/// What a key is for. A key made for one purpose is refused for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// Makes units and changes the registry, m of n.
    Administrator,
    /// Cosigns checkpoints whose map it recomputed.
    Auditor,
    /// A holder's, who proves that a licence shown is its own.
    Holder,
    /// Signs the log's checkpoints.
    Log,
    /// Not a signature's: its seed is the secret under which the office's records are encrypted.
    Records,
    /// Signs a unit's credentials and events.
    Unit,
    /// Cosigns checkpoints that only append.
    Witness,
}

impl Purpose {
    /// Every purpose, by ascending word.
    pub const ALL: [Self; 7] = [
        Self::Administrator,
        Self::Auditor,
        Self::Holder,
        Self::Log,
        Self::Records,
        Self::Unit,
        Self::Witness,
    ];

    /// The word in the files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Auditor => "auditor",
            Self::Holder => "holder",
            Self::Log => "log",
            Self::Records => "records",
            Self::Unit => "unit",
            Self::Witness => "witness",
        }
    }

    pub(super) fn parse(path: String, word: &str) -> Result<Self, Malformed> {
        Self::ALL
            .into_iter()
            .find(|purpose| purpose.as_str() == word)
            .ok_or_else(|| {
                Malformed::value(
                    path,
                    "administrator, auditor, log, records, unit or witness",
                    word,
                )
            })
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What everybody may know of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicPart {
    /// When it was made.
    pub created: UnixMillis,
    /// The public key.
    pub key: PublicKey,
    /// Its name in the directory.
    pub name: String,
    /// What it is for.
    pub purpose: Purpose,
}

impl PublicPart {
    /// The bytes of `<name>.pub.json`: canonical JSON and a newline.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = write::object_bytes(|o| {
            o.time("created", self.created)
                .key("key", &self.key)
                .text("name", &self.name)
                .text("purpose", self.purpose.as_str());
        });
        bytes.push(b'\n');
        bytes
    }

    /// From the bytes of `<name>.pub.json`.
    ///
    /// # Errors
    /// Not canonical JSON, or other members than these.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let value = json::parse_file(bytes)?;
        let mut fields = Fields::new(&value, "")?;
        let part = Self {
            created: fields.time("created")?,
            key: fields.key("key")?,
            name: fields.text("name")?.to_owned(),
            purpose: Purpose::parse(fields.path_of("purpose"), fields.text("purpose")?)?,
        };
        fields.finish()?;
        Ok(part)
    }
}

/// Refuses names that could leave the directory or be taken for another file of it.
pub(super) fn check_name(name: &str) -> Result<(), KeyError> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let fits = (1..=NAME_CHARS).contains(&name.len()) && name.chars().all(allowed);
    if fits && name != "identity" {
        Ok(())
    } else {
        Err(KeyError::Name { actual: clip(name) })
    }
}

pub(super) fn secret_path(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{name}.age"))
}

pub(super) fn public_path(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{name}{PUBLIC_SUFFIX}"))
}

/// The clear content of a secret's file. Name and purpose are inside as well, so that neither
/// can be changed by moving files about.
pub(super) fn secret_bytes(name: &str, purpose: Purpose, key: &SecretKey) -> Zeroizing<Vec<u8>> {
    let seed = key.to_seed();
    Zeroizing::new(write::object_bytes(|o| {
        o.text("name", name)
            .text("purpose", purpose.as_str())
            .bytes("seed", seed.as_slice());
    }))
}

pub(super) fn parse_secret(
    path: &Path,
    name: &str,
    bytes: &[u8],
) -> Result<(Purpose, SecretKey), KeyError> {
    let malformed = |source| KeyError::Malformed {
        path: path.to_owned(),
        source,
    };
    let read = || -> Result<(String, Purpose, SecretKey), Malformed> {
        let value = json::parse(bytes)?;
        let mut fields = Fields::new(&value, "")?;
        let stored = fields.text("name")?.to_owned();
        let purpose = Purpose::parse(fields.path_of("purpose"), fields.text("purpose")?)?;
        let seed = binary::decode_base64url_array::<32>(fields.text("seed")?)
            .map_err(|error| Malformed::new("seed", error))?;
        fields.finish()?;
        Ok((stored, purpose, SecretKey::from_seed(seed)))
    };
    let (stored, purpose, key) = read().map_err(malformed)?;
    if stored != name {
        return Err(malformed(Malformed::value(
            "name",
            "the name of its file",
            &stored,
        )));
    }
    Ok((purpose, key))
}

pub(super) fn read_public(path: &Path, name: &str) -> Result<PublicPart, KeyError> {
    let bytes = match read(path) {
        Err(KeyError::Io { path, source }) if source.kind() == io::ErrorKind::NotFound => {
            let dir = path.parent().unwrap_or(&path).to_owned();
            return Err(KeyError::NoSuchKey {
                name: name.to_owned(),
                dir,
            });
        }
        other => other?,
    };
    let malformed = |source| KeyError::Malformed {
        path: path.to_owned(),
        source,
    };
    let part = PublicPart::parse(&bytes).map_err(malformed)?;
    if part.name != name {
        return Err(malformed(Malformed::value(
            "name",
            "the name of its file",
            &part.name,
        )));
    }
    Ok(part)
}

/// The names of the keys in `dir`, ascending.
pub(super) fn public_names(dir: &Path) -> Result<Vec<String>, KeyError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir).map_err(|source| KeyError::io(dir, source))? {
        let file_name = entry
            .map_err(|source| KeyError::io(dir, source))?
            .file_name();
        if let Some(name) = file_name
            .to_str()
            .and_then(|n| n.strip_suffix(PUBLIC_SUFFIX))
        {
            names.push(name.to_owned());
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// The bytes of a secret's file, which nobody but its owner may reach.
pub(super) fn read_secret(path: &Path) -> Result<Vec<u8>, KeyError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(source) if source.kind() == io::ErrorKind::NotFound => {
            let dir = path.parent().unwrap_or(path).to_owned();
            return Err(match path.file_stem().and_then(|stem| stem.to_str()) {
                Some("identity") | None => KeyError::NoIdentity { dir },
                Some(name) => KeyError::NoSuchKey {
                    name: name.to_owned(),
                    dir,
                },
            });
        }
        Err(source) => return Err(KeyError::io(path, source)),
    };
    read_opened(path, file)
}

/// As [`read_secret`], of a file that is open: its permissions are those of what is read.
pub(super) fn read_opened(path: &Path, file: File) -> Result<Vec<u8>, KeyError> {
    let metadata = file
        .metadata()
        .map_err(|source| KeyError::io(path, source))?;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeyError::Permissions {
            path: path.to_owned(),
            mode,
        });
    }
    read_all(path, file)
}

fn read(path: &Path) -> Result<Vec<u8>, KeyError> {
    let file = File::open(path).map_err(|source| KeyError::io(path, source))?;
    read_all(path, file)
}

fn read_all(path: &Path, file: File) -> Result<Vec<u8>, KeyError> {
    let mut bytes = Vec::new();
    file.take(FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|source| KeyError::io(path, source))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > FILE_BYTES) {
        return Err(KeyError::Damaged {
            path: path.to_owned(),
        });
    }
    Ok(bytes)
}

/// Makes the directory, reachable by its owner only; one with something in it stays as it is.
pub(super) fn make_dir(dir: &Path) -> Result<(), KeyError> {
    if dir.is_dir() {
        let first = fs::read_dir(dir).map(|mut entries| entries.next().is_some());
        if first.map_err(|source| KeyError::io(dir, source))? {
            return Ok(());
        }
    }
    fs::create_dir_all(dir)
        .and_then(|()| fs::set_permissions(dir, Permissions::from_mode(0o700)))
        .map_err(|source| KeyError::io(dir, source))
}

/// Writes a file that must not be there yet.
pub(super) fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<(), KeyError> {
    persist(path, bytes, mode, |file, path| {
        file.persist_noclobber(path)
            .map(drop)
            .map_err(|error| error.error)
    })
}

/// Writes a file, in the place of the one that may be there.
pub(super) fn replace(path: &Path, bytes: &[u8], mode: u32) -> Result<(), KeyError> {
    persist(path, bytes, mode, |file, path| {
        file.persist(path).map(drop).map_err(|error| error.error)
    })
}

/// Temporary file, fsync, rename, fsync of the directory: after a crash there is the old file or
/// the new one, whole.
fn persist(
    path: &Path,
    bytes: &[u8],
    mode: u32,
    rename: impl FnOnce(tempfile::NamedTempFile, &Path) -> io::Result<()>,
) -> Result<(), KeyError> {
    let dir = path
        .parent()
        .filter(|dir| !dir.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let write = || -> io::Result<()> {
        let mut file = tempfile::Builder::new()
            .prefix(NEW_PREFIX)
            .permissions(Permissions::from_mode(mode))
            .tempfile_in(dir)?;
        file.write_all(bytes)?;
        // The umask narrows the mode asked for at creation; this one is exact.
        file.as_file()
            .set_permissions(Permissions::from_mode(mode))?;
        file.as_file().sync_all()?;
        rename(file, path)?;
        File::open(dir)?.sync_all()
    };
    write().map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => KeyError::Exists {
            path: path.to_owned(),
        },
        _ => KeyError::io(path, source),
    })
}
