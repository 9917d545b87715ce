#![allow(clippy::unwrap_used, reason = "a test may panic")]
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::wire::{json, vectors};

fn canonical(case: &Value) -> vectors::Outcome {
    let value = parse_foreign(&vectors::input(case)).map_err(|error| error.code())?;
    Ok(String::from_utf8(canonicalize(&value)).unwrap().into())
}

#[test]
fn vectors_of_foreign_json() {
    vectors::run(
        "foreign-json",
        &[("rfc8785.json", canonical), ("refused.json", canonical)],
    );
}

#[test]
fn ten_thousand_levels_are_one_clean_error() {
    for (open, offset) in [("[", 32), (r#"{"a":"#, 160)] {
        let deep = open.repeat(10_000);
        assert_eq!(
            parse_foreign(deep.as_bytes()),
            Err(ForeignError::Depth { offset })
        );
    }
}

#[test]
fn limits_hold() {
    let too_long = |limit| {
        Err(ForeignError::TooLong {
            limit,
            actual: limit + 1,
        })
    };
    let text = format!("\"{}\"", "a".repeat(limits::TEXT_BYTES + 1));
    assert_eq!(parse_foreign(text.as_bytes()), too_long(limits::TEXT_BYTES));
    let array = format!("[{}1]", "1,".repeat(limits::ARRAY_ITEMS));
    assert_eq!(
        parse_foreign(array.as_bytes()),
        too_long(limits::ARRAY_ITEMS)
    );
    let members: Vec<String> = (0..=limits::OBJECT_MEMBERS)
        .map(|i| format!("\"{i}\":1"))
        .collect();
    let object = format!("{{{}}}", members.join(","));
    assert_eq!(
        parse_foreign(object.as_bytes()),
        too_long(limits::OBJECT_MEMBERS)
    );
    assert_eq!(
        parse_foreign(&vec![b' '; limits::JSON_BYTES + 1]),
        too_long(limits::JSON_BYTES)
    );
}

#[test]
fn members_and_texts_are_reached() {
    let value = parse_foreign(br#"{"b":null,"a":"x"}"#).unwrap();
    assert_eq!(value.member("a").and_then(Foreign::as_text), Some("x"));
    assert_eq!(value.member("b"), Some(&Foreign::Null));
    assert_eq!(value.member("c"), None);
    assert_eq!(Foreign::Null.member("a"), None);
    assert_eq!(Foreign::Null.as_text(), None);
}

proptest! {
    #[test]
    fn canonical_form_is_a_fixed_point(text in "[\\[\\]{}:,\"\\\\0-9a-f\\-.eEtrufalsn \n]{0,24}") {
        if let Ok(value) = parse_foreign(text.as_bytes()) {
            let bytes = canonicalize(&value);
            prop_assert_eq!(canonicalize(&parse_foreign(&bytes).unwrap()), bytes);
            // serde_json, another implementation, accepts what this reader accepts.
            prop_assert!(serde_json::from_str::<Value>(&text).is_ok());
        }
    }

    #[test]
    fn numbers_keep_their_value(number in any::<f64>().prop_filter("finite", |n| n.is_finite())) {
        let bytes = canonicalize(&Foreign::Number(number));
        let text = String::from_utf8(bytes).unwrap();
        prop_assert_eq!(text.parse::<f64>().unwrap(), number);
    }

    /// Our canonical JSON is canonical for everybody.
    #[test]
    fn our_json_is_its_own_canonical_form(bytes in "[\\[\\]{}:,\"0-9a-f]{0,24}") {
        if json::parse(bytes.as_bytes()).is_ok() {
            let value = parse_foreign(bytes.as_bytes()).unwrap();
            prop_assert_eq!(canonicalize(&value), bytes.as_bytes());
        }
    }
}
