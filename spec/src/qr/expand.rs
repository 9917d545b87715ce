//! From the members of a form to the canonical bytes of the dossier.

use super::QrError;
use super::form::{Form, Line};
use super::shrink::{STATES, SUSPENSIONS};
use super::texts::Texts;
use crate::credential::eddsa_jcs;
use crate::credential::{CONTEXTS, FaceValue, STATUS_TYPE, SUBJECT_TYPE, TYPES};
use crate::file::{Dossier, EmbeddedCredential, Head, LogProof, Placed};
use crate::id::{IDENTIFIER_ROOT, check_character};
use crate::life::data::{InspectionResult, TypeRef};
use crate::life::digest::type_commitment;
use crate::life::leaf::Epoch;
use crate::life::record::{Inspection, LicenceRecord, Reaffirmed};
use crate::life::subject::{Kind, subject_key};
use crate::log::checkpoint::Checkpoint;
use crate::log::note::{KeyId, NoteSignature, check_name};
use crate::log::tlog_proof::TlogProof;
use crate::log::tree::{LeafIndex, TreeSize, root_from_inclusion};
use crate::map::{MapPath, root_from_path};
use crate::wire::write::{ArrayWriter, ObjectWriter, object_bytes};
use crate::wire::{Hash, UnixMillis, binary, json, limits, sha256};

/// Multicodec of an Ed25519 public key, before its bytes.
const MULTICODEC: [u8; 2] = [0xed, 0x01];

fn refused(item: &'static str) -> QrError {
    QrError::Value { item }
}

impl Form {
    /// The canonical bytes of the dossier.
    pub(super) fn expand(&self) -> Result<Vec<u8>, QrError> {
        let texts = &self.texts;
        let id = urn(&self.id);
        let credential =
            EmbeddedCredential::parse(&self.credential(&id)?).map_err(|_| refused("credential"))?;
        let origin = texts.origin.as_str();
        let record = self.record(credential.digest())?;
        let placed = Placed {
            path: MapPath {
                depths: self.depths.clone(),
                hashes: self.hashes.clone(),
                terminal: None,
            },
            record,
        };
        let subject = subject_key(origin, Kind::Licence, &id);
        let map_root = root_from_path(&subject, &placed.record_hash(), &placed.path)
            .map_err(|_| refused("path"))?;
        let dossier = Dossier {
            authorities: None,
            credential,
            head: self.head(map_root)?,
            placed,
        };
        Ok(dossier.bytes())
    }

    fn credential(&self, id: &str) -> Result<Vec<u8>, QrError> {
        let texts = &self.texts;
        let key = binary::encode_multibase(&[MULTICODEC.as_slice(), &self.key].concat());
        let did = format!("did:key:{key}");
        let identifier = self.identifier()?;
        if texts.issuer == texts.authority && !texts.issuer.is_empty() {
            return Err(refused("issuer.name"));
        }
        let issuer_name = if texts.issuer.is_empty() {
            &texts.authority
        } else {
            &texts.issuer
        };
        let mut last = None;
        for (name, _) in &texts.face {
            if !json::is_name(name) || last.is_some_and(|last| name <= last) {
                return Err(refused("name of the face data"));
            }
            last = Some(name);
        }
        Ok(object_bytes(|o| {
            o.array("@context", |a| write_texts(a, &CONTEXTS));
            o.object("credentialStatus", |o| {
                o.text("origin", &texts.origin).text("type", STATUS_TYPE);
                if let Some(salt) = &self.rare.type_salt {
                    o.bytes("typeSalt", salt);
                }
            });
            o.object("credentialSubject", |o| {
                o.int("catalogueVersion", self.catalogue_version);
                write_claims(o, texts, &self.issued_date.to_string(), &identifier);
            });
            o.text("id", id);
            o.object("issuer", |o| {
                o.text("id", &did)
                    .text("name", issuer_name)
                    .text("unit", &texts.unit);
            });
            o.object("proof", |o| {
                o.array("@context", |a| write_texts(a, &CONTEXTS))
                    .time("created", self.created)
                    .text("cryptosuite", eddsa_jcs::SUITE)
                    .text("proofPurpose", eddsa_jcs::PURPOSE)
                    .text("proofValue", &binary::encode_multibase(&self.signature))
                    .text("type", eddsa_jcs::PROOF_TYPE)
                    .text("verificationMethod", &format!("{did}#{key}"));
            });
            o.array("type", |a| write_texts(a, &TYPES));
            o.time("validFrom", self.valid_from);
            if let Some(until) = self.rare.valid_until {
                o.time("validUntil", until);
            }
        }))
    }

    /// The licence identifier, its check character computed.
    fn identifier(&self) -> Result<String, QrError> {
        let item = "licenceIdentifier";
        let Texts {
            type_code,
            unit,
            serial,
            ..
        } = &self.texts;
        let version = format!("{:03}", self.identifier_version);
        let check = check_character(
            &[type_code, unit, serial, &version]
                .map(String::as_str)
                .concat(),
        )
        .ok_or_else(|| refused(item))?;
        Ok(format!(
            "{IDENTIFIER_ROOT}{type_code}.{unit}.{serial}.{version}.{check}"
        ))
    }

    fn record(&self, vc: Hash) -> Result<LicenceRecord, QrError> {
        let (texts, rare) = (&self.texts, &self.rare);
        let origin = texts.origin.as_str();
        let issuer = subject_key(origin, Kind::Issuer, &texts.unit);
        let issued_by = sha256(&[&self.key]);
        let issued_index = self.index.checked_sub(self.index_after_issued);
        let indexes = |list: &[u64]| list.iter().copied().map(LeafIndex).collect();
        let state = usize::try_from(rare.state).ok();
        let reaffirmed_by = unlike(rare.reaffirmed_by, issued_by, "reaffirmed.by")?;
        let reaffirmed = rare.reaffirmed_index.map(|index| Reaffirmed {
            by: reaffirmed_by,
            index: LeafIndex(index),
        });
        if reaffirmed.is_none() && rare.reaffirmed_by.is_some() {
            return Err(refused("reaffirmed.by"));
        }
        let inspection = Inspection {
            due: rare.inspection_due,
            result: rare.inspection_result.map(|result| match result {
                0 => InspectionResult::Passed,
                _ => InspectionResult::Failed,
            }),
        };
        Ok(LicenceRecord {
            controller: unlike(rare.controller, issuer, "controller")?,
            effective: self.effective,
            enterprise: rare
                .enterprise
                .then(|| subject_key(origin, Kind::Enterprise, &texts.holder_code)),
            index: LeafIndex(self.index),
            inspection: Some(inspection).filter(|own| *own != Inspection::default()),
            issued_by,
            issued_index: issued_index
                .map(LeafIndex)
                .ok_or_else(|| refused("issuedIndex"))?,
            issuer,
            latest: self.latest,
            latest_by: unlike(rare.latest_by, issued_by, "latestBy")?,
            mortgages: indexes(&rare.mortgages),
            objections: indexes(&rare.objections),
            pledges: indexes(&rare.pledges),
            predecessor: rare.predecessor,
            reaffirmed,
            recorded: self.recorded,
            seq: self.seq,
            state: state
                .and_then(|state| STATES.get(state).copied())
                .ok_or_else(|| refused("state"))?,
            successor: rare.successor,
            suspensions: SUSPENSIONS
                .iter()
                .filter(|(bit, _)| rare.suspensions & bit != 0)
                .map(|(_, suspension)| *suspension)
                .collect(),
            type_ref: match &rare.type_salt {
                None => TypeRef::Code(texts.type_code.clone()),
                Some(salt) => TypeRef::Commitment(type_commitment(salt, &texts.type_code)),
            },
            vc,
        })
    }

    fn head(&self, map_root: Hash) -> Result<Head, QrError> {
        let index = LeafIndex(self.size.saturating_sub(1));
        let previous = index
            .0
            .checked_sub(self.index_after_previous)
            .ok_or_else(|| refused("previous"))?;
        if (self.epoch == 0) != (self.index_after_previous == 0) {
            return Err(refused("previous"));
        }
        let epoch = Epoch {
            epoch: self.epoch,
            index,
            map_root,
            previous: Some(LeafIndex(previous)).filter(|_| self.epoch > 0),
            subjects: self.subjects,
            time: self.time,
        };
        let origin = self.texts.origin.as_str();
        let size = TreeSize(self.size);
        let root = root_from_inclusion(index, size, &epoch.leaf_hash(), &self.log_hashes)
            .map_err(|_| refused("log proof"))?;
        let checkpoint = Checkpoint {
            origin: origin.to_owned(),
            size,
            root,
        };
        let mut checkpoint = checkpoint.body();
        checkpoint.push('\n');
        for (line, name) in self.lines.iter().zip(&self.texts.lines) {
            checkpoint.push_str(&long(line, name, origin, self.time)?.line());
        }
        // Only a name with a newline could make more lines of it than there are.
        let proof = LogProof::new(TlogProof {
            index,
            hashes: self.log_hashes.clone(),
            extra: None,
            checkpoint,
        });
        Ok(Head {
            epoch,
            proof: proof.map_err(|_| refused("origin"))?,
        })
    }
}

/// What stands there instead of `usual`, which may not be said again.
fn unlike(own: Option<Hash>, usual: Hash, item: &'static str) -> Result<Hash, QrError> {
    match own {
        None => Ok(usual),
        Some(own) if own == usual => Err(refused(item)),
        Some(own) => Ok(own),
    }
}

fn urn(id: &[u8; 16]) -> String {
    let mut urn = String::from("urn:uuid:");
    for (byte, at) in id.iter().zip(0..) {
        if matches!(at, 4 | 6 | 8 | 10) {
            urn.push('-');
        }
        urn.push_str(&format!("{byte:02x}"));
    }
    urn
}

fn write_texts(a: &mut ArrayWriter<'_>, texts: &[&str]) {
    for text in texts {
        a.text(text);
    }
}

fn write_claims(o: &mut ObjectWriter<'_>, texts: &Texts, issued_date: &str, identifier: &str) {
    o.object("faceData", |o| {
        for (name, value) in &texts.face {
            match value {
                FaceValue::Text(text) => o.text(name, text),
                FaceValue::Int(n) => o.int(name, *n),
                FaceValue::Bool(b) => o.bool(name, *b),
            };
        }
    });
    o.text("holderCode", &texts.holder_code)
        .text("holderCodeType", &texts.holder_type)
        .text("holderName", &texts.holder_name)
        .text("issuedDate", issued_date)
        .text("issuingAuthorityCode", &texts.unit)
        .text("issuingAuthorityName", &texts.authority)
        .text("licenceIdentifier", identifier)
        .text("licenceName", &texts.licence_name)
        .text("licenceNumber", &texts.licence_number)
        .text("licenceTypeCode", &texts.type_code)
        .text("type", SUBJECT_TYPE);
}

/// A signature line with its name.
fn long(
    line: &Line,
    name: &str,
    origin: &str,
    epoch: UnixMillis,
) -> Result<NoteSignature, QrError> {
    let item = "signature lines";
    if name == origin && !name.is_empty() {
        return Err(refused(item));
    }
    let name = if name.is_empty() { origin } else { name };
    check_name(name).map_err(|_| refused(item))?;
    let (key_id, signature) = line
        .bytes
        .split_first_chunk()
        .ok_or_else(|| refused(item))?;
    let mut blob = Vec::new();
    if let Some(seconds) = line.seconds_after_epoch {
        let time = (epoch.0 / 1_000).checked_add_signed(seconds);
        let time = time.filter(|time| *time <= limits::INTEGER);
        blob.extend(time.ok_or_else(|| refused(item))?.to_be_bytes());
    }
    blob.extend_from_slice(signature);
    Ok(NoteSignature {
        name: name.to_owned(),
        key_id: KeyId(*key_id),
        blob,
    })
}
