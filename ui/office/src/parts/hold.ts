import { tick } from 'svelte';

/** Where a row stood in the window when its detail was opened, by the row's test id. */
const stood = new Map<string, number>();

/**
 * Keeps the row of what is opened or closed where it stands in the window. A list gives up columns when a detail opens
 * beside it, and leaves the page where the detail takes its place: without this the row would be somewhere else.
 */
export async function hold(row: string): Promise<void> {
  const find = () => document.querySelector<HTMLElement>(`tr[data-testid="${CSS.escape(row)}"]`);
  const top = (): number | null => (find()?.offsetParent ? find()!.getBoundingClientRect().top : null);
  const before = top();
  if (before !== null) stood.set(row, before);
  const wanted = stood.get(row);
  await tick();
  const after = top();
  if (wanted !== undefined && after !== null && after !== wanted) scrollBy(0, after - wanted);
}
