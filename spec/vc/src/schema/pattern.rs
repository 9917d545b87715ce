//! Patterns of texts: that part of the regular expressions of ECMA-262 which is a row of
//! characters, each so many times. Time grows with the text's length times the pattern's.

/// Most states of a pattern, its counted repetitions written out.
const STATES: usize = 1_024;

/// A pattern that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    steps: Vec<Step>,
}

/// One character of `set`, once; may be left out, may be repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    set: Set,
    optional: bool,
    repeated: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Set {
    ranges: Vec<(char, char)>,
    negated: bool,
}

impl Set {
    fn one(c: char) -> Self {
        Self {
            ranges: vec![(c, c)],
            negated: false,
        }
    }

    fn has(&self, c: char) -> bool {
        let within = self
            .ranges
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&c));
        within != self.negated
    }
}

impl Pattern {
    /// The pattern of `text`; none if it uses anything but literal characters, `.`, `\d`, `\w`,
    /// escaped punctuation, `[…]`, and after one of these `?`, `*`, `+`, `{n}`, `{n,}`, `{n,m}`,
    /// with `^` at the beginning and `$` at the end if at all; or if it is too large.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (begun, rest) = match text.strip_prefix('^') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let mut rest = rest.chars();
        let mut steps = Vec::new();
        let mut ended = false;
        if !begun {
            steps.push(anything());
        }
        while let Some(c) = rest.next() {
            let set = match c {
                '$' if rest.as_str().is_empty() => {
                    ended = true;
                    break;
                }
                '.' => Set {
                    ranges: vec![('\n', '\n'), ('\r', '\r'), ('\u{2028}', '\u{2029}')],
                    negated: true,
                },
                '\\' => escape(rest.next()?)?,
                '[' => class(&mut rest)?,
                '^' | '$' | '(' | ')' | ']' | '{' | '}' | '|' | '*' | '+' | '?' => return None,
                c => Set::one(c),
            };
            let (least, most) = count(&mut rest)?;
            repeat(&mut steps, set, least, most)?;
        }
        if !ended {
            steps.push(anything());
        }
        Some(Self { steps })
    }

    /// Steps to try for one character: what matching costs.
    pub(super) fn states(&self) -> usize {
        self.steps.len().saturating_add(1)
    }

    /// Whether `text` fits. All ways are followed at once, so none is tried twice.
    pub(super) fn fits(&self, text: &str) -> bool {
        // at[i]: the steps before i are done.
        let mut at = vec![false; self.states()];
        if let Some(first) = at.first_mut() {
            *first = true;
        }
        self.skip(&mut at);
        for c in text.chars() {
            let mut next = vec![false; self.states()];
            for (index, step) in self.steps.iter().enumerate() {
                if !at.get(index).copied().unwrap_or(false) || !step.set.has(c) {
                    continue;
                }
                let reached = if step.repeated {
                    index
                } else {
                    index.saturating_add(1)
                };
                if let Some(state) = next.get_mut(reached) {
                    *state = true;
                }
            }
            self.skip(&mut next);
            at = next;
        }
        at.last().copied().unwrap_or(false)
    }

    /// Goes past the steps that may be left out.
    fn skip(&self, at: &mut [bool]) {
        for (index, step) in self.steps.iter().enumerate() {
            if step.optional
                && at.get(index).copied().unwrap_or(false)
                && let Some(state) = at.get_mut(index.saturating_add(1))
            {
                *state = true;
            }
        }
    }
}

/// Whatever there is.
fn anything() -> Step {
    Step {
        set: Set {
            ranges: Vec::new(),
            negated: true,
        },
        optional: true,
        repeated: true,
    }
}

fn repeat(steps: &mut Vec<Step>, set: Set, least: usize, most: Option<usize>) -> Option<()> {
    let written = most.unwrap_or(least.saturating_add(1));
    if most.is_some_and(|most| most < least) || steps.len().saturating_add(written) > STATES {
        return None;
    }
    for _ in 0..least {
        steps.push(Step {
            set: set.clone(),
            optional: false,
            repeated: false,
        });
    }
    for _ in least..written {
        steps.push(Step {
            set: set.clone(),
            optional: true,
            repeated: most.is_none(),
        });
    }
    Some(())
}

/// A character class by its letter, or the punctuation itself.
fn escape(c: char) -> Option<Set> {
    let ranges = match c {
        'd' => vec![('0', '9')],
        'w' => vec![('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
        c if c.is_ascii_punctuation() => vec![(c, c)],
        _ => return None,
    };
    Some(Set {
        ranges,
        negated: false,
    })
}

/// What stands in brackets, the first of which is gone.
fn class(rest: &mut std::str::Chars<'_>) -> Option<Set> {
    let negated = rest.as_str().starts_with('^');
    if negated {
        rest.next();
    }
    let mut ranges: Vec<(char, char)> = Vec::new();
    loop {
        let first = match rest.next()? {
            ']' if ranges.is_empty() => return None,
            ']' => return Some(Set { ranges, negated }),
            '[' => return None,
            '\\' => {
                let set = escape(rest.next()?)?;
                match set.ranges.as_slice() {
                    &[(c, last)] if c == last => c,
                    _ => {
                        ranges.extend(set.ranges);
                        continue;
                    }
                }
            }
            c => c,
        };
        let after = rest.as_str();
        let last = match after.strip_prefix('-') {
            Some(more) if !more.starts_with(']') => {
                rest.next();
                match rest.next()? {
                    '\\' => match escape(rest.next()?)?.ranges.as_slice() {
                        &[(c, last)] if c == last => c,
                        _ => return None,
                    },
                    '[' => return None,
                    c => c,
                }
            }
            _ => first,
        };
        if last < first {
            return None;
        }
        ranges.push((first, last));
    }
}

/// How many times: least and most.
fn count(rest: &mut std::str::Chars<'_>) -> Option<(usize, Option<usize>)> {
    let times = match rest.as_str().chars().next() {
        Some('?') => (0, Some(1)),
        Some('*') => (0, None),
        Some('+') => (1, None),
        Some('{') => {
            let (inside, after) = rest.as_str().get(1..)?.split_once('}')?;
            *rest = after.chars();
            let number = |digits: &str| {
                let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
                plain.then(|| digits.parse::<usize>().ok()).flatten()
            };
            let times = match inside.split_once(',') {
                None => (number(inside)?, Some(number(inside)?)),
                Some((least, "")) => (number(least)?, None),
                Some((least, most)) => (number(least)?, Some(number(most)?)),
            };
            return Some(times);
        }
        _ => return Some((1, Some(1))),
    };
    rest.next();
    // A second quantifier is the next character, and none may stand alone.
    Some(times)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_it_does_not_read() {
        for text in [
            "(a)",
            "a|b",
            "(?i)a",
            "a**",
            "a+?",
            "a{2}{3}",
            "a?+",
            "a*{2}",
            "a{+1}",
            "[!-\\d]",
            "[",
            "[]",
            "[^]",
            "[a",
            "[b-a]",
            "[[:alpha:]]",
            "a{",
            "a{x}",
            "a{2,1}",
            "a{1025}",
            "a{99999999999999999999}",
            "*",
            "?a",
            "\\",
            "\\b",
            "\\1",
            "\\p{L}",
            "\\u0041",
            "\\s",
            "a^b",
            "a$b",
            "}",
            "]",
            "a{1000}b{1000}",
            "[a-\\d]",
        ] {
            assert_eq!(Pattern::parse(text), None, "{text}");
        }
    }

    #[test]
    fn fits_as_ecma_script_has_it() {
        for (pattern, fits, not) in [
            ("", &["", "x"][..], &[][..]),
            ("^$", &[""], &["x", "\n"]),
            ("a", &["a", "bab", "aa"], &["", "b", "A"]),
            ("^a", &["ab"], &["ba"]),
            ("a$", &["ba"], &["ab", "a\n"]),
            ("^[0-9]{3}$", &["123"], &["12", "1234", "12a", "１２３"]),
            ("^\\d{2,3}$", &["12", "123"], &["1", "1234"]),
            ("^\\d{2,}$", &["12", "12345"], &["1"]),
            ("^a?b*c+$", &["c", "abbc", "bcc"], &["", "ab", "aac"]),
            (
                "^a*a*a*a*a*a*b$",
                &["aaaab"],
                &["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"],
            ),
            ("^[^0-9-]$", &["a", "中"], &["5", "-", "ab"]),
            ("^[\\]a\\-\\d]$", &["]", "a", "-", "7"], &["b"]),
            ("^.$", &["中", "𝄞"], &["\n", "", "ab"]),
            ("^JY\\{\\w+\\.x$", &["JY{a_1.x"], &["JYa.x", "JY{a-x"]),
            ("^[\\!-\\/]$", &["!", "%", "/"], &["0", "-x", "\\"]),
            ("^[+-]$", &["+", "-"], &[",", "]"]),
            ("^a{1024}$", &[], &["a"]),
            ("^a{0}b{0,1}$", &["", "b"], &["a", "bb"]),
        ] {
            let read = Pattern::parse(pattern).unwrap();
            for text in fits {
                assert!(read.fits(text), "{pattern} {text:?}");
            }
            for text in not {
                assert!(!read.fits(text), "{pattern} {text:?}");
            }
        }
    }
}
