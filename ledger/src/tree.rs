//! The log's tree on disk: one growing value per tile.
//!
//! A tile's value only ever gets longer, so every earlier partial width is a prefix of it and every
//! historic size stays provable. A node inside a tile is recomputed from its slots.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use zhao_spec::log::tile::{Kind, NodePlace, TILE_WIDTH, Tile};
use zhao_spec::log::tree::{Frontier, Node, NodeReader, ProveError, TreeSize, peaks};
use zhao_spec::wire::Hash;

use crate::store::layout::{self, LayoutError, Tiles};
use crate::store::{self, Read, StoreError, Table, WriteBatch};

/// Bytes of a hash.
const HASH: usize = 32;

/// Tiles by level and index.
pub type TileMap = BTreeMap<(u8, u64), Vec<u8>>;

/// Node hashes from stored tiles, some of them replaced by ones not yet written.
#[derive(Clone, Copy)]
pub struct StoredTree<'a> {
    store: &'a dyn Read,
    staged: Option<&'a TileMap>,
}

impl std::fmt::Debug for StoredTree<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredTree")
            .field("staged", &self.staged.is_some())
            .finish_non_exhaustive()
    }
}

impl<'a> StoredTree<'a> {
    /// The tree as stored.
    #[must_use]
    pub fn new(store: &'a dyn Read) -> Self {
        Self {
            store,
            staged: None,
        }
    }

    /// The tree as it will be when `staged` is written.
    #[must_use]
    pub fn with(store: &'a dyn Read, staged: &'a TileMap) -> Self {
        Self {
            store,
            staged: Some(staged),
        }
    }

    fn tile(&self, at: (u8, u64)) -> Result<Vec<u8>, StoreError> {
        match self.staged.and_then(|staged| staged.get(&at)) {
            Some(bytes) => Ok(bytes.clone()),
            None => store::require::<Tiles>(self.store, &at),
        }
    }
}

impl NodeReader for StoredTree<'_> {
    type Error = StoreError;

    fn read(&self, nodes: &[Node]) -> Result<Vec<Hash>, StoreError> {
        // Neighbouring nodes share tiles, and a proof asks for a few dozen at most.
        let mut seen = TileMap::new();
        let mut hashes = Vec::with_capacity(nodes.len());
        for node in nodes {
            let at = place(*node)?;
            let bytes = match seen.entry(at) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(place) => place.insert(self.tile(at)?),
            };
            hashes.push(node_in(at, bytes, *node)?);
        }
        Ok(hashes)
    }
}

/// A stored tree whose tiles and nodes are kept once they were read: for many proofs of leaves that
/// are close to each other, at one time.
pub(crate) struct KeptTree<'a> {
    tree: StoredTree<'a>,
    tiles: RefCell<TileMap>,
    nodes: RefCell<BTreeMap<Node, Hash>>,
}

impl<'a> KeptTree<'a> {
    /// The tree as stored.
    pub(crate) fn new(store: &'a dyn Read) -> Self {
        Self {
            tree: StoredTree::new(store),
            tiles: RefCell::default(),
            nodes: RefCell::default(),
        }
    }
}

impl NodeReader for KeptTree<'_> {
    type Error = StoreError;

    fn read(&self, nodes: &[Node]) -> Result<Vec<Hash>, StoreError> {
        let (mut known, mut tiles) = (self.nodes.borrow_mut(), self.tiles.borrow_mut());
        let mut hashes = Vec::with_capacity(nodes.len());
        for node in nodes {
            let hash = match known.entry(*node) {
                Entry::Occupied(hash) => *hash.get(),
                Entry::Vacant(free) => {
                    let at = place(*node)?;
                    let bytes = match tiles.entry(at) {
                        Entry::Occupied(tile) => tile.into_mut(),
                        Entry::Vacant(place) => place.insert(self.tree.tile(at)?),
                    };
                    *free.insert(node_in(at, bytes, *node)?)
                }
            };
            hashes.push(hash);
        }
        Ok(hashes)
    }
}

fn place(node: Node) -> Result<(u8, u64), StoreError> {
    let place = NodePlace::of(node)
        .ok_or_else(|| StoreError::Engine(format!("no tree has node {node:?}")))?;
    Ok((place.level, place.index))
}

fn node_in(at: (u8, u64), bytes: &[u8], node: Node) -> Result<Hash, StoreError> {
    let width = u16::try_from(bytes.len() / HASH).unwrap_or(u16::MAX);
    let tile = Tile {
        kind: Kind::Hashes(at.0),
        index: at.1,
        width,
    };
    tile.node_hash(bytes, node)
        .map_err(|e| bad_tile(at, e.to_string()))
}

/// A tile that is not what it must be.
pub(crate) fn bad_tile(at: (u8, u64), problem: String) -> StoreError {
    StoreError::Corrupt {
        family: "tiles",
        key: layout::show(&Tiles::encode_key(&at)),
        problem: LayoutError::Value(problem),
    }
}

/// The frontier of the stored tree of `size`.
///
/// # Errors
/// The store's.
pub fn frontier(store: &dyn Read, size: TreeSize) -> Result<Frontier, StoreError> {
    let nodes = StoredTree::new(store).read(&peaks(size))?;
    Frontier::from_nodes(size, nodes).map_err(|e| StoreError::Engine(e.to_string()))
}

/// Appends leaf hashes: the frontier grows in place, and the tiles that change are returned whole.
///
/// # Errors
/// The store's; [`StoreError::Corrupt`] when a stored tile is not as long as the tree says.
pub fn append(
    store: &dyn Read,
    frontier: &mut Frontier,
    leaves: &[Hash],
) -> Result<TileMap, StoreError> {
    let mut tiles = TileMap::new();
    for leaf in leaves {
        let completed = frontier
            .push(*leaf)
            .map_err(|e| StoreError::Engine(e.to_string()))?;
        // Only every eighth level is stored: those are the nodes that fill exactly one slot.
        for done in completed.iter().filter(|done| done.node.level % 8 == 0) {
            let at = place(done.node)?;
            let slot = usize::try_from(done.node.index % u64::from(TILE_WIDTH)).expect("below 256");
            let bytes = match tiles.entry(at) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(place) if slot == 0 => place.insert(Vec::new()),
                Entry::Vacant(place) => place.insert(store::require::<Tiles>(store, &at)?),
            };
            if bytes.len() != slot * HASH {
                let problem = format!("{} bytes where {} are needed", bytes.len(), slot * HASH);
                return Err(bad_tile(at, problem));
            }
            bytes.extend_from_slice(&done.hash.0);
        }
    }
    Ok(tiles)
}

/// Adds tiles to a batch.
pub fn stage(batch: &mut WriteBatch, tiles: &TileMap) {
    for (at, bytes) in tiles {
        batch.put::<Tiles>(at, bytes);
    }
}

/// Flattens a proof error: a store's stays itself, the rest are bugs worded by the tree.
pub(crate) fn flatten(error: ProveError<StoreError>) -> StoreError {
    match error {
        ProveError::Read(error) => error,
        other => StoreError::Engine(other.to_string()),
    }
}
