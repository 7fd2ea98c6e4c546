import type { RoundState, Status } from '@standpipe/kit';

/** Which page is shown, kept in the address, so that going back, reloading and sending a link lead to the same place. */
export type Route =
  | { page: 'start' | 'tablets' }
  | { page: 'quarantine'; seen: boolean }
  | { page: 'issues'; id: string | null; list: IssueList }
  | { page: 'rounds'; state: RoundState | null }
  | { page: 'round'; id: string; check: string | null };

/** What of the issues is listed, and in which order. */
export interface IssueList {
  show: Show;
  unit: string;
  q: string;
  sort: Column;
  down: boolean;
}

/** `unclosed` and `overdue` cut across the statuses. */
export type Show = 'unclosed' | 'overdue' | 'all' | Status;

export const shows: readonly Show[] = [
  'unclosed',
  'overdue',
  'all',
  'open',
  'assigned',
  'proposed',
  'objected',
  'agreed',
  'under-way',
  'claimed-done',
  'verified',
  'closed',
  'reopened',
];

export const columns = [
  'number',
  'title',
  'place',
  'severity',
  'status',
  'unit',
  'person',
  'deadline',
  'changed',
] as const;
export type Column = (typeof columns)[number];

export const roundStates: readonly RoundState[] = ['planned', 'overdue', 'under-way', 'to-sign', 'signed'];

export const plainList: IssueList = { show: 'unclosed', unit: '', q: '', sort: 'changed', down: true };

export function parse(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#?\/?/, '').split('?', 2);
  const [page, id = null, check = null] = path.split('/').map(plain);
  if (page === 'issues') return { page, id: id || null, list: parseList(query) };
  if (page === 'rounds' && id) return { page: 'round', id, check: check || null };
  if (page === 'rounds') return { page, state: one(new URLSearchParams(query), 'state', roundStates, null) };
  if (page === 'quarantine') return { page, seen: new URLSearchParams(query).get('show') === 'seen' };
  if (page === 'tablets') return { page };
  return { page: 'start' };
}

export function parseList(query: string): IssueList {
  const given = new URLSearchParams(query);
  return {
    show: one(given, 'show', shows, plainList.show),
    unit: given.get('unit') ?? '',
    q: given.get('q') ?? '',
    sort: one(given, 'sort', columns, plainList.sort),
    down: (given.get('order') ?? 'down') === 'down',
  };
}

/** The list as an address carries it: only what is not as usual. */
export function listQuery(list: IssueList): string {
  const given = new URLSearchParams();
  if (list.show !== plainList.show) given.set('show', list.show);
  if (list.unit) given.set('unit', list.unit);
  if (list.q) given.set('q', list.q);
  if (list.sort !== plainList.sort) given.set('sort', list.sort);
  if (!list.down) given.set('order', 'up');
  return given.toString();
}

export const to = {
  start: '#/',
  tablets: '#/tablets',
  quarantine: '#/quarantine',
  seenTo: '#/quarantine?show=seen',
  rounds: (state: RoundState | null = null) => (state ? `#/rounds?state=${state}` : '#/rounds'),
  round: (id: string) => `#/rounds/${part(id)}`,
  stop: (round: string, check: string) => `#/rounds/${part(round)}/${part(check)}`,
  issues: (list: Partial<IssueList> = {}) => withQuery('#/issues', list),
  issue: (id: string, list: Partial<IssueList> = {}) => withQuery(`#/issues/${part(id)}`, list),
};

const part = encodeURIComponent;

function one<T, U>(given: URLSearchParams, name: string, known: readonly T[], otherwise: U): T | U {
  return known.find((value) => value === given.get(name)) ?? otherwise;
}

function plain(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function withQuery(path: string, list: Partial<IssueList>): string {
  const query = listQuery({ ...plainList, ...list });
  return query ? `${path}?${query}` : path;
}
