// DEFLATE (RFC 1951) after a preset dictionary, with a bound on what comes out. Codes are walked bit by
// bit along the counts of their lengths, so no byte beyond the last block is ever looked at.

import { ensure } from './errors.js';

const MAX_BITS = 15;
const END = 256;
const LENGTH_BASE = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227,
  258,
];
const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const DISTANCE_BASE = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097,
  6145, 8193, 12289, 16385, 24577,
];
const DISTANCE_BITS = [
  0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
];
const CODE_LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

const refuse = (condition, detail) => ensure(condition, 'qr-inflate', detail);

// A canonical code: how many symbols have each length, and the symbols in order of their codes.
// `sparse`: there may be no symbol, or one of one bit, as RFC 1951 §3.2.7 has it for distances.
function codeOf(lengths, sparse) {
  const counts = new Uint16Array(MAX_BITS + 1);
  for (const length of lengths) counts[length]++;
  const used = lengths.length - counts[0];
  counts[0] = 0;
  let free = 1;
  for (let bits = 1; bits <= MAX_BITS; bits++) {
    free = free * 2 - counts[bits];
    refuse(free >= 0, 'over-subscribed lengths');
  }
  const lone = used === 0 || (used === 1 && counts[1] === 1);
  refuse(free === 0 || (sparse && lone), 'incomplete lengths');
  const offsets = new Uint16Array(MAX_BITS + 2);
  for (let bits = 1; bits <= MAX_BITS; bits++) offsets[bits + 1] = offsets[bits] + counts[bits];
  const symbols = new Uint16Array(used);
  lengths.forEach((length, symbol) => {
    if (length !== 0) symbols[offsets[length]++] = symbol;
  });
  return { counts, symbols };
}

const FIXED_LENGTHS = Array.from({ length: 288 }, (_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8));
const FIXED = { literals: codeOf(FIXED_LENGTHS, false), distances: codeOf(new Array(32).fill(5), false) };

class Inflater {
  constructor(bytes, dictionary, max, tooLong) {
    this.bytes = bytes;
    this.at = 0;
    this.held = 0;
    this.bits = 0;
    // dictionary and output stand together, so that a distance needs no case for the border
    this.window = new Uint8Array(dictionary.length + Math.min(max, 4096));
    this.window.set(dictionary);
    this.start = dictionary.length;
    this.end = this.start;
    this.limit = this.start + max;
    this.tooLong = tooLong;
  }

  byte() {
    refuse(this.at < this.bytes.length, 'the stream ends inside');
    return this.bytes[this.at++];
  }

  bit() {
    if (this.bits === 0) {
      this.held = this.byte();
      this.bits = 8;
    }
    const bit = this.held & 1;
    this.held >>= 1;
    this.bits--;
    return bit;
  }

  // A number of so many bits, least significant first.
  number(width) {
    let value = 0;
    for (let i = 0; i < width; i++) value |= this.bit() << i;
    return value;
  }

  symbol({ counts, symbols }) {
    let code = 0;
    let first = 0;
    let index = 0;
    for (let bits = 1; bits <= MAX_BITS; bits++) {
      code |= this.bit();
      const count = counts[bits];
      if (code - first < count) return symbols[index + code - first];
      index += count;
      first = (first + count) << 1;
      code <<= 1;
    }
    return refuse(false, 'a symbol without meaning');
  }

  put(byte) {
    ensure(this.end < this.limit, this.tooLong, `more than ${this.limit - this.start} bytes`);
    if (this.end === this.window.length) {
      const larger = new Uint8Array(Math.min(this.limit, this.window.length * 2));
      larger.set(this.window);
      this.window = larger;
    }
    this.window[this.end++] = byte;
  }

  stored() {
    this.bits = 0;
    const length = this.byte() | (this.byte() << 8);
    const complement = this.byte() | (this.byte() << 8);
    refuse((length ^ complement) === 0xffff, 'the lengths of a stored block disagree');
    for (let i = 0; i < length; i++) this.put(this.byte());
  }

  block({ literals, distances }) {
    for (;;) {
      const symbol = this.symbol(literals);
      if (symbol === END) return;
      if (symbol < END) this.put(symbol);
      else this.copy(symbol - END - 1, distances);
    }
  }

  copy(lengthSymbol, distances) {
    refuse(lengthSymbol < LENGTH_BASE.length, 'a length symbol without meaning');
    const length = LENGTH_BASE[lengthSymbol] + this.number(LENGTH_BITS[lengthSymbol]);
    const distanceSymbol = this.symbol(distances);
    refuse(distanceSymbol < DISTANCE_BASE.length, 'a distance symbol without meaning');
    const distance = DISTANCE_BASE[distanceSymbol] + this.number(DISTANCE_BITS[distanceSymbol]);
    refuse(distance <= this.end, 'a distance before the dictionary');
    for (let i = 0; i < length; i++) this.put(this.window[this.end - distance]);
  }

  // The two codes of a dynamic block, their lengths written in a code of their own.
  codes() {
    const literals = this.number(5) + 257;
    const distances = this.number(5) + 1;
    refuse(literals <= 286 && distances <= 30, `${literals} and ${distances} codes`);
    const shape = new Array(CODE_LENGTH_ORDER.length).fill(0);
    const given = this.number(4) + 4;
    for (let i = 0; i < given; i++) shape[CODE_LENGTH_ORDER[i]] = this.number(3);
    const lengths = this.lengths(codeOf(shape, false), literals + distances);
    return { literals: codeOf(lengths.slice(0, literals), true), distances: codeOf(lengths.slice(literals), true) };
  }

  lengths(code, total) {
    const lengths = [];
    while (lengths.length < total) {
      const symbol = this.symbol(code);
      if (symbol < 16) {
        lengths.push(symbol);
        continue;
      }
      refuse(symbol !== 16 || lengths.length > 0, 'a repetition without a length before it');
      const value = symbol === 16 ? lengths[lengths.length - 1] : 0;
      const times = symbol === 16 ? 3 + this.number(2) : symbol === 17 ? 3 + this.number(3) : 11 + this.number(7);
      refuse(lengths.length + times <= total, 'a repetition beyond the end');
      for (let i = 0; i < times; i++) lengths.push(value);
    }
    return lengths;
  }

  all() {
    let last = false;
    while (!last) {
      last = this.bit() === 1;
      const type = this.number(2);
      refuse(type !== 3, 'block type 3');
      if (type === 0) this.stored();
      else this.block(type === 1 ? FIXED : this.codes());
    }
    refuse(this.at === this.bytes.length, 'a byte after the last block');
    return this.window.slice(this.start, this.end);
  }
}

/** What the bytes inflate to after `dictionary`; more than `max` bytes is refused with the code `tooLong`. */
export function inflate(bytes, dictionary, max, tooLong) {
  return new Inflater(bytes, dictionary, max, tooLong).all();
}
