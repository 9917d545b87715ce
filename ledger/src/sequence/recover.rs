//! Making a log, and starting one that is there: every check that comes before the key signs.

use std::collections::BTreeMap;
use std::sync::Arc;

use zhao_spec::life::apply::genesis_records;
use zhao_spec::life::leaf::{Epoch, Genesis, Leaf};
use zhao_spec::log::note::Vkey;
use zhao_spec::log::tree::{LeafIndex, TreeSize};
use zhao_spec::wire::{Hash, Malformed, UnixMillis};

use super::ahead::Tip;
use super::error::{CommitError, StartError};
use super::intent::{self, Intent};
use super::panel::Panel;
use super::second::{self, Signed};
use super::second_log::log_root;
use super::signer::LogSigner;
use super::stage::{Edge, Segment};
use super::watch::Watched;
use super::{CHECKPOINT_FILE, Config, Published, Sequencer};
use crate::hot::HotRecords;
use crate::map::load::{load, short_version};
use crate::map::{MapLeaf, Maps, StatusMap};
use crate::overlay::{StoredView, Touched};
use crate::publish::Claims;
use crate::replay::{Divergence, replay};
use crate::store::files::Files;
use crate::store::layout::{Epochs, FORMAT, Family, Heads, Leaves, Meta, MetaKey};
use crate::store::{self, Read, Store, StoreError};
use crate::tree;

/// What starting found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Start {
    /// Leaves that were committed but in no intent; they were judged again.
    pub unsigned: u64,
    /// Whether a fresh epoch leaf was appended.
    pub fresh_epoch: bool,
    /// Cosigners that did not tell their last head, and why. If they could be a quorum, nothing is
    /// committed until enough of them answer.
    pub unasked: Vec<(String, String)>,
}

impl Sequencer {
    /// Makes a new log in an empty database: genesis, and epoch 0 over it.
    ///
    /// # Errors
    /// See [`StartError`]. Interrupted, it can be called again until the first head was signed;
    /// from then on [`Sequencer::open`] is the way.
    pub fn create(
        store: Arc<dyn Store>,
        files: Arc<dyn Files>,
        config: Config,
        genesis: &Genesis,
        now: UnixMillis,
    ) -> Result<Self, StartError> {
        let origin = config.signer.origin().to_owned();
        expect("origin of the genesis leaf", &origin, &genesis.origin)?;
        if store.last(Family::Leaves)?.is_some() || store.last(Family::Meta)?.is_some() {
            return Err(StartError::AlreadyCreated {
                what: "a database with leaves",
            });
        }
        if read_intent(&*files)?.is_some_and(|intent| intent != Intent::none(&origin)) {
            return Err(StartError::AlreadyCreated {
                what: "an intent file",
            });
        }
        if files.read(CHECKPOINT_FILE)?.is_some() {
            return Err(StartError::AlreadyCreated {
                what: "a published checkpoint",
            });
        }
        // The empty intent comes first: from now on a database without intent was robbed of it.
        files.replace(intent::FILE, &Intent::none(&origin).bytes())?;
        let mut sequencer = Self::assemble(store, files, config, Edge::empty());
        sequencer.take_claim()?;
        sequencer.guarded(Self::confirm)?;
        sequencer.append_genesis(genesis, now.max(genesis.created))?;
        sequencer.guarded(Self::publish)?;
        Ok(sequencer)
    }

    fn append_genesis(&mut self, genesis: &Genesis, time: UnixMillis) -> Result<(), StartError> {
        if time > UnixMillis::MAX {
            return Err(CommitError::Clock {
                now: time,
                last: UnixMillis(0),
            }
            .into());
        }
        let segment = genesis_segment(genesis);
        let (staged, opened) = second::stage_and_open(&*self.store, &self.edge, &segment, time)?;
        second::check(&*self.store, None, &self.edge, opened, &staged)?;
        // Genesis, epoch 0 and the names of things in one batch: a crash leaves an empty database,
        // which may be created again, or a whole one, which opens.
        let mut batch = staged.batch;
        let meta = [
            (MetaKey::Format, FORMAT.to_be_bytes().to_vec()),
            (MetaKey::LogKey, log_key(&self.signer)),
            (MetaKey::Origin, self.origin().as_bytes().to_vec()),
        ];
        for (key, value) in &meta {
            batch.put::<Meta>(key, value);
        }
        self.store.write(batch)?;
        self.tip.move_to(staged.edge.clone(), self.tip.fresh());
        self.edge = staged.edge;
        Ok(())
    }

    /// Starts the log in this database. Nothing is signed before every check has passed; then, if
    /// anything was left half done, a fresh epoch is appended and published.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn open(
        store: Arc<dyn Store>,
        files: Arc<dyn Files>,
        config: Config,
        now: UnixMillis,
    ) -> Result<(Self, Start), StartError> {
        let edge = load_edge(&*store).map_err(|error| lost_or(error, &*files))?;
        // Its map comes last: it is long work, and a wrong directory is found out before.
        let mut this = Self::assemble(store, files, config, edge);
        this.check_names()?;
        // The intent: a head of that size may be in somebody's hands, so this database must be the
        // one it was computed from.
        let intent = read_intent(&*this.files)?.ok_or(StartError::IntentMissing)?;
        expect("origin of the intent", this.origin(), &intent.origin)?;
        this.check_intent(&intent)?;
        this.load_published()?;
        let unsigned = this.check_unsigned(intent.size)?;
        let mut start = Start {
            unsigned,
            ..Start::default()
        };
        this.load_map()?;
        this.check_signer()?;
        this.take_claim()?;
        // All is well here. What witnesses know comes last: without enough of them the log starts
        // all the same, but commits and signs nothing until they answer.
        match this.guarded(Self::confirm) {
            Err(CommitError::Unconfirmed { .. }) => {}
            other => other?,
        }
        start.unasked = this.silent.clone();
        // If the last epoch is not the published one, a fresh epoch covers everything; inner epochs
        // stay as they are, unsigned or not.
        this.rewrite_checkpoint()?;
        if this.confirmed && this.published.size != this.edge.size() {
            start.fresh_epoch = true;
            this.heartbeat(now)?;
        } else if this.confirmed && !this.quorum.is_met(&this.published.note).unwrap_or(false) {
            // The policy was changed: its readers do not take the head that the old one made.
            this.heartbeat(now)?;
        }
        Ok((this, start))
    }

    fn assemble(store: Arc<dyn Store>, files: Arc<dyn Files>, config: Config, edge: Edge) -> Self {
        let keys = config.signer.known(&config.quorum.policy);
        let watched = Watched::default();
        Self {
            store,
            files,
            first: keys.first().public_key().copied(),
            keys,
            signer: Arc::new(config.signer),
            quorum: config.quorum,
            panel: Panel::new(config.cosigners, watched.clone()),
            max_unpublished: config.max_unpublished,
            mldsa: config.mldsa,
            publication: config.publication,
            claims: None,
            edge,
            maps: Arc::new(Maps::new()),
            hot: Arc::new(HotRecords::default()),
            tip: Arc::new(Tip::new()),
            signed: None,
            published: Published {
                size: TreeSize(0),
                note: String::new(),
            },
            silent: Vec::new(),
            confirmed: false,
            stopped: None,
            watched,
        }
    }

    fn check_names(&mut self) -> Result<(), StartError> {
        let origin = store::require::<Meta>(&*self.store, &MetaKey::Origin)?;
        expect(
            "origin of the database",
            self.origin(),
            &String::from_utf8_lossy(&origin),
        )?;
        // The key the log began with. It need not be here any more, but must be one of the log's.
        let key = store::require::<Meta>(&*self.store, &MetaKey::LogKey)?;
        let known = self.keys.iter().filter_map(Vkey::public_key);
        let mut first = known.filter(|known| known.to_bytes().as_slice() == key);
        self.first = first.next().copied();
        if self.first.is_none() {
            let held = log_key(&self.signer);
            return expect("log key of the database", &hex(&held), &hex(&key));
        }
        Ok(())
    }

    /// The key that signs the next head must be here: without it nothing can be published.
    fn check_signer(&self) -> Result<(), StartError> {
        let next = TreeSize(self.edge.size().0.saturating_add(1));
        let Some(first) = self.first else {
            return Ok(());
        };
        match self.signer.at(first, &self.named()?, next) {
            Ok(_) => Ok(()),
            Err(key) => {
                let (held, must) = (log_key(&self.signer), key.to_bytes());
                expect("log key of the database", &hex(&held), &hex(&must))
            }
        }
    }

    /// Where the log is published, this process must be the one that may sign.
    fn take_claim(&mut self) -> Result<(), StartError> {
        let Some(publication) = self.publication.take() else {
            return Ok(());
        };
        let signed = match &self.signed {
            Some(signed) => (signed.size, signed.root),
            None => (TreeSize(0), zhao_spec::log::tree::empty_root()),
        };
        let claims = Claims::take(
            &publication,
            &*self.files,
            &*self.store,
            self.origin(),
            signed,
            self.edge.size(),
        );
        self.claims = Some(claims.map_err(StartError::Publish)?);
        Ok(())
    }

    /// The database must be at least as long as the intent, and have its root at its size.
    fn check_intent(&mut self, intent: &Intent) -> Result<(), StartError> {
        let database = self.edge.size();
        if database < intent.size {
            return Err(StartError::DatabaseOlder {
                database,
                intent: intent.size,
            });
        }
        let root = log_root(&*self.store, intent.size, &[])?;
        if root != intent.root {
            let (size, intent) = (intent.size, intent.root);
            return Err(StartError::IntentMismatch {
                size,
                intent,
                database: root,
            });
        }
        if intent.size.0 > 0 {
            self.signed = Some(Signed {
                size: intent.size,
                root,
            });
        }
        Ok(())
    }

    /// Every published head must be one of this database's, and not beyond what was intended.
    fn load_published(&mut self) -> Result<(), StartError> {
        if let Some((size, note)) = store::last::<Heads>(&*self.store)? {
            let published = self.check_published(&note)?;
            if published.size.0 != size {
                return Err(self.unfit(TreeSize(size), "the note states another size"));
            }
            self.published = published;
        }
        if let Some(note) = self.files.read(CHECKPOINT_FILE)? {
            let published = self.check_published(&note)?;
            if published.size > self.published.size {
                return Err(self.unfit(
                    published.size,
                    "the database does not know it: an older database was restored",
                ));
            }
        }
        Ok(())
    }

    fn check_published(&self, note: &[u8]) -> Result<Published, StartError> {
        let unread = |problem: String| self.unfit(TreeSize(0), &problem);
        let text = std::str::from_utf8(note).map_err(|_| unread("not UTF-8".to_owned()))?;
        // By any key it has had: what was published before it changed stays published.
        let opened = self.keys.open(text);
        let (checkpoint, _) = opened.map_err(|error| unread(error.to_string()))?;
        let signed = self
            .signed
            .as_ref()
            .map_or(TreeSize(0), |signed| signed.size);
        if checkpoint.size > signed {
            return Err(self.unfit(checkpoint.size, "it is newer than the intent"));
        }
        if log_root(&*self.store, checkpoint.size, &[])? != checkpoint.root {
            return Err(self.unfit(
                checkpoint.size,
                "the database has another root at this size",
            ));
        }
        Ok(Published {
            size: checkpoint.size,
            note: text.to_owned(),
        })
    }

    fn unfit(&self, size: TreeSize, problem: &str) -> StartError {
        StartError::Published {
            size,
            database: self.edge.size(),
            problem: problem.to_owned(),
        }
    }

    /// Judges again the leaves that no intent covers: the batch was whole, but the program that
    /// wrote it did not live to check its own work. Returns how many there are.
    fn check_unsigned(&self, signed: TreeSize) -> Result<u64, StartError> {
        let end = self.edge.size();
        let unsigned = end.0.saturating_sub(signed.0);
        // The last epoch judged, and the map after it.
        let mut before: Option<(Epoch, StatusMap)> = None;
        let mut at = signed;
        while at < end {
            let leaves = segment_leaves(&*self.store, at, end)?;
            let count = u64::try_from(leaves.len()).unwrap_or(u64::MAX);
            let previous = match (before.take(), at.0.checked_sub(1)) {
                (Some(before), _) => Some(before),
                // Genesis is judged by the policy that names it; its epoch by the map below.
                (None, None) => None,
                (None, Some(last)) => Some(self.state_at(LeafIndex(last))?),
            };
            if let Some((epoch, map)) = previous {
                before = Some(self.check_segment(&epoch, &map, &leaves)?);
            }
            at = TreeSize(at.0.saturating_add(count));
        }
        Ok(unsigned)
    }

    /// The epoch leaf at `last`, and the map it states.
    fn state_at(&self, last: LeafIndex) -> Result<(Epoch, StatusMap), StartError> {
        let epoch = epoch_at(&*self.store, last)?;
        let map = stated_map(&*self.store, &epoch)?;
        Ok((epoch, map))
    }

    fn check_segment(
        &self,
        previous: &Epoch,
        map: &StatusMap,
        leaves: &[Vec<u8>],
    ) -> Result<(Epoch, StatusMap), StartError> {
        let view = StoredView::new(&*self.store, map, &self.hot);
        let replayed = replay(&view, previous, leaves).map_err(|diverged| match diverged.why {
            Divergence::View(fault) => StoreError::Engine(fault.0).into(),
            _ => StartError::Diverged(diverged),
        })?;
        let version = short_version(replayed.epoch.epoch)?;
        let changes: Vec<MapLeaf> = replayed
            .touched
            .writes
            .iter()
            .map(|(key, record)| MapLeaf {
                key: *key,
                record: record.hash(),
                version,
            })
            .collect();
        let pairs: Vec<(Hash, Hash)> = changes.iter().map(|leaf| (leaf.key, leaf.record)).collect();
        let before = (previous.map_root, previous.subjects);
        let (root, subjects) = second::map_root(map, before, &replayed.touched, &pairs)?;
        replayed
            .check_map(&root, subjects)
            .map_err(StartError::Epoch)?;
        Ok((replayed.epoch, map.update(&changes).map))
    }

    /// Makes the map of the last epoch from the records on disk, each of them hashed; it must be
    /// the one the epoch states.
    fn load_map(&mut self) -> Result<(), StartError> {
        let Some(epoch) = &self.edge.epoch else {
            return Ok(());
        };
        let map = stated_map(&*self.store, epoch)?;
        self.maps.put(epoch.epoch, map.clone());
        self.edge.map = map;
        self.tip.move_to(self.edge.clone(), self.tip.fresh());
        Ok(())
    }

    fn rewrite_checkpoint(&mut self) -> Result<(), StartError> {
        let note = self.published.note.as_bytes();
        if note.is_empty() {
            return Ok(());
        }
        if self.files.read(CHECKPOINT_FILE)?.as_deref() != Some(note) {
            self.files.replace(CHECKPOINT_FILE, note)?;
        }
        Ok(())
    }
}

/// Leaf 0 and what it does.
pub(crate) fn genesis_segment(genesis: &Genesis) -> Segment {
    let mut segment = Segment {
        leaves: vec![genesis.bytes()],
        ..Segment::default()
    };
    let mut touched = Touched {
        writes: BTreeMap::new(),
        before: BTreeMap::new(),
    };
    for (key, record) in genesis_records(genesis) {
        segment.index.subjects.push(((key, 0), LeafIndex(0)));
        touched.before.insert(key, None);
        touched.writes.insert(key, Arc::new(record));
    }
    segment.touched = touched;
    segment
}

fn read_intent(files: &dyn Files) -> Result<Option<Intent>, StartError> {
    let bytes = files.read(intent::FILE)?;
    bytes
        .map(|bytes| Intent::parse(&bytes))
        .transpose()
        .map_err(StartError::Intent)
}

/// A database that lost everything looks like one in which no log was made; the intent knows
/// better.
fn lost_or(error: StartError, files: &dyn Files) -> StartError {
    match read_intent(files) {
        Ok(Some(intent)) if error == StartError::NotCreated && intent.size.0 > 0 => {
            StartError::DatabaseOlder {
                database: TreeSize(0),
                intent: intent.size,
            }
        }
        _ => error,
    }
}

/// The last committed epoch, as the database has it, with an empty map in place of its own.
fn load_edge(store: &dyn Read) -> Result<Edge, StartError> {
    let (_, index) = store::last::<Epochs>(store)?.ok_or(StartError::NotCreated)?;
    let epoch = epoch_at(store, index)?;
    let size = TreeSize(index.0.saturating_add(1));
    let last = store::last::<Leaves>(store)?;
    if last.map(|(index, _)| index) != Some(index) {
        let problem = format!("the last epoch is leaf {index}, which is not the last: run fsck");
        return Err(StoreError::Engine(problem).into());
    }
    let frontier = tree::frontier(store, size)?;
    Ok(Edge {
        epoch: Some(epoch),
        frontier,
        map: StatusMap::new(),
    })
}

/// The map of an epoch, made from the records on disk; it is the one the epoch states.
pub(crate) fn stated_map(store: &dyn Read, epoch: &Epoch) -> Result<StatusMap, StartError> {
    let map = load(store, epoch.epoch)?;
    if map.root() != epoch.map_root {
        return Err(StartError::Map {
            epoch: epoch.epoch,
            expected: epoch.map_root,
            actual: map.root(),
        });
    }
    second::compare_map(epoch, map.root(), map.count())?;
    Ok(map)
}

/// Size of the log up to the last committed epoch.
///
/// # Errors
/// The store's.
pub(crate) fn committed_size(store: &dyn Read) -> Result<TreeSize, StoreError> {
    let last = store::last::<Epochs>(store)?;
    Ok(TreeSize(
        last.map_or(0, |(_, index)| index.0.saturating_add(1)),
    ))
}

/// The last committed epoch with its map, or the empty log.
///
/// # Errors
/// The store's; records that are not those of the map.
pub(crate) fn edge_or_empty(store: &dyn Read) -> Result<Edge, StoreError> {
    let unfit = |error: &dyn std::fmt::Display| StoreError::Engine(error.to_string());
    let mut edge = match load_edge(store) {
        Ok(edge) => edge,
        Err(StartError::NotCreated) => return Ok(Edge::empty()),
        Err(StartError::Store(error)) => return Err(error),
        Err(other) => return Err(unfit(&other)),
    };
    if let Some(epoch) = &edge.epoch {
        edge.map = stated_map(store, epoch).map_err(|e| unfit(&e))?;
    }
    Ok(edge)
}

/// The epoch leaf at `index`.
///
/// # Errors
/// The store's; the leaf there is no epoch.
pub(crate) fn epoch_at(store: &dyn Read, index: LeafIndex) -> Result<Epoch, StoreError> {
    let bytes = store::require::<Leaves>(store, &index)?;
    let wrong = |problem: Malformed| StoreError::Engine(format!("leaf {index}: {problem}"));
    match Leaf::parse(&bytes).map_err(wrong)? {
        Leaf::Epoch(epoch) => Ok(epoch),
        _ => Err(StoreError::Engine(format!(
            "leaf {index} is not an epoch leaf: run fsck, and do what it says"
        ))),
    }
}

/// The raw leaves from `from` up to and including the next epoch leaf, before `end`.
///
/// # Errors
/// The store's.
pub(crate) fn segment_leaves(
    store: &dyn Read,
    from: TreeSize,
    end: TreeSize,
) -> Result<Vec<Vec<u8>>, StoreError> {
    let mut leaves = Vec::new();
    for index in from.0..end.0 {
        let bytes = store::require::<Leaves>(store, &LeafIndex(index))?;
        let closes = matches!(Leaf::parse(&bytes), Ok(Leaf::Epoch(_)));
        leaves.push(bytes);
        if closes {
            break;
        }
    }
    Ok(leaves)
}

fn log_key(signer: &LogSigner) -> Vec<u8> {
    let key = signer.vkeys().next().and_then(Vkey::public_key);
    key.map(|key| key.to_bytes().to_vec()).unwrap_or_default()
}

fn expect(what: &'static str, expected: &str, actual: &str) -> Result<(), StartError> {
    if expected == actual {
        return Ok(());
    }
    let (expected, actual) = (expected.to_owned(), zhao_spec::wire::clip(actual));
    Err(StartError::OtherLog {
        what,
        expected,
        actual,
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
