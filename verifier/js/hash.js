// SHA-256 and the domain-separated hashes built on it.

import { concat, utf8 } from './binary.js';

const ZERO = new Uint8Array(1);

export async function sha256(...parts) {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', concat(...parts)));
}

const SUBJECT_TAGS = { licence: 1, issuer: 2, 'licence-type': 3, enterprise: 4, registry: 5 };

/** Key of a subject: the only name it has in log and map. Its first byte tells the kind. */
export async function subjectKey(origin, kind, id) {
  const parts = [utf8('zhao/v1 subject'), ZERO, utf8(origin), ZERO, utf8(kind), ZERO, utf8(id)];
  const key = await sha256(...parts);
  key[0] = SUBJECT_TAGS[kind];
  return key;
}

/** The commitment that stands for a type code that is not open. */
export function typeCommitment(salt, typeCode) {
  return sha256(utf8('zhao/v1 type commitment'), ZERO, salt, utf8(typeCode));
}

/** One step of an enterprise's running hash over the keys of its licences. */
export function enterpriseChain(chain, licenceKey) {
  return sha256(utf8('zhao/v1 enterprise'), ZERO, chain, licenceKey);
}
