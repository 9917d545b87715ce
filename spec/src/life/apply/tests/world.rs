//! A miniature log in memory: keys from fixed seeds, records in a map, one event an epoch.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::life::apply::{ApplyError, Refusal, View, ViewFault, apply, genesis_records};
use crate::life::data::{
    Action, Administrators, InspectionRule, Issued, KeyGrant, Note, Openness, Predecessor,
    PublishType, Relation, TypeRef,
};
use crate::life::event::Event;
use crate::life::leaf::{Genesis, ReadLeaf};
use crate::life::record::{LicenceRecord, Record};
use crate::life::subject::{Kind, subject_key};
use crate::life::verb::{On, Verb};
use crate::log::tree::LeafIndex;
use crate::wire::hash::{Hash, sha256};
use crate::wire::signature::{Keys, SecretKey};
use crate::wire::time::UnixMillis;

pub(super) const ORIGIN: &str = "zhao.example/test";
pub(super) const OPEN: &str = "11100000MB0143028R001";
pub(super) const PLAIN: &str = "11100000000013338W011";
pub(super) const CLOSED: &str = "11100000DEM0001107001";
pub(super) const UNIT: &str = "11320400DEM0001293";
pub(super) const OTHER: &str = "11420600DEM0001107";
pub(super) const DAY: u64 = 24 * 3_600_000;
pub(super) const START: UnixMillis = UnixMillis(1_790_000_000_000);

pub(super) fn secret(name: &str) -> SecretKey {
    SecretKey::from_seed(sha256(&[name.as_bytes()]).0)
}

#[derive(Clone)]
pub(super) struct World {
    pub(super) records: BTreeMap<Hash, Arc<Record>>,
    pub(super) index: u64,
    pub(super) now: UnixMillis,
    /// The key with which the first unit signs.
    pub(super) signing: &'static str,
}

impl View for World {
    fn record(&self, key: &Hash) -> Result<Option<Arc<Record>>, ViewFault> {
        Ok(self.records.get(key).cloned())
    }
}

pub(super) fn note() -> Note {
    Note::default()
}

pub(super) fn licence(name: &str) -> Hash {
    subject_key(ORIGIN, Kind::Licence, name)
}

pub(super) fn issuer(unit: &str) -> Hash {
    subject_key(ORIGIN, Kind::Issuer, unit)
}

pub(super) fn type_key(code: &str) -> Hash {
    subject_key(ORIGIN, Kind::LicenceType, code)
}

pub(super) fn registry() -> Hash {
    subject_key(ORIGIN, Kind::Registry, ORIGIN)
}

pub(super) fn administrators(names: &[&str], threshold: u64) -> Administrators {
    let mut keys: Vec<_> = names.iter().map(|name| secret(name).public()).collect();
    keys.sort_by_key(|key| key.to_multibase());
    Administrators { keys, threshold }
}

pub(super) fn publish(code: &str, version: u64) -> PublishType {
    let mut verbs: Vec<Verb> = Verb::ALL
        .iter()
        .copied()
        .filter(|v| v.on() == On::Licence)
        .collect();
    verbs.sort_by_key(|verb| verb.as_str());
    PublishType {
        digest: sha256(&[code.as_bytes()]),
        individual_businesses: false,
        indexed: code == OPEN,
        inspection: InspectionRule::Notice,
        openness: if code == CLOSED {
            Openness::Closed
        } else {
            Openness::Open
        },
        type_code: code.to_owned(),
        verbs,
        version,
    }
}

pub(super) fn issued(type_ref: TypeRef) -> Issued {
    let indexed = type_ref == TypeRef::Code(OPEN.to_owned());
    Issued {
        enterprise: indexed.then(|| subject_key(ORIGIN, Kind::Enterprise, "91320402DEM0010172")),
        inspection_due: None,
        note: note(),
        predecessor: None,
        type_ref,
        vc: sha256(&[b"credential"]),
    }
}

pub(super) fn open_type() -> TypeRef {
    TypeRef::Code(OPEN.to_owned())
}

impl World {
    /// Genesis, three types, two units with one key each that may issue all.
    pub(super) fn new() -> Self {
        let genesis = Genesis {
            administrators: administrators(&["admin 1", "admin 2", "admin 3"], 2),
            created: START,
            key_delay: 7 * DAY,
            origin: ORIGIN.to_owned(),
        };
        let records = genesis_records(&genesis)
            .into_iter()
            .map(|(k, r)| (k, Arc::new(r)))
            .collect();
        let mut world = Self {
            records,
            index: 1,
            now: START,
            signing: "unit key",
        };
        for code in [OPEN, PLAIN, CLOSED] {
            let action = Action::PublishType(Box::new(publish(code, 1)));
            world
                .admin(type_key(code), action)
                .expect("the type is published");
        }
        for (unit, key) in [(UNIT, "unit key"), (OTHER, "other key")] {
            let mut types = vec![OPEN.to_owned(), PLAIN.to_owned(), CLOSED.to_owned()];
            types.sort();
            let grant = KeyGrant {
                key: secret(key).public(),
                types,
            };
            let action = Action::AddUnit {
                grant,
                unit: unit.to_owned(),
            };
            world
                .admin(issuer(unit), action)
                .expect("the unit is added");
        }
        world
    }

    /// An unsigned event that follows the subject's chain, effective now.
    pub(super) fn draft(&self, subject: Hash, signer: Option<Hash>, action: Action) -> Event {
        let end = self
            .records
            .get(&subject)
            .and_then(|record| record.chain_end());
        Event {
            action,
            effective: self.now,
            origin: ORIGIN.to_owned(),
            prev: end.map(|(_, latest)| latest),
            seq: end.map_or(0, |(seq, _)| seq + 1),
            signatures: Vec::new(),
            signer,
            subject,
        }
    }

    /// Applies a signed event; time moves on by a minute either way.
    pub(super) fn submit(&mut self, event: Event) -> Result<(), Refusal> {
        let (leaf, mut keys) = (event.leaf_bytes(), Keys::new(0));
        let written = event.clone().verify_signatures();
        let read = match ReadLeaf::parse(&leaf, &mut keys) {
            Ok(ReadLeaf::Event(read)) => read.verify_signatures(&mut keys),
            _ => written.clone(),
        };
        assert_eq!(read, written, "as read and as written");
        let event = written?;
        assert_eq!(
            (event.id(), event.leaf_hash()),
            (Event::id(&event), Event::leaf_hash(&event))
        );
        assert_eq!(event.leaf_bytes(), leaf);
        let result = apply(self, &event, LeafIndex(self.index), self.now);
        self.now.0 += 60_000;
        self.index += 1;
        match result {
            Ok(writes) => {
                for (key, record) in writes {
                    let bytes = record.bytes();
                    assert_eq!(Record::parse(&bytes).as_ref(), Ok(&record));
                    self.records.insert(key, Arc::new(record));
                }
                Ok(())
            }
            Err(ApplyError::Refused(refusal)) => Err(refusal),
            Err(ApplyError::View(fault)) => panic!("{fault}"),
        }
    }

    pub(super) fn signed(&mut self, event: Event, keys: &[&str]) -> Result<(), Refusal> {
        let mut event = event;
        keys.iter().for_each(|key| event.sign(&secret(key)));
        let read = Event::parse(&event.bytes());
        assert_eq!(read.as_ref(), Ok(&event));
        self.submit(event)
    }

    pub(super) fn admin(&mut self, subject: Hash, action: Action) -> Result<(), Refusal> {
        let event = self.draft(subject, None, action);
        self.signed(event, &["admin 1", "admin 2"])
    }

    pub(super) fn unit(&mut self, subject: Hash, action: Action) -> Result<(), Refusal> {
        let event = self.draft(subject, Some(issuer(UNIT)), action);
        let signing = self.signing;
        self.signed(event, &[signing])
    }

    pub(super) fn plain(&mut self, name: &str, verb: Verb) -> Result<(), Refusal> {
        self.unit(licence(name), Action::Plain(verb, note()))
    }

    pub(super) fn issue(&mut self, name: &str) -> Result<(), Refusal> {
        self.unit(licence(name), Action::Issued(Box::new(issued(open_type()))))
    }

    /// A new version of `old` under the name `new`.
    pub(super) fn succeed(
        &mut self,
        old: &str,
        new: &str,
        relation: Relation,
    ) -> Result<(), Refusal> {
        let mut data = issued(open_type());
        let (seq, prev) = self
            .records
            .get(&licence(old))
            .and_then(|record| record.chain_end())
            .unwrap_or((0, Hash([0; 32])));
        data.predecessor = Some(Predecessor {
            prev,
            relation,
            seq: seq + 1,
            subject: licence(old),
        });
        self.unit(licence(new), Action::Issued(Box::new(data)))
    }

    pub(super) fn licence(&self, name: &str) -> LicenceRecord {
        match self.records.get(&licence(name)).map(AsRef::as_ref) {
            Some(Record::Licence(record)) => (**record).clone(),
            other => panic!("{name} is {other:?}"),
        }
    }
}

/// The code of a refusal, `ok` when there was none.
pub(super) fn code(result: Result<(), Refusal>) -> String {
    match result {
        Ok(()) => "ok".to_owned(),
        Err(refusal) => refusal.code().to_owned(),
    }
}
