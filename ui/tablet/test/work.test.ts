import { beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeEngine, item, view } from './estate';

const invoke = vi.fn();
vi.mock('@tauri-apps/api/core', () => ({ invoke, convertFileSrc: vi.fn() }));
vi.mock('@tauri-apps/api/event', () => ({ listen: vi.fn() }));

const { CheckWork, noteName, workOn } = await import('../src/check/work.svelte');
const { keep, kept } = await import('../src/kept');

let engine: FakeEngine;

beforeEach(() => {
  engine = new FakeEngine(view([item('a'), item('b')]));
  invoke.mockReset().mockImplementation(engine.invoke.bind(engine));
});

function begun() {
  const work = new CheckWork('c');
  work.live.take(engine.held);
  return work;
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
    await keep(noteName('c', 'a'), '门锁着');
    invoke.mockRejectedValueOnce({ code: 'tablet-fault' });
    await expect(work.record('a', 'pass')).rejects.toEqual({ code: 'tablet-fault' });
    expect(kept(noteName('c', 'a'))).toBe('门锁着');
    await work.record('a', 'pass');
    expect(engine.held.answers['a']!.note).toBe('门锁着');
    expect(kept(noteName('c', 'a'))).toBe('');
  });

  it('keeps words that were written while the answer was on its way, and takes them into the record after it', async () => {
    const work = begun();
    await keep(noteName('c', 'a'), '门');
    const answer = vi.fn(engine.invoke.bind(engine));
    invoke.mockImplementation(async (command: string, given: Parameters<typeof answer>[1]) => {
      if (command === 'answer' && answer.mock.calls.length === 0) void keep(noteName('c', 'a'), '门锁着');
      return command === 'answer' ? answer(command, given) : null;
    });
    await work.record('a', 'pass');
    expect(engine.held.answers['a']!.note).toBe('门');
    expect(kept(noteName('c', 'a'))).toBe('门锁着');
    await vi.waitFor(() => expect(engine.held.answers['a']!.note).toBe('门锁着'));
    await vi.waitFor(() => expect(kept(noteName('c', 'a'))).toBe(''));
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
    const said = (command: string) =>
      invoke.mock.calls.filter(([name]) => name === command).map(([, given]) => (given as { new: object }).new);
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

  it('counts no answer as seen by a note that waited for the first one', async () => {
    const work = begun();
    await keep(noteName('c', 'a'), '门锁着');
    work.live.take({ ...engine.held, answers: { a: { outcome: 'fail', at: 1 } }, revs: { 'answer:a': ['theirs'] } });
    await work.record('a', 'pass');
    expect(invoke.mock.calls.find(([name]) => name === 'answer')![1]).toMatchObject({ new: { seen: [] } });
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
