//! From JSON to the typed statements: the closed member set of the profile.

use std::collections::BTreeMap;

use super::licence::Proof;
use super::{
    CONTEXTS, CredentialError, FaceValue, Issuer, STATUS_TYPE, SUBJECT_TYPE, Status, Subject,
    TYPES, Unsigned,
};
use crate::id::{HolderCodeType, IdError, LicenceIdentifier, LicenceTypeCode, Uscc};
use crate::wire::fields::{self, Fields, Malformed, Problem};
use crate::wire::json::Value;
use crate::wire::signature::ReadKey;
use crate::wire::{PublicKey, clip, limits};

/// The statements and the issuer's key; `proof` must have been asked for already.
pub(super) fn unsigned(
    mut top: Fields<'_>,
    key: &mut ReadKey<'_>,
) -> Result<(Unsigned, PublicKey), CredentialError> {
    texts(&mut top, "@context", &CONTEXTS)?;
    let status = status(top.object("credentialStatus")?)?;
    let subject = subject(top.object("credentialSubject")?)?;
    let id = top.text("id")?.to_owned();
    let mut issuer = top.object("issuer")?;
    let issuer_id = issuer.text("id")?;
    let key = did_key(issuer_id, key)?;
    let name = issuer.text("name")?.to_owned();
    let unit = number("issuer.unit", issuer.text("unit")?, Uscc::parse)?;
    issuer.finish()?;
    texts(&mut top, "type", &TYPES)?;
    let valid_from = top.time("validFrom")?;
    let valid_until = top.optional_time("validUntil")?;
    top.finish()?;
    let issuer = Issuer { name, unit };
    Ok((
        Unsigned {
            id,
            issuer,
            status,
            subject,
            valid_from,
            valid_until,
        },
        key,
    ))
}

fn status(mut f: Fields<'_>) -> Result<Status, CredentialError> {
    let origin = f.text("origin")?.to_owned();
    f.literal("type", STATUS_TYPE)?;
    let type_salt = f.optional_hash("typeSalt")?.map(|salt| salt.0);
    f.finish()?;
    Ok(Status { origin, type_salt })
}

fn subject(mut f: Fields<'_>) -> Result<Subject, CredentialError> {
    let subject = Subject {
        catalogue_version: f.int("catalogueVersion")?,
        face_data: face_data(f.value("faceData")?)?,
        holder_code: f.text("holderCode")?.to_owned(),
        holder_code_type: number("holderCodeType", f.text("holderCodeType")?, |text| {
            HolderCodeType::parse(text)
        })?,
        holder_name: f.text("holderName")?.to_owned(),
        issued_date: f.date("issuedDate")?,
        issuing_authority_code: number(
            "issuingAuthorityCode",
            f.text("issuingAuthorityCode")?,
            Uscc::parse,
        )?,
        issuing_authority_name: f.text("issuingAuthorityName")?.to_owned(),
        licence_identifier: number(
            "licenceIdentifier",
            f.text("licenceIdentifier")?,
            LicenceIdentifier::parse,
        )?,
        licence_name: f.text("licenceName")?.to_owned(),
        licence_number: f.text("licenceNumber")?.to_owned(),
        licence_type_code: number(
            "licenceTypeCode",
            f.text("licenceTypeCode")?,
            LicenceTypeCode::parse,
        )?,
    };
    f.literal("type", SUBJECT_TYPE)?;
    f.finish()?;
    Ok(subject)
}

fn face_data(value: &Value) -> Result<BTreeMap<String, FaceValue>, CredentialError> {
    let Value::Object(members) = value else {
        let problem = Problem::WrongKind {
            expected: "object",
            actual: value.kind(),
        };
        return Err(Malformed::new("credentialSubject.faceData", problem).into());
    };
    members
        .iter()
        .map(|(name, value)| {
            let value = match value {
                Value::Text(text) => FaceValue::Text(text.clone()),
                Value::Int(n) => FaceValue::Int(*n),
                Value::Bool(b) => FaceValue::Bool(*b),
                Value::Array(_) | Value::Object(_) => {
                    let expected = "text, integer or boolean";
                    return Err(CredentialError::FaceData {
                        name: clip(name),
                        expected,
                    });
                }
            };
            Ok((name.clone(), value))
        })
        .collect()
}

/// The proof's members; what they must say is for `Licence::check_proof`.
pub(super) fn proof(mut f: Fields<'_>) -> Result<Proof, CredentialError> {
    texts(&mut f, "@context", &CONTEXTS)?;
    let proof = Proof {
        created: f.time("created")?,
        cryptosuite: f.text("cryptosuite")?.to_owned(),
        purpose: f.text("proofPurpose")?.to_owned(),
        value: f.text("proofValue")?.to_owned(),
        proof_type: f.text("type")?.to_owned(),
        verification_method: f.text("verificationMethod")?.to_owned(),
    };
    f.finish()?;
    Ok(proof)
}

/// Requires the array `name` to be exactly `expected`.
fn texts(
    f: &mut Fields<'_>,
    name: &str,
    expected: &[&'static str; 2],
) -> Result<(), CredentialError> {
    let items = f.items(name, limits::ARRAY_ITEMS, fields::text_of)?;
    if items != expected {
        let path = f.path_of(name);
        return Err(Malformed::value(path, "the two of the profile", &items.join(" ")).into());
    }
    Ok(())
}

fn number<T>(
    member: &'static str,
    text: &str,
    parse: impl Fn(&str) -> Result<T, IdError>,
) -> Result<T, CredentialError> {
    parse(text).map_err(|error| CredentialError::Number { member, error })
}

fn did_key(text: &str, key: &mut ReadKey<'_>) -> Result<PublicKey, CredentialError> {
    let named = text
        .strip_prefix("did:key:")
        .ok_or_else(|| Malformed::value("issuer.id", "did:key:", text))?;
    key(named).map_err(|error| Malformed::new("issuer.id", error).into())
}

/// Checks `urn:uuid:` and a version 4 UUID in lower case (RFC 9562 §4, §5.4).
pub(super) fn check_id(id: &str) -> Result<(), Malformed> {
    let refuse = || Malformed::value("id", "urn:uuid: and a version 4 uuid in lower case", id);
    let uuid = id.strip_prefix("urn:uuid:").ok_or_else(refuse)?;
    let fits = uuid.len() == 36
        && uuid.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            14 => byte == b'4',
            19 => matches!(byte, b'8' | b'9' | b'a' | b'b'),
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        });
    if fits { Ok(()) } else { Err(refuse()) }
}

/// Checks a name or number shown to people: not empty, short, without control characters.
pub(super) fn check_label(path: &str, text: &str) -> Result<(), Malformed> {
    let limit = limits::LABEL_BYTES;
    if text.len() > limit {
        return Err(Malformed::new(
            path,
            Problem::TooLong {
                limit,
                actual: text.len(),
            },
        ));
    }
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(Malformed::value(
            path,
            "text without control characters, not empty",
            text,
        ));
    }
    Ok(())
}

/// Checks a log's origin: not empty, short, without white space, control characters or `+`.
pub(super) fn check_origin(origin: &str) -> Result<(), Malformed> {
    let path = "credentialStatus.origin";
    let limit = limits::ORIGIN_BYTES;
    if origin.len() > limit {
        return Err(Malformed::new(
            path,
            Problem::TooLong {
                limit,
                actual: origin.len(),
            },
        ));
    }
    if origin.is_empty()
        || origin
            .chars()
            .any(|c| c.is_whitespace() || c.is_control() || c == '+')
    {
        return Err(Malformed::value(path, "the origin of a log", origin));
    }
    Ok(())
}
