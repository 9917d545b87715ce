// Printed codes: a QR form as one text, or cut into parts that come in any order.

import { clip, ensure } from './errors.js';
import { fromBase45 } from './base45.js';
import { concat, equal, toHex } from './binary.js';
import { sha256 } from './hash.js';
import { QR_CODE_CHARS, QR_PARTS } from './limits.js';

const WHOLE = 'ZHAO1:';
const PART = 'ZHAO1/';

// Name of a set, number and count as they stand before the colon.
function readHeader(header) {
  const match = /^([0-9A-F]{16})\/(0|[1-9][0-9]?)\/(0|[1-9][0-9]?)$/.exec(header);
  ensure(match !== null, 'qr-part-header', `'${clip(header)}'`);
  const [number, count] = [Number(match[2]), Number(match[3])];
  ensure(count >= 2 && count <= QR_PARTS, 'qr-part-number', `of ${count} parts`);
  ensure(number >= 1 && number <= count, 'qr-part-number', `${number} of ${count}`);
  return { set: match[1], number, count };
}

function readCode(text) {
  ensure(typeof text === 'string', 'qr-prefix', 'not a text');
  // a character is one or two code units, so a text twice too long need not be counted
  const long = text.length > 2 * QR_CODE_CHARS || (text.length > QR_CODE_CHARS && [...text].length > QR_CODE_CHARS);
  ensure(!long, 'qr-code-too-long', `at most ${QR_CODE_CHARS} characters`);
  if (text.startsWith(WHOLE)) return { bytes: fromBase45(text.slice(WHOLE.length)) };
  ensure(text.startsWith(PART), 'qr-prefix', `'${clip(text)}'`);
  const colon = text.indexOf(':');
  ensure(colon >= 0, 'qr-part-header', 'no colon');
  return { ...readHeader(text.slice(PART.length, colon)), bytes: fromBase45(text.slice(colon + 1)) };
}

/** The bytes of a QR form from the texts of its codes. */
export async function joinCodes(texts) {
  const codes = texts.map(readCode);
  const isWhole = ({ set }) => set === undefined;
  if (codes.length === 1 && isWhole(codes[0])) return codes[0].bytes;
  ensure(!codes.some(isWhole), 'qr-part-mixed');
  ensure(codes.length > 0, 'qr-part-missing', 'no code at all');
  const [{ set, count }] = codes;
  for (const code of codes) ensure(code.set === set, 'qr-part-set', `${set} and ${code.set}`);
  for (const code of codes) ensure(code.count === count, 'qr-part-count', `${count} and ${code.count}`);
  const parts = new Array(count);
  for (const { number, bytes } of codes) {
    const other = parts[number - 1];
    ensure(other === undefined || equal(other, bytes), 'qr-part-conflict', `number ${number}`);
    parts[number - 1] = bytes;
  }
  for (let i = 0; i < count; i++) ensure(parts[i] !== undefined, 'qr-part-missing', `number ${i + 1} of ${count}`);
  const bytes = concat(...parts);
  const name = toHex((await sha256(bytes)).subarray(0, 8)).toUpperCase();
  ensure(name === set, 'qr-part-content', `expected ${set}, found ${name}`);
  return bytes;
}
