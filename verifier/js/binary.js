// Bytes and their texts. Every decoder accepts exactly one spelling of a value.

import { Refusal, clip } from './errors.js';
import { MULTIBASE_CHARS } from './limits.js';

const encoder = new TextEncoder();
const URL_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const STD_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const B58_ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const HEX = '0123456789abcdef';

// Value of each ASCII character, -1 for those outside the alphabet.
function reverse(alphabet) {
  const table = new Int16Array(128).fill(-1);
  for (let i = 0; i < alphabet.length; i++) table[alphabet.charCodeAt(i)] = i;
  return table;
}
const URL_VALUES = reverse(URL_ALPHABET);
const STD_VALUES = reverse(STD_ALPHABET);
const B58_VALUES = reverse(B58_ALPHABET);

export function utf8(text) {
  return encoder.encode(text);
}

/** Text of UTF-8 bytes; anything ill-formed is refused and a byte order mark is kept as a character. */
export function fromUtf8(bytes, code) {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Refusal(code, 'not valid UTF-8');
  }
}

export function concat(...parts) {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export function equal(a, b) {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

export function toHex(bytes) {
  let out = '';
  for (const b of bytes) out += HEX[b >> 4] + HEX[b & 15];
  return out;
}

export function fromHex(text) {
  if (typeof text !== 'string' || text.length % 2 !== 0 || !/^[0-9a-f]*$/.test(text)) {
    throw new Refusal('hex', 'expected lower-case hexadecimal');
  }
  const out = new Uint8Array(text.length / 2);
  for (let i = 0; i < out.length; i++) out[i] = parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return out;
}

// Groups of four characters; a last group of two or three must leave its unused bits zero.
function decode64(text, values) {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c >= 128 || values[c] < 0) throw new Refusal('binary-alphabet', `character ${i}`);
  }
  if (text.length % 4 === 1) throw new Refusal('binary-length', `${text.length} characters`);
  const out = new Uint8Array(Math.floor((text.length * 3) / 4));
  let at = 0;
  let held = 0;
  let bits = 0;
  for (let i = 0; i < text.length; i++) {
    held = ((held << 6) | values[text.charCodeAt(i)]) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out[at++] = (held >> bits) & 0xff;
    }
  }
  if ((held & ((1 << bits) - 1)) !== 0) throw new Refusal('binary-trailing-bits');
  return out;
}

function exactLength(bytes, length) {
  if (length !== undefined && bytes.length !== length) {
    throw new Refusal('binary-wrong-length', `expected ${length} bytes, found ${bytes.length}`);
  }
  return bytes;
}

function encode64(bytes, alphabet) {
  let out = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const left = Math.min(3, bytes.length - i);
    const n = (bytes[i] << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    for (let j = 0; j <= left; j++) out += alphabet[(n >> (18 - 6 * j)) & 63];
  }
  return out;
}

export function toBase64Url(bytes) {
  return encode64(bytes, URL_ALPHABET);
}

/** base64url without padding, of at most `max` bytes. */
export function fromBase64UrlMax(text, max) {
  // a text of n characters holds at least floor(3n/4) bytes, so the length is known before the work
  if (Math.floor((text.length * 3) / 4) > max) throw new Refusal('binary-too-long', `at most ${max} bytes`);
  return decode64(text, URL_VALUES);
}

/** base64url without padding of exactly `length` bytes. */
export function fromBase64Url(text, length) {
  return exactLength(decode64(text, URL_VALUES), length);
}

export function toBase64(bytes) {
  const text = encode64(bytes, STD_ALPHABET);
  return text + '='.repeat((4 - (text.length % 4)) % 4);
}

/** Standard base64 with its padding, the form of C2SP texts. */
export function fromBase64(text, length) {
  const body = text.replace(/=+$/, '');
  const bytes = decode64(body, STD_VALUES);
  if (text.length - body.length !== (4 - (body.length % 4)) % 4) throw new Refusal('binary-padding');
  return exactLength(bytes, length);
}

/** Multibase base58btc. The work is quadratic, so the length is checked first. */
export function fromMultibase(text) {
  if (!text.startsWith('z')) throw new Refusal('binary-multibase', `'${clip(text)}'`);
  if (text.length > MULTIBASE_CHARS) throw new Refusal('binary-too-long', `at most ${MULTIBASE_CHARS} characters`);
  let value = 0n;
  let zeros = 0;
  for (let i = 1; i < text.length; i++) {
    const c = text.charCodeAt(i);
    const v = c < 128 ? B58_VALUES[c] : -1;
    if (v < 0) throw new Refusal('binary-alphabet', `character ${i}`);
    if (v === 0 && zeros === i - 1) zeros++;
    value = value * 58n + BigInt(v);
  }
  let hex = value === 0n ? '' : value.toString(16);
  if (hex.length % 2) hex = `0${hex}`;
  return concat(new Uint8Array(zeros), fromHex(hex));
}

export function toBase58(bytes) {
  let value = 0n;
  for (const b of bytes) value = value * 256n + BigInt(b);
  let out = '';
  while (value > 0n) {
    out = B58_ALPHABET[Number(value % 58n)] + out;
    value /= 58n;
  }
  for (const b of bytes) {
    if (b !== 0) break;
    out = `1${out}`;
  }
  return out;
}

/** Eight bytes, big endian, as BigInt. */
export function u64(bytes, at) {
  let value = 0n;
  for (let i = 0; i < 8; i++) value = (value << 8n) | BigInt(bytes[at + i] ?? 0);
  return value;
}
