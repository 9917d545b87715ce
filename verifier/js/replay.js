// Replays the history of the registry and of a unit from the events alone. A licence's standing is
// proved by its record; who made the issuer is proved by replaying.

import { Refusal, ensure } from './errors.js';
import { toBase64Url } from './binary.js';
import { canonical } from './json.js';
import { equal } from './binary.js';
import { subjectKey } from './hash.js';
import { eventLeafHash, logKeyBrought, verifyEventSignatures } from './event.js';
import { valueLeafHash } from './leaf.js';
import { keyAuthorised } from './record.js';
import { parseTime } from './time.js';
import * as limits from './limits.js';

const REACHES_BACK = 86_400_000;

const byCode = (a, b) => (a.typeCode < b.typeCode ? -1 : 1);

// Everything an event must satisfy before its verb is looked at.
async function common(event, entry, state, origin, subject) {
  ensure(event.origin === origin, 'wrong_origin');
  ensure(await verifyEventSignatures(event), 'signature_invalid');
  ensure(event.subject === subject, 'wrong_subject');
  ensure(event.seq === state.seq + 1, 'seq_mismatch', `expected ${state.seq + 1}, found ${event.seq}`);
  ensure(event.prev === state.latest, 'prev_mismatch');
  ensure(entry.index > state.index, 'index_not_later', `index ${entry.index} after ${state.index}`);
  const recorded = parseTime(entry.recorded);
  const effective = parseTime(event.effective);
  ensure(recorded >= state.recorded, 'recorded_not_later');
  ensure(effective <= recorded, 'effective_in_future');
  ensure(effective >= recorded - REACHES_BACK, 'effective_too_early');
  return recorded;
}

/** At least `threshold` signatures, every one by an administrator. */
function checkThreshold(event, administrators) {
  for (const { key } of event.signatures) {
    ensure(administrators.keys.includes(key), 'foreign_signature');
  }
  ensure(event.signatures.length >= administrators.threshold, 'threshold_not_met');
}

const REGISTRY_VERBS = new Set(['change-administrators', 'rotate-log-key']);

async function rotateLogKey(keys, { data, origin }) {
  ensure(keys.every(({ key }) => key !== data.key), 'key_known');
  ensure(await logKeyBrought(data, origin), 'key_proof_invalid');
  ensure(keys.length < limits.LOG_KEYS, 'limit_reached');
  keys.push({ from: data.from, key: data.key });
}

/**
 * Replays the registry from genesis. Gives its record and `at(index)`: the administrators in force
 * immediately before a leaf index.
 */
export async function replayRegistry(genesis, history) {
  const genesisHash = toBase64Url(await valueLeafHash(genesis));
  const subject = toBase64Url(await subjectKey(genesis.origin, 'registry', genesis.origin));
  const state = { seq: 0, latest: genesisHash, index: 0, recorded: 0 };
  const logKeys = [];
  let current = genesis.administrators;
  const epochs = [{ index: -1, administrators: current }];
  for (const entry of history) {
    const { event } = entry;
    ensure(REGISTRY_VERBS.has(event.verb), 'wrong_kind', event.verb);
    const recorded = await common(event, entry, state, genesis.origin, subject);
    ensure(event.signer === undefined, 'wrong_signer');
    checkThreshold(event, current);
    if (event.verb === 'rotate-log-key') {
      await rotateLogKey(logKeys, event);
    } else {
      current = { keys: event.data.keys, threshold: event.data.threshold };
      epochs.push({ index: entry.index, administrators: current });
    }
    state.seq = event.seq;
    state.latest = toBase64Url(await eventLeafHash(event));
    state.index = entry.index;
    state.recorded = recorded;
  }
  const record = {
    administrators: current,
    genesis: genesisHash,
    index: state.index,
    keyDelay: genesis.keyDelay,
    kind: 'registry',
    latest: state.latest,
    ...(logKeys.length > 0 && { logKeys }),
    seq: state.seq,
  };
  const at = (index) => epochs.findLast((epoch) => epoch.index < index).administrators;
  return { record, at, keyDelay: genesis.keyDelay };
}

const ADMINISTRATORS_ONLY = new Set([
  'add-unit', 'grant-types', 'propose-key', 'confirm-key', 'suspend-unit', 'resume-unit',
]);
const UNIT_ONLY = new Set(['rotate-key']);

const find = (unit, key) => unit.keys.find((entry) => entry.key === key);

function known(unit, key) {
  const entry = find(unit, key);
  ensure(entry !== undefined, 'key_unknown');
  return entry;
}

function unused(unit, key) {
  ensure(find(unit, key) === undefined, 'key_known');
  ensure(!unit.proposals.some((proposal) => proposal.key === key), 'key_known');
}

function addKey(unit, key, types, index) {
  ensure(unit.keys.length < limits.ISSUER_KEYS, 'limit_reached');
  unit.keys.push({ from: index, key, types: types.map((typeCode) => ({ from: index, typeCode })) });
}

function takeProposal(unit, key) {
  const at = unit.proposals.findIndex((proposal) => proposal.key === key);
  ensure(at >= 0, 'proposal_unknown');
  return unit.proposals.splice(at, 1)[0];
}

function retire(entry, index) {
  ensure(entry.until === undefined, 'key_retired');
  entry.until = index;
}

const VERBS = {
  'grant-types'(unit, data, { index }) {
    const entry = known(unit, data.key);
    ensure(entry.until === undefined, 'key_retired');
    const fresh = data.types.filter((code) => !entry.types.some((grant) => grant.typeCode === code));
    ensure(fresh.length > 0, 'types_known');
    for (const typeCode of fresh) entry.types.push({ from: index, typeCode });
    entry.types.sort(byCode);
    ensure(entry.types.length <= limits.GRANT_TYPES, 'limit_reached');
  },
  'rotate-key'(unit, data, { index, signingKey }) {
    unused(unit, data.key);
    const types = known(unit, signingKey).types.map((grant) => grant.typeCode);
    if (data.retire !== undefined) retire(known(unit, data.retire), index);
    addKey(unit, data.key, types, index);
  },
  'retire-key'(unit, data, { index }) {
    retire(known(unit, data.key), index);
  },
  'propose-key'(unit, data, { recorded }) {
    unused(unit, data.key);
    ensure(unit.proposals.length < limits.PROPOSALS, 'limit_reached');
    unit.proposals.push({ key: data.key, recorded, types: data.types });
  },
  'confirm-key'(unit, data, { index, recordedMs, keyDelay }) {
    const proposal = takeProposal(unit, data.key);
    ensure(recordedMs >= parseTime(proposal.recorded) + keyDelay, 'delay_not_over');
    addKey(unit, data.key, proposal.types, index);
  },
  'withdraw-proposal'(unit, data) {
    takeProposal(unit, data.key);
  },
  'suspend-unit'(unit) {
    ensure(unit.state === 'active', 'already_suspended');
    unit.state = 'suspended';
  },
  'resume-unit'(unit) {
    ensure(unit.state === 'suspended', 'not_suspended');
    unit.state = 'active';
  },
  'compromise-key'(unit, data, { index }) {
    const entry = known(unit, data.key);
    ensure(data.from <= index, 'from_in_future');
    ensure(entry.compromisedFrom === undefined || data.from < entry.compromisedFrom, 'not_earlier');
    entry.compromisedFrom = data.from;
    entry.until ??= index;
  },
};

function checkSigner(event, unit, subject, index, administrators) {
  if (event.signer === undefined) {
    ensure(!UNIT_ONLY.has(event.verb), 'wrong_signer');
    checkThreshold(event, administrators);
    return undefined;
  }
  ensure(!ADMINISTRATORS_ONLY.has(event.verb), 'wrong_signer');
  ensure(event.signer === subject, 'wrong_signer');
  ensure(event.signatures.length === 1, 'foreign_signature');
  ensure(unit.state === 'active', 'signer_suspended');
  const { key } = event.signatures[0];
  const entry = find(unit, key);
  ensure(entry !== undefined && keyAuthorised(entry, index), 'key_not_authorised');
  return key;
}

/** Replays a unit's history; `registry` is what `replayRegistry` gave. Gives the unit's record. */
export async function replayIssuer(origin, registry, history) {
  ensure(history.length > 0, 'subject_absent');
  const first = history[0].event;
  ensure(first.verb === 'add-unit', 'subject_absent', first.verb);
  const subject = toBase64Url(await subjectKey(origin, 'issuer', first.data.unit));
  const state = { seq: -1, latest: undefined, index: 0, recorded: 0 };
  let unit = null;
  for (const entry of history) {
    const { event, index, recorded } = entry;
    const recordedMs = await common(event, entry, state, origin, subject);
    const signingKey = checkSigner(event, unit, subject, index, registry.at(index));
    const context = { index, recorded, recordedMs, signingKey, keyDelay: registry.keyDelay };
    if (event.verb === 'add-unit') {
      ensure(unit === null, 'subject_exists');
      unit = { keys: [], proposals: [], state: 'active', unit: event.data.unit };
      addKey(unit, event.data.key, event.data.types, index);
    } else {
      ensure(Object.hasOwn(VERBS, event.verb), 'wrong_kind', event.verb);
      VERBS[event.verb](unit, event.data, context);
    }
    state.seq = event.seq;
    state.latest = toBase64Url(await eventLeafHash(event));
    state.index = index;
    state.recorded = recordedMs;
  }
  return {
    index: state.index,
    keys: unit.keys,
    kind: 'issuer',
    latest: state.latest,
    proposals: unit.proposals,
    seq: state.seq,
    state: unit.state,
    unit: unit.unit,
  };
}

/** Refuses unless two records are the same, byte for byte. */
export function sameRecord(found, expected, code) {
  if (!equal(canonical(found), canonical(expected))) throw new Refusal(code, 'the history gives another record');
}
