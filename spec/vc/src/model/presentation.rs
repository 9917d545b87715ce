//! Presentations (data model §4.13).

use zhao_spec::wire::foreign::Foreign;

use super::place::{Place, members, optional_many};
use super::{
    Credential, Envelope, Enveloped, ModelError, Part, Party, Version, contexts, envelope,
    enveloped, no_proof, optional_id, part, party, types,
};

/// One credential of a presentation.
#[derive(Clone, Debug, PartialEq)]
pub enum Presented<'a> {
    /// In the open.
    Credential(Box<Credential<'a>>),
    /// In an envelope.
    Enveloped(Envelope<'a>),
}

/// A presentation by its shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Presentation<'a> {
    /// The version its first context says.
    pub version: Version,
    /// The document.
    pub value: &'a Foreign,
    /// Contexts in order, the base context first.
    pub contexts: Vec<&'a Foreign>,
    /// Its URL, if it has one.
    pub id: Option<&'a str>,
    /// Its types, `VerifiablePresentation` among them.
    pub types: Vec<&'a str>,
    /// Who presents, if it says.
    pub holder: Option<Party<'a>>,
    /// What is presented; may be nothing.
    pub credentials: Vec<Presented<'a>>,
    /// `termsOfUse`.
    pub terms_of_use: Vec<Part<'a>>,
    /// `proof`: objects with a type, and no more is said here.
    pub proofs: Vec<Part<'a>>,
}

impl Presentation<'_> {
    /// That every credential without a proof of its own, which the presentation's alone secures,
    /// is the holder's own statement (data model §4.13.3). For presentations that are secured:
    /// before, proofs may still be made.
    ///
    /// # Errors
    /// One is not: no holder is named, or another than the credential's issuer.
    pub fn holder_issued(&self) -> Result<(), ModelError> {
        for (at, presented) in self.credentials.iter().enumerate() {
            let Presented::Credential(credential) = presented else {
                continue;
            };
            let holder = self.holder.as_ref().map(|holder| holder.id);
            if credential.proofs.is_empty() && holder != Some(credential.issuer.id) {
                let place = Place::ROOT.name("verifiableCredential");
                return Err(ModelError::Holder {
                    path: place.at(at).path(),
                });
            }
        }
        Ok(())
    }
}

/// The presentation that `document` is, secured or not, with the credentials in it.
///
/// # Errors
/// The first thing that is not as the data model has it, and where.
pub fn presentation(document: &Foreign) -> Result<Presentation<'_>, ModelError> {
    let place = &Place::ROOT;
    members(document, place)?;
    if enveloped(document).is_some() {
        return Err(ModelError::Envelope {
            path: place.path(),
            expected: "a presentation",
            actual: "an envelope",
        });
    }
    let (version, contexts) = contexts::contexts(document, place)?;
    contexts::plain_names(document, place)?;
    let id = optional_id(document, place)?;
    let types = types(document, place)?;
    if !types.contains(&"VerifiablePresentation") {
        return Err(ModelError::Type {
            path: place.name("type").path(),
            expected: "VerifiablePresentation",
        });
    }
    let holder = document.member("holder");
    let holder = holder
        .map(|value| party(value, &place.name("holder"), version))
        .transpose()?;
    let credentials = match document.member("verifiableCredential") {
        // The suite presents none so; the text asks for one or more, and a reader loses nothing.
        Some(Foreign::Array(items)) if items.is_empty() => Vec::new(),
        _ => optional_many(document, place, "verifiableCredential", presented)?,
    };
    let parts = |name| {
        optional_many(document, place, name, |value, place| {
            part(value, place, version, false)
        })
    };
    Ok(Presentation {
        version,
        value: document,
        contexts,
        id,
        types,
        holder,
        credentials,
        terms_of_use: parts("termsOfUse")?,
        proofs: parts("proof")?,
    })
}

/// A presentation to be secured: one without a proof.
///
/// # Errors
/// It has a member `proof`, or is no presentation.
pub fn unsecured_presentation(document: &Foreign) -> Result<Presentation<'_>, ModelError> {
    no_proof(document)?;
    presentation(document)
}

fn presented<'a>(value: &'a Foreign, place: &Place<'_>) -> Result<Presented<'a>, ModelError> {
    match enveloped(value) {
        Some(Enveloped::Credential) => envelope::read(value, place).map(Presented::Enveloped),
        Some(Enveloped::Presentation) => Err(ModelError::Envelope {
            path: place.path(),
            expected: "a credential",
            actual: "an enveloped presentation",
        }),
        None => super::read(value, place)
            .map(Box::new)
            .map(Presented::Credential),
    }
}
