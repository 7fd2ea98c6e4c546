import * as engine from './engine';

/**
 * Words that belong to no record yet: a note before its answer, an amendment that was not made. The engine keeps them,
 * as durably as records, until a record takes them over.
 */
const held = new Map<string, string>();
const waiting = new Map<string, string>();
let keeping: Promise<void> | undefined;

/** Reads what was kept when the app last ended. Without it the app begins all the same. */
export async function readKept(): Promise<void> {
  for (const [name, text] of Object.entries(await engine.drafts())) held.set(name, text);
}

export const kept = (name: string): string => held.get(name) ?? '';

/** Keeps a text; resolves once it is durable. What is typed meanwhile is kept in the next turn, the last of it only. */
export function keep(name: string, text: string): Promise<void> {
  if (text) held.set(name, text);
  else held.delete(name);
  waiting.set(name, text);
  keeping ??= keepAll().finally(() => (keeping = undefined));
  return keeping;
}

async function keepAll(): Promise<void> {
  for (let next = waiting.entries().next().value; next; next = waiting.entries().next().value) {
    const [name, text] = next;
    await engine.keepDraft(name, text);
    if (waiting.get(name) === text) waiting.delete(name);
  }
}
