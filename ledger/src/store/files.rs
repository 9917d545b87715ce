//! Small files beside the database: the intent, the published checkpoint, a witness's state.
//!
//! They are outside the database on purpose: a database restored from a backup then disagrees with
//! them, and that is noticed.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::StoreError;

/// Largest of these files that is read, bytes: a checkpoint with all its cosignatures.
const FILE_BYTES: u64 = 1 << 20;

/// A few named files, each replaced as a whole.
///
/// **Promise.** When [`Files::replace`] returns `Ok`, the new content survives the loss of process
/// and power; when it returns an error, the file has the old content or the new one, never a
/// mixture. Names are chosen by this crate, never by outsiders.
pub trait Files: Send + Sync {
    /// The content, or nothing when there is no such file.
    ///
    /// # Errors
    /// [`StoreError::File`].
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Replaces the content, durably.
    ///
    /// # Errors
    /// [`StoreError::File`]; which content is there is then unknown.
    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError>;
}

/// Files in a directory.
#[derive(Clone, Debug)]
pub struct Directory {
    path: PathBuf,
}

impl Directory {
    /// The directory, made when it is not there.
    ///
    /// # Errors
    /// [`StoreError::File`].
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(path).map_err(|e| file_error(&path.to_string_lossy(), &e))?;
        Ok(Self {
            path: path.to_owned(),
        })
    }

    fn write_durably(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let temporary = self.path.join(format!(".{name}.new"));
        let mut file = File::create(&temporary)?;
        file.write_all(bytes)?;
        // The content is on disk before the name points to it …
        file.sync_all()?;
        fs::rename(&temporary, self.path.join(name))?;
        // … and the name is on disk before anybody is told.
        File::open(&self.path)?.sync_all()
    }
}

impl Files for Directory {
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let path = self.path.join(name);
        match fs::metadata(&path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(file_error(name, &e)),
            Ok(metadata) if metadata.len() > FILE_BYTES => {
                let problem = format!("{} bytes exceed the limit of {FILE_BYTES}", metadata.len());
                return Err(StoreError::File {
                    name: name.to_owned(),
                    problem,
                });
            }
            Ok(_) => {}
        }
        fs::read(path).map(Some).map_err(|e| file_error(name, &e))
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.write_durably(name, bytes)
            .map_err(|e| file_error(name, &e))
    }
}

fn file_error(name: &str, error: &io::Error) -> StoreError {
    StoreError::File {
        name: name.to_owned(),
        problem: error.to_string(),
    }
}
