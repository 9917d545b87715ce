//! Durations in policy files and flags.

use super::TimeError;
use crate::wire::limits;

const SHAPE: TimeError = TimeError::Shape {
    expected: "90s, 15m, 24h, 7d or 500ms",
};

/// Milliseconds of a duration: an integer without leading zero and `ms`, `s`, `m`, `h` or `d`.
///
/// # Errors
/// Another shape, or more than 2^53 − 1 milliseconds.
pub fn parse_duration(text: &str) -> Result<u64, TimeError> {
    let end = text
        .bytes()
        .position(|b| !b.is_ascii_digit())
        .ok_or(SHAPE)?;
    let (digits, unit) = text.split_at_checked(end).ok_or(SHAPE)?;
    let factor = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => super::DAY_MILLIS,
        _ => return Err(SHAPE),
    };
    if digits.is_empty() || (digits.len() > 1 && digits.starts_with('0')) {
        return Err(SHAPE);
    }
    let mut number: u64 = 0;
    for digit in digits.bytes() {
        number = number
            .checked_mul(10)
            .and_then(|n| n.checked_add(u64::from(digit.wrapping_sub(b'0'))))
            .ok_or(TimeError::Overflow)?;
    }
    number
        .checked_mul(factor)
        .filter(|n| *n <= limits::INTEGER)
        .ok_or(TimeError::Overflow)
}
