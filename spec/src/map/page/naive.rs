//! The definition of where a map is cut, word by word: slow, and the measure of everything faster.

use std::collections::BTreeMap;

use super::{Child, Content, Page, PageError, PageLeaf, Prefix, STEP};
use crate::map::naive_root;
use crate::wire::hash::Hash;
use crate::wire::limits;

/// Every page of the map that holds exactly `entries` (key to record hash), a page after those
/// below it.
///
/// # Errors
/// None: these pages are well-formed.
pub fn naive_pages(entries: &BTreeMap<Hash, Hash>) -> Result<Vec<Page>, PageError> {
    let mut pages = Vec::new();
    add(Prefix::TOP, entries, &mut pages)?;
    Ok(pages)
}

fn add(
    prefix: Prefix,
    entries: &BTreeMap<Hash, Hash>,
    pages: &mut Vec<Page>,
) -> Result<(), PageError> {
    let content = if entries.len() <= limits::MAP_PAGE_LEAVES {
        let leaf = |(key, record_hash): (&Hash, &Hash)| PageLeaf {
            key: *key,
            record_hash: *record_hash,
        };
        Content::Leaves(entries.iter().map(leaf).collect())
    } else {
        let mut children = Vec::new();
        let longest = prefix.length().saturating_add(STEP);
        // The shortest prefixes that are not too many, or as long as a page reaches; left first.
        let mut open = vec![prefix.child(true), prefix.child(false)];
        while let Some(below) = open.pop().flatten() {
            let inside = entries.iter().filter(|(key, _)| below.holds(key));
            let inside: BTreeMap<Hash, Hash> = inside.map(|(key, hash)| (*key, *hash)).collect();
            if inside.len() > limits::MAP_PAGE_LEAVES && below.length() < longest {
                open.extend([below.child(true), below.child(false)]);
            } else if !inside.is_empty() {
                children.push(Child {
                    prefix: below,
                    hash: naive_root(&inside),
                });
                add(below, &inside, pages)?;
            }
        }
        Content::Children(children)
    };
    pages.push(Page::new(prefix, content)?);
    Ok(())
}
