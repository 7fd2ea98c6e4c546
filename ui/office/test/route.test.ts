import { describe, expect, it } from 'vitest';
import { listQuery, parse, parseList, plainList, to, type IssueList } from '../src/route';

describe('an address', () => {
  it.each([
    ['', { page: 'start' }],
    ['#/', { page: 'start' }],
    ['#/nothing-here', { page: 'start' }],
    ['#/tablets', { page: 'tablets' }],
    [to.quarantine, { page: 'quarantine', seen: false }],
    [to.seenTo, { page: 'quarantine', seen: true }],
    ['#/rounds', { page: 'rounds', state: null }],
    ['#/rounds?state=to-sign', { page: 'rounds', state: 'to-sign' }],
    ['#/rounds?state=%3Cb%3E', { page: 'rounds', state: null }],
    ['#/rounds/r1', { page: 'round', id: 'r1', check: null }],
    ['#/rounds/r1/c2', { page: 'round', id: 'r1', check: 'c2' }],
    ['#/issues', { page: 'issues', id: null, list: plainList }],
    ['#/issues/i1?show=overdue', { page: 'issues', id: 'i1', list: { ...plainList, show: 'overdue' } }],
    ['#/issues/%E0%A4%A', { page: 'issues', id: '%E0%A4%A', list: plainList }],
  ])('%s leads to its page', (hash, route) => {
    expect(parse(hash)).toEqual(route);
  });

  it('that was made leads back to what it was made of', () => {
    const list: IssueList = { show: 'claimed-done', unit: 'u&1', q: '4栋?33层', sort: 'deadline', down: false };
    expect(parse(to.issue('a/b', list))).toEqual({ page: 'issues', id: 'a/b', list });
    expect(parse(to.stop('r/1', 'c?2'))).toEqual({ page: 'round', id: 'r/1', check: 'c?2' });
  });
});

describe('the list in an address', () => {
  it('says nothing of what is as usual', () => {
    expect(listQuery(plainList)).toBe('');
    expect(to.issues()).toBe('#/issues');
  });

  it('falls back to the usual where it is not known', () => {
    expect(parseList('show=everything&sort=colour')).toEqual(plainList);
  });
});
