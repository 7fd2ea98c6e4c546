import { m } from '../paraglide/messages.js';

const said = m as unknown as Record<string, (() => string) | undefined>;

/** Why the record was set aside. */
export const why = (code: string): string => (said[`why.${code}`] ?? m['why.fallback'])();

/** What it means that it was, and what can be done. */
export const meaning = (code: string): string => (said[`meaning.${code}`] ?? m['meaning.fallback'])();
