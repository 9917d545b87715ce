//! Step 7: the unit was made by the administrators, the key was the unit's, for that type.

use zhao_spec::credential::Licence;
use zhao_spec::file::{Authorities, Head, IssuerAuthority, IssuerPack, Placed};
use zhao_spec::id::{HolderCodeType, Uscc};
use zhao_spec::life::data::{Openness, TypeRef};
use zhao_spec::life::record::{IssuerRecord, LicenceRecord, Record, TypeRecord};
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::PublicKey;

use super::{Whose, s03_log, s05_place, s06_vouch};
use crate::Context;
use crate::check::{Check, Stop, ensure, require};
use crate::policy::TrustPolicy;
use crate::reason::{Reason, quoted, words};
use crate::replay::{self, Registry};

/// Authorities and the head whose map they are in.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) authorities: &'a Authorities,
    pub(crate) head: &'a Head,
    pub(crate) from_pack: bool,
}

impl Source<'_> {
    fn origin(&self) -> &str {
        &self.head.checkpoint().origin
    }
}

/// The pack, decoded, when a file has no authorities of its own.
pub(crate) fn pack(context: &Context<'_>) -> Result<IssuerPack, Stop> {
    let bytes = require(Check::IssuerPackMissing, context.pack, || {
        Reason::IssuerPackMissing
    })?;
    let mut problem = String::new();
    let pack = IssuerPack::parse(bytes)
        .map_err(|error| problem = words(&error))
        .ok();
    require(Check::IssuerPackMalformed, pack, || {
        Reason::IssuerPackMalformed { problem }
    })
}

/// The pack is of the same log, vouched for, recent, and later than the licence.
pub(crate) fn check_pack(
    pack: &IssuerPack,
    record: &LicenceRecord,
    origin: &str,
    context: &Context<'_>,
) -> Result<(), Stop> {
    let head = &pack.head;
    s03_log::known(Whose::Pack, head, context.policy)?;
    s03_log::origin(Whose::Pack, head, origin)?;
    s05_place::epoch(Whose::Pack, head)?;
    s06_vouch::log_signed(Whose::Pack, head, context)?;
    s06_vouch::cosigned(Whose::Pack, head, context.policy)?;
    let as_of = head.epoch.time;
    let size = head.checkpoint().size;
    let recent = context.at.0 <= as_of.0.saturating_add(context.policy.trust.pack_max_age);
    let later = size.0 > record.issued_index.0;
    ensure(Check::IssuerPackTooOld, recent && later, || {
        Reason::IssuerPackTooOld {
            as_of,
            size,
            issued: record.issued_index,
        }
    })
}

/// The registry, from the genesis the trust file names to its record in the map.
pub(crate) fn registry(source: Source<'_>, policy: &TrustPolicy) -> Result<Registry, Stop> {
    let own = &source.authorities.registry;
    let origin = source.origin();
    let actual = own.genesis.hash();
    let expected = policy.trust.genesis_of(origin);
    let same = expected == Some(&actual) && own.genesis.origin == origin;
    ensure(Check::GenesisMismatch, same, || Reason::GenesisMismatch {
        expected: expected.copied().unwrap_or(actual),
        actual,
    })?;
    let (registry, mut problem) = replay::registry(&own.genesis, &own.history);
    if problem.is_none() && registry.last() != Some(&Record::Registry(own.placed.record.clone())) {
        problem = Some("replaying gives another record".to_owned());
    }
    ensure(Check::RegistryInvalid, problem.is_none(), || {
        Reason::RegistryInvalid {
            problem: problem.unwrap_or_default(),
        }
    })?;
    let key = subject_key(origin, Kind::Registry, origin);
    let placed = &own.placed;
    s05_place::record(
        Check::RegistryNotInMap,
        source.head,
        &key,
        &placed.record_hash(),
        &placed.path,
        |problem| Reason::RegistryNotInMap { problem },
    )?;
    Ok(registry)
}

/// The unit's history leads to its record, which is in the map.
pub(crate) fn unit(
    source: Source<'_>,
    registry: &Registry,
    issuer: &IssuerAuthority,
) -> Result<(), Stop> {
    let placed = &issuer.placed;
    let key = subject_key(source.origin(), Kind::Issuer, &placed.record.unit);
    let problem = match replay::unit(source.origin(), &key, registry, &issuer.history) {
        Err(problem) => Some(problem),
        Ok(record) if record != Record::Issuer(placed.record.clone()) => {
            Some("replaying gives another record".to_owned())
        }
        Ok(_) => None,
    };
    ensure(Check::GrantInvalid, problem.is_none(), || {
        Reason::GrantInvalid {
            problem: problem.unwrap_or_default(),
        }
    })?;
    s05_place::record(
        Check::IssuerNotInMap,
        source.head,
        &key,
        &placed.record_hash(),
        &placed.path,
        |problem| Reason::IssuerNotInMap { problem },
    )
}

/// The licence type's record is in the map.
pub(crate) fn licence_type(source: Source<'_>, placed: &Placed<TypeRecord>) -> Result<(), Stop> {
    let key = subject_key(source.origin(), Kind::LicenceType, &placed.record.type_code);
    s05_place::record(
        Check::TypeNotInMap,
        source.head,
        &key,
        &placed.record_hash(),
        &placed.path,
        |problem| Reason::TypeNotInMap { problem },
    )
}

/// All of step 7 for one licence, after [`check_pack`] when the authorities are a pack's.
pub(crate) fn check<'a>(
    source: Source<'a>,
    licence: &Licence,
    record: &LicenceRecord,
    key: &PublicKey,
    policy: &TrustPolicy,
) -> Result<(&'a IssuerRecord, &'a TypeRecord), Stop> {
    let registry = registry(source, policy)?;

    let code = licence.issuer.unit.as_str();
    let issuer = source.authorities.issuer(code);
    let issuer = require(Check::IssuerMissing, issuer, || Reason::IssuerMissing {
        unit: quoted(code),
    })
    .map_err(|stop| stop.undetermined_if(source.from_pack))?;
    unit(source, &registry, issuer)?;

    let code = licence.subject.licence_type_code.as_str();
    let placed = source.authorities.licence_type(code);
    let placed = require(Check::TypeMissing, placed, || Reason::TypeMissing {
        code: quoted(code),
    })
    .map_err(|stop| stop.undetermined_if(source.from_pack))?;
    licence_type(source, placed)?;

    openness(record, &placed.record)?;
    enterprise(licence, record, &placed.record)?;

    let issued = record.issued_index;
    let entry = issuer.placed.record.key(key);
    let in_force = entry.is_some_and(|entry| entry.in_force(issued));
    ensure(Check::KeyNotAuthorised, in_force, || {
        Reason::KeyNotAuthorised {
            key: key.thumbprint(),
            issued,
        }
    })?;
    let granted = entry.is_some_and(|entry| entry.granted(code, issued));
    ensure(Check::TypeNotGranted, granted, || Reason::TypeNotGranted {
        code: quoted(code),
        issued,
    })?;
    Ok((&issuer.placed.record, &placed.record))
}

/// Whether the type was at the time of issuing what its record says now.
fn unchanged_since(record: &LicenceRecord, licence_type: &TypeRecord) -> bool {
    licence_type.index < record.issued_index
}

/// Whether something that holds now held without a break since the licence was issued.
fn held_since(since: Option<LeafIndex>, record: &LicenceRecord) -> bool {
    since.is_some_and(|since| since <= record.issued_index)
}

/// A type that is not open is committed to; one that is open stands in clear, or a licence could
/// be kept out of its holder's public index.
fn openness(record: &LicenceRecord, licence_type: &TypeRecord) -> Result<(), Stop> {
    let clear = matches!(record.type_ref, TypeRef::Code(_));
    let hidden = clear || record.enterprise.is_none();
    ensure(Check::TypeOpenness, hidden, || Reason::TypeOpenness {
        problem: "committed, and yet in a public index",
    })?;
    let open = licence_type.openness == Openness::Open;
    let fits = if clear {
        open || !unchanged_since(record, licence_type)
    } else {
        !held_since(licence_type.open_since, record)
    };
    ensure(Check::TypeOpenness, fits, || Reason::TypeOpenness {
        problem: if clear {
            "in clear, and not open"
        } else {
            "committed, and open"
        },
    })
}

/// The licence stands in its holder's public index exactly when its type requires it.
fn enterprise(
    licence: &Licence,
    record: &LicenceRecord,
    licence_type: &TypeRecord,
) -> Result<(), Stop> {
    let unchanged = unchanged_since(record, licence_type);
    let clear = matches!(record.type_ref, TypeRef::Code(_));
    let problem = match &record.enterprise {
        None if clear && held_since(licence_type.indexed_since, record) => Some("missing"),
        None => None,
        Some(_) if unchanged && !licence_type.indexed => Some("the type has none"),
        Some(enterprise) => {
            let code = &licence.subject.holder_code;
            let origin = &licence.status.origin;
            if licence.subject.holder_code_type != HolderCodeType::USCC {
                Some("the holder is no organisation")
            } else if subject_key(origin, Kind::Enterprise, code) != *enterprise {
                Some("of another holder")
            } else if unchanged && is_individual(code) && !licence_type.individual_businesses {
                Some("the type does not index individual businesses")
            } else {
                None
            }
        }
    };
    ensure(Check::EnterpriseMismatch, problem.is_none(), || {
        Reason::EnterpriseMismatch {
            problem: problem.unwrap_or_default(),
        }
    })
}

fn is_individual(code: &str) -> bool {
    Uscc::parse(code).is_ok_and(|code| code.is_individual_business())
}
