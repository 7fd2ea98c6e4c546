import type { IssueLine, RoundLine } from '@standpipe/kit';
import { shows } from '../issues/list';
import { to } from '../route';

/** A number that leads to the list that it counts. */
export interface Count {
  name: 'open' | 'overdue' | 'claimed' | 'underWay' | 'toSign' | 'signed' | 'setAside';
  count: number;
  href: string;
}

export function issueCounts(issues: IssueLine[]): Count[] {
  const count = (name: Count['name'], show: Parameters<typeof shows>[0]): Count => ({
    name,
    count: issues.filter((issue) => shows(show, issue)).length,
    href: to.issues({ show }),
  });
  return [count('open', 'unclosed'), count('overdue', 'overdue'), count('claimed', 'claimed-done')];
}

export function roundCounts(rounds: RoundLine[]): Count[] {
  const count = (name: Count['name'], state: RoundLine['state']): Count => ({
    name,
    count: rounds.filter((round) => round.state === state).length,
    href: to.rounds(state),
  });
  return [count('underWay', 'under-way'), count('toSign', 'to-sign'), count('signed', 'signed')];
}

/** The rounds that still want something, in the order of their days. */
export function unsigned(rounds: RoundLine[]): RoundLine[] {
  return rounds.filter(({ state }) => state !== 'signed').sort((one, other) => one.due.localeCompare(other.due));
}
