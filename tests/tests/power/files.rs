//! Small files on a disk that loses power: the ledger's own way of replacing them, each step of it
//! an operation of the disk, and what was not synced gone after the cut.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use zhao_faults::{Disk, Stopped};
use zhao_ledger::store::StoreError;
use zhao_ledger::store::files::{Directory, Step};
use zhao_tests::dice::Dice;
use zhao_tests::promise::{Checked, text};

/// What is known of one file.
#[derive(Default)]
struct State {
    /// Whether the file beside it was synced since it was written.
    synced: bool,
    /// After a rename that no sync of the folder has followed: the content before, if there was
    /// any, and whether the new one was synced.
    renamed: Option<(Option<Vec<u8>>, bool)>,
}

/// The files of one folder, until the power goes.
pub(crate) struct CutFiles {
    disk: Arc<Disk>,
    folder: PathBuf,
    /// Whether syncs are made.
    syncs: bool,
    states: Mutex<BTreeMap<String, State>>,
}

impl CutFiles {
    pub(crate) fn new(disk: &Arc<Disk>, folder: &Path, syncs: bool) -> Arc<Self> {
        Arc::new(Self {
            disk: Arc::clone(disk),
            folder: folder.to_owned(),
            syncs,
            states: Mutex::default(),
        })
    }

    /// The ledger's own files, on this disk.
    pub(crate) fn directory(self: &Arc<Self>) -> Result<Directory, StoreError> {
        let this = Arc::clone(self);
        let ask = move |step, name: &str| this.step(step, name);
        Directory::open_on(&self.folder, Arc::new(ask))
    }

    fn step(&self, step: Step, name: &str) -> io::Result<bool> {
        let passed = self.disk.pass(&format!("{step:?} {name}"));
        passed.map_err(|why| match why {
            Stopped::Off => io::Error::other(format!("no power: {step:?}")),
            Stopped::Refused => io::Error::other(format!("refused {step:?}")),
        })?;
        let mut states = self.states.lock().expect("nobody panics here");
        let state = states.entry(name.to_owned()).or_default();
        match step {
            Step::Write => state.synced = false,
            Step::Sync => state.synced = self.syncs,
            Step::Rename => {
                let now = fs::read(self.folder.join(name)).ok();
                // What was renamed before and never synced may come back as well: the oldest.
                let before = state.renamed.take().map_or(now, |(before, _)| before);
                state.renamed = Some((before, state.synced));
            }
            Step::SyncFolder if self.syncs => state.renamed = None,
            Step::SyncFolder | Step::Read => {}
        }
        Ok(self.syncs)
    }

    /// Leaves what is found after the cut: of a file whose name was not synced the old content or
    /// the new one, and of a new one that was not synced some first part.
    pub(crate) fn lose(&self, dice: &mut Dice) -> Checked {
        let mut states = self.states.lock().expect("nobody panics here");
        for (name, state) in std::mem::take(&mut *states) {
            let Some((before, synced)) = state.renamed else {
                continue;
            };
            let path = self.folder.join(&name);
            if dice.roll(2) == 0 {
                match before {
                    Some(bytes) => text(fs::write(&path, bytes))?,
                    // A rename that was cut at its step never happened.
                    None if path.exists() => text(fs::remove_file(&path))?,
                    None => {}
                }
            } else if !synced && path.exists() {
                let mut bytes = text(fs::read(&path))?;
                bytes.truncate(dice.place(bytes.len() + 1));
                text(fs::write(&path, bytes))?;
            }
        }
        Ok(())
    }
}
