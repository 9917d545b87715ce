#![allow(clippy::unwrap_used, reason = "a test may panic")]
use zhao_spec::wire::foreign::{canonicalize, parse_foreign};

use super::*;

/// An entry as §2.1 shows one, with `change` in it.
fn changed(change: &str) -> Result<Entry, StatusError> {
    let base = concat!(
        r#""type":"BitstringStatusListEntry","statusPurpose":"revocation","#,
        r#""statusListIndex":"94567","statusListCredential":"https://a.example/3""#
    );
    let name = change.split('"').nth(1).unwrap_or_default();
    let kept: Vec<&str> = base
        .split(",\"")
        .map(|member| member.trim_start_matches('"'))
        .filter(|member| !member.starts_with(&format!("{name}\"")) || name.is_empty())
        .collect();
    let mut text = format!("{{\"{}", kept.join(",\""));
    if !change.is_empty() && !change.ends_with(":") {
        text = format!("{text},{change}");
    }
    Entry::read(&parse_foreign(format!("{text}}}").as_bytes()).unwrap())
}

#[test]
fn an_entry_is_read_and_written() {
    let entry = changed("").unwrap();
    assert_eq!((entry.index, entry.size), (94_567, 1));
    assert_eq!(Entry::read(&entry.to_foreign()), Ok(entry.clone()));
    // What every reader takes for granted is not said.
    for name in ["id", "statusSize", "statusMessage", "statusReference"] {
        assert_eq!(entry.to_foreign().member(name), None, "{name}");
    }
    let full = Entry {
        id: Some("https://a.example/3#94567".to_owned()),
        purpose: "message".to_owned(),
        size: 2,
        messages: (0..4)
            .map(|status| Message {
                status,
                message: format!("m{status}"),
            })
            .collect(),
        references: vec!["https://a.example/words".to_owned()],
        ..entry
    };
    let written = parse_foreign(&canonicalize(&full.to_foreign())).unwrap();
    assert_eq!(Entry::read(&written), Ok(full));
}

#[test]
fn a_number_beyond_every_list_is_a_number() {
    let entry = changed(r#""statusListIndex":"184467440737095516160""#).unwrap();
    assert_eq!(entry.index, u64::MAX);
}

#[test]
fn an_index_is_a_decimal_text() {
    for text in ["", "-1", "+1", "01", "1.0", "0x1", " 1", "1e3", "一"] {
        let error = changed(&format!(r#""statusListIndex":"{text}""#)).unwrap_err();
        assert_eq!(error.code(), "status-index", "{text}");
        assert!(error.problem().ends_with("#MALFORMED_VALUE_ERROR"));
    }
    for value in ["true", "1", "null", "[\"1\"]"] {
        let error = changed(&format!(r#""statusListIndex":{value}"#)).unwrap_err();
        assert_eq!(error, shape("statusListIndex", "a text"), "{value}");
    }
}

#[test]
fn members_are_of_their_kinds() {
    for (change, code) in [
        (r#""statusPurpose":["revocation"]"#, "status-shape"),
        (r#""statusPurpose":"#, "status-shape"),
        (r#""statusListIndex":"#, "status-shape"),
        (r#""statusListCredential":"#, "status-shape"),
        (r#""statusListCredential":"/status/3""#, "status-shape"),
        (
            r#""statusListCredential":["https://a.example/3"]"#,
            "status-shape",
        ),
        (r#""type":["BitstringStatusListEntry"]"#, "status-type"),
        (r#""type":"StatusList2021Entry""#, "status-type"),
        (r#""type":"#, "status-type"),
        (r#""id":"https://a.example/3""#, "status-shape"),
        (r#""id":7"#, "status-shape"),
        (r#""id":"no url""#, "status-shape"),
        (r#""statusReference":7"#, "status-shape"),
        (r#""statusReference":["no url"]"#, "status-shape"),
        (r#""statusSize":"1""#, "status-shape"),
        (r#""statusSize":0"#, "status-shape"),
        (r#""statusSize":-1"#, "status-shape"),
        (r#""statusSize":1.5"#, "status-shape"),
        (r#""statusSize":9"#, "status-size"),
        (r#""statusSize":2"#, "status-messages"),
        (r#""statusMessage":[]"#, "status-messages"),
        (r#""statusMessage":{}"#, "status-shape"),
    ] {
        assert_eq!(changed(change).unwrap_err().code(), code, "{change}");
    }
    for value in ["7", "[]", "null", "\"x\""] {
        let error = Entry::read(&parse_foreign(value.as_bytes()).unwrap()).unwrap_err();
        assert_eq!(error, shape("credentialStatus", "an object"));
    }
}

#[test]
fn each_value_has_one_message() {
    let of = |items: &[(&str, &str)]| {
        let items: Vec<String> = items
            .iter()
            .map(|(status, message)| format!(r#"{{"status":"{status}","message":"{message}"}}"#))
            .collect();
        changed(&format!(r#""statusMessage":[{}]"#, items.join(",")))
    };
    let messages = of(&[("0x1", "b"), ("0x0", "a")]).unwrap().messages;
    assert_eq!((messages[0].status, messages[1].status), (1, 0));
    // Two values a bit, whatever a test suite counts.
    for items in [
        &[("0x0", "a")][..],
        &[("0x0", "a"), ("0x0", "b")],
        &[("0x0", "a"), ("0x1", "b"), ("0x2", "c")],
    ] {
        assert_eq!(
            of(items).unwrap_err(),
            StatusError::Messages { expected: 2 }
        );
    }
    for status in ["1", "0x", "0x2", "0x+1", "0x100", "x1"] {
        let error = of(&[("0x0", "a"), (status, "b")]).unwrap_err();
        assert_eq!(error.code(), "status-shape", "{status}");
    }
    for item in [
        "7",
        "{}",
        r#"{"status":"0x0"}"#,
        r#"{"status":0,"message":"a"}"#,
    ] {
        let error = changed(&format!(r#""statusMessage":[{item},{item}]"#)).unwrap_err();
        assert_eq!(error.code(), "status-shape", "{item}");
    }
}

#[test]
fn entries_among_others() {
    let of = |text: &str| entries(&parse_foreign(text.as_bytes()).unwrap());
    let entry = concat!(
        r#"{"type":"BitstringStatusListEntry","statusPurpose":"suspension","#,
        r#""statusListIndex":"0","statusListCredential":"https://a.example/4"}"#
    );
    assert_eq!(of(entry).unwrap().len(), 1);
    for other in [r#""ZhaoLedgerEntry""#, r#"["ZhaoLedgerEntry","X",7]"#, "[]"] {
        assert_eq!(of(&format!(r#"{{"type":{other}}}"#)), Ok(vec![]), "{other}");
    }
    let both = format!(r#"[{{"type":"ZhaoLedgerEntry"}},{entry},{entry}]"#);
    assert_eq!(of(&both).unwrap().len(), 2);
    // Neither an array as type nor another depth hides an entry.
    let hidden = entry.replace(
        r#""BitstringStatusListEntry""#,
        r#"["X","BitstringStatusListEntry"]"#,
    );
    assert_eq!(of(&hidden).unwrap_err().code(), "status-type");
    for text in [
        "7",
        "[7]",
        &format!("[[{entry}]]"),
        "{}",
        "[{}]",
        r#"{"type":7}"#,
    ] {
        assert_eq!(of(text).unwrap_err().code(), "status-shape", "{text}");
    }
}
