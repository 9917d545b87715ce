//! Bytes that changed: in the files, where the engine's checksums find them, and under good
//! checksums in every column family, where the ledger itself does.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use zhao_ledger::fsck::{self, Advice};
use zhao_ledger::sequence::StartError;
use zhao_ledger::store::rocks::Rocks;
use zhao_ledger::store::{Entry, Family, Store, StoreError, Write, WriteBatch};
use zhao_tests::machine::log_keys;
use zhao_tests::promise::{Checked, ensure, text};

use crate::machine::{Machine, copy_folder, quick_folder};
use crate::memory::{Memory, Unanswered};

const STARTS: usize = 3;
const BATCHES: usize = 8;
/// Past every key.
const END: [u8; 96] = [0xff; 96];

/// A machine that was switched off; a start before has written every family out.
fn machine() -> (TempDir, Memory) {
    let folder = quick_folder();
    let machine = Machine::at(folder.path());
    let mut memory = Memory::new(5);
    for _ in 0..STARTS {
        let mut running = machine.open(&memory.signed).unwrap();
        for _ in 0..BATCHES {
            memory.submit(&mut running.sequencer).unwrap().unwrap();
        }
    }
    drop(Rocks::open(&machine.database()).unwrap());
    memory.hear().unwrap();
    (folder, memory)
}

fn copy(folder: &TempDir) -> (TempDir, Machine) {
    let copy = quick_folder();
    copy_folder(folder.path(), copy.path()).unwrap();
    let machine = Machine::at(copy.path());
    (copy, machine)
}

fn tables(database: &Path) -> Vec<PathBuf> {
    let names = fs::read_dir(database).unwrap().map(|entry| entry.unwrap());
    let mut paths: Vec<PathBuf> = names
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "sst"))
        .collect();
    paths.sort();
    paths
}

/// Every table says whose it is, in its properties.
fn family_of(table: &[u8]) -> Family {
    let named = |family: &&Family| {
        // Only the end of the property's name is there: the rest is shared with the one before.
        let text = [b"name", family.name().as_bytes()].concat();
        table.windows(text.len()).any(|window| window == text)
    };
    *Family::ALL.iter().find(named).expect("a family of ours")
}

/// Looks at a damaged machine as an operator would: fsck, then a start and a batch. Returns what
/// the engine said, or nothing if everything is there.
fn look(machine: &Machine, memory: &mut Memory) -> Checked<Option<String>> {
    let fine = |error: &StoreError| match error {
        StoreError::Engine(told) => Ok(Some(told.clone())),
        other => Err(format!("not the engine's: {other:?}")),
    };
    let log: Arc<dyn Store> = match Rocks::open(&machine.database()) {
        Ok(log) => Arc::new(log),
        Err(error) => return fine(&error),
    };
    match fsck::check(&*log, &text(machine.files())?, &log_keys()) {
        Err(error) => return fine(&error),
        Ok(report) => ensure(report.is_clean(), || format!("{:?}", report.findings))?,
    }
    match machine.open_log(&log, &memory.signed) {
        Ok(mut running) => match memory.submit(&mut running.sequencer)? {
            Ok(()) => {}
            Err(Unanswered::Failed(error)) => return Err(error.to_string()),
            Err(Unanswered::Pending) => return Err("pending".to_owned()),
        },
        Err(StartError::Store(error)) => return fine(&error),
        Err(other) => return Err(format!("not the engine's: {other:?}")),
    }
    drop(log);
    memory.hear()?;
    memory.check_open(machine)?;
    Ok(None)
}

/// Changes bytes in each table file in turn.
pub(crate) fn change_files() {
    let (folder, memory) = machine();
    let count = tables(&Machine::at(folder.path()).database()).len();
    let mut found: BTreeMap<&str, u64> = BTreeMap::new();
    let mut unnoticed = 0;
    for table in 0..count {
        for share in [0, 3, 5, 8] {
            let (_kept, machine) = copy(&folder);
            let path = tables(&machine.database())[table].clone();
            let mut bytes = fs::read(&path).unwrap();
            let family = family_of(&bytes);
            // In the data, which comes first, and in what describes it.
            let place = (bytes.len() - 1) * share / 8;
            bytes[place] ^= 0x10;
            fs::write(&path, bytes).unwrap();
            match look(&machine, &mut memory.fork()) {
                // Not all of what describes a table is ever read.
                Ok(None) => unnoticed += u64::from(share == 0),
                Ok(Some(told)) => {
                    let whole = told.contains("Corruption") && told.contains("restore the newest");
                    assert!(whole, "{} at {place}: {told}", family.name());
                    *found.entry(family.name()).or_default() += 1;
                }
                Err(problem) => panic!("{} at {place}: {problem}", family.name()),
            }
        }
    }
    assert_eq!(unnoticed, 0, "{unnoticed} of {count} first blocks");
    let named: BTreeSet<&str> = found.keys().copied().collect();
    assert_eq!(named, Family::ALL.map(Family::name).into(), "{found:?}");
}

/// A write that leaves a value of the right form that is not the right one, and the advice that
/// must come with it. A new family needs a line here.
fn wrong(family: Family, entries: &[Entry]) -> (Write, Advice) {
    let (newest, value) = match family {
        // The version is at the end of the key, behind what it is a version of.
        Family::Records => entries
            .iter()
            .max_by_key(|(key, _)| key[key.len() - 8..].to_vec())
            .unwrap(),
        _ => entries.last().unwrap(),
    };
    let put = |key: &[u8], value: &[u8]| (family, key.to_vec(), Some(value.to_vec()));
    let other = || {
        let other = entries.iter().rev().find(|(_, other)| other != value);
        put(newest, &other.expect("two values").1)
    };
    match family {
        // Another one's: of the right form, and in the wrong place.
        Family::Epochs
        | Family::EventIds
        | Family::Holdings
        | Family::Records
        | Family::Replaced
        | Family::Subjects => (other(), Advice::Rebuild),
        Family::Heads | Family::Leaves => (other(), Advice::Restore),
        Family::Meta => (put(b"origin", b"other.example/log"), Advice::Restore),
        Family::Tiles => {
            let mut value = value.clone();
            *value.last_mut().unwrap() ^= 1;
            (put(newest, &value), Advice::Rebuild)
        }
    }
}

/// Writes a wrong value into each family in turn. Returns how many a start or a commit refused.
pub(crate) fn change_values() -> usize {
    let (folder, memory) = machine();
    let mut refused = 0;
    for family in Family::ALL {
        let (_kept, machine) = copy(&folder);
        let log: Arc<dyn Store> = Arc::new(Rocks::open(&machine.database()).unwrap());
        let entries = log.scan(family, &[], &END, usize::MAX).unwrap();
        let (write, advice) = wrong(family, &entries);
        let before = log.get(family, &write.1).unwrap();
        assert_ne!(before, write.2, "{} is not changed", family.name());
        let mut batch = WriteBatch::new();
        batch.push_raw(write);
        log.write(batch).unwrap();
        let files = machine.files().unwrap();
        let report = fsck::check(&*log, &files, &log_keys()).unwrap();
        let here = |finding: &&fsck::Finding| finding.place == family.name();
        let finding = report.findings.iter().find(here);
        let finding = finding.unwrap_or_else(|| panic!("{}: {report:#?}", family.name()));
        assert_eq!(finding.advice, advice, "{finding}");
        assert!(
            finding.to_string().contains(&advice.to_string()),
            "{finding}"
        );
        assert_eq!(report.advice(), Some(advice), "{:#?}", report.findings);
        // A ledger over it may answer, but it signs nothing that is not a continuation; where it
        // refuses, it says what to do. Another name or key is another log: nothing to repair.
        let mut memory = memory.fork();
        let told = match machine.open_log(&log, &memory.signed) {
            Err(error) => Some(error.to_string()),
            Ok(mut running) => match memory.submit(&mut running.sequencer) {
                Ok(Ok(())) => None,
                Ok(Err(Unanswered::Failed(error))) => Some(error.to_string()),
                Ok(Err(Unanswered::Pending)) => panic!("{}: no quorum", family.name()),
                // A wrong index may refuse an event, and is for fsck to find.
                Err(problem) => Some(format!("{problem}; fsck finds it")),
            },
        };
        if let Some(told) = told {
            let advised = told.contains("fsck") || told.contains("restore");
            assert!(advised || family == Family::Meta, "{told}");
            refused += 1;
        }
        memory.hear().unwrap();
    }
    refused
}

/// The database is lost, and every backup with it: the auditor's copy, beside the newest files.
pub(crate) fn restore_from_the_auditor() {
    let (folder, mut memory) = machine();
    let (_kept, machine) = copy(&folder);
    fs::remove_dir_all(machine.database()).unwrap();
    copy_folder(&machine.replica(), &machine.database()).unwrap();
    let mut running = machine.open(&memory.signed).unwrap();
    memory.submit(&mut running.sequencer).unwrap().unwrap();
    drop(running);
    memory.check(&machine).unwrap();
}
