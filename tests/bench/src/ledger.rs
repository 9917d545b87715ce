//! The ledger as a whole: a log of so many subjects, and durable admission to it.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use zhao_ledger::pipeline::{Pipeline, Settings};
use zhao_ledger::read::Reader;
use zhao_ledger::sequence::{Config, Cosigner, Outcome, Quorum, Sequencer};
use zhao_ledger::store::Store;
use zhao_ledger::store::files::Directory;
use zhao_ledger::store::rocks::Rocks;
use zhao_spec::life::event::Event;
use zhao_spec::log::note::NoteSigner;
use zhao_spec::log::policy::Policy;
use zhao_spec::wire::UnixMillis;

use crate::figure::Figure;
use crate::machine::strict_beside;
use crate::office::{START, secret};
use crate::progress::{bar, done};
use crate::statistics::{SLICES, float, median, per_second};
use crate::workload::{BATCH, ORIGIN, Workload, verified};

/// Licences of a holder in the workload: of four subjects three are licences.
const LICENCES_OF_FOUR: u64 = 3;
/// Events of a batch while the log is filled.
const FILL: usize = 4_000;
/// Submissions handed in ahead of the answers.
const AHEAD: usize = 6;

/// Where a log lives.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    folder: PathBuf,
}

impl Place {
    /// A log in this folder.
    pub(crate) fn new(folder: &Path) -> Self {
        let folder = folder.to_owned();
        Self { folder }
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its database.
    pub(crate) fn database(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// The files beside it.
    pub(crate) fn files(&self) -> Result<Arc<Directory>> {
        Ok(Arc::new(Directory::open(&self.folder.join("files"))?))
    }
}

/// A log that is open, and what its events are made from.
pub(crate) struct Ledger {
    /// Where it lives.
    pub(crate) place: Place,
    /// Its store; the sequencer has it too.
    pub(crate) store: Arc<dyn Store>,
    /// The one writer, at work.
    pub(crate) pipeline: Pipeline,
    /// What was issued.
    pub(crate) workload: Workload,
    /// Events in the log.
    pub(crate) events: usize,
}

/// The log's settings: its key, and the witnesses that must cosign, if any.
pub(crate) fn config(policy: &str, cosigners: Vec<Box<dyn Cosigner>>) -> Result<Config> {
    let signer = NoteSigner::new(ORIGIN, secret("log"))?;
    let text = format!("log {}\n{policy}", signer.vkey().format());
    Ok(Config {
        signer: signer.into(),
        quorum: Quorum {
            policy: Policy::parse(&text)?,
            trust: None,
            others: Vec::new(),
        },
        cosigners,
        max_unpublished: 0,
        mldsa: None,
        publication: None,
    })
}

/// Nobody cosigns: the cost of witnesses is theirs.
pub(crate) const ALONE: &str = "quorum none\n";

impl Ledger {
    /// Makes a log and fills it up to so many subjects.
    pub(crate) fn filled(folder: &Path, subjects: u64, room: usize, seed: u64) -> Result<Self> {
        let licences = usize::try_from(subjects * LICENCES_OF_FOUR / 4)?;
        let place = Place::new(folder);
        std::fs::create_dir_all(folder)?;
        let store: Arc<dyn Store> = Arc::new(Rocks::create(&place.database())?);
        let workload = Workload::new(seed, licences, licences + room);
        let genesis = workload.office.genesis();
        let config = config(ALONE, Vec::new())?;
        let mut sequencer =
            Sequencer::create(Arc::clone(&store), place.files()?, config, &genesis, START)?;
        let founding = workload.office.founding();
        let mut events = founding.len();
        sequencer.commit(verified(founding), START)?;
        let mut this = Self {
            place,
            store,
            pipeline: at_work(sequencer, START)?,
            workload,
            events,
        };
        this.fill(licences)?;
        events += licences;
        this.events = events;
        Ok(this)
    }

    /// Issues up to so many licences: signing and checking the next batch beside the commit.
    pub(crate) fn fill(&mut self, licences: usize) -> Result<()> {
        let first = self.workload.licences();
        let progress = bar(u64::try_from(licences - first)?, "filling the log");
        let mut tickets = VecDeque::new();
        while self.workload.licences() < licences {
            let count = FILL.min(licences - self.workload.licences());
            tickets.push_back(self.pipeline.submit(self.workload.issue(count))?);
            // Signing takes long enough: a few batches ahead keep the pipeline busy.
            if tickets.len() > AHEAD
                && let Some(ticket) = tickets.pop_front()
            {
                let outcomes = ticket.wait()?;
                accepted(&outcomes)?;
                progress.inc(u64::try_from(outcomes.len())?);
            }
        }
        for ticket in tickets {
            let outcomes = ticket.wait()?;
            accepted(&outcomes)?;
            progress.inc(u64::try_from(outcomes.len())?);
        }
        done(&progress);
        self.events += licences - first;
        Ok(())
    }

    /// Events a second made durable, and strict verifications a second on two threads measured
    /// between the slices: the median of each.
    pub(crate) fn admission(&mut self, batches: usize) -> Result<(f64, f64)> {
        let (mut rates, mut beside) = (Vec::new(), Vec::new());
        let progress = bar(u64::try_from(SLICES * batches * BATCH)?, "admission");
        for _ in 0..SLICES {
            let prepared: Vec<_> = (0..batches).map(|_| self.workload.mixed(BATCH)).collect();
            let count = batches * BATCH;
            beside.push(strict_beside());
            let start = Instant::now();
            admit(&self.pipeline, prepared)?;
            rates.push(per_second(count, start.elapsed()));
            self.events += count;
            progress.inc(u64::try_from(count)?);
        }
        done(&progress);
        Ok((median(rates), median(beside)))
    }

    /// A reader that shares the sequencer's maps.
    pub(crate) fn reader(&self) -> Reader {
        self.pipeline.sequencer().reader()
    }

    /// Subjects in the map.
    pub(crate) fn subjects(&self) -> Result<u64> {
        Ok(self.reader().latest()?.epoch().subjects)
    }

    /// Bytes on disk, by event and by subject.
    pub(crate) fn on_disk(&self) -> Result<Vec<Figure>> {
        let bytes = float(usize::try_from(folder_bytes(&self.place.database())?)?);
        let subjects = float(usize::try_from(self.subjects()?)?);
        Ok(vec![
            Figure::new(
                "disk-event",
                "on disk, an event",
                "每事件占盘",
                bytes / float(self.events),
                "B",
            )
            .note("the database with all it keeps, as the engine left it"),
            Figure::new(
                "disk-subject",
                "on disk, a subject",
                "每主体占盘",
                bytes / subjects,
                "B",
            ),
        ])
    }

    /// Records with their proofs, drawn at random: how many a second, and bytes of a proof.
    pub(crate) fn proofs(&mut self) -> Result<Vec<Figure>> {
        let reader = self.reader();
        let view = reader.latest()?;
        let (mut bytes, mut rates) = (Vec::new(), Vec::new());
        for _ in 0..SLICES {
            let licences = self.workload.licences();
            let keys: Vec<_> = (0..4 * BATCH)
                .map(|_| {
                    let n = self.workload.draw(licences);
                    self.workload.licence(u64::try_from(n).unwrap_or(0))
                })
                .collect();
            let start = Instant::now();
            for key in &keys {
                let (path, record) = view.placed(key)?;
                record.context("a licence of the workload has a record")?;
                bytes.push(float(path.hashes.len() * 32 + path.depths.len()));
            }
            rates.push(per_second(keys.len(), start.elapsed()));
        }
        Ok(vec![
            Figure::new(
                "map-proof",
                "map proof, average over licences",
                "状态树证明，平均",
                crate::statistics::mean(&bytes),
                "B",
            )
            .at_most(760.0),
            Figure::new(
                "proofs",
                "records read with their proof, one thread",
                "读取记录并附证明，单线程",
                median(rates),
                "/s",
            ),
        ])
    }
}

/// A sequencer with its threads.
pub(crate) fn at_work(sequencer: Sequencer, now: UnixMillis) -> Result<Pipeline> {
    let settings = Settings {
        queue: 64 * FILL,
        ..Settings::default()
    };
    Ok(Pipeline::start(sequencer, Arc::new(move || now), settings)?)
}

/// Hands in batches and waits for the answer to each, a few of them ahead.
pub(crate) fn admit(pipeline: &Pipeline, batches: Vec<Vec<Event>>) -> Result<()> {
    let mut tickets = VecDeque::new();
    for batch in batches {
        tickets.push_back(pipeline.submit(batch)?);
        if tickets.len() > AHEAD
            && let Some(ticket) = tickets.pop_front()
        {
            accepted(&ticket.wait()?)?;
        }
    }
    for ticket in tickets {
        accepted(&ticket.wait()?)?;
    }
    Ok(())
}

/// Every event of the workload is admissible: anything else is a mistake of this program.
pub(crate) fn accepted(outcomes: &[Outcome]) -> Result<()> {
    let other = outcomes
        .iter()
        .find(|outcome| !matches!(outcome, Outcome::Accepted { .. }));
    ensure!(other.is_none(), "the ledger says {other:?}");
    Ok(())
}

/// Bytes of all files of a folder.
pub(crate) fn folder_bytes(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes)
}
