import type { RoundLine, RoundState, RoundView } from '@standpipe/kit';
import { describe, expect, it } from 'vitest';
import { nextOf, stopAfter, stretches } from '../src/round/route';
import { inOrder } from '../src/screens/today';
import { finding, stop } from './estate';

const done = { answered: 3, state: 'passed' } as const;
const clear = { unanswered: 0, incomplete: 0, in_conflict: 0 };
const asked = { unit: 'u', unit_name: { 'zh-CN': '业主', en: 'Owners' }, signed: null, unsigned_amendments: 0 };
const round = (more: Partial<RoundView>) =>
  ({ stops: [stop('a', done)], findings: [], obstacles: clear, sign_offs: [asked], ...more }) as RoundView;

describe('the route', () => {
  it('is cut where the place changes, in the order of walking', () => {
    const route = stretches([
      stop('a', {}, ['一期', '4栋']),
      stop('b', {}, ['一期', '4栋']),
      stop('c', {}, ['二期']),
      stop('d', {}, ['一期', '4栋']),
    ]);
    expect(route.map(({ stops }) => stops.map(({ check }) => check))).toEqual([['a', 'b'], ['c'], ['d']]);
  });

  it('goes on after a stop with the next one that has something open, from the top again after the last', () => {
    const stops = [stop('a'), stop('b', done), stop('c'), stop('d', { sealed: true })];
    expect(stopAfter(stops, 'a')?.check).toBe('c');
    expect(stopAfter(stops, 'c')?.check).toBe('a');
    expect(stopAfter([stop('a')], 'a')).toBeUndefined();
  });
});

describe('the one next thing to do in a round', () => {
  it('is the first open stop, then what findings lack, then conflicts, then signing, then nothing', () => {
    expect(nextOf(round({ stops: [stop('a', done), stop('b')] }))).toMatchObject({ do: 'check', stop: { check: 'b' } });
    expect(nextOf(round({ findings: [finding(), finding({ lacks: ['photo'] })] }))).toMatchObject({ do: 'complete' });
    expect(nextOf(round({ obstacles: { ...clear, in_conflict: 1 } }))).toEqual({ do: 'resolve' });
    expect(nextOf(round({}))).toEqual({ do: 'sign' });
    expect(nextOf(round({ sign_offs: [] }))).toEqual({ do: 'nothing' });
  });
});

describe('today', () => {
  const line = (id: string, state: RoundState, due: string) => ({ id, state, due }) as RoundLine;

  it('shows what presses most first, and what was signed last', () => {
    const rounds = [
      line('signed long ago', 'signed', '2023-05-01'),
      line('signed', 'signed', '2023-06-01'),
      line('to sign', 'to-sign', '2023-06-01'),
      line('later', 'planned', '2023-08-01'),
      line('soon', 'planned', '2023-07-02'),
      line('under way', 'under-way', '2023-07-01'),
      line('overdue', 'overdue', '2023-06-20'),
    ];
    expect(inOrder(rounds).map(({ id }) => id)).toEqual([
      'overdue',
      'under way',
      'soon',
      'later',
      'to sign',
      'signed',
      'signed long ago',
    ]);
  });
});
