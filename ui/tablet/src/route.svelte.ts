/** Which screen is shown, kept in the address so that going back and restarting lead to the same place. */
export type Route =
  | { screen: 'today' | 'issues' | 'search' | 'sync' }
  | { screen: 'round' | 'sign'; round: string }
  | { screen: 'check'; round: string; check: string; item: string | null }
  | { screen: 'issue' | 'asset'; id: string };

export function parse(hash: string): Route {
  const [first, id, second, check, , item] = hash
    .replace(/^#?\/?/, '')
    .split('/')
    .map(decodeURIComponent);
  if (first === 'round' && id) {
    if (second === 'sign') return { screen: 'sign', round: id };
    if (second === 'check' && check) return { screen: 'check', round: id, check, item: item ?? null };
    return { screen: 'round', round: id };
  }
  if ((first === 'issue' || first === 'asset') && id) return { screen: first, id };
  if (first === 'issues' || first === 'search' || first === 'sync') return { screen: first };
  return { screen: 'today' };
}

const part = encodeURIComponent;

export const to = {
  today: '#/',
  issues: '#/issues',
  search: '#/search',
  sync: '#/sync',
  round: (id: string) => `#/round/${part(id)}`,
  sign: (round: string) => `#/round/${part(round)}/sign`,
  check: (round: string, check: string, item?: string) =>
    `#/round/${part(round)}/check/${part(check)}` + (item ? `/item/${part(item)}` : ''),
  issue: (id: string) => `#/issue/${part(id)}`,
  asset: (id: string) => `#/asset/${part(id)}`,
};

let current = $state.raw(parse(globalThis.location?.hash ?? ''));

let before = $state.raw('');

globalThis.addEventListener?.('hashchange', (event) => {
  before = new URL((event as HashChangeEvent).oldURL).hash;
  current = parse(location.hash);
});

/** The address of the screen before this one, when it is of this kind. */
export const cameFrom = (...kinds: Route['screen'][]): string | null =>
  before && kinds.includes(parse(before).screen) ? before : null;

export const route = () => current;

export function go(hash: string): void {
  location.hash = hash;
}
