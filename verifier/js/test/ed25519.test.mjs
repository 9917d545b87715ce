import { test } from 'node:test';
import assert from 'node:assert/strict';
import { checkPublicKey, checkSignature, verifyStrict } from '../ed25519.js';
import { fromHex, utf8 } from '../binary.js';

// RFC 8032 §7.1, test 2.
const KEY = fromHex('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c');
const MESSAGE = fromHex('72');
const SIGNATURE = fromHex(
  '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da'
  + '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
);
const L = '1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed';

const SMALL_ORDER = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000080',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  '0100000000000000000000000000000000000000000000000000000000000080',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
];

test('a good signature verifies and any flipped bit does not', async () => {
  assert.equal(await verifyStrict(KEY, MESSAGE, SIGNATURE), true);
  for (let bit = 0; bit < 512; bit += 7) {
    const bad = SIGNATURE.slice();
    bad[bit >> 3] ^= 1 << (bit & 7);
    assert.equal(await verifyStrict(KEY, MESSAGE, bad), false, `bit ${bit}`);
  }
  assert.equal(await verifyStrict(KEY, utf8('x'), SIGNATURE), false);
});

test('s + L is the same equation and refused', async () => {
  const bad = SIGNATURE.slice();
  const order = fromHex(L).reverse();
  let carry = 0;
  for (let i = 0; i < 32; i++) {
    const sum = bad[32 + i] + order[i] + carry;
    bad[32 + i] = sum & 0xff;
    carry = sum >> 8;
  }
  await assert.rejects(checkSignature(KEY, MESSAGE, bad), { code: 'signature-scalar' });
  assert.equal(await verifyStrict(KEY, MESSAGE, bad), false);
});

test('small-order keys and R are refused', async () => {
  for (const hex of SMALL_ORDER) {
    const point = fromHex(hex);
    assert.throws(() => checkPublicKey(point), { code: /^key-(small-order|not-canonical)$/ }, hex);
    const bad = SIGNATURE.slice();
    bad.set(point);
    await assert.rejects(checkSignature(KEY, MESSAGE, bad), { code: /^signature-(small-order|not-canonical)$/ }, hex);
    const zero = new Uint8Array(64);
    zero.set(point);
    assert.equal(await verifyStrict(point, MESSAGE, zero), false, hex);
  }
});

test('points that are not canonical or not on the curve are refused', () => {
  for (const low of ['ed', 'ee', 'f0', 'ff']) {
    assert.throws(() => checkPublicKey(fromHex(`${low}${'ff'.repeat(30)}7f`)), { code: 'key-not-canonical' });
    assert.throws(() => checkPublicKey(fromHex(`${low}${'ff'.repeat(31)}`)), { code: 'key-not-canonical' });
  }
  assert.throws(() => checkPublicKey(fromHex(`02${'00'.repeat(31)}`)), { code: 'key-not-point' });
  assert.throws(() => checkPublicKey(new Uint8Array(31)), { code: 'binary-wrong-length' });
});

test('signatures of another length are refused', async () => {
  for (const length of [0, 63, 65]) {
    assert.equal(await verifyStrict(KEY, MESSAGE, new Uint8Array(length)), false);
  }
});
