import type { Answer, NewAnswer } from '@standpipe/kit';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeEngine, item, view } from './estate';

const invoke = vi.fn();
vi.mock('@tauri-apps/api/core', () => ({ invoke, convertFileSrc: vi.fn() }));
vi.mock('@tauri-apps/api/event', () => ({ listen: vi.fn() }));

const { CheckWork, workOn } = await import('../src/check/work.svelte');
const { keepWaiting, waiting } = await import('../src/check/waiting');

let engine: FakeEngine;

beforeEach(async () => {
  engine = new FakeEngine(view([item('a'), item('b')]));
  invoke.mockReset().mockImplementation(engine.invoke.bind(engine));
  await keepWaiting('note', 'c', 'a', { text: '' });
  invoke.mockClear();
});

function begun() {
  const work = new CheckWork('c');
  work.live.take(engine.held);
  return work;
}

/** What the engine was told. */
const said = (command: string) =>
  invoke.mock.calls.filter(([name]) => name === command).map(([, given]) => (given as { new: NewAnswer }).new);

/** A colleague's answer is pulled. */
function theirs(work: ReturnType<typeof begun>, answer: Omit<Answer, 'at'>, rev = 'theirs'): void {
  const answers = { ...engine.held.answers, a: { ...answer, at: 2 } };
  engine.held = { ...engine.held, answers, revs: { ...engine.held.revs, 'answer:a': [rev] } };
  work.live.take(engine.held);
}

describe('the work on a check', () => {
  it('keeps both a note and an outcome that were given at once', async () => {
    const work = begun();
    await work.record('a', 'pass');
    await Promise.all([work.record('a', null, { note: '渗水' }), work.record('a', 'not-applicable')]);
    expect(engine.held.answers['a']).toMatchObject({ outcome: 'not-applicable', note: '渗水' });
  });

  it('takes a note that waited for its answer into the record, and only then lets go of it', async () => {
    const work = begun();
    await work.note('a', '门锁着');
    expect(engine.held.answers).toEqual({});
    invoke.mockRejectedValueOnce({ code: 'tablet-fault' });
    await expect(work.record('a', 'pass')).rejects.toEqual({ code: 'tablet-fault' });
    expect(waiting('note', 'c', 'a')?.text).toBe('门锁着');
    await work.record('a', 'pass');
    expect(engine.held.answers['a']!.note).toBe('门锁着');
    expect(waiting('note', 'c', 'a')).toBeUndefined();
  });

  it('takes words that are written while the answer is on its way into the record after it', async () => {
    const work = begun();
    const begunOver = work.shown('a');
    await work.note('a', '门', begunOver);
    await Promise.all([work.record('a', 'fail'), work.note('a', '门锁着', begunOver)]);
    expect(said('answer').map(({ answer }) => answer)).toMatchObject([
      { outcome: 'fail', note: '门' },
      { outcome: 'fail', note: '门锁着' },
    ]);
    expect(waiting('note', 'c', 'a')).toBeUndefined();
  });

  it('makes a finding with the first fail, and leaves a finding that is there alone', async () => {
    const work = begun();
    await work.fail('a');
    await Promise.all([work.ensureFinding('a'), work.ensureFinding('a'), work.ensureFinding('b')]);
    expect(invoke.mock.calls.filter(([command]) => command === 'finding')).toHaveLength(1);
    expect(engine.held.findings).toMatchObject([{ item: 'a', severity: 'serious', words: '' }]);
    await work.describe('a', '封条破损');
    await work.weigh('a', 'critical');
    await work.fail('a');
    expect(engine.held.findings).toMatchObject([{ severity: 'critical', words: '封条破损' }]);
  });

  it('says of each change what its author saw, and nothing of the rest', async () => {
    const work = begun();
    await work.record('a', 'pass');
    await work.record('a', 'fail');
    expect(said('answer')).toMatchObject([{ seen: [] }, { seen: ['op 1'] }]);
    await work.describe('a', '锈', ['as it was when the field was opened']);
    await work.weigh('a', 'critical');
    await work.weigh('a', 'minor');
    expect(said('finding')).toEqual([
      { check: 'c', item: 'a', severity: null, words: '锈', seen: ['as it was when the field was opened'] },
      { check: 'c', item: 'a', severity: 'critical', words: null, seen: [] },
      { check: 'c', item: 'a', severity: 'minor', words: null, seen: ['op 4'] },
    ]);
  });

  it('takes what was shown at a tap, not what came before its turn', async () => {
    const work = begun();
    work.live.take({ ...engine.held, revs: { 'answer:a': ['old'] } });
    const tapped = work.record('a', 'pass');
    work.live.take({ ...engine.held, revs: { 'answer:a': ['theirs'] } });
    await tapped;
    expect(invoke.mock.calls[0]![1]).toMatchObject({ new: { seen: ['old'] } });
  });

  it('records no note by itself to what a colleague answered meanwhile, but with an outcome of its author', async () => {
    const work = begun();
    const begunOver = work.shown('a');
    theirs(work, { outcome: 'fail', reading: { value: 0.2, unit: 'MPa' } });
    await work.note('a', '门锁着', begunOver);
    expect([said('answer'), waiting('note', 'c', 'a')?.text]).toEqual([[], '门锁着']);
    await work.record('a', 'pass');
    expect(said('answer')).toMatchObject([{ answer: { outcome: 'pass', note: '门锁着' }, seen: ['theirs'] }]);
  });

  it("does not count a colleague's note as seen that is hidden by one that waited", async () => {
    const work = begun();
    await work.note('a', '门锁着');
    theirs(work, { outcome: 'fail', note: '锈' });
    await work.record('a', 'pass');
    expect(said('answer')).toMatchObject([{ answer: { note: '门锁着' }, seen: [] }]);
  });

  it('builds a note that is saved late on the answer that its author saw, not on what a colleague made of it', async () => {
    const work = begun();
    const mine = { outcome: 'fail', reading: { value: 0.2, unit: 'MPa' }, at: 1 } as const;
    work.live.take({ ...engine.held, answers: { a: mine }, revs: { 'answer:a': ['old'] } });
    const begunOver = work.shown('a');
    theirs(work, { outcome: 'pass', reading: { value: 0.45, unit: 'MPa' } });
    await work.note('a', '锈', begunOver);
    expect(said('answer')).toMatchObject([
      { answer: { outcome: 'fail', reading: { value: 0.2 }, note: '锈' }, seen: ['old'] },
    ]);
  });

  it('builds a text that is saved late on what its own author answered since', async () => {
    const work = begun();
    const begunOver = work.shown('a');
    theirs(work, { outcome: 'pass' });
    await work.record('a', 'fail');
    theirs(work, { outcome: 'not-applicable' }, 'theirs again');
    await work.record('a', null, { note: '锈' }, begunOver);
    // What the answer was given over is named too: otherwise the note would stand against its author's own answer.
    expect(said('answer').at(-1)).toMatchObject({ answer: { outcome: 'fail', note: '锈' }, seen: ['theirs'] });
  });

  it('settles a conflict over the sides that were shown', async () => {
    const sides = ['one', 'two'].map((rev) => ({ rev, value: '', by: '', device: '', at: 0 }));
    await begun().resolve({ field: 'words:a', base: null, sides }, 'two');
    expect(invoke).toHaveBeenCalledWith('resolve', { check: 'c', field: 'words:a', keep: 'two', seen: ['one', 'two'] });
  });

  it('goes on after a refusal', async () => {
    const work = begun();
    invoke.mockRejectedValueOnce({ code: 'interlocked' });
    const [refused, taken] = await Promise.allSettled([work.record('a', 'pass'), work.record('b', 'pass')]);
    expect([refused.status, taken.status]).toEqual(['rejected', 'fulfilled']);
  });

  it('does not carry a reading into "not applicable"', async () => {
    const work = begun();
    await work.record('a', 'pass', { reading: { value: 0.4, unit: 'MPa' } });
    await work.record('a', 'not-applicable');
    expect(engine.held.answers['a']).not.toHaveProperty('reading');
  });

  it('is the same for whoever comes back to the check', () => {
    expect(workOn('c9')).toBe(workOn('c9'));
  });
});
