// COSE receipts (RFC 9942): an inclusion proof, and the log's signature of the root it leads to.

import { Refusal, ensure } from './errors.js';
import { concat, fromUtf8, utf8 } from './binary.js';
import { ARRAY, BYTES, CborReader, MAP, NEGATIVE, SIMPLE, TAG, UNSIGNED } from './cbor.js';
import { verifyStrict } from './ed25519.js';
import { LOG_KEY, checkName } from './note.js';
import { inclusionRoot, leafHash } from './tree.js';
import { COSE_BYTES, PROOF_HASHES, TREE_SIZE } from './limits.js';

const CODES = { end: 'cbor_end', form: 'cbor_form', shape: 'cbor_shape', trailing: 'cbor_trailing' };
const ALG = 1n;
const KID = 4n;
const VDS = 395n;
const VDP = 396n;
const SIZE = -65537n;
const INCLUSION = -1n;
const EDDSA = -8n;
const INT_LIMIT = 1n << 63n;
const PROTECTED = [ALG, KID, VDS, SIZE];

const reader = (bytes) => new CborReader(bytes, CODES);
const any = () => true;

function integer(from) {
  const { kind, argument } = from.item(UNSIGNED, NEGATIVE);
  ensure(argument < INT_LIMIT, 'cbor_value', `${argument} in an integer`);
  return kind === NEGATIVE ? -1n - argument : argument;
}

// Labels in the order of their bytes: up from 0, then down from −1.
const before = (a, b) => (a < 0n) === (b < 0n) ? (a < 0n ? a > b : a < b) : b < 0n;

/** Reads a map; `value` reads what stands at a label. */
function labelled(from, value) {
  const { argument } = from.item(MAP);
  let last;
  for (let i = 0n; i < argument; i++) {
    const label = integer(from);
    ensure(last === undefined || before(last, label), 'cbor_form', `label ${label}`);
    last = label;
    value(label);
  }
  return last !== undefined;
}

function readProtected(bytes) {
  const from = reader(bytes);
  const found = new Map();
  labelled(from, (label) => {
    ensure(PROTECTED.includes(label), 'header_unknown', `${label}`);
    const read = { [KID]: () => from.string(any), [SIZE]: () => from.item(UNSIGNED).argument };
    found.set(label, (read[label] ?? (() => integer(from)))());
  });
  from.end();
  const value = (label) => {
    ensure(found.has(label), 'header_missing', `${label}`);
    return found.get(label);
  };
  ensure(value(ALG) === EDDSA, 'algorithm', `${value(ALG)}`);
  const key = readKid(value(KID));
  ensure(value(VDS) === 1n, 'vds', `${value(VDS)}`);
  return { ...key, size: value(SIZE) };
}

function readKid(bytes) {
  try {
    const text = fromUtf8(bytes);
    const [, origin, keyId] = /^([^+]*)\+([0-9a-f]{8})$/.exec(text) ?? [];
    ensure(origin !== undefined && !text.includes('\n'), 'kid');
    checkName(origin, 'kid');
    return { origin, keyId };
  } catch (error) {
    if (error instanceof Refusal) throw new Refusal('kid');
    throw error;
  }
}

function readUnprotected(from) {
  let proof;
  const some = labelled(from, (label) => {
    ensure(label === VDP, 'header_unknown', `${label}`);
    labelled(from, (kind) => {
      ensure(kind === INCLUSION, 'proof_kind', `${kind}`);
      const { argument } = from.item(ARRAY);
      ensure(argument === 1n, 'proof_count', `${argument}`);
      proof = from.string(any);
    });
  });
  ensure(some, 'header_missing', `${VDP}`);
  ensure(proof !== undefined, 'proof_count', '0');
  return proof;
}

function readProof(bytes) {
  const from = reader(bytes);
  ensure(from.item(ARRAY).argument === 3n, 'cbor_shape', 'inclusion proof');
  const size = from.item(UNSIGNED).argument;
  const index = from.item(UNSIGNED).argument;
  const count = from.item(ARRAY).argument;
  ensure(count > 0n, 'path_empty');
  ensure(count <= BigInt(PROOF_HASHES), 'proof_limit', `${count} hashes`);
  const hashes = [];
  for (let i = 0n; i < count; i++) hashes.push(from.string((length) => length === 32n));
  from.end();
  return { size, index, hashes };
}

/** Reads a receipt: origin, key id, size, index, hashes, signature. Nothing is verified. */
export function parseCoseReceipt(bytes) {
  ensure(bytes.length <= COSE_BYTES, 'size_limit', `${bytes.length} bytes`);
  const from = reader(bytes);
  ensure(from.peek() === TAG && from.item(TAG).argument === 18n, 'tag');
  ensure(from.item(ARRAY).argument === 4n, 'cbor_shape', 'COSE_Sign1');
  const header = from.string(any);
  const { origin, keyId, size } = readProtected(header);
  const proof = readProof(readUnprotected(from));
  ensure(from.peek() !== BYTES, 'payload_attached');
  ensure(from.item(SIMPLE).argument === 22n, 'cbor_shape', 'payload');
  const signature = from.string((length) => length === 64n);
  from.end();
  ensure(proof.size === size, 'size_differs', `${proof.size}, signed ${size}`);
  return { origin, keyId, size, index: proof.index, hashes: proof.hashes, header, signature };
}

/** Refuses a receipt by which this log did not say that it has the entry; gives the root. */
export async function checkCoseReceipt(receipt, entry, key) {
  ensure(key.type === LOG_KEY, 'key_type', `${key.type}`);
  ensure(receipt.origin === key.name && receipt.keyId === key.id, 'key_mismatch');
  const { size, index, hashes, header, signature } = receipt;
  ensure(size <= TREE_SIZE, 'tree_size_limit', `${size} leaves`);
  const root = await inclusionRoot(await leafHash(entry), index, size, hashes);
  const signed = concat(
    new Uint8Array([0x84, 0x6a]), utf8('Signature1'), head(header.length), header,
    new Uint8Array([0x40, 0x58, 32]), root,
  );
  ensure(await verifyStrict(key.key, signed, signature), 'bad_signature');
  return root;
}

// How a byte string of this length begins.
function head(length) {
  if (length < 24) return new Uint8Array([0x40 | length]);
  return new Uint8Array(length < 256 ? [0x58, length] : [0x59, length >> 8, length & 255]);
}
