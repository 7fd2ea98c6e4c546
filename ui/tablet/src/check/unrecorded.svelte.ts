import { asProblem, reading, type Answer, type Item, type Problem } from '@standpipe/kit';
import type { Aside } from '../draft.svelte';
import { keep, kept, keptUnder } from '../kept';
import { itemsOf } from './items';
import { itemsWaiting, kinds, placeOf, waiting, waitingName, type Kind, type Place } from './waiting';
import type { CheckWork } from './work.svelte';

/** A text that no record takes any more. It is kept, and shown, until its person deletes it. */
export interface Unrecorded extends Partial<Place> {
  name: string;
  check: string;
  item: string;
  text: string;
  /** Whether it is the reading of its item. */
  number?: boolean;
  problem: Problem;
}

const START = 'unrecorded.';

let count = 0;

/** All texts that were refused for good, the oldest first. */
export function unrecorded(): Unrecorded[] {
  const read = (name: string) => ({ name, ...(JSON.parse(kept(name)) as Omit<Unrecorded, 'name'>) });
  return keptUnder(START)
    .sort()
    .map((rest) => read(START + rest));
}

/** Where one field's text goes when it is refused for good: under a name of its own, so that none replaces another. */
export function asideOf({ id: check, view }: CheckWork, { id: item }: Item): Aside {
  count += 1;
  const name = `${START}${Date.now()}.${count}`;
  const place = placeOf(view, item);
  return (text, problem) => keep(name, text && JSON.stringify({ ...place, check, item, text, problem }));
}

/** What waits at a check for a record that will not come: it was not refused, because nothing was asked of the engine. */
export function stranded(work: CheckWork): Unrecorded[] {
  return itemsWaiting(work.id).flatMap((item) => {
    const problem = whyStranded(work, item);
    if (!problem) return [];
    return kinds.flatMap((kind) => {
      const what = waiting(kind, work.id, item);
      if (!what || isTold(kind, what.text, work.view?.answers[item])) return [];
      const place = placeOf(work.view, item) ?? what.place;
      const name = waitingName(kind, work.id, item);
      return [{ ...place, name, check: work.id, item, text: what.text, number: kind === 'reading', problem }];
    });
  });
}

/** Whether the record has it: the app may have ended between the record and letting go. */
const isTold = (kind: Kind, text: string, answer: Answer | undefined): boolean =>
  kind === 'note' ? text === answer?.note : reading(text) === answer?.reading?.value;

function whyStranded({ view, live }: CheckWork, item: string): Problem | null {
  if (live.problem && asProblem(live.problem).code === 'unknown') return asProblem(live.problem);
  const because = (code: string): Problem => ({ code, message: '', details: {} });
  if (view?.sealed) return because('sealed');
  return view?.checklist && !itemsOf(view).some((one) => one.id === item) ? because('unknown-item') : null;
}

export const dismiss = (name: string): Promise<void> => keep(name, '');
