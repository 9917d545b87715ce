//! A unit of record as a did:web: every key it ever had, by its ledger record.

use zhao_spec::life::record::{IssuerKey, IssuerRecord, UnitState};
use zhao_spec::log::tree::LeafIndex;
use zhao_spec::wire::clip;
use zhao_spec::wire::foreign::Foreign;

use super::resolution::CONTEXTS;
use super::{DidError, Method, Methods};

/// Where the terms of a key's window are defined.
const CONTEXT: &str = "https://zhao.example/ns/licence/v1";

/// The DID document of a unit.
///
/// A key that was retired or rotated stays in `assertionMethod`: what it signed while in force is
/// as good as ever, and a reader who has only the document must find it. A compromised key is in
/// no relationship at all. `authentication` has the keys in force, while the unit is active. The
/// window of each key stands beside it, in leaf indexes, for readers who have the log.
#[must_use]
pub fn unit_document(did: &str, record: &IssuerRecord) -> Foreign {
    let text = |text: String| Foreign::Text(text);
    let url = |key: &IssuerKey| format!("{did}#{}", key.key.to_multibase());
    let methods = record.keys.iter().map(|key| {
        let mut window = vec![
            ("from", index(key.from)),
            ("type", text("ZhaoKeyWindow".to_owned())),
        ];
        if let Some(until) = key.until {
            window.push(("until", index(until)));
        }
        if let Some(from) = key.compromised_from {
            window.push(("compromisedFrom", index(from)));
        }
        object(vec![
            ("controller", text(did.to_owned())),
            ("id", text(url(key))),
            ("keyWindow", object(window)),
            ("publicKeyMultibase", text(key.key.to_multibase())),
            ("type", text("Multikey".to_owned())),
        ])
    });
    let sound = |key: &&IssuerKey| key.compromised_from.is_none();
    let asserting = record.keys.iter().filter(sound);
    let current = record
        .keys
        .iter()
        .filter(sound)
        .filter(|key| key.until.is_none() && record.state == UnitState::Active);
    let contexts = CONTEXTS.iter().chain([&CONTEXT]);
    object(vec![
        (
            "@context",
            Foreign::Array(contexts.map(|url| text((*url).to_owned())).collect()),
        ),
        ("id", text(did.to_owned())),
        ("verificationMethod", Foreign::Array(methods.collect())),
        (
            "assertionMethod",
            Foreign::Array(asserting.map(|key| text(url(key))).collect()),
        ),
        (
            "authentication",
            Foreign::Array(current.map(|key| text(url(key))).collect()),
        ),
    ])
}

/// A unit's keys by its ledger record, for who knows where in the log a signature took effect.
#[derive(Clone, Copy, Debug)]
pub struct UnitMethods<'a> {
    /// The unit's did:web.
    pub did: &'a str,
    /// Its record.
    pub record: &'a IssuerRecord,
    /// The index of the event that the signature stands behind; none for one that is in no log, of
    /// which nobody can say when it was made.
    pub at: Option<LeafIndex>,
}

impl Methods for UnitMethods<'_> {
    /// Asserting at an index takes a key in force there; without an index, a key that is in force
    /// now. Any other purpose takes a key in force now.
    fn method(&self, url: &str, purpose: &str) -> Result<Method, DidError> {
        let fragment = url
            .strip_prefix(self.did)
            .and_then(|rest| rest.strip_prefix('#'))
            .ok_or_else(|| DidError::NoMethod { url: clip(url) })?;
        let entry = self
            .record
            .keys
            .iter()
            .find(|entry| entry.key.to_multibase() == fragment)
            .ok_or_else(|| DidError::NoMethod { url: clip(url) })?;
        let active = self.record.state == UnitState::Active;
        let now = entry.until.is_none() && entry.compromised_from.is_none() && active;
        let in_force = match (purpose, self.at) {
            ("assertionMethod", Some(index)) => entry.authorised(index),
            ("assertionMethod" | "authentication", _) => now,
            (other, _) => {
                return Err(DidError::Purpose {
                    url: clip(url),
                    purpose: clip(other),
                });
            }
        };
        if !in_force {
            return Err(DidError::NotInForce { url: clip(url) });
        }
        Ok(Method {
            id: url.to_owned(),
            controller: self.did.to_owned(),
            key: entry.key,
        })
    }
}

fn index(index: LeafIndex) -> Foreign {
    Foreign::Number(index.0.to_string().parse().unwrap_or(0.0))
}

fn object(members: Vec<(&str, Foreign)>) -> Foreign {
    Foreign::Object(
        members
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
}

#[cfg(test)]
mod tests;
