//! Calendar days (proleptic Gregorian), counted from 1970-01-01.
#![allow(
    clippy::arithmetic_side_effects,
    reason = "years end at 9999, and day numbers come in through checked operations"
)]

use std::fmt;

use super::{BEIJING_MILLIS, DAY_MILLIS, TimeError, UnixMillis};

/// First year of a [`Date`]: old paper licences are older than 1970, none is older than this.
const FIRST_YEAR: u16 = 1900;
/// Last year of a [`Date`].
const LAST_YEAR: u16 = 9999;

/// A calendar day in China, 1900-01-01 to 9999-12-31.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// The day `year`-`month`-`day`, months and days from 1.
    ///
    /// # Errors
    /// A year outside 1900 to 9999, or no such month or day.
    pub fn new(year: u16, month: u8, day: u8) -> Result<Self, TimeError> {
        if !(FIRST_YEAR..=LAST_YEAR).contains(&year) {
            return Err(TimeError::Year { first: FIRST_YEAR });
        }
        if day == 0 || days_of_month(year, month).is_none_or(|days| day > days) {
            return Err(TimeError::NoSuchDate);
        }
        Ok(Self { year, month, day })
    }

    /// The day of `YYYY-MM-DD`.
    ///
    /// # Errors
    /// Another shape, a year outside 1900 to 9999, or no such month or day.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let (year, month, day) = split_date(text.as_bytes()).ok_or(TimeError::Shape {
            expected: "YYYY-MM-DD",
        })?;
        Self::new(year, month, day)
    }

    /// The year.
    #[must_use]
    pub fn year(self) -> u16 {
        self.year
    }

    /// The month, 1 to 12.
    #[must_use]
    pub fn month(self) -> u8 {
        self.month
    }

    /// The day of the month, from 1.
    #[must_use]
    pub fn day(self) -> u8 {
        self.day
    }

    /// The first instant of this day in China; 1970-01-01T00:00Z if that is before it.
    #[must_use]
    pub fn start_beijing(self) -> UnixMillis {
        UnixMillis(self.start_utc().saturating_sub(BEIJING_MILLIS))
    }

    /// 24:00 of this day in China, 16:00:00.000Z; 1970-01-01T00:00Z if that is before it.
    #[must_use]
    pub fn end_beijing(self) -> UnixMillis {
        match self.day_number() {
            Some(number) => UnixMillis(
                number
                    .saturating_add(1)
                    .saturating_mul(DAY_MILLIS)
                    .saturating_sub(BEIJING_MILLIS),
            ),
            None => UnixMillis(0),
        }
    }

    /// The same day `years` later; 29 February becomes 28 where there is none.
    #[must_use]
    pub fn add_years(self, years: u32) -> Option<Self> {
        self.add_months(years.checked_mul(12)?)
    }

    /// The same day `months` later, or the last day of that month if it is shorter.
    #[must_use]
    pub fn add_months(self, months: u32) -> Option<Self> {
        let month0 = u32::from(self.year)
            .checked_mul(12)?
            .checked_add(u32::from(self.month))?
            .checked_sub(1)?
            .checked_add(months)?;
        let year = u16::try_from(month0 / 12).ok()?;
        let month = u8::try_from(month0 % 12).ok()?.checked_add(1)?;
        let day = self.day.min(days_of_month(year, month)?);
        Self::new(year, month, day).ok()
    }

    /// The day `days` later, or earlier if negative.
    #[must_use]
    pub fn add_days(self, days: i32) -> Option<Self> {
        let number = self.signed_day_number().checked_add(i64::from(days))?;
        from_signed(number)
    }

    /// The digits of YYYYMMDD.
    pub(super) fn digits(self) -> [u8; 8] {
        let digit = |n: u16| u8::try_from(n % 10).unwrap_or(0) + b'0';
        let [year, month, day] = [self.year, self.month.into(), self.day.into()];
        [
            digit(year / 1_000),
            digit(year / 100),
            digit(year / 10),
            digit(year),
            digit(month / 10),
            digit(month),
            digit(day / 10),
            digit(day),
        ]
    }

    /// Milliseconds from 1970 to 00:00 UTC of this day; 0 before 1970.
    pub(super) fn start_utc(self) -> u64 {
        self.day_number().unwrap_or(0).saturating_mul(DAY_MILLIS)
    }

    /// Days since 1970-01-01, if not before it.
    fn day_number(self) -> Option<u64> {
        u64::try_from(self.signed_day_number()).ok()
    }

    /// Days since 1970-01-01: years begin in March here, so that the leap day comes last.
    pub(crate) fn signed_day_number(self) -> i64 {
        let (year, month) = (i64::from(self.year), i64::from(self.month));
        let (year, month) = if month > 2 {
            (year, month - 3)
        } else {
            (year - 1, month + 9)
        };
        let leap_days = year / 4 - year / 100 + year / 400;
        // 153 days in five months from March on: 31, 30, 31, 30, 31.
        let day_of_year = (153 * month + 2) / 5 + i64::from(self.day) - 1;
        year * 365 + leap_days + day_of_year - DAYS_TO_1970
    }

    /// The day `number` days after 1970-01-01; the last day there is, if it would be later.
    pub(super) fn from_day_number(number: u64) -> Self {
        i64::try_from(number)
            .ok()
            .and_then(from_signed)
            .unwrap_or(Self {
                year: LAST_YEAR,
                month: 12,
                day: 31,
            })
    }
}

/// Days from 0000-03-01 to 1970-01-01.
const DAYS_TO_1970: i64 = 719_468;

/// The day `number` days after 1970-01-01, if it is in range.
fn from_signed(number: i64) -> Option<Date> {
    let days = u64::try_from(number.checked_add(DAYS_TO_1970)?).ok()?;
    // 146,097 days in 400 years, 36,524 in 100, 1,461 in four; the last of each may be a day
    // longer, which is why the quotients are capped.
    let (era, days) = (days / 146_097, days % 146_097);
    let century = (days / 36_524).min(3);
    let days = days - century * 36_524;
    let (four, days) = (days / 1_461, days % 1_461);
    let single = (days / 365).min(3);
    let day_of_year = days - single * 365;
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let (month, carry) = if march_month < 10 {
        (march_month + 3, 0)
    } else {
        (march_month - 9, 1)
    };
    let year = era.checked_mul(400)? + century * 100 + four * 4 + single + carry;
    let (year, month, day) = (
        u16::try_from(year).ok()?,
        u8::try_from(month).ok()?,
        u8::try_from(day).ok()?,
    );
    Date::new(year, month, day).ok()
}

fn days_of_month(year: u16, month: u8) -> Option<u8> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => Some(31),
        4 | 6 | 9 | 11 => Some(30),
        2 if leap => Some(29),
        2 => Some(28),
        _ => None,
    }
}

/// The value of ASCII digits, at most four of them.
pub(super) fn decimal(digits: &[u8]) -> Option<u16> {
    digits.iter().try_fold(0_u16, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| digit.wrapping_sub(b'0'))?;
        number.checked_mul(10)?.checked_add(u16::from(digit))
    })
}

/// Year, month and day of `YYYY-MM-DD`, unchecked but for the shape.
pub(super) fn split_date(text: &[u8]) -> Option<(u16, u8, u8)> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else {
        return None;
    };
    let month = u8::try_from(decimal(&[*m1, *m2])?).ok()?;
    let day = u8::try_from(decimal(&[*d1, *d2])?).ok()?;
    Some((decimal(&[*y1, *y2, *y3, *y4])?, month, day))
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Date({self})")
    }
}
