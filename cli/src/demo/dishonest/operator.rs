//! The operator's ten attempts. He prints what he likes, signs it with the log's key, and has the
//! local witness cosign it.

use std::sync::Arc;

use zhao_ledger::read::Reader;
use zhao_ledger::replay::Index;
use zhao_ledger::store::Store;
use zhao_spec::file::{Dossier, Head, LogProof};
use zhao_spec::life::data::{Action, KeyGrant};
use zhao_spec::life::event::Event;
use zhao_spec::life::leaf::Leaf;
use zhao_spec::life::record::{IssuerKey, IssuerRecord, KeyTypes, Record, UnitState};
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::life::verb::Verb;
use zhao_spec::log::tlog_proof::TlogProof;
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::UnixMillis;

use super::press::{Effect, Press, segments};
use super::tools::{
    dossier_of, fresh_uuid, office, region, replace_dir, standing, start, unit_event, unit_issues,
};
use super::{Attempt, Caught, Scene};
use crate::command::prove::public_credentials;
use crate::demo::story;
use crate::failure::{Failure, args, because};

const HOUR: u64 = 3_600_000;

/// Leaves the revocation out, prints the rest of the log anew and signs it.
pub(super) fn drops_revocation(scene: &Scene<'_>) -> Result<Attempt, Failure> {
    let name = "drops-revocation";
    scene.copy(name)?;
    let index = scene.story.victim.index;
    let press = reprint(scene, "drops-revocation-reprinted", |at, leaf| {
        (at != index).then_some(leaf)
    })?;
    let dossier = scene.victims_dossier(&press)?;
    let verdict = scene.judge(&dossier.bytes());
    let found = scene.audit(press)?;
    scene.attempt(name, vec![verdict], Some(found))
}

/// Changes when the revocation took effect, prints everything after it anew and signs it.
pub(super) fn rewrites_entry(scene: &Scene<'_>) -> Result<Attempt, Failure> {
    let name = "rewrites-entry";
    scene.copy(name)?;
    let index = scene.story.victim.index;
    let press = reprint(scene, "rewrites-entry-reprinted", |at, leaf| {
        if at != index {
            return Some(leaf);
        }
        let Ok(Leaf::Event(mut event)) = Leaf::parse(&leaf) else {
            return Some(leaf);
        };
        // The unit's signature does not fit any more; he has no other.
        event.effective = event.effective.saturating_sub(12 * HOUR);
        Some(event.leaf_bytes())
    })?;
    let dossier = scene.victims_dossier(&press)?;
    let verdict = scene.judge(&dossier.bytes());
    let found = scene.audit(press)?;
    scene.attempt(name, vec![verdict], Some(found))
}

/// Puts yesterday's database back: first it alone, then with everything he controls.
pub(super) fn restores_backup(scene: &Scene<'_>) -> Result<Attempt, Failure> {
    let name = "restores-backup";
    scene.copy(name)?;
    let backup = scene.story.dir.join("backup");
    let mut caught = Vec::new();
    // The database alone: the intent beside it knows better.
    let alone = office(scene, "restores-backup-database")?;
    replace_dir(&backup.join("ledger").join("db"), &alone.database())?;
    // Everything: database, intent, published head, and what the local witness remembers.
    let whole = office(scene, "restores-backup-whole")?;
    replace_dir(&backup.join("ledger"), &whole.ledger())?;
    replace_dir(&backup.join("witness"), &whole.witness())?;
    for home in [alone, whole] {
        match start(scene, &home) {
            Ok(_) => {
                return Ok(Attempt {
                    name,
                    caught: Vec::new(),
                    evidence: None,
                });
            }
            Err(failure) => {
                caught.push(Caught::Start(failure.key().to_owned(), failure.cause()));
            }
        }
    }
    Ok(Attempt {
        name,
        caught,
        evidence: None,
    })
}

/// Signs two heads of one size, each for somebody else.
pub(super) fn shows_two_heads(scene: &Scene<'_>) -> Result<Attempt, Failure> {
    let name = "shows-two-heads";
    let mut notes = Vec::new();
    let mut last = None;
    for (copy, later) in [("two-heads-a", 1_000), ("two-heads-b", 2_000)] {
        let mut press = Press::go_on(&scene.copy(copy)?, scene.keys.clone())?;
        let time = scene.now.checked_add(later).unwrap_or(scene.now);
        press.print(Vec::new(), &Effect::default(), time)?;
        notes.push((copy.to_owned(), press.sign(scene.now)?.into_bytes()));
        last = Some(press);
    }
    let press = last.ok_or_else(|| because("demo-press", args![])("nothing was printed"))?;
    let store: Arc<dyn Store> = press.store();
    drop(press);
    let found = scene.audit_with(store, &notes)?;
    scene.attempt(name, Vec::new(), Some(found))
}

/// Has an event recorded six hours before it came.
pub(super) fn backdates(scene: &Scene<'_>) -> Result<Attempt, Failure> {
    let name = "backdates";
    let mut press = Press::go_on(&scene.copy(name)?, scene.keys.clone())?;
    let time = scene.now.saturating_sub(6 * HOUR);
    let event = unit_event(scene, &press, Verb::Hold, time)?;
    let leaves = vec![event.leaf_bytes()];
    let effect = press.effect(&leaves, time)?;
    press.print(leaves, &effect, time)?;
    press.sign(scene.now)?;
    let dossier = dossier_of(scene, &press)?;
    let verdict = scene.judge(&dossier.bytes());
    let found = scene.audit(press)?;
    scene.attempt(name, vec![verdict], Some(found))
}

/// Logs a revocation, as the receipt must show it, and leaves the map as it was.
pub(super) fn keeps_map_active(scene: &Scene<'_>) -> Result<Attempt, Failure> {
    let name = "keeps-map-active";
    let mut press = Press::go_on(&scene.copy(name)?, scene.keys.clone())?;
    let event = unit_event(scene, &press, Verb::Revoke, scene.now)?;
    let leaves = vec![event.leaf_bytes()];
    let honest = press.effect(&leaves, scene.now)?;
    let nothing = Effect {
        index: honest.index,
        ..Effect::default()
    };
    press.print(leaves, &nothing, later(scene))?;
    press.sign(scene.now)?;
    let dossier = dossier_of(scene, &press)?;
    let verdict = scene.judge(&dossier.bytes());
    let found = scene.audit(press)?;
    scene.attempt(name, vec![verdict], Some(found))
}

/// Shows yesterday's standing under today's honest, fully cosigned head.
pub(super) fn pairs_old_map(scene: &Scene<'_>) -> Result<Attempt, Failure> {
    let name = "pairs-old-map";
    scene.copy(name)?;
    let old = &scene.story.victim.old_dossier;
    let reader = Reader::new(Arc::new(scene.honest()?));
    let view = reader.latest().map_err(because("ledger", args![]))?;
    let index = old.head.epoch.index;
    let proof = TlogProof {
        index,
        hashes: view.inclusion(index).map_err(because("ledger", args![]))?,
        extra: None,
        checkpoint: view.note().to_owned(),
    };
    let proof = LogProof::new(proof).map_err(because("demo-press", args![]))?;
    let head = Head {
        epoch: old.head.epoch.clone(),
        proof,
    };
    let dossier = Dossier {
        head,
        ..old.clone()
    };
    let verdict = scene.judge(&dossier.bytes());
    scene.attempt(name, vec![verdict], None)
}

/// Makes a unit with administrators of his own, and has it issue a licence.
pub(super) fn invents_unit(scene: &Scene<'_>) -> Result<Attempt, Failure> {
    let name = "invents-unit";
    let mut press = Press::go_on(&scene.copy(name)?, scene.keys.clone())?;
    let (unit_key, self_made) = (scene.own_key()?, scene.own_key()?);
    let unit = crate::command::init::fictional_unit(&region()?, 9).1;
    let subject = subject_key(&scene.keys.origin, Kind::Issuer, unit.as_str());
    let mut claims = scene.story.plain.claims().clone();
    let type_code = claims.subject.licence_type_code.as_str().to_owned();
    let mut event = Event {
        action: Action::AddUnit {
            grant: KeyGrant {
                key: unit_key.public(),
                types: vec![type_code.clone()],
            },
            unit: unit.as_str().to_owned(),
        },
        effective: scene.now,
        origin: scene.keys.origin.clone(),
        prev: None,
        seq: 0,
        signatures: Vec::new(),
        signer: None,
        subject,
    };
    event.sign(&self_made);
    let at = LeafIndex(press.size());
    let record = Record::Issuer(IssuerRecord {
        index: at,
        keys: vec![IssuerKey {
            compromised_from: None,
            from: at,
            key: unit_key.public(),
            types: vec![KeyTypes {
                from: at,
                type_code: type_code.clone(),
            }],
            until: None,
        }],
        latest: event.leaf_hash(),
        proposals: Vec::new(),
        seq: 0,
        state: UnitState::Active,
        unit: unit.as_str().to_owned(),
    });
    // The invented unit issues a licence; he puts both into the map himself.
    claims.id = format!("urn:uuid:{}", fresh_uuid(scene)?);
    claims.issuer.unit = unit.clone();
    claims.subject.issuing_authority_code = unit.clone();
    let old = &claims.subject.licence_identifier;
    claims.subject.licence_identifier = zhao_spec::id::LicenceIdentifier::new(
        old.type_code().clone(),
        unit.clone(),
        old.serial(),
        1,
    )
    .map_err(because("demo-press", args![]))?;
    let bytes = claims
        .sign(&unit_key, scene.now)
        .map_err(because("demo-press", args![]))?;
    let licence =
        zhao_spec::credential::Licence::parse(&bytes).map_err(because("demo-press", args![]))?;
    let licence_subject = subject_key(&scene.keys.origin, Kind::Licence, &licence.id);
    let holder = subject_key(
        &scene.keys.origin,
        Kind::Enterprise,
        &licence.subject.holder_code,
    );
    let issued = unit_issues(scene, &licence, &unit_key, subject, licence_subject, holder);
    let index = LeafIndex(press.size() + 1);
    let standing = standing(&issued, &unit_key, index, later(scene));
    let mut effect = Effect::default();
    effect.writes.insert(subject, Arc::new(record));
    effect.writes.insert(
        licence_subject,
        Arc::new(Record::Licence(Box::new(standing))),
    );
    effect.index = Index {
        event_ids: vec![(event.id(), at), (issued.id(), index)],
        subjects: vec![((subject, 0), at), ((licence_subject, 0), index)],
        ..Index::default()
    };
    press.print(
        vec![event.leaf_bytes(), issued.leaf_bytes()],
        &effect,
        later(scene),
    )?;
    press.sign(scene.now)?;
    let reader = Reader::new(press.store());
    let view = reader.latest().map_err(because("ledger", args![]))?;
    let dossier = view
        .dossier(&licence, true)
        .map_err(because("ledger", args![]))?
        .bytes();
    let verdicts = vec![scene.judge(&dossier), scene.judge_carelessly(&dossier)?];
    drop(view);
    drop(reader);
    let found = scene.audit(press)?;
    scene.attempt(name, verdicts, Some(found))
}

/// Answers for an enterprise and keeps one of its licences to himself.
pub(super) fn leaves_out(scene: &Scene<'_>) -> Result<Attempt, Failure> {
    let name = "leaves-out";
    scene.copy(name)?;
    let desk = story::open(scene.session, &scene.story.home)?;
    let reader = desk.office.client().reader();
    let view = reader.latest().map_err(because("ledger", args![]))?;
    for subject in &scene.story.untouched {
        let row = desk.office.records().licence(subject);
        let row = row.map_err(|cause| crate::command::office::wrong(cause.into()))?;
        let Some(row) = row else { continue };
        let Ok(licence) = zhao_spec::credential::Licence::parse(&row.credential) else {
            continue;
        };
        let Ok(uscc) = zhao_spec::id::Uscc::parse(&licence.subject.holder_code) else {
            continue;
        };
        if view
            .holdings(&uscc)
            .map_err(because("ledger", args![]))?
            .len()
            < 2
        {
            continue;
        }
        let (records, catalogue) = (desk.office.records(), desk.office.catalogue());
        let credentials = public_credentials(&view, records, catalogue, &uscc)?;
        let mut answer = view
            .answer(&uscc, &credentials)
            .map_err(because("ledger", args![]))?;
        let whole = scene.judge(&answer.bytes());
        if !whole.status().is_usable() {
            let actual = whole.reasons().first().map_or("", |reason| reason.code());
            let (path, expected) = ("answer", "valid");
            return Err(Failure::usage(
                "demo-verdict",
                args![path, expected, actual],
            ));
        }
        answer.items.pop();
        let verdict = scene.judge(&answer.bytes());
        return scene.attempt(name, vec![verdict], None);
    }
    Err(Failure::usage("demo-pool", args![verb = "query"]))
}

/// Hands one victim yesterday's dossier for ever.
pub(super) fn freezes_view(scene: &Scene<'_>) -> Result<Attempt, Failure> {
    let name = "freezes-view";
    scene.copy(name)?;
    let verdict = scene.judge(&scene.story.victim.old_dossier.bytes());
    scene.attempt(name, vec![verdict], None)
}

/// Prints the honest log anew with some leaves changed or left out, and goes on until it is at
/// least as long as the honest one, so that nobody wonders where its end went.
fn reprint(
    scene: &Scene<'_>,
    name: &str,
    change: impl Fn(LeafIndex, Vec<u8>) -> Option<Vec<u8>>,
) -> Result<Press, Failure> {
    let honest = scene.honest()?;
    let mut press = Press::start(&scene.place(name)?, scene.keys.clone())?;
    let mut at = 0;
    let mut size = 0;
    for (time, leaves) in segments(&honest)? {
        size += leaves.len() + 1;
        let mut printed = Vec::new();
        for leaf in leaves {
            printed.extend(change(LeafIndex(at), leaf));
            at += 1;
        }
        at += 1;
        let effect = press.effect(&printed, time)?;
        press.print(printed, &effect, time)?;
    }
    let size = u64::try_from(size).unwrap_or(u64::MAX);
    let mut time = later(scene);
    while press.size() < size {
        press.print(Vec::new(), &Effect::default(), time)?;
        time = time.checked_add(1).unwrap_or(time);
    }
    press.sign(scene.now)?;
    Ok(press)
}

/// A little after the newest honest epoch.
fn later(scene: &Scene<'_>) -> UnixMillis {
    scene.now.checked_add(1_000).unwrap_or(scene.now)
}
