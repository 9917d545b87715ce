import { test } from 'node:test';
import assert from 'node:assert/strict';
import { joinCodes } from '../zhao.js';
import { expand } from '../expand.js';
import { fromUtf8, utf8 } from '../binary.js';
import { parse } from '../json.js';
import { Refusal } from '../errors.js';
import { mutate, seeded } from '../kit/random.mjs';
import { codesOf, formOf, itemsOf } from '../kit/shrink.mjs';
import { printed } from '../kit/world.mjs';

test('changed codes are joined to the same bytes or refused', async () => {
  const { form } = await printed();
  const parts = await codesOf(form, 3);
  const next = seeded(31);
  let joined = 0;
  for (let i = 0; i < 3000; i++) {
    const changed = [...parts];
    const at = next(3);
    changed[at] = String.fromCharCode(...mutate(utf8(changed[at]), next));
    if (next(4) === 0) changed.push(parts[next(3)]);
    try {
      assert.deepEqual(await joinCodes(changed), form);
      joined++;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      assert.match(error.code, /^qr-(code|prefix|part|base45)/);
    }
  }
  assert.ok(joined < 600, `${joined} joined`);
});

const USABLE = ['valid', 'valid_with_notice'];

// Members of a dossier that somebody signed. Lines of the note may go missing or be strangers' without harm.
function claims(text) {
  const { credential, head: { epoch }, path, record } = JSON.parse(text);
  return { credential, epoch, path, record };
}

// Judges a mutant. It is refused with a code of the form, or it expands to JSON that is read back; when that
// is usable, it says what the original says.
async function survive({ judge, text }, mutant, seen) {
  let expanded;
  try {
    expanded = await expand(mutant);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    assert.match(error.code, /^qr-/, error.stack);
    seen[error.code] = (seen[error.code] ?? 0) + 1;
    return;
  }
  seen.expanded = (seen.expanded ?? 0) + 1;
  parse(expanded);
  const { verdict } = await judge(mutant);
  if (!USABLE.includes(verdict)) return;
  seen.usable = (seen.usable ?? 0) + 1;
  assert.deepEqual(claims(fromUtf8(expanded)), claims(text));
}

test('changed bytes of a form: nothing but refusals, and no other claims', async () => {
  const original = await printed();
  const next = seeded(47);
  const seen = {};
  for (let i = 0; i < 2500; i++) await survive(original, mutate(original.form, next), seen);
  assert.ok(seen.expanded > 300 && seen['qr-inflate'] > 20 && seen['qr-shape'] > 500, JSON.stringify(seen));
});

test('changed items of a form, written well: no other claims', async () => {
  const original = await printed();
  const items = itemsOf(original.dossier);
  const next = seeded(53);
  const seen = {};
  const change = (value) => {
    if (value instanceof Uint8Array) return mutate(value, next);
    if (Array.isArray(value)) return value.map((entry) => (next(4) === 0 ? change(entry) : entry));
    if (value instanceof Map) return new Map([...value].map(([key, entry]) => [key, next(2) ? change(entry) : entry]));
    return next(2) ? next(40) - 10 : BigInt(value) + BigInt(next(5) - 2);
  };
  for (let i = 0; i < 1200; i++) {
    const at = i % 3 === 0 ? 25 : next(items.length);
    await survive(original, formOf(items.map((item, j) => (j === at ? change(item) : item))), seen);
  }
  assert.ok(seen.expanded > 300 && seen['qr-value'] > 50 && seen['qr-utf8'] > 10, JSON.stringify(seen));
});

test('each byte of a form, changed by itself: usable only with the same claims', async () => {
  const original = await printed();
  const seen = {};
  for (let at = 0; at < original.form.length; at++) {
    const mutant = original.form.slice();
    mutant[at] ^= 1 << (at % 8);
    await survive(original, mutant, seen);
  }
  // every line of the note is needed, so there is hardly a bit that nobody signed
  assert.ok((seen.usable ?? 0) <= 2, JSON.stringify(seen));
});
