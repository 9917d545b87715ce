// Steps 9 and 10 and the assurance notes: what an authentic licence may be used for at a time.

import { toBase64Url } from './binary.js';
import { sha256 } from './hash.js';
import { keyAuthorised } from './record.js';
import { multikey } from './shape.js';
import { parseTime } from './time.js';

const WORST = ['valid', 'valid_with_notice', 'not_usable', 'invalid'];

/** SHA-256 of the 32 key bytes: the short name of a key in records. */
export async function thumbprint(keyText) {
  return toBase64Url(await sha256(multikey(keyText)));
}

async function keyByThumbprint(unit, wanted) {
  for (const entry of unit.keys) if ((await thumbprint(entry.key)) === wanted) return entry;
  return undefined;
}

const compromisedAt = (key, index) =>
  key !== undefined && key.compromisedFrom !== undefined && key.compromisedFrom <= index;

// Step 9: validity dates of the credential.
function dates({ validFrom, validUntil }, at) {
  const found = [];
  if (validFrom !== undefined && at < validFrom) found.push(['not_yet_valid', 'not_usable']);
  if (validUntil !== undefined && at >= validUntil) found.push(['expired', 'invalid']);
  return found;
}

// Step 10: the life cycle, in the order of the table.
async function lifeCycle(record, unit, type, at) {
  const found = [];
  if (record.state !== 'active') found.push([record.state, 'invalid']);
  const issuing = await keyByThumbprint(unit, record.issuedBy);
  if (compromisedAt(issuing, record.issuedIndex)) {
    const again = record.reaffirmed;
    const by = again && (await keyByThumbprint(unit, again.by));
    if (!by || !keyAuthorised(by, again.index)) found.push(['key_compromised', 'not_usable']);
  }
  const changed = record.index !== record.issuedIndex;
  if (changed && compromisedAt(await keyByThumbprint(unit, record.latestBy), record.index)) {
    found.push(['changed_by_compromised_key', 'not_usable']);
  }
  for (const suspension of record.suspensions) found.push([suspension, 'not_usable']);
  const weight = { suspends: 'not_usable', notice: 'valid_with_notice' }[type.inspection];
  if (weight !== undefined) {
    const { due, result } = record.inspection ?? {};
    if (result === 'failed') found.push(['inspection_failed', weight]);
    if (due !== undefined && at > parseTime(due)) found.push(['inspection_overdue', weight]);
  }
  const flags = [['mortgages', 'mortgaged'], ['pledges', 'pledged'], ['objections', 'objection']];
  for (const [list, code] of flags) if (record[list].length > 0) found.push([code, 'valid_with_notice']);
  if (unit.state === 'suspended') found.push(['issuer_suspended', 'valid_with_notice']);
  if (type.state === 'retired') found.push(['type_retired', 'valid_with_notice']);
  return found;
}

/** What steps 9 and 10 find on a licence that steps 1 to 8 found authentic: a list of [code, verdict]. */
export async function standing({ validity, record, unit, type, at }) {
  return [...dates(validity, at), ...(await lifeCycle(record, unit, type, at))];
}

/** Verdict and reasons of what was found. */
export function judged(found) {
  let worst = 0;
  for (const [, verdict] of found) worst = Math.max(worst, WORST.indexOf(verdict));
  return { verdict: WORST[worst], reasons: found.map(([code]) => code) };
}
