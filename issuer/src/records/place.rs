//! The database's file, as it was when it was opened.
//!
//! A file that is removed or replaced while it is open goes on taking what is written, and nobody
//! ever reads it again. Before anything is promised, the name must still lead to the same file.

use std::fs::{Metadata, metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::RecordsError;

/// A file that was opened.
#[derive(Debug)]
pub(super) struct Place {
    /// Device and number of the file.
    file: (u64, u64),
    log: PathBuf,
    path: PathBuf,
}

fn file(found: &Metadata) -> (u64, u64) {
    (found.dev(), found.ino())
}

impl Place {
    /// The file of this name, which has just been opened.
    pub(super) fn of(path: &Path) -> Result<Self, RecordsError> {
        let found = metadata(path).map_err(|source| RecordsError::Io {
            path: path.to_owned(),
            source,
        })?;
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        Ok(Self {
            file: file(&found),
            log: log.into(),
            path: path.to_owned(),
        })
    }

    /// Its name.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is still there. In the middle of a transaction its log is there too.
    pub(super) fn check(&self) -> Result<(), RecordsError> {
        let same = metadata(&self.path).is_ok_and(|found| file(&found) == self.file);
        if same && self.log.exists() {
            return Ok(());
        }
        Err(RecordsError::Gone(self.path.clone()))
    }
}
