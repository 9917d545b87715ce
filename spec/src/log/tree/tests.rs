use std::env;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rs_merkle::{Hasher, MerkleTree};
use serde_json::Value;

use super::*;
use crate::log::vectors;

#[test]
fn inclusion_vectors() {
    vectors::run("tree-inclusion", |case| {
        let index = LeafIndex(vectors::number(case, "index"));
        let size = TreeSize(vectors::number(case, "size"));
        let (leaf, root) = (vectors::hash(case, "leaf")?, vectors::hash(case, "root")?);
        let proof = vectors::hashes(case, "proof")?;
        check_inclusion(index, size, &leaf, &proof, &root)
            .map(|()| Value::Bool(true))
            .map_err(|e| vectors::error(e.code()))
    });
}

#[test]
fn consistency_vectors() {
    vectors::run("tree-consistency", |case| {
        let old = TreeSize(vectors::number(case, "oldSize"));
        let new = TreeSize(vectors::number(case, "newSize"));
        let old_root = vectors::hash(case, "oldRoot")?;
        let new_root = vectors::hash(case, "newRoot")?;
        let proof = vectors::hashes(case, "proof")?;
        check_consistency(old, new, &old_root, &new_root, &proof)
            .map(|()| Value::Bool(true))
            .map_err(|e| vectors::error(e.code()))
    });
}

#[test]
fn hashes_are_rfc_6962s() {
    assert_eq!(
        empty_root().to_base64(),
        "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    );
    // Leaf hash of the empty entry, as in the RFC's reference test data.
    assert_eq!(
        leaf_hash(b"").to_base64(),
        "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0="
    );
    assert_ne!(
        node_hash(&leaf_hash(b"a"), &leaf_hash(b"b")),
        leaf_hash(b"ab")
    );
}

/// RFC 6962 hashing for `rs_merkle`, which knows nothing of leaf prefixes: leaves are handed to
/// it hashed, and it prefixes nodes. An odd last node is carried up unchanged, which makes the
/// same tree as splitting at the largest power of two.
#[derive(Clone)]
struct Rfc6962;

impl Hasher for Rfc6962 {
    type Hash = [u8; 32];

    fn hash(data: &[u8]) -> [u8; 32] {
        sha256(&[data]).0
    }

    fn concat_and_hash(left: &[u8; 32], right: Option<&[u8; 32]>) -> [u8; 32] {
        match right {
            None => *left,
            Some(right) => sha256(&[&[1], left, right]).0,
        }
    }
}

fn leaves(count: usize) -> Vec<Hash> {
    (0..count)
        .map(|i| leaf_hash(format!("entry {i}").as_bytes()))
        .collect()
}

fn tree_of(leaves: &[Hash]) -> MemoryTree {
    let mut tree = MemoryTree::new();
    for leaf in leaves {
        tree.push(*leaf).unwrap();
    }
    tree
}

/// Checks our root and proofs of one size against `rs_merkle`'s.
fn agree(ours: &MemoryTree, leaves: &[Hash], size: usize, indexes: &[usize]) {
    let theirs: MerkleTree<Rfc6962> =
        MerkleTree::from_leaves(&leaves[..size].iter().map(|h| h.0).collect::<Vec<_>>());
    let tree_size = TreeSize(size as u64);
    let root = ours.root_at(tree_size).unwrap();
    assert_eq!(Some(root.0), theirs.root(), "size {size}");
    for index in indexes {
        let proof = ours
            .prove_inclusion(LeafIndex(*index as u64), tree_size)
            .unwrap();
        let expected = theirs.proof(&[*index]);
        let bytes: Vec<[u8; 32]> = proof.iter().map(|h| h.0).collect();
        assert_eq!(bytes, expected.proof_hashes(), "index {index} of {size}");
        let leaf = leaves[*index];
        let at = LeafIndex(*index as u64);
        assert_eq!(check_inclusion(at, tree_size, &leaf, &proof, &root), Ok(()));
    }
}

#[test]
fn agrees_with_rs_merkle_at_every_size_to_2000() {
    let leaves = leaves(2_000);
    let ours = tree_of(&leaves);
    for size in 1..=2_000 {
        let indexes: Vec<usize> = match size {
            ..=96 => (0..size).collect(),
            _ => vec![0, 1, size / 3, size / 2, size - 2, size - 1],
        };
        agree(&ours, &leaves, size, &indexes);
    }
}

#[test]
fn agrees_with_rs_merkle_at_larger_sizes() {
    let mut random = ChaCha20Rng::seed_from_u64(6962);
    let leaves = leaves(70_000);
    let ours = tree_of(&leaves);
    for _ in 0..12 {
        let size = 2_001 + random.next_u32() as usize % 67_999;
        let indexes: Vec<usize> = (0..8).map(|_| random.next_u32() as usize % size).collect();
        agree(&ours, &leaves, size, &indexes);
    }
}

/// MTH, PATH and PROOF, word by word as RFC 6962 §2.1 to §2.1.2 defines them.
mod literal {
    use super::{Hash, empty_root, node_hash};

    fn split(n: usize) -> usize {
        let mut k = 1;
        while k * 2 < n {
            k *= 2;
        }
        k
    }

    pub(super) fn mth(d: &[Hash]) -> Hash {
        match d.len() {
            0 => empty_root(),
            1 => d[0],
            n => {
                let k = split(n);
                node_hash(&mth(&d[..k]), &mth(&d[k..]))
            }
        }
    }

    pub(super) fn path(m: usize, d: &[Hash]) -> Vec<Hash> {
        let n = d.len();
        if n == 1 {
            return Vec::new();
        }
        let k = split(n);
        let (mut proof, last) = if m < k {
            (path(m, &d[..k]), mth(&d[k..]))
        } else {
            (path(m - k, &d[k..]), mth(&d[..k]))
        };
        proof.push(last);
        proof
    }

    pub(super) fn proof(m: usize, d: &[Hash]) -> Vec<Hash> {
        subproof(m, d, true)
    }

    fn subproof(m: usize, d: &[Hash], whole: bool) -> Vec<Hash> {
        let n = d.len();
        if m == n {
            return if whole { Vec::new() } else { vec![mth(d)] };
        }
        let k = split(n);
        let (mut proof, last) = if m <= k {
            (subproof(m, &d[..k], whole), mth(&d[k..]))
        } else {
            (subproof(m - k, &d[k..], false), mth(&d[..k]))
        };
        proof.push(last);
        proof
    }
}

#[test]
fn agrees_with_the_rfc_word_by_word() {
    let leaves = leaves(80);
    let ours = tree_of(&leaves);
    for new in 1..=80_usize {
        let new_size = TreeSize(new as u64);
        let new_root = literal::mth(&leaves[..new]);
        assert_eq!(ours.root_at(new_size).unwrap(), new_root);
        for old in 1..=new {
            let old_size = TreeSize(old as u64);
            let proof = ours.prove_consistency(old_size, new_size).unwrap();
            assert_eq!(proof, literal::proof(old, &leaves[..new]), "{old} to {new}");
            let old_root = literal::mth(&leaves[..old]);
            assert_eq!(
                check_consistency(old_size, new_size, &old_root, &new_root, &proof),
                Ok(())
            );
            let at = LeafIndex((old - 1) as u64);
            let inclusion = ours.prove_inclusion(at, new_size).unwrap();
            assert_eq!(inclusion, literal::path(old - 1, &leaves[..new]));
        }
    }
}

#[test]
fn every_altered_proof_is_refused() {
    let leaves = leaves(40);
    let ours = tree_of(&leaves);
    let junk = leaf_hash(b"junk");
    for new in 2..=40_u64 {
        let size = TreeSize(new);
        let root = ours.root_at(size).unwrap();
        for old in 1..new {
            let old_root = ours.root_at(TreeSize(old)).unwrap();
            let proof = ours.prove_consistency(TreeSize(old), size).unwrap();
            for at in 0..proof.len() {
                let mut bad = proof.clone();
                bad[at] = junk;
                let result = check_consistency(TreeSize(old), size, &old_root, &root, &bad);
                let code = result.unwrap_err().code();
                assert!(code.ends_with("root_mismatch"), "{code}");
            }
            let longer: Vec<Hash> = proof.iter().copied().chain([junk]).collect();
            let result = check_consistency(TreeSize(old), size, &old_root, &root, &longer);
            assert_eq!(
                result,
                Err(TreeError::ProofLength {
                    expected: proof.len(),
                    actual: proof.len() + 1
                })
            );
            let result = check_consistency(TreeSize(old), size, &junk, &root, &proof);
            // A perfect old tree's root is the start of the computation, so it shows at the end.
            let expected = if old.is_power_of_two() {
                "root_mismatch"
            } else {
                "old_root_mismatch"
            };
            assert_eq!(result.unwrap_err().code(), expected);
            let result = check_consistency(TreeSize(old), size, &old_root, &junk, &proof);
            assert_eq!(result.unwrap_err().code(), "root_mismatch");
        }
    }
}

#[test]
fn numbers_out_of_range_are_refused() {
    let leaf = leaf_hash(b"a");
    let tree = tree_of(&[leaf]);
    let limit = TreeSize(SIZE_LIMIT);
    let at = |index, size| check_inclusion(LeafIndex(index), TreeSize(size), &leaf, &[], &leaf);
    assert_eq!(at(0, 1), Ok(()));
    assert_eq!(at(0, 0).unwrap_err().code(), "index_out_of_range");
    assert_eq!(at(1, 1).unwrap_err().code(), "index_out_of_range");
    assert_eq!(at(u64::MAX, u64::MAX).unwrap_err().code(), "size_limit");
    assert_eq!(
        at(u64::MAX, SIZE_LIMIT - 1).unwrap_err().code(),
        "index_out_of_range"
    );
    assert_eq!(
        root(limit, &tree),
        Err(TreeError::SizeLimit { size: limit }.into())
    );
    let refused = tree.prove_consistency(TreeSize(0), TreeSize(1));
    assert_eq!(refused, Err(TreeError::OldSizeZero.into()));
    let refused = tree.prove_consistency(TreeSize(1), TreeSize(0));
    let shrinks = TreeError::SizeShrinks {
        old: TreeSize(1),
        new: TreeSize(0),
    };
    assert_eq!(refused, Err(shrinks.into()));
    let missing = MissingNode(Node { level: 0, index: 1 });
    assert_eq!(
        tree.root_at(TreeSize(3)),
        Err(ProveError::Read(MissingNode(Node { level: 1, index: 0 })))
    );
    assert_eq!(
        tree.prove_inclusion(LeafIndex(0), TreeSize(2)),
        Err(ProveError::Read(missing))
    );
    assert_eq!(
        subtree_hash(1, 3, &tree).unwrap_err().to_string(),
        "index 1 is not in a tree of size 3"
    );
}

#[test]
fn short_reads_are_noticed() {
    struct Short;
    impl NodeReader for Short {
        type Error = std::convert::Infallible;
        fn read(&self, _: &[Node]) -> Result<Vec<Hash>, Self::Error> {
            Ok(Vec::new())
        }
    }
    let expected = ProveError::ShortRead {
        expected: 2,
        actual: 0,
    };
    assert_eq!(root(TreeSize(3), &Short), Err(expected));
}

#[test]
fn a_frontier_appends_and_comes_back() {
    let leaves = leaves(300);
    let tree = tree_of(&leaves);
    let mut frontier = Frontier::new();
    assert_eq!(frontier.root(), empty_root());
    for (count, leaf) in (1_u64..).zip(&leaves) {
        let completed = frontier.push(*leaf).unwrap();
        assert_eq!(
            completed.len(),
            1 + usize::try_from(count.trailing_zeros()).unwrap()
        );
        for each in completed {
            assert_eq!(tree.read(&[each.node]), Ok(vec![each.hash]));
        }
        assert_eq!(frontier.root(), tree.root_at(TreeSize(count)).unwrap());
        assert_eq!(
            tree.read(&peaks(TreeSize(count))).unwrap(),
            frontier.nodes()
        );
        let again = Frontier::from_nodes(TreeSize(count), frontier.nodes().to_vec()).unwrap();
        assert_eq!(again, frontier);
    }
    let wrong = Frontier::from_nodes(TreeSize(7), leaves[..2].to_vec());
    let expected = TreeError::NodeCount {
        size: TreeSize(7),
        expected: 3,
        actual: 2,
    };
    assert_eq!(wrong, Err(expected));
    let full = Frontier::from_nodes(TreeSize(SIZE_LIMIT - 1), leaves[..62].to_vec());
    let refused = full.unwrap().push(leaves[0]);
    assert_eq!(
        refused,
        Err(TreeError::SizeLimit {
            size: TreeSize(SIZE_LIMIT)
        })
    );
}

proptest! {
    #[test]
    fn random_input_never_panics(
        index: u64, size: u64, other: u64,
        proof in prop::collection::vec(any::<[u8; 32]>(), 0..70),
    ) {
        let proof: Vec<Hash> = proof.into_iter().map(Hash).collect();
        let leaf = leaf_hash(b"");
        let one = check_inclusion(LeafIndex(index), TreeSize(size), &leaf, &proof, &leaf);
        prop_assert!(one.is_err());
        let two = check_consistency(TreeSize(size), TreeSize(other), &leaf, &empty_root(), &proof);
        prop_assert!(two.is_err());
    }
}

/// Runs the `inclusion` and `consistency` folders of transparency-dev/merkle's `testdata`, given
/// by the environment variable.
#[test]
#[ignore = "needs ZHAO_MERKLE_VECTORS"]
#[expect(
    clippy::disallowed_methods,
    reason = "the folder is outside the repository"
)]
fn foreign_vectors() {
    let folder = env::var("ZHAO_MERKLE_VECTORS").expect("ZHAO_MERKLE_VECTORS is set");
    let mut files = Vec::new();
    for kind in ["inclusion", "consistency"] {
        list(&Path::new(&folder).join(kind), &mut files);
    }
    let mut valid = 0;
    for file in &files {
        let case: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        let want = !case["wantErr"].as_bool().unwrap();
        let proof: Option<Vec<Hash>> = case["proof"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default()
            .iter()
            .map(|hash| Hash::from_base64(hash.as_str()?).ok())
            .collect();
        let hash = |name: &str| Hash::from_base64(case[name].as_str()?).ok();
        let number = |name: &str| case[name].as_u64();
        let accepted = if case["leafIdx"].is_null() {
            (|| {
                let (old, new) = (TreeSize(number("size1")?), TreeSize(number("size2")?));
                check_consistency(old, new, &hash("root1")?, &hash("root2")?, &proof?).ok()
            })()
        } else {
            (|| {
                let (index, size) = (LeafIndex(number("leafIdx")?), TreeSize(number("treeSize")?));
                check_inclusion(index, size, &hash("leafHash")?, &proof?, &hash("root")?).ok()
            })()
        };
        // Its hashes are of any length; ours are 32 bytes, so one valid case of theirs is none.
        let odd_length = case["root1"].as_str().is_some_and(|root| root.len() != 44);
        assert_eq!(accepted.is_some(), want && !odd_length, "{file:?}");
        valid += u32::from(accepted.is_some());
    }
    assert!(
        files.len() > 100 && valid >= 10,
        "{} files, {valid} valid",
        files.len()
    );
}

fn list(folder: &Path, into: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            list(&path, into);
        } else {
            into.push(path);
        }
    }
}
