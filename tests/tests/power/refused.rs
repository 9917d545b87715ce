//! The operating system refuses one call, or every call from one on: each call of a scripted run
//! in turn.

use std::collections::BTreeMap;
use std::io::Write as _;

use zhao_ledger::sequence::{CommitError, StartError};
use zhao_ledger::store::rocks::Rocks;
use zhao_ledger::store::{Family, Read as _, Store as _, StoreError, WriteBatch};
use zhao_tests::promise::{Checked, ensure, text};

use crate::machine::{Machine, Powered, Running, Unsynced, quick_folder};
use crate::memory::{Memory, Unanswered};

/// Starts of the script; the tables that each writes are merged by the last.
const STARTS: u64 = 5;
/// Batches after each.
const BATCHES: u64 = 5;

/// How the script ended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Ended {
    /// Nobody noticed, and nobody had to.
    Whole,
    /// The ledger did not start.
    Start(String),
    /// A batch was not answered, and the ledger stopped.
    Stopped(String),
    /// A cosigner on the same disk kept silent.
    Silent(String),
}

/// Runs the script until something is refused.
fn script(machine: &Machine, memory: &mut Memory, powered: &Powered) -> Checked<Ended> {
    for _ in 0..STARTS {
        let running = match machine.open_on(powered, &memory.signed) {
            Ok(running) => running,
            Err(error) => return start_error(&error),
        };
        if !running.start.unasked.is_empty() {
            return Ok(Ended::Silent(format!("{:?}", running.start.unasked)));
        }
        if let Some(ended) = load(running, memory)? {
            return Ok(ended);
        }
    }
    Ok(Ended::Whole)
}

/// An error at the start is of the disk, and nothing else is blamed; or it is of a witness, whose
/// disk it is as well.
fn start_error(error: &StartError) -> Checked<Ended> {
    if let StartError::Commit(CommitError::Unconfirmed { .. }) = error {
        return Ok(Ended::Silent(error.to_string()));
    }
    let of_the_disk = matches!(
        error,
        StartError::Store(StoreError::Engine(_) | StoreError::File { .. })
            | StartError::Commit(CommitError::Store(
                StoreError::Engine(_) | StoreError::File { .. }
            ))
    );
    ensure(of_the_disk, || format!("not of the disk: {error:?}"))?;
    Ok(Ended::Start(error.to_string()))
}

fn load(running: Running, memory: &mut Memory) -> Checked<Option<Ended>> {
    let Running {
        log, mut sequencer, ..
    } = running;
    for _ in 0..BATCHES {
        match memory.submit(&mut sequencer)? {
            Ok(()) => {}
            Err(Unanswered::Pending) => {
                let silent = format!("{:?}", sequencer.silent());
                return Ok(Some(Ended::Silent(silent)));
            }
            Err(Unanswered::Failed(error @ CommitError::Unconfirmed { .. })) => {
                return Ok(Some(Ended::Silent(error.to_string())));
            }
            Err(Unanswered::Failed(error)) => {
                let CommitError::Store(why) = &error else {
                    return Err(format!("not of the disk: {error:?}"));
                };
                // Whatever it was: no further answer, neither now nor by asking again.
                let again = memory.submit(&mut sequencer)?;
                let said = match &again {
                    Err(Unanswered::Failed(CommitError::Stopped(said))) => said,
                    other => return Err(format!("after {error}: {other:?}")),
                };
                ensure(*said == error.to_string(), || {
                    format!("after {error}: {again:?}")
                })?;
                if let (StoreError::Engine(_), Err(now)) = (why, log.get(Family::Meta, b"format")) {
                    let poisoned = matches!(now, StoreError::Poisoned(_) | StoreError::Engine(_));
                    ensure(poisoned, || format!("after {error}: {now:?}"))?;
                }
                return Ok(Some(Ended::Stopped(error.to_string())));
            }
        }
    }
    Ok(None)
}

/// Runs the script with the operations from `n` to `last` refused; then the disk is well again, the
/// machine starts, and goes on.
fn refuse(n: u64, last: u64) -> Checked<(Option<String>, Ended)> {
    let folder = quick_folder();
    let machine = Machine::at(folder.path());
    let mut memory = Memory::new(7);
    let powered = Powered::new(Unsynced::default());
    powered.disk.refuse(n, last);
    let ended = script(&machine, &mut memory, &powered)?;
    let event = powered.disk.event();
    drop(powered);
    let (batches, answered) = (memory.batches, memory.answered.len());
    let wrong = |problem| format!("{event:?}, {ended:?}, {answered} answered: {problem}");
    memory.check(&machine).map_err(wrong)?;
    let well = Powered::new(Unsynced::default());
    let mut running = text(machine.open_on(&well, &memory.signed)).map_err(wrong)?;
    let submitted = memory.submit(&mut running.sequencer).map_err(wrong)?;
    ensure(submitted.is_ok() && memory.batches == batches + 1, || {
        wrong(format!("afterwards: {submitted:?}"))
    })?;
    Ok((event, ended))
}

/// What the calls of one kind led to.
#[derive(Default)]
struct Kind {
    calls: u64,
    noticed: u64,
}

/// Refuses one call in `step` alone, and every `lasting`th of these with all that follow it.
/// Returns how many were tried.
pub(crate) fn run(step: u64, lasting: usize) -> u64 {
    let folder = quick_folder();
    let whole = Powered::new(Unsynced::default());
    let mut memory = Memory::new(7);
    let ended = script(&Machine::at(folder.path()), &mut memory, &whole).unwrap();
    assert_eq!(ended, Ended::Whole);
    let calls = whole.disk.operations();
    let mut kinds: BTreeMap<String, Kind> = BTreeMap::new();
    let (mut tried, mut noticed, mut unnamed) = (0, 0, BTreeMap::new());
    for (turn, n) in (1..=calls)
        .step_by(usize::try_from(step).unwrap())
        .enumerate()
    {
        // A step that is not a divisor of anything in the script: every kind comes.
        let n = n + u64::try_from(turn).unwrap() % step;
        let lasting = turn % lasting == 0;
        for last in [Some(n), lasting.then_some(u64::MAX)].into_iter().flatten() {
            let (event, ended) = match refuse(n, last) {
                Ok(seen) => seen,
                Err(problem) => panic!("call {n} to {last} of {calls}: {problem}"),
            };
            tried += 1;
            let Some(event) = event else { continue };
            let words: Vec<&str> = event.split(' ').collect();
            let file = words.last().copied().unwrap_or_default();
            let file = file.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-');
            let kind = format!("{} {file}", words[..words.len() - 1].join(" "));
            let kind = kinds.entry(kind).or_default();
            kind.calls += 1;
            let told = match ended {
                Ended::Whole => continue,
                Ended::Start(told) | Ended::Stopped(told) | Ended::Silent(told) => told,
            };
            kind.noticed += 1;
            noticed += 1;
            if !told.contains("refused") {
                unnamed.insert(event, told);
            }
        }
        if turn % 100 == 99 {
            say(&format!(
                "call {n} of {calls}: {tried} tried, {noticed} noticed"
            ));
        }
    }
    for (name, kind) in &kinds {
        say(&format!(
            "{name}: {} of {} noticed",
            kind.noticed, kind.calls
        ));
    }
    for (event, told) in &unnamed {
        say(&format!("{event}: {told}"));
    }
    say(&format!("{calls} calls, {tried} tried, {noticed} noticed"));
    assert!(noticed * 3 > tried, "{noticed} of {tried}");
    tried
}

fn say(line: &str) {
    writeln!(std::io::stdout().lock(), "{line}").unwrap();
}

/// A write that was refused once may be there or not: nothing more is read or written.
pub(crate) fn poison() {
    let folder = quick_folder();
    let path = folder.path().join("db");
    let disk = zhao_faults::Disk::new();
    let batch = |n: u8| {
        let mut batch = WriteBatch::new();
        batch.push_raw((Family::Tiles, vec![n], Some(vec![n])));
        batch
    };
    let store = Rocks::create_on(&path, &disk.env(), 1 << 20).unwrap();
    store.write(batch(1)).unwrap();
    disk.refuse(disk.operations() + 1, u64::MAX);
    let error = store.write(batch(2)).unwrap_err();
    assert!(matches!(&error, StoreError::Engine(told) if told.contains("refused append")));
    // The disk is well again; the store does not take its word for it.
    disk.refuse(0, 0);
    let poisoned = |error: StoreError| matches!(error, StoreError::Poisoned(_));
    assert!(poisoned(store.write(batch(3)).unwrap_err()));
    assert!(poisoned(store.get(Family::Tiles, &[1]).unwrap_err()));
    assert!(poisoned(store.last(Family::Tiles).unwrap_err()));
    assert!(poisoned(
        store.scan(Family::Tiles, &[], &[9], 9).unwrap_err()
    ));
    assert!(store.snapshot().is_err_and(poisoned));
    drop(store);
    let store = Rocks::open(&path).unwrap();
    assert_eq!(store.get(Family::Tiles, &[1]).unwrap(), Some(vec![1]));
    assert_eq!(store.get(Family::Tiles, &[3]).unwrap(), None);
}
