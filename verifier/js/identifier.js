// Licence identifiers (GB/T 36904), holder codes (GB/T 36903 appendix A), citizen numbers (GB 11643).

import { clip, ensure } from './errors.js';
import { utf8 } from './binary.js';
import { checkTypeCode, checkUscc } from './uscc.js';
import { parseDate } from './time.js';
import * as limits from './limits.js';

/** What every licence identifier begins with. */
export const LICENCE_ROOT = '1.2.156.3005.2.';
const CITIZEN_WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const HOLDER_TYPES = [
  '001', '099', '111', '114', '115', '118', '119', '120', '122', '411', '412', '413', '414', '511', '516', '999',
];

/** GB/T 17710 (ISO/IEC 7064 MOD 37,36) over the parts without root and dots. */
export function checkCharacter(text) {
  let p = 36;
  for (const c of text) {
    p = (p + parseInt(c, 36)) % 36 || 36;
    p = (p * 2) % 37;
  }
  return '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'[(37 - p) % 36];
}

/** Reads an identifier into type, issuer (credit code or region), serial and version. */
export function parseLicenceIdentifier(text) {
  ensure(text.startsWith(LICENCE_ROOT), 'licence-identifier-root', `'${clip(text)}'`);
  ensure(text.length <= limits.IDENTIFIER_CHARS, 'licence-identifier-length', `${text.length} characters`);
  const parts = text.slice(LICENCE_ROOT.length).split('.');
  ensure(parts.length === 5, 'licence-identifier-parts', `${parts.length} parts`);
  const [type, issuer, serial, version, check] = parts;
  checkTypeCode(type);
  if (issuer.length === 6) ensure(/^[0-9]{6}$/.test(issuer), 'licence-identifier-character', 'region');
  else checkUscc(issuer);
  ensure(serial.length >= 1 && serial.length <= 64, 'licence-identifier-length', `serial of ${serial.length}`);
  ensure(version.length === 3 && check.length === 1, 'licence-identifier-length', 'version or check character');
  ensure(/^[0-9A-Z]+$/.test(serial + check) && /^[0-9]{3}$/.test(version), 'licence-identifier-character');
  ensure(version !== '000', 'licence-identifier-version');
  ensure(checkCharacter(type + issuer + serial + version) === check, 'licence-identifier-check');
  return { type, issuer, serial, version: Number(version) };
}

/** Refuses a text that is not a citizen number with a real date and the right check character. */
export function checkCitizenId(text) {
  ensure(text.length <= 64 && utf8(text).length === 18, 'citizen-id-length', 'expected 18 characters');
  ensure(/^[0-9]{17}[0-9X]$/.test(text), 'citizen-id-character');
  ensure(isDate(`${text.slice(6, 10)}-${text.slice(10, 12)}-${text.slice(12, 14)}`), 'citizen-id-birth-date');
  let sum = 0;
  for (let i = 0; i < 17; i++) sum += Number(text[i]) * CITIZEN_WEIGHTS[i];
  ensure('10X98765432'[sum % 11] === text[17], 'citizen-id-check');
}

function isDate(text) {
  try {
    parseDate(text);
    return true;
  } catch {
    return false;
  }
}

/** Refuses a holder code that is not of its type. */
export function checkHolderCode(type, code) {
  ensure(HOLDER_TYPES.includes(type), 'holder-code-type', `'${clip(type)}'`);
  if (type === '001') checkUscc(code);
  if (type === '111') checkCitizenId(code);
}
