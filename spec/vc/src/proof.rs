//! Data Integrity: proofs, sets and chains, by the suites eddsa-jcs-2022 and eddsa-rdfc-2022.
//! Prose: `spec/data-integrity.md`.
//!
//! What this adds to `zhao_spec::credential::eddsa_jcs`, which reads the one proof of our closed
//! profile: the second suite, several proofs, proofs on proofs, and the options a proof is made
//! and read with. Whether a key belongs to the issuer is decided here as well, if the caller says
//! whose it must be ([`Expect::controller`]).

use zhao_spec::credential::eddsa_jcs::{PROOF_TYPE, check_value_by, proof_value};
use zhao_spec::wire::foreign::{Foreign, canonicalize};
use zhao_spec::wire::{Signer, UnixMillis, clip};

use crate::context::Contexts;
use crate::did::Methods;
use crate::rdf;
use crate::time::date_time_stamp;

mod error;
mod read;
#[cfg(test)]
mod tests;

pub use error::ProofError;
use read::Config;

/// Proofs of one document: a set or chain has two or three.
pub const PROOFS: usize = 16;

/// How a proof is made. Chosen by whoever verifies, never by the proof.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Suite {
    /// `eddsa-jcs-2022`: what is signed is the JSON (RFC 8785).
    #[default]
    EddsaJcs2022,
    /// `eddsa-rdfc-2022`: what is signed is the RDF (RDFC-1.0).
    EddsaRdfc2022,
}

impl Suite {
    /// Both.
    pub const ALL: &[Self] = &[Self::EddsaJcs2022, Self::EddsaRdfc2022];

    /// The name as it stands in `cryptosuite`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EddsaJcs2022 => "eddsa-jcs-2022",
            Self::EddsaRdfc2022 => "eddsa-rdfc-2022",
        }
    }

    fn of(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|suite| suite.as_str() == name)
    }
}

/// What a new proof says of itself. Texts are taken as they are, but times are checked.
#[derive(Clone, Debug, Default)]
pub struct Options<'a> {
    /// The suite; eddsa-jcs-2022 unless said otherwise.
    pub suite: Suite,
    /// The DID URL of the key that signs.
    pub verification_method: &'a str,
    /// What the proof is for: `assertionMethod`, `authentication`.
    pub purpose: &'a str,
    /// When it was made, an XML Schema `dateTimeStamp`.
    pub created: Option<&'a str>,
    /// Until when it holds, likewise.
    pub expires: Option<&'a str>,
    /// For whom it was made.
    pub domain: Option<&'a str>,
    /// What it answers.
    pub challenge: Option<&'a str>,
    /// Anything that makes it unlike others.
    pub nonce: Option<&'a str>,
    /// Its own identifier, by which a later proof names it.
    pub id: Option<&'a str>,
    /// Identifiers of the proofs it is made upon: they are signed along with the document.
    pub previous_proof: &'a [&'a str],
}

/// What a verifier demands of each proof.
#[derive(Clone, Copy, Debug)]
pub struct Expect<'a> {
    /// What the proof must be for.
    pub purpose: &'a str,
    /// For whom it must have been made: one of the proof's domains. `None`: any.
    pub domain: Option<&'a str>,
    /// What it must answer. `None`: anything.
    pub challenge: Option<&'a str>,
    /// Whose key it must be. `None`: the caller looks at [`Verified::controller`] himself.
    pub controller: Option<&'a str>,
    /// When it must hold.
    pub at: UnixMillis,
    /// The suites that are accepted.
    pub suites: &'a [Suite],
}

/// A proof that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The DID URL of the key.
    pub method: String,
    /// The DID whose key it is.
    pub controller: String,
    /// How it was made.
    pub suite: Suite,
    /// When it says that it was made.
    pub created: Option<UnixMillis>,
    /// Its identifier.
    pub id: Option<String>,
}

/// Adds a proof to `document`, beside those it has.
///
/// # Errors
/// No object; times that are none; a `previous_proof` that the document does not have; as
/// [`rdf::canonical`], for eddsa-rdfc-2022; the signer's.
pub fn add<S: Signer + ?Sized>(
    document: &Foreign,
    options: &Options<'_>,
    signer: &S,
    contexts: &Contexts,
) -> Result<Foreign, ProofError> {
    let (unsecured, proofs) = read::split(document)?;
    if proofs.len() >= PROOFS {
        return Err(ProofError::TooMany);
    }
    let suite = options.suite;
    let mut members = config(options)?;
    if suite == Suite::EddsaJcs2022
        && let Some(context) = document.member("@context")
    {
        // Data Integrity EdDSA §3.3.5: the contexts of this suite are signed as JSON.
        members.push(("@context".to_owned(), context.clone()));
    }
    let config = Foreign::Object(members);
    let read = Config::read(&config)?;
    let upon = read::upon(&proofs, &read.previous)?;
    let document = read::signed_document(&unsecured, &read, upon)?;
    let value = {
        let (config, document) = canonical(suite, &config, &document, contexts)?;
        proof_value(signer, &config, &document).map_err(ProofError::Signer)?
    };
    let Foreign::Object(mut members) = config else {
        return Err(ProofError::Shape { member: "proof" });
    };
    members.push(("proofValue".to_owned(), Foreign::Text(value)));
    let mut all: Vec<Foreign> = proofs.into_iter().cloned().collect();
    all.push(Foreign::Object(members));
    Ok(read::with_proofs(&unsecured, all))
}

/// Checks every proof of `document`: all hold, or it is an error.
///
/// # Errors
/// The first proof that does not hold, in the document's order, and why.
pub fn verify(
    document: &Foreign,
    expect: &Expect<'_>,
    methods: &dyn Methods,
    contexts: &Contexts,
) -> Result<Vec<Verified>, ProofError> {
    let (unsecured, proofs) = read::split(document)?;
    if proofs.is_empty() {
        return Err(ProofError::Missing);
    }
    if proofs.len() > PROOFS {
        return Err(ProofError::TooMany);
    }
    read::distinct(&proofs)?;
    proofs
        .iter()
        .map(|proof| one(&unsecured, &proofs, proof, expect, methods, contexts))
        .collect()
}

/// Checks one proof of a document.
fn one(
    unsecured: &[(String, Foreign)],
    proofs: &[&Foreign],
    proof: &Foreign,
    expect: &Expect<'_>,
    methods: &dyn Methods,
    contexts: &Contexts,
) -> Result<Verified, ProofError> {
    let read = Config::read(proof)?;
    let suite = read.suite(expect.suites)?;
    read.meets(expect)?;
    let upon = read::upon(proofs, &read.previous)?;
    let value = read.value()?;
    let method = methods
        .method(read.method, expect.purpose)
        .map_err(ProofError::Method)?;
    if let Some(controller) = expect.controller
        && controller != method.controller
    {
        return Err(ProofError::Controller {
            expected: clip(controller),
            actual: clip(&method.controller),
        });
    }
    let document = read::signed_document(unsecured, &read, upon)?;
    let config = read::without_value(proof);
    let (config, document) = canonical(suite, &config, &document, contexts)?;
    check_value_by(&config, &document, value, |data, signature| {
        methods.check(&method, data, signature)
    })
    .map_err(ProofError::Signature)?;
    Ok(Verified {
        method: method.id,
        controller: method.controller,
        suite,
        created: read.created,
        id: read.id.map(str::to_owned),
    })
}

/// The bytes whose hashes are signed: of the proof's configuration, and of the document.
fn canonical(
    suite: Suite,
    config: &Foreign,
    document: &Foreign,
    contexts: &Contexts,
) -> Result<(Vec<u8>, Vec<u8>), ProofError> {
    match suite {
        Suite::EddsaJcs2022 => Ok((canonicalize(config), canonicalize(document))),
        Suite::EddsaRdfc2022 => {
            // Data Integrity EdDSA §3.2.5: the configuration is read by the document's contexts.
            let config = read::with_context(config, document.member("@context"));
            let config = rdf::canonical(&config, contexts).map_err(ProofError::Rdf)?;
            let document = rdf::canonical(document, contexts).map_err(ProofError::Rdf)?;
            Ok((config.into_bytes(), document.into_bytes()))
        }
    }
}

/// The members of a new proof's configuration.
fn config(options: &Options<'_>) -> Result<Vec<(String, Foreign)>, ProofError> {
    for (member, time) in [("created", options.created), ("expires", options.expires)] {
        if let Some(text) = time
            && date_time_stamp(text).is_none()
        {
            return Err(ProofError::Time {
                member,
                actual: clip(text),
            });
        }
    }
    let text = |text: &str| Foreign::Text(text.to_owned());
    let previous = match options.previous_proof {
        [] => None,
        [one] => Some(text(one)),
        several => Some(Foreign::Array(several.iter().map(|id| text(id)).collect())),
    };
    let members = [
        ("id", options.id.map(text)),
        ("type", Some(text(PROOF_TYPE))),
        ("cryptosuite", Some(text(options.suite.as_str()))),
        ("created", options.created.map(text)),
        ("expires", options.expires.map(text)),
        (
            "verificationMethod",
            Some(text(options.verification_method)),
        ),
        ("proofPurpose", Some(text(options.purpose))),
        ("domain", options.domain.map(text)),
        ("challenge", options.challenge.map(text)),
        ("nonce", options.nonce.map(text)),
        ("previousProof", previous),
    ];
    Ok(members
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect())
}
