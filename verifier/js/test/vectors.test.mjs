import { test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
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

/** Folders that are not run, and why. */
const NOT_RUN = {
  cose: 'credentials in other forms than our own are not read here',
  'data-integrity': 'as cose',
  'data-model': 'as cose',
  evidence: 'evidence is not judged here; a test of its own sees that it is said so',
  'foreign-json': 'JSON of other people is never read here',
  jose: 'as cose',
  'map-page': 'pages are for those who fetch the map; what they make, a path, is checked here',
  proposal: 'proposals are for administrators, who sign, not for verifiers',
  rdf: 'as cose',
  'sd-jwt': 'as cose',
  tile: 'tiles are for those who mirror a log',
};

test('every folder of vectors is run, or named as one that is not', () => {
  const folders = readdirSync(ROOT, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const unknown = folders.map(({ name }) => name).filter((name) => !(name in ADAPTERS) && !(name in NOT_RUN));
  assert.deepEqual(unknown, []);
});

test('vectors/evidence: every verdict says that it is none', async (t) => {
  const document = JSON.parse(readFileSync(join(ROOT, 'evidence', 'evidence.json'), 'utf8'));
  assert.ok(document.cases.length > 0);
  for (const c of document.cases) {
    await t.test(c.name, async () => {
      const { verdict, reasons } = await ADAPTERS.dossier(c, 'evidence.json', document);
      assert.deepEqual({ verdict, reasons }, { verdict: 'undetermined', reasons: ['evidence_not_supported'] });
    });
  }
});

for (const [folder, run] of Object.entries(ADAPTERS)) {
  const place = join(ROOT, folder);
  test(`vectors/${folder}`, async (t) => {
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
