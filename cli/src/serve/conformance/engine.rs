//! The one place where this mode meets `zhao_vc`: what is sound, how it is secured, what a proof
//! is worth. All of it is pure; the time comes from the caller.

use std::sync::atomic::{AtomicU64, Ordering};

use zhao_spec::wire::foreign::Foreign;
use zhao_spec::wire::{SecretKey, UnixMillis, sha256};
use zhao_vc::context::Contexts;
use zhao_vc::cose::{self, CoseError};
use zhao_vc::did::{Method, Methods as _};
use zhao_vc::jose::{self, Algorithm, JoseError, MediaType, Policy, Wrapped};
use zhao_vc::model::{Enveloped, ModelError};
use zhao_vc::proof::{self, Expect, Options, ProofError, Suite};
use zhao_vc::rdf::{self, RdfError};
use zhao_vc::sdjwt::{self, Binding, SdJwtError};
use zhao_vc::status::{self, Order, StatusError, StatusList};

use super::json::each;
use super::trouble::{Trouble, What};

mod contexts;
mod names;
mod older;

pub(super) use names::Names;

/// What an instance works with: one key, its names, and the contexts that are built in.
pub(super) struct Engine {
    key: SecretKey,
    names: Names,
    contexts: Contexts,
    /// Challenges that were given.
    given: AtomicU64,
}

/// What a proof says besides.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wording<'a> {
    /// Under which of the key's names.
    pub(super) did: &'a str,
    pub(super) purpose: &'a str,
    pub(super) created: &'a str,
    pub(super) domain: Option<&'a str>,
    pub(super) challenge: Option<&'a str>,
}

/// What is demanded of a proof.
#[derive(Clone, Copy, Debug)]
pub(super) struct Demand<'a> {
    pub(super) purpose: &'a str,
    pub(super) domain: Option<&'a str>,
    pub(super) challenge: Option<&'a str>,
    pub(super) at: UnixMillis,
    pub(super) suite: Suite,
}

impl Engine {
    /// With this key, served at `base`.
    pub(super) fn new(key: SecretKey, base: &str) -> Self {
        Self {
            names: Names::new(key.public(), base),
            key,
            contexts: contexts::contexts(),
            given: AtomicU64::new(0),
        }
    }

    /// What its key is called.
    pub(super) fn names(&self) -> &Names {
        &self.names
    }

    /// The did:key that issues everything here for which no other of its names is asked.
    pub(super) fn did(&self) -> String {
        self.key.public().did_key()
    }

    /// By which name it serves who asks for this one.
    pub(super) fn for_whom(&self, asked: &str) -> String {
        self.names.for_whom(asked)
    }

    /// The DID URL of its key under that name.
    pub(super) fn method(&self, did: &str) -> String {
        self.names.url(did)
    }

    /// A challenge that nobody can foresee who has not the key.
    pub(super) fn challenge(&self, now: UnixMillis) -> String {
        let number = self.given.fetch_add(1, Ordering::Relaxed);
        let text = format!("zhao conformance challenge {number} {}", now.0);
        let signature = self.key.sign(text.as_bytes());
        format!("u{}", sha256(&[&signature.0]).to_base64url())
    }

    /// Whether contexts define all that `document` says.
    ///
    /// # Errors
    /// A context that is not built in, a term that none defines, a redefined one.
    pub(super) fn defined(&self, document: &Foreign) -> Result<(), Trouble> {
        rdf::check(document, &self.contexts).map_err(|error| of_rdf(&error))
    }

    /// `document` with a proof of this key.
    ///
    /// # Errors
    /// It cannot be canonicalised, or has too many proofs.
    pub(super) fn secure(
        &self,
        document: &Foreign,
        suite: Suite,
        wording: Wording<'_>,
    ) -> Result<Foreign, Trouble> {
        let method = self.method(wording.did);
        let options = Options {
            suite,
            verification_method: &method,
            purpose: wording.purpose,
            created: Some(wording.created),
            domain: wording.domain,
            challenge: wording.challenge,
            ..Options::default()
        };
        proof::add(document, &options, &self.key, &self.contexts).map_err(|error| of_proof(&error))
    }

    /// Checks every proof of `document`; whose keys made them.
    ///
    /// # Errors
    /// The first that does not hold.
    pub(super) fn proofs(
        &self,
        document: &Foreign,
        demand: Demand<'_>,
    ) -> Result<Vec<String>, Trouble> {
        if demand.suite == Suite::EddsaRdfc2022
            && let Some(proof) = older::of(document)
        {
            let key = older::verify(document, proof, demand, &self.names, &self.contexts);
            return key.map(|key| vec![key]);
        }
        let expect = Expect {
            purpose: demand.purpose,
            domain: demand.domain,
            challenge: demand.challenge,
            controller: None,
            at: demand.at,
            suites: &[demand.suite],
        };
        let verified = proof::verify(document, &expect, &self.names, &self.contexts);
        let verified = verified.map_err(|error| of_proof(&error))?;
        Ok(verified.into_iter().map(|one| one.controller).collect())
    }
}

fn of_rdf(error: &RdfError) -> Trouble {
    let what = match error {
        RdfError::Undefined { .. } | RdfError::Dropped { .. } | RdfError::Null { .. } => {
            What::DataLoss
        }
        _ => What::Malformed,
    };
    Trouble::new(what, error.code(), error.to_string())
}

fn of_proof(error: &ProofError) -> Trouble {
    let what = match error {
        ProofError::Domain { .. } => What::Domain,
        ProofError::Challenge => What::Challenge,
        ProofError::Signature(_) | ProofError::Controller { .. } | ProofError::Missing => {
            What::Cryptography
        }
        ProofError::Rdf(error) => return of_rdf(error),
        _ => What::ProofVerification,
    };
    Trouble::new(what, error.code(), error.to_string())
}

/// What was in an envelope.
#[derive(Clone, Debug)]
pub(super) struct Holding {
    pub(super) document: Foreign,
    /// Whose key closed it.
    pub(super) controllers: Vec<String>,
}

/// What is signed in an envelope: EdDSA, by its name before and since RFC 9864.
const ALGORITHMS: &[Algorithm] = &Algorithm::ALL;
/// How far the clock of whoever closed an envelope may be ahead, milliseconds.
const SKEW: u64 = 60_000;

impl Engine {
    fn own(&self, did: &str, purpose: &str) -> Result<Method, Trouble> {
        let method = self.names.method(&self.method(did), purpose);
        method
            .map_err(|error| Trouble::new(What::ProofVerification, error.code(), error.to_string()))
    }

    /// `document` in an envelope that this key closed under one of its names: a `vc+jwt` or, for an
    /// authentication, a `vp+jwt`.
    ///
    /// # Errors
    /// Another issuer's, or a presentation of something without an envelope.
    pub(super) fn envelop(
        &self,
        document: &Foreign,
        did: &str,
        holds: Enveloped,
        challenge: Option<jose::Challenge<'_>>,
    ) -> Result<Foreign, Trouble> {
        let (media, text) = match holds {
            Enveloped::Credential => {
                let method = self.own(did, "assertionMethod")?;
                let text = jose::issue_credential(document, &method, Algorithm::EdDsa, &self.key);
                (MediaType::VcJwt, text)
            }
            Enveloped::Presentation => {
                let method = self.own(did, "authentication")?;
                let (by, key) = (Algorithm::EdDsa, &self.key);
                let text = jose::issue_presentation(document, challenge, &method, by, key);
                (MediaType::VpJwt, text)
            }
        };
        let message = Wrapped::Text(text.map_err(|error| of_jose(&error))?);
        jose::wrapped(&jose::Enveloped { media, message }).map_err(|error| of_jose(&error))
    }

    /// What is in an envelope, if it was closed by whom it names and made for this challenge.
    ///
    /// # Errors
    /// Its signature does not hold, it is somebody else's, another's occasion.
    pub(super) fn open(
        &self,
        object: &Foreign,
        holds: Enveloped,
        domain: &[&str],
        challenge: Option<&str>,
        at: UnixMillis,
    ) -> Result<Holding, Trouble> {
        let envelope = jose::enveloped(object).map_err(|error| of_jose(&error))?;
        let policy = Policy {
            algorithms: ALGORITHMS,
            at,
            skew_millis: SKEW,
            untyped: false,
        };
        let verified = match (holds, &envelope.message) {
            (Enveloped::Credential, Wrapped::Text(text)) if envelope.media == MediaType::VcJwt => {
                jose::verify_credential(text, &policy, &self.names)
                    .map_err(|error| of_jose(&error))?
            }
            (Enveloped::Credential, Wrapped::Text(text))
                if envelope.media == MediaType::VcSdJwt =>
            {
                return self.shown(text, domain, challenge, &policy);
            }
            (Enveloped::Credential, Wrapped::Bytes(bytes)) => {
                cose::verify_credential(bytes, &policy, &self.names)
                    .map_err(|error| of_cose(&error))?
            }
            (Enveloped::Presentation, Wrapped::Text(text))
                if envelope.media == MediaType::VpJwt =>
            {
                let opened = jose::verify_presentation(text, None, &policy, &self.names);
                opened.map_err(|error| of_jose(&error))?.verified().clone()
            }
            (Enveloped::Presentation, Wrapped::Bytes(bytes)) => {
                let opened = cose::verify_presentation(bytes, None, &policy, &self.names);
                opened.map_err(|error| of_cose(&error))?.verified().clone()
            }
            _ => {
                let detail = format!("{} is not read here", envelope.media.full());
                return Err(Trouble::new(What::Malformed, "envelope-media", detail));
            }
        };
        made_for(verified.claims(), domain, challenge)?;
        Ok(Holding {
            document: verified.document().clone(),
            controllers: vec![verified.method().controller.clone()],
        })
    }
}

/// The oldest key binding that counts, milliseconds.
const BINDING_AGE: u64 = 600_000;

impl Engine {
    /// What is shown of an SD-JWT. Whoever asks for a domain and a challenge gets them from the
    /// holder's key binding; without, that is not looked at.
    fn shown(
        &self,
        text: &str,
        domain: &[&str],
        challenge: Option<&str>,
        policy: &Policy<'_>,
    ) -> Result<Holding, Trouble> {
        let bindings: Vec<Binding<'_>> = match (domain, challenge) {
            ([], None) => vec![Binding::NotAsked],
            ([], Some(_)) | (_, None) => {
                let detail = "options: an SD-JWT is bound to a domain and a challenge together";
                return Err(Trouble::new(What::Malformed, "option-value", detail));
            }
            (domains, Some(nonce)) => domains
                .iter()
                .map(|audience| Binding::Required {
                    challenge: jose::Challenge { audience, nonce },
                    max_age_millis: BINDING_AGE,
                })
                .collect(),
        };
        let mut refused = None;
        for binding in bindings {
            match sdjwt::verify_credential(text, binding, policy, &self.names) {
                Ok((verified, _)) => {
                    return Ok(Holding {
                        document: verified.document().clone(),
                        controllers: vec![verified.method().controller.clone()],
                    });
                }
                Err(error) => refused = Some(of_sd_jwt(&error)),
            }
        }
        Err(refused.expect("there was a binding, or none to ask for"))
    }
}

fn of_sd_jwt(error: &SdJwtError) -> Trouble {
    Trouble::new(What::Cryptography, error.code(), error.to_string())
}

/// Whether the claims beside a presentation are for this audience and this challenge.
fn made_for(claims: &Foreign, domain: &[&str], challenge: Option<&str>) -> Result<(), Trouble> {
    let audience = claims.member("aud").map(each).unwrap_or_default();
    let meant = audience.iter().filter_map(Foreign::as_text);
    if !domain.is_empty() && !meant.into_iter().any(|one| domain.contains(&one)) {
        let detail = "the audience is another";
        return Err(Trouble::new(What::Domain, "envelope-audience", detail));
    }
    let nonce = claims.member("nonce").and_then(Foreign::as_text);
    if challenge.is_some() && nonce != challenge {
        let detail = "the envelope does not answer this challenge";
        return Err(Trouble::new(What::Challenge, "envelope-challenge", detail));
    }
    Ok(())
}

fn of_jose(error: &JoseError) -> Trouble {
    let what = match error {
        JoseError::Envelope { .. } => What::Malformed,
        _ => What::Cryptography,
    };
    Trouble::new(what, error.code(), error.to_string())
}

fn of_cose(error: &CoseError) -> Trouble {
    Trouble::new(What::Cryptography, error.code(), error.to_string())
}

/// Why the data model refuses.
pub(super) fn of_model(error: &ModelError) -> Trouble {
    Trouble::new(What::Malformed, error.code(), error.to_string())
}

/// Why a status entry or list is refused.
pub(super) fn of_status(error: &StatusError) -> Trouble {
    let what = What::of(error.problem()).unwrap_or(What::StatusVerification);
    Trouble::new(what, error.code(), error.to_string())
}

/// A list's bits as the credential of the list has them.
///
/// # Errors
/// A fault of ours.
pub(super) fn encoded(bits: Vec<u8>) -> Result<String, Trouble> {
    let list = StatusList::of(bits, 1, Order::HighFirst);
    let encoded = list.and_then(|list| status::encode(&list));
    encoded.map_err(|error| of_status(&error))
}
