//! Whether a directory of keys is as it should be.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use zhao_spec::wire::UnixMillis;

use super::{IDENTITY, KeyError, Keyring, file, public_part};

/// Something about a directory of keys that its owner should know.
#[derive(Debug)]
#[non_exhaustive]
pub enum Finding {
    /// A key does not open, or is not what its public part says.
    Broken {
        /// The name.
        name: String,
        /// Why.
        error: KeyError,
    },
    /// A secret without public part: a crash left it, and nobody has seen its key.
    HalfMade {
        /// The name.
        name: String,
    },
    /// A file that a crash left while it was being written.
    Leftover {
        /// Its name.
        file: String,
    },
    /// The key was made long ago.
    Old {
        /// The name.
        name: String,
        /// When.
        created: UnixMillis,
    },
    /// Others than the owner may look into the directory.
    Open {
        /// Its permission bits.
        mode: u32,
    },
    /// Two names have the same key.
    SameKey {
        /// The first name.
        name: String,
        /// The other one.
        other: String,
    },
    /// The key was made after the time it is now: one of the two clocks is wrong.
    Tomorrow {
        /// The name.
        name: String,
        /// When.
        created: UnixMillis,
    },
    /// A file that is none of a key directory.
    Unknown {
        /// Its name.
        file: String,
    },
}

impl Finding {
    /// Whether something is wrong, and not only to be thought of.
    #[must_use]
    pub fn is_fault(&self) -> bool {
        !matches!(
            self,
            Self::HalfMade { .. } | Self::Leftover { .. } | Self::Old { .. }
        )
    }
}

impl Keyring {
    /// Opens every key and looks at every file; keys made `max_age_millis` ago are old.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn inspect(
        &mut self,
        now: UnixMillis,
        max_age_millis: u64,
    ) -> Result<Vec<Finding>, KeyError> {
        let mut findings = Vec::new();
        let dir = self.dir.clone();
        let wrap = |source| KeyError::io(&dir, source);
        let mode = fs::metadata(&dir).map_err(wrap)?.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            findings.push(Finding::Open { mode });
        }
        let mut files = Vec::new();
        for entry in fs::read_dir(&dir).map_err(wrap)? {
            files.push(
                entry
                    .map_err(wrap)?
                    .file_name()
                    .to_string_lossy()
                    .into_owned(),
            );
        }
        files.sort_unstable();
        for file in files {
            let secret = file.strip_suffix(".age");
            if file == IDENTITY || file.strip_suffix(file::PUBLIC_SUFFIX).is_some() {
                continue;
            }
            match secret {
                Some(name) if file::public_path(&dir, name).exists() => {}
                Some(name) => findings.push(Finding::HalfMade {
                    name: name.to_owned(),
                }),
                None if file.starts_with(file::NEW_PREFIX) => {
                    findings.push(Finding::Leftover { file });
                }
                None => findings.push(Finding::Unknown { file }),
            }
        }
        let mut seen = BTreeMap::new();
        for name in file::public_names(&dir)? {
            // Not what was opened before: the file as it is now.
            self.open.remove(&name);
            let part = match public_part(&dir, &name)
                .and_then(|part| self.secret(&name, part.purpose).map(|_| part))
            {
                Ok(part) => part,
                Err(error) => {
                    findings.push(Finding::Broken { name, error });
                    continue;
                }
            };
            if let Some(other) = seen.insert(part.key.to_bytes(), name.clone()) {
                findings.push(Finding::SameKey {
                    name: other,
                    other: name.clone(),
                });
            }
            let created = part.created;
            match now.0.checked_sub(created.0) {
                None => findings.push(Finding::Tomorrow { name, created }),
                Some(age) if age >= max_age_millis => findings.push(Finding::Old { name, created }),
                Some(_) => {}
            }
        }
        Ok(findings)
    }
}
