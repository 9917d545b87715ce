//! A folder as a place of publication: any web server can show it.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{FlockOperation, flock};
use zhao_ledger::publish::place::{Found, Place, PlaceError, Put, Tag};

/// Held while something is replaced: between looking and putting nobody else may put.
const LOCK: &str = ".zhao-place.lock";

/// A folder.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// Numbers temporary files, of which several threads write at once.
    next: AtomicU64,
}

fn tag(bytes: &[u8]) -> Tag {
    Tag(blake3::hash(bytes).to_hex().to_string())
}

impl Folder {
    /// A folder that is there.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        if !fs::metadata(path)?.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Ok(Self {
            path: path.to_owned(),
            next: AtomicU64::new(0),
        })
    }

    /// Makes the folder of `name`; each that is made is on disk before anything is put into it.
    fn parent(&self, name: &str) -> io::Result<PathBuf> {
        let mut path = self.path.clone();
        for part in name
            .split('/')
            .rev()
            .skip(1)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
        {
            let above = path.clone();
            path.push(part);
            match fs::create_dir(&path) {
                Ok(()) => File::open(&above)?.sync_all()?,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Ok(path)
    }

    /// Writes a file beside where it will be.
    fn beside(&self, folder: &Path, bytes: &[u8]) -> io::Result<PathBuf> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!(".new-{}-{number}", std::process::id()));
        // What a process of the same number left when it was killed is nobody's.
        let mut file = File::create(&path)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        Ok(path)
    }

    fn create(&self, name: &str, bytes: &[u8]) -> io::Result<Put> {
        let folder = self.parent(name)?;
        let new = self.beside(&folder, bytes)?;
        // A name that is there stays: of two links one is made.
        let linked = fs::hard_link(&new, self.path.join(name));
        fs::remove_file(&new)?;
        match linked {
            Ok(()) => {
                File::open(&folder)?.sync_all()?;
                Ok(Put::Done(tag(bytes)))
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Put::Taken),
            Err(error) => Err(error),
        }
    }

    fn swap(&self, name: &str, bytes: &[u8], expected: &Tag) -> io::Result<Put> {
        let lock = File::create(self.path.join(LOCK))?;
        flock(&lock, FlockOperation::LockExclusive)?;
        let path = self.path.join(name);
        match fs::read(&path) {
            Ok(there) if tag(&there) == *expected => {}
            Ok(_) => return Ok(Put::Taken),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Put::Taken),
            Err(error) => return Err(error),
        }
        let folder = self.parent(name)?;
        let new = self.beside(&folder, bytes)?;
        fs::rename(&new, &path)?;
        File::open(&folder)?.sync_all()?;
        Ok(Put::Done(tag(bytes)))
    }
}

impl Place for Folder {
    fn get(&self, name: &str, limit: usize) -> Result<Option<Found>, PlaceError> {
        let wrong = |error: io::Error| PlaceError::new(name, error);
        let file = match File::open(self.path.join(name)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(wrong(error)),
        };
        let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        let mut bytes = Vec::new();
        file.take(most).read_to_end(&mut bytes).map_err(wrong)?;
        if bytes.len() > limit {
            return Err(PlaceError::new(name, format!("more than {limit} bytes")));
        }
        Ok(Some(Found {
            tag: tag(&bytes),
            bytes,
        }))
    }

    fn create(&self, name: &str, bytes: &[u8]) -> Result<Put, PlaceError> {
        Self::create(self, name, bytes).map_err(|error| PlaceError::new(name, error))
    }

    fn swap(&self, name: &str, bytes: &[u8], expected: &Tag) -> Result<Put, PlaceError> {
        Self::swap(self, name, bytes, expected).map_err(|error| PlaceError::new(name, error))
    }

    fn delete(&self, name: &str) -> Result<(), PlaceError> {
        match fs::remove_file(self.path.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(PlaceError::new(name, error))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use zhao_ledger::publish::probe;
    use zhao_spec::wire::Hash;

    use super::*;

    #[test]
    fn it_keeps_conditions_and_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let place = Folder::open(dir.path()).unwrap();
        probe(&place, &Hash([1; 32])).unwrap();
        assert_eq!(fs::read_dir(dir.path().join("probe")).unwrap().count(), 0);
        Place::create(&place, "a/b/c", b"123").unwrap();
        assert_eq!(fs::read_dir(dir.path().join("a/b")).unwrap().count(), 1);
        assert!(
            place
                .get("a/b/c", 2)
                .unwrap_err()
                .to_string()
                .contains("more than 2")
        );
        assert_eq!(place.get("a/b", 2).unwrap_err().name, "a/b");
        assert_eq!(place.get("a/x", 2).unwrap(), None);
        let nothing = Place::swap(&place, "a/x", b"1", &tag(b"1")).unwrap();
        assert_eq!(nothing, Put::Taken);
        assert!(Folder::open(&dir.path().join("a/b/c")).is_err());
        assert!(Folder::open(&dir.path().join("nowhere")).is_err());
        // What stands where a folder must be is an error, not a loss.
        Place::create(&place, "a/b/c/d", b"1").unwrap_err();
        assert_eq!(place.get("a/b/c", 9).unwrap().unwrap().bytes, b"123");
    }

    #[test]
    fn of_many_one_replaces_and_of_many_one_makes() {
        let dir = tempfile::tempdir().unwrap();
        let place = Arc::new(Folder::open(dir.path()).unwrap());
        let Put::Done(first) = Place::create(&*place, "claim", b"0").unwrap() else {
            panic!("taken");
        };
        for (make, expected) in [(true, 1), (false, 1)] {
            let threads: Vec<_> = (1..=8_u8)
                .map(|n| {
                    let (place, first) = (Arc::clone(&place), first.clone());
                    thread::spawn(move || match make {
                        true => Place::create(&*place, "once", &[n]).unwrap(),
                        false => Place::swap(&*place, "claim", &[n], &first).unwrap(),
                    })
                })
                .collect();
            let done = threads.into_iter().map(|thread| thread.join().unwrap());
            assert_eq!(done.filter(|put| *put != Put::Taken).count(), expected);
        }
    }
}
