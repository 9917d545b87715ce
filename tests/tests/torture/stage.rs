//! Where the worker dies: wrappers around everything durable and everyone asked, that say what
//! comes next and, when it is their turn, end the process.

use std::fmt::{self, Display};
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Arc, Mutex};

use zhao_ledger::sequence::{CosignError, CosignRequest, Cosigner};
use zhao_ledger::store::files::Files;
use zhao_ledger::store::{Entry, Family, Read, Snapshot, Store, StoreError, WriteBatch};
use zhao_spec::log::note::Vkey;

/// What the process does when it dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Writes a batch of the log's database.
    Log,
    /// Replaces intent or checkpoint.
    Files,
    /// Replaces the witness's state.
    Witness,
    /// Writes a batch of the auditor's database.
    Auditor,
    /// Asks the witness or the auditor for a cosignature.
    Cosign,
    /// Hands events from the office to the ledger.
    Submit,
    /// Begins the next transaction of a file that is issued in bulk.
    Turn,
    /// Is told what became of a row of such a file.
    Report,
}

/// How much of it is done then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edge {
    Before,
    After,
    /// Half of the new content is in the temporary file.
    Torn,
}

/// The `turn`th time at this place, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Abort {
    pub(crate) place: Place,
    pub(crate) edge: Edge,
    pub(crate) turn: u64,
}

/// Every way to die that there is.
pub(crate) const WAYS: &[(Place, Edge)] = &[
    (Place::Log, Edge::Before),
    (Place::Log, Edge::After),
    (Place::Files, Edge::Before),
    (Place::Files, Edge::After),
    (Place::Files, Edge::Torn),
    (Place::Witness, Edge::Before),
    (Place::Witness, Edge::After),
    (Place::Witness, Edge::Torn),
    (Place::Auditor, Edge::Before),
    (Place::Auditor, Edge::After),
    (Place::Cosign, Edge::Before),
    (Place::Cosign, Edge::After),
];

/// The same for an office over the log.
pub(crate) const OFFICE_WAYS: &[(Place, Edge)] = &[
    (Place::Submit, Edge::Before),
    (Place::Submit, Edge::After),
    WAYS[0],
    WAYS[1],
    WAYS[2],
    WAYS[3],
    WAYS[4],
    WAYS[5],
    WAYS[6],
    WAYS[7],
    WAYS[8],
    WAYS[9],
    WAYS[10],
    WAYS[11],
];

/// The same for a file that is issued in bulk.
pub(crate) const BULK_WAYS: [(Place, Edge); 8] = [
    // Written, not sent; answered, not settled.
    (Place::Submit, Edge::Before),
    (Place::Submit, Edge::After),
    // Between two transactions: checked, signed, written, sent or answered, as it comes.
    (Place::Turn, Edge::Before),
    // Settled, and not reported; reported.
    (Place::Report, Edge::Before),
    (Place::Report, Edge::After),
    // In the middle of the ledger's commit.
    (Place::Log, Edge::Before),
    (Place::Log, Edge::After),
    (Place::Files, Edge::Torn),
];

impl Display for Abort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}:{:?}:{}", self.place, self.edge, self.turn)
    }
}

impl FromStr for Abort {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("no way to die: {text}");
        let (way, turn) = text.rsplit_once(':').ok_or_else(wrong)?;
        let named = |(place, edge): &&(Place, Edge)| format!("{place:?}:{edge:?}") == way;
        let (place, edge) = *OFFICE_WAYS
            .iter()
            .chain(&BULK_WAYS)
            .find(named)
            .ok_or_else(wrong)?;
        let turn = turn.parse().map_err(|_| wrong())?;
        Ok(Self { place, edge, turn })
    }
}

/// What the wrappers of one process share.
#[derive(Default)]
pub(crate) struct Stages {
    abort: Option<Abort>,
    /// Whether to say what comes next: in the worker, whose supervisor counts these lines.
    loud: bool,
    /// How often each place was reached.
    turns: Mutex<[u64; 8]>,
}

impl Stages {
    pub(crate) fn quiet() -> Arc<Self> {
        Arc::default()
    }

    pub(crate) fn loud(abort: Option<Abort>) -> Arc<Self> {
        let loud = true;
        Arc::new(Self {
            abort,
            loud,
            ..Self::default()
        })
    }

    /// Does what is done at a place, unless the process ends there. `torn` leaves it half done.
    pub(crate) fn pass<T>(&self, place: Place, torn: impl FnOnce(), work: impl FnOnce() -> T) -> T {
        let turn = {
            let mut turns = self.turns.lock().expect("no other thread fails here");
            let count = &mut turns[place as usize];
            *count += 1;
            *count
        };
        self.say(&format!("stage {place:?} {turn}"));
        let due = self
            .abort
            .filter(|abort| (abort.place, abort.turn) == (place, turn));
        let edge = due.map(|abort| abort.edge);
        if edge == Some(Edge::Torn) {
            torn();
        }
        if matches!(edge, Some(Edge::Before | Edge::Torn)) {
            std::process::abort();
        }
        let result = work();
        if edge == Some(Edge::After) {
            std::process::abort();
        }
        result
    }

    /// One line, whole or not at all: it is shorter than a pipe's buffer. Without a reader there is
    /// no more to do.
    pub(crate) fn say(&self, line: &str) {
        if self.loud {
            let line = format!("{line}\n");
            let mut out = std::io::stdout().lock();
            let said = out.write_all(line.as_bytes()).and_then(|()| out.flush());
            said.expect("the supervisor reads");
        }
    }
}

/// A database.
pub(crate) struct StagedStore {
    pub(crate) inner: Arc<dyn Store>,
    pub(crate) place: Place,
    pub(crate) stages: Arc<Stages>,
}

impl Read for StagedStore {
    fn get(&self, family: Family, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.get(family, key)
    }

    fn scan(
        &self,
        family: Family,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        self.inner.scan(family, from, to, limit)
    }

    fn last(&self, family: Family) -> Result<Option<Entry>, StoreError> {
        self.inner.last(family)
    }
}

impl Store for StagedStore {
    fn write(&self, batch: WriteBatch) -> Result<(), StoreError> {
        let write = || self.inner.write(batch);
        self.stages.pass(self.place, || (), write)
    }

    fn snapshot(&self) -> Result<Snapshot<'_>, StoreError> {
        self.inner.snapshot()
    }
}

/// Files in a folder.
pub(crate) struct StagedFiles {
    pub(crate) inner: Arc<dyn Files>,
    pub(crate) folder: PathBuf,
    pub(crate) place: Place,
    pub(crate) stages: Arc<Stages>,
}

impl Files for StagedFiles {
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.read(name)
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let torn = || {
            let half = &bytes[..bytes.len() / 2];
            fs::write(self.folder.join(format!(".{name}.new")), half).expect("a file is written");
        };
        let replace = || self.inner.replace(name, bytes);
        self.stages.pass(self.place, torn, replace)
    }
}

/// The witness or the auditor.
pub(crate) struct StagedCosigner {
    pub(crate) inner: Box<dyn Cosigner>,
    pub(crate) stages: Arc<Stages>,
}

impl Cosigner for StagedCosigner {
    fn vkey(&self) -> &Vkey {
        self.inner.vkey()
    }

    fn latest(&mut self) -> Result<Option<String>, CosignError> {
        self.inner.latest()
    }

    fn cosign(&mut self, request: &CosignRequest) -> Result<Vec<String>, CosignError> {
        // Whatever leaves the process counts as seen by somebody.
        self.stages
            .say(&format!("signed {}", one_line(&request.note)));
        let stages = Arc::clone(&self.stages);
        stages.pass(Place::Cosign, || (), || self.inner.cosign(request))
    }
}

/// A note as one line; `|` is in none.
pub(crate) fn one_line(note: &str) -> String {
    note.replace('\n', "|")
}

/// The note of [`one_line`].
pub(crate) fn lines(note: &str) -> String {
    note.replace('|', "\n")
}
