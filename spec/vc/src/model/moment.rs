//! XML Schema 1.1 part 2 `dateTimeStamp`: a date and time of day with its time zone.

use zhao_spec::wire::{Date, UnixMillis};

/// Digits after the second's point: an attosecond. XML Schema asks readers for three.
const FRACTION_DIGITS: usize = 18;
/// Seconds of a day.
const DAY: i64 = 86_400;

/// Why a text is no `dateTimeStamp`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MomentError {
    /// Another shape; other years than 0000 to 9999 are one too.
    #[error("is not of the form YYYY-MM-DDThh:mm:ss, a fraction if any, and Z or ±hh:mm")]
    Shape,
    /// No time zone: it could mean any of 26 hours.
    #[error("has no time zone")]
    Zone,
    /// A month or day that the calendar lacks.
    #[error("is a date that the calendar lacks")]
    NoSuchDate,
    /// Hour over 23 (24:00:00 is the next day), minute or second over 59 (XML Schema has no leap
    /// seconds), zone over 14:00.
    #[error("is a time of day or a zone that the clock lacks")]
    NoSuchTime,
    /// More digits after the second's point than are told apart.
    #[error("has more than 18 digits after the point")]
    Fraction,
}

impl MomentError {
    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Shape => "model-time",
            Self::Zone => "model-time-zone",
            Self::NoSuchDate => "model-time-date",
            Self::NoSuchTime => "model-time-of-day",
            Self::Fraction => "model-time-fraction",
        }
    }
}

/// An instant, as exact as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment {
    /// Seconds since 1970-01-01T00:00:00Z, leap seconds not counted; negative before.
    pub seconds: i64,
    /// And so many attoseconds (10^-18 s), below 10^18.
    pub attos: u64,
}

impl Moment {
    /// The instant of a `dateTimeStamp`.
    ///
    /// # Errors
    /// Another shape, no zone, no such date or time, or more digits than are told apart.
    pub fn parse(text: &str) -> Result<Self, MomentError> {
        let bytes = text.as_bytes();
        let (date, rest) = bytes.split_at_checked(10).ok_or(MomentError::Shape)?;
        let (clock, rest) = rest.split_at_checked(9).ok_or(MomentError::Shape)?;
        let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = date else {
            return Err(MomentError::Shape);
        };
        let &[b'T', h1, h2, b':', i1, i2, b':', s1, s2] = clock else {
            return Err(MomentError::Shape);
        };
        let (fraction, zone) = split_fraction(rest)?;
        let year = number(&[y1, y2, y3, y4])?;
        let days = days(year, number(&[m1, m2])?, number(&[d1, d2])?)?;
        let (hour, minute, second) = (number(&[h1, h2])?, number(&[i1, i2])?, number(&[s1, s2])?);
        let attos = attos(fraction)?;
        let midnight = hour == 24 && minute == 0 && second == 0 && attos == 0;
        if (hour > 23 && !midnight) || minute > 59 || second > 59 {
            return Err(MomentError::NoSuchTime);
        }
        let clock = hour
            .saturating_mul(3_600)
            .saturating_add(minute.saturating_mul(60))
            .saturating_add(second);
        let seconds = days
            .saturating_mul(DAY)
            .saturating_add(clock)
            .saturating_sub(offset(zone)?);
        Ok(Self { seconds, attos })
    }

    /// Whether it is before or at `now`, which has milliseconds.
    #[must_use]
    pub fn has_come(self, now: UnixMillis) -> bool {
        let (seconds, millis) = (now.0 / 1_000, now.0 % 1_000);
        let now = Self {
            seconds: i64::try_from(seconds).unwrap_or(i64::MAX),
            attos: millis.saturating_mul(1_000_000_000_000_000),
        };
        self <= now
    }
}

/// The digits of a fraction (none: no point), and what follows.
fn split_fraction(rest: &[u8]) -> Result<(&[u8], &[u8]), MomentError> {
    let Some((b'.', after)) = rest.split_first() else {
        return Ok((&[], rest));
    };
    let end = after
        .iter()
        .position(|b| !b.is_ascii_digit())
        .unwrap_or(after.len());
    match after.split_at_checked(end) {
        Some((digits, zone)) if !digits.is_empty() => Ok((digits, zone)),
        _ => Err(MomentError::Shape),
    }
}

fn attos(fraction: &[u8]) -> Result<u64, MomentError> {
    if fraction.len() > FRACTION_DIGITS {
        return Err(MomentError::Fraction);
    }
    let padding = std::iter::repeat_n(&b'0', FRACTION_DIGITS.saturating_sub(fraction.len()));
    let digits = fraction.iter().chain(padding);
    Ok(digits.fold(0u64, |sum, digit| {
        sum.saturating_mul(10)
            .saturating_add(u64::from(digit.wrapping_sub(b'0')))
    }))
}

/// Seconds by which the zone's clock is ahead of UTC.
fn offset(zone: &[u8]) -> Result<i64, MomentError> {
    match zone {
        [] => Err(MomentError::Zone),
        b"Z" => Ok(0),
        &[sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (number(&[h1, h2])?, number(&[m1, m2])?);
            if minutes > 59 || hours > 14 || (hours == 14 && minutes > 0) {
                return Err(MomentError::NoSuchTime);
            }
            let seconds = hours
                .saturating_mul(3_600)
                .saturating_add(minutes.saturating_mul(60));
            Ok(match sign {
                b'-' => seconds.saturating_neg(),
                _ => seconds,
            })
        }
        _ => Err(MomentError::Shape),
    }
}

fn number(digits: &[u8]) -> Result<i64, MomentError> {
    digits.iter().try_fold(0i64, |sum, digit| match digit {
        b'0'..=b'9' => Ok(sum
            .saturating_mul(10)
            .saturating_add(i64::from(digit.wrapping_sub(b'0')))),
        _ => Err(MomentError::Shape),
    })
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar, years 0000 to 9999.
fn days(year: i64, month: i64, day: i64) -> Result<i64, MomentError> {
    // The calendar's own rules are asked of the year that has the same ones after 1600: every 400
    // years it begins again.
    let like = year.rem_euclid(400).saturating_add(2_000);
    let part = |n: i64| u8::try_from(n).map_err(|_| MomentError::NoSuchDate);
    let like = u16::try_from(like).map_err(|_| MomentError::NoSuchDate)?;
    Date::new(like, part(month)?, part(day)?).map_err(|_| MomentError::NoSuchDate)?;
    // Days of a civil date, counted in years that begin in March.
    let shifted = if month > 2 {
        year
    } else {
        year.saturating_sub(1)
    };
    let era = shifted.div_euclid(400);
    let of_era = shifted.rem_euclid(400);
    let month = month.saturating_add(9).rem_euclid(12);
    let of_year = month
        .saturating_mul(153)
        .saturating_add(2)
        .div_euclid(5)
        .saturating_add(day)
        .saturating_sub(1);
    let leap = of_era
        .div_euclid(4)
        .saturating_sub(of_era.div_euclid(100))
        .saturating_add(of_era.saturating_mul(365))
        .saturating_add(of_year);
    Ok(era
        .saturating_mul(146_097)
        .saturating_add(leap)
        .saturating_sub(719_468))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_what_is_no_stamp() {
        use MomentError::{Fraction, NoSuchDate, NoSuchTime, Shape, Zone};
        for (text, error) in [
            ("", Shape),
            ("Sat 25 Feb 2023 07:16:31 PM CST", Shape),
            ("2023-02-25", Shape),
            ("2023-02-25T19:10:39", Zone),
            ("2023-02-25T19:10:39.5", Zone),
            ("2023-02-25 19:10:39Z", Shape),
            ("2023-02-25t19:10:39z", Shape),
            ("2023-02-25T19:10Z", Shape),
            ("2023-02-25T19:10:39z", Shape),
            ("2023-02-25T19:10:39.Z", Shape),
            ("2023-02-25T19:10:39+0800", Shape),
            ("2023-02-25T19:10:39+08", Shape),
            ("2023-02-25T19:10:39Z ", Shape),
            (" 2023-02-25T19:10:39Z", Shape),
            ("12023-02-25T19:10:39Z", Shape),
            ("-2023-02-25T19:10:39Z", Shape),
            ("+023-02-25T19:10:39Z", Shape),
            ("２０２３-02-25T19:10:39Z", Shape),
            ("2023-02-29T00:00:00Z", NoSuchDate),
            ("1900-02-29T00:00:00Z", NoSuchDate),
            ("2023-13-01T00:00:00Z", NoSuchDate),
            ("2023-00-01T00:00:00Z", NoSuchDate),
            ("2023-04-31T00:00:00Z", NoSuchDate),
            ("2016-12-31T23:59:60Z", NoSuchTime),
            ("2023-02-25T24:00:01Z", NoSuchTime),
            ("2023-02-25T24:00:00.1Z", NoSuchTime),
            ("2023-02-25T25:00:00Z", NoSuchTime),
            ("2023-02-25T10:60:00Z", NoSuchTime),
            ("2023-02-25T10:00:00+14:01", NoSuchTime),
            ("2023-02-25T10:00:00+15:00", NoSuchTime),
            ("2023-02-25T10:00:00-08:60", NoSuchTime),
            ("2023-02-25T10:00:00.1234567890123456789Z", Fraction),
        ] {
            assert_eq!(Moment::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn reads_stamps() {
        for (text, seconds, attos) in [
            ("1970-01-01T00:00:00Z", 0, 0),
            ("1969-12-31T23:59:59Z", -1, 0),
            ("2023-02-25T19:10:39-06:00", 1_677_373_839, 0),
            ("2023-02-26T01:10:39Z", 1_677_373_839, 0),
            (
                "2023-02-26T01:20:18.477Z",
                1_677_374_418,
                477_000_000_000_000_000,
            ),
            ("2023-02-25T24:00:00Z", 1_677_369_600, 0),
            ("2023-02-26T00:00:00.000Z", 1_677_369_600, 0),
            ("2000-02-29T14:00:00+14:00", 951_782_400, 0),
            ("0000-01-01T00:00:00Z", -62_167_219_200, 0),
            ("9999-12-31T23:59:59Z", 253_402_300_799, 0),
            ("1970-01-01T00:00:00.000000000000000001Z", 0, 1),
        ] {
            assert_eq!(Moment::parse(text), Ok(Moment { seconds, attos }), "{text}");
        }
    }

    #[test]
    fn comes_at_its_instant() {
        let at = Moment::parse("1970-01-01T00:00:01.001Z").unwrap();
        assert!(!at.has_come(UnixMillis(1_000)));
        assert!(at.has_come(UnixMillis(1_001)));
        let after = Moment::parse("1970-01-01T00:00:01.001000000000000001Z").unwrap();
        assert!(!after.has_come(UnixMillis(1_001)));
        assert!(
            Moment::parse("0001-01-01T00:00:00Z")
                .unwrap()
                .has_come(UnixMillis(0))
        );
    }

    proptest! {
        #[test]
        fn agrees_with_our_instants(millis in 0u64..253_402_300_800_000) {
            let text = UnixMillis(millis).to_string();
            let moment = Moment::parse(&text).unwrap();
            prop_assert_eq!(moment.seconds, i64::try_from(millis / 1_000).unwrap());
            prop_assert_eq!(moment.attos, millis % 1_000 * 1_000_000_000_000_000);
        }

        #[test]
        fn never_panics(text in "\\PC{0,40}") {
            let _ = Moment::parse(&text);
        }
    }
}
