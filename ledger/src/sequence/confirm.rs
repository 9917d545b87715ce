//! Before the key signs after a start: do the witnesses know of a head this database lacks?
//!
//! A database and its intent may both have been put back from a backup; then only others know what
//! was published since. Any published head has a quorum of witnesses, so it is enough to hear from
//! so many that those still silent are no quorum by themselves. Waiting for that costs nothing:
//! while the silent ones could be a quorum, those who answer are none, and nothing could be
//! published anyway.

use zhao_spec::log::cosignature::UnixSeconds;
use zhao_spec::log::note::{SignedNote, Vkey};
use zhao_spec::wire::PublicKey;

use super::Sequencer;
use super::cosign::{CosignError, CosignRequest};
use super::error::CommitError;
use super::second_log::log_root;

impl Sequencer {
    /// Asks every cosigner that has not answered since the start for its last head.
    pub(super) fn confirm(&mut self) -> Result<(), CommitError> {
        if self.confirmed {
            return Ok(());
        }
        self.silent.clear();
        let ours = self.edge.size();
        let keys = self.keys_now()?;
        for (at, head) in self.panel.heads(&keys) {
            let Some(member) = self.panel.members.get_mut(at) else {
                continue;
            };
            let name = member.vkey.name().to_owned();
            match head {
                // Whoever cosigned what is published here, and shows nothing, has lost its memory
                // or has no such page. It may say in another way that there is nothing newer.
                Ok(None) if cosigned(&self.published.note, &member.vkey) => {
                    if let Err(error) = self.cosigns_again(at) {
                        let why = format!("shows none of the heads it cosigned, and {error}");
                        self.silent.push((name, why));
                    } else if let Some(member) = self.panel.members.get_mut(at) {
                        member.size = self.published.size;
                        member.answered = true;
                    }
                    continue;
                }
                Ok(None) => {}
                Ok(Some(seen)) => {
                    let (size, root) = (seen.checkpoint.size, seen.checkpoint.root);
                    let ahead = size > ours;
                    let differs = !ahead && log_root(&*self.store, size, &[])? != root;
                    if (ahead || differs) && !seen.current {
                        let why = "shows a head that is not ours, signed by a replaced key";
                        self.silent.push((name, why.to_owned()));
                        continue;
                    }
                    if ahead {
                        let theirs = size;
                        return Err(CommitError::WitnessAhead { name, theirs, ours });
                    }
                    if differs {
                        return Err(CommitError::WitnessDisagrees { name, size });
                    }
                    member.size = size;
                }
                Err(error) => {
                    self.silent.push((name, error.to_string()));
                    continue;
                }
            }
            member.answered = true;
        }
        if self.silent_are_a_quorum() {
            let silent = self
                .silent
                .iter()
                .map(|(name, _)| name.as_str())
                .collect::<Vec<_>>();
            return Err(CommitError::Unconfirmed {
                silent: silent.join(", "),
            });
        }
        self.confirmed = true;
        Ok(())
    }

    /// Whether a cosigner cosigns the published head once more, as the last one it cosigned.
    fn cosigns_again(&mut self, at: usize) -> Result<(), CosignError> {
        let refused = |error: &dyn std::fmt::Display| CosignError::Refused(error.to_string());
        let note = &self.published.note;
        let opened = self.keys.open(note);
        let (checkpoint, signed) = opened.map_err(|error| refused(&error))?;
        let request = CosignRequest {
            note: note.clone(),
            old: checkpoint.size,
            checkpoint,
            proof: Vec::new(),
        };
        self.panel.again(at, &self.quorum, &signed, request)
    }

    fn silent_are_a_quorum(&self) -> bool {
        let policy = &self.quorum.policy;
        let answered: Vec<&PublicKey> = self
            .panel
            .members
            .iter()
            .filter(|member| member.answered)
            .filter_map(|member| member.vkey.public_key())
            .collect();
        let silent: Vec<(PublicKey, UnixSeconds)> = policy
            .witnesses()
            .iter()
            .filter(|witness| !answered.contains(&&witness.key))
            .map(|witness| (witness.key, UnixSeconds(0)))
            .collect();
        policy.requires_witnesses() && policy.quorum_met(&silent)
    }

    /// Whether enough witnesses have confirmed since the start that they know no newer head. Until
    /// then nothing is committed or signed.
    #[must_use]
    pub fn is_confirmed(&self) -> bool {
        self.confirmed
    }
}

/// Whether `note` has a line by this key.
fn cosigned(note: &str, key: &Vkey) -> bool {
    SignedNote::parse(note).is_ok_and(|note| note.by(key).next().is_some())
}
