//! Policies (c2sp.org/tlog-policy): which logs are accepted, and which witnesses must agree.
//!
//! A policy is a text file that the relying party chooses. Beyond C2SP one rule is ours: two sets
//! of witnesses that both satisfy the quorum must have a witness in common, or two different logs
//! could be shown to two people with a full quorum each. For a plain `k` of `n` witnesses this
//! means more than half. What the file cannot say is in the second one, [`super::trust`].
//! Prose: `spec/policy.md`.

mod error;
mod open;
mod quorum;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use super::LogKeys;
use super::note::{KeyKind, Vkey};
use super::text::{decimal, policy_control_character, policy_lines};
use crate::wire::signature::PublicKey;
use crate::wire::{clip, limits};

pub use error::{PolicyError, PolicyProblem};
pub use open::{Cosigned, OpenError, Opened};
pub use quorum::QuorumTime;

/// A log whose checkpoints are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyLog {
    /// The log's key, of type 0x01; its name is the log's origin.
    pub vkey: Vkey,
    /// Where the log is, if the policy says; unverified and for the application to use.
    pub url: Option<String>,
}

/// A witness, under a name that means something in this file only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// Name within the policy.
    pub name: String,
    /// The witness's key, of type 0x04.
    pub vkey: Vkey,
    /// Its public key: what a quorum counts.
    pub key: PublicKey,
    /// Where the witness is, if the policy says.
    pub url: Option<String>,
}

/// A witness or a group, by its place in the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Member {
    Witness(usize),
    Group(usize),
}

/// Met when `threshold` of the members are; members are defined before it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Group {
    threshold: usize,
    members: Vec<Member>,
}

/// A policy that was read and found sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    logs: Vec<PolicyLog>,
    witnesses: Vec<Witness>,
    groups: Vec<Group>,
    /// Nothing stands for `quorum none`.
    quorum: Option<Member>,
}

impl Policy {
    /// Reads a policy file.
    ///
    /// # Errors
    /// A [`PolicyError`] with the line and what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        if text.len() > limits::POLICY_BYTES {
            return Err(PolicyError::file(PolicyProblem::SizeLimit {
                length: text.len(),
            }));
        }
        if let Some(line) = policy_control_character(text) {
            return Err(PolicyError::at(line, PolicyProblem::ControlCharacter));
        }
        let mut reader = Reader::default();
        for (line, items) in policy_lines(text) {
            reader
                .line(&items)
                .map_err(|problem| PolicyError::at(line, problem))?;
        }
        reader.finish().map_err(PolicyError::file)
    }

    /// The accepted logs, in file order.
    #[must_use]
    pub fn logs(&self) -> &[PolicyLog] {
        &self.logs
    }

    /// The same, accepting the log of these keys by any of them: for whoever follows a log that
    /// changed its key. A log that the policy does not know stays unknown.
    #[must_use]
    pub fn following(&self, keys: &LogKeys) -> Self {
        let mut policy = self.clone();
        let url = self
            .logs
            .iter()
            .find(|log| log.vkey.name() == keys.origin());
        let Some(url) = url.map(|log| log.url.clone()) else {
            return policy;
        };
        for vkey in keys.iter() {
            if self.logs.iter().all(|log| log.vkey != *vkey) {
                let (vkey, url) = (vkey.clone(), url.clone());
                policy.logs.push(PolicyLog { vkey, url });
            }
        }
        policy
    }

    /// The known witnesses, in file order; not each need be part of the quorum.
    #[must_use]
    pub fn witnesses(&self) -> &[Witness] {
        &self.witnesses
    }

    /// Whether any cosignature is needed: false for `quorum none`. A verdict under such a policy
    /// must carry a notice.
    #[must_use]
    pub fn requires_witnesses(&self) -> bool {
        self.quorum.is_some()
    }
}

/// What has been read so far.
#[derive(Default)]
struct Reader {
    logs: Vec<PolicyLog>,
    witnesses: Vec<Witness>,
    groups: Vec<Group>,
    quorum: Option<Option<Member>>,
    names: BTreeMap<String, Member>,
    /// Names that are in a group already.
    grouped: BTreeSet<String>,
    log_keys: BTreeSet<PublicKey>,
    witness_keys: BTreeSet<PublicKey>,
}

impl Reader {
    fn line(&mut self, items: &[&str]) -> Result<(), PolicyProblem> {
        match items {
            ["log", vkey] => self.log(vkey, None),
            ["log", vkey, url] => self.log(vkey, Some(url)),
            ["witness", name, vkey] => self.witness(name, vkey, None),
            ["witness", name, vkey, url] => self.witness(name, vkey, Some(url)),
            ["group", name, threshold, members @ ..] => self.group(name, threshold, members),
            ["quorum", name] => self.quorum(name),
            ["log" | "witness" | "group" | "quorum", ..] => Err(PolicyProblem::Items),
            [keyword, ..] => Err(PolicyProblem::Keyword {
                keyword: clip(keyword),
            }),
            [] => Ok(()),
        }
    }

    /// Refuses one more party when there are too many.
    fn room(&self) -> Result<(), PolicyProblem> {
        let parties = self.logs.len().saturating_add(self.names.len());
        if parties < limits::POLICY_PARTIES {
            Ok(())
        } else {
            Err(PolicyProblem::PartyLimit)
        }
    }

    fn log(&mut self, vkey: &str, url: Option<&str>) -> Result<(), PolicyProblem> {
        self.room()?;
        let (vkey, key) = read_key(vkey, KeyKind::Ed25519)?;
        if !self.log_keys.insert(key) {
            return Err(PolicyProblem::DuplicateKey {
                name: clip(vkey.name()),
            });
        }
        self.logs.push(PolicyLog {
            vkey,
            url: url.map(str::to_owned),
        });
        Ok(())
    }

    fn witness(&mut self, name: &str, vkey: &str, url: Option<&str>) -> Result<(), PolicyProblem> {
        self.room()?;
        let (vkey, key) = read_key(vkey, KeyKind::Cosignature)?;
        // The same key under two names would be counted as two witnesses.
        if !self.witness_keys.insert(key) {
            return Err(PolicyProblem::DuplicateKey { name: clip(name) });
        }
        self.define(name, Member::Witness(self.witnesses.len()))?;
        let url = url.map(str::to_owned);
        self.witnesses.push(Witness {
            name: name.to_owned(),
            vkey,
            key,
            url,
        });
        Ok(())
    }

    fn group(
        &mut self,
        name: &str,
        threshold: &str,
        members: &[&str],
    ) -> Result<(), PolicyProblem> {
        self.room()?;
        let of = members.len();
        let mut resolved = Vec::with_capacity(of);
        for member in members {
            resolved.push(self.resolve(member)?);
            if !self.grouped.insert((*member).to_owned()) {
                return Err(PolicyProblem::MemberTwice { name: clip(member) });
            }
        }
        let wanted = match threshold {
            "any" => Some(1),
            "all" => Some(of),
            number => decimal(number).and_then(|k| usize::try_from(k).ok()),
        };
        let threshold =
            wanted
                .filter(|k| (1..=of).contains(k))
                .ok_or_else(|| PolicyProblem::Threshold {
                    threshold: clip(threshold),
                    members: of,
                })?;
        self.define(name, Member::Group(self.groups.len()))?;
        self.groups.push(Group {
            threshold,
            members: resolved,
        });
        Ok(())
    }

    fn quorum(&mut self, name: &str) -> Result<(), PolicyProblem> {
        if self.quorum.is_some() {
            return Err(PolicyProblem::QuorumTwice);
        }
        let member = match name {
            "none" => None,
            _ => Some(self.resolve(name)?),
        };
        if let Some(member) = member
            && !quorum::always_meets_itself(&self.groups, member)
        {
            return Err(PolicyProblem::QuorumNotMajority { name: clip(name) });
        }
        self.quorum = Some(member);
        Ok(())
    }

    fn define(&mut self, name: &str, member: Member) -> Result<(), PolicyProblem> {
        if name == "none" {
            return Err(PolicyProblem::ReservedName);
        }
        match self.names.insert(name.to_owned(), member) {
            None => Ok(()),
            Some(_) => Err(PolicyProblem::DuplicateName { name: clip(name) }),
        }
    }

    /// Names must be defined on lines above, which also rules out circles.
    fn resolve(&self, name: &str) -> Result<Member, PolicyProblem> {
        let known = self.names.get(name).copied();
        known.ok_or_else(|| PolicyProblem::UnknownName { name: clip(name) })
    }

    fn finish(self) -> Result<Policy, PolicyProblem> {
        let quorum = self.quorum.ok_or(PolicyProblem::QuorumMissing)?;
        let Self {
            logs,
            witnesses,
            groups,
            ..
        } = self;
        Ok(Policy {
            logs,
            witnesses,
            groups,
            quorum,
        })
    }
}

/// Reads a key of the type its role needs.
fn read_key(text: &str, expected: KeyKind) -> Result<(Vkey, PublicKey), PolicyProblem> {
    let vkey = Vkey::parse(text).map_err(PolicyProblem::Vkey)?;
    match vkey.public_key() {
        Some(key) if vkey.kind() == expected => {
            let key = *key;
            Ok((vkey, key))
        }
        _ => Err(PolicyProblem::KeyType {
            actual: vkey.kind(),
            expected,
        }),
    }
}
