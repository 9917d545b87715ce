//! One log on disk, with a witness and an auditor that keep their state in folders of their own.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use zhao_ledger::audit::{Auditor, LocalAuditor};
use zhao_ledger::sequence::{Config, Cosigner, Sequencer, Start, StartError};
use zhao_ledger::store::files::{Directory, Files};
use zhao_ledger::store::rocks::Rocks;
use zhao_ledger::store::{Store, StoreError};
use zhao_ledger::witness::{Clock, LocalWitness};
use zhao_spec::log::cosignature::UnixSeconds;
use zhao_tests::machine::{ORIGIN, auditor, quorum, signer, witness};
use zhao_tests::office::{Office, START};

use crate::stage::{Place, StagedCosigner, StagedFiles, StagedStore, Stages};

/// What can be lost, kept or put back by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The log's database.
    Log,
    /// Intent and checkpoint.
    Files,
    /// The witness's state.
    Witness,
    /// The auditor's database.
    Auditor,
}

impl Part {
    pub(crate) const ALL: [Self; 4] = [Self::Log, Self::Files, Self::Witness, Self::Auditor];

    fn folder(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Files => "files",
            Self::Witness => "witness",
            Self::Auditor => "auditor",
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Site(PathBuf);

impl Site {
    pub(crate) fn at(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.0
    }

    fn part(&self, part: Part) -> PathBuf {
        self.0.join(part.folder())
    }

    /// Replaces these parts by those of another site. No process may have either open.
    pub(crate) fn take(&self, from: &Self, parts: &[Part]) -> io::Result<()> {
        for part in parts {
            let to = self.part(*part);
            if to.exists() {
                fs::remove_dir_all(&to)?;
            }
            let source = from.part(*part);
            if source.exists() {
                copy_folder(&source, &to)?;
            }
        }
        Ok(())
    }

    /// Takes all parts of a site whose process is stopped, the way a quick backup does: tables,
    /// which never change, as further names of the same files, everything else copied.
    pub(crate) fn link(&self, from: &Self) -> io::Result<()> {
        copy_with(&from.0, &self.0, &|source, target| {
            if source
                .extension()
                .is_some_and(|extension| extension == "sst")
            {
                fs::hard_link(source, target)
            } else {
                fs::copy(source, target).map(drop)
            }
        })
    }

    /// The log's database, as it is.
    pub(crate) fn log(&self) -> Result<Arc<dyn Store>, StoreError> {
        fs::create_dir_all(&self.0).expect("a folder can be made");
        Ok(Arc::new(Rocks::create(&self.part(Part::Log))?))
    }

    pub(crate) fn files(&self) -> Result<Directory, StoreError> {
        Directory::open(&self.part(Part::Files))
    }

    /// The log, made where there is none yet: what a worker works on.
    pub(crate) fn open(
        &self,
        log: &Arc<dyn Store>,
        stages: &Arc<Stages>,
    ) -> Result<(Sequencer, Start), StartError> {
        let staged: Arc<dyn Store> = Arc::new(StagedStore {
            inner: Arc::clone(log),
            place: Place::Log,
            stages: Arc::clone(stages),
        });
        let files = self.staged_files(Part::Files, Place::Files, stages)?;
        let config = || self.config(&staged, stages);
        match Sequencer::open(Arc::clone(&staged), Arc::clone(&files), config()?, START) {
            Err(StartError::NotCreated) => {
                let genesis = Office::new(ORIGIN).genesis();
                let log = Sequencer::create(Arc::clone(&staged), files, config()?, &genesis, START);
                Ok((log?, Start::default()))
            }
            opened => opened,
        }
    }

    fn staged_files(
        &self,
        part: Part,
        place: Place,
        stages: &Arc<Stages>,
    ) -> Result<Arc<dyn Files>, StoreError> {
        let folder = self.part(part);
        Ok(Arc::new(StagedFiles {
            inner: Arc::new(Directory::open(&folder)?),
            folder,
            place,
            stages: Arc::clone(stages),
        }))
    }

    fn config(&self, log: &Arc<dyn Store>, stages: &Arc<Stages>) -> Result<Config, StoreError> {
        let clock: Clock = Arc::new(|| UnixSeconds(START.0 / 1_000));
        let files = self.staged_files(Part::Witness, Place::Witness, stages)?;
        let witness = Arc::new(Mutex::new(witness(files)));
        let witness = LocalWitness::new(witness, ORIGIN, Arc::clone(&clock));
        let store = Arc::new(StagedStore {
            inner: Arc::new(Rocks::create(&self.part(Part::Auditor))?),
            place: Place::Auditor,
            stages: Arc::clone(stages),
        });
        let auditor = Arc::new(Mutex::new(auditor(store, Arc::clone(log))));
        // What an auditor refuses leaves the head below its quorum, and the worker complains.
        let auditor = LocalAuditor::new(auditor, clock, Arc::new(|_| {}));
        let staged = |inner: Box<dyn Cosigner>| -> Box<dyn Cosigner> {
            let stages = Arc::clone(stages);
            Box::new(StagedCosigner { inner, stages })
        };
        Ok(Config {
            signer: signer().into(),
            quorum: quorum(),
            cosigners: vec![staged(Box::new(witness)), staged(Box::new(auditor))],
            max_unpublished: 1_000,
            mldsa: None,
            publication: None,
        })
    }

    /// The last head the witness cosigned.
    pub(crate) fn witnessed(&self) -> Result<Option<String>, StoreError> {
        let files = Directory::open(&self.part(Part::Witness))?;
        witness(Arc::new(files)).latest(ORIGIN)
    }

    /// The auditor, as it is on disk.
    pub(crate) fn auditor(&self, log: &Arc<dyn Store>) -> Result<Auditor, StoreError> {
        let store = Rocks::create(&self.part(Part::Auditor))?;
        Ok(auditor(Arc::new(store), Arc::clone(log)))
    }
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    copy_with(from, to, &|source, target| {
        fs::copy(source, target).map(drop)
    })
}

fn copy_with(
    from: &Path,
    to: &Path,
    copy: &dyn Fn(&Path, &Path) -> io::Result<()>,
) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_with(&entry.path(), &target, copy)?;
        } else {
            copy(&entry.path(), &target)?;
        }
    }
    Ok(())
}
