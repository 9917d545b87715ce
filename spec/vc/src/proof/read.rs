//! A proof's members, and what it was made over.

use zhao_spec::credential::eddsa_jcs::PROOF_TYPE;
use zhao_spec::wire::foreign::Foreign;
use zhao_spec::wire::{UnixMillis, clip};

use super::{Expect, PROOFS, ProofError, Suite};
use crate::time::date_time_stamp;

/// A document in two: its members without `proof`, and its proofs.
pub(super) type Parts<'a> = (Vec<(String, Foreign)>, Vec<&'a Foreign>);

/// Takes the proofs off a document.
pub(super) fn split(document: &Foreign) -> Result<Parts<'_>, ProofError> {
    let Foreign::Object(members) = document else {
        return Err(ProofError::Shape { member: "document" });
    };
    let proofs = match document.member("proof") {
        None => Vec::new(),
        Some(proof @ Foreign::Object(_)) => vec![proof],
        Some(Foreign::Array(several)) => several.iter().collect(),
        Some(_) => return Err(ProofError::Shape { member: "proof" }),
    };
    if !proofs
        .iter()
        .all(|proof| matches!(proof, Foreign::Object(_)))
    {
        return Err(ProofError::Shape { member: "proof" });
    }
    let unsecured = members
        .iter()
        .filter(|(name, _)| name != "proof")
        .cloned()
        .collect();
    Ok((unsecured, proofs))
}

/// Puts proofs on: one stands alone, several in an array.
pub(super) fn with_proofs(unsecured: &[(String, Foreign)], mut proofs: Vec<Foreign>) -> Foreign {
    let mut members = unsecured.to_vec();
    let value = if proofs.len() == 1 {
        proofs.pop()
    } else {
        Some(Foreign::Array(proofs))
    };
    members.extend(value.map(|value| ("proof".to_owned(), value)));
    Foreign::Object(members)
}

/// No two proofs have one identifier.
pub(super) fn distinct(proofs: &[&Foreign]) -> Result<(), ProofError> {
    let mut seen = Vec::with_capacity(PROOFS);
    for id in proofs.iter().filter_map(|proof| proof.member("id")) {
        if seen.contains(&id) {
            return Err(ProofError::Duplicate {
                id: clip(id.as_text().unwrap_or_default()),
            });
        }
        seen.push(id);
    }
    Ok(())
}

/// The proofs that a proof is made upon, in the document's order.
///
/// # Errors
/// One that is not there.
pub(super) fn upon(proofs: &[&Foreign], previous: &[&str]) -> Result<Vec<Foreign>, ProofError> {
    let id = |proof: &Foreign| {
        proof
            .member("id")
            .and_then(Foreign::as_text)
            .map(str::to_owned)
    };
    let ids: Vec<_> = proofs.iter().map(|proof| id(proof)).collect();
    for wanted in previous {
        if !ids.iter().any(|id| id.as_deref() == Some(*wanted)) {
            return Err(ProofError::Previous { id: clip(wanted) });
        }
    }
    Ok(proofs
        .iter()
        .zip(&ids)
        .filter(|(_, id)| id.as_deref().is_some_and(|id| previous.contains(&id)))
        .map(|(proof, _)| (*proof).clone())
        .collect())
}

/// The document as a proof signed it: by the proof's contexts, with the proofs it is made upon.
///
/// Source: Data Integrity EdDSA §3.3.2 (contexts); Data Integrity 1.0 §4.6 (chains).
pub(super) fn signed_document(
    unsecured: &[(String, Foreign)],
    config: &Config<'_>,
    upon: Vec<Foreign>,
) -> Result<Foreign, ProofError> {
    let mut members = unsecured.to_vec();
    if let Some(signed) = config.context {
        let own = members.iter_mut().find(|(name, _)| name == "@context");
        match own {
            Some((_, own)) if begins_with(own, signed) => *own = signed.clone(),
            _ => return Err(ProofError::ContextPrefix),
        }
    }
    if !upon.is_empty() {
        members.push(("proof".to_owned(), Foreign::Array(upon)));
    }
    Ok(Foreign::Object(members))
}

/// Whether the contexts `all` begin with `first`, each taken as a list.
fn begins_with(all: &Foreign, first: &Foreign) -> bool {
    fn list(value: &Foreign) -> &[Foreign] {
        match value {
            Foreign::Array(items) => items,
            one => std::slice::from_ref(one),
        }
    }
    list(all).starts_with(list(first))
}

/// A proof without what it proves by.
pub(super) fn without_value(proof: &Foreign) -> Foreign {
    keep(proof, |name| name != "proofValue")
}

/// A configuration under the document's contexts.
pub(super) fn with_context(config: &Foreign, context: Option<&Foreign>) -> Foreign {
    let mut config = keep(config, |name| name != "@context");
    if let (Foreign::Object(members), Some(context)) = (&mut config, context) {
        members.insert(0, ("@context".to_owned(), context.clone()));
    }
    config
}

fn keep(object: &Foreign, wanted: impl Fn(&str) -> bool) -> Foreign {
    match object {
        Foreign::Object(members) => Foreign::Object(
            members
                .iter()
                .filter(|(name, _)| wanted(name))
                .cloned()
                .collect(),
        ),
        other => other.clone(),
    }
}

/// What a proof says of itself.
#[derive(Debug)]
pub(super) struct Config<'a> {
    suite: &'a str,
    pub(super) method: &'a str,
    purpose: &'a str,
    pub(super) id: Option<&'a str>,
    pub(super) created: Option<UnixMillis>,
    expires: Option<UnixMillis>,
    domains: Vec<&'a str>,
    challenge: Option<&'a str>,
    pub(super) previous: Vec<&'a str>,
    context: Option<&'a Foreign>,
    value: Option<&'a str>,
}

impl<'a> Config<'a> {
    /// Reads a proof: every member it knows is of its kind.
    pub(super) fn read(proof: &'a Foreign) -> Result<Self, ProofError> {
        let kind = need(proof, "type")?;
        if kind != PROOF_TYPE {
            return Err(ProofError::Type { actual: clip(kind) });
        }
        text(proof, "nonce")?;
        Ok(Self {
            suite: need(proof, "cryptosuite")?,
            method: need(proof, "verificationMethod")?,
            purpose: need(proof, "proofPurpose")?,
            id: text(proof, "id")?,
            created: time(proof, "created")?,
            expires: time(proof, "expires")?,
            domains: texts(proof, "domain")?,
            challenge: text(proof, "challenge")?,
            previous: texts(proof, "previousProof")?,
            context: proof.member("@context"),
            value: text(proof, "proofValue")?,
        })
    }

    /// The suite, if it is one of those accepted.
    pub(super) fn suite(&self, accepted: &[Suite]) -> Result<Suite, ProofError> {
        Suite::of(self.suite)
            .filter(|suite| accepted.contains(suite))
            .ok_or_else(|| ProofError::Suite {
                actual: clip(self.suite),
            })
    }

    /// Checks what the verifier demands beside the signature.
    pub(super) fn meets(&self, expect: &Expect<'_>) -> Result<(), ProofError> {
        if self.purpose != expect.purpose {
            return Err(ProofError::Purpose {
                actual: clip(self.purpose),
                expected: clip(expect.purpose),
            });
        }
        if self.expires.is_some_and(|expires| expires <= expect.at) {
            return Err(ProofError::Expired);
        }
        if let Some(domain) = expect.domain
            && !self.domains.contains(&domain)
        {
            return Err(ProofError::Domain {
                expected: clip(domain),
            });
        }
        if expect.challenge.is_some() && self.challenge != expect.challenge {
            return Err(ProofError::Challenge);
        }
        Ok(())
    }

    /// What it proves by.
    pub(super) fn value(&self) -> Result<&'a str, ProofError> {
        let member = "proofValue";
        self.value.ok_or(ProofError::Shape { member })
    }
}

fn need<'a>(proof: &'a Foreign, member: &'static str) -> Result<&'a str, ProofError> {
    text(proof, member)?.ok_or(ProofError::Shape { member })
}

fn text<'a>(proof: &'a Foreign, member: &'static str) -> Result<Option<&'a str>, ProofError> {
    match proof.member(member) {
        None => Ok(None),
        Some(Foreign::Text(text)) if !text.is_empty() => Ok(Some(text)),
        Some(_) => Err(ProofError::Shape { member }),
    }
}

/// One text or several.
fn texts<'a>(proof: &'a Foreign, member: &'static str) -> Result<Vec<&'a str>, ProofError> {
    match proof.member(member) {
        Some(Foreign::Array(items)) => items
            .iter()
            .map(|item| item.as_text().ok_or(ProofError::Shape { member }))
            .collect(),
        _ => Ok(text(proof, member)?.into_iter().collect()),
    }
}

fn time(proof: &Foreign, member: &'static str) -> Result<Option<UnixMillis>, ProofError> {
    let Some(text) = text(proof, member)? else {
        return Ok(None);
    };
    match date_time_stamp(text) {
        Some(instant) => Ok(Some(instant)),
        None => Err(ProofError::Time {
            member,
            actual: clip(text),
        }),
    }
}
