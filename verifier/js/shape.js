// Closed shapes for decoded JSON. A checker takes a value and a path for the message and throws a
// Refusal; nothing is coerced and an unknown member is always an error.

import { clip, ensure } from './errors.js';
import { fromBase64Url, fromBase64UrlMax, fromMultibase, utf8 } from './binary.js';
import { checkPublicKey } from './ed25519.js';
import { ORIGIN_BYTES } from './limits.js';
import { parseTime } from './time.js';

/** Whether a value is a JSON object. */
export const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Marks a member that may be absent. */
export function optional(check) {
  return { optional: check };
}

/** An object with exactly these members. */
export function object(members) {
  const names = Object.keys(members);
  return (value, path) => {
    ensure(isObject(value), 'field-kind', `${path}: expected an object`);
    for (const name of names) {
      const rule = members[name];
      const check = rule.optional ?? rule;
      if (value[name] !== undefined) check(value[name], `${path}.${name}`);
      else ensure(rule.optional !== undefined, 'field-missing', `${path}.${name}`);
    }
    for (const name of Object.keys(value)) {
      ensure(Object.hasOwn(members, name), 'field-unknown', `${path}.${clip(name)}`);
    }
  };
}

/** An array with a bounded number of items. */
export function list(check, min, max) {
  return (value, path) => {
    ensure(Array.isArray(value), 'field-kind', `${path}: expected an array`);
    ensure(value.length >= min, 'field-value', `${path}: at least ${min}, found ${value.length}`);
    ensure(value.length <= max, 'field-too-long', `${path}: at most ${max}, found ${value.length}`);
    value.forEach((item, i) => check(item, `${path}[${i}]`));
  };
}

/** A list whose items ascend strictly under `of`. */
export function ascending(check, min, max, of = (item) => item) {
  const plain = list(check, min, max);
  return (value, path) => {
    plain(value, path);
    for (let i = 1; i < value.length; i++) {
      ensure(of(value[i - 1]) < of(value[i]), 'field-value', `${path}[${i}]`);
    }
  };
}

export function text(max, min = 0) {
  return (value, path) => {
    ensure(typeof value === 'string', 'field-kind', `${path}: expected a string`);
    ensure(value.length >= min && value.length <= max, 'field-value', `${path}: length ${value.length}`);
  };
}

/** One line of text that is not empty: no control characters, at most `max` bytes of UTF-8. */
export function boundedText(max) {
  return (value, path) => {
    ensure(typeof value === 'string', 'field-kind', `${path}: expected a string`);
    ensure(utf8(value).length <= max, 'field-too-long', `${path}: at most ${max} bytes`);
    ensure(value.length > 0 && !/\p{Cc}/u.test(value), 'field-value', `${path}: '${clip(value)}'`);
  };
}

/** The origin of a log in an event or leaf: 1 to 256 bytes. Which origins there are, checkpoints say. */
export const origin = (value, path) => {
  ensure(typeof value === 'string', 'field-kind', `${path}: expected a string`);
  ensure(value.length > 0 && utf8(value).length <= ORIGIN_BYTES, 'field-value', `${path}: length ${value.length}`);
};

/** An origin that may be the name of a log's key: no white space, control character or plus sign. */
export const keyName = (value, path) => {
  origin(value, path);
  ensure(!/[\p{White_Space}\p{Cc}+]/u.test(value), 'field-value', `${path}: '${clip(value)}'`);
};

/** A list of texts that has exactly this content. */
export function fixedList(wanted) {
  return (value, path) => {
    ensure(Array.isArray(value), 'field-kind', `${path}: expected an array`);
    const same = value.length === wanted.length && value.every((item, i) => item === wanted[i]);
    ensure(same, 'field-value', path);
  };
}

export function matching(pattern, code = 'field-value') {
  return (value, path) => {
    ensure(typeof value === 'string', 'field-kind', `${path}: expected a string`);
    ensure(pattern.test(value), code, `${path}: '${clip(value)}'`);
  };
}

export function oneOf(...values) {
  return (value, path) => {
    ensure(typeof value === 'string', 'field-kind', `${path}: expected a string`);
    ensure(values.includes(value), 'field-value', `${path}: '${clip(value)}'`);
  };
}

export function exactly(wanted) {
  return (value, path) => ensure(value === wanted, 'field-value', `${path}: expected ${wanted}`);
}

export function integer(min = 0, max = Number.MAX_SAFE_INTEGER) {
  return (value, path) => {
    ensure(typeof value === 'number', 'field-kind', `${path}: expected an integer`);
    ensure(value >= min && value <= max, 'field-value', `${path}: ${value} is not in ${min}..${max}`);
  };
}

export const boolean = (value, path) =>
  ensure(typeof value === 'boolean', 'field-kind', `${path}: expected true or false`);

export function bytes(length) {
  return (value, path) => {
    ensure(typeof value === 'string', 'field-kind', `${path}: expected a string`);
    fromBase64Url(value, length);
  };
}

export function bytesAtMost(max) {
  return (value, path) => {
    ensure(typeof value === 'string', 'field-kind', `${path}: expected a string`);
    fromBase64UrlMax(value, max);
  };
}

export const hash = bytes(32);
export const signature = bytes(64);

export const time = (value, path) => {
  ensure(typeof value === 'string', 'field-kind', `${path}: expected a time`);
  parseTime(value);
};

/** A text of a standard; its own codes say what is wrong with it. */
export function standard(check) {
  return (value, path) => {
    ensure(typeof value === 'string', 'field-kind', `${path}: expected a string`);
    check(value);
  };
}

/**
 * Codes in events and records have the shape of their standards only: what a log has taken is judged by
 * who signed it, and check characters are the office's business before it signs.
 */
export const unitCode = matching(/^[0-9A-Z]{18}$/);
export const typeCode = matching(/^[0-9A-Z]{21}$/);

/** What stands before an Ed25519 public key in multibase. */
export const ED25519_MULTICODEC = Uint8Array.of(0xed, 0x01);

/** The 32 bytes of a multibase Ed25519 public key, z6Mk…. */
export function multikey(text) {
  const raw = fromMultibase(text);
  ensure(raw.length === 34, 'binary-wrong-length', `expected 34 bytes, found ${raw.length}`);
  ensure(raw[0] === ED25519_MULTICODEC[0] && raw[1] === ED25519_MULTICODEC[1], 'key-multicodec', 'not an Ed25519 public key');
  const key = raw.subarray(2);
  checkPublicKey(key);
  return key;
}

export const publicKey = (value, path) => {
  ensure(typeof value === 'string', 'field-kind', `${path}: expected a string`);
  multikey(value);
};

/** An object whose shape a member names. */
export function tagged(tag, shapes) {
  return (value, path) => {
    ensure(isObject(value), 'field-kind', `${path}: expected an object`);
    const name = value[tag];
    ensure(name !== undefined, 'field-missing', `${path}.${tag}`);
    ensure(typeof name === 'string' && Object.hasOwn(shapes, name), 'field-value', `${path}.${tag}`);
    shapes[name](value, path);
  };
}
