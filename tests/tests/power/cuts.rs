//! Power cuts under load, one life of a log after the other.

use std::io::Write as _;

use tempfile::TempDir;
use zhao_tests::dice::Dice;
use zhao_tests::promise::{Checked, ensure, text};

use crate::machine::{Machine, Powered, Running, Unsynced, quick_folder};
use crate::memory::{Memory, Unanswered};

/// Cuts until a new log is begun: a log is looked at whole after each.
const LIFE: u64 = 25;
/// Operations of a start, about; measured anew with each.
const START: u64 = 500;
/// A cut comes at the latest after so many operations of a running log.
const LOAD: u64 = 700;

/// What a run has seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) cuts: u64,
    /// Cuts while the machine started.
    pub(crate) starting: u64,
    /// Events answered.
    pub(crate) answered: usize,
    /// Cuts after which something that was answered or signed was gone.
    pub(crate) losses: Vec<String>,
}

/// Makes so many cuts. Whoever wants to know what a sync is for, switches some off: a life ends
/// with the first loss, and the next begins.
pub(crate) fn run(seed: u64, cuts: u64, unsynced: Unsynced) -> Tally {
    let mut tally = Tally::default();
    let mut life = seed;
    while tally.cuts < cuts {
        let folder = quick_folder();
        let mut this = Life::new(life, &folder, unsynced);
        for _ in 0..LIFE.min(cuts - tally.cuts) {
            let (n, result) = this.cut(&mut tally);
            let Err(problem) = result else { continue };
            if unsynced == Unsynced::default() {
                let place = folder.keep();
                panic!(
                    "seed {life}, operation {n}: {problem}\nkept: {}",
                    place.display()
                );
            }
            tally.losses.push(problem);
            break;
        }
        tally.answered += this.memory.answered.len();
        let mut out = std::io::stdout().lock();
        writeln!(
            out,
            "{} of {cuts} cuts, {} while starting; {} events answered, {} losses",
            tally.cuts,
            tally.starting,
            tally.answered,
            tally.losses.len()
        )
        .expect("standard output is there");
        life += 1;
    }
    tally
}

struct Life {
    machine: Machine,
    memory: Memory,
    dice: Dice,
    unsynced: Unsynced,
    /// Operations of the last start that was not cut.
    starting: u64,
}

impl Life {
    fn new(seed: u64, folder: &TempDir, unsynced: Unsynced) -> Self {
        Self {
            machine: Machine::at(folder.path()),
            memory: Memory::new(seed),
            dice: Dice::new(seed),
            unsynced,
            starting: START,
        }
    }

    /// One cut at an operation of the seed's choice, sometimes another while the machine starts
    /// from it, and a look at what is left. Returns the operation.
    fn cut(&mut self, tally: &mut Tally) -> (u64, Checked) {
        let mut n = match self.dice.roll(4) {
            0 => 1 + self.dice.roll(self.starting),
            _ => 1 + self.starting + self.dice.roll(LOAD),
        };
        loop {
            if let Err(problem) = self.run_until(n, tally) {
                return (n, Err(problem));
            }
            if self.dice.roll(3) > 0 {
                return (n, self.memory.check(&self.machine));
            }
            // The machine goes dark again before it is up.
            n = 1 + self.dice.roll(self.starting);
        }
    }

    /// Starts the machine, commits until the power goes, and loses what was not synced.
    fn run_until(&mut self, n: u64, tally: &mut Tally) -> Checked {
        let powered = Powered::new(self.unsynced);
        powered.disk.cut_at(n, self.dice.roll(u64::from(u32::MAX)));
        let started = self.load(&powered);
        self.memory.hear()?;
        let started = started?;
        ensure(powered.disk.is_off(), || "the power never went".to_owned())?;
        tally.cuts += 1;
        tally.starting += u64::from(!started);
        powered.lose_unsynced(&mut self.dice)
    }

    /// Returns whether the machine came up. An error that is not of the cut is a problem.
    fn load(&mut self, powered: &Powered) -> Checked<bool> {
        let Running { mut sequencer, .. } = match self.machine.open_on(powered, &self.memory.signed)
        {
            Ok(running) => running,
            Err(_) if powered.disk.is_off() => return Ok(false),
            Err(error) => return Err(format!("start: {error}")),
        };
        self.starting = powered.disk.operations();
        loop {
            match self.memory.submit(&mut sequencer)? {
                Ok(()) => {}
                Err(_) if powered.disk.is_off() => return Ok(true),
                Err(Unanswered::Failed(error)) => return Err(format!("commit: {error}")),
                Err(Unanswered::Pending) => {
                    return Err(format!("below the quorum: {:?}", sequencer.silent()));
                }
            }
        }
    }
}

#[test]
fn the_size_of_a_start_is_about_right() {
    let folder = quick_folder();
    let powered = Powered::new(Unsynced::default());
    let mut memory = Memory::new(0);
    let machine = Machine::at(folder.path());
    let mut running = machine.open_on(&powered, &memory.signed).expect("a start");
    let start = powered.disk.operations();
    assert!((START / 4..START * 4).contains(&start), "{start}");
    text(memory.submit(&mut running.sequencer))
        .expect("founding")
        .expect("an answer");
    let batch = powered.disk.operations() - start;
    assert!((10..LOAD).contains(&batch), "{batch}");
}
