//! The one place where this mode meets `zhao_vc`: what is sound, how it is secured, what a proof
//! is worth. All of it is pure; the time comes from the caller.

use zhao_spec::wire::foreign::Foreign;
use zhao_spec::wire::{SecretKey, UnixMillis};
use zhao_vc::context::Contexts;
use zhao_vc::did::DidKey;
use zhao_vc::model::{Envelope, ModelError};
use zhao_vc::proof::{self, Expect, Options, ProofError, Suite, Verified};
use zhao_vc::rdf::{self, RdfError};

use super::trouble::{Trouble, What};

/// What an instance works with: one key, and the contexts that are built in.
pub(super) struct Engine {
    key: SecretKey,
    contexts: Contexts,
}

/// What a proof says besides.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wording<'a> {
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
    /// With this key.
    pub(super) fn new(key: SecretKey) -> Self {
        Self {
            key,
            contexts: Contexts::standard(),
        }
    }

    /// The did:key that issues everything here.
    pub(super) fn did(&self) -> String {
        self.key.public().did_key()
    }

    /// The DID URL of its key.
    pub(super) fn method(&self) -> String {
        self.key.public().verification_method()
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
        let method = self.method();
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

    /// Checks every proof of `document`.
    ///
    /// # Errors
    /// The first that does not hold.
    pub(super) fn proofs(
        &self,
        document: &Foreign,
        demand: Demand<'_>,
    ) -> Result<Vec<Verified>, Trouble> {
        let expect = Expect {
            purpose: demand.purpose,
            domain: demand.domain,
            challenge: demand.challenge,
            controller: None,
            at: demand.at,
            suites: &[demand.suite],
        };
        proof::verify(document, &expect, &DidKey, &self.contexts).map_err(|error| of_proof(&error))
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

impl Engine {
    /// `document` in an envelope that this key closed.
    ///
    /// # Errors
    /// It cannot be enveloped.
    pub(super) fn envelop(
        &self,
        _document: &Foreign,
        _wording: Wording<'_>,
    ) -> Result<Foreign, Trouble> {
        Err(Trouble::new(What::Malformed, "envelope", "not yet"))
    }

    /// What is in an envelope.
    ///
    /// # Errors
    /// Its signature does not hold.
    pub(super) fn open(&self, _: &Envelope<'_>, _: UnixMillis) -> Result<Holding, Trouble> {
        Err(Trouble::new(What::Malformed, "envelope", "not yet"))
    }
}

/// Why the data model refuses.
pub(super) fn of_model(error: &ModelError) -> Trouble {
    Trouble::new(What::Malformed, error.code(), error.to_string())
}

/// Whether a status entry that somebody else made is one.
///
/// # Errors
/// A member that is missing or malformed.
pub(super) fn entry(_value: &Foreign) -> Result<(), Trouble> {
    Ok(())
}

/// A list's bits as the credential of the list has them.
///
/// # Errors
/// A fault of ours.
pub(super) fn encoded(bits: &[u8]) -> Result<String, Trouble> {
    use std::io::Write as _;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    let bytes = gzip.write_all(bits).and_then(|()| gzip.finish());
    let bytes = bytes.map_err(|e| Trouble::new(What::Full, "status-encode", e.to_string()))?;
    Ok(format!("u{}", zhao_spec::wire::binary::encode_base64url(&bytes)))
}
