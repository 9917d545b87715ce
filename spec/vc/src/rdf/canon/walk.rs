//! Hash N-Degree Quads (RDFC-1.0 §4.8): which of the nodes that look alike is which.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use zhao_spec::wire::{Hash, sha256};

use super::orders::Orders;
use super::{ALIKE, DEPTH, Graph, Names, Node, Part, Poison, WORK, blank};

/// Where a node is on its way through the graph, and what names it gave.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    graph: &'a Graph,
    /// Names that stay.
    names: Names,
    /// Names of the present path.
    path: Names,
    /// Steps that may still be taken.
    work: usize,
}

/// A path being made, against the least so far.
struct Race<'a> {
    text: String,
    least: Option<&'a str>,
    /// Whether it is the same as the least so far.
    level: bool,
}

impl Race<'_> {
    /// Adds to the path. False where it can no longer be the least.
    fn add(&mut self, more: &str) -> bool {
        if let (true, Some(least)) = (self.level, self.least) {
            let rest = least.as_bytes().get(self.text.len()..).unwrap_or_default();
            let same = rest.get(..more.len()).unwrap_or(rest);
            if more.as_bytes() > same {
                return false;
            }
            self.level = more.as_bytes() == same;
        }
        self.text.push_str(more);
        true
    }

    /// The path, if it is the least.
    fn won(self) -> Option<String> {
        let won = self.least.is_none_or(|least| *self.text < *least);
        won.then_some(self.text)
    }
}

impl<'a> Walk<'a> {
    /// With the names that nodes have by their first degree.
    pub(super) fn new(graph: &'a Graph, names: Names) -> Self {
        Self {
            graph,
            names,
            path: Names::default(),
            work: WORK,
        }
    }

    pub(super) fn into_names(self) -> Names {
        self.names
    }

    /// Names the nodes of one hash, and what is named on the way (§4.4.3, step 5).
    ///
    /// # Errors
    /// It takes more than is allowed.
    pub(super) fn name_all(&mut self, group: &[Node]) -> Result<(), Poison> {
        let mut paths = Vec::new();
        for &node in group {
            if self.names.of(node).is_some() {
                continue;
            }
            self.path.cut(0);
            self.path.give(node);
            let hash = self.hash(node, DEPTH)?;
            paths.push((hash, self.path.order.clone()));
        }
        paths.sort_by_key(|(hash, _)| *hash);
        for node in paths.into_iter().flat_map(|(_, order)| order) {
            self.names.give(node);
        }
        Ok(())
    }

    fn spend(&mut self, steps: usize) -> Result<(), Poison> {
        self.work = self.work.checked_sub(steps).ok_or(Poison)?;
        Ok(())
    }

    /// The hash of `node` and all it leads to; what is met is named in the path.
    fn hash(&mut self, node: Node, depth: usize) -> Result<Hash, Poison> {
        let depth = depth.checked_sub(1).ok_or(Poison)?;
        let mut data = String::new();
        for (hash, related) in self.related(node)? {
            hex(&mut data, &hash);
            data.push_str(&self.least(related, depth)?);
        }
        Ok(sha256(&[data.as_bytes()]))
    }

    /// The nodes beside `node` in its statements, by what is known of them (§4.7).
    fn related(&mut self, node: Node) -> Result<BTreeMap<Hash, Vec<Node>>, Poison> {
        let graph = self.graph;
        let mut related: BTreeMap<Hash, Vec<Node>> = BTreeMap::new();
        for statement in graph.about(node) {
            let places: [(&str, &str, &Part); 3] = [
                ("s", &statement.predicate, &statement.subject),
                ("o", &statement.predicate, &statement.object),
                ("g", "", &statement.graph),
            ];
            for (place, predicate, part) in places {
                let Some(other) = blank(part).filter(|other| *other != node) else {
                    continue;
                };
                self.spend(1)?;
                let known = self.known(other);
                let hash = sha256(&[place.as_bytes(), predicate.as_bytes(), known.as_bytes()]);
                related.entry(hash).or_default().push(other);
            }
        }
        Ok(related)
    }

    /// A node's name, if it has one.
    fn name(&self, node: Node) -> Option<String> {
        let kept = self.names.of(node).map(|place| format!("_:c14n{place}"));
        kept.or_else(|| self.path.of(node).map(|place| format!("_:b{place}")))
    }

    /// A node's name, or its hash to the first degree.
    fn known(&self, node: Node) -> String {
        self.name(node).unwrap_or_else(|| {
            let mut text = String::new();
            if let Some(hash) = self.graph.first.get(node) {
                hex(&mut text, hash);
            }
            text
        })
    }

    /// The least path through these nodes, whose names stay in the path (§4.8.3, step 5).
    fn least(&mut self, nodes: Vec<Node>, depth: usize) -> Result<String, Poison> {
        if let Some(text) = self.known_all(&nodes) {
            self.spend(nodes.len())?;
            return Ok(text);
        }
        let start = self.path.order.len();
        // Only of nodes without a name does nothing say which is which.
        let twin = |node| {
            let number = self.graph.twins.get(&node).copied();
            number.filter(|_| self.name(node).is_none())
        };
        let mut orders = Orders::new(nodes, twin);
        if orders.different() > ALIKE {
            return Err(Poison);
        }
        let mut least: Option<(String, Vec<Node>)> = None;
        loop {
            let so_far = least.as_ref().map(|(text, _)| text.as_str());
            if let Some(text) = self.through(&orders.current(), so_far, depth)? {
                let named = self.path.order.get(start..).unwrap_or_default();
                least = Some((text, named.to_vec()));
            }
            self.path.cut(start);
            if !orders.advance() {
                break;
            }
        }
        let (text, named) = least.unwrap_or_default();
        for node in named {
            self.path.give(node);
        }
        Ok(text)
    }

    /// The least path where every node has its name already, so that the path leads no further and
    /// names nothing: that of all texts which the names make, one after the other.
    fn known_all(&self, nodes: &[Node]) -> Option<String> {
        let name = |&node: &Node| self.name(node);
        let mut names: Vec<String> = nodes.iter().map(name).collect::<Option<_>>()?;
        // Of two, first goes the one that makes the lesser text so: b10 before b1, b1 before b2.
        names.sort_by(|one, other| {
            let first = one.bytes().chain(other.bytes());
            first.cmp(other.bytes().chain(one.bytes()))
        });
        Some(names.concat())
    }

    /// The path through the nodes in this order, unless `least` is less or the same.
    fn through(
        &mut self,
        order: &[Node],
        least: Option<&str>,
        depth: usize,
    ) -> Result<Option<String>, Poison> {
        let mut race = Race {
            text: String::new(),
            least,
            level: true,
        };
        let mut deeper = Vec::new();
        self.spend(order.len())?;
        for &node in order {
            let name = if let Some(place) = self.names.of(node) {
                format!("_:c14n{place}")
            } else {
                if self.path.of(node).is_none() {
                    deeper.push(node);
                }
                format!("_:b{}", self.path.give(node))
            };
            if !race.add(&name) {
                return Ok(None);
            }
        }
        for node in deeper {
            let hash = self.hash(node, depth)?;
            let mut more = format!("_:b{}<", self.path.give(node));
            hex(&mut more, &hash);
            more.push('>');
            if !race.add(&more) {
                return Ok(None);
            }
        }
        Ok(race.won())
    }
}

/// Writes the hash in hexadecimal.
fn hex(text: &mut String, hash: &Hash) {
    for byte in hash.as_bytes() {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of adding these parts, one after another, against the least so far.
    fn race(least: &str, parts: &[&str]) -> Option<String> {
        let mut race = Race {
            text: String::new(),
            least: Some(least),
            level: true,
        };
        let all = parts.iter().all(|part| race.add(part));
        all.then(|| race.won())?
    }

    #[test]
    fn the_first_difference_decides() {
        // Less in the first or the second part: what follows is no longer compared.
        assert!(race("_:b1_:b1_:b2", &["_:b0", "_:b9", "_:b9"]).is_some());
        assert!(race("_:b0_:b1_:b2", &["_:b0", "_:b0", "_:b9"]).is_some());
        assert!(race("_:b0_:b1_:b2", &["_:b0", "_:b2", "_:b0"]).is_none());
        assert!(race("_:b0_:b1_:b2", &["_:b0", "_:b1", "_:b1"]).is_some());
        // The same once more is not less, and neither is a longer text.
        assert!(race("_:b0_:b1", &["_:b0", "_:b1"]).is_none());
        assert!(race("_:b0_:b1", &["_:b0", "_:b1", "_:b2"]).is_none());
        assert!(race("_:b0_:b1", &["_:b0"]).is_some());
    }
}
