import { names, words, type SetAside } from '@standpipe/kit';

/** Things that were set aside for the same reason and are about the same: one row, with how many there are. */
export interface Pile {
  /** The one that was set aside last. */
  latest: SetAside;
  count: number;
}

/** What it is about, for people: a photo by its name, a record by its asset or title, or by its kind. */
export const subjectOf = ({ photo, about }: SetAside): string =>
  photo === null ? (about?.name ? words(about.name) : names.entity(about?.entity)) : photo || names.field('photos');

// Which field of a record it was tells nobody anything; thirty rows that differ in nothing else tell less.
const sort = ({ photo, about, code }: SetAside): string => JSON.stringify([photo, about, code]);

export function piles(things: SetAside[]): Pile[] {
  const found = new Map<string, Pile>();
  for (const thing of things) {
    const { latest = thing, count = 0 } = found.get(sort(thing)) ?? {};
    found.set(sort(thing), { latest: thing.at > latest.at ? thing : latest, count: count + 1 });
  }
  return [...found.values()].sort((one, other) => other.latest.at - one.latest.at);
}
