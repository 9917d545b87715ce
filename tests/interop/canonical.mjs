// The npm package `canonicalize` judges our RFC 8785 output: vectors for other people's JSON
// (`foreign-json`), whose accepted cases say the canonical text, and for our own (`json`), whose
// accepted inputs are canonical as they stand.
//
// Usage: node canonical.mjs FOLDER-OF-VECTORS

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import canonicalize from 'canonicalize';

const folder = process.argv[2];
let passed = 0;
let failed = 0;

function judge(name, input, expected) {
  let actual;
  try {
    actual = canonicalize(JSON.parse(input));
  } catch (error) {
    actual = `${error}`;
  }
  if (actual === expected) {
    passed += 1;
  } else {
    failed += 1;
    console.log(`failed: ${name}: expected ${expected}, canonicalize gives ${actual}`);
  }
}

for (const kind of ['foreign-json', 'json']) {
  const path = join(folder, kind);
  let count = 0;
  for (const file of existsSync(path) ? readdirSync(path).sort() : []) {
    if (!file.endsWith('.json')) continue;
    for (const { name, input, expect } of JSON.parse(readFileSync(join(path, file), 'utf8')).cases) {
      if (typeof input !== 'string' || !('ok' in expect)) continue;
      count += 1;
      const canonical = typeof expect.ok === 'string' ? expect.ok : input;
      judge(`${kind}/${file}: ${name}`, input, canonical);
    }
  }
  if (count === 0) {
    failed += 1;
    console.log(`failed: ${kind}: no accepted case with a text was found: nothing is compared`);
  }
}
console.log(`canonicalize: ${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
