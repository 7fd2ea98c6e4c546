import type { AsidePlace, Quarantined } from '@standpipe/kit';
import { m } from '../paraglide/messages.js';

const said = m as unknown as Record<string, (() => string) | undefined>;

/** Why the record was set aside. */
export const why = (code: string): string => (said[`why.${code}`] ?? m['why.fallback'])();

/** What it means that it was, and what can be done. */
export const meaning = (code: string): string => (said[`meaning.${code}`] ?? m['meaning.fallback'])();

/** Where it was set aside. */
export const placeOf = ({ device, incarnation, dev_seq }: Quarantined): AsidePlace => ({
  device,
  incarnation,
  dev_seq,
});

/** Those of a list that came from the same tablet and were set aside for the same reason, itself among them. */
export const alike = (listed: Quarantined[], { device, code }: Quarantined): Quarantined[] =>
  listed.filter((other) => other.device === device && other.code === code);
