// @digitalbazaar's verifier, with its own eddsa-jcs-2022, judges our credentials: each as it is, and
// again with a claim changed, a signature changed and the proof's purpose changed, which it must
// refuse.
//
// Usage: node credential.mjs FILE…     credentials, or files of ours with a `credential`

import { readFileSync } from 'node:fs';

import { DataIntegrityProof } from '@digitalbazaar/data-integrity';
import { createVerifyCryptosuite } from '@digitalbazaar/eddsa-jcs-2022-cryptosuite';
import * as vc from '@digitalbazaar/vc';

// What a resolver would return for the two addresses of a did:key, made from the key itself. No other
// document is known, so nothing is fetched.
async function documentLoader(url) {
  const [did, fragment] = url.split('#');
  const key = did.startsWith('did:key:z6Mk') ? did.slice('did:key:'.length) : undefined;
  if (key === undefined || (fragment !== undefined && fragment !== key)) {
    throw new Error(`no document ${url}`);
  }
  const method = {
    '@context': 'https://w3id.org/security/multikey/v1',
    id: `${did}#${key}`,
    type: 'Multikey',
    controller: did,
    publicKeyMultibase: key,
  };
  const controller = {
    '@context': ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/multikey/v1'],
    id: did,
    assertionMethod: [method],
  };
  return { contextUrl: null, documentUrl: url, document: fragment ? method : controller };
}

// null when the credential verifies, else the reason.
async function verify(credential) {
  const result = await vc.verifyCredential({
    credential,
    suite: new DataIntegrityProof({ cryptosuite: createVerifyCryptosuite() }),
    documentLoader,
    // The standing of a licence is proved by its dossier, which the other judges look at.
    checkStatus: async () => ({ verified: true }),
    // The sample credentials are valid in a time of their own.
    now: credential.validFrom ? new Date(credential.validFrom) : new Date(),
  });
  if (result.verified) return null;
  const errors = result.error?.errors ?? [result.error];
  return errors.map((error) => error?.message ?? `${error}`).join(', ') || 'no reason given';
}

const changes = {
  'claim changed': (credential) => {
    credential.credentialSubject = { ...credential.credentialSubject, forged: 'x' };
  },
  'identifier changed': (credential) => {
    credential.id = credential.id.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
  },
  'signature changed': (credential) => {
    const value = credential.proof.proofValue;
    const at = value.length >> 1;
    const other = value[at] === '2' ? '3' : '2';
    credential.proof.proofValue = value.slice(0, at) + other + value.slice(at + 1);
  },
  'purpose changed': (credential) => {
    credential.proof.proofPurpose = 'authentication';
  },
};

let passed = 0;
let failed = 0;
for (const file of process.argv.slice(2)) {
  const parsed = JSON.parse(readFileSync(file, 'utf8'));
  const credential = parsed.credential ?? parsed;
  const problems = [];
  const answer = await verify(structuredClone(credential));
  if (answer !== null) problems.push(`refused: ${answer}`);
  for (const [name, change] of Object.entries(changes)) {
    const forged = structuredClone(credential);
    change(forged);
    if ((await verify(forged)) === null) problems.push(`accepted with ${name}`);
  }
  if (problems.length === 0) {
    passed += 1;
  } else {
    failed += 1;
    console.log(`failed: ${file}: ${problems.join('; ')}`);
  }
}
console.log(`@digitalbazaar/vc: ${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
