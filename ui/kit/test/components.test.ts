import { render } from 'svelte/server';
import { describe, expect, it } from 'vitest';
import { SignatureView, StateBadge } from '../src';

describe('a state', () => {
  it('is said in a word even where only its shape is drawn', () => {
    expect(render(StateBadge, { props: { mark: 'fail', word: '不合格', compact: true } }).body).toContain('不合格');
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
