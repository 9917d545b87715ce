//! Pieces shared by the line-based texts.

/// Parses an ASCII decimal: digits only, no sign, no leading zero except in `0`.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit());
    if !plain || (text.len() > 1 && text.starts_with('0')) {
        None
    } else {
        text.parse().ok()
    }
}

/// The lines of a policy file that say something, numbered from 1 and split at spaces and tabs.
///
/// Lines whose first character is `#` after white space, and empty ones, are left out
/// (tlog-policy, "Structure"). A missing newline at the end of the file is tolerated.
pub(crate) fn policy_lines(text: &str) -> impl Iterator<Item = (usize, Vec<&str>)> {
    (1..).zip(text.split('\n')).filter_map(|(number, line)| {
        let items: Vec<&str> = line
            .split([' ', '\t'])
            .filter(|item| !item.is_empty())
            .collect();
        let says_something = items.first().is_some_and(|first| !first.starts_with('#'));
        says_something.then_some((number, items))
    })
}

/// The line of the first character a policy file must not contain: control characters other than
/// tab and newline (tlog-policy, "Character set").
pub(crate) fn policy_control_character(text: &str) -> Option<usize> {
    let bad = |c: char| (c < ' ' && c != '\t' && c != '\n') || c == '\u{7f}';
    let at = text.find(bad)?;
    let before = text.get(..at)?;
    before
        .bytes()
        .filter(|b| *b == b'\n')
        .count()
        .checked_add(1)
}
