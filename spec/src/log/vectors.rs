//! Runs the vectors of one folder: `spec/vectors/<folder>/*.json`.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::wire::binary::decode_base64;
use crate::wire::hash::Hash;

/// What a case gave: a JSON value, or an error's code and line (for files with lines).
pub(crate) type Outcome = Result<Value, (String, Option<usize>)>;

/// Runs every case of every file in the folder, and fails if there is none.
pub(crate) fn run(folder: &str, judge: impl Fn(&Value) -> Outcome) {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("vectors")
        .join(folder);
    let mut count = 0;
    for entry in fs::read_dir(&root).expect("the vector folder exists") {
        let path = entry.expect("the folder can be listed").path();
        let text = fs::read_to_string(&path).expect("a vector file can be read");
        let file: Value = serde_json::from_str(&text).expect("a vector file is JSON");
        assert!(
            file["description"].is_string() && file["source"].is_string(),
            "{path:?}"
        );
        for case in file["cases"].as_array().expect("cases are an array") {
            let actual = match judge(case) {
                Ok(value) => json!({ "ok": value }),
                Err((code, None)) => json!({ "error": code }),
                Err((code, Some(line))) => json!({ "error": code, "line": line }),
            };
            assert_eq!(actual, case["expect"], "{path:?}: {}", case["name"]);
            count += 1;
        }
    }
    assert!(count > 0, "no cases in {root:?}");
}

/// An error without a line.
pub(crate) fn error(code: &str) -> (String, Option<usize>) {
    (code.to_owned(), None)
}

/// A text member of a case.
pub(crate) fn text<'a>(case: &'a Value, name: &str) -> &'a str {
    case[name]
        .as_str()
        .unwrap_or_else(|| panic!("{}: no text {name}", case["name"]))
}

/// A 64-bit number, which vectors write as a decimal text: JavaScript's numbers are too short.
pub(crate) fn number(case: &Value, name: &str) -> u64 {
    text(case, name).parse().expect("a number is a decimal")
}

/// A hash in standard base64; one of another length is refused as `hash`.
pub(crate) fn hash(case: &Value, name: &str) -> Result<Hash, (String, Option<usize>)> {
    Hash::from_base64(text(case, name)).map_err(|_| error("hash"))
}

/// Several hashes; see [`hash`].
pub(crate) fn hashes(case: &Value, name: &str) -> Result<Vec<Hash>, (String, Option<usize>)> {
    let items = case[name].as_array().expect("hashes are an array");
    let one = |item: &Value| {
        Hash::from_base64(item.as_str().expect("a hash is a text")).map_err(|_| error("hash"))
    };
    items.iter().map(one).collect()
}

/// Bytes in standard base64.
pub(crate) fn bytes(case: &Value, name: &str) -> Vec<u8> {
    decode_base64(text(case, name)).expect("bytes are standard base64")
}
