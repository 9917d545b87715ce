// How each folder of spec/vectors is run: a case in, a JSON value out, or a Refusal.

import {
  concat, fromBase64, fromBase64Url, fromBase64UrlMax, fromHex, fromMultibase, fromUtf8, toBase64, toBase64Url, toHex, utf8,
} from '../binary.js';
import { parse, parseDocument, write } from '../json.js';
import { formatTime, parseDate, parseDuration, parseTime } from '../time.js';
import { sha256, subjectKey, typeCommitment } from '../hash.js';
import { eventId, eventLeafHash, parseEvent, statement, verifyEventSignatures } from '../event.js';
import { parseLeaf } from '../leaf.js';
import { parseRecord, recordHash } from '../record.js';
import { checkPublicKey, checkSignature } from '../ed25519.js';
import { checkTypeCode, checkUscc } from '../uscc.js';
import { checkCitizenId, checkHolderCode, parseLicenceIdentifier } from '../identifier.js';
import { checkConsistency, checkInclusion, leafHash } from '../tree.js';
import {
  checkLogSignature, cosignatureSeconds, newestCosignature, openCheckpoint, parseCheckpointBody, parseNote,
  parseSignatureLine, parseTlogProof, parseVkey,
} from '../note.js';
import { checkAgainst, parsePolicy, parseTrust, quorumMet, quorumTime } from '../policy.js';
import { checkCoseReceipt, parseCoseReceipt } from '../cose.js';
import { checkAbsent, checkPath, checkPresent } from '../map.js';
import { checkProof, checkProofKey, proofHashes, readCredential } from '../credential.js';
import { multikey } from '../shape.js';
import { ensure } from '../errors.js';
import { verify } from '../verify.js';
import { fromBase45 } from '../base45.js';
import { joinCodes } from '../codes.js';
import { expand } from '../expand.js';
import { StatusMap, thumbprintOf, toMultibase } from './ledger.mjs';
import { carry } from './shrink.mjs';

/** A case of a kind this verifier has no use for; the runner counts it. */
export const NOT_OURS = Symbol('not ours');

const bytes = (c) => (c.inputHex === undefined ? utf8(c.input) : fromHex(c.inputHex));
// Tree vectors name a hash of another length `hash`.
const hash32 = (text) => {
  const found = fromBase64(text);
  ensure(found.length === 32, 'hash');
  return found;
};
const iso = (ms) => formatTime(ms);

async function note(c) {
  if (c.op === 'vkey') {
    const { name, id, type } = await parseVkey(c.vkey);
    return { name, id, type };
  }
  const parsed = parseNote(c.note);
  if (c.op === 'parse') {
    return {
      text: parsed.body,
      signatures: parsed.signatures.map(({ name, id, blob }) => ({ name, id, blob: toBase64(blob) })),
    };
  }
  await checkLogSignature(parsed, await parseVkey(c.vkey));
  return true;
}

async function checkpoint(c) {
  const { origin, size, root } = c.op === 'parse'
    ? parseCheckpointBody(c.body)
    : await openCheckpoint(c.note, await parseVkey(c.vkey));
  return { origin, size: String(size), root: toBase64(root) };
}

async function cosignature(c) {
  if (c.op === 'cosign') return NOT_OURS;
  const key = await parseVkey(c.vkey);
  if (c.op === 'newest') {
    const newest = await newestCosignature(parseNote(c.note), key);
    return newest === null ? null : String(newest);
  }
  const line = parseSignatureLine(c.line);
  ensure(key.type === 4, 'key_type');
  ensure(line.name === key.name && line.id === key.id, 'not_signed');
  return String(await cosignatureSeconds(c.body, line, key));
}

async function policy(c) {
  const parsed = await parsePolicy(c.policy);
  if (c.op === 'parse') {
    return { logs: parsed.logs.length, witnesses: parsed.witnesses.size, requiresWitnesses: parsed.quorum !== null };
  }
  const summary = (cosigned) => {
    if (parsed.quorum === null) return 'not-required';
    const time = quorumTime(parsed, cosigned);
    return time === undefined ? 'not-reached' : String(time);
  };
  if (c.op === 'quorum') {
    const cosigned = c.cosigned.map(({ key, time }) => ({ hex: toHex(fromBase64(key)), time: BigInt(time) }));
    return { met: quorumMet(parsed, new Set(cosigned.map(({ hex }) => hex))), time: summary(cosigned) };
  }
  return openUnderPolicy(parsed, c.note, summary);
}

async function openUnderPolicy(parsed, text, summary) {
  const read = parseNote(text);
  const [origin] = read.body.split('\n');
  const keys = parsed.logs.filter(({ name }) => name === origin);
  ensure(keys.length > 0, 'unknown_log');
  let opened;
  for (const key of keys) {
    try {
      opened = await openCheckpoint(text, key);
    } catch (error) {
      if (error.code !== 'not_signed') throw error;
    }
  }
  ensure(opened !== undefined, 'not_signed');
  const cosigned = [];
  for (const [name, key] of parsed.witnesses) {
    const time = await newestCosignature(read, key);
    if (time !== null) cosigned.push({ name, hex: key.hex, time });
  }
  return { origin, size: String(opened.size), cosigned: cosigned.map(({ name }) => name), time: summary(cosigned) };
}

async function trust(c) {
  const parsed = await parseTrust(c.trust);
  if (c.op === 'check-against') {
    checkAgainst(parsed, await parsePolicy(c.policy));
    return true;
  }
  if (c.op === 'auditors-met') {
    const known = new Set([...parsed.auditors.values()].map(({ hex }) => hex));
    const met = new Set(c.keys.map((key) => toHex(fromBase64(key))).filter((hex) => known.has(hex)));
    return met.size >= parsed.required;
  }
  const { maxAge, maxLag, packMaxAge, skew, inclusionBound, required } = parsed;
  return {
    administrators: [...parsed.administrators].map(([origin, hash]) => (
      { origin, genesis: toBase64(fromBase64Url(hash)) })),
    auditors: [...parsed.auditors].map(([name, { local }]) => ({ name, local })),
    required: required === 0 ? null : required,
    maxAge, maxLag,
    packMaxAge,
    skew,
    inclusionBound,
    localWitnesses: [...parsed.localWitnesses],
  };
}

async function tlogProof(c) {
  const proof = parseTlogProof(c.proof);
  if (c.op === 'parse') {
    return {
      index: String(proof.index),
      hashes: proof.hashes.map(toBase64),
      extra: proof.extra === undefined ? null : toBase64(proof.extra),
      checkpoint: proof.checkpoint,
    };
  }
  const opened = await openCheckpoint(proof.checkpoint, await parseVkey(c.vkey));
  await checkInclusion(fromBase64(c.leaf), proof.index, opened.size, proof.hashes, opened.root);
  return true;
}

async function coseReceipt(c) {
  const read = concat(fromBase64(c.receipt), new Uint8Array(c.zeros ?? 0));
  const receipt = parseCoseReceipt(read);
  if (c.op === 'parse') {
    const { origin, keyId, size, index, hashes } = receipt;
    return { origin, keyId, size: String(size), index: String(index), hashes: hashes.map(toBase64) };
  }
  const root = await checkCoseReceipt(receipt, fromBase64(c.entry), await parseVkey(c.vkey));
  return { root: toBase64(root), size: String(receipt.size) };
}

async function map(c) {
  if (c.op === 'json') {
    const path = parse(utf8(c.json));
    checkPath(path, 'path');
    assertSame(write(path), c.json);
    return true;
  }
  if (c.op === 'root') {
    const built = new StatusMap();
    for (const { key, recordHash } of c.entries) built.setHash(fromBase64Url(key), fromBase64Url(recordHash));
    return toBase64Url(await built.root());
  }
  if (c.op !== 'check') return NOT_OURS;
  const [key, root] = [fromBase64Url(c.key, 32), fromBase64Url(c.root, 32)];
  if (c.recordHash === undefined) await checkAbsent(c.path, key, root);
  else await checkPresent(c.path, key, fromBase64Url(c.recordHash, 32), root);
  return true;
}

function assertSame(found, wanted) {
  if (found !== wanted) throw new Error(`wrote ${found.slice(0, 200)} for ${wanted.slice(0, 200)}`);
}

async function credential(c) {
  const read = readCredential(parse(bytes(c), 262_144));
  checkProofKey(read);
  await checkProof(read);
  const { config, document } = await proofHashes(read.value);
  return {
    digest: toBase64Url(await sha256(utf8(c.input))),
    key: read.key,
    configHash: toHex(config),
    documentHash: toHex(document),
  };
}

async function w3c(c, file) {
  if (file !== 'w3c.json') return NOT_OURS;
  const value = JSON.parse(c.input);
  const { config, document } = await proofHashes(value);
  const { canonicalDocument, canonicalConfig, ...rest } = c.expect.ok;
  void [canonicalDocument, canonicalConfig];
  const found = { documentHash: toHex(document), configHash: toHex(config) };
  return { canonicalDocument, canonicalConfig, ...rest, ...found };
}

async function signature(c, file) {
  if (file === 'sign.json') return NOT_OURS;
  if (file === 'key-text.json') return toHex(multikey(c.input));
  const key = fromHex(c.key);
  if (file === 'key.json') {
    checkPublicKey(key);
    return { multibase: toMultibase(key), thumbprint: await thumbprintOf(key) };
  }
  await checkSignature(key, fromHex(c.message), fromHex(c.signature));
  return true;
}

function binary(c, file) {
  if (file === 'base64.json') return toHex(fromBase64(c.input));
  if (file === 'base64url.json') return toHex(fromBase64UrlMax(c.input, c.maxBytes));
  return toHex(fromMultibase(c.input));
}

function time(c, file) {
  if (file === 'arithmetic.json') return NOT_OURS;
  if (file === 'duration.json') return parseDuration(c.input);
  if (file === 'instant.json') return parseTime(c.input);
  const { start, end } = parseDate(c.input);
  return { startBeijing: iso(start), endBeijing: iso(end) };
}

const BIG = ({ oldSize, newSize }) => [BigInt(oldSize), BigInt(newSize)];

async function event(c, file) {
  const read = parseEvent(bytes(c));
  if (file === 'signature.json') {
    ensure(await verifyEventSignatures(read), 'signature_invalid');
    return true;
  }
  return {
    id: toBase64Url(await eventId(read)),
    leafHash: toBase64Url(await eventLeafHash(read)),
    statement: fromUtf8(statement(read)),
  };
}

// Canonical text of any JSON value, also of what our own writer refuses.
function anyText(value) {
  if (Array.isArray(value)) return `[${value.map(anyText).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  return `{${Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${anyText(value[name])}`).join(',')}}`;
}

/** Files judged under the policy of their vector; compared by verdict, reasons and notes. */
async function judged(c, file, { policy: policyText, trust: trustText, at }) {
  const { verdict, reasons, assurance, facts, fragments } = await verify(utf8(c.fileText ?? anyText(c.file)), {
    policy: c.policy ?? policyText,
    trust: c.trust ?? trustText,
    pack: c.pack === undefined || typeof c.pack === 'string' ? c.pack : anyText(c.pack),
    at: parseTime(c.at ?? at),
    maxAge: c.maxAge === undefined ? undefined : durationOf(c.maxAge),
  });
  const texts = fragments.map(({ name, outcome, codes }) => [name, [outcome, ...codes].join(' ')]);
  return { verdict, reasons, assurance, fragments: Object.fromEntries(texts), ...(c.expect.facts && { facts }) };
}

async function qr(c, file) {
  if (file === 'base45.json') return toHex(fromBase45(c.input));
  if (file === 'codes.json') return toBase64Url(await joinCodes(c.codes));
  if (file === 'encode.json') return (await carry(c.dossier)) !== undefined;
  return fromUtf8(await expand(concat(fromBase64Url(c.form), new Uint8Array(c.zeros ?? 0))));
}

const durationOf = (value) => (typeof value === 'number' ? value : parseDuration(value));

/** Folder → what runs a case of it. */
export const ADAPTERS = {
  json: (c) => write(c.file ? parseDocument(bytes(c)) : parse(bytes(c))),
  binary,
  hash: async (c) => {
    const hash = await sha256(...c.parts.map(fromHex));
    return { hex: toHex(hash), base64url: toBase64Url(hash) };
  },
  time,
  signature,
  uscc: (c, file) => {
    if (file !== 'uscc.json') return NOT_OURS;
    checkUscc(c.input);
    return { region: c.input.slice(2, 8), kind: c.input.slice(0, 2) };
  },
  'licence-identifier': (c, file) => {
    if (file === 'licence-identifier.json') return parseLicenceIdentifier(c.input);
    checkTypeCode(c.input);
    return c.input.slice(0, 18);
  },
  'citizen-id': (c, file) => {
    if (file === 'holder-code.json') {
      checkHolderCode(c.type, c.input);
      return c.type === '001' || c.type === '099';
    }
    checkCitizenId(c.input);
    const [year, month, day] = [c.input.slice(6, 10), c.input.slice(10, 12), c.input.slice(12, 14)];
    return { masked: `${c.input.slice(0, 6)}********${c.input.slice(14)}`, birthDate: `${year}-${month}-${day}` };
  },
  'tree-inclusion': async (c) => {
    const [index, size] = [BigInt(c.index), BigInt(c.size)];
    await checkInclusion(hash32(c.leaf), index, size, c.proof.map(hash32), hash32(c.root));
    return true;
  },
  'tree-consistency': async (c) => {
    const [oldSize, newSize] = BIG(c);
    await checkConsistency(oldSize, hash32(c.oldRoot), newSize, hash32(c.newRoot), c.proof.map(hash32));
    return true;
  },
  note,
  checkpoint,
  cosignature,
  policy,
  trust,
  'tlog-proof': tlogProof,
  'cose-receipt': coseReceipt,
  map,
  credential: async (c, file) => (file === 'type-commitment.json'
    ? toBase64Url(await typeCommitment(fromBase64Url(c.salt), c.type))
    : credential(c)),
  'eddsa-jcs': w3c,
  subject: async (c) => toBase64Url(await subjectKey(c.origin, c.kind, c.id)),
  verify: judged,
  dossier: judged,
  'issuer-pack': judged,
  receipt: judged,
  history: judged,
  answer: judged,
  event,
  leaf: async (c) => {
    assertSame(write(parseLeaf(bytes(c))), c.input);
    return { leafHash: toBase64Url(await leafHash(bytes(c))) };
  },
  qr,
  record: async (c) => ({ hash: toBase64Url(await recordHash(parseRecord(bytes(c)))) }),
};

