//! The orders of some nodes: each order once, whatever is repeated, and of twins the one order that
//! stands for all.

use super::Node;

/// One of the nodes.
#[derive(Debug)]
struct Item {
    node: Node,
    /// How often it is among them.
    total: usize,
    /// How many of these are not in the order yet.
    left: usize,
    /// The twin that must be in the order before it.
    after: Option<usize>,
}

/// The orders, one after the other: the first is there from the beginning.
#[derive(Debug)]
pub(super) struct Orders {
    items: Vec<Item>,
    /// Indices of items.
    order: Vec<usize>,
}

impl Orders {
    /// Of these nodes, where `twin` gives twins the same number and all others none.
    pub(super) fn new(mut nodes: Vec<Node>, twin: impl Fn(Node) -> Option<usize>) -> Self {
        nodes.sort_unstable();
        let mut items: Vec<Item> = Vec::new();
        let mut twins = std::collections::BTreeMap::new();
        for run in nodes.chunk_by(PartialEq::eq) {
            let Some(&node) = run.first() else { continue };
            let number = twin(node);
            items.push(Item {
                node,
                total: run.len(),
                left: run.len(),
                after: number.and_then(|number| twins.insert(number, items.len())),
            });
        }
        let mut orders = Self {
            items,
            order: Vec::with_capacity(nodes.len()),
        };
        orders.fill();
        orders
    }

    /// How many different nodes there are.
    pub(super) fn different(&self) -> usize {
        self.items.len()
    }

    /// The nodes in the present order.
    pub(super) fn current(&self) -> Vec<Node> {
        let items = self.order.iter().filter_map(|at| self.items.get(*at));
        items.map(|item| item.node).collect()
    }

    /// Whether there is another order: then that is the present one.
    pub(super) fn advance(&mut self) -> bool {
        while let Some(last) = self.order.pop() {
            if let Some(item) = self.items.get_mut(last) {
                item.left = item.left.saturating_add(1);
            }
            if let Some(next) = self.next(last.saturating_add(1)) {
                self.put(next);
                self.fill();
                return true;
            }
        }
        false
    }

    /// Completes the order with what comes first. So no twin comes before the one it is after,
    /// whose place among the items is lower.
    fn fill(&mut self) {
        for (at, item) in self.items.iter_mut().enumerate() {
            self.order.extend(std::iter::repeat_n(at, item.left));
            item.left = 0;
        }
    }

    /// The first item from `at` that may follow in the order.
    fn next(&self, at: usize) -> Option<usize> {
        let begun = |at: usize| self.items.get(at).is_some_and(|one| one.left < one.total);
        let mut rest = self.items.iter().enumerate().skip(at);
        let found = rest.find(|(_, item)| item.left > 0 && item.after.is_none_or(begun));
        found.map(|(at, _)| at)
    }

    fn put(&mut self, at: usize) {
        if let Some(item) = self.items.get_mut(at) {
            item.left = item.left.saturating_sub(1);
            self.order.push(at);
        }
    }
}
