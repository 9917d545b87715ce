//! Unified social credit codes. Prose: `spec/uscc.md`.

use std::fmt;
use std::str::FromStr;

use super::{CheckOf, IdError, NumberKind, character_in, value_in, values, weighted};

/// GB 32100: digits and letters without I, O, S, V, Z.
const ALPHABET: &[u8] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
/// GB 11714: digits and letters.
const ORGANISATION_ALPHABET: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
/// GB 32100: 3^(i−1) mod 31.
const WEIGHTS: [u32; 17] = [
    1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28,
];
/// GB 11714.
const ORGANISATION_WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];
/// GB 32100 with amendment 1: registering department and its categories.
const DEPARTMENTS: [(char, &str); 12] = [
    ('1', "1239"), // staffing of public bodies: organ, institution, mass organisation, other
    ('2', "19"),   // foreign affairs
    ('3', "123459"), // justice
    ('4', "19"),   // culture
    ('5', "1239"), // civil affairs
    ('6', "129"),  // tourism
    ('7', "129"),  // religion
    ('8', "19"),   // trade unions
    ('9', "123"),  // market regulation: enterprise, individual business, farmers' cooperative
    ('A', "19"),   // military
    ('N', "1239"), // agriculture: collectives of group, village, township; other
    ('Y', "1"),    // other
];

const OF: NumberKind = NumberKind::Uscc;

/// A unified social credit code: 18 characters, both check characters right.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uscc(String);

impl Uscc {
    /// The code of an 18-character text.
    ///
    /// # Errors
    /// In this order: length, character, department, category, the organisation code's check
    /// character (position 17), the code's own (position 18).
    pub fn parse(text: &str) -> Result<Self, IdError> {
        if text.len() != 18 {
            return Err(IdError::Length {
                of: OF,
                expected: "18",
                actual: text.len(),
            });
        }
        let (head, rest) = text
            .split_at_checked(8)
            .ok_or(IdError::Character { of: OF, offset: 7 })?;
        let (organisation, checks) = rest
            .split_at_checked(8)
            .ok_or(IdError::Character { of: OF, offset: 15 })?;
        values(ALPHABET, text).map_err(|offset| IdError::Character { of: OF, offset })?;
        let right = Self::with_checks(head, organisation)?;
        for (of, expected, actual) in [CheckOf::Organisation, CheckOf::Uscc]
            .into_iter()
            .zip(right.0.chars().skip(16))
            .zip(checks.chars())
            .map(|((of, expected), actual)| (of, expected, actual))
        {
            if expected != actual {
                return Err(IdError::Check {
                    of,
                    expected,
                    actual,
                });
            }
        }
        Ok(right)
    }

    /// The code of a department, category and region (8 characters) and an organisation's
    /// number (8 characters), with both check characters computed.
    ///
    /// # Errors
    /// Length, character (its offset is counted in the whole code), department or category.
    pub fn with_checks(head: &str, organisation: &str) -> Result<Self, IdError> {
        let text = format!("{head}{organisation}");
        if head.len() != 8 || organisation.len() != 8 {
            return Err(IdError::Length {
                of: OF,
                expected: "8 and 8",
                actual: text.len(),
            });
        }
        let mut numbers =
            values(ALPHABET, &text).map_err(|offset| IdError::Character { of: OF, offset })?;
        if let Some(offset) = head.bytes().skip(2).position(|b| !b.is_ascii_digit()) {
            return Err(IdError::Character {
                of: OF,
                offset: offset.saturating_add(2),
            });
        }
        check_category(head)?;
        let letters = values(ORGANISATION_ALPHABET, organisation)
            .expect("the alphabet of organisation codes holds that of social credit codes");
        // GB 11714: 11 − Σ mod 11, where 10 is written X and 11 is written 0.
        let inner = match weighted(&letters, &ORGANISATION_WEIGHTS, 11) {
            0 => '0',
            1 => 'X',
            sum => character_in(ALPHABET, 11_u32.saturating_sub(sum)),
        };
        numbers.extend(u8::try_from(inner).ok().and_then(|c| value_in(ALPHABET, c)));
        let sum = weighted(&numbers, &WEIGHTS, 31);
        let check = character_in(ALPHABET, 31_u32.saturating_sub(sum) % 31);
        Ok(Self(format!("{text}{inner}{check}")))
    }

    /// The 18 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Positions 1 and 2: registering department and category.
    #[must_use]
    pub fn department_and_category(&self) -> &str {
        self.0.get(..2).unwrap_or_default()
    }

    /// Positions 3 to 8: the region. Six digits; `100000` stands for the whole country, and
    /// codes since withdrawn live on, so no table is applied.
    #[must_use]
    pub fn region(&self) -> &str {
        self.0.get(2..8).unwrap_or_default()
    }

    /// Whether the holder is an individual business (code 92), whose owner is a natural person.
    #[must_use]
    pub fn is_individual_business(&self) -> bool {
        self.department_and_category() == "92"
    }
}

/// Checks positions 1 and 2 of `head` against the table.
fn check_category(head: &str) -> Result<(), IdError> {
    let mut characters = head.chars();
    let department = characters.next().unwrap_or_default();
    let category = characters.next().unwrap_or_default();
    match DEPARTMENTS.iter().find(|(known, _)| *known == department) {
        None => Err(IdError::Department { actual: department }),
        Some((_, categories)) if !categories.contains(category) => Err(IdError::Category {
            department,
            actual: category,
        }),
        Some(_) => Ok(()),
    }
}

impl FromStr for Uscc {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::parse(text)
    }
}

impl fmt::Display for Uscc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Uscc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Uscc({self})")
    }
}
