//! Issuer verbs. `spec/lifecycle.md` section 5.

use super::signer::{administrators, unit};
use super::{ApplyError, Refusal, Scene};
use crate::life::data::{Action, KeyGrant};
use crate::life::record::{IssuerKey, IssuerRecord, KeyTypes, Proposal, Record, UnitState};
use crate::life::subject::{Kind, subject_key};
use crate::log::tree::LeafIndex;
use crate::wire::hash::Hash;
use crate::wire::limits;
use crate::wire::signature::PublicKey;

pub(super) fn apply(scene: &Scene<'_>) -> Result<Vec<(Hash, Record)>, ApplyError> {
    let event = scene.event;
    check_signer(scene)?;
    let before = scene.record(&event.subject)?;
    let record = match (&event.action, before.as_deref()) {
        (Action::AddUnit { grant, unit }, before) => add(scene, grant, unit, before)?,
        (_, None) => return Err(Refusal::SubjectAbsent.into()),
        (action, Some(Record::Issuer(before))) => {
            scene.check_chain((before.seq, before.latest))?;
            scene.check_effective()?;
            let mut after = before.clone();
            change(scene, action, &mut after)?;
            after.seq = event.seq;
            after.index = scene.index;
            after.latest = scene.leaf_hash;
            after
        }
        (_, Some(other)) => {
            return Err(Refusal::WrongKind {
                actual: other.kind().as_str(),
            }
            .into());
        }
    };
    let record = Record::Issuer(record);
    // 64 keys with 256 types each would not fit. Every other kind of record stays far below the
    // limit by the limits of its parts, so only this kind is measured.
    if record.bytes().len() > limits::RECORD_BYTES {
        return Err(Refusal::LimitReached {
            what: "bytes of a record",
            limit: limits::RECORD_BYTES,
        }
        .into());
    }
    Ok(vec![(event.subject, record)])
}

/// Which party must sign: `spec/event.md`, verbs of an issuer.
fn check_signer(scene: &Scene<'_>) -> Result<(), ApplyError> {
    let by_unit_only = matches!(scene.event.action, Action::RotateKey { .. });
    let by_either = matches!(
        scene.event.action,
        Action::RetireKey(_) | Action::WithdrawProposal(_) | Action::CompromiseKey { .. }
    );
    if by_unit_only || (by_either && scene.event.signer.is_some()) {
        if unit(scene)?.subject != scene.event.subject {
            return Err(Refusal::WrongSigner.into());
        }
        Ok(())
    } else {
        administrators(scene).map_err(ApplyError::from)
    }
}

fn granted(types: &[String], from: LeafIndex) -> Vec<KeyTypes> {
    types
        .iter()
        .map(|type_code| KeyTypes {
            from,
            type_code: type_code.clone(),
        })
        .collect()
}

fn key_from(scene: &Scene<'_>, key: PublicKey, types: Vec<KeyTypes>) -> IssuerKey {
    IssuerKey {
        compromised_from: None,
        from: scene.index,
        key,
        types,
        until: None,
    }
}

fn add(
    scene: &Scene<'_>,
    grant: &KeyGrant,
    unit: &str,
    before: Option<&Record>,
) -> Result<IssuerRecord, Refusal> {
    let expected = subject_key(&scene.event.origin, Kind::Issuer, unit);
    if before.is_some() {
        return Err(Refusal::SubjectExists);
    }
    if scene.event.subject != expected {
        return Err(Refusal::WrongSubject { expected });
    }
    scene.check_first()?;
    scene.check_effective()?;
    Ok(IssuerRecord {
        index: scene.index,
        keys: vec![key_from(
            scene,
            grant.key,
            granted(&grant.types, scene.index),
        )],
        latest: scene.leaf_hash,
        proposals: Vec::new(),
        seq: 0,
        state: UnitState::Active,
        unit: unit.to_owned(),
    })
}

fn entry<'a>(record: &'a mut IssuerRecord, key: &PublicKey) -> Result<&'a mut IssuerKey, Refusal> {
    record
        .keys
        .iter_mut()
        .find(|entry| entry.key == *key)
        .ok_or(Refusal::KeyUnknown)
}

fn live<'a>(record: &'a mut IssuerRecord, key: &PublicKey) -> Result<&'a mut IssuerKey, Refusal> {
    let entry = entry(record, key)?;
    if entry.until.is_some() {
        return Err(Refusal::KeyRetired);
    }
    Ok(entry)
}

fn check_unknown(record: &IssuerRecord, key: &PublicKey) -> Result<(), Refusal> {
    let proposed = record.proposals.iter().any(|proposal| proposal.key == *key);
    if proposed || record.key(key).is_some() {
        Err(Refusal::KeyKnown)
    } else {
        Ok(())
    }
}

fn push_key(record: &mut IssuerRecord, key: IssuerKey) -> Result<(), Refusal> {
    if record.keys.len() >= limits::ISSUER_KEYS {
        return Err(Refusal::LimitReached {
            what: "keys of a unit",
            limit: limits::ISSUER_KEYS,
        });
    }
    record.keys.push(key);
    Ok(())
}

fn change(scene: &Scene<'_>, action: &Action, record: &mut IssuerRecord) -> Result<(), Refusal> {
    let index = scene.index;
    match action {
        Action::GrantTypes(grant) => grant_types(scene, grant, record),
        Action::RotateKey { key, retire } => {
            check_unknown(record, key)?;
            let signing = scene.event.signatures.first().map(|s| s.key);
            let types = signing
                .and_then(|signing| record.key(&signing))
                .map(|entry| {
                    entry
                        .types
                        .iter()
                        .map(|t| t.type_code.clone())
                        .collect::<Vec<_>>()
                })
                .unwrap_or_default();
            if let Some(retire) = retire {
                live(record, retire)?.until = Some(index);
            }
            push_key(record, key_from(scene, *key, granted(&types, index)))
        }
        Action::RetireKey(key) => {
            live(record, key)?.until = Some(index);
            Ok(())
        }
        Action::ProposeKey(grant) => {
            check_unknown(record, &grant.key)?;
            if record.proposals.len() >= limits::PROPOSALS {
                return Err(Refusal::LimitReached {
                    what: "proposed keys",
                    limit: limits::PROPOSALS,
                });
            }
            record.proposals.push(Proposal {
                key: grant.key,
                recorded: scene.recorded,
                types: grant.types.clone(),
            });
            Ok(())
        }
        Action::ConfirmKey(key) => confirm(scene, key, record),
        Action::WithdrawProposal(key) => take_proposal(record, key).map(|_| ()),
        Action::SuspendUnit if record.state == UnitState::Suspended => {
            Err(Refusal::AlreadySuspended { by: "suspended" })
        }
        Action::SuspendUnit => {
            record.state = UnitState::Suspended;
            Ok(())
        }
        Action::ResumeUnit if record.state == UnitState::Active => Err(Refusal::NotSuspended),
        Action::ResumeUnit => {
            record.state = UnitState::Active;
            Ok(())
        }
        Action::CompromiseKey { from, key } => {
            let entry = entry(record, key)?;
            if *from > index {
                return Err(Refusal::FromInFuture {
                    from: from.0,
                    index: index.0,
                });
            }
            if let Some(known) = entry.compromised_from.filter(|known| known <= from) {
                return Err(Refusal::NotEarlier {
                    known: known.0,
                    from: from.0,
                });
            }
            entry.compromised_from = Some(*from);
            entry.until.get_or_insert(index);
            Ok(())
        }
        other => unreachable!("{} is no verb of an existing issuer", other.verb()),
    }
}

fn grant_types(
    scene: &Scene<'_>,
    grant: &KeyGrant,
    record: &mut IssuerRecord,
) -> Result<(), Refusal> {
    let index = scene.index;
    let entry = live(record, &grant.key)?;
    let known = |code: &String| entry.types.iter().any(|t| t.type_code == *code);
    let new: Vec<String> = grant
        .types
        .iter()
        .filter(|code| !known(code))
        .cloned()
        .collect();
    if new.is_empty() {
        return Err(Refusal::TypesKnown);
    }
    if entry.types.len().saturating_add(new.len()) > limits::GRANT_TYPES {
        return Err(Refusal::LimitReached {
            what: "types of a key",
            limit: limits::GRANT_TYPES,
        });
    }
    entry.types.extend(granted(&new, index));
    Ok(())
}

fn take_proposal(record: &mut IssuerRecord, key: &PublicKey) -> Result<Proposal, Refusal> {
    let at = record
        .proposals
        .iter()
        .position(|proposal| proposal.key == *key)
        .ok_or(Refusal::ProposalUnknown)?;
    Ok(record.proposals.remove(at))
}

fn confirm(scene: &Scene<'_>, key: &PublicKey, record: &mut IssuerRecord) -> Result<(), Refusal> {
    let proposal = take_proposal(record, key)?;
    let earliest = proposal
        .recorded
        .checked_add(scene.registry.key_delay)
        .unwrap_or(crate::wire::time::UnixMillis::MAX);
    if scene.recorded < earliest {
        return Err(Refusal::DelayNotOver {
            earliest,
            recorded: scene.recorded,
        });
    }
    let types = granted(&proposal.types, scene.index);
    push_key(record, key_from(scene, *key, types))
}
