//! A machine: one log with its witness and its auditor, everything on one disk.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use zhao_faults::Disk;
use zhao_ledger::audit::LocalAuditor;
use zhao_ledger::sequence::{
    Config, CosignError, CosignRequest, Cosigner, Sequencer, Start, StartError,
};
use zhao_ledger::store::files::{Directory, Files};
use zhao_ledger::store::rocks::Rocks;
use zhao_ledger::store::{Store, StoreError};
use zhao_ledger::witness::{Clock, LocalWitness};
use zhao_spec::log::cosignature::UnixSeconds;
use zhao_spec::log::note::Vkey;
use zhao_tests::dice::Dice;
use zhao_tests::machine::{ORIGIN, auditor, quorum, signer, witness};
use zhao_tests::office::{Office, START};
use zhao_tests::promise::Checked;
use zhao_tests::quick;

use crate::files::CutFiles;

/// Bytes that one machine may need, with a copy of it.
const ROOM: u64 = 1 << 30;
/// The smallest write buffer the engine takes, so that short runs flush and compact.
const WRITE_BUFFER: usize = 64 << 10;

/// A folder in memory where there is one: what a sync is worth is decided above it, so that waiting
/// for a real disk would show nothing.
pub(crate) fn quick_folder() -> TempDir {
    let root = quick::root(ROOM, env!("CARGO_TARGET_TMPDIR"));
    TempDir::with_prefix_in("power-", root).expect("a folder can be made")
}

/// What is switched off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unsynced {
    /// Syncs of the write-ahead log.
    pub(crate) log: bool,
    /// Syncs of the files beside it.
    pub(crate) files: bool,
}

/// Where things are, power or not.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    folder: PathBuf,
}

/// A disk with power.
pub(crate) struct Powered {
    pub(crate) disk: Arc<Disk>,
    unsynced: Unsynced,
    files: Mutex<Vec<Arc<CutFiles>>>,
}

impl Powered {
    pub(crate) fn new(unsynced: Unsynced) -> Self {
        let disk = Arc::new(Disk::new());
        if unsynced.log {
            disk.ignore_wal_syncs();
        }
        let files = Mutex::default();
        Self {
            disk,
            unsynced,
            files,
        }
    }

    fn files(&self, folder: &Path) -> Arc<CutFiles> {
        let made = CutFiles::new(&self.disk, folder, !self.unsynced.files);
        let mut files = self.files.lock().expect("nobody panics here");
        files.push(Arc::clone(&made));
        made
    }

    /// Leaves what a machine finds after the cut. Nothing may be open any more.
    pub(crate) fn lose_unsynced(self, dice: &mut Dice) -> Checked {
        let Self { disk, files, .. } = self;
        for files in files.into_inner().expect("nobody panics here") {
            files.lose(dice)?;
        }
        let disk = Arc::into_inner(disk).ok_or("something is still open")?;
        disk.lose_unsynced()
    }
}

/// Heads that left the sequencer, oldest first.
pub(crate) type Signed = Arc<Mutex<Vec<String>>>;

/// An open log.
pub(crate) struct Running {
    pub(crate) log: Arc<dyn Store>,
    pub(crate) sequencer: Sequencer,
    pub(crate) start: Start,
}

impl Machine {
    pub(crate) fn at(folder: &Path) -> Self {
        let folder = folder.to_owned();
        Self { folder }
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.join("log")
    }

    pub(crate) fn replica(&self) -> PathBuf {
        self.folder.join("auditor")
    }

    pub(crate) fn files(&self) -> Result<Directory, StoreError> {
        Directory::open(&self.folder.join("files"))
    }

    pub(crate) fn witnessed(&self) -> Result<Directory, StoreError> {
        Directory::open(&self.folder.join("witness"))
    }

    /// Opens everything on the machine's own file system.
    pub(crate) fn open(&self, signed: &Signed) -> Result<Running, StartError> {
        fs::create_dir_all(&self.folder).expect("a folder can be made");
        let log: Arc<dyn Store> = Arc::new(Rocks::create(&self.database())?);
        self.open_log(&log, signed)
    }

    /// As [`Machine::open`], with the log's database in hand.
    pub(crate) fn open_log(
        &self,
        log: &Arc<dyn Store>,
        signed: &Signed,
    ) -> Result<Running, StartError> {
        let replica: Arc<dyn Store> = Arc::new(Rocks::create(&self.replica())?);
        let (files, witnessed) = (Arc::new(self.files()?), Arc::new(self.witnessed()?));
        start(log, &replica, files, witnessed, signed)
    }

    /// Opens everything on a disk that may lose power, the log made where there is none.
    pub(crate) fn open_on(
        &self,
        powered: &Powered,
        signed: &Signed,
    ) -> Result<Running, StartError> {
        let rocks = |path: &Path| -> Result<Arc<dyn Store>, StoreError> {
            let env = powered.disk.env();
            Ok(Arc::new(Rocks::create_on(path, &env, WRITE_BUFFER)?))
        };
        let (log, replica) = (rocks(&self.database())?, rocks(&self.replica())?);
        let files = Arc::new(powered.files(&self.folder.join("files")).directory()?);
        let witnessed = Arc::new(powered.files(&self.folder.join("witness")).directory()?);
        start(&log, &replica, files, witnessed, signed)
    }
}

fn start(
    log: &Arc<dyn Store>,
    replica: &Arc<dyn Store>,
    files: Arc<dyn Files>,
    witnessed: Arc<dyn Files>,
    signed: &Signed,
) -> Result<Running, StartError> {
    let config = || {
        let clock: Clock = Arc::new(|| UnixSeconds(START.0 / 1_000));
        let keeper = Arc::new(Mutex::new(witness(Arc::clone(&witnessed))));
        let auditor = Arc::new(Mutex::new(auditor(Arc::clone(replica), Arc::clone(log))));
        let heard = |inner: Box<dyn Cosigner>| -> Box<dyn Cosigner> {
            let signed = Arc::clone(signed);
            Box::new(Heard { inner, signed })
        };
        let keeper = LocalWitness::new(keeper, ORIGIN, Arc::clone(&clock));
        let auditor = LocalAuditor::new(auditor, clock, Arc::new(|_| {}));
        Config {
            signer: signer().into(),
            quorum: quorum(),
            cosigners: vec![heard(Box::new(keeper)), heard(Box::new(auditor))],
            max_unpublished: 1_000,
            mldsa: None,
            publication: None,
        }
    };
    let opened = Sequencer::open(Arc::clone(log), Arc::clone(&files), config(), START);
    let (sequencer, start) = match opened {
        Err(StartError::NotCreated) => {
            let genesis = Office::new(ORIGIN).genesis();
            let made = Sequencer::create(Arc::clone(log), files, config(), &genesis, START)?;
            (made, Start::default())
        }
        opened => opened?,
    };
    let log = Arc::clone(log);
    Ok(Running {
        log,
        sequencer,
        start,
    })
}

/// Takes down every head that is shown to a cosigner: from there on somebody may hold it.
struct Heard {
    inner: Box<dyn Cosigner>,
    signed: Signed,
}

impl Cosigner for Heard {
    fn vkey(&self) -> &Vkey {
        self.inner.vkey()
    }

    fn latest(&mut self) -> Result<Option<String>, CosignError> {
        self.inner.latest()
    }

    fn cosign(&mut self, request: &CosignRequest) -> Result<Vec<String>, CosignError> {
        let mut signed = self.signed.lock().expect("nobody panics here");
        signed.push(request.note.clone());
        drop(signed);
        self.inner.cosign(request)
    }
}

/// Copies a folder with everything in it.
pub(crate) fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
