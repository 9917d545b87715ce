//! `zhao backup`: one consistent copy of an office, while it works.
//!
//! What is copied when, and why. First what trails the log: the memory of witness and auditor; they
//! are then never ahead of the copied log, which would look like a log that lost its end. Then the
//! cut: nobody can write the records while the log is frozen as of the same moment. Every event is
//! in the records before the log can have it, and every receipt is in the log before the records
//! can have it; so in the copies the log holds nothing that the records do not know, and the
//! records hold no receipt that the log cannot prove. What was on its way is pending, and is sent
//! again. Last what leads: keys and catalogue, which are written before the first event that needs
//! them. The intent is the newest head of the copied log, if it is newer than the file's.
//!
//! Then the copied log is checked as `zhao fsck --ledger-only` does: a backup that was not looked
//! at is a hope. What needs a passphrase, receipts against published heads, is checked at the
//! restoration.

use std::fs::{DirBuilder, File};
use std::io::Read as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use zhao_issuer::records::Moment;
use zhao_ledger::sequence::CHECKPOINT_FILE;
use zhao_ledger::sequence::intent::{self, Intent};
use zhao_ledger::store::files::{Directory, Files as _};
use zhao_ledger::store::layout::Heads;
use zhao_ledger::store::rocks::Rocks;
use zhao_ledger::store::{self};
use zhao_spec::log::checkpoint::Checkpoint;
use zhao_spec::log::note::SignedNote;
use zhao_spec::log::tree::TreeSize;
use zhao_spec::wire::UnixMillis;

use super::fsck::check_alone;
use crate::args::Backup;
use crate::database;
use crate::failure::{Exit, Failure, args, because};
use crate::files;
use crate::home::Home;
use crate::session::Session;
use crate::sheet::Sheet;
use crate::values::show_time;

/// Name of the manifest in a backup.
pub(super) const MANIFEST: &str = "manifest.json";
/// How often a copy is made before what is wrong with it counts as the log's own.
const ATTEMPTS: usize = 3;
/// What a file that was merged into another during the copy looks like; and a lost one too.
const UNPROVEN: [&str; 2] = ["backup-behind", "backup-damaged"];
/// How often a log that is being written is looked at before a file of it counts as lost.
const LOOKS: usize = 20;
/// What it says first.
pub(super) const FORMAT: &str = "zhao/v1 backup";

/// One file of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    /// Its hash, hexadecimal.
    pub(super) blake3: String,
    /// Its length.
    pub(super) bytes: u64,
    /// Relative to the backup.
    pub(super) path: String,
}

/// What a backup consists of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    /// All files but the manifest, by path.
    pub(super) files: Vec<Entry>,
    /// [`FORMAT`].
    pub(super) format: String,
    /// Milliseconds since 1970.
    pub(super) made: u64,
    /// The log.
    pub(super) origin: String,
    /// Root of the newest published head in it.
    pub(super) root: String,
    /// Its size.
    pub(super) size: u64,
}

/// Runs the command.
///
/// # Errors
/// No office there, a place where something is, or the disk.
pub(crate) fn run(session: &Session, command: &Backup) -> Result<Exit, Failure> {
    let home = Home::open(&command.dir)?;
    let out = &command.output;
    files::must_be_new(out)?;
    let watch = session.host.stopwatch();
    let mut attempt = 1;
    let (checkpoint, held) = loop {
        let made = DirBuilder::new().mode(0o700).recursive(true).create(out);
        made.map_err(|cause| Failure::file("create", out, &cause))?;
        let copied = copy(session, &home, out);
        let proven = copied.and_then(|copied| prove(session, out).map(|()| copied));
        match proven {
            Err(failure) if UNPROVEN.contains(&failure.key()) && attempt < ATTEMPTS => attempt += 1,
            proven => break proven?,
        }
        let gone = std::fs::remove_dir_all(out);
        gone.map_err(|cause| Failure::file("remove", out, &cause))?;
    };
    let manifest = Manifest {
        files: list(out)?,
        format: FORMAT.to_owned(),
        made: session.host.now()?.0,
        origin: home.config.origin.clone(),
        root: checkpoint.root.to_string(),
        size: checkpoint.size.0,
    };
    let mut bytes = serde_json::to_vec(&manifest).map_err(because("backup", args![]))?;
    bytes.push(b'\n');
    files::replace(&out.join(MANIFEST), &bytes)?;
    files::sync_tree(out, &mut files::sync_names)?;
    let above = files::parent(out);
    files::sync_names(&above).map_err(|cause| Failure::file("write", &above, &cause))?;
    let hash = blake3::hash(&bytes).to_hex().to_string();
    let total: u64 = manifest.files.iter().map(|file| file.bytes).sum();
    let seconds = watch.read().as_secs_f64();
    if command.json {
        let value = serde_json::json!({
            "bytes": total,
            "files": manifest.files.len(),
            "heldMillis": held.as_secs_f64() * 1_000.0,
            "made": manifest.made,
            "manifest": hash,
            "root": manifest.root,
            "seconds": seconds,
            "size": manifest.size,
        });
        session.line(&value.to_string())?;
        return Ok(Exit::Fine);
    }
    let (path, size) = (home.dir().display(), manifest.size);
    session.say("backup.done", &args![path, size])?;
    let mut sheet = Sheet::new(session);
    sheet
        .row("backup-made", show_time(UnixMillis(manifest.made)))
        .row("backup-head", &manifest.root)
        .row("backup-files", manifest.files.len().to_string())
        .row("backup-bytes", total.to_string())
        .row("backup-manifest", hash)
        .row("backup-held", format!("{} ms", held.as_millis()))
        .row("backup-took", format!("{seconds:.1} s"));
    sheet.print()?;
    Ok(Exit::Fine)
}

/// Copies the office. Gives its newest head, and how long nobody could write the records.
fn copy(session: &Session, home: &Home, out: &Path) -> Result<(Checkpoint, Duration), Failure> {
    let wrong = |cause: &dyn std::fmt::Display| Failure::usage("backup", args![cause]);
    let scratch = tempfile::tempdir().map_err(|cause| wrong(&cause))?;
    let place = |dir: &Path| out.join(dir.strip_prefix(home.dir()).unwrap_or(dir));
    let freeze = |path: &Path, name: &str| {
        Rocks::frozen(path, &scratch.path().join(name)).map_err(|cause| {
            let otherwise = because("backup", args![]);
            database::unopened(home.dir(), path, cause, otherwise)
        })
    };
    // What trails the log.
    copy_files(&home.witness(), &place(&home.witness()))?;
    copy_files(&home.auditor(), &place(&home.auditor()))?;
    let memory = home.auditor().join("db");
    freeze(&memory, "auditor")?
        .copy_to(&place(&memory))
        .map_err(because("backup", args![]))?;
    let before = beside_log(home, intent::FILE)?.ok_or_else(|| wrong(&"the log has no intent"))?;
    let before = Intent::parse(&before).map_err(because("backup", args![]))?;
    // The cut. What takes long, reading what the log's writer has not put into tables yet, is done
    // before it.
    let log = freeze(&home.database(), "log")?;
    let mut moment = Moment::hold(&home.records())
        .map_err(because("records", args![path = home.records().display()]))?;
    let watch = session.host.stopwatch();
    catch_up(home, &log)?;
    moment.release();
    let held = watch.read();
    files::make_dir(&place(&home.ledger()))?;
    log.copy_to(&place(&home.database()))
        .map_err(because("backup", args![]))?;
    moment
        .write(&place(&home.records()))
        .map_err(because("records", args![path = home.records().display()]))?;
    let (note, checkpoint) = newest(&log)?.ok_or_else(|| wrong(&"nothing is published"))?;
    let intended = Intent {
        origin: checkpoint.origin.clone(),
        root: checkpoint.root,
        size: checkpoint.size,
    };
    let intended = if before.size > intended.size {
        before
    } else {
        intended
    };
    let beside = place(&home.ledger());
    files::replace(&beside.join(intent::FILE), &intended.bytes())?;
    files::replace(&beside.join(CHECKPOINT_FILE), &note)?;
    // What leads.
    files::copy_dir(&home.keys(), &place(&home.keys()))?;
    files::copy_dir(&home.catalogue(), &place(&home.catalogue()))?;
    for path in [home.policy(), home.trust(), home.pack()] {
        copy_file(&path, &place(&path))?;
    }
    copy_file(&home.dir().join("zhao.toml"), &out.join("zhao.toml"))?;
    Ok((checkpoint, held))
}

/// Proves that the copied log is whole: where the engine misses a file it reads the family of that
/// file as it was before, and says nothing.
fn prove(session: &Session, out: &Path) -> Result<(), Failure> {
    let both = check_alone(&Home::open(out)?)?;
    if both.log_is_damaged() {
        let cause = both.first(session);
        return Err(Failure::refused("backup-damaged", args![cause]));
    }
    Ok(())
}

/// Brings the frozen log up to this moment.
///
/// Where a file is gone the engine falls back, without a word, to an older state whose files are
/// all there. So what is published is asked for first, and the frozen log must reach it.
fn catch_up(home: &Home, log: &Rocks) -> Result<(), Failure> {
    let wrong = |cause: &dyn std::fmt::Display| Failure::usage("backup", args![cause]);
    let published = match beside_log(home, CHECKPOINT_FILE)? {
        None => TreeSize(0),
        Some(note) => {
            checkpoint(&String::from_utf8_lossy(&note))
                .map_err(|cause| wrong(&cause))?
                .size
        }
    };
    let mut reached = TreeSize(0);
    for _ in 0..LOOKS {
        log.catch_up().map_err(because("backup", args![]))?;
        reached = newest(log)?.map_or(TreeSize(0), |(_, newest)| newest.size);
        if reached >= published {
            return Ok(());
        }
    }
    Err(Failure::refused(
        "backup-behind",
        args![ours = reached, theirs = published],
    ))
}

/// A file beside the log's database.
fn beside_log(home: &Home, name: &str) -> Result<Option<Vec<u8>>, Failure> {
    Directory::open(&home.ledger())
        .and_then(|files| files.read(name))
        .map_err(because("backup", args![]))
}

/// The newest published head, and what it states.
fn newest(log: &Rocks) -> Result<Option<(Vec<u8>, Checkpoint)>, Failure> {
    let head = store::last::<Heads>(log).map_err(because("backup", args![]))?;
    let Some((_, note)) = head else {
        return Ok(None);
    };
    let checkpoint = checkpoint(&String::from_utf8_lossy(&note))
        .map_err(|cause| Failure::usage("backup", args![cause]))?;
    Ok(Some((note, checkpoint)))
}

/// The checkpoint that a note states. Whose signatures it has, others judge.
pub(super) fn checkpoint(note: &str) -> Result<Checkpoint, String> {
    let note = SignedNote::parse(note).map_err(|error| error.to_string())?;
    Checkpoint::parse(note.text()).map_err(|error| error.to_string())
}

/// The files of a directory, not what is in directories below. One that is replaced meanwhile may
/// be gone: its newer one is there.
fn copy_files(from: &Path, to: &Path) -> Result<(), Failure> {
    files::make_dir(to)?;
    let wrap = |cause: std::io::Error| Failure::file("read", from, &cause);
    for entry in std::fs::read_dir(from).map_err(wrap)? {
        let entry = entry.map_err(wrap)?;
        if entry.file_type().is_ok_and(|kind| kind.is_file()) {
            copy_file(&entry.path(), &to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

fn copy_file(from: &Path, to: &Path) -> Result<(), Failure> {
    match std::fs::copy(from, to) {
        Ok(_) => Ok(()),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(cause) => Err(Failure::file("write", to, &cause)),
    }
}

/// Every file of a backup but its manifest, by path, with its hash; durable from now on.
fn list(out: &Path) -> Result<Vec<Entry>, Failure> {
    let mut entries = Vec::new();
    for path in walk(out)? {
        let full = out.join(&path);
        let wrap = |cause: std::io::Error| Failure::file("read", &full, &cause);
        let mut file = File::open(&full).map_err(wrap)?;
        let (blake3, bytes) = hash(&mut file).map_err(wrap)?;
        file.sync_all().map_err(wrap)?;
        entries.push(Entry {
            blake3,
            bytes,
            path,
        });
    }
    Ok(entries)
}

/// Hash and length of what is read.
pub(super) fn hash(file: &mut File) -> Result<(String, u64), std::io::Error> {
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut buffer)?;
        let Some(part) = buffer.get(..read).filter(|part| !part.is_empty()) else {
            return Ok((hasher.finalize().to_hex().to_string(), hasher.count()));
        };
        hasher.update(part);
    }
}

/// Relative paths of all files below a directory but a manifest, in order.
pub(super) fn walk(root: &Path) -> Result<Vec<String>, Failure> {
    let mut found = Vec::new();
    let mut left = vec![PathBuf::new()];
    while let Some(below) = left.pop() {
        let dir = root.join(&below);
        let wrap = |cause: std::io::Error| Failure::file("read", &dir, &cause);
        for entry in std::fs::read_dir(&dir).map_err(wrap)? {
            let entry = entry.map_err(wrap)?;
            let path = below.join(entry.file_name());
            let kind = entry.file_type().map_err(wrap)?;
            if kind.is_dir() {
                left.push(path);
                continue;
            }
            let text = path.to_str().filter(|_| kind.is_file());
            let text = text.ok_or_else(|| {
                let cause = format!("{} is no plain file", path.display());
                Failure::refused("backup-manifest", args![cause])
            })?;
            if text != MANIFEST {
                found.push(text.to_owned());
            }
        }
    }
    found.sort();
    Ok(found)
}
