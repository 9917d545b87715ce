//! What claims may say, to the letter and to the millisecond.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use serde_json::json;

use super::*;
use crate::jose::tests::foreign;

fn read(payload: &serde_json::Value, header: &serde_json::Value) -> Result<Claims, &'static str> {
    Claims::read(&foreign(payload), Some(&foreign(header))).map_err(|e| e.code())
}

#[test]
fn the_header_may_repeat_a_claim_and_not_contradict_it() {
    for name in ["iss", "sub", "aud"] {
        let (a, b) = (
            json!({name: "did:example:a"}),
            json!({name: "did:example:b"}),
        );
        assert_eq!(read(&a, &b), Err("claims-differs"), "{name}");
        let said = read(&a, &json!({})).unwrap();
        assert_ne!(said, Claims::default(), "{name}");
        assert_eq!(read(&a, &a).unwrap(), said, "{name}");
        assert_eq!(read(&json!({}), &a).unwrap(), said, "{name}");
    }
}

#[test]
fn times_hold_to_the_millisecond() {
    let claims = Claims {
        nbf: Some(UnixMillis(100_000)),
        exp: Some(UnixMillis(200_000)),
        ..Claims::default()
    };
    let code = |at, skew| {
        claims
            .check_times(UnixMillis(at), skew)
            .map_err(|e| e.code())
    };
    assert_eq!(code(99_999, 0), Err("claims-not-yet"));
    assert_eq!(code(100_000, 0), Ok(()));
    assert_eq!(code(199_999, 0), Ok(()));
    assert_eq!(code(200_000, 0), Err("claims-expired"));
    assert_eq!(code(89_999, 10_000), Err("claims-not-yet"));
    assert_eq!(code(90_000, 10_000), Ok(()));
    assert_eq!(code(209_999, 10_000), Ok(()));
    assert_eq!(code(210_000, 10_000), Err("claims-expired"));
    let issued = Claims {
        iat: Some(UnixMillis(100_000)),
        ..Claims::default()
    };
    let code = |at, skew| {
        issued
            .check_times(UnixMillis(at), skew)
            .map_err(|e| e.code())
    };
    assert_eq!(code(99_999, 0), Err("claims-future"));
    assert_eq!(code(100_000, 0), Ok(()));
    assert_eq!(code(90_000, 10_000), Ok(()));
}

#[test]
fn a_time_is_a_number_of_seconds_that_the_calendar_has() {
    let exp = |value: serde_json::Value| {
        let read = read(&json!({"exp": value}), &json!({}))?;
        Ok(read.exp.map(|UnixMillis(millis)| millis))
    };
    assert_eq!(exp(json!(0)), Ok(Some(0)));
    assert_eq!(exp(json!(1.9)), Ok(Some(1_000)));
    let last = UnixMillis::MAX.0 / 1_000;
    assert_eq!(exp(json!(last)), Ok(Some(last * 1_000)));
    for value in [
        json!(-1),
        json!(-0.5),
        json!(last + 1),
        json!(1e21),
        json!(1e300),
        json!("0"),
        json!(null),
    ] {
        assert_eq!(exp(value.clone()), Err("claims-shape"), "{value}");
    }
}
