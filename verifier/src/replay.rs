//! Replaying the histories of the registry and of a unit, by the same `apply` the log admits with.

use std::sync::Arc;

use zhao_spec::file::HistoryStep;
use zhao_spec::life::apply::{View, ViewFault, apply, genesis_records};
use zhao_spec::life::leaf::Genesis;
use zhao_spec::life::record::Record;
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::{Hash, UnixMillis};

/// The registry at every index: its records with the index that wrote each, ascending.
pub(crate) struct Registry {
    key: Hash,
    states: Vec<(LeafIndex, Arc<Record>)>,
}

/// Replays the registry's history after genesis. The problem, if any, says where it stopped; the
/// states are those before.
pub(crate) fn registry(genesis: &Genesis, history: &[HistoryStep]) -> (Registry, Option<String>) {
    let key = subject_key(&genesis.origin, Kind::Registry, &genesis.origin);
    let written = genesis_records(genesis)
        .into_iter()
        .find(|(written, _)| *written == key);
    let states = written.map(|(_, record)| (LeafIndex(0), Arc::new(record)));
    let mut registry = Registry {
        key,
        states: states.into_iter().collect(),
    };
    let mut clock = Clock::new();
    for step in history {
        let replayed = clock.advance(step).and_then(|()| {
            let now = registry.states.last().map(|(_, record)| Arc::clone(record));
            let view = Now {
                registry: (registry.key, now),
                own: None,
            };
            one(&view, step, &genesis.origin, &registry.key)
        });
        match replayed {
            Ok(record) => registry.states.push((step.index, Arc::new(record))),
            Err(problem) => return (registry, Some(problem)),
        }
    }
    (registry, None)
}

impl Registry {
    /// The registry after its whole history.
    pub(crate) fn last(&self) -> Option<&Record> {
        self.states.last().map(|(_, record)| record.as_ref())
    }

    /// The registry immediately before `index`.
    fn before(&self, index: LeafIndex) -> Option<Arc<Record>> {
        let earlier = self
            .states
            .iter()
            .rev()
            .find(|(written, _)| *written < index);
        earlier.map(|(_, record)| Arc::clone(record))
    }
}

/// Replays a unit's history from nothing, with the administrators in force at each index.
pub(crate) fn unit(
    origin: &str,
    key: &Hash,
    registry: &Registry,
    history: &[HistoryStep],
) -> Result<Record, String> {
    let mut record: Option<Arc<Record>> = None;
    let mut clock = Clock::new();
    for step in history {
        clock.advance(step)?;
        let view = Now {
            registry: (registry.key, registry.before(step.index)),
            own: Some((*key, record.take())),
        };
        record = Some(Arc::new(one(&view, step, origin, key)?));
    }
    record
        .map(Arc::unwrap_or_clone)
        .ok_or_else(|| "no history".to_owned())
}

/// Applies one event, which must be of `subject` and write nothing else.
fn one(
    view: &dyn View,
    step: &HistoryStep,
    origin: &str,
    subject: &Hash,
) -> Result<Record, String> {
    let at = |problem: &dyn std::fmt::Display| format!("event at index {}: {problem}", step.index);
    if step.event.origin != origin {
        return Err(at(&"is of another log"));
    }
    if step.event.subject != *subject {
        return Err(at(&"is of another subject"));
    }
    let event = step
        .event
        .clone()
        .verify_signatures()
        .map_err(|refusal| at(&refusal))?;
    let writes = apply(view, &event, step.index, step.recorded).map_err(|error| at(&error))?;
    match <[(Hash, Record); 1]>::try_from(writes) {
        Ok([(written, record)]) if written == *subject => Ok(record),
        _ => Err(at(&"changes other subjects")),
    }
}

/// Indexes rise strictly from above genesis, recorded times never fall.
struct Clock {
    index: LeafIndex,
    recorded: UnixMillis,
}

impl Clock {
    fn new() -> Self {
        Self {
            index: LeafIndex(0),
            recorded: UnixMillis(0),
        }
    }

    fn advance(&mut self, step: &HistoryStep) -> Result<(), String> {
        if step.index <= self.index {
            return Err(format!("index {} after {}", step.index, self.index));
        }
        if step.recorded < self.recorded {
            return Err(format!(
                "recorded at {} after {}",
                step.recorded, self.recorded
            ));
        }
        self.index = step.index;
        self.recorded = step.recorded;
        Ok(())
    }
}

/// What an event of a registry or a unit may read: the registry, and its own subject.
struct Now {
    registry: (Hash, Option<Arc<Record>>),
    own: Option<(Hash, Option<Arc<Record>>)>,
}

impl View for Now {
    fn record(&self, key: &Hash) -> Result<Option<Arc<Record>>, ViewFault> {
        let known = std::iter::once(&self.registry).chain(&self.own);
        let found = known
            .filter(|(known, _)| known == key)
            .map(|(_, record)| record.clone())
            .next();
        Ok(found.flatten())
    }
}
