//! The JSON Schema of the licences of a type (draft 2020-12): what other people's software can
//! check of the face data without our catalogue.
//!
//! A schema says less than the catalogue: not that a text is in NFC, nor that a day is of 1900 or
//! later, nor that it is in the calendar where `format` is not checked. It refuses nothing that the
//! catalogue accepts.

use zhao_spec::wire::foreign::{Foreign, canonicalize};
use zhao_spec::wire::limits;

use super::{Entry, Field, FieldKind, Sensitivity};

/// The draft.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

impl Entry {
    /// The schema of the credentials issued under this version of the entry: canonical JSON, the
    /// same bytes whoever makes it. It is public, so secret fields are not named in it (CAT-11);
    /// where there are any, it says nothing of members that it does not name.
    #[must_use]
    pub fn schema(&self) -> Vec<u8> {
        let holders = self.holders.iter().map(|holder| text(holder.as_str()));
        let subject = [
            ("catalogueVersion", object([("const", int(self.version))])),
            ("faceData", self.face_schema()),
            (
                "holderCodeType",
                object([("enum", Foreign::Array(holders.collect()))]),
            ),
            (
                "licenceNumber",
                object([
                    ("pattern", text(&self.number.regex())),
                    ("type", text("string")),
                ]),
            ),
            (
                "licenceTypeCode",
                object([("const", text(self.type_code.as_str()))]),
            ),
        ];
        let licence = object([("contains", object([("const", text("LicenceCredential"))]))]);
        let schema = object([
            ("$schema", text(DIALECT)),
            ("description", text(&self.names.en)),
            (
                "properties",
                object([("credentialSubject", closed(subject)), ("type", licence)]),
            ),
            ("required", texts(["credentialSubject", "type"])),
            ("title", text(&self.names.zh)),
            ("type", text("object")),
        ]);
        canonicalize(&schema)
    }

    fn face_schema(&self) -> Foreign {
        let secret = |field: &&Field| field.sensitivity == Sensitivity::Secret;
        let named = || self.fields.iter().filter(|field| !secret(field));
        let mut members = vec![
            (
                "properties",
                members(named().map(|field| (field.name.as_str(), field.schema()))),
            ),
            (
                "required",
                texts(
                    named()
                        .filter(|field| field.required)
                        .map(|field| field.name.as_str()),
                ),
            ),
            ("type", text("object")),
        ];
        if !self.fields.iter().any(|field| secret(&field)) {
            members.push(("additionalProperties", Foreign::Bool(false)));
        }
        object(members)
    }
}

impl Field {
    fn schema(&self) -> Foreign {
        let mut members = vec![
            ("description", text(&self.titles.en)),
            ("title", text(&self.titles.zh)),
        ];
        match &self.kind {
            FieldKind::Boolean => members.push(("type", text("boolean"))),
            FieldKind::Code(codes) => {
                let codes = texts(codes.iter().map(|code| code.code.as_str()));
                members.push(("enum", codes));
            }
            FieldKind::Date => members.extend([
                ("format", text("date")),
                ("pattern", text("^[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}$")),
                ("type", text("string")),
            ]),
            FieldKind::Integer => members.extend([
                ("maximum", int(limits::INTEGER)),
                ("minimum", int(0)),
                ("type", text("integer")),
            ]),
            FieldKind::Text {
                max_length,
                pattern,
            } => {
                members.extend([
                    (
                        "maxLength",
                        int(u64::try_from(*max_length).unwrap_or(limits::INTEGER)),
                    ),
                    ("minLength", int(1)),
                    ("type", text("string")),
                ]);
                if let Some(pattern) = pattern {
                    members.push(("pattern", text(&pattern.regex())));
                }
            }
        }
        object(members)
    }
}

/// An object that needs all of these, and may have others.
fn closed<const N: usize>(parts: [(&str, Foreign); N]) -> Foreign {
    let required = texts(parts.iter().map(|(name, _)| *name));
    object([
        ("properties", object(parts)),
        ("required", required),
        ("type", text("object")),
    ])
}

fn object<'a>(parts: impl IntoIterator<Item = (&'a str, Foreign)>) -> Foreign {
    members(parts.into_iter())
}

fn members<'a>(parts: impl Iterator<Item = (&'a str, Foreign)>) -> Foreign {
    Foreign::Object(parts.map(|(name, part)| (name.to_owned(), part)).collect())
}

fn texts<'a>(all: impl IntoIterator<Item = &'a str>) -> Foreign {
    Foreign::Array(all.into_iter().map(text).collect())
}

fn text(text: &str) -> Foreign {
    Foreign::Text(text.to_owned())
}

/// Integers of an entry are below 2^53, so a double holds them exactly.
fn int(number: u64) -> Foreign {
    Foreign::Number(number as f64)
}

#[cfg(test)]
mod tests;
