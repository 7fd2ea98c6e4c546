import type { RoundLine, RoundState } from '@standpipe/kit';

const rank: Record<RoundState, number> = { overdue: 0, 'under-way': 1, planned: 2, 'to-sign': 3, signed: 4 };

/** What is most pressing first; among equals the one that is due first, and of what is signed the newest. */
export function inOrder(rounds: RoundLine[]): RoundLine[] {
  const newest = (round: RoundLine) => (round.state === 'signed' ? -1 : 1);
  return [...rounds].sort(
    (one, other) => rank[one.state] - rank[other.state] || one.due.localeCompare(other.due) * newest(one),
  );
}

export const isNext = (round: RoundLine): boolean => round.state !== 'signed';
