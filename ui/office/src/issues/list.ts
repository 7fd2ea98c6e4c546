import { issueTitle, words, type IssueFilter, type IssueLine, type Severity, type Status } from '@standpipe/kit';
import type { Column, IssueList, Show } from '../route';

/** What of the choice the hub can answer; `shows` sees to the rest. */
export function asked({ show, unit, q }: Pick<IssueList, 'show' | 'unit' | 'q'>): IssueFilter {
  const across = show === 'unclosed' || show === 'overdue' || show === 'all';
  return { status: across ? null : show, unit: unit || null, q };
}

/** Whether a line belongs to what is chosen. */
export function shows(show: Show, { status, overdue }: Pick<IssueLine, 'status' | 'overdue'>): boolean {
  if (show === 'all') return true;
  if (show === 'unclosed') return status !== 'closed';
  if (show === 'overdue') return overdue;
  return status === show;
}

const severities: Severity[] = ['minor', 'serious', 'critical'];

const life: Status[] = [
  'open',
  'reopened',
  'assigned',
  'proposed',
  'objected',
  'agreed',
  'under-way',
  'claimed-done',
  'verified',
  'closed',
];

export function place({ path, asset }: Pick<IssueLine, 'path' | 'asset'>): string {
  return [...path, ...(asset ? [asset] : [])].map(words).join(' › ');
}

/** The lines in order. What a line does not have comes last, in either direction. */
export function sorted(
  lines: IssueLine[],
  { sort, down }: Pick<IssueList, 'sort' | 'down'>,
  language: string,
): IssueLine[] {
  const { compare } = new Intl.Collator(language, { numeric: true });
  const key = keys[sort];
  const keyed = lines.map((line) => ({ line, key: key(line) }));
  const direction = down ? -1 : 1;
  keyed.sort((one, other) => {
    if (one.key === null || other.key === null) return Number(one.key === null) - Number(other.key === null);
    const order =
      typeof one.key === 'number' ? one.key - Number(other.key) : compare(String(one.key), String(other.key));
    return direction * order;
  });
  return keyed.map(({ line }) => line);
}

const keys: Record<Column, (line: IssueLine) => string | number | null> = {
  number: (line) => line.number,
  title: issueTitle,
  place: (line) => place(line) || null,
  severity: (line) => severities.indexOf(line.severity),
  status: (line) => life.indexOf(line.status),
  unit: (line) => line.unit && words(line.unit),
  person: (line) => line.person,
  deadline: (line) => line.deadline,
  changed: (line) => line.changed,
};
