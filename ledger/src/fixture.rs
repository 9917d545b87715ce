//! A small world for tests: administrators, units, licences, and a log over a memory disk.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use zhao_spec::life::data::{
    Action, Administrators, InspectionRule, Issued, KeyGrant, LogKey, Note, Openness, PublishType,
    TypeRef,
};
use zhao_spec::life::event::{Event, VerifiedEvent};
use zhao_spec::life::leaf::Genesis;
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::life::verb::{On, Verb};
use zhao_spec::log::LogKeys;
use zhao_spec::log::cosignature::UnixSeconds;
use zhao_spec::log::note::{NoteSigner, Vkey};
use zhao_spec::log::policy::Policy;
use zhao_spec::log::tree::TreeSize;
use zhao_spec::log::trust::Trust;
use zhao_spec::wire::{Hash, SecretKey, UnixMillis, sha256};

use crate::audit::{Auditor, LocalAuditor, StoreLeaves};
use crate::publish::Publication;
use crate::sequence::{
    Config, CosignError, CosignRequest, Cosigner, LogSigner, Quorum, Sequencer, Start, StartError,
};
use crate::store::Store;
use crate::store::files::Files;
use crate::store::memory::Memory;
use crate::witness::{Clock, LocalWitness, Witness};

pub(crate) const ORIGIN: &str = "zhao.example/test";
pub(crate) const OPEN: &str = "11100000MB0143028R001";
pub(crate) const PLAIN: &str = "11100000000013338W011";
pub(crate) const UNIT: &str = "11320400DEM0001293";
pub(crate) const HOLDER: &str = "91320402DEM0010172";
pub(crate) const START: UnixMillis = UnixMillis(1_790_000_000_000);
pub(crate) const DAY: u64 = 24 * 3_600_000;

pub(crate) fn secret(name: &str) -> SecretKey {
    SecretKey::from_seed(sha256(&[name.as_bytes()]).0)
}

pub(crate) fn key_of(kind: Kind, id: &str) -> Hash {
    subject_key(ORIGIN, kind, id)
}

pub(crate) fn licence_key(n: u64) -> Hash {
    key_of(Kind::Licence, &format!("urn:uuid:{n}"))
}

pub(crate) fn at(seconds: u64) -> UnixMillis {
    UnixMillis(START.0 + seconds * 1_000)
}

/// Signs events and remembers where each subject's chain ends, as if all were accepted.
#[derive(Clone, Debug)]
pub(crate) struct Office {
    chains: BTreeMap<Hash, (u64, Hash)>,
    /// The key the unit signs with.
    pub(crate) signing: String,
    /// When events take effect.
    pub(crate) effective: UnixMillis,
}

impl Office {
    pub(crate) fn new() -> Self {
        Self {
            chains: BTreeMap::new(),
            signing: "unit key".to_owned(),
            effective: START,
        }
    }

    pub(crate) fn genesis() -> Genesis {
        let mut keys: Vec<_> = ["admin 1", "admin 2", "admin 3"]
            .iter()
            .map(|name| secret(name).public())
            .collect();
        keys.sort_by_key(|key| key.to_multibase());
        Genesis {
            administrators: Administrators { keys, threshold: 2 },
            created: START,
            key_delay: 7 * DAY,
            origin: ORIGIN.to_owned(),
        }
    }

    /// The next event of a subject, not signed.
    pub(crate) fn draft(&self, subject: Hash, action: Action, by_unit: bool) -> Event {
        let (seq, prev) = match self.chains.get(&subject) {
            None if subject == key_of(Kind::Registry, ORIGIN) => {
                (1, Some(Office::genesis().hash()))
            }
            None => (0, None),
            Some((seq, latest)) => (seq + 1, Some(*latest)),
        };
        Event {
            action,
            effective: self.effective,
            origin: ORIGIN.to_owned(),
            prev,
            seq,
            signatures: Vec::new(),
            signer: by_unit.then(|| key_of(Kind::Issuer, UNIT)),
            subject,
        }
    }

    pub(crate) fn event(&mut self, subject: Hash, action: Action, by_unit: bool) -> VerifiedEvent {
        let mut event = self.draft(subject, action, by_unit);
        if by_unit {
            event.sign(&secret(&self.signing));
        } else {
            event.sign(&secret("admin 1"));
            event.sign(&secret("admin 2"));
        }
        self.chains.insert(subject, (event.seq, event.leaf_hash()));
        event.verify_signatures().expect("just signed")
    }

    /// Two types and a unit that may issue both.
    pub(crate) fn founding(&mut self) -> Vec<VerifiedEvent> {
        let mut types = vec![OPEN.to_owned(), PLAIN.to_owned()];
        types.sort();
        let mut events = Vec::new();
        for code in &types {
            let mut verbs: Vec<Verb> = Verb::ALL
                .iter()
                .copied()
                .filter(|verb| verb.on() == On::Licence)
                .collect();
            verbs.sort_by_key(|verb| verb.as_str());
            let publish = PublishType {
                digest: sha256(&[code.as_bytes()]),
                individual_businesses: false,
                indexed: code == OPEN,
                inspection: InspectionRule::Notice,
                openness: Openness::Open,
                type_code: code.clone(),
                verbs,
                version: 1,
            };
            let subject = key_of(Kind::LicenceType, code);
            events.push(self.event(subject, Action::PublishType(Box::new(publish)), false));
        }
        let grant = KeyGrant {
            key: secret("unit key").public(),
            types,
        };
        let action = Action::AddUnit {
            grant,
            unit: UNIT.to_owned(),
        };
        events.push(self.event(key_of(Kind::Issuer, UNIT), action, false));
        events
    }

    pub(crate) fn issue(&mut self, n: u64) -> VerifiedEvent {
        self.issue_to(n, HOLDER)
    }

    pub(crate) fn issue_to(&mut self, n: u64, holder: &str) -> VerifiedEvent {
        let issued = Issued {
            enterprise: Some(key_of(Kind::Enterprise, holder)),
            inspection_due: None,
            note: Note::default(),
            predecessor: None,
            type_ref: TypeRef::Code(OPEN.to_owned()),
            vc: credential_digest(n),
        };
        self.event(licence_key(n), Action::Issued(Box::new(issued)), true)
    }

    pub(crate) fn plain(&mut self, n: u64, verb: Verb) -> VerifiedEvent {
        self.event(licence_key(n), Action::Plain(verb, Note::default()), true)
    }

    /// The unit brings a new key and signs with it from now on.
    pub(crate) fn rotate(&mut self, name: &str) -> VerifiedEvent {
        let retire = Some(secret(&self.signing).public());
        let action = Action::RotateKey {
            key: secret(name).public(),
            retire,
        };
        let event = self.event(key_of(Kind::Issuer, UNIT), action, true);
        self.signing = name.to_owned();
        event
    }
}

/// The administrators name a key of the log, which its holder brings.
pub(crate) fn name_log_key(office: &mut Office, name: &str, from: u64) -> VerifiedEvent {
    let brought = LogKey::new(&secret(name), ORIGIN, TreeSize(from));
    let registry = key_of(Kind::Registry, ORIGIN);
    office.event(registry, Action::RotateLogKey(brought), false)
}

pub(crate) fn credential_bytes(n: u64) -> Vec<u8> {
    format!("{{\"id\":\"urn:uuid:{n}\",\"issuer\":{{\"unit\":\"{UNIT}\"}}}}").into_bytes()
}

pub(crate) fn credential_digest(n: u64) -> Hash {
    sha256(&[&credential_bytes(n)])
}

/// Every note the log's key signed and a cosigner or reader may have seen.
pub(crate) type Seen = Arc<Mutex<Vec<String>>>;

/// Passes on, and remembers what it was shown.
pub(crate) struct Spy {
    inner: Box<dyn Cosigner>,
    seen: Seen,
    /// While true, nobody answers.
    down: Arc<Mutex<bool>>,
}

impl Cosigner for Spy {
    fn vkey(&self) -> &Vkey {
        self.inner.vkey()
    }
    fn latest(&mut self) -> Result<Option<String>, CosignError> {
        if *self.down.lock().unwrap() {
            return Err(CosignError::Unreachable("down".to_owned()));
        }
        self.inner.latest()
    }
    fn cosign(&mut self, request: &CosignRequest) -> Result<Vec<String>, CosignError> {
        self.seen.lock().unwrap().push(request.note.clone());
        if *self.down.lock().unwrap() {
            return Err(CosignError::Unreachable("down".to_owned()));
        }
        self.inner.cosign(request)
    }
}

/// A disk for the log, one for its witness and one for its auditor.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) disk: Memory,
    pub(crate) witness: Memory,
    pub(crate) auditor: Memory,
    pub(crate) seen: Seen,
    pub(crate) down: Arc<Mutex<bool>>,
    pub(crate) complaints: Seen,
    /// Where the log is published besides.
    pub(crate) publication: Option<Publication>,
    /// Names of the log's keys that are here.
    pub(crate) held: Vec<&'static str>,
    /// Names of the log's keys that policy, witness and auditor know.
    pub(crate) known: Vec<&'static str>,
}

impl Site {
    pub(crate) fn new() -> Self {
        Self {
            disk: Memory::new(),
            witness: Memory::new(),
            auditor: Memory::new(),
            seen: Seen::default(),
            down: Arc::default(),
            complaints: Seen::default(),
            publication: None,
            held: vec!["log"],
            known: vec!["log"],
        }
    }

    /// The same people over another disk.
    pub(crate) fn with_disk(&self, disk: Memory) -> Self {
        Self {
            disk,
            ..self.clone()
        }
    }

    pub(crate) fn signer() -> NoteSigner {
        signer("log")
    }

    fn signers(&self) -> LogSigner {
        let mut held = self.held.iter().map(|name| signer(name));
        let mut signers = LogSigner::from(held.next().unwrap());
        assert!(held.all(|key| signers.add(key)));
        signers
    }

    pub(crate) fn keys() -> LogKeys {
        Self::signer().vkey().clone().into()
    }

    pub(crate) fn quorum() -> Quorum {
        Self::quorum_for(&["log"])
    }

    fn quorum_for(known: &[&str]) -> Quorum {
        let witness = witness_over(&Memory::new());
        let lines = known
            .iter()
            .map(|name| format!("log {}\n", signer(name).vkey().format()));
        let policy = format!(
            "{}witness w {}\nquorum w\n",
            lines.collect::<String>(),
            witness.vkey().format()
        );
        let auditor = auditor_over(&Memory::new(), Arc::new(Memory::new().store().unwrap()));
        let trust = format!(
            "administrator {ORIGIN} {}\nauditor a {}\nauditors 1\nmax-age 1d\nmax-lag 1h\nskew 5m\n\
             inclusion-bound 1d\npack-max-age 30d\n",
            Office::genesis().hash().to_base64(),
            auditor.vkey().format()
        );
        let policy = Policy::parse(&policy).unwrap();
        let trust = Trust::parse(&trust).unwrap_or_else(|error| panic!("{error}"));
        Quorum {
            policy,
            trust: Some(trust),
            others: Vec::new(),
        }
    }

    fn config(&self, store: &Arc<dyn Store>) -> Config {
        let clock: Clock = Arc::new(|| UnixSeconds(1_790_000_000));
        let witness = Arc::new(Mutex::new(witness_knowing(&self.known, &self.witness)));
        let witness = LocalWitness::new(witness, ORIGIN, Arc::clone(&clock));
        let auditor = auditor_knowing(&self.known, &self.auditor, Arc::clone(store));
        let auditor = Arc::new(Mutex::new(auditor));
        let complaints = Arc::clone(&self.complaints);
        let report = Arc::new(move |error: &crate::audit::AuditError| {
            use crate::audit::AuditError::{Diverged, Fork, Genesis, NotAnEpoch};
            // Trouble with a disk is no complaint about the log.
            if matches!(
                error,
                Diverged(_) | Fork { .. } | Genesis { .. } | NotAnEpoch { .. }
            ) {
                complaints.lock().unwrap().push(error.to_string());
            }
        });
        let auditor = LocalAuditor::new(auditor, clock, report);
        let spy = |inner: Box<dyn Cosigner>| -> Box<dyn Cosigner> {
            Box::new(Spy {
                inner,
                seen: Arc::clone(&self.seen),
                down: Arc::clone(&self.down),
            })
        };
        Config {
            signer: self.signers(),
            quorum: Self::quorum_for(&self.known),
            cosigners: vec![spy(Box::new(witness)), spy(Box::new(auditor))],
            max_unpublished: 1_000,
            mldsa: None,
            publication: self.publication.clone(),
        }
    }

    pub(crate) fn create(&self) -> Result<Sequencer, StartError> {
        let store: Arc<dyn Store> = Arc::new(self.disk.store()?);
        let config = self.config(&store);
        Sequencer::create(
            store,
            Arc::new(self.disk.files()),
            config,
            &Office::genesis(),
            START,
        )
    }

    pub(crate) fn open(&self, now: UnixMillis) -> Result<(Sequencer, Start), StartError> {
        let store: Arc<dyn Store> = Arc::new(self.disk.store()?);
        self.open_on(store, Arc::new(self.disk.files()), now)
    }

    pub(crate) fn open_on(
        &self,
        store: Arc<dyn Store>,
        files: Arc<dyn Files>,
        now: UnixMillis,
    ) -> Result<(Sequencer, Start), StartError> {
        let config = self.config(&store);
        Sequencer::open(store, files, config, now)
    }

    pub(crate) fn create_on(
        &self,
        store: Arc<dyn Store>,
        files: Arc<dyn Files>,
    ) -> Result<Sequencer, StartError> {
        let config = self.config(&store);
        Sequencer::create(store, files, config, &Office::genesis(), START)
    }

    /// A log with the founding events and `licences` licences.
    pub(crate) fn founded(licences: u64) -> (Self, Sequencer, Office) {
        let site = Self::new();
        let mut sequencer = site.create().unwrap();
        let mut office = Office::new();
        let mut events = office.founding();
        events.extend((0..licences).map(|n| office.issue(n)));
        let outcomes = sequencer.commit(events, at(10)).unwrap();
        let accepted = |outcome: &crate::sequence::Outcome| {
            matches!(outcome, crate::sequence::Outcome::Accepted { .. })
        };
        assert!(outcomes.iter().all(accepted), "{outcomes:?}");
        (site, sequencer, office)
    }
}

/// The log's key of this name.
pub(crate) fn signer(name: &str) -> NoteSigner {
    NoteSigner::new(ORIGIN, secret(name)).unwrap()
}

pub(crate) fn witness_over(disk: &Memory) -> Witness {
    witness_knowing(&["log"], disk)
}

pub(crate) fn witness_knowing(known: &[&str], disk: &Memory) -> Witness {
    let files = Arc::new(disk.files());
    let logs = known.iter().map(|name| signer(name).vkey().clone());
    Witness::new("witness.example", secret("witness"), logs.collect(), files).unwrap()
}

pub(crate) fn auditor_over(disk: &Memory, log: Arc<dyn Store>) -> Auditor {
    auditor_knowing(&["log"], disk, log)
}

pub(crate) fn auditor_knowing(known: &[&str], disk: &Memory, log: Arc<dyn Store>) -> Auditor {
    let store = Arc::new(disk.store().unwrap());
    let genesis = Office::genesis().hash();
    let source = Arc::new(StoreLeaves(log));
    let secret = secret("auditor");
    Auditor::new(
        "auditor.example",
        secret,
        keys(known),
        genesis,
        store,
        source,
    )
    .unwrap()
}

/// The public keys of these names.
pub(crate) fn keys(known: &[&str]) -> LogKeys {
    let mut vkeys = known.iter().map(|name| signer(name).vkey().clone());
    let mut keys = LogKeys::from(vkeys.next().unwrap());
    assert!(vkeys.all(|key| keys.add(key)));
    keys
}
