import { SvelteMap } from 'svelte/reactivity';
import { fetchOriginal } from './engine';

/** An original on its way from the office to this tablet. */
export class Fetch {
  percent = $state(0);
  problem = $state.raw<unknown>(null);
}

// Also those that an earlier visit of a screen began.
const fetches = new SvelteMap<string, Fetch>();

/** How far the fetch of a photo is, or why it failed; absent where none was begun, or it is here. */
export const fetchOf = (sha256: string): Fetch | undefined => fetches.get(sha256);

/** Fetches an original; what came of it before goes on where it was. */
export async function bringHere(sha256: string): Promise<void> {
  const under = fetches.get(sha256);
  if (under && !under.problem) return;
  const fetch = new Fetch();
  fetches.set(sha256, fetch);
  try {
    await fetchOriginal(sha256, (percent) => (fetch.percent = percent));
    // That it is here now comes with the record that shows it.
    fetches.delete(sha256);
  } catch (error) {
    fetch.problem = error;
  }
}
