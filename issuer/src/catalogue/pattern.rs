//! What a number looks like: literal characters and parts of fixed width in braces.
//!
//! | part | what it stands for |
//! |---|---|
//! | `{digits:4}`, `{upper:2}`, `{alnum:6}` | so many of 0-9, A-Z, or both |
//! | `{holder}` | the holder's code |
//! | `{region}` | six digits: the issuing unit's region |
//! | `{serial:8}` | a counter of the unit for the type and year, with leading zeros |
//! | `{year}` | four digits: the year of issue |
//!
//! The last four may stand in a licence number only. Widths are fixed, so a text either fits in
//! one way or not at all, in one pass.

use std::fmt;

use zhao_spec::wire::clip;

/// Most parts of one pattern, and most characters of one part.
const LIMIT: usize = 64;

/// One part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Alnum(usize),
    Digits(usize),
    Holder,
    Literal(String),
    Region,
    Serial(usize),
    Upper(usize),
    Year,
}

/// A parsed pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    parts: Vec<Part>,
    text: String,
}

/// Why a text is not a pattern, or a number cannot be made from one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// A brace without its partner.
    #[error("a brace without its partner in {0:?}")]
    Brace(String),
    /// No parts at all.
    #[error("the pattern is empty")]
    Empty,
    /// A part that is none of these.
    #[error("no such part {0:?}")]
    Part(String),
    /// More than 64 parts, or a width outside 1 to 64.
    #[error("more than 64 parts, or a width outside 1 to 64, in {0:?}")]
    Size(String),
    /// The counter has outgrown its width.
    #[error("counter {counter} has more than {width} digits")]
    Counter {
        /// The counter.
        counter: u64,
        /// Its width.
        width: usize,
    },
}

/// What the named parts of a licence number stand for.
#[derive(Clone, Copy, Debug)]
pub struct Values<'a> {
    /// The holder's code.
    pub holder: &'a str,
    /// Six digits.
    pub region: &'a str,
    /// Year of issue.
    pub year: u16,
}

impl Pattern {
    /// The pattern of a text.
    ///
    /// # Errors
    /// Unpaired braces, an unknown part, or a width out of range.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let error = |make: fn(String) -> PatternError, what: &str| Err(make(clip(what)));
        let mut parts = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if parts.len() >= LIMIT {
                return error(PatternError::Size, text);
            }
            let Some(open) = rest.strip_prefix('{') else {
                let end = rest.find(['{', '}']).unwrap_or(rest.len());
                let (literal, after) = rest.split_at(end);
                if literal.is_empty() {
                    return error(PatternError::Brace, text);
                }
                parts.push(Part::Literal(literal.to_owned()));
                rest = after;
                continue;
            };
            let Some((part, after)) = open.split_once('}') else {
                return error(PatternError::Brace, text);
            };
            parts.push(Self::part(part)?);
            rest = after;
        }
        if parts.is_empty() {
            return Err(PatternError::Empty);
        }
        Ok(Self {
            parts,
            text: text.to_owned(),
        })
    }

    fn part(text: &str) -> Result<Part, PatternError> {
        match text {
            "holder" => return Ok(Part::Holder),
            "region" => return Ok(Part::Region),
            "year" => return Ok(Part::Year),
            _ => {}
        }
        let (name, width) = text
            .split_once(':')
            .ok_or_else(|| PatternError::Part(clip(text)))?;
        let make = match name {
            "alnum" => Part::Alnum,
            "digits" => Part::Digits,
            "serial" => Part::Serial,
            "upper" => Part::Upper,
            _ => return Err(PatternError::Part(clip(text))),
        };
        let width = width
            .parse()
            .ok()
            .filter(|width| (1..=LIMIT).contains(width))
            .ok_or_else(|| PatternError::Size(clip(text)))?;
        Ok(make(width))
    }

    /// Whether it says nothing that only a licence number can say.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        !self.parts.iter().any(|part| {
            matches!(
                part,
                Part::Holder | Part::Region | Part::Serial(_) | Part::Year
            )
        })
    }

    /// The regular expression (ECMA-262) of the texts that fit, whatever the holder's code is.
    #[must_use]
    pub fn regex(&self) -> String {
        let mut regex = String::from("^");
        for part in &self.parts {
            let (set, width) = match part {
                Part::Alnum(width) => ("[0-9A-Z]", *width),
                Part::Digits(width) | Part::Serial(width) => ("[0-9]", *width),
                Part::Holder => {
                    regex.push_str(".+");
                    continue;
                }
                Part::Literal(literal) => {
                    for c in literal.chars() {
                        if "^$\\.*+?()[]{}|/".contains(c) {
                            regex.push('\\');
                        }
                        regex.push(c);
                    }
                    continue;
                }
                Part::Region => ("[0-9]", 6),
                Part::Upper(width) => ("[A-Z]", *width),
                Part::Year => ("[0-9]", 4),
            };
            regex.push_str(&format!("{set}{{{width}}}"));
        }
        regex.push('$');
        regex
    }

    /// Whether numbers can be made from it: nothing in it is left to whoever fills it in.
    #[must_use]
    pub fn is_generating(&self) -> bool {
        !self
            .parts
            .iter()
            .any(|part| matches!(part, Part::Alnum(_) | Part::Digits(_) | Part::Upper(_)))
    }

    /// Whether the number made depends on a counter.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.parts
            .iter()
            .any(|part| matches!(part, Part::Serial(_)))
    }

    /// Whether the year of issue stands in it.
    #[must_use]
    pub fn has_year(&self) -> bool {
        self.parts.contains(&Part::Year)
    }

    /// Whether `text` fits. `year` may be any, because a number given may be older.
    #[must_use]
    pub fn fits(&self, text: &str, values: Values<'_>) -> bool {
        let mut rest = text;
        for part in &self.parts {
            let after = match part {
                Part::Alnum(width) => strip(rest, *width, |b| {
                    b.is_ascii_uppercase() || b.is_ascii_digit()
                }),
                Part::Digits(width) | Part::Serial(width) => {
                    strip(rest, *width, |b| b.is_ascii_digit())
                }
                Part::Holder => rest.strip_prefix(values.holder),
                Part::Literal(literal) => rest.strip_prefix(literal.as_str()),
                Part::Region => strip(rest, 6, |b| b.is_ascii_digit()),
                Part::Upper(width) => strip(rest, *width, |b| b.is_ascii_uppercase()),
                Part::Year => strip(rest, 4, |b| b.is_ascii_digit()),
            };
            match after {
                Some(after) => rest = after,
                None => return false,
            }
        }
        rest.is_empty()
    }

    /// The number with this counter. Parts left to whoever fills it in come out as zeros or As,
    /// so only a pattern that [`Pattern::is_generating`] makes real numbers.
    ///
    /// # Errors
    /// The counter does not fit its width.
    pub fn make(&self, values: Values<'_>, counter: u64) -> Result<String, PatternError> {
        let mut made = String::new();
        for part in &self.parts {
            match part {
                Part::Alnum(width) | Part::Digits(width) => made.push_str(&"0".repeat(*width)),
                Part::Holder => made.push_str(values.holder),
                Part::Literal(literal) => made.push_str(literal),
                Part::Region => made.push_str(values.region),
                Part::Serial(width) => {
                    let digits = format!("{counter:0width$}");
                    if digits.len() > *width {
                        return Err(PatternError::Counter {
                            counter,
                            width: *width,
                        });
                    }
                    made.push_str(&digits);
                }
                Part::Upper(width) => made.push_str(&"A".repeat(*width)),
                Part::Year => made.push_str(&format!("{:04}", values.year)),
            }
        }
        Ok(made)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// `text` without its first `width` bytes, if all of them are allowed.
fn strip(text: &str, width: usize, allowed: impl Fn(u8) -> bool) -> Option<&str> {
    let (head, rest) = text.split_at_checked(width)?;
    head.bytes().all(allowed).then_some(rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const VALUES: Values<'_> = Values {
        holder: "91320402DEM0010172",
        region: "320402",
        year: 2026,
    };

    #[test]
    fn refuses_what_is_no_pattern() {
        let text = |text: &str| text.to_owned();
        for (pattern, error) in [
            ("", PatternError::Empty),
            ("JY{", PatternError::Brace(text("JY{"))),
            ("JY{year", PatternError::Brace(text("JY{year"))),
            ("JY}", PatternError::Brace(text("JY}"))),
            ("{}", PatternError::Part(text(""))),
            ("{month}", PatternError::Part(text("month"))),
            ("{month:2}", PatternError::Part(text("month:2"))),
            ("{serial}", PatternError::Part(text("serial"))),
            ("{serial:}", PatternError::Size(text("serial:"))),
            ("{serial:0}", PatternError::Size(text("serial:0"))),
            ("{serial:65}", PatternError::Size(text("serial:65"))),
            ("{serial:-1}", PatternError::Size(text("serial:-1"))),
        ] {
            assert_eq!(Pattern::parse(pattern), Err(error), "{pattern:?}");
        }
        let long = "{year}".repeat(65);
        assert_eq!(Pattern::parse(&long), Err(PatternError::Size(clip(&long))));
    }

    #[test]
    fn refuses_texts_that_do_not_fit() {
        let pattern = Pattern::parse("JY{region}{serial:8}").unwrap();
        for text in [
            "",
            "JY",
            "JY32040200000001",
            "jy32040200000001",
            "JY3204020000001",
            "JY320402000000012",
            "JY３２０４０２00000001",
        ] {
            let fits = pattern.fits(text, VALUES);
            assert_eq!(fits, text == "JY32040200000001", "{text}");
        }
        let holder = Pattern::parse("{holder}").unwrap();
        assert!(!holder.fits("91310115DEM0010254", VALUES));
        assert!(holder.fits(VALUES.holder, VALUES));
    }

    #[test]
    fn refuses_a_counter_that_is_too_wide() {
        let pattern = Pattern::parse("{serial:2}").unwrap();
        let error = PatternError::Counter {
            counter: 100,
            width: 2,
        };
        assert_eq!(pattern.make(VALUES, 100), Err(error));
    }

    proptest! {
        #[test]
        fn what_it_makes_fits(counter in 0_u64..100_000_000, year in 1900_u16..=9999) {
            let pattern = Pattern::parse("苏({year})常{region}第{serial:8}号{holder}").unwrap();
            let values = Values { year, ..VALUES };
            let made = pattern.make(values, counter).unwrap();
            prop_assert!(pattern.fits(&made, VALUES), "{}", made);
        }

        #[test]
        fn never_panics(pattern in "\\PC{0,30}", text in "\\PC{0,30}") {
            if let Ok(pattern) = Pattern::parse(&pattern) {
                let _ = pattern.fits(&text, VALUES);
            }
        }
    }
}
