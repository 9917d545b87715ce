//! What a licence credential states, before anybody signs it.

use std::collections::BTreeMap;
use std::fmt;

use super::{
    CONTEXTS, CredentialError, Licence, STATUS_TYPE, SUBJECT_TYPE, TYPES, eddsa_jcs, read,
};
use crate::id::{HolderCodeType, IssuerPart, LicenceIdentifier, LicenceTypeCode, Uscc};
use crate::wire::write::{self, ArrayWriter, ObjectWriter};
use crate::wire::{Date, Signer, UnixMillis, json, limits};

/// Room for the names `proof` and `proofValue` and the value, bytes.
const PROOF_VALUE: usize = 128;

/// The statements of one licence credential; [`Unsigned::sign`] makes the credential of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsigned {
    /// `urn:uuid:` and a random version 4 UUID in lower case. It keys the licence's standing.
    pub id: String,
    /// Who issues.
    pub issuer: Issuer,
    /// Where its standing is recorded.
    pub status: Status,
    /// The claims.
    pub subject: Subject,
    /// First instant of validity.
    pub valid_from: UnixMillis,
    /// First instant after validity; none for a licence without expiry date.
    pub valid_until: Option<UnixMillis>,
}

/// The issuing unit; its key is the one that signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    /// The unit's name.
    pub name: String,
    /// The unit's code.
    pub unit: Uscc,
}

/// `credentialStatus`.
#[derive(Clone, PartialEq, Eq)]
pub struct Status {
    /// The log's origin.
    pub origin: String,
    /// The salt of the type commitment; only if the type is not open.
    pub type_salt: Option<[u8; 32]>,
}

/// `credentialSubject`: the metadata of GB/T 36903.
#[derive(Clone, PartialEq, Eq)]
pub struct Subject {
    /// Version of the catalogue entry that the face data follow.
    pub catalogue_version: u64,
    /// Type-specific items (照面扩展信息).
    pub face_data: BTreeMap<String, FaceValue>,
    /// Holder's number (持证主体代码).
    pub holder_code: String,
    /// What kind of number that is (持证主体代码类型代码).
    pub holder_code_type: HolderCodeType,
    /// Holder (持证主体).
    pub holder_name: String,
    /// Date of issue (证照颁发日期).
    pub issued_date: Date,
    /// Issuing body's code (证照颁发机构代码).
    pub issuing_authority_code: Uscc,
    /// Issuing body (证照颁发机构).
    pub issuing_authority_name: String,
    /// Licence identifier (证照标识).
    pub licence_identifier: LicenceIdentifier,
    /// Licence name (证照名称).
    pub licence_name: String,
    /// Licence number (证照编号).
    pub licence_number: String,
    /// Licence type (证照类型代码).
    pub licence_type_code: LicenceTypeCode,
}

/// One face data value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaceValue {
    /// Text of at most 4,096 bytes.
    Text(String),
    /// 0 to 2^53 − 1.
    Int(u64),
    /// True or false.
    Bool(bool),
}

// Names and numbers of people stay out of logs and panic messages.
impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject")
            .field("issuing_authority_code", &self.issuing_authority_code)
            .field("licence_type_code", &self.licence_type_code)
            .finish_non_exhaustive()
    }
}

// The salt is what keeps the type secret.
impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Status")
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

impl Unsigned {
    /// Checks that the statements agree with each other and keep the profile's bounds.
    ///
    /// # Errors
    /// The first rule broken, in the order of `spec/credential.md`.
    pub fn check(&self) -> Result<(), CredentialError> {
        read::check_id(&self.id)?;
        read::check_label("issuer.name", &self.issuer.name)?;
        read::check_origin(&self.status.origin)?;
        self.subject.check()?;
        if self.issuer.unit != self.subject.issuing_authority_code {
            return Err(CredentialError::IssuerUnit);
        }
        if self
            .valid_until
            .is_some_and(|until| self.valid_from >= until)
        {
            return Err(CredentialError::Validity);
        }
        Ok(())
    }

    /// The canonical bytes of the credential, signed by `key`, which thereby is its issuer.
    ///
    /// # Errors
    /// What [`Unsigned::check`] finds, and whatever else [`Licence::parse`] would refuse: nothing
    /// is signed that does not parse. The signer's.
    pub fn sign<S: Signer + ?Sized>(
        &self,
        key: &S,
        created: UnixMillis,
    ) -> Result<Vec<u8>, CredentialError> {
        self.check()?;
        let public = key.public();
        let method = public.verification_method();
        let config = write::object_bytes(|o| write_proof(o, created, None, &method));
        let did = public.did_key();
        let mut before_proof = 0;
        let document = write::object_bytes(|o| before_proof = self.write(o, &did));
        let value = eddsa_jcs::proof_value(key, &config, &document)?;
        let length = document.len().saturating_add(config.len());
        let mut bytes = Vec::with_capacity(length.saturating_add(PROOF_VALUE));
        let (before, after) = document.split_at(before_proof);
        bytes.extend_from_slice(before);
        bytes.extend_from_slice(b",\"proof\":");
        write::object(&mut bytes, |o| {
            write_proof(o, created, Some(&value), &method);
        });
        bytes.extend_from_slice(after);
        if bytes.len() > limits::CREDENTIAL_BYTES {
            let (offset, actual) = (limits::CREDENTIAL_BYTES, bytes.len());
            return Err(json::JsonError::TooLong { offset, actual }.into());
        }
        // Reading asks no more than `check` and the length: to read it all again would cost half
        // as much as signing.
        debug_assert!(Licence::parse(&bytes).is_ok(), "what is signed parses");
        Ok(bytes)
    }

    /// Writes all but the proof; returns where in the output that belongs.
    fn write(&self, o: &mut ObjectWriter<'_>, issuer_id: &str) -> usize {
        o.array("@context", |a| write_texts(a, &CONTEXTS));
        o.object("credentialStatus", |o| self.status.write(o));
        o.object("credentialSubject", |o| self.subject.write(o));
        o.text("id", &self.id);
        o.object("issuer", |o| {
            o.text("id", issuer_id);
            o.text("name", &self.issuer.name);
            o.text("unit", self.issuer.unit.as_str());
        });
        let before_proof = o.position();
        o.array("type", |a| write_texts(a, &TYPES));
        o.time("validFrom", self.valid_from);
        if let Some(until) = self.valid_until {
            o.time("validUntil", until);
        }
        before_proof
    }
}

impl Status {
    fn write(&self, o: &mut ObjectWriter<'_>) {
        o.text("origin", &self.origin).text("type", STATUS_TYPE);
        if let Some(salt) = &self.type_salt {
            o.bytes("typeSalt", salt);
        }
    }
}

impl Subject {
    /// Checks the claims among themselves.
    fn check(&self) -> Result<(), CredentialError> {
        check_face_data(&self.face_data)?;
        read::check_label("credentialSubject.holderCode", &self.holder_code)?;
        read::check_label("credentialSubject.holderName", &self.holder_name)?;
        let authority = &self.issuing_authority_name;
        read::check_label("credentialSubject.issuingAuthorityName", authority)?;
        read::check_label("credentialSubject.licenceName", &self.licence_name)?;
        read::check_label("credentialSubject.licenceNumber", &self.licence_number)?;
        self.holder_code_type
            .check(&self.holder_code)
            .map_err(CredentialError::HolderCode)?;
        if *self.licence_identifier.type_code() != self.licence_type_code {
            return Err(CredentialError::IdentifierType);
        }
        match self.licence_identifier.issuer() {
            IssuerPart::Uscc(code) if *code == self.issuing_authority_code => Ok(()),
            _ => Err(CredentialError::IdentifierIssuer),
        }
    }

    fn write(&self, o: &mut ObjectWriter<'_>) {
        o.int("catalogueVersion", self.catalogue_version);
        o.object("faceData", |o| {
            for (name, value) in &self.face_data {
                match value {
                    FaceValue::Text(text) => o.text(name, text),
                    FaceValue::Int(n) => o.int(name, *n),
                    FaceValue::Bool(b) => o.bool(name, *b),
                };
            }
        });
        o.text("holderCode", &self.holder_code);
        o.text("holderCodeType", self.holder_code_type.as_str());
        o.text("holderName", &self.holder_name);
        o.text("issuedDate", &self.issued_date.to_string());
        o.text("issuingAuthorityCode", self.issuing_authority_code.as_str());
        o.text("issuingAuthorityName", &self.issuing_authority_name);
        o.text("licenceIdentifier", &self.licence_identifier.to_string());
        o.text("licenceName", &self.licence_name);
        o.text("licenceNumber", &self.licence_number);
        o.text("licenceTypeCode", self.licence_type_code.as_str());
        o.text("type", SUBJECT_TYPE);
    }
}

/// Checks names and values of face data; JSON integers above 2^53 − 1 exist only before signing.
fn check_face_data(face_data: &BTreeMap<String, FaceValue>) -> Result<(), CredentialError> {
    let refuse = |name: &str, expected| {
        Err(CredentialError::FaceData {
            name: crate::wire::clip(name),
            expected,
        })
    };
    if face_data.len() > limits::FACE_MEMBERS {
        return refuse("", "at most 256 members");
    }
    for (name, value) in face_data {
        let letter = name.starts_with(|c: char| c.is_ascii_lowercase());
        if !letter || !name.bytes().all(|b| b.is_ascii_alphanumeric()) || !json::is_name(name) {
            return refuse(name, "name of the form [a-z][A-Za-z0-9]*");
        }
        match value {
            FaceValue::Text(text) if text.len() > limits::FACE_TEXT_BYTES => {
                return refuse(name, "text of at most 4096 bytes");
            }
            FaceValue::Int(n) if *n > limits::INTEGER => {
                return refuse(name, "integer of at most 9007199254740991");
            }
            _ => {}
        }
    }
    Ok(())
}

fn write_texts(a: &mut ArrayWriter<'_>, texts: &[&str]) {
    for text in texts {
        a.text(text);
    }
}

fn write_proof(o: &mut ObjectWriter<'_>, created: UnixMillis, value: Option<&str>, method: &str) {
    o.array("@context", |a| write_texts(a, &CONTEXTS));
    o.time("created", created);
    o.text("cryptosuite", eddsa_jcs::SUITE);
    o.text("proofPurpose", eddsa_jcs::PURPOSE);
    if let Some(value) = value {
        o.text("proofValue", value);
    }
    o.text("type", eddsa_jcs::PROOF_TYPE);
    o.text("verificationMethod", method);
}
