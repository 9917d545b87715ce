//! The end of the write-ahead log torn off or changed: everything answered is there, or the start
//! is refused for what it is.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use zhao_ledger::sequence::{CHECKPOINT_FILE, StartError, intent};
use zhao_ledger::store::files::Files as _;
use zhao_ledger::store::rocks::Rocks;
use zhao_ledger::store::{Store, StoreError};
use zhao_spec::log::tree::TreeSize;
use zhao_tests::promise::{Checked, ensure, text};

use crate::machine::{Machine, Running, copy_folder, quick_folder};
use crate::memory::Memory;

const SEED: u64 = 3;
/// Batches before the end that is torn.
const BATCHES: usize = 6;

/// Bytes at the end that hold the last record, which is a head, and some of the one before.
const RECORD: u64 = 1_200;

/// A machine that was switched off, with all it wrote still in the write-ahead log.
pub(crate) struct Before {
    folder: TempDir,
    memory: Memory,
    /// The log's newest write-ahead log, in the folder.
    wal: PathBuf,
    /// Its length after each batch that was answered, and what the log held then.
    marks: Vec<(u64, TreeSize)>,
}

/// What became of a machine whose log was damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Became {
    /// It runs, with everything.
    Whole,
    /// The intent knows better.
    Older,
    /// The engine found it.
    Damaged,
}

impl Before {
    pub(crate) fn new() -> Self {
        let folder = quick_folder();
        let machine = Machine::at(folder.path());
        let mut memory = Memory::new(SEED);
        let log: Arc<dyn Store> = Arc::new(Rocks::create(&machine.database()).unwrap());
        let Running { mut sequencer, .. } = machine.open_log(&log, &memory.signed).unwrap();
        let wal = newest_wal(&machine.database());
        let mut marks = Vec::new();
        for _ in 0..BATCHES {
            memory.submit(&mut sequencer).unwrap().unwrap();
            marks.push((fs::metadata(&wal).unwrap().len(), sequencer.size()));
        }
        drop((log, sequencer));
        memory.hear().unwrap();
        assert_eq!(newest_wal(&machine.database()), wal, "one file holds all");
        let wal = wal.strip_prefix(folder.path()).unwrap().to_owned();
        Self {
            folder,
            memory,
            wal,
            marks,
        }
    }

    pub(crate) fn length(&self) -> u64 {
        self.marks.last().unwrap().0
    }

    /// Where the last batch begins.
    pub(crate) fn last_batch(&self) -> u64 {
        self.marks[BATCHES - 2].0
    }

    /// Damages the log and starts the machine.
    pub(crate) fn damage(&self, damage: impl FnOnce(&mut Vec<u8>)) -> Checked<Became> {
        let folder = quick_folder();
        text(copy_folder(self.folder.path(), folder.path()))?;
        let wal = folder.path().join(&self.wal);
        let mut bytes = text(fs::read(&wal))?;
        damage(&mut bytes);
        text(fs::write(&wal, bytes))?;
        let machine = Machine::at(folder.path());
        let mut memory = self.memory.fork();
        let before = files(&machine)?;
        let size = self.marks.last().expect("there are batches").1;
        let opened = Rocks::create(&machine.database()).map_err(StartError::from);
        let started = opened.and_then(|log| {
            let log: Arc<dyn Store> = Arc::new(log);
            machine.open_log(&log, &memory.signed).map(drop)
        });
        let became = match started {
            Ok(()) => {
                memory.hear()?;
                memory.check_open(&machine)?;
                return Ok(Became::Whole);
            }
            Err(StartError::DatabaseOlder { database, intent })
                if database < intent && intent == size =>
            {
                Became::Older
            }
            // The head is the last record; the checkpoint file has it.
            Err(StartError::Published { problem, .. })
                if problem.contains("an older database was restored") =>
            {
                Became::Older
            }
            Err(StartError::Store(StoreError::Engine(told))) if told.contains("restore") => {
                Became::Damaged
            }
            Err(other) => return Err(format!("not what it is: {other:?}")),
        };
        let signed = memory.signed.lock().expect("nobody panics here").len();
        ensure(signed == 0 && files(&machine)? == before, || {
            format!("{became:?}, but something was signed")
        })?;
        Ok(became)
    }
}

fn files(machine: &Machine) -> Checked<[Option<Vec<u8>>; 2]> {
    let files = text(machine.files())?;
    Ok([
        text(files.read(intent::FILE))?,
        text(files.read(CHECKPOINT_FILE))?,
    ])
}

/// The newest file of the write-ahead log.
fn newest_wal(database: &Path) -> PathBuf {
    let names = fs::read_dir(database).unwrap().map(|entry| entry.unwrap());
    names
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .max()
        .expect("a database has one")
}

/// How often each thing came of a damage, at each of these places.
fn tally(
    places: impl Iterator<Item = u64>,
    damage: impl Fn(u64) -> Checked<Became>,
) -> BTreeMap<Became, u64> {
    let mut tally = BTreeMap::new();
    for place in places {
        match damage(place) {
            Ok(became) => *tally.entry(became).or_default() += 1,
            Err(problem) => panic!("at byte {place}: {problem}"),
        }
    }
    tally
}

/// Cuts the log, and changes a byte of it, in steps: of one length for the last record, of `step`
/// times that in the last batch, and of 16 times that again before it.
pub(crate) fn run(fine: usize, step: usize) {
    let before = Before::new();
    let (end, last) = (before.length(), before.last_batch());
    let record = end - RECORD;
    let places = || {
        let batch = (last..record).step_by(fine * step);
        let earlier = (0..last).step_by(fine * step * 16);
        (record..end).step_by(fine).chain(batch).chain(earlier)
    };
    let cut = tally(places(), |length| {
        before.damage(|bytes| bytes.truncate(usize::try_from(length).unwrap()))
    });
    let changed = tally(places(), |place| {
        before.damage(|bytes| bytes[usize::try_from(place).unwrap()] ^= 1 << (place % 8))
    });
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "last batch {last} to {end}; cut: {cut:?}; changed: {changed:?}"
    )
    .unwrap();
    drop(out);
    // Everything in the log was answered: not a byte of it can go unnoticed.
    assert!(cut.contains_key(&Became::Older), "{cut:?}");
    let unnoticed = |tally: &BTreeMap<Became, u64>| tally.contains_key(&Became::Whole);
    assert!(!unnoticed(&cut) && !unnoticed(&changed));
    assert!(changed.contains_key(&Became::Damaged), "{changed:?}");
}

#[test]
fn a_log_that_is_whole_starts() {
    let before = Before::new();
    assert_eq!(before.damage(|_| {}), Ok(Became::Whole));
    let zeroes = |bytes: &mut Vec<u8>| bytes.resize(bytes.len() + 5_000, 0);
    assert_eq!(before.damage(zeroes), Ok(Became::Whole));
    assert_eq!(before.damage(|bytes| bytes.clear()), Ok(Became::Older));
}
