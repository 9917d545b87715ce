#![allow(clippy::unwrap_used, reason = "a test may panic")]
use proptest::prelude::*;

use super::*;
use crate::wire::vectors;

#[test]
fn vectors_of_our_json() {
    vectors::run(
        "json",
        &[("parse.json", |case| {
            let bytes = vectors::input(case);
            let value = match case["file"].as_bool() {
                Some(true) => parse_file(&bytes),
                _ => parse(&bytes),
            };
            let value = value.map_err(|error| error.code())?;
            Ok(String::from_utf8(encode(&value)).unwrap().into())
        })],
    );
}

#[test]
fn ten_thousand_levels_are_one_clean_error() {
    for (open, offset) in [("[", 32), (r#"{"a":"#, 160)] {
        let deep = open.repeat(10_000);
        assert_eq!(parse(deep.as_bytes()), Err(JsonError::Depth { offset }));
    }
    let just = format!("{}{}", "[".repeat(32), "]".repeat(32));
    assert_eq!(encode(&parse(just.as_bytes()).unwrap()), just.as_bytes());
}

#[test]
fn limits_hold_at_their_edge() {
    let text = |n: usize| format!("\"{}\"", "a".repeat(n));
    assert!(parse(text(limits::TEXT_BYTES).as_bytes()).is_ok());
    let error = parse(text(limits::TEXT_BYTES + 1).as_bytes());
    assert_eq!(error, Err(JsonError::TextTooLong { offset: 0 }));
    let escaped = format!("\"{}\\n\"", "a".repeat(limits::TEXT_BYTES));
    assert_eq!(
        parse(escaped.as_bytes()),
        Err(JsonError::TextTooLong { offset: 0 })
    );

    let array = |n: usize| format!("[{}1]", "1,".repeat(n - 1));
    assert!(parse(array(limits::ARRAY_ITEMS).as_bytes()).is_ok());
    let error = parse(array(limits::ARRAY_ITEMS + 1).as_bytes()).unwrap_err();
    assert_eq!(error.code(), "json-array-too-long");

    let object = |n: usize| {
        let members: Vec<String> = (0..n).map(|i| format!("\"a{i:05}\":1")).collect();
        format!("{{{}}}", members.join(","))
    };
    assert!(parse(object(limits::OBJECT_MEMBERS).as_bytes()).is_ok());
    let error = parse(object(limits::OBJECT_MEMBERS + 1).as_bytes()).unwrap_err();
    assert_eq!(error.code(), "json-object-too-large");

    let name = |n: usize| format!("{{\"{}\":1}}", "a".repeat(n));
    assert!(parse(name(limits::NAME_BYTES).as_bytes()).is_ok());
    assert_eq!(
        parse(name(limits::NAME_BYTES + 1).as_bytes()),
        Err(JsonError::Name { offset: 131 })
    );

    let long = vec![b' '; limits::JSON_BYTES + 1];
    let (offset, actual) = (limits::JSON_BYTES, limits::JSON_BYTES + 1);
    assert_eq!(parse(&long), Err(JsonError::TooLong { offset, actual }));
    assert_eq!(
        parse_within(b"12345", 4),
        Err(JsonError::TooLong {
            offset: 4,
            actual: 5
        })
    );
}

#[test]
fn offsets_point_at_the_deviation() {
    for (input, offset) in [
        (r#"{"a":1, "b":2}"#, 7),
        (r#"{"b":1,"a":2}"#, 7),
        (r#"{"a":1,"a":2}"#, 7),
        (r#"{"a":01}"#, 5),
        (r#"{"a":null}"#, 5),
        ("[1]]", 3),
        (r#"["\u0041"]"#, 2),
    ] {
        assert_eq!(
            parse(input.as_bytes()).unwrap_err().offset(),
            offset,
            "{input}"
        );
    }
}

#[test]
fn members_are_found_by_name() {
    let value = parse(br#"{"a":1,"b":[],"c":true}"#).unwrap();
    assert_eq!(value.member("b"), Some(&Value::Array(vec![])));
    assert_eq!(value.member("d"), None);
    assert_eq!(Value::Int(1).member("a"), None);
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        (0..=limits::INTEGER).prop_map(Value::Int),
        any::<String>().prop_map(Value::Text),
        "[\\x00-\\x22\\\\]{0,8}".prop_map(Value::Text),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        let name = "[!#-\\[\\]-~]{1,6}";
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            proptest::collection::btree_map(name, inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_encoded_parses_to_itself(value in any_value()) {
        let bytes = encode(&value);
        prop_assert_eq!(parse(&bytes), Ok(value.clone()));
        // Another reader agrees that this is JSON, and reads the same text.
        let other: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        if let Value::Text(text) = &value {
            prop_assert_eq!(other.as_str(), Some(text.as_str()));
        }
        let mut file = bytes;
        file.push(b'\n');
        prop_assert_eq!(parse_file(&file), Ok(value));
        let offset = file.len() - 1;
        if !matches!(file.get(offset.wrapping_sub(1)), Some(b'0'..=b'9')) {
            prop_assert_eq!(parse(&file), Err(JsonError::Trailing { offset }));
        }
    }

    /// Two different byte strings never mean the same value.
    #[test]
    fn a_changed_byte_is_an_error_or_another_value(
        value in any_value(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        insert in any::<bool>(),
    ) {
        let bytes = encode(&value);
        let mut changed = bytes.clone();
        let at = at.index(bytes.len());
        if insert { changed.insert(at, byte) } else { changed[at] = byte }
        if let Ok(parsed) = parse(&changed) {
            prop_assert_eq!(encode(&parsed), changed.clone());
            prop_assert_eq!(changed == bytes, parsed == value);
        }
    }

    #[test]
    fn any_bytes_are_refused_or_canonical(bytes in any::<Vec<u8>>()) {
        if let Ok(parsed) = parse(&bytes) {
            prop_assert_eq!(encode(&parsed), bytes);
        }
    }

    #[test]
    fn any_jsonish_text_is_refused_or_canonical(
        text in "[\\[\\]{}:,\"\\\\0-9a-f\\-.eEtrufalsn \n]{0,24}",
    ) {
        if let Ok(parsed) = parse(text.as_bytes()) {
            prop_assert_eq!(encode(&parsed), text.as_bytes());
        }
    }
}
