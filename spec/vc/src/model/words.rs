//! Names and descriptions: text, or text with its language and direction (data model §4.6, §11.1).

use zhao_spec::wire::clip;
use zhao_spec::wire::foreign::Foreign;

use super::ModelError;
use super::place::{Place, members, optional_many, required, wrong};

/// A text for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words<'a> {
    /// The text.
    pub text: &'a str,
    /// Its language as a BCP 47 tag, if it says.
    pub language: Option<&'a str>,
    /// Its base direction, if it says.
    pub direction: Option<Direction>,
}

/// A base direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// `ltr`.
    LeftToRight,
    /// `rtl`.
    RightToLeft,
}

/// The member `name` (`name` or `description`) of an object: in one language or several.
pub(super) fn words<'a>(
    node: &'a Foreign,
    place: &Place<'_>,
    name: &str,
) -> Result<Vec<Words<'a>>, ModelError> {
    optional_many(node, place, name, one)
}

fn one<'a>(value: &'a Foreign, place: &Place<'_>) -> Result<Words<'a>, ModelError> {
    if let Foreign::Text(text) = value {
        return Ok(Words {
            text,
            language: None,
            direction: None,
        });
    }
    for (name, _) in members(value, place).map_err(|error| match error {
        ModelError::Kind { .. } => wrong(value, place, "text or object"),
        other => other,
    })? {
        if !matches!(name.as_str(), "@value" | "@language" | "@direction") {
            return Err(ModelError::Unknown {
                path: place.name(name).path(),
            });
        }
    }
    let text = |name: &str| match value.member(name) {
        None => Ok(None),
        Some(Foreign::Text(text)) => Ok(Some(text.as_str())),
        Some(other) => Err(wrong(other, &place.name(name), "text")),
    };
    required(value, place, "@value")?;
    let language = text("@language")?;
    if let Some(tag) = language.filter(|tag| !is_tag(tag)) {
        return Err(ModelError::Language {
            path: place.name("@language").path(),
            actual: clip(tag),
        });
    }
    let direction = match text("@direction")? {
        None => None,
        Some("ltr") => Some(Direction::LeftToRight),
        Some("rtl") => Some(Direction::RightToLeft),
        Some(other) => {
            return Err(ModelError::Direction {
                path: place.name("@direction").path(),
                actual: clip(other),
            });
        }
    };
    Ok(Words {
        text: text("@value")?.unwrap_or_default(),
        language,
        direction,
    })
}

/// Whether `tag` has the form of a language tag (RFC 5646 §2.1): subtags of 1 to 8 letters and
/// digits, the first of 2 to 8 letters or the single `i` or `x` before others, none that only
/// announces others at the end. Whether the registry knows the subtags is not asked.
#[must_use]
pub fn is_tag(tag: &str) -> bool {
    let mut subtags = tag.split('-');
    let first = subtags.next().unwrap_or_default();
    let special = matches!(first, "i" | "I" | "x" | "X");
    let letters = first.bytes().all(|b| b.is_ascii_alphabetic());
    if !letters || !((2..=8).contains(&first.len()) || special) {
        return false;
    }
    let mut announced = special;
    for subtag in subtags {
        let alphanumeric = subtag.bytes().all(|b| b.is_ascii_alphanumeric());
        if !alphanumeric || !(1..=8).contains(&subtag.len()) {
            return false;
        }
        announced = subtag.len() == 1;
    }
    !announced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_no_tag() {
        for tag in [
            "",
            "e",
            "1n",
            "e1",
            "en_GB",
            "en-",
            "-en",
            "en--GB",
            "en-verylongsubtag",
            "zh-u",
            "x",
            "i",
            "中文",
            "en GB",
            "abcdefghi",
            "en-x",
        ] {
            assert!(!is_tag(tag), "{tag:?}");
        }
    }

    #[test]
    fn accepts_tags() {
        for tag in [
            "en",
            "zh",
            "zh-CN",
            "zh-Hans-CN",
            "yue",
            "de-DE-u-co-phonebk",
            "x-klingon",
            "i-lux",
            "en-GB-oed",
            "sl-rozaj-biske",
            "zh-cmn-Hans",
            "EN",
        ] {
            assert!(is_tag(tag), "{tag:?}");
        }
    }
}
