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
        let mut search = Search::new(unit, key)?;
        let mut met = Ok(());
        self.records.each_licence_key(unit, |other| {
            if met.is_ok() {
                met = search.meet(other);
            }
        })?;
        met.map_err(FormError::Status)?;
        Ok(search.found()?)
    }
}

/// The lists that could have a licence, while the unit's others are met.
struct Search<'a> {
    unit: &'a str,
    key: &'a Hash,
    /// The list of each number of bits, the licence's index there, and whether it is alone there.
    lists: Vec<(ListName, u64, bool)>,
    licences: u64,
}

impl<'a> Search<'a> {
    fn new(unit: &'a str, key: &'a Hash) -> Result<Self, FormError> {
        let list = |bits| {
            let name = ListName::of(unit, bits, key)?;
            let index = name.index(key);
            Ok((name, index, true))
        };
        let lists = (0..=PART_BITS).map(list);
        Ok(Self {
            unit,
            key,
            lists: lists
                .collect::<Result<_, StatusError>>()
                .map_err(FormError::Status)?,
            licences: 0,
        })
    }

    fn meet(&mut self, other: &Hash) -> Result<(), StatusError> {
        self.licences = self.licences.saturating_add(1);
        if other == self.key {
            return Ok(());
        }
        for (own, index, alone) in &mut self.lists {
            // Finer lists part only what coarser ones have together.
            if ListName::of(self.unit, own.bits(), other)? != *own {
                break;
            }
            *alone &= own.index(other) != *index;
        }
        Ok(())
    }

    fn found(self) -> Result<ListName, FormError> {
        let wanted = self.licences.saturating_mul(PLACES_A_LICENCE);
        let roomy = |name: &ListName| {
            name.bits() == PART_BITS || u64::from(ENTRIES) << name.bits() >= wanted
        };
        let mut lists = self.lists.into_iter();
        lists
            .find(|(name, _, alone)| *alone && roomy(name))
            .map(|(name, ..)| name)
            .ok_or(FormError::SharedIndex)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use zhao_spec::life::subject::Kind;
    use zhao_spec::wire::sha256;

    use super::*;

    const UNIT: &str = "11320400DEM0001293";

    fn key(number: u64) -> Hash {
        let Hash(mut bytes) = sha256(&[&number.to_be_bytes()]);
        bytes[0] = Kind::Licence.tag();
        Hash(bytes)
    }

    fn list(own: &Hash, others: impl IntoIterator<Item = Hash>) -> Result<ListName, FormError> {
        let mut search = Search::new(UNIT, own)?;
        for other in others {
            search.meet(&other).map_err(FormError::Status)?;
        }
        search.found()
    }

    /// Two licences with one index in the list of all.
    fn twins() -> (Hash, Hash) {
        let mut seen = HashMap::new();
        for number in 0.. {
            let key = key(number);
            let index = ListName::of(UNIT, 0, &key).unwrap().index(&key);
            if let Some(earlier) = seen.insert(index, key) {
                return (earlier, key);
            }
        }
        unreachable!("indexes repeat")
    }

    #[test]
    fn a_licence_is_named_in_a_list_where_it_stands_alone() {
        let (one, two) = twins();
        // It meets itself as well.
        assert_eq!(list(&one, [one]).unwrap().bits(), 0);
        let apart = list(&one, [one, two]).unwrap();
        assert!(apart.bits() > 0);
        let same_list = ListName::of(UNIT, apart.bits(), &two).unwrap() == apart;
        assert!(!same_list || apart.index(&one) != apart.index(&two));
    }

    #[test]
    fn a_unit_with_many_licences_has_finer_lists() {
        let own = key(u64::MAX);
        for (count, bits) in [(1, 0), (2_048, 0), (2_049, 1), (4_096, 1), (4_097, 2)] {
            // One that parts from it at once, so often.
            let other = (0..).map(key).find(|other| {
                ListName::of(UNIT, 1, other).unwrap() != ListName::of(UNIT, 1, &own).unwrap()
                    && ListName::of(UNIT, 0, other).unwrap().index(other)
                        != ListName::of(UNIT, 0, &own).unwrap().index(&own)
            });
            let others = std::iter::repeat_n(other.unwrap(), count);
            assert_eq!(list(&own, others).unwrap().bits(), bits, "{count}");
        }
    }

    #[test]
    fn a_licence_that_is_nowhere_alone_is_in_no_list() {
        let own = key(0);
        let mut search = Search::new(UNIT, &own).unwrap();
        for (_, _, alone) in &mut search.lists {
            *alone = false;
        }
        assert!(matches!(search.found(), Err(FormError::SharedIndex)));
        assert!(matches!(
            Search::new("no unit", &own),
            Err(FormError::Status(StatusError::Name { .. }))
        ));
    }
}
