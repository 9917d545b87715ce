//! The named workload: half `issued` of an open type, half changes of licences drawn at random.
//!
//! An `issued` event writes two map keys, the licence's and its holder's. A change is `hold` or
//! `lift_hold` of any licence issued before. The same seed makes the same events.

use std::collections::BTreeSet;
use std::thread;

use rand::{Rng as _, RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha20Rng;
use zhao_spec::life::data::{Action, Issued, Note, TypeRef};
use zhao_spec::life::event::{Event, VerifiedEvent};
use zhao_spec::life::subject::Kind;
use zhao_spec::life::verb::Verb;
use zhao_spec::wire::Hash;

use crate::credential::Credentials;
use crate::office::{Chain, Office, TYPE};

/// Events of a batch.
pub(crate) const BATCH: usize = 1_000;
/// The log's name.
pub(crate) const ORIGIN: &str = "bench.zhao.example/log";

/// Everything issued so far: enough to sign the next event about any of it.
pub(crate) struct Workload {
    /// Who signs.
    pub(crate) office: Office,
    /// Some licences are real: their dossiers can be judged.
    pub(crate) credentials: Credentials,
    /// Leaf hash and number of the latest event about the `n`th licence.
    latest: Vec<(Hash, u32)>,
    generator: ChaCha20Rng,
}

/// What an event is to be about.
enum Plan {
    Issue(u64),
    Change(u64, Chain),
}

impl Workload {
    /// Nothing issued yet. The real licences are among the first `spread`; there is room for
    /// `licences`, so that memory is not measured twice.
    pub(crate) fn new(seed: u64, spread: usize, licences: usize) -> Self {
        let office = Office::new(ORIGIN);
        Self {
            credentials: Credentials::new(seed, spread),
            office,
            latest: Vec::with_capacity(licences),
            generator: ChaCha20Rng::seed_from_u64(seed),
        }
    }

    /// The workload of an office whose log is there already: nothing issued yet, nothing real.
    pub(crate) fn of(office: Office, seed: u64) -> Self {
        Self {
            office,
            ..Self::new(seed, 0, 0)
        }
    }

    /// Licences issued so far.
    pub(crate) fn licences(&self) -> usize {
        self.latest.len()
    }

    /// The subject key of the `n`th licence.
    pub(crate) fn licence(&self, n: u64) -> Hash {
        subject(&self.office, &self.credentials, n)
    }

    /// Any number below `below`.
    pub(crate) fn draw(&mut self, below: usize) -> usize {
        self.generator.random_range(0..below)
    }

    /// A uniform number of 53 bits in (0, 1].
    pub(crate) fn unit(&mut self) -> f64 {
        let bits = self.generator.next_u64() >> 11;
        (bits as f64 + 1.0) / (1_u64 << 53) as f64
    }

    /// So many new licences, signed.
    pub(crate) fn issue(&mut self, count: usize) -> Vec<Event> {
        let first = self.latest.len();
        let plans = (first..first + count).map(|n| Plan::Issue(wide(n)));
        self.signed(plans.collect())
    }

    /// A batch of the mixed workload, signed: new licences and changes in turn.
    pub(crate) fn mixed(&mut self, count: usize) -> Vec<Event> {
        let mut changed = BTreeSet::new();
        while changed.len() < count / 2 {
            // Each licence once a batch: its next event follows the one before.
            changed.insert(self.draw(self.latest.len()));
        }
        let first = self.latest.len();
        let mut plans = Vec::with_capacity(count);
        for (at, n) in changed.into_iter().enumerate() {
            plans.push(Plan::Issue(wide(first + at)));
            let (latest, next) = self.latest[n];
            let next = u64::from(next);
            plans.push(Plan::Change(wide(n), Chain { next, latest }));
        }
        // Drawn licences come out in order; no office's changes do.
        for at in (1..plans.len() / 2).rev() {
            let other = self.draw(at + 1);
            plans.swap(2 * at + 1, 2 * other + 1);
        }
        self.signed(plans)
    }

    /// Signs on two threads and keeps what the next events follow.
    fn signed(&mut self, plans: Vec<Plan>) -> Vec<Event> {
        let (office, credentials) = (&self.office, &self.credentials);
        let sign = |plans: &[Plan]| -> Vec<Event> {
            plans
                .iter()
                .map(|plan| event(office, credentials, plan))
                .collect()
        };
        let (first, second) = plans.split_at(plans.len() / 2);
        let events = thread::scope(|scope| {
            let other = scope.spawn(|| sign(second));
            let mut events = sign(first);
            events.extend(other.join().expect("the other thread signs"));
            events
        });
        for (plan, event) in plans.iter().zip(&events) {
            let after = Chain::after(event);
            let entry = (after.latest, u32::try_from(after.next).unwrap_or(u32::MAX));
            match plan {
                Plan::Issue(_) => self.latest.push(entry),
                Plan::Change(n, _) => {
                    let n = usize::try_from(*n).expect("it was a usize before");
                    self.latest[n] = entry;
                }
            }
        }
        events
    }
}

fn subject(office: &Office, credentials: &Credentials, n: u64) -> Hash {
    match credentials.of(n) {
        Some(real) => office.key(Kind::Licence, &real.id),
        None => office.licence(n),
    }
}

fn event(office: &Office, credentials: &Credentials, plan: &Plan) -> Event {
    match plan {
        Plan::Issue(n) => {
            let action = match credentials.of(*n) {
                Some(real) => Action::Issued(Box::new(Issued {
                    enterprise: Some(office.key(Kind::Enterprise, &real.holder)),
                    inspection_due: None,
                    note: Note::default(),
                    predecessor: None,
                    type_ref: TypeRef::Code(TYPE.to_owned()),
                    vc: real.digest,
                })),
                None => office.issue(*n, None),
            };
            office.by_unit(subject(office, credentials, *n), None, action)
        }
        Plan::Change(n, chain) => {
            // Issued is number 0, so holds are odd and lifted holds even.
            let verb = match chain.next % 2 {
                1 => Verb::Hold,
                _ => Verb::LiftHold,
            };
            let action = Action::Plain(verb, Note::default());
            office.by_unit(subject(office, credentials, *n), Some(*chain), action)
        }
    }
}

fn wide(n: usize) -> u64 {
    u64::try_from(n).expect("a licence's number fits")
}

/// Checks signatures on two threads, as a server does before it commits.
pub(crate) fn verified(mut events: Vec<Event>) -> Vec<VerifiedEvent> {
    fn verify(events: Vec<Event>) -> Vec<VerifiedEvent> {
        let verify = |event: Event| event.verify_signatures().expect("the workload is signed");
        events.into_iter().map(verify).collect()
    }
    let second = events.split_off(events.len() / 2);
    thread::scope(|scope| {
        let other = scope.spawn(|| verify(second));
        let mut all = verify(events);
        all.extend(other.join().expect("the other thread verifies"));
        all
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_events() {
        let events = |seed| {
            let mut workload = Workload::new(seed, 0, 0);
            let mut events = workload.issue(40);
            events.extend(workload.mixed(20));
            events.iter().map(Event::leaf_hash).collect::<Vec<_>>()
        };
        assert_eq!(events(1), events(1));
        assert_ne!(events(1), events(2));
    }

    #[test]
    fn half_of_a_mixed_batch_changes_what_was_issued_before() {
        let mut workload = Workload::new(1, 0, 0);
        workload.issue(100);
        let batch = workload.mixed(50);
        assert_eq!(batch.len(), 50);
        assert_eq!(batch.iter().filter(|event| event.seq == 0).count(), 25);
        assert_eq!(workload.licences(), 125);
        let subjects: BTreeSet<Hash> = batch.iter().map(|event| event.subject).collect();
        assert_eq!(subjects.len(), 50, "each subject once a batch");
    }
}
