//! What the attempts are put together from: events, records, copies of the office.

use std::path::Path;

use zhao_issuer::keys::Purpose;
use zhao_ledger::read::Reader;
use zhao_spec::credential::Licence;
use zhao_spec::file::Dossier;
use zhao_spec::id::RegionCode;
use zhao_spec::life::data::{Action, Issued, Note, TypeRef};
use zhao_spec::life::event::Event;
use zhao_spec::life::record::{IssuerRecord, LicenceRecord, Record, State};
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::life::verb::Verb;
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::{Hash, SecretKey, UnixMillis};

use super::Scene;
use super::press::Press;
use crate::command::office::Desk;
use crate::demo::story::{self, keyring};
use crate::failure::{Failure, args, because};
use crate::files;
use crate::home::Home;

/// A signed event of the unit that controls the untouched licence, as it would hand it in.
pub(super) fn unit_event(
    scene: &Scene<'_>,
    press: &Press,
    verb: Verb,
    effective: UnixMillis,
) -> Result<Event, Failure> {
    let licence = &scene.story.plain;
    let origin = &scene.keys.origin;
    let subject = subject_key(origin, Kind::Licence, &licence.id);
    let Some(Record::Licence(record)) = press.record(&subject)? else {
        return Err(Failure::usage("demo-pool", args![verb]));
    };
    let Some(Record::Issuer(unit)) = press.record(&record.controller)? else {
        return Err(Failure::usage("demo-pool", args![verb]));
    };
    let mut event = Event {
        action: Action::Plain(verb, Note::default()),
        effective: effective.max(record.effective),
        origin: origin.clone(),
        prev: Some(record.latest),
        seq: record.seq + 1,
        signatures: Vec::new(),
        signer: Some(record.controller),
        subject,
    };
    event.sign(&unit_secret(scene, &unit)?);
    Ok(event)
}

/// The secret of the unit's key in force: the unit signs honestly here.
pub(super) fn unit_secret(scene: &Scene<'_>, unit: &IssuerRecord) -> Result<SecretKey, Failure> {
    let mut keyring = keyring(&scene.story.home.keys())?;
    let secrets = keyring
        .secrets(Purpose::Unit)
        .map_err(because("keys", args![]))?;
    secrets
        .into_iter()
        .find(|secret| {
            unit.key(&secret.public())
                .is_some_and(|key| key.until.is_none())
        })
        .ok_or_else(|| Failure::refused("unit-no-key", args![unit = unit.unit]))
}

pub(super) fn dossier_of(scene: &Scene<'_>, press: &Press) -> Result<Dossier, Failure> {
    let reader = Reader::new(press.store());
    let view = reader.latest().map_err(because("ledger", args![]))?;
    view.dossier(&scene.story.plain, true)
        .map_err(because("ledger", args![]))
}

pub(super) fn unit_issues(
    scene: &Scene<'_>,
    licence: &Licence,
    key: &SecretKey,
    unit: Hash,
    subject: Hash,
    holder: Hash,
) -> Event {
    let mut event = Event {
        action: Action::Issued(Box::new(Issued {
            enterprise: Some(holder),
            inspection_due: None,
            note: Note::default(),
            predecessor: None,
            type_ref: TypeRef::Code(licence.subject.licence_type_code.as_str().to_owned()),
            vc: licence.digest(),
        })),
        effective: scene.now,
        origin: scene.keys.origin.clone(),
        prev: None,
        seq: 0,
        signatures: Vec::new(),
        signer: Some(unit),
        subject,
    };
    event.sign(key);
    event
}

/// The record that such an event would have written.
pub(super) fn standing(
    issued: &Event,
    key: &SecretKey,
    index: LeafIndex,
    recorded: UnixMillis,
) -> LicenceRecord {
    let (vc, type_ref, enterprise) = match &issued.action {
        Action::Issued(data) => (data.vc, data.type_ref.clone(), data.enterprise),
        _ => (Hash([0; 32]), TypeRef::Code(String::new()), None),
    };
    let unit = issued.signer.unwrap_or(Hash([0; 32]));
    LicenceRecord {
        controller: unit,
        effective: issued.effective,
        enterprise,
        index,
        inspection: None,
        issued_by: key.public().thumbprint(),
        issued_index: index,
        issuer: unit,
        latest: issued.leaf_hash(),
        latest_by: key.public().thumbprint(),
        mortgages: Vec::new(),
        objections: Vec::new(),
        pledges: Vec::new(),
        predecessor: None,
        reaffirmed: None,
        recorded,
        seq: 0,
        state: State::Active,
        successor: None,
        suspensions: Vec::new(),
        type_ref,
        vc,
    }
}

/// Another 128 random bits in the form of a version 4 UUID.
pub(super) fn fresh_uuid(scene: &Scene<'_>) -> Result<String, Failure> {
    let seed = scene.own_key()?.to_seed();
    let hex: String = seed
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let (a, b, c) = (&hex[..8], &hex[8..12], &hex[13..16]);
    Ok(format!("{a}-{b}-4{c}-8{}-{}", &hex[17..20], &hex[20..32]))
}

/// The demo's region.
pub(super) fn region() -> Result<RegionCode, Failure> {
    RegionCode::parse("320400").map_err(because("region", args![value = "320400"]))
}

/// A copy of the whole office: log, records, keys, and what its cosigners remember.
pub(super) fn office(scene: &Scene<'_>, name: &str) -> Result<Home, Failure> {
    let dir = scene.dir.join(name);
    files::copy_dir(scene.story.home.dir(), &dir)?;
    Home::open(&dir)
}

/// Starts a copied office.
pub(super) fn start(scene: &Scene<'_>, home: &Home) -> Result<Desk, Failure> {
    story::open(scene.session, home)
}

pub(super) fn replace_dir(from: &Path, to: &Path) -> Result<(), Failure> {
    std::fs::remove_dir_all(to).map_err(|cause| Failure::file("write", to, &cause))?;
    files::copy_dir(from, to)
}
