//! Before the key signs after a start: do the witnesses know of a head this database lacks?
//!
//! A database and its intent may both have been put back from a backup; then only others know what
//! was published since. Any published head has a quorum of witnesses, so it is enough to hear from
//! so many that those still silent are no quorum by themselves. Waiting for that costs nothing:
//! while the silent ones could be a quorum, those who answer are none, and nothing could be
//! published anyway.

use zhao_spec::log::cosignature::UnixSeconds;
use zhao_spec::wire::PublicKey;

use super::Sequencer;
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
        for known in self.cosigners.iter_mut().filter(|known| !known.answered) {
            let name = known.cosigner.vkey().name().to_owned();
            match known.latest(self.signer.vkey()) {
                Ok(None) => {}
                Ok(Some(seen)) if seen.size > ours => {
                    return Err(CommitError::WitnessAhead {
                        name,
                        theirs: seen.size,
                        ours,
                    });
                }
                Ok(Some(seen)) => {
                    if log_root(&*self.store, seen.size, &[])? != seen.root {
                        return Err(CommitError::WitnessDisagrees {
                            name,
                            size: seen.size,
                        });
                    }
                    known.size = seen.size;
                }
                Err(error) => {
                    self.silent.push((name, error.to_string()));
                    continue;
                }
            }
            known.answered = true;
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

    fn silent_are_a_quorum(&self) -> bool {
        let policy = &self.quorum.policy;
        let answered: Vec<&PublicKey> = self
            .cosigners
            .iter()
            .filter(|known| known.answered)
            .filter_map(|known| known.cosigner.vkey().public_key())
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
