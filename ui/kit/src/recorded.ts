import type { Answer, Evidence, Recorded } from './generated/domain';
import { m } from './paraglide/messages.js';

/** A value of a record that was set aside, as a person reads it. */
export type Shown =
  | { as: 'answer'; answer: Answer }
  | { as: 'photo'; photo: Pick<Evidence, 'sha256' | 'name'> }
  | { as: 'words'; words: string }
  | { as: 'taken' };

// What tells records apart, and says nothing to a person.
const silent = ['check', 'item', 'claimed_by', 'finding', 'round'];

const said = m as unknown as Record<string, (() => string) | undefined>;

// Nobody has judged the value, or it was found not to fit: it may be anything.
type Loose<Of> = { [Key in keyof Of]?: unknown };
const isText = (value: unknown): value is string => typeof value === 'string';
const isAbsentOr = (value: unknown, is: (value: unknown) => boolean): boolean => (value ?? null) === null || is(value);

function isReading(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const reading = value as Loose<NonNullable<Answer['reading']>>;
  return typeof reading.value === 'number' && isText(reading.unit) && `unit.${reading.unit}` in said;
}

const isAnswer = ({ outcome, reading, choice, note }: Loose<Answer>): boolean =>
  isText(outcome) &&
  `outcome.${outcome}` in said &&
  isAbsentOr(reading, isReading) &&
  isAbsentOr(choice, isText) &&
  isAbsentOr(note, isText);

/** What is shown of a field; `null` for one that says nothing. */
export function shownOf({ field, value }: Recorded): Shown | null {
  if (silent.includes(field) || value === '') return null;
  if (value === null) return { as: 'taken' };
  if ((field === 'severity' || field === 'status') && isText(value))
    return { as: 'words', words: said[`${field}.${value}`]?.() ?? value };
  if (typeof value !== 'object') return { as: 'words', words: String(value) };
  if (isAnswer(value)) return { as: 'answer', answer: value as Answer };
  const { sha256, name, words } = value as Loose<Evidence> & { words?: unknown };
  if (isText(sha256) && isText(name)) return { as: 'photo', photo: { sha256, name } };
  // A solution, or a step with its words.
  if (isText(words)) return words ? { as: 'words', words } : null;
  return { as: 'words', words: JSON.stringify(value) };
}
