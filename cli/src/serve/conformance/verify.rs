//! What a verifier's instance checks. Everything is checked whatever `checks` names, and nothing
//! is fetched: what cannot be known here is a warning.

use std::cell::Cell;

use zhao_spec::wire::foreign::Foreign;
use zhao_spec::wire::{UnixMillis, clip};
use zhao_vc::model::{self, Credential, Enveloped, Presented, Validity};
use zhao_vc::proof::Suite;

use super::engine::{Demand, Holding, of_model};
use super::json::{object, set, text};
use super::request::{Options, Request};
use super::schemas::SCHEMAS;
use super::trouble::{Trouble, What};
use super::{Instance, Method, NOTICE};

/// What `POST …/verify` may say in `options`.
const VERIFY: &[&str] = &[
    "challenge",
    "checks",
    "domain",
    "expectedProofPurpose",
    "returnCredential",
    "returnPresentation",
    "returnProblemDetails",
    "returnResults",
];
/// Credentials of one presentation: each costs two canonicalisations.
const CREDENTIALS: usize = 64;

/// What a verification comes to, as an answer.
pub(super) struct Outcome {
    pub(super) verified: bool,
    pub(super) body: Foreign,
}

/// What is demanded of the proofs that a request asks about.
#[derive(Clone, Copy)]
struct Asked<'a> {
    purpose: Option<&'a str>,
    domain: &'a [&'a str],
    challenge: Option<&'a str>,
    /// Schemas that may still be checked.
    schemas: &'a Cell<usize>,
    now: UnixMillis,
}

impl Instance {
    /// `POST /credentials/verify`.
    ///
    /// # Errors
    /// A request that is malformed: nothing was verified.
    pub(super) fn verify_credential(
        &self,
        request: &Request,
        now: UnixMillis,
    ) -> Result<Outcome, Trouble> {
        let options = request.options(VERIFY)?;
        let (domain, left) = (options.texts("domain")?, Cell::new(SCHEMAS));
        let asked = asked(options, &domain, &left, now)?;
        let credential = request.must("verifiableCredential")?;
        let mut warnings = Vec::new();
        let judged = self.credential(credential, asked, &mut warnings);
        let returned = options.flag("returnCredential")?;
        let returned = returned.then_some(("verifiableCredential", credential));
        Ok(outcome(judged, &warnings, returned))
    }

    /// `POST /presentations/verify`.
    ///
    /// # Errors
    /// A request that is malformed: nothing was verified.
    pub(super) fn verify_presentation(
        &self,
        request: &Request,
        now: UnixMillis,
    ) -> Result<Outcome, Trouble> {
        let options = request.options(VERIFY)?;
        let (domain, left) = (options.texts("domain")?, Cell::new(SCHEMAS));
        let asked = asked(options, &domain, &left, now)?;
        if let Some(presentation) = request.member("presentation") {
            return self.proofless(request, presentation, asked);
        }
        let presentation = request.must("verifiablePresentation")?;
        let mut warnings = Vec::new();
        let judged = self.presentation(presentation, asked, &mut warnings);
        // Only what holds uses a challenge up: nobody takes it from whom it was given to.
        let judged = judged.and_then(|()| match asked.challenge {
            Some(challenge) => self.challenges.take(challenge),
            None => Ok(()),
        });
        let returned = options.flag("returnPresentation")?;
        let returned = returned.then_some(("verifiablePresentation", presentation));
        Ok(outcome(judged, &warnings, returned))
    }

    /// A presentation without a proof: what it presents is verified, and nothing says who does.
    fn proofless(
        &self,
        request: &Request,
        presentation: &Foreign,
        asked: Asked<'_>,
    ) -> Result<Outcome, Trouble> {
        let refused = |code, detail| Err(Trouble::new(What::Malformed, code, detail));
        if request.member("verifiablePresentation").is_some() {
            let detail = "the request has verifiablePresentation and presentation";
            return refused("request-member", detail);
        }
        if asked.purpose.is_some() || asked.challenge.is_some() || !asked.domain.is_empty() {
            let detail = "options: nothing but a proof has a purpose, a domain, a challenge";
            return refused("option-value", detail);
        }
        let mut warnings = Vec::new();
        let judged = model::unsecured_presentation(presentation).map_err(|error| of_model(&error));
        let judged = judged.and_then(|shape| {
            self.engine.defined(presentation)?;
            if shape.holder.is_some() {
                let detail = "nothing proves that the holder presents";
                let what = What::Cryptography;
                warnings.push(Trouble::new(what, "holder-not-proven", detail));
            }
            self.presented(&shape.credentials, None, asked, &mut warnings)
        });
        Ok(outcome(judged, &warnings, None))
    }

    /// One credential, with a proof or in an envelope.
    fn credential(
        &self,
        value: &Foreign,
        asked: Asked<'_>,
        warnings: &mut Vec<Trouble>,
    ) -> Result<(), Trouble> {
        if model::enveloped(value).is_some() {
            let opened = self.open(value, Enveloped::Credential, asked)?;
            let shape = model::unsecured(&opened.document).map_err(|error| of_model(&error))?;
            return self.judged(&shape, &opened.controllers, asked, warnings);
        }
        let flat = self.flat(value);
        let value = flat.as_ref().unwrap_or(value);
        let shape = model::credential(value).map_err(|error| of_model(&error))?;
        let controllers = self.proofs(value, "assertionMethod", asked)?;
        self.judged(&shape, &controllers, asked, warnings)
    }

    /// The document with its contexts unwrapped, where one in place is wrapped once more in an
    /// object with the one member `@context`. JSON-LD 1.1 does not know that; the most used
    /// processor reads it, and vectors of a suite have it. What is signed as RDF stays the same;
    /// what is signed as JSON would not, so it is left there.
    fn flat(&self, value: &Foreign) -> Option<Foreign> {
        let wrapped = |one: &Foreign| match one {
            Foreign::Object(members) => match members.as_slice() {
                [(name, inner @ Foreign::Object(_))] if name == "@context" => Some(inner.clone()),
                _ => None,
            },
            _ => None,
        };
        let Some(Foreign::Array(contexts)) = value.member("@context") else {
            return None;
        };
        let as_rdf = self.method == Method::Proof(Suite::EddsaRdfc2022);
        if !as_rdf || contexts.iter().all(|one| wrapped(one).is_none()) {
            return None;
        }
        let unwrapped = contexts
            .iter()
            .map(|one| wrapped(one).unwrap_or_else(|| one.clone()));
        let mut flat = value.clone();
        set(&mut flat, "@context", Foreign::Array(unwrapped.collect()));
        Some(flat)
    }

    /// What is checked of every credential, however it is secured.
    fn judged(
        &self,
        shape: &Credential<'_>,
        controllers: &[String],
        asked: Asked<'_>,
        warnings: &mut Vec<Trouble>,
    ) -> Result<(), Trouble> {
        self.engine.defined(shape.value)?;
        warnings.extend(belongs("issuer", shape.issuer.id, controllers)?);
        match shape.validity(asked.now) {
            Validity::Valid => {}
            Validity::NotYet => {
                let detail = "the credential is not valid yet";
                return Err(Trouble::new(What::Range, "not-yet-valid", detail));
            }
            Validity::Ended => {
                let detail = "the credential is no longer valid";
                return Err(Trouble::new(What::Range, "expired", detail));
            }
        }
        warnings.extend(self.schemas.look(shape, asked.schemas)?);
        warnings.extend(self.lists.look(shape.value)?);
        Ok(())
    }

    /// A presentation, with a proof or in an envelope, and every credential in it.
    fn presentation(
        &self,
        value: &Foreign,
        asked: Asked<'_>,
        warnings: &mut Vec<Trouble>,
    ) -> Result<(), Trouble> {
        let opened;
        let (document, controllers) = if model::enveloped(value).is_some() {
            opened = self.open(value, Enveloped::Presentation, asked)?;
            (&opened.document, opened.controllers.clone())
        } else {
            // The shape first: what is no presentation has no proof worth a look.
            model::presentation(value).map_err(|error| of_model(&error))?;
            (value, self.proofs(value, "authentication", asked)?)
        };
        let shape = model::presentation(document).map_err(|error| of_model(&error))?;
        self.engine.defined(document)?;
        if let Some(holder) = &shape.holder {
            warnings.extend(belongs("holder", holder.id, &controllers)?);
        }
        shape.holder_issued().map_err(|error| of_model(&error))?;
        self.presented(&shape.credentials, Some(&controllers), asked, warnings)
    }

    /// The credentials of a presentation. One without a proof is the holder's own statement, whose
    /// proof is the presentation's; `controllers` are those whose keys made that, if anybody did.
    fn presented(
        &self,
        credentials: &[Presented<'_>],
        controllers: Option<&[String]>,
        asked: Asked<'_>,
        warnings: &mut Vec<Trouble>,
    ) -> Result<(), Trouble> {
        if credentials.len() > CREDENTIALS {
            let detail = format!("verifiableCredential has more than {CREDENTIALS} credentials");
            let code = "too-many-credentials";
            return Err(Trouble::new(What::Malformed, code, detail));
        }
        let inner = Asked {
            purpose: None,
            domain: &[],
            challenge: None,
            ..asked
        };
        for presented in credentials {
            match (presented, controllers) {
                (Presented::Credential(credential), Some(controllers))
                    if credential.proofs.is_empty() =>
                {
                    self.judged(credential, controllers, asked, warnings)?;
                }
                (Presented::Credential(credential), _) => {
                    self.credential(credential.value, inner, warnings)?;
                }
                (Presented::Enveloped(envelope), _) => {
                    self.credential(envelope.value, inner, warnings)?;
                }
            }
        }
        Ok(())
    }

    /// Whose keys made the proofs of `value`: all of them hold.
    fn proofs(
        &self,
        value: &Foreign,
        purpose: &str,
        asked: Asked<'_>,
    ) -> Result<Vec<String>, Trouble> {
        let Method::Proof(suite) = self.method else {
            let detail = "this instance reads what is in an envelope";
            return Err(Trouble::new(What::Cryptography, "method-other", detail));
        };
        // Where several domains will do, one of them must.
        let mut refused = None;
        let domains: Vec<Option<&str>> = match asked.domain {
            [] => vec![None],
            several => several.iter().map(|domain| Some(*domain)).collect(),
        };
        for domain in domains {
            let demand = Demand {
                purpose: asked.purpose.unwrap_or(purpose),
                domain,
                challenge: asked.challenge,
                at: asked.now,
                suite,
            };
            match self.engine.proofs(value, demand) {
                Ok(controllers) => return Ok(controllers),
                Err(trouble) => refused = Some(trouble),
            }
        }
        Err(refused.expect("there was a demand"))
    }

    /// What is in an envelope, and whose key closed it.
    fn open(
        &self,
        value: &Foreign,
        holds: Enveloped,
        asked: Asked<'_>,
    ) -> Result<Holding, Trouble> {
        let envelope = model::envelope(value).map_err(|error| of_model(&error))?;
        if envelope.holds != holds {
            let detail = format!("expected type {}", holds.type_name());
            return Err(Trouble::new(What::Malformed, "envelope-other", detail));
        }
        self.engine
            .open(value, holds, asked.domain, asked.challenge, asked.now)
    }
}

/// Whether `id` made one of the proofs: an error where it is a DID and did not, a warning where
/// only a document that would have to be fetched could say so.
fn belongs(member: &str, id: &str, controllers: &[String]) -> Result<Option<Trouble>, Trouble> {
    if controllers.iter().any(|controller| controller == id) {
        return Ok(None);
    }
    let id = clip(id);
    if id.starts_with("did:") {
        let detail = format!("{member} {id} made none of the proofs");
        return Err(Trouble::new(What::Cryptography, "not-its-key", detail));
    }
    let detail = format!("{member} {id} is not fetched, so nothing says whose key it is");
    Ok(Some(Trouble::new(
        What::Cryptography,
        "key-not-known",
        detail,
    )))
}

fn asked<'a>(
    options: Options<'a>,
    domain: &'a [&'a str],
    schemas: &'a Cell<usize>,
    now: UnixMillis,
) -> Result<Asked<'a>, Trouble> {
    // Named or not, everything is checked; what is named must be something.
    options.texts("checks")?;
    options.flag("returnProblemDetails")?;
    options.flag("returnResults")?;
    Ok(Asked {
        purpose: options.text("expectedProofPurpose")?,
        domain,
        challenge: options.text("challenge")?,
        schemas,
        now,
    })
}

fn outcome(
    judged: Result<(), Trouble>,
    warnings: &[Trouble],
    returned: Option<(&str, &Foreign)>,
) -> Outcome {
    let verified = judged.is_ok();
    let details =
        |troubles: &[Trouble]| Foreign::Array(troubles.iter().map(Trouble::details).collect());
    let errors: Vec<Trouble> = judged.err().into_iter().collect();
    let mut body = object([
        ("verified", Foreign::Bool(verified)),
        ("problemDetails", details(&errors)),
        ("warnings", details(warnings)),
        ("errors", details(&errors)),
        ("conformance", text(NOTICE)),
    ]);
    if let Some((name, value)) = returned {
        set(&mut body, name, value.clone());
    }
    Outcome { verified, body }
}
