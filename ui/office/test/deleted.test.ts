import { follow, speak, type OfficeRound } from '@standpipe/kit';
import { render } from 'svelte/server';
import { describe, expect, it } from 'vitest';
import { overwriteGetLocale } from '../src/paraglide/runtime.js';
import Finding from '../src/rounds/Finding.svelte';
import RoundHead from '../src/rounds/RoundHead.svelte';
import StopDetail from '../src/rounds/StopDetail.svelte';
import StopTable from '../src/rounds/StopTable.svelte';
import { check, finding } from './estate';

follow(overwriteGetLocale);
speak('en');

const kept = { by: '街道办', at: 1_688_173_200_000, signed: false };
const answers = { a: { outcome: 'fail', at: 0 } } as const;
const checks = [
  check({ id: 'own', answers, kept }),
  check({ id: 'of-a-finding', answers }),
  check({ id: 'neither', answers }),
];
const findings = [
  finding({ id: '1', check: 'of-a-finding', kept: { ...kept, signed: true } }),
  finding({ id: '2', check: 'neither' }),
];
const round = { round: { id: 'r' }, checks, findings } as unknown as OfficeRound;

describe('what was deleted, and kept', () => {
  it('is marked among the stops', () => {
    const { body } = render(StopTable, { props: { round, current: null } });
    const marked = checks.map(({ id }) => id).filter((id) => body.includes(`data-testid="kept-${id}"`));
    expect(marked).toEqual(['own', 'of-a-finding']);
  });

  it('says so at the stop, at its question and among the findings', () => {
    const stop = (at: number) => render(StopDetail, { props: { round, check: checks[at]! } }).body;
    const found = (at: number) => render(Finding, { props: { round, finding: findings[at]! } }).body;
    const told = (body: string) => body.match(/\w+ deleted by 街道办/g);
    expect([told(stop(0)), told(stop(1)), told(found(0))]).toEqual([
      ['Check deleted by 街道办'],
      ['Finding deleted by 街道办'],
      ['Finding deleted by 街道办'],
    ]);
    expect([told(stop(2)), told(found(1))]).toEqual([null, null]);
  });

  it('says so above the round', () => {
    const line = { stops: 3, stops_done: 3, items: 3, answered: 3 };
    const about = { round: { id: 'r', kind: 'routine', due: '2023-07-01', reason: null }, line, present: [] };
    const shown = (more: Partial<OfficeRound>) =>
      render(RoundHead, { props: { round: { ...about, ...more } as unknown as OfficeRound } }).body;
    expect(shown({ kept })).toContain('Round deleted by 街道办');
    expect(shown({ kept: null })).not.toContain('deleted');
  });
});
