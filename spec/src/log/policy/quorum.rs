//! Counting: who must agree, and as of when they did.

use std::collections::{BTreeMap, BTreeSet};

use super::{Group, Member, Policy};
use crate::log::cosignature::UnixSeconds;
use crate::wire::signature::PublicKey;

/// As of when a quorum vouches for a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuorumTime {
    /// The policy says `quorum none`: nobody was asked.
    NotRequired,
    /// The cosignatures do not meet the quorum.
    NotReached,
    /// The newest time such that the cosignatures of that time and later meet the quorum alone.
    Reached(
        /// That time.
        UnixSeconds,
    ),
}

impl Policy {
    /// Whether these verified cosignatures, by public key, meet the quorum. Their times do not
    /// matter; a key counts once; keys the policy does not know count nothing.
    #[must_use]
    pub fn quorum_met(&self, cosigned: &[(PublicKey, UnixSeconds)]) -> bool {
        let Some(quorum) = self.quorum else {
            return true;
        };
        self.met(quorum, &cosigned.iter().map(|(key, _)| *key).collect())
    }

    /// As of when the quorum vouches: the newest time `t` such that the cosignatures dated `t` or
    /// later are a quorum by themselves. Of several by one key the newest counts.
    #[must_use]
    pub fn quorum_timestamp(&self, cosigned: &[(PublicKey, UnixSeconds)]) -> QuorumTime {
        let Some(quorum) = self.quorum else {
            return QuorumTime::NotRequired;
        };
        let mut newest_first: BTreeMap<UnixSeconds, Vec<PublicKey>> = BTreeMap::new();
        for (key, time) in cosigned {
            newest_first.entry(*time).or_default().push(*key);
        }
        let mut present = BTreeSet::new();
        for (time, keys) in newest_first.into_iter().rev() {
            present.extend(keys);
            if self.met(quorum, &present) {
                return QuorumTime::Reached(time);
            }
        }
        QuorumTime::NotReached
    }

    fn met(&self, quorum: Member, present: &BTreeSet<PublicKey>) -> bool {
        let witness = |place: usize| {
            self.witnesses
                .get(place)
                .is_some_and(|witness| present.contains(&witness.key))
        };
        fold(&self.groups, quorum, witness, |group, met| {
            met.iter().filter(|met| **met).count() >= group.threshold
        })
    }
}

/// Whether any two sets of witnesses that meet `quorum` have a witness in common.
///
/// In a group of `n` with threshold `k`, call a member safe if this holds for it. The `u` unsafe
/// members can be met for two disjoint sets at once; each safe one for one set only. Two disjoint
/// sets exist unless `k > u` and twice the safe ones needed, `2(k − u)`, exceed the `n − u` there
/// are. Without groups in groups all are safe, and the rule is `2k > n`.
pub(super) fn always_meets_itself(groups: &[Group], quorum: Member) -> bool {
    fold(
        groups,
        quorum,
        |_| true,
        |group, safe| {
            let safe = safe.iter().filter(|safe| **safe).count();
            let split = group.members.len().saturating_sub(safe);
            let needed = group.threshold.saturating_sub(split);
            needed.saturating_mul(2) > safe
        },
    )
}

/// Computes a truth value for `of` from those of its members. Groups refer to earlier ones only,
/// so one pass from the first on is enough and nothing recurses.
fn fold(
    groups: &[Group],
    of: Member,
    witness: impl Fn(usize) -> bool,
    group: impl Fn(&Group, &[bool]) -> bool,
) -> bool {
    let mut done: Vec<bool> = Vec::with_capacity(groups.len());
    let value = |member: &Member, done: &[bool]| match member {
        Member::Witness(place) => witness(*place),
        Member::Group(place) => done.get(*place).copied().unwrap_or(false),
    };
    for each in groups {
        let members: Vec<bool> = each.members.iter().map(|m| value(m, &done)).collect();
        done.push(group(each, &members));
    }
    value(&of, &done)
}
