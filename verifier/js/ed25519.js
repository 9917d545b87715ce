// Strict Ed25519: canonical s, canonical and not small-order A and R, then WebCrypto's equation.
// Libraries differ on those edges, so they are decided here, before a library is asked.

import { Refusal } from './errors.js';
import { fromHex } from './binary.js';

const P = (1n << 255n) - 19n;
const L = (1n << 252n) + 27742317777372353535851937790883648493n;

// The eight points of small order have five y coordinates; the sign of x does not matter.
const ORDER_EIGHT = [
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
].map((hex) => littleEndian(fromHex(hex)));
const SMALL_ORDER_Y = new Set([0n, 1n, P - 1n, ...ORDER_EIGHT]);

function littleEndian(bytes) {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]);
  return value;
}

function power(base, exponent) {
  let result = 1n;
  let b = base % P;
  for (let e = exponent; e > 0n; e >>= 1n) {
    if (e & 1n) result = (result * b) % P;
    b = (b * b) % P;
  }
  return result;
}

const D = (((P - 121665n) * power(121666n, P - 2n)) % P + P) % P;

// x² = (y² − 1) / (d y² + 1) has a root: Euler's criterion on the product, which has the same
// quadratic character as the quotient.
function onCurve(y) {
  const y2 = (y * y) % P;
  const u = (y2 - 1n + P) % P;
  const v = (D * y2 + 1n) % P;
  const product = (u * v) % P;
  return product === 0n || power(product, (P - 1n) / 2n) === 1n;
}

// A point costs a modular power, and a program meets the same keys again and again.
const CACHE_LIMIT = 4096;
const pointCache = new Map();
const keyCache = new Map();

function remember(cache, name, value) {
  if (cache.size >= CACHE_LIMIT) cache.clear();
  cache.set(name, value);
}

/** What is wrong with 32 bytes as an encoded point: `not-canonical`, `small-order`, `not-point`, or null. */
function pointFault(bytes) {
  const name = bytes.join();
  let fault = pointCache.get(name);
  if (fault === undefined) {
    fault = findPointFault(bytes);
    remember(pointCache, name, fault);
  }
  return fault;
}

function findPointFault(bytes) {
  const encoded = littleEndian(bytes) & ((1n << 255n) - 1n);
  const y = encoded % P;
  if (!onCurve(y)) return 'not-point';
  // with y = 1 or y = −1, x is zero and has no sign to set
  const signOfZero = (y === 1n || y === P - 1n) && bytes[31] >> 7 === 1;
  if (encoded !== y || signOfZero) return 'not-canonical';
  return SMALL_ORDER_Y.has(y) ? 'small-order' : null;
}

/** Refuses bytes that are not an acceptable public key. */
export function checkPublicKey(bytes) {
  if (bytes.length !== 32) throw new Refusal('binary-wrong-length', `expected 32 bytes, found ${bytes.length}`);
  const fault = pointFault(bytes);
  if (fault !== null) throw new Refusal(`key-${fault}`);
}

async function importKey(publicKey) {
  const name = publicKey.join();
  let key = keyCache.get(name);
  if (key === undefined) {
    key = await crypto.subtle.importKey('raw', publicKey, { name: 'Ed25519' }, false, ['verify']);
    remember(keyCache, name, key);
  }
  return key;
}

/** Refuses, with its reason, a signature that does not verify strictly. */
export async function checkSignature(publicKey, message, signature) {
  checkPublicKey(publicKey);
  if (signature.length !== 64) {
    throw new Refusal('binary-wrong-length', `expected 64 bytes, found ${signature.length}`);
  }
  if (littleEndian(signature.subarray(32)) >= L) throw new Refusal('signature-scalar');
  const fault = pointFault(signature.subarray(0, 32));
  if (fault !== null) throw new Refusal(`signature-${fault}`);
  if (!(await equationHolds(publicKey, message, signature))) throw new Refusal('signature-mismatch');
}

async function equationHolds(publicKey, message, signature) {
  let key;
  try {
    key = await importKey(publicKey);
  } catch {
    return false;
  }
  return crypto.subtle.verify({ name: 'Ed25519' }, key, signature, message);
}

/** True only when the signature verifies strictly. */
export async function verifyStrict(publicKey, message, signature) {
  try {
    await checkSignature(publicKey, message, signature);
    return true;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}
