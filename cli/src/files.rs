//! Reading and writing files: limits before reading, whole files or none.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, args};
use crate::session::Session;

/// The bytes of a file, at most `limit` of them; `-` is standard input.
///
/// # Errors
/// Unreadable, or longer.
pub(crate) fn read(path: &Path, limit: usize) -> Result<Vec<u8>, Failure> {
    let wrap = |cause: std::io::Error| Failure::file("read", path, &cause);
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        std::io::stdin()
            .lock()
            .take(most)
            .read_to_end(&mut bytes)
            .map_err(wrap)?;
    } else {
        let file = File::open(path).map_err(wrap)?;
        // Room at once: growing step by step would need the memory of a large file twice.
        let length = file.metadata().map_err(wrap)?.len().min(most);
        let room = usize::try_from(length).unwrap_or(limit);
        let full = |_| wrap(std::io::ErrorKind::OutOfMemory.into());
        bytes.try_reserve_exact(room).map_err(full)?;
        file.take(most).read_to_end(&mut bytes).map_err(wrap)?;
    }
    if bytes.len() > limit {
        return Err(Failure::usage(
            "file-long",
            args![path = path.display(), limit],
        ));
    }
    Ok(bytes)
}

/// As [`read`], as text.
///
/// # Errors
/// As [`read`], or not UTF-8.
pub(crate) fn read_text(path: &Path, limit: usize) -> Result<String, Failure> {
    String::from_utf8(read(path, limit)?).map_err(|cause| {
        let offset = cause.utf8_error().valid_up_to();
        Failure::usage("file-text", args![path = path.display(), offset])
    })
}

/// Writes a whole file or nothing: a temporary file beside it, synced, then renamed.
///
/// # Errors
/// The directory is absent, full or not ours.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let wrap = |cause: std::io::Error| Failure::file("write", path, &cause);
    let mut file = beside(path)?;
    file.as_file_mut().write_all(bytes).map_err(wrap)?;
    file.as_file().sync_all().map_err(wrap)?;
    file.persist(path).map_err(|error| wrap(error.error))?;
    Ok(())
}

/// As [`replace`], but durable only after [`sync`]: for many files at once.
///
/// # Errors
/// As [`replace`].
pub(crate) fn place(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut file = beside(path)?;
    file.as_file_mut()
        .write_all(bytes)
        .map_err(|cause| Failure::file("write", path, &cause))?;
    file.persist(path)
        .map_err(|error| Failure::file("write", path, &error.error))?;
    Ok(())
}

/// Makes everything durable that was placed in `dir`.
///
/// # Errors
/// The disk refuses.
pub(crate) fn sync(dir: &Path) -> Result<(), Failure> {
    let wrap = |cause: std::io::Error| Failure::file("write", dir, &cause);
    let dir = File::open(dir).map_err(wrap)?;
    rustix::fs::syncfs(&dir).map_err(|cause| wrap(cause.into()))
}

/// Makes the names in a directory durable.
///
/// # Errors
/// The disk refuses.
pub(crate) fn sync_names(dir: &Path) -> std::io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Makes every name in a tree of directories durable, the innermost first, with `sync`.
///
/// # Errors
/// The first directory that cannot be read or made durable.
pub(crate) fn sync_tree(
    dir: &Path,
    sync: &mut dyn FnMut(&Path) -> std::io::Result<()>,
) -> Result<(), Failure> {
    let wrap = |cause: std::io::Error| Failure::file("write", dir, &cause);
    for entry in std::fs::read_dir(dir).map_err(wrap)? {
        let entry = entry.map_err(wrap)?;
        if entry.file_type().map_err(wrap)?.is_dir() {
            sync_tree(&entry.path(), sync)?;
        }
    }
    sync(dir).map_err(wrap)
}

/// Gives a directory, whose files are durable, the name `to` beside it: durable with all in it, or
/// not there.
///
/// # Errors
/// The disk refuses. If it refuses after the renaming, the directory has its name already, and a
/// power cut may take it away again.
pub(crate) fn name_dir(
    from: &Path,
    to: &Path,
    sync: &mut dyn FnMut(&Path) -> std::io::Result<()>,
) -> Result<(), Failure> {
    sync_tree(from, sync)?;
    std::fs::rename(from, to).map_err(|cause| Failure::file("create", to, &cause))?;
    let above = parent(to);
    sync(&above).map_err(|cause| Failure::file("write", &above, &cause))
}

/// An empty temporary file beside `path`, which goes away unless it is kept.
fn beside(path: &Path) -> Result<tempfile::NamedTempFile, Failure> {
    let made = if path.is_dir() {
        Err(rustix::io::Errno::ISDIR.into())
    } else {
        temporary(&parent(path))
    };
    made.map_err(|cause| Failure::file("write", path, &cause))
}

/// A temporary file in `dir`. Opened here, so that an error does not name it: nobody asked for it.
fn temporary(dir: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    tempfile::Builder::new()
        .prefix(".zhao-")
        .make_in(dir, |path| {
            let mut options = File::options();
            options.write(true).create_new(true).mode(0o644);
            options.open(path)
        })
}

/// Whether `path` is a device or a pipe, which is written to and never replaced.
fn is_device(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|data| !data.is_file() && !data.is_dir())
}

/// Refuses an output file that [`output`] could not write: before work, so that nothing is done
/// for naught.
///
/// # Errors
/// It is a directory, or its directory is absent or not ours.
pub(crate) fn must_be_writable(path: &Path) -> Result<(), Failure> {
    if path != Path::new("-") && !is_device(path) {
        beside(path)?;
    }
    Ok(())
}

/// Refuses an output directory that could not be made or written to; makes nothing.
///
/// # Errors
/// It, or the nearest directory above it that exists, is none of ours.
pub(crate) fn dir_must_be_writable(path: &Path) -> Result<(), Failure> {
    let above = missing(path);
    let existing = above
        .last()
        .map_or_else(|| path.to_owned(), |last| parent(last));
    let act = if above.is_empty() { "write" } else { "create" };
    let tried = if existing.is_dir() {
        temporary(&existing)
    } else {
        Err(rustix::io::Errno::NOTDIR.into())
    };
    tried
        .map(drop)
        .map_err(|cause| Failure::file(act, path, &cause))
}

/// `path` and the directories above it that are not there yet, innermost first.
fn missing(path: &Path) -> Vec<PathBuf> {
    path.ancestors()
        .take_while(|above| !above.as_os_str().is_empty())
        .take_while(|above| above.symlink_metadata().is_err())
        .map(Path::to_owned)
        .collect()
}

/// A directory for results: made now, and taken away again when nothing came into it.
#[derive(Debug)]
pub(crate) struct OutputDir {
    /// What was made, innermost first.
    made: Vec<PathBuf>,
}

impl OutputDir {
    /// Makes it, and those above it.
    ///
    /// # Errors
    /// As [`make_dir`].
    pub(crate) fn make(path: &Path) -> Result<Self, Failure> {
        let own = Self {
            made: missing(path),
        };
        make_dir(path)?;
        Ok(own)
    }
}

impl Drop for OutputDir {
    fn drop(&mut self) {
        for path in &self.made {
            // Refused for a directory that holds something, which is the point.
            if std::fs::remove_dir(path).is_err() {
                break;
            }
        }
    }
}

/// Writes to a file, or to standard output for `-`.
///
/// # Errors
/// As [`replace`] and [`Session::data`].
pub(crate) fn output(session: &Session, path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    if path == Path::new("-") {
        session.data(bytes)
    } else if is_device(path) {
        let wrap = |cause: std::io::Error| Failure::file("write", path, &cause);
        let mut device = File::options().write(true).open(path).map_err(wrap)?;
        device.write_all(bytes).map_err(wrap)
    } else {
        replace(path, bytes)
    }
}

/// Refuses a directory that holds something.
///
/// # Errors
/// It does.
pub(crate) fn must_be_empty(dir: &Path) -> Result<(), Failure> {
    if dir
        .read_dir()
        .is_ok_and(|mut within| within.next().is_some())
    {
        return Err(Failure::usage("dir-not-empty", args![path = dir.display()]));
    }
    Ok(())
}

/// Refuses a place where something is already: before work, so that nothing is done for naught.
///
/// # Errors
/// It exists.
pub(crate) fn must_be_new(path: &Path) -> Result<(), Failure> {
    if path.symlink_metadata().is_ok() {
        return Err(Failure::usage("file-exists", args![path = path.display()]));
    }
    Ok(())
}

/// Makes a directory and those above it.
///
/// # Errors
/// The operating system refuses.
pub(crate) fn make_dir(path: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(path).map_err(|cause| Failure::file("create", path, &cause))
}

/// Copies a directory with everything in it.
///
/// # Errors
/// The operating system refuses.
pub(crate) fn copy_dir(from: &Path, to: &Path) -> Result<(), Failure> {
    make_dir(to)?;
    let wrap = |cause: std::io::Error| Failure::file("read", from, &cause);
    for entry in std::fs::read_dir(from).map_err(wrap)? {
        let entry = entry.map_err(wrap)?;
        let target = to.join(entry.file_name());
        if entry.file_type().map_err(wrap)?.is_dir() {
            copy_dir(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), &target)
                .map_err(|cause| Failure::file("write", &target, &cause))?;
        }
    }
    Ok(())
}

/// The directory a file is in.
pub(crate) fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_written_is_named_and_nothing_else_is() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        for path in [
            dir.path().join("absent/x"),
            file.join("x"),
            dir.path().to_owned(),
        ] {
            let key = must_be_writable(&path).unwrap_err();
            let again = replace(&path, b"").unwrap_err();
            for failure in [&key, &again] {
                assert_eq!(failure.key(), "file-write");
                assert!(!failure.cause().contains("zhao-"), "{}", failure.cause());
            }
        }
        must_be_writable(&dir.path().join("new")).unwrap();
        must_be_writable(&file).unwrap();
        must_be_writable(Path::new("-")).unwrap();
        must_be_writable(Path::new("/dev/null")).unwrap();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_directory_for_results_is_asked_for_without_being_made() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        let key = |path: &Path| dir_must_be_writable(path).unwrap_err().key().to_owned();
        assert_eq!(key(&file), "file-write");
        assert_eq!(key(&file.join("a/b")), "file-create");
        dir_must_be_writable(dir.path()).unwrap();
        dir_must_be_writable(&dir.path().join("a/b")).unwrap();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_directory_gets_its_name_when_all_in_it_is_durable() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("partial"), dir.path().join("whole"));
        make_dir(&from.join("a/b")).unwrap();
        std::fs::write(from.join("a/b/file"), "x").unwrap();
        let expected = ["a/b", "a", ""].map(|name| from.join(name));
        let expected: Vec<PathBuf> = expected.into_iter().chain([dir.path().into()]).collect();
        // Each of the four refuses once.
        for (bad, path) in expected.iter().enumerate() {
            let mut seen = Vec::new();
            let mut sync = |path: &Path| {
                seen.push((path.to_owned(), to.exists()));
                if seen.len() == bad + 1 {
                    return Err(std::io::ErrorKind::StorageFull.into());
                }
                sync_names(path)
            };
            let failure = name_dir(&from, &to, &mut sync).unwrap_err();
            assert_eq!(failure.key(), "file-write");
            assert!(failure.cause().contains("no storage space"), "{failure:?}");
            let last = bad == 3;
            assert_eq!((from.exists(), to.exists()), (!last, last), "{path:?}");
            let paths: Vec<_> = seen.iter().map(|(path, _)| path.clone()).collect();
            assert!(
                paths
                    .iter()
                    .map(|path| path.components())
                    .eq(expected.iter().take(bad + 1).map(|path| path.components()))
            );
            // Nothing below is made durable after the renaming: all of it was before.
            assert!(seen.iter().take(3).all(|(_, named)| !named));
        }
        assert_eq!(std::fs::read(to.join("a/b/file")).unwrap(), b"x");
        // A name that is taken is refused, and nothing is lost.
        make_dir(&from).unwrap();
        let failure = name_dir(&from, &to, &mut sync_names).unwrap_err();
        assert_eq!(failure.key(), "file-create");
        assert!(from.exists() && to.join("a/b/file").exists());
        let failure = sync_tree(&dir.path().join("absent"), &mut sync_names).unwrap_err();
        assert_eq!(failure.key(), "file-write");
    }

    #[test]
    fn an_empty_directory_for_results_goes_away_again() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("a/b");
        drop(OutputDir::make(&out).unwrap());
        assert!(!dir.path().join("a").exists());
        let made = OutputDir::make(&out).unwrap();
        std::fs::write(out.join("x"), "").unwrap();
        drop(made);
        assert!(out.join("x").exists());
        std::fs::create_dir(dir.path().join("old")).unwrap();
        drop(OutputDir::make(&dir.path().join("old")).unwrap());
        assert!(dir.path().join("old").exists());
    }
}
