//! The message catalogue: every sentence the program says, in English and Chinese.
//!
//! `messages/en.toml` and `messages/zh.toml` hold the same keys with the same placeholders
//! (tested). A key is `section.name`; nested tables give longer keys.

use std::collections::BTreeMap;

/// One named value for a placeholder.
pub(crate) type Argument = (&'static str, String);

/// The languages there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Language {
    // Chinese, simplified. Not a doc comment: clap would show it, in one language.
    Zh,
    // English.
    En,
}

impl Language {
    /// The language of a POSIX locale name, as in `zh_CN.UTF-8`; English for all others.
    pub(crate) fn of_locale(locale: Option<&str>) -> Self {
        // The language ends where territory, encoding or modifier begins: zhx is another one.
        let language = locale.and_then(|name| name.split(['_', '-', '.', '@']).next());
        match language {
            Some(name) if name.eq_ignore_ascii_case("zh") => Self::Zh,
            _ => Self::En,
        }
    }
}

/// The sentences of one language.
#[derive(Debug)]
pub(crate) struct Messages {
    language: Language,
    texts: BTreeMap<String, String>,
}

impl Messages {
    /// Those of `language`.
    pub(crate) fn new(language: Language) -> Self {
        let source = match language {
            Language::En => include_str!("../messages/en.toml"),
            Language::Zh => include_str!("../messages/zh.toml"),
        };
        let table: toml::Table = toml::from_str(source).expect("the catalogue is tested TOML");
        let mut texts = BTreeMap::new();
        flatten("", &table, &mut texts);
        Self { language, texts }
    }

    /// Their language.
    pub(crate) fn language(&self) -> Language {
        self.language
    }

    /// The sentence of `key`, if there is one.
    pub(crate) fn find(&self, key: &str) -> Option<&str> {
        self.texts.get(key).map(String::as_str)
    }

    /// The sentence of `key`. A key without a sentence shows itself: better than silence.
    pub(crate) fn text(&self, key: &str) -> String {
        self.fill(key, &[])
    }

    /// The sentence of `key` with its placeholders filled. `{count}` is the value itself,
    /// `{count:licence|licences}` the first word if it is 1 and the second otherwise.
    pub(crate) fn fill(&self, key: &str, arguments: &[Argument]) -> String {
        let Some(template) = self.find(key) else {
            debug_assert!(false, "message {key} is not in the catalogue");
            return key.to_owned();
        };
        let mut text = String::with_capacity(template.len());
        let mut rest = template;
        while let Some((before, tail)) = rest.split_once('{') {
            text.push_str(before);
            let Some((name, after)) = tail.split_once('}') else {
                break;
            };
            let (name, words) = match name.split_once(':') {
                Some((name, words)) => (name, words.split_once('|')),
                None => (name, None),
            };
            match (arguments.iter().find(|(given, _)| *given == name), words) {
                (Some((_, value)), None) => text.push_str(value),
                (Some((_, value)), Some((one, _))) if value == "1" => text.push_str(one),
                (Some(_), Some((_, several))) => text.push_str(several),
                (None, _) => {
                    debug_assert!(false, "message {key} lacks its argument {name}");
                    text.push_str(name);
                }
            }
            rest = after;
        }
        text.push_str(rest);
        text
    }
}

fn flatten(prefix: &str, table: &toml::Table, texts: &mut BTreeMap<String, String>) {
    for (name, value) in table {
        let key = if prefix.is_empty() {
            name.clone()
        } else {
            format!("{prefix}.{name}")
        };
        match value {
            toml::Value::String(text) => {
                texts.insert(key, text.clone());
            }
            toml::Value::Table(inner) => flatten(&key, inner, texts),
            other => panic!(
                "catalogue entry {key} is a {}, not a text",
                other.type_str()
            ),
        }
    }
}

#[cfg(test)]
mod tests;
