// SHA-256 and the domain-separated hashes built on it.

import { concat, utf8 } from './binary.js';

const ZERO = new Uint8Array(1);

export async function sha256(...parts) {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', concat(...parts)));
}

/** Key of a subject: the only name it has in log and map. */
export function subjectKey(origin, kind, id) {
  return sha256(utf8('zhao/v1 subject'), ZERO, utf8(origin), ZERO, utf8(kind), ZERO, utf8(id));
}

/** The commitment that stands for a type code that is not open. */
export function typeCommitment(salt, typeCode) {
  return sha256(utf8('zhao/v1 type commitment'), ZERO, salt, utf8(typeCode));
}

/** One step of an enterprise's running hash over the keys of its licences. */
export function enterpriseChain(chain, licenceKey) {
  return sha256(utf8('zhao/v1 enterprise'), ZERO, chain, licenceKey);
}
