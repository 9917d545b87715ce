//! The forger's five attempts. He holds none of the office's keys but, once, another unit's.

use std::sync::Arc;

use zhao_issuer::office::{LedgerClient as _, Submitted};
use zhao_ledger::read::Reader;
use zhao_spec::credential::Licence;
use zhao_spec::file::{Dossier, EmbeddedCredential};
use zhao_spec::life::data::{Action, Administrators, Issued, Note, TypeRef};
use zhao_spec::life::event::Event;
use zhao_spec::life::leaf::Genesis;
use zhao_spec::life::record::Record;
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::wire::json::{self, Value};

use super::press::{Effect, Keys, Press};
use super::tools::{fresh_uuid, office, start, unit_secret};
use super::{Attempt, Scene};
use crate::failure::{Failure, args, because};

fn failed<E: std::fmt::Display>(cause: E) -> Failure {
    because::<E>("demo-press", args![])(cause)
}

/// The honest dossier of the untouched licence, as its holder has it.
fn honest_dossier(scene: &Scene<'_>) -> Result<Dossier, Failure> {
    let reader = Reader::new(Arc::new(scene.honest()?));
    let view = reader.latest().map_err(because("ledger", args![]))?;
    view.dossier(&scene.story.plain, true)
        .map_err(because("ledger", args![]))
}

fn with_credential(dossier: Dossier, bytes: &[u8]) -> Result<Dossier, Failure> {
    let credential = EmbeddedCredential::parse(bytes).map_err(failed)?;
    Ok(Dossier {
        credential,
        ..dossier
    })
}

/// Signs a licence of his own with a key of his own, and puts it into an honest dossier.
pub(super) fn self_made_key(scene: &Scene<'_>) -> Result<Attempt, Failure> {
    let mut claims = scene.story.plain.claims().clone();
    claims.subject.holder_name = "伪造者示例公司".to_owned();
    let bytes = claims.sign(&scene.own_key()?, scene.now).map_err(failed)?;
    let dossier = with_credential(honest_dossier(scene)?, &bytes)?;
    let verdict = scene.judge(&dossier.bytes());
    scene.attempt("self-made-key", vec![verdict], None)
}

/// Has got hold of the second unit's key: signs a licence in the first unit's name with it, and
/// logs it. The log takes it, because it sees a digest only; cosigners cosign.
pub(super) fn other_units_key(scene: &Scene<'_>) -> Result<Attempt, Failure> {
    let home = office(scene, "other-units-key")?;
    let desk = start(scene, &home)?;
    let origin = scene.keys.origin.clone();
    let [first, second] = &scene.story.units;
    let mut claims = scene.story.plain.claims().clone();
    // Whichever unit issued the licence he copies, the other one's key signs.
    let other = if claims.issuer.unit == *first {
        second
    } else {
        first
    };
    let subject = subject_key(&origin, Kind::Issuer, other.as_str());
    let record = desk
        .office
        .client()
        .record(&subject)
        .map_err(because("ledger", args![]))?;
    let Some(Record::Issuer(record)) = record else {
        return Err(Failure::refused("unit-no-key", args![unit = other]));
    };
    let secret = unit_secret(scene, &record)?;
    claims.id = format!("urn:uuid:{}", fresh_uuid(scene)?);
    let bytes = claims.sign(&secret, scene.now).map_err(failed)?;
    let licence = Licence::parse(&bytes).map_err(failed)?;
    let holder = &licence.subject.holder_code;
    let mut event = Event {
        action: Action::Issued(Box::new(Issued {
            enterprise: Some(subject_key(&origin, Kind::Enterprise, holder)),
            inspection_due: None,
            note: Note::default(),
            predecessor: None,
            type_ref: TypeRef::Code(licence.subject.licence_type_code.as_str().to_owned()),
            vc: licence.digest(),
        })),
        effective: scene.now,
        origin: origin.clone(),
        prev: None,
        seq: 0,
        signatures: Vec::new(),
        signer: Some(subject),
        subject: subject_key(&origin, Kind::Licence, &licence.id),
    };
    event.sign(&secret);
    let now = scene.session.host.now()?;
    let answers = desk.office.client().submit(vec![event], now);
    match answers.map_err(because("ledger", args![]))?.first() {
        Some(Submitted::Receipted { .. }) => {}
        other => return Err(failed(format!("the log did not take it: {other:?}"))),
    }
    let reader = desk.office.client().reader();
    let view = reader.latest().map_err(because("ledger", args![]))?;
    let dossier = view
        .dossier(&licence, true)
        .map_err(because("ledger", args![]))?;
    let verdict = scene.judge(&dossier.bytes());
    scene.attempt("other-units-key", vec![verdict], None)
}

/// Writes another holder's name into an honest dossier.
pub(super) fn edited_field(scene: &Scene<'_>) -> Result<Attempt, Failure> {
    let dossier = honest_dossier(scene)?;
    let mut value = dossier.credential.value().clone();
    edit(
        &mut value,
        &["credentialSubject", "holderName"],
        "伪造者示例公司",
    );
    let dossier = with_credential(dossier, &json::encode(&value))?;
    let verdict = scene.judge(&dossier.bytes());
    scene.attempt("edited-field", vec![verdict], None)
}

fn edit(value: &mut Value, path: &[&str], text: &str) {
    let (Value::Object(members), Some((first, rest))) = (value, path.split_first()) else {
        return;
    };
    for (name, member) in members {
        if name == first {
            match rest {
                [] => *member = Value::Text(text.to_owned()),
                _ => edit(member, rest, text),
            }
        }
    }
}

/// Puts a revoked licence's credential beside the proof of one that stands.
pub(super) fn another_proof(scene: &Scene<'_>) -> Result<Attempt, Failure> {
    let revoked = scene.story.victim.licence.canonical().to_vec();
    let dossier = with_credential(honest_dossier(scene)?, &revoked)?;
    let verdict = scene.judge(&dossier.bytes());
    scene.attempt("another-proof", vec![verdict], None)
}

/// Founds a log of his own under the office's name and has the revoked licence stand in it.
pub(super) fn another_log(scene: &Scene<'_>) -> Result<Attempt, Failure> {
    let (log, witness) = (scene.own_key()?, scene.own_key()?);
    let keys = Keys {
        log,
        witness,
        ..scene.keys.clone()
    };
    let mut press = Press::start(&scene.place("another-log")?, keys)?;
    let genesis = Genesis {
        administrators: Administrators {
            keys: vec![scene.own_key()?.public()],
            threshold: 1,
        },
        created: scene.now,
        key_delay: 0,
        origin: scene.keys.origin.clone(),
    };
    let leaves = vec![genesis.bytes()];
    let effect = press.effect(&leaves, scene.now)?;
    press.print(leaves, &effect, scene.now)?;
    // Yesterday's record of the licence, authorities and all, straight into his map.
    let old = &scene.story.victim.old_dossier;
    let mut effect = Effect::default();
    let standing = Record::Licence(Box::new(old.placed.record.clone()));
    effect
        .writes
        .insert(scene.story.victim.subject, Arc::new(standing));
    let time = scene.now.checked_add(1).unwrap_or(scene.now);
    press.print(Vec::new(), &effect, time)?;
    press.sign(scene.now)?;
    let reader = Reader::new(press.store());
    let view = reader.latest().map_err(because("ledger", args![]))?;
    let head = view.head().map_err(because("ledger", args![]))?;
    let (path, _) = view
        .placed(&scene.story.victim.subject)
        .map_err(because("ledger", args![]))?;
    let mut dossier = old.clone();
    dossier.head = head;
    dossier.placed.path = path;
    let verdict = scene.judge(&dossier.bytes());
    scene.attempt("another-log", vec![verdict], None)
}
