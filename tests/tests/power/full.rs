//! A full disk: a small file system in memory, mounted where only one process sees it.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use zhao_ledger::sequence::{CommitError, StartError};
use zhao_ledger::store::StoreError;
use zhao_tests::promise::{Checked, ensure};
use zhao_tests::small_disk;

use crate::machine::{Machine, Running, quick_folder};
use crate::memory::{Memory, Unanswered};

/// The variable with the folder of the small disk.
const FOLDER: &str = "ZHAO_SMALL_DISK";
/// Size of the disk: a little log, its auditor's, and a start beside what a start leaves.
const DISK: &str = "size=32m";
/// Bytes left free, in the order in which it is filled again and again.
const ROOM: [u64; 8] = [200_000, 0, 40_000, 4_096, 90_000, 12_288, 400_000, 61_440];
const NO_SPACE: &str = "No space left on device";

#[expect(
    clippy::disallowed_methods,
    reason = "a process is told its disk by the environment"
)]
pub(crate) fn told() -> Option<PathBuf> {
    std::env::var_os(FOLDER).map(PathBuf::from)
}

/// Runs a test of this program alone, on a small disk of its own.
///
/// # Errors
/// This kernel lets nobody mount one; the words are its own.
pub(crate) fn run(test: &str) -> Checked {
    let folder = quick_folder();
    small_disk::run(test, FOLDER, folder.path(), DISK)
}

/// Fills the disk of this folder, commits until it is full, makes room, and looks.
pub(crate) fn fill(folder: &Path) {
    let machine = Machine::at(&folder.join("machine"));
    let mut memory = Memory::new(11);
    let mut seen = Vec::new();
    for room in ROOM {
        let ended = until_full(folder, room, &machine, &mut memory);
        let ended = ended.unwrap_or_else(|problem| panic!("{room} bytes left: {problem}"));
        fs::remove_file(folder.join(small_disk::BALLAST)).unwrap();
        let there = memory.check(&machine);
        there.unwrap_or_else(|problem| panic!("{room} bytes left, {ended}: {problem}"));
        let mut running = machine.open(&memory.signed).unwrap();
        memory.submit(&mut running.sequencer).unwrap().unwrap();
        seen.push(ended);
    }
    let mut out = std::io::stdout().lock();
    for (room, ended) in ROOM.iter().zip(&seen) {
        writeln!(out, "{room} bytes left: {ended}").unwrap();
    }
    assert!(memory.answered.len() > 20, "{}", memory.answered.len());
}

/// Leaves that much room, starts and commits until something is refused.
fn until_full(folder: &Path, room: u64, machine: &Machine, memory: &mut Memory) -> Checked<String> {
    let before_the_start = room == 0;
    if before_the_start {
        small_disk::leave(folder, room)?;
    }
    let running = match machine.open(&memory.signed) {
        Ok(running) => running,
        Err(error) => return start_error(&error),
    };
    if !before_the_start {
        small_disk::leave(folder, room)?;
    }
    let Running { mut sequencer, .. } = running;
    loop {
        match memory.submit(&mut sequencer)? {
            Ok(()) => {}
            Err(Unanswered::Pending) => {
                let silent = format!("{:?}", sequencer.silent());
                ensure(silent.contains(NO_SPACE), || silent.clone())?;
                return Ok(format!("below the quorum: {silent}"));
            }
            Err(Unanswered::Failed(error)) => {
                let CommitError::Store(why) = &error else {
                    return Err(format!("not of the disk: {error:?}"));
                };
                precise(why)?;
                let again = memory.submit(&mut sequencer)?;
                let stopped = matches!(again, Err(Unanswered::Failed(CommitError::Stopped(_))));
                ensure(stopped, || format!("after {error}: {again:?}"))?;
                return Ok(error.to_string());
            }
        }
    }
}

fn start_error(error: &StartError) -> Checked<String> {
    match error {
        StartError::Store(why) | StartError::Commit(CommitError::Store(why)) => precise(why)?,
        other => return Err(format!("not of the disk: {other:?}")),
    }
    Ok(error.to_string())
}

/// The error says that the disk is full, and what to do.
fn precise(error: &StoreError) -> Checked {
    let told = error.to_string();
    let of_the_disk = matches!(error, StoreError::Engine(_) | StoreError::File { .. });
    let well = of_the_disk && told.contains(NO_SPACE) && told.contains("make room");
    ensure(well, || format!("does not say what is wrong: {error:?}"))
}
