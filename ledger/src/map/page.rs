//! Pages of a map for those who fetch it: cut where `spec/map-page.md` says, from whatever shape
//! the nodes in memory have.

use zhao_spec::map::page::{
    Child as Below, Content, Page, PageError, PageLeaf, PageName, Prefix, STEP,
};
use zhao_spec::map::{EMPTY_ROOT, bit};
use zhao_spec::wire::{Hash, limits};

use super::StatusMap;
use super::node::{Child, MapLeaf, Node, nibble};
use super::row::{self, Cell};

/// Keys of a page that lists them.
const MOST: usize = limits::MAP_PAGE_LEAVES;

/// The subtree below a prefix: neighbours in a row of the tree, at least one.
#[derive(Clone, Copy)]
enum Stretch<'a> {
    Leaves(&'a [Cell<MapLeaf>]),
    /// Children of a page so many nibbles deep.
    Children(&'a [Cell<Child>], u8),
}

impl<'a> Stretch<'a> {
    fn of(node: &'a Node, level: u8) -> Self {
        match node {
            Node::Bucket(row) => Self::Leaves(row),
            Node::Page(row) => Self::Children(row, level),
        }
    }

    /// Keys with a 0 at a bit before which all agree, and those with a 1.
    fn split(self, depth: u8) -> (Option<Self>, Option<Self>) {
        match self {
            Self::Leaves(row) => {
                let at = row.partition_point(|cell| !bit(&cell.item.key, depth));
                let (zeros, ones) = row.split_at(at);
                (leaves(zeros), leaves(ones))
            }
            Self::Children([one], level) if depth / 4 > level => {
                Self::of(&one.item.node, level.saturating_add(1)).split(depth)
            }
            Self::Children(row, level) => {
                // All agree before this bit, so it is one of the nibble by which they are chosen.
                let mask = 0b1000_u8 >> (depth % 4);
                let at = row.partition_point(|cell| cell.item.nibble & mask == 0);
                let (zeros, ones) = row.split_at(at);
                (children(zeros, level), children(ones, level))
            }
        }
    }

    fn hash(self) -> Hash {
        match self {
            Self::Leaves(row) => row::hash(row),
            Self::Children(row, _) => row::hash(row),
        }
    }

    /// Its keys are shown to `visit`, ascending, for as long as that says so.
    fn each(self, visit: &mut dyn FnMut(&'a [Cell<MapLeaf>]) -> bool) -> bool {
        match self {
            Self::Leaves(row) => visit(row),
            Self::Children(row, level) => row.iter().all(|cell| {
                let below = Self::of(&cell.item.node, level.saturating_add(1));
                below.each(visit)
            }),
        }
    }

    /// Whether a page can list its keys. Looks at no more of them than it takes to know.
    fn is_small(self) -> bool {
        let mut count = 0_usize;
        self.each(&mut |row| {
            count = count.saturating_add(row.len());
            count <= MOST
        })
    }
}

fn leaves(row: &[Cell<MapLeaf>]) -> Option<Stretch<'_>> {
    (!row.is_empty()).then_some(Stretch::Leaves(row))
}

fn children(row: &[Cell<Child>], level: u8) -> Option<Stretch<'_>> {
    (!row.is_empty()).then_some(Stretch::Children(row, level))
}

/// What a page lists.
enum Cut {
    Leaves,
    Children,
}

/// What stands below a page: its place, and the keys there.
type Piece<'a> = (Prefix, Stretch<'a>);

impl StatusMap {
    /// Whether the map has a page of this name: cheap, and so for any caller.
    #[must_use]
    pub fn has(&self, name: &PageName) -> bool {
        let stretch = self.stretch(&name.prefix);
        match stretch.filter(|stretch| stretch.hash() == name.hash) {
            Some(stretch) => self.cut(&name.prefix, stretch).is_some(),
            None => self.top.is_none() && *name == PageName::top(&EMPTY_ROOT),
        }
    }

    /// Shows every leaf whose key begins so, keys ascending. Only that part of the map is looked
    /// at.
    pub fn each_below(&self, prefix: &Prefix, visit: &mut dyn FnMut(&MapLeaf)) {
        if let Some(stretch) = self.stretch(prefix) {
            stretch.each(&mut |row| {
                row.iter().for_each(|cell| visit(&cell.item));
                true
            });
        }
    }

    /// The page of a prefix; nothing where the map is not cut.
    ///
    /// # Errors
    /// None: what this map holds makes well-formed pages.
    pub fn page(&self, prefix: &Prefix) -> Result<Option<Page>, PageError> {
        let Some(stretch) = self.stretch(prefix) else {
            // Only the whole of the empty map is a page without keys.
            let empty = self.top.is_none() && *prefix == Prefix::TOP;
            let nothing = || Page::new(*prefix, Content::Leaves(Vec::new()));
            return empty.then(nothing).transpose();
        };
        let content = match self.cut(prefix, stretch) {
            None => return Ok(None),
            Some(Cut::Leaves) => Content::Leaves(listed(stretch)),
            Some(Cut::Children) => {
                let child = |(prefix, stretch): Piece<'_>| Below {
                    prefix,
                    hash: stretch.hash(),
                };
                Content::Children(pieces(prefix, stretch).into_iter().map(child).collect())
            }
        };
        Page::new(*prefix, content).map(Some)
    }

    /// What the page of a prefix lists, where there is one; `stretch` is what begins so.
    fn cut(&self, prefix: &Prefix, stretch: Stretch<'_>) -> Option<Cut> {
        // One bit up the keys are few enough for a page: it is cut there, or further up.
        let parent = prefix.parent().and_then(|above| self.stretch(&above));
        if parent.is_some_and(Stretch::is_small) {
            return None;
        }
        if stretch.is_small() {
            return Some(Cut::Leaves);
        }
        let whole = prefix.length().is_multiple_of(STEP);
        whole.then_some(Cut::Children)
    }

    /// What begins with a prefix.
    fn stretch(&self, prefix: &Prefix) -> Option<Stretch<'_>> {
        let (node, _) = self.top.as_ref()?;
        let mut stretch = Stretch::of(node, 0);
        let mut depth = 0_u8;
        while depth < prefix.length() {
            // A whole nibble at once, where a row is chosen by it.
            if let Stretch::Children(row, level) = stretch
                && row.len() > 1
                && depth == level.saturating_mul(4)
                && prefix.length() >= depth.saturating_add(4)
            {
                let wanted = nibble(prefix.bits(), level);
                let at = row.binary_search_by_key(&wanted, |cell| cell.item.nibble);
                let cell = row.get(at.ok()?)?;
                stretch = Stretch::of(&cell.item.node, level.saturating_add(1));
                depth = depth.saturating_add(4);
                continue;
            }
            let (zeros, ones) = stretch.split(depth);
            stretch = if bit(prefix.bits(), depth) {
                ones
            } else {
                zeros
            }?;
            depth = depth.saturating_add(1);
        }
        Some(stretch)
    }
}

fn listed(stretch: Stretch<'_>) -> Vec<PageLeaf> {
    let mut listed = Vec::new();
    stretch.each(&mut |row| {
        listed.extend(row.iter().map(|cell| PageLeaf {
            key: cell.item.key,
            record_hash: cell.item.record,
        }));
        true
    });
    listed
}

/// The subtrees that the page of `prefix` lists: the shortest prefixes with few enough keys for a
/// page, or as long as a page reaches.
fn pieces<'a>(prefix: &Prefix, stretch: Stretch<'a>) -> Vec<Piece<'a>> {
    let longest = prefix.length().saturating_add(STEP);
    let mut pieces = Vec::new();
    let mut open = halves(prefix, stretch);
    while let Some((prefix, stretch)) = open.pop() {
        if prefix.length() == longest || stretch.is_small() {
            pieces.push((prefix, stretch));
        } else {
            open.extend(halves(&prefix, stretch));
        }
    }
    pieces
}

/// Both sides of the next bit, as far as there are keys; the left one last.
fn halves<'a>(prefix: &Prefix, stretch: Stretch<'a>) -> Vec<Piece<'a>> {
    let (zeros, ones) = stretch.split(prefix.length());
    let sides = [(true, ones), (false, zeros)];
    let piece = |(one, side): (bool, Option<_>)| prefix.child(one).zip(side);
    sides.into_iter().filter_map(piece).collect()
}

#[cfg(test)]
mod tests;
