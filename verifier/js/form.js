// The array of a QR form: its 27 items, read in order. Times come out in milliseconds, byte strings as
// they are, the texts inflated and cut. What texts say, and items together, is for expand.js.

import { clip, ensure } from './errors.js';
import { fromUtf8 } from './binary.js';
import { ARRAY, BYTES, CborReader, MAP, NEGATIVE, UNSIGNED } from './cbor.js';
import { DICTIONARY } from './dictionary.js';
import { inflate } from './inflate.js';
import { FIRST_DATE_DAY, LAST_DATE_DAY, LAST_INSTANT, dayBegin, isDayBegin } from './time.js';
import * as limits from './limits.js';

const VERSION = 1n;
const DICTIONARY_NUMBER = 1n;
const ITEMS = 27n;
const LINE_BYTES = 68n;
const STATES = ['active', 'superseded', 'cancelled', 'revoked', 'annulled', 'abolished'];
const SUSPENSIONS = ['on_hold', 'reported_lost', 'withheld'];
const RESULTS = ['passed', 'failed'];
const LAST_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

const value = (condition, detail) => ensure(condition, 'qr-value', detail);

const exactly = (length) => (found) => found === BigInt(length);
const hash = (reader) => reader.string(exactly(32));

// A BigInt as the number that JSON can have.
function safe(integer) {
  value(integer <= LAST_SAFE && integer >= -LAST_SAFE, `${integer} is beyond 2^53 - 1`);
  return Number(integer);
}

const signed = ({ kind, argument }) => (kind === NEGATIVE ? -1n - argument : argument);

const unsigned = (reader) => safe(reader.item(UNSIGNED).argument);

const integer = (reader) => safe(signed(reader.item(UNSIGNED, NEGATIVE)));

function upTo(reader, least, most) {
  const found = unsigned(reader);
  value(found >= least && found <= most, `${found} is not in ${least}..${most}`);
  return found;
}

// A day's beginning has its own spelling, so the other one is refused for it.
function time(reader) {
  const found = integer(reader);
  const ms = found < 0 ? dayBegin(-found) : found;
  value(ms <= LAST_INSTANT, `time ${found}`);
  value(found < 0 || !isDayBegin(ms), `a day's beginning as ${found} milliseconds`);
  return ms;
}

function date(reader) {
  const day = integer(reader);
  value(day >= FIRST_DATE_DAY && day <= LAST_DATE_DAY, `day ${day}`);
  return day;
}

// Depths whose bits are set, root first.
function depths(reader) {
  const bits = reader.string((length) => length <= BigInt(limits.MAP_PATH / 8));
  value(bits.length === 0 || bits[bits.length - 1] !== 0, 'the last byte of the depths is 0');
  const found = [];
  for (let depth = 0; depth < bits.length * 8; depth++) {
    if ((bits[depth >> 3] >> (7 - (depth & 7))) & 1) found.push(depth);
  }
  return found;
}

function hashes(reader, count) {
  const bytes = reader.string(exactly(32 * count));
  return Array.from({ length: count }, (_, i) => bytes.subarray(32 * i, 32 * i + 32));
}

const ones = (number) => [...BigInt(number).toString(2)].filter((digit) => digit === '1').length;

function length(reader, least, most) {
  const { argument } = reader.item(ARRAY);
  ensure(argument >= BigInt(least) && argument <= BigInt(most), 'qr-shape', `array of ${argument}`);
  return Number(argument);
}

// Lines in the note's order. An integer belongs to the line before it: the time of a cosignature.
function lines(reader, epochTime) {
  // each line and, behind it, its time
  const entries = length(reader, 1, 2 * limits.NOTE_SIGNATURES);
  const found = [];
  for (let i = 0; i < entries; i++) {
    const last = found[found.length - 1];
    const kinds = last !== undefined && last.seconds === undefined ? [UNSIGNED, NEGATIVE] : [];
    if (found.length < limits.NOTE_SIGNATURES) kinds.push(BYTES);
    const item = reader.item(...kinds);
    if (item.kind === BYTES) {
      found.push({ blob: reader.content(item.argument, (bytes) => bytes === LINE_BYTES) });
    } else {
      last.seconds = Math.floor(epochTime / 1000) + safe(signed(item));
    }
  }
  return found;
}

function openIndexes(reader) {
  const count = length(reader, 1, limits.OPEN_FLAGS);
  const found = [];
  for (let i = 0; i < count; i++) {
    const index = unsigned(reader);
    value(i === 0 || found[i - 1] < index, `${index} does not ascend`);
    found.push(index);
  }
  return found;
}

const ENTRIES = {
  1: ['validUntil', time],
  2: ['typeSalt', hash],
  3: ['controller', hash],
  4: ['latestBy', hash],
  5: ['enterprise', (reader) => upTo(reader, 1, 1) === 1],
  6: ['state', (reader) => STATES[upTo(reader, 1, STATES.length - 1)]],
  7: ['suspensions', (reader) => {
    const sum = upTo(reader, 1, 7);
    return SUSPENSIONS.filter((_, bit) => (sum >> bit) & 1);
  }],
  8: ['mortgages', openIndexes],
  9: ['objections', openIndexes],
  10: ['pledges', openIndexes],
  11: ['predecessor', hash],
  12: ['successor', hash],
  13: ['reaffirmedIndex', unsigned],
  14: ['reaffirmedBy', hash],
  15: ['inspectionDue', time],
  16: ['inspectionResult', (reader) => RESULTS[upTo(reader, 0, RESULTS.length - 1)]],
};

function rarities(reader) {
  const { argument } = reader.item(MAP);
  const found = {};
  let previous = -1n;
  for (let i = 0n; i < argument; i++) {
    const { argument: key } = reader.item(UNSIGNED);
    ensure(key > previous, 'qr-cbor-form', `key ${key} does not ascend`);
    previous = key;
    ensure(Object.hasOwn(ENTRIES, String(key)), 'qr-shape', `key ${key}`);
    const [name, read] = ENTRIES[key];
    found[name] = read(reader);
  }
  return found;
}

function readItems(reader) {
  const { argument: items } = reader.item(ARRAY);
  ensure(reader.item(UNSIGNED).argument === VERSION, 'qr-version');
  ensure(items === ITEMS, 'qr-shape', `array of ${items}`);
  ensure(reader.item(UNSIGNED).argument === DICTIONARY_NUMBER, 'qr-dictionary');
  const form = {};
  form.uuid = reader.string(exactly(16));
  form.key = hash(reader);
  form.signature = reader.string(exactly(64));
  form.created = time(reader);
  form.validFrom = time(reader);
  form.issuedDay = date(reader);
  form.catalogueVersion = unsigned(reader);
  form.version = upTo(reader, 0, 999);
  form.seq = unsigned(reader);
  form.index = unsigned(reader);
  form.sinceIssued = unsigned(reader);
  form.effective = time(reader);
  form.recorded = time(reader);
  form.latest = hash(reader);
  form.depths = depths(reader);
  form.pathHashes = hashes(reader, form.depths.length);
  form.size = upTo(reader, 1, Number.MAX_SAFE_INTEGER);
  form.epoch = unsigned(reader);
  form.sincePrevious = unsigned(reader);
  form.subjects = unsigned(reader);
  form.epochTime = time(reader);
  form.logHashes = hashes(reader, ones(form.size - 1));
  form.lines = lines(reader, form.epochTime);
  form.deflated = reader.string(() => true);
  form.rare = rarities(reader);
  reader.end();
  return form;
}

const FIRST_TEXTS = [
  'origin', 'typeCode', 'unit', 'serial', 'licenceNumber', 'licenceName', 'authorityName', 'issuerName',
  'holderCodeType', 'holderCode', 'holderName',
];

// The ends of texts: bytes that UTF-8 does not have.
const FALSE = 0xfc;
const TRUE = 0xfd;
const INTEGER = 0xfe;
const TEXT = 0xff;

// Texts one after the other, each looked into where it stands: its end, UTF-8, the kind of its end.
class TextReader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  get ended() {
    return this.at === this.bytes.length;
  }

  piece() {
    const length = this.bytes.subarray(this.at).findIndex((byte) => byte >= FALSE);
    ensure(length >= 0, 'qr-texts', 'a text without its end');
    const text = fromUtf8(this.bytes.subarray(this.at, this.at + length), 'qr-utf8');
    const end = this.bytes[this.at + length];
    this.at += length + 1;
    return { text, end };
  }

  text() {
    const { text, end } = this.piece();
    ensure(end === TEXT, 'qr-texts', `'${clip(text)}' has the end of another kind`);
    return text;
  }

  // Text, true, false, or the digits of an integer, which are looked into later.
  value() {
    const { text, end } = this.piece();
    if (end === TEXT) return text;
    if (end === INTEGER) return { digits: text };
    ensure(text === '', 'qr-texts', `'${clip(text)}' where nothing may stand`);
    return end === TRUE;
  }
}

function readTexts(bytes, lineCount) {
  const reader = new TextReader(bytes);
  const named = {};
  for (const name of FIRST_TEXTS) named[name] = reader.text();
  const lineNames = Array.from({ length: lineCount }, () => reader.text());
  const faceData = [];
  while (!reader.ended) faceData.push([reader.text(), reader.value()]);
  return { named, lineNames, faceData };
}

/** Reads the bytes of a QR form. Refuses with the codes of spec/qr.md. */
export function readForm(bytes) {
  ensure(bytes.length <= limits.QR_BYTES, 'qr-too-long', `at most ${limits.QR_BYTES} bytes, found ${bytes.length}`);
  const { deflated, ...form } = readItems(new CborReader(bytes));
  const texts = inflate(deflated, DICTIONARY, limits.QR_TEXT_BYTES, 'qr-texts-too-long');
  return { ...form, texts: readTexts(texts, form.lines.length) };
}
