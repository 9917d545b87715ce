// @digitalbazaar's issuer and verifier against ours, both ways, with both suites: what either signs
// the other must take, and of what is changed afterwards neither may take anything.
//
// Usage: node proofs.mjs PROGRAM CONTEXTS     the example program of spec/vc; spec/vc/contexts

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import { DataIntegrityProof } from '@digitalbazaar/data-integrity';
import * as jcs from '@digitalbazaar/eddsa-jcs-2022-cryptosuite';
import * as rdfc from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import * as vc from '@digitalbazaar/vc';

import { loaderOf } from './loader.mjs';

const [program, folder] = process.argv.slice(2);
const NOON = '2026-03-02T12:00:00Z';
const SEED = '11'.repeat(32);

// --- ours --------------------------------------------------------------------------------------

const child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
async function ours(request) {
  child.stdin.write(`${JSON.stringify(request)}\n`);
  const { value, done } = await answers.next();
  if (done) throw new Error('our program ended');
  return JSON.parse(value);
}

// --- theirs ------------------------------------------------------------------------------------

const documentLoader = loaderOf(folder);

const suites = {
  'eddsa-jcs-2022': { sign: jcs.createSignCryptosuite, verify: jcs.createVerifyCryptosuite },
  'eddsa-rdfc-2022': { sign: () => rdfc.cryptosuite, verify: () => rdfc.cryptosuite },
};

const pair = await Ed25519Multikey.generate({ seed: Buffer.from('22'.repeat(32), 'hex') });
pair.controller = `did:key:${pair.publicKeyMultibase}`;
pair.id = `${pair.controller}#${pair.publicKeyMultibase}`;

async function theirSign(credential, name) {
  const suite = new DataIntegrityProof({
    signer: pair.signer(),
    date: new Date(NOON),
    cryptosuite: suites[name].sign(),
  });
  return vc.issue({ credential, suite, documentLoader, now: new Date(NOON) });
}

async function theirVerify(credential, name) {
  const suite = new DataIntegrityProof({ cryptosuite: suites[name].verify() });
  const checkStatus = async () => ({ verified: true });
  const now = new Date(NOON);
  const result = await vc.verifyCredential({ credential, suite, documentLoader, checkStatus, now });
  if (result.verified) return null;
  const errors = result.error?.errors ?? [result.error];
  return errors.map((error) => error?.message ?? `${error}`).join(', ') || 'no reason given';
}

// --- what is signed ----------------------------------------------------------------------------

const V2 = 'https://www.w3.org/ns/credentials/v2';
const EXAMPLES = 'https://www.w3.org/ns/credentials/examples/v2';
const base = {
  '@context': [V2, EXAMPLES],
  id: 'urn:uuid:0b8e5a3c-6d1f-4f2a-9c47-2f6b1d3e8a90',
  type: ['VerifiableCredential', 'ExampleCredential'],
  validFrom: '2026-03-01T00:00:00Z',
  credentialSubject: { id: 'did:example:s', alumniOf: 'The School of Examples' },
};
const documents = {
  plain: base,
  'Chinese and English': {
    ...base,
    name: [
      { '@value': '食品经营许可证', '@language': 'zh-CN' },
      { '@value': 'Food permit', '@language': 'en' },
    ],
  },
  'a text with a direction': {
    ...base,
    name: { '@value': 'رخصة', '@language': 'ar-EG', '@direction': 'rtl' },
    description: { '@value': 'x', '@direction': 'ltr' },
  },
  'numbers and truth values': {
    ...base,
    credentialSubject: { score: 1.5, count: 12, big: 1e21, small: -0.000001, yes: true, no: false },
  },
  'nameless things': {
    ...base,
    credentialSubject: [
      { knows: [{ givenName: 'a' }, { givenName: 'b' }, { knows: { givenName: 'a' } }] },
      { id: 'did:example:t', knows: { givenName: 'c' } },
    ],
    evidence: [{ type: 'Evidence', step: 1 }, { type: 'Evidence', step: 2 }],
  },
  'an issuer with a name': { ...base, issuer: { name: 'Office' } },
  'the rare and the strange': {
    ...base,
    name: '𠮷野家 "quoted" \\ back\u0001\u007f\n\t end',
    description: '\u{1f600} é e\u0301 ﬀ',
  },
  'status, schema, terms, evidence': {
    ...base,
    credentialStatus: {
      id: 'https://office.example/status/1#94567',
      type: 'BitstringStatusListEntry',
      statusPurpose: 'revocation',
      statusListIndex: '94567',
      statusListCredential: 'https://office.example/status/1',
    },
    credentialSchema: { id: 'https://office.example/schema/1', type: 'JsonSchema' },
    termsOfUse: { type: 'ExampleTerms', id: 'https://office.example/terms' },
    refreshService: { type: 'ExampleRefresh', id: 'https://office.example/refresh' },
    relatedResource: {
      id: V2,
      digestSRI: 'sha256-WZVc7WaX1h4D8rJVb+vlMIqxaEKEb1tYbX9/Ha3sknM=',
    },
  },
  'a licence': {
    '@context': [V2, 'https://zhao.example/ns/licence/v1'],
    id: base.id,
    type: ['VerifiableCredential', 'LicenceCredential'],
    issuer: { name: '示例局', unit: '11320400DEM0001293' },
    validFrom: base.validFrom,
    credentialStatus: { type: 'ZhaoLedgerEntry', origin: 'log.zhao.example/2026' },
    credentialSubject: {
      type: 'Licence',
      holderName: '常州示例食品有限公司',
      faceData: { capital: 5000000, scope: '销售', small: true },
    },
  },
};

const changes = {
  'a claim': (document) => {
    document.credentialSubject = { id: 'did:example:forged' };
  },
  'the issuer': (document) => {
    const other = `did:key:z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2`;
    document.issuer = typeof document.issuer === 'string' ? other : { ...document.issuer, id: other };
  },
  'the signature': (document) => {
    const value = document.proof.proofValue;
    const at = value.length >> 1;
    const other = value[at] === '2' ? '3' : '2';
    document.proof.proofValue = value.slice(0, at) + other + value.slice(at + 1);
  },
  'the purpose': (document) => {
    document.proof.proofPurpose = 'authentication';
  },
  'the time': (document) => {
    document.proof.created = '2026-03-02T12:00:01Z';
  },
};

let passed = 0;
const failures = [];
function judge(what, good, why) {
  if (good) passed += 1;
  else failures.push(`${what}: ${why}`);
}
const issued = (document, did) => ({
  ...document,
  issuer: typeof document.issuer === 'object' ? { id: did, ...document.issuer } : did,
});

const key = (await ours({ sign: {}, suite: 'eddsa-jcs-2022', seed: SEED })).ok.proof
  .verificationMethod.split('#')[0];
for (const name of Object.keys(suites)) {
  for (const [title, document] of Object.entries(documents)) {
    const what = `${name}, ${title}`;
    const made = await ours({ sign: issued(document, key), suite: name, seed: SEED, created: NOON });
    judge(`${what}: ours`, 'ok' in made, JSON.stringify(made));
    const theirs = await theirSign(issued(document, pair.controller), name);
    const both = [
      ['ours, read by them', made.ok, async (one) => theirVerify(one, name)],
      ['theirs, read by us', theirs, async (one) => {
        const controller = typeof one.issuer === 'string' ? one.issuer : one.issuer.id;
        const answer = await ours({ verify: one, at: NOON, controller });
        return 'ok' in answer ? null : `${answer.error}: ${answer.detail}`;
      }],
    ];
    for (const [direction, credential, verify] of both) {
      if (credential === undefined) continue;
      const answer = await verify(structuredClone(credential));
      judge(`${what}: ${direction}`, answer === null, answer);
      for (const [change, apply] of Object.entries(changes)) {
        const forged = structuredClone(credential);
        apply(forged);
        const taken = (await verify(forged)) === null;
        judge(`${what}: ${direction}, ${change} changed`, !taken, 'it was taken');
      }
    }
  }
}
child.stdin.end();
for (const failure of failures) console.log(`failed: ${failure}`);
console.log(`@digitalbazaar/vc, both ways: ${passed} passed, ${failures.length} failed`);
process.exitCode = failures.length === 0 && passed > 0 ? 0 : 1;
