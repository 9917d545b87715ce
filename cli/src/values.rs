//! Values of flags: times, durations, counts, and how they are written for people.

use zhao_spec::id::CitizenId;
use zhao_spec::wire::time::{Date, parse_duration};
use zhao_spec::wire::{TimeError, UnixMillis};

/// What a person may write for an instant: `2026-11-22` (its first moment in China), or RFC 3339
/// with or without fractions, `Z` or an offset.
///
/// # Errors
/// Another shape, or a date or time of day that does not exist.
pub(crate) fn parse_time(text: &str) -> Result<UnixMillis, String> {
    instant(text).map_err(|cause| cause.to_string())
}

const SHAPE: TimeError = TimeError::Shape {
    expected: "YYYY-MM-DD, YYYY-MM-DDTHH:MM:SSZ or YYYY-MM-DDTHH:MM:SS+08:00",
};

fn instant(text: &str) -> Result<UnixMillis, TimeError> {
    if !text.contains('T') {
        return Ok(Date::parse(text).map_err(shape)?.start_beijing());
    }
    let (local, offset) = split_offset(text).ok_or(SHAPE)?;
    let (seconds, fraction) = local.split_once('.').unwrap_or((local, "0"));
    if fraction.is_empty() || fraction.len() > 3 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return Err(SHAPE);
    }
    let utc = UnixMillis::parse(&format!("{seconds}.{fraction:0<3}Z")).map_err(shape)?;
    match offset {
        Offset::East(millis) => Ok(UnixMillis(utc.0.checked_sub(millis).ok_or(SHAPE)?)),
        Offset::West(millis) => utc.checked_add(millis).ok_or(TimeError::Overflow),
    }
}

/// A shape error of ours tells what flags accept, not what files hold.
fn shape(error: TimeError) -> TimeError {
    match error {
        TimeError::Shape { .. } => SHAPE,
        other => other,
    }
}

enum Offset {
    East(u64),
    West(u64),
}

fn split_offset(text: &str) -> Option<(&str, Offset)> {
    if let Some(local) = text.strip_suffix('Z') {
        return Some((local, Offset::East(0)));
    }
    let at = text.len().checked_sub(6)?;
    let (local, offset) = text.split_at_checked(at)?;
    let [sign, h1, h2, b':', m1, m2] = offset.as_bytes() else {
        return None;
    };
    if ![h1, h2, m1, m2].into_iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digit = |byte: &u8| u64::from(byte.saturating_sub(b'0'));
    let (hours, minutes) = (digit(h1) * 10 + digit(h2), digit(m1) * 10 + digit(m2));
    if hours > 14 || minutes > 59 {
        return None;
    }
    let millis = (hours * 60 + minutes) * 60_000;
    match sign {
        b'+' => Some((local, Offset::East(millis))),
        b'-' => Some((local, Offset::West(millis))),
        _ => None,
    }
}

/// A duration as in policy files.
///
/// # Errors
/// Another shape, or too long.
pub(crate) fn parse_millis(text: &str) -> Result<u64, String> {
    parse_duration(text).map_err(|cause| cause.to_string())
}

/// An instant for a person: China's local time, said so.
pub(crate) fn show_time(at: UnixMillis) -> String {
    const BEIJING: u64 = 8 * 3_600_000;
    match at.checked_add(BEIJING) {
        Some(local) => {
            let text = local.to_string();
            let day = text.get(..10).unwrap_or(&text);
            let time = text.get(11..19).unwrap_or_default();
            format!("{day} {time} +08:00")
        }
        None => at.to_string(),
    }
}

/// Milliseconds for a person: the two largest units that are not zero.
pub(crate) fn show_millis(millis: u64) -> String {
    const UNITS: [(u64, &str); 4] = [
        (86_400_000, "d"),
        (3_600_000, "h"),
        (60_000, "min"),
        (1_000, "s"),
    ];
    let mut rest = millis;
    let mut parts = Vec::new();
    for (size, name) in UNITS {
        let count = rest / size;
        rest %= size;
        if count > 0 && parts.len() < 2 {
            parts.push(format!("{count} {name}"));
        }
    }
    if parts.is_empty() {
        format!("{millis} ms")
    } else {
        parts.join(" ")
    }
}

/// A size for a person, in bytes or KB of 1000 bytes.
pub(crate) fn show_bytes(bytes: u64) -> String {
    match bytes {
        0..=9_999 => format!("{bytes} B"),
        10_000..=9_999_999 => format!("{}.{} kB", bytes / 1_000, bytes % 1_000 / 100),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

/// A holder's code for a screen: a person's is shown in part only, because screens are seen by
/// those who stand behind. `--json` and the file itself have it whole.
pub(crate) fn show_holder_code(code: &str, organisation: bool) -> String {
    if organisation {
        return crate::sheet::plain(code);
    }
    if let Ok(citizen) = CitizenId::parse(code) {
        return citizen.masked();
    }
    let shown = |at: usize, count: usize| at < 3 || at + 2 >= count;
    let count = code.chars().count();
    let masked: String = code
        .chars()
        .enumerate()
        .map(|(at, c)| if shown(at, count) { c } else { '*' })
        .collect();
    crate::sheet::plain(&masked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_every_form_a_person_writes() {
        let expected = UnixMillis::parse("2026-11-22T06:10:00.000Z").unwrap();
        for text in [
            "2026-11-22T06:10:00.000Z",
            "2026-11-22T06:10:00Z",
            "2026-11-22T14:10:00+08:00",
            "2026-11-22T01:10:00.0-05:00",
        ] {
            assert_eq!(parse_time(text), Ok(expected), "{text}");
        }
        let midnight = UnixMillis::parse("2026-11-21T16:00:00.000Z").unwrap();
        assert_eq!(parse_time("2026-11-22"), Ok(midnight));
    }

    #[test]
    fn times_that_do_not_exist_are_refused() {
        for (text, expected) in [
            ("2026-02-29", "no such date"),
            ("2026-13-01T00:00:00Z", "no such date"),
            ("2026-01-01T24:00:00Z", "no such time of day"),
            ("2026-01-01T00:00:60Z", "no such time of day"),
        ] {
            assert_eq!(parse_time(text), Err(expected.to_owned()), "{text}");
        }
        for text in [
            "",
            "now",
            "2026-1-1",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00.1234Z",
            "2026-01-01T00:00:00+8:00",
            "2026-01-01T00:00:00+15:00",
            "二〇二六年一月一日",
        ] {
            assert!(
                parse_time(text).unwrap_err().starts_with("not of the form"),
                "{text}"
            );
        }
    }

    #[test]
    fn numbers_are_shown_in_two_units() {
        assert_eq!(show_millis(12), "12 ms");
        assert_eq!(show_millis(90_061_000), "1 d 1 h");
        assert_eq!(show_bytes(9_999), "9999 B");
        assert_eq!(show_bytes(12_345), "12.3 kB");
        let at = UnixMillis::parse("2026-11-22T16:00:00.000Z").unwrap();
        assert_eq!(show_time(at), "2026-11-23 00:00:00 +08:00");
    }

    #[test]
    fn a_persons_code_is_never_whole_on_a_screen() {
        let shown = show_holder_code("11010519491231002X", false);
        assert_eq!(shown, "110105********002X");
        assert_eq!(show_holder_code("E12345678", false), "E12****78");
        let organisation = "91320402DEM0010172";
        assert_eq!(show_holder_code(organisation, true), organisation);
    }
}
