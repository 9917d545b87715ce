//! One office for workloads: a log's first events, and events of its one unit, signed.

use zhao_spec::life::data::{
    Action, Administrators, InspectionRule, Issued, KeyGrant, Note, Openness, Predecessor,
    PublishType, TypeRef,
};
use zhao_spec::life::event::Event;
use zhao_spec::life::leaf::Genesis;
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::life::verb::{On, Verb};
use zhao_spec::wire::{Hash, SecretKey, UnixMillis, sha256};

/// An open type whose licences stand in their holder's public index.
pub const TYPE: &str = "11100000MB0143028R001";
/// The unit that issues it.
pub const UNIT: &str = "11320400DEM0001293";
/// When the log was made; every event takes effect then.
pub const START: UnixMillis = UnixMillis(1_790_000_000_000);
/// Licences of each holder.
const LICENCES_PER_HOLDER: u64 = 3;

/// The secret key of this name.
#[must_use]
pub fn secret(name: &str) -> SecretKey {
    SecretKey::from_seed(sha256(&[b"office ", name.as_bytes()]).0)
}

/// Where a subject's chain ends: the next number, and the leaf hash of the latest event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chain {
    /// Number of the next event.
    pub next: u64,
    /// Leaf hash of the latest.
    pub latest: Hash,
}

impl Chain {
    /// The chain after this event.
    #[must_use]
    pub fn after(event: &Event) -> Self {
        Self {
            next: event.seq.saturating_add(1),
            latest: event.leaf_hash(),
        }
    }
}

/// An office that signs for one log.
#[derive(Clone, Debug)]
pub struct Office {
    origin: String,
    /// The unit, its key, the type it issues.
    unit: String,
    signing: SecretKey,
    type_code: String,
    effective: UnixMillis,
}

impl Office {
    /// The office of the log of this name.
    #[must_use]
    pub fn new(origin: &str) -> Self {
        Self::of(origin, UNIT, secret("unit"), TYPE, START)
    }

    /// The office of a unit that is in a log already, and issues this type from then on.
    #[must_use]
    pub fn of(
        origin: &str,
        unit: &str,
        signing: SecretKey,
        type_code: &str,
        effective: UnixMillis,
    ) -> Self {
        Self {
            origin: origin.to_owned(),
            unit: unit.to_owned(),
            signing,
            type_code: type_code.to_owned(),
            effective,
        }
    }

    /// The key of a subject of this log.
    #[must_use]
    pub fn key(&self, kind: Kind, id: &str) -> Hash {
        subject_key(&self.origin, kind, id)
    }

    /// The key of the `n`th licence.
    #[must_use]
    pub fn licence(&self, n: u64) -> Hash {
        self.key(Kind::Licence, &format!("urn:uuid:{n}"))
    }

    /// Leaf 0: three administrators, of whom two must sign.
    #[must_use]
    pub fn genesis(&self) -> Genesis {
        let mut keys: Vec<_> = ["administrator 1", "administrator 2", "administrator 3"]
            .iter()
            .map(|name| secret(name).public())
            .collect();
        keys.sort_by_key(|key| key.to_multibase());
        Genesis {
            administrators: Administrators { keys, threshold: 2 },
            created: START,
            key_delay: 0,
            origin: self.origin.clone(),
        }
    }

    /// The events after which the unit may issue: a type, and the unit with its key.
    #[must_use]
    pub fn founding(&self) -> Vec<Event> {
        let mut verbs: Vec<Verb> = Verb::ALL
            .iter()
            .copied()
            .filter(|verb| verb.on() == On::Licence)
            .collect();
        verbs.sort_by_key(|verb| verb.as_str());
        let publish = PublishType {
            digest: sha256(&[TYPE.as_bytes()]),
            individual_businesses: false,
            indexed: true,
            inspection: InspectionRule::Notice,
            openness: Openness::Open,
            type_code: TYPE.to_owned(),
            verbs,
            version: 1,
        };
        let grant = KeyGrant {
            key: secret("unit").public(),
            types: vec![TYPE.to_owned()],
        };
        let unit = UNIT.to_owned();
        let subjects = [(Kind::LicenceType, TYPE), (Kind::Issuer, UNIT)];
        let actions = [
            Action::PublishType(Box::new(publish)),
            Action::AddUnit { grant, unit },
        ];
        let signed = |((kind, id), action)| {
            let mut event = self.draft(self.key(kind, id), None, None, action);
            event.sign(&secret("administrator 1"));
            event.sign(&secret("administrator 2"));
            event
        };
        subjects.into_iter().zip(actions).map(signed).collect()
    }

    /// Data of the `n`th licence.
    #[must_use]
    pub fn issue(&self, n: u64, predecessor: Option<Predecessor>) -> Action {
        let holder = format!("holder {}", n / LICENCES_PER_HOLDER);
        Action::Issued(Box::new(Issued {
            enterprise: Some(self.key(Kind::Enterprise, &holder)),
            inspection_due: None,
            note: Note::default(),
            predecessor,
            type_ref: TypeRef::Code(self.type_code.clone()),
            vc: sha256(&[b"credential ", &n.to_be_bytes()]),
        }))
    }

    /// What the unit says about a subject, signed.
    #[must_use]
    pub fn by_unit(&self, subject: Hash, chain: Option<Chain>, action: Action) -> Event {
        let unit = self.key(Kind::Issuer, &self.unit);
        let mut event = self.draft(subject, chain, Some(unit), action);
        event.sign(&self.signing);
        event
    }

    fn draft(
        &self,
        subject: Hash,
        chain: Option<Chain>,
        signer: Option<Hash>,
        action: Action,
    ) -> Event {
        Event {
            action,
            effective: self.effective,
            origin: self.origin.clone(),
            prev: chain.map(|chain| chain.latest),
            seq: chain.map_or(0, |chain| chain.next),
            signatures: Vec::new(),
            signer,
            subject,
        }
    }
}
