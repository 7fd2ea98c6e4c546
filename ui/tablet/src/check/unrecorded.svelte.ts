import type { Item, Problem, Words } from '@standpipe/kit';
import type { Aside } from '../draft.svelte';
import { keep, kept, keptUnder } from '../kept';
import type { CheckWork } from './work.svelte';

/** A text that no record takes any more. It is kept, and shown, until its person deletes it. */
export interface Unrecorded {
  name: string;
  round: string;
  check: string;
  item: string;
  /** Where it was written, also once nothing is known of its check any more. */
  asset: Words;
  question: Words;
  text: string;
  problem: Problem;
}

const START = 'unrecorded.';

// What is kept tells nobody that it changed.
let turn = $state(0);
let count = 0;

/** All such texts, the oldest first. */
export function unrecorded(): Unrecorded[] {
  void turn;
  const read = (name: string) => ({ name, ...(JSON.parse(kept(name)) as Omit<Unrecorded, 'name'>) });
  return keptUnder(START)
    .sort()
    .map((rest) => read(START + rest));
}

/** Where one field's text goes when it is refused for good: under a name of its own, so that none replaces another. */
export function asideOf({ id: check, view }: CheckWork, { id: item, question }: Item): Aside {
  count += 1;
  const name = `${START}${Date.now()}.${count}`;
  const place = view && { round: view.round, check, item, asset: view.stop.asset.name, question };
  return async (text, problem) => {
    await keep(name, text && JSON.stringify({ ...place, text, problem }));
    turn += 1;
  };
}

export async function dismiss(name: string): Promise<void> {
  await keep(name, '');
  turn += 1;
}
