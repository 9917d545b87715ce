//! `zhao migrate`: databases of an earlier format made anew in this program's, or damaged ones.
//!
//! An office has two, the log's and its auditor's; a mirror or an auditor elsewhere has one. They
//! are done one after the other, each as a whole or not at all; whichever an interrupted run left
//! is done by the next.

use std::path::{Path, PathBuf};

use zhao_ledger::fsck::RebuildError;
use zhao_ledger::migrate::{MigrateError, Migrated, Migration, Told, is_unfinished};
use zhao_ledger::store::StoreError;
use zhao_ledger::store::files::{Directory, Files};
use zhao_ledger::store::layout::FORMAT;
use zhao_spec::log::LogKeys;

use super::office::own_trust;
use crate::args::Migrate;
use crate::database;
use crate::failure::{Exit, Failure, args};
use crate::home::{Home, Lock, lock};
use crate::mirror;
use crate::session::Session;

/// One database of a directory.
struct One {
    path: PathBuf,
    /// Where the files beside it are; an auditor's has none.
    beside: Option<PathBuf>,
    /// The message where there is none.
    missing: &'static str,
}

/// The databases of a directory, and whose they are.
struct All {
    dir: PathBuf,
    log: LogKeys,
    databases: Vec<One>,
    _lock: Option<Lock>,
}

/// Runs the command.
///
/// # Errors
/// A directory that is none or is in use, a newer format, leaves that are damaged, or the disk.
pub(crate) fn run(session: &Session, command: &Migrate) -> Result<Exit, Failure> {
    let all = match mirror::copy_in(&command.dir)? {
        Some((log, path)) => All {
            _lock: Some(lock(&command.dir, || false)?),
            databases: vec![One {
                path,
                beside: None,
                missing: "database-missing",
            }],
            dir: command.dir.clone(),
            log,
        },
        None => {
            let home = Home::open(&command.dir)?;
            let lock = home.lock()?;
            of_home(&home, Some(lock))?
        }
    };
    let mut said = Vec::new();
    for one in &all.databases {
        let done = migrate(session, &all, one, command.rebuild)?;
        // What is done stays done, whatever comes of the next.
        if !command.json {
            say(session, one, &done)?;
        }
        said.push(json(one, &done));
    }
    if command.json {
        let value = serde_json::json!({ "databases": said, "format": FORMAT });
        session.line(&value.to_string())?;
    }
    Ok(Exit::Fine)
}

/// Brings what was restored from a backup of an earlier program to this one's format. Nothing of
/// the old is kept: the backup has it.
///
/// # Errors
/// As [`run`].
pub(super) fn restored(session: &Session, home: &Home) -> Result<(), Failure> {
    let all = of_home(home, None)?;
    // One that is not there at all is told by the proof.
    for one in all.databases.iter().filter(|one| one.path.exists()) {
        if let Migrated::Made { kept, .. } = migrate(session, &all, one, false)? {
            let removed = std::fs::remove_dir_all(&kept);
            removed.map_err(|cause| Failure::file("remove", &kept, &cause))?;
        }
    }
    Ok(())
}

fn of_home(home: &Home, lock: Option<Lock>) -> Result<All, Failure> {
    let trust = own_trust(home)?;
    let origin = &home.config.origin;
    let log = LogKeys::of(trust.policy(), origin)
        .ok_or_else(|| Failure::usage("policy-other-log", args![origin]))?;
    let databases = vec![
        One {
            path: home.database(),
            beside: Some(home.ledger()),
            missing: "database-missing",
        },
        One {
            path: home.auditor().join("db"),
            beside: None,
            missing: "auditor-missing",
        },
    ];
    Ok(All {
        dir: home.dir().to_owned(),
        log,
        databases,
        _lock: lock,
    })
}

fn migrate(session: &Session, all: &All, one: &One, rebuild: bool) -> Result<Migrated, Failure> {
    let wrong = |cause: &dyn std::fmt::Display| {
        Failure::usage("migrate", args![path = one.path.display(), cause])
    };
    // Before the directory of the files beside it would be made.
    let there = one.path.exists() || is_unfinished(&one.path);
    if !there {
        return Err(database::missing(&all.dir, &one.path, one.missing));
    }
    let scratch = tempfile::tempdir().map_err(|cause| wrong(&cause))?;
    let files = one.beside.as_deref().map(Directory::open);
    let files = files.transpose().map_err(|cause| wrong(&cause))?;
    let migration = Migration {
        database: &one.path,
        scratch: scratch.path(),
        log: &all.log,
        files: files.as_ref().map(|files| files as &dyn Files),
        rebuild,
    };
    let progress = session.progress(0, &session.messages.text("migrate.progress"));
    let done = migration.run(&|told| {
        if let Told::Leaves(done, all) = told {
            progress.set_length(all);
            progress.set_position(done);
        }
        true
    });
    progress.finish_and_clear();
    done.map_err(|error| failed(&all.dir, one, error))
}

fn failed(dir: &Path, one: &One, error: MigrateError) -> Failure {
    let path = one.path.display();
    match error {
        MigrateError::Newer { expected, actual } => {
            database::format(dir, &one.path, expected, actual)
        }
        MigrateError::Rebuild(RebuildError::Store(StoreError::NoDatabase { .. })) => {
            database::missing(dir, &one.path, one.missing)
        }
        cause if cause.is_damage() => Failure::refused("migrate-damaged", args![path, cause]),
        cause => Failure::usage("migrate", args![path, cause]),
    }
}

fn say(session: &Session, one: &One, done: &Migrated) -> Result<(), Failure> {
    let (path, format) = (one.path.display(), FORMAT);
    match done {
        Migrated::Present => session.say("migrate.present", &args![path, format]),
        Migrated::Finished => session.say("migrate.finished", &args![path, format]),
        Migrated::Made { from, leaves, kept } => {
            let kept = kept.display();
            session.say("migrate.made", &args![path, format, from, leaves, kept])
        }
    }
}

fn json(one: &One, done: &Migrated) -> serde_json::Value {
    let path = one.path.display().to_string();
    match done {
        Migrated::Present => serde_json::json!({ "done": "nothing", "path": path }),
        Migrated::Finished => serde_json::json!({ "done": "finished", "path": path }),
        Migrated::Made { from, leaves, kept } => serde_json::json!({
            "done": "made",
            "from": from,
            "kept": kept.display().to_string(),
            "leaves": leaves,
            "path": path,
        }),
    }
}
