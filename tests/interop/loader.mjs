// The documents @digitalbazaar's libraries ask for: the contexts that Zhao brings along, and what a
// resolver would answer for a did:key, made from the key itself. Nothing is fetched.

import { readFileSync } from 'node:fs';

// FOLDER is spec/vc/contexts.
export function loaderOf(folder) {
  const context = (name) => JSON.parse(readFileSync(`${folder}/${name}`, 'utf8'));
  const contexts = {
    'https://www.w3.org/ns/credentials/v2': context('credentials-v2.jsonld'),
    'https://www.w3.org/2018/credentials/v1': context('credentials-v1.jsonld'),
    'https://www.w3.org/ns/credentials/examples/v2': context('examples-v2.jsonld'),
    'https://w3id.org/security/data-integrity/v2': context('data-integrity-v2.jsonld'),
    'https://www.w3.org/ns/did/v1': context('did-v1.jsonld'),
    'https://w3id.org/security/multikey/v1': context('multikey-v1.jsonld'),
    'https://zhao.example/ns/licence/v1': context('../../contexts/licence-v1.jsonld'),
  };
  return async (url) => {
    if (url in contexts) return { contextUrl: null, documentUrl: url, document: contexts[url] };
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
      authentication: [method],
    };
    return { contextUrl: null, documentUrl: url, document: fragment ? method : controller };
  };
}
