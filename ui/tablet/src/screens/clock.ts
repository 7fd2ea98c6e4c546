import { number, sentences } from '@standpipe/kit';
import { m } from '../paraglide/messages.js';

/** Clocks that differ by less than this are called equal. */
const EQUAL = 2_000;
/** From here on somebody is asked to set them. */
const FAR = 5 * 60_000;
/** The mean length of a year, in days. */
const YEAR = 365.25;

/** How this tablet's clock stands to the office's: told, never held against anybody. */
export function clockSentence(ahead: number | null): string {
  if (ahead === null) return m['clock.unknown']();
  const apart = Math.abs(ahead);
  if (apart < EQUAL) return m['clock.equal']();
  const told = (ahead > 0 ? m['clock.ahead'] : m['clock.behind'])({ span: span(apart) });
  return sentences(told, apart >= FAR && m['clock.correct']());
}

function span(millis: number): string {
  const minutes = millis / 60_000;
  if (minutes < 2) return m['clock.seconds']({ count: number(millis / 1_000, 0) });
  if (minutes < 120) return m['clock.minutes']({ count: number(minutes, 0) });
  const hours = minutes / 60;
  if (hours < 48) return m['clock.hours']({ count: number(hours, 0) });
  const days = hours / 24;
  if (days < 730) return m['clock.days']({ count: number(days, 0) });
  return m['clock.years']({ count: number(days / YEAR, 0) });
}
