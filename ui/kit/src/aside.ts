import { m } from './paraglide/messages.js';

const said = m as unknown as Record<string, (() => string) | undefined>;

/** Why something was set aside; by its code where this version does not know it. */
export const asideReason = (code: string): string => said[`aside.${code}`]?.() ?? m['aside.other']({ code });
