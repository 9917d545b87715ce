import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { joinCodes, parseTime, verify } from '../zhao.js';
import { expand } from '../expand.js';
import { fromUtf8, utf8 } from '../binary.js';
import { parse, write } from '../json.js';
import { Refusal } from '../errors.js';
import { seeded } from '../kit/random.mjs';
import { carry, codesOf, formOf, itemsOf } from '../kit/shrink.mjs';
import { AT, SALT, UNIT, bytesOf, keyOf, people, printed } from '../kit/world.mjs';

const VECTORS = fileURLToPath(new URL('../../../spec/vectors/', import.meta.url));
const vectors = (path) => JSON.parse(readFileSync(VECTORS + path, 'utf8'));
const DAY = 86_400_000;

const said = ({ verdict, reasons }) => ({ verdict, reasons });

test('a form, its codes and its JSON are judged alike', async () => {
  const { form, text, judge } = await printed();
  const wanted = await judge(text);
  assert.deepEqual(said(wanted), { verdict: 'valid', reasons: [] });
  assert.equal(fromUtf8(await expand(form)), text);
  assert.ok(form.length < text.length / 2, `${form.length} bytes for ${text.length}`);
  const [one] = await codesOf(form);
  const [a, b, c] = await codesOf(form, 3);
  const spellings = {
    form,
    'form in a Buffer': Buffer.from(form),
    'code as text': one,
    'code as bytes': utf8(one),
    'code with its line ended': `${one}\n`,
    'list of one': [one],
    'list of parts': [c, a, b, a],
    'parts a line': [b, c, a].join('\n'),
    'parts as bytes': utf8(`${c}\n${b}\n${a}\n`),
  };
  for (const [name, file] of Object.entries(spellings)) assert.deepEqual(await judge(file), wanted, name);
});

test('the facts around the licence are carried', async (t) => {
  const { unit } = await people();
  const other = await keyOf('licence', 'urn:uuid:00000000-0000-4000-8000-000000000000');
  const cases = {
    'committed type': { credential: { typeSalt: SALT }, type: { openness: 'closed', indexed: false } },
    'no end': { credential: { document: { validUntil: undefined } } },
    'times within a day': { credential: { document: { validFrom: '2026-11-22T01:02:03.004Z' } } },
    'face data of every kind': {
      credential: { subject: { faceData: { a: '', b: true, c: false, d: 0, e: 9007199254740991, f: '"\\\n' } } },
    },
    'another name of the issuer': {
      credential: { document: { issuer: { id: `did:key:${unit.text}`, name: '另一个名称', unit: UNIT } } },
    },
    'everything that is rare': {
      record: () => ({
        controller: other, inspection: { due: '2027-01-01T00:00:00.000Z', result: 'failed' }, latestBy: other, mortgages: [1, 2],
        objections: [3], pledges: [9], predecessor: other, reaffirmed: { by: other, index: 0 }, state: 'superseded', successor: other,
        suspensions: ['on_hold', 'reported_lost', 'withheld'], seq: 24,
      }),
    },
    'inspection passed': { record: () => ({ inspection: { result: 'passed' } }) },
    'reaffirmed by its own key': { record: ({ known }) => ({ reaffirmed: { by: known.thumbprint, index: 4 } }) },
  };
  for (const [name, options] of Object.entries(cases)) {
    await t.test(name, async () => {
      const { form, text, judge } = await printed(options);
      assert.equal(fromUtf8(await expand(form)), text);
      assert.deepEqual(await judge(form), await judge(text));
    });
  }
});

// A dossier's text without authorities, and its form; nothing when there is none.
async function carried(fileText) {
  try {
    const dossier = JSON.parse(fileText);
    delete dossier.authorities;
    const text = write(dossier);
    return { text, form: await carry(text) };
  } catch (error) {
    assert.ok(error instanceof Refusal || error instanceof SyntaxError, error.stack);
    return undefined;
  }
}

test('every dossier of the vectors that can be carried has the verdict of its JSON', async () => {
  const { pack } = vectors('verify/pack.json').cases.find((c) => c.expect.verdict === 'valid');
  const verdicts = {};
  for (const file of readdirSync(`${VECTORS}verify`)) {
    const { policy, trust, at, cases } = vectors(`verify/${file}`);
    for (const c of cases) {
      const dossier = await carried(c.fileText);
      if (dossier === undefined) continue;
      const context = {
        policy: c.policy ?? policy, trust: c.trust ?? trust, pack: c.pack ?? pack, at: parseTime(c.at ?? at), maxAge: 30 * DAY,
      };
      const wanted = await verify(dossier.text, context);
      assert.deepEqual(await verify(dossier.form, context), wanted, `${file}: ${c.name}`);
      verdicts[wanted.verdict] = (verdicts[wanted.verdict] ?? 0) + 1;
    }
  }
  for (const verdict of ['valid', 'valid_with_notice', 'not_usable', 'invalid', 'undetermined']) {
    assert.ok(verdicts[verdict] > 2, JSON.stringify(verdicts));
  }
});

test('the issuer pack is needed, and must be young', async () => {
  const { form, judge, built } = await printed();
  const late = { at: AT + 31 * DAY, maxAge: 400 * DAY };
  const cases = [
    ['issuer_pack_missing', { pack: undefined }],
    ['issuer_pack_malformed', { pack: bytesOf(built.dossier) }],
    ['issuer_pack_malformed', { pack: form }],
    ['issuer_pack_too_old', late],
    ['too_old', { at: AT + 2 * DAY }],
  ];
  for (const [code, more] of cases) {
    assert.deepEqual(said(await judge(form, more)), { verdict: 'undetermined', reasons: [code] });
  }
});

test('what is no form is malformed, and the detail says why', async () => {
  const { form, judge } = await printed();
  const [a, b, c] = await codesOf(form, 3);
  const [one] = await codesOf(form);
  const cases = [
    ['qr-cbor-end', form.subarray(0, form.length - 1)],
    ['qr-cbor-end', Uint8Array.of(0x98)],
    ['qr-cbor-trailing', Uint8Array.of(...form, 0)],
    ['qr-version', Uint8Array.of(0x81, 0x02)],
    ['qr-shape', Uint8Array.of(0x81, 0x01)],
    ['qr-too-long', Uint8Array.of(...form, ...new Uint8Array(65_537 - form.length))],
    ['qr-part-missing', []],
    ['qr-part-missing', [a, c]],
    ['qr-part-missing', `${a}\n${b}\n`],
    ['qr-part-mixed', [a, one]],
    ['qr-part-content', [a, b, `${c}000`]],
    ['qr-prefix', [a, '']],
    ['qr-prefix', `${a}\n\n${b}\n${c}`],
    ['qr-prefix', [a, undefined, c]],
    ['qr-prefix', 'ZHAO12'],
    ['qr-base45-character', `${one}\r\n`],
    ['qr-base45-character', Uint8Array.of(...utf8(one), 0xff)],
    ['qr-code-too-long', `ZHAO1:${'0'.repeat(4_291)}`],
    ['qr-code-too-long', [`ZHAO1/${'0'.repeat(1_000_000)}`]],
    ['json-unexpected', 'ZHAO'],
    ['json-utf8', Uint8Array.of(0xa0)],
    ['json-end', ''],
  ];
  for (const [code, file] of cases) {
    const { verdict, reasons, detail } = await judge(file);
    assert.deepEqual({ verdict, reasons }, { verdict: 'invalid', reasons: ['malformed'] });
    assert.match(detail, new RegExp(`^${code}(:|$)`));
  }
});

test('a code holds 4,296 characters, counted as characters', async () => {
  assert.equal((await joinCodes([`ZHAO1:${'0'.repeat(4_290)}`])).length, 2_860);
  await assert.rejects(joinCodes([`ZHAO1:${'0'.repeat(4_291)}`]), { code: 'qr-code-too-long' });
  // two code units each, but not too many characters: the refusal is of the alphabet
  await assert.rejects(joinCodes([`ZHAO1:${'\u{1F600}'.repeat(4_290)}`]), { code: 'qr-base45-character' });
});

test('32 parts in any order make the largest set', async () => {
  const form = new Uint8Array(60_000).map((_, i) => (i * i) >> 3);
  const parts = await codesOf(form, 32);
  const next = seeded(5);
  const shuffled = [...parts, ...parts].sort(() => next(3) - 1);
  assert.deepEqual(await joinCodes(shuffled), form);
  const [first] = parts;
  await assert.rejects(joinCodes([first.replace('/1/32:', '/1/33:')]), { code: 'qr-part-number' });
});

test('another text or number is under no signature', async () => {
  const { dossier, judge } = await printed();
  const changed = async (change) => {
    const items = itemsOf(dossier);
    change(items);
    return said(await judge(formOf(items)));
  };
  for (const [place, text] of [[0, 'zhao.example/other'], [3, '20260000002'], [10, 'another']]) {
    const found = await changed((items) => {
      const texts = Buffer.from(items[25]).toString('latin1').split('\xff');
      texts[place] = text;
      items[25] = Buffer.from(texts.join('\xff'), 'latin1');
    });
    assert.deepEqual(found, { verdict: 'invalid', reasons: ['proof_signature'] }, text);
  }
  // roots are computed over what the form says, so the log's signature is what no longer fits
  for (const [item, value] of [[10, 7], [15, new Uint8Array(32)], [19, 5], [21, 8], [22, AT]]) {
    const found = await changed((items) => { items[item] = value; });
    assert.deepEqual(found, { verdict: 'invalid', reasons: ['log_signature'] }, `item ${item}`);
  }
});

test('a form as long as is allowed is read, with as many texts as are allowed', async () => {
  const { dossier } = await printed();
  const items = itemsOf(dossier);
  const pieces = [items[25]];
  for (let i = 0; i < 1024; i++) pieces.push(utf8(`z${String(i).padStart(4, '0')}`), Uint8Array.of(0xff, 0xff));
  items[25] = Buffer.concat(pieces);
  await assert.rejects(expand(formOf(items)), { code: 'qr-value' });
  items[25] = Buffer.concat(pieces.slice(0, -2));
  const { credential } = parse(await expand(formOf(items)));
  assert.equal(Object.keys(credential.credentialSubject.faceData).length, 1024);
  const withText = (length, byte) => {
    const text = new Uint8Array(length).fill(byte);
    items[25] = Buffer.concat([pieces[0], utf8('z'), Uint8Array.of(0xff), text, Uint8Array.of(0xff)]);
    return expand(formOf(items));
  };
  assert.equal(parse(await withText(65_536, 0x7a)).credential.credentialSubject.faceData.z.length, 65_536);
  await assert.rejects(withText(65_537, 0x7a), { code: 'qr-value' });
  // a control character takes six bytes of JSON, and a credential has its own limit
  await assert.rejects(withText(65_536, 0x01), { code: 'qr-value' });
});

test('of two deviations the first in reading order is the error', async (t) => {
  const { dossier } = await printed();
  const bad = '\xe5(';
  const short = new Uint8Array(3);
  // texts and their ends as Latin-1, then the items
  const cases = [
    ['not UTF-8, then another end', 'qr-utf8', (texts, ends) => { texts[3] = bad; ends[5] = '\xfe'; }],
    ['another end, then not UTF-8', 'qr-texts', (texts, ends) => { texts[5] = bad; ends[3] = '\xfe'; }],
    ['not UTF-8, then no end', 'qr-utf8', (texts, ends) => { texts[3] = bad; ends[ends.length - 1] = ''; }],
    ['no end of what is not UTF-8', 'qr-texts', (texts, ends) => { texts[texts.length - 1] = bad; ends[ends.length - 1] = ''; }],
    ['not UTF-8 where nothing may stand', 'qr-utf8', (texts, ends) => { texts[texts.length - 1] = bad; ends[ends.length - 1] = '\xfd'; }],
    ['an origin that is none, then no end', 'qr-texts', (texts, ends) => { texts[0] = 'a b'; ends[ends.length - 1] = ''; }],
    ['issued before the log, then a short hash', 'qr-shape', (_, __, items) => { items[12] = 100; items[15] = short; }],
    ['a time after 9999, then a short hash', 'qr-value', (_, __, items) => { items[13] = 2 ** 52; items[15] = short; }],
    ['a byte 0 in the depths, then short hashes', 'qr-value', (_, __, items) => { items[16] = Uint8Array.of(1, 0); items[17] = short; }],
    ['state unknown, then a short time', 'qr-value', (_, __, items) => { items[26] = new Map([[6, 9], [15, short]]); }],
    ['reaffirmed at no index, then a short time', 'qr-shape',
      (_, __, items) => { items[26] = new Map([[14, new Uint8Array(32)], [15, short]]); }],
  ];
  for (const [name, code, change] of cases) {
    await t.test(name, async () => {
      const items = itemsOf(dossier);
      const texts = Buffer.from(items[25]).toString('latin1').split('\xff').slice(0, -1);
      const ends = texts.map(() => '\xff');
      change(texts, ends, items);
      items[25] = Buffer.from(texts.map((text, i) => text + ends[i]).join(''), 'latin1');
      await assert.rejects(expand(formOf(items)), { code });
    });
  }
});

test('a face data name that JavaScript knows is a name like any other', async () => {
  const { dossier } = await printed();
  const items = itemsOf(dossier);
  const first = items[25].subarray(0, items[25].length - utf8('businessScope预包装食品销售').length - 2);
  const names = ['1', '__proto__', 'constructor', 'toString'];
  items[25] = Buffer.concat([first, ...names.flatMap((name) => [utf8(name), Uint8Array.of(0xff, 0xfd)])]);
  const { credential } = parse(await expand(formOf(items)));
  assert.equal(write(credential.credentialSubject.faceData), '{"1":true,"__proto__":true,"constructor":true,"toString":true}');
});
