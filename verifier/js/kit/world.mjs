// One small log with one licence in it, and every file about it. Options bend single facts, so that a
// test can ask for a file that is right in everything but one thing.

import { fromBase64Url, toBase58, toBase64, toBase64Url, utf8 } from '../binary.js';
import { canonical, write } from '../json.js';
import { sha256, subjectKey, typeCommitment } from '../hash.js';
import { verify } from '../verify.js';
import { carry } from './shrink.mjs';
import { Log, StatusMap, checkpointNote, keyPair, signEvent, thumbprintOf, tlogProof, vkey } from './ledger.mjs';

export const ORIGIN = 'zhao.example/changzhou';
export const UNIT = '11320400DEM0001293';
export const HOLDER = '91320402DEM0010172';
export const TYPE = '11100000MB0143028R001';
export const AT = Date.parse('2026-11-22T08:00:00.000Z');
export const SALT = toBase64Url(new Uint8Array(32).fill(9));

const ID = 'urn:uuid:0b8e5a3c-6d1f-4f2a-9c47-2f6b1d3e8a90';
const CONTEXTS = ['https://www.w3.org/ns/credentials/v2', 'https://zhao.example/ns/licence/v1'];
const FIRST = '2026-11-22T06:00:00.000Z';
const EPOCHS = ['2026-11-22T06:30:00.000Z', '2026-11-22T07:00:00.000Z'];
const COSIGNED = Date.parse(EPOCHS[1]) / 1000 + 2;

const text = (bytes) => toBase64Url(bytes);
export const keyOf = async (kind, id, origin = ORIGIN) => text(await subjectKey(origin, kind, id));

/** Without the members an option took away by making them undefined. */
function defined(members) {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

/** The keys of everybody; seeds are fixed, so files are the same in every run. */
export async function people() {
  const [admin1, admin2, unit, log, w1, w2, w3, auditor, stranger, unit2] = await Promise.all(
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(keyPair),
  );
  return { admins: [admin1, admin2], unit, log, witnesses: { w1, w2, w3 }, auditor, stranger, unit2 };
}

/** A credential, signed by `signer`. */
export async function credentialOf(who, options = {}) {
  const did = `did:key:${(options.issuerKey ?? who.unit).text}`;
  const method = `did:key:${(options.signer ?? who.unit).text}`;
  const status = { origin: ORIGIN, type: 'ZhaoLedgerEntry' };
  if (options.typeSalt !== undefined) status.typeSalt = options.typeSalt;
  const document = defined({
    '@context': CONTEXTS,
    credentialStatus: { ...status, ...options.status },
    credentialSubject: {
      catalogueVersion: 1,
      faceData: { businessScope: '预包装食品销售' },
      holderCode: HOLDER,
      holderCodeType: '001',
      holderName: '常州示例食品有限公司',
      issuedDate: '2026-11-22',
      issuingAuthorityCode: UNIT,
      issuingAuthorityName: '常州市示例市场监督管理局',
      licenceIdentifier: `1.2.156.3005.2.${TYPE}.${UNIT}.20260000001.001.X`,
      licenceName: '营业执照',
      licenceNumber: 'JY2026000001',
      licenceTypeCode: TYPE,
      type: 'Licence',
      ...options.subject,
    },
    id: ID,
    issuer: { id: did, name: '常州市示例市场监督管理局', unit: UNIT },
    type: ['VerifiableCredential', 'LicenceCredential'],
    validFrom: '2026-11-21T16:00:00.000Z',
    validUntil: '2031-11-21T16:00:00.000Z',
    ...options.document,
  });
  const proof = {
    '@context': CONTEXTS,
    created: FIRST,
    cryptosuite: 'eddsa-jcs-2022',
    proofPurpose: 'assertionMethod',
    type: 'DataIntegrityProof',
    verificationMethod: `${method}#${method.slice(8)}`,
    ...options.proof,
  };
  const message = new Uint8Array(64);
  message.set(await sha256(canonical(proof)));
  message.set(await sha256(canonical(document)), 32);
  const signature = await (options.signer ?? who.unit).sign(message);
  return { ...document, proof: { ...proof, proofValue: `z${toBase58(signature)}` } };
}

class Builder {
  constructor(who, options) {
    this.who = who;
    this.options = options;
    this.log = new Log();
    this.map = new StatusMap();
    this.events = [];
  }

  async event(event, keys) {
    const signed = await signEvent({ effective: FIRST, origin: ORIGIN, ...event }, keys);
    const { index, hash } = await this.log.append({ event: signed, leaf: 'event' });
    this.events.push({ event: signed, index, hash });
    return { event: signed, index, hash };
  }

  async epoch(number, previous) {
    const leaf = {
      epoch: number,
      index: this.log.hashes.length,
      leaf: 'epoch',
      mapRoot: text(await this.map.root()),
      subjects: this.map.hashes.size,
      time: EPOCHS[number],
    };
    if (previous !== undefined) leaf.previous = previous;
    await this.log.append(leaf);
    return leaf;
  }
}

async function trustFiles(who, genesisHash, options) {
  const names = Object.keys(who.witnesses);
  const lines = [`log ${(await vkey(ORIGIN, 1, who.log)).text} https://log.example/`];
  for (const name of names) lines.push(`witness ${name} ${(await vkey(`${name}.example`, 4, who.witnesses[name])).text}`);
  lines.push(`group g 2 ${names.join(' ')}`, `quorum ${options.quorum ?? 'g'}`, '');
  const trust = [
    `administrator ${options.trustedOrigin ?? ORIGIN} ${toBase64(fromBase64Url(options.genesisHash ?? genesisHash))}`,
    `auditor a ${(await vkey('a.example', 4, who.auditor)).text}${options.auditorLocal ? ' local' : ''}`,
    `auditors ${options.auditors ?? '1'}`,
    'max-age 24h', 'max-lag 15m', 'pack-max-age 30d', 'skew 60s', 'inclusion-bound 7d',
    ...(options.localWitnesses ?? []).map((name) => `local-witness ${name}`), '',
  ];
  return { policy: lines.join('\n'), trust: trust.join('\n') };
}

function licenceRecord(known) {
  return {
    controller: known.unitKey,
    digests: { vc: known.digest },
    effective: FIRST,
    index: known.issued.index,
    issuedBy: known.thumbprint,
    issuedIndex: known.issued.index,
    issuer: known.unitKey,
    kind: 'licence',
    latest: known.issued.hash,
    latestBy: known.thumbprint,
    mortgages: [],
    objections: [],
    pledges: [],
    recorded: EPOCHS[1],
    seq: 0,
    state: 'active',
    suspensions: [],
    ...known.type,
  };
}

/** Builds the log and gives its files as objects, with policy and trust as texts. */
export async function world(options = {}) {
  const who = await people();
  const b = new Builder(who, options);
  const genesis = {
    administrators: { keys: who.admins.map(({ text: key }) => key).sort(), threshold: 2 },
    created: '2026-11-22T05:00:00.000Z',
    format: 1,
    keyDelay: 604_800_000,
    leaf: 'genesis',
    origin: ORIGIN,
  };
  const genesisHash = (await b.log.append(genesis)).hash;
  const unitKey = await keyOf('issuer', UNIT);
  const typeKey = await keyOf('licence-type', TYPE);
  const unitHistory = [];
  const added = await b.event({
    data: { key: who.unit.text, types: [TYPE], unit: UNIT }, seq: 0, subject: unitKey, verb: 'add-unit', ...options.addUnit,
  }, options.addUnitKeys?.(who) ?? who.admins);
  unitHistory.push({ event: added.event, index: added.index, recorded: EPOCHS[0] });
  const unit = {
    index: added.index,
    keys: [{ from: added.index, key: who.unit.text, types: [{ from: added.index, typeCode: TYPE }] }],
    kind: 'issuer',
    latest: added.hash,
    proposals: [],
    seq: 0,
    state: 'active',
    unit: UNIT,
  };
  const published = await b.event({
    data: {
      digest: genesisHash, indexed: true, individualBusinesses: true, inspection: 'none', openness: 'open', typeCode: TYPE,
      verbs: ['issued'], version: 1, ...options.type,
    },
    seq: 0, subject: typeKey, verb: 'publish-type',
  }, who.admins);
  const data = published.event.data;
  // since when it is open and indexed: from this first version on
  const since = {
    ...(data.indexed && { indexedSince: published.index }),
    ...(data.openness === 'open' && { openSince: published.index }),
  };
  const type = defined({
    ...data, ...since, index: published.index, kind: 'licence-type', latest: published.hash, seq: 0, state: 'published',
    ...options.typeRecord,
  });
  const first = await b.epoch(0);
  const credential = await credentialOf(who, options.credential);
  const licenceKey = await keyOf('licence', credential.id);
  const committed = options.credential?.typeSalt !== undefined;
  const enterpriseKey = await keyOf('enterprise', credential.credentialSubject.holderCode);
  const clear = type.indexed ? { enterprise: enterpriseKey, typeCode: TYPE } : { typeCode: TYPE };
  const commitment = committed ? text(await typeCommitment(fromBase64Url(SALT), TYPE)) : undefined;
  const known = {
    unitKey,
    digest: text(await sha256(canonical(credential))),
    thumbprint: await thumbprintOf(who.unit.raw),
    type: committed ? { typeCommitment: commitment } : clear,
  };
  const issued = await b.event(
    { data: { digests: { vc: known.digest }, ...known.type }, seq: 0, signer: unitKey, subject: licenceKey, verb: 'issued' },
    [who.unit],
  );
  // later events of the unit, each with what it does to the unit's record
  for (const step of options.unitEvents ?? []) {
    const { seq, latest } = unit;
    const done = await b.event({ prev: latest, seq: seq + 1, subject: unitKey, ...step.event }, step.keys(who));
    unitHistory.push({ event: done.event, index: done.index, recorded: EPOCHS[1] });
    Object.assign(unit, { index: done.index, latest: done.hash, seq: seq + 1 });
    step.change?.(unit, done.index);
  }
  const record = { ...licenceRecord({ ...known, issued }), ...options.record?.({ issued, who, known }) };
  for (const name of Object.keys(record)) if (record[name] === undefined) delete record[name];
  const registry = {
    administrators: genesis.administrators, genesis: genesisHash, index: 0, keyDelay: genesis.keyDelay, kind: 'registry',
    latest: genesisHash, seq: 0,
  };
  const chain = text(await sha256(utf8('zhao/v1 enterprise'), new Uint8Array(33), fromBase64Url(licenceKey)));
  const enterprise = { chain, count: 1, index: issued.index, kind: 'enterprise', ...options.enterprise };
  await b.map.set(fromBase64Url(unitKey), unit);
  await b.map.set(fromBase64Url(typeKey), type);
  await b.map.set(fromBase64Url(licenceKey), record);
  await b.map.set(fromBase64Url(await keyOf('registry', ORIGIN)), registry);
  await b.map.set(fromBase64Url(enterpriseKey), enterprise);
  const epoch = await b.epoch(1, first.index);
  if (options.leafAfterEpoch) await b.log.append({ more: true });
  const note = await checkpointNote({
    origin: options.noteOrigin ?? ORIGIN,
    size: b.log.hashes.length,
    root: await b.log.root(),
    logKey: options.logKey?.(who) ?? who.log,
    cosigners: (options.cosigners ?? cosigners)(who),
  });
  const proofOf = async (index) => tlogProof(index, await b.log.proof(index), note);
  const path = async (kind, id) => b.map.path(await subjectKey(ORIGIN, kind, id));
  const head = { epoch, proof: await proofOf(epoch.index) };
  const authorities = {
    issuers: [{ history: unitHistory, path: await path('issuer', UNIT), record: unit }],
    licenceTypes: [{ path: await path('licence-type', TYPE), record: type }],
    registry: { genesis, history: [], path: await path('registry', ORIGIN), record: registry },
  };
  const licencePath = await path('licence', credential.id);
  const inclusion = async (index) => (await b.log.proof(index)).map(text);
  const uscc = credential.credentialSubject.holderCode;
  return {
    ...(await trustFiles(who, genesisHash, options)),
    who,
    pathOf: path,
    dossier: { authorities, credential, format: 'zhao/v1 dossier', head, path: licencePath, record },
    pack: { authorities, format: 'zhao/v1 issuer-pack', head },
    receipt: { event: issued.event, format: 'zhao/v1 receipt', head, index: issued.index, proof: await proofOf(issued.index) },
    history: {
      entries: [{
        epoch, epochPath: await inclusion(epoch.index), event: issued.event, index: issued.index, path: await inclusion(issued.index),
      }],
      format: 'zhao/v1 history', head, path: licencePath, record, subject: licenceKey,
    },
    answer: {
      authorities,
      enterprise: { path: await path('enterprise', uscc), record: enterprise },
      format: 'zhao/v1 answer',
      head,
      items: [{ credential, path: licencePath, record, subject: licenceKey }],
      uscc,
    },
  };
}

const cosigners = (who) => [
  { name: 'w1.example', key: who.witnesses.w1, seconds: COSIGNED },
  { name: 'w2.example', key: who.witnesses.w2, seconds: COSIGNED + 1 },
  { name: 'a.example', key: who.auditor, seconds: COSIGNED + 30 },
];

/** Cosigners of the default world, for tests that change one. */
export const defaultCosigners = cosigners;

export const bytesOf = (file) => utf8(`${write(file)}\n`);

/** The dossier of a world as it is carried: without authorities, as text and as QR form. */
export async function printed(options) {
  const built = await world(options);
  const dossier = { ...built.dossier };
  delete dossier.authorities;
  const text = write(dossier);
  const context = { policy: built.policy, trust: built.trust, pack: bytesOf(built.pack), at: AT };
  return { built, dossier, text, form: await carry(text), judge: (file, more) => verify(file, { ...context, ...more }) };
}
