// RFC 3339 UTC with milliseconds and Z, one spelling per instant; held as milliseconds since 1970.

import { Refusal, clip } from './errors.js';

const PATTERN = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})\.(\d{3})Z$/;
const BEIJING = 8 * 3_600_000;
const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** 9999-12-31T23:59:59.999Z, the last instant that has a text. */
export const LAST_INSTANT = 253_402_300_799_999;

/** Milliseconds of a text like 2026-11-22T06:10:00.000Z. */
export function parseTime(text) {
  const match = text.length === 24 ? PATTERN.exec(text) : null;
  if (match === null) throw new Refusal('time-shape', `not a time: '${clip(text)}'`);
  const [year, month, day, hour, minute, second, milli] = match.slice(1).map(Number);
  checkDay(year, month, day);
  if (hour > 23 || minute > 59 || second > 59) throw new Refusal('time-no-such-time', text);
  if (year < 1970) throw new Refusal('time-year', text);
  return Date.UTC(year, month - 1, day, hour, minute, second, milli);
}

function checkDay(year, month, day) {
  const days = new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
  if (month < 1 || month > 12 || day < 1 || day > days) throw new Refusal('time-no-such-date');
}

/** Days from 1970-01-01 to 1900-01-01 and 9999-12-31: the first and the last date. */
export const FIRST_DATE_DAY = -25_567;
export const LAST_DATE_DAY = 2_932_896;

/** The instant at which a day, counted from 1970-01-01, begins in China. */
export const dayBegin = (day) => day * UNITS.d - BEIJING;

export const isDayBegin = (ms) => (ms + BEIJING) % UNITS.d === 0;

/** Text of a date, given as days from 1970-01-01. */
export function formatDay(day) {
  return formatTime(day * UNITS.d).slice(0, 10);
}

export function formatTime(ms) {
  return new Date(ms).toISOString();
}

/** First and last instant (24:00) of a calendar day in China, UTC+8; nothing is before 1970. */
export function parseDate(text) {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (match === null || text.length !== 10) throw new Refusal('time-shape', `not a date: '${clip(text)}'`);
  const [year, month, day] = match.slice(1).map(Number);
  checkDay(year, month, day);
  if (year < 1900) throw new Refusal('time-year', text);
  const start = Date.UTC(year, month - 1, day) - BEIJING;
  return { start: Math.max(0, start), end: Math.max(0, start + UNITS.d) };
}

/** Milliseconds of 90s, 15m, 24h, 7d or 500ms. */
export function parseDuration(text) {
  const match = /^(0|[1-9][0-9]*)(ms|s|m|h|d)$/.exec(text);
  if (match === null) throw new Refusal('time-shape', `not a duration: '${clip(text)}'`);
  const ms = match[1].length > 16 ? NaN : Number(match[1]) * UNITS[match[2]];
  if (!Number.isSafeInteger(ms)) throw new Refusal('time-overflow', `'${clip(text)}'`);
  return ms;
}
