import { overwriteGetLocale as tellKit } from './paraglide/runtime.js';

export type Language = 'zh-CN' | 'en';

export const languages: readonly Language[] = ['zh-CN', 'en'];

const remembered = 'standpipe.language';

/**
 * The person's own choice; before the first one Chinese. A tablet's web view tells the language of its C library, which is
 * English on many a machine whose people read Chinese; the switch is one tap away on the first screen.
 */
function first(): Language {
  const choice = globalThis.localStorage?.getItem(remembered);
  if (choice === 'zh-CN' || choice === 'en') return choice;
  return 'zh-CN';
}

let current = $state<Language>(first());

// Messages read the state when they are called, so every place that shows one follows a switch without a reload.
tellKit(() => current);

/** Lets another set of compiled messages follow the same language. */
export function follow(overwriteGetLocale: (read: () => Language) => void): void {
  overwriteGetLocale(() => current);
}

export function language(): Language {
  return current;
}

export function speak(next: Language): void {
  current = next;
  globalThis.localStorage?.setItem(remembered, next);
  markDocument();
}

/** Screen readers, fonts and hyphenation go by the document's language. */
export function markDocument(): void {
  if (globalThis.document) document.documentElement.lang = current;
}
