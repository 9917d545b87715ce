//! Events of a fictional office: every licence is issued, and put on hold in the batch after.

use std::thread;

use zhao_spec::life::data::{
    Action, Administrators, InspectionRule, Issued, KeyGrant, Note, Openness, PublishType, TypeRef,
};
use zhao_spec::life::event::Event;
use zhao_spec::life::leaf::Genesis;
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::life::verb::Verb;
use zhao_spec::wire::{Hash, SecretKey, UnixMillis, sha256};

/// Name of the log, which nobody ever sees.
pub(super) const ORIGIN: &str = "bench.zhao.example/log";
const TYPE: &str = "11100000MB0143028R001";
const UNIT: &str = "11320400DEM0001293";
/// Licences of each holder.
const LICENCES_PER_HOLDER: u64 = 3;

/// The key of this name; known to everybody, which is right for a log that is thrown away.
pub(super) fn secret(name: &str) -> SecretKey {
    SecretKey::from_seed(sha256(&[b"zhao bench ", name.as_bytes()]).0)
}

fn key(kind: Kind, id: &str) -> Hash {
    subject_key(ORIGIN, kind, id)
}

/// An office at one time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Workload {
    now: UnixMillis,
}

/// What to sign: a new licence, or a hold of the licence issued by an event.
enum Plan<'a> {
    Issue(u64),
    Hold(&'a Event),
}

impl Workload {
    /// The office whose events all take effect `now`.
    pub(super) fn new(now: UnixMillis) -> Self {
        Self { now }
    }

    /// The subject key of the `n`th licence.
    pub(super) fn licence(&self, n: u64) -> Hash {
        key(Kind::Licence, &format!("urn:uuid:{n}"))
    }

    /// Leaf 0.
    pub(super) fn genesis(&self) -> Genesis {
        let keys = vec![secret("administrator").public()];
        Genesis {
            administrators: Administrators { keys, threshold: 1 },
            created: self.now,
            key_delay: 0,
            origin: ORIGIN.to_owned(),
        }
    }

    /// The events after which the unit may issue: a type, and the unit with its key.
    pub(super) fn founding(&self) -> Vec<Event> {
        let publish = PublishType {
            digest: sha256(&[TYPE.as_bytes()]),
            individual_businesses: false,
            indexed: true,
            inspection: InspectionRule::Notice,
            openness: Openness::Open,
            type_code: TYPE.to_owned(),
            verbs: vec![Verb::Hold],
            version: 1,
        };
        let grant = KeyGrant {
            key: secret("unit").public(),
            types: vec![TYPE.to_owned()],
        };
        let unit = UNIT.to_owned();
        let acts = [
            (
                Kind::LicenceType,
                TYPE,
                Action::PublishType(Box::new(publish)),
            ),
            (Kind::Issuer, UNIT, Action::AddUnit { grant, unit }),
        ];
        let signed = |(kind, id, action)| {
            let mut event = self.draft(key(kind, id), action);
            event.sign(&secret("administrator"));
            event
        };
        acts.into_iter().map(signed).collect()
    }

    /// `count` licences in batches: half of a batch are new, half holds of the batch before.
    pub(super) fn batches(&self, count: u64, batch: usize) -> Vec<Vec<Event>> {
        let mut batches: Vec<Vec<Event>> = Vec::new();
        let mut n = 0;
        while n < count {
            let before = batches.last().into_iter().flatten();
            let issued = before.filter(|event| event.seq == 0);
            let mut plans: Vec<Plan<'_>> = issued.take(batch / 2).map(Plan::Hold).collect();
            while plans.len() < batch && n < count {
                plans.push(Plan::Issue(n));
                n += 1;
            }
            let signed = self.signed(&plans);
            batches.push(signed);
        }
        batches
    }

    /// Signs on two threads.
    fn signed(&self, plans: &[Plan<'_>]) -> Vec<Event> {
        let unit = secret("unit");
        let sign = |plans: &[Plan<'_>]| -> Vec<Event> {
            plans.iter().map(|plan| self.event(plan, &unit)).collect()
        };
        let (first, second) = plans.split_at(plans.len() / 2);
        thread::scope(|scope| {
            let other = scope.spawn(|| sign(second));
            let mut events = sign(first);
            events.extend(other.join().expect("signing does not panic"));
            events
        })
    }

    fn event(&self, plan: &Plan<'_>, unit: &SecretKey) -> Event {
        let mut event = match plan {
            Plan::Issue(n) => {
                let holder = format!("holder {}", n / LICENCES_PER_HOLDER);
                let issued = Issued {
                    enterprise: Some(key(Kind::Enterprise, &holder)),
                    inspection_due: None,
                    note: Note::default(),
                    predecessor: None,
                    type_ref: TypeRef::Code(TYPE.to_owned()),
                    vc: sha256(&[b"credential ", &n.to_be_bytes()]),
                };
                self.draft(self.licence(*n), Action::Issued(Box::new(issued)))
            }
            Plan::Hold(issued) => {
                let hold = Action::Plain(Verb::Hold, Note::default());
                let mut event = self.draft(issued.subject, hold);
                event.prev = Some(issued.leaf_hash());
                event.seq = 1;
                event
            }
        };
        event.signer = Some(key(Kind::Issuer, UNIT));
        event.sign(unit);
        event
    }

    fn draft(&self, subject: Hash, action: Action) -> Event {
        Event {
            action,
            effective: self.now,
            origin: ORIGIN.to_owned(),
            prev: None,
            seq: 0,
            signatures: Vec::new(),
            signer: None,
            subject,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_licence_is_issued_once_and_held_at_most_once() {
        let workload = Workload::new(UnixMillis(1_790_000_000_000));
        let batches = workload.batches(250, 100);
        assert!(batches.iter().all(|batch| batch.len() <= 100));
        let count = |seq| {
            batches
                .iter()
                .flatten()
                .filter(|event| event.seq == seq)
                .count()
        };
        assert_eq!(count(0), 250);
        assert!(count(1) >= 150, "{}", count(1));
        for pair in batches.windows(2) {
            let held: Vec<Hash> = pair[1]
                .iter()
                .filter(|event| event.seq == 1)
                .map(|event| event.subject)
                .collect();
            let before: Vec<Hash> = pair[0].iter().map(|event| event.subject).collect();
            assert!(held.iter().all(|subject| before.contains(subject)));
        }
    }
}
