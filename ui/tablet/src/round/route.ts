import type { FindingView, RoundView, Stop, Words } from '@standpipe/kit';
import { isSettled } from '../signoff/places';

/** Stops that follow one another in one place. */
export interface Stretch {
  path: Words[];
  stops: Stop[];
}

/** The route in the order of walking, cut where the place changes. */
export function stretches(stops: Stop[]): Stretch[] {
  const found: Stretch[] = [];
  for (const stop of stops) {
    const last = found.at(-1);
    if (last && same(last.path, stop.asset.path)) last.stops.push(stop);
    else found.push({ path: stop.asset.path, stops: [stop] });
  }
  return found;
}

const same = (one: Words[], other: Words[]) =>
  one.length === other.length && one.every((name, at) => name['zh-CN'] === other[at]?.['zh-CN']);

export type Next =
  | { do: 'check'; stop: Stop; begun: boolean }
  | { do: 'complete'; finding: FindingView }
  | { do: 'resolve' }
  | { do: 'sign' }
  | { do: 'nothing' };

/** The one next thing to do in a round. */
export function nextOf({ stops, findings, obstacles, sign_offs }: RoundView): Next {
  const open = stops.find((stop) => stop.answered < stop.items && !stop.sealed);
  if (open) return { do: 'check', stop: open, begun: stops.some((stop) => stop.answered > 0) };
  const lacking = findings.find((finding) => finding.lacks.length > 0);
  if (lacking) return { do: 'complete', finding: lacking };
  if (obstacles.in_conflict > 0) return { do: 'resolve' };
  return sign_offs.every(isSettled) ? { do: 'nothing' } : { do: 'sign' };
}

/** The stop after this one that still has something open; from the top again after the last. */
export function stopAfter(stops: Stop[], check: string): Stop | undefined {
  const at = stops.findIndex((stop) => stop.check === check) + 1;
  const order = [...stops.slice(at), ...stops.slice(0, at)];
  return order.find((stop) => stop.check !== check && stop.answered < stop.items && !stop.sealed);
}
