//! Licence type and registry verbs. `spec/lifecycle.md` section 5.

use super::signer::administrators;
use super::{ApplyError, Refusal, Scene};
use crate::life::data::{Action, LogKey, Openness, PublishType};
use crate::life::record::{Record, RegistryRecord, TypeRecord, TypeState};
use crate::life::subject::{Kind, subject_key};
use crate::log::HeadKey;
use crate::log::tree::LeafIndex;
use crate::wire::hash::Hash;
use crate::wire::limits;

pub(super) fn apply_type(scene: &Scene<'_>) -> Result<Vec<(Hash, Record)>, ApplyError> {
    let event = scene.event;
    administrators(scene)?;
    let subject = scene.record(&event.subject)?;
    let before = match subject.as_deref() {
        None => None,
        Some(Record::LicenceType(record)) => Some(record),
        Some(other) => {
            return Err(Refusal::WrongKind {
                actual: other.kind().as_str(),
            }
            .into());
        }
    };
    let record = match &event.action {
        Action::PublishType(data) => publish(scene, data, before)?,
        _ => retire(scene, before)?,
    };
    Ok(vec![(event.subject, Record::LicenceType(record))])
}

fn publish(
    scene: &Scene<'_>,
    data: &PublishType,
    before: Option<&TypeRecord>,
) -> Result<TypeRecord, Refusal> {
    let expected = subject_key(&scene.event.origin, Kind::LicenceType, &data.type_code);
    if scene.event.subject != expected {
        return Err(Refusal::WrongSubject { expected });
    }
    match before {
        None => scene.check_first()?,
        Some(before) => scene.check_chain((before.seq, before.latest))?,
    }
    scene.check_effective()?;
    let version = before.map_or(0, |before| before.version).saturating_add(1);
    if data.version != version {
        return Err(Refusal::VersionMismatch {
            expected: version,
            actual: data.version,
        });
    }
    let open = data.openness == Openness::Open;
    if (data.indexed && !open) || (data.individual_businesses && !data.indexed) {
        return Err(Refusal::TypeRules);
    }
    Ok(TypeRecord {
        digest: data.digest,
        index: scene.index,
        individual_businesses: data.individual_businesses,
        indexed: data.indexed,
        indexed_since: since(
            scene,
            data.indexed,
            before.and_then(|before| before.indexed_since),
        ),
        inspection: data.inspection,
        latest: scene.leaf_hash,
        open_since: since(scene, open, before.and_then(|before| before.open_since)),
        openness: data.openness,
        seq: scene.event.seq,
        state: TypeState::Published,
        type_code: data.type_code.clone(),
        verbs: data.verbs.clone(),
        version,
    })
}

/// From when something holds without a break: as before, or from this event on.
fn since(scene: &Scene<'_>, holds: bool, before: Option<LeafIndex>) -> Option<LeafIndex> {
    holds.then(|| before.unwrap_or(scene.index))
}

fn retire(scene: &Scene<'_>, before: Option<&TypeRecord>) -> Result<TypeRecord, Refusal> {
    let before = before.ok_or(Refusal::SubjectAbsent)?;
    scene.check_chain((before.seq, before.latest))?;
    scene.check_effective()?;
    if before.state == TypeState::Retired {
        return Err(Refusal::AlreadyRetired);
    }
    Ok(TypeRecord {
        index: scene.index,
        latest: scene.leaf_hash,
        seq: scene.event.seq,
        state: TypeState::Retired,
        ..before.clone()
    })
}

pub(super) fn apply_registry(
    scene: &Scene<'_>,
    registry_key: Hash,
) -> Result<Vec<(Hash, Record)>, ApplyError> {
    let event = scene.event;
    administrators(scene)?;
    if event.subject != registry_key {
        return Err(Refusal::WrongSubject {
            expected: registry_key,
        }
        .into());
    }
    scene.check_chain((scene.registry.seq, scene.registry.latest))?;
    scene.check_effective()?;
    let mut record = RegistryRecord {
        index: scene.index,
        latest: scene.leaf_hash,
        seq: event.seq,
        ..scene.registry.clone()
    };
    match &event.action {
        Action::ChangeAdministrators(new) => record.administrators = new.clone(),
        Action::RotateLogKey(data) => rotate(data, &event.origin, &mut record.log_keys)?,
        _ => unreachable!("{} is no verb of the registry", event.verb()),
    }
    Ok(vec![(registry_key, Record::Registry(record))])
}

/// Another key signs heads from a size on. The size may lie behind: heads that a stolen key signed
/// from there on then count for nothing.
fn rotate(data: &LogKey, origin: &str, keys: &mut Vec<HeadKey>) -> Result<(), Refusal> {
    if keys.iter().any(|known| known.key == data.key) {
        return Err(Refusal::KeyKnown);
    }
    data.check_proof(origin)
        .map_err(|error| Refusal::KeyProofInvalid {
            problem: error.to_string(),
        })?;
    if keys.len() >= limits::LOG_KEYS {
        return Err(Refusal::LimitReached {
            what: "keys of a log",
            limit: limits::LOG_KEYS,
        });
    }
    keys.push(HeadKey {
        from: data.from,
        key: data.key,
    });
    Ok(())
}
