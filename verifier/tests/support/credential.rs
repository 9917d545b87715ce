//! Credentials as an office issues them.

use std::collections::BTreeMap;

use zhao_spec::credential::{FaceValue, Issuer, Status, Subject, Unsigned};
use zhao_spec::file::EmbeddedCredential;
use zhao_spec::id::{HolderCodeType, LicenceIdentifier, LicenceTypeCode, Uscc};
use zhao_spec::wire::{Date, SecretKey, UnixMillis};

use super::{ORIGIN, at, birth, company, food, key, unit};

/// What differs between the licences of the vectors.
#[derive(Clone, Debug)]
pub struct Paper {
    pub number: u8,
    pub origin: String,
    pub unit: Uscc,
    /// Name of the signing key.
    pub key: String,
    pub licence_type: LicenceTypeCode,
    pub salt: Option<[u8; 32]>,
    pub holder_code: String,
    pub holder_code_type: HolderCodeType,
    pub valid_from: UnixMillis,
    pub valid_until: Option<UnixMillis>,
}

impl Paper {
    /// A food licence of company 1, by unit 1 with its first key, for five years.
    pub fn food(number: u8) -> Self {
        Self {
            number,
            origin: ORIGIN.to_owned(),
            unit: unit(1),
            key: "unit 1 key 1".to_owned(),
            licence_type: food(),
            salt: None,
            holder_code: company(1).as_str().to_owned(),
            holder_code_type: HolderCodeType::USCC,
            // 00:00 of 1 December 2026 and 24:00 of 30 November 2031 in China.
            valid_from: at("2026-11-30T16:00:00.000Z"),
            valid_until: Some(at("2031-11-30T16:00:00.000Z")),
        }
    }

    /// The same, of another type.
    pub fn of_type(mut self, code: LicenceTypeCode) -> Self {
        self.licence_type = code;
        self
    }

    /// A birth certificate, whose type is committed to. The number is the example of GB 11643.
    pub fn birth(number: u8) -> Self {
        Self {
            licence_type: birth(),
            salt: Some(super::hash("salt").0),
            holder_code: "11010519491231002X".to_owned(),
            holder_code_type: HolderCodeType::CITIZEN_ID,
            valid_until: None,
            ..Self::food(number)
        }
    }

    /// The credential's id: a version 4 UUID by number.
    pub fn id(&self) -> String {
        format!(
            "urn:uuid:00000000-0000-4000-8000-0000000000{:02x}",
            self.number
        )
    }

    pub fn unsigned(&self) -> Unsigned {
        let serial = format!("JY132040{:04}", self.number);
        let mut face_data = BTreeMap::new();
        face_data.insert(
            "scope".to_owned(),
            FaceValue::Text("热食类食品制售".to_owned()),
        );
        face_data.insert("seats".to_owned(), FaceValue::Int(40));
        Unsigned {
            id: self.id(),
            issuer: Issuer {
                name: "常州市示例局".to_owned(),
                unit: self.unit.clone(),
            },
            status: Status {
                origin: self.origin.clone(),
                type_salt: self.salt,
            },
            subject: Subject {
                catalogue_version: 1,
                face_data,
                holder_code: self.holder_code.clone(),
                holder_code_type: self.holder_code_type,
                holder_name: "常州示例餐饮有限公司".to_owned(),
                issued_date: Date::parse("2026-12-01").unwrap(),
                issuing_authority_code: self.unit.clone(),
                issuing_authority_name: "常州市示例局".to_owned(),
                licence_identifier: LicenceIdentifier::new(
                    self.licence_type.clone(),
                    self.unit.clone(),
                    &serial,
                    1,
                )
                .unwrap(),
                licence_name: "示例许可证".to_owned(),
                licence_number: serial,
                licence_type_code: self.licence_type.clone(),
            },
            valid_from: self.valid_from,
            valid_until: self.valid_until,
        }
    }

    /// The signed credential.
    pub fn sign(&self) -> EmbeddedCredential {
        self.sign_with(&key(&self.key))
    }

    pub fn sign_with(&self, secret: &SecretKey) -> EmbeddedCredential {
        let bytes = self.unsigned().sign(secret, self.valid_from).unwrap();
        EmbeddedCredential::parse(&bytes).unwrap()
    }
}
