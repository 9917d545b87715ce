// Base45 (RFC 9285): three characters of the alphanumeric alphabet of QR codes for two bytes, two for one.

import { clip, ensure } from './errors.js';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:';
const VALUES = new Map([...ALPHABET].map((c, value) => [c, value]));

/** Bytes of a text that has exactly the characters they need; each row of refusals is checked for the whole text. */
export function fromBase45(text) {
  const values = [];
  for (const c of text) {
    const value = VALUES.get(c);
    ensure(value !== undefined, 'qr-base45-character', `'${clip(c)}' after ${values.length} characters`);
    values.push(value);
  }
  ensure(values.length % 3 !== 1, 'qr-base45-length', `${values.length} characters`);
  const out = new Uint8Array(Math.floor((values.length * 2) / 3));
  let at = 0;
  for (let i = 0; i < values.length; i += 3) {
    const pair = values[i] + 45 * values[i + 1];
    const whole = i + 2 < values.length;
    const n = whole ? pair + 2025 * values[i + 2] : pair;
    ensure(n <= (whole ? 0xffff : 0xff), 'qr-base45-value', `${n} at character ${i}`);
    if (whole) out[at++] = n >> 8;
    out[at++] = n & 0xff;
  }
  return out;
}
