import { test } from 'node:test';
import assert from 'node:assert/strict';
import { canonical, parse, write } from '../json.js';
import { utf8 } from '../binary.js';

const refuses = (input, code) => {
  const bytes = typeof input === 'string' ? utf8(input) : new Uint8Array(input);
  assert.throws(() => parse(bytes), (error) => error.code === code, `${input} should be ${code}`);
};

test('a member called __proto__ is a member like any other', () => {
  const value = parse(utf8('{"__proto__":{"x":1}}'));
  assert.deepEqual(Object.keys(value), ['__proto__']);
  assert.equal(value.x, undefined);
  assert.equal(write(value), '{"__proto__":{"x":1}}');
  refuses('{"__proto__":1,"__proto__":1}', 'json-duplicate');
});

test('100,000 brackets do not overflow the stack', () => {
  refuses('['.repeat(100_000), 'json-depth');
  refuses('{"a":'.repeat(100_000), 'json-depth');
});

test('sizes are bounded, the whole before anything else', () => {
  assert.throws(() => parse(utf8('[[['), 2), { code: 'json-too-long' });
  assert.ok(parse(utf8(`"${'a'.repeat(65_536)}"`)));
  refuses(`"${'a'.repeat(65_537)}"`, 'json-text-too-long');
  refuses(`"${'证'.repeat(21_846)}"`, 'json-text-too-long');
  refuses(`[${'1,'.repeat(65_536)}1]`, 'json-array-too-long');
  const names = Array.from({ length: 1025 }, (_, i) => `"n${1000 + i}":1`);
  refuses(`{${names.join(',')}}`, 'json-object-too-large');
  assert.ok(parse(utf8(`{${names.slice(1).join(',')}}`)));
});

test('the writer refuses what the reader could not give', () => {
  for (const [value, code] of [[-1, 'json-number'], [1.5, 'json-number'], [-0, 'json-number'], [null, 'json-kind'],
    [undefined, 'json-kind'], ['\ud800', 'json-surrogate'], [{ a: NaN }, 'json-number']]) {
    assert.throws(() => write(value), { code });
  }
});

test('whatever is read is written back to the same bytes, or refused: mutations of one value', () => {
  const start = utf8('{"a":[1,true,"\\u001f证\\n"],"b":{"c":"x"},"d":0}');
  let random = 7;
  const next = (n) => (random = (random * 48_271) % 2_147_483_647) % n;
  let read = 0;
  for (let i = 0; i < 20_000; i++) {
    const bytes = start.slice();
    for (let flips = 1 + next(3); flips > 0; flips--) bytes[next(bytes.length)] = next(256);
    let value;
    try {
      value = parse(bytes);
    } catch (error) {
      assert.match(error.code, /^json-/);
      continue;
    }
    read++;
    assert.deepEqual(canonical(value), bytes);
  }
  assert.ok(read > 100, `${read} mutants were read`);
});

test('members sort by UTF-16 code units and control characters use short escapes', () => {
  assert.equal(write({ b: 1, a: [true, 'x'], '\u20ac': 2, '\ud83d\ude00': 3, '\ufb33': 4 }),
    '{"a":[true,"x"],"b":1,"\u20ac":2,"\ud83d\ude00":3,"\ufb33":4}');
  assert.equal(write('\b\t\n\f\r"\\/\u0001\u007f'), '"\\b\\t\\n\\f\\r\\"\\\\/\\u0001\u007f"');
  assert.deepEqual(canonical({ 10: 1, 9: 2 }), utf8('{"10":1,"9":2}'));
});
