// Makes a QR form of a dossier, for tests. It shares nothing with the reader but tables it must agree on,
// deflates with zlib, and checks itself: what does not expand to the same bytes cannot be carried.

import { deflateRawSync } from 'node:zlib';
import { concat, fromBase64, fromBase64Url, fromHex, fromMultibase, fromUtf8, utf8 } from '../binary.js';
import { DICTIONARY } from '../dictionary.js';
import { Refusal } from '../errors.js';
import { expand } from '../expand.js';
import { sha256 } from '../hash.js';
import { cbor } from './cbor.mjs';

const DAY = 86_400_000;
const CHINA = 28_800_000;
const ALPHANUMERIC = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:';

function time(text) {
  const ms = Date.parse(text);
  return (ms + CHINA) % DAY === 0 ? -((ms + CHINA) / DAY) : ms;
}

function depthBits(text) {
  const bits = new Uint8Array(32);
  for (const depth of fromBase64Url(text)) bits[depth >> 3] |= 0x80 >> (depth & 7);
  return bits.slice(0, bits.findLastIndex((byte) => byte !== 0) + 1);
}

// Lines of the note as entries of the array, and their names.
function lines(block, origin, epochSeconds) {
  const entries = [];
  const names = [];
  for (const line of block.trimEnd().split('\n')) {
    const [, name, text] = line.split(' ');
    const blob = fromBase64(text);
    names.push(name === origin ? '' : name);
    if (blob.length === 68) {
      entries.push(blob);
    } else {
      const seconds = new DataView(blob.buffer, blob.byteOffset + 4).getBigUint64(0);
      entries.push(concat(blob.subarray(0, 4), blob.subarray(12)), seconds - BigInt(epochSeconds));
    }
  }
  return { entries, names };
}

function rarities({ credential, record }) {
  const bytes = (text) => (text === undefined ? undefined : fromBase64Url(text));
  const unless = (derived, text) => (text === derived ? undefined : bytes(text));
  const sum = record.suspensions.reduce((s, name) => s + { on_hold: 1, reported_lost: 2, withheld: 4 }[name], 0);
  const some = (list) => (list.length === 0 ? undefined : list);
  const { due, result } = record.inspection ?? {};
  const state = ['active', 'superseded', 'cancelled', 'revoked', 'annulled', 'abolished'].indexOf(record.state);
  const entries = [
    credential.validUntil === undefined ? undefined : time(credential.validUntil),
    bytes(credential.credentialStatus.typeSalt),
    unless(record.issuer, record.controller),
    unless(record.issuedBy, record.latestBy),
    record.enterprise === undefined ? undefined : 1,
    state || undefined,
    sum || undefined,
    some(record.mortgages),
    some(record.objections),
    some(record.pledges),
    bytes(record.predecessor),
    bytes(record.successor),
    record.reaffirmed?.index,
    record.reaffirmed === undefined ? undefined : unless(record.issuedBy, record.reaffirmed.by),
    due === undefined ? undefined : time(due),
    result === undefined ? undefined : ['passed', 'failed'].indexOf(result),
  ];
  return new Map(entries.map((entry, i) => [i + 1, entry]).filter(([, entry]) => entry !== undefined));
}

const ENDS = { string: 0xff, number: 0xfe, true: 0xfd, false: 0xfc };

function faceTexts(faceData) {
  return Object.keys(faceData).sort().flatMap((name) => {
    const value = faceData[name];
    const flag = typeof value === 'boolean';
    return [ended(name), ended(flag ? '' : String(value), ENDS[flag ? value : typeof value])];
  });
}

const ended = (text, end = ENDS.string) => concat(utf8(text), Uint8Array.of(end));

/** The 27 items of a dossier, texts not deflated yet. */
export function itemsOf(dossier) {
  const { credential, head: { epoch, proof }, path, record } = dossier;
  const { credentialSubject: subject, issuer } = credential;
  const origin = credential.credentialStatus.origin;
  const [top, , block] = proof.split('\n\n');
  const { entries, names } = lines(block, origin, Math.floor(Date.parse(epoch.time) / 1000));
  const [serial, version] = subject.licenceIdentifier.split('.').slice(-3);
  const named = issuer.name === subject.issuingAuthorityName ? '' : issuer.name;
  const texts = [
    origin, subject.licenceTypeCode, subject.issuingAuthorityCode, serial, subject.licenceNumber, subject.licenceName,
    subject.issuingAuthorityName, named, subject.holderCodeType, subject.holderCode, subject.holderName, ...names,
  ].map((text) => ended(text));
  return [
    1, 1,
    fromHex(credential.id.slice('urn:uuid:'.length).replaceAll('-', '')),
    fromMultibase(issuer.id.slice('did:key:'.length)).subarray(2),
    fromMultibase(credential.proof.proofValue),
    time(credential.proof.created),
    time(credential.validFrom),
    Date.parse(subject.issuedDate) / DAY,
    subject.catalogueVersion,
    Number(version),
    record.seq,
    record.index,
    record.index - record.issuedIndex,
    time(record.effective),
    time(record.recorded),
    fromBase64Url(record.latest),
    depthBits(path.depths),
    concat(...path.hashes.map((text) => fromBase64Url(text))),
    epoch.index + 1,
    epoch.epoch,
    epoch.previous === undefined ? 0 : epoch.index - epoch.previous,
    epoch.subjects,
    time(epoch.time),
    concat(...top.split('\n').slice(2).map((text) => fromBase64(text))),
    entries,
    concat(...texts, ...faceTexts(subject.faceData)),
    rarities(dossier),
  ];
}

/** The form's bytes for items as `itemsOf` gives them. */
export function formOf(items, options = { level: 9 }) {
  const deflated = new Uint8Array(deflateRawSync(items[25], { ...options, dictionary: DICTIONARY }));
  return cbor(items.map((item, i) => (i === 25 ? deflated : item)));
}

/** The form of a dossier's canonical text, or a Refusal when there is none. */
export async function carry(text) {
  try {
    const form = formOf(itemsOf(JSON.parse(text)));
    if (fromUtf8(await expand(form)) === text) return form;
  } catch (error) {
    throw new Refusal('qr-cannot-carry', error.message);
  }
  throw new Refusal('qr-cannot-carry');
}

export function toBase45(bytes) {
  let out = '';
  for (let i = 0; i < bytes.length; i += 2) {
    const pair = i + 1 < bytes.length;
    let n = pair ? bytes[i] * 256 + bytes[i + 1] : bytes[i];
    for (let j = 0; j < (pair ? 3 : 2); j++, n = Math.floor(n / 45)) out += ALPHANUMERIC[n % 45];
  }
  return out;
}

/** The texts of `count` codes. */
export async function codesOf(form, count = 1) {
  if (count === 1) return [`ZHAO1:${toBase45(form)}`];
  const name = [...(await sha256(form)).subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  const size = Math.ceil(form.length / count);
  return Array.from({ length: count }, (_, i) => (
    `ZHAO1/${name.toUpperCase()}/${i + 1}/${count}:${toBase45(form.subarray(i * size, (i + 1) * size))}`));
}
