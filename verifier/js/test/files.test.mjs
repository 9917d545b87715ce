import { test } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseTlogProof } from '../note.js';
import { verify } from '../zhao.js';
import { write } from '../json.js';
import { codesOf } from '../kit/shrink.mjs';
import { AT, SALT, UNIT, bytesOf, defaultCosigners, keyOf, printed, world } from '../kit/world.mjs';

const CLI = fileURLToPath(new URL('../bin/zhao-verify.mjs', import.meta.url));
const clone = (value) => structuredClone(JSON.parse(write(value)));
const judge = (built, file, at = AT) => verify(bytesOf(file), { policy: built.policy, trust: built.trust, at });

function expect({ verdict, reasons, detail }, wanted, codes = []) {
  assert.deepEqual({ verdict, reasons }, { verdict: wanted, reasons: codes }, detail);
}

async function table(t, kind, cases, options = {}) {
  for (const [name, code, change, verdict = 'invalid'] of cases) {
    await t.test(name, async () => {
      const built = await world(options);
      const file = clone(built[kind]);
      await change(file, built);
      expect(await judge(built, file), verdict, [code]);
    });
  }
}

test('receipts', async (t) => {
  const built = await world();
  expect(await judge(built, built.receipt), 'valid');
  await table(t, 'receipt', [
    ['event altered', 'event_not_in_log', (f) => { f.event.effective = '2026-11-22T06:00:00.001Z'; }],
    ['an index that is not the proof\'s', 'malformed', (f) => { f.index = 3; }],
    ['event of another log', 'origin_mismatch', (f) => { f.event.origin = 'zhao.example/other'; }],
    ['unknown log', 'log_unknown', (f, b) => { b.policy = b.policy.replace(/^log .*$/m, ''); }, 'undetermined'],
    ['signature altered: the leaf is another', 'event_not_in_log', (f) => {
      f.event.signatures[0].signature = f.event.signatures[0].signature.replace(/^./, (c) => (c === 'A' ? 'B' : 'A'));
    }],
    ['proofs under two checkpoints', 'receipt_heads_differ', (f) => {
      // the same tree, a cosignature less
      f.proof = `${f.proof.trimEnd().split('\n').slice(0, -1).join('\n')}\n`;
    }],
    ['epoch not last', 'epoch_not_last', (f) => { f.head.epoch.index = 4; }],
    ['epoch altered', 'epoch_not_in_log', (f) => { f.head.epoch.subjects = 9; }],
    ['no event', 'malformed', (f) => { delete f.event; }],
  ]);
});

test('histories', async (t) => {
  const built = await world();
  expect(await judge(built, built.history), 'valid');
  await table(t, 'history', [
    ['record altered', 'record_not_in_map', (f) => { f.record.state = 'cancelled'; }],
    ['another subject', 'record_not_in_map', (f) => { f.subject = SALT; }],
    ['event moved', 'event_not_in_log', (f) => { f.entries[0].index = 3; }],
    ['event altered', 'event_not_in_log', (f) => { f.entries[0].event.effective = '2026-11-22T06:00:00.001Z'; }],
    ['epoch altered', 'epoch_not_in_log', (f) => { f.entries[0].epoch.subjects = 9; }],
    ['entry twice', 'history_incomplete', (f) => { f.entries.push(f.entries[0]); }],
    ['no entry', 'history_incomplete', (f) => { f.entries = []; }],
  ]);
  await t.test('too old', async () => expect(await judge(built, built.history, AT + 86_400_000), 'undetermined', ['too_old']));
  await t.test('an event left out', async () => {
    const other = await world({ record: ({ issued }) => ({ seq: 1, index: issued.index, latest: SALT }) });
    expect(await judge(other, other.history), 'invalid', ['history_incomplete']);
  });
});

test('answers', async (t) => {
  const built = await world();
  const result = await judge(built, built.answer);
  expect(result, 'valid');
  assert.deepEqual(result.facts.items.map(({ verdict }) => verdict), ['valid']);
  await table(t, 'answer', [
    ['item left out', 'answer_incomplete', (f) => { f.items = []; }],
    ['item twice', 'answer_incomplete', (f) => { f.items.push(f.items[0]); }],
    ['another subject', 'answer_incomplete', (f) => { f.items[0].subject = SALT; }],
    ['item record altered', 'item_not_in_map', (f) => { f.items[0].record.state = 'cancelled'; }],
    ['enterprise count altered', 'enterprise_not_in_map', (f) => { f.enterprise.record.count = 2; }],
    ['present said to be absent', 'enterprise_not_in_map', (f) => { delete f.enterprise.record; f.items = []; }],
    ['another enterprise', 'enterprise_not_in_map', (f) => { f.uscc = UNIT; }],
    ['registry altered', 'registry_invalid', (f) => { f.authorities.registry.record.keyDelay = 5; }],
    ['code that is none', 'malformed', (f) => { f.uscc = 'x'; }],
  ]);
  await t.test('an item without its credential is only a subject', async () => {
    const file = clone(built.answer);
    delete file.items[0].credential;
    const { verdict, facts } = await judge(built, file);
    assert.deepEqual([verdict, facts.items], ['valid', [{ subject: file.items[0].subject }]]);
  });
  await t.test('an item that is refused does not refuse the answer', async () => {
    const file = clone(built.answer);
    file.items[0].credential.credentialSubject.holderName = 'x';
    const { verdict, facts } = await judge(built, file);
    assert.equal(verdict, 'valid');
    assert.deepEqual(facts.items[0].reasons, ['proof_signature']);
  });
  await t.test('revoked items say so', async () => {
    const other = await world({ record: () => ({ state: 'revoked' }) });
    const { facts } = await judge(other, other.answer);
    assert.deepEqual(facts.items[0].reasons, ['revoked']);
  });
  await t.test('nothing logged: absence is proved', async () => {
    const other = await world();
    const file = clone(other.answer);
    file.uscc = '92140522DEM00105X6';
    delete file.enterprise.record;
    file.items = [];
    file.enterprise.path = await other.pathOf('enterprise', file.uscc);
    expect(await judge(other, file), 'valid');
    file.items = built.answer.items;
    expect(await judge(other, file), 'invalid', ['answer_incomplete']);
  });
});

test('issuer packs', async (t) => {
  const built = await world();
  expect(await judge(built, built.pack), 'valid');
  await table(t, 'pack', [
    ['unit altered', 'grant_invalid', (f) => { f.authorities.issuers[0].record.seq = 1; }],
    ['unit without history', 'grant_invalid', (f) => { f.authorities.issuers[0].history = []; }],
    ['unit path', 'issuer_not_in_map', (f) => { f.authorities.issuers[0].path = f.authorities.registry.path; }],
    ['type altered', 'type_not_in_map', (f) => { f.authorities.licenceTypes[0].record.version = 2; }],
    ['genesis of somebody else', 'genesis_mismatch', (f) => { f.authorities.registry.genesis.keyDelay = 0; }],
  ]);
});

test('evidence is not judged here', async () => {
  const built = await world();
  const file = { claim: 'two-heads', format: 'zhao/v1 evidence' };
  expect(await judge(built, file), 'undetermined', ['evidence_not_supported']);
});

test('keys that were lost: what they signed, and who stands by it', async (t) => {
  const { who } = await world();
  const unitKey = await keyOf('issuer', UNIT);
  const adding = {
    event: { data: { key: who.unit2.text }, signer: unitKey, verb: 'rotate-key' },
    keys: (people) => [people.unit],
    change: (unit, index) => {
      const types = unit.keys[0].types.map((type) => ({ ...type, from: index }));
      unit.keys.push({ from: index, key: who.unit2.text, types });
    },
  };
  const lost = (key, from) => ({
    event: { data: { from, key: key.text }, verb: 'compromise-key' },
    keys: (people) => people.admins,
    change: (unit, index) => {
      const entry = unit.keys.find((candidate) => candidate.key === key.text);
      Object.assign(entry, { compromisedFrom: from, until: index });
    },
  });
  const { thumbprintOf } = await import('../kit/ledger.mjs');
  const second = await thumbprintOf(who.unit2.raw);
  const cases = [
    ['issued by a lost key', [adding, lost(who.unit, 4)], {}, 'not_usable', ['key_compromised']],
    ['reaffirmed by another key', [adding, lost(who.unit, 4)], { reaffirmed: { by: second, index: 6 } }, 'valid', []],
    ['reaffirmed before that key was one', [adding, lost(who.unit, 4)], { reaffirmed: { by: second, index: 4 } },
      'not_usable', ['key_compromised']],
    ['reaffirmed by a key lost too', [adding, lost(who.unit, 4), lost(who.unit2, 5)],
      { reaffirmed: { by: second, index: 6 } }, 'not_usable', ['key_compromised']],
    ['changed by a lost key', [adding, lost(who.unit2, 5)], { index: 6, latestBy: second, seq: 1 }, 'not_usable',
      ['changed_by_compromised_key']],
    ['changed before it was lost', [adding, lost(who.unit2, 6)], { index: 5, latestBy: second, seq: 1 }, 'valid', []],
  ];
  for (const [name, unitEvents, record, verdict, reasons] of cases) {
    await t.test(name, async () => {
      const built = await world({ unitEvents, record: () => record });
      expect(await judge(built, built.dossier), verdict, reasons);
    });
  }
  await t.test('a second declaration may only reach further back', async () => {
    const built = await world({ unitEvents: [lost(who.unit, 3), lost(who.unit, 4)] });
    expect(await judge(built, built.dossier), 'invalid', ['grant_invalid']);
  });
  await t.test('a type the key was never granted', async () => {
    const built = await world({ addUnit: { data: { key: who.unit.text, types: [], unit: UNIT } } });
    const file = clone(built.dossier);
    assert.notDeepEqual(file.authorities.issuers[0].record.keys[0].types, []);
    expect(await judge(built, file), 'invalid', ['grant_invalid']);
  });
});

test('proposed keys wait for their delay', async (t) => {
  const { who } = await world();
  const types = ['11100000MB0143028R001'];
  const propose = {
    event: { data: { key: who.unit2.text, types }, verb: 'propose-key' },
    keys: (people) => people.admins,
    change: (unit) => unit.proposals.push({ key: who.unit2.text, recorded: '2026-11-22T07:00:00.000Z', types }),
  };
  const step = (verb, keys, change, signer) => ({
    event: { data: { key: who.unit2.text }, verb, ...(signer && { signer }) }, keys, change,
  });
  const admins = (people) => people.admins;
  const withdraw = step('withdraw-proposal', admins, (unit) => { unit.proposals = []; });
  const cases = [
    ['proposed', [propose], 'valid', []],
    ['proposed twice', [propose, propose], 'invalid', ['grant_invalid']],
    ['withdrawn', [propose, withdraw], 'valid', []],
    ['withdrawn by the unit', [propose, { ...withdraw, event: { ...withdraw.event, signer: await keyOf('issuer', UNIT) },
      keys: (people) => [people.unit] }], 'valid', []],
    ['withdrawn before it was proposed', [withdraw], 'invalid', ['grant_invalid']],
    ['confirmed at once', [propose, step('confirm-key', admins, (unit, index) => {
      unit.proposals = [];
      unit.keys.push({ from: index, key: who.unit2.text, types: [{ from: index, typeCode: types[0] }] });
    })], 'invalid', ['grant_invalid']],
  ];
  for (const [name, unitEvents, verdict, reasons] of cases) {
    await t.test(name, async () => {
      const built = await world({ unitEvents });
      expect(await judge(built, built.dossier), verdict, reasons);
    });
  }
});

test('command line: exit codes, JSON, batch', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'zhao-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const at = (name) => join(folder, name);
  const built = await world();
  const revoked = await world({ record: () => ({ state: 'revoked' }) });
  const { authorities, ...slim } = built.dossier;
  assert.ok(authorities);
  writeFileSync(at('policy.txt'), built.policy);
  writeFileSync(at('trust.txt'), built.trust);
  writeFileSync(at('good.json'), bytesOf(built.dossier));
  writeFileSync(at('slim.json'), bytesOf(slim));
  writeFileSync(at('bad.json'), bytesOf(revoked.dossier));
  const run = (words, input) => {
    const args = ['--no-warnings', CLI, ...words, '--policy', at('policy.txt'), '--at', '2026-11-22T08:00:00.000Z'];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { input, encoding: 'utf8' });
    return { status, stdout, stderr };
  };
  assert.equal(run([at('good.json')]).status, 0);
  assert.equal(run([at('bad.json')]).status, 1);
  assert.equal(run([at('missing.json')]).status, 2);
  assert.equal(run([]).status, 2);
  assert.equal(run([at('good.json'), '--unknown']).status, 2);
  assert.equal(run([at('good.json'), '--max-age', '1x']).status, 2);
  assert.equal(run([at('slim.json')]).status, 3);
  assert.equal(run([at('good.json'), '--max-age', '1s']).status, 3);
  const parsed = JSON.parse(run([at('bad.json'), '--json']).stdout);
  assert.deepEqual(Object.keys(parsed), ['assurance', 'facts', 'fragments', 'reasons', 'verdict']);
  const standing = parsed.fragments.find(({ name }) => name === 'standing');
  assert.deepEqual([standing.outcome, standing.codes], ['fail', ['revoked']]);
  assert.match(run([at('bad.json')]).stdout, /^standing   fail revoked$/m);
  assert.deepEqual(parsed.reasons, ['revoked']);
  writeFileSync(at('issuer-pack.json'), bytesOf(built.pack));
  assert.equal(run([at('slim.json')]).status, 0, 'the pack beside the policy is found');
  const requests = [
    { file: at('good.json') },
    { bytes: Buffer.from(bytesOf(revoked.dossier)).toString('base64') },
    { file: at('good.json'), at: '2026-11-30T08:00:00.000Z' },
    { file: at('missing.json') },
  ];
  const { stdout, status } = run(['--batch'], `${requests.map((r) => JSON.stringify(r)).join('\n')}\n`);
  const answers = stdout.trim().split('\n').map((text) => JSON.parse(text));
  assert.equal(status, 0);
  assert.deepEqual(answers.map(({ verdict }) => verdict), ['valid', 'invalid', 'undetermined', undefined]);
  assert.match(answers[3].error, /ENOENT/);
});

test('command line: QR forms and codes', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'zhao-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const at = (name) => join(folder, name);
  const { built, form, text } = await printed();
  const codes = await codesOf(form, 2);
  writeFileSync(at('policy.txt'), built.policy);
  writeFileSync(at('trust.txt'), built.trust);
  writeFileSync(at('issuer-pack.json'), bytesOf(built.pack));
  writeFileSync(at('form.qr'), form);
  writeFileSync(at('codes.txt'), `${codes.join('\n')}\n`);
  writeFileSync(at('half.txt'), codes[0]);
  const run = (words, input) => {
    const args = ['--no-warnings', CLI, ...words, '--policy', at('policy.txt'), '--at', '2026-11-22T08:00:00.000Z'];
    return spawnSync(process.execPath, args, { input, encoding: 'utf8' });
  };
  assert.equal(run([at('form.qr')]).status, 0);
  assert.equal(run([at('codes.txt')]).status, 0);
  assert.match(run([at('half.txt')]).stdout, /malformed[^]*qr-part-missing/);
  const bytes = Buffer.from(form).toString('base64');
  const requests = [
    { bytes }, { codes }, { codes: codes.slice(1) }, { bytes, expand: true }, { codes, expand: true },
    { codes: [codes[0], codes[0]], expand: true }, { bytes: '', expand: true },
  ];
  const { stdout } = run(['--batch'], requests.map((request) => JSON.stringify(request)).join('\n'));
  const answers = stdout.trim().split('\n').map((line) => JSON.parse(line));
  assert.deepEqual(answers.slice(0, 3).map(({ verdict }) => verdict), ['valid', 'valid', 'invalid']);
  assert.deepEqual(answers.slice(3), [
    { dossier: text }, { dossier: text }, { error: 'qr-part-missing' }, { error: 'qr-cbor-end' },
  ]);
});

test('the default cosigners reach the quorum and one auditor', async () => {
  const built = await world();
  const proof = parseTlogProof(built.dossier.head.proof);
  assert.equal(proof.checkpoint.split('\u2014').length - 1, 1 + defaultCosigners(built.who).length);
});
