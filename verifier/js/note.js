// C2SP signed notes, checkpoints, cosignatures and tlog-proofs.

import { Refusal, clip, ensure } from './errors.js';
import { equal, fromBase64, toHex, u64, utf8 } from './binary.js';
import { checkPublicKey, verifyStrict } from './ed25519.js';
import { sha256 } from './hash.js';
import { EMPTY_ROOT } from './tree.js';
import * as limits from './limits.js';

export const LOG_KEY = 0x01;
export const COSIGNER_KEY = 0x04;
export const EM_DASH = '\u2014';
const NEWLINE = new Uint8Array([0x0a]);
const U64 = (1n << 64n) - 1n;

/** A name in a note or key: not empty, no Unicode space, no plus sign. */
export function checkName(name, code = 'name', max = limits.NOTE_NAME_BYTES) {
  ensure(name.length > 0 && name.length <= max && utf8(name).length <= max, code, `length ${name.length}`);
  ensure(!/[\p{White_Space}\p{Cc}+]/u.test(name), code, `'${clip(name)}'`);
}

// Runs a decoder whose own code would say less than the place it stands in.
function as(code, work) {
  try {
    return work();
  } catch (error) {
    if (error instanceof Refusal) throw new Refusal(code, error.message);
    throw error;
  }
}

/** Four bytes that tell a verifier which key a signature line belongs to, as hexadecimal. */
async function keyId(name, type, publicKey) {
  const digest = await sha256(utf8(name), NEWLINE, new Uint8Array([type]), publicKey);
  return toHex(digest.subarray(0, 4));
}

/** A log's key, from its origin and 32 bytes. */
export async function logKey(origin, key) {
  return { name: origin, id: await keyId(origin, LOG_KEY, key), type: LOG_KEY, key };
}

/** Reads `name+hex8+base64(type ‖ key)`. Keys of algorithms we do not verify are kept as they are. */
export async function parseVkey(text) {
  ensure(text.length <= limits.VKEY_CHARS, 'malformed', 'too long');
  const match = /^([^+]*)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(text);
  ensure(match !== null && !text.includes('\n'), 'malformed', `'${clip(text)}'`);
  const [, name, id, encoded] = match;
  checkName(name);
  const blob = as('malformed', () => fromBase64(encoded));
  const [type] = blob;
  const key = blob.subarray(1);
  if (type === LOG_KEY || type === COSIGNER_KEY) {
    as('key', () => checkPublicKey(key));
    ensure((await keyId(name, type, key)) === id, 'id_mismatch', 'the key id is not that of name and key');
  }
  return { name, id, type, key };
}

/** Splits a note at its last blank line. Signatures are read, not verified. */
export function parseNote(text) {
  ensure(text.length <= limits.NOTE_BYTES && utf8(text).length <= limits.NOTE_BYTES, 'size_limit', `${text.length} characters`);
  ensure(!/[\0-\x09\x0b-\x1f]/.test(text), 'control_character');
  const at = text.lastIndexOf('\n\n');
  ensure(at >= 0, 'no_signatures', 'no blank line');
  const ended = at + 2 < text.length && text.endsWith('\n');
  ensure(ended, 'no_signatures', 'no line after it, or one without end');
  const block = text.slice(at + 2, -1).split('\n');
  ensure(block.length <= limits.NOTE_SIGNATURES, 'signature_limit', `${block.length} signatures`);
  return { body: text.slice(0, at + 1), signatures: block.map(parseSignatureLine) };
}

/** Reads one line: em dash, name, base64 of key id and signature. */
export function parseSignatureLine(line) {
  const parts = line.split(' ');
  ensure(parts.length === 3 && parts[0] === EM_DASH, 'malformed_signature', `'${clip(line)}'`);
  checkName(parts[1], 'malformed_signature');
  const blob = as('malformed_signature', () => fromBase64(parts[2]));
  ensure(blob.length > 4, 'malformed_signature', 'no signature after the key id');
  return { name: parts[1], id: toHex(blob.subarray(0, 4)), blob: blob.subarray(4) };
}

// Decimal text of an unsigned 64-bit number, without leading zeros.
function parseDecimal(text, code) {
  ensure(/^(0|[1-9][0-9]{0,19})$/.test(text), code, `not a number: '${clip(text)}'`);
  const value = BigInt(text);
  ensure(value <= U64, code, 'beyond 64 bits');
  return value;
}

/** Origin, size and root of a checkpoint's body. Extension lines are refused: no cosigner covers them. */
export function parseCheckpointBody(body) {
  ensure(body.endsWith('\n'), 'lines', 'the last line has no end');
  const lines = body.slice(0, -1).split('\n');
  ensure(lines.length >= 3, 'lines', `${lines.length} lines`);
  ensure(lines.length === 3, 'extension_line');
  checkName(lines[0], 'origin');
  const size = parseDecimal(lines[1], 'size');
  ensure(size <= limits.TREE_SIZE, 'tree_size_limit', `${size} leaves`);
  const root = as('root', () => fromBase64(lines[2], 32));
  ensure(size > 0n || equal(root, EMPTY_ROOT), 'empty_root');
  return { origin: lines[0], size, root };
}

/** A checkpoint with its signatures, from the text of its note. */
export function parseCheckpoint(text) {
  const note = parseNote(text);
  return { ...parseCheckpointBody(note.body), body: note.body, signatures: note.signatures };
}

const ofKey = (signatures, key) => signatures.filter((s) => s.name === key.name && s.id === key.id);

/** Refuses unless the log key signed, and every line of its verifies. */
export async function checkLogSignature(note, key) {
  ensure(key.type === LOG_KEY, 'key_type', `algorithm ${key.type}`);
  const own = ofKey(note.signatures, key);
  ensure(own.length > 0, 'not_signed', key.name);
  const message = utf8(note.body);
  for (const { blob } of own) ensure(await verifyStrict(key.key, message, blob), 'bad_signature', key.name);
}

/** Reads a note and accepts it as a checkpoint of the log that owns `key`. */
export async function openCheckpoint(text, key) {
  const note = parseNote(text);
  await checkLogSignature(note, key);
  const checkpoint = parseCheckpointBody(note.body);
  ensure(checkpoint.origin === key.name, 'origin_mismatch', checkpoint.origin);
  return { ...checkpoint, body: note.body, signatures: note.signatures };
}

/** Seconds at which a cosigner signed, by one of its lines. Refuses the line when it is false. */
export async function cosignatureSeconds(body, { blob }, key) {
  ensure(blob.length === 72, 'bad_signature', `expected 72 bytes, found ${blob.length}`);
  const seconds = u64(blob, 0);
  ensure(seconds < 1n << 63n, 'bad_signature', 'time beyond 63 bits');
  const message = utf8(`cosignature/v1\ntime ${seconds}\n${body}`);
  ensure(await verifyStrict(key.key, message, blob.subarray(8)), 'bad_signature', key.name);
  return seconds;
}

/** Newest time (seconds, BigInt) at which a cosigner signed, null when it did not. */
export async function newestCosignature(note, key) {
  ensure(key.type === COSIGNER_KEY, 'key_type', `algorithm ${key.type}`);
  let newest = null;
  for (const line of ofKey(note.signatures, key)) {
    const seconds = await cosignatureSeconds(note.body, line, key);
    if (newest === null || seconds > newest) newest = seconds;
  }
  return newest;
}

export const TLOG_PROOF_HEADER = 'c2sp.org/tlog-proof@v1';

/** Reads a tlog-proof: index, hashes, and the checkpoint's text, which is not looked into. */
export function parseTlogProof(text) {
  ensure(text.length <= limits.TLOG_PROOF_BYTES && utf8(text).length <= limits.TLOG_PROOF_BYTES, 'size_limit');
  let rest = text;
  const line = () => {
    const at = rest.indexOf('\n');
    if (at < 0) return undefined;
    const found = rest.slice(0, at);
    rest = rest.slice(at + 1);
    return found;
  };
  ensure(line() === TLOG_PROOF_HEADER, 'header', `'${clip(text)}'`);
  let extra;
  if (rest.startsWith('extra ')) {
    extra = as('extra', () => fromBase64(line()?.slice(6) ?? '*'));
    ensure(extra.length <= limits.PROOF_EXTRA_BYTES, 'extra', `${extra.length} bytes`);
  }
  const indexLine = line() ?? '';
  ensure(indexLine.startsWith('index '), 'index', `'${clip(indexLine)}'`);
  const index = parseDecimal(indexLine.slice(6), 'index');
  const hashes = [];
  for (let next = line(); next !== ''; next = line()) {
    ensure(next !== undefined, 'checkpoint_missing', 'no blank line');
    ensure(hashes.length < limits.PROOF_HASHES, 'proof_limit');
    hashes.push(as('hash', () => fromBase64(next, 32)));
  }
  ensure(rest !== '', 'checkpoint_missing');
  return { index, hashes, extra, checkpoint: rest };
}
