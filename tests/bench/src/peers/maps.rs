//! Peers for the map: jmt over RocksDB, nomt on its own files, sparse-merkle-tree in memory.
//!
//! Each synced batch of theirs is as durable as ours. In their favour: jmt's list of replaced nodes
//! is not written, so nothing of it can ever be pruned; nomt keeps its default caches and its
//! default hash.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use borsh::BorshDeserialize as _;
use jmt::storage::{LeafNode, Node, NodeKey, TreeReader};
use jmt::{JellyfishMerkleTree, KeyHash, OwnedValue, Sha256Jmt, Version};
use nomt::hasher::Blake3Hasher;
use nomt::{IoUringPermission, KeyReadWrite, Nomt, SessionParams};
use rocksdb::{BlockBasedOptions, Cache, DB, Options, WriteBatch, WriteOptions};
use sparse_merkle_tree::default_store::DefaultStore;
use sparse_merkle_tree::traits::Hasher;
use sparse_merkle_tree::{H256, SparseMerkleTree};
use zhao_spec::wire::{Hash, sha256};

/// A map under measurement.
pub(crate) trait UpdateMap {
    /// Puts records' hashes at keys, ascending, each once. When it returns, they survive a power
    /// cut, if the map is a durable one.
    fn update(&mut self, writes: &[(Hash, Hash)]) -> Result<()>;

    /// Bytes of the proof of a key that is there.
    fn proof_bytes(&mut self, key: &Hash) -> Result<usize>;
}

/// jmt 0.12 over a RocksDB with 256 MiB of cache.
pub(crate) struct Jmt {
    store: JmtStore,
    version: Version,
}

struct JmtStore(DB);

/// The two kinds of entry of one keyspace.
const NODE: u8 = b'n';
const VALUE: u8 = b'v';
const CACHE_BYTES: usize = 256 << 20;

impl Jmt {
    /// An empty map.
    pub(crate) fn create(folder: &Path) -> Result<Self> {
        let mut options = Options::default();
        options.create_if_missing(true);
        let mut blocks = BlockBasedOptions::default();
        blocks.set_block_cache(&Cache::new_lru_cache(CACHE_BYTES));
        blocks.set_bloom_filter(10.0, false);
        options.set_block_based_table_factory(&blocks);
        let store = JmtStore(DB::open(&options, folder)?);
        Ok(Self { store, version: 0 })
    }
}

fn node_key(key: &NodeKey) -> Result<Vec<u8>> {
    let mut bytes = vec![NODE];
    borsh::to_writer(&mut bytes, key)?;
    Ok(bytes)
}

fn value_key(key: &KeyHash, version: Version) -> Vec<u8> {
    [[VALUE].as_slice(), &key.0, &version.to_be_bytes()].concat()
}

impl TreeReader for JmtStore {
    fn get_node_option(&self, key: &NodeKey) -> Result<Option<Node>> {
        let bytes = self.0.get_pinned(node_key(key)?)?;
        Ok(bytes
            .map(|bytes| Node::try_from_slice(&bytes))
            .transpose()?)
    }

    fn get_value_option(&self, most: Version, key: KeyHash) -> Result<Option<OwnedValue>> {
        let mut entries = self.0.raw_iterator();
        entries.seek_for_prev(value_key(&key, most));
        let found = entries.item();
        let own = found.filter(|(at, _)| at.get(1..33) == Some(&key.0) && at[0] == VALUE);
        Ok(own.map(|(_, value)| value.to_vec()))
    }

    fn get_rightmost_leaf(&self) -> Result<Option<(NodeKey, LeafNode)>> {
        bail!("only restoring asks for it")
    }
}

impl UpdateMap for Jmt {
    fn update(&mut self, writes: &[(Hash, Hash)]) -> Result<()> {
        let tree = Sha256Jmt::new(&self.store);
        let values = writes
            .iter()
            .map(|(key, value)| (KeyHash(key.0), Some(value.0.to_vec())));
        let next = self.version + 1;
        let (_, update) = tree.put_value_set(values, next)?;
        let mut batch = WriteBatch::default();
        for (key, node) in update.node_batch.nodes() {
            batch.put(node_key(key)?, borsh::to_vec(node)?);
        }
        for ((version, key), value) in update.node_batch.values() {
            batch.put(
                value_key(key, *version),
                value.as_deref().unwrap_or_default(),
            );
        }
        let mut synced = WriteOptions::default();
        synced.set_sync(true);
        self.store.0.write_opt(batch, &synced)?;
        self.version = next;
        Ok(())
    }

    fn proof_bytes(&mut self, key: &Hash) -> Result<usize> {
        let tree: JellyfishMerkleTree<'_, _, sha2_10::Sha256> =
            JellyfishMerkleTree::new(&self.store);
        let (value, proof) = tree.get_with_proof(KeyHash(key.0), self.version)?;
        value.context("the key is there")?;
        Ok(borsh::to_vec(&proof)?.len())
    }
}

/// nomt 1.0: its defaults, but two commit workers and room for the keys.
pub(crate) struct OwnFiles(Nomt<Blake3Hasher>);

/// Pages of nomt's hash table: 1 GiB on disk, allocated at once.
const BUCKETS: u32 = 256_000;
const SEED: [u8; 16] = [7; 16];

impl OwnFiles {
    /// An empty map, or why it cannot be had here.
    pub(crate) fn create(folder: &Path) -> Result<Self> {
        match nomt::check_iou_permissions() {
            IoUringPermission::Allowed => {}
            IoUringPermission::Denied => bail!("this machine does not allow io_uring"),
            IoUringPermission::NotSupported => {
                bail!("this kernel has no io_uring as nomt needs it")
            }
        }
        let mut options = nomt::Options::new();
        options.path(folder);
        options.commit_concurrency(2);
        options.hashtable_buckets(BUCKETS);
        options.bitbox_seed(SEED);
        Ok(Self(Nomt::open(options)?))
    }
}

impl UpdateMap for OwnFiles {
    fn update(&mut self, writes: &[(Hash, Hash)]) -> Result<()> {
        let session = self.0.begin_session(SessionParams::default());
        let writes = writes.iter();
        let actuals = writes.map(|(key, value)| {
            let value = KeyReadWrite::Write(Some(value.0.to_vec()));
            (key.0, value)
        });
        session.finish(actuals.collect())?.commit(&self.0)
    }

    fn proof_bytes(&mut self, key: &Hash) -> Result<usize> {
        let session = self.0.begin_session(SessionParams::default());
        let proof = session.prove(key.0)?;
        proof
            .terminal
            .as_leaf_option()
            .context("the key is there")?;
        // Siblings, and the leaf: the value's hash, of which a reader knows the value.
        Ok(proof.siblings.len() * 32 + 32)
    }
}

/// sparse-merkle-tree 0.6 in memory, with SHA-256.
#[derive(Default)]
pub(crate) struct InMemory(SparseMerkleTree<Sha, H256, DefaultStore<H256>>);

/// SHA-256 for a crate that brings none.
#[derive(Default)]
pub(crate) struct Sha(Vec<u8>);

impl Hasher for Sha {
    fn write_h256(&mut self, h: &H256) {
        self.0.extend_from_slice(h.as_slice());
    }

    fn write_byte(&mut self, b: u8) {
        self.0.push(b);
    }

    fn finish(self) -> H256 {
        H256::from(sha256(&[&self.0]).0)
    }
}

impl UpdateMap for InMemory {
    fn update(&mut self, writes: &[(Hash, Hash)]) -> Result<()> {
        let writes = writes.iter();
        let leaves = writes.map(|(key, value)| (H256::from(key.0), H256::from(value.0)));
        self.0.update_all(leaves.collect())?;
        Ok(())
    }

    fn proof_bytes(&mut self, key: &Hash) -> Result<usize> {
        let key = H256::from(key.0);
        let proof = self.0.merkle_proof(vec![key])?;
        Ok(proof.compile(vec![key])?.0.len())
    }
}
