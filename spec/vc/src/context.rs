//! The contexts that are known. No other is, and none is fetched.
//! Prose: `spec/rdf.md`.

use std::collections::BTreeMap;
use std::sync::Arc;

use zhao_spec::wire::foreign::{Foreign, ForeignError, parse_foreign};

/// The base context of the data model 2.0.
pub const CREDENTIALS_V2: &str = "https://www.w3.org/ns/credentials/v2";
/// The base context of the data model 1.1.
pub const CREDENTIALS_V1: &str = "https://www.w3.org/2018/credentials/v1";
/// The context of our licences.
pub const LICENCE_V1: &str = "https://zhao.example/ns/licence/v1";

/// Contexts that everybody who reads credentials has, by URL. The W3C's are byte for byte what
/// they publish; credentials/v1 is in the form its editors publish as a program's data.
const STANDARD: &[(&str, &str)] = &[
    (
        CREDENTIALS_V2,
        include_str!("../contexts/credentials-v2.jsonld"),
    ),
    (
        CREDENTIALS_V1,
        include_str!("../contexts/credentials-v1.jsonld"),
    ),
    (
        "https://www.w3.org/ns/credentials/examples/v2",
        include_str!("../contexts/examples-v2.jsonld"),
    ),
    (
        "https://w3id.org/security/data-integrity/v2",
        include_str!("../contexts/data-integrity-v2.jsonld"),
    ),
    (
        "https://w3id.org/security/multikey/v1",
        include_str!("../contexts/multikey-v1.jsonld"),
    ),
    (
        "https://www.w3.org/ns/did/v1",
        include_str!("../contexts/did-v1.jsonld"),
    ),
    (LICENCE_V1, include_str!("../../contexts/licence-v1.jsonld")),
];

/// Why a context cannot be taken up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContextError {
    /// Not JSON.
    #[error("the context is not JSON: {0}")]
    Json(ForeignError),
    /// No object with one `@context`, an object.
    #[error("the document has no @context that is an object")]
    Shape,
}

impl ContextError {
    /// The stable code of this kind of error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Json(_) => "context-json",
            Self::Shape => "context-shape",
        }
    }
}

/// One context that is known.
#[derive(Clone, Debug)]
struct Known {
    text: String,
    definitions: Vec<(String, Foreign)>,
    /// Every term it defines, in its scoped contexts as well, each way it is defined.
    terms: BTreeMap<String, Vec<Foreign>>,
}

/// What is known: URL by URL the context's document. Parsed once, shared by whoever asks.
#[derive(Clone, Debug)]
pub struct Contexts(Arc<BTreeMap<String, Known>>);

impl Contexts {
    /// The contexts of the W3C for credentials, keys and DIDs, and ours for licences.
    ///
    /// # Panics
    /// If a context of this crate is not one: our bug, which every test would meet.
    #[must_use]
    pub fn standard() -> Self {
        let mut all = BTreeMap::new();
        for (url, text) in STANDARD {
            match known(text) {
                Ok(known) => all.insert((*url).to_owned(), known),
                Err(error) => panic!("{url}: {error}"),
            };
        }
        Self(Arc::new(all))
    }

    /// These and one more, whose document the caller vouches for.
    ///
    /// # Errors
    /// Not JSON, or no context.
    pub fn with(&self, url: &str, text: &str) -> Result<Self, ContextError> {
        let mut all: BTreeMap<String, Known> = BTreeMap::new();
        for (other, known) in self.0.iter() {
            all.insert(other.clone(), known.clone());
        }
        all.insert(url.to_owned(), known(text)?);
        Ok(Self(Arc::new(all)))
    }

    /// The document behind `url`, as it is published: whose digest a `relatedResource` states.
    #[must_use]
    pub fn document(&self, url: &str) -> Option<&str> {
        self.0.get(url).map(|known| known.text.as_str())
    }

    /// What the context behind `url` defines.
    pub(crate) fn definitions(&self, url: &str) -> Option<&[(String, Foreign)]> {
        self.0.get(url).map(|known| known.definitions.as_slice())
    }

    /// Whether the context behind `url` defines `term`, and nowhere as `definition` does.
    #[must_use]
    pub(crate) fn redefines(&self, url: &str, term: &str, definition: &Foreign) -> bool {
        let known = self.0.get(url).and_then(|known| known.terms.get(term));
        known.is_some_and(|ways| !ways.contains(definition))
    }
}

fn known(text: &str) -> Result<Known, ContextError> {
    let document = parse_foreign(text.as_bytes()).map_err(ContextError::Json)?;
    let Some(Foreign::Object(definitions)) = document.member("@context") else {
        return Err(ContextError::Shape);
    };
    let mut terms = BTreeMap::new();
    collect(definitions, &mut terms);
    Ok(Known {
        text: text.to_owned(),
        definitions: definitions.clone(),
        terms,
    })
}

fn collect(definitions: &[(String, Foreign)], terms: &mut BTreeMap<String, Vec<Foreign>>) {
    for (term, definition) in definitions {
        if !term.starts_with('@') {
            terms
                .entry(term.clone())
                .or_default()
                .push(definition.clone());
        }
        if let Some(Foreign::Object(scoped)) = definition.member("@context") {
            collect(scoped, terms);
        }
    }
}
