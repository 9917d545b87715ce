//! Times as other people's credentials write them: XML Schema `dateTimeStamp`.

use zhao_spec::wire::UnixMillis;
use zhao_spec::wire::time::Date;

/// The instant of an XML Schema 1.1 `dateTimeStamp`: a date, `T`, a time of day, a zone (`Z` or
/// `±hh:mm`, at most 14:00). Fractions beyond a millisecond are cut; 24:00:00 is the next midnight.
/// `None` if it is none, or it or its date is before 1970 or after 9999. There are no leap seconds.
///
/// Source: XML Schema Definition Language 1.1 Part 2 §3.4.28.
#[must_use]
pub fn date_time_stamp(text: &str) -> Option<UnixMillis> {
    let (date, rest) = text.split_at_checked(10)?;
    let date = Date::parse(date).ok().filter(|date| date.year() >= 1970)?;
    let rest = rest.strip_prefix('T')?;
    let (clock, zone) = rest.split_at_checked(8)?;
    let [h1, h2, b':', m1, m2, b':', s1, s2] = clock.as_bytes() else {
        return None;
    };
    let (hour, minute, second) = (two(*h1, *h2)?, two(*m1, *m2)?, two(*s1, *s2)?);
    let (millis, any, zone) = fraction(zone)?;
    let midnight = hour == 24 && minute == 0 && second == 0 && !any;
    if !(hour < 24 || midnight) || minute > 59 || second > 59 {
        return None;
    }
    let offset = offset(zone)?;
    let seconds = hour
        .checked_mul(3_600)?
        .checked_add(minute.checked_mul(60)?)?
        .checked_add(second)?;
    // In China the day ends when it is 16:00 of the same day at Greenwich.
    let day = i64::try_from(date.end_beijing().0)
        .ok()?
        .checked_sub(DAY_IN_CHINA)?;
    let time = i64::try_from(seconds.checked_mul(1_000)?.checked_add(millis)?).ok()?;
    let instant = day.checked_add(time)?.checked_sub(offset)?;
    u64::try_from(instant).ok().map(UnixMillis)
}

/// From 00:00 at Greenwich to the end of that date in China, milliseconds.
const DAY_IN_CHINA: i64 = 16 * 3_600_000;

/// The value of two digits.
fn two(tens: u8, ones: u8) -> Option<u64> {
    let digit = |byte: u8| char::from(byte).to_digit(10).map(u64::from);
    digit(tens)?.checked_mul(10)?.checked_add(digit(ones)?)
}

/// Milliseconds, whether there is anything but noughts, and what follows.
fn fraction(text: &str) -> Option<(u64, bool, &str)> {
    let Some(digits) = text.strip_prefix('.') else {
        return Some((0, false, text));
    };
    let end = digits.find(|c: char| !c.is_ascii_digit())?;
    let (digits, zone) = digits.split_at_checked(end)?;
    if digits.is_empty() {
        return None;
    }
    let mut millis: u64 = 0;
    for digit in digits.bytes().chain(*b"00").take(3) {
        let digit = u64::from(char::from(digit).to_digit(10)?);
        millis = millis.checked_mul(10)?.checked_add(digit)?;
    }
    Some((millis, digits.bytes().any(|digit| digit != b'0'), zone))
}

/// How far the zone is ahead of Greenwich, milliseconds.
fn offset(zone: &str) -> Option<i64> {
    if zone == "Z" {
        return Some(0);
    }
    let [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] = zone.as_bytes() else {
        return None;
    };
    let (hours, minutes) = (two(*h1, *h2)?, two(*m1, *m2)?);
    let total = hours.checked_mul(60)?.checked_add(minutes)?;
    if minutes > 59 || total > 14 * 60 {
        return None;
    }
    let millis = i64::try_from(total.checked_mul(60_000)?).ok()?;
    Some(if *sign == b'-' {
        millis.checked_neg()?
    } else {
        millis
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<u64> {
        date_time_stamp(text).map(|instant| instant.0)
    }

    #[test]
    fn an_instant_is_the_same_in_every_zone() {
        let noon = UnixMillis::parse("2026-03-02T12:00:00.000Z").unwrap().0;
        for text in [
            "2026-03-02T12:00:00Z",
            "2026-03-02T12:00:00.0Z",
            "2026-03-02T20:00:00+08:00",
            "2026-03-02T06:30:00-05:30",
            "2026-03-03T02:00:00+14:00",
            "2026-03-02T12:00:00+00:00",
            "2026-03-02T12:00:00-00:00",
            "2026-03-02T12:59:00+00:59",
        ] {
            assert_eq!(of(text), Some(noon), "{text}");
        }
        assert_eq!(of("2026-03-02T12:00:00.1239Z"), Some(noon + 123));
        assert_eq!(of("2026-03-02T12:00:00.5Z"), Some(noon + 500));
        assert_eq!(of("2026-03-01T24:00:00Z"), of("2026-03-02T00:00:00Z"));
        assert_eq!(of("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(of("1970-01-01T08:00:00.001+08:00"), Some(1));
    }

    #[test]
    fn what_is_no_instant_is_refused() {
        for text in [
            "",
            "2026-03-02",
            "2026-03-02T12:00:00",
            "2026-03-02 12:00:00Z",
            "2026-03-02t12:00:00Z",
            "2026-03-02T12:00:00z",
            "2026-03-02T12:00Z",
            "2026-02-30T12:00:00Z",
            "2026-13-01T12:00:00Z",
            "2026-03-02T25:00:00Z",
            "2026-03-02T24:00:01Z",
            "2026-03-02T24:00:00.1Z",
            "2026-03-02T12:60:00Z",
            "2026-03-02T12:00:60Z",
            "2026-03-02T12:00:00.Z",
            "2026-03-02T12:00:00.5",
            "2026-03-02T12:00:00+8:00",
            "2026-03-02T12:00:00+0800",
            "2026-03-02T12:00:00+14:01",
            "2026-03-02T12:00:00+15:00",
            "2026-03-02T12:00:00+08:60",
            "2026-03-02T12:00:00Zjunk",
            "2026-03-02T1２:00:00Z",
            "1969-12-31T23:59:59Z",
            "1969-12-31T23:59:59-14:00",
            "1970-01-01T07:59:59+08:00",
            "1950-01-01T00:00:00Z",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
