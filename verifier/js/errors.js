// Two kinds of failure: a Refusal is what input did wrong, a PolicyError is what the caller's own
// configuration did wrong. Everything else that is thrown is a defect of this module.

const CLIP = 64;

/** Text of somebody else, shortened before it enters a message. */
export function clip(text) {
  const s = String(text);
  return s.length > CLIP ? `${s.slice(0, CLIP)}…` : s;
}

/** Input that a check refuses. `code` is stable, `detail` is for people. */
export class Refusal extends Error {
  constructor(code, detail = code) {
    super(detail === code ? code : `${code}: ${detail}`);
    this.name = 'Refusal';
    this.code = code;
    this.detail = detail;
  }
}

/** A policy or trust file that does not parse; `line` counts from 1, 0 means the file as a whole. */
export class PolicyError extends Error {
  constructor(code, line, detail = code) {
    const said = detail === code ? code : `${code}: ${detail}`;
    super(line === 0 ? said : `line ${line}: ${said}`);
    this.name = 'PolicyError';
    this.code = code;
    this.line = line;
  }
}

/** Throws a Refusal unless the condition holds. */
export function ensure(condition, code, detail) {
  if (!condition) throw new Refusal(code, detail);
}
