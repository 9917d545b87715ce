//! Starts a worker, ends it at a moment that the seed chooses, and looks at what it left.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::{self, Display};
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;
use zhao_ledger::sequence::CHECKPOINT_FILE;
use zhao_ledger::store::files::Files as _;
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::Hash;
use zhao_tests::dice::Dice;
use zhao_tests::promise::{Checked, Heads, History, ensure, text};
use zhao_tests::quick;

use crate::check::{self, Kept};
use crate::site::{Part, Site};
use crate::stage::{Abort, WAYS, lines};
use crate::worker::Job;

/// The variable with a worker's [`Job`]; without it the worker's test has nothing to do.
pub(crate) const JOB: &str = "ZHAO_TORTURE_JOB";
/// Copies of the site kept for restoring: that many rounds back.
const KEPT: usize = 3;
/// Backups of one log, at most, all of them restored in the end.
const BACKUPS: u64 = 20;
/// Bytes that all copies of one log may need.
const ROOM: u64 = 2 << 30;
/// A worker is killed at the latest after this many lines; a batch makes about 25.
const KILL_LINES: u64 = 400;
/// Turns at one place, at most, until an abort.
const ABORT_TURNS: u64 = 24;
/// Last lines of a worker that are shown when it ends otherwise than meant.
const TAIL: usize = 20;
const SIGKILL: i32 = 9;
const SIGABRT: i32 = 6;

/// How a worker ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// From outside, after so many lines.
    Kill(u64),
    /// By itself.
    Abort(Abort),
}

impl Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kill(lines) => write!(f, "killed after {lines} lines"),
            Self::Abort(abort) => write!(f, "aborted at {abort}"),
        }
    }
}

pub(crate) struct Supervisor {
    seed: u64,
    dice: Dice,
    temporary: TempDir,
    site: Site,
    /// What the office was told.
    pub(crate) answered: BTreeMap<Hash, LeafIndex>,
    /// Batches of which every answer was seen.
    batches: usize,
    /// Heads in anybody's hands.
    pub(crate) heads: Heads,
    pub(crate) history: History,
    /// Heads with a quorum, which anybody outside may hold.
    published: Heads,
    kept: VecDeque<Kept>,
    /// Restorations of old copies that were refused.
    refused: u64,
    /// Backups, oldest first.
    backups: Vec<Site>,
}

impl Supervisor {
    /// Runs that many rounds; the folders stay where a check fails.
    pub(crate) fn run(seed: u64, rounds: u64) {
        let mut builder = tempfile::Builder::new();
        let builder = builder.prefix("torture-");
        // What a process wrote survives its death in memory as well as on a disk.
        let root = quick::root(ROOM, env!("CARGO_TARGET_TMPDIR"));
        let temporary = builder.tempdir_in(root).unwrap();
        let site = Site::at(&temporary.path().join("site"));
        fs::create_dir(site.folder()).unwrap();
        let mut this = Self {
            seed,
            dice: Dice::new(seed),
            temporary,
            site,
            answered: BTreeMap::new(),
            batches: 0,
            heads: Heads::default(),
            history: History::new(seed),
            published: Heads::default(),
            kept: VecDeque::new(),
            refused: 0,
            backups: Vec::new(),
        };
        let every = rounds.div_ceil(BACKUPS).max(1);
        for round in 0..rounds {
            let ending = this.ending(round);
            let backup = (round % every == 0).then(|| this.folder(&format!("backup-{round}")));
            if let Err(problem) = this.round(round, ending, backup) {
                this.temporary.disable_cleanup(true);
                let folder = this.temporary.path().display();
                panic!("seed {seed}, round {round}, {ending}: {problem}\nkept: {folder}");
            }
        }
        if let Err(problem) = this.restore_all() {
            this.temporary.disable_cleanup(true);
            let folder = this.temporary.path().display();
            panic!("seed {seed}, restoring: {problem}\nkept: {folder}");
        }
        assert!(!this.answered.is_empty(), "no worker answered anything");
        assert!(rounds < 8 || this.refused > 0, "no old copy was restored");
    }

    /// Every third worker is killed, the others abort, each way to die in turn.
    fn ending(&mut self, round: u64) -> Ending {
        if round % 3 == 2 {
            return Ending::Kill(1 + self.dice.roll(KILL_LINES));
        }
        let aborts = self.seed.wrapping_add(round - round / 3);
        // 5 and 12 have no common divisor: all ways come, and the places change quickly.
        let way = usize::try_from(aborts.wrapping_mul(5) % 12).unwrap();
        let (place, edge) = WAYS[way];
        // The first worker dies while it makes the log.
        let turns = if round == 0 { 1 } else { ABORT_TURNS };
        let turn = 1 + self.dice.roll(turns);
        Ending::Abort(Abort { place, edge, turn })
    }

    fn round(&mut self, round: u64, ending: Ending, backup: Option<Site>) -> Checked {
        // As of the moment before a kill, of a process that is stopped; otherwise as of its death.
        let stopped = matches!(ending, Ending::Kill(_));
        self.work(ending, backup.as_ref().filter(|_| stopped))?;
        if let Some(backup) = backup {
            if !stopped {
                text(backup.take(&self.site, &Part::ALL))?;
            }
            self.backups.push(backup);
        }
        if let Some(note) = text(text(self.site.files())?.read(CHECKPOINT_FILE))? {
            self.publish(&text(String::from_utf8(note))?)?;
        }
        // Everything is looked at in copies: the next worker finds what this one left.
        let copy = self.folder("copy");
        text(copy.take(&self.site, &Part::ALL))?;
        let mut kept = self.check_crashed(&copy)?;
        self.check_recovered(&copy)?;
        kept.site = self.folder(&format!("kept-{round}"));
        text(kept.site.take(&self.site, &Part::ALL))?;
        self.kept.push_back(kept);
        if self.kept.len() > KEPT {
            let old = self.kept.pop_front().expect("just counted");
            text(fs::remove_dir_all(old.site.folder()))?;
        }
        let mut refused = 0;
        if round % 4 == 3 {
            refused = self.check_restored()?;
            self.refused += refused;
        }
        let (events, heads) = (self.answered.len(), self.heads.len());
        let mut out = std::io::stdout().lock();
        let said = writeln!(
            out,
            "round {round}: {ending}; {events} events answered, {heads} heads, {refused} refused"
        );
        text(said)
    }

    fn folder(&self, name: &str) -> Site {
        Site::at(&self.temporary.path().join(name))
    }

    /// Restores old parts beside new ones; each must be refused for what it is.
    fn check_restored(&self) -> Checked<u64> {
        let now = self.kept.back().expect("a round has ended");
        let older = |kept: &&Kept| {
            kept.log.0 > 0 && kept.log < now.intent.min(now.witness).min(now.auditor)
        };
        let Some(old) = self.kept.iter().find(older) else {
            return Ok(0);
        };
        now.refuse_restored(old, &self.folder("restored"))
    }

    /// Puts each backup in the place of the newest database: once beside the newest files, once
    /// with its own, old ones. Either it is refused, or it goes on from what everybody has seen:
    /// with the newest intent that is every head the key ever signed; without it, a head that the
    /// key signed and no cosigner kept cannot be known, and nobody holds it.
    fn restore_all(&mut self) -> Checked {
        let (mut refused, mut continued) = (0, 0);
        for backup in std::mem::take(&mut self.backups) {
            for parts in [&[Part::Log][..], &[Part::Log, Part::Files]] {
                let folder = self.folder("backup");
                text(folder.take(&self.site, &Part::ALL))?;
                text(folder.take(&backup, parts))?;
                let place = backup.folder().display();
                if check::is_refused(&folder).map_err(|why| format!("{place}, {parts:?}: {why}"))? {
                    refused += 1;
                } else {
                    let seen = (self.heads.clone(), self.history.clone());
                    if parts.contains(&Part::Files) {
                        self.heads = self.published.clone();
                        self.history = History::new(self.seed);
                    }
                    self.check_recovered(&folder)
                        .map_err(|why| format!("{place}, {parts:?}: {why}"))?;
                    (self.heads, self.history) = seen;
                    continued += 1;
                }
            }
        }
        let mut out = std::io::stdout().lock();
        text(writeln!(
            out,
            "backups restored: {refused} refused, {continued} went on"
        ))
    }

    /// Runs one worker to its end and takes down what it says. With a backup, it is taken of the
    /// process as it stands, before the kill.
    fn work(&mut self, ending: Ending, backup: Option<&Site>) -> Checked {
        let abort = match ending {
            Ending::Kill(_) => None,
            Ending::Abort(abort) => Some(abort),
        };
        let job = Job {
            seed: self.seed,
            from: self.batches,
            abort,
            folder: self.site.folder().to_owned(),
        };
        let mut worker = Worker::start(&text(std::env::current_exe())?, &job)?;
        let output = worker.0.stdout.take().ok_or("the worker has no output")?;
        let mut output = BufReader::new(output);
        let (mut count, mut tail) = (0, VecDeque::new());
        let mut line = String::new();
        // To the end: what was said before the kill was said.
        while text(output.read_line(&mut line))? > 0 {
            // A line cut off by the end was not said.
            if let Some(said) = line.strip_suffix('\n') {
                self.hear(said)?;
                tail.push_back(said.to_owned());
                if tail.len() > TAIL {
                    tail.pop_front();
                }
            }
            line.clear();
            count += 1;
            if ending == Ending::Kill(count) {
                if let Some(backup) = backup {
                    worker.stop()?;
                    text(backup.link(&self.site))?;
                }
                text(worker.0.kill())?;
            }
        }
        let status = text(worker.0.wait())?;
        let meant = match ending {
            Ending::Kill(_) => SIGKILL,
            Ending::Abort(_) => SIGABRT,
        };
        ensure(status.signal() == Some(meant), || {
            let tail: Vec<String> = tail.into();
            format!("the worker ended by {status}:\n{}", tail.join("\n"))
        })
    }

    fn publish(&mut self, note: &str) -> Checked {
        self.heads.publish(note)?;
        self.published.publish(note)
    }

    fn hear(&mut self, line: &str) -> Checked {
        match line.split_once(' ') {
            Some(("answered", rest)) => {
                let (id, index) = rest.split_once(' ').ok_or("an answer without index")?;
                let (id, index) = (text(Hash::from_base64(id))?, text(index.parse())?);
                let before = self.answered.insert(id, LeafIndex(index));
                ensure(before.is_none_or(|before| before.0 == index), || {
                    format!("{id} was answered with {before:?}, then with {index}")
                })
            }
            Some(("batch", number)) => {
                let number: usize = text(number.parse())?;
                ensure(number == self.batches, || {
                    format!("batch {number} out of turn")
                })?;
                self.batches += 1;
                Ok(())
            }
            Some(("published", note)) => self.publish(&lines(note)),
            Some(("signed", note)) => self.heads.see(&lines(note)).map(drop),
            _ => Ok(()),
        }
    }
}

/// A process that ends with its owner.
struct Worker(Child);

impl Worker {
    fn start(program: &Path, job: &Job) -> Checked<Self> {
        let child = Command::new(program)
            .args(["worker", "--exact", "--test-threads", "2"])
            .env(JOB, job.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn();
        text(child).map(Self)
    }

    /// Stops every thread of it where it is.
    fn stop(&self) -> Checked {
        let id = self.0.id().to_string();
        let stopped = text(Command::new("kill").args(["-STOP", &id]).status())?;
        ensure(stopped.success(), || format!("kill -STOP: {stopped}"))?;
        loop {
            let mut running = false;
            for thread in text(fs::read_dir(format!("/proc/{id}/task")))? {
                // A thread that ends meanwhile does nothing any more.
                let line = fs::read_to_string(text(thread)?.path().join("stat"));
                let line = line.unwrap_or_default();
                // The state is behind the name, which is in parentheses.
                let state = line.rsplit_once(") ").map_or("Z", |(_, rest)| rest);
                running |= !state.starts_with(['T', 't', 'Z', 'X']);
            }
            if !running {
                return Ok(());
            }
            std::thread::yield_now();
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // After `wait` both do nothing; an error here would hide the one that brought us here.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
