// The decision: a file, a policy, a trust file and a time in; a verdict with its reasons out.

import { Refusal } from './errors.js';
import { fromBase64Url, toBase64Url, utf8 } from './binary.js';
import { parseFile } from './dossier.js';
import { toJson } from './expand.js';
import { enterpriseChain, subjectKey } from './hash.js';
import { absent, placed } from './map.js';
import { checkAgainst, parsePolicy, parseTrust } from './policy.js';
import { parseCheckpoint, parseTlogProof } from './note.js';
import { eventLeafHash, verifyEventSignatures } from './event.js';
import { shownLogKeys } from './logkeys.js';
import { valueLeafHash } from './leaf.js';
import { recordHash } from './record.js';
import { verifyInclusion } from './tree.js';
import {
  INVALID, Stop, UNDETERMINED, check, epochInLog, knownLog, readHead, recordPlaced, registryChain, signatures, times,
  typePlaced, unitChain,
} from './checks.js';
import { headFacts, judgeDossier, judgeItem } from './licence.js';
import { Draft, verdictOf } from './report.js';

// What a file has found on it beside the checks it may fail.
const NOTHING = [];

// Steps 3, 5 and 6 of a file whose head is judged by itself.
async function judgeHead(context, file, result) {
  const head = readHead(file.head);
  const log = knownLog(context, head.checkpoint);
  await epochInLog(head);
  const signed = await signatures(context, head, log);
  headFacts(result, head, signed, context);
  return { head, log, signed };
}

async function judgeReceipt(context, file, result) {
  const head = readHead(file.head);
  const log = knownLog(context, head.checkpoint);
  check(file.event.origin === log.origin, 'origin_mismatch');
  const proof = parseTlogProof(file.proof);
  const checkpoint = parseCheckpoint(proof.checkpoint);
  const leaf = await eventLeafHash(file.event);
  const included = await verifyInclusion(leaf, proof.index, checkpoint.size, proof.hashes, checkpoint.root);
  check(BigInt(file.index) === proof.index && included, 'event_not_in_log');
  await epochInLog(head);
  const signed = await signatures(context, head, log);
  headFacts(result, head, signed, context);
  check(proof.checkpoint === head.proof.checkpoint, 'receipt_heads_differ');
  check(file.index < head.epoch.index, 'event_not_in_log');
  result.draft.answer('standing');
  check(await verifyEventSignatures(file.event), 'event_signature');
  result.draft.answer('integrity');
  return NOTHING;
}

async function judgeAnswer(context, file, result) {
  const { head, log, signed } = await judgeHead(context, file, result);
  await registryChain(file.authorities, head, log);
  result.draft.answer('authority');
  times(context, head, signed);
  await enterpriseComplete(file, head, log);
  const root = fromBase64Url(head.epoch.mapRoot, 32);
  for (const item of file.items) {
    const key = fromBase64Url(item.subject, 32);
    check(await placed(item.path, key, await recordHash(item.record), root), 'item_not_in_map');
  }
  result.draft.answer('standing');
  result.facts.items = [];
  for (const item of file.items) {
    const entry = { subject: item.subject };
    if (item.credential !== undefined) Object.assign(entry, await itemVerdict(context, { item, file, head, log }));
    result.facts.items.push(entry);
  }
  return NOTHING;
}

async function itemVerdict(context, { item, file, head, log }) {
  try {
    return await judgeItem(context, { item, authorities: file.authorities, head, log });
  } catch (error) {
    if (error instanceof Stop) return { verdict: error.verdict, reasons: [error.code] };
    throw error;
  }
}

async function enterpriseComplete(file, head, log) {
  const key = await subjectKey(log.origin, 'enterprise', file.uscc);
  const { record, path } = file.enterprise;
  if (record === undefined) {
    const root = fromBase64Url(head.epoch.mapRoot, 32);
    check(await absent(path, key, root), 'enterprise_not_in_map');
    check(file.items.length === 0, 'answer_incomplete');
    return;
  }
  check(await recordPlaced(file.enterprise, key, head), 'enterprise_not_in_map');
  let chain = new Uint8Array(32);
  for (const item of file.items) chain = await enterpriseChain(chain, fromBase64Url(item.subject, 32));
  check(record.count === file.items.length && record.chain === toBase64Url(chain), 'answer_incomplete');
}

async function judgeHistory(context, file, result) {
  const { head, signed } = await judgeHead(context, file, result);
  times(context, head, signed);
  check(await recordPlaced(file, fromBase64Url(file.subject, 32), head), 'record_not_in_map');
  result.facts.subject = file.subject;
  const { size, root } = head.checkpoint;
  const hashes = [];
  for (const { event, index, path, epoch, epochPath } of file.entries) {
    const leaf = await eventLeafHash(event);
    hashes.push(toBase64Url(leaf));
    check(await verifyInclusion(leaf, index, size, decodePath(path), root), 'event_not_in_log');
    const covers = index < epoch.index && (epoch.previous === undefined || epoch.previous < index);
    const epochLeaf = await valueLeafHash(epoch);
    const included = await verifyInclusion(epochLeaf, epoch.index, size, decodePath(epochPath), root);
    check(covers && included, 'epoch_not_in_log');
  }
  check(historyComplete(file, hashes), 'history_incomplete');
  result.draft.answer('standing');
  return NOTHING;
}

// The position an event has in the history of `subject`: its own, or a new version's view of it.
function linkOf(event, subject) {
  if (event.subject === subject) return event;
  const old = event.verb === 'issued' ? event.data.predecessor : undefined;
  return old !== undefined && old.subject === subject ? old : undefined;
}

const decodePath = (path) => path.map((text) => fromBase64Url(text, 32));

// From the subject's first event to the record, without a gap.
function historyComplete({ entries, record, subject }, hashes) {
  const first = record.kind === 'registry' ? 1 : 0;
  let previous = record.kind === 'registry' ? record.genesis : undefined;
  for (const [i, { event }] of entries.entries()) {
    const link = linkOf(event, subject);
    if (link === undefined || link.seq !== first + i || link.prev !== previous) return false;
    previous = hashes[i];
  }
  return record.latest === previous && record.seq === first + entries.length - 1;
}

async function judgePack(context, file, result) {
  const { head, log } = await judgeHead(context, file, result);
  result.draft.answer('standing');
  const registry = await registryChain(file.authorities, head, log);
  for (const item of file.authorities.issuers) await unitChain(item, item.record.unit, registry, head, log);
  for (const item of file.authorities.licenceTypes) await typePlaced(item, item.record.typeCode, head, log);
  result.draft.answer('authority');
  return NOTHING;
}

const JUDGES = {
  dossier: judgeDossier,
  receipt: judgeReceipt,
  answer: judgeAnswer,
  history: judgeHistory,
  'issuer-pack': judgePack,
  evidence: () => {
    throw new Stop('evidence_not_supported', UNDETERMINED);
  },
};

async function decide(context, file, result) {
  const { format, value } = parseFile(await toJson(file));
  result.draft.decoded(format);
  context.logKeys = await shownLogKeys(context, value);
  return JUDGES[format](context, value, result);
}

const asParsed = (value, read) => (typeof value === 'string' || value instanceof Uint8Array ? read(value) : value);

/**
 * Judges a file: JSON, a QR form, or the texts of its printed codes (a list, or one a line). Throws a
 * PolicyError when policy or trust do not parse or do not fit each other, and a TypeError when `at` is no
 * number of milliseconds; whatever the file's bytes are, it answers.
 */
export async function verify(fileBytes, { policy, trust, pack, at, maxAge }) {
  if (!Number.isSafeInteger(at)) throw new TypeError('at: expected milliseconds since 1970');
  const context = { policy: await asParsed(policy, parsePolicy), trust: await asParsed(trust, parseTrust), pack, at };
  checkAgainst(context.trust, context.policy);
  context.maxAge = maxAge ?? context.trust.maxAge;
  const result = { assurance: [], facts: {}, draft: new Draft() };
  const file = typeof fileBytes === 'string' ? utf8(fileBytes) : fileBytes;
  let found;
  let detail;
  try {
    found = await decide(context, file, result);
  } catch (error) {
    if (error instanceof Stop) {
      found = [[error.code, error.verdict]];
      detail = error.detail;
    } else if (error instanceof Refusal) {
      result.draft = new Draft();
      found = [['malformed', INVALID]];
      detail = error.message;
    } else {
      throw error;
    }
  }
  return answer(result, found, detail);
}

// The verdict is made of the fragments, and of nothing else.
function answer({ assurance, facts, draft }, found, detail) {
  const fragments = draft.fragments(found, facts);
  const reasons = found.map(([code]) => code);
  return { verdict: verdictOf(fragments), reasons, assurance, facts, fragments, ...(detail !== undefined && { detail }) };
}
