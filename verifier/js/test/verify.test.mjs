import { test } from 'node:test';
import assert from 'node:assert/strict';
import { PolicyError, verify } from '../zhao.js';
import { utf8 } from '../binary.js';
import { write } from '../json.js';
import { Draft, NAMES, verdictOf } from '../report.js';
import { AT, SALT, UNIT, bytesOf, credentialOf, defaultCosigners, keyOf, world } from '../kit/world.mjs';

const HOUR = 3_600_000;

async function judge(built, file, { at = AT, pack, maxAge } = {}) {
  return verify(bytesOf(file), { policy: built.policy, trust: built.trust, at, pack, maxAge });
}

function expect(result, verdict, reasons = [], assurance = undefined) {
  assert.deepEqual({ verdict: result.verdict, reasons: result.reasons }, { verdict, reasons }, result.detail);
  if (assurance !== undefined) assert.deepEqual(result.assurance, assurance);
}

const clone = (value) => structuredClone(JSON.parse(write(value)));

// A dossier of the default world with one thing changed by hand.
async function bent(change) {
  const built = await world();
  const dossier = clone(built.dossier);
  await change(dossier, built);
  return judge(built, dossier);
}

test('a dossier that is right in everything is valid, with its facts', async () => {
  const built = await world();
  const result = await judge(built, built.dossier);
  expect(result, 'valid', [], []);
  assert.deepEqual(Object.keys(result.facts).sort(), [
    'age', 'asOf', 'auditors', 'effective', 'epoch', 'holder', 'issuedBy', 'issuedIndex', 'quorum', 'quorumTime',
    'recorded', 'size', 'state', 'subject', 'typeCode', 'unit', 'witnesses',
  ]);
  const { fragments, facts } = result;
  assert.deepEqual(fragments.map(({ name }) => name), NAMES);
  for (const { outcome, codes } of fragments) assert.deepEqual([outcome, codes], ['pass', []]);
  // every fact is told by one fragment
  assert.deepEqual(Object.assign({}, ...fragments.map((fragment) => fragment.facts)), facts);
  assert.deepEqual(fragments[3].facts.age, AT - Date.parse(facts.asOf));
});

test('each question is answered by itself, and what comes after a failure is not', async (t) => {
  const late = { maxAge: 1000 };
  const expired = { credential: { document: { validUntil: '2026-11-22T08:00:00.000Z' } } };
  const cases = [
    ['integrity', {}, (d) => { d.credential.credentialSubject.holderName = 'x'; }, {},
      'fail proof_signature,not_checked,not_checked,not_checked,not_checked,pass'],
    ['authority', {}, (d) => { d.authorities.issuers = []; }, {},
      'pass,fail issuer_missing,not_checked,not_checked,pass,pass'],
    ['validity', expired, () => {}, {}, 'pass,pass,fail expired,pass,pass,pass'],
    ['standing', {}, () => {}, late, 'pass,not_checked,not_checked,undetermined too_old,pass,pass'],
    ['standing and authority', { record: () => ({ pledges: [4] }), typeRecord: { state: 'retired' } }, () => {}, {},
      'pass,pass type_retired,pass,pass pledged,pass,pass'],
    ['witnesses', { cosigners: (who) => defaultCosigners(who).slice(1) }, () => {}, {},
      'pass,not_checked,not_checked,not_checked,undetermined witness_quorum,pass'],
    ['schema', {}, (d) => { d.more = 1; }, {},
      'not_checked,not_checked,not_checked,not_checked,not_checked,fail malformed'],
  ];
  for (const [name, options, change, settings, expected] of cases) {
    await t.test(name, async () => {
      const built = await world(options);
      const dossier = clone(built.dossier);
      change(dossier);
      const { fragments, verdict } = await judge(built, dossier, settings);
      const texts = fragments.map(({ outcome, codes }) => [outcome, ...codes].join(' '));
      assert.equal(texts.join(',').replaceAll('undetermined not_checked', 'not_checked'), expected);
      assert.equal(verdictOf(fragments), verdict);
    });
  }
});

test('the verdict is made of outcomes and codes alone', () => {
  const of = (...texts) => verdictOf(texts.map((text) => {
    const [outcome, ...codes] = text.split(' ');
    return { outcome, codes };
  }));
  assert.equal(of('pass', 'pass'), 'valid');
  assert.equal(of('pass', 'pass mortgaged'), 'valid_with_notice');
  assert.equal(of('pass inspection_failed'), 'valid_with_notice');
  assert.equal(of('fail inspection_failed'), 'not_usable');
  assert.equal(of('fail on_hold pledged', 'pass'), 'not_usable');
  assert.equal(of('fail on_hold', 'fail expired'), 'invalid');
  assert.equal(of('fail revoked on_hold'), 'invalid');
  assert.equal(of('fail proof_signature', 'undetermined not_checked'), 'invalid');
  assert.equal(of('fail never_heard_of'), 'invalid', 'a code that is not known is not forgiven');
  assert.equal(of('pass mortgaged', 'undetermined too_old'), 'undetermined');
});

test('a question that was not answered is never passed', () => {
  const draft = new Draft();
  for (const name of NAMES) {
    assert.equal(verdictOf(draft.fragments([], {})), 'undetermined', name);
    draft.answer(name);
  }
  assert.equal(verdictOf(draft.fragments([], {})), 'valid');
});

test('steps 1 and 2: what does not decode, or is not signed by its issuer', async (t) => {
  const cases = [
    ['unknown member', 'malformed', (d) => { d.more = 1; }],
    ['record of another kind', 'malformed', (d) => { d.record = d.authorities.registry.record; }],
    ['no head', 'malformed', (d) => { delete d.head; }],
    ['another format', 'malformed', (d) => { d.format = 'zhao/v2 dossier'; }],
    ['checkpoint with an extension line', 'malformed',
      (d) => { d.head.proof = d.head.proof.replace('=\n\n\u2014', '=\nmore\n\n\u2014'); }],
    ['issuers not ascending', 'malformed', (d) => { d.authorities.issuers.push(d.authorities.issuers[0]); }],
    ['credential without a claim', 'credential_malformed', (d) => { delete d.credential.credentialSubject.holderName; }],
    ['credential of two units', 'credential_malformed', (d) => { d.credential.issuer.unit = '11420600DEM0001107'; }],
    ['claim altered', 'proof_signature', (d) => { d.credential.credentialSubject.holderName = 'x'; }],
    ['another key for the issuer', 'proof_key_not_issuer',
      async (d, { who }) => { d.credential = await credentialOf(who, { signer: who.stranger }); }],
  ];
  for (const [name, code, change] of cases) {
    await t.test(name, async () => expect(await bent(change), 'invalid', [code], []));
  }
});

test('steps 3 to 5: log, record and map', async (t) => {
  const cases = [
    ['policy without this log', 'undetermined', 'log_unknown',
      async (d, b) => { b.policy = b.policy.replace(/^log .*$/m, ''); }],
    ['credential of another log', 'invalid', 'origin_mismatch',
      async (d, { who }) => { d.credential = await credentialOf(who, { status: { origin: 'zhao.example/other' } }); }],
    ['another credential of the same unit', 'invalid', 'record_digest',
      async (d, { who }) => { d.credential = await credentialOf(who, { subject: { licenceNumber: '2' } }); }],
    ['record of another issuer', 'invalid', 'record_issuer',
      async (d) => { d.record.issuer = await keyOf('issuer', '11420600DEM0001107'); }],
    ['record by another key', 'invalid', 'record_issued_by', (d) => { d.record.issuedBy = d.record.issuer; }],
    ['record of another type', 'invalid', 'record_type', (d) => { d.record.typeCode = '11100000000013127D001'; }],
    ['commitment without salt', 'invalid', 'record_type',
      (d) => { delete d.record.typeCode; d.record.typeCommitment = d.record.issuer; }],
    ['record with another state', 'invalid', 'record_not_in_map', (d) => { d.record.state = 'revoked'; }],
    ['path of another record', 'invalid', 'record_not_in_map',
      (d) => { d.path = d.authorities.registry.path; }],
    ['map root altered', 'invalid', 'record_not_in_map', (d) => { d.head.epoch.mapRoot = d.record.issuer; }],
    ['epoch not at the proof\'s index', 'invalid', 'epoch_not_last', (d) => { d.head.epoch.index = 4; }],
    ['epoch time altered', 'invalid', 'epoch_not_in_log', (d) => { d.head.epoch.time = '2026-11-22T07:30:00.000Z'; }],
  ];
  for (const [name, verdict, code, change] of cases) {
    await t.test(name, async () => expect(await bent(change), verdict, [code], []));
  }
  await t.test('a stale map under a fresh checkpoint', async () => {
    const built = await world({ leafAfterEpoch: true });
    expect(await judge(built, built.dossier), 'invalid', ['epoch_not_last']);
  });
});

test('step 6: signatures, quorum and auditors', async (t) => {
  const cosigned = (pick) => ({ cosigners: (who) => pick(defaultCosigners(who), who) });
  const cases = [
    ['log key of somebody else', { logKey: (who) => who.stranger }, 'invalid', ['log_signature']],
    ['one witness of three', cosigned(([w1, , a]) => [w1, a]), 'undetermined', ['witness_quorum']],
    ['one witness twice', cosigned(([w1, , a]) => [w1, { ...w1, seconds: w1.seconds + 1 }, a]), 'undetermined',
      ['witness_quorum']],
    ['a witness under another name', cosigned(([w1, w2, a]) => [w1, { ...w2, name: 'x.example' }, a]), 'undetermined',
      ['witness_quorum']],
    ['no auditor', cosigned(([w1, w2]) => [w1, w2]), 'undetermined', ['auditor_quorum']],
  ];
  for (const [name, options, verdict, reasons] of cases) {
    await t.test(name, async () => {
      const built = await world(options);
      expect(await judge(built, built.dossier), verdict, reasons, []);
    });
  }
  await t.test('a false cosignature beside a full quorum', async () => {
    const result = await bent((d, b) => {
      const line = d.head.proof.split('\n').find((text) => text.includes('w1.example'));
      const false3 = line.replace('w1.example', 'w3.example');
      const [dash, name, blob] = false3.split(' ');
      // the key id of w3 before the signature of w1
      const id = Buffer.from(b.policy.match(/w3\.example\+([0-9a-f]{8})/)[1], 'hex');
      const forged = Buffer.concat([id, Buffer.from(blob, 'base64').subarray(4)]).toString('base64');
      d.head.proof += `${dash} ${name} ${forged}\n`;
    });
    expect(result, 'invalid', ['cosignature_invalid'], []);
  });
});

test('step 7: who made the issuer', async (t) => {
  const cases = [
    ['another genesis trusted', { genesisHash: SALT }, 'invalid', ['genesis_mismatch']],
    ['one administrator of two', { addUnitKeys: ({ admins }) => [admins[0]] }, 'invalid', ['grant_invalid']],
    ['a stranger beside the administrators', { addUnitKeys: ({ admins, stranger }) => [...admins, stranger] }, 'invalid',
      ['grant_invalid']],
    ['a unit added for the future', { addUnit: { effective: '2026-11-22T06:30:00.001Z' } }, 'invalid', ['grant_invalid']],
    ['issued before the type was granted', {
      addUnit: undefined,
      unitEvents: [],
      record: ({ issued }) => ({ issuedIndex: issued.index - 4 }),
    }, 'invalid', ['key_not_authorised']],
    ['type closed since, and the licence in clear', {
      typeRecord: { index: 9, openness: 'closed', openSince: undefined, indexed: false, indexedSince: undefined },
    }, 'valid', []],
    ['open type committed, and a new version since', {
      credential: { typeSalt: SALT }, typeRecord: { index: 9 },
    }, 'invalid', ['type_openness']],
    ['left out of the index, and a new version since', {
      record: () => ({ enterprise: undefined }), typeRecord: { index: 9 },
    }, 'invalid', ['enterprise_mismatch']],
    ['closed type in clear', { type: { openness: 'closed', indexed: false, individualBusinesses: false } }, 'invalid',
      ['type_openness']],
    ['open type committed', { credential: { typeSalt: SALT } }, 'invalid', ['type_openness']],
    ['indexed type, licence left out of the index', { record: () => ({ enterprise: undefined }) }, 'invalid',
      ['enterprise_mismatch']],
    ['enterprise of somebody else', { record: () => ({ enterprise: SALT }) }, 'invalid', ['enterprise_mismatch']],
  ];
  for (const [name, options, verdict, reasons] of cases) {
    await t.test(name, async () => {
      const built = await world(options);
      expect(await judge(built, built.dossier), verdict, reasons, []);
    });
  }
  const bentCases = [
    ['registry with a key more', 'registry_invalid', (d) => { d.authorities.registry.record.keyDelay = 1; }],
    ['registry path wrong', 'registry_not_in_map', (d) => { d.authorities.registry.path = d.path; }],
    ['issuer left out', 'issuer_missing', (d) => { d.authorities.issuers = []; }],
    ['unit record with another state', 'grant_invalid', (d) => { d.authorities.issuers[0].record.state = 'suspended'; }],
    ['unit path wrong', 'issuer_not_in_map', (d) => { d.authorities.issuers[0].path = d.path; }],
    ['type left out', 'type_missing', (d) => { d.authorities.licenceTypes = []; }],
    ['type path wrong', 'type_not_in_map', (d) => { d.authorities.licenceTypes[0].path = d.path; }],
  ];
  for (const [name, code, change] of bentCases) {
    await t.test(name, async () => expect(await bent(change), 'invalid', [code], []));
  }
});

test('step 7: authorities from an issuer pack', async (t) => {
  const built = await world();
  const { authorities, ...slim } = built.dossier;
  assert.ok(authorities);
  const other = clone(built.pack);
  other.authorities.issuers = [];
  const stale = clone(built.pack);
  stale.head.epoch.mapRoot = SALT;
  const cases = [
    ['missing', undefined, 'undetermined', ['issuer_pack_missing']],
    ['given', write(built.pack), 'valid', []],
    ['given with a newline', bytesOf(built.pack), 'valid', []],
    ['not JSON', 'x', 'undetermined', ['issuer_pack_malformed']],
    ['a dossier', write(built.dossier), 'undetermined', ['issuer_pack_malformed']],
    ['without the unit', write(other), 'undetermined', ['issuer_missing']],
    ['with another epoch', write(stale), 'undetermined', ['issuer_pack_epoch_not_in_log']],
  ];
  for (const [name, pack, verdict, reasons] of cases) {
    await t.test(name, async () => expect(await judge(built, slim, { pack }), verdict, reasons, []));
  }
  await t.test('too old', async () => {
    const at = AT + 31 * 24 * HOUR;
    expect(await judge(built, slim, { pack: write(built.pack), at, maxAge: 90 * 24 * HOUR }), 'undetermined',
      ['issuer_pack_too_old']);
  });
});

test('step 8: times', async (t) => {
  const built = await world();
  const head = Date.parse('2026-11-22T07:00:00.000Z');
  const at = (ms) => judge(built, built.dossier, { at: ms });
  await t.test('exactly as old as allowed', async () => expect(await at(head + 24 * HOUR), 'valid'));
  await t.test('a millisecond older', async () => expect(await at(head + 24 * HOUR + 1), 'undetermined', ['too_old']));
  await t.test('ahead by the skew', async () => expect(await at(head - 60_000), 'valid'));
  await t.test('ahead by more', async () => expect(await at(head - 60_001), 'undetermined', ['as_of_in_future']));
  const shifted = (by) => ({
    cosigners: (who) => defaultCosigners(who).map((entry, i) => (i === 0 ? entry : { ...entry, seconds: entry.seconds + by })),
  });
  await t.test('a quorum that came late', async () => {
    const late = await world({
      cosigners: (who) => defaultCosigners(who).map((entry) => ({ ...entry, seconds: entry.seconds + 900 })),
    });
    expect(await judge(late, late.dossier), 'undetermined', ['epoch_time_implausible']);
  });
  await t.test('one late witness changes nothing: the older of the two counts', async () => {
    const late = await world(shifted(100_000));
    expect(await judge(late, late.dossier), 'valid');
  });
  await t.test('a quorum in a year that has no text', async () => {
    const far = await world(shifted(2 ** 52));
    expect(await judge(far, far.dossier), 'valid', []);
    const both = await world({
      cosigners: (who) => defaultCosigners(who).map((entry) => ({ ...entry, seconds: 2n ** 63n - 1n })),
    });
    const result = await judge(both, both.dossier);
    expect(result, 'undetermined', ['epoch_time_implausible'], []);
    assert.equal('quorumTime' in result.facts, false);
  });
  await t.test('a quorum before the epoch', async () => {
    const early = await world(shifted(-70));
    expect(await judge(early, early.dossier), 'undetermined', ['epoch_time_implausible']);
  });
});

test('steps 9 and 10: dates and life cycle, everything collected in order', async (t) => {
  const suspends = { type: { inspection: 'suspends' } };
  const notice = { type: { inspection: 'notice' } };
  const failed = { inspection: { due: '2026-11-22T07:30:00.000Z', result: 'failed' } };
  const with_ = (record, options = {}) => ({ ...options, record: () => record });
  const cases = [
    ['terminal states', with_({ state: 'annulled' }), 'invalid', ['annulled']],
    ['suspended twice', with_({ suspensions: ['on_hold', 'withheld'] }), 'not_usable', ['on_hold', 'withheld']],
    ['revoked while lost and pledged', with_({ state: 'revoked', suspensions: ['reported_lost'], pledges: [4] }), 'invalid',
      ['revoked', 'reported_lost', 'pledged']],
    ['encumbered', with_({ mortgages: [5], objections: [6], pledges: [7] }), 'valid_with_notice',
      ['mortgaged', 'pledged', 'objection']],
    ['inspection nobody asks for', with_(failed), 'valid', []],
    ['inspection as a notice', with_(failed, notice), 'valid_with_notice', ['inspection_failed', 'inspection_overdue']],
    ['inspection that suspends', with_(failed, suspends), 'not_usable', ['inspection_failed', 'inspection_overdue']],
    ['type retired', { typeRecord: { state: 'retired' } }, 'valid_with_notice', ['type_retired']],
    ['expired', { credential: { document: { validUntil: '2026-11-22T08:00:00.000Z' } } }, 'invalid', ['expired']],
    ['not yet valid', { credential: { document: { validFrom: '2026-11-22T08:00:00.001Z' } } }, 'not_usable', ['not_yet_valid']],
    ['no end', { credential: { document: { validUntil: '9999-12-31T00:00:00.000Z' } } }, 'valid', []],
  ];
  for (const [name, options, verdict, reasons] of cases) {
    await t.test(name, async () => {
      const built = await world(options);
      expect(await judge(built, built.dossier), verdict, reasons, []);
    });
  }
});

test('compromised and rotated keys', async (t) => {
  const lost = (from) => ({
    event: { data: { from }, verb: 'compromise-key' },
    keys: (who) => who.admins,
    change: (unit, index) => Object.assign(unit.keys[0], { compromisedFrom: from, until: index }),
  });
  const { who } = await world();
  const unitKey = await keyOf('issuer', UNIT);
  const withKey = (step) => ({ ...step, event: { ...step.event, data: { ...step.event.data, key: who.unit.text } } });
  const rotate = {
    event: { data: { key: who.unit2.text, retire: who.unit.text }, signer: unitKey, verb: 'rotate-key' },
    keys: (people) => [people.unit],
    change: (unit, index) => {
      unit.keys[0].until = index;
      unit.keys.push({ from: index, key: who.unit2.text, types: unit.keys[0].types.map((type) => ({ ...type, from: index })) });
    },
  };
  const cases = [
    ['compromised from before the issue', [withKey(lost(2))], undefined, 'not_usable', ['key_compromised']],
    ['compromised after the issue', [withKey(lost(5))], undefined, 'valid', []],
    ['rotated after the issue', [rotate], undefined, 'valid', []],
    ['rotated, then signed by the old key', [rotate, { ...rotate, change: undefined }], undefined, 'invalid', ['grant_invalid']],
    ['suspended', [{
      event: { data: {}, verb: 'suspend-unit' }, keys: (people) => people.admins, change: (unit) => { unit.state = 'suspended'; },
    }], undefined, 'valid_with_notice', ['issuer_suspended']],
    ['suspended by itself', [{
      event: { data: {}, signer: unitKey, verb: 'suspend-unit' }, keys: (people) => [people.unit],
      change: (unit) => { unit.state = 'suspended'; },
    }], undefined, 'invalid', ['grant_invalid']],
  ];
  for (const [name, steps, record, verdict, reasons] of cases) {
    await t.test(name, async () => {
      const built = await world({ unitEvents: steps, record });
      expect(await judge(built, built.dossier), verdict, reasons, []);
    });
  }
});

test('assurance notes never change the verdict', async (t) => {
  const cases = [
    [{ quorum: 'none', cosigners: (who) => defaultCosigners(who).slice(2) }, ['no_witness']],
    [{ localWitnesses: ['w1'] }, ['witnesses_local']],
    [{ localWitnesses: ['w3'] }, []],
    [{ auditors: 'none', cosigners: (who) => defaultCosigners(who).slice(0, 2) }, ['no_auditor']],
    [{ auditorLocal: true, localWitnesses: ['w1', 'w2'] }, ['witnesses_local', 'auditors_local']],
  ];
  for (const [options, assurance] of cases) {
    await t.test(assurance.join() || 'none', async () => {
      const built = await world(options);
      expect(await judge(built, built.dossier), 'valid', [], assurance);
    });
  }
});

test('the caller\'s own mistakes are exceptions', async () => {
  const { policy, trust, dossier } = await world();
  const bytes = bytesOf(dossier);
  await assert.rejects(verify(bytes, { policy: 'x', trust, at: AT }), (e) => e instanceof PolicyError && e.line === 1);
  await assert.rejects(verify(bytes, { policy, trust: '', at: AT }), { code: 'missing' });
  const elsewhere = trust.replace('zhao.example/changzhou', 'zhao.example/other');
  await assert.rejects(verify(bytes, { policy, trust: elsewhere, at: AT }), { code: 'administrator_missing' });
  await assert.rejects(verify(bytes, { policy, trust: `${trust}local-witness w9\n`, at: AT }), { code: 'unknown_witness' });
  await assert.rejects(verify(bytes, { policy, trust, at: undefined }), TypeError);
});

test('files over the size of their format are malformed', async () => {
  const built = await world();
  const padded = (file, count) => {
    const big = clone(file);
    big.credential.credentialSubject.faceData = {};
    for (let i = 0; i < count; i++) big.credential.credentialSubject.faceData[`f${i}`] = 'x'.repeat(4096);
    return big;
  };
  // within the dossier's limit, above the credential's; then above both
  expect(await judge(built, padded(built.dossier, 80)), 'invalid', ['malformed']);
  expect(await judge(built, padded(built.dossier, 60)), 'invalid', ['proof_signature']);
  expect(await judge(built, padded(built.dossier, 300)), 'invalid', ['malformed']);
});

test('hostile bytes give a verdict, never an exception, and never a usable one', async () => {
  const built = await world();
  const start = bytesOf(built.dossier);
  let random = 11;
  const next = (n) => (random = (random * 48_271) % 2_147_483_647) % n;
  for (let i = 0; i < 600; i++) {
    let bytes = start.slice();
    const kind = next(4);
    if (kind === 0) bytes = bytes.subarray(0, next(bytes.length));
    else for (let flips = 1 + next(2); flips > 0; flips--) bytes[next(bytes.length - 1)] ^= 1 << next(8);
    if (Buffer.compare(bytes, start.subarray(0, bytes.length)) === 0 && bytes.length >= start.length - 1) continue;
    const result = await verify(bytes, { policy: built.policy, trust: built.trust, at: AT });
    assert.ok(!result.verdict.startsWith('valid'), `mutant ${i}: ${result.verdict}`);
    assert.equal(result.reasons.length, 1);
  }
  for (const text of ['', '\n', '{}', '[]', '""', '0', '{"format":"zhao/v1 nothing"}', '{"format":1}']) {
    expect(await verify(utf8(text), { policy: built.policy, trust: built.trust, at: AT }), 'invalid', ['malformed'], []);
  }
});
