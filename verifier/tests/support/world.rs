//! The log: events judged by `apply`, a tree, a map, epochs, and every file made from them.

use std::collections::BTreeMap;
use std::sync::Arc;

use zhao_spec::file::{
    Answer, AnswerItem, Authorities, Dossier, EmbeddedCredential, EnterprisePlace, Head, History,
    HistoryEntry, HistoryStep, IssuerAuthority, IssuerPack, KindOfRecord, LogProof, Placed,
    Receipt, RegistryAuthority,
};
use zhao_spec::id::{LicenceTypeCode, Uscc};
use zhao_spec::life::apply::{View, ViewFault, apply, genesis_records};
use zhao_spec::life::data::{
    Action, Administrators, InspectionRule, Issued, KeyGrant, Note, Openness, PublishType, TypeRef,
};
use zhao_spec::life::event::Event;
use zhao_spec::life::leaf::{Epoch, Genesis};
use zhao_spec::life::record::{EnterpriseRecord, LicenceRecord, Record};
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::life::verb::{On, Verb};
use zhao_spec::log::checkpoint::Checkpoint;
use zhao_spec::log::tlog_proof::TlogProof;
use zhao_spec::log::tree::{LeafIndex, MemoryTree, TreeSize, leaf_hash};
use zhao_spec::map::MemoryMap;
use zhao_spec::wire::{Hash, PublicKey, UnixMillis};

use super::credential::Paper;
use super::vouch::Vouchers;
use super::{HOUR, at, key};

/// Who signs an event.
#[derive(Clone, Copy, Debug)]
pub enum By<'a> {
    /// These administrators, by key name.
    Admins(&'a [&'a str]),
    /// A unit, with this key by name.
    Unit(&'a Uscc, &'a str),
}

/// Two of the three administrators.
pub const ADMINS: By<'static> = By::Admins(&["admin 1", "admin 2"]);

/// A log with its map, operated in memory.
#[derive(Clone)]
pub struct World {
    pub origin: String,
    pub genesis: Genesis,
    pub tree: MemoryTree,
    pub leaves: Vec<Vec<u8>>,
    pub map: MemoryMap,
    pub records: BTreeMap<Hash, Record>,
    pub epochs: Vec<Epoch>,
    /// Where the epoch leaves are, whatever they say themselves.
    pub epoch_indexes: Vec<LeafIndex>,
    /// Events in log order, with the time of their epoch.
    pub steps: Vec<HistoryStep>,
    /// Licences of each enterprise, in log order.
    pub index: BTreeMap<Hash, Vec<Hash>>,
    /// Time of the epoch that will close the present batch.
    pub now: UnixMillis,
    pub vouchers: Vouchers,
}

impl View for World {
    fn record(&self, key: &Hash) -> Result<Option<Arc<Record>>, ViewFault> {
        Ok(self.records.get(key).cloned().map(Arc::new))
    }
}

impl World {
    /// A log with nothing but genesis; three administrators, two must sign.
    pub fn new(origin: &str, admin: &str) -> Self {
        let mut keys: Vec<PublicKey> = (1..=3)
            .map(|n| key(&format!("{admin} {n}")).public())
            .collect();
        keys.sort_by_key(PublicKey::to_multibase);
        let genesis = Genesis {
            administrators: Administrators { keys, threshold: 2 },
            created: at("2026-11-01T00:00:00.000Z"),
            key_delay: 24 * HOUR,
            origin: origin.to_owned(),
        };
        let mut world = Self {
            origin: origin.to_owned(),
            genesis: genesis.clone(),
            tree: MemoryTree::new(),
            leaves: Vec::new(),
            map: MemoryMap::new(),
            records: BTreeMap::new(),
            epochs: Vec::new(),
            epoch_indexes: Vec::new(),
            steps: Vec::new(),
            index: BTreeMap::new(),
            now: at("2026-12-01T00:00:00.000Z"),
            vouchers: Vouchers::all(),
        };
        world.push(genesis.bytes());
        for (key, record) in genesis_records(&genesis) {
            world.write(key, record);
        }
        world
    }

    pub fn push(&mut self, leaf: Vec<u8>) -> LeafIndex {
        let index = self.tree.push(leaf_hash(&leaf)).unwrap();
        self.leaves.push(leaf);
        index
    }

    /// Writes a record into the map, whatever it says.
    pub fn write(&mut self, key: Hash, record: Record) {
        self.map.insert(&key, &record.hash());
        self.records.insert(key, record);
    }

    pub fn next_index(&self) -> LeafIndex {
        LeafIndex(self.tree.size().0)
    }

    pub fn subject(&self, kind: Kind, id: &str) -> Hash {
        subject_key(&self.origin, kind, id)
    }

    /// Where the next event of a subject goes.
    pub fn chain(&self, subject: &Hash) -> (u64, Option<Hash>) {
        match self.records.get(subject).and_then(Record::chain_end) {
            Some((seq, latest)) => (seq + 1, Some(latest)),
            None => (0, None),
        }
    }

    /// The signed next event of a subject.
    pub fn draft(&self, subject: Hash, action: Action, by: By<'_>) -> Event {
        let (seq, prev) = self.chain(&subject);
        let signer = match by {
            By::Admins(_) => None,
            By::Unit(unit, _) => Some(self.subject(Kind::Issuer, unit.as_str())),
        };
        let mut event = Event {
            action,
            effective: UnixMillis(self.now.0 - 60_000),
            origin: self.origin.clone(),
            prev,
            seq,
            signatures: Vec::new(),
            signer,
            subject,
        };
        sign(&mut event, by);
        event
    }

    /// Admits an event as the ledger does.
    pub fn admit(&mut self, event: Event) -> LeafIndex {
        let verified = event.clone().verify_signatures().unwrap();
        let index = self.next_index();
        let writes = apply(self, &verified, index, self.now)
            .unwrap_or_else(|error| panic!("{} refused: {error}", event.verb()));
        self.log(event, writes)
    }

    /// Logs an event with these writes, admissible or not.
    pub fn log(&mut self, event: Event, writes: Vec<(Hash, Record)>) -> LeafIndex {
        let index = self.push(event.leaf_bytes());
        if let Action::Issued(issued) = &event.action
            && let Some(enterprise) = issued.enterprise
        {
            self.index
                .entry(enterprise)
                .or_default()
                .push(event.subject);
        }
        for (key, record) in writes {
            self.write(key, record);
        }
        self.steps.push(HistoryStep {
            event,
            index,
            recorded: self.now,
        });
        index
    }

    /// Drafts and admits.
    pub fn act(&mut self, subject: Hash, action: Action, by: By<'_>) -> LeafIndex {
        let event = self.draft(subject, action, by);
        self.admit(event)
    }

    /// Closes the batch: the epoch leaf, under the present time; the next batch is an hour later.
    pub fn close(&mut self) -> LeafIndex {
        let epoch = Epoch {
            epoch: u64::try_from(self.epochs.len()).unwrap(),
            index: self.next_index(),
            map_root: self.map.root(),
            previous: self.epochs.last().map(|epoch| epoch.index),
            subjects: u64::try_from(self.map.len()).unwrap(),
            time: self.now,
        };
        self.close_with(epoch)
    }

    /// Closes the batch with this epoch leaf, true or not.
    pub fn close_with(&mut self, epoch: Epoch) -> LeafIndex {
        let index = self.push(epoch.bytes());
        self.now = UnixMillis(epoch.time.0 + HOUR);
        self.epochs.push(epoch);
        self.epoch_indexes.push(index);
        index
    }

    pub fn add_unit(&mut self, unit: &Uscc, key_name: &str, types: &[LicenceTypeCode]) {
        let subject = self.subject(Kind::Issuer, unit.as_str());
        let grant = KeyGrant {
            key: key(key_name).public(),
            types: codes(types),
        };
        self.act(
            subject,
            Action::AddUnit {
                grant,
                unit: unit.as_str().to_owned(),
            },
            ADMINS,
        );
    }

    pub fn publish(
        &mut self,
        code: &LicenceTypeCode,
        openness: Openness,
        indexed: bool,
        individual: bool,
        inspection: InspectionRule,
    ) {
        let subject = self.subject(Kind::LicenceType, code.as_str());
        let version = match self.records.get(&subject) {
            Some(Record::LicenceType(record)) => record.version + 1,
            _ => 1,
        };
        let mut verbs: Vec<Verb> = Verb::ALL
            .iter()
            .copied()
            .filter(|verb| verb.on() == On::Licence)
            .collect();
        verbs.sort_by_key(|verb| verb.as_str());
        let publish = PublishType {
            digest: super::hash(code.as_str()),
            individual_businesses: individual,
            indexed,
            inspection,
            openness,
            type_code: code.as_str().to_owned(),
            verbs,
            version,
        };
        self.act(subject, Action::PublishType(Box::new(publish)), ADMINS);
    }

    /// The `issued` data of a paper, as the type requires.
    pub fn issued(&self, paper: &Paper, credential: &EmbeddedCredential) -> Issued {
        let code = paper.licence_type.as_str();
        let indexed = match self.records.get(&self.subject(Kind::LicenceType, code)) {
            Some(Record::LicenceType(record)) => record.indexed && paper.salt.is_none(),
            _ => false,
        };
        Issued {
            enterprise: indexed.then(|| self.subject(Kind::Enterprise, &paper.holder_code)),
            inspection_due: None,
            note: Note::default(),
            predecessor: None,
            type_ref: match &paper.salt {
                None => TypeRef::Code(code.to_owned()),
                Some(salt) => {
                    TypeRef::Commitment(zhao_spec::credential::type_commitment(salt, code))
                }
            },
            vc: credential.digest(),
        }
    }

    pub fn licence_key(&self, paper: &Paper) -> Hash {
        self.subject(Kind::Licence, &paper.id())
    }

    /// Issues a licence and returns its credential.
    pub fn issue(&mut self, paper: &Paper) -> EmbeddedCredential {
        let credential = paper.sign();
        let issued = self.issued(paper, &credential);
        self.issue_as(paper, issued);
        credential
    }

    pub fn issue_as(&mut self, paper: &Paper, issued: Issued) -> LeafIndex {
        let subject = self.licence_key(paper);
        self.act(
            subject,
            Action::Issued(Box::new(issued)),
            By::Unit(&paper.unit, &paper.key),
        )
    }

    /// A verb of the unit without more to say.
    pub fn plain(&mut self, paper: &Paper, verb: Verb) -> LeafIndex {
        self.plain_by(paper, verb, &paper.key.clone())
    }

    pub fn plain_by(&mut self, paper: &Paper, verb: Verb, key_name: &str) -> LeafIndex {
        let subject = self.licence_key(paper);
        let by = By::Unit(&paper.unit, key_name);
        self.act(subject, Action::Plain(verb, Note::default()), by)
    }

    /// Changes a licence's record without any event, as only an operator who cheats can.
    pub fn forge(&mut self, paper: &Paper, change: impl FnOnce(&mut LicenceRecord)) {
        let subject = self.licence_key(paper);
        let Some(Record::Licence(record)) = self.records.get(&subject) else {
            panic!("no such licence")
        };
        let mut record = record.clone();
        change(&mut record);
        self.write(subject, Record::Licence(record));
    }

    // Files.

    pub fn checkpoint(&self, size: TreeSize) -> Checkpoint {
        let root = self.tree.root_at(size).unwrap();
        Checkpoint {
            origin: self.origin.clone(),
            size,
            root,
        }
    }

    /// Proof of a leaf under the newest checkpoint, signed by the vouchers.
    pub fn log_proof(&self, index: LeafIndex) -> LogProof {
        let size = self.tree.size();
        let epoch = self.epochs.last().unwrap().time;
        let note = self.vouchers.sign(&self.checkpoint(size), epoch);
        LogProof::new(TlogProof {
            index,
            hashes: self.tree.prove_inclusion(index, size).unwrap(),
            extra: None,
            checkpoint: note.format(),
        })
        .unwrap()
    }

    pub fn head(&self) -> Head {
        let epoch = self.epochs.last().unwrap().clone();
        Head {
            proof: self.log_proof(epoch.index),
            epoch,
        }
    }

    pub fn placed<R: KindOfRecord>(&self, subject: &Hash) -> Placed<R> {
        let record = self
            .records
            .get(subject)
            .unwrap_or_else(|| panic!("no subject"))
            .clone();
        let (found, path) = self.map.prove(subject);
        assert!(found.is_some(), "records and map agree");
        Placed {
            path,
            record: R::from_record(record).unwrap(),
        }
    }

    /// The events of a subject.
    pub fn history_of(&self, subject: &Hash) -> Vec<HistoryStep> {
        self.steps
            .iter()
            .filter(|step| step.event.subject == *subject)
            .cloned()
            .collect()
    }

    pub fn registry_authority(&self) -> RegistryAuthority {
        let subject = self.subject(Kind::Registry, &self.origin);
        RegistryAuthority {
            genesis: self.genesis.clone(),
            history: self.history_of(&subject),
            placed: self.placed(&subject),
        }
    }

    pub fn issuer_authority(&self, unit: &Uscc) -> IssuerAuthority {
        let subject = self.subject(Kind::Issuer, unit.as_str());
        IssuerAuthority {
            history: self.history_of(&subject),
            placed: self.placed(&subject),
        }
    }

    pub fn authorities(&self, units: &[Uscc], types: &[LicenceTypeCode]) -> Authorities {
        let mut issuers: Vec<_> = units
            .iter()
            .map(|unit| self.issuer_authority(unit))
            .collect();
        issuers.sort_by(|a, b| a.placed.record.unit.cmp(&b.placed.record.unit));
        let mut licence_types: Vec<Placed<_>> = types
            .iter()
            .map(|code| self.placed(&self.subject(Kind::LicenceType, code.as_str())))
            .collect();
        licence_types.sort_by(
            |a: &Placed<zhao_spec::life::record::TypeRecord>, b: &Placed<_>| {
                a.record.type_code.cmp(&b.record.type_code)
            },
        );
        Authorities {
            issuers,
            licence_types,
            registry: self.registry_authority(),
        }
    }

    pub fn dossier(&self, paper: &Paper, credential: &EmbeddedCredential) -> Dossier {
        Dossier {
            authorities: Some(self.authorities(
                std::slice::from_ref(&paper.unit),
                std::slice::from_ref(&paper.licence_type),
            )),
            credential: credential.clone(),
            head: self.head(),
            placed: self.placed(&self.licence_key(paper)),
        }
    }

    pub fn pack(&self, units: &[Uscc], types: &[LicenceTypeCode]) -> IssuerPack {
        IssuerPack {
            authorities: self.authorities(units, types),
            head: self.head(),
        }
    }

    /// The receipt of the event at this index, under the newest checkpoint.
    pub fn receipt(&self, index: LeafIndex) -> Receipt {
        let step = self.steps.iter().find(|step| step.index == index).unwrap();
        Receipt {
            event: step.event.clone(),
            head: self.head(),
            index,
            proof: self.log_proof(index),
        }
    }

    pub fn history(&self, subject: &Hash) -> History {
        let size = self.tree.size();
        let path = |index: LeafIndex| self.tree.prove_inclusion(index, size).unwrap();
        let of_subject = |event: &Event| {
            event.subject == *subject
                || match &event.action {
                    Action::Issued(issued) => issued
                        .predecessor
                        .as_ref()
                        .is_some_and(|p| p.subject == *subject),
                    _ => false,
                }
        };
        let entries = self
            .steps
            .iter()
            .filter(|step| of_subject(&step.event))
            .map(|step| {
                let epoch = self
                    .epochs
                    .iter()
                    .find(|epoch| epoch.index > step.index)
                    .unwrap();
                HistoryEntry {
                    epoch: epoch.clone(),
                    epoch_path: path(epoch.index),
                    event: step.event.clone(),
                    index: step.index,
                    path: path(step.index),
                }
            })
            .collect();
        History {
            entries,
            head: self.head(),
            placed: self.placed(subject),
            subject: *subject,
        }
    }

    /// Everything indexed of an enterprise; credentials by subject key.
    pub fn answer(
        &self,
        uscc: &Uscc,
        credentials: &BTreeMap<Hash, EmbeddedCredential>,
        units: &[Uscc],
        types: &[LicenceTypeCode],
    ) -> Answer {
        let enterprise = self.subject(Kind::Enterprise, uscc.as_str());
        let (_, path) = self.map.prove(&enterprise);
        let record = self
            .records
            .get(&enterprise)
            .cloned()
            .and_then(EnterpriseRecord::from_record);
        let subjects = self.index.get(&enterprise).cloned().unwrap_or_default();
        let item = |subject: &Hash| AnswerItem {
            credential: credentials.get(subject).cloned(),
            placed: self.placed(subject),
            subject: *subject,
        };
        Answer {
            authorities: self.authorities(units, types),
            enterprise: EnterprisePlace { path, record },
            head: self.head(),
            items: subjects.iter().map(item).collect(),
            uscc: uscc.clone(),
        }
    }
}

pub fn codes(types: &[LicenceTypeCode]) -> Vec<String> {
    let mut codes: Vec<String> = types.iter().map(|code| code.as_str().to_owned()).collect();
    codes.sort();
    codes
}

/// Signs an event as those say.
pub fn sign(event: &mut Event, by: By<'_>) {
    match by {
        By::Admins(names) => names.iter().for_each(|name| event.sign(&key(name))),
        By::Unit(_, name) => event.sign(&key(name)),
    }
}
