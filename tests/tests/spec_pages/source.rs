//! What the sources say: the codes they give, and every word in a string.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// A piece of Rust: a string literal, or anything else that is no comment.
#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Other(char),
}

/// The pieces of a source. Enough for rustfmt's output: no raw strings with quotes inside.
fn pieces(source: &str) -> Vec<Piece> {
    let chars: Vec<char> = source.chars().collect();
    let at = |index: usize| chars.get(index).copied();
    let mut found = Vec::new();
    let mut next = 0;
    while let Some(char) = at(next) {
        match char {
            '/' if at(next + 1) == Some('/') => {
                while at(next).is_some_and(|char| char != '\n') {
                    next += 1;
                }
            }
            // A character, not a lifetime: its quote must not open a string.
            '\'' if at(next + 1) == Some('\\') => next += 4,
            '\'' if at(next + 2) == Some('\'') => next += 3,
            '"' => {
                let mut text = String::new();
                next += 1;
                while let Some(char) = at(next).filter(|char| *char != '"') {
                    text.push(char);
                    next += 1;
                    if char == '\\' {
                        text.extend(at(next));
                        next += 1;
                    }
                }
                next += 1;
                found.push(Piece::Text(text));
            }
            other => {
                found.push(Piece::Other(other));
                next += 1;
            }
        }
    }
    found
}

/// Without modules and files that exist only under test.
fn rust_files(root: &Path, folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() && name != "tests" {
                folders.push(path);
            } else if name.ends_with(".rs") && name != "tests.rs" {
                let text = fs::read_to_string(&path).unwrap();
                let text = text
                    .split("#[cfg(test)]\nmod tests {")
                    .next()
                    .unwrap()
                    .to_owned();
                let path = path
                    .strip_prefix(root)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned();
                found.push((path, text));
            }
        }
    }
    found
}

fn sources(root: &Path) -> Vec<(String, String)> {
    let mut files = rust_files(root, "spec/src");
    files.extend(rust_files(root, "verifier/src"));
    files.extend(rust_files(root, "spec/vc/src"));
    files
}

/// The codes each file can give: the texts in functions that return a code, and those that a macro
/// of the file writes into one.
pub(crate) fn codes(root: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let found = sources(root)
        .into_iter()
        .map(|(path, text)| (path, codes_of(&text)));
    found.filter(|(_, codes)| !codes.is_empty()).collect()
}

fn codes_of(source: &str) -> BTreeSet<String> {
    let pieces = pieces(source);
    // Strings as \0 and their number, so that places in the text lead back to them.
    let mut texts = Vec::new();
    let plain: Vec<char> = pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => {
                texts.push(text.as_str());
                '\0'
            }
            Piece::Other(char) => *char,
        })
        .collect();
    let number = |place: usize| plain[..place].iter().filter(|char| **char == '\0').count();
    let mut found = BTreeSet::new();
    let mut macros = false;
    for start in 0..plain.len() {
        let rest = &plain[start..];
        let starts = |text: &str| rest.iter().copied().take(text.len()).eq(text.chars());
        if !(starts("fn code(") || starts("fn pack_code(")) {
            continue;
        }
        let Some(open) = rest.iter().position(|char| *char == '{') else {
            continue;
        };
        let head: String = rest[..open].iter().collect();
        if !head.contains("-> &'static str") {
            continue;
        }
        let mut depth = 0_usize;
        for (step, char) in rest[open..].iter().enumerate() {
            match char {
                '{' => depth += 1,
                '}' => depth -= 1,
                '\0' => {
                    found.insert(texts[number(start + open + step)].to_owned());
                }
                '$' => macros = true,
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    if macros {
        // `Variant = "code",`: the text behind an equals sign, before a comma.
        for place in 2..plain.len().saturating_sub(1) {
            let around = (
                plain[place - 2],
                plain[place - 1],
                plain[place],
                plain[place + 1],
            );
            if around == ('=', ' ', '\0', ',') {
                found.insert(texts[number(place)].to_owned());
            }
        }
    }
    found
}

/// Every string of the sources, and every term of the context.
pub(crate) fn words(root: &Path) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    let context = fs::read_to_string(root.join("spec/contexts/licence-v1.jsonld")).unwrap();
    let texts = sources(root).into_iter().map(|(_, text)| text);
    for text in texts.chain([context]) {
        for piece in pieces(&text) {
            if let Piece::Text(text) = piece {
                // `c.starts_with("x ")` and messages are no words; members and codes are.
                words.insert(text);
            }
        }
    }
    words
}

#[test]
fn strings_are_told_from_comments_and_characters() {
    let source =
        "// \"no\"\nlet a: &'static str = \"yes\"; let q = '\"'; let e = '\\''; \"a\\\"b\"";
    let texts: Vec<_> = pieces(source)
        .into_iter()
        .filter_map(|piece| match piece {
            Piece::Text(text) => Some(text),
            Piece::Other(_) => None,
        })
        .collect();
    assert_eq!(texts, ["yes", "a\\\"b"]);
}

#[test]
fn codes_are_found_in_functions_and_macros() {
    let set = |codes: &[&str]| -> BTreeSet<String> {
        codes.iter().map(|code| (*code).to_owned()).collect()
    };
    let function = "fn code(&self) -> &'static str { match self { A { .. } => \"a-b\", } } \"c\"";
    assert_eq!(codes_of(function), set(&["a-b"]));
    let other =
        "fn code(self, code: i32) -> Self { f(\"a\") } fn code2() -> &'static str { \"b\" }";
    assert_eq!(codes_of(other), set(&[]));
    let in_macro = "fn code(&self) -> &'static str { match self { $(A => $code,)* } }\n\
                    x! { A = \"a_b\", \"a text\"; B { c: D, } = \"b_c\", Invalid; }";
    assert_eq!(codes_of(in_macro), set(&["a_b", "b_c"]));
}
