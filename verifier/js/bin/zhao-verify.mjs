#!/usr/bin/env node
// Command line of the verifier. Exit codes: 0 usable, 1 refused, 2 usage or unreadable, 3 undetermined.

import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import {
  PolicyError, Refusal, expand, joinCodes, parseDuration, parsePolicy, parseTime, parseTrust, verify,
} from '../zhao.js';

const USAGE = `usage: zhao-verify FILE --policy POLICY [--trust F] [--pack F] [--at TIME] [--max-age D] [--json]
       zhao-verify --batch --policy POLICY [--trust F] [--pack F] [--at TIME] [--max-age D]

trust.txt and issuer-pack.json beside the policy are found by themselves.
FILE is JSON, a QR form, or the texts of its codes, one a line.
TIME is 2026-11-22T06:10:00.000Z, D is 90s, 15m, 24h or 7d.
--batch reads one JSON request a line, {"file":path}, {"bytes":base64} or {"codes":[text,…]}, each with "at" if
wanted. With "expand":true, bytes or codes are of a QR form: the answer is {"dossier":its JSON} or {"error":code}.`;

const EXIT = { valid: 0, valid_with_notice: 0, not_usable: 1, invalid: 1, undetermined: 3 };
const VALUES = ['policy', 'trust', 'pack', 'at', 'max-age'];
const SWITCHES = ['json', 'batch', 'help'];

class Usage extends Error {}

function parseArguments(words) {
  const options = {};
  for (let i = 0; i < words.length; i++) {
    const name = words[i].startsWith('--') ? words[i].slice(2) : undefined;
    if (name === undefined) {
      if (options.file !== undefined) throw new Usage(`unexpected argument ${words[i]}`);
      options.file = words[i];
    } else if (SWITCHES.includes(name)) {
      options[name] = true;
    } else if (VALUES.includes(name) && options[name] === undefined && i + 1 < words.length) {
      options[name] = words[++i];
    } else {
      throw new Usage(`unknown, repeated or incomplete option --${name}`);
    }
  }
  return options;
}

async function readOptional(path) {
  try {
    return await readFile(path);
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

async function prepare(options) {
  if (options.policy === undefined) throw new Usage('--policy is missing');
  if (options.batch === (options.file !== undefined)) throw new Usage('one FILE, or --batch');
  const beside = dirname(options.policy);
  const trustPath = options.trust ?? join(beside, 'trust.txt');
  const pack = options.pack === undefined
    ? await readOptional(join(beside, 'issuer-pack.json'))
    : await readFile(options.pack);
  return {
    policy: await parsePolicy(await readFile(options.policy)),
    trust: await parseTrust(await readFile(trustPath)),
    pack,
    at: options.at === undefined ? Date.now() : parseTime(options.at),
    maxAge: options['max-age'] === undefined ? undefined : parseDuration(options['max-age']),
  };
}

// Members in canonical order at every level, so that two programs print the same bytes.
function ordered(value) {
  if (Array.isArray(value)) return value.map(ordered);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.keys(value).sort().map((name) => [name, ordered(value[name])]));
}

function line({ verdict, reasons, assurance, facts, fragments }) {
  return JSON.stringify(ordered({ assurance, facts, fragments, reasons, verdict }));
}

function people({ verdict, reasons, assurance, facts, fragments, detail }) {
  const out = [`verdict    ${verdict}`];
  for (const { name, outcome, codes } of fragments) out.push(`${name.padEnd(10)} ${[outcome, ...codes].join(' ')}`);
  for (const reason of reasons) out.push(`reason     ${reason}`);
  if (detail !== undefined) out.push(`detail     ${detail}`);
  for (const note of assurance) out.push(`assurance  ${note}`);
  for (const name of Object.keys(facts).sort()) {
    const value = facts[name];
    out.push(`${name.padEnd(10)} ${typeof value === 'object' ? JSON.stringify(ordered(value)) : value}`);
  }
  return out.join('\n');
}

async function fileOf({ file, bytes, codes }) {
  if (codes !== undefined) return codes;
  return file === undefined ? new Uint8Array(Buffer.from(bytes, 'base64')) : readFile(file);
}

// What a QR form stands for, or the code of its refusal.
async function expanded(file) {
  try {
    const bytes = await expand(Array.isArray(file) ? await joinCodes(file) : file);
    return JSON.stringify({ dossier: new TextDecoder().decode(bytes) });
  } catch (error) {
    if (error instanceof Refusal) return JSON.stringify({ error: error.code });
    throw error;
  }
}

async function answer(text, settings) {
  try {
    const request = JSON.parse(text);
    const file = await fileOf(request);
    if (request.expand === true) return await expanded(file);
    const at = request.at === undefined ? settings.at : parseTime(request.at);
    return line(await verify(file, { ...settings, at }));
  } catch (error) {
    return JSON.stringify({ error: error.message });
  }
}

async function batch(settings) {
  for await (const text of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    if (text !== '') process.stdout.write(`${await answer(text, settings)}\n`);
  }
  return 0;
}

async function main(words) {
  const options = parseArguments(words);
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  options.batch = options.batch === true;
  const settings = await prepare(options);
  if (options.batch) return batch(settings);
  const result = await verify(await readFile(options.file), settings);
  console.log(options.json ? line(result) : people(result));
  return EXIT[result.verdict];
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const expected = error instanceof Usage || error instanceof PolicyError || error instanceof Refusal || error.code;
  if (!expected) throw error;
  console.error(`error: ${error.message}`);
  if (error instanceof Usage) console.error(USAGE);
  process.exitCode = 2;
}
