//! RDF Dataset Canonicalization 1.0 (RDFC-1.0) with SHA-256, of statements that are in memory.
//!
//! The algorithm tries the orders of nodes that it cannot tell apart, and a graph can be made in
//! which there are more orders than anybody can try. Three things keep that in bounds, and none of
//! them changes the result: a node that stands in one place several times is the same node (a
//! proof stands once for each of its members in the graph that it is in), so that repetitions are
//! not put in order; nodes that could change names without changing a statement are tried in one
//! order; an order is given up at the first step where it can no longer be the least. What is left
//! is counted step by step, and over [`WORK`] the graph is refused.

use std::collections::{BTreeMap, BTreeSet};

use oxrdf::{GraphName, NamedOrBlankNode, Quad, Term};
use zhao_spec::wire::{Hash, sha256};

use walk::Walk;

mod nquads;
mod orders;
#[cfg(test)]
mod tests;
mod walk;

/// Steps of Hash N-Degree Quads for one document: a hash of a related node is one, and so is a
/// node's place in an order. A licence needs none, two copies of one some hundreds.
pub(super) const WORK: usize = 1 << 18;
/// How far the path of such steps may lead from where it began. Each node on it takes some of the
/// stack.
pub(super) const DEPTH: usize = 512;
/// Different nodes in one place that look alike: what puts them in order looks through all of them.
pub(super) const ALIKE: usize = 1_024;

/// The graph takes more work than is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Poison;

/// A blank node: its number among those of the document.
type Node = usize;

/// What stands in one place of a statement.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Blank(Node),
    /// As N-Quads have it; of the default graph, nothing.
    Text(String),
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Statement {
    subject: Part,
    predicate: String,
    object: Part,
    graph: Part,
}

impl Statement {
    /// The line of N-Quads, with what `name` calls the blank nodes.
    fn line(&self, name: impl Fn(Node) -> String) -> String {
        let mut line = String::new();
        let put = |line: &mut String, part: &Part| match part {
            Part::Blank(node) => {
                line.push_str("_:");
                line.push_str(&name(*node));
            }
            Part::Text(text) => line.push_str(text),
        };
        put(&mut line, &self.subject);
        line.push(' ');
        line.push_str(&self.predicate);
        line.push(' ');
        put(&mut line, &self.object);
        if self.graph != Part::Text(String::new()) {
            line.push(' ');
            put(&mut line, &self.graph);
        }
        line.push_str(" .\n");
        line
    }
}

/// Names given in order (RDFC-1.0 §4.5).
#[derive(Debug, Default)]
struct Names {
    order: Vec<Node>,
    /// By node: its place in the order.
    places: BTreeMap<Node, usize>,
}

impl Names {
    fn of(&self, node: Node) -> Option<usize> {
        self.places.get(&node).copied()
    }

    fn give(&mut self, node: Node) -> usize {
        let next = self.order.len();
        let place = *self.places.entry(node).or_insert(next);
        if place == next {
            self.order.push(node);
        }
        place
    }

    /// Takes back the names after the first `length`.
    fn cut(&mut self, length: usize) {
        for node in self.order.drain(length.min(self.order.len())..) {
            self.places.remove(&node);
        }
    }
}

/// The statements of a document, each once, and what is known of its blank nodes.
#[derive(Debug)]
struct Graph {
    statements: Vec<Statement>,
    /// By node: the statements that it is in.
    mentions: Vec<Vec<usize>>,
    /// By node: its hash to the first degree (§4.6).
    first: Vec<Hash>,
    /// Of nodes that look alike to the first degree: a number that each shares with those whose
    /// name could be exchanged with its own without changing the statements.
    twins: BTreeMap<Node, usize>,
}

impl Graph {
    fn of(quads: &[Quad]) -> Self {
        let mut blanks = BTreeMap::new();
        let mut statements: Vec<_> = quads.iter().map(|quad| read(quad, &mut blanks)).collect();
        statements.sort_unstable();
        statements.dedup();
        let mut graph = Self {
            statements,
            mentions: vec![Vec::new(); blanks.len()],
            first: Vec::new(),
            twins: BTreeMap::new(),
        };
        for (at, statement) in graph.statements.iter().enumerate() {
            let parts = [&statement.subject, &statement.object, &statement.graph];
            let nodes: BTreeSet<Node> = parts.into_iter().filter_map(blank).collect();
            for node in nodes {
                if let Some(mentions) = graph.mentions.get_mut(node) {
                    mentions.push(at);
                }
            }
        }
        let nodes = 0..graph.mentions.len();
        let other = |_| "z".to_owned();
        graph.first = nodes.map(|node| graph.seen(node, other)).collect();
        graph
    }

    /// Finds the twins among nodes that look alike.
    fn find_twins(&mut self, alike: &[Node]) {
        let mut seen = BTreeMap::new();
        for &node in alike {
            let hash = self.seen(node, |other| format!("n{other}"));
            let number = *seen.entry(hash).or_insert(node);
            self.twins.insert(node, number);
        }
    }

    fn about(&self, node: Node) -> impl Iterator<Item = &Statement> {
        let mentions = self.mentions.get(node).into_iter().flatten();
        mentions.filter_map(|at| self.statements.get(*at))
    }

    /// The hash of the statements about `node`, where it is called `a` and each other as `other`
    /// says.
    fn seen(&self, node: Node, other: impl Fn(Node) -> String) -> Hash {
        let name = |one| {
            if one == node {
                "a".to_owned()
            } else {
                other(one)
            }
        };
        let mut lines: Vec<_> = self.about(node).map(|one| one.line(name)).collect();
        lines.sort_unstable();
        let parts: Vec<&[u8]> = lines.iter().map(String::as_bytes).collect();
        sha256(&parts)
    }
}

fn blank(part: &Part) -> Option<Node> {
    match part {
        Part::Blank(node) => Some(*node),
        Part::Text(_) => None,
    }
}

fn read(quad: &Quad, blanks: &mut BTreeMap<String, Node>) -> Statement {
    let mut number = |name: &str| {
        let next = blanks.len();
        Part::Blank(*blanks.entry(name.to_owned()).or_insert(next))
    };
    Statement {
        subject: match &quad.subject {
            NamedOrBlankNode::NamedNode(node) => Part::Text(nquads::named(node)),
            NamedOrBlankNode::BlankNode(node) => number(node.as_str()),
        },
        predicate: nquads::named(&quad.predicate),
        object: match &quad.object {
            Term::NamedNode(node) => Part::Text(nquads::named(node)),
            Term::BlankNode(node) => number(node.as_str()),
            Term::Literal(literal) => Part::Text(nquads::literal(literal)),
        },
        graph: match &quad.graph_name {
            GraphName::NamedNode(node) => Part::Text(nquads::named(node)),
            GraphName::BlankNode(node) => number(node.as_str()),
            GraphName::DefaultGraph => Part::Text(String::new()),
        },
    }
}

/// The canonical N-Quads of the statements (RDFC-1.0 §4.4).
///
/// # Errors
/// They take more work than [`WORK`], lead deeper than [`DEPTH`], or more than [`ALIKE`] nodes in
/// one place look alike.
pub(super) fn canonical(quads: &[Quad]) -> Result<String, Poison> {
    let mut graph = Graph::of(quads);
    let mut groups: BTreeMap<Hash, Vec<Node>> = BTreeMap::new();
    for (node, hash) in graph.first.iter().enumerate() {
        groups.entry(*hash).or_default().push(node);
    }
    let mut names = Names::default();
    for group in groups.values() {
        match group.as_slice() {
            [only] => {
                names.give(*only);
            }
            alike => graph.find_twins(alike),
        }
    }
    let mut walk = Walk::new(&graph, names);
    for group in groups.values().filter(|group| group.len() > 1) {
        walk.name_all(group)?;
    }
    let names = walk.into_names();
    let name = |node| {
        names
            .of(node)
            .map_or_else(String::new, |place| format!("c14n{place}"))
    };
    let mut lines: Vec<_> = graph.statements.iter().map(|one| one.line(name)).collect();
    lines.sort_unstable();
    Ok(lines.concat())
}
