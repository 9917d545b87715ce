// RFC 6962 / RFC 9162 Merkle tree: hashes, inclusion and consistency. Indexes and sizes are BigInt,
// because a tree may be larger than what a double counts exactly.

import { Refusal, ensure } from './errors.js';
import { equal, fromBase64 } from './binary.js';
import { sha256 } from './hash.js';
import { TREE_SIZE } from './limits.js';

const LEAF = new Uint8Array([0]);
const NODE = new Uint8Array([1]);

export function leafHash(bytes) {
  return sha256(LEAF, bytes);
}

function nodeHash(left, right) {
  return sha256(NODE, left, right);
}

/** Root of a log without entries: SHA-256 of nothing. */
export const EMPTY_ROOT = fromBase64('47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=');

const odd = (n) => (n & 1n) === 1n;

function checkSize(size) {
  ensure(size <= TREE_SIZE, 'size_limit', `${size} leaves`);
}

// The two halves of a proof walk: `fn` and `sn` climb together, as RFC 9162 §2.1.3.2 has it.
function climb(position) {
  let { fn, sn } = position;
  if (odd(fn) || fn === sn) {
    while (!odd(fn) && fn !== 0n) {
      fn >>= 1n;
      sn >>= 1n;
    }
  }
  return { fn: fn >> 1n, sn: sn >> 1n };
}

const siblingIsLeft = ({ fn, sn }) => odd(fn) || fn === sn;

/** The root to which the proof leads from the leaf hash at `index` of `size` leaves. */
export async function inclusionRoot(leaf, index, size, proof) {
  checkSize(size);
  ensure(index >= 0n && index < size, 'index_out_of_range', `${index} of ${size}`);
  let position = { fn: index, sn: size - 1n };
  let hash = leaf;
  for (const sibling of proof) {
    ensure(position.sn !== 0n, 'proof_length', 'too long');
    hash = siblingIsLeft(position) ? await nodeHash(sibling, hash) : await nodeHash(hash, sibling);
    position = climb(position);
  }
  ensure(position.sn === 0n, 'proof_length', 'too short');
  return hash;
}

/** Refuses a proof that does not lead from the leaf hash at `index` to the root of `size` leaves. */
export async function checkInclusion(leaf, index, size, proof, root) {
  ensure(equal(await inclusionRoot(leaf, index, size, proof), root), 'root_mismatch');
}

/** Root of the tree whose last leaf has this proof: each of its siblings stands to the left. */
export async function lastLeafRoot(leaf, proof) {
  let hash = leaf;
  for (const sibling of proof) hash = await nodeHash(sibling, hash);
  return hash;
}

export async function verifyInclusion(leaf, index, size, proof, root) {
  try {
    await checkInclusion(leaf, BigInt(index), BigInt(size), proof, root);
    return true;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

/** Refuses a proof that the tree of `newSize` leaves does not begin with that of `oldSize`. */
export async function checkConsistency(oldSize, oldRoot, newSize, newRoot, proof) {
  checkSize(oldSize);
  checkSize(newSize);
  ensure(oldSize > 0n, 'old_size_zero');
  ensure(oldSize <= newSize, 'size_shrinks', `${oldSize} to ${newSize}`);
  if (oldSize === newSize) {
    ensure(proof.length === 0, 'proof_length', 'too long');
    ensure(equal(oldRoot, newRoot), 'root_mismatch');
    return;
  }
  let position = { fn: oldSize - 1n, sn: newSize - 1n };
  while (odd(position.fn)) position = { fn: position.fn >> 1n, sn: position.sn >> 1n };
  // an old tree that is one whole subtree is its own first node
  const path = position.fn === 0n ? [oldRoot, ...proof] : proof;
  ensure(path.length > 0, 'proof_length', 'too short');
  let [oldHash] = path;
  let newHash = oldHash;
  for (const sibling of path.slice(1)) {
    ensure(position.sn !== 0n, 'proof_length', 'too long');
    if (siblingIsLeft(position)) {
      oldHash = await nodeHash(sibling, oldHash);
      newHash = await nodeHash(sibling, newHash);
    } else {
      newHash = await nodeHash(newHash, sibling);
    }
    position = climb(position);
  }
  ensure(position.sn === 0n, 'proof_length', 'too short');
  ensure(equal(oldHash, oldRoot), 'old_root_mismatch');
  ensure(equal(newHash, newRoot), 'root_mismatch');
}
