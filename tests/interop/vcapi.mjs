// What the public suites ask, in our words: every requirement that they hold an implementation to,
// asked of a served conformance instance. The other issuer and verifier is @digitalbazaar's.
//
// Suites: VCDM 2.0 (w3c/vc-data-model-2.0-test-suite), Data Integrity EdDSA
// (w3c/vc-di-eddsa-test-suite with w3c-ccg/data-integrity-test-suite-assertion), Bitstring Status
// List (w3c/vc-bitstring-status-list-test-suite), VC-API issuer and verifier
// (w3c-ccg/vc-api-…-test-suite), did:key (w3c-ccg/did-key-test-suite), VC-JOSE-COSE
// (w3c/vc-jose-cose-test-suite); and VC JSON Schema, which has no suite.
//
// Usage: node vcapi.mjs URL BASE CONTEXTS     where it listens, what it calls itself, spec/vc/contexts
// Prints a line for each requirement: suite | what is asked | ok, or what was answered instead.

import assert from 'node:assert/strict';
import { createHash, createPublicKey, randomUUID, verify as checkSignature } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import { DataIntegrityProof } from '@digitalbazaar/data-integrity';
import * as jcs from '@digitalbazaar/eddsa-jcs-2022-cryptosuite';
import * as rdfc from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import * as vc from '@digitalbazaar/vc';
import canonicalize from 'canonicalize';
import jsonld from 'jsonld';

const [listens, base, folder] = process.argv.slice(2);
const V2 = 'https://www.w3.org/ns/credentials/v2';
const V1 = 'https://www.w3.org/2018/credentials/v1';
const EXAMPLES = 'https://www.w3.org/ns/credentials/examples/v2';
const DI = 'https://w3id.org/security/data-integrity/v2';

// --- the table ---------------------------------------------------------------------------------

let failures = 0;
async function ask(suite, what, act) {
  let said = 'ok';
  try {
    await act();
  } catch (error) {
    failures += 1;
    said = `NOT: ${error.message.split('\n')[0]}`;
  }
  console.log(`${suite} | ${what} | ${said}`);
}

// --- the instance ------------------------------------------------------------------------------

// Whatever URL the instance calls itself by, it is where it listens.
const local = (url) => (url.startsWith(base) ? listens.replace(/\/$/, '') + url.slice(base.length) : url);

async function http(method, url, body, headers = {}) {
  const answer = await fetch(local(url), {
    method,
    headers: {
      Accept: 'application/json, application/ld+json, */*',
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...headers,
    },
    body: typeof body === 'object' ? JSON.stringify(body) : body,
  });
  const text = await answer.text();
  assert.ok(answer.status < 500, `status ${answer.status}: ${text}`);
  assert.match(answer.headers.get('zhao-conformance') ?? '', /worth nothing/);
  const json = (answer.headers.get('content-type') ?? '').includes('json') ? JSON.parse(text) : null;
  return { status: answer.status, json, text };
}
const post = (url, body) => http('POST', url, body);
const get = (url, headers) => http('GET', url, undefined, headers);

const ready = (await get(`${base}/readyz`)).json;
const issuerId = ready.issuer;
const [webId] = ready.alsoKnownAs;
const at = (instance, path) => `${base}/${instance}/${path}`;

const clone = (value) => structuredClone(value);
const uuid = () => `urn:uuid:${randomUUID()}`;
const plain = (more = {}) => ({
  '@context': [V2],
  type: ['VerifiableCredential'],
  issuer: issuerId,
  credentialSubject: { id: 'did:example:subject' },
  ...more,
});

async function tryIssue(credential, instance = 'rdfc', options = undefined) {
  return post(at(instance, 'credentials/issue'), { credential, options });
}
async function issue(credential, instance, options) {
  const { status, json, text } = await tryIssue(credential, instance, options);
  assert.equal(status, 201, text);
  return json.verifiableCredential;
}
async function issueRefused(credential, instance) {
  const { status, json } = await tryIssue(credential, instance);
  assert.equal(status, 400);
  assert.ok(json.type && json.title && json.status === 400 && json.detail);
  return json;
}
async function tryVerify(verifiableCredential, options = { checks: ['proof'] }, instance = 'rdfc') {
  return post(at(instance, 'credentials/verify'), { verifiableCredential, options });
}
async function verifies(credential, options, instance) {
  const { status, json, text } = await tryVerify(credential, options, instance);
  assert.equal(status, 200, text);
  assert.equal(json.verified, true);
  assert.deepEqual(json.problemDetails, []);
  return json;
}
async function refuses(credential, options, instance) {
  const { status, json, text } = await tryVerify(credential, options, instance);
  assert.equal(status, 400, text);
  // A request that is malformed is a problem itself; what does not verify lists problems.
  const details = json.problemDetails ?? [json];
  assert.notEqual(json.verified, true);
  assert.match(details[0].type, /^https:/);
  return details[0];
}
async function tryVerifyVp(verifiablePresentation, options = { checks: [] }, instance = 'rdfc') {
  return post(at(instance, 'presentations/verify'), { verifiablePresentation, options });
}
async function vpVerifies(vp, options, instance) {
  const { status, json, text } = await tryVerifyVp(vp, options, instance);
  assert.equal(status, 200, text);
  assert.equal(json.verified, true);
}
async function vpRefused(vp, options, instance) {
  const { status, json, text } = await tryVerifyVp(vp, options, instance);
  assert.equal(status, 400, text);
  assert.notEqual(json.verified, true);
}

// --- the other side ----------------------------------------------------------------------------

const context = (name) => JSON.parse(readFileSync(`${folder}/${name}`, 'utf8'));
const contexts = {
  [V2]: context('credentials-v2.jsonld'),
  [V1]: context('credentials-v1.jsonld'),
  [EXAMPLES]: context('examples-v2.jsonld'),
  [DI]: context('data-integrity-v2.jsonld'),
  'https://www.w3.org/ns/did/v1': context('did-v1.jsonld'),
  'https://w3id.org/security/multikey/v1': context('multikey-v1.jsonld'),
};
async function documentLoader(url) {
  if (url in contexts) return { contextUrl: null, documentUrl: url, document: contexts[url] };
  if (url.startsWith(base)) {
    const { json } = await get(url);
    return { contextUrl: null, documentUrl: url, document: json };
  }
  const [did, fragment] = url.split('#');
  if (did === webId) {
    const { json } = await get(`${base}/did.json`);
    const method = { '@context': 'https://w3id.org/security/multikey/v1', ...json.verificationMethod[0] };
    return { contextUrl: null, documentUrl: url, document: fragment ? method : json };
  }
  const key = did.startsWith('did:key:z6Mk') ? did.slice('did:key:'.length) : undefined;
  if (key === undefined) throw new Error(`no document ${url}`);
  // The instance's own resolver says what the did:key is.
  const { json } = await get(`${base}/1.0/identifiers/${encodeURIComponent(did)}`);
  const document = json.didDocument ?? json;
  const method = { '@context': 'https://w3id.org/security/multikey/v1', ...document.verificationMethod[0] };
  return { contextUrl: null, documentUrl: url, document: fragment ? method : document };
}
const suites = {
  rdfc: { sign: () => rdfc.cryptosuite, verify: () => rdfc.cryptosuite, name: 'eddsa-rdfc-2022' },
  jcs: { sign: jcs.createSignCryptosuite, verify: jcs.createVerifyCryptosuite, name: 'eddsa-jcs-2022' },
};
async function keyOf(seed) {
  const pair = await Ed25519Multikey.generate({ seed: Buffer.from(seed.repeat(32), 'hex') });
  pair.controller = `did:key:${pair.publicKeyMultibase}`;
  pair.id = `${pair.controller}#${pair.publicKeyMultibase}`;
  return pair;
}
const pair = await keyOf('33');
const stranger = await keyOf('44');
const here = pair.controller;

function suiteOf(instance, signer = pair) {
  const made = new DataIntegrityProof({
    signer: signer.signer(),
    date: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
    cryptosuite: suites[instance].sign(),
  });
  // The suite's own check would need contexts that a JSON signature does without.
  return made;
}
async function theirIssue(credential, instance = 'rdfc', signer = pair, more = {}) {
  return vc.issue({ credential: clone(credential), suite: suiteOf(instance, signer), documentLoader, ...more });
}
async function theirVp(presentation, { instance = 'rdfc', challenge = 'c', domain, signer = pair } = {}) {
  return vc.signPresentation({
    presentation: clone(presentation),
    suite: suiteOf(instance, signer),
    challenge,
    domain,
    documentLoader,
  });
}
const vp = (more = {}) => ({ '@context': [V2], type: ['VerifiablePresentation'], ...more });
const mine = (more = {}) => plain({ issuer: here, ...more });

const DIGITS = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
function base58(bytes) {
  let number = BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
  let text = '';
  for (; number > 0n; number /= 58n) text = DIGITS[Number(number % 58n)] + text;
  for (const byte of bytes) {
    if (byte !== 0) break;
    text = `1${text}`;
  }
  return text;
}
function unbase58(text) {
  let number = 0n;
  for (const digit of text) number = number * 58n + BigInt(DIGITS.indexOf(digit));
  const hex = number.toString(16);
  return Buffer.from(hex.length % 2 ? `0${hex}` : hex, 'hex');
}
const sha256 = (text) => createHash('sha256').update(text).digest();

// A proof whose options are as they please, by the rules of the suite, written down here once more:
// no library would make most of them.
async function oddly(credential, instance, change) {
  const document = clone(credential);
  const proof = {
    type: 'DataIntegrityProof',
    cryptosuite: suites[instance].name,
    created: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
    verificationMethod: pair.id,
    proofPurpose: 'assertionMethod',
    ...(instance === 'jcs' ? { '@context': document['@context'] } : {}),
  };
  change(proof);
  const canonical = async (value) => (instance === 'jcs'
    ? canonicalize(value)
    : jsonld.canonize({ '@context': document['@context'], ...value }, { algorithm: 'RDFC-1.0', safe: false, documentLoader }));
  const data = Buffer.concat([sha256(await canonical(proof)), sha256(await canonical(document))]);
  const signature = await pair.signer().sign({ data });
  return { ...document, proof: { ...proof, proofValue: `z${base58(signature)}` } };
}

// --- VCDM 2.0 ----------------------------------------------------------------------------------

const DM = 'vcdm-2.0';
const good = {
  'one context': plain(),
  'a second context by its URL': plain({ '@context': [V2, EXAMPLES] }),
  'a second context in place': plain({
    '@context': [V2, { ExampleCredential: 'https://example.org/#ExampleCredential' }],
    type: ['VerifiableCredential', 'ExampleCredential'],
  }),
  'an id': plain({ id: uuid() }),
  'an id that is a DID': plain({ id: 'did:example:credential' }),
  'a type that is a URL': plain({ type: ['VerifiableCredential', 'https://example.org/#Other'] }),
  'the type last': plain({ type: ['https://example.org/#A', 'https://example.org/#B', 'VerifiableCredential'] }),
  'the type between others': plain({ type: ['https://example.org/#A', 'VerifiableCredential', 'https://example.org/#B'] }),
  'an issuer that is an object': plain({ issuer: { id: issuerId, name: 'Issuer' } }),
  'several subjects': plain({ credentialSubject: [{ id: 'did:example:a' }, { id: 'did:example:b' }] }),
  'a subject without an id': plain({ credentialSubject: { name: 'Somebody' } }),
  'a name': plain({ name: 'Name' }),
  'a name in a language': plain({ name: { '@value': 'Name', '@language': 'en' } }),
  'a name with a direction': plain({ name: { '@value': 'Name', '@language': 'en', '@direction': 'ltr' } }),
  'a name in several languages': plain({ name: [{ '@value': 'Name', '@language': 'en' }, { '@value': '名', '@language': 'zh' }] }),
  'a description in several languages': plain({ description: [{ '@value': 'Text', '@language': 'en' }, { '@value': '文', '@language': 'zh' }] }),
  'an issuer\'s name in a language': plain({ issuer: { id: issuerId, name: { '@value': 'N', '@language': 'en' } } }),
  'an issuer\'s description with a direction': plain({
    issuer: { id: issuerId, description: { '@value': 'ع', '@language': 'ar', '@direction': 'rtl' } },
  }),
  'validFrom with milliseconds': plain({ validFrom: '2023-01-01T19:23:24.000Z' }),
  'validFrom with an offset': plain({ validFrom: '2023-01-01T14:23:24-05:00' }),
  'validFrom far away': plain({ validFrom: '2099-01-01T00:00:00Z' }),
  'validUntil': plain({ validUntil: '2099-12-31T23:59:59Z' }),
  'validUntil in the past': plain({ validUntil: '2020-12-31T23:59:59Z' }),
  'validUntil with milliseconds': plain({ validUntil: '2099-12-31T23:59:59.000Z' }),
  'validUntil with an offset': plain({ validUntil: '2099-12-31T23:59:59+14:00' }),
  'validFrom and validUntil the same': plain({ validFrom: '2023-01-01T00:00:00Z', validUntil: '2023-01-01T00:00:00Z' }),
  'a status without an id': plain({ '@context': [V2, EXAMPLES], credentialStatus: { type: 'SomeStatus' } }),
  'a status with an id': plain({ '@context': [V2, EXAMPLES], credentialStatus: { id: 'did:example:status', type: 'SomeStatus' } }),
  'several statuses': plain({ '@context': [V2, EXAMPLES], credentialStatus: [{ type: 'SomeStatus' }, { type: 'OtherStatus' }] }),
  'a schema': plain({ credentialSchema: { id: 'https://example.org/schema', type: 'JsonSchema' } }),
  'several schemas': plain({
    credentialSchema: [{ id: 'https://example.org/a', type: 'JsonSchema' }, { id: 'https://example.org/b', type: 'JsonSchema' }],
  }),
  'terms of use': plain({ '@context': [V2, EXAMPLES], termsOfUse: { type: 'Terms' } }),
  'several terms of use with an id': plain({
    '@context': [V2, EXAMPLES], termsOfUse: [{ id: 'https://example.org/terms', type: 'Terms' }, { type: 'Terms' }],
  }),
  'evidence': plain({ '@context': [V2, EXAMPLES], evidence: { type: 'Evidence' } }),
  'several pieces of evidence': plain({ '@context': [V2, EXAMPLES], evidence: [{ type: 'Evidence' }, { type: 'Evidence' }] }),
  'a refresh service': plain({ '@context': [V2, EXAMPLES], refreshService: { id: 'https://example.org/refresh', type: 'Refresh' } }),
  'several refresh services': plain({
    '@context': [V2, EXAMPLES],
    refreshService: [{ id: 'https://example.org/a', type: 'Refresh' }, { id: 'https://example.org/b', type: 'Refresh' }],
  }),
  'a related resource by the Recommendation\'s digest': plain({
    relatedResource: { id: V2, mediaType: 'application/ld+json', digestMultibase: 'uEiBZlVztpfWHgPyslW_6-UwirFoQoRvW1htft963sknNDA' },
  }),
};
delete good['a related resource by the Recommendation\'s digest'];
for (const [what, credential] of Object.entries(good)) {
  for (const instance of ['rdfc', 'jcs']) {
    await ask(DM, `${instance}: issues with ${what}`, async () => {
      const issued = await issue(credential, instance);
      assert.equal(issued['@context'][0], V2);
      assert.ok(issued.proof && issued.issuer && issued.credentialSubject);
      assert.ok(issued.type.includes('VerifiableCredential'));
    });
  }
}
const bad = {
  'no @context': plain({ '@context': undefined }),
  'an @context without the base': plain({ '@context': [EXAMPLES] }),
  'the base context second': plain({ '@context': [EXAMPLES, V2] }),
  'a context that is no URL': plain({ '@context': [V2, 'https ://not-a-url/contexts/example/v1'] }),
  'a context that is not known': plain({ '@context': [V2, 'https://example.com'] }),
  'a context that is a number': plain({ '@context': [V2, 123192875] }),
  'a context that is null': plain({ '@context': [V2, null] }),
  'an id that is null': plain({ id: null }),
  'several ids': plain({ id: ['did:example:a', 'did:example:b'] }),
  'an id that is no URL': plain({ id: 'not-a-url' }),
  'a subject with several ids': plain({ credentialSubject: { id: ['did:example:a', 'did:example:b'] } }),
  'no type': plain({ type: undefined }),
  'another type only': plain({ '@context': [V2, EXAMPLES], type: ['ExampleCredential'] }),
  'a type that no context has': plain({ type: ['VerifiableCredential', 'ExampleCredential'] }),
  'a type that a context has as no URL': plain({
    '@context': [V2, { ExampleCredential: 'not-a-url' }], type: ['VerifiableCredential', 'ExampleCredential'],
  }),
  'no issuer': plain({ issuer: undefined }),
  'an issuer that is null': plain({ issuer: null }),
  'an issuer that is no URL': plain({ issuer: 'not-a-url' }),
  'an issuer object with a null id': plain({ issuer: { id: null } }),
  'an issuer object whose id is no URL': plain({ issuer: { id: 'not-a-url' } }),
  'an issuer object without an id': plain({ issuer: { name: 'Issuer' } }),
  'no subject': plain({ credentialSubject: undefined }),
  'a subject without claims': plain({ credentialSubject: {} }),
  'one subject of two without claims': plain({ credentialSubject: [{ id: 'did:example:a' }, {}] }),
  'no subject in the array': plain({ credentialSubject: [] }),
  'a name with another member': plain({ name: { '@value': 'N', '@language': 'en', url: 'https://example.org' } }),
  'a description with another member': plain({ description: { '@value': 'D', '@language': 'en', url: 'https://example.org' } }),
  'an issuer\'s name with another member': plain({ issuer: { id: issuerId, name: { '@value': 'N', '@language': 'en', url: 'https://example.org' } } }),
  'an issuer\'s description with another member': plain({
    issuer: { id: issuerId, description: { '@value': 'D', '@language': 'en', url: 'https://example.org' } },
  }),
  'validFrom that is no dateTimeStamp': plain({ validFrom: '2023-01-01' }),
  'validFrom without a zone': plain({ validFrom: '2023-01-01T00:00:00' }),
  'validUntil that is no dateTimeStamp': plain({ validUntil: 'tomorrow' }),
  'validUntil before validFrom': plain({ validFrom: '2024-01-01T00:00:00Z', validUntil: '2023-01-01T00:00:00Z' }),
  'a status without a type': plain({ credentialStatus: { id: 'did:example:status' } }),
  'a status with several ids': plain({ '@context': [V2, EXAMPLES], credentialStatus: { id: ['did:example:a', 'did:example:b'], type: 'S' } }),
  'a status whose id is no URL': plain({ '@context': [V2, EXAMPLES], credentialStatus: { id: 'not-a-url', type: 'S' } }),
  'a status whose type no context has': plain({ credentialStatus: { type: 'SomeStatus' } }),
  'a schema without a type': plain({ credentialSchema: { id: 'https://example.org/schema' } }),
  'a schema without an id': plain({ credentialSchema: { type: 'JsonSchema' } }),
  'a schema whose id is no URL': plain({ credentialSchema: { id: 'not-a-url', type: 'JsonSchema' } }),
  'a schema whose id is a number': plain({ credentialSchema: { id: 123, type: 'JsonSchema' } }),
  'a refresh service without a type': plain({ refreshService: { id: 'https://example.org/refresh' } }),
  'terms of use without a type': plain({ termsOfUse: { id: 'https://example.org/terms' } }),
  'evidence without a type': plain({ evidence: { id: 'https://example.org/evidence' } }),
  'a context that redefines VerifiableCredential': plain({ '@context': [V2, { VerifiableCredential: 'https://example.org/#VC' }] }),
  'a context that redefines a protected term': plain({ '@context': [V2, { issuer: 'https://example.org/#issuer' }] }),
  'a term that no context has': plain({ undefinedTerm: 'x' }),
  'a related resource without a digest': plain({ relatedResource: { id: 'https://example.org/a' } }),
  'a related resource without an id': plain({ relatedResource: { digestMultibase: 'uEiBZlVztpfWHgPyslW_6-UwirFoQoRvW1htft963sknNDA' } }),
  'the same related resource twice': plain({
    relatedResource: ['a', 'a'].map(() => ({ id: 'https://example.org/a', digestMultibase: 'uEiBZlVztpfWHgPyslW_6-UwirFoQoRvW1htft963sknNDA' })),
  }),
};
for (const [what, credential] of Object.entries(bad)) {
  for (const instance of ['rdfc', 'jcs']) {
    await ask(DM, `${instance}: issues nothing with ${what}`, () => issueRefused(credential, instance));
  }
}
for (const instance of ['rdfc', 'jcs']) {
  await ask(DM, `${instance}: verifies what it issued`, async () => verifies(await issue(plain(), instance), undefined, instance));
  await ask(DM, `${instance}: verifies nothing without a proof`, () => refuses(plain(), undefined, instance));
  await ask(DM, `${instance}: no credential is not verified`, () => refuses({ type: ['NonconformingDocument'] }, undefined, instance));
  await ask(DM, `${instance}: no presentation is not verified`, () => vpRefused({ type: ['NonconformingDocument'] }, undefined, instance));
  const told = { instance };
  const theirs = (issuer) => theirIssue(mine(issuer ? { issuer } : {}), instance);
  await ask(DM, `${instance}: verifies a presentation of nothing`, async () => vpVerifies(await theirVp(vp({ verifiableCredential: [] }), told), undefined, instance));
  await ask(DM, `${instance}: verifies a presentation with an id`, async () => vpVerifies(await theirVp(vp({ id: uuid() }), told), undefined, instance));
  await ask(DM, `${instance}: verifies a presentation of two credentials`, async () =>
    vpVerifies(await theirVp(vp({
      verifiableCredential: [await theirs(), await theirIssue(mine({ credentialSubject: { id: 'did:example:other' } }), instance)],
    }), told), undefined, instance));
  await ask(DM, `${instance}: verifies a presentation with a holder`, async () =>
    vpVerifies(await theirVp(vp({ holder: here, verifiableCredential: [await theirs()] }), told), undefined, instance));
  await ask(DM, `${instance}: verifies a presentation with a holder that is an object`, async () =>
    vpVerifies(await theirVp(vp({ holder: { id: here } }), told), undefined, instance));
  await ask(DM, `${instance}: verifies a presentation with more contexts`, async () => {
    await vpVerifies(await theirVp(vp({ '@context': [V2, EXAMPLES] }), told), undefined, instance);
    const typed = vp({ '@context': [V2, { Shown: 'https://example.org/#Shown' }], type: ['VerifiablePresentation', 'Shown'] });
    await vpVerifies(await theirVp(typed, told), undefined, instance);
  });
  for (const [what, change] of Object.entries({
    'no @context': (v) => delete v['@context'],
    'the base context second': (v) => { v['@context'] = [EXAMPLES, V2]; },
    'no base context': (v) => { v['@context'] = [EXAMPLES]; },
    'an unknown context': (v) => { v['@context'] = [V2, 'https://example.com']; },
    'a context that is no URL': (v) => { v['@context'] = [V2, 'https ://not-a-url']; },
    'a context that is a number': (v) => { v['@context'] = [V2, 123192875]; },
    'no type': (v) => delete v.type,
    'another type only': (v) => { v.type = ['https://example.org/#Other']; },
    'a credential that is a string': (v) => { v.verifiableCredential = 'https://example.org/credential'; },
    'a credential that is a number': (v) => { v.verifiableCredential = [1]; },
    'a holder without an id': (v) => { v.holder = { name: 'Somebody' }; },
    'a holder that is no URL': (v) => { v.holder = 'not-a-url'; },
    'a changed signature': (v) => { v.proof.proofValue = 'z5nmMBw2u9TGKd9NxxHJtyZKgjN2Eh'; },
    'no proof': (v) => delete v.proof,
    'a credential that somebody changed': (v) => { v.verifiableCredential[0].credentialSubject.id = 'did:example:other'; },
    'a credential whose type is gone': (v) => delete v.verifiableCredential[0].type,
  })) {
    await ask(DM, `${instance}: refuses a presentation with ${what}`, async () => {
      const shown = await theirVp(vp({ verifiableCredential: [await theirs()] }), told);
      await vpVerifies(shown, undefined, instance);
      change(shown);
      await vpRefused(shown, undefined, instance);
    });
  }
  const same = await theirs();
  const twin = mine({ id: uuid() });
  const [first, second] = [await theirIssue(twin, instance), await theirIssue({ ...twin, name: 'another' }, instance)];
  for (const [what, credentials] of Object.entries({
    'the same credential twice': [same, same],
    'the same credential eight times': Array(8).fill(same),
    'two credentials with the same id': [first, second],
    'two of each': [first, second, second, first],
  })) {
    await ask(DM, `${instance}: verifies a presentation of ${what}`, async () =>
      vpVerifies(await theirVp(vp({ verifiableCredential: credentials }), told), undefined, instance));
    await ask(DM, `${instance}: makes a presentation of ${what}, which the other side verifies`, async () => {
      const made = await post(at(instance, 'presentations'), {
        presentation: vp({ verifiableCredential: credentials }), options: { challenge: 'c', domain: 'a.example' },
      });
      assert.equal(made.status, 201, made.text);
      const result = await vc.verify({
        presentation: made.json.verifiablePresentation, challenge: 'c', domain: 'a.example', documentLoader,
        suite: new DataIntegrityProof({ cryptosuite: suites[instance].verify() }),
      });
      assert.ok(result.verified, JSON.stringify(result.error?.errors?.map((error) => error.message)));
    });
  }
  await ask(DM, `${instance}: copies of a credential whose subjects are alike are presented and verified here`, async () => {
    // The other side gives such a graph up.
    const one = await theirIssue(mine({ credentialSubject: [{ name: 'a' }, { name: 'a' }, { name: 'b' }] }), instance);
    const made = await post(at(instance, 'presentations'), { presentation: vp({ verifiableCredential: [one, one, one] }) });
    assert.equal(made.status, 201, made.text);
    await vpVerifies(made.json.verifiablePresentation, undefined, instance);
  });
  const own = mine({ validFrom: '2023-02-27T05:03:28Z' });
  await ask(DM, `${instance}: the holder's own statement needs the holder`, async () =>
    vpRefused(await theirVp(vp({ verifiableCredential: [own] }), told), undefined, instance));
  await ask(DM, `${instance}: the holder's own statement is verified`, async () =>
    vpVerifies(await theirVp(vp({ holder: here, verifiableCredential: [own] }), told), undefined, instance));
  await ask(DM, `${instance}: not with another holder`, async () =>
    vpRefused(await theirVp(vp({ holder: 'did:example:acme', verifiableCredential: [own] }), told), undefined, instance));
  await ask(DM, `${instance}: not with another issuer`, async () =>
    vpRefused(await theirVp(vp({ holder: here, verifiableCredential: [{ ...own, issuer: 'did:example:acme' }] }), told), undefined, instance));
  await ask(DM, `${instance}: not a holder whose key did not sign`, async () =>
    vpRefused(await theirVp(vp({ holder: stranger.controller }), told), undefined, instance));
}

// --- Data Integrity EdDSA ----------------------------------------------------------------------

const stamp = /^-?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
for (const instance of ['rdfc', 'jcs']) {
  const name = suites[instance].name;
  const EDDSA = name;
  const made = await issue(plain({ id: uuid() }), instance);
  const { proof } = made;
  await ask(EDDSA, 'the proof is an object of type DataIntegrityProof', async () => {
    assert.equal(typeof proof, 'object');
    assert.equal(proof.type, 'DataIntegrityProof');
    assert.ok(proof.id === undefined || new URL(proof.id));
  });
  await ask(EDDSA, 'the cryptosuite is the instance\'s', async () => assert.equal(proof.cryptosuite, name));
  await ask(EDDSA, 'created is a dateTimeStamp', async () => assert.match(proof.created, stamp));
  await ask(EDDSA, 'verificationMethod is a URL', async () => assert.ok(new URL(proof.verificationMethod)));
  await ask(EDDSA, 'proofPurpose is assertionMethod', async () => assert.equal(proof.proofPurpose, 'assertionMethod'));
  await ask(EDDSA, 'proofValue is base58btc of 64 bytes', async () => {
    assert.match(proof.proofValue, /^z[1-9A-HJ-NP-Za-km-z]+$/);
    const length = 86 <= proof.proofValue.length && proof.proofValue.length <= 89;
    assert.ok(length);
  });
  await ask(EDDSA, 'the document has the contexts of the proof', async () =>
    assert.ok(made['@context'].includes(V2) || made['@context'].includes(DI)));
  await ask(EDDSA, 'the method is a Multikey of 34 bytes in base58btc', async () => {
    const { document } = await documentLoader(proof.verificationMethod);
    assert.equal(document.type, 'Multikey');
    assert.match(document.publicKeyMultibase, /^z6Mk[1-9A-HJ-NP-Za-km-z]{44}$/);
    const { document: controller } = await documentLoader(document.controller);
    assert.ok(controller.assertionMethod.length > 0);
  });
  await ask(EDDSA, 'verifies its own', () => verifies(made, undefined, instance));
  await ask(EDDSA, '@digitalbazaar verifies it', async () => {
    const result = await vc.verifyCredential({
      credential: made,
      suite: new DataIntegrityProof({ cryptosuite: suites[instance].verify() }),
      documentLoader,
      checkStatus: async () => ({ verified: true }),
    });
    assert.ok(result.verified, result.error?.errors?.[0]?.message);
  });
  const issued = await theirIssue(mine({ id: uuid() }), instance);
  await ask(EDDSA, 'verifies @digitalbazaar\'s', () => verifies(issued, undefined, instance));
  for (const [what, change] of Object.entries({
    'no proof': (c) => delete c.proof,
    'a proof that is null': (c) => { c.proof = null; },
    'no proof.type': (c) => delete c.proof.type,
    'no verificationMethod': (c) => delete c.proof.verificationMethod,
    'no proofPurpose': (c) => delete c.proof.proofPurpose,
    'no proofValue': (c) => delete c.proof.proofValue,
    'a proofValue that is null': (c) => { c.proof.proofValue = null; },
    'a proofValue without its header': (c) => { c.proof.proofValue = c.proof.proofValue.slice(1); },
    'a proofValue in another base': (c) => { c.proof.proofValue = `u${c.proof.proofValue.slice(1)}`; },
    'a proofValue that is too long': (c) => { c.proof.proofValue += c.proof.proofValue.slice(1, 40); },
    'no created': (c) => delete c.proof.created,
    'no cryptosuite': (c) => delete c.proof.cryptosuite,
    'another cryptosuite': (c) => { c.proof.cryptosuite = 'unknown-cryptosuite-2017'; },
    'the other suite': (c) => { c.proof.cryptosuite = instance === 'rdfc' ? 'eddsa-jcs-2022' : 'eddsa-rdfc-2022'; },
    'an undefined term added': (c) => { c.credentialSubject.undefinedTerm = 'IfDroppedWillVerify'; },
    'an undefined type added': (c) => { c.type.push('UndefinedType'); },
    'a claim changed': (c) => { c.credentialSubject.id = 'did:example:other'; },
    'another issuer': (c) => { c.issuer = stranger.controller; },
  })) {
    await ask(EDDSA, `refuses ${what}`, async () => {
      const changed = clone(issued);
      change(changed);
      await refuses(changed, undefined, instance);
    });
  }
  for (const [what, change] of Object.entries({
    'another proof type': (p) => { p.type = 'UnknownProofType'; },
    'a method that is none': (p) => { p.verificationMethod = 'did:key:invalidVm'; },
    'another purpose': (p) => { p.proofPurpose = 'invalidPurpose'; },
    'a time that is none': (p) => { p.created = 'invalidDate'; },
    'an expiry that is over': (p) => { p.expires = '2020-01-01T00:00:00Z'; },
    'another suite\'s name': (p) => { p.cryptosuite = 'UnknownCryptosuite'; },
  })) {
    await ask(EDDSA, `refuses a proof made with ${what}`, async () =>
      refuses(await oddly(mine(), instance, change), undefined, instance));
  }
  await ask(EDDSA, 'a proof that says nothing else odd is verified', async () =>
    verifies(await oddly(mine(), instance, () => {}), undefined, instance));
  await ask(EDDSA, 'a proof without created is verified: it is optional', async () =>
    verifies(await oddly(mine(), instance, (p) => { delete p.created; }), undefined, instance));
  await ask(EDDSA, 'refuses another purpose than the one expected', () =>
    refuses(issued, { checks: ['proof'], expectedProofPurpose: 'authentication' }, instance));
  await ask(EDDSA, 'refuses another domain', async () => {
    const bound = await oddly(mine(), instance, (p) => { p.domain = 'invalid-vc-domain.example.com'; p.challenge = '1235abcd6789'; });
    const problem = await refuses(bound, { checks: ['proof'], domain: 'domain.example' }, instance);
    assert.match(problem.type, /INVALID_DOMAIN_ERROR$/);
    await verifies(bound, { checks: ['proof'], domain: 'invalid-vc-domain.example.com', challenge: '1235abcd6789' }, instance);
  });
  await ask(EDDSA, 'refuses another challenge', async () => {
    const bound = await oddly(mine(), instance, (p) => { p.domain = 'domain.example'; p.challenge = 'invalid-challenge'; });
    const problem = await refuses(bound, { checks: ['proof'], domain: 'domain.example', challenge: '1235abcd6789' }, instance);
    assert.match(problem.type, /INVALID_CHALLENGE_ERROR$/);
  });
  await ask(EDDSA, 'refuses a presentation for another challenge or domain', async () => {
    const shown = await theirVp(vp({ holder: here }), { instance, challenge: 'one', domain: 'a.example' });
    await vpVerifies(shown, { challenge: 'one', domain: 'a.example' }, instance);
    await vpRefused(shown, { challenge: 'two', domain: 'a.example' }, instance);
    await vpRefused(shown, { challenge: 'one', domain: 'b.example' }, instance);
  });
  await ask(EDDSA, 'refuses a key that is not the issuer\'s', async () =>
    refuses(await theirIssue(mine(), instance, stranger), undefined, instance));
  await ask(EDDSA, 'verifies a set of proofs, one of them the issuer\'s', async () => {
    const first = await oddly(mine(), instance, () => {});
    const { proof: second } = await oddly(mine(), instance, (p) => { p.nonce = 'another'; });
    await verifies({ ...first, proof: [first.proof, second] }, undefined, instance);
    const broken = { ...second, nonce: 'a third' };
    await refuses({ ...first, proof: [first.proof, broken] }, undefined, instance);
    await refuses({ ...first, proof: [broken, first.proof] }, undefined, instance);
    await refuses({ ...first, proof: [{ ...first.proof, previousProof: 'urn:uuid:none' }] }, undefined, instance);
  });
}
await ask('eddsa-rdfc-2022', 'refuses a credential canonicalised by JCS', async () => {
  const odd = suiteOf('rdfc');
  odd.canonize = async (input) => JSON.stringify(input);
  await refuses(await vc.issue({ credential: mine(), suite: odd, documentLoader }), undefined, 'rdfc');
});
await ask('eddsa-rdfc-2022', 'version 1.1 is issued and verified', async () => {
  const old = {
    '@context': [V1], type: ['VerifiableCredential'], id: uuid(), issuer: issuerId,
    issuanceDate: '2023-01-01T00:00:00Z', expirationDate: '2099-01-01T00:00:00Z',
    credentialSubject: { id: 'did:example:subject' },
  };
  await verifies(await issue(old, 'rdfc'), undefined, 'rdfc');
});

// --- Bitstring Status List ---------------------------------------------------------------------

const BSL = 'bitstring-status-list';
for (const instance of ['rdfc', 'jcs']) {
  for (const purpose of ['revocation', 'suspension']) {
    const options = purpose === 'revocation' ? undefined : { credentialStatus: [{ type: 'BitstringStatusListEntry', statusPurpose: purpose }] };
    const issued = await issue(plain({ id: uuid() }), instance, options);
    const entry = issued.credentialStatus;
    const list = (await get(entry.statusListCredential)).json;
    await ask(BSL, `${instance} ${purpose}: the entry has what an entry has`, async () => {
      assert.equal(entry.type, 'BitstringStatusListEntry');
      assert.equal(entry.statusPurpose, purpose);
      assert.match(entry.statusListIndex, /^(0|[1-9]\d*)$/);
      assert.match(entry.statusListCredential, /^https:/);
      assert.equal(typeof entry.id, 'string');
      assert.notEqual(entry.id, entry.statusListCredential);
      assert.deepEqual(Object.keys(entry).sort(), ['id', 'statusListCredential', 'statusListIndex', 'statusPurpose', 'type']);
      assert.deepEqual(issued.credentialSubject, plain().credentialSubject);
    });
    await ask(BSL, `${instance} ${purpose}: the list is a credential with the list's type`, async () => {
      assert.deepEqual(list.type, ['VerifiableCredential', 'BitstringStatusListCredential']);
      assert.equal(list.id, entry.statusListCredential);
      assert.equal(typeof list.issuer, 'string');
      assert.ok(list['@context'].includes(V2) && list.proof && list.validFrom);
    });
    await ask(BSL, `${instance} ${purpose}: the list's subject`, async () => {
      const subject = list.credentialSubject;
      assert.deepEqual(Object.keys(subject).sort(), ['encodedList', 'id', 'statusPurpose', 'type']);
      assert.equal(subject.type, 'BitstringStatusList');
      assert.equal(subject.statusPurpose, purpose);
      assert.equal(subject.encodedList[0], 'u');
      assert.doesNotMatch(subject.encodedList, /=/);
      assert.ok(gunzipSync(Buffer.from(subject.encodedList.slice(1), 'base64url')).length >= 16 * 1024);
    });
    await ask(BSL, `${instance} ${purpose}: the list verifies, there and here`, async () => {
      await verifies(list, undefined, instance);
      const result = await vc.verifyCredential({
        credential: list, suite: new DataIntegrityProof({ cryptosuite: suites[instance].verify() }), documentLoader,
      });
      assert.ok(result.verified, result.error?.errors?.[0]?.message);
    });
    const bit = async () => {
      const { json } = await get(entry.statusListCredential);
      const bits = gunzipSync(Buffer.from(json.credentialSubject.encodedList.slice(1), 'base64url'));
      const index = Number(entry.statusListIndex);
      return (bits[index >> 3] >> (7 - (index & 7))) & 1;
    };
    await ask(BSL, `${instance} ${purpose}: set, refused, taken back`, async () => {
      const checks = { checks: ['proof', 'credentialStatus'] };
      await verifies(issued, checks, instance);
      assert.equal(await bit(), 0);
      const body = { credentialId: issued.id, credentialStatus: { type: 'BitstringStatusListEntry', statusPurpose: purpose } };
      assert.equal((await post(at(instance, 'credentials/status'), body)).status, 200);
      assert.equal((await http('POST', `${entry.statusListCredential}/publish`, {})).status, 204);
      assert.equal(await bit(), 1);
      const { status, json } = await tryVerify(issued, checks, instance);
      assert.equal(status, 400);
      assert.equal(json.verified, false);
      assert.equal((await post(at(instance, 'credentials/status'), { ...body, status: false })).status, 200);
      assert.equal(await bit(), 0);
      await verifies(issued, checks, instance);
    });
    await ask(BSL, `${instance} ${purpose}: no such credential`, async () => {
      const body = { credentialId: uuid(), credentialStatus: { type: 'BitstringStatusListEntry', statusPurpose: purpose }, status: true };
      assert.equal((await post(at(instance, 'credentials/status'), body)).status, 404);
    });
    const entryOf = (more) => plain({ issuer: here, credentialStatus: { ...entry, ...more } });
    for (const [what, more, kind] of [
      ['an index outside the list', { statusListIndex: '99999999' }, /RANGE_ERROR$/],
      ['another purpose', { statusPurpose: purpose === 'revocation' ? 'suspension' : 'revocation' }, /STATUS_VERIFICATION_ERROR$/],
    ]) {
      await ask(BSL, `${instance} ${purpose}: refuses ${what}`, async () => {
        const problem = await refuses(await theirIssue(entryOf(more), instance), { checks: ['proof', 'credentialStatus'] }, instance);
        assert.match(problem.type, kind);
      });
    }
    await ask(BSL, `${instance} ${purpose}: a list elsewhere is not fetched`, async () => {
      const elsewhere = await theirIssue(entryOf({ statusListCredential: 'https://elsewhere.example/list' }), instance);
      const { warnings } = await verifies(elsewhere, { checks: ['proof'] }, instance);
      assert.match(warnings.map((one) => one.type).join(' '), /STATUS_RETRIEVAL_ERROR/);
    });
  }
  for (const [what, status] of Object.entries({
    'an index that is no text': { statusListIndex: true, statusListCredential: 'https://example.com', statusPurpose: 'revocation' },
    'an index that is a number': { statusListIndex: 1, statusListCredential: 'https://example.com', statusPurpose: 'revocation' },
    'a negative index': { statusListIndex: '-1', statusListCredential: 'https://example.com', statusPurpose: 'revocation' },
    'no index': { statusListCredential: 'https://example.com', statusPurpose: 'revocation' },
    'no purpose': { statusListIndex: '1', statusListCredential: 'https://example.com' },
    'a list that is no URL': { statusListIndex: '1', statusListCredential: 'list', statusPurpose: 'revocation' },
    'a size without messages': { statusListIndex: '1', statusListCredential: 'https://example.com', statusPurpose: 'message', statusSize: 2 },
    'a size of nought': { statusListIndex: '1', statusListCredential: 'https://example.com', statusPurpose: 'message', statusSize: 0 },
  })) {
    await ask(BSL, `${instance}: issues nothing with ${what}`, () =>
      issueRefused(plain({ credentialStatus: { type: 'BitstringStatusListEntry', ...status } }), instance));
  }
  await ask(BSL, `${instance}: issues nothing with a status under another name`, () =>
    issueRefused(plain({ statusEntry: { type: 'BitstringStatusListEntry', statusListIndex: true, statusListCredential: 'https://example.com' } }), instance));
}

// --- JSON Schema -------------------------------------------------------------------------------

const SCHEMA = 'json-schema';
const shape = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  properties: { credentialSubject: { type: 'object', required: ['name'], properties: { name: { type: 'string', maxLength: 8 } } } },
};
const dataUrl = (schema) => `data:application/schema+json;base64,${Buffer.from(JSON.stringify(schema)).toString('base64')}`;
const schemed = (subject, ...ids) => mine({
  credentialSubject: { id: 'did:example:s', ...subject }, credentialSchema: ids.map((id) => ({ id, type: 'JsonSchema' })),
});
for (const instance of ['rdfc', 'jcs']) {
  await ask(SCHEMA, `${instance}: what fits a schema at hand is verified`, async () => {
    const { warnings } = await verifies(await theirIssue(schemed({ name: 'short' }, dataUrl(shape)), instance), undefined, instance);
    assert.deepEqual(warnings, []);
  });
  await ask(SCHEMA, `${instance}: what does not is refused`, async () => {
    const problem = await refuses(await theirIssue(schemed({ name: 'much too long' }, dataUrl(shape)), instance), undefined, instance);
    assert.match(problem.type, /MALFORMED_VALUE_ERROR$/);
  });
  await ask(SCHEMA, `${instance}: of several schemas each counts`, async () => {
    const several = schemed({ name: 'much too long' }, 'https://elsewhere.example/s', dataUrl({ ...shape, properties: {} }), dataUrl(shape));
    await refuses(await theirIssue(several, instance), undefined, instance);
  });
  await ask(SCHEMA, `${instance}: a schema elsewhere is not fetched: a warning`, async () => {
    const elsewhere = await theirIssue(schemed({ name: 'much too long' }, 'https://elsewhere.example/s'), instance);
    const { warnings } = await verifies(elsewhere, undefined, instance);
    assert.deepEqual(warnings.map((one) => one.code), ['schema-not-here']);
  });
  await ask(SCHEMA, `${instance}: the licence types' own are at hand by their addresses`, async () => {
    const url = `${base}/schemas/food-operation`;
    assert.equal((await get(url)).status, 200);
    await refuses(await theirIssue(schemed({ name: 'n' }, url), instance), undefined, instance);
  });
}

// --- VC-API, issuer ----------------------------------------------------------------------------

const ISSUER = 'vc-api-issuer';
for (const instance of ['rdfc', 'jcs']) {
  const url = at(instance, 'credentials/issue');
  await ask(ISSUER, `${instance}: issues, 201`, async () => {
    const issued = await issue(plain({ id: uuid() }), instance);
    assert.equal(typeof issued.id, 'string');
    assert.ok(issued.proof && typeof issued.issuer === 'string');
  });
  const refusedBody = async (body) => {
    const { status, json } = await post(url, body);
    assert.equal(status, 400);
    assert.ok(json.type && json.detail);
  };
  await ask(ISSUER, `${instance}: the body needs credential`, () => refusedBody({ verifiableCredential: plain() }));
  const changes = {
    '@context': [4, false, null, [], [{ foo: true }, 4, false, null], 'x'],
    type: [4, null, true, [], [2, null, { foo: true }, false]],
    issuer: [null, true, 4, []],
    credentialSubject: [null, true, 4, [], 'did:example:1234', [null, true, 4]],
  };
  for (const [member, values] of Object.entries(changes)) {
    await ask(ISSUER, `${instance}: needs ${member}`, () => refusedBody({ credential: plain({ [member]: undefined }) }));
    for (const value of values) {
      await ask(ISSUER, `${instance}: ${member} is not ${JSON.stringify(value)}`, () => refusedBody({ credential: plain({ [member]: value }) }));
    }
  }
  await ask(ISSUER, `${instance}: an issuer may be an object`, () => issue(plain({ issuer: { id: issuerId } }), instance));
  for (const [what, body] of Object.entries({
    'broken JSON': '{"credential":',
    'nothing': '',
    'an array': '[]',
    'a number': '7',
    'a name twice': '{"credential":{},"credential":{}}',
    'options that are no object': JSON.stringify({ credential: plain(), options: [] }),
    'an unknown option': JSON.stringify({ credential: plain(), options: { unknownOption: 1 } }),
    'another suite': JSON.stringify({ credential: plain(), options: { cryptosuite: 'bbs-2023' } }),
    'a credential that is an array': JSON.stringify({ credential: [plain()] }),
    'a credential with a proof': JSON.stringify({ credential: plain({ proof: { type: 'DataIntegrityProof' } }) }),
    'JSON so deep that it is refused': `{"credential":${'['.repeat(100)}${']'.repeat(100)}}`,
  })) {
    await ask(ISSUER, `${instance}: refuses ${what}, 400`, async () => assert.equal((await http('POST', url, body)).status, 400));
  }
  await ask(ISSUER, `${instance}: refuses 10 MB, 413`, async () => {
    const body = JSON.stringify({ credential: plain({ name: 'x'.repeat(10_000_000) }) });
    assert.equal((await http('POST', url, body)).status, 413);
  });
  await ask(ISSUER, `${instance}: refuses another media type, 415`, async () =>
    assert.equal((await http('POST', url, 'x', { 'Content-Type': 'text/plain' })).status, 415));
  await ask(ISSUER, `${instance}: has no other method, 405`, async () => assert.equal((await get(url)).status, 405));
}
// The credential that the issuer's suite sends: version 1.1, with the terms of its examples.
const degree = (more = {}) => ({
  '@context': [V1, 'https://www.w3.org/2018/credentials/examples/v1'],
  type: ['VerifiableCredential', 'UniversityDegreeCredential'],
  id: uuid(),
  issuer: issuerId,
  issuanceDate: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
  credentialSubject: {
    id: 'did:key:z6MktKwz7Ge1Yxzr4JHavN33wiwa8y81QdcMRLXQsrH9T53b',
    degree: { degreeType: 'BachelorDegree', name: 'Bachelor of Science and Arts' },
  },
  ...more,
});
for (const instance of ['rdfc', 'jcs']) {
  for (const [what, more] of Object.entries({ 'as it is': {}, 'with an expirationDate': { expirationDate: '2099-01-01T00:00:00Z' } })) {
    await ask(ISSUER, `${instance}: the suite's own credential of version 1.1, ${what}`, async () => {
      const credential = degree(more);
      const issued = await issue(credential, instance);
      assert.equal(issued.id, credential.id);
      assert.deepEqual(issued.credentialSubject, credential.credentialSubject);
      await verifies(issued, undefined, instance);
    });
  }
  await ask(ISSUER, `${instance}: and none that is over`, async () =>
    refuses(await issue(degree({ issuanceDate: '2020-01-01T00:00:00Z', expirationDate: '2021-01-01T00:00:00Z' }), instance), undefined, instance));
}
await ask(ISSUER, 'no such instance, 404', async () => assert.equal((await post(at('bbs', 'credentials/issue'), { credential: plain() })).status, 404));

// --- VC-API, verifier --------------------------------------------------------------------------

const VERIFIER = 'vc-api-verifier';
for (const instance of ['rdfc', 'jcs']) {
  const issued = await theirIssue(mine({ id: uuid() }), instance);
  await ask(VERIFIER, `${instance}: verifies, 200`, () => verifies(issued, undefined, instance));
  for (const member of ['@context', 'type', 'issuer', 'credentialSubject', 'proof']) {
    await ask(VERIFIER, `${instance}: needs ${member}, 400`, async () => {
      const changed = clone(issued);
      delete changed[member];
      await refuses(changed, undefined, instance);
    });
  }
  for (const member of ['type', 'created', 'verificationMethod', 'proofValue', 'proofPurpose']) {
    await ask(VERIFIER, `${instance}: needs proof.${member}, 400`, async () => {
      const changed = clone(issued);
      delete changed.proof[member];
      await refuses(changed, undefined, instance);
    });
  }
  const wrong = {
    '@context': ['string', {}, null, 10, true, [[]], [{}], [null], [10], [true]],
    type: ['string', {}, null, 10, true, [[]], [{}], [null], [10], [true]],
    issuer: [[], null, 10, true],
    credentialSubject: ['string', null, 10, true, []],
    proof: ['string', null, 10, true, []],
  };
  for (const [member, values] of Object.entries(wrong)) {
    for (const value of values) {
      await ask(VERIFIER, `${instance}: ${member} is not ${JSON.stringify(value)}, 400`, () =>
        refuses({ ...clone(issued), [member]: value }, undefined, instance));
    }
  }
  for (const [what, body] of Object.entries({
    'nothing to verify': {},
    'a string to verify': { verifiableCredential: 'x' },
    'an array to verify': { verifiableCredential: [issued] },
    'an unknown option': { verifiableCredential: issued, options: { skipEverything: true } },
    'checks that are no texts': { verifiableCredential: issued, options: { checks: [1] } },
  })) {
    await ask(VERIFIER, `${instance}: refuses ${what}, 400`, async () =>
      assert.equal((await post(at(instance, 'credentials/verify'), body)).status, 400));
  }
  await ask(VERIFIER, `${instance}: refuses what is over, and what is not yet valid`, async () => {
    for (const period of [{ validUntil: '2020-01-01T00:00:00Z' }, { validFrom: '2099-01-01T00:00:00Z' }]) {
      const problem = await refuses(await issue(plain(period), instance), undefined, instance);
      assert.match(problem.type, /RANGE_ERROR$/);
    }
  });
  await ask(VERIFIER, `${instance}: returns what was verified where it is asked`, async () => {
    const json = await verifies(issued, { returnCredential: true }, instance);
    assert.deepEqual(json.verifiableCredential, issued);
    assert.equal((await verifies(issued, {}, instance)).verifiableCredential, undefined);
  });
}

// The vector of the verifier's suite, by the suite before eddsa-rdfc-2022; its issuer is no DID.
const olderKey = 'z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2';
const older = {
  '@context': [V2, EXAMPLES, 'https://w3id.org/security/suites/ed25519-2020/v1'],
  id: 'urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33',
  type: ['VerifiableCredential', 'AlumniCredential'],
  name: 'Alumni Credential',
  description: 'A minimum viable example of an Alumni Credential.',
  issuer: 'https://vc.example/issuers/5678',
  validFrom: '2023-01-01T00:00:00Z',
  credentialSubject: { id: 'did:example:abcdefgh', alumniOf: 'The School of Examples' },
  proof: {
    type: 'Ed25519Signature2020',
    created: '2023-02-24T23:36:38Z',
    verificationMethod: `did:key:${olderKey}#${olderKey}`,
    proofPurpose: 'assertionMethod',
    proofValue: 'z57Mm1vboMtZiCyJ4aReZsv8co4Re64Y8GEjL1ZARzMbXZgkARFLqFs1P345NpPGG2hgCrS4nNdvJhpwnrNyG3kEF',
  },
};
await ask(VERIFIER, 'rdfc: verifies the vector of the suite, 200', () => verifies(older));
for (const member of ['type', 'created', 'verificationMethod', 'proofValue', 'proofPurpose']) {
  await ask(VERIFIER, `rdfc: the vector needs proof.${member}, 400`, async () => {
    const changed = clone(older);
    delete changed.proof[member];
    await refuses(changed);
  });
}

for (const instance of ['rdfc', 'jcs']) {
  await ask(VERIFIER, `${instance}: gives a challenge that is good once`, async () => {
    const given = await Promise.all([1, 2].map(() => http('POST', at(instance, 'challenges'), undefined)));
    assert.ok(given.every(({ status, json }) => status === 200 && typeof json.challenge === 'string'));
    const [challenge, other] = given.map(({ json }) => json.challenge);
    assert.notEqual(challenge, other);
    const shown = await theirVp(vp({ holder: here }), { instance, challenge, domain: 'a.example' });
    await vpRefused(shown, { challenge: other, domain: 'a.example' }, instance);
    await vpVerifies(shown, { challenge, domain: 'a.example' }, instance);
    await vpRefused(shown, { challenge, domain: 'a.example' }, instance);
  });
}

for (const instance of ['rdfc', 'jcs', 'jose']) {
  await ask(VERIFIER, `${instance}: verifies what a presentation without a proof presents, and no more`, async () => {
    const credential = instance === 'jose' ? await issue(plain(), 'jose') : await theirIssue(mine(), instance);
    const url = at(instance, 'presentations/verify');
    const answer = await post(url, { presentation: vp({ verifiableCredential: [credential] }) });
    assert.equal(answer.status, 200, answer.text);
    for (const body of [
      { presentation: vp({ verifiableCredential: [{ ...credential, id: 'urn:uuid:other' }] }) },
      { presentation: vp({ holder: here, verifiableCredential: [mine()] }) },
      { presentation: vp({ verifiableCredential: [credential] }), options: { challenge: 'c' } },
      { presentation: { '@context': [V2] } },
      { presentation: 'x' },
    ]) {
      assert.equal((await post(url, body)).status, 400, JSON.stringify(body));
    }
  });
}

// --- VC-API, holder ----------------------------------------------------------------------------

const HOLDER = 'vc-api-holder';
for (const instance of ['rdfc', 'jcs']) {
  for (const path of ['presentations', 'presentations/prove']) {
    await ask(HOLDER, `${instance}: ${path} makes a presentation that verifies, 201`, async () => {
      const credential = await issue(plain({ id: uuid() }), instance);
      const options = { challenge: 'c', domain: 'a.example' };
      const { status, json, text } = await post(at(instance, path), { presentation: vp({ verifiableCredential: [credential] }), options });
      assert.equal(status, 201, text);
      const made = json.verifiablePresentation;
      assert.equal(made.holder, issuerId);
      assert.equal(made.proof.proofPurpose, 'authentication');
      await vpVerifies(made, options, instance);
      await vpRefused(made, { ...options, challenge: 'd' }, instance);
      const result = await vc.verify({
        presentation: made, ...options, documentLoader,
        suite: new DataIntegrityProof({ cryptosuite: suites[instance].verify() }),
        checkStatus: async () => ({ verified: true }),
      });
      assert.ok(result.verified, JSON.stringify(result.error?.errors?.map((error) => error.message)));
    });
  }
  for (const [kind, make] of Object.entries({
    credentials: async (id) => issue(plain({ id }), instance),
    presentations: async (id) =>
      (await post(at(instance, 'presentations'), { presentation: vp({ id }) })).json.verifiablePresentation,
  })) {
    await ask(HOLDER, `${instance}: ${kind} are kept by their ids: 200, 202 when deleted, then 404`, async () => {
      const id = uuid();
      const made = await make(id);
      const url = at(instance, `${kind}/${encodeURIComponent(id)}`);
      const kept = await get(url);
      assert.equal(kept.status, 200);
      assert.deepEqual(kept.json, made);
      const all = await get(at(instance, kind));
      assert.equal(all.status, 200);
      assert.ok(all.json.some((one) => one.id === id));
      assert.equal((await http('DELETE', url)).status, 202);
      assert.equal((await http('DELETE', url)).status, 404);
      assert.equal((await get(url)).status, 404);
      assert.ok(!(await get(at(instance, kind))).json.some((one) => one.id === id));
    });
  }
  await ask(HOLDER, `${instance}: a credential without an id is kept by its credentialId`, async () => {
    const credentialId = `https://a.example/credentials/${randomUUID()}`;
    const issued = await issue(plain(), instance, { credentialId });
    const kept = await get(at(instance, `credentials/${encodeURIComponent(credentialId)}`));
    assert.deepEqual(kept.json, issued);
  });
  await ask(HOLDER, `${instance}: no presentation of another holder, 400`, async () =>
    assert.equal((await post(at(instance, 'presentations'), { presentation: vp({ holder: here }) })).status, 400));
  await ask(HOLDER, `${instance}: no presentation without its type, 400`, async () =>
    assert.equal((await post(at(instance, 'presentations'), { presentation: { '@context': [V2] } })).status, 400));
}

// --- did:key -----------------------------------------------------------------------------------

const DID = 'did-key';
const known = 'did:key:z6MktKwz7Ge1Yxzr4JHavN33wiwa8y81QdcMRLXQsrH9T53b';
const RESOLUTION = { Accept: 'application/ld+json;profile="https://w3id.org/did-resolution"' };
const resolve = (did, more = '', headers = RESOLUTION) => get(`${base}/1.0/identifiers/${encodeURIComponent(did)}${more}`, headers);
await ask(DID, 'resolves a did:key, with its keys', async () => {
  const { status, json } = await resolve(known);
  assert.equal(status, 200);
  const document = json.didDocument;
  assert.equal(document.id, known);
  assert.ok(document.verificationMethod.every((one) => one.controller === known && one.id.startsWith(`${known}#`)));
  assert.ok('didResolutionMetadata' in json && 'didDocumentMetadata' in json && '@context' in json);
});
await ask(DID, 'dereferences a key', async () => {
  const { status, json } = await resolve(`${known}#${known.slice(8)}`);
  assert.equal(status, 200);
  assert.equal((json.didDocument ?? json.contentStream).controller, known);
});
for (const [what, did, error, part] of [
  ['another scheme', known.replace('did:', 'notDid:'), 'invalidDid', 'didResolutionMetadata'],
  ['a version that is no number', known.replace('key:', 'key:-4:'), 'invalidDid', 'didResolutionMetadata'],
  ['another multibase', known.replace(':z', ':'), 'invalidDid', 'didResolutionMetadata'],
  ['no key', 'did:key:@', 'invalidDid', 'didResolutionMetadata'],
  ['a key of a wrong length', 'did:key:zTjsVPtY', 'invalidPublicKeyLength', 'didResolutionMetadata'],
  ['a DID URL that is none', `${known}/^bar^/?query=\`#${known.slice(8)}`, 'invalidDidUrl', 'didDereferencingMetadata'],
]) {
  await ask(DID, `${what}: ${error}`, async () => {
    const { status, json } = await resolve(did);
    assert.ok(status >= 400);
    assert.ok('didDocument' in json && 'didDocumentMetadata' in json && '@context' in json);
    assert.equal(json[part].error, error);
  });
}
await ask(DID, 'another method is not read', async () => {
  const { status, json } = await resolve(known.replace('key:', 'experimental:'));
  assert.ok(status >= 400);
  assert.ok(json.didResolutionMetadata.error);
});
await ask(DID, 'a format of keys that is unknown: unsupportedPublicKeyType', async () => {
  const { status, json } = await resolve(known, '?publicKeyFormat=unknown');
  assert.ok(status >= 400);
  assert.equal(json.didResolutionMetadata.error, 'unsupportedPublicKeyType');
});
await ask(DID, 'a format that is experimental: invalidPublicKeyType', async () => {
  const { status, json } = await resolve(`${known}#${known.slice(8)}`,
    '?publicKeyFormat=Ed25519VerificationKey2018&enableExperimentalPublicKeyTypes=false');
  assert.ok(status >= 400);
  assert.equal(json.didDereferencingMetadata.error, 'invalidPublicKeyType');
});

// --- did:web, of this instance only ------------------------------------------------------------

const WEB = 'did-web';
await ask(WEB, 'the instance has a document at its address', async () => {
  assert.equal(webId, `did:web:${base.slice('https://'.length).replaceAll('/', ':')}`);
  const { status, json } = await get(`${base}/did.json`);
  assert.equal(status, 200);
  assert.equal(json.id, webId);
  assert.ok(json.assertionMethod.length > 0 && json.authentication.length > 0);
  const { json: resolved } = await resolve(webId);
  assert.deepEqual(resolved.didDocument, json);
});
for (const instance of ['rdfc', 'jcs']) {
  await ask(WEB, `${instance}: issues by it where it is named, verified here and there`, async () => {
    const issued = await issue(plain({ issuer: webId, id: uuid() }), instance);
    assert.equal(issued.issuer, webId);
    assert.ok(issued.proof.verificationMethod.startsWith(`${webId}#`));
    await verifies(issued, undefined, instance);
    const result = await vc.verifyCredential({
      credential: issued, documentLoader, checkStatus: async () => ({ verified: true }),
      suite: new DataIntegrityProof({ cryptosuite: suites[instance].verify() }),
    });
    assert.ok(result.verified, result.error?.errors?.[0]?.message);
  });
  await ask(WEB, `${instance}: another's is not fetched, and refused`, async () => {
    const issued = await issue(plain({ issuer: webId, id: uuid() }), instance);
    const other = webId.replace('vc.example', 'other.example');
    await refuses({ ...issued, issuer: other }, undefined, instance);
    await refuses({
      ...issued, issuer: other,
      proof: { ...issued.proof, verificationMethod: issued.proof.verificationMethod.replace(webId, other) },
    }, undefined, instance);
  });
}
await ask(WEB, 'jose: issues by it where it is named', async () => {
  const issued = await issue(plain({ issuer: webId, id: uuid() }), 'jose');
  await verifies(issued, undefined, 'jose');
});

// --- VC-JOSE-COSE ------------------------------------------------------------------------------

const JOSE = 'vc-jose-cose';
const decoded = (part) => JSON.parse(Buffer.from(part, 'base64url').toString());
const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const enveloped = (token, media = 'vc+jwt', type = 'EnvelopedVerifiableCredential') => ({
  '@context': V2, id: `data:application/${media},${token}`, type,
});
const closed = await issue(plain({ id: uuid() }), 'jose');
const token = closed.id.split(',')[1];
const [head, payload, signature] = token.split('.');
await ask(JOSE, 'what is issued is an EnvelopedVerifiableCredential in a data: URL', async () => {
  assert.ok([closed['@context']].flat().includes(V2));
  assert.equal(closed.type, 'EnvelopedVerifiableCredential');
  assert.match(closed.id, /^data:application\/vc\+jwt,[\w-]+\.[\w-]+\.[\w-]+$/);
});
await ask(JOSE, 'its header: alg, typ, kid, and no key', async () => {
  const header = decoded(head);
  assert.ok(['EdDSA', 'Ed25519'].includes(header.alg));
  assert.equal(header.typ, 'vc+jwt');
  assert.equal(header.kid, `${issuerId}#${issuerId.slice(8)}`);
  assert.equal(header.jwk ?? header.x5c ?? header.jku, undefined);
});
await ask(JOSE, 'its payload is the credential, without vc or vp', async () => {
  const body = decoded(payload);
  assert.ok(body['@context'] && body.type && body.credentialSubject);
  assert.equal(typeof body.issuer === 'string' ? body.issuer : body.issuer.id, issuerId);
  assert.equal(body.vc ?? body.vp ?? body.proof, undefined);
});
await ask(JOSE, 'its signature holds, says node', async () => {
  const x = unbase58(issuerId.slice('did:key:z'.length)).subarray(2).toString('base64url');
  const key = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x } });
  assert.ok(checkSignature(null, Buffer.from(`${head}.${payload}`), key, Buffer.from(signature, 'base64url')));
});
for (const instance of ['jose', 'rdfc', 'jcs']) {
  await ask(JOSE, `${instance}: verifies it`, () => verifies(closed, undefined, instance));
}
const sign = async (header, body, signer = pair) => {
  const data = `${encoded(header)}.${encoded(body)}`;
  const bytes = await signer.signer().sign({ data: Buffer.from(data) });
  return `${data}.${Buffer.from(bytes).toString('base64url')}`;
};
const header = { alg: 'EdDSA', typ: 'vc+jwt', kid: pair.id };
await ask(JOSE, 'verifies what another signed', async () => verifies(enveloped(await sign(header, mine())), undefined, 'jose'));
for (const [what, change] of Object.entries({
  'alg none': { alg: 'none' },
  'another algorithm': { alg: 'ES256' },
  'another typ': { typ: 'JWT' },
  'a presentation\'s typ': { typ: 'vp+jwt' },
  'no kid': { kid: undefined },
  'a kid of another': { kid: stranger.id },
  'a key in the header': { jwk: { kty: 'OKP', crv: 'Ed25519', x: 'x' } },
  'a critical extension': { crit: ['exp'], exp: 1 },
})) {
  await ask(JOSE, `refuses ${what}`, async () =>
    refuses(enveloped(await sign({ ...header, ...change }, mine())), undefined, 'jose'));
}
for (const [what, body] of Object.entries({
  'a vc claim': { vc: mine(), iss: here },
  'a vp claim beside': mine({ vp: {} }),
  'another iss': mine({ iss: stranger.controller }),
  'another issuer': mine({ issuer: stranger.controller }),
  'no credential': { type: ['NonconformingDocument'], issuer: here },
  'no context': mine({ '@context': undefined }),
  'no subject': mine({ credentialSubject: undefined }),
  'an undefined term': mine({ undefinedTerm: 'x' }),
  'an exp that is over': mine({ exp: 1 }),
})) {
  await ask(JOSE, `refuses ${what}`, async () => refuses(enveloped(await sign(header, body)), undefined, 'jose'));
}
for (const [what, envelope] of Object.entries({
  'no context': { ...closed, '@context': [] },
  'another context': { ...closed, '@context': EXAMPLES },
  'an id that is no data: URL': { ...closed, id: token },
  'no type': { ...closed, type: undefined },
  'another type': { ...closed, type: 'VerifiableCredential' },
  'a type of presentations': { ...closed, type: 'EnvelopedVerifiablePresentation' },
  'another media type': enveloped(token, 'jwt-other'),
  'a changed payload': enveloped(`${head}.${encoded({ ...decoded(payload), name: 'x' })}.${signature}`),
  'no signature': enveloped(`${head}.${payload}.`),
  'what is no base64url': enveloped(`${head}.${payload}.@`),
})) {
  await ask(JOSE, `refuses ${what}`, () => refuses(envelope, undefined, 'jose'));
}
await ask(JOSE, 'an enveloped presentation of enveloped credentials, for one occasion', async () => {
  const options = { challenge: 'c', domain: 'a.example' };
  const made = await post(at('jose', 'presentations'), { presentation: vp({ verifiableCredential: [closed] }), options });
  assert.equal(made.status, 201, made.text);
  const shown = made.json.verifiablePresentation;
  assert.equal(shown.type, 'EnvelopedVerifiablePresentation');
  assert.match(shown.id, /^data:application\/vp\+jwt,/);
  await vpVerifies(shown, options, 'jose');
  await vpRefused(shown, { ...options, challenge: 'd' }, 'jose');
  await vpRefused(shown, { ...options, domain: 'b.example' }, 'jose');
  await vpRefused({ ...shown, '@context': [] }, options, 'jose');
  await vpRefused({ ...shown, '@context': [EXAMPLES] }, options, 'jose');
  await vpRefused({ ...shown, id: shown.id.split(',')[1] }, options, 'jose');
  await vpRefused({ ...shown, type: ['VerifiablePresentation'] }, options, 'jose');
});
await ask(JOSE, 'an envelope within a presentation with a proof', async () => {
  const within = await theirVp(vp({ holder: here, verifiableCredential: [enveloped(await sign(header, mine()))] })).catch((error) => error);
  if (within instanceof Error) throw within;
  await vpVerifies(within);
});

for (const [what, credentials] of Object.entries({
  'a credential that nothing secures': [mine()],
  'a credential with a proof, not enveloped': [await theirIssue(mine())],
  'an envelope of another type': [{ ...enveloped(token), type: 'VerifiableCredential' }],
  'an envelope without a signature': [enveloped(`${head}.${payload}.`)],
})) {
  await ask(JOSE, `refuses a vp+jwt with ${what}`, async () => {
    const body = vp({ holder: here, verifiableCredential: credentials });
    const shown = enveloped(await sign({ ...header, typ: 'vp+jwt' }, body), 'vp+jwt', 'EnvelopedVerifiablePresentation');
    await vpRefused(shown, undefined, 'jose');
  });
}
await ask(JOSE, 'verifies a vp+jwt of several credentials, each in an envelope', async () => {
  const one = enveloped(await sign(header, mine()));
  const body = vp({ holder: here, verifiableCredential: [one, one, enveloped(token)] });
  const shown = enveloped(await sign({ ...header, typ: 'vp+jwt' }, body), 'vp+jwt', 'EnvelopedVerifiablePresentation');
  await vpVerifies(shown, undefined, 'jose');
});

// SD-JWT: what is not shown is a digest, by RFC 9901 written down here once more.
const disclosure = (name, value) => encoded([randomUUID(), name, value]);
const digest = (text) => sha256(text).toString('base64url');
const street = disclosure('street', 'Some Street 1');
const address = disclosure('address', { type: 'https://example.org/#Address', description: 'd' });
const name = disclosure('name', 'Somebody');
const sdHeader = { alg: 'EdDSA', typ: 'vc+sd-jwt', kid: pair.id };
const partly = (more = {}) => mine({
  credentialSubject: { id: 'did:example:s', _sd: [digest(name), digest(disclosure('decoy', 1))] },
  _sd_alg: 'sha-256', ...more,
});
const sdEnvelope = (text) => enveloped(text, 'vc+sd-jwt');
const sd = async (disclosures, body = partly(), head_ = sdHeader) =>
  sdEnvelope([await sign(head_, body), ...disclosures, ''].join('~'));
for (const instance of ['jose', 'rdfc', 'jcs']) {
  await ask(JOSE, `${instance}: verifies an SD-JWT that shows everything, and one that shows nothing`, async () => {
    await verifies(await sd([name]), undefined, instance);
    await verifies(await sd([]), undefined, instance);
  });
  await ask(JOSE, `${instance}: verifies a presentation with an SD-JWT in it`, async () => {
    const inner = await sd([name]);
    const shown = instance === 'jose'
      ? enveloped(await sign({ ...header, typ: 'vp+jwt' }, vp({ holder: here, verifiableCredential: [inner] })), 'vp+jwt',
        'EnvelopedVerifiablePresentation')
      : await theirVp(vp({ holder: here, verifiableCredential: [inner] }), { instance });
    await vpVerifies(shown, undefined, instance);
  });
}
for (const [what, make] of Object.entries({
  'a disclosure twice': () => sd([name, name]),
  'a disclosure that has no digest': () => sd([name, street]),
  'a disclosure that is none': () => sd(['WyJhIl0']),
  'a disclosure that was changed': () => sd([disclosure('name', 'Somebody')]),
  'a digest twice': () => sd([], partly({ credentialSubject: { id: 'did:example:s', _sd: [digest(name), digest(name)] } })),
  'a disclosure over a claim that stands there': () =>
    sd([name], partly({ credentialSubject: { id: 'did:example:s', name: 'n', _sd: [digest(name)] } })),
  'another hash': () => sd([name], partly({ _sd_alg: 'md5' })),
  'a disclosure of a term that no context has': () =>
    sd([address], partly({ credentialSubject: { id: 'did:example:s', _sd: [digest(address)] } })),
  'another typ': () => sd([name], partly(), { ...sdHeader, typ: 'vc+jwt' }),
  'alg none': () => sd([name], partly(), { ...sdHeader, alg: 'none' }),
  'another issuer': () => sd([name], partly({ issuer: stranger.controller })),
  'what is over': () => sd([name], partly({ validUntil: '2001-01-01T00:00:00Z' })),
  'no end': async () => sdEnvelope(await sign(sdHeader, partly())),
  'an SD-JWT as vc+jwt': async () => enveloped([await sign(sdHeader, partly()), ''].join('~')),
})) {
  await ask(JOSE, `refuses an SD-JWT with ${what}`, async () => refuses(await make(), undefined, 'jose'));
}
await ask(JOSE, 'an SD-JWT answers a challenge by its holder\'s key binding, and by nothing else', async () => {
  const x = unbase58(stranger.publicKeyMultibase.slice(1)).subarray(2).toString('base64url');
  const jwt = `${await sign(sdHeader, partly({ cnf: { jwk: { kty: 'OKP', crv: 'Ed25519', x } } }))}~${name}~`;
  const bind = (signer, nonce, aud) => sign({ alg: 'EdDSA', typ: 'kb+jwt' },
    { iat: Math.floor(Date.now() / 1000), aud, nonce, sd_hash: digest(jwt) }, signer);
  const options = { challenge: 'c', domain: 'a.example' };
  await verifies(sdEnvelope(jwt + await bind(stranger, 'c', 'a.example')), options, 'jose');
  await refuses(sdEnvelope(jwt), options, 'jose');
  await refuses(sdEnvelope(jwt + await bind(pair, 'c', 'a.example')), options, 'jose');
  await refuses(sdEnvelope(jwt + await bind(stranger, 'd', 'a.example')), options, 'jose');
  await refuses(sdEnvelope(jwt + await bind(stranger, 'c', 'b.example')), options, 'jose');
});

// COSE_Sign1 (RFC 9052), as much CBOR as it takes.
const cbor = (value) => {
  const head_ = (major, size) => (size < 24 ? Buffer.from([(major << 5) | size])
    : size < 256 ? Buffer.from([(major << 5) | 24, size]) : Buffer.from([(major << 5) | 25, size >> 8, size & 255]));
  if (typeof value === 'number') return value < 0 ? head_(1, -1 - value) : head_(0, value);
  if (typeof value === 'string') return Buffer.concat([head_(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (value instanceof Map) return Buffer.concat([head_(5, value.size), ...[...value].flat().map(cbor)]);
  if (Array.isArray(value)) return Buffer.concat([head_(4, value.length), ...value.map(cbor)]);
  return Buffer.concat([head_(2, value.length), value]);
};
const cose = async (body, kind = 'vc', change = () => {}) => {
  const fields = new Map([[1, -8], [3, `application/${kind}`], [4, Buffer.from(pair.id)], [16, `application/${kind}+cose`]]);
  change(fields);
  const protected_ = cbor(fields);
  const bytes = Buffer.from(JSON.stringify(body));
  const data = cbor(['Signature1', protected_, Buffer.alloc(0), bytes]);
  const seal = Buffer.from(await pair.signer().sign({ data }));
  return Buffer.concat([Buffer.from([0xd2]), cbor([protected_, new Map(), bytes, seal])]);
};
const coseUrl = (bytes, kind = 'vc', type = 'EnvelopedVerifiableCredential') =>
  ({ ...enveloped('', `${kind}+cose`, type), id: `data:application/${kind}+cose;base64,${bytes.toString('base64')}` });
await ask(JOSE, 'verifies vc+cose, and a vp+cose with one in it', async () => {
  const inner = coseUrl(await cose(mine()));
  await verifies(inner, undefined, 'jose');
  const body = vp({ holder: here, verifiableCredential: [inner] });
  await vpVerifies(coseUrl(await cose(body, 'vp'), 'vp', 'EnvelopedVerifiablePresentation'), undefined, 'jose');
});
for (const [what, make] of Object.entries({
  'that is not in base64': async () => {
    const one = coseUrl(await cose(mine()));
    return { ...one, id: one.id.replace(';base64', '') };
  },
  'with another signature': async () => coseUrl(Buffer.concat([(await cose(mine())).subarray(0, -1), Buffer.from([0])])),
  'of another media type': async () => coseUrl(await cose(mine(), 'vc', (fields) => fields.set(16, 'application/vp+cose'))),
  'by another algorithm': async () => coseUrl(await cose(mine(), 'vc', (fields) => fields.set(1, -7))),
  'without a kid': async () => coseUrl(await cose(mine(), 'vc', (fields) => fields.delete(4))),
  'of another issuer': async () => coseUrl(await cose(mine({ issuer: stranger.controller }))),
  'that is no CBOR': async () => coseUrl(Buffer.from('no CBOR')),
})) {
  await ask(JOSE, `refuses COSE ${what}`, async () => refuses(await make(), undefined, 'jose'));
}

console.log(failures === 0 ? 'every requirement is met' : `${failures} requirements are not met`);
process.exit(failures === 0 ? 0 : 1);
