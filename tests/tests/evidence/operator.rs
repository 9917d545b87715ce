//! A log in memory with its key: honest as long as nobody asks otherwise.

use std::collections::BTreeMap;
use std::sync::Arc;

use zhao_ledger::audit::compare::Standing;
use zhao_ledger::store::StoreError;
use zhao_spec::file::{
    Batch, Dossier, EmbeddedCredential, Head, KindOfRecord, LogProof, Placed, RawLeaf, Receipt,
    SubjectPlace,
};
use zhao_spec::life::apply::{View, ViewFault, apply, genesis_records};
use zhao_spec::life::data::{
    Action, Administrators, InspectionRule, Issued, KeyGrant, Note, Openness, PublishType, TypeRef,
};
use zhao_spec::life::event::{Event, VerifiedEvent};
use zhao_spec::life::leaf::{Epoch, Genesis};
use zhao_spec::life::record::Record;
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::life::verb::{On, Verb};
use zhao_spec::log::checkpoint::Checkpoint;
use zhao_spec::log::note::{NoteSigner, SignedNote};
use zhao_spec::log::tlog_proof::TlogProof;
use zhao_spec::log::tree::{LeafIndex, MemoryTree, TreeSize, leaf_hash};
use zhao_spec::map::{MapPath, MemoryMap};
use zhao_spec::wire::{Hash, SecretKey, UnixMillis, sha256};

pub(crate) const ORIGIN: &str = "zhao.example/changzhou";
pub(crate) const OTHER: &str = "zhao.example/wuxi";
pub(crate) const UNIT: &str = "11320400DEM0001293";
const TYPE: &str = "11100000MB0143028R001";
const HOLDER: &str = "91320402DEM0010172";
pub(crate) const START: UnixMillis = UnixMillis(1_790_000_000_000);
pub(crate) const HOUR: u64 = 3_600_000;
pub(crate) const DAY: u64 = 24 * HOUR;

pub(crate) fn secret(name: &str) -> SecretKey {
    SecretKey::from_seed(sha256(&[b"evidence test ", name.as_bytes()]).0)
}

/// Who signs an event.
#[derive(Clone, Copy)]
pub(crate) enum By<'a> {
    Admins(&'a [&'a str]),
    Unit,
}

pub(crate) const ADMINS: By<'static> = By::Admins(&["admin 1", "admin 2"]);

/// The map at one moment.
#[derive(Clone, Default)]
pub(crate) struct State {
    pub(crate) map: MemoryMap,
    pub(crate) records: BTreeMap<Hash, Record>,
}

impl State {
    pub(crate) fn write(&mut self, key: Hash, record: Record) {
        self.map.insert(&key, &record.hash());
        self.records.insert(key, record);
    }

    pub(crate) fn place(&self, key: &Hash) -> SubjectPlace {
        let (_, path) = self.map.prove(key);
        let record = self.records.get(key).cloned();
        SubjectPlace {
            path,
            record,
            subject: *key,
        }
    }
}

impl View for State {
    fn record(&self, key: &Hash) -> Result<Option<Arc<Record>>, ViewFault> {
        Ok(self.records.get(key).cloned().map(Arc::new))
    }
}

impl Standing for State {
    fn place(&self, key: &Hash) -> Result<(MapPath, Option<Record>), StoreError> {
        let SubjectPlace { path, record, .. } = State::place(self, key);
        Ok((path, record))
    }

    fn find(&self, _: &Hash) -> Result<Option<LeafIndex>, StoreError> {
        Ok(None)
    }
}

/// The holder of a log's key. A clone is the same operator telling somebody else another story.
#[derive(Clone)]
pub(crate) struct Operator {
    origin: String,
    pub(crate) leaves: Vec<Vec<u8>>,
    pub(crate) tree: MemoryTree,
    pub(crate) state: State,
    pub(crate) epochs: Vec<Epoch>,
    /// Where each epoch leaf is, whatever it says itself.
    pub(crate) ends: Vec<LeafIndex>,
    /// The map under each epoch.
    pub(crate) states: Vec<State>,
    /// Time of the next epoch.
    pub(crate) now: UnixMillis,
}

pub(crate) fn genesis(origin: &str) -> Genesis {
    let names = ["admin 1", "admin 2", "admin 3"];
    let mut keys: Vec<_> = names.iter().map(|name| secret(name).public()).collect();
    keys.sort_by_key(|key| key.to_multibase());
    Genesis {
        administrators: Administrators { keys, threshold: 2 },
        created: START,
        key_delay: DAY,
        origin: origin.to_owned(),
    }
}

pub(crate) fn signer(origin: &str) -> NoteSigner {
    NoteSigner::new(origin, secret(&format!("log {origin}"))).unwrap()
}

impl Operator {
    /// Genesis and nothing more, not closed.
    pub(crate) fn bare(origin: &str) -> Self {
        let genesis = genesis(origin);
        let mut new = Self {
            origin: origin.to_owned(),
            leaves: Vec::new(),
            tree: MemoryTree::new(),
            state: State::default(),
            epochs: Vec::new(),
            ends: Vec::new(),
            states: Vec::new(),
            now: UnixMillis(START.0 + 1_000),
        };
        new.push(genesis.bytes());
        for (key, record) in genesis_records(&genesis) {
            new.state.write(key, record);
        }
        new
    }

    /// A log with a licence type, a unit, and licences 1 to 3; three epochs.
    pub(crate) fn founded(origin: &str) -> Self {
        let mut new = Self::bare(origin);
        new.close();
        let (type_subject, publish) = new.publish();
        new.act(type_subject, publish, ADMINS);
        let (unit_subject, add) = new.add_unit(UNIT, "unit key");
        new.act(unit_subject, add, ADMINS);
        new.close();
        for n in 1..=3 {
            new.issue(n);
        }
        new.close();
        new
    }

    pub(crate) fn key(&self, kind: Kind, id: &str) -> Hash {
        subject_key(&self.origin, kind, id)
    }

    pub(crate) fn licence(&self, n: u64) -> Hash {
        self.key(Kind::Licence, &format!("urn:uuid:{n}"))
    }

    fn publish(&self) -> (Hash, Action) {
        let licence_verbs = Verb::ALL
            .iter()
            .copied()
            .filter(|verb| verb.on() == On::Licence);
        let mut verbs: Vec<Verb> = licence_verbs.collect();
        verbs.sort_by_key(|verb| verb.as_str());
        let publish = PublishType {
            digest: sha256(&[b"catalogue entry"]),
            individual_businesses: false,
            indexed: true,
            inspection: InspectionRule::Notice,
            openness: Openness::Open,
            type_code: TYPE.to_owned(),
            verbs,
            version: 1,
        };
        (
            self.key(Kind::LicenceType, TYPE),
            Action::PublishType(Box::new(publish)),
        )
    }

    pub(crate) fn add_unit(&self, unit: &str, key: &str) -> (Hash, Action) {
        let grant = KeyGrant {
            key: secret(key).public(),
            types: vec![TYPE.to_owned()],
        };
        let action = Action::AddUnit {
            grant,
            unit: unit.to_owned(),
        };
        (self.key(Kind::Issuer, unit), action)
    }

    pub(crate) fn issued(&self, n: u64) -> Action {
        Action::Issued(Box::new(Issued {
            enterprise: Some(self.key(Kind::Enterprise, HOLDER)),
            inspection_due: None,
            note: Note::default(),
            predecessor: None,
            type_ref: TypeRef::Code(TYPE.to_owned()),
            vc: sha256(&[b"credential ", &n.to_be_bytes()]),
        }))
    }

    /// The next event of a subject as the record has it, effective a minute before the epoch.
    pub(crate) fn draft(&self, subject: Hash, action: Action, by: By<'_>) -> Event {
        let (seq, prev) = match self.state.records.get(&subject).and_then(Record::chain_end) {
            None => (0, None),
            Some((seq, latest)) => (seq + 1, Some(latest)),
        };
        let mut event = Event {
            action,
            effective: UnixMillis(self.now.0 - 60_000),
            origin: self.origin.clone(),
            prev,
            seq,
            signatures: Vec::new(),
            signer: matches!(by, By::Unit).then(|| self.key(Kind::Issuer, UNIT)),
            subject,
        };
        sign(&mut event, by);
        event
    }

    /// A verb of the unit that says nothing more.
    pub(crate) fn plain(&self, n: u64, verb: Verb) -> Event {
        self.draft(
            self.licence(n),
            Action::Plain(verb, Note::default()),
            By::Unit,
        )
    }

    pub(crate) fn push(&mut self, leaf: Vec<u8>) -> LeafIndex {
        let index = self.tree.push(leaf_hash(&leaf)).unwrap();
        self.leaves.push(leaf);
        index
    }

    /// Logs an event as an honest log does.
    pub(crate) fn admit(&mut self, event: Event) -> LeafIndex {
        let event = verified(event);
        let writes = apply(&self.state, &event, LeafIndex(self.tree.size().0), self.now);
        let writes = writes.unwrap_or_else(|error| panic!("{} refused: {error}", event.verb()));
        for (key, record) in writes {
            self.state.write(key, record);
        }
        self.push(event.leaf_bytes().to_vec())
    }

    pub(crate) fn act(&mut self, subject: Hash, action: Action, by: By<'_>) -> LeafIndex {
        self.admit(self.draft(subject, action, by))
    }

    pub(crate) fn issue(&mut self, n: u64) -> LeafIndex {
        self.act(self.licence(n), self.issued(n), By::Unit)
    }

    pub(crate) fn revoke(&mut self, n: u64) -> LeafIndex {
        self.admit(self.plain(n, Verb::Revoke))
    }

    /// The epoch leaf that follows.
    pub(crate) fn epoch(&self) -> Epoch {
        Epoch {
            epoch: u64::try_from(self.epochs.len()).unwrap(),
            index: LeafIndex(self.tree.size().0),
            map_root: self.state.map.root(),
            previous: self.ends.last().copied(),
            subjects: u64::try_from(self.state.map.len()).unwrap(),
            time: self.now,
        }
    }

    /// Closes the epoch; the next is an hour later.
    pub(crate) fn close(&mut self) {
        self.close_with(|_| {});
    }

    /// Closes it with another leaf than the one that follows.
    pub(crate) fn close_with(&mut self, change: impl FnOnce(&mut Epoch)) {
        let mut epoch = self.epoch();
        self.now = UnixMillis(self.now.0 + HOUR);
        change(&mut epoch);
        let end = self.push(epoch.bytes());
        self.ends.push(end);
        self.epochs.push(epoch);
        self.states.push(self.state.clone());
    }

    pub(crate) fn checkpoint(&self, size: TreeSize) -> Checkpoint {
        let root = self.tree.root_at(size).unwrap();
        Checkpoint {
            origin: self.origin.clone(),
            size,
            root,
        }
    }

    /// The newest checkpoint, signed.
    pub(crate) fn note(&self) -> String {
        self.note_at(self.tree.size())
    }

    pub(crate) fn note_at(&self, size: TreeSize) -> String {
        let mut note = self.checkpoint(size).to_note().unwrap();
        note.sign(&signer(&self.origin)).unwrap();
        note.format()
    }

    pub(crate) fn proof(&self, index: LeafIndex) -> LogProof {
        self.proof_under(index, self.note())
    }

    /// Proof of a leaf under the newest checkpoint, with this note for it.
    pub(crate) fn proof_under(&self, index: LeafIndex, note: String) -> LogProof {
        let hashes = self.tree.prove_inclusion(index, self.tree.size()).unwrap();
        LogProof::new(TlogProof {
            index,
            hashes,
            extra: None,
            checkpoint: note,
        })
        .unwrap()
    }

    pub(crate) fn head(&self) -> Head {
        self.head_under(self.note())
    }

    pub(crate) fn head_under(&self, note: String) -> Head {
        let epoch = self.epochs.last().unwrap().clone();
        Head {
            proof: self.proof_under(epoch.index, note),
            epoch,
        }
    }

    /// The receipt of the event at `index`.
    pub(crate) fn receipt(&self, index: LeafIndex) -> Receipt {
        let leaf = &self.leaves[usize::try_from(index.0).unwrap()];
        let zhao_spec::life::leaf::Leaf::Event(event) =
            zhao_spec::life::leaf::Leaf::parse(leaf).unwrap()
        else {
            panic!("leaf {index} is no event")
        };
        Receipt {
            event: *event,
            head: self.head(),
            index,
            proof: self.proof(index),
        }
    }

    /// A dossier of a licence, with a credential that only the head's reader does not mind.
    pub(crate) fn dossier(&self, n: u64) -> Dossier {
        let place = self.state.place(&self.licence(n));
        let record = KindOfRecord::from_record(place.record.unwrap()).unwrap();
        Dossier {
            authorities: None,
            credential: EmbeddedCredential::parse(b"{}").unwrap(),
            head: self.head(),
            placed: Placed {
                path: place.path,
                record,
            },
        }
    }

    /// Everything between epoch `number` and the next, under the newest head, with these subjects.
    pub(crate) fn batch(&self, number: usize, subjects: &[Hash]) -> Batch {
        let (from, to) = (self.ends[number], self.ends[number + 1]);
        let raw = |index: u64| RawLeaf {
            index: LeafIndex(index),
            leaf: self.leaves[usize::try_from(index).unwrap()].clone(),
            path: self.proof(LeafIndex(index)).path().to_vec(),
        };
        let mut subjects: Vec<_> = subjects
            .iter()
            .map(|key| self.states[number].place(key))
            .collect();
        subjects.sort_by_key(|place| place.subject);
        Batch {
            entries: (from.0 + 1..=to.0).map(raw).collect(),
            head: self.head(),
            previous: raw(from.0),
            subjects,
        }
    }

    /// What a change of licence `n` reads.
    pub(crate) fn read_by_change(&self, n: u64) -> Vec<Hash> {
        vec![
            self.key(Kind::Registry, &self.origin),
            self.key(Kind::Issuer, UNIT),
            self.key(Kind::LicenceType, TYPE),
            self.licence(n),
        ]
    }
}

pub(crate) fn sign(event: &mut Event, by: By<'_>) {
    match by {
        By::Admins(names) => names.iter().for_each(|name| event.sign(&secret(name))),
        By::Unit => event.sign(&secret("unit key")),
    }
}

pub(crate) fn verified(event: Event) -> VerifiedEvent {
    event.verify_signatures().expect("signed here")
}

/// A note without the log's own signature, cosigned by somebody.
pub(crate) fn without_log(note: &str) -> String {
    let note = SignedNote::parse(note).unwrap();
    let time = zhao_spec::log::cosignature::UnixSeconds(1_790_000_000);
    let line = zhao_spec::log::cosignature::cosign(
        &secret("somebody"),
        "somebody.example",
        time,
        note.text(),
    );
    let mut other = SignedNote::new(note.text()).unwrap();
    other.add(line.unwrap()).unwrap();
    other.format()
}
