//! The operator's press: whoever holds the log's key can print any log. It keeps no rule of the
//! life cycle; it only keeps the *shape*, so that the directory it writes looks like a log and
//! passes every check that has nothing but this directory to go by.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use zhao_ledger::hot::HotRecords;
use zhao_ledger::map::load::{load, short_version};
use zhao_ledger::map::{MapLeaf, StatusMap};
use zhao_ledger::overlay::{Overlay, StoredView};
use zhao_ledger::replay::Index;
use zhao_ledger::sequence::CHECKPOINT_FILE;
use zhao_ledger::sequence::intent::{self, Intent};
use zhao_ledger::store::files::{Directory, Files as _};
use zhao_ledger::store::layout::{
    Epochs, EventIds, FORMAT, Heads, Holdings, Leaves, Meta, MetaKey, Records, Replaced, Subjects,
};
use zhao_ledger::store::rocks::Rocks;
use zhao_ledger::store::{self, Store, WriteBatch};
use zhao_ledger::tree;
use zhao_spec::life::apply::{apply, genesis_records};
use zhao_spec::life::leaf::{Epoch, Leaf};
use zhao_spec::life::record::Record;
use zhao_spec::log::checkpoint::Checkpoint;
use zhao_spec::log::cosignature::{self, UnixSeconds};
use zhao_spec::log::note::NoteSigner;
use zhao_spec::log::tree::{Frontier, LeafIndex, TreeSize, leaf_hash};
use zhao_spec::wire::{Hash, SecretKey, UnixMillis};

use crate::failure::{Failure, because};

/// What the operator holds: the log's key, and the local witness's, which is on his machine.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    /// Name of the log.
    pub(crate) origin: String,
    /// The log's key.
    pub(crate) log: SecretKey,
    /// Name of the local witness's key.
    pub(crate) witness_name: String,
    /// The local witness's key.
    pub(crate) witness: SecretKey,
}

/// A log directory being printed.
pub(crate) struct Press {
    store: Arc<Rocks>,
    files: Directory,
    keys: Keys,
    frontier: Frontier,
    epoch: Option<Epoch>,
    map: StatusMap,
    hot: HotRecords,
}

/// What a batch of leaves does to the map, if one believes them.
#[derive(Debug, Default)]
pub(crate) struct Effect {
    /// New records by key.
    pub(crate) writes: BTreeMap<Hash, Arc<Record>>,
    /// Entries by which events are found again.
    pub(crate) index: Index,
}

fn failed<E: std::fmt::Display>(cause: E) -> Failure {
    because::<E>("demo-press", Vec::new())(cause)
}

impl Press {
    /// Goes on where the log in `ledger` (as of `zhao init`) ends.
    ///
    /// # Errors
    /// The database cannot be read.
    pub(crate) fn go_on(ledger: &Path, keys: Keys) -> Result<Self, Failure> {
        let store = Arc::new(Rocks::open(&ledger.join("db")).map_err(failed)?);
        let files = Directory::open(ledger).map_err(failed)?;
        let (number, index) = store::last::<Epochs>(&*store)
            .map_err(failed)?
            .ok_or_else(|| failed("the log is empty"))?;
        let bytes = store::require::<Leaves>(&*store, &index).map_err(failed)?;
        let Leaf::Epoch(epoch) = Leaf::parse(&bytes).map_err(failed)? else {
            return Err(failed("the log does not end in an epoch leaf"));
        };
        let size = TreeSize(index.0 + 1);
        let frontier = tree::frontier(&*store, size).map_err(failed)?;
        let map = load(&*store, number).map_err(failed)?;
        Ok(Self {
            store,
            files,
            keys,
            frontier,
            epoch: Some(epoch),
            map,
            hot: HotRecords::default(),
        })
    }

    /// Starts an empty log in `ledger`.
    ///
    /// # Errors
    /// The database cannot be made.
    pub(crate) fn start(ledger: &Path, keys: Keys) -> Result<Self, Failure> {
        let files = Directory::open(ledger).map_err(failed)?;
        let store = Arc::new(Rocks::create(&ledger.join("db")).map_err(failed)?);
        let mut batch = WriteBatch::new();
        let format = FORMAT.to_be_bytes().to_vec();
        batch.put::<Meta>(&MetaKey::Format, &format);
        batch.put::<Meta>(&MetaKey::LogKey, &keys.log.public().to_bytes().to_vec());
        batch.put::<Meta>(&MetaKey::Origin, &keys.origin.as_bytes().to_vec());
        store.write(batch).map_err(failed)?;
        Ok(Self {
            store,
            files,
            keys,
            frontier: Frontier::new(),
            epoch: None,
            map: StatusMap::new(),
            hot: HotRecords::default(),
        })
    }

    /// The database, for reading and proving.
    pub(crate) fn store(&self) -> Arc<Rocks> {
        Arc::clone(&self.store)
    }

    /// Number of leaves.
    pub(crate) fn size(&self) -> u64 {
        self.frontier.size().0
    }

    /// The record at `key` now.
    ///
    /// # Errors
    /// The database cannot be read.
    pub(crate) fn record(&self, key: &Hash) -> Result<Option<Record>, Failure> {
        let view = StoredView::new(&*self.store, &self.map, &self.hot);
        let record = view.get(key).map_err(failed)?;
        Ok(record.map(|record| Record::clone(&record)))
    }

    /// What `leaves` do by the rules. A leaf that the rules refuse has no effect: the press does
    /// not mind it, and neither does it fail.
    ///
    /// # Errors
    /// The database cannot be read.
    pub(crate) fn effect(&self, leaves: &[Vec<u8>], time: UnixMillis) -> Result<Effect, Failure> {
        let view = StoredView::new(&*self.store, &self.map, &self.hot);
        let mut overlay = Overlay::new(&view);
        let mut index = Index::default();
        for (at, bytes) in (self.size()..).zip(leaves) {
            match Leaf::parse(bytes) {
                Ok(Leaf::Genesis(genesis)) => {
                    let records = genesis_records(&genesis);
                    for (key, _) in &records {
                        index.subjects.push(((*key, 0), LeafIndex(at)));
                    }
                    overlay.take(records).map_err(|fault| failed(fault.0))?;
                }
                Ok(Leaf::Event(event)) => {
                    let Ok(event) = event.verify_signatures() else {
                        continue;
                    };
                    let Ok(writes) = apply(&overlay, &event, LeafIndex(at), time) else {
                        continue;
                    };
                    index.add(&event, LeafIndex(at), &writes);
                    overlay.take(writes).map_err(|fault| failed(fault.0))?;
                }
                _ => {}
            }
        }
        Ok(Effect {
            writes: overlay.finish().writes,
            index,
        })
    }

    /// Prints leaves, whatever they say, and an epoch leaf over a map changed by `effect`,
    /// whatever that is.
    ///
    /// # Errors
    /// The database cannot be written.
    pub(crate) fn print(
        &mut self,
        mut leaves: Vec<Vec<u8>>,
        effect: &Effect,
        time: UnixMillis,
    ) -> Result<Epoch, Failure> {
        let number = self.epoch.as_ref().map_or(0, |epoch| epoch.epoch + 1);
        let first = self.size();
        let mut batch = WriteBatch::new();
        for (id, index) in &effect.index.event_ids {
            batch.put::<EventIds>(id, index);
        }
        for (key, licence) in &effect.index.holdings {
            batch.put::<Holdings>(key, licence);
        }
        for (key, index) in &effect.index.subjects {
            batch.put::<Subjects>(key, index);
        }
        let version = short_version(number).map_err(failed)?;
        let mut changes = Vec::new();
        for (key, record) in &effect.writes {
            batch.put::<Records>(&(number, *key), &record.bytes());
            changes.push(MapLeaf {
                key: *key,
                record: record.hash(),
                version,
            });
        }
        let updated = self.map.update(&changes);
        if !updated.replaced.is_empty() {
            let old = |leaf: &MapLeaf| (leaf.key, u64::from(leaf.version));
            batch.put::<Replaced>(&number, &updated.replaced.iter().map(old).collect());
        }
        let count = u64::try_from(leaves.len()).expect("a batch is bounded");
        let epoch = Epoch {
            epoch: number,
            index: LeafIndex(first + count),
            map_root: updated.map.root(),
            previous: self.epoch.as_ref().map(|epoch| epoch.index),
            subjects: updated.map.count(),
            time,
        };
        leaves.push(epoch.bytes());
        for (index, leaf) in (first..).zip(&leaves) {
            batch.put::<Leaves>(&LeafIndex(index), leaf);
        }
        batch.put::<Epochs>(&number, &epoch.index);
        let hashes: Vec<Hash> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
        let tiles = tree::append(&*self.store, &mut self.frontier, &hashes).map_err(failed)?;
        tree::stage(&mut batch, &tiles);
        self.store.write(batch).map_err(failed)?;
        self.epoch = Some(epoch.clone());
        self.map = updated.map;
        Ok(epoch)
    }

    /// Signs the newest head with the log's key, cosigns it with the witness's at `now`, and puts
    /// it where readers look.
    ///
    /// # Errors
    /// The disk refuses.
    pub(crate) fn sign(&mut self, now: UnixMillis) -> Result<String, Failure> {
        let checkpoint = Checkpoint {
            origin: self.keys.origin.clone(),
            size: self.frontier.size(),
            root: self.frontier.root(),
        };
        let mut note = checkpoint.to_note().map_err(failed)?;
        let signer = NoteSigner::new(&self.keys.origin, self.keys.log.clone()).map_err(failed)?;
        note.sign(&signer).map_err(failed)?;
        let line = cosignature::cosign(
            &self.keys.witness,
            &self.keys.witness_name,
            UnixSeconds(now.0 / 1_000),
            note.text(),
        )
        .map_err(failed)?;
        note.add(line).map_err(failed)?;
        let text = note.format();
        let mut batch = WriteBatch::new();
        batch.put::<Heads>(&checkpoint.size.0, &text.clone().into_bytes());
        self.store.write(batch).map_err(failed)?;
        let intent = Intent {
            origin: checkpoint.origin,
            root: checkpoint.root,
            size: checkpoint.size,
        };
        self.files
            .replace(intent::FILE, &intent.bytes())
            .map_err(failed)?;
        self.files
            .replace(CHECKPOINT_FILE, text.as_bytes())
            .map_err(failed)?;
        Ok(text)
    }
}

impl std::fmt::Debug for Press {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Press({} leaves)", self.size())
    }
}

/// An epoch's time, and the leaves before its epoch leaf.
pub(crate) type Segment = (UnixMillis, Vec<Vec<u8>>);

/// Every leaf of the log in `store`, cut at its epoch leaves.
///
/// # Errors
/// The database cannot be read.
pub(crate) fn segments(store: &dyn Store) -> Result<Vec<Segment>, Failure> {
    let mut all = Vec::new();
    let mut leaves = Vec::new();
    for index in 0.. {
        let Some(bytes) = store::read::<Leaves>(store, &LeafIndex(index)).map_err(failed)? else {
            return Ok(all);
        };
        match Leaf::parse(&bytes).map_err(failed)? {
            Leaf::Epoch(epoch) => all.push((epoch.time, std::mem::take(&mut leaves))),
            _ => leaves.push(bytes),
        }
    }
    Ok(all)
}
