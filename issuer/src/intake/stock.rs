//! How far the old stock is converted, type by type (ISS-13).

use std::collections::BTreeMap;

use super::{Origin, RowError};
use crate::catalogue::Catalogue;
use crate::records::TypeCount;

/// Rejected rows that are kept with their reasons, for each type: a report that nobody can read
/// to its end helps nobody; the count goes on.
const REJECTS: usize = 10_000;

/// One row of the old stock that was not converted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject<R> {
    /// Why.
    pub reason: R,
    /// Which row, from 1.
    pub row: u64,
}

/// The old stock of one type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeStock<R> {
    /// Licences converted.
    pub converted: u64,
    /// Licences issued as electronic ones: not part of the stock.
    pub increment: u64,
    /// Rows rejected.
    pub rejected: u64,
    /// The first of them, with their reasons.
    pub rejects: Vec<Reject<R>>,
    /// How many there are to convert; none: nobody has said, and the rows are all there is.
    pub target: Option<u64>,
    /// Licences signed, and not answered by the log yet.
    pub under_way: u64,
}

impl<R> Default for TypeStock<R> {
    fn default() -> Self {
        Self {
            converted: 0,
            increment: 0,
            rejected: 0,
            rejects: Vec::new(),
            target: None,
            under_way: 0,
        }
    }
}

impl<R> TypeStock<R> {
    /// What there is to convert: the target, or else every row seen.
    #[must_use]
    pub fn whole(&self) -> u64 {
        self.target.unwrap_or_else(|| {
            let seen = self.converted.saturating_add(self.rejected);
            seen.saturating_add(self.under_way)
        })
    }

    /// How much is converted, in tenths of a percent, rounded down so that only all of it is 1000;
    /// none when there is nothing to convert. Above 1000 the target was set too low.
    #[must_use]
    pub fn per_mille(&self) -> Option<u64> {
        let whole = u128::from(self.whole());
        let share = (u128::from(self.converted) * 1000).checked_div(whole)?;
        u64::try_from(share).ok()
    }
}

/// The old stock of several types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stock<R = RowError> {
    types: BTreeMap<String, TypeStock<R>>,
}

impl<R> Default for Stock<R> {
    fn default() -> Self {
        Self {
            types: BTreeMap::new(),
        }
    }
}

impl<R> Stock<R> {
    /// Says how many licences of a type (its slug) there are to convert.
    pub fn aim(&mut self, slug: &str, target: u64) {
        self.of(slug).target = Some(target);
    }

    /// A licence is there.
    pub fn count(&mut self, slug: &str, origin: Origin) {
        let of = self.of(slug);
        let counter = match origin {
            Origin::Legacy => &mut of.converted,
            Origin::New => &mut of.increment,
        };
        *counter = counter.saturating_add(1);
    }

    /// What the records have of a type.
    pub fn recorded(&mut self, slug: &str, count: &TypeCount) {
        let of = self.of(slug);
        match count.origin {
            Origin::Legacy => {
                of.converted = of.converted.saturating_add(count.issued);
                of.rejected = of.rejected.saturating_add(count.refused);
                of.under_way = of.under_way.saturating_add(count.issuing);
            }
            Origin::New => of.increment = of.increment.saturating_add(count.issued),
        }
    }

    /// A row of the old stock was rejected.
    pub fn reject(&mut self, slug: &str, row: u64, reason: R) {
        let of = self.of(slug);
        of.rejected = of.rejected.saturating_add(1);
        if of.rejects.len() < REJECTS {
            of.rejects.push(Reject { reason, row });
        }
    }

    fn of(&mut self, slug: &str) -> &mut TypeStock<R> {
        self.types.entry(slug.to_owned()).or_default()
    }

    /// The types, those much used first, then by slug: the order in which to convert them.
    #[must_use]
    pub fn types(&self, catalogue: &Catalogue) -> Vec<(&str, &TypeStock<R>)> {
        let much_used = |slug: &str| {
            let entry = catalogue.entry(slug);
            entry.is_ok_and(|entry| entry.high_frequency)
        };
        let mut types: Vec<_> = self
            .types
            .iter()
            .map(|(slug, of)| (slug.as_str(), of))
            .collect();
        types.sort_by_key(|(slug, _)| !much_used(slug));
        types
    }
}
