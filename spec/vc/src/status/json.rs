//! Small readings of other people's JSON.

use zhao_spec::wire::foreign::Foreign;
use zhao_spec::wire::{UnixMillis, limits};

use super::StatusError;

pub(super) fn shape(member: &'static str, expected: &'static str) -> StatusError {
    StatusError::Shape { member, expected }
}

/// A text member, if it is there.
pub(super) fn optional_text<'a>(
    object: &'a Foreign,
    name: &str,
    member: &'static str,
) -> Result<Option<&'a str>, StatusError> {
    match object.member(name) {
        None => Ok(None),
        Some(value) => match value.as_text() {
            Some(text) => Ok(Some(text)),
            None => Err(shape(member, "a text")),
        },
    }
}

/// A text member.
pub(super) fn text<'a>(
    object: &'a Foreign,
    name: &str,
    member: &'static str,
) -> Result<&'a str, StatusError> {
    optional_text(object, name, member)?.ok_or(shape(member, "a text"))
}

/// A member that is a whole number from 0 to 2^53 − 1.
pub(super) fn optional_integer(
    object: &Foreign,
    name: &str,
    member: &'static str,
) -> Result<Option<u64>, StatusError> {
    let number = match object.member(name) {
        None => return Ok(None),
        Some(Foreign::Number(number)) => *number,
        Some(_) => return Err(shape(member, "a whole number")),
    };
    let whole = number.fract() == 0.0 && number >= 0.0;
    let integer = format!("{number:.0}").parse::<u64>().ok();
    match integer {
        Some(integer) if whole && integer <= limits::INTEGER => Ok(Some(integer)),
        _ => Err(shape(member, "a whole number")),
    }
}

/// A whole number as JSON has it.
pub(super) fn number(integer: u64) -> Foreign {
    Foreign::Number(integer.to_string().parse().unwrap_or(0.0))
}

pub(super) fn owned(text: &str) -> Foreign {
    Foreign::Text(text.to_owned())
}

pub(super) fn object<const N: usize>(members: [(&str, Foreign); N]) -> Foreign {
    Foreign::Object(
        members
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
}

/// Whether this is an absolute URL as far as a status list needs it: a scheme, and nothing that a
/// URL cannot hold.
pub(super) fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let begins = scheme
        .bytes()
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic());
    let held = |b: u8| b.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&b);
    begins
        && scheme
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
        && !rest.is_empty()
        && rest.bytes().all(held)
}

/// A dateTimeStamp (XML Schema 1.1 part 2 §3.4.28) from 1970 on, to the millisecond: what is finer
/// is cut.
pub(super) fn optional_time(
    object: &Foreign,
    name: &str,
    member: &'static str,
) -> Result<Option<UnixMillis>, StatusError> {
    match optional_text(object, name, member)? {
        None => Ok(None),
        Some(text) => instant(text)
            .map(Some)
            .ok_or(shape(member, "a dateTimeStamp")),
    }
}

fn instant(text: &str) -> Option<UnixMillis> {
    let (seconds, rest) = text.split_at_checked(19)?;
    let zone_at = rest.find(['Z', '+', '-'])?;
    let (fraction, zone) = rest.split_at_checked(zone_at)?;
    let digits = match fraction.strip_prefix('.') {
        Some(digits) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => digits,
        None if fraction.is_empty() => "0",
        _ => return None,
    };
    let millis: String = digits.chars().chain("00".chars()).take(3).collect();
    let local = UnixMillis::parse(&format!("{seconds}.{millis}Z")).ok()?;
    if zone == "Z" {
        return Some(local);
    }
    let (ahead, zone) = match zone.strip_prefix('+') {
        Some(zone) => (true, zone),
        None => (false, zone.strip_prefix('-')?),
    };
    let (hours, minutes) = zone.split_once(':')?;
    let two = |text: &str, most: u64| -> Option<u64> {
        let digits = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        text.parse().ok().filter(|n| digits && *n <= most)
    };
    let (hours, minutes) = (two(hours, 14)?, two(minutes, 59)?);
    let offset = hours.checked_mul(60)?.checked_add(minutes)?;
    if offset > 14 * 60 {
        return None;
    }
    let offset = offset.checked_mul(60_000)?;
    if ahead {
        local.0.checked_sub(offset).map(UnixMillis)
    } else {
        local.checked_add(offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_as_others_write_them() {
        let same = UnixMillis(1_712_327_262_000);
        for text in [
            "2024-04-05T14:27:42Z",
            "2024-04-05T14:27:42.000Z",
            "2024-04-05T14:27:42.0009Z",
            "2024-04-05T22:27:42+08:00",
            "2024-04-05T12:57:42-01:30",
        ] {
            assert_eq!(instant(text), Some(same), "{text}");
        }
        assert_eq!(
            instant("2024-04-05T14:27:42.5Z"),
            Some(UnixMillis(same.0 + 500))
        );
        for text in [
            "",
            "2024-04-05",
            "2024-04-05T14:27:42",
            "2024-04-05T14:27:42.Z",
            "2024-04-05T14:27:42.1x2Z",
            "2024-04-05T14:27:60Z",
            "2024-02-30T14:27:42Z",
            "2024-04-05 14:27:42Z",
            "2024-04-05T14:27:42+8:00",
            "2024-04-05T14:27:42+15:00",
            "2024-04-05T14:27:42+14:01",
            "2024-04-05T14:27:42Z+08:00",
            "1970-01-01T00:00:00+01:00",
            "2024-04-05T14:27:4\u{fc}Z",
        ] {
            assert_eq!(instant(text), None, "{text}");
        }
    }

    #[test]
    fn urls() {
        for text in ["https://a.example/1", "did:web:a.example#x", "urn:uuid:1"] {
            assert!(is_url(text), "{text}");
        }
        for text in [
            "",
            "a",
            "/status/1",
            ":x",
            "https:",
            "1a:b",
            "https://a b",
            "x:\u{7}",
        ] {
            assert!(!is_url(text), "{text}");
        }
    }
}
