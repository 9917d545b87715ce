//! Peers for appending to a log: tlog_tiles, ct-merkle, rs_merkle, all in memory.

use anyhow::{Result, ensure};
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use rs_merkle::MerkleTree;
use rs_merkle::algorithms::Sha256 as RsSha256;
use sha2::Sha256;
use tlog_tiles::tlog::{self, HashReader};

/// A log under measurement: it takes leaves and then says its root.
pub(crate) trait AppendLog {
    /// Appends leaves and computes the root.
    fn append(&mut self, leaves: &[Vec<u8>]) -> Result<[u8; 32]>;
}

/// All stored hashes in a vector, as the crate numbers them.
#[derive(Default)]
pub(crate) struct Tiles {
    size: u64,
    hashes: Stored,
}

#[derive(Default)]
struct Stored(Vec<tlog::Hash>);

impl HashReader for Stored {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog::Hash>, tlog::Error> {
        let at = |index: &u64| {
            let index = usize::try_from(*index).map_err(|_| tlog::Error::IndexesNotInTree)?;
            let hash = self.0.get(index).copied();
            hash.ok_or(tlog::Error::IndexesNotInTree)
        };
        indexes.iter().map(at).collect()
    }
}

impl AppendLog for Tiles {
    fn append(&mut self, leaves: &[Vec<u8>]) -> Result<[u8; 32]> {
        for leaf in leaves {
            let new = tlog::stored_hashes(self.size, leaf, &self.hashes)?;
            self.hashes.0.extend(new);
            self.size += 1;
        }
        Ok(tlog::tree_hash(self.size, &self.hashes)?.0)
    }
}

/// ct-merkle's tree, which keeps leaves and all nodes.
#[derive(Default)]
pub(crate) struct CtMerkle(MemoryBackedTree<Sha256, Vec<u8>>);

impl AppendLog for CtMerkle {
    fn append(&mut self, leaves: &[Vec<u8>]) -> Result<[u8; 32]> {
        for leaf in leaves {
            self.0.push(leaf.clone());
        }
        let root = self.0.root();
        let bytes = <[u8; 32]>::try_from(root.as_bytes().as_slice());
        ensure!(bytes.is_ok(), "a root of 32 bytes");
        Ok(bytes.unwrap_or_default())
    }
}

/// rs_merkle's tree, which commits layer by layer. Its node hash has no prefix.
#[derive(Default)]
pub(crate) struct RsMerkle(MerkleTree<RsSha256>);

impl AppendLog for RsMerkle {
    fn append(&mut self, leaves: &[Vec<u8>]) -> Result<[u8; 32]> {
        let mut hashes = leaves
            .iter()
            .map(|leaf| zhao_spec::log::tree::leaf_hash(leaf).0)
            .collect();
        self.0.append(&mut hashes).commit();
        Ok(self.0.root().unwrap_or_default())
    }
}
