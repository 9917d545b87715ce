//! Of a known context, what a document can use. A processor copies the active context again and
//! again, with all that hangs on it; most of a context of the W3C is about other documents.
//!
//! What is left out decides nothing: a definition is kept if its term occurs anywhere in the
//! document (as a member's name, a value, or the prefix of either), or if a kept one leans on it.

use std::collections::BTreeSet;

use zhao_spec::wire::foreign::Foreign;

/// The texts of a document that can be terms.
#[derive(Debug, Default)]
pub(super) struct Words<'a>(BTreeSet<&'a str>);

impl<'a> Words<'a> {
    pub(super) fn of(document: &'a Foreign) -> Self {
        let mut words = Self::default();
        words.take(document);
        words
    }

    fn take(&mut self, node: &'a Foreign) {
        match node {
            Foreign::Text(text) => self.word(text),
            Foreign::Array(items) => items.iter().for_each(|item| self.take(item)),
            Foreign::Object(members) => {
                for (name, value) in members {
                    self.word(name);
                    self.take(value);
                }
            }
            _ => {}
        }
    }

    fn word(&mut self, text: &'a str) {
        self.0.insert(text);
        if let Some((prefix, _)) = text.split_once(':') {
            self.0.insert(prefix);
        }
    }

    fn has(&self, term: &str) -> bool {
        self.0.contains(term)
    }
}

/// `definitions` without what neither `words` nor another kept definition names.
pub(super) fn slice(definitions: &[(String, Foreign)], words: &Words<'_>) -> Foreign {
    Foreign::Object(kept(definitions, words, &leaned_on(definitions)))
}

fn kept(
    definitions: &[(String, Foreign)],
    words: &Words<'_>,
    leaned_on: &BTreeSet<&str>,
) -> Vec<(String, Foreign)> {
    definitions
        .iter()
        .filter(|(term, _)| {
            term.starts_with('@') || words.has(term) || leaned_on.contains(term.as_str())
        })
        .map(|(term, definition)| {
            let definition = match definition {
                Foreign::Object(parts) => Foreign::Object(
                    parts
                        .iter()
                        .map(|(part, value)| match value {
                            Foreign::Object(scoped) if part == "@context" => {
                                let scoped = kept(scoped, words, leaned_on);
                                (part.clone(), Foreign::Object(scoped))
                            }
                            other => (part.clone(), other.clone()),
                        })
                        .collect(),
                ),
                other => other.clone(),
            };
            (term.clone(), definition)
        })
        .collect()
}

/// Prefixes and terms by which definitions, at any depth, say what they mean.
fn leaned_on(definitions: &[(String, Foreign)]) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    for (_, definition) in definitions {
        lean(definition, &mut names);
    }
    names
}

fn lean<'a>(definition: &'a Foreign, names: &mut BTreeSet<&'a str>) {
    match definition {
        Foreign::Text(text) => {
            names.insert(
                text.split_once(':')
                    .map_or(text.as_str(), |(prefix, _)| prefix),
            );
        }
        Foreign::Object(parts) => parts.iter().for_each(|(_, part)| lean(part, names)),
        _ => {}
    }
}
