// Entry of the verifier: everything a page or program needs, from one import.

export { verify } from './verify.js';
export { expand } from './expand.js';
export { joinCodes } from './codes.js';
export { checkAgainst, parsePolicy, parseTrust } from './policy.js';
export { PolicyError, Refusal } from './errors.js';
export { canonical, parse as parseJson, write as writeJson } from './json.js';
export { formatTime, parseDuration, parseTime } from './time.js';
