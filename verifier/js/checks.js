// Steps 3 and 5 to 8 of the algorithm: what every file proves about its log, head and authorities.

import { fromBase64Url, toBase64Url } from './binary.js';
import { canonical } from './json.js';
import { Refusal } from './errors.js';
import { sha256, subjectKey } from './hash.js';
import { valueLeafHash } from './leaf.js';
import { logKeyAt } from './logkeys.js';
import { placed } from './map.js';
import { checkLogSignature, newestCosignature, parseCheckpoint, parseTlogProof } from './note.js';
import { quorumMet, quorumTime } from './policy.js';
import { recordHash } from './record.js';
import { replayIssuer, replayRegistry, sameRecord } from './replay.js';
import { parseTime } from './time.js';
import { verifyInclusion } from './tree.js';

/** The first check that failed: its code is the only reason. */
export class Stop extends Error {
  constructor(code, verdict, detail) {
    super(detail ?? code);
    this.code = code;
    this.verdict = verdict;
    this.detail = detail;
  }
}

export const INVALID = 'invalid';
export const UNDETERMINED = 'undetermined';

export function check(condition, code, verdict = INVALID, detail = undefined) {
  if (!condition) throw new Stop(code, verdict, detail);
}

/** Runs `work`; a Refusal inside becomes the given code. */
export async function refusing(code, work, verdict = INVALID) {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Refusal) throw new Stop(code, verdict, error.message);
    throw error;
  }
}

/** A head with its proof read. Decoding has already accepted the text. */
export function readHead(head) {
  const proof = parseTlogProof(head.proof);
  const checkpoint = parseCheckpoint(proof.checkpoint);
  return { epoch: head.epoch, proof, checkpoint, time: parseTime(head.epoch.time) };
}

/** Step 3: the log is one the caller knows. Gives its keys and the trusted genesis hash. */
export function knownLog(context, checkpoint) {
  const keys = context.policy.logs.filter((log) => log.name === checkpoint.origin);
  check(keys.length > 0, 'log_unknown', UNDETERMINED, checkpoint.origin);
  // every log of a policy has an administrator: the two files were checked against each other
  const genesis = context.trust.administrators.get(checkpoint.origin);
  return { origin: checkpoint.origin, keys, genesis };
}

/** Step 5, the part about the head: the epoch is the last leaf and in the log. */
export async function epochInLog({ epoch, proof, checkpoint }) {
  const index = BigInt(epoch.index);
  check(index === proof.index && index === checkpoint.size - 1n, 'epoch_not_last');
  const leaf = await valueLeafHash(epoch);
  check(await verifyInclusion(leaf, index, checkpoint.size, proof.hashes, checkpoint.root), 'epoch_not_in_log');
}

async function cosigners(checkpoint, keys) {
  const found = [];
  for (const [name, key] of keys) {
    const seconds = await refusing('cosignature_invalid', () => newestCosignature(checkpoint, key));
    if (seconds !== null) found.push({ name, hex: key.hex, time: Number(seconds) * 1000, local: key.local });
  }
  return found;
}

const keysOf = (list) => new Set(list.map(({ hex }) => hex));

/** Step 6: log signature, cosignatures, quorum of witnesses, number of auditors. */
export async function signatures({ policy, trust, logKeys }, { checkpoint }, log) {
  const named = logKeyAt(logKeys, log.origin, checkpoint.size);
  const current = await refusing('log_signature', () => signedByLog(checkpoint, log.keys, named));
  check(current, 'log_key_retired', UNDETERMINED);
  const witnesses = await cosigners(checkpoint, policy.witnesses);
  const auditors = await cosigners(checkpoint, trust.auditors);
  check(quorumMet(policy, keysOf(witnesses)), 'witness_quorum', UNDETERMINED);
  check(keysOf(auditors).size >= trust.required, 'auditor_quorum', UNDETERMINED);
  return {
    witnesses,
    auditors,
    assurance: assurance(policy, trust, witnesses, auditors),
    quorumTime: policy.quorum === null ? undefined : quorumTime(policy, witnesses),
  };
}

// Whether the log signed with the key it had at this size. A policy may list several: one of them must have signed,
// and none of them falsely. Where the administrators named another, only that one will do.
async function signedByLog(checkpoint, keys, named) {
  let missing;
  let signed = false;
  const signs = async (key) => {
    try {
      await checkLogSignature(checkpoint, key);
      return true;
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== 'not_signed') throw error;
      missing = error;
      return false;
    }
  };
  for (const key of keys) signed = (await signs(key)) || signed;
  const current = named === undefined ? signed : await signs(named);
  if (!current && !signed) throw missing;
  return current;
}

function assurance(policy, trust, witnesses, auditors) {
  const notes = [];
  if (policy.quorum === null) notes.push('no_witness');
  else if (!quorumMet(policy, keysOf(witnesses.filter(({ name }) => !trust.localWitnesses.has(name))))) {
    notes.push('witnesses_local');
  }
  if (trust.required === 0) notes.push('no_auditor');
  else if (keysOf(auditors.filter(({ local }) => !local)).size < trust.required) notes.push('auditors_local');
  return notes;
}

/** Step 8: the head's time against the witnesses' clocks and against `at`. */
export function times({ trust, at, maxAge }, head, { quorumTime }) {
  if (quorumTime !== undefined) {
    const lag = quorumTime - head.time;
    check(lag >= -trust.skew && lag <= trust.maxLag, 'epoch_time_implausible', UNDETERMINED);
  }
  check(at >= head.time - trust.skew, 'as_of_in_future', UNDETERMINED);
  check(at <= head.time + maxAge, 'too_old', UNDETERMINED);
}

/** Whether a placed record stands at the key of (kind, id) under the head's map root. */
export async function recordPlaced({ path, record }, key, head) {
  return placed(path, key, await recordHash(record), fromBase64Url(head.epoch.mapRoot, 32));
}

/** Step 7, the registry: from the trusted genesis to the administrators. */
export async function registryChain(authorities, head, log) {
  const { registry } = authorities;
  const genesis = toBase64Url(await valueLeafHash(registry.genesis));
  check(genesis === log.genesis && registry.genesis.origin === log.origin, 'genesis_mismatch');
  const replayed = await refusing('registry_invalid', async () => {
    const result = await replayRegistry(registry.genesis, registry.history);
    sameRecord(result.record, registry.record, 'record_differs');
    return result;
  });
  const key = await subjectKey(log.origin, 'registry', log.origin);
  check(await recordPlaced(registry, key, head), 'registry_not_in_map');
  return replayed;
}

/** Step 7, a unit: from the administrators' grant to its record. */
export async function unitChain(item, unit, registry, head, log) {
  await refusing('grant_invalid', async () => {
    const record = await replayIssuer(log.origin, registry, item.history);
    sameRecord(record, item.record, 'record_differs');
    if (item.record.unit !== unit) throw new Refusal('other_unit');
  });
  const key = await subjectKey(log.origin, 'issuer', unit);
  check(await recordPlaced(item, key, head), 'issuer_not_in_map');
}

/** Step 7, a licence type. */
export async function typePlaced(item, typeCode, head, log) {
  const key = await subjectKey(log.origin, 'licence-type', typeCode);
  check(await recordPlaced(item, key, head), 'type_not_in_map');
}

/** Step 4, the digest of a credential: SHA-256 of its canonical bytes. */
export async function credentialDigest(credential) {
  return toBase64Url(await sha256(canonical(credential)));
}

