// The keys that a log's administrators named for its heads, as far as a file and a pack show them.

import { toBase64Url, toHex, utf8 } from './binary.js';
import { Refusal } from './errors.js';
import { parseFile } from './dossier.js';
import { valueLeafHash } from './leaf.js';
import { logKey } from './note.js';
import { replayRegistry, sameRecord } from './replay.js';
import { multikey } from './shape.js';

// What one file's authorities show, or nothing when they do not prove it.
async function shownBy(authorities, { policy, trust }) {
  const { registry } = authorities;
  const named = registry.record.logKeys;
  if (named === undefined) return [];
  const { origin } = registry.genesis;
  if (trust.administrators.get(origin) !== toBase64Url(await valueLeafHash(registry.genesis))) return [];
  try {
    const { record } = await replayRegistry(registry.genesis, registry.history);
    sameRecord(record, registry.record, 'record_differs');
  } catch (error) {
    if (error instanceof Refusal) return [];
    throw error;
  }
  const cosigners = new Set([...policy.witnesses.values(), ...trust.auditors.values()].map(({ hex }) => hex));
  const keys = [];
  for (const { from, key } of named) {
    const bytes = multikey(key);
    if (cosigners.has(toHex(bytes))) return [];
    keys.push({ from: BigInt(from), ...(await logKey(origin, bytes)) });
  }
  return keys;
}

function packAuthorities(pack) {
  const text = typeof pack === 'string' ? pack : new TextDecoder().decode(pack);
  // most packs name no key: they are read once, in step 7
  if (!text.includes('"logKeys"')) return undefined;
  try {
    const { format, value } = parseFile(typeof pack === 'string' ? utf8(pack) : pack);
    return format === 'issuer-pack' ? value.authorities : undefined;
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

/** The key lists that a file and a pack show. Whoever was replaced can leave the naming out of a file, so both count. */
export async function shownLogKeys(context, file) {
  const pack = context.pack === undefined ? undefined : packAuthorities(context.pack);
  const shown = [];
  for (const authorities of [file.authorities, pack]) {
    if (authorities !== undefined) shown.push(await shownBy(authorities, context));
  }
  return shown;
}

/** The key that must have signed a head of this size, or undefined: one of the policy's. */
export function logKeyAt(shown, origin, size) {
  let longest = [];
  for (const keys of shown) {
    if (keys.length > longest.length && keys[0].name === origin) longest = keys;
  }
  return longest.findLast(({ from }) => from <= size);
}
