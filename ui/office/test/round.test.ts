import { render } from 'svelte/server';
import { afterEach, describe, expect, it } from 'vitest';
import { follow, languages, moment, names, shared, speak } from '@standpipe/kit';
import type { Answer, ConflictSide, EvidenceView, SealReport } from '@standpipe/kit';
import { overwriteGetLocale } from '../src/paraglide/runtime.js';
import AnswerEntry from '../src/rounds/AnswerEntry.svelte';
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

describe('two answers that differ', () => {
  follow(overwriteGetLocale);
  afterEach(() => speak('zh-CN'));
  const at = (hour: number) => new Date(2023, 6, 1, hour).getTime();
  const side = (by: string, value: unknown, hour: number): ConflictSide => ({
    rev: by,
    value,
    by,
    device: 'd',
    at: at(hour),
  });
  const shown = (base: ConflictSide | null) => {
    const sides = [side('王工', { outcome: 'fail', at: 0 }, 10), side('李工', pass, 11)];
    const conflicts = [{ field: 'answer:a', base, sides }];
    const entry = entriesOf(check({ answers: { a: pass }, conflicts }), [])[0]!;
    return render(AnswerEntry, { props: { entry, since: 0 } }).body.replace(/<!--.*?-->/g, '');
  };

  it('say what both started from, where that is known, with the words of the tablet', () => {
    const base = side('赵工', { outcome: 'not-applicable', note: '停用', at: 0 }, 9);
    for (const language of languages) {
      speak(language);
      const told = { value: `${names.outcome('not-applicable')} · 停用`, by: '赵工', at: moment(at(9)) };
      expect(shown(base)).toContain(shared['before'](told));
      for (const by of ['王工', '李工']) expect(shown(base)).toContain(by);
      expect(shown(null)).not.toContain('data-testid="before"');
    }
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
