/** What was typed to an item and is in no record yet: a note before its answer, a number that nobody has judged. */
import type { CheckView, Words } from '@standpipe/kit';
import { keep, kept, keptUnder } from '../kept';

export type Kind = 'note' | 'reading';

/** Where something was typed, to be told also once nothing is known of its check any more. */
export interface Place {
  round: string;
  asset: Words;
  question: Words;
}

export interface Waiting {
  text: string;
  /** The operations over which it was begun. A version before this one did not keep them. */
  seen?: string[];
  place?: Place | undefined;
}

export const kinds: Kind[] = ['note', 'reading'];

/** Under which name it is kept. */
export const waitingName = (kind: Kind, check: string, item: string) => `${kind}.${check}.${item}`;

export function waiting(kind: Kind, check: string, item: string): Waiting | undefined {
  const text = kept(waitingName(kind, check, item));
  return text ? read(text) : undefined;
}

/** Keeps it; no text takes it away. Resolves once that is durable. */
export function keepWaiting(kind: Kind, check: string, item: string, what: Waiting): Promise<void> {
  return keep(waitingName(kind, check, item), what.text && JSON.stringify(what));
}

/** The items of a check to which something waits. */
export const itemsWaiting = (check: string): string[] => [
  ...new Set(kinds.flatMap((kind) => keptUnder(waitingName(kind, check, '')))),
];

/** What an item asks at which something waits, as far as that was kept. */
export const questionOf = (check: string, item: string): Words | undefined =>
  kinds.map((kind) => waiting(kind, check, item)?.place?.question).find((question) => question !== undefined);

/** The checks at which something waits. Their names have no dot in them. */
export const checksWaiting = (): string[] => [
  ...new Set(kinds.flatMap((kind) => keptUnder(`${kind}.`)).map((rest) => rest.slice(0, rest.indexOf('.')))),
];

export function placeOf(view: CheckView | undefined, item: string): Place | undefined {
  const question = view?.checklist?.items.find((one) => one.id === item)?.question;
  return view && question && { round: view.round, asset: view.stop.asset.name, question };
}

/** A version before this one kept the bare text. */
function read(text: string): Waiting {
  try {
    const what = JSON.parse(text) as Partial<Waiting> | null;
    return typeof what?.text === 'string' ? (what as Waiting) : { text };
  } catch {
    return { text };
  }
}
