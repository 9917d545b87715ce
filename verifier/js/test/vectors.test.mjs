import { test } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ADAPTERS, NOT_OURS } from '../kit/adapters.mjs';

const ROOT = fileURLToPath(new URL('../../../spec/vectors/', import.meta.url));

/** Cases of each folder that may be of a kind this verifier has no use for. */
const NOT_OURS_ALLOWED = {
  cosignature: 'making cosignatures',
  'eddsa-jcs': 'documents of other people',
  map: 'partial maps: changing a root',
  signature: 'signing',
  time: 'calendar arithmetic',
  uscc: 'names of regions',
};

async function outcome(run, c, file, document) {
  try {
    const found = await run(c, file, document);
    // verdicts stand for themselves, not under ok
    return c.expect.verdict === undefined ? { ok: found } : found;
  } catch (error) {
    if (error.code === undefined) throw error;
    return error.line ? { error: error.code, line: error.line } : { error: error.code };
  }
}

function agree(found, expected, name) {
  // foreign sets say only that a case is refused
  if (expected.error === 'refused') assert.ok('error' in found, name);
  else assert.deepEqual(found, expected, name);
}

for (const [folder, run] of Object.entries(ADAPTERS)) {
  const place = join(ROOT, folder);
  const present = existsSync(place);
  test(`vectors/${folder}`, { skip: present ? false : 'folder not there yet' }, async (t) => {
    let ran = 0;
    for (const file of readdirSync(place).filter((name) => name.endsWith('.json')).sort()) {
      const document = JSON.parse(readFileSync(join(place, file), 'utf8'));
      for (const c of document.cases) {
        const found = await outcome(run, c, file, document);
        if (found.ok === NOT_OURS) {
          assert.ok(folder in NOT_OURS_ALLOWED, `${file}: ${c.name} was not run`);
          continue;
        }
        ran++;
        await t.test(`${file}: ${c.name}`, () => agree(found, c.expect, c.name));
      }
    }
    assert.ok(ran > 0, 'no case was run');
  });
}
