import { SvelteMap } from 'svelte/reactivity';
import * as engine from './engine';

/**
 * Words that belong to no record yet: a note before its answer, a number that nobody has judged, an amendment that was not
 * made. The engine keeps them, as durably as records, until a record takes them over.
 */
const held = new SvelteMap<string, string>();
const waiting = new Map<string, string>();
let keeping: Promise<void> | undefined;

/** Reads what was kept when the app last ended. Without it the app begins all the same. */
export async function readKept(): Promise<void> {
  for (const [name, text] of Object.entries(await engine.drafts())) held.set(name, text);
}

export const kept = (name: string): string => held.get(name) ?? '';

/** What follows `start` in the names under which something is kept. */
export const keptUnder = (start: string): string[] =>
  [...held.keys()].filter((name) => name.startsWith(start)).map((name) => name.slice(start.length));

/** Keeps a text; resolves once it is durable. What is typed meanwhile is kept in the next turn, the last of it only. */
export function keep(name: string, text: string): Promise<void> {
  if (text) held.set(name, text);
  else held.delete(name);
  waiting.set(name, text);
  // Begun a moment later, so that `keeping` is set before it can end.
  keeping ??= Promise.resolve().then(keepAll);
  return keeping;
}

/** Lets go of a text that a record has taken over, unless something newer is kept by now. */
export async function letGo(name: string, taken = kept(name)): Promise<void> {
  if (!taken || kept(name) !== taken) return;
  // The record stands: that its draft could not be taken away changes nothing for the person, and it is tried again.
  await keep(name, '').catch(() => undefined);
}

/** Keeps what could not be kept so far, and says whether nothing waits any more. */
export async function everythingKept(): Promise<boolean> {
  if (waiting.size > 0) keeping ??= Promise.resolve().then(keepAll);
  await keeping?.catch(() => undefined);
  return waiting.size === 0;
}

async function keepAll(): Promise<void> {
  try {
    for (let next = waiting.entries().next().value; next; next = waiting.entries().next().value) {
      const [name, text] = next;
      await engine.keepDraft(name, text);
      if (waiting.get(name) === text) waiting.delete(name);
    }
  } finally {
    // In the same breath as the last look: what is kept from here on begins a turn of its own.
    keeping = undefined;
  }
}
