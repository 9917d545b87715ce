// A small ledger for tests: keys, events, log, map, checkpoint. Independent of the code under test
// where a shared mistake could hide one (roots are computed recursively, not by climbing).

import { concat, fromBase64Url, fromHex, toBase58, toBase64, toBase64Url, toHex, utf8 } from '../binary.js';
import { canonical, without } from '../json.js';
import { sha256 } from '../hash.js';

const PKCS8 = fromHex('302e020100300506032b657004220420');

export const toMultibase = (raw) => `z${toBase58(concat(new Uint8Array([0xed, 1]), raw))}`;

export const thumbprintOf = async (raw) => toBase64Url(await sha256(raw));

/** A key pair from a one-byte seed. */
export async function keyPair(seed) {
  const secret = concat(PKCS8, new Uint8Array(32).fill(seed));
  const signer = await crypto.subtle.importKey('pkcs8', secret, { name: 'Ed25519' }, true, ['sign']);
  const { x } = await crypto.subtle.exportKey('jwk', signer);
  const raw = fromBase64Url(x, 32);
  const text = toMultibase(raw);
  const sign = async (message) => new Uint8Array(await crypto.subtle.sign({ name: 'Ed25519' }, signer, message));
  return { raw, text, sign };
}

export async function vkey(name, type, key) {
  const id = (await sha256(utf8(name), new Uint8Array([10, type]), key.raw)).subarray(0, 4);
  return { id, text: `${name}+${toHex(id)}+${toBase64(concat(new Uint8Array([type]), key.raw))}` };
}

/** Signs an event with each key, in key order. */
export async function signEvent(event, keys) {
  const message = concat(utf8('zhao/v1 event\n'), canonical(without(event, 'signatures')));
  const signatures = [];
  for (const key of [...keys].sort((a, b) => (a.text < b.text ? -1 : 1))) {
    signatures.push({ key: key.text, signature: toBase64Url(await key.sign(message)) });
  }
  return { ...event, signatures };
}

const split = (n) => {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
};

/** The log: leaf values, root and inclusion proofs by the recursive definition of RFC 6962. */
export class Log {
  constructor() {
    this.hashes = [];
  }

  async append(value) {
    const hash = await sha256(new Uint8Array([0]), canonical(value));
    this.hashes.push(hash);
    return { index: this.hashes.length - 1, hash: toBase64Url(hash) };
  }

  async root(hashes = this.hashes) {
    if (hashes.length === 1) return hashes[0];
    const k = split(hashes.length);
    return sha256(new Uint8Array([1]), await this.root(hashes.slice(0, k)), await this.root(hashes.slice(k)));
  }

  async proof(index, hashes = this.hashes) {
    if (hashes.length === 1) return [];
    const k = split(hashes.length);
    return index < k
      ? [...(await this.proof(index, hashes.slice(0, k))), await this.root(hashes.slice(k))]
      : [...(await this.proof(index - k, hashes.slice(k))), await this.root(hashes.slice(0, k))];
  }
}

const bit = (key, depth) => (key[depth >> 3] >> (7 - (depth & 7))) & 1;

/** The map: record hashes by key, root and paths by recursion over key sets. */
export class StatusMap {
  constructor() {
    this.hashes = new Map();
  }

  setHash(key, recordHash) {
    this.hashes.set(toBase64Url(key), recordHash);
  }

  async set(key, record) {
    this.setHash(key, await sha256(canonical(record)));
  }

  entries() {
    return [...this.hashes].map(([text, recordHash]) => ({ key: fromBase64Url(text, 32), recordHash }));
  }

  // Depth on which a set of two or more keys branches.
  static branch(entries) {
    for (let depth = 0; ; depth++) {
      const first = bit(entries[0].key, depth);
      if (entries.some(({ key }) => bit(key, depth) !== first)) return depth;
    }
  }

  async root(entries = this.entries()) {
    if (entries.length === 0) return sha256(utf8('zhao/v1 empty map'));
    if (entries.length === 1) return sha256(new Uint8Array([2]), entries[0].key, entries[0].recordHash);
    const depth = StatusMap.branch(entries);
    const side = (b) => this.root(entries.filter(({ key }) => bit(key, depth) === b));
    return sha256(new Uint8Array([3, depth]), await side(0), await side(1));
  }

  async walk(wanted, entries = this.entries()) {
    if (entries.length === 1) return { depths: [], hashes: [], end: entries[0] };
    const depth = StatusMap.branch(entries);
    const side = bit(wanted, depth);
    const sibling = await this.root(entries.filter(({ key }) => bit(key, depth) !== side));
    const below = await this.walk(wanted, entries.filter(({ key }) => bit(key, depth) === side));
    return { depths: [depth, ...below.depths], hashes: [toBase64Url(sibling), ...below.hashes], end: below.end };
  }

  /** Path of a key, of presence or absence as it is. A key may leave the branches before their depth. */
  async path(key) {
    if (this.hashes.size === 0) return { depths: '', hashes: [] };
    const { depths, hashes, end } = await this.walk(key);
    const path = { depths: toBase64Url(Uint8Array.from(depths)), hashes };
    if (toBase64Url(end.key) === toBase64Url(key)) return path;
    // the key agrees with the end on the branches before the first bit they differ in
    let differ = 0;
    while (bit(key, differ) === bit(end.key, differ)) differ++;
    const kept = depths.filter((depth) => depth < differ).length;
    if (kept !== depths.length) throw new Error('absence above a branch: choose another key');
    return { ...path, terminal: { key: toBase64Url(end.key), recordHash: toBase64Url(end.recordHash) } };
  }
}

/** A checkpoint note with the log's and the cosigners' lines. */
export async function checkpointNote({ origin, size, root, logKey, cosigners }) {
  const body = `${origin}\n${size}\n${toBase64(root)}\n`;
  const { id } = await vkey(origin, 1, logKey);
  let text = `${body}\n\u2014 ${origin} ${toBase64(concat(id, await logKey.sign(utf8(body))))}\n`;
  for (const { name, key, seconds } of cosigners) {
    const stamp = new Uint8Array(8);
    new DataView(stamp.buffer).setBigUint64(0, BigInt(seconds));
    const signature = await key.sign(utf8(`cosignature/v1\ntime ${seconds}\n${body}`));
    const line = concat((await vkey(name, 4, key)).id, stamp, signature);
    text += `\u2014 ${name} ${toBase64(line)}\n`;
  }
  return text;
}

export function tlogProof(index, hashes, note) {
  const lines = hashes.map((hash) => `${toBase64(hash)}\n`).join('');
  return `c2sp.org/tlog-proof@v1\nindex ${index}\n${lines}\n${note}`;
}
