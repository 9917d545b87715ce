//! From a request to a signed credential and the event that issues it.

use rand::CryptoRng;
use zhao_spec::credential::{CredentialError, Issuer, Status, Subject, Unsigned, type_commitment};
use zhao_spec::id::LicenceIdentifier;
use zhao_spec::life::data::{Action, Issued, Note, Openness, Predecessor, TypeRef};
use zhao_spec::life::event::Event;
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::wire::{UnixMillis, sha256};

use super::{IssueError, OfficeError, Signer, Statement, sign};
use crate::catalogue::{Entry, Values};
use crate::intake::Request;
use crate::records::{NewLicence, Transaction, Words};

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
    let Scene {
        entry,
        now,
        origin,
        signer,
    } = scene;
    let identifier = identifier(transaction, scene, request, old)?;
    let number = number(transaction, scene, request, old)?;
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
            licence_identifier: identifier.clone(),
            licence_name: entry.names.zh.clone(),
            licence_number: number.clone(),
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
    let outbox = transaction.say(&event, &words, *now)?;
    let licence = NewLicence {
        credential: &credential,
        credential_id: &id,
        holder_code: &request.holder_code,
        holder_code_type: request.holder_code_type.as_str(),
        holder_name: &request.holder_name,
        identifier: &identifier.to_string(),
        number: &number,
        origin: request.origin,
        predecessor: old.map(|old| old.predecessor.subject),
        reference: request.reference.as_deref(),
        serial: identifier.serial(),
        subject,
        type_code,
        unit: request.unit.as_str(),
        version: identifier.version(),
    };
    transaction.add_licence(&licence, outbox, *now)?;
    Ok((event, outbox))
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
            let year = scene.now.beijing_date().year();
            let counter = transaction.count(unit, code, "serial", year)?;
            (format!("{year}{counter:0SERIAL_DIGITS$}"), 1)
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
    let pattern = &scene.entry.number;
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
                    transaction.count(unit, code, "number", scope)?
                } else {
                    0
                };
                pattern.make(values, counter).map_err(IssueError::from)?
            }
        };
        let Some(taken) = transaction.with_number(unit, code, &number)? else {
            return Ok(number);
        };
        // A new version may keep its predecessor's number.
        if old.is_some_and(|old| old.serial == taken.serial) {
            return Ok(number);
        }
        // A counter may run into numbers given by hand; it counts past them.
        if request.number.is_some() || !pattern.counts() {
            let identifier = taken.identifier;
            return Err(IssueError::NumberTaken { number, identifier }.into());
        }
    }
}
