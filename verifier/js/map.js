// The status map: a path-compressed sparse Merkle tree over 256-bit keys. A path proves the record
// at a key, or that the key has none.

import { Refusal, ensure } from './errors.js';
import { equal, fromBase64Url, fromBase64UrlMax, utf8 } from './binary.js';
import { sha256 } from './hash.js';
import { MAP_PATH } from './limits.js';
import { bytesAtMost, hash, list, object, optional } from './shape.js';

const LEAF = new Uint8Array([2]);
const NODE = new Uint8Array([3]);
const DEPTHS = MAP_PATH;

/** Refuses a value that is not a path. Whether it proves anything is checked elsewhere. */
export const checkPath = object({
  depths: bytesAtMost(DEPTHS),
  hashes: list(hash, 0, DEPTHS),
  terminal: optional(object({ key: hash, recordHash: hash })),
});

/** Root of a map without keys. */
const emptyMapRoot = () => sha256(utf8('zhao/v1 empty map'));

const bitAt = (key, depth) => (key[depth >> 3] >> (7 - (depth & 7))) & 1;

function mapLeaf(key, recordHash) {
  return sha256(LEAF, key, recordHash);
}

function mapNode(depth, left, right) {
  return sha256(NODE, new Uint8Array([depth]), left, right);
}

// Depths and hashes of a path, root first, refused unless the depths strictly increase.
function stepsOf(path) {
  const depths = fromBase64UrlMax(path.depths, DEPTHS);
  ensure(depths.length === path.hashes.length, 'length_mismatch', `${depths.length} depths`);
  for (let i = 1; i < depths.length; i++) ensure(depths[i - 1] < depths[i], 'depths_not_increasing');
  return path.hashes.map((text, i) => ({ depth: depths[i], sibling: fromBase64Url(text, 32) }));
}

async function climb(key, leaf, steps) {
  let node = leaf;
  for (const { depth, sibling } of [...steps].reverse()) {
    node = bitAt(key, depth) === 0 ? await mapNode(depth, node, sibling) : await mapNode(depth, sibling, node);
  }
  return node;
}

/** The root that `path` gives for a record hash at `key`. */
export async function pathRoot(path, key, recordHash) {
  return climb(key, await mapLeaf(key, recordHash), stepsOf(path));
}

/** Refuses unless `path` places a record hash at `key` under `root`. */
export async function checkPresent(path, key, recordHash, root) {
  const found = await pathRoot(path, key, recordHash);
  ensure(path.terminal === undefined, 'terminal_unexpected');
  ensure(equal(found, root), 'root_mismatch');
}

/** Refuses unless `path` proves that `key` has no record under `root`. */
export async function checkAbsent(path, key, root) {
  const steps = stepsOf(path);
  if (path.terminal === undefined) {
    ensure(steps.length === 0, 'terminal_missing');
    ensure(equal(root, await emptyMapRoot()), 'root_mismatch');
    return;
  }
  const other = fromBase64Url(path.terminal.key, 32);
  ensure(!equal(other, key), 'terminal_is_key');
  const agrees = steps.every(({ depth }) => bitAt(key, depth) === bitAt(other, depth));
  ensure(agrees, 'terminal_disagrees');
  const leaf = await mapLeaf(other, fromBase64Url(path.terminal.recordHash, 32));
  ensure(equal(await climb(other, leaf, steps), root), 'root_mismatch');
}

async function holds(work) {
  try {
    await work;
    return true;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

export const placed = (path, key, recordHash, root) => holds(checkPresent(path, key, recordHash, root));

export const absent = (path, key, root) => holds(checkAbsent(path, key, root));
