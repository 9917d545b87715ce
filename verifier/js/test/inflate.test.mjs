import { test } from 'node:test';
import assert from 'node:assert/strict';
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { DICTIONARY } from '../dictionary.js';
import { Refusal } from '../errors.js';
import { inflate } from '../inflate.js';
import { SOURCE, moduleText } from '../kit/dictionary.mjs';
import { mutate, seeded } from '../kit/random.mjs';

const MAX = 262_144;
const mine = (bytes, max = MAX) => inflate(bytes, DICTIONARY, max, 'too-long');
const STYLES = [
  { level: 9 }, { level: 1 }, { level: 0 }, { strategy: constants.Z_FIXED }, { strategy: constants.Z_HUFFMAN_ONLY },
  { strategy: constants.Z_RLE }, { level: 9, memLevel: 1 },
];

test('the dictionary is that of the specification, byte for byte', () => {
  const text = readFileSync(SOURCE);
  const digest = createHash('sha256').update(text).digest('hex');
  assert.equal(digest, 'adcee967e2099f0fbd6ae69eece84f8922deb1cc6b75637da63effc29f752b7d');
  assert.deepEqual(DICTIONARY, Uint8Array.from(text, (byte) => (byte === 0x0a ? 0xff : byte)));
  assert.equal(DICTIONARY.length, 2509);
  const written = readFileSync(new URL('../dictionary.js', import.meta.url), 'utf8');
  assert.equal(written, moduleText(), 'kit/dictionary.mjs writes the module');
});

// Bytes as texts are: pieces of the dictionary, repetitions, and some that are in neither.
function sample(next) {
  const out = [];
  const length = next(6000);
  while (out.length < length) {
    if (next(3) === 0) out.push(next(256));
    else {
      const from = next(2) ? DICTIONARY : out;
      const at = next(from.length + 1);
      out.push(...from.slice(at, at + next(60)));
    }
  }
  return Uint8Array.from(out);
}

test('what zlib deflates comes out again', () => {
  const next = seeded(11);
  for (let i = 0; i < 200; i++) {
    const bytes = sample(next);
    const packed = deflateRawSync(bytes, { ...STYLES[i % STYLES.length], dictionary: DICTIONARY });
    assert.deepEqual(mine(packed), bytes);
  }
});

// What zlib makes of a stream: nothing when it refuses it or leaves bytes of it.
function theirs(bytes) {
  try {
    const { buffer, engine } = inflateRawSync(bytes, { dictionary: DICTIONARY, info: true, maxOutputLength: 1 << 22 });
    return engine.bytesWritten === bytes.length ? { out: new Uint8Array(buffer) } : { left: true };
  } catch (error) {
    return { error: error.message };
  }
}

test('zlib and this reader accept the same mutants, but for blocks without an end symbol', () => {
  const next = seeded(23);
  // the specification follows RFC 1951 here, which does not demand an end symbol
  const stricter = ['invalid code -- missing end-of-block'];
  const seen = { accepted: 0, refused: 0 };
  for (let i = 0; i < 6000; i++) {
    const start = deflateRawSync(sample(next).subarray(0, 600), { ...STYLES[i % STYLES.length], dictionary: DICTIONARY });
    const bytes = mutate(start, next);
    const wanted = theirs(bytes);
    let out;
    try {
      out = mine(bytes);
    } catch (error) {
      assert.ok(error instanceof Refusal && ['qr-inflate', 'too-long'].includes(error.code), error.stack);
      assert.ok(wanted.out === undefined || wanted.out.length > MAX, `only zlib accepts mutant ${i}: ${error.message}`);
      seen.refused++;
      continue;
    }
    if (wanted.out === undefined) assert.ok(stricter.includes(wanted.error), `mutant ${i}: ${wanted.error}`);
    else assert.deepEqual(out, wanted.out);
    seen.accepted++;
  }
  assert.ok(seen.accepted > 500 && seen.refused > 1000, JSON.stringify(seen));
});

test('what comes out is bounded while it comes out', () => {
  const bomb = deflateRawSync(new Uint8Array(20_000_000), { level: 9 });
  assert.ok(bomb.length < 65_536);
  assert.throws(() => mine(bomb), { code: 'too-long' });
  const exact = deflateRawSync(new Uint8Array(MAX));
  assert.equal(mine(exact).length, MAX);
  assert.throws(() => mine(exact, MAX - 1), { code: 'too-long' });
  assert.throws(() => mine(deflateRawSync(new Uint8Array(MAX + 1))), { code: 'too-long' });
  assert.equal(mine(deflateRawSync(new Uint8Array(0)), 0).length, 0);
  assert.throws(() => mine(deflateRawSync(new Uint8Array(1)), 0), { code: 'too-long' });
});

test('blocks without content end with the input, not before', () => {
  const empty = new Uint8Array(65_530).fill(0);
  for (let i = 0; i < empty.length; i += 5) empty.set([0, 0, 0, 0xff, 0xff], i);
  assert.throws(() => mine(empty), { code: 'qr-inflate' });
  empty[empty.length - 5] = 1;
  assert.equal(mine(empty).length, 0);
});

// Bits of a stream, least significant first; codes are written from their first bit.
class Bits {
  bits = [];

  number(value, width) {
    for (let i = 0; i < width; i++) this.bits.push((value >> i) & 1);
  }

  code({ code, length }) {
    for (let i = length - 1; i >= 0; i--) this.bits.push((code >> i) & 1);
  }

  bytes() {
    return Uint8Array.from({ length: Math.ceil(this.bits.length / 8) }, (_, at) => (
      this.bits.slice(8 * at, 8 * at + 8).reduce((byte, bit, i) => byte | (bit << i), 0)));
  }
}

function codesFor(lengths) {
  let code = 0;
  const out = [];
  for (let length = 1; length <= 15; length++) {
    lengths.forEach((wanted, symbol) => {
      if (wanted === length) out[symbol] = { code: code++, length };
    });
    code <<= 1;
  }
  return out;
}

// A last block with codes of these lengths; `body` writes into it.
function dynamic(literals, distances, body) {
  const out = new Bits();
  out.number(1, 1);
  out.number(2, 2);
  out.number(literals.length - 257, 5);
  out.number(distances.length - 1, 5);
  out.number(15, 4);
  // lengths 0 to 15 as four bits each; 16, 17 and 18 come first and are not used
  for (let i = 0; i < 19; i++) out.number(i < 3 ? 0 : 4, 3);
  for (const length of [...literals, ...distances]) out.code({ code: length, length: 4 });
  body(out, codesFor(literals), codesFor(distances));
  return out.bytes();
}

test('a code may have one symbol of one bit, or none, but no other gap', () => {
  const literals = new Array(258).fill(8);
  for (const symbol of [0, 1, 256, 257]) literals[symbol] = 9;
  const sayA = (out, codes) => {
    out.code(codes[65]);
    out.code(codes[256]);
  };
  // A, then three bytes from one byte back
  const repeat = (bit, length) => (out, codes) => {
    out.code(codes[65]);
    out.code(codes[257]);
    out.number(bit, length);
    out.code(codes[256]);
  };
  const text = (packed) => String.fromCharCode(...mine(packed));
  assert.equal(text(dynamic(literals, [0], sayA)), 'A');
  assert.equal(text(dynamic(literals, [1], sayA)), 'A');
  assert.equal(text(dynamic(literals, [1], repeat(0, 1))), 'AAAA');
  const end = new Array(257).fill(0).with(256, 1);
  assert.equal(text(dynamic(end, [0], (out, codes) => out.code(codes[256]))), '');
  const refused = {
    'the other bit': dynamic(literals, [1], repeat(1, 1)),
    'a distance without codes': dynamic(literals, [0], repeat(0, 1)),
    'one distance of two bits': dynamic(literals, [2], sayA),
    'two distances of two bits': dynamic(literals, [2, 2], sayA),
    'three distances of one bit': dynamic(literals, [1, 1, 1], sayA),
    'one literal of two bits': dynamic(end.with(256, 2), [0], (out, codes) => out.code(codes[256])),
    'two literals of two bits': dynamic(end.with(256, 2).with(65, 2), [0], sayA),
    'no literal': dynamic(end.with(256, 0), [0], (out) => out.number(0, 20)),
    'no end': dynamic(literals.with(256, 0).with(0, 8), [0], (out, codes) => out.code(codes[65])),
  };
  for (const [name, packed] of Object.entries(refused)) {
    assert.throws(() => mine(packed), { code: 'qr-inflate' }, name);
  }
});
