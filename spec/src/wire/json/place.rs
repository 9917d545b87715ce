//! Where a member stands in canonical bytes, so that they can be hashed without it.

use std::ops::Range;

/// Where a member stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The member with the comma that goes when it goes.
    pub member: Range<usize>,
    /// Its value.
    pub value: Range<usize>,
}

/// Where the outermost object of `canonical` has the member `name`; none for bytes that are not a
/// canonical object with such a member.
#[must_use]
pub fn place(canonical: &[u8], name: &str) -> Option<Place> {
    let byte = |at: usize| canonical.get(at).copied();
    let mut at = usize::from(byte(0) == Some(b'{'));
    loop {
        let before = at;
        let start = match byte(at)? {
            b',' => at.checked_add(1)?,
            _ => at,
        };
        let after_name = text_end(canonical, start)?;
        let quoted = canonical.get(start..after_name)?;
        let value = after_name.checked_add(1)?;
        at = value_end(canonical, value)?;
        let found = quoted.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        if found == name.as_bytes() {
            // The first member takes the comma behind it.
            let behind = start == before && byte(at) == Some(b',');
            return Some(Place {
                member: before..at.checked_add(usize::from(behind))?,
                value: value..at,
            });
        }
    }
}

/// Behind the text that begins at `at`.
fn text_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut at = at.checked_add(1)?;
    loop {
        let rest = bytes.get(at..)?;
        let ahead = rest.iter().position(|b| matches!(b, b'"' | b'\\'))?;
        at = at.checked_add(ahead)?;
        if bytes.get(at) == Some(&b'"') {
            return at.checked_add(1);
        }
        at = at.checked_add(2)?;
    }
}

/// Behind the value that begins at `at`.
fn value_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    loop {
        let rest = bytes.get(at..)?;
        let ahead = rest
            .iter()
            .position(|b| matches!(b, b'"' | b'{' | b'[' | b'}' | b']' | b','))?;
        at = at.checked_add(ahead)?;
        match bytes.get(at)? {
            b'"' => at = text_end(bytes, at)?,
            b'{' | b'[' => {
                depth = depth.checked_add(1)?;
                at = at.checked_add(1)?;
                continue;
            }
            b',' if depth > 0 => {
                at = at.checked_add(1)?;
                continue;
            }
            // A number or a word ends here.
            b',' => return Some(at),
            _ => match depth.checked_sub(1) {
                None => return Some(at),
                Some(outer) => {
                    depth = outer;
                    at = at.checked_add(1)?;
                }
            },
        }
        if depth == 0 {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests;
