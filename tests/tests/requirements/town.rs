//! A town in memory: two units, three licence types, the real sequencer with a witness and an
//! auditor, and the verifier of somebody who trusts none of them alone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use zhao_ledger::audit::{Auditor, LocalAuditor, StoreLeaves};
use zhao_ledger::read::Reader;
use zhao_ledger::sequence::{Config, Cosigner, Outcome, Quorum, Sequencer, StartError};
use zhao_ledger::store::Store;
use zhao_ledger::store::memory::Memory;
use zhao_ledger::witness::{Clock, LocalWitness, Witness};
use zhao_spec::credential::{FaceValue, Issuer, Licence, Status, Subject, Unsigned};
use zhao_spec::file::EmbeddedCredential;
use zhao_spec::id::{HolderCodeType, LicenceIdentifier, LicenceTypeCode, Uscc};
use zhao_spec::life::apply::Refusal;
use zhao_spec::life::data::{
    Action, Administrators, InspectionRule, Issued, KeyGrant, Note, Openness, Predecessor,
    PublishType, Relation, TypeRef,
};
use zhao_spec::life::digest::type_commitment;
use zhao_spec::life::event::Event;
use zhao_spec::life::leaf::Genesis;
use zhao_spec::life::record::{LicenceRecord, Record};
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::life::verb::{On, Verb};
use zhao_spec::log::cosignature::UnixSeconds;
use zhao_spec::log::note::NoteSigner;
use zhao_spec::log::policy::Policy;
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::log::trust::Trust;
use zhao_spec::wire::{Date, Hash, SecretKey, UnixMillis, sha256};
use zhao_verifier::{TrustPolicy, Verdict, verify};

pub(crate) const ORIGIN: &str = "zhao.example/town";
pub(crate) const MINUTE: u64 = 60_000;
pub(crate) const DAY: u64 = 24 * 60 * MINUTE;
/// Open, in the public index; inspections suspend.
pub(crate) const FOOD: &str = "11100000MB0143028R001";
/// Open, not indexed.
pub(crate) const TRADE: &str = "11100000000013338W011";
/// Closed: its licences concern people.
pub(crate) const BIRTH: &str = "11100000DEM000110U001";
/// May issue every type.
pub(crate) const UNIT: &str = "11320400DEM0001293";
/// May issue `TRADE` only.
pub(crate) const OTHER: &str = "11420600DEM0001107";
pub(crate) const HOLDER: &str = "91320402DEM0010172";

pub(crate) fn secret(name: &str) -> SecretKey {
    SecretKey::from_seed(sha256(&[b"town ", name.as_bytes()]).0)
}

pub(crate) fn key_of(kind: Kind, id: &str) -> Hash {
    subject_key(ORIGIN, kind, id)
}

/// Ten in the morning in China.
fn start() -> UnixMillis {
    UnixMillis::parse("2026-11-22T02:00:00.000Z").unwrap()
}

/// A licence as the office wants to issue it.
#[derive(Clone)]
pub(crate) struct Paper {
    pub(crate) number: u8,
    pub(crate) version: u16,
    pub(crate) code: &'static str,
    pub(crate) unit: &'static str,
    /// Name of the signing key.
    pub(crate) key: String,
    pub(crate) holder: (HolderCodeType, String),
    pub(crate) last_day: Date,
    pub(crate) inspection_due: Option<UnixMillis>,
    pub(crate) predecessor: Option<Predecessor>,
    pub(crate) note: Note,
}

impl Paper {
    pub(crate) fn food(number: u8) -> Self {
        Self {
            number,
            version: 1,
            code: FOOD,
            unit: UNIT,
            key: "unit key".to_owned(),
            holder: (HolderCodeType::USCC, HOLDER.to_owned()),
            last_day: Date::parse("2031-11-21").unwrap(),
            inspection_due: None,
            predecessor: None,
            note: Note::default(),
        }
    }

    pub(crate) fn trade(number: u8) -> Self {
        let code = TRADE;
        Self {
            code,
            ..Self::food(number)
        }
    }

    /// A birth certificate; the number is the example of GB 11643.
    pub(crate) fn birth(number: u8) -> Self {
        Self {
            code: BIRTH,
            holder: (HolderCodeType::CITIZEN_ID, "11010519491231002X".to_owned()),
            ..Self::food(number)
        }
    }

    pub(crate) fn id(&self) -> String {
        format!(
            "urn:uuid:00000000-0000-4000-8000-00000000{:02x}{:02x}",
            self.version, self.number
        )
    }

    pub(crate) fn subject(&self) -> Hash {
        key_of(Kind::Licence, &self.id())
    }

    fn salt(&self) -> Option<[u8; 32]> {
        (self.code == BIRTH).then(|| sha256(&[b"salt", self.id().as_bytes()]).0)
    }

    pub(crate) fn sign(&self) -> Vec<u8> {
        let unit = Uscc::parse(self.unit).unwrap();
        let code = LicenceTypeCode::parse(self.code).unwrap();
        let serial = format!("2026{:07}", self.number);
        let identifier =
            LicenceIdentifier::new(code.clone(), unit.clone(), &serial, self.version).unwrap();
        let issued_date = start().beijing_date();
        let unsigned = Unsigned {
            id: self.id(),
            issuer: Issuer {
                name: "示例局".to_owned(),
                unit: unit.clone(),
            },
            status: Status {
                origin: ORIGIN.to_owned(),
                type_salt: self.salt(),
            },
            subject: Subject {
                catalogue_version: 1,
                face_data: BTreeMap::from([("seats".to_owned(), FaceValue::Int(40))]),
                holder_code: self.holder.1.clone(),
                holder_code_type: self.holder.0,
                holder_name: "示例持证主体".to_owned(),
                issued_date,
                issuing_authority_code: unit,
                issuing_authority_name: "示例局".to_owned(),
                licence_identifier: identifier,
                licence_name: "示例许可证".to_owned(),
                licence_number: serial,
                licence_type_code: code,
            },
            valid_from: issued_date.start_beijing(),
            valid_until: Some(self.last_day.end_beijing()),
        };
        unsigned.sign(&secret(&self.key), start()).unwrap()
    }
}

/// Where the people of the town keep what they keep. A clone is the same disks.
#[derive(Clone, Debug)]
struct Disks {
    log: Memory,
    witness: Memory,
    auditor: Memory,
}

#[derive(Debug)]
pub(crate) struct Town {
    disks: Disks,
    pub(crate) log: Sequencer,
    /// The time of the next batch. Clocks of witness and auditor show it.
    clock: Arc<Mutex<UnixMillis>>,
    /// The credentials handed to holders, by subject key.
    pub(crate) papers: BTreeMap<Hash, Vec<u8>>,
}

fn genesis() -> Genesis {
    let mut keys: Vec<_> = ["admin 1", "admin 2", "admin 3"]
        .iter()
        .map(|name| secret(name).public())
        .collect();
    keys.sort_by_key(|key| key.to_multibase());
    Genesis {
        administrators: Administrators { keys, threshold: 2 },
        created: start(),
        key_delay: 7 * DAY,
        origin: ORIGIN.to_owned(),
    }
}

fn signer() -> NoteSigner {
    NoteSigner::new(ORIGIN, secret("log")).unwrap()
}

impl Disks {
    fn witness(&self) -> Witness {
        let files = Arc::new(self.witness.files());
        Witness::new(
            "witness.example",
            secret("witness"),
            vec![signer().vkey().clone()],
            files,
        )
        .unwrap()
    }

    fn auditor(&self, log: Arc<dyn Store>) -> Auditor {
        let store = Arc::new(self.auditor.store().unwrap());
        let source = Arc::new(StoreLeaves(log));
        let vkey = signer().vkey().clone();
        Auditor::new(
            "auditor.example",
            secret("auditor"),
            vkey.into(),
            genesis().hash(),
            store,
            source,
        )
        .unwrap()
    }

    /// Policy and trust file of the relying party.
    fn texts(&self) -> (String, String) {
        let log = signer().vkey().format();
        let witness = self.witness().vkey().format();
        let auditor = self.auditor(Arc::new(Memory::new().store().unwrap()));
        let policy = format!("log {log}\nwitness w {witness}\nquorum w\n");
        let trust = format!(
            "administrator {ORIGIN} {}\nauditor a {}\nauditors 1\nmax-age 1d\nmax-lag 1h\n\
             skew 5m\ninclusion-bound 1d\npack-max-age 30d\n",
            genesis().hash().to_base64(),
            auditor.vkey().format()
        );
        (policy, trust)
    }

    fn config(&self, clock: &Arc<Mutex<UnixMillis>>, vouched: bool) -> Config {
        let log: Arc<dyn Store> = Arc::new(self.log.store().unwrap());
        let (policy, trust) = self.texts();
        let shown = Arc::clone(clock);
        let clock: Clock = Arc::new(move || UnixSeconds(shown.lock().unwrap().0 / 1_000));
        let witness = Arc::new(Mutex::new(self.witness()));
        let auditor = Arc::new(Mutex::new(self.auditor(log)));
        let cosigners: Vec<Box<dyn Cosigner>> = vec![
            Box::new(LocalWitness::new(witness, ORIGIN, Arc::clone(&clock))),
            Box::new(LocalAuditor::new(auditor, clock, Arc::new(|_| {}))),
        ];
        let policy = if vouched {
            policy
        } else {
            format!("log {}\nquorum none\n", signer().vkey().format())
        };
        Config {
            signer: signer().into(),
            quorum: Quorum {
                policy: Policy::parse(&policy).unwrap(),
                trust: vouched.then(|| Trust::parse(&trust).unwrap()),
                others: Vec::new(),
            },
            cosigners: if vouched { cosigners } else { Vec::new() },
            max_unpublished: 1_000,
            mldsa: None,
            publication: None,
        }
    }
}

impl Town {
    /// The log is created, types are published, units are made.
    pub(crate) fn new() -> Self {
        let disks = Disks {
            log: Memory::new(),
            witness: Memory::new(),
            auditor: Memory::new(),
        };
        let clock = Arc::new(Mutex::new(start()));
        let log = Sequencer::create(
            Arc::new(disks.log.store().unwrap()),
            Arc::new(disks.log.files()),
            disks.config(&clock, true),
            &genesis(),
            start(),
        )
        .unwrap();
        let papers = BTreeMap::new();
        let mut town = Self {
            disks,
            log,
            clock,
            papers,
        };
        for (code, openness) in [
            (FOOD, Openness::Open),
            (TRADE, Openness::Open),
            (BIRTH, Openness::Closed),
        ] {
            let mut verbs: Vec<Verb> = Verb::ALL
                .iter()
                .copied()
                .filter(|verb| verb.on() == On::Licence)
                .collect();
            verbs.sort_by_key(|verb| verb.as_str());
            let publish = PublishType {
                digest: sha256(&[code.as_bytes()]),
                individual_businesses: false,
                indexed: code == FOOD,
                inspection: InspectionRule::Suspends,
                openness,
                type_code: code.to_owned(),
                verbs,
                version: 1,
            };
            town.administer(
                key_of(Kind::LicenceType, code),
                Action::PublishType(Box::new(publish)),
            )
            .unwrap();
        }
        for (unit, key, types) in [
            (UNIT, "unit key", vec![TRADE, BIRTH, FOOD]),
            (OTHER, "other key", vec![TRADE]),
        ] {
            let types = types.into_iter().map(str::to_owned).collect();
            let grant = KeyGrant {
                key: secret(key).public(),
                types,
            };
            let action = Action::AddUnit {
                grant,
                unit: unit.to_owned(),
            };
            town.administer(key_of(Kind::Issuer, unit), action).unwrap();
        }
        town
    }

    /// A second operator with a copy of the log's disk and key; no witness or auditor helps.
    pub(crate) fn fork(&self) -> Self {
        let disks = Disks {
            log: self.disks.log.copy(),
            ..self.disks.clone()
        };
        let clock = Arc::new(Mutex::new(self.now()));
        let (log, _) = Sequencer::open(
            Arc::new(disks.log.store().unwrap()),
            Arc::new(disks.log.files()),
            disks.config(&clock, false),
            self.now(),
        )
        .unwrap();
        let papers = self.papers.clone();
        Self {
            disks,
            log,
            clock,
            papers,
        }
    }

    /// What the log's disk holds now.
    pub(crate) fn backup(&self) -> Memory {
        self.disks.log.copy()
    }

    /// The machine is lost; this disk is put back and the log started on it.
    pub(crate) fn restore(&self, backup: Memory) -> Result<Self, StartError> {
        let disks = Disks {
            log: backup,
            ..self.disks.clone()
        };
        let (log, _) = Sequencer::open(
            Arc::new(disks.log.store()?),
            Arc::new(disks.log.files()),
            disks.config(&self.clock, true),
            self.now(),
        )?;
        let (clock, papers) = (Arc::clone(&self.clock), self.papers.clone());
        Ok(Self {
            disks,
            log,
            clock,
            papers,
        })
    }

    pub(crate) fn witness(&self) -> Witness {
        self.disks.witness()
    }

    pub(crate) fn now(&self) -> UnixMillis {
        *self.clock.lock().unwrap()
    }

    pub(crate) fn wait_until(&self, time: UnixMillis) {
        *self.clock.lock().unwrap() = time;
    }

    /// A fresh head without events.
    pub(crate) fn heartbeat(&mut self) {
        let now = self.now();
        assert!(self.log.heartbeat(now).unwrap(), "{:?}", self.log.silent());
    }

    pub(crate) fn reader(&self) -> Reader {
        Reader::new(Arc::new(self.disks.log.store().unwrap()))
    }

    pub(crate) fn record(&self, subject: &Hash) -> Option<Record> {
        self.reader().latest().unwrap().placed(subject).unwrap().1
    }

    pub(crate) fn licence(&self, paper: &Paper) -> LicenceRecord {
        match self.record(&paper.subject()) {
            Some(Record::Licence(record)) => *record,
            other => panic!("no licence: {other:?}"),
        }
    }

    /// The next event of a subject, not signed.
    pub(crate) fn draft(&self, subject: Hash, action: Action, signer: Option<&str>) -> Event {
        let end = self
            .log
            .published()
            .size
            .0
            .gt(&0)
            .then(|| self.record(&subject))
            .flatten();
        let (seq, prev) = match end.as_ref().and_then(Record::chain_end) {
            Some((seq, latest)) => (seq + 1, Some(latest)),
            None => (0, None),
        };
        Event {
            action,
            effective: self.now(),
            origin: ORIGIN.to_owned(),
            prev,
            seq,
            signatures: Vec::new(),
            signer: signer.map(|unit| key_of(Kind::Issuer, unit)),
            subject,
        }
    }

    /// Commits one event as a batch of its own; a minute later the next may come.
    pub(crate) fn submit(&mut self, event: Event) -> Result<LeafIndex, Refusal> {
        let event = event.verify_signatures()?;
        let now = self.now();
        self.wait_until(UnixMillis(now.0 + MINUTE));
        match self.log.commit(vec![event], now).unwrap().remove(0) {
            Outcome::Accepted { index } => Ok(index),
            Outcome::Refused(refusal) => Err(refusal),
            other => panic!("{other:?}: {:?}", self.log.silent()),
        }
    }

    pub(crate) fn administer(
        &mut self,
        subject: Hash,
        action: Action,
    ) -> Result<LeafIndex, Refusal> {
        let mut event = self.draft(subject, action, None);
        event.sign(&secret("admin 1"));
        event.sign(&secret("admin 2"));
        self.submit(event)
    }

    /// Issues a paper and hands the credential to its holder.
    pub(crate) fn issue(&mut self, paper: &Paper) -> Result<LeafIndex, Refusal> {
        let credential = EmbeddedCredential::parse(&paper.sign()).unwrap();
        let type_ref = match paper.salt() {
            Some(salt) => TypeRef::Commitment(type_commitment(&salt, paper.code)),
            None => TypeRef::Code(paper.code.to_owned()),
        };
        let issued = Issued {
            enterprise: (paper.code == FOOD).then(|| key_of(Kind::Enterprise, &paper.holder.1)),
            inspection_due: paper.inspection_due,
            note: paper.note.clone(),
            predecessor: paper.predecessor.clone(),
            type_ref,
            vc: credential.digest(),
        };
        let index = self.change(paper, Action::Issued(Box::new(issued)))?;
        self.papers
            .insert(paper.subject(), credential.bytes().to_vec());
        Ok(index)
    }

    /// A new version of `old`.
    pub(crate) fn replacement(&self, old: &Paper, relation: Relation) -> Paper {
        let record = self.licence(old);
        Paper {
            version: old.version + 1,
            predecessor: Some(Predecessor {
                prev: record.latest,
                relation,
                seq: record.seq + 1,
                subject: old.subject(),
            }),
            ..old.clone()
        }
    }

    /// An act of the unit on its licence.
    pub(crate) fn change(&mut self, paper: &Paper, action: Action) -> Result<LeafIndex, Refusal> {
        let mut event = self.draft(paper.subject(), action, Some(paper.unit));
        event.sign(&secret(&paper.key));
        self.submit(event)
    }

    pub(crate) fn plain(&mut self, paper: &Paper, verb: Verb) -> LeafIndex {
        self.change(paper, Action::Plain(verb, Note::default()))
            .unwrap()
    }

    /// The file that the holder shows.
    pub(crate) fn dossier(&self, paper: &Paper) -> Vec<u8> {
        let credential = self.papers.get(&paper.subject()).expect("was issued");
        let licence = Licence::parse(credential).unwrap();
        self.reader()
            .latest()
            .unwrap()
            .dossier(&licence, true)
            .unwrap()
            .bytes()
    }

    /// Policy and trust file of the town's own relying parties.
    pub(crate) fn texts(&self) -> (String, String) {
        self.disks.texts()
    }

    pub(crate) fn policy(&self) -> TrustPolicy {
        let (policy, trust) = self.disks.texts();
        TrustPolicy::load(&policy, &trust).unwrap()
    }

    /// What a relying party decides at this time.
    pub(crate) fn judge(&self, file: &[u8], at: UnixMillis) -> Verdict {
        verify(file, &self.policy(), None, at, None)
    }

    /// The verdict on a licence now, from a fresh dossier: its word, and the reasons.
    pub(crate) fn standing(&self, paper: &Paper) -> (&'static str, Vec<&'static str>) {
        said(&self.judge(&self.dossier(paper), self.now()))
    }
}

pub(crate) fn said(verdict: &Verdict) -> (&'static str, Vec<&'static str>) {
    let reasons = verdict
        .reasons()
        .iter()
        .map(zhao_verifier::Reason::code)
        .collect();
    (verdict.status().as_str(), reasons)
}
