import { asProblem, seenOf, type IssueView, type Person, type Step, type StepRequest } from '@standpipe/kit';

/** What is typed into a step's form, not sent yet. */
export interface Draft {
  unit: string;
  person: string;
  date: string;
  words: string;
  /** What its author saw of the issue's status when they opened the form. */
  seen: string[];
}

export type Entry = 'unit' | 'person' | 'date' | 'words' | 'files';

/** What each step asks for. Beside these, a note may go with any step. */
export const entries: Record<Step, Entry[]> = {
  assign: ['unit', 'person', 'date', 'words'],
  propose: ['words', 'date'],
  object: ['words'],
  agree: ['words'],
  start: ['words'],
  'claim-done': ['files', 'words'],
  verify: ['words'],
  close: ['words'],
  reopen: ['words'],
};

/** A form as it is first shown: what stands already needs no second typing. */
export function begin(
  step: Step,
  issue: Pick<IssueView, 'unit_id' | 'person_id' | 'deadline' | 'solution' | 'statuses'>,
): Draft {
  const { unit_id, person_id, deadline, solution } = issue;
  const empty: Draft = { unit: '', person: '', date: '', words: '', seen: seenOf(issue) };
  if (step === 'assign') return { ...empty, unit: unit_id ?? '', person: person_id ?? '', date: deadline ?? '' };
  if (step === 'propose') return { ...empty, date: solution?.date ?? '', words: solution?.words ?? '' };
  return empty;
}

export function request(step: Step, { unit, person, date, words, seen }: Draft): StepRequest {
  return { step, unit: unit || null, person: person || null, date: date || null, words: words.trim(), seen };
}

export type Missing = 'needUnit' | 'needPerson' | 'needDate';

/** Which entry a refusal is about, with its reason; `form` when it is about the step as a whole. */
export function beside(error: unknown, draft: Draft): Partial<Record<Entry, Missing | 'said'>> | 'form' {
  switch (asProblem(error).code) {
    case 'assignment-incomplete': {
      const missing: Partial<Record<Entry, Missing>> = {
        ...(draft.unit ? {} : { unit: 'needUnit' }),
        ...(draft.person ? {} : { person: 'needPerson' }),
        ...(draft.date ? {} : { date: 'needDate' }),
      };
      return Object.keys(missing).length > 0 ? missing : 'form';
    }
    case 'no-date':
      return { date: 'said' };
    case 'no-words':
      return { words: 'said' };
    default:
      return 'form';
  }
}

/** The persons of a unit, in the order of their names. */
export function ofUnit(people: Person[], unit: string, language: string): Person[] {
  const { compare } = new Intl.Collator(language);
  return people.filter((person) => person.unit === unit).sort((one, other) => compare(one.name, other.name));
}
