//! Step 3: the policy accepts the log, and the credential names it.

use zhao_spec::file::Head;

use super::Whose;
use crate::check::{Check, Stop};
use crate::policy::TrustPolicy;
use crate::reason::{Reason, quoted};

/// The checkpoint's log is one of the policy, with an administrator.
pub(crate) fn known(whose: Whose, head: &Head, policy: &TrustPolicy) -> Result<(), Stop> {
    origin_known(whose, &head.checkpoint().origin, policy)
}

/// As [`known`], by the origin.
pub(crate) fn origin_known(whose: Whose, origin: &str, policy: &TrustPolicy) -> Result<(), Stop> {
    let has_log = policy
        .policy
        .logs()
        .iter()
        .any(|log| log.vkey.name() == origin);
    let known = has_log && policy.trust.genesis_of(origin).is_some();
    whose.ensure(Check::LogUnknown, known, || Reason::LogUnknown {
        origin: quoted(origin),
    })
}

/// The checkpoint is of the log that `expected` names.
pub(crate) fn origin(whose: Whose, head: &Head, expected: &str) -> Result<(), Stop> {
    let actual = &head.checkpoint().origin;
    let check = match whose {
        Whose::File => Check::OriginMismatch,
        Whose::Pack => Check::IssuerPackOriginMismatch,
    };
    whose.ensure(check, actual == expected, || Reason::OriginMismatch {
        expected: quoted(expected),
        actual: quoted(actual),
    })
}
