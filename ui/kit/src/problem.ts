import { bytes } from './format';
import type { ApiProblem, Problem } from './generated/domain';
import { m } from './paraglide/messages.js';

type Sentence = (details: Record<string, unknown>) => string;

/** The sentence for a code; one that owns up to not knowing the code where there is none. */
export function reason(code: string, details: Record<string, unknown> = {}): string {
  const sentence = (m as unknown as Record<string, Sentence | undefined>)[`problem.${code}`];
  return sentence ? sentence(legible(details)) : m['problem.fallback']({ code });
}

/** What went wrong, whatever was thrown. */
export function problem(error: unknown): string {
  const { code, details } = asProblem(error);
  return reason(code, details);
}

export function asProblem(error: unknown): Problem {
  if (error instanceof TypeError) return { code: 'network', message: error.message, details: {} };
  const thrown = error as Partial<Problem & ApiProblem> | null;
  if (typeof thrown?.code !== 'string') return { code: 'unexpected', message: String(error), details: {} };
  return { code: thrown.code, message: thrown.message ?? '', details: thrown.details ?? {} };
}

// Sizes come as bare bytes.
function legible(details: Record<string, unknown> | null): Record<string, unknown> {
  const shown = { ...details };
  for (const size of ['needed', 'free']) if (typeof shown[size] === 'number') shown[size] = bytes(shown[size]);
  return shown;
}
