// A JSON reader that accepts exactly one spelling of a value (RFC 8785), because what is hashed or
// signed must not have two. Values: null-prototype objects, arrays, strings, booleans, integers from
// 0 to 2^53 − 1.

import { Refusal, ensure } from './errors.js';
import { fromUtf8, utf8 } from './binary.js';
import * as limits from './limits.js';

const SHORT = { '"': '"', '\\': '\\', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };
const ESCAPES = { '"': '\\"', '\\': '\\\\', '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t' };
export const NAME = /[\x21\x23-\x5b\x5d-\x7e]*/y;
const WORDS = { t: 'true', f: 'false', n: 'null' };
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

const isDigit = (c) => c >= '0' && c <= '9';
const isSpace = (c) => c === ' ' || c === '\t' || c === '\n' || c === '\r';

class Reader {
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  fail(code) {
    throw new Refusal(code, `at character ${this.at}`);
  }

  // The next character, which must be there.
  next() {
    if (this.at >= this.text.length) this.fail('json-end');
    return this.text[this.at];
  }

  // Takes one of the structural characters that may stand here.
  take(allowed) {
    const c = this.next();
    if (isSpace(c)) this.fail('json-whitespace');
    if (!allowed.includes(c)) this.fail('json-unexpected');
    this.at++;
    return c;
  }

  value(depth) {
    const c = this.next();
    if (c === '{') return this.object(depth + 1);
    if (c === '[') return this.array(depth + 1);
    if (c === '"') return this.string();
    if (isDigit(c)) return this.number();
    if (c === '-') this.fail('json-negative');
    if (isSpace(c)) this.fail('json-whitespace');
    if (!Object.hasOwn(WORDS, c)) this.fail('json-unexpected');
    return this.word(WORDS[c]);
  }

  word(word) {
    for (const letter of word) {
      if (this.next() !== letter) this.fail('json-unexpected');
      this.at++;
    }
    if (word === 'null') this.fail('json-null');
    return word === 'true';
  }

  number() {
    const from = this.at;
    while (this.at < this.text.length && isDigit(this.text[this.at])) this.at++;
    const digits = this.text.slice(from, this.at);
    if (digits.length > 1 && digits[0] === '0') this.fail('json-leading-zero');
    if ('.eE'.includes(this.text[this.at] ?? ' ')) this.fail('json-fraction');
    // 2^53 − 1 has 16 digits; the length keeps Number() away from what it would round
    if (digits.length > 16 || !Number.isSafeInteger(Number(digits))) this.fail('json-integer-too-large');
    return Number(digits);
  }

  string() {
    this.at++;
    let out = '';
    let from = this.at;
    for (;;) {
      if (this.at >= this.text.length) this.fail('json-end');
      const c = this.text.charCodeAt(this.at);
      if (c === QUOTE) break;
      if (c < 0x20) this.fail('json-control');
      if (c === BACKSLASH) {
        out += this.text.slice(from, this.at++) + this.escape();
        from = this.at;
      } else {
        this.at++;
      }
    }
    out += this.text.slice(from, this.at++);
    // a code unit is at most three bytes, so short texts need no measuring
    if (out.length * 3 > limits.TEXT_BYTES && utf8(out).length > limits.TEXT_BYTES) this.fail('json-text-too-long');
    return out;
  }

  // Only the escapes that the writer makes: the short ones, and \u00 for the other control characters.
  escape() {
    const letter = this.next();
    if (Object.hasOwn(SHORT, letter)) {
      this.at++;
      return SHORT[letter];
    }
    const match = /^u00([01][0-9a-f])/.exec(this.text.slice(this.at, this.at + 5));
    const c = match === null ? undefined : String.fromCharCode(parseInt(match[1], 16));
    if (c === undefined || ESCAPES[c] !== undefined) this.fail('json-escape');
    this.at += 5;
    return c;
  }

  array(depth) {
    if (depth > limits.DEPTH) this.fail('json-depth');
    this.at++;
    const out = [];
    if (this.next() === ']') {
      this.at++;
      return out;
    }
    do {
      if (out.length === limits.ARRAY_ITEMS) this.fail('json-array-too-long');
      out.push(this.value(depth));
    } while (this.take(',]') === ',');
    return out;
  }

  object(depth) {
    if (depth > limits.DEPTH) this.fail('json-depth');
    this.at++;
    const out = Object.create(null);
    if (this.next() === '}') {
      this.at++;
      return out;
    }
    let previous = '';
    let members = 0;
    do {
      if (++members > limits.OBJECT_MEMBERS) this.fail('json-object-too-large');
      const name = this.name();
      if (name === previous) this.fail('json-duplicate');
      if (name < previous) this.fail('json-name-order');
      previous = name;
      this.take(':');
      out[name] = this.value(depth);
    } while (this.take(',}') === ',');
    return out;
  }

  // Printable ASCII without quote and backslash: sorting it needs no agreement on code units.
  name() {
    this.take('"');
    NAME.lastIndex = this.at;
    const [name] = NAME.exec(this.text);
    this.at += name.length;
    if (this.next() !== '"' || name.length === 0 || name.length > limits.NAME_BYTES) this.fail('json-name');
    this.at++;
    return name;
  }
}

/** Reads a value whose bytes are its canonical form. `max` bounds the bytes before any work. */
export function parse(bytes, max = Infinity) {
  ensure(bytes.length <= max, 'json-too-long', `at most ${max} bytes, found ${bytes.length}`);
  const reader = new Reader(fromUtf8(bytes, 'json-utf8'));
  const value = reader.value(0);
  if (reader.at !== reader.text.length) reader.fail('json-trailing');
  return value;
}

/** As `parse`, for a file, which may end in one newline. */
export function parseDocument(bytes, max = Infinity) {
  const ended = bytes.length > 0 && bytes[bytes.length - 1] === 0x0a;
  return parse(ended ? bytes.subarray(0, bytes.length - 1) : bytes, max);
}

function writeString(text) {
  let out = '"';
  for (const c of text) {
    const unit = c.charCodeAt(0);
    if (c.length === 1 && unit >= 0xd800 && unit <= 0xdfff) throw new Refusal('json-surrogate');
    if (ESCAPES[c] !== undefined) out += ESCAPES[c];
    else if (unit < 0x20) out += `\\u${unit.toString(16).padStart(4, '0')}`;
    else out += c;
  }
  return `${out}"`;
}

/** RFC 8785 text of a value of this reader. */
export function write(value) {
  if (typeof value === 'string') return writeString(value);
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if (typeof value === 'number') {
    ensure(Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0), 'json-number');
    return String(value);
  }
  if (Array.isArray(value)) return `[${value.map(write).join(',')}]`;
  ensure(typeof value === 'object' && value !== null, 'json-kind');
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${writeString(name)}:${write(value[name])}`).join(',')}}`;
}

/** RFC 8785 bytes. */
export function canonical(value) {
  return utf8(write(value));
}

/** A copy without some members: what a signature covers. */
export function without(object, ...names) {
  const out = Object.create(null);
  for (const name of Object.keys(object)) if (!names.includes(name)) out[name] = object[name];
  return out;
}
