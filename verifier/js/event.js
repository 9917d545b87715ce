// Events: one signed statement about one subject. Shapes, identity, signatures.

import { canonical, parse, without } from './json.js';
import { concat, fromBase64Url, utf8 } from './binary.js';
import { sha256 } from './hash.js';
import { ensure } from './errors.js';
import { verifyStrict } from './ed25519.js';
import { leafHash } from './tree.js';
import * as limits from './limits.js';
import {
  ascending, boolean, hash, integer, matching, multikey, object, oneOf, optional, origin, publicKey, signature, text,
  time, typeCode, unitCode,
} from './shape.js';

export const LICENCE_VERBS = [
  'abolish', 'annul', 'cancel', 'clear-objection', 'hold', 'inspect', 'issued', 'lift-hold', 'lift-withholding',
  'mark-objection', 'mortgage', 'pledge', 'reaffirm', 'release-mortgage', 'release-pledge', 'report-lost', 'revoke',
  'transfer', 'withdraw-loss', 'withhold',
];

const note = {
  basis: optional(hash),
  code: optional(matching(/^[a-z0-9-]{1,32}$/)),
  reason: optional(hash),
};
const licence = (members = {}) => object({ ...note, ...members });
const types = ascending(typeCode, 0, limits.GRANT_TYPES);
const keyOnly = object({ key: publicKey });
const nothing = object({});

const predecessor = object({
  prev: hash,
  relation: oneOf('amended', 'renewed', 'reissued', 'corrected'),
  seq: integer(),
  subject: hash,
});

const issuedShape = licence({
  digests: object({ vc: hash }),
  enterprise: optional(hash),
  inspectionDue: optional(time),
  predecessor: optional(predecessor),
  typeCode: optional(typeCode),
  typeCommitment: optional(hash),
});

function issued(value, path) {
  issuedShape(value, path);
  oneType(value, path);
}

/** Exactly one of `typeCode` and `typeCommitment`. */
export function oneType(value, path) {
  const clear = value.typeCode !== undefined;
  const committed = value.typeCommitment !== undefined;
  ensure(clear || committed, 'field-missing', `${path}.typeCode`);
  ensure(!(clear && committed), 'field-value', `${path}: typeCode and typeCommitment`);
}

const publishShape = object({
  digest: hash,
  individualBusinesses: boolean,
  indexed: boolean,
  inspection: oneOf('none', 'notice', 'suspends'),
  openness: oneOf('open', 'restricted', 'closed'),
  typeCode,
  verbs: ascending(oneOf(...LICENCE_VERBS), 1, LICENCE_VERBS.length),
  version: integer(),
});

function publishType(value, path) {
  publishShape(value, path);
  ensure(value.verbs.includes('issued'), 'field-value', `${path}.verbs: issued is missing`);
}

/** Administrators, as in genesis, in the registry's record and in `change-administrators`. */
const administratorsShape = object({
  keys: ascending(publicKey, 1, limits.ADMINISTRATORS),
  threshold: integer(1, limits.ADMINISTRATORS),
});

export function administrators(value, path) {
  administratorsShape(value, path);
  ensure(value.threshold <= value.keys.length, 'field-value', `${path}.threshold`);
}

const DATA = {
  issued,
  withhold: licence(),
  'lift-withholding': licence(),
  hold: licence(),
  'lift-hold': licence(),
  'report-lost': licence(),
  'withdraw-loss': licence(),
  mortgage: licence(),
  pledge: licence(),
  'release-mortgage': licence({ of: integer() }),
  'release-pledge': licence({ of: integer() }),
  inspect: licence({ due: optional(time), result: oneOf('passed', 'failed') }),
  'mark-objection': licence(),
  'clear-objection': licence({ of: integer(), result: oneOf('upheld', 'rejected') }),
  cancel: licence(),
  revoke: licence(),
  annul: licence(),
  abolish: licence(),
  transfer: licence({ controller: hash }),
  reaffirm: licence(),
  'add-unit': object({ key: publicKey, types, unit: unitCode }),
  'grant-types': object({ key: publicKey, types }),
  'rotate-key': object({ key: publicKey, retire: optional(publicKey) }),
  'retire-key': keyOnly,
  'propose-key': object({ key: publicKey, types }),
  'confirm-key': keyOnly,
  'withdraw-proposal': keyOnly,
  'suspend-unit': nothing,
  'resume-unit': nothing,
  'compromise-key': object({ from: integer(), key: publicKey }),
  'publish-type': publishType,
  'retire-type': nothing,
  'change-administrators': administrators,
  'rotate-log-key': object({ from: integer(), key: publicKey, proof: signature }),
};

const members = {
  data: () => {},
  effective: time,
  origin,
  prev: optional(hash),
  seq: integer(),
  signatures: ascending(
    object({ key: publicKey, signature }), 1, limits.EVENT_SIGNATURES, (entry) => entry.key,
  ),
  signer: optional(hash),
  subject: hash,
  verb: text(64, 1),
};
const outer = object(members);

/** Refuses a value that is not an event. */
export function checkEvent(value, path = 'event') {
  outer(value, path);
  ensure(Object.hasOwn(DATA, value.verb), 'field-value', `${path}.verb`);
  DATA[value.verb](value.data, `${path}.data`);
  ensure(canonical(value).length <= limits.EVENT_BYTES, 'json-too-long', `${path}: event too large`);
  ensure((value.prev === undefined) === (value.seq === 0), 'field-value', `${path}.prev: absent iff seq is 0`);
}

export function parseEvent(bytes) {
  const event = parse(bytes, limits.EVENT_BYTES);
  checkEvent(event);
  return event;
}

/** The bytes every signature of an event covers, without the prefix. */
export function statement(event) {
  return canonical(without(event, 'signatures'));
}

function signedMessage(event) {
  return concat(utf8('zhao/v1 event\n'), statement(event));
}

/** Whether the key that a `rotate-log-key` names has signed its own announcement, for this log. */
export function logKeyBrought({ key, proof }, origin) {
  return verifyStrict(multikey(key), utf8(`zhao/v1 log key\n${origin}`), fromBase64Url(proof, 64));
}

export function eventId(event) {
  return sha256(utf8('zhao/v1 event id\n'), statement(event));
}

function eventLeaf(event) {
  return canonical({ event, leaf: 'event' });
}

export function eventLeafHash(event) {
  return leafHash(eventLeaf(event));
}

/** True when every signature of the event verifies strictly. */
export async function verifyEventSignatures(event) {
  const message = signedMessage(event);
  for (const { key, signature: text64 } of event.signatures) {
    if (!(await verifyStrict(multikey(key), message, fromBase64Url(text64, 64)))) return false;
  }
  return true;
}
