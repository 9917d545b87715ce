//! JSON-LD to RDF, and RDF canonicalised (RDFC-1.0). Prose: `spec/rdf.md`.
//!
//! What a JSON-LD processor drops in silence (a term no context defines, `null`, an address that is
//! none) would stand in a credential unsigned. Here whatever is dropped is an error: the document
//! is looked through before (`prepare`), and each of its values is counted in the result.

use std::collections::BTreeMap;
use std::io;

use oxjsonld::{JsonLdParser, JsonLdRemoteDocument};
use oxrdf::{GraphName, NamedOrBlankNode, Quad, Term};
use zhao_spec::wire::clip;
use zhao_spec::wire::foreign::{Foreign, canonicalize, parse_foreign};

use crate::context::Contexts;

mod canon;
mod count;
mod prepare;
mod slice;
#[cfg(test)]
mod tests;

/// What no context defines falls under this vocabulary, and is found by it.
const UNDEFINED: &str = "https://undefined.zhao.invalid/#";
/// What is relative is resolved against this, and is found by it.
const RELATIVE: &str = "https://relative.zhao.invalid/";
const JSON_LITERAL: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON";

/// Statements of one document: 4 MiB of JSON have fewer that mean anything.
pub const STATEMENTS: usize = 65_536;
/// Steps of Hash N-Degree Quads for one document (RDFC-1.0 §4.8): a hash of a related node is one,
/// and so is a node's place in an order that is tried. A licence needs none, several copies of one
/// some hundreds; a graph made to be slow needs millions.
pub const STEPS: usize = canon::WORK;

/// Why a document has no canonical RDF.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RdfError {
    /// A context that is not known; none is fetched.
    #[error("context {url} is not known here, and none is fetched")]
    UnknownContext {
        /// Its URL, clipped.
        url: String,
    },
    /// A context within the document that does what could hide or twist what is signed.
    #[error("context in the document: {what} of {name}")]
    Inline {
        /// What is refused.
        what: &'static str,
        /// The term or keyword, clipped.
        name: String,
    },
    /// A context within the document redefines a term of a context it names.
    #[error("context in the document redefines {term} of {url}")]
    Redefined {
        /// The term, clipped.
        term: String,
        /// The context that defines it.
        url: String,
    },
    /// A term, type or value that no context defines.
    #[error("{term} is defined by no context")]
    Undefined {
        /// The term, clipped.
        term: String,
    },
    /// An address that is relative, or none at all.
    #[error("{value} is no absolute address")]
    Address {
        /// What stands there, clipped.
        value: String,
    },
    /// A member that is `null`: it would not be signed.
    #[error("{member} is null, which nothing would sign")]
    Null {
        /// The member's name, clipped.
        member: String,
    },
    /// A member that only looks like a keyword, or a keyword that credentials do without.
    #[error("{name} is no keyword that is read here")]
    Keyword {
        /// Its name, clipped.
        name: String,
    },
    /// Some value of the document would not be signed.
    #[error("{expected} values, but {actual} of them are stated in RDF")]
    Dropped {
        /// Values of the document.
        expected: usize,
        /// Values that the RDF states.
        actual: usize,
    },
    /// Not JSON-LD 1.1.
    #[error("not JSON-LD: {detail}")]
    Syntax {
        /// What the processor says, clipped.
        detail: String,
    },
    /// More statements than [`STATEMENTS`].
    #[error("more than {STATEMENTS} statements")]
    TooMany,
    /// More work than [`STEPS`] allows, or a path too long: a graph made to be slow.
    #[error("canonicalisation takes more than {STEPS} steps, or leads too deep")]
    Poison,
}

impl RdfError {
    /// The stable code of this kind of error.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownContext { .. } => "rdf-context-unknown",
            Self::Inline { .. } => "rdf-context-inline",
            Self::Redefined { .. } => "rdf-context-redefines",
            Self::Undefined { .. } => "rdf-undefined",
            Self::Address { .. } => "rdf-address",
            Self::Null { .. } => "rdf-null",
            Self::Keyword { .. } => "rdf-keyword",
            Self::Dropped { .. } => "rdf-dropped",
            Self::Syntax { .. } => "rdf-syntax",
            Self::TooMany => "rdf-too-many",
            Self::Poison => "rdf-poison",
        }
    }
}

/// The canonical N-Quads of `document`: every value of it is in there, or there is an error.
///
/// Source: JSON-LD 1.1 API §8 (rdfDirection `i18n-datatype`); RDF Dataset Canonicalization 1.0.
///
/// # Errors
/// As [`RdfError`] says.
pub fn canonical(document: &Foreign, contexts: &Contexts) -> Result<String, RdfError> {
    let quads = statements(document, contexts)?;
    canon::canonical(&quads).map_err(|canon::Poison| RdfError::Poison)
}

/// Checks that contexts define all that `document` says, without canonicalising it.
///
/// # Errors
/// As [`RdfError`] says, but for [`RdfError::Poison`].
pub fn check(document: &Foreign, contexts: &Contexts) -> Result<(), RdfError> {
    statements(document, contexts).map(drop)
}

/// The statements of `document`, as the processor found them: one for each value.
fn statements(document: &Foreign, contexts: &Contexts) -> Result<Vec<Quad>, RdfError> {
    let prepared = prepare::prepare(document, contexts)?;
    let text = canonicalize(&prepared);
    let syntax = |detail: String| RdfError::Syntax {
        detail: clip(&detail),
    };
    // Only what this document can use of a context goes into the processor.
    let sliced = sliced(document, contexts);
    // Lenient, so that an address that is none comes to light instead of being left out.
    let parser = JsonLdParser::new()
        .lenient()
        .with_base_iri(RELATIVE)
        .map_err(|error| syntax(error.to_string()))?
        .for_slice(&text)
        .with_load_document_callback(move |url, _| match sliced.get(url) {
            Some(text) => Ok(JsonLdRemoteDocument {
                document: text.clone(),
                // One place for all: a protected term may be defined a second time as it was, and
                // the processor takes a definition from elsewhere for another.
                document_url: RELATIVE.to_owned(),
            }),
            None => Err(Box::new(io::Error::from(io::ErrorKind::NotFound))),
        });
    let mut quads = Vec::new();
    let mut stated = count::Stated::default();
    for quad in parser {
        let quad = quad.map_err(|error| syntax(error.to_string()))?;
        if quads.len() >= STATEMENTS {
            return Err(RdfError::TooMany);
        }
        check_addresses(&quad)?;
        if let Term::Literal(literal) = &quad.object
            && literal.datatype().as_str() == JSON_LITERAL
        {
            let inner = parse_foreign(literal.value().as_bytes())
                .map_err(|error| syntax(error.to_string()))?;
            stated.literal(&inner);
        }
        stated.quad(&quad);
        quads.push(quad);
    }
    let (expected, actual) = (count::values(&prepared), stated.values());
    if actual == Some(expected) {
        Ok(quads)
    } else {
        Err(RdfError::Dropped {
            expected,
            actual: actual.unwrap_or(usize::MAX),
        })
    }
}

/// Of each context that `document` names, what it can use.
fn sliced(document: &Foreign, contexts: &Contexts) -> BTreeMap<String, Vec<u8>> {
    let words = slice::Words::of(document);
    prepare::named_contexts(document)
        .into_iter()
        .filter_map(|url| {
            let definitions = slice::slice(contexts.definitions(url)?, &words);
            let context = vec![("@context".to_owned(), definitions)];
            Some((url.to_owned(), canonicalize(&Foreign::Object(context))))
        })
        .collect()
}

/// Each address of a statement is absolute and comes from a context, or there is an error.
fn check_addresses(quad: &Quad) -> Result<(), RdfError> {
    if let NamedOrBlankNode::NamedNode(node) = &quad.subject {
        check_address(node.as_str())?;
    }
    check_address(quad.predicate.as_str())?;
    match &quad.object {
        Term::NamedNode(node) => check_address(node.as_str())?,
        Term::Literal(literal) => check_address(literal.datatype().as_str())?,
        Term::BlankNode(_) => {}
    }
    match &quad.graph_name {
        GraphName::NamedNode(node) => check_address(node.as_str()),
        GraphName::BlankNode(_) | GraphName::DefaultGraph => Ok(()),
    }
}

fn check_address(address: &str) -> Result<(), RdfError> {
    if let Some(term) = address.strip_prefix(UNDEFINED) {
        return Err(RdfError::Undefined { term: clip(term) });
    }
    let relative = address.strip_prefix(RELATIVE);
    if relative.is_some() || oxrdf::NamedNode::new(address).is_err() {
        return Err(RdfError::Address {
            value: clip(relative.unwrap_or(address)),
        });
    }
    Ok(())
}
