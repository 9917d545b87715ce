//! Text as it enters the office: one normal form, nothing invisible, nothing that is not a
//! character.
//!
//! What is signed must read the same to everybody. Traditional and rare Hanzi are characters like
//! others, ideographic variation selectors included; characters that move the text of others, or
//! that only one vendor's font knows, are refused, never silently dropped.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_public_assigned;

/// Why a text is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// A control character; line breaks are one.
    #[error("control character {}", Code(*.0))]
    Control(char),
    /// Nothing, or nothing but spaces, where something must be said.
    #[error("the text is empty")]
    Empty,
    /// A character that has no shape of its own and can hide or turn its neighbours.
    #[error("invisible or direction-changing character {}", Code(*.0))]
    Invisible(char),
    /// A space at the beginning or at the end.
    #[error("space at the beginning or end")]
    OuterSpace,
    /// More characters than the place allows, counted after normalisation.
    #[error("{actual} characters exceed the limit of {limit}")]
    TooLong {
        /// The limit, characters.
        limit: usize,
        /// How many there are.
        actual: usize,
    },
    /// A code point that Unicode has not assigned, or leaves to private use.
    #[error("unassigned or private-use character {}", Code(*.0))]
    Unassigned(char),
}

/// `U+00AD`: such characters must not be printed themselves.
struct Code(char);

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "U+{:04X}", u32::from(self.0))
    }
}

/// `text` in NFC, at most `limit` characters of it.
///
/// # Errors
/// The first character that is refused, an outer space, or the length.
pub fn clean(text: &str, limit: usize) -> Result<String, TextError> {
    // NFC lengthens no text by more than three times in bytes (Unicode Standard Annex #15), so
    // this bound keeps the work in proportion before anything is allocated.
    let actual = text
        .chars()
        .take(limit.saturating_mul(4).saturating_add(1))
        .count();
    if actual > limit.saturating_mul(4) {
        return Err(TextError::TooLong {
            limit,
            actual: text.chars().count(),
        });
    }
    for c in text.chars().filter(|c| !is_plain(*c)) {
        if c.is_control() {
            return Err(TextError::Control(c));
        }
        if is_invisible(c) {
            return Err(TextError::Invisible(c));
        }
        if !is_public_assigned(c) {
            return Err(TextError::Unassigned(c));
        }
    }
    if text.starts_with(is_space) || text.ends_with(is_space) {
        return Err(TextError::OuterSpace);
    }
    let clean = nfc(text);
    let actual = clean.chars().count();
    if actual > limit {
        return Err(TextError::TooLong { limit, actual });
    }
    Ok(clean)
}

/// As [`clean`], for a text that must say something.
///
/// # Errors
/// As [`clean`]; a text of nothing but white space is empty.
pub fn required(text: &str, limit: usize) -> Result<String, TextError> {
    if text.trim().is_empty() {
        return Err(TextError::Empty);
    }
    clean(text, limit)
}

/// The text in NFC.
pub(crate) fn nfc(text: &str) -> String {
    // Nearly every text an office has: looking at the tables for it would take most of the time.
    match text.chars().all(is_plain) {
        true => text.to_owned(),
        false => text.nfc().collect(),
    }
}

/// Printable ASCII, and the Hanzi that have been in Unicode since 1.0.1: assigned and visible, and
/// in NFC wherever they stand beside each other (none is the second half of a composition, and
/// none has a decomposition: `UnicodeData.txt`).
fn is_plain(c: char) -> bool {
    matches!(c, ' '..='~' | '\u{4e00}'..='\u{9fa5}')
}

fn is_space(c: char) -> bool {
    c.is_whitespace()
}

/// Format characters (General_Category Cf, Zl, Zp) and the fillers that print nothing.
fn is_invisible(c: char) -> bool {
    matches!(
        u32::from(c),
        0x00ad
            | 0x034f
            | 0x061c
            | 0x115f..=0x1160
            | 0x17b4..=0x17b5
            | 0x200b..=0x200f
            | 0x2028..=0x202e
            | 0x2060..=0x206f
            | 0x3164
            | 0xfeff
            | 0xffa0
            | 0xfff9..=0xfffb
            | 0x1d173..=0x1d17a
            | 0xe0000..=0xe007f
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn refuses_what_cannot_be_read_alike() {
        let refused = [
            ("常州\u{0}", TextError::Control('\u{0}')),
            ("常州\n示例", TextError::Control('\n')),
            ("常州\t示例", TextError::Control('\t')),
            ("a\u{7f}", TextError::Control('\u{7f}')),
            ("a\u{85}b", TextError::Control('\u{85}')),
            ("常\u{200b}州", TextError::Invisible('\u{200b}')),
            ("\u{202e}州常", TextError::Invisible('\u{202e}')),
            ("\u{feff}常州", TextError::Invisible('\u{feff}')),
            ("常\u{2028}州", TextError::Invisible('\u{2028}')),
            ("a\u{e0041}", TextError::Invisible('\u{e0041}')),
            ("常\u{e000}州", TextError::Unassigned('\u{e000}')),
            ("常\u{f0000}州", TextError::Unassigned('\u{f0000}')),
            ("常\u{378}州", TextError::Unassigned('\u{378}')),
            ("常\u{ffff}州", TextError::Unassigned('\u{ffff}')),
            (" 常州", TextError::OuterSpace),
            ("常州\u{3000}", TextError::OuterSpace),
        ];
        for (text, error) in refused {
            assert_eq!(clean(text, 64), Err(error), "{text:?}");
        }
    }

    #[test]
    fn what_is_plain_is_what_the_tables_say_of_it() {
        for c in (0..=0x10_ffff)
            .filter_map(char::from_u32)
            .filter(|c| is_plain(*c))
        {
            assert!(!c.is_control() && !is_invisible(c) && is_public_assigned(c));
            for text in [
                format!("{c}"),
                format!("a{c}"),
                format!("一{c}"),
                format!("{c}{c}"),
            ] {
                assert_eq!(nfc(&text), text.nfc().collect::<String>(), "{text}");
            }
        }
        // What is combined with a plain one is not.
        assert_eq!(nfc("e\u{301}"), "é");
    }

    #[test]
    fn refuses_what_is_too_long() {
        assert_eq!(
            clean("常州示例", 3),
            Err(TextError::TooLong {
                limit: 3,
                actual: 4
            })
        );
        let long = "长".repeat(1_000_000);
        assert_eq!(
            clean(&long, 64),
            Err(TextError::TooLong {
                limit: 64,
                actual: 1_000_000
            })
        );
        assert_eq!(clean("", 0), Ok(String::new()));
    }

    #[test]
    fn refuses_silence_where_something_must_be_said() {
        for text in ["", " ", "\u{3000}\t", "\n"] {
            assert_eq!(required(text, 64), Err(TextError::Empty), "{text:?}");
        }
        assert_eq!(required(" 常州", 64), Err(TextError::OuterSpace));
        assert_eq!(
            required("常州示例", 3),
            Err(TextError::TooLong {
                limit: 3,
                actual: 4
            })
        );
        assert_eq!(required("Cafe\u{301}", 64).as_deref(), Ok("Café"));
    }

    #[test]
    fn keeps_hanzi_of_every_age_and_normalises() {
        for text in [
            "福州示範餐館",
            "𠮷野家示例",
            "㐂示例",
            "𫖯",
            "葛\u{e0100}飾",
            "示例 商行",
        ] {
            assert_eq!(clean(text, 64).as_deref(), Ok(text));
        }
        assert_eq!(clean("Cafe\u{301}", 64).as_deref(), Ok("Café"));
        // A compatibility ideograph is, by Unicode's own definition, the unified one.
        assert_eq!(clean("\u{f9dc}", 64).as_deref(), Ok("\u{9686}"));
    }

    #[test]
    fn errors_do_not_print_the_character() {
        assert_eq!(
            TextError::Invisible('\u{202e}').to_string(),
            "invisible or direction-changing character U+202E"
        );
        assert_eq!(
            TextError::Control('\u{1b}').to_string(),
            "control character U+001B"
        );
    }

    proptest! {
        #[test]
        fn is_idempotent(text in "\\PC{0,40}") {
            if let Ok(once) = clean(&text, 200) {
                prop_assert_eq!(clean(&once, 200), Ok(once.clone()));
            }
        }
    }
}
