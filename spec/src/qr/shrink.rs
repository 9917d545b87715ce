//! From a dossier to the members of its form, leaving out what the expansion computes again.

use super::QrError;
use super::form::{Form, Line, Rare};
use super::texts::Texts;
use crate::credential::Licence;
use crate::credential::eddsa_jcs;
use crate::file::{Dossier, LogProof};
use crate::life::data::{InspectionResult, TypeRef};
use crate::life::digest::type_commitment;
use crate::life::record::{LicenceRecord, State, Suspension};
use crate::life::subject::{Kind, subject_key};
use crate::log::note::{NoteSignature, SignedNote};
use crate::log::tlog_proof::TlogProof;
use crate::log::tree::{LeafIndex, root_from_inclusion};
use crate::map::root_from_path;
use crate::wire::{Hash, UnixMillis, binary, limits};

/// States by their number in the form, after `active`.
pub(super) const STATES: [State; 6] = [
    State::Active,
    State::Superseded,
    State::Cancelled,
    State::Revoked,
    State::Annulled,
    State::Abolished,
];
/// Suspensions by their bit in the form.
pub(super) const SUSPENSIONS: [(u64, Suspension); 3] = [
    (1, Suspension::OnHold),
    (2, Suspension::ReportedLost),
    (4, Suspension::Withheld),
];

/// The dossier without the signature lines that `keep` refuses: those that no reader needs, and
/// those that [`super::encode`] cannot carry.
///
/// # Errors
/// `CannotCarry` if no line is left.
pub fn with_lines(
    dossier: &Dossier,
    keep: impl Fn(&NoteSignature) -> bool,
) -> Result<Dossier, QrError> {
    let refused = QrError::CannotCarry {
        member: "head.proof without signature lines",
    };
    let mut dossier = dossier.clone();
    let proof = &dossier.head.proof;
    let note = proof.note();
    let mut kept = SignedNote::new(note.text()).map_err(|_| refused.clone())?;
    for line in note.signatures().iter().filter(|line| keep(line)) {
        kept.add(line.clone()).map_err(|_| refused.clone())?;
    }
    if kept.signatures().is_empty() {
        return Err(refused);
    }
    let proof = TlogProof {
        index: proof.index(),
        hashes: proof.path().to_vec(),
        extra: None,
        checkpoint: kept.format(),
    };
    dossier.head.proof = LogProof::new(proof).map_err(|_| refused)?;
    Ok(dossier)
}

/// Refuses a dossier whose `member` is not what the expansion would make it.
fn ensure(holds: bool, member: &'static str) -> Result<(), QrError> {
    if holds {
        Ok(())
    } else {
        Err(QrError::CannotCarry { member })
    }
}

/// `hash`, unless it is what stands there without it.
fn other(hash: Hash, usual: Hash) -> Option<Hash> {
    Some(hash).filter(|hash| *hash != usual)
}

impl Form {
    /// The form of a dossier.
    pub(super) fn of(dossier: &Dossier) -> Result<Self, QrError> {
        ensure(dossier.authorities.is_none(), "authorities")?;
        let licence =
            Licence::from_value(dossier.credential.value()).map_err(|_| QrError::CannotCarry {
                member: "credential outside the profile",
            })?;
        let proof = licence.proof();
        let key = licence.issuer_key();
        let usual = proof.proof_type == eddsa_jcs::PROOF_TYPE
            && proof.cryptosuite == eddsa_jcs::SUITE
            && proof.purpose == eddsa_jcs::PURPOSE
            && proof.verification_method == key.verification_method();
        ensure(usual, "credential.proof of another suite or key")?;
        let signature = binary::decode_multibase_array(&proof.value);
        let signature = signature.map_err(|_| QrError::CannotCarry {
            member: "credential.proof.proofValue",
        })?;
        ensure(
            binary::encode_multibase(&signature) == proof.value,
            "credential.proof.proofValue",
        )?;
        let record = &dossier.placed.record;
        let rare = rare(record, &licence)?;

        let path = &dossier.placed.path;
        let origin = licence.status.origin.as_str();
        let subject = subject_key(origin, Kind::Licence, &licence.id);
        let map_root = root_from_path(&subject, &dossier.placed.record_hash(), path);
        let map_root = map_root.map_err(|_| QrError::CannotCarry { member: "path" })?;
        let epoch = &dossier.head.epoch;
        ensure(map_root == epoch.map_root, "head.epoch.mapRoot")?;

        let checkpoint = dossier.head.checkpoint();
        ensure(checkpoint.origin == origin, "origin of the checkpoint")?;
        let (size, last) = (checkpoint.size, epoch.index);
        let log_proof = &dossier.head.proof;
        ensure(size.0.checked_sub(1) == Some(last.0), "head.epoch.index")?;
        ensure(log_proof.index() == last, "index of head.proof")?;
        let root = root_from_inclusion(last, size, &epoch.leaf_hash(), log_proof.path());
        ensure(root == Ok(checkpoint.root), "root of the checkpoint")?;

        let index = record.index.0;
        let index_after_issued = index.checked_sub(record.issued_index.0);
        let lines = log_proof.note().signatures();
        Ok(Self {
            id: uuid(&licence.id).ok_or(QrError::CannotCarry {
                member: "credential.id",
            })?,
            key: key.to_bytes(),
            signature,
            created: proof.created,
            valid_from: licence.valid_from,
            issued_date: licence.subject.issued_date,
            catalogue_version: licence.subject.catalogue_version,
            identifier_version: u64::from(licence.subject.licence_identifier.version()),
            seq: record.seq,
            index,
            index_after_issued: index_after_issued.ok_or(QrError::CannotCarry {
                member: "record.issuedIndex",
            })?,
            effective: record.effective,
            recorded: record.recorded,
            latest: record.latest,
            depths: path.depths.clone(),
            hashes: path.hashes.clone(),
            size: size.0,
            epoch: epoch.epoch,
            index_after_previous: match epoch.previous {
                None => 0,
                Some(previous) => last.0.saturating_sub(previous.0),
            },
            subjects: epoch.subjects,
            time: epoch.time,
            log_hashes: log_proof.path().to_vec(),
            lines: lines
                .iter()
                .map(|line| short(line, epoch.time))
                .collect::<Result<_, _>>()?,
            texts: texts(&licence, lines),
            rare,
        })
    }
}

fn rare(record: &LicenceRecord, licence: &Licence) -> Result<Rare, QrError> {
    let key = licence.issuer_key();
    let origin = licence.status.origin.as_str();
    let claims = &licence.subject;
    let issuer = subject_key(origin, Kind::Issuer, licence.issuer.unit.as_str());
    let type_code = claims.licence_type_code.as_str();
    let type_ref = match &licence.status.type_salt {
        None => TypeRef::Code(type_code.to_owned()),
        Some(salt) => TypeRef::Commitment(type_commitment(salt, type_code)),
    };
    let enterprise = subject_key(origin, Kind::Enterprise, &claims.holder_code);
    ensure(record.vc == licence.digest(), "record.digests.vc")?;
    ensure(record.issuer == issuer, "record.issuer")?;
    ensure(record.issued_by == key.thumbprint(), "record.issuedBy")?;
    ensure(record.type_ref == type_ref, "type of the record")?;
    let enterprise_fits = record.enterprise.is_none_or(|own| own == enterprise);
    ensure(enterprise_fits, "record.enterprise")?;

    let indexes = |list: &[LeafIndex]| list.iter().map(|index| index.0).collect();
    let state = STATES
        .iter()
        .zip(0..)
        .find(|(state, _)| **state == record.state);
    let (_, state) = state.ok_or(QrError::CannotCarry {
        member: "record.state",
    })?;
    Ok(Rare {
        valid_until: licence.valid_until,
        type_salt: licence.status.type_salt,
        controller: other(record.controller, issuer),
        latest_by: other(record.latest_by, record.issued_by),
        enterprise: record.enterprise.is_some(),
        state,
        suspensions: SUSPENSIONS
            .iter()
            .filter(|(_, suspension)| record.suspensions.contains(suspension))
            .map(|(bit, _)| bit)
            .sum(),
        mortgages: indexes(&record.mortgages),
        objections: indexes(&record.objections),
        pledges: indexes(&record.pledges),
        predecessor: record.predecessor,
        successor: record.successor,
        reaffirmed_index: record.reaffirmed.map(|own| own.index.0),
        reaffirmed_by: record
            .reaffirmed
            .and_then(|own| other(own.by, record.issued_by)),
        inspection_due: record.inspection.and_then(|own| own.due),
        inspection_result: record
            .inspection
            .and_then(|own| own.result)
            .map(|result| u64::from(result == InspectionResult::Failed)),
    })
}

/// The 16 bytes of `urn:uuid:` and a UUID.
fn uuid(id: &str) -> Option<[u8; 16]> {
    let hex = id.strip_prefix("urn:uuid:")?.replace('-', "");
    let mut bytes = [0; 16];
    let (pairs, _) = hex.as_bytes().as_chunks::<2>();
    for (byte, pair) in bytes.iter_mut().zip(pairs) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

/// A signature line of an Ed25519 key: a log's, or a cosignature with its time.
fn short(line: &NoteSignature, epoch: UnixMillis) -> Result<Line, QrError> {
    let member = "signature line that is neither an Ed25519 signature nor cosignature";
    let refused = || QrError::CannotCarry { member };
    let (time, signature) = match line.blob.len() {
        64 => (None, line.blob.as_slice()),
        72 => {
            let (time, rest) = line.blob.split_first_chunk().ok_or_else(refused)?;
            (Some(u64::from_be_bytes(*time)), rest)
        }
        _ => return Err(refused()),
    };
    let seconds = |millis: u64| i64::try_from(millis / 1_000).unwrap_or(i64::MAX);
    let seconds_after_epoch = match time {
        None => None,
        Some(time) => {
            let member = "time of a cosignature";
            ensure(time <= limits::INTEGER, member)?;
            let time = i64::try_from(time).map_err(|_| refused())?;
            Some(time.saturating_sub(seconds(epoch.0)))
        }
    };
    let bytes = [&line.key_id.0, signature].concat();
    Ok(Line {
        bytes: bytes.try_into().map_err(|_| refused())?,
        seconds_after_epoch,
    })
}

fn texts(licence: &Licence, lines: &[NoteSignature]) -> Texts {
    let claims = &licence.subject;
    let unless = |text: &str, usual: &str| match text {
        same if same == usual => String::new(),
        text => text.to_owned(),
    };
    let origin = &licence.status.origin;
    let authority = &claims.issuing_authority_name;
    Texts {
        origin: origin.clone(),
        type_code: claims.licence_type_code.as_str().to_owned(),
        unit: claims.issuing_authority_code.as_str().to_owned(),
        serial: claims.licence_identifier.serial().to_owned(),
        licence_number: claims.licence_number.clone(),
        licence_name: claims.licence_name.clone(),
        authority: authority.clone(),
        issuer: unless(&licence.issuer.name, authority),
        holder_type: claims.holder_code_type.as_str().to_owned(),
        holder_code: claims.holder_code.clone(),
        holder_name: claims.holder_name.clone(),
        lines: lines
            .iter()
            .map(|line| unless(&line.name, origin))
            .collect(),
        face: claims
            .face_data
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
    }
}
