#![allow(clippy::unwrap_used, reason = "a test may panic")]
use proptest::prelude::*;

use super::*;
use crate::wire::json::{self, Value};

fn cut(text: &str, name: &str) -> Option<(String, String)> {
    let place = place(text.as_bytes(), name)?;
    let rest = [&text[..place.member.start], &text[place.member.end..]].concat();
    Some((rest, text[place.value].to_owned()))
}

#[test]
fn a_member_goes_with_one_comma() {
    let text = r#"{"a":1,"b":{"a":2,"c":[1,{"b":true}]},"c":"x","d":[],"e":{}}"#;
    for (name, rest, value) in [
        (
            "a",
            r#"{"b":{"a":2,"c":[1,{"b":true}]},"c":"x","d":[],"e":{}}"#,
            "1",
        ),
        (
            "b",
            r#"{"a":1,"c":"x","d":[],"e":{}}"#,
            r#"{"a":2,"c":[1,{"b":true}]}"#,
        ),
        (
            "c",
            r#"{"a":1,"b":{"a":2,"c":[1,{"b":true}]},"d":[],"e":{}}"#,
            r#""x""#,
        ),
        (
            "d",
            r#"{"a":1,"b":{"a":2,"c":[1,{"b":true}]},"c":"x","e":{}}"#,
            "[]",
        ),
        (
            "e",
            r#"{"a":1,"b":{"a":2,"c":[1,{"b":true}]},"c":"x","d":[]}"#,
            "{}",
        ),
    ] {
        assert_eq!(
            cut(text, name),
            Some((rest.to_owned(), value.to_owned())),
            "{name}"
        );
    }
    assert_eq!(
        cut(r#"{"a":1}"#, "a"),
        Some(("{}".to_owned(), "1".to_owned()))
    );
}

#[test]
fn texts_that_look_like_members_are_none() {
    let text = r#"{"a":"\",\"p\":{","b":"}],\\","c":["\"p\":1"],"p":"\\\""}"#;
    assert!(json::parse(text.as_bytes()).is_ok());
    let expected = r#"{"a":"\",\"p\":{","b":"}],\\","c":["\"p\":1"]}"#;
    let value = r#""\\\"""#;
    assert_eq!(
        cut(text, "p"),
        Some((expected.to_owned(), value.to_owned()))
    );
}

#[test]
fn other_bytes_have_no_place() {
    for text in [
        "",
        "{",
        "{}",
        "[]",
        "1",
        "\"p\"",
        "{\"p",
        "{\"p\"",
        "{\"p\":",
        "{\"p\":\"",
        "{\"p\":\"\\",
        "{\"p\":{",
        "{\"p\":[}",
        "{\"q\":1}",
        "{\"q\":{\"p\":1}}",
        ",",
        "{,",
        "{\"q\":1,",
    ] {
        let found = place(text.as_bytes(), "p");
        assert!(
            found.is_none_or(|place| text.get(place.member).is_some()),
            "{text}"
        );
    }
    assert_eq!(place(b"{\"q\":{\"p\":1}}", "p"), None);
    assert_eq!(place(b"{\"q\":1,", "p"), None);
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        (0_u64..1 << 53).prop_map(Value::Int),
        "[\\PC\"\\\\{}\\[\\],:]{0,9}".prop_map(Value::Text),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            proptest::collection::btree_map("[a-e]", inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn cutting_a_member_is_encoding_without_it(
        members in proptest::collection::btree_map("[a-f]", any_value(), 0..6),
    ) {
        let members: Vec<(String, Value)> = members.into_iter().collect();
        let text = String::from_utf8(json::encode(&Value::Object(members.clone()))).unwrap();
        for name in ["a", "b", "c", "d", "e", "f"] {
            let kept: Vec<_> = members.iter().filter(|(n, _)| n != name).cloned().collect();
            let expected = members.iter().find(|(n, _)| n == name).map(|(_, value)| {
                let bytes = [json::encode(&Value::Object(kept)), json::encode(value)];
                let [rest, value] = bytes.map(|bytes| String::from_utf8(bytes).unwrap());
                (rest, value)
            });
            prop_assert_eq!(cut(&text, name), expected);
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in "[{}\\[\\],:\"p\\\\1]{0,24}") {
        let found = place(bytes.as_bytes(), "p");
        prop_assert!(found.is_none_or(|place| place.member.end <= bytes.len()));
    }
}
