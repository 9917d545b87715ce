//! Instants, dates and durations. Prose: `spec/time.md`.
//!
//! An instant is RFC 3339 in UTC with milliseconds and `Z`, 24 characters, one text per instant.
//! A date is a calendar day in China (UTC+8, no summer time), as licences state them.

use std::fmt::{self, Write as _};

mod calendar;
mod duration;

pub use calendar::Date;
pub use duration::parse_duration;

/// Milliseconds of a day.
pub(crate) const DAY_MILLIS: u64 = 86_400_000;
/// UTC+8: China keeps one zone, without summer time.
pub(crate) const BEIJING_MILLIS: u64 = 8 * 3_600_000;

/// Why a text is not an instant, a date or a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimeError {
    /// A month or day that the calendar lacks.
    #[error("no such date")]
    NoSuchDate,
    /// Hour above 23, or minute or second above 59 (no leap seconds).
    #[error("no such time of day")]
    NoSuchTime,
    /// A duration that does not fit 2^53 − 1 milliseconds.
    #[error("duration too long")]
    Overflow,
    /// Not the one shape.
    #[error("not of the form {expected}")]
    Shape {
        /// The shape.
        expected: &'static str,
    },
    /// A year outside the range.
    #[error("year outside {first} to 9999")]
    Year {
        /// First year allowed.
        first: u16,
    },
}

impl TimeError {
    /// Stable short code, used in vectors.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoSuchDate => "time-no-such-date",
            Self::NoSuchTime => "time-no-such-time",
            Self::Overflow => "time-overflow",
            Self::Shape { .. } => "time-shape",
            Self::Year { .. } => "time-year",
        }
    }
}

/// An instant: milliseconds since 1970-01-01T00:00:00.000Z, leap seconds not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(pub u64);

impl UnixMillis {
    /// The last instant that has a text: 9999-12-31T23:59:59.999Z.
    pub const MAX: Self = Self(253_402_300_799_999);

    /// The instant of `YYYY-MM-DDTHH:MM:SS.mmmZ`.
    ///
    /// # Errors
    /// Another shape, a year before 1970, no such date, no such time of day (second 60 included).
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        const SHAPE: TimeError = TimeError::Shape {
            expected: "YYYY-MM-DDTHH:MM:SS.mmmZ",
        };
        let [
            date @ ..,
            b'T',
            h1,
            h2,
            b':',
            m1,
            m2,
            b':',
            s1,
            s2,
            b'.',
            f1,
            f2,
            f3,
            b'Z',
        ] = text.as_bytes()
        else {
            return Err(SHAPE);
        };
        let (year, month, day) = calendar::split_date(date).ok_or(SHAPE)?;
        let hour = calendar::decimal(&[*h1, *h2]).ok_or(SHAPE)?;
        let minute = calendar::decimal(&[*m1, *m2]).ok_or(SHAPE)?;
        let second = calendar::decimal(&[*s1, *s2]).ok_or(SHAPE)?;
        let milli = calendar::decimal(&[*f1, *f2, *f3]).ok_or(SHAPE)?;
        if year < 1970 {
            return Err(TimeError::Year { first: 1970 });
        }
        let date = Date::new(year, month, day)?;
        if hour > 23 || minute > 59 || second > 59 {
            return Err(TimeError::NoSuchTime);
        }
        let [hour, minute, second, milli] = [hour, minute, second, milli].map(u64::from);
        let seconds = hour
            .saturating_mul(60)
            .saturating_add(minute)
            .saturating_mul(60);
        let millis = seconds
            .saturating_add(second)
            .saturating_mul(1_000)
            .saturating_add(milli);
        Ok(Self(date.start_utc().saturating_add(millis)))
    }

    /// The 24 characters of this instant, if it is not after [`UnixMillis::MAX`].
    pub(super) fn text(self) -> Option<[u8; 24]> {
        if self > Self::MAX {
            return None;
        }
        let date = Date::from_day_number(self.0 / DAY_MILLIS);
        let millis = self.0 % DAY_MILLIS;
        let (seconds, milli) = (millis / 1_000, millis % 1_000);
        let [y1, y2, y3, y4, m1, m2, d1, d2] = date.digits();
        let digit = |n: u64| u8::try_from(n % 10).unwrap_or(0).wrapping_add(b'0');
        let two = |n: u64| [digit(n / 10), digit(n)];
        let ([h1, h2], [i1, i2]) = (two(seconds / 3_600), two(seconds / 60 % 60));
        let ([s1, s2], [f2, f3]) = (two(seconds % 60), two(milli % 100));
        let f1 = digit(milli / 100);
        Some([
            y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', i1, i2, b':', s1, s2,
            b'.', f1, f2, f3, b'Z',
        ])
    }

    /// The calendar day in China at this instant; 9999-12-31 for the eight hours after it.
    #[must_use]
    pub fn beijing_date(self) -> Date {
        Date::from_day_number(self.0.saturating_add(BEIJING_MILLIS) / DAY_MILLIS)
    }

    /// This instant and `millis` more, if it still has a text.
    #[must_use]
    pub fn checked_add(self, millis: u64) -> Option<Self> {
        self.0
            .checked_add(millis)
            .map(Self)
            .filter(|sum| *sum <= Self::MAX)
    }

    /// This instant and `millis` less, not before 1970.
    #[must_use]
    pub fn saturating_sub(self, millis: u64) -> Self {
        Self(self.0.saturating_sub(millis))
    }

    /// Milliseconds from `earlier` to this instant; 0 if it is not earlier.
    #[must_use]
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for UnixMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text() {
            Some(text) => text.iter().try_for_each(|c| f.write_char(char::from(*c))),
            // No such text exists; this one is for a log line and no reader accepts it.
            None => write!(f, "{}ms", self.0),
        }
    }
}

#[cfg(test)]
mod tests;
