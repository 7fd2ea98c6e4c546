import type { CheckView, Lack } from '@standpipe/kit';
import { render } from 'svelte/server';
import { describe, expect, it, vi } from 'vitest';
import { item, view } from './estate';

vi.mock('@tauri-apps/api/core', () => ({ invoke: vi.fn(), convertFileSrc: vi.fn() }));
vi.mock('@tauri-apps/api/event', () => ({ listen: vi.fn() }));

const { default: Outcomes } = await import('../src/check/Outcomes.svelte');
const { ItemWork } = await import('../src/check/itemWork.svelte');
const { keepWaiting } = await import('../src/check/waiting');
const { CheckWork } = await import('../src/check/work.svelte');

function next(shown: CheckView): string {
  const check = new CheckWork('c');
  check.live.take(shown);
  const work = new ItemWork(check, shown.checklist!.items[0]!);
  const { body } = render(Outcomes, {
    props: { view: shown, work, ask: () => {}, amending: false, amend: () => {} },
  });
  return /<button[^>]*data-testid="next-item"[^>]*>/.exec(body)![0];
}

function failed(lacks: Lack[] | null): CheckView {
  const answer = { outcome: 'fail', at: 0 } as const;
  const found = { id: 'f', check: 'c', item: 'a', asked: null, answer, words: '', photos: [], issue: null } as const;
  return view([item('a'), item('b')], {
    answers: { a: answer },
    findings: lacks ? [{ ...found, photos: [], severity: 'serious', lacks, kept: null }] : [],
  });
}

describe('the way on after an answer', () => {
  it('is what to do now once the answer is whole', () => {
    expect(next(view([item('a'), item('b')], { answers: { a: { outcome: 'pass', at: 0 } } }))).toContain('filled');
    expect(next(failed([]))).toContain('filled');
  });

  it('is not while a note waits for an outcome', async () => {
    const answers = { a: { outcome: 'pass', at: 0 } } as const;
    await keepWaiting('note', 'c', 'a', { text: '门锁着' });
    expect(next(view([item('a'), item('b')], { answers }))).toContain('outlined');
    await keepWaiting('note', 'c', 'a', { text: '' });
  });

  it('is not while a fail lacks its words or its proof', () => {
    expect(next(failed(['photo']))).toContain('outlined');
    expect(next(failed(null))).toContain('outlined');
  });
});
