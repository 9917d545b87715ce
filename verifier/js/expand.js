// Expansion of a QR form: everything it leaves out is computed, so that what is judged is the canonical
// JSON of a dossier and nothing else. Roots are computed too: the signatures must be over them.

import { clip, ensure } from './errors.js';
import { concat, fromUtf8, toBase58, toBase64, toBase64Url, toHex, utf8 } from './binary.js';
import { joinCodes } from './codes.js';
import { CONTEXTS, CREDENTIAL_TYPES } from './credential.js';
import { readForm } from './form.js';
import { sha256, subjectKey, typeCommitment } from './hash.js';
import { LICENCE_ROOT, checkCharacter } from './identifier.js';
import { NAME, canonical } from './json.js';
import { valueLeafHash } from './leaf.js';
import { pathRoot } from './map.js';
import { EM_DASH, TLOG_PROOF_HEADER, checkName } from './note.js';
import { recordHash } from './record.js';
import { ED25519_MULTICODEC } from './shape.js';
import { formatDay, formatTime } from './time.js';
import { lastLeafRoot } from './tree.js';
import * as limits from './limits.js';

const value = (condition, detail) => ensure(condition, 'qr-value', detail);
const multibase = (...parts) => `z${toBase58(concat(...parts))}`;

// Of a value that may stand in the form: refused when it says what would be derived without it.
function unless(derived, said, what) {
  value(said !== derived, `${what} is what would be derived`);
  return said ?? derived;
}

function unlessKey(derived, said, what) {
  return unless(derived, said === undefined ? undefined : toBase64Url(said), what);
}

function defined(members) {
  for (const name of Object.keys(members)) if (members[name] === undefined) delete members[name];
  return members;
}

function uuid(bytes) {
  const hex = toHex(bytes);
  const cuts = [0, 8, 12, 16, 20, 32];
  return `urn:uuid:${cuts.slice(1).map((end, i) => hex.slice(cuts[i], end)).join('-')}`;
}

const checkLength = (text) => value(utf8(text).length <= limits.TEXT_BYTES, `a text of ${text.length} characters`);

function checkNamed(named) {
  Object.values(named).forEach(checkLength);
  checkName(named.origin, 'qr-value');
  for (const text of [named.typeCode, named.unit, named.serial]) value(/^[0-9A-Z]*$/.test(text), `'${clip(text)}'`);
}

// A value of the face data, as JSON has it.
function faceValue(said) {
  if (typeof said === 'string') checkLength(said);
  if (typeof said !== 'object') return said;
  const number = Number(said.digits);
  value(/^(0|[1-9][0-9]{0,15})$/.test(said.digits) && Number.isSafeInteger(number), `'${clip(said.digits)}'`);
  return number;
}

function faceDataOf(entries) {
  value(entries.length <= limits.OBJECT_MEMBERS, `${entries.length} face data`);
  let previous = '';
  for (const [name] of entries) {
    NAME.lastIndex = 0;
    const whole = NAME.exec(name)[0] === name;
    value(whole && name.length > 0 && name.length <= limits.NAME_BYTES, `face data name '${clip(name)}'`);
    value(name > previous, `'${clip(name)}' does not ascend`);
    previous = name;
  }
  return Object.fromEntries(entries.map(([name, said]) => [name, faceValue(said)]));
}

// What items say only together.
function checkTogether({ index, sinceIssued, size, epoch, sincePrevious, lines, rare }) {
  value(sinceIssued <= index, `issued ${sinceIssued} before index ${index}`);
  value((sincePrevious === 0) === (epoch === 0), `${sincePrevious} since the epoch before epoch ${epoch}`);
  value(sincePrevious < size, `${sincePrevious} before index ${size - 1}`);
  for (const { seconds } of lines) {
    const counted = seconds === undefined || (seconds >= 0 && Number.isSafeInteger(seconds));
    value(counted, `cosigned at ${seconds} seconds`);
  }
  value(rare.reaffirmedBy === undefined || rare.reaffirmedIndex !== undefined, 'reaffirmed by a key at no index');
}

function licenceIdentifier({ typeCode, unit, serial }, version) {
  const number = String(version).padStart(3, '0');
  const check = checkCharacter(typeCode + unit + serial + number);
  const text = `${LICENCE_ROOT}${[typeCode, unit, serial, number, check].join('.')}`;
  value(text.length <= limits.TEXT_BYTES, `a licence identifier of ${text.length} characters`);
  return text;
}

function credentialOf(form) {
  const { texts: { named: texts, faceData }, rare } = form;
  const key = multibase(ED25519_MULTICODEC, form.key);
  const did = `did:key:${key}`;
  const salt = rare.typeSalt === undefined ? undefined : toBase64Url(rare.typeSalt);
  // empty stands for the authority's name, so that nobody's name is said twice
  const said = texts.issuerName === '' ? undefined : texts.issuerName;
  return defined({
    '@context': CONTEXTS,
    credentialStatus: defined({ origin: texts.origin, type: 'ZhaoLedgerEntry', typeSalt: salt }),
    credentialSubject: {
      catalogueVersion: form.catalogueVersion,
      faceData: faceDataOf(faceData),
      holderCode: texts.holderCode,
      holderCodeType: texts.holderCodeType,
      holderName: texts.holderName,
      issuedDate: formatDay(form.issuedDay),
      issuingAuthorityCode: texts.unit,
      issuingAuthorityName: texts.authorityName,
      licenceIdentifier: licenceIdentifier(texts, form.version),
      licenceName: texts.licenceName,
      licenceNumber: texts.licenceNumber,
      licenceTypeCode: texts.typeCode,
      type: 'Licence',
    },
    id: uuid(form.uuid),
    issuer: { id: did, name: unless(texts.authorityName, said, 'issuer.name'), unit: texts.unit },
    proof: {
      '@context': CONTEXTS,
      created: formatTime(form.created),
      cryptosuite: 'eddsa-jcs-2022',
      proofPurpose: 'assertionMethod',
      proofValue: multibase(form.signature),
      type: 'DataIntegrityProof',
      verificationMethod: `${did}#${key}`,
    },
    type: CREDENTIAL_TYPES,
    validFrom: formatTime(form.validFrom),
    validUntil: rare.validUntil === undefined ? undefined : formatTime(rare.validUntil),
  });
}

// What the record says about type and enterprise follows from the credential.
async function typeMembers({ texts: { named: { origin, typeCode, holderCode } }, rare }) {
  const enterprise = rare.enterprise ? toBase64Url(await subjectKey(origin, 'enterprise', holderCode)) : undefined;
  if (rare.typeSalt === undefined) return { enterprise, typeCode };
  return { enterprise, typeCommitment: toBase64Url(await typeCommitment(rare.typeSalt, typeCode)) };
}

function reaffirmed({ reaffirmedIndex: index, reaffirmedBy }, issuedBy) {
  return index === undefined ? undefined : { by: unlessKey(issuedBy, reaffirmedBy, 'reaffirmed.by'), index };
}

function inspection({ inspectionDue, inspectionResult: result }) {
  if (inspectionDue === undefined && result === undefined) return undefined;
  return defined({ due: inspectionDue === undefined ? undefined : formatTime(inspectionDue), result });
}

async function recordOf(form, credential) {
  const { rare, texts: { named: texts } } = form;
  const issuer = toBase64Url(await subjectKey(texts.origin, 'issuer', texts.unit));
  const issuedBy = toBase64Url(await sha256(form.key));
  const optionalKey = (bytes) => (bytes === undefined ? undefined : toBase64Url(bytes));
  return defined({
    controller: unlessKey(issuer, rare.controller, 'controller'),
    digests: { vc: toBase64Url(await sha256(canonical(credential))) },
    effective: formatTime(form.effective),
    index: form.index,
    inspection: inspection(rare),
    issuedBy,
    issuedIndex: form.index - form.sinceIssued,
    issuer,
    kind: 'licence',
    latest: toBase64Url(form.latest),
    latestBy: unlessKey(issuedBy, rare.latestBy, 'latestBy'),
    mortgages: rare.mortgages ?? [],
    objections: rare.objections ?? [],
    pledges: rare.pledges ?? [],
    predecessor: optionalKey(rare.predecessor),
    reaffirmed: reaffirmed(rare, issuedBy),
    recorded: formatTime(form.recorded),
    seq: form.seq,
    state: rare.state ?? 'active',
    successor: optionalKey(rare.successor),
    suspensions: rare.suspensions ?? [],
    ...(await typeMembers(form)),
  });
}

// One line of the note: key id, the time if it is a cosignature, signature.
function signatureLine({ blob, seconds }, said, origin) {
  const name = unless(origin, said === '' ? undefined : said, 'the name of a line');
  checkName(name, 'qr-value');
  if (seconds === undefined) return `${EM_DASH} ${name} ${toBase64(blob)}\n`;
  const stamp = new Uint8Array(8);
  new DataView(stamp.buffer).setBigUint64(0, BigInt(seconds));
  return `${EM_DASH} ${name} ${toBase64(concat(blob.subarray(0, 4), stamp, blob.subarray(4)))}\n`;
}

async function headOf(form, mapRoot) {
  const { texts: { named: { origin }, lineNames }, size } = form;
  const epoch = defined({
    epoch: form.epoch,
    index: size - 1,
    leaf: 'epoch',
    mapRoot: toBase64Url(mapRoot),
    previous: form.epoch === 0 ? undefined : size - 1 - form.sincePrevious,
    subjects: form.subjects,
    time: formatTime(form.epochTime),
  });
  const root = await lastLeafRoot(await valueLeafHash(epoch), form.logHashes);
  const note = `${origin}\n${size}\n${toBase64(root)}\n\n${
    form.lines.map((line, i) => signatureLine(line, lineNames[i], origin)).join('')}`;
  const hashes = form.logHashes.map((hash) => `${toBase64(hash)}\n`).join('');
  return { epoch, proof: `${TLOG_PROOF_HEADER}\nindex ${size - 1}\n${hashes}\n${note}` };
}

/** The canonical JSON, as bytes, of the dossier that a QR form stands for. */
export async function expand(bytes) {
  const form = readForm(bytes);
  checkTogether(form);
  checkNamed(form.texts.named);
  const credential = credentialOf(form);
  const size = canonical(credential).length;
  value(size <= limits.CREDENTIAL_BYTES, `a credential of ${size} bytes`);
  const record = await recordOf(form, credential);
  const path = { depths: toBase64Url(Uint8Array.from(form.depths)), hashes: form.pathHashes.map(toBase64Url) };
  const key = await subjectKey(form.texts.named.origin, 'licence', credential.id);
  const head = await headOf(form, await pathRoot(path, key, await recordHash(record)));
  return canonical({ credential, format: 'zhao/v1 dossier', head, path, record });
}

const CODE = 'ZHAO1';
const isCode = (bytes) => [...CODE].every((c, i) => bytes[i] === c.charCodeAt(0));
// no text begins with a byte of this kind: a CBOR array
const isForm = (bytes) => bytes[0] >> 5 === 4;

// One code a line; the last may be ended.
function codesOf(text) {
  return joinCodes((text.endsWith('\n') ? text.slice(0, -1) : text).split('\n'));
}

/** The JSON bytes of a file that may be a QR form: its bytes, the text of its codes, or a list of such texts. */
export async function toJson(file) {
  if (Array.isArray(file)) return expand(await joinCodes(file));
  if (isForm(file)) return expand(file);
  if (isCode(file)) return expand(await codesOf(fromUtf8(file, 'qr-base45-character')));
  return file;
}
