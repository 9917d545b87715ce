//! A licence once more, secured as other people's software reads it.
//!
//! The credential that the log knows stays the licence. A form states the same under the same id,
//! signed by the unit anew; its reader has the unit's word and the unit's status lists, where the
//! dossier of the licence proves (`spec/interop.md`).

use zhao_spec::credential::Licence;
use zhao_spec::life::record::{LicenceRecord, State};
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::wire::foreign::{Foreign, ForeignError, canonicalize, parse_foreign};
use zhao_spec::wire::{Signer as _, UnixMillis};
use zhao_vc::context::Contexts;
use zhao_vc::cose::{self, CoseError};
use zhao_vc::did::Method;
use zhao_vc::jose::{self, Algorithm, JoseError};
use zhao_vc::proof::{self, Options, ProofError, Suite};

use super::{LedgerClient, Office, OfficeError};

/// How a licence is secured for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Data Integrity by `eddsa-rdfc-2022`: JSON.
    EddsaRdfc2022,
    /// `vc+jwt`: a compact JWS.
    VcJwt,
    /// `vc+cose`: a COSE_Sign1, binary.
    VcCose,
}

/// Why a licence gets no other form.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormError {
    /// COSE.
    #[error("{0}")]
    Cose(#[from] CoseError),
    /// The credential is no JSON that others read.
    #[error("{0}")]
    Json(#[from] ForeignError),
    /// JOSE.
    #[error("{0}")]
    Jose(#[from] JoseError),
    /// The key that issued it does not sign any more, so another issuer would state it: issue the
    /// licence anew.
    #[error("the unit signs with another key now than the licence was issued with")]
    OtherKey,
    /// The proof.
    #[error("{0}")]
    Proof(#[from] ProofError),
    /// It is not in force, or suspended: nobody gets a fresh signature under it.
    #[error("the licence is not usable now: {state}")]
    Standing {
        /// Its state, or its first suspension.
        state: String,
    },
}

impl<C: LedgerClient> Office<C> {
    /// `licence` in another form, signed by the key that issued it.
    ///
    /// # Errors
    /// The log does not know it, or its standing forbids its use; the unit has another key now;
    /// the form's own.
    pub fn form(
        &mut self,
        licence: &Licence,
        form: Form,
        now: UnixMillis,
    ) -> Result<Vec<u8>, OfficeError> {
        let subject = subject_key(self.records.origin(), Kind::Licence, &licence.id);
        let record = self.licence_record(&subject)?;
        standing(&record, licence)?;
        let code = licence.subject.licence_type_code.as_str();
        let signer = self
            .signer(licence.issuer.unit.as_str(), Some(code))?
            .secret;
        if signer.public() != *licence.issuer_key() {
            return Err(FormError::OtherKey.into());
        }
        let method = Method {
            id: signer.public().verification_method(),
            controller: signer.public().did_key(),
            key: signer.public(),
        };
        let document = unsecured(licence)?;
        let bytes = match form {
            Form::EddsaRdfc2022 => {
                let created = now.to_string();
                let options = Options {
                    suite: Suite::EddsaRdfc2022,
                    verification_method: &method.id,
                    purpose: "assertionMethod",
                    created: Some(&created),
                    ..Options::default()
                };
                let signed = proof::add(&document, &options, &signer, &Contexts::standard());
                canonicalize(&signed.map_err(FormError::Proof)?)
            }
            Form::VcJwt => jose::issue_credential(&document, &method, Algorithm::EdDsa, &signer)
                .map_err(FormError::Jose)?
                .into_bytes(),
            Form::VcCose => cose::issue_credential(&document, &method, Algorithm::EdDsa, &signer)
                .map_err(FormError::Cose)?,
        };
        Ok(bytes)
    }
}

/// Only a licence that may be used, and only the very one that the log knows.
fn standing(record: &LicenceRecord, licence: &Licence) -> Result<(), OfficeError> {
    if record.vc != licence.digest() {
        return Err(OfficeError::NoLicence {
            actual: licence.id.clone(),
        });
    }
    let state = match (record.state, record.suspensions.first()) {
        (State::Active, None) => return Ok(()),
        (State::Active, Some(suspension)) => suspension.as_str().to_owned(),
        (state, _) => state.as_str().to_owned(),
    };
    Err(FormError::Standing { state }.into())
}

/// What the licence states, without the proof.
fn unsecured(licence: &Licence) -> Result<Foreign, OfficeError> {
    let document = parse_foreign(licence.canonical()).map_err(FormError::Json)?;
    Ok(match document {
        Foreign::Object(mut members) => {
            members.retain(|(name, _)| name != "proof");
            Foreign::Object(members)
        }
        other => other,
    })
}
