// How many credentials @digitalbazaar's libraries issue and verify in a second, on one thread:
// a peer of `make bench`.
//
// Usage: node rates.mjs CONTEXTS SECONDS     CONTEXTS is spec/vc/contexts
// In: a credential without proof, as JSON, whose issuer is the did:key of the seed below. Out, one
// object: for each suite how many were issued and verified in a second, and one that was issued.

import { readFileSync } from 'node:fs';

import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import { DataIntegrityProof } from '@digitalbazaar/data-integrity';
import * as jcs from '@digitalbazaar/eddsa-jcs-2022-cryptosuite';
import * as rdfc from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import * as vc from '@digitalbazaar/vc';

import { loaderOf } from './loader.mjs';

const [folder, seconds] = process.argv.slice(2);
const documentLoader = loaderOf(folder);
const document = JSON.parse(readFileSync(0, 'utf8'));
const now = new Date('2026-03-02T12:00:00Z');
const pair = await Ed25519Multikey.generate({ seed: Buffer.from('22'.repeat(32), 'hex') });
pair.controller = `did:key:${pair.publicKeyMultibase}`;
pair.id = `${pair.controller}#${pair.publicKeyMultibase}`;
const checkStatus = async () => ({ verified: true });

const suites = {
  'eddsa-jcs-2022': [jcs.createSignCryptosuite(), jcs.createVerifyCryptosuite()],
  'eddsa-rdfc-2022': [rdfc.cryptosuite, rdfc.cryptosuite],
};

// The median of five slices, after one that only warms.
async function rate(work) {
  const slices = [];
  for (let slice = 0; slice < 6; slice += 1) {
    const begin = performance.now();
    const end = begin + (Number(seconds) * 1000) / 6;
    let done = 0;
    while (performance.now() < end) {
      await work();
      done += 1;
    }
    if (slice > 0) slices.push((done * 1000) / (performance.now() - begin));
  }
  return slices.sort((a, b) => a - b)[2];
}

const figures = {};
for (const [name, [sign, verify]] of Object.entries(suites)) {
  const issue = () =>
    vc.issue({
      credential: structuredClone(document),
      suite: new DataIntegrityProof({ signer: pair.signer(), date: now, cryptosuite: sign }),
      documentLoader,
      now,
    });
  const issued = await issue();
  const check = async () => {
    const suite = new DataIntegrityProof({ cryptosuite: verify });
    const credential = structuredClone(issued);
    const answer = await vc.verifyCredential({ credential, suite, documentLoader, checkStatus, now });
    if (!answer.verified) throw new Error(`its own credential: ${answer.error}`);
  };
  figures[name] = { issue: await rate(issue), verify: await rate(check), issued };
}
console.log(JSON.stringify(figures));
