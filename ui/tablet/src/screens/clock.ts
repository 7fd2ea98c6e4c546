import { number } from '@standpipe/kit';
import { m } from '../paraglide/messages.js';

/** Clocks that differ by less than this are called equal. */
const EQUAL = 2_000;

/** How this tablet's clock stands to the office's: told, never held against anybody. */
export function clockSentence(ahead: number | null): string {
  if (ahead === null) return m['clock.unknown']();
  const apart = Math.abs(ahead);
  if (apart < EQUAL) return m['clock.equal']();
  return (ahead > 0 ? m['clock.ahead'] : m['clock.behind'])({ span: span(apart) });
}

function span(millis: number): string {
  const minutes = millis / 60_000;
  if (minutes < 2) return m['clock.seconds']({ count: number(millis / 1_000, 0) });
  if (minutes < 120) return m['clock.minutes']({ count: number(minutes, 0) });
  return m['clock.hours']({ count: number(minutes / 60, 0) });
}
