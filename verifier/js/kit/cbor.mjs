// Writes deterministic CBOR, for tests: numbers, Uint8Array, arrays, Map.

import { concat } from '../binary.js';

function head(kind, argument) {
  const value = BigInt(argument);
  const width = [1, 2, 4, 8].find((bytes) => value < 1n << BigInt(8 * bytes));
  if (value < 24n) return Uint8Array.of((kind << 5) | Number(value));
  const out = new Uint8Array(1 + width);
  out[0] = (kind << 5) | (24 + Math.log2(width));
  for (let i = 0; i < width; i++) out[width - i] = Number((value >> BigInt(8 * i)) & 0xffn);
  return out;
}

export function cbor(value) {
  if (value instanceof Uint8Array) return concat(head(2, value.length), value);
  if (Array.isArray(value)) return concat(head(4, value.length), ...value.map(cbor));
  if (value instanceof Map) return concat(head(5, value.size), ...[...value].flat().map(cbor));
  return value < 0 ? head(1, -1n - BigInt(value)) : head(0, value);
}
