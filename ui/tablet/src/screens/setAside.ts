import { moment, names, words, type Author, type SetAside, type Spot } from '@standpipe/kit';
import { m } from '../paraglide/messages.js';
import { to } from '../route.svelte';

/** Things that were set aside for the same reason and are about the same, the latest first: one row. */
export type Pile = [SetAside, ...SetAside[]];

/** What it is about, for people: a photo by its name, a record by its asset or title, or by its kind. */
export const subjectOf = ({ photo, about }: SetAside): string =>
  photo === null ? (about?.name ? words(about.name) : names.entity(about?.entity)) : photo || names.field('photos');

// Which field of a record it was tells nobody anything; thirty rows that differ in nothing else tell less.
const sort = (thing: SetAside): string => {
  const { photo, about, code, spot, kept, seen } = thing;
  return JSON.stringify([photo, about, code, spot, kept, seen?.by, authorOf(thing)?.name]);
};

/** Who recorded what is at no office: whoever looks after it has to find them. The office knows it of whatever it keeps. */
export const authorOf = ({ kept, author }: SetAside): Author | null => (kept === 'here' ? author : null);

/** Who recorded these, and when; empty where the office knows. */
export function recordedBy(pile: Pile): string {
  const authors = pile.map(authorOf).filter((author) => author !== null);
  const latest = authors.reduce<Author | null>((one, other) => (one && one.at > other.at ? one : other), null);
  if (!latest) return '';
  const told = { name: latest.name, when: moment(latest.at) };
  return authors.length > 1 ? m['sync.setAsideByLatest'](told) : m['sync.setAsideBy'](told);
}

export function piles(things: SetAside[]): Pile[] {
  const found = new Map<string, Pile>();
  for (const thing of things) {
    const pile = found.get(sort(thing));
    if (pile) pile.push(thing);
    else found.set(sort(thing), [thing]);
  }
  const late = (one: SetAside, other: SetAside) => other.at - one.at;
  return [...found.values()].map((pile) => pile.sort(late)).sort(([one], [other]) => late(one, other));
}

/** What helps against each reason that the office and this tablet set things aside for. */
const remedies = {
  'not-allowed': 'role',
  sealed: 'amend',
  revoked: 'rejoin',
  malformed: 'office',
  'op-id-taken': 'again',
  'too-large': 'smaller',
  'too-long': 'smaller',
  'foreign-device': 'again',
  'foreign-actor': 'again',
  'out-of-order': 'again',
  'other-scope': 'office',
  'other-entity': 'office',
  'no-reason': 'again',
  'signed-otherwise': 'sign-same',
  'broken-seal': 'sign',
  'no-name': 'sign',
  'no-strokes': 'sign',
  'not-asked': 'office',
  'unknown-item': 'update',
  'wrong-kind': 'again',
  'not-a-number': 'again',
  'outside-limit': 'again',
  'not-from-here': 'look',
  'own-claim': 'somebody-else',
  'assignment-incomplete': 'again',
  'no-date': 'again',
  'no-words': 'again',
  'no-photo': 'again',
  'not-judged': 'judge-again',
  'not-taken-back': 'wait',
  'file-missing': 'retake',
  'file-damaged': 'retake',
  'file-missing-unasked': 'asked',
  'file-damaged-unasked': 'asked',
  'file-unread': 'retry',
  'hash-mismatch': 'retry',
  'hub-fault': 'retry',
} as const;

const isKnown = (code: string): code is keyof typeof remedies => code in remedies;

/** What to do about it. A reason of a later version of the office is the office's to explain. */
export const remedy = (code: string): string => m[`remedy.${isKnown(code) ? remedies[code] : 'office'}`]();

/** The screen on which it can be recorded again. */
export function addressOf(spot: Spot): string {
  switch (spot.screen) {
    case 'check':
      return to.check(spot.round, spot.check, spot.item ?? undefined);
    case 'sign':
      return to.sign(spot.round);
    case 'issue':
      return to.issue(spot.id);
  }
}
