#![allow(clippy::unwrap_used, reason = "a test may panic")]
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::wire::vectors::{self, text};

#[test]
fn vectors_of_time() {
    vectors::run(
        "time",
        &[
            ("instant.json", |case| {
                let instant = UnixMillis::parse(text(case, "input")).map_err(|e| e.code())?;
                assert_eq!(instant.to_string(), text(case, "input"));
                Ok(instant.0.into())
            }),
            ("date.json", |case| {
                let date = Date::parse(text(case, "input")).map_err(|e| e.code())?;
                assert_eq!(date.to_string(), text(case, "input"));
                Ok(json!({
                    "startBeijing": date.start_beijing().to_string(),
                    "endBeijing": date.end_beijing().to_string(),
                }))
            }),
            ("arithmetic.json", |case| {
                let date = Date::parse(text(case, "input")).map_err(|e| e.code())?;
                let count = |name: &str| u32::try_from(case[name].as_u64().unwrap_or(0)).unwrap();
                let days = i32::try_from(case["days"].as_i64().unwrap_or(0)).unwrap();
                date.add_years(count("years"))
                    .and_then(|d| d.add_months(count("months")))
                    .and_then(|d| d.add_days(days))
                    .map(|d| d.to_string().into())
                    .ok_or("time-year")
            }),
            ("duration.json", |case| {
                parse_duration(text(case, "input"))
                    .map(Into::into)
                    .map_err(|e| e.code())
            }),
        ],
    );
}

#[test]
fn every_day_follows_the_one_before() {
    let mut date = Date::new(1900, 1, 1).unwrap();
    let mut days = 0_u32;
    while let Some(next) = date.add_days(1) {
        assert!(next > date);
        let (same_month, new_month) = (
            next.month() == date.month(),
            next.day() == 1 && next.month() != date.month(),
        );
        assert!(
            same_month && next.day() == date.day() + 1 || new_month,
            "{date} {next}"
        );
        assert_eq!(next.add_days(-1), Some(date));
        date = next;
        days += 1;
    }
    assert_eq!(date.to_string(), "9999-12-31");
    // 8,100 years of 365 days and their leap days.
    assert_eq!(days + 1, 8_100 * 365 + 1_964);
}

#[test]
fn instants_beyond_their_texts_have_none() {
    assert_eq!(UnixMillis::MAX.to_string(), "9999-12-31T23:59:59.999Z");
    assert_eq!(
        UnixMillis(UnixMillis::MAX.0 + 1).to_string(),
        "253402300800000ms"
    );
    assert_eq!(UnixMillis::MAX.checked_add(1), None);
    assert_eq!(UnixMillis(u64::MAX).checked_add(1), None);
    assert_eq!(UnixMillis(5).saturating_sub(9), UnixMillis(0));
    assert_eq!(UnixMillis(5).since(UnixMillis(9)), 0);
    assert_eq!(
        UnixMillis(u64::MAX).beijing_date().to_string(),
        "9999-12-31"
    );
}

#[test]
fn the_chinese_day_begins_at_sixteen_utc() {
    let last = UnixMillis::parse("2026-03-01T15:59:59.999Z").unwrap();
    assert_eq!(last.beijing_date().to_string(), "2026-03-01");
    assert_eq!(
        last.checked_add(1).unwrap().beijing_date().to_string(),
        "2026-03-02"
    );
}

proptest! {
    #[test]
    fn instants_and_texts_are_one_to_one(millis in 0..=UnixMillis::MAX.0) {
        let instant = UnixMillis(millis);
        prop_assert_eq!(UnixMillis::parse(&instant.to_string()), Ok(instant));
        if millis < UnixMillis::MAX.0 - BEIJING_MILLIS {
            let date = instant.beijing_date();
            prop_assert!(date.start_beijing() <= instant && instant < date.end_beijing());
        }
    }

    #[test]
    fn any_text_is_refused_or_its_own_instant(text in "[0-9:.TZ-]{24}") {
        if let Ok(instant) = UnixMillis::parse(&text) {
            prop_assert_eq!(instant.to_string(), text);
        }
    }
}
