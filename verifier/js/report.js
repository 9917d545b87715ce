// The verdict in parts: one fragment for each question a reader asks of a file, and the verdict made of them.

export const NAMES = ['integrity', 'authority', 'validity', 'standing', 'witnesses', 'schema'];

// What is asked of each kind of file; of a dossier, and of what is no file of ours, everything.
const ASKED = {
  answer: ['authority', 'standing', 'witnesses', 'schema'],
  dossier: NAMES,
  evidence: ['standing', 'schema'],
  history: ['standing', 'witnesses', 'schema'],
  'issuer-pack': ['authority', 'standing', 'witnesses', 'schema'],
  receipt: ['integrity', 'standing', 'witnesses', 'schema'],
};

// Every code that is not of the standing, which has the most.
const CODES = {
  authority: [
    'enterprise_mismatch', 'genesis_mismatch', 'grant_invalid', 'issuer_missing', 'issuer_not_in_map',
    'issuer_suspended', 'key_compromised', 'key_not_authorised', 'registry_invalid', 'registry_not_in_map',
    'type_missing', 'type_not_granted', 'type_not_in_map', 'type_openness', 'type_retired',
  ],
  integrity: ['event_signature', 'proof_key_not_issuer', 'proof_signature'],
  schema: ['credential_malformed', 'malformed'],
  validity: ['expired', 'not_yet_valid'],
  witnesses: ['auditor_quorum', 'cosignature_invalid', 'witness_quorum'],
};

// A failing fragment with no other codes than these and notices is not usable; with any other, invalid.
const NOT_USABLE = new Set([
  'changed_by_compromised_key', 'inspection_failed', 'inspection_overdue', 'key_compromised', 'not_yet_valid', 'on_hold',
  'reported_lost', 'withheld',
]);
const NOTICES = new Set(['issuer_suspended', 'mortgaged', 'objection', 'pledged', 'type_retired']);

const FACTS = {
  authority: ['issuedBy', 'issuedIndex', 'typeCode', 'unit'],
  integrity: ['holder'],
  schema: [],
  standing: ['age', 'asOf', 'effective', 'epoch', 'recorded', 'size', 'state', 'subject'],
  validity: [],
  witnesses: ['auditors', 'quorum', 'quorumTime', 'witnesses'],
};

const OUTCOME = { invalid: 'fail', not_usable: 'fail', undetermined: 'undetermined', valid_with_notice: 'pass' };

/** The name of the fragment a code belongs to. */
export function fragmentOf(code) {
  if (code.startsWith('issuer_pack_')) return 'authority';
  return NAMES.find((name) => CODES[name]?.includes(code)) ?? 'standing';
}

/** Which questions a file has, and which are answered so far: all checks made and passed. */
export class Draft {
  constructor() {
    this.asked = NAMES;
    this.answered = new Set();
  }

  /** The file is of this kind. Its schema is answered, unless a credential is to be read still. */
  decoded(format) {
    this.asked = ASKED[format];
    if (format !== 'dossier') this.answer('schema');
  }

  answer(name) {
    this.answered.add(name);
  }

  /** The fragments when `found` is what failed or was found: a list of [code, verdict]. */
  fragments(found, facts) {
    return NAMES.map((name) => this.#fragment(name, found.filter(([code]) => fragmentOf(code) === name), facts))
      .filter((fragment) => fragment !== undefined);
  }

  #fragment(name, own, facts) {
    if (own.length === 0 && !this.asked.includes(name)) return undefined;
    const outcomes = own.map(([, verdict]) => OUTCOME[verdict]);
    const answered = this.answered.has(name) ? 'pass' : 'undetermined';
    const outcome = ['fail', 'undetermined'].find((word) => outcomes.includes(word)) ?? answered;
    const codes = own.map(([code]) => code);
    if (outcome === 'undetermined' && codes.length === 0) codes.push('not_checked');
    const known = FACTS[name].filter((fact) => facts[fact] !== undefined);
    return { codes, facts: Object.fromEntries(known.map((fact) => [fact, facts[fact]])), name, outcome };
  }
}

/** The verdict that fragments make, by their outcomes and codes alone. */
export function verdictOf(fragments) {
  const failed = fragments.filter(({ outcome }) => outcome === 'fail').flatMap(({ codes }) => codes);
  if (failed.length > 0) {
    return failed.every((code) => NOT_USABLE.has(code) || NOTICES.has(code)) ? 'not_usable' : 'invalid';
  }
  if (fragments.some(({ outcome }) => outcome === 'undetermined')) return 'undetermined';
  return fragments.some(({ codes }) => codes.length > 0) ? 'valid_with_notice' : 'valid';
}
