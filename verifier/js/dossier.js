// The files people exchange: shapes of dossier, issuer pack, receipt, history and answer.

import { ensure } from './errors.js';
import { canonical, parseDocument } from './json.js';
import { parseCheckpoint, parseTlogProof } from './note.js';
import { checkPath } from './map.js';
import { checkEvent } from './event.js';
import { checkEpoch, checkGenesis } from './leaf.js';
import { recordOf } from './record.js';
import { ascending, exactly, hash, integer, isObject, list, object, optional, standard, tagged, time } from './shape.js';
import { checkUscc } from './uscc.js';
import * as limits from './limits.js';

const PREFIX = 'zhao/v1 ';

// A credential is only bounded here; what is in it is judged after the file has been read.
const credential = (value, path) => {
  ensure(isObject(value), 'field-kind', `${path}: expected an object`);
  ensure(canonical(value).length <= limits.CREDENTIAL_BYTES, 'json-too-long', `${path}: credential too large`);
};

const proofText = (value, path) => {
  ensure(typeof value === 'string', 'field-kind', `${path}: expected a string`);
  const proof = parseTlogProof(value);
  // nobody signs extra data, so a file of ours has none
  ensure(proof.extra === undefined, 'field-value', `${path}: extra data`);
  parseCheckpoint(proof.checkpoint);
};

const head = object({ epoch: checkEpoch, proof: proofText });
const placedAs = (kind) => ({ path: checkPath, record: recordOf(kind) });
const historyOf = list(object({ event: checkEvent, index: integer(), recorded: time }), 0, limits.UNIT_HISTORY);

const authorities = object({
  issuers: ascending(
    object({ history: historyOf, ...placedAs('issuer') }), 0, limits.PACK_ISSUERS, (item) => item.record.unit,
  ),
  licenceTypes: ascending(
    object(placedAs('licence-type')), 0, limits.ARRAY_ITEMS, (item) => item.record.typeCode,
  ),
  registry: object({ genesis: checkGenesis, history: historyOf, ...placedAs('registry') }),
});

const inclusionPath = list(hash, 0, limits.PROOF_HASHES);

const SHAPES = {
  dossier: { authorities: optional(authorities), credential, head, ...placedAs('licence') },
  'issuer-pack': { authorities, head },
  receipt: { event: checkEvent, head, index: integer(), proof: proofText },
  history: {
    entries: list(
      object({
        epoch: checkEpoch, epochPath: inclusionPath, event: checkEvent, index: integer(), path: inclusionPath,
      }), 0, limits.ARRAY_ITEMS,
    ),
    head,
    path: checkPath,
    record: recordOf(undefined),
    subject: hash,
  },
  answer: {
    authorities,
    enterprise: object({ path: checkPath, record: optional(recordOf('enterprise')) }),
    head,
    items: list(
      object({ credential: optional(credential), subject: hash, ...placedAs('licence') }), 0, limits.ARRAY_ITEMS,
    ),
    uscc: standard(checkUscc),
  },
  evidence: undefined,
};

const BYTES = {
  dossier: limits.DOSSIER_BYTES,
  receipt: limits.DOSSIER_BYTES,
  evidence: limits.EVIDENCE_BYTES,
};

const CHECKS = Object.create(null);
for (const [name, members] of Object.entries(SHAPES)) {
  CHECKS[PREFIX + name] = members === undefined
    ? () => {}
    : object({ format: exactly(PREFIX + name), ...members });
}
const anyFile = tagged('format', CHECKS);

/** Decodes a file of any format. Gives `{format, value}` with the format's short name. */
export function parseFile(bytes) {
  const value = parseDocument(bytes, limits.EVIDENCE_BYTES);
  anyFile(value, 'file');
  if (value.format === 'zhao/v1 receipt') {
    ensure(BigInt(value.index) === parseTlogProof(value.proof).index, 'field-value', 'file.index: not the proof\'s');
  }
  const format = value.format.slice(PREFIX.length);
  // the format is known only now; nothing but the reading itself was done with the rest
  const max = BYTES[format] ?? limits.PACK_BYTES;
  ensure(bytes.length <= max, 'json-too-long', `at most ${max} bytes, found ${bytes.length}`);
  return { format, value };
}
