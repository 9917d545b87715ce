//! Citizen identity numbers. Prose: `spec/citizen-id.md`.

use std::fmt;
use std::str::FromStr;

use super::{CheckOf, IdError, NumberKind, character_in, values, weighted};
use crate::wire::Date;

/// GB 11643: 2^(18−i) mod 11.
const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
/// Check characters by Σ mod 11.
const CHECKS: &[u8] = b"10X98765432";
const OF: NumberKind = NumberKind::CitizenId;

/// A citizen identity number: 18 characters, a real birth date, the check character right.
///
/// `Display` and `Debug` are masked; the whole number is only in [`CitizenId::as_str`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CitizenId(String);

impl CitizenId {
    /// The number of an 18-character text; a small `x` is refused.
    ///
    /// # Errors
    /// In this order: length, character, birth date, check character.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        if text.len() != 18 {
            return Err(IdError::Length {
                of: OF,
                expected: "18",
                actual: text.len(),
            });
        }
        let (body, check) = text
            .split_at_checked(17)
            .ok_or(IdError::Character { of: OF, offset: 16 })?;
        let right = Self::with_check(body)?;
        let actual = check.chars().next().unwrap_or_default();
        if !CHECKS.iter().any(|c| char::from(*c) == actual) {
            return Err(IdError::Character { of: OF, offset: 17 });
        }
        let expected = right.0.chars().last().unwrap_or_default();
        if actual != expected {
            return Err(IdError::Check {
                of: CheckOf::CitizenId,
                expected,
                actual,
            });
        }
        Ok(right)
    }

    /// The number of 17 digits, with the check character computed.
    ///
    /// # Errors
    /// Length, character, birth date.
    pub fn with_check(body: &str) -> Result<Self, IdError> {
        if body.len() != 17 {
            return Err(IdError::Length {
                of: OF,
                expected: "17",
                actual: body.len(),
            });
        }
        let digits =
            values(b"0123456789", body).map_err(|offset| IdError::Character { of: OF, offset })?;
        birth(body).ok_or(IdError::BirthDate)?;
        let check = character_in(CHECKS, weighted(&digits, &WEIGHTS, 11));
        Ok(Self(format!("{body}{check}")))
    }

    /// The 18 characters. Personal data: not for logs or screens.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The birth date.
    #[must_use]
    pub fn birth_date(&self) -> Date {
        birth(&self.0).expect("checked on construction")
    }

    /// The number with its birth date starred, `110105********002X`.
    #[must_use]
    pub fn masked(&self) -> String {
        let head = self.0.get(..6).unwrap_or_default();
        let tail = self.0.get(14..).unwrap_or_default();
        format!("{head}********{tail}")
    }
}

/// The date in positions 7 to 14.
fn birth(digits: &str) -> Option<Date> {
    let year = digits.get(6..10)?.parse().ok()?;
    let month = digits.get(10..12)?.parse().ok()?;
    let day = digits.get(12..14)?.parse().ok()?;
    Date::new(year, month, day).ok()
}

impl FromStr for CitizenId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::parse(text)
    }
}

impl fmt::Display for CitizenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl fmt::Debug for CitizenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CitizenId({self})")
    }
}
