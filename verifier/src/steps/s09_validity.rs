//! Step 9: the dates the credential itself states.

use zhao_spec::credential::Licence;
use zhao_spec::wire::UnixMillis;

use crate::check::{Check, Findings};
use crate::reason::Reason;

/// Collects whether `at` lies outside the validity.
pub(crate) fn collect(licence: &Licence, at: UnixMillis, findings: &mut Findings) {
    let from = licence.valid_from;
    findings.note(Check::NotYetValid, at < from, || Reason::NotYetValid {
        from,
    });
    if let Some(until) = licence.valid_until {
        findings.note(Check::Expired, at >= until, || Reason::Expired { until });
    }
}
