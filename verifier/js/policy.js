// The two files of a relying party: tlog-policy (logs, witnesses, quorum) and trust (what the C2SP
// policy cannot say). A file that does not parse is the caller's error, never a verdict.

import { PolicyError, Refusal, clip } from './errors.js';
import { fromBase64, fromUtf8, toBase64Url, toHex, utf8 } from './binary.js';
import { COSIGNER_KEY, LOG_KEY, checkName, parseVkey } from './note.js';
import { parseDuration } from './time.js';
import { POLICY_BYTES, POLICY_PARTIES } from './limits.js';

const fail = (code, line = 0, detail = code) => {
  throw new PolicyError(code, line, detail);
};

// Runs a decoder; what it refuses becomes the given code at this line.
async function at(line, code, work) {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Refusal) throw new PolicyError(code, line, error.message);
    throw error;
  }
}

// Lines with their numbers and items; comments and blank lines are gone.
async function* lines(file) {
  const text = typeof file === 'string' ? file : await at(0, 'utf8', () => fromUtf8(file, 'utf8'));
  if (utf8(text).length > POLICY_BYTES) fail('size_limit');
  let number = 0;
  for (const line of text.split('\n')) {
    number++;
    if (/[\0-\x08\x0b-\x1f\x7f]/.test(line)) fail('control_character', number);
    const [keyword, ...items] = line.split(/[ \t]+/).filter((item) => item !== '');
    if (keyword !== undefined && !keyword.startsWith('#')) yield { number, keyword, items };
  }
}

async function readLines(file, readers) {
  for await (const { number, keyword, items } of lines(file)) {
    if (!Object.hasOwn(readers, keyword)) fail('keyword', number, `'${clip(keyword)}'`);
    const { least, most, read } = readers[keyword];
    if (items.length < least || items.length > most) fail('items', number, `${keyword} with ${items.length} items`);
    await read(number, items);
  }
}

// A key of the wanted algorithm that no other line has.
async function freshKey(number, text, type, taken) {
  const key = await at(number, 'vkey', () => parseVkey(text));
  if (key.type !== type) fail('key_type', number, `algorithm ${key.type}`);
  key.hex = toHex(key.key);
  if ([...taken].some((other) => other.hex === key.hex)) fail('duplicate_key', number);
  return key;
}

/** Reads a tlog-policy: `logs`, `witnesses` and `groups` by name, and the quorum's name or null. */
export async function parsePolicy(file) {
  const logs = [];
  const witnesses = new Map();
  const groups = new Map();
  const members = new Set();
  let quorum;
  const known = (name) => witnesses.has(name) || groups.has(name);
  const fresh = (number, name) => {
    if (logs.length + witnesses.size + groups.size >= POLICY_PARTIES) fail('party_limit', number);
    if (name === 'none') fail('reserved_name', number);
    if (known(name)) fail('duplicate_name', number, `'${clip(name)}'`);
  };
  await readLines(file, {
    log: {
      least: 1,
      most: 2,
      read: async (number, [text]) => {
        if (logs.length + witnesses.size + groups.size >= POLICY_PARTIES) fail('party_limit', number);
        logs.push(await freshKey(number, text, LOG_KEY, logs));
      },
    },
    witness: {
      least: 2,
      most: 3,
      read: async (number, [name, text]) => {
        fresh(number, name);
        witnesses.set(name, await freshKey(number, text, COSIGNER_KEY, witnesses.values()));
      },
    },
    group: {
      least: 2,
      most: Infinity,
      read: (number, [name, threshold, ...names]) => {
        fresh(number, name);
        for (const member of names) {
          if (!known(member)) fail('unknown_name', number, `'${clip(member)}'`);
          if (members.has(member)) fail('member_twice', number, `'${clip(member)}'`);
          members.add(member);
        }
        groups.set(name, { threshold: thresholdOf(number, threshold, names.length), members: names });
      },
    },
    quorum: {
      least: 1,
      most: 1,
      read: (number, [name]) => {
        if (quorum !== undefined) fail('quorum_twice', number);
        if (name !== 'none' && !known(name)) fail('unknown_name', number, `'${clip(name)}'`);
        quorum = name === 'none' ? null : name;
        if (quorum !== null && !intersects({ witnesses, groups }, quorum)) fail('quorum_not_majority', number);
      },
    },
  });
  if (quorum === undefined) fail('quorum_missing');
  return { logs, witnesses, groups, quorum };
}

function thresholdOf(number, text, members) {
  const k = { any: 1, all: members }[text] ?? (/^[1-9][0-9]{0,3}$/.test(text) ? Number(text) : 0);
  if (k < 1 || k > members) fail('threshold', number, `'${clip(text)}' of ${members}`);
  return k;
}

// Whether any two sets that satisfy `name` share a witness. Two choices of k out of n members have
// at least 2k − n members in common; one of these must be safe itself.
function intersects({ witnesses, groups }, name) {
  if (witnesses.has(name)) return true;
  const { threshold, members } = groups.get(name);
  const unsafe = members.filter((member) => !intersects({ witnesses, groups }, member)).length;
  return 2 * threshold - members.length > unsafe;
}

/** Whether the quorum is met by the public keys (hexadecimal) that cosigned. */
export function quorumMet(policy, keys) {
  const met = (name) => {
    const witness = policy.witnesses.get(name);
    if (witness !== undefined) return keys.has(witness.hex);
    const { threshold, members } = policy.groups.get(name);
    return members.filter(met).length >= threshold;
  };
  return policy.quorum === null || met(policy.quorum);
}

/**
 * The newest time such that the cosignatures at least as new meet the quorum alone; undefined when
 * there is none. `cosigned` are pairs of key (hexadecimal) and time.
 */
export function quorumTime(policy, cosigned) {
  const newestFirst = [...cosigned].sort((a, b) => (a.time < b.time ? 1 : a.time > b.time ? -1 : 0));
  const keys = new Set();
  for (const { hex, time } of newestFirst) {
    keys.add(hex);
    if (quorumMet(policy, keys)) return time;
  }
  return undefined;
}

const DURATIONS = {
  'max-age': 'maxAge',
  'max-lag': 'maxLag',
  'pack-max-age': 'packMaxAge',
  skew: 'skew',
  'inclusion-bound': 'inclusionBound',
};

/** Reads a trust file. `required` is the number of auditors, 0 for `none`. */
export async function parseTrust(file) {
  const trust = { administrators: new Map(), auditors: new Map(), localWitnesses: new Set() };
  let auditorsLine;
  const once = (number, name) => {
    if (trust[name] !== undefined) fail('repeated', number, name);
  };
  const readers = {
    administrator: {
      least: 2,
      most: 2,
      read: async (number, [origin, hash]) => {
        await at(number, 'origin', () => checkName(origin));
        if (trust.administrators.has(origin)) fail('duplicate_origin', number, `'${clip(origin)}'`);
        trust.administrators.set(origin, toBase64Url(await at(number, 'genesis', () => fromBase64(hash, 32))));
      },
    },
    auditor: {
      least: 2,
      most: 3,
      read: async (number, [name, text, local]) => {
        if (local !== undefined && local !== 'local') fail('items', number, `'${clip(local)}'`);
        if (trust.auditors.has(name)) fail('duplicate_name', number, `'${clip(name)}'`);
        const key = await freshKey(number, text, COSIGNER_KEY, trust.auditors.values());
        trust.auditors.set(name, { ...key, local: local === 'local' });
      },
    },
    auditors: {
      least: 1,
      most: 1,
      read: (number, [text]) => {
        once(number, 'required');
        if (text !== 'none' && !/^(0|[1-9][0-9]{0,8})$/.test(text)) fail('number', number, `'${clip(text)}'`);
        trust.required = text === 'none' ? 0 : Number(text);
        auditorsLine = { number, none: text === 'none' };
      },
    },
    'local-witness': {
      least: 1,
      most: 1,
      read: (number, [name]) => {
        if (trust.localWitnesses.has(name)) fail('duplicate_name', number, `'${clip(name)}'`);
        trust.localWitnesses.add(name);
      },
    },
  };
  for (const [keyword, name] of Object.entries(DURATIONS)) {
    readers[keyword] = {
      least: 1,
      most: 1,
      read: async (number, [text]) => {
        once(number, name);
        trust[name] = await at(number, 'duration', () => parseDuration(text));
        if (trust[name] === 0 && name !== 'skew') fail('duration', number, `${keyword} of nothing`);
      },
    };
  }
  await readLines(file, readers);
  if (trust.administrators.size === 0) fail('missing', 0, 'administrator');
  for (const [keyword, name] of [['auditors', 'required'], ...Object.entries(DURATIONS)]) {
    if (trust[name] === undefined) fail('missing', 0, keyword);
  }
  const { number, none } = auditorsLine;
  if (!none && (trust.required < 1 || trust.required > trust.auditors.size)) fail('auditors_out_of_range', number);
  return trust;
}

/** Refuses a trust file that does not fit its policy. */
export function checkAgainst(trust, policy) {
  for (const { name } of policy.logs) {
    if (!trust.administrators.has(name)) fail('administrator_missing', 0, `'${clip(name)}'`);
  }
  for (const name of trust.localWitnesses) {
    if (!policy.witnesses.has(name)) fail('unknown_witness', 0, `'${clip(name)}'`);
  }
  const keysOf = (keys) => new Set([...keys].map(({ hex }) => hex));
  const witnesses = keysOf(policy.witnesses.values());
  const logs = keysOf(policy.logs);
  for (const [name, { hex }] of trust.auditors) {
    if (witnesses.has(hex)) fail('auditor_is_witness', 0, `'${clip(name)}'`);
    if (logs.has(hex)) fail('auditor_is_log', 0, `'${clip(name)}'`);
  }
}
