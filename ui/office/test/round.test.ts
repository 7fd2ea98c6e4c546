import { describe, expect, it } from 'vitest';
import type { Answer, EvidenceView, SealReport } from '@standpipe/kit';
import { entriesOf, looseOf, tally, verdict } from '../src/rounds/round';
import { check, finding } from './estate';

const photo = (sha256: string, of?: string): EvidenceView => ({
  sha256,
  item: of ?? null,
  media_type: 'image/jpeg',
  bytes: 1,
  name: sha256,
  at: 0,
  preview: { state: 'ready' },
  whereabouts: { state: 'safe-at-office' },
});
const pass: Answer = { outcome: 'pass', at: 0 };
describe('a stop', () => {
  it('shows every question in the checklist’s order, answered or not', () => {
    const entries = entriesOf(check({ answers: { b: pass } }), []);
    expect(entries.map(({ id, answer }) => [id, answer?.outcome])).toEqual([
      ['a', undefined],
      ['b', 'pass'],
    ]);
  });

  it('shows what was answered even where the checklist is not known', () => {
    const entries = entriesOf(check({ checklist: null, answers: { old: pass } }), []);
    expect(entries).toMatchObject([{ id: 'old', item: null, answer: { outcome: 'pass' } }]);
  });

  it('takes its own findings only, and shows a photo once', () => {
    const own = finding({ photos: [photo('1')] });
    const entries = entriesOf(check({ photos: [photo('1', 'a'), photo('2', 'a')] }), [
      own,
      finding({ id: 'g', check: 'other', item: 'b' }),
    ]);
    expect(entries.map((entry) => entry.finding?.id)).toEqual(['f', undefined]);
    expect(entries[0]?.photos.map(({ sha256 }) => sha256)).toEqual(['1', '2']);
  });

  it('loses no photo that belongs to no question', () => {
    const stop = check({ photos: [photo('1', 'a'), photo('2'), photo('3', 'gone')] });
    expect(looseOf(stop, entriesOf(stop, [])).map(({ sha256 }) => sha256)).toEqual(['2', '3']);
    expect(tally(stop, [])).toEqual({ items: 2, answered: 0, photos: 3 });
  });
});

describe('a seal', () => {
  const seal: SealReport = {
    sign_off: 's',
    unit: 'u',
    genuine: true,
    known: true,
    unchanged: true,
    countersigned: null,
    photos: 0,
  };

  it('is good only when it is genuine and nothing has changed', () => {
    expect(verdict(seal)).toBe('good');
    expect(verdict({ ...seal, genuine: false })).toBe('bad');
    expect(verdict({ ...seal, unchanged: false })).toBe('bad');
  });

  it('of which nothing is known yet is not called good', () => {
    expect(verdict(undefined)).toBe('waiting');
  });
});
