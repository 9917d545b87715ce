//! The canonicaliser's RDF is of an older release of the same library than the reader's: statements
//! go from one to the other term by term. Nothing is checked again; the reader did.

use oxrdf::{GraphName, NamedNode, NamedOrBlankNode, Quad, Term};
use oxrdf_02 as old;

/// `quad` in the canonicaliser's types.
pub(super) fn quad(quad: &Quad) -> old::Quad {
    let subject = match &quad.subject {
        NamedOrBlankNode::NamedNode(node) => old::Subject::NamedNode(named(node)),
        NamedOrBlankNode::BlankNode(node) => old::Subject::BlankNode(blank(node.as_str())),
    };
    let object: old::Term = match &quad.object {
        Term::NamedNode(node) => named(node).into(),
        Term::BlankNode(node) => blank(node.as_str()).into(),
        Term::Literal(literal) => match literal.language() {
            // In small letters, as the processors write them with which credentials are made.
            Some(language) => old::Literal::new_language_tagged_literal_unchecked(
                literal.value(),
                language.to_ascii_lowercase(),
            ),
            None => old::Literal::new_typed_literal(
                literal.value(),
                old::NamedNode::new_unchecked(literal.datatype().as_str()),
            ),
        }
        .into(),
    };
    let graph = match &quad.graph_name {
        GraphName::NamedNode(node) => old::GraphName::NamedNode(named(node)),
        GraphName::BlankNode(node) => old::GraphName::BlankNode(blank(node.as_str())),
        GraphName::DefaultGraph => old::GraphName::DefaultGraph,
    };
    old::Quad::new(subject, named(&quad.predicate), object, graph)
}

fn named(node: &NamedNode) -> old::NamedNode {
    old::NamedNode::new_unchecked(node.as_str())
}

fn blank(name: &str) -> old::BlankNode {
    old::BlankNode::new_unchecked(name)
}
