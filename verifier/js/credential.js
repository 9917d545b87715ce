// Licence credentials of our profile and their eddsa-jcs-2022 proof.

import { clip, ensure } from './errors.js';
import { concat, fromBase64Url, fromMultibase, utf8 } from './binary.js';
import { canonical, without } from './json.js';
import { checkSignature } from './ed25519.js';
import { sha256 } from './hash.js';
import { checkHolderCode, parseLicenceIdentifier } from './identifier.js';
import {
  boundedText, exactly, fixedList, integer, isObject, keyName, matching, multikey, object, optional, standard, time,
} from './shape.js';
import { parseDate, parseTime } from './time.js';
import { checkTypeCode, checkUscc } from './uscc.js';
import * as limits from './limits.js';

export const CONTEXTS = ['https://www.w3.org/ns/credentials/v2', 'https://zhao.example/ns/licence/v1'];
export const CREDENTIAL_TYPES = ['VerifiableCredential', 'LicenceCredential'];
const DID = 'did:key:';

const line = boundedText(limits.LABEL_BYTES);
const didKey = (value, path) => {
  ensure(typeof value === 'string', 'field-kind', `${path}: expected a string`);
  ensure(value.startsWith(DID), 'field-value', `${path}: '${clip(value)}'`);
  multikey(value.slice(DID.length));
};
const date = (value, path) => {
  ensure(typeof value === 'string', 'field-kind', `${path}: expected a string`);
  parseDate(value);
};
const salt = (value, path) => {
  ensure(typeof value === 'string', 'field-kind', `${path}: expected a string`);
  fromBase64Url(value, 32);
};
const anyText = (value, path) => ensure(typeof value === 'string', 'field-kind', `${path}: expected a string`);

// Type-specific fields: flat, so that a table can show them.
function faceData(value, path) {
  ensure(isObject(value), 'field-kind', `${path}: expected an object`);
  const names = Object.keys(value);
  ensure(names.length <= limits.FACE_MEMBERS, 'face-data', `${names.length} fields`);
  for (const name of names) {
    ensure(/^[a-z][A-Za-z0-9]*$/.test(name), 'face-data', `name '${clip(name)}'`);
    const field = value[name];
    ensure(typeof field !== 'object', 'face-data', `${path}.${name}: neither list nor object`);
    if (typeof field === 'string') {
      ensure(utf8(field).length <= limits.FACE_TEXT_BYTES, 'face-data', `${path}.${name}: too long`);
    }
  }
}

const shape = object({
  '@context': fixedList(CONTEXTS),
  credentialStatus: object({ origin: keyName, type: exactly('ZhaoLedgerEntry'), typeSalt: optional(salt) }),
  credentialSubject: object({
    catalogueVersion: integer(),
    faceData,
    holderCode: line,
    holderCodeType: anyText,
    holderName: line,
    issuedDate: date,
    issuingAuthorityCode: standard(checkUscc),
    issuingAuthorityName: line,
    licenceIdentifier: anyText,
    licenceName: line,
    licenceNumber: line,
    licenceTypeCode: standard(checkTypeCode),
    type: exactly('Licence'),
  }),
  id: matching(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
  issuer: object({ id: didKey, name: line, unit: standard(checkUscc) }),
  proof: object({
    '@context': fixedList(CONTEXTS),
    created: time,
    cryptosuite: anyText,
    proofPurpose: anyText,
    proofValue: anyText,
    type: anyText,
    verificationMethod: anyText,
  }),
  type: fixedList(CREDENTIAL_TYPES),
  validFrom: time,
  validUntil: optional(time),
});

// What the proof must say about itself before its signature means anything.
function checkProofTerms(proof) {
  ensure(proof.type === 'DataIntegrityProof', 'proof-type', `'${clip(proof.type)}'`);
  ensure(proof.cryptosuite === 'eddsa-jcs-2022', 'proof-suite', `'${clip(proof.cryptosuite)}'`);
  ensure(proof.proofPurpose === 'assertionMethod', 'proof-purpose', `'${clip(proof.proofPurpose)}'`);
}

// Members that say the same thing twice must agree.
function checkConsistent({ credentialSubject: subject, issuer, validFrom, validUntil }) {
  checkHolderCode(subject.holderCodeType, subject.holderCode);
  const identifier = parseLicenceIdentifier(subject.licenceIdentifier);
  ensure(issuer.unit === subject.issuingAuthorityCode, 'issuer-unit');
  ensure(identifier.issuer === issuer.unit, 'identifier-issuer', identifier.issuer);
  ensure(identifier.type === subject.licenceTypeCode, 'identifier-type', identifier.type);
  ensure(validUntil === undefined || parseTime(validFrom) < parseTime(validUntil), 'validity');
}

/** Reads a credential, with the terms of its proof. Who signed, and whether, is `checkProof`'s. */
export function readCredential(value) {
  shape(value, 'credential');
  const { credentialStatus: status, credentialSubject: subject, issuer, proof } = value;
  checkProofTerms(proof);
  checkConsistent(value);
  return {
    value,
    id: value.id,
    key: issuer.id.slice(DID.length),
    origin: status.origin,
    typeSalt: status.typeSalt,
    typeCode: subject.licenceTypeCode,
    unit: issuer.unit,
    holderCode: subject.holderCode,
    holderCodeType: subject.holderCodeType,
    holderName: subject.holderName,
    validFrom: parseTime(value.validFrom),
    validUntil: value.validUntil === undefined ? undefined : parseTime(value.validUntil),
  };
}

/** Hashes of the two parts a proof covers: the proof without its value, the document without its proof. */
export async function proofHashes(value, encode = canonical) {
  const config = await sha256(encode(without(value.proof, 'proofValue')));
  const document = await sha256(encode(without(value, 'proof')));
  return { config, document };
}

/** Refuses unless the verification method is the issuer's own, `did:key:K#K`. */
export function checkProofKey({ value, key }) {
  const { verificationMethod: method } = value.proof;
  const [did, fragment, ...more] = method.split('#');
  const named = did.slice(DID.length);
  ensure(did.startsWith(DID) && fragment === named && more.length === 0, 'verification-method', `'${clip(method)}'`);
  ensure(named === key, 'issuer-key', `'${clip(method)}'`);
}

/** Refuses unless the proof of a credential that was read is a strict signature by its issuer. */
export async function checkProof({ value, key }) {
  const signature = fromMultibase(value.proof.proofValue);
  ensure(signature.length === 64, 'binary-wrong-length', `expected 64 bytes, found ${signature.length}`);
  const { config, document } = await proofHashes(value);
  await checkSignature(multikey(key), concat(config, document), signature);
}
