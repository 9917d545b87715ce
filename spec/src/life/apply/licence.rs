//! Licence verbs. `spec/lifecycle.md` sections 2 and 3.

use super::cells::{Cell, cell_of, relation_cell_of};
use super::signer::{Unit, unit};
use super::{ApplyError, Refusal, Scene};
use crate::life::data::{Action, Issued, Openness, Predecessor, Relation, TypeRef};
use crate::life::record::{
    EnterpriseRecord, Inspection, LicenceRecord, Reaffirmed, Record, State, Suspension, TypeRecord,
    TypeState, UnitState, next_enterprise,
};
use crate::life::subject::{Kind, subject_key};
use crate::life::verb::Verb;
use crate::log::tree::LeafIndex;
use crate::wire::hash::Hash;
use crate::wire::limits;

pub(super) fn apply(scene: &Scene<'_>) -> Result<Vec<(Hash, Record)>, ApplyError> {
    let signer = unit(scene)?;
    check_kind(&scene.event.subject, Kind::Licence)?;
    let subject = scene.record(&scene.event.subject)?;
    match (&scene.event.action, subject.as_deref()) {
        (Action::Issued(_), Some(_)) => Err(Refusal::SubjectExists.into()),
        (Action::Issued(issued), None) => issue(scene, &signer, issued),
        (_, None) => Err(Refusal::SubjectAbsent.into()),
        (_, Some(Record::Licence(record))) => change(scene, &signer, record),
        (_, Some(other)) => Err(Refusal::WrongKind {
            actual: other.kind().as_str(),
        }
        .into()),
    }
}

/// The key's own tag, so that no key of another kind can be taken before its subject exists.
fn check_kind(key: &Hash, kind: Kind) -> Result<(), Refusal> {
    match Kind::of(key) {
        Some(actual) if actual == kind => Ok(()),
        actual => Err(Refusal::WrongKind {
            actual: actual.map_or("none", Kind::as_str),
        }),
    }
}

fn type_record(scene: &Scene<'_>, type_code: &str) -> Result<TypeRecord, ApplyError> {
    let key = subject_key(&scene.event.origin, Kind::LicenceType, type_code);
    match scene.record(&key)?.as_deref() {
        Some(Record::LicenceType(record)) => Ok(record.clone()),
        _ => Err(Refusal::TypeUnknown {
            type_code: type_code.to_owned(),
        }
        .into()),
    }
}

fn controls(record: &LicenceRecord, signer: &Unit) -> Result<(), Refusal> {
    if record.controller == signer.subject {
        Ok(())
    } else {
        Err(Refusal::NotController {
            controller: record.controller,
        })
    }
}

/// A type and a code in clear only where the type is open.
fn check_type_of_issue(
    scene: &Scene<'_>,
    signer: &Unit,
    issued: &Issued,
) -> Result<(), ApplyError> {
    let type_code = match &issued.type_ref {
        TypeRef::Commitment(_) => {
            if issued.note.code.is_some() {
                return Err(Refusal::CodeNotAllowed.into());
            }
            if issued.enterprise.is_some() {
                return Err(Refusal::EnterpriseNotAllowed.into());
            }
            return Ok(());
        }
        TypeRef::Code(type_code) => type_code,
    };
    let record = type_record(scene, type_code)?;
    if record.state != TypeState::Published {
        return Err(Refusal::TypeRetired.into());
    }
    let granted = signer
        .entry()
        .is_some_and(|key| key.granted(type_code, scene.index));
    if !granted {
        return Err(Refusal::TypeNotGranted {
            type_code: type_code.clone(),
        }
        .into());
    }
    if record.openness != Openness::Open {
        return Err(Refusal::CommitmentRequired.into());
    }
    match (record.indexed, issued.enterprise.is_some()) {
        (true, false) => Err(Refusal::EnterpriseRequired.into()),
        (false, true) => Err(Refusal::EnterpriseNotAllowed.into()),
        _ => Ok(()),
    }
}

fn issue(
    scene: &Scene<'_>,
    signer: &Unit,
    issued: &Issued,
) -> Result<Vec<(Hash, Record)>, ApplyError> {
    let event = scene.event;
    scene.check_first()?;
    scene.check_effective()?;
    check_type_of_issue(scene, signer, issued)?;
    if issued
        .inspection_due
        .is_some_and(|due| due <= event.effective)
    {
        return Err(Refusal::DueNotLater.into());
    }
    let thumbprint = signer.key.thumbprint();
    let mut licence = LicenceRecord {
        controller: signer.subject,
        effective: event.effective,
        enterprise: issued.enterprise,
        index: scene.index,
        inspection: issued.inspection_due.map(|due| Inspection {
            due: Some(due),
            result: None,
        }),
        issued_by: thumbprint,
        issued_index: scene.index,
        issuer: signer.subject,
        latest: scene.leaf_hash,
        latest_by: thumbprint,
        mortgages: Vec::new(),
        objections: Vec::new(),
        pledges: Vec::new(),
        predecessor: None,
        reaffirmed: None,
        recorded: scene.recorded,
        seq: 0,
        state: State::Active,
        successor: None,
        suspensions: Vec::new(),
        type_ref: issued.type_ref.clone(),
        vc: issued.vc,
    };
    let mut writes = Vec::new();
    if let Some(predecessor) = &issued.predecessor {
        let old = supersede(scene, signer, predecessor, &mut licence)?;
        writes.push((predecessor.subject, Record::Licence(Box::new(old))));
    }
    if let Some(enterprise) = issued.enterprise {
        writes.push((enterprise, index_holder(scene, &enterprise)?));
    }
    writes.push((event.subject, Record::Licence(Box::new(licence))));
    Ok(writes)
}

/// The holder's public index with this licence added.
fn index_holder(scene: &Scene<'_>, enterprise: &Hash) -> Result<Record, ApplyError> {
    check_kind(enterprise, Kind::Enterprise)?;
    let (chain, count) = match scene.record(enterprise)?.as_deref() {
        None => (Hash([0; 32]), 0),
        Some(Record::Enterprise(record)) => (record.chain, record.count),
        Some(other) => {
            return Err(Refusal::WrongKind {
                actual: other.kind().as_str(),
            }
            .into());
        }
    };
    Ok(Record::Enterprise(EnterpriseRecord {
        chain: next_enterprise(&chain, &scene.event.subject),
        count: count.saturating_add(1),
        index: scene.index,
    }))
}

/// Takes over from the old version; returns its record after this step.
fn supersede(
    scene: &Scene<'_>,
    signer: &Unit,
    predecessor: &Predecessor,
    licence: &mut LicenceRecord,
) -> Result<LicenceRecord, ApplyError> {
    let mut old = match scene.record(&predecessor.subject)?.as_deref() {
        Some(Record::Licence(record)) => (**record).clone(),
        _ => return Err(Refusal::PredecessorAbsent.into()),
    };
    let expected = old.seq.saturating_add(1);
    if predecessor.seq != expected {
        return Err(Refusal::PredecessorSeqMismatch {
            expected,
            actual: predecessor.seq,
        }
        .into());
    }
    if predecessor.prev != old.latest {
        return Err(Refusal::PredecessorPrevMismatch {
            expected: old.latest,
        }
        .into());
    }
    scene.check_not_before(old.effective)?;
    controls(&old, signer)?;
    match relation_cell_of(predecessor.relation, &old) {
        Cell::Refuse(refusal) => return Err(refusal.into()),
        Cell::Become(state) => {
            licence.mortgages.clone_from(&old.mortgages);
            licence.objections.clone_from(&old.objections);
            licence.pledges.clone_from(&old.pledges);
            if let Some(before) = old.inspection {
                let due = licence.inspection.and_then(|now| now.due).or(before.due);
                licence.inspection = Some(Inspection {
                    due,
                    result: before.result,
                });
            }
            licence.suspensions = match predecessor.relation {
                Relation::Corrected => old.suspensions.clone(),
                _ => Vec::new(),
            };
            old.state = state;
            old.effective = scene.event.effective;
            old.recorded = scene.recorded;
        }
        _ if old.successor.is_some() => return Err(Refusal::AlreadySucceeded.into()),
        _ => {}
    }
    old.seq = predecessor.seq;
    old.index = scene.index;
    old.latest = scene.leaf_hash;
    old.latest_by = licence.latest_by;
    old.successor = Some(scene.event.subject);
    licence.predecessor = Some(predecessor.subject);
    Ok(old)
}

fn change(
    scene: &Scene<'_>,
    signer: &Unit,
    before: &LicenceRecord,
) -> Result<Vec<(Hash, Record)>, ApplyError> {
    let event = scene.event;
    let verb = event.verb();
    scene.check_chain((before.seq, before.latest))?;
    scene.check_effective()?;
    if verb != Verb::Annul {
        scene.check_not_before(before.effective)?;
    }
    controls(before, signer)?;
    check_type_of_change(scene, before, verb)?;
    let mut after = before.clone();
    match cell_of(verb, before) {
        Cell::Refuse(refusal) => return Err(refusal.into()),
        Cell::Become(state) => {
            let (mortgages, pledges) = (before.mortgages.len(), before.pledges.len());
            if verb == Verb::Cancel && mortgages.saturating_add(pledges) > 0 {
                return Err(Refusal::Encumbered { mortgages, pledges }.into());
            }
            after.state = state;
            stamp(scene, &mut after);
        }
        Cell::Add(suspension) => {
            after.suspensions.push(suspension);
            after.suspensions.sort_unstable();
            stamp(scene, &mut after);
        }
        Cell::Take(suspension) => {
            after
                .suspensions
                .retain(|other: &Suspension| *other != suspension);
            stamp(scene, &mut after);
        }
        Cell::Stays => flags(scene, signer, &mut after)?,
    }
    after.seq = event.seq;
    after.index = scene.index;
    after.latest = scene.leaf_hash;
    after.latest_by = signer.key.thumbprint();
    Ok(vec![(event.subject, Record::Licence(Box::new(after)))])
}

fn stamp(scene: &Scene<'_>, record: &mut LicenceRecord) {
    record.effective = scene.event.effective;
    record.recorded = scene.recorded;
}

fn check_type_of_change(
    scene: &Scene<'_>,
    before: &LicenceRecord,
    verb: Verb,
) -> Result<(), ApplyError> {
    let coded = scene
        .event
        .action
        .note()
        .is_some_and(|note| note.code.is_some());
    match &before.type_ref {
        TypeRef::Commitment(_) if coded => Err(Refusal::CodeNotAllowed.into()),
        TypeRef::Commitment(_) => Ok(()),
        TypeRef::Code(type_code) => {
            let record = type_record(scene, type_code)?;
            // Control and reaffirmation are between units and keys, whatever the type.
            let always = matches!(verb, Verb::Transfer | Verb::Reaffirm);
            if !always && !record.verbs.contains(&verb) {
                return Err(Refusal::VerbNotApplicable {
                    verb: verb.as_str(),
                }
                .into());
            }
            if coded && record.openness != Openness::Open {
                return Err(Refusal::CodeNotAllowed.into());
            }
            Ok(())
        }
    }
}

fn open(list: &mut Vec<LeafIndex>, index: LeafIndex, what: &'static str) -> Result<(), Refusal> {
    if list.len() >= limits::OPEN_FLAGS {
        return Err(Refusal::LimitReached {
            what,
            limit: limits::OPEN_FLAGS,
        });
    }
    list.push(index);
    Ok(())
}

fn close(list: &mut Vec<LeafIndex>, of: LeafIndex) -> Result<(), Refusal> {
    let before = list.len();
    list.retain(|index| *index != of);
    if list.len() == before {
        Err(Refusal::NotOpen { of: of.0 })
    } else {
        Ok(())
    }
}

/// Verbs that leave state and suspensions as they are.
fn flags(scene: &Scene<'_>, signer: &Unit, after: &mut LicenceRecord) -> Result<(), ApplyError> {
    let event = scene.event;
    match &event.action {
        Action::Plain(Verb::Mortgage, _) => {
            open(&mut after.mortgages, scene.index, "open mortgages")?;
        }
        Action::Plain(Verb::Pledge, _) => open(&mut after.pledges, scene.index, "open pledges")?,
        Action::Plain(Verb::MarkObjection, _) => {
            open(&mut after.objections, scene.index, "open objections")?;
        }
        Action::Plain(Verb::Reaffirm, _) => {
            check_reaffirm(scene, signer, after)?;
            after.reaffirmed = Some(Reaffirmed {
                by: signer.key.thumbprint(),
                index: scene.index,
            });
        }
        Action::Release(Verb::ReleaseMortgage, of, _) => close(&mut after.mortgages, *of)?,
        Action::Release(_, of, _) => close(&mut after.pledges, *of)?,
        Action::ClearObjection { of, .. } => close(&mut after.objections, *of)?,
        Action::Inspect { due, result, .. } => {
            if due.is_some_and(|due| due <= event.effective) {
                return Err(Refusal::DueNotLater.into());
            }
            after.inspection = Some(Inspection {
                due: *due,
                result: Some(*result),
            });
        }
        Action::Transfer { controller, .. } => {
            let active = match scene.record(controller)?.as_deref() {
                Some(Record::Issuer(record)) => record.state == UnitState::Active,
                _ => false,
            };
            if !active || *controller == after.controller {
                return Err(Refusal::ControllerUnknown.into());
            }
            after.controller = *controller;
        }
        other => unreachable!("{} is in the table as a change of state", other.verb()),
    }
    Ok(())
}

/// There must be something to stand by: the issuing key or the latest signer is compromised.
fn check_reaffirm(
    scene: &Scene<'_>,
    signer: &Unit,
    record: &LicenceRecord,
) -> Result<(), ApplyError> {
    let issuing = match scene.record(&record.issuer)?.as_deref() {
        Some(Record::Issuer(issuer)) => Some(issuer.clone()),
        _ => None,
    };
    let touched = |thumbprint: &Hash, index: LeafIndex| {
        issuing
            .iter()
            .chain(std::iter::once(&signer.record))
            .filter_map(|unit| unit.key_by_thumbprint(thumbprint))
            .any(|key| key.compromised(index))
    };
    if touched(&record.issued_by, record.issued_index) || touched(&record.latest_by, record.index) {
        Ok(())
    } else {
        Err(Refusal::NothingToReaffirm.into())
    }
}
