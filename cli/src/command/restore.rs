//! `zhao restore`: an office from a backup, once it is proved that nothing is missing or changed.
//!
//! The order of proof: every file is the manifest's, and there is no other; the log agrees with
//! itself and with its newest head, its intent and the witness's memory; the records agree with the
//! log row by row. Only then does the directory get its name. What a witness elsewhere has seen
//! beyond that is found when the office starts, as always; `--head` finds it before.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use zhao_spec::log::LogKeys;
use zhao_spec::wire::{UnixMillis, clip};

use super::backup::{Entry, FORMAT, MANIFEST, Manifest, checkpoint as stated, walk};
use super::fsck::{Both, check_both};
use super::migrate;
use super::office::{keyring, own_trust};
use super::prove::Log;
use crate::args::Restore;
use crate::failure::{Exit, Failure, args, because};
use crate::files;
use crate::home::Home;
use crate::session::Session;
use crate::sheet::Sheet;
use crate::values::show_time;

/// Largest manifest, bytes: some hundred thousand files.
const MANIFEST_BYTES: usize = 64 << 20;
/// Largest note of a head, bytes.
const NOTE_BYTES: usize = 64 << 10;

/// Runs the command.
///
/// # Errors
/// A backup that is not whole, is not as it was made, or is too old.
pub(crate) fn run(session: &Session, command: &Restore) -> Result<Exit, Failure> {
    files::must_be_new(&command.dir)?;
    let watch = session.host.stopwatch();
    let manifest = manifest(command)?;
    let partial = Partial::make(&command.dir)?;
    copy(&command.backup, &partial.0, &manifest)?;
    let (both, time) = prove(session, &partial.0, &manifest, command)?;
    files::name_dir(&partial.0, &command.dir, &mut files::sync_names)?;
    let seconds = watch.read().as_secs_f64();
    if command.json {
        let value = serde_json::json!({
            "fsck": both.json(session),
            "made": manifest.made,
            "recoveryPoint": time.0,
            "root": manifest.root,
            "seconds": seconds,
            "size": manifest.size,
        });
        session.line(&value.to_string())?;
        return Ok(Exit::Fine);
    }
    let (path, size) = (command.dir.display(), manifest.size);
    let point = show_time(time);
    session.say("backup.restored", &args![path, size, time = point])?;
    if both.pending() > 0 {
        let count = both.pending();
        session.say("backup.pending", &args![count])?;
    }
    let mut sheet = Sheet::new(session);
    sheet
        .row("backup-made", show_time(UnixMillis(manifest.made)))
        .row("backup-head", &manifest.root)
        .row("backup-rpo", point)
        .row("backup-rto", format!("{seconds:.1} s"));
    sheet.print()?;
    Ok(Exit::Fine)
}

/// A directory that is being made; gone again unless it got its name.
struct Partial(PathBuf);

impl Partial {
    fn make(dir: &Path) -> Result<Self, Failure> {
        let mut name = dir.file_name().unwrap_or(dir.as_os_str()).to_owned();
        name.push(".restoring");
        let path = dir.with_file_name(name);
        files::must_be_new(&path)?;
        files::make_dir(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // After the renaming there is nothing.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn changed(cause: impl std::fmt::Display) -> Failure {
    Failure::refused("backup-manifest", args![cause])
}

fn manifest(command: &Restore) -> Result<Manifest, Failure> {
    let path = command.backup.join(MANIFEST);
    let bytes = files::read(&path, MANIFEST_BYTES)?;
    if let Some(expected) = &command.manifest {
        let actual = blake3::hash(&bytes).to_hex();
        if actual.as_str() != expected {
            let expected = clip(expected);
            return Err(changed(format!("manifest {actual}, expected {expected}")));
        }
    }
    let manifest: Manifest = serde_json::from_slice(&bytes).map_err(changed)?;
    if manifest.format != FORMAT {
        let actual = clip(&manifest.format);
        return Err(changed(format!("format {actual:?}, expected {FORMAT:?}")));
    }
    Ok(manifest)
}

/// Copies every file that the manifest names; it must be as stated, and there must be no other.
fn copy(from: &Path, to: &Path, manifest: &Manifest) -> Result<(), Failure> {
    let mut expected: BTreeMap<&str, &Entry> = BTreeMap::new();
    for entry in &manifest.files {
        if expected.insert(&entry.path, entry).is_some() {
            return Err(changed(format!("{} is listed twice", clip(&entry.path))));
        }
    }
    for path in walk(from)? {
        let entry = expected
            .remove(path.as_str())
            .ok_or_else(|| changed(format!("{path} is not in the manifest")))?;
        let target = to.join(&path);
        if let Some(parent) = target.parent() {
            files::make_dir(parent)?;
        }
        copy_checked(&from.join(&path), &target, entry)?;
    }
    match expected.keys().next() {
        None => Ok(()),
        Some(path) => Err(changed(format!("{} is missing", clip(path)))),
    }
}

fn copy_checked(from: &Path, to: &Path, entry: &Entry) -> Result<(), Failure> {
    let unread = |cause: std::io::Error| Failure::file("read", from, &cause);
    let unwritten = |cause: std::io::Error| Failure::file("write", to, &cause);
    let mut source = File::open(from).map_err(unread)?;
    let mode = source.metadata().map_err(unread)?.permissions();
    let mut target = File::create_new(to).map_err(unwritten)?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = source.read(&mut buffer).map_err(unread)?;
        let Some(part) = buffer.get(..read).filter(|part| !part.is_empty()) else {
            break;
        };
        hasher.update(part);
        target.write_all(part).map_err(unwritten)?;
    }
    if hasher.count() != entry.bytes {
        let (path, actual, expected) = (&entry.path, hasher.count(), entry.bytes);
        return Err(changed(format!(
            "{path} has {actual} bytes, not {expected}"
        )));
    }
    if hasher.finalize().to_hex().as_str() != entry.blake3 {
        let path = &entry.path;
        return Err(changed(format!(
            "{path} has other bytes than when it was made"
        )));
    }
    target.set_permissions(mode).map_err(unwritten)?;
    target.sync_all().map_err(unwritten)
}

/// Proves that what was copied is an office, and as new as it says. Gives the time of its newest
/// head.
fn prove(
    session: &Session,
    dir: &Path,
    manifest: &Manifest,
    command: &Restore,
) -> Result<(Both, UnixMillis), Failure> {
    let home = Home::open(dir)?;
    if home.config.origin != manifest.origin {
        let (actual, expected) = (clip(&home.config.origin), clip(&manifest.origin));
        return Err(changed(format!("log {actual:?}, expected {expected:?}")));
    }
    // An earlier program's backup is proved in this one's format.
    migrate::restored(session, &home)?;
    let mut keyring = keyring(session, &home.keys(), &command.secret)?;
    let both = check_both(session, &home, &mut keyring)?;
    if both.log_is_damaged() || !both.office_is_clean() {
        let cause = both.first(session);
        return Err(Failure::refused("backup-fsck", args![cause]));
    }
    let log = Log::open(&home)?;
    let reader = log.reader();
    let view = reader.latest().map_err(because("ledger", args![]))?;
    let ours = stated(view.note()).map_err(changed)?;
    if ours.size.0 != manifest.size || ours.root.to_string() != manifest.root {
        let (size, expected) = (ours.size, manifest.size);
        return Err(changed(format!("newest head {size}, expected {expected}")));
    }
    let time = view.epoch().time;
    check_witness(&home, both.ledger.size)?;
    if let Some(path) = &command.head {
        check_head(&home, path, ours.size.0)?;
    }
    Ok((both, time))
}

/// What the witness in the backup has seen, the log in it must have.
fn check_witness(home: &Home, size: u64) -> Result<(), Failure> {
    for name in walk(&home.witness())? {
        let bytes = files::read(&home.witness().join(name), NOTE_BYTES)?;
        let seen = std::str::from_utf8(&bytes)
            .ok()
            .and_then(|note| stated(note).ok());
        if let Some(seen) = seen.filter(|seen| seen.origin == home.config.origin)
            && seen.size.0 > size
        {
            let (ours, theirs) = (size, seen.size);
            return Err(Failure::refused("backup-witness", args![ours, theirs]));
        }
    }
    Ok(())
}

/// A head that was seen elsewhere must not be newer than the backup.
fn check_head(home: &Home, path: &Path, ours: u64) -> Result<(), Failure> {
    let note = files::read_text(path, NOTE_BYTES)?;
    let trust = own_trust(home)?;
    let origin = &home.config.origin;
    let log = LogKeys::of(trust.policy(), origin);
    let log = log.ok_or_else(|| Failure::usage("policy-other-log", args![origin]))?;
    let opened = log.open(&note);
    let path = path.display();
    let (head, _) = opened.map_err(|cause| Failure::refused("backup-head", args![path, cause]))?;
    if head.size.0 > ours {
        let theirs = head.size;
        return Err(Failure::refused("backup-older", args![path, ours, theirs]));
    }
    Ok(())
}
