//! A document as it goes to the JSON-LD processor: nothing in it that the processor would pass over
//! in silence, and a vocabulary of ours under it that catches what no context defines.

use std::collections::BTreeSet;

use zhao_spec::wire::clip;
use zhao_spec::wire::foreign::Foreign;

use super::{RdfError, UNDEFINED};
use crate::context::Contexts;

/// Keywords that credentials use. The others nest, index, import or reverse: whatever they would
/// leave out or move about would not be seen by who reads the JSON.
const KEYWORDS: &[&str] = &[
    "@id",
    "@type",
    "@value",
    "@language",
    "@direction",
    "@list",
    "@set",
];
/// Under this term the base context begins anew, with no context at all.
const FRESH: &str = "verifiableCredential";
/// Where the datatype of a text with a direction is (JSON-LD 1.1 API, rdfDirection).
const I18N: &str = "https://www.w3.org/ns/i18n#";

/// `document`, made ready.
pub(super) fn prepare(document: &Foreign, contexts: &Contexts) -> Result<Foreign, RdfError> {
    let named = named_contexts(document);
    let pass = Pass { contexts, named };
    pass.node(document, true)
}

/// All contexts that `document` names, at any depth.
pub(super) fn named_contexts(document: &Foreign) -> BTreeSet<&str> {
    let mut named = BTreeSet::new();
    name_contexts(document, &mut named);
    named
}

fn name_contexts<'a>(node: &'a Foreign, into: &mut BTreeSet<&'a str>) {
    match node {
        Foreign::Array(items) => items.iter().for_each(|item| name_contexts(item, into)),
        Foreign::Object(members) => {
            for (name, value) in members {
                match (name.as_str(), value) {
                    ("@context", Foreign::Text(url)) => {
                        into.insert(url);
                    }
                    ("@context", Foreign::Array(items)) => {
                        into.extend(items.iter().filter_map(Foreign::as_text));
                    }
                    _ => name_contexts(value, into),
                }
            }
        }
        _ => {}
    }
}

struct Pass<'a> {
    contexts: &'a Contexts,
    named: BTreeSet<&'a str>,
}

impl Pass<'_> {
    /// `fresh`: no context applies yet, so that ours must come first.
    fn node(&self, node: &Foreign, fresh: bool) -> Result<Foreign, RdfError> {
        match node {
            Foreign::Array(items) => items
                .iter()
                .map(|item| self.node(item, fresh))
                .collect::<Result<_, _>>()
                .map(Foreign::Array),
            Foreign::Object(members) => self.object(members, fresh),
            Foreign::Null => Err(RdfError::Null {
                member: "an element".to_owned(),
            }),
            scalar => Ok(scalar.clone()),
        }
    }

    fn object(&self, members: &[(String, Foreign)], fresh: bool) -> Result<Foreign, RdfError> {
        let mut prepared = Vec::with_capacity(members.len().saturating_add(1));
        if fresh && !members.iter().any(|(name, _)| name == "@context") {
            prepared.push(("@context".to_owned(), underlaid(Vec::new())));
        }
        for (name, value) in members {
            if name == "@context" {
                let items = self.context(value)?;
                prepared.push((name.clone(), underlaid(items)));
                continue;
            }
            if name.starts_with('@') && !KEYWORDS.contains(&name.as_str()) {
                return Err(RdfError::Keyword { name: clip(name) });
            }
            if name == "@id" && members.iter().any(|(other, _)| other == "id") {
                return Err(RdfError::Keyword { name: clip(name) });
            }
            if *value == Foreign::Null {
                return Err(RdfError::Null { member: clip(name) });
            }
            if name == "@type" && value.as_text() == Some("@json") {
                return Err(RdfError::Keyword {
                    name: "@json".to_owned(),
                });
            }
            prepared.push((name.clone(), self.node(value, name == FRESH)?));
        }
        with_direction(prepared)
    }

    /// The contexts of one object, each known or looked through.
    fn context(&self, value: &Foreign) -> Result<Vec<Foreign>, RdfError> {
        let items = match value {
            Foreign::Array(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        };
        for item in items {
            match item {
                Foreign::Text(url) if self.contexts.document(url).is_some() => {}
                Foreign::Text(url) => {
                    return Err(RdfError::UnknownContext { url: clip(url) });
                }
                Foreign::Object(definitions) => self.inline(definitions)?,
                _ => return Err(refused("neither address nor object", "@context")),
            }
        }
        Ok(items.to_vec())
    }

    /// A context that stands in the document itself: whoever carries the document can have added
    /// it, so it may add meaning and take none away.
    fn inline(&self, definitions: &[(String, Foreign)]) -> Result<(), RdfError> {
        for (term, definition) in definitions {
            match (term.as_str(), definition) {
                ("@version" | "@protected" | "@propagate", _)
                | ("@vocab" | "@language", Foreign::Text(_)) => continue,
                (keyword, _) if keyword.starts_with('@') => {
                    return Err(refused("use", keyword));
                }
                (_, Foreign::Text(iri)) => named_keyword(term, iri)?,
                (_, Foreign::Object(parts)) => self.definition(term, parts)?,
                _ => return Err(refused("null definition", term)),
            }
            for url in &self.named {
                if self.contexts.redefines(url, term, definition) {
                    return Err(RdfError::Redefined {
                        term: clip(term),
                        url: (*url).to_owned(),
                    });
                }
            }
        }
        Ok(())
    }

    fn definition(&self, term: &str, parts: &[(String, Foreign)]) -> Result<(), RdfError> {
        for (part, value) in parts {
            match (part.as_str(), value) {
                ("@protected" | "@prefix", Foreign::Bool(_))
                | ("@type" | "@language", Foreign::Text(_)) => {}
                ("@id", Foreign::Text(iri)) => named_keyword(term, iri)?,
                ("@container", Foreign::Text(kind))
                    if matches!(kind.as_str(), "@set" | "@list" | "@graph") => {}
                ("@context", Foreign::Object(definitions)) => self.inline(definitions)?,
                _ => return Err(refused("such a definition", term)),
            }
        }
        Ok(())
    }
}

/// No term stands for a keyword but the two that everybody knows: what is called an index or a nest
/// vanishes, and a second name for the identifier hides the first.
fn named_keyword(term: &str, iri: &str) -> Result<(), RdfError> {
    if iri.starts_with('@') && !matches!((term, iri), ("id", "@id") | ("type", "@type")) {
        return Err(refused("alias of a keyword", term));
    }
    Ok(())
}

fn refused(what: &'static str, name: &str) -> RdfError {
    let name = clip(name);
    RdfError::Inline { what, name }
}

/// Contexts over the vocabulary that catches what none of them defines.
fn underlaid(contexts: Vec<Foreign>) -> Foreign {
    let text = Foreign::Text(UNDEFINED.to_owned());
    let ours = Foreign::Object(vec![("@vocab".to_owned(), text)]);
    Foreign::Array(std::iter::once(ours).chain(contexts).collect())
}

/// A text with a direction gets the datatype that says so: without one a processor forgets the
/// direction, and it would be unsigned.
fn with_direction(members: Vec<(String, Foreign)>) -> Result<Foreign, RdfError> {
    let text = |name: &str| {
        members
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.as_text().unwrap_or_default())
    };
    let Some(direction) = text("@direction") else {
        return Ok(Foreign::Object(members));
    };
    let only = |(name, _): &(String, Foreign)| {
        matches!(name.as_str(), "@value" | "@language" | "@direction")
    };
    let language = text("@language").unwrap_or_default().to_ascii_lowercase();
    match text("@value") {
        Some(value) if members.iter().all(only) && matches!(direction, "ltr" | "rtl") => {
            let datatype = format!("{I18N}{language}_{direction}");
            Ok(Foreign::Object(vec![
                ("@type".to_owned(), Foreign::Text(datatype)),
                ("@value".to_owned(), Foreign::Text(value.to_owned())),
            ]))
        }
        _ => Err(RdfError::Keyword {
            name: "@direction".to_owned(),
        }),
    }
}
