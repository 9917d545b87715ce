//! Small files on a disk that loses power: what was not synced is gone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use zhao_faults::{Disk, Stopped};
use zhao_ledger::store::StoreError;
use zhao_ledger::store::files::{Directory, Files};
use zhao_tests::dice::Dice;

/// Files of a directory, each step of a replacement an operation of the disk: write beside it,
/// sync, rename, sync of the folder. Until the last the old content may come back, and does if the
/// seed says so.
pub(crate) struct CutFiles {
    pub(crate) disk: Arc<Disk>,
    /// What is on the disk.
    pub(crate) inner: Directory,
    pub(crate) dice: Mutex<Dice>,
    /// Whether syncs are made. Without them nothing leaves the memory.
    pub(crate) synced: bool,
    /// What is in memory alone.
    pub(crate) cache: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl CutFiles {
    fn pass(&self, step: &str, name: &str) -> Result<(), (Stopped, StoreError)> {
        self.disk.pass(&format!("{step} {name}")).map_err(|why| {
            let problem = match why {
                Stopped::Off => format!("no power: {step}"),
                Stopped::Refused => format!("refused {step}"),
            };
            let name = name.to_owned();
            (why, StoreError::File { name, problem })
        })
    }
}

impl Files for CutFiles {
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.pass("read", name).map_err(|(_, error)| error)?;
        if let Some(bytes) = self.cache.lock().expect("nobody panics here").get(name) {
            return Ok(Some(bytes.clone()));
        }
        self.inner.read(name)
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let steps: &[&str] = if self.synced {
            &["write", "sync", "rename"]
        } else {
            &["write", "rename"]
        };
        for step in steps {
            self.pass(step, name).map_err(|(_, error)| error)?;
        }
        if !self.synced {
            let mut cache = self.cache.lock().expect("nobody panics here");
            cache.insert(name.to_owned(), bytes.to_owned());
            return Ok(());
        }
        match self.pass("sync folder of", name) {
            Ok(()) => self.inner.replace(name, bytes),
            Err((why, error)) => {
                // Renamed, but nobody knows whether for good.
                let kept = self.dice.lock().expect("nobody panics here").roll(2) == 0;
                if why == Stopped::Refused || kept {
                    self.inner.replace(name, bytes)?;
                }
                Err(error)
            }
        }
    }
}
