//! Small files beside the database: the intent, the published checkpoint, a witness's state.
//!
//! They are outside the database on purpose: a database restored from a backup then disagrees with
//! them, and that is noticed.

use std::fmt;
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

/// What [`Directory`] is about to do; for a replacement all but the first, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Read a file.
    Read,
    /// Write a file beside it.
    Write,
    /// Sync that file.
    Sync,
    /// Rename it.
    Rename,
    /// Sync the directory.
    SyncFolder,
}

/// Asked before each step with the name of the file: an error is the step's, and after `false` a
/// sync is left out and said to be done. For tests.
#[cfg(feature = "faults")]
pub type Ask = std::sync::Arc<dyn Fn(Step, &str) -> io::Result<bool> + Send + Sync>;

/// Files in a directory.
#[derive(Clone)]
pub struct Directory {
    path: PathBuf,
    #[cfg(feature = "faults")]
    ask: Option<Ask>,
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Directory")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
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
            #[cfg(feature = "faults")]
            ask: None,
        })
    }

    /// As [`Directory::open`], and somebody is asked before each step. For tests.
    ///
    /// # Errors
    /// As [`Directory::open`].
    #[cfg(feature = "faults")]
    pub fn open_on(path: &Path, ask: Ask) -> Result<Self, StoreError> {
        let ask = Some(ask);
        Ok(Self {
            ask,
            ..Self::open(path)?
        })
    }

    #[cfg(feature = "faults")]
    fn ask(&self, step: Step, name: &str) -> io::Result<bool> {
        self.ask.as_ref().map_or(Ok(true), |ask| ask(step, name))
    }

    #[cfg(not(feature = "faults"))]
    fn ask(&self, _: Step, _: &str) -> io::Result<bool> {
        Ok(true)
    }

    fn sync(&self, step: Step, name: &str, file: &File) -> io::Result<()> {
        if self.ask(step, name)? {
            file.sync_all()?;
        }
        Ok(())
    }

    fn write_durably(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let temporary = self.path.join(format!(".{name}.new"));
        self.ask(Step::Write, name)?;
        let mut file = File::create(&temporary)?;
        file.write_all(bytes)?;
        // The content is on disk before the name points to it …
        self.sync(Step::Sync, name, &file)?;
        self.ask(Step::Rename, name)?;
        fs::rename(&temporary, self.path.join(name))?;
        // … and the name is on disk before anybody is told.
        self.sync(Step::SyncFolder, name, &File::open(&self.path)?)
    }
}

impl Files for Directory {
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.ask(Step::Read, name)
            .map_err(|e| file_error(name, &e))?;
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
    let advice = match error.kind() {
        io::ErrorKind::StorageFull => ": make room on the disk, then start again",
        _ => "",
    };
    StoreError::File {
        name: name.to_owned(),
        problem: format!("{error}{advice}"),
    }
}
