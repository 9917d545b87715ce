//! Each value of a document makes one statement. Counted on both sides, what a processor left out
//! cannot stay unseen.

use oxrdf::{Quad, Term};
use zhao_spec::wire::foreign::Foreign;

const REST: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#rest";
const NIL: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#nil";

/// The values of a document: each scalar and object under a term, each type. Identifiers name what
/// is stated and contexts say how; neither is a value.
pub(super) fn values(node: &Foreign) -> usize {
    match node {
        Foreign::Object(members) => members.iter().fold(0, |sum, (name, value)| {
            let of_member = match name.as_str() {
                "@context" | "@id" | "id" | "@value" | "@language" | "@direction" => 0,
                _ if is_value_object(node) => 0,
                _ => of_value(value),
            };
            of_member.saturating_add(sum)
        }),
        _ => 0,
    }
}

/// What `value` under a term counts.
fn of_value(value: &Foreign) -> usize {
    match value {
        Foreign::Array(items) => items
            .iter()
            .fold(0, |sum, item| of_value(item).saturating_add(sum)),
        Foreign::Object(_) if is_list(value) => values(value),
        Foreign::Object(_) => values(value).saturating_add(1),
        _ => 1,
    }
}

fn is_value_object(node: &Foreign) -> bool {
    node.member("@value").is_some()
}

/// A list or set: a value for each element, and none itself.
fn is_list(node: &Foreign) -> bool {
    node.member("@list").is_some() || node.member("@set").is_some()
}

/// What the statements of a document say.
#[derive(Debug, Default)]
pub(super) struct Stated {
    quads: usize,
    /// The links of lists: one for each element (`rest`) and one for each list (to its head, of
    /// which there are as many as ends).
    links: usize,
    /// Values inside literals of JSON.
    inner: usize,
}

impl Stated {
    pub(super) fn quad(&mut self, quad: &Quad) {
        self.quads = self.quads.saturating_add(1);
        if quad.predicate.as_str() == REST {
            self.links = self.links.saturating_add(1);
        }
        if matches!(&quad.object, Term::NamedNode(node) if node.as_str() == NIL) {
            self.links = self.links.saturating_add(1);
        }
    }

    /// A literal of JSON is one statement, whatever it holds.
    pub(super) fn literal(&mut self, value: &Foreign) {
        self.inner = self.inner.saturating_add(of_value(value));
        // The statement that holds the literal is counted as well.
        self.links = self.links.saturating_add(1);
    }

    /// How many values that is.
    pub(super) fn values(&self) -> Option<usize> {
        self.quads.checked_add(self.inner)?.checked_sub(self.links)
    }
}
