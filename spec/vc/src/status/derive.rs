//! Our lists, derived from the ledger alone: anybody with the log computes the same bits.
//!
//! A licence's list and index are functions of its unit and its subject key, so no table says who
//! stands where, and none can be wrong.

use std::fmt;

use zhao_spec::life::data::InspectionResult;
use zhao_spec::life::record::{LicenceRecord, State};
use zhao_spec::life::subject::{Kind, subject_key};
use zhao_spec::wire::{Hash, clip, sha256};

use super::bits::{Order, StatusList};
use super::token::{INVALID, SUSPENDED, VALID};
use super::{ENTRIES, StatusError};

/// The most bits of a subject key that part a unit's licences into lists: 4,096 lists.
pub const PART_BITS: u8 = 12;
/// Bits of an index: the lists have [`ENTRIES`] entries.
const INDEX_BITS: u32 = 17;

/// What a list of ours is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// The licence has ended: cancelled, revoked, annulled, abolished or superseded.
    Revocation,
    /// It is withheld, on hold or reported lost.
    Suspension,
    /// What stands beside it: mortgage, pledge, objection, a failed inspection.
    Message,
    /// There is a newer version.
    Refresh,
    /// Revocation and suspension in one, as Token Status List wants it: its status types.
    Standing,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 5] = [
        Self::Revocation,
        Self::Suspension,
        Self::Message,
        Self::Refresh,
        Self::Standing,
    ];

    /// The word in `statusPurpose` and in URLs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Revocation => "revocation",
            Self::Suspension => "suspension",
            Self::Message => "message",
            Self::Refresh => "refresh",
            Self::Standing => "standing",
        }
    }

    /// The purpose of this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|purpose| purpose.as_str() == word)
    }

    /// Bits of an entry.
    #[must_use]
    pub fn size(self) -> u8 {
        match self {
            Self::Revocation | Self::Suspension | Self::Refresh => 1,
            Self::Standing => 2,
            Self::Message => 4,
        }
    }

    /// The order of the bits: that of the format the purpose is served in.
    #[must_use]
    pub fn order(self) -> Order {
        match self {
            Self::Standing => Order::LowFirst,
            _ => Order::HighFirst,
        }
    }

    /// What a licence's record says of it.
    #[must_use]
    pub fn value(self, record: &LicenceRecord) -> u8 {
        let ended = record.state != State::Active;
        let suspended = !record.suspensions.is_empty();
        match self {
            Self::Revocation => u8::from(ended),
            Self::Suspension => u8::from(suspended),
            Self::Refresh => u8::from(record.successor.is_some()),
            Self::Standing if ended => INVALID,
            Self::Standing if suspended => SUSPENDED,
            Self::Standing => VALID,
            Self::Message => {
                let failed = record
                    .inspection
                    .is_some_and(|inspection| inspection.result == Some(InspectionResult::Failed));
                [
                    !record.mortgages.is_empty(),
                    !record.pledges.is_empty(),
                    !record.objections.is_empty(),
                    failed,
                ]
                .into_iter()
                .rev()
                .fold(0, |value, flag| (value << 1) | u8::from(flag))
            }
        }
    }
}

/// Which licences a list covers: those of one unit whose subject keys begin alike.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ListName {
    unit: String,
    bits: u8,
    part: u16,
}

impl ListName {
    /// The list that covers the licence `key` of `unit`, where [`PART_BITS`] or fewer `bits` part
    /// the unit's licences.
    ///
    /// # Errors
    /// Too many bits, or a unit that is no 18 letters and digits.
    pub fn of(unit: &str, bits: u8, key: &Hash) -> Result<Self, StatusError> {
        Self::new(unit, bits, part(key, bits))
    }

    fn new(unit: &str, bits: u8, part: u16) -> Result<Self, StatusError> {
        let known = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
        let whole = unit.len() == 18 && unit.bytes().all(known);
        let parts = 1_u32.checked_shl(u32::from(bits)).unwrap_or(0);
        if !whole || bits > PART_BITS || u32::from(part) >= parts {
            return Err(StatusError::Name { actual: clip(unit) });
        }
        Ok(Self {
            unit: unit.to_owned(),
            bits,
            part,
        })
    }

    /// Every list of a unit, in order.
    ///
    /// # Errors
    /// As [`ListName::of`].
    pub fn all(unit: &str, bits: u8) -> Result<Vec<Self>, StatusError> {
        let parts = 1_u16.checked_shl(u32::from(bits)).unwrap_or(0);
        (0..parts.max(1))
            .map(|part| Self::new(unit, bits, part))
            .collect()
    }

    /// The name as it stands in URLs: `unit-bits-part`, numbers in decimal.
    ///
    /// # Errors
    /// Another form: every list has one name.
    pub fn parse(text: &str) -> Result<Self, StatusError> {
        let read = || {
            let mut parts = text.split('-');
            let (unit, bits, part) = (parts.next()?, parts.next()?, parts.next()?);
            let name = Self::new(unit, bits.parse().ok()?, part.parse().ok()?).ok()?;
            (name.to_string() == text).then_some(name)
        };
        read().ok_or_else(|| StatusError::Name { actual: clip(text) })
    }

    /// The unit.
    #[must_use]
    pub fn unit(&self) -> &str {
        &self.unit
    }

    /// How many bits of a subject key part the unit's licences.
    #[must_use]
    pub fn bits(&self) -> u8 {
        self.bits
    }

    /// The subject keys between which the covered ones lie, both included.
    #[must_use]
    pub fn range(&self) -> (Hash, Hash) {
        let shift = 16_u32.saturating_sub(u32::from(self.bits));
        let low = self.part.checked_shl(shift).unwrap_or(0);
        let high = low | u16::MAX.checked_shr(u32::from(self.bits)).unwrap_or(0);
        let key = |head: u16, rest: u8| {
            let mut key = [rest; 32];
            let [tag, first, second, ..] = &mut key;
            *tag = Kind::Licence.tag();
            [*first, *second] = head.to_be_bytes();
            Hash(key)
        };
        (key(low, 0), key(high, 0xff))
    }

    /// Whether a licence of the unit `issuer` under this key is in the list.
    #[must_use]
    pub fn covers(&self, origin: &str, key: &Hash, issuer: &Hash) -> bool {
        Kind::of(key) == Some(Kind::Licence)
            && part(key, self.bits) == self.part
            && *issuer == subject_key(origin, Kind::Issuer, &self.unit)
    }

    /// Where a licence stands in the list: the first 17 bits of
    /// SHA-256("zhao/v1 status index" ‖ 0x00 ‖ name ‖ 0x00 ‖ key).
    #[must_use]
    pub fn index(&self, key: &Hash) -> u64 {
        index_in(&self.to_string(), key)
    }
}

fn index_in(name: &str, key: &Hash) -> u64 {
    let Hash([a, b, c, ..]) = sha256(&[
        b"zhao/v1 status index\0",
        name.as_bytes(),
        b"\0",
        key.as_bytes(),
    ]);
    u64::from(u32::from_be_bytes([a, b, c, 0]) >> (u32::BITS.saturating_sub(INDEX_BITS)))
}

impl fmt::Display for ListName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.unit, self.bits, self.part)
    }
}

/// The leading bits of a subject key behind its tag, which is the same in all of them.
fn part(key: &Hash, bits: u8) -> u16 {
    let Hash([_, first, second, ..]) = *key;
    let shift = 16_u32.saturating_sub(u32::from(bits));
    u16::from_be_bytes([first, second])
        .checked_shr(shift)
        .unwrap_or(0)
}

/// A list, and what there is to say about how it came to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Derived {
    /// The list.
    pub list: StatusList,
    /// How many licences it covers.
    pub covered: u64,
    /// Licences that stand where another does, with the index: each is an alarm. The value there
    /// has the bits of both, so that nothing that is so is hidden.
    pub collisions: Vec<(u64, Hash)>,
}

/// The list of one purpose, from the licences that it covers.
///
/// # Errors
/// None for records that `apply` wrote: a list has room for every index there is.
pub fn derive<'a>(
    name: &ListName,
    purpose: Purpose,
    licences: impl IntoIterator<Item = (Hash, &'a LicenceRecord)>,
) -> Result<Derived, StatusError> {
    let mut derived = Derived {
        list: StatusList::new(ENTRIES, purpose.size(), purpose.order())?,
        covered: 0,
        collisions: Vec::new(),
    };
    let name = name.to_string();
    let mut taken = StatusList::new(ENTRIES, 1, Order::HighFirst)?;
    for (key, record) in licences {
        let index = index_in(&name, &key);
        if taken.value(index)? != 0 {
            derived.collisions.push((index, key));
        }
        taken.add(index, 1)?;
        match purpose.value(record) {
            0 => {}
            value => derived.list.add(index, value)?,
        }
        derived.covered = derived.covered.saturating_add(1);
    }
    Ok(derived)
}

/// Compares a list that somebody published with the one derived from the ledger.
///
/// # Errors
/// [`StatusError::Disagrees`], naming the first index that differs; another width or length.
pub fn agree(published: &StatusList, derived: &StatusList) -> Result<(), StatusError> {
    if published.size() != derived.size() {
        return Err(StatusError::Size {
            actual: u64::from(published.size()),
        });
    }
    if published.entries() != derived.entries() {
        return Err(StatusError::Length {
            actual: published.entries(),
            least: derived.entries(),
        });
    }
    for index in 0..derived.entries() {
        let (actual, expected) = (published.value(index)?, derived.value(index)?);
        if actual != expected {
            return Err(StatusError::Disagrees {
                index,
                actual,
                expected,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
