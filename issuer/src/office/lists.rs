//! Where a licence stands in the status lists of its unit.

use zhao_spec::wire::Hash;
use zhao_vc::status::derive::{ListName, PART_BITS};
use zhao_vc::status::{ENTRIES, StatusError};

use super::{FormError, LedgerClient, Office, OfficeError};

/// One licence in so many places at most, so that hardly any of a unit's licences will ever share
/// one: a licence that does has the other's revocation besides its own.
const PLACES_A_LICENCE: u64 = 64;

impl<C: LedgerClient> Office<C> {
    /// The list in which the licence `key` of `unit` has an index for itself, with as few parts as
    /// that takes: who asks for a list of many licences says little of which one it means.
    ///
    /// # Errors
    /// The database; [`FormError::SharedIndex`].
    pub(super) fn list_of(&self, unit: &str, key: &Hash) -> Result<ListName, OfficeError> {
        let name = |bits, key| ListName::of(unit, bits, key).map_err(FormError::Status);
        let names = (0..=PART_BITS)
            .map(|bits| {
                let name = name(bits, key)?;
                let index = name.index(key);
                Ok((name, index, true))
            })
            .collect::<Result<Vec<_>, FormError>>();
        let mut names = names?;
        let mut licences: u64 = 0;
        let mut failed: Option<StatusError> = None;
        self.records.each_licence_key(unit, |other| {
            licences += 1;
            if other == key {
                return;
            }
            for (own, index, alone) in &mut names {
                // Finer lists part only what coarser ones have together.
                match ListName::of(unit, own.bits(), other) {
                    Ok(its) if its == *own => *alone &= own.index(other) != *index,
                    Ok(_) => break,
                    Err(error) => failed = Some(error),
                }
            }
        })?;
        if let Some(error) = failed {
            return Err(FormError::Status(error).into());
        }
        let roomy = |name: &ListName| {
            u64::from(ENTRIES) << name.bits() >= licences.saturating_mul(PLACES_A_LICENCE)
        };
        let found = names
            .into_iter()
            .find(|(name, _, alone)| *alone && (roomy(name) || name.bits() == PART_BITS));
        Ok(found.ok_or(FormError::SharedIndex)?.0)
    }
}
