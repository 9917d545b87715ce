//! A ledger in memory: the real life cycle, real leaf hashes, and trouble on demand.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use zhao_spec::life::apply::{ApplyError, View, ViewFault, apply, genesis_records};
use zhao_spec::life::event::Event;
use zhao_spec::life::leaf::Genesis;
use zhao_spec::life::record::{Record, UnitState};
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::{Hash, UnixMillis};

use super::super::{ClientError, LedgerClient, Submitted};

/// What goes wrong with one submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The answer is lost after the events were taken.
    AfterTaking,
    /// The connection breaks before the events arrive.
    BeforeTaking,
    /// It takes no more for now.
    Busy,
    /// The events are taken, the checkpoint lacks its quorum.
    BelowQuorum,
    /// The client itself dies.
    Dies,
    /// None.
    Nothing,
    /// One answer too few.
    ShortAnswer,
    /// The events arrive twice; the second answer is the one that comes back.
    Twice,
}

#[derive(Default)]
struct Records(BTreeMap<Hash, Arc<Record>>);

impl View for Records {
    fn record(&self, key: &Hash) -> Result<Option<Arc<Record>>, ViewFault> {
        Ok(self.0.get(key).cloned())
    }
}

pub(super) struct MiniLedger {
    origin: String,
    inner: Mutex<Inner>,
}

pub(super) struct Inner {
    records: Records,
    /// Events taken, by identity: index in the log.
    taken: BTreeMap<Hash, LeafIndex>,
    pub(super) log: Vec<Event>,
    /// Trouble for the next submissions, in order; then none.
    pub(super) trouble: VecDeque<Trouble>,
    /// How often each event was handed in.
    pub(super) seen: BTreeMap<Hash, u32>,
    /// Whether submissions do not arrive.
    pub(super) away: bool,
    /// How many submissions were tried.
    pub(super) tried: u64,
    /// The times of the submissions that arrived.
    pub(super) times: Vec<UnixMillis>,
    /// Whether reading fails.
    pub(super) deaf: bool,
    /// Whether the units are suspended, without a word, before the next events are judged.
    pub(super) suspend_next: bool,
}

impl MiniLedger {
    pub(super) fn new(genesis: &Genesis) -> Self {
        let records = genesis_records(genesis).into_iter();
        Self {
            origin: genesis.origin.clone(),
            inner: Mutex::new(Inner {
                records: Records(
                    records
                        .map(|(key, record)| (key, Arc::new(record)))
                        .collect(),
                ),
                taken: BTreeMap::new(),
                log: Vec::new(),
                trouble: VecDeque::new(),
                seen: BTreeMap::new(),
                away: false,
                tried: 0,
                times: Vec::new(),
                deaf: false,
                suspend_next: false,
            }),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }
}

impl Inner {
    fn take(&mut self, event: Event, now: UnixMillis) -> Submitted {
        // Events arrive as bytes: whatever the office signs must parse.
        let event = Event::parse(&event.bytes()).unwrap();
        let id = event.id();
        // The duplicate check comes before seq and prev: spec/event.md.
        if let Some(index) = self.taken.get(&id) {
            return receipted(*index);
        }
        let index = LeafIndex(u64::try_from(self.log.len()).unwrap() + 1);
        let refused = |refusal: zhao_spec::life::apply::Refusal| Submitted::Refused {
            code: refusal.code().to_owned(),
            detail: refusal.to_string(),
        };
        let verified = match event.verify_signatures() {
            Ok(verified) => verified,
            Err(refusal) => return refused(refusal),
        };
        match apply(&self.records, &verified, index, now) {
            Ok(writes) => {
                for (key, record) in writes {
                    self.records.0.insert(key, Arc::new(record));
                }
                self.taken.insert(id, index);
                self.log.push(verified.into_inner());
                receipted(index)
            }
            Err(ApplyError::Refused(refusal)) => refused(refusal),
            Err(ApplyError::View(fault)) => panic!("{fault}"),
        }
    }
}

fn receipted(index: LeafIndex) -> Submitted {
    Submitted::Receipted {
        index,
        receipt: format!("receipt {}", index.0).into_bytes(),
    }
}

impl LedgerClient for MiniLedger {
    fn origin(&self) -> &str {
        &self.origin
    }

    fn submit(&self, events: Vec<Event>, now: UnixMillis) -> Result<Vec<Submitted>, ClientError> {
        let mut inner = self.lock();
        inner.tried += 1;
        if std::mem::take(&mut inner.suspend_next) {
            for record in inner.records.0.values_mut() {
                if let Record::Issuer(unit) = Arc::make_mut(record) {
                    unit.state = UnitState::Suspended;
                }
            }
        }
        if inner.away {
            return Err(ClientError::Unreachable("away".to_owned()));
        }
        let trouble = inner.trouble.pop_front().unwrap_or(Trouble::Nothing);
        match trouble {
            Trouble::BeforeTaking => {
                return Err(ClientError::Unreachable("no route".to_owned()));
            }
            Trouble::Dies => {
                drop(inner);
                panic!("a client died");
            }
            Trouble::Busy => return Err(ClientError::Busy("a queue is full".to_owned())),
            Trouble::Twice => {
                for event in &events {
                    inner.take(event.clone(), now);
                }
            }
            _ => {}
        }
        inner.times.push(now);
        for event in &events {
            *inner.seen.entry(event.id()).or_default() += 1;
        }
        let mut answers: Vec<_> = events
            .into_iter()
            .map(|event| inner.take(event, now))
            .collect();
        match trouble {
            Trouble::AfterTaking => {
                return Err(ClientError::Unreachable("reset by peer".to_owned()));
            }
            Trouble::BelowQuorum => {
                for answer in &mut answers {
                    if matches!(answer, Submitted::Receipted { .. }) {
                        *answer = Submitted::Pending;
                    }
                }
            }
            Trouble::ShortAnswer => drop(answers.pop()),
            Trouble::BeforeTaking
            | Trouble::Busy
            | Trouble::Dies
            | Trouble::Nothing
            | Trouble::Twice => {}
        }
        Ok(answers)
    }

    fn record(&self, subject: &Hash) -> Result<Option<Record>, ClientError> {
        let inner = self.lock();
        if inner.deaf {
            return Err(ClientError::Unreachable("no route".to_owned()));
        }
        Ok(inner
            .records
            .0
            .get(subject)
            .map(|record| (**record).clone()))
    }
}
