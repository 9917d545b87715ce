//! Times as other people's credentials write them: XML Schema `dateTimeStamp`.

use zhao_spec::wire::UnixMillis;

use crate::model::Moment;

/// The instant of an XML Schema 1.1 `dateTimeStamp`, as [`Moment::parse`] reads it; fractions
/// beyond a millisecond are cut. `None` if it is none, or before 1970.
#[must_use]
pub fn date_time_stamp(text: &str) -> Option<UnixMillis> {
    let moment = Moment::parse(text).ok()?;
    let seconds = u64::try_from(moment.seconds).ok()?;
    let millis = moment.attos.checked_div(ATTOS_A_MILLI)?;
    Some(UnixMillis(seconds.checked_mul(1_000)?.checked_add(millis)?))
}

const ATTOS_A_MILLI: u64 = 1_000_000_000_000_000;

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
        assert_eq!(of("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(of("1970-01-01T08:00:00+08:00"), Some(0));
        assert_eq!(of("1969-12-31T23:30:00-01:00"), Some(1_800_000));
        assert_eq!(of("2026-03-01T24:00:00Z"), of("2026-03-02T00:00:00Z"));
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
            "1970-01-01T00:59:59+01:00",
            "0000-01-01T00:00:00Z",
            "1970-01-01T07:59:59+08:00",
            "1950-01-01T00:00:00Z",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
