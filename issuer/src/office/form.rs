//! A licence once more, secured as other people's software reads it.
//!
//! The credential that the log knows stays the licence. A form states the same under the same id,
//! signed by the unit anew; its reader has the unit's word and the unit's status lists, where the
//! dossier of the licence proves (`spec/interop.md`).

use rand::CryptoRng;
use zhao_spec::credential::Licence;
use zhao_spec::life::record::{LicenceRecord, State};
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::wire::foreign::{Foreign, ForeignError, canonicalize, parse_foreign};
use zhao_spec::wire::{Hash, PublicKey, Signer, UnixMillis};
use zhao_vc::context::Contexts;
use zhao_vc::cose::{self, CoseError};
use zhao_vc::did::{DidError, Method, unit_did};
use zhao_vc::jose::{self, Algorithm, JoseError};
use zhao_vc::proof::{self, Options, ProofError, Suite};
use zhao_vc::sdjwt::licence::Terms;
use zhao_vc::sdjwt::{self, SdJwtError};
use zhao_vc::status::derive::{ListName, Purpose};
use zhao_vc::status::token::Reference;
use zhao_vc::status::{Entry, StatusError, standing_messages};

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
    /// `dc+sd-jwt`: an SD-JWT VC, of which the holder shows what it likes.
    DcSdJwt,
}

impl Form {
    /// Every form, by ascending word.
    pub const ALL: [Self; 4] = [
        Self::DcSdJwt,
        Self::EddsaRdfc2022,
        Self::VcCose,
        Self::VcJwt,
    ];

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DcSdJwt => "dc+sd-jwt",
            Self::EddsaRdfc2022 => "eddsa-rdfc-2022",
            Self::VcCose => "vc+cose",
            Self::VcJwt => "vc+jwt",
        }
    }

    /// The form of a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.as_str() == word)
    }

    /// What it is sent as.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::DcSdJwt => "application/dc+sd-jwt",
            Self::EddsaRdfc2022 => "application/vc",
            Self::VcCose => "application/vc+cose",
            Self::VcJwt => "application/vc+jwt",
        }
    }
}

/// What is asked for beside the form.
#[derive(Clone, Copy, Debug, Default)]
pub struct FormOptions<'a> {
    /// `https://…` below which the office serves its units' documents, schemas and lists. With it
    /// the unit states under its did:web and the form says where its status stands; without, under
    /// the did:key that issued the licence, and nothing but the log says how it stands.
    pub site: Option<&'a str>,
    /// The holder's key, in the form that has one (`dc+sd-jwt`).
    pub holder: Option<PublicKey>,
}

/// Why a licence gets no other form.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormError {
    /// COSE.
    #[error("{0}")]
    Cose(#[from] CoseError),
    /// No did:web can be made of the site.
    #[error("the site must be https and a host name: {0}")]
    Did(#[from] DidError),
    /// A form that names no holder's key.
    #[error("only an SD-JWT names the holder's key")]
    Holder,
    /// The credential is no JSON that others read.
    #[error("{0}")]
    Json(#[from] ForeignError),
    /// JOSE.
    #[error("{0}")]
    Jose(#[from] JoseError),
    /// The key that issued it does not sign any more, so another issuer would state it: issue the
    /// licence anew.
    #[error(
        "the unit signs with another key now than the licence was issued with; under the name of \
         the office's site it can state it"
    )]
    OtherKey,
    /// The proof.
    #[error("{0}")]
    Proof(#[from] ProofError),
    /// SD-JWT.
    #[error("{0}")]
    SdJwt(#[from] SdJwtError),
    /// Another licence of the unit has the same index in every list it could name.
    #[error("another licence has its place in the unit's status lists: issue it anew")]
    SharedIndex,
    /// Status lists.
    #[error("{0}")]
    Status(#[from] StatusError),
    /// It is not in force, or suspended: nobody gets a fresh signature under it.
    #[error("the licence is not usable now: {state}")]
    Standing {
        /// Its state, or its first suspension.
        state: String,
    },
}

impl<C: LedgerClient> Office<C> {
    /// `licence` in another form, signed by its unit. `rng` makes the salts of an SD-JWT.
    ///
    /// # Errors
    /// The log does not know it, or its standing forbids its use; the unit has another key now and
    /// no site; no list has room for it; the form's own.
    pub fn form(
        &mut self,
        licence: &Licence,
        form: Form,
        options: FormOptions<'_>,
        now: UnixMillis,
        rng: &mut dyn CryptoRng,
    ) -> Result<Vec<u8>, OfficeError> {
        if options.holder.is_some() && form != Form::DcSdJwt {
            return Err(FormError::Holder.into());
        }
        let subject = subject_key(self.records.origin(), Kind::Licence, &licence.id);
        let record = self.licence_record(&subject)?;
        standing(&record, licence)?;
        let code = licence.subject.licence_type_code.as_str();
        let signer = self
            .signer(licence.issuer.unit.as_str(), Some(code))?
            .secret;
        let site = match options.site {
            Some(base) => Some(self.site(base.trim_end_matches('/'), licence, &subject)?),
            None => None,
        };
        let made = Made {
            method: method(&signer.public(), licence, site.as_ref())?,
            licence,
            site,
            holder: options.holder,
            now,
        };
        Ok(made.secured(form, &signer, rng)?)
    }

    /// The unit and the licence as the site names them.
    fn site(&self, base: &str, licence: &Licence, key: &Hash) -> Result<Site, OfficeError> {
        let unit = licence.issuer.unit.as_str();
        Ok(Site {
            did: unit_did(base, unit).map_err(FormError::Did)?,
            list: self.list_of(unit, key)?,
            base: base.to_owned(),
            key: *key,
        })
    }
}

/// Where the office is, for those who read a form.
struct Site {
    base: String,
    did: String,
    list: ListName,
    key: Hash,
}

impl Site {
    fn list_url(&self, purpose: Purpose) -> String {
        format!("{}/status/{}/{}", self.base, purpose.as_str(), self.list)
    }

    /// Entries for every list that is a credential.
    fn entries(&self) -> Foreign {
        let index = self.list.index(&self.key);
        let entry = |purpose: Purpose| Entry {
            id: None,
            purpose: purpose.as_str().to_owned(),
            index,
            list: self.list_url(purpose),
            size: purpose.size(),
            messages: match purpose {
                Purpose::Message => standing_messages(),
                _ => Vec::new(),
            },
            references: Vec::new(),
        };
        let credentials = Purpose::ALL
            .into_iter()
            .filter(|purpose| *purpose != Purpose::Standing);
        Foreign::Array(credentials.map(|one| entry(one).to_foreign()).collect())
    }

    /// The schema of the type, in the version under which the licence was issued.
    fn schema(&self, licence: &Licence) -> Foreign {
        let subject = &licence.subject;
        let (code, version) = (&subject.licence_type_code, subject.catalogue_version);
        let id = format!("{}/schemas/{code}/{version}", self.base);
        Foreign::Object(vec![text("id", &id), text("type", "JsonSchema")])
    }
}

/// Everything a form is made of.
struct Made<'a> {
    licence: &'a Licence,
    method: Method,
    site: Option<Site>,
    holder: Option<PublicKey>,
    now: UnixMillis,
}

impl Made<'_> {
    fn secured(
        &self,
        form: Form,
        signer: &dyn Signer,
        rng: &mut dyn CryptoRng,
    ) -> Result<Vec<u8>, FormError> {
        let algorithm = Algorithm::EdDsa;
        Ok(match form {
            Form::EddsaRdfc2022 => {
                let created = self.now.to_string();
                let options = Options {
                    suite: Suite::EddsaRdfc2022,
                    verification_method: &self.method.id,
                    purpose: "assertionMethod",
                    created: Some(&created),
                    ..Options::default()
                };
                let document = self.document()?;
                let contexts = Contexts::standard();
                canonicalize(&proof::add(&document, &options, signer, &contexts)?)
            }
            Form::VcJwt => {
                let document = self.document()?;
                jose::issue_credential(&document, &self.method, algorithm, signer)?.into_bytes()
            }
            Form::VcCose => {
                cose::issue_credential(&self.document()?, &self.method, algorithm, signer)?
            }
            Form::DcSdJwt => {
                let terms = Terms {
                    method: self.method.clone(),
                    holder: self.holder,
                    issued: self.now,
                    status: self.site.as_ref().map(|site| Reference {
                        idx: site.list.index(&site.key),
                        uri: site.list_url(Purpose::Standing),
                    }),
                };
                let mut salt = || {
                    let mut salt = [0; 16];
                    rng.fill_bytes(&mut salt);
                    salt
                };
                sdjwt::licence::issue(self.licence, &terms, algorithm, signer, &mut salt)?
                    .text()
                    .into_bytes()
            }
        })
    }

    /// What the licence states, without its proof; with a site, as the site names things.
    ///
    /// The entry of the log is evidence then: a status of a kind that others do not know would
    /// have them refuse the credential.
    fn document(&self) -> Result<Foreign, FormError> {
        let Foreign::Object(mut members) = parse_foreign(self.licence.canonical())? else {
            return Ok(Foreign::Null);
        };
        members.retain(|(name, _)| name != "proof");
        if let Some(site) = &self.site {
            for (name, value) in &mut members {
                match name.as_str() {
                    "credentialStatus" => "evidence".clone_into(name),
                    "issuer" => rename(value, &site.did),
                    _ => {}
                }
            }
            members.push(("credentialStatus".to_owned(), site.entries()));
            members.push(("credentialSchema".to_owned(), site.schema(self.licence)));
        }
        Ok(Foreign::Object(members))
    }
}

/// The key under the name that the unit states under.
fn method(key: &PublicKey, licence: &Licence, site: Option<&Site>) -> Result<Method, FormError> {
    let (id, controller) = match site {
        Some(site) => (
            format!("{}#{}", site.did, key.to_multibase()),
            site.did.clone(),
        ),
        None if key == licence.issuer_key() => (key.verification_method(), key.did_key()),
        None => return Err(FormError::OtherKey),
    };
    Ok(Method {
        id,
        controller,
        key: *key,
    })
}

fn rename(issuer: &mut Foreign, did: &str) {
    if let Foreign::Object(members) = issuer {
        for (name, value) in members {
            if name == "id" {
                *value = Foreign::Text(did.to_owned());
            }
        }
    }
}

fn text(name: &str, value: &str) -> (String, Foreign) {
    (name.to_owned(), Foreign::Text(value.to_owned()))
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
