//! Step 8: the head's time is believable, and recent enough.

use zhao_spec::file::Head;
use zhao_spec::log::cosignature::UnixSeconds;

use crate::Context;
use crate::check::{Check, Stop, ensure};
use crate::reason::Reason;

/// Checks the epoch's time against the witnesses' times and against `at`.
pub(crate) fn check(
    head: &Head,
    quorum_time: Option<UnixSeconds>,
    context: &Context<'_>,
) -> Result<(), Stop> {
    let trust = &context.policy.trust;
    let as_of = head.epoch.time;
    if let Some(quorum) = quorum_time {
        // Cosignatures count in seconds; one too far in the future saturates and is implausible.
        let millis = quorum.0.saturating_mul(1_000);
        let plausible = millis.saturating_add(trust.skew) >= as_of.0
            && millis <= as_of.0.saturating_add(trust.max_lag);
        ensure(Check::EpochTimeImplausible, plausible, || {
            Reason::EpochTimeImplausible {
                epoch: as_of,
                quorum: quorum.0,
            }
        })?;
    }
    let at = context.at;
    let begun = at.0.saturating_add(trust.skew) >= as_of.0;
    ensure(Check::AsOfInFuture, begun, || Reason::AsOfInFuture {
        as_of,
        at,
    })?;
    let recent = at.0 <= as_of.0.saturating_add(context.max_age);
    ensure(Check::TooOld, recent, || Reason::TooOld {
        as_of,
        at,
        max_age: context.max_age,
    })
}
