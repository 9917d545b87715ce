// Writes dictionary.js from spec/dictionary/1.txt: node kit/dictionary.mjs > dictionary.js

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const SOURCE = fileURLToPath(new URL('../../../spec/dictionary/1.txt', import.meta.url));

/** The module's text, one string a line of the dictionary. */
export function moduleText() {
  const text = readFileSync(SOURCE, 'utf8');
  if (!text.endsWith('\n') || /['\\]/.test(text)) throw new Error('the dictionary has a line this cannot write');
  const lines = text.slice(0, -1).split('\n').map((line) => `  '${line}',\n`).join('');
  return `// Dictionary 1 of the QR form. Made by kit/dictionary.mjs from spec/dictionary/1.txt: do not edit.

import { utf8 } from './binary.js';

const LINES = [
${lines}];

const NEWLINE = 0x0a;
const TEXT_END = 0xff;

/** Its bytes, each line ended as the texts of a form are. */
export const DICTIONARY = utf8(\`\${LINES.join('\\n')}\\n\`).map((byte) => (byte === NEWLINE ? TEXT_END : byte));
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(moduleText());
