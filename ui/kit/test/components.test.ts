import { render } from 'svelte/server';
import { describe, expect, it } from 'vitest';
import { SignatureView, speak, StateBadge, Timeline, type Step } from '../src';

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
