//! `Ed25519Signature2020`, for reading only: the proof that the vector of a VC-API suite still has.
//! It is eddsa-rdfc-2022 under another name, in a context of its own.
//!
//! Source: Data Integrity EdDSA Cryptosuites v1.0, appendix on Ed25519Signature2020.

use zhao_spec::credential::eddsa_jcs::check_value;
use zhao_spec::wire::foreign::Foreign;
use zhao_vc::context::Contexts;
use zhao_vc::did::Methods;
use zhao_vc::rdf;
use zhao_vc::time::date_time_stamp;

use super::{Demand, of_rdf};
use crate::serve::conformance::json::{each, set};
use crate::serve::conformance::trouble::{Trouble, What};

/// The type of such a proof.
const TYPE: &str = "Ed25519Signature2020";
/// The proof of `document`, if it has one of this kind and no other.
pub(super) fn of(document: &Foreign) -> Option<&Foreign> {
    let [proof] = document.member("proof").map(each)? else {
        return None;
    };
    let kind = proof.member("type").and_then(Foreign::as_text);
    (kind == Some(TYPE)).then_some(proof)
}

/// Checks that proof; whose key made it.
///
/// # Errors
/// It does not hold, or is not what is demanded.
pub(super) fn verify(
    document: &Foreign,
    proof: &Foreign,
    demand: Demand<'_>,
    methods: &dyn Methods,
    contexts: &Contexts,
) -> Result<String, Trouble> {
    let text = |name: &'static str| {
        proof
            .member(name)
            .and_then(Foreign::as_text)
            .ok_or_else(|| {
                let detail = format!("proof.{name} is missing or no text");
                Trouble::new(What::ProofVerification, "proof-shape", detail)
            })
    };
    let refused = |what, code, detail: &str| Err(Trouble::new(what, code, detail));
    for time in ["created", "expires"] {
        if time == "expires" && proof.member(time).is_none() {
            continue;
        }
        let Some(at) = date_time_stamp(text(time)?) else {
            return refused(What::ProofVerification, "proof-time", "no dateTimeStamp");
        };
        if time == "expires" && at <= demand.at {
            return refused(
                What::ProofVerification,
                "proof-expired",
                "the proof expired",
            );
        }
    }
    if text("proofPurpose")? != demand.purpose {
        return refused(What::ProofVerification, "proof-purpose", "another purpose");
    }
    if demand
        .domain
        .is_some_and(|domain| text("domain").ok() != Some(domain))
    {
        return refused(What::Domain, "proof-domain", "made for somebody else");
    }
    if demand
        .challenge
        .is_some_and(|asked| text("challenge").ok() != Some(asked))
    {
        return refused(What::Challenge, "proof-challenge", "another challenge");
    }
    let method = methods.method(text("verificationMethod")?, demand.purpose);
    let method = method
        .map_err(|error| Trouble::new(What::ProofVerification, error.code(), error.to_string()))?;
    let mut config = without(proof, "proofValue");
    if let Some(context) = document.member("@context") {
        set(&mut config, "@context", context.clone());
    }
    let canonical = |value: &Foreign| {
        let text = rdf::canonical(value, contexts).map_err(|error| of_rdf(&error))?;
        Ok::<_, Trouble>(text.into_bytes())
    };
    let config = canonical(&config)?;
    let document = canonical(&without(document, "proof"))?;
    let checked = check_value(&method.key, &config, &document, text("proofValue")?);
    checked.map_err(|error| Trouble::new(What::Cryptography, error.code(), error.to_string()))?;
    Ok(method.controller)
}

fn without(value: &Foreign, name: &str) -> Foreign {
    match value {
        Foreign::Object(members) => Foreign::Object(
            members
                .iter()
                .filter(|(other, _)| other != name)
                .cloned()
                .collect(),
        ),
        other => other.clone(),
    }
}
