//! Authorities: who was made an issuer, and by whom, with each step signed.

use crate::life::event::Event;
use crate::life::leaf::Genesis;
use crate::life::record::{IssuerRecord, RegistryRecord, TypeRecord};
use crate::log::tree::LeafIndex;
use crate::wire::write::{ArrayWriter, ObjectWriter};
use crate::wire::{Fields, Malformed, UnixMillis, Value, limits};

use super::placed::Placed;

/// One event of a subject and where and when the log took it.
///
/// Index and time are claims: they count only as far as replaying them gives a record that is in
/// the map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryStep {
    /// The signed event.
    pub event: Event,
    /// Its leaf index.
    pub index: LeafIndex,
    /// Time of the epoch that covers it.
    pub recorded: UnixMillis,
}

/// A unit, how it came to its keys and types, and its record in the map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerAuthority {
    /// Every event of the unit, in order.
    pub history: Vec<HistoryStep>,
    /// What replaying gives, and its place in the map.
    pub placed: Placed<IssuerRecord>,
}

/// The registry, from genesis to its record in the map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryAuthority {
    /// The genesis leaf, which the policy names by its hash.
    pub genesis: Genesis,
    /// Every event of the registry after genesis, in order.
    pub history: Vec<HistoryStep>,
    /// What replaying gives, and its place in the map.
    pub placed: Placed<RegistryRecord>,
}

/// Who may issue what, from genesis on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorities {
    /// Units, strictly ascending by code.
    pub issuers: Vec<IssuerAuthority>,
    /// Licence types, strictly ascending by code.
    pub licence_types: Vec<Placed<TypeRecord>>,
    /// The registry.
    pub registry: RegistryAuthority,
}

impl Authorities {
    /// The unit with this unified social credit code.
    #[must_use]
    pub fn issuer(&self, unit: &str) -> Option<&IssuerAuthority> {
        let code = |issuer: &IssuerAuthority| issuer.placed.record.unit.as_str().cmp(unit);
        let at = self.issuers.binary_search_by(code).ok()?;
        self.issuers.get(at)
    }

    /// The licence type with this code.
    #[must_use]
    pub fn licence_type(&self, code: &str) -> Option<&Placed<TypeRecord>> {
        let order = |placed: &Placed<TypeRecord>| placed.record.type_code.as_str().cmp(code);
        let at = self.licence_types.binary_search_by(order).ok()?;
        self.licence_types.get(at)
    }

    /// The member `authorities` of a file.
    pub(super) fn from_fields(fields: &mut Fields<'_>) -> Result<Self, Malformed> {
        let mut own = fields.object("authorities")?;
        let issuers = own.items("issuers", limits::PACK_ISSUERS, issuer_of)?;
        ascending(&own.path_of("issuers"), &issuers, |issuer| {
            &issuer.placed.record.unit
        })?;
        let licence_types = own.items("licenceTypes", limits::PACK_ISSUERS, type_of)?;
        ascending(&own.path_of("licenceTypes"), &licence_types, |one| {
            &one.record.type_code
        })?;
        let registry = registry_of(own.object("registry")?)?;
        own.finish()?;
        Ok(Self {
            issuers,
            licence_types,
            registry,
        })
    }

    /// Writes the member `authorities`.
    pub(super) fn write(&self, out: &mut ObjectWriter<'_>) {
        out.object("authorities", |own| {
            own.array("issuers", |list| {
                for issuer in &self.issuers {
                    list.object(|one| {
                        one.array("history", |steps| write_history(steps, &issuer.history));
                        issuer.placed.write(one);
                    });
                }
            });
            own.array("licenceTypes", |list| {
                for placed in &self.licence_types {
                    list.object(|one| placed.write(one));
                }
            });
            own.object("registry", |one| {
                let registry = &self.registry;
                one.raw("genesis", &registry.genesis.bytes());
                one.array("history", |steps| write_history(steps, &registry.history));
                registry.placed.write(one);
            });
        });
    }
}

fn issuer_of(value: &Value, path: &str) -> Result<IssuerAuthority, Malformed> {
    let mut fields = Fields::new(value, path)?;
    let history = history(&mut fields)?;
    let placed = Placed::from_fields(&mut fields)?;
    fields.finish()?;
    Ok(IssuerAuthority { history, placed })
}

fn type_of(value: &Value, path: &str) -> Result<Placed<TypeRecord>, Malformed> {
    let mut fields = Fields::new(value, path)?;
    let placed = Placed::from_fields(&mut fields)?;
    fields.finish()?;
    Ok(placed)
}

fn registry_of(mut fields: Fields<'_>) -> Result<RegistryAuthority, Malformed> {
    let path = fields.path_of("genesis");
    let genesis = Genesis::from_value(fields.value("genesis")?, &path)?;
    let history = history(&mut fields)?;
    let placed = Placed::from_fields(&mut fields)?;
    fields.finish()?;
    Ok(RegistryAuthority {
        genesis,
        history,
        placed,
    })
}

/// The member `history`.
fn history(fields: &mut Fields<'_>) -> Result<Vec<HistoryStep>, Malformed> {
    fields.items("history", limits::UNIT_HISTORY, |value, path| {
        let mut step = Fields::new(value, path)?;
        let event = Event::from_value(step.value("event")?, &step.path_of("event"))?;
        let index = LeafIndex(step.int("index")?);
        let recorded = step.time("recorded")?;
        step.finish()?;
        Ok(HistoryStep {
            event,
            index,
            recorded,
        })
    })
}

fn write_history(out: &mut ArrayWriter<'_>, history: &[HistoryStep]) {
    for step in history {
        out.object(|one| {
            write_event(one, &step.event);
            one.int("index", step.index.0);
            one.time("recorded", step.recorded);
        });
    }
}

/// Writes the member `event`.
pub(super) fn write_event(out: &mut ObjectWriter<'_>, event: &Event) {
    let mut bytes = Vec::new();
    event.write(&mut bytes);
    out.raw("event", &bytes);
}

/// Refuses a list that is not strictly ascending by its code.
fn ascending<T>(path: &str, list: &[T], code: impl Fn(&T) -> &String) -> Result<(), Malformed> {
    let disordered = list.windows(2).any(|pair| match pair {
        [first, second] => code(first) >= code(second),
        _ => false,
    });
    if disordered {
        return Err(Malformed::value(
            path,
            "strictly ascending by code",
            "out of order",
        ));
    }
    Ok(())
}
