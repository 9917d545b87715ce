//! Runs the files of `spec/vectors/<folder>`: every file known, every case run, none of it empty.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

/// What one case comes to: the `ok` value, or the error's stable code.
pub(crate) type Outcome = Result<Value, &'static str>;

/// A file's name and what runs its cases.
pub(crate) type Runner<'a> = (&'a str, fn(&Value) -> Outcome);

/// Runs every case of every file in `folder` through the runner of its file.
pub(crate) fn run(folder: &str, runners: &[Runner<'_>]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("vectors")
        .join(folder);
    let mut left: BTreeSet<&str> = runners.iter().map(|(file, _)| *file).collect();
    for entry in std::fs::read_dir(&path).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        assert!(
            left.remove(name.as_str()),
            "{folder}/{name}: no runner knows this file"
        );
        let runner = runners.iter().find(|(file, _)| *file == name).unwrap().1;
        let file: Value = serde_json::from_slice(&std::fs::read(entry.path()).unwrap()).unwrap();
        assert!(
            file["description"].is_string() && file["source"].is_string(),
            "{folder}/{name}"
        );
        let cases = file["cases"].as_array().unwrap();
        assert!(!cases.is_empty(), "{folder}/{name}: no cases");
        let mut names = BTreeSet::new();
        for case in cases {
            let title = case["name"].as_str().unwrap();
            assert!(
                names.insert(title),
                "{folder}/{name}: two cases are called {title}"
            );
            let expected = match (&case["expect"]["ok"], case["expect"]["error"].as_str()) {
                (Value::Null, Some(code)) => Err(code),
                (ok, None) if !ok.is_null() => Ok(ok.clone()),
                _ => panic!("{folder}/{name}: {title}: expect neither ok nor error"),
            };
            let actual = runner(case);
            assert_eq!(actual, expected, "{folder}/{name}: {title}");
        }
    }
    assert!(left.is_empty(), "{folder}: missing files {left:?}");
}

/// The text member `name` of a case.
pub(crate) fn text<'a>(case: &'a Value, name: &str) -> &'a str {
    case[name]
        .as_str()
        .unwrap_or_else(|| panic!("case lacks {name}: {case}"))
}

/// The bytes of a case's `input` (text) or `inputHex`.
pub(crate) fn input(case: &Value) -> Vec<u8> {
    match case["input"].as_str() {
        Some(text) => text.as_bytes().to_vec(),
        None => unhex(text(case, "inputHex")),
    }
}

/// The bytes of hexadecimal text.
pub(crate) fn unhex(text: &str) -> Vec<u8> {
    assert!(
        text.len().is_multiple_of(2),
        "odd number of hexadecimal digits"
    );
    (0..text.len() / 2)
        .map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap())
        .collect()
}

/// Hexadecimal text of bytes.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
