#![allow(clippy::unwrap_used, reason = "a test may panic")]
use super::*;
use crate::wire::json;

fn sample() -> Vec<u8> {
    object_bytes(|o| {
        o.text("a", "é\n\u{1}\"").int("b", 0).bool("c", true);
        o.hash("d", &Hash([0; 32]))
            .bytes("e", b"\xff")
            .time("f", UnixMillis(0));
        o.array("g", |a| {
            a.int(1)
                .text("x")
                .bool(false)
                .bytes(&[])
                .time(UnixMillis(1));
            a.object(|o| {
                o.int("y", 2);
            });
            a.array(|_| {})
                .value(&Value::Int(3))
                .raw(b"4")
                .hash(&Hash([255; 32]));
        });
        o.object("h", |_| {})
            .value("i", &Value::Bool(true))
            .raw("j", b"[]");
    })
}

#[test]
fn what_is_written_is_canonical() {
    let bytes = sample();
    let expected = concat!(
        r#"{"a":"é\n\u0001\"","b":0,"c":true,"d":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","#,
        r#""e":"_w","f":"1970-01-01T00:00:00.000Z","g":[1,"x",false,"","#,
        r#""1970-01-01T00:00:00.001Z",{"y":2},[],3,4,"#,
        r#""__________________________________________8"],"h":{},"i":true,"j":[]}"#,
    );
    assert_eq!(String::from_utf8(bytes.clone()).unwrap(), expected);
    assert_eq!(json::encode(&json::parse(&bytes).unwrap()), bytes);
}

#[test]
#[should_panic(expected = "does not ascend")]
fn a_name_out_of_order_stops_us() {
    let _ = object_bytes(|o| {
        o.int("b", 1).int("a", 2);
    });
}

#[test]
#[should_panic(expected = "does not ascend")]
fn a_name_twice_stops_us() {
    let _ = object_bytes(|o| {
        o.int("a", 1).int("a", 2);
    });
}

#[test]
#[should_panic(expected = "cannot be a member name")]
fn a_name_outside_ascii_stops_us() {
    let _ = object_bytes(|o| {
        o.int("名", 1);
    });
}

#[test]
#[should_panic(expected = "above 2^53 - 1")]
fn an_integer_too_large_stops_us() {
    let _ = object_bytes(|o| {
        o.int("a", limits::INTEGER + 1);
    });
}

#[test]
#[should_panic(expected = "after the year 9999")]
fn an_instant_without_text_stops_us() {
    let _ = object_bytes(|o| {
        o.time("a", UnixMillis(u64::MAX));
    });
}
