#![allow(clippy::unwrap_used, reason = "a test may panic")]
use super::*;
use crate::wire::json::parse;

fn problem_of<T: std::fmt::Debug>(
    json: &str,
    read: impl Fn(&mut Fields<'_>) -> Result<T, Malformed>,
) -> (String, &'static str) {
    let value = parse(json.as_bytes()).unwrap();
    let mut fields = Fields::new(&value, "top").unwrap();
    let error = read(&mut fields).unwrap_err();
    (error.path.clone(), error.code())
}

#[test]
fn every_problem_says_what_and_where() {
    let at = |path: &str, code| (path.to_owned(), code);
    assert_eq!(
        problem_of("{}", |f| f.text("a").map(drop)),
        at("top.a", "field-missing")
    );
    assert_eq!(
        problem_of(r#"{"a":1}"#, |f| f.text("a").map(drop)),
        at("top.a", "field-kind")
    );
    assert_eq!(
        problem_of(r#"{"a":"1"}"#, |f| f.int("a")),
        at("top.a", "field-kind")
    );
    assert_eq!(
        problem_of(r#"{"a":0}"#, |f| f.bool("a")),
        at("top.a", "field-kind")
    );
    assert_eq!(
        problem_of(r#"{"a":{}}"#, |f| f.array("a").map(drop)),
        at("top.a", "field-kind")
    );
    assert_eq!(
        problem_of(r#"{"a":[]}"#, |f| f.object("a").map(drop)),
        at("top.a", "field-kind")
    );
    assert_eq!(
        problem_of(r#"{"a":"AA"}"#, |f| f.hash("a")),
        at("top.a", "binary-wrong-length")
    );
    assert_eq!(
        problem_of(r#"{"a":"AAAA"}"#, |f| f.bytes("a", 2)),
        at("top.a", "binary-too-long")
    );
    assert_eq!(
        problem_of(r#"{"a":"A="}"#, |f| f.bytes("a", 2)),
        at("top.a", "binary-alphabet")
    );
    assert_eq!(
        problem_of(r#"{"a":"now"}"#, |f| f.time("a")),
        at("top.a", "time-shape")
    );
    assert_eq!(
        problem_of(r#"{"a":"2025-02-29"}"#, |f| f.date("a")),
        at("top.a", "time-no-such-date")
    );
    assert_eq!(
        problem_of(r#"{"a":"f00"}"#, |f| f.key("a")),
        at("top.a", "binary-multibase")
    );
    assert_eq!(
        problem_of(r#"{"a":"AA"}"#, |f| f.signature("a")),
        at("top.a", "binary-wrong-length")
    );
    assert_eq!(
        problem_of(r#"{"a":"xy"}"#, |f| f.text_within("a", 1).map(drop)),
        at("top.a", "field-too-long")
    );
    assert_eq!(
        problem_of(r#"{"a":"x"}"#, |f| f.literal("a", "y")),
        at("top.a", "field-value")
    );
    assert_eq!(
        problem_of(r#"{"a":[1]}"#, |f| f.items("a", 0, int_of)),
        at("top.a", "field-too-long")
    );
    assert_eq!(
        problem_of(r#"{"a":[1,"x"]}"#, |f| f.items("a", 2, int_of)),
        at("top.a[1]", "field-kind")
    );
    assert_eq!(
        problem_of(r#"{"a":{"b":1}}"#, |f| f.object("a")?.text("b").map(drop)),
        at("top.a.b", "field-kind")
    );
}

#[test]
fn the_first_member_nobody_asked_for_is_named() {
    let value = parse(br#"{"a":1,"b":2,"c":3}"#).unwrap();
    let mut fields = Fields::new(&value, "").unwrap();
    fields.int("a").unwrap();
    let error = fields.finish().unwrap_err();
    assert_eq!(error, Malformed::new("b", Problem::Unknown));
    assert_eq!(error.to_string(), "b: unknown member");
}

#[test]
fn optional_members_may_be_absent_but_not_wrong() {
    let value = parse(br#"{"a":1,"o":{}}"#).unwrap();
    let mut fields = Fields::new(&value, "").unwrap();
    assert_eq!(fields.optional_int("x").unwrap(), None);
    assert_eq!(fields.optional_int("a").unwrap(), Some(1));
    assert_eq!(fields.optional_text("a").unwrap_err().code(), "field-kind");
    assert!(fields.optional_object("x").unwrap().is_none());
    assert!(fields.optional_object("o").unwrap().is_some());
    assert_eq!(
        fields.optional_bytes("a", 1).unwrap_err().code(),
        "field-kind"
    );
    assert!(fields.has("a") && !fields.has("x"));
    fields.finish().unwrap();
}

#[test]
fn what_is_no_object_has_no_fields() {
    let error = Fields::new(&Value::Int(1), "").unwrap_err();
    assert_eq!(error.to_string(), "integer where object is needed");
}

#[test]
fn attackers_text_is_clipped() {
    let value = parse(format!(r#"{{"{}":1}}"#, "x".repeat(100)).as_bytes()).unwrap();
    let error = Fields::new(&value, "").unwrap().finish().unwrap_err();
    assert_eq!(error.path.len(), 64);
    let error = Malformed::value("a", "short", &"长\u{1b}".repeat(100));
    let Problem::Value { actual, .. } = error.problem else {
        panic!("another problem")
    };
    assert!(actual.len() <= 64 && actual.starts_with("长?"));
}
