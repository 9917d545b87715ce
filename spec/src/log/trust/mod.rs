//! The second policy file, `trust.txt`: what a tlog-policy has no words for.
//!
//! It names the administrators of each log (by the hash of the log's first entry), the auditors
//! whose cosignature says that the map is right, how old answers may be, and which parties are
//! the operator's own. Same line style as tlog-policy. Prose: `spec/trust.md`.

mod error;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use super::note::{KeyKind, Vkey, check_name};
use super::policy::Policy;
use super::text::{decimal, policy_control_character, policy_lines};
use crate::wire::hash::Hash;
use crate::wire::signature::PublicKey;
use crate::wire::time::parse_duration;
use crate::wire::{clip, limits};

pub use error::{TrustError, TrustProblem};

/// Who may administer a log: its genesis leaf says so, and this is the leaf's hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Administrator {
    /// Origin of the log.
    pub origin: String,
    /// Leaf hash of its entry 0.
    pub genesis: Hash,
}

/// An auditor: recomputes the map, and cosigns with a key used for nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Auditor {
    /// Name within this file.
    pub name: String,
    /// The auditor's key, of type 0x04.
    pub vkey: Vkey,
    /// Its public key: what is counted.
    pub key: PublicKey,
    /// Run by the log's operator, so not independent: verdicts say so.
    pub local: bool,
}

/// A trust file that was read and found complete. Durations are milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    /// One for each accepted log; no origin twice; at least one.
    pub administrators: Vec<Administrator>,
    /// The known auditors; no name and no key twice.
    pub auditors: Vec<Auditor>,
    /// How many of them must have cosigned; nothing for `auditors none`, which verdicts mention.
    pub required_auditors: Option<usize>,
    /// Oldest quorum time that still counts as current.
    pub max_age: u64,
    /// Longest time from an epoch's own time to the quorum's.
    pub max_lag: u64,
    /// Oldest epoch of an issuer pack that still counts.
    pub pack_max_age: u64,
    /// How far one clock may be ahead of another.
    pub skew: u64,
    /// Longest time a log may take to include an accepted event.
    pub inclusion_bound: u64,
    /// Names of policy witnesses that the log's operator runs himself.
    pub local_witnesses: Vec<String>,
}

impl Trust {
    /// Reads a trust file. Every setting must be there: nothing has a default.
    ///
    /// # Errors
    /// A [`TrustError`] with the line and what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, TrustError> {
        if text.len() > limits::POLICY_BYTES {
            return Err(TrustError::file(TrustProblem::SizeLimit {
                length: text.len(),
            }));
        }
        if let Some(line) = policy_control_character(text) {
            return Err(TrustError::at(line, TrustProblem::ControlCharacter));
        }
        let mut reader = Reader::default();
        let mut auditors_line = None;
        for (line, items) in policy_lines(text) {
            reader
                .line(&items)
                .map_err(|problem| TrustError::at(line, problem))?;
            if items.first() == Some(&"auditors") {
                auditors_line = Some(line);
            }
        }
        reader.finish().map_err(|problem| match problem {
            // Known only at the end, since auditors may follow; the line is that of the number.
            TrustProblem::AuditorsOutOfRange { .. } => TrustError {
                line: auditors_line,
                problem,
            },
            _ => TrustError::file(problem),
        })
    }

    /// Checks this file against the policy beside it: each log has administrators, each local
    /// witness exists, and no auditor signs with a witness's key (a cosignature by such a key
    /// could not be told from "append-only").
    ///
    /// # Errors
    /// `AdministratorMissing`, `UnknownWitness`, `AuditorIsWitness`; without a line.
    pub fn check_against(&self, policy: &Policy) -> Result<(), TrustError> {
        for log in policy.logs() {
            let origin = log.vkey.name();
            if self.genesis_of(origin).is_none() {
                let problem = TrustProblem::AdministratorMissing {
                    origin: clip(origin),
                };
                return Err(TrustError::file(problem));
            }
        }
        for name in &self.local_witnesses {
            if !policy
                .witnesses()
                .iter()
                .any(|witness| witness.name == *name)
            {
                return Err(TrustError::file(TrustProblem::UnknownWitness {
                    name: clip(name),
                }));
            }
        }
        for auditor in &self.auditors {
            if policy
                .witnesses()
                .iter()
                .any(|witness| witness.key == auditor.key)
            {
                let name = clip(&auditor.name);
                return Err(TrustError::file(TrustProblem::AuditorIsWitness { name }));
            }
        }
        Ok(())
    }

    /// Leaf hash of entry 0 of the log `origin`, if the file names it.
    #[must_use]
    pub fn genesis_of(&self, origin: &str) -> Option<&Hash> {
        let found = self
            .administrators
            .iter()
            .find(|each| each.origin == origin);
        found.map(|each| &each.genesis)
    }

    /// Whether these verified auditors' keys are enough. A key counts once, unknown ones nothing.
    #[must_use]
    pub fn auditors_met(&self, cosigned: &[PublicKey]) -> bool {
        let distinct: BTreeSet<_> = cosigned
            .iter()
            .filter(|key| self.auditors.iter().any(|auditor| auditor.key == **key))
            .collect();
        self.required_auditors
            .is_none_or(|required| distinct.len() >= required)
    }

    /// Whether this witness of the policy is run by the log's operator.
    #[must_use]
    pub fn is_local_witness(&self, name: &str) -> bool {
        self.local_witnesses.iter().any(|local| local == name)
    }
}

/// What has been read so far.
#[derive(Default)]
struct Reader {
    administrators: Vec<Administrator>,
    auditors: Vec<Auditor>,
    required_auditors: Option<Option<usize>>,
    max_age: Option<u64>,
    max_lag: Option<u64>,
    pack_max_age: Option<u64>,
    skew: Option<u64>,
    inclusion_bound: Option<u64>,
    local_witnesses: Vec<String>,
}

impl Reader {
    fn line(&mut self, items: &[&str]) -> Result<(), TrustProblem> {
        match items {
            ["administrator", origin, hash] => self.administrator(origin, hash),
            ["auditor", name, vkey] => self.auditor(name, vkey, false),
            ["auditor", name, vkey, "local"] => self.auditor(name, vkey, true),
            ["auditors", number] => self.auditors(number),
            ["max-age", text] => set(&mut self.max_age, "max-age", text, 1),
            ["pack-max-age", text] => set(&mut self.pack_max_age, "pack-max-age", text, 1),
            ["max-lag", text] => set(&mut self.max_lag, "max-lag", text, 1),
            // A clock may be required to be exact; the other bounds would refuse everything.
            ["skew", text] => set(&mut self.skew, "skew", text, 0),
            ["inclusion-bound", text] => set(&mut self.inclusion_bound, "inclusion-bound", text, 1),
            ["local-witness", name] => self.local_witness(name),
            [
                "administrator" | "auditor" | "auditors" | "max-age" | "max-lag" | "pack-max-age"
                | "skew" | "inclusion-bound" | "local-witness",
                ..,
            ] => Err(TrustProblem::Items),
            [keyword, ..] => Err(TrustProblem::Keyword {
                keyword: clip(keyword),
            }),
            [] => Ok(()),
        }
    }

    /// Refuses one more party when there are too many.
    fn room(&self) -> Result<(), TrustProblem> {
        let parties = self
            .administrators
            .len()
            .saturating_add(self.auditors.len());
        let parties = parties.saturating_add(self.local_witnesses.len());
        if parties < limits::POLICY_PARTIES {
            Ok(())
        } else {
            Err(TrustProblem::PartyLimit)
        }
    }

    fn administrator(&mut self, origin: &str, hash: &str) -> Result<(), TrustProblem> {
        self.room()?;
        check_name(origin).map_err(|_| TrustProblem::Origin {
            origin: clip(origin),
        })?;
        let genesis = Hash::from_base64(hash).map_err(|_| TrustProblem::Genesis)?;
        if self.administrators.iter().any(|each| each.origin == origin) {
            return Err(TrustProblem::DuplicateOrigin {
                origin: clip(origin),
            });
        }
        self.administrators.push(Administrator {
            origin: origin.to_owned(),
            genesis,
        });
        Ok(())
    }

    fn auditor(&mut self, name: &str, vkey: &str, local: bool) -> Result<(), TrustProblem> {
        self.room()?;
        let vkey = Vkey::parse(vkey).map_err(TrustProblem::Vkey)?;
        let expected = KeyKind::Cosignature;
        let key = match vkey.public_key() {
            Some(key) if vkey.kind() == expected => *key,
            _ => {
                return Err(TrustProblem::KeyType {
                    actual: vkey.kind(),
                    expected,
                });
            }
        };
        if self.auditors.iter().any(|each| each.name == name) {
            return Err(TrustProblem::DuplicateName { name: clip(name) });
        }
        if self.auditors.iter().any(|each| each.key == key) {
            return Err(TrustProblem::DuplicateKey { name: clip(name) });
        }
        self.auditors.push(Auditor {
            name: name.to_owned(),
            vkey,
            key,
            local,
        });
        Ok(())
    }

    fn auditors(&mut self, number: &str) -> Result<(), TrustProblem> {
        let required = match number {
            "none" => None,
            _ => {
                let k = decimal(number).and_then(|k| usize::try_from(k).ok());
                Some(k.ok_or_else(|| TrustProblem::Number { text: clip(number) })?)
            }
        };
        match self.required_auditors.replace(required) {
            None => Ok(()),
            Some(_) => Err(TrustProblem::Repeated {
                setting: "auditors",
            }),
        }
    }

    fn local_witness(&mut self, name: &str) -> Result<(), TrustProblem> {
        self.room()?;
        if self.local_witnesses.iter().any(|each| each == name) {
            return Err(TrustProblem::DuplicateName { name: clip(name) });
        }
        self.local_witnesses.push(name.to_owned());
        Ok(())
    }

    fn finish(self) -> Result<Trust, TrustProblem> {
        let missing = |setting| TrustProblem::Missing { setting };
        if self.administrators.is_empty() {
            return Err(missing("administrator"));
        }
        let required_auditors = self.required_auditors.ok_or(missing("auditors"))?;
        if let Some(required) = required_auditors
            && !(1..=self.auditors.len()).contains(&required)
        {
            let listed = self.auditors.len();
            return Err(TrustProblem::AuditorsOutOfRange { required, listed });
        }
        Ok(Trust {
            administrators: self.administrators,
            auditors: self.auditors,
            required_auditors,
            max_age: self.max_age.ok_or(missing("max-age"))?,
            max_lag: self.max_lag.ok_or(missing("max-lag"))?,
            pack_max_age: self.pack_max_age.ok_or(missing("pack-max-age"))?,
            skew: self.skew.ok_or(missing("skew"))?,
            inclusion_bound: self.inclusion_bound.ok_or(missing("inclusion-bound"))?,
            local_witnesses: self.local_witnesses,
        })
    }
}

/// Reads a duration into a setting that may be given once.
fn set(
    slot: &mut Option<u64>,
    setting: &'static str,
    text: &str,
    least: u64,
) -> Result<(), TrustProblem> {
    let duration = parse_duration(text).ok().filter(|millis| *millis >= least);
    let duration = duration.ok_or_else(|| TrustProblem::Duration { text: clip(text) })?;
    match slot.replace(duration) {
        None => Ok(()),
        Some(_) => Err(TrustProblem::Repeated { setting }),
    }
}
