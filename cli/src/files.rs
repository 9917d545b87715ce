//! Reading and writing files: limits before reading, whole files or none.

use std::fs::File;
use std::io::{Read as _, Write as _};
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
        File::open(path)
            .map_err(wrap)?
            .take(most)
            .read_to_end(&mut bytes)
            .map_err(wrap)?;
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
    let mut file = tempfile::Builder::new()
        .prefix(".zhao-")
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
        .tempfile_in(parent(path))
        .map_err(wrap)?;
    file.write_all(bytes).map_err(wrap)?;
    file.as_file().sync_all().map_err(wrap)?;
    file.persist(path).map_err(|error| wrap(error.error))?;
    Ok(())
}

/// Writes to a file, or to standard output for `-`.
///
/// # Errors
/// As [`replace`] and [`Session::data`].
pub(crate) fn output(session: &Session, path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    if path == Path::new("-") {
        session.data(bytes)
    } else {
        replace(path, bytes)
    }
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
fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}
