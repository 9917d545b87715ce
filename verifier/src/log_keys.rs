//! Which key must have signed a head: the policy's, until the log's administrators named another.
//!
//! The administrators are the root of trust, and what names a key is an event with their
//! signatures, so a file's own authorities may show it, or a pack. Whoever holds a key that was
//! replaced can leave the event out; against that stand the witnesses, and a pack or a policy that
//! knows.

use zhao_spec::file::{AnyFile, Authorities, IssuerPack};
use zhao_spec::life::record::Record;
use zhao_spec::log::note::{KeyKind, Vkey};
use zhao_spec::log::tree::TreeSize;
use zhao_spec::log::{HeadKey, head_key_at};

use crate::policy::TrustPolicy;
use crate::replay;

/// The member of a registry's record without which it names no key.
const NAMED: &str = "\"logKeys\"";

/// Keys that administrators named, as far as file and pack show them.
#[derive(Debug, Default)]
pub(crate) struct LogKeys {
    /// By origin: the file's, then the pack's.
    shown: Vec<(String, Vec<HeadKey>)>,
}

impl LogKeys {
    /// What a file and a pack show.
    pub(crate) fn shown(file: &AnyFile, pack: Option<&[u8]>, policy: &TrustPolicy) -> Self {
        let authorities = match file {
            AnyFile::Answer(answer) => Some(&answer.authorities),
            AnyFile::Dossier(dossier) => dossier.authorities.as_ref(),
            AnyFile::IssuerPack(pack) => Some(&pack.authorities),
            AnyFile::Evidence(_) | AnyFile::History(_) | AnyFile::Receipt(_) => None,
        };
        // Most packs name no key, and reading one only to learn that would cost as much as judging
        // the licence.
        let pack = pack
            .filter(|bytes| std::str::from_utf8(bytes).is_ok_and(|text| text.contains(NAMED)))
            .and_then(|bytes| IssuerPack::parse(bytes).ok());
        let sources = authorities
            .into_iter()
            .chain(pack.as_ref().map(|pack| &pack.authorities));
        Self {
            shown: sources.filter_map(|own| named(own, policy)).collect(),
        }
    }

    /// The key that must have signed a head of this size; none: one of the policy's.
    pub(crate) fn at(&self, origin: &str, size: TreeSize) -> Option<Vkey> {
        // One chain of events: the longer of two is the later.
        let mut keys: &[HeadKey] = &[];
        for (_, shown) in self.shown.iter().filter(|(known, _)| known == origin) {
            if shown.len() > keys.len() {
                keys = shown;
            }
        }
        Vkey::new(origin, KeyKind::Ed25519, *head_key_at(keys, size)?).ok()
    }
}

/// The keys that a log's administrators named for its heads, if these authorities prove it under
/// the policy: none otherwise.
#[must_use]
pub fn named_log_keys(authorities: &Authorities, policy: &TrustPolicy) -> Vec<HeadKey> {
    named(authorities, policy).map_or_else(Vec::new, |(_, keys)| keys)
}

/// The keys that these authorities prove to be the log's, and its origin.
fn named(authorities: &Authorities, policy: &TrustPolicy) -> Option<(String, Vec<HeadKey>)> {
    let own = &authorities.registry;
    if own.placed.record.log_keys.is_empty() {
        return None;
    }
    let origin = &own.genesis.origin;
    if policy.trust.genesis_of(origin) != Some(&own.genesis.hash()) {
        return None;
    }
    let (registry, problem) = replay::registry(&own.genesis, &own.history);
    let Some(Record::Registry(record)) = registry.last().filter(|_| problem.is_none()) else {
        return None;
    };
    // As in policy and trust file: a log that is its own witness says nothing it has not said.
    let cosigns = |named: &HeadKey| {
        let witness = policy.policy.witnesses().iter().map(|w| &w.key);
        let auditor = policy.trust.auditors.iter().map(|auditor| &auditor.key);
        witness.chain(auditor).any(|key| *key == named.key)
    };
    let usable = *record == own.placed.record && !record.log_keys.iter().any(cosigns);
    usable.then(|| (origin.clone(), record.log_keys.clone()))
}
