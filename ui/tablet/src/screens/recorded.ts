import { names, type Answer, type Evidence, type Recorded, type Severity, type Status } from '@standpipe/kit';

/** A value of a record that was set aside, as a person reads it. */
export type Shown =
  | { as: 'answer'; answer: Answer }
  | { as: 'photo'; photo: Pick<Evidence, 'sha256' | 'name'> }
  | { as: 'words'; words: string }
  | { as: 'taken' };

// What tells records apart, and says nothing to a person.
const silent = ['check', 'item', 'claimed_by', 'finding', 'round'];

const holds = <Key extends string>(value: object, key: Key): value is Record<Key, unknown> => key in value;

/** What is shown of a field; `null` for one that says nothing. */
export function shownOf({ field, value }: Recorded): Shown | null {
  if (silent.includes(field) || value === '') return null;
  if (value === null) return { as: 'taken' };
  if (field === 'severity') return { as: 'words', words: names.severity(value as Severity) };
  if (field === 'status') return { as: 'words', words: names.status(value as Status) };
  if (typeof value !== 'object') return { as: 'words', words: String(value) };
  if (holds(value, 'outcome')) return { as: 'answer', answer: value as unknown as Answer };
  if (holds(value, 'sha256')) return { as: 'photo', photo: value as unknown as Evidence };
  // A solution, or a step with its words.
  if (holds(value, 'words')) return value.words ? { as: 'words', words: String(value.words) } : null;
  return { as: 'words', words: JSON.stringify(value) };
}
