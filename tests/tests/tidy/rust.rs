//! As much of Rust's lexical structure as the rules need: code without comments and strings, and
//! without the modules that exist only under test.

/// The same text with comments and the contents of strings and characters blanked out. Line
/// breaks stay and every other byte becomes one space, so positions and line numbers hold.
pub(crate) fn code_only(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let (skip, blank) = if rest.starts_with(b"//") {
            (
                rest.iter()
                    .position(|byte| *byte == b'\n')
                    .unwrap_or(rest.len()),
                true,
            )
        } else if rest.starts_with(b"/*") {
            (block_comment(rest), true)
        } else if let Some(length) = raw_string(bytes, at) {
            (length, true)
        } else if rest[0] == b'"' {
            (quoted(rest, b'"'), true)
        } else if rest[0] == b'\'' && is_character(rest) {
            (quoted(rest, b'\''), true)
        } else {
            (1, false)
        };
        if blank {
            for byte in &mut out[at..at + skip] {
                if *byte != b'\n' {
                    *byte = b' ';
                }
            }
        }
        at += skip;
    }
    String::from_utf8(out).expect("whole characters were replaced by ASCII")
}

fn block_comment(rest: &[u8]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// The length of a raw string that begins here: `r"…"`, `br#"…"#`.
fn raw_string(bytes: &[u8], at: usize) -> Option<usize> {
    if at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_') {
        return None;
    }
    let rest = &bytes[at..];
    let after = [&b"br"[..], b"cr", b"r"]
        .iter()
        .find_map(|prefix| rest.strip_prefix(*prefix))?;
    let hashes = after.iter().take_while(|byte| **byte == b'#').count();
    if after.get(hashes) != Some(&b'"') {
        return None;
    }
    let mut close = vec![b'"'];
    close.extend(std::iter::repeat_n(b'#', hashes));
    let start = rest.len() - after.len() + hashes + 1;
    let end = rest[start..]
        .windows(close.len())
        .position(|window| window == close);
    Some(end.map_or(rest.len(), |end| start + end + close.len()))
}

fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// Tells `'a'` from the lifetime `'a`.
fn is_character(rest: &[u8]) -> bool {
    match rest.get(1) {
        Some(b'\\') => true,
        // One character of up to four bytes, then the closing quote.
        Some(first) => {
            let length = match first {
                0x00..=0x7f => 1,
                0x80..=0xdf => 2,
                0xe0..=0xef => 3,
                _ => 4,
            };
            rest.get(1 + length) == Some(&b'\'')
        }
        None => false,
    }
}

/// Blanks every item under `#[cfg(test)]` that has a body. `code` comes from [`code_only`].
pub(crate) fn without_tests(code: &str) -> String {
    let mut out = code.as_bytes().to_vec();
    let mut from = 0;
    while let Some(found) = code[from..].find("#[cfg(test)]") {
        let start = from + found;
        let open = code[start..].find('{').map(|open| start + open);
        let semicolon = code[start..].find(';').map(|semicolon| start + semicolon);
        let end = match (open, semicolon) {
            (Some(open), semicolon) if semicolon.is_none_or(|semicolon| open < semicolon) => {
                block_end(code, open)
            }
            (_, Some(semicolon)) => semicolon + 1,
            _ => code.len(),
        };
        for byte in &mut out[start..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        from = end;
    }
    String::from_utf8(out).expect("whole items were replaced by ASCII")
}

/// The names of modules in files of their own that are declared under `#[cfg(test)]`.
pub(crate) fn test_modules(code: &str) -> Vec<String> {
    code.split("#[cfg(test)]")
        .skip(1)
        .filter_map(|after| after.split_once(';'))
        .filter(|(declaration, _)| !declaration.contains('{'))
        .filter_map(|(declaration, _)| declaration.split_once("mod "))
        .map(|(_, name)| name.trim().to_owned())
        .collect()
}

/// Just behind the brace that closes the one at `open`.
pub(crate) fn block_end(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    code.len()
}

/// Lines, counted from 1, on which `word` stands as a whole path: not inside a longer name.
pub(crate) fn lines_with(code: &str, word: &str) -> Vec<usize> {
    let part_of_name = |char: char| char.is_alphanumeric() || char == '_';
    code.lines()
        .enumerate()
        .filter(|(_, line)| {
            line.match_indices(word).any(|(at, _)| {
                let before = line[..at].chars().next_back().is_some_and(part_of_name)
                    && word.starts_with(part_of_name);
                let after = line[at + word.len()..]
                    .chars()
                    .next()
                    .is_some_and(part_of_name)
                    && word.ends_with(part_of_name);
                !before && !after
            })
        })
        .map(|(number, _)| number + 1)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_strings_and_characters_are_blanked() {
        let source = r##"a /* b /* c */ d */ e // f
"g \" h" 'i' '\'' '字' j<'k> r"l" r#"m " n"# br"o" p"##;
        let code = code_only(source);
        assert_eq!(code.len(), source.len());
        assert_eq!(code.lines().count(), 2);
        let words: Vec<&str> = code.split_whitespace().collect();
        assert_eq!(words, ["a", "e", "j<'k>", "p"]);
    }

    #[test]
    fn an_open_string_or_comment_ends_with_the_file() {
        for source in ["a \"b", "a /* b", "a r#\"b\"", "a \"b\\"] {
            assert_eq!(code_only(source).trim(), "a", "{source}");
        }
    }

    #[test]
    fn test_modules_are_blanked() {
        let code = "x();\n#[cfg(test)]\nmod tests {\n  fn a() { y(); }\n}\nz();\n";
        let left = without_tests(code);
        assert!(left.contains("x();") && left.contains("z();") && !left.contains("y();"));
        assert_eq!(left.lines().count(), code.lines().count());
        let modules = test_modules("#[cfg(test)]\nmod a { x; }\n#[cfg(test)]\npub mod b;\nmod c;");
        assert_eq!(modules, ["b"]);
        let declared = without_tests("#[cfg(test)]\nmod tests;\nfn z() {}\n");
        assert!(declared.contains("fn z()") && !declared.contains("mod tests"));
    }

    #[test]
    fn words_are_found_whole() {
        assert_eq!(lines_with("a\nrocksdb::DB", "rocksdb::"), [2]);
        assert_eq!(
            lines_with("librocksdb::DB", "rocksdb::"),
            Vec::<usize>::new()
        );
        assert_eq!(
            lines_with("verify_batches()", "verify_batch"),
            Vec::<usize>::new()
        );
        assert_eq!(lines_with("clock.sleep(1)", ".sleep("), [1]);
    }
}
