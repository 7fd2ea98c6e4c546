import { listQuery, parse, parseList, type IssueList } from './route';

let current = $state.raw(parse(globalThis.location?.hash ?? ''));

globalThis.addEventListener?.('hashchange', () => (current = parse(location.hash)));

export const here = () => current;

export function go(hash: string): void {
  location.hash = hash;
}

/** Changes the address without a step to go back to, for what is typed letter by letter. */
export function adjust(hash: string): void {
  history.replaceState(null, '', hash);
  current = parse(hash);
}

const remembered = 'standpipe.issues';

/** How the issues were listed last, on this computer. */
export const lastList = (): IssueList => parseList(localStorage.getItem(remembered) ?? '');

export const rememberList = (list: IssueList): void => localStorage.setItem(remembered, listQuery(list));
