//! The steps of `spec/verify.md`, one file each, in order.

pub(crate) mod s01_decode;
pub(crate) mod s02_proof;
pub(crate) mod s03_log;
pub(crate) mod s04_record;
pub(crate) mod s05_place;
pub(crate) mod s06_vouch;
pub(crate) mod s07_authority;
pub(crate) mod s08_times;
pub(crate) mod s09_validity;
pub(crate) mod s10_standing;

use crate::check::{Check, Stop};
use crate::reason::Reason;

/// Whose head a check of steps 3, 5 and 6 is made on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// The file's own.
    File,
    /// The issuer pack's, whose faults leave the licence undetermined.
    Pack,
}

impl Whose {
    /// Makes a check of a head.
    pub(crate) fn ensure(
        self,
        check: Check,
        holds: bool,
        reason: impl FnOnce() -> Reason,
    ) -> Result<(), Stop> {
        match self {
            Self::File => crate::check::ensure(check, holds, reason),
            Self::Pack => crate::check::ensure(check.of_pack(), holds, || {
                Reason::IssuerPackHead(Box::new(reason()))
            }),
        }
    }
}
