//! From a request to a signed credential and the event that issues it.

use rand::CryptoRng;
use zhao_spec::credential::{CredentialError, Issuer, Status, Subject, Unsigned, type_commitment};
use zhao_spec::id::{LicenceIdentifier, Uscc};
use zhao_spec::life::data::{Action, Issued, Note, Openness, Predecessor, TypeRef};
use zhao_spec::life::event::Event;
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::wire::{UnixMillis, sha256};

use super::{IssueError, OfficeError, Signer, Statement, sign};
use crate::catalogue::{Entry, Values};
use crate::intake::Request;
use crate::records::{Licence, NewLicence, RecordsError, Transaction, Words};

/// Digits of the counter in a serial: `2026` and `0000001`.
const SERIAL_DIGITS: usize = 7;

/// The version a new one takes over from.
pub(super) struct Old {
    /// Its place in its chain, and how the new one relates to it.
    pub(super) predecessor: Predecessor,
    /// The serial of its identifier.
    pub(super) serial: String,
    /// The version of its identifier.
    pub(super) version: u16,
}

/// What all licences of one call have in common.
pub(super) struct Scene<'a> {
    pub(super) entry: &'a Entry,
    pub(super) now: UnixMillis,
    pub(super) origin: &'a str,
    pub(super) signer: &'a Signer,
}

/// What only the records can give a new licence.
pub(super) struct Assigned {
    pub(super) identifier: LicenceIdentifier,
    pub(super) number: String,
}

/// A licence that is signed and not yet written down.
pub(super) struct Composed {
    pub(super) assigned: Assigned,
    /// The credential's exact bytes.
    pub(super) credential: Vec<u8>,
    /// The event that issues it.
    pub(super) event: Event,
    /// The credential's `id`.
    pub(super) id: String,
}

/// Signs a credential for `request` and its `issued` event, and writes both down. Returns the
/// event and its row in the outbox.
pub(super) fn build(
    transaction: &Transaction<'_>,
    scene: &Scene<'_>,
    request: &Request,
    old: Option<&Old>,
    (note, words): (Note, Vec<Words>),
    rng: &mut dyn CryptoRng,
) -> Result<(Event, i64), OfficeError> {
    let assigned = Assigned {
        identifier: identifier(transaction, scene, request, old)?,
        number: number(transaction, scene, request, old)?,
    };
    let composed = compose(scene, request, old, assigned, note, rng)?;
    let outbox = write(transaction, request, old, &composed, &words, scene.now)?;
    Ok((composed.event, outbox))
}

/// Signs a credential for `request` and the event that issues it. Needs no records.
pub(super) fn compose(
    scene: &Scene<'_>,
    request: &Request,
    old: Option<&Old>,
    assigned: Assigned,
    note: Note,
    rng: &mut dyn CryptoRng,
) -> Result<Composed, OfficeError> {
    let Scene {
        entry,
        now,
        origin,
        signer,
    } = scene;
    let mut uuid = [0; 16];
    rng.fill_bytes(&mut uuid);
    let id = uuid::Builder::from_random_bytes(uuid)
        .into_uuid()
        .urn()
        .to_string();
    let type_salt = (entry.openness != Openness::Open).then(|| {
        let mut salt = [0; 32];
        rng.fill_bytes(&mut salt);
        salt
    });
    let unsigned = Unsigned {
        id: id.clone(),
        issuer: Issuer {
            name: signer.unit.name.clone(),
            unit: request.unit.clone(),
        },
        status: Status {
            origin: (*origin).to_owned(),
            type_salt,
        },
        subject: Subject {
            catalogue_version: entry.version,
            face_data: request.face_data.clone(),
            holder_code: request.holder_code.clone(),
            holder_code_type: request.holder_code_type,
            holder_name: request.holder_name.clone(),
            issued_date: request.issued,
            issuing_authority_code: request.unit.clone(),
            issuing_authority_name: signer.unit.name.clone(),
            licence_identifier: assigned.identifier.clone(),
            licence_name: entry.names.zh.clone(),
            licence_number: assigned.number.clone(),
            licence_type_code: entry.type_code.clone(),
        },
        valid_from: request.valid_from.start_beijing(),
        // 24:00 of the last day in China: the first instant at which it is no longer valid.
        valid_until: request.valid_until.map(|day| day.end_beijing()),
    };
    let credential = unsigned
        .sign(&signer.secret, *now)
        .map_err(|error| match error {
            // Not the row's fault: the next row would fare alike.
            CredentialError::Signer(error) => OfficeError::Signer(error),
            other => IssueError::from(other).into(),
        })?;
    let subject = subject_key(origin, Kind::Licence, &id);
    let type_code = entry.type_code.as_str();
    let issued = Issued {
        enterprise: entry
            .indexed
            .then(|| subject_key(origin, Kind::Enterprise, &request.holder_code)),
        inspection_due: request.inspection_due.map(|day| day.end_beijing()),
        note,
        predecessor: old.map(|old| old.predecessor.clone()),
        type_ref: match &type_salt {
            Some(salt) => TypeRef::Commitment(type_commitment(salt, type_code)),
            None => TypeRef::Code(type_code.to_owned()),
        },
        vc: sha256(&[&credential]),
    };
    let action = Action::Issued(Box::new(issued));
    let statement = Statement {
        action,
        effective: *now,
        subject,
    };
    let secrets = std::slice::from_ref(&signer.secret);
    let event = sign(origin, statement, Some(signer.subject), secrets, None)?;
    Ok(Composed {
        assigned,
        credential,
        event,
        id,
    })
}

/// Writes down a licence and its event; returns the row of the outbox.
pub(super) fn write(
    transaction: &Transaction<'_>,
    request: &Request,
    old: Option<&Old>,
    composed: &Composed,
    words: &[Words],
    now: UnixMillis,
) -> Result<i64, OfficeError> {
    let outbox = transaction.say(&composed.event, words, now)?;
    let identifier = &composed.assigned.identifier;
    let licence = NewLicence {
        credential: &composed.credential,
        credential_id: &composed.id,
        holder_code: &request.holder_code,
        holder_code_type: request.holder_code_type.as_str(),
        holder_name: &request.holder_name,
        identifier: &identifier.to_string(),
        number: &composed.assigned.number,
        origin: request.origin,
        predecessor: old.map(|old| old.predecessor.subject),
        reference: request.reference.as_deref(),
        serial: identifier.serial(),
        subject: composed.event.subject,
        type_code: request.type_code.as_str(),
        unit: request.unit.as_str(),
        version: identifier.version(),
    };
    transaction.add_licence(&licence, outbox, now)?;
    Ok(outbox)
}

/// GB/T 36904: a new licence counts on, a new version keeps the serial.
fn identifier(
    transaction: &Transaction<'_>,
    scene: &Scene<'_>,
    request: &Request,
    old: Option<&Old>,
) -> Result<LicenceIdentifier, OfficeError> {
    let type_code = scene.entry.type_code.clone();
    let (unit, code) = (request.unit.as_str(), type_code.as_str());
    let (serial, version) = match old {
        Some(old) => {
            let last = transaction
                .last_version(unit, code, &old.serial)?
                .max(old.version);
            (old.serial.clone(), last.saturating_add(1))
        }
        None => {
            let count = |year| transaction.count(unit, code, "serial", year);
            return new_identifier(scene.entry, &request.unit, scene.now, count);
        }
    };
    let identifier = LicenceIdentifier::new(type_code, request.unit.clone(), &serial, version);
    Ok(identifier.map_err(IssueError::from)?)
}

/// The number given, or the next one of the type's pattern; free, unless a new version keeps it.
fn number(
    transaction: &Transaction<'_>,
    scene: &Scene<'_>,
    request: &Request,
    old: Option<&Old>,
) -> Result<String, OfficeError> {
    let (unit, code) = (request.unit.as_str(), scene.entry.type_code.as_str());
    let taken = |number: &str| {
        let taken = transaction.with_number(unit, code, number)?;
        // A new version may keep its predecessor's number.
        let others = |taken: &Licence| old.is_none_or(|old| old.serial != taken.serial);
        Ok(taken.filter(others).map(|taken| taken.identifier))
    };
    let count = |purpose, year| transaction.count(unit, code, purpose, year);
    new_number(scene.entry, request, count, taken)
}

/// The identifier of a licence that is no new version of another; `count` is the counter of
/// serials of a year.
pub(super) fn new_identifier(
    entry: &Entry,
    unit: &Uscc,
    now: UnixMillis,
    count: impl FnOnce(u16) -> Result<u64, RecordsError>,
) -> Result<LicenceIdentifier, OfficeError> {
    let year = now.beijing_date().year();
    let serial = format!("{year}{:0SERIAL_DIGITS$}", count(year)?);
    let identifier = LicenceIdentifier::new(entry.type_code.clone(), unit.clone(), &serial, 1);
    Ok(identifier.map_err(IssueError::from)?)
}

/// The number given, or the next one of the type's pattern that is free; `taken` says whose a
/// number is, and `count` counts for a purpose and a year.
pub(super) fn new_number(
    entry: &Entry,
    request: &Request,
    mut count: impl FnMut(&'static str, u16) -> Result<u64, RecordsError>,
    taken: impl Fn(&str) -> Result<Option<String>, RecordsError>,
) -> Result<String, OfficeError> {
    let pattern = &entry.number;
    let year = request.issued.year();
    let values = Values {
        holder: &request.holder_code,
        region: request.unit.region(),
        year,
    };
    loop {
        let number = match &request.number {
            Some(number) => number.clone(),
            None => {
                let counter = if pattern.counts() {
                    // Without the year in it, numbers of all years share one counter.
                    let scope = if pattern.has_year() { year } else { 0 };
                    count("number", scope)?
                } else {
                    0
                };
                pattern.make(values, counter).map_err(IssueError::from)?
            }
        };
        let Some(identifier) = taken(&number)? else {
            return Ok(number);
        };
        // A counter may run into numbers given by hand; it counts past them.
        if request.number.is_some() || !pattern.counts() {
            return Err(IssueError::NumberTaken { number, identifier }.into());
        }
    }
}
