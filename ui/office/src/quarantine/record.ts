import type { Quarantined } from '@standpipe/kit';
import { m } from '../paraglide/messages.js';

const said = m as unknown as Record<string, (() => string) | undefined>;

/** What the record is about, in words where there are words for it. */
export function what({ entity, field }: Pick<Quarantined, 'entity' | 'field'>): { thing: string; part: string | null } {
  return { thing: said[`entity.${entity}`]?.() ?? entity, part: field && partOf(field) };
}

/** Why the record was set aside. */
export const why = (code: string): string => (said[`why.${code}`] ?? m['why.fallback'])();

/** What it means that it was, and what can be done. */
export const meaning = (code: string): string => (said[`meaning.${code}`] ?? m['meaning.fallback'])();

function partOf(field: string): string {
  const [name, item] = field.split(':', 2);
  if (name === 'answer' && item) return m['quarantine.answer']({ item });
  return said[`field.${field}`]?.() ?? field;
}
