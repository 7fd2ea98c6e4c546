import { thingsThatWait, type Problem, type SiteLine } from '@standpipe/kit';
import { everythingSaved } from './draft.svelte';
import { onSites, sites as ask } from './engine';
import { everythingKept } from './kept';
import { m } from './paraglide/messages.js';
import { to } from './route.svelte';
import { everythingIn } from './uploads.svelte';

let list = $state.raw<SiteLine[]>([]);
/** The folder of the site that this window is about. */
let here: string | undefined;

export const sites = () => list;

/** Everything that this window knows is of the site that was shown: it begins anew. */
export const beginAnew = {
  now(): void {
    location.hash = to.today;
    location.reload();
  },
};

function take(fresh: SiteLine[]): void {
  list = fresh;
  const shown = fresh.find((site) => site.shown)?.folder;
  if (here !== undefined && shown !== here) beginAnew.now();
  here = shown;
}

let asking = false;
let again = false;

/** Asks for the list; what is asked meanwhile is asked once more, so that an older answer never stays. */
export async function reloadSites(): Promise<void> {
  again = true;
  if (asking) return;
  asking = true;
  try {
    while (again) {
      again = false;
      take(await ask());
    }
  } finally {
    asking = false;
  }
}

/** Follows the list, for as long as the app is shown. */
export function followSites(): () => void {
  // The screen that is shown says what is wrong.
  const reload = () => void reloadSites().catch(() => undefined);
  const off = onSites(reload);
  reload();
  return () => void off.then((stop) => stop());
}

/** What is typed or comes in goes to the site that is shown: all of it is safe there before another one is. */
export async function allSafeHere(): Promise<void> {
  const safe = [await everythingSaved(), await everythingKept(), everythingIn()];
  const problem: Problem = { code: 'not-safe-yet', message: 'something is not saved yet', details: {} };
  if (safe.includes(false)) throw problem;
}

/** Somebody has to look at it: nothing that waits cures it. */
export function needsSomebody({ sync, problem, leaving }: SiteLine): boolean {
  const stuck = leaving && !['waits', 'asks', 'backup'].includes(leaving.code);
  return Boolean(problem || stuck || sync?.state === 'needs-attention');
}

/** What the line about the site that is shown does not tell: how it stands with the others. Empty where nothing waits. */
export function othersSentence(all: SiteLine[]): string {
  const others = all.filter((site) => !site.shown);
  if (others.some(needsSomebody)) return m['sites.othersLook']();
  const sum = (of: 'records' | 'photos' | 'bytes') => others.reduce((sum, { sync }) => sum + (sync?.[of] ?? 0), 0);
  const things = thingsThatWait({ records: sum('records'), photos: sum('photos'), bytes: sum('bytes') });
  return things && m['sites.othersWait']({ things });
}
