// Records: what the map commits for a subject.

import { canonical, parse } from './json.js';
import { sha256 } from './hash.js';
import { ensure } from './errors.js';
import { LICENCE_VERBS, administrators, oneType } from './event.js';
import {
  ascending, boolean, exactly, hash, integer, list, object, oneOf, optional, publicKey, tagged, time, typeCode, unitCode,
} from './shape.js';
import * as limits from './limits.js';

const indexes = ascending(integer(), 0, limits.OPEN_FLAGS);

const inspectionShape = object({ due: optional(time), result: optional(oneOf('passed', 'failed')) });

function inspection(value, path) {
  inspectionShape(value, path);
  ensure(Object.keys(value).length > 0, 'field-value', `${path}: nothing in it`);
}

const licenceShape = object({
  controller: hash,
  digests: object({ vc: hash }),
  effective: time,
  enterprise: optional(hash),
  index: integer(),
  inspection: optional(inspection),
  issuedBy: hash,
  issuedIndex: integer(),
  issuer: hash,
  kind: exactly('licence'),
  latest: hash,
  latestBy: hash,
  mortgages: indexes,
  objections: indexes,
  pledges: indexes,
  predecessor: optional(hash),
  reaffirmed: optional(object({ by: hash, index: integer() })),
  recorded: time,
  seq: integer(),
  state: oneOf('active', 'superseded', 'cancelled', 'revoked', 'annulled', 'abolished'),
  successor: optional(hash),
  suspensions: ascending(oneOf('on_hold', 'reported_lost', 'withheld'), 0, 3),
  typeCode: optional(typeCode),
  typeCommitment: optional(hash),
});

function licence(value, path) {
  licenceShape(value, path);
  oneType(value, path);
}

const keyShape = object({
  compromisedFrom: optional(integer()),
  from: integer(),
  key: publicKey,
  types: list(object({ from: integer(), typeCode }), 0, limits.GRANT_TYPES),
  until: optional(integer()),
});

const issuerShape = object({
  index: integer(),
  keys: list(keyShape, 0, limits.ISSUER_KEYS),
  kind: exactly('issuer'),
  latest: hash,
  proposals: list(
    object({ key: publicKey, recorded: time, types: ascending(typeCode, 0, limits.GRANT_TYPES) }), 0, limits.PROPOSALS,
  ),
  seq: integer(),
  state: oneOf('active', 'suspended'),
  unit: unitCode,
});

// A key stands in the record once, whatever became of it.
function issuer(value, path) {
  issuerShape(value, path);
  const names = new Set(value.keys.map(({ key }) => key));
  ensure(names.size === value.keys.length, 'field-value', `${path}.keys: a key twice`);
}

const typeShape = object({
  digest: hash,
  index: integer(),
  individualBusinesses: boolean,
  indexed: boolean,
  indexedSince: optional(integer()),
  inspection: oneOf('none', 'notice', 'suspends'),
  kind: exactly('licence-type'),
  latest: hash,
  openSince: optional(integer()),
  openness: oneOf('open', 'restricted', 'closed'),
  seq: integer(),
  state: oneOf('published', 'retired'),
  typeCode,
  verbs: ascending(oneOf(...LICENCE_VERBS), 0, LICENCE_VERBS.length),
  version: integer(),
});

function licenceType(value, path) {
  typeShape(value, path);
  ensure((value.indexedSince !== undefined) === value.indexed, 'field-value', `${path}.indexedSince`);
  ensure((value.openSince !== undefined) === (value.openness === 'open'), 'field-value', `${path}.openSince`);
}

const enterprise = object({ chain: hash, count: integer(), index: integer(), kind: exactly('enterprise') });

const registryShape = object({
  administrators,
  genesis: hash,
  index: integer(),
  keyDelay: integer(0, limits.KEY_DELAY_MILLIS),
  kind: exactly('registry'),
  latest: hash,
  logKeys: optional(list(object({ from: integer(), key: publicKey }), 1, limits.LOG_KEYS)),
  seq: integer(),
});

function registry(value, path) {
  registryShape(value, path);
  const names = new Set((value.logKeys ?? []).map(({ key }) => key));
  ensure(names.size === (value.logKeys ?? []).length, 'field-value', `${path}.logKeys: a key twice`);
}

const SHAPES = { licence, issuer, 'licence-type': licenceType, enterprise, registry };
const any = tagged('kind', SHAPES);

/** Refuses a value that is not a record, or not of the kind asked for. */
function checkRecord(value, path = 'record', kind = undefined) {
  if (kind === undefined) any(value, path);
  else SHAPES[kind](value, path);
  // the size bounds what a map leaf may stand for, whatever the members are
  ensure(canonical(value).length <= limits.RECORD_BYTES, 'field-limit', `${path}: record too large`);
}

export const recordOf = (kind) => (value, path) => checkRecord(value, path, kind);

export function parseRecord(bytes) {
  const record = parse(bytes, limits.RECORD_BYTES);
  checkRecord(record);
  return record;
}

export function recordHash(record) {
  return sha256(canonical(record));
}

/** Whether a key of an issuer's record may sign at a leaf index, for a type when one is given. */
export function keyAuthorised(key, index, typeCodeWanted = undefined) {
  if (key.from > index) return false;
  if (key.until !== undefined && index >= key.until) return false;
  if (key.compromisedFrom !== undefined && index >= key.compromisedFrom) return false;
  return typeCodeWanted === undefined
    || key.types.some((grant) => grant.typeCode === typeCodeWanted && grant.from <= index);
}
