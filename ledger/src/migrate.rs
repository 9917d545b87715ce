//! A database of an earlier format made anew in this program's, and put in its place.
//!
//! Only what is the same in every format is read of the old one ([`Family::STABLE`]); everything
//! else follows from the leaves ([`rebuild`]). So this is the way out of a damaged derived family
//! too, where the format is the present one. The old database is opened for reading and never
//! changed; the intent beside it stays what it is, and must agree with the new one before that
//! gets the old one's name.
//!
//! What stands where when the process ends after a stage, and what the next run does. `db` is the
//! database's name, N the old format:
//!
//! | ended after | `db` | `db.migrating` | `db.migrated` | `db.format-N` | the next run |
//! |---|---|---|---|---|---|
//! | nothing | old | | | | begins |
//! | [`Stage::Begun`] to [`Stage::Checked`] | old | a part | | | removes that, begins |
//! | [`Stage::Ready`] | old | | new, whole | | the same: the old may have grown |
//! | [`Stage::Aside`] | | | new, whole | old | checks the new, names it |
//! | [`Stage::InPlace`] | new | | | old | finds nothing to do |
//!
//! `db.format-N` stays until the operator deletes it. The caller holds the lock of the directory.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use zhao_spec::log::LogKeys;
use zhao_spec::log::tree::TreeSize;

use crate::fsck::{RebuildError, rebuild};
use crate::sequence::CHECKPOINT_FILE;
use crate::sequence::intent::{self, Intent};
use crate::sequence::recover::committed_size;
use crate::sequence::second_log::log_root;
use crate::store::files::Files;
#[cfg(doc)]
use crate::store::layout::Family;
use crate::store::layout::{FORMAT, Heads, Leaves};
use crate::store::rocks::Rocks;
use crate::store::{self, StoreError, format_of};

#[cfg(test)]
mod tests;

/// Old databases of one format that may lie beside the new one.
const KEPT: u32 = 1_000;

/// How far a migration has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// An empty new database is there.
    Begun,
    /// Every leaf is in it, and it is durable.
    Replayed,
    /// It agrees with the intent and the published heads.
    Checked,
    /// It has the name of a whole one.
    Ready,
    /// The old one has been put aside.
    Aside,
    /// The new one has its name.
    InPlace,
}

impl Stage {
    /// All of them, in order.
    pub const ALL: [Self; 6] = [
        Self::Begun,
        Self::Replayed,
        Self::Checked,
        Self::Ready,
        Self::Aside,
        Self::InPlace,
    ];
}

/// What a migration tells while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// So many leaves of so many are replayed.
    Leaves(u64, u64),
    /// A stage is reached, durably.
    Stage(Stage),
}

/// What a migration did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Migrated {
    /// The database has this program's format: nothing.
    Present,
    /// An earlier run had made the database and did not live to name it: that.
    Finished,
    /// A new database is in place.
    Made {
        /// Format of the old one.
        from: u64,
        /// Leaves in it.
        leaves: u64,
        /// Where the old one is kept.
        kept: PathBuf,
    },
}

/// Why a database was not migrated. But for [`MigrateError::Disk`] while names are changed, the old
/// one is in its place and as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MigrateError {
    /// A file of ours beside the database does not agree with it.
    #[error("{file}: {problem}")]
    Beside {
        /// Name of the file.
        file: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// The operating system refuses.
    #[error("cannot {act} {path}: {problem}")]
    Disk {
        /// What was tried.
        act: &'static str,
        /// With what.
        path: String,
        /// The operating system's text.
        problem: String,
    },
    /// A new one could not take its place by renaming.
    #[error("{path} is on another disk than its directory, so nothing can take its place at once")]
    ElsewhereMounted {
        /// The database.
        path: String,
    },
    /// The database states a later format than this program's.
    #[error(
        "database has format version {actual}, this program reads version {expected}: it was made \
         by a newer program"
    )]
    Newer {
        /// [`FORMAT`].
        expected: u64,
        /// Found in the database.
        actual: u64,
    },
    /// Whoever was told of a stage ended it there.
    #[error("stopped")]
    Stopped,
    /// The leaves and heads are not an honest log's, or a database cannot be read or written.
    #[error("{0}")]
    Rebuild(#[from] RebuildError),
    /// The database states no format.
    #[error("the database does not state its format: it holds no log")]
    Unmarked,
}

impl From<StoreError> for MigrateError {
    fn from(error: StoreError) -> Self {
        match error {
            // Not even the stable families are as they were.
            StoreError::Format { expected, actual } if actual > expected => {
                Self::Newer { expected, actual }
            }
            error => Self::Rebuild(error.into()),
        }
    }
}

impl MigrateError {
    /// Whether what is stored is wrong, rather than the disk or the asking.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Beside { .. } => true,
            Self::Rebuild(RebuildError::Store(error)) => {
                matches!(
                    error,
                    StoreError::Corrupt { .. } | StoreError::Missing { .. }
                )
            }
            Self::Rebuild(_) => true,
            _ => false,
        }
    }
}

/// One database to migrate.
#[derive(Clone, Copy)]
pub struct Migration<'a> {
    /// Its directory.
    pub database: &'a Path,
    /// An empty directory for the engine's own log.
    pub scratch: &'a Path,
    /// The log it is of.
    pub log: &'a LogKeys,
    /// The files beside it: an auditor's has none.
    pub files: Option<&'a dyn Files>,
    /// Make it anew even if it has this program's format.
    pub rebuild: bool,
}

impl std::fmt::Debug for Migration<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Migration")
            .field("database", &self.database)
            .field("rebuild", &self.rebuild)
            .finish_non_exhaustive()
    }
}

/// Whether a migration was ended between the two renamings: there is no database of this name, and
/// the next run gives one.
#[must_use]
pub fn is_unfinished(database: &Path) -> bool {
    let ready = beside(database, "migrated");
    !there(database) && Rocks::exists(&ready)
}

impl Migration<'_> {
    /// Runs it, or finishes the one that was ended. `tell` is told of everything; if it answers
    /// false the migration ends there, and nothing is tidied up, as if the process had been killed.
    ///
    /// # Errors
    /// See [`MigrateError`].
    pub fn run(&self, tell: &dyn Fn(Told) -> bool) -> Result<Migrated, MigrateError> {
        if is_unfinished(self.database) {
            return self.finish(tell);
        }
        self.clear()?;
        let old = Rocks::stable(self.database, self.scratch)?;
        let from = format_of(&old)?.ok_or(MigrateError::Unmarked)?;
        if from > FORMAT {
            let (expected, actual) = (FORMAT, from);
            return Err(MigrateError::Newer { expected, actual });
        }
        if from == FORMAT && !self.rebuild {
            return Ok(Migrated::Present);
        }
        let kept = self.kept(from)?;
        let making = self.making();
        let made = self.make(&old, tell);
        // Nobody reads it any more when its name changes.
        drop(old);
        if let Err(error) = &made
            && *error != MigrateError::Stopped
        {
            // A full disk gets its room back. What went wrong is the news, not this.
            let _ = fs::remove_dir_all(&making);
        }
        let leaves = made?;
        rename(&making, &self.ready())?;
        reached(tell, Stage::Ready)?;
        rename(self.database, &kept)?;
        reached(tell, Stage::Aside)?;
        self.name(tell)?;
        Ok(Migrated::Made { from, leaves, kept })
    }

    fn making(&self) -> PathBuf {
        beside(self.database, "migrating")
    }

    fn ready(&self) -> PathBuf {
        beside(self.database, "migrated")
    }

    /// Where the old database will be kept: a name that nothing has, on the same disk.
    fn kept(&self, from: u64) -> Result<PathBuf, MigrateError> {
        let device = |path: &Path| {
            let found = fs::metadata(path).map_err(|error| disk("read", path, &error))?;
            Ok::<_, MigrateError>(found.dev())
        };
        if device(self.database)? != device(&parent(self.database))? {
            let path = self.database.to_string_lossy().into_owned();
            return Err(MigrateError::ElsewhereMounted { path });
        }
        let first = beside(self.database, &format!("format-{from}"));
        let more = (2..KEPT).map(|n| beside(self.database, &format!("format-{from}.{n}")));
        let mut names = std::iter::once(first.clone()).chain(more);
        names.find(|name| !there(name)).ok_or_else(|| {
            let error = io::Error::from(io::ErrorKind::AlreadyExists);
            disk("create", &first, &error)
        })
    }

    /// Removes what an earlier run left that is no use: the old database is in its place.
    fn clear(&self) -> Result<(), MigrateError> {
        let (making, ready) = (self.making(), self.ready());
        let remove = |path: &Path| match fs::remove_dir_all(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(disk("remove", path, &error))
            }
            _ => Ok(()),
        };
        remove(&making)?;
        if there(&ready) {
            // Under the name of a part while it becomes one.
            rename(&ready, &making)?;
            remove(&making)?;
        }
        Ok(())
    }

    /// Makes the new database beside the old one, and checks it. Gives the number of leaves.
    fn make(&self, old: &Rocks, tell: &dyn Fn(Told) -> bool) -> Result<u64, MigrateError> {
        // Found out before hours of work, where it can be.
        let last = store::last::<Leaves>(old)?.map_or(0, |(at, _)| at.0.saturating_add(1));
        self.intent(TreeSize(last))?;
        let making = self.making();
        let new = Rocks::build(&making)?;
        reached(tell, Stage::Begun)?;
        let step = |done, all| {
            tell(Told::Leaves(done, all));
        };
        let leaves = rebuild(old, &new, self.log, &step)?;
        new.settle()?;
        reached(tell, Stage::Replayed)?;
        self.check(&making)?;
        reached(tell, Stage::Checked)?;
        Ok(leaves)
    }

    /// Whether the new database, as it is on disk, agrees with the files beside it.
    fn check(&self, path: &Path) -> Result<(), MigrateError> {
        let new = Rocks::open(path)?;
        let size = committed_size(&new)?;
        let Some(intent) = self.intent(size)? else {
            return Ok(());
        };
        let wrong = |file, problem: String| Err(MigrateError::Beside { file, problem });
        let root = log_root(&new, intent.size, &[])?;
        if root != intent.root {
            let (size, intent) = (intent.size, intent.root);
            let problem = format!("states root {intent} at size {size}, the leaves have {root}");
            return wrong(intent::FILE, problem);
        }
        let newest = store::last::<Heads>(&new)?.map_or(0, |(size, _)| size);
        if newest > intent.size.0 {
            let problem = format!("size {} is older than the head of {newest}", intent.size);
            return wrong(intent::FILE, problem);
        }
        let published = self.files.map(|files| files.read(CHECKPOINT_FILE));
        let Some(note) = published.transpose()?.flatten() else {
            return Ok(());
        };
        let text = String::from_utf8_lossy(&note);
        match self.log.open(&text) {
            Err(error) => wrong(CHECKPOINT_FILE, error.to_string()),
            Ok((head, _)) if head.size.0 > newest => {
                let size = head.size;
                wrong(
                    CHECKPOINT_FILE,
                    format!("the database has no head of {size}"),
                )
            }
            Ok(_) => Ok(()),
        }
    }

    /// The intent, which must not be beyond `size`; nothing where there are no such files.
    fn intent(&self, size: TreeSize) -> Result<Option<Intent>, MigrateError> {
        let Some(files) = self.files else {
            return Ok(None);
        };
        let wrong = |problem: String| MigrateError::Beside {
            file: intent::FILE,
            problem,
        };
        let bytes = files.read(intent::FILE)?;
        let bytes = bytes.ok_or_else(|| wrong("missing".to_owned()))?;
        let intent = Intent::parse(&bytes).map_err(|error| wrong(error.to_string()))?;
        if intent.origin != self.log.origin() {
            return Err(wrong("of another log".to_owned()));
        }
        if intent.size > size {
            let ours = intent.size;
            return Err(wrong(format!(
                "size {ours} is beyond the database's {size}: an older one was restored"
            )));
        }
        Ok(Some(intent))
    }

    /// Goes on where a run was ended between the two renamings.
    fn finish(&self, tell: &dyn Fn(Told) -> bool) -> Result<Migrated, MigrateError> {
        self.check(&self.ready())?;
        self.name(tell)?;
        Ok(Migrated::Finished)
    }

    fn name(&self, tell: &dyn Fn(Told) -> bool) -> Result<(), MigrateError> {
        rename(&self.ready(), self.database)?;
        reached(tell, Stage::InPlace)
    }
}

fn reached(tell: &dyn Fn(Told) -> bool, stage: Stage) -> Result<(), MigrateError> {
    match tell(Told::Stage(stage)) {
        true => Ok(()),
        false => Err(MigrateError::Stopped),
    }
}

/// `db.END` beside `db`.
fn beside(database: &Path, end: &str) -> PathBuf {
    let mut name = database.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(end);
    database.with_file_name(name)
}

fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Whether anything has this name, a dangling link too.
fn there(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Gives a directory another name beside it, durably.
fn rename(from: &Path, to: &Path) -> Result<(), MigrateError> {
    fs::rename(from, to).map_err(|error| disk("rename", from, &error))?;
    let folder = parent(to);
    File::open(&folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| disk("sync", &folder, &error))
}

fn disk(act: &'static str, path: &Path, error: &io::Error) -> MigrateError {
    MigrateError::Disk {
        act,
        path: path.to_string_lossy().into_owned(),
        problem: error.to_string(),
    }
}
