//! A licence of ours as an SD-JWT VC, beside its Data Integrity form: a holder shows less.
//!
//! What a verifier needs to find the licence's standing is always shown: issuer, unit, type and
//! the log's entry. Who holds it, its numbers and the face data are the holder's to show.

use std::fmt;

use zhao_spec::credential::{FaceValue, Licence};
use zhao_spec::id::{LicenceTypeCode, Uscc};
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::wire::binary::{decode_base64url_array, encode_base64url};
use zhao_spec::wire::foreign::{Foreign, parse_foreign};
use zhao_spec::wire::hash::Hash;
use zhao_spec::wire::{PublicKey, Signer, UnixMillis, limits};

use super::process::child;
use super::{Binding, Concealed, Salt, SdJwt, SdJwtError, Shown, verify};
use crate::did::{Method, Methods};
use crate::jose::{Algorithm, Policy, to_jwk};
use crate::status::token::Reference;

/// The type of a licence in this form: the term of our context.
pub const VCT: &str = "https://zhao.example/ns/licence/v1#LicenceCredential";
/// The member of `status` that says where the licence's standing is recorded.
const LEDGER: &str = "zhaoLedgerEntry";
/// Claims that the holder shows or not, beside the face data.
const CONCEALED: [&str; 6] = [
    "/catalogueVersion",
    "/holderCode",
    "/holderCodeType",
    "/holderName",
    "/licenceIdentifier",
    "/licenceNumber",
];

/// A licence of which some was shown, with what its standing is found by.
#[derive(Clone, PartialEq)]
pub struct ShownLicence {
    /// What was shown, and who signed.
    pub shown: Shown,
    /// The issuing unit.
    pub unit: Uscc,
    /// The licence type.
    pub licence_type_code: LicenceTypeCode,
    /// Whose log its standing is in.
    pub origin: String,
    /// The key of its record there.
    pub subject: Hash,
    /// The salt of the type commitment; only if the type is not open.
    pub type_salt: Option<[u8; 32]>,
}

// The salt is what keeps the type secret, and holders stay out of messages.
impl fmt::Debug for ShownLicence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShownLicence")
            .field("origin", &self.origin)
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

/// What the SD-JWT form of a licence says beside the licence.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The unit's key, and the name it states under: the licence's did:key, or a did:web.
    pub method: Method,
    /// The key that a holder proves possession of when it shows the licence; without one, whoever
    /// has the text shows it.
    pub holder: Option<PublicKey>,
    /// When it is made.
    pub issued: UnixMillis,
    /// Where the licence stands in a status list, for readers who have never heard of our log.
    pub status: Option<Reference>,
}

impl Terms {
    /// By the key, the name and at the time of the licence itself; no holder's key, no list.
    #[must_use]
    pub fn of(licence: &Licence) -> Self {
        let key = *licence.issuer_key();
        Self {
            method: Method {
                id: key.verification_method(),
                controller: key.did_key(),
                key,
            },
            holder: None,
            issued: licence.proof().created,
            status: None,
        }
    }
}

/// Issues the SD-JWT form of `licence`, signed by the key of `terms`.
///
/// The record's key is stated, not the credential's `id`: the log knows only the key.
///
/// # Errors
/// The signer's key is not that of the terms; the signer's errors.
pub fn issue(
    licence: &Licence,
    terms: &Terms,
    algorithm: Algorithm,
    signer: &dyn Signer,
    salt: Salt<'_>,
) -> Result<SdJwt, SdJwtError> {
    let claims = claims(licence, terms)?;
    let face: Vec<String> = licence
        .claims()
        .subject
        .face_data
        .keys()
        .map(|name| child("/faceData", name))
        .collect();
    let places: Vec<&str> = CONCEALED
        .into_iter()
        .chain(face.iter().map(String::as_str))
        .collect();
    let concealed = Concealed {
        claims: &places,
        decoys: &[],
    };
    SdJwt::issue(&claims, concealed, &terms.method, algorithm, signer, salt)
}

/// Verifies what a holder shows of a licence of ours. Whether the key may issue such a licence and
/// whether it still stands, the record at [`ShownLicence::subject`] says.
///
/// # Errors
/// As [`verify`]; claims that are not of this form.
pub fn verify_licence(
    text: &str,
    binding: Binding<'_>,
    policy: &Policy<'_>,
    methods: &dyn Methods,
) -> Result<ShownLicence, SdJwtError> {
    let shown = verify(text, &[VCT], binding, policy, methods)?;
    let claims = shown.claims();
    if claims.member("iss").is_none() {
        return Err(wrong("iss", "is missing"));
    }
    let unit = Uscc::parse(read(claims, "issuingAuthorityCode")?)
        .map_err(|_| wrong("issuingAuthorityCode", "is not a unit's code"))?;
    let licence_type_code = read(claims, "licenceTypeCode")?
        .parse()
        .map_err(|_| wrong("licenceTypeCode", "is not a type's code"))?;
    let entry = claims
        .member("status")
        .and_then(|status| status.member(LEDGER));
    let entry = entry.ok_or(wrong("status", "has no zhaoLedgerEntry"))?;
    let origin = read(entry, "origin")?;
    if origin.is_empty()
        || origin.len() > limits::ORIGIN_BYTES
        || origin.contains(|c: char| c == '+' || c.is_whitespace() || c.is_control())
    {
        return Err(wrong("origin", "is not a log's origin"));
    }
    let subject = Hash::from_base64url(read(entry, "subject")?)
        .ok()
        .filter(|key| Kind::of(key) == Some(Kind::Licence))
        .ok_or(wrong("subject", "is not a licence's key"))?;
    let type_salt = match entry.member("typeSalt") {
        None => None,
        Some(_) => Some(
            decode_base64url_array(read(entry, "typeSalt")?)
                .map_err(|_| wrong("typeSalt", "is not 32 bytes"))?,
        ),
    };
    Ok(ShownLicence {
        unit,
        licence_type_code,
        origin: origin.to_owned(),
        subject,
        type_salt,
        shown,
    })
}

fn claims(licence: &Licence, terms: &Terms) -> Result<Foreign, SdJwtError> {
    let stated = licence.claims();
    let subject = &stated.subject;
    let key = subject_key(&stated.status.origin, Kind::Licence, &stated.id);
    let mut entry = vec![
        text("origin", &stated.status.origin),
        text("subject", &key.to_base64url()),
    ];
    if let Some(salt) = &stated.status.type_salt {
        entry.push(text("typeSalt", &encode_base64url(salt)));
    }
    let mut status = vec![(LEDGER.to_owned(), Foreign::Object(entry))];
    if let Some(Foreign::Object(list)) = terms.status.as_ref().map(Reference::to_foreign) {
        status.extend(list);
    }
    let face = subject.face_data.iter().map(|(name, value)| {
        let value = match value {
            FaceValue::Text(text) => Foreign::Text(text.clone()),
            FaceValue::Int(number) => whole(*number)?,
            FaceValue::Bool(truth) => Foreign::Bool(*truth),
        };
        Ok((name.clone(), value))
    });
    let face = face.collect::<Result<Vec<_>, SdJwtError>>()?;
    let mut members = vec![
        (
            "catalogueVersion".to_owned(),
            whole(subject.catalogue_version)?,
        ),
        ("faceData".to_owned(), Foreign::Object(face)),
        text("holderCode", &subject.holder_code),
        text("holderCodeType", subject.holder_code_type.as_str()),
        text("holderName", &subject.holder_name),
        ("iat".to_owned(), seconds(terms.issued)?),
        text("iss", &terms.method.controller),
        text("issuedDate", &subject.issued_date.to_string()),
        text(
            "issuingAuthorityCode",
            subject.issuing_authority_code.as_str(),
        ),
        text("issuingAuthorityName", &subject.issuing_authority_name),
        text("licenceIdentifier", &subject.licence_identifier.to_string()),
        text("licenceName", &subject.licence_name),
        text("licenceNumber", &subject.licence_number),
        text("licenceTypeCode", subject.licence_type_code.as_str()),
        ("nbf".to_owned(), seconds(stated.valid_from)?),
        ("status".to_owned(), Foreign::Object(status)),
        text("vct", VCT),
    ];
    if let Some(until) = stated.valid_until {
        members.push(("exp".to_owned(), seconds(until)?));
    }
    if let Some(holder) = &terms.holder {
        let jwk = ("jwk".to_owned(), to_jwk(holder));
        members.push(("cnf".to_owned(), Foreign::Object(vec![jwk])));
    }
    Ok(Foreign::Object(members))
}

fn text(name: &str, value: &str) -> (String, Foreign) {
    (name.to_owned(), Foreign::Text(value.to_owned()))
}

/// Whole seconds: validity begins and ends with days.
fn seconds(UnixMillis(millis): UnixMillis) -> Result<Foreign, SdJwtError> {
    whole(millis / 1_000)
}

/// An integer that a double holds, which every integer of a licence is.
fn whole(number: u64) -> Result<Foreign, SdJwtError> {
    Ok(parse_foreign(number.to_string().as_bytes())?)
}

fn read<'a>(object: &'a Foreign, member: &'static str) -> Result<&'a str, SdJwtError> {
    object
        .member(member)
        .and_then(Foreign::as_text)
        .ok_or(wrong(member, "is missing, or not a text"))
}

fn wrong(member: &'static str, detail: &'static str) -> SdJwtError {
    SdJwtError::Licence { member, detail }
}
