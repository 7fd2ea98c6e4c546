import type { Judgement, Limit } from './generated/domain';

/** How a reading stands to its limit, to be shown while it is typed; the engine decides. */
export function judge({ min, max }: Limit, value: number): Judgement {
  if (min === null && max === null) return 'unjudged';
  if (min !== null && value < min) return 'too-low';
  if (max !== null && value > max) return 'too-high';
  return 'within';
}

/** The number that was typed, with a comma or a full-width stop for the point; `null` when it is none (yet). */
export function reading(text: string): number | null {
  const plain = text.normalize('NFKC').trim().replace(/[,。]/, '.');
  return /^[+-]?(\d+\.?\d*|\.\d+)$/.test(plain) ? Number(plain) : null;
}
