// The judgement of one licence: steps 2, 4, 5, 7, 9 and 10. Dossiers and the items of an answer.

import { fromBase64Url, toBase64Url } from './binary.js';
import { Refusal } from './errors.js';
import { subjectKey, typeCommitment } from './hash.js';
import { parseFile } from './dossier.js';
import { checkProof, checkProofKey, readCredential } from './credential.js';
import {
  INVALID, Stop, UNDETERMINED, check, credentialDigest, epochInLog, knownLog, readHead, recordPlaced, refusing,
  registryChain, signatures, times, typePlaced, unitChain,
} from './checks.js';
import { judged, standing, thumbprint } from './standing.js';
import { LAST_INSTANT, formatTime } from './time.js';

// Step 4: the record is about this credential.
async function recordMatches(record, credential, origin) {
  check(record.digests.vc === (await credentialDigest(credential.value)), 'record_digest');
  const issuer = toBase64Url(await subjectKey(origin, 'issuer', credential.unit));
  check(record.issuer === issuer, 'record_issuer');
  check(record.issuedBy === (await thumbprint(credential.key)), 'record_issued_by');
  if (record.typeCode !== undefined) {
    check(record.typeCode === credential.typeCode && credential.typeSalt === undefined, 'record_type');
  } else {
    check(credential.typeSalt !== undefined, 'record_type');
    const commitment = await typeCommitment(fromBase64Url(credential.typeSalt, 32), credential.typeCode);
    check(record.typeCommitment === toBase64Url(commitment), 'record_type');
  }
}

// Step 7: where the authorities come from. A pack brings its own head, which must hold by itself.
async function findAuthorities(context, file, head, log) {
  if (file.authorities !== undefined) return { authorities: file.authorities, head, fromPack: false };
  check(context.pack !== undefined, 'issuer_pack_missing', UNDETERMINED);
  const pack = await readPack(context.pack);
  const packHead = readHead(pack.head);
  try {
    const packLog = knownLog(context, packHead.checkpoint);
    check(packLog.origin === log.origin, 'origin_mismatch');
    await epochInLog(packHead);
    await signatures(context, packHead, packLog);
  } catch (error) {
    if (error instanceof Stop) throw new Stop(`issuer_pack_${error.code}`, UNDETERMINED, error.detail);
    throw error;
  }
  const young = context.at <= packHead.time + context.trust.packMaxAge;
  check(young && packHead.checkpoint.size > BigInt(file.record.issuedIndex), 'issuer_pack_too_old', UNDETERMINED);
  return { authorities: pack.authorities, head: packHead, fromPack: true };
}

async function readPack(pack) {
  return refusing('issuer_pack_malformed', async () => {
    const bytes = typeof pack === 'string' ? new TextEncoder().encode(pack) : pack;
    const { format, value } = parseFile(bytes);
    if (format !== 'issuer-pack') throw new Refusal('wrong_format', format);
    return value;
  }, UNDETERMINED);
}

// Step 7: the chain from genesis to the issuing key, for the type.
async function authorise(source, record, credential, log) {
  const { authorities, head, fromPack } = source;
  const absent = fromPack ? UNDETERMINED : INVALID;
  const registry = await registryChain(authorities, head, log);
  const issuer = authorities.issuers.find((item) => item.record.unit === credential.unit);
  check(issuer !== undefined, 'issuer_missing', absent);
  await unitChain(issuer, credential.unit, registry, head, log);
  const typeItem = authorities.licenceTypes.find((item) => item.record.typeCode === credential.typeCode);
  check(typeItem !== undefined, 'type_missing', absent);
  await typePlaced(typeItem, credential.typeCode, head, log);
  await typeRules(record, typeItem.record, credential, log);
  const key = issuer.record.keys.find((entry) => entry.key === credential.key);
  const index = record.issuedIndex;
  check(
    key !== undefined && key.from <= index && (key.until === undefined || index < key.until), 'key_not_authorised',
  );
  check(
    key.types.some((grant) => grant.typeCode === credential.typeCode && grant.from <= index), 'type_not_granted',
  );
  return { unit: issuer.record, type: typeItem.record };
}

// A type that changed since the licence was issued is judged only by what no change can undo.
async function typeRules(record, type, credential, log) {
  const committed = record.typeCommitment !== undefined;
  const listed = record.enterprise !== undefined;
  const unchanged = type.index < record.issuedIndex;
  const heldSince = (since) => since !== undefined && since <= record.issuedIndex;
  check(!(committed && listed), 'type_openness');
  if (committed) check(!heldSince(type.openSince), 'type_openness');
  else check(type.openness === 'open' || !unchanged, 'type_openness');
  check(listed || committed || !heldSince(type.indexedSince), 'enterprise_mismatch');
  if (listed) {
    const key = await subjectKey(log.origin, 'enterprise', credential.holderCode);
    check(record.enterprise === toBase64Url(key) && credential.holderCodeType === '001', 'enterprise_mismatch');
  }
  if (!unchanged) return;
  check(!listed || type.indexed, 'enterprise_mismatch');
  check(!listed || !credential.holderCode.startsWith('92') || type.individualBusinesses, 'enterprise_mismatch');
}

/** Steps 1 (credential) and 2 of one licence. */
export async function authentic(value, draft) {
  const credential = await refusing('credential_malformed', () => readCredential(value));
  draft?.answer('schema');
  await refusing('proof_key_not_issuer', () => checkProofKey(credential));
  await refusing('proof_signature', () => checkProof(credential));
  draft?.answer('integrity');
  return credential;
}

// Steps 4 and the first of 5: the record is this credential's and in the map.
async function recordStands(item, credential, head, log) {
  check(credential.origin === log.origin, 'origin_mismatch');
  await recordMatches(item.record, credential, log.origin);
  const key = await subjectKey(log.origin, 'licence', credential.id);
  check(await recordPlaced(item, key, head), 'record_not_in_map');
  return toBase64Url(key);
}

/** An item of an answer as a dossier of its own, under a head that has already been judged. */
export async function judgeItem(context, { item, authorities, head, log }) {
  const credential = await authentic(item.credential);
  await recordStands(item, credential, head, log);
  const found = await authorise({ authorities, head, fromPack: false }, item.record, credential, log);
  return judged(await standing({ validity: credential, record: item.record, ...found, at: context.at }));
}

/** A dossier, all ten steps. Notes and facts enter `result` as they are established. */
export async function judgeDossier(context, file, result) {
  const credential = await authentic(file.credential, result.draft);
  const head = readHead(file.head);
  const log = knownLog(context, head.checkpoint);
  const { record } = file;
  const subject = await recordStands(file, credential, head, log);
  await epochInLog(head);
  const signed = await signatures(context, head, log);
  headFacts(result, head, signed, context);
  const source = await findAuthorities(context, file, head, log);
  const found = await authorise(source, record, credential, log);
  Object.assign(result.facts, {
    effective: record.effective,
    holder: { code: credential.holderCode, name: credential.holderName },
    issuedBy: record.issuedBy,
    issuedIndex: record.issuedIndex,
    recorded: record.recorded,
    state: record.state,
    subject,
    typeCode: credential.typeCode,
    unit: credential.unit,
  });
  times(context, head, signed);
  const collected = await standing({ validity: credential, record, ...found, at: context.at });
  for (const name of ['validity', 'authority', 'standing']) result.draft.answer(name);
  return collected;
}

/** What a head that passed step 6 establishes. */
export function headFacts(result, head, { witnesses, auditors, quorumTime, assurance }, { at, policy }) {
  result.draft.answer('witnesses');
  result.assurance = assurance;
  Object.assign(result.facts, {
    age: Math.max(0, at - head.time),
    asOf: head.epoch.time,
    auditors: auditors.map(({ name }) => name),
    epoch: head.epoch.epoch,
    quorum: policy.quorum === null ? 'none' : 'met',
    size: Number(head.checkpoint.size),
    witnesses: witnesses.map(({ name }) => name),
  });
  // a witness may sign any time up to 2^63 seconds; what has no text is no fact, and fails step 8
  if (quorumTime <= LAST_INSTANT) result.facts.quorumTime = formatTime(quorumTime);
}
