//! The shape of a credential and a presentation: W3C Verifiable Credentials Data Model v2.0, and
//! v1.1 for reading. Prose: `spec/data-model.md`.
//!
//! In scope: every member that the Recommendation names, wherever it stands, and contexts written
//! into the document. What comes out borrows from what went in and says nothing of who made it:
//! proofs are checked elsewhere. Out of scope: whether the contexts define every term and type
//! ([`crate::rdf`]), what a status, a proof or a schema says.

use zhao_spec::wire::UnixMillis;
use zhao_spec::wire::clip;
use zhao_spec::wire::foreign::Foreign;

mod contexts;
mod envelope;
mod error;
mod moment;
pub(crate) mod place;
mod presentation;
pub(crate) mod resource;
mod url;
mod words;

pub use contexts::{BASE_V1, BASE_V2};
pub use envelope::{Envelope, Enveloped, Securing, envelope, enveloped};
pub use error::ModelError;
pub use moment::{Moment, MomentError};
pub use presentation::{Presentation, Presented, presentation, unsecured_presentation};
pub use resource::Resource;
pub use url::is_url;
pub use words::{Direction, Words, is_tag};

use place::{Place, many, members, optional_many, required, text};

/// The version of the data model, said by the first context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// v1.1: `issuanceDate` and `expirationDate`.
    V1,
    /// v2.0.
    V2,
}

/// A URL that is somebody, and what is said of them: an issuer, a holder.
#[derive(Clone, Debug, PartialEq)]
pub struct Party<'a> {
    /// The URL.
    pub id: &'a str,
    /// Names.
    pub names: Vec<Words<'a>>,
    /// Descriptions.
    pub descriptions: Vec<Words<'a>>,
    /// The text or object.
    pub value: &'a Foreign,
}

/// What claims are about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Subject<'a> {
    /// Its URL, if it has one.
    pub id: Option<&'a str>,
    /// The object with the claims, not empty.
    pub value: &'a Foreign,
}

/// A typed object: a status, schema, service, method, evidence, proof.
#[derive(Clone, Debug, PartialEq)]
pub struct Part<'a> {
    /// Its URL, if it has one.
    pub id: Option<&'a str>,
    /// Its types; at least one.
    pub types: Vec<&'a str>,
    /// The object.
    pub value: &'a Foreign,
}

/// Where an instant is in a validity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// Before its beginning.
    NotYet,
    /// In it.
    Valid,
    /// At its end or after.
    Ended,
}

/// A credential by its shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Credential<'a> {
    /// The version its first context says.
    pub version: Version,
    /// The document.
    pub value: &'a Foreign,
    /// Contexts in order, the base context first.
    pub contexts: Vec<&'a Foreign>,
    /// Its URL, if it has one.
    pub id: Option<&'a str>,
    /// Its types, `VerifiableCredential` among them.
    pub types: Vec<&'a str>,
    /// Names; none in v1.1, where they are not the data model's.
    pub names: Vec<Words<'a>>,
    /// Descriptions; none in v1.1.
    pub descriptions: Vec<Words<'a>>,
    /// Who issued it, as it says.
    pub issuer: Party<'a>,
    /// What it is about; at least one.
    pub subjects: Vec<Subject<'a>>,
    /// `validFrom`, in v1.1 `issuanceDate`.
    pub valid_from: Option<Moment>,
    /// `validUntil`, in v1.1 `expirationDate`; not before `valid_from`.
    pub valid_until: Option<Moment>,
    /// `credentialStatus`.
    pub statuses: Vec<Part<'a>>,
    /// `credentialSchema`, each with its URL.
    pub schemas: Vec<Part<'a>>,
    /// `relatedResource`, by different URLs.
    pub resources: Vec<Resource<'a>>,
    /// `termsOfUse`.
    pub terms_of_use: Vec<Part<'a>>,
    /// `evidence`.
    pub evidence: Vec<Part<'a>>,
    /// `refreshService`.
    pub refresh_services: Vec<Part<'a>>,
    /// `renderMethod`.
    pub render_methods: Vec<Part<'a>>,
    /// `confidenceMethod`, of the credential; a subject's own stand in the subject.
    pub confidence_methods: Vec<Part<'a>>,
    /// `proof`: objects with a type, and no more is said here.
    pub proofs: Vec<Part<'a>>,
}

impl Credential<'_> {
    /// Where `now` is in the validity it states.
    #[must_use]
    pub fn validity(&self, now: UnixMillis) -> Validity {
        if self.valid_from.is_some_and(|from| !from.has_come(now)) {
            return Validity::NotYet;
        }
        match self.valid_until {
            Some(until) if until.has_come(now) => Validity::Ended,
            _ => Validity::Valid,
        }
    }
}

/// The credential that `document` is, secured or not.
///
/// # Errors
/// The first thing that is not as the data model has it, and where.
pub fn credential(document: &Foreign) -> Result<Credential<'_>, ModelError> {
    read(document, &Place::ROOT)
}

/// A credential to be issued: one without a proof.
///
/// # Errors
/// It has a member `proof`, or is no credential.
pub fn unsecured(document: &Foreign) -> Result<Credential<'_>, ModelError> {
    no_proof(document)?;
    credential(document)
}

fn no_proof(document: &Foreign) -> Result<(), ModelError> {
    match document.member("proof") {
        None => Ok(()),
        Some(_) => Err(ModelError::Secured {
            path: Place::ROOT.name("proof").path(),
        }),
    }
}

fn read<'a>(document: &'a Foreign, place: &Place<'_>) -> Result<Credential<'a>, ModelError> {
    members(document, place)?;
    if enveloped(document).is_some() {
        return Err(ModelError::Envelope {
            path: place.path(),
            expected: "a credential",
            actual: "an envelope",
        });
    }
    let (version, contexts) = contexts::contexts(document, place)?;
    contexts::plain_names(document, place)?;
    let id = optional_id(document, place)?;
    let types = types(document, place)?;
    if !types.contains(&"VerifiableCredential") {
        return Err(ModelError::Type {
            path: place.name("type").path(),
            expected: "VerifiableCredential",
        });
    }
    let (names, descriptions) = said(document, place, version)?;
    let issuer = party(
        required(document, place, "issuer")?,
        &place.name("issuer"),
        version,
    )?;
    let subjects = many(
        required(document, place, "credentialSubject")?,
        &place.name("credentialSubject"),
        |value, place| subject(value, place, version),
    )?;
    let (valid_from, valid_until) = period(document, place, version)?;
    let parts = |name, id| {
        optional_many(document, place, name, |value, place| {
            part(value, place, version, id)
        })
    };
    let v1 = version == Version::V1;
    Ok(Credential {
        version,
        value: document,
        contexts,
        id,
        types,
        names,
        descriptions,
        issuer,
        subjects,
        valid_from,
        valid_until,
        statuses: parts("credentialStatus", v1)?,
        schemas: parts("credentialSchema", true)?,
        resources: resources(document, place)?,
        terms_of_use: parts("termsOfUse", false)?,
        evidence: parts("evidence", false)?,
        refresh_services: parts("refreshService", v1)?,
        render_methods: parts("renderMethod", false)?,
        confidence_methods: parts("confidenceMethod", false)?,
        proofs: parts("proof", false)?,
    })
}

/// `type` (data model §4.5): one or more texts, none twice.
fn types<'a>(node: &'a Foreign, place: &Place<'_>) -> Result<Vec<&'a str>, ModelError> {
    let place = place.name("type");
    let value = node
        .member("type")
        .ok_or_else(|| ModelError::Missing { path: place.path() })?;
    let mut seen: Vec<&str> = Vec::new();
    many(value, &place, |value, place| {
        let one = text(value, place)?;
        if one.starts_with('@') {
            return Err(ModelError::Name {
                path: place.path(),
                actual: clip(one),
            });
        }
        if seen.len() >= SET {
            return Err(ModelError::TooMany {
                path: place.path(),
                limit: SET,
            });
        }
        if seen.contains(&one) {
            return Err(ModelError::Twice {
                path: place.path(),
                actual: clip(one),
            });
        }
        seen.push(one);
        Ok(one)
    })
}

/// Most types, contexts or related resources of one object: each is compared with the others.
const SET: usize = 256;

/// `id` (data model §4.4): one URL.
fn optional_id<'a>(node: &'a Foreign, place: &Place<'_>) -> Result<Option<&'a str>, ModelError> {
    let value = node.member("id");
    value.map(|id| url::url(id, &place.name("id"))).transpose()
}

type Said<'a> = (Vec<Words<'a>>, Vec<Words<'a>>);

/// `name` and `description`, which only version 2.0 has for its own.
fn said<'a>(
    node: &'a Foreign,
    place: &Place<'_>,
    version: Version,
) -> Result<Said<'a>, ModelError> {
    match version {
        Version::V1 => Ok((Vec::new(), Vec::new())),
        Version::V2 => Ok((
            words::words(node, place, "name")?,
            words::words(node, place, "description")?,
        )),
    }
}

/// An issuer or holder: a URL, or an object with one.
fn party<'a>(
    value: &'a Foreign,
    place: &Place<'_>,
    version: Version,
) -> Result<Party<'a>, ModelError> {
    match value {
        Foreign::Text(_) => Ok(Party {
            id: url::url(value, place)?,
            names: Vec::new(),
            descriptions: Vec::new(),
            value,
        }),
        Foreign::Object(_) => {
            contexts::plain_names(value, place)?;
            let id = url::url(required(value, place, "id")?, &place.name("id"))?;
            if value.member("type").is_some() {
                types(value, place)?;
            }
            let (names, descriptions) = said(value, place, version)?;
            Ok(Party {
                id,
                names,
                descriptions,
                value,
            })
        }
        other => Err(place::wrong(other, place, "URL or object")),
    }
}

fn subject<'a>(
    value: &'a Foreign,
    place: &Place<'_>,
    version: Version,
) -> Result<Subject<'a>, ModelError> {
    contexts::plain_names(value, place)?;
    let id = optional_id(value, place)?;
    if value.member("type").is_some() {
        types(value, place)?;
    }
    said(value, place, version)?;
    optional_many(value, place, "confidenceMethod", |value, place| {
        part(value, place, version, false)
    })?;
    Ok(Subject { id, value })
}

fn part<'a>(
    value: &'a Foreign,
    place: &Place<'_>,
    version: Version,
    needs_id: bool,
) -> Result<Part<'a>, ModelError> {
    contexts::plain_names(value, place)?;
    let id = optional_id(value, place)?;
    if needs_id && id.is_none() {
        return Err(ModelError::Missing {
            path: place.name("id").path(),
        });
    }
    let types = types(value, place)?;
    said(value, place, version)?;
    if version == Version::V2 {
        resource::digests(value, place, id)?;
    }
    Ok(Part { id, types, value })
}

fn resources<'a>(
    document: &'a Foreign,
    place: &Place<'_>,
) -> Result<Vec<Resource<'a>>, ModelError> {
    let mut seen: Vec<&str> = Vec::new();
    optional_many(document, place, "relatedResource", |value, place| {
        let resource = resource::resource(value, place)?;
        if seen.len() >= SET {
            return Err(ModelError::TooMany {
                path: place.path(),
                limit: SET,
            });
        }
        if seen.contains(&resource.id) {
            return Err(ModelError::Twice {
                path: place.name("id").path(),
                actual: clip(resource.id),
            });
        }
        seen.push(resource.id);
        Ok(resource)
    })
}

/// The names of the beginning and the end, and those of the other version.
const PERIODS: [(Version, &str, &str); 2] = [
    (Version::V1, "issuanceDate", "expirationDate"),
    (Version::V2, "validFrom", "validUntil"),
];

/// The validity (data model §4.9; v1.1 §4.5, §4.6).
fn period(
    document: &Foreign,
    place: &Place<'_>,
    version: Version,
) -> Result<(Option<Moment>, Option<Moment>), ModelError> {
    let mut period = (None, None);
    for (of, from, until) in PERIODS {
        let moment = |name: &str| match document.member(name) {
            None => Ok(None),
            Some(_) if of != version => Err(ModelError::OtherVersion {
                path: place.name(name).path(),
            }),
            Some(value) => {
                let place = place.name(name);
                let parsed = Moment::parse(text(value, &place)?);
                parsed.map(Some).map_err(|source| ModelError::Time {
                    path: place.path(),
                    source,
                })
            }
        };
        let (from, until) = (moment(from)?, moment(until)?);
        if of == version {
            period = (from, until);
        }
    }
    if version == Version::V1 && period.0.is_none() {
        return Err(ModelError::Missing {
            path: place.name("issuanceDate").path(),
        });
    }
    match period {
        (Some(from), Some(until)) if until < from => Err(ModelError::Validity {
            path: match version {
                Version::V1 => place.name("expirationDate").path(),
                Version::V2 => place.name("validUntil").path(),
            },
        }),
        period => Ok(period),
    }
}

#[cfg(test)]
mod tests;
