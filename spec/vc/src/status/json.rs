//! Small readings of other people's JSON.

use zhao_spec::wire::foreign::Foreign;
use zhao_spec::wire::{UnixMillis, limits};

use super::StatusError;
use crate::time::date_time_stamp;

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

/// A dateTimeStamp from 1970 on, as [`date_time_stamp`] reads it.
pub(super) fn optional_time(
    object: &Foreign,
    name: &str,
    member: &'static str,
) -> Result<Option<UnixMillis>, StatusError> {
    match optional_text(object, name, member)? {
        None => Ok(None),
        Some(text) => date_time_stamp(text)
            .map(Some)
            .ok_or(shape(member, "a dateTimeStamp")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: Foreign) -> Foreign {
        object([("x", value)])
    }

    #[test]
    fn times() {
        let time = |value| optional_time(&of(value), "x", "member");
        let wrong = Err(shape("member", "a dateTimeStamp"));
        let same = Ok(Some(UnixMillis(1_712_327_262_000)));
        assert_eq!(time(owned("2024-04-05T22:27:42+08:00")), same);
        assert_eq!(optional_time(&of(Foreign::Null), "y", "member"), Ok(None));
        for text in [
            "",
            "2024-04-05",
            "2024-04-05T14:27:42",
            "1969-12-31T23:59:59Z",
        ] {
            assert_eq!(time(owned(text)), wrong, "{text}");
        }
        assert_eq!(time(number(1)), Err(shape("member", "a text")));
    }

    #[test]
    fn whole_numbers() {
        let read = |value| optional_integer(&of(value), "x", "member");
        for value in [0, 1, limits::INTEGER] {
            assert_eq!(read(number(value)), Ok(Some(value)));
        }
        let wrong = Err(shape("member", "a whole number"));
        for value in [-1.0, -0.5, 0.5, 9_007_199_254_740_992.0, 1e300] {
            assert_eq!(read(Foreign::Number(value)), wrong, "{value}");
        }
        for value in [owned("1"), Foreign::Null, Foreign::Bool(true)] {
            assert_eq!(read(value), wrong);
        }
        assert_eq!(optional_integer(&of(number(1)), "y", "member"), Ok(None));
    }

    #[test]
    fn urls() {
        for text in [
            "https://a.example/1",
            "did:web:a.example#x",
            "urn:uuid:1",
            "a+b-c.1:x",
        ] {
            assert!(is_url(text), "{text}");
        }
        for text in [
            "",
            "a",
            "/status/1",
            ":x",
            "https:",
            "1a:b",
            "a_b:c",
            "x:\u{e4}",
            "x:a|b",
            "https://a b",
            "x:\u{7}",
        ] {
            assert!(!is_url(text), "{text}");
        }
    }
}
