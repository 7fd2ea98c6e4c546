import { render } from 'svelte/server';
import { describe, expect, it } from 'vitest';
import {
  KeptNote,
  keptStops,
  languages,
  moment,
  names,
  SignatureView,
  speak,
  StateBadge,
  Timeline,
  type Step,
} from '../src';

describe('a state', () => {
  it('is said in a word even where only its shape is drawn', () => {
    expect(render(StateBadge, { props: { mark: 'fail', word: '不合格', compact: true } }).body).toContain('不合格');
  });
});

describe('what happened', () => {
  const shown = (step: Step) => {
    const entry = {
      step,
      to: 'proposed',
      by: '甲',
      at: 0,
      unit: null,
      person: null,
      date: '2026-12-05',
      words: '',
    } as const;
    return render(Timeline, { props: { entries: [entry] } }).body;
  };

  it('tells the day by which a proposal will be done from the deadline that was set', () => {
    speak('zh-CN');
    expect(shown('propose')).toContain('计划 2026年12月5日完成');
    expect(shown('assign')).toContain('期限 2026年12月5日');
  });
});

describe('what was deleted, and kept', () => {
  const kept = { by: '甲', at: 1_688_173_200_000, signed: false };
  const shown = (signed: boolean) => render(KeptNote, { props: { of: 'finding', kept: { ...kept, signed } } }).body;

  it.each(languages)('says who deleted what, when, and why it is there (%s)', (language) => {
    speak(language);
    for (const signed of [true, false])
      for (const told of [names.entity('finding'), '甲', moment(kept.at)]) expect(shown(signed)).toContain(told);
    const [why, other] = { 'zh-CN': ['未随之删除', '已签字'], en: ['was not deleted with it', 'it was signed'] }[
      language
    ];
    expect([shown(false).includes(why!), shown(false).includes(other!)]).toEqual([true, false]);
    expect([shown(true).includes(why!), shown(true).includes(other!)]).toEqual([false, true]);
  });

  it('is told of nothing that nobody deleted', () => {
    expect(render(KeptNote, { props: { of: 'finding', kept: null } }).body).not.toContain('<p');
  });

  it('marks a stop for itself, or for a finding of it', () => {
    const stops = ['a', 'b', 'c'].map((check) => ({ check, kept: check === 'a' ? kept : null }));
    const findings = ['b', 'c'].map((check) => ({ check, kept: check === 'b' ? kept : null }));
    expect([...keptStops(stops, findings)]).toEqual(['a', 'b']);
  });
});

describe('a signature', () => {
  it('is drawn whole, also where it left the pad’s usual box', () => {
    const strokes: [number, number, number][][] = [
      [
        [10, 20, 0],
        [990, 700, 5],
      ],
    ];
    const { body } = render(SignatureView, { props: { strokes, name: '王' } });
    expect(body).toContain('viewBox="-10 0 1020 720"');
    expect(body).toContain('M10 20L990 700');
  });
});
