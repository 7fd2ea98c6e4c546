import type { Limit, Millis, Unit } from './generated/domain';
import { language } from './language.svelte';
import { m } from './paraglide/messages.js';

const day: Intl.DateTimeFormatOptions = { year: 'numeric', month: 'short', day: 'numeric' };
const time: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };

export function number(value: number, digits = 3): string {
  return new Intl.NumberFormat(language(), { maximumFractionDigits: digits }).format(value);
}

/** Decimal units, as shops and systems count: 24 MB are 24,000,000 bytes. */
export function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const step = count < 1000 ? 0 : Math.min(Math.floor(Math.log10(count) / 3), units.length - 1);
  const value = count / 1000 ** step;
  return `${number(value, value < 10 && step > 0 ? 1 : 0)}\u00a0${units[step]}`;
}

/** A calendar day such as `2023-07-01`, which has no time zone of its own. */
export function date(iso: string): string {
  return new Intl.DateTimeFormat(language(), { ...day, timeZone: 'UTC' }).format(new Date(`${iso}T00:00:00Z`));
}

/** The furthest from 1970 that a date can be, in milliseconds (ECMA-262, 21.4.1.1): a page must open whatever a clock said. */
const FURTHEST = 8.64e15;
const within = (at: Millis): Millis => Math.max(-FURTHEST, Math.min(FURTHEST, at));

/** A day and a time of day. */
export function moment(at: Millis): string {
  return new Intl.DateTimeFormat(language(), { ...day, ...time }).format(within(at));
}

/** The moment for machines: ISO 8601. */
export const stamp = (at: Millis): string => new Date(within(at)).toISOString();

/** The time of day alone while it is still the same day, otherwise with the day. */
export function clock(at: Millis, now: Millis = Date.now()): string {
  if (new Date(at).toDateString() !== new Date(now).toDateString()) return moment(at);
  return new Intl.DateTimeFormat(language(), time).format(within(at));
}

export function unit(name: Unit): string {
  return m[`unit.${name}`]();
}

export function limit({ min, max }: Limit, name: Unit): string {
  const shown = unit(name);
  if (min !== null && max !== null) return m['limit.between']({ min: number(min), max: number(max), unit: shown });
  if (min !== null) return m['limit.atLeast']({ min: number(min), unit: shown });
  if (max !== null) return m['limit.atMost']({ max: number(max), unit: shown });
  return m['limit.none']();
}

/** The limit in a sentence of its own. */
export function limitSentence(of: Limit, name: Unit): string {
  const none = of.min === null && of.max === null;
  return none ? limit(of, name) : m['limit.is']({ limit: limit(of, name) });
}

/** "a, b and c". Chinese sets a space before a figure, none before a character. */
export function list(parts: string[]): string {
  const last = parts.length - 1;
  if (last < 1) return parts.join('');
  const joined = parts.slice(0, last).join(m['list.separator']()) + m['list.last']() + parts[last];
  return joined.replace(/(\p{Script=Han})(\d)/gu, '$1 $2');
}

/** Sentences after one another, as the language sets them. */
export function sentences(...parts: (string | null | undefined | false)[]): string {
  return parts.filter(Boolean).join(m['list.sentence']());
}
