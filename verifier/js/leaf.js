// Leaves of the log: genesis, event, epoch.

import { canonical, parse } from './json.js';
import { leafHash } from './tree.js';
import { ensure } from './errors.js';
import { administrators, checkEvent } from './event.js';
import { exactly, hash, integer, object, optional, origin, tagged, time } from './shape.js';
import * as limits from './limits.js';

const genesisShape = object({
  administrators,
  created: time,
  format: exactly(1),
  keyDelay: integer(0, limits.KEY_DELAY_MILLIS),
  leaf: exactly('genesis'),
  origin,
});

const epochShape = object({
  epoch: integer(),
  index: integer(),
  leaf: exactly('epoch'),
  mapRoot: hash,
  previous: optional(integer()),
  subjects: integer(),
  time,
});

const eventShape = object({ event: checkEvent, leaf: exactly('event') });

export function checkGenesis(value, path = 'genesis') {
  genesisShape(value, path);
}

export function checkEpoch(value, path = 'epoch') {
  epochShape(value, path);
  const { epoch, index, previous } = value;
  ensure((previous === undefined) === (epoch === 0), 'field-value', `${path}.previous: absent in epoch 0 only`);
  ensure(previous === undefined || previous < index, 'field-value', `${path}.previous: not before index`);
}

const anyLeaf = tagged('leaf', { genesis: checkGenesis, event: eventShape, epoch: checkEpoch });

/** A leaf of any kind from its bytes. */
export function parseLeaf(bytes) {
  const leaf = parse(bytes, limits.LEAF_BYTES);
  anyLeaf(leaf, 'leaf');
  return leaf;
}

export function valueLeafHash(value) {
  return leafHash(canonical(value));
}
