// Unified social credit codes (GB 32100-2015, GB 11714) and licence type codes (GB/T 36904).

import { ensure } from './errors.js';

const ALPHABET = '0123456789ABCDEFGHJKLMNPQRTUWXY';
const WEIGHTS = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];
const ORGANISATION = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const ORGANISATION_WEIGHTS = [3, 7, 9, 10, 5, 8, 4, 2];

// Registering departments and the categories each of them knows.
const CATEGORIES = {
  1: '1239',
  2: '19',
  3: '123459',
  4: '19',
  5: '1239',
  6: '129',
  7: '129',
  8: '19',
  9: '123',
  A: '19',
  N: '1239',
  Y: '1',
};

const utf8Length = (text) => new TextEncoder().encode(text).length;

/** Refuses a text that is not a credit code with both its check characters right. */
export function checkUscc(text) {
  ensure(text.length <= 64 && utf8Length(text) === 18, 'uscc-length', 'expected 18 characters');
  ensure(/^[0-9A-HJ-NP-RTUW-Y]{2}[0-9]{6}[0-9A-HJ-NP-RTUW-Y]{10}$/.test(text), 'uscc-character');
  ensure(Object.hasOwn(CATEGORIES, text[0]), 'uscc-department', text[0]);
  ensure(CATEGORIES[text[0]].includes(text[1]), 'uscc-category', text.slice(0, 2));
  checkOrganisation(text.slice(8, 17));
  let sum = 0;
  for (let i = 0; i < 17; i++) sum += ALPHABET.indexOf(text[i]) * WEIGHTS[i];
  ensure(ALPHABET[(31 - (sum % 31)) % 31] === text[17], 'uscc-check');
}

// The nine characters of an organisation code check themselves: GB 11714, modulo 11.
function checkOrganisation(code) {
  let sum = 0;
  for (let i = 0; i < 8; i++) sum += ORGANISATION.indexOf(code[i]) * ORGANISATION_WEIGHTS[i];
  ensure('0123456789X0'[11 - (sum % 11)] === code[8], 'organisation-check');
}

/** Refuses a text that is not a definer's credit code and a three-digit number. */
export function checkTypeCode(text) {
  ensure(text.length <= 64 && utf8Length(text) === 21, 'licence-type-length', 'expected 21 characters');
  ensure(/^[0-9A-Z]{18}[0-9]{3}$/.test(text), 'licence-type-character');
  checkUscc(text.slice(0, 18));
}
